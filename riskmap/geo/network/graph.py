"""The road graph: CSR arrays built from any line layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from riskmap.i18n import Text

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Direction = Literal["two_way", "digitised", "oneway_field"]
Weight = Literal["metres", "seconds"]

ISLAND_SHARE: Final = 0.01
"""A part of the network with less than this share of all nodes is flagged as an island."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RoadGraph:
    """Roads as edges between nodes, and arcs (one per permitted direction) in CSR order."""

    crs: str
    profile: str
    node_xy: Floats
    """Nodes in ``crs``, shape (n, 2) [m]."""
    indptr: Ints
    """Arcs leaving node ``i`` are ``indptr[i]:indptr[i + 1]``, shape (n + 1,)."""
    indices: Ints
    """Node to which each arc leads, shape (a,)."""
    arc_edge: Ints
    """Edge of each arc, shape (a,)."""
    arc_length_m: Floats
    """Length of each arc on the ellipsoid or from the length field, shape (a,) [m]."""
    arc_seconds: Floats
    """Free-flow time of each arc, shape (a,) [s]."""
    edge_tail: Ints
    edge_head: Ints
    """Nodes at the two ends of each edge as digitised, shape (m,)."""
    edge_length_m: Floats
    edge_speed_kmh: Floats
    """Length [m] and speed [km/h] of each edge, shape (m,)."""
    edge_forward: Bools
    edge_backward: Bools
    """Whether the edge may be used as digitised, and against that, shape (m,)."""
    edge_row: Ints
    """Row of the line layer that each edge comes from, shape (m,)."""
    edge_twin_row: Ints
    """Row of the line that gave the other direction of a joined edge, else -1, shape (m,)."""
    edge_class: NDArray[np.object_]
    edge_geometry: NDArray[np.object_]
    """OSM class and LineString in ``crs`` of each edge, shape (m,)."""
    component: Ints
    """Weakly connected part of each node, 0 the largest, shape (n,)."""
    island: Bools
    """True where the node's part is tiny, shape (n,)."""
    edge_off: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    """True where points are not put while another road is near, shape (m,); empty for nowhere."""
    spare_m: float = 0.0
    """Another road at most this much farther than one of these is taken instead [m]."""
    edge_way: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """OSM way of each edge, -1 for none, shape (m,)."""
    edge_name: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Position of each edge's name in `names`, -1 for none, shape (m,)."""
    edge_timed: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    """True where the layer gives the measured time or speed, shape (m,); empty for nowhere."""
    hour: int | None = None
    """Hour of the day whose traffic the speeds are for; None: free flow."""
    names: tuple[str, ...] = ()
    """Names of roads, each once."""
    turn_arc: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Arc of each state of the search, shape (s,); empty when every turn is free."""
    turn_zone: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """Where each state is: 0 on a road for all, 1 not yet out of the zone for residents in which
    the way began, 2 in the one in which it ends; 4 more for a copy that remembers more, (s,)."""
    turn_indptr: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    turn_indices: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """States that may follow each state, in CSR order; the first states are the arcs."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What became of the lines: ``ways``, ``used``, ``dropped`` by reason, ``restrictions``,
    ``barriers``, ``ferries``."""
    notes: tuple[Text, ...] = field(default=())

    def __post_init__(self) -> None:
        """Fill what nothing is said about."""
        for name, nothing in (
            ("edge_off", False),
            ("edge_timed", False),
            ("edge_way", -1),
            ("edge_name", -1),
        ):
            held = getattr(self, name)
            if len(held) != len(self.edge_tail):
                object.__setattr__(
                    self, name, np.full(len(self.edge_tail), nothing, dtype=held.dtype)
                )

    def corners(self) -> tuple[Floats, Ints]:
        """Give the vertices of all edges, and the edge of each.

        Returns
        -------
        xy : numpy.ndarray
            In the graph's CRS, shape (v, 2) [m].
        edge : numpy.ndarray
            Rising, shape (v,).
        """
        import shapely

        xy, edge = shapely.get_coordinates(self.edge_geometry, return_index=True)
        return xy, np.asarray(edge, np.int64)

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.node_xy)

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        return len(self.edge_tail)

    @property
    def turns(self) -> bool:
        """Whether the way by which an edge is reached matters for what may follow."""
        return len(self.turn_arc) > 0

    @property
    def state_count(self) -> int:
        """Number of states of the search: nodes, or arcs and their copies where turns matter."""
        return len(self.turn_arc) if self.turns else self.node_count

    @property
    def arc_ahead(self) -> Bools:
        """Whether each arc runs as its edge is digitised."""
        return arcs_ahead(
            self.indptr, self.indices, self.arc_edge, self.edge_tail, self.edge_head,
            self.edge_forward,
        )  # fmt: skip

    @property
    def edge_seconds(self) -> Floats:
        """Free-flow time along each edge [s]; infinite where the edge is closed."""
        with np.errstate(divide="ignore"):
            return self.edge_length_m * 3.6 / self.edge_speed_kmh

    def cost(self, weight: Weight) -> Floats:
        """Give what an edge costs.

        Parameters
        ----------
        weight
            ``metres`` or ``seconds``.

        Returns
        -------
        numpy.ndarray
            Cost of each edge, shape (m,).
        """
        return self.edge_length_m if weight == "metres" else self.edge_seconds


def arcs(
    tail: Ints, head: Ints, forward: Bools, backward: Bools, size: int
) -> tuple[Ints, Ints, Ints]:
    """Put the permitted directions of edges into CSR order.

    Parameters
    ----------
    tail, head
        Nodes at the ends of each edge, shape (m,).
    forward, backward
        Permitted directions, shape (m,).
    size
        Number of nodes.

    Returns
    -------
    indptr : numpy.ndarray
        Row pointers, shape (size + 1,).
    indices : numpy.ndarray
        Node at the end of each arc, shape (a,).
    edge : numpy.ndarray
        Edge of each arc, shape (a,).

    Examples
    --------
    >>> both, one = np.array([True]), np.array([False])
    >>> arcs(np.array([0]), np.array([1]), both, one, 2)[0].tolist()
    [0, 1, 1]
    """
    ahead, back = np.flatnonzero(forward), np.flatnonzero(backward)
    begins = np.concatenate([tail[ahead], head[back]])
    ends = np.concatenate([head[ahead], tail[back]])
    edge = np.concatenate([ahead, back])
    order = np.lexsort((edge, ends, begins))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(begins, minlength=size))])
    return indptr.astype(np.int64), ends[order].astype(np.int64), edge[order].astype(np.int64)


def arcs_ahead(
    indptr: Ints, indices: Ints, arc_edge: Ints, tail: Ints, head: Ints, forward: Bools
) -> Bools:
    """Tell which arcs run as their edge is digitised.

    Parameters
    ----------
    indptr, indices, arc_edge
        The arcs as `arcs` gives them.
    tail, head
        Nodes at the ends of each edge, shape (m,).
    forward
        Permitted directions, shape (m,).

    Returns
    -------
    numpy.ndarray
        Shape (a,); of the two arcs of a loop the first runs ahead.
    """
    begin = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    fits = (tail[arc_edge] == begin) & (head[arc_edge] == indices)
    first = np.ones(len(begin), dtype=bool)
    first[1:] = (arc_edge[1:] != arc_edge[:-1]) | (begin[1:] != begin[:-1])
    loop = tail[arc_edge] == head[arc_edge]
    return np.asarray(np.where(loop, first & forward[arc_edge], fits))

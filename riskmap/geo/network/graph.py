"""The road graph: CSR arrays built from any line layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

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
    notes: tuple[Text, ...] = field(default=())

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.node_xy)

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        return len(self.edge_tail)

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

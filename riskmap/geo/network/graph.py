"""The road graph (CSR arrays, kept between runs under a hash) and the space that a search walks."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap import __version__
from riskmap.i18n import Text

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from scipy.sparse import csr_array

    from riskmap.geo.network.rules import Values


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
    """Row of another line on this one, rather that of the other direction, else -1, shape (m,)."""
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


@dataclass(frozen=True, eq=False)
class Snapped:
    """Points on the network."""

    edge: Ints
    """Edge of each point, -1 when the point is off the network, shape (k,)."""
    along: Floats
    """Share of the edge's length that lies before the point, 0 to 1, NaN off it, shape (k,)."""
    walk_m: Floats
    """Distance to the road, infinite off the network, shape (k,) [m]."""
    xy: Floats
    """The place on the road in the graph's CRS, NaN off it, shape (k, 2) [m]."""

    def __len__(self) -> int:
        """Count the points."""
        return len(self.edge)

    @property
    def on(self) -> Bools:
        """True where the point is on the network."""
        return self.edge >= 0

    def with_rows(self, rows: Ints, others: Snapped) -> Snapped:
        """Replace some of the points.

        Parameters
        ----------
        rows
            Their positions.
        others
            What takes their places.

        Returns
        -------
        Snapped
            All points.
        """
        parts = []
        for name in ("edge", "along", "walk_m", "xy"):
            mine = getattr(self, name).copy()
            mine[rows] = getattr(others, name)
            parts.append(mine)
        return Snapped(*parts)

    def without(self, rows: Bools) -> Snapped:
        """Take some points off the network.

        Parameters
        ----------
        rows
            A mask.

        Returns
        -------
        Snapped
            All points, these ones off the network.
        """
        return Snapped(
            np.where(rows, -1, self.edge),
            np.where(rows, np.nan, self.along),
            np.where(rows, np.inf, self.walk_m),
            np.where(rows[:, None], np.nan, self.xy),
        )

    def nearer(self, by_m: float) -> Snapped:
        """Shorten the way between every point and its road.

        Parameters
        ----------
        by_m
            How much of it does not count; what is shorter becomes 0 [m].

        Returns
        -------
        Snapped
            The same places on the roads.
        """
        return Snapped(self.edge, self.along, np.maximum(self.walk_m - by_m, 0.0), self.xy)

    def take(self, rows: Ints | Bools) -> Snapped:
        """Give some of the points.

        Parameters
        ----------
        rows
            Positions or a mask.

        Returns
        -------
        Snapped
            These points in this order.
        """
        return Snapped(self.edge[rows], self.along[rows], self.walk_m[rows], self.xy[rows])


MOST_KEPT: Final = 12
"""So many graphs are kept in a folder; those longest unused go."""
_FORMAT: Final = "5"
ROOMS: Final = ("road.", "network.", "access.")
_PLAIN: Final = ("crs", "profile", "spare_m", "told", "hour")
_MAGIC: Final = b"riskmap roads 5\n"
_ALIGN: Final = 64


class _Seen:
    """Presets that remember which keys were read."""

    def __init__(self, presets: Values) -> None:
        self.presets = presets
        self.keys: set[str] = set()

    def __getitem__(self, key: str, /) -> Any:
        self.keys.add(key)
        return self.presets[key]

    def __contains__(self, key: object, /) -> bool:
        return key in self.presets

    def __iter__(self) -> Iterator[str]:
        return iter(self.presets)


def kept_graph(
    folder: Path | None,
    lines: gpd.GeoDataFrame | Sequence[Path],
    options: Mapping[str, object],
    values: Mapping[str, object],
    presets: Values,
    build: Callable[[Values], RoadGraph],
) -> RoadGraph:
    """Give the graph that is kept for these lines and options, or build and keep it.

    Parameters
    ----------
    folder
        Where graphs are kept; None keeps none.
    lines
        The road layer, or the files of which it is read.
    options
        What the graph is built with.
    values
        Value of every preset; those of roads and of the network are part of the key.
    presets
        The presets; a graph out of the folder counts as having used the same ones.
    build
        Builds the graph with given presets.

    Returns
    -------
    RoadGraph
        The same, kept or fresh. A file that cannot be read is built anew.
    """
    if folder is None:
        return build(presets)
    mine = {key: value for key, value in values.items() if key.startswith(ROOMS)}
    key = _key(lines, options, mine)
    path = folder / f"road-{key}.graph"
    found = _read(path, key)
    if found is not None:
        graph, keys = found
        for used in keys:
            _ = presets[used]
        return graph
    seen = _Seen(presets)
    graph = build(seen)
    _write(path, graph, sorted(seen.keys), key)
    return graph


def _key(
    lines: gpd.GeoDataFrame | Sequence[Path],
    options: Mapping[str, object],
    values: Mapping[str, object],
) -> str:
    """Hash the content of the layer, the options, the presets and the version."""
    found = hashlib.blake2b(digest_size=16)
    told = {"said": [_FORMAT, __version__], "options": options, "presets": values}
    found.update(json.dumps(told, sort_keys=True, default=str, ensure_ascii=False).encode())
    if isinstance(lines, Sequence):
        for path in lines:
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "blake2b").digest())
        return found.hexdigest()
    import pandas as pd

    found.update(repr([lines.crs.to_wkt() if lines.crs else "", list(lines.columns)]).encode())
    found.update(b"".join(shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object))))
    table = pd.DataFrame(lines.drop(columns=lines.geometry.name)).astype(str)
    found.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return found.hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class _Kept(RoadGraph):
    """A graph out of a file; its lines are made when somebody asks for them."""

    def __getattr__(self, name: str) -> Any:
        """Make the lines."""
        if name != "edge_geometry":
            raise AttributeError(name)
        xy, number = self.corners()
        lines = np.asarray(shapely.linestrings(xy, indices=number), dtype=object)
        object.__setattr__(self, name, lines)
        return lines

    def corners(self) -> tuple[Floats, Ints]:
        """Give the vertices of all edges, and the edge of each.

        Returns
        -------
        tuple
            As of a graph.
        """
        held: tuple[Floats, Ints] | None = self.__dict__.get("_corners")
        return super().corners() if held is None else held


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Write whole numbers in half the room where they fit."""
    if array.dtype != np.int64 or not array.size:
        return np.ascontiguousarray(array)
    fits = int(array.min()) >= -(2**31) and int(array.max()) < 2**31
    return np.ascontiguousarray(array.astype(np.int32) if fits else array)


def _write(path: Path, graph: RoadGraph, keys: list[str], key: str) -> None:
    """Keep a graph, whole or not at all; a folder that cannot be written keeps none."""
    xy, number = shapely.get_coordinates(graph.edge_geometry, return_index=True)
    parts: dict[str, Any] = {
        name.name: getattr(graph, name.name)
        for name in fields(graph)
        if name.name not in (*_PLAIN, "edge_geometry", "notes", "edge_class", "names")
    }
    classes, place = np.unique(graph.edge_class.astype(str), return_inverse=True)
    parts |= {"line_xy": xy, "line_number": number, "edge_class": place.astype(np.int64)}
    said = {name: getattr(graph, name) for name in _PLAIN}
    said |= {"names": list(graph.names), "classes": classes.tolist(), "keys": keys, "key": key}
    said["notes"] = [[note.msgid, note.params] for note in graph.notes]
    said["parts"], blob = _packed(parts)
    head = json.dumps(said, ensure_ascii=False, default=int).encode()
    fresh = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            body = b"%016d\n" % len(head) + head + b" " * (-len(head) % _ALIGN) + blob
            file.write(_MAGIC + b"%010d\n" % zlib.crc32(body) + body)
        fresh.replace(path)
        for one in path.parent.glob("road-*.npz"):
            one.unlink(missing_ok=True)  # of older versions
        old = sorted(path.parent.glob("road-*.graph"), key=lambda one: one.stat().st_mtime_ns)
        for one in old[:-MOST_KEPT]:
            one.unlink(missing_ok=True)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _packed(parts: Mapping[str, Any]) -> tuple[dict[str, list[Any]], bytes]:
    """Put arrays behind each other; give kind, shape and place of each."""
    told, blobs, at = {}, [], 0
    for name, array in parts.items():
        small = _small(array)
        told[name] = [small.dtype.str, list(small.shape), at, array.dtype.str]
        raw = small.tobytes()
        raw += b"\0" * (-len(raw) % _ALIGN)
        blobs.append(raw)
        at += len(raw)
    return told, b"".join(blobs)


def _read(path: Path, key: str) -> tuple[RoadGraph, list[str]] | None:
    """Read a kept graph; None when there is none, it is of other roads, or it is damaged."""
    try:
        raw = memoryview(path.read_bytes())
        magic, check, body = raw[: len(_MAGIC)], raw[len(_MAGIC) :][:11], raw[len(_MAGIC) + 11 :]
        if bytes(magic) != _MAGIC or bytes(check) != b"%010d\n" % zlib.crc32(body):
            return None
        size, body = int(bytes(body[:17])), body[17:]
        said = json.loads(bytes(body[:size]))
        if said["key"] != key:
            return None
        first = size + -size % _ALIGN
        parts: dict[str, Any] = {}
        for name, (kind, shape, at, wanted) in said["parts"].items():
            count = int(np.prod(shape))
            array = np.frombuffer(body, kind, count, first + at).reshape(shape)
            parts[name] = array.astype(wanted)  # a copy, which may be written to
        corners = parts.pop("line_xy"), parts.pop("line_number")
        classes = np.array(said["classes"], dtype=object)
        graph = object.__new__(_Kept)
        told = {name: said[name] for name in _PLAIN} | parts
        told["edge_class"] = classes[parts["edge_class"]]
        told["names"] = tuple(said["names"])
        told["notes"] = tuple(Text(msgid, tuple(map(tuple, args))) for msgid, args in said["notes"])
        if {*told, "edge_geometry"} != {one.name for one in fields(RoadGraph)}:
            return None
        for name, value in (*told.items(), ("_corners", corners)):
            object.__setattr__(graph, name, value)
        os.utime(path)
        return graph, [str(key) for key in said["keys"]]
    except Exception:  # noqa: BLE001  a damaged file raises whatever numpy and json can
        return None


Way = Literal["from_facility", "to_facility"]


@dataclass(frozen=True, eq=False)
class Space:
    """States of a search: the nodes, or, where turns matter, the arcs about to be travelled."""

    indptr: Ints
    indices: Ints
    """The states that follow each state, in CSR order."""
    edge: Ints
    """Edge that is travelled from each state to each following one."""
    ahead: Bools
    """Whether it is travelled as digitised."""
    arc_of: Ints
    """Arc ahead and arc back of each edge, -1 where not permitted, shape (m, 2); only of turns."""
    of_arc: tuple[Ints, Ints]
    out_of: tuple[Ints, Ints]
    into: tuple[Ints, Ints]
    """Row pointers and states: of each arc, leaving each node, ending at each node."""
    arc_edge: Ints
    arc_ahead: Bools
    """Edge and direction of the arc of each state."""
    free: Bools
    """Whether a road for all touches each node; only of turns."""


_SPACES: Final[WeakKeyDictionary[RoadGraph, Space]] = WeakKeyDictionary()


def kernels() -> Any:
    """Give the compiled searches.

    Loading the compiler takes longer than a few ways over a kept graph.

    Returns
    -------
    module
        `riskmap.geo.network.search`.
    """
    from riskmap.geo.network import search

    return search


def space(graph: RoadGraph) -> Space:
    """Give the space in which ways on a graph are sought; it is made once.

    Parameters
    ----------
    graph
        The road graph.

    Returns
    -------
    Space
        Its states.
    """
    if graph not in _SPACES:
        _SPACES[graph] = _space(graph)
    return _SPACES[graph]


def _space(graph: RoadGraph) -> Space:
    ahead = graph.arc_ahead
    none = np.zeros(0, np.int64)
    if not graph.turns:
        return Space(
            graph.indptr, graph.indices, graph.arc_edge, ahead, none.reshape(0, 2),
            (none, none), (none, none), (none, none), none, ahead[:0], ahead[:0],
        )  # fmt: skip
    arc = graph.turn_arc
    tail = np.repeat(np.arange(graph.node_count), np.diff(graph.indptr))
    first = np.repeat(np.arange(len(arc)), np.diff(graph.turn_indptr))
    free = np.zeros(graph.node_count, dtype=bool)
    open_ = arc[graph.turn_zone == 0]
    free[tail[open_]] = free[graph.indices[open_]] = True
    arc_of = np.full((graph.edge_count, 2), -1)
    arc_of[graph.arc_edge, np.where(ahead, 0, 1)] = np.arange(len(ahead))
    return Space(
        graph.turn_indptr, graph.turn_indices, graph.arc_edge[arc][first], ahead[arc][first],
        arc_of, _grouped(arc, len(ahead)), _grouped(tail[arc], graph.node_count),
        _grouped(graph.indices[arc], graph.node_count), graph.arc_edge[arc], ahead[arc], free,
    )  # fmt: skip


def _grouped(owner: Ints, size: int) -> tuple[Ints, Ints]:
    """Give the positions of each owner, as row pointers and positions."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))])
    return indptr.astype(np.int64), np.argsort(owner, kind="stable").astype(np.int64)


def _listed(groups: tuple[Ints, Ints], rows: Ints) -> tuple[Ints, Ints]:
    """Give all members of some groups: position in ``rows``, and member."""
    indptr, members = groups
    count = np.diff(indptr)[rows]
    owner = np.repeat(np.arange(len(rows)), count)
    at = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, members[np.repeat(indptr[:-1][rows], count) + at]


def network_matrix(graph: RoadGraph, cost: Floats, *, reverse: bool = False) -> csr_array:
    """Give the open arcs between states as a scipy matrix; parallel ones stand side by side.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Cost of each edge, infinite where closed, shape (m,).
    reverse
        Turn every arc round.

    Returns
    -------
    scipy.sparse.csr_array
        Cost from row state to column state, shape (s, s).
    """
    from scipy.sparse import csr_array

    indptr, indices, edge = open_arcs(graph, cost, reverse=reverse)
    size = graph.state_count
    return csr_array(
        (cost[edge], indices.astype(np.int32), indptr.astype(np.int32)), shape=(size, size)
    )


def open_arcs(graph: RoadGraph, cost: Floats, *, reverse: bool) -> tuple[Ints, Ints, Ints]:
    """Give the arcs between states whose edges are open, in CSR order.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Cost of each edge, infinite where closed, shape (m,).
    reverse
        Turn every arc round.

    Returns
    -------
    indptr, indices, edge : numpy.ndarray
        Row pointers, state at the end and edge of each arc.
    """
    ways = space(graph)
    shut = not np.isfinite(cost).all()
    if not shut and not reverse:
        return ways.indptr, ways.indices, ways.edge
    size = graph.state_count
    tail = np.repeat(np.arange(size), np.diff(ways.indptr))
    head, edge = ways.indices, ways.edge
    order = np.flatnonzero(np.isfinite(cost[edge]))
    if reverse:
        tail, head = head, tail
        order = order[np.lexsort((edge[order], head[order], tail[order]))]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail[order], minlength=size))])
    return indptr.astype(np.int64), head[order], edge[order]


@dataclass(frozen=True, eq=False)
class Ends:
    """How places hang on the states: entries one place after the other."""

    start: Ints
    """First entry of each place, and the end of the last, shape (k + 1,)."""
    state: Ints
    edge: Ints
    low: Floats
    high: Floats
    """State of each entry, and the stretch of an edge between it and the place, in the direction
    of travel, shape (e,)."""

    @property
    def owner(self) -> Ints:
        """Place of each entry.

        Returns
        -------
        numpy.ndarray
            Shape (e,).
        """
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def price(self, cost: Floats) -> Floats:
        """Give what the stretch of each entry costs.

        Parameters
        ----------
        cost
            Cost of each edge, infinite where closed, shape (m,).

        Returns
        -------
        numpy.ndarray
            Shape (e,).
        """
        part = np.abs(self.high - self.low)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(part == 0, 0.0, part * cost[self.edge]))


def hang(graph: RoadGraph, places: Snapped, *, leaving: bool) -> Ends:
    """Tell by which states places are left, or reached.

    Parameters
    ----------
    graph
        The road graph.
    places
        Places on it.
    leaving
        True: the way begins at the place; False: it ends there.

    Returns
    -------
    Ends
        Entries; none where a place is off the network.
    """
    on = np.flatnonzero(places.on)
    edge, along = places.edge[on], places.along[on]
    if not graph.turns:
        parts = _plain(graph, edge, along, leaving=leaving)
    elif leaving:
        parts = _leaving(graph, edge, along)
    else:
        parts = _reached(graph, edge, along)
    owner, state, on_edge, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(owner, kind="stable")
    count = np.bincount(on[owner], minlength=len(places))
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Ends(start, state[order].astype(np.int64), on_edge[order].astype(np.int64),
                low[order], high[order])  # fmt: skip


_Part = tuple[Ints, Ints, Ints, Floats, Floats]


def _plain(graph: RoadGraph, edge: Ints, along: Floats, *, leaving: bool) -> list[_Part]:
    """Hang places on the two nodes of their edge."""
    back, ahead = graph.edge_backward[edge], graph.edge_forward[edge]
    if not leaving:
        back, ahead = ahead, back
    parts = []
    for node, share, free in ((graph.edge_tail, 0.0, back), (graph.edge_head, 1.0, ahead)):
        row = np.flatnonzero(free | (along == share))
        end = np.full(len(row), share)
        low, high = (along[row], end) if leaving else (end, along[row])
        parts.append((row, node[edge[row]], edge[row], low, high))
    return parts


def _at_node(graph: RoadGraph, edge: Ints, along: Floats) -> tuple[Ints, Ints]:
    """Give the places that stand on a node, and that node."""
    row = np.flatnonzero((along == 0) | (along == 1))
    node = np.where(along[row] == 0, graph.edge_tail[edge[row]], graph.edge_head[edge[row]])
    return row, node


def _leaving(graph: RoadGraph, edge: Ints, along: Floats) -> list[_Part]:
    """Let a way begin in both directions of the edge, or with any arc of the node."""
    ways = space(graph)
    row, node = _at_node(graph, edge, along)
    owner, state = _listed(ways.out_of, node)
    # At a road for all a way begins outside: what is for residents only is entered from there.
    zone, free = graph.turn_zone[state], ways.free[node[owner]]
    base = (zone == 0) | (zone == np.where(free, 2, 1))
    owner, state = row[owner[base]], state[base]
    parts: list[_Part] = [(owner, state, edge[owner], along[owner], along[owner])]
    for side, end in ((0, 1.0), (1, 0.0)):
        arc = ways.arc_of[edge, side]
        row = np.flatnonzero((arc >= 0) & (along != 0) & (along != 1))
        follow = (ways.indptr, ways.indices)
        owner, state = _listed(follow, arc[row])
        owner = row[owner]
        parts.append((owner, state, edge[owner], along[owner], np.full(len(owner), end)))
    return parts


def _reached(graph: RoadGraph, edge: Ints, along: Floats) -> list[_Part]:
    """Let a way end on the edge in both directions, or at the node from any arc."""
    ways = space(graph)

    def ends_here(state: Ints, node: Ints) -> Bools:
        """Tell whether a way ends at a node: on a road for all it does not come through others."""
        return np.asarray((graph.turn_zone[state] % 4 != 2) | ~ways.free[node], dtype=bool)

    row, node = _at_node(graph, edge, along)
    owner, state = _listed(ways.out_of, node)
    fine = ends_here(state, node[owner])
    owner, state = row[owner[fine]], state[fine]
    parts: list[_Part] = [(owner, state, edge[owner], along[owner], along[owner])]
    owner, state = _listed(ways.into, node)
    fine = ends_here(state, node[owner])
    owner, state = owner[fine], state[fine]
    ahead = ways.arc_ahead[state]
    parts.append(
        (row[owner], state, ways.arc_edge[state], np.where(ahead, 0.0, 1.0),
         np.where(ahead, 1.0, 0.0))
    )  # fmt: skip
    for side, begin in ((0, 0.0), (1, 1.0)):
        arc = ways.arc_of[edge, side]
        row = np.flatnonzero((arc >= 0) & (along != 0) & (along != 1))
        owner, state = _listed(ways.of_arc, arc[row])
        owner = row[owner]
        parts.append((owner, state, edge[owner], np.full(len(owner), begin), along[owner]))
    return parts


def at_edge_ends(
    graph: RoadGraph, value: Floats, label: Ints, *, way: Way
) -> tuple[tuple[Floats, Floats], tuple[Ints, Ints]]:
    """Carry costs of states to the two ends of every edge, for those who travel on the edge.

    Parameters
    ----------
    graph
        The road graph.
    value, label
        Cost and facility of each state, shape (s,).
    way
        Direction of travel.

    Returns
    -------
    cost, facility : tuple of numpy.ndarray
        At the beginning as digitised, and at the end, shape (m,) each.
    """
    tail, head = graph.edge_tail, graph.edge_head
    if not graph.turns:
        return (value[tail], value[head]), (label[tail], label[head])
    ways = space(graph)
    found = []
    for side in (0, 1) if way == "from_facility" else (1, 0):
        arc = ways.arc_of[:, side]
        rows = np.flatnonzero(arc >= 0)
        groups = ways.of_arc if way == "from_facility" else (ways.indptr, ways.indices)
        owner, state = _listed(groups, arc[rows])
        found.append(least(value[state], label[state], rows[owner], graph.edge_count))
    return (found[0][0], found[1][0]), (found[0][1], found[1][1])


def at_nodes(graph: RoadGraph, value: Floats, label: Ints, cost: Floats, *, way: Way
             ) -> tuple[Floats, Ints]:  # fmt: skip
    """Carry costs of states to the nodes.

    Parameters
    ----------
    graph
        The road graph.
    value, label
        Cost and facility of each state, shape (s,).
    cost
        Cost of each edge, shape (m,).
    way
        Direction of travel.

    Returns
    -------
    cost, facility : numpy.ndarray
        Shape (n,).
    """
    if not graph.turns:
        return value, label
    ways, size = space(graph), graph.node_count
    owner, state = _listed(ways.out_of, np.arange(size))
    price = value[state]
    if way == "to_facility":
        return least(price, label[state], owner, size)
    more, last = _listed(ways.into, np.arange(size))
    price = np.concatenate([price, value[last] + cost[ways.arc_edge[last]]])
    state = np.concatenate([state, last])
    return least(price, label[state], np.concatenate([owner, more]), size)


_EQUAL: Final = 1e-9


def least(price: Floats, label: Ints, owner: Ints, size: int) -> tuple[Floats, Ints]:
    """Give the least price of each owner and its facility; of equals the first facility.

    Parameters
    ----------
    price, label, owner
        Price, facility and owner of each entry, shape (e,).
    size
        Number of owners.

    Returns
    -------
    price, label : numpy.ndarray
        Infinite and -1 where there is none, shape (size,).
    """
    best = np.full(size, np.inf)
    np.minimum.at(best, owner, price)
    none = np.iinfo(np.int64).max
    who = np.full(size, none)
    here = best[owner]
    near = np.isfinite(price) & (
        price <= here + _EQUAL * (1.0 + np.where(np.isfinite(here), here, 0))
    )
    np.minimum.at(who, owner[near], label[near])
    return best, np.where(who == none, -1, who)


def same_edge(
    graph: RoadGraph, facilities: Snapped, points: Snapped, cost: Floats, *, way: Way
) -> tuple[Ints, Ints, Floats]:
    """Give the direct costs between points and facilities that share an edge.

    Parameters
    ----------
    graph
        The road graph.
    facilities, points
        Places on it.
    cost
        Cost of each edge, shape (m,).
    way
        Direction of travel.

    Returns
    -------
    point : numpy.ndarray
        Position of the point of each pair.
    facility : numpy.ndarray
        Position of the facility of each pair.
    price : numpy.ndarray
        Cost of each pair, finite.
    """
    mine, theirs = np.flatnonzero(facilities.on), np.flatnonzero(points.on)
    mine = mine[np.argsort(facilities.edge[mine], kind="stable")]
    keys = facilities.edge[mine]
    low = np.searchsorted(keys, points.edge[theirs], "left")
    count = np.searchsorted(keys, points.edge[theirs], "right") - low
    row = np.repeat(theirs, count)
    shift = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    which = mine[np.repeat(low, count) + shift]
    ahead = points.along[row] - facilities.along[which]
    if way == "to_facility":
        ahead = -ahead
    edge = points.edge[row]
    allowed = np.where(ahead > 0, graph.edge_forward[edge], graph.edge_backward[edge])
    if graph.turns:
        whole = np.abs(ahead) == 1
        allowed &= ~(whole & _through(graph, edge))
    with np.errstate(invalid="ignore"):
        price = np.where(ahead == 0, 0.0, np.where(allowed, np.abs(ahead) * cost[edge], np.inf))
    fine = np.isfinite(price)
    return row[fine], which[fine], price[fine]


def _through(graph: RoadGraph, edge: Ints) -> Bools:
    """Tell along which edges for residents one would pass from one road for all to another."""
    ways = space(graph)
    arc = ways.arc_of[edge].max(axis=1)
    inside = graph.turn_zone[arc] == 1
    return np.asarray(
        inside & ways.free[graph.edge_tail[edge]] & ways.free[graph.edge_head[edge]], dtype=bool
    )

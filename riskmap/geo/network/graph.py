"""The road graph: CSR arrays built from any line layer, kept between runs under its hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap import __version__
from riskmap.i18n import Text

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd

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

"""Points are put on the nearest edge, at the place along it, not on the nearest node."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from riskmap.geo.areas import cuts
from riskmap.geo.grid import row_xy

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph

SNAP_LIMIT_M: Final = 500.0
"""Farther than this from every road [m], a point is off the network, unless said otherwise."""
_TINY: Final = 1e-9
_EQUAL_M: Final = 1e-6
"""Ways that differ by less are equally long [m]."""


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


def snap_points(
    graph: RoadGraph,
    xy: Floats,
    *,
    limit_m: float = SNAP_LIMIT_M,
    usable: Bools | None = None,
) -> Snapped:
    """Put points on the nearest edge, but not in tunnels or on motorways while another is near.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points in the graph's CRS, shape (k, 2) [m].
    limit_m
        Longest walk to the road, inclusive [m].
    usable
        Edges that may be taken, shape (m,); None: all.

    Returns
    -------
    Snapped
        The places; of edges equally near the one whose nearest place lies farthest west, then
        south, is taken.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (100, 0)])], crs=4548)
    >>> graph = build_graph(road)
    >>> on = snap_points(graph, np.array([[25.0, 7.0], [25.0, 700.0]]))
    >>> on.along.tolist(), on.walk_m.tolist(), on.edge.tolist()
    ([0.25, nan], [7.0, inf], [0, -1])
    """
    xy = np.asarray(xy, np.float64)
    off = graph.edge_off if usable is None else graph.edge_off & usable
    if not off.any():
        return _put(graph, xy, limit_m, usable)
    free = ~graph.edge_off if usable is None else usable & ~graph.edge_off
    best, any_ = _put(graph, xy, limit_m, free), _put(graph, xy, limit_m, usable)
    far = np.flatnonzero(any_.on & ~(best.walk_m <= any_.walk_m + graph.spare_m))
    return best.with_rows(far, any_.take(far))


def plain_name(name: str) -> str:
    """Bring the name of a road to the form in which names are compared.

    Parameters
    ----------
    name
        As written.

    Returns
    -------
    str
        Without blanks and case, wide letters made narrow.

    Examples
    --------
    >>> plain_name("Ｍain  Street"), plain_name("经十路 ")
    ('mainstreet', '经十路')
    """
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def put_by_name(
    graph: RoadGraph,
    xy: Floats,
    limit_m: float,
    roads: list[str],
    put: Snapped,
    *,
    usable: Bools | None = None,
    barred: Callable[[Floats, Floats], Bools] | None = None,
) -> Snapped:
    """Put points that say their road on the nearest stretch of it.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points, shape (n, 2) [m].
    limit_m
        Longest way from a point to the road, inclusive [m].
    roads
        Name of each point's road, blank for none.
    put
        Where the points are without names.
    usable
        Edges that may be taken, shape (m,); None: all.
    barred
        Tells which ways from some points to others may not be taken; None: all may.

    Returns
    -------
    Snapped
        A point whose road is not within the limit, or not to be reached, stays.
    """
    if not any(roads):
        return put
    listed: dict[str, list[int]] = {}
    for place, name in enumerate(graph.names):
        listed.setdefault(plain_name(name), []).append(place)
    for said in sorted({plain_name(road) for road in roads if road} & set(listed)):
        rows = np.flatnonzero([plain_name(road) == said for road in roads])
        among = np.isin(graph.edge_name, listed[said])
        among = among if usable is None else among & usable
        if not among.any():
            continue
        if barred is None:
            found = snap_points(graph, xy[rows], limit_m=limit_m, usable=among)
        else:
            found = reachable(graph, xy[rows], usable=among, limit_m=limit_m, barred=barred)
        put = put.with_rows(rows[found.on], found.take(found.on))
    return put


ON_ROAD: Final = "on_road"
"""Column of a layer with the name of the road on which a row says it stands."""


def snap_rows(graph: RoadGraph, rows: Any, *, limit_m: float = SNAP_LIMIT_M) -> Snapped:
    """Put the rows of a layer on the roads that they name, else on the nearest.

    Parameters
    ----------
    graph
        The road graph.
    rows
        GeoDataFrame in the graph's CRS; `ON_ROAD` is used if it is there.
    limit_m
        Longest way to the road, inclusive [m].

    Returns
    -------
    Snapped
        The places.
    """
    xy = row_xy(rows)
    nearest = snap_points(graph, xy, limit_m=limit_m)
    return put_by_name(graph, xy, limit_m, named_roads(rows), nearest)


def named_roads(rows: Any) -> list[str]:
    """Give the name of the road on which each row says it stands, blank for none.

    Parameters
    ----------
    rows
        Table.

    Returns
    -------
    list of str
        One a row.
    """
    if ON_ROAD not in rows.columns:
        return [""] * len(rows)
    said: list[str] = rows[ON_ROAD].astype("string").fillna("").str.strip().tolist()
    return said


def road_of(graph: RoadGraph, at: Snapped, asked: list[str]) -> tuple[list[str], list[str]]:
    """Tell on which road points were put, and by what.

    Parameters
    ----------
    graph
        The road graph.
    at
        Where they are.
    asked
        Name of the road that each said, blank for none.

    Returns
    -------
    tuple of list
        Names (blank for none), and ``name``, ``nearest``, ``other`` (the road that it names is
        not within the limit) or blank off the network.
    """
    names, by = [], []
    for edge, said in zip(at.edge.tolist(), asked, strict=True):
        place = int(graph.edge_name[edge]) if edge >= 0 else -1
        name = graph.names[place] if place >= 0 else ""
        same = bool(said) and plain_name(name) == plain_name(said)
        names.append(name)
        by.append("" if edge < 0 else "name" if same else "other" if said else "nearest")
    return names, by


def _put(graph: RoadGraph, xy: Floats, limit_m: float, usable: Bools | None) -> Snapped:
    """Put points on the nearest of some edges; the same ones are asked for again and again."""
    few = len(xy) <= _FEW and np.isfinite(limit_m) and np.isfinite(xy).all()
    parts = None if few else _segments(graph, usable)
    kept = _PUT.setdefault(graph, {}) if parts is None else parts.kept
    among = b"" if usable is None or parts is not None else np.packbits(usable).tobytes()
    key = sha256(xy.tobytes() + among).digest(), float(limit_m)
    if key not in kept:
        if len(kept) >= _MOST_POINTS:
            del kept[next(iter(kept))]
        if parts is None:
            near = _around(graph, xy, limit_m)
            parts = _cut(graph, near if usable is None else near[usable[near]])
        kept[key] = _nearest(parts, xy, limit_m)
    found = kept[key]
    return Snapped(found.edge.copy(), found.along.copy(), found.walk_m.copy(), found.xy.copy())


def _around(graph: RoadGraph, xy: Floats, limit_m: float) -> Ints:
    """Give the edges whose box comes within a limit of one of a few points."""
    if graph not in _BOXES:
        corner, number = graph.corners()
        first = np.flatnonzero(np.diff(number, prepend=-1) != 0)
        low, high = (
            np.stack([take.reduceat(corner[:, axis], first) for axis in (0, 1)])
            for take in (np.minimum, np.maximum)
        )
        _BOXES[graph] = number[first], low, high
    edge, low, high = _BOXES[graph]
    far = np.nextafter(limit_m, np.inf) + 1e-6
    near = np.zeros(len(edge), dtype=bool)
    for x, y in xy:
        near |= (
            (low[0] <= x + far) & (high[0] >= x - far) & (low[1] <= y + far) & (high[1] >= y - far)
        )
    return edge[near]


def _nearest(parts: Segments, xy: Floats, limit_m: float) -> Snapped:
    """Find the nearest part of every point."""
    off = Snapped(
        np.full(len(xy), -1),
        np.full(len(xy), np.nan),
        np.full(len(xy), np.inf),
        np.full((len(xy), 2), np.nan),
    )
    fine = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(parts.owner) or not len(fine):
        return off
    if len(fine) <= _FEW:
        tied = [_nearest_of(parts, xy[i]) for i in fine]
        point, segment = np.repeat(fine, [len(one) for one in tied]), np.concatenate(tied)
    else:
        # an infinite limit makes the tree thirty times as slow as none
        reach = np.nextafter(limit_m, np.inf) + 1e-6 if np.isfinite(limit_m) else None
        spots = shapely.points(xy[fine])
        found, gap = parts.tree.query_nearest(
            spots, max_distance=reach, return_distance=True, all_matches=False
        )
        some = fine[found[0]]
        at, segment = parts.tree.query(
            spots[found[0]], predicate="dwithin", distance=gap + _EQUAL_M
        )
        point = some[at]
    from_, step, length = parts.from_, parts.step, parts.length
    owner, before, total = parts.owner, parts.before, parts.total
    gap = xy[point] - from_[segment]
    share = (gap * step[segment]).sum(axis=1) / np.maximum(length[segment], _TINY) ** 2
    share = np.clip(share, 0.0, 1.0)
    place = from_[segment] + share[:, None] * step[segment]
    walk = np.hypot(*(xy[point] - place).T)
    least = np.full(len(xy), np.inf)
    np.minimum.at(least, point, walk)
    keep = np.lexsort((segment, *_by_place(place, step[segment]), point))
    keep = keep[np.diff(point[keep], prepend=-1) != 0]
    point, segment, share, place = (each[keep] for each in (point, segment, share, place))
    walk = least[point]
    along = (before[segment] + share * length[segment]) / total[segment]
    along = np.where(along < _TINY, 0.0, np.where(along > 1 - _TINY, 1.0, along))
    near = walk <= limit_m
    off.edge[point[near]] = owner[segment[near]]
    off.along[point[near]] = along[near]
    off.walk_m[point[near]] = walk[near]
    off.xy[point[near]] = place[near]
    return off


def _nearest_of(parts: Segments, xy: Floats) -> Ints:
    """Give the nearest parts of one point; for a few points no index is worth it."""
    gap = xy - parts.from_
    share = (gap * parts.step).sum(axis=1) / np.maximum(parts.length, _TINY) ** 2
    far = np.hypot(*(gap - np.clip(share, 0.0, 1.0)[:, None] * parts.step).T)
    return np.flatnonzero(far <= far.min() + _EQUAL_M)


def _by_place(place: Floats, step: Floats) -> tuple[Floats, ...]:
    """Give keys, the last first, that put equally near places in one order.

    By the place and then by the direction of the road, so that neither the order of the roads nor
    where they were cut says which is taken; of two on one line, each in its own direction, the
    one that was drawn eastwards.
    """
    way = step / np.maximum(np.hypot(*step.T), _TINY)[:, None]
    back = (way[:, 0] < -_TINY) | ((np.abs(way[:, 0]) <= _TINY) & (way[:, 1] < 0))
    way = np.round(np.where(back[:, None], -way, way), 6)
    where = np.round(place, 4)
    return back.astype(np.float64), way[:, 1], way[:, 0], where[:, 1], where[:, 0]


def reachable(
    graph: RoadGraph,
    xy: Floats,
    *,
    usable: Bools | None,
    limit_m: float,
    barred: Callable[[Floats, Floats], Bools],
) -> Snapped:
    """Put points on the nearest road to which the straight way is free.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points in the graph's CRS, shape (k, 2) [m].
    usable
        Edges that may be taken, shape (m,); None: all.
    limit_m
        Longest way to the road, inclusive [m].
    barred
        Tells which ways from some points to others may not be taken.

    Returns
    -------
    Snapped
        The places; off the network where no way is free.
    """
    found = snap_points(graph, xy, limit_m=limit_m, usable=usable)
    on = np.flatnonzero(found.on)
    bad = on[barred(np.asarray(xy, np.float64)[on], found.xy[on])] if on.size else on
    if not bad.size:
        return found
    for name, none in (("edge", -1), ("along", np.nan), ("walk_m", np.inf), ("xy", np.nan)):
        getattr(found, name)[bad] = none
    stuck = barred(xy[bad], xy[bad])
    _seek(found, _segments(graph, usable), np.asarray(xy, np.float64), bad[~stuck], limit_m, barred)
    return found


_BIT_M: Final = 50.0
"""Roads are tried in bits that end where coordinates are multiples of this [m]."""
_TRIED: Final = 16
"""Bits that are tried at once."""


def _seek(
    found: Snapped,
    parts: Segments,
    xy: Floats,
    rows: Ints,
    limit_m: float,
    barred: Callable[[Floats, Floats], Bools],
) -> None:
    """Try one bit of road after the other, the nearest first; fills ``found`` in place."""
    if not rows.size:
        return
    _, near = parts.tree.query(shapely.points(xy[rows]), predicate="dwithin", distance=limit_m)
    near = np.unique(near)
    start, step = parts.from_[near], parts.step[near]
    bit, low, high = cuts(start / _BIT_M, (start + step) / _BIT_M)
    segment = near[bit]
    a = parts.from_[segment] + low[:, None] * parts.step[segment]
    way = (high - low)[:, None] * parts.step[segment]
    bits = shapely.STRtree(shapely.linestrings(np.stack([a, a + way], axis=1)))
    point, at = bits.query(shapely.points(xy[rows]), predicate="dwithin", distance=limit_m)
    gap = xy[rows[point]] - a[at]
    share = (gap * way[at]).sum(axis=1) / np.maximum((way[at] ** 2).sum(axis=1), _TINY)
    share = np.clip(share, 0.0, 1.0)
    place = a[at] + share[:, None] * way[at]
    walk = np.hypot(*(xy[rows[point]] - place).T)
    order = np.lexsort((at, *_by_place(place, way[at]), np.round(walk, 6), point))
    point, at, share, place, walk = (each[order] for each in (point, at, share, place, walk))
    turn = np.arange(len(point)) - np.searchsorted(point, point)
    open_ = np.ones(len(rows), bool)
    for first in range(0, int(turn.max(initial=-1)) + 1, _TRIED):
        tried = np.flatnonzero((turn >= first) & (turn < first + _TRIED) & open_[point])
        if not tried.size:
            break
        free = tried[~barred(xy[rows[point[tried]]], place[tried])]
        free = free[np.unique(point[free], return_index=True)[1]]
        open_[point[free]] = False
        row, segment_of = rows[point[free]], segment[at[free]]
        reach = low[at[free]] + share[free] * (high - low)[at[free]]
        along = parts.before[segment_of] + reach * parts.length[segment_of]
        found.edge[row] = parts.owner[segment_of]
        found.along[row] = np.clip(along / parts.total[segment_of], 0.0, 1.0)
        found.walk_m[row], found.xy[row] = walk[free], place[free]


@dataclass(frozen=True, eq=False)
class Segments:
    """The straight parts of all edges that points may be put on, with an index of their places."""

    from_: Floats
    step: Floats
    """Beginning of each part and the way from there to its end, shape (s, 2) [m]."""
    length: Floats
    before: Floats
    total: Floats
    """Length of the part, of the edge before it and of the whole edge, shape (s,) [m]."""
    owner: Ints
    """Edge of each part, shape (s,)."""
    kept: dict[tuple[bytes, float], Snapped] = field(default_factory=dict)
    """Points put on these parts lately: one run asks for the same ones again and again."""

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the places of the parts.

        Returns
        -------
        shapely.STRtree
            Made when it is first asked for.
        """
        ends = np.stack([self.from_, self.from_ + self.step], axis=1)
        return shapely.STRtree(shapely.linestrings(ends))


_KEPT: Final[WeakKeyDictionary[RoadGraph, dict[bytes, Segments]]] = WeakKeyDictionary()
"""Parts of each graph, made once for all edges and once for each set of open edges."""
_PUT: Final[WeakKeyDictionary[RoadGraph, dict[tuple[bytes, float], Snapped]]] = WeakKeyDictionary()
"""A few points put on a graph lately."""
_BOXES: Final[WeakKeyDictionary[RoadGraph, tuple[Ints, Floats, Floats]]] = WeakKeyDictionary()
"""Edges with corners, and the least and greatest x and y of each, made once for each graph."""
_MOST_KEPT: Final = 8
_MOST_POINTS: Final = 16
_FEW: Final = 32


def _segments(graph: RoadGraph, usable: Bools | None) -> Segments:
    """Give the parts of the usable edges; they are made once."""
    if usable is not None and usable.all():
        usable = None
    key = b"" if usable is None else np.packbits(usable).tobytes()
    kept = _KEPT.setdefault(graph, {})
    if key not in kept:
        if len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        edges = np.arange(graph.edge_count) if usable is None else np.flatnonzero(usable)
        kept[key] = _cut(graph, edges)
    return kept[key]


def _cut(graph: RoadGraph, edges: Ints) -> Segments:
    """Cut edges into their straight parts."""
    corner, number = graph.corners()
    if len(edges) < graph.edge_count:
        place = np.full(graph.edge_count, -1, np.int64)
        place[edges] = np.arange(len(edges))
        mine = place[number] >= 0
        corner, number = corner[mine], place[number[mine]]
    inner = np.flatnonzero(number[1:] == number[:-1]) if len(corner) else np.zeros(0, np.int64)
    from_, step = corner[inner], corner[inner + 1] - corner[inner]
    length = np.hypot(step[:, 0], step[:, 1])
    before = np.concatenate([[0.0], np.cumsum(length)])[:-1]
    owner = number[inner]
    first = np.searchsorted(owner, np.arange(len(edges)))
    total = np.bincount(owner, weights=length, minlength=len(edges)).astype(np.float64)
    before -= before[first][owner] if len(owner) else 0.0
    return Segments(from_, step, length, before, total[owner], edges[owner])

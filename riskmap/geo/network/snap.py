"""Points are put on the nearest edge, at the place along it, not on the nearest node."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from riskmap.geo.grid import cuts, row_xy
from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Snapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SNAP_LIMIT_M: Final = 500.0
"""Farther than this from every road [m], a point is off the network, unless said otherwise."""
_TINY: Final = 1e-9
_EQUAL_M: Final = 1e-6
"""Ways that differ by less are equally long [m]."""


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
        The places; of edges equally near the one whose nearest place lies farthest east, then
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
    free = _not_off(graph, usable)
    if free is None:
        return _put(graph, xy, limit_m, usable)
    best, any_ = _put(graph, xy, limit_m, free), _put(graph, xy, limit_m, usable)
    far = _much_farther(graph, best, any_)
    return best.with_rows(far, any_.take(far))


def _not_off(graph: RoadGraph, usable: Bools | None) -> Bools | None:
    """Give the edges that points are not kept off; None where that parts none from the others."""
    off = graph.edge_off if usable is None else graph.edge_off & usable
    if not off.any():
        return None
    return ~graph.edge_off if usable is None else usable & ~graph.edge_off


def _much_farther(graph: RoadGraph, best: Snapped, any_: Snapped) -> Ints:
    """Give the points for which an edge that points are kept off is so much nearer."""
    return np.flatnonzero(any_.on & ~(best.walk_m <= any_.walk_m + graph.spare_m))


def snap_tied(
    graph: RoadGraph, xy: Floats, *, limit_m: float, as_near_m: float, apart_m: float
) -> tuple[Snapped, Ints]:
    """Put points on the nearest edge, and on every other one that is as near.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points in the graph's CRS, shape (k, 2) [m].
    limit_m
        Longest walk to the road, inclusive [m].
    as_near_m
        Edges at most this much farther than the nearest are as near [m].
    apart_m
        Places at most this far from each other are one [m].

    Returns
    -------
    at : Snapped
        First the places that `snap_points` gives, then the others.
    row : numpy.ndarray
        The point of each.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph
    >>> roads = [shapely.LineString([(0, y), (100, y)]) for y in (0, 10)]
    >>> graph = build_graph(gpd.GeoDataFrame(geometry=roads, crs=4548))
    >>> xy = np.array([[25.0, 5.0], [25.0, 6.0]])
    >>> at, row = snap_tied(graph, xy, limit_m=500, as_near_m=1e-5, apart_m=0.01)
    >>> at.xy.tolist(), row.tolist()
    ([[25.0, 0.0], [25.0, 10.0], [25.0, 10.0]], [0, 1, 0])
    """
    xy = np.asarray(xy, np.float64)
    free = _not_off(graph, None)
    # Many points: the index is asked once for the nearest and for all that are as near.
    point, places = _candidates(_segments(graph), xy, free, limit_m, max(as_near_m, _EQUAL_M))
    first = _first(point, places, len(xy), limit_m)
    far = np.zeros(0, np.int64)
    if free is not None:
        there = np.flatnonzero(np.isfinite(xy).all(axis=1))
        at, _, gap = _nearest_one(_segments(graph).tree, shapely.points(xy[there]), limit_m)
        at = there[at]
        far = at[~(first.walk_m[at] <= gap + graph.spare_m)]
        first = first.with_rows(far, _put(graph, xy[far], limit_m, None))
    near = first.on
    near[far] = False
    held = near[point]
    found = [(places.take(held), point[held])]
    if far.size:
        more, row = _candidates(_segments(graph), xy[far], None, limit_m, as_near_m)[::-1]
        found.append((more, far[row]))
    parts, rows = [first], [np.arange(len(xy))]
    for more, row in found:
        spot = np.round(more.xy, 4)
        new = np.diff(row, prepend=-1) != 0
        new[1:] |= (spot[1:] != spot[:-1]).any(axis=1)
        new &= np.hypot(*(more.xy - first.xy[row]).T) > apart_m
        parts.append(more.take(new))
        rows.append(row[new])
    names = ("edge", "along", "walk_m", "xy")
    whole = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    return Snapped(*whole), np.concatenate(rows)


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
    usable = None if usable is not None and usable.all() else usable
    among = b"" if usable is None else np.packbits(usable).tobytes()
    key = sha256(xy.tobytes() + among).digest(), float(limit_m)
    kept = _PUT.setdefault(graph, {})
    if key not in kept:
        if len(kept) >= _MOST_POINTS:
            del kept[next(iter(kept))]
        if few:
            near = _around(graph, xy, limit_m)
            parts = _cut(graph, near if usable is None else near[usable[near]])
            kept[key] = _nearest(parts, xy, limit_m, None)
        else:
            kept[key] = _nearest(_segments(graph), xy, limit_m, usable)
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


def _nearest(parts: Segments, xy: Floats, limit_m: float, usable: Bools | None) -> Snapped:
    """Find the nearest part of every point."""
    return _first(*_candidates(parts, xy, usable, limit_m, _EQUAL_M), len(xy), limit_m)


def _first(point: Ints, places: Snapped, n: int, limit_m: float) -> Snapped:
    """Take of the places of every point the first of the nearest."""
    off = Snapped(np.full(n, -1), np.full(n, np.nan), np.full(n, np.inf), np.full((n, 2), np.nan))
    least = np.full(n, np.inf)
    np.minimum.at(least, point, places.walk_m)
    near = places.walk_m <= least[point] + _EQUAL_M
    point, places = point[near], places.take(near)
    keep = np.flatnonzero(np.diff(point, prepend=-1) != 0)
    point, places = point[keep], places.take(keep)
    near = least[point] <= limit_m
    point, places = point[near], places.take(near)
    off.edge[point], off.along[point], off.xy[point] = places.edge, places.along, places.xy
    off.walk_m[point] = least[point]
    return off


def _candidates(
    parts: Segments, xy: Floats, usable: Bools | None, limit_m: float, slack_m: float
) -> tuple[Ints, Snapped]:
    """Give the nearest places on parts: points rising, the one to be taken first of each first."""
    fine = np.flatnonzero(np.isfinite(xy).all(axis=1))
    open_ = None if usable is None else usable[parts.owner]
    if not len(parts.owner) or not len(fine):
        point = segment = np.zeros(0, np.int64)
    elif len(fine) <= _FEW:
        tied = [_nearest_of(parts, xy[i], open_, slack_m) for i in fine]
        point, segment = np.repeat(fine, [len(one) for one in tied]), np.concatenate(tied)
    else:
        at, segment = _near_parts(parts, xy[fine], open_, limit_m, slack_m)
        point = fine[at]
    from_, step, length = parts.from_, parts.step, parts.length
    gap = xy[point] - from_[segment]
    share = (gap * step[segment]).sum(axis=1) / np.maximum(length[segment], _TINY) ** 2
    share = np.clip(share, 0.0, 1.0)
    place = from_[segment] + share[:, None] * step[segment]
    order = np.lexsort((segment, *_by_place(place, step[segment]), point))
    point, segment, share, place = (each[order] for each in (point, segment, share, place))
    walk = np.hypot(*(xy[point] - place).T)
    along = (parts.before[segment] + share * length[segment]) / parts.total[segment]
    along = np.where(along < _TINY, 0.0, np.where(along > 1 - _TINY, 1.0, along))
    return point, Snapped(parts.owner[segment], along, walk, np.asarray(place, np.float64))


def _near_parts(
    parts: Segments, xy: Floats, open_: Bools | None, limit_m: float, slack_m: float
) -> tuple[Ints, Ints]:
    """Give every part that is as near as the nearest open one, and the point of each."""
    spots = shapely.points(xy)
    point, part, gap = _nearest_one(parts.tree, spots, limit_m)
    if open_ is not None and not open_[part].all():
        # only points beside a closed part are asked again, of the open parts alone
        shut = ~open_[part]
        again = point[shut]
        tree = shapely.STRtree(parts.lines[open_])
        more, _, far = _nearest_one(tree, spots[again], limit_m)
        point = np.concatenate([point[~shut], again[more]])
        gap = np.concatenate([gap[~shut], far])
    at, part = parts.tree.query(spots[point], predicate="dwithin", distance=gap + slack_m)
    if open_ is not None:
        at, part = at[open_[part]], part[open_[part]]
    return point[at], part


def _nearest_one(
    tree: shapely.STRtree, spots: NDArray[np.object_], limit_m: float
) -> tuple[Ints, Ints, Floats]:
    """Give the points that have a line within a limit, one nearest line of each, and how far."""
    # an infinite limit makes the tree thirty times as slow as none
    reach = np.nextafter(limit_m, np.inf) + 1e-6 if np.isfinite(limit_m) else None
    found, gap = tree.query_nearest(
        spots, max_distance=reach, return_distance=True, all_matches=False
    )
    return found[0], found[1], gap


def _nearest_of(parts: Segments, xy: Floats, open_: Bools | None, slack_m: float) -> Ints:
    """Give the nearest parts of one point; for a few points no index is worth it."""
    gap = xy - parts.from_
    share = (gap * parts.step).sum(axis=1) / np.maximum(parts.length, _TINY) ** 2
    far = np.hypot(*(gap - np.clip(share, 0.0, 1.0)[:, None] * parts.step).T)
    far = far if open_ is None else np.where(open_, far, np.inf)
    least = far.min()
    return np.flatnonzero(far <= least + slack_m) if np.isfinite(least) else np.zeros(0, np.int64)


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
    return back.astype(np.float64), way[:, 1], way[:, 0], where[:, 1], -where[:, 0]


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
    _seek(graph, found, usable, np.asarray(xy, np.float64), bad[~stuck], limit_m, barred)
    return found


_BIT_M: Final = 50.0
"""Roads are tried in bits that end where coordinates are multiples of this [m]."""
_TRIED: Final = 16
"""Bits that are tried at once."""


def _seek(
    graph: RoadGraph,
    found: Snapped,
    usable: Bools | None,
    xy: Floats,
    rows: Ints,
    limit_m: float,
    barred: Callable[[Floats, Floats], Bools],
) -> None:
    """Try one bit of road after the other, the nearest first; fills ``found`` in place."""
    if not rows.size:
        return
    parts = _segments(graph)
    if not len(parts.owner):
        return
    open_ = None if usable is None else usable[parts.owner]
    _, near = parts.tree.query(shapely.points(xy[rows]), predicate="dwithin", distance=limit_m)
    near = np.unique(near)
    near = near if open_ is None else near[open_[near]]
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

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """The parts as lines.

        Returns
        -------
        ndarray of shapely.LineString
            Made when they are first asked for, shape (s,).
        """
        ends = np.stack([self.from_, self.from_ + self.step], axis=1)
        found: NDArray[np.object_] = shapely.linestrings(ends)
        return found

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of the places of the parts.

        Returns
        -------
        shapely.STRtree
            Made when it is first asked for.
        """
        return shapely.STRtree(self.lines)


_KEPT: Final[WeakKeyDictionary[RoadGraph, Segments]] = WeakKeyDictionary()
"""Parts of each graph, made once."""
_PUT: Final[WeakKeyDictionary[RoadGraph, dict[tuple[bytes, float], Snapped]]] = WeakKeyDictionary()
"""Points put on a graph lately: one run asks for the same ones again and again."""
_BOXES: Final[WeakKeyDictionary[RoadGraph, tuple[Ints, Floats, Floats]]] = WeakKeyDictionary()
"""Edges with corners, and the least and greatest x and y of each, made once for each graph."""
_MOST_POINTS: Final = 16
_FEW: Final = 32


def _segments(graph: RoadGraph) -> Segments:
    """Give the parts of all edges; they are made once."""
    if graph not in _KEPT:
        _KEPT[graph] = _cut(graph, np.arange(graph.edge_count))
    return _KEPT[graph]


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

"""Roads under water: the stretches that are wet or shut, and what they do to a vehicle."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from riskmap.errors import UsageError
from riskmap.geo.grid import project_points
from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Snapped, arcs
from riskmap.geo.network.rules import Values, check_depth, shipped, water_speed
from riskmap.i18n import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

LIMITS: Final = "flood.vehicle_limit_m"
CURVE: Final = "flood.pregnolato"
FACTORS: Final = "network.vehicle_factor"
BOAT: Final = "network.boat_kmh"
MOST_DEPTH: Final = "network.most_depth_m"
ASIDE_M: Final = 15.0
"""A drawn closure lies on a road when it is this near [m]."""
ALONG: Final = float(np.cos(np.radians(30.0)))
"""A closure runs along a road where their directions differ by less than 30 degrees."""
ACROSS_M: Final = 1.0
"""A point, or a line drawn across roads, shuts so much of them to either side [m]."""
STEP_M: Final = 250.0
"""Longer straight parts are cut before they are brought into the raster's CRS [m]."""
_NEAR_M: Final = 1e-4
"""Cuts this near each other are one [m]."""


class Tile(Protocol):
    """A raster in its own CRS; NaN means unknown."""

    @property
    def values(self) -> NDArray[Any]:
        """Values, shape (ny, nx)."""

    @property
    def transform(self) -> tuple[float, ...]:
        """Affine coefficients a, b, c, d, e, f, north up."""

    @property
    def crs(self) -> str:
        """Its CRS."""


def sample(rasters: Sequence[Tile], xy: Floats, crs: str) -> Floats:
    """Take the pixel under each point; of tiles that overlap the first known one counts.

    Parameters
    ----------
    rasters
        Tiles in their own CRS.
    xy
        Points, shape (n, 2) [m].
    crs
        CRS of the points.

    Returns
    -------
    ndarray
        Values, NaN where unknown, shape (n,).

    Examples
    --------
    >>> from riskmap.layers.layer import Raster
    >>> tile = Raster(np.array([[1.0, 2.0]], np.float32), (50, 0, 0, 0, -50, 50), "EPSG:4548")
    >>> sample([tile], np.array([[60.0, 10.0], [200.0, 10.0]]), "EPSG:4548").tolist()
    [2.0, nan]
    """
    found = np.full(len(xy), np.nan)
    for tile in rasters:
        x, y = project_points(xy[:, 0], xy[:, 1], crs=tile.crs, source=crs)
        a, _, c, _, e, f = tile.transform[:6]
        with np.errstate(invalid="ignore"):
            column, row = np.floor((x - c) / a), np.floor((y - f) / e)
        ny, nx = tile.values.shape
        inside = (column >= 0) & (row >= 0) & (column < nx) & (row < ny) & np.isnan(found)
        at = row[inside].astype(np.int64), column[inside].astype(np.int64)
        found[inside] = tile.values[at]
    return found


def slopes(rasters: Sequence[Tile], xy: Floats, crs: str) -> Floats:
    r"""Measure the slope at each point by central differences over one pixel each way.

    .. math:: s = \sqrt{(\partial z / \partial x)^2 + (\partial z / \partial y)^2}

    Parameters
    ----------
    rasters
        Elevation, tiles in their own CRS [m].
    xy
        Points, shape (n, 2) [m].
    crs
        CRS of the points, metric.

    Returns
    -------
    ndarray
        Rise over run, NaN where a height is unknown, shape (n,) [1].
    """
    if not len(rasters) or not len(xy):
        return np.full(len(xy), np.nan)
    d = pixel_m(rasters[0], xy[0], crs)
    rise = [
        (sample(rasters, xy + step, crs) - sample(rasters, xy - step, crs)) / (2 * d)
        for step in (np.array([d, 0.0]), np.array([0.0, d]))
    ]
    return np.asarray(np.hypot(*rise), np.float64)


def pixel_m(raster: Tile, near: Floats, crs: str) -> float:
    """Measure the side of a raster's pixel near a point.

    Parameters
    ----------
    raster
        The raster.
    near
        A point, shape (2,) [m].
    crs
        CRS of the point, metric.

    Returns
    -------
    float
        Side [m].
    """
    x, y = project_points(near[:1], near[1:], crs=raster.crs, source=crs)
    a, e = raster.transform[0], raster.transform[4]
    corners = [np.array([x[0], x[0] + a]), np.array([y[0], y[0] + e])]
    east, north = project_points(*corners, crs=crs, source=raster.crs)
    return float(np.hypot(np.diff(east)[0], np.diff(north)[0]) / np.sqrt(2))


def cut_at_pixels(
    start: Floats, end: Floats, rasters: Sequence[Tile], crs: str
) -> tuple[Ints, Floats, Floats, Floats]:
    """Cut straight lines where they pass from one pixel to the next.

    Parameters
    ----------
    start, end
        Ends of the lines, shape (n, 2) [m].
    rasters
        Depth of water, tiles in their own CRS [m].
    crs
        CRS of the lines.

    Returns
    -------
    tuple of ndarray
        Line, from and to share of its length, depth (0 where dry or unknown); lines that touch
        no wet pixel are left out.
    """
    wet = np.zeros(len(start), bool)
    parts: list[tuple[Ints, Floats]] = []
    for tile in rasters:
        a, b = _in_pixels(start, tile, crs), _in_pixels(end, tile, crs)
        hit = _touches(a, b, tile.values)
        wet |= hit
        parts.append(_crossings(a, b, np.flatnonzero(hit)))
    rows = np.flatnonzero(wet)
    ends = np.repeat(rows, 2), np.tile([0.0, 1.0], rows.size)
    line = np.concatenate([ends[0], *(owner for owner, _ in parts)])
    share = np.concatenate([ends[1], *(time for _, time in parts)])
    order = np.lexsort((share, line))
    line, share = line[order], share[order]
    same = np.flatnonzero((line[1:] == line[:-1]) & (share[1:] > share[:-1]))
    line, low, high = line[same], share[same], share[same + 1]
    middle = start[line] + ((low + high) / 2)[:, None] * (end - start)[line]
    depth = sample(rasters, middle, crs)
    return line, low, high, np.where(depth > 0, depth, 0.0)


def _in_pixels(xy: Floats, tile: Tile, crs: str) -> Floats:
    """Give columns and rows of points, as fractions."""
    x, y = project_points(xy[:, 0], xy[:, 1], crs=tile.crs, source=crs)
    a, _, c, _, e, f = tile.transform[:6]
    return np.column_stack([(x - c) / a, (y - f) / e])


def _touches(a: Floats, b: Floats, values: NDArray[Any]) -> Bools:
    """Tell which lines have a wet pixel in their box."""
    ny, nx = values.shape
    count = np.zeros((ny + 1, nx + 1), np.int64)
    with np.errstate(invalid="ignore"):
        np.cumsum(np.cumsum(values > 0, axis=0), axis=1, out=count[1:, 1:])
    low, high = np.minimum(a, b), np.maximum(a, b)
    fine = np.asarray(np.isfinite(low + high).all(axis=1), np.bool_)
    low = np.where(fine[:, None], np.floor(low), 0.0)
    high = np.where(fine[:, None], np.floor(high) + 1, 0.0)
    left, top = (np.clip(low[:, k], 0, n).astype(np.int64) for k, n in ((0, nx), (1, ny)))
    right, bottom = (np.clip(high[:, k], 0, n).astype(np.int64) for k, n in ((0, nx), (1, ny)))
    found = count[bottom, right] - count[top, right] - count[bottom, left] + count[top, left]
    return (found > 0) & fine


def _crossings(a: Floats, b: Floats, rows: Ints) -> tuple[Ints, Floats]:
    """Give the shares of lines at which a whole column or row begins."""
    owners, times = [np.zeros(0, np.int64)], [np.zeros(0)]
    a, b = a[rows], b[rows]
    for axis in (0, 1):
        low = np.ceil(np.minimum(a[:, axis], b[:, axis]))
        count = np.floor(np.maximum(a[:, axis], b[:, axis])) - low + 1
        count = np.maximum(count, 0).astype(np.int64)
        owner = np.repeat(np.arange(len(a)), count)
        step = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        span = (b - a)[owner, axis]
        moves = span != 0
        owner, step, span = owner[moves], step[moves], span[moves]
        owners.append(rows[owner])
        times.append(np.clip((low[owner] + step - a[owner, axis]) / span, 0.0, 1.0))
    return np.concatenate(owners), np.concatenate(times)


@dataclass(frozen=True, eq=False, kw_only=True)
class WetRoads:
    """A road graph cut where water or a closure begins or ends: every edge is of one kind."""

    graph: RoadGraph
    depth_m: Floats
    """Depth of water on each edge, NaN = dry, shape (m,) [m]."""
    shut: Bools
    """True where a closure lies on the edge, shape (m,)."""
    parent: Ints
    """Edge of the uncut graph that each edge is of, shape (m,), ascending."""
    low: Floats
    high: Floats
    """Shares of the parent's length where each edge begins and ends, shape (m,)."""

    @property
    def dry(self) -> bool:
        """Whether neither water nor a closure lies on any road.

        Returns
        -------
        bool
            Whether it is so.
        """
        return not (np.isfinite(self.depth_m).any() or self.shut.any())

    def seconds(self, *, vehicle: str, presets: Values | None) -> Floats:
        """Give the time along each edge for a vehicle.

        Parameters
        ----------
        vehicle
            As of `vehicle_seconds`.
        presets
            Value by key; None takes the shipped ones.

        Returns
        -------
        numpy.ndarray
            Infinite where the vehicle cannot pass, shape (m,) [s].
        """
        wet = np.isfinite(self.depth_m).any()
        depth = self.depth_m if wet else None
        cost = vehicle_seconds(self.graph, vehicle=vehicle, depth_m=depth, presets=presets)
        return np.where(self.shut, np.inf, cost)

    def moved(self, points: Snapped) -> Snapped:
        """Bring places on the uncut graph to this one.

        Parameters
        ----------
        points
            Places on the uncut graph.

        Returns
        -------
        Snapped
            The same places.
        """
        if not len(self.parent) or len(self.parent) == int(self.parent[-1]) + 1:
            return points
        on = np.flatnonzero(points.on)
        edge, along = points.edge.copy(), points.along.copy()
        key = self.parent + np.minimum(self.high, 1.0)
        wanted = points.edge[on] + points.along[on]
        child = np.searchsorted(key, wanted, side="left")
        child = np.minimum(child, len(key) - 1)
        # A place at the very beginning of an edge belongs to its first part, not to the last one.
        first = np.searchsorted(self.parent, points.edge[on], side="left")
        child = np.maximum(child, first)
        span = np.maximum(self.high[child] - self.low[child], 1e-300)
        edge[on] = child
        along[on] = np.clip((points.along[on] - self.low[child]) / span, 0.0, 1.0)
        return Snapped(edge, along, points.walk_m, points.xy)


_KEPT: Final[WeakKeyDictionary[RoadGraph, list[tuple[Any, Any, WetRoads]]]] = WeakKeyDictionary()
_MOST_KEPT: Final = 4


def wet_roads(graph: RoadGraph, depths: Sequence[Tile] = (), closures: Any = None) -> WetRoads:
    """Cut a road graph where water or a closure begins or ends.

    Water acts on the stretch that is wet, pixel by pixel. An area shuts the stretches inside it, a
    line those beside which it runs (or, where it runs along no road, the roads that it crosses), a
    point the road within 15 m. How the lines of the road layer are cut changes nothing.

    Parameters
    ----------
    graph
        The road graph.
    depths
        Depth of water, tiles in their own CRS, NaN = unknown [m].
    closures
        Points, lines or polygons in the graph's CRS, as a frame or geometries; None for none.

    Returns
    -------
    WetRoads
        With the same graph when nothing is cut.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 1000, 4e6)])
    >>> graph = build_graph(gpd.GeoDataFrame(geometry=[line], crs=4548))
    >>> found = wet_roads(graph, closures=[shapely.box(5e5 + 300, 4e6 - 9, 5e5 + 700, 4e6 + 9)])
    >>> found.shut.tolist(), found.low.round(3).tolist(), found.high.round(3).tolist()
    ([False, True, False], [0.0, 0.3, 0.7], [0.3, 0.7, 1.0])
    """
    kept = _KEPT.setdefault(graph, [])
    for tiles, areas, found in kept:
        same = len(tiles) == len(depths) and all(a is b for a, b in zip(tiles, depths, strict=True))
        if same and areas is closures:
            return found
    found = _cut_graph(graph, depths, closures)
    kept.append((tuple(depths), closures, found))
    del kept[:-_MOST_KEPT]
    return found


def _cut_graph(graph: RoadGraph, depths: Sequence[Tile], closures: Any) -> WetRoads:
    edge, begin, length, start, end = _straight(graph)
    total = np.bincount(edge, weights=length, minlength=graph.edge_count)
    wet = _wet_parts(graph, depths, edge, begin, length, start, end)
    shut = _shut_parts(graph, closures, edge, begin, length, start, end)
    every = np.arange(graph.edge_count)
    owner = np.concatenate([every, every, wet[0], wet[0], shut[0], shut[0]])
    place = np.concatenate([np.zeros(len(every)), total, wet[1], wet[2], shut[1], shut[2]])
    place = np.clip(place, 0.0, total[owner])
    order = np.lexsort((place, owner))
    owner, place = owner[order], place[order]
    edges_end = place >= total[owner] - _NEAR_M
    place = np.where(edges_end & (place > 0), total[owner], place)
    fresh = np.r_[True, (owner[1:] != owner[:-1]) | (place[1:] > place[:-1] + _NEAR_M)]
    owner, place = owner[fresh], place[fresh]
    same = np.flatnonzero(owner[1:] == owner[:-1])
    parent, low, high = owner[same], place[same], place[same + 1]
    middle = (low + high) / 2
    depth = _value_at(parent, middle, *wet)
    closed = np.nan_to_num(_value_at(parent, middle, *shut)) > 0
    # Neighbours of one kind are one stretch.
    last = np.r_[
        (parent[1:] != parent[:-1]) | (depth[1:] != depth[:-1]) | (closed[1:] != closed[:-1]), True
    ]
    first = np.r_[True, last[:-1]]
    parent, low, high = parent[first], low[first], high[last]
    depth, closed = depth[first], closed[first]
    span = np.maximum(total[parent], 1e-300)
    share = low / span, np.where(high >= total[parent], 1.0, high / span)
    return WetRoads(
        graph=_split(graph, parent, low, high, share),
        depth_m=np.where(depth > 0, depth, np.nan),
        shut=closed,
        parent=parent,
        low=share[0],
        high=share[1],
    )


def _straight(graph: RoadGraph) -> tuple[Ints, Floats, Floats, Floats, Floats]:
    """Give the straight parts of all edges: edge, metres before it, length, start and end."""
    xy, number = shapely.get_coordinates(graph.edge_geometry, return_index=True)
    inner = np.flatnonzero(number[1:] == number[:-1]) if len(xy) else np.zeros(0, np.int64)
    start, end, edge = xy[inner], xy[inner + 1], number[inner]
    length = np.hypot(*(end - start).T) if len(inner) else np.zeros(0)
    before = np.cumsum(length) - length
    first = np.searchsorted(edge, np.arange(graph.edge_count))
    before -= before[np.minimum(first, max(len(before) - 1, 0))][edge] if len(edge) else 0.0
    return edge, before, length, start, end


Parts = tuple[Ints, Floats, Floats, Floats]
"""Edge, from and to [m along it], value; parts of one edge do not overlap."""


def _wet_parts(
    graph: RoadGraph,
    depths: Sequence[Tile],
    edge: Ints,
    begin: Floats,
    length: Floats,
    start: Floats,
    end: Floats,
) -> Parts:
    """Find the wet parts of the edges."""
    nothing = np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0)
    if not len(depths) or not len(edge):
        return nothing
    count = np.maximum(np.ceil(length / STEP_M), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(edge)), count)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    low, high = step / count[owner], (step + 1) / count[owner]
    way = (end - start)[owner]
    a, b = start[owner] + low[:, None] * way, start[owner] + high[:, None] * way
    line, from_, to, depth = cut_at_pixels(a, b, depths, str(graph.crs))
    wet = depth > 0
    line, from_, to, depth = line[wet], from_[wet], to[wet], depth[wet]
    row = owner[line]
    width = (length / count)[row]
    zero = begin[row] + step[line] * width
    return edge[row], zero + from_ * width, zero + to * width, depth


def _shut_parts(
    graph: RoadGraph,
    closures: Any,
    edge: Ints,
    begin: Floats,
    length: Floats,
    start: Floats,
    end: Floats,
) -> Parts:
    """Find the parts of the edges that closures shut."""
    nothing = np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0)
    if closures is None or not len(closures) or not len(edge):
        return nothing
    given = getattr(closures, "geometry", closures)
    shapes = np.asarray(getattr(given, "array", given), dtype=object)
    shapes = shapely.get_parts(shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)])
    kind = shapely.get_dimensions(shapes)
    tree = shapely.STRtree(graph.edge_geometry)
    parts = [
        _inside(graph, tree, shapely.make_valid(shapes[kind == 2])),
        _beside(tree, graph, shapes[kind == 1], edge, begin, length, start, end),
        _at_points(graph, tree, shapes[kind == 0]),
    ]
    owner, low, high = (np.concatenate(each) for each in zip(*parts, strict=True))
    return _united(owner, low, high)


def _united(owner: Ints, low: Floats, high: Floats) -> Parts:
    """Unite parts that overlap."""
    order = np.lexsort((low, owner))
    owner, low, high = owner[order], low[order], high[order]
    if not len(owner):
        return owner, low, high, np.zeros(0)
    most = high.copy()
    fresh = np.ones(len(owner), bool)
    for k in range(1, len(owner)):
        if owner[k] == owner[k - 1] and low[k] <= most[k - 1]:
            fresh[k] = False
            most[k] = max(most[k - 1], high[k])
    first = np.flatnonzero(fresh)
    last = np.r_[first[1:] - 1, len(owner) - 1]
    return owner[first], low[first], most[last], np.ones(len(first))


def _inside(
    graph: RoadGraph, tree: shapely.STRtree, areas: NDArray[np.object_]
) -> tuple[Ints, Floats, Floats]:
    """Find the stretches inside areas."""
    area, edge = tree.query(areas, predicate="intersects")
    lines = graph.edge_geometry[edge]
    cut, at = shapely.get_parts(shapely.intersection(lines, areas[area]), return_index=True)
    some = shapely.length(cut) > 0
    cut, at = cut[some], at[some]
    return edge[at], *_measured(lines[at], cut)


def _measured(lines: NDArray[np.object_], parts: NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Give where parts of lines begin and end along them [m]."""
    middle = shapely.line_locate_point(
        lines, shapely.line_interpolate_point(parts, 0.5, normalized=True)
    )
    half = shapely.length(parts) / 2
    return middle - half, middle + half


def _at_points(
    graph: RoadGraph, tree: shapely.STRtree, points: NDArray[np.object_]
) -> tuple[Ints, Floats, Floats]:
    """Find the places nearest to points."""
    if not len(points):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    point, edge = tree.query_nearest(points, max_distance=ASIDE_M)
    at = shapely.line_locate_point(graph.edge_geometry[edge], points[point])
    return edge, at - ACROSS_M, at + ACROSS_M


def _beside(
    tree: shapely.STRtree,
    graph: RoadGraph,
    lines: NDArray[np.object_],
    edge: Ints,
    begin: Floats,
    length: Floats,
    start: Floats,
    end: Floats,
) -> tuple[Ints, Floats, Floats]:
    """Find the stretches along which lines are drawn; else those that they cross."""
    if not len(lines):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    row, low, high, used = _along(lines, length, start, end)
    found = edge[row], begin[row] + low, begin[row] + high
    rest = np.delete(lines, used)
    line, crossed = tree.query(rest, predicate="intersects")
    spot, at = shapely.get_parts(
        shapely.intersection(graph.edge_geometry[crossed], rest[line]), return_index=True
    )
    where = shapely.line_locate_point(graph.edge_geometry[crossed[at]], spot)
    more = crossed[at], where - ACROSS_M, where + ACROSS_M
    first, second, third = (np.concatenate(each) for each in zip(found, more, strict=True))
    return first, second, third


def _along(
    lines: NDArray[np.object_], length: Floats, start: Floats, end: Floats
) -> tuple[Ints, Floats, Floats, Ints]:
    """Find the straight parts of roads beside which lines run: part, from, to, and the lines."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    inner = np.flatnonzero(owner[1:] == owner[:-1])
    a, b, owner = xy[inner], xy[inner + 1], owner[inner]
    size = np.hypot(*(b - a).T)
    fine = size > 0
    a, b, owner, size = a[fine], b[fine], owner[fine], size[fine]
    way = (b - a) / size[:, None]
    # Inside a line its parts are lengthened, so that no gap opens where it bends.
    before = np.r_[False, owner[1:] == owner[:-1]] * ASIDE_M
    after = np.r_[owner[1:] == owner[:-1], False] * ASIDE_M
    boxes = shapely.buffer(shapely.linestrings(np.stack([a, b], axis=1)), 2 * ASIDE_M)
    roads = shapely.STRtree(shapely.linestrings(np.stack([start, end], axis=1)))
    part, row = roads.query(boxes, predicate="intersects")
    part, row = part[length[row] > 0], row[length[row] > 0]
    course = (end - start)[row] / length[row][:, None]
    side = np.column_stack([-way[:, 1], way[:, 0]])[part]
    turn, drift = (course * way[part]).sum(axis=1), (course * side).sum(axis=1)
    gap = start[row] - a[part]
    ahead, aside = (gap * way[part]).sum(axis=1), (gap * side).sum(axis=1)
    low, high = np.zeros(len(row)), length[row].copy()
    for origin, speed, least, most in (
        (ahead, turn, -before[part], size[part] + after[part]),
        (aside, drift, -ASIDE_M, ASIDE_M),
    ):
        still = np.abs(speed) < 1e-12
        with np.errstate(divide="ignore", invalid="ignore"):
            one, two = (least - origin) / speed, (most - origin) / speed
        reach = np.where((origin >= least) & (origin <= most), np.inf, -np.inf)
        low = np.maximum(low, np.where(still, -reach, np.minimum(one, two)))
        high = np.minimum(high, np.where(still, reach, np.maximum(one, two)))
    kept = (np.abs(turn) >= ALONG) & (high > low)
    return row[kept], low[kept], high[kept], np.unique(owner[part[kept]])


def _value_at(
    edge: Ints, place: Floats, owner: Ints, low: Floats, high: Floats, value: Floats
) -> Floats:
    """Take the value of the part in which each place lies, 0 outside all parts."""
    found = np.zeros(len(edge))
    if not len(owner):
        return found
    order = np.lexsort((low, owner))
    owner, low, high, value = owner[order], low[order], high[order], value[order]
    far = float(max(high.max(), place.max(initial=0.0))) + 1.0
    at = np.searchsorted(owner * far + low, edge * far + place, side="right") - 1
    fine = at >= 0
    near = np.maximum(at, 0)
    hit = fine & (owner[near] == edge) & (place <= high[near]) & (place >= low[near])
    found[hit] = value[near[hit]]
    return found


def _split(
    graph: RoadGraph, parent: Ints, low: Floats, high: Floats, share: tuple[Floats, Floats]
) -> RoadGraph:
    """Build the graph of the parts."""
    if len(parent) == graph.edge_count:
        return graph
    first = np.r_[True, parent[1:] != parent[:-1]]
    last = np.r_[first[1:], True]
    inner = np.flatnonzero(~first)
    number = graph.node_count + np.arange(len(inner))
    tail, head = graph.edge_tail[parent].copy(), graph.edge_head[parent].copy()
    tail[inner], head[inner - 1] = number, number
    cut = np.flatnonzero(~(first & last))
    geometry = graph.edge_geometry[parent].copy()
    geometry[cut] = _stretches(graph.edge_geometry, parent[cut], low[cut], high[cut])
    spots = shapely.get_coordinates(
        shapely.line_interpolate_point(graph.edge_geometry[parent[inner]], low[inner])
    )
    forward, backward = graph.edge_forward[parent], graph.edge_backward[parent]
    size = graph.node_count + len(inner)
    indptr, indices, arc_edge = arcs(tail, head, forward, backward, size)
    metres = graph.edge_length_m[parent] * (share[1] - share[0])
    speed = graph.edge_speed_kmh[parent]
    edges = {
        one.name: getattr(graph, one.name)[parent]
        for one in fields(graph)
        if one.name.startswith("edge_")
    }
    with np.errstate(divide="ignore"):
        seconds = metres * 3.6 / speed
    parts = replace(
        graph,
        **{
            **edges,
            "edge_tail": tail,
            "edge_head": head,
            "edge_length_m": metres,
            "edge_geometry": geometry,
        },
        node_xy=np.concatenate([graph.node_xy, spots]),
        indptr=indptr,
        indices=indices,
        arc_edge=arc_edge,
        arc_length_m=metres[arc_edge],
        arc_seconds=seconds[arc_edge],
        component=np.r_[graph.component, graph.component[graph.edge_tail[parent[inner]]]],
        island=np.r_[graph.island, graph.island[graph.edge_tail[parent[inner]]]],
    )
    return _split_turns(graph, parent, parts)


def _split_turns(graph: RoadGraph, parent: Ints, parts: RoadGraph) -> RoadGraph:
    """Carry the turns of a graph to the parts of its edges, which stand in order along each."""
    if not graph.turns:
        return parts
    first = np.searchsorted(parent, np.arange(graph.edge_count))
    count = np.bincount(parent, minlength=graph.edge_count)
    arc_of = np.full((parts.edge_count, 2), -1)
    arc_of[parts.arc_edge, np.where(parts.arc_ahead, 0, 1)] = np.arange(len(parts.arc_edge))
    arc = graph.turn_arc
    edge, ahead = graph.arc_edge[arc], graph.arc_ahead[arc]
    size = count[edge]
    owner = np.repeat(np.arange(len(arc)), size)
    begin = np.cumsum(size) - size
    step = np.arange(len(owner)) - begin[owner]
    child = first[edge[owner]] + np.where(ahead[owner], step, size[owner] - 1 - step)
    new_arc = arc_of[child, np.where(ahead[owner], 0, 1)]
    base = owner < len(graph.arc_edge)
    state = new_arc.copy()
    state[~base] = len(parts.arc_edge) + np.arange(int((~base).sum()))
    inside = np.flatnonzero(step < size[owner] - 1)
    before = np.repeat(np.arange(len(arc)), np.diff(graph.turn_indptr))
    after = graph.turn_indices
    tail = np.concatenate([state[inside], state[begin[before] + size[before] - 1]])
    head = np.concatenate([state[inside + 1], state[begin[after]]])
    total = len(parts.arc_edge) + int((~base).sum())
    order = np.lexsort((head, tail))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=total))])
    turn_arc = np.concatenate([np.arange(len(parts.arc_edge)), new_arc[~base]])
    zone = np.zeros(total, np.int64)
    zone[state] = graph.turn_zone[owner]
    return replace(
        parts, turn_arc=turn_arc, turn_zone=zone, turn_indptr=indptr.astype(np.int64),
        turn_indices=head[order],
    )  # fmt: skip


def _stretches(
    lines: NDArray[np.object_], parent: Ints, low: Floats, high: Floats
) -> NDArray[np.object_]:
    """Cut lines into their stretches from ``low`` to ``high`` [m along them]."""
    whole = lines[parent]
    child = np.arange(len(parent))
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(whole, at)) for at in (low, high)
    ]
    xy, number = shapely.get_coordinates(whole, return_index=True)
    step = np.append(0.0, np.hypot(*np.diff(xy, axis=0).T))
    step[np.r_[True, number[1:] != number[:-1]]] = 0.0
    run = np.cumsum(step)
    run -= run[np.searchsorted(number, child)][number]
    inside = (run > low[number] + _NEAR_M) & (run < high[number] - _NEAR_M)
    owner = np.concatenate([child, number[inside], child])
    place = np.concatenate([low - 1, run[inside], high + 1])
    points = np.concatenate([ends[0], xy[inside], ends[1]])
    order = np.lexsort((place, owner))
    return np.asarray(shapely.linestrings(points[order], indices=owner[order]), dtype=object)


def edge_depths(graph: RoadGraph, depth_m: NDArray[Any], transform: tuple[float, ...]) -> Floats:
    """Take the deepest water along each edge from a raster in the graph's CRS.

    Parameters
    ----------
    graph
        The road graph.
    depth_m
        Depth of water, NaN = unknown, shape (ny, nx) [m].
    transform
        Affine coefficients a, b, c, d, e, f of the raster, north up.

    Returns
    -------
    numpy.ndarray
        Depth of each edge, NaN where no cell is known, shape (m,) [m].
    """
    a, _, c, _, e, f = transform[:6]
    dense = shapely.segmentize(graph.edge_geometry, min(abs(a), abs(e)) / 2.0)
    xy, edge = shapely.get_coordinates(dense, return_index=True)
    column = np.floor((xy[:, 0] - c) / a).astype(np.int64)
    row = np.floor((xy[:, 1] - f) / e).astype(np.int64)
    inside = (row >= 0) & (column >= 0) & (row < depth_m.shape[0]) & (column < depth_m.shape[1])
    value = np.full(len(xy), -np.inf)
    value[inside] = np.nan_to_num(
        depth_m[row[inside], column[inside]].astype(np.float64), nan=-np.inf
    )
    deepest = np.full(graph.edge_count, -np.inf)
    np.maximum.at(deepest, edge, value)
    return np.where(np.isfinite(deepest), deepest, np.nan)


def vehicle_seconds(
    graph: RoadGraph,
    *,
    vehicle: str = "fire_engine",
    depth_m: Floats | None = None,
    presets: Values | None = None,
) -> Floats:
    """Give the time along each edge for a vehicle, dry or under water.

    The speed is the free-flow speed times the vehicle's factor, and under water at most
    `water_speed`. A boat goes at its own speed where a lorry cannot pass.

    Parameters
    ----------
    graph
        The road graph.
    vehicle
        ``foot``, ``car``, ``truck``, ``high_clearance``, ``fire_engine`` or ``boat``.
    depth_m
        Depth of water on each edge, NaN = dry, shape (m,) [m]; None: free flow.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        Times, infinite where the edge is closed, shape (m,) [s].

    Raises
    ------
    UsageError
        If the vehicle is unknown, or the depths cannot be metres.
    """
    known = shipped(presets)
    limits: Mapping[str, float] = known[LIMITS]
    if vehicle not in limits:
        raise UsageError(
            text(
                "unknown vehicle {vehicle}; known are {known}",
                vehicle=repr(vehicle),
                known=", ".join(limits),
            )
        )
    speed = graph.edge_speed_kmh * float(known[FACTORS].get(vehicle, 1.0))
    if depth_m is not None:
        depth = check_depth(depth_m, most_m=float(known[MOST_DEPTH]))
        wet = water_speed(depth, curve=known[CURVE], limit_m=float(limits[vehicle]))
        if vehicle == "boat":
            afloat = depth >= float(limits["truck"])
            wet = np.where(afloat, float(known[BOAT]), wet)
        elif vehicle == "foot":
            wet = np.where(depth >= float(limits["foot"]), 0.0, speed)
        speed = np.where(depth > 0, np.minimum(speed, wet), speed)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(speed > 0, graph.edge_length_m * 3.6 / speed, np.inf))

"""Build a road graph from any line layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from riskmap.errors import LayerError, UsageError
from riskmap.geo.crs import project_points
from riskmap.geo.network import rules
from riskmap.geo.network.graph import ISLAND_SHARE, Bools, Direction, Floats, Ints, RoadGraph, arcs
from riskmap.geo.network.remarks import left_out, notes_on, parts_notes
from riskmap.geo.network.rules import URBAN, Values, chosen, class_speeds
from riskmap.geo.network.source import check_units
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import geopandas as gpd


_DEGREE_STEP: Final = 1e-7
SAME_M: Final = 1e-3
"""Vertices this near each other are one [m]."""


def vertex_numbers(xy: Floats, *, geographic: bool) -> Ints:
    """Give vertices numbers so that equal places (to 1e-7 degree or 1 mm) have one number.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2) [degree or m].
    geographic
        True when the coordinates are degrees.

    Returns
    -------
    numpy.ndarray
        Number of every vertex, shape (v,).

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 0.0004]])
    >>> vertex_numbers(xy, geographic=False).tolist()
    [0, 1, 0]
    """
    step = _DEGREE_STEP if geographic else SAME_M
    whole = np.rint(xy / step).astype(np.int64)
    whole -= whole.min(axis=0)
    height = int(whole[:, 1].max(initial=0)) + 1
    key = whole[:, 0] * height + whole[:, 1]
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def merge_near(xy: Floats, vertex: Ints, ends: Ints, tolerance_m: float, degree: Floats) -> Ints:
    """Join line ends that lie within a tolerance of each other.

    Only ends are joined, so a road that passes over another is never tied to it.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2) [degree or m].
    vertex
        Number of every vertex, shape (v,).
    ends
        Positions in ``xy`` that are line ends.
    tolerance_m
        Largest distance that is closed [m].
    degree
        Metres in one unit of x and of y, shape (2,).

    Returns
    -------
    numpy.ndarray
        The new numbers, shape (v,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    numbers, first = np.unique(vertex[ends], return_index=True)
    pairs = cKDTree(xy[ends[first]] * degree).query_pairs(tolerance_m, output_type="ndarray")
    size = len(numbers)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    group = connected_components(links, directed=False)[1]
    smallest = np.full(int(group.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, group, numbers)
    new = np.arange(int(vertex.max(initial=-1)) + 1)
    new[numbers] = smallest[group]
    return new[vertex]


def same_runs(vertex: Ints, start: Ints) -> Ints:
    """Give runs of vertices that are equal, forwards or backwards, one number.

    Parameters
    ----------
    vertex
        Vertex numbers of all runs, one after the other, shape (v,).
    start
        First vertex of every run, and the end of the last, shape (m + 1,).

    Returns
    -------
    numpy.ndarray
        Number of every run, shape (m,).

    Examples
    --------
    >>> one, back, other = same_runs(np.array([0, 1, 2, 2, 1, 0, 0, 2]), np.array([0, 3, 6, 8]))
    >>> bool(one == back), bool(one == other)
    (True, False)
    """
    counts = np.diff(start)
    rng = np.random.default_rng(20260101)
    mark = rng.integers(1, 2**62, size=int(vertex.max()) + 1, dtype=np.uint64)
    power = rng.integers(1, 2**62, size=int(counts.max()), dtype=np.uint64) | np.uint64(1)
    place = np.arange(len(vertex)) - np.repeat(start[:-1], counts)
    other = np.repeat(counts, counts) - 1 - place
    ahead = np.add.reduceat(mark[vertex] * power[place], start[:-1])
    back = np.add.reduceat(mark[vertex] * power[other], start[:-1])
    order = np.column_stack([np.minimum(ahead, back), np.maximum(ahead, back)])
    return np.unique(order, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Edges cut at shared vertices; vertex ``i`` of edge ``e`` is ``xy[start[e] + i]``."""

    xy: Floats
    """Vertices of all edges, one after the other, shape (v, 2)."""
    start: Ints
    """First vertex of every edge, and the end of the last, shape (m + 1,)."""
    line: Ints
    """Row of the line that the edge comes from, shape (m,)."""
    share: Floats
    """Length of the edge over the length of its line, shape (m,)."""
    length_m: Floats
    """Length on the ellipsoid, shape (m,) [m]."""
    tail: Ints
    """Node where the edge begins as digitised, shape (m,)."""
    head: Ints
    """Node where the edge ends as digitised, shape (m,)."""
    node_xy: Floats
    """Nodes in the coordinates of the lines, shape (n, 2)."""
    vertex: Ints
    """Vertex number of every vertex, equal where lines meet, shape (v,)."""


def segment_lengths(lonlat: Floats) -> Floats:
    """Measure the steps between successive vertices on the WGS-84 ellipsoid.

    Parameters
    ----------
    lonlat
        Longitude and latitude, shape (v, 2) [degree].

    Returns
    -------
    numpy.ndarray
        Lengths, shape (v - 1,) [m].

    Examples
    --------
    >>> segment_lengths(np.array([[0.0, 0.0], [1.0, 0.0]])).round(3).tolist()
    [111319.491]
    """
    if len(lonlat) < 2:
        return np.zeros(0)
    geod = pyproj.Geod(ellps="WGS84")
    ahead = geod.inv(lonlat[:-1, 0], lonlat[:-1, 1], lonlat[1:, 0], lonlat[1:, 1])[2]
    return np.asarray(ahead, dtype=np.float64)


def project(xy: Floats, source: Any, target: Any) -> Floats:
    """Bring coordinates from one CRS to another, in the order x (east), y (north).

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2).
    source, target
        Their CRS and the wanted one.

    Returns
    -------
    numpy.ndarray
        Coordinates in ``target``, shape (v, 2).
    """
    from_, to = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
    if from_.equals(to):
        return xy
    return np.column_stack(project_points(xy[:, 0], xy[:, 1], crs=to, source=from_))


def to_lonlat(xy: Floats, crs: Any) -> Floats:
    """Turn coordinates into longitude and latitude.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2).
    crs
        Their coordinate system.

    Returns
    -------
    numpy.ndarray
        Longitude and latitude, shape (v, 2) [degree].
    """
    return project(xy, crs, "EPSG:4326")


def _nodes(vertex: Ints, begin: Bools, end: Bools, level: Ints) -> tuple[Bools, Ints]:
    """Tell which vertices are nodes, and part those that only pass at another level.

    A street drawn once in each direction counts as one line here.
    """
    ended = np.zeros(int(vertex.max(initial=-1)) + 1, dtype=bool)
    ended[vertex[end]] = True
    apart = np.where(ended[vertex], 0, level)
    if apart.any():
        vertex = np.unique(vertex * (int(apart.max()) + 1) + apart, return_inverse=True)[1]
    start = np.append(np.flatnonzero(begin), len(vertex))
    run = same_runs(vertex, start)
    single = np.zeros(len(run), dtype=bool)
    single[np.unique(run, return_index=True)[1]] = True
    uses = np.bincount(vertex, weights=np.repeat(single, np.diff(start)))
    return end | (uses[vertex] > 1), vertex.astype(np.int64)


def split_lines(
    lines: NDArray[np.object_],
    *,
    crs: Any,
    level: Ints | None = None,
    tolerance_m: float = 0.0,
) -> Pieces:
    """Cut lines at shared vertices.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings, shape (rows,).
    crs
        Their coordinate system.
    level
        Level code of every row; lines of unlike level meet only where one of them ends.
    tolerance_m
        Line ends this near each other are joined [m].

    Returns
    -------
    Pieces
        The edges; zero-length lines give none.

    Raises
    ------
    LayerError
        If no line is longer than the distance within which vertices are one.
    """
    geographic = pyproj.CRS.from_user_input(crs).is_geographic
    parts, row = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    vertex = vertex_numbers(xy, geographic=geographic) if len(xy) else np.zeros(0, np.int64)
    if tolerance_m > 0 and len(xy):
        ends = np.flatnonzero(np.diff(part, prepend=-1, append=-1)[:-1] != 0)
        ends = np.union1d(ends, np.append(ends[1:], len(part)) - 1)
        unit = np.ones(2)
        if geographic:
            unit = 111_195.0 * np.array([np.cos(np.radians(xy[:, 1].mean())), 1.0])
        vertex = merge_near(xy, vertex, ends, tolerance_m, unit)
        first = np.unique(vertex, return_index=True)
        xy = xy[first[1]][np.searchsorted(first[0], vertex)]
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (vertex[1:] != vertex[:-1]) | (part[1:] != part[:-1])
    xy, vertex, part = xy[keep], vertex[keep], part[keep]
    many = np.bincount(part, minlength=len(parts))[part] > 1
    xy, vertex, part = xy[many], vertex[many], part[many]
    if not len(xy):
        m = f"{max(tolerance_m, SAME_M):g}"
        raise LayerError(text("all roads are shorter than {m} m, within which ends meet", m=m))
    return _cut(xy, vertex, part, row, crs=crs, level=level)


def _cut(
    xy: Floats, vertex: Ints, part: Ints, row: Ints, *, crs: Any, level: Ints | None
) -> Pieces:
    """Cut cleaned vertex runs at the nodes."""
    begin = np.diff(part, prepend=-1) != 0
    finish = np.append(begin[1:], True)[: len(begin)]
    levels = np.zeros(len(xy), np.int64) if level is None else level[row[part]]
    is_node, vertex = _nodes(vertex, begin, begin | finish, levels)
    opens = np.flatnonzero(is_node & ~finish)
    closes = np.flatnonzero(is_node & ~begin)
    counts = closes - opens + 1
    start = np.concatenate([[0], np.cumsum(counts)])
    take = np.arange(int(start[-1])) + np.repeat(opens - start[:-1], counts)
    step = np.append(segment_lengths(to_lonlat(xy, crs)) if len(xy) else np.zeros(0), 0.0)
    step[finish] = 0.0
    length = _sums(step, opens, closes)
    line = row[part[opens]].astype(np.int64)
    whole = np.bincount(line, weights=length, minlength=int(row.max(initial=-1)) + 1)
    numbers, first = np.unique(vertex[is_node], return_index=True)
    node_xy = xy[is_node][first]
    return Pieces(
        xy=xy[take],
        start=start.astype(np.int64),
        line=line,
        share=length / np.where(whole[line] > 0, whole[line], 1.0),
        length_m=length,
        tail=np.searchsorted(numbers, vertex[opens]),
        head=np.searchsorted(numbers, vertex[closes]),
        node_xy=node_xy,
        vertex=vertex[take],
    )


def _sums(step: Floats, opens: Ints, closes: Ints) -> Floats:
    """Add the steps from each opening vertex to its closing one, each by itself."""
    if len(opens) == 0:
        return np.zeros(0)
    bounds = np.column_stack([opens, closes]).ravel()
    return np.asarray(np.add.reduceat(step, bounds)[::2], dtype=np.float64)


def twins(pieces: Pieces, forward: Bools, backward: Bools, cost: Floats) -> Ints:
    """Pair one-way edges that lie on each other in opposite directions.

    Parameters
    ----------
    pieces
        The edges.
    forward, backward
        Permitted directions, shape (m,).
    cost
        Cost of each edge; only edges of equal cost pair, shape (m,).

    Returns
    -------
    numpy.ndarray
        The other edge of each pair, -1 where there is none, shape (m,).
    """
    twin = np.full(len(pieces.line), -1)
    single = np.flatnonzero(forward ^ backward)
    if len(single) < 2:
        return twin
    same = same_runs(pieces.vertex, pieces.start)[single]
    begin = np.where(forward[single], pieces.tail[single], pieces.head[single])
    order = np.lexsort((single, begin, same))
    here, there = order[:-1], order[1:]
    pair = (same[here] == same[there]) & (begin[here] != begin[there])
    pair &= np.isclose(cost[single[here]], cost[single[there]], rtol=1e-9)
    pair[1:] &= ~pair[:-1]
    twin[single[here[pair]]] = single[there[pair]]
    twin[single[there[pair]]] = single[here[pair]]
    return twin


JOIN: Final = "network.join_ends_m"
"""Preset: line ends this near each other are joined [m]."""


def build_graph(
    lines: gpd.GeoDataFrame,
    *,
    presets: Values | None = None,
    speeds: str = URBAN,
    profile: str = "car",
    direction: Direction | None = None,
    oneway_field: str | None = None,
    osm: bool | None = None,
    class_field: str | None = None,
    speed_field: str | None = None,
    length_field: str | None = None,
    level_field: str | None = None,
    tolerance_m: float | None = None,
    crs: Any = None,
) -> RoadGraph:
    """Build a road graph from a line layer.

    Lines are cut where they share a vertex (equal to 1e-7 degree or 1 mm); lines that only cross
    do not meet. Lengths are measured on the WGS-84 ellipsoid from longitude and latitude, also
    when the layer is projected. Two one-way edges that lie on each other in opposite directions
    become one two-way edge. Turn restrictions are not read.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings in any CRS, shape (rows,).
    presets
        Value by key; None takes the shipped ones.
    speeds
        Key of the preset that holds speeds by class [km/h].
    profile
        ``car``, ``emergency`` or ``foot``.
    direction
        ``two_way``, ``digitised`` or ``oneway_field``; None lets OSM tags and ``oneway_field``
        speak, and is two-way when there are none.
    oneway_field
        Column of one-way values (yes, -1, 单向, ...).
    osm
        Whether OSM's rules on classes and one-way hold; None: when the classes are OSM's.
    class_field, speed_field, length_field
        Columns of the class, of a given speed [km/h] and of a given length [m].
    level_field
        Column of the level (bridge, tunnel); lines of unlike level meet only at line ends.
    tolerance_m
        Line ends this near each other are joined [m]; None: as preset.
    crs
        Metric CRS of the graph; None keeps a projected layer's own and else takes the zone of
        the centroid.

    Returns
    -------
    RoadGraph
        The graph.

    Raises
    ------
    LayerError
        If no line can be used, or the layer has no CRS.
    UsageError
        If a named column does not exist, or the profile is unknown.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> cross = [LineString([(0, 0), (50, 0), (100, 0)]), LineString([(50, -9), (50, 0)])]
    >>> lines = gpd.GeoDataFrame({"geometry": cross}, crs="EPSG:4548")
    >>> graph = build_graph(lines)
    >>> graph.node_count, graph.edge_count
    (4, 3)
    """
    named = (oneway_field, class_field, speed_field, length_field, level_field)
    _check(lines, profile, tuple(name for name in named if name))
    table = rules.osm_tags(lines)
    column = rules.class_column(table, class_field)
    named_as = table[column] if column else pd.Series("", index=table.index)
    classes = rules.road_classes(named_as, presets=presets)
    is_osm = (
        column is not None and rules.speaks_osm(table[column], presets=presets)
        if osm is None
        else osm
    )
    forward, backward, odd = _directions(
        table, classes, direction, oneway_field, profile, osm=is_osm
    )
    geometry = np.asarray(lines.geometry.array, dtype=object)
    use = shapely.length(geometry) > 0
    long = int(use.sum())
    use &= rules.permitted(table, classes, profile, osm=is_osm, presets=presets)
    if not use.any():
        raise LayerError(
            text("the road layer has no line that the profile {profile} may use", profile=profile)
        )
    kept = table[use]
    level = pd.factorize(kept[level_field], sort=True)[0] + 1 if level_field else None
    gap = float(chosen(presets, JOIN) if tolerance_m is None else tolerance_m)
    pieces = split_lines(geometry[use], crs=lines.crs, level=level, tolerance_m=gap)
    used = classes[use].to_numpy(dtype=object)
    flow = class_speeds(used, profile=profile, presets=presets, table=speeds)
    return _assemble(
        pieces,
        rows=np.flatnonzero(use),
        length=_lengths(pieces, kept[length_field] if length_field else None),
        speed=_given(kept, flow, speed_field, profile),
        classes=used,
        ways=(forward[use], backward[use]),
        source=lines.crs,
        target=crs or _metric(lines.crs, pieces),
        profile=profile,
        notes=(
            *left_out(long - int(use.sum()), profile),
            *notes_on(geometry, odd, named=column is not None, classes=classes[use]),
        ),
    )


def _given(kept: pd.DataFrame, speed: Floats, field: str | None, profile: str) -> Floats:
    """Let speeds that the layer gives stand before those of the class."""
    if field is None and "speed_kmh" in kept.columns:
        field = "speed_kmh"
    if field is None or profile == "foot":
        return speed
    given = rules.given_speeds(kept[field])
    return np.where(np.isnan(given), speed, given)


def _check(lines: gpd.GeoDataFrame, profile: str, columns: tuple[str, ...]) -> None:
    """Stop when the layer cannot be used as it was asked."""
    check_units(lines)
    if profile not in rules.PROFILES:
        raise UsageError(
            text(
                "unknown profile {profile}; known are {known}",
                profile=repr(profile),
                known=", ".join(sorted(rules.PROFILES)),
            )
        )
    missing = [name for name in columns if name not in rules.osm_tags(lines).columns]
    if missing:
        raise UsageError(
            text(
                "the road layer has no column {missing}; it has {known}",
                missing=", ".join(missing),
                known=", ".join(str(name) for name in lines.columns if name != "geometry"),
            )
        )


def _directions(
    table: pd.DataFrame,
    classes: pd.Series,
    kind: Direction | None,
    field: str | None,
    profile: str,
    *,
    osm: bool,
) -> tuple[Bools, Bools, tuple[str, ...]]:
    """Tell the permitted directions of every line."""
    every, none = np.ones(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    if profile == "foot" or kind == "two_way":
        return every, every.copy(), ()
    if kind == "digitised":
        return every, none, ()
    if field is None and "oneway" in table.columns:
        field = "oneway"
    return rules.directions(table, classes, field, implied=osm)


def _lengths(pieces: Pieces, given: pd.Series | None) -> Floats:
    """Take lengths from a field, shared out along the line, or as measured."""
    if given is None:
        return pieces.length_m
    values = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64)[pieces.line]
    usable = np.isfinite(values) & (values >= 0)
    return np.where(usable, pieces.share * np.where(usable, values, 0.0), pieces.length_m)


def _metric(source: Any, pieces: Pieces) -> Any:
    """Choose the metric CRS of the graph."""
    from riskmap.geo.crs import metric_crs

    system = pyproj.CRS.from_user_input(source)
    if system.is_projected:
        return system
    middle = to_lonlat((pieces.node_xy.min(axis=0) + pieces.node_xy.max(axis=0))[None] / 2, source)
    return metric_crs(float(middle[0, 0]), float(middle[0, 1]))


def _assemble(
    pieces: Pieces,
    *,
    rows: Ints,
    length: Floats,
    speed: Floats,
    classes: NDArray[np.object_],
    ways: tuple[Bools, Bools],
    source: Any,
    target: Any,
    profile: str,
    notes: tuple[Text, ...],
) -> RoadGraph:
    """Join twins, order the arcs and find the parts."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    forward, backward = ways[0][pieces.line].copy(), ways[1][pieces.line].copy()
    fast = speed[pieces.line]
    twin = twins(pieces, forward, backward, length / fast)
    drop = (twin >= 0) & (twin < np.arange(len(twin)))
    forward |= twin > np.arange(len(twin))
    backward |= twin > np.arange(len(twin))
    keep = np.flatnonzero(~drop)
    size = len(pieces.node_xy)
    tail, head = pieces.tail[keep], pieces.head[keep]
    indptr, indices, arc_edge = arcs(tail, head, forward[keep], backward[keep], size)
    links = coo_array((np.ones(len(keep)), (tail, head)), shape=(size, size))
    part = connected_components(links, directed=False)[1]
    nodes = np.bincount(part)
    rank = np.empty(len(nodes), dtype=np.int64)
    rank[np.argsort(-nodes, kind="stable")] = np.arange(len(nodes))
    island = nodes[part] < max(2.0, ISLAND_SHARE * size)
    xy = project(pieces.xy, source, target)
    number = np.repeat(np.arange(len(pieces.line)), np.diff(pieces.start))
    geometry = shapely.linestrings(xy, indices=number)[keep]
    metres, kmh = length[keep], fast[keep]
    seconds = metres * 3.6 / kmh
    return RoadGraph(
        crs=pyproj.CRS.from_user_input(target).to_string(),
        profile=profile,
        node_xy=project(pieces.node_xy, source, target),
        indptr=indptr,
        indices=indices,
        arc_edge=arc_edge,
        arc_length_m=metres[arc_edge],
        arc_seconds=seconds[arc_edge],
        edge_tail=tail,
        edge_head=head,
        edge_length_m=metres,
        edge_speed_kmh=kmh,
        edge_forward=forward[keep],
        edge_backward=backward[keep],
        edge_row=rows[pieces.line[keep]],
        edge_twin_row=np.where(twin[keep] >= 0, rows[pieces.line[twin[keep]]], -1),
        edge_class=classes[pieces.line[keep]],
        edge_geometry=geometry,
        component=rank[part],
        island=island,
        notes=(*notes, *parts_notes(nodes, island)),
    )

"""Build a road graph from any line layer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyproj
import shapely

from riskmap.errors import LayerError, UsageError
from riskmap.geo.grid import metric_crs, project_points
from riskmap.geo.network import rules
from riskmap.geo.network.access import (
    SHUT,
    Verdict,
    bars,
    duration_s,
    judge,
    kept_off,
    kind_of,
    osm_directions,
)
from riskmap.geo.network.graph import ISLAND_SHARE, Bools, Direction, Floats, Ints, RoadGraph, arcs
from riskmap.geo.network.rules import (
    FERRY,
    URBAN,
    Values,
    check_units,
    chosen,
    class_speeds,
    left_out,
    notes_on,
    parts_notes,
    rule_notes,
    turn_notes,
)
from riskmap.geo.network.turns import (
    Ban,
    Streets,
    Turns,
    inner_nodes,
    make_turns,
    osm_ids,
    read_bans,
)
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray


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
    node_id: Ints
    """OSM node of each node, -1 for none, shape (n,)."""


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
    nodes: Ints | None = None,
    barred: Bools | None = None,
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
    nodes
        Id of every vertex of all lines, equal where lines meet whatever the coordinates; -1 lets
        the coordinates speak, shape (v,).
    barred
        True for vertices past which nothing goes, shape (v,).

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
    if nodes is None:
        nodes = np.full(len(xy), -1)
    vertex = _by_id(vertex, nodes)
    if barred is not None and barred.any():
        xy, part, vertex, nodes, row = _bar(xy, part, vertex, nodes, row, barred)
    if tolerance_m > 0 and len(xy):
        ends = np.flatnonzero(np.diff(part, prepend=-1, append=-1)[:-1] != 0)
        ends = np.union1d(ends, np.append(ends[1:], len(part)) - 1)
        unit = np.ones(2)
        if geographic:
            unit = 111_195.0 * np.array([np.cos(np.radians(xy[:, 1].mean())), 1.0])
        vertex = merge_near(xy, vertex, ends, tolerance_m, unit)
        first = np.unique(vertex, return_index=True)
        xy = xy[first[1]][np.searchsorted(first[0], vertex)]
        xy, vertex, part, nodes = _meet_lines(xy, vertex, part, nodes, tolerance_m, unit)
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (vertex[1:] != vertex[:-1]) | (part[1:] != part[:-1])
    xy, vertex, part, nodes = xy[keep], vertex[keep], part[keep], nodes[keep]
    many = np.bincount(part, minlength=len(row))[part] > 1
    xy, vertex, part, nodes = xy[many], vertex[many], part[many], nodes[many]
    if not len(xy):
        raise _too_short(tolerance_m)
    return _cut(xy, vertex, part, row, nodes, crs=crs, level=level)


def _meet_lines(
    xy: Floats, vertex: Ints, part: Ints, nodes: Ints, tolerance_m: float, unit: Floats
) -> tuple[Floats, Ints, Ints, Ints]:
    """Let loose ends that lie on another line within a tolerance meet it there."""
    step = np.flatnonzero((part[1:] == part[:-1]) & (vertex[1:] != vertex[:-1]))
    border = np.append(True, part[1:] != part[:-1]) | np.append(part[1:] != part[:-1], True)
    loose = np.flatnonzero(border & (np.bincount(vertex)[vertex] == 1))
    if not len(step) or not len(loose):
        return xy, vertex, part, nodes
    flat = xy * unit
    lines = shapely.linestrings(np.stack([flat[step], flat[step + 1]], axis=1))
    tree = shapely.STRtree(lines)
    spot, segment = tree.query(
        shapely.points(flat[loose]), predicate="dwithin", distance=tolerance_m
    )
    other = part[loose[spot]] != part[step[segment]]
    spot, segment = spot[other], segment[other]
    gap = shapely.distance(shapely.points(flat[loose[spot]]), lines[segment])
    order = np.lexsort((segment, gap, spot))
    order = order[np.diff(spot[order], prepend=-1) != 0]
    spot, segment = spot[order], segment[order]
    share = shapely.line_locate_point(lines[segment], shapely.points(flat[loose[spot]]))
    order = np.lexsort((share, segment))
    spot, at = loose[spot[order]], step[segment[order]] + 1
    return (
        np.insert(xy, at, xy[spot], axis=0),
        np.insert(vertex, at, vertex[spot]),
        np.insert(part, at, part[at - 1]),
        np.insert(nodes, at, nodes[spot]),
    )


def _too_short(tolerance_m: float) -> LayerError:
    m = f"{max(tolerance_m, SAME_M):g}"
    return LayerError(text("all roads are shorter than {m} m, within which ends meet", m=m))


def _by_id(vertex: Ints, nodes: Ints) -> Ints:
    """Give vertices numbers by their ids; one without is that of the first id at its place."""
    has = nodes >= 0
    if not has.any():
        return vertex
    ids, number = np.unique(nodes[has], return_inverse=True)
    places, first = np.unique(vertex[has], return_index=True)
    at = np.minimum(np.searchsorted(places, vertex), len(places) - 1)
    own = np.where(places[at] == vertex, number[first][at], len(ids) + vertex)
    own[has] = number
    return np.unique(own, return_inverse=True)[1].astype(np.int64)


def _bar(
    xy: Floats, part: Ints, vertex: Ints, nodes: Ints, row: Ints, barred: Bools
) -> tuple[Floats, Ints, Ints, Ints, Ints]:
    """Cut lines at vertices past which nothing goes, so that each side ends there by itself."""
    inner = np.zeros(len(xy), dtype=bool)
    inner[1:-1] = barred[1:-1] & (part[1:-1] == part[:-2]) & (part[1:-1] == part[2:])
    take = np.repeat(np.arange(len(xy)), 1 + inner)
    again = np.append(False, take[1:] == take[:-1])
    fresh = np.append(True, part[take][1:] != part[take][:-1]) | again
    new = np.cumsum(fresh) - 1
    shut = barred[take]
    number, ids = vertex[take], np.where(shut, -1, nodes[take])
    number[shut] = int(vertex.max(initial=-1)) + 1 + np.arange(int(shut.sum()))
    number = np.unique(number, return_inverse=True)[1].astype(np.int64)
    return xy[take], new, number, ids, row[part[take][fresh]]


def _cut(
    xy: Floats, vertex: Ints, part: Ints, row: Ints, nodes: Ints, *, crs: Any, level: Ints | None
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
        node_id=nodes[is_node][first],
    )


def _sums(step: Floats, opens: Ints, closes: Ints) -> Floats:
    """Add the steps from each opening vertex to its closing one, each by itself."""
    if len(opens) == 0:
        return np.zeros(0)
    bounds = np.column_stack([opens, closes]).ravel()
    return np.asarray(np.add.reduceat(step, bounds)[::2], dtype=np.float64)


def same_streets(pieces: Pieces, cost: Floats, *kinds: NDArray[Any]) -> tuple[Ints, Bools]:
    """Find edges that lie on each other: a street drawn once for each direction, or twice.

    Parameters
    ----------
    pieces
        The edges.
    cost
        Cost of each edge; only edges of equal cost are one, shape (m,).
    *kinds
        Edges that differ in one of these are not one, shape (m,) each.

    Returns
    -------
    first : numpy.ndarray
        The first edge of each street, itself where there is but one, shape (m,).
    along : numpy.ndarray
        Whether each edge runs as that first one, shape (m,).
    """
    run = same_runs(pieces.vertex, pieces.start)
    edge = np.arange(len(run))
    for kind in kinds:
        run = np.unique(np.column_stack([run, kind]), axis=0, return_inverse=True)[1].ravel()
    order = np.lexsort((edge, cost, run))
    here, there = order[:-1], order[1:]
    fresh = (run[here] != run[there]) | ~np.isclose(cost[here], cost[there], rtol=1e-9)
    group = np.zeros(len(run), np.int64)
    group[order[1:]] = np.cumsum(fresh)
    first = np.full(int(group.max(initial=-1)) + 1, len(run), np.int64)
    np.minimum.at(first, group, edge)
    first = first[group]
    second = pieces.vertex[pieces.start[:-1] + 1]
    along = (pieces.tail == pieces.tail[first]) & (second == second[first])
    return first, along


JOIN: Final = "network.join_ends_m"
"""Preset: line ends this near each other are joined [m]."""


def build_graph(
    lines: gpd.GeoDataFrame,
    *,
    presets: Values | None = None,
    speeds: str = URBAN,
    profile: str = "car",
    vehicle: str | None = None,
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
    when the layer is projected. Edges of equal cost that lie on each other are one street, which
    runs both ways where one of them runs each way. Of an OpenStreetMap extract the lines meet in
    its nodes, and access, one-way, barriers, limits, ferries and turn restrictions hold for the
    vehicle by the table of the presets ``access``.

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
    vehicle
        Vehicle whose tags and size count; None: the common one of the profile.
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
    >>> import pandas as pd
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
    classes, column, is_osm = _classes(table, class_field, osm=osm, presets=presets)
    verdict = judge(table, classes, profile, vehicle=vehicle, osm=is_osm, presets=presets)
    kind = kind_of(profile, vehicle)
    forward, backward, odd = _directions(
        table, classes, direction, oneway_field, kind, osm=is_osm, presets=presets
    )
    forward, backward = forward & (verdict.forward != SHUT), backward & (verdict.backward != SHUT)
    geometry = np.asarray(lines.geometry.array, dtype=object)
    long = shapely.length(geometry) > 0
    use = long & verdict.used & (forward | backward)
    if not use.any():
        raise LayerError(
            text("the road layer has no line that the profile {profile} may use", profile=profile)
        )
    kept, used = table[use], classes[use].to_numpy(dtype=object)
    level = _levels(kept[level_field]) if level_field else None
    topology = vertex_ids(kept, geometry[use], geographic=_in_degrees(lines.crs))
    barred, barriers = _barred(kept, topology, kind, vehicle, presets)
    pieces = split_lines(
        geometry[use], crs=lines.crs, level=level, nodes=topology.ids, barred=barred,
        tolerance_m=float(chosen(presets, JOIN) if tolerance_m is None else tolerance_m),
    )  # fmt: skip
    flow = class_speeds(used, profile=profile, presets=presets, table=speeds)
    speed, source = _speeds(kept, used, pieces, flow, speed_field, kind, presets)
    told = _told(table, verdict, long=long, use=use, classes=classes, barriers=barriers)
    told |= {"speeds": _counted(source), "turned": topology.turned}
    notes = (
        *left_out(told["dropped"], profile),
        *notes_on(geometry, odd, named=column is not None, classes=classes[use], presets=presets),
        *rule_notes(told, verdict.strange, topology.how),
    )
    ways = _Ways(
        all=table, table=kept, rows=np.flatnonzero(use), classes=used, speed=speed,
        timed=np.isin(source.astype(str), TIMED),
        length=_lengths(pieces, kept[length_field] if length_field else None),
        forward=forward[use], backward=backward[use], ends=verdict.ends[use],
        off=kept_off(kept, classes[use], presets),
        crs=(lines.crs, crs or _metric(lines.crs, pieces)),
    )  # fmt: skip
    return _assemble(pieces, ways, profile, kind, presets, told, notes)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Ways:
    """The lines that a vehicle uses."""

    all: pd.DataFrame
    """All lines of the layer: a restriction may begin on one that is not used."""
    table: pd.DataFrame
    rows: Ints
    length: Floats
    """Length of each piece [m]."""
    speed: Floats
    timed: Bools
    """Whether the layer gives the measured time or speed."""
    classes: NDArray[np.object_]
    forward: Bools
    backward: Bools
    ends: Bools
    off: Bools
    crs: tuple[Any, Any]
    """That of the layer, and that of the graph."""


def _levels(column: pd.Series) -> Ints:
    """Give the levels of a column numbers from 1; 0 where none is said."""
    import pandas as pd

    return np.asarray(pd.factorize(column, sort=True)[0] + 1)


def _classes(
    table: pd.DataFrame, field: str | None, *, osm: bool | None, presets: Values | None
) -> tuple[pd.Series, str | None, bool]:
    """Give the class of every line, its column, and whether OSM's rules hold."""
    import pandas as pd

    column = rules.class_column(table, field)
    named_as = table[column] if column else pd.Series("", index=table.index)
    classes = rules.road_classes(named_as, presets=presets)
    if osm is None:
        osm = rules.NODES in table.columns or (
            column is not None and rules.speaks_osm(table[column], presets=presets)
        )
    if osm and "route" in table.columns:
        kinds = chosen(presets, "access.ferries")["kinds"]
        classes = classes.mask(rules.words(table["route"]).isin(kinds) & (classes == ""), FERRY)
    return classes, column, osm


@dataclass(frozen=True, eq=False)
class Topology:
    """What tells where lines meet."""

    ids: Ints | None
    """Id of every vertex, -1 where its coordinates tell, or None."""
    how: str
    """``osm``, ``ends`` (columns with the nodes at the ends) or ``place``."""
    turned: int = 0
    """Lines drawn from the node at which they are said to end, whose nodes were changed round."""


_ENDS_M: Final = 1.0
"""Ends with one id lie this near each other [m], or the columns are not believed."""
_BELIEVED: Final = 0.99


def vertex_ids(kept: pd.DataFrame, lines: NDArray[np.object_], *, geographic: bool) -> Topology:
    """Find what tells where lines meet: OSM's nodes, or columns with the nodes of their ends.

    Parameters
    ----------
    kept
        The used lines.
    lines
        Their geometry.
    geographic
        True when their coordinates are degrees.

    Returns
    -------
    Topology
        One id a vertex, in the order of the coordinates.
    """
    count = shapely.get_num_coordinates(lines)
    start = np.concatenate([[0], np.cumsum(count)])
    if rules.NODES not in kept.columns:
        return _by_ends(kept, lines, geographic=geographic)
    ids = np.full(int(start[-1]), -1, dtype=np.int64)
    said = kept[rules.NODES].astype("string").fillna("").tolist()
    for row, nodes in enumerate(said):
        mine = nodes.split()
        if len(mine) == count[row]:
            ids[start[row] : start[row + 1]] = np.array(mine, dtype=np.int64)
    if (ids < -1).any():
        ids = np.where(ids < -1, 2**62 + ids, ids)  # nodes that were never sent to the server
    return Topology(ids, "osm")


def _by_ends(kept: pd.DataFrame, lines: NDArray[np.object_], *, geographic: bool) -> Topology:
    """Read columns with the nodes of line ends, where they agree with the places of the ends."""
    import pandas as pd

    lower = {str(column).lower(): column for column in reversed(kept.columns)}
    pair = next((p for p in rules.END_FIELDS if p[0] in lower and p[1] in lower), None)
    if pair is None or (shapely.get_num_geometries(lines) != 1).any():
        return Topology(None, "place")
    ends = pd.concat([kept[lower[name]] for name in pair], ignore_index=True)
    named = ends.astype("string").str.strip()
    number, _ = pd.factorize(named.mask(named == ""), sort=True)
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    first = np.searchsorted(owner, np.arange(len(lines)))
    last = np.append(first[1:], len(owner)) - 1
    metres = np.ones(2)
    if geographic:
        metres = 111_195.0 * np.array([np.cos(np.radians(xy[:, 1].mean())), 1.0])
    spots = pd.DataFrame(np.concatenate([xy[first], xy[last]]) * metres)
    number, turned = _turned_round(number.astype(np.int64), spots)
    known = number >= 0
    near = ~_off_node(number, spots)[known]
    if not known.any() or known.mean() < _BELIEVED or near.mean() < _BELIEVED:
        return Topology(None, "place")
    # Inside a line a vertex is one only with that of a line between the same two nodes.
    u, v = number[: len(lines)], number[len(lines) :]
    place = vertex_numbers(xy, geographic=geographic)
    keys = np.column_stack([place, np.minimum(u, v)[owner], np.maximum(u, v)[owner]])
    inner = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    ids = int(number.max()) + 1 + inner.astype(np.int64)
    ids[first], ids[last] = u, v
    return Topology(ids, "ends", turned)


def _off_node(number: Ints, spots: pd.DataFrame) -> Bools:
    """Tell which ends lie away from most of the ends with their node's id."""
    away = (spots - spots.groupby(number).transform("median")).to_numpy()
    return np.asarray(np.hypot(away[:, 0], away[:, 1]) > _ENDS_M)


def _turned_round(number: Ints, spots: pd.DataFrame) -> tuple[Ints, int]:
    """Change the nodes of lines that were drawn the other way round; count them."""
    n = len(number) // 2
    off = _off_node(number, spots)
    doubt = np.flatnonzero(off[:n] & off[n:] & (number[:n] >= 0) & (number[n:] >= 0))
    if not doubt.size:
        return number, 0
    sure = np.ones(2 * n, dtype=bool)
    sure[doubt] = sure[n + doubt] = False
    middle = spots[sure].groupby(number[sure]).median()
    fits = np.ones(len(doubt), dtype=bool)
    for ends, other in ((doubt, n + doubt), (n + doubt, doubt)):
        away = spots.to_numpy()[ends] - middle.reindex(number[other]).to_numpy()
        fits &= np.hypot(away[:, 0], away[:, 1]) <= _ENDS_M
    rows = doubt[fits]
    number = number.copy()
    number[rows], number[n + rows] = number[n + rows], number[rows]
    return number, len(rows)


def _in_degrees(crs: Any) -> bool:
    """Tell whether coordinates are degrees."""
    return bool(pyproj.CRS.from_user_input(crs).is_geographic)


def _barred(
    kept: pd.DataFrame, topology: Topology, kind: str, vehicle: str | None, presets: Values | None
) -> tuple[Bools | None, dict[str, int]]:
    """Tell past which vertices nothing goes; count the barriers and those that bar."""
    if topology.how != "osm" or topology.ids is None or rules.POINTS not in kept.columns:
        return None, {"nodes": 0, "closed": 0}
    tags: dict[int, dict[str, str]] = {}
    for said in kept[rules.POINTS].dropna():
        tags.update({int(node): held for node, held in json.loads(said).items()})
    shut = {node for node, held in tags.items() if bars(held, kind, vehicle, presets)}
    stand = shut | {node for node, held in tags.items() if "barrier" in held}
    return np.isin(topology.ids, list(shut)), {"nodes": len(stand), "closed": len(shut)}


def _ferry_speeds(
    kept: pd.DataFrame,
    classes: NDArray[np.object_],
    pieces: Pieces,
    speed: Floats,
    presets: Values | None,
) -> Floats:
    """Give ferries the speed of their duration, or that of a ferry of which nothing is said."""
    ferry = classes == FERRY
    if not ferry.any():
        return speed
    common = float(chosen(presets, "access.ferries")["speed_kmh"])
    length = np.bincount(pieces.line, weights=pieces.length_m, minlength=len(kept))
    took = np.full(len(kept), np.nan)
    if "duration" in kept.columns:
        took = np.array([duration_s(str(said)) for said in kept["duration"].fillna("")])
    with np.errstate(invalid="ignore", divide="ignore"):
        own = length / took * 3.6
    return np.where(ferry, np.where(np.isfinite(own) & (own > 0), own, common), speed)


def _told(
    table: pd.DataFrame,
    verdict: Verdict,
    *,
    long: Bools,
    use: Bools,
    classes: pd.Series,
    barriers: dict[str, int],
) -> dict[str, Any]:
    """Count what became of the lines; a way that was cut counts once."""
    import pandas as pd

    once = np.ones(len(table), dtype=bool)
    if rules.NODES in table.columns and rules.WAY_ID in table.columns:
        once = ~table[rules.WAY_ID].duplicated().to_numpy(dtype=bool)
    why = np.where(long, np.where(verdict.used, "direction", verdict.reason), "no_line")
    told = {
        "ways": int(once.sum()),
        "used": int((once & use).sum()),
        "dropped": _counted(why[once & ~use]),
        "restrictions": {},
        "barriers": barriers,
        "ferries": {
            "ways": int((once & (classes == FERRY)).sum()),
            "used": int((once & use & (classes == FERRY)).sum()),
        },
    }
    if rules.CUT in table.columns:
        cut = pd.to_numeric(table[rules.CUT], errors="coerce").fillna(0) > 0
        told["cut"] = int((once & cut).sum())
    wet = use & _through_water(table)
    if wet.any():
        own = rules.NODES in table.columns and rules.WAY_ID in table.columns
        told["fords"] = int(table[rules.WAY_ID][wet].nunique() if own else wet.sum())
    told["narrow"], told["rough"] = (
        int((once & use & which).sum()) for which in (verdict.narrow, verdict.rough)
    )
    told["conditional"] = verdict.conditional
    told["not_through"] = int((once & use & verdict.ends).sum())
    return told


def _through_water(table: pd.DataFrame) -> Bools:
    """Tell which lines lead through water or are said to flood: whole, or at one of their nodes."""
    wet = np.zeros(len(table), dtype=bool)
    for tag, values in _FLOODS.items():
        if tag in table.columns:
            wet |= rules.words(table[tag]).isin(values).to_numpy(dtype=bool)
    if "ford" in table.columns:
        wet |= _is_ford(table["ford"].fillna("no").tolist())
    if rules.POINTS in table.columns:
        said = table[rules.POINTS].fillna("").astype(str)
        for row in np.flatnonzero(said.str.contains('"ford"', regex=False)):
            held = json.loads(said.iloc[row]).values()
            wet[row] |= _is_ford([tags.get("ford", "no") for tags in held]).any()
    return wet


_FLOODS: Final = {"flood_prone": ("yes",), "tidal": ("yes",), "hazard": ("flood", "flooding")}
"""Tags of roads that stand under water at times, which nothing shuts."""


def _is_ford(said: list[Any]) -> Bools:
    """Tell which values name a ford; stepping stones are one too."""
    return np.array([str(one) not in ("", "no") for one in said], dtype=bool)


def _given(
    kept: pd.DataFrame,
    speed: Floats,
    field: str | None,
    kind: str,
    presets: Values | None,
) -> tuple[Floats, NDArray[np.object_]]:
    """Let speeds that the layer gives stand before those of the class; tell which column."""
    source = np.full(len(kept), "class", dtype=object)
    if kind == "foot":
        return speed, source
    lower = [f"maxspeed:{way}" for way in ("backward", *chosen(presets, "access.maxspeed")[kind])]
    names = [field] if field else [MEASURED_KMH, "speed_kmh", "maxspeed"]
    if field is None:
        names += ["maxspeed:forward", *lower]
        names += ["zone:maxspeed", "source:maxspeed", "maxspeed:type"]
    given = np.full(len(kept), np.nan)
    for name in names:
        if name in kept.columns:
            own = rules.given_speeds(kept[name], presets=presets)
            both = name in lower
            fresh = np.isnan(given) & ~np.isnan(own)
            source[fresh] = MEASURED_KMH if name == field else name.split(":")[0]
            given = np.where(np.isnan(given), own, np.fmin(given, own) if both else given)
    return np.where(np.isnan(given), speed, given), source


MEASURED_KMH: Final = "measured_kmh"
SECONDS: Final = "seconds"
"""Columns of a road layer with the measured speed [km/h] and the measured time of a line [s]."""
TIMED: Final = (SECONDS, MEASURED_KMH)
"""What is measured stands as it is at every hour."""
_LEAST_KMH: Final = 0.5
_MOST_KMH: Final = 200.0
"""A time that makes a line slower or faster than this is not believed [km/h]."""


def _measured(
    kept: pd.DataFrame, pieces: Pieces, speed: Floats, source: NDArray[np.object_]
) -> tuple[Floats, NDArray[np.object_]]:
    """Let the time that the layer gives for a whole line stand before every speed."""
    import pandas as pd

    lower = {str(column).lower(): column for column in reversed(kept.columns)}
    if SECONDS not in lower:
        return speed, source
    took = pd.to_numeric(kept[lower[SECONDS]], errors="coerce").to_numpy(dtype=np.float64)
    length = np.bincount(pieces.line, weights=pieces.length_m, minlength=len(kept))
    with np.errstate(invalid="ignore", divide="ignore"):
        own = length / took * 3.6
    use = (took > 0) & (own >= _LEAST_KMH) & (own <= _MOST_KMH)
    odd = np.isfinite(took) & ~use
    source = np.where(use, SECONDS, np.where(odd, "seconds_unfit", source))
    return np.where(use, own, speed), source.astype(object)


def _speeds(
    kept: pd.DataFrame,
    used: NDArray[np.object_],
    pieces: Pieces,
    flow: Floats,
    field: str | None,
    kind: str,
    presets: Values | None,
) -> tuple[Floats, NDArray[np.object_]]:
    """Give the speed of every line, and what gives it."""
    speed, source = _given(kept, flow, field, kind, presets)
    speed = _ferry_speeds(kept, used, pieces, speed, presets)
    return (speed, source) if kind == "foot" else _measured(kept, pieces, speed, source)


def _counted(words: NDArray[np.object_]) -> dict[str, int]:
    """Tell how often each word stands there."""
    names, counts = np.unique(words.astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


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
    way: Direction | None,
    field: str | None,
    kind: str,
    *,
    osm: bool,
    presets: Values | None,
) -> tuple[Bools, Bools, tuple[str, ...]]:
    """Tell the permitted directions of every line."""
    every, none = np.ones(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    if way == "two_way":
        return every, every.copy(), ()
    table = rules.by_compass(table, field or "oneway")
    if osm and way != "digitised" and field in (None, "oneway"):
        return osm_directions(table, classes, kind, presets)
    if kind == "foot":
        return every, every.copy(), ()
    if way == "digitised":
        return every, none, ()
    if field is None and "oneway" in table.columns:
        field = "oneway"
    return rules.directions(table, classes, field, implied=osm)


def _lengths(pieces: Pieces, given: pd.Series | None) -> Floats:
    """Take lengths from a field, shared out along the line, or as measured."""
    import pandas as pd

    if given is None:
        return pieces.length_m
    values = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64)[pieces.line]
    usable = np.isfinite(values) & (values >= 0)
    return np.where(usable, pieces.share * np.where(usable, values, 0.0), pieces.length_m)


def _metric(source: Any, pieces: Pieces) -> Any:
    """Choose the metric CRS of the graph."""
    system = pyproj.CRS.from_user_input(source)
    if system.is_projected:
        return system
    middle = to_lonlat((pieces.node_xy.min(axis=0) + pieces.node_xy.max(axis=0))[None] / 2, source)
    return metric_crs(float(middle[0, 0]), float(middle[0, 1]))


def _assemble(
    pieces: Pieces,
    ways: _Ways,
    profile: str,
    kind: str,
    presets: Values | None,
    told: dict[str, Any],
    notes: tuple[Text, ...],
) -> RoadGraph:
    """Join what is one street, order the arcs, find the turns and the parts."""
    keep, twin, forward, backward = _streets(pieces, ways)
    tail, head, line = pieces.tail[keep], pieces.head[keep], pieces.line[keep]
    size = len(pieces.node_xy)
    indptr, indices, arc_edge = arcs(tail, head, forward, backward, size)
    component, nodes, island = _parts(tail, head, size)
    xy = project(pieces.xy, *ways.crs)
    number = np.repeat(np.arange(len(pieces.line)), np.diff(pieces.start))
    metres, kmh = ways.length[keep], ways.speed[line]
    way = _ids(ways.table)[line]
    ends = ways.ends[line] | ((twin >= 0) & ways.ends[pieces.line[np.maximum(twin, 0)]])
    streets = Streets(
        tail=tail, head=head, way=way, node_id=pieces.node_id, indptr=indptr, indices=indices,
        arc_edge=arc_edge, inner={},
    )  # fmt: skip
    turns, told["restrictions"] = _turns_of(ways.all, streets, ends, kind, presets)
    notes = (*notes, *turn_notes(told["restrictions"]), *parts_notes(nodes, island))
    names, name = _names(ways.table)
    return RoadGraph(
        crs=pyproj.CRS.from_user_input(ways.crs[1]).to_string(),
        profile=profile,
        node_xy=project(pieces.node_xy, *ways.crs),
        indptr=indptr,
        indices=indices,
        arc_edge=arc_edge,
        arc_length_m=metres[arc_edge],
        arc_seconds=(metres * 3.6 / kmh)[arc_edge],
        **_edges(tail, head, metres, kmh, forward, backward),
        edge_row=ways.rows[line],
        edge_twin_row=np.where(twin >= 0, ways.rows[pieces.line[twin]], -1),
        edge_class=ways.classes[line],
        edge_geometry=shapely.linestrings(xy, indices=number)[keep],
        edge_off=ways.off[line],
        edge_timed=ways.timed[line],
        spare_m=float(chosen(presets, "access.keep_off_m")),
        edge_way=way,
        edge_name=name[line],
        names=names,
        turn_arc=turns.arc,
        turn_zone=turns.zone,
        turn_indptr=turns.indptr,
        turn_indices=turns.indices,
        component=component,
        island=island,
        told=told,
        notes=notes,
    )


def _streets(pieces: Pieces, ways: _Ways) -> tuple[Ints, Ints, Bools, Bools]:
    """Keep one edge of those that lie on each other: its twin, and where one may travel."""
    line = pieces.line
    cost = ways.length / ways.speed[line]
    first, along = same_streets(pieces, cost, ways.off[line])
    ahead, back = ways.forward[line], ways.backward[line]
    forward, backward = np.zeros(len(line), bool), np.zeros(len(line), bool)
    np.logical_or.at(forward, first, np.where(along, ahead, back))
    np.logical_or.at(backward, first, np.where(along, back, ahead))
    keep = np.flatnonzero(first == np.arange(len(line)))
    # Of more than two that of the other direction comes first.
    more = np.flatnonzero(first != np.arange(len(line)))
    more = more[np.lexsort((more, along[more], first[more]))][::-1]
    twin = np.full(len(line), -1)
    twin[first[more]] = more
    return keep, twin[keep], forward[keep], backward[keep]


def _edges(
    tail: Ints, head: Ints, metres: Floats, kmh: Floats, forward: Bools, backward: Bools
) -> dict[str, Any]:
    return {
        "edge_tail": tail,
        "edge_head": head,
        "edge_length_m": metres,
        "edge_speed_kmh": kmh,
        "edge_forward": forward,
        "edge_backward": backward,
    }


def _parts(tail: Ints, head: Ints, size: int) -> tuple[Ints, Ints, Bools]:
    """Give the part of each node, 0 the largest, the nodes of each, and which are tiny."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(tail)), (tail, head)), shape=(size, size))
    part = connected_components(links, directed=False)[1]
    nodes = np.bincount(part)
    rank = np.empty(len(nodes), dtype=np.int64)
    rank[np.argsort(-nodes, kind="stable")] = np.arange(len(nodes))
    return rank[part], nodes, nodes[part] < max(2.0, ISLAND_SHARE * size)


def _ids(kept: pd.DataFrame) -> Ints:
    """Give the OSM way of each line, -1 for none."""
    import pandas as pd

    return osm_ids(kept[rules.WAY_ID] if rules.WAY_ID in kept else pd.Series(-1, index=kept.index))


def _turns_of(
    kept: pd.DataFrame, streets: Streets, ends: Bools, kind: str, presets: Values | None
) -> tuple[Turns, dict[str, int]]:
    """Read the restrictions of the used ways and join the arcs by the turns that are left."""
    bans: list[Ban] = []
    told: dict[str, int] = {}
    if rules.TURNS in kept.columns and rules.WAY_ID in kept.columns:
        said = kept[rules.TURNS].notna().to_numpy(dtype=bool)
        ways = osm_ids(kept[rules.WAY_ID])
        bans, told = read_bans(
            kept[rules.TURNS][said].tolist(), kind, presets, start=ways[said].tolist()
        )
        nodes = kept[rules.NODES].astype("string").fillna("").tolist()
        mine = {way for ban in bans for way in (ban.start, *ban.stop)}
        streets = replace(streets, inner=inner_nodes(ways, nodes, mine))
    turns = make_turns(streets, bans, ends)
    for name, count in turns.told.items():
        told[name] = told.get(name, 0) + count
    return turns, dict(sorted(told.items()))


NAME_FIELDS: Final = ("name", "road_name", "道路名称", "路名", "street", "st_name")
"""Columns looked at for the name of a road, in this order (case does not matter)."""


def _names(kept: pd.DataFrame) -> tuple[tuple[str, ...], Ints]:
    """Give the names of roads, each once, and the position of each line's name."""
    import pandas as pd

    lower = {str(column).lower(): column for column in reversed(kept.columns)}
    column = next((lower[name] for name in NAME_FIELDS if name in lower), None)
    said = pd.Series("", index=kept.index) if column is None else kept[column]
    said = said.astype("string").fillna("").str.strip()
    place, names = pd.factorize(said.mask(said == ""), sort=True)
    return tuple(str(name) for name in names), place.astype(np.int64)

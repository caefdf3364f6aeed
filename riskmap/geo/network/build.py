"""Build a road graph from any line layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyproj
import shapely
from numpy.typing import NDArray

from riskmap.errors import LayerError, UsageError
from riskmap.geo.network import rules
from riskmap.geo.network.graph import ISLAND_SHARE, Bools, Direction, Floats, Ints, RoadGraph, arcs
from riskmap.geo.network.remarks import left_out, notes_on, parts_notes
from riskmap.geo.network.source import check_units
from riskmap.geo.network.speeds import URBAN, Values, chosen, class_speeds
from riskmap.geo.network.split import Pieces, project, split_lines, to_lonlat, twins
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import geopandas as gpd

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

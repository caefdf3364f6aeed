"""Distances and times between lists of points, as the command ``riskmap route`` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from riskmap.errors import LayerError, UsageError
from riskmap.geo.network.build import build_graph, project
from riskmap.geo.network.flooded import FACTORS
from riskmap.geo.network.graph import Snapped
from riskmap.geo.network.rules import (
    CAR,
    FERRY,
    URBAN,
    Values,
    chosen,
    hour_notes,
    moved_notes,
    shipped,
)
from riskmap.geo.network.snap import (
    SNAP_LIMIT_M,
    plain_name,
    put_by_name,
    snap_points,
)
from riskmap.geo.network.tables import (
    MAIN_NODES,
    Places,
    Row,
    main_edges,
    matched_rows,
    put_on_main,
)
from riskmap.geo.network.travel import at_hour
from riskmap.i18n import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    import pandas as pd

    from riskmap.geo.network.graph import Bools, Direction, Floats, RoadGraph, Weight


_OPEN_SLACK_M: Final = 1.0
"""An open road this much farther than a closed one is still the point's road [m]."""


def find_ways(
    graph: RoadGraph,
    xy: tuple[Floats, Floats],
    closed: Bools,
    costs: tuple[Floats, Floats],
    *,
    main: Callable[[], Bools],
    match: str,
    weight: Weight,
    snap_limit: float,
    limit: float,
    roads: tuple[list[str], list[str]],
) -> tuple[list[Row], list[Places], tuple[set[int], set[int]]]:
    """Put the points on roads and find the ways; off detached pieces where there is none.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Origins and destinations in its CRS [m].
    closed
        Edges that are closed, shape (m,).
    costs
        Cost of each edge that is minimised, infinite where closed, and the other one.
    main
        Gives the edges of the main network, shape (m,).
    match, weight
        As in `matched_rows`.
    snap_limit
        Longest way from a point to the road, inclusive [m].
    limit
        As in `matched_rows`.
    roads
        Name of the road on which each origin and each destination lies, blank for none.

    Returns
    -------
    rows, places, moved
        As in `put_on_main`.
    """

    def places(among: Bools | None = None) -> Places:
        first, second = (
            put_by_name(
                graph, one, snap_limit, said, put_on_roads(graph, one, snap_limit, ~closed, among)
            )
            for one, said in zip(xy, roads, strict=True)
        )
        return first, second

    def ways(at: Places, how: Literal["asked", "free"]) -> list[Row]:
        dry = (graph.cost(weight), costs[1])
        reach, edge = (np.inf, dry) if how == "free" else (limit, costs)
        return matched_rows(graph, *at, edge, match=match, weight=weight, limit=reach)

    put = places()
    return put_on_main(
        ways(put, "asked"), put, main, match=match, again=lambda: places(main()), ways=ways
    )


@dataclass(frozen=True, eq=False)
class Listed:
    """Points between which ways are sought."""

    names: list[str]
    lon: Floats
    lat: Floats
    """Longitude and latitude (EPSG:4326) [degrees]."""
    roads: list[str]
    """Name of the road on which each lies, blank where it names none."""

    def __len__(self) -> int:
        """Count the points."""
        return len(self.names)


def listed(table: pd.DataFrame | Listed) -> Listed:
    """Read points off a table.

    Parameters
    ----------
    table
        Points with ``id``, ``lon``, ``lat`` (EPSG:4326), and perhaps the name of the road.

    Returns
    -------
    Listed
        The same.

    Raises
    ------
    LayerError
        If a column is missing.
    """
    if isinstance(table, Listed):
        return table
    import pandas as pd

    missing = [name for name in ("id", "lon", "lat") if name not in table.columns]
    if missing:
        raise LayerError(
            text("the list of points lacks the column {missing}", missing=", ".join(missing))
        )
    lon, lat = (
        pd.to_numeric(table[axis], errors="coerce").to_numpy(dtype=np.float64)
        for axis in ("lon", "lat")
    )
    road = named_road(table.columns)
    roads = [""] * len(table)
    if road is not None:
        roads = table[road].astype("string").fillna("").str.strip().tolist()
    return Listed(table["id"].astype(str).tolist(), lon, lat, roads)


def points_xy(graph: RoadGraph, points: Listed) -> Floats:
    """Bring points into the graph's CRS.

    Parameters
    ----------
    graph
        The road graph.
    points
        The points.

    Returns
    -------
    numpy.ndarray
        Places, shape (n, 2) [m].

    Raises
    ------
    LayerError
        If a point has no usable longitude and latitude.
    """
    wrong = np.flatnonzero(~((np.abs(points.lon) <= 180) & (np.abs(points.lat) <= 90)))
    if len(wrong):
        raise LayerError(
            text(
                "points without usable longitude and latitude: {ids}",
                ids=", ".join(points.names[row] for row in wrong[:20]),
            )
        )
    return project(np.column_stack([points.lon, points.lat]), "EPSG:4326", graph.crs)


def put_on_roads(
    graph: RoadGraph, xy: Floats, limit_m: float, usable: Bools, among: Bools | None
) -> Snapped:
    """Put points on the nearest road; of roads about equally near an open one.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points, shape (n, 2) [m].
    limit_m
        Longest way from a point to the road, inclusive [m].
    usable
        Edges that are open, shape (m,).
    among
        Edges that are looked at, shape (m,); None: all.

    Returns
    -------
    Snapped
        The places.
    """
    nearest = snap_points(graph, xy, limit_m=limit_m, usable=among)
    open_ones = usable if among is None else usable & among
    if usable.all() or not open_ones.any():
        return nearest
    open_ = snap_points(graph, xy, limit_m=limit_m, usable=open_ones)
    better = open_.on & (open_.walk_m <= nearest.walk_m + _OPEN_SLACK_M)
    return Snapped(
        np.where(better, open_.edge, nearest.edge),
        np.where(better, open_.along, nearest.along),
        np.where(better, open_.walk_m, nearest.walk_m),
        np.where(better[:, None], open_.xy, nearest.xy),
    )


Match = Literal["pairs", "nearest", "matrix"]
VEHICLES: Final = {
    "car": ("car", CAR),
    "truck": ("car", CAR),
    "high_clearance": ("emergency", URBAN),
    "fire_engine": ("emergency", URBAN),
    "boat": ("emergency", URBAN),
    "foot": ("foot", URBAN),
}
"""Network profile and preset of speeds of each vehicle."""


def route(
    lines: gpd.GeoDataFrame,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    *,
    match: Match = "pairs",
    weight: Weight = "metres",
    vehicle: str = "car",
    oneway_field: str | None = None,
    directed: bool = False,
    undirected: bool = False,
    length_field: str | None = None,
    speed_field: str | None = None,
    class_field: str | None = None,
    depth_field: str | None = None,
    close_above: float | None = None,
    snap_limit: float = SNAP_LIMIT_M,
    limit: float = np.inf,
    join_ends: float | None = None,
    hour: int | None = None,
    presets: Values | None = None,
) -> dict[str, Any]:
    """Give the shortest ways between points on a road network.

    Parameters
    ----------
    lines
        The road lines.
    origins, destinations
        Points with columns ``id``, ``lon``, ``lat`` (EPSG:4326), and perhaps ``road``: the name
        of the road on which a point lies.
    match
        ``pairs`` row by row, ``nearest`` destination of each origin, or ``matrix`` of all.
    weight
        What is minimised, ``metres`` or ``seconds``; both are reported.
    vehicle
        ``car``, ``truck``, ``high_clearance``, ``fire_engine``, ``boat`` or ``foot``.
    oneway_field
        Column of one-way values.
    directed, undirected
        All lines one-way as digitised; all lines two-way.
    length_field, speed_field, class_field
        Columns of given lengths [m], given speeds [km/h] and classes.
    depth_field
        Column with the depth of water [m]; missing = dry.
    close_above
        Lines deeper than this are closed [m].
    snap_limit
        Longest way from a point to the road, inclusive [m].
    limit
        Largest cost, inclusive, in the unit of ``weight``.
    join_ends
        Line ends this near each other are joined [m]; None: as preset.
    hour
        Hour of the day whose traffic counts, 0 to 23; None: free flow.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    dict
        ``{"routes": [...], "notes": [...], "graph": {...}}``; an unreached row has ``reached``
        false, ``to`` None, ``asked_to`` (pairs and matrix) and a ``reason``. Each row tells on
        which road its points were put; ``graph`` counts what became of the lines.

    Raises
    ------
    UsageError
        If the options contradict each other or the lists do not pair.
    LayerError
        If a point list or the layer cannot be used.

    Examples
    --------
    >>> import pandas as pd
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> lines = gpd.GeoDataFrame(geometry=[LineString([(117, 36), (117.01, 36)])], crs=4326)
    >>> a = pd.DataFrame({"id": ["a"], "lon": [117.0], "lat": [36.0]})
    >>> b = pd.DataFrame({"id": ["b"], "lon": [117.005], "lat": [36.0]})
    >>> route(lines, a, b)["routes"][0]["metres"]
    450.818
    """
    if (close_above is None) != (depth_field is None):
        raise UsageError(text("--close-above and --depth-field need each other"))
    options = graph_options(
        vehicle, oneway_field=oneway_field, directed=directed, undirected=undirected,
        length_field=length_field, speed_field=speed_field, class_field=class_field,
        join_ends=join_ends,
    )  # fmt: skip
    starts, stops = listed(origins), listed(destinations)
    _check(starts, stops, match)
    graph = build_graph(lines, presets=shipped(presets), **options)
    return route_on(
        graph, starts, stops, match=match, weight=weight, vehicle=vehicle,
        closed=closed_edges(graph, lines, depth_field, close_above),
        snap_limit=snap_limit, limit=limit, hour=hour, presets=presets,
    )  # fmt: skip


def graph_options(
    vehicle: str,
    *,
    oneway_field: str | None = None,
    directed: bool = False,
    undirected: bool = False,
    length_field: str | None = None,
    speed_field: str | None = None,
    class_field: str | None = None,
    join_ends: float | None = None,
) -> dict[str, Any]:
    """Give the options by which the graph of a vehicle is built.

    Parameters
    ----------
    vehicle
        The vehicle.
    oneway_field, directed, undirected, length_field, speed_field, class_field, join_ends
        As in `route`.

    Returns
    -------
    dict
        Options of `build_graph`.

    Raises
    ------
    UsageError
        If they contradict each other.
    """
    if directed and undirected:
        raise UsageError(text("--directed and --undirected contradict each other"))
    if vehicle not in VEHICLES:
        raise UsageError(
            text(
                "unknown vehicle {vehicle}; known are {known}",
                vehicle=repr(vehicle),
                known=", ".join(VEHICLES),
            )
        )
    profile, speeds = VEHICLES[vehicle]
    direction: Direction | None = "two_way" if undirected else None
    return {
        "speeds": speeds,
        "profile": profile,
        "vehicle": vehicle,
        "direction": "digitised" if directed else direction,
        "oneway_field": None if directed or undirected else oneway_field,
        "length_field": length_field,
        "speed_field": speed_field,
        "class_field": class_field,
        "tolerance_m": join_ends,
    }


def route_on(
    graph: RoadGraph,
    origins: pd.DataFrame | Listed,
    destinations: pd.DataFrame | Listed,
    *,
    match: Match = "pairs",
    weight: Weight = "metres",
    vehicle: str = "car",
    closed: Bools | None = None,
    snap_limit: float = SNAP_LIMIT_M,
    limit: float = np.inf,
    hour: int | None = None,
    presets: Values | None = None,
) -> dict[str, Any]:
    """Give the shortest ways between points on a road graph.

    Parameters
    ----------
    graph
        The graph of the vehicle.
    origins, destinations, match, weight, vehicle
        As in `route`.
    closed
        Edges that are closed, shape (m,); None: none.
    snap_limit, limit, hour, presets
        As in `route`.

    Returns
    -------
    dict
        As `route`.
    """
    lists = listed(origins), listed(destinations)
    _check(*lists, match)
    graph = at_hour(graph, hour, presets)
    known = shipped(presets)
    shut = np.zeros(graph.edge_count, dtype=bool) if closed is None else closed
    factor = float(known[FACTORS].get(vehicle, 1.0))
    rows, where, moved = find_ways(
        graph,
        (points_xy(graph, lists[0]), points_xy(graph, lists[1])),
        shut,
        _costs(graph, shut, _seconds(graph, factor), weight),
        main=cache(lambda: main_edges(graph, int(chosen(presets, MAIN_NODES)))),
        match=match,
        weight=weight,
        snap_limit=snap_limit,
        limit=limit,
        roads=(lists[0].roads, lists[1].roads),
    )
    names = (lists[0].names, lists[1].names)
    told = (*graph.notes, *hour_notes(graph), *moved_notes(moved, names))
    put = [
        _entry(graph, *row, at, match, moved, lists) for row, at in zip(rows, where, strict=True)
    ]
    return {"routes": put, "notes": [str(note) for note in told], "graph": dict(graph.told)}


def _seconds(graph: RoadGraph, factor: float) -> Floats:
    """Give the time along each edge; a vehicle's factor says nothing about ferries."""
    ferry = graph.edge_class == FERRY
    return np.asarray(graph.edge_seconds / np.where(ferry, 1.0, factor), dtype=np.float64)


ROAD_FIELDS: Final = ("road", "road_name", "street", "所在道路", "道路名称", "路名", "道路")
"""Columns of a point list looked at for the name of its road, in this order."""


def named_road(columns: Iterable[str]) -> str | None:
    """Find the column with the name of the road on which a point lies.

    Parameters
    ----------
    columns
        Names of the columns.

    Returns
    -------
    str or None
        The first of `ROAD_FIELDS` that is there.
    """
    lower = {str(column).lower(): column for column in reversed(list(columns))}
    return next((lower[name] for name in ROAD_FIELDS if name in lower), None)


def _costs(
    graph: RoadGraph, closed: Bools, seconds: Floats, weight: Weight
) -> tuple[Floats, Floats]:
    """Give what is minimised, infinite where closed, and the other cost."""
    first, second = graph.edge_length_m, seconds
    if weight == "seconds":
        first, second = second, first
    return np.where(closed, np.inf, first), second


def _check(origins: Listed, destinations: Listed, match: str) -> None:
    """Stop when the call makes no sense."""
    if match not in ("pairs", "nearest", "matrix"):
        raise UsageError(text("--match is pairs, nearest or matrix, not {match}", match=match))
    if match == "pairs" and len(origins) != len(destinations):
        raise UsageError(
            text(
                "pairs need as many origins as destinations, got {a} and {b}",
                a=len(origins),
                b=len(destinations),
            )
        )


def closed_edges(
    graph: RoadGraph, lines: gpd.GeoDataFrame, field: str | None, above: float | None
) -> Bools:
    """Tell which edges lie under water deeper than a limit.

    Parameters
    ----------
    graph
        The road graph built from ``lines``.
    lines
        The road lines.
    field
        Column with the depth of water [m]; missing = dry.
    above
        Edges deeper than this are closed [m]; None closes none.

    Returns
    -------
    numpy.ndarray
        True where closed, shape (m,).

    Raises
    ------
    UsageError
        If the column does not exist.
    """
    import pandas as pd

    if field is None or above is None:
        return np.zeros(graph.edge_count, dtype=bool)
    if field not in lines.columns:
        raise UsageError(text("the road layer has no column {missing}", missing=field))
    depth = pd.to_numeric(lines[field], errors="coerce").to_numpy(dtype=np.float64)
    deep = np.nan_to_num(depth, nan=-np.inf) > above
    twin = graph.edge_twin_row
    return np.asarray(deep[graph.edge_row] | ((twin >= 0) & deep[np.maximum(twin, 0)]))


def _entry(
    graph: RoadGraph,
    origin: int,
    destination: int,
    metres: float,
    seconds: float,
    places: Places,
    match: str,
    moved: tuple[set[int], set[int]],
    lists: tuple[Listed, Listed],
) -> dict[str, Any]:
    """Write one row of the answer."""
    start, stop = places
    names, asked = [one.names for one in lists], [one.roads for one in lists]

    def put(side: int, place: int) -> dict[str, Any] | None:
        return _put_on(graph, places[side], place, asked[side][place], moved=place in moved[side])

    if np.isfinite(metres):
        return {
            "from": names[0][origin],
            "to": names[1][destination],
            "metres": round(metres, 3),
            "seconds": round(seconds, 3),
            "snap_from_m": round(float(start.walk_m[origin]), 3),
            "snap_to_m": round(float(stop.walk_m[destination]), 3),
            "from_road": put(0, origin),
            "to_road": put(1, destination),
            "reached": True,
        }
    entry: dict[str, Any] = {"from": names[0][origin], "to": None, "reached": False}
    off = not start.on[origin]
    if match != "nearest":
        entry["asked_to"] = names[1][~destination]
        off = off or not stop.on[~destination]
    entry["reason"] = "off_network" if off else "no_route"
    return entry


def _put_on(
    graph: RoadGraph,
    at: Snapped,
    place: int,
    asked: str,
    *,
    moved: bool,
) -> dict[str, Any] | None:
    """Tell on which road a point was put, and by what."""
    if not at.on[place]:
        return None
    edge = int(at.edge[place])
    name = int(graph.edge_name[edge])
    said = graph.names[name] if name >= 0 else None
    by = "nearest"
    if moved:
        by = "main_network"
    elif asked and said is not None and plain_name(said) == plain_name(asked):
        by = "name"
    elif graph.edge_off[edge]:
        by = "nothing_else_near"
    way = int(graph.edge_way[edge])
    return {
        "name": said,
        "class": str(graph.edge_class[edge]) or None,
        "way": way if way != -1 else None,
        "metres": round(float(at.walk_m[place]), 3),
        "by": by,
    }

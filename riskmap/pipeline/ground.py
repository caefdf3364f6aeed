"""What every stage stands on: layers, units and roads, dry and as a scenario leaves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from riskmap.errors import LayerError
from riskmap.geo.grid import cell_centres, cell_of, inside_cells, row_xy
from riskmap.geo.network.build import build_graph
from riskmap.geo.network.flooded import sample, vehicle_seconds, wet_roads
from riskmap.geo.network.graph import RoadGraph, arcs, kept_graph
from riskmap.geo.network.rules import hour_notes
from riskmap.geo.network.snap import snap_rows, snap_tied
from riskmap.geo.network.travel import at_hour, nearest_seconds
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles, placed_rows, with_beyond

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.errors import Problem
    from riskmap.geo.grid import Grid
    from riskmap.geo.network.flooded import WetRoads
    from riskmap.geo.network.graph import Snapped
    from riskmap.indicators.table import Inputs
    from riskmap.layers.layer import Layer, Source
    from riskmap.project.schema import Project
    from riskmap.result import Scenario
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every stage stands on."""

    roles: Mapping[str, Role]
    presets: Presets
    crs: str
    units: gpd.GeoDataFrame
    place: Any
    layers: Mapping[str, Layer]
    problems: tuple[Problem, ...]
    unit_sources: tuple[Source, ...] = ()
    """Files of the units, with rows in, used and returned."""
    veiled: bool = False
    """True when layers and texts are those from which the public edition is computed."""
    words: re.Pattern[str] | None = None
    """Names of persons that no text of a veiled run may hold."""


FACILITIES = {"refuge": ("foot", "to_facility"), "rescue_station": ("emergency", "from_facility")}
"""Role to the profile and direction in which its places are reached."""


@dataclass(frozen=True, kw_only=True)
class Roads:
    """Road graphs by profile, travel seconds of the cells by role, and what must be said."""

    graphs: Mapping[str, RoadGraph] = field(default_factory=dict)
    cells: Mapping[str, tuple[Snapped, NDArray[np.int64]]] = field(default_factory=dict)
    """By profile, as `cells_on_roads` gives it."""
    seconds: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def build_roads(
    layers: Mapping[str, Layer],
    grid: Grid,
    *,
    direction: str | None,
    presets: Presets,
    crs: str,
    roles: Mapping[str, Role] | None = None,
    cache: Path | None = None,
    hour: int | None = None,
) -> Roads:
    """Build the road graphs and measure how far every cell is from refuge and station.

    Parameters
    ----------
    layers
        The layers.
    grid
        The grid.
    direction
        How road lines may be driven, or None.
    presets
        Speeds and snapping limit.
    crs
        The run's CRS.
    roles
        The roles, which say what is out of use; None takes every row.
    cache
        Folder in which road graphs are kept between runs, or None.
    hour
        Hour of the day whose traffic vehicles meet; None: free flow.

    Returns
    -------
    Roads
        Empty when there is no road layer: distances are straight lines then.
    """
    lines = placed_rows(layers, "road")
    if lines is None:
        return Roads(notes=(text("No road layer: distances are straight lines."),))

    graphs: dict[str, Any] = {}
    cells: dict[str, tuple[Snapped, NDArray[np.int64]]] = {}
    seconds: dict[str, NDArray[np.float32]] = {}
    notes: list[Text] = []
    for role, (profile, way) in FACILITIES.items():
        places = with_beyond(layers, role, roles)
        if places is None:
            continue
        try:
            graph = profile_graph(
                lines, profile, direction=direction, presets=presets, crs=crs, cache=cache,
                hour=hour,
            )  # fmt: skip
        except LayerError as error:
            notes.append(text("Roads cannot be used ({why}).", why=str(error)))
            continue
        graphs[profile] = graph
        notes.extend(text("Roads: {note}.", note=note) for note in graph.notes)
        cells[profile] = cells_on_roads(graph, grid)
        seconds[role] = cell_seconds(
            graph, places, grid, cells=cells[profile], way=way, presets=presets
        )
    if graphs:
        said = hour_notes(graphs["emergency"]) if "emergency" in graphs else ()
        free = text(
            "Travel times are free-flow (自由流): no traffic, no water and no turn-out counted."
        )
        notes.extend(text("Roads: {note}.", note=note) for note in said)
        notes += [] if said else [free]
    told = {str(note): note for note in notes}
    return Roads(graphs=graphs, cells=cells, seconds=seconds, notes=tuple(told.values()))


def profile_graph(
    lines: gpd.GeoDataFrame,
    profile: str,
    *,
    direction: str | None,
    presets: Presets,
    crs: str,
    cache: Path | None = None,
    hour: int | None = None,
) -> RoadGraph:
    """Build the road graph of one profile.

    Parameters
    ----------
    lines
        The road layer.
    profile
        ``foot``, ``car`` or ``emergency``.
    direction
        How road lines may be driven, or None.
    presets
        Speeds.
    crs
        The run's CRS.
    cache
        Folder in which road graphs are kept between runs, or None.
    hour
        Hour of the day whose traffic vehicles meet; None: free flow.

    Returns
    -------
    RoadGraph
        The graph.

    Raises
    ------
    LayerError
        When the lines make no network.
    """
    oneway = "oneway" if direction == "oneway_field" and "oneway" in lines else None
    options: dict[str, Any] = {
        "profile": profile,
        "direction": direction,
        "oneway_field": oneway,
        "crs": crs,
    }
    values = {key: presets.preset(key).value for key in presets}
    graph = kept_graph(
        cache,
        lines,
        options,
        values,
        presets,
        lambda seen: build_graph(lines, presets=seen, **options),
    )
    return at_hour(graph, hour, presets)


def road_cache(project: Project) -> Path | None:
    """Find the folder in which road graphs are kept between runs.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path or None
        ``.riskmap/cache`` beside the project file; None when the project keeps none.
    """
    return project.path.parent / ".riskmap" / "cache" if project.cache else None


AS_NEAR_M: Final = 1e-5
"""Roads whose distances to a point differ by less are as near [m]."""
APART_M: Final = 0.1
"""Places on roads nearer to each other are one place, as on both sides of a bend [m]."""
STRAIGHT: Final = "straight"
"""Class of the edges where there are no roads."""
_STEPS: Final = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
"""Neighbours (columns, rows) that a point of the open country is joined to, half of them."""
_MOST_NODES: Final = 20_000


def straight_graph(grid: Grid, profile: str, *, presets: Presets) -> RoadGraph:
    r"""Stand in for roads that nobody gave: open country, straight ways, a stated detour.

    Points at the cells' spacing are joined to their sixteen neighbours, so that a way is at most
    2.8 % longer than the straight line; its length and time then take the detour factor.

    Parameters
    ----------
    grid
        The grid; its place is the country.
    profile
        ``foot`` or a vehicle's.
    presets
        ``road.straight_detour``, ``road.straight_kmh`` and ``road.foot_kmh``.

    Returns
    -------
    RoadGraph
        With edges of class `STRAIGHT`.
    """
    west, south, east, north = grid.bounds
    step = max(grid.size_m, float(np.sqrt((east - west) * (north - south) / _MOST_NODES)))
    nx, ny = (max(int(np.ceil(side / step)) + 1, 2) for side in (east - west, north - south))
    column, row = (part.ravel() for part in np.meshgrid(np.arange(nx), np.arange(ny)))
    xy = np.column_stack([west + column * step, south + row * step])
    ends = []
    for across, up in _STEPS:
        to = (column + across < nx) & (row + up < ny) & (row + up >= 0)
        here = np.flatnonzero(to)
        ends.append(np.column_stack([here, here + up * nx + across]))
    tail, head = (part.astype(np.int64) for part in np.concatenate(ends).T)
    detour = float(presets["road.straight_detour"])
    speed = float(presets["road.foot_kmh" if profile == "foot" else "road.straight_kmh"])
    length = np.hypot(*(xy[head] - xy[tail]).T) * detour
    both = np.ones(len(tail), bool)
    indptr, indices, edge = arcs(tail, head, both, both, len(xy))
    return RoadGraph(
        crs=grid.crs, profile=profile, node_xy=xy, indptr=indptr, indices=indices, arc_edge=edge,
        arc_length_m=length[edge], arc_seconds=length[edge] * 3.6 / speed,
        edge_tail=tail, edge_head=head, edge_length_m=length,
        edge_speed_kmh=np.full(len(tail), speed), edge_forward=both, edge_backward=both,
        edge_row=np.zeros(len(tail), np.int64), edge_twin_row=np.full(len(tail), -1, np.int64),
        edge_class=np.full(len(tail), STRAIGHT, dtype=object),
        edge_geometry=np.asarray(shapely.linestrings(np.stack([xy[tail], xy[head]], 1)), object),
        component=np.zeros(len(xy), np.int64), island=np.zeros(len(xy), bool),
    )  # fmt: skip


def find_graph(
    project: Project, ground: Ground, roads: Roads, profile: str, *, grid: Grid
) -> RoadGraph | None:
    """Give the road graph of a profile, built now when no facility has asked for it.

    Parameters
    ----------
    project
        How road lines may be driven, and where graphs are kept.
    ground
        Layers, presets and CRS.
    roads
        The graphs of the run.
    profile
        ``foot`` or ``emergency``.
    grid
        The grid.

    Returns
    -------
    RoadGraph or None
        `straight_graph` without a road layer; None when its lines make no network, as `build_roads`
        has said.
    """
    lines = placed_rows(ground.layers, "road")
    if profile in roads.graphs:
        return roads.graphs[profile]
    if lines is None:
        return straight_graph(grid, profile, presets=ground.presets)
    try:
        return profile_graph(
            lines,
            profile,
            direction=road_direction(project),
            presets=ground.presets,
            crs=ground.crs,
            cache=road_cache(project),
            hour=project.traffic.hour,
        )
    except LayerError:
        return None


def road_direction(project: Project) -> str | None:
    """Tell how the project says road lines may be driven.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    str or None
        That of the first road source; None leaves it to the lines' own tags.
    """
    sources = project.layers.get("road")
    return sources[0].direction if sources else None


def cells_on_roads(graph: RoadGraph, grid: Grid) -> tuple[Snapped, NDArray[np.int64]]:
    """Find where the cells inside the place come to the roads.

    A cell far from every road is as much later as the walk to it takes, not out of reach. Who lives
    as far from two roads takes the better one; which was drawn first says nothing.

    Parameters
    ----------
    graph
        The road graph.
    grid
        The grid.

    Returns
    -------
    at : Snapped
        Places on the roads, one or more for each cell.
    row : numpy.ndarray
        Which of the cells inside the place each is of.
    """
    return snap_tied(
        graph, np.column_stack(cell_centres(grid, inside_cells(grid))),
        limit_m=np.inf, as_near_m=AS_NEAR_M, apart_m=APART_M,
    )  # fmt: skip


def cell_seconds(
    graph: RoadGraph,
    places: gpd.GeoDataFrame,
    grid: Grid,
    *,
    cells: tuple[Snapped, NDArray[np.int64]],
    way: str,
    presets: Presets,
    edge_cost: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Measure the time by road between each cell inside the place and its nearest facility.

    The last metres between road and door are timed by mode, at both ends; a vehicle has arrived
    within ``network.half_width_m`` of the road, or half a cell. Beyond the snapping limit everybody
    walks.

    Parameters
    ----------
    graph
        The road graph.
    places
        The facilities.
    grid
        The grid.
    cells
        Its cells on this graph, as `cells_on_roads` gives them.
    way
        ``from_facility`` or ``to_facility``.
    presets
        Snapping limit and walking speed.
    edge_cost
        Time along each edge, infinite where closed, shape (m,) [s]; None: free flow.

    Returns
    -------
    ndarray
        Shape (ny, nx) [s]; NaN where no road leads.
    """
    inside, (at, row) = inside_cells(grid), cells
    limit = max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)
    to = snap_rows(graph, places, limit_m=limit)
    on_foot = float(presets["road.foot_kmh"]) / 3.6
    speed = on_foot if way == "to_facility" else float(presets["network.access_kmh"]) / 3.6
    near = 0.0 if way == "to_facility" else float(presets["network.half_width_m"])
    at = at.nearer(max(near, grid.size_m / 2) if near > 0 else 0.0)
    last = np.where(to.on, to.nearer(near).walk_m, 0.0) / speed
    found = nearest_seconds(graph, to, at, way=way, start=last, edge_cost=edge_cost)  # type: ignore[arg-type]
    walk = np.minimum(at.walk_m, limit) / speed + np.maximum(at.walk_m - limit, 0.0) / on_foot
    seconds = np.full(grid.shape[0] * grid.shape[1], np.nan, np.float32)
    best = np.full(len(inside), np.inf)
    np.minimum.at(best, row, found.cost + walk)
    reached = np.isfinite(best)
    seconds[inside[reached]] = np.round(best[reached], 3)
    return seconds.reshape(grid.shape)


def has_effect(scenario: Scenario) -> bool:
    """Say whether a scenario holds anything that can change a result.

    Parameters
    ----------
    scenario
        The scenario.

    Returns
    -------
    bool
        False when it has neither depths nor closures nor danger areas.
    """
    depth = scenario.depth_m
    wet = depth is not None and bool(np.isfinite(np.asarray(depth, np.float64)).any())
    parts = (scenario.closures, scenario.danger_area)
    return wet or any(part is not None and len(part) > 0 for part in parts)


def lacking_notes(scenarios: Mapping[str, Scenario]) -> tuple[Text, ...]:
    """Say of every scenario that has nothing to show what it lacks.

    Parameters
    ----------
    scenarios
        Scenario by name.

    Returns
    -------
    tuple
        One note a scenario without effect.
    """
    notes = []
    for name, scenario in scenarios.items():
        if has_effect(scenario):
            continue
        if scenario.rain_mm is not None:
            note = text(
                "Scenario {name}: {mm} mm of rain alone show no water on the ground, so index and "
                "plans are those without a scenario; add depth: (a raster of water depth from a "
                "flood model), closures: or danger_area:",
                name=name,
                mm=f"{scenario.rain_mm:g}",
            )
        else:
            note = text(
                "Scenario {name}: it holds no depths, closures or danger areas that could be used, "
                "so index and plans are those without a scenario",
                name=name,
            )
        notes.append(note)
    return tuple(notes)


VEHICLES = {"foot": "foot", "emergency": "fire_engine"}
"""Profile to the vehicle whose wading limit closes a road."""
UNREACHED_S = 1e9


def dry_refuges(inputs: Inputs, scenario: Scenario) -> tuple[gpd.GeoDataFrame | None, list[Text]]:
    """Leave out the refuges that stand in the scenario's water or danger areas.

    Parameters
    ----------
    inputs
        The baseline's refuges.
    scenario
        Depths and danger areas.

    Returns
    -------
    tuple
        The refuges left (None when all are), and what must be said.
    """
    rows = inputs.rows("refuge")
    if rows is None:
        return None, []
    xy = row_xy(rows)
    kept = ~(_in_water(xy, inputs, scenario) | _in_areas(xy, scenario.danger_area))
    if kept.all():
        return None, []
    note = text(
        "Scenario {name}: {n} of {all} refuges stand in water or in a danger area and do not count",
        name=scenario.name,
        n=int((~kept).sum()),
        all=len(rows),
    )
    return rows[kept], [note]


def _in_water(xy: Floats, inputs: Inputs, scenario: Scenario) -> NDArray[np.bool_]:
    """Find the places that stand in water as deep as the preset, which is inclusive."""
    if scenario.depth_m is None:
        return np.zeros(len(xy), bool)
    if scenario.depths:
        depth = sample(scenario.depths, xy, str(inputs.grid.crs))
    else:
        cell = cell_of(inputs.grid, xy[:, 0], xy[:, 1])
        flat = np.asarray(scenario.depth_m, np.float64).ravel()
        depth = np.where(cell >= 0, flat[np.maximum(cell, 0)], np.nan)
    limit = float(inputs.presets["flood.criterion_depth_m"])
    return np.asarray(np.nan_to_num(depth) >= limit, np.bool_)


def _in_areas(xy: Floats, areas: gpd.GeoDataFrame | None) -> NDArray[np.bool_]:
    inside = np.zeros(len(xy), bool)
    if areas is not None and len(areas):
        tree = shapely.STRtree(np.asarray(areas.geometry.array, dtype=object))
        inside[tree.query(shapely.points(xy), predicate="intersects")[0]] = True
    return inside


def cut_roads(
    roads: Roads, inputs: Inputs, tables: Mapping[str, gpd.GeoDataFrame], scenario: Scenario
) -> tuple[dict[str, NDArray[np.float32]], list[Text]]:
    """Measure the times from every cell on the scenario's roads.

    Parameters
    ----------
    roads
        Road graphs and the baseline's times.
    inputs
        Grid and presets.
    tables
        The facilities that are left.
    scenario
        Depths and closures.

    Returns
    -------
    tuple
        Role to seconds, shape (ny, nx); and what must be said.
    """
    found: dict[str, NDArray[np.float32]] = {}
    notes: list[Text] = []
    for role, (profile, way) in FACILITIES.items():
        graph, before = roads.graphs.get(profile), roads.seconds.get(role)
        if graph is None or before is None:
            continue
        wet = wet_network(
            graph, inputs.grid, scenario, vehicle=VEHICLES[profile], presets=inputs.presets
        )
        places = tables[role][_placed(tables[role])]
        if wet is None and len(places) == int(_placed(inputs.tables[role]).sum()):
            continue
        now = np.full_like(before, np.nan)
        if len(places):
            at, row = roads.cells[profile]
            now = cell_seconds(
                graph if wet is None else wet[0].graph, places, inputs.grid,
                cells=(at if wet is None else wet[0].moved(at), row), way=way,
                presets=inputs.presets, edge_cost=None if wet is None else wet[1],
            )  # fmt: skip
        cut = int((np.isfinite(before) & ~np.isfinite(now)).sum())
        if cut:
            notes.append(_cut_off(role, scenario.name, cut))
        found[role] = np.where(np.isfinite(now), now, np.float32(UNREACHED_S))
    return found, notes


def _placed(rows: gpd.GeoDataFrame) -> Any:
    return rows.geometry.notna() & ~rows.geometry.is_empty


def _cut_off(role: str, name: str, n: int) -> Text:
    if role == "refuge":
        return text("Scenario {name}: {n} cells are cut off from every refuge", name=name, n=n)
    return text("Scenario {name}: {n} cells are cut off from every station", name=name, n=n)


def wet_network(
    graph: RoadGraph, grid: Grid, scenario: Scenario, *, vehicle: str, presets: Presets
) -> tuple[WetRoads, NDArray[np.float64]] | None:
    """Give the roads under water: free flow, slowed on the wet stretches as the vehicle is slowed.

    Parameters
    ----------
    graph
        The road graph.
    grid
        The grid that the depths stand on.
    scenario
        Depths and closures.
    vehicle
        The vehicle.
    presets
        Wading limits and speeds under water.

    Returns
    -------
    tuple or None
        The roads, cut where water or a closure begins or ends, and the time along each edge,
        infinite where closed, shape (m,) [s]; None when no road is slower than in free flow.
    """
    tiles = depth_tiles(grid, scenario.depth_m, scenario.depths)
    roads = wet_roads(graph, tiles, scenario.closures)
    if roads.dry:
        return None
    dry = vehicle_seconds(roads.graph, vehicle=vehicle, presets=presets)
    wet = roads.seconds(vehicle=vehicle, presets=presets)
    fine = np.isfinite(dry)
    slower = np.where(fine, wet / np.where(fine, dry, 1.0), np.where(roads.shut, np.inf, 1.0))
    return roads, np.asarray(roads.graph.edge_seconds * slower, np.float64)

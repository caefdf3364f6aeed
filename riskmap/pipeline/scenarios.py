"""Scenarios: water on the ground, closed roads and danger areas, as the project file gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from riskmap.errors import Problem
from riskmap.export.public import veil_layers
from riskmap.geo.areas import raster_to_cells
from riskmap.geo.grid import cell_of, row_xy
from riskmap.geo.network.flooded import sample, vehicle_seconds, wet_roads
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles
from riskmap.layers.read.layer import read_layer
from riskmap.pipeline.ground import FACILITIES, cell_seconds
from riskmap.result import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network.graph import RoadGraph
    from riskmap.indicators.table import Inputs
    from riskmap.layers.layer import Raster
    from riskmap.pipeline.ground import Ground, Roads
    from riskmap.project.schema import Project, ScenarioSource
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def read_scenarios(
    project: Project, ground: Ground, grid: Grid
) -> tuple[dict[str, Scenario], tuple[Problem, ...]]:
    """Read the layers of every scenario.

    Parameters
    ----------
    project
        The project.
    ground
        Roles, CRS and place.
    grid
        The grid.

    Returns
    -------
    tuple
        Scenario by name, and the problems found.
    """
    found: dict[str, Scenario] = {}
    depths: tuple[Raster, ...]
    problems: list[Problem] = []
    for source in project.scenarios:
        depth, depths = None, ()
        if source.depth:
            depths, said = _depth(project, ground, source)
            depth = raster_to_cells(grid, depths) if depths else None
            _ = ground.presets["flood.map_depth_m"]  # its colours on the map
            problems += said
        closures, said = _vector(project, ground, "closure", source.closures)
        danger, more = _vector(project, ground, "danger_area", source.danger_area)
        problems += [*said, *more]
        found[source.name] = Scenario(
            name=source.name,
            depth_m=depth,
            closures=closures,
            danger_area=danger,
            rain_mm=source.rain_mm,
            hours=source.hours,
            depths=depths,
        )
    return found, tuple(problems)


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


def _depth(
    project: Project, ground: Ground, source: ScenarioSource
) -> tuple[tuple[Raster, ...], list[Problem]]:
    layer, said = read_layer(
        ground.roles["depth"],
        (project.file_spec(source.depth or ""),),
        crs=ground.crs,
        place=ground.place,
    )
    scale = METRES[source.depth_unit]
    tiles = tuple(replace(tile, values=tile.values * scale) for tile in layer.rasters)
    return tiles, [*said, *_strange_depths(tiles, source)]


_DEEP_M = 10.0
"""Depths that no street has; a table of flood points stops here too [m]."""


def _strange_depths(tiles: Sequence[Raster], source: ScenarioSource) -> list[Problem]:
    """Say when depths are so large or negative that their unit, or the raster, must be wrong."""
    low = min((float(np.nanmin(tile.values)) for tile in tiles), default=0.0)
    high = max((float(np.nanpercentile(tile.values, 99.0)) for tile in tiles), default=0.0)
    out = []
    if high > _DEEP_M:
        out.append(
            Problem(
                "note",
                "depth",
                "depth_range",
                text(
                    "scenario {name}: water up to {depth} m deep; the raster may be in another "
                    "unit than {unit}",
                    name=source.name,
                    depth=f"{high:.3g}",
                    unit=source.depth_unit,
                ),
                text("give depth_unit: cm or mm for the scenario if that is so"),
                file=source.depth or "",
            )
        )
    if low < 0.0:
        out.append(
            Problem(
                "note",
                "depth",
                "depth_negative",
                text("scenario {name}: some depths are below 0", name=source.name),
                text("check the raster; nothing deeper than 0 counts as water"),
                file=source.depth or "",
            )
        )
    return out


def _vector(
    project: Project, ground: Ground, role: str, written: str | None
) -> tuple[gpd.GeoDataFrame | None, list[Problem]]:
    """Read a scenario's closures or danger areas, for the public edition as it may use them."""
    if not written:
        return None, []
    layer, said = read_layer(
        ground.roles[role],
        (project.file_spec(written),),
        crs=ground.crs,
        place=ground.place,
    )
    if ground.veiled:
        layer = veil_layers({role: layer}, ground.roles, place=ground.place)[role]
    return layer.table, said


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
            roads_now, cost = wet if wet is not None else (graph, None)
            now = cell_seconds(
                roads_now, places, inputs.grid, way=way, presets=inputs.presets, edge_cost=cost
            )
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
) -> tuple[RoadGraph, NDArray[np.float64]] | None:
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
        The graph, cut where water or a closure begins or ends, and the time along each edge,
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
    return roads.graph, np.asarray(roads.graph.edge_seconds * slower, np.float64)

"""Scenarios: water on the ground, closed roads and danger areas, as the project file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.errors import Problem
from riskmap.i18n import Text, text
from riskmap.result import Scenario

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.geo.grid import Grid
    from riskmap.layers.types import LayerSpec, Raster
    from riskmap.project import Project
    from riskmap.sections import ScenarioSource
    from riskmap.stages.ground import Ground

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
    from riskmap.geo.overlay import raster_to_cells

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


def _spec(project: Project, written: str) -> LayerSpec:
    from riskmap.layers.types import LayerSpec

    return LayerSpec(path=project.file(written), shown=written)


def _depth(
    project: Project, ground: Ground, source: ScenarioSource
) -> tuple[tuple[Raster, ...], list[Problem]]:
    from riskmap.layers.read import read_layer

    layer, said = read_layer(
        ground.roles["depth"],
        (_spec(project, source.depth or ""),),
        crs=ground.crs,
        place=ground.place,
    )
    scale = METRES[source.depth_unit]
    return tuple(replace(tile, values=tile.values * scale) for tile in layer.rasters), said


def _vector(
    project: Project, ground: Ground, role: str, written: str | None
) -> tuple[gpd.GeoDataFrame | None, list[Problem]]:
    from riskmap.layers.read import read_layer

    if not written:
        return None, []
    layer, said = read_layer(
        ground.roles[role],
        (_spec(project, written),),
        crs=ground.crs,
        place=ground.place,
    )
    return layer.table, said

"""Scenarios: water on the ground, closed roads and danger areas, as the project file gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from riskmap.errors import Problem
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
        presets=ground.presets,
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
        presets=ground.presets,
    )
    return layer.table, said

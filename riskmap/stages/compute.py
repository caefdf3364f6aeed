"""Grid and indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.columns import LEVEL, POPULATION
from riskmap.layers.rows import rows_in_use

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.indicators.table import Indicators, Inputs
    from riskmap.project import Project
    from riskmap.stages.ground import Ground
    from riskmap.stages.roads import Roads


def lay_grid(project: Project, ground: Ground) -> Grid:
    """Lay the grid over the place.

    Parameters
    ----------
    project
        The project.
    ground
        Place and CRS.

    Returns
    -------
    Grid
        With its origin at multiples of the cell size.
    """
    from riskmap.geo.grid import make_grid

    return make_grid(ground.place, crs=ground.crs, size_m=project.grid.size_m)


def graded_tables(ground: Ground) -> dict[str, gpd.GeoDataFrame]:
    """Give the rows in use of every vector role, with their four-colour level.

    Parameters
    ----------
    ground
        Layers, roles and presets.

    Returns
    -------
    dict
        Role to rows; graded roles have ``level`` (1..4, 0 unknown).
    """
    from riskmap.roles.grade import grade

    tables = {}
    for role in ground.layers:
        rows = rows_in_use(ground.layers, role, ground.roles)
        if rows is None:
            continue
        if ground.roles[role].grade:
            rows = rows.assign(**{LEVEL: grade(ground.roles[role], rows, ground.presets)[0]})
        tables[role] = rows
    return tables


def gather_inputs(ground: Ground, grid: Grid, roads: Roads) -> Inputs:
    """Gather what the indicators are measured from.

    Parameters
    ----------
    ground
        Layers and units.
    grid
        The grid.
    roads
        Travel seconds.

    Returns
    -------
    Inputs
        Tables with levels, rasters, people, travel seconds and presets.
    """
    from riskmap.geo.overlay import lines_to_cells, population_of_cells
    from riskmap.indicators.table import Inputs

    tables = graded_tables(ground)
    rasters = {role: layer.rasters for role, layer in ground.layers.items() if layer.rasters}
    road = lines_to_cells(grid, tables["road"]) if "road" in tables else None
    people = population_of_cells(
        grid,
        table=tables.get("population"),
        rasters=rasters.get("population", ()),
        units=ground.units,
        weight=road,
    )
    return Inputs(
        grid=grid,
        tables=tables,
        rasters=rasters,
        population=people,
        travel_seconds=roads.seconds,
        presets=ground.presets,
    )


def read_table(project: Project) -> pd.DataFrame:
    """Read the project's indicator table.

    Parameters
    ----------
    project
        Names a shipped table or a file.

    Returns
    -------
    DataFrame
        Indexed by code.
    """
    from riskmap.indicators.load import load_table

    named = project.indicators
    return load_table(project.file(named) if named.endswith(".csv") else named)


def compute_indicators(
    project: Project, ground: Ground, inputs: Inputs
) -> tuple[Indicators, gpd.GeoDataFrame]:
    """Measure every indicator on cells and units.

    Parameters
    ----------
    project
        Indicator table and weights.
    ground
        Units.
    inputs
        What they are measured from.

    Returns
    -------
    tuple
        Indicators, and the units with their people filled in.
    """
    from riskmap.indicators.table import compute

    found = compute(read_table(project), inputs, ground.units)
    return found, count_people(ground.units, inputs.grid, inputs.population)


def count_people(
    units: gpd.GeoDataFrame, grid: Grid, people: NDArray[Any] | None
) -> gpd.GeoDataFrame:
    """Fill in the people of units that do not say how many they have.

    Parameters
    ----------
    units
        Units of all levels.
    grid
        The grid.
    people
        People by cell, or None.

    Returns
    -------
    GeoDataFrame
        A copy; what was unknown is the sum over the unit's cells.
    """
    lacking = units[POPULATION].isna().to_numpy()
    if people is None or not lacking.any():
        return units
    from riskmap.geo.areas import coverage
    from riskmap.geo.overlay import place_share, zonal

    cover = coverage(grid, units.geometry[lacking])
    share = place_share(grid)
    sums = zonal(grid, cover, np.asarray(people)[None], how="sum", place_share=share)
    filled = units[POPULATION].to_numpy(dtype=np.float64).copy()
    filled[lacking] = np.round(np.asarray(sums).reshape(int(lacking.sum()), -1)[:, 0])
    return units.assign(**{POPULATION: filled})

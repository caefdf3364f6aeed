"""Stations, places and roads in one state, and how the stations reach the places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_centres, cell_names, inside_cells
from riskmap.geo.network import RoadGraph, Snapped, cost_table, nearest_seconds, snap_points
from riskmap.geo.points import point_xy, unit_of_points
from riskmap.plans.coverage import Demand, Reach

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """Stations on the roads."""

    graph: RoadGraph
    stations: Snapped
    start: Floats
    """Seconds between call and departure of each station."""
    edge_cost: Floats
    """Seconds along each edge, infinite where closed."""
    longest: float
    """The longest target [s]."""


def reach(setting: Setting, places: Snapped) -> Reach:
    """Find which stations reach the places, and which is first.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.

    Returns
    -------
    Reach
        Pairs within the longest target, and the first station of each place.
    """
    cost, start = setting.edge_cost, setting.start
    table = cost_table(
        setting.graph, setting.stations, places, edge_cost=cost, start=start, limit=setting.longest
    )
    first = nearest_seconds(setting.graph, setting.stations, places, edge_cost=cost, start=start)
    return Reach(
        place=table.point,
        station=table.facility,
        seconds=table.cost,
        nearest=first.facility,
        nearest_s=first.cost,
        on=places.on,
    )


def cell_demand(
    grid: Grid, population: NDArray[Any] | None, units: gpd.GeoDataFrame | None
) -> Demand:
    """Make the cells inside the place a demand, weighted by people.

    Parameters
    ----------
    grid
        The grid.
    population
        People per cell, shape (ny, nx); None: every cell counts 1.
    units
        Units with towns, or None.

    Returns
    -------
    Demand
        One place a cell.
    """
    cells = inside_cells(grid)
    xy = np.column_stack(cell_centres(grid, cells))
    weight = np.ones(len(cells))
    if population is not None:
        weight = np.nan_to_num(np.asarray(population, dtype=np.float64).ravel()[cells], nan=0.0)
    names = cell_names(grid, cells)
    return Demand(
        what="population", ids=names, names=names, weight=weight, town=_towns(xy, units), xy=xy
    )


def point_demand(role: str, table: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> Demand:
    """Make the points of a role a demand.

    Parameters
    ----------
    role
        The role.
    table
        Its rows, indexed by ``item_id``.
    units
        Units with towns, or None.

    Returns
    -------
    Demand
        Every point counts 1.
    """
    xy = np.column_stack(point_xy(table))
    ids = np.asarray(table.index.astype(str), dtype=object)
    names = ids
    if "name" in table.columns:
        names = table["name"].astype(object).where(table["name"].notna(), "").to_numpy(dtype=object)
    return Demand(
        what=role, ids=ids, names=names, weight=np.ones(len(ids)), town=_towns(xy, units), xy=xy
    )


def place_demands(
    graph: RoadGraph, demands: Mapping[str, Demand], *, limit_m: float
) -> dict[str, Snapped]:
    """Put the places of every demand on the roads.

    Parameters
    ----------
    graph
        The road graph.
    demands
        Name to places.
    limit_m
        Longest way to a road [m].

    Returns
    -------
    dict
        Name to places on the roads.
    """
    return {name: snap_points(graph, one.xy, limit_m=limit_m) for name, one in demands.items()}


def _towns(xy: Floats, units: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    """Give the town of every place, empty where there is none."""
    if units is None or not (units["level"] == "town").any():
        return np.full(len(xy), "", dtype=object)
    import geopandas as gpd

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=units.crs)
    return unit_of_points(points, units, level="town")


def all_demands(
    grid: Grid,
    population: NDArray[Any] | None,
    units: gpd.GeoDataFrame | None,
    points: Mapping[str, gpd.GeoDataFrame],
) -> dict[str, Demand]:
    """Give the people of the cells and the points of each role as demands.

    Parameters
    ----------
    grid
        The grid.
    population
        People per cell, shape (ny, nx), or None.
    units
        Units of all levels, or None.
    points
        Role to its rows.

    Returns
    -------
    dict
        ``population`` and each role that has rows.
    """
    found = {"population": cell_demand(grid, population, units)}
    for role, table in points.items():
        if len(table):
            found[role] = point_demand(role, table, units)
    return found

"""What stations should reach: people, cells, the points of each role, villages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_centres, cell_names, inside_cells
from riskmap.geo.network import RoadGraph, Snapped, snap_points
from riskmap.geo.points import row_xy, unit_of_points
from riskmap.plans.coverage import Demand

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
VILLAGES: Final = ("village", "grid_duty_area", "custom")
"""Levels that count as villages, first found."""
TOWNS: Final = ("town", "district")
"""Levels by which the report is parted, first found with more than one unit."""


def all_demands(
    grid: Grid,
    population: NDArray[Any] | None,
    units: gpd.GeoDataFrame | None,
    points: Mapping[str, gpd.GeoDataFrame],
) -> dict[str, Demand]:
    """Give everything that stations should reach; the first is what sites are planned for.

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
        ``population`` (when known), ``cells``, ``village`` and each role that has rows.
    """
    cells = _cell_demand(grid, units)
    found = {"cells": cells}
    if population is not None:
        people = np.asarray(population, dtype=np.float64).ravel()[inside_cells(grid)]
        people = np.maximum(np.nan_to_num(people, nan=0.0), 0.0)
        found = {"population": replace(cells, what="population", weight=people), "cells": cells}
    villages = _village_demand(next(iter(found.values())), units)
    if villages is not None:
        found["village"] = villages
    for role, table in points.items():
        if len(table):
            found[role] = _point_demand(role, table, units)
    return found


def on_roads(graph: RoadGraph, demands: Mapping[str, Demand], limit_m: float) -> dict[str, Snapped]:
    """Put the places of every demand on the roads; people and cells stand at the same places.

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
    found: dict[str, Snapped] = {}
    for name, demand in demands.items():
        same = name == "cells" and "population" in found
        found[name] = (
            found["population"] if same else snap_points(graph, demand.xy, limit_m=limit_m)
        )
    return found


def level_of(units: gpd.GeoDataFrame | None, levels: tuple[str, ...], *, least: int) -> str | None:
    """Find the first level that the units have.

    Parameters
    ----------
    units
        Units of all levels, or None.
    levels
        Levels in the order wanted.
    least
        How many units of the level there must be.

    Returns
    -------
    str or None
        The level.
    """
    if units is None:
        return None
    return next((one for one in levels if int((units["level"] == one).sum()) >= least), None)


def _cell_demand(grid: Grid, units: gpd.GeoDataFrame | None) -> Demand:
    """Make the cells inside the place a demand; each counts 1."""
    cells = inside_cells(grid)
    xy = np.column_stack(cell_centres(grid, cells))
    ids = np.asarray(cell_names(grid, cells), dtype=object)
    village = _units_at(xy, units, level_of(units, VILLAGES, least=1))
    names = ids
    if units is not None:
        names = pd.Series(village).map(units["name"]).fillna("").to_numpy(dtype=object)
    return Demand(
        what="cells", ids=ids, names=np.where(names == "", ids, names), weight=np.ones(len(cells)),
        town=_towns(xy, units), xy=xy,
    )  # fmt: skip


def _village_demand(cells: Demand, units: gpd.GeoDataFrame | None) -> Demand | None:
    """Put every village where most of its people live; each counts 1."""
    level = level_of(units, VILLAGES, least=2)
    if units is None or level is None:
        return None
    table = units[units["level"] == level]
    xy = row_xy(table)
    at = pd.DataFrame({"unit": _units_at(cells.xy, units, level), "people": cells.weight})
    at = at[(at["unit"] != "") & (at["people"] > 0)]
    if len(at) and float(at["people"].max()) > float(at["people"].min()):
        best = at.sort_values("people", ascending=False, kind="stable").drop_duplicates("unit")
        place = table.index.astype(str).get_indexer(best["unit"].astype(str))
        xy[place[place >= 0]] = cells.xy[best.index.to_numpy()[place >= 0]]
    return Demand(
        what="village",
        ids=np.asarray(table.index.astype(str), dtype=object),
        names=table["name"].astype(object).fillna("").to_numpy(dtype=object),
        weight=np.ones(len(table)),
        town=_towns(xy, units),
        xy=xy,
    )


def _point_demand(role: str, table: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> Demand:
    """Make the points of a role a demand; each counts 1."""
    xy = row_xy(table)
    ids = np.asarray(table.index.astype(str), dtype=object)
    names = ids
    if "name" in table.columns:
        own = table["name"].astype(object).reset_index(drop=True)
        names = np.asarray(own.where(own.notna() & (own != ""), pd.Series(ids)), dtype=object)
    return Demand(
        what=role, ids=ids, names=names, weight=np.ones(len(ids)), town=_towns(xy, units), xy=xy
    )


def _towns(xy: Floats, units: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    """Give the town of every place, empty where there is none."""
    return _units_at(xy, units, level_of(units, TOWNS, least=2))


def _units_at(xy: Floats, units: gpd.GeoDataFrame | None, level: str | None) -> NDArray[np.object_]:
    """Give the unit of a level at every place, empty where there is none."""
    if units is None or level is None:
        return np.full(len(xy), "", dtype=object)
    import geopandas as gpd

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=units.crs)
    found = pd.Series(unit_of_points(points, units, level=level), dtype=object)
    return np.asarray(found.where(found.notna(), ""), dtype=object)

"""研判一张单 and 管控一张表."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.geo.points import row_xy
from riskmap.i18n import Text, text
from riskmap.layers.layer import placed_rows, rows_in_use
from riskmap.pipeline.roads import FACILITIES

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.index.steps import Index
    from riskmap.pipeline.ground import Ground
    from riskmap.pipeline.roads import Roads
    from riskmap.project.schema import Project
    from riskmap.vocabulary.presets import Presets


def register(
    project: Project,
    ground: Ground,
    roads: Roads,
    *,
    grid: Grid,
    people: NDArray[Any] | None,
    index: Index,
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Text, ...]]:
    """Make the ranked list and the control table.

    Parameters
    ----------
    project
        Place and data date.
    ground
        Layers, roles, units, presets.
    roads
        Road graphs.
    grid
        The grid.
    people
        People by cell, or None.
    index
        The units' index.

    Returns
    -------
    tuple
        The list and the table, one row an item each, in the same order; and how many rows are not
        on them.
    """
    from riskmap.register.control import build_control
    from riskmap.register.items import build_items

    items = build_items(
        ground.layers,
        ground.roles,
        ground.units,
        index,
        presets=ground.presets,
        near=find_near(ground, roads, grid, people),
        data_date=project.data_date,
        place_code=project.place.code,
    )
    control = build_control(
        items, ground.layers, ground.roles, presets=ground.presets, data_date=project.data_date
    )
    notes = tuple(
        text(
            "{role}: {n} rows are out of use or hold nothing, and stand in no list.",
            role=ground.roles[role].label,
            n=n,
        )
        for role, n in items.attrs["left_out"].items()
    )
    return items, control, notes


def find_near(
    ground: Ground, roads: Roads, grid: Grid, people: NDArray[Any] | None
) -> pd.DataFrame:
    """Find the people around every item, its nearest refuge and its nearest station.

    Parameters
    ----------
    ground
        Layers, roles and presets.
    roads
        Road graphs.
    grid
        The grid.
    people
        People by cell, or None.

    Returns
    -------
    DataFrame
        By item id: people_near, refuge_name, refuge_m [m], station_name, station_s [s], method
        (empty where there is neither refuge nor station).
    """
    import pandas as pd

    listed = [
        rows
        for role in ground.layers
        if ground.roles[role].item and (rows := placed_rows(ground.layers, role)) is not None
    ]
    if not listed:
        return pd.DataFrame()
    xy = np.concatenate([row_xy(rows) for rows in listed])
    near = pd.DataFrame(index=np.concatenate([rows.index for rows in listed]))
    near["people_near"] = people_around(xy, grid, people, presets=ground.presets)
    straight = np.zeros(len(xy), bool)
    found = False
    for facility, (profile, way) in FACILITIES.items():
        places = rows_in_use(ground.layers, facility, ground.roles)
        metres = facility != "rescue_station"
        name, value = ("refuge_name", "refuge_m") if metres else ("station_name", "station_s")
        if places is None:
            near[name], near[value] = "", np.nan
            continue
        found = True
        at, cost, by_road = _nearest(
            xy, places, roads, profile=profile, way=way, metres=metres, presets=ground.presets
        )
        labels = places["name"] if "name" in places else pd.Series("", places.index)
        near[name] = labels.fillna("").to_numpy(dtype=object)[at]
        near[value] = cost
        straight |= ~by_road
    said = (text("by road, free flow"), text("straight line"))
    how = [said[int(f)] if found else None for f in straight]
    near["method"] = pd.Series(how, near.index, dtype=object)
    return near


def _nearest(
    xy: NDArray[np.float64],
    places: gpd.GeoDataFrame,
    roads: Roads,
    *,
    profile: str,
    way: str,
    metres: bool,
    presets: Presets,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Row of the nearest place, metres from door to door or seconds, whether roads lead there."""
    from scipy.spatial import cKDTree

    from riskmap.geo.network import nearest_seconds, snap_points

    to_xy = row_xy(places)
    straight, nearest = cKDTree(to_xy).query(xy)
    at = np.asarray(nearest, np.int64)
    cost = np.asarray(straight if metres else np.full(len(xy), np.nan), np.float64)
    by_road = np.zeros(len(xy), bool)
    graph = roads.graphs.get(profile)
    if graph is not None:
        limit = float(presets["station.snap_limit_m"])
        ends = snap_points(graph, to_xy, limit_m=limit)
        starts = snap_points(graph, xy, limit_m=limit)
        found = nearest_seconds(
            graph,
            ends,
            starts,
            way=way,  # type: ignore[arg-type]
            start=np.where(ends.on, ends.walk_m, 0.0) if metres else None,
            weight="metres" if metres else "seconds",
        )
        by_road = np.isfinite(found.cost)
        at = np.where(by_road, found.facility, at).astype(np.int64)
        cost = np.where(by_road, found.cost + (starts.walk_m if metres else 0.0), cost)
    return at, cost, np.asarray(by_road, np.bool_)


def people_around(
    xy: NDArray[np.float64], grid: Grid, people: NDArray[Any] | None, *, presets: Presets
) -> NDArray[np.float64]:
    """Count the people within the preset radius of each point, by cell centres.

    Parameters
    ----------
    xy
        Points, shape (n, 2) [m].
    grid
        The grid.
    people
        People by cell, or None.
    presets
        Holds the radius.

    Returns
    -------
    ndarray
        People near each point, shape (n,); NaN when nobody knows.
    """
    from scipy.spatial import cKDTree

    from riskmap.geo.grid import cell_centres

    if people is None:
        return np.full(len(xy), np.nan)
    radius = float(presets["register.people_radius_m"])
    counts = np.nan_to_num(np.asarray(people, np.float64)).ravel()
    filled = np.flatnonzero(counts > 0)
    if filled.size == 0:
        return np.zeros(len(xy))
    centres = np.column_stack(cell_centres(grid, filled))
    # A cell counts by the share of its square, taken as a disc of equal area, inside the radius.
    half = grid.size_m / 2
    pairs = cKDTree(xy).sparse_distance_matrix(
        cKDTree(centres), radius + half, output_type="coo_matrix"
    )
    share = np.clip((radius + half - pairs.data) / grid.size_m, 0.0, 1.0)
    near = np.bincount(pairs.row, weights=share * counts[filled][pairs.col], minlength=len(xy))
    return near.astype(np.float64)

"""What water and closures do to the roads, and to who is reached in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.grid import Grid
from riskmap.geo.network import RoadGraph, edge_depths, vehicle_seconds
from riskmap.plans.coverage import Demand, Reach, covered_weight, times_covered
from riskmap.plans.refuge_ground import pixel_m, sample
from riskmap.plans.response import Rule
from riskmap.plans.setting import Setting

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.layers.types import Raster
    from riskmap.presets.load import Presets

_ASIDE_M: Final = 15.0
"""A drawn closure lies on a road when it is this near [m]."""
_STEP_M: Final = 5.0
"""Roads are looked at no finer than this [m]."""
_MOST: Final = 0.5
"""A drawn line closes an edge when more than this share of the edge lies on it."""

Pairs = Mapping[str, tuple[Demand, Reach]]


def closed_edges(graph: RoadGraph, closures: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Find the edges that closures shut.

    An area shuts every edge it touches, a point the nearest edge within 15 m, a line the edges
    of which more than half lies along it.

    Parameters
    ----------
    graph
        The road graph.
    closures
        Points, lines or polygons in the graph's CRS.

    Returns
    -------
    numpy.ndarray
        True where shut, shape (m,).
    """
    shapes = np.asarray(closures.geometry.array, dtype=object)
    shapes = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    kind = shapely.get_dimensions(shapes)
    shut = np.zeros(graph.edge_count, dtype=bool)
    tree = shapely.STRtree(graph.edge_geometry)
    shut[tree.query(shapes[kind == 2], predicate="intersects")[1]] = True
    points = shapely.get_parts(shapes[kind == 0])
    shut[tree.query_nearest(points, max_distance=_ASIDE_M)[1]] = True
    beside = shapely.buffer(shapes[kind == 1], _ASIDE_M, cap_style="flat")
    line, edge = tree.query(beside, predicate="intersects")
    along = shapely.length(shapely.intersection(graph.edge_geometry[edge], beside[line]))
    shut[edge[along > _MOST * shapely.length(graph.edge_geometry[edge])]] = True
    return shut


def road_depths(
    graph: RoadGraph, grid: Grid, depth_m: Any, depths: tuple[Raster, ...] = ()
) -> NDArray[np.float64] | None:
    """Take the deepest water along each edge, from the rasters where there are any.

    Parameters
    ----------
    graph
        The road graph.
    grid
        The grid that ``depth_m`` stands on.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m].

    Returns
    -------
    numpy.ndarray or None
        Depth of each edge, NaN where nothing is known, shape (m,) [m]; None without water.
    """
    if not depths:
        if depth_m is None:
            return None
        return edge_depths(graph, np.asarray(depth_m), tuple(grid.transform)[:6])
    crs = str(graph.crs)
    first = shapely.get_coordinates(graph.edge_geometry[0])[0]
    step = max(min(pixel_m(tile, first, crs) for tile in depths) / 2.0, _STEP_M)
    xy, edge = shapely.get_coordinates(
        shapely.segmentize(graph.edge_geometry, step), return_index=True
    )
    value = sample(depths, xy, crs)
    deepest = np.full(graph.edge_count, -np.inf)
    np.maximum.at(deepest, edge, np.where(np.isnan(value), -np.inf, value))
    return np.where(np.isfinite(deepest), deepest, np.nan)


def wet_setting(
    setting: Setting,
    grid: Grid,
    *,
    presets: Presets,
    depth_m: NDArray[Any] | None,
    rasters: tuple[Raster, ...] = (),
    closures: gpd.GeoDataFrame | None,
) -> Setting:
    """Give the roads of a scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    presets
        The run's presets.
    depth_m
        Depth of water on the cells, shape (ny, nx) [m], or None.
    rasters
        Depth at its own resolution, which counts before that of the cells.
    closures
        Closed roads or areas, or None.

    Returns
    -------
    Setting
        With the times of the wet roads.
    """
    depth = road_depths(setting.graph, grid, depth_m, rasters)
    shut = None
    if closures is not None and len(closures):
        shut = closed_edges(setting.graph, closures)
    fleets = []
    for fleet in setting.fleets:
        cost = fleet.edge_cost
        if depth is not None:
            cost = vehicle_seconds(
                setting.graph, vehicle=fleet.vehicle, depth_m=depth, presets=presets
            )
        if shut is not None:
            cost = np.where(shut, np.inf, cost)
        fleets.append(replace(fleet, edge_cost=cost))
    return replace(setting, fleets=tuple(fleets))


def wet_settings(
    setting: Setting,
    grid: Grid,
    *,
    presets: Presets,
    depths: Mapping[str, NDArray[Any]],
    rasters: Mapping[str, tuple[Raster, ...]] = MappingProxyType({}),
    closures: Mapping[str, gpd.GeoDataFrame],
) -> dict[str, Setting]:
    """Give the roads of every scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    presets
        The run's presets.
    depths, rasters, closures
        Scenario to depths on the cells, to depths at their own resolution, and to closures.

    Returns
    -------
    dict
        Scenario to its roads, in the order of the names.
    """
    return {
        name: wet_setting(
            setting,
            grid,
            presets=presets,
            depth_m=depths.get(name),
            rasters=rasters.get(name, ()),
            closures=closures.get(name),
        )
        for name in sorted({*depths, *closures})
    }


def compare(dry: Pairs, wet: Mapping[str, Pairs], rule: Rule) -> pd.DataFrame:
    """Set the coverage of every scenario beside that of dry roads.

    Parameters
    ----------
    dry
        Name of the demand to its places and how they are reached on dry roads.
    wet
        Scenario to the same on its roads.
    rule
        The targets.

    Returns
    -------
    pandas.DataFrame
        ``scenario``, ``what``, ``rule``, ``target``, ``target_s``, ``total``, ``covered_dry``,
        ``covered``, ``lost``, ``share_dry``, ``share``, ``cut_off`` (reached dry, by nobody wet).
    """
    rows = []
    for scenario, pairs in wet.items():
        for what, (demand, reach) in pairs.items():
            before = dry[what][1]
            total = float(demand.weight.sum())
            for target in rule.levels:
                old = covered_weight(demand, before, target)
                new = covered_weight(demand, reach, target)
                rows.append(
                    {
                        "scenario": scenario,
                        "what": what,
                        "rule": target.rule,
                        "target": target.key,
                        "target_s": target.seconds,
                        "total": total,
                        "covered_dry": old,
                        "covered": new,
                        "lost": old - new,
                        "share_dry": old / total if total else np.nan,
                        "share": new / total if total else np.nan,
                        "cut_off": float(demand.weight[_cut_off(before, reach)].sum()),
                    }
                )
    names = ["scenario", "what", "rule", "target", "target_s", "total", "covered_dry", "covered",
             "lost", "share_dry", "share", "cut_off"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def _cut_off(before: Reach, after: Reach) -> NDArray[np.bool_]:
    """Tell which places somebody reaches on dry roads and nobody on wet ones."""
    return np.isfinite(before.nearest_s) & ~np.isfinite(after.nearest_s)


def loss_table(
    dry: Pairs, wet: Mapping[str, Pairs], rule: Rule, town_names: Mapping[str, str]
) -> pd.DataFrame:
    """List the towns whose people lose cover in a scenario, most people first.

    Parameters
    ----------
    dry, wet, rule
        As in `compare`; the first demand counts.
    town_names
        Unit code to name.

    Returns
    -------
    pandas.DataFrame
        ``scenario``, ``name``, ``target_s``, ``covered_dry``, ``covered``, ``lost``, ``cut_off``,
        ``unit_id``.
    """
    parts = []
    for scenario, pairs in wet.items():
        main = next(iter(pairs))
        demand, reach = pairs[main]
        before = dry[main][1]
        cut = np.where(_cut_off(before, reach), demand.weight, 0.0)
        for target in rule.levels:
            old = np.where(times_covered(before, target) > 0, demand.weight, 0.0)
            new = np.where(times_covered(reach, target) > 0, demand.weight, 0.0)
            frame = pd.DataFrame({"covered_dry": old, "covered": new, "cut_off": cut})
            sums = frame.groupby(demand.town.astype(str), sort=True).sum()
            sums.insert(2, "lost", sums["covered_dry"] - sums["covered"])
            sums = sums[(sums["lost"] > 0) | (sums["cut_off"] > 0)]
            codes = sums.index.astype(str)
            sums.insert(0, "scenario", scenario)
            sums.insert(1, "name", [town_names.get(code, code) for code in codes])
            sums.insert(2, "target_s", target.seconds)
            sums["unit_id"] = codes
            order = ["target_s", "lost", "cut_off", "unit_id"]
            parts.append(sums.sort_values(order, ascending=[True, False, False, True]))
    columns = ["scenario", "name", "target_s", "covered_dry", "covered", "lost", "cut_off",
               "unit_id"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

"""What water and closures do to the roads, and to who is reached in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.grid import Grid
from riskmap.geo.network import RoadGraph, edge_depths, vehicle_seconds
from riskmap.plans.coverage import Demand, Reach, times_covered
from riskmap.plans.response import Rule
from riskmap.plans.setting import Setting

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.presets.load import Presets

_ASIDE_M: Final = 15.0
"""A drawn closure lies on a road when it is this near [m]."""
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


def wet_setting(
    setting: Setting,
    grid: Grid,
    *,
    vehicle: str,
    presets: Presets,
    depth_m: NDArray[Any] | None,
    closures: gpd.GeoDataFrame | None,
) -> Setting:
    """Give the roads of a scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    vehicle
        The vehicle.
    presets
        The run's presets.
    depth_m
        Depth of water on the cells, shape (ny, nx) [m], or None.
    closures
        Closed roads or areas, or None.

    Returns
    -------
    Setting
        With the times of the wet roads.
    """
    cost = setting.edge_cost
    if depth_m is not None:
        depth = edge_depths(setting.graph, depth_m, tuple(grid.transform)[:6])
        cost = vehicle_seconds(setting.graph, vehicle=vehicle, depth_m=depth, presets=presets)
    if closures is not None and len(closures):
        cost = np.where(closed_edges(setting.graph, closures), np.inf, cost)
    return replace(setting, edge_cost=cost)


def wet_settings(
    setting: Setting,
    grid: Grid,
    *,
    vehicle: str,
    presets: Presets,
    depths: Mapping[str, NDArray[Any]],
    closures: Mapping[str, gpd.GeoDataFrame],
) -> dict[str, Setting]:
    """Give the roads of every scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    vehicle, presets
        As in `wet_setting`.
    depths, closures
        Scenario to depths on the cells, and to closures.

    Returns
    -------
    dict
        Scenario to its roads, in the order of the names.
    """
    return {
        name: wet_setting(
            setting,
            grid,
            vehicle=vehicle,
            presets=presets,
            depth_m=depths.get(name),
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
        ``scenario``, ``what``, ``target``, ``target_s``, ``total``, ``covered_dry``,
        ``covered``, ``lost``, ``share_dry``, ``share``, ``cut_off`` (reached dry, by nobody wet).
    """
    rows = []
    for scenario, pairs in wet.items():
        for what, (demand, reach) in pairs.items():
            before = dry[what][1]
            cut = np.isfinite(before.nearest_s) & ~np.isfinite(reach.nearest_s)
            total = float(demand.weight.sum())
            for target in rule.targets:
                old = float(demand.weight[times_covered(before, target.seconds) > 0].sum())
                new = float(demand.weight[times_covered(reach, target.seconds) > 0].sum())
                rows.append(
                    {
                        "scenario": scenario,
                        "what": what,
                        "target": target.key,
                        "target_s": target.seconds,
                        "total": total,
                        "covered_dry": old,
                        "covered": new,
                        "lost": old - new,
                        "share_dry": old / total if total else np.nan,
                        "share": new / total if total else np.nan,
                        "cut_off": float(demand.weight[cut].sum()),
                    }
                )
    names = ["scenario", "what", "target", "target_s", "total", "covered_dry", "covered", "lost",
             "share_dry", "share", "cut_off"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def nearest_table(dry: Pairs, wet: Mapping[str, Pairs], names: NDArray[np.object_]) -> pd.DataFrame:
    """List the nearest station of every point, dry and in every scenario.

    Parameters
    ----------
    dry
        Role to its points and how they are reached on dry roads.
    wet
        Scenario to the same on its roads.
    names
        Names of the stations.

    Returns
    -------
    pandas.DataFrame
        ``scenario`` (empty = dry), ``what``, ``id``, ``name``, ``station``, ``seconds`` (NaN =
        no way).
    """
    parts = []
    for scenario, pairs in ({"": dry} | dict(wet)).items():
        for what, (demand, reach) in pairs.items():
            if what == "population":
                continue
            who = reach.nearest
            parts.append(
                pd.DataFrame(
                    {
                        "scenario": scenario,
                        "what": what,
                        "id": demand.ids,
                        "name": demand.names,
                        "station": np.append(names, "")[who],
                        "seconds": np.where(np.isfinite(reach.nearest_s), reach.nearest_s, np.nan),
                    }
                )
            )
    columns = ["scenario", "what", "id", "name", "station", "seconds"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

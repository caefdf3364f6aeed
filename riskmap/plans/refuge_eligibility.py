"""Which refuge may be used against which hazard, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import Text, text
from riskmap.plans.refuge_capacity import numbers, texts

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.presets.load import Presets

    Bools = NDArray[np.bool_]

CLOSED = ("closed", "retired", "planned")
"""States in which a refuge cannot be opened."""


@dataclass(frozen=True, kw_only=True)
class Dangers:
    """What a refuge, or a place for a new one, must keep clear of."""

    grid: Grid
    depth_m: Any = None
    """Depth on the cells [m], NaN unknown, or None."""
    areas: gpd.GeoDataFrame | None = None
    sources: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one check says of every place."""

    check: str
    passed: Bools
    value: NDArray[np.float64]
    limit: NDArray[np.float64]
    unit: str
    reason: list[Text | str]
    """Reason where not passed, empty where passed."""


def place_checks(
    xy: NDArray[np.float64], dangers: Dangers, *, presets: Presets
) -> tuple[Verdict, ...]:
    """Check places against water, danger areas and hazard sources.

    Parameters
    ----------
    xy
        Places, shape (n, 2) [m].
    dangers
        What they must keep clear of.
    presets
        Depth and distances.

    Returns
    -------
    tuple of Verdict
        ``flood``, ``danger_area`` and ``hazard_source``.

    References
    ----------
    GB 21734-2008, 5.2.1, 5.2.3.
    """
    return (
        _in_water(xy, dangers, presets),
        _in_danger_area(xy, dangers),
        _near_source(xy, dangers, presets),
    )


def _in_water(xy: NDArray[np.float64], dangers: Dangers, presets: Presets) -> Verdict:
    from riskmap.geo.grid import cell_of

    limit = float(presets["flood.criterion_depth_m"]) if dangers.depth_m is not None else np.nan
    depth = np.full(len(xy), np.nan)
    if dangers.depth_m is not None:
        cell = cell_of(dangers.grid, xy[:, 0], xy[:, 1])
        flat = np.asarray(dangers.depth_m, np.float64).ravel()
        depth = np.where(cell >= 0, flat[np.maximum(cell, 0)], np.nan)
    wet = np.nan_to_num(depth) >= limit if dangers.depth_m is not None else np.zeros(len(xy), bool)
    return Verdict(
        check="flood",
        passed=~wet,
        value=depth,
        limit=np.full(len(xy), limit),
        unit="m",
        reason=[
            text("{depth} m of water", depth=f"{depth[i]:.2f}") if wet[i] else ""
            for i in range(len(xy))
        ],
    )


def _in_danger_area(xy: NDArray[np.float64], dangers: Dangers) -> Verdict:
    inside = np.zeros(len(xy), bool)
    which = np.full(len(xy), -1)
    areas = dangers.areas
    names: list[str] = []
    if areas is not None and len(areas):
        names = texts(areas, "name")
        tree = shapely.STRtree(np.asarray(areas.geometry.array, dtype=object))
        point, area = tree.query(shapely.points(xy), predicate="intersects")
        inside[point] = True
        which[point] = area
    return Verdict(
        check="danger_area",
        passed=~inside,
        value=np.full(len(xy), np.nan),
        limit=np.full(len(xy), np.nan),
        unit="",
        reason=[
            text("inside the danger area {name}", name=names[which[i]]) if inside[i] else ""
            for i in range(len(xy))
        ],
    )


def _near_source(xy: NDArray[np.float64], dangers: Dangers, presets: Presets) -> Verdict:
    """Find the source whose zone reaches deepest over each place; the limit itself is free."""
    sources = dangers.sources
    count = len(xy)
    over, gap, limit = np.zeros(count), np.full(count, np.nan), np.full(count, np.nan)
    owner = np.full(count, -1)
    names: list[str] = []
    if sources is not None and len(sources) and count:
        zones = presets["refuge.hazard_zone_m"]
        levels = [level or "0" for level in texts(sources, "gb18218_level")]
        zone = np.asarray([float(zones.get(level, zones["0"])) for level in levels])
        names = texts(sources, "name")
        shapes = np.asarray(sources.geometry.array, dtype=object)
        tree = shapely.STRtree(shapely.points(xy))
        row, point = tree.query(shapes, predicate="dwithin", distance=zone)
        apart = shapely.distance(shapes[row], shapely.points(xy[point]))
        order = np.lexsort((row, zone[row] - apart, point))[::-1]
        row, point, apart = row[order], point[order], apart[order]
        first = np.r_[True, point[1:] != point[:-1]] if point.size else np.zeros(0, bool)
        row, point, apart = row[first], point[first], apart[first]
        over[point] = zone[row] - apart
        gap[point], limit[point], owner[point] = apart, zone[row], row
    near = over > 0
    return Verdict(
        check="hazard_source",
        passed=~near,
        value=gap,
        limit=limit,
        unit="m",
        reason=[
            text(
                "{gap} m from {name}, {limit} m wanted",
                gap=f"{gap[i]:.0f}",
                name=names[owner[i]],
                limit=f"{limit[i]:.0f}",
            )
            if near[i]
            else ""
            for i in range(count)
        ],
    )


def refuge_checks(refuges: pd.DataFrame, held: pd.DataFrame, *, on_road: Bools) -> list[Verdict]:
    """Check what the ledger says of the refuges themselves.

    Parameters
    ----------
    refuges
        Refuge layer.
    held
        Table of `capacity_table`.
    on_road
        True where a refuge is near a passable road.

    Returns
    -------
    list of Verdict
        ``status``, ``capacity`` and ``road``.
    """
    count = len(refuges)
    blank = np.full(count, np.nan)
    states = texts(refuges, "status")
    shut = np.isin(np.asarray(states, dtype=object), list(CLOSED))
    declared_dry = numbers(refuges, "usable_flood") == 0
    places = held["places"].to_numpy(np.float64)
    counted = (held["known"] | held["assumed"]).to_numpy()
    return [
        Verdict(
            check="status",
            passed=~shut & ~declared_dry,
            value=blank,
            limit=blank,
            unit="",
            reason=[
                text("not open: {state}", state=states[i])
                if shut[i]
                else (text("declared unfit for floods") if declared_dry[i] else "")
                for i in range(count)
            ],
        ),
        Verdict(
            check="capacity",
            passed=places > 0,
            value=np.where(counted, places, np.nan),
            limit=blank,
            unit="person",
            reason=[
                ""
                if places[i] > 0
                else (
                    text("no free place") if counted[i] else text("capacity and area are missing")
                )
                for i in range(count)
            ],
        ),
        Verdict(
            check="road",
            passed=on_road,
            value=blank,
            limit=blank,
            unit="",
            reason=["" if on_road[i] else text("no passable road near") for i in range(count)],
        ),
    ]


def eligibility(
    refuges: pd.DataFrame, verdicts: list[Verdict], options: RefugeOptions
) -> tuple[pd.DataFrame, Bools]:
    """Put the checks into one table, a row for each refuge and check.

    Parameters
    ----------
    refuges
        Refuge layer.
    verdicts
        The checks.
    options
        Which checks a refuge must pass.

    Returns
    -------
    tuple
        Table (item_id, name, tier, check, usable, required, reason, value, limit, unit) and
        whether each refuge may be used.
    """
    names, tiers = texts(refuges, "name"), texts(refuges, "tier")
    usable = np.ones(len(refuges), bool)
    parts = []
    for verdict in verdicts:
        needed = verdict.check in options.require
        if needed:
            usable &= verdict.passed
        parts.append(
            pd.DataFrame(
                {
                    "item_id": refuges.index.astype(str),
                    "name": names,
                    "tier": tiers,
                    "check": verdict.check,
                    "usable": verdict.passed,
                    "required": needed,
                    "reason": pd.Series(verdict.reason, dtype=object),
                    "value": verdict.value,
                    "limit": verdict.limit,
                    "unit": verdict.unit,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    order = np.argsort(np.tile(np.arange(len(refuges)), len(verdicts)), kind="stable")
    return table.iloc[order].reset_index(drop=True), usable

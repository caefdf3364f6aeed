"""The first station of every point, dry and under water."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.plans.coverage import Demand, Reach

if TYPE_CHECKING:
    from riskmap.plans.response import Rule

Pairs = Mapping[str, tuple[Demand, Reach]]
CELLS: Final = ("population", "cells")
"""Demands that are no points."""


def nearest_table(
    dry: Pairs,
    wet: Mapping[str, Pairs],
    rule: Rule,
    names: NDArray[np.object_],
    town_names: Mapping[str, str],
) -> pd.DataFrame:
    """List the nearest station of every point on dry roads, and what each scenario makes of it.

    Parameters
    ----------
    dry
        Role to its points and how they are reached on dry roads.
    wet
        Scenario to the same on its roads.
    rule
        Its first target tells who is in time.
    names
        Names of the stations.
    town_names
        Unit code to name.

    Returns
    -------
    pandas.DataFrame
        ``scenario`` (empty: there is none), ``what``, ``id``, ``name``, ``town``, ``station_dry``,
        ``seconds_dry`` (NaN = no way), ``station``, ``seconds``, ``later_s`` and ``state``:
        ``in_time``, ``late``, ``lost`` (in time when dry only), ``cut`` (no way any more),
        ``no_way`` (dry neither). Rows without a scenario stand only where there is none.
    """
    limit = rule.targets[0].seconds
    called = np.append(names, "")
    parts = []
    for scenario, pairs in (dict(wet) or {"": dry}).items():
        for what, (demand, reach) in pairs.items():
            if what in CELLS:
                continue
            before = dry[what][1]
            old, new = _finite(before.nearest_s), _finite(reach.nearest_s)
            frame = {
                "scenario": scenario,
                "what": what,
                "id": demand.ids,
                "name": demand.names,
                "town": [town_names.get(str(code), str(code)) for code in demand.town],
                "station_dry": called[before.nearest],
                "seconds_dry": old,
                "station": called[reach.nearest],
                "seconds": new,
                "later_s": new - old,
                "state": _states(old, new, limit),
            }
            parts.append(pd.DataFrame(frame))
    columns = ["scenario", "what", "id", "name", "town", "station_dry", "seconds_dry", "station",
               "seconds", "later_s", "state"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _finite(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(seconds), seconds, np.nan)


def _states(
    old: NDArray[np.float64], new: NDArray[np.float64], limit: float
) -> NDArray[np.object_]:
    """Name what became of every point."""
    cases = [
        (np.isnan(old), "no_way"),
        (np.isnan(new), "cut"),
        ((old <= limit) & (new > limit), "lost"),
        (new > limit, "late"),
    ]
    found = np.full(len(old), "in_time", dtype=object)
    for hit, name in reversed(cases):
        found[hit] = name
    return found

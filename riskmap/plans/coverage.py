"""Coverage report: who is reached in time by one station, by two, by none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.i18n import text
from riskmap.plans.response import Rule, Target

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Demand:
    """Places that should be reached: cells weighted by people, or the points of a role."""

    what: str
    """``population`` (cells with people), ``cells``, ``village``, or a role."""
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    weight: Floats
    """People, or 1 a point, shape (d,)."""
    town: NDArray[np.object_]
    """Unit of each place, shape (d,)."""
    xy: Floats
    """Shape (d, 2) [m]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reach:
    """How stations reach the places of a demand."""

    place: Ints
    station: Ints
    seconds: Floats
    """Every pair within the longest target; seconds from the call under the first rule."""
    nearest: Ints
    """Station that is first at each place, -1 none, shape (d,)."""
    nearest_s: Floats
    """Its seconds from the call, infinite when nobody comes, shape (d,)."""
    on: NDArray[np.bool_]
    """Whether the place is on the network, shape (d,)."""
    base_s: float
    """Call handling and turn-out under the first rule, where a station gives none [s]."""
    own: NDArray[np.bool_]
    """Whether a station gives its own, shape (stations,)."""

    def arrival_s(self, target: Target) -> Floats:
        """Give the seconds of every pair on the clock of a target's rule.

        Parameters
        ----------
        target
            The target.

        Returns
        -------
        numpy.ndarray
            Shape (pairs,) [s].
        """
        shift = np.where(self.own, 0.0, target.response_s - self.base_s)
        return np.asarray(self.seconds + shift[self.station], dtype=np.float64)

    def best_s(self, target: Target) -> Floats:
        """Give the earliest arrival at every place on the clock of a target's rule.

        Parameters
        ----------
        target
            The target.

        Returns
        -------
        numpy.ndarray
            Infinite beyond the longest target, shape (d,) [s].
        """
        best = np.full(len(self.on), np.inf)
        np.minimum.at(best, self.place, self.arrival_s(target))
        return best


def times_covered(reach: Reach, target: Target) -> Ints:
    """Count the stations that reach each place in time.

    Parameters
    ----------
    reach
        The pairs.
    target
        The target; its limit is inclusive.

    Returns
    -------
    numpy.ndarray
        Shape (d,).
    """
    near = reach.arrival_s(target) <= target.seconds
    return np.bincount(reach.place[near], minlength=len(reach.on)).astype(np.int64)


def covered_weight(demand: Demand, reach: Reach, target: Target, *, least: int = 1) -> float:
    """Sum what enough stations reach in time.

    Parameters
    ----------
    demand, reach
        Places and how they are reached.
    target
        The target.
    least
        Number of stations that must reach a place.

    Returns
    -------
    float
        People, cells or points.
    """
    return float(demand.weight[times_covered(reach, target) >= least].sum())


def coverage_table(
    demands: Mapping[str, tuple[Demand, Reach]], rule: Rule, town_names: Mapping[str, str]
) -> pd.DataFrame:
    """Count what is covered never, once, twice or more, overall and by town.

    Parameters
    ----------
    demands
        Name to places and how they are reached.
    rule
        The targets.
    town_names
        Unit code to name.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``target``, ``target_s``, ``unit_id`` (empty = whole place), ``name``, ``what``,
        ``total``, ``none``, ``once``, ``twice``, the same as ``share_*``, and ``off_network``.
    """
    parts = []
    for what, (demand, reach) in demands.items():
        for target in rule.levels:
            times = np.minimum(times_covered(reach, target), 2)
            columns: dict[str, object] = {
                name: np.where(times == code, demand.weight, 0.0)
                for code, name in enumerate(("none", "once", "twice"))
            }
            columns["off_network"] = np.where(reach.on, 0.0, demand.weight)
            frame = pd.DataFrame(columns)
            by_town = frame.groupby(demand.town.astype(str), sort=True).sum()
            whole = frame.sum().to_frame().T.set_axis([""], axis=0)
            table = pd.concat([whole, by_town[by_town.index != ""]])
            codes = table.index.astype(str)
            names = [town_names.get(code, code) if code else text("whole place") for code in codes]
            table.insert(0, "rule", target.rule)
            table.insert(1, "target", target.key)
            table.insert(2, "target_s", target.seconds)
            table.insert(3, "unit_id", codes)
            table.insert(4, "name", pd.Series(names, index=table.index, dtype=object))
            table.insert(5, "what", what)
            parts.append(table)
    all_ = pd.concat(parts, ignore_index=True)
    total = all_[["none", "once", "twice"]].sum(axis=1)
    all_.insert(6, "total", total)
    for name in ("none", "once", "twice"):
        all_[f"share_{name}"] = np.where(
            total > 0, all_[name] / total.where(total > 0, 1.0), np.nan
        )
    order = (all_["unit_id"] != "").astype(int)
    return all_.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def worst_table(
    demands: Mapping[str, tuple[Demand, Reach]],
    rule: Rule,
    *,
    stations: NDArray[np.object_],
    town_names: Mapping[str, str],
    most: int = 50,
) -> pd.DataFrame:
    """List the places that no station reaches in time, most people first, then the latest.

    Parameters
    ----------
    demands
        Name to places and how they are reached; what counts cells is left out where people are
        known.
    rule
        Its first target counts.
    stations
        Names of the stations.
    town_names
        Unit code to name.
    most
        Rows for each demand.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``id``, ``name``, ``town``, ``weight``, ``seconds`` (NaN = nobody comes),
        ``late_s``, ``station``, ``x``, ``y`` [m].
    """
    limit = rule.targets[0].seconds
    parts = []
    for what, (demand, reach) in demands.items():
        if what == "cells" and "population" in demands:
            continue
        late = np.flatnonzero((reach.nearest_s > limit) & (demand.weight > 0))
        order = np.lexsort(
            (demand.ids[late].astype(str), -reach.nearest_s[late], -demand.weight[late])
        )
        rows = late[order][:most]
        seconds = np.where(np.isfinite(reach.nearest_s[rows]), reach.nearest_s[rows], np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "what": what,
                    "id": demand.ids[rows],
                    "name": demand.names[rows],
                    "town": [town_names.get(str(code), str(code)) for code in demand.town[rows]],
                    "weight": demand.weight[rows],
                    "seconds": seconds,
                    "late_s": seconds - limit,
                    "station": np.append(stations, "")[reach.nearest[rows]],
                    "x": demand.xy[rows, 0],
                    "y": demand.xy[rows, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)

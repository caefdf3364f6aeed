"""Coverage report: who is reached in time by one station, by two, by none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.plans.response import Rule

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Demand:
    """Places that should be reached: cells weighted by people, or the points of a role."""

    what: str
    """``population`` (cells with people), or a role."""
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
    """Every pair within the longest target; seconds from the call."""
    nearest: Ints
    """Station that is first at each place, -1 none, shape (d,)."""
    nearest_s: Floats
    """Its seconds from the call, infinite when nobody comes, shape (d,)."""
    on: NDArray[np.bool_]
    """Whether the place is on the network, shape (d,)."""


def times_covered(reach: Reach, seconds: float) -> Ints:
    """Count the stations that reach each place in time.

    Parameters
    ----------
    reach
        The pairs.
    seconds
        The target, inclusive [s].

    Returns
    -------
    numpy.ndarray
        Shape (d,).
    """
    near = reach.seconds <= seconds
    return np.bincount(reach.place[near], minlength=len(reach.on)).astype(np.int64)


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
        ``target``, ``target_s``, ``unit_id`` (empty = whole place), ``name``, ``what``,
        ``total``, ``none``, ``once``, ``twice``, the same as ``share_*``, and ``off_network``.
    """
    parts = []
    for what, (demand, reach) in demands.items():
        for target in rule.targets:
            times = np.minimum(times_covered(reach, target.seconds), 2)
            columns: dict[str, object] = {
                name: np.where(times == code, demand.weight, 0.0)
                for code, name in enumerate(("none", "once", "twice"))
            }
            columns["off_network"] = np.where(reach.on, 0.0, demand.weight)
            frame = pd.DataFrame(columns)
            by_town = frame.groupby(demand.town.astype(str), sort=True).sum()
            whole = frame.sum().to_frame().T.set_axis([""], axis=0)
            table = pd.concat([whole, by_town[by_town.index != ""]])
            table.insert(0, "target", target.key)
            table.insert(1, "target_s", target.seconds)
            table.insert(2, "unit_id", table.index.astype(str))
            table.insert(3, "name", [town_names.get(code, code) for code in table["unit_id"]])
            table.insert(4, "what", what)
            parts.append(table)
    all_ = pd.concat(parts, ignore_index=True)
    total = all_[["none", "once", "twice"]].sum(axis=1)
    all_.insert(5, "total", total)
    for name in ("none", "once", "twice"):
        all_[f"share_{name}"] = np.where(
            total > 0, all_[name] / total.where(total > 0, 1.0), np.nan
        )
    return all_


def worst_table(
    demands: Mapping[str, tuple[Demand, Reach]],
    rule: Rule,
    *,
    stations: NDArray[np.object_],
    most: int = 50,
) -> pd.DataFrame:
    """List the places that no station reaches in time, most people first, then the latest.

    Parameters
    ----------
    demands
        Name to places and how they are reached.
    rule
        Its first target counts.
    stations
        Names of the stations.
    most
        Rows for each demand.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``id``, ``name``, ``unit_id``, ``weight``, ``seconds`` (NaN = nobody comes),
        ``late_s``, ``station``, ``x``, ``y``.
    """
    limit = rule.targets[0].seconds
    parts = []
    for what, (demand, reach) in demands.items():
        late = np.flatnonzero((reach.nearest_s > limit) & (demand.weight > 0))
        order = np.lexsort(
            (demand.ids[late].astype(str), -reach.nearest_s[late], -demand.weight[late])
        )
        rows = late[order][:most]
        seconds = np.where(np.isfinite(reach.nearest_s[rows]), reach.nearest_s[rows], np.nan)
        who = reach.nearest[rows]
        parts.append(
            pd.DataFrame(
                {
                    "what": what,
                    "id": demand.ids[rows],
                    "name": demand.names[rows],
                    "unit_id": demand.town[rows],
                    "weight": demand.weight[rows],
                    "seconds": seconds,
                    "late_s": seconds - limit,
                    "station": np.append(stations, "")[who],
                    "x": demand.xy[rows, 0],
                    "y": demand.xy[rows, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def station_table(
    stations: pd.DataFrame,
    demand: Demand,
    reach: Reach,
    rule: Rule,
    *,
    cell_km2: float,
    area_limits: Mapping[str, float],
    start: Floats,
    on: NDArray[np.bool_],
) -> pd.DataFrame:
    """Give each station's load and area, and flag areas above the standard.

    Parameters
    ----------
    stations
        Stations indexed by ``item_id``; ``type`` chooses the standard.
    demand, reach
        Cells and how they are reached.
    rule
        The targets.
    cell_km2
        Area of a cell [km2].
    area_limits
        Station type to the largest area per station [km2].
    start
        Seconds before departure, shape (stations,) [s].
    on
        Whether each station is on the network.

    Returns
    -------
    pandas.DataFrame
        Indexed as ``stations``: ``name``, ``type``, ``response_s``, ``on_network``; people and
        area for which it is first (``load``, ``area_km2``), those in time (``load_in_time``),
        people it alone reaches in time (``alone``), people reached in time (``reached``),
        ``area_limit_km2`` and ``area_over``.
    """
    count = len(stations)
    first = reach.nearest >= 0
    limit = rule.targets[0].seconds

    def per_station(rows: NDArray[np.bool_], weight: Floats) -> Floats:
        total = np.bincount(reach.nearest[rows], weights=weight[rows], minlength=count)
        return total.astype(np.float64)

    pairs = reach.seconds <= limit
    times = times_covered(reach, limit)
    alone = pairs & (times[reach.place] == 1)
    cells = np.full(len(demand.weight), cell_km2)
    in_time = first & (reach.nearest_s <= limit)
    kind = _column(stations, "type")
    limits = np.array([area_limits.get(str(one), np.nan) for one in kind], dtype=np.float64)
    area = per_station(first, cells)
    weight = demand.weight[reach.place]
    return pd.DataFrame(
        {
            "name": _column(stations, "name"),
            "type": kind,
            "response_s": start,
            "on_network": on,
            "load": per_station(first, demand.weight),
            "load_in_time": per_station(in_time, demand.weight),
            "reached": np.bincount(reach.station[pairs], weights=weight[pairs], minlength=count),
            "alone": np.bincount(reach.station[alone], weights=weight[alone], minlength=count),
            "area_km2": area,
            "area_in_time_km2": per_station(in_time, cells),
            "area_limit_km2": limits,
            "area_over": area > limits,
        },
        index=stations.index,
    )


def overlap_table(
    demand: Demand, reach: Reach, rule: Rule, stations: NDArray[np.object_]
) -> pd.DataFrame:
    """List the pairs of stations that reach the same people in time.

    Parameters
    ----------
    demand, reach
        Cells and how they are reached.
    rule
        Its first target counts.
    stations
        Names of the stations.

    Returns
    -------
    pandas.DataFrame
        ``station_a``, ``station_b``, ``weight`` (people both reach), most first.
    """
    from scipy.sparse import csr_array

    near = reach.seconds <= rule.targets[0].seconds
    shape = (len(demand.weight), len(stations))
    who = (reach.place[near], reach.station[near])
    hit = csr_array((np.ones(int(near.sum())), who), shape=shape)
    people = csr_array((demand.weight[who[0]], who), shape=shape)
    both = (hit.T @ people).tocoo()
    upper = both.row < both.col
    table = pd.DataFrame(
        {
            "station_a": stations[both.row[upper]],
            "station_b": stations[both.col[upper]],
            "weight": both.data[upper],
        }
    )
    table = table[table["weight"] > 0]
    order = ["weight", "station_a", "station_b"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _column(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Give a text column, empty where it is missing."""
    if name not in table.columns:
        return np.full(len(table), "", dtype=object)
    return table[name].astype(object).where(table[name].notna(), "").to_numpy(dtype=object)

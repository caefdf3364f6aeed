"""People who cannot walk: who they are, and the vehicles that fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.plans.refuge_capacity import numbers
from riskmap.plans.refuge_demand import People

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.presets.load import Presets

    Floats = NDArray[np.float64]


def assisted_share(
    sensitive: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame, presets: Presets
) -> pd.Series[float]:
    r"""Give the share of people who need a vehicle, by finest unit.

    .. math:: a = B / P \text{ where the bedridden are counted, else } e \cdot a_e

    Parameters
    ----------
    sensitive
        Layer of vulnerable people: ``population``, ``bedridden``, ``elderly``,
        ``elderly_share``; or None.
    units
        Units.
    presets
        ``refuge.elderly_vehicle_share`` and ``refuge.vehicle_share``.

    Returns
    -------
    Series
        Share by unit id; the preset where nothing is known.
    """
    from riskmap.geo.points import unit_of_points

    finest = units[units["finest"]] if "finest" in units else units
    found = pd.Series(np.nan, index=finest.index)
    if sensitive is not None and len(sensitive):
        home = unit_of_points(sensitive.geometry.representative_point(), finest)
        people = numbers(sensitive, "population")
        with np.errstate(divide="ignore", invalid="ignore"):
            bed = numbers(sensitive, "bedridden") / people
            old = np.where(
                np.isnan(numbers(sensitive, "elderly_share")),
                numbers(sensitive, "elderly") / people,
                numbers(sensitive, "elderly_share"),
            )
        if np.isfinite(old).any():
            old = old * float(presets["refuge.elderly_vehicle_share"])
        share = pd.Series(np.where(np.isfinite(bed), bed, old)).groupby(home).mean()
        found = share.reindex(found.index)
    if found.isna().any():
        found = found.fillna(float(presets["refuge.vehicle_share"]))
    return found.clip(0.0, 1.0)


def part(people: People, share: pd.Series[float], *, whole: bool) -> People:
    """Part every group into those who can walk and those who need a vehicle.

    Declared vulnerable people need one; where a group declares none, the share of its unit does,
    rounded up. Groups that stay together are not parted.

    Parameters
    ----------
    people
        The groups; ``vulnerable`` is NaN where not declared.
    share
        Share of people who need a vehicle, by unit.
    whole
        Whether groups stay together.

    Returns
    -------
    People
        With a column ``assisted``; the parts of a group stand beside each other.
    """
    table = people.table.copy()
    count = table["people"].to_numpy(np.float64)
    weak = numbers(table, "vulnerable")
    rate = np.asarray([share.get(code, np.nan) for code in table["unit_id"]], np.float64)
    # A part in a million is not one more person.
    guess = np.ceil(count * np.nan_to_num(rate) - 1e-6)
    weak = np.minimum(np.where(np.isnan(weak), guess, weak), count)
    table["vulnerable"] = np.rint(weak).astype(np.int64)
    table["assisted"] = False
    if whole:
        return People(table=table, xy=people.xy)
    fit = table.assign(people=table["people"] - table["vulnerable"], vulnerable=0)
    ride = table.assign(people=table["vulnerable"], assisted=True)
    joined = pd.concat([fit, ride], ignore_index=True)
    some = np.flatnonzero(joined["people"].to_numpy() > 0)
    order = some[np.lexsort((some, np.tile(np.arange(len(table)), 2)[some]))]
    return People(
        table=joined.iloc[order].reset_index(drop=True),
        xy=np.concatenate([people.xy, people.xy])[order],
    )


def vehicles_table(rows: pd.DataFrame, *, warning_s: float, presets: Presets) -> pd.DataFrame:
    r"""Count the vehicles of every village.

    .. math:: n = \left\lceil \frac{\lceil p / s \rceil}{k} \right\rceil, \qquad
              k = 1 + \left\lfloor \frac{T - t_0 - t}{2 t} \right\rfloor

    A vehicle is in the village when people set out; it comes back as often as the warning allows.

    Parameters
    ----------
    rows
        Table of assignments: district, town, village, mode, assisted, people, minutes.
    warning_s
        Time from the warning to the peak T [s].
    presets
        ``refuge.vehicle_persons`` and ``refuge.prepare_min``.

    Returns
    -------
    DataFrame
        district, town, village, riders, assisted, longest_min, rounds, bus_trips, assisted_trips,
        buses, assisted_vehicles; a row for each village from which people ride.

    Examples
    --------
    >>> from riskmap.presets.load import load_presets
    >>> rows = pd.DataFrame({"district": "", "town": "", "village": "A", "mode": "ride",
    ...     "assisted": [False, True], "people": [90, 9], "minutes": [20.0, 20.0]})
    >>> vehicles_table(rows, warning_s=7200, presets=load_presets())[
    ...     ["rounds", "bus_trips", "assisted_trips", "buses", "assisted_vehicles"]].values.tolist()
    [[2, 3, 3, 2, 2]]
    """
    ride = rows[rows["mode"] == "ride"]
    columns = ["riders", "assisted", "longest_min", "rounds", "bus_trips", "assisted_trips",
               "buses", "assisted_vehicles"]  # fmt: skip
    keys = ["district", "town", "village"]
    if ride.empty:
        return pd.DataFrame(columns=keys + columns)
    seats = presets["refuge.vehicle_persons"]
    free = warning_s / 60 - float(presets["refuge.prepare_min"])
    table = (
        ride.assign(weak=ride["people"].where(ride["assisted"], 0))
        .groupby(keys, sort=True)
        .agg(riders=("people", "sum"), assisted=("weak", "sum"), longest_min=("minutes", "max"))
        .reset_index()
    )
    once = np.maximum(table["longest_min"].to_numpy(np.float64), 1.0)
    rounds = np.maximum(1 + np.floor((free - once) / (2 * once)), 1)
    table["rounds"] = rounds.astype(np.int64)
    others = table["riders"] - table["assisted"]
    for kind, heads, name in (
        ("bus", others, "buses"),
        ("special", table["assisted"], "assisted_vehicles"),
    ):
        trips = np.ceil(heads.to_numpy(np.float64) / float(seats[kind]))
        table["bus_trips" if kind == "bus" else "assisted_trips"] = trips.astype(np.int64)
        table[name] = np.ceil(trips / rounds).astype(np.int64)
    return table[keys + columns]

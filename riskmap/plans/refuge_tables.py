"""The plan's tables as officers read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuge_assign import Assigned

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuge_demand import People


def _groups(people: People, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give every group its village, town and district."""
    table = people.table.copy()
    for level in ("village", "town", "district"):
        names = units[level] if level in units else pd.Series(dtype=object)
        table[level] = [str(names.get(code, "")) for code in table["unit_id"]]
    blank = table["village"] == ""
    own = [str(units["name"].get(code, "")) for code in table["unit_id"]]
    table.loc[blank, "village"] = np.asarray(own, object)[blank.to_numpy()]
    return table


def assignment_table(
    done: Assigned,
    possible: pd.DataFrame,
    people: People,
    held: pd.DataFrame,
    units: gpd.GeoDataFrame,
    places: NDArray[np.float64],
    *,
    routes: pd.DataFrame,
    prepare_min: float,
    warning_min: float,
) -> pd.DataFrame:
    """List every group, its refuge, how, how far, whether in time, and where else it could go.

    Parameters
    ----------
    done
        The assignment.
    possible
        All ways.
    people
        The groups.
    held
        Capacities, in the order of the refuges.
    units
        Units.
    places
        Places of each usable refuge.
    routes
        Table of `plan_routes`, in the order of the assignment.
    prepare_min
        Time from the notice to setting out [min].
    warning_min
        Time from the warning to the peak [min].

    Returns
    -------
    DataFrame
        A row for each group and refuge, by district, town, village. ``spare_min`` is what is left
        before the peak when the group arrives; below 0 it comes too late.
    """
    groups = _groups(people, units)
    rows = done.pairs.copy()
    who = groups.iloc[rows["demand"].to_numpy(np.int64)].reset_index(drop=True)
    there = held.iloc[rows["refuge"].to_numpy(np.int64)]
    other = _alternatives(done, possible, places)
    table = who[["demand", "district", "town", "village", "origin", "name"]].rename(
        columns={"demand": "group"}
    )
    table["people"] = rows["people"].to_numpy()
    table["assisted"] = who["assisted"].to_numpy(bool)
    table["refuge_id"] = there.index.astype(str)
    table["refuge"] = there["name"].to_numpy()
    table["tier"] = there["tier"].to_numpy()
    table["mode"] = rows["mode"].to_numpy()
    table["metres"] = rows["metres"].round(0).to_numpy()
    table["minutes"] = (rows["seconds"] / 60).round(1).to_numpy()
    spare = warning_min - prepare_min - rows["seconds"].to_numpy(np.float64) / 60
    table["spare_min"] = np.round(spare, 1)
    table["in_time"] = spare >= 0
    for name in routes.columns:
        table[name] = routes[name].to_numpy()
    names = held["name"].to_numpy()
    table["alternative"] = [names[j] if j >= 0 else "" for j in other[0]]
    table["alternative_mode"] = other[1]
    table["alternative_minutes"] = (other[2] / 60).round(1)
    table["demand"], table["refuge_row"] = rows["demand"].to_numpy(), rows["refuge"].to_numpy()
    table["row"] = np.arange(len(table))
    order = ["district", "town", "village", "group", "minutes", "refuge_id"]
    return table.sort_values(order, kind="stable").reset_index(drop=True)


def _alternatives(
    done: Assigned, possible: pd.DataFrame, places: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.object_], NDArray[np.float64]]:
    """Find the nearest other usable refuge of every row."""
    usable = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    rows = done.pairs.reset_index(names="row")[["row", "demand", "refuge"]]
    both = rows.merge(usable, on="demand", suffixes=("", "_other"))
    both = both[both["refuge"] != both["refuge_other"]]
    first = both.sort_values(["row", "rank", "seconds"], kind="stable").drop_duplicates("row")
    count = len(rows)
    other, mode = np.full(count, -1, np.int64), np.full(count, "", dtype=object)
    seconds = np.full(count, np.nan)
    at = first["row"].to_numpy(np.int64)
    other[at], mode[at] = first["refuge_other"].to_numpy(np.int64), first["mode"].to_numpy()
    seconds[at] = first["seconds"].to_numpy()
    return other, mode, seconds


def shortfall_table(
    done: Assigned,
    possible: pd.DataFrame,
    people: People,
    units: gpd.GeoDataFrame,
    places: NDArray[np.float64],
) -> pd.DataFrame:
    """Count by village who has to move, who has a place, who has none and why.

    Parameters
    ----------
    done, possible, people, units, places
        As for `assignment_table`.

    Returns
    -------
    DataFrame
        unit_id, district, town, village, people, assisted, served, shortfall, short_assisted,
        refuges_in_reach, cut_off, reason; the largest shortfall first.
    """
    groups = _groups(people, units)
    groups["shortfall"] = done.shortfall
    usable = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    count = np.bincount(usable["demand"].to_numpy(np.int64), minlength=len(groups))
    groups["cut_off"] = np.where(count == 0, groups["shortfall"], 0.0)
    # Where some are short, their own reach counts, not that of others of the village.
    lacks = groups.groupby("unit_id")["shortfall"].transform("sum") > 0
    groups["in_reach"] = np.where(lacks & ~(groups["shortfall"] > 0), 0, count)
    groups["needing"] = np.where(groups["assisted"], groups["people"], groups["vulnerable"])
    groups["short_assisted"] = np.where(groups["assisted"], groups["shortfall"], 0.0)
    table = (
        groups.groupby(["unit_id", "district", "town", "village"], sort=True)
        .agg(
            people=("people", "sum"),
            assisted=("needing", "sum"),
            shortfall=("shortfall", "sum"),
            short_assisted=("short_assisted", "sum"),
            refuges_in_reach=("in_reach", "max"),
            cut_off=("cut_off", "sum"),
        )
        .reset_index()
    )
    table.insert(6, "served", table["people"] - table["shortfall"])
    table["reason"] = pd.Series([_why(row) for row in table.itertuples()], dtype=object)
    return table.sort_values(["shortfall", "unit_id"], ascending=[False, True]).reset_index(
        drop=True
    )


def _why(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.shortfall <= 0:
        return ""
    if row.cut_off >= row.shortfall:
        return text("no usable refuge within reach on passable roads")
    return text("the {n} refuges within reach are full", n=int(row.refuges_in_reach))


def summary(
    name: str,
    recount: Mapping[str, float],
    done: Assigned,
    usable: NDArray[np.bool_],
    tables: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Put the plan's main figures into one short table.

    Parameters
    ----------
    name
        Name of the scenario.
    recount
        Figures counted from the rows.
    done
        The assignment.
    usable
        Which refuges may be used.
    tables
        The other tables.

    Returns
    -------
    DataFrame
        what, value, unit.
    """
    sent = tables["assignment"]
    on_foot = sent.query("mode == 'foot'")["minutes"]
    late = sent.loc[~sent["in_time"].astype(bool), "people"].sum()
    cars = tables["vehicles"]
    held = tables["capacity"]
    guessed = int(held.loc[held["assumed"] & held["usable"], "places"].sum())
    rows = [
        (text("scenario"), name or text("without flood"), ""),
        (text("refuges"), usable.size, ""),
        (text("refuges that may be used"), int(usable.sum()), ""),
        (text("places in them"), int(recount["places"]), text("persons")),
        *(((text("of these assumed"), guessed, text("persons")),) if guessed else ()),
        (text("people to move"), int(recount["people"]), text("persons")),
        (text("with a place"), round(recount["served"]), text("persons")),
        (text("of these on foot"), round(recount["walk"]), text("persons")),
        (text("of these by vehicle"), round(recount["ride"]), text("persons")),
        (text("without a place"), round(recount["shortfall"]), text("persons")),
        (text("need a vehicle"), round(recount["assisted"]), text("persons")),
        (text("of these without a place"), round(recount["assisted_short"]), text("persons")),
        (text("buses at once"), int(cars["buses"].sum()), text("vehicles")),
        (text("vehicles for the assisted"), int(cars["assisted_vehicles"].sum()), text("vehicles")),
        (text("arrive after the peak"), round(late), text("persons")),
        (text("longest walk"), float(on_foot.max()) if len(on_foot) else 0.0, "min"),
        (text("sum of ways"), round(done.person_seconds / 3600), text("person-hours")),
        (text("proof"), done.solution.status, ""),
        (text("gap"), done.solution.gap if done.solution.gap is not None else "", ""),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit"]).astype(object)

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
    from riskmap.plans.refuge_sites import Proposed


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
) -> pd.DataFrame:
    """List every group, the refuge it goes to, how, how far, and where else it could go.

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

    Returns
    -------
    DataFrame
        A row for each group and refuge, by district, town, village.
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
    table["refuge_id"] = there.index.astype(str)
    table["refuge"] = there["name"].to_numpy()
    table["tier"] = there["tier"].to_numpy()
    table["mode"] = rows["mode"].to_numpy()
    table["metres"] = rows["metres"].round(0).to_numpy()
    table["minutes"] = (rows["seconds"] / 60).round(1).to_numpy()
    names = held["name"].to_numpy()
    table["alternative"] = [names[j] if j >= 0 else "" for j in other[0]]
    table["alternative_mode"] = other[1]
    table["alternative_minutes"] = (other[2] / 60).round(1)
    table["demand"], table["refuge_row"] = rows["demand"].to_numpy(), rows["refuge"].to_numpy()
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
        unit_id, district, town, village, people, served, shortfall, refuges_in_reach, reason;
        the largest shortfall first.
    """
    groups = _groups(people, units)
    groups["shortfall"] = done.shortfall
    usable = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    count = np.bincount(usable["demand"].to_numpy(np.int64), minlength=len(groups))
    groups["cut_off"] = np.where(count == 0, groups["shortfall"], 0.0)
    # Where some are short, their own reach counts, not that of others of the village.
    lacks = groups.groupby("unit_id")["shortfall"].transform("sum") > 0
    groups["in_reach"] = np.where(lacks & ~(groups["shortfall"] > 0), 0, count)
    table = (
        groups.groupby(["unit_id", "district", "town", "village"], sort=True)
        .agg(
            people=("people", "sum"),
            shortfall=("shortfall", "sum"),
            refuges_in_reach=("in_reach", "max"),
            cut_off=("cut_off", "sum"),
        )
        .reset_index()
    )
    table.insert(5, "served", table["people"] - table["shortfall"])
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


def mend_table(
    done: Assigned,
    more: pd.DataFrame,
    after: Assigned,
    people: People,
    held: pd.DataFrame,
    sites: Proposed | None,
    early: Assigned | None,
) -> pd.DataFrame:
    """List what would remove the shortfall, and what solving again with it gave.

    Parameters
    ----------
    done
        The assignment.
    more
        refuge (position) and places to add.
    after
        The assignment with these places.
    people
        The groups.
    held
        Capacities.
    sites
        New sites proposed, or None.
    early
        The assignment when groups that are cut off leave while the roads are dry, or None.

    Returns
    -------
    DataFrame
        measure, where, places, shortfall_before, shortfall_after.
    """
    before = float(done.shortfall.sum())
    rows: list[dict[str, object]] = [
        {
            "measure": text("add places"),
            "where": str(held["name"].iloc[int(j)]),
            "places": float(add),
        }
        for j, add in zip(more["refuge"], more["add"], strict=True)
    ]
    rest = np.flatnonzero(after.shortfall > 0)
    rows += [
        {
            "measure": text("refuge or vehicles needed near"),
            "where": str(people.table["name"].iloc[int(i)]),
            "places": float(after.shortfall[i]),
        }
        for i in rest
    ]
    left = float(after.shortfall.sum())
    for row in rows:
        row |= {"shortfall_before": before, "shortfall_after": left}
    if early is not None:
        left = float(early.shortfall.sum())
        rows += [
            {
                "measure": text("or: move before the roads are flooded"),
                "where": str(people.table["name"].iloc[int(i)]),
                "places": float(done.shortfall[i]),
                "shortfall_before": before,
                "shortfall_after": left,
            }
            for i in rest
        ]
    if sites is not None:
        rows += [
            {
                "measure": text("or: open new sites"),
                "where": ", ".join(sites.table["site"]),
                "places": float(sites.table["places"].sum()),
                "shortfall_before": before,
                "shortfall_after": before - sites.served,
            }
        ]
    columns = ["measure", "where", "places", "shortfall_before", "shortfall_after"]
    return pd.DataFrame(rows, columns=columns)


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
    on_foot = tables["assignment"].query("mode == 'foot'")["minutes"]
    rows = [
        (text("scenario"), name or text("without flood"), ""),
        (text("refuges"), usable.size, ""),
        (text("refuges that may be used"), int(usable.sum()), ""),
        (text("places in them"), int(recount["places"]), text("persons")),
        (text("people to move"), int(recount["people"]), text("persons")),
        (text("with a place"), round(recount["served"]), text("persons")),
        (text("of these on foot"), round(recount["walk"]), text("persons")),
        (text("of these by vehicle"), round(recount["ride"]), text("persons")),
        (text("without a place"), round(recount["shortfall"]), text("persons")),
        (text("longest walk"), float(on_foot.max()) if len(on_foot) else 0.0, "min"),
        (text("sum of ways"), round(done.person_seconds / 3600), text("person-hours")),
        (text("proof"), done.solution.status, ""),
        (text("gap"), done.solution.gap if done.solution.gap is not None else "", ""),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit"]).astype(object)

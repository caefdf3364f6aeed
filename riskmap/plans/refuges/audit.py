"""The office's own plan held against this one: where it differs, floods, overfills, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuges.capacity import numbers, texts

if TYPE_CHECKING:
    from riskmap.plans.refuges.mends import Case
    from riskmap.plans.refuges.ways import Net
    from riskmap.plans.refuges.world import State, World

DECLARED: Final = ("refuge", "route", "trigger")
"""Fields of danger areas in which an office writes its own plan."""
COLUMNS: Final = [
    "district", "town", "village", "name", "people", "refuge", "declared_load", "places",
    "minutes_declared", "planned", "minutes", "agrees", "finding",
]  # fmt: skip


def audit(
    world: World,
    now: State,
    case: Case,
    fit: pd.DataFrame,
    sent: pd.DataFrame,
    roads: Sequence[Net],
) -> pd.DataFrame:
    """Hold what danger areas declare against the ledger, the roads and the plan.

    Parameters
    ----------
    world
        Danger areas, refuges, units.
    now
        The scenario's danger areas.
    case
        The assignment, with all ways and capacities.
    fit
        The checks of the refuges.
    sent
        Table of assignments.
    roads
        Roads by mode, as they are.

    Returns
    -------
    DataFrame
        A row for each danger area and refuge that it declares: people, ``declared_load`` (people
        of all areas that declare this refuge), its ``places``, ``minutes_declared`` (NaN: no way),
        where the plan sends them (``planned``, ``minutes``), whether both agree, and what is to be
        known. Empty where no area declares a refuge, a route or a trigger.
    """
    areas = [part for part in (now.danger_area, world.standing) if part is not None and len(part)]
    areas = [part for part in areas if any(any(texts(part, key)) for key in DECLARED)]
    if not areas:
        return pd.DataFrame(columns=COLUMNS)
    wanted = pd.concat([_declared(part) for part in areas], ignore_index=True)
    wanted = wanted.drop_duplicates(["name", "refuge"], ignore_index=True)
    own = {name: j for j, name in reversed(list(enumerate(map(plain, case.names))))}
    wanted["row"] = [own.get(plain(name), -1) if name else -1 for name in wanted["refuge"]]
    groups = case.people.table
    load = _loads(wanted, groups)
    shut = _shut(world, roads)
    rows = []
    for one in wanted.to_dict("records"):
        mine = np.flatnonzero((groups["name"] == one["name"]).to_numpy())
        rows.append(_judged(world, case, fit, sent, one, mine, load, shut))
    found = pd.DataFrame(rows, columns=COLUMNS)
    order = ["agrees", "district", "town", "village", "name"]
    return found.sort_values(order, kind="stable").reset_index(drop=True)


def plain(name: str) -> str:
    """Reduce a name to what tells it apart: no spaces, no brackets.

    Parameters
    ----------
    name
        As written.

    Returns
    -------
    str
        Without what differs between ledgers.

    Examples
    --------
    >>> plain(" 甲村 小学（操场） ") == plain("甲村小学(操场)")
    True
    """
    return re.sub(r"[\s()（）\[\]【】·.]+", "", name)


def _declared(areas: pd.DataFrame) -> pd.DataFrame:
    """List what each area declares, a row for each of its refuges."""
    table = pd.DataFrame(
        {
            "name": texts(areas, "name"),
            "said": texts(areas, "refuge"),
            "route": texts(areas, "route"),
            "trigger": texts(areas, "trigger"),
            "people": numbers(areas, "people"),
        }
    )
    table["refuge"] = [re.split(r"[、,，;；/]+", said) for said in table["said"]]
    table = table.explode("refuge", ignore_index=True)
    table["refuge"] = table["refuge"].fillna("").str.strip()
    return table


def _loads(wanted: pd.DataFrame, groups: pd.DataFrame) -> dict[int, float]:
    """Sum the people whom all areas together send to each refuge, shared evenly by an area."""
    moved = groups.groupby("name")["people"].sum()
    people = wanted["name"].map(moved).fillna(wanted["people"]).fillna(0.0)
    known = wanted["row"] >= 0
    share = people / known.groupby(wanted["name"]).transform("sum").clip(lower=1)
    total = share[known].groupby(wanted.loc[known, "row"]).sum()
    return {int(str(j)): float(n) for j, n in total.items()}


def _shut(world: World, roads: Sequence[Net]) -> set[str]:
    """Name the roads on which some stretch is closed or too deep in every mode."""
    names = world.road_names
    if not len(names):
        return set()
    shut: list[set[str]] = []
    for net in roads:
        closed = ~np.isfinite(net.edge_cost) & np.isfinite(net.free_cost)
        shut.append({names[row] for row in net.graph.edge_row[closed]} - {""})
    return set.intersection(*shut) if shut else set()


def _judged(
    world: World,
    case: Case,
    fit: pd.DataFrame,
    sent: pd.DataFrame,
    one: dict,  # type: ignore[type-arg]
    mine: np.ndarray,
    load: dict[int, float],
    shut: set[str],
) -> list[object]:
    """Say what is wrong with one declared way."""
    j, name = int(one["row"]), str(one["refuge"])
    goes = sent[sent["demand"].isin(mine)]
    planned = goes.groupby("refuge", sort=False)["people"].sum().sort_values(ascending=False)
    found: list[Text] = []
    minutes = np.nan
    places = float(case.places[j]) if j >= 0 else np.nan
    if not name:
        found.append(text("no refuge is declared"))
    elif j < 0:
        found.append(text("{name} is not in the ledger of refuges", name=name))
    else:
        found += _unfit(case, fit, j)
        ways = case.possible
        ways = ways[ways["demand"].isin(mine) & (ways["refuge"] == j)]
        minutes = float(ways["seconds"].max() / 60) if len(ways) else np.nan
        lacking = len(set(mine.tolist()) - set(ways["demand"].tolist()))
        if len(mine) and lacking:
            found.append(text("no passable way to {name} within the limit", name=name))
        if load.get(j, 0.0) > places > 0:
            found.append(
                text("{n} people are declared for {name}, which holds {places}",
                     n=f"{load[j]:.0f}", name=name, places=f"{places:.0f}")
            )  # fmt: skip
    closed = sorted(road for road in shut if road in one["route"])
    if closed:
        found.append(text("the declared route uses {roads}, cut here", roads="、".join(closed)))
    if not one["trigger"]:
        found.append(text("no trigger is declared"))
    elsewhere = planned.drop(case.names[j], errors="ignore") if j >= 0 else planned
    if len(elsewhere) and name:
        said = "、".join(f"{where} {n:.0f}" for where, n in elsewhere.items())
        found.append(text("the plan sends them elsewhere: {said}", said=said))
    head = [
        str(groups.iloc[0]) if len(groups := goes[key]) else _unit(world, case, mine, key)
        for key in ("district", "town", "village")
    ]
    people = float(case.counts[mine].sum()) if len(mine) else one["people"]
    finding: Text | str = ""
    for part in found:
        finding = text("{first}; {second}", first=finding, second=part) if finding else part
    return [
        *head, one["name"], people, name, round(load.get(j, np.nan), 0), places,
        round(minutes, 1), "、".join(map(str, planned.index)),
        float(goes["minutes"].max()) if len(goes) else np.nan, not found, finding,
    ]  # fmt: skip


def _unit(world: World, case: Case, mine: np.ndarray, level: str) -> str:
    """Name the unit of people who are sent nowhere."""
    if not len(mine) or level not in world.units:
        return ""
    code = case.people.table["unit_id"].iloc[int(mine[0])]
    return str(world.units[level].get(code, ""))


def _unfit(case: Case, fit: pd.DataFrame, j: int) -> list[Text]:
    """Say why the plan does not use a refuge."""
    item = str(case.held.index[j])
    bad = fit[(fit["item_id"].astype(str) == item) & ~fit["usable"] & fit["required"]]
    if not len(bad):
        return []
    return [text("{name} is not used: {why}", name=case.names[j], why=bad["reason"].iloc[0])]

"""Which refuge may be used against which hazard, and how the office's own plan differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.layer import numbers, texts
from riskmap.plans.refuges.dangers import Spots, Verdict, verdict
from riskmap.plans.refuges.demand import vehicles_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions
    from riskmap.vocabulary.presets import Presets

    Bools = NDArray[np.bool_]
    from riskmap.plans.refuges.assign import Case
    from riskmap.plans.refuges.dangers import State, World
    from riskmap.plans.refuges.ways import Net


CLOSED = ("closed", "retired", "planned")
"""States in which a refuge cannot be opened."""
STATES = (text("met"), text("not met"), text("not checked"))
"""What a check may say: 符合, 不符合, 未核查."""
HAZARDS = ("flood", "geohazard", "hazmat")
"""Hazards of the table, besides what holds for every one of them."""


def refuge_spots(refuges: pd.DataFrame, xy: NDArray[np.float64], presets: Presets) -> Spots:
    r"""Give the refuges as the checks of their ground see them.

    .. math:: r = \min(\sqrt{A / \pi}, r_0)

    Parameters
    ----------
    refuges
        Refuge layer: ``area_m2``, ``space``, ``floor_level_m``, ``flood_level_m``.
    xy
        Their places, shape (n, 2) [m].
    presets
        ``refuge.footprint_most_m``.

    Returns
    -------
    Spots
        In the order of the refuges.
    """
    area = np.nan_to_num(numbers(refuges, "area_m2"))
    most = float(presets["refuge.footprint_most_m"]) if area.any() else 0.0
    return Spots(
        xy=xy,
        radius_m=np.minimum(np.sqrt(area / np.pi), most),
        outdoor=np.isin(np.asarray(texts(refuges, "space"), object), ["outdoor", "both"]),
        floor_m=numbers(refuges, "floor_level_m"),
        flood_level_m=numbers(refuges, "flood_level_m"),
    )


def refuge_checks(
    refuges: pd.DataFrame,
    held: pd.DataFrame,
    *,
    on_road: Bools | None,
    warning_h: float,
    day: str = "",
) -> list[Verdict]:
    """Check what the ledger says of the refuges themselves.

    Parameters
    ----------
    refuges
        Refuge layer.
    held
        Table of `capacity_table`.
    on_road
        True where a refuge is near a passable road; None where nobody gave roads: not checked.
    warning_h
        Time from the warning to the peak [h].
    day
        Date of the data; a refuge that opens later cannot be used, unless it is said to be in use.

    Returns
    -------
    list of Verdict
        ``status``, ``declared``, ``capacity``, ``road``, ``appraisal`` and ``ready``.
    """
    shut, why = _not_open(refuges, day)
    unfit = numbers(refuges, "usable_flood") == 0
    places = held["places"].to_numpy(np.float64)
    counted = (held["known"] | held["assumed"]).to_numpy()
    none = [text("no free place")] * len(refuges)
    due = held["appraisal_due"].to_numpy(bool)
    last = texts(refuges, "appraised")
    hours = numbers(refuges, "convert_h")
    late = np.nan_to_num(hours) > warning_h
    near = np.ones(len(refuges), bool) if on_road is None else on_road
    lines: dict[str, tuple[str, Bools, list[Text]]] = {
        "status": ("any", shut, why),
        "declared": ("flood", unfit, [text("declared unfit for floods")] * len(refuges)),
        "capacity": ("any", (places <= 0) & counted, none),
        "road": ("any", ~near, [text("no passable road near")] * len(refuges)),
        "appraisal": (
            "any",
            due,
            [text("appraised on {day}, older than the cycle", day=day[:10]) for day in last],
        ),
        "ready": (
            "any",
            late,
            [
                text("conversion takes {hours} h, the warning {warning} h",
                     hours=f"{each:g}", warning=f"{warning_h:g}")
                for each in hours
            ],
        ),
    }  # fmt: skip
    known = {
        "appraisal": np.asarray([bool(day) for day in last]),
        "ready": ~np.isnan(hours),
        "capacity": counted,
        "road": np.full(len(refuges), on_road is not None),
    }
    return [
        verdict(
            check, hazard, failed, list(said),
            value=np.where(counted, places, np.nan) if check == "capacity" else None,
            unit="person" if check == "capacity" else "",
            known=known.get(check),
        )
        for check, (hazard, failed, said) in lines.items()
    ]  # fmt: skip


def _not_open(refuges: pd.DataFrame, day: str) -> tuple[Bools, list[Text]]:
    """Tell which refuges are shut or open after a day only, and say so of each."""
    states = np.asarray(texts(refuges, "status"), dtype=object)
    shut = np.isin(states, list(CLOSED))
    opens = [one[:10] for one in texts(refuges, "opens")]
    early = np.array([bool(day) and one > day[:10] for one in opens], dtype=bool)
    early &= ~shut & (states != "in_use")
    why = [
        text("opens on {day}", day=one) if soon else text("not open: {state}", state=state)
        for one, soon, state in zip(opens, early, states, strict=True)
    ]
    return shut | early, why


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
        Table (item_id, name, tier, hazard, check, usable, checked, state, required, reason,
        value, limit, unit) and whether each refuge may be used.
    """
    names, tiers = texts(refuges, "name"), texts(refuges, "tier")
    usable = np.ones(len(refuges), bool)
    parts = []
    for each in verdicts:
        needed = each.check in options.require
        if needed:
            usable &= each.passed
        parts.append(
            pd.DataFrame(
                {
                    "item_id": refuges.index.astype(str),
                    "name": names,
                    "tier": tiers,
                    "hazard": each.hazard,
                    "check": each.check,
                    "usable": each.passed,
                    "checked": each.known,
                    "state": [
                        STATES[2 if not known else int(not passed)]
                        for passed, known in zip(each.passed, each.known, strict=True)
                    ],
                    "required": needed,
                    "reason": pd.Series(each.reason, dtype=object),
                    "value": each.value,
                    "limit": each.limit,
                    "unit": each.unit,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    order = np.argsort(np.tile(np.arange(len(refuges)), len(verdicts)), kind="stable")
    return table.iloc[order].reset_index(drop=True), usable


def usable_for(fit: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Say of every refuge and hazard whether it may be used in a scenario, and all reasons why not.

    Refuges that fail for some hazard come first. Checks that hold for every hazard count for each.
    A check that is only reported stands among the reminders.

    Parameters
    ----------
    fit
        Table of `eligibility`.
    scenario
        Name of the scenario; empty without flood.

    Returns
    -------
    DataFrame
        item_id, name, tier, hazard, scenario, usable, reason, reminder, unchecked.
    """
    parts = []
    for hazard in HAZARDS:
        mine = fit[fit["hazard"].isin([hazard, "any"])]
        bad = mine[~mine["usable"]]
        keyed = mine.groupby("item_id", sort=False)
        table = keyed[["name", "tier"]].first().reset_index()
        for column, rows in (
            ("reason", bad[bad["required"]]),
            ("reminder", bad[~bad["required"]]),
        ):
            table[column] = _of_each(table, rows["item_id"], rows["reason"].tolist())
        open_ = mine[~mine["checked"]]
        words = [CHECK_WORDS[name] for name in open_["check"].tolist()]
        table["unchecked"] = _of_each(table, open_["item_id"], words)
        table.insert(3, "hazard", hazard)
        table.insert(4, "scenario", pd.Series([scenario] * len(table), dtype=object))
        table.insert(5, "usable", table["reason"].isna())
        parts.append(table)
    found = pd.concat(parts, ignore_index=True)
    for column in ("reason", "reminder", "unchecked"):
        found[column] = found[column].where(found[column].notna(), "")
    row = np.tile(np.arange(len(found) // len(HAZARDS)), len(HAZARDS))
    good = found.groupby(row)["usable"].transform("all").to_numpy(dtype=bool)
    return found.iloc[np.lexsort((row, good))].reset_index(drop=True)


CHECK_WORDS = {
    "freeboard": text("floor above the flood level"),
    "slope": text("slope"),
    "appraisal": text("building appraisal"),
    "ready": text("conversion time"),
    "capacity": text("capacity"),
    "road": text("passable road"),
    "flood": text("depth of water"),
    "danger_area": text("danger areas"),
    "hazard_source": text("hazard sources"),
}
"""Checks that cannot be made when the ledger or a layer is silent."""


def _of_each(table: pd.DataFrame, ids: pd.Series, said: list[Text]) -> pd.Series:
    """Join what is said of each refuge into one text of either language, None for nothing."""
    whole: dict[object, Text] = {}
    for key, more in zip(ids.tolist(), said, strict=True):
        first = whole.get(key)
        whole[key] = more if first is None else text("{first}; {second}", first=first, second=more)
    return pd.Series([whole.get(key) for key in table["item_id"].tolist()], dtype=object)


DECLARED: Final = ("refuge", "route", "trigger", "vehicles", "staff")
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
    warning_s: float,
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
        Table of assignments, those before the water too.
    roads
        Roads by mode, as they are.
    warning_s
        Time from the warning to the peak [s].

    Returns
    -------
    DataFrame
        A row for each danger area and refuge that it declares: people, ``declared_load`` (people
        of all areas that declare this refuge), its ``places``, ``minutes_declared`` (NaN: no way),
        where the plan sends them (``planned``, ``minutes``), whether both agree, and what is to be
        known, vehicles and staff that are too few among it. Empty where no area declares a refuge,
        a route, a trigger, vehicles or staff.
    """
    areas = [part for part in (now.danger_area, world.standing) if part is not None and len(part)]
    areas = [part for part in areas if any(any(texts(part, key)) for key in DECLARED)]
    if not areas:
        return pd.DataFrame(columns=COLUMNS)
    wanted = pd.concat([_declared(part) for part in areas], ignore_index=True)
    asked = {key for key in ("vehicles", "staff") if wanted[key].notna().any()}
    wanted = wanted.drop_duplicates(["name", "refuge"], ignore_index=True)
    own = {name: j for j, name in reversed(list(enumerate(map(plain, case.names))))}
    wanted["row"] = [own.get(plain(name), -1) if name else -1 for name in wanted["refuge"]]
    groups = case.people.table
    load = _loads(wanted, groups)
    shut = _shut(world, roads)
    rows = []
    for one in wanted.to_dict("records"):
        mine = np.flatnonzero((groups["name"] == one["name"]).to_numpy())
        means = _means(one, sent[sent["demand"].isin(mine)], asked, warning_s, world.presets)
        rows.append(_judged(world, case, fit, sent, one, mine, load, shut, means))
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
            "vehicles": numbers(areas, "vehicles"),
            "staff": numbers(areas, "staff"),
        }
    )
    table["refuge"] = [re.split(r"[、,，;；/]+", said) for said in table["said"]]
    table = table.explode("refuge", ignore_index=True)
    table["refuge"] = table["refuge"].fillna("").str.strip()
    return table


def _means(
    one: dict,  # type: ignore[type-arg]
    goes: pd.DataFrame,
    asked: set[str],
    warning_s: float,
    presets: Presets,
) -> list[Text]:
    """Say where an area declares fewer vehicles or staff than its people need."""
    found: list[Text] = []
    ride = goes[goes["mode"] == "ride"]
    if "vehicles" in asked and len(ride):
        cars = vehicles_table(
            ride.assign(district="", town="", village=""), warning_s=warning_s, presets=presets
        )
        need, has = int(cars[["buses", "assisted_vehicles"]].to_numpy().sum()), one["vehicles"]
        riders = f"{ride['people'].sum():.0f}"
        if np.isnan(has):
            found.append(text("no vehicles are declared, but {n} people ride", n=riders))
        elif has < need:
            found.append(
                text(
                    "{has} vehicles are declared; {need} are needed so that {n} riders arrive in "
                    "time",
                    has=f"{has:.0f}", need=need, n=riders,
                )
            )  # fmt: skip
    people = float(goes["people"].sum())
    if "staff" in asked and people:
        each = float(presets["refuge.people_per_staff"])
        need, has = int(np.ceil(people / each)), one["staff"]
        if np.isnan(has) or has < need:
            found.append(
                text(
                    "{has} staff are declared; {need} are needed, one for {each} people",
                    has=f"{np.nan_to_num(has):.0f}", need=need, each=f"{each:g}",
                )
            )  # fmt: skip
    return found


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
    means: list[Text],
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
    found += means
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

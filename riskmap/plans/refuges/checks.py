"""Which refuge may be used against which hazard, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuges.capacity import numbers, texts
from riskmap.plans.refuges.dangers import Spots, Verdict, verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuges.options import RefugeOptions
    from riskmap.vocabulary.presets import Presets

    Bools = NDArray[np.bool_]


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
    refuges: pd.DataFrame, held: pd.DataFrame, *, on_road: Bools | None, warning_h: float
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

    Returns
    -------
    list of Verdict
        ``status``, ``declared``, ``capacity``, ``road``, ``appraisal`` and ``ready``.
    """
    states = texts(refuges, "status")
    shut = np.isin(np.asarray(states, dtype=object), list(CLOSED))
    unfit = numbers(refuges, "usable_flood") == 0
    places = held["places"].to_numpy(np.float64)
    counted = (held["known"] | held["assumed"]).to_numpy()
    none = [text("no free place")] * len(states)
    due = held["appraisal_due"].to_numpy(bool)
    last = texts(refuges, "appraised")
    hours = numbers(refuges, "convert_h")
    late = np.nan_to_num(hours) > warning_h
    near = np.ones(len(states), bool) if on_road is None else on_road
    lines: dict[str, tuple[str, Bools, list[Text]]] = {
        "status": ("any", shut, [text("not open: {state}", state=state) for state in states]),
        "declared": ("flood", unfit, [text("declared unfit for floods")] * len(states)),
        "capacity": ("any", (places <= 0) & counted, none),
        "road": ("any", ~near, [text("no passable road near")] * len(states)),
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
        "road": np.full(len(states), on_road is not None),
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

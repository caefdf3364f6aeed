"""What changes under a scenario, as every paper tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from riskmap import columns as c
from riskmap.i18n import Text, text
from riskmap.result import Result, Scenario
from riskmap.roles.load import Label

__all__ = ["Flooded", "change_counts", "changes", "flooded", "heading", "unit_changes"]

_NEAR = 1e-12


@dataclass(frozen=True, eq=False)
class Flooded:
    """A scenario that has an index of its own."""

    number: int
    """Place among all scenarios, from 1; tables and columns of the GeoPackage end in it."""
    name: str
    scenario: Scenario
    unit: Any
    cell: Any


def flooded(result: Result) -> Iterator[Flooded]:
    """List the scenarios that have an index of their own.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Flooded
        In the order of the project file.
    """
    for number, (name, scenario) in enumerate(result.scenarios.items(), start=1):
        unit, cell = result.index.get(f"unit@{name}"), result.index.get(f"cell@{name}")
        if unit is not None and cell is not None:
            yield Flooded(number, name, scenario, unit, cell)


def changes(before: Any, after: Any) -> pd.DataFrame:
    """Set an index under a scenario beside the baseline's.

    Parameters
    ----------
    before, after
        Two indices of the same rows.

    Returns
    -------
    DataFrame
        ``class_before``, ``class_after``, ``class_change`` (missing where one is unknown),
        ``score_before``, ``score_after``, ``score_change``, ``rank_before``, ``rank_after``,
        ``cause``: the component that grew most, empty where none did.
    """
    old, new = before.classes.astype("Int8"), after.classes.astype("Int8")
    score_old, score_new = before.scores[c.ROOT], after.scores[c.ROOT]
    frame = pd.DataFrame({"class_before": old, "class_after": new})
    frame["class_change"] = (new - old).where((new > 0) & (old > 0))
    frame["score_before"], frame["score_after"] = score_old, score_new
    frame["score_change"] = score_new - score_old
    frame["rank_before"], frame["rank_after"] = before.ranks[c.ROOT], after.ranks[c.ROOT]
    frame["cause"] = _causes(before, after)
    return frame


def _causes(before: Any, after: Any) -> pd.Series[Any]:
    r"""Name the component that moves the index most, by its weighted change.

    :math:`w \Delta x`, or :math:`w \Delta \ln x` under a geometric mean or a product.
    """
    parts = [code for code in before.contributions if code in after.scores]
    old, new = before.scores[parts].fillna(0.0), after.scores[parts]
    steps = [s for s in before.params.get("steps", ()) if s["step"] == "aggregate"]
    method = steps[0]["fitted"]["groups"][c.ROOT]["method"] if steps else "arithmetic"
    if method in ("geometric", "product"):
        old, new = np.log(old.clip(lower=_NEAR)), np.log(new.clip(lower=_NEAR))
    grown = (new - old).mul(before.meta["weight"].reindex(parts), axis=1).fillna(0.0)
    cause = pd.Series("", index=before.scores.index, dtype=object)
    rows = grown.max(axis=1) > _NEAR
    if rows.any():
        cause[rows] = grown[rows].idxmax(axis=1)
    return cause


def change_counts(before: Any, after: Any, rows: Any = None) -> dict[str, int]:
    """Count how many rows rise and fall in class, and in score.

    Parameters
    ----------
    before, after
        Two indices of the same rows.
    rows
        Row labels to count; all when None.

    Returns
    -------
    dict
        ``raised``, ``lowered`` (class), ``score_raised``, ``score_lowered``, ``rows``.
    """
    frame = changes(before, after)
    frame = frame if rows is None else frame.loc[rows]
    step, score = frame["class_change"].fillna(0), frame["score_change"].fillna(0)
    return {
        "rows": len(frame),
        "raised": int((step > 0).sum()),
        "lowered": int((step < 0).sum()),
        "score_raised": int((score > _NEAR).sum()),
        "score_lowered": int((score < -_NEAR).sum()),
    }


def unit_changes(result: Result, wet: Flooded, *, finest: str) -> pd.DataFrame:
    """List the finest units whose score a scenario changes, those that rise most first.

    Parameters
    ----------
    result
        The run's result.
    wet
        The scenario.
    finest
        The finest level of units.

    Returns
    -------
    DataFrame
        By unit id: names, people, `changes` with the cause in words, ``depth_mean_m`` where the
        scenario has depths.
    """
    units = result.units[result.units[c.LEVEL] == finest]
    frame = changes(result.index["unit"], wet.unit).loc[units.index]
    codes = wet.unit.meta.index[wet.unit.meta.get("method", pd.Series(dtype=object)) == "depth"]
    for code in codes[:1]:
        frame["depth_mean_m"] = wet.unit.stages["raw"][code]
    meta = wet.unit.meta
    names: dict[str, Text | Label | str] = {
        str(code): Label(str(row["name_en"]), zh=str(row["name_zh"]))
        for code, row in meta.iterrows()
        if "name_zh" in meta
    }
    frame["cause"] = [names.get(code, code) for code in frame["cause"]]
    there = [name for name in ("district", "town", c.NAME, c.POPULATION) if name in units]
    joined = units[there].join(frame)
    moved = joined["score_change"].abs().fillna(0) > _NEAR
    order = joined[moved].assign(_id=joined.index[moved].astype(str))
    keys = ["class_change", "score_change", "_id"]
    ordered = order.sort_values(keys, ascending=[False, False, True], na_position="last")
    return pd.DataFrame(ordered.drop(columns="_id"))


def heading(name: str) -> Text | None:
    """Name a column of the tables of changes.

    Parameters
    ----------
    name
        Column.

    Returns
    -------
    Text or None
        None for columns that other tables have too.
    """
    return _HEADINGS.get(name)


_HEADINGS: dict[str, Text] = {
    "scenario": text("Scenario"),
    "class_before": text("Class without the scenario"),
    "class_after": text("Class in the scenario"),
    "class_change": text("Classes up (+) or down (-)"),
    "score_before": text("Index without the scenario"),
    "score_after": text("Index in the scenario"),
    "score_change": text("Change of the index"),
    "rank_before": text("Rank without the scenario"),
    "rank_after": text("Rank in the scenario"),
    "cause": text("Component that grew most"),
    "depth_mean_m": text("Mean depth (m)"),
}

"""A fitted index that takes in one more indicator, without changing what it was fitted on."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from riskmap.errors import IndicatorError
from riskmap.i18n import text
from riskmap.index.table import Params

__all__ = ["DRY", "Added", "take_in"]

DRY = "_DRY"
"""Ending of the code under which a group's own children stand once water is added to it."""


@dataclass(frozen=True, kw_only=True)
class Added:
    """An indicator that joins a group of a fitted index."""

    code: str
    group: str
    bottom: float
    """Value that adds nothing, in the indicator's own unit."""
    top: float
    """Value that lifts the group to the top of its scale."""


def _scale(params: Params, codes: Iterable[str]) -> tuple[float, float]:
    """Find the one scale on which the group's indicators stand."""
    step = next((s for s in params["steps"] if s["step"] == "normalise"), None)
    columns: Mapping[str, Any] = {} if step is None else step["fitted"]["columns"]
    ends = {
        (columns[c]["low"], columns[c]["high"])
        if c in columns and {"low", "high"} <= set(columns[c])
        else None
        for c in codes
    }
    if len(ends) != 1 or None in ends:
        raise IndicatorError(
            text("the indicators have no common scale with a lower and an upper end")
        )
    low, high = next(end for end in ends if end is not None)
    return float(low), float(high)


def _below(meta: pd.DataFrame, group: str) -> list[str]:
    """List the indicators beneath a group."""
    found: list[str] = []
    for code in meta.index[meta["parent"] == group]:
        found += _below(meta, code) if meta.loc[code, "kind"] == "group" else [str(code)]
    return found


def take_in(
    params: Params, meta: pd.DataFrame, rows: pd.DataFrame, added: Added
) -> tuple[Params, pd.DataFrame]:
    r"""Add an indicator to a group of a fitted index; nothing that was fitted changes.

    The group's own children move, with their weights and method, under a new group ``GROUP_DRY``.
    The group becomes the `riskmap.index.means.union` of it and the new indicator:

    .. math:: H = 1 - (1 - H_{dry}) (1 - x), \quad
              x = \min\left(1, \frac{v - v_{bottom}}{v_{top} - v_{bottom}}\right)

    on the scale 0..1, so that a value at the bottom, and an unknown one, leave the index as it was,
    and a higher value never lowers it.

    Parameters
    ----------
    params
        Fitted parameters of the index.
    meta
        Its table, with the weights that were used.
    rows
        The table's row of the new indicator, and its names for the new group in ``name_zh`` and
        ``name_en`` of the row ``GROUP_DRY``.
    added
        The indicator.

    Returns
    -------
    tuple
        Parameters and table of the index with the indicator.

    Raises
    ------
    IndicatorError
        When the group is the root or not there, or its indicators have no common bounded scale.
    """
    group, code = added.group, added.code
    if group not in meta.index or not str(meta.loc[group, "parent"]):
        raise IndicatorError(text("{code} does not stand in a component", code=code))
    low, high = _scale(params, _below(meta, group))
    dry = group + DRY
    new = copy.deepcopy(dict(params))
    for step in new["steps"]:
        _widen(step, code=code, dry=dry)
        if step["step"] == "normalise":
            posts = {"min": added.bottom, "max": added.top}
            step["fitted"]["columns"][code] = {
                "method": "goalposts", "low": low, "high": high, **posts,
            }  # fmt: skip
        if step["step"] == "aggregate":
            groups = step["fitted"]["groups"]
            groups[dry] = groups[group]
            weights = {dry: 1.0, code: 1.0}
            groups[group] = {"method": "union", "weights": weights, "low": low, "top": high}
    table = meta.copy()
    table.loc[table["parent"] == group, "parent"] = dry
    inner = rows.assign(weight=1.0, weight_given=1.0)
    inner["parent"] = group
    place = list(table.index).index(group) + 1
    return new, pd.concat([table.iloc[:place], inner[table.columns], table.iloc[place:]])


def _widen(step: Params, *, code: str, dry: str) -> None:
    """Let one fitted step know the new codes."""
    fitted = step["fitted"]
    if step["step"] == "treat":
        fitted["columns"][code] = {"method": "none", "report": {}}
    if step["step"] == "screen" and "kept" in fitted:
        fitted["kept"].append(code)
    if step["step"] == "impute" and "overall" in fitted:
        fitted["overall"][code] = 0.0
    if step["step"] == "weight":
        fitted["weights"] |= {dry: 1.0, code: 1.0}
    if step["step"] == "impute" and fitted["method"].startswith("row_"):
        raise IndicatorError(
            text("{code}: gaps are filled from the other indicators of a row", code=code)
        )

"""Bring indicators to one scale and one direction; parameters are fitted, then applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from riskmap.errors import Problem
from riskmap.i18n import Text, text
from riskmap.index.scales import METHODS
from riskmap.index.tree import (
    Array,
    Data,
    Options,
    Params,
    did_you_mean,
    error,
    per_code,
    raise_problems,
    unknown_codes,
)

OPTIONS = (
    "method",
    "low",
    "high",
    "goalposts",
    "target",
    "reference",
    "points",
    "mean",
    "sd",
    "cap",
)
_NEEDS = {
    "goalposts": "goalposts",
    "target": "target",
    "reference": "reference",
    "custom": "points",
}


def _column_problems(code: str, options: Options, rows: Any) -> list[Problem]:
    """Check one indicator's options."""
    method = options["method"]
    mend = text("correct the steps file")
    if method not in METHODS:
        message = text("{code}: unknown method of normalisation {name}", code=code, name=method)
        return [error("method", message, did_you_mean(str(method), METHODS))]
    need = _NEEDS.get(method)
    if need and options.get(need) in (None, []):
        message = text("{code}: method {name} needs {key}", code=code, name=method, key=need)
        return [error("missing_option", message, mend)]
    problems = []
    if method == "goalposts":
        posts = options["goalposts"]
        if len(posts) != 2 or not float(posts[0]) < float(posts[1]):
            message = text("{code}: the low goalpost must be below the high one", code=code)
            problems.append(error("goalposts", message, mend, name=code, value=list(posts)))
    if method in ("minmax", "goalposts") and not options.get("low", 0) < options.get("high", 1):
        message = text("{code}: low must be below high", code=code)
        value = [options.get("low", 0), options.get("high", 1)]
        problems.append(error("range", message, mend, name=code, value=value))
    if method == "reference":
        name, units = str(options["reference"]), list(map(str, rows))
        if name not in units:
            message = text("{code}: unknown reference unit {name}", code=code, name=name)
            problems.append(error("reference", message, did_you_mean(name, units)))
    return problems


def _value_problems(code: str, options: Options, x: Array, target: float) -> list[Problem]:
    """Check the values that one indicator is fitted on."""
    if np.isnan(x).all():
        message = text("{code}: no unit has a value", code=code)
        mend = text("give values or leave the indicator out")
        return [error("all_missing", message, mend, name=code)]
    if options["method"] == "reference" and np.isnan(target):
        message = text(
            "{code}: the reference unit {name} has no value", code=code, name=options["reference"]
        )
        return [error("reference", message, text("give its value, or name another unit"))]
    if options["method"] == "fraction_of_max" and np.nanmin(x) < 0:
        message = text("{code}: a share of the maximum needs values of 0 or more", code=code)
        return [error("negative", message, text("take another method"), name=code)]
    return []


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    """Fit the normalisation of every indicator on the fit rows.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method``, ``low``, ``high``, ``goalposts``, ``target``, ``reference``, ``points``,
        ``mean``, ``sd``, ``cap``: one value, or ``{default: ..., CODE: ...}``.
    notes
        Receives warnings, such as constant columns.

    Returns
    -------
    dict
        Code to ``method`` and its numbers.

    Raises
    ------
    IndicatorError
        Unknown method or code, impossible goalposts, missing option, an indicator without values.
    """
    spread = {}
    problems: list[Problem] = []
    for key in OPTIONS:
        if key in options:
            problems += unknown_codes(options[key], data.tree, "normalise", key)
            spread[key] = per_code(options[key], data.tree, None)
    chosen: dict[str, dict[str, Any]] = {}
    for code in data.codes:
        mine = {key: values[code] for key, values in spread.items() if values[code] is not None}
        chosen[code] = {"method": "minmax", **mine}
        problems += _column_problems(code, chosen[code], data.rows)
    raise_problems(problems)
    fitted: Params = {}
    for code, mine in chosen.items():
        x = data.column(code)[data.fit_rows]
        direction = data.direction(code)
        spec = dict(mine)
        if mine["method"] == "reference":
            row = [str(name) for name in data.rows].index(str(mine["reference"]))
            spec["target"] = float(data.column(code)[row])
        wrong = _value_problems(code, spec, x, float(spec.get("target", np.nan)))
        problems += wrong
        if wrong:
            continue
        fitted[code] = {"method": mine["method"], **METHODS[mine["method"]].fit(x, direction, spec)}
        if np.nanmin(x) == np.nanmax(x) and mine["method"] in ("minmax", "zscore"):
            notes.append(
                text("{code} is the same in every unit; it cannot tell units apart", code=code)
            )
        _note_cut(data, code, fitted[code], notes)
    raise_problems(problems)
    units = (
        int(np.count_nonzero(data.fit_rows)) if data.fit_rows.dtype == bool else len(data.fit_rows)
    )
    if 1 < units < FEW_UNITS and any(mine["method"] == "minmax" for mine in chosen.values()):
        notes.append(
            text(
                "only {n} units: min-max puts the lowest at 0 and the highest at 1, however little "
                "they differ; give goalposts, or read ranks rather than scores",
                n=units,
            )
        )
    return {"columns": fitted}


FEW_UNITS = 8
"""With fewer units the ends of a min-max scale are single units."""


def _note_cut(data: Data, code: str, fitted: Params, notes: list[Text]) -> None:
    """Say which values lie beyond the goalposts and count as the goalpost."""
    if fitted["method"] != "goalposts":
        return
    x = data.column(code)
    beyond = np.flatnonzero((x < fitted["min"]) | (x > fitted["max"]))
    if len(beyond):
        cells = ", ".join(f"{data.rows[row]} = {x[row]:g}" for row in beyond[:10])
        message = text(
            "{code}: {n} value(s) beyond the goalposts count as the goalpost: {cells}",
            code=code,
            n=len(beyond),
            cells=cells,
        )
        notes.append(message)


def apply(data: Data, params: Params) -> Data:
    """Normalise every indicator with fitted parameters.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        The same rows; every indicator points upwards now.
    """
    x = np.empty(data.x.shape, order="F")
    for place, code in enumerate(data.codes):
        mine = params["columns"][code]
        direction = data.direction(code)
        x[:, place] = METHODS[mine["method"]].apply(data.x[:, place], direction, mine)
    used = [params["columns"][code] for code in data.codes]
    fixed = all(mine["method"] == "goalposts" for mine in used)
    scale = (min(m["low"] for m in used), max(m["high"] for m in used)) if fixed else None
    return replace(data, x=x, scale=scale)

"""Leave out units or indicators with too little data; divide by denominators."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.index.tree import (
    Array,
    Data,
    Mask,
    Options,
    Params,
    build_tree,
    did_you_mean,
    error,
    raise_problems,
)

if TYPE_CHECKING:
    from riskmap.errors import Problem

BY = ("unit", "indicator")


def available(x: Array, axis: int) -> tuple[Array, Array]:
    """Return the share of known values, and the share of non-zeros among them.

    Parameters
    ----------
    x
        Shape (rows, indicators).
    axis
        1 to look along rows, 0 along columns.

    Returns
    -------
    tuple of ndarray
        Both 0..1.

    Examples
    --------
    >>> [v.tolist() for v in available(np.array([[1.0, np.nan], [0.0, 2.0]]), 1)]
    [[0.5, 1.0], [1.0, 0.5]]
    """
    known = (~np.isnan(x)).sum(axis=axis)
    zeros = (x == 0).sum(axis=axis)
    return known / x.shape[axis], 1.0 - zeros / np.maximum(known, 1)


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    """Fix the rule of screening, and the indicators that it keeps.

    Parameters
    ----------
    data
        The table so far.
    options
        ``by`` (unit | indicator), ``min_share`` of known values, ``min_nonzero`` share of
        non-zeros, ``keep`` and ``drop``: units or codes forced in or out.
    notes
        Receives what was left out.

    Returns
    -------
    dict
        The rule; by indicator also the codes ``kept``.

    Raises
    ------
    IndicatorError
        Unknown option value, unit or code, or nothing left.
    """
    by = options.get("by", "unit")
    names = [str(r) for r in data.rows] if by == "unit" else list(data.codes)
    problems: list[Problem] = []
    if by not in BY:
        message = text("screen: {key} must be one of {names}", key="by", names=", ".join(BY))
        problems.append(error("screen", message, text("correct the steps file"), value=by))
    for key in ("keep", "drop"):
        for name in options.get(key, ()):
            if str(name) not in names:
                message = text("screen, {key}: unknown {name}", key=key, name=name)
                problems.append(error("screen", message, did_you_mean(str(name), names)))
    for key in ("min_share", "min_nonzero"):
        if not 0 <= float(options.get(key, 0)) <= 1:
            message = text("screen: {key} must be a share from 0 to 1", key=key)
            problems.append(
                error("screen", message, text("correct the steps file"), value=options[key])
            )
    raise_problems(problems)
    rule: Params = {
        "by": by,
        "min_share": float(options.get("min_share", 0.0)),
        "min_nonzero": float(options.get("min_nonzero", 0.0)),
        "keep": [str(v) for v in options.get("keep", ())],
        "drop": [str(v) for v in options.get("drop", ())],
    }
    fitted = data.x if by == "unit" else data.x[data.fit_rows]
    kept = _passes(fitted, names, rule)
    if not kept.any():
        raise_problems(
            [error("screen", text("screening leaves nothing"), text("lower the shares"))]
        )
    if by == "indicator":
        rule["kept"] = [code for code, good in zip(names, kept, strict=True) if good]
    gone = [name for name, good in zip(names, kept, strict=True) if not good]
    if gone:
        notes.append(text("screening left out: {names}", names=", ".join(gone[:40])))
    return rule


def _passes(x: Array, names: list[str], rule: Params) -> Mask:
    """Apply the rule to rows or columns."""
    share, nonzero = available(x, 1 if rule["by"] == "unit" else 0)
    good = (share >= rule["min_share"]) & (nonzero >= rule["min_nonzero"])
    if rule["keep"] or rule["drop"]:
        good = (good | np.isin(names, rule["keep"])) & ~np.isin(names, rule["drop"])
    return np.asarray(good, dtype=bool)


def apply(data: Data, params: Params) -> Data:
    """Leave out what the rule leaves out.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        With fewer rows or fewer indicators; groups that become empty go too.
    """
    if params["by"] == "unit":
        names = [str(r) for r in data.rows] if params["keep"] or params["drop"] else []
        return data.take(_passes(data.x, names, params))
    gone = [code for code in data.codes if code not in params["kept"]]
    meta = data.meta.drop(index=gone)
    tree = build_tree(meta)
    x = data.x[:, [data.codes.index(code) for code in tree.indicators]]
    weights = {c: w for c, w in data.weights.items() if c in tree.parent}
    return replace(data, x=x, codes=tree.indicators, meta=meta, tree=tree, weights=weights)


def fit_denominate(data: Data, _options: Options, _notes: list[Text]) -> Params:
    """Find the denominator of each indicator in the indicator table.

    Parameters
    ----------
    data
        The table so far; ``meta`` has ``denominator`` and optionally ``denominator_scale``.
    _options
        Not used; the indicator table says it all.
    _notes
        Not used; the step has nothing to say.

    Returns
    -------
    dict
        Code to ``by`` (a column of the values) and ``scale``.

    Raises
    ------
    IndicatorError
        Unknown denominator, or one that is not a number or not above 0 where it is used.
    """
    columns: Params = {}
    problems: list[Problem] = []
    mend = text("correct the denominator's value, or leave the unit out")
    denominators = _texts(data, "denominator")
    scales = _texts(data, "denominator_scale")
    for code in data.codes:
        by = denominators[code]
        if not by:
            continue
        if by not in data.others.columns:
            message = text("{code}: unknown denominator {name}", code=code, name=by)
            known = [str(c) for c in data.others.columns]
            problems.append(error("denominator", message, did_you_mean(by, known)))
            continue
        scale = float(scales[code] or 1.0)
        numbers = pd.to_numeric(data.others[by], errors="coerce").to_numpy(dtype=float)
        bad = (numbers <= 0) & ~np.isnan(data.column(code))
        if bad.any():
            cells = ", ".join(f"{data.rows[r]}/{by}" for r in np.flatnonzero(bad)[:5])
            message = text(
                "{code}: the denominator is not above 0: {cells}", code=code, cells=cells
            )
            problems.append(error("denominator", message, mend))
        columns[code] = {"by": by, "scale": scale}
    raise_problems(problems)
    return {"columns": columns}


def _texts(data: Data, name: str) -> dict[str, str]:
    """Read a column of the indicator table as texts; empty where it says nothing."""
    if name not in data.meta:
        return dict.fromkeys(data.codes, "")
    column = data.meta[name].astype(object)
    return {code: "" if pd.isna(column[code]) else str(column[code]) for code in data.codes}


def denominate(data: Data, params: Params) -> Data:
    r"""Divide by the denominator: :math:`y = x / d \cdot s`; unknown where d is unknown.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit_denominate`.

    Returns
    -------
    Data
        The same rows and indicators.
    """
    x = data.x.copy()
    for code, mine in params["columns"].items():
        numbers = pd.to_numeric(data.others[mine["by"]], errors="coerce").to_numpy(dtype=float)
        place = data.codes.index(code)
        x[:, place] = x[:, place] / (numbers / mine["scale"])
    return replace(data, x=x)

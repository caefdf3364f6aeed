"""Before normalising: what has too little data, denominators, unknown values, outliers."""

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
    per_code,
    places_of,
    raise_problems,
    unknown_codes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from riskmap.errors import Problem


TREATMENTS = ("winsorise", "none")
OTHERWISE = ("log", "boxcox", "none")


def skewness(x: Array) -> float:
    r"""Give the bias-corrected sample skewness G1.

    .. math:: G_1 = \frac{\sqrt{n (n - 1)}}{n - 2} \frac{m_3}{m_2^{3/2}}

    Parameters
    ----------
    x
        Known values, at least 3.

    Returns
    -------
    float
        NaN for a constant column.

    References
    ----------
    Joanes and Gill 1998, doi:10.1111/1467-9884.00122.

    Examples
    --------
    >>> round(skewness(np.array([1.0, 2, 3, 10])), 6)
    1.763633
    """
    n = len(x)
    d = np.sort(x) - np.sort(x).mean()
    squares = (d**2).sum()
    if n < 3 or np.ptp(x) == 0:
        return float("nan")
    g1 = np.sqrt(n) * (d**3).sum() / squares**1.5
    return float(g1 * np.sqrt(n * (n - 1.0)) / (n - 2.0))


def kurtosis(x: Array) -> float:
    r"""Give the bias-corrected sample excess kurtosis G2.

    .. math:: G_2 = \frac{n - 1}{(n - 2)(n - 3)} [(n + 1) g_2 + 6], \quad g_2 = m_4 / m_2^2 - 3

    Parameters
    ----------
    x
        Known values, at least 4.

    Returns
    -------
    float
        NaN for a constant column.

    References
    ----------
    Joanes and Gill 1998, doi:10.1111/1467-9884.00122.

    Examples
    --------
    >>> round(kurtosis(np.array([1.0, 2, 3, 10])), 6)
    3.228
    """
    n = len(x)
    d = np.sort(x) - np.sort(x).mean()
    squares = (d**2).sum()
    if n < 4 or np.ptp(x) == 0:
        return float("nan")
    ratio = n * (d**4).sum() / squares**2
    return float(((n + 1.0) * (ratio - 3.0) + 6.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)))


def passes(x: Array, max_skew: float, max_kurtosis: float) -> bool:
    """Say whether a column needs no treatment.

    It needs none when ``|skew| < max_skew`` or ``kurtosis < max_kurtosis``.

    Parameters
    ----------
    x
        Known values.
    max_skew
        Limit of the absolute skewness.
    max_kurtosis
        Limit of the excess kurtosis.

    Returns
    -------
    bool
        True also when the statistics do not exist (constant, or fewer than 4 values).
    """
    skew, kurt = skewness(x), kurtosis(x)
    if np.isnan(skew) or np.isnan(kurt):
        return True
    return abs(skew) < max_skew or kurt < max_kurtosis


def winsorise(x: Array, max_points: int, max_skew: float, max_kurtosis: float) -> tuple[Array, int]:
    """Pull in the outermost value on the side of the skew to the next one, until the column passes.

    Values tied at the end are pulled together, so that the count can pass ``max_points``.

    Parameters
    ----------
    x
        Known values.
    max_points
        Stop when this many points were pulled in.
    max_skew, max_kurtosis
        See `passes`.

    Returns
    -------
    tuple
        The new values, and how many points differ from the old ones.

    References
    ----------
    Becker et al., COINr, doi:10.21105/joss.04567.

    Examples
    --------
    >>> values, points = winsorise(np.array([*range(1, 11), 30.0, 100.0]), 5, 2.0, 3.5)
    >>> points, values.max()
    (1, np.float64(30.0))
    """
    now = x.copy()
    high = low = 0
    while high + low < max_points and not passes(now, max_skew, max_kurtosis):
        if skewness(now) >= 0:
            at = now == now.max()
            now[at] = now[~at].max()
            high = int(at.sum())
        else:
            at = now == now.min()
            now[at] = now[~at].min()
            low = int(at.sum())
    return now, high + low


def _fit_column(x: Array, spec: Options) -> Params:
    """Decide the treatment of one column."""
    known = x[~np.isnan(x)]
    limits = (float(spec["max_skew"]), float(spec["max_kurtosis"]))
    before = {"skew": skewness(known), "kurtosis": kurtosis(known)}
    if spec["method"] == "none" or passes(known, *limits):
        return {"method": "none", "report": {}}
    treated, points = winsorise(known, int(spec["max_points"]), *limits)
    after = {"skew_after": skewness(treated), "kurtosis_after": kurtosis(treated)}
    report = {"method": "winsorise", "points": points, **before, **after}
    if passes(treated, *limits) or spec["otherwise"] == "none":
        if not passes(treated, *limits):
            report["method"] = "winsorise_not_enough"
        low, high = float(treated.min()), float(treated.max())
        return {"method": "winsorise", "low": low, "high": high, "report": report}
    fitted: Params = {
        "method": spec["otherwise"],
        "min": float(known.min()),
        "range": float(known.max() - known.min()),
        "lambda": float(spec["lambda"]),
    }
    changed = transform(known, fitted)
    after = {"skew_after": skewness(changed), "kurtosis_after": kurtosis(changed)}
    fitted["report"] = {"method": spec["otherwise"], "points": len(known), **before, **after}
    return fitted


def transform(x: Array, params: Params) -> Array:
    r"""Take logarithms or Box-Cox powers of the values above the least one.

    .. math:: \ln(x - x_{min} + 0.01 (x_{max} - x_{min})),
              \qquad ((x - x_{min} + 1)^\lambda - 1) / \lambda

    Parameters
    ----------
    x
        Values; below the fitted least one they count as the least.
    params
        ``method`` (log | boxcox), ``min``, ``range``, ``lambda``.

    Returns
    -------
    ndarray
        Same shape, same order.

    References
    ----------
    JRC COIN Tool user guide 2019, doi:10.2760/523877; Box and Cox 1964,
    doi:10.1111/j.2517-6161.1964.tb00553.x.

    Examples
    --------
    >>> transform(np.array([0.0, 99.0]), {"method": "log", "min": 0, "range": 99}).round(4).tolist()
    [-0.0101, 4.6051]
    """
    above: Array = np.maximum(x - params["min"], 0.0)
    power = params.get("lambda", 0.0)
    result: Array
    if params["method"] == "log":
        result = np.log(above + 0.01 * params["range"])
    elif power == 0:
        result = np.log(above + 1.0)
    else:
        result = (np.power(above + 1.0, power) - 1.0) / power
    return result


def fit_treat(data: Data, options: Options, notes: list[Text]) -> Params:
    """Decide the treatment of every indicator on the fit rows.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method`` (winsorise | none), ``max_points``, ``max_skew``, ``max_kurtosis``,
        ``otherwise`` (log | boxcox | none), ``lambda``; each one value or by code.
    notes
        Receives one line that counts what was changed.

    Returns
    -------
    dict
        Code to its treatment and a report of it.

    Raises
    ------
    IndicatorError
        Unknown method or code.
    """
    defaults = {
        "method": "winsorise",
        "max_points": 5,
        "max_skew": 2.0,
        "max_kurtosis": 3.5,
        "otherwise": "log",
        "lambda": 0.0,
    }
    problems = []
    for key in defaults:
        problems += unknown_codes(options.get(key), data.tree, "treat", key)
    spread = {k: per_code(options.get(k), data.tree, default) for k, default in defaults.items()}
    for key, known in (("method", TREATMENTS), ("otherwise", OTHERWISE)):
        for name in sorted({str(spread[key][c]) for c in data.codes} - set(known)):
            message = text("treat: unknown {key} {name}", key=key, name=name)
            problems.append(error("method", message, did_you_mean(name, known)))
    raise_problems(problems)
    columns = {
        code: _fit_column(data.column(code)[data.fit_rows], {k: spread[k][code] for k in defaults})
        for code in data.codes
    }
    changed = [code for code, mine in columns.items() if mine["report"]]
    if changed:
        notes.append(text("outliers treated in: {codes}", codes=", ".join(changed)))
    return {"columns": columns}


def apply_treat(data: Data, params: Params) -> Data:
    """Treat every indicator as it was decided.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit_treat`.

    Returns
    -------
    Data
        The same rows and indicators.
    """
    x = data.x.copy()
    for place, code in enumerate(data.codes):
        mine = params["columns"][code]
        if mine["method"] == "winsorise":
            x[:, place] = np.clip(x[:, place], mine["low"], mine["high"])
        elif mine["method"] != "none":
            x[:, place] = transform(x[:, place], mine)
    return replace(data, x=x)


def _mean(x: Array) -> float:
    known = np.sort(x[~np.isnan(x)])
    return float(known.mean()) if len(known) else float("nan")


def _median(x: Array) -> float:
    known = x[~np.isnan(x)]
    return float(np.median(known)) if len(known) else float("nan")


CENTRES: dict[str, Callable[[Array], float]] = {"mean": _mean, "median": _median}
FILLINGS = (
    "mean",
    "median",
    "group_mean",
    "group_median",
    "row_mean",
    "row_median",
    "last",
    "linear",
)


def fit_impute(data: Data, options: Options, notes: list[Text]) -> Params:
    """Find what fills the gaps of each indicator.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method``: ``mean``, ``median`` (of the column); ``group_mean``, ``group_median`` (of the
        rows with the same ``group``, a column of the values; the column's own where the group has
        no value); ``row_mean``, ``row_median`` (of the unit's other indicators after min-max);
        ``last``, ``linear`` in ``time`` within ``series`` (columns of the values).
    notes
        Receives warnings.

    Returns
    -------
    dict
        The method and its numbers by code.

    Raises
    ------
    IndicatorError
        Unknown method or column.
    """
    method = str(options.get("method", "mean"))
    _check(data, options, method)
    fitted: Params = {"method": method}
    rows = data.x[data.fit_rows]
    if method in ("last", "linear"):
        return {**fitted, "time": options["time"], "series": options.get("series", "")}
    if method.startswith("row_"):
        low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        return {**fitted, "low": low.tolist(), "high": high.tolist(), "codes": list(data.codes)}
    centre = CENTRES[method.removeprefix("group_")]
    overall = {code: centre(rows[:, place]) for place, code in enumerate(data.codes)}
    fitted["overall"] = overall
    if method.startswith("group_"):
        fitted["group"] = str(options["group"])
        labels = _labels(data, fitted["group"])[data.fit_rows]
        fitted["groups"] = {
            name: {code: centre(rows[mine, place]) for place, code in enumerate(data.codes)}
            for name, mine in places_of(labels).items()
        }
        empty = [
            f"{g}/{c}" for g, of in fitted["groups"].items() for c, v in of.items() if np.isnan(v)
        ]
        for name, of in fitted["groups"].items():
            fitted["groups"][name] = {c: None if np.isnan(v) else v for c, v in of.items()}
        if empty:
            cells = ", ".join(empty[:20])
            notes.append(
                text("no value in the group, the column's own is used: {cells}", cells=cells)
            )
    return fitted


def _check(data: Data, options: Options, method: str) -> None:
    """Check the options of the step."""
    problems: list[Problem] = []
    columns = [str(c) for c in data.others.columns]
    mend = text("correct the steps file")
    needs = {"group_mean": "group", "group_median": "group", "last": "time", "linear": "time"}
    if method not in FILLINGS:
        message = text("unknown method of imputation {name}", name=method)
        problems.append(error("method", message, did_you_mean(method, FILLINGS)))
    elif method in needs and not options.get(needs[method]):
        message = text(
            "{code}: method {name} needs {key}", code="impute", name=method, key=needs[method]
        )
        problems.append(error("missing_option", message, mend))
    for key in ("group", "time", "series"):
        name = options.get(key)
        if name and str(name) not in columns:
            message = text("impute, {key}: the values have no column {name}", key=key, name=name)
            problems.append(error("missing_column", message, did_you_mean(str(name), columns)))
        elif name and not bool(data.others[str(name)].notna().any()):
            message = text("impute, {key}: the column {name} is empty", key=key, name=name)
            problems.append(error("empty_column", message, mend))
        elif name and key != "group" and bool(data.others[str(name)].isna().any()):
            gaps = data.rows[data.others[str(name)].isna().to_numpy()]
            units = ", ".join(map(str, gaps[:5]))
            message = text(
                "impute, {key}: {column} is blank in {units}", key=key, column=name, units=units
            )
            problems.append(error("blank", message, text("correct the table of values")))
    raise_problems(problems)


def apply_impute(data: Data, params: Params) -> Data:
    """Fill the gaps; known values are never touched.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit_impute`.

    Returns
    -------
    Data
        The same rows and indicators.
    """
    missing = np.isnan(data.x)
    if not missing.any():
        return data
    method = params["method"]
    if method in ("last", "linear"):
        filled = _in_time(data, params)
    elif method.startswith("row_"):
        filled = _by_row(data, params)
    else:
        filled = np.broadcast_to([params["overall"][c] for c in data.codes], data.x.shape)
        if "groups" in params:
            filled = _by_group(data, params, filled.copy())
    return replace(data, x=np.where(missing, filled, data.x))


def _by_group(data: Data, params: Params, filled: Array) -> Array:
    """Lay each group's centres over the columns' own."""
    for name, rows in places_of(_labels(data, params["group"])).items():
        centres = params["groups"].get(name, {})
        for place, code in enumerate(data.codes):
            if centres.get(code) is not None:
                filled[rows, place] = centres[code]
    return filled


def _labels(data: Data, column: str) -> NDArray[np.object_]:
    """Read a column as texts, None where it is blank."""
    entries = data.others[column]
    return np.array(
        [str(v) if ok else None for v, ok in zip(entries, entries.notna(), strict=True)], object
    )


def _by_row(data: Data, params: Params) -> Array:
    """Take the centre of each row on a common scale, and bring it back to each column's own."""
    low, high = np.array(params["low"]), np.array(params["high"])
    directions = data.meta.loc[list(data.codes), "direction"].to_numpy(dtype=float)
    width = np.where(high > low, high - low, 1.0)
    share = (data.x - low) / width
    share = np.where(directions > 0, share, 1.0 - share)
    take = np.nanmean if params["method"] == "row_mean" else np.nanmedian
    some = ~np.isnan(share).all(axis=1)
    centre = np.full(len(share), np.nan)
    centre[some] = take(share[some], axis=1)
    back = np.where(directions > 0, centre[:, None], 1.0 - centre[:, None])
    return np.asarray(low + back * width)


def _in_time(data: Data, params: Params) -> Array:
    """Carry the last value on, or draw a line between the neighbours in time."""
    frame = data.frame()
    time = np.asarray(data.others[params["time"]], dtype=float)
    name = params["series"]
    labels = _labels(data, name) if name else np.full(len(time), "", dtype=object)
    filled = frame.to_numpy(copy=True)
    for places in places_of(labels).values():
        order = places[np.argsort(time[places], kind="stable")]
        for column in range(filled.shape[1]):
            values = filled[order, column]
            known = ~np.isnan(values)
            if not known.any():
                continue
            if params["method"] == "linear":
                inner = np.interp(time[order], time[order][known], values[known])
                outside = (time[order] < time[order][known][0]) | (
                    time[order] > time[order][known][-1]
                )
                filled[order, column] = np.where(outside & ~known, np.nan, inner)
            else:
                filled[order, column] = pd.Series(values).ffill().to_numpy()
    return filled


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


def fit_screen(data: Data, options: Options, notes: list[Text]) -> Params:
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


def apply_screen(data: Data, params: Params) -> Data:
    """Leave out what the rule leaves out.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit_screen`.

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

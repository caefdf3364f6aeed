"""Bring indicators to one scale and one direction: the scales, fitted, then applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskmap.i18n import Text, text
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmap.errors import Problem


def distinct(x: Array, _direction: int, _options: Options) -> Params:
    """Learn the distinct known values of a column and how often each stands in it.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    _direction
        Not used; the direction is applied with the ranks.
    _options
        Not used; ranks have no options.

    Returns
    -------
    dict
        ``values``, ascending, and their ``counts``.

    Examples
    --------
    >>> distinct(np.array([7.0, np.nan, 5.0, 7.0]), 1, {})
    {'values': [5.0, 7.0], 'counts': [1, 2]}
    """
    values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
    return {"values": values.tolist(), "counts": counts.tolist()}


def rank(x: Array, direction: int, params: Params) -> Array:
    """Give the rank among the fitted values, 1 for the worst, ties sharing the least rank.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``values`` (distinct, ascending) and their ``counts``.

    Returns
    -------
    ndarray
        Shape (n,), 1..n.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0])
    >>> rank(x, 1, distinct(x, 1, {})).tolist()
    [1.0, 2.0, 2.0, 4.0]
    """
    values = np.asarray(params["values"], dtype=float)
    below = np.concatenate([[0], np.cumsum(params["counts"])])
    if direction == 1:
        place = below[np.searchsorted(values, x, side="left")]
    else:
        place = below[-1] - below[np.searchsorted(values, x, side="right")]
    return np.where(np.isnan(x), np.nan, place + 1.0)


def percentile_rank(x: Array, direction: int, params: Params) -> Array:
    r"""Give the rank as a share of the others, brought to low..high.

    .. math:: y = l + (h - l) \frac{r - 1}{n - 1}

    with r the rank as in `rank` and n the number of fitted values; values worse than all fitted
    ones count as the last of them.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``values`` (distinct, ascending) and their ``counts``; ``low`` and ``high``, 0 and 1 by
        default.

    Returns
    -------
    ndarray
        Shape (n,), within low..high.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0, 9.5])
    >>> percentile_rank(x, 1, distinct(x, 1, {})).tolist()
    [0.0, 0.25, 0.25, 0.75, 1.0]
    """
    others = sum(params["counts"]) - 1
    share = np.minimum((rank(x, direction, params) - 1.0) / max(others, 1), 1.0)
    low, high = params.get("low", 0.0), params.get("high", 1.0)
    return np.asarray(share * (high - low) + low)


def borda(x: Array, direction: int, params: Params) -> Array:
    """Give Borda points: the number of fitted values that are better, ``rank - 1``.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        As for `rank`.

    Returns
    -------
    ndarray
        Shape (n,), 0..n - 1.

    Examples
    --------
    >>> x = np.array([5.0, 7.0, 7.0, 9.0])
    >>> borda(x, -1, distinct(x, -1, {})).tolist()
    [3.0, 1.0, 1.0, 0.0]
    """
    return rank(x, direction, params) - 1.0


class Method(NamedTuple):
    """How one method learns from a column and how it changes one."""

    fit: Callable[[Array, int, Options], Params]
    apply: Callable[[Array, int, Params], Array]


def _known(x: Array) -> Array:
    """Return the known values, sorted, so that the order of rows cannot matter."""
    return np.sort(x[~np.isnan(x)])


def _bounds(options: Options) -> Params:
    return {"low": float(options.get("low", 0.0)), "high": float(options.get("high", 1.0))}


def _fit_minmax(x: Array, _direction: int, options: Options) -> Params:
    return {**_bounds(options), "min": float(np.nanmin(x)), "max": float(np.nanmax(x))}


def minmax(x: Array, direction: int, params: Params) -> Array:
    r"""Scale linearly between the smallest and the largest fitted value, and cut off beyond.

    .. math:: y = l + (h - l) \frac{x - x_{min}}{x_{max} - x_{min}}

    mirrored when ``direction`` is -1. A constant column gives ``low``.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``min``, ``max``, ``low``, ``high``.

    Returns
    -------
    ndarray
        Shape (n,), within low..high.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators, 2008, step 5.

    Examples
    --------
    >>> minmax(np.array([1.0, 2.0, 3.0]), 1, {"min": 1, "max": 3, "low": 0, "high": 100}).tolist()
    [0.0, 50.0, 100.0]
    """
    low, high, first, last = params["low"], params["high"], params["min"], params["max"]
    if last == first:
        return np.where(np.isnan(x), np.nan, low)
    share = (x - first) / (last - first) if direction == 1 else (last - x) / (last - first)
    np.clip(share, 0.0, 1.0, out=share)
    return np.asarray(share * (high - low) + low)


def _fit_goalposts(_x: Array, _direction: int, options: Options) -> Params:
    first, last = (float(post) for post in options["goalposts"])
    return {**_bounds(options), "min": first, "max": last}


def _fit_zscore(x: Array, _direction: int, options: Options) -> Params:
    known = _known(x)
    deviation = float(known.std(ddof=1)) if np.ptp(known) > 0 else 0.0
    return {
        "mean": float(known.mean()),
        "sd": deviation,
        "to_mean": float(options.get("mean", 0.0)),
        "to_sd": float(options.get("sd", 1.0)),
    }


def zscore(x: Array, direction: int, params: Params) -> Array:
    r"""Standardise to a mean and sample standard deviation: :math:`(x - \bar x) / s`.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    params
        ``mean``, ``sd`` (n - 1), ``to_mean``, ``to_sd``.

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> zscore(x, -1, _fit_zscore(x, -1, {})).tolist()
    [1.0, 0.0, -1.0]
    """
    if params["sd"] == 0:
        return np.where(np.isnan(x), np.nan, params["to_mean"])
    scaled = direction * (x - params["mean"]) / params["sd"] * params["to_sd"]
    return np.asarray(scaled + params["to_mean"])


def _fit_percentile(x: Array, direction: int, options: Options) -> Params:
    return {**_bounds(options), **distinct(x, direction, options)}


def _fit_distance(x: Array, direction: int, options: Options) -> Params:
    worst, best = (np.nanmin(x), np.nanmax(x)) if direction == 1 else (np.nanmax(x), np.nanmin(x))
    return {
        "worst": float(worst),
        "target": float(options.get("target", best)),
        "cap": bool(options.get("cap", False)),
    }


def distance(x: Array, _direction: int, params: Params) -> Array:
    r"""Measure how far a value has come from the worst to a target, reference or maximum.

    .. math:: y = 1 - \frac{t - x}{t - x_{worst}}

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    _direction
        Not used; the worst value and the target tell it.
    params
        ``worst``, ``target``; ``cap``: nothing above 1.

    Returns
    -------
    ndarray
        Shape (n,); 1 at the target.

    Examples
    --------
    >>> distance(np.array([0.0, 4.0, 10.0]), 1, {"worst": 0, "target": 8, "cap": True}).tolist()
    [0.0, 0.5, 1.0]
    """
    way = params["target"] - params["worst"]
    if way == 0:
        return np.where(np.isnan(x), np.nan, 0.0)
    share = 1.0 - (params["target"] - x) / way
    return np.minimum(share, 1.0) if params["cap"] else np.asarray(share)


def _fit_fraction(x: Array, _direction: int, _options: Options) -> Params:
    return {"max": float(np.nanmax(x))}


def fraction_of_max(x: Array, direction: int, params: Params) -> Array:
    r"""Divide by the largest fitted value: :math:`x / x_{max}`, or :math:`1 - x / x_{max}`.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1, the second giving one minus the share.
    params
        ``max``.

    Returns
    -------
    ndarray
        Shape (n,); 0 everywhere when the maximum is 0.

    Examples
    --------
    >>> fraction_of_max(np.array([0.0, 2.0, 8.0]), -1, {"max": 8.0}).tolist()
    [1.0, 0.75, 0.0]
    """
    if params["max"] == 0:
        return np.where(np.isnan(x), np.nan, 0.0)
    share = x / params["max"]
    return np.asarray(share if direction == 1 else 1.0 - share)


def _fit_custom(_x: Array, _direction: int, options: Options) -> Params:
    return {"points": [[float(a), float(b)] for a, b in options["points"]]}


def custom(x: Array, _direction: int, params: Params) -> Array:
    """Read a value function given as points, linear between them and flat beyond.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    _direction
        Not used; the points tell it.
    params
        ``points``: pairs ``[x, y]`` in any order.

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> custom(np.array([0.0, 5.0, 20.0]), 1, {"points": [[10, 1.0], [0, 0.2]]}).round(6).tolist()
    [0.2, 0.6, 1.0]
    """
    xs, ys = zip(*sorted(params["points"]), strict=True)
    return np.where(np.isnan(x), np.nan, np.interp(x, xs, ys))


def _unchanged(_x: Array, _direction: int, _options: Options) -> Params:
    return {}


def none(x: Array, direction: int, _params: Params) -> Array:
    """Keep the values; only the direction is applied.

    Parameters
    ----------
    x
        Values of one indicator, shape (n,).
    direction
        1 or -1.
    _params
        Not used; nothing is fitted.

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> none(np.array([1.0, 2.0]), -1, {}).tolist()
    [-1.0, -2.0]
    """
    return x * direction


METHODS: dict[str, Method] = {
    "minmax": Method(_fit_minmax, minmax),
    "goalposts": Method(_fit_goalposts, minmax),
    "zscore": Method(_fit_zscore, zscore),
    "rank": Method(distinct, rank),
    "percentile_rank": Method(_fit_percentile, percentile_rank),
    "borda": Method(distinct, borda),
    "target": Method(_fit_distance, distance),
    "reference": Method(_fit_distance, distance),
    "max": Method(_fit_distance, distance),
    "fraction_of_max": Method(_fit_fraction, fraction_of_max),
    "custom": Method(_fit_custom, custom),
    "none": Method(_unchanged, none),
}
"""Name of a method to its fit and its vector function; add your own here."""


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

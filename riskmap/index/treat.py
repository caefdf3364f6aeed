"""Tame outliers: winsorise, else transform; what was changed is reported."""

from __future__ import annotations

from dataclasses import replace

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

METHODS = ("winsorise", "none")
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


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
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
    for key, known in (("method", METHODS), ("otherwise", OTHERWISE)):
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


def apply(data: Data, params: Params) -> Data:
    """Treat every indicator as it was decided.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

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

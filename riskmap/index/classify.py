"""Put scores into classes: breaks, thresholds, red flags, risk matrix, LEC; can be frozen."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.i18n import Text, text
from riskmap.index.tree import (
    FLOOR,
    NEAR,
    Array,
    Data,
    Options,
    Params,
    did_you_mean,
    error,
    raise_problems,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.errors import Problem


_FEW = 32
"""Values up to which plain Python finds the classes."""


def _cost(weight: Array, first: Array, second: Array, i: int, j: int) -> float:
    """Sum of squares about the mean of the values i..j, from prefix sums."""
    w = weight[j + 1] - weight[i]
    s = first[j + 1] - first[i]
    cost: float = second[j + 1] - second[i] - s * s / w
    return max(cost, 0.0)


def _optimal_starts(weight: Array, first: Array, second: Array, k: int) -> NDArray[np.int64]:
    """Find the start of each of k classes by dynamic programming with divide and conquer."""
    n = len(weight) - 1
    start = np.zeros((k, n), dtype=np.int64)
    before = np.empty(n)
    for j in range(n):
        before[j] = _cost(weight, first, second, 0, j)
    now = np.empty(n)
    stack = np.empty((4 * 64 + 8, 4), dtype=np.int64)
    for q in range(1, k):
        now[:] = np.inf
        top = 0
        stack[0] = (q, n - 1, q, n - 1)
        while top >= 0:
            low, high, first_i, last_i = stack[top]
            top -= 1
            if low > high:
                continue
            middle = (low + high) // 2
            best, where = np.inf, first_i
            for i in range(first_i, min(middle, last_i) + 1):
                cost = before[i - 1] + _cost(weight, first, second, i, middle)
                if cost < best:
                    best, where = cost, i
            now[middle] = best
            start[q, middle] = where
            top += 1
            stack[top] = (low, middle - 1, first_i, where)
            top += 1
            stack[top] = (middle + 1, high, where, last_i)
        before[:] = now
    result = np.zeros(k, dtype=np.int64)
    end = n - 1
    for q in range(k - 1, 0, -1):
        result[q] = start[q, end]
        end = result[q] - 1
    return result


@cache
def _compiled_starts() -> Callable[..., NDArray[np.int64]]:
    """Compile the same lines; loading the compiler takes longer than a short table."""
    import numba

    compiled = numba.njit(cache=True)
    cost = compiled(_cost)
    lines = FunctionType(_optimal_starts.__code__, {**globals(), "_cost": cost})
    starts: Callable[..., NDArray[np.int64]] = compiled(lines)
    return starts


def natural_breaks(x: Array, k: int) -> list[float]:
    r"""Split values into k classes with the least sum of squares about the class means, exactly.

    Fisher's dynamic programme with the divide-and-conquer speed-up, O(k n log n); equal values
    are never split.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer when there are fewer distinct values.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    References
    ----------
    Fisher 1958, doi:10.1080/01621459.1958.10501479; Wang and Song 2011, doi:10.32614/RJ-2011-015.

    Examples
    --------
    >>> natural_breaks(np.array([1.0, 2, 3, 10, 11, 50]), 3)
    [3.0, 11.0, 50.0]
    """
    values, counts = np.unique(x, return_counts=True)
    k = min(k, len(values))
    scale = max(float(np.abs(values).max()), 1e-300)
    centred = values / scale - np.sort(x).mean() / scale
    prefix = [np.concatenate([[0.0], np.cumsum(counts * centred**p)]) for p in (0, 1, 2)]
    find = _optimal_starts if len(values) <= _FEW else _compiled_starts()
    starts = find(prefix[0], prefix[1], prefix[2], k)
    ends = np.append(starts[1:], len(values)) - 1
    return [float(v) for v in values[ends]]


def quantile(x: Array, k: int) -> list[float]:
    r"""Split into classes of equal count, at the quantiles :math:`i / k`, linearly interpolated.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer where quantiles coincide.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, 3.0, 4.0, 9.0]), 4)
    [2.0, 3.0, 4.0, 9.0]
    """
    limits = np.quantile(x, np.arange(1, k + 1) / k)
    return [float(v) for v in np.unique(limits)]


def equal_interval(x: Array, k: int) -> list[float]:
    r"""Split the range into k equal parts: :math:`b_i = x_{min} + (x_{max} - x_{min})\, i / k`.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; one when all values are equal.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> equal_interval(np.array([0.0, 1.0, 8.0]), 4)
    [2.0, 4.0, 6.0, 8.0]
    """
    low, high = float(x.min()), float(x.max())
    if low == high:
        return [high]
    limits = [low + (high - low) * step / k for step in range(1, k + 1)]
    return [*limits[:-1], high]


def standard_deviation(x: Array, k: int) -> list[float]:
    """Split at whole steps of one standard deviation (n - 1) around the mean, mean in the middle.

    k = 4 gives limits at mean - 1 sd, mean, mean + 1 sd; k = 5 at -1.5, -0.5, 0.5 and 1.5 sd.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum, or the highest step where that lies above.

    Examples
    --------
    >>> standard_deviation(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    [3.0, 5.0]
    """
    ordered = np.sort(x)
    spread = ordered.std(ddof=1) if np.ptp(ordered) > 0 else 0.0
    limits = [ordered.mean() + spread * (step - k / 2.0) for step in range(1, k)]
    return [float(v) for v in np.unique([*limits, max(float(ordered[-1]), limits[-1])])]


def maximum_breaks(x: Array, k: int) -> list[float]:
    """Split in the middle of the k - 1 widest gaps between neighbouring values.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer when there are fewer distinct values.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> maximum_breaks(np.array([1.0, 2.0, 6.0, 7.0, 17.0]), 3)
    [4.0, 12.0, 17.0]
    """
    values = np.unique(x)
    gaps = np.diff(values)
    widest = np.sort(np.argsort(gaps, kind="stable")[::-1][: k - 1])
    return [*(float((values[i] + values[i + 1]) / 2) for i in widest), float(values[-1])]


METHODS: dict[str, Callable[[Array, int], list[float]]] = {
    "natural_breaks": natural_breaks,
    "quantile": quantile,
    "equal_interval": equal_interval,
    "standard_deviation": standard_deviation,
    "maximum_breaks": maximum_breaks,
}
"""Name of a method to its function ``(known values, k) -> upper limits``."""


def classify(x: Array, limits: Sequence[float]) -> NDArray[np.int8]:
    """Give each value the number of its class; a value on a limit belongs to the class below it.

    Parameters
    ----------
    x
        Values, shape (n,).
    limits
        Ascending upper limits; everything above the last one is in the last class.

    Returns
    -------
    ndarray of int8
        1..len(limits); 0 where the value is unknown.

    Examples
    --------
    >>> classify(np.array([3.0, 3.1, np.nan, 99]), [3.0, 11.0, 50.0]).tolist()
    [1, 2, 0, 3]
    """
    inner = np.asarray(limits[:-1], dtype=float)
    inner = inner + NEAR * np.abs(inner) + FLOOR
    place = np.searchsorted(inner, x, side="left") + 1
    return np.where(np.isnan(x), 0, place).astype(np.int8)


NEEDS = {
    "risk_matrix": ("likelihood", "consequence"),
    "lec": ("likelihood", "exposure", "consequence"),
}
"""Method to the options that name its columns."""


def matrix_class(likelihood: Array, consequence: Array, table: Array) -> NDArray[np.int8]:
    """Look the class up in a table; grades count from 1.

    Parameters
    ----------
    likelihood
        Grades 1..rows of the table, shape (n,).
    consequence
        Grades 1..columns of the table, shape (n,).
    table
        Class of each pair; one row per grade of likelihood.

    Returns
    -------
    ndarray of int8
        The class; 0 where a grade is unknown or not in the table.

    References
    ----------
    GB/T 42768-2023 (five grades of likelihood by five of consequence).

    Examples
    --------
    >>> table = np.array([[1, 2], [2, 4]])
    >>> matrix_class(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 1.0]), table)
    array([2, 4, 0], dtype=int8)
    """
    rows, columns = table.shape
    i, j = np.nan_to_num(likelihood).astype(int) - 1, np.nan_to_num(consequence).astype(int) - 1
    whole = (likelihood == i + 1) & (consequence == j + 1)
    inside = whole & (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
    found = table[np.where(inside, i, 0), np.where(inside, j, 0)]
    return np.where(inside, found, 0).astype(np.int8)


def lec_class(
    likelihood: Array, exposure: Array, consequence: Array, limits: Array
) -> NDArray[np.int8]:
    r"""Grade :math:`D = L E C`; a value must exceed a limit to pass it.

    Parameters
    ----------
    likelihood, exposure, consequence
        The three factors, shape (n,).
    limits
        Ascending limits of D.

    Returns
    -------
    ndarray of int8
        1..len(limits) + 1; 0 where a factor is unknown.

    References
    ----------
    Graham and Kinney, Practical Risk Analysis for Safety Management, 1976; limits from a preset.

    Examples
    --------
    >>> l, e, c = np.array([[1.0, 10, 10], [6, 6, 6], [7, 3, 40]])
    >>> lec_class(l, e, c, np.array([70, 160, 320]))
    array([1, 3, 4], dtype=int8)
    """
    danger = likelihood * exposure * consequence
    place = np.searchsorted(limits, danger, side="left") + 1
    return np.where(np.isnan(danger), 0, place).astype(np.int8)


def table_problems(others: pd.DataFrame, options: Options) -> list[Problem]:
    """Check the options of a table method.

    Parameters
    ----------
    others
        The columns that came in.
    options
        ``method``, ``likelihood``, ``consequence``, ``exposure``: columns; ``table`` or
        ``thresholds``.

    Returns
    -------
    list of Problem
        Missing columns, a table that is not a rectangle of classes, missing limits.
    """
    found = []
    method = str(options["method"])
    mend = text("correct the steps file")
    known = [str(c) for c in others.columns]
    for key in NEEDS[method]:
        name = options.get(key)
        if name not in others.columns:
            message = text("classify, {key}: the values have no column {name}", key=key, name=name)
            found.append(error("missing_column", message, did_you_mean(str(name), known)))
    if method == "lec" and not options.get("thresholds"):
        need = "thresholds"
        message = text("{code}: method {name} needs {key}", code="classify", name="lec", key=need)
        found.append(error("missing_option", message, mend))
    if method == "risk_matrix":
        table: Any = options.get("table") or []
        lists = bool(table) and all(isinstance(row, list) for row in table)
        even = lists and len({len(row) for row in table}) == 1
        if not even or not all(isinstance(c, int) and 0 < c <= 9 for row in table for c in row):
            message = text("the risk matrix must be rows of classes, all of one length")
            found.append(error("matrix", message, mend))
    return found


def rule_of(options: Options) -> Params:
    """Keep what a table method needs.

    Parameters
    ----------
    options
        Checked options of the step.

    Returns
    -------
    dict
        JSON-able rule for `classify`.
    """
    keys = ("method", "table", "thresholds", *NEEDS[str(options["method"])])
    return {key: options[key] for key in keys if key in options}


def by_rule(others: pd.DataFrame, rule: Params) -> NDArray[np.int8]:
    """Class every row by a rule.

    Parameters
    ----------
    others
        The columns that came in.
    rule
        As returned by `rule_of`.

    Returns
    -------
    ndarray of int8
        1 the lowest; 0 unknown.
    """
    columns = {
        key: others[str(rule[key])].to_numpy(dtype=float, na_value=np.nan)
        for key in NEEDS[rule["method"]]
    }
    if rule["method"] == "lec":
        limits = np.asarray(rule["thresholds"], dtype=float)
        return lec_class(columns["likelihood"], columns["exposure"], columns["consequence"], limits)
    return matrix_class(columns["likelihood"], columns["consequence"], np.asarray(rule["table"]))


FIXED = "thresholds"
TABLES = ("risk_matrix", "lec")
"""Methods that read classes from raw grades instead of from a score."""
MOST = 20
"""Most classes that can be asked for."""


def _codes(data: Data, options: Options) -> list[str]:
    """Return the codes to classify; the root when none is named."""
    code = options.get("code") or data.tree.root
    return [str(c) for c in ([code] if isinstance(code, str) else code)]


def _problems(data: Data, options: Options) -> list[Problem]:
    """Check the options of the step."""
    problems = []
    mend = text("correct the steps file")
    known = {*data.tree.indicators, *data.tree.groups}
    for code in _codes(data, options):
        if code not in known:
            message = text(
                "step {step}, {key}: unknown code {code}", step="classify", key="code", code=code
            )
            problems.append(error("unknown_code", message, did_you_mean(code, known)))
        elif code not in data.groups and code not in data.codes:
            message = text("{code} has no score yet: classify after aggregate", code=code)
            problems.append(error("order", message, mend))
    method = options.get("method", "natural_breaks")
    limits = options.get("thresholds")
    if limits is not None and (len(limits) < 1 or list(limits) != sorted(set(limits))):
        message = text("the thresholds must rise")
        problems.append(error("thresholds", message, mend, value=list(limits)))
    if method == FIXED and limits is None:
        message = text(
            "{code}: method {name} needs {key}", code="classify", name=FIXED, key="thresholds"
        )
        problems.append(error("missing_option", message, mend))
    if method in TABLES:
        problems += table_problems(data.others, options)
    elif method != FIXED and method not in METHODS:
        message = text("unknown method of classification {name}", name=method)
        problems.append(error("method", message, did_you_mean(str(method), [*METHODS, FIXED])))
    if not 2 <= int(options.get("k", 4)) <= MOST:
        message = text("the number of classes must be 2 to 20")
        problems.append(error("k", message, mend, value=options.get("k")))
    for flag in options.get("red_flags", ()):
        problems += _flag_problems(data, flag)
    return problems


def _flag_problems(data: Data, flag: Mapping[str, Any]) -> list[Problem]:
    """Check one red flag: its column, the class that it gives, the number that raises it."""
    name = flag.get("column")
    if name not in data.others.columns:
        message = text("red flag: unknown column {name}", name=name)
        return [error("red_flag", message, did_you_mean(str(name), map(str, data.others)))]
    grade, least = flag.get("class"), flag.get("at_least", 1)
    if isinstance(grade, int) and 1 <= grade <= MOST and isinstance(least, int | float):
        return []
    message = text(
        "red flag {name}: class must be 1 to {most} and at_least a number", name=name, most=MOST
    )
    shown = f"class: {grade}, at_least: {least}"
    return [error("red_flag", message, text("correct the steps file"), value=shown)]


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    """Find the class limits of each named code on the fit rows.

    Parameters
    ----------
    data
        The aggregated table.
    options
        ``code`` (one or a list; default the root), ``method``, ``k``, ``thresholds`` (upper limits
        of all classes but the last), ``red_flags``: ``[{column, at_least, class}]``.
    notes
        Receives warnings, such as too few distinct values.

    Returns
    -------
    dict
        ``breaks``: code to upper limits; ``red_flags``.

    Raises
    ------
    IndicatorError
        Unknown code, method or column, thresholds that do not rise.
    """
    raise_problems(_problems(data, options))
    flags = [dict(flag) for flag in options.get("red_flags", ())]
    if options.get("method") in TABLES:
        rules = dict.fromkeys(_codes(data, options), rule_of(options))
        return {"breaks": {}, "red_flags": flags, "rules": rules}
    k = int(options.get("k", 4))
    limits: dict[str, list[float]] = {}
    for code in _codes(data, options):
        scores = data.column(code)[data.fit_rows]
        known = scores[~np.isnan(scores)]
        if "thresholds" in options:
            given = [float(v) for v in options["thresholds"]]
            limits[code] = [*given, max(given[-1], float(known.max(initial=-np.inf)))]
            continue
        if not len(known):
            limits[code] = []
            notes.append(text("{code} is unknown in every unit; it has no classes", code=code))
            continue
        found = len(np.unique(known))
        if found >= k:
            limits[code] = METHODS[options.get("method", "natural_breaks")](known, k)
            if len(limits[code]) < k:
                n = len(limits[code])
                notes.append(text("{code}: only {n} class(es) can be told apart", code=code, n=n))
        elif data.scale is not None:
            low, high = data.scale
            limits[code] = [low + (high - low) * step / k for step in range(1, k + 1)]
            notes.append(
                text(
                    "{code}: {n} different value(s) make no {k} classes; the goalposts' range is "
                    "split into equal parts instead",
                    code=code, n=found, k=k,
                )
            )  # fmt: skip
        else:
            limits[code] = []
            notes.append(
                text(
                    "{code} cannot be graded: {n} different value(s) among {units} unit(s) make no "
                    "{k} classes. Compare more units, or give thresholds or goalposts.",
                    code=code, n=found, units=len(known), k=k,
                )
            )  # fmt: skip
    return {"breaks": limits, "red_flags": flags}


def apply(data: Data, params: Params) -> Data:
    """Give every row its class by the fitted limits, then let red flags raise it.

    Parameters
    ----------
    data
        The aggregated table.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        With classes, 1 the lowest, 0 unknown.
    """
    classes = dict(data.classes)
    for code in [*params["breaks"], *params.get("rules", {})]:
        found = _found(data, code, params)
        for flag in params["red_flags"]:
            found = np.where(_flagged(data, flag), np.maximum(found, flag["class"]), found)
        classes[code] = found.astype(np.int8)
    return replace(data, classes=classes)


def _found(data: Data, code: str, params: Params) -> NDArray[np.int8]:
    """Class the rows by limits, or by a table of grades."""
    if code in params.get("rules", {}):
        return by_rule(data.others, params["rules"][code])
    limits = params["breaks"][code]
    if not limits:
        return np.zeros(len(data.rows), dtype=np.int8)
    return classify(data.column(code), limits)


def _flagged(data: Data, flag: Mapping[str, Any]) -> Any:
    """Say which rows carry a red flag: a number of at least ``at_least``."""
    column = data.others[flag["column"]]
    return (column.astype(float) >= float(flag.get("at_least", 1))).to_numpy()

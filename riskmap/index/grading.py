"""Classes read from grades: risk matrix (likelihood x consequence) and LEC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import Problem
from riskmap.i18n import text
from riskmap.index.tree import Array, Options, Params, did_you_mean, error

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


def problems(others: pd.DataFrame, options: Options) -> list[Problem]:
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


def classify(others: pd.DataFrame, rule: Params) -> NDArray[np.int8]:
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

"""Check a table of values against its tree before the first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError, Problem
from riskmap.i18n import text
from riskmap.index.table import Array, Data, Mask
from riskmap.index.tree import build_tree, did_you_mean, error


def unknown_steps(
    steps: Sequence[Mapping[str, Any]], known: Mapping[str, Sequence[str]]
) -> list[Problem]:
    """Find steps and options that do not exist.

    Parameters
    ----------
    steps
        The list of steps.
    known
        Names of the steps there are, each with the names of its options.

    Returns
    -------
    list of Problem
        One for each unknown step or option.
    """
    problems = []
    for place, step in enumerate(steps, start=1):
        name = str(step.get("step"))
        if name not in known:
            message = text("step {n}: unknown step {name}", n=place, name=name)
            problems.append(error("step", message, did_you_mean(name, known)))
            continue
        allowed = (*known[name], "step", "frozen")
        for key in step:
            if key not in allowed:
                message = text("step {step}: unknown option {name}", step=name, name=key)
                problems.append(error("option", message, did_you_mean(str(key), known[name])))
    return problems


def begin(
    values: pd.DataFrame, meta: pd.DataFrame, fit_rows: Mask
) -> tuple[Data | None, list[Problem]]:
    """Check the values and make the first `Data`.

    Parameters
    ----------
    values
        Rows x codes and further columns.
    meta
        As returned by `tree.clean_meta`.
    fit_rows
        Rows on which parameters will be fitted; none when they are frozen.

    Returns
    -------
    tuple
        The table (None when the tree itself is wrong), and every problem found. When there are
        problems the table holds zeros in place of what is wrong, so that the steps can be checked.
    """
    mend = text("correct the table of values")
    twice = values.index[values.index.duplicated()].unique()[:20]
    problems = [
        error("unit_twice", text("unit {unit} stands twice", unit=unit), mend) for unit in twice
    ]
    if not len(values):
        problems.append(error("no_rows", text("the table of values has no rows"), mend))
    try:
        tree = build_tree(meta)
    except IndicatorError as failure:
        return None, [*failure.problems, *problems]
    x = np.empty((len(values), len(tree.indicators)), order="F")
    for place, code in enumerate(tree.indicators):
        x[:, place], wrong = _column(values, code, fit_rows)
        problems += wrong
    if not problems and list(values.columns) == list(tree.indicators):
        same = values.to_numpy()
        x = same if same.dtype == np.float64 else x
    weights = dict(zip(meta.index, meta["weight"].to_numpy(dtype=float), strict=True))
    given = {code: float(weights[code]) for code in tree.parent}
    return Data(x, tree.indicators, values.index, values, tree, meta, fit_rows, given), problems


def _column(values: pd.DataFrame, code: str, fit_rows: Mask) -> tuple[Array, list[Problem]]:
    """Read one indicator; zeros when it is wrong."""
    zeros = np.zeros(len(values))
    if code not in values.columns:
        message = text("the values have no column {code}", code=code)
        mend = did_you_mean(code, map(str, values.columns))
        return zeros, [error("missing_column", message, mend)]
    x = values[code].to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(x).any():
        units = ", ".join(str(unit) for unit in values.index[np.isinf(x)][:5])
        message = text("{code}: infinite in {units}", code=code, units=units)
        return zeros, [error("infinite", message, text("correct the table of values"), name=code)]
    if fit_rows.any() and np.isnan(x[fit_rows]).all():
        message = text("{code}: no unit has a value", code=code)
        mend = text("give values or leave the indicator out")
        return zeros, [error("all_missing", message, mend, name=code)]
    return x, []

"""From villages to towns to districts, and from points to classes to streets (点-类-区)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.index.tree import Array, did_you_mean, error, places_of, raise_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskmap.errors import Problem

RED: Final = 4


def weighted_mean(values: Array, weights: Array) -> float:
    r"""Average known values by weight: :math:`\sum w x / \sum w`.

    Parameters
    ----------
    values
        Scores of the units of one parent, shape (n,).
    weights
        Weight of each unit, shape (n,), such as people or area.

    Returns
    -------
    float
        NaN when nothing known weighs anything.

    Examples
    --------
    >>> weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([2.0, 1.0, 5.0]))
    2.0
    """
    known = ~np.isnan(values) & ~np.isnan(weights)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total > 0 else float("nan")


def maximum(values: Array, _weights: Array) -> float:
    """Take the largest known value.

    Parameters
    ----------
    values
        Scores of the units of one parent, shape (n,).
    _weights
        Not used; every unit counts alike.

    Returns
    -------
    float
        NaN when nothing is known.

    Examples
    --------
    >>> maximum(np.array([1.0, 4.0, np.nan]), np.ones(3))
    4.0
    """
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else float("nan")


def share_red(values: Array, weights: Array) -> float:
    """Give the share, by weight, of known classes that are red (class 4).

    Parameters
    ----------
    values
        Classes of the units of one parent, shape (n,); 0 is unknown.
    weights
        Weight of each unit, shape (n,), such as people or area.

    Returns
    -------
    float
        Share 0..1; NaN when nothing known weighs anything.

    Examples
    --------
    >>> share_red(np.array([4.0, 2.0, 0.0]), np.array([1.0, 3.0, 9.0]))
    0.25
    """
    known = values > 0
    total = np.nansum(weights[known])
    return float(np.nansum(weights[known & (values >= RED)]) / total) if total > 0 else float("nan")


def total(values: Array, _weights: Array) -> float:
    """Sum what is known.

    Parameters
    ----------
    values
        Amounts of the units of one parent, shape (n,).
    _weights
        Not used; every unit counts alike.

    Returns
    -------
    float
        NaN when nothing is known.

    Examples
    --------
    >>> total(np.array([1.0, 4.0, np.nan]), np.ones(3))
    5.0
    """
    known = values[~np.isnan(values)]
    return float(known.sum()) if len(known) else float("nan")


METHODS: dict[str, Callable[[Array, Array], float]] = {
    "mean": weighted_mean,
    "max": maximum,
    "share_red": share_red,
    "sum": total,
}
"""Name of a method to its function ``(values, weights) -> value``."""


def roll_up(
    values: pd.Series,
    parents: pd.Series,
    *,
    method: str = "mean",
    weights: pd.Series | None = None,
) -> pd.Series:
    r"""Carry values one level up: :math:`S_p = \sum_{u \in p} w_u s_u / \sum w_u`.

    Parameters
    ----------
    values
        Scores by unit (classes for ``share_red``).
    parents
        Parent by unit; units without one are left out.
    method
        ``mean``, ``max``, ``share_red`` or ``sum``.
    weights
        Population or area by unit; 1 when None, 0 where unknown.

    Returns
    -------
    Series
        By parent, in order of the parents' names.

    Raises
    ------
    IndicatorError
        Unknown method, or a negative weight.

    Examples
    --------
    >>> scores = pd.Series([1.0, 4.0], index=["v1", "v2"])
    >>> towns = pd.Series(["t", "t"], index=["v1", "v2"])
    >>> roll_up(scores, towns, weights=pd.Series([2.0, 1.0], index=["v1", "v2"])).to_dict()
    {'t': 2.0}
    """
    problems: list[Problem] = []
    if method not in METHODS:
        message = text("unknown method of roll-up {name}", name=method)
        problems.append(error("method", message, did_you_mean(method, METHODS)))
    w = pd.Series(1.0, index=values.index) if weights is None else weights.reindex(values.index)
    w = w.astype(float).fillna(0.0)
    mend = text("correct the table of values")
    problems += [
        error("weight", text("{unit}: a negative weight", unit=unit), mend, value=w[unit])
        for unit in w.index[w < 0]
    ]
    raise_problems(problems)
    x = values.to_numpy(dtype=float, na_value=np.nan)
    above = parents.reindex(values.index)
    labels = above.astype(object).where(above.notna(), "").astype(str).to_numpy(dtype=object)
    share = np.asarray(w, dtype=np.float64)
    found = {
        name: METHODS[method](x[mine], share[mine])
        for name, mine in places_of(labels).items()
        if name
    }
    return pd.Series(found, name=values.name, dtype=float)


def roll_points(
    points: pd.DataFrame,
    *,
    score: str = "score",
    kind: str = "class",
    unit: str = "unit_id",
    kinds: Sequence[str] | None = None,
    top: int = 3,
) -> pd.DataFrame:
    r"""Bring point scores into classes of units and then into streets (point, class, area).

    The score of a class in a street is the mean of its ``top`` worst points, so that many harmless
    points do not hide a bad one: :math:`S_{k,u} = \frac{1}{m} \sum_{i \le m} s_{(i)}`, with m the
    smaller of ``top`` and the number of points; a class without points is unknown.

    Parameters
    ----------
    points
        One row per point, with the columns named below.
    score
        Column of the point's score.
    kind
        Column of the class of unit it belongs to.
    unit
        Column of the street it stands in.
    kinds
        Classes to give a column each; those that occur when None.
    top
        Number of worst points that count.

    Returns
    -------
    DataFrame
        Streets x classes, ready as indicator values of an index.

    References
    ----------
    GB/T 42768-2023, point, class and area.

    Examples
    --------
    >>> rows = [("s", "fire", 1.0), ("s", "fire", 3.0), ("s", "flood", 2.0)]
    >>> points = pd.DataFrame(rows, columns=["unit_id", "class", "score"])
    >>> roll_points(points, top=1).loc["s"].to_dict()
    {'fire': 3.0, 'flood': 2.0}
    """
    known = points.dropna(subset=[score, kind, unit])
    ordered = known.sort_values(score, ascending=False, kind="stable")
    worst = ordered.groupby([unit, kind], sort=True).head(top)
    table = worst.pivot_table(index=unit, columns=kind, values=score, aggfunc="mean")
    table.columns = table.columns.astype(str)
    if kinds is not None:
        table = table.reindex(columns=list(kinds))
    return table.rename_axis(columns=None)

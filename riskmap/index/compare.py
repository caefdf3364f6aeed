"""Two runs of an index side by side: every change split into parts that sum to it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from riskmap.index import explain
from riskmap.index.steps import Index, apply, rank_scores
from riskmap.index.tree import Params, build_tree, clean_meta


def _scores(params: Params, values: pd.DataFrame, meta: pd.DataFrame) -> pd.Series:
    """Score the root of a table under frozen parameters."""
    root = build_tree(clean_meta(meta)).root
    return apply(params, values, meta).scores[root]


def compare(
    old: tuple[Params, pd.DataFrame, pd.DataFrame],
    new: tuple[Params, pd.DataFrame, pd.DataFrame],
    *,
    same_items: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Split the change of each unit's score between two runs, exactly.

    With the old method :math:`m_0` and the new one :math:`m_1` (goalposts, weights, breaks and all
    frozen), and the old data :math:`d_0`, the new data :math:`d_1`, and :math:`d_s`, the new state
    of the items that were already there:

    .. math:: \underbrace{m_0(d_s) - m_0(d_0)}_{data}
              + \underbrace{m_0(d_1) - m_0(d_s)}_{items}
              + \underbrace{m_1(d_1) - m_0(d_1)}_{method} = m_1(d_1) - m_0(d_0)

    Parameters
    ----------
    old, new
        ``(params, values, meta)`` of each run; params as frozen by `steps.fit`.
    same_items
        Values of the new run without new and closed items; items count as data when None.

    Returns
    -------
    DataFrame
        By unit of either run: ``old, new, change, data, items, method``; ``old_under_new``, the
        old data under the new method; ``rank_old, rank_new``; ``status``: both, new or closed.
    """
    params0, values0, meta0 = old
    params1, values1, meta1 = new
    before = _scores(params0, values0, meta0)
    after = _scores(params1, values1, meta1)
    moved = _scores(params0, values1, meta0)
    still = moved if same_items is None else _scores(params0, same_items, meta0)
    units = before.index.union(after.index, sort=False)
    table = pd.DataFrame({"old": before.reindex(units), "new": after.reindex(units)})
    table["change"] = table["new"] - table["old"]
    table["data"] = still.reindex(units) - table["old"]
    table["items"] = moved.reindex(units) - still.reindex(units)
    table["method"] = table["new"] - moved.reindex(units)
    table["old_under_new"] = _scores(params1, values0, meta1).reindex(units)
    table["rank_old"] = rank_scores(table[["old"]])["old"]
    table["rank_new"] = rank_scores(table[["new"]])["new"]
    came, went = ~units.isin(before.index), ~units.isin(after.index)
    table["status"] = "both"
    table.loc[came, "status"] = "new"
    table.loc[went, "status"] = "closed"
    return table


def data_change_by_indicator(old: Index, values: pd.DataFrame, meta: pd.DataFrame) -> pd.DataFrame:
    """Split the data part of a change among the indicators, under the old method.

    Parameters
    ----------
    old
        The old run.
    values
        The new data of the same units.
    meta
        The indicator table.

    Returns
    -------
    DataFrame
        Units x indicators; each row sums to the change of the score under the old method.
    """
    now = apply(old.params, values, meta)
    shared = old.scores.index.intersection(now.scores.index, sort=False)
    return indicator_parts(now).loc[shared] - indicator_parts(old).loc[shared]


def indicator_parts(index: Index) -> pd.DataFrame:
    """Split every unit's score down to its indicators.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    DataFrame
        Units x indicators; each row sums to the root's score.
    """
    tree = build_tree(index.meta)
    columns: dict[str, Any] = {}
    for frame in (index.stages["normalised"], index.scores):
        columns |= {str(c): frame[c].to_numpy(dtype=float) for c in frame.columns}
    specs = next(s["fitted"]["groups"] for s in index.params["steps"] if s["step"] == "aggregate")
    found = explain.down(tree, columns, specs, tree.root, explain.reference(index.params))
    return pd.DataFrame({c: found[c] for c in tree.indicators}, index=index.scores.index)

"""The computed index, and how it is put together from the last table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.i18n import Text
from riskmap.index import explain
from riskmap.index.table import Array, Data, Params


@dataclass(frozen=True)
class Index:
    """A computed index, and all that is needed to compute it again elsewhere."""

    meta: pd.DataFrame
    """Indexed by code, as used, with ``weight`` replaced by the weights of this run."""
    steps: tuple[Mapping[str, Any], ...]
    params: Params
    stages: Mapping[str, pd.DataFrame]
    """``raw, denominated, imputed, treated, normalised``: rows x indicators; ``aggregated``: rows x
    groups."""
    scores: pd.DataFrame
    """Rows x (groups and root)."""
    ranks: pd.DataFrame
    """As scores; 1 = highest, ties share the least rank; NaN where the score is unknown."""
    classes: pd.Series
    """Class of the root (or of the first code classified), Int8; 1 the lowest, 0 unknown."""
    contributions: pd.DataFrame
    """Rows x components (children of the root); sums to the root's score."""
    class_table: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Rows x every classified code, Int8."""
    notes: tuple[Text, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able report of what each step changed."""
    stability: pd.Series | None = None
    """Share of the draws in which a row keeps its class; None when nothing was drawn."""


def make_index(
    data: Data,
    steps: Sequence[Mapping[str, Any]],
    params: Params,
    stages: dict[str, pd.DataFrame],
    notes: list[Text],
    details: dict[str, Any],
    rank_within: pd.Series | None,
) -> Index:
    """Put the last table into the form that others read.

    Parameters
    ----------
    data
        The table after the last step.
    steps
        The steps as asked for.
    params
        Fitted parameters of every step.
    stages
        Name of the stage to its table, rows x indicators; ``aggregated`` is added when missing.
    notes
        What the steps had to say.
    details
        What each step changed, in plain values.
    rank_within
        Rank inside equal values of this series; among all rows when None.

    Returns
    -------
    Index
        The computed index.
    """
    root = data.tree.root
    order = [root, *reversed(data.tree.groups[:-1])]
    scores = pd.DataFrame({g: data.groups[g] for g in order if g in data.groups}, index=data.rows)
    stages.setdefault("aggregated", scores)
    table = pd.DataFrame(dict(data.classes), index=data.rows).astype("Int8")
    first = root if root in data.classes else next(iter(data.classes), None)
    unknown = pd.Series(0, index=data.rows, name=root, dtype="Int8")
    parts = pd.DataFrame(index=data.rows)
    spec = next((s["fitted"]["groups"] for s in params["steps"] if s["step"] == "aggregate"), None)
    if spec is not None:
        shares = explain.contributions(data, params, spec, root)
        parts = pd.DataFrame(shares, index=data.rows, columns=list(data.tree.children[root]))
    used = data.meta.copy()
    for code, weight in data.weights.items():
        used.loc[code, "weight"] = weight
    return Index(
        meta=used.loc[[c for c in used.index if c in data.tree.level]],
        steps=tuple(dict(step) for step in steps),
        params=params,
        stages=stages,
        scores=scores,
        ranks=rank_scores(scores, within=rank_within),
        classes=unknown if first is None else table[first].rename(root),
        contributions=parts,
        class_table=table,
        notes=tuple(notes),
        details=details,
    )


def rank_scores(scores: pd.DataFrame, *, within: pd.Series | None = None) -> pd.DataFrame:
    """Rank every column, 1 = highest; ties share the least rank.

    Parameters
    ----------
    scores
        Rows x codes.
    within
        Rank inside equal values of this series.

    Returns
    -------
    DataFrame
        Int64, missing where the score is.

    Examples
    --------
    >>> rank_scores(pd.DataFrame({"R": [0.5, 0.9, 0.5, None]}))["R"].tolist()
    [2, 1, 2, <NA>]
    """
    labels = None if within is None else within.reindex(scores.index)
    columns = {}
    for code in scores.columns:
        x = scores[code].to_numpy(dtype=float, na_value=np.nan)
        places = np.zeros(len(x), dtype=np.int64)
        groups = [np.arange(len(x))] if labels is None else _places(labels)
        for group in groups:
            places[group] = _rank(x[group])
        columns[code] = pd.arrays.IntegerArray(places, np.isnan(x))
    return pd.DataFrame(columns, index=scores.index)


def _places(labels: pd.Series) -> list[NDArray[np.int64]]:
    """Return the places of each label; rows without one stand together."""
    codes, _names = pd.factorize(labels, use_na_sentinel=False)
    return [np.flatnonzero(codes == code) for code in range(int(codes.max(initial=-1)) + 1)]


def _rank(x: Array) -> NDArray[np.int64]:
    """Rank one column, 1 = highest, ties sharing the least rank; unknown values come last."""
    order = np.argsort(-x)
    ordered = x[order]
    place = np.arange(len(x), dtype=np.int64)
    place[1:][ordered[1:] == ordered[:-1]] = 0
    ranks = np.empty(len(x), dtype=np.int64)
    ranks[order] = np.maximum.accumulate(place) + 1
    return ranks


def changed(name: str, before: Data, after: Data, fitted: Params) -> Any:
    """Report what a step did, in plain values that can be written as JSON.

    Parameters
    ----------
    name
        Name of the step.
    before
        The table that it was given.
    after
        The table that it made.
    fitted
        Its fitted parameters.

    Returns
    -------
    dict or list
        Units and indicators left out, cells filled ``[row, code, value]``, outliers by indicator,
        weights or class limits; empty for the other steps.
    """
    if name == "screen":
        gone = before.rows.difference(after.rows, sort=False)
        dropped = [c for c in before.codes if c not in after.codes]
        return {"units": [str(u) for u in gone], "indicators": dropped}
    if name == "impute":
        filled = np.isnan(before.x) & ~np.isnan(after.x)
        cells = zip(*np.nonzero(filled), strict=True)
        return [[str(after.rows[r]), after.codes[c], float(after.x[r, c])] for r, c in cells]
    if name == "treat":
        return {code: mine["report"] for code, mine in fitted["columns"].items() if mine["report"]}
    if name == "weight":
        return {k: v for k, v in fitted.items() if k != "matrices"}
    if name == "classify":
        return {k: v for k, v in fitted.items() if k == "breaks"}
    return {}

"""The chain of steps: fitted once, frozen as JSON, applied to any table."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.index import aggregate, classify, explain, impute, normalise, screen, treat, weights
from riskmap.index.defaults import default_steps
from riskmap.index.table import (
    Data,
    Mask,
    Options,
    Params,
    build_tree,
    clean_meta,
    did_you_mean,
    error,
    raise_problems,
)

__all__ = ["Index", "apply", "default_steps", "fit", "rank_scores"]

FORMAT = 1
STAGES = ("raw", "denominated", "imputed", "treated", "normalised", "aggregated")


class Step(NamedTuple):
    """One kind of step: how it learns, how it works, which stage it writes."""

    fit: Callable[[Data, Options, list[Text]], Params]
    apply: Callable[[Data, Params], Data]
    stage: str


STEPS: dict[str, Step] = {
    "screen": Step(screen.fit, screen.apply, ""),
    "denominate": Step(screen.fit_denominate, screen.denominate, "denominated"),
    "impute": Step(impute.fit, impute.apply, "imputed"),
    "treat": Step(treat.fit, treat.apply, "treated"),
    "normalise": Step(normalise.fit, normalise.apply, "normalised"),
    "weight": Step(weights.fit, weights.apply, ""),
    "aggregate": Step(aggregate.fit, aggregate.apply, "aggregated"),
    "classify": Step(classify.fit, classify.apply, ""),
}


@dataclass(frozen=True)
class Index:
    """A computed index, and all that is needed to compute it again elsewhere."""

    meta: pd.DataFrame
    """Indexed by code, as used, with ``weight`` replaced by the weights of this run."""
    steps: tuple[Mapping[str, Any], ...]
    params: Params
    stages: Mapping[str, pd.DataFrame]
    """``raw, denominated, imputed, treated, normalised``: rows x indicators; ``aggregated``: the groups."""
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


def _prune(option: object, data: Data) -> object:
    """Drop ``low`` entries of groups that a run does not have (their layers are missing)."""
    if not isinstance(option, Mapping):
        return option
    known = {"default", *data.tree.indicators, *data.tree.groups}
    return {code: value for code, value in option.items() if code in known}


def _start(values: pd.DataFrame, meta: pd.DataFrame, fit_rows: Mask | None) -> Data:
    """Check a table against its tree and make the first `Data`."""
    tree = build_tree(meta)
    mend = text("correct the table of values")
    problems = []
    for code in tree.indicators:
        if code not in values.columns:
            message = text("the values have no column {code}", code=code)
            problems.append(
                error("missing_column", message, did_you_mean(code, map(str, values.columns)))
            )
    for unit in values.index[values.index.duplicated()].unique()[:20]:
        problems.append(error("unit_twice", text("unit {unit} stands twice", unit=unit), mend))
    raise_problems(problems)
    x = np.column_stack([values[c].to_numpy(dtype=float, na_value=np.nan) for c in tree.indicators])
    rows = (
        np.ones(len(values), dtype=bool) if fit_rows is None else np.asarray(fit_rows, dtype=bool)
    )
    for place, code in enumerate(tree.indicators):
        if np.isinf(x[:, place]).any():
            message = text("{code}: a value is infinite", code=code)
            problems.append(error("infinite", message, mend, name=code))
        if rows.any() and np.isnan(x[rows, place]).all():
            message = text("{code}: no unit has a value", code=code)
            leave = text("give values or leave the indicator out")
            problems.append(error("all_missing", message, leave, name=code))
    if not rows.any():
        problems.append(error("no_rows", text("the table of values has no rows"), mend))
    raise_problems(problems)
    given = {code: float(meta.at[code, "weight"]) for code in tree.parent}
    return Data(x, tree.indicators, values.index, values, tree, meta, rows, given)


def _check_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    """Reject unknown steps, all at once."""
    problems = []
    for place, step in enumerate(steps, start=1):
        if step.get("step") not in STEPS:
            message = text("step {n}: unknown step {name}", n=place, name=step.get("step"))
            problems.append(error("step", message, did_you_mean(str(step.get("step")), STEPS)))
    raise_problems(problems)


def fit(
    values: pd.DataFrame,
    meta: pd.DataFrame,
    steps: Sequence[Mapping[str, Any]],
    *,
    fit_rows: Mask | None = None,
    rank_within: pd.Series | None = None,
) -> Index:
    """Fit every step on the table and apply it.

    Parameters
    ----------
    values
        Rows x indicator codes; further columns (denominators, group columns) may stand beside them.
    meta
        Indexed by code: ``parent, kind, direction, weight`` and optionally ``denominator,
        denominator_scale``.
    steps
        Ordered steps, each ``{step: name, ...options}``; ``frozen`` holds earlier fitted
        parameters and replaces the fit.
    fit_rows
        Rows on which parameters are fitted; all when None.
    rank_within
        Ranks are counted within equal values of this series (such as the level of the unit).

    Returns
    -------
    Index
        Stages, scores, ranks, classes, contributions and the fitted parameters.

    Raises
    ------
    IndicatorError
        All problems at once, naming codes and cells.

    Examples
    --------
    >>> rows = [("a", "R", "indicator", 1, 1), ("b", "R", "indicator", -1, 1), ("R", "", "group", 1, 1)]
    >>> names = ["code", "parent", "kind", "direction", "weight"]
    >>> meta = pd.DataFrame(rows, columns=names).set_index("code")
    >>> values = pd.DataFrame({"a": [0.0, 5, 10], "b": [3.0, 2, 1]}, index=["x", "y", "z"])
    >>> fit(values, meta, [{"step": "normalise"}, {"step": "aggregate"}]).scores["R"].tolist()
    [0.0, 0.5, 1.0]
    """
    _check_steps(steps)
    table = clean_meta(meta)
    data = _start(values, table, fit_rows)
    notes: list[Text] = []
    done: list[Params] = []

    def one(step: Mapping[str, Any], now: Data) -> Params:
        options = {key: value for key, value in step.items() if key not in ("step", "frozen")}
        if "low" in options:
            options["low"] = _prune(options["low"], now)
        frozen = step.get("frozen")
        fitted = frozen if frozen is not None else STEPS[step["step"]].fit(now, options, notes)
        done.append({"step": step["step"], "options": options, "fitted": copy.deepcopy(fitted)})
        return done[-1]

    return _run(data, steps, one, done, notes, rank_within)


def apply(
    params: Params,
    values: pd.DataFrame,
    meta: pd.DataFrame,
    *,
    rank_within: pd.Series | None = None,
) -> Index:
    """Apply frozen parameters to a table.

    Parameters
    ----------
    params
        ``Index.params`` of an earlier `fit`, or its JSON.
    values
        Rows x indicator codes, as for `fit`.
    meta
        The indicator table, as for `fit`.
    rank_within
        As for `fit`.

    Returns
    -------
    Index
        On the same data identical to what `fit` returned.

    Raises
    ------
    IndicatorError
        All problems at once.
    """
    steps = [{"step": step["step"], **step["options"]} for step in params["steps"]]
    _check_steps(steps)
    data = _start(values, clean_meta(meta), np.ones(len(values), dtype=bool))
    ready = iter(params["steps"])
    return _run(
        data, steps, lambda _step, _now: next(ready), list(params["steps"]), [], rank_within
    )


def _run(
    data: Data,
    steps: Sequence[Mapping[str, Any]],
    one: Callable[[Mapping[str, Any], Data], Params],
    done: list[Params],
    notes: list[Text],
    rank_within: pd.Series | None,
) -> Index:
    """Walk through the steps and collect the stages."""
    stages = {"raw": data.frame()}
    details: dict[str, Any] = {}
    for step in steps:
        ready = one(step, data)
        kind = STEPS[step["step"]]
        before, data = data, kind.apply(data, ready["fitted"])
        details.setdefault(step["step"], _changed(step["step"], before, data, ready["fitted"]))
        if kind.stage == "aggregated":
            stages[kind.stage] = pd.DataFrame(dict(data.groups), index=data.rows)
        elif kind.stage:
            stages[kind.stage] = data.frame()
    for earlier, later in itertools.pairwise(STAGES):
        stages.setdefault(later, stages[earlier])
    params: Params = {"format": FORMAT, "steps": done}
    return _index(data, steps, params, stages, notes, details, rank_within)


def _index(
    data: Data,
    steps: Sequence[Mapping[str, Any]],
    params: Params,
    stages: dict[str, pd.DataFrame],
    notes: list[Text],
    details: dict[str, Any],
    rank_within: pd.Series | None,
) -> Index:
    """Put the last table into the form that others read."""
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
    grouped = (
        scores if within is None else scores.groupby(within.reindex(scores.index), dropna=False)
    )
    return grouped.rank(ascending=False, method="min").astype("Int64")


def _changed(name: str, before: Data, after: Data, fitted: Params) -> Any:
    """Report what a step did, in plain values."""
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

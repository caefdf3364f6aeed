"""The chain of steps: fitted once, frozen as JSON, applied to any table."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError, Problem
from riskmap.i18n import Text, text
from riskmap.index import aggregate, classify, impute, normalise, screen, treat, weights
from riskmap.index.defaults import default_steps
from riskmap.index.outcome import Index, changed, make_index, rank_scores
from riskmap.index.start import begin, unknown_steps
from riskmap.index.table import Data, Mask, Options, Params
from riskmap.index.tree import clean_meta, error, failure, raise_problems

OPTIONS: dict[str, tuple[str, ...]] = {
    "screen": ("by", "min_share", "min_nonzero", "keep", "drop"),
    "denominate": (),
    "impute": ("method", "group", "time", "series"),
    "treat": ("method", "max_points", "max_skew", "max_kurtosis", "otherwise", "lambda"),
    "normalise": normalise.OPTIONS,
    "weight": (
        "method", "matrices", "ahp_method", "max_ratio", "of", "theta", "combine", "target",
    ),
    "aggregate": ("method", "dat_thresh", "power", "complement", "inverse", "top"),
    "classify": (
        "code", "method", "k", "thresholds", "red_flags",
        "likelihood", "exposure", "consequence", "table",
    ),
}  # fmt: skip
"""Options of each step."""

__all__ = ["Index", "apply", "default_steps", "fit", "rank_scores"]

FORMAT = 1
FOLLOWING = ("order", "negative")
"""Rules that fail only because an earlier step did."""
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
    >>> rows = [("a", "R", "indicator", 1, 1), ("b", "R", "indicator", -1, 1)]
    >>> rows.append(("R", "", "group", 1, 1))
    >>> names = ["code", "parent", "kind", "direction", "weight"]
    >>> meta = pd.DataFrame(rows, columns=names).set_index("code")
    >>> values = pd.DataFrame({"a": [0.0, 5, 10], "b": [3.0, 2, 1]}, index=["x", "y", "z"])
    >>> fit(values, meta, [{"step": "normalise"}, {"step": "aggregate"}]).scores["R"].tolist()
    [0.0, 0.5, 1.0]
    """
    problems = unknown_steps(steps, OPTIONS)
    rows = np.ones(len(values), dtype=bool) if fit_rows is None else np.asarray(fit_rows, bool)
    data, found = begin(values, clean_meta(meta), rows)
    if data is None:
        raise failure([*problems, *found])
    notes: list[Text] = []
    done: list[Params] = []

    def one(step: Mapping[str, Any], now: Data) -> Params:
        done.append(_fit_one(step, now, notes))
        return done[-1]

    return _run(data, steps, one, done, notes, rank_within, [*problems, *found])


def _fit_one(step: Mapping[str, Any], data: Data, notes: list[Text]) -> Params:
    """Fit one step, or take its frozen numbers."""
    options = {key: value for key, value in step.items() if key not in ("step", "frozen")}
    frozen = step.get("frozen")
    try:
        fitted = STEPS[step["step"]].fit(data, options, notes) if frozen is None else frozen
    except (ValueError, TypeError, KeyError, AttributeError) as cause:
        message = text("step {step}: an option has the wrong form", step=step["step"])
        mend = text("correct the steps file")
        raise failure([error("form", message, mend, value=cause)]) from cause
    return {"step": step["step"], "options": options, "fitted": copy.deepcopy(fitted)}


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
        All problems at once; parameters that were fitted without one of the indicators.
    """
    steps = [{"step": step["step"], **step["options"]} for step in params["steps"]]
    data, found = begin(values, clean_meta(meta), np.zeros(len(values), dtype=bool))
    problems = [*unknown_steps(steps, OPTIONS), *found]
    if data is None or problems:
        raise failure(problems)
    ready = iter(params["steps"])
    done = list(params["steps"])
    try:
        return _run(data, steps, lambda _step, _now: next(ready), done, [], rank_within, [])
    except (ValueError, TypeError, KeyError, AttributeError) as cause:
        message = text("the frozen parameters do not fit this table")
        mend = text("fit anew, or take the indicators that they were fitted with")
        raise failure([error("frozen", message, mend, value=cause)]) from cause


def _run(
    data: Data,
    steps: Sequence[Mapping[str, Any]],
    one: Callable[[Mapping[str, Any], Data], Params],
    done: list[Params],
    notes: list[Text],
    rank_within: pd.Series | None,
    problems: list[Problem],
) -> Index:
    """Walk through the steps and collect the stages; after a problem, only look for more."""
    stages = {"raw": data.frame()}
    details: dict[str, Any] = {}
    for step in steps:
        if step.get("step") not in STEPS:
            continue
        kind = STEPS[step["step"]]
        before = data
        try:
            ready = one(step, data)
            if problems:
                continue
            data = kind.apply(data, ready["fitted"])
        except IndicatorError as wrong:
            followed = FOLLOWING if problems else ()
            fresh = (p for p in wrong.problems if p.rule not in followed)
            problems += [p for p in fresh if p not in problems]
            continue
        details.setdefault(step["step"], changed(step["step"], before, data, ready["fitted"]))
        if kind.stage == "aggregated":
            stages[kind.stage] = pd.DataFrame(dict(data.groups), index=data.rows)
        elif kind.stage:
            stages[kind.stage] = data.frame()
    raise_problems(problems)
    for earlier, later in itertools.pairwise(STAGES):
        stages.setdefault(later, stages[earlier])
    params: Params = {"format": FORMAT, "steps": done}
    return make_index(data, steps, params, stages, notes, details, rank_within)

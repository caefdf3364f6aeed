"""The chain of steps: fitted once, frozen as JSON, applied; its parts of a score; recipes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import factorial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
import yaml

from riskmap.errors import IndicatorError, Problem
from riskmap.i18n import Text, text
from riskmap.index import aggregate, classify, normalise, weights
from riskmap.index import prepare as impute
from riskmap.index import prepare as screen
from riskmap.index import prepare as treat
from riskmap.index.aggregate import combine
from riskmap.index.tree import (
    Array,
    Data,
    Mask,
    Options,
    Params,
    begin,
    clean_meta,
    did_you_mean,
    error,
    failure,
    raise_problems,
    unknown_steps,
)
from riskmap.vocabulary.presets import Presets, load_presets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskmap.index.tree import Array, Data, Params, Tree


EXACT_UP_TO = 12
PERMUTATIONS = 512


def _coalition(
    x: Array, baseline: Array, spec: Params, children: tuple[str, ...], members: Array
) -> Array:
    """Score every row with the members' own values and the others' baseline."""
    return combine(np.where(members, x, np.where(np.isnan(x), np.nan, baseline)), spec, children)


def shapley(
    x: Array,
    score: Array,
    spec: Params,
    children: tuple[str, ...],
    *,
    baseline: Array | None = None,
) -> Array:
    r"""Split each row's score by Shapley value against a baseline, scaled to sum to the score.

    .. math:: \phi_i = \sum_{S \not\ni i} \frac{|S|! (m - |S| - 1)!}{m!} [v(S \cup i) - v(S)]

    where v(S) is the score with the children in S at their own values and the others at the
    baseline; v of nothing is shared by weight. Exact up to 12 children, beyond that sampled over
    512 seeded permutations in antithetic pairs (see `sampled`).

    Parameters
    ----------
    x
        Shape (rows, children).
    score
        The group's score, shape (rows,).
    spec
        The group's entry in the fitted parameters.
    children
        Codes of the columns.
    baseline
        Shape (children,); by default the least known value of each column.

    Returns
    -------
    ndarray
        Shape (rows, children); each row sums to its score.

    References
    ----------
    Shapley 1953, doi:10.1515/9781400881970-018.
    """
    base = _least(x) if baseline is None else baseline
    if len(children) > EXACT_UP_TO:
        values, _error = sampled(x, spec, children, base)
    else:
        values = _exact(x, spec, children, base)
    weights = np.array([spec["weights"][c] for c in children])
    known = ~np.isnan(x) * weights
    share = known / np.maximum(known.sum(axis=1), 1e-300)[:, None]
    rest = score - values.sum(axis=1)
    return np.asarray(values + share * rest[:, None])


def _least(x: Array) -> Array:
    """Return the least known value of each column, 0 where nothing is known."""
    least = np.fmin.reduce(x, axis=0, initial=np.inf)
    return np.where(np.isinf(least), 0.0, least)


def _exact(x: Array, spec: Params, children: tuple[str, ...], base: Array) -> Array:
    """Average over all coalitions."""
    m = len(children)
    scores = [
        _coalition(x, base, spec, children, np.array([bool(mask >> i & 1) for i in range(m)]))
        for mask in range(1 << m)
    ]
    values = np.zeros_like(x)
    for mask in range(1 << m):
        size = mask.bit_count()
        for i in range(m):
            if not mask >> i & 1:
                share = factorial(size) * factorial(m - size - 1) / factorial(m)
                values[:, i] += share * (scores[mask | 1 << i] - scores[mask])
    return values


def sampled(
    x: Array,
    spec: Params,
    children: tuple[str, ...],
    base: Array,
    *,
    draws: int = PERMUTATIONS,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Average over seeded permutations, each with its reverse.

    Parameters
    ----------
    x
        Shape (rows, children).
    spec
        The group's entry in the fitted parameters.
    children
        Codes of the columns.
    base
        Baseline, shape (children,).
    draws
        Number of permutations.
    seed
        Seed of the generator.

    Returns
    -------
    tuple of ndarray
        Values and their standard errors, both of shape (rows, children).
    """
    m = len(children)
    generator = np.random.default_rng(seed)
    total, squares = np.zeros_like(x), np.zeros_like(x)
    for _ in range(draws // 2):
        order = generator.permutation(m)
        pair = np.zeros_like(x)
        for sequence in (order, order[::-1]):
            members = np.zeros(m, dtype=bool)
            before = _coalition(x, base, spec, children, members)
            for i in sequence:
                members[i] = True
                now = _coalition(x, base, spec, children, members)
                pair[:, i] += (now - before) / 2.0
                before = now
        total += pair
        squares += pair**2
    n = draws // 2
    mean = total / n
    return mean, np.sqrt(np.maximum(squares / n - mean**2, 0.0) / max(n - 1, 1))


FLOOR = 0.01
"""Reference of log shares when the normalisation sets none: one hundredth of the scale."""


def reference(params: Params) -> float:
    """Find the value that counts as nothing in log shares.

    Parameters
    ----------
    params
        All fitted parameters.

    Returns
    -------
    float
        The least positive lower end of the normalised columns; without one, a hundredth of the
        highest upper end, or of 1.

    Examples
    --------
    >>> columns = {"a": {"low": 1.0, "high": 100.0}, "b": {"low": 0.0, "high": 100.0}}
    >>> reference({"steps": [{"step": "normalise", "fitted": {"columns": columns}}]})
    1.0
    """
    for step in params.get("steps", ()):
        columns = step.get("fitted", {}).get("columns", {}) if step["step"] == "normalise" else {}
        lows = [c["low"] for c in columns.values() if c.get("low", 0) > 0]
        highs = [c["high"] for c in columns.values() if "high" in c]
        if lows:
            return float(min(lows))
        if highs:
            return FLOOR * float(max(highs))
    return FLOOR


def parts(x: Array, score: Array, spec: Params, children: tuple[str, ...], floor: float) -> Array:
    r"""Split each row's group score into its children's parts.

    Arithmetic: :math:`w_i x_i / \sum w` over what is known. Geometric and product: the share of
    :math:`w_i \ln (x_i / r)`, where r is the value that counts as nothing and what lies below it
    counts as nothing. Everything else: Shapley values.

    Parameters
    ----------
    x
        Shape (rows, children).
    score
        The group's score, shape (rows,).
    spec
        The group's entry in the fitted parameters.
    children
        Codes of the columns.
    floor
        r above.

    Returns
    -------
    ndarray
        Shape (rows, children); each row sums to its score; an unknown child has 0.
    """
    weights = np.array([spec["weights"][c] for c in children])
    turned = {"complement", "inverse"} & set(spec)
    if spec["method"] == "arithmetic":
        share = np.where(np.isnan(x), 0.0, x * weights)
        used = (~np.isnan(x) * weights).sum(axis=1)
        share = np.divide(share, used[:, None], out=np.zeros_like(share), where=used[:, None] > 0)
        return np.where(np.isnan(score)[:, None], np.nan, share)
    if spec["method"] == "geometric" or (spec["method"] == "product" and not turned):
        above = np.where(x > floor, x / floor, 1.0)
        logs = np.log(above) * weights
        total = logs.sum(axis=1)
        known = ~np.isnan(x) * weights
        flat = known / np.maximum(known.sum(axis=1), 1e-300)[:, None]
        even = total <= 0
        share = np.where(even[:, None], flat, logs / np.where(even, 1.0, total)[:, None])
        return np.asarray(share * score[:, None])
    return shapley(x, score, spec, children)


def contributions(data: Data, params: Params, spec_groups: Params, root: str) -> Array:
    """Split every row's index score into its components, the children of the root.

    Parameters
    ----------
    data
        The aggregated table.
    params
        All fitted parameters.
    spec_groups
        The fitted ``groups`` of the aggregation.
    root
        Code of the group to split.

    Returns
    -------
    ndarray
        Shape (rows, components), each row summing to the score.
    """
    children = data.tree.children[root]
    x = data.columns(children)
    return parts(x, data.column(root), spec_groups[root], children, reference(params))


def down(
    tree: Tree, columns: Mapping[str, Array], specs: Params, root: str, floor: float
) -> dict[str, Array]:
    """Split every row's score down to the indicators, level by level.

    A group's part is shared among its children in proportion to their parts of the group's own
    score, by weight when that score is zero.

    Parameters
    ----------
    tree
        The index tree.
    columns
        Code to normalised values or scores, shape (rows,).
    specs
        The fitted ``groups`` of the aggregation.
    root
        Code of the group to split.
    floor
        As for `parts`.

    Returns
    -------
    dict
        Code of each group and indicator beneath the root to its part, shape (rows,).
    """
    result: dict[str, Array] = {root: columns[root]}
    for group in reversed(tree.groups):
        if group not in result:
            continue
        children = tree.children[group]
        x = np.array([columns[c] for c in children]).T
        score = columns[group]
        own = parts(x, score, specs[group], children, floor)
        weights = np.array([specs[group]["weights"][c] for c in children])
        known = ~np.isnan(x) * weights
        flat = known / np.maximum(known.sum(axis=1), 1e-300)[:, None]
        safe = np.where(score == 0, 1.0, score)[:, None]
        share = np.where((score == 0)[:, None], flat, own / safe)
        share = np.where(np.isnan(score)[:, None], 0.0, share)
        for place, child in enumerate(children):
            result[child] = share[:, place] * result[group]
    return result


SHORT: Final = {"std_dev": "standard_deviation", "fixed": "thresholds"}
"""Names of the project file to the names of `classify`."""


LEAST_KNOWN: Final = 0.5
"""A unit of which fewer of the components are known has no risk: capacity alone ranks nobody."""


def default_steps(options: Options | None = None, root: str = "RISK") -> list[dict[str, Any]]:
    """Expand the short form of the project file into the list of steps.

    Parameters
    ----------
    options
        ``normalise``, ``aggregate``, ``weights``, ``classes`` of the project's ``index`` section;
        keys of ``aggregate`` may be ``default``, ``risk`` (the root) or any code.
    root
        Code of the root.

    Returns
    -------
    list of dict
        Steps as in ``STEPS.yaml``.

    Examples
    --------
    >>> [step["step"] for step in default_steps()]
    ['normalise', 'weight', 'aggregate', 'classify']
    """
    given = dict(options or {})
    scale = {"low": {"default": 0.01, "HAZARD": 0.0}, "high": 1.0}
    norm = given.get("normalise") or "minmax"
    normal = dict(norm) if isinstance(norm, Mapping) else {"method": norm, **scale}
    joined = given.get("aggregate") or {"risk": "geometric"}
    if isinstance(joined, Mapping):
        names = {
            root if str(c).lower() in ("risk", "root") else str(c): m for c, m in joined.items()
        }
        joined = {"default": "arithmetic", **names}
    weigh = given.get("weights") or "given"
    classes = dict(given.get("classes") or {"method": "natural_breaks", "k": 4})
    limits = classes.pop("breaks", None)
    method = str(classes.get("method") or "natural_breaks")
    classes["method"] = SHORT.get(method, method)
    if limits is not None:
        classes["thresholds"] = limits
    return [
        {"step": "normalise", **normal},
        {"step": "weight", **(dict(weigh) if isinstance(weigh, Mapping) else {"method": weigh})},
        {"step": "aggregate", "method": joined, "dat_thresh": {root: LEAST_KNOWN}},
        {"step": "classify", "code": root, **classes},
    ]


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
        shares = contributions(data, params, spec, root)
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
    "screen": Step(screen.fit_screen, screen.apply_screen, ""),
    "denominate": Step(screen.fit_denominate, screen.denominate, "denominated"),
    "impute": Step(impute.fit_impute, impute.apply_impute, "imputed"),
    "treat": Step(treat.fit_treat, treat.apply_treat, "treated"),
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
    data = data.settled()
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
            data = kind.apply(data, ready["fitted"]).settled()
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


RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """A published or office-made index, ready for `steps.fit`."""

    name: str
    meta: pd.DataFrame
    """Indexed by code."""
    steps: tuple[Mapping[str, Any], ...]
    source: str
    status: str
    """``sourced``, ``check`` or ``unverified``, as for presets."""
    name_zh: str
    name_en: str


def with_judgements(steps: Sequence[Mapping[str, Any]], presets: Presets) -> list[dict[str, Any]]:
    """Fill in the pairwise matrices that stand in presets.

    Parameters
    ----------
    steps
        Steps; a matrix may be ``@`` and the key of a preset.
    presets
        The presets; those read are remembered as used.

    Returns
    -------
    list of dict
        Steps with numbers.
    """
    filled = []
    for step in steps:
        matrices = {
            group: {**one, "matrix": [list(row) for row in presets[one["matrix"][1:]]]}
            if isinstance(one.get("matrix"), str)
            else one
            for group, one in step.get("matrices", {}).items()
        }
        filled.append({**step, "matrices": matrices} if matrices else dict(step))
    return filled


def recipe_names() -> tuple[str, ...]:
    """Return the names of the shipped recipes.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> recipe_names()
    ('city_operation', 'inform', 'nri')
    """
    return tuple(sorted(path.stem for path in RECIPES.glob("*.yaml")))


def load_recipe(name: str, presets: Presets | None = None) -> Recipe:
    """Load a shipped recipe.

    Parameters
    ----------
    name
        One of `recipe_names`.
    presets
        Hold the pairwise judgements; by default the shipped ones.

    Returns
    -------
    Recipe
        Indicator table and steps.

    Raises
    ------
    IndicatorError
        Unknown name.

    Examples
    --------
    >>> load_recipe("nri").meta.index.tolist()
    ['LOSS', 'VULNERABILITY', 'RESILIENCE', 'RISK']
    """
    if name not in recipe_names():
        message = text("unknown recipe {name}", name=name)
        raise failure([error("recipe", message, did_you_mean(name, recipe_names()))])
    found = yaml.safe_load((RECIPES / f"{name}.yaml").read_text(encoding="utf-8"))
    return Recipe(
        name=name,
        meta=pd.DataFrame(found["indicators"]).set_index("code"),
        steps=tuple(with_judgements(found["steps"], presets or load_presets())),
        source=found["source"],
        status=found["status"],
        name_zh=found["name_zh"],
        name_en=found["name_en"],
    )

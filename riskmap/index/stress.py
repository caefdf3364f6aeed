"""The stress test of an index: draws over weights and methods, and what they say."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError
from riskmap.i18n import text
from riskmap.index.aggregate import combine
from riskmap.index.stability import (
    CHUNK_CELLS,
    RANK_CELLS,
    Single,
    columns_of,
    draw_weights,
    evaluate,
    groups_of,
    rank_draws,
    summarise,
)
from riskmap.index.steps import Index, apply, fit, rank_scores
from riskmap.index.tree import Array, Params, Tree, build_tree, error, failure

Steps = tuple[Mapping[str, Any], ...]
OTHER_IMPUTE: Final = {
    "mean": "median",
    "median": "mean",
    "group_mean": "group_median",
    "group_median": "group_mean",
    "row_mean": "row_median",
    "row_median": "row_mean",
}


@dataclass(frozen=True)
class Variant:
    """One combination of methods, computed once; only weights are drawn on top of it."""

    choice: tuple[int, ...]
    tree: Tree
    specs: Params
    columns: dict[str, Array]
    limits: tuple[float, ...]
    rows: pd.Index[Any]


Found = tuple[list[str], dict[tuple[int, ...], Variant]]


def alternatives(steps: Sequence[Mapping[str, Any]]) -> dict[str, list[Steps]]:
    """List for each choice of method the steps as they are and as they could be.

    Normalisation: min-max or percentile ranks on the same range. Treatment: with or without.
    Imputation: means or medians. Aggregation of the root: arithmetic or geometric.

    Parameters
    ----------
    steps
        The steps of the index.

    Returns
    -------
    dict
        Name of the choice to the alternatives for that one step; the first is as it is.
    """
    found: dict[str, list[Steps]] = {}
    for step in steps:
        kind, method = step["step"], step.get("method")
        if kind == "normalise" and method in (None, "minmax"):
            found[kind] = [(step,), ({**step, "method": "percentile_rank"},)]
        elif kind == "treat":
            found[kind] = [(step,), ()]
        elif kind == "impute" and method in OTHER_IMPUTE:
            found[kind] = [(step,), ({**step, "method": OTHER_IMPUTE[str(method)]},)]
        elif kind == "aggregate":
            found[kind] = [(step,)]
    return found


def _other_root(step: Mapping[str, Any], root: str) -> Mapping[str, Any] | None:
    """Swap arithmetic and geometric at the root."""
    method = step.get("method") or "arithmetic"
    table = dict(method) if isinstance(method, Mapping) else {"default": method}
    now = table.get(root, table.get("default", "arithmetic"))
    if now not in ("arithmetic", "geometric"):
        return None
    return {**step, "method": {**table, root: "geometric" if now == "arithmetic" else "arithmetic"}}


def variants(
    index: Index, values: pd.DataFrame, meta: pd.DataFrame, *, methods: bool = True
) -> Found:
    """Compute the index under every combination of alternative methods.

    A combination that cannot be computed (a geometric mean of negative values) is left out, and
    with it the alternative that made it so.

    Parameters
    ----------
    index
        The index as it is.
    values
        The table that it was computed from.
    meta
        Its indicator table.
    methods
        False: only the index as it is.

    Returns
    -------
    tuple
        Names of the choices, and the variants by combination; all zeros is the index as it is.
    """
    root = build_tree(index.meta).root
    options = alternatives(index.steps)
    for step in index.steps:
        other = _other_root(step, root) if step["step"] == "aggregate" else None
        if other is not None:
            options["aggregate"] = [(step,), (other,)]
    options = {name: ways for name, ways in options.items() if methods and len(ways) > 1}
    nominal = _variant(index, (0,) * len(options))
    kept = {
        name: ways
        for name, ways in options.items()
        if _try(index, values, meta, {name: ways[1]}, nominal) is not None
    }
    names = list(kept)
    found: dict[tuple[int, ...], Variant] = {}
    for choice in itertools.product((0, 1), repeat=len(names)):
        chosen = {n: kept[n][1] for n, c in zip(names, choice, strict=True) if c}
        made = index if not any(choice) else _try(index, values, meta, chosen, nominal)
        found[choice] = _variant(index if made is None else made, choice)
    return names, found


def _try(
    index: Index,
    values: pd.DataFrame,
    meta: pd.DataFrame,
    chosen: Mapping[str, Steps],
    nominal: Variant,
) -> Index | None:
    """Compute the index with other steps; None when it cannot be, or rows would differ."""
    steps = [s for step in index.steps for s in chosen.get(step["step"], (step,))]
    try:
        made = fit(values, meta, steps)
    except IndicatorError:
        return None
    return made if made.scores.index.equals(nominal.rows) else None


def _variant(index: Index, choice: tuple[int, ...]) -> Variant:
    """Keep what the draws need of a computed index."""
    tree = build_tree(index.meta)
    breaks = index.details.get("classify", {}).get("breaks", {}).get(tree.root, [])
    columns = columns_of(index)
    return Variant(
        choice=choice,
        tree=tree,
        specs=groups_of(index),
        columns={code: np.asarray(columns[code]) for code in tree.indicators},
        limits=tuple(float(v) for v in breaks),
        rows=index.scores.index,
    )


def without(tree: Tree, specs: Params, columns: dict[str, Array], code: str) -> Array:
    """Score the root with the weight of one element set to 0.

    Parameters
    ----------
    tree
        The index tree.
    specs
        As returned by `groups_of`.
    columns
        As returned by `columns_of`.
    code
        The element taken out.

    Returns
    -------
    ndarray
        The root's score, shape (rows,).
    """
    changed = dict(columns)
    for group in tree.lineage(code)[1:]:
        children = tree.children[group]
        weights = np.array([0.0 if c == code else specs[group]["weights"][c] for c in children])
        x = np.column_stack([changed[c] for c in children])
        if not weights.sum() > 0:
            changed[group] = np.full(len(x), np.nan)
            continue
        changed[group] = combine(x, specs[group], children, weights)
    return changed[tree.root]


def leave_one_out(index: Index, level: int) -> pd.DataFrame:
    """Take out each element of a level in turn, and measure how far the ranks move.

    Taken out means that its weight is 0 and the others keep theirs; a group left without weight
    is unknown and drops out itself.

    Parameters
    ----------
    index
        A computed index.
    level
        1 = indicators, 2 = their groups, up to the level beneath the root.

    Returns
    -------
    DataFrame
        ``code, mean_abs_rank_change``, in the order of the indicator table.

    Raises
    ------
    IndicatorError
        No such level.

    References
    ----------
    Becker et al., COINr, doi:10.21105/joss.04567.
    """
    tree = build_tree(index.meta)
    top = tree.level[tree.root]
    if not 1 <= level < top:
        message = text("there is no level {n} to leave out", n=level)
        mend = text("use 1 (indicators) to {n}", n=top - 1)
        raise failure([error("level", message, mend)])
    specs, columns = groups_of(index), columns_of(index)
    nominal = index.ranks[tree.root]
    rows = []
    for code in index.meta.index:
        if tree.level[code] != level or code == tree.root:
            continue
        scores = pd.DataFrame({tree.root: without(tree, specs, columns, code)}, index=nominal.index)
        change = (rank_scores(scores)[tree.root] - nominal).abs()
        rows.append((code, float(change.mean()) if change.notna().any() else float("nan")))
    return pd.DataFrame(rows, columns=["code", "mean_abs_rank_change"])


BANK = 256
"""Number of weight sets per group among which a factor chooses."""


def sobol_indices(
    model: Callable[[Array], Array], names: Sequence[str], base: int, *, seed: int = 0
) -> pd.DataFrame:
    r"""Split the variance of a model's output among its factors.

    .. math:: S_i = \frac{V(E(y | x_i))}{V(y)}, \qquad
              S_{Ti} = 1 - \frac{V(E(y | x_{\sim i}))}{V(y)}

    Parameters
    ----------
    model
        Takes points of shape (n, factors) in 0..1, gives outputs of shape (n,).
    names
        The factors.
    base
        Size of the base sample, rounded up to a power of 2; the model is asked
        base x (factors + 2) times.
    seed
        Seed of the scrambled sequence and of the bootstrap.

    Returns
    -------
    DataFrame
        By factor: ``first, total`` and their 95 % half widths ``first_conf, total_conf``; all 0
        when the output never changes.

    References
    ----------
    Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018; SALib, doi:10.21105/joss.00097.
    """
    from SALib.analyze import sobol as analyse
    from SALib.sample import sobol as sample

    size = 1 << max(int(np.ceil(np.log2(max(base, 8)))), 3)
    # SALib takes a seed of 0 for no seed at all.
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    points = sample.sample(problem, size, calc_second_order=False, seed=seed + 1)
    output = np.asarray(model(points), dtype=float)
    columns = ("S1", "ST", "S1_conf", "ST_conf")
    if np.ptp(output) == 0:
        found: dict[str, Any] = dict.fromkeys(columns, np.zeros(len(names)))
    else:
        found = analyse.analyze(problem, output, calc_second_order=False, seed=seed + 1)
    table = {new: np.asarray(found[old]) for new, old in
             zip(("first", "total", "first_conf", "total_conf"), columns, strict=True)}  # fmt: skip
    return pd.DataFrame(table, index=pd.Index(list(names), name="factor"))


def rank_change_model(
    names: Sequence[str],
    variants: Mapping[tuple[int, ...], Variant],
    groups: Sequence[str],
    bank: Mapping[str, Single],
    nominal: Array,
) -> Callable[[Array], Array]:
    """Make the model that Sobol asks: choices and weights in, mean absolute rank change out.

    Parameters
    ----------
    names
        The choices of method.
    variants
        The index under every combination of choices.
    groups
        Groups whose weights are drawn.
    bank
        Code to a bank of drawn shares, shape (BANK,).
    nominal
        Ranks of the index as it is, shape (rows,).

    Returns
    -------
    callable
        Points of shape (n, choices + groups) to outputs of shape (n,).
    """

    def model(points: Array) -> Array:
        choices = (points[:, : len(names)] >= 0.5).astype(int)
        places = np.minimum((points[:, len(names) :] * BANK).astype(int), BANK - 1)
        output = np.empty(len(points))
        for choice, variant in variants.items():
            at = np.flatnonzero((choices == np.array(choice, dtype=int)).all(axis=1))
            for part in np.array_split(at, max(1, len(at) * len(nominal) // 4_000_000 + 1)):
                if not len(part):
                    continue
                weights = {
                    child: bank[child][places[part, place]]
                    for place, group in enumerate(groups)
                    for child in variant.tree.children[group]
                }
                weights |= {
                    child: np.full(len(part), bank[child][0], dtype=np.float32)
                    for group in variant.tree.groups
                    if group not in groups
                    for child in variant.tree.children[group]
                }
                ranks = rank_draws(evaluate(variant.tree, variant.specs, variant.columns, weights))
                output[part] = np.nanmean(np.abs(ranks - nominal[:, None]), axis=0)
        return output

    return model


SHARE: Final = 0.25
"""Weights move by up to this share of themselves, as is usual in audits of indices."""
BORDERLINE: Final = 0.8
"""A unit whose likeliest class has less than this probability is borderline."""


def uncertainty(
    index: Index,
    values: pd.DataFrame,
    meta: pd.DataFrame,
    *,
    draws: int,
    seed: int = 0,
    share: float | None = SHARE,
    concentration: float | None = None,
    noise: float = 0.0,
    methods: bool = True,
    found: Found | None = None,
) -> pd.DataFrame:
    """Draw weights and methods, and say how firmly each unit stands.

    Parameters
    ----------
    index
        The index as it is.
    values
        The table that it was computed from.
    meta
        Its indicator table.
    draws
        Number of draws.
    seed
        Seed of the draws.
    share
        Weights move evenly within this share of themselves.
    concentration
        Of a Dirichlet distribution of the weights, instead of ``share``.
    noise
        Standard deviation of the noise added to every normalised value, as a share of that
        indicator's own standard deviation.
    methods
        Also draw among alternative methods (normalisation, treatment, imputation, aggregation).
    found
        What `scenarios.variants` returned, if it was called already.

    Returns
    -------
    DataFrame
        By unit: ``score, mean, sd, q05, q50, q95, rank, rank_q05, rank_q50, rank_q95, class,
        p_class_1.., likeliest, borderline``.
    """
    names, made = found if found is not None else variants(index, values, meta, methods=methods)
    first = next(iter(made.values()))
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, 2, (draws, len(names)))
    weights = _nominal(index, first.tree)
    drawn = draw_weights(
        first.tree, weights, draws, seed=seed, share=share, concentration=concentration
    )
    seeds = generator.integers(0, 2**32, draws) if noise else None
    runs = [
        (variant, np.flatnonzero((picks == np.array(choice, dtype=int)).all(axis=1)))
        for choice, variant in made.items()
    ]
    return _table(index, first.tree, runs, drawn, (noise, seeds), draws)


def _nominal(index: Index, tree: Tree) -> dict[str, float]:
    """Return the weights of the index as it is."""
    return {code: float(index.meta["weight"].loc[code]) for code in tree.parent}


def _scores(
    variant: Variant, drawn: dict[str, Single], rows: slice, noise: tuple[float, Any]
) -> Single:
    """Score some rows of one variant in its draws, with noise when asked."""
    columns = {code: x[rows] for code, x in variant.columns.items()}
    size, seeds = noise
    if not size:
        return evaluate(variant.tree, variant.specs, columns, drawn)
    result = np.empty((len(next(iter(columns.values()))), len(seeds)), dtype=np.float32)
    for place, seed in enumerate(seeds):
        generator = np.random.default_rng([int(seed), rows.start])
        shaken = {}
        for code, x in columns.items():
            every = variant.columns[code]
            moved = x + generator.normal(0.0, size * float(np.nanstd(every)), len(x))
            shaken[code] = np.clip(moved, np.nanmin(every), np.nanmax(every))
        one = {code: w[place : place + 1] for code, w in drawn.items()}
        result[:, place] = evaluate(variant.tree, variant.specs, shaken, one)[:, 0]
    return result


def _table(
    index: Index,
    tree: Tree,
    runs: list[tuple[Variant, Any]],
    drawn: dict[str, Single],
    noise: tuple[float, Any],
    draws: int,
) -> pd.DataFrame:
    """Walk over the rows in chunks and summarise them."""
    n = len(index.scores)
    step = max(1, CHUNK_CELLS // draws)
    ranked = n * draws <= RANK_CELLS
    kept = np.empty((n, draws), dtype=np.float32) if ranked else None
    k = max(len(variant.limits) for variant, _ in runs)
    parts = []
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        block = np.empty((rows.stop - start, draws), dtype=np.float32)
        chances = np.zeros((rows.stop - start, k))
        for variant, at in runs:
            if not len(at):
                continue
            mine = {code: w[at] for code, w in drawn.items()}
            seeds = None if noise[1] is None else noise[1][at]
            drawn_scores = _scores(variant, mine, rows, (noise[0], seeds))
            block[:, at] = drawn_scores
            share = summarise(drawn_scores, variant.limits).classes * len(at) / draws
            chances[:, : share.shape[1]] += share
        if kept is not None:
            kept[rows] = block
        parts.append((summarise(block), chances))
    table = pd.DataFrame({"score": index.scores[tree.root]})
    table["mean"] = np.concatenate([s.mean for s, _ in parts])
    table["sd"] = np.concatenate([s.sd for s, _ in parts])
    table[["q05", "q50", "q95"]] = np.concatenate([s.quantiles for s, _ in parts])
    table["rank"] = index.ranks[tree.root]
    if kept is not None:
        table[["rank_q05", "rank_q50", "rank_q95"]] = summarise(rank_draws(kept)).quantiles
    if k:
        _add_classes(table, index, np.concatenate([c for _, c in parts]))
    return table


def _add_classes(table: pd.DataFrame, index: Index, chances: Array) -> None:
    """Add the probability of each class, the likeliest one and the borderline flag."""
    known = ~np.isnan(chances).any(axis=1)
    table["class"] = index.classes
    for place in range(chances.shape[1]):
        table[f"p_class_{place + 1}"] = chances[:, place]
    likeliest = np.where(known, np.argmax(np.nan_to_num(chances), axis=1) + 1, 0)
    table["likeliest"] = likeliest.astype(np.int8)
    top = np.where(known, np.max(np.nan_to_num(chances), axis=1), np.nan)
    table["borderline"] = known & (top < BORDERLINE)


def sensitivity(
    index: Index,
    values: pd.DataFrame,
    meta: pd.DataFrame,
    *,
    base: int = 64,
    seed: int = 0,
    share: float = SHARE,
    found: Found | None = None,
) -> pd.DataFrame:
    """Say which choice of method and which group's weights move the ranks most.

    Parameters
    ----------
    index
        The index as it is.
    values
        The table that it was computed from.
    meta
        Its indicator table.
    base
        Size of the base sample.
    seed
        Seed.
    share
        Weights move evenly within this share of themselves.
    found
        What `scenarios.variants` returned, if it was called already.

    Returns
    -------
    DataFrame
        By factor: first and total Sobol index of the mean absolute rank change.
    """
    names, made = found if found is not None else variants(index, values, meta)
    first = next(iter(made.values()))
    groups = [g for g in first.tree.groups if len(first.tree.children[g]) > 1]
    bank = draw_weights(first.tree, _nominal(index, first.tree), BANK, seed=seed, share=share)
    nominal = index.ranks[first.tree.root].to_numpy(dtype=float, na_value=np.nan)
    factors = [*names, *(f"weights:{g}" for g in groups)]
    model = rank_change_model(names, made, groups, bank, nominal)
    return sobol_indices(model, factors, base, seed=seed)


def unit_stability(
    params: Params, values: pd.DataFrame, meta: pd.DataFrame, *, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Say how firmly the units of a run stand, under the run's own frozen parameters.

    Parameters
    ----------
    params
        Frozen parameters of the run, fitted on these rows (the finest level of units).
    values
        Indicators of those rows.
    meta
        The indicator table.
    draws
        Number of draws.
    seed
        Seed.

    Returns
    -------
    DataFrame
        As `uncertainty`: for each unit the probability of each class, and ``borderline``.
    """
    index = apply(params, values, meta)
    return uncertainty(index, values, meta, draws=draws, seed=seed)


def stress(
    index: Index, values: pd.DataFrame, meta: pd.DataFrame, *, draws: int, seed: int = 0
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Run the whole stress test of ``riskmap index --draws``.

    Parameters
    ----------
    index
        The index as it is.
    values
        The table that it was computed from.
    meta
        Its indicator table.
    draws
        Number of draws.
    seed
        Seed.

    Returns
    -------
    tuple
        Tables by file name (``uncertainty.csv``, ``sobol.csv`` where small enough), and a report.
    """
    found = variants(index, values, meta)
    table = uncertainty(index, values, meta, draws=draws, seed=seed, found=found)
    name = str(index.scores.index.name or "unit")
    tables = {"uncertainty.csv": table.rename_axis(index=name)}
    report: dict[str, Any] = {"draws": draws, "seed": seed, "weight_share": SHARE}
    if len(table) * draws <= RANK_CELLS:
        base = max(draws // 8, 16)
        sobol = sensitivity(index, values, meta, base=base, seed=seed, found=found)
        tables["sobol.csv"] = sobol
        report["sobol"] = tables["sobol.csv"].to_dict(orient="index")
    if "borderline" in table:
        report["borderline"] = [str(unit) for unit in table.index[table["borderline"]]]
    return tables, report

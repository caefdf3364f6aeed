"""The stress test of an index: draws over weights and methods, and what they say."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.index import charts
from riskmap.index.outcome import Index
from riskmap.index.scenarios import Found, Variant, variants
from riskmap.index.sensitivity import BANK, rank_change_model, sobol_indices
from riskmap.index.stability import RANK_CELLS, draw_weights, evaluate, rank_draws
from riskmap.index.steps import apply
from riskmap.index.summary import CHUNK_CELLS, Single, summarise
from riskmap.index.table import Array, Params
from riskmap.index.tree import Tree

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
) -> tuple[dict[str, pd.DataFrame], dict[str, str], dict[str, Any]]:
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
        Tables by file name, pictures (SVG) by file name, and a report.
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
    return tables, charts.all_charts(index, table, tables.get("sobol.csv")), report

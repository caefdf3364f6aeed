"""Which choice moves the ranks: Sobol indices of the mean absolute rank change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskmap.index.scenarios import Variant
from riskmap.index.stability import evaluate, rank_draws
from riskmap.index.summary import Single
from riskmap.index.table import Array

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

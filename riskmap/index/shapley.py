"""Shapley values: a fair split of a score whose parts work together."""

from __future__ import annotations

from math import factorial

import numpy as np

from riskmap.index.aggregate import combine
from riskmap.index.table import Array, Params

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

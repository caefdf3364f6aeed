"""Where a score comes from: parts that sum to it."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from riskmap.index.aggregate import combine

if TYPE_CHECKING:
    from collections.abc import Mapping

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

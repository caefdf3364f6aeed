"""Where a score comes from: parts that sum to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskmap.index.shapley import shapley
from riskmap.index.table import Array, Data, Params
from riskmap.index.tree import Tree

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

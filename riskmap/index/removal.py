"""What happens to the ranks when one element is taken out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.index.aggregate import combine
from riskmap.index.steps import Index, rank_scores
from riskmap.index.tree import Array, Params, Tree, build_tree, error, failure


def groups_of(index: Index) -> Params:
    """Return the fitted aggregation of an index.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    dict
        Group to its method, weights and options.

    Raises
    ------
    IndicatorError
        The index was never aggregated.
    """
    for step in index.params["steps"]:
        if step["step"] == "aggregate":
            found: Params = step["fitted"]["groups"]
            return found
    message = text("the steps do not aggregate")
    raise failure([error("order", message, text("add a step: aggregate"))])


def columns_of(index: Index) -> dict[str, Array]:
    """Return the normalised indicators and the groups' scores by code.

    Parameters
    ----------
    index
        A computed index.

    Returns
    -------
    dict
        Code to values, shape (rows,).
    """
    frames = (index.stages["normalised"], index.scores)
    return {str(c): f[c].to_numpy(dtype=float) for f in frames for c in f.columns}


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

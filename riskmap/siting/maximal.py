"""Maximal covering: MCLP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from riskmap.siting.cover import assign_nearest, check_p, coverage, limits, solution_of
from riskmap.siting.greedy import greedy_sites
from riskmap.siting.problem import Instance, Solution, within
from riskmap.siting.solver import minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats


def mclp(
    instance: Instance,
    *,
    radius: float,
    p: int | None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Cover as much weight as possible with ``p`` sites.

    .. math:: \max \sum_i w_i z_i \quad \text{s.t.} \quad z_i \le \sum_{j: c_{ij} \le R} y_j,
              \; \sum_j y_j = p

    Parameters
    ----------
    instance
        Demands, facilities and costs.
    radius
        Service radius in the unit of cost, inclusive.
    p
        Number of open sites, existing ones included.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        ``objective`` is the covered weight.

    References
    ----------
    Church & ReVelle 1974, The maximal covering location problem, doi:10.1007/BF01942293.
    """
    p = check_p(instance, p)
    near = within(instance, radius)
    m = near.n_facilities
    model = covering_model(near, p)
    first = greedy_sites(near, p)
    start = np.zeros(model["cost"].size)
    start[first] = 1
    start[m:] = (model["matrix"][:-1, :m] @ start[:m]) > 0
    answer = minimise(**model, time_limit=time_limit, gap=gap, max_nodes=max_nodes, start=start)
    opened = first if answer.x is None else np.flatnonzero(answer.x[:m] > 0.5)
    _, _, amount, _ = assign_nearest(near, opened)
    value = float(amount.sum())
    bound = min(-answer.bound, float(-model["cost"].sum()))
    optimal = answer.optimal and abs(bound - value) <= max(gap, 1e-9) * max(abs(value), 1)
    return solution_of(near, opened, model="mclp", objective=value, bound=bound, optimal=optimal)


def covering_model(near: Instance, p: int) -> dict[str, Any]:
    """Make the sparse model: columns are facilities, then groups of demands.

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Number of open sites.

    Returns
    -------
    dict
        Arguments of `riskmap.siting.solver.loaded`.
    """
    m = near.n_facilities
    lower, upper = limits(near)
    covers, weight = _grouped(coverage(near), near.weight)
    groups = weight.size
    return {
        "cost": np.r_[np.zeros(m), -weight],
        "matrix": stack(
            [[covers, -sparse.identity(groups)], [sparse.csr_matrix(np.ones((1, m))), None]]
        ),
        "row_lower": np.r_[np.zeros(groups), float(p)],
        "row_upper": np.r_[np.full(groups, np.inf), float(p)],
        "lower": np.r_[lower, np.zeros(groups)],
        "upper": np.r_[upper, np.ones(groups)],
        "integer": np.r_[np.ones(m, bool), np.zeros(groups, bool)],
    }


def _grouped(covers: Any, weight: Floats) -> tuple[Any, Floats]:
    """Join demands that the same facilities cover; drop those that none covers."""
    covers.sort_indices()
    counts = np.diff(covers.indptr)
    rng = np.random.default_rng(0)
    marks = rng.integers(1, 2**62, covers.shape[1]).astype(np.uint64)
    key = np.zeros(covers.shape[0], np.uint64)
    filled = np.flatnonzero(counts > 0)
    if filled.size:
        key[filled] = np.bitwise_xor.reduceat(marks[covers.indices], covers.indptr[filled])
    used = filled[weight[filled] > 0]
    _, first, group = np.unique(key[used], return_index=True, return_inverse=True)
    total = np.bincount(group, weights=weight[used], minlength=first.size)
    return covers[used[first]], np.asarray(total, np.float64)

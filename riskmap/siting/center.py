"""p-center by bisection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from riskmap.siting.cover import (
    check_p,
    coverage,
    greedy_cover,
    infeasible_cover,
    infeasible_sites,
    limits,
    out_of_time,
    solution_of,
)
from riskmap.siting.problem import EXISTING, Instance, Solution, filled, nearest_open, within
from riskmap.siting.solver import minimise, stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Ints

MOST_COMPARED = 2000
"""Demands or facilities up to which covers are compared with each other."""


def p_center(
    instance: Instance,
    *,
    p: int | None,
    radius: float | None = None,
    time_limit: float | None = None,
) -> Solution:
    r"""Open ``p`` sites so that the largest cost to the nearest is least.

    .. math:: \min_{|S| = p} \; \max_i \; \min_{j \in S} c_{ij}

    Bisection over the distinct costs, first with greedy covers; each step asks whether ``p`` sites
    cover all within a cost.

    Parameters
    ----------
    instance
        Demands, facilities and costs; weights do not count.
    p
        Number of open sites, existing ones included.
    radius
        Largest cost allowed, inclusive.
    time_limit
        Seconds; None for no limit.

    Returns
    -------
    Solution
        ``objective`` is the largest cost.

    References
    ----------
    Minieka 1970, The m-center problem, doi:10.1137/1012016.
    """
    p = check_p(instance, p)
    near = within(instance, radius)
    unmet = infeasible_cover(instance, near, model="p-center", radius=radius)
    if unmet is not None:
        return unmet
    deadline = time.perf_counter() + (np.inf if time_limit is None else time_limit)
    levels = np.unique(near.cost)
    nearest = np.full(near.n_demands, np.inf)
    np.minimum.at(nearest, near.demand_of, near.cost)
    low = int(np.searchsorted(levels, nearest.max(initial=levels[0])))
    best, high = _greedy_center(near, p, levels, low)
    while low < high or (low == high and best is None):
        middle = (low + high) // 2
        sure, opened = _covers(near, p, float(levels[middle]), deadline=deadline)
        if opened is not None:
            _, cost = nearest_open(near, opened)
            best, high = opened, int(np.searchsorted(levels, cost.max()))
        elif sure:
            low = middle + 1
        else:
            break
    if best is None:
        if low > levels.size - 1:
            return infeasible_sites(near, model="p-center", p=p)
        return out_of_time("p-center", bound=float(levels[low]))
    _, cost = nearest_open(near, best)
    value = float(cost.max())
    bound = min(float(levels[low]), value)
    return solution_of(
        near, best, model="p-center", objective=value, bound=bound, optimal=bound >= value
    )


def _greedy_center(near: Instance, p: int, levels: Floats, low: int) -> tuple[Ints | None, int]:
    """Bisect with greedy covers: sites and their level; no sites and the last level when none."""
    best, high = None, levels.size - 1
    top = high
    while low <= top:
        middle = (low + top) // 2
        opened = greedy_cover(within(near, float(levels[middle])), p)
        if opened is None:
            low = middle + 1
        else:
            best, high, top = filled(near, opened, p), middle, middle - 1
    if best is not None:
        _, cost = nearest_open(near, best)
        high = int(np.searchsorted(levels, cost.max()))
    return best, high


def _covers(near: Instance, p: int, limit: float, *, deadline: float) -> tuple[bool, Ints | None]:
    """Ask for ``p`` sites that cover all within a limit: (answer is certain, sites or None)."""
    cut = within(near, limit)
    m = cut.n_facilities
    lower, upper = limits(cut)
    rows, kept = _needed(coverage(cut), cut)
    answer = minimise(
        np.ones(m),
        stack([[rows], [sparse.csr_matrix(np.ones((1, m)))]]),
        np.r_[np.ones(rows.shape[0]), 0.0],
        np.r_[np.full(rows.shape[0], np.inf), float(p)],
        lower=lower,
        upper=np.where(kept, upper, lower),
        integer=np.ones(m, bool),
        time_limit=None if np.isinf(deadline) else deadline - time.perf_counter(),
        target=p + 0.5,
    )
    if answer.x is not None and (answer.x > 0.5).sum() <= p:
        return True, filled(cut, np.flatnonzero(answer.x > 0.5), p)
    return answer.optimal or answer.infeasible or answer.bound > p + 1e-6, None


def _needed(covers: Any, cut: Instance) -> tuple[Any, NDArray[np.bool_]]:
    """Drop demands that a stricter one implies, and facilities that cover less than another."""
    kept = np.ones(cut.n_facilities, bool)
    if max(covers.shape) > MOST_COMPARED:
        return covers, kept
    for _ in range(2):
        rows = covers[:, kept]
        implied = _redundant(rows, small=False)
        covers = covers[~implied]
        places = np.flatnonzero(kept & (cut.status != EXISTING))
        kept[places[_redundant(covers[:, places].T, small=True)]] = False
    return covers, kept


def _redundant(sets: Any, *, small: bool) -> NDArray[np.bool_]:
    """Mark the sets that lie in another one (or hold one); of equal ones all but the first."""
    count = np.diff(sets.tocsr().indptr)
    common = (sets @ sets.T).toarray()
    nested = common == (count[:, None] if small else count[None, :])
    same = nested & nested.T
    order = np.arange(count.size)
    nested &= ~same | (order[None, :] < order[:, None])
    np.fill_diagonal(nested, False)  # noqa: FBT003
    return np.asarray(nested.any(axis=1))

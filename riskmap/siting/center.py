"""p-center by bisection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.cover import check_p, coverage, limits, solution_of
from riskmap.siting.problem import Instance, Solution, filled, nearest_open, within
from riskmap.siting.proof import infeasible_cover, infeasible_sites, out_of_time
from riskmap.siting.solver import minimise

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints


def p_center(
    instance: Instance,
    *,
    p: int | None,
    radius: float | None = None,
    time_limit: float | None = None,
) -> Solution:
    r"""Open ``p`` sites so that the largest cost to the nearest is least.

    .. math:: \min_{|S| = p} \; \max_i \; \min_{j \in S} c_{ij}

    Bisection over the distinct costs; each step asks whether ``p`` sites cover all within it.

    Parameters
    ----------
    instance
        Demands, facilities and costs; weights do not count.
    p
        Number of open sites, existing ones included.
    radius
        Largest cost allowed, inclusive.
    time_limit
        Seconds for each step; None for no limit.

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
    levels = np.unique(near.cost)
    nearest = np.full(near.n_demands, np.inf)
    np.minimum.at(nearest, near.demand_of, near.cost)
    low = int(np.searchsorted(levels, nearest.max(initial=levels[0])))
    high, best = levels.size - 1, None
    sure = True
    while low <= high:
        middle = (low + high) // 2
        verdict, opened = _covers(near, p, float(levels[middle]), time_limit=time_limit)
        if opened is not None:
            best = opened
            _, cost = nearest_open(near, opened)
            high = int(np.searchsorted(levels, cost.max())) - 1
        else:
            sure = sure and verdict
            low = middle + 1
    if best is None:
        if sure:
            return infeasible_sites(near, model="p-center", p=p)
        return out_of_time("p-center")
    _, cost = nearest_open(near, best)
    value = float(cost.max())
    bound = value if sure else float(levels[0])
    return solution_of(near, best, model="p-center", objective=value, bound=bound, optimal=sure)


def _covers(
    near: Instance, p: int, limit: float, *, time_limit: float | None
) -> tuple[bool, Ints | None]:
    """Ask for ``p`` sites that cover all within a limit: (answer is certain, sites or None)."""
    cut = within(near, limit)
    n, m = cut.n_demands, cut.n_facilities
    lower, upper = limits(cut)
    answer = minimise(
        np.ones(m),
        coverage(cut),
        np.ones(n),
        np.full(n, np.inf),
        lower=lower,
        upper=upper,
        integer=np.ones(m, bool),
        time_limit=time_limit,
    )
    if answer.x is not None and (answer.x > 0.5).sum() <= p:
        return True, filled(cut, np.flatnonzero(answer.x > 0.5), p)
    return answer.optimal or answer.infeasible or answer.bound > p + 1e-6, None

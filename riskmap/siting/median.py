"""p-median."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from riskmap.siting.cover import check_p, solution_of
from riskmap.siting.lagrange import Relaxed, relax, total_cost
from riskmap.siting.problem import EXCLUDED, EXISTING, Instance, Solution, within
from riskmap.siting.proof import infeasible_cover, infeasible_sites, out_of_time
from riskmap.siting.solver import minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints

MOST_PAIRS = 400_000
"""Pairs of the reduced model up to which it is handed to HiGHS for a proof."""


def p_median(
    instance: Instance,
    *,
    p: int | None,
    radius: float | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Open ``p`` sites so that the summed weighted cost to the nearest is least.

    .. math:: \min \sum_{ij} w_i c_{ij} x_{ij} \quad \text{s.t.} \quad \sum_j x_{ij} = 1,
              \; x_{ij} \le y_j, \; \sum_j y_j = p

    A Lagrangian bound with greedy and interchange comes first; what its reduced costs cannot
    decide is handed to HiGHS.

    Parameters
    ----------
    instance
        Demands, facilities and costs.
    p
        Number of open sites, existing ones included.
    radius
        Largest cost of an assignment, inclusive; a hard limit.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        ``objective`` is the summed weighted cost.

    References
    ----------
    Hakimi 1964, doi:10.1287/opre.12.3.450; ReVelle & Swain 1970,
    doi:10.1111/j.1538-4632.1970.tb00142.x.
    """
    p = check_p(instance, p)
    near = within(instance, radius)
    unmet = infeasible_cover(instance, near, model="p-median", radius=radius)
    if unmet is not None:
        return unmet
    loose = relax(near, p, tolerance=gap)
    value, bound, opened = loose.value, loose.bound, loose.open
    if not _closed(value, bound, gap):
        value, bound, opened, impossible = _finish(
            near, p, loose, time_limit=time_limit, gap=gap, max_nodes=max_nodes
        )
        if impossible:
            return infeasible_sites(near, model="p-median", p=p)
        if not np.isfinite(value):
            return out_of_time("p-median")
    return solution_of(
        near,
        opened,
        model="p-median",
        objective=value,
        bound=min(bound, value),
        optimal=_closed(value, bound, 1e-9),
    )


def _closed(value: float, bound: float, gap: float) -> bool:
    return bool(np.isfinite(value)) and value - bound <= max(gap, 1e-9) * max(abs(value), 1e-9)


def _finish(
    near: Instance,
    p: int,
    loose: Relaxed,
    *,
    time_limit: float | None,
    gap: float,
    max_nodes: int | None,
) -> tuple[float, float, Ints, bool]:
    """Prove or better the relaxed answer on the facilities and pairs still in question."""
    pair_cost = near.weight[near.demand_of] * near.cost
    closed, forced = _decided(near, p, loose)
    over = np.maximum(pair_cost - loose.multipliers[near.demand_of], 0.0)
    usable = ~closed[near.facility_of]
    if np.isfinite(loose.value):
        slack = loose.value - _raw_bound(near, p, loose)
        usable &= over <= slack * (1 + 1e-9) + 1e-9
    if usable.sum() > MOST_PAIRS:
        return loose.value, loose.bound, loose.open, False
    rows, cols, cost = near.demand_of[usable], near.facility_of[usable], pair_cost[usable]
    n, m, k = near.n_demands, near.n_facilities, int(usable.sum())
    pairs = np.arange(k)
    serve = sparse.csr_matrix((np.ones(k), (rows, pairs)), shape=(n, k))
    link = sparse.csr_matrix((np.ones(k), (pairs, cols)), shape=(k, m))
    matrix = stack(
        [
            [None, serve],
            [link, -sparse.identity(k)],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    lower = np.r_[((near.status == EXISTING) | forced).astype(float), np.zeros(k)]
    upper = np.r_[((near.status != EXCLUDED) & ~closed).astype(float), np.ones(k)]
    answer = minimise(
        np.r_[np.zeros(m), cost],
        matrix,
        np.r_[np.ones(n), np.zeros(k), float(p)],
        np.r_[np.ones(n), np.full(k, np.inf), float(p)],
        lower=lower,
        upper=upper,
        integer=np.r_[np.ones(m, bool), np.zeros(k, bool)],
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
    )
    if answer.infeasible and not np.isfinite(loose.value):
        return np.inf, np.inf, loose.open, True
    value, opened = loose.value, loose.open
    if answer.x is not None:
        found = np.flatnonzero(answer.x[:m] > 0.5)
        cost_found = total_cost(near, found)
        if cost_found < value:
            value, opened = cost_found, found
    proven = answer.bound if not answer.infeasible else value
    # Whatever was decided away costs more than the best sites known.
    return value, max(loose.bound, min(proven, value)), opened, False


def _decided(near: Instance, p: int, loose: Relaxed) -> tuple[Ints, Ints]:
    """Facilities that reduced costs prove closed, and open, in every better answer."""
    free = near.status != EXCLUDED
    nothing = np.zeros(near.n_facilities, bool)
    if not np.isfinite(loose.value):
        return ~free, nothing
    raw = _raw_bound(near, p, loose)
    key = np.where(free, loose.reduced, np.inf)
    key[near.status == EXISTING] = -np.inf
    order = np.argsort(key, kind="stable")
    last_in = loose.reduced[order[p - 1]]
    first_out = loose.reduced[order[p]] if p < order.size and free[order[p]] else np.inf
    inside = np.zeros(near.n_facilities, bool)
    inside[order[:p]] = True
    room = loose.value - raw + 1e-9 * abs(loose.value)
    closed = ~free | (~inside & (loose.reduced - last_in > room))
    forced = inside & (first_out - loose.reduced > room) & free
    return closed, forced


def _raw_bound(near: Instance, p: int, loose: Relaxed) -> float:
    """Lagrangian value at the stored multipliers, before rounding up."""
    key = np.where(near.status != EXCLUDED, loose.reduced, np.inf)
    key[near.status == EXISTING] = -np.inf
    chosen = np.argsort(key, kind="stable")[:p]
    return float(loose.multipliers.sum() + loose.reduced[chosen].sum())

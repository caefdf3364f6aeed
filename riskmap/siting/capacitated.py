"""Capacitated p-median and capacitated maximal covering."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.allocation import allocate_split
from riskmap.siting.capacity_model import choose_and_assign
from riskmap.siting.cover import (
    check_p,
    greedy_sites,
    infeasible_capacity,
    infeasible_cover,
    out_of_time,
)
from riskmap.siting.exact.knapsack import Packed, fits, pack
from riskmap.siting.problem import Instance, Solution, among, within
from riskmap.siting.solver import Answer

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats


def _solution(near: Instance, model: str, share: Floats, answer: Answer, value: float) -> Solution:
    m = near.n_facilities
    assert answer.x is not None  # noqa: S101  the callers made sure
    used = np.flatnonzero(share > 1e-9)
    got = np.bincount(near.demand_of[used], weights=share[used], minlength=near.n_demands)
    bound = answer.bound if model == "c-p-median" else -answer.bound
    return Solution(
        model=model,
        status="optimal"
        if answer.optimal and abs(bound - value) <= 1e-6 * max(abs(value), 1)
        else "feasible",
        objective=value,
        bound=bound,
        open=np.flatnonzero(answer.x[:m] > 0.5),
        demand_of=near.demand_of[used],
        facility_of=near.facility_of[used],
        amount=share[used] * near.size[near.demand_of[used]],
        uncovered=np.flatnonzero(got < 1 - 1e-6),
    )


def c_p_median(
    instance: Instance,
    *,
    p: int | None,
    radius: float | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Open ``p`` sites and send each demand whole to one of them within its capacity.

    .. math:: \min \sum_{ij} w_i c_{ij} x_{ij} \quad \text{s.t.} \quad \sum_j x_{ij} = 1,
              \; \sum_i s_i x_{ij} \le q_j y_j, \; \sum_j y_j = p

    Parameters
    ----------
    instance
        Demands with sizes, facilities with capacities, costs.
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
        Amounts are sizes.

    References
    ----------
    Osman & Christofides 1994, doi:10.1111/1475-3995.d01-43.
    """
    p = check_p(instance, p)
    near = within(instance, radius)
    unmet = infeasible_cover(instance, near, model="c-p-median", radius=radius)
    if unmet is not None:
        return unmet
    deadline = time.perf_counter() + (np.inf if time_limit is None else time_limit)
    if fits(near):
        packed = pack(near, p, gap=gap, deadline=deadline, max_nodes=max_nodes)
        if packed is not None:
            return _packed_solution(near, packed)
    cost = near.weight[near.demand_of] * near.cost
    answer = choose_and_assign(
        near,
        p,
        cost,
        serve_all=True,
        whole=True,
        time_limit=None if time_limit is None else deadline - time.perf_counter(),
        gap=gap,
        max_nodes=max_nodes,
    )
    if answer.infeasible:
        return infeasible_capacity(near, model="c-p-median", p=p)
    if answer.x is None:
        return out_of_time("c-p-median")
    share = (answer.x[near.n_facilities :] > 0.5).astype(np.float64)
    value = float((cost * share).sum())
    return _solution(near, "c-p-median", share, answer, value)


def _packed_solution(near: Instance, packed: Packed) -> Solution:
    """Show the answer of the relaxation, which its bound proves."""
    share = (packed.facility[near.demand_of] == near.facility_of).astype(np.float64)
    answer = Answer(
        x=np.isin(np.arange(near.n_facilities), packed.open).astype(np.float64),
        objective=packed.value,
        bound=packed.bound,
        optimal=True,
        infeasible=False,
    )
    return _solution(near, "c-p-median", share, answer, packed.value)


def c_mclp(
    instance: Instance,
    *,
    p: int | None,
    radius: float,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Serve as much weight as possible with ``p`` sites within radius and capacities.

    .. math:: \max \sum_{ij} w_i x_{ij} \quad \text{s.t.} \quad \sum_j x_{ij} \le 1,
              \; \sum_i s_i x_{ij} \le q_j y_j, \; \sum_j y_j = p, \; 0 \le x \le y

    A demand may be served in part, and by several sites.

    Parameters
    ----------
    instance
        Demands with sizes, facilities with capacities, costs.
    p
        Number of open sites, existing ones included.
    radius
        Service radius in the unit of cost, inclusive.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        ``objective`` is the served weight; amounts are sizes.

    References
    ----------
    Current & Storbeck 1988, Capacitated covering models, doi:10.1068/b150153.
    """
    p = check_p(instance, p)
    near = within(instance, radius)
    weight = near.weight[near.demand_of]
    start = _first(near, p)
    answer = choose_and_assign(
        near,
        p,
        -weight,
        serve_all=False,
        whole=False,
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
        start=start,
    )
    most = float(near.weight[np.unique(near.demand_of)].sum())
    x = start if answer.x is None else answer.x
    answer = replace(answer, x=x, bound=max(answer.bound, -most))
    share = np.clip(x[near.n_facilities :], 0.0, 1.0)
    return _solution(near, "c-mclp", share, answer, float((weight * share).sum()))


def _first(near: Instance, p: int) -> Floats:
    """Open sites greedily and fill them by the cheapest flow: sites, then shares of the pairs."""
    sites = greedy_sites(near, p)
    opened = np.zeros(near.n_facilities, bool)
    opened[sites] = True
    used = np.flatnonzero(opened[near.facility_of])
    flow = allocate_split(among(near, opened[near.facility_of]))
    share = np.zeros(near.cost.size)
    size = near.size[near.demand_of]
    key = near.demand_of * near.n_facilities + near.facility_of
    order = np.argsort(key)
    wanted = flow.demand_of * near.n_facilities + flow.facility_of
    got = order[np.searchsorted(key, wanted, sorter=order)]
    share[got] = flow.amount / size[got]
    free = used[size[used] == 0]
    share[free[np.unique(near.demand_of[free], return_index=True)[1]]] = 1.0
    return np.asarray(np.r_[opened, share], np.float64)

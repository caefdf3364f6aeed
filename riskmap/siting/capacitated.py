"""Capacitated p-median and capacitated maximal covering."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from riskmap.siting.cover import check_p
from riskmap.siting.knapsack import Packed, fits, pack
from riskmap.siting.problem import EXCLUDED, EXISTING, Instance, Solution, within
from riskmap.siting.proof import infeasible_capacity, infeasible_cover, out_of_time
from riskmap.siting.solver import Answer, minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats


def _model(
    near: Instance,
    p: int,
    pair_cost: Floats,
    *,
    serve_all: bool,
    whole: bool,
    time_limit: float | None,
    gap: float,
    max_nodes: int | None,
    start: Floats | None = None,
) -> Answer:
    """Choose sites and assign pairs under capacities: columns are sites, then pairs."""
    n, m, k = near.n_demands, near.n_facilities, near.cost.size
    pairs = np.arange(k)
    size = near.size[near.demand_of]
    finite = np.isfinite(near.capacity)
    serve = sparse.csr_matrix((np.ones(k), (near.demand_of, pairs)), shape=(n, k))
    link = sparse.csr_matrix((np.ones(k), (pairs, near.facility_of)), shape=(k, m))
    load = sparse.csr_matrix((size, (near.facility_of, pairs)), shape=(m, k))[finite]
    room = sparse.diags(np.where(finite, near.capacity, 0.0)).tocsr()[finite]
    matrix = stack(
        [
            [None, serve],
            [link, -sparse.identity(k)],
            [room, -load],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    n_room = int(finite.sum())
    return minimise(
        np.r_[np.zeros(m), pair_cost],
        matrix,
        np.r_[np.ones(n) if serve_all else np.zeros(n), np.zeros(k + n_room), float(p)],
        np.r_[np.ones(n), np.full(k + n_room, np.inf), float(p)],
        lower=np.r_[(near.status == EXISTING).astype(float), np.zeros(k)],
        upper=np.r_[(near.status != EXCLUDED).astype(float), np.ones(k)],
        integer=np.r_[np.ones(m, bool), np.full(k, whole)],
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
        start=start,
    )


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
    packed = pack(near, p) if fits(near) else None
    start = None
    if packed is not None:
        if packed.value - packed.bound <= max(gap, 1e-9) * max(abs(packed.value), 1e-9):
            return _packed_solution(near, packed)
        near, start = _reduced(near, packed)
    cost = near.weight[near.demand_of] * near.cost
    answer = _model(
        near,
        p,
        cost,
        serve_all=True,
        whole=True,
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
        start=start,
    )
    if answer.infeasible:
        return infeasible_capacity(near, model="c-p-median", p=p)
    if answer.x is None:
        return out_of_time("c-p-median")
    share = (answer.x[near.n_facilities :] > 0.5).astype(np.float64)
    value = float((cost * share).sum())
    if packed is not None:
        # What was left out costs more than the best answer known.
        answer = replace(answer, bound=min(max(answer.bound, packed.bound), value))
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


def _reduced(near: Instance, packed: Packed) -> tuple[Instance, Floats | None]:
    """Keep the pairs still in question, and lay out the best answer known as a start."""
    kept = packed.usable
    part = replace(
        near,
        demand_of=near.demand_of[kept],
        facility_of=near.facility_of[kept],
        cost=near.cost[kept],
    )
    if not np.isfinite(packed.value):
        return part, None
    opened = np.isin(np.arange(near.n_facilities), packed.open)
    used = packed.facility[part.demand_of] == part.facility_of
    return part, np.r_[opened, used].astype(np.float64)


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
    answer = _model(
        near,
        p,
        -weight,
        serve_all=False,
        whole=False,
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
    )
    if answer.x is None:
        return out_of_time("c-mclp")
    share = np.clip(answer.x[near.n_facilities :], 0.0, 1.0)
    return _solution(near, "c-mclp", share, answer, float((weight * share).sum()))

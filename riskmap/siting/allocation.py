"""Who goes where: assignment with capacities, split or whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmap.i18n import text
from riskmap.siting.problem import EXCLUDED, Instance, Solution
from riskmap.siting.proof import no_answer

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints

UNITS_PER_PERSON = 1000
"""Fractions of a person that the flow model keeps when sizes are not whole."""


def allocate_split(instance: Instance) -> Solution:
    r"""Serve the most people, then with the least person-cost; a demand may be split.

    .. math:: \max \sum_{ij} f_{ij}, \text{ then } \min \sum_{ij} c_{ij} f_{ij} \quad \text{s.t.}
              \quad \sum_j f_{ij} \le s_i, \; \sum_i f_{ij} \le q_j

    Minimum-cost maximum flow, exact. Every facility that is not excluded is open.

    Parameters
    ----------
    instance
        Demands with sizes, facilities with capacities, costs.

    Returns
    -------
    Solution
        ``objective`` sums cost times served amount; ``extra`` has ``served`` and ``shortfall``.

    References
    ----------
    Ahuja, Magnanti & Orlin 1993, Network Flows, ch. 9-11.
    """
    from ortools.graph.python import min_cost_flow

    whole = np.all(instance.size == np.round(instance.size)) and np.all(
        (instance.capacity == np.round(instance.capacity)) | np.isinf(instance.capacity)
    )
    unit = 1 if whole else UNITS_PER_PERSON
    supply = np.round(instance.size * unit).astype(np.int64)
    total = int(supply.sum())
    room = np.where(
        np.isfinite(instance.capacity),
        np.floor(np.minimum(instance.capacity, total) * unit + 1e-9),
        total,
    ).astype(np.int64)
    room = np.minimum(room, total)
    price = _whole_costs(instance.cost, total)
    n, m, k = instance.n_demands, instance.n_facilities, instance.cost.size
    source, sink = n + m, n + m + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        np.r_[np.full(n, source), instance.demand_of, n + np.arange(m)].astype(np.int32),
        np.r_[np.arange(n), n + instance.facility_of, np.full(m, sink)].astype(np.int32),
        np.r_[supply, supply[instance.demand_of], room],
        np.r_[np.zeros(n, np.int64), price, np.zeros(m, np.int64)],
    )
    flow.set_nodes_supplies(np.array([source, sink], np.int32), np.array([total, -total]))
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        return no_answer("allocate", reason=str(text("the flow model failed ({s})", s=str(status))))
    amount = flow.flows(np.arange(n, n + k, dtype=np.int32)).astype(np.float64) / unit
    return served_solution(instance, amount, optimal=True, bound=None)


def _whole_costs(cost: Floats, total: int) -> Ints:
    """Costs as whole numbers, as fine as 64-bit flow arithmetic allows."""
    largest = float(cost.max(initial=0.0))
    if np.all(cost == np.round(cost)) and largest * max(total, 1) < 2**60:
        return np.asarray(cost, np.int64)
    scale = min(1e6, 2.0**58 / max(largest * max(total, 1), 1.0))
    return np.round(cost * scale).astype(np.int64)


def served_solution(
    near: Instance, amount: Floats, *, optimal: bool, bound: float | None
) -> Solution:
    """Recount an assignment from its amounts.

    Parameters
    ----------
    near
        The instance.
    amount
        Amount of each pair; (n pairs,).
    optimal
        Whether the assignment is proven best.
    bound
        Proven bound on the objective, when not optimal.

    Returns
    -------
    Solution
        With objective, served and shortfall counted from the amounts alone.
    """
    used = np.flatnonzero(amount > 0)
    objective = float((near.cost[used] * amount[used]).sum())
    got = np.bincount(near.demand_of[used], weights=amount[used], minlength=near.n_demands)
    short = np.maximum(near.size - got, 0.0)
    short[short < 1e-6] = 0.0
    return Solution(
        model="allocate",
        status="optimal" if optimal else "feasible",
        objective=objective,
        bound=objective if optimal else bound,
        open=np.flatnonzero(near.status != EXCLUDED),
        demand_of=near.demand_of[used],
        facility_of=near.facility_of[used],
        amount=amount[used],
        uncovered=np.flatnonzero(short > 0),
        extra={"served": float(got.sum()), "shortfall": short},
    )


def allocate_whole(
    instance: Instance,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Serve the most people, then with the least person-cost; every demand goes to one place.

    .. math:: \max \sum_{ij} s_i x_{ij}, \text{ then } \min \sum_{ij} c_{ij} s_i x_{ij} \quad
              \text{s.t.} \quad \sum_j x_{ij} \le 1, \; \sum_i s_i x_{ij} \le q_j, \; x \in \{0,1\}

    Parameters
    ----------
    instance
        Demands with sizes, facilities with capacities, costs.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        As `allocate_split`, with ``served_bound`` in ``extra``; a demand of size 0 needs no place.
    """
    from riskmap.siting.whole import solve_whole

    return solve_whole(instance, time_limit=time_limit, gap=gap, max_nodes=max_nodes)


def mend(
    instance: Instance, solution: Solution, *, most: int | None = None
) -> list[dict[str, object]]:
    """Find what would remove a shortfall: capacity at which facility, or a new site where.

    People without a place are sent to the nearest facility that they can reach; the places that
    it lacks for them, less those it has free, are to be added there. Demands that reach none need
    a new site.

    Parameters
    ----------
    instance
        The instance, cut to the radius.
    solution
        The assignment with its shortfall, split or whole.
    most
        Longest list; None for all of it.

    Returns
    -------
    list
        ``{"facility", "add_capacity"}`` or ``{"new_site_near", "capacity"}``, largest first.
        Re-solving with all of them in place serves everybody.
    """
    short = np.asarray((solution.extra or {}).get("shortfall", np.zeros(instance.n_demands)))
    lacking = np.flatnonzero(short > 0)
    if lacking.size == 0:
        return []
    first = np.flatnonzero(
        np.r_[True, instance.demand_of[1:] != instance.demand_of[:-1]][: instance.cost.size]
    )
    nearest = np.full(instance.n_demands, -1, np.int64)
    nearest[instance.demand_of[first]] = instance.facility_of[first]
    sent = lacking[nearest[lacking] >= 0]
    m = instance.n_facilities
    load = np.bincount(solution.facility_of, weights=solution.amount, minlength=m)
    need = np.bincount(nearest[sent], weights=short[sent], minlength=m)
    with np.errstate(invalid="ignore"):
        add = np.where(need > 0, np.maximum(need - (instance.capacity - load), 0.0), 0.0)
    add = np.round(add, 6)
    steps: list[dict[str, object]] = [
        {"facility": instance.facilities[j], "add_capacity": float(add[j])}
        for j in np.flatnonzero(add > 0)
    ]
    steps += [
        {"new_site_near": instance.demands[i], "capacity": float(short[i])}
        for i in lacking
        if nearest[i] < 0
    ]
    steps.sort(key=lambda s: -float(str(s.get("add_capacity", s.get("capacity", 0)))))
    return steps[:most]

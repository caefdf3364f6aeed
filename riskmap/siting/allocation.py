"""Who goes where: assignment with capacities, split or whole, aims in order; supply in reach."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from scipy import sparse

from riskmap.i18n import text
from riskmap.siting.cover import no_answer
from riskmap.siting.exact.knapsack import complete, replaced
from riskmap.siting.problem import EXCLUDED, Instance, Solution, among, minimise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from riskmap.siting.problem import Floats, Instance, Ints


UNITS_PER_PERSON = 1000
"""Fractions of a person that the flow model keeps when sizes are not whole."""


def allocate_split(instance: Instance) -> Solution:
    r"""Serve the most people, then with the least person-cost; a demand may be split.

    .. math:: \max \sum_{ij} f_{ij}, \text{ then } \min \sum_{ij} c_{ij} f_{ij} \quad \text{s.t.}
              \quad \sum_j f_{ij} \le s_i, \; \sum_i f_{ij} \le q_j

    Minimum-cost maximum flow, exact. Every facility that is not excluded is open. Where weights are
    not sizes, the most weight is served first: :math:`\max \sum_{ij} (w_i / s_i) f_{ij}`.

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
    if not _even(instance):
        return _weighed(instance)
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


def _even(instance: Instance) -> bool:
    """Tell whether every place is worth the same: weights in step with sizes."""
    some = instance.size > 0
    rate = instance.weight[some] / instance.size[some]
    return bool(rate.size == 0 or np.ptp(rate) <= 1e-12 * np.abs(rate).max())


def _weighed(instance: Instance) -> Solution:
    """Serve the most weight, then with the least cost times amount, by two linear programs.

    The second one keeps to the optimal face of the first: pairs of positive reduced cost stay
    empty, and what has a price is used up, so that its corners are whole where the data are.
    """
    from scipy.optimize import linprog

    n, m, k = instance.n_demands, instance.n_facilities, instance.cost.size
    if k == 0:
        return served_solution(instance, np.zeros(0), optimal=True, bound=None)
    size = instance.size
    rate = np.divide(instance.weight, size, out=np.zeros(n), where=size > 0)[instance.demand_of]
    pair = np.arange(k)
    rows = sparse.vstack([
        sparse.csr_array((np.ones(k), (instance.demand_of, pair)), shape=(n, k)),
        sparse.csr_array((np.ones(k), (instance.facility_of, pair)), shape=(m, k)),
    ])  # fmt: skip
    room = np.r_[size, np.minimum(instance.capacity, size.sum())]
    first = linprog(-rate, A_ub=rows, b_ub=room, bounds=(0, None), method="highs-ds")  # type: ignore[call-overload]
    price = np.asarray(first.ineqlin.marginals)
    near = 1e-9 * max(float(rate.max()), 1.0)
    free = -rate - rows.T @ price <= near
    tight = price < -near
    second = linprog(  # type: ignore[call-overload]
        instance.cost,
        A_ub=rows[~tight],
        b_ub=room[~tight],
        A_eq=rows[tight] if tight.any() else None,
        b_eq=room[tight] if tight.any() else None,
        bounds=np.column_stack([np.zeros(k), np.where(free, np.inf, 0.0)]),
        method="highs-ds",
    )
    amount = np.maximum(np.asarray((second if second.status == 0 else first).x), 0.0)
    close = np.abs(amount - np.round(amount)) < 1e-7
    amount = np.where(close, np.round(amount), amount)
    return served_solution(instance, amount, optimal=second.status == 0, bound=None)


def _weighed_whole(instance: Instance, *, time_limit: float | None, gap: float) -> Solution:
    """Serve the most weight, then with the least cost times size, every demand at one place."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, m, k = instance.n_demands, instance.n_facilities, instance.cost.size
    if k == 0:
        return served_solution(instance, np.zeros(0), optimal=True, bound=None)
    pair, size = np.arange(k), instance.size[instance.demand_of]
    weight = instance.weight[instance.demand_of]
    limits = [
        LinearConstraint(
            sparse.csr_array((np.ones(k), (instance.demand_of, pair)), shape=(n, k)), ub=1
        ),
        LinearConstraint(
            sparse.csr_array((size, (instance.facility_of, pair)), shape=(m, k)),
            ub=np.minimum(instance.capacity, instance.size.sum()),
        ),
    ]
    options: dict[str, Any] = {"mip_rel_gap": gap} | (
        {} if time_limit is None else {"time_limit": time_limit}
    )
    common: dict[str, Any] = {"integrality": np.ones(k), "bounds": Bounds(0, 1), "options": options}
    first = milp(-weight, constraints=limits, **common)
    if first.x is None:
        return no_answer(
            "allocate", reason=str(text("the flow model failed ({s})", s=first.status))
        )
    most = float(weight @ np.round(first.x))
    kept = LinearConstraint(weight[None], lb=most - 1e-9 * max(most, 1.0))
    second = milp(instance.cost * size, constraints=[*limits, kept], **common)
    taken = np.round(first.x if second.x is None else second.x)
    proven = first.status == 0 and second.status == 0
    return served_solution(instance, taken * size, optimal=proven, bound=None)


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
    if not _even(instance):
        return _weighed_whole(instance, time_limit=time_limit, gap=gap)
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


MOST_CELLS = 20_000_000
"""Demands times facilities up to which answers are sought by shifts and exchanges."""
MOST_REPLACED = 100_000
"""Demands times facilities up to which the sites around demands are emptied and filled anew."""
ROUNDS, AROUND = 2000, 6
"""How often, and how many sites at once: 2 to 7 in turn."""
MOST_MODELLED = 4000
MOST_DECIDED = 10_000
"""Pairs handed to HiGHS; those of higher reduced cost limit the bound that it proves."""
FEW_PAIRS = 6000
"""Pairs up to which the most served is sought by HiGHS when the quick search leaves a doubt."""


def solve_whole(
    near: Instance, *, time_limit: float | None, gap: float, max_nodes: int | None
) -> Solution:
    r"""Serve the most people, then with the least person-cost, every demand at one place.

    Split assignment, which is the linear relaxation, bounds both aims. Its unsplit part is
    completed by shifts and exchanges; pairs whose reduced cost excludes them from every better
    answer are dropped, and HiGHS decides the rest.

    .. math:: \text{LP} + c_{ij} s_i - u_i - s_i v_j - s_i t > \text{value}
              \;\Rightarrow\; x_{ij} = 0

    Parameters
    ----------
    near
        The pairs that may be used.
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
    """
    deadline = time.perf_counter() + (np.inf if time_limit is None else time_limit)
    size = near.size[near.demand_of]
    near = among(near, (size > 0) & (size <= near.capacity[near.facility_of] + 1e-9))
    if near.cost.size == 0:
        return _shown(near, np.zeros(0, bool), proven=True, bound=None, most=0.0)
    size = near.size[near.demand_of]
    split = allocate_split(near)
    most = float((split.extra or {}).get("served", size.sum()))
    chosen = _completed(near, split, deadline)
    if size[chosen].sum() < most - 1e-6 and near.cost.size <= FEW_PAIRS:
        chosen, most = _most_served(near, chosen, most, deadline, max_nodes)
    served = float(size[chosen].sum())
    model = _model(near)
    floor, dual = _relaxed(near, model, served, deadline)
    value = float((near.cost * size)[chosen].sum())
    sure = served >= most - 1e-6
    if value - floor > max(gap, 1e-9) * max(value, 1e-9) and time.perf_counter() < deadline:
        chosen, known = _regrouped(near, model, chosen, (floor, dual), deadline=deadline, gap=gap)
        value = float((near.cost * size)[chosen].sum())
        if value - known > max(gap, 1e-9) * max(value, 1e-9):
            chosen, floor = _cheapest(
                near, model, chosen, (floor, dual), deadline=deadline, gap=gap, max_nodes=max_nodes
            )
            value = float((near.cost * size)[chosen].sum())
        floor = max(floor, known)
    closed = value - floor <= 1e-9 * max(value, 1e-9)
    return _shown(near, chosen, proven=sure and closed, bound=min(floor, value), most=most)


def _shown(
    near: Instance, chosen: NDArray[np.bool_], *, proven: bool, bound: float | None, most: float
) -> Solution:
    amount = np.where(chosen, near.size[near.demand_of], 0.0)
    found = served_solution(near, amount, optimal=proven, bound=bound)
    return replace(found, extra={**(found.extra or {}), "served_bound": most})


def _completed(near: Instance, split: Solution, deadline: float) -> NDArray[np.bool_]:
    """Keep what the split assignment leaves together, place the rest, better it by exchanges."""
    n, m = near.n_demands, near.n_facilities
    chosen = np.zeros(near.cost.size, bool)
    whole_sizes = bool(np.all(near.size == np.round(near.size)))
    if n * (m + 1) > MOST_CELLS or not whole_sizes:
        return chosen

    size = near.size.astype(np.int64)
    total = int(size.sum())
    far = (float(near.cost.max()) + 1.0) * max(total, 1)
    cost = np.full((n, m + 1), np.inf)
    cost[near.demand_of, near.facility_of] = near.cost * near.size[near.demand_of]
    cost[:, m] = far * near.size
    room = np.r_[np.floor(np.minimum(near.capacity, total)).astype(np.int64), total]
    place = np.full(n, -1, np.int64)
    together = split.amount >= near.size[split.demand_of] - 1e-6
    place[split.demand_of[together]] = split.facility_of[together]
    every = np.arange(m + 1)
    complete(cost, size, room, every, place, 1)
    if n * m <= MOST_REPLACED and not bool(together.all()):
        until = time.perf_counter() + 0.5 * (deadline - time.perf_counter())
        centres = np.random.default_rng(0).integers(0, n, ROUNDS)
        for some in np.array_split(centres, ROUNDS // 100):
            replaced(cost, size, room, every, place, some, AROUND)
            if time.perf_counter() > until:
                break
    return np.asarray(place[near.demand_of] == near.facility_of)


def _model(near: Instance) -> tuple[Any, Floats]:
    """Rows: each demand once, each facility within its places, enough served; and their limits."""
    n, m, k = near.n_demands, near.n_facilities, near.cost.size
    size, pairs = near.size[near.demand_of], np.arange(k)
    rows = sparse.vstack(
        [
            sparse.csr_matrix((np.ones(k), (near.demand_of, pairs)), shape=(n, k)),
            sparse.csr_matrix((size, (near.facility_of, pairs)), shape=(m, k)),
            sparse.csr_matrix(size),
        ],
        format="csc",
    )
    return rows, np.r_[np.ones(n), near.capacity, np.inf]


def _left(deadline: float) -> float | None:
    return None if np.isinf(deadline) else max(deadline - time.perf_counter(), 0.01)


def _most_served(
    near: Instance,
    chosen: NDArray[np.bool_],
    most: float,
    deadline: float,
    max_nodes: int | None,
) -> tuple[NDArray[np.bool_], float]:
    """Seek the most people served, whatever the cost: the pairs and the proven most."""
    rows, upper = _model(near)
    size = near.size[near.demand_of]
    answer = minimise(
        -size,
        rows,
        np.full(upper.size, -np.inf),
        upper,
        upper=np.ones(size.size),
        integer=np.ones(size.size, bool),
        time_limit=_left(deadline),
        max_nodes=max_nodes,
        start=chosen.astype(np.float64),
    )
    if answer.x is not None and size[answer.x > 0.5].sum() > size[chosen].sum():
        chosen = answer.x > 0.5
    return chosen, min(most, -answer.bound if np.isfinite(answer.bound) else most)


def _relaxed(
    near: Instance, model: tuple[Any, Floats], served: float, deadline: float
) -> tuple[float, Floats | None]:
    """Solve the linear relaxation that serves as many: its value and duals."""
    rows, upper = model
    lower = np.r_[np.full(upper.size - 1, -np.inf), served - 1e-6]
    answer = minimise(
        near.size[near.demand_of] * near.cost,
        rows,
        lower,
        upper,
        upper=np.ones(near.cost.size),
        time_limit=_left(deadline),
    )
    return (answer.objective, answer.row_dual) if answer.optimal else (0.0, None)


FREED = ((6, 240), (10, 80))
"""Facilities that are emptied together, and how often."""
FREED_NODES = 40
"""Nodes of each search among the demands of emptied facilities."""
FREED_SHARE = 0.6
"""Share of the pairs of emptied facilities that are looked at, those of least reduced cost."""
FREED_TIME = 0.6
"""Share of the time that is left for this."""


def _regrouped(
    near: Instance,
    model: tuple[Any, Floats],
    chosen: NDArray[np.bool_],
    relaxed: tuple[float, Floats | None],
    *,
    deadline: float,
    gap: float,
) -> tuple[NDArray[np.bool_], float]:
    """Empty a facility and some that share most demands with it, and let HiGHS fill them anew.

    Only where too many pairs are in question for HiGHS to decide at once. Gives the pairs and a
    proven bound.

    References
    ----------
    Taillard & Voss 2002, POPMUSIC: partial optimization metaheuristic under special intensification
    conditions, doi:10.1007/978-1-4615-1507-4_27.
    """
    rows, _ = model
    floor, dual = relaxed
    spent = near.size[near.demand_of] * near.cost
    value = float(spent[chosen].sum())
    if dual is None:
        return chosen, floor
    reduced = spent - rows.T @ dual
    if (reduced <= value - floor).sum() <= MOST_MODELLED:
        return chosen, floor
    served = float(near.size[near.demand_of][chosen].sum())
    floor = max(floor, packed_bound(near, served, dual, value))
    if value - floor <= max(gap, 1e-9) * max(value, 1e-9):
        return chosen, floor
    n, m = near.n_demands, near.n_facilities
    near_by = np.exp(-np.maximum(reduced, 0.0) / max(float(np.median(reduced)), 1e-9))
    shared = sparse.csr_matrix((near_by, (near.facility_of, near.demand_of)), shape=(m, n))
    kin = np.asarray((shared @ shared.T).todense())
    until = time.perf_counter() + FREED_TIME * (deadline - time.perf_counter())
    rng = np.random.default_rng(0)
    for count, rounds in FREED:
        failed, order = 0, rng.permutation(m)
        for turn in range(rounds):
            if failed > 2 * m or time.perf_counter() > until:
                break
            first = order[turn % m]
            emptied = np.zeros(m, bool)
            emptied[np.argsort(-kin[first] * rng.uniform(0.3, 1.0, m), kind="stable")[:count]] = (
                True
            )
            emptied[first] = True
            better = _filled(near, model[0], chosen, (spent, reduced), emptied, until)
            failed = failed + 1 if better is None else 0
            chosen = chosen if better is None else better
            value = float(spent[chosen].sum())
            if value - floor <= max(gap, 1e-9) * max(value, 1e-9):
                return chosen, floor
    return chosen, floor


STEPS = 80
"""Times that the prices of the demands are moved."""
MOST_PACKED = 5_000_000
"""Pairs times places of their facilities up to which the knapsacks are filled so often."""


def packed_bound(near: Instance, served: float, dual: Floats, value: float) -> float:
    r"""Bound the least cost from below by filling every facility for itself, at prices of demands.

    .. math:: L(\lambda, \tau) = \tau S - \sum_i \lambda_i - \sum_j \max_{x \in K_j}
              \sum_i (\tau s_i - \lambda_i - c_{ij} s_i) x_{ij}

    Each knapsack K_j is filled exactly, so that the bound is at least that of the relaxation, which
    may cut demands; the prices follow the subgradient.

    Parameters
    ----------
    near
        The pairs that may be used.
    served
        People that are served at least.
    dual
        Duals of the relaxation: demands, facilities, people served.
    value
        Cost of a known answer.

    Returns
    -------
    float
        Minus infinity where sizes or places are no whole numbers, or there are too many of them.

    References
    ----------
    Fisher, Jaikumar & Van Wassenhove 1986, A multiplier adjustment method for the generalized
    assignment problem, doi:10.1287/mnsc.32.9.1095.
    """
    size, n = near.size[near.demand_of], near.n_demands
    place = np.minimum(near.capacity, near.size.sum())
    whole = bool(np.all(near.size == np.round(near.size)))
    if not whole or float(place[near.facility_of].sum()) > MOST_PACKED:
        return -np.inf
    room = np.floor(place).astype(np.int64)
    spent, every = size * near.cost, float(near.size[np.unique(near.demand_of)].sum())
    pairs = [np.flatnonzero(near.facility_of == j) for j in range(near.n_facilities)]
    tau, prices = max(float(dual[-1]), 0.0), -dual[:n]
    least = -np.inf if served >= every - 1e-6 else 0.0  # who must be served may have any price
    here, kept, best, step, idle = prices, prices, -np.inf, 2.0, 0
    for _ in range(STEPS):
        here = np.maximum(here, least)
        gain = tau * size - here[near.demand_of] - spent
        bound, used = tau * (served - 1e-6) - float(here.sum()), np.zeros(n)
        for mine, most in zip(pairs, room, strict=True):
            good = mine[(gain[mine] > 0) & (size[mine] <= most)]
            got, taken = _packed(gain[good], size[good].astype(np.int64), int(most))
            bound -= got
            used[near.demand_of[good[taken]]] += 1
        idle = 0 if bound > best else idle + 1
        if bound > best:
            best, kept = bound, here
        slope = used - 1
        if not slope.any() or step < 1e-3:
            break
        if idle >= IDLE:
            here, step, idle = kept, step / 2, 0
        here = here + step * max(value - bound, 0.0) / float(slope @ slope) * slope
    return best - 1e-9 * abs(best)


IDLE = 6
"""Steps without a better bound after which they are halved."""


def _packed(gain: Floats, size: Ints, room: int) -> tuple[float, Ints]:
    """Fill one knapsack exactly: what it gains, and which items are in it."""
    best, steps = np.zeros(room + 1), []
    for value, need in zip(gain.tolist(), size.tolist(), strict=True):
        with_it = best[: room + 1 - need] + value
        better = with_it > best[need:]
        steps.append(better)
        best[need:] = np.where(better, with_it, best[need:])
    left, taken = room, []
    for item in range(len(steps) - 1, -1, -1):
        need = int(size[item])
        if left >= need and steps[item][left - need]:
            taken.append(item)
            left -= need
    return float(best[room]), np.array(taken, np.int64)


def _filled(
    near: Instance,
    rows: Any,
    chosen: NDArray[np.bool_],
    costs: tuple[Floats, Floats],
    emptied: NDArray[np.bool_],
    deadline: float,
) -> NDArray[np.bool_] | None:
    """Send the demands of emptied facilities to these anew; None where that is no cheaper."""
    spent, reduced = costs
    n = near.n_demands
    free = np.zeros(n, bool)
    free[near.demand_of[chosen & emptied[near.facility_of]]] = True
    pick = free[near.demand_of] & emptied[near.facility_of]
    if not pick.any():
        return None
    pick &= (reduced <= np.quantile(reduced[pick], FREED_SHARE)) | chosen
    some = np.flatnonzero(pick)
    once, room = int(free.sum()), near.capacity[emptied]
    answer = minimise(
        spent[some],
        sparse.csr_matrix(rows[:, some])[np.flatnonzero(np.r_[free, emptied, False])],
        np.r_[np.ones(once), np.full(room.size, -np.inf)],
        np.r_[np.ones(once), room],
        upper=np.ones(some.size),
        integer=np.ones(some.size, bool),
        time_limit=_left(deadline),
        max_nodes=FREED_NODES,
        gap=1e-4,
        start=chosen[some].astype(np.float64),
    )
    if answer.x is None or answer.objective >= float(spent[some][chosen[some]].sum()) - 1e-6:
        return None
    better = chosen.copy()
    better[some] = answer.x > 0.5
    return better


def _cheapest(
    near: Instance,
    model: tuple[Any, Floats],
    chosen: NDArray[np.bool_],
    relaxed: tuple[float, Floats | None],
    *,
    deadline: float,
    gap: float,
    max_nodes: int | None,
) -> tuple[NDArray[np.bool_], float]:
    """Lower the cost among the pairs still in question: the pairs and the proven bound."""
    rows, upper = model
    floor, dual = relaxed
    spent = near.size[near.demand_of] * near.cost
    value = float(spent[chosen].sum())
    kept, room = np.ones(spent.size, bool), np.inf
    if dual is not None:
        reduced = spent - rows.T @ dual
        room = value - floor + 1e-6 * max(abs(value), 1.0)
        if (reduced <= room).sum() > MOST_DECIDED:
            room = float(np.partition(reduced, MOST_DECIDED)[MOST_DECIDED])
        kept = (reduced <= room) | chosen
    served = float(near.size[near.demand_of][chosen].sum())
    answer = minimise(
        spent[kept],
        rows[:, np.flatnonzero(kept)],
        np.r_[np.full(upper.size - 1, -np.inf), served - 1e-6],
        upper,
        upper=np.ones(int(kept.sum())),
        integer=np.ones(int(kept.sum()), bool),
        time_limit=_left(deadline),
        gap=gap,
        max_nodes=max_nodes,
        start=chosen[kept].astype(np.float64),
    )
    if answer.x is not None and answer.objective <= value:
        chosen = np.zeros(spent.size, bool)
        chosen[np.flatnonzero(kept)[answer.x > 0.5]] = True
    bound = answer.bound if np.isfinite(answer.bound) else floor
    # An answer with a pair that was left out costs more than the relaxation and its reduced cost.
    return chosen, max(floor, min(bound, floor + room))


def two_step(
    demand_of: Ints, facility_of: Ints, weight: ArrayLike, *, demand: Floats, supply: Floats
) -> Floats:
    r"""Compute two-step floating catchment accessibility.

    .. math:: R_j = \frac{S_j}{\sum_i w_{ij} P_i}, \qquad A_i = \sum_j w_{ij} R_j

    With weights of 0 and 1 this is 2SFCA; with weights that fall with distance, E2SFCA.
    The supply of a facility that somebody reaches is kept: ``sum(A * P) = sum(S)``.

    Parameters
    ----------
    demand_of, facility_of
        The pairs; (n pairs,).
    weight
        Weight of each pair; (n pairs,).
    demand, supply
        People of each demand and supply of each facility.

    Returns
    -------
    ndarray
        Supply per head of each demand.

    References
    ----------
    Luo & Wang 2003, doi:10.1068/b29120; Luo & Qi 2009, doi:10.1016/j.healthplace.2009.06.002.

    Examples
    --------
    >>> pair = np.array([0, 1])
    >>> two_step(pair, np.array([0, 0]), [1, 1], demand=np.array([30.0, 10.0]),
    ...          supply=np.array([20.0])).tolist()
    [0.5, 0.5]
    """
    rows, cols = np.asarray(demand_of), np.asarray(facility_of)
    w = np.asarray(weight, np.float64)
    asked = np.bincount(cols, weights=w * demand[rows], minlength=supply.size)
    ratio = np.divide(supply, asked, out=np.zeros(supply.size), where=asked > 0)
    return np.bincount(rows, weights=w * ratio[cols], minlength=demand.size).astype(np.float64)


def three_step(
    demand_of: Ints,
    facility_of: Ints,
    weight: ArrayLike,
    *,
    demand: Floats,
    supply: Floats,
    catchment: ArrayLike | None = None,
) -> Floats:
    r"""Compute three-step floating catchment accessibility, where facilities compete.

    .. math:: G_{ij} = \frac{w_{ij}}{\sum_k w_{ik}}, \qquad
              A_i = \sum_{j \in C_i} G_{ij} w_{ij}
              \frac{S_j}{\sum_{i: j \in C_i} G_{ij} w_{ij} P_i}

    Parameters
    ----------
    demand_of, facility_of, weight, demand, supply
        As for `two_step`.
    catchment
        True for the pairs inside the catchment; (n pairs,). Pairs outside it count only in the
        sum below ``G``. By default all are inside.

    Returns
    -------
    ndarray
        Supply per head of each demand.

    References
    ----------
    Wan, Zou & Sternberg 2012, doi:10.1080/13658816.2011.624987.

    Examples
    --------
    >>> three_step(np.array([0, 0]), np.array([0, 1]), [1, 1], demand=np.array([4.0]),
    ...            supply=np.array([1.0, 3.0])).tolist()
    [1.0]
    """
    rows = np.asarray(demand_of)
    w = np.asarray(weight, np.float64)
    total = np.bincount(rows, weights=w, minlength=demand.size)
    share = np.divide(w, total[rows], out=np.zeros(w.size), where=total[rows] > 0)
    inside = 1.0 if catchment is None else np.asarray(catchment, np.float64)
    return two_step(demand_of, facility_of, share * w * inside, demand=demand, supply=supply)


def allocate_ordered(
    instance: Instance, aims: Sequence[NDArray[Any]], *, first: NDArray[np.bool_] | None = None
) -> Solution:
    r"""Serve the most people, and then each aim in turn, none giving anything back to a later one.

    .. math:: \max \sum f_{ij}, \; \text{then} \; \max \sum_{i \in V} f_{ij}, \;
              \text{then} \; \min \sum c^1_{ij} f_{ij}, \; \text{then} \; \min \sum c^2_{ij} f_{ij}

    A minimum-cost flow an aim. The flows that are best for it are those with no flow on arcs of
    positive reduced cost and full flow on arcs of negative reduced cost, so the next aim is again
    a minimum-cost flow, on what is left.

    Parameters
    ----------
    instance
        Demands with whole sizes, facilities with capacities; its own costs do not count.
    aims
        Whole cost of each pair, one array an aim, the first counting before the second.
    first
        Demands V that are served before others; None for none.

    Returns
    -------
    Solution
        Proven for all aims; ``objective`` sums the last aim.

    References
    ----------
    Ahuja, Magnanti & Orlin 1993, Network Flows, ch. 9: reduced cost optimality.
    """
    from ortools.graph.python import min_cost_flow

    n, m, k = instance.n_demands, instance.n_facilities, instance.cost.size
    supply = np.round(instance.size).astype(np.int64)
    total = int(supply.sum())
    room = np.floor(np.minimum(instance.capacity, total) + 1e-9).astype(np.int64)
    source, sink = n + m, n + m + 1
    tail = np.r_[np.full(n, source), instance.demand_of, n + np.arange(m)].astype(np.int64)
    head = np.r_[np.arange(n), n + instance.facility_of, np.full(m, sink)].astype(np.int64)
    room_of = np.r_[supply, supply[instance.demand_of], room].astype(np.int64)
    fixed = np.zeros(len(tail), np.int64)
    costs = [np.zeros(len(tail), np.int64)]
    if first is not None and first.any():
        costs.append(np.r_[np.where(first, 0, 1), np.zeros(k + m)].astype(np.int64))
    costs += [np.r_[np.zeros(n), np.asarray(aim), np.zeros(m)].astype(np.int64) for aim in aims]
    flow, value = fixed, None
    for cost in costs:
        model = min_cost_flow.SimpleMinCostFlow()
        model.add_arcs_with_capacity_and_unit_cost(
            tail.astype(np.int32), head.astype(np.int32), room_of, cost
        )
        given = np.zeros(n + m + 2, np.int64)
        sent = total if value is None else value
        given[source], given[sink] = sent, -sent
        np.subtract.at(given, tail, fixed)
        np.add.at(given, head, fixed)
        model.set_nodes_supplies(np.arange(n + m + 2, dtype=np.int32), given)
        status = model.solve_max_flow_with_min_cost() if value is None else model.solve()
        if status != model.OPTIMAL:
            why = text("the flow model failed ({s})", s=str(status))
            return no_answer("allocate", reason=str(why))
        moved = np.asarray(model.flows(np.arange(len(tail), dtype=np.int32)), np.int64)
        flow = fixed + moved
        value = int(flow[:n].sum()) if value is None else value
        reduced = _reduced(tail, head, room_of, cost, moved, n + m + 2)
        full = reduced < 0
        fixed = fixed + np.where(full, room_of, 0)
        room_of = np.where(reduced == 0, room_of, 0)
    amount = _forest(instance, flow[n : n + k], room_of[n : n + k], fixed[n : n + k])
    return served_solution(instance, amount.astype(np.float64), optimal=True, bound=None)


def _reduced(tail: Ints, head: Ints, room: Ints, cost: Ints, flow: Ints, nodes: int) -> Ints:
    """Give reduced costs that prove a flow best: positive where empty, negative where full."""
    ahead, back = np.flatnonzero(flow < room), np.flatnonzero(flow > 0)
    begin = np.r_[tail[ahead], head[back]]
    end = np.r_[head[ahead], tail[back]]
    price = np.r_[cost[ahead], -cost[back]]
    order = np.argsort(begin, kind="stable")
    start = np.r_[0, np.cumsum(np.bincount(begin, minlength=nodes))].astype(np.int64)
    potential = _potentials(start, end[order].astype(np.int64), price[order].astype(np.int64))
    return np.asarray(cost + potential[tail] - potential[head], np.int64)


@njit(cache=True, nogil=True)
def _potentials(start: Ints, end: Ints, price: Ints) -> Ints:
    """Give node prices under which no arc is cheaper than their difference (Bellman-Ford)."""
    size = start.shape[0] - 1
    dist = np.zeros(size, np.int64)
    queue = np.arange(size)
    waiting = np.ones(size, np.bool_)
    at, count = 0, size
    while count > 0:
        node = queue[at]
        at = at + 1 if at + 1 < size else 0
        count -= 1
        waiting[node] = False
        for arc in range(start[node], start[node + 1]):
            total = dist[node] + price[arc]
            if total < dist[end[arc]]:
                dist[end[arc]] = total
                if not waiting[end[arc]]:
                    waiting[end[arc]] = True
                    queue[(at + count) % size] = end[arc]
                    count += 1
    return dist


def _forest(instance: Instance, flow: Ints, room: Ints, fixed: Ints) -> Ints:
    """Shift flow round cycles, which costs nothing, until no needless piece is left."""
    free = np.flatnonzero((flow > fixed) & (flow < fixed + room))
    n = instance.n_demands
    found = flow.copy()
    low, high = fixed, fixed + room
    parent = np.full(n + instance.n_facilities, -1, np.int64)
    for pair in free:
        _insert(instance.demand_of, instance.facility_of + n, found, low, high, parent, int(pair))
    return found


def _insert(
    a_of: Ints, b_of: Ints, flow: Ints, low: Ints, high: Ints, parent: Ints, pair: int
) -> None:
    """Add a pair to the forest of pairs, or shift flow round the cycle that it closes."""
    a, b = int(a_of[pair]), int(b_of[pair])
    up = [_to_root(parent, a_of, b_of, node) for node in (a, b)]
    if up[0][-1][1] != up[1][-1][1]:
        _turn(parent, up[0])
        parent[a] = pair
        return
    above = {node for _, node in up[0]}
    top = next(node for _, node in up[1] if node in above)
    ring = [(pair, 1)]
    for path in up:
        sign = -1
        for over, node in path:
            if node == top:
                break
            ring.append((over, sign))
            sign = -sign
    plus = np.array([p for p, sign in ring if sign > 0])
    minus = np.array([p for p, sign in ring if sign < 0])
    ahead = min((high - flow)[plus].min(), (flow - low)[minus].min())
    back = min((flow - low)[plus].min(), (high - flow)[minus].min())
    empties = bool(((flow - low)[minus] == ahead).any())
    step = int(ahead) if empties else -int(back)
    flow[plus] += step
    flow[minus] -= step
    gone = next(p for p, _ in ring if flow[p] in (low[p], high[p]))
    if gone != pair:
        _replace(parent, a_of, b_of, gone, pair)


def _to_root(parent: Ints, a_of: Ints, b_of: Ints, node: int) -> list[tuple[int, int]]:
    """Give the pairs and nodes from a node up to its root: the pair above each node, -1 last."""
    path = []
    while True:
        over = int(parent[node])
        path.append((over, node))
        if over < 0:
            return path
        node = int(b_of[over]) if int(a_of[over]) == node else int(a_of[over])


def _turn(parent: Ints, path: list[tuple[int, int]]) -> None:
    """Make the first node of a path the root of its tree."""
    before = -1
    for over, node in path:
        parent[node] = before
        before = over


def _replace(parent: Ints, a_of: Ints, b_of: Ints, gone: int, pair: int) -> None:
    """Take a pair out of the forest and put another one of the same cycle in."""
    a, b = int(a_of[gone]), int(b_of[gone])
    child = a if int(parent[a]) == gone else b
    parent[child] = -1
    for node in (int(a_of[pair]), int(b_of[pair])):
        path = _to_root(parent, a_of, b_of, node)
        if path[-1][1] == child:
            _turn(parent, path)
            parent[node] = pair
            return

"""Every location model by its name, p-center and those with capacities among them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse

from riskmap.errors import UsageError
from riskmap.i18n import text
from riskmap.siting.allocation import allocate_split
from riskmap.siting.cover import (
    check_p,
    coverage,
    greedy_cover,
    greedy_sites,
    infeasible_capacity,
    infeasible_cover,
    infeasible_sites,
    limits,
    lscp,
    lscp_b,
    mclp,
    mexclp,
    out_of_time,
    solution_of,
)
from riskmap.siting.exact.branch import p_median
from riskmap.siting.exact.knapsack import Packed, choose_and_assign, fits, pack
from riskmap.siting.problem import (
    CANDIDATE,
    EXISTING,
    Answer,
    Instance,
    Solution,
    among,
    filled,
    minimise,
    nearest_open,
    stack,
    within,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Ints


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


MODELS: Final = ("lscp", "lscp-b", "mclp", "p-median", "p-center", "c-p-median", "c-mclp",
                 "mexclp")  # fmt: skip


def solve(
    model: str,
    instance: Instance,
    *,
    p: int | None = None,
    radius: float | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
    busy: float | None = None,
) -> Solution:
    """Solve a location model.

    Parameters
    ----------
    model
        One of `MODELS`.
    instance
        Demands, facilities and costs.
    p
        Number of open sites, existing ones included.
    radius
        Service radius in the unit of cost, inclusive; a hard limit for the medians and p-center.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.
    busy
        Share of the time in which a site cannot answer, for ``mexclp``.

    Returns
    -------
    Solution
        Sites, assignment, value, proven bound.

    Raises
    ------
    UsageError
        When the model is unknown or an option is missing.
    """
    limits = {"time_limit": time_limit, "gap": gap}
    searched = {**limits, "max_nodes": max_nodes}
    if model in {"lscp", "lscp-b", "mclp", "c-mclp", "mexclp"} and (radius is None or radius < 0):
        raise UsageError(text("{model} needs --radius, at least 0", model=model))
    reach = float(radius or 0.0)
    if model == "lscp":
        return lscp(instance, radius=reach, **limits)  # type: ignore[arg-type]
    if model == "lscp-b":
        return lscp_b(instance, radius=reach, **limits)  # type: ignore[arg-type]
    if model == "mclp":
        return mclp(instance, radius=reach, p=p, **searched)  # type: ignore[arg-type]
    if model == "mexclp":
        share = -1.0 if busy is None else busy
        return mexclp(instance, radius=reach, p=p, busy=share, **searched)  # type: ignore[arg-type]
    if model == "p-median":
        return p_median(instance, p=p, radius=radius, **searched)  # type: ignore[arg-type]
    if model == "p-center":
        return p_center(instance, p=p, radius=radius, time_limit=time_limit)
    if model == "c-p-median":
        return c_p_median(instance, p=p, radius=radius, **searched)  # type: ignore[arg-type]
    if model == "c-mclp":
        return c_mclp(instance, p=p, radius=reach, **searched)  # type: ignore[arg-type]
    raise UsageError(
        text("unknown model {model}; use one of {all}", model=model, all=", ".join(MODELS))
    )


def needless(instance: Instance, solution: Solution, *, radius: float | None = None) -> Ints:
    """Find new sites that add nothing: together they may stay closed, and the value is the same.

    More sites than anybody needs are opened because the number was asked for.

    Parameters
    ----------
    instance
        The instance.
    solution
        Its answer.
    radius
        Service radius of the covers.

    Returns
    -------
    numpy.ndarray
        Positions of facilities, ascending; existing ones never.

    Examples
    --------
    >>> from riskmap.siting.problem import make_instance
    >>> one = make_instance(
    ...     demand_of=[0, 0], facility_of=[0, 1], cost=[1, 2], demands=("d",), facilities=("a", "b")
    ... )
    >>> needless(one, p_median(one, p=2)).tolist()
    [1]
    """
    mine = solution.open[instance.status[solution.open] == CANDIDATE]
    none = np.zeros(0, np.int64)
    if solution.objective is None or not len(mine):
        return none
    if solution.model in ("c-mclp", "c-p-median"):
        used = np.bincount(solution.facility_of, solution.amount, instance.n_facilities)
        return np.asarray(mine[used[mine] <= 0], np.int64)
    limit = {"mclp": radius, "p-center": solution.objective, "p-median": np.inf}.get(solution.model)
    if limit is None:
        return none
    opened = np.zeros(instance.n_facilities, bool)
    opened[solution.open] = True
    pairs = opened[instance.facility_of] & (instance.cost <= limit + _EQUAL)
    if solution.model != "p-center":  # the farthest counts, whatever it weighs
        pairs &= instance.weight[instance.demand_of] > 0
    demand, site = instance.demand_of[pairs], instance.facility_of[pairs]
    if solution.model == "p-median":
        best = np.full(instance.n_demands, np.inf)
        np.minimum.at(best, demand, instance.cost[pairs])
        near = instance.cost[pairs] <= best[demand] + _EQUAL
        demand, site = demand[near], site[near]
    times = np.bincount(demand, minlength=instance.n_demands)
    order = np.argsort(site, kind="stable")
    first = np.searchsorted(site[order], np.arange(instance.n_facilities + 1))
    idle = []
    for one in mine.tolist():
        served = demand[order[first[one] : first[one + 1]]]
        if (times[served] > 1).all():
            times[served] -= 1
            idle.append(one)
    return np.asarray(idle, np.int64)


_EQUAL: Final = 1e-9
"""Costs that differ by less are equal."""

"""Covering models, their prices, exchanges and bounds, and what other models share with them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import sparse

from riskmap.errors import UsageError
from riskmap.i18n import text
from riskmap.siting.problem import (
    EXCLUDED,
    EXISTING,
    Instance,
    Solution,
    filled,
    minimise,
    nearest_open,
    stack,
    times_covered,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmap.siting.problem import Floats, Ints


ROUNDING: Final = 1e-9
"""Share of the objective by which a bound that equals it may differ."""
SECONDS: Final = 10.0
"""Time spent on how many sites would do, once it is proven that ``p`` do not."""
PRICES: Final = 600
"""Times that prices move before the search takes over."""
PATIENCE: Final = 15
"""So many moves without a better bound make the next ones shorter."""
STEP_LEAST: Final = 1e-3
"""Prices stop once a move is this share of the first ones."""


def _listed(names: list[str], *, most: int = 10) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def infeasible_cover(
    instance: Instance, near: Instance, *, model: str, radius: float | None
) -> Solution | None:
    """Find the demands that no usable facility can serve.

    Parameters
    ----------
    instance
        All pairs.
    near
        The pairs within the radius.
    model
        Name of the model.
    radius
        The radius, for the message.

    Returns
    -------
    Solution or None
        An infeasible solution with reason and mend, or None when every demand can be served.
    """
    served = np.bincount(near.demand_of, minlength=near.n_demands) > 0
    unserved = np.flatnonzero(~served)
    if unserved.size == 0:
        return None
    best = np.full(instance.n_demands, np.inf)
    np.minimum.at(best, instance.demand_of, instance.cost)
    names = [instance.demands[i] for i in unserved]
    lost = [instance.demands[i] for i in unserved if not np.isfinite(best[i])]
    parts = []
    if radius is not None:
        parts.append(
            text(
                "{n} demand(s) have no usable facility within {radius}: {names}",
                n=len(names),
                radius=f"{radius:g}",
                names=_listed(names),
            )
        )
    reachable = best[unserved][np.isfinite(best[unserved])]
    if reachable.size and radius is not None:
        parts.append(
            text(
                "a radius of {needed} would reach all that can be reached",
                needed=f"{reachable.max():g}",
            )
        )
    if lost:
        parts.append(
            text(
                "no usable facility reaches these at any cost; a new site near them is needed: "
                "{names}",
                names=_listed(lost),
            )
        )
    return no_answer(
        model, reason="; ".join(str(part) for part in parts), uncovered=unserved.astype(np.int64)
    )


def no_answer(model: str, *, reason: str, uncovered: Ints | None = None) -> Solution:
    """Make the solution that says that there is none.

    Parameters
    ----------
    model
        Name of the model.
    reason
        Why, and what would mend it.
    uncovered
        Demands that cannot be served.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    nothing = np.zeros(0, np.int64)
    return Solution(
        model=model,
        status="infeasible",
        objective=None,
        bound=None,
        open=nothing,
        demand_of=nothing,
        facility_of=nothing,
        amount=np.zeros(0),
        uncovered=nothing if uncovered is None else uncovered,
        reason=reason,
    )


def out_of_time(model: str, *, bound: float | None = None) -> Solution:
    """Make the solution that says that the limit was too short to find or exclude an answer.

    Parameters
    ----------
    model
        Name of the model.
    bound
        What is proven of any answer.

    Returns
    -------
    Solution
        With status ``unknown`` and the reason.
    """
    reason = text("neither an answer nor a proof that there is none within the limit; allow more")
    found = no_answer(model, reason=str(reason))
    return replace(found, status="unknown", bound=bound)


def infeasible_sites(instance: Instance, *, model: str, p: int) -> Solution:
    """Say that no choice of ``p`` sites reaches every demand, and how many would.

    Parameters
    ----------
    instance
        The pairs that may be used.
    model
        Name of the model.
    p
        Number of sites allowed.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    needed = lscp(instance, radius=float(instance.cost.max(initial=0.0)), time_limit=SECONDS)
    return no_answer(
        model,
        reason=str(
            text(
                "no {p} sites reach every demand; {needed} would (for example {names})",
                p=p,
                needed=int(needed.objective or 0),
                names=_listed([instance.facilities[j] for j in needed.open]),
            )
        ),
    )


def infeasible_capacity(instance: Instance, *, model: str, p: int) -> Solution:
    """Say that ``p`` sites cannot hold everybody, with the largest capacity they could give.

    Parameters
    ----------
    instance
        The pairs that may be used.
    model
        Name of the model.
    p
        Number of sites allowed.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    most = float(np.sort(instance.capacity[instance.status != EXCLUDED])[::-1][:p].sum())
    need = float(instance.size.sum())
    if most < need:
        reason = text(
            "{need} are to be served, but the {p} largest facilities hold {most}; "
            "{lack} more places are needed",
            need=f"{need:g}",
            p=p,
            most=f"{most:g}",
            lack=f"{need - most:g}",
        )
    else:
        reason = text(
            "no {p} sites hold every demand whole within the reach; open more sites, add places, "
            "or let demands be split",
            p=p,
        )
    return no_answer(model, reason=str(reason))


def coverage(instance: Instance) -> Any:
    """Make the 0/1 matrix of demands and the facilities that reach them.

    Parameters
    ----------
    instance
        The instance, cut to the radius.

    Returns
    -------
    csr_matrix
        Shape (n demands, n facilities).
    """
    ones = np.ones(instance.cost.size)
    shape = (instance.n_demands, instance.n_facilities)
    return sparse.csr_matrix((ones, (instance.demand_of, instance.facility_of)), shape=shape)


def limits(instance: Instance) -> tuple[Floats, Floats]:
    """Give the lower and upper limit of each facility's open/closed variable.

    Parameters
    ----------
    instance
        The instance.

    Returns
    -------
    tuple
        Shape (n facilities,) each.
    """
    lower = (instance.status == EXISTING).astype(np.float64)
    upper = (instance.status != EXCLUDED).astype(np.float64)
    return lower, upper


def check_p(instance: Instance, p: int | None) -> int:
    """Check the number of sites against what can be opened.

    Parameters
    ----------
    instance
        The instance.
    p
        Number of open sites, existing ones included.

    Returns
    -------
    int
        The number.

    Raises
    ------
    UsageError
        When it is missing, below 1, more than can be opened or fewer than must stay open.
    """
    if p is None or p < 1:
        raise UsageError(text("this model needs --p, a number of sites of at least 1"))
    usable = int((instance.status != EXCLUDED).sum())
    fixed = int((instance.status == EXISTING).sum())
    if p > usable:
        raise UsageError(
            text("--p {p} is more than the {n} facilities that may be opened", p=p, n=usable)
        )
    if p < fixed:
        raise UsageError(
            text("--p {p} is fewer than the {n} existing facilities that stay open", p=p, n=fixed)
        )
    return p


def assign_nearest(instance: Instance, opened: Ints) -> tuple[Ints, Ints, Floats, Ints]:
    """Assign every demand to its nearest open facility.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities.

    Returns
    -------
    tuple
        Demand, facility and weight of each assignment, and the demands that reach none.
    """
    facility, _ = nearest_open(instance, opened)
    served = np.flatnonzero(facility >= 0)
    return served, facility[served], instance.weight[served], np.flatnonzero(facility < 0)


def solution_of(
    instance: Instance,
    opened: Ints,
    *,
    model: str,
    objective: float,
    bound: float,
    optimal: bool,
    extra: dict[str, object] | None = None,
) -> Solution:
    """Count a choice of sites anew from the pairs and put it into a `Solution`.

    Parameters
    ----------
    instance
        The instance, cut to the radius.
    opened
        Open facilities.
    model
        Name of the model.
    objective, bound
        Value and proven bound.
    optimal
        Whether the bound proves the value, within the gap that was asked for.
    extra
        Further published figures.

    Returns
    -------
    Solution
        With each demand assigned to its nearest open facility.
    """
    demand, facility, amount, uncovered = assign_nearest(instance, opened)
    same = abs(bound - objective) <= ROUNDING * max(abs(objective), 1.0)
    return Solution(
        model=model,
        status="optimal" if optimal else "feasible",
        objective=objective,
        bound=objective if same else bound,
        open=np.sort(opened),
        demand_of=demand,
        facility_of=facility,
        amount=amount,
        uncovered=uncovered,
        extra=dict(extra or {}),
    )


def greedy_sites(near: Instance, p: int) -> Ints:
    """Open the facility that covers most of the weight left over, until ``p`` are open.

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Number of open sites, existing ones included.

    Returns
    -------
    ndarray
        Open facilities; (p,).

    References
    ----------
    Church & ReVelle 1974, The maximal covering location problem, doi:10.1007/BF01942293.
    """
    return filled(near, _covering(near, near.weight, p), p)


def greedy_cover(near: Instance, p: int | None = None) -> Ints | None:
    """Open the facility that covers most demands left over, until all are covered.

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Most sites; None for as many as it takes.

    Returns
    -------
    ndarray or None
        Open facilities, existing ones included; None when they leave a demand uncovered.

    References
    ----------
    Chvatal 1979, A greedy heuristic for the set-covering problem, doi:10.1287/moor.4.3.233.
    """
    sites = _covering(near, np.ones(near.n_demands), near.n_facilities if p is None else p)
    reached = np.zeros(near.n_facilities, bool)
    reached[sites] = True
    served = np.zeros(near.n_demands, bool)
    served[near.demand_of[reached[near.facility_of]]] = True
    return sites if served.all() else None


def _covering(near: Instance, weight: np.ndarray, most: int) -> Ints:
    """Open sites one after another while one covers something new."""
    covers = coverage(near).tocsc()
    rest = np.asarray(weight, np.float64).copy()
    opened = np.flatnonzero(near.status == EXISTING)
    sites = [int(j) for j in opened]
    for j in sites:
        rest[covers.indices[covers.indptr[j] : covers.indptr[j + 1]]] = 0.0
    gain = covers.T @ rest
    while len(sites) < most:
        pick = int(np.argmax(gain)) if gain.size else 0
        if not gain.size or gain[pick] <= 0:
            break
        sites.append(pick)
        rest[covers.indices[covers.indptr[pick] : covers.indptr[pick + 1]]] = 0.0
        gain = covers.T @ rest
    return np.unique(np.asarray(sites, np.int64))


def lscp(
    instance: Instance, *, radius: float, time_limit: float | None = None, gap: float = 0.0
) -> Solution:
    r"""Cover every demand with the fewest sites.

    .. math:: \min \sum_j y_j \quad \text{s.t.} \quad \sum_{j: c_{ij} \le R} y_j \ge 1 \;\forall i

    Parameters
    ----------
    instance
        Demands, facilities and costs.
    radius
        Service radius in the unit of cost, inclusive.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.

    Returns
    -------
    Solution
        ``objective`` and ``bound`` count sites, existing ones included.

    References
    ----------
    Toregas et al. 1971, The location of emergency service facilities, doi:10.1287/opre.19.6.1363.
    """
    near = within(instance, radius)
    unmet = infeasible_cover(instance, near, model="lscp", radius=radius)
    if unmet is not None:
        return unmet
    lower, upper = limits(near)
    n, m = near.n_demands, near.n_facilities
    first = greedy_cover(near)
    assert first is not None  # noqa: S101  every demand has a facility, so all together cover
    start = np.zeros(m)
    start[first] = 1
    answer = minimise(
        np.ones(m),
        coverage(near),
        np.ones(n),
        np.full(n, np.inf),
        lower=lower,
        upper=upper,
        integer=np.ones(m, bool),
        time_limit=time_limit,
        gap=gap,
        start=start,
    )
    opened = first if answer.x is None else np.flatnonzero(answer.x > 0.5)
    fewest = max(int((near.status == EXISTING).sum()), min(n, 1))
    bound = max(float(fewest), float(np.ceil(answer.bound - 1e-6)))
    return solution_of(
        near,
        opened,
        model="lscp",
        objective=float(opened.size),
        bound=bound,
        optimal=bound >= opened.size,
    )


def lscp_b(
    instance: Instance, *, radius: float, time_limit: float | None = None, gap: float = 0.0
) -> Solution:
    r"""Cover every demand with the fewest sites and, among those, the most demands twice.

    .. math:: \max \sum_i u_i \quad \text{s.t.} \quad \sum_{j: c_{ij} \le R} y_j \ge 1 + u_i,
              \; \sum_j y_j = p^*, \; u_i \in \{0, 1\}

    Parameters
    ----------
    instance
        Demands, facilities and costs.
    radius
        Service radius in the unit of cost, inclusive.
    time_limit
        Seconds for both models together; None for no limit.
    gap
        Relative gap at which to stop.

    Returns
    -------
    Solution
        ``objective`` and ``bound`` count sites; ``extra['backup_share']`` is the share of demands
        with two or more open facilities in the radius. A demand with one candidate only cannot
        be counted as backed up.

    References
    ----------
    Daskin & Stern 1981, doi:10.1287/trsc.15.2.137; Hogan & ReVelle 1986,
    doi:10.1287/mnsc.32.11.1434.
    """
    began = time.perf_counter()
    first = lscp(instance, radius=radius, time_limit=time_limit, gap=gap)
    near = within(instance, radius)
    if first.status == "infeasible":
        return replace(first, model="lscp-b")
    n, m = near.n_demands, near.n_facilities
    lower, upper = limits(near)
    covers = coverage(near)
    rows = stack([[covers, -sparse.identity(n)], [sparse.csr_matrix(np.ones((1, m))), None]])
    start = np.zeros(m + n)
    start[first.open] = 1
    start[m:] = times_covered(near, first.open) >= 2
    answer = minimise(
        np.r_[np.zeros(m), -np.ones(n)],
        rows,
        np.r_[np.ones(n), float(first.open.size)],
        np.r_[np.full(n, np.inf), float(first.open.size)],
        lower=np.r_[lower, np.zeros(n)],
        upper=np.r_[upper, np.ones(n)],
        integer=np.ones(m + n, bool),
        time_limit=None if time_limit is None else time_limit - (time.perf_counter() - began),
        gap=gap,
        start=start,
    )
    opened = first.open if answer.x is None else np.flatnonzero(answer.x[:m] > 0.5)
    twice = int((times_covered(near, opened) >= 2).sum())
    most = int(np.floor(-answer.bound + 1e-6)) if np.isfinite(answer.bound) else n
    return solution_of(
        near,
        opened,
        model="lscp-b",
        objective=float(opened.size),
        bound=float(first.bound or 0),
        optimal=first.status == "optimal" and twice >= most,
        extra={
            "backup_share": twice / n if n else 0.0,
            "backup_count": twice,
            "backup_bound": min(most, n),
        },
    )


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
    began = time.perf_counter()
    p = check_p(instance, p)
    near = within(instance, radius)
    opened = greedy_sites(near, p)
    bound = float(near.weight.sum())
    if gap > 0:
        opened, bound = priced_sites(near, opened, gap=gap, time_limit=time_limit)
    value = float(assign_nearest(near, opened)[2].sum())
    if bound - value > max(gap, ROUNDING) * max(abs(value), 1):
        m = near.n_facilities
        model = covering_model(near, p)
        start = np.zeros(model["cost"].size)
        start[opened] = 1
        start[m:] = (model["matrix"][:-1, :m] @ start[:m]) > 0
        rest = None if time_limit is None else time_limit - (time.perf_counter() - began)
        answer = minimise(**model, time_limit=rest, gap=gap, max_nodes=max_nodes, start=start)
        if answer.x is not None:
            opened = np.flatnonzero(answer.x[:m] > 0.5)
            value = float(assign_nearest(near, opened)[2].sum())
        bound = min(bound, -answer.bound, float(-model["cost"].sum()))
    optimal = abs(bound - value) <= max(gap, ROUNDING) * max(abs(value), 1)
    return solution_of(near, opened, model="mclp", objective=value, bound=bound, optimal=optimal)


def priced_sites(
    near: Instance, sites: Ints, *, gap: float, time_limit: float | None = None
) -> tuple[Ints, float]:
    r"""Exchange sites for better ones, and bound what any could cover, without a search.

    Each demand gets a price, which is paid to every site that covers it; the prices move along
    the subgradient until bound and sites are as near each other as asked, or come no nearer.

    .. math:: L(\lambda) = \sum_i \max(w_i - \lambda_i, 0)
              + \max_{|S| = p} \sum_{j \in S} \sum_{i \in N_j} \lambda_i

    Parameters
    ----------
    near
        The pairs within the radius.
    sites
        Open sites to begin with, existing ones among them; (p,).
    gap
        Relative gap at which to stop.
    time_limit
        Seconds, half of which this may take; None for no limit.

    Returns
    -------
    tuple
        Open sites, shape (p,), and an upper bound of the covered weight.

    References
    ----------
    Galvao & ReVelle 1996, A Lagrangean heuristic for the maximal covering location problem,
    European Journal of Operational Research 88, 114-123.
    """
    until = np.inf if time_limit is None else time.perf_counter() + time_limit / 2
    fixed = near.status == EXISTING
    free = np.flatnonzero(~fixed & (near.status != EXCLUDED))
    covers = coverage(near)
    held = np.asarray(covers[:, fixed].sum(axis=1)).ravel() > 0
    sure = float(near.weight[held].sum())
    covers, weight = _grouped(covers[~held][:, free], near.weight[~held])
    by_site = covers.tocsc()
    best = np.flatnonzero(np.isin(free, sites))
    most = best.size
    if not most or not weight.size:
        return sites, sure
    best, value = _exchanged(by_site, weight, best)
    bound, step, stalled = float(weight.sum()), 1.0, 0
    price = kept = weight / 2
    for _ in range(PRICES):
        paid = by_site.T @ price
        top = np.argsort(-paid, kind="stable")[:most]
        limit = float(np.maximum(weight - price, 0).sum() + paid[top].sum())
        times = np.bincount(_reached(by_site, top), minlength=weight.size)
        if float(weight[times > 0].sum()) > value:
            best, value = _exchanged(by_site, weight, top)
        if limit < bound * (1 - 1e-6):
            bound, kept, stalled = limit, price, 0
        else:
            stalled += 1
        slope = times - (price < weight)
        length = float((slope**2).sum())
        near_enough = bound - value <= gap * (sure + value)
        if near_enough or not length or step < STEP_LEAST or time.perf_counter() > until:
            break
        if stalled == PATIENCE:
            price, step, stalled = kept, step / 1.6, 0
            continue
        price = np.clip(price - step * max(limit - value, 0.0) / length * slope, 0.0, weight)
    opened = np.sort(np.r_[np.flatnonzero(fixed), free[best]])
    return opened, sure + max(bound, value)


def _reached(by_site: Any, sites: Ints) -> Ints:
    """Demands that the sites cover, as often as they are covered."""
    return np.concatenate(
        [by_site.indices[by_site.indptr[j] : by_site.indptr[j + 1]] for j in sites]
    )


def _exchanged(by_site: Any, weight: Floats, sites: Ints) -> tuple[Ints, float]:
    """Put each site where it adds most beside the others, until none moves."""
    now = list(sites)
    value = float(weight[np.unique(_reached(by_site, sites))].sum())
    moved = True
    while moved:
        moved = False
        for place in range(len(now)):
            others = now[:place] + now[place + 1 :]
            rest = weight.copy()
            if others:
                rest[_reached(by_site, np.array(others))] = 0.0
            gain = by_site.T @ rest
            found = int(np.argmax(gain))
            reached = float(weight.sum() - rest.sum() + gain[found])
            if reached > value * (1 + 1e-12):
                now, value, moved = [*others[:place], found, *others[place:]], reached, True
    return np.array(now, dtype=np.int64), value


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
        Arguments of `riskmap.siting.problem.minimise`.
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


def mexclp(
    instance: Instance,
    *,
    radius: float,
    p: int | None,
    busy: float,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> Solution:
    r"""Cover as much weight as can be expected with ``p`` sites, each busy for a share of the time.

    .. math:: \max \sum_i w_i \sum_k (1 - q) q^{k-1} z_{ik} \quad \text{s.t.} \quad
              \sum_k z_{ik} \le \sum_{j: c_{ij} \le R} y_j, \; \sum_j y_j = p

    Parameters
    ----------
    instance
        Demands, facilities and costs.
    radius
        Service radius in the unit of cost, inclusive.
    p
        Number of open sites, existing ones included.
    busy
        Share q of the time in which a site cannot answer, 0 to below 1, independent of others.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    Solution
        ``objective`` is the expected covered weight.

    Raises
    ------
    UsageError
        When the busy share is below 0, or 1 or more.

    References
    ----------
    Daskin 1983, A maximum expected covering location model, doi:10.1287/trsc.17.1.48.
    """
    if not 0 <= busy < 1:
        raise UsageError(text("mexclp needs --busy, at least 0 and below 1"))
    p = check_p(instance, p)
    near = within(instance, radius)
    m = near.n_facilities
    lower, upper = limits(near)
    covers, weight = _grouped(coverage(near), near.weight)
    groups = weight.size
    # A further site adds less than a millionth of the weight once q^k is that small.
    levels = most = max(1, min(p, int(np.diff(covers.indptr).max(initial=1))))
    while levels > 1 and busy ** (levels - 1) < BUSY_LEAST:
        levels -= 1
    worth = np.asarray((1 - busy) * busy ** np.arange(levels), np.float64)
    first = _expecting(near, worth, p)
    start = np.zeros(m + groups * levels)
    start[first] = 1
    times = np.minimum(covers @ start[:m], levels)
    start[m:] = (np.arange(levels)[:, None] < times[None, :]).ravel()
    sums = sparse.hstack([-sparse.identity(groups)] * levels) if groups else None
    answer = minimise(
        np.r_[np.zeros(m), -np.outer(worth, weight).ravel()],
        stack([[covers, sums], [sparse.csr_matrix(np.ones((1, m))), None]]),
        np.r_[np.zeros(groups), float(p)],
        np.r_[np.full(groups, np.inf), float(p)],
        lower=np.r_[lower, np.zeros(groups * levels)],
        upper=np.r_[upper, np.ones(groups * levels)],
        integer=np.r_[np.ones(m, bool), np.zeros(groups * levels, bool)],
        time_limit=time_limit, gap=gap, max_nodes=max_nodes, start=start,
    )  # fmt: skip
    opened = first if answer.x is None else np.flatnonzero(answer.x[:m] > 0.5)
    value = expected(near, opened, busy)
    rest = float(weight.sum()) * (busy**levels - busy**most)
    bound = max(min(-answer.bound + rest, float(weight.sum())), value)
    optimal = answer.optimal and bound - value <= max(gap, 1e-6) * max(abs(value), 1)
    return solution_of(near, opened, model="mexclp", objective=value, bound=bound, optimal=optimal,
                       extra={"busy": busy})  # fmt: skip


BUSY_LEAST: Final = 1e-7
"""Chances below this that so many sites are busy at once are not told apart."""


def expected(near: Instance, opened: Ints, busy: float) -> float:
    """Sum the weight that open sites can be expected to cover, each busy at times.

    Parameters
    ----------
    near
        The pairs within the radius.
    opened
        Open facilities.
    busy
        Share of the time in which a site cannot answer.

    Returns
    -------
    float
        Weight times the chance that one of the sites that reach it is free.
    """
    return float((near.weight * (1 - busy ** times_covered(near, opened))).sum())


def _expecting(near: Instance, worth: Floats, p: int) -> Ints:
    """Open the site that adds most to the expected cover, until ``p`` are open."""
    covers = coverage(near).tocsc()
    sites = [int(j) for j in np.flatnonzero(near.status == EXISTING)]
    times = np.zeros(near.n_demands, np.int64)
    for j in sites:
        times[covers.indices[covers.indptr[j] : covers.indptr[j + 1]]] += 1
    more = np.r_[worth, 0.0]
    while len(sites) < p:
        gain = covers.T @ (near.weight * more[np.minimum(times, len(worth))])
        gain[sites] = -1.0
        gain[near.status == EXCLUDED] = -1.0
        pick = int(np.argmax(gain))
        if gain[pick] < 0:
            break
        sites.append(pick)
        times[covers.indices[covers.indptr[pick] : covers.indptr[pick + 1]]] += 1
    return np.unique(np.asarray(sites, np.int64))


def least_regret(
    states: Sequence[Instance],
    *,
    p: int,
    best: Sequence[float],
    gap: float = 0.0,
    max_nodes: int | None = None,
) -> tuple[Ints, float, float]:
    r"""Choose ``p`` sites whose largest loss against the best of each state is least.

    .. math:: \min r \quad \text{s.t.} \quad b_s - \sum_i w_i z_{is} \le r, \;
              z_{is} \le \sum_{j \in N_{is}} y_j, \; \sum_j y_j = p

    Parameters
    ----------
    states
        One instance a state of the world, cut to the radius; facilities are the same in each, and
        those of status existing stay open.
    p
        Number of open sites, existing ones included.
    best
        The most that ``p`` sites cover in each state, or a bound of it.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.

    Returns
    -------
    tuple
        Open sites, their largest regret, and a proven bound below it.

    References
    ----------
    Kouvelis & Yu 1997, Robust Discrete Optimization; Snyder 2006, doi:10.1080/07408170500216480.
    """
    m = states[0].n_facilities
    lower, upper = limits(states[0])
    parts = [_grouped(coverage(one), one.weight) for one in states]
    sizes = [weight.size for _, weight in parts]
    total = sum(sizes)
    blocks: list[list[Any]] = []
    for k, (covers, weight) in enumerate(parts):
        rest = [-sparse.identity(n) if i == k else None for i, n in enumerate(sizes)]
        blocks.append([covers, *rest, None])
        sums = [sparse.csr_matrix(weight[None, :]) if i == k else None for i in range(len(sizes))]
        blocks.append([None, *sums, sparse.csr_matrix([[1.0]])])
    blocks.append([sparse.csr_matrix(np.ones((1, m))), *[None] * len(sizes), None])
    low = np.concatenate(
        [np.r_[np.zeros(n), value] for n, value in zip(sizes, best, strict=True)] + [[float(p)]]
    )
    high = np.full(low.size, np.inf)
    high[-1] = p
    tries = {tuple(greedy_sites(one, p).tolist()) for one in states}
    value, first = min((_regret(states, np.array(one), best), one) for one in sorted(tries))
    start = np.zeros(m + total + 1)
    start[list(first)] = 1
    at = m
    for covers, weight in parts:
        start[at : at + weight.size] = (covers @ start[:m]) > 0
        at += weight.size
    start[-1] = value
    answer = minimise(
        np.r_[np.zeros(m + total), 1.0], stack(blocks), low, high,
        lower=np.r_[lower, np.zeros(total + 1)], upper=np.r_[upper, np.ones(total), np.inf],
        integer=np.r_[np.ones(m, bool), np.zeros(total + 1, bool)],
        gap=gap, max_nodes=max_nodes, start=start,
    )  # fmt: skip
    opened = np.array(first) if answer.x is None else np.flatnonzero(answer.x[:m] > 0.5)
    value = _regret(states, opened, best)
    return opened, value, min(max(answer.bound, 0.0), value)


def _regret(states: Sequence[Instance], opened: Ints, best: Sequence[float]) -> float:
    """Give the largest loss of a choice against the best of each state."""
    covered = [float(one.weight[times_covered(one, opened) > 0].sum()) for one in states]
    return max(0.0, *(b - c for b, c in zip(best, covered, strict=True)))


def cover_bound(near: Instance, p: int) -> float:
    r"""Bound what any ``p`` sites cover, without solving: cover is submodular.

    .. math:: f(S^*) \le \min_{S} \Big( f(S) + \sum_{j \in \text{top } p - p_0} f(j | S) \Big)

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Number of open sites, existing ones included.

    Returns
    -------
    float
        Taken over the sets that the greedy rule goes through.

    References
    ----------
    Leskovec et al. 2007, Cost-effective outbreak detection, doi:10.1145/1281192.1281239.
    """
    covers = coverage(near).tocsc()
    rest = near.weight.astype(np.float64).copy()
    fixed = np.flatnonzero(near.status == EXISTING)
    for j in fixed:
        rest[covers.indices[covers.indptr[j] : covers.indptr[j + 1]]] = 0.0
    free, total, best = p - fixed.size, float(near.weight.sum()), np.inf
    for _ in range(free + 1):
        gain = covers.T @ rest
        gain[near.status == EXCLUDED] = 0.0
        most = np.sort(gain)[::-1][:free].sum()
        best = min(best, total - float(rest.sum()) + float(most))
        pick = int(np.argmax(gain)) if gain.size else -1
        if pick < 0 or gain[pick] <= 0:
            break
        rest[covers.indices[covers.indptr[pick] : covers.indptr[pick + 1]]] = 0.0
    return float(min(best, total))

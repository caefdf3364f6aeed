"""Fewest sites that cover everybody: LSCP and LSCP-B."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from scipy import sparse

from riskmap.siting.cover import coverage, limits, solution_of
from riskmap.siting.greedy import greedy_cover
from riskmap.siting.problem import EXISTING, Instance, Solution, times_covered, within
from riskmap.siting.proof import infeasible_cover
from riskmap.siting.solver import minimise, stack


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

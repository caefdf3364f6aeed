"""Covering models: LSCP, LSCP-B and MCLP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from riskmap.errors import UsageError
from riskmap.i18n import text
from riskmap.siting.problem import (
    EXCLUDED,
    EXISTING,
    Instance,
    Solution,
    nearest_open,
    times_covered,
    within,
)
from riskmap.siting.proof import infeasible_cover
from riskmap.siting.proof import out_of_time as _out_of_time
from riskmap.siting.solver import minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints


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
        Whether the bound proves the value.
    extra
        Further published figures.

    Returns
    -------
    Solution
        With each demand assigned to its nearest open facility.
    """
    demand, facility, amount, uncovered = assign_nearest(instance, opened)
    return Solution(
        model=model,
        status="optimal" if optimal else "feasible",
        objective=objective,
        bound=objective if optimal else bound,
        open=np.sort(opened),
        demand_of=demand,
        facility_of=facility,
        amount=amount,
        uncovered=uncovered,
        extra=dict(extra or {}),
    )


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
    )
    if answer.x is None:
        return _out_of_time("lscp")
    opened = np.flatnonzero(answer.x > 0.5)
    bound = float(np.ceil(answer.bound - 1e-6))
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
        Seconds for each of the two models; None for no limit.
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
        time_limit=time_limit,
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

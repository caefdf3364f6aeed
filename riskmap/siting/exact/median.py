"""p-median."""

from __future__ import annotations

import time

import numpy as np

from riskmap.siting.cover import (
    check_p,
    infeasible_cover,
    infeasible_sites,
    lscp,
    out_of_time,
    solution_of,
)
from riskmap.siting.exact.branch import prove
from riskmap.siting.exact.interchange import first_sites, improved, pairs_of, total_cost
from riskmap.siting.exact.lagrange import Best, root
from riskmap.siting.problem import Instance, Solution, filled, within


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

    Greedy and interchange give sites, a Lagrangian relaxation the bound; its reduced costs decide
    facilities, and branch and bound the rest.

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
    deadline = time.perf_counter() + (np.inf if time_limit is None else time_limit)
    near = within(instance, radius)
    unmet = infeasible_cover(instance, near, model="p-median", radius=radius)
    if unmet is not None:
        return unmet
    pairs = pairs_of(near)
    begin = root(near, pairs)
    sites, value = first_sites(pairs, begin.state, p)
    if not np.isfinite(value):
        cover = lscp(near, radius=float(near.cost.max()), time_limit=time_limit)
        if cover.bound is not None and cover.bound > p:
            return infeasible_sites(near, model="p-median", p=p)
        if cover.objective is None or cover.objective > p:
            return out_of_time("p-median")
        sites, value = improved(pairs, begin.state, filled(near, cover.open, p))
    best = Best(value, sites, bool(np.all(pairs.cost == np.round(pairs.cost))))
    bound = prove(pairs, begin, p, best, gap=gap, deadline=deadline, max_nodes=max_nodes)
    value = total_cost(near, best.sites)
    return solution_of(
        near,
        best.sites,
        model="p-median",
        objective=value,
        bound=min(bound, value),
        optimal=value - bound <= 1e-9 * max(abs(value), 1e-9),
    )

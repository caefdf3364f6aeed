"""The p-median proven: branch and bound on its Lagrangian bound, the rest handed to HiGHS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from riskmap.siting.cover import (
    check_p,
    infeasible_cover,
    infeasible_sites,
    lscp,
    out_of_time,
    solution_of,
)
from riskmap.siting.exact.lagrange import (
    Best,
    Node,
    Pairs,
    close,
    first_sites,
    improved,
    lifted,
    pairs_of,
    root,
    search,
    total_cost,
)
from riskmap.siting.problem import (
    CANDIDATE,
    EXCLUDED,
    EXISTING,
    Instance,
    Solution,
    filled,
    minimise,
    stack,
    within,
)

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints


def in_question(pairs: Pairs, node: Node, best: Best) -> Pairs:
    r"""Leave out the pairs whose reduced cost excludes them from every better answer.

    .. math:: L(u) + \max(0, w_i c_{ij} - u_i) > \text{limit} \;\Rightarrow\; x_{ij} = 0

    Parameters
    ----------
    pairs
        The pairs.
    node
        Multipliers with their bound, and what is decided.
    best
        The best answer known.

    Returns
    -------
    Pairs
        The rest.
    """
    row = np.repeat(np.arange(pairs.start.size - 1), np.diff(pairs.start))
    over = np.maximum(pairs.cost - node.multipliers[row], 0.0)
    room = best.limit - node.relaxed
    return pairs.without((node.state[pairs.facility] != EXCLUDED) & (over <= room))


def finished(pairs: Pairs, node: Node, p: int, best: Best, *, gap: float, seconds: float) -> float:
    """Solve a part of the search as a sparse model.

    Parameters
    ----------
    pairs
        The pairs in question.
    node
        What is decided.
    p
        Number of sites.
    best
        The best answer known; changed when a better one is found.
    gap
        Relative gap at which to stop.
    seconds
        Time limit; may be infinite.

    Returns
    -------
    float
        Proven bound on any answer of the part that is better than the best known; infinite when
        there is none.
    """
    n, m, k = pairs.start.size - 1, node.state.size, pairs.cost.size
    row, pair = np.repeat(np.arange(n), np.diff(pairs.start)), np.arange(k)
    ones = np.ones(k)
    matrix = stack(
        [
            [None, sparse.csr_matrix((ones, (row, pair)), shape=(n, k))],
            [sparse.csr_matrix((ones, (pair, pairs.facility)), shape=(k, m)), -sparse.identity(k)],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    answer = minimise(
        np.r_[np.zeros(m), pairs.cost],
        matrix,
        np.r_[np.ones(n), np.zeros(k), float(p)],
        np.r_[np.ones(n), np.full(k, np.inf), float(p)],
        lower=np.r_[(node.state == EXISTING).astype(float), np.zeros(k)],
        upper=np.r_[(node.state != EXCLUDED).astype(float), np.ones(k)],
        integer=np.r_[np.ones(m, bool), np.zeros(k, bool)],
        time_limit=seconds if np.isfinite(seconds) else None,
        gap=gap,
    )
    if answer.x is not None:
        best.take(float(answer.objective), np.flatnonzero(answer.x[:m] > 0.5))
    if answer.infeasible or (answer.optimal and gap <= 0):
        return np.inf
    return max(node.bound, answer.bound)


CHUNK = 100
"""Turns of the subgradient method after which the pairs are thinned and the clock is read."""
ROOT_TURNS = 4000
NODE_TURNS = 240
FEW_PAIRS = 2500
"""Pairs in question up to which a part is handed to HiGHS."""
PATIENCE = 100
"""Parts after which every small enough part is handed over, not the first only."""


def prove(
    pairs: Pairs,
    start: Node,
    p: int,
    best: Best,
    *,
    gap: float = 0.0,
    deadline: float = np.inf,
    max_nodes: int | None = None,
) -> float:
    """Search all choices of sites of a p-median, leaving out the parts that a bound excludes.

    Parameters
    ----------
    pairs
        The pairs.
    start
        The whole search.
    p
        Number of sites.
    best
        The best answer known; changed when a better one is met.
    gap
        Relative gap at which to stop.
    deadline
        `time.perf_counter` at which to stop [s].
    max_nodes
        Parts after which to stop.

    Returns
    -------
    float
        A proven bound on the optimum.
    """
    full, first = _root(pairs, start, p, best, gap=gap, deadline=deadline)
    few = in_question(full, first, best)

    def lift(part: Node) -> Node | None:
        before = best.value
        lifted_part = _lift(few, part, p, best)
        if best.value < before:
            sites, value = improved(full, start.state, best.sites)
            best.take(value, sites)
        return lifted_part

    def finish(part: Node, count: int, deadline: float) -> float | None:
        if 0 < count <= PATIENCE:
            return None
        left = in_question(few, part, best)
        if left.cost.size > FEW_PAIRS:
            return None
        return finished(left, part, p, best, gap=gap, seconds=deadline - time.perf_counter())

    return search(
        first,
        p,
        best,
        lift=lift,
        finish=finish,
        gap=gap,
        deadline=deadline,
        max_nodes=max_nodes,
    )


def _root(
    pairs: Pairs, node: Node, p: int, best: Best, *, gap: float, deadline: float
) -> tuple[Pairs, Node]:
    """Raise the first bound in chunks, dropping pairs of facilities that it closes."""
    step, mark = 0.5, -np.inf
    for turn in range(0, ROOT_TURNS, CHUNK):
        node, step = lifted(pairs, node, p, best, turns=CHUNK, step=step, patience=30)
        pairs = _thinned(pairs, node.state)
        if node.bound > best.limit or close(best, node.bound, gap) or step < 2e-3:
            break
        if time.perf_counter() > deadline or not (node.state == CANDIDATE).any():
            break
        if turn % (5 * CHUNK) == 0:
            if node.bound - mark < 1e-5 * abs(node.bound):
                break
            mark = node.bound
    return pairs, node


def _thinned(pairs: Pairs, state: Ints) -> Pairs:
    kept = state[pairs.facility] != EXCLUDED
    return pairs if kept.mean() > 0.8 else pairs.without(kept)


def _lift(pairs: Pairs, part: Node, p: int, best: Best) -> Node | None:
    """Bound a part; None when it cannot hold a better answer or is fully decided."""
    mine = pairs.without(part.state[pairs.facility] != EXCLUDED)
    if (np.diff(mine.start) == 0).any():
        return None
    part, _ = lifted(mine, part, p, best, turns=NODE_TURNS, step=0.3, patience=15, most=20)
    if part.bound > best.limit or (part.state != EXCLUDED).sum() < p:
        return None
    if (part.state == CANDIDATE).any():
        return part
    sites = np.flatnonzero(part.state == EXISTING)
    best.take(improved(mine, part.state, sites, max_swaps=0)[1], sites)
    return None


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

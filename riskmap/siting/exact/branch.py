"""Branch and bound for the p-median on its Lagrangian bound."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.exact.interchange import Pairs, improved
from riskmap.siting.exact.lagrange import Best, Node, decided, lifted
from riskmap.siting.exact.reduced import finished, in_question
from riskmap.siting.problem import CANDIDATE, EXCLUDED, EXISTING

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints


CHUNK = 100
"""Turns of the subgradient method after which the pairs are thinned and the clock is read."""
ROOT_TURNS = 4000
NODE_TURNS = 240
FEW_PAIRS = 2500
"""Pairs in question up to which a part is handed to HiGHS."""
PATIENCE = 100
"""Parts after which every small enough part is handed over, not the first only."""


def search(
    first: Node,
    p: int,
    best: Best,
    *,
    lift: Callable[[Node], Node | None],
    finish: Callable[[Node, int, float], float | None],
    gap: float,
    deadline: float,
    max_nodes: int | None,
) -> float:
    """Search all choices of sites, the part with the lowest bound first.

    Parameters
    ----------
    first
        The whole search.
    p
        Number of sites.
    best
        The best answer known; changed when a better one is met.
    lift
        Bounds a part; None when it holds no better answer.
    finish
        Solves a part outright, given the parts so far and the deadline: a bound on what is better
        in it (infinite when nothing is), or None when the part is too large for that.
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
    heap: list[tuple[float, int, Node]] = [(first.bound, 0, first)]
    count = 0
    while heap:
        bound = heap[0][0]
        if bound > best.limit or close(best, bound, gap):
            break
        if time.perf_counter() > deadline or (max_nodes is not None and count >= max_nodes):
            return best.proven(bound)
        node = heapq.heappop(heap)[2]
        solved = finish(node, count, deadline)
        if solved is not None:
            if np.isfinite(solved):
                return best.proven(min([solved, *(part[0] for part in heap[:1])]))
            count += 1
            continue
        for side in (EXISTING, EXCLUDED):
            count += 1
            part = divided(node, p, side)
            if part is not None:
                part = lift(part)
            if part is not None:
                heapq.heappush(heap, (part.bound, count, part))
    return best.proven(heap[0][0]) if heap and heap[0][0] <= best.limit else best.value


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


def close(best: Best, bound: float, gap: float) -> bool:
    """Tell whether a bound proves the best answer within a gap.

    Parameters
    ----------
    best
        The best answer.
    bound
        Lagrangian bound.
    gap
        Relative gap.

    Returns
    -------
    bool
        True when the search may stop.
    """
    if not np.isfinite(best.value):
        return False
    return best.value - best.proven(bound) <= max(gap, 1e-9) * max(abs(best.value), 1e-9)


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


def divided(node: Node, p: int, side: int) -> Node | None:
    """Open or close the facility that the relaxation is least sure of.

    Parameters
    ----------
    node
        The part.
    p
        Number of sites.
    side
        Open (existing) or closed (excluded).

    Returns
    -------
    Node or None
        The smaller part; None when nothing is left to divide or too few sites are.
    """
    free = np.flatnonzero(node.state == CANDIDATE)
    if not free.size:
        return None
    pick = free[np.argmin(np.abs(node.often[free] - 0.5))]
    state = node.state.copy()
    state[pick] = side
    often = node.often.copy()
    often[pick] = 0.0
    state = decided(state, np.zeros(state.size), p, np.inf)
    if (state != EXCLUDED).sum() < p:
        return None
    return replace(node, state=state, often=often)


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

"""Branch and bound for the p-median on its Lagrangian bound."""

from __future__ import annotations

import heapq
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.interchange import Pairs, improved
from riskmap.siting.lagrange import Best, Node, decided, lifted
from riskmap.siting.problem import CANDIDATE, EXCLUDED, EXISTING
from riskmap.siting.reduced import finished, in_question

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
    """Search all choices of sites, leaving out the parts that a bound excludes.

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
    pairs, node = _root(pairs, start, p, best, gap=gap, deadline=deadline)
    full, pairs = pairs, in_question(pairs, node, best)
    heap: list[tuple[float, int, Node]] = [(node.bound, 0, node)]
    count = 0
    while heap:
        bound = heap[0][0]
        if bound > best.limit or _close(best, bound, gap):
            break
        if time.perf_counter() > deadline or (max_nodes is not None and count >= max_nodes):
            return best.proven(bound)
        node = heapq.heappop(heap)[2]
        if count == 0 or count > PATIENCE:
            left = in_question(pairs, node, best)
            if left.cost.size <= FEW_PAIRS:
                seconds = None if np.isinf(deadline) else deadline - time.perf_counter()
                bound = finished(left, node, p, best, gap=gap, seconds=seconds)
                if np.isfinite(bound):
                    return best.proven(min([bound, *(part[0] for part in heap[:1])]))
                count += 1
                continue
        for side in (EXISTING, EXCLUDED):
            count += 1
            part = _side(node, p, side)
            if part is not None:
                before = best.value
                part = _lift(pairs, part, p, best)
                if best.value < before:
                    sites, value = improved(full, start.state, best.sites)
                    best.take(value, sites)
            if part is not None:
                heapq.heappush(heap, (part.bound, count, part))
    return best.proven(heap[0][0]) if heap and heap[0][0] <= best.limit else best.value


def _close(best: Best, bound: float, gap: float) -> bool:
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
        if node.bound > best.limit or _close(best, node.bound, gap) or step < 2e-3:
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


def _side(node: Node, p: int, side: int) -> Node | None:
    """Open or close the facility that the relaxation is least sure of."""
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

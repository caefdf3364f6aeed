"""Good sites by greedy and swaps, a proven bound by Lagrangian relaxation, the search upon it."""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riskmap.siting.problem import CANDIDATE, EXCLUDED, EXISTING, Instance, nearest_open

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmap.siting.problem import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs by demand and rising weighted cost: those of demand i are start[i] .. start[i + 1]."""

    start: Ints
    facility: Ints
    cost: Floats

    def without(self, kept: NDArray[np.bool_]) -> Pairs:
        """Leave pairs out.

        Parameters
        ----------
        kept
            True for the pairs that stay; (n pairs,).

        Returns
        -------
        Pairs
            The rest.
        """
        before = np.r_[0, np.cumsum(kept)]
        return Pairs(start=before[self.start], facility=self.facility[kept], cost=self.cost[kept])


def pairs_of(instance: Instance) -> Pairs:
    """Lay the pairs out for the compiled loops.

    Parameters
    ----------
    instance
        The instance.

    Returns
    -------
    Pairs
        With weighted costs.
    """
    edges = np.arange(instance.n_demands + 1)
    return Pairs(
        start=np.searchsorted(instance.demand_of, edges).astype(np.int64),
        facility=instance.facility_of,
        cost=np.asarray(instance.weight[instance.demand_of] * instance.cost, np.float64),
    )


def total_cost(instance: Instance, opened: Ints) -> float:
    """Sum weight times cost to the nearest open facility.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities.

    Returns
    -------
    float
        Infinite when a demand cannot be reached.
    """
    _, cost = nearest_open(instance, opened)
    return float((instance.weight * cost).sum()) if np.isfinite(cost).all() else np.inf


def interchange(instance: Instance, opened: Ints, *, max_swaps: int = 500) -> Ints:
    """Swap open and closed facilities while a swap lowers the cost (Teitz and Bart).

    All swaps are valued at once from each demand's two nearest open facilities; a demand that
    loses its last facility counts a large cost.

    Parameters
    ----------
    instance
        The instance.
    opened
        Facilities to start from.
    max_swaps
        Limit of swaps.

    Returns
    -------
    ndarray
        Open facilities that no single swap betters.

    References
    ----------
    Whitaker 1983, A fast algorithm for the greedy interchange, doi:10.1080/03155986.1983.11731889.
    """
    return improved(pairs_of(instance), instance.status, opened, max_swaps=max_swaps)[0]


def improved(
    pairs: Pairs, state: Ints, opened: Ints, *, max_swaps: int = 500
) -> tuple[Ints, float]:
    """Swap sites while that helps.

    Parameters
    ----------
    pairs
        The pairs.
    state
        State of each facility.
    opened
        Sites to start from.
    max_swaps
        Limit of swaps.

    Returns
    -------
    tuple
        Sites and their cost, infinite when they leave a demand unreached.
    """
    sites, value = swaps(
        pairs.start, pairs.facility, pairs.cost, state, opened, _far(pairs), max_swaps
    )
    return np.sort(sites), float(value)


def first_sites(pairs: Pairs, state: Ints, p: int) -> tuple[Ints, float]:
    """Open greedily, then swap.

    Parameters
    ----------
    pairs
        The pairs.
    state
        State of each facility.
    p
        Number of sites.

    Returns
    -------
    tuple
        Sites and their cost, infinite when they leave a demand unreached.
    """
    sites = greedy(pairs.start, pairs.facility, pairs.cost, state, p, _far(pairs))
    return improved(pairs, state, sites)


def _far(pairs: Pairs) -> float:
    """Give a cost that no demand pays if another choice reaches it."""
    return float(pairs.cost.max(initial=0.0)) * (pairs.start.size + 1) + 1


F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
B = NDArray[np.bool_]

FREE, OPEN, SHUT = 0, 1, 2
"""State of a facility: undecided, open, closed (the codes of candidate, existing, excluded)."""


@njit(cache=True, nogil=True)
def _next_site(start: I, facility: I, cost: F, state: I, taken: B, now: F) -> int:
    """Find the next open facility, else the one whose opening saves most."""
    for j in range(state.size):
        if state[j] == OPEN and not taken[j]:
            return j
    gain = np.zeros(state.size)
    for i in range(now.size):
        for k in range(start[i], start[i + 1]):
            if cost[k] >= now[i]:
                break
            gain[facility[k]] += now[i] - cost[k]
    pick = -1
    for j in range(state.size):
        usable = state[j] != SHUT and not taken[j]
        if usable and (pick < 0 or gain[j] > gain[pick]):
            pick = j
    return pick


@njit(cache=True, nogil=True)
def greedy(start: I, facility: I, cost: F, state: I, p: int, far: float) -> I:
    """Open the facility that saves most, one after another; the open ones first.

    Parameters
    ----------
    start, facility, cost
        The pairs.
    state
        State of each facility.
    p
        Number of facilities.
    far
        Cost of a demand that is not reached.

    Returns
    -------
    ndarray
        The facilities; (p,).
    """
    now = np.full(start.size - 1, far)
    taken = np.zeros(state.size, np.bool_)
    chosen = np.zeros(p, np.int64)
    for t in range(p):
        pick = _next_site(start, facility, cost, state, taken, now)
        chosen[t] = pick
        taken[pick] = True
        for i in range(now.size):
            for k in range(start[i], start[i + 1]):
                if cost[k] >= now[i]:
                    break
                if facility[k] == pick:
                    now[i] = cost[k]
                    break
    return chosen


@njit(cache=True, nogil=True)
def _two_nearest(
    start: I, facility: I, cost: F, slot: I, far: float, first: F, second: F, owner: I
) -> None:
    """Find the cost of the two nearest open facilities of each demand, and the nearest's slot."""
    for i in range(start.size - 1):
        first[i], second[i], owner[i] = far, far, -1
        for k in range(start[i], start[i + 1]):
            if slot[facility[k]] >= 0:
                if owner[i] < 0:
                    first[i], owner[i] = cost[k], slot[facility[k]]
                else:
                    second[i] = cost[k]
                    break


@njit(cache=True, nogil=True)
def _swap_worth(
    start: I, facility: I, cost: F, first: F, second: F, owner: I, m: int, p: int
) -> tuple[F, F, F]:
    """Sum what opening saves, what closing costs, and what of that the pair of both spares."""
    gain, loss, both = np.zeros(m), np.zeros(p), np.zeros((m, p))
    for i in range(first.size):
        r = owner[i]
        if r >= 0:
            loss[r] += second[i] - first[i]
        for k in range(start[i], start[i + 1]):
            if cost[k] >= second[i]:
                break
            j = facility[k]
            if cost[k] < first[i]:
                gain[j] += first[i] - cost[k]
            if r >= 0:
                both[j, r] += second[i] - max(first[i], cost[k])
    return gain, loss, both


@njit(cache=True, nogil=True)
def _best_swap(
    gain: F, loss: F, both: F, slot: I, state: I, current: I, least: float
) -> tuple[int, int]:
    """Find the facility to open and the place that it takes; -1 when none is worth it."""
    best, enter, leave = least, -1, -1
    for j in range(state.size):
        if slot[j] >= 0 or state[j] == SHUT:
            continue
        for r in range(current.size):
            net = gain[j] - loss[r] + both[j, r]
            if net > best and state[current[r]] != OPEN:
                best, enter, leave = net, j, r
    return enter, leave


@njit(cache=True, nogil=True)
def swaps(
    start: I, facility: I, cost: F, state: I, chosen: I, far: float, most: int
) -> tuple[I, float]:
    """Swap open and closed facilities while the best swap lowers the cost.

    Parameters
    ----------
    start, facility, cost
        The pairs.
    state
        State of each facility.
    chosen
        Facilities to start from.
    far
        Cost of a demand that is not reached.
    most
        Limit of swaps.

    Returns
    -------
    tuple
        The facilities and their cost, infinite when they leave a demand unreached.
    """
    n, m, p = start.size - 1, state.size, chosen.size
    current, slot = chosen.copy(), np.full(m, -1)
    for r in range(p):
        slot[current[r]] = r
    first, second, owner = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    for turn in range(most + 1):
        _two_nearest(start, facility, cost, slot, far, first, second, owner)
        total, value = 0.0, 0.0
        for i in range(n):
            total += first[i]
            value += first[i] if owner[i] >= 0 else np.inf
        if turn == most:
            break
        gain, loss, both = _swap_worth(start, facility, cost, first, second, owner, m, p)
        enter, leave = _best_swap(gain, loss, both, slot, state, current, 1e-9 * max(1.0, total))
        if enter < 0:
            break
        slot[current[leave]], slot[enter] = -1, leave
        current[leave] = enter
    return current, value


@dataclass(frozen=True, kw_only=True)
class Node:
    """A part of the search: what is decided, and what its relaxation proves."""

    bound: float
    state: Ints
    """0 undecided, 1 open, 2 closed; (n facilities,)."""
    multipliers: Floats
    relaxed: float
    """Lagrangian value at the multipliers; less than the bound when a part above proves more."""
    often: Floats
    """Running share of turns in which each facility was picked."""


def root(instance: Instance, pairs: Pairs) -> Node:
    """Begin with nothing decided but the status of the facilities.

    Parameters
    ----------
    instance
        The instance.
    pairs
        Its pairs.

    Returns
    -------
    Node
        Multipliers halfway between each demand's two nearest facilities.
    """
    state = np.full(instance.n_facilities, CANDIDATE, np.int64)
    state[instance.status == EXISTING] = EXISTING
    state[instance.status == EXCLUDED] = EXCLUDED
    first, last = pairs.start[:-1], pairs.start[1:] - 1
    second = np.minimum(first + 1, last)
    return Node(
        bound=-np.inf,
        state=state,
        multipliers=(pairs.cost[first] + pairs.cost[second]) / 2,
        relaxed=-np.inf,
        often=np.zeros(instance.n_facilities),
    )


def decided(state: Ints, reduced: Floats, p: int, room: float) -> Ints:
    """Decide facilities that reduced costs prove closed, or open, in every better answer.

    Parameters
    ----------
    state
        State of each facility.
    reduced
        Reduced cost of opening each facility.
    p
        Number of sites.
    room
        How far the bound may rise without excluding a better answer.

    Returns
    -------
    ndarray
        The new state.
    """
    new = state.copy()
    free = np.flatnonzero(state == CANDIDATE)
    count = p - int((state == EXISTING).sum())
    order = free[np.argsort(reduced[free], kind="stable")]
    inside, outside = order[:count], order[count:]
    if inside.size and outside.size:
        new[outside[reduced[outside] - reduced[inside].max() > room]] = EXCLUDED
        new[inside[reduced[outside].min() - reduced[inside] > room]] = EXISTING
    if (new == EXISTING).sum() == p:
        new[new == CANDIDATE] = EXCLUDED
    elif (new != EXCLUDED).sum() == p:
        new[new == CANDIDATE] = EXISTING
    return new


@dataclass
class Best:
    """The best sites so far, and the bound from which on a part need not be searched."""

    value: float
    sites: Ints
    whole: bool
    """Whether every cost is a whole number, so that a better answer is better by 1."""

    @property
    def limit(self) -> float:
        """A part whose bound exceeds this has no better answer.

        Returns
        -------
        float
            In units of the cost.
        """
        if not np.isfinite(self.value):
            return np.inf
        return self.value - 1 + 1e-6 if self.whole else self.value - 1e-9 * abs(self.value)

    def take(self, value: float, sites: Ints) -> None:
        """Keep an answer if it is better.

        Parameters
        ----------
        value
            Its cost.
        sites
            Its sites.
        """
        if value < self.value - 1e-12 * abs(value):
            self.value, self.sites = float(value), sites

    def proven(self, bound: float) -> float:
        """Turn a relaxation's bound into the bound on the optimum that it proves.

        Parameters
        ----------
        bound
            Lagrangian bound.

        Returns
        -------
        float
            Rounded up for whole costs, at most the value.
        """
        return min(float(np.ceil(bound - 1e-6)) if self.whole else bound, self.value)


def lifted(
    pairs: Pairs,
    node: Node,
    p: int,
    best: Best,
    *,
    turns: int,
    step: float,
    patience: int,
    most: int = 200,
) -> tuple[Node, float]:
    r"""Raise the bound of a part, decide what its reduced costs prove, note better answers.

    .. math:: L(u) = \sum_i u_i + \min_{|S| = p} \sum_{j \in S} \sum_i \min(0, w_i c_{ij} - u_i)

    Parameters
    ----------
    pairs
        The pairs still in question.
    node
        The part.
    p
        Number of sites.
    best
        The best answer so far; changed when a better one is met.
    turns, step, patience
        Of the subgradient method.
    most
        Limit of the swaps that better the rounded answer.

    Returns
    -------
    tuple
        The part with its new bound, and the length of the last step.

    References
    ----------
    Cornuejols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789; Beasley 1985,
    doi:10.1016/0377-2217(85)90040-2.
    """
    often = node.often.copy()
    bound, u, reduced, value, picked, bettered, last = ascend(
        pairs.start,
        pairs.facility,
        pairs.cost,
        node.state,
        p,
        node.multipliers,
        often,
        best.value,
        best.limit,
        turns,
        step,
        patience,
    )
    if bettered:
        best.take(value, np.flatnonzero(picked))
    if best.value - bound > 1e-9 * abs(best.value):
        sites, cost = improved(pairs, node.state, rounded(node.state, often, p), max_swaps=most)
        best.take(cost, sites)
    bound = float(bound)
    after = replace(
        node,
        bound=max(node.bound, bound),
        state=decided(node.state, reduced, p, best.limit - bound),
        multipliers=u,
        relaxed=bound,
        often=often,
    )
    return after, float(last)


def rounded(state: Ints, often: Floats, p: int) -> Ints:
    """Open the facilities that the relaxation picked most often.

    Parameters
    ----------
    state
        State of each facility.
    often
        Running share of turns in which each was picked.
    p
        Number of sites.

    Returns
    -------
    ndarray
        Sites; (p,).
    """
    key = np.where(state == EXISTING, np.inf, np.where(state == EXCLUDED, -np.inf, often))
    return np.sort(np.argsort(-key, kind="stable")[:p])


@njit(cache=True, nogil=True)
def _smallest(keys: F, size: int, rank: int) -> float:
    """Find the key of a rank among the first keys, changing their order."""
    low, high = 0, size - 1
    while low < high:
        pivot = keys[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return float(keys[rank])


@njit(cache=True, nogil=True)
def cheapest(rho: F, state: I, p: int, picked: B, keys: F) -> float:
    """Pick the open facilities and the cheapest undecided ones.

    Parameters
    ----------
    rho
        Reduced cost of each facility.
    state
        State of each facility.
    p
        Number of facilities.
    picked
        Result; (n facilities,).
    keys
        Room to sort in; (n facilities,).

    Returns
    -------
    float
        Sum of their reduced costs.
    """
    total, wanted, size = 0.0, p, 0
    for j in range(state.size):
        picked[j] = state[j] == OPEN
        if picked[j]:
            total += rho[j]
            wanted -= 1
        elif state[j] == FREE:
            keys[size] = rho[j]
            size += 1
    if wanted <= 0:
        return total
    last = _smallest(keys, size, wanted - 1)
    for ties in range(2):
        for j in range(state.size):
            fits = rho[j] == last if ties else rho[j] < last
            if wanted > 0 and state[j] == FREE and fits:
                picked[j] = True
                total += rho[j]
                wanted -= 1
    return total


@njit(cache=True, nogil=True)
def _cost_of(start: I, facility: I, cost: F, picked: B) -> float:
    """Sum each demand's cost to its nearest picked facility; infinite when one is not reached."""
    total = 0.0
    for i in range(start.size - 1):
        reached = False
        for k in range(start[i], start[i + 1]):
            if picked[facility[k]]:
                total += cost[k]
                reached = True
                break
        if not reached:
            return np.inf
    return total


@njit(cache=True, nogil=True)
def _reduced(start: I, facility: I, cost: F, u: F, rho: F) -> float:
    """Compute each facility's reduced cost; the sum of the multipliers."""
    for j in range(rho.size):
        rho[j] = 0.0
    total = 0.0
    for i in range(u.size):
        total += u[i]
        for k in range(start[i], start[i + 1]):
            if cost[k] >= u[i]:
                break
            rho[facility[k]] += cost[k] - u[i]
    return total


@njit(cache=True, nogil=True)
def ascend(
    start: I,
    facility: I,
    cost: F,
    state: I,
    p: int,
    multipliers: F,
    often: F,
    value: float,
    goal: float,
    turns: int,
    step: float,
    patience: int,
) -> tuple[Any, ...]:
    """Raise the Lagrangian bound of the p-median by a deflected subgradient method.

    Parameters
    ----------
    start, facility, cost
        The pairs.
    state
        State of each facility; at least ``p`` are not closed.
    p
        Number of facilities.
    multipliers
        Where to begin; (n demands,).
    often
        Running share of turns in which each facility was picked, changed in place.
    value
        Cost of the best answer known; may be infinite.
    goal
        Bound at which to stop.
    turns, step, patience
        Number of turns, first length of a step, turns without progress until it is shortened.

    Returns
    -------
    tuple
        Bound, its multipliers and reduced costs; value and sites (mask) of the best answer met,
        and whether it betters the known one; length of the last step.
    """
    n, m = start.size - 1, state.size
    u, top_u = multipliers.copy(), multipliers.copy()
    rho, top_rho, keys, top = np.zeros(m), np.zeros(m), np.zeros(m), -np.inf
    picked, sites, direction = np.zeros(m, np.bool_), np.zeros(m, np.bool_), np.zeros(n)
    idle, first = 0, value
    for _ in range(turns):
        bound = _reduced(start, facility, cost, u, rho) + cheapest(rho, state, p, picked, keys)
        idle = 0 if bound > top + 1e-7 * abs(top) else idle + 1
        if bound > top:
            top = bound
            _copy(u, top_u)
            _copy(rho, top_rho)
        for j in range(m):
            often[j] = 0.97 * often[j] + 0.03 * picked[j]
        tried = _cost_of(start, facility, cost, picked)
        if tried < value:
            value = tried
            for j in range(m):
                sites[j] = picked[j]
        if top >= goal or value - top <= 1e-9 * abs(value) or step < 1e-3:
            break
        if idle >= patience:
            step, idle = 0.7 * step, 0
            _copy(top_u, u)
            for i in range(n):
                direction[i] = 0.0
            continue
        norm = _turned(start, facility, cost, u, picked, direction)
        if norm < 1e-12:
            break
        target = 1.005 * value if value < np.inf else 1.2 * abs(bound) + 1.0
        length = step * (target - bound) / norm
        for i in range(n):
            u[i] += length * direction[i]
    return top, top_u, top_rho, value, sites, value < first, step


@njit(cache=True, nogil=True)
def _copy(source: F, target: F) -> None:
    """Copy numbers into an array that is there."""
    for i in range(source.size):
        target[i] = source[i]


@njit(cache=True, nogil=True)
def _turned(start: I, facility: I, cost: F, u: F, picked: B, direction: F) -> float:
    """Turn the direction halfway to the subgradient; its squared length."""
    norm = 0.0
    for i in range(u.size):
        slope = 1.0
        for k in range(start[i], start[i + 1]):
            if cost[k] >= u[i]:
                break
            if picked[facility[k]]:
                slope -= 1.0
        direction[i] = 0.5 * (slope + direction[i])
        norm += direction[i] ** 2
    return norm


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

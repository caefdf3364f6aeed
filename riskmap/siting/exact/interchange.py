"""Good sites for the p-median: greedy, then swaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riskmap.siting.problem import Instance, nearest_open

if TYPE_CHECKING:
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

OPEN, SHUT = 1, 2
"""State of a facility: open, closed (the codes of existing and excluded); 0 is undecided."""


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

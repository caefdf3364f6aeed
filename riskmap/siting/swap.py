"""Compiled loops of the p-median: greedy start and interchange.

Pairs are laid out by demand and, within a demand, by rising cost: pairs of demand ``i`` are
``start[i] .. start[i + 1]``, so that a loop ends at the first pair that cannot matter.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

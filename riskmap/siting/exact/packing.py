"""Compiled search for good answers to the capacitated p-median: assignments, swaps of sites."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
B = NDArray[np.bool_]

OPEN, SHUT = 1, 2
"""State of a facility (the codes of existing and excluded); 0 is undecided."""


@njit(cache=True, nogil=True)
def _two_best(cost: F, size: I, sites: I, left: I, i: int, one: F, two: F, at: I, next_: I) -> None:
    """Find the two cheapest sites with room for a demand."""
    one[i], two[i], at[i], next_[i] = np.inf, np.inf, -1, -1
    for r in range(sites.size):
        c = cost[i, sites[r]]
        if left[r] >= size[i] and c < two[i]:
            if c < one[i]:
                two[i], next_[i] = one[i], at[i]
                one[i], at[i] = c, r
            else:
                two[i], next_[i] = c, r


@njit(cache=True, nogil=True)
def _placed(cost: F, size: I, room: I, sites: I, by_size: int, place: I, left: I) -> bool:
    """Place the unplaced one after another, the one with most to lose (or the largest) first."""
    n, wanted = size.size, 0
    for r in range(sites.size):
        left[r] = room[sites[r]]
    for i in range(n):
        if place[i] >= 0:
            left[place[i]] -= size[i]
        else:
            wanted += 1
    one, two = np.zeros(n), np.zeros(n)
    at, next_ = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    filled = -2
    for _ in range(wanted):
        best, who = -1.0, -1
        for i in range(n):
            if place[i] >= 0:
                continue
            near = at[i] == filled or next_[i] == filled
            if filled == -2 or (near and left[filled] < size[i]):
                _two_best(cost, size, sites, left, i, one, two, at, next_)
            if at[i] < 0:
                return False
            rank = float(size[i]) if by_size == 1 else (two[i] - one[i])
            if rank > best:
                best, who = rank, i
        filled = at[who]
        place[who] = filled
        left[filled] -= size[who]
    return True


@njit(cache=True, nogil=True)
def _shifted(cost: F, size: I, sites: I, place: I, left: I) -> bool:
    """Move single demands where that is cheaper; whether one moved."""
    moved = False
    for i in range(size.size):
        a = place[i]
        for r in range(sites.size):
            if left[r] >= size[i] and cost[i, sites[r]] < cost[i, sites[place[i]]] - 1e-9:
                left[place[i]] += size[i]
                left[r] -= size[i]
                place[i] = r
        moved = moved or place[i] != a
    return moved


@njit(cache=True, nogil=True)
def _exchanged(cost: F, size: I, sites: I, place: I, left: I) -> bool:
    """Let pairs of demands change places where that is cheaper; whether one did."""
    moved = False
    for i in range(size.size):
        for k in range(i):
            a, b = place[i], place[k]
            d = size[i] - size[k]
            if a == b or left[b] < d or left[a] < -d:
                continue
            now = cost[i, sites[a]] + cost[k, sites[b]]
            if cost[i, sites[b]] + cost[k, sites[a]] < now - 1e-9:
                place[i], place[k] = b, a
                left[a] += d
                left[b] -= d
                moved = True
    return moved


@njit(cache=True, nogil=True)
def _way_out(cost: F, size: I, sites: I, left: I, k: int, a: int, b: int, more: int) -> int:
    """Find the cheapest place other than b for a demand, where place a has more room."""
    best, at = np.inf, -1
    for c in range(sites.size):
        free = left[c] + more if c == a else left[c]
        if c != b and free >= size[k] and cost[k, sites[c]] < best:
            best, at = cost[k, sites[c]], c
    return at


@njit(cache=True, nogil=True)
def _ejected(cost: F, size: I, sites: I, place: I, left: I) -> bool:
    """Move a demand into a full place whose other demand moves on, where that is cheaper."""
    moved = False
    for k in range(size.size):
        for i in range(size.size):
            a, b = place[i], place[k]
            if a == b or left[b] + size[k] < size[i]:
                continue
            saved = cost[i, sites[a]] - cost[i, sites[b]]
            if saved <= 1e-9:
                continue
            c = _way_out(cost, size, sites, left, k, a, b, size[i])
            if c < 0 or cost[k, sites[c]] - cost[k, sites[b]] >= saved - 1e-9:
                continue
            place[i], place[k] = b, c
            left[a] += size[i]
            left[b] += size[k] - size[i]
            left[c] -= size[k]
            moved = True
    return moved


@njit(cache=True, nogil=True)
def assign(cost: F, size: I, room: I, sites: I) -> tuple[float, I]:
    """Assign every demand to a site within the places: greedy, then shifts and exchanges.

    Parameters
    ----------
    cost
        Weighted cost, infinite where there is no pair; (n demands, n facilities).
    size, room
        Size of each demand, places of each facility.
    sites
        The sites.

    Returns
    -------
    tuple
        Cost, infinite when no assignment was found, and position in ``sites`` of each demand.
    """
    place, left = np.zeros(size.size, np.int64), np.zeros(sites.size, np.int64)
    best, kept = np.inf, place.copy()
    for by_size in range(2):
        for i in range(size.size):
            place[i] = -1
        if not _placed(cost, size, room, sites, by_size, place, left):
            continue
        while _shifted(cost, size, sites, place, left) or _exchanged(
            cost, size, sites, place, left
        ):
            pass
        total = 0.0
        for i in range(size.size):
            total += cost[i, sites[place[i]]]
        if total < best:
            best = total
            for i in range(size.size):
                kept[i] = place[i]
    return best, kept


@njit(cache=True, nogil=True)
def complete(cost: F, size: I, room: I, sites: I, place: I, deep: int) -> B:
    """Place what is not placed yet, then shift and exchange demands while that is cheaper.

    Parameters
    ----------
    cost, size, room, sites
        As for `assign`; one site must have room for everybody.
    place
        Position in ``sites`` of each demand, -1 when it has none; changed in place.
    deep
        1 to let demands push others on, too.

    Returns
    -------
    ndarray
        Whether there was a place for each demand; (n demands,).
    """
    left = np.zeros(sites.size, np.int64)
    _placed(cost, size, room, sites, 0, place, left)
    while (
        _shifted(cost, size, sites, place, left)
        or _exchanged(cost, size, sites, place, left)
        or (deep == 1 and _ejected(cost, size, sites, place, left))
    ):
        pass
    return place >= 0


@njit(cache=True, nogil=True)
def replaced(cost: F, size: I, room: I, sites: I, place: I, centres: I, around: int) -> float:
    """Empty the sites around one demand after another, place their demands anew, keep the better.

    Parameters
    ----------
    cost, size, room, sites
        As for `assign`; one site must have room for everybody.
    place
        Position in ``sites`` of each demand; changed in place.
    centres
        The demands around whose cheapest sites to empty.
    around
        Most sites to empty at once, less one.

    Returns
    -------
    float
        Cost.
    """
    n, p = size.size, sites.size
    least, trial = 0.0, place.copy()
    for i in range(n):
        least += cost[i, sites[place[i]]]
    for turn in range(centres.size):
        centre = centres[turn]
        emptied = np.zeros(p, np.bool_)
        for _ in range(min(2 + turn % around, p)):
            pick = -1
            for r in range(p):
                closer = pick < 0 or cost[centre, sites[r]] < cost[centre, sites[pick]]
                if not emptied[r] and closer:
                    pick = r
            emptied[pick] = True
        for i in range(n):
            trial[i] = -1 if emptied[place[i]] else place[i]
        complete(cost, size, room, sites, trial, 0)
        total = 0.0
        for i in range(n):
            total += cost[i, sites[trial[i]]]
        if total < least - 1e-9:
            least = total
            for i in range(n):
                place[i] = trial[i]
    complete(cost, size, room, sites, place, 1)
    return least


@njit(cache=True, nogil=True)
def _floor(cost: F, sites: I, stop: float) -> float:
    """Sum the nearest costs of the demands, until they reach a limit."""
    total = 0.0
    for i in range(cost.shape[0]):
        least = np.inf
        for r in range(sites.size):
            least = min(least, cost[i, sites[r]])
        total += least
        if total >= stop:
            break
    return total


@njit(cache=True, nogil=True)
def exchange_site(
    cost: F, size: I, room: I, sites: I, r: int, others: I, best: float, place: I
) -> tuple[float, I]:
    """Put another facility in the place of one site while the assignment gets cheaper.

    Parameters
    ----------
    cost, size, room
        As for `assign`.
    sites
        The sites; changed in place.
    r
        Position of the site.
    others
        Closed facilities to try.
    best
        Cost of the assignment to the sites.
    place
        Position in ``sites`` of each demand.

    Returns
    -------
    tuple
        Cost, and position of each demand.
    """
    for j in others:
        old = sites[r]
        sites[r] = j
        value = np.inf
        if _floor(cost, sites, best) < best:
            value, spot = assign(cost, size, room, sites)
        if value < best - 1e-9:
            best, place = value, spot
        else:
            sites[r] = old
    return best, place

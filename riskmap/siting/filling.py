"""Compiled loops of the capacitated p-median: knapsacks and their subgradient ascent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riskmap.siting.ascent import cheapest

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
B = NDArray[np.bool_]

SHUT = 2
"""State of a closed facility (the code of excluded)."""


@njit(cache=True, nogil=True)
def _fill(start: I, demand: I, cost: F, size: I, room: I, u: F, j: int, table: F, took: B) -> None:
    """Solve a knapsack: least sum by places, and whether each pair helps at that many places."""
    most = room[j]
    for q in range(most + 1):
        table[q] = 0.0
    for k in range(start[j], start[j + 1]):
        i = demand[k]
        worth, s, line = cost[k] - u[i], size[i], k - start[j]
        for q in range(most + 1):
            took[line, q] = False
        if worth >= 0.0:
            continue
        for q in range(most, s - 1, -1):
            with_it = table[q - s] + worth
            if with_it < table[q]:
                table[q] = with_it
                took[line, q] = True


@njit(cache=True, nogil=True)
def _taken(start: I, demand: I, size: I, room: I, j: int, took: B, inside: B) -> None:
    """Read off which pairs of a facility its knapsack takes."""
    q = room[j]
    for k in range(start[j + 1] - 1, start[j] - 1, -1):
        inside[k] = took[k - start[j], q]
        if inside[k]:
            q -= size[demand[k]]


@njit(cache=True, nogil=True)
def _fill_all(
    start: I,
    demand: I,
    cost: F,
    size: I,
    room: I,
    state: I,
    u: F,
    table: F,
    took: B,
    rho: F,
    inside: B,
) -> None:
    """Solve every knapsack that is not closed: its value, and the pairs that it takes."""
    for j in range(room.size):
        if state[j] != SHUT:
            _fill(start, demand, cost, size, room, u, j, table, took)
            rho[j] = table[room[j]]
            _taken(start, demand, size, room, j, took, inside)


@njit(cache=True, nogil=True)
def _turned_to(start: I, demand: I, inside: B, picked: B, slope: F, direction: F) -> float:
    """Turn the direction halfway to the subgradient; its squared length."""
    for i in range(slope.size):
        slope[i] = 1.0
    for j in range(picked.size):
        if picked[j]:
            for k in range(start[j], start[j + 1]):
                slope[demand[k]] -= inside[k]
    norm = 0.0
    for i in range(slope.size):
        direction[i] = 0.5 * (slope[i] + direction[i])
        norm += direction[i] ** 2
    return norm


@njit(cache=True, nogil=True)
def ascend_filled(
    start: I,
    demand: I,
    cost: F,
    size: I,
    room: I,
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
    """Raise the Lagrangian bound of the capacitated p-median by a deflected subgradient method.

    Parameters
    ----------
    start, demand, cost
        Pairs by facility.
    size, room
        Size of each demand, places of each facility.
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
        Bound, its multipliers, reduced costs and picked facilities; length of the last step.
    """
    n, m = size.size, room.size
    longest, most = 1, 0
    for j in range(m):
        longest, most = max(longest, start[j + 1] - start[j]), max(most, room[j])
    table, took = np.zeros(most + 1), np.zeros((longest, most + 1), np.bool_)
    inside = np.zeros(cost.size, np.bool_)
    u, top_u, top = multipliers.copy(), multipliers.copy(), -np.inf
    rho, top_rho, keys = np.zeros(m), np.zeros(m), np.zeros(m)
    picked, top_picked = np.zeros(m, np.bool_), np.zeros(m, np.bool_)
    slope, direction, idle = np.zeros(n), np.zeros(n), 0
    for _ in range(turns):
        _fill_all(start, demand, cost, size, room, state, u, table, took, rho, inside)
        bound = u.sum() + cheapest(rho, state, p, picked, keys)
        idle = 0 if bound > top + 1e-7 * abs(top) else idle + 1
        if bound > top:
            top = bound
            for i in range(n):
                top_u[i] = u[i]
            for j in range(m):
                top_rho[j], top_picked[j] = rho[j], picked[j]
        if top >= goal or step < 1e-3:
            break
        for j in range(m):
            often[j] = 0.97 * often[j] + 0.03 * picked[j]
        if idle >= patience:
            step, idle = 0.7 * step, 0
            for i in range(n):
                u[i], direction[i] = top_u[i], 0.0
            continue
        norm = _turned_to(start, demand, inside, picked, slope, direction)
        if norm < 1e-12:
            break
        target = 1.005 * value if value < np.inf else 1.2 * abs(bound) + 1.0
        for i in range(n):
            u[i] += step * (target - bound) / norm * direction[i]
    return top, top_u, top_rho, top_picked, step


@njit(cache=True, nogil=True)
def forced(start: I, demand: I, cost: F, size: I, room: I, state: I, u: F) -> tuple[F, F]:
    """Bound each facility's knapsack from below with each pair forced into it.

    Parameters
    ----------
    start, demand, cost
        Pairs by facility.
    size, room
        Size of each demand, places of each facility.
    state
        State of each facility.
    u
        Multipliers.

    Returns
    -------
    tuple
        Least sum of reduced costs with each pair, infinite when the demand has no room, (n pairs,);
        and without any forced in, (n facilities,).
    """
    longest, most = 1, 0
    for j in range(room.size):
        longest, most = max(longest, start[j + 1] - start[j]), max(most, room[j])
    table, took = np.zeros(most + 1), np.zeros((longest, most + 1), np.bool_)
    least, worth = np.full(cost.size, np.inf), np.zeros(room.size)
    for j in range(room.size):
        if state[j] == SHUT:
            continue
        _fill(start, demand, cost, size, room, u, j, table, took)
        worth[j] = table[room[j]]
        for k in range(start[j], start[j + 1]):
            margin, rest = cost[k] - u[demand[k]], room[j] - size[demand[k]]
            if rest >= 0:
                least[k] = table[room[j]] if margin < 0 else margin + table[rest]
    return least, worth

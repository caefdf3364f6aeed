"""A bound for the capacitated p-median by relaxation into knapsacks, and good answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.packing import BestAnswer
from riskmap.siting.problem import EXCLUDED, EXISTING, Instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Ints

MOST_WORK = 40_000_000
"""Table entries of all knapsacks together up to which they are solved exactly."""
SEARCH_AT = 80
"""Step of the subgradient method at which swaps of sites are searched for the first time."""


@dataclass(frozen=True)
class Packed:
    """What the relaxation found."""

    bound: float
    value: float
    """Cost of the best answer found; infinite when none was."""
    open: Ints
    facility: Ints
    """Facility of every demand in the best answer, -1 when there is none."""
    usable: NDArray[np.bool_]
    """Pairs that may be in a better answer, or are in the best one; (n pairs,)."""


def fits(near: Instance) -> bool:
    """Tell whether the knapsacks are whole-numbered and small enough to be solved exactly.

    Parameters
    ----------
    near
        The pairs that may be used.

    Returns
    -------
    bool
        True when `pack` can be called.
    """
    room = _room(near)
    whole = bool(np.all(near.size == np.round(near.size)) and np.all(near.size >= 0))
    work = near.n_demands * near.n_facilities * (float(room.max(initial=0.0)) + 1)
    return whole and work <= MOST_WORK


def _room(near: Instance) -> Floats:
    return np.asarray(np.floor(np.minimum(near.capacity, near.size.sum())), np.float64)


def pack(near: Instance, p: int, *, iterations: int = 500, seconds: float = 30.0) -> Packed:
    r"""Bound the capacitated p-median from below and find good answers on the way.

    .. math:: L(u) = \sum_i u_i + \min_{|S| = p} \sum_{j \in S} \min \Big\{ \sum_i
              (w_i c_{ij} - u_i) x_i : \sum_i s_i x_i \le q_j, \; x \in \{0, 1\} \Big\}

    A pair whose knapsack with it forced in lifts the bound above the best answer known cannot be
    in a better one.

    Parameters
    ----------
    near
        The pairs that may be used; sizes are whole numbers.
    p
        Number of open sites.
    iterations
        Steps of the subgradient method.
    seconds
        Limit for the search of assignments.

    Returns
    -------
    Packed
        Bound, answer and pairs still in question.

    References
    ----------
    Pirkul 1987, doi:10.1016/0305-0548(87)90021-9; Senne, Lorena & Pereira 2005,
    doi:10.1016/j.cor.2003.11.020.
    """
    n, m = near.n_demands, near.n_facilities
    cost = np.full((n, m), np.inf)
    cost[near.demand_of, near.facility_of] = near.weight[near.demand_of] * near.cost
    size, room = near.size.astype(np.int64), _room(near).astype(np.int64)
    whole = bool(np.all(cost[np.isfinite(cost)] == np.round(cost[np.isfinite(cost)])))
    best = BestAnswer(near, p, seconds)
    u = np.partition(cost, min(2, m - 1), axis=1)[:, min(2, m - 1)]
    u = np.where(np.isfinite(u), u, np.min(cost, axis=1))
    top, kept = -np.inf, None
    step, idle = 1.5, 0
    direction = np.zeros(n)
    for turn in range(iterations):
        if turn in (SEARCH_AT, iterations - 1):
            best.search(cost)
        reduced = cost - u[:, None]
        table, taken = _knapsacks(reduced, size, room)
        worth = table[np.arange(m), room]
        chosen = _pick(near, worth, p)
        bound = float(u.sum() + worth[chosen].sum())
        idle += 1
        if bound > top + 1e-6 * abs(top):
            idle = 0
        if bound > top:
            top, kept = bound, (u, table, worth, chosen)
            best.attempt(chosen)
        proven = np.ceil(top - 1e-6) if whole else top
        if best.value - proven <= 1e-9 * abs(best.value):
            break
        slope = 1.0 - taken[:, chosen].sum(axis=1)
        direction = slope + 0.3 * direction
        norm = float(direction @ direction)
        if norm == 0 or step < 0.005:
            best.search(cost)
            break
        if idle >= 20:
            step, idle = step * 0.6, 0
            if kept is not None:
                u = kept[0]
        goal = best.value if np.isfinite(best.value) else abs(bound) * 1.2 + 1
        u = u + step * max(goal * 1.005 - bound, 1e-6) / norm * direction
    if kept is None:
        return Packed(-np.inf, best.value, best.open, best.facility, np.ones(near.cost.size, bool))
    usable = _in_question(near, cost, kept, size, room, best.value, whole=whole)
    usable |= best.facility[near.demand_of] == near.facility_of
    bound = float(np.ceil(top - 1e-6)) if whole else top
    return Packed(min(bound, best.value), best.value, best.open, best.facility, usable)


def _knapsacks(reduced: Floats, size: Ints, room: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve every facility's knapsack; least value by room (m, q + 1), and what is taken (n, m)."""
    n, m = reduced.shape
    most = int(room.max(initial=0))
    table = np.zeros((m, most + 1))
    took = np.zeros((n, m, most + 1), bool)
    for i in range(n):
        helps = np.flatnonzero((reduced[i] < 0) & (size[i] <= room))
        if not helps.size:
            continue
        with_i = np.full((helps.size, most + 1), np.inf)
        old = table[helps]
        with_i[:, size[i] :] = old[:, : most + 1 - size[i]] + reduced[i, helps][:, None]
        better = with_i < old
        took[i, helps] = better
        table[helps] = np.where(better, with_i, old)
    taken = np.zeros((n, m), bool)
    left = room.copy()
    every = np.arange(m)
    for i in range(n - 1, -1, -1):
        taken[i] = took[i, every, left]
        left = left - np.where(taken[i], size[i], 0)
    return table, taken


def _pick(near: Instance, worth: Floats, p: int) -> Ints:
    key = worth.copy()
    key[near.status == EXCLUDED] = np.inf
    key[near.status == EXISTING] = -np.inf
    return np.sort(np.argsort(key, kind="stable")[:p])


def _in_question(
    near: Instance,
    cost: Floats,
    kept: tuple[Floats, Floats, Floats, Ints],
    size: Ints,
    room: Ints,
    value: float,
    *,
    whole: bool,
) -> NDArray[np.bool_]:
    """Find the pairs that may be in an answer better than the one known."""
    if not np.isfinite(value):
        return np.ones(near.cost.size, bool)
    u, table, worth, chosen = kept
    rows, cols = near.demand_of, near.facility_of
    bound = float(u.sum() + worth[chosen].sum())
    inside = np.zeros(near.n_facilities, bool)
    inside[chosen] = True
    movable = chosen[near.status[chosen] != EXISTING]
    worst = float(worth[movable].max()) if movable.size else -np.inf
    out = np.where(inside[cols], worth[cols], worst)
    margin = cost[rows, cols] - u[rows]
    rest = room[cols] - size[rows]
    forced = np.where(
        margin >= 0, margin + table[cols, np.maximum(rest, 0)], np.minimum(worth[cols], 0.0)
    )
    lifted = np.where(np.isfinite(out), bound - out + forced, np.inf)
    limit = value - 1 + 1e-6 if whole else value * (1 - 1e-9)
    return (rest >= 0) & (lifted <= limit)

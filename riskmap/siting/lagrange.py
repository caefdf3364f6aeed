"""A proven bound for the p-median by Lagrangian relaxation, and good sites by interchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.problem import EXCLUDED, EXISTING, Instance, nearest_open

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints


@dataclass(frozen=True)
class Relaxed:
    """The best multipliers found, with what they prove."""

    bound: float
    value: float
    """Cost of the best sites found; infinite when they leave a demand unreached."""
    open: Ints
    multipliers: Floats
    reduced: Floats
    """Reduced cost of opening each facility at the best multipliers; (n facilities,)."""


def _pair_costs(instance: Instance) -> Floats:
    return np.asarray(instance.weight[instance.demand_of] * instance.cost, np.float64)


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
    rows, cols, cost = instance.demand_of, instance.facility_of, _pair_costs(instance)
    m = instance.n_facilities
    far = float(cost.max(initial=0.0)) * 2 + 1
    current = np.asarray(opened).copy()
    for _ in range(max_swaps):
        slot = np.full(m, -1)
        slot[current] = np.arange(current.size)
        first, second, owner = _two_nearest(instance, cost, slot, far)
        # Opening j saves what its demands now pay more.
        saved = np.maximum(first[rows] - cost, 0.0)
        gain = np.bincount(cols, weights=saved, minlength=m)
        # Closing r costs its demands the way to their second; less where j takes them.
        owned = owner >= 0
        loss = np.bincount(owner[owned], weights=(second - first)[owned], minlength=current.size)
        pair_owner = owner[rows]
        helps = (pair_owner >= 0) & (cost < second[rows])
        relief = second[rows] - np.maximum(first[rows], cost)
        both = np.bincount(
            cols[helps] * current.size + pair_owner[helps],
            weights=relief[helps],
            minlength=m * current.size,
        ).reshape(m, current.size)
        net = gain[:, None] - loss[None, :] + both
        net[current] = -np.inf
        net[instance.status == EXCLUDED] = -np.inf
        net[:, instance.status[current] == EXISTING] = -np.inf
        best = int(np.argmax(net))
        if not net.flat[best] > 1e-9 * max(1.0, float(first.sum())):
            break
        enter, leave = divmod(best, current.size)
        current[leave] = enter
    return np.sort(current)


def _two_nearest(
    instance: Instance, cost: Floats, slot: Ints, far: float
) -> tuple[Floats, Floats, Ints]:
    """Cost to the nearest and second nearest open facility, and the slot of the nearest."""
    n = instance.n_demands
    usable = np.flatnonzero(slot[instance.facility_of] >= 0)
    rows = instance.demand_of[usable]
    first, second = np.full(n, far), np.full(n, far)
    owner = np.full(n, -1)
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if rows.size else rows
    first[rows[starts]] = cost[usable[starts]]
    owner[rows[starts]] = slot[instance.facility_of[usable[starts]]]
    next_up = starts + 1
    next_up = next_up[next_up < rows.size]
    same = np.isin(next_up, starts, invert=True)
    second[rows[next_up[same]]] = cost[usable[next_up[same]]]
    return first, second, owner


def relax(instance: Instance, p: int, *, iterations: int = 600, tolerance: float = 0.0) -> Relaxed:
    r"""Bound the p-median from below and find good sites on the way.

    .. math:: L(u) = \sum_i u_i + \min_{|S| = p} \sum_{j \in S} \sum_i \min(0, w_i c_{ij} - u_i)

    Parameters
    ----------
    instance
        The instance.
    p
        Number of sites.
    iterations
        Steps of the subgradient method.
    tolerance
        Relative gap at which to stop.

    Returns
    -------
    Relaxed
        Bound, sites and multipliers.

    References
    ----------
    Cornuejols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789.
    """
    rows, cols, cost = instance.demand_of, instance.facility_of, _pair_costs(instance)
    n, m = instance.n_demands, instance.n_facilities
    whole = bool(np.all(cost == np.round(cost)))
    opened = interchange(instance, _greedy(instance, cost, p))
    value = total_cost(instance, opened)
    far = float(cost.max(initial=0.0)) + 1
    nearest = np.full(n, far)
    np.minimum.at(nearest, rows, cost)
    slot = np.full(m, -1)
    slot[opened] = np.arange(opened.size)
    u = (nearest + _two_nearest(instance, cost, slot, far)[1]) / 2
    best, best_u, best_rho = -np.inf, u, np.zeros(m)
    step, idle, direction = 2.0, 0, np.zeros(n)
    for _ in range(iterations):
        margin = cost - u[rows]
        negative = margin < 0
        rho = np.bincount(cols[negative], weights=margin[negative], minlength=m).astype(np.float64)
        chosen = _cheapest(instance, rho, p)
        bound = float(u.sum() + rho[chosen].sum())
        idle += 1
        if bound > best + 1e-7 * abs(best):
            idle = 0
        if bound > best:
            best, best_u, best_rho = bound, u, rho
        picked = np.zeros(m, bool)
        picked[chosen] = True
        tried = total_cost(instance, chosen)
        if tried < value * 1.01 or not np.isfinite(value):
            better = interchange(instance, chosen, max_swaps=20)
            tried = total_cost(instance, better)
            if tried < value:
                value, opened = tried, better
        proven = np.ceil(best - 1e-6) if whole else best
        if value - proven <= max(tolerance, 1e-9) * abs(value):
            break
        slope = 1.0 - np.bincount(rows[negative & picked[cols]], minlength=n)
        direction = slope + 0.3 * direction
        norm = float(direction @ direction)
        if norm == 0 or step < 1e-3:
            break
        if idle >= 15:
            step, idle = step * 0.7, 0
            u = best_u
        target = value * 1.01 if np.isfinite(value) else abs(bound) * 1.5 + 1
        u = u + step * (target - bound) / norm * direction
    bound = float(np.ceil(best - 1e-6)) if whole else best
    return Relaxed(min(bound, value), value, opened, best_u, best_rho)


def _cheapest(instance: Instance, rho: Floats, p: int) -> Ints:
    """Choose ``p`` facilities of least reduced cost, existing ones always among them."""
    key = rho.astype(np.float64)
    key[instance.status == EXCLUDED] = np.inf
    key[instance.status == EXISTING] = -np.inf
    return np.sort(np.argsort(key, kind="stable")[:p])


def _greedy(instance: Instance, cost: Floats, p: int) -> Ints:
    """Open the facility that saves most, one after another."""
    rows, cols = instance.demand_of, instance.facility_of
    m = instance.n_facilities
    far = float(cost.max(initial=0.0)) * 2 + 1
    now = np.full(instance.n_demands, far)
    closed = instance.status != EXCLUDED
    opened = []
    forced = list(np.flatnonzero(instance.status == EXISTING))
    for k in range(p):
        if k < len(forced):
            pick = int(forced[k])
        else:
            gain = np.bincount(cols, weights=np.maximum(now[rows] - cost, 0), minlength=m)
            gain[~closed] = -1
            pick = int(np.argmax(gain))
        opened.append(pick)
        closed[pick] = False
        mine = cols == pick
        np.minimum.at(now, rows[mine], cost[mine])
    return np.asarray(opened, np.int64)

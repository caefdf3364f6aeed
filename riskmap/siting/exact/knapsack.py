"""Branch and bound for the capacitated p-median on a relaxation into knapsacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riskmap.siting.capacity_model import choose_and_assign
from riskmap.siting.exact.branch import search
from riskmap.siting.exact.interchange import first_sites, pairs_of
from riskmap.siting.exact.lagrange import Best, Node, cheapest, decided, root, rounded
from riskmap.siting.exact.packing import assign, exchange_site
from riskmap.siting.problem import CANDIDATE, EXCLUDED, Instance

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Instance, Ints


MOST_WORK = 400_000_000
"""Table entries of all knapsacks together up to which they are solved exactly."""


def fits(near: Instance) -> bool:
    """Tell whether the knapsacks are whole-numbered and small enough to be solved exactly.

    Parameters
    ----------
    near
        The pairs that may be used.

    Returns
    -------
    bool
        True when the knapsacks can be solved.
    """
    whole = bool(np.all(near.size == np.round(near.size)))
    return whole and near.cost.size * (float(room_of(near).max(initial=0)) + 1) <= MOST_WORK


def room_of(near: Instance) -> Ints:
    """Give whole places, at most as many as there are people.

    Parameters
    ----------
    near
        The instance.

    Returns
    -------
    ndarray
        Places of each facility.
    """
    return np.asarray(np.floor(np.minimum(near.capacity, near.size.sum())), np.int64)


@dataclass(frozen=True, kw_only=True)
class Loads:
    """Pairs by facility: those of facility j are start[j] .. start[j + 1]."""

    start: Ints
    demand: Ints
    cost: Floats
    size: Ints
    room: Ints

    @property
    def facility(self) -> Ints:
        """Facility of each pair.

        Returns
        -------
        Ints
            Shape (pairs,).
        """
        return np.repeat(np.arange(self.room.size), np.diff(self.start))

    @property
    def work(self) -> float:
        """Table entries of all knapsacks together.

        Returns
        -------
        float
            A count.
        """
        return self.cost.size * (float(self.room.max(initial=0)) + 1)

    def without(self, kept: NDArray[np.bool_]) -> Loads:
        """Leave pairs out.

        Parameters
        ----------
        kept
            True for the pairs that stay; (n pairs,).

        Returns
        -------
        Loads
            The rest.
        """
        before = np.r_[0, np.cumsum(kept)]
        return replace(
            self, start=before[self.start], demand=self.demand[kept], cost=self.cost[kept]
        )


def laid_out(near: Instance) -> tuple[Loads, Floats]:
    """Lay the pairs out by facility, and their weighted costs as a full matrix.

    Parameters
    ----------
    near
        The pairs that may be used.

    Returns
    -------
    tuple
        The pairs, and the matrix, infinite where there is none.
    """
    order = np.lexsort((near.demand_of, near.facility_of))
    weighted = near.weight[near.demand_of] * near.cost
    cost = np.full((near.n_demands, near.n_facilities), np.inf)
    cost[near.demand_of, near.facility_of] = weighted
    edges = np.arange(near.n_facilities + 1)
    loads = Loads(
        start=np.searchsorted(near.facility_of[order], edges).astype(np.int64),
        demand=near.demand_of[order],
        cost=np.asarray(weighted[order], np.float64),
        size=near.size.astype(np.int64),
        room=room_of(near),
    )
    return loads, cost


ROOT_TURNS, NODE_TURNS = 1500, 150
CHUNK = 100
WORK = 1_000_000_000
"""Turns of the subgradient method, and table entries, after which the clock is read."""
SITES = 16
"""Closed facilities tried in the place of an open one before the clock is read."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """An answer with its proof."""

    bound: float
    value: float
    """Cost of the best answer found; infinite when none was."""
    open: Ints
    facility: Ints
    """Facility of every demand in the best answer, -1 when there is none."""


@dataclass
class _BestPacked(Best):
    """The best sites so far, with the facility of every demand."""

    facility: Ints

    def keep(self, value: float, sites: Ints, place: Ints) -> None:
        if value < self.value - 1e-12 * abs(value):
            self.take(value, np.sort(sites))
            self.facility = sites[place]


def pack(
    near: Instance,
    p: int,
    *,
    gap: float = 0.0,
    deadline: float = np.inf,
    max_nodes: int | None = None,
) -> Packed | None:
    r"""Solve the capacitated p-median by branch and bound over its knapsacks.

    .. math:: L(u) = \sum_i u_i + \min_{|S| = p} \sum_{j \in S} \min \Big\{ \sum_i
              (w_i c_{ij} - u_i) x_i : \sum_i s_i x_i \le q_j, \; x \in \{0, 1\} \Big\}

    A pair whose knapsack with it forced in lifts the bound above the best answer known cannot be
    in a better one; where all sites are decided, HiGHS assigns what pairs are left.

    Parameters
    ----------
    near
        The pairs that may be used; sizes are whole numbers.
    p
        Number of open sites.
    gap
        Relative gap at which to stop.
    deadline
        `time.perf_counter` at which to stop [s].
    max_nodes
        Parts after which to stop.

    Returns
    -------
    Packed or None
        Answer and bound; None when no answer was met.

    References
    ----------
    Pirkul 1987, doi:10.1016/0305-0548(87)90021-9; Senne, Lorena & Pereira 2005,
    doi:10.1016/j.cor.2003.11.020.
    """
    loads, cost = laid_out(near)
    pairs = pairs_of(near)
    node = root(near, pairs)
    best = _BestPacked(
        np.inf, np.zeros(0, np.int64), bool(np.all(loads.cost == np.round(loads.cost))), node.state
    )
    begin, _ = first_sites(pairs, node.state, p)
    _exchange(loads, cost, node.state, begin, best, deadline)
    node = _lifted(loads, cost, node, p, best, turns=ROOT_TURNS, patience=30, deadline=deadline)
    if not np.isfinite(best.value):
        return None
    if (node.state != EXCLUDED).sum() >= p:
        sites = rounded(node.state, node.often, p)
        _exchange(loads, cost, node.state, sites, best, deadline)
    few = loads.without(_in_question(loads, node, p, best))

    def lift(part: Node) -> Node | None:
        part = _lifted(few, cost, part, p, best, turns=NODE_TURNS, patience=12, deadline=deadline)
        dead = part.bound > best.limit or (part.state != EXCLUDED).sum() < p
        return None if dead else part

    def finish(part: Node, _: int, deadline: float) -> float | None:
        if (part.state == CANDIDATE).any():
            return None
        left = few.without(_in_question(few, part, p, best))
        return _finished(near, left, part, p, best, gap, deadline - time.perf_counter())

    bound = search(
        node,
        p,
        best,
        lift=lift,
        finish=finish,
        gap=gap,
        deadline=deadline,
        max_nodes=max_nodes,
    )
    return Packed(bound=bound, value=best.value, open=best.sites, facility=best.facility)


def _exchange(
    loads: Loads, cost: Floats, state: Ints, sites: Ints, best: _BestPacked, deadline: float
) -> None:
    """Swap sites while the assignment to them gets cheaper, twice over all at most."""
    current = sites.copy()
    value, place = assign(cost, loads.size, loads.room, current)
    best.keep(value, current.copy(), place)
    for _ in range(2):
        before = value
        for r in map(int, np.flatnonzero(state[current] == CANDIDATE)):
            closed = np.setdiff1d(np.flatnonzero(state == CANDIDATE), current)
            for few in np.array_split(closed, closed.size // SITES + 1):
                if time.perf_counter() > deadline:
                    return
                value, place = exchange_site(
                    cost, loads.size, loads.room, current, r, few, value, place
                )
                best.keep(value, current.copy(), place)
        if value >= before:
            break


def _lifted(
    loads: Loads,
    cost: Floats,
    node: Node,
    p: int,
    best: _BestPacked,
    *,
    turns: int,
    patience: int,
    deadline: float,
) -> Node:
    """Raise the bound of a part until it is high enough or the time is up."""
    many = int(np.clip(WORK / max(loads.work, 1.0), 1, CHUNK if turns > NODE_TURNS else turns))
    step = 0.5 if turns > NODE_TURNS else 0.3
    for _ in range(0, turns, many):
        node, step = _ascended(loads, cost, node, p, best, many, step, patience)
        if time.perf_counter() > deadline or node.bound > best.limit or step < 1e-3:
            break
    return node


def _ascended(
    loads: Loads,
    cost: Floats,
    node: Node,
    p: int,
    best: _BestPacked,
    turns: int,
    step: float,
    patience: int,
) -> tuple[Node, float]:
    """Raise the bound of a part, try the sites that it picks, decide what is proven."""
    often = node.often.copy()
    bound, u, reduced, picked, last = ascend_filled(
        loads.start,
        loads.demand,
        loads.cost,
        loads.size,
        loads.room,
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
    for sites in (np.flatnonzero(picked), rounded(node.state, often, p)):
        value, place = assign(cost, loads.size, loads.room, sites)
        best.keep(value, sites, place)
    after = replace(
        node,
        bound=max(node.bound, float(bound)),
        state=decided(node.state, reduced, p, best.limit - bound),
        multipliers=u,
        relaxed=float(bound),
        often=often,
    )
    return after, float(last)


def _in_question(loads: Loads, node: Node, p: int, best: Best) -> NDArray[np.bool_]:
    """Find the pairs that may be in an answer better than the one known."""
    m = loads.room.size
    least, worth = forced(
        loads.start, loads.demand, loads.cost, loads.size, loads.room, node.state, node.multipliers
    )
    picked = np.zeros(m, bool)
    bound = node.multipliers.sum() + cheapest(worth, node.state, p, picked, np.zeros(m))
    movable = picked & (node.state == CANDIDATE)
    worst = worth[movable].max() if movable.any() else -np.inf
    out = np.where(picked, worth, worst)[loads.facility]
    usable = node.state[loads.facility] != EXCLUDED
    return np.asarray(usable & np.isfinite(least) & (bound - out + least <= best.limit))


def _finished(
    near: Instance,
    left: Loads,
    node: Node,
    p: int,
    best: _BestPacked,
    gap: float,
    seconds: float,
) -> float:
    """Solve a part with HiGHS: bound on what is better in it, infinite when nothing is."""
    part = replace(
        near,
        demand_of=left.demand,
        facility_of=left.facility,
        cost=left.cost,
        status=node.state,
    )
    answer = choose_and_assign(
        part,
        p,
        left.cost,
        serve_all=True,
        whole=True,
        time_limit=seconds if np.isfinite(seconds) else None,
        gap=gap,
        max_nodes=None,
    )
    if answer.x is not None:
        used = np.flatnonzero(answer.x[near.n_facilities :] > 0.5)
        sites = np.flatnonzero(answer.x[: near.n_facilities] > 0.5)
        place = np.zeros(near.n_demands, np.int64)
        place[left.demand[used]] = np.searchsorted(sites, left.facility[used])
        best.keep(float(left.cost[used].sum()), sites, place)
    if answer.infeasible or (answer.optimal and gap <= 0):
        return np.inf
    return max(node.bound, answer.bound)


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

"""Branch and bound for the capacitated p-median on a relaxation into knapsacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.branch import search
from riskmap.siting.capacity_model import choose_and_assign
from riskmap.siting.interchange import first_sites, pairs_of
from riskmap.siting.lagrange import Best, Node, decided, root, rounded
from riskmap.siting.loads import Loads, laid_out
from riskmap.siting.problem import CANDIDATE, EXCLUDED, Instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Ints

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
    from riskmap.siting.packing import assign, exchange_site

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
    from riskmap.siting.filling import ascend_filled
    from riskmap.siting.packing import assign

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
    from riskmap.siting.ascent import cheapest
    from riskmap.siting.filling import forced

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

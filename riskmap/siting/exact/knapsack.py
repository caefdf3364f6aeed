"""Sites with capacities proven: packing, Lagrangian bound, branch and bound, sparse model."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from riskmap.siting.exact.lagrange import (
    Best,
    Node,
    cheapest,
    decided,
    first_sites,
    pairs_of,
    root,
    rounded,
    search,
)
from riskmap.siting.problem import CANDIDATE, EXCLUDED, EXISTING, Answer, Instance, minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats, Ints


def choose_and_assign(
    near: Instance,
    p: int,
    pair_cost: Floats,
    *,
    serve_all: bool,
    whole: bool,
    time_limit: float | None,
    gap: float,
    max_nodes: int | None,
    start: Floats | None = None,
) -> Answer:
    """Choose sites and assign pairs under capacities: columns are sites, then pairs.

    Parameters
    ----------
    near
        The pairs that may be used.
    p
        Number of sites.
    pair_cost
        Cost of each pair.
    serve_all
        Whether every demand must be served.
    whole
        Whether a demand goes to one site.
    time_limit, gap, max_nodes, start
        As for `minimise`.

    Returns
    -------
    Answer
        ``x`` is sites, then pairs.
    """
    n, m, k = near.n_demands, near.n_facilities, near.cost.size
    pairs = np.arange(k)
    size = near.size[near.demand_of]
    finite = np.isfinite(near.capacity)
    serve = sparse.csr_matrix((np.ones(k), (near.demand_of, pairs)), shape=(n, k))
    link = sparse.csr_matrix((np.ones(k), (pairs, near.facility_of)), shape=(k, m))
    load = sparse.csr_matrix((size, (near.facility_of, pairs)), shape=(m, k))[finite]
    room = sparse.diags(np.where(finite, near.capacity, 0.0)).tocsr()[finite]
    matrix = stack(
        [
            [None, serve],
            [link, -sparse.identity(k)],
            [room, -load],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    n_room = int(finite.sum())
    return minimise(
        np.r_[np.zeros(m), pair_cost],
        matrix,
        np.r_[np.ones(n) if serve_all else np.zeros(n), np.zeros(k + n_room), float(p)],
        np.r_[np.ones(n), np.full(k + n_room, np.inf), float(p)],
        lower=np.r_[(near.status == EXISTING).astype(float), np.zeros(k)],
        upper=np.r_[(near.status != EXCLUDED).astype(float), np.ones(k)],
        integer=np.r_[np.ones(m, bool), np.full(k, whole)],
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
        start=start,
    )


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

"""Assignment with aims in order: each is solved to its optimum among the optima of those before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from riskmap.i18n import text
from riskmap.siting.allocation import served_solution
from riskmap.siting.cover import no_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskmap.siting.problem import Instance, Ints, Solution


def allocate_ordered(
    instance: Instance, aims: Sequence[NDArray[Any]], *, first: NDArray[np.bool_] | None = None
) -> Solution:
    r"""Serve the most people, and then each aim in turn, none giving anything back to a later one.

    .. math:: \max \sum f_{ij}, \; \text{then} \; \max \sum_{i \in V} f_{ij}, \;
              \text{then} \; \min \sum c^1_{ij} f_{ij}, \; \text{then} \; \min \sum c^2_{ij} f_{ij}

    A minimum-cost flow an aim. The flows that are best for it are those with no flow on arcs of
    positive reduced cost and full flow on arcs of negative reduced cost, so the next aim is again
    a minimum-cost flow, on what is left.

    Parameters
    ----------
    instance
        Demands with whole sizes, facilities with capacities; its own costs do not count.
    aims
        Whole cost of each pair, one array an aim, the first counting before the second.
    first
        Demands V that are served before others; None for none.

    Returns
    -------
    Solution
        Proven for all aims; ``objective`` sums the last aim.

    References
    ----------
    Ahuja, Magnanti & Orlin 1993, Network Flows, ch. 9: reduced cost optimality.
    """
    from ortools.graph.python import min_cost_flow

    n, m, k = instance.n_demands, instance.n_facilities, instance.cost.size
    supply = np.round(instance.size).astype(np.int64)
    total = int(supply.sum())
    room = np.floor(np.minimum(instance.capacity, total) + 1e-9).astype(np.int64)
    source, sink = n + m, n + m + 1
    tail = np.r_[np.full(n, source), instance.demand_of, n + np.arange(m)].astype(np.int64)
    head = np.r_[np.arange(n), n + instance.facility_of, np.full(m, sink)].astype(np.int64)
    room_of = np.r_[supply, supply[instance.demand_of], room].astype(np.int64)
    fixed = np.zeros(len(tail), np.int64)
    costs = [np.zeros(len(tail), np.int64)]
    if first is not None and first.any():
        costs.append(np.r_[np.where(first, 0, 1), np.zeros(k + m)].astype(np.int64))
    costs += [np.r_[np.zeros(n), np.asarray(aim), np.zeros(m)].astype(np.int64) for aim in aims]
    flow, value = fixed, None
    for cost in costs:
        model = min_cost_flow.SimpleMinCostFlow()
        model.add_arcs_with_capacity_and_unit_cost(
            tail.astype(np.int32), head.astype(np.int32), room_of, cost
        )
        given = np.zeros(n + m + 2, np.int64)
        sent = total if value is None else value
        given[source], given[sink] = sent, -sent
        np.subtract.at(given, tail, fixed)
        np.add.at(given, head, fixed)
        model.set_nodes_supplies(np.arange(n + m + 2, dtype=np.int32), given)
        status = model.solve_max_flow_with_min_cost() if value is None else model.solve()
        if status != model.OPTIMAL:
            why = text("the flow model failed ({s})", s=str(status))
            return no_answer("allocate", reason=str(why))
        moved = np.asarray(model.flows(np.arange(len(tail), dtype=np.int32)), np.int64)
        flow = fixed + moved
        value = int(flow[:n].sum()) if value is None else value
        reduced = _reduced(tail, head, room_of, cost, moved, n + m + 2)
        full = reduced < 0
        fixed = fixed + np.where(full, room_of, 0)
        room_of = np.where(reduced == 0, room_of, 0)
    amount = _forest(instance, flow[n : n + k], room_of[n : n + k], fixed[n : n + k])
    return served_solution(instance, amount.astype(np.float64), optimal=True, bound=None)


def _reduced(tail: Ints, head: Ints, room: Ints, cost: Ints, flow: Ints, nodes: int) -> Ints:
    """Give reduced costs that prove a flow best: positive where empty, negative where full."""
    ahead, back = np.flatnonzero(flow < room), np.flatnonzero(flow > 0)
    begin = np.r_[tail[ahead], head[back]]
    end = np.r_[head[ahead], tail[back]]
    price = np.r_[cost[ahead], -cost[back]]
    order = np.argsort(begin, kind="stable")
    start = np.r_[0, np.cumsum(np.bincount(begin, minlength=nodes))].astype(np.int64)
    potential = _potentials(start, end[order].astype(np.int64), price[order].astype(np.int64))
    return np.asarray(cost + potential[tail] - potential[head], np.int64)


@njit(cache=True, nogil=True)
def _potentials(start: Ints, end: Ints, price: Ints) -> Ints:
    """Give node prices under which no arc is cheaper than their difference (Bellman-Ford)."""
    size = start.shape[0] - 1
    dist = np.zeros(size, np.int64)
    queue = np.arange(size)
    waiting = np.ones(size, np.bool_)
    at, count = 0, size
    while count > 0:
        node = queue[at]
        at = at + 1 if at + 1 < size else 0
        count -= 1
        waiting[node] = False
        for arc in range(start[node], start[node + 1]):
            total = dist[node] + price[arc]
            if total < dist[end[arc]]:
                dist[end[arc]] = total
                if not waiting[end[arc]]:
                    waiting[end[arc]] = True
                    queue[(at + count) % size] = end[arc]
                    count += 1
    return dist


def _forest(instance: Instance, flow: Ints, room: Ints, fixed: Ints) -> Ints:
    """Shift flow round cycles, which costs nothing, until no needless piece is left."""
    free = np.flatnonzero((flow > fixed) & (flow < fixed + room))
    n = instance.n_demands
    found = flow.copy()
    low, high = fixed, fixed + room
    parent = np.full(n + instance.n_facilities, -1, np.int64)
    for pair in free:
        _insert(instance.demand_of, instance.facility_of + n, found, low, high, parent, int(pair))
    return found


def _insert(
    a_of: Ints, b_of: Ints, flow: Ints, low: Ints, high: Ints, parent: Ints, pair: int
) -> None:
    """Add a pair to the forest of pairs, or shift flow round the cycle that it closes."""
    a, b = int(a_of[pair]), int(b_of[pair])
    up = [_to_root(parent, a_of, b_of, node) for node in (a, b)]
    if up[0][-1][1] != up[1][-1][1]:
        _turn(parent, up[0])
        parent[a] = pair
        return
    above = {node for _, node in up[0]}
    top = next(node for _, node in up[1] if node in above)
    ring = [(pair, 1)]
    for path in up:
        sign = -1
        for over, node in path:
            if node == top:
                break
            ring.append((over, sign))
            sign = -sign
    plus = np.array([p for p, sign in ring if sign > 0])
    minus = np.array([p for p, sign in ring if sign < 0])
    ahead = min((high - flow)[plus].min(), (flow - low)[minus].min())
    back = min((flow - low)[plus].min(), (high - flow)[minus].min())
    empties = bool(((flow - low)[minus] == ahead).any())
    step = int(ahead) if empties else -int(back)
    flow[plus] += step
    flow[minus] -= step
    gone = next(p for p, _ in ring if flow[p] in (low[p], high[p]))
    if gone != pair:
        _replace(parent, a_of, b_of, gone, pair)


def _to_root(parent: Ints, a_of: Ints, b_of: Ints, node: int) -> list[tuple[int, int]]:
    """Give the pairs and nodes from a node up to its root: the pair above each node, -1 last."""
    path = []
    while True:
        over = int(parent[node])
        path.append((over, node))
        if over < 0:
            return path
        node = int(b_of[over]) if int(a_of[over]) == node else int(a_of[over])


def _turn(parent: Ints, path: list[tuple[int, int]]) -> None:
    """Make the first node of a path the root of its tree."""
    before = -1
    for over, node in path:
        parent[node] = before
        before = over


def _replace(parent: Ints, a_of: Ints, b_of: Ints, gone: int, pair: int) -> None:
    """Take a pair out of the forest and put another one of the same cycle in."""
    a, b = int(a_of[gone]), int(b_of[gone])
    child = a if int(parent[a]) == gone else b
    parent[child] = -1
    for node in (int(a_of[pair]), int(b_of[pair])):
        path = _to_root(parent, a_of, b_of, node)
        if path[-1][1] == child:
            _turn(parent, path)
            parent[node] = pair
            return

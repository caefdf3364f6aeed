"""Dijkstra with a limit, compiled: one source to many points, and the k nearest of all nodes."""

from __future__ import annotations

import heapq
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MOST: Final = 65_536


def bucket_width(cost: F, seed_cost: F) -> tuple[float, int]:
    """Choose how wide buckets are and how many a search needs.

    Parameters
    ----------
    cost
        Costs of the arcs, finite and not negative, shape (a,).
    seed_cost
        Costs at the places where a search begins, shape (s,); infinite ones do not count.

    Returns
    -------
    width : float
        Half the mean cost of an arc, or more when that would make too many buckets.
    count : int
        Number of buckets in the ring.

    Examples
    --------
    >>> bucket_width(np.array([2.0, 4.0, 12.0]), np.array([0.0, 1.0]))
    (3.0, 7)
    """
    seeds = seed_cost[np.isfinite(seed_cost)]
    spread = float(np.ptp(seeds)) if len(seeds) else 0.0
    span = max(float(cost.max(initial=0.0)), spread)
    width = max(float(cost.mean()) / 2.0 if len(cost) else 0.0, span / _MOST) or 1.0
    return width, int(span / width) + 3


def scratch(size: int, count: int) -> A:
    """Make the working arrays of a search, which `reach` leaves as they were but for the costs.

    Parameters
    ----------
    size
        Number of nodes.
    count
        Number of buckets.

    Returns
    -------
    tuple of numpy.ndarray
        Cost (infinite) and second cost of each node; first node of each bucket; the next node,
        the node before and the bucket of each node, -1 for none; the nodes reached.
    """
    none = [np.full(n, -1, dtype=np.int32) for n in (count, size, size, size)]
    return (np.full(size, np.inf), np.zeros(size), *none, np.empty(size, dtype=np.int32))


@njit(cache=True, nogil=True)
def reach(  # noqa: C901  one function, since calls cost more than the work
    arcs: A, step: int, seed: I, price: F, extra: F, limit: float, width: float, s: A
) -> int:
    """Spread from some nodes until nothing is left within the limit.

    Parameters
    ----------
    arcs
        ``indptr``, ``indices``, costs and second costs of the arcs in CSR order.
    step
        1; 0 when there is one second cost for all arcs.
    seed, price, extra
        Node, cost and second cost of each place where the search begins.
    limit
        Largest cost, inclusive.
    width
        Width of a bucket.
    s
        Working arrays, see `scratch`; holds the costs afterwards.

    Returns
    -------
    int
        How many nodes were reached; they stand in the last of the working arrays.
    """
    indptr, indices, cost, other = arcs
    dist, second, first, after, before, where, touched = s
    ring, per, waiting, count = first.shape[0], 1.0 / width, 0, 0
    begin = seed.shape[0]
    low = price.min() if begin > 0 else np.inf
    if low > limit or low == np.inf:
        return 0
    at = int(low * per) % ring
    node, near, more = 0, 0.0, 0.0
    while True:
        # The places of the beginning come first, as if they were arcs out of nowhere.
        if begin > 0:
            start, stop = 0, begin
        else:
            while first[at] < 0:
                at = at + 1 if at + 1 < ring else 0
            node = first[at]
            top = after[node]
            first[at] = top
            if top >= 0:
                before[top] = -1
            where[node] = -1
            waiting -= 1
            near, more = dist[node], second[node]
            start, stop = indptr[node], indptr[node + 1]
        for arc in range(start, stop):
            if begin > 0:
                head, total, sum_ = seed[arc], price[arc], extra[arc]
            else:
                head, total, sum_ = indices[arc], near + cost[arc], more + other[arc * step]
            if not (total < dist[head] and total <= limit):
                continue
            if dist[head] == np.inf:
                touched[count] = head
                count += 1
            dist[head], second[head] = total, sum_
            bucket = int(total * per) % ring
            old = where[head]
            if old == bucket:
                continue
            if old >= 0:
                left, right = before[head], after[head]
                if left >= 0:
                    after[left] = right
                else:
                    first[old] = right
                if right >= 0:
                    before[right] = left
            else:
                waiting += 1
            top = first[bucket]
            first[bucket], before[head], after[head], where[head] = head, -1, top, bucket
            if top >= 0:
                before[top] = head
        begin = 0
        if waiting == 0:
            return count


F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
A = tuple[Any, ...]


@njit(cache=True, nogil=True)
def one_to_points(
    arcs: A,
    seed: I,
    seed_cost: F,
    seed_other: F,
    points: A,
    direct: A,
    limit: float,
    width: float,
    work: A,
) -> tuple[I, F, F]:
    """Give the points that one source reaches within the limit, with both costs."""
    start, state, first, other = points
    count = reach(arcs, 1, seed, seed_cost, seed_other, limit, width, work)
    dist, second, touched = work[0], work[1], work[6]
    size = start.shape[0] - 1
    best = np.empty(size, dtype=np.float64)
    extra = np.zeros(size, dtype=np.float64)
    for point in range(size):
        least = np.inf
        for j in range(start[point], start[point + 1]):
            price = dist[state[j]] + first[j]
            if price < least:
                least = price
                extra[point] = second[state[j]] + other[j]
        best[point] = least
    for j in range(direct[0].shape[0]):
        point = direct[0][j]
        if direct[1][j] < best[point]:
            best[point], extra[point] = direct[1][j], direct[2][j]
    for j in range(count):
        dist[touched[j]] = np.inf
    total = 0
    for point in range(size):
        total += best[point] <= limit and best[point] < np.inf
    rows = np.empty(total, dtype=np.int64)
    total = 0
    for point in range(size):
        if best[point] <= limit and best[point] < np.inf:
            rows[total] = point
            total += 1
    return rows, best[rows], extra[rows]


@njit(cache=True, nogil=True)
def _before(key_a: float, label_a: int, key_b: float, label_b: int) -> bool:
    """Order by cost, then by facility."""
    return key_a < key_b or (key_a == key_b and label_a < label_b)


@njit(cache=True, nogil=True)
def _push(keys: F, nodes: I, labels: I, size: int, key: float, node: int, label: int) -> None:
    """Add an entry to a binary heap of (cost, node, facility)."""
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if not _before(key, label, keys[up], labels[up]):
            break
        keys[at], nodes[at], labels[at] = keys[up], nodes[up], labels[up]
        at = up
    keys[at], nodes[at], labels[at] = key, node, label


@njit(cache=True, nogil=True)
def _drop(keys: F, nodes: I, labels: I, size: int) -> None:
    """Remove the first entry of a binary heap; ``size`` is that after removal."""
    key, node, label = keys[size], nodes[size], labels[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and _before(
            keys[child + 1], labels[child + 1], keys[child], labels[child]
        ):
            child += 1
        if not _before(keys[child], labels[child], key, label):
            break
        keys[at], nodes[at], labels[at] = keys[child], nodes[child], labels[child]
        at = child
    keys[at], nodes[at], labels[at] = key, node, label


@njit(cache=True, nogil=True)
def k_labels(
    indptr: I, indices: I, cost: F, seed_node: I, seed_label: I, seed_cost: F, k: int, limit: float
) -> tuple[F, I, I]:
    """Give the k nearest facilities of every node: costs, facilities and their number.

    What is known so far of a node is a list of at most k facilities; a way that does not better
    it is not followed.
    """
    size = indptr.shape[0] - 1
    best = np.full((size, k), np.inf)
    label_of = np.full((size, k), -1, dtype=np.int64)
    count = np.zeros(size, dtype=np.int64)
    room = 1024 + indices.shape[0] + seed_node.shape[0]
    keys, nodes = np.empty(room), np.empty(room, dtype=np.int64)
    labels = np.empty(room, dtype=np.int64)
    fill = 0
    for j in range(seed_node.shape[0]):
        node, label, key = seed_node[j], seed_label[j], seed_cost[j]
        if key <= limit and _better(best[node], label_of[node], 0, key, label):
            _push(keys, nodes, labels, fill, key, node, label)
            fill += 1
    while fill > 0:
        key, node, label = keys[0], nodes[0], labels[0]
        fill -= 1
        _drop(keys, nodes, labels, fill)
        n = count[node]
        if n >= k or label_of[node, n] != label or best[node, n] != key:
            continue  # a better way came in between
        count[node] = n + 1
        for arc in range(indptr[node], indptr[node + 1]):
            head = indices[arc]
            price = key + cost[arc]
            if price > limit or price > best[head, k - 1]:
                continue
            if _better(best[head], label_of[head], count[head], price, label):
                if fill == keys.shape[0]:
                    keys = np.concatenate((keys, np.empty(fill)))
                    nodes = np.concatenate((nodes, np.empty(fill, dtype=np.int64)))
                    labels = np.concatenate((labels, np.empty(fill, dtype=np.int64)))
                _push(keys, nodes, labels, fill, price, head, label)
                fill += 1
    for node in range(size):
        for j in range(count[node], k):
            best[node, j], label_of[node, j] = np.inf, -1
    return best, label_of, count


@njit(cache=True, nogil=True)
def _better(costs: F, labels: I, settled: int, price: float, label: int) -> bool:
    """Put a facility into a sorted list behind what is settled, where that betters the list."""
    k = costs.shape[0]
    last = k - 1
    for j in range(k):
        if labels[j] == label:
            if j < settled or price >= costs[j]:
                return False
            last = j
            break
        if labels[j] < 0:
            last = j
            break
    full = labels[last] >= 0 and labels[last] != label
    if full and not _before(price, label, costs[last], labels[last]):
        return False
    at = last
    while at > settled and _before(price, label, costs[at - 1], labels[at - 1]):
        costs[at], labels[at] = costs[at - 1], labels[at - 1]
        at -= 1
    costs[at], labels[at] = price, label
    return True


@njit(cache=True, nogil=True)
def _insert(costs: F, labels: I, price: float, label: int) -> None:
    """Put a facility into a short sorted list, once."""
    k = costs.shape[0]
    for j in range(k):
        if labels[j] == label:
            if price >= costs[j]:
                return
            for i in range(j, k - 1):
                costs[i], labels[i] = costs[i + 1], labels[i + 1]
            costs[k - 1], labels[k - 1] = np.inf, -1
            break
    if not _before(price, label, costs[k - 1], labels[k - 1]) and labels[k - 1] >= 0:
        return
    at = k - 1
    while at > 0 and (labels[at - 1] < 0 or _before(price, label, costs[at - 1], labels[at - 1])):
        costs[at], labels[at] = costs[at - 1], labels[at - 1]
        at -= 1
    costs[at], labels[at] = price, label


@njit(cache=True, nogil=True)
def k_at_points(node_cost: F, node_label: I, points: A, pair: A, limit: float) -> tuple[F, I]:
    """Carry the k nearest from the states to points along their edges."""
    start, state, extra = points
    size, k = start.shape[0] - 1, node_cost.shape[1]
    best = np.full((size, k), np.inf)
    label_of = np.full((size, k), -1, dtype=np.int64)
    for point in range(size):
        for entry in range(start[point], start[point + 1]):
            node = state[entry]
            for j in range(k):
                price = node_cost[node, j] + extra[entry]
                if price < np.inf and price <= limit:
                    _insert(best[point], label_of[point], price, node_label[node, j])
    for j in range(pair[0].shape[0]):
        if pair[2][j] <= limit:
            _insert(best[pair[0][j]], label_of[pair[0][j]], pair[2][j], pair[1][j])
    return best, label_of


@njit(cache=True, nogil=True)
def settle_ties(indptr: I, indices: I, cost: F, dist: F, label: I, equal: float) -> None:
    """Give every node the first of its equally near facilities; changes ``label`` in place.

    Parameters
    ----------
    indptr, indices, cost
        The arcs in CSR order.
    dist
        Cost of every node from its nearest facility, shape (nodes,); infinite where none reaches.
    label
        Number of that facility, shape (nodes,).
    equal
        Relative difference up to which two costs are the same.
    """
    changed = True
    while changed:
        changed = False
        for tail in range(indptr.shape[0] - 1):
            if dist[tail] == np.inf:
                continue
            for arc in range(indptr[tail], indptr[tail + 1]):
                head = indices[arc]
                if label[tail] < label[head]:
                    gap = dist[tail] + cost[arc] - dist[head]
                    if gap <= equal * (1.0 + dist[head]):
                        label[head] = label[tail]
                        changed = True


@njit(cache=True, nogil=True)
def one_way(
    indptr: I, indices: I, edge: I, cost: F, seed: I, seed_cost: F, goal: I, goal_cost: F, tree: A
) -> tuple[float, int]:
    """Spread from the seeds until no goal can be reached sooner; leaves the way in ``tree``."""
    dist, before, by = tree
    queue = [(np.inf, np.int64(-1))]
    order = np.argsort(goal)
    sorted_goals = goal[order]
    for j in range(seed.shape[0]):
        node, price = seed[j], seed_cost[j]
        if price < dist[node]:
            dist[node] = price
            before[node], by[node] = -1, j
            heapq.heappush(queue, (price, node))
    best, last = np.inf, -1
    while True:
        near, node = heapq.heappop(queue)
        if near >= best or node < 0:
            break
        if near > dist[node]:
            continue
        at = np.searchsorted(sorted_goals, node)
        while at < sorted_goals.shape[0] and sorted_goals[at] == node:
            if near + goal_cost[order[at]] < best:
                best, last = near + goal_cost[order[at]], order[at]
            at += 1
        for arc in range(indptr[node], indptr[node + 1]):
            head = indices[arc]
            price = near + cost[edge[arc]]
            if price < dist[head]:
                dist[head] = price
                before[head], by[head] = node, arc
                heapq.heappush(queue, (price, head))
    return best, last


@njit(cache=True, nogil=True)
def walk_back(before: I, by: I, node: int) -> tuple[I, int]:
    """Give the arcs of a way in order, and the seed where it begins."""
    count, at = 0, node
    while before[at] >= 0:
        count, at = count + 1, before[at]
    arcs = np.empty(count, np.int64)
    while before[node] >= 0:
        count -= 1
        arcs[count] = by[node]
        node = before[node]
    return arcs, by[node]

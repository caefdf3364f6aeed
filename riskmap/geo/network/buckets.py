"""Dijkstra's search with a ring of buckets in place of a heap, in compiled code.

A node stands in at most one bucket; when its cost falls it moves. Nodes of one bucket are taken
in any order, and a node whose cost falls after it was taken waits again, so the costs are exact
whatever the width [1]_. Written as one function: calls would cost more than the work.

References
----------
.. [1] Dial 1969, doi:10.1145/363269.363610; Meyer and Sanders 2003,
   doi:10.1016/S0196-6774(03)00076-2.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741
A = tuple[Any, ...]
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

"""One compiled Dijkstra from all facilities at once, for large networks."""

from __future__ import annotations

import numpy as np
from numba import njit

from riskmap.geo.network.search import F, I, pop_first, sift_up


@njit(cache=True, nogil=True)
def nearest_labels(  # noqa: C901
    indptr: I, indices: I, cost: F, seed: I, seed_cost: F, seed_label: I, limit: float
) -> tuple[F, I]:
    """Give cost and facility of every node's nearest; equals (to 1e-9) go to the first facility."""
    size = indptr.shape[0] - 1
    dist, label = np.full(size, np.inf), np.full(size, -1, dtype=np.int64)
    keys, items, place = np.empty(size), np.empty(size, dtype=np.int64), np.full(size, -1)
    fill = 0
    for j in range(seed.shape[0]):
        node, price, who = seed[j], seed_cost[j], seed_label[j]
        if price > limit or price > dist[node]:
            continue
        if price == dist[node]:
            label[node] = min(label[node], who)
            continue
        if dist[node] == np.inf:
            items[fill], place[node] = node, fill
            fill += 1
        dist[node], label[node] = price, who
        keys[place[node]] = price
        sift_up(keys, items, place, place[node])
    while fill > 0:
        near, node = pop_first(keys, items, place, fill)
        fill -= 1
        for arc in range(indptr[node], indptr[node + 1]):
            head = indices[arc]
            price = near + cost[arc]
            if price > limit:
                continue
            slack = 1e-9 * (1.0 + price)
            if price < dist[head]:
                near_tie = dist[head] - price <= slack
                if dist[head] == np.inf:
                    items[fill], place[head] = head, fill
                    fill += 1
                keep = near_tie and label[head] < label[node]
                dist[head] = price
                if not keep:
                    label[head] = label[node]
                if place[head] >= 0:
                    keys[place[head]] = price
                    sift_up(keys, items, place, place[head])
            elif price - dist[head] <= slack and label[node] < label[head] and place[head] >= 0:
                label[head] = label[node]
    return dist, label

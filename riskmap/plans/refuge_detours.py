"""The way of one group, and the other road when that is cut."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
import shapely.ops
from numba import njit

from riskmap.geo.network.snap import access_costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.geo.network import RoadGraph, Snapped

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PENALTY: Final = 20.0
"""A stretch of the first way costs so many times its seconds on the other one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Way:
    """One way along the roads, without the walks to and from them."""

    seconds: float
    """Infinite when there is no way."""
    metres: float
    edges: Ints
    """Whole and part edges in order of travel."""
    shared_m: float
    """Length that it shares with the way it is to replace [m]."""
    geometry: Any
    """LineString, empty when there is no way."""


NO_WAY: Final = Way(
    seconds=np.inf,
    metres=np.inf,
    edges=np.zeros(0, np.int64),
    shared_m=0.0,
    geometry=shapely.LineString(),
)


@njit(cache=True, nogil=True)
def _search(
    indptr: Ints,
    indices: Ints,
    arc_edge: Ints,
    cost: Floats,
    seed: Ints,
    seed_cost: Floats,
    goal: Ints,
    goal_cost: Floats,
    tree: tuple[Floats, Ints, Ints],
) -> tuple[float, int]:
    """Spread from the seeds until no goal can be reached sooner; leaves the way in ``tree``."""
    dist, before, by = tree
    queue = [(np.inf, np.int64(-1))]
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
        for j in range(goal.shape[0]):
            if goal[j] == node and near + goal_cost[j] < best:
                best, last = near + goal_cost[j], j
        for arc in range(indptr[node], indptr[node + 1]):
            head = indices[arc]
            price = near + cost[arc_edge[arc]]
            if price < dist[head]:
                dist[head] = price
                before[head], by[head] = node, arc
                heapq.heappush(queue, (price, head))
    return best, last


def find_way(
    graph: RoadGraph,
    cost: Floats,
    start: Snapped,
    end: Snapped,
    *,
    instead_of: Way | None = None,
) -> Way:
    """Find the quickest way between two places on the roads, or the best one beside it.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Seconds along each edge, infinite where closed, shape (m,).
    start, end
        One place each.
    instead_of
        The way that is cut: its edges are avoided wherever another road exists.

    Returns
    -------
    Way
        Its seconds are the true ones; what it shares with the first way could not be avoided, or
        only by a detour of more than `PENALTY` times.
    """
    if not (start.on[0] and end.on[0]):
        return NO_WAY
    direct = _direct(graph, cost, start, end)
    price = cost
    if instead_of is not None:
        price = cost.copy()
        price[instead_of.edges] *= 1.0 + PENALTY
    seeds, seed_cost = _ends(graph, start, price, leaving=True)
    goals, goal_cost = _ends(graph, end, price, leaving=False)
    n = graph.node_count
    tree = np.full(n, np.inf), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    best, last = _search(
        graph.indptr, graph.indices, graph.arc_edge, price,
        seeds, seed_cost, goals, goal_cost, tree,
    )  # fmt: skip
    if direct is not None:
        edge = int(start.edge[0])
        if instead_of is None and abs(direct[1] - direct[0]) * price[edge] <= best:
            low, high = direct
            pieces = start.edge, np.array([low]), np.array([high])
            return _way(graph, cost, pieces, instead_of)
    if not np.isfinite(best):
        return NO_WAY
    pieces = _pieces(graph, tree, start, end, int(goals[last]), last)
    return _way(graph, cost, pieces, instead_of)


def _direct(
    graph: RoadGraph, cost: Floats, start: Snapped, end: Snapped
) -> tuple[float, float] | None:
    """Give the stretch between two places on one edge that may be travelled so."""
    edge, low, high = int(start.edge[0]), float(start.along[0]), float(end.along[0])
    if edge != int(end.edge[0]) or not np.isfinite(cost[edge]):
        return None
    ways = graph.edge_forward[edge] if high >= low else graph.edge_backward[edge]
    return (low, high) if ways or low == high else None


def _ends(graph: RoadGraph, at: Snapped, cost: Floats, *, leaving: bool) -> tuple[Ints, Floats]:
    edge = int(at.edge[0])
    tail, head = access_costs(graph, at, cost, leaving=leaving)
    nodes = np.array([graph.edge_tail[edge], graph.edge_head[edge]], np.int64)
    return nodes, np.array([tail[0], head[0]], np.float64)


@njit(cache=True, nogil=True)
def _walk_back(
    before: Ints, by: Ints, arc_edge: Ints, ends: tuple[Ints, Ints, Any], node: int
) -> tuple[Ints, Any, int]:
    """Give edges and whether each is travelled ahead, in order, and the seed of the way."""
    tail, head, forward = ends
    count, at = 0, node
    while before[at] >= 0:
        count, at = count + 1, before[at]
    edges, ahead = np.empty(count, np.int64), np.empty(count, np.bool_)
    while before[node] >= 0:
        count -= 1
        edge, previous = arc_edge[by[node]], before[node]
        edges[count] = edge
        ahead[count] = tail[edge] == previous and head[edge] == node and forward[edge]
        node = previous
    return edges, ahead, by[node]


def _pieces(
    graph: RoadGraph, tree: tuple[Any, ...], start: Snapped, end: Snapped, node: int, last: int
) -> tuple[Ints, Floats, Floats]:
    """Walk back from the goal: edges with the shares of their length where the way is on them."""
    _, before, by = tree
    ends = graph.edge_tail, graph.edge_head, graph.edge_forward
    edges, ahead, first = _walk_back(before, by, graph.arc_edge, ends, node)
    return (
        np.concatenate([start.edge, edges, end.edge]),
        np.concatenate([start.along, np.where(ahead, 0.0, 1.0), [float(last)]]),
        np.concatenate([[float(first)], np.where(ahead, 1.0, 0.0), end.along]),
    )


def _way(
    graph: RoadGraph, cost: Floats, pieces: tuple[Ints, Floats, Floats], first: Way | None
) -> Way:
    """Put the pieces together."""
    moves = pieces[1] != pieces[2]
    used = np.flatnonzero(moves) if moves.any() else np.zeros(1, np.int64)
    edges, low, high = pieces[0][used], pieces[1][used], pieces[2][used]
    part = np.abs(high - low)
    metres = graph.edge_length_m[edges] * part
    xy = _places(graph.edge_geometry[edges], low, high)
    keep = np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))
    xy = xy[keep] if keep.sum() > 1 else np.repeat(xy[:1], 2, axis=0)
    both = np.zeros(len(edges), bool) if first is None else np.isin(edges, first.edges)
    return Way(
        seconds=float((cost[edges] * part).sum()),
        metres=float(metres.sum()),
        edges=edges,
        shared_m=float(metres[both].sum()),
        geometry=shapely.LineString(xy),
    )


def _places(lines: Any, low: Floats, high: Floats) -> Floats:
    """Give the points of lines between two shares of their lengths, in that direction.

    Whole lines are the rule; only the first and the last one of a way may be parts.
    """
    lines, back = lines.copy(), high < low
    for k in np.flatnonzero(np.abs(high - low) != 1.0):
        lines[k] = shapely.ops.substring(lines[k], low[k], high[k], normalized=True)
        back[k] = False  # a part comes in the direction that was asked for
    xy, line = shapely.get_coordinates(lines, return_index=True)
    stop = np.cumsum(np.bincount(line, minlength=len(lines)))
    at = np.arange(len(xy))
    turned = np.append(0, stop[:-1])[line] + stop[line] - 1 - at
    return np.asarray(xy[np.where(back[line], turned, at)])

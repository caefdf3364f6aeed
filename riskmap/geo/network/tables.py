"""Tables of costs between many places: origin-destination within a limit, and k nearest."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from riskmap.geo.network.arcs import Ends, Way, hang, open_arcs, same_edge
from riskmap.geo.network.graph import Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.snap import Snapped


@dataclass(frozen=True, eq=False)
class CostTable:
    """Costs between facilities and points, sorted by facility, then point."""

    facility: Ints
    point: Ints
    cost: Floats
    """What was minimised."""
    other: Floats
    """The second cost along the same way."""


def cost_table(
    graph: RoadGraph,
    facilities: Snapped,
    points: Snapped,
    *,
    way: Way = "from_facility",
    weight: Weight = "seconds",
    edge_cost: Floats | None = None,
    edge_other: Floats | None = None,
    start: Floats | None = None,
    limit: float = np.inf,
    workers: int | None = None,
    few: bool = False,
) -> CostTable:
    """Give the cost between every facility and every point that it reaches within a limit.

    Parameters
    ----------
    graph
        The road graph.
    facilities, points
        Places on it, shapes (f,) and (p,).
    way
        ``from_facility``: out to the point; ``to_facility``: from the point in.
    weight
        ``seconds`` or ``metres``, when no ``edge_cost`` is given.
    edge_cost
        Cost of each edge that is minimised, infinite where closed, shape (m,).
    edge_other
        Second cost that is added up along the same way, shape (m,); None: the length [m].
    start
        Cost before departure of each facility, shape (f,).
    limit
        Largest cost, inclusive.
    workers
        Number of threads; None: one a core.
    few
        True: a few pairs, which may be all that is asked of this process, are sought by scipy.

    Returns
    -------
    CostTable
        One row for every pair within the limit.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from riskmap.geo.network import build_graph, snap_points
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 100, 4e6)])
    >>> graph = build_graph(gpd.GeoDataFrame(geometry=[line], crs=4548))
    >>> at = snap_points(graph, np.array([[500020.0, 4e6], [500090.0, 4e6]]))
    >>> cost_table(graph, at, at, weight="metres").cost.round(2).tolist()
    [0.0, 70.0, 70.0, 0.0]
    """
    cost = graph.cost(weight) if edge_cost is None else edge_cost
    second = graph.edge_length_m if edge_other is None else edge_other
    leaving = way == "from_facility"
    begin = np.zeros(len(facilities)) if start is None else np.asarray(start, dtype=np.float64)
    indptr, indices, edge = open_arcs(graph, cost, reverse=not leaving)
    arcs = indptr, indices, cost[edge], second[edge]
    seeds = _seeds(hang(graph, facilities, leaving=leaving), cost, second, begin)
    ends = hang(graph, points, leaving=not leaving)
    targets = ends.start, ends.state, ends.price(cost), ends.price(second)
    direct = _direct(graph, facilities, points, (cost, second), begin, way)
    if few and len(facilities) * len(points) <= _FEW:
        return _stack(_of_few(arcs, seeds, targets, direct, limit=limit))

    def run(chunk: Ints) -> list[tuple[Any, Any, Any]]:
        return _from_each(chunk, arcs, seeds, targets, direct, limit=limit, size=graph.state_count)

    threads = workers or os.cpu_count() or 1
    chunks = np.array_split(np.arange(len(facilities)), max(1, min(4 * threads, len(facilities))))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        found = [row for part in pool.map(run, chunks) for row in part]
    return _stack(found)


_FEW: Final = 64
"""So many pairs are sought without compiled code, whose loading takes longer than the search."""


def _of_few(
    arcs: tuple[Any, ...],
    seeds: list[tuple[Ints, Floats, Floats]],
    targets: tuple[Any, ...],
    direct: list[tuple[Ints, Floats, Floats]],
    *,
    limit: float,
) -> list[tuple[Any, Any, Any]]:
    """Search from a few facilities by scipy; each is a node of its own behind the others."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    indptr, indices, cost, other = arcs
    size, count = len(indptr) - 1, np.cumsum([0, *(len(one[0]) for one in seeds)])
    start, last = np.append(indptr, indptr[-1] + count[1:]), size + len(seeds)
    head, price, extra = (
        np.concatenate([part, *(one[i] for one in seeds)])
        for i, part in enumerate((indices, cost, other))
    )
    parts = price, head.astype(np.int32), start.astype(np.int32)
    far, before = dijkstra(
        csr_array(parts, shape=(last, last)), indices=np.arange(size, last), limit=limit,
        return_predecessors=True,
    )  # fmt: skip

    def second(row: int, node: int) -> float:
        """Add up the other cost along the way to a node."""
        chain = [node]
        while chain[-1] < size:
            chain.append(int(before[row, chain[-1]]))
        tail, head_ = np.array(chain[:0:-1]), np.array(chain[-2::-1])
        arc = start[tail][:, None] + np.arange(int((start[tail + 1] - start[tail]).max()))
        wrong = arc >= start[tail + 1][:, None]
        arc = np.where(wrong, 0, arc)
        wrong |= head[arc] != head_[:, None]
        best = np.argmin(np.where(wrong, np.inf, price[arc]), axis=1)
        return float(extra[arc[np.arange(len(tail)), best]].sum())

    first, state, ends, more = targets
    found = []
    for row, own in enumerate(direct):
        total = far[row, state] + ends
        best: dict[int, tuple[float, float]] = {}
        for point, (low, high) in enumerate(pairwise(first.tolist())):
            if low < high and np.isfinite(least := float(total[low:high].min())):
                j = low + int(np.argmin(total[low:high]))
                best[point] = least, second(row, int(state[j])) + float(more[j])
        for point, least, beside in zip(*(part.tolist() for part in own), strict=True):
            if least < best.get(point, (np.inf, 0.0))[0]:
                best[point] = least, beside
        kept = [(point, *both) for point, both in sorted(best.items()) if both[0] <= limit]
        points, costs, others = zip(*kept, strict=True) if kept else ((), (), ())
        found.append((np.array(points, np.int64), np.array(costs), np.array(others)))
    return found


def _from_each(
    chunk: Ints,
    arcs: tuple[Any, ...],
    seeds: list[tuple[Ints, Floats, Floats]],
    targets: tuple[Any, ...],
    direct: list[tuple[Ints, Floats, Floats]],
    *,
    limit: float,
    size: int,
) -> list[tuple[Any, Any, Any]]:
    """Search from some of the facilities with one set of working arrays."""
    from riskmap.geo.network import search

    one_to_points: Any = search.one_to_points
    width, ring = search.bucket_width(arcs[2], np.zeros(0))
    work = search.scratch(size, ring)
    return [one_to_points(arcs, *seeds[i], targets, direct[i], limit, width, work) for i in chunk]


def _seeds(
    ends: Ends, cost: Floats, second: Floats, begin: Floats
) -> list[tuple[Ints, Floats, Floats]]:
    """Give, for each facility, the states where its search begins, with both costs."""
    first, extra = ends.price(cost), ends.price(second)
    found = []
    for i, (low, high) in enumerate(pairwise(ends.start.tolist())):
        use = low + np.flatnonzero(np.isfinite(first[low:high]))
        found.append((ends.state[use], first[use] + begin[i], extra[use]))
    return found


def _direct(
    graph: RoadGraph,
    facilities: Snapped,
    points: Snapped,
    costs: tuple[Floats, Floats],
    start: Floats,
    way: Way,
) -> list[tuple[Ints, Floats, Floats]]:
    """Give, for each facility, the points on its own edge and the direct costs."""
    row, which, price = same_edge(graph, facilities, points, costs[0], way=way)
    gap = np.abs(points.along[row] - facilities.along[which])
    order = np.lexsort((row, which))
    row, which, price = row[order], which[order], price[order] + start[which[order]]
    extra = gap[order] * costs[1][points.edge[row]] if len(row) else np.zeros(0)
    cuts = np.searchsorted(which, np.arange(len(facilities) + 1))
    return [(row[low:high], price[low:high], extra[low:high]) for low, high in pairwise(cuts)]


def _stack(found: list[tuple[Any, Any, Any]]) -> CostTable:
    """Put the rows of all facilities under each other."""
    if not found:
        return CostTable(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    sizes = [len(rows) for rows, _, _ in found]
    return CostTable(
        np.repeat(np.arange(len(found)), sizes),
        np.concatenate([rows for rows, _, _ in found]),
        np.concatenate([cost for _, cost, _ in found]),
        np.concatenate([other for _, _, other in found]),
    )


def k_nearest(
    graph: RoadGraph,
    facilities: Snapped,
    points: Snapped,
    *,
    k: int,
    way: Way = "from_facility",
    weight: Weight = "seconds",
    edge_cost: Floats | None = None,
    start: Floats | None = None,
    limit: float = np.inf,
) -> tuple[Floats, Ints]:
    """Find the k nearest facilities of every point along the roads.

    Parameters
    ----------
    graph
        The road graph.
    facilities, points
        Places on it, shapes (f,) and (p,).
    k
        How many facilities are sought.
    way
        ``from_facility``: out to the point; ``to_facility``: from the point in.
    weight
        ``seconds`` or ``metres``, when no ``edge_cost`` is given.
    edge_cost
        Cost of each edge, infinite where closed, shape (m,).
    start
        Cost before departure of each facility, shape (f,).
    limit
        Largest cost, inclusive.

    Returns
    -------
    cost : numpy.ndarray
        Costs, nearest first, infinite where there are fewer, shape (p, k).
    facility : numpy.ndarray
        Facilities, -1 where there are fewer, shape (p, k); of equals the first.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from riskmap.geo.network import build_graph, snap_points
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 100, 4e6)])
    >>> graph = build_graph(gpd.GeoDataFrame(geometry=[line], crs=4548))
    >>> at = snap_points(graph, np.array([[500020.0, 4e6], [500090.0, 4e6]]))
    >>> k_nearest(graph, at, at, k=3, weight="metres")[1].tolist()
    [[0, 1, -1], [1, 0, -1]]
    """
    from riskmap.geo.network.search import k_at_points, k_labels

    cost = graph.cost(weight) if edge_cost is None else edge_cost
    leaving = way == "from_facility"
    begin = np.zeros(len(facilities)) if start is None else np.asarray(start, dtype=np.float64)
    indptr, indices, edge = open_arcs(graph, cost, reverse=not leaving)
    ends = hang(graph, facilities, leaving=leaving)
    price = ends.price(cost) + begin[ends.owner]
    use = np.isfinite(price)
    node_cost, node_label, _ = k_labels(
        indptr, indices, cost[edge], ends.state[use], ends.owner[use], price[use], k, limit
    )
    at = hang(graph, points, leaving=not leaving)
    row, which, direct = same_edge(graph, facilities, points, cost, way=way)
    best, found = k_at_points(
        node_cost,
        node_label,
        (at.start, at.state, at.price(cost)),
        (row, which, direct + begin[which]),
        limit,
    )
    return best, found

"""Travel time to the nearest facility, for every node and every point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.geo.network.arcs import (
    Way,
    network_matrix,
    same_edge,
    with_facilities,
)
from riskmap.geo.network.graph import Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.snap import Snapped, access_costs

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_EQUAL: Final = 1e-9
COMPILED_FROM: Final = 50_000
"""From this many nodes on compiled code pays for its loading."""


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest facility of every node and of every point asked for."""

    node_cost: Floats
    """Cost at each node, infinite when not reached, shape (n,)."""
    node_facility: Ints
    """Nearest facility of each node, -1 when none, shape (n,)."""
    cost: Floats
    """Cost at each point, infinite when not reached, shape (k,)."""
    facility: Ints
    """Nearest facility of each point, -1 when none, shape (k,)."""


def nearest_seconds(
    graph: RoadGraph,
    facilities: Snapped,
    points: Snapped | None = None,
    *,
    way: Way = "from_facility",
    start: Floats | None = None,
    edge_cost: Floats | None = None,
    weight: Weight = "seconds",
    limit: float = np.inf,
) -> Nearest:
    r"""Find the nearest facility along the roads.

    .. math:: t(x) = \min_f \{ s_f + d(f, x) \}

    Parameters
    ----------
    graph
        The road graph.
    facilities
        Places of the facilities, shape (f,); those off the network serve nobody.
    points
        Places asked for, shape (k,); None: nodes only.
    way
        ``from_facility``: stations drive to the scene; ``to_facility``: people go to a refuge.
    start
        Cost before departure of each facility, such as turn-out, shape (f,) [s].
    edge_cost
        Cost of each edge, infinite where closed, shape (m,); None: the free-flow ``weight``.
    weight
        ``seconds`` or ``metres``, when no ``edge_cost`` is given.
    limit
        Largest cost, inclusive.

    Returns
    -------
    Nearest
        Costs and facilities; of facilities equally near the first is given.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from riskmap.geo.network import build_graph, snap_points
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 100, 4e6)])
    >>> road = gpd.GeoDataFrame(geometry=[line], crs=4548)
    >>> graph = build_graph(road, presets={"road.speed_kmh": {"": 36}})
    >>> at = snap_points(graph, np.array([[500020.0, 4e6], [500090.0, 4e6]]))
    >>> nearest_seconds(graph, at.take(np.array([0])), at).cost.round(3).tolist()
    [0.0, 7.0]
    """
    cost = graph.cost(weight) if edge_cost is None else edge_cost
    begin = np.zeros(len(facilities)) if start is None else np.asarray(start, dtype=np.float64)
    leaving = way == "from_facility"
    tail, head = access_costs(graph, facilities, cost, leaving=leaving)
    matrix = network_matrix(graph, cost, reverse=not leaving)
    full = with_facilities(graph, matrix, facilities, tail + begin, head + begin)
    node_cost, node_facility = _spread(full, graph.node_count, limit)
    nothing = Nearest(node_cost, node_facility, np.zeros(0), np.zeros(0, np.int64))
    if points is None:
        return nothing
    best, label = _at_points(graph, nothing, points, cost, leaving=not leaving)
    row, which, price = same_edge(graph, facilities, points, cost, way=way)
    best, label = _improve(best, label, row, which, price + begin[which])
    far = ~(best <= limit) | np.isinf(best)
    return Nearest(
        node_cost,
        node_facility,
        np.where(far, np.inf, best),
        np.where(far, -1, label),
    )


def _spread(full: csr_array, size: int, limit: float) -> tuple[Floats, Ints]:
    """Run one Dijkstra from all facilities; ties go to the first facility."""
    from scipy.sparse.csgraph import dijkstra

    count = full.shape[0] - size
    if count == 0:
        return np.full(size, np.inf), np.full(size, -1)
    seeds = np.arange(size, size + count)
    dist, _, source = dijkstra(
        full, directed=True, indices=seeds, min_only=True, limit=limit, return_predecessors=True
    )
    label = np.where(np.isfinite(dist), source.astype(np.int64) - size, -1)
    label = _first_of_equals(full, dist, label)
    return dist[:size], label[:size]


def _first_of_equals(full: csr_array, dist: Floats, label: Ints) -> Ints:
    """Where two facilities are equally near, give the first of them."""
    if len(dist) >= COMPILED_FROM:
        from riskmap.geo.network import sweep

        settle: Any = sweep.settle_ties
        settle(full.indptr, full.indices, full.data, dist, label, _EQUAL)
        return label
    tail = np.repeat(np.arange(len(dist)), np.diff(full.indptr))
    head = full.indices
    reached = np.isfinite(dist[tail]) & np.isfinite(dist[head])
    tail, head, price = tail[reached], head[reached], full.data[reached]
    tight = np.abs(dist[tail] + price - dist[head]) <= _EQUAL * (1.0 + dist[head])
    tail, head = tail[tight], head[tight]
    while True:
        better = label[tail] < label[head]
        if not better.any():
            return label
        np.minimum.at(label, head[better], label[tail[better]])


def _at_points(
    graph: RoadGraph, nearest: Nearest, points: Snapped, cost: Floats, *, leaving: bool
) -> tuple[Floats, Ints]:
    """Carry the costs from the nodes to points along their edges."""
    to_tail, to_head = access_costs(graph, points, cost, leaving=leaving)
    edge = np.where(points.on, points.edge, 0)
    tail, head = graph.edge_tail[edge], graph.edge_head[edge]
    by_tail, by_head = nearest.node_cost[tail] + to_tail, nearest.node_cost[head] + to_head
    best = np.minimum(by_tail, by_head)
    none = np.iinfo(np.int64).max
    slack = _EQUAL * (1.0 + np.where(np.isfinite(best), best, 0.0))
    left = np.where(by_tail <= best + slack, nearest.node_facility[tail], none)
    right = np.where(by_head <= best + slack, nearest.node_facility[head], none)
    return best, np.where(np.isfinite(best), np.minimum(left, right), -1)


def _improve(
    best: Floats, label: Ints, row: Ints, which: Ints, price: Floats
) -> tuple[Floats, Ints]:
    """Take the direct way along the shared edge where it is shorter."""
    if not len(row):
        return best, label
    new = best.copy()
    np.minimum.at(new, row, price)
    winner = price <= new[row] + _EQUAL * (1.0 + new[row])
    lost = best[row] > new[row] + _EQUAL * (1.0 + new[row])
    label = label.copy()
    label[row[lost]] = np.iinfo(np.int64).max
    np.minimum.at(label, row[winner], which[winner])
    return new, label

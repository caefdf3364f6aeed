"""Shortest paths with their edges and geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

from riskmap.geo.network.arcs import network_matrix, with_facilities
from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.snap import Snapped, access_costs


@dataclass(frozen=True, eq=False)
class Path:
    """One way through the network."""

    reached: bool
    cost: float
    """What was minimised; infinite when there is no way."""
    metres: float
    edges: Ints
    """Edges in order of travel."""
    along: Bools
    """Whether each edge is used as digitised."""
    geometry: Any
    """LineString in the graph's CRS, from place to place; empty when there is no way."""


_NONE = Path(
    reached=False,
    cost=np.inf,
    metres=np.inf,
    edges=np.zeros(0, np.int64),
    along=np.zeros(0, np.bool_),
    geometry=shapely.LineString(),
)


def shortest_paths(
    graph: RoadGraph,
    origins: Snapped,
    destinations: Snapped,
    *,
    weight: Weight = "seconds",
    edge_cost: Floats | None = None,
) -> list[Path]:
    """Find the best way from each origin to the destination in the same place of the list.

    Parameters
    ----------
    graph
        The road graph.
    origins, destinations
        Places on it, shape (k,) each.
    weight
        ``seconds`` or ``metres``, when no ``edge_cost`` is given.
    edge_cost
        Cost of each edge, infinite where closed, shape (m,).

    Returns
    -------
    list of Path
        One for each pair.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph, snap_points
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 100, 4e6)])
    >>> graph = build_graph(gpd.GeoDataFrame(geometry=[line], crs=4548))
    >>> at = snap_points(graph, np.array([[500020.0, 4e6], [500090.0, 4e6]]))
    >>> way = shortest_paths(graph, at.take(np.array([0])), at.take(np.array([1])))[0]
    >>> round(way.metres, 3), round(way.geometry.length, 3)
    (70.0, 70.0)
    """
    from scipy.sparse.csgraph import dijkstra

    cost = graph.cost(weight) if edge_cost is None else edge_cost
    tail, head = access_costs(graph, origins, cost, leaving=True)
    full = with_facilities(graph, network_matrix(graph, cost), origins, tail, head)
    in_tail, in_head = access_costs(graph, destinations, cost, leaving=False)
    paths = [_NONE] * len(origins)
    for i in range(len(origins)):
        if not (origins.on[i] and destinations.on[i]):
            continue
        dist, before = dijkstra(
            full, indices=np.array([graph.node_count + i]), return_predecessors=True
        )
        edge = int(destinations.edge[i])
        ends = np.array([graph.edge_tail[edge], graph.edge_head[edge]])
        price = dist[0][ends] + np.array([in_tail[i], in_head[i]])
        pair = (origins, destinations, i)
        paths[i] = _trace(graph, cost, pair, price, ends, before[0])
    return paths


def _trace(
    graph: RoadGraph,
    cost: Floats,
    pair: tuple[Snapped, Snapped, int],
    price: Floats,
    ends: Ints,
    before: NDArray[Any],
) -> Path:
    """Walk back from the destination and put the pieces together."""
    origin, destination, i = pair
    start, edge_from = float(origin.along[i]), int(origin.edge[i])
    stop, edge_to = float(destination.along[i]), int(destination.edge[i])
    direct = np.inf
    if edge_from == edge_to:
        allowed = graph.edge_forward[edge_to] if stop > start else graph.edge_backward[edge_to]
        if stop == start:
            direct = 0.0
        elif allowed and np.isfinite(cost[edge_to]):
            direct = abs(stop - start) * float(cost[edge_to])
    best = float(min(price.min(), direct))
    if not np.isfinite(best):
        return _NONE
    if direct <= best:
        return _join(graph, best, [(edge_to, start, stop)])
    node = int(ends[int(np.argmin(price))])
    pieces = [(edge_to, float(node != graph.edge_tail[edge_to]), stop)]
    if graph.edge_tail[edge_to] == graph.edge_head[edge_to]:
        pieces = [(edge_to, float(np.argmin(price)), stop)]
    while int(before[node]) < graph.node_count:
        previous = int(before[node])
        pieces.append(_arc(graph, cost, previous, node))
        node = previous
    tail, head = access_costs(graph, origin.take(np.array([i])), cost, leaving=True)
    to_tail = tail[0] if graph.edge_tail[edge_from] == node else np.inf
    to_head = head[0] if graph.edge_head[edge_from] == node else np.inf
    pieces.append((edge_from, start, 0.0 if to_tail <= to_head else 1.0))
    return _join(graph, best, pieces[::-1])


def _arc(graph: RoadGraph, cost: Floats, tail: int, head: int) -> tuple[int, float, float]:
    """Give the cheapest edge between two neighbouring nodes."""
    arcs = np.arange(graph.indptr[tail], graph.indptr[tail + 1])
    arcs = arcs[graph.indices[arcs] == head]
    edge = int(graph.arc_edge[arcs[np.argmin(cost[graph.arc_edge[arcs]])]])
    ahead = graph.edge_tail[edge] == tail and graph.edge_head[edge] == head
    if ahead and graph.edge_forward[edge]:
        return edge, 0.0, 1.0
    return edge, 1.0, 0.0


def _join(graph: RoadGraph, cost: float, pieces: list[tuple[int, float, float]]) -> Path:
    """Make one path of stretches (edge, from, to)."""
    used = [piece for piece in pieces if piece[1] != piece[2]] or pieces[:1]
    lines = [
        shapely.ops.substring(graph.edge_geometry[edge], low, high, normalized=True)
        for edge, low, high in used
    ]
    xy = np.concatenate([shapely.get_coordinates(line) for line in lines])
    keep = np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))
    xy = xy[keep] if keep.sum() > 1 else np.repeat(xy[:1], 2, axis=0)
    metres = sum(float(graph.edge_length_m[edge]) * abs(high - low) for edge, low, high in used)
    return Path(
        reached=True,
        cost=cost,
        metres=metres,
        edges=np.array([edge for edge, _, _ in used]),
        along=np.array([high >= low for _, low, high in used]),
        geometry=shapely.LineString(xy),
    )

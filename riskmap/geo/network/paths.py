"""Shortest paths with their edges and geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import shapely.ops

from riskmap.geo.network.arcs import hang, same_edge, space
from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.snap import Snapped


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
    cost = graph.cost(weight) if edge_cost is None else edge_cost
    paths = [_NONE] * len(origins)
    for i in range(len(origins)):
        one = np.array([i])
        best, pieces = find_pieces(graph, cost, origins.take(one), destinations.take(one))
        if np.isfinite(best):
            paths[i] = _join(graph, best, pieces)
    return paths


Pieces = tuple[Ints, Floats, Floats]
"""Edges in order of travel, and the shares of their length where a way enters and leaves them."""
NOTHING: Pieces = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def find_pieces(
    graph: RoadGraph, cost: Floats, start: Snapped, end: Snapped, *, direct: bool = True
) -> tuple[float, Pieces]:
    """Find the best way between two places, as stretches of edges.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Cost of each edge, infinite where closed, shape (m,).
    start, end
        One place each.
    direct
        Whether the stretch between two places on one edge may be the way.

    Returns
    -------
    cost : float
        Infinite when there is no way.
    pieces : tuple of numpy.ndarray
        Edges, and where the way enters and leaves each.
    """
    if not (start.on[0] and end.on[0]):
        return np.inf, NOTHING
    from riskmap.geo.network import search

    row, _, price = same_edge(graph, start, end, cost, way="from_facility")
    straight = float(price[0]) if len(row) and direct else np.inf
    ways, size = space(graph), graph.state_count
    seeds, goals = hang(graph, start, leaving=True), hang(graph, end, leaving=False)
    tree = np.full(size, np.inf), np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    one_way: Any = search.one_way
    best, last = one_way(
        ways.indptr, ways.indices, ways.edge, cost,
        seeds.state, seeds.price(cost), goals.state, goals.price(cost), tree,
    )  # fmt: skip
    if np.isfinite(straight) and straight <= best:
        return straight, (start.edge, start.along, end.along)
    if not np.isfinite(best):
        return np.inf, NOTHING
    walk_back: Any = search.walk_back
    arcs, first = walk_back(tree[1], tree[2], goals.state[last])
    ahead = ways.ahead[arcs]
    return float(best), (
        np.concatenate([seeds.edge[[first]], ways.edge[arcs], goals.edge[[last]]]),
        np.concatenate([seeds.low[[first]], np.where(ahead, 0.0, 1.0), goals.low[[last]]]),
        np.concatenate([seeds.high[[first]], np.where(ahead, 1.0, 0.0), goals.high[[last]]]),
    )


def _join(graph: RoadGraph, cost: float, pieces: Pieces) -> Path:
    """Make one path of stretches."""
    moves = pieces[1] != pieces[2]
    used = np.flatnonzero(moves) if moves.any() else np.zeros(1, np.int64)
    edges, low, high = pieces[0][used], pieces[1][used], pieces[2][used]
    lines = [
        shapely.ops.substring(line, a, b, normalized=True)
        for line, a, b in zip(graph.edge_geometry[edges], low, high, strict=True)
    ]
    xy = np.concatenate([shapely.get_coordinates(line) for line in lines])
    keep = np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))
    xy = xy[keep] if keep.sum() > 1 else np.repeat(xy[:1], 2, axis=0)
    return Path(
        reached=True,
        cost=cost,
        metres=float((graph.edge_length_m[edges] * np.abs(high - low)).sum()),
        edges=edges,
        along=high >= low,
        geometry=shapely.LineString(xy),
    )

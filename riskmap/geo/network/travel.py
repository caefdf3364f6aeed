"""Travel time to the nearest facility, for every node and every point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from riskmap.errors import UsageError
from riskmap.geo.network.access import FERRY
from riskmap.geo.network.arcs import Way, at_nodes, hang, least, open_arcs, same_edge
from riskmap.geo.network.graph import Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.rules import Values, chosen
from riskmap.geo.network.snap import Snapped
from riskmap.i18n import text

_EQUAL: Final = 1e-9
CONGESTION: Final = "road.congestion"
"""Preset: share of the free-flow speed by class and hours of the day."""


def at_hour(graph: RoadGraph, hour: int | None, presets: Values | None = None) -> RoadGraph:
    """Give the roads with the traffic of an hour; measured times, ferries and walkers stay.

    Parameters
    ----------
    graph
        The road graph in free flow.
    hour
        Hour of the day, 0 to 23; None leaves free flow.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    RoadGraph
        With the speeds of that hour.

    Examples
    --------
    >>> import geopandas as gpd, shapely
    >>> from riskmap.geo.network import build_graph
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 100, 4e6)])
    >>> roads = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=[line], crs=4548)
    >>> half = {"road.congestion": {"primary": {"7-9": 0.5}}}
    >>> at_hour(build_graph(roads), 8, half).edge_speed_kmh.tolist()
    [20.0]
    """
    if hour is None or graph.profile == "foot":
        return graph
    names, place = np.unique(graph.edge_class.astype(str), return_inverse=True)
    table: Mapping[str, Mapping[str, float]] = chosen(presets, CONGESTION)
    share = np.array([_share(table, name, hour) for name in names])[place]
    share = np.where(graph.edge_timed | (graph.edge_class == FERRY), 1.0, share)
    speed = graph.edge_speed_kmh * share
    return replace(
        graph,
        edge_speed_kmh=speed,
        arc_seconds=(graph.edge_length_m * 3.6 / speed)[graph.arc_edge],
        hour=hour,
    )


def _share(table: Mapping[str, Mapping[str, float]], name: str, hour: int) -> float:
    """Give the share of free flow of a class at an hour; a link goes as its road does."""
    hours = table.get(name, table.get(name.removesuffix("_link"), table.get("", {})))
    for said, share in hours.items():
        low, _, high = (part.strip() for part in said.partition("-"))
        if not (low.isdecimal() and high.isdecimal() and 0 < share <= 1):
            raise UsageError(
                text(
                    "{key}: write hours as 7-9 with a share of the free-flow speed above 0 and at "
                    "most 1, not {said}: {value}",
                    key=CONGESTION,
                    said=said,
                    value=f"{share:g}",
                )
            )
        first, last = int(low), int(high)
        if first <= hour < last or (last <= first and not last <= hour < first):
            return float(share)
    return 1.0


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest facility of every node and of every point asked for."""

    node_cost: Floats
    """Cost at each node, infinite when not reached, shape (n,)."""
    node_facility: Ints
    """Nearest facility of each node, -1 when none, shape (n,)."""
    state_cost: Floats
    state_facility: Ints
    """The same for each state of the search, shape (s,): the nodes, unless turns matter."""
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
    arcs = open_arcs(graph, cost, reverse=not leaving)
    seeds = _seeds(graph, facilities, cost, begin, leaving=leaving)
    states = _spread(arcs, cost, seeds, limit)
    nodes = at_nodes(graph, *states, cost, way=way)
    if points is None:
        return Nearest(*nodes, *states, np.zeros(0), np.zeros(0, np.int64))
    ends = hang(graph, points, leaving=not leaving)
    price = states[0][ends.state] + ends.price(cost)
    best, label = least(price, states[1][ends.state], ends.owner, len(points))
    row, which, price = same_edge(graph, facilities, points, cost, way=way)
    best, label = _improve(best, label, row, which, price + begin[which])
    far = ~(best <= limit) | np.isinf(best)
    return Nearest(*nodes, *states, np.where(far, np.inf, best), np.where(far, -1, label))


def _seeds(
    graph: RoadGraph, facilities: Snapped, cost: Floats, begin: Floats, *, leaving: bool
) -> tuple[Ints, Floats, Ints]:
    """Give state, cost and facility of every place where the search begins, nearest first."""
    ends = hang(graph, facilities, leaving=leaving)
    label = ends.owner
    price = ends.price(cost) + begin[label]
    order = np.lexsort((label, price))
    order = order[np.isfinite(price[order])]
    return ends.state[order], price[order], label[order]


def _spread(
    arcs: tuple[Ints, Ints, Ints], cost: Floats, seeds: tuple[Ints, Floats, Ints], limit: float
) -> tuple[Floats, Ints]:
    """Search once from all facilities; ties go to the first facility."""
    from riskmap.geo.network import search as buckets
    from riskmap.geo.network import search as sweep

    indptr, indices, edge = arcs
    node, price, facility = seeds
    price_of = cost[edge]
    width, ring = buckets.bucket_width(price_of, price)
    work = buckets.scratch(len(indptr) - 1, ring)
    reach: Any = buckets.reach
    flat = (indptr, indices, price_of, np.zeros(1))
    reach(flat, 0, node, price, facility.astype(np.float64), limit, width, work)
    dist = work[0]
    label = np.where(np.isfinite(dist), work[1], -1.0).astype(np.int64)
    settle: Any = sweep.settle_ties
    settle(indptr, indices, price_of, dist, label, _EQUAL)
    return dist, label


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

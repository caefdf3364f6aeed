"""Travel time to the nearest facility for every node and point; what lies within a time of it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from riskmap.errors import UsageError
from riskmap.geo.network.graph import (
    Way,
    at_edge_ends,
    at_nodes,
    hang,
    kernels,
    least,
    open_arcs,
    same_edge,
)
from riskmap.geo.network.rules import FERRY, Values, chosen
from riskmap.i18n import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Snapped, Weight


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
    indptr, indices, edge = arcs
    node, price, facility = seeds
    price_of = cost[edge]
    search = kernels()
    width, ring = search.bucket_width(price_of, price)
    work = search.scratch(len(indptr) - 1, ring)
    reach: Any = search.reach
    flat = (indptr, indices, price_of, np.zeros(1))
    reach(flat, 0, node, price, facility.astype(np.float64), limit, width, work)
    dist = work[0]
    label = np.where(np.isfinite(dist), work[1], -1.0).astype(np.int64)
    settle: Any = search.settle_ties
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


LEAST_M: Final = 1e-3
"""Shorter stretches are noise of the arithmetic and are left out [m]."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of edges with their nearest facility."""

    edge: Ints
    low: Floats
    high: Floats
    """Where on its edge each stretch begins and ends, 0 to 1 as digitised, shape (s,)."""
    facility: Ints
    cost_low: Floats
    cost_high: Floats
    """Cost at the two ends, shape (s,)."""

    def take(self, rows: Ints | Bools) -> Stretches:
        """Give some of the stretches.

        Parameters
        ----------
        rows
            Positions, or a mask of shape (s,).

        Returns
        -------
        Stretches
            In the order of ``rows``.
        """
        return Stretches(*(getattr(self, one.name)[rows] for one in fields(self)))


def reached_stretches(
    graph: RoadGraph,
    facilities: Snapped,
    *,
    limit: float,
    way: Way = "from_facility",
    start: Floats | None = None,
    edge_cost: Floats | None = None,
) -> Stretches:
    """Cut every edge exactly where the limit is reached and where the nearest facility changes.

    Parameters
    ----------
    graph
        The road graph.
    facilities
        Places of the facilities.
    limit
        Largest cost, inclusive.
    way
        ``from_facility`` or ``to_facility``.
    start
        Cost before departure of each facility, shape (f,).
    edge_cost
        Cost of each edge, infinite where closed, shape (m,); None: free-flow seconds.

    Returns
    -------
    Stretches
        Sorted by edge, then place on it.

    Examples
    --------
    >>> import pandas as pd
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph, snap_points
    >>> line = shapely.LineString([(5e5, 4e6), (5e5 + 1000, 4e6)])
    >>> lines = gpd.GeoDataFrame(geometry=[line], crs=4548)
    >>> graph = build_graph(lines, presets={"road.speed_kmh": {"": 36}})
    >>> station = snap_points(graph, np.array([[500500.0, 4e6]]))
    >>> found = reached_stretches(graph, station, limit=20)
    >>> found.low.round(4).tolist(), found.high.round(4).tolist()
    ([0.3, 0.5], [0.5, 0.7])
    """
    cost = graph.edge_seconds if edge_cost is None else edge_cost
    at = nearest_seconds(graph, facilities, facilities, way=way, start=start, edge_cost=cost)
    edge, low, high, ends, labels = _between_stops(graph, facilities, at, way)
    forward, backward = graph.edge_forward[edge], graph.edge_backward[edge]
    if way == "to_facility":
        forward, backward = backward, forward
    price = (high - low) * cost[edge]
    up = _share_reached(limit - ends[0], price, usable=forward)
    down = _share_reached(limit - ends[1], price, usable=backward)
    with np.errstate(invalid="ignore", divide="ignore"):
        meet = np.clip((ends[1] - ends[0] + price) / (2 * price), 0.0, 1.0)
    both = forward & backward & np.isfinite(ends[0]) & np.isfinite(ends[1])
    meet = np.where(both & np.isfinite(meet), meet, 1.0)
    up = np.minimum(up, np.where(both, meet, 1.0))
    down = np.minimum(down, np.where(both, 1.0 - meet, 1.0))
    length = high - low
    least = LEAST_M / np.maximum(graph.edge_length_m[edge] * length, LEAST_M)
    first = up >= least
    second = down >= least
    found = Stretches(
        edge=np.concatenate([edge[first], edge[second]]),
        low=np.concatenate([low[first], (high - down * length)[second]]),
        high=np.concatenate([(low + up * length)[first], high[second]]),
        facility=np.concatenate([labels[0][first], labels[1][second]]),
        cost_low=np.concatenate([ends[0][first], (ends[1] + down * price)[second]]),
        cost_high=np.concatenate([(ends[0] + up * price)[first], ends[1][second]]),
    )
    order = np.lexsort((found.low, found.edge))
    return found.take(order)


def _share_reached(left: Floats, price: Floats, *, usable: NDArray[np.bool_]) -> Floats:
    """Give the share of a stretch that the cost still left pays for."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(price > 0, left / price, np.where(left >= 0, 1.0, 0.0))
    share = np.where(usable & np.isfinite(price) & np.isfinite(left), share, 0.0)
    return np.clip(share, 0.0, 1.0)


def _between_stops(
    graph: RoadGraph, facilities: Snapped, nearest: Nearest, way: Way
) -> tuple[Ints, Floats, Floats, tuple[Floats, Floats], tuple[Ints, Ints]]:
    """Part every edge at the facilities on it; give the cost and facility at both ends."""
    inner = np.flatnonzero(facilities.on & (facilities.along > 0) & (facilities.along < 1))
    count = graph.edge_count
    every = np.arange(count)
    edge = np.concatenate([every, facilities.edge[inner], every])
    share = np.concatenate([np.zeros(count), facilities.along[inner], np.ones(count)])
    ends, labels = at_edge_ends(graph, nearest.state_cost, nearest.state_facility, way=way)
    price = np.concatenate([ends[0], nearest.cost[inner], ends[1]])
    mine = np.concatenate([labels[0], nearest.facility[inner], labels[1]])
    order = np.lexsort((np.arange(len(edge)), share, edge))
    edge, share, price, mine = edge[order], share[order], price[order], mine[order]
    here = np.flatnonzero((edge[:-1] == edge[1:]) & (share[1:] > share[:-1]))
    there = here + 1
    return (
        edge[here],
        share[here],
        share[there],
        (price[here], price[there]),
        (mine[here], mine[there]),
    )


def within(stretches: Stretches, limit: float) -> Stretches:
    """Cut stretches again at a lower limit.

    Parameters
    ----------
    stretches
        Stretches reached within a larger limit.
    limit
        The lower limit, inclusive.

    Returns
    -------
    Stretches
        What is reached within it.
    """
    low, high = stretches.low, stretches.high
    first, last = stretches.cost_low, stretches.cost_high
    with np.errstate(invalid="ignore", divide="ignore"):
        cut = np.clip((limit - first) / (last - first), 0.0, 1.0)
    place = low + cut * (high - low)
    rising, falling = last > first, last < first
    new = replace(
        stretches,
        high=np.where(rising & (last > limit), place, high),
        cost_high=np.where(rising, np.minimum(last, limit), last),
        low=np.where(falling & (first > limit), place, low),
        cost_low=np.where(falling, np.minimum(first, limit), first),
    )
    keep = (np.minimum(first, last) <= limit) & (new.high > new.low)
    return new.take(keep)


def beyond(stretches: Stretches, limit: float) -> Stretches:
    """Leave out what a lower limit already reaches.

    Parameters
    ----------
    stretches
        Stretches reached within a larger limit.
    limit
        The lower limit.

    Returns
    -------
    Stretches
        What is reached only beyond it.
    """
    if not np.isfinite(limit):
        return stretches
    flipped = replace(stretches, cost_low=-stretches.cost_low, cost_high=-stretches.cost_high)
    rest = within(flipped, -limit)
    return replace(rest, cost_low=-rest.cost_low, cost_high=-rest.cost_high)


def stretch_lines(graph: RoadGraph, stretches: Stretches) -> NDArray[np.object_]:
    """Draw stretches as lines.

    Parameters
    ----------
    graph
        The road graph.
    stretches
        Stretches of its edges.

    Returns
    -------
    numpy.ndarray
        LineStrings in the graph's CRS, shape (s,).
    """
    if not len(stretches.edge):
        return np.zeros(0, dtype=object)
    whole = graph.edge_geometry[stretches.edge]
    xy, number = shapely.get_coordinates(whole, return_index=True)
    first = np.searchsorted(number, np.arange(len(whole)))
    step = np.append(0.0, np.hypot(*np.diff(xy, axis=0).T))
    step[first] = 0.0
    run = np.cumsum(step)
    run -= run[first][number]
    total = shapely.length(whole)
    share = run / np.where(total > 0, total, 1.0)[number]
    inside = (share > stretches.low[number]) & (share < stretches.high[number])
    ends = [
        shapely.get_coordinates(shapely.line_interpolate_point(whole, at, normalized=True))
        for at in (stretches.low, stretches.high)
    ]
    row = np.arange(len(whole))
    owner = np.concatenate([row, number[inside], row])
    place = np.concatenate([np.full(len(whole), -1.0), share[inside], np.full(len(whole), 2.0)])
    points = np.concatenate([ends[0], xy[inside], ends[1]])
    order = np.lexsort((place, owner))
    return np.asarray(shapely.linestrings(points[order], indices=owner[order]), dtype=object)


def service_areas(
    graph: RoadGraph,
    facilities: Snapped,
    *,
    limits: Sequence[float],
    half_width_m: float,
    way: Way = "from_facility",
    start: Floats | None = None,
    edge_cost: Floats | None = None,
    cells: gpd.GeoDataFrame | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give the reached roads and the land within reach, as nested bands.

    The land of a band is the land within ``half_width_m`` of its reached roads, and the cells
    that are reached. There is no hull: land without a reached road stays out, and parts that do
    not touch a station stay and are marked as exclaves (飞地).

    Parameters
    ----------
    graph
        The road graph.
    facilities
        Places of the facilities.
    limits
        Limits of the bands.
    half_width_m
        How far from a reached road the land counts as reached [m].
    way, start, edge_cost
        As in `nearest_seconds`.
    cells
        Reached cells with the columns ``cost`` and ``geometry`` (squares), or None.

    Returns
    -------
    roads : geopandas.GeoDataFrame
        ``edge``, ``facility``, ``band``, ``limit``, ``cost_low``, ``cost_high``, geometry; each
        stretch stands once, in its best band.
    areas : geopandas.GeoDataFrame
        ``band``, ``limit``, ``part``, ``exclave``, ``area_km2``, geometry; a band holds all
        better bands.
    """
    import geopandas as gpd
    import pandas as pd

    ordered = sorted(limits)
    all_ = reached_stretches(
        graph, facilities, limit=ordered[-1], way=way, start=start, edge_cost=edge_cost
    )
    road_parts, area_parts = [], []
    places = shapely.points(facilities.xy[facilities.on])
    done, land = -np.inf, shapely.Polygon()
    for band, limit in enumerate(ordered, start=1):
        fresh = beyond(within(all_, limit), done)
        fresh, lines = _drawn(graph, fresh)
        new = [land, *shapely.buffer(lines, half_width_m, quad_segs=2)]
        if cells is not None:
            cost = cells["cost"].to_numpy()
            new += list(cells.geometry[(cost <= limit) & (cost > done)])
        land = shapely.union_all(np.array(new, dtype=object))
        road_parts.append(_road_table(graph, fresh, lines, band, limit))
        area_parts.append(_area_table(land, places, band, limit, graph.crs))
        done = limit
    roads = gpd.GeoDataFrame(pd.concat(road_parts, ignore_index=True), crs=graph.crs)
    return roads, gpd.GeoDataFrame(pd.concat(area_parts, ignore_index=True), crs=graph.crs)


def _drawn(graph: RoadGraph, stretches: Stretches) -> tuple[Stretches, NDArray[np.object_]]:
    """Draw stretches, without those shorter than a line can be."""
    lines = stretch_lines(graph, stretches)
    long = shapely.length(lines) >= LEAST_M
    return stretches.take(long), lines[long]


def _road_table(
    graph: RoadGraph,
    stretches: Stretches,
    lines: NDArray[np.object_],
    band: int,
    limit: float,
) -> gpd.GeoDataFrame:
    """Lay stretches out as a table."""
    import geopandas as gpd

    columns = {
        "edge": stretches.edge,
        "facility": stretches.facility,
        "band": np.full(len(stretches.edge), band),
        "limit": np.full(len(stretches.edge), float(limit)),
        "cost_low": stretches.cost_low,
        "cost_high": stretches.cost_high,
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=graph.crs)


def _area_table(
    land: Any, places: NDArray[np.object_], band: int, limit: float, crs: str
) -> gpd.GeoDataFrame:
    """List the parts of a band's land, largest first."""
    import geopandas as gpd

    parts = shapely.get_parts(land)
    parts = parts[shapely.area(parts) > 0]
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    held = np.zeros(len(parts), dtype=bool)
    if len(parts) and len(places):
        held[np.unique(shapely.STRtree(parts).query(places, predicate="intersects")[1])] = True
    columns = {
        "band": np.full(len(parts), band),
        "limit": np.full(len(parts), float(limit)),
        "part": np.arange(1, len(parts) + 1),
        "exclave": ~held,
        "area_km2": shapely.area(parts) / 1e6,
    }
    return gpd.GeoDataFrame(columns, geometry=parts, crs=crs)

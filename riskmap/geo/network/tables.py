"""Costs between places: within a limit, k nearest, matched pairs, the way itself."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import shapely
import shapely.ops

from riskmap.geo.network.graph import (
    Bools,
    Ends,
    Floats,
    Ints,
    RoadGraph,
    Snapped,
    Way,
    Weight,
    hang,
    kernels,
    open_arcs,
    same_edge,
    space,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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
    search = kernels()
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
    cost = graph.cost(weight) if edge_cost is None else edge_cost
    leaving = way == "from_facility"
    begin = np.zeros(len(facilities)) if start is None else np.asarray(start, dtype=np.float64)
    indptr, indices, edge = open_arcs(graph, cost, reverse=not leaving)
    ends = hang(graph, facilities, leaving=leaving)
    price = ends.price(cost) + begin[ends.owner]
    use = np.isfinite(price)
    node_cost, node_label, _ = kernels().k_labels(
        indptr, indices, cost[edge], ends.state[use], ends.owner[use], price[use], k, limit
    )
    at = hang(graph, points, leaving=not leaving)
    row, which, direct = same_edge(graph, facilities, points, cost, way=way)
    best, found = kernels().k_at_points(
        node_cost,
        node_label,
        (at.start, at.state, at.price(cost)),
        (row, which, direct + begin[which]),
        limit,
    )
    return best, found


_CHUNK = 256
Row = tuple[int, int, float, float]


def matched_rows(
    graph: RoadGraph,
    start: Snapped,
    stop: Snapped,
    costs: tuple[Floats, Floats],
    *,
    match: str,
    weight: Weight,
    limit: float,
) -> list[Row]:
    """Give (origin, destination, metres, seconds) in the order of the lists.

    Parameters
    ----------
    graph
        The road graph.
    start, stop
        Places of the origins and destinations.
    costs
        Cost of each edge that is minimised (infinite where closed) and the other one, (m,) each.
    match
        ``pairs``, ``nearest`` or ``matrix``.
    weight
        Which of the two the first cost is.
    limit
        Largest first cost, inclusive.

    Returns
    -------
    list of tuple
        Unreached rows have infinite costs and the complement of the destination (-1 - i).
    """
    if match == "nearest":
        table = cost_table(
            graph,
            stop,
            start,
            way="to_facility",
            edge_cost=costs[0],
            edge_other=costs[1],
            limit=limit,
            few=True,
        )
        order = np.lexsort((table.facility, np.round(table.cost, 6), table.point))
        first = order[np.diff(table.point[order], prepend=-1) != 0]
        best = {int(table.point[j]): j for j in first}
        return [
            _row(i, int(table.facility[best[i]]), table, best[i], weight)
            if i in best
            else (i, -1, np.inf, np.inf)
            for i in range(len(start))
        ]
    rows: list[Row] = []
    for low in range(0, len(start), _CHUNK):
        chunk = np.arange(low, min(low + _CHUNK, len(start)))
        targets: Ints = chunk if match == "pairs" else np.arange(len(stop))
        table = cost_table(
            graph,
            start.take(chunk),
            stop.take(targets),
            edge_cost=costs[0],
            edge_other=costs[1],
            limit=limit,
            few=True,
        )
        pairs = zip(table.facility, table.point, strict=True)
        found = {(int(a), int(b)): j for j, (a, b) in enumerate(pairs)}
        wanted = (
            [(i, i) for i in range(len(chunk))]
            if match == "pairs"
            else [(i, j) for i in range(len(chunk)) for j in range(len(targets))]
        )
        rows += [
            _row(low + i, int(targets[j]), table, found[i, j], weight)
            if (i, j) in found
            else (low + i, ~int(targets[j]), np.inf, np.inf)
            for i, j in wanted
        ]
    return rows


def _row(origin: int, destination: int, table: CostTable, at: int, weight: Weight) -> Row:
    """Put both costs in the order metres, seconds."""
    first, second = float(table.cost[at]), float(table.other[at])
    return (origin, destination, *((first, second) if weight == "metres" else (second, first)))


MAIN_NODES: Final = "network.main_nodes"
"""Preset: a part of the network with fewer nodes is detached."""
Places = tuple[Snapped, Snapped]
"""Origins and destinations."""


def main_edges(graph: RoadGraph, least: int) -> Bools:
    """Tell which edges belong to the main network, where every place leads to every other.

    Parameters
    ----------
    graph
        The road graph.
    least
        Parts with fewer nodes than this are detached.

    Returns
    -------
    numpy.ndarray
        True where both ends lie in one large strongly connected part, shape (m,); all True where
        no part is large.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    size = graph.node_count
    links = csr_array(
        (np.ones(len(graph.indices), np.int8), graph.indices, graph.indptr), shape=(size, size)
    )
    part = connected_components(links, directed=True, connection="strong")[1]
    large = np.bincount(part) >= least
    if not large.any():
        return np.ones(graph.edge_count, dtype=bool)
    tail, head = part[graph.edge_tail], part[graph.edge_head]
    return np.asarray((tail == head) & large[tail])


def put_on_main(
    rows: Sequence[Row],
    places: Places,
    main: Callable[[], Bools],
    *,
    match: str,
    again: Callable[[], Places],
    ways: Callable[[Places, Literal["asked", "free"]], Sequence[Row]],
) -> tuple[list[Row], list[Places], tuple[set[int], set[int]]]:
    """Ask again, on the main network, where a detached piece of road is why there is no way.

    Rows with a way stay as they are, and so do rows that only water or the limit cuts off.

    Parameters
    ----------
    rows
        Rows found, in the order in which they were asked.
    places
        Where the points were put.
    main
        Gives the edges of the main network, shape (m,).
    match
        ``pairs``, ``nearest`` or ``matrix``.
    again
        Puts the points on the main network.
    ways
        Gives the rows for some places; ``free`` is without limit and closures.

    Returns
    -------
    rows : list
        The rows, with ways where some were found.
    places : list
        Places of each row.
    moved : tuple of set
        Origins and destinations that were put elsewhere for some row.
    """
    found, where = list(rows), [places] * len(rows)
    moved: tuple[set[int], set[int]] = (set(), set())
    if all(np.isfinite(row[2]) for row in rows):
        return found, where, moved
    off = [one.on & ~main()[np.maximum(one.edge, 0)] for one in places]

    def detached(row: Row) -> bool:
        far = off[1].any() if match == "nearest" else off[1][~row[1]]
        return not np.isfinite(row[2]) and bool(off[0][row[0]] or far)

    lost = [i for i, row in enumerate(rows) if detached(row)]
    if lost:
        free = ways(places, "free")
        lost = [i for i in lost if not np.isfinite(free[i][2])]
    if not lost:
        return found, where, moved
    fresh = again()
    second = ways(fresh, "asked")
    for i in lost:
        if np.isfinite(second[i][2]):
            found[i], where[i] = second[i], fresh
            for side, place in enumerate(second[i][:2]):
                if off[side][place]:
                    moved[side].add(place)
    return found, where, moved


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


def shared_with(stretches: Pieces, others: Pieces) -> Floats:
    """Measure what some stretches of edges share with others.

    Parameters
    ----------
    stretches
        Edges, and where a way enters and leaves each; no edge twice.
    others
        Stretches that are measured, shape (n,).

    Returns
    -------
    ndarray
        Share of the edge's length, shape (n,).
    """
    order = np.argsort(stretches[0], kind="stable")
    edges = stretches[0][order]
    at = np.minimum(np.searchsorted(edges, others[0]), max(len(edges) - 1, 0))
    if not len(edges):
        return np.zeros(len(others[0]))
    low = np.minimum(stretches[1], stretches[2])[order][at]
    high = np.maximum(stretches[1], stretches[2])[order][at]
    mine = np.minimum(others[1], others[2]), np.maximum(others[1], others[2])
    both = np.minimum(high, mine[1]) - np.maximum(low, mine[0])
    return np.where(edges[at] == others[0], np.maximum(both, 0.0), 0.0)


def find_pieces(
    graph: RoadGraph,
    cost: Floats,
    start: Snapped,
    end: Snapped,
    *,
    direct: bool = True,
    dearer: tuple[Pieces, float] | None = None,
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
    dearer
        Stretches that cost more, and by how many times; the rest of their edges does not.

    Returns
    -------
    cost : float
        Infinite when there is no way.
    pieces : tuple of numpy.ndarray
        Edges, and where the way enters and leaves each.
    """
    if not (start.on[0] and end.on[0]):
        return np.inf, NOTHING

    row, _, price = same_edge(graph, start, end, cost, way="from_facility")
    straight = float(price[0]) if len(row) and direct else np.inf
    ways, size = space(graph), graph.state_count
    seeds, goals = hang(graph, start, leaving=True), hang(graph, end, leaving=False)
    tree = np.full(size, np.inf), np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    search = kernels()
    one_way: Any = search.one_way
    first_price, last_price, whole = seeds.price(cost), goals.price(cost), cost
    if dearer is not None:
        stretches, times = dearer
        whole = cost.copy()
        whole[stretches[0]] *= 1.0 + times * np.abs(stretches[2] - stretches[1])
        first_price = first_price + times * cost[seeds.edge] * shared_with(
            stretches, (seeds.edge, seeds.low, seeds.high)
        )
        last_price = last_price + times * cost[goals.edge] * shared_with(
            stretches, (goals.edge, goals.low, goals.high)
        )
    best, last = one_way(
        ways.indptr, ways.indices, ways.edge, whole,
        seeds.state, first_price, goals.state, last_price, tree,
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

"""Match origins with destinations and read both costs off the cost table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np

from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph, Weight
from riskmap.geo.network.snap import Snapped
from riskmap.geo.network.tables import CostTable, cost_table

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

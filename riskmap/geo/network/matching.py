"""Match origins with destinations and read both costs off the cost table."""

from __future__ import annotations

import numpy as np

from riskmap.geo.network.graph import Floats, Ints, RoadGraph, Weight
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

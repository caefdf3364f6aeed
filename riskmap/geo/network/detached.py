"""Points on pieces of road that no way leads to or from: told, and put on the main network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np

from riskmap.geo.network.graph import Bools, RoadGraph
from riskmap.geo.network.matching import Row
from riskmap.geo.network.snap import Snapped

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
    main: Bools,
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
        Edges of the main network, shape (m,).
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
    off = [one.on & ~main[np.maximum(one.edge, 0)] for one in places]
    found, where = list(rows), [places] * len(rows)
    moved: tuple[set[int], set[int]] = (set(), set())

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

"""Travel times on a seeded road-like graph of 200 000 nodes, beside scipy, networkx and pandana.

Run ``python benchmarks/network.py``; ratios hold better than times. Compiled code is warmed up
first; pandana and networkx are left out when they are not installed.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from riskmap.geo.network import (
    RoadGraph,
    Snapped,
    build_graph,
    cost_table,
    k_nearest,
    nearest_seconds,
)
from riskmap.geo.network.graph import hang, network_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 450
LIMIT_S = 900.0
CLASSES = ("primary", "secondary", "tertiary", "residential")


def town() -> gpd.GeoDataFrame:
    """A perturbed grid with streets of four classes, a tenth of them missing, a fifth one-way."""
    rng = np.random.default_rng(20260415)
    y, x = np.mgrid[:SIDE, :SIDE].reshape(2, -1) * 120.0
    xy = np.column_stack([x, y]) + rng.uniform(-40, 40, (SIDE * SIDE, 2)) + [480_000, 4_000_000]
    number = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    line = np.concatenate(
        [np.repeat(np.arange(SIDE), SIDE - 1), np.tile(np.arange(SIDE), SIDE - 1)]
    )
    keep = rng.uniform(size=len(a)) > 0.1
    a, b, line = a[keep], b[keep], line[keep]
    rank = np.select([line % 16 == 0, line % 8 == 0, line % 4 == 0], [0, 1, 2], 3)
    oneway = np.where((rng.uniform(size=len(a)) < 0.2) & (rank == 3), "yes", "no")
    geometry = shapely.linestrings(np.stack([xy[a], xy[b]], axis=1))
    return gpd.GeoDataFrame(
        {"highway": np.array(CLASSES)[rank], "oneway": oneway}, geometry=geometry, crs=4548
    )


def clock(call: Callable[[], Any], times: int = 3) -> float:
    """Give the best time of several runs [s]."""
    best = np.inf
    for _ in range(times):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best


def at_nodes(graph: RoadGraph, nodes: np.ndarray) -> Snapped:
    """Give places that stand on nodes."""
    edge = np.full(graph.node_count, -1)
    edge[graph.edge_tail] = np.arange(graph.edge_count)
    edge[graph.edge_head] = np.arange(graph.edge_count)
    along = (graph.edge_tail[edge[nodes]] != nodes).astype(float)
    return Snapped(edge[nodes], along, np.zeros(len(nodes)), graph.node_xy[nodes])


def show(name: str, mine: float, others: dict[str, float]) -> None:
    """Print one line: time, and how many times longer the others take."""
    ratios = "  ".join(f"{other} {t:8.3f} s = {t / mine:6.2f} x" for other, t in others.items())
    print(f"{name:42s} riskmap {mine:8.3f} s  {ratios}", flush=True)


def nearest(graph: RoadGraph, count: int) -> None:
    """Time the nearest of some facilities for all nodes."""
    from scipy.sparse.csgraph import dijkstra

    rng = np.random.default_rng(count)
    nodes = np.sort(rng.choice(graph.node_count, count, replace=False))
    places = at_nodes(graph, nodes)
    mine = clock(lambda: nearest_seconds(graph, places), 5)
    matrix = network_matrix(graph, graph.edge_seconds)
    others = {
        "scipy": clock(
            lambda: dijkstra(matrix, indices=nodes, min_only=True, return_predecessors=True), 5
        )
    }
    truth = dijkstra(matrix, indices=nodes, min_only=True)
    assert np.allclose(truth, nearest_seconds(graph, places).node_cost)
    try:
        import networkx as nx
    except ImportError:
        nx = None
    if nx is not None:
        net = nx.DiGraph()
        tail = np.repeat(np.arange(graph.node_count), np.diff(graph.indptr))
        net.add_weighted_edges_from(
            zip(tail.tolist(), graph.indices.tolist(), graph.arc_seconds.tolist(), strict=True)
        )
        others["networkx"] = clock(
            lambda: nx.multi_source_dijkstra_path_length(net, set(nodes.tolist())), 1
        )
    show(f"nearest of {count} for {graph.node_count} nodes", mine, others)


def turns(lines: gpd.GeoDataFrame) -> None:
    """Time the nearest of 50 where turns matter, against scipy on the same states and on nodes."""
    from scipy.sparse.csgraph import dijkstra

    rng = np.random.default_rng(11)
    access = np.where(rng.uniform(size=len(lines)) < 0.01, "destination", None)
    begin = time.perf_counter()
    graph = build_graph(lines.assign(access=access))
    print(f"graph with turns of {graph.state_count} states, {len(graph.turn_indices)} turns built "
          f"in {time.perf_counter() - begin:.2f} s")  # fmt: skip
    nodes = np.sort(rng.choice(graph.node_count, 50, replace=False))
    places = at_nodes(graph, nodes)
    ends = hang(graph, places, leaving=True)
    seeds = np.unique(ends.state[ends.price(graph.edge_seconds) == 0])
    mine = clock(lambda: nearest_seconds(graph, places), 5)
    matrix = network_matrix(graph, graph.edge_seconds)
    free = build_graph(lines)
    plain = network_matrix(free, free.edge_seconds)
    others = {
        "scipy on states": clock(lambda: dijkstra(matrix, indices=seeds, min_only=True), 3),
        "riskmap without turns": clock(lambda: nearest_seconds(free, at_nodes(free, nodes)), 5),
        "scipy without turns": clock(lambda: dijkstra(plain, indices=nodes, min_only=True), 3),
    }
    truth = dijkstra(matrix, indices=seeds, min_only=True)
    assert np.allclose(truth, nearest_seconds(graph, places).state_cost)
    show("nearest of 50 with turns", mine, others)


def many(graph: RoadGraph) -> None:
    """Time k nearest and origin-destination tables against pandana."""
    rng = np.random.default_rng(7)
    shops = np.sort(rng.choice(graph.node_count, 500, replace=False))
    homes = np.sort(rng.choice(graph.node_count, 2000, replace=False))
    a, b = at_nodes(graph, shops), at_nodes(graph, homes)
    every = at_nodes(
        graph, np.flatnonzero(np.bincount(graph.edge_tail, minlength=graph.node_count))
    )
    k_nearest(graph, a, b, k=5, limit=60)
    cost_table(graph, a, b, limit=60)
    five = clock(lambda: k_nearest(graph, a, every, k=5, limit=LIMIT_S, way="to_facility"))
    table = clock(lambda: cost_table(graph, a, b, limit=LIMIT_S, way="to_facility"))
    try:
        import pandana
        import pandas as pd
    except ImportError:
        show("5 nearest of 500 within 900 s", five, {})
        show("2000 x 500 within 900 s", table, {})
        return
    tail = np.repeat(np.arange(graph.node_count), np.diff(graph.indptr))
    begin = time.perf_counter()
    net = pandana.Network(
        pd.Series(graph.node_xy[:, 0]),
        pd.Series(graph.node_xy[:, 1]),
        pd.Series(tail),
        pd.Series(graph.indices),
        pd.DataFrame({"seconds": graph.arc_seconds}),
        twoway=False,
    )
    print(f"pandana's contraction hierarchy built in {time.perf_counter() - begin:.2f} s")

    def pois() -> None:
        x, y = graph.node_xy[shops].T
        net.set_pois("shop", LIMIT_S, 5, pd.Series(x), pd.Series(y))
        net.nearest_pois(LIMIT_S, "shop", num_pois=5)

    show("5 nearest of 500 within 900 s", five, {"pandana": clock(pois)})
    i, j = np.repeat(homes, 500), np.tile(shops, 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names every pair without a way
        found: list[Any] = []
        pairs = clock(lambda: found.append(net.shortest_path_lengths(i, j)), 1)
    check(np.array(found[0]).reshape(2000, 500), graph, (a, b))
    ranges = clock(lambda: net.nodes_in_range(shops, LIMIT_S), 1)
    others = {"pandana pairs": pairs, "pandana ranges": ranges}
    show("2000 x 500 within 900 s", table, others)
    free = clock(lambda: cost_table(graph, a, b, way="to_facility"), 1)
    show("2000 x 500 without limit", free, {"pandana pairs": pairs})


def check(theirs: np.ndarray, graph: RoadGraph, places: tuple[Snapped, Snapped]) -> None:
    """Stop when pandana and riskmap do not give the same table (pandana rounds to 1/1000)."""
    table = cost_table(graph, *places, limit=LIMIT_S, way="to_facility")
    mine = np.full(theirs.shape, np.inf)
    mine[table.point, table.facility] = table.cost
    near = theirs <= LIMIT_S - 1
    assert np.allclose(mine[near], theirs[near], atol=0.5)
    assert (theirs[np.isfinite(mine)] <= LIMIT_S + 1).all()


def main() -> None:
    """Run all."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    lines = town()
    begin = time.perf_counter()
    graph = build_graph(lines)
    print(f"graph of {graph.node_count} nodes, {len(graph.indices)} arcs built in "
          f"{time.perf_counter() - begin:.2f} s")  # fmt: skip
    for count in (50, 500):
        nearest(graph, count)
    turns(lines)
    many(graph)


if __name__ == "__main__":
    sys.exit(main())

"""Random networks against networkx, which knows nothing of edges cut in the middle."""

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from riskmap.geo.network import build_graph, cost_table, k_nearest, nearest_seconds, shortest_paths
from riskmap.geo.network import search as buckets
from riskmap.geo.network.graph import Snapped

X0, Y0 = 500_000.0, 4_000_000.0
SIDE = 4


@st.composite
def networks(draw):
    """Some streets between the places of a small grid, one-way or not, at unlike speeds."""
    nodes = SIDE * SIDE
    pair = st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)).filter(
        lambda p: p[0] != p[1]
    )
    pairs = draw(st.lists(pair, min_size=2, max_size=24, unique_by=lambda p: tuple(sorted(p))))
    ways = draw(
        st.lists(st.sampled_from(["yes", "-1", "no"]), min_size=len(pairs), max_size=len(pairs))
    )
    speeds = draw(st.lists(st.sampled_from([18, 36, 60]), min_size=len(pairs), max_size=len(pairs)))
    count = draw(st.integers(2, 6))
    place = st.tuples(st.integers(0, len(pairs) - 1), st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0]))
    return pairs, ways, speeds, draw(st.lists(place, min_size=count, max_size=count))


def bent(i, j, number):
    """A street that shares no inner vertex with another."""
    a, b = np.array(divmod(i, SIDE)) * 100.0, np.array(divmod(j, SIDE)) * 100.0
    middle = (a + b) / 2 + np.array([3.0 + number, 1.0 + 0.37 * number])
    return LineString(
        [(X0 + a[0], Y0 + a[1]), (X0 + middle[0], Y0 + middle[1]), (X0 + b[0], Y0 + b[1])]
    )


def prepare(net):
    pairs, ways, speeds, places = net
    lines = gpd.GeoDataFrame(
        {"oneway": ways, "speed_kmh": speeds},
        geometry=[bent(i, j, n) for n, (i, j) in enumerate(pairs)],
        crs=4548,
    )
    graph = build_graph(lines)
    edge_of = {int(row): edge for edge, row in enumerate(graph.edge_row)}
    edge = np.array([edge_of[row] for row, _ in places])
    along = np.array([share for _, share in places])
    return graph, Snapped(edge, along, np.zeros(len(places)), np.zeros((len(places), 2)))


def oracle(graph, places, value):
    """Cut every edge at its places and let networkx find the ways."""
    net = nx.MultiDiGraph()
    net.add_nodes_from(range(graph.node_count))
    for edge in range(graph.edge_count):
        stops = [(0.0, int(graph.edge_tail[edge])), (1.0, int(graph.edge_head[edge]))]
        for i in np.flatnonzero(places.edge == edge):
            share = float(places.along[i])
            end = stops[0][1] if share == 0 else stops[1][1] if share == 1 else None
            if end is None:
                stops.append((share, ("at", edge, share)))
        stops = sorted(set(stops), key=lambda stop: stop[0])
        for (low, a), (high, b) in pairwise(stops):
            if graph.edge_forward[edge]:
                net.add_edge(a, b, weight=(high - low) * value[edge])
            if graph.edge_backward[edge]:
                net.add_edge(b, a, weight=(high - low) * value[edge])
    ends = []
    for edge, share in zip(places.edge, places.along, strict=True):
        ends.append(
            int(graph.edge_tail[edge]) if share == 0
            else int(graph.edge_head[edge]) if share == 1
            else ("at", int(edge), float(share))
        )  # fmt: skip
    table = np.full((len(ends), len(ends)), np.inf)
    for i, a in enumerate(ends):
        found = nx.single_source_dijkstra_path_length(net, a)
        table[i] = [found.get(b, np.inf) for b in ends]
    return table


@settings(max_examples=80, deadline=None)
@given(networks())
def test_all_engines_agree_with_networkx(net):
    graph, places = prepare(net)
    truth = oracle(graph, places, graph.edge_seconds)
    size = len(places)
    table = cost_table(graph, places, places)
    dense = np.full((size, size), np.inf)
    dense[table.facility, table.point] = table.cost
    np.testing.assert_allclose(dense, truth, rtol=1e-9, atol=1e-9)
    back = cost_table(graph, places, places, way="to_facility")
    dense = np.full((size, size), np.inf)
    dense[back.point, back.facility] = back.cost
    np.testing.assert_allclose(dense, truth, rtol=1e-9, atol=1e-9)
    near = nearest_seconds(graph, places.take(np.arange(2)), places)
    np.testing.assert_allclose(near.cost, truth[:2].min(axis=0), rtol=1e-9, atol=1e-9)
    reached = np.isfinite(near.cost)
    first = np.argmax(truth[:2] <= truth[:2].min(axis=0) + 1e-9, axis=0)
    assert (near.facility[reached] == first[reached]).all()
    cost, which = k_nearest(graph, places, places, k=3)
    expected = np.sort(truth, axis=0)[:3].T
    np.testing.assert_allclose(cost[:, : expected.shape[1]], expected, rtol=1e-9, atol=1e-9)
    held = which >= 0
    rows = np.nonzero(held)[0]
    np.testing.assert_allclose(truth[which[held], rows], cost[held], rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(networks())
def test_paths_cost_what_they_say(net):
    graph, places = prepare(net)
    truth = oracle(graph, places, graph.edge_length_m)
    i, j = (part.ravel() for part in np.indices(truth.shape))
    paths = shortest_paths(graph, places.take(i), places.take(j), weight="metres")
    for path, expected in zip(paths, truth.ravel(), strict=True):
        assert path.reached == np.isfinite(expected)
        if path.reached:
            assert path.cost == pytest.approx(expected, abs=1e-6)
            assert path.metres == pytest.approx(expected, abs=1e-6)
            assert path.geometry.length == pytest.approx(expected, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(networks(), st.floats(0, 60))
def test_a_limit_only_cuts(net, limit):
    graph, places = prepare(net)
    whole, cut = cost_table(graph, places, places), cost_table(graph, places, places, limit=limit)
    near = whole.cost <= limit
    assert (whole.facility[near] == cut.facility).all()
    assert (whole.point[near] == cut.point).all()
    np.testing.assert_allclose(whole.cost[near], cut.cost)
    two = nearest_seconds(graph, places.take(np.arange(2)), places, limit=limit)
    free = nearest_seconds(graph, places.take(np.arange(2)), places)
    assert (np.where(free.cost <= limit, free.cost, np.inf) == two.cost).all()


@settings(max_examples=30, deadline=None)
@given(networks())
def test_closing_an_edge_never_shortens_a_way(net):
    graph, places = prepare(net)
    closed = graph.edge_seconds.copy()
    closed[0] = np.inf
    dry = nearest_seconds(graph, places.take(np.arange(2)), places)
    wet = nearest_seconds(graph, places.take(np.arange(2)), places, edge_cost=closed)
    assert (wet.cost >= dry.cost - 1e-9).all()
    truth = oracle(graph, places, graph.edge_seconds)
    assert (dry.cost <= truth[0] + 1e-9).all()


@pytest.mark.parametrize("seed", range(6))
def test_search_is_exact_whatever_the_spread_of_costs_and_starts(seed):
    rng = np.random.default_rng(seed)
    size, count = 60, 300
    tail, head = rng.integers(0, size, (2, count))
    cost = 10.0 ** rng.uniform(-6, 6, count) * (rng.uniform(size=count) > 0.1)
    order = np.lexsort((np.arange(count), head, tail))
    tail, head, cost = tail[order], head[order], cost[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=size))])
    start = rng.uniform(0, 10.0 ** rng.integers(-3, 8), 5)
    seeds = np.sort(rng.choice(size, 5, replace=False))
    net = nx.DiGraph()
    net.add_nodes_from(range(size))
    for a, b, price in zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True):
        net.add_edge(a, b, weight=min(price, net.edges[a, b]["weight"] if (a, b) in net.edges
                                      else np.inf))  # fmt: skip
    net.add_weighted_edges_from(
        ("out", int(i), float(x)) for i, x in zip(seeds, start, strict=True)
    )
    truth = nx.single_source_dijkstra_path_length(net, "out")
    width, ring = buckets.bucket_width(cost, start)
    work = buckets.scratch(size, ring)
    arcs = (indptr, head, cost, np.ones(count))
    reached = buckets.reach(arcs, 1, seeds, start, np.zeros(5), np.inf, width, work)
    expected = np.array([truth.get(i, np.inf) for i in range(size)])
    np.testing.assert_allclose(work[0], expected, rtol=1e-12)
    assert sorted(work[6][:reached].tolist()) == np.flatnonzero(np.isfinite(expected)).tolist()
    assert (work[2] == -1).all()
    assert (work[5] == -1).all()

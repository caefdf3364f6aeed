"""Service areas: the cut is where the time runs out, and land without a road is never claimed."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from riskmap.errors import UsageError
from riskmap.geo.network import (
    build_graph,
    edge_depths,
    nearest_seconds,
    service_areas,
    vehicle_seconds,
)
from riskmap.geo.network.graph import Snapped
from riskmap.geo.network.rules import water_speed
from riskmap.geo.network.snap import snap_points
from riskmap.geo.network.travel import reached_stretches, stretch_lines, within
from riskmap.vocabulary.presets import load_presets

X0, Y0 = 500_000.0, 4_000_000.0
TEN = {"road.speed_kmh": {"": 36.0}}


def line(*points):
    return LineString([(X0 + x, Y0 + y) for x, y in points])


def build(lines, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=lines, crs=4548)
    return build_graph(frame, presets=TEN)


def at(graph, *points):
    return snap_points(graph, np.array([(X0 + x, Y0 + y) for x, y in points], dtype=float))


def test_edges_are_cut_exactly_around_bends():
    graph = build([line((0, 0), (300, 0), (300, 400))])
    found = reached_stretches(graph, at(graph, (100, 0)), limit=30)
    drawn = shapely.union_all(stretch_lines(graph, found))
    # 100 m back to the end, 300 m ahead: 200 along the first leg, 100 up the second
    assert drawn.length == pytest.approx(400)
    assert drawn.distance(Point(X0 + 300, Y0 + 100)) < 1e-6
    assert drawn.distance(Point(X0 + 300, Y0 + 101)) == pytest.approx(1, abs=1e-6)


def test_one_way_edges_are_reached_one_way():
    graph = build([line((0, 0), (1000, 0))], oneway=["yes"])
    there = reached_stretches(graph, at(graph, (500, 0)), limit=20)
    assert (there.low.tolist(), there.high.tolist()) == ([0.5], [pytest.approx(0.7)])
    back = reached_stretches(graph, at(graph, (500, 0)), limit=20, way="to_facility")
    assert (back.low.tolist(), back.high.tolist()) == ([pytest.approx(0.3)], [0.5])


def test_an_edge_reached_from_both_ends_keeps_its_gap():
    graph = build([line((0, 0), (1000, 0))])
    found = reached_stretches(graph, at(graph, (0, 0), (1000, 0)), limit=30)
    assert found.facility.tolist() == [0, 1]
    assert stretch_lines(graph, found)[0].length == pytest.approx(300)
    assert shapely.length(stretch_lines(graph, found)).sum() == pytest.approx(600)
    whole = reached_stretches(graph, at(graph, (0, 0), (1000, 0)), limit=80)
    assert whole.high.tolist() == [pytest.approx(0.5), 1.0]


def test_no_hull_is_claimed_and_detached_parts_stay():
    # a road on stilts: the slow start eats no time, the far end is reached, the middle is a tunnel
    lines = [line((0, 0), (100, 0)), line((100, 0), (100, 3000)), line((5000, 0), (5100, 0))]
    graph = build(lines)
    cells = gpd.GeoDataFrame(
        {"cost": [20.0, 400.0]},
        geometry=[box(X0 + 4000, Y0, X0 + 4100, Y0 + 100), box(X0, Y0 + 900, X0 + 90, Y0 + 990)],
        crs=4548,
    )
    roads, areas = service_areas(
        graph, at(graph, (0, 0)), limits=[50, 20], half_width_m=50, cells=cells
    )
    assert areas.groupby("band")["limit"].first().tolist() == [20, 50]
    far = areas[(areas["band"] == 1) & areas["exclave"]]
    assert len(far) == 1
    assert far.geometry.iloc[0].equals(box(X0 + 4000, Y0, X0 + 4100, Y0 + 100))
    inner = areas[areas["band"] == 1].union_all()
    assert not inner.contains(Point(X0 + 50, Y0 + 100))
    assert inner.area <= 200 * 100 + np.pi * 50**2 + 1e4 + 1
    assert not inner.intersects(Point(X0 + 5050, Y0))
    assert roads.length.sum() == pytest.approx(500, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=14),
    st.lists(st.sampled_from(["yes", "-1", "no"]), min_size=14, max_size=14),
    st.floats(5, 120),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=3),
)
def test_reached_length_agrees_with_points_sown_along_the_roads(pairs, ways, limit, shares):
    node = [(200.0 * (i % 3), 200.0 * (i // 3)) for i in range(9)]
    pairs = sorted({tuple(sorted(p)) for p in pairs if p[0] != p[1]})
    if not pairs:
        return
    graph = build(
        [line(node[a], (np.array(node[a]) + node[b]) / 2 + [3 + i, 5 - i], node[b])
         for i, (a, b) in enumerate(pairs)],
        oneway=ways[: len(pairs)],
    )  # fmt: skip
    edge = np.arange(len(shares)) % graph.edge_count
    zero = np.zeros((len(shares), 2))
    stations = Snapped(edge, np.array(shares), zero[:, 0], zero)
    found = reached_stretches(graph, stations, limit=limit)
    step = 200
    share = (np.arange(step) + 0.5) / step
    every = np.repeat(np.arange(graph.edge_count), step)
    sown = Snapped(
        every, np.tile(share, graph.edge_count), np.zeros(len(every)), np.zeros((len(every), 2))
    )
    truth = nearest_seconds(graph, stations, sown).cost <= limit
    metres = graph.edge_length_m
    sampled = (truth * metres[every] / step).sum()
    drawn = ((found.high - found.low) * metres[found.edge]).sum()
    assert drawn == pytest.approx(sampled, abs=metres.sum() / step * 2 + 1e-6)
    part = within(found, limit / 2)
    direct = reached_stretches(graph, stations, limit=limit / 2)
    assert ((part.high - part.low) * metres[part.edge]).sum() == pytest.approx(
        ((direct.high - direct.low) * metres[direct.edge]).sum(), abs=1e-6
    )


def test_speed_under_water_follows_the_published_curve_and_never_rises_again():
    curve = load_presets()["flood.pregnolato"]
    depth = np.array([0, 100, 150, 200, 300, 307.2, 400, 600, 5000]) / 1000
    speed = water_speed(depth, curve=curve, limit_m=100.0)
    assert speed[:6].round(2).tolist() == [86.94, 40.65, 24.26, 12.36, 2.07, 2.03]
    assert (np.diff(speed) <= 1e-12).all()
    car = water_speed(depth, curve=curve, limit_m=0.3)
    assert (car[4:] == 0).all()
    assert (car[:4] > 0).all()


def test_vehicles_stop_at_their_own_depth_and_millimetres_are_refused():
    graph = build([line((0, 0), (1000, 0))] * 1)
    deep = np.array([0.4])
    assert np.isinf(vehicle_seconds(graph, vehicle="car", depth_m=deep)[0])
    assert np.isfinite(vehicle_seconds(graph, vehicle="fire_engine", depth_m=deep)[0])
    assert np.isinf(vehicle_seconds(graph, vehicle="fire_engine", depth_m=np.array([0.6]))[0])
    assert np.isinf(vehicle_seconds(graph, vehicle="foot", depth_m=deep)[0])
    assert vehicle_seconds(graph, vehicle="boat", depth_m=np.array([2.0]))[0] == pytest.approx(360)
    dry = vehicle_seconds(graph, vehicle="car", depth_m=np.array([np.nan]))
    assert dry[0] == pytest.approx(100)
    with pytest.raises(UsageError):
        vehicle_seconds(graph, vehicle="car", depth_m=np.array([250.0]))
    with pytest.raises(UsageError):
        vehicle_seconds(graph, vehicle="tank")


def test_depth_of_an_edge_is_the_deepest_cell_on_it():
    graph = build([line((5, 5), (95, 5)), line((5, 95), (95, 95)), line((500, 0), (600, 0))])
    raster = np.array([[np.nan, np.nan], [0.1, 0.3]])
    found = edge_depths(graph, raster, (50.0, 0.0, X0, 0.0, -50.0, Y0 + 100))
    assert found[0] == 0.3
    assert np.isnan(found[1:]).all()

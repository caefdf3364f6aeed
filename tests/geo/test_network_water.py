"""Water and closures act on the stretch where they are; how the lines are cut changes nothing."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from riskmap.geo.network import build_graph, nearest_seconds, snap_points, wet_roads
from riskmap.layers.layer import Raster

X0, Y0 = 500_000.0, 4_000_000.0
PRESETS = {"road.speed_kmh": {"": 36}}


def here(shape):
    return shapely.transform(shape, lambda xy: xy + np.array([X0, Y0]))


def roads(*lines):
    frame = gpd.GeoDataFrame(geometry=[here(line) for line in lines], crs="EPSG:4548")
    return build_graph(frame, presets=PRESETS)


def water(values, size=10.0):
    return Raster(np.asarray(values, np.float32), (size, 0, X0, 0, -size, Y0), "EPSG:4548")


def stretches(found, what):
    length = found.graph.edge_length_m
    return [
        (round(float(a), 4), round(float(b), 4), round(float(m), 1))
        for a, b, m, hit in zip(found.low, found.high, length, what, strict=True)
        if hit
    ]


LINE = LineString([(0, -5), (1000, -5)])


@pytest.mark.parametrize(
    ("closure", "low", "high"),
    [
        (box(300, -20, 700, 20), 0.3, 0.7),
        (LineString([(300, -5), (700, -5)]), 0.3, 0.7),
        (LineString([(700, 5), (500, 4), (300, 5)]), 0.3, 0.7),
        (LineString([(500, -100), (500, 100)]), 0.499, 0.501),  # across, along no road
        (Point(500, 3), 0.499, 0.501),
    ],
)
def test_a_closure_shuts_the_stretch_that_it_covers(closure, low, high):
    found = wet_roads(roads(LINE), closures=[here(closure)])
    assert stretches(found, found.shut) == [(low, high, pytest.approx(1000 * (high - low), abs=1))]
    assert found.graph.edge_length_m.sum() == pytest.approx(roads(LINE).edge_length_m.sum())


@pytest.mark.parametrize("closure", [Point(500, 40), LineString([(0, 40), (1000, 40)])])
def test_a_closure_beside_no_road_shuts_nothing(closure):
    graph = roads(LINE)
    assert wet_roads(graph, closures=[here(closure)]).graph is graph


def test_a_road_crossed_by_a_closure_that_runs_along_another_stays_open():
    graph = roads(LINE, LineString([(500, -400), (500, 400)]))
    found = wet_roads(graph, closures=[here(LineString([(400, -5), (600, -5)]))])
    assert set(found.graph.edge_row[found.shut]) == {0}


def test_water_stands_on_the_pixels_that_are_wet():
    depth = np.zeros((1, 100))
    depth[0, 40:42], depth[0, 42] = 0.55, np.nan
    found = wet_roads(roads(LINE), [water(depth)])
    assert stretches(found, np.isfinite(found.depth_m)) == [(0.4, 0.42, pytest.approx(20, abs=0.1))]
    seconds = found.seconds(vehicle="fire_engine", presets=None)
    # Pregnolato: 20 m at its least speed of 2.03 km/h are 35.5 s, and 980 m the free flow
    free = found.graph.edge_seconds[~np.isfinite(found.depth_m)].sum()
    assert seconds.sum() - free == pytest.approx(35.5, abs=0.1)


def test_places_keep_their_place():
    depth = np.zeros((1, 100))
    depth[0, 40] = 0.9
    graph = roads(LINE)
    at = np.array([[X0 + x, Y0] for x in (0, 100, 405, 700, 1000)])
    snapped = snap_points(graph, at)
    found = wet_roads(graph, [water(depth)])
    moved = found.moved(snapped)
    place = shapely.line_interpolate_point(
        found.graph.edge_geometry[moved.edge], moved.along, normalized=True
    )
    assert shapely.get_coordinates(place) == pytest.approx(snapped.xy, abs=1e-6)
    assert moved.edge.tolist() == [0, 0, 1, 2, 2]


@st.composite
def worlds(draw):
    """A ladder of roads, water on pixels of 20 m, a closure, and where the lines are cut."""
    rows = draw(st.lists(st.integers(0, 8), min_size=150, max_size=150))
    depth = np.array(rows, float).reshape(10, 15) / 10 * (np.arange(150).reshape(10, 15) % 3 == 0)
    shut = draw(st.integers(0, 200)), draw(st.integers(10, 90))
    cuts = draw(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5))
    return depth, shut, sorted(set(cuts))


def lines():
    return [
        LineString([(0, -30), (140, -35), (300, -30)]),
        LineString([(0, -170), (300, -170)]),
        LineString([(0, -30), (0, -170)]),
        LineString([(300, -30), (310, -100), (300, -170)]),
        LineString([(140, -35), (140, -170)]),
    ]


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_cutting_lines_changes_no_travel_time(world):
    depth, (begin, size), cuts = world
    closure = [here(LineString([(begin, -170), (begin + size, -170)]))]
    points = np.array([[X0 + x, Y0 - y] for x in range(5, 300, 37) for y in (20, 60, 110, 160)])
    points = points + np.array([0.377, 0.219])  # at no equal distance from two roads
    times = []
    whole = lines()
    whole[1] = LineString([(0, -170), (140, -170), (300, -170)])
    for given_lines in (whole, _cut(whole, cuts)):
        graph = roads(*given_lines)
        found = wet_roads(graph, [water(depth, 20.0)], closure)
        cost = found.seconds(vehicle="fire_engine", presets=None)
        at = snap_points(found.graph, points, usable=np.isfinite(cost))
        start = at.take(np.array([0, 17]))
        near = nearest_seconds(found.graph, start, at, edge_cost=cost)
        times.append((near.cost, at.walk_m))
    assert times[1][0] == pytest.approx(times[0][0], abs=0.05)
    assert times[1][1] == pytest.approx(times[0][1], abs=1e-3)


def _cut(whole, cuts):
    ends = [0.0, *cuts, 1.0]
    return [
        shapely.ops.substring(line, low, high, normalized=True)
        for line in whole
        for low, high in itertools.pairwise(ends)
    ]

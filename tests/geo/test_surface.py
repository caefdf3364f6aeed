"""Surfaces against brute force over every pair, and against scipy's convolution."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import oaconvolve
from scipy.spatial.distance import cdist

from riskmap.geo.grid import cell_centres, make_grid
from riskmap.geo.surface import (
    decay,
    distance_to_lines,
    distance_to_points,
    floating_catchment,
    kernel_sum,
)

CRS = "EPSG:4548"
TOWN = make_grid(shapely.box(0, 0, 1200, 900), crs=CRS, size_m=100)
CENTRES = np.column_stack(cell_centres(TOWN))
metres = st.integers(-400_000, 1_500_000).map(lambda n: n / 1000)
spots = st.lists(st.tuples(metres, metres), min_size=1, max_size=12)
PROFILES = {
    "uniform": lambda u: 1 / np.pi + 0 * u,
    "epanechnikov": lambda u: 2 / np.pi * (1 - u**2),
    "quartic": lambda u: 3 / np.pi * (1 - u**2) ** 2,
    "gaussian": lambda u: np.exp(-(u**2) * 4.5) / (2 * np.pi / 9 * (1 - np.exp(-4.5))),
}


def pairs(points):
    return cdist(CENTRES, np.asarray(points, dtype=float))


@settings(max_examples=50, deadline=None)
@given(spots)
def test_distance_to_points_is_the_least_of_all_pairs(points):
    ours = distance_to_points(TOWN, shapely.points(points)).ravel()
    assert ours == pytest.approx(pairs(points).min(axis=1), rel=1e-6, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.tuples(metres, metres), min_size=2, max_size=5), min_size=1, max_size=5)
)
def test_distance_to_lines_within_its_stated_bound(lines):
    shapes = shapely.linestrings([]) if not lines else [shapely.LineString(line) for line in lines]
    truth = shapely.distance(
        shapely.multilinestrings([shapely.LineString(v) for v in lines]), shapely.points(CENTRES)
    )
    ours = distance_to_lines(TOWN, shapes).ravel().astype(float)
    assert (ours >= truth - 1e-3).all()
    assert (ours <= np.minimum(truth + 12.5, np.hypot(truth, 12.5)) + 1e-3).all()


def test_distance_to_one_straight_line_is_exact():
    line = shapely.LineString([(-333, 17), (1777, 888)])
    truth = shapely.distance(line, shapely.points(CENTRES))
    assert distance_to_lines(TOWN, [line]).ravel() == pytest.approx(truth, rel=1e-6, abs=1e-3)


def test_distance_to_water_areas_is_zero_inside():
    lake = shapely.box(200, 200, 600, 500)
    truth = shapely.distance(lake, shapely.points(CENTRES))
    assert distance_to_lines(TOWN, [lake]).ravel() == pytest.approx(truth, abs=1e-3)


def test_no_objects_no_distance():
    assert np.isnan(distance_to_points(TOWN, [])).all()
    assert np.isnan(distance_to_points(TOWN, [None, shapely.Point()])).all()
    assert np.isnan(distance_to_lines(TOWN, [])).all()
    assert np.isnan(distance_to_lines(TOWN, [shapely.LineString()])).all()


@pytest.mark.parametrize("kernel", sorted(PROFILES))
@settings(max_examples=25, deadline=None)
@given(points=spots, reach=st.sampled_from([100.0, 250.0, 730.0]))
def test_density_equals_the_sum_over_all_pairs(kernel, points, reach):
    weights = np.arange(1.0, len(points) + 1)
    u = pairs(points) / reach
    inside = u <= 1
    truth = (np.where(inside, PROFILES[kernel](np.minimum(u, 1)), 0) * weights).sum(axis=1)
    ours = kernel_sum(
        TOWN, shapely.points(points), bandwidth_m=reach, kernel=kernel, weights=weights
    )
    edge = (np.abs(u - 1) < 1e-9).any(axis=1)  # a centre on the very rim may round either way
    expected = truth / (reach / 1000) ** 2
    assert ours.ravel()[~edge] == pytest.approx(expected[~edge], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kernel", sorted(PROFILES))
def test_one_point_spreads_to_exactly_one(kernel):
    fine = make_grid(shapely.box(0, 0, 1000, 1000), crs=CRS, size_m=5)
    density = kernel_sum(fine, [shapely.Point(503, 498)], bandwidth_m=400, kernel=kernel)
    assert density.sum(dtype=float) * fine.area_km2 == pytest.approx(1.0, rel=2e-3)


def test_radius_is_inclusive():
    rim = kernel_sum(TOWN, [shapely.Point(50, 50)], bandwidth_m=300, kernel="uniform")
    assert (rim > 0)[-1].tolist() == [True] * 4 + [False] * 8


def test_density_agrees_with_convolution_of_points_at_cell_centres():
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 3, TOWN.shape)
    row, column = np.nonzero(counts)
    x, y = cell_centres(TOWN, row * TOWN.shape[1] + column)
    ours = kernel_sum(TOWN, shapely.points(x, y), bandwidth_m=450, weights=counts[row, column])
    offset = np.arange(-4, 5)
    u2 = (offset[:, None] ** 2 + offset**2) / 4.5**2
    window = np.where(u2 <= 1, 3 / np.pi * (1 - u2) ** 2, 0) / 0.45**2
    assert ours == pytest.approx(oaconvolve(counts, window, mode="same"), rel=1e-5, abs=1e-5)


def test_order_of_points_never_changes_a_bit():
    rng = np.random.default_rng(4)
    points, weights = rng.uniform(0, 1000, (200, 2)), rng.uniform(0, 1, 200)
    order = rng.permutation(200)
    one = kernel_sum(TOWN, shapely.points(points), bandwidth_m=700, weights=weights)
    two = kernel_sum(TOWN, shapely.points(points[order]), bandwidth_m=700, weights=weights[order])
    assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize("combine", ["sum", "max", "noisy_or"])
@settings(max_examples=25, deadline=None)
@given(points=spots)
def test_decay_equals_the_formula(combine, points):
    n = len(points)
    strength, radius = np.linspace(0.2, 1, n), np.linspace(150, 900, n)
    part = strength * np.clip(1 - pairs(points) / radius, 0, None)
    truth = {
        "sum": part.sum(axis=1),
        "max": part.max(axis=1),
        "noisy_or": 1 - np.prod(1 - part, axis=1),
    }[combine]
    ours = decay(TOWN, shapely.points(points), radius_m=radius, strength=strength, combine=combine)
    assert ours.ravel() == pytest.approx(truth, rel=1e-5, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(points=spots, radius=st.sampled_from([100.0, 333.0, 900.0]))
def test_places_per_person_equals_two_steps_by_hand(points, radius):
    rng = np.random.default_rng(5)
    people = rng.integers(0, 50, TOWN.shape).astype(float)
    capacity = rng.integers(10, 100, len(points)).astype(float)
    distance = pairs(points)
    near = distance <= radius
    if (np.abs(distance - radius) < 1e-6).any():
        return
    demand = (near * people.ravel()[:, None]).sum(axis=0)
    ratio = np.divide(capacity, demand, out=np.zeros(len(points)), where=demand > 0)
    ours = floating_catchment(
        TOWN, shapely.points(points), capacity=capacity, people=people, radius_m=radius
    )
    assert ours.ravel() == pytest.approx((near * ratio).sum(axis=1), rel=1e-5, abs=1e-7)
    # every place that anybody can reach is given out, no more and no less
    shared = float((ours.astype(float) * people).sum())
    assert shared == pytest.approx(capacity[demand > 0].sum(), rel=1e-5)

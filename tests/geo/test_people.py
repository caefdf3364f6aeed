"""People live in pieces: a unit's people are what its ledger says, at every level."""

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.geo.grid import make_grid
from riskmap.geo.people import live_in
from riskmap.i18n import language
from riskmap.layers.layer import Raster

CRS = "EPSG:4548"
PLACE = shapely.box(0, 0, 600, 400)
GRID = make_grid(PLACE, crs=CRS, size_m=100)


def units_of(shapes, population, parents=None, levels=None):
    n = len(shapes)
    return gpd.GeoDataFrame(
        {
            "population": population,
            "parent_id": parents or [None] * n,
            "level": levels or ["village"] * n,
        },
        index=[f"U{i}" for i in range(n)],
        geometry=list(shapes),
        crs=CRS,
    )


def tiles(xs, ys):
    """Boxes between the cuts, row by row: they fill the place."""
    xs, ys = sorted({0.0, 600.0, *xs}), sorted({0.0, 400.0, *ys})
    return [
        shapely.box(a, b, c, d)
        for b, d in itertools.pairwise(ys)
        for a, c in itertools.pairwise(xs)
    ]


@settings(max_examples=25, deadline=None)
@given(
    xs=st.lists(st.floats(1, 599), max_size=5),
    ys=st.lists(st.floats(1, 399), max_size=5),
    seed=st.integers(0, 99),
    roads=st.booleans(),
)
def test_every_unit_keeps_its_people_however_small(xs, ys, seed, roads):
    shapes = tiles(xs, ys)
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 3000, len(shapes)).astype(float)
    town = units_of(
        [PLACE, *shapes],
        [np.nan, *people],
        [None] + ["U0"] * len(shapes),
        ["town"] + ["village"] * len(shapes),
    )
    weight = rng.integers(0, 3, GRID.shape) if roads else None
    found = live_in(GRID, town, weight=weight)
    assert found.units("village")["people"].to_numpy() == pytest.approx(people, rel=1e-9)
    assert found.units()["people"].iloc[0] == pytest.approx(people.sum(), rel=1e-9)
    rows = np.asarray(found.people.sum(axis=1)).ravel()
    assert rows[1:-1] == pytest.approx(people, rel=1e-9)
    assert np.nansum(found.cells()) == pytest.approx(people.sum(), rel=1e-9)
    assert found.total == pytest.approx(people.sum(), rel=1e-9)
    # Cutting along the units' own borders gives the same people back.
    assert found.inside(shapes) == pytest.approx(people, rel=1e-5, abs=1e-6)


def test_chequerboard_keeps_its_two_densities():
    shapes = tiles([150, 300, 450], [150, 300])
    area = shapely.area(shapes) / 1e6
    density = np.where(np.arange(len(shapes)) % 2, 2000.0, 20000.0)
    found = live_in(GRID, units_of(shapes, density * area))
    assert found.units()["people"].to_numpy() / area == pytest.approx(density, rel=1e-12)


def test_weights_move_people_inside_a_unit_only():
    left, right = shapely.box(0, 0, 250, 400), shapely.box(250, 0, 600, 400)
    weight = np.zeros(GRID.shape)
    weight[:, 5] = 1.0  # the only road lies in the east
    found = live_in(GRID, units_of([left, right], [100.0, 700.0]), weight=weight)
    assert found.inside([left, right]) == pytest.approx([100, 700])
    assert found.cells()[:, 5].sum() == pytest.approx(700)  # all of the east
    assert found.cells()[:, :3].sum() == pytest.approx(100)  # the west by area


def test_unknown_is_not_zero():
    shapes = tiles([200, 400], [])
    units = units_of(
        [PLACE, *shapes], [np.nan, 50, np.nan, 0], [None, "U0", "U0", "U0"], ["town"] + ["v"] * 3
    )
    found = live_in(GRID, units)
    assert found.unknown == 1
    table = found.units()
    assert table["people"].tolist()[:2] == [50.0, 50.0]
    assert np.isnan(table["people"].iloc[2])
    assert table["people"].iloc[3] == 0
    assert table["unknown"].tolist() == [1, 0, 1, 0]
    assert np.isnan(found.cells()[:, 2:4]).all()
    assert (found.cells()[:, 4:] == 0).all()
    assert np.isnan(found.inside([shapes[1]])[0])
    assert found.inside([shapes[2], PLACE]).tolist() == [0.0, 50.0]
    with language("en"):
        assert any("1 units are unknown" in str(note) for note in found.notes)


def test_what_is_left_of_the_town_is_an_estimate():
    shapes = tiles([100, 300], [])
    units = units_of(
        [PLACE, *shapes], [1000, 400, np.nan, np.nan], [None] + ["U0"] * 3, ["town"] + ["v"] * 3
    )
    found = live_in(GRID, units)
    # 600 are left for 200 m and 300 m of ground: 240 and 360.
    assert found.units()["people"].tolist() == pytest.approx([1000, 400, 240, 360])
    assert found.units()["estimated"].tolist() == [True, False, True, True]


def test_villages_win_over_the_sum_that_the_town_states():
    shapes = tiles([300], [])
    units = units_of([PLACE, *shapes], [1000, 400, 500], [None, "U0", "U0"], ["town", "v", "v"])
    found = live_in(GRID, units)
    assert found.units()["people"].tolist() == [900, 400, 500]
    assert any("1000" in str(note) and "900" in str(note) for note in found.notes)


def test_rows_with_a_units_code_are_its_ledger():
    shapes = tiles([130], [])
    rows = gpd.GeoDataFrame(
        {"number": ["U0", "U1"], "population": [0, 90]},
        geometry=[shapely.box(0, 0, 140, 400), shapely.box(140, 0, 600, 400)],  # drawn otherwise
        crs=CRS,
    )
    found = live_in(GRID, units_of(shapes, [np.nan, np.nan]), table=rows)
    assert found.units()["people"].tolist() == [0, 90]


def test_points_and_polygons_stand_where_they_are():
    shapes = tiles([250], [])
    rows = gpd.GeoDataFrame(
        {"population": [10, 20, 30]},
        geometry=[shapely.Point(240, 50), shapely.Point(260, 50), shapely.box(200, 0, 300, 400)],
        crs=CRS,
    )
    found = live_in(GRID, units_of(shapes, [np.nan, np.nan]), table=rows)
    # 240 and 260 are in one cell, but in two units; the polygon lies half in each.
    assert found.units()["people"].tolist() == pytest.approx([10 + 15, 20 + 15])
    assert found.cells()[3, 2] == pytest.approx(10 + 20 + 30 / 4)


@pytest.mark.parametrize("pixel", [30, 70, 100, 250])
def test_a_raster_alone_keeps_its_total_and_each_units_sum(pixel):
    rng = np.random.default_rng(3)
    values = rng.uniform(0, 9, (1000 // pixel + 1, 1000 // pixel + 1)).astype(np.float32)
    raster = Raster(values, (pixel, 0, -77, 0, -pixel, 533), CRS)
    shapes = tiles([37, 261], [155])
    found = live_in(GRID, units_of(shapes, [np.nan] * len(shapes)), rasters=(raster,))
    expected = []
    for shape in [*shapes, PLACE]:  # brute force: every pixel by the share of it in the shape
        row, column = np.indices(values.shape)
        west, north = -77 + column * pixel, 533 - row * pixel
        part = shapely.area(
            shapely.intersection(shapely.box(west, north - pixel, west + pixel, north), shape)
        )
        expected.append(float((values * part).sum() / pixel**2))
    assert found.units()["people"].to_numpy() == pytest.approx(expected[:-1], rel=1e-5)
    assert found.total == pytest.approx(expected[-1], rel=1e-5)
    assert np.nansum(found.cells()) == pytest.approx(found.total, rel=1e-12)


def test_a_raster_in_degrees_is_read_without_a_word_of_the_library():
    west, south, east, north = gpd.GeoSeries([PLACE], crs=CRS).to_crs("EPSG:4326").total_bounds
    step = (east - west) / 20
    shape = (int((north - south) / step) + 7, 26)
    raster = Raster(
        np.full(shape, 2.0, np.float32),
        (step, 0, west - 3 * step, 0, -step, north + 3 * step),
        "EPSG:4326",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = live_in(GRID, units_of([PLACE], [np.nan]), rasters=(raster,))
    pixels = (east - west) * (north - south) / step**2
    assert found.total == pytest.approx(2.0 * pixels, rel=0.01)


def test_fewer_than_nobody_is_unknown():
    values = np.full((4, 6), 5.0, np.float32)
    values[:, :2] = -99999
    raster = Raster(values, (100, 0, 0, 0, -100, 400), CRS)
    found = live_in(GRID, units_of(tiles([200], []), [np.nan, np.nan]), rasters=(raster,))
    assert np.isnan(found.units()["people"].iloc[0])
    assert found.units()["people"].iloc[1] == pytest.approx(80)


def test_people_in_no_unit_are_counted_once():
    rows = gpd.GeoDataFrame(
        {"population": [10, 20]},
        geometry=[shapely.Point(50, 50), shapely.Point(550, 50)],
        crs=CRS,
    )
    half = shapely.box(0, 0, 300, 400)
    found = live_in(GRID, units_of([half], [np.nan]), table=rows)
    assert found.total == 30
    assert found.units()["people"].tolist() == [10]
    assert found.inside([PLACE, half, shapely.box(300, 0, 600, 400)]) == pytest.approx([30, 10, 20])


def test_density_at_the_rim_goes_by_the_ground_that_is_there():
    place = shapely.box(0, 0, 550, 400)
    grid = make_grid(place, crs=CRS, size_m=100)
    found = live_in(grid, units_of([place], [2200.0]))
    assert found.density()[grid.inside] == pytest.approx(10000.0)


def test_nobody_says_anything():
    assert live_in(GRID, units_of([PLACE], [np.nan])) is None


def test_people_around_a_point_are_the_share_of_the_circle_in_each_village():
    """Two villages of 1 km2 beside each other, 4000 and 400 people; 500 m around their border."""
    grid = make_grid(shapely.box(0, 0, 2000, 1000), crs=CRS, size_m=300)
    units = gpd.GeoDataFrame(
        {"population": [4000.0, 400.0]}, index=["A", "B"],
        geometry=[shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)], crs=CRS,
    )  # fmt: skip
    pieces = live_in(grid, units)
    half = np.pi * 0.5**2 / 2
    found = pieces.around(np.array([[1000.0, 500.0], [500.0, 500.0], [np.nan, 0.0]]), 500)
    assert found[0] == pytest.approx(half * 4400, rel=1e-3)
    assert found[1] == pytest.approx(2 * half * 4000, rel=1e-3)
    assert np.isnan(found[2])


def test_people_beyond_every_refuge_are_counted_where_they_live():
    """A refuge in the middle of A reaches 500 m: outside its circle live 1 - pi/4 of A, all of B."""
    grid = make_grid(shapely.box(0, 0, 2000, 1000), crs=CRS, size_m=300)
    units = gpd.GeoDataFrame(
        {
            "population": [np.nan, 4000.0, 400.0], "parent_id": [None, "T", "T"],
            "level": ["town", "village", "village"], "name": ["T", "A", "B"],
        },
        index=["T", "A", "B"], crs=CRS,
        geometry=[shapely.box(0, 0, 2000, 1000), shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)],
    )  # fmt: skip
    people, share = live_in(grid, units).beyond(np.array([[500.0, 500.0]]), 500)
    outside = 4000 * (1 - np.pi / 4)
    np.testing.assert_allclose(people, [outside + 400, outside, 400], rtol=2e-3)
    np.testing.assert_allclose(share, [(outside + 400) / 4400, 1 - np.pi / 4, 1.0], rtol=2e-3)
    assert share[2] == 1.0
    nobody, whole = live_in(grid, units).beyond(np.zeros((0, 2)), 500)
    assert nobody.tolist() == [4400.0, 4000.0, 400.0]
    assert whole.tolist() == [1.0, 1.0, 1.0]
    dark = units.assign(population=[np.nan, np.nan, 400.0])
    people, share = live_in(grid, dark).beyond(np.array([[500.0, 500.0]]), 500)
    assert np.isnan(people[1])
    assert share[1] == pytest.approx(1 - np.pi / 4, rel=2e-3)

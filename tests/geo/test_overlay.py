"""Overlays: exactextract's own answers, shapely cell by cell, and totals that are kept."""

import json
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from riskmap.geo.areas import (
    coverage,
    lines_to_cells,
    place_share,
    polygons_to_cells,
    raster_to_cells,
    zonal,
)
from riskmap.geo.grid import Grid, cell_polygons, make_grid, points_to_cells, unit_of_points
from riskmap.geo.people import share_of_cells
from riskmap.layers.layer import Raster

CRS = "EPSG:4548"
CHECK = Path(__file__).parents[1] / "data" / "exactextract_zonal"
TOWN = make_grid(shapely.box(0, 0, 500, 400), crs=CRS, size_m=100)
SQUARES = cell_polygons(TOWN, np.arange(TOWN.n_cells)).geometry.to_numpy()
millimetres = st.integers(-100_000, 600_000).map(lambda n: n / 1000)
spot = st.tuples(millimetres, millimetres)


def test_exactextract_own_answers():
    expected = json.loads((CHECK / "expected.json").read_text())
    polygons = gpd.read_file(CHECK / "polygons.geojson").set_index("id").sort_index()
    with rasterio.open(CHECK / "raster_3x3.tif") as source:
        values = source.read(1)
        geobox = GeoBox(source.shape, source.transform, source.crs)
    with rasterio.open(CHECK / "weights_3x3.tif") as source:
        weights = source.read(1)
    grid = Grid(geobox, np.ones((3, 3), dtype=bool))
    cover = coverage(grid, polygons)
    assert cover[[0]].toarray().ravel().tolist() == expected["A"]["coverage"]
    mean = dict(zip(polygons.index, zonal(grid, cover, values), strict=True))
    total = dict(zip(polygons.index, zonal(grid, cover, values, how="sum"), strict=True))
    weighted = zonal(grid, cover, values, how="population_mean", population=weights)
    assert mean["A"] == expected["A"]["mean"]
    assert mean["C"] == expected["C"]["mean"]
    assert (total["A"], total["C"]) == (expected["A"]["sum"], expected["C"]["sum"])
    assert weighted[0] == expected["A"]["weighted_mean_with_weights_3x3"]


def test_density_is_the_sum_by_the_area():
    cover = coverage(TOWN, [shapely.box(0, 0, 150, 100)])
    ones = np.ones(TOWN.shape)
    # 1.5 objects on 0.015 km2
    assert zonal(TOWN, cover, ones, how="density")[0] == pytest.approx(100.0)
    assert zonal(TOWN, cover, ones, how="sum")[0] == pytest.approx(1.5)


def test_counts_of_units_that_tile_the_place_are_shared_out_whole():
    place = shapely.Polygon([(0, 0), (470, 20), (430, 330), (60, 380)])
    grid = make_grid(place, crs=CRS, size_m=100)
    parts = shapely.intersection(place, shapely.box([0, 210], [0, 0], [210, 500], [400, 400]))
    people = polygons_to_cells(grid, parts, [1000.0, 500.0])
    cover, share = coverage(grid, parts), place_share(grid)
    total = zonal(grid, cover, people, how="sum", place_share=share)
    assert total.sum() == pytest.approx(1500.0, rel=1e-4)
    assert total == pytest.approx([1000.0, 500.0], rel=0.1)
    density = zonal(grid, cover, people, how="density", place_share=share)
    assert density == pytest.approx(total / shapely.area(parts) * 1e6, rel=1e-4)


def test_unknown_cells_are_left_out_and_unknown_units_stay_unknown():
    cover = coverage(TOWN, [shapely.box(0, 0, 200, 100), shapely.box(0, 300, 100, 400)])
    field = np.full(TOWN.shape, np.nan)
    field[3, 1] = 7.0
    for how in ("mean", "sum", "population_mean", "density"):
        one, two = zonal(TOWN, cover, field, how=how, population=np.ones(TOWN.shape))
        assert np.isnan(two)
        assert one == (700.0 if how == "density" else 7.0)


def test_a_unit_without_people_takes_the_plain_mean():
    cover = coverage(TOWN, [shapely.box(0, 0, 200, 100)])
    field = np.arange(20.0).reshape(TOWN.shape)
    none = zonal(TOWN, cover, field, how="population_mean", population=np.zeros(TOWN.shape))
    assert none[0] == 15.5


def test_many_fields_equal_one_by_one():
    rng = np.random.default_rng(1)
    fields = rng.uniform(0, 1, (4, *TOWN.shape))
    cover = coverage(TOWN, shapely.box([0, 120], [30, 0], [260, 500], [210, 400]))
    together = zonal(TOWN, cover, fields)
    assert together.shape == (4, 2)
    assert together.tolist() == [zonal(TOWN, cover, field).tolist() for field in fields]


@settings(deadline=None)
@given(st.lists(spot, min_size=0, max_size=30))
def test_points_counted_one_by_one(spots):
    counted = np.zeros(TOWN.shape)
    for x, y in spots:
        if 0 <= x < 500 and 0 <= y < 400:
            counted[3 - int(y // 100), int(x // 100)] += 1
    assert (points_to_cells(TOWN, [shapely.Point(s) for s in spots]) == counted).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(spot, min_size=2, max_size=6), min_size=1, max_size=4))
def test_length_in_each_cell_equals_shapely(lines):
    shapes = [shapely.LineString(line) for line in lines]
    ours = lines_to_cells(TOWN, shapes)
    # a stretch along a shared edge belongs to one cell only, so totals are compared inside the grid
    whole = shapely.box(-1e-9, -1e-9, 500 - 1e-6, 400 - 1e-6)
    # one by one, since shapely counts a stretch that a line runs twice only once
    pieces = [shapely.LineString(line[i : i + 2]) for line in lines for i in range(len(line) - 1)]
    total = sum(shapely.intersection(piece, whole).length for piece in pieces)
    assert ours.sum() == pytest.approx(total, rel=1e-5, abs=1e-2)
    crossing = [not any(v % 100 == 0 for p in line for v in p) for line in lines]
    if all(crossing):
        each = sum(shapely.length(shapely.intersection(SQUARES, piece)) for piece in pieces)
        assert ours.ravel() == pytest.approx(each, abs=1e-2)


def test_line_on_an_edge_counts_once():
    along = shapely.LineString([(0, 100), (500, 100)])
    assert lines_to_cells(TOWN, [along]).sum() == 500.0
    found = lines_to_cells(TOWN, [along])
    assert found[2].tolist() == found[3].tolist() == [50.0] * 5  # half to the cells of either side


def test_weights_of_lines_and_points():
    line = shapely.LineString([(50, 50), (150, 50)])
    assert lines_to_cells(TOWN, [line, line], weights=[2, np.nan]).sum() == 200.0
    both = points_to_cells(TOWN, shapely.points([[50, 50], [50, 50]]), weights=[2, np.nan])
    assert both[3, 0] == 2.0


convex = st.lists(spot, min_size=3, max_size=8).map(lambda p: shapely.MultiPoint(p).convex_hull)


@settings(max_examples=60, deadline=None)
@given(st.lists(convex.filter(lambda p: p.area > 1), min_size=1, max_size=5))
def test_coverage_equals_shapely_areas(shapes):
    ours = coverage(TOWN, shapes).toarray()
    for row, shape in zip(ours, shapes, strict=True):
        each = shapely.area(shapely.intersection(SQUARES, shape)) / 1e4
        assert row == pytest.approx(each, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(convex.filter(lambda p: p.area > 1), min_size=1, max_size=5),
    st.lists(st.floats(0, 1e5), min_size=5, max_size=5),
    st.booleans(),
)
def test_people_inside_the_place_are_kept(shapes, totals, weighted):
    shapes = [shapely.intersection(shape, TOWN.place) for shape in shapes]
    shapes = [shape for shape in shapes if shape.area > 1]
    totals = totals[: len(shapes)]
    weight = np.arange(20.0).reshape(TOWN.shape) * (np.arange(20).reshape(TOWN.shape) % 2)
    cells = polygons_to_cells(TOWN, shapes, totals, weight=weight if weighted else None)
    assert cells.sum() == pytest.approx(sum(totals), rel=1e-4, abs=1e-3)
    assert (cells >= 0).all()


def test_only_the_share_in_the_place_counts():
    half_out = shapely.box(-100, 0, 100, 100)
    assert polygons_to_cells(TOWN, [half_out], [80.0]).sum() == pytest.approx(40.0)


def test_people_stand_in_cells_whose_centre_is_inside():
    # the place ends 30 m into the second column: people of that strip are drawn in the first
    grid = make_grid(shapely.box(0, 0, 130, 100), crs=CRS, size_m=100)
    assert grid.inside.tolist() == [[True, False]]
    assert polygons_to_cells(grid, [shapely.box(0, 0, 130, 100)], [13.0]).tolist() == [[13.0, 0.0]]
    lost = polygons_to_cells(grid, [shapely.box(110, 0, 130, 100)], [5.0])
    assert lost.tolist() == [[0.0, 5.0]]


def test_weight_moves_people_but_not_their_number():
    weight = np.zeros(TOWN.shape)
    weight[3, 0], weight[3, 1] = 1.0, 3.0
    cells = polygons_to_cells(TOWN, [shapely.box(0, 0, 200, 200)], [100.0], weight=weight)
    assert cells[3, :2].tolist() == [25.0, 75.0]
    assert cells.sum() == 100.0


def test_share_is_weighed_by_people():
    points = shapely.points([[50, 50], [60, 60], [250, 50]])
    share = share_of_cells(TOWN, points, np.array([0.1, 0.4, np.nan]), people=[300, 100, 5])
    assert share[3, 0] == pytest.approx((300 * 0.1 + 100 * 0.4) / 400)
    assert np.isnan(share).sum() == 19


@pytest.mark.parametrize("pixel", [30, 100, 130, 250, 1000])
def test_counts_of_a_raster_are_kept(pixel):
    rng = np.random.default_rng(2)
    n = 3000 // pixel + 2
    counts = rng.uniform(0, 5, (n, n)).astype(np.float32)
    grid = make_grid(shapely.box(-1500, -2500, 5500, 3500), crs=CRS, size_m=100)
    raster = Raster(counts, (pixel, 0, -77, 0, -pixel, 2977), CRS)
    assert np.nansum(raster_to_cells(grid, raster, how="sum")) == pytest.approx(
        counts.sum(), rel=1e-5
    )


def test_counts_of_a_raster_in_degrees_are_kept():
    counts = np.arange(64, dtype=np.float32).reshape(8, 8)
    raster = Raster(counts, (0.002, 0, 117.001, 0, -0.002, 36.999), "EPSG:4326")
    grid = make_grid(shapely.box(499_000, 4_090_000, 503_000, 4_098_000), crs=CRS, size_m=250)
    assert np.nansum(raster_to_cells(grid, raster, how="sum")) == pytest.approx(2016.0, rel=1e-4)


def test_mean_of_pixels_and_unknown_pixels():
    fine = np.arange(80, dtype=np.float32).reshape(8, 10)
    fine[0, 0] = np.nan
    raster = Raster(fine, (50, 0, 0, 0, -50, 400), CRS)
    cells = raster_to_cells(TOWN, raster)
    by_hand = np.nanmean(fine.reshape(4, 2, 5, 2), axis=(1, 3))
    assert cells == pytest.approx(by_hand)
    tiles = (
        Raster(fine[:, :4], (50, 0, 0, 0, -50, 400), CRS),
        Raster(fine[:, 4:], (50, 0, 200, 0, -50, 400), CRS),
    )
    assert raster_to_cells(TOWN, tiles) == pytest.approx(by_hand)


def test_coarse_pixels_give_a_smooth_slope():
    # a plane z = x / 100 sampled at 400 m pixels; bilinear keeps the plane between pixel centres
    coarse = np.tile(np.arange(-2.0, 14.0, 4.0), (4, 1)).astype(np.float32)
    raster = Raster(coarse, (400, 0, -400, 0, -400, 800), CRS)
    cells = raster_to_cells(TOWN, raster)
    assert np.diff(cells[1]) == pytest.approx([1.0] * 4, abs=1e-5)


def test_a_raster_elsewhere_gives_nothing():
    raster = Raster(np.ones((2, 2), np.float32), (50, 0, 9000, 0, -50, 9000), CRS)
    assert np.isnan(raster_to_cells(TOWN, raster)).all()


def test_points_on_a_shared_border_have_one_unit_in_any_order():
    units = gpd.GeoDataFrame(
        {"level": ["village", "village", "town"]},
        index=["B", "A", "T"],
        geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(0, 0, 3, 1)],
    )
    points = [shapely.Point(1, 0.5), shapely.Point(2.5, 0.5), shapely.Point(9, 9), None]
    assert unit_of_points(points, units).tolist() == ["A", "T", "", ""]
    assert unit_of_points(points, units.iloc[::-1]).tolist() == ["A", "T", "", ""]
    assert unit_of_points(points, units, level="town").tolist() == ["T", "T", "", ""]
    assert unit_of_points([], units).tolist() == []
    assert unit_of_points(points, units.iloc[:0]).tolist() == [""] * 4
    # the smallest counts in degrees too, whatever its code
    shrunk = shapely.transform(units.geometry.to_numpy(), lambda at: at * 1e-6)
    small = units.set_geometry(shrunk).set_axis(["B", "A", "0"])
    there = shapely.transform(points[:3], lambda at: at * 1e-6)
    assert unit_of_points(there, small).tolist() == ["A", "0", ""]


def test_nothing_in_gives_zeros():
    assert not points_to_cells(TOWN, []).any()
    assert not lines_to_cells(TOWN, []).any()
    assert coverage(TOWN, [shapely.Polygon(), shapely.box(900, 900, 950, 950)]).nnz == 0
    assert not polygons_to_cells(TOWN, [shapely.Polygon()], [5.0]).any()


def test_a_polygon_that_also_touches_the_frame_is_measured():
    # Cut at the frame it leaves a rectangle of 50 x 20 m and a line, which covers nothing.
    grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    hook = shapely.Polygon(
        [(150, 0), (300, 0), (300, 100), (200, 100), (200, 50), (250, 50), (250, 20), (150, 20)]
    )
    cut = shapely.intersection(hook, shapely.box(*grid.bounds))
    assert cut.geom_type == "GeometryCollection"
    np.testing.assert_allclose(coverage(grid, [hook]).toarray(), [[0.0, 0.1]], atol=1e-6)


@pytest.fixture
def without(monkeypatch):
    """Run as where a library cannot be had: importing it fails."""
    return lambda name: monkeypatch.setitem(sys.modules, name, None)


def patches(seed, n):
    """Draw polygons of all kinds over the town: some outside, some along its lines, some holed."""
    rng = np.random.default_rng(seed)
    middle = shapely.points(rng.uniform(-50, 550, n), rng.uniform(-50, 450, n))
    round_ones = shapely.buffer(middle, rng.uniform(1, 260, n), quad_segs=7)
    holes = shapely.buffer(middle, rng.uniform(0, 40, n))
    squares = shapely.box([0, 100, 250], [0, 100, 50], [500, 300, 251], [400, 200, 390])
    return np.concatenate([shapely.difference(round_ones, holes), squares])


@pytest.mark.parametrize("seed", range(6))
def test_cutting_gives_what_exactextract_gives(without, seed):
    shapes = patches(seed, 40)
    fast = coverage(TOWN, shapes)
    field = np.random.default_rng(seed).uniform(-1e4, 1e4, TOWN.shape)
    expected = zonal(TOWN, fast, field)
    without("exactextract")
    slow = coverage(TOWN, shapes)
    assert abs(fast - slow).max() <= 1e-9
    assert zonal(TOWN, slow, field) == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert slow.sum(axis=1) * 1e4 == pytest.approx(
        shapely.area(shapely.intersection(shapes, shapely.box(0, 0, 500, 400))), rel=1e-6
    )


def test_raster_sums_are_the_same_without_exactextract(without):
    from riskmap.geo.people import _raster_sums

    values = np.random.default_rng(3).uniform(0, 50, (9, 11)).astype(np.float32)
    values[2, 3], values[4, 4] = np.nan, -9
    tile = Raster(values, (50.0, 0.0, -20.0, 0.0, -50.0, 420.0), CRS)
    zones = np.append(patches(7, 30), shapely.box(9000, 9000, 9100, 9100))
    fast = _raster_sums(TOWN, (tile,), zones)
    without("exactextract")
    slow = _raster_sums(TOWN, (tile,), zones)
    assert slow[0] == pytest.approx(fast[0], rel=1e-9)
    assert slow[1] == pytest.approx(fast[1], rel=1e-9)
    assert fast[0].sum() > 0

"""Grid: fixed places of cells, half-open edges, names that do not move."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.errors import CRSError, LayerError
from riskmap.geo.grid import (
    cell_centres,
    cell_names,
    cell_of,
    cell_polygons,
    inside_cells,
    make_grid,
)

CRS = "EPSG:4548"


def test_edges_stand_at_multiples_of_the_size():
    grid = make_grid(shapely.box(512345.6, 4051234.5, 513210.1, 4052000.0), crs=CRS, size_m=250)
    assert grid.bounds == (512250.0, 4051000.0, 513250.0, 4052000.0)
    assert grid.shape == (4, 4)
    assert grid.crs == CRS


def test_inside_is_the_centre_in_the_place():
    # a triangle over 3 x 3 cells of 100 m: centres under the diagonal from (0, 300) to (300, 0)
    place = shapely.Polygon([(0, 0), (310, 0), (0, 310)])
    grid = make_grid(place, crs=CRS, size_m=100)
    assert grid.inside.astype(int).tolist() == [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [1, 1, 1, 0],
    ]


def test_a_place_smaller_than_a_cell_still_has_a_cell():
    grid = make_grid(shapely.box(10, 10, 20, 20), crs=CRS, size_m=100)
    assert grid.shape == (1, 1)
    assert grid.inside.all()


def test_two_places_share_cells_and_names():
    one = make_grid(shapely.box(1000, 2000, 1900, 2900), crs=CRS, size_m=100)
    two = make_grid(shapely.box(1510, 1490, 2300, 2510), crs=CRS, size_m=100)
    names = []
    for grid in (one, two):
        cell = cell_of(grid, [1650.0], [2450.0])
        names.append(cell_names(grid, cell)[0])
        assert [float(c[0]) for c in cell_centres(grid, cell)] == [1650.0, 2450.0]
    assert names == ["E16N24", "E16N24"]
    assert set(cell_names(one)) & set(cell_names(two)) == {
        f"E{e}N{n}" for e in range(15, 19) for n in range(20, 25)
    } | {f"E{e}N{n}" for e in range(15, 19) for n in (20, 21, 22, 23, 24)}


def test_names_west_and_south_of_the_origin():
    grid = make_grid(shapely.box(-150, -250, -50, -100), crs=CRS, size_m=100)
    assert cell_names(grid, [0, 1, 2, 3]).tolist() == ["E-2N-2", "E-1N-2", "E-2N-3", "E-1N-3"]


@settings(deadline=None)
@given(
    x=st.integers(-50, 450).map(lambda v: v / 1),
    y=st.integers(-50, 450).map(lambda v: v / 1),
)
def test_cell_owns_its_west_and_south_edge(x, y):
    grid = make_grid(shapely.box(0, 0, 400, 300), crs=CRS, size_m=100)
    cell = int(cell_of(grid, [x], [y])[0])
    if not (0 <= x < 400 and 0 <= y < 300):
        assert cell == -1
        return
    shape = cell_polygons(grid, [cell]).geometry.iloc[0]
    west, south, east, north = shape.bounds
    assert west <= x < east
    assert south <= y < north


def test_missing_coordinates_stand_nowhere():
    grid = make_grid(shapely.box(0, 0, 400, 300), crs=CRS, size_m=100)
    assert cell_of(grid, [np.nan, np.inf, 5], [5, 5, np.nan]).tolist() == [-1, -1, -1]


def test_cells_come_back_from_their_centres():
    grid = make_grid(shapely.box(480_000, 4_030_000, 483_000, 4_032_000), crs=CRS, size_m=100)
    assert (cell_of(grid, *cell_centres(grid)) == np.arange(grid.n_cells)).all()
    assert len(set(cell_names(grid, np.arange(grid.n_cells)))) == grid.n_cells
    assert inside_cells(grid).tolist() == list(range(600))


def test_place_may_come_as_a_table_in_another_crs():
    table = gpd.GeoDataFrame(geometry=[shapely.box(118.30, 36.80, 118.31, 36.81)], crs=4326)
    grid = make_grid(table, crs=CRS, size_m=100)
    east, north = 616693.387, 4078110.599  # (118.308, 36.827): 1.9 km north of the box
    assert grid.bounds[0] < east < grid.bounds[2]
    assert grid.bounds[3] < north
    assert grid.inside.sum() == pytest.approx(0.893 * 1.110 * 100, rel=0.02)  # km at this latitude


@pytest.mark.parametrize("size", [0, -5, float("nan"), float("inf")])
def test_unfit_size_is_refused(size):
    with pytest.raises(LayerError):
        make_grid(shapely.box(0, 0, 1, 1), crs=CRS, size_m=size)


def test_too_many_cells_and_empty_places_are_refused():
    with pytest.raises(LayerError, match=r"grid\.size_m"):
        make_grid(shapely.box(0, 0, 1e6, 1e6), crs=CRS, size_m=10)
    with pytest.raises(LayerError):
        make_grid(shapely.Polygon(), crs=CRS, size_m=10)
    with pytest.raises(CRSError):
        make_grid(shapely.box(0, 0, 1, 1), crs="EPSG:3857", size_m=10)

"""People on cells, from whatever the office has."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from riskmap.geo.areas import coverage, raster_to_cells, spread_matrix
from riskmap.geo.grid import Grid, cell_of
from riskmap.geo.points import geometries, point_xy

__all__ = ["people_matrix", "population_of_cells", "share_of_cells"]

FloatGrid = NDArray[np.float32]


def people_matrix(
    grid: Grid,
    table: Any,
    *,
    weight: NDArray[Any] | None = None,
    cover: sparse.csr_array[Any, tuple[int, int]] | None = None,
) -> sparse.csr_array[Any, tuple[int, int]]:
    """Give the share of each row's people that stands in each cell.

    Parameters
    ----------
    grid
        The grid.
    table
        GeoDataFrame of points or polygons in the grid's CRS, n rows.
    weight
        Where in a polygon people stand, such as metres of road, shape (ny, nx).
    cover
        The polygons' `coverage`, if it is known already.

    Returns
    -------
    scipy.sparse.csr_array
        Shares, shape (n, ny * nx).

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> people_matrix(grid, [shapely.Point(1, 1), shapely.box(0, 0, 200, 100)]).toarray().tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    shapes, polygons = geometries(table), _polygons(table)
    others = shapes.copy()
    others[shapely.get_dimensions(shapes) == 2] = None
    shares = spread_matrix(grid, polygons, weight=weight, cover=cover)
    cells = cell_of(grid, *point_xy(others))
    rows = np.flatnonzero(cells >= 0)
    at = rows, cells[rows]
    return shares + sparse.csr_array((np.ones(len(rows)), at), shape=shares.shape)


def _polygons(table: Any) -> NDArray[np.object_]:
    """Keep the polygons; an empty polygon stands for every other shape."""
    shapes = geometries(table)
    return np.where(shapely.get_dimensions(shapes) == 2, shapes, shapely.Polygon())


def population_of_cells(
    grid: Grid,
    *,
    table: Any = None,
    rasters: Any = (),
    units: Any = None,
    weight: NDArray[Any] | None = None,
) -> FloatGrid | None:
    """Count the people in each cell.

    The first source that is there counts: rows with a ``population``, then rasters of counts, then
    the units' own ``population`` at the finest level that has one.

    Parameters
    ----------
    grid
        The grid.
    table
        Points or polygons with ``population`` in the grid's CRS, or None.
    rasters
        Tuple of `Raster` with people per pixel.
    units
        GeoDataFrame with ``population`` and ``level`` in the grid's CRS, or None.
    weight
        Where in a polygon people stand, such as metres of road, shape (ny, nx).

    Returns
    -------
    ndarray or None
        People in each cell, shape (ny, nx); None when no source is there.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> town = gpd.GeoDataFrame({"population": [30.0]}, geometry=[shapely.box(0, 0, 200, 100)])
    >>> population_of_cells(grid, table=town).tolist()
    [[15.0, 15.0]]
    """
    if table is not None and "population" in table and table["population"].notna().any():
        return _spread(grid, table, weight)
    if rasters:
        return np.nan_to_num(raster_to_cells(grid, rasters, how="sum"))
    if units is not None and "population" in units:
        rows = _finest(units[units["population"].notna() & units.geometry.notna()])
        if len(rows):
            return _spread(grid, rows, weight)
    return None


def _spread(grid: Grid, table: Any, weight: NDArray[Any] | None) -> FloatGrid:
    people = np.nan_to_num(table["population"].to_numpy(dtype=np.float64, na_value=np.nan))
    sums = people @ people_matrix(grid, table, weight=weight)
    return np.asarray(sums).reshape(grid.shape).astype(np.float32)


def _finest(units: Any) -> Any:
    """Keep the units that no other of these units names as its parent."""
    if "parent_id" not in units:
        return units
    return units[~units.index.isin(units["parent_id"].dropna())]


def share_of_cells(
    grid: Grid,
    table: Any,
    share: NDArray[Any],
    *,
    people: NDArray[Any] | None = None,
    weight: NDArray[Any] | None = None,
) -> FloatGrid:
    """Carry a share of people, such as the elderly, onto cells.

    ``cell = sum_r share_r people_r s_rc / sum_r people_r s_rc`` with the share s of row r's people
    in cell c; rows whose share is missing are left out.

    Parameters
    ----------
    grid
        The grid.
    table
        Points or polygons in the grid's CRS, n rows.
    share
        Share of each row, shape (n,), any unit; NaN = unknown.
    people
        People of each row, shape (n,); 1 by default.
    weight
        Where in a polygon people stand, shape (ny, nx).

    Returns
    -------
    ndarray
        Share in each cell, shape (ny, nx) [unit of the input]; NaN where nothing is known.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> share_of_cells(grid, [shapely.box(0, 0, 100, 100)], np.array([0.2])).round(3).tolist()
    [[0.2..., nan]]
    """
    values = np.asarray(share, dtype=np.float64)
    known = np.isfinite(values)
    count = np.ones(len(values)) if people is None else np.nan_to_num(np.asarray(people, float))
    cover = coverage(grid, _polygons(table))
    by_area = people_matrix(grid, table, cover=cover)
    by_people = people_matrix(grid, table, weight=weight, cover=cover)
    fields = []
    for counts, shares in ((count, by_people), (known, by_area)):
        part = counts * known
        total = part @ shares
        top = (part * np.nan_to_num(values)) @ shares
        fields.append(np.divide(top, total, out=np.full(grid.n_cells, np.nan), where=total > 0))
    joined: NDArray[np.float64] = np.where(np.isfinite(fields[0]), fields[0], fields[1])
    return joined.reshape(grid.shape).astype(np.float32)

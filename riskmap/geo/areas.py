"""Polygons on cells, by exact coverage; totals are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from riskmap.geo.grid import Grid
from riskmap.geo.points import geometries

__all__ = ["coverage", "place_share", "polygons_to_cells", "spread_matrix"]

FloatGrid = NDArray[np.float32]


def coverage(grid: Grid, polygons: Any) -> sparse.csr_array[Any, tuple[int, int]]:
    """Measure exactly which fraction of each cell each polygon covers.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).

    Returns
    -------
    scipy.sparse.csr_array
        Fractions 0..1, shape (n, ny * nx).

    References
    ----------
    exactextract, https://github.com/isciences/exactextract

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> coverage(grid, [shapely.box(50, 0, 150, 50)]).toarray().tolist()
    [[0.25, 0.25]]
    """
    import geopandas as gpd
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    shapes = shapely.intersection(geometries(polygons), shapely.box(*grid.bounds))
    mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    shapes[mixed] = shapely.buffer(shapes[mixed], 0)  # its polygons; lines and points cover nothing
    solid = (shapely.get_dimensions(shapes) == 2) & (shapely.area(shapes) > 0)
    rows = np.flatnonzero(solid)
    if not len(rows):
        return sparse.csr_array((len(shapes), grid.n_cells), dtype=np.float64)
    frame = gpd.GeoDataFrame({"row": rows}, geometry=shapes[rows], crs=grid.crs)
    ones = NumPyRasterSource(
        np.ones(grid.shape, dtype=np.int8), *grid.bounds, srs_wkt=frame.crs.to_wkt()
    )
    found = exact_extract(
        ones, frame, ["cell_id", "coverage"], include_cols=["row"], output="pandas"
    )
    counts = found["cell_id"].map(len).to_numpy()
    at = np.repeat(found["row"].to_numpy(), counts), np.concatenate(found["cell_id"].to_list())
    fraction = np.concatenate(found["coverage"].to_list()).astype(np.float64)
    return sparse.csr_array((fraction, at), shape=(len(shapes), grid.n_cells))


def place_share(grid: Grid) -> FloatGrid:
    """Measure which fraction of each cell stands in the place.

    Parameters
    ----------
    grid
        The grid.

    Returns
    -------
    ndarray
        Fractions 0..1, shape (ny, nx); 1 everywhere when the grid does not know its place.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> place_share(make_grid(shapely.box(0, 0, 150, 100), crs="EPSG:4548", size_m=100)).tolist()
    [[1.0, 0.5]]
    """
    if grid.place is None:
        return np.ones(grid.shape, dtype=np.float32)
    return coverage(grid, [grid.place]).toarray().reshape(grid.shape).astype(np.float32)


def polygons_to_cells(
    grid: Grid,
    polygons: Any,
    totals: ArrayLike,
    *,
    weight: NDArray[Any] | None = None,
) -> FloatGrid:
    """Spread a total of each polygon, such as its people, over the cells; the total is kept.

    ``cell = sum_p total_p * share_p * (f_pc * w_c) / sum_c (f_pc * w_c)`` with coverage f, weight w
    and the share of the polygon's area that stands in the place. Cells whose centre is outside the
    place take nothing as long as the polygon also covers a cell inside; where all weights are zero
    the area decides.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).
    totals
        Total of each polygon, shape (n,); a missing total counts as 0.
    weight
        Where in a polygon the total stands, such as metres of road, shape (ny, nx), not negative.

    Returns
    -------
    ndarray
        Sum in each cell, shape (ny, nx) [unit of the totals].

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> polygons_to_cells(grid, [shapely.box(50, 0, 200, 100)], [300]).tolist()
    [[100.0, 200.0]]
    """
    spread = spread_matrix(grid, polygons, weight=weight)
    sums = np.nan_to_num(np.asarray(totals, dtype=np.float64)) @ spread
    return np.asarray(sums).reshape(grid.shape).astype(np.float32)


def spread_matrix(
    grid: Grid,
    polygons: Any,
    *,
    weight: NDArray[Any] | None = None,
    cover: sparse.csr_array[Any, tuple[int, int]] | None = None,
) -> sparse.csr_array[Any, tuple[int, int]]:
    """Give the share of each polygon's total that each cell takes; see `polygons_to_cells`.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).
    weight
        Weight of each cell, shape (ny, nx).
    cover
        The polygons' `coverage`, if it is known already.

    Returns
    -------
    scipy.sparse.csr_array
        Shares, shape (n, ny * nx); a row sums to the share of the polygon that stands in the place.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> spread_matrix(grid, [shapely.box(0, 0, 200, 100)]).toarray().tolist()
    [[0.5, 0.5]]
    """
    cover = coverage(grid, polygons) if cover is None else cover
    entry = cover.tocoo()
    row, cell, fraction = entry.coords[0], entry.coords[1], entry.data
    tries = [fraction * grid.inside.ravel()[cell], fraction]
    if weight is not None:
        heavy = np.nan_to_num(np.asarray(weight, dtype=np.float64)).ravel()[cell]
        tries.insert(0, tries[0] * heavy)
    n = cover.shape[0]
    sums = [np.bincount(row, weights=values, minlength=n) for values in tries]
    chosen, total = tries[-1], sums[-1]
    for values, summed in zip(tries[-2::-1], sums[-2::-1], strict=True):
        chosen = np.where((summed > 0)[row], values, chosen)
        total = np.where(summed > 0, summed, total)
    scale = np.divide(_share_in_place(grid, polygons), total, out=np.zeros(n), where=total > 0)
    return sparse.csr_array((chosen * scale[row], (row, cell)), shape=cover.shape)


def _share_in_place(grid: Grid, polygons: Any) -> NDArray[np.float64]:
    """Give the share of each polygon's area that stands in the place, shape (n,)."""
    shapes = geometries(polygons)
    place = grid.place if grid.place is not None else shapely.box(*grid.bounds)
    shapely.prepare(place)
    share = np.ones(len(shapes))
    part = ~shapely.covered_by(shapes, place) & (shapely.area(shapes) > 0)
    cut = shapely.area(shapely.intersection(shapes[part], place))
    share[part] = cut / shapely.area(shapes[part])
    return share

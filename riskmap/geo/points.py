"""Points on cells and in units."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from riskmap.geo.grid import Grid, cell_of

__all__ = ["geometries", "point_xy", "points_to_cells", "unit_of_points"]

FloatGrid = NDArray[np.float32]


def geometries(layer: Any) -> NDArray[np.object_]:
    """Return the geometries of a table, a series or an array as an array.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    ndarray
        Geometries, shape (n,).

    Examples
    --------
    >>> geometries([shapely.Point(0, 0)]).shape
    (1,)
    """
    return np.asarray(getattr(layer, "geometry", layer), dtype=object)


def point_xy(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give one point for each row: the point itself, else a point inside its shape.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    tuple of ndarray
        x and y, shape (n,); NaN where the geometry is missing or empty.

    Examples
    --------
    >>> x, y = point_xy([shapely.Point(1, 2), shapely.box(0, 0, 4, 4), None])
    >>> x.tolist(), y.tolist()
    ([1.0, 2.0, nan], [2.0, 2.0, nan])
    """
    shapes = geometries(layer)
    empty, other = shapely.is_empty(shapes), shapely.get_type_id(shapes) > 0
    if empty.any() or other.any():
        shapes = shapes.copy()
        shapes[other] = shapely.point_on_surface(shapes[other])
        shapes[empty] = None
    return shapely.get_x(shapes), shapely.get_y(shapes)


def row_xy(layer: Any) -> NDArray[np.float64]:
    """Give one point for each row, as `point_xy`, in one array.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, 2); NaN where the geometry is missing or empty.

    Examples
    --------
    >>> row_xy([shapely.Point(1, 2), shapely.box(0, 0, 4, 4)]).tolist()
    [[1.0, 2.0], [2.0, 2.0]]
    """
    return np.column_stack(point_xy(layer))


def points_to_cells(grid: Grid, points: Any, *, weights: ArrayLike | None = None) -> FloatGrid:
    """Count points, or sum their weights, in each cell.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).
    weights
        Weight of each point, shape (n,); 1 by default, a missing weight counts as 0.

    Returns
    -------
    ndarray
        Sum in each cell, shape (ny, nx) [unit of the weights]; points outside are left out.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> points_to_cells(grid, [shapely.Point(50, 50), shapely.Point(50, 60)]).tolist()
    [[2.0, 0.0]]
    """
    cells = cell_of(grid, *point_xy(points))
    values = None if weights is None else np.nan_to_num(np.asarray(weights, dtype=np.float64))
    good = cells >= 0
    sums = np.bincount(
        cells[good], weights=None if values is None else values[good], minlength=grid.n_cells
    )
    return sums.reshape(grid.shape).astype(np.float32)


def unit_of_points(points: Any, units: Any, *, level: str | None = None) -> NDArray[np.object_]:
    """Find the unit in which each point stands.

    Parameters
    ----------
    points
        Points in the units' CRS, shape (n,).
    units
        GeoDataFrame indexed by ``unit_id`` with ``geometry`` and, for choosing, ``level``.
    level
        The level to look in; by default the smallest unit of any level that holds the point.

    Returns
    -------
    ndarray
        Unit codes, shape (n,); empty text where no unit holds the point. On a shared border the
        smaller unit counts, then the first code.

    Examples
    --------
    >>> import geopandas as gpd
    >>> units = gpd.GeoDataFrame(
    ...     {"level": ["town", "village"]},
    ...     index=["T", "V"],
    ...     geometry=[shapely.box(0, 0, 9, 9), shapely.box(0, 0, 3, 3)],
    ... )
    >>> points = shapely.points([[1, 1], [5, 5], [-1, 0]])
    >>> unit_of_points(points, units).tolist()
    ['V', 'T', '']
    """
    chosen = units if level is None else units[units["level"] == level]
    shapes, codes = geometries(chosen), np.asarray(chosen.index, dtype=object).astype(str)
    x, y = point_xy(points)
    found = np.full(len(x), "", dtype=object)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(shapes) or not len(known):
        return found
    tree = shapely.STRtree(shapes)
    at, row = tree.query(shapely.points(x[known], y[known]), predicate="intersects")
    order = np.lexsort((codes[row], np.round(shapely.area(shapes[row]), 3), at))
    at, row = at[order], row[order]
    first = np.ones(len(at), dtype=bool)
    first[1:] = at[1:] != at[:-1]
    found[known[at[first]]] = codes[row[first]]
    return found

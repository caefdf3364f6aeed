"""Lines on cells, cut exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from riskmap.geo.grid import Grid, cell_of
from riskmap.geo.points import geometries

__all__ = ["lines_to_cells", "segments"]

FloatGrid = NDArray[np.float32]


def lines_to_cells(grid: Grid, lines: Any, *, weights: ArrayLike | None = None) -> FloatGrid:
    """Measure the length of lines in each cell, cut exactly at the cell edges.

    Parameters
    ----------
    grid
        The grid.
    lines
        Lines (or polygons, whose outlines count) in the grid's CRS, shape (n,).
    weights
        Factor on each line's length, shape (n,); 1 by default, a missing factor counts as 0.

    Returns
    -------
    ndarray
        Length in each cell, shape (ny, nx) [m]; parts outside the grid are left out.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> lines_to_cells(grid, [shapely.LineString([(30, 50), (130, 50)])]).tolist()
    [[70.0, 30.0]]
    """
    start, end, owner = segments(lines)
    a, b = start / grid.size_m, end / grid.size_m
    part, low, high = _cuts(a, b)
    middle = a[part] + (b - a)[part] * ((low + high) / 2)[:, None]
    length = np.hypot(*(end - start).T)[part] * (high - low)
    if weights is not None:
        length = length * np.nan_to_num(np.asarray(weights, dtype=np.float64))[owner[part]]
    cells = cell_of(grid, middle[:, 0] * grid.size_m, middle[:, 1] * grid.size_m)
    good = cells >= 0
    sums = np.bincount(cells[good], weights=length[good], minlength=grid.n_cells)
    return sums.reshape(grid.shape).astype(np.float32)


def segments(
    lines: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Take lines apart into straight segments.

    Parameters
    ----------
    lines
        Lines or polygons, shape (n,).

    Returns
    -------
    tuple of ndarray
        Starts and ends, shape (m, 2) [m], and the row of each segment's line, shape (m,).

    Examples
    --------
    >>> start, end, owner = segments([shapely.LineString([(0, 0), (1, 0), (1, 2)])])
    >>> start.tolist(), end.tolist(), owner.tolist()
    ([[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 2.0]], [0, 0])
    """
    shapes = geometries(lines)
    area = np.isin(shapely.get_type_id(shapes), (3, 6))
    if area.any():
        shapes = shapes.copy()
        shapes[area] = shapely.boundary(shapes[area])
    parts, row = shapely.get_parts(shapes, return_index=True)
    line = shapely.get_dimensions(parts) == 1
    parts, row = parts[line], row[line]
    xy, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    return xy[:-1][same], xy[1:][same], np.asarray(row[part[:-1][same]], dtype=np.int64)


def _cuts(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Cut segments (in units of the cell size) at whole numbers: segment, from t, to t in 0..1."""
    owners, times = [np.repeat(np.arange(len(a)), 2)], [np.tile([0.0, 1.0], len(a))]
    for axis in (0, 1):
        low = np.ceil(np.minimum(a[:, axis], b[:, axis]))
        count = np.floor(np.maximum(a[:, axis], b[:, axis])) - low + 1
        count = np.maximum(count, 0).astype(np.int64)
        owner = np.repeat(np.arange(len(a)), count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        span = (b - a)[owner, axis]
        level = span != 0
        owner, step, span = owner[level], step[level], span[level]
        times.append(np.clip((low[owner] + step - a[owner, axis]) / span, 0.0, 1.0))
        owners.append(owner)
    owner, time = np.concatenate(owners), np.concatenate(times)
    order = np.lexsort((time, owner))
    owner, time = owner[order], time[order]
    same = (owner[1:] == owner[:-1]) & (time[1:] > time[:-1])
    return owner[:-1][same], time[:-1][same], time[1:][same]

"""Straight distance from cell centres to points and lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_centres
from riskmap.geo.lines import segments
from riskmap.geo.points import geometries, point_xy

__all__ = ["distance_to_lines", "distance_to_points"]

FloatGrid = NDArray[np.float32]


def distance_to_points(grid: Grid, points: Any) -> FloatGrid:
    """Measure the straight distance from each cell centre to the nearest point, exactly.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m]; NaN everywhere when there is no point.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 400, 100), crs="EPSG:4548", size_m=100)
    >>> distance_to_points(grid, [shapely.Point(50, 50)]).tolist()
    [[0.0, 100.0, 200.0, 300.0]]
    """
    x, y = point_xy(points)
    known = np.isfinite(x) & np.isfinite(y)
    distance, _ = _nearest(grid, np.column_stack([x[known], y[known]]))
    return distance.reshape(grid.shape).astype(np.float32)


def _nearest(
    grid: Grid, targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from scipy.spatial import cKDTree

    if not len(targets):
        return np.full(grid.n_cells, np.nan), np.full(grid.n_cells, -1)
    centres = np.column_stack(cell_centres(grid))
    distance, nearest = cKDTree(targets, balanced_tree=False).query(centres, workers=-1)
    return np.asarray(distance), np.asarray(nearest, dtype=np.int64)


def distance_to_lines(grid: Grid, lines: Any) -> FloatGrid:
    """Measure the straight distance from each cell centre to the nearest line.

    Lines are sampled every quarter of a cell; then the distance to the segment of the nearest
    sample is exact. Only where two lines are almost equally near can the farther be taken: the
    result is never too small, and too big by less than an eighth of a cell (size^2 / 128 d at
    distance d).

    Parameters
    ----------
    grid
        The grid.
    lines
        Lines or polygons in the grid's CRS, shape (n,); inside a polygon the distance is 0.

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m]; NaN everywhere when there is no line.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 300, 100), crs="EPSG:4548", size_m=100)
    >>> distance_to_lines(grid, [shapely.LineString([(20, -500), (20, 900)])]).tolist()
    [[30.0, 130.0, 230.0]]
    """
    from rasterio.features import rasterize

    start, end, _ = segments(lines)
    length = np.hypot(*(end - start).T)
    pieces = np.maximum(np.ceil(length * 4 / grid.size_m), 1).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(start)), pieces)
    step = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = step / (pieces[owner] - 1)
    sample = start[owner] + share[:, None] * (end - start)[owner]
    distance, nearest = _nearest(grid, sample)
    if len(sample):
        a, b = start[owner[nearest]], end[owner[nearest]]
        distance = np.minimum(distance, _to_segment(np.column_stack(cell_centres(grid)), a, b))
    field = distance.reshape(grid.shape)
    shapes = geometries(lines)
    solid = shapes[(shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes)]
    if len(solid):
        water = rasterize(solid, out_shape=grid.shape, transform=grid.transform, dtype="uint8")
        field[water > 0] = 0.0
    return field.astype(np.float32)


def _to_segment(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Measure the distance of each point to its own segment, shape (n,)."""
    along = b - a
    square = np.einsum("ij,ij->i", along, along)
    dot = np.einsum("ij,ij->i", points - a, along)
    t = np.clip(np.divide(dot, square, out=np.zeros_like(dot), where=square > 0), 0.0, 1.0)
    return np.asarray(np.hypot(*(points - a - t[:, None] * along).T))

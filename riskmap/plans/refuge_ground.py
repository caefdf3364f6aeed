"""Water, slope and height at a place, taken from rasters at their own resolution."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.geo.crs import project_points
from riskmap.geo.overlay import raster_to_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.layers.types import Raster

    Floats = NDArray[np.float64]

RINGS, SPOKES = 3, 12
"""A refuge's ground is looked at in its centre and on rings of points around it."""


def sample(rasters: Sequence[Raster], xy: Floats, crs: str) -> Floats:
    """Take the pixel under each point; of tiles that overlap the first known one counts.

    Parameters
    ----------
    rasters
        Tiles in their own CRS.
    xy
        Points, shape (n, 2) [m].
    crs
        CRS of the points.

    Returns
    -------
    ndarray
        Values, NaN where unknown, shape (n,).

    Examples
    --------
    >>> from riskmap.layers.types import Raster
    >>> tile = Raster(np.array([[1.0, 2.0]], np.float32), (50, 0, 0, 0, -50, 50), "EPSG:4548")
    >>> sample([tile], np.array([[60.0, 10.0], [200.0, 10.0]]), "EPSG:4548").tolist()
    [2.0, nan]
    """
    found = np.full(len(xy), np.nan)
    for tile in rasters:
        x, y = project_points(xy[:, 0], xy[:, 1], crs=tile.crs, source=crs)
        a, _, c, _, e, f = tile.transform
        with np.errstate(invalid="ignore"):
            column, row = np.floor((x - c) / a), np.floor((y - f) / e)
        ny, nx = tile.values.shape
        inside = (column >= 0) & (row >= 0) & (column < nx) & (row < ny) & np.isnan(found)
        at = row[inside].astype(np.int64), column[inside].astype(np.int64)
        found[inside] = tile.values[at]
    return found


def deepest(rasters: Sequence[Raster], xy: Floats, radius_m: Floats, crs: str) -> Floats:
    """Take the deepest water on the ground of each place: its centre and rings out to its radius.

    Parameters
    ----------
    rasters
        Depth, tiles in their own CRS [m].
    xy
        Centres, shape (n, 2) [m].
    radius_m
        Radius of each place, shape (n,) [m].
    crs
        CRS of the centres.

    Returns
    -------
    ndarray
        Depth, NaN where nothing is known, shape (n,) [m].
    """
    angle = np.arange(SPOKES) * 2 * np.pi / SPOKES
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    steps = np.concatenate([np.zeros((1, 2)), *(unit * k / RINGS for k in range(1, RINGS + 1))])
    spots = xy[:, None, :] + steps[None, :, :] * radius_m[:, None, None]
    depth = sample(rasters, spots.reshape(-1, 2), crs).reshape(len(xy), len(steps))
    most = np.where(np.isnan(depth), -np.inf, depth).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(most), most, np.nan)


def slopes(rasters: Sequence[Raster], xy: Floats, crs: str) -> Floats:
    r"""Measure the slope at each point by central differences over one pixel each way.

    .. math:: s = \sqrt{(\partial z / \partial x)^2 + (\partial z / \partial y)^2}

    Parameters
    ----------
    rasters
        Elevation, tiles in their own CRS [m].
    xy
        Points, shape (n, 2) [m].
    crs
        CRS of the points, metric.

    Returns
    -------
    ndarray
        Rise over run, NaN where a height is unknown, shape (n,) [1].
    """
    if not len(rasters) or not len(xy):
        return np.full(len(xy), np.nan)
    d = pixel_m(rasters[0], xy[0], crs)
    rise = [
        (sample(rasters, xy + step, crs) - sample(rasters, xy - step, crs)) / (2 * d)
        for step in (np.array([d, 0.0]), np.array([0.0, d]))
    ]
    return np.asarray(np.hypot(*rise), np.float64)


def pixel_m(raster: Raster, near: Floats, crs: str) -> float:
    """Measure the side of a raster's pixel near a point.

    Parameters
    ----------
    raster
        The raster.
    near
        A point, shape (2,) [m].
    crs
        CRS of the point, metric.

    Returns
    -------
    float
        Side [m].
    """
    x, y = project_points(near[:1], near[1:], crs=raster.crs, source=crs)
    a, e = raster.transform[0], raster.transform[4]
    corners = [np.array([x[0], x[0] + a]), np.array([y[0], y[0] + e])]
    east, north = project_points(*corners, crs=crs, source=raster.crs)
    return float(np.hypot(np.diff(east)[0], np.diff(north)[0]) / np.sqrt(2))


def wet_share(grid: Grid, rasters: Sequence[Raster], depth_m: float) -> NDArray[Any]:
    """Measure the share of each cell that is at least so deep under water.

    Parameters
    ----------
    grid
        The grid.
    rasters
        Depth, tiles in their own CRS [m]; unknown pixels are dry.
    depth_m
        The depth.

    Returns
    -------
    ndarray
        Share, shape (ny, nx), 0 outside the rasters.
    """
    masks = tuple(
        replace(tile, values=(np.nan_to_num(tile.values) >= depth_m).astype(np.float32))
        for tile in rasters
    )
    return np.clip(np.nan_to_num(raster_to_cells(grid, masks)), 0.0, 1.0)

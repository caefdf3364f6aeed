"""Rasters on cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from riskmap.geo.grid import Grid

if TYPE_CHECKING:
    from riskmap.layers.types import Raster

__all__ = ["raster_to_cells"]

FloatGrid = NDArray[np.float32]


def raster_to_cells(
    grid: Grid, rasters: Raster | tuple[Raster, ...], *, how: Literal["mean", "sum"] = "mean"
) -> FloatGrid:
    """Carry rasters in their own grid onto the cells.

    Parameters
    ----------
    grid
        The grid.
    rasters
        One raster, or tiles; where tiles overlap the first counts for a mean.
    how
        ``mean`` for a state such as elevation (area mean of the pixels; bilinear when pixels are
        coarser than cells); ``sum`` for counts such as people, whose total is kept.

    Returns
    -------
    ndarray
        Value of each cell, shape (ny, nx) [unit of the raster]; NaN where nothing is known.

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> from riskmap.layers.types import Raster
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> fine = Raster(np.ones((2, 4), np.float32), (50, 0, 0, 0, -50, 100), "EPSG:4548")
    >>> raster_to_cells(grid, fine, how="sum").tolist()
    [[4.0, 4.0]]
    """
    tiles = rasters if isinstance(rasters, tuple) else (rasters,)
    merged = np.full(grid.shape, np.nan, dtype=np.float32)
    for tile in tiles:
        values = _warp_sum(grid, tile) if how == "sum" else _warp_mean(grid, tile)
        both = np.isfinite(merged) & np.isfinite(values)
        kept = merged + values if how == "sum" else merged
        merged = np.where(both, kept, np.where(np.isfinite(merged), merged, values))
    return merged.astype(np.float32)


def _warp(grid: Grid, values: NDArray[Any], raster: Raster, resampling: Any) -> NDArray[np.float64]:
    from rasterio.warp import reproject

    out = np.full(grid.shape, np.nan, dtype=np.float64)
    reproject(
        values,
        out,
        src_transform=Affine(*raster.transform),
        src_crs=raster.crs,
        src_nodata=np.nan,
        dst_transform=grid.transform,
        dst_crs=grid.crs,
        dst_nodata=np.nan,
        resampling=resampling,
    )
    return out


def _warp_mean(grid: Grid, raster: Raster) -> NDArray[np.float64]:
    from rasterio.warp import Resampling

    coarse = _pixel_m(grid, raster) > grid.size_m
    how = Resampling.bilinear if coarse else Resampling.average
    return _warp(grid, raster.values.astype(np.float32, copy=False), raster, how)


def _pixel_m(grid: Grid, raster: Raster) -> float:
    """Measure the side of the middle pixel in the grid's CRS [m]."""
    from rasterio.warp import transform

    ny, nx = raster.values.shape
    shape = Affine(*raster.transform)
    corners = [shape @ (nx // 2, ny // 2), shape @ (nx // 2 + 1, ny // 2 + 1)]
    x, y = transform(raster.crs, grid.crs, [c[0] for c in corners], [c[1] for c in corners])
    return float(np.hypot(x[1] - x[0], y[1] - y[0]) / np.sqrt(2))


def _warp_sum(grid: Grid, raster: Raster) -> NDArray[np.float64]:
    from rasterio.warp import Resampling

    return _warp(grid, raster.values.astype(np.float64), raster, Resampling.sum)

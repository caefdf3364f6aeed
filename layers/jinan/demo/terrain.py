"""Made-up ground and water: Jinan falls from hills in the south to the plain of a large river in the north."""
# ruff: noqa: E501  wide tables

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from rasterio.transform import from_origin
from scipy import ndimage

from demo.area import METRIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20260416
DEM_CELL_M = 90.0
DEPTH_CELL_M = 60.0

WATERWAYS = (
    ("示范大河", "river", 450.0, ((116.72, 36.53), (116.78, 36.61), (116.83, 36.70), (116.90, 36.745),
     (116.96, 36.765), (117.03, 36.775), (117.10, 36.815), (117.17, 36.885), (117.25, 36.95), (117.36, 37.00), (117.46, 37.08))),
    ("示范清河", "river", 40.0, ((116.84, 36.665), (116.89, 36.682), (116.94, 36.690), (116.985, 36.698),
     (117.03, 36.706), (117.08, 36.718), (117.13, 36.728), (117.18, 36.741), (117.25, 36.752), (117.35, 36.80))),
    ("示范东溪", "stream", 15.0, ((117.085, 36.585), (117.082, 36.62), (117.088, 36.65), (117.080, 36.685), (117.078, 36.717))),
    ("示范中溪", "stream", 12.0, ((117.025, 36.60), (117.022, 36.63), (117.028, 36.66), (117.020, 36.685), (117.022, 36.704))),
    ("示范西溪", "stream", 15.0, ((116.955, 36.59), (116.948, 36.62), (116.945, 36.65), (116.938, 36.67), (116.940, 36.690))),
    ("示范韩溪", "stream", 12.0, ((117.165, 36.57), (117.158, 36.61), (117.150, 36.65), (117.155, 36.69), (117.148, 36.732))),
    ("示范兴溪", "stream", 10.0, ((116.895, 36.60), (116.905, 36.63), (116.900, 36.66), (116.892, 36.683))),
)  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """A raster in the metric CRS."""

    values: NDArray[np.float32]
    west: float
    north: float
    cell: float

    @property
    def transform(self) -> object:
        """Affine transform of the raster."""
        return from_origin(self.west, self.north, self.cell, self.cell)

    def at(self, xy: NDArray[np.float64]) -> NDArray[np.float32]:
        """Look values up at points."""
        column = ((xy[:, 0] - self.west) / self.cell).astype(int)
        row = ((self.north - xy[:, 1]) / self.cell).astype(int)
        return self.values[row, column]


def waterways() -> gpd.GeoDataFrame:
    """Draw the made-up rivers and streams with gentle bends."""
    lines = []
    for n, (_, _, _, places) in enumerate(WATERWAYS):
        line = shapely.segmentize(shapely.linestrings(places), 0.004)
        xy = shapely.get_coordinates(line)
        bend = ndimage.gaussian_filter1d(
            np.random.default_rng(SEED + n).normal(0, 0.004, xy.shape), 2.5, axis=0
        )
        bend[[0, -1]] = 0
        lines.append(shapely.linestrings(np.round(xy + bend, 6)))
    table = {
        "name": [w[0] for w in WATERWAYS],
        "waterway": [w[1] for w in WATERWAYS],
        "width_m": [w[2] for w in WATERWAYS],
        "demo": ["示范数据"] * len(WATERWAYS),
    }
    return gpd.GeoDataFrame(table, geometry=lines, crs=4326)


def distance(
    water: gpd.GeoDataFrame, shape: tuple[int, int], ground: Ground
) -> NDArray[np.float64]:
    """Distance of every pixel to the nearest waterway [m], less half its width."""
    from rasterio.features import rasterize

    best = np.full(shape, np.inf)
    for line, width in zip(water.to_crs(METRIC).geometry, water["width_m"], strict=True):
        on = rasterize(
            [(line, 1)], shape, transform=ground.transform, all_touched=True, dtype="uint8"
        )
        far = ndimage.distance_transform_edt(on == 0) * ground.cell
        best = np.minimum(best, np.maximum(far - width / 2, 0))
    return best


def make_dem(bounds: tuple[float, float, float, float], water: gpd.GeoDataFrame) -> Ground:
    """Make a smooth elevation model [m] over metric bounds, low along the waterways."""
    west, south, east, north = (
        np.floor(bounds[0] / DEM_CELL_M) * DEM_CELL_M,
        np.floor(bounds[1] / DEM_CELL_M) * DEM_CELL_M,
        np.ceil(bounds[2] / DEM_CELL_M) * DEM_CELL_M,
        np.ceil(bounds[3] / DEM_CELL_M) * DEM_CELL_M,
    )
    shape = (round((north - south) / DEM_CELL_M), round((east - west) / DEM_CELL_M))
    frame = Ground(np.zeros(shape, np.float32), west, north, DEM_CELL_M)
    y = north - (np.arange(shape[0]) + 0.5) * DEM_CELL_M
    knots_y = np.array(
        [4_040_000, 4_050_000, 4_055_000, 4_060_000, 4_066_000, 4_072_000, 4_112_000.0]
    )
    base = np.interp(y, knots_y, [330.0, 190.0, 95.0, 48.0, 26.0, 23.0, 17.0])
    rough = np.interp(y, knots_y, [130.0, 85.0, 30.0, 8.0, 1.2, 0.8, 0.8])
    noise = np.random.default_rng(SEED).normal(size=shape)
    hills = (
        ndimage.gaussian_filter(noise, 14) * 14 * 3.0 + ndimage.gaussian_filter(noise, 4) * 4 * 1.2
    )
    hills = np.log1p(np.exp(1.6 * hills)) - 0.7
    values = (
        ndimage.gaussian_filter1d(base, 8)[:, None]
        + ndimage.gaussian_filter1d(rough, 8)[:, None] * hills
    )
    far = distance(water, shape, frame)
    values = values * (1 - 0.45 * np.exp(-((far / 500) ** 2)) * (values > 40)) - 3.0 * np.exp(
        -((far / 250) ** 2)
    )
    return Ground(np.round(np.maximum(values, 12.0), 1).astype(np.float32), west, north, DEM_CELL_M)


def make_depth(
    area: shapely.Geometry,
    water: gpd.GeoDataFrame,
    xy: NDArray[np.float64],
    peak: NDArray[np.float64],
) -> Ground:
    """Make the depth of ponded water [m] of one scenario: pools at flood points, a belt by the streams."""
    west, south, east, north = shapely.bounds(area)
    west, north = (
        np.floor(west / DEPTH_CELL_M) * DEPTH_CELL_M,
        np.ceil(north / DEPTH_CELL_M) * DEPTH_CELL_M,
    )
    shape = (
        int(np.ceil((north - south) / DEPTH_CELL_M)),
        int(np.ceil((east - west) / DEPTH_CELL_M)),
    )
    frame = Ground(np.zeros(shape, np.float32), west, north, DEPTH_CELL_M)
    chance = np.random.default_rng(SEED + 50)
    wobble = 1 + 0.9 * ndimage.gaussian_filter(chance.normal(size=shape), 3) * 3
    depth = np.zeros(shape)
    rows = (np.arange(shape[0]) + 0.5) * DEPTH_CELL_M
    columns = (np.arange(shape[1]) + 0.5) * DEPTH_CELL_M
    for (px, py), top, reach in zip(xy, peak, chance.uniform(110, 300, len(xy)), strict=True):
        far2 = (columns[None, :] + west - px) ** 2 + (north - rows[:, None] - py) ** 2
        depth = np.maximum(depth, top * np.exp(-far2 / (2 * reach**2)))
    small = water[water["waterway"].eq("river") & (water["width_m"] < 100)]
    depth = np.maximum(depth, 0.75 * np.exp(-((distance(small, shape, frame) / 60) ** 2)))
    depth = np.round(np.maximum(depth * np.clip(wobble, 0.4, 1.6) - 0.08, 0), 2)
    from rasterio.features import rasterize

    inside = rasterize([(area, 1)], shape, transform=frame.transform, dtype="uint8") == 1
    return Ground(np.where(inside, depth, np.nan).astype(np.float32), west, north, DEPTH_CELL_M)

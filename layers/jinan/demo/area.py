"""The study area: the part of the real districts that the road data cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine, from_origin
from scipy import ndimage

if TYPE_CHECKING:
    from pathlib import Path

METRIC = "EPSG:4548"
CELL_M = 500.0
LEAST_PART_KM2 = 30.0


def junctions(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Take the road junctions: distinct ends of road edges, with the number of edges that meet."""
    starts = shapely.get_point(roads.geometry.array, 0)
    ends = shapely.get_point(roads.geometry.array, -1)
    xy = np.round(shapely.get_coordinates(np.concatenate([starts, ends])), 7)
    places, counts = np.unique(xy, axis=0, return_counts=True)
    return gpd.GeoDataFrame(
        {"edges": counts}, geometry=gpd.points_from_xy(places[:, 0], places[:, 1]), crs=4326
    )


def covered(points: gpd.GeoDataFrame) -> shapely.Geometry:
    """Outline the ground on which the road data are dense (metric)."""
    xy = shapely.get_coordinates(points.to_crs(METRIC).geometry.array)
    low = np.floor(xy.min(axis=0) / CELL_M) * CELL_M - 10 * CELL_M
    size = np.ceil((xy.max(axis=0) - low) / CELL_M).astype(int) + 10
    count, _, _ = np.histogram2d(
        xy[:, 1],
        xy[:, 0],
        bins=(size[1], size[0]),
        range=((low[1], low[1] + size[1] * CELL_M), (low[0], low[0] + size[0] * CELL_M)),
    )
    dense = ndimage.gaussian_filter(count, 2.0, mode="constant") > 0.35
    dense = ndimage.binary_fill_holes(ndimage.binary_closing(dense, iterations=3))
    parts, _ = ndimage.label(dense)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    main = parts == int(sizes.argmax())
    transform = from_origin(low[0], low[1], CELL_M, -CELL_M)
    outline = shapely.union_all(
        [
            shapely.geometry.shape(shape)
            for shape, value in shapes(
                main.astype("uint8"), mask=main, transform=Affine(*transform[:6])
            )
            if value == 1
        ]
    )
    smooth = outline.buffer(900).buffer(-2700).buffer(1800).simplify(60)
    return max(shapely.get_parts(smooth), key=lambda part: part.area)


def study_area(folder: Path, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut the districts to the covered ground; small left-overs are dropped."""
    districts = gpd.read_file(folder / "source" / "districts_tianditu.geojson").to_crs(METRIC)
    outline = covered(junctions(roads))
    cut = districts.assign(geometry=districts.geometry.intersection(outline))
    cut = cut[~cut.geometry.is_empty].explode(index_parts=False).reset_index(drop=True)
    cut = cut[cut.geometry.area > 1e6].copy()
    cut["km2"] = cut.geometry.area / 1e6
    cut = cut.sort_values("km2", ascending=False).drop_duplicates("district_adcode")
    cut = cut[cut["km2"] >= LEAST_PART_KM2].sort_values("district_adcode")
    whole = shapely.union_all(cut.geometry.buffer(1).to_numpy()).buffer(-900).buffer(899)
    cut["geometry"] = cut.geometry.intersection(max(shapely.get_parts(whole), key=lambda p: p.area))
    cut["geometry"] = [max(shapely.get_parts(g), key=lambda p: p.area) for g in cut.geometry]
    return gpd.GeoDataFrame(
        pd.DataFrame(
            {
                "code": cut["district_adcode"].astype(int).astype(str),
                "name": cut["district_name"],
                "km2": cut["km2"].round(2),
            }
        ).reset_index(drop=True),
        geometry=cut.geometry.to_numpy(),
        crs=METRIC,
    )

"""One made-up state of the world: ponding, closed roads, danger areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from rasterio.features import shapes

from demo.area import METRIC
from demo.files import write_geojson, write_raster
from demo.scene import NOTE, person, phone
from demo.terrain import Ground, make_depth

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

NAME = "大暴雨"


def _areas(
    shape: gpd.GeoSeries, village: gpd.GeoDataFrame, prefix: str, kind: str, start: int
) -> gpd.GeoDataFrame:
    """Describe danger polygons: people by the density of the community they lie in."""
    inner = shape.representative_point()
    hit = gpd.sjoin(
        gpd.GeoDataFrame(geometry=inner, crs=METRIC), village.to_crs(METRIC), predicate="within"
    )
    hit = hit[~hit.index.duplicated()]
    shape = shape.loc[hit.index]
    density = (
        village.set_index("code").to_crs(METRIC).area.rdiv(village.set_index("code")["population"])
    )
    people = np.maximum(
        (density.loc[hit["code"]].to_numpy() * shape.area.to_numpy() * 0.35).round().astype(int), 2
    )
    n = len(shape)
    return gpd.GeoDataFrame(
        {
            "编号": [f"{prefix}-{i + 1:03d}" for i in range(n)],
            "危险区名称": [f"{v}{kind}危险区{i + 1:02d}" for i, v in enumerate(hit["name"])],
            "危险区类型": kind,
            "所属社区": hit["name"].to_numpy(),
            "危险区人数": people,
            "户数": np.maximum((people / 3.1).round().astype(int), 1),
            "责任人": person("K" if kind == "地质灾害" else "L", n),
            "联系电话": phone(start, n),
            "数据性质": NOTE,
            "备注": NOTE,
        },
        geometry=shape.set_precision(0.01).to_crs(4326).to_numpy(),
        crs=4326,
    )


def deep_areas(
    depth: Ground, village: gpd.GeoDataFrame, least_m: float, least_m2: float
) -> gpd.GeoSeries:
    """Outline the ground deeper than a limit, cut at the borders of communities."""
    deep = np.nan_to_num(depth.values) >= least_m
    outline = [
        shapely.geometry.shape(s)
        for s, v in shapes(deep.astype("uint8"), mask=deep, transform=depth.transform)
        if v == 1
    ]
    smooth = gpd.GeoDataFrame(geometry=outline, crs=METRIC).buffer(45).buffer(-25).simplify(8)
    whole = gpd.GeoDataFrame(geometry=smooth[smooth.area >= least_m2], crs=METRIC)
    parts = (
        whole.overlay(village[["geometry"]].to_crs(METRIC), how="intersection").explode().geometry
    )
    return parts[parts.area >= 8_000].reset_index(drop=True)


def write_scenario(
    folder: Path,
    roads: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    water: gpd.GeoDataFrame,
    flood: pd.DataFrame,
    slope: pd.DataFrame,
) -> None:
    """Write the scenario's depth, closures and danger areas, and the standing danger areas."""
    village = units[units["level"] == "village"]
    area = shapely.union_all(units[units["level"] == "district"].to_crs(METRIC).geometry.to_numpy())
    depth = make_depth(
        area, water, flood[["x", "y"]].to_numpy(), flood["深度"].to_numpy() / 100 * 1.25
    )
    write_raster(
        depth,
        folder / "情景_大暴雨水深.tif",
        crs=METRIC,
        unit="m",
        about="示范数据 made-up ponding depth",
    )
    write_geojson(
        _areas(deep_areas(depth, village, 0.4, 15_000), village, "JN-WQ-S", "低洼易涝", 9_100_001),
        folder / "情景_大暴雨危险区.geojson",
    )
    circle = gpd.GeoSeries(gpd.points_from_xy(slope["x"], slope["y"]), crs=METRIC).buffer(
        90 + np.sqrt(slope["人数"].to_numpy()) * 8
    )
    write_geojson(
        _areas(circle, village, "JN-WQ-D", "地质灾害", 9_200_001), folder / "危险区.geojson"
    )
    middle = roads.to_crs(METRIC).geometry.interpolate(0.5, normalized=True)
    xy = shapely.get_coordinates(middle.array)
    inside = shapely.within(middle.array, area)
    wet = np.zeros(len(roads))
    wet[inside] = np.nan_to_num(depth.at(xy[inside]))
    main = ~roads["highway"].isin(["motorway", "motorway_link"])
    shut = roads[(wet >= 0.6) & main].reset_index(drop=True)
    write_geojson(
        gpd.GeoDataFrame(
            {
                "编号": [f"JN-FL-{i + 1:03d}" for i in range(len(shut))],
                "名称": [f"示范封闭路段{i + 1:03d}" for i in range(len(shut))],
                "封闭原因": f"{NAME}情景积水",
                "情景": NAME,
                "eid": shut["eid"],
                "备注": NOTE,
            },
            geometry=shut.geometry,
            crs=4326,
        ),
        folder / "情景_大暴雨封闭道路.geojson",
    )

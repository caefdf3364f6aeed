"""Turn H3 ids into hexagons; make stations and a screening scenario (示范数据).

Run from anywhere: ``python layers/porto_alegre/make_units.py [OUT]``. Same seed, same files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from scipy import ndimage
from scipy.cluster.vq import kmeans2

HERE = Path(__file__).resolve().parent
METRIC = "EPSG:32722"
SEED = 20240504
WATER_LEVEL_M = 5
MOVE_DEPTH_M = 0.5
LAKE_PIXELS = 1000
CLOSED_ROADS = ("motorway", "trunk", "primary", "secondary")
NOTE = "示范数据"
os.environ["OGR_CURRENT_DATE"] = "2026-03-01T00:00:00.000Z"


def write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoJSON with 6 decimals."""
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(table, path, driver="GeoJSON", layer=path.stem, COORDINATE_PRECISION=6)


def hexagons(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """Draw the cells, with corners on a 1e-6 degree grid so that neighbours share them."""
    corners = [np.round(np.array(h3.cell_to_boundary(cell))[:, ::-1], 6) for cell in table["id"]]
    shape = shapely.normalize(np.array([shapely.polygons(ring) for ring in corners]))
    units = gpd.GeoDataFrame(
        {
            "level": "custom",
            "code": table["id"],
            "name": "六边形" + table["id"].str[2:11],
            "parent": "POA",
            "population": table["population"],
            "schools": table["schools"],
            "healthcare": table["healthcare"],
        },
        geometry=shape,
        crs=4326,
    ).sort_values("code")
    whole = {
        "level": "district",
        "code": "POA",
        "name": "阿雷格里港（研究区）",
        "parent": "",
        "population": int(units["population"].sum()),
        "schools": int(units["schools"].sum()),
        "healthcare": int(units["healthcare"].sum()),
        "geometry": shapely.normalize(shapely.union_all(shape)),
    }
    return gpd.GeoDataFrame(
        pd.concat([gpd.GeoDataFrame([whole], crs=4326), units], ignore_index=True), crs=4326
    )


def stations(units: gpd.GeoDataFrame, roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Place 8 made-up fire stations on main roads, spread by people."""
    cells = units[units["level"] == "custom"].to_crs(METRIC)
    xy = shapely.get_coordinates(cells.geometry.centroid.array)
    many = np.repeat(xy, (cells["population"].to_numpy() // 200).astype(int), axis=0)
    centres, _ = kmeans2(many, 8, minit="++", iter=60, seed=np.random.default_rng(SEED))
    centres = centres[np.lexsort((centres[:, 0], -centres[:, 1]))]
    main = roads[roads["highway"].isin(["primary", "secondary", "tertiary"])].to_crs(METRIC)
    ends = shapely.get_coordinates(shapely.get_point(main.geometry.array, 0))
    nearest = ends[[int(np.argmin(np.hypot(*(ends - c).T))) for c in centres]]
    return gpd.GeoDataFrame(
        {
            "编号": [f"POA-{i + 1:02d}" for i in range(8)],
            "站点名称": [f"示范消防站{i + 1}号" for i in range(8)],
            "车辆数": [3, 2, 2, 3, 2, 2, 2, 3],
            "数据性质": NOTE,
            "备注": NOTE,
        },
        geometry=gpd.points_from_xy(*nearest.T, crs=METRIC),
    ).to_crs(4326)


def screening_depth(dem: np.ndarray) -> np.ndarray:
    """Depth [m] on ground below a level lake and joined to it; the lake itself is unknown."""
    parts, _ = ndimage.label(dem == 0)
    size = np.bincount(parts.ravel())
    size[0] = 0
    lake = size[parts] >= LAKE_PIXELS
    low, _ = ndimage.label(dem < WATER_LEVEL_M)
    reached = np.isin(low, np.unique(low[lake])) & (low > 0)
    depth = np.where(reached, WATER_LEVEL_M - dem.astype("float32"), 0.0)
    return np.where(lake, -9999, depth).astype("float32")


def write_scenario(roads: gpd.GeoDataFrame, folder: Path) -> None:
    """Write the screening depth and the main roads that it closes (over 0.3 m at their middle)."""
    with rasterio.open(HERE / "poa_elevation.tif") as source:
        depth = screening_depth(source.read(1))
        profile = {
            "driver": "GTiff",
            "height": source.height,
            "width": source.width,
            "count": 1,
            "dtype": "float32",
            "crs": source.crs,
            "transform": source.transform,
            "nodata": -9999,
            "compress": "deflate",
        }
        main = roads[roads["highway"].isin(CLOSED_ROADS)].reset_index(drop=True)
        middle = shapely.get_coordinates(
            shapely.line_interpolate_point(main.geometry.array, 0.5, normalized=True)
        )
        column, row = (~source.transform) * middle.T
        inside = (column >= 0) & (column < source.width) & (row >= 0) & (row < source.height)
    wet = np.zeros(len(main))
    wet[inside] = depth[row[inside].astype(int), column[inside].astype(int)]
    with rasterio.open(folder / "depth_5m.tif", "w", **profile) as out:
        out.write(depth, 1)
        out.set_band_unit(1, "m")
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION="示范数据 screening: lake 5 m above zero")
    shut = main[wet > 0.3]
    write_geojson(
        gpd.GeoDataFrame(
            {
                "编号": "POA-FL-" + shut["osm_id"].astype(str),
                "名称": shut["name"].fillna(""),
                "封闭原因": "筛查水深超过0.3米",
                "数据性质": NOTE,
                "备注": NOTE,
            },
            geometry=shut.geometry,
            crs=4326,
        ),
        folder / "closures.geojson",
    )


def write_danger(units: gpd.GeoDataFrame, folder: Path) -> None:
    """Write the hexagons with people on ground that the lake covers by half a metre or more."""
    with rasterio.open(folder / "depth_5m.tif") as source:
        deep = source.read(1) >= MOVE_DEPTH_M
        row, column = np.indices(deep.shape).reshape(2, -1)
        lon, lat = source.transform @ (column + 0.5, row + 0.5)
    cells = units[units["level"] == "custom"].reset_index(drop=True)
    tree = shapely.STRtree(cells.geometry.array)
    pixel, cell = tree.query(shapely.points(lon, lat), predicate="intersects")
    all_pixels = np.bincount(cell, minlength=len(cells))
    wet = np.bincount(cell[deep.ravel()[pixel]], minlength=len(cells))
    people = np.rint(cells["population"] * wet / np.maximum(all_pixels, 1)).astype(int)
    some = np.flatnonzero(people > 0)
    write_geojson(
        gpd.GeoDataFrame(
            {
                "编号": "POA-WQ-" + cells["code"].iloc[some].astype(str),
                "危险区名称": cells["name"].iloc[some],
                "危险区类型": "河道洪水",
                "危险区人数": people[some],
                "数据性质": NOTE,
                "备注": NOTE,
            },
            geometry=cells.geometry.iloc[some],
            crs=4326,
        ),
        folder / "danger_5m.geojson",
    )


def make(folder: Path) -> None:
    """Write every made file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    units = hexagons(pd.read_csv(HERE / "poa_hexgrid.csv"))
    roads = pyogrio.read_dataframe(
        HERE / "poa_osm.pbf",
        layer="lines",
        where="highway IS NOT NULL",
        columns=["osm_id", "name", "highway"],
    )
    write_geojson(units, folder / "units.geojson")
    write_geojson(stations(units, roads), folder / "stations.geojson")
    write_scenario(roads, folder)
    write_danger(units, folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

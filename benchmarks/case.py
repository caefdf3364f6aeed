"""The benchmark's case: Jinan's demo layers over the whole extent of the road data."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import yaml

ROOT = Path(__file__).resolve().parent.parent
JINAN = ROOT / "layers" / "jinan"
CRS = "EPSG:4548"
SQUARES = 20
"""The extent is cut into 20 x 20 squares that stand for villages."""


def road_extent() -> tuple[float, float, float, float]:
    """West, south, east and north of the road data [m]."""
    roads = gpd.read_file(JINAN / "roads.gpkg")
    west, south, east, north = roads.to_crs(CRS).total_bounds
    return float(west), float(south), float(east), float(north)


def write_units(path: Path) -> None:
    """Write the extent as one district and its squares as villages."""
    west, south, east, north = road_extent()
    xs, ys = np.linspace(west, east, SQUARES + 1), np.linspace(south, north, SQUARES + 1)
    column, row = (part.ravel() for part in np.meshgrid(np.arange(SQUARES), np.arange(SQUARES)))
    squares = shapely.box(xs[column], ys[row], xs[column + 1], ys[row + 1])
    number = np.char.zfill((row * SQUARES + column + 1).astype(str), 3)
    table = gpd.GeoDataFrame(
        {
            "level": ["district"] + ["village"] * len(squares),
            "code": ["370100", *np.char.add("370100900", number)],
            "name": ["路网全域", *np.char.add("示范方格", number)],
            "parent": [""] + ["370100"] * len(squares),
        },
        geometry=[shapely.union_all(squares), *squares],
        crs=CRS,
    )
    table.to_file(path, driver="GPKG", layer="units")


def write_project(folder: Path, size_m: float) -> Path:
    """Write the project file of one run: the Jinan demo with the extent as its place."""
    project = yaml.safe_load((ROOT / "configs" / "jinan.yaml").read_text(encoding="utf-8"))
    units = folder / "units.gpkg"
    if not units.exists():
        write_units(units)
    project["name"] = f"济南路网全域 {size_m:g} 米格网"
    project["units"] = {
        "path": str(units), "layer": "units", "level_column": "level",
        "code": "code", "name": "name", "parent": "parent", "demo": True,
    }  # fmt: skip
    project["crs"] = CRS
    project["grid"] = {"shape": "square", "size_m": size_m}
    project["outputs"]["dir"] = None
    project["plans"] = False  # the baseline makes none
    for sources in project["layers"].values():
        for source in sources if isinstance(sources, list) else [sources]:
            source["path"] = str((ROOT / "configs" / source["path"]).resolve())
    for scenario in project["scenarios"]:
        for key in {"depth", "closures", "danger_area"} & set(scenario):
            scenario[key] = str((ROOT / "configs" / scenario[key]).resolve())
    path = folder / f"extent_{size_m:g}.yaml"
    path.write_text(yaml.safe_dump(project, allow_unicode=True), encoding="utf-8")
    return path

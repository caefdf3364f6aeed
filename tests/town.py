"""A hand-drawn town on whole numbers: 4 x 3 villages of 100 m, one road, six points.

Easting 500 000..500 400, northing 4 000 000..4 000 300 in EPSG:4548. Village ``V{column}{row}``
stands at column 0..3 and row 0..2; columns 0-1 are town T1, columns 2-3 town T2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import yaml
from shapely.geometry import LineString, Point, box

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4548"
EAST, NORTH = 500_000, 4_000_000


def at(x: float, y: float) -> Point:
    return Point(EAST + x, NORTH + y)


def units() -> gpd.GeoDataFrame:
    rows = [("D", "", "district", "县", None, box(EAST, NORTH, EAST + 400, NORTH + 300))]
    for t, left in (("T1", 0), ("T2", 200)):
        outline = box(EAST + left, NORTH, EAST + left + 200, NORTH + 300)
        rows.append((t, "D", "town", f"镇{t}", None, outline))
    for column in range(4):
        for row in range(3):
            x, y = EAST + 100 * column, NORTH + 100 * row
            parent = "T1" if column < 2 else "T2"
            people = 100 * (column + 1)
            name = f"村{column}{row}"
            rows.append(
                (f"V{column}{row}", parent, "village", name, people, box(x, y, x + 100, y + 100))
            )
    names = ["code", "parent", "level", "name", "people", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), crs=CRS)


def write(folder: Path, *, project: dict | None = None, layers: dict | None = None) -> Path:
    """Write the town's layers and project file; return the project file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "riskmap.root").touch()
    units().to_file(folder / "units.gpkg")
    tables = {
        "flood_point": [
            ("P1", "桥下", 0.6, at(50, 150)),
            ("P2", "路口", 0.2, at(150, 150)),
            ("P3", "低洼", 0.1, at(350, 50)),
        ],
        "refuge": [("R1", "学校", 200, at(50, 250))],
        "rescue_station": [("S1", "救援站", None, at(0, 150))],
    }
    fields = {"flood_point": "depth_m", "refuge": "capacity", "rescue_station": "people"}
    for role, rows in tables.items():
        frame = gpd.GeoDataFrame(
            pd.DataFrame(rows, columns=["number", "name", fields[role], "geometry"]), crs=CRS
        )
        frame.to_file(folder / f"{role}.gpkg")
    road = gpd.GeoDataFrame(
        {"highway": ["residential"]},
        geometry=[LineString([(EAST, NORTH + 150), (EAST + 400, NORTH + 150)])],
        crs=CRS,
    )
    road.to_file(folder / "road.gpkg")
    unit_source = {"path": "units.gpkg", "level_column": "level", "parent": "parent"}
    content = {
        "name": "示例镇",
        "place": {"code": "370100", "name": "示例镇"},
        "crs": CRS,
        "data_date": "2026-03-01",
        "units": unit_source | {"population": "people"},
        "grid": {"size_m": 100},
        "layers": {role: {"path": f"{role}.gpkg"} for role in (*tables, "road")},
        "outputs": {"dir": "out"},
    }
    content |= project or {}
    content["layers"] = {**content["layers"], **(layers or {})}
    path = folder / "town.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path

"""A made-up rural county with everything that a village sheet shows; persons are roles, not people.

Two towns and seven villages along a river in EPSG:4549, about 8 x 6 km; everything is drawn from
one seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import yaml
from affine import Affine
from scipy.ndimage import gaussian_filter
from shapely.geometry import LineString, Point, Polygon

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4549"
WEST, SOUTH, WIDE, HIGH = 386_000.0, 3_205_000.0, 8_000.0, 6_000.0
VILLAGES = {
    "330802001201": ("碶头村", "330802001", 1250, (1400, 3900)),
    "330802001202": ("鄮山村", "330802001", 860, (1300, 1500)),
    "330802001203": ("石门坑村", "330802001", 640, (3000, 5000)),
    "330802001204": ("双溪口村", "330802001", 1510, (3300, 2600)),
    "330802002201": ("上墩村", "330802002", 930, (5200, 1400)),
    "330802002202": ("竹园底村", "330802002", 720, (5600, 4300)),
    "330802002203": ("三合湾村", "330802002", 410, (7100, 3000)),
}


def at(x, y):
    return Point(WEST + x, SOUTH + y)


def river_y(x):
    return 2700 + 700 * np.sin(x / 1500) + 120 * np.sin(x / 330)


def line(points):
    return LineString([(WEST + x, SOUTH + y) for x, y in points])


def units():
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    r = 1 + 0.05 * np.sin(3 * turn + 1) + 0.04 * np.sin(7 * turn)
    outline = Polygon(
        np.column_stack(
            [
                WEST + 4000 * (1 + 0.9 * r * np.cos(turn)),
                SOUTH + 3000 * (1 + 0.9 * r * np.sin(turn)),
            ]
        )
    )
    spots = [at(*spot) for *_, spot in VILLAGES.values()]
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(spots), extend_to=outline)
    )
    shapes = {
        code: next(c for c in cells if c.contains(at(*spot))).intersection(outline)
        for code, (*_, spot) in VILLAGES.items()
    }
    rows = [("330802", "", "district", "示范县", None, outline)]
    for town, name in (("330802001", "双溪乡"), ("330802002", "湾底镇")):
        whole = shapely.union_all([shapes[code] for code, v in VILLAGES.items() if v[1] == town])
        rows.append((town, "330802", "town", name, None, whole))
    rows += [
        (code, town, "village", name, people, shapes[code])
        for code, (name, town, people, _) in VILLAGES.items()
    ]
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=["code", "parent", "level", "name", "people", "geometry"]),
        crs=CRS,
    )


def roads():
    feet = [x - 150 for *_, (x, _) in VILLAGES.values()]
    xs = sorted({*np.arange(300, 7800, 60.0), *feet, 3150.0})
    main = line([(x, river_y(x) + 260) for x in xs])
    found = [("县道108", "secondary", main)]
    for i, (name, *_, (x, y)) in enumerate(VILLAGES.values()):
        foot = (x - 150, float(river_y(x - 150) + 260))
        bend = ((x + foot[0]) / 2 + 130, (y + foot[1]) / 2)
        found.append((f"{name[:2]}路", "tertiary", line([foot, bend, (x, y)])))
        for j in range(3):
            turn = 2 * np.pi * j / 3 + i
            found.append(
                (
                    f"{name[:2]}{'东西北'[j]}巷",
                    "residential",
                    line(
                        [
                            (x, y),
                            (x + 260 * np.cos(turn), y + 200 * np.sin(turn)),
                            (x + 480 * np.cos(turn + 0.3), y + 380 * np.sin(turn + 0.3)),
                        ]
                    ),
                )
            )
    found.append(
        (
            "双溪桥",
            "tertiary",
            line(
                [
                    (3150, float(river_y(3150) + 260)),
                    (3300, 2600),
                    (3200, float(river_y(3200) - 300)),
                    (1300, 1500),
                ]
            ),
        )
    )
    return gpd.GeoDataFrame(found, columns=["name", "highway", "geometry"], crs=CRS)


def areas():
    rows = []
    kinds = ["山洪", "低洼易涝", "地质灾害", "危房"]
    triggers = [
        "1小时雨量达40毫米，立即转移",
        "3小时雨量达80毫米，准备转移",
        "6小时雨量达120毫米或发现裂缝",
        "发布暴雨橙色预警",
    ]
    for i, (name, _, _, (x, y)) in enumerate(VILLAGES.values()):
        for j in range(2 if i % 2 == 0 else 1):
            k = (i + j) % 4
            cx, cy = (
                (x + 150 - 420 * j, float(river_y(x + 150 - 420 * j)) + 110)
                if k < 2
                else (x - 160 - 290 * j, y + 190)
            )
            ring = [
                (cx + 110 * np.cos(t) * (1 + 0.25 * np.sin(3 * t)), cy + 75 * np.sin(t))
                for t in np.linspace(0, 2 * np.pi, 24, endpoint=False)
            ]
            rows.append(
                (
                    f"WX{i + 1:02d}{j + 1}",
                    f"{name}{['溪边', '下田畈', '后山', '老屋'][k]}",
                    kinds[k],
                    9 + 5 * i + 3 * j,
                    30 + 17 * i + 9 * j,
                    triggers[k],
                    f"责任人{'ABCDEFG'[i]}",
                    f"0000100{i}{j}00",
                    Polygon([(WEST + a, SOUTH + b) for a, b in ring]),
                )
            )
    return gpd.GeoDataFrame(
        rows,
        columns=[
            "编号",
            "危险区名称",
            "危险区类型",
            "户数",
            "人数",
            "预警指标",
            "责任人",
            "联系电话",
            "geometry",
        ],
        crs=CRS,
    )


def points():
    refuge, depot, flood, geo, gauge, people, horn = [], [], [], [], [], [], []
    for i, (name, town, _, (x, y)) in enumerate(VILLAGES.values()):
        t = "双溪乡" if town.endswith("1") else "湾底镇"
        if i != 6:
            refuge.append(
                (
                    f"BN{i + 1:02d}",
                    f"{name}{['文化礼堂', '小学', '村委会'][i % 3]}避灾安置点",
                    "村级",
                    60 + 40 * i,
                    150 + 90 * i,
                    f"管理员{i + 1}",
                    f"0000200{i}000",
                    at(x + 60, y - 40),
                )
            )
        if i % 2 == 0:
            depot.append(
                (
                    f"CK{i + 1:02d}",
                    f"{name}防汛物资库",
                    "村级",
                    f"保管员{i + 1}",
                    f"0000300{i}000",
                    at(x - 90, y - 30),
                )
            )
        flood.append(
            (
                f"JS{i + 1:02d}",
                f"{name}桥头",
                0.15 + 0.1 * i,
                40 + 20 * i,
                at(x + 120, float(river_y(x + 120) + 250)),
            )
        )
        if i % 3 != 1:
            geo.append(
                (f"DZ{i + 1:02d}", f"{name}后山滑坡", "滑坡", 12 + 6 * i, at(x - 200, y + 260))
            )
        gauge.append(
            (
                f"YL{i + 1:02d}",
                f"{name}雨量站",
                "雨量",
                "1小时40毫米、3小时80毫米",
                at(x + 20, y + 80),
            )
        )
        horn.append((f"GB{i + 1:02d}", f"{name}大喇叭", at(x - 30, y + 20)))
        for k, duty in enumerate(
            ("行政责任人", "监测预警、信息报送", "人员转移", "抢险救援", "后勤保障")
        ):
            people += [
                (
                    f"RY{i}{k}{ab}",
                    t,
                    name,
                    f"责任人{ab}{k + 1}",
                    duty,
                    ab,
                    f"000040{i}{k}{ord(ab) % 10}0",
                )
                for ab in ("AB" if i != 5 else "A")
            ]
    return {
        "refuge": gpd.GeoDataFrame(
            refuge,
            columns=["编号", "名称", "级别", "核定容量", "面积", "责任人", "联系电话", "geometry"],
            crs=CRS,
        ),
        "supply_depot": gpd.GeoDataFrame(
            depot, columns=["编号", "名称", "级别", "责任人", "联系电话", "geometry"], crs=CRS
        ),
        "flood_point": gpd.GeoDataFrame(
            flood, columns=["number", "name", "depth_m", "duration_min", "geometry"], crs=CRS
        ),
        "geohazard_point": gpd.GeoDataFrame(
            geo, columns=["number", "name", "type", "people", "geometry"], crs=CRS
        ),
        "warning_station": gpd.GeoDataFrame(
            gauge, columns=["编号", "站名", "站点类型", "预警阈值", "geometry"], crs=CRS
        ),
        "loudspeaker": gpd.GeoDataFrame(horn, columns=["编号", "名称", "geometry"], crs=CRS),
        "person": pd.DataFrame(
            people, columns=["人员编号", "镇街", "村社区", "姓名", "职责", "AB角", "联系电话"]
        ),
    }


def dem(path, cell=40.0):
    rng = np.random.default_rng(7)
    nx, ny = int((WIDE + 2000) / cell), int((HIGH + 2000) / cell)
    x = -1000 + (np.arange(nx) + 0.5) * cell
    y = -1000 + HIGH + 2000 - (np.arange(ny) + 0.5) * cell
    gx, gy = np.meshgrid(x, y)
    away = np.abs(gy - river_y(gx))
    height = (
        60
        + 0.03 * away
        + 0.00002 * away**2
        + 1500 * gaussian_filter(rng.standard_normal((ny, nx)), 7) * np.clip(away / 900, 0, 1)
    )
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=nx,
        height=ny,
        count=1,
        dtype="float32",
        crs=CRS,
        transform=Affine(cell, 0, WEST - 1000, 0, -cell, SOUTH - 1000 + HIGH + 2000),
    ) as out:
        out.write(height.astype("float32"), 1)


def write(folder: Path, *, project: dict | None = None) -> Path:
    """Write the county's layers and project file; return the project file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "riskmap.root").touch()
    units().to_file(folder / "units.gpkg")
    roads().to_file(folder / "road.gpkg")
    areas().to_file(folder / "danger_area.gpkg")
    xs = np.arange(-500, 8600, 50.0)
    stream = [(3300 + 40 * np.sin(y / 200), y) for y in np.arange(2900, 6200, 100.0)]
    water = [
        ("示范溪", "river", 25.0, line([(x, river_y(x)) for x in xs])),
        ("石门坑", "stream", 6.0, line(stream)),
    ]
    gpd.GeoDataFrame(water, columns=["name", "class", "width_m", "geometry"], crs=CRS).to_file(
        folder / "waterway.gpkg"
    )
    dem(folder / "dem.tif")
    layers = {
        "road": {"path": "road.gpkg", "direction": "two_way"},
        "danger_area": {"path": "danger_area.gpkg"},
        "waterway": {"path": "waterway.gpkg"},
        "dem": {"path": "dem.tif"},
    }
    for role, frame in points().items():
        name = f"{role}.gpkg" if isinstance(frame, gpd.GeoDataFrame) else f"{role}.csv"
        if isinstance(frame, gpd.GeoDataFrame):
            frame.to_file(folder / name)
        else:
            frame.to_csv(folder / name, index=False)
        layers[role] = {"path": name}
    content = {
        "name": "示范县2026年汛前风险一张图", "place": {"code": "330802", "name": "示范县"}, "crs": CRS,
        "data_date": "2026-04-01", "issued_by": "示范县防汛防台指挥部办公室",
        "units": {"path": "units.gpkg", "level_column": "level", "parent": "parent", "population": "people"},
        "grid": {"size_m": 400}, "layers": layers, "outputs": {"dir": "out"},
        **(project or {}),
    }  # fmt: skip
    path = folder / "project.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path

"""A small made-up result, built by hand, so that exports and page can be tested alone.

Twelve units in three levels (1 district, 3 towns, 8 villages) stand on a grid of 100 m cells near
Jinan. Names are hostile on purpose; persons, phones, stock and substances are canaries, which must
never reach a public file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import LineString, Point, box

from riskmap.errors import Problem
from riskmap.geo.grid import Grid
from riskmap.i18n import text
from riskmap.index.steps import Index, default_steps, fit
from riskmap.layers.types import Layer, Source
from riskmap.presets.load import Preset
from riskmap.result import Facts, InputFile, Result, Scenario
from riskmap.roles.load import Choice, Field, Role

try:
    from riskmap.indicators.table import Indicators
except ImportError:  # until that room is finished

    @dataclass(frozen=True)
    class Indicators:
        meta: Any
        cells: Any
        units: Any
        notes: tuple[Any, ...]


CRS = "EPSG:4548"
ORIGIN = (500_000.0, 4_050_000.0)
"""West and south edge of the sample town [m]."""

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "He said \"积水\" & '深'",
    "泉城广场🌊北口",
    "\u202eرجل\u202c 右至左桥洞",
    "很长" * 120,
    "+86涵洞",
    "@SUM(A1:A9)",
    "-1+1下穿",
    "</script><img src=x onerror=alert(2)>",
)
CANARY_PERSON = "责任人A金丝雀"
CANARY_PHONE = "13900001234"
CANARY_LANDLINE = "0531-81234567"
CANARY_QUANTITY = 8_675_309
CANARY_SUBSTANCE = "液氯金丝雀"
CANARY_PATH = "layers/jinan/secret_canary_folder"
CANARY_VALUE = "退回行金丝雀"
CANARIES = (
    CANARY_PERSON,
    CANARY_PHONE,
    CANARY_LANDLINE,
    str(CANARY_QUANTITY),
    CANARY_SUBSTANCE,
    "secret_canary_folder",
    CANARY_VALUE,
)

_FIELDS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "flood_point": (
        ("name", "名称", "text", "public"),
        ("kind", "类别", "choice", "public"),
        ("depth_m", "积水深度", "number", "public"),
        ("person", "责任人", "text", "internal"),
        ("phone", "电话", "phone", "internal"),
        ("remark", "备注", "text", "public"),
    ),
    "hazard_source": (
        ("name", "名称", "text", "public"),
        ("hazard_level", "级别", "choice", "public"),
        ("substances", "物质", "text", "secret"),
        ("quantity_t", "储量", "number", "secret"),
        ("person", "责任人", "text", "internal"),
        ("phone", "电话", "phone", "internal"),
    ),
    "refuge": (
        ("name", "名称", "text", "public"),
        ("tier", "等级", "choice", "public"),
        ("capacity", "容量", "integer", "public"),
        ("phone", "电话", "phone", "internal"),
    ),
    "rescue_station": (
        ("name", "名称", "text", "public"),
        ("phone", "电话", "phone", "internal"),
    ),
    "supply_depot": (
        ("name", "名称", "text", "public"),
        ("quantity", "数量", "integer", "internal"),
    ),
    "road": (("name", "名称", "text", "public"), ("road_class", "类型", "text", "public")),
    "waterway": (("name", "名称", "text", "public"),),
}
_KINDS = (
    Choice("area", "重要区域", "Area"),
    Choice("site", "重点部位", "Site"),
    Choice("ponding", "积水点", "Ponding"),
)
_ROLES: dict[str, tuple[str, str, str, str, str, str, bool, str, bool]] = {
    "flood_point": ("积水点", "Flood point", "point", "risk", "FP", "城市排水主管部门", True, "public", False),
    "hazard_source": ("危险源", "Hazard source", "point", "risk", "HS", "应急管理局", True, "internal", True),
    "refuge": ("避灾安置场所", "Refuge", "point", "plan", "RF", "民政", False, "public", False),
    "rescue_station": ("社区应急救援站", "Rescue station", "point", "plan", "RS", "应急管理局", False, "public", False),
    "supply_depot": ("物资储备库", "Supply depot", "point", "plan", "SD", "应急管理局", False, "internal", True),
    "road": ("道路", "Road", "line", "base", "RD", "", False, "public", False),
    "waterway": ("河道", "Waterway", "line", "base", "WW", "", False, "public", False),
}  # fmt: skip


def sample_roles() -> dict[str, Role]:
    """Build a few roles, smaller than the shipped ones."""
    roles = {}
    for name, spec in _ROLES.items():
        zh, en, geometry, group, prefix, duty, item, sensitivity, coarsen = spec
        fields = tuple(
            Field(
                name=field, zh=label, en=field.replace("_", " ").capitalize(), type=kind,
                unit="m" if field == "depth_m" else None, required=field == "name",
                choices=_KINDS if field == "kind" else (), sensitivity=secrecy,
            )
            for field, label, kind, secrecy in _FIELDS[name]
        )  # fmt: skip
        roles[name] = Role(
            name=name, zh=zh, en=en, geometry=geometry, group=group, id_prefix=prefix,
            duty_unit_zh=duty, duty_unit_en=duty, fields=fields, item=item,
            sensitivity=sensitivity, coarsen_public=coarsen,
        )  # fmt: skip
    return roles


def _layer(role: str, rows: dict[str, list[Any]], geometry: list[Any]) -> Layer:
    """Build one checked layer with one row returned."""
    prefix = _ROLES[role][4]
    ids = pd.Index([f"{prefix}-{i + 1:04d}" for i in range(len(geometry))], name="item_id")
    frame = gpd.GeoDataFrame(rows, index=ids, geometry=geometry, crs=CRS)
    shown = f"{CANARY_PATH}/{role}.xlsx"
    frame["_file"], frame["_row"] = shown, np.arange(len(frame)) + 3
    returned = 1 if role == "flood_point" else 0
    source = Source(
        shown=shown, path=Path("/nonexistent") / shown, sheet="台账", encoding="utf-8",
        crs="EPSG:4326", datum="gcj02", rows_in=len(frame) + returned, rows_used=len(frame),
        rows_returned=returned,
    )  # fmt: skip
    return Layer(role=role, table=frame, sources=(source,))


def sample_layers(*, n_points: int, extent: float, rng: np.random.Generator) -> dict[str, Layer]:
    """Build the layers, hostile names and canaries in."""
    west, south = ORIGIN

    def spots(n: int) -> list[Point]:
        at = np.round(rng.uniform(0.03 * extent, 0.97 * extent, (n, 2)), 1)
        return [Point(west + x, south + y) for x, y in at]

    n = max(n_points, len(HOSTILE_NAMES))
    names = [*HOSTILE_NAMES, *(f"积水点{i}" for i in range(n - len(HOSTILE_NAMES)))]
    kinds = ["area", "site", "ponding"]
    rail = [0.25 * extent, 0.5 * extent, 0.75 * extent]
    roads = [LineString([(west, south + y), (west + extent, south + y)]) for y in rail]
    roads += [LineString([(west + x, south), (west + x, south + extent)]) for x in rail]
    stream = LineString([(west, south + 0.1 * extent), (west + extent, south + 0.9 * extent)])
    return {
        "flood_point": _layer("flood_point", {
            "name": names, "kind": [kinds[i % 3] for i in range(n)],
            "depth_m": np.round(rng.uniform(0.05, 0.9, n), 2), "person": [CANARY_PERSON] * n,
            "phone": [CANARY_PHONE] * n,
            "remark": [f"联系{CANARY_PHONE}或{CANARY_LANDLINE}" if i % 2 else None for i in range(n)],
            "level": pd.array([1 + i % 4 if i else pd.NA for i in range(n)], dtype="Int8"),
        }, spots(n)),
        "hazard_source": _layer("hazard_source", {
            "name": ["液氨站<b>1</b>", "加油站 二", "仓库\n三"], "hazard_level": ["1", "3", "4"],
            "substances": [CANARY_SUBSTANCE] * 3,
            "quantity_t": [float(CANARY_QUANTITY)] * 3, "person": [CANARY_PERSON] * 3,
            "phone": [CANARY_PHONE, CANARY_LANDLINE, ""],
            "level": pd.array([4, 3, 2], dtype="Int8"),
        }, spots(3)),
        "refuge": _layer("refuge", {
            "name": [f"第{i}中学" for i in range(4)], "tier": ["county", "town", "village", "village"],
            "capacity": pd.array([500, 200, 60, pd.NA], dtype="Int64"), "phone": [CANARY_PHONE] * 4,
        }, spots(4)),
        "rescue_station": _layer("rescue_station", {
            "name": ["东街站", "西街站"], "phone": [CANARY_PHONE] * 2}, spots(2)),
        "supply_depot": _layer("supply_depot", {
            "name": ["区级库"], "quantity": [CANARY_QUANTITY]}, spots(1)),
        "road": _layer("road", {
            "name": [f"{i}号路" for i in range(6)], "road_class": ["primary"] * 3 + ["residential"] * 3,
        }, roads),
        "waterway": _layer("waterway", {"name": ["大清沟"]}, [stream]),
    }  # fmt: skip


def sample_units(*, extent: float, population: float) -> gpd.GeoDataFrame:
    """Build 8 villages in a 4 x 2 tiling, 3 towns of 3, 3, 2 villages and the district."""
    west, south = ORIGIN
    wide, high = extent / 4, extent / 2
    villages = {
        f"37010210{1 + i // 3}{200 + i:03d}": (i, box(
            west + wide * (i % 4), south + high * (i // 4),
            west + wide * (i % 4 + 1), south + high * (i // 4 + 1),
        )) for i in range(8)
    }  # fmt: skip
    town_names = ["千佛山街道", "<b>大明湖</b>街道", "=历下镇"]
    rows = [
        (code, code[:9], "village", f"第{i + 1}社区", population / 8, town_names[i // 3], shape)
        for code, (i, shape) in villages.items()
    ]
    for t, name in enumerate(town_names):
        parts = [row for row in rows if row[1] == f"37010210{1 + t}"]
        shape = gpd.GeoSeries([row[-1] for row in parts]).union_all()
        people = sum(row[4] for row in parts)
        rows.append((f"37010210{1 + t}", "370102", "town", name, people, name, shape))
    whole = box(west, south, west + extent, south + extent)
    rows.append(("370102", "", "district", "历下区", population, "", whole))
    frame = gpd.GeoDataFrame(
        rows, columns=["unit_id", "parent_id", "level", "name", "population", "town", "geometry"],
        crs=CRS,
    ).set_index("unit_id")  # fmt: skip
    frame["district"] = "历下区"
    frame["area_km2"] = frame.geometry.area / 1e6
    columns = ["parent_id", "level", "name", "population", "area_km2", "town", "district"]
    return frame[[*columns, "geometry"]]


_META = [
    # code, parent, kind, zh, en, direction, weight, unit, method, layer, zonal
    ("RISK", "", "group", "洪涝综合风险", "Flood risk", 1, 1.0, "", "", "", ""),
    ("HAZARD", "RISK", "group", "致灾危险性", "Hazard", 1, 0.4, "", "", "", ""),
    ("EXPOSURE", "RISK", "group", "承灾体暴露度", "Exposure", 1, 0.3, "", "", "", ""),
    ("VULNERABILITY", "RISK", "group", "脆弱性", "Vulnerability", 1, 0.15, "", "", "", ""),
    ("CAPACITY", "RISK", "group", "减灾能力", "Capacity", -1, 0.15, "", "", "", ""),
    ("H_FLOOD", "HAZARD", "indicator", "积水点密度", "Flood point density", 1, 0.7, "1/km2", "kernel", "flood_point", "mean"),
    ("H_WATER", "HAZARD", "indicator", "距河道", "Distance to water", -1, 0.3, "m", "distance", "waterway", "mean"),
    ("E_POP", "EXPOSURE", "indicator", "人口密度", "Population density", 1, 1.0, "1/km2", "density", "population", "density"),
    ("V_LOW", "VULNERABILITY", "indicator", "低洼度", "Low ground", 1, 1.0, "m", "low", "dem", "mean"),
    ("C_REFUGE", "CAPACITY", "indicator", "距避灾场所", "Distance to refuge", -1, 1.0, "m", "distance", "refuge", "population_mean"),
]  # fmt: skip
INDICATORS = [row[0] for row in _META if row[2] == "indicator"]
GROUPS = [row[0] for row in _META if row[2] == "group"]


def sample_meta() -> pd.DataFrame:
    """Build the indicator table, indexed by code."""
    columns = ["code", "parent", "kind", "name_zh", "name_en", "direction", "weight", "unit",
               "method", "layer", "zonal"]  # fmt: skip
    meta = pd.DataFrame(_META, columns=columns).set_index("code")
    return meta.assign(options="", source="")


def _index(values: pd.DataFrame, meta: pd.DataFrame, levels: pd.Series | None = None) -> Index:
    """Score values as a run does: fitted on the finest level, ranked within levels."""
    rows = None if levels is None else (levels == "village").to_numpy()
    return fit(values, meta, default_steps(), fit_rows=rows, rank_within=levels)


def sample_items(layers: dict[str, Layer], units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Build the list: flood points and hazard sources, highest level first."""
    villages = units[units["level"] == "village"]
    frames = []
    for role in ("flood_point", "hazard_source"):
        table = layers[role].table
        assert table is not None
        spots = gpd.sjoin(table[["name", "level", "geometry"]], villages[["name", "town", "geometry"]]
                          .rename(columns={"name": "village", "town": "town"}), predicate="within")  # fmt: skip
        spots = spots[~spots.index.duplicated()]
        lonlat = spots.to_crs(4326).geometry
        frames.append(pd.DataFrame({
            "role": role, "name": spots["name"], "level": spots["level"].fillna(0).astype("Int8"),
            "score": np.round(np.linspace(0.9, 0.1, len(spots)), 4), "town": spots["town"],
            "village": spots["village"], "unit_id": spots["unit_id"],
            "lon": lonlat.x.round(6), "lat": lonlat.y.round(6),
            "people": np.arange(len(spots)) * 10.0,
            "reasons": [f"积水深度 {i} cm;周边 500 m 有人口" for i in range(len(spots))],
            "duty_unit": _ROLES[role][5], "person": CANARY_PERSON, "phone": CANARY_PHONE,
            "measure": "雨前巡查、设置警示、备足抽排设备", "deadline_days": 30,
        }))  # fmt: skip
    items = pd.concat(frames).sort_values(["level", "score"], ascending=False, kind="stable")
    items.insert(0, "rank", np.arange(len(items)) + 1)
    items.index.name = "item_id"
    return items


def sample_control(items: pd.DataFrame) -> pd.DataFrame:
    """Build the control table: one row an item."""
    control = items[["role", "name", "level", "town", "village", "duty_unit", "person", "phone",
                     "measure"]].copy()  # fmt: skip
    control["deadline"] = "2026-05-31"
    control["status"] = "to_do"
    control["public"] = False
    return control


def sample_problems() -> tuple[Problem, ...]:
    """Build a row returned, a note and a layer that could not be used."""
    file = f"{CANARY_PATH}/flood_point.xlsx"
    return (
        Problem("returned", "flood_point", "required", text("name is missing"),
                text("fill in the name"), file=file, sheet="台账", row=9, field="name", value=CANARY_VALUE),
        Problem("note", "road", "repaired", text("a geometry was repaired"), text("check the line"),
                file=f"{CANARY_PATH}/roads.gpkg", row=3),
        Problem("unusable", "dem", "no_crs", text("the raster has no CRS"), text("assign its CRS"),
                file=f"{CANARY_PATH}/dem.tif"),
    )  # fmt: skip


def sample_result(
    *,
    n_side: int = 16,
    size_m: float = 100.0,
    n_points: int = 12,
    seed: int = 7,
    lang: str = "zh",
    profile: str = "internal",
) -> Result:
    """Build the whole made-up result; ``n_side`` cells of ``size_m`` on each side."""
    rng = np.random.default_rng(seed)
    west, south = ORIGIN
    extent = n_side * size_m
    geobox = GeoBox((n_side, n_side), Affine(size_m, 0, west, 0, -size_m, south + extent), CRS)
    inside = np.ones((n_side, n_side), dtype=bool)
    inside[0, 0] = False
    grid = Grid(geobox, inside)
    population = rng.gamma(2.0, 20.0, inside.shape).astype("float32")
    population[~inside] = 0
    units = sample_units(extent=extent, population=float(np.round(population.sum())))
    layers = sample_layers(n_points=n_points, extent=extent, rng=rng)
    meta = sample_meta()
    cells = pd.DataFrame(
        {code: rng.uniform(0, 100, int(inside.sum())).astype("float32") for code in INDICATORS},
        index=pd.Index(np.flatnonzero(inside), name="cell"),
    )
    values = pd.DataFrame(
        {code: rng.uniform(0, 100, len(units)) for code in INDICATORS}, index=units.index
    )
    cells.iloc[3, 1] = np.nan
    index = {"unit": _index(values, meta, units["level"]), "cell": _index(cells, meta)}
    params = {name: entry.params for name, entry in index.items()}
    items = sample_items(layers, units)
    indicators = Indicators(
        meta=meta, cells=cells, units=values,
        notes=(text("the layer {layer} is missing, so {code} was left out", layer="dem", code="V_DEM"),),
    )  # fmt: skip
    preset = Preset(
        key="flood.level_depth_m", value=[0.15, 0.27, 0.4], unit="m", source="GB 51222", clause="3.2",
        edition="2017", status="unverified", zh="积水深度分级", en="Flood depth levels",
    )  # fmt: skip
    depth = rng.uniform(0, 0.6, inside.shape).astype("float32")
    return Result(
        facts=Facts(
            name="示范镇2026年汛前风险一张图", place_code="370102", place_name="历下区<示范>", crs=CRS,
            data_date="2026-04-15", lang=lang, profile=profile, grid_size_m=size_m, seed=seed,
            version="0.1.0", demo=True, issued_by="示范应急管理局",
        ),
        roles=sample_roles(), layers=layers, problems=sample_problems(),
        notes=(text("screening estimate, not a survey"),), units=units, grid=grid,
        population=population, indicators=indicators,
        index=index,
        items=items, control=sample_control(items),
        scenarios={"大暴雨": Scenario(name="大暴雨", depth_m=depth, rain_mm=150.0, hours=24.0)},
        presets=(preset,), params=params,
        inputs=(InputFile(f"{CANARY_PATH}/flood_point.xlsx", "0" * 64, 1234),),
    )  # fmt: skip

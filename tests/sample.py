"""A small made-up result, built by hand, so that exports and page can be tested alone.

Twelve units in three levels (1 district, 3 towns, 8 villages) stand on a grid of 100 m cells near
Jinan. Names are hostile on purpose; persons, phones, stock and substances are canaries, which must
never reach a public file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import LineString, Point, box

from riskmap.errors import Problem
from riskmap.export.public import veil_layers
from riskmap.geo.grid import Grid
from riskmap.i18n import text
from riskmap.index.steps import Index, default_steps, fit
from riskmap.indicators.table import Indicators
from riskmap.layers.layer import Layer, Source
from riskmap.register.control import CHOICES, build_control
from riskmap.register.items import list_items
from riskmap.result import Facts, InputFile, Result, Scenario
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

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
CANARY_QUANTITY = 8_675_309.25
CANARY_SUBSTANCE = "液氯金丝雀"
CANARY_PATH = "layers/jinan/secret_canary_folder"
CANARY_VALUE = "退回行金丝雀"
CANARIES = (
    CANARY_PERSON,
    CANARY_PHONE,
    CANARY_LANDLINE,
    "8675309",
    CANARY_SUBSTANCE,
    "secret_canary_folder",
    CANARY_VALUE,
)

PREFIXES = {
    "flood_point": "YL", "hazard_source": "WX", "refuge": "BN", "rescue_station": "JY",
    "supply_depot": "WZ", "stock": "WM", "road": "DL", "waterway": "HL",
}  # fmt: skip


def _layer(role: str, rows: dict[str, list[Any]], geometry: list[Any]) -> Layer:
    """Build one checked layer with one row returned."""
    prefix = PREFIXES[role]
    ids = pd.Index([f"{prefix}-{i + 1:04d}" for i in range(len(geometry))], name="item_id")
    frame = gpd.GeoDataFrame(rows, index=ids, geometry=geometry, crs=CRS)
    if geometry[0] is None:
        frame = pd.DataFrame(frame.drop(columns="geometry"))
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
    contact = {"person": CANARY_PERSON, "phone": CANARY_PHONE}
    return {
        "flood_point": _layer("flood_point", {
            "name": names, "class": [kinds[i % 3] for i in range(n)],
            "depth_m": np.round(rng.uniform(0.05, 0.9, n), 2), "people": pd.array([pd.NA] * n, dtype="Int64"),
            "risk_level": [None if i % 5 else str(1 + i % 4) for i in range(n)],
            "remark": [f"联系{CANARY_PHONE}或{CANARY_LANDLINE}" if i % 2 else None for i in range(n)],
            "measure": [None if i % 4 else f"值守电话 {CANARY_LANDLINE}，{CANARY_PERSON}带队" for i in range(n)],
            **contact,
        }, spots(n)),
        "hazard_source": _layer("hazard_source", {
            "name": ["液氨站<b>1</b>", "加油站 二", "仓库\n三"], "gb18218_level": ["1", "3", "0"],
            "r_value": [123.4567, None, None], "substances": [CANARY_SUBSTANCE] * 3,
            "quantity_t": [CANARY_QUANTITY] * 3, "has_storage": [True, True, True], **contact,
        }, spots(3)),
        "refuge": _layer("refuge", {
            "name": [f"第{i}中学" for i in range(4)], "tier": ["county", "town", "village", "village"],
            "capacity": pd.array([500, 200, 60, pd.NA], dtype="Int64"), **contact,
        }, spots(4)),
        "rescue_station": _layer("rescue_station", {"name": ["东街站", "西街站"], **contact}, spots(2)),
        "supply_depot": _layer("supply_depot", {"name": ["区级库"], "tier": ["county"], **contact}, spots(1)),
        "stock": _layer("stock", {"name": ["编织袋"], "quantity": [CANARY_QUANTITY], **contact}, [None]),
        "road": _layer("road", {
            "name": [f"{i}号路" for i in range(6)], "class": ["primary"] * 3 + ["residential"] * 3,
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
    ("CAPACITY", "RISK", "group", "减灾能力", "Capacity", 1, 0.15, "", "", "", ""),
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
    roles, presets = load_roles(), load_presets()
    if profile == "public":
        layers = veil_layers(layers, roles, place=units.geometry.union_all())
    near = pd.DataFrame(
        {"refuge_name": ["第0中学"], "refuge_m": [420.0], "method": ["by road"]}, index=["YL-0002"]
    )
    facts = {"data_date": "2026-04-15", "place_code": "370102"}
    items = list_items(layers, roles, units, index["unit"], presets=presets, near=near, **facts)
    items = items.table
    control = build_control(items, layers, roles, presets=presets, data_date="2026-04-15")
    indicators = Indicators(
        meta=meta, cells=cells, units=values,
        notes=(text("the layer {layer} is missing, so {code} was left out", layer="dem", code="V_DEM"),),
    )  # fmt: skip
    depth = rng.uniform(0, 0.6, inside.shape).astype("float32")
    return Result(
        facts=Facts(
            name="示范镇2026年汛前风险一张图", place_code="370102", place_name="历下区<示范>", crs=CRS,
            data_date="2026-04-15", lang=lang, profile=profile, grid_size_m=size_m, seed=seed,
            version="0.1.0", demo=True, issued_by="示范应急管理局",
        ),
        roles=roles, layers=layers, problems=sample_problems(),
        notes=(text("screening estimate, not a survey"),), units=units, grid=grid,
        population=population, indicators=indicators,
        index=index,
        items=items, control=control, control_choices=CHOICES,
        scenarios={"大暴雨": Scenario(name="大暴雨", depth_m=depth, rain_mm=150.0, hours=24.0)},
        presets=presets.used(), params=params,
        inputs=(InputFile(f"{CANARY_PATH}/flood_point.xlsx", "0" * 64, 1234),),
    )  # fmt: skip

"""The same papers made the obvious way, as the tutorials of the libraries show it.

geopandas (``read_file``, ``sjoin``, ``sjoin_nearest``, ``overlay``, ``to_file``), rasterstats
(``zonal_stats``), networkx (``multi_source_dijkstra_path_length``), mapclassify, pandas
(``to_excel``) and folium (``GeoJson``). Bulk operations of these libraries are used wherever they
have one; no step is slow on purpose. It makes less than riskmap does: no checks of the input, no
stable ids, no styles, no search, no explanation of scores.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import mapclassify
import networkx as nx
import numpy as np
import pandas as pd
import rasterio
import shapely
from case import CRS, JINAN
from rasterstats import zonal_stats
from scipy import ndimage

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = {1: "#3f8fe8", 2: "#fff06a", 3: "#f2820c", 4: "#a30f1a"}
SPEED_KMH = {
    "motorway": 60,
    "trunk": 50,
    "primary": 40,
    "secondary": 35,
    "tertiary": 30,
    "residential": 20,
}
WEIGHTS = {"HAZARD": 0.35, "EXPOSURE": 0.25, "VULNERABILITY": 0.2, "CAPACITY": 0.2}
PARTS = {
    "HAZARD": {"flood_density": 0.4, "water_m": -0.2, "low_500": 0.2, "source": 0.2},
    "EXPOSURE": {"people_km2": 1.0},
    "VULNERABILITY": {"low_2000": 0.4, "elderly": 0.6},
    "CAPACITY": {"refuge_min": 0.4, "station_min": 0.3, "places_100": -0.3},
}


def from_gcj02(lon: pd.Series, lat: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Turn GCJ-02 into WGS-84 by fixed-point iteration."""

    def offset(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, pi = lon - 105.0, lat - 35.0, np.pi
        wave = (20 * np.sin(6 * x * pi) + 20 * np.sin(2 * x * pi)) * 2 / 3
        dy = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
        dy += (20 * np.sin(y * pi) + 40 * np.sin(y / 3 * pi)) * 2 / 3
        dy += (160 * np.sin(y / 12 * pi) + 320 * np.sin(y * pi / 30)) * 2 / 3
        dx = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
        dx += (20 * np.sin(x * pi) + 40 * np.sin(x / 3 * pi)) * 2 / 3
        dx += (150 * np.sin(x / 12 * pi) + 300 * np.sin(x / 30 * pi)) * 2 / 3
        rad = lat / 180 * pi
        magic = 1 - 0.00669342162296594323 * np.sin(rad) ** 2
        dy = dy * 180 / (6378245.0 * (1 - 0.00669342162296594323) / (magic * np.sqrt(magic)) * pi)
        dx = dx * 180 / (6378245.0 / np.sqrt(magic) * np.cos(rad) * pi)
        return dx, dy

    a, b = lon.to_numpy(float), lat.to_numpy(float)
    x, y = a.copy(), b.copy()
    for _ in range(5):
        dx, dy = offset(x, y)
        x, y = a - dx, b - dy
    return x, y


def to_points(table: pd.DataFrame, lon: object, lat: object) -> gpd.GeoDataFrame:
    """Make points in the metric CRS."""
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs=4326).to_crs(CRS)


def read_layers() -> dict[str, gpd.GeoDataFrame]:
    """Read every layer; rows with bad coordinates or numbers are dropped."""
    flood = pd.read_excel(JINAN / "积水点台账.xlsx", header=2)
    flood["depth"] = pd.to_numeric(flood["最大积水深度(cm)"], errors="coerce")
    flood[["经度", "纬度"]] = flood[["经度", "纬度"]].apply(pd.to_numeric, errors="coerce")
    flood = flood[
        flood["经度"].between(116, 118) & (flood["depth"] >= 0) & flood["点位名称"].notna()
    ]
    flood = flood.drop_duplicates("点位编号").copy()
    flood["level"] = np.digitize(flood["depth"], [15, 27, 50]) + 1
    source = pd.read_csv(JINAN / "危险源台账.csv", encoding="gbk", dtype=str)
    for name in ("经度", "纬度"):
        dms = source[name].str.extract(r"(\d+)\D+(\d+)\D+([\d.]+)").astype(float)
        source[name] = (dms[0] + dms[1] / 60 + dms[2] / 3600).where(dms[1] < 60)
    source = source.dropna(subset=["经度", "纬度"]).drop_duplicates("企业编号")
    source["level"] = source["重大危险源级别"].map({"一级": 4, "二级": 3, "三级": 2}).fillna(1)
    refuge = pd.read_excel(JINAN / "避灾安置场所台账.xlsx", header=2)
    refuge["capacity"] = pd.to_numeric(refuge["核定容量(人)"], errors="coerce")
    refuge[["经度", "纬度"]] = refuge[["经度", "纬度"]].apply(pd.to_numeric, errors="coerce")
    refuge = refuge[(refuge["经度"] > 0) & (refuge["capacity"] >= 0)]
    units = gpd.read_file(JINAN / "units.geojson").to_crs(CRS)
    layers = {
        "roads": gpd.read_file(JINAN / "roads.gpkg").to_crs(CRS),
        "water": gpd.read_file(JINAN / "waterways.geojson").to_crs(CRS),
        "communities": units[units["level"] == "village"],
        "flood": to_points(flood, *from_gcj02(flood["经度"], flood["纬度"])),
        "source": to_points(source, source["经度"], source["纬度"]),
        "refuge": to_points(refuge, refuge["经度"], refuge["纬度"]),
        "station": gpd.read_file(JINAN / "应急救援站.shp", encoding="gbk").to_crs(CRS).iloc[:14],
        "reservoir": gpd.read_file(JINAN / "水库.geojson").to_crs(CRS),
        "danger": gpd.read_file(JINAN / "危险区.geojson").to_crs(CRS),
    }
    slope = pd.read_csv(JINAN / "地质灾害隐患点.csv", encoding="gbk")
    layers["slope"] = to_points(slope, slope["经度"], slope["纬度"])
    for name, file in (("team", "救援队伍.xlsx"), ("depot", "物资仓库.xlsx")):
        table = pd.read_excel(JINAN / file, header=2)
        layers[name] = to_points(table, table["经度"], table["纬度"])
    return layers


def make_cells(bounds: np.ndarray, size: float) -> gpd.GeoDataFrame:
    """Cover the bounds with squares."""
    xs = np.arange(np.floor(bounds[0] / size) * size, bounds[2], size)
    ys = np.arange(np.floor(bounds[1] / size) * size, bounds[3], size)
    boxes = [shapely.box(x, y, x + size, y + size) for x, y in itertools.product(xs, ys)]
    return gpd.GeoDataFrame({"cell": range(len(boxes))}, geometry=boxes, crs=CRS)


def near(centres: gpd.GeoDataFrame, points: gpd.GeoDataFrame, reach: object) -> gpd.GeoDataFrame:
    """Pair cell centres with the points whose buffer they lie in, with the distance."""
    buffers = points.assign(at=points.geometry, geometry=points.buffer(reach))
    pairs = gpd.sjoin(centres, buffers, predicate="within", how="inner")
    pairs["metres"] = pairs.geometry.distance(gpd.GeoSeries(pairs["at"], crs=CRS))
    return pairs


def hazards(
    cells: gpd.GeoDataFrame, centres: gpd.GeoDataFrame, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    """Flood-point density, distance to water, low ground, influence of hazard sources."""
    pairs = near(centres, layers["flood"], 1000)
    kernel = pairs["level"] * 3 / np.pi * (1 - (pairs["metres"] / 1000) ** 2) ** 2
    cells["flood_density"] = kernel.groupby(pairs["cell"]).sum().reindex(cells["cell"]).fillna(0)
    nearest = gpd.sjoin_nearest(centres, layers["water"][["geometry"]], distance_col="metres")
    cells["water_m"] = (
        nearest.groupby("cell")["metres"].min().reindex(cells["cell"]).clip(upper=2000)
    )
    with rasterio.open(JINAN / "dem.tif") as dem:
        height, transform, cell = dem.read(1), dem.transform, dem.res[0]
    for radius, cap in ((500, 5), (2000, 20)):
        around = ndimage.uniform_filter(height, size=round(2 * radius / cell) + 1)
        stats = zonal_stats(cells, around - height, affine=transform, stats=["mean"], nodata=-9999)
        low = pd.Series([s["mean"] for s in stats], index=cells.index, dtype=float)
        cells[f"low_{radius}"] = low.clip(-cap, cap).fillna(0)
    stored = layers["source"][layers["source"]["是否带有储存设施"] == "是"]
    reach = stored["level"].map({1: 500, 2: 800, 3: 1200, 4: 1600})
    pairs = near(centres, stored.assign(reach=reach), reach)
    left = 1 - pairs["level"] / 4 * (1 - pairs["metres"] / pairs["reach"])
    cells["source"] = 1 - left.groupby(pairs["cell"]).prod().reindex(cells["cell"]).fillna(1)


def exposures(cells: gpd.GeoDataFrame, layers: dict[str, gpd.GeoDataFrame]) -> None:
    """People by area-weighted overlay with the communities, the elderly, scenario depth."""
    communities = layers["communities"].assign(whole=layers["communities"].area)
    pieces = gpd.overlay(cells[["cell", "geometry"]], communities, how="intersection")
    pieces["people"] = pieces["population"] * pieces.area / pieces["whole"]
    pieces["old"] = pieces["people"] * pieces["elderly_share"]
    total = pieces.groupby("cell")[["people", "old"]].sum().reindex(cells["cell"]).fillna(0)
    cells["people"] = total["people"]
    cells["people_km2"] = total["people"] / (cells.area / 1e6)
    cells["elderly"] = (total["old"] / total["people"].where(total["people"] > 0)).fillna(0)
    with rasterio.open(JINAN / "情景_大暴雨水深.tif") as depth:
        stats = zonal_stats(
            cells, depth.read(1), affine=depth.transform, stats=["mean"], nodata=-9999
        )
    cells["depth"] = pd.Series([s["mean"] for s in stats], index=cells.index, dtype=float)


def road_graph(roads: gpd.GeoDataFrame) -> nx.DiGraph:
    """Build the graph from the ends of the edges, as networkx tutorials do."""
    graph = nx.DiGraph()
    for line, kind, metres in zip(roads.geometry, roads["highway"], roads["length_m"], strict=True):
        start, end = line.coords[0], line.coords[-1]
        a = (round(start[0], 1), round(start[1], 1))
        b = (round(end[0], 1), round(end[1], 1))
        speed = SPEED_KMH.get(str(kind).removesuffix("_link"), 15)
        graph.add_edge(b, a, seconds=metres / speed * 3.6)  # turned round: from facilities outwards
    return graph


def capacities(
    cells: gpd.GeoDataFrame, centres: gpd.GeoDataFrame, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    """Minutes by road to refuges and stations; refuge places per 100 people within 1 km."""
    graph = road_graph(layers["roads"])
    nodes = gpd.GeoDataFrame(
        {"node": list(graph.nodes)},
        geometry=gpd.points_from_xy(*zip(*graph.nodes, strict=True)),
        crs=CRS,
    )
    at = gpd.sjoin_nearest(centres, nodes, distance_col="metres").drop_duplicates("cell")
    walk = at.set_index("cell")["metres"] / 15 * 3.6
    for name, cap in (("refuge", 60), ("station", 30)):
        snapped = gpd.sjoin_nearest(layers[name][["geometry"]], nodes)
        seconds = nx.multi_source_dijkstra_path_length(
            graph, set(snapped["node"]), weight="seconds"
        )
        reached = at.set_index("cell")["node"].map(seconds) + walk
        cells[f"{name}_min"] = (reached / 60).clip(upper=cap).reindex(cells["cell"]).fillna(cap)
    people = centres.assign(people=cells["people"])
    demand = near(people, layers["refuge"], 1000).groupby("index_right")["people"].sum()
    refuge = layers["refuge"].assign(
        ratio=layers["refuge"]["capacity"]
        / demand.reindex(layers["refuge"].index).where(lambda d: d > 0)
    )
    places = near(centres, refuge, 1000).groupby("cell")["ratio"].sum()
    cells["places_100"] = (places * 100).clip(upper=100).reindex(cells["cell"]).fillna(0)


def risk(table: pd.DataFrame) -> pd.DataFrame:
    """Min-max, weights, geometric mean of the components, natural breaks into four classes."""
    scores = pd.DataFrame(index=table.index)
    for component, parts in PARTS.items():
        total = pd.Series(0.0, index=table.index)
        for name, weight in parts.items():
            span = table[name].max() - table[name].min()
            scaled = (table[name] - table[name].min()) / (span or 1)
            total += abs(weight) * (scaled if weight > 0 else 1 - scaled)
        total /= sum(abs(w) for w in parts.values())
        scores[component] = total if component == "HAZARD" else 0.01 + 0.99 * total
    scores["RISK"] = np.exp(
        sum(w * np.log(scores[c].clip(lower=1e-12)) for c, w in WEIGHTS.items())
    )
    known = scores["RISK"].to_numpy()
    sample = (
        known
        if len(known) <= 20_000
        else np.random.default_rng(0).choice(known, 20_000, replace=False)
    )
    breaks = mapclassify.NaturalBreaks(sample, k=4).bins[:-1]
    scores["class"] = np.digitize(known, breaks, right=True) + 1
    return scores


def over_units(
    cells: gpd.GeoDataFrame, centres: gpd.GeoDataFrame, units: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Average the indicators over the units, and classify the units."""
    names = [name for parts in PARTS.values() for name in parts]
    joined = gpd.sjoin(
        centres[["cell", "geometry"]], units[["code", "geometry"]], predicate="within"
    )
    values = cells.loc[joined.index, names].assign(code=joined["code"]).groupby("code").mean()
    values = units[["code", "name", "geometry"]].merge(values, left_on="code", right_index=True)
    return values.join(risk(values))


def write_papers(
    folder: Path,
    cells: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    layers: dict[str, gpd.GeoDataFrame],
) -> None:
    """Write GeoPackage, list, table and page."""
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "risk.gpkg"
    package.unlink(missing_ok=True)
    for name, layer in {"cells": cells, "units": units, **layers}.items():
        layer.to_file(package, layer=name, driver="GPKG")
    items = pd.concat(
        [
            layers[n].to_crs(4326).assign(role=n)
            for n in ("flood", "source", "slope", "reservoir", "danger")
        ],
        ignore_index=True,
    )
    spots = gpd.GeoDataFrame(geometry=items.to_crs(CRS).representative_point())
    at = gpd.sjoin_nearest(spots, cells[["RISK", "class", "geometry"]]).groupby(level=0).first()
    items = items.assign(risk=at["RISK"], risk_class=at["class"]).sort_values(
        "risk", ascending=False
    )
    items.drop(columns="geometry").to_excel(folder / "list.xlsx", index=False)
    table = items[["role", "risk", "risk_class"]].assign(measure="", deadline="", state="")
    table.to_excel(folder / "table.xlsx", index=False)
    page = folium.Map(location=[36.67, 117.0], zoom_start=11, tiles=None, prefer_canvas=True)

    def style(feature: dict) -> dict:
        return {
            "fillColor": COLOURS[feature["properties"]["class"]],
            "weight": 0,
            "fillOpacity": 0.6,
        }

    shown = cells[["cell", "RISK", "class", *WEIGHTS, "geometry"]].to_crs(4326)
    tip = folium.GeoJsonTooltip(fields=["cell", "RISK", "class", *WEIGHTS])
    folium.GeoJson(shown, name="grid", style_function=style, tooltip=tip).add_to(page)
    folium.GeoJson(
        units[["code", "name", "RISK", "class", "geometry"]].to_crs(4326),
        name="units",
        style_function=style,
        tooltip=folium.GeoJsonTooltip(fields=["name", "RISK", "class"]),
    ).add_to(page)
    folium.GeoJson(layers["roads"][["highway", "geometry"]].to_crs(4326), name="roads").add_to(page)
    folium.GeoJson(layers["water"].to_crs(4326), name="water").add_to(page)
    for name in ("flood", "source", "refuge", "station", "slope", "team", "depot", "reservoir"):
        group = folium.FeatureGroup(name=name)
        for point in layers[name].to_crs(4326).geometry:
            folium.CircleMarker([point.y, point.x], radius=4, popup=name).add_to(group)
        group.add_to(page)
    folium.LayerControl().add_to(page)
    page.save(folder / "map.html")


def run(units_file: Path, size_m: float, folder: Path) -> int:
    """Make all papers; return the number of cells."""
    layers = read_layers()
    squares = gpd.read_file(units_file)
    squares = squares[squares["level"] == "village"].to_crs(CRS)
    cells = make_cells(layers["roads"].total_bounds, size_m)
    centres = gpd.GeoDataFrame({"cell": cells["cell"]}, geometry=cells.centroid, crs=CRS)
    hazards(cells, centres, layers)
    exposures(cells, layers)
    capacities(cells, centres, layers)
    cells = cells.join(risk(cells))
    write_papers(folder, cells, over_units(cells, centres, squares), layers)
    return len(cells)

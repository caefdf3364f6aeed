"""The demo data keep what their README promises."""

import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely

ROOT = Path(__file__).resolve().parents[2]
JINAN = ROOT / "layers" / "jinan"
METRIC = 4548


@pytest.fixture(scope="module")
def units():
    return gpd.read_file(JINAN / "units.geojson")


@pytest.fixture(scope="module")
def remade(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remade")
    command = [sys.executable, str(JINAN / "make_demo.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def ledger(name):
    table = pd.read_excel(JINAN / name, header=2, dtype=str, engine="openpyxl")
    return table, table["备注"].str.contains("故意错误")


def test_communities_tile_the_study_area_without_gap_or_overlap(units):
    shapes = units[units["level"] == "village"].geometry.to_numpy()
    assert len(shapes) == 300
    assert shapely.coverage_is_valid(shapes)
    assert (shapely.get_type_id(shapes) == 3).all()
    whole = shapely.union_all(shapes)
    assert shapely.get_num_geometries(whole) == 1
    assert shapely.get_num_interior_rings(shapely.get_parts(whole)).sum() == 0
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-12)


@pytest.mark.parametrize(("upper", "lower"), [("district", "town"), ("town", "village")])
def test_each_level_is_the_union_of_the_next(units, upper, lower):
    tops = units[units["level"] == upper].set_index("code")
    parts = units[units["level"] == lower]
    assert set(parts["parent"]) == set(tops.index)
    joined = parts.dissolve("parent", aggfunc={"population": "sum"})
    assert joined["population"].tolist() == tops["population"].loc[joined.index].tolist()
    gap = shapely.symmetric_difference(
        joined.geometry.to_numpy(), tops.geometry.loc[joined.index].to_numpy()
    )
    assert shapely.area(gap).max() < 1e-15


def test_codes_and_names(units):
    counts = units["level"].value_counts()
    assert counts.to_dict() == {"village": 300, "town": 40, "district": 5}
    lengths = units.groupby("level")["code"].agg(lambda codes: set(codes.str.len()))
    assert lengths.to_dict() == {"district": {6}, "town": {9}, "village": {12}}
    assert units["code"].is_unique
    invented = units[units["level"] != "district"]
    assert invented["name"].is_unique
    assert invented["name"].str.startswith("示范").all()
    assert invented["code"].str[6].eq("9").all()  # no real town is numbered from 901
    assert units["demo"].eq("示范数据").all()


def test_districts_lie_where_the_real_ones_lie(units):
    real = gpd.read_file(JINAN / "source" / "districts_tianditu.geojson").to_crs(METRIC)
    real = real.set_index(real["district_adcode"].astype(str))
    made = units[units["level"] == "district"].to_crs(METRIC).set_index("code")
    shared = made.geometry.intersection(real.geometry.loc[made.index].make_valid()).area
    assert (shared / made.area).min() > 0.985
    assert (made["name"] == real["district_name"].loc[made.index]).all()


def test_flood_ledger_has_title_note_header_and_98_good_rows():
    sheet = openpyxl.load_workbook(JINAN / "积水点台账.xlsx")["积水点"]
    assert "示范数据" in sheet["A1"].value
    assert any(str(area).startswith("A1:") for area in sheet.merged_cells.ranges)
    assert "GCJ-02" in sheet["A2"].value
    table, wrong = ledger("积水点台账.xlsx")
    good = table[~wrong]
    assert len(good) == 98
    assert wrong.sum() == 8
    assert good["点位编号"].is_unique
    assert set(good["类别"]) == {"重要区域", "重点部位", "积水点"}
    assert "最大积水深度(cm)" in table.columns


def test_hazard_csv_is_gbk_with_29_stores():
    raw = (JINAN / "危险源台账.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    table = pd.read_csv(JINAN / "危险源台账.csv", encoding="gbk", dtype=str)
    good = table[~table["备注"].str.contains("故意错误")]
    assert good["是否带有储存设施"].value_counts().to_dict() == {"否": 273, "是": 29}
    assert good["经度"].str.contains(r"[°度 ]").all()


def test_station_shapefile_says_nothing_about_its_encoding():
    assert not (JINAN / "应急救援站.cpg").exists()
    raw = (JINAN / "应急救援站.dbf").read_bytes()
    assert raw[29] == 0
    assert "站点名称".encode("gbk") in raw
    with pytest.raises(UnicodeDecodeError):
        raw[32:].decode("utf-8")
    table = gpd.read_file(JINAN / "应急救援站.shp", encoding="gbk")
    assert table.crs.to_epsg() == 4490
    assert (~table["备注"].str.contains("故意错误")).sum() == 14


def test_refuges_keep_the_least_sizes_of_their_tiers():
    table, wrong = ledger("避灾安置场所台账.xlsx")
    good = table[~wrong]
    assert len(good) == 240
    least = good["核定容量(人)"].astype(int).groupby(good["级别"]).min()
    assert least["县级"] >= 200
    assert least["乡镇级"] >= 100
    assert least["村级"] >= 50


def test_teams_and_stock():
    teams, _ = ledger("救援队伍.xlsx")
    assert len(teams) == 9
    assert teams["队伍名称"].str.contains("新增").sum() == 1
    stock = pd.read_csv(JINAN / "物资台账.csv", encoding="utf-8-sig", dtype={"物资编码": str})
    assert stock["物资编码"].nunique() == 42
    assert stock["物资编码"].str.fullmatch(r"[123](\d{2}){3}").all()
    assert stock["数量"].sum() >= 11_500
    depots, _ = ledger("物资仓库.xlsx")
    assert set(stock["仓库编号"]) <= set(depots["仓库编号"])


def test_points_lie_in_the_study_area(units):
    place = shapely.union_all(units[units["level"] == "village"].geometry.to_numpy())
    for name in ("避灾安置场所台账.xlsx", "救援队伍.xlsx", "物资仓库.xlsx"):
        table, wrong = ledger(name)
        good = table[~wrong]
        points = shapely.points(good["经度"].astype(float), good["纬度"].astype(float))
        assert shapely.within(points, place).all(), name


def test_no_real_person_or_telephone():
    texts = []
    for path in JINAN.glob("*.xlsx"):
        texts += [
            str(cell)
            for sheet in openpyxl.load_workbook(path)
            for row in sheet.iter_rows(values_only=True)
            for cell in row
        ]
    for path in JINAN.glob("*.csv"):
        raw = path.read_bytes()
        texts += re.split(
            r"[,\r\n]", raw.decode("utf-8-sig" if raw[:3] == b"\xef\xbb\xbf" else "gbk")
        )
    phones = [text for text in texts if re.fullmatch(r"\d{11}", text)]
    assert len(phones) > 600
    assert all(phone.startswith("000") for phone in phones)
    assert not [text for text in texts if re.fullmatch(r"1[3-9]\d{9}", text)]


def test_ground_falls_to_the_north_and_water_is_in_metres():
    with rasterio.open(JINAN / "dem.tif") as dem:
        height = dem.read(1)
        assert dem.crs.to_epsg() == METRIC
    assert height[-100:].mean() > height[:300].mean() + 100
    with rasterio.open(JINAN / "情景_大暴雨水深.tif") as raster:
        depth = raster.read(1, masked=True)
        assert raster.units == ("m",)
    assert 0.5 < depth.max() < 3
    assert depth.min() == 0


def test_closures_are_edges_of_the_road_layer():
    shut = gpd.read_file(JINAN / "情景_大暴雨封闭道路.geojson")
    roads = gpd.read_file(JINAN / "roads.gpkg", columns=["eid"]).set_index("eid")
    assert len(roads) == 28_597
    edges = roads.to_crs(METRIC).geometry.loc[shut["eid"]].to_numpy()
    near = shapely.distance(edges, shut.to_crs(METRIC).geometry.to_numpy())
    assert 100 < len(shut) < 1000
    assert near.max() < 1


def test_danger_areas_each_lie_in_one_community(units):
    villages = units[units["level"] == "village"].set_index("name")
    for name in ("情景_大暴雨危险区.geojson",):
        areas = gpd.read_file(JINAN / name)
        own = villages.geometry.loc[areas["所属社区"]].to_numpy()
        inside = shapely.area(shapely.intersection(areas.geometry.to_numpy(), own))
        assert np.allclose(inside, shapely.area(areas.geometry.to_numpy()), rtol=5e-3)


def test_the_generator_gives_the_committed_files_again(remade):
    names = sorted(path.name for path in remade.iterdir())
    committed = {path.name for path in JINAN.iterdir() if path.is_file()}
    kept = {"roads.gpkg", "README.md", "LICENSE-ODbL.md", "make_demo.py"}
    assert set(names) == committed - kept
    # text and workbooks by their bytes; rasters by value, since compression differs between builds
    for name in names:
        if name.endswith(".tif"):
            with rasterio.open(remade / name) as new, rasterio.open(JINAN / name) as old:
                assert new.transform == old.transform
                np.testing.assert_allclose(new.read(1), old.read(1), atol=0.1)
        else:
            assert (remade / name).read_bytes() == (JINAN / name).read_bytes(), name


def test_no_file_is_large():
    files = [path for path in (ROOT / "layers").rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) < 8_000_000


def test_readme_counts_are_those_of_the_files():
    readme = (JINAN / "README.md").read_text(encoding="utf-8")
    shut = len(gpd.read_file(JINAN / "情景_大暴雨封闭道路.geojson"))
    areas = len(gpd.read_file(JINAN / "情景_大暴雨危险区.geojson"))
    assert f"raster, {shut}, {areas} |" in readme

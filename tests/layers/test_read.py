import io
import json
import re
import zipfile
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmap.layers.layer import FieldMap, LayerSpec
from riskmap.layers.read import layer as reading
from riskmap.layers.read import table
from riskmap.layers.read.layer import read_layer
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()
DATA = Path(__file__).parents[1] / "data"
PLACE = gpd.GeoSeries([shapely.box(118.0, 36.5, 119.0, 37.0)], crs=4326)
CRS = "EPSG:4548"
HEADER = ["编号", "积水点名称", "经度", "纬度", "积水深度（厘米）"]
ROWS = [
    ["L1", "甲路", 118.301, 36.8201, 50],
    ["L2", "乙路", 118.3021, 36.8212, 20],
    ["L3", "丙路", 118.3032, 36.8223, None],
]


def read(path, role="flood_point", *, place=PLACE, known=None, **words):
    spec = LayerSpec(path=Path(path), shown=Path(path).name, **words)
    layer, problems = read_layer(ROLES[role], [spec], crs=CRS, place=place, known=known)
    for source in layer.sources:
        assert source.rows_in == source.rows_used + source.rows_returned
    if layer.table is not None:
        assert len(layer.table) == layer.rows_used
        assert layer.table.index.is_unique
    for problem in problems:
        assert str(problem.message)
        assert str(problem.mend)
    return layer, problems


def write_book(path, sheets):
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for index, row in enumerate(rows):
                sheet.write_row(index, 0, row)
    return path


def write_text(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def lines(rows, mark=","):
    return "\n".join(mark.join("" if v is None else str(v) for v in row) for row in rows)


def rules(problems, severity="returned"):
    return [p.rule for p in problems if p.severity == severity]


def test_office_workbook_with_title_notes_and_totals(tmp_path):
    sheet = [
        ["某区易涝积水点台账"],
        ["填报单位：某街道", "", "", "", ""],
        HEADER,
        *ROWS[:2],
        ["", "", "", "", ""],
        ROWS[2],
        ["合计", "", "", "", 70],
        ["注：深度为历史最大值"],
    ]
    path = write_book(tmp_path / "台账.xlsx", {"说明": [["怎样填写"]], "积水点": sheet})
    layer, problems = read(path)
    assert layer.rows_in == layer.rows_used == 3
    assert layer.table["depth_m"].tolist()[:2] == [0.5, 0.2]
    assert np.isnan(layer.table["depth_m"].iloc[2])
    assert layer.table["_row"].tolist() == [4, 5, 7]
    assert set(rules(problems, "note")) >= {"row_total", "row_note", "sheets_left"}
    assert layer.table.crs == CRS


def test_signatures_below_a_table_are_no_record(tmp_path):
    sheet = [
        HEADER,
        *ROWS[:2],
        ["填表人：责任人A", "", "审核人：", "责任人B", ""],
        ["", "联系电话：", "0533-1234567", "", "日期：2026年3月"],
        ["审核人桥", *ROWS[2][1:]],
    ]
    layer, problems = read(write_book(tmp_path / "台账.xlsx", {"积水点": sheet}))
    assert layer.rows_in == layer.rows_used == 3
    assert "row_note" in rules(problems, "note")


def test_header_of_two_rows(tmp_path):
    sheet = [
        ["序号", "积水点名称", "坐标", "", "责任人", ""],
        ["", "", "经度", "纬度", "姓名", "电话"],
        [1, "甲路", 118.301, 36.8201, "责任人A", "0533-1234567"],
    ]
    layer, _ = read(write_book(tmp_path / "a.xlsx", {"表": sheet}))
    row = layer.table.iloc[0]
    assert (row["name"], row["person"], row["phone"]) == ("甲路", "责任人A", "0533-1234567")


def test_every_sheet_of_a_ledger_is_read(tmp_path):
    path = write_book(
        tmp_path / "a.xlsx", {"甲街道": [HEADER, ROWS[0]], "乙街道": [HEADER, ROWS[1]]}
    )
    layer, _ = read(path)
    assert [source.sheet for source in layer.sources] == ["甲街道", "乙街道"]
    assert layer.rows_used == 2
    only, _ = read(path, sheet="乙街道")
    assert only.table["name"].tolist() == ["乙路"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le"]
)
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_in_any_encoding_and_delimiter(tmp_path, encoding, mark):
    path = write_text(tmp_path / "a.csv", lines([HEADER, *ROWS], mark), encoding)
    layer, problems = read(path)
    assert layer.table["name"].tolist() == ["甲路", "乙路", "丙路"]
    assert rules(problems) == []


def test_gbk_shapefile_without_cpg(tmp_path):
    layer, problems = read(DATA / "roads_xian_gbk" / "link.shp", "road", place=None)
    assert layer.rows_used == 40
    assert layer.sources[0].encoding == "gb18030"
    assert "encoding_found" in rules(problems, "note")
    names = layer.table["road_name"] if "road_name" in layer.table else layer.table["name"]
    assert names.str.contains("[路街道线]").mean() > 0.9


@pytest.mark.parametrize(
    ("encoding", "page", "found"),
    [
        ("utf-8", None, "utf-8"),
        ("utf-8", "UTF-8", "utf-8"),
        ("gbk", "936", "gb18030"),
        ("gbk", "UTF-8", "gb18030"),
    ],
)
def test_shapefile_encodings(tmp_path, encoding, page, found):
    frame = gpd.GeoDataFrame(
        {"name": ["文化路", "人民路"]},
        geometry=shapely.points([[118.3, 36.8], [118.4, 36.8]]),
        crs=4326,
    )
    path = tmp_path / "a.shp"
    frame.to_file(path, encoding=encoding)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    table[29] = 0
    path.with_suffix(".dbf").write_bytes(table)
    if page:
        path.with_suffix(".cpg").write_text(page)
    layer, _ = read(path)
    assert sorted(layer.table["name"]) == ["人民路", "文化路"]
    assert layer.sources[0].encoding == found


@pytest.mark.parametrize(
    ("east", "north", "crs", "lon", "lat"),
    [
        (616693.387, 4078110.599, "EPSG:4548", 118.308, 36.827),
        (359602.909, 3460738.237, "EPSG:4550", 121.526, 31.26),
        (622336.772, 3242070.030, "EPSG:4544", 106.259, 29.29),
        (388786.188, 3206480.659, "EPSG:4549", 118.859, 28.97),
        (404946.296, 3119322.898, "EPSG:4547", 113.032, 28.185),
        (39616693.387, 4078110.599, "EPSG:4548", 118.308, 36.827),
        (39616693.387, 4078110.599, "EPSG:4527", 118.308, 36.827),
    ],
)
@pytest.mark.parametrize("chinese_axes", [True, False])
def test_projected_columns(tmp_path, east, north, crs, lon, lat, chinese_axes):
    """The five published pairs; Chinese sheets call the northing X."""
    pair = (north, east) if chinese_axes else (east, north)
    path = write_text(tmp_path / "a.csv", lines([["名称", "X", "Y"], ["甲", *pair]]))
    layer, _ = read(path, crs=crs, place=None)
    point = layer.table.to_crs(4326).geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx((lon, lat), abs=2e-8)


def test_wrong_zone_and_missing_crs(tmp_path):
    path = write_text(
        tmp_path / "a.csv", lines([["名称", "X", "Y"], ["甲", 4078110.6, 39616693.4]])
    )
    _, problems = read(path, crs="EPSG:4547", place=None)
    assert "zone_prefix" in rules(problems)
    _, problems = read(path, place=None)
    (problem,) = (p for p in problems if p.severity == "unusable")
    assert problem.rule == "projected_without_crs"
    assert "4527" in str(problem.mend)


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_declared_datum_moves_the_points(tmp_path, datum):
    path = write_text(tmp_path / "a.csv", lines([HEADER, ROWS[0]]))
    here, _ = read(path)
    there, _ = read(path, datum=datum)
    metres = here.table.geometry.iloc[0].distance(there.table.geometry.iloc[0])
    assert (300 < metres < 700) if datum == "gcj02" else (800 < metres < 1500)
    assert there.table["coord_source"].iloc[0] == datum
    assert "iterative" in there.table["coord_method"].iloc[0]


@pytest.mark.parametrize(
    ("headers", "datum"),
    [
        (("经度（GCJ-02）", "纬度（GCJ-02）"), "gcj02"),
        (("lon_bd09", "lat_bd09"), "bd09"),
        (("百度经度", "百度纬度"), "bd09"),
        (("高德经度", "高德纬度"), "gcj02"),
        (("经度(WGS84)", "纬度(WGS84)"), "wgs84"),
        (("国家2000经度", "国家2000纬度"), "cgcs2000"),
    ],
)
def test_a_header_may_name_the_datum(tmp_path, headers, datum):
    named = write_text(tmp_path / "a.csv", lines([[*HEADER[:2], *headers, *HEADER[4:]], ROWS[0]]))
    plain = write_text(tmp_path / "b.csv", lines([HEADER, ROWS[0]]))
    one, problems = read(named)
    two, _ = read(plain, datum=datum)
    assert one.table.geometry.iloc[0].equals(two.table.geometry.iloc[0])
    assert "datum_from_header" in rules(problems, "note")


def test_headers_that_name_a_datum_are_enough_to_find_the_header(tmp_path):
    path = write_text(
        tmp_path / "a.csv", lines([["sid", "lon_gcj02", "lat_gcj02"], ["a", 118.3, 36.8]])
    )
    layer, _ = read(path, role="refuge")
    assert layer.table["coord_source"].tolist() == ["gcj02"]


def test_columns_of_one_datum_stay_together(tmp_path):
    header = ["编号", "名称", "lon_gcj02", "lat_wgs84", "lat_gcj02", "lon_wgs84"]
    row = ["L1", "甲", 118.306, 36.800, 36.801, 118.300]
    one, _ = read(write_text(tmp_path / "a.csv", lines([header, row])))
    two, _ = read(
        write_text(
            tmp_path / "b.csv",
            lines([["编号", "名称", "经度", "纬度"], ["L1", "甲", 118.300, 36.800]]),
        )
    )
    assert one.table.geometry.iloc[0].equals(two.table.geometry.iloc[0])
    three, _ = read(tmp_path / "a.csv", datum="gcj02")
    four, _ = read(
        write_text(
            tmp_path / "c.csv",
            lines([["编号", "名称", "经度", "纬度"], ["L1", "甲", 118.306, 36.801]]),
        ),
        datum="gcj02",
    )
    assert three.table.geometry.iloc[0].equals(four.table.geometry.iloc[0])


def test_a_header_that_says_otherwise_is_noted(tmp_path):
    path = write_text(
        tmp_path / "a.csv", lines([[*HEADER[:2], "百度经度", "百度纬度", *HEADER[4:]], ROWS[0]])
    )
    _, problems = read(path, datum="gcj02")
    assert "datum_contradicts" in rules(problems, "note")
    path = write_text(
        tmp_path / "b.csv", lines([[*HEADER[:2], "百度经度", "高德纬度", *HEADER[4:]], ROWS[0]])
    )
    _, problems = read(path)
    assert "datum_mixed" in rules(problems, "unusable")


def test_datum_of_a_vector_file_equals_that_of_a_table(tmp_path):
    path = write_text(tmp_path / "a.csv", lines([HEADER, *ROWS]))
    shapes = shapely.points([[row[2], row[3]] for row in ROWS])
    frame = gpd.GeoDataFrame(
        {"名称": [row[1] for row in ROWS], "编号": ["L1", "L2", "L3"]}, geometry=shapes, crs=4326
    )
    frame.to_file(tmp_path / "a.gpkg", layer="点")
    one, _ = read(path, datum="gcj02")
    two, _ = read(tmp_path / "a.gpkg", datum="gcj02")
    assert (
        shapely.distance(one.table.geometry.to_numpy(), two.table.geometry.to_numpy()).max() < 1e-6
    )
    assert one.table.index.tolist() == two.table.index.tolist()


def test_fields_constants_where_and_as_point(tmp_path):
    frame = gpd.GeoDataFrame(
        {"wd": [30.0, 40.0], "kind": ["a", "b"], "mc": ["甲", "乙"]},
        geometry=[shapely.box(118.1, 36.6, 118.2, 36.7), shapely.box(118.3, 36.6, 118.4, 36.7)],
        crs=4490,
    )
    frame.to_file(tmp_path / "a.geojson", driver="GeoJSON")
    layer, problems = read(
        tmp_path / "a.geojson",
        where="kind = 'b'",
        as_point=True,
        fields={"depth_m": FieldMap("wd", "cm"), "name": FieldMap("mc")},
        constants={"class": "积水点"},
    )
    assert layer.table["depth_m"].tolist() == [0.4]
    assert layer.table["class"].tolist() == ["ponding"]
    assert layer.table.geom_type.tolist() == ["Point"]
    _, problems = read(tmp_path / "a.geojson", fields={"name": FieldMap("mc")})
    assert rules(problems).count("geometry_type") == 2


def test_osm_tags_become_columns():
    path = Path(__file__).parents[2] / "layers" / "liechtenstein" / "liechtenstein-latest.osm.pbf"
    place = gpd.GeoSeries([shapely.box(9.4, 47.0, 9.7, 47.3)], crs=4326)
    roads, problems = read(
        path, "road", layer="lines", where="highway = 'motorway' OR bridge = 'yes'", place=place
    )
    assert {"highway", "oneway", "bridge", "layer", "osm_id"} <= set(roads.table.columns)
    assert set(roads.table["bridge"].dropna()) >= {"yes"}
    assert rules(problems) == []
    one, _ = read(
        path, "rescue_station", layer="points", where="amenity = 'fire_station'", place=place
    )
    two, _ = read(
        path,
        "rescue_station",
        layer="points",
        where='other_tags LIKE \'%"amenity"=>"fire_station"%\'',
        place=place,
    )
    assert one.table.index.tolist() == two.table.index.tolist()
    assert len(one.table) == 5


def test_rare_osm_tags_do_not_stand_before_the_class_of_a_road(tmp_path):
    ways = "".join(
        f'<way id="{i}" version="1"><nd ref="{2 * i}"/><nd ref="{2 * i + 1}"/>'
        f'<tag k="highway" v="{kind}"/>{more}</way>'
        for i, (kind, more) in enumerate(
            [("primary", '<tag k="class" v="odd"/><tag k="type" v="route"/>'), ("service", "")], 1
        )
    )
    nodes = "".join(
        f'<node id="{i}" version="1" lat="{36.8 + 0.001 * i}" lon="118.3"/>' for i in range(2, 6)
    )
    (tmp_path / "a.osm").write_text(f'<osm version="0.6">{nodes}{ways}</osm>', "utf-8")
    roads, _ = read(tmp_path / "a.osm", "road", layer="lines")
    assert sorted(roads.table["class"]) == ["primary", "service"]


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(6)))
def test_order_of_rows_does_not_matter(tmp_path, order):
    rows = [[f"点{i}", 118.3 + i / 1000, 36.8001, i * 10] for i in range(6)]
    header = ["名称", "经度", "纬度", "积水深度(cm)"]
    first, _ = read(write_text(tmp_path / "a.csv", lines([header, *rows])))
    other, _ = read(write_text(tmp_path / "b.csv", lines([header, *(rows[i] for i in order)])))
    kept = ["name", "depth_m", "geometry"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(first.table[kept]), pd.DataFrame(other.table.loc[first.table.index, kept])
    )


def test_several_sources_in_one_layer(tmp_path):
    one = write_text(tmp_path / "a.csv", lines([HEADER, *ROWS[:2]]))
    two = write_text(tmp_path / "b.csv", lines([HEADER, ROWS[1], ROWS[2]]), "gbk")
    specs = [LayerSpec(path=path, shown=path.name) for path in (one, two, tmp_path / "c.csv")]
    layer, problems = read_layer(ROLES["flood_point"], specs, crs=CRS, place=PLACE)
    assert (layer.rows_in, layer.rows_used, layer.rows_returned) == (4, 3, 1)
    (again,) = (p for p in problems if p.severity == "returned")
    assert again.file == "b.csv"
    assert "a.csv #3" in str(again.message)
    assert rules(problems, "unusable") == ["missing_file"]


def test_result_is_json_friendly(tmp_path):
    layer, _ = read(write_text(tmp_path / "a.csv", lines([HEADER, *ROWS])))
    assert json.loads(layer.table.to_json())["features"][0]["properties"]["name"] == "甲路"


def test_packed_degrees_are_asked_about(tmp_path):
    def rows(values):
        return lines(
            [
                ["名称", "经度", "纬度"],
                *([f"点{i}", lon, lat] for i, (lon, lat) in enumerate(values)),
            ]
        )

    packed = [
        (f"118.{i + 10:02d}{i * 3 + 5:02d}8", f"36.{i + 40:02d}{50 - i:02d}2") for i in range(12)
    ]
    _, problems = read(write_text(tmp_path / "a.csv", rows(packed)), place=None)
    assert "packed_dms" in rules(problems, "note")
    plain = [(118.2 + i * 0.03791, 36.6 + i * 0.02917) for i in range(12)]
    _, problems = read(write_text(tmp_path / "b.csv", rows(plain)))
    assert "packed_dms" not in rules(problems, "note")


@pytest.mark.parametrize("heads", [("经度(度.分秒)", "纬度（度.分秒）"), ("经度", "纬度")])
def test_packed_degrees_are_read_where_nothing_else_can_be_meant(tmp_path, heads):
    place = gpd.GeoSeries([shapely.box(118.30, 36.80, 118.35, 36.85)], crs=4326)
    rows = [("118.1812", "36.4818"), ("118.1930", "36.5006"), ("118.203600", "36.491200")]
    named = [[f"点{i}", *pair] for i, pair in enumerate(rows)]
    path = write_text(tmp_path / "a.csv", lines([["名称", *heads], *named]))
    layer, problems = read(path, place=place)
    right = [
        (118 + 18 / 60 + 12 / 3600, 36 + 48 / 60 + 18 / 3600),
        (118 + 19 / 60 + 30 / 3600, 36 + 50 / 60 + 6 / 3600),
        (118 + 20 / 60 + 36 / 3600, 36 + 49 / 60 + 12 / 3600),
    ]
    points = layer.table.sort_values("name").geometry.to_crs(4326)
    assert np.allclose(np.column_stack([points.x, points.y]), right, atol=1e-8)
    assert "unpacked_dms" in rules(problems, "note")


def test_seconds_of_sixty_are_no_packed_angle(tmp_path):
    rows = [["名称", "经度(度.分秒)", "纬度(度.分秒)"], ["甲", "118.1812", "36.4818"]]
    rows += [["乙", "118.1860", "36.4818"], ["丙", "118.6112", "36.4818"]]
    layer, problems = read(write_text(tmp_path / "a.csv", lines(rows)), place=None)
    assert layer.table["name"].tolist() == ["甲"]
    assert rules(problems).count("coordinate_minutes") == 2  # 18'60" and 61 minutes


def test_a_place_with_height_and_accuracy_in_one_cell(tmp_path):
    rows = [["名称", "坐标"], ["甲", "36.805000 118.303333 31.5 4.2"]]
    rows += [["乙", "118.303333,36.805000,31.5"], ["丙", "118.303333 36.805000 0 0"]]
    path = write_text(tmp_path / "a.csv", lines(rows, "\t"))
    layer, _ = read(path)
    points = layer.table.geometry.to_crs(4326)
    assert np.allclose(np.column_stack([points.x, points.y]), [(118.303333, 36.805)] * 3, atol=1e-8)


def test_a_geometry_in_a_cell_may_name_its_system(tmp_path):
    point = shapely.set_srid(shapely.Point(616693.4, 4078110.6), 4548)
    for written in (f"SRID=4548;{point.wkt}", shapely.to_wkb(point, hex=True, include_srid=True)):
        path = write_text(tmp_path / "a.csv", lines([["名称", "geom"], ["甲", written]], "\t"))
        layer, _ = read(path)
        there = layer.table.geometry.to_crs(4548).iloc[0]
        assert there.distance(shapely.Point(point.x, point.y)) < 1e-6


def test_the_table_of_a_survey_form(tmp_path):
    heads = ["start", "基本信息/积水点名称", "基本信息/积水深度(m)", "位置/坐标"]
    heads += [f"位置/_坐标_{part}" for part in ("latitude", "longitude", "altitude", "precision")]
    heads += ["_id", "_submission_time"]
    row = ["2026-04-01T09:00:00.000+08:00", "甲", "0.6", "36.805 118.3033 31.5 4.2"]
    row += ["36.805000", "118.303333", "31.5", "4.2", "1000", "2026-04-01T01:06:00"]
    layer, problems = read(write_text(tmp_path / "a.csv", lines([heads, row], ";")))
    point = layer.table.geometry.to_crs(4326).iloc[0]
    assert np.allclose((point.x, point.y), (118.303333, 36.805), atol=1e-8)
    assert layer.table[["name", "depth_m"]].to_numpy().tolist() == [["甲", 0.6]]
    assert "form_heading" in rules(problems, "note")


def test_sheets_of_one_card_each_are_refused_and_not_taken_as_blank(tmp_path):
    card = [["信息卡"], ["编号", "P1", "名称", "桥下"], ["积水深度(m)", 0.6, "影响人口", 20]]
    card += [["经度", 118.3033, "纬度", 36.805], ["成因", "地势低洼"]]
    path = write_book(tmp_path / "a.xlsx", {"桥下": card, "路口": card})
    assert "cards" in rules(read(path)[1], "unusable")
    table = [["编号", "名称", "影响人口", "积水深度(m)", "经度", "纬度", "现场描述"]]
    table += [["P1", "名称", "5", 0.6, 118.3033, 36.805, "编号"]]
    layer, _ = read(write_book(tmp_path / "b.xlsx", {"表": table}))
    assert len(layer.table) == 1


def test_cells_that_hold_an_error_are_named(tmp_path):
    book = openpyxl.Workbook()
    for row in ([*HEADER], ["L1", "甲路", 118.301, 36.8201, "#NAME?"]):
        book.active.append(row)
    book.active["E2"].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    layer, problems = read(tmp_path / "a.xlsx")
    assert layer.table["depth_m"].isna().all()
    said = next(p for p in problems if p.rule == "error_cells")
    assert "E2 #NAME?" in str(said.message)


def test_of_a_damaged_file_only_the_damaged_feature_is_lost(tmp_path, monkeypatch):
    import pyogrio

    names = [f"点{n}" for n in range(9)]
    frame = gpd.GeoDataFrame(
        {"name": names}, geometry=shapely.points([[118.3 + n / 100, 36.8] for n in range(9)]), crs=4326
    )  # fmt: skip
    frame.to_file(tmp_path / "a.gpkg")
    whole = pyogrio.read_dataframe

    def broken(*args, skip_features=0, max_features=None, **words):
        last = 9 if max_features is None else skip_features + max_features
        if skip_features <= 4 < last:
            raise RuntimeError("damaged")
        return whole(*args, skip_features=skip_features, max_features=max_features, **words)

    monkeypatch.setattr(pyogrio, "read_dataframe", broken)
    layer, problems = read(tmp_path / "a.gpkg")
    assert sorted(layer.table["name"]) == [name for name in names if name != "点4"]
    assert "salvaged" in rules(problems, "note")
    assert {p.row for p in problems if p.severity != "note"} == {5}


def test_degrees_labelled_as_metres_are_said_once_with_the_mend(tmp_path):
    shapes = shapely.linestrings([[[118.30, 36.80], [118.31, 36.80]]])
    road = gpd.GeoDataFrame({"highway": ["primary"]}, geometry=shapes, crs=4326)
    road.set_crs(4548, allow_override=True).to_file(tmp_path / "road.gpkg")
    _, problems = read(tmp_path / "road.gpkg", role="road")
    assert rules(problems, "unusable") == ["degrees_in_metric_crs"]
    mended, problems = read(tmp_path / "road.gpkg", role="road", crs="EPSG:4326")
    assert len(mended.table) == 1
    assert rules(problems, "unusable") == []


KML = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>甲路</name><ExtendedData><Data name="积水深度"><value>0.5</value></Data>
<Data name='责任单位'><value>甲局</value></Data></ExtendedData>
<Point><coordinates>118.301,36.8201</coordinates></Point></Placemark>
<Placemark><name>乙路</name><ExtendedData><Data name="积水深度"><value>0.3</value></Data>
</ExtendedData><Point><coordinates>118.3021,36.8212</coordinates></Point></Placemark>
</Document></kml>"""


def kmz(text):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("doc.kml", text)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("点.kml", KML.encode()),
        ("点.kmz", kmz(KML)),
        ("点.kmz", kmz(KML.encode("gbk"))),
    ],
)
def test_chinese_fields_of_a_kml_keep_their_names(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    layer, problems = read(path)
    table = layer.table.sort_values("_row")
    assert table["depth_m"].tolist() == [0.5, 0.3]
    assert table["duty_unit"].iloc[0] == "甲局"
    assert "unused_columns" not in rules(problems, "note")
    layer, _ = read(path, where="积水深度 > 0.4")
    assert layer.table["name"].tolist() == ["甲路"]


def test_a_long_table_read_by_columns_is_the_table_read_row_by_row(tmp_path, monkeypatch):
    rows = [f"YL-{i:04d},第{i}号积水点,甲镇,117.{i:06d},36.610000,{i % 80}" for i in range(1, 2500)]
    rows[10] = "合计,2499,,,,"
    rows[700] = "YL-0701,约半米处,甲镇,117°00′40″,36.61,30-50cm"
    rows[701] = ",,,,,"
    rows[702] = " YL-0703 ,第703号积水点,甲镇,117.000703,36.610000,约20"
    rows[703] = "YL-0002,第704号积水点,甲镇,117.000704,36.610000,99999"
    rows[1500] = "点位编号,名称,所属街道,经度,纬度,积水深度(cm)"
    rows[-1] = "填表人：张某,审核：李某,,,,"
    path = tmp_path / "a.csv"
    head = "点位编号,名称,所属街道,经度,纬度,积水深度(cm)"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    book = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(book)) as out:
        sheet = out.add_worksheet("甲")
        for at, line in enumerate([head, *rows]):
            for column, cell in enumerate(line.split(",")):
                if cell:
                    plain = re.fullmatch(r"\d+(\.\d+)?", cell) and column > 2
                    sheet.write(at, column, float(cell) if plain else cell)
    read = []
    for long, many, part in ((0, 1, 100), (1 << 40, 1 << 40, 1 << 40)):
        monkeypatch.setattr(table, "_LONG", long)
        monkeypatch.setattr(table, "_AT_ONCE", part)
        monkeypatch.setattr(table, "_MANY_ROWS", many)
        for file in (path, book):
            layer, problems = read_layer(
                load_roles()["flood_point"], [LayerSpec(path=file, shown=file.name)],
                crs="EPSG:4548", place=None,
            )  # fmt: skip
            read.append((layer, sorted(map(str, problems))))
    for quick, slow in ((read[0], read[2]), (read[1], read[3])):
        assert quick[1] == slow[1]
        assert quick[0].rows_in == 2495
        pd.testing.assert_frame_equal(quick[0].table, slow[0].table)
    assert {len(layer.table) for layer, _ in read} == {2494}


def test_a_long_sheet_read_in_parts_has_the_cells_that_it_has_when_read_at_once(
    tmp_path, monkeypatch
):
    """Cells of every kind, alone and mixed in one column, below a heading."""
    chance = np.random.default_rng(4)
    kinds = [1.5, "甲", "", True, datetime(2024, 6, 30), 3, "12"]
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as out:
        sheet, day = out.add_worksheet("点"), out.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["标题", "", "名称", "水深"])
        for at in range(1, 400):
            row = [at, f"点{at}", kinds[chance.integers(len(kinds))], 0.5 if at < 250 else "约半米"]
            for column, cell in enumerate(row):
                sheet.write(at, column, cell, *([day] if isinstance(cell, datetime) else []))
    whole = table.read_workbook(path)[0].cells
    monkeypatch.setattr(table, "_AT_ONCE", 70)
    parts = table.read_workbook(path)[0].cells
    assert isinstance(whole, list)
    assert isinstance(parts, table.Lines)
    assert [[(type(v), v) for v in row] for row in parts] == [
        [(type(v), v) for v in row] for row in whole
    ]
    for start, stop in ((0, 400), (1, 30), (29, 31), (35, 400)):
        cut = [table._listed(column) for column in parts.between(start, stop)]
        assert list(map(list, zip(*cut, strict=True))) == whole[start:stop]
        assert parts[start:stop] == whole[start:stop]
    assert parts[-1] == whole[-1]
    assert parts.equal({"甲", "名称", "约半米"}).tolist() == [
        sum(cell in ("甲", "名称", "约半米") for cell in row) for row in whole
    ]


def test_a_second_table_far_down_in_short_lines_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "_LONG", 0)
    rows = "1.5,2.5,a\n" * 3100
    path = write_text(tmp_path / "a.csv", f"lon,lat,name\n{rows}name,lat,lon\n{rows}")
    grid = table.read_csv(path, by_columns=True)
    assert isinstance(grid.cells, table.Lines)
    found = table.find_tables(grid, {"lon": "lon", "lat": "lat", "name": "name"}.get)
    assert [(one.header.last, one.stop) for one in found] == [(0, 3101), (3101, 6202)]


def test_formulas_without_a_result_are_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度", "积水深度(m)"])
    book.active.append(["甲桥", 117.011111, 36.611111, "=30/100"])
    book.save(tmp_path / "a.xlsx")
    layer, problems = read_layer(
        load_roles()["flood_point"], [LayerSpec(path=tmp_path / "a.xlsx", shown="a.xlsx")],
        crs="EPSG:4548", place=None,
    )  # fmt: skip
    assert np.isnan(layer.table["depth_m"].iloc[0])
    said = next(p for p in problems if p.rule == "unsaved_formulas")
    assert "D2" in str(said.message)


def test_angles_that_a_sheet_keeps_as_times(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as out:
        sheet, hours = out.add_worksheet(), out.add_format({"num_format": "[h]:mm:ss"})
        short = out.add_format({"num_format": "h:mm:ss"})
        sheet.write_row(0, 0, ["名称", "经度", "纬度"])
        for at, (lon, lat) in enumerate(
            (((117, 0, 40), (36, 36, 40)), ((117, 1, 20), (23, 12, 36)))
        ):
            sheet.write(at + 1, 0, f"{at}号桥")
            for column, (d, m, s) in ((1, lon), (2, lat)):
                days = (d + m / 60 + s / 3600) / 24
                sheet.write(at + 1, column, days, hours if days >= 1 else short)
    layer, _ = read_layer(
        load_roles()["flood_point"], [LayerSpec(path=tmp_path / "a.xlsx", shown="a.xlsx")],
        crs="EPSG:4326", place=None,
    )  # fmt: skip
    assert np.allclose(layer.table.geometry.x, [117.011111, 117.022222], atol=1e-6)
    assert np.allclose(layer.table.geometry.y, [36.611111, 23.21], atol=1e-6)


def test_a_fault_of_our_own_while_parts_are_joined_stops_one_layer_and_not_the_run(
    tmp_path, monkeypatch
):
    def broken(*_, **__):
        raise ZeroDivisionError

    book = write_book(tmp_path / "a.xlsx", {"一": [HEADER, *ROWS], "二": [HEADER, ROWS[0]]})
    monkeypatch.delenv("RISKMAP_DEBUG", raising=False)
    monkeypatch.setattr(reading, "assign_ids", broken)
    layer, problems = read(book)
    assert layer.rows_in == 4
    assert layer.rows_used == 0
    assert [(p.rule, p.sheet, p.severity) for p in problems if p.severity != "note"] == [
        ("own_fault", "一", "unusable"),
        ("own_fault", "二", "unusable"),
    ]
    monkeypatch.setenv("RISKMAP_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        read(book)

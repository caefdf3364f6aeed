"""Every bad input gives a clear message or a returned row: no traceback, nothing lost."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import xlsxwriter

from riskmap.i18n import language
from riskmap.layers.layer import FieldMap, LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()
PLACE = gpd.GeoSeries([shapely.box(118.0, 36.5, 119.0, 37.0)], crs=4326)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
GOOD = ["好点", "118.3001", "36.8001", "0.5"]


def read(path, role="flood_point", **words):
    spec = LayerSpec(path=Path(path), shown=Path(path).name, **words)
    layer, problems = read_layer(ROLES[role], [spec], crs="EPSG:4548", place=PLACE)
    assert layer.rows_in == layer.rows_used + layer.rows_returned
    returned = {(p.sheet, p.row) for p in problems if p.severity == "returned"}
    if not any(
        p.severity == "unusable" and p.rule not in ("all_returned", "empty_layer") for p in problems
    ):
        assert len(returned) == layer.rows_returned
    for problem in problems:
        for code in ("zh", "en"):
            with language(code):
                assert str(problem)
        assert problem.file == Path(path).name
    return layer, problems


def table(path, *rows, header=("名称", "经度", "纬度", "积水深度"), encoding="utf-8"):
    lines = [",".join(f'"{cell}"' for cell in row) for row in (header, GOOD, *rows)]
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def only(problems, severity):
    return [problem.rule for problem in problems if problem.severity == severity]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.xlsx", None, "missing_file"),
        ("a.xlsx", b"", "empty_file"),
        ("a.xlsx", b"<html><table><tr><td>1</td></tr></table></html>", "renamed_html"),
        ("a.xls", b"\xef\xbb\xbf\n <!DOCTYPE html>", "renamed_html"),
        ("a.csv", b"<html><body>x</body></html>", "renamed_html"),
        ("a.xlsx", OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("a.xlsx", b"PK\x03\x04 broken zip", "broken_workbook"),
        ("a.xlsx", OLE + b"\0" * 2000, "broken_workbook"),
        ("a.xlsx", b"name,lon,lat\n", "not_a_workbook"),
        ("a.csv", b"PK\x03\x04rest", "not_text"),
        ("a.csv", b"\xff\xfe\xff\xff\xff", "encoding"),
        ("a.csv", b"a,b\n1,2\n", "no_header"),
        ("a.csv", "名称,积水深度\n甲,1\n".encode(), "no_coordinates"),
        ("a.geojson", b"{ not json", "broken_file"),
        ("a.shp", b"nothing", "broken_file"),
        ("a.gpkg", b"SQLite format 3\0", "broken_file"),
        ("a.tif", b"II*\0", "raster"),
    ],
)
def test_unusable_files_say_what_they_are(tmp_path, name, content, rule):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    layer, problems = read(path)
    assert only(problems, "unusable") == [rule]
    assert layer.rows_used == 0
    assert layer.table.empty


def test_folder_is_no_file(tmp_path):
    (tmp_path / "a.xlsx").mkdir()
    _, problems = read(tmp_path / "a.xlsx")
    assert only(problems, "unusable") == ["is_folder"]


@pytest.mark.parametrize("name", ["a.csv", "a.geojson"])
def test_empty_layer(tmp_path, name):
    path = tmp_path / name
    if name == "a.csv":
        path.write_text("名称,经度,纬度\n", "utf-8")
    else:
        path.write_text('{"type": "FeatureCollection", "features": []}')
    layer, problems = read(path)
    assert only(problems, "unusable") == ["empty_layer"]
    assert layer.rows_in == 0


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"sheet": "没有"}, "no_sheet"),
        ({"crs": "EPSG:999999"}, "unknown_crs"),
        ({"datum": "beijing"}, "unknown_datum"),
        ({"fields": {"depth_m": FieldMap("没有")}}, "unknown_column"),
        ({"crs": "EPSG:4548"}, "degrees_not_metres"),
    ],
)
def test_wrong_declarations(tmp_path, words, rule):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("表")
        sheet.write_row(0, 0, ["名称", "经度", "纬度"])
        sheet.write_row(1, 0, ["甲", 118.3001, 36.8001])
    _, problems = read(path, **words)
    assert only(problems, "unusable") == [rule]


@pytest.mark.parametrize(
    ("row", "rule", "field"),
    [
        (["甲", "0", "0", ""], "zero", "经度"),
        (["甲", "120.1234", "30.1234", ""], "outside_place", ""),
        (["甲", "", "", ""], "coordinate_empty", "经度"),
        (["甲", "118°75′12″", "36.8001", ""], "coordinate_minutes", "经度"),
        (["甲", "待核实", "36.8001", ""], "coordinate_unreadable", "经度"),
        (["", "118.3", "36.8001", "1"], "required", "名称"),
        (["好点", "118.3001", "36.8001", "0.5"], "duplicate", "name"),
        (["甲", "118.3", "36.8001", "1", "多", "余"], "too_many_cells", ""),
    ],
)
def test_bad_rows_come_back(tmp_path, row, rule, field):
    layer, problems = read(table(tmp_path / "a.csv", row))
    assert (layer.rows_in, layer.rows_used, layer.rows_returned) == (2, 1, 1)
    (problem,) = (p for p in problems if p.severity == "returned")
    assert (problem.rule, problem.field, problem.row) == (rule, field, 3)
    assert layer.table["name"].tolist() == ["好点"]


@pytest.mark.parametrize(("entry", "rule"), [("很深", "type"), ("-1", "range"), ("3人", "unit")])
def test_a_bad_optional_cell_does_not_cost_the_row(tmp_path, entry, rule):
    layer, problems = read(table(tmp_path / "a.csv", ["甲", "118.3", "36.8001", entry]))
    assert (layer.rows_in, layer.rows_used, layer.rows_returned) == (2, 2, 0)
    (problem,) = (p for p in problems if p.rule == rule)
    assert (problem.severity, problem.row, problem.value) == ("note", 3, entry)
    assert layer.table.set_index("name")["depth_m"].isna()["甲"]


def test_swapped_columns_inside_the_place_are_put_right(tmp_path):
    layer, problems = read(table(tmp_path / "a.csv", ["甲", "36.8001", "118.3001", ""]))
    assert layer.rows_used == 2
    at = layer.table.to_crs(4326).set_index("name").geometry["甲"]
    assert (round(at.x, 6), round(at.y, 6)) == (118.3001, 36.8001)
    (problem,) = (p for p in problems if p.rule == "swapped")
    assert (problem.severity, problem.row, problem.field) == ("note", 3, "纬度")


def test_all_problems_of_a_row_are_said_and_the_row_counted_once(tmp_path):
    layer, problems = read(table(tmp_path / "a.csv", ["", "0", "0", "-5"]))
    assert set(only(problems, "returned")) == {"required", "zero"}
    assert "range" in only(problems, "note")
    assert layer.rows_returned == 1


def test_all_returned_is_unusable(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("名称,经度,纬度\n甲,0,0\n乙,0,0\n", "utf-8")
    layer, problems = read(path)
    assert only(problems, "unusable") == ["all_returned"]
    assert layer.rows_returned == 2


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        'O\'Brien "x"',
        "泵站🚒",
        "a\u202eb",
        "+1",
        "{x}",
        "甲%s",
    ],
)
def test_hostile_names_stay_text(tmp_path, name):
    cell = name.replace('"', '""')
    layer, problems = read(table(tmp_path / "a.csv", [cell, "118.4001", "36.8001", "1"]))
    assert name in layer.table["name"].tolist()
    assert only(problems, "returned") == []


def test_control_characters_are_taken_out_and_said(tmp_path):
    layer, problems = read(table(tmp_path / "a.csv", ["甲\x07路", "118.4001", "36.8001", "1"]))
    assert "甲路" in layer.table["name"].tolist()
    assert "control" in only(problems, "note")


def test_code_turned_into_a_float(tmp_path):
    header = ("编号", "名称", "经度", "纬度")
    rows = [("370102000001.0", "乙", "118.4", "36.8001"), ("3.70102E+11", "丙", "118.5", "36.8001")]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in (header, *rows)), "utf-8")
    layer, problems = read(path)
    assert layer.table.set_index("name")["number"].fillna("").to_dict() == {
        "乙": "370102000001",
        "丙": "",
    }
    assert "code" in only(problems, "note")
    (problem,) = (p for p in problems if p.rule == "code_float")
    assert (problem.rule, problem.value, problem.row) == ("code_float", "3.70102E+11", 3)


def test_same_number_names_the_first_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("编号,名称,经度,纬度\nA,甲,118.3,36.8001\nA,乙,118.4,36.8001\n", "utf-8")
    _, problems = read(path)
    (problem,) = (p for p in problems if p.severity == "returned")
    assert problem.rule == "duplicate_number"
    assert "a.csv #2" in str(problem.message)


def test_geometry_of_vector_files(tmp_path):
    shapes = [
        shapely.Point(118.3, 36.8),
        shapely.box(118.3, 36.8, 118.4, 36.9),
        None,
        shapely.Point(),
        shapely.MultiPoint([(118.5, 36.8)]),
    ]
    names = [f"点{index}" for index in range(len(shapes))]
    gpd.GeoDataFrame({"name": names}, geometry=shapes, crs=4326).to_file(tmp_path / "a.gpkg")
    layer, problems = read(tmp_path / "a.gpkg")
    assert sorted(layer.table["name"]) == ["点0", "点4"]
    assert sorted(only(problems, "returned")) == ["geometry_type", "no_geometry", "no_geometry"]
    assert "as_point" in str(next(p for p in problems if p.rule == "geometry_type").mend)


def test_self_intersection_is_repaired_and_said(tmp_path):
    bow = shapely.Polygon([(118.1, 36.6), (118.3, 36.8), (118.3, 36.6), (118.1, 36.8)])
    gpd.GeoDataFrame({"name": ["区"]}, geometry=[bow], crs=4326).to_file(tmp_path / "a.gpkg")
    layer, problems = read(tmp_path / "a.gpkg", "danger_area")
    assert layer.table.geometry.is_valid.all()
    assert layer.table.geometry.area.sum() == pytest.approx(198.1e6, rel=0.01)
    assert "repaired" in only(problems, "note")


def test_several_layers_and_wrong_condition(tmp_path):
    frame = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.Point(118.3, 36.8)], crs=4326)
    for layer in ("a", "b"):
        frame.to_file(tmp_path / "a.gpkg", layer=layer)
    _, problems = read(tmp_path / "a.gpkg")
    assert only(problems, "unusable") == ["which_layer"]
    _, problems = read(tmp_path / "a.gpkg", layer="a", where="nonsense ==== 1")
    assert only(problems, "unusable") == ["where"]


def write_raster(path, *, crs="EPSG:4326", dtype="uint8", nodata=None, value=None, left=118.0):
    data = np.arange(10000).reshape(100, 100) % 50 if value is None else np.full((100, 100), value)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=100,
        height=100,
        count=1,
        dtype=dtype,
        nodata=nodata,
        crs=crs,
        transform=rasterio.Affine(0.01, 0, left, 0, -0.005, 37.0),
    ) as target:
        target.write(data.astype(dtype), 1)
    return path


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"crs": None}, "no_crs"),
        ({"left": 10.0}, "outside_place"),
        ({"nodata": 7, "value": 7}, "no_values"),
    ],
)
def test_unusable_rasters(tmp_path, words, rule):
    layer, problems = read(write_raster(tmp_path / "a.tif", **words), "dem")
    assert only(problems, "unusable") == [rule]
    assert layer.rasters == ()


def test_broken_raster(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0 nothing")
    _, problems = read(tmp_path / "a.tif", "dem")
    assert only(problems, "unusable") == ["broken_raster"]


def test_zero_without_nodata_is_kept_and_said(tmp_path):
    layer, problems = read(write_raster(tmp_path / "a.tif"), "dem")
    (raster,) = layer.rasters
    assert raster.values.dtype == np.float32
    assert (raster.values == 0).any()
    assert not np.isnan(raster.values).any()
    assert {"zero_kept", "whole_steps"} <= set(only(problems, "note"))


def test_nodata_is_nan_and_the_place_is_cut_out(tmp_path):
    layer, _ = read(write_raster(tmp_path / "a.tif", nodata=0, left=117.5), "dem")
    (raster,) = layer.rasters
    assert np.isnan(raster.values).any()
    # the place is 50 pixels of 0.01 degrees wide; 1 km around it are 2 pixels more, 4 are kept anyway
    assert raster.values.shape == (100, 56)
    assert raster.transform[2] == pytest.approx(118.0 - 0.06)
    assert raster.crs == "EPSG:4326"

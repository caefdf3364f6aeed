"""`riskmap check` tries everything that a run would, and goes on after each fault."""

import json
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
import yaml

from riskmap.cli.app import main
from riskmap.cli.commands import check_project
from riskmap.cli.scaffold import Answers, scaffold
from riskmap.cli.show import LINES, shown_check
from riskmap.errors import ProjectError
from riskmap.i18n import language
from riskmap.layers.gaps import completeness
from riskmap.layers.layer import LISTED
from riskmap.layers.read.vector import read_vector
from riskmap.pipeline.run import check
from riskmap.project.schema import load_for_check
from tests import town


def checked(path: Path, **options):
    options = {"out": None, "lang": None, "allow_outside": False} | options
    with language("zh"):
        return check_project(path, **options)


def edit(path: Path, **keys) -> Path:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw |= keys
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return path


def broken_table(folder: Path, n: int) -> Path:
    rows = [{"名称": f"点{i}", "经度": "", "纬度": ""} for i in range(n)]
    path = folder / "bad.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_units_that_are_missing_do_not_hide_the_layers(tmp_path):
    path = edit(town.write(tmp_path), units={"path": "nowhere.geojson"})
    broken_table(tmp_path, 3)
    edit(path, layers={"flood_point": {"path": "bad.csv"}})
    found = checked(path)
    assert found["layers"]["flood_point"]["rows_returned"] == 3
    assert len(found["by_layer"]["unit"]["unusable"]) == 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"indicators": "no_such.csv"}, "no_such"),
        ({"index": {"normalise": "nonsense"}}, "nonsense"),
        ({"index": {"frozen": "no.json"}}, "no.json"),
        ({"index": {"aggregate": {"risk": "nonsense"}}}, "nonsense"),
        ({"grid": {"size_m": -5}}, "grid.size_m"),
        ({"presets": {"no.such_preset": 1}}, "no.such_preset"),
        ({"stations": {"preset": "nowhere_9"}}, "stations"),
        ({"scenarios": [{"name": "水", "depth": "no.tif"}]}, "no.tif"),
        ({"nonsense": 1}, "nonsense"),
        ({"crs": "EPSG:4326"}, "4326"),
        ({"outputs": {"dir": "out", "tiles": "no.tif"}}, "no.tif"),
        ({"refuges": {"candidates": "moon"}}, "refuges.candidates"),
    ],
)
def test_what_would_stop_a_run_is_said_and_the_layers_are_still_checked(tmp_path, keys, words):
    path = edit(town.write(tmp_path, layers={"waterway": {"path": "none.gpkg"}}), **keys)
    found = checked(path)
    assert any(words in line for line in found["unusable"]), found["unusable"]
    assert any("none.gpkg" in line for line in found["unusable"])
    assert found["layers"]["flood_point"]["rows_used"] == 3


def test_several_faults_of_the_project_file_are_all_said(tmp_path):
    path = edit(
        town.write(tmp_path),
        nonsense=1,
        grid={"size_m": "much"},
        presets={"no.such": 1},
        scenarios=[{"rain_mm": 5}, {"name": "a", "depth": "../../outside.tif"}],
    )
    _, problems = load_for_check(path)
    assert {p.field for p in problems} >= {
        "nonsense", "grid.size_m", "scenarios.0.name", "scenarios.0.depth",
    }  # fmt: skip
    assert any("no.such" in str(p) for p in problems)


def test_input_outside_the_tree_is_not_read(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("名称,经度,纬度\n某处,117,36\n", encoding="utf-8")
    path = town.write(tmp_path / "in", layers={"expert": {"path": "../secret.csv"}})
    project, problems = load_for_check(path)
    assert "expert" not in project.layers
    assert [p.field for p in problems] == ["layers.expert.0.path"]


def test_a_file_without_keys_is_refused(tmp_path):
    (tmp_path / "p.yaml").write_text("- 1\n", encoding="utf-8")
    with pytest.raises(ProjectError):
        load_for_check(tmp_path / "p.yaml")


def test_blank_sheets_of_the_workbook_are_not_given(tmp_path, capsys):
    made = scaffold(tmp_path / "p", Answers(name="县"), lang="zh")
    book = openpyxl.load_workbook(made[1])
    sheet = book["村社区"]
    heads = [cell.value for cell in sheet[1]]
    for row, (name, lon) in enumerate((("甲村", 117.0), ("乙村", 117.02)), 3):
        values = {"*村社区名称": name, "*所属镇街": "某镇", "经度": lon, "纬度": 36.6}
        for head, value in values.items():
            sheet.cell(row, heads.index(head) + 1, value)
    book.save(made[1])
    found = checked(Path(made[0]))
    assert found["returned"] == found["unusable"] == []
    assert {"flood_point", "refuge", "person"} <= set(found["not_given"])
    assert set(found["layers"]) == {"unit"}
    with pytest.raises(SystemExit) as end:
        main(["check", str(made[0]), "--json"])
    assert not end.value.code
    assert json.loads(capsys.readouterr().out)["project"] == "县"


@pytest.mark.parametrize("name", ["界.tab", "界.mif", "界.shp"])
def test_boundaries_come_with_the_files_that_they_are_read_with(tmp_path, name):
    villages = {"code": ["1", "2"], "name": ["Jia", "Yi"]}
    shapes = [shapely.box(117.0, 36.6, 117.1, 36.7), shapely.box(117.1, 36.6, 117.2, 36.7)]
    gpd.GeoDataFrame(villages, geometry=shapes, crs=4326).to_file(tmp_path / name)
    made = scaffold(tmp_path / "p", Answers(name="县", boundary=tmp_path / name), lang="zh")
    copied = read_vector(Path(made[3]), geometry="polygon")
    assert copied.table["name"].tolist() == ["Jia", "Yi"]
    assert copied.geometry is not None


def test_the_screen_has_twenty_lines_a_layer_and_the_file_all(tmp_path):
    path = town.write(tmp_path, layers={"expert": {"path": "bad.csv"}})
    broken_table(tmp_path, 130)
    edit(path, layers={"flood_point": {"path": "bad.csv"}, "refuge": {"path": "refuge.gpkg"}})
    found = checked(path, out=tmp_path / "gaps.xlsx")
    with language("zh"):
        lines = shown_check(found).splitlines()
    assert sum("bad.csv" in line for line in lines) == LINES
    assert "另有" in lines[-1] or "另有" in "".join(lines)
    sheet = openpyxl.load_workbook(tmp_path / "gaps.xlsx")["退回行"]
    assert sum("bad.csv" in str(cell.value) for row in sheet.iter_rows() for cell in row) >= 130


def test_very_many_rows_of_one_kind_take_one_line_more_and_none_is_lost(tmp_path):
    n = 5 * LISTED
    broken_table(tmp_path, n)
    path = edit(town.write(tmp_path), layers={"flood_point": {"path": "bad.csv"}})
    project, problems = load_for_check(path)
    result = check(project, problems)
    returned = [p for p in result.problems if p.severity == "returned"]
    assert len(returned) <= LISTED + 1
    assert sum(p.count for p in returned) == n == result.layers["flood_point"].rows_returned
    assert f"{LISTED + 2}-{n + 1}" in str(returned[-1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: a: b", "冒号"),
        ("name: 'a", "引号"),
        ("name: {a: 1", "花括号"),
        ("name: [a, b", "方括号"),
        ("a: 1\n\tb: 2", "制表符"),
        ("name: *x", "加引号"),
        ("name: @x", "加引号"),
        ("name: a\n  b: c", "缩进"),
        ('path: "C:\\data\\q"', "反斜杠"),
        ("a: 1\na: 2", "重复"),
    ],
)
def test_yaml_faults_are_said_in_chinese(tmp_path, content, words):
    path = tmp_path / "p.yaml"
    path.write_text(content, encoding="utf-8")
    with language("zh"), pytest.raises(ProjectError) as error:
        load_for_check(path)
    assert words in str(error.value)


@pytest.mark.parametrize("rows_kept", [1 << 40, 1])
def test_what_is_wrong_is_the_same_whether_points_are_made_or_not(tmp_path, monkeypatch, rows_kept):
    monkeypatch.setattr("riskmap.layers.read.layer._LONG", rows_kept)
    rows = [
        ("A1", "甲", 117.01, 36.61), ("A2", "甲", 117.0101, 36.61), ("A3", "乙", 117.01, 36.61),
        ("A4", "丙", 36.62, 117.02), ("", "丁", 0, 0), ("A1", "戊", 117.02, 36.62),
        ("", "甲", 117.01, 36.61), ("A8", "己", 125.0, 36.6), ("A9", "", 117.03, 36.63),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["编号", "名称", "经度", "纬度"])
    deep = ["0.3", "", "很深", "30cm", "-", "9", "0.2", " ", "0.4"]
    table.assign(
        **{"积水深度(m)": deep, "备注": "x", "责任人": ["责任人A", "", *"        "[:7]]}
    ).to_csv(tmp_path / "a.csv", index=False)
    shapes = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["经度"], table["纬度"]))
    shapes.set_crs(4326).to_file(tmp_path / "b.geojson")
    units = gpd.GeoDataFrame(
        {"code": ["370101001"], "name": ["甲镇"]}, geometry=[shapely.box(117, 36.6, 117.1, 36.7)]
    )
    units.set_crs(4326).to_file(tmp_path / "units.geojson")
    project = {
        "name": "试", "place": {"code": "370101", "name": "试"}, "data_date": "2026-05-01",
        "units": {"path": "units.geojson", "level": "town"}, "grid": {"size_m": 500},
    }  # fmt: skip
    for sources in (["a.csv", "a.csv"], ["a.csv", "b.geojson"]):
        layers = {"flood_point": [{"path": name} for name in sources]}
        path = tmp_path / "p.yaml"
        path.write_text(yaml.safe_dump({**project, "layers": layers}, allow_unicode=True), "utf-8")
        loaded, problems = load_for_check(path)
        one, other = (check(loaded, problems, shapes=shapes) for shapes in (True, False))
        assert [str(p) for p in one.problems] == [str(p) for p in other.problems]
        rules = {p.rule for p in one.problems}
        assert {"duplicate", "duplicate_number", "near_namesake", "one_spot"} & rules
        counts = [(one.layers["flood_point"].rows_in, one.layers["flood_point"].rows_used)]
        layer = other.layers["flood_point"]
        assert counts == [(layer.rows_in, layer.rows_used)]
        assert [s.written for s in one.layers["flood_point"].sources] == [
            s.written for s in layer.sources
        ]
        role = one.roles["flood_point"]
        first, second = (completeness(r.layers["flood_point"], role) for r in (one, other))
        pd.testing.assert_frame_equal(first, second)

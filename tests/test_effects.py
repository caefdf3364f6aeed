"""What mending would change: told beside the rows, and right when they are mended."""

import re

import geopandas as gpd
import openpyxl
import pandas as pd
import yaml

from riskmap import pipeline
from riskmap.export.witness import as_json
from riskmap.i18n import language
from riskmap.pipeline.run import check
from riskmap.project.schema import load_for_check, load_project
from riskmap.vocabulary.roles import load_rules
from tests import town

CSV = "编号,名称,积水深度(米),经度,纬度\n"


def points(rows):
    at = gpd.GeoSeries([town.at(x, y) for _, _, _, x, y in rows], crs=town.CRS).to_crs(4326)
    lines = [
        f"{number},{name},{depth},{point.x:.8f},{point.y:.8f}\n"
        for (number, name, depth, _, _), point in zip(rows, at, strict=True)
    ]
    return CSV + "".join(lines)


def make(folder, rows, **keys):
    path = town.write(folder)
    (folder / "points.csv").write_text(points(rows), encoding="utf-8")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw["layers"]["flood_point"] = {"path": "points.csv", "datum": "wgs84"}
    raw |= keys
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return load_project(path)


GOOD = [("P1", "桥下", 0.6, 50, 150), ("P2", "路口", 0.2, 150, 150), ("P3", "低洼", 0.1, 350, 50)]
LATE = ("P4", "涵洞", 0.9, 350, 250)


def test_the_promised_changes_come_true_when_the_row_is_mended(tmp_path):
    nameless = (LATE[0], "", *LATE[2:])
    first = pipeline.run(make(tmp_path / "a", [*GOOD, nameless]))
    with language("zh"):
        said = str(first.effects["flood_point"])
    frozen = tmp_path / "b" / "params.json"
    frozen.parent.mkdir()
    frozen.write_text(as_json(first.params), encoding="utf-8")
    second = pipeline.run(make(tmp_path / "b", [*GOOD, LATE], index={"frozen": "params.json"}))
    finest = first.units["finest"].to_numpy(dtype=bool)
    before, after = (run.index["unit"].classes[finest].astype(int) for run in (first, second))
    changed = int((before != after).sum())
    assert changed > 0
    assert re.search(rf"补齐后 {changed} 个单元变级", said), said
    assert "1 行位于本地" in said


def test_rows_without_a_place_promise_nothing(tmp_path):
    project = make(tmp_path, GOOD)
    text = (tmp_path / "points.csv").read_text(encoding="utf-8") + "P9,某处,0.5,,\n"
    (tmp_path / "points.csv").write_text(text, encoding="utf-8")
    result = pipeline.run(project)
    with language("zh"):
        assert "无法估算" in str(result.effects["flood_point"])


def test_missing_layers_say_which_indicators_they_bring_and_units_count_as_people(tmp_path):
    project, problems = load_for_check(make(tmp_path, GOOD).path)
    effects = check(project, problems).effects
    with language("zh"):
        assert "距水系距离" in str(effects["waterway"])
        assert "population" not in effects  # the units have people
        assert "building" not in effects  # a proxy that is not needed then
        assert "老年人口占比" in str(effects["sensitive"])
    # without vulnerability hazard weighs 0.35 / 0.8; waterways have 0.2 / 0.6 of it: 0.1458
    assert "15%" in str(effects["waterway"])


def test_the_ledger_shows_the_row_as_it_was_with_the_cell_marked(tmp_path):
    from riskmap.export.workbook.books import write_gaps

    result = pipeline.run(make(tmp_path, [*GOOD, ("P4", "", 0.9, 350, 250)]))
    with language("zh"):
        write_gaps(result, tmp_path / "g.xlsx")
    book = openpyxl.load_workbook(tmp_path / "g.xlsx")
    sheet = book["原行·易涝积水点"]
    head = [cell.value for cell in sheet[3]]
    assert head[:4] == ["原表行号", "问题", "改法", "编号"]
    row = list(sheet[4])
    assert (row[0].value, row[3].value, row[5].value) == (5, "P4", "0.9")
    marked = [cell.column for cell in row if cell.fill.fgColor.rgb == "FFFFE08A"]
    assert marked == [head.index("名称") + 1]
    duties = [[cell.value for cell in line] for line in book["责任部门"].iter_rows(min_row=3)]
    first = dict(zip(duties[0], duties[1], strict=True))
    assert (first["由谁补正"], first["退回行数"]) == ("城市管理（排水）主管部门", 1)
    assert "位于本地" in first["补齐后的影响"]
    words = {str(cell.value) for line in book["退回行"].iter_rows() for cell in line}
    assert "必填项为空" in words
    assert not words & set(load_rules())
    missing = [[cell.value for cell in line] for line in book["缺少的图层"].iter_rows(min_row=4)]
    road = pd.DataFrame(missing).set_index(0)
    assert "道路" not in road.index  # it is given
    assert "OpenStreetMap" in road.loc["水系", 3]
    assert "GeoTIFF" in road.loc["地形高程", 4]
    assert "人口" not in road.index


def test_the_public_edition_keeps_no_row_as_it_was(tmp_path):
    from riskmap.export.public import redact

    project = make(tmp_path, [*GOOD, ("P4", "", 0.9, 350, 250)])
    result = redact(pipeline.run(project, profile="public"))
    assert all(s.written is None for layer in result.layers.values() for s in layer.sources)
    assert all(layer.returned is None for layer in result.layers.values())

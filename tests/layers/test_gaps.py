from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from riskmap.errors import Problem
from riskmap.i18n import language, text
from riskmap.layers.gaps import completeness, ledger
from riskmap.layers.layer import Layer, Source
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()


def problem(severity, **words):
    base = {"role": "flood_point", "rule": "range", "message": text("Rows"), "mend": text("Rows")}
    return Problem(severity=severity, **{**base, **words})


@pytest.fixture
def layer():
    table = gpd.GeoDataFrame(
        {"name": ["甲", "乙", " ", None], "depth_m": [0.1, None, None, 0.3]},
        geometry=shapely.points([[0, 0]] * 4),
        crs="EPSG:4548",
    )
    source = Source(
        "积水点.xlsx", Path("积水点.xlsx"), "表1", "utf-8", "EPSG:4326", "gcj02", 7, 4, 3
    )
    return Layer("flood_point", table, sources=(source,))


def test_overview_keeps_the_count_of_rows(layer):
    notes = [problem("note", file="积水点.xlsx"), problem("note", file="积水点.xlsx")]
    bad = problem("unusable", role="dem", file="dem.tif")
    overview = ledger({"flood_point": layer}, ROLES, [*notes, bad], [])["概况"].table
    first = overview.iloc[0]
    assert (first["rows_in"], first["rows_used"], first["rows_returned"], first["notes"]) == (
        7,
        4,
        3,
        2,
    )
    assert first["rows_in"] == first["rows_used"] + first["rows_returned"]
    assert overview["usable"].tolist() == [True, False]
    assert str(overview.loc[1, "layer"]) == "地形高程"


def test_completeness_by_hand(layer):
    table = completeness(layer, ROLES["flood_point"]).set_index("field")
    shown = {str(field): share for field, share in table["filled_percent"].items()}
    assert shown["名称"] == 50.0
    assert shown["积水深度"] == 50.0
    assert shown["责任单位"] == 0.0


def test_problems_stand_in_their_sheets_with_labels(layer):
    problems = [
        problem("returned", file="a.xlsx", sheet="表1", row=5, field="depth_m", value="=1+1"),
        problem("note", file="a.xlsx"),
        problem("returned", role="unknown_role", field="x"),
    ]
    sheets = {k: s.table for k, s in ledger({"flood_point": layer}, ROLES, problems, []).items()}
    returned = sheets["退回行"]
    assert len(returned) == 2
    assert len(sheets["提示"]) == 1
    row = returned.iloc[0]
    assert (row["file"], row["sheet"], row["row"], row["value"]) == ("a.xlsx", "表1", 5, "=1+1")
    assert (str(row["layer"]), str(row["field"])) == ("易涝积水点", "积水深度")
    assert pd.isna(returned.iloc[1]["row"])


def test_missing_layers_say_what_their_absence_costs():
    missing = ledger({}, ROLES, [], ["refuge", "dem", "nothing"])["缺少的图层"].table
    assert missing["layer"].map(str).tolist() == ["避难场所", "地形高程"]
    assert missing["cost"].map(str).str.len().min() > 5


def test_unverified_presets_are_listed_and_sourced_ones_are_not():
    presets = load_presets()
    presets["flood.level_depth_m"], presets["geohazard.people"]
    sheet = ledger({}, ROLES, [], [], presets=presets.used())["未核实、待复核参数"].table
    assert sheet["key"].tolist() == ["flood.level_depth_m"]
    assert sheet["value"].tolist() == ["[0.15, 0.27, 0.5]"]
    assert str(sheet["status"][0]) == "未核实"


def test_english_names_of_the_sheets():
    with language("en"):
        assert list(ledger({}, ROLES, [], []))[:2] == ["Overview", "By department"]


def test_every_heading_of_the_ledger_has_chinese(layer):
    for sheet in ledger({"flood_point": layer}, ROLES, [], []).values():
        assert all(not str(label).isascii() for label in sheet.labels.values())

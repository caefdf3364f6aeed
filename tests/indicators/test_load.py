"""The indicator table: the shipped one is sound, and every fault is named at once."""

from pathlib import Path

import pandas as pd
import pytest

from riskmap.errors import IndicatorError
from riskmap.i18n import LANGUAGES, language
from riskmap.indicators.table import load_table, parse_options

HEAD = "code,parent,kind,name_zh,name_en,direction,weight,unit,method,layer,options,zonal\n"
GOOD = (
    "RISK,,group,风险,Risk,1,1,1,,,,\n"
    "HAZARD,RISK,group,危险性,Hazard,1,1,1,,,,\n"
    "H_W,HAZARD,indicator,距水系,To water,-1,2,m,distance,waterway,cap_m=500,mean\n"
)


def write(tmp_path: Path, rows: str, head: str = HEAD) -> Path:
    file = tmp_path / "own.csv"
    file.write_text(head + rows, encoding="utf-8-sig")
    return file


def test_shipped_table():
    table = load_table()
    assert table.index[0] == "RISK"
    components = table[table["parent"] == "RISK"]
    assert list(components.index) == ["HAZARD", "EXPOSURE", "VULNERABILITY", "CAPACITY"]
    assert components["weight"].sum() == pytest.approx(1)
    assert set(table["status"]) <= {"sourced", "check", "unverified"}
    measured = table[table["kind"] == "indicator"]
    assert (measured["unit"] != "").all()
    assert (table["source"] != "").all()
    assert (table["name_zh"] != table["name_en"]).all()


def test_own_table_as_excel_saves_it(tmp_path):
    table = load_table(write(tmp_path, GOOD))
    assert table.loc["H_W", ["direction", "weight", "status"]].tolist() == [-1, 2.0, "unverified"]


def test_names_stand_in_for_each_other(tmp_path):
    rows = GOOD.replace("距水系", "").replace("危险性,Hazard", ",")
    table = load_table(write(tmp_path, rows))
    assert table.loc["H_W", "name_zh"] == "To water"
    assert table.loc["HAZARD", ["name_zh", "name_en"]].tolist() == ["HAZARD", "HAZARD"]


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        (("HAZARD,indicator", "HAZRD,indicator"), "parent", "HAZARD"),
        ((",indicator,", ",indikator,"), "kind", "indicator"),
        (("-1,2,m", "0,2,m"), "direction", "-1"),
        (("-1,2,m", "-1,-2,m"), "weight", "0.25"),
        (("-1,2,m", "-1,nan,m"), "weight", "0.25"),
        (("-1,2,m", "-1,,m"), "weight", "0.25"),
        ((",distance,", ",distnce,"), "method", "distance"),
        (("waterway", ""), "layer", ""),
        (("cap_m=500", "cap=500"), "options", "cap_m"),
        (("cap_m=500", ""), "options", "cap_m=1"),
        (("cap_m=500", "cap_m=1|2"), "options", "cap_m=1"),
        (("cap_m=500", "cap_m=-4"), "options", "cap_m=1"),
        (("cap_m=500", "cap_m=500;unless=E_POPP"), "options", ""),
        ((",mean", ",men"), "zonal", "mean"),
        (("H_W,", "=H W,"), "code", ""),
        (("H_W,", "HAZARD,"), "code", ""),
        (("RISK,,", "RISK,HAZARD,"), "parent", ""),
        ((",Hazard,1,", ",Hazard,-1,"), "direction", "1"),
    ],
)
def test_each_fault_is_named_with_a_way_to_mend_it(tmp_path, change, field, hint):
    file = write(tmp_path, GOOD.replace(*change))
    for code in LANGUAGES:
        with language(code), pytest.raises(IndicatorError) as error:
            load_table(file)
        found = [problem for problem in error.value.problems if problem.field == field]
        assert found
        assert any(hint in str(problem.mend) for problem in found)
        assert all(problem.file == "own.csv" for problem in found)


def test_all_faults_come_at_once_with_their_row(tmp_path):
    rows = GOOD + "H_X,NOWHERE,indicator,,,2,x,m,magic,waterway,,never\n"
    with pytest.raises(IndicatorError) as error:
        load_table(write(tmp_path, rows))
    problems = [problem for problem in error.value.problems if problem.row == 5]
    assert {problem.field for problem in problems} == {
        "parent", "direction", "weight", "method", "zonal",
    }  # fmt: skip


def test_a_group_without_weight_below_it(tmp_path):
    with pytest.raises(IndicatorError) as error:
        load_table(write(tmp_path, GOOD.replace("-1,2,m", "-1,0,m")))
    assert [problem.value for problem in error.value.problems] == ["HAZARD"]


def test_circles_and_several_roots(tmp_path):
    rows = GOOD + "A,B,group,,,1,1,,,,,\nB,A,group,,,1,1,,,,,\nR2,,group,,,1,1,,,,,\n"
    with pytest.raises(IndicatorError) as error:
        load_table(write(tmp_path, rows))
    assert {p.value for p in error.value.problems if "circle" in p.message.msgid} == {"A", "B"}
    assert any(("n", 2) in problem.message.params for problem in error.value.problems)


def test_files_that_are_no_table(tmp_path):
    with pytest.raises(IndicatorError, match="flood_season"):
        load_table(tmp_path / "missing.csv")
    with pytest.raises(IndicatorError, match="direction"):
        load_table(write(tmp_path, "a,b\n", head="code,parent\n"))
    for content in (b"", b"\xff\xfe\x00\x81", "指标".encode("gbk")):
        (tmp_path / "bad.csv").write_bytes(content)
        with pytest.raises(IndicatorError, match=r"bad\.csv"):
            load_table(tmp_path / "bad.csv")
    with pytest.raises(IndicatorError):
        load_table(tmp_path)


def test_a_table_saved_by_chinese_excel_is_read(tmp_path):
    file = write(tmp_path, GOOD)
    saved = tmp_path / "gbk.csv"
    saved.write_bytes(file.read_text(encoding="utf-8-sig").encode("gb18030"))
    pd.testing.assert_frame_equal(load_table(saved), load_table(file))


def test_options():
    assert parse_options(" a = 1|2 ;b=x;; c") == {"a": "1|2", "b": "x", "c": ""}
    assert parse_options("") == {}

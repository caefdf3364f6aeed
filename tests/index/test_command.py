"""`riskmap index` through its function: files in, folder out, all problems at once."""

import hashlib
import json

import pandas as pd
import pytest

from riskmap.cli.index_files import run_index
from riskmap.errors import ExportError, IndicatorError
from riskmap.i18n import language

INDICATORS = """code,parent,kind,direction,weight,denominator,denominator_scale,name_zh
flood,HAZARD,indicator,1,2,area,10,积水点密度
slope,HAZARD,indicator,-1,1,,,坡度
people,EXPOSURE,indicator,1,1,,,人口
HAZARD,RISK,group,,1,,,致灾危险性
EXPOSURE,RISK,group,,1,,,暴露度
RISK,,group,,,,,综合风险
"""
VALUES = """unit,flood,slope,people,area,zone
甲,1,10,100,2,x
乙,4,20,300,2,x
丙,9,30,500,3,y
丁,,40,"1,200",4,y
"""
STEPS = """
- {step: denominate}
- {step: impute, method: group_mean, group: zone}
- {step: normalise, method: minmax, low: 0, high: 100}
- {step: weight, method: given}
- {step: aggregate, method: arithmetic}
- {step: classify, code: RISK, method: quantile, k: 2}
"""


@pytest.fixture
def write(tmp_path):
    def put(values=VALUES, indicators=INDICATORS, steps=STEPS, encoding="utf-8"):
        for name, content in (("v.csv", values), ("i.csv", indicators), ("s.yaml", steps)):
            (tmp_path / name).write_text(content, encoding=encoding)
        return tmp_path

    return put


def run(folder, **options):
    steps = options.pop("steps", folder / "s.yaml")
    return run_index(folder / "v.csv", folder / "i.csv", steps=steps, out=folder / "out", **options)


def problems_of(folder, **options):
    with pytest.raises(IndicatorError) as caught, language("en"):
        run(folder, **options)
    with language("en"):
        return str(caught.value), {p.rule for p in caught.value.problems}


def test_all_stages_by_hand(write):
    folder = write()
    report = run(folder, leave_one_out=1)
    assert report["exit_code"] == 0
    out = folder / "out"
    read = {p.name: pd.read_csv(p, index_col=0) for p in out.glob("*.csv")}
    stages = ("1_raw", "2_denominated", "3_imputed", "4_treated", "5_normalised", "6_aggregated")
    assert {f"{s}.csv" for s in stages} <= set(read)
    assert read["1_raw.csv"].loc["丁", "people"] == 1200
    assert read["2_denominated.csv"]["flood"].tolist()[:3] == [5, 20, 30]
    assert read["3_imputed.csv"].loc["丁", "flood"] == 30, "mean of zone y"
    assert read["4_treated.csv"].equals(read["3_imputed.csv"])
    assert read["5_normalised.csv"]["flood"].tolist() == [0, 60, 100, 100]
    assert read["5_normalised.csv"]["slope"].tolist() == pytest.approx([100, 200 / 3, 100 / 3, 0])
    hazard = [100 / 3, (120 + 200 / 3) / 3, (200 + 100 / 3) / 3, 200 / 3]
    assert read["scores.csv"]["HAZARD"].tolist() == pytest.approx(hazard)
    assert read["6_aggregated.csv"]["RISK"].tolist() == read["scores.csv"]["RISK"].tolist()
    assert read["ranks.csv"]["RISK"].tolist() == [4, 3, 2, 1]
    assert read["classes.csv"]["RISK"].tolist() == [1, 1, 2, 2]
    assert (out / "1_raw.csv").read_text("utf-8").startswith("unit,")
    assert list(read["leave_one_out.csv"].index) == ["flood", "slope", "people"]
    saved = json.loads((out / "report.json").read_text("utf-8"))
    assert saved["missing"] == ["丁/flood"]
    assert saved["steps"]["impute"] == [["丁", "flood", 30.0]]
    assert saved["effective_weights"]["flood"] == pytest.approx(1 / 3)
    assert json.loads((out / "params.json").read_text("utf-8"))["steps"][0]["step"] == "denominate"


def test_without_steps_minmax_given_arithmetic(write):
    folder = write()
    run(folder, steps=None)
    table = pd.read_csv(folder / "out" / "5_normalised.csv", index_col=0)
    assert table["people"].tolist() == pytest.approx([0, 2 / 11, 4 / 11, 1])


def test_gbk_files_are_read(write):
    assert run(write(encoding="gb18030"))["rows_used"] == 4


def test_frozen_breaks_and_goalposts_from_an_earlier_run(write):
    folder = write()
    run(folder)
    (folder / "out").rename(folder / "last_year")
    frozen = STEPS.replace("high: 100", "high: 100, frozen: last_year/params.json")
    frozen = frozen.replace("k: 2", "k: 2, frozen: last_year/params.json")
    folder = write(values=VALUES.replace("500", "900"), steps=frozen)
    run(folder)
    table = pd.read_csv(folder / "out" / "5_normalised.csv", index_col=0)
    assert table.loc["丙", "people"] == pytest.approx(800 / 11)


def test_a_corrupt_row_is_returned_and_the_rest_is_used(write):
    corrupt = VALUES.replace("乙,4,20,300,2,x", "乙,4,二十,300,2,x") + "戊,1,2\n"
    folder = write(values=corrupt)
    report = run(folder)
    assert report["exit_code"] == 1
    assert (report["rows_in"], report["rows_used"], report["rows_returned"]) == (5, 3, 2)
    assert [(p["row"], p["value"]) for p in report["returned"]] == [(3, "二十"), (6, "")]
    assert list(pd.read_csv(folder / "out" / "scores.csv", index_col=0).index) == ["甲", "丙", "丁"]


@pytest.mark.parametrize(
    ("change", "rules", "names"),
    [
        (("i", "slope,HAZARD", "slope,HAZZARD"), {"unknown_parent"}, ["slope", "HAZARD"]),
        (("i", "RISK,,group,,,", "RISK,HAZARD,group,,1,"), {"root", "cycle"}, ["HAZARD", "RISK"]),
        (("i", "EXPOSURE,RISK,", "EXPOSURE,,"), {"root"}, ["EXPOSURE, RISK"]),
        (("i", "slope,HAZARD,indicator,-1", "slope,HAZARD,indicator,3"), {"direction"}, ["slope"]),
        (("i", "HAZARD,RISK,group,,1", "HAZARD,RISK,group,,-1"), {"weight"}, ["HAZARD"]),
        (("i", "people,", "persons,"), {"missing_column"}, ["persons", "people"]),
        (("i", "area,10", "aria,10"), {"denominator"}, ["aria", "area"]),
        (("i", "people,EXPOSURE,indicator,1,1", "people,EXPOSURE,indicator,1,0"), {"weights"}, ["EXPOSURE"]),
        (("v", "丙,9", "乙,9"), {"unit_twice"}, ["乙"]),
        (("v", "乙,4,20,300,2", "乙,4,20,300,0"), {"denominator"}, ["乙/area"]),
        (("s", "minmax", "minimax"), {"method"}, ["minmax"]),
        (("s", "low: 0,", "low: {slop: 1},"), {"unknown_code"}, ["slop", "slope"]),
        (("s", "arithmetic", "{default: arithmetic, RISC: geometric}"), {"unknown_code"}, ["RISC", "RISK"]),
        (("s", "low: 0, high", "lower: 0, high"), {"option"}, ["lower", "low"]),
        (("s", "k: 2", "k: five"), {"form"}, ["classify", "five"]),
        (("s", "step: impute", "step: inpute"), {"step"}, ["inpute", "impute"]),
        (("s", "group: zone", "group: zones"), {"missing_column"}, ["zones", "zone"]),
        (("s", "low: 0, high: 100", "low: 5, high: 5"), {"range"}, ["flood", "slope", "people"]),
        (("s", "code: RISK", "code: RISKS"), {"unknown_code"}, ["RISKS"]),
    ],
)  # fmt: skip
def test_bad_input_is_said_with_its_codes(write, change, rules, names):
    which, old, new = change
    files = {"v": VALUES, "i": INDICATORS, "s": STEPS}
    assert old in files[which]
    files[which] = files[which].replace(old, new)
    folder = write(values=files["v"], indicators=files["i"], steps=files["s"])
    message, found = problems_of(folder)
    assert found == rules
    assert all(name in message for name in names)
    assert not (folder / "out").exists()


def test_all_problems_in_one_message(write):
    values = VALUES.replace("丙,9", "乙,9").replace(",100,", ",,").replace(",300,", ",,")
    values = values.replace(",500,", ",,").replace('"1,200"', "")
    steps = STEPS.replace("method: minmax, low: 0, high: 100",
                          "method: goalposts, goalposts: {default: [9, 1]}")  # fmt: skip
    steps = steps.replace(
        "method: given", "method: {RISK: ahp}, matrices: {RISK: {matrix: [[1, 3], [3, 1]]}}"
    )
    message, found = problems_of(write(values=values, steps=steps))
    assert found == {"unit_twice", "all_missing", "goalposts", "ahp_reciprocal"}
    assert all(word in message for word in ("乙", "people", "flood", "HAZARD/EXPOSURE"))


def test_constant_column_is_zero_with_a_warning(write):
    report = run(
        write(values=VALUES.replace("300", "100").replace("500", "100").replace('"1,200"', "100"))
    )
    assert any("people" in note["en"] for note in report["notes"])


def test_negative_under_a_geometric_mean_names_the_cells(write):
    steps = STEPS.replace("minmax, low: 0, high: 100", "zscore").replace("arithmetic", "geometric")
    message, found = problems_of(write(steps=steps))
    assert found == {"negative"}
    assert "甲/flood" in message


def test_no_such_level(write):
    message, found = problems_of(write(), leave_one_out=3)
    assert found == {"level"}
    assert "2" in message


@pytest.mark.parametrize("steps", ["- [1", "step: screen", "- {method: x}", "[]x: ]"])
def test_broken_steps_file(write, steps):
    _message, found = problems_of(write(steps=steps))
    assert found <= {"yaml", "steps"}


def test_missing_and_empty_files(write):
    folder = write(values="")
    assert problems_of(folder)[1] == {"empty_file"}
    (folder / "v.csv").unlink()
    assert problems_of(folder)[1] == {"file"}


def test_an_existing_folder_is_replaced_as_a_whole_and_kept_on_failure(write):
    folder = write()
    run(folder, leave_one_out=1)
    assert (folder / "out" / "leave_one_out.csv").exists()
    (folder / "i.csv").write_text(INDICATORS.replace("people,", "persons,"))
    problems_of(folder)
    assert (folder / "out" / "leave_one_out.csv").exists()
    run(write())
    assert not (folder / "out" / "leave_one_out.csv").exists()
    assert sorted(p.name for p in folder.iterdir()) == ["i.csv", "out", "s.yaml", "v.csv"]


def test_a_folder_of_somebody_else_is_left_as_it_is(write):
    folder = write()
    (folder / "out").mkdir()
    (folder / "out" / "thesis.docx").write_text("years of work")
    with pytest.raises(ExportError, match="out"):
        run(folder)
    assert [path.name for path in (folder / "out").iterdir()] == ["thesis.docx"]


def test_the_manifest_hashes_input_and_output(write):
    folder = write()
    run(folder)
    manifest = json.loads((folder / "out" / "manifest.json").read_text("utf-8"))
    files = {p.name: p for p in (folder / "out").iterdir() if p.name != "manifest.json"}
    assert manifest["outputs"].keys() == files.keys()
    said = {entry["file"]: entry["sha256"] for entry in manifest["inputs"]}
    said |= {name: entry["sha256"] for name, entry in manifest["outputs"].items()}
    files |= {name: folder / name for name in ("v.csv", "i.csv", "s.yaml")}
    assert said == {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in files.items()}


def test_a_file_in_the_place_of_the_folder(write):
    folder = write()
    (folder / "out").write_text("a file")
    with pytest.raises(ExportError):
        run(folder)


def test_draws_write_intervals_pictures_and_the_same_bytes_twice(write):
    folder = write()
    run(folder, draws=64)
    first = {p.name: p.read_bytes() for p in (folder / "out").iterdir()}
    assert {"uncertainty.csv", "sobol.csv", "ranking.svg", "classes.svg", "sobol.svg"} <= set(first)
    table = pd.read_csv(folder / "out" / "uncertainty.csv", index_col=0)
    said = json.loads(first["report.json"])
    assert said["uncertainty"]["borderline"] == table.index[table["borderline"]].tolist()
    run(folder, draws=64)
    assert {p.name: p.read_bytes() for p in (folder / "out").iterdir()} == first

"""The table goes out, officers fill it in, it comes back: by the command line, as they would."""

import contextlib
import io
import json
import shutil
from dataclasses import dataclass

import openpyxl
import pytest

from riskmap.cli.app import main
from riskmap.register.merge import as_code
from tests import town


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def riskmap(*words):
    """Run a command line in this process, which spares the start of another."""
    out, said = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(said),
        pytest.raises(SystemExit) as end,
    ):
        main([str(word) for word in words])
    return Done(end.value.code or 0, out.getvalue(), said.getvalue())


def answer(*words, code=0):
    done = riskmap(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """A town that was run once, so that its register lists three items."""
    folder = tmp_path_factory.mktemp("town")
    project = town.write(folder)
    assert riskmap("run", project, "--out", folder / "out").returncode == 0
    return folder


@pytest.fixture
def project(listed, tmp_path):
    shutil.copytree(listed, tmp_path / "p")
    return next((tmp_path / "p").glob("*.yaml"))


def sent_out(project, name="out.xlsx"):
    book = project.parent / name
    book.unlink(missing_ok=True)  # one that was filled in is not written over
    done = riskmap("control", "export", project, "--out", book)
    assert done.returncode == 0, done.stderr
    return book


def edit(book, **changes):
    """Fill in cells of the first item, by heading, as an officer does; give the item's number."""
    work = openpyxl.load_workbook(book)
    sheet = work.worksheets[0]
    row, heads = next(
        (i, [cell.value for cell in line])
        for i, line in enumerate(sheet.iter_rows(max_row=12), start=1)
        if any(cell.value == "项目编号" for cell in line)
    )
    number = sheet.cell(row + 1, heads.index("项目编号") + 1).value
    for head, value in changes.items():
        sheet.cell(row + 1, heads.index(head) + 1).value = value
    work.save(book)
    return number


def test_what_nobody_changed_changes_nothing(project):
    assert answer("control", "import", project, sent_out(project)) == {
        "imported": 0, "unchanged": 3, "refused": [], "conflicts": [],
    }  # fmt: skip


def test_the_way_to_signing_off_and_what_is_counted(project):
    steps = [
        {"状态": "整改中", "备注": "已派施工队"},
        {"状态": "已整改"},
        {
            "状态": "已销号",
            "复核人": "复核人A",
            "销号日期": "2026.5.3",
            "抽查记录": "现场抽查",
            "评估意见": "风险消除",
        },
    ]
    for change in steps:
        book = sent_out(project)
        number = edit(book, **change)
        assert answer("control", "import", project, book, "--by", "镇级管理员")["imported"] == 1
    told = answer("control", "status", project)
    assert (told["items"], told["open"], told["closed"]) == (3, 2, 1)
    assert told["by_state"]["closed"] == 1
    events = answer("control", "history", project, number)["events"]
    assert [event["kind"] for event in events] == ["listed", "state", "state", "state"]
    assert events[-1]["changes"]["closed_on"] == "2026-05-03"
    assert events[-1]["by"] == "镇级管理员"
    # The next run keeps it: out of list and table, in the sheet of what is signed off.
    out = project.parent / "again"
    assert riskmap("run", project, "--out", out).returncode == 0
    book = openpyxl.load_workbook(out / "管控一张表.xlsx")
    open_ones = [[c.value for c in line] for line in book.worksheets[0].iter_rows(min_row=4)]
    assert number not in [cell for line in open_ones for cell in line]
    signed = [cell.value for line in book["已销号"].iter_rows() for cell in line]
    assert number in signed
    assert answer("control", "status", project) == told


def test_a_step_too_many_a_missing_proof_and_a_stranger_are_refused_row_by_row(project):
    book = sent_out(project)
    edit(
        book, 状态="已销号", 复核人="复核人A", 销号日期="2026-05-03", 佐证材料="照片", 评估意见="好"
    )
    said = answer("control", "import", project, book, code=1)
    assert [(r["field"], r["value"]) for r in said["refused"]] == [("state", "已销号")]
    assert (said["imported"], said["unchanged"]) == (0, 2)
    book = sent_out(project)
    edit(book, 项目编号="NO-1", 状态="整改中")
    assert answer("control", "import", project, book, code=1)["refused"][0]["field"] == "item_id"
    book = sent_out(project)
    edit(book, 状态="整改中", 销号日期="下周")
    said = answer("control", "import", project, book, code=1)
    assert [r["field"] for r in said["refused"]] == ["closed_on"]
    assert answer("control", "status", project)["by_state"]["found"] == 3


def test_two_officers_and_one_cell(project):
    one, two = sent_out(project, "one.xlsx"), sent_out(project, "two.xlsx")
    number = edit(one, 备注="已清淤", 状态="整改中")
    edit(two, 备注="已换泵", 抽查记录="5月2日抽查")
    said = answer("control", "import", project, one, two, code=1)
    assert said["imported"] == 1
    conflict = {k: v for k, v in said["conflicts"][0].items() if k != "file"}
    assert conflict == {
        "item_id": number, "field": "remark", "base": "", "ours": "已清淤", "theirs": "已换泵",
    }  # fmt: skip
    left = project.parent / "left.xlsx"
    assert riskmap("control", "import", project, two, "--out", left).returncode == 1
    rows = list(openpyxl.load_workbook(left)["冲突清单"].iter_rows(min_row=3, values_only=True))
    assert rows == [("two.xlsx", number, "备注", "", "已清淤", "已换泵")]
    # Other cells of the same row merge.
    three = sent_out(project, "three.xlsx")
    edit(two, 备注=None)
    edit(three, 佐证材料="照片2张")
    said = answer("control", "import", project, two, three)
    assert said["imported"] == 2
    changes = [
        event["changes"] for event in answer("control", "history", project, number)["events"]
    ]
    assert changes[-2:] == [{"spot_check": "5月2日抽查"}, {"evidence": "照片2张"}]


def test_the_same_workbook_twice_is_taken_once(project):
    book = sent_out(project)
    edit(book, 状态="已上报")
    assert answer("control", "import", project, book)["imported"] == 1
    assert answer("control", "import", project, book) == {
        "imported": 0, "unchanged": 3, "refused": [], "conflicts": [],
    }  # fmt: skip


def test_a_deadline_moves_only_by_an_extension_with_a_reason(project):
    book = sent_out(project)
    edit(book, 完成时限="2027-01-15")
    said = answer("control", "import", project, book, code=1)
    assert [(r["field"], r["value"]) for r in said["refused"]] == [("deadline", "2027-01-15")]
    assert "延期至" in said["refused"][0]["why"]
    number = edit(book, 延期至="2027-01-15")
    said = answer("control", "import", project, book, code=1)
    assert [r["field"] for r in said["refused"]] == ["extended"]
    edit(book, 备注="管网改造需跨年")
    assert answer("control", "import", project, book)["imported"] == 1
    last = answer("control", "history", project, number)["events"][-1]
    assert (last["kind"], last["changes"]["deadline"]) == ("extended", "2027-01-15")
    # A later date of the data does not move it: the next run shows the date that was granted.
    out = project.parent / "later"
    assert riskmap("run", project, "--out", out).returncode == 0
    sheet = openpyxl.load_workbook(out / "管控一张表.xlsx").worksheets[0]
    row = next(r for r in sheet.iter_rows(values_only=True) if number in r)
    assert "2027-01-15" in row


def test_deadlines_stay_when_the_date_of_the_data_moves_on(listed, tmp_path):
    shutil.copytree(listed, tmp_path / "p")
    project = next((tmp_path / "p").glob("*.yaml"))
    before = answer("control", "status", project, "--on", "2026-01-01")
    assert before["overdue"] == 0
    late = answer("control", "status", project, "--on", "2099-01-01")
    assert late["overdue"] == late["open"] == 3
    lines = project.read_text(encoding="utf-8").splitlines()
    moved = ["data_date: '2099-01-01'" if line.startswith("data_date") else line for line in lines]
    project.write_text("\n".join(moved), encoding="utf-8")
    out = project.parent / "later"
    assert riskmap("run", project, "--out", out).returncode == 0
    assert answer("control", "status", project)["overdue"] == 3
    sheet = openpyxl.load_workbook(out / "管控一张表.xlsx").worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    heads = next(list(r) for r in rows if "是否超期" in r or "超期" in r)
    at = heads.index("超期" if "超期" in heads else "是否超期")
    assert [r[at] for r in rows[rows.index(tuple(heads)) + 1 :] if r[0]] == ["是"] * 3


def test_a_run_does_not_swallow_a_table_that_was_filled_in_by_hand(project):
    out = project.parent / "out"
    book = out / "管控一张表.xlsx"
    work = openpyxl.load_workbook(book)
    sheet = work.worksheets[0]
    heads = [cell.value for cell in sheet[3]]
    sheet.cell(4, heads.index("状态") + 1).value = "整改中"
    work.save(book)
    refused = riskmap("run", project, "--out", out)
    assert refused.returncode == 1
    assert "管控一张表.xlsx" in refused.stderr
    assert answer("control", "import", project, book)["imported"] == 1
    assert riskmap("run", project, "--out", out).returncode == 0
    shown = openpyxl.load_workbook(book).worksheets[0]
    assert shown.cell(4, heads.index("状态") + 1).value == "整改中"


def test_edits_are_lost_only_when_told(project):
    out = project.parent / "out"
    book = out / "管控一张表.xlsx"
    work = openpyxl.load_workbook(book)
    heads = [cell.value for cell in work.worksheets[0][3]]
    work.worksheets[0].cell(4, heads.index("状态") + 1).value = "整改中"
    work.save(book)
    assert riskmap("run", project, "--out", out, "--discard-edits").returncode == 0
    assert answer("control", "status", project)["by_state"]["mending"] == 0


def test_what_goes_out_is_locked_but_for_what_is_to_be_filled_in(project):
    sheet = openpyxl.load_workbook(sent_out(project)).worksheets[0]
    assert sheet.protection.sheet
    heads = [cell.value for cell in sheet[3]]
    free = {heads[i] for i, cell in enumerate(sheet[4]) if not cell.protection.locked}
    assert free == {
        "状态", "复核人", "销号日期", "抽查记录", "佐证材料", "评估意见", "备注", "挂牌级别", "即查即改", "上报时间",
        "延期至",
    }  # fmt: skip
    drop_downs = {
        str(rule.sqref).split(":")[0].rstrip("0123456789")
        for rule in sheet.data_validations.dataValidation
    }
    assert len(drop_downs) == 3


@pytest.mark.parametrize(
    ("field", "written", "code"),
    [
        ("state", "整改中", "mending"), ("state", "being mended", "mending"), ("state", "发现", "found"),
        ("state", "已整改", "review"), ("state", "整改 完毕。", "review"),
        ("state", "进行中", "mending"), ("state", "销号", "closed"), ("listed", "市级", "city"),
        ("listed", "无", None), ("on_the_spot", "是", "yes"), ("on_the_spot", "否", None),
        ("closed_on", "2026年5月3日", "2026-05-03"), ("closed_on", "2026/5/3", "2026-05-03"),
        ("remark", " 好 ", "好"), ("reviewer", "-", None), ("remark", "", None), ("state", " ", None),
    ],
)  # fmt: skip
def test_words_of_officers(field, written, code):
    assert as_code(field, written) == (code, None)


@pytest.mark.parametrize(
    ("field", "written"), [("state", "差不多"), ("closed_on", "2026-05"), ("listed", "乡")]
)
def test_words_that_say_nothing_are_refused(field, written):
    value, why = as_code(field, written)
    assert value is None
    assert str(why)


def test_results_stand_although_the_register_cannot_be_written(project, monkeypatch):
    import sqlite3

    from riskmap.register import events

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(events, "append", full)
    out = project.parent / "full"
    done = riskmap("run", project, "--out", out)
    assert done.returncode == 0
    assert "full" in done.stdout + done.stderr
    assert (out / "onemap.html").exists()


def test_what_is_signed_off_goes_out_too_when_asked_and_the_bulletin_tells_it(project):
    book = sent_out(project)
    edit(book, 状态="已整改", 即查即改="是")
    assert answer("control", "import", project, book, "--on", "2026-03-02")["imported"] == 1
    book = sent_out(project)
    number = edit(
        book, 状态="已销号", 复核人="A", 销号日期="2026-03-03", 佐证材料="照片", 评估意见="好"
    )
    assert answer("control", "import", project, book, "--on", "2026-03-03")["imported"] == 1
    whole = project.parent / "whole.xlsx"
    assert riskmap("control", "export", project, "--out", whole, "--closed").returncode == 0
    assert answer("control", "import", project, whole)["unchanged"] == 3
    told = answer("control", "bulletin", project, "--since", "2026-03-02", "--on", "2026-03-31")
    assert (told["closed"], told["open"], told["found"]) == (1, 2, 0)
    out, letters = project.parent / "b.xlsx", project.parent / "l.xlsx"
    words = ("--since", "2026-03-01", "--on", "2026-04-15", "--out", out, "--letters", letters)
    done = riskmap("control", "bulletin", project, *words, "--by", "duty_unit")
    assert done.returncode == 0
    assert "销号1项" in done.stdout
    signed = openpyxl.load_workbook(out)["本期销号事项"]
    assert number in [cell.value for cell in signed["A"]]
    assert len(openpyxl.load_workbook(letters).worksheets) == 1
    for words in (
        ("--since", "5月"),
        ("--since", "2026-06-01"),
        ("--since", "2026-03-01", "--by", "x"),
    ):
        assert riskmap("control", "bulletin", project, *words, "--on", "2026-04-15").returncode == 2


def test_status_starts_light(project):
    """A register of 100 000 items answers within a second only when nothing heavy is loaded."""
    import subprocess
    import sys

    code = (
        "import sys\nfrom riskmap.cli.app import main\n"
        "try:\n    main(['control', 'status', sys.argv[1], '--json'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pandas', 'numpy', 'geopandas', 'numba'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, project], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["items"] == 3
    assert done.stderr.strip().splitlines()[-1] == "[]"


def on_the_map(project, name, *, move=0.0, drop=(), **changes):
    """Send a layer out, edit its first feature as QGIS does, write it anew; give path and number."""
    import geopandas as gpd
    from shapely.affinity import translate

    path = sent_out(project, f"{name}.gpkg")
    layer = gpd.read_file(path)
    for head, value in changes.items():
        layer.loc[0, head] = value
    if move:
        layer.loc[[0], "geometry"] = [translate(layer.geometry[0], move)]
    layer = layer.drop(columns=list(drop))
    layer.to_file(path, driver="GPKG", layer="control")
    return path, layer["项目编号"][0]


def test_layers_from_a_map_merge_as_workbooks_do(project):
    one, number = on_the_map(project, "one", 状态="整改中", 备注="已清淤")
    two, _ = on_the_map(project, "two", 备注="已换泵", 抽查记录="已抽查")
    said = answer("control", "import", project, one, two, code=1)
    assert said["imported"] == 1
    conflict = {k: v for k, v in said["conflicts"][0].items() if k != "file"}
    assert conflict == {
        "item_id": number, "field": "remark", "base": "", "ours": "已清淤", "theirs": "已换泵",
    }  # fmt: skip
    book = sent_out(project, "three.xlsx")
    assert answer("control", "import", project, book, one)["unchanged"] == 6


def test_a_point_that_was_moved_is_told_and_a_new_feature_refused(project):
    import geopandas as gpd
    import pandas as pd

    path, number = on_the_map(project, "moved", move=0.001, 状态="已上报")
    said = answer("control", "import", project, path)
    assert said["imported"] == 1
    assert number in said["notes"][0]
    path, number = on_the_map(project, "new", drop=["_riskmap"], 状态="整改中")
    layer = gpd.read_file(path)
    fresh = layer.iloc[[1]].assign(项目编号=None, 状态="待上报")
    pd.concat([layer, fresh]).to_file(path, driver="GPKG", layer="control")
    said = answer("control", "import", project, path, code=1)
    assert [r["field"] for r in said["refused"]] == ["item_id"]
    assert said["imported"] == 1  # without what went out, what is there now is the base
    bad = project.parent / "bad.gpkg"
    bad.write_bytes(b"no layer")
    assert riskmap("control", "import", project, bad).returncode == 1


def test_a_book_of_another_project_is_refused(project):
    book = sent_out(project)
    edit(book, 状态="整改中")
    work = openpyxl.load_workbook(book)
    first = work["_riskmap"]["A1"]
    first.value = first.value.replace("示例镇", "别的镇")
    work.save(book)
    done = riskmap("control", "import", project, book)
    assert done.returncode == 1
    assert "别的镇" in done.stderr
    assert answer("control", "status", project)["by_state"]["mending"] == 0

"""What officers and their programs do to a table before it comes back, one by one."""

import sqlite3
from dataclasses import replace

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from riskmap.cli import register_files
from riskmap.errors import LayerError, UsageError
from riskmap.export.workbook.books import Form, write_form, write_layer
from riskmap.i18n import language
from riskmap.register.events import Event, append, current, open_register, summary
from riskmap.register.merge import build_form, merge, read_returned


@pytest.fixture
def base(tmp_path):
    rows = {"YL-001": "桥下", "YL-002": "路口", "YL-003": "市场"}
    with open_register(tmp_path / "r.sqlite", write=True) as opened:
        append(
            opened,
            [
                Event(
                    item_id=key, kind="listed", on="2026-03-01",
                    changes={"state": "found", "name": name, "town": "甲镇", "deadline": "2026-04-01",
                             "role": "flood_point", "level": 2, "people": 120, "remark": "旧"},
                )
                for key, name in rows.items()
            ],
        )  # fmt: skip
        yield opened


@pytest.fixture
def book(base, tmp_path):
    path = tmp_path / "发出.xlsx"
    form = build_form(current(base), project="某区", roles={}, on="2026-03-02")
    write_form(Form(**form), path, name="管控一张表")
    return path


class Sheet:
    """The table as openpyxl has it, by heading and row."""

    def __init__(self, path):
        self.path, self.work = path, openpyxl.load_workbook(path)
        self.sheet = self.work.worksheets[0]
        self.heads = [cell.value for cell in self.sheet[3]]

    def cell(self, row, head):
        return self.sheet.cell(4 + row, self.heads.index(head) + 1)

    def save(self):
        self.work.save(self.path)
        return read_returned(self.path)


def taken(base, returned):
    found = merge(base, [returned], on="2026-03-10")
    return {event.item_id: dict(event.changes) for event in found.events}, found


@pytest.mark.parametrize(
    "written", ["YL-001\u200b", "\u00a0YL-001 ", "ＹＬ－００１", "'YL-001", "YL-001\n"]
)
def test_numbers_with_letters_nobody_sees(base, book, written):
    sheet = Sheet(book)
    sheet.cell(0, "项目编号").value = written
    sheet.cell(0, "状态").value = "整改中"
    assert taken(base, sheet.save())[0] == {"YL-001": {"state": "mending"}}


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (pd.Timestamp("2026-03-05").to_pydatetime(), "yyyy/m/d"), (46086, "General"), ("46086", "@"),
        ("2026-03-05 00:00:00", "@"), ("2026年3月5日", "@"), ("20260305", "@"), ("2026.03.05", "@"),
        ("２０２６－３－５", "@"),
    ],
)  # fmt: skip
def test_dates_as_programs_turn_them(base, book, value, form):
    sheet = Sheet(book)
    sheet.cell(0, "上报时间").value = value
    sheet.cell(0, "上报时间").number_format = form
    assert taken(base, sheet.save())[0] == {"YL-001": {"reported_at": "2026-03-05"}}


def test_a_blank_state_says_nothing(base, book):
    sheet = Sheet(book)
    for row in range(3):
        sheet.cell(row, "状态").value = None
    changes, found = taken(base, sheet.save())
    assert changes == {}
    assert found.unchanged == 3
    append(base, found.events)
    assert summary(base, on="2026-03-10")["by_state"]["found"] == 3


def test_a_column_that_was_sorted_alone_is_seen(base, book):
    sheet = Sheet(book)
    numbers = [sheet.cell(row, "项目编号").value for row in range(3)]
    for row, number in enumerate(reversed(numbers)):
        sheet.cell(row, "项目编号").value = number
    sheet.cell(0, "状态").value = "整改中"
    changes, found = taken(base, sheet.save())
    assert changes == {}
    assert [(r.item_id, r.field) for r in found.refused] == [(numbers[2], "name")]


def test_whole_rows_sorted_filtered_or_moved_are_what_they_were(base, book):
    sheet = Sheet(book)
    rows = [[cell.value for cell in sheet.sheet[4 + n]] for n in range(3)]
    for n, row in enumerate(reversed(rows)):
        for column, value in enumerate(row, start=1):
            sheet.sheet.cell(4 + n, column).value = value
    sheet.sheet.row_dimensions[5].hidden = True
    sheet.sheet.insert_rows(1)
    sheet.sheet.cell(1, 1).value = "甲镇填报"
    sheet.sheet.cell(5, sheet.heads.index("状态") + 1).value = "已上报"
    last = rows[2][sheet.heads.index("项目编号")]
    assert taken(base, sheet.save())[0] == {last: {"state": "reported"}}


def test_a_note_below_the_table_is_no_row_but_a_new_danger_is_refused(base, book):
    sheet = Sheet(book)
    sheet.cell(4, "名称").value = "填表人：责任人A"
    assert taken(base, sheet.save())[1].refused == ()
    sheet.cell(5, "名称").value = "新发现的积水"
    sheet.cell(5, "状态").value = "待上报"
    assert [r.field for r in taken(base, sheet.save())[1].refused] == ["item_id"]


def test_the_same_row_twice_is_one_and_two_that_differ_are_none(base, book):
    sheet = Sheet(book)
    sheet.cell(0, "状态").value = "已上报"
    for head in sheet.heads:
        sheet.cell(3, head).value = sheet.cell(0, head).value
    first = sheet.cell(0, "项目编号").value
    assert list(taken(base, sheet.save())[0]) == [first]
    sheet.cell(3, "状态").value = "整改中"
    changes, found = taken(base, sheet.save())
    assert changes == {}
    assert [(r.item_id, r.field) for r in found.refused] == [(first, "item_id")]


@pytest.mark.parametrize(
    "value",
    ["#N/A", "#REF!", "=cmd|' /C calc'!A0", "<script>alert(1)</script>", "../../etc/passwd"],
)
def test_words_that_could_do_something_are_words(base, book, value, tmp_path):
    sheet = Sheet(book)
    sheet.cell(0, "备注").value = value
    sheet.cell(0, "备注").data_type = "s"
    changes, found = taken(base, sheet.save())
    append(base, found.events)
    form = build_form(current(base), project="某区", roles={}, on="2026-03-02")
    again = tmp_path / "again.xlsx"
    write_form(Form(**form), again, name="管控一张表")
    cells = [c for row in openpyxl.load_workbook(again).worksheets[0].iter_rows() for c in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert merge(base, [read_returned(again)]).imported == 0
    if value.startswith(("=", "<", ".")):
        assert changes["YL-001"]["remark"].endswith(value.lstrip("'"))


def test_without_the_hidden_sheet_it_is_said(base, book):
    sheet = Sheet(book)
    del sheet.work["_riskmap"]
    sheet.cell(0, "状态").value = "整改中"
    changes, found = taken(base, sheet.save())
    assert changes == {"YL-001": {"state": "mending"}}
    with language("zh"):
        assert "发出时的内容" in str(found.notes[0])


def test_saved_as_csv_by_an_office_program_it_is_read_too(base, book, tmp_path):
    table = pd.read_excel(book, header=2, dtype=str, engine="openpyxl")
    table.loc[0, "状态"] = "整改中"
    for codec in ("utf-8-sig", "gb18030"):
        path = tmp_path / f"{codec}.csv"
        table.to_csv(path, index=False, encoding=codec)
        assert taken(base, read_returned(path))[0] == {"YL-001": {"state": "mending"}}


def test_other_headings_deleted_columns_and_a_locked_book(base, book, tmp_path):
    sheet = Sheet(book)
    sheet.cell(-1, "状态").value = "整改状态"
    sheet.heads[sheet.heads.index("状态")] = "整改状态"
    sheet.cell(0, "整改状态").value = "正在整改"
    sheet.sheet.delete_cols(sheet.heads.index("备注") + 1)
    assert taken(base, sheet.save())[0] == {"YL-001": {"state": "mending"}}
    locked = tmp_path / "加密.xlsx"
    locked.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2000)
    with pytest.raises(LayerError):
        read_returned(locked)
    with pytest.raises(LayerError):
        read_returned(tmp_path / "没有.xlsx")


def test_cells_joined_downwards_hold_for_every_row(base, book):
    sheet = Sheet(book)
    column = sheet.heads.index("备注") + 1
    sheet.cell(0, "备注").value = "同批施工"
    sheet.sheet.merge_cells(start_row=4, end_row=6, start_column=column, end_column=column)
    changes, _ = taken(base, sheet.save())
    assert changes == {key: {"remark": "同批施工"} for key in ("YL-001", "YL-002", "YL-003")}


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("head", "word", "said"),
    [("状态", "整改中", {"state": "mending"}), ("佐证材料", "照片", {"evidence": "照片"})],
)
def test_what_is_filled_in_on_a_copy_of_the_sheet_counts(base, book, both, head, word, said):
    sheet = Sheet(book)
    numbers = [sheet.cell(row, "项目编号").value for row in range(3)]
    copy = sheet.work.copy_worksheet(sheet.sheet)
    copy.cell(4, sheet.heads.index(head) + 1).value = word  # evidence went out blank
    sheet.cell(1, "状态").value = "已上报"
    if both:
        sheet.cell(0, "备注").value = "已清淤"
    changes, found = taken(base, sheet.save())
    assert changes.pop(numbers[1]) == {"state": "reported"}
    assert changes == ({} if both else {numbers[0]: said})
    assert [r.item_id for r in found.refused] == ([numbers[0]] if both else [])


@pytest.mark.parametrize(
    ("head", "written", "on", "day"),
    [
        ("上报时间", "3月5日", "2026-03-10", "2026-03-05"), ("上报时间", "１２月 30日", "2026-01-10", "2025-12-30"),
        ("延期至", "5月20日", "2026-03-10", "2026-05-20"), ("延期至", "3月20日", "2026-03-10", None),
        ("延期至", "4月1日", "2026-03-10", None), ("延期至", "2月29日", "2026-03-10", None),
        ("延期至", "4月1日", "2026-12-10", None), ("延期至", "1月31日", "2026-12-10", "2027-01-31"),
        ("延期至", "5月31日", "2026-06-10", "2026-05-31"), ("延期至", "2026年4月5日前", "2026-03-10", None),
        ("销号日期", "2026年3月5日前", "2026-03-10", None),
        ("上报时间", "3月11日", "2026-03-10", None), ("上报时间", "2月30日", "2026-03-10", None),
        ("上报时间", "2062-03-05", "2026-03-10", None), ("销号日期", "2026年3月11日", "2026-03-10", None),
    ],
)  # fmt: skip
def test_days_without_a_year_and_days_to_come(base, book, head, written, on, day):
    sheet = Sheet(book)
    sheet.cell(0, head).value = written
    sheet.cell(0, "备注").value = "需跨年"
    found = merge(base, [sheet.save()], on=on)
    name = {"上报时间": "reported_at", "延期至": "extended", "销号日期": "closed_on"}[head]
    if day is None:
        assert [r.field for r in found.refused] == [name]
    else:
        assert [event.changes[name] for event in found.events] == [day]


POINTS = (
    '<OGRVRTDataSource><OGRVRTLayer name="control"><SrcDataSource>{path}</SrcDataSource>',
    '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {path}"}}',
)


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".json"])
def test_a_layer_that_leads_elsewhere_is_refused_by_name(tmp_path, ending):
    for content in POINTS:
        path = tmp_path / f"回{ending}"
        path.write_text(content.format(path=tmp_path / "other.gpkg"), encoding="utf-8")
        with pytest.raises(LayerError) as refused:
            read_returned(path)
        assert f"回{ending}" in str(refused.value)
        assert refused.value.problems[0].rule in ("leads_elsewhere", "file_content")


def test_a_package_as_a_field_program_leaves_it(base, tmp_path):
    """Open in WAL mode, with tracks before the layer, a photo column, a log and its trigger."""
    path = tmp_path / "QField.gpkg"
    form = Form(**build_form(current(base), project="某区", roles={}, on="2026-03-02"))
    write_layer(form, pd.DataFrame({"x": 117.0, "y": 36.0}, index=current(base).index), path)
    layer = gpd.read_file(path)
    number = layer["项目编号"][1]
    path.unlink()
    layer[["geometry"]].assign(at=1).to_file(path, layer="a_tracks", driver="GPKG")
    layer.iloc[::-1].assign(photo="DCIM/1.jpg").to_file(path, layer="control", driver="GPKG")
    work = sqlite3.connect(path)
    for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
        work.create_function(name, 1, lambda _: 0)
    work.executescript(
        "pragma journal_mode=wal; pragma wal_autocheckpoint=0; create table log(a);"
        "create trigger logged after update on control begin insert into log values(1); end;"
    )
    work.execute("update control set 状态='整改中' where 项目编号=?", (number,))
    work.commit()
    try:
        assert taken(base, read_returned(path))[0] == {number: {"state": "mending"}}
    finally:
        work.close()
    work = sqlite3.connect(path)
    work.executescript(
        "create view endless as with recursive t(n) as (select 1 union all select n + 1 from t) "
        "select n as 项目编号 from t"
    )
    work.close()
    with pytest.raises(LayerError):
        read_returned(path)


def test_of_two_rows_of_a_layer_with_one_number_those_that_differ_are_refused(base, tmp_path):
    path = tmp_path / "回.gpkg"
    form = Form(**build_form(current(base), project="某区", roles={}, on="2026-03-02"))
    write_layer(form, pd.DataFrame({"x": 117.0, "y": 36.0}, index=current(base).index), path)
    layer = gpd.read_file(path)
    twice = pd.concat([layer, layer.iloc[:2]], ignore_index=True)
    twice.loc[4, "状态"] = "整改中"  # the second row of YL-002; that of YL-001 says the same
    path.unlink()
    twice.to_file(path, layer="control", driver="GPKG")
    found = read_returned(path)
    assert set(found.rows) == {"YL-001", "YL-003"}
    assert [one.item_id for one in found.refused] == ["YL-002"]


def test_a_copy_without_what_went_out_takes_nothing_away(base, book):
    mine = Sheet(book)
    copy = openpyxl.Workbook()
    for row in mine.sheet.iter_rows(min_row=3, values_only=True):
        copy.active.append(row)
    at = mine.heads.index("状态")
    for row in copy.active.iter_rows(min_row=2):
        if row[mine.heads.index("项目编号")].value == "YL-002":
            row[at].value = "已上报"
    copy.save(book.parent / "粘贴.xlsx")
    append(
        base,
        [Event(item_id="YL-001", kind="filled", on="2026-03-05", changes={"listed": "county"})],
    )
    returned = read_returned(book.parent / "粘贴.xlsx")
    found = merge(base, [returned], on="2026-03-10")
    assert {event.item_id: dict(event.changes) for event in found.events} == {
        "YL-002": {"state": "reported"}
    }


@pytest.mark.parametrize(
    ("extended", "closed", "refused"),
    [
        ("2029-04-03", None, None), ("2029-04-05", None, "extended"), ("2056-04-01", None, "extended"),
        (None, "2025-02-28", None), (None, "2025-02-27", "closed_on"), (None, "2020-01-01", "closed_on"),
    ],
)  # fmt: skip
def test_a_year_that_is_most_likely_mistyped_is_refused(base, book, extended, closed, refused):
    """Listed 2026-03-01, due 2026-04-01: three years after or one before is no day of this item."""
    sheet = Sheet(book)
    if extended:
        sheet.cell(0, "延期至").value = extended
    else:
        for head, said in (("状态", "已销号"), ("即查即改", "是"), ("复核人", "复核人A"),
                           ("销号日期", closed), ("佐证材料", "照片"), ("评估意见", "好")):  # fmt: skip
            sheet.cell(0, head).value = said
    changes, found = taken(base, sheet.save())
    assert [one.field for one in found.refused] == ([refused] if refused else [])
    assert bool(changes) is not bool(refused)


@pytest.mark.parametrize("word", ["/", "-", "无"])
@pytest.mark.parametrize("state", ["found", "closed"])
def test_a_stroke_for_a_state_says_nothing(base, book, state, word):
    """It once left an item without a state, and nothing could be counted any more."""
    append(base, [Event(item_id="YL-001", kind="state", on="2026-03-01", changes={"state": state})])
    sheet = Sheet(book)
    sheet.cell(0, "状态").value = word
    changes, found = taken(base, sheet.save())
    assert (changes, found.refused) == ({}, ())
    append(base, [Event(item_id="YL-001", kind="state", on="2026-03-09", changes={"state": None})])
    assert summary(base, on="2026-03-10")["by_state"]["found"] == 3  # a register of before


@pytest.mark.parametrize(
    ("head", "changes", "said"),
    [
        ("状 态", {"state": "mending"}, 0), ("状态（必填）", {"state": "mending"}, 0), ("*状态:", {"state": "mending"}, 0),
        ("当前情况", {}, 2), ("类别", {}, 2),
    ],
)  # fmt: skip
def test_headings_that_were_written_over_are_read_or_said(base, book, head, changes, said):
    sheet = Sheet(book)
    sheet.cell(0, "状态").value = "整改中"
    sheet.sheet.cell(3, sheet.heads.index("状态") + 1).value = head
    got, found = taken(base, sheet.save())
    assert got == ({"YL-001": changes} if changes else {})
    assert len(found.notes) == said


def test_the_own_heading_wins_and_a_second_one_is_said(base, book):
    sheet = Sheet(book)
    sheet.cell(0, "状态").value = "整改中"
    for at, (head, word) in enumerate([("编号", 1), ("整改状态", "已整改"), ("空", None)]):
        sheet.sheet.cell(3, len(sheet.heads) + 1 + at).value = head
        sheet.sheet.cell(4, len(sheet.heads) + 1 + at).value = word
    got, found = taken(base, sheet.save())
    assert got == {"YL-001": {"state": "mending"}}
    assert "编号、整改状态" in str(found.notes[0])


def test_locked_columns_that_were_written_over_are_said(base, book):
    sheet = Sheet(book)
    assert taken(base, sheet.save())[1].notes == ()
    sheet = Sheet(book)
    sheet.cell(0, "责任单位").value = "别的单位"
    sheet.cell(1, "等级").value = "重大"
    sheet.cell(2, "镇街").value = None  # joined with the cell above
    sheet.cell(2, "备注").value = "好"
    with language("zh"):
        got, found = taken(base, sheet.save())
        said = [str(note) for note in found.notes]
    assert got == {"YL-003": {"remark": "好"}}
    assert len(said) == 2
    assert "等级" in said[0]
    assert "YL-001" in said[1]


def test_sums_and_headings_between_the_rows_are_no_items(base, book):
    sheet = Sheet(book)
    for at, head in enumerate(sheet.heads, start=1):
        sheet.sheet.cell(7, at).value = head
    sheet.sheet.cell(8, 1).value = "合计"
    sheet.cell(4, "影响人口").value = 12
    assert taken(base, sheet.save())[1].refused == ()


@pytest.mark.parametrize("word", ["反弹", "退回"])
def test_what_was_never_mended_cannot_be_sent_back(base, book, word):
    sheet = Sheet(book)
    sheet.cell(0, "状态").value = word
    changes, found = taken(base, sheet.save())
    assert changes == {}
    assert [one.field for one in found.refused] == ["state"]


def test_a_day_before_the_last_entry_is_said(base, book):
    sheet = Sheet(book)
    assert merge(base, [read_returned(book)], on="2020-01-01").notes == ()  # nothing to enter
    sheet.cell(0, "备注").value = "好"
    returned = sheet.save()
    assert len(merge(base, [returned], on="2020-01-01").notes) == 1
    assert merge(base, [returned], on="2026-03-01").notes == ()


def test_columns_of_a_results_folder_are_no_strangers(base, book):
    """Its table has columns of its own, and neither 即查即改 nor 延期至."""
    sheet = Sheet(book)
    for head in ("即查即改", "延期至"):
        sheet.sheet.cell(3, sheet.heads.index(head) + 1).value = f"{head}说明"
        sheet.cell(0, head).value = "3"
    returned = replace(sheet.save(), about={"project": "某区"})
    assert taken(base, returned)[1].notes == ()
    sheet.sheet.cell(3, sheet.heads.index("状态") + 1).value = "情况"
    returned = replace(sheet.save(), about={"project": "某区"})
    assert len(taken(base, returned)[1].notes) == 2


@pytest.mark.parametrize(("written", "day"), [("2月1日", None), ("5月1日", "2026-05-01")])
def test_an_extension_of_what_has_no_deadline_lies_ahead(base, book, written, day):
    append(
        base, [Event(item_id="YL-001", kind="about", on="2026-03-01", changes={"deadline": None})]
    )
    sheet = Sheet(book)
    sheet.cell(0, "延期至").value = written
    sheet.cell(0, "备注").value = "雨季"
    changes, found = taken(base, sheet.save())
    assert changes.get("YL-001", {}).get("extended") == day
    assert len(found.refused) == (day is None)


def test_lines_in_locked_cells_are_no_change(base, tmp_path):
    append(base, [Event(item_id="YL-001", kind="about", on="2026-03-01",
                        changes={"duty_unit": "某局\n某科", "measure": "=1+1", "town": " 甲镇"})])  # fmt: skip
    path = tmp_path / "x.xlsx"
    form = build_form(current(base), project="某区", roles={}, on="2026-03-02")
    write_form(Form(**form), path, name="管控一张表")
    assert merge(base, [read_returned(path)], on="2026-03-10").notes == ()


def test_the_table_of_another_town_on_a_further_sheet_counts(base, book):
    """A clerk put the tables of two towns into one workbook; the second sheet was passed over."""
    append(base, [Event(item_id="YL-009", kind="listed", on="2026-03-01",
                        changes={"state": "found", "name": "桥", "deadline": "2026-04-01"})])  # fmt: skip
    sheet = Sheet(book)
    other = sheet.work.create_sheet("乙镇")
    other.append(["项目编号", "名称", "状态"])
    other.append(["YL-009", "桥", "整改中"])
    other.append(["YL-404", "井", "整改中"])
    changes, found = taken(base, sheet.save())
    assert changes == {"YL-009": {"state": "mending"}}
    assert [one.item_id for one in found.refused] == ["YL-404"]


def test_what_is_signed_off_is_not_extended(base, book):
    sheet = Sheet(book)
    for head, said in (("状态", "已销号"), ("复核人", "复核人A"), ("销号日期", "2026-03-05"), ("佐证材料", "照片"),
                       ("评估意见", "好"), ("延期至", "2026-06-01"), ("即查即改", "是")):  # fmt: skip
        sheet.cell(0, head).value = said
    changes, found = taken(base, sheet.save())
    assert changes == {}
    assert [one.field for one in found.refused] == ["extended"]


def test_a_table_that_was_filled_in_is_not_written_over(base, book):
    base.execute("commit")  # seen by another connection, as by another command
    register = book.parent / "r.sqlite"
    register_files._spare_filled_in(book, register)  # nobody filled it in
    register_files._spare_filled_in(book.parent / "none.xlsx", register)
    sheet = Sheet(book)
    sheet.cell(0, "备注").value = "好"
    sheet.save()
    with pytest.raises(UsageError):
        register_files._spare_filled_in(book, register)


def test_files_of_a_results_folder_are_not_written_over(tmp_path):
    register_files._spare(None, tmp_path / "a.xlsx")
    (tmp_path / "a.xlsx").touch()
    register_files._spare(tmp_path / "a.xlsx")
    (tmp_path / "manifest.json").touch()
    register_files._spare(tmp_path / "b.xlsx")
    with pytest.raises(UsageError):
        register_files._spare(tmp_path / "a.xlsx")

"""What officers and their programs do to a table before it comes back, one by one."""

import openpyxl
import pandas as pd
import pytest

from riskmap.errors import LayerError
from riskmap.export.workbook.books import Form, write_form
from riskmap.i18n import language
from riskmap.register.events import Event, append, current, open_register
from riskmap.register.merge import build_form, merge, read_returned, summary


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
                             "role": "flood_point", "level": 2, "remark": "旧"},
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

import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmap.export.workbook import books as workbook
from riskmap.export.workbook.sheet import sheet_name
from riskmap.layers.gaps import GapSheet
from tests.sample import CANARY_PERSON, HOSTILE_NAMES, sample_result

BOOKS = ("研判一张单.xlsx", "管控一张表.xlsx", "data_gaps.xlsx")
FILLS = {"重大": "FFA30F1A", "较大": "FFF2820C", "一般": "FFFFF06A", "低": "FF3F8FE8"}


FRONT = "研判单"
OURS = re.compile(
    r"SUM\([C-H]\d+:[C-H]\d+\)|SUMPRODUCT\(\('研判一张单'!\$[A-Z]+\$4:\$[A-Z]+\$\d+=\$A\d+\)\*"
    r"\('研判一张单'!\$[A-Z]+\$4:\$[A-Z]+\$\d+=[C-G]\$\d+\)\)"
)


def open_book(folder, name):
    """Open a workbook without the sheet to sign, which stands in front of the list."""
    book = openpyxl.load_workbook(folder / name)
    if FRONT in book.sheetnames:
        del book[FRONT]
    return book


@pytest.mark.parametrize("name", BOOKS)
def test_no_cell_is_a_link_or_a_formula_but_the_sums_of_the_front_sheet(written, name):
    with zipfile.ZipFile(written() / name) as archive:
        for part in archive.namelist():
            if part.startswith("xl/worksheets/"):
                tags = [
                    (element.tag.rpartition("}")[2], element.text)
                    for element in ET.fromstring(archive.read(part)).iter()
                ]
                assert "hyperlink" not in {tag for tag, _ in tags}, part
                formulas = [said for tag, said in tags if tag == "f"]
                front = name == BOOKS[0] and part.endswith("sheet1.xml")
                assert bool(formulas) == front, part
                assert [said for said in formulas if not OURS.fullmatch(said)] == []
            assert "externalLink" not in part
            assert "vba" not in part


def test_names_are_written_as_they_are(written):
    sheet = open_book(written(), "研判一张单.xlsx").worksheets[0]
    heads = [cell.value for cell in sheet[3]]
    column = heads.index("名称")
    cells = [row[column] for row in sheet.iter_rows(min_row=4)]
    assert set(HOSTILE_NAMES) <= {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} == {"s"}
    guarded = [cell for cell in cells if cell.value[0] in "=+-@"]
    assert len(guarded) == 4
    assert all(cell.quotePrefix for cell in guarded)


def test_levels_have_their_colours(written):
    sheet = open_book(written(), "研判一张单.xlsx").worksheets[0]
    column = [cell.value for cell in sheet[3]].index("等级")
    seen = {row[column].value: row[column].fill.fgColor.rgb for row in sheet.iter_rows(min_row=4)}
    assert seen == FILLS


@pytest.mark.parametrize("name", BOOKS[:2])
def test_sheet_is_ready_to_print(written, name):
    sheet = open_book(written(), name).worksheets[0]
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 8)
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.freeze_panes.endswith("4")
    assert sheet.auto_filter.ref.startswith("A3:")
    assert all(sheet.row_dimensions[row].height >= 18 for row in range(4, sheet.max_row + 1))
    assert "历下区<示范>" in sheet["A1"].value
    assert "共 15 项" in sheet["A2"].value
    assert "重大 8" in sheet["A2"].value


def test_rows_follow_the_rank(written):
    sheet = open_book(written(), "研判一张单.xlsx").worksheets[0]
    assert [row[0].value for row in sheet.iter_rows(min_row=4)] == list(range(1, 16))


def test_control_table_names_the_person_inside_and_not_outside(written):
    assert CANARY_PERSON in {
        cell.value
        for row in open_book(written(), BOOKS[1]).worksheets[0].iter_rows()
        for cell in row
    }
    sheet = open_book(written("public"), BOOKS[1]).worksheets[0]
    assert "责任人" not in [cell.value for cell in sheet[3]]
    assert "未经审图，不得公开" in sheet["A2"].value


def test_yes_and_no_are_chosen_from_a_list(written):
    sheet = open_book(written(), BOOKS[1]).worksheets[0]
    column = [cell.value for cell in sheet[3]].index("公示")
    letter = openpyxl.utils.get_column_letter(column + 1)
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules[f"{letter}4:{letter}18"] == '"是,否"'


def test_choices_that_the_table_brings_become_drop_downs(tmp_path):
    result = sample_result(n_side=4)
    choices = {"status": ("待上报", "已销号"), "nothing": ("x",)}
    workbook.write_control(replace(result, control_choices=choices), tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    rules = {rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert '"待上报,已销号"' in rules


def test_notes_and_presets_stand_on_their_own_sheets(written):
    book = open_book(written(), BOOKS[0])
    assert book.sheetnames == ["研判一张单", "说明", "采用的参数"]
    said = [row[0].value for row in book["说明"].iter_rows(min_row=4)]
    assert len(said) == 2
    assert "未核实" in {row[3].value for row in book["采用的参数"].iter_rows(min_row=4)}


def test_an_empty_list_is_still_a_sheet(tmp_path):
    result = sample_result(n_side=4)
    workbook.write_list(replace(result, items=result.items.iloc[:0]), tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert sheet.max_row == 3
    assert "共 0 项" in sheet["A2"].value


def test_blanks_numbers_and_too_long_texts(tmp_path):
    result = sample_result(n_side=4)
    frame = pd.DataFrame(
        {
            "people": pd.array([3, pd.NA, 0], dtype="Int64"),
            "value": ["x" * 40_000, None, "=1+1"],
            "score": [np.nan, 0.25, np.inf],
            "whatever": [True, None, ["a", "b"]],
        }
    )
    sheets = {"a/b:c": GapSheet(frame), "A b c": GapSheet(frame)}
    workbook.write_gaps(result, tmp_path / "a.xlsx", sheets=sheets)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["a b c", "A b c (2)"]
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=4)]
    assert [row[0] for row in rows] == [3, None, 0]
    assert len(rows[0][1]) == 32_767
    assert rows[0][1].endswith("…")
    assert rows[2][1] == "=1+1"
    assert rows[0][2] is None
    assert rows[1][2] == 0.25
    assert rows[2][2] in (None, "inf")
    assert [row[3] for row in rows] == ["是", None, "a；b"]


def test_sheet_names_that_excel_refuses():
    assert sheet_name("[退回]:行*?/\\'", []) == "退回  行"
    assert sheet_name("x" * 40, ["X" * 31]) == "x" * 27 + " (2)"
    assert sheet_name("", []) == "1"


def test_the_front_sheet_counts_the_list_by_formulas_that_say_what_they_are_said_to(written):
    values = openpyxl.load_workbook(written() / BOOKS[0], data_only=True)
    assert values.sheetnames[:2] == [FRONT, "研判一张单"]
    formulas = openpyxl.load_workbook(written() / BOOKS[0])[FRONT]
    rows = values["研判一张单"].iter_rows(min_row=3, values_only=True)
    heads = next(rows)
    listed = [dict(zip(heads, row, strict=True)) for row in rows]
    checked = 0
    for row in formulas.iter_rows():
        for cell in row:
            if cell.data_type != "f":
                continue
            shown = values[FRONT][cell.coordinate].value
            if "SUMPRODUCT" in cell.value:
                label = values[FRONT].cell(cell.row, 1).value
                head = int(re.search(r"\$(\d+)\)\)$", cell.value).group(1))
                level = values[FRONT].cell(head, cell.column).value
                column = values[FRONT].cell(head, 1).value
                assert shown == sum(
                    (item[column] or "") == (label or "") and item["等级"] == level
                    for item in listed
                )
            else:
                first, last = re.findall(r"([C-H])(\d+)", cell.value)
                area = values[FRONT][f"{first[0]}{first[1]}:{last[0]}{last[1]}"]
                assert shown == sum(one.value for line in area for one in line)
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(("name", "sheet"), [(BOOKS[0], 0), (BOOKS[1], 0)])
def test_the_print_area_holds_what_the_paper_needs_and_the_sheet_everything(written, name, sheet):
    page = open_book(written(), name).worksheets[sheet]
    heads = [cell.value for cell in page[3]]
    last = re.search(r"\$([A-Z]+)\$\d+$", page.print_area).group(1)
    printed = heads[: openpyxl.utils.column_index_from_string(last)]
    assert {"序号", "名称", "等级", "镇街", "责任单位", "管控措施", "完成时限"} <= set(printed)
    assert {"项目编号", "待补信息"} & set(heads) <= set(heads) - set(printed)
    wide = sum(
        page.column_dimensions[openpyxl.utils.get_column_letter(n + 1)].width
        for n in range(len(printed))
    )
    assert 10 * min(1, 216 / wide) >= 9  # type of 10 points on A3 after fitting to its width

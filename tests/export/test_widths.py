"""Columns of the workbooks fit what stands in them, and what is printed fits its paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.export.workbook import sheet as widths
from riskmap.export.workbook.books import write_plans
from riskmap.export.workbook.tables import Column
from riskmap.i18n import text
from riskmap.result import Plan, Proof
from tests.sample import sample_result

if TYPE_CHECKING:
    from pathlib import Path

WORDS = st.text(alphabet="示范街道社区abc0123（）", max_size=60)


@given(st.lists(st.lists(st.one_of(st.none(), WORDS), min_size=3, max_size=3), min_size=1))
def test_narrow_tables_are_widened_and_heads_take_two_lines(rows: list[list[str | None]]) -> None:
    columns = [
        Column("名称", 24, "wrap"),
        Column("平均水深（米）", 9),
        Column("研判理由", 46, "wrap"),
    ]
    cells = [list(column) for column in zip(*rows, strict=True)]
    fitted = widths.fitted(columns, cells)
    assert sum(column.width for column in fitted) >= widths.LEAST - 0.2
    assert widths.heading_lines(fitted) <= 2
    lines = widths.row_lines(fitted, cells, len(rows))
    assert all(1 <= number <= 9 for number in lines)


def test_one_line_where_there_is_room() -> None:
    text = "市中区示范明德街道会展场馆避灾安置场所"
    columns = [Column("避难场所", 16, "wrap"), Column("人口", 10, "integer")]
    fitted = widths.fitted(columns, [[text], [12]])
    assert fitted[0].width > widths.text_width(text)
    assert widths.row_lines(fitted, [[text], [12]], 1) == [1]


def test_columns_to_be_filled_in_by_hand_keep_their_width() -> None:
    columns = [Column("核查记录", 30, "wrap"), Column("名称", 80, "text")]
    assert widths.fitted(columns, [[None, None], ["甲" * 40, "乙"]])[0].width == 30


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [([1, 2.0, None], "#,##0"), ([0.2, 1], "#,##0.0"), ([0.25], "#,##0.00"), ([], "#,##0")],
)
def test_all_numbers_of_a_column_have_as_many_decimals(cells: list[float], wanted: str) -> None:
    assert widths.decimals(cells) == wanted


def test_empty_tables_are_not_written_and_sheets_say_whose_they_are(tmp_path: Path) -> None:
    tables = {
        "mend": pd.DataFrame({"scenario": [], "town": [], "district": []}, dtype=object),
        "scorecard": pd.DataFrame(
            {"scenario": ["", ""], "town": ["A", ""], "district": ["D", "D"], "people": [1, 2]}
        ),
        "assignment": pd.DataFrame({"scenario": ["", "大雨"], "people": [3, 4]}),
    }
    proof = (
        Proof(question="Q1", status="optimal", objective=7.0, bound=7.0, gap=0.0),
        Proof(question="Q2", status="optimal"),
    )
    plan = Plan(tables=tables, notes=(text("Notes"),), proof=proof)
    result = replace(sample_result(n_side=4, n_points=4), plans={"refuges": plan})
    assert write_plans(result, tmp_path) == {"避难方案.xlsx": 3}
    book = openpyxl.load_workbook(tmp_path / "避难方案.xlsx")
    assert book.sheetnames == ["阅读说明", "转移去向", "镇街达标情况"]
    guide, sent, towns = book.worksheets
    assert [guide.cell(4, k).value for k in (1, 3)] == ["转移去向", 2]
    said = [row[0].value for row in guide.iter_rows(min_row=6)]
    assert said == [None, "求解证明", "求解对象", "Q1", "Q2", None, "说明", "使用说明", "说明"]
    assert result.facts.place_name in str(towns["A1"].value)
    assert [towns["A4"].value, towns["A5"].value] == ["A", "D合计"]  # no scenario: no column
    assert [sent["A3"].value, sent["A4"].value, sent["A5"].value] == ["情景", "平时", "大雨"]
    book.close()


def paper_type(sheet) -> float:
    """Size of the cells' type on paper, from what the file says alone [points]."""
    _, _, last, _ = openpyxl.utils.range_boundaries(sheet.print_area.split("!")[1].replace("$", ""))
    letters = [openpyxl.utils.get_column_letter(at) for at in range(1, last + 1)]
    if not sheet.sheet_properties.pageSetUpPr.fitToPage:
        return 10 * sheet.page_setup.scale / 100
    # a figure of Arial 10 is 7 pixels wide, a column has 5 more; 96 pixels an inch
    wide = sum((7 * sheet.column_dimensions[letter].width + 5) * 0.75 for letter in letters)
    short, long = {"8": (842, 1191), "9": (595, 842)}[str(sheet.page_setup.paperSize)]
    margins = 72 * (sheet.page_margins.left + sheet.page_margins.right)
    room = (long if sheet.page_setup.orientation == "landscape" else short) - margins
    return min(10.0, 10 * room / wide)


@pytest.mark.parametrize("n", [3, 320])
@pytest.mark.parametrize("more", [0, 12])
def test_nothing_is_printed_in_small_type_and_every_column_is_there(
    tmp_path: Path, n: int, more: int
) -> None:
    way = "沿主干路向东 455 米；再沿支路向南 157 米；再沿小区道路向南 280 米"
    row = {
        "town": "示范锦绣街道", "village": "示范竹林社区", "name": "示范竹林社区地质灾害危险区08",
        "people": 1720, "assisted": True, "refuge": "示范柏林村文化礼堂避灾安置场所",
        "phone": "00003000161", "address": "示范槐池社区文化路 18 号旁", "person": "责任人C161",
        "mode": "步行", "route": way, "metres": 3672.0, "minutes": 17.5, "early": False,
        "leave_by": "峰值前1小时35分钟", "other_route": "1202米，20分钟", "avoided": "示范路",
        "alternative": "示范桐堤社区村（居）委会避灾安置场所", "remark": "途经危险区，须由村干部带队",
        **{f"own_{k}": "本单位另填的一栏说明文字" for k in range(more)},
    }  # fmt: skip
    plan = Plan(tables={"handout": pd.DataFrame([row] * n)}, notes=())
    result = replace(sample_result(n_side=4, n_points=4), plans={"refuges": plan})
    write_plans(result, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "避难方案.xlsx")
    assert all(paper_type(sheet) >= 8.1 for sheet in book.worksheets)
    sheet = book.worksheets[1]
    heads = [cell.value for cell in sheet[3]]
    assert len(heads) == len(row)
    assert heads.index("地址") > heads.index("转移路线")  # the screen's columns, behind the paper's
    phone = openpyxl.utils.get_column_letter(heads.index("联系电话") + 1)
    assert sheet.column_dimensions[phone].width > 14  # figures do not break
    assert bool(sheet.sheet_properties.pageSetUpPr.fitToPage) == (more == 0)
    book.close()


@pytest.mark.parametrize("name", ["History", "HISTORY", "a" * 30 + "'b", "'" * 40, "[]"])
def test_sheets_have_names_that_excel_takes(name: str) -> None:
    made = widths.sheet_name(name, [])
    assert made
    assert made.lower() != "history"
    assert len(made) <= 31
    assert made == made.strip("' ")

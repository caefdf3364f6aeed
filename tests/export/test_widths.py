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
from riskmap.export.workbook.plans import write_plans
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

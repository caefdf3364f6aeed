"""Columns of the workbooks fit what stands in them, and what is printed fits its paper."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.export.workbook import sheet as widths
from riskmap.export.workbook.plans import write_plans
from riskmap.export.workbook.words import Column

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


def test_empty_tables_say_so_and_sheets_say_whose_they_are(tmp_path: object) -> None:
    from dataclasses import dataclass, replace
    from pathlib import Path

    import openpyxl

    from tests.sample import sample_result

    @dataclass(frozen=True)
    class Plan:
        tables: dict[str, pd.DataFrame]
        notes: tuple[str, ...] = ("a note",)

    tables = {"measures": pd.DataFrame({"town": [], "district": []}, dtype=object)}
    tables["towns"] = pd.DataFrame({"town": ["A", ""], "district": ["D", "D"], "people": [1, 2]})
    result = replace(sample_result(n_side=4, n_points=4), plans={"refuges": Plan(tables)})
    folder = Path(str(tmp_path))
    write_plans(result, folder)
    book = openpyxl.load_workbook(folder / "避难方案.xlsx")
    empty, towns = book.worksheets[:2]
    assert empty["A4"].value is None
    assert "本表无记录" in str(empty["A2"].value)
    assert result.facts.place_name in str(empty["A1"].value)
    assert [towns["A4"].value, towns["A5"].value] == ["A", "D合计"]
    book.close()

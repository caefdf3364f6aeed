"""The front sheet of the list's workbook: the assessment to sign, its counts as formulas."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from riskmap.export.papers import assessment
from riskmap.export.papers.assessment import FILLS, LEVELS
from riskmap.export.papers.document import Table, layout, say
from riskmap.export.workbook.books import FRONT_SHEET, about_line
from riskmap.export.workbook.sheet import HEAD, Book, safe, sheet_name, text_width
from riskmap.export.workbook.tables import class_names, shown
from riskmap.i18n import text
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from riskmap.result import Result

WIDTHS: Final = (5.0, 20.0, 8.0, 22.0, 8.0, 19.0, 13.0, 11.0)
"""Columns of the sheet [characters]; together an upright A4 page at full size."""
_LIST_TOP: Final = 4
"""First row of the list under its headings, as Excel counts."""


def front_sheet(result: Result) -> Callable[[Book], Callable[[Sequence[str], int], None]]:
    """Make the front sheet of the list.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    callable
        For `riskmap.export.workbook.books.write_list`.
    """

    def begin(book: Book) -> Callable[[Sequence[str], int], None]:
        sheet = book.book.add_worksheet(sheet_name(str(FRONT_SHEET), []))

        def fill(columns: Sequence[str], rows: int) -> None:
            _Front(book, sheet, result, columns, rows).draw()

        return fill

    return begin


class _Front:
    """Draws the sheet from above."""

    def __init__(
        self, book: Book, sheet: Any, result: Result, columns: Sequence[str], rows: int
    ) -> None:
        self.book, self.sheet, self.result = book, sheet, result
        self.columns, self.rows = list(columns), rows
        self.row = 0
        line = {"border": 1, "border_color": "#7a8594", "text_wrap": True}
        self.head = book.format(**line, bold=True, align="center", bg_color="#e8ecf2")
        self.cell = book.format(**line)
        self.middle = book.format(**line, align="center")
        self.number = book.format(**line, num_format="#,##0")
        self.total = book.format(**line, num_format="#,##0", bold=True)

    def draw(self) -> None:
        """Draw title, sentences, counts, the first items and the lines to sign."""
        for place, width in enumerate(WIDTHS):
            self.sheet.set_column(place, place, width)
        title = self.book.format(bold=True, font_size=18, align="center", font_color=HEAD)
        small = self.book.format(font_size=10, align="center", font_color="#4a5261", text_wrap=True)
        name = assessment.place_of(self.result)
        self._across(say("assessment.title", place=name), title, height=32)
        self._across(about_line(self.result), small)
        self._heading("assessment.head_overall")
        for said in assessment.sentences(self.result):
            self._across(said, self.book.format(font_size=11, text_wrap=True, indent=1))
        self._heading("assessment.head_counts")
        self._counts("town", say("common.town"), say("assessment.by_town"))
        self._counts(c.ROLE, say("common.kind"), say("assessment.by_kind"))
        top = assessment.top_items(self.result.items, layout().top_items)
        self._heading("assessment.head_top", n=len(top))
        for block in assessment.top_blocks(self.result, top):
            if isinstance(block, Table):
                self._top(block)
            else:
                self._across(block.text, self.book.format(font_size=10, text_wrap=True, indent=1))
        self._heading("assessment.head_opinion")
        self._sign()
        self._paper()

    def _across(self, said: str, style: Any, *, height: float = 0.0) -> None:
        wide = sum(WIDTHS)
        self.sheet.set_row(
            self.row, height or 6 + 15.5 * max(1, ceil(text_width(said) / wide * 1.1))
        )
        self.sheet.merge_range(self.row, 0, self.row, len(WIDTHS) - 1, "", style)
        self.sheet.write_string(self.row, 0, safe(said), style)
        self.row += 1

    def _heading(self, key: str, **words: object) -> None:
        style = self.book.format(bold=True, font_size=13, font_color=HEAD)
        self.sheet.set_row(self.row, 24)
        self.sheet.write_string(self.row, 0, say(key, **words), style)
        self.row += 1

    def _column(self, name: str) -> str:
        """Address a column of the list."""
        from xlsxwriter.utility import xl_col_to_name

        letter = xl_col_to_name(self.columns.index(name))
        last = _LIST_TOP + max(self.rows, 1) - 1
        return f"'{text('Risk list')}'!${letter}${_LIST_TOP}:${letter}${last}"

    def _counts(self, by: str, label: str, caption: str) -> None:
        """Count by town or kind and level: formulas over the list, sums below and beside."""
        counts = assessment.cross(self.result.items, by)
        names = class_names()
        style = self.book.format(bold=True, font_size=10)
        self.sheet.write_string(self.row, 0, caption, style)
        self.row += 1
        top = self.row
        heads = [label, *(names[level] for level in LEVELS), say("common.total")]
        self._label(top, heads[0], self.head)
        for at, head in enumerate(heads[1:], start=2):
            self.sheet.write_string(top, at, head, self.head)
        for entry, values in zip(counts.index, counts.to_numpy().tolist(), strict=True):
            self.row += 1
            self._label(self.row, str(shown(by, entry, self.result) or ""), self.cell)
            for at, value in enumerate(values[: len(LEVELS)], start=2):
                self._write(self.row, at, self._formula(by, at, top), value, self.number)
            row = self.row + 1
            self._write(self.row, 7, f"SUM(C{row}:G{row})", values[-1], self.number)
        self.row += 1
        sums = counts.sum().astype(int).tolist()
        self._label(self.row, say("common.total"), self.total)
        for at, value in enumerate(sums, start=2):
            letter = "ABCDEFGH"[at]
            formula = f"SUM({letter}{top + 2}:{letter}{self.row})" if len(counts) else "0"
            self._write(self.row, at, formula, value, self.total)
        self.row += 2

    def _label(self, row: int, said: str, style: Any) -> None:
        self.sheet.merge_range(row, 0, row, 1, "", style)
        self.sheet.write_string(row, 0, safe(said), style)

    def _formula(self, by: str, at: int, top: int) -> str:
        """Count the rows of the list with this entry and level; no wildcards, no operators."""
        entry = f"$A{self.row + 1}"
        level = f"{'ABCDEFGH'[at]}${top + 1}"
        return f"SUMPRODUCT(({self._column(by)}={entry})*({self._column(c.LEVEL)}={level}))"

    def _write(self, row: int, at: int, formula: str, value: int, style: Any) -> None:
        self.sheet.write_formula(row, at, f"={formula}", style, int(value))

    def _top(self, table: Table) -> None:
        for at, head in enumerate(table.heads):
            self.sheet.write_string(self.row, at, head, self.head)
        self.row += 1
        inks = {4: "#ffffff", 1: "#08254a"}
        names = class_names()
        for row in table.rows:
            lines = max(
                ceil(text_width(said) / (width - 1.5))
                for said, width in zip(row, WIDTHS, strict=True)
            )
            self.sheet.set_row(self.row, 4 + 14 * max(lines, 1))
            for at, said in enumerate(row):
                style = self.middle if at in (0, 4, 7) else self.cell
                if at == 2 and said in names:
                    level = names.index(said)
                    style = self.book.format(
                        border=1, border_color="#7a8594", bold=True, align="center",
                        bg_color=FILLS[level], font_color=inks.get(level, "#1d2025"),
                    )  # fmt: skip
                self.sheet.write_string(self.row, at, safe(said), style)
            self.row += 1
        self.row += 1

    def _sign(self) -> None:
        """Leave room for opinions and three signatures."""
        heads = ("assessment.consulted", "assessment.opinion", "assessment.signed")
        spans = ((0, 1), (2, 5), (6, 7))
        for line in range(4):
            self.sheet.set_row(self.row, 20 if line == 0 else 44)
            for key, (first, last) in zip(heads, spans, strict=True):
                style = self.head if line == 0 else self.cell
                self.sheet.merge_range(self.row, first, self.row, last, "", style)
                if line == 0:
                    self.sheet.write_string(self.row, first, say(key), style)
            self.row += 1
        for key in ("drafted", "reviewed", "issued"):
            self.sheet.set_row(self.row, 30)
            self._label(self.row, say(f"assessment.{key}"), self.head)
            self.sheet.merge_range(self.row, 2, self.row, 4, "", self.cell)
            self.sheet.write_string(self.row, 5, say("assessment.signed"), self.head)
            self.sheet.merge_range(self.row, 6, self.row, 7, "", self.cell)
            self.row += 1

    def _paper(self) -> None:
        sheet = self.sheet
        sheet.set_paper(9)
        sheet.set_portrait()
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.print_area(0, 0, self.row - 1, len(WIDTHS) - 1)
        sheet.set_footer("&L&10&A&R&10&P / &N")
        sheet.hide_gridlines(2)

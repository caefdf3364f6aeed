"""Drawing one sheet of a workbook: title, headings, rows, colours, paper."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.export.witness import EPOCH
from riskmap.export.workbook import tables
from riskmap.export.workbook.tables import Column, column_of, shown
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.marks import level_colours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from riskmap.i18n import Text
    from riskmap.result import Result

A4: Final = 150.0
"""Columns that are narrower together [characters] fit A4 lying."""
_UPRIGHT: Final = 165.0
"""So many fit A3 upright, which takes twice the rows."""
_A3: Final = 225.0
"""So many fit A3 lying at 9 points."""
_ASIDE: Final = 60.0
"""Widest column of texts that stands beside the paper, where only the screen bounds it."""
_MANY: Final = 300
"""From so many lines on, a table is printed upright where it fits."""
TYPE: Final = 10.0
LEAST_TYPE: Final = 8.2
"""Type of the cells, and the smallest to which paper may shrink it [points]."""
_SHEETS: Final = {9: (595.3, 841.9), 8: (841.9, 1190.6)}
"""Excel's number of the paper to its short and long side [points]."""
_MARGINS: Final = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
LEAST: Final = 60.0
"""Narrowest table [characters], so that its title is not cut."""
_MOST_LINES: Final = 14
_WRAPS: Final = ("wrap", "middle")
_TEXTS: Final = ("text", *_WRAPS)
_NARROWEST: Final = 12
"""Texts are not squeezed into less [characters]."""
_ROOM: Final = 2.8
"""Border, indent and a little air beside a text, in characters."""
_SLACK: Final = 1.35
"""A column grows by so much to spare its texts a second line."""
_LEAST: Final = 6.0
_LONG: Final = 20.0
"""Headings longer than this [characters] take two lines, wherever they break."""
_BROAD: Final = 44.0
"""Widest column of texts that do not wrap."""
_SAID: Final = {
    "integer": "{:,.0f}",
    "number": "{:,.2f}",
    "percent": "{:.1%}",
    "degree": "{:.6f}",
    "score": "{:.3f}",
}


def text_width(value: object) -> float:
    r"""Measure a text in characters of the default font; wide letters take two.

    Parameters
    ----------
    value
        The text; anything else measures nothing.

    Returns
    -------
    float
        Width of the longest line, with 20 for every further line.

    Examples
    --------
    >>> text_width("风险"), text_width("a\nbb") > 20
    (4.0, True)
    """
    if not isinstance(value, str):
        return 0.0
    return _longest(value) + 20.0 * value.count("\n")


def _longest(value: str) -> float:
    return max(
        (sum(2.0 if letter > "\u2e7f" else 1.05 for letter in line) for line in value.splitlines()),
        default=0.0,
    )


def _parts(label: str) -> tuple[float, float]:
    """Width of a heading's name and of the unit behind it."""
    for mark in ("（", " ("):
        name, found, unit = label.partition(mark)
        if found and len(name) > 1:
            return _longest(name), _longest(mark.strip() + unit)
    return _longest(label), 0.0


def _under(label: str, width: float) -> float:
    """Widen a column so that its heading takes two lines at most and no break parts its unit."""
    name, unit = _parts(label)
    whole = name + unit
    one_line = 1.06 * whole + 2.4
    if one_line <= width:
        return width
    if not unit:
        return max(width, whole / 2 + 3.0)
    if width <= name + 2.6 or whole > _LONG:
        return max(width, max(name, unit) + 2.4)
    return one_line


def fitted(columns: Sequence[Column], cells: Sequence[Sequence[Any]]) -> list[Column]:
    """Fit columns to what stands in them; a column without entries keeps its width.

    Parameters
    ----------
    columns
        The columns as they are planned.
    cells
        What they show, column by column.

    Returns
    -------
    list of Column
        The same columns with their widths.

    Examples
    --------
    >>> [c.width < 20 for c in fitted([Column("a", 60), Column("b", 40, "wrap")], [["x"], ["y"]])]
    [False, True]
    """
    narrow = [_fit(*both) for both in zip(columns, cells, strict=True)]
    whole = [all(not _breaks(value) for value in values) for values in cells]
    upright = _squeezed(narrow, _UPRIGHT, whole) if cells and len(cells[0]) > _MANY else narrow
    fits = sum(column.width for column in upright if column.printed) <= _UPRIGHT
    narrow = upright if fits else _squeezed(narrow, 0.85 * _A3, whole)
    taken = sum(column.width for column in narrow if column.printed)
    room = next((wide for wide in (A4, _UPRIGHT) if taken <= wide), _A3) - taken
    wanted = [
        max(0.0, _need(column, values) - column.width) if column.form in _WRAPS else 0.0
        for column, values in zip(narrow, cells, strict=True)
    ]
    most = sum(more for column, more in zip(narrow, wanted, strict=True) if column.printed)
    share = min(1.0, max(0.0, room) / (most or 1.0))
    grown = [
        replace(column, width=round(column.width + share * more, 1))
        if column.printed
        else replace(column, width=round(max(column.width, min(column.width + more, _ASIDE)), 1))
        for column, more in zip(narrow, wanted, strict=True)
    ]
    short = LEAST - sum(column.width for column in grown if column.printed)
    if grown and short > 0:
        grown[0] = replace(grown[0], width=round(grown[0].width + short, 1))
    return grown


def _breaks(value: Any) -> bool:
    """Whether a text can go on in a second line; numbers of telephones and sites cannot."""
    return isinstance(value, str) and any(letter == " " or letter > "\u2e7f" for letter in value)


def _squeezed(columns: Sequence[Column], room: float, whole: Sequence[bool] = ()) -> list[Column]:
    """Break long names into lines where the columns are too wide for the paper together."""
    kept = [*whole, *[False] * (len(columns) - len(whole))]
    found, most = list(columns), _BROAD
    while sum(one.width for one in found if one.printed) > room and most > _NARROWEST:
        most -= 1
        found = [
            replace(one, width=max(most, _under(str(one.label), most)), form="wrap")
            if one.printed and one.form in _TEXTS and one.width > most and not rigid
            else one
            for one, rigid in zip(found, kept, strict=True)
        ]
    return found


def _need(column: Column, values: Sequence[Any]) -> float:
    """Width at which no entry needs a second line."""
    there = {_spoken(value, column.form) for value in values if value is not None}
    return max(map(_longest, there), default=0.0) + _ROOM


def _fit(column: Column, values: Sequence[Any]) -> Column:
    if all(value is None for value in values):
        return replace(column, width=_under(str(column.label), column.width))
    need = _need(column, values)
    most = _BROAD if column.form == "text" else column.width * _SLACK
    wanted = need if need <= most else min(column.width, most)
    return replace(column, width=round(_under(str(column.label), max(wanted, _LEAST)), 1))


def _spoken(value: Any, form: str) -> str:
    if isinstance(value, str):
        return value
    return _SAID.get(form, "{}").format(value)


def row_lines(columns: Sequence[Column], cells: Sequence[Sequence[Any]], n: int) -> list[int]:
    """Count the lines that each row needs, for spreadsheets that do not fit rows by themselves.

    Parameters
    ----------
    columns
        The columns with their final widths.
    cells
        What they show, column by column.
    n
        Number of rows.

    Returns
    -------
    list of int
        1 to 9 for each row.

    Examples
    --------
    >>> row_lines([Column("a", 10, "wrap")], [["x", "x" * 15]], 2)
    [1, 2]
    """
    lines = np.ones(n, dtype=int)
    for column, values in zip(columns, cells, strict=True):
        if column.form in _WRAPS:
            wide = np.array([text_width(value) for value in values], dtype=float)
            lines = np.maximum(lines, np.ceil(wide / (column.width - 1.8)).astype(int))
    return [int(number) for number in np.clip(lines, 1, _MOST_LINES)]


def heading_lines(columns: Sequence[Column]) -> int:
    """Count the lines of the highest heading.

    Parameters
    ----------
    columns
        The columns with their final widths.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> heading_lines([Column("平均水深（米）", 10.4)])
    2
    """
    wide = [_longest(str(column.label)) / (column.width - 1.0) for column in columns]
    return max((int(np.ceil(lines)) for lines in wide), default=1) or 1


def decimals(cells: Sequence[Any]) -> str:
    """Write a column's numbers with as many decimals as they have, two at most.

    Parameters
    ----------
    cells
        What the column shows.

    Returns
    -------
    str
        A format of Excel.

    Examples
    --------
    >>> decimals([1.0, 2, None]), decimals([0.5]), decimals([1, 0.25])
    ('#,##0', '#,##0.0', '#,##0.00')
    """
    numbers = np.array([cell for cell in cells if isinstance(cell, int | float)], dtype=float)
    for places in (0, 1):
        if np.allclose(numbers, numbers.round(places), rtol=0, atol=1e-9):
            return "#,##0" + ("." + "0" * places if places else "")
    return "#,##0.00"


_FILLS: Final = {0: "#d9dce1", **dict(zip(c.CLASSES, level_colours(), strict=True))}
_INKS: Final = {0: "#1d2025", 1: "#08254a", 2: "#3a3200", 3: "#2b1400", 4: "#ffffff"}
HEAD: Final = "#1f3a5f"
_LONGEST: Final = 32_767
_GUARDED: Final = ("=", "+", "-", "@", "\t", "\r")
"""First letters that a spreadsheet may take for a formula when a text is edited."""
FIRST_ROW: Final = 3
"""Title, subtitle and headings stand above the rows."""
_FORMS: Final[Mapping[str, Mapping[str, object]]] = {
    "text": {"indent": 1},
    "wrap": {"text_wrap": True, "indent": 1},
    "middle": {"align": "center", "text_wrap": True},
    "integer": {"num_format": "#,##0", "align": "right", "indent": 1},
    "number": {"num_format": "#,##0.##", "align": "right", "indent": 1},
    "percent": {"num_format": "0.0%", "align": "right", "indent": 1},
    "degree": {"num_format": "0.000000", "align": "right"},
    "score": {"num_format": "0.000", "align": "center"},
    "class": {"align": "center", "bold": True},
}


@dataclass(frozen=True)
class Page:
    """One sheet to print."""

    name: str
    title: str
    subtitle: str
    frame: pd.DataFrame
    choices: Mapping[str, Sequence[str]]
    """Column to the entries of its drop-down."""
    labels: Mapping[str, Text] = field(default_factory=dict)
    """Headings of columns that other papers do not know."""
    paper: int = 9
    """Excel's number of the paper: 9 = A4, 8 = A3."""
    section: str = ""
    """Section of the vocabulary's columns that holds for it."""
    below: tuple[Page, ...] = ()
    """Further tables under the first, each with its own title and headings."""
    marks: frozenset[tuple[int, str]] = frozenset()
    """Row and column of the cells that are marked, to be mended."""
    aside: frozenset[str] = frozenset()
    """Columns that only the screen shows, right of what is printed."""


class Book:
    """A workbook under construction, with the formats that its sheets share.

    Parameters
    ----------
    path
        The file to write.
    result
        The run; names the document and dates it.
    """

    def __init__(self, path: Path, result: Result) -> None:
        import xlsxwriter

        self.result = result
        options = dict.fromkeys(
            ("strings_to_formulas", "strings_to_numbers", "strings_to_urls"), False
        )
        self.book = xlsxwriter.Workbook(str(path), {**options, "nan_inf_to_errors": False})
        self.book.formats[0].set_font_name("Arial")  # columns are as wide as its figures: there are
        self.book.formats[0].set_font_size(TYPE)  # faces of the same widths on every system
        day = date.fromisoformat(result.facts.data_date or EPOCH)
        self.book.set_properties(
            {
                "title": result.facts.name,
                "author": result.facts.issued_by,
                "comments": f"riskmap {result.facts.version}",
                "created": datetime(day.year, day.month, day.day),
            }
        )
        self._formats: dict[tuple[tuple[str, object], ...], Any] = {}

    def format(self, **properties: object) -> Any:
        """Make a format once.

        Parameters
        ----------
        **properties
            Properties of the format, as `xlsxwriter` names them.

        Returns
        -------
        xlsxwriter.format.Format
            The same object for the same properties.
        """
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            base = {"font_name": "Microsoft YaHei", "font_size": TYPE, "valign": "vcenter"}
            self._formats[key] = self.book.add_format({**base, **properties})
        return self._formats[key]

    def close(self) -> None:
        """Write the file."""
        self.book.close()


def sheet_name(name: str, taken: Sequence[str]) -> str:
    r"""Make a name that Excel takes: at most 31 characters, none of ``[]:*?/\\``.

    Parameters
    ----------
    name
        The name wanted.
    taken
        Names that the workbook has already.

    Returns
    -------
    str
        A name that is not taken, in whatever case.

    Examples
    --------
    >>> sheet_name("A/B", ["a b"])
    'A B (2)'
    """
    clean = name.translate(str.maketrans("[]:*?/\\", " " * 7)).strip("' ")[:31].strip("' ") or "1"
    if clean.lower() == "history":  # Excel keeps that name for itself
        clean += " 1"
    stem, n = clean, 2
    while clean.lower() in {other.lower() for other in taken}:
        clean, n = f"{stem[:27]} ({n})", n + 1
    return clean


def draw_sheet(book: Book, page: Page) -> list[str]:
    """Add one sheet to a workbook.

    Columns that are not printed stand to the right of the print area.

    Parameters
    ----------
    book
        The workbook.
    page
        What the sheet holds.

    Returns
    -------
    list of str
        Names of the columns of its first table, from the left.
    """
    taken = [sheet.get_name() for sheet in book.book.worksheets()]
    sheet = book.book.add_worksheet(sheet_name(page.name, taken))
    blocks = [_block(book, part) for part in (page, *page.below)]
    widths = _joint(blocks)
    blocks = [block.wide(widths) for block in blocks]
    first = blocks[0]
    _banner(book, sheet, page, first.columns)
    top, high = FIRST_ROW, 0
    for place, (part, block) in enumerate(zip((page, *page.below), blocks, strict=True)):
        if place:
            title = book.format(bold=True, font_size=12, font_color=HEAD)
            sheet.set_row(top + 1, 22)
            sheet.write_string(top + 1, 0, safe(part.title), title)
            sheet.set_row(top + 2, max(22, 8 + 14 * heading_lines(block.columns)))
            top += 3
        _heads(book, sheet, block.columns, top - 1)
        lines = row_lines(block.columns, block.cells, block.n)
        high += sum(lines)
        for row, number in enumerate(lines, start=top):
            sheet.set_row(row, 4 + 14 * number)
        if place and block.alone and len(widths) > 1:
            line = book.format(border=1, border_color="#d5d9e0")
            for row in range(top - 1, top + block.n):
                sheet.merge_range(row, 0, row, len(widths) - 1, "", line)
            _heads(book, sheet, block.columns, top - 1)
        for at, column in enumerate(block.columns):
            values = block.frame.iloc[:, at].tolist()
            _fill(book, sheet, at, column, values, block.cells[at], top)
        top += block.n
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    frame, columns = first.frame, first.columns
    _mark(book, sheet, page, [str(name) for name in frame.columns], first.cells)
    bottom = FIRST_ROW + first.n - 1
    for name, entries in page.choices.items():
        place = list(frame.columns).index(name)
        rule = {"validate": "list", "source": list(entries)}
        sheet.data_validation(FIRST_ROW, place, max(bottom, FIRST_ROW), place, rule)
    if columns:
        sheet.autofilter(FIRST_ROW - 1, 0, max(bottom, FIRST_ROW - 1), len(columns) - 1)
    most = max((block.columns for block in blocks), key=lambda cs: sum(c_.printed for c_ in cs))
    _print_setup(sheet, page, most, top - 1, frozen=_frozen(frame), lines=high)
    return [str(name) for name in frame.columns]


@dataclass(frozen=True)
class _Block:
    """One table of a sheet with its columns in the order in which they stand."""

    frame: pd.DataFrame
    columns: Sequence[Column]
    cells: Sequence[Sequence[Any]]

    @property
    def n(self) -> int:
        return len(self.frame)

    @property
    def alone(self) -> bool:
        """Whether it has one column; below another table that takes the whole width."""
        return len(self.columns) == 1

    def wide(self, widths: Sequence[float]) -> _Block:
        if self.alone:
            widths = [sum(widths)]
        columns = [
            replace(column, width=width, form="wrap")
            if column.form == "text" and width < column.width
            else replace(column, width=width)
            for column, width in zip(self.columns, widths, strict=False)
        ]
        return replace(self, columns=columns)


def _joint(blocks: Sequence[_Block]) -> list[float]:
    """Widen the columns that tables below each other share, as far as the paper has room."""
    first, *below = blocks
    shared = [first, *(block for block in below if not block.alone)]
    places = [
        [column for column in place if column is not None]
        for place in zip_longest(*(block.columns for block in shared))
    ]
    widest = [max(place, key=lambda column: column.width) for place in places]
    room = max([A4, *(sum(c.width for c in b.columns if c.printed) for b in shared)])
    if len(shared) > 1:
        widest = [
            replace(one, form="number")
            if any(other.form not in _TEXTS and other.width >= one.width for other in place)
            else replace(one, printed=any(other.printed for other in place))
            for one, place in zip(widest, places, strict=True)
        ]
        widest = _squeezed(widest, min(room, _A3))
    return [column.width for column in widest]


def _block(book: Book, page: Page) -> _Block:
    """Choose the columns of a table and how wide they are."""
    frame = page.frame.copy(deep=False)
    columns = [
        column_of(str(name), frame.iloc[:, place], book.result, page.labels, page.section)
        for place, name in enumerate(frame.columns)
    ]
    columns = [
        replace(column, printed=column.printed and str(name) not in page.aside)
        for name, column in zip(frame.columns, columns, strict=True)
    ]
    order = sorted(range(len(columns)), key=lambda place: not columns[place].printed)
    frame, columns = frame.iloc[:, order], [columns[place] for place in order]
    cells = [
        [shown(str(name), value, book.result) for value in frame.iloc[:, place].tolist()]
        for place, name in enumerate(frame.columns)
    ]
    return _Block(frame, fitted(columns, cells), cells)


def _mark(
    book: Book, sheet: Any, page: Page, names: Sequence[str], cells: Sequence[Sequence[Any]]
) -> None:
    """Colour the cells that are to be mended; a blank one too."""
    style = book.format(
        bg_color="#ffe08a", border=2, border_color="#a30f1a", text_wrap=True, quote_prefix=True
    )
    for row, name in sorted(page.marks):
        place = names.index(name)
        value = cells[place][row]
        if value in (None, ""):
            sheet.write_blank(FIRST_ROW + row, place, None, style)
        else:
            sheet.write_string(FIRST_ROW + row, place, safe(str(value)), style)


def _heads(book: Book, sheet: Any, columns: Sequence[Column], row: int) -> None:
    base = {"bold": True, "align": "center", "text_wrap": True, "border": 1}
    for place, column in enumerate(columns):
        colours = (HEAD, "#ffffff") if column.printed else ("#e4e8ee", HEAD)
        style = book.format(
            **base, bg_color=colours[0], font_color=colours[1], border_color="#8a94a3"
        )
        sheet.write_string(row, place, safe(str(column.label)), style)


def _frozen(frame: pd.DataFrame) -> int:
    """Count the columns that stay when the sheet scrolls: up to the name."""
    names = [str(name) for name in frame.columns]
    return names.index(c.NAME) + 1 if c.NAME in names[:5] else 0


def _banner(book: Book, sheet: Any, page: Page, columns: Sequence[Column]) -> None:
    """Write title and subtitle across what is printed, and make room for the headings."""
    printed = _on_one_page([column for column in columns if column.printed])
    wide = max(sum(column.width for column in printed) or LEAST, LEAST)
    title = book.format(bold=True, font_size=16, font_color=HEAD)
    small = book.format(font_color="#4a5261", text_wrap=True)
    sheet.set_row(0, 30)
    sheet.set_row(1, 6 + 13 * max(1, ceil(text_width(page.subtitle) / wide)))
    sheet.set_row(2, max(22, 8 + 14 * heading_lines(columns)))
    sheet.write_string(0, 0, safe(page.title), title)
    if len(printed) > 1 and page.subtitle:
        sheet.merge_range(1, 0, 1, len(printed) - 1, "", small)
    sheet.write_string(1, 0, safe(page.subtitle), small)


def _points(columns: Sequence[Column]) -> float:
    """Width in print before it is shrunk [points]; a spreadsheet adds 5 pixels to every column."""
    return sum(5.25 * column.width + 3.75 for column in columns)


def _type(paper: int, columns: Sequence[Column], *, upright: bool) -> float:
    """Size of the type when these columns share one width of a paper [points]."""
    room = _SHEETS[paper][not upright] - 72 * (_MARGINS["left"] + _MARGINS["right"])
    return min(TYPE, TYPE * room / (_points(columns) or 1.0))


def _on_one_page(columns: Sequence[Column]) -> Sequence[Column]:
    """Take the columns from the left that one width of A3 shows at a legible size."""
    kept = len(columns)
    while kept > 1 and _type(8, columns[:kept], upright=False) < LEAST_TYPE:
        kept -= 1
    return columns[:kept]


def _print_setup(
    sheet: Any,
    page: Page,
    columns: Sequence[Column],
    bottom: int,
    *,
    frozen: int,
    lines: int,
) -> None:
    """Choose the paper so that nothing is smaller than the least type.

    A4 lying, else A3; many lines stand upright where they fit. What is too wide for A3 goes on to
    further pages, with the names repeated on each.
    """
    shown = [column for column in columns if column.printed]
    wide = sum(column.width for column in shown)
    fits_a4 = wide <= A4 if page.paper == 8 else _type(9, shown, upright=False) >= LEAST_TYPE
    upright = lines > _MANY and _type(8, shown, upright=True) >= LEAST_TYPE
    sheet.freeze_panes(FIRST_ROW, frozen)
    if upright:
        sheet.set_portrait()
    else:
        sheet.set_landscape()
    sheet.set_paper(9 if fits_a4 and not upright else 8)
    sheet.set_margins(**_MARGINS)
    if len(_on_one_page(shown)) == len(shown):
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(round(100 * LEAST_TYPE / TYPE))
        sheet.repeat_columns(0, max(frozen - 1, 0))
    sheet.repeat_rows(FIRST_ROW - 1)
    sheet.print_area(0, 0, max(bottom, FIRST_ROW - 1), max(len(shown) - 1, 0))
    sheet.set_footer("&L&10&A&R&10&P / &N", {"scale_with_doc": False})
    sheet.hide_gridlines(2)


def safe(value: str) -> str:
    """Keep a text inside what a cell can hold.

    Parameters
    ----------
    value
        The text.

    Returns
    -------
    str
        Valid Unicode of at most 32 767 characters, the last one an ellipsis when it was cut.

    Examples
    --------
    >>> len(safe("a" * 40_000)), safe("b")
    (32767, 'b')
    """
    clean = value.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1] + "…"


def _fill(
    book: Book,
    sheet: Any,
    place: int,
    column: Column,
    values: Sequence[Any],
    cells: Sequence[Any],
    top: int,
) -> None:
    """Write one column; texts are always texts, so that no cell can be a formula."""
    line = {"border": 1, "border_color": "#d5d9e0"}
    if column.form == "number":
        line["num_format"] = decimals(cells)
    style = book.format(**{**_FORMS[column.form], **line})
    quoted = book.format(**{**_FORMS[column.form], **line}, quote_prefix=True)
    coloured = [
        book.format(**line, **_FORMS["class"], bg_color=_FILLS[level], font_color=_INKS[level])
        for level in sorted(_FILLS)
    ]
    names = tables.class_names()
    for row, (value, cell) in enumerate(zip(values, cells, strict=True), start=top):
        if column.form == "class" and not isinstance(value, str):
            level = names.index(cell) if cell in names else 0
            said = cell if isinstance(cell, str) else names[0]
            sheet.write_string(row, place, said, coloured[level])
        elif cell is None:
            sheet.write_blank(row, place, None, style)
        elif isinstance(cell, str):
            sheet.write_string(row, place, safe(cell), quoted if cell[:1] in _GUARDED else style)
        else:
            sheet.write_number(row, place, cell, style)

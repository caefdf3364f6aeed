"""How wide the columns of a sheet are and how many lines its rows need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from riskmap.export.words import Column

A4: Final = 150.0
"""Columns that are narrower together [characters] fit A4 lying."""
LEAST: Final = 60.0
"""Narrowest table [characters], so that its title is not cut."""
_MOST_LINES: Final = 9
_WRAPS: Final = ("wrap", "middle")
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
    narrow = [_fit(column, values) for column, values in zip(columns, cells, strict=True)]
    room = A4 - sum(column.width for column in narrow if column.printed)
    wanted = [
        max(0.0, _need(column, values) - column.width) if column.form in _WRAPS else 0.0
        for column, values in zip(narrow, cells, strict=True)
    ]
    share = min(1.0, max(0.0, room) / (sum(wanted) or 1.0))
    grown = [
        replace(column, width=round(column.width + share * more, 1))
        for column, more in zip(narrow, wanted, strict=True)
    ]
    short = LEAST - sum(column.width for column in grown if column.printed)
    if grown and short > 0:
        grown[0] = replace(grown[0], width=round(grown[0].width + short, 1))
    return grown


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

"""Finding the header in a sheet, and the rows that are records."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.findings import row_list
from riskmap.layers.sheets import Grid
from riskmap.layers.types import Remark, Rows

_SEARCHED: Final = 30
_TOTAL: Final = re.compile(r"^(合计|总计|小计|共计|累计|total|sum|subtotal)[\s::]*", re.IGNORECASE)
_NOTE: Final = re.compile(
    r"^[(\[（【]?(注|备注|说明|填表|填报|审核|制表|单位|联系|日期|示范|提示|数据来源|报送|note|remark|source)",
    re.IGNORECASE,
)
_EXAMPLE: Final = frozenset(("示例", "example"))
_SERIAL: Final = frozenset(("序号", "序 号", "no", "no.", "№", "#", "行号"))

Namer = Callable[[str], str | None]
"""Gives the field that a header means, or None."""


@dataclass(frozen=True)
class Header:
    """Where the header stands and what it says."""

    last: int
    """Index of its last row."""
    names: list[str]
    fields: frozenset[str]
    """The fields that its names mean."""


def cell_text(value: Any) -> str:
    r"""Return a cell as one line of text.

    Parameters
    ----------
    value
        What the reader gave.

    Returns
    -------
    str
        Without blanks at the ends and line breaks inside.

    Examples
    --------
    >>> cell_text(" 积水\n深度 "), cell_text(None)
    ('积水 深度', '')
    """
    if value is None or value == "" or value != value:
        return ""
    return " ".join(str(value).split())


def find_header(cells: list[list[Any]], name: Namer) -> Header | None:
    """Find the header row, or two header rows, by the names that are known.

    Parameters
    ----------
    cells
        The sheet.
    name
        Tells the field a header means.

    Returns
    -------
    Header or None
        The first row (or pair of rows) with the most known names; None when no name is known.
    """
    best: Header | None = None
    for index in range(min(_SEARCHED, len(cells))):
        single = [cell_text(value) if isinstance(value, str) else "" for value in cells[index]]
        for names in (single, _under(cells, index, single, name)):
            fields = frozenset(found for entry in names if entry and (found := name(entry)))
            if len(fields) > (len(best.fields) if best else 0):
                best = Header(index, names, fields)
    return best


def _under(cells: list[list[Any]], index: int, lower: list[str], name: Namer) -> list[str]:
    """Join a header of two rows: names above blanks hold, groups add to what stands below."""
    if index == 0:
        return []
    above = [cell_text(value) if isinstance(value, str) else "" for value in cells[index - 1]]
    if sum(entry != "" for entry in above) < 2:
        return []
    width = max(len(above), len(lower))
    above += [""] * (width - len(above))
    lower = lower + [""] * (width - len(lower))
    names, group = [], ""
    for top, bottom in zip(above, lower, strict=True):
        group = top or (group if bottom else "")
        if bottom and group and name(group + bottom):
            names.append(group + bottom)
        else:
            names.append(bottom or top)
    return names


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for position, entry in enumerate(names):
        label = entry or f"[{position + 1}]"
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return out


def _kind(row: list[Any], names: list[str]) -> str:
    """Say what a row below the header is: record, blank, example, total, note, header."""
    texts = [cell_text(value) for value in row]
    filled = [(index, entry) for index, entry in enumerate(texts) if entry]
    if not filled:
        return "blank"
    if filled[0][0] == 0 and filled[0][1].casefold() in _EXAMPLE:
        return "example"
    serial = [index for index, entry in enumerate(names) if entry.casefold() in _SERIAL]
    told = [entry for index, entry in filled if index not in serial]
    if not told:
        return "number_only"
    if _TOTAL.match(filled[0][1]) or _TOTAL.match(told[0]):
        return "total"
    if len(filled) == 1 and len(names) > 2 and (_NOTE.match(told[0]) or len(told[0]) > 30):
        return "note"
    if [entry for entry in texts if entry] == [entry for entry in names if entry]:
        return "header"
    return "record"


def _remarks(kinds: np.ndarray, numbers: np.ndarray, sheet: str) -> list[Remark]:
    said: dict[str, tuple[Text, Text]] = {
        "total": (text("total rows are not records"), text("nothing to do")),
        "note": (text("rows with a note only are not records"), text("nothing to do")),
        "number_only": (
            text("rows with nothing but a serial number are not records"),
            text("fill them in or delete them"),
        ),
        "example": (text("example rows of the template are not records"), text("nothing to do")),
        "header": (text("the header stands in the table again"), text("nothing to do")),
    }
    out = []
    for kind, (message, mend) in said.items():
        rows = numbers[kinds == kind]
        if len(rows):
            whole = text("{message} (rows {rows})", message=message, rows=row_list(rows))
            out.append(Remark(f"row_{kind}", whole, mend, sheet))
    return out


def grid_to_rows(grid: Grid, header: Header) -> Rows:
    """Cut the records out of a sheet.

    Parameters
    ----------
    grid
        The sheet.
    header
        Its header.

    Returns
    -------
    Rows
        One row a record; totals, notes and blank rows left out and said.
    """
    body = grid.cells[header.last + 1 :]
    width = max((len(row) for row in body), default=0)
    names = header.names + [""] * (width - len(header.names))
    named = max((i + 1 for i, entry in enumerate(names) if entry), default=0)
    kinds = np.array([_kind(row, names) for row in body], dtype=object)
    numbers = np.arange(len(body), dtype=np.int64) + header.last + 2
    records = [body[index] for index in np.flatnonzero(kinds == "record")]
    padded = [row + [""] * (len(names) - len(row)) for row in records]
    table = pd.DataFrame(padded, columns=_unique(names), dtype=object)
    beyond = np.array([any(cell_text(v) for v in row[named:]) for row in padded], dtype=bool)
    table = table.iloc[:, :named]
    return Rows(
        table=table,
        row=numbers[kinds == "record"],
        sheet=grid.name,
        encoding=grid.encoding,
        overflow=beyond if padded else np.zeros(0, dtype=bool),
        notes=tuple(_remarks(kinds, numbers, grid.name)),
    )

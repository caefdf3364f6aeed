"""Workbooks and text tables, read into grids of cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.check.findings import row_list, unusable
from riskmap.layers.layer import Remark, Rows

WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".et")
TEXTS: Final = (".csv", ".txt", ".tsv")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_DELIMITERS: Final = (",", "\t", ";", "|")
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet; row 1 of the office is ``cells[0]``."""

    name: str
    cells: list[list[Any]]
    hidden: bool = False
    encoding: str = ""


def read_workbook(path: Path) -> list[Grid]:
    """Read all sheets of a workbook, by what the file is and not by its name.

    Parameters
    ----------
    path
        An .xlsx, .xls, .xlsb or .ods file.

    Returns
    -------
    list of Grid
        One for each sheet, empty ones included.

    Raises
    ------
    LayerError
        When the file is a web page under another name, has a password, or is broken.
    """
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    content = path.read_bytes()
    _refuse_other_files(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [
            Grid(
                name=sheet.name,
                cells=book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False),
                hidden=sheet.visible != SheetVisibleEnum.Visible,
            )
            for sheet in book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
    except PasswordError as error:
        raise _locked() from error
    except (CalamineError, OSError, ValueError) as error:
        raise unusable(
            "broken_workbook",
            text("the workbook cannot be opened"),
            text("open it in Excel or WPS, save it as .xlsx again and give that file"),
            value=str(error),
        ) from error


def _locked() -> Exception:
    return unusable(
        "password",
        text("the workbook is protected by a password"),
        text("open it with the password, save a copy without one and give that copy"),
    )


def _refuse_other_files(content: bytes) -> None:
    """Say plainly what a file is that only claims to be a workbook."""
    if not content:
        raise unusable("empty_file", text("the file is empty"), text("send the file again"))
    start = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(
        (b"<html", b"<!doctype", b"<?xml", b"<table", b"<meta", b"<head", b"<style")
    ):
        raise unusable(
            "renamed_html",
            text("this is a web page saved under the name of a workbook"),
            text("open it in Excel or WPS and save it as .xlsx"),
        )
    if content.startswith(_OLE) and _ENCRYPTED in content:
        raise _locked()
    if not content.startswith((_OLE, _ZIP)):
        raise unusable(
            "not_a_workbook",
            text("this is not a workbook although its name says so"),
            text("if it is a text table, name it .csv; else save it as .xlsx again"),
        )


def decode(content: bytes, encoding: str | None) -> tuple[str, str]:
    """Decode a text file of unknown encoding.

    Tried are the byte order mark, UTF-16 without one, strict UTF-8 and strict GB18030 (which holds
    GBK and GB2312).

    Parameters
    ----------
    content
        The bytes.
    encoding
        The declared encoding, which is then the only one tried, or None.

    Returns
    -------
    tuple of str
        The text and the encoding found.

    Raises
    ------
    LayerError
        When no encoding fits.

    Examples
    --------
    >>> decode("水深".encode("gbk"), None)
    ('水深', 'gb18030')
    """
    tried = [encoding] if encoding else _encodings(content)
    for candidate in tried:
        try:
            return content.decode(candidate).removeprefix("\ufeff"), candidate
        except (UnicodeDecodeError, LookupError):
            continue
    raise unusable(
        "encoding",
        text("the text is not written in {encodings}", encodings=", ".join(tried)),
        text("save the file as UTF-8 CSV, or declare its encoding in the project file"),
    )


def _encodings(content: bytes) -> list[str]:
    if content.startswith(b"\xef\xbb\xbf"):
        return ["utf-8-sig"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    head = content[:4096]
    if head[1::2].count(0) > len(head) // 8:
        return ["utf-16-le"]
    if head[::2].count(0) > len(head) // 8:
        return ["utf-16-be"]
    return ["utf-8", "gb18030"]


def _delimiter(content: str) -> str:
    """Choose the delimiter that splits most of the first lines into the same number of cells."""
    lines = [line for line in content[:65536].splitlines()[:50] if line.strip()]
    best, best_score = ",", 0
    for mark in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=mark) if len(row) > 1)
        if counts:
            width, times = counts.most_common(1)[0]
            if width * times > best_score:
                best, best_score = mark, width * times
    return best


def read_csv(path: Path, *, encoding: str | None = None) -> Grid:
    """Read a text table of unknown encoding and delimiter.

    Parameters
    ----------
    path
        A .csv, .tsv or .txt file.
    encoding
        The declared encoding, or None.

    Returns
    -------
    Grid
        All cells as text; a record over several lines counts as one row, as Excel counts.

    Raises
    ------
    LayerError
        When the file is empty, a workbook under another name, or of unknown encoding.
    """
    content = path.read_bytes()
    if not content.strip():
        raise unusable("empty_file", text("the file is empty"), text("send the file again"))
    if content.startswith((_OLE, _ZIP)):
        raise unusable(
            "not_text",
            text("this is a workbook under the name of a text table"),
            text("name it .xlsx or .xls as it was"),
        )
    body, found = decode(content, encoding)
    if body.lstrip()[:9].lower().startswith(("<html", "<!doctype", "<table")):
        raise unusable(
            "renamed_html",
            text("this is a web page saved under the name of a workbook"),
            text("open it in Excel or WPS and save it as .xlsx"),
        )
    csv.field_size_limit(1 << 24)
    body = body.replace("\x00", "")
    try:
        cells: list[list[Any]] = list(
            csv.reader(io.StringIO(body, newline=""), delimiter=_delimiter(body))
        )
    except csv.Error as error:
        raise unusable(
            "broken_csv",
            text("the text table cannot be split into cells"),
            text("open it in Excel or WPS and save it as CSV again"),
            value=str(error),
        ) from error
    return Grid(name="", cells=cells, encoding=found)


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

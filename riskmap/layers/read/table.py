"""Workbooks and text tables, read into grids of cells."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from riskmap.formats import check_size, check_workbook
from riskmap.i18n import Text, text
from riskmap.layers.layer import (
    SHOWN_ROWS,
    Header,
    Remark,
    Rows,
    Sheet,
    library_words,
    row_list,
    unusable,
)
from riskmap.layers.place.datum import told_datum
from riskmap.layers.read.encoding import decode, known_codec, plausibility
from riskmap.layers.read.values import INVISIBLE, as_column, matches, text_series
from riskmap.vocabulary.columns import unit_of

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".et")
TEXTS: Final = (".csv", ".txt", ".tsv")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_DELIMITERS: Final = (",", "\t", ";", "|", "，")
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


def read_workbook(path: Path) -> list[Sheet]:
    """Read all sheets of a workbook, by what the file is and not by its name.

    Parameters
    ----------
    path
        An .xlsx, .xls, .xlsb or .ods file.

    Returns
    -------
    list of Sheet
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

    check_size(path)
    content = path.read_bytes()
    _refuse_other_files(content)
    quiet = check_workbook(path, telling=_TELLING_MARKS)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        marks = _row_marks(content, quiet)
        old = _old_format_remarks(content)
        grids = []
        for sheet in book.sheets_metadata:
            if sheet.typ != SheetTypeEnum.WorkSheet:
                continue
            opened = book.get_sheet_by_name(sheet.name)
            grids.append(
                Sheet(
                    name=sheet.name,
                    cells=_sheet_cells(opened),
                    hidden=sheet.visible != SheetVisibleEnum.Visible,
                    merged=tuple(sorted(opened.merged_cell_ranges or ())),
                    notes=(*_mark_remarks(marks.get(sheet.name, _Marks()), sheet.name), *old),
                    units=marks.get(sheet.name, _Marks()).units,
                )
            )
    except PasswordError as error:
        raise _locked() from error
    except (CalamineError, OSError, ValueError) as error:
        raise unusable(
            "broken_workbook",
            text("the workbook cannot be opened"),
            text("open it in Excel or WPS, save it as .xlsx again and give that file"),
            value=str(library_words(str(error))),
        ) from error
    return grids


_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HIDDEN: Final = re.compile(rb"<row\b[^>]*?\br=\"(\d+)\"[^>]*?\bhidden=\"(?:1|true)\"")
_STYLED: Final = re.compile(rb"<c\b[^>]*?\br=\"[A-Z]+(\d+)\"[^>]*?\bs=\"(\d+)\"[^>]*[^/]>")
_MARKED_SHEET: Final = 400_000_000
"""Sheets of more bytes are not searched for hidden and struck rows."""
_UNSAVED: Final = re.compile(
    rb"<c\b[^>]*?\br=\"([A-Z]+\d+)\"[^>]*><f\b(?:[^>]*/>|[^>]*>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>"
)
"""A cell with a formula and no stored result."""
_ERRORS: Final = re.compile(
    rb"<c\b(?=[^>]*?\br=\"([A-Z]+\d+)\")(?=[^>]*?\bt=\"e\")[^>]*[^/]>(?:<f\b(?:[^>]*/>|[^>]*>[^<]*</f>))?"
    rb"<v>(#[^<]{1,20})</v>"
)
"""A cell that holds an error, which the reader gives as blank."""
_TELLING_MARKS: Final = r' hidden=|<f[ >]| t="e"'


@dataclass(frozen=True)
class _Marks:
    """What an .xlsx says of rows and cells that its values do not."""

    hidden: tuple[int, ...] = ()
    struck: tuple[int, ...] = ()
    unsaved: tuple[str, ...] = ()
    """Cells with a formula and no stored result."""
    errors: tuple[str, ...] = ()
    """Cells that hold an error, with the error."""
    units: tuple[tuple[int, str], ...] = ()
    """Columns, from 0, with the unit that their number format shows."""


def _row_marks(content: bytes, quiet: frozenset[str]) -> dict[str, _Marks]:
    """Find the hidden and the struck-through rows of an .xlsx, and formulas without result."""
    if not content.startswith(_ZIP):
        return {}
    try:
        return _xlsx_marks(content, quiet)
    except (KeyError, ValueError, SyntaxError, zipfile.BadZipFile, OSError, EOFError, zlib.error):
        return {}


def _xlsx_marks(content: bytes, quiet: frozenset[str]) -> dict[str, _Marks]:
    from xml.etree import ElementTree as ET

    out = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        links = {
            entry.get("Id"): str(entry.get("Target"))
            for entry in ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        }
        styles = ET.fromstring(archive.read("xl/styles.xml"))  # noqa: S314
        struck, shown = _struck_styles(styles), _unit_styles(styles)
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        for sheet in book.iter(f"{_MAIN}sheet"):
            target = links.get(sheet.get(_LINK), "").lstrip("/")
            target = target if target.startswith("xl/") else f"xl/{target}"
            if archive.getinfo(target).file_size > _MARKED_SHEET:
                continue
            if struck or shown or target not in quiet:
                out[str(sheet.get("name"))] = _marks_of(archive.read(target), struck, shown)
    return out


def _marks_of(body: bytes, struck: frozenset[int], shown: dict[int, str]) -> _Marks:
    """Find the marked rows of one sheet."""
    crossed = dict.fromkeys(
        int(match[1]) for match in _STYLED.finditer(body) if struck and int(match[2]) in struck
    )
    unsaved = {match[1].decode("ascii"): None for match in _UNSAVED.finditer(body)}
    return _Marks(
        tuple(int(match[1]) for match in _HIDDEN.finditer(body)),
        tuple(crossed),
        tuple(unsaved),
        tuple(f"{m[1].decode('ascii')} {m[2].decode('ascii', 'replace')}"
              for m in _ERRORS.finditer(body)),
        _shown_units(body, shown) if shown else (),
    )  # fmt: skip


_NUMBER_CELL: Final = re.compile(
    rb"<c\b(?=[^>]*?\br=\"([A-Z]+)\d+\")(?![^>]*?\bt=\"(?!n\"))(?:[^>]*?\bs=\"(\d+)\")?[^>]*(?<!/)>"
    rb"(?:<f\b(?:[^>]*/>|[^>]*>[^<]*</f>))?<v>"
)
_SHOWN: Final = re.compile(
    r"^(?:General|G/通用格式|[#0.?\s]*0(?:,?#*0)*(?:\.[0#]+)?)[_ ]?"
    r"(?:\s*\"\s*([^\"]+?)\s*\"|([^\x00-\x7f]+)|\\?%)(?:;.*)?$"
)
"""A number format that shows a number as it is, or in hundredths, with a word behind it."""


def _shown_units(body: bytes, shown: dict[int, str]) -> tuple[tuple[int, str], ...]:
    """Find the columns whose numbers all show one unit."""
    found: dict[bytes, set[str]] = {}
    for match in _NUMBER_CELL.finditer(body):
        found.setdefault(match[1], set()).add(shown.get(int(match[2] or 0), ""))
    out = []
    for letters, units in found.items():
        if len(units) == 1 and (unit := next(iter(units))):
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            out.append((column - 1, unit))
    return tuple(sorted(out))


def _unit_styles(styles: Any) -> dict[int, str]:
    """Return the cell styles whose number format shows a unit, with the unit."""
    formats = {
        int(one.get("numFmtId", 0)): str(one.get("formatCode", ""))
        for one in styles.iterfind(f"{_MAIN}numFmts/{_MAIN}numFmt")
    } | {9: "0%", 10: "0.00%"}
    out = {}
    for at, entry in enumerate(styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")):
        if unit := _shown_unit(formats.get(int(entry.get("numFmtId", 0)), "")):
            out[at] = unit
    return out


def _shown_unit(code: str) -> str | None:
    """Read the unit that a number format shows behind the number; ``1`` for per cent.

    Examples
    --------
    >>> _shown_unit('0.0"万人"'), _shown_unit("0%"), _shown_unit("0.0")
    ('10k persons', '1', None)
    """
    match = _SHOWN.match(re.sub(r"\\(?=[^\x00-\x7f])", "", code))
    word = match and (match[1] or match[2])
    return unit_of(word) if word else "1" if match else None


_FORMAT_RECORD: Final = re.compile(rb"\x1e\x04(..)..(..)([\x00\x01])", re.DOTALL)
"""A number format in an .xls: length of the record and of the text, and whether it is UTF-16."""
_ODS_STYLE: Final = re.compile(rb"<number:number-style\b.*?</number:number-style>", re.DOTALL)
_ODS_WORD: Final = re.compile(
    rb"</?number:number(?=[\s/>])[^>]*>\s*<number:text>([^<]+)</number:text>"
)


_ODS_UNSEEN: Final = re.compile(
    rb'table:number-rows-spanned="(?!1")|<table:table-row\b[^>]*\btable:visibility="(?:collapse|filter)"'
)


def _old_format_remarks(content: bytes) -> list[Remark]:
    """Say which units the number formats of an .xls or .ods show, as they are not read there."""
    words: list[str] = []
    out: list[Remark] = []
    if content.startswith(_OLE):
        for match in _FORMAT_RECORD.finditer(content):
            size, count = (int.from_bytes(part, "little") for part in match.groups()[:2])
            wide = match[3] == b"\x01"
            if size == 5 + count * (2 if wide else 1):
                body = content[match.end() : match.end() + size - 5]
                words.append(body.decode("utf-16-le" if wide else "latin-1", "replace"))
    elif content.startswith(_ZIP):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in {"content.xml", "styles.xml"} & set(archive.namelist()):
                body = archive.read(part)
                if _ODS_UNSEEN.search(body):
                    said = text("joined cells and hidden rows are not seen in .ods")
                    mend = text("save it as .xlsx, where they are seen")
                    out.append(Remark("ods_unseen", said, mend))
                for style in _ODS_STYLE.findall(body):
                    words += [
                        f'0"{w.decode("utf-8", "replace")}"' for w in _ODS_WORD.findall(style)
                    ]
    units = dict.fromkeys(word for word in words if (_shown_unit(word) or "1") != "1")
    if not units:
        return out
    said = text(
        "number formats of this file show units behind the numbers ({units}); they were not read",
        units="、".join(units),
    )
    return [*out, Remark("format_unread", said, text("save it as .xlsx, where they are read"))]


def _struck_styles(styles: Any) -> frozenset[int]:
    """Return the cell styles whose font is struck through."""
    fonts = [
        (mark := font.find(f"{_MAIN}strike")) is not None and mark.get("val") not in ("0", "false")
        for font in styles.iterfind(f"{_MAIN}fonts/{_MAIN}font")
    ]
    formats = styles.iterfind(f"{_MAIN}cellXfs/{_MAIN}xf")
    used = [int(entry.get("fontId", 0)) for entry in formats]
    return frozenset(n for n, font in enumerate(used) if font < len(fonts) and fonts[font])


def _mark_remarks(marks: _Marks, sheet: str) -> list[Remark]:
    hidden, struck = marks.hidden, marks.struck
    out = []
    if marks.unsaved:
        said = text(
            "{n} cells hold a formula without its result and were read as blank ({cells})",
            n=len(marks.unsaved),
            cells=", ".join(marks.unsaved[:SHOWN_ROWS])
            + (" …" if len(marks.unsaved) > SHOWN_ROWS else ""),
        )
        mend = text("open the workbook in Excel or WPS, save it, and give it again")
        out.append(Remark("unsaved_formulas", said, mend, sheet))
    if marks.errors:
        said = text(
            "{n} cells hold an Excel error and were read as blank ({cells})",
            n=len(marks.errors),
            cells=", ".join(marks.errors[:SHOWN_ROWS])
            + (" …" if len(marks.errors) > SHOWN_ROWS else ""),
        )
        out.append(Remark("error_cells", said, text("mend the formulas"), sheet))
    if hidden:
        said = text("hidden rows were read like the others (rows {rows})", rows=row_list(hidden))
        mend = text("delete the rows that do not count; a filter does not take them out")
        out.append(Remark("hidden_rows", said, mend, sheet))
    if struck:
        said = text(
            "struck-through rows were read like the others (rows {rows})", rows=row_list(struck)
        )
        mend = text("delete the rows that are struck out, or set their state to 注销")
        out.append(Remark("struck_rows", said, mend, sheet))
    return out


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


class Lines(Sequence[list[Any]]):
    """The rows of a long table, held by columns; a row is made when it is asked for.

    Parameters
    ----------
    columns
        One array a column, as `as_column` gives it, all of one length.
    path
        The text file that they are from, in UTF-8; None for a sheet of a workbook.
    head
        Rows before those of the columns, such as those of the heading.
    """

    def __init__(
        self, columns: list[Any], path: Path | None, head: Sequence[list[Any]] = ()
    ) -> None:
        self.columns = columns
        self.path = path
        self.head = list(head)

    def __len__(self) -> int:
        return len(self.head) + len(self.columns[0])

    @overload
    def __getitem__(self, at: int) -> list[Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[Any]]: ...
    def __getitem__(self, at: int | slice) -> list[Any] | list[list[Any]]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            n = len(self.head)
            cut = [_listed(c[max(start - n, 0) : max(stop - n, 0)]) for c in self.columns]
            rows = [list(row) for row in zip(*cut, strict=True)]
            return [*self.head[start:stop], *rows][::step]
        place = range(len(self))[at]
        return self[place : place + 1][0]

    def between(self, start: int, stop: int) -> list[Any]:
        """Give the columns of some rows.

        Parameters
        ----------
        start, stop
            First row, and the one behind the last.

        Returns
        -------
        list
            One array a column.
        """
        n = len(self.head)
        rest = [column[max(start - n, 0) : max(stop - n, 0)] for column in self.columns]
        if start >= n:
            return rest
        above = zip(*self.head[start:stop], strict=True)
        return [
            _one_column([as_column(list(cells)), below])
            for cells, below in zip(above, rest, strict=True)
        ]

    def __iter__(self) -> Iterator[list[Any]]:
        for start in range(0, len(self), _AT_ONCE):
            yield from self[start : start + _AT_ONCE]

    def hold(self, entry: str) -> bool:
        """Tell whether a text may stand anywhere below the first `_NEAR` rows.

        Parameters
        ----------
        entry
            The text.

        Returns
        -------
        bool
            False when no cell there can be it.
        """
        if self.path is None:
            return True
        sought, rest = entry.encode(), b""
        with self.path.open("rb") as stream:
            stream.seek(_NEAR)  # no row is shorter than a byte
            while piece := stream.read(_PIECE):
                if sought in piece or sought in rest + piece[: len(sought)]:
                    return True
                rest = piece[-len(sought) :]
        return False

    def equal(self, entries: set[str]) -> np.ndarray:
        """Count, for every row, its cells that are one of some texts.

        Parameters
        ----------
        entries
            The texts.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        wanted = pa.array(sorted(entries), pa.large_string())
        found = np.zeros(len(self), dtype=np.int16)
        found[: len(self.head)] = [sum(map(entries.__contains__, row)) for row in self.head]
        rest = found[len(self.head) :]
        for column in self.columns:
            if not isinstance(column, np.ndarray):
                rest += pc.is_in(column, wanted).to_numpy()
            elif column.dtype == object:
                rest += np.array([cell in entries for cell in column], dtype=bool)
        return found


def _listed(column: Any) -> list[Any]:
    """Give the cells of a column as they were read."""
    cells: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column.to_pylist()
    return cells


def _one_column(parts: list[Any]) -> Any:
    """Put parts of a column together."""
    if all(not isinstance(part, np.ndarray) for part in parts):
        chunks = [c for part in parts for c in getattr(part, "chunks", [part])]
        return pa.chunked_array(chunks, pa.large_string())
    if all(isinstance(part, np.ndarray) and part.dtype == np.float64 for part in parts):
        return np.concatenate(parts)
    whole = np.empty(sum(map(len, parts)), dtype=object)
    whole[:] = [cell for part in parts for cell in _listed(part)]
    return whole


def _sheet_cells(opened: Any) -> Sequence[list[Any]]:
    """Give the cells of a sheet; those of a long one by columns, a part of the rows at a time."""
    if opened.height <= 2 * _AT_ONCE or opened.start != (0, 0):
        cells: list[list[Any]] = opened.to_python(skip_empty_area=False)
        return cells
    rows = opened.iter_rows()
    head = list(islice(rows, _SEARCHED))
    parts = []
    while some := list(islice(rows, _AT_ONCE)):
        parts.append([as_column(list(column)) for column in zip(*some, strict=True)])
    columns = [_one_column(list(column)) for column in zip(*parts, strict=True)]
    return Lines(columns, None, head)


_AT_ONCE: Final = 10_000
_PIECE: Final = 1 << 22
"""Bytes of a long file that are looked at together."""
_NEAR: Final = 3000
"""Rows below a header that are looked at one by one."""
_LONG: Final = 1_000_000
"""Text tables of more bytes are read by columns."""
_QUOTED: Final = re.compile(rb'(?<![^,;|\t\n])"[^"\r\n]*"(?![^,;|\t\r\n])')


def _regular(piece: bytes) -> bool:
    """Tell whether every line of a piece of a text table is a row of its own."""
    quotes = piece.count(b'"') if b'"' in piece else 0
    return not (
        b"\x00" in piece
        or (b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n"))
        or (quotes and quotes != 2 * len(_QUOTED.findall(piece)))
    )


def _all_regular(path: Path) -> bool:
    """Tell whether every line of a text table is a row of its own, piece by piece."""
    rest = b""
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            whole = rest + piece
            end = whole.rfind(b"\n") + 1
            if not _regular(whole[:end]):
                return False
            rest = whole[end:]
    return _regular(rest)


@cache
def _giving_back() -> None:
    """Let memory of columns that are done with go back to the system, where arrow can do that."""
    with suppress(NotImplementedError):
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(0)


def _by_columns(path: Path, encoding: str | None) -> Sheet | None:
    """Read a long text table by columns; None when it is not as regular as that needs."""
    if path.stat().st_size < _LONG or (encoding is not None and known_codec(encoding) != "utf-8"):
        return None
    with path.open("rb") as stream:
        head = stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf")
    head = head[: head.rfind(b"\n") + 1]
    if not _all_regular(path):
        return None
    _giving_back()
    try:
        if plausibility(head.decode("utf-8")) < _PLAUSIBLE:
            return None
        mark = _delimiter(head.decode("utf-8"))
        if not mark.isascii():
            return None
        width = len(next(csv.reader([head.split(b"\n", 1)[0].decode("utf-8")], delimiter=mark)))
        names = [str(at) for at in range(width)]
        read = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=1 << 22),
            parse_options=arrow_csv.ParseOptions(delimiter=mark, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except (UnicodeDecodeError, StopIteration, pa.ArrowInvalid):
        return None
    if width < 2 or len(read) < 2:
        return None
    return Sheet(name="", cells=Lines(list(read.columns), path), encoding="utf-8")


_PLAUSIBLE: Final = 0.3
_HEAD: Final = 65536
"""Bytes by which encoding and delimiter are told."""


def read_csv(path: Path, *, encoding: str | None = None, by_columns: bool = False) -> Sheet:
    """Read a text table of unknown encoding and delimiter.

    Parameters
    ----------
    path
        A .csv, .tsv or .txt file.
    encoding
        The declared encoding, or None.
    by_columns
        Whether the rows of a long and regular table may be `Lines`.

    Returns
    -------
    Sheet
        All cells as text; a record over several lines counts as one row, as Excel counts.

    Raises
    ------
    LayerError
        When the file is empty, a workbook under another name, or of unknown encoding.
    """
    check_size(path)
    if by_columns and (long := _by_columns(path, encoding)) is not None:
        return long
    content = path.read_bytes()
    if not content[:_HEAD].strip() and not content.strip():
        raise unusable("empty_file", text("the file is empty"), text("send the file again"))
    if content.startswith((_OLE, _ZIP)):
        raise unusable(
            "not_text",
            text("this is a workbook under the name of a text table"),
            text("name it .xlsx or .xls as it was"),
        )
    decoded = decode(content, encoding)
    body = decoded.body
    if body.lstrip()[:9].lower().startswith(("<html", "<!doctype", "<table")):
        raise unusable(
            "renamed_html",
            text("this is a web page saved under the name of a workbook"),
            text("open it in Excel or WPS and save it as .xlsx"),
        )
    csv.field_size_limit(1 << 24)
    body = body.replace("\x00", "")
    try:
        mark = _delimiter(body)
        spaced = _by_blanks(body) if mark == "," and "," not in body[:_HEAD] else None
        cells, unclosed = (spaced, []) if spaced else _split(body, mark)
    except csv.Error as error:
        raise unusable(
            "broken_csv",
            text("the text table cannot be split into cells"),
            text("open it in Excel or WPS and save it as CSV again"),
            value=str(library_words(str(error))),
        ) from error
    if '="' in body:
        cells = [[_FORMULA_TEXT.sub(r"\1", cell) for cell in row] for row in cells]
    notes = [*decoded.remarks(), *_quote_remarks(unclosed)]
    if spaced:
        said = text("the columns are parted by blanks; they were read as columns")
        notes.append(Remark("parted_by_blanks", said, text("nothing to do")))
    return Sheet(name="", cells=cells, encoding=decoded.encoding, notes=tuple(notes))


def _by_blanks(body: str) -> list[list[Any]] | None:
    """Split a table whose columns are parted by blanks; None when rows differ in their number."""
    lines = body.splitlines()
    for blanks in (r"\s{2,}|\t", r"\s+"):
        rows: list[list[Any]] = [
            re.split(blanks, line.strip()) if line.strip() else [] for line in lines
        ]
        widths = {len(row) for row in rows if row and not all(map(_RULE.match, row))}
        first = next((row for row in rows if row), [])
        headed = not any(cell[:1].isdigit() or cell[:1] == "-" for cell in first)
        if len(widths) == 1 and min(widths) >= 3 and headed and sum(map(bool, rows)) >= 2:
            return rows
    return None


def _split(body: str, mark: str) -> tuple[list[list[Any]], list[int]]:
    """Split a text table into cells; lines that an unclosed quote would swallow are read alone.

    Lines are counted apart from the parser: a record over several lines is one only when no line
    inside it looks like a record of its own, or when it has as many cells as the others and no
    cell holds the marks of a record: what a quote swallows holds as many as a record or more.
    """
    lines = list(io.StringIO(body, newline=""))
    reader = csv.reader(lines, delimiter=mark)
    rows: list[list[Any]] = []
    spans: list[tuple[int, int]] = []
    before = 0
    for row in reader:
        rows.append(row)
        spans.append((before, reader.line_num))
        before = reader.line_num
    widths = Counter(len(row) for row in rows if len(row) > 1)
    width = widths.most_common(1)[0][0] if widths else 0
    out: list[list[Any]] = []
    unclosed = []
    for row, (start, end) in zip(rows, spans, strict=True):
        inner = lines[start + 1 : end]
        like = width > 1 and any(line.count(mark) >= width - 1 for line in inner)
        if like and (len(row) != width or any(cell.count(mark) >= width - 1 for cell in row)):
            unclosed.append(len(out) + 1)
            out += [_alone(line, mark) for line in lines[start:end]]
        else:
            out.append(row)
    return out, unclosed


def _alone(line: str, mark: str) -> list[Any]:
    """Split one line by itself; its quotes count only when each is closed."""
    bare = line.rstrip("\r\n")
    if bare.count('"') % 2 == 0:
        return next(csv.reader([bare], delimiter=mark), [])
    return [cell.strip().strip('"') for cell in bare.split(mark)]


def _quote_remarks(rows: list[int]) -> list[Remark]:
    if not rows:
        return []
    said = text("a quote is opened and not closed (rows {rows})", rows=row_list(np.array(rows)))
    mend = text("close it or delete it; the lines after it were read one by one")
    return [Remark("unclosed_quote", said, mend)]


_FORMULA_TEXT: Final = re.compile(r'^\s*="([^"]*)"\s*$')
"""A text that was written as a formula, so that Excel keeps its zeros."""
_SEARCHED: Final = 30
_TOTAL: Final = re.compile(r"^(合计|总计|小计|共计|累计|total|sum|subtotal)[\s::]*", re.IGNORECASE)
_SUBTOTAL: Final = re.compile(
    r"^.{1,20}(?:小计|合计|总计|汇总|\s(?:计数|平均值|最大值|最小值))[::]?$|^汇总$"
)
"""What ends with the word for a sum, as the subtotals of a spreadsheet do."""
_RULE: Final = re.compile(r"^(?:[+|:]*[-=─━—_]{2,}[-=─━—_+|:┼ ]*|:-:?|-:)$")
"""A cell that only draws a line."""
_FOOT: Final = re.compile(
    r"^\(?(?:共\s*)?\d+\s*(?:rows?(?: in set)?|行记录|条记录|行|条)[\s()（）.,\da-z]*$",
    re.IGNORECASE,
)
"""A count of the rows, as databases write it below them."""
_NOTE: Final = re.compile(
    r"^[(\[（【]?(注|备注|说明|填表|填报|审核|制表|单位|联系|日期|示范|提示|数据来源|报送|note|remark|source)",
    re.IGNORECASE,
)
_SIGNED: Final = re.compile(
    r"^(?:填表|填报|审核|审定|复核|校核|制表|编制|负责|单位|部门|联系|电话|日期|时间|主管|分管|领导|报送|上报|签[字名章]|盖章|公章)"
    r"[^:：]{0,8}[:：]\s*(.*)$",
    re.DOTALL,
)
"""A cell of the line below a table that says who filled it in, checked it, and when."""
_EXAMPLE: Final = frozenset(("示例", "example"))
_SERIAL: Final = frozenset(("序号", "序 号", "no", "no.", "№", "#", "行号"))

Namer = Callable[[str], str | None]
"""Gives the field that a header means, or None."""


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
    return " ".join(str(value).translate(INVISIBLE).split())


Ranges = tuple[tuple[tuple[int, int], tuple[int, int]], ...]
_DEEPEST: Final = 3
"""Most rows of a header."""
_ANGLE_PARTS: Final = {
    **dict.fromkeys(("度", "°", "度(°)", "d", "deg"), "度"),
    **dict.fromkeys(("分", "′", "'", "分(′)", "分(')", "min"), "分"),
    **dict.fromkeys(("秒", "″", "′′", '"', "秒(″)", '秒(")', "sec"), "秒"),
}
_ANGLE_NAME: Final = re.compile(r"^(.+?)[\s_\-(\[|/]*(度|分|秒|°|′′|′|″)[)\]]?$")
_FILLING: Final = frozenset(
    (
        "必填",
        "选填",
        "可选",
        "必填项",
        "选填项",
        "文本",
        "数字",
        "数值",
        "日期",
        "下拉选择",
        "字符",
        "整数",
    )
)


def find_header(
    cells: Sequence[list[Any]], name: Namer, *, merged: Ranges = (), start: int = 0
) -> Header | None:
    """Find the header, of one to three rows, by the names that are known.

    Parameters
    ----------
    cells
        The sheet.
    name
        Tells the field a header means.
    merged
        Joined cells of the sheet.
    start
        Row to begin with.

    Returns
    -------
    Header or None
        The first row (or rows one above the other) with the most known names; None when no name
        is known.
    """
    stop = min(start + _SEARCHED, len(cells))
    rows = _header_texts(cells, merged, start, min(stop + _DEEPEST, len(cells)))
    best: Header | None = None
    for index in range(stop - start):
        for depth in range(1, min(_DEEPEST, index + 1) + 1):
            names = _stacked(rows[index - depth + 1 : index + 1], name)
            fields = frozenset(
                found for entry in names if entry and (found := name(entry.partition("|")[0]))
            )
            if len(fields) > (len(best.fields) if best else 0):
                best = Header(start + index, names, fields, start + index - depth + 1)
    return None if best is None else _extended(best, cells, rows, start, name)


def _header_texts(
    cells: Sequence[list[Any]], merged: Ranges, start: int, stop: int
) -> list[list[str]]:
    """Return the first rows as texts; joined cells of a header show their text everywhere."""
    rows = [
        [cell_text(value) if isinstance(value, str) else "" for value in row]
        for row in cells[start:stop]
    ]
    for (top, left), (bottom, right) in merged:
        if not start <= top < stop:
            continue
        width = sum(1 for value in rows[top - start] if value) if right > left else 0
        label = rows[top - start][left] if left < len(rows[top - start]) else ""
        if not label or (right - left >= 3 and width <= 1):
            continue
        for row in rows[top - start : bottom - start + 1]:
            row.extend([""] * (right + 1 - len(row)))
            row[left : right + 1] = [label] * (right + 1 - left)
    return rows


def _stacked(rows: list[list[str]], name: Namer) -> list[str]:
    """Join header rows: names above blanks hold, groups add to what stands below."""
    if len(rows) == 1:
        return _angle_parts(rows[0], name)
    if any(sum(entry != "" for entry in row) < 2 for row in rows[:-1]):
        return []
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    groups = [""] * (len(rows) - 1)
    names = []
    for column in range(width):
        stack = [row[column] for row in rows]
        for level in range(len(rows) - 1):
            below = any(stack[level + 1 :])
            groups[level] = stack[level] or (groups[level] if below else "")
        parts = [part for part in (*groups, stack[-1]) if part]
        parts = [part for at, part in enumerate(parts) if at == 0 or part != parts[at - 1]]
        names.append(_column_name(parts, bool(stack[-1]), name))
    return _angle_parts(names, name)


def _column_name(parts: list[str], own: bool, name: Namer) -> str:  # noqa: FBT001
    """Name a column by its group and what stands below it."""
    if not parts:
        return ""
    last = parts[-1]
    mark = _ANGLE_PARTS.get(last.casefold())
    if mark and len(parts) > 1 and name(parts[-2]) in ("lon", "lat"):
        return f"{parts[-2]}|{mark}"
    for first in range(len(parts)):
        joined = "".join(parts[first:])
        if name(joined):
            return joined
    return last if own or len(parts) == 1 else parts[0]


def _angle_parts(names: list[str], name: Namer) -> list[str]:
    """Mark columns that hold degrees, minutes and seconds of one angle."""
    split = [_ANGLE_NAME.match(unicodedata.normalize("NFKC", entry)) for entry in names]
    found = [
        (match[1], _ANGLE_PARTS[match[2]])
        if match is not None and name(match[1]) in ("lon", "lat")
        else None
        for match in split
    ]
    whole = {base for base, part in filter(None, found) if part == "分"} & {
        base for base, part in filter(None, found) if part == "度"
    }
    return [
        f"{pair[0]}|{pair[1]}" if pair is not None and pair[0] in whole else entry
        for entry, pair in zip(names, found, strict=True)
    ]


def _extended(
    header: Header, cells: Sequence[list[Any]], rows: list[list[str]], start: int, name: Namer
) -> Header:
    """Take rows below a header that hold only units, parts of angles, column numbers or names."""
    names, last = list(header.names), header.last
    while last + 1 < len(cells) and last + 1 - start < len(rows) and last - header.last < 2:
        raw = cells[last + 1]
        texts = rows[last + 1 - start]
        kind = _below(raw, names, name)
        if kind == "":
            break
        if kind == "parts":
            names = _with_parts(names, texts)
        elif kind == "units":
            names = _with_units(names, texts)
        last += 1
    return Header(last, names, header.fields, header.first)


def _below(raw: list[Any], names: list[str], name: Namer) -> str:
    """Say what a row right under the header is: ``units``, ``parts``, ``again`` or nothing."""
    filled = [(at, cell_text(value)) for at, value in enumerate(raw) if cell_text(value)]
    if not filled:
        return ""
    if _counts_columns([entry for _, entry in filled]):
        return "again"
    if any(not isinstance(raw[at], str) for at, _ in filled):
        return ""
    plain = [(at, unicodedata.normalize("NFKC", entry).strip("()[]")) for at, entry in filled]
    marks = {_ANGLE_PARTS.get(entry.casefold()) for _, entry in plain}
    groups: list[str] = []
    for entry in names:
        groups.append(entry or (groups[-1] if groups else ""))
    minutes = [at for at, entry in plain if _ANGLE_PARTS.get(entry.casefold()) == "分"]
    if {"度", "分"} <= marks and any(
        at < len(groups) and name(groups[at]) in ("lon", "lat") for at in minutes
    ):
        return "parts"
    units = [entry for _, entry in plain if unit_of(entry) and not entry[0].isdigit()]
    others = [
        entry
        for _, entry in plain
        if not unit_of(entry) and entry not in _FILLING and not re.match(r"^(单位|[-/—]+)", entry)
    ]
    if (units or any(entry in _FILLING for _, entry in plain)) and not others:
        return "units"
    same = [
        at
        for at, entry in filled
        if at < len(names) and names[at] and name(entry) and name(entry) == name(names[at])
    ]
    return "again" if len(same) >= 2 and 2 * len(same) >= len(filled) else ""


def _counts_columns(entries: list[str]) -> bool:
    """Tell whether a row numbers the columns, as printed forms do."""
    numbers = [re.sub(r"[()（）.]|\.0$", "", entry) for entry in entries]
    while numbers and numbers[0] in ("甲", "乙", "丙", "丁", "栏次", "列号"):
        numbers = numbers[1:]
    if len(numbers) < 3 or not all(n.isdigit() for n in numbers):
        return False
    first = int(numbers[0])
    return first in (0, 1) and [int(n) for n in numbers] == list(range(first, first + len(numbers)))


def _with_parts(names: list[str], texts: list[str]) -> list[str]:
    width = max(len(names), len(texts))
    names = names + [""] * (width - len(names))
    texts = texts + [""] * (width - len(texts))
    group, out = "", []
    for entry, below in zip(names, texts, strict=True):
        bare = unicodedata.normalize("NFKC", below).strip("()[]").casefold()
        mark = _ANGLE_PARTS.get(bare)
        group = entry.partition("|")[0] or (group if mark else "")
        out.append(f"{group}|{mark}" if mark and group else entry)
    return out


def _with_units(names: list[str], texts: list[str]) -> list[str]:
    out = list(names)
    for at, below in enumerate(texts[: len(names)]):
        unit = unicodedata.normalize("NFKC", below).strip("()[]")
        if names[at] and unit_of(unit) and "|" not in names[at]:
            out[at] = f"{names[at]}({unit})"
    return out


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for position, entry in enumerate(names):
        label = entry or f"[{position + 1}]"
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return out


def _plain_record(row: list[Any], names: list[str]) -> bool:
    """Tell at a glance that a row is a record: many cells, and no word that begins another kind."""
    if len(row) - row.count("") - row.count(None) < _MANY or len(row) < _MANY:
        return False
    seen = 0
    for value in row[:_MANY]:
        if isinstance(value, str):
            entry = value.strip()
            if entry.casefold() in _EXAMPLE or _TOTAL.match(entry) or _SIGNED.match(entry):
                return False
            if entry[:2] in ("--", ":-", "=="):
                return False
            seen += bool(entry)
        else:
            seen += value is not None
    return seen >= _MANY - 1 and cell_text(row[1]) != names[1] and cell_text(row[0]) != names[0]


_MANY: Final = 4


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
        return "note" if _NOTE.match(filled[0][1]) else "number_only"
    if all(_RULE.match(entry) for _, entry in filled) and len("".join(told)) > 3:
        return "rule"
    if _TOTAL.match(filled[0][1]) or _TOTAL.match(told[0]):
        return "total"
    few = len(filled) <= 2 or 2 * len(filled) <= sum(entry != "" for entry in names)
    if few and (_SUBTOTAL.match(filled[0][1]) or _SUBTOTAL.match(told[0])):
        return "total"
    if len(filled) == 1 and _FOOT.match(told[0]):
        return "note"
    if len(filled) == 1 and len(names) > 2 and (_NOTE.match(told[0]) or len(told[0]) > 30):
        return "note"
    if _signed(told):
        return "note"
    if len(filled) <= 2 < len(names) - 1 and filled[0][0] <= 1 and told_datum(" ".join(told)):
        return "note"
    if [entry for entry in texts if entry] == [entry for entry in names if entry]:
        return "header"
    return "record"


def _signed(told: list[str]) -> bool:
    """Say whether a row holds nothing but signatures: labels, each with its name or before it."""
    open_label = False
    for entry in told:
        label = _SIGNED.match(entry)
        if label is None and not open_label:
            return False
        open_label = label is not None and not label[1]
    return True


def _remarks(others: dict[int, str], first: int, sheet: str) -> list[Remark]:
    """Say which rows are no records; ``first`` is the number of the row below the header."""
    said: dict[str, tuple[Text, Text]] = {
        "total": (text("total rows are not records"), text("nothing to do")),
        "note": (text("rows with a note only are not records"), text("nothing to do")),
        "number_only": (
            text("rows with nothing but a serial number are not records"),
            text("fill them in or delete them"),
        ),
        "rule": (text("rows that only draw a line are not records"), text("nothing to do")),
        "example": (text("example rows of the template are not records"), text("nothing to do")),
        "header": (text("the header stands in the table again"), text("nothing to do")),
    }
    out = []
    for kind, (message, mend) in said.items():
        rows = np.array([first + at for at in sorted(others) if others[at] == kind], dtype=np.int64)
        if len(rows):
            whole = text("{message} (rows {rows})", message=message, rows=row_list(rows))
            out.append(Remark(f"row_{kind}", whole, mend, sheet))
    return out


_TABLE_UNIT: Final = re.compile(r"^[(\[]?(?:计量)?单位[::]\s*([^()\[\]]{1,30})[)\]]?$")
_YEAR: Final = re.compile(r"(?<!\d)(20\d{2}|19\d{2})(?=年|\D|$)")


@dataclass(frozen=True)
class Table:
    """One table of a sheet: its rows, its header, and what is written above it."""

    grid: Sheet
    header: Header
    stop: int
    """Index of the first row that is not its own."""
    columns: tuple[int, int | None]
    """First column and the one after the last; None for the end of the row."""
    above: tuple[str, ...] = ()

    @property
    def year(self) -> int | None:
        """Find the one year that the name of the sheet, or the title, names.

        Returns
        -------
        int or None
            None when there is none, or several.
        """
        for place in ((self.grid.name,), self.above):
            years = {int(year) for entry in place for year in _YEAR.findall(entry)}
            if years:
                return years.pop() if len(years) == 1 else None
        return None


def find_tables(grid: Sheet, name: Namer) -> list[Table]:
    """Find the tables of a sheet, one below the other or side by side.

    Parameters
    ----------
    grid
        The sheet.
    name
        Tells the field a header means.

    Returns
    -------
    list of Table
        From the top; none when no header is known.
    """
    header = find_header(grid.cells, name, merged=grid.merged)
    out: list[Table] = []
    start = 0
    while header is not None:
        again = _next_header(grid.cells, header)
        stop = len(grid.cells)
        following = None
        if again is not None:
            following = find_header(grid.cells[: again + 3], name, merged=grid.merged, start=again)
            if following is not None:
                stop = _title_start(grid.cells, again, header.last + 1)
            else:
                following = None
        above = _texts_of(grid.cells[start : header.first])
        out += [
            Table(grid, Header(header.last, names, header.fields, header.first), stop, span, above)
            for names, span in _side_by_side(header, name)
        ]
        header, start = following, stop
    return out


def _texts_of(rows: Sequence[list[Any]]) -> tuple[str, ...]:
    return tuple(entry for row in rows for value in row if (entry := cell_text(value)))


def _next_header(cells: Sequence[list[Any]], header: Header) -> int | None:
    """Find a row further down that holds names of the header, but is not the same header again.

    Two names of the header in their own columns, in a row without a number, are enough: there the
    table of something else begins.
    """
    known = {entry for entry in header.names if entry}
    if len(known) < 3:
        return None
    least = max(3, len(header.fields) // 2 + 1)
    same = [entry for entry in header.names if entry]
    for index in _like_header(cells, known, header.last + 1, least):
        row = cells[index]
        if sum(1 for value in row if isinstance(value, str) and value in known) < least:
            own = sum(1 for a, b in zip(row, header.names, strict=False) if b and a == b)
            if own < 2 or any(re.search(r"\d", cell_text(value)) for value in row):
                continue
        texts = [entry for value in row if (entry := cell_text(value))]
        titled = index > header.last + 1 and len(_texts_of([cells[index - 1]])) == 1
        if texts != same or titled:
            return index
    return None


def _like_header(
    cells: Sequence[list[Any]], known: set[str], start: int, least: int
) -> Iterator[int]:
    """Find the rows that hold names of a header."""
    near = range(start, len(cells))
    if isinstance(cells, Lines):
        near = range(start, min(len(cells), start + _NEAR))
    rows = cells[near.start : near.stop]
    apart = np.fromiter(map(known.isdisjoint, rows), dtype=bool, count=len(rows))
    yield from (start + np.flatnonzero(~apart)).tolist()
    if isinstance(cells, Lines) and _may_hold(cells, known, least):
        found = cells.equal(known)[near.stop :] >= least
        yield from (near.stop + np.flatnonzero(found)).tolist()


def _may_hold(cells: Lines, entries: set[str], least: int) -> bool:
    """Tell whether so many of some texts may stand below the first rows."""
    absent, held = 0, 0
    for entry in sorted(entries, key=len, reverse=True):
        held, absent = (held + 1, absent) if cells.hold(entry) else (held, absent + 1)
        if held >= least or absent > len(entries) - least:
            break
    return held >= least


def _title_start(cells: Sequence[list[Any]], index: int, least: int) -> int:
    """Go up from a header over the titles right above it."""
    while index - 1 >= least and len(_texts_of([cells[index - 1]])) == 1:
        index -= 1
    return index


Span = tuple[int, int | None]


def _side_by_side(header: Header, name: Namer) -> list[tuple[list[str], Span]]:
    """Part a header that repeats itself to the right."""
    names = header.names
    whole: list[tuple[list[str], Span]] = [(names, (0, None))]
    filled = [at for at, entry in enumerate(names) if entry]
    if len(filled) < 4:
        return whole
    first = filled[0]
    starts = [at for at in filled if names[at] == names[first]]
    if len(starts) < 2:
        return whole
    parts: list[tuple[list[str], Span]] = []
    ends: list[int | None] = [*starts[1:], None]
    for start, stop in zip(starts, ends, strict=True):
        part = names[start:stop]
        fields = {name(entry) for entry in part if entry} - {None}
        if len(fields) < 2 or not fields & {"lon", "lat", "lonlat", "easting", "wkt", "name"}:
            return whole
        parts.append((part, (start, stop)))
    return parts


def newest(tables: list[Table]) -> tuple[list[Table], list[Remark]]:
    """Of tables that tell of the same things in several years, keep the newest.

    Parameters
    ----------
    tables
        Tables whose header fits.

    Returns
    -------
    tuple of list of Table and list of Remark
        The tables to read, in order, and what is to be said.
    """
    years = [table.year for table in tables]
    if len(tables) < 2 or None in years or len(set(years)) < 2:
        return tables, []
    last = max(year for year in years if year is not None)
    kept = [table for table, year in zip(tables, years, strict=True) if year == last]
    older = [table for table, year in zip(tables, years, strict=True) if year != last]
    now = set().union(*(_first_texts(table) for table in kept))
    before = set().union(*(_first_texts(table) for table in older))
    named = "、".join(
        dict.fromkeys(
            t.grid.name if str(t.year) in t.grid.name else f"{t.grid.name} {t.year}".strip()
            for t in older
        )
    )
    if len(now & before) < 0.2 * min(len(now), len(before)):
        said = text(
            "the tables of several years ({years}) hold different objects; all were read",
            years="、".join(map(str, sorted({year for year in years if year is not None}))),
        )
        mend = text("name one sheet with sheet: if only that one counts")
        return tables, [Remark("years_read", said, mend)]
    said = text(
        "the tables tell of the same objects in several years; only {year} was read, not {older}",
        year=last,
        older=named,
    )
    return kept, [Remark("older_years", said, text("name a sheet with sheet: to read another"))]


def _first_texts(table: Table) -> set[str]:
    """Return the longest text of each row, which is its name or its address."""
    out = set()
    left, right = table.columns
    for row in table.grid.cells[table.header.last + 1 : table.stop]:
        texts = [
            entry
            for value in row[left:right]
            if isinstance(value, str) and not re.search(r"\d{2}", entry := cell_text(value))
        ]
        if texts and texts[0]:
            out.add(texts[0])
    return out


def grid_to_rows(grid: Sheet, header: Header, *, table: Table | None = None) -> Rows:
    """Cut the records out of a sheet.

    Parameters
    ----------
    grid
        The sheet.
    header
        Its header.
    table
        The part of the sheet that is meant; the whole below the header when not given.

    Returns
    -------
    Rows
        One row a record; totals, notes and blank rows left out and said.
    """
    stop = len(grid.cells) if table is None else table.stop
    span = (0, None) if table is None else table.columns
    first = header.last + 1
    above = table.above if table is not None else _texts_of(grid.cells[: max(header.first, 0)])
    cut = _cut_columns(grid, header, stop) if span == (0, None) else None
    whole = cut or _cut_rows(grid, header, stop, span)
    numbers = np.arange(first + 1, stop + 1, dtype=np.int64)
    mask = np.ones(stop - first, dtype=bool)
    mask[list(whole.others)] = False
    place = np.cumsum(mask) - 1
    return Rows(
        table=_join_angles(whole.table),
        row=numbers[mask],
        sheet=grid.name,
        encoding=grid.encoding,
        overflow=whole.overflow,
        notes=(*grid.notes, *_remarks(whole.others, first + 1, grid.name)),
        said=(*above, *(" ".join(_texts_of([row])) for row in whole.notes)),
        unit=_table_unit(above),
        shown={
            str(whole.table.columns[column - span[0]]): unit
            for column, unit in grid.units
            if 0 <= column - span[0] < len(whole.table.columns)
        },
        joined={
            column: np.array(sorted(place[row] for row in rows if mask[row]), dtype=np.int64)
            for column, rows in whole.joined.items()
        },
    )


@dataclass(frozen=True)
class _Cut:
    """The records of a sheet below its header, and what else stands among them."""

    table: pd.DataFrame
    others: dict[int, str]
    """Place below the header to its kind, for rows that are no records."""
    notes: list[list[Any]]
    """Rows that are notes or totals."""
    overflow: np.ndarray
    joined: dict[str, set[int]]


def _cut_rows(grid: Sheet, header: Header, stop: int, span: tuple[int, int | None]) -> _Cut:
    """Cut records out row by row."""
    left, right = span
    body = [row[left:right] for row in grid.cells[header.last + 1 : stop]]
    body, joined = _fill_down(body, grid.merged, header.last + 1, left)
    width = max((len(row) for row in body), default=0)
    names = header.names + [""] * (width - len(header.names))
    named = max((i + 1 for i, entry in enumerate(names) if entry), default=0)
    kinds = ["record" if _plain_record(row, names) else _kind(row, names) for row in body]
    padded = [
        row if len(row) == len(names) else row + [""] * (len(names) - len(row))
        for row, kind in zip(body, kinds, strict=True)
        if kind == "record"
    ]
    labels = _unique(names)
    frame = pd.DataFrame(padded, columns=labels, dtype=object)
    beyond = np.array([any(cell_text(v) for v in row[named:]) for row in padded], dtype=bool)
    return _Cut(
        table=frame.iloc[:, :named],
        others={at: kind for at, kind in enumerate(kinds) if kind != "record"},
        notes=[row for row, kind in zip(body, kinds, strict=True) if kind in ("note", "total")],
        overflow=beyond if padded else np.zeros(0, dtype=bool),
        joined={labels[column]: rows for column, rows in joined.items() if column < named},
    )


_MANY_ROWS: Final = 2000
"""Tables of more rows are cut by columns."""
_DOUBTFUL: Final = (
    r"(?i)^\s*(合计|总计|小计|共计|累计|total|sum|subtotal|示例|example|填表|填报|审核|审定|复核|校核|"
    r"制表|编制|负责|单位|部门|联系|电话|日期|时间|主管|分管|领导|报送|上报|签[字名章]|盖章|公章|:?--|:-|==)"
)
"""How the cells begin of rows that may be no records."""
_MOST_DOUBTFUL: Final = 0.2
"""Where more of the rows are in doubt, each is looked at."""


def _cut_columns(grid: Sheet, header: Header, stop: int) -> _Cut | None:
    """Cut the records of a long table out by columns; None when it must be done row by row."""
    first = header.last + 1
    if stop - first < _MANY_ROWS or any(bottom >= first for _, (bottom, _) in grid.merged):
        return None
    cells = grid.cells
    if isinstance(cells, Lines):
        columns = cells.between(first, stop)
    else:
        body = cells[first:stop]
        width = len(body[0])
        if set(map(len, body)) != {width}:
            return None
        columns = [as_column(list(column)) for column in zip(*body, strict=True)]
    if len(columns) < _MANY or len(header.names) > len(columns):
        return None
    names = header.names + [""] * (len(columns) - len(header.names))
    named = max(at + 1 for at, entry in enumerate(names) if entry)
    filled = [_filled(column) for column in columns]
    doubt = _doubtful(columns, filled, names)
    if doubt.mean() > _MOST_DOUBTFUL:
        return None
    others = {}
    notes = []
    for row in np.flatnonzero(doubt).tolist():
        entries = cells[first + row]
        kind = "record" if _plain_record(entries, names) else _kind(entries, names)
        if kind != "record":
            others[row] = kind
            notes += [entries] if kind in ("note", "total") else []
    keep = np.ones(stop - first, dtype=bool)
    keep[list(others)] = False
    beyond = np.zeros(stop - first, dtype=bool)
    for mask in filled[named:]:
        beyond |= mask
    for row in np.flatnonzero(beyond & keep).tolist():
        beyond[row] = any(cell_text(value) for value in cells[first + row][named:])
    labels = _unique(names)[:named]
    table = pd.DataFrame(
        {
            label: _series(column, keep)
            for label, column in zip(labels, columns[:named], strict=True)
        }
    )
    return _Cut(table, others, notes, beyond[keep], {})


def _doubtful(columns: list[Any], filled: list[np.ndarray], names: list[str]) -> np.ndarray:
    """Tell which rows may be no records, by their first cells."""
    doubt = np.add.reduce(filled[:_MANY], dtype=np.int8) < _MANY - 1
    doubt |= np.add.reduce(filled, dtype=np.int16) < _MANY
    for at, column in enumerate(columns[:_MANY]):
        if isinstance(column, pa.ChunkedArray | pa.Array):
            doubt |= matches(column, _DOUBTFUL)
            if at < 2 and names[at]:
                doubt |= matches(column, r"^\s*" + re.escape(names[at]))
        elif column.dtype == object:
            doubt |= np.array([isinstance(cell, str) and cell != "" for cell in column])
    return np.asarray(doubt, dtype=bool)


def _filled(column: Any) -> np.ndarray:
    """Tell which cells of a column hold anything."""
    if isinstance(column, np.ndarray):
        return (
            np.ones(len(column), dtype=bool)
            if column.dtype != object
            else np.array([cell is not None and cell != "" for cell in column], dtype=bool)
        )
    return np.asarray(pc.greater(pc.binary_length(column), 0).to_numpy(zero_copy_only=False))


def _series(column: Any, keep: np.ndarray) -> pd.Series:
    """Make a column of a table of the cells that are kept."""
    if isinstance(column, np.ndarray):
        return pd.Series(column if keep.all() else column[keep])
    kept = column if keep.all() else column.filter(pa.array(keep))
    return text_series(kept)


def _table_unit(above: tuple[str, ...]) -> str:
    """Return the units that stand above a table for all its numbers, or an empty text."""
    for entry in above:
        match = _TABLE_UNIT.match(unicodedata.normalize("NFKC", entry))
        found = [unit_of(part) for part in re.split(r"[、,;/\s]+", match[1])] if match else []
        if found and all(found):
            return "、".join(filter(None, found))
    return ""


def _fill_down(
    body: list[list[Any]], merged: Ranges, first: int, left: int
) -> tuple[list[list[Any]], dict[int, set[int]]]:
    """Give every row of cells joined downwards their content; say which cells were filled."""
    filled: dict[int, set[int]] = {}
    for (top, west), (bottom, east) in merged:
        if bottom == top or top < first or top - first >= len(body) or west < left:
            continue
        if east > west and east - west + 1 >= len(body[top - first]) > 1:
            continue
        column = west - left
        source = body[top - first]
        value = source[column] if column < len(source) else ""
        if cell_text(value) == "":
            continue
        for index in range(top - first + 1, min(bottom - first + 1, len(body))):
            row = body[index]
            row += [""] * (column + 1 - len(row))
            if cell_text(row[column]) == "":
                row[column] = value
                filled.setdefault(column, set()).add(index)
    return body, filled


def _join_angles(table: pd.DataFrame) -> pd.DataFrame:
    """Make one column of the columns that hold degrees, minutes and seconds."""
    parts: dict[str, dict[str, str]] = {}
    for column in table.columns:
        base, bar, mark = str(column).partition("|")
        if bar:
            parts.setdefault(base, {})[mark[:1]] = str(column)
    for base, columns in parts.items():
        if "度" not in columns:
            continue
        blank = pd.Series("", index=table.index)
        cells = [table[columns[mark]] if mark in columns else blank for mark in "度分秒"]
        whole = [
            _angle([cell_text(cell) for cell in row])
            for row in zip(*(part.tolist() for part in cells), strict=True)
        ]
        place = list(table.columns).index(columns["度"])
        table = table.drop(columns=list(columns.values()))
        table = table.drop(columns=[base], errors="ignore")
        place = min(place, len(table.columns))
        table.insert(place, base, pd.Series(whole, index=table.index, dtype=object))
    return table


def _angle(parts: list[str]) -> str:
    degrees, minutes, seconds = (re.sub(r"\.0+$", "", part) for part in parts)
    degrees, minutes = degrees.rstrip("°度"), minutes.rstrip("′'分")
    seconds = parts[2].rstrip('″"秒')
    if not degrees or not (minutes or seconds):
        return degrees
    return f"{degrees}°{minutes or '0'}′" + (f"{seconds}″" if seconds else "")

"""Workbooks and text tables, read into grids of cells."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from riskmap.i18n import text
from riskmap.layers.findings import unusable

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

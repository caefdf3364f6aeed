"""The workbooks: 研判一张单, 管控一张表 and the data-gap ledger, ready to print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from riskmap import columns as c
from riskmap.export import tables
from riskmap.export.encode import as_line
from riskmap.export.sheet import HEAD, Book, Page, draw_sheet, safe, sheet_name
from riskmap.export.words import YES_NO
from riskmap.i18n import Text, text
from riskmap.result import Result


def write_list(result: Result, path: Path) -> int:
    """Write 研判一张单: every item, ranked, with its reasons.

    Parameters
    ----------
    result
        The run's result.
    path
        File to write.

    Returns
    -------
    int
        Number of rows.
    """
    title = text("{place} risk list", place=result.facts.place_name or result.facts.name)
    frame = result.items.rename_axis(c.ITEM_ID).reset_index()
    frame = _first(frame, "rank")
    page = Page(
        str(text("Risk list")),
        str(title),
        _counts(result, frame),
        frame,
        {},
        labels=_labels(result.items),
        paper=8,
    )
    _write(result, path, [page])
    return len(frame)


def write_control(result: Result, path: Path) -> int:
    """Write 管控一张表: every item with duty, measure, deadline and state, with drop-downs.

    Parameters
    ----------
    result
        The run's result.
    path
        File to write.

    Returns
    -------
    int
        Number of rows.
    """
    title = text("{place} control table", place=result.facts.place_name or result.facts.name)
    frame = result.control.rename_axis(c.ITEM_ID).reset_index()
    page = Page(
        str(text("Control table")), str(title), _counts(result, frame), frame,
        _choices(result.control), labels=_labels(result.control), paper=8,
    )  # fmt: skip
    _write(result, path, [page])
    return len(frame)


def write_gaps(result: Result, sheets: Mapping[str, pd.DataFrame], path: Path) -> int:
    """Write ``data_gaps.xlsx``: what is missing, wrong or returned, and how to mend it.

    Parameters
    ----------
    result
        The run's result.
    sheets
        Sheet name to table, from `riskmap.layers.gaps.ledger`.
    path
        File to write.

    Returns
    -------
    int
        Number of rows of all sheets.
    """
    title = str(text("{place} data gaps", place=result.facts.place_name or result.facts.name))
    subtitle = _about(result)
    pages = [
        Page(name, f"{title} · {name}", subtitle, frame, {}, labels=_labels(frame))
        for name, frame in sheets.items()
    ]
    _write(result, path, pages, about=False)
    return sum(len(frame) for frame in sheets.values())


def _labels(table: pd.DataFrame) -> Mapping[str, Text]:
    """Return the headings that a table brings along for its own columns."""
    labels: Mapping[str, Text] = table.attrs.get("labels", {})
    return labels


def _first(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Put some columns first."""
    there = [name for name in names if name in frame]
    return frame[[*there, *(name for name in frame.columns if name not in there)]]


def _about(result: Result) -> str:
    facts = result.facts
    parts: list[Text | str] = []
    if facts.issued_by:
        parts.append(text("Issued by: {name}", name=facts.issued_by))
    if facts.data_date:
        parts.append(text("Date of the data: {date}", date=facts.data_date))
    edition = text("public edition") if facts.profile == "public" else text("internal edition")
    parts.append(edition)
    if facts.profile == "public":
        number = facts.review_number or text("not reviewed, not to be published")
        parts.append(text("Map review number: {number}", number=number))
    if facts.demo:
        parts.append(text("demonstration data, not real"))
    return "  |  ".join(str(part) for part in parts)


def _counts(result: Result, frame: pd.DataFrame) -> str:
    """Say how many rows there are and how many of each level."""
    parts = [str(text("{n} items", n=len(frame)))]
    if c.LEVEL in frame:
        counts = Counter(int(level) for level in frame[c.LEVEL].fillna(0))
        names = tables.class_names()
        parts += [f"{names[value]} {counts[value]}" for value in (4, 3, 2, 1, 0) if counts[value]]
    return f"{_about(result)}  |  {'  '.join(parts)}"


def _choices(frame: pd.DataFrame) -> dict[str, Sequence[str]]:
    """List the entries of each column that is filled in by choice."""
    yes_no = [str(word) for word in YES_NO]
    brought: dict[str, Sequence[str]] = {
        str(name): [str(entry) for entry in entries]
        for name, entries in frame.attrs.get("choices", {}).items()
        if name in frame
    }
    return brought | {
        str(name): yes_no for name in frame.columns if pd.api.types.is_bool_dtype(frame[name].dtype)
    }


def _write(result: Result, path: Path, pages: Sequence[Page], *, about: bool = True) -> None:
    book = Book(path, result)
    for page in pages:
        draw_sheet(book, page)
    if about:
        _about_sheet(book)
    book.close()


def _about_sheet(book: Book) -> None:
    """Say what stands beside the numbers: notes, and the presets with their status."""
    result = book.result
    sheet = book.book.add_worksheet(sheet_name(str(text("Notes")), []))
    wrap = book.format(text_wrap=True, valign="top")
    bold = book.format(bold=True, font_size=12, font_color=HEAD)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 2, 44)
    sheet.set_column(3, 3, 14)
    sheet.write_string(0, 0, safe(result.facts.name), bold)
    sheet.write_string(1, 0, safe(_about(result)), book.format())
    row = 3
    for note in tables.notes_of(result):
        sheet.merge_range(row, 0, row, 3, "", wrap)
        sheet.write_string(row, 0, safe(f"· {note}"), wrap)
        row += 1
    row += 1
    heads = (text("Presets used"), text("Value"), text("Source"), text("Status"))
    for place, head in enumerate(heads):
        sheet.write_string(row, place, str(head), bold)
    for preset in sorted(result.presets, key=lambda preset: preset.key):
        row += 1
        unit = f" {preset.unit}" if preset.unit else ""
        source = " ".join(
            str(part) for part in (preset.source, preset.edition, preset.clause) if part
        )
        name = preset.zh if str(YES_NO[0]) != "yes" else preset.en
        for place, cell in enumerate(
            (name, f"{as_line(preset.value)}{unit}", source, _status(preset.status))
        ):
            sheet.write_string(row, place, safe(str(cell)), wrap)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)


def _status(status: str) -> str:
    words = {
        "sourced": text("sourced"),
        "check": text("to be checked"),
        "unverified": text("not verified"),
    }
    return str(words.get(status, status))

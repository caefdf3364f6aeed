"""A workbook that goes out to be filled in and comes back: locked columns, choices, a snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.export.encode import EPOCH
from riskmap.export.workbook.sheet import HEAD, safe, sheet_name

if TYPE_CHECKING:
    import pandas as pd

SNAPSHOT: Final = "_riskmap"
"""The hidden sheet that holds what the open columns said when the workbook went out."""
_FIRST_ROW: Final = 3


@dataclass(frozen=True, kw_only=True)
class Form:
    """A table to fill in."""

    title: str
    subtitle: str
    frame: pd.DataFrame
    """Shown words, a row an item; the first column is the key."""
    labels: Mapping[str, str]
    """Column to its heading."""
    widths: Mapping[str, float] = field(default_factory=dict)
    open: Sequence[str] = ()
    """Columns that may be changed; the others are locked."""
    dates: Sequence[str] = ()
    """Open columns that take a date."""
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    base: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Key to the open columns' values as the register has them."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the snapshot says of itself: project, date, last event."""


def write_form(form: Form, path: Path, *, name: str, day: str = "") -> int:
    """Write the workbook.

    Parameters
    ----------
    form
        The table.
    path
        File to write.
    name
        Name of the sheet.
    day
        Date of the data, ISO, which dates the document.

    Returns
    -------
    int
        Number of rows.
    """
    import xlsxwriter

    options = dict.fromkeys(("strings_to_formulas", "strings_to_numbers", "strings_to_urls"), False)
    with xlsxwriter.Workbook(str(path), options) as book:
        made = date.fromisoformat(day or EPOCH)
        made_at = datetime(made.year, made.month, made.day)
        book.set_properties({"title": form.title, "created": made_at})
        _draw(book, form, name)
        keep_snapshot(book, form.base, about=form.about)
    return len(form.frame)


def write_layer(form: Form, places: pd.DataFrame, path: Path) -> int:
    """Write the table as a layer to fill in on a map; each row bears what it says now.

    Parameters
    ----------
    form
        The table.
    places
        Key to ``x``, ``y`` in WGS 84 [deg].
    path
        GeoPackage to write.

    Returns
    -------
    int
        Number of rows.
    """
    import geopandas as gpd

    at = places.loc[form.frame.iloc[:, 0]].astype(float)
    base = [
        json.dumps(
            {**{k: v for k, v in form.base[str(key)].items() if v}, "x": x, "y": y},
            ensure_ascii=False, sort_keys=True,
        )
        for key, x, y in zip(at.index, at["x"].tolist(), at["y"].tolist(), strict=True)
    ]  # fmt: skip
    frame = form.frame.rename(columns=dict(form.labels))
    for column in frame.columns:
        frame[column] = [None if value is None else str(value) for value in frame[column]]
    frame[SNAPSHOT] = [line.replace("NaN", "null") for line in base]
    shapes = gpd.GeoSeries.from_xy(at["x"].to_numpy(), at["y"].to_numpy(), crs=4326)
    path.unlink(missing_ok=True)
    gpd.GeoDataFrame(frame, geometry=shapes, crs=4326).to_file(path, layer="control", driver="GPKG")
    return len(frame)


def _draw(book: Any, form: Form, name: str) -> None:
    """Draw the sheet that a person sees."""
    sheet = book.add_worksheet(sheet_name(name, []))
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
    plain = {**base, "text_wrap": True, "border": 1, "border_color": "#c3cad4"}
    shut = book.add_format({**plain, "locked": True, "bg_color": "#f1f3f6"})
    free = book.add_format({**plain, "locked": False, "num_format": "@"})
    head = {**base, "bold": True, "align": "center", "text_wrap": True, "border": 1}
    heads = {
        True: book.add_format({**head, "bg_color": "#2f6b3a", "font_color": "#ffffff"}),
        False: book.add_format({**head, "bg_color": HEAD, "font_color": "#ffffff"}),
    }
    sheet.write_string(
        0, 0, safe(form.title), book.add_format({**base, "bold": True, "font_size": 16})
    )
    sheet.write_string(1, 0, safe(form.subtitle), book.add_format({**base, "font_size": 9}))
    sheet.set_row(0, 28)
    sheet.set_row(2, 32)
    last = _FIRST_ROW + len(form.frame) - 1
    for place, column in enumerate(map(str, form.frame.columns)):
        is_open = column in form.open
        sheet.set_column(place, place, form.widths.get(column, 12))
        sheet.write_string(_FIRST_ROW - 1, place, safe(form.labels[column]), heads[is_open])
        for row, value in enumerate(form.frame.iloc[:, place].tolist(), start=_FIRST_ROW):
            if isinstance(value, int | float) and not is_open:
                sheet.write_number(row, place, value, shut)
            elif value is None or value == "":
                sheet.write_blank(row, place, None, free if is_open else shut)
            else:
                sheet.write_string(row, place, safe(str(value)), free if is_open else shut)
        if column in form.choices and len(form.frame):
            rule = {"validate": "list", "source": list(form.choices[column])}
            sheet.data_validation(_FIRST_ROW, place, last, place, rule)
    sheet.freeze_panes(_FIRST_ROW, 3)
    sheet.autofilter(_FIRST_ROW - 1, 0, max(last, _FIRST_ROW), len(form.frame.columns) - 1)
    sheet.protect(
        "", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True}
    )
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_FIRST_ROW - 1)
    sheet.set_footer("&L&8&A&R&8&P / &N")


def keep_snapshot(
    book: Any, base: Mapping[str, Mapping[str, Any]], *, about: Mapping[str, Any]
) -> None:
    """Keep in a hidden sheet what the open columns said, for the merge when the book comes back.

    Parameters
    ----------
    book
        The workbook that is being written.
    base
        Key to the open columns' values.
    about
        What the snapshot says of itself.
    """
    sheet = book.add_worksheet(SNAPSHOT)
    sheet.write_string(0, 0, safe(json.dumps(dict(about), ensure_ascii=False, sort_keys=True)))
    for row, (key, values) in enumerate(base.items(), start=1):
        sheet.write_string(row, 0, safe(key))
        said = {name: value for name, value in values.items() if value not in (None, "")}
        sheet.write_string(row, 1, safe(json.dumps(said, ensure_ascii=False, sort_keys=True)))
    sheet.protect()
    sheet.very_hidden()


def write_sheets(
    path: Path,
    sheets: Mapping[str, pd.DataFrame | None],
    *,
    labels: Mapping[str, str],
    above: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write plain tables, a sheet each.

    Parameters
    ----------
    path
        File to write.
    sheets
        Name of the sheet to its table; None for a sheet of words alone.
    labels
        Column to its heading.
    above
        Name of the sheet to the lines that stand above its table; the first is the title.
    """
    import xlsxwriter

    options = dict.fromkeys(("strings_to_formulas", "strings_to_numbers", "strings_to_urls"), False)
    made = date.fromisoformat(EPOCH)
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime(made.year, made.month, made.day)})
        taken: list[str] = []
        for name, table in sheets.items():
            taken.append(sheet_name(name, taken))
            lines = (above or {}).get(name, ())
            _plain_sheet(book, book.add_worksheet(taken[-1]), table, labels, lines)


def _plain_sheet(
    book: Any,
    sheet: Any,
    table: pd.DataFrame | None,
    labels: Mapping[str, str],
    lines: Sequence[str],
) -> None:
    """Write one plain table below its lines of words."""
    base = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "vcenter"}
    head = book.add_format(
        {**base, "bold": True, "bg_color": HEAD, "font_color": "#ffffff", "border": 1,
         "text_wrap": True}
    )  # fmt: skip
    cell = book.add_format({**base, "text_wrap": True, "border": 1, "border_color": "#c3cad4"})
    title = book.add_format({**base, "bold": True, "font_size": 14})
    words = book.add_format(base)
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, safe(line), words if row else title)
    top = len(lines)
    if table is None:
        return
    for place, column in enumerate(map(str, table.columns)):
        sheet.write_string(top, place, safe(labels.get(column, column)), head)
        for row, value in enumerate(table.iloc[:, place].tolist(), start=top + 1):
            if value is None or value != value:
                sheet.write_blank(row, place, None, cell)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                sheet.write_number(row, place, value, cell)
            else:
                sheet.write_string(row, place, safe(str(value)), cell)
    sheet.set_column(0, max(len(table.columns) - 1, 0), 16)
    sheet.freeze_panes(top + 1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    sheet.set_footer("&R&8&P / &N")

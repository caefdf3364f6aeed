"""The workbooks: 研判一张单, 管控一张表 and the data-gap ledger, ready to print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from riskmap.export.workbook import tables
from riskmap.export.workbook.form import keep_snapshot
from riskmap.export.workbook.sheet import Book, Page, draw_sheet
from riskmap.export.workbook.tables import flooded, unit_changes
from riskmap.export.workbook.words import YES_NO, preset_source, preset_status, preset_value, shown
from riskmap.i18n import Text, current_language, text
from riskmap.layers.gaps import ledger
from riskmap.result import SCENARIO, Result
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.presets import Preset

FILLED_IN: Final = (
    "status", "reported_at", "spot_check", "evidence", "assessment", "reviewer", "closed_on",
    "listed", "remark",
)  # fmt: skip
"""Columns of the control table that officers fill in; kept beside it for when it comes back."""


FRONT_SHEET: Final = text("Assessment to sign")
"""Name of the sheet that stands before the list; its figures are formulas over the list."""
Front = Callable[[Book], Callable[[Sequence[str], int], None]]
"""Adds a sheet in front, and gives what fills it once the list's columns and rows are known."""


def write_list(result: Result, path: Path, *, front: Front | None = None) -> int:
    """Write 研判一张单: every item, ranked, with its reasons.

    Parameters
    ----------
    result
        The run's result.
    path
        File to write.
    front
        The sheet to sign, which stands before the list; none when None.

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
        section="list",
    )
    _write(result, path, [page, *_scenario_pages(result)], front=front)
    return len(frame)


def _scenario_pages(result: Result) -> Iterator[Page]:
    """List the units that each scenario changes, with their class before and after."""
    finest = tables.finest_level(result.units)
    units = tables.UNIT_LEVEL_NAMES.get(finest, text("Units"))
    whole = int((result.units[c.LEVEL] == finest).sum())
    parts, counts = [], []
    for wet in flooded(result):
        frame = unit_changes(result, wet, finest=finest).rename_axis(c.UNIT_ID).reset_index()
        frame = frame[[*frame.columns[1:], c.UNIT_ID]]
        counts.append(
            text(
                "{scenario}: {n} of {all} units change; {up} rise in class, {down} fall",
                scenario=wet.name,
                n=len(frame),
                all=whole,
                up=int((frame["class_change"].fillna(0) > 0).sum()),
                down=int((frame["class_change"].fillna(0) < 0).sum()),
            )
        )
        frame.insert(0, SCENARIO, wet.name)
        parts.append(frame)
    there = [part for part in parts if len(part)]
    if not there:
        return
    frame = pd.concat(there, ignore_index=True) if len(there) > 1 else there[0]
    name = str(text("Changes by scenario"))
    title = text("What the scenarios change ({units})", units=units)
    said = "  |  ".join([about_line(result), *map(str, counts)])
    yield Page(name, str(title), said, frame, {})


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
    frame = _first(result.control.rename_axis(c.ITEM_ID).reset_index(), "rank")
    page = Page(
        str(text("Control table")), str(title), _counts(result, frame), frame,
        _choices(result.control), labels=_labels(result.control), paper=8, section="control",
    )  # fmt: skip
    pages = [page]
    for name, table in tables.duty_tables(result).items():
        shown_name = str(tables.DUTY_TABLES[name])
        labels = {**_labels(result.control), **c.headings("duty")}
        head = f"{title} · {shown_name}"
        pages.append(
            Page(
                shown_name,
                head,
                about_line(result),
                table.drop(columns="code", errors="ignore"),
                {},
                labels=labels,
                paper=8,
                section="duty",
            )
        )
    kept = frame if result.facts.profile == "internal" else None
    _write(result, path, pages, snapshot=kept)
    return len(frame)


def write_gaps(
    result: Result, path: Path, *, sheets: Mapping[str, pd.DataFrame] | None = None
) -> int:
    """Write ``data_gaps.xlsx``: what is missing, wrong or returned, and how to mend it.

    Parameters
    ----------
    result
        The run's result.
    path
        File to write.
    sheets
        Sheet name to table; by default those of `riskmap.layers.gaps.ledger`.

    Returns
    -------
    int
        Number of rows of all sheets.
    """
    if sheets is None:
        missing = [name for name in result.roles if name not in result.layers]
        wet = {
            role
            for scenario in result.scenarios.values()
            for role, there in (
                ("depth", scenario.depths),
                ("closure", scenario.closures is not None),
                ("danger_area", scenario.danger_area is not None),
            )
            if there
        }
        sheets = ledger(
            result.layers,
            result.roles,
            result.problems,
            missing,
            presets=result.presets,
            effects=result.effects,
            units=result.units,
            unit_sources=result.unit_sources,
            scenario_roles=sorted(wet),
        )
    title = str(text("{place} data gaps", place=result.facts.place_name or result.facts.name))
    subtitle = about_line(result)
    pages = [
        Page(
            name,
            f"{title} · {name}",
            "  |  ".join(filter(None, (subtitle, str(frame.attrs.get("about", ""))))),
            frame,
            {},
            labels=_labels(frame),
            section="gaps",
            marks=frame.attrs.get("marks", frozenset()),
        )
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


def about_line(result: Result) -> str:
    """Say who issued a paper, when, which edition it is and what must be known.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        One line.
    """
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
    if facts.sketch:
        parts.append(text("areas of units are sketches, no boundaries"))
    return "  |  ".join(str(part) for part in parts)


def _counts(result: Result, frame: pd.DataFrame) -> str:
    """Say how many rows there are and how many of each level."""
    parts = [str(text("{n} items", n=len(frame)))]
    if c.LEVEL in frame:
        counts = Counter(int(level) for level in frame[c.LEVEL].fillna(0))
        names = tables.class_names()
        parts += [f"{names[value]} {counts[value]}" for value in (4, 3, 2, 1, 0) if counts[value]]
    return f"{about_line(result)}  |  {'  '.join(parts)}"


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


def _write(
    result: Result,
    path: Path,
    pages: Sequence[Page],
    *,
    about: bool = True,
    snapshot: pd.DataFrame | None = None,
    front: Front | None = None,
) -> None:
    book = Book(path, result)
    fill = front(book) if front is not None else None
    drawn = [
        draw_sheet(book, page)
        for page in [*pages, *([_notes_page(result), _presets_page(result)] if about else [])]
    ]
    if fill is not None:
        fill(drawn[0], len(pages[0].frame))
    if snapshot is not None:
        rows = {
            str(row[c.ITEM_ID]): {name: shown(name, row[name], result) for name in FILLED_IN}
            for row in snapshot.to_dict(orient="records")
        }
        keep_snapshot(book.book, rows, about={"project": result.facts.name})
    book.close()


def _notes_page(result: Result) -> Page:
    """Say what stands beside the numbers."""
    notes = pd.DataFrame({"note": [str(note) for note in tables.notes_of(result)]})
    title = str(text("{name}: notes", name=result.facts.name))
    labels = {"note": NOTE_HEADINGS[0]}
    return Page(str(text("Notes")), title, about_line(result), notes, {}, labels=labels)


NOTE_HEADINGS: Final = (text("Note"), c.headings("guide")["note"])
"""What stands over the notes of a run, and over those of a plan."""
PRESET_HEADINGS: Final = (text("Preset"), text("Value used"), text("Source"), text("Proof"))


def preset_rows(presets: Sequence[Preset]) -> list[list[str]]:
    """Say every preset in words: name, value, source, status.

    Parameters
    ----------
    presets
        The presets of a run.

    Returns
    -------
    list of list of str
        A row a preset by its key, in the current language.
    """
    english = current_language() == "en"
    return [
        [
            (one.en if english else one.zh) or one.key,
            preset_value(one),
            preset_source(one),
            preset_status(one.status),
        ]
        for one in sorted(presets, key=lambda preset: preset.key)
    ]


def _presets_page(result: Result) -> Page:
    """List the presets used, with source and status."""
    names = ["preset", "preset_value", "source", "preset_status"]
    frame = pd.DataFrame(preset_rows(result.presets), columns=names)
    labels = dict(zip(names, PRESET_HEADINGS, strict=True))
    title = str(text("{name}: presets used", name=result.facts.name))
    return Page(str(text("Presets used")), title, about_line(result), frame, {}, labels=labels)

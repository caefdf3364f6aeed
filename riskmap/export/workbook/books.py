"""The workbooks, plans among them: ready to print, to be filled in, and to come back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.export.witness import EPOCH
from riskmap.export.workbook import tables
from riskmap.export.workbook.sheet import HEAD, Book, Page, draw_sheet, safe, sheet_name
from riskmap.export.workbook.tables import (
    YES_NO,
    about_line,
    flooded,
    plan_frame,
    plan_section,
    plan_title,
    preset_source,
    preset_status,
    preset_value,
    shown,
    unit_changes,
)
from riskmap.i18n import Text, current_language, text
from riskmap.layers.gaps import GapSheet, ledger
from riskmap.result import Plan, Result, states_of
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from riskmap.vocabulary.presets import Preset


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
            {**{k: v for k, v in form.base[str(key)].items() if v not in (None, "")},
             "x": x, "y": y},
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
    sheet.set_footer("&L&10&A&R&10&P / &N")


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
    sheet.set_footer("&R&10&P / &N")


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
        frame.insert(0, c.SCENARIO, wet.name)
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
        _choices(result), paper=8, section="control",
    )  # fmt: skip
    pages = [page]
    for name, table in tables.duty_tables(result).items():
        shown_name = str(tables.DUTY_TABLES[name])
        head = f"{title} · {shown_name}"
        pages.append(
            Page(
                shown_name,
                head,
                about_line(result),
                table.drop(columns="code", errors="ignore"),
                {},
                labels=c.headings("duty"),
                paper=8,
                section="duty",
            )
        )
    kept = frame if result.facts.profile == "internal" else None
    _write(result, path, pages, snapshot=kept)
    return len(frame)


def write_gaps(result: Result, path: Path, *, sheets: Mapping[str, GapSheet] | None = None) -> int:
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
            "  |  ".join(filter(None, (subtitle, sheet.about))),
            sheet.table,
            {},
            labels=sheet.labels,
            section="gaps",
            marks=sheet.marks,
        )
        for name, sheet in sheets.items()
    ]
    _write(result, path, pages, about=False)
    return sum(len(sheet.table) for sheet in sheets.values())


def _first(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Put some columns first."""
    there = [name for name in names if name in frame]
    return frame[[*there, *(name for name in frame.columns if name not in there)]]


def _counts(result: Result, frame: pd.DataFrame) -> str:
    """Say how many rows there are and how many of each level."""
    parts = [str(text("{n} items", n=len(frame)))]
    if c.LEVEL in frame:
        counts = Counter(int(level) for level in frame[c.LEVEL].fillna(0))
        names = tables.class_names()
        parts += [f"{names[value]} {counts[value]}" for value in (4, 3, 2, 1, 0) if counts[value]]
    return f"{about_line(result)}  |  {'  '.join(parts)}"


def _choices(result: Result) -> dict[str, Sequence[str]]:
    """List the entries of each column of the control table that is filled in by choice."""
    frame = result.control
    yes_no = [str(word) for word in YES_NO]
    brought: dict[str, Sequence[str]] = {
        name: [str(entry) for entry in entries]
        for name, entries in result.control_choices.items()
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


FILES: Final = {
    "refuges": "避难方案.xlsx",
    "stations": "救援站点方案.xlsx",
    "supplies": "物资方案.xlsx",
}
"""Plan to its workbook; any other plan is written under its own name."""


@dataclass(frozen=True)
class Subject:
    """One sheet of a plan's workbook."""

    tables: tuple[str, ...]
    """The tables that stand on it, one below the other; the first names the sheet."""
    answers: Text
    """What a reader finds there."""


SUBJECTS: Final[Mapping[str, tuple[Subject, ...]]] = {
    "refuges": (
        Subject(("summary",), text("How many people move, how many have a place, how many do not")),
        Subject(("shortfall",), text("Village by village: who moves, who has no place and why, "
                                     "vehicles needed")),
        Subject(("mend", "sites"), text("What removes the shortfall, and where new refuges would "
                                        "stand")),
        Subject(
            ("assignment", "audit"),
            text("Which group goes to which refuge, how, how far, in time or not"),
        ),
        Subject(("handout",), text("What to hand to the villages: route, contact, latest start")),
        Subject(("capacity",), text("How many people each refuge holds, and for which hazards it "
                                    "may be used")),
        Subject(("eligibility",), text("Every check of every refuge that failed or has a value")),
        Subject(("scorecard",), text("Town by town: places, cover and numbers against the "
                                     "standards")),
        Subject(("accessibility",), text("Village by village: refuges within a walk and places per "
                                         "thousand people")),
    ),
    "stations": (
        Subject(("summary",), text("Which share of the people each rule reaches in time, dry, "
                                   "under every scenario and with the new sites")),
        Subject(("standards",), text("Each standard of the office's own: how many crews, within "
                                     "what time, for which places, kept or not")),
        Subject(("unmet",), text("Places that fall short of a standard, most people first")),
        Subject(("towns",), text("Town by town: share in time, and who loses cover in a scenario")),
        Subject(("stations", "overlap"), text("Each station's people, area and water; below, which "
                                              "stations reach the same people")),
        Subject(("worst",), text("Places that nobody reaches in time, most people first")),
        Subject(("sites",), text("Where the next stations would stand, year by year, what every "
                                 "further one gains and costs, with its proof")),
        Subject(("coverage",), text("Every kind of place covered never, once, twice, by town and "
                                    "scenario")),
        Subject(("nearest",), text("The first station at every place, dry and in every scenario")),
    ),
    "supplies": (
        Subject(("supplies",), text("What is in stock, by kind and level of depot")),
        Subject(("depots",), text("What each depot holds, and whether it is large enough")),
        Subject(("needs",), text("What those who move need, against the stock")),
        Subject(("nearest",), text("Which depot sends what soonest to every refuge")),
        Subject(("next_depots",), text("Where the next depots would help most")),
    ),
}  # fmt: skip
"""Sheets of the workbooks, in order; a table that stands on none gets a sheet of its own."""
ASIDE: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(columns.split())
    for name, columns in {
        "refuges.shortfall": "unit_id district short_assisted buses_min riders assisted_riders "
        "longest_min rounds bus_trips assisted_trips bus_rounds assisted_rounds handle_min",
        "refuges.assignment": "district origin refuge_id tier arrive_min spare_min via heading "
        "avoided_m avoided other_minutes shared_m alternative_mode alternative_minutes "
        "alternative other_metres",
        "refuges.handout": "address early avoided alternative",
        "refuges.capacity": "type per_capita_m2 over_declared known assumed appraisal_due "
        "places_urgent places_temporary places_short places_medium places_long open_people "
        "unchecked",
        "refuges.eligibility": "item_id tier checked required",
        "refuges.scorecard": "district covered_full_share village_small town_small county_small",
        "stations.summary": "response_s drive_s",
        "stations.towns": "unit_id",
        "stations.stations": "put_on put_m put_by load area_limit_km2",
        "stations.sites": "objective bound recount lon lat",
        "stations.coverage": "target unit_id share_thrice share_force off_network share_none "
        "share_once share_twice share_moved cut_off",
        "stations.nearest": "id unit_class later_s second second_s third third_s force_s",
        "stations.worst": "id",
    }.items()
}
"""Plan and table to the columns that stand beside the paper, for who looks closer on screen."""


def plan_books(result: Result) -> dict[str, str]:
    """Name the workbook of every plan that has tables.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        File name to the key of ``result.plans``.
    """
    return {FILES.get(key, f"{key}.xlsx"): key for key, plan in result.plans.items() if plan.tables}


def write_plans(result: Result, folder: Path) -> dict[str, int]:
    """Write one workbook for every plan: what each sheet answers, then a sheet a subject.

    Parameters
    ----------
    result
        The run's result.
    folder
        Where the files are to stand.

    Returns
    -------
    dict
        File name to number of sheets.
    """
    counts = {}
    for name, key in plan_books(result).items():
        book = Book(folder / name, result)
        whose = (result.facts.place_name or result.facts.name) + name.removesuffix(".xlsx")
        pages = list(_pages(key, result.plans[key], result, whose))
        for page in pages:
            draw_sheet(book, page)
        book.close()
        counts[name] = len(pages)
    return counts


def _pages(key: str, plan: Plan, result: Result, whose: str) -> Iterator[Page]:
    """Lay out the workbook: what its sheets answer, then every subject."""
    there = {name: table for name, table in plan.tables.items() if len(table)}
    known = SUBJECTS.get(key, ())
    placed = {name for subject in known for name in subject.tables}
    subjects = [
        *known,
        *(Subject((name,), text("Further figures")) for name in there if name not in placed),
    ]
    notes = " ".join(str(note) for note in plan.notes[:2])[:400]
    pages = []
    for subject in subjects:
        names = [name for name in subject.tables if name in there]
        parts = [_page(name, there[name], result, key, notes) for name in names]
        if parts:
            pages.append((subject, parts))
    yield _guide(plan, [(subject, parts) for subject, parts in pages], whose)
    for _, (first, *below) in pages:
        yield Page(
            first.name, f"{whose} · {first.title}", first.subtitle, first.frame, {},
            paper=8, section=first.section, below=tuple(below), aside=first.aside,
        )  # fmt: skip


def _page(name: str, table: pd.DataFrame, result: Result, key: str, notes: str) -> Page:
    """Lay out one table; the scenario is left out where there is none."""
    frame = plan_frame(table, result, key)
    if c.SCENARIO in frame and states_of(table) == [""]:
        frame = frame.drop(columns=c.SCENARIO)
    elif c.SCENARIO in frame:
        dry = str(text("without flood"))
        frame[c.SCENARIO] = [dry if one == "" else one for one in frame[c.SCENARIO]]
    title = plan_title(name, key)
    aside = ASIDE.get(f"{key}.{name}", frozenset())
    return Page(title, title, notes, frame, {}, paper=8, section=plan_section(key), aside=aside)


def _guide(plan: Plan, pages: list[tuple[Subject, list[Page]]], whose: str) -> Page:
    """Say first what each sheet answers, then the proof and what must be known."""
    frame = pd.DataFrame(
        {
            "sheet": [parts[0].name for _, parts in pages],
            "answers": [str(subject.answers) for subject, _ in pages],
            "rows": [sum(len(part.frame) for part in parts) for _, parts in pages],
        }
    )
    title = str(text("How to read this workbook"))
    below = [page for page in (_proof(plan), _notes(plan)) if len(page.frame)]
    return Page(
        str(text("Read first")), f"{whose} · {title}", "", frame, {}, section="guide",
        below=tuple(below),
    )  # fmt: skip


def _notes(plan: Plan) -> Page:
    frame = pd.DataFrame({"note": [str(note) for note in plan.notes]})
    title = str(text("Notes"))
    return Page(title, title, "", frame, {}, section="guide")


def _proof(plan: Plan) -> Page:
    """List what the models answered, with bound, gap and what was counted anew."""
    rows = [
        {
            "question": str(one.question),
            c.SCENARIO: one.scenario or str(text("without flood")),
            "status": str(words_of("status").get(one.status, one.status)),
            "objective": one.objective,
            "bound": one.bound,
            "gap": one.gap,
        }
        for one in plan.proof
    ]
    names = ["question", c.SCENARIO, "status", "objective", "bound", "gap"]
    title = str(text("Proof of the plan"))
    return Page(title, title, "", pd.DataFrame(rows, columns=names), {}, section="guide")

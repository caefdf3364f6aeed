"""What ``riskmap control`` and ``diff`` do: the table goes out, comes back, is counted."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import typer

from riskmap.cli.common import day_of, default_folder, emit, load, register_of
from riskmap.errors import LayerError, RiskmapError, UsageError
from riskmap.export.geopackage.read import open_results
from riskmap.export.geopackage.write import write_layers
from riskmap.export.workbook.books import Form, write_form, write_layer, write_sheets
from riskmap.export.workbook.tables import DUTY_TABLES, OWN_TABLES, YES_NO
from riskmap.files import MANIFEST
from riskmap.i18n import text
from riskmap.progress import say
from riskmap.register import diff as d
from riskmap.register import events as e
from riskmap.register.merge import (
    HEADINGS,
    KEY,
    Conflict,
    Merged,
    build_form,
    merge,
    read_returned,
    shown,
    shown_event,
)
from riskmap.vocabulary.columns import headings
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from riskmap.i18n import Text
    from riskmap.project import Project
    from riskmap.vocabulary.roles import Role


def export(project: Path, *, out: Path, town: str | None, closed: bool, on: str | None) -> None:
    """Write the control table as a workbook to fill in: drop-downs, locked columns.

    Parameters
    ----------
    project
        The project file.
    out
        Workbook to write (.xlsx), or layer (.gpkg).
    town
        Only the items of this town.
    closed
        Whether signed-off items go out too.
    on
        Date of the day; today by default.
    """
    loaded, table = _current(project)
    _spare(out)
    _spare_filled_in(out, e.beside(loaded.path))
    if town is not None:
        table = table[table["town"] == town]
    if not closed:
        table = table[table["state"] != "closed"]
    form = build_form(table, project=loaded.name, roles=_roles(loaded), on=day_of(on))
    if out.suffix.lower() == ".gpkg":
        write_layer(Form(**form), table[["x", "y"]], out)
    else:
        write_form(Form(**form), out, name=str(text("Control table")), day=loaded.data_date)
    typer.echo(out)


def _spare(*files: Path | None) -> None:
    """Refuse to write over a file of a results folder."""
    for file in files:
        if file is not None and file.exists() and (file.parent / MANIFEST).is_file():
            raise UsageError(
                text("{file} belongs to a results folder; choose another file", file=file)
            )


def _spare_filled_in(out: Path, register: Path) -> None:
    """Refuse to write over a table that was filled in and not taken in yet."""
    if not out.is_file():
        return
    try:
        returned = read_returned(out)
    except LayerError:
        return
    with e.open_register(register) as base:
        found = merge(base, [returned])
    left = {r.item_id for r in found.refused} | {one.item_id for one in found.conflicts}
    if rows := found.imported + len(left):
        said = text(
            "{file} was filled in and {n} rows are not in the register yet", file=out, n=rows
        )
        mend = text("take them in with 'riskmap control import', or choose another file")
        raise UsageError(text("{what}; {mend}", what=said, mend=mend))


def take_back(
    project: Path,
    books: list[Path],
    *,
    by: str,
    on: str | None,
    dry: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Take workbooks back: each cell against what went out; exit 1 if a row was not taken.

    Parameters
    ----------
    project
        The project file.
    books
        Workbooks or layers that came back.
    by
        Role of the one who imports.
    on
        Date of the day; today by default.
    dry
        Whether nothing is kept.
    out
        File to write, or None.
    as_json
        Whether one JSON document is printed.

    Raises
    ------
    Exit
        With 1 when a row was not taken.
    LayerError
        When a file went out from another project.
    """
    loaded = load(project)
    alike = Counter(book.name for book in books)
    returned = [
        replace(read_returned(book), file=f"{book.parent.name}/{book.name}")
        if alike[book.name] > 1
        else read_returned(book)
        for book in books
    ]
    for book in returned:
        if book.about.get("project", loaded.name) != loaded.name:
            raise LayerError(
                text(
                    "{file}: it went out from another project, {name}",
                    file=book.file,
                    name=book.about["project"],
                )
            )
    with e.open_register(e.beside(loaded.path), write=not dry, must_exist=True) as base:
        found = merge(base, returned, by=by, on=day_of(on))
        if not dry:
            e.append(base, found.events)
    if out is not None:
        _write_left(
            found, out, title=str(text("{project}: what was not taken", project=loaded.name))
        )
    if as_json:
        emit(_document(found))
    else:
        _show(found)
    if found.refused or found.conflicts:
        raise typer.Exit(1)


def history(project: Path, item: str, *, as_json: bool) -> None:
    """List every change of one item, oldest first.

    Parameters
    ----------
    project
        The project file.
    item
        Project number of the item.
    as_json
        Whether one JSON document is printed.
    """
    with e.open_register(register_of(project)[0]) as base:
        found = e.history(base, item)
    if as_json:
        emit({"item_id": item, "events": found})
        return
    for event in found:
        typer.echo(shown_event(event))


def bulletin(
    project: Path,
    *,
    since: str,
    on: str | None,
    by: str,
    within: int,
    out: Path | None,
    letters: Path | None,
    as_json: bool,
) -> None:
    """Tell what each unit found, signed off and let run late since a day, as text and sheet.

    Parameters
    ----------
    project
        The project file.
    since
        First day.
    on
        Date of the day; today by default.
    by
        Unit that is told: town, village, duty_unit, person or role.
    within
        Days ahead in which items are due.
    out
        File to write, or None.
    letters
        Workbook with a letter to each unit, or None.
    as_json
        Whether one JSON document is printed.

    Raises
    ------
    UsageError
        When a date or the unit is none.
    """
    _spare(out, letters)
    first, last = day_of(since, option="--since"), day_of(on)
    if by not in d.BY:
        raise UsageError(text("--by: one of {known}", known=", ".join(d.BY)))
    if first > last:
        raise UsageError(text("--since: {first} is later than {last}", first=first, last=last))
    loaded = load(project)
    roles = _roles(loaded)
    with e.open_register(e.beside(loaded.path)) as base:
        found = d.bulletin(base, since=first, until=last, by=by, within=within)
    said = d.letter(found, project=loaded.name, roles=roles)
    title = said.splitlines()[0]
    checks = _checked(loaded)
    if out is not None:
        sheets = {**d.sheets_of(found, roles), **_measured(loaded), **_told_of(checks)}
        write_sheets(out, sheets, labels={}, above={name: [title] for name in sheets})
    if letters is not None:
        made = d.reminders(
            found, project=loaded.name, roles=roles, tasks=checks.get("tasks_late"), within=within
        )
        if not made:
            made = {
                str(text("Unit of the bulletin")): (
                    [title, str(text("Nothing is overdue or due."))],
                    None,
                )
            }
        write_sheets(
            letters,
            {unit: table for unit, (_, table) in made.items()},
            labels={},
            above={unit: lines for unit, (lines, _) in made.items()},
        )
    if as_json:
        units = {row.pop("unit"): row for row in _records(found.units)}
        emit({"since": first, "on": last, "by": by, **found.total, "units": units})
        return
    typer.echo(said)


def _measured(project: Project) -> dict[str, pd.DataFrame]:
    """Give the scorecard of the last results, where there is one."""
    try:
        found = open_results(default_folder(project))
        table = found.table("scorecard")
    except (RiskmapError, OSError, KeyError):
        return {}
    names = {name: str(label) for name, label in headings("duty").items()}
    shown = table.drop(columns=["code", "fid"], errors="ignore")
    return {str(DUTY_TABLES["scorecard"]): shown.rename(columns=names)}


def _checked(project: Project) -> Mapping[str, pd.DataFrame]:
    """Give the checks of the last results, where there are some."""
    try:
        return open_results(default_folder(project)).checks
    except (RiskmapError, OSError, KeyError):
        return {}


def _told_of(checks: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give the sheets of accidents and of dangers that a bulletin brings beside the register."""
    said = {**headings("all"), **headings("duty")}
    names = {name: str(label) for name, label in said.items()}
    return {
        str(DUTY_TABLES[name]): pd.DataFrame(_records(checks[name])).rename(columns=names)
        for name in ("accidents", "dangers_open")
        if name in checks
    }


def show(project: Path, subject: str, *, code: list[str] | None, unit: str, as_json: bool) -> None:
    """Show scorecard and checks of the last run: what is late, missing, in nobody's charge.

    Parameters
    ----------
    project
        The project file.
    subject
        Table to show; empty lists them.
    code
        Measures of the scorecard; all by default.
    unit
        Reporting unit of the scorecard; empty for the whole place.
    as_json
        Whether one JSON document is printed.

    Raises
    ------
    UsageError
        When there is no such table.
    """
    found = open_results(default_folder(load(project)))
    there = dict(found.checks)
    there |= {name: found.table(name) for name in OWN_TABLES if name in found.tables}
    if not subject:
        counts = {name: len(there[name]) for name in DUTY_TABLES if name in there}
        if as_json:
            emit(counts)
        for name in () if as_json else counts:
            typer.echo(f"{name}: {DUTY_TABLES[name]} ({counts[name]})")
        return
    if subject not in DUTY_TABLES:
        raise UsageError(text("no such table; one of {known}", known=", ".join(DUTY_TABLES)))
    rows = _records(there[subject]) if subject in there else []
    if subject == "scorecard":
        kept = [row for row in rows if (row["unit_name"] or "") == unit]
        rows = [row for row in kept if not code or str(row["code"]).split(":")[0] in code]
    if as_json:
        emit(rows)
        return
    if subject == "scorecard":
        for row in rows:
            typer.echo(_measure_line(row))
    elif rows:
        own = "control" if subject == "signed_off" else "duty"
        for line in _lined_up(rows, {**headings("all"), **headings(own)}):
            typer.echo(line)


def _measure_line(row: dict[str, Any]) -> str:
    """Show one measure: its value, what it is made of, its target and whether that is met."""
    value = "—" if row["value"] is None else f"{row['value']:g} {row['unit'] or ''}".rstrip()
    if row["denominator"] is not None:
        value += f" ({row['numerator']:g}/{row['denominator']:g})"
    if row["unknown"]:
        value += str(text(", {n} not filled in", n=f"{row['unknown']:g}"))
    if row["target"] is not None:
        met = {None: text("cannot be told yet"), True: text("met"), False: text("not met")}[
            None if row["met"] is None else bool(row["met"])
        ]
        value += str(text(", target {t} {met}", t=f"{row['target']:g}", met=met))
    return f"{row['measure']}: {value}"


def _lined_up(rows: list[dict[str, Any]], said: Mapping[str, Text]) -> list[str]:
    """Show rows below the headings of their columns; columns that are blank in all are left out."""
    names = [name for name in rows[0] if any(row[name] not in (None, "") for row in rows)]
    lines = [[str(said.get(name, name)) for name in names]]
    roles = load_roles()
    lines += [[_cell(name, row[name], roles) for name in names] for row in rows]
    wide = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell + " " * (size - _width(cell)) for cell, size in zip(line, wide, strict=True)
        ).rstrip()
        for line in lines
    ]


def _cell(name: str, value: Any, roles: Mapping[str, Role]) -> str:
    if value in (None, ""):
        return "—"
    if name == "role" and value in roles:
        return str(roles[value].label)
    if name == "level" and isinstance(value, int | float):
        return str(LEVEL_NAMES[int(value)])
    if isinstance(value, bool):
        return str(YES_NO[0 if value else 1])
    return f"{value:g}" if isinstance(value, float) else str(value)


def _width(cell: str) -> int:
    """Count the columns that a text takes on a screen: Chinese letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in cell)


def diff(old: Path, new: Path, *, out: Path | None, table: str, as_json: bool) -> None:
    """Say what changed between two results: units, items, what is carried over.

    Parameters
    ----------
    old
        Results folder of the earlier run.
    new
        Results folder of the later run.
    out
        File to write, or None.
    table
        Table to show; empty for the overview.
    as_json
        Whether one JSON document is printed.

    Raises
    ------
    UsageError
        When there is no such table.
    """
    if table and table not in d.TITLES:
        raise UsageError(text("no such table; one of {known}", known=", ".join(d.TITLES)))
    _spare(out)
    names = ("units", "unit_indicators", "items", "control", "scorecard", "signed_off")
    results = open_results(old), open_results(new)
    days, editions = (
        [str(found.facts.get(name) or "") for found in results] for name in ("data_date", "profile")
    )
    if editions[0] != editions[1]:
        say(text("one of the two is the public edition: what it leaves out is no change"))
    if all(days) and days[0] > days[1]:
        say(text("the first folder is the later one ({a}, {b})", a=days[0], b=days[1]))
    sides = [
        {name: found.table(name) for name in names if name in found.tables} for found in results
    ]
    tables = d.compare(*sides)
    if out is not None and out.suffix.lower() == ".gpkg":
        day = str(results[1].facts.get("data_date") or "")
        write_layers(
            out,
            d.change_layers(sides[0], sides[1], tables),
            titles={name: str(title) for name, title in d.TITLES.items()},
            headings={name: str(label) for name, label in d.HEADINGS.items()},
            kinds={
                "units": [str(word) for word in (*reversed(d.UNIT_KINDS), d.ALONE)],
                "items": [str(word) for word in d.KINDS],
            },
            moment=day,
        )
    elif out is not None:
        labels = {name: str(label) for name, label in d.HEADINGS.items()}
        write_sheets(out, {str(d.TITLES[k]): table for k, table in tables.items()}, labels=labels)
    if as_json:
        emit({name: _records(table) for name, table in tables.items()})
        return
    if table not in ("", "overview"):
        rows = _records(tables[table]) if table in tables else []
        for line in _lined_up(rows, d.HEADINGS) if rows else ():
            typer.echo(line)
    for row in _records(tables["overview"]) if table in ("", "overview") else ():
        before = "" if row["before"] is None else f"{row['before']:g} → "
        typer.echo(f"{row['what']}: {before}{row['after']:g}")
    if out is not None:
        typer.echo(out)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give plain values; texts in words, unknown as null."""

    def plain(value: Any) -> Any:
        return value if value is None or isinstance(value, int | float | str) else str(value)

    rows = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


def _current(project: Path) -> tuple[Project, pd.DataFrame]:
    loaded = load(project)
    with e.open_register(e.beside(loaded.path)) as base:
        return loaded, e.current(base)


def _roles(project: Project) -> Any:
    return load_roles(project.file(project.roles) if project.roles else None)


def _document(found: Merged) -> dict[str, Any]:
    return {
        "imported": found.imported,
        "unchanged": found.unchanged,
        "refused": [
            {
                "item_id": r.item_id, "field": r.field, "value": r.value, "why": str(r.why),
                "file": r.file,
            }
            for r in found.refused
        ],
        "conflicts": [
            {
                "item_id": c.item_id, "field": c.field, "base": c.base, "ours": c.ours,
                "theirs": c.theirs, "file": c.file,
            }
            for c in found.conflicts
        ],
        **({"notes": [str(note) for note in found.notes]} if found.notes else {}),
    }  # fmt: skip


def _write_left(found: Merged, out: Path, *, title: str) -> None:
    """Write conflicts with their three values, and refused rows, for those who settle them."""
    conflicts = [(c.file, c.item_id, str(HEADINGS[c.field]), *_told(c)) for c in found.conflicts]
    refused = [
        (r.file, r.item_id, str(HEADINGS[r.field]), r.value, str(r.why)) for r in found.refused
    ]
    names = ("file", "item", "field", "base", "ours", "theirs")
    sheets = {
        str(text("Conflicts")): pd.DataFrame(conflicts, columns=names),
        str(text("Refused rows")): pd.DataFrame(
            refused, columns=["file", "item", "field", "theirs", "why"]
        ),
    }
    heads = {
        "file": text("Workbook"), "item": HEADINGS[KEY], "field": text("Column"),
        "base": text("As sent out"), "ours": text("As it is now"),
        "theirs": text("As it came back"), "why": text("Why it was not taken"),
    }  # fmt: skip
    labels = {name: str(head) for name, head in heads.items()}
    write_sheets(out, sheets, labels=labels, above={name: [title] for name in sheets})


def _told(conflict: Conflict) -> tuple[str, str, str]:
    """Give the three values of a conflict as a person reads them."""
    values = (conflict.base, conflict.ours, conflict.theirs)
    base, ours, theirs = (str(shown(conflict.field, value or None, {}) or "") for value in values)
    return base, ours, theirs


def _show(found: Merged) -> None:
    typer.echo(text("{n} items taken, {same} unchanged", n=found.imported, same=found.unchanged))
    for note in found.notes:
        say(note)
    for r in found.refused:
        say(
            text(
                "{file}: {item}: {field} '{value}': {why}",
                file=r.file,
                item=r.item_id,
                field=HEADINGS[r.field],
                value=r.value,
                why=r.why,
            )
        )
    for c in found.conflicts:
        base, ours, theirs = _told(c)
        say(
            text(
                "{file}: {item}: {field}: sent out as '{base}', now '{ours}', back as '{theirs}'",
                file=c.file,
                item=c.item_id,
                field=HEADINGS[c.field],
                base=base,
                ours=ours,
                theirs=theirs,
            )
        )

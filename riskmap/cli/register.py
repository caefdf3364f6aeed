"""``riskmap control``: the table goes out, comes back, and says how far things are."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmap.cli.common import AsJson, emit
from riskmap.i18n import text
from riskmap.progress import say

if TYPE_CHECKING:
    import pandas as pd

    from riskmap.project import Project
    from riskmap.register.merge import Merged

control = typer.Typer(
    name="control",
    help="Work with the control table: send it out, take it back, see how far it is.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ProjectFile = Annotated[Path, typer.Argument(help="The project file (YAML).")]
On = Annotated[str | None, typer.Option(help="Date, like 2026-05-03; today when not given.")]


@control.command()
def export(
    project: ProjectFile,
    *,
    out: Annotated[Path, typer.Option(help="Workbook to write (xlsx), or layer (gpkg).")],
    town: Annotated[str | None, typer.Option(help="Only the items of this town.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Signed-off items too.")] = False,
    on: On = None,
) -> None:
    """Write the control table as a workbook to fill in: drop-downs, locked columns."""
    from riskmap.export.workbook.books import Form, write_form, write_layer
    from riskmap.register.merge import build_form

    loaded, table = _current(project)
    if town is not None:
        table = table[table["town"] == town]
    if not closed:
        table = table[table["state"] != "closed"]
    form = build_form(table, project=loaded.name, roles=_roles(loaded), on=_day(on))
    if out.suffix.lower() == ".gpkg":
        write_layer(Form(**form), table[["x", "y"]], out)
    else:
        write_form(Form(**form), out, name=str(text("Control table")), day=loaded.data_date)
    typer.echo(out)


@control.command(name="import")
def take_back(
    project: ProjectFile,
    books: Annotated[list[Path], typer.Argument(help="Workbooks or layers that came back.")],
    *,
    by: Annotated[str, typer.Option(help="Role of the one who imports.")] = "",
    on: On = None,
    dry: Annotated[
        bool, typer.Option("--dry", help="Say what would happen; keep nothing.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Workbook of what was refused or stands in conflict (xlsx).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take workbooks back: each cell against what went out; exit 1 if a row was not taken."""
    from riskmap.cli.commands import load
    from riskmap.errors import LayerError
    from riskmap.register import events as e
    from riskmap.register.merge import merge, read_returned

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
        found = merge(base, returned, by=by, on=_day(on))
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


@control.command()
def status(project: ProjectFile, *, on: On = None, as_json: AsJson = False) -> None:
    """Say how many items are open, signed off and overdue, by state and by town."""
    from riskmap.register import events as e

    path, data_date = _register_of(project)
    with e.open_register(path) as base:
        found = e.summary(base, on=_day(on or data_date))
    if as_json:
        emit(found)
        return
    for name in ("items", "open", "closed", "overdue"):
        typer.echo(f"{_WORDS[name]}: {found[name]}")
    for state, number in found["by_state"].items():
        typer.echo(f"  {e.STATES[state]}: {number}")
    for town, counts in found["by_town"].items():
        shown = "  ".join(
            f"{_WORDS[name]} {counts[name]}" for name in ("open", "closed", "overdue")
        )
        typer.echo(f"{town or text('town unknown')}: {shown}")


@control.command()
def history(
    project: ProjectFile,
    item: Annotated[str, typer.Argument(help="Project number of the item.")],
    *,
    as_json: AsJson = False,
) -> None:
    """List every change of one item, oldest first."""
    from riskmap.register import events as e
    from riskmap.register.merge import shown_event

    with e.open_register(_register_of(project)[0]) as base:
        found = e.history(base, item)
    if as_json:
        emit({"item_id": item, "events": found})
        return
    for event in found:
        typer.echo(shown_event(event))


@control.command()
def bulletin(
    project: ProjectFile,
    *,
    since: Annotated[str, typer.Option(help="First day, like 2026-05-01.")],
    on: On = None,
    by: Annotated[
        str, typer.Option(help="Unit that is told: town, village, duty_unit, person or role.")
    ] = "town",
    within: Annotated[int, typer.Option(min=0, help="Days ahead in which items are due.")] = 30,
    out: Annotated[Path | None, typer.Option(help="Workbook of the bulletin (xlsx).")] = None,
    letters: Annotated[
        Path | None, typer.Option(help="Workbook with a letter to each unit (xlsx).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what each unit found, signed off and let run late since a day, as text and sheet."""
    from riskmap.cli.commands import load
    from riskmap.errors import UsageError
    from riskmap.export.workbook.books import write_sheets
    from riskmap.register import bulletin as b
    from riskmap.register import events as e

    first, last = _day(since, option="--since"), _day(on)
    if by not in b.BY:
        raise UsageError(text("--by: one of {known}", known=", ".join(b.BY)))
    if first > last:
        raise UsageError(text("--since: {first} is later than {last}", first=first, last=last))
    loaded = load(project)
    roles = _roles(loaded)
    with e.open_register(e.beside(loaded.path)) as base:
        found = b.bulletin(base, since=first, until=last, by=by, within=within)
    said = b.letter(found, project=loaded.name, roles=roles)
    title = said.splitlines()[0]
    if out is not None:
        sheets = {**b.sheets_of(found, roles), **_measured(loaded)}
        write_sheets(out, sheets, labels={}, above={name: [title] for name in sheets})
    if letters is not None:
        made = b.reminders(found, project=loaded.name, roles=roles)
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
    from riskmap.cli.commands import default_folder
    from riskmap.errors import RiskmapError
    from riskmap.export.geopackage.read import open_results
    from riskmap.export.workbook.tables import DUTY_TABLES
    from riskmap.vocabulary.columns import headings

    try:
        found = open_results(default_folder(project))
        table = found.table("scorecard")
    except (RiskmapError, OSError, KeyError):
        return {}
    names = {name: str(label) for name, label in headings("duty").items()}
    shown = table.drop(columns=["code", "fid"], errors="ignore")
    return {str(DUTY_TABLES["scorecard"]): shown.rename(columns=names)}


@control.command()
def show(
    project: ProjectFile,
    subject: Annotated[
        str, typer.Argument(help="Table to show, such as scorecard or calls; none: list them.")
    ] = "",
    *,
    code: Annotated[
        list[str] | None, typer.Option(help="Measures of the scorecard; all when not given.")
    ] = None,
    unit: Annotated[
        str, typer.Option(help="Reporting unit of the scorecard; the whole place by default.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show scorecard and checks of the last run: what is late, missing, in nobody's charge."""
    from riskmap.cli.commands import default_folder, load
    from riskmap.errors import UsageError
    from riskmap.export.geopackage.read import open_results
    from riskmap.export.workbook.tables import DUTY_TABLES

    found = open_results(default_folder(load(project)))
    there = [name for name in DUTY_TABLES if name in found.tables]
    if not subject:
        counts = {name: len(found.table(name)) for name in there}
        if as_json:
            emit(counts)
        for name in () if as_json else there:
            typer.echo(f"{name}: {DUTY_TABLES[name]} ({counts[name]})")
        return
    if subject not in DUTY_TABLES:
        raise UsageError(text("no such table; one of {known}", known=", ".join(DUTY_TABLES)))
    rows = _records(found.table(subject)) if subject in there else []
    if subject == "scorecard":
        kept = [row for row in rows if (row["unit_name"] or "") == unit]
        rows = [row for row in kept if not code or str(row["code"]).split(":")[0] in code]
    if as_json:
        emit(rows)
        return
    for row in rows:
        typer.echo(_measure_line(row) if subject == "scorecard" else _line(row))


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


def _line(row: dict[str, Any]) -> str:
    shown = (f"{v:g}" if isinstance(v, float) else str(v) for v in row.values() if v is not None)
    return "  ".join(word for word in shown if word)


def diff(
    old: Annotated[Path, typer.Argument(help="Results folder of the earlier run.")],
    new: Annotated[Path, typer.Argument(help="Results folder of the later run.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Workbook to write (xlsx).")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two results: units, items, what is carried over."""
    from riskmap.export.geopackage.read import open_results
    from riskmap.export.workbook.books import write_sheets
    from riskmap.register.diff import HEADINGS, TITLES, compare

    names = ("units", "unit_indicators", "items", "control", "scorecard", "signed_off")
    sides = [
        {name: found.table(name) for name in names if name in found.tables}
        for found in (open_results(old), open_results(new))
    ]
    tables = compare(*sides)
    if out is not None:
        labels = {name: str(label) for name, label in HEADINGS.items()}
        write_sheets(out, {str(TITLES[k]): table for k, table in tables.items()}, labels=labels)
    if as_json:
        emit({name: _records(table) for name, table in tables.items()})
        return
    for row in _records(tables["overview"]):
        before = "" if row["before"] is None else f"{row['before']:g} → "
        typer.echo(f"{row['what']}: {before}{row['after']:g}")
    if out is not None:
        typer.echo(out)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give plain values; texts in words, unknown as null."""

    def plain(value: Any) -> Any:
        if value is None or value != value:
            return None
        return value if isinstance(value, int | float | str) else str(value)

    rows = table.astype(object).to_dict(orient="records")
    return [{str(name): plain(value) for name, value in row.items()} for row in rows]


_WORDS = {
    "items": text("items"),
    "open": text("open"),
    "closed": text("signed off"),
    "overdue": text("overdue"),
}


def _register_of(project: Path) -> tuple[Path, str]:
    """Give the register of a project and the date of its data, without checking all of its file.

    Whoever asks how far things are need not wait for what only a run needs.
    """
    from yaml import YAMLError

    from riskmap.cli.commands import load
    from riskmap.files import parse_yaml
    from riskmap.register.events import beside

    path = beside(project)
    if path.is_file() and project.is_file():
        with suppress(OSError, ValueError, YAMLError):
            said = parse_yaml(project.read_text(encoding="utf-8-sig"))
            day = str(said.get("data_date") or "") if isinstance(said, dict) else "?"
            if not day or date.fromisoformat(day):
                return path, day
    loaded = load(project)
    return beside(loaded.path), loaded.data_date


def _current(project: Path) -> tuple[Project, pd.DataFrame]:
    from riskmap.cli.commands import load
    from riskmap.register import events as e

    loaded = load(project)
    with e.open_register(e.beside(loaded.path)) as base:
        return loaded, e.current(base)


def _roles(project: Project) -> Any:
    from riskmap.vocabulary.roles import load_roles

    return load_roles(project.file(project.roles) if project.roles else None)


def _day(given: str | None, *, option: str = "--on") -> str:
    """Check a date that was typed; today when none was."""
    from riskmap.errors import UsageError

    try:
        return (date.fromisoformat(given) if given else date.today()).isoformat()
    except ValueError:
        raise UsageError(
            text("{option}: '{value}' is no date like 2026-05-03", option=option, value=given)
        ) from None


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
    import pandas as pd

    from riskmap.export.workbook.books import write_sheets
    from riskmap.register.merge import HEADINGS, KEY

    conflicts = [
        (c.file, c.item_id, str(HEADINGS[c.field]), c.base, c.ours, c.theirs)
        for c in found.conflicts
    ]
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


def _show(found: Merged) -> None:
    from riskmap.register.merge import HEADINGS

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
        say(
            text(
                "{file}: {item}: {field}: sent out as '{base}', now '{ours}', back as '{theirs}'",
                file=c.file,
                item=c.item_id,
                field=HEADINGS[c.field],
                base=c.base,
                ours=c.ours,
                theirs=c.theirs,
            )
        )

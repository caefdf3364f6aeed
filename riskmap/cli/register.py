"""``riskmap control`` and ``diff``: the table goes out, comes back, and says how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmap.cli.common import AsJson, day_of, emit, register_of
from riskmap.i18n import text

control = typer.Typer(
    name="control",
    help="Work with the control table: send it out, take it back, see how far it is.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
ProjectFile = Annotated[Path, typer.Argument(help="The project file (YAML).")]
On = Annotated[str | None, typer.Option(help="Date, like 2026-05-03; today when not given.")]

_WORDS = {
    "items": text("items"),
    "open": text("open"),
    "closed": text("signed off"),
    "overdue": text("overdue"),
}


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
    from riskmap.cli import register_files

    register_files.export(project, out=out, town=town, closed=closed, on=on)


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
    from riskmap.cli import register_files

    register_files.take_back(project, books, by=by, on=on, dry=dry, out=out, as_json=as_json)


@control.command()
def status(project: ProjectFile, *, on: On = None, as_json: AsJson = False) -> None:
    """Say how many items are open, signed off and overdue, by state and by town."""
    from riskmap.register import events as e  # without pandas: it answers at once

    path, data_date = register_of(project)
    with e.open_register(path) as base:
        found = e.summary(base, on=day_of(on or data_date))
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
    from riskmap.cli import register_files

    register_files.history(project, item, as_json=as_json)


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
    from riskmap.cli import register_files

    register_files.bulletin(
        project, since=since, on=on, by=by, within=within, out=out, letters=letters, as_json=as_json
    )


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
    from riskmap.cli import register_files

    register_files.show(project, subject, code=code, unit=unit, as_json=as_json)


def diff(
    old: Annotated[Path, typer.Argument(help="Results folder of the earlier run.")],
    new: Annotated[Path, typer.Argument(help="Results folder of the later run.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Workbook to write (xlsx), or map layers (gpkg).")
    ] = None,
    table: Annotated[
        str, typer.Option(help="Table to show: overview, units, items, carried or scorecard.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what changed between two results: units, items, what is carried over."""
    from riskmap.cli import register_files

    register_files.diff(old, new, out=out, table=table, as_json=as_json)

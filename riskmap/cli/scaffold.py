"""A new project folder: one workbook to fill in, and a project file that runs as it is."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import UsageError
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from riskmap.vocabulary.roles import Role

DRAWN: Final = ("line", "polygon")
"""Geometries that are drawn in a GIS and have no sheet."""
DATUMS: Final = ("auto", "wgs84", "cgcs2000", "gcj02", "bd09")
_SIDES: Final = (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx")


_UNIT_WORDS: Final = {
    "level": ("level", "层级", "级别", "行政级别"),
    "parent": ("parent", "parent_code", "上级", "上级代码", "上级行政区划代码"),
}
"""Columns of units that no sheet has."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a new project is told about itself."""

    name: str = ""
    place: str = ""
    datum: str = "auto"
    boundary: Path | None = None
    date: str = ""


def sheet_roles() -> list[Role]:
    """List the roles that have a sheet in the workbook: points and plain tables.

    Returns
    -------
    list of Role
        In the order of the layer tree.
    """
    from riskmap.vocabulary.roles import load_roles

    return [
        role
        for role in load_roles().values()
        if role.kind == "vector" and role.geometry not in DRAWN and role.group != "base"
    ]


def ask_answers(known: Answers, ask: Callable[[Text, str], str], *, folder: Path) -> Answers:
    """Ask the five questions of a new project.

    Parameters
    ----------
    known
        What flags gave; offered as the answers.
    ask
        Puts a question with its usual answer and gives the reply.
    folder
        The folder to make; its name is the usual title.

    Returns
    -------
    Answers
        The replies.
    """
    sources = (
        text("phone or GPS receiver, Tianditu, survey (WGS-84, CGCS2000)"),
        text("Gaode, Tencent (GCJ-02)"),
        text("Baidu (BD-09)"),
        text("not known"),
    )
    name = ask(text("1/5 Name of the place"), known.name or folder.resolve().name)
    place = ask(text("2/5 Division code of 6, 9 or 12 digits, blank if not known"), known.place)
    said = "; ".join(f"{n} {source}" for n, source in enumerate(sources, 1))
    usual = str({"auto": 4, "wgs84": 1, "cgcs2000": 1, "gcj02": 2, "bd09": 3}[known.datum])
    reply = ask(text("3/5 Where do the coordinates come from? {sources}", sources=said), usual)
    datum = {"1": "wgs84", "2": "gcj02", "3": "bd09"}.get(reply.strip(), "auto")
    file = ask(
        text("4/5 File of boundaries (villages, or the county's outline), blank if there is none"),
        str(known.boundary or ""),
    )
    date = ask(text("5/5 Date of the data, YYYY-MM-DD, blank if not known"), known.date)
    return Answers(
        name=name.strip(),
        place=place.strip(),
        datum=datum,
        boundary=Path(file.strip().strip("'\"")) if file.strip() else None,
        date=date.strip(),
    )


def at_terminal() -> bool:
    """Tell whether somebody sits at a terminal and can be asked.

    Returns
    -------
    bool
        True when both input and messages go to a terminal.
    """
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def scaffold(folder: Path, answers: Answers, *, lang: str) -> list[str]:
    """Make a project folder.

    Parameters
    ----------
    folder
        Folder to make; it must not exist, or be empty.
    answers
        What is known of the place.
    lang
        Language of the workbook.

    Returns
    -------
    list
        The files made.

    Raises
    ------
    UsageError
        When the folder holds something, the code is not 6, 9 or 12 digits, the date is none, or the
        file of boundaries cannot be used.
    """
    from riskmap.layers.template import write_template

    _check(folder, answers)
    answers = replace(answers, name=answers.name or folder.resolve().name)
    kept = _look_at(answers.boundary) if answers.boundary else {}
    (folder / "layers").mkdir(parents=True)
    book = folder / "layers" / str(text("ledgers.xlsx"))
    write_template(sheet_roles(), book, lang=lang, units="units" not in kept)
    files = [folder / "project.yaml", book, folder / "riskmap.root"]
    if answers.boundary:
        files.append(_copy(answers.boundary, folder / "layers"))
    files[0].write_text(
        _project_text(answers, book.name, kept, lang=lang), encoding="utf-8", newline="\n"
    )
    files[2].write_text("", encoding="utf-8")
    return [str(file) for file in files]


def _check(folder: Path, answers: Answers) -> None:
    from datetime import date

    code = answers.place
    if code and not (code.isascii() and code.isdigit() and len(code) in {6, 9, 12}):
        raise UsageError(text("--place {code}: give 6, 9 or 12 digits", code=code))
    if answers.datum not in DATUMS:
        raise UsageError(
            text(
                "{name}: unknown value '{value}'; use one of {allowed}",
                name="--datum",
                value=answers.datum,
                allowed=", ".join(DATUMS),
            )
        )
    try:
        _ = date.fromisoformat(answers.date) if answers.date else None
    except ValueError:
        raise UsageError(text("--date {date}: write YYYY-MM-DD", date=answers.date)) from None
    if answers.boundary and not answers.boundary.is_file():
        raise UsageError(text("{file}: no such file", file=answers.boundary))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(text("{folder} is not empty; name a new folder", folder=folder))


def _look_at(file: Path) -> dict[str, Any]:
    """Find out whether a file holds units, and in which columns, or one outline."""
    from riskmap.errors import LayerError
    from riskmap.layers.read.vector import read_vector
    from riskmap.vocabulary.roles import match_header, unit_role

    try:
        rows = read_vector(file, geometry="polygon")
    except LayerError as error:
        raise UsageError(text("{file}: {why}", file=file, why=error)) from None
    if len(rows.table) <= 1:
        return {"boundary": True}
    found: dict[str, str] = {}
    for column in map(str, rows.table.columns):
        field, _ = match_header(unit_role("village"), column)
        if field is not None:
            found.setdefault(field.name, column)
        for key, words in _UNIT_WORDS.items():
            if column.casefold() in words:
                found.setdefault(key, column)
    if "number" not in found and "name" not in found:
        raise UsageError(
            text(
                "{file}: no column of codes or names was found among {columns}; "
                "name one of them 'code' and one 'name'",
                file=file,
                columns=", ".join(map(str, rows.table.columns)),
            )
        )
    return {"units": found}


def _copy(file: Path, folder: Path) -> Path:
    target = folder / file.name
    shutil.copyfile(file, target)
    if file.suffix.lower() == ".shp":
        for side in _SIDES:
            for written in (side, side.upper()):
                if (beside := file.with_suffix(written)).is_file():
                    shutil.copyfile(beside, folder / beside.name)
    return target


def _flow(**keys: Any) -> str:
    """Write one source on one line."""
    said = ", ".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items() if value
    )
    return f"{{{said}}}"


def _unit_lines(answers: Answers, book: str, kept: dict[str, Any]) -> list[str]:
    from riskmap.layers.template import sheet_name
    from riskmap.vocabulary.roles import unit_role

    if (found := kept.get("units")) is not None and answers.boundary:
        return [
            _flow(
                path=f"layers/{answers.boundary.name}",
                level=None if "level" in found else "village",
                level_column=found.get("level"),
                code=found.get("number", found.get("name")),
                name=found.get("name", found.get("number")),
                parent=found.get("parent"),
                population=found.get("population"),
                elderly=found.get("elderly"),
                datum=answers.datum,
            )
        ]
    lines = []
    for level in ("village", "town"):
        role = unit_role(level)
        named = {field.name: str(field.label) for field in role.fields}
        lines.append(
            _flow(
                path=f"layers/{book}",
                sheet=sheet_name(role),
                level=level,
                code=named["number"],
                name=named["name"],
                parent=named.get("town"),
                population=named["population"],
                elderly=named.get("elderly"),
                datum=answers.datum if level == "village" else None,
            )
        )
    return lines


def _project_text(answers: Answers, book: str, kept: dict[str, Any], *, lang: str) -> str:
    """Write the project file with the workbook's sheets in place."""
    from riskmap.layers.template import sheet_name

    said = {
        "name": text("Title of the papers"),
        "date": text("Date of the data; the only date that is printed"),
        "units": text(
            "Units: villages and towns of the workbook; boundaries later, if you get them"
        ),
        "grid": text("Side of a grid cell in metres: 100 to 500 for a district"),
        "layers": text("Fill in the workbook; sheets that stay blank are taken as not given"),
        "datum": text("datum: wgs84, cgcs2000, gcj02 (Gaode, Tencent), bd09 (Baidu) or auto"),
        "more": text("Further layers: take the # away when you have them"),
    }
    quoted = json.dumps(answers.name, ensure_ascii=False)
    units = "\n".join(f"  - {line}" for line in _unit_lines(answers, book, kept))
    sheets = "\n".join(
        f"  {role.name}: "
        + _flow(
            path=f"layers/{book}",
            sheet=sheet_name(role),
            datum=answers.datum if role.geometry != "none" else None,
        )
        for role in sheet_roles()
    )
    if kept.get("boundary") and answers.boundary:
        line = _flow(path=f"layers/{answers.boundary.name}", datum=answers.datum)
        sheets = f"  boundary: {line}\n{sheets}"
    return f"""# {said["name"]}
name: {quoted}
place: {{code: "{answers.place}", name: {quoted}}}
# {said["date"]}
data_date: "{answers.date}"
# {said["units"]}
units:
{units}
# {said["grid"]}
grid: {{shape: square, size_m: 250}}
# {said["layers"]}
# {said["datum"]}
layers:
{sheets}
# {said["more"]}
#  road: {{path: layers/roads.gpkg}}
#  waterway: {{path: layers/waterways.gpkg}}
#  dem: {{path: layers/dem.tif}}
#  population: {{path: layers/population.xlsx}}
indicators: flood_season
outputs: {{dir: outputs, lang: {lang}, profile: internal}}
"""

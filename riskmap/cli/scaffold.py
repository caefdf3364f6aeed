"""A new project: from a workbook to fill in, or from the workbooks that an office has."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import webbrowser
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from riskmap.cli.common import choice, make_way
from riskmap.errors import LayerError, UsageError
from riskmap.files import is_litter
from riskmap.formats import side_files
from riskmap.i18n import Text, language, text
from riskmap.layers.place.datum import DATUMS
from riskmap.layers.read.table import find_header, read_csv, read_workbook
from riskmap.layers.read.vector import read_vector
from riskmap.layers.template import sheet_name, write_template
from riskmap.vocabulary.roles import Role, load_roles, match_header, unit_role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DRAWN: Final = ("line", "polygon")
"""Geometries that are drawn in a GIS and have no sheet."""
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
    code = answers.place
    if code and not (code.isascii() and code.isdigit() and len(code) in {6, 9, 12}):
        raise UsageError(text("--place {code}: give 6, 9 or 12 digits", code=code))
    choice("--datum", answers.datum, ("auto", *DATUMS))
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
    """Copy a file with what is read beside it."""
    for one in side_files(file):
        shutil.copyfile(one, folder / one.name)
    return folder / file.name


def _flow(**keys: Any) -> str:
    """Write one source on one line."""
    said = ", ".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items() if value
    )
    return f"{{{said}}}"


def _unit_lines(answers: Answers, book: str, kept: dict[str, Any]) -> list[str]:
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


BOOKS: Final = (".xlsx", ".xls", ".xlsm", ".et", ".csv")
"""Endings of ledgers."""
_KEYS: Final = re.compile(r"^(?:layers|units):", re.MULTILINE)
_DEPTH: Final = 2


def projects_in(folder: Path) -> list[Path]:
    """Find the project files of a folder and of the folders in it.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    list of Path
        Files with the keys of a project, in order of their paths.
    """
    found = []
    for depth in range(_DEPTH + 1):
        found += [
            path
            for path in folder.glob("/".join([*("*" * depth), "*.y*ml"]))
            if path.is_file() and len(_KEYS.findall(_head(path))) > 1
        ]
    return sorted(found)


def _head(path: Path) -> str:
    try:
        return path.read_bytes()[:200_000].decode("utf-8-sig", "replace")
    except OSError:
        return ""


def project_of(path: Path) -> Path:
    """Find or make the project file that somebody means by a file or a folder.

    Parameters
    ----------
    path
        A project file, a workbook, or a folder of either.

    Returns
    -------
    Path
        The project file; for a folder of workbooks a new one beside them.

    Raises
    ------
    UsageError
        When there is nothing there, more than one project, or no sheet is recognised.
    """
    path = Path(str(path).strip().strip("'\""))
    if path.is_file() and path.suffix.lower() in BOOKS:
        path = path.parent
    if path.is_file():
        return path
    if not path.is_dir():
        raise UsageError(text("{file}: no such file", file=path))
    found = projects_in(path)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.relative_to(path).as_posix() for file in found)
        raise UsageError(
            text("{folder} holds several projects; choose one: {names}", folder=path, names=names)
        )
    return _made_from(path)


def _made_from(folder: Path) -> Path:
    """Write a project file for the workbooks of a folder, each sheet by its name or its header."""
    sheets = _sheets(folder)
    if not sheets:
        raise UsageError(
            text(
                "{folder}: no project file, and no workbook whose sheets or headers are known; "
                "make one with: riskmap new DIR",
                folder=folder,
            )
        )
    units = [
        _flow(path=path, sheet=sheet, level=level, **columns)
        for (kind, level), path, sheet, columns in sheets
        if kind == "units"
    ]
    lines: dict[str, list[str]] = {}
    for (kind, role), path, sheet, _ in sheets:
        if kind == "layers":
            lines.setdefault(role, []).append(_flow(path=path, sheet=sheet))
    project = folder / "project.yaml"
    name = json.dumps(folder.resolve().name, ensure_ascii=False)
    parts = [
        f"# {text('Made from the workbooks of this folder; check what each sheet was taken for')}",
        f"name: {name}",
        f"place: {{name: {name}}}",
        *(["units:", *(f"  - {line}" for line in units)] if units else []),
        "layers:",
        *(
            f"  {role}: {given[0]}" if len(given) == 1 else f"  {role}: [{', '.join(given)}]"
            for role, given in lines.items()
        ),
        *([] if lines else ["  {}"]),
        "indicators: flood_season",
        "outputs: {dir: outputs}",
        "",
    ]
    project.write_text("\n".join(parts), encoding="utf-8", newline="\n")
    return project


def _sheets(folder: Path) -> list[tuple[tuple[str, str], str, str | None, dict[str, str]]]:
    """Say for each sheet what it is: units of a level or a role, its file, name and columns."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in BOOKS or is_litter(path.name) or not path.is_file():
            continue
        book = path.suffix.lower() != ".csv"
        try:
            grids = read_workbook(path) if book else [read_csv(path)]
        except LayerError:
            continue  # the check of the project names it
        for grid in grids:
            if grid.hidden or len(grid.cells) < 2:
                continue
            meant = _meaning(grid.name if book else path.stem, list(grid.cells), path.stem)
            if meant is not None:
                kind, columns = meant
                found.append((kind, path.name, grid.name if book else None, columns))
    return found


def _meaning(
    name: str, cells: list[list[Any]], book: str
) -> tuple[tuple[str, str], dict[str, str]] | None:
    """Find what a sheet holds, by its own name, else its file's, else by the headers known."""

    def known(role: Role) -> Callable[[str], str | None]:
        def field(header: str) -> str | None:
            found, _ = match_header(role, header)
            return found.name if found else None

        return field

    levels = {level: unit_role(level) for level in ("village", "town")}
    roles = {role.name: role for role in load_roles().values() if role.kind == "vector"}
    for label in (name, book):
        for level, role in levels.items():
            if sheet_name(role) in label or role.zh in label:
                header = find_header(cells, known(role))
                columns = _columns(header, role) if header else {}
                return (("units", level), columns) if "code" in columns else None
        for role in roles.values():
            if role.zh in label or role.name in label.lower():
                return ("layers", role.name), {}
    best, most = None, 2
    for role in roles.values():
        header = find_header(cells, known(role))
        own = {field.name for field in role.fields}
        score = len(header.fields & own) if header else 0
        if score > most:
            best, most = role.name, score
    return (("layers", best), {}) if best else None


def _columns(header: Any, role: Any) -> dict[str, str]:
    """Name the columns of a sheet of units as the project file wants them."""
    wanted = {"number": "code", "name": "name", "town": "parent", "population": "population",
              "elderly": "elderly"}  # fmt: skip
    found: dict[str, str] = {}
    for column in header.names:
        field, _ = match_header(role, column)
        if field is not None and field.name in wanted:
            found.setdefault(wanted[field.name], column)
    if known := found.get("code", found.get("name")):  # either serves as the other
        found = {"code": known, "name": known} | found
    return found


def choose(home: Path, ask: Callable[[Text], str], tell: Callable[[object], None]) -> Path:
    """Let somebody at a console choose a project, by its number or by its path.

    Parameters
    ----------
    home
        Folder whose projects are offered.
    ask
        Puts a question and gives the reply.
    tell
        Shows a line.

    Returns
    -------
    Path
        The project file.

    Raises
    ------
    UsageError
        When nothing is chosen, or the choice is none.
    """
    offered = projects_in(home)
    for number, path in enumerate(offered, 1):
        tell(f"  {number}  {path.relative_to(home).as_posix()}")
    reply = ask(
        text("Number of a project, or drag a project file or a folder of workbooks here")
    ).strip()
    if not reply:
        raise UsageError(text("nothing was chosen"))
    if reply.isdecimal() and not Path(reply).exists():
        if not 1 <= int(reply) <= len(offered):
            raise UsageError(text("there is no project number {n}", n=reply))
        return offered[int(reply) - 1]
    return project_of(Path(reply))


def open_page(folder: Path) -> bool:
    """Open the map of a results folder in the browser.

    Parameters
    ----------
    folder
        The results folder.

    Returns
    -------
    bool
        False when there is no browser, or it is not wanted (``RISKMAP_NO_BROWSER``).
    """
    page = folder.resolve() / "onemap.html"
    if os.environ.get("RISKMAP_NO_BROWSER") or not page.is_file():
        return False
    if os.name == "nt":
        os.startfile(page)  # type: ignore[attr-defined, unused-ignore]  # noqa: S606
        return True
    return webbrowser.open(page.as_uri())


def write_role_template(roles: Sequence[str], *, out: Path, lang: str) -> None:
    """Write a workbook to fill in.

    Parameters
    ----------
    roles
        Names of the roles.
    out
        The workbook.
    lang
        Language of its headers.

    Raises
    ------
    UsageError
        When a role is unknown or a raster, or the file is no workbook (for papers: no Word file).
    """
    if out.suffix.lower() == ".docx":
        _write_paper_template(roles, out)
        return
    known = {name: role for name, role in load_roles().items() if role.kind == "vector"}
    by_label = {word: name for name, role in known.items() for word in (role.zh, role.en, name)}
    unknown = [role for role in roles if role not in by_label]
    if unknown:
        raise UsageError(
            text(
                "no layer with rows to fill in: {roles}; known: {known}",
                roles=", ".join(unknown),
                known="、".join(f"{role.label} ({name})" for name, role in known.items()),
            )
        )
    roles = [by_label[role] for role in roles]
    make_way(out)
    with language(lang):
        write_template([known[role] for role in dict.fromkeys(roles)], out, lang=lang)


def _write_paper_template(roles: Sequence[str], out: Path) -> None:
    """Write the Word file that official papers may be written into."""
    if list(roles) not in (["公文"], ["paper"]):
        raise UsageError(
            text("{file}: a Word file is the template of papers: 公文 or paper", file=out)
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    from riskmap.export.papers.document import layout, template_file  # 1 s; only for papers

    template_file(out, layout=layout())


def new_project(folder: Path, answers: Answers, *, lang: str, ask: bool = False) -> list[str]:
    """Make a project folder: a project file and one workbook to fill in.

    Parameters
    ----------
    folder
        Folder to make; must not exist, or be empty.
    answers
        What flags say of the place.
    lang
        Language of the workbook.
    ask
        Whether the five questions are asked.

    Returns
    -------
    list
        The files made.
    """

    def put(question: Text, usual: str) -> str:
        return str(typer.prompt(str(question), default=usual, show_default=bool(usual), err=True))

    with language(lang):
        if ask:
            answers = ask_answers(answers, put, folder=folder)
        return scaffold(folder, answers, lang=lang)

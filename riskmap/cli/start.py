"""Started by a double click: choose a project or a folder of workbooks, run it, open the map."""

from __future__ import annotations

import json
import os
import re
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import UsageError
from riskmap.files import is_litter
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Callable

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
    from riskmap.cli.scaffold import _flow

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
    from riskmap.errors import LayerError
    from riskmap.layers.read.table import read_csv, read_workbook

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
            meant = _meaning(grid.name if book else path.stem, grid.cells, path.stem)
            if meant is not None:
                kind, columns = meant
                found.append((kind, path.name, grid.name if book else None, columns))
    return found


def _meaning(
    name: str, cells: list[list[Any]], book: str
) -> tuple[tuple[str, str], dict[str, str]] | None:
    """Find what a sheet holds, by its own name, else its file's, else by the headers known."""
    from riskmap.layers.read.table import find_header
    from riskmap.layers.template import sheet_name
    from riskmap.vocabulary.roles import Role, load_roles, match_header, unit_role

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
    from riskmap.vocabulary.roles import match_header

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

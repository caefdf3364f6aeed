"""What all commands share: a project loaded, a choice checked, a document printed."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer
from yaml import YAMLError

from riskmap.errors import ProjectError, UsageError
from riskmap.files import parse_yaml
from riskmap.i18n import text

if TYPE_CHECKING:
    from pathlib import Path

    from riskmap.project.schema import Project

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def choice(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Check a value that must be one of a few.

    Parameters
    ----------
    name
        Name of the option.
    value
        What was given; None passes.
    allowed
        The values.

    Raises
    ------
    UsageError
        When it is none of them.
    """
    if value is not None and value not in allowed:
        raise UsageError(
            text(
                "{name}: unknown value '{value}'; use one of {allowed}",
                name=name,
                value=value,
                allowed=", ".join(allowed),
            )
        )


def emit(document: Any) -> None:
    """Print one JSON document on stdout; in a file or a pipe it is UTF-8, whatever the console.

    Parameters
    ----------
    document
        Plain values.
    """
    said = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False, default=str) + "\n"
    if (raw := getattr(sys.stdout, "buffer", None)) is None or sys.stdout.isatty():
        sys.stdout.write(said)
        return
    sys.stdout.flush()
    raw.write(said.encode("utf-8", "replace"))
    raw.flush()


def load(project: Path, *, lang: str | None = None, allow_outside: bool = False) -> Project:
    """Load a project file.

    Parameters
    ----------
    project
        The file.
    lang
        Language of the papers; by default the project's own.
    allow_outside
        Whether input may lie outside the project's tree.

    Returns
    -------
    Project
        The checked project.
    """
    from riskmap.project.schema import load_project

    return in_language(load_project(project, allow_outside=allow_outside), lang)


def in_language(project: Project, lang: str | None) -> Project:
    """Give a project whose papers are in a language.

    Parameters
    ----------
    project
        The project.
    lang
        ``zh`` or ``en``; None for the project's own.

    Returns
    -------
    Project
        The project, or a copy.
    """
    if not lang:
        return project
    return project.model_copy(update={"outputs": project.outputs.model_copy(update={"lang": lang})})


def default_folder(project: Project) -> Path:
    """Choose the results folder of a project.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path
        ``outputs.dir`` of the project file, else ``outputs/NAME`` in the project's tree.

    Raises
    ------
    ProjectError
        When the folder would lie outside the project's tree.
    """
    if project.outputs.dir:
        folder = project.file(project.outputs.dir)
        if not folder.is_relative_to(project.root) or folder == project.root:
            raise ProjectError(
                text(
                    "outputs.dir: {folder} is not a folder inside the project's tree; "
                    "choose another, or give --out",
                    folder=project.outputs.dir,
                )
            )
        return folder
    return project.root / "outputs" / project.path.stem


def make_way(workbook: Path) -> None:
    """Make sure that a workbook can be written here; what stands there stays.

    Parameters
    ----------
    workbook
        The file.

    Raises
    ------
    UsageError
        When its name does not end in .xlsx.
    """
    if workbook.suffix.lower() != ".xlsx":
        raise UsageError(text("{file}: a workbook; name a file that ends in .xlsx", file=workbook))
    workbook.parent.mkdir(parents=True, exist_ok=True)
    new = not workbook.exists()
    workbook.open("ab").close()
    if new:
        workbook.unlink()


def day_of(given: str | None, *, option: str = "--on") -> str:
    """Check a date that was typed; today when none was.

    Parameters
    ----------
    given
        What was typed.
    option
        Where.

    Returns
    -------
    str
        ISO.

    Raises
    ------
    UsageError
        When it is no date.
    """
    try:
        return (date.fromisoformat(given) if given else date.today()).isoformat()
    except ValueError:
        raise UsageError(
            text("{option}: '{value}' is no date like 2026-05-03", option=option, value=given)
        ) from None


def register_of(project: Path) -> tuple[Path, str]:
    """Give the register of a project and the date of its data, without checking all of its file.

    Whoever asks how far things are need not wait for what only a run needs.

    Parameters
    ----------
    project
        The project file.

    Returns
    -------
    tuple
        The register's file, and the date.
    """
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

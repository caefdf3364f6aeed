"""Reading a project file: every problem at once, with its key and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from riskmap.errors import ProjectError
from riskmap.i18n import text
from riskmap.project import Project
from riskmap.project_checks import as_project_error, content_problems, shape_problems

ROOT_MARKS = ("riskmap.root", ".git")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            problem = str(text("a list or a mapping is no key"))
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        if key in seen:
            problem = str(text("key given twice: {key}", key=key))
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def project_root(path: Path) -> Path:
    """Find the folder that a project's paths may not leave.

    Parameters
    ----------
    path
        The project file.

    Returns
    -------
    Path
        The nearest parent that holds ``riskmap.root`` or ``.git``, else the file's own folder.
    """
    for parent in path.resolve().parents:
        if any((parent / mark).exists() for mark in ROOT_MARKS):
            return parent
    return path.resolve().parent


def load_project(
    path: Path | str,
    *,
    allow_outside: bool = False,
    roles: Mapping[str, object] | None = None,
) -> Project:
    """Read and check a project file.

    Parameters
    ----------
    path
        The YAML file.
    allow_outside
        Whether input may lie outside the project's tree.
    roles
        Known roles, to check the keys of ``layers``; by default the shipped ones.

    Returns
    -------
    Project
        The frozen project.

    Raises
    ------
    ProjectError
        With all problems of the file: dotted key, what is wrong, how to mend it.
    """
    path = Path(path)
    raw = _parse(path)
    try:
        project = Project.model_validate(raw | {"path": path.resolve(), "root": project_root(path)})
    except ValidationError as error:
        raise as_project_error(path, shape_problems(path, error)) from None
    problems = content_problems(path, project, allow_outside=allow_outside, roles=roles)
    if problems:
        raise as_project_error(path, problems)
    return project


def _parse(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ProjectError(
            text("{file}: no such project file; check the name, or run: riskmap new DIR", file=path)
        )
    try:
        content = path.read_text(encoding="utf-8-sig")
        raw = yaml.load(content, Loader=_Loader)  # noqa: S506  a SafeLoader
    except UnicodeDecodeError:
        raise ProjectError(
            text("{file}: the project file is not UTF-8; save it as UTF-8", file=path)
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ProjectError(
            text(
                "{file}: line {line}: not valid YAML ({problem}); check indents, colons and quotes",
                file=path,
                line=mark.line + 1 if mark else "?",
                problem=getattr(error, "problem", None) or error,
            )
        ) from None
    if not isinstance(raw, dict):
        raise ProjectError(text("{file}: the project file holds no keys", file=path))
    return {str(key): value for key, value in raw.items() if key not in {"path", "root"}}

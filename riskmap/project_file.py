"""Reading a project file: every problem at once, with its key and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from riskmap.errors import Problem, ProjectError
from riskmap.i18n import Text, text
from riskmap.project import Project

ROOT_MARKS = ("riskmap.root", ".git")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict | set):
            problem = "a list or a mapping is no key"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        if key in seen:
            problem = f"key given twice: {key}"
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
        raise _as_project_error(path, _from_pydantic(path, error)) from None
    problems = _check_roles(path, project, roles) + _check_presets(path, project)
    if not allow_outside:
        problems += _check_inside(path, project)
    if problems:
        raise _as_project_error(path, problems)
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


def _problem(path: Path, key: str, message: Text, mend: Text, value: object = "") -> Problem:
    shown = "" if value in ("", None) else str(value)[:80]
    return Problem(
        severity="unusable",
        role="",
        rule="project",
        message=message,
        mend=mend,
        file=path.name,
        field=key,
        value=shown,
    )


def _as_project_error(path: Path, problems: list[Problem]) -> ProjectError:
    return ProjectError(text("{file}: {n} problem(s)", file=path, n=len(problems)), tuple(problems))


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """List the keys that the section at a location knows."""
    section: Any = Project
    for part in location[:-1]:
        if not isinstance(part, str) or section is None:
            continue
        fields = getattr(section, "model_fields", {})
        if part not in fields:
            continue
        section = _section_of(fields[part].annotation)
    fields = getattr(section, "model_fields", {})
    return [key for key, field in fields.items() if not field.exclude]


def _section_of(annotation: Any) -> Any:
    """Find the section class inside a type such as ``dict[str, list[Section]]``."""
    if hasattr(annotation, "model_fields"):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _section_of(inner)
        if found is not None:
            return found
    return None


def _from_pydantic(path: Path, error: ValidationError) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False):
        location = item["loc"]
        key = ".".join(map(str, location))
        kind = item["type"]
        if kind == "extra_forbidden":
            near = get_close_matches(str(location[-1]), _known_keys(location), n=1)
            mend = (
                text("did you mean '{near}'?", near=near[0])
                if near
                else text("remove it; known keys: {keys}", keys=", ".join(_known_keys(location)))
            )
            problems.append(_problem(path, key, text("unknown key"), mend))
        elif kind == "missing":
            problems.append(
                _problem(path, key, text("required key is missing"), text("add '{key}'", key=key))
            )
        else:
            problems.append(
                _problem(
                    path,
                    key,
                    _why(item),
                    text("give a value of the right kind"),
                    item.get("input") if not isinstance(item.get("input"), dict | list) else "",
                )
            )
    return problems


def _why(item: Any) -> Text:
    """Say in both languages what pydantic found; its own words where it is something rare."""
    limits = {key: f"{value}" for key, value in item.get("ctx", {}).items() if key != "error"}
    known = {
        "greater_than": "must be greater than {gt}",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "literal_error": "must be one of {expected}",
        "string_type": "must be text",
        "string_too_short": "must not be empty",
        "too_short": "must not be empty",
        "list_type": "must be a list",
        "dict_type": "must be a mapping",
        "model_type": "must be a mapping",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "int_parsing": "must be a whole number",
        "bool_parsing": "must be true or false",
    }
    message = known.get(item["type"])
    if message is None:
        return text("unfit value: {why}", why=item["msg"])
    return Text(message, tuple((k, v) for k, v in limits.items() if f"{{{k}}}" in message))


def _check_roles(path: Path, project: Project, roles: Mapping[str, object] | None) -> list[Problem]:
    from riskmap.roles.load import load_roles

    extra = project.file(project.roles) if project.roles else None
    problems = []
    if extra is not None and not extra.is_dir():
        said = text("there is no such folder")
        mend = text("name a folder that holds role files")
        problems.append(_problem(path, "roles", said, mend, project.roles))
    known = roles if roles is not None else load_roles(extra)
    for role in project.layers:
        if role in known:
            continue
        near = get_close_matches(role, list(known), n=1)
        mend = (
            text("did you mean '{near}'?", near=near[0])
            if near
            else text("known roles: {keys}", keys=", ".join(known))
        )
        problems.append(_problem(path, f"layers.{role}", text("unknown role"), mend))
    classes = project.index.classes
    if classes.method == "fixed" and not classes.breaks:
        lacking, mend = text("required key is missing"), text("add '{key}'", key="breaks")
        problems.append(_problem(path, "index.classes.breaks", lacking, mend))
    names = [scenario.name for scenario in project.scenarios]
    problems += [
        _problem(
            path,
            f"scenarios.{i}.name",
            text("scenario name used twice"),
            text("give every scenario a name of its own"),
            name,
        )
        for i, name in enumerate(names)
        if name in names[:i]
    ]
    return problems


def _check_presets(path: Path, project: Project) -> list[Problem]:
    from riskmap.presets.load import load_presets

    known = load_presets()
    problems = []
    for key in project.presets:
        if key in known:
            continue
        near = get_close_matches(key, list(known), n=1)
        mend = (
            text("did you mean '{near}'?", near=near[0])
            if near
            else text("see the table of presets in the documentation")
        )
        problems.append(_problem(path, f"presets.{key}", text("unknown preset"), mend))
    return problems


def _check_inside(path: Path, project: Project) -> list[Problem]:
    mend = text(
        "move the file below {root}, or give --allow-outside if you trust it",
        root=project.root.name,
    )
    return [
        _problem(path, key, text("the path leaves the project's tree"), mend, written)
        for key, written in project.written_paths()
        if not project.file(written).is_relative_to(project.root)
    ]

"""An office's own words for headings and choices, kept beside the project file once confirmed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from riskmap.errors import Problem, ProjectError
from riskmap.files import parse_yaml
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import header_key
from riskmap.vocabulary.roles import Choice, Field, Role, guess_choice, match_choice, match_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Words:
    """What an office calls its columns and entries."""

    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Role to heading to field."""
    choices: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Role to field to entry to the value that it means."""


def words_file(project: Path) -> Path:
    """Find the list of words of a project.

    Parameters
    ----------
    project
        The project file.

    Returns
    -------
    Path
        ``STEM.words.yaml`` beside it.
    """
    return project.with_name(f"{project.stem}.words.yaml")


def read_words(path: Path, roles: Mapping[str, Role]) -> Words:
    """Read the list of words of a project.

    Parameters
    ----------
    path
        The file; a missing one holds no words.
    roles
        All roles.

    Returns
    -------
    Words
        What it says.

    Raises
    ------
    ProjectError
        When it names a role, a field or a choice that is not there.
    """
    if not path.is_file():
        return Words()
    try:
        raw = parse_yaml(path.read_text(encoding="utf-8-sig")) or {}
        words = Words(
            {str(r): {str(h): str(f) for h, f in (m or {}).items()} for r, m in _part(raw, 0)},
            {
                str(r): {
                    str(f): {str(e): str(v) for e, v in (entries or {}).items()}
                    for f, entries in (m or {}).items()
                }
                for r, m in _part(raw, 1)
            },
        )
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError):
        raise ProjectError(
            text("{file}: the list of words cannot be read; mend or delete it", file=path.name)
        ) from None
    problems = list(_wrong(path, words, roles))
    if problems:
        raise ProjectError(
            text("{file}: {n} problem(s)", file=path.name, n=len(problems)), tuple(problems)
        )
    return words


def _part(raw: Any, place: int) -> Iterable[tuple[Any, Any]]:
    part = raw.get(("headers", "choices")[place]) or {}
    items: Iterable[tuple[Any, Any]] = part.items()
    return items


def _wrong(path: Path, words: Words, roles: Mapping[str, Role]) -> Iterable[Problem]:
    for role in {*words.headers, *words.choices} - set(roles):
        yield _problem(path, role, text("unknown role"), roles)
    for role in set(words.headers) & set(roles):
        known = {one.name: one for one in roles[role].fields}
        for name in words.headers[role].values():
            if name not in known:
                yield _problem(path, f"{role}: {name}", text("there is no such field"), known)
    for role in set(words.choices) & set(roles):
        known = {one.name: one for one in roles[role].fields}
        for name, entries in words.choices[role].items():
            if name not in known:
                yield _problem(path, f"{role}: {name}", text("there is no such field"), known)
                continue
            values = {choice.value: choice for choice in known[name].choices}
            for value in entries.values():
                if value not in values:
                    at = f"{role}.{name}: {value}"
                    yield _problem(path, at, text("this is none of the choices"), values)


def _problem(path: Path, key: str, message: Text, known: Iterable[str]) -> Problem:
    mend = text("use one of {known}", known=", ".join(map(str, known)))
    return Problem("unusable", "", "project", message, mend, file=path.name, field=key)


def with_words(roles: Mapping[str, Role], words: Words) -> dict[str, Role]:
    """Let the roles know an office's words; what is confirmed goes before every other meaning.

    Parameters
    ----------
    roles
        All roles.
    words
        The words.

    Returns
    -------
    dict
        The roles with more aliases.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> words = Words({"flood_point": {"最深处": "depth_m"}})
    >>> match_header(with_words(load_roles(), words)["flood_point"], "最深处")[0].name
    'depth_m'
    """
    changed = dict(roles)
    for role, headers in words.headers.items():
        own = {header_key(heading): name for heading, name in headers.items()}
        fields = tuple(
            _with_aliases(one, [h for h, name in headers.items() if name == one.name], own)
            for one in changed[role].fields
        )
        changed[role] = replace(changed[role], fields=fields)
    for role, by_field in words.choices.items():
        fields = tuple(
            replace(one, choices=_with_entries(one, by_field[one.name]))
            if one.name in by_field
            else one
            for one in changed[role].fields
        )
        changed[role] = replace(changed[role], fields=fields)
    return changed


def _with_aliases(one: Field, more: list[str], own: Mapping[str, str]) -> Field:
    kept = [a for a in one.aliases if own.get(header_key(a), one.name) == one.name]
    return replace(one, aliases=tuple(dict.fromkeys([*kept, *more])))


def _with_entries(one: Field, entries: Mapping[str, str]) -> tuple[Choice, ...]:
    own = {header_key(entry): value for entry, value in entries.items()}
    return tuple(
        replace(
            choice,
            aliases=tuple(
                dict.fromkeys(
                    [
                        *(a for a in choice.aliases if header_key(a) not in own),
                        *(entry for entry, value in entries.items() if value == choice.value),
                    ]
                )
            ),
        )
        for choice in one.choices
    )


def keep_words(path: Path, problems: Iterable[Problem], roles: Mapping[str, Role]) -> int:
    """Keep what a check read by likeness, so that it is known from now on.

    Parameters
    ----------
    path
        The list of words; what it holds already stays.
    problems
        What the check said.
    roles
        All roles, with the words known so far.

    Returns
    -------
    int
        Number of entries that are new.
    """
    before = read_words(path, roles)
    headers = {role: dict(entries) for role, entries in before.headers.items()}
    choices = {
        role: {name: dict(entries) for name, entries in by_field.items()}
        for role, by_field in before.choices.items()
    }
    new, unknown = 0, []
    for problem in problems:
        role = roles.get(problem.role)
        if role is None:
            continue
        if problem.rule == "choice_like" and (found := _guessed(role, problem)):
            name, entry, value = found
            entries = choices.setdefault(role.name, {}).setdefault(name, {})
            new += entry not in entries
            entries[entry] = value
        elif problem.rule == "unused_columns":
            unknown += _suggestions(role, problem)
    if new or unknown:
        _write(path, {"headers": headers, "choices": choices}, unknown)
    return new


def _guessed(role: Role, problem: Problem) -> tuple[str, str, str] | None:
    one, _ = match_header(role, problem.field)
    one = one or role.field(problem.field)
    if one is None or not problem.value or match_choice(one, problem.value):
        return None
    guess = guess_choice(one, problem.value)
    return None if guess is None else (one.name, problem.value, guess[0])


def _suggestions(role: Role, problem: Problem) -> list[str]:
    """Offer, for columns that no field took, the field that is named most like them."""
    told = dict(problem.message.params).get("columns", "")
    labels = {one.zh: one.name for one in role.fields}
    lines = []
    for column in str(told).split(", "):
        near = get_close_matches(column, labels, n=1, cutoff=0.4)
        meant = labels[near[0]] if near else "FIELD"
        lines.append(f"#   {role.name}: {{{json.dumps(column, ensure_ascii=False)}: {meant}}}")
    return lines


def _write(path: Path, words: Mapping[str, Any], unknown: list[str]) -> None:
    said = text("An office's own words: confirmed once, read so from now on; change them freely.")
    body = yaml.safe_dump(dict(words), allow_unicode=True, sort_keys=True)
    more = ""
    if unknown:
        head = text("Columns not used; put those that are wanted under headers:, without the #")
        more = f"# {head}\n" + "\n".join(dict.fromkeys(unknown)) + "\n"
    path.write_text(f"# {said}\n{body}{more}", encoding="utf-8", newline="\n")

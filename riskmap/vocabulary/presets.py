"""Presets: the numbers of standards and practice, each with unit, source and status."""

from __future__ import annotations

import difflib
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from riskmap.errors import Problem, ProjectError
from riskmap.i18n import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATUSES: Final = ("sourced", "check", "unverified")
_FOLDER: Final = Path(__file__).parent / "presets"
_UNREAD: Final = Path(__file__).parent / "unread.yaml"
_KEYS: Final = frozenset(
    ("value", "unit", "source", "clause", "edition", "status", "zh", "en", "seen")
)


@dataclass(frozen=True)
class Preset:
    """One number, or a small table of numbers, with its proof."""

    key: str
    value: Any
    unit: str = ""
    source: str = ""
    """Standard, regulation or office; what papers cite."""
    clause: str = ""
    edition: str = ""
    status: str = "unverified"
    zh: str = ""
    en: str = ""
    seen: str = ""
    """Where the text was read; stands on no paper."""


@dataclass(frozen=True)
class Presets:
    """All presets of a run; remembers which were used."""

    table: Mapping[str, Preset]
    _used: set[str] = field(default_factory=set, compare=False, repr=False)

    def __getitem__(self, key: str) -> Any:
        """Return the value of a preset and remember that it was used."""
        value = self.preset(key).value
        self._used.add(key)
        return deepcopy(value)

    def __contains__(self, key: object) -> bool:
        return key in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def preset(self, key: str) -> Preset:
        """Return a preset whole, without counting it as used.

        Parameters
        ----------
        key
            The dotted key.

        Returns
        -------
        Preset
            The preset.

        Raises
        ------
        ProjectError
            When no preset has this key.
        """
        found = self.table.get(key)
        if found is None:
            problem = _unknown(key, self.table)
            raise ProjectError(problem.message, (problem,))
        return found

    def used(self) -> tuple[Preset, ...]:
        """Return the presets read so far, sorted by key.

        Returns
        -------
        tuple of Preset
            The presets that a report has to list.
        """
        return tuple(self.table[key] for key in sorted(self._used))


def _unknown(key: str, known: Mapping[str, object]) -> Problem:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return Problem(
        severity="unusable",
        role="",
        rule="unknown_preset",
        message=text("unknown preset {key}", key=key),
        mend=text("did you mean {near}?", near=near[0])
        if near
        else text("see the list of presets in the documentation"),
        field=f"presets.{key}",
    )


@cache
def _shipped(rooms: tuple[str, ...] = ()) -> dict[str, Preset]:
    table: dict[str, Preset] = {}
    for file in sorted(_FOLDER.glob("*.yaml")):
        if rooms and file.stem not in rooms:
            continue
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
        for name, raw in entries.items():
            key = f"{file.stem}.{name}"
            if set(raw) - _KEYS or raw.get("status", "unverified") not in STATUSES:
                raise ValueError(f"{file.name}: {name}: {sorted(set(raw) - _KEYS)}")
            words = {k: str(v) for k, v in raw.items() if k not in ("value", "status")}
            table[key] = Preset(
                key=key,
                value=_freeze(raw["value"]),
                status=raw.get("status", "unverified"),
                **words,
            )
    return table


@cache
def unread() -> frozenset[str]:
    """Name the presets that no stage reads yet.

    Returns
    -------
    frozenset of str
        Dotted keys.
    """
    return frozenset(yaml.safe_load(_UNREAD.read_text(encoding="utf-8")) or ())


def _never_read(key: str) -> Problem:
    return Problem(
        severity="unusable",
        role="",
        rule="unread_preset",
        message=text("nothing reads the preset {key}, so setting it changes nothing", key=key),
        mend=text("take it out of presets:"),
        field=f"presets.{key}",
    )


def _freeze(value: object) -> object:
    """Turn lists into tuples, so that no stage changes a preset."""
    if isinstance(value, list):
        return tuple(_freeze(part) for part in value)
    if isinstance(value, dict):
        return {str(name): _freeze(part) for name, part in value.items()}
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _fits(value: object, model: object) -> bool:
    """Tell whether an override has the form of the shipped value; numbers keep their sign."""
    if isinstance(model, int | float) and not isinstance(model, bool):
        return isinstance(value, int | float) and _is_number(value) and (value >= 0 or model < 0)
    if isinstance(model, tuple):
        return isinstance(value, tuple) and _fits_list(value, model)
    if isinstance(model, dict):
        first = next(iter(model.values()))
        return isinstance(value, dict) and all(
            _fits(part, model.get(name, first)) for name, part in value.items()
        )
    return model is None or value is None or isinstance(value, type(model))


def _fits_list(value: tuple[object, ...], model: tuple[object, ...]) -> bool:
    """Tell whether a list has as many entries of the same form, rising where the model rises.

    A list of words may have any length.
    """
    if all(isinstance(part, str) for part in model):
        return all(isinstance(part, str) for part in value)
    if len(value) != len(model) or not all(map(_fits, value, model)):
        return False
    return not _rising(model) or _rising(value)


def _rising(values: tuple[Any, ...]) -> bool:
    return all(map(_is_number, values)) and list(values) == sorted(values)


def _override(key: str, value: object, base: Preset) -> Preset | Problem:
    frozen = _freeze(value)
    if isinstance(base.value, dict) and isinstance(frozen, dict):
        frozen = {**base.value, **frozen}
    if not _fits(frozen, base.value):
        return Problem(
            severity="unusable",
            role="",
            rule="preset_form",
            message=text("the value does not have the form of the preset {key}", key=key),
            mend=text("write it like {example}", example=str(base.value)),
            field=f"presets.{key}",
            value=str(value),
        )
    return replace(base, value=frozen, source="project file", clause="", edition="", status="check")


def load_presets(
    overrides: Mapping[str, object] | None = None, *, rooms: tuple[str, ...] = ()
) -> Presets:
    """Read the shipped presets and put the project's own values over them.

    Parameters
    ----------
    overrides
        Dotted key to value; entries of a table replace only the keys they name.
    rooms
        First parts of the keys that are wanted; none: all.

    Returns
    -------
    Presets
        Value by key; remembers which were read.

    Raises
    ------
    ProjectError
        When a key is unknown or a value has the wrong form; all of them are named.

    Examples
    --------
    >>> presets = load_presets({"flood.level_depth_m": [0.1, 0.2, 0.4]})
    >>> presets["flood.level_depth_m"]
    (0.1, 0.2, 0.4)
    >>> [preset.key for preset in presets.used()]
    ['flood.level_depth_m']
    """
    table = dict(_shipped(rooms))
    problems: list[Problem] = []
    for key, value in (overrides or {}).items():
        if key not in table:
            problems.append(_unknown(key, table))
            continue
        if key in unread():
            problems.append(_never_read(key))
            continue
        changed = _override(key, value, table[key])
        if isinstance(changed, Problem):
            problems.append(changed)
        else:
            table[key] = changed
    if problems:
        raise ProjectError(text("{n} preset(s) cannot be used", n=len(problems)), tuple(problems))
    return Presets(table)

"""Roles: what a layer can be, read from YAML files."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from riskmap.errors import LayerError, Problem
from riskmap.i18n import Text, current_language, text
from riskmap.roles.headers import header_key, parse_header

__all__ = [
    "Choice",
    "Field",
    "Label",
    "Role",
    "coordinate_fields",
    "load_roles",
    "match_choice",
    "match_header",
    "parse_header",
]

TYPES: Final = ("text", "integer", "number", "date", "code", "phone", "boolean", "choice")
SENSITIVITIES: Final = ("public", "internal", "secret")
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Label(Text):
    """A text whose two languages stand in a role or preset file; ``msgid`` is the English."""

    zh: str = ""

    def __str__(self) -> str:
        return self.zh if self.zh and current_language() == "zh" else self.msgid


@dataclass(frozen=True)
class Choice:
    """One allowed value of a field."""

    value: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> Label:
        """The value as shown."""
        return Label(self.en, zh=self.zh)


@dataclass(frozen=True)
class Field:
    """One column of a role."""

    name: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()
    type: str = "text"
    unit: str | None = None
    required: bool = False
    choices: tuple[Choice, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sensitivity: str = "public"
    standard: str = ""

    @property
    def label(self) -> Label:
        """The field's name as shown, without its unit."""
        return Label(self.en, zh=self.zh)


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a layer can be: its fields, its look, how it is graded and what goes on the list."""

    name: str
    zh: str
    en: str
    kind: str = "vector"
    """``vector`` or ``raster``."""
    geometry: str = "point"
    """``point``, ``line``, ``polygon``, ``any`` or ``none`` (a plain table)."""
    group: str = "element"
    """``risk``, ``element``, ``plan`` or ``base``: the branch of the layer tree."""
    id_prefix: str = ""
    id_field: str = "number"
    """The field that holds the office's own number."""
    symbol: str = "circle"
    colour: str = ""
    """Fixed colour for roles that have no level."""
    duty_unit_zh: str = ""
    duty_unit_en: str = ""
    fields: tuple[Field, ...] = ()
    grade: Mapping[str, Any] | None = None
    item: bool = False
    """True when its rows go on the list and the table."""
    sensitivity: str = "public"
    coarsen_public: bool = False
    source: str = ""
    raster_allowed: bool = False
    """True when a vector role may also come as a raster (population)."""
    active: Mapping[str, tuple[str, ...]] | None = None
    """Field to the values that take a row out of use, such as a source without storage."""
    asked: tuple[str, ...] = ()
    """Fields whose blanks are listed beside an item, since a leader would ask for them."""
    measures: Mapping[int, Label] | None = None
    emergency: Label | None = None
    absence: Label | None = None
    """What it costs when the layer is missing."""

    @property
    def label(self) -> Label:
        """The role's name as shown."""
        return Label(self.en, zh=self.zh)

    @property
    def duty_unit(self) -> Label:
        """The department on duty for this role, where a row names none."""
        return Label(self.duty_unit_en, zh=self.duty_unit_zh)

    def field(self, name: str) -> Field | None:
        """Return the field of this name, or None.

        Parameters
        ----------
        name
            The field's name.

        Returns
        -------
        Field or None
            The field.
        """
        return next((field for field in self.fields if field.name == name), None)


def _choice(raw: Mapping[str, Any] | list[Any], value: str) -> Choice:
    if isinstance(raw, list):
        zh, en, *aliases = [str(part) for part in raw]
        return Choice(value, zh, en, tuple(aliases))
    return Choice(value, str(raw["zh"]), str(raw["en"]), tuple(map(str, raw.get("aliases", ()))))


def _field(name: str, raw: Mapping[str, Any]) -> Field:
    choices = tuple(_choice(choice, str(value)) for value, choice in raw.get("choices", {}).items())
    kind = str(raw.get("type", "choice" if choices else "text"))
    unknown = set(raw) - {*Field.__dataclass_fields__} | (set() if kind in TYPES else {kind})
    if unknown:
        raise ValueError(f"{name}: {sorted(unknown)}")
    return Field(
        name=name,
        zh=str(raw["zh"]),
        en=str(raw["en"]),
        aliases=tuple(str(alias) for alias in raw.get("aliases", ())),
        type=kind,
        unit=str(raw["unit"]) if raw.get("unit") is not None else None,
        required=bool(raw.get("required", False)),
        choices=choices,
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        sensitivity=str(raw.get("sensitivity", "public")),
        standard=str(raw.get("standard", "")),
    )


def _label(raw: Mapping[str, Any] | None) -> Label | None:
    return None if raw is None else Label(str(raw["en"]), zh=str(raw["zh"]))


def _fields(raw: Mapping[str, Any], common: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    """Join the common fields that a role names with its own; its own words win, aliases add up."""
    own: dict[str, Mapping[str, Any]] = raw.get("fields", {})
    shared = [name for name in raw.get("common", ()) if name not in own]
    merged: dict[str, Mapping[str, Any]] = {name: common[name] for name in shared}
    for name, definition in own.items():
        base = common.get(name, {}) if name in raw.get("common", ()) else {}
        aliases = [*base.get("aliases", ()), *definition.get("aliases", ())]
        merged[name] = {**base, **definition, "aliases": list(dict.fromkeys(aliases))}
    first = [name for name in ("number", "name") if name in merged]
    order = [*first, *(n for n in own if n not in first), *(n for n in shared if n not in first)]
    return tuple(_field(name, merged[name]) for name in order)


def _role(raw: Mapping[str, Any], common: Mapping[str, Mapping[str, Any]]) -> Role:
    plain = {
        key: raw[key]
        for key in Role.__dataclass_fields__
        if key in raw and key not in ("fields", "active", "asked", "measures", "emergency", "absence")
    }
    unknown = set(raw) - set(Role.__dataclass_fields__) - {"common"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)}")
    out = {k: tuple(map(str, v)) for k, v in raw.get("active", {}).items()} or None
    measures = {int(level): _label(entry) for level, entry in raw.get("measures", {}).items()}
    return Role(
        **plain,
        fields=_fields(raw, common),
        active=out,
        asked=tuple(raw.get("asked", ())),
        measures={level: label for level, label in measures.items() if label is not None} or None,
        emergency=_label(raw.get("emergency")),
        absence=_label(raw.get("absence")),
    )


def _clashes(role: Role) -> list[str]:
    """Name the headers that two fields of a role claim."""
    claimed: dict[str, str] = {}
    clashes = []
    for field in role.fields:
        for key in {header_key(alias) for alias in (field.name, field.zh, field.en, *field.aliases)}:
            if claimed.setdefault(key, field.name) != field.name:
                clashes.append(f"{key} ({claimed[key]}, {field.name})")
    return clashes


@cache
def _common() -> dict[str, Mapping[str, Any]]:
    loaded: dict[str, Mapping[str, Any]] = yaml.safe_load(
        (_FOLDER / "_common.yaml").read_text(encoding="utf-8")
    )
    return loaded


def _read_folder(folder: Path) -> tuple[dict[str, Role], list[Problem]]:
    roles: dict[str, Role] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.yaml")):
        if file.name.startswith("_"):
            continue
        try:
            role = _role(yaml.safe_load(file.read_text(encoding="utf-8")), _common()["fields"])
            if clashes := _clashes(role):
                raise ValueError(f"two fields share a header: {', '.join(clashes)}")
        except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            problems.append(
                Problem(
                    severity="unusable",
                    role=file.stem,
                    rule="role_file",
                    message=text("the role file cannot be used: {error}", error=str(error)),
                    mend=text("write it like the shipped role files"),
                    file=file.name,
                )
            )
            continue
        roles[role.name] = role
    return roles, problems


@cache
def _shipped() -> dict[str, Role]:
    roles, problems = _read_folder(_FOLDER)
    if problems:
        raise LayerError(text("a shipped role file is broken"), tuple(problems))
    order = {name: place for place, name in enumerate(_common()["order"])}
    return dict(sorted(roles.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def load_roles(extra: Path | None = None) -> dict[str, Role]:
    """Read all roles, the shipped ones and the user's own.

    Parameters
    ----------
    extra
        Folder with the user's own role files; a role of a shipped name replaces it.

    Returns
    -------
    dict
        Name to role, in the order of the layer tree.

    Raises
    ------
    LayerError
        When a file of the user's is not a role; all of them are named.

    Examples
    --------
    >>> load_roles()["flood_point"].zh
    '易涝积水点'
    """
    roles = dict(_shipped())
    if extra is not None and extra.is_dir():
        own, problems = _read_folder(extra)
        if problems:
            raise LayerError(text("{n} role files cannot be used", n=len(problems)), tuple(problems))
        roles.update(own)
    return roles


@cache
def coordinate_fields() -> tuple[Field, ...]:
    """Return the columns that may hold coordinates: lon, lat, lonlat, easting, northing, wkt.

    Returns
    -------
    tuple of Field
        The fields; ``X`` and ``Y`` are taken as longitude and latitude when they look like
        degrees, which the reader decides, for Chinese sheets call the northing X.

    Examples
    --------
    >>> [field.name for field in coordinate_fields()][:3]
    ['lon', 'lat', 'lonlat']
    """
    return tuple(_field(name, raw) for name, raw in _common()["coordinates"].items())


@cache
def _header_index(fields: tuple[Field, ...]) -> dict[str, Field]:
    index: dict[str, Field] = {}
    for field in fields:
        for alias in (field.name, field.zh, field.en, *field.aliases):
            index.setdefault(header_key(alias), field)
    return index


def match_header(role: Role, header: str) -> tuple[Field | None, str | None]:
    """Find the field that a column header means.

    Parameters
    ----------
    role
        The role; the coordinate columns are matched too.
    header
        The header as the file has it.

    Returns
    -------
    tuple of (Field or None) and (str or None)
        The field, and the unit that the header names.

    Examples
    --------
    >>> field, unit = match_header(load_roles()["flood_point"], "积水深度（cm）")
    >>> field.name, unit
    ('depth_m', 'cm')
    """
    index = _header_index(role.fields + coordinate_fields())
    bare, unit = parse_header(header)
    whole = index.get(header_key(header))
    if whole is not None:
        return whole, unit
    return index.get(header_key(bare)), unit


def match_choice(field: Field, value: object) -> str | None:
    """Find the allowed value that an entry means.

    Parameters
    ----------
    field
        A field with choices.
    value
        The entry as the file has it.

    Returns
    -------
    str or None
        The choice's value, or None when no choice is meant.

    Examples
    --------
    >>> field = load_roles()["refuge"].field("tier")
    >>> match_choice(field, "乡镇"), match_choice(field, " 村级 "), match_choice(field, "?")
    ('town', 'village', None)
    """
    key = header_key(str(value))
    for choice in field.choices:
        names = (choice.value, choice.zh, choice.en, *choice.aliases)
        if key in {header_key(name) for name in names}:
            return choice.value
    return None


def suggest(name: str, names: Mapping[str, object]) -> str:
    """Return the nearest known name, for a "did you mean".

    Parameters
    ----------
    name
        The unknown name.
    names
        The known ones.

    Returns
    -------
    str
        The nearest, or an empty text.

    Examples
    --------
    >>> suggest("flood_pont", load_roles())
    'flood_point'
    """
    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)), "")

"""Make roles and fields from the mappings of their files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from riskmap.roles.headers import header_key
from riskmap.roles.types import (
    GEOMETRIES,
    GROUPS,
    KINDS,
    SENSITIVITIES,
    TYPES,
    Choice,
    Field,
    Label,
    Role,
)

_FOLDER: Final = Path(__file__).parent


def _choice(raw: Mapping[str, Any] | list[Any], value: str) -> Choice:
    if isinstance(raw, list):
        zh, en, *aliases = [str(part) for part in raw]
        return Choice(value, zh, en, tuple(aliases))
    return Choice(value, str(raw["zh"]), str(raw["en"]), tuple(map(str, raw.get("aliases", ()))))


def parse_field(name: str, raw: Mapping[str, Any]) -> Field:
    """Make a field from its mapping.

    Parameters
    ----------
    name
        The field's name.
    raw
        Its keys as the file has them.

    Returns
    -------
    Field
        The field.

    Raises
    ------
    ValueError
        When a key or the type is unknown.
    """
    choices = tuple(_choice(choice, str(value)) for value, choice in raw.get("choices", {}).items())
    kind = str(raw.get("type", "choice" if choices else "text"))
    wrong = {
        "sensitivity": raw.get("sensitivity", "public") not in SENSITIVITIES,
        kind: kind not in TYPES,
    }
    unknown = set(raw) - {*Field.__dataclass_fields__} | {
        word for word, bad in wrong.items() if bad
    }
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
        example=str(raw.get("example", "")),
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
    return tuple(parse_field(name, merged[name]) for name in order)


def parse_role(raw: Mapping[str, Any]) -> Role:
    """Make a role from the mapping of its file.

    Parameters
    ----------
    raw
        The file's content.

    Returns
    -------
    Role
        The role.

    Raises
    ------
    ValueError
        When a key is unknown, a word is not allowed or two fields claim one header.
    """
    plain = {
        key: raw[key]
        for key in Role.__dataclass_fields__
        if key in raw
        and key not in ("fields", "active", "asked", "measures", "emergency", "absence")
    }
    unknown = set(raw) - set(Role.__dataclass_fields__) - {"common"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)}")
    out = {k: tuple(map(str, v)) for k, v in raw.get("active", {}).items()} or None
    _check_words(raw)
    measures = {int(level): _label(entry) for level, entry in raw.get("measures", {}).items()}
    role = Role(
        **plain,
        fields=_fields(raw, common()["fields"]),
        active=out,
        asked=tuple(raw.get("asked", ())),
        measures={level: label for level, label in measures.items() if label is not None} or None,
        emergency=_label(raw.get("emergency")),
        absence=_label(raw.get("absence")),
    )
    if clashes := header_clashes(role):
        raise ValueError(f"two fields share a header: {', '.join(clashes)}")
    return role


def _check_words(raw: Mapping[str, Any]) -> None:
    allowed = {"kind": KINDS, "geometry": GEOMETRIES, "group": GROUPS, "sensitivity": SENSITIVITIES}
    for key, words in allowed.items():
        if key in raw and raw[key] not in words:
            raise ValueError(f"{key}: {raw[key]!r} is not one of {', '.join(words)}")


def header_clashes(role: Role) -> list[str]:
    """Name the headers that two fields of a role claim.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    list of str
        Each header with the two fields; empty when all is well.
    """
    claims = [
        (key, field.name)
        for field in role.fields
        for key in {header_key(word) for word in (field.name, field.zh, field.en, *field.aliases)}
    ]
    first: dict[str, str] = {}
    for key, name in claims:
        first.setdefault(key, name)
    return [f"{key} ({first[key]}, {name})" for key, name in claims if first[key] != name]


def read_yaml(path: Path) -> Any:
    """Read a YAML file, by libyaml where it is there.

    Parameters
    ----------
    path
        The file, UTF-8.

    Returns
    -------
    object
        Its content.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


@cache
def common() -> dict[str, Any]:
    """Return what roles share: order, coordinates, fields.

    Returns
    -------
    dict
        The content of ``_common.yaml``.
    """
    loaded: dict[str, Any] = read_yaml(_FOLDER / "_common.yaml")
    return loaded


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
    return tuple(parse_field(name, raw) for name, raw in common()["coordinates"].items())

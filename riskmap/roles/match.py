"""Which field a header means, which choice an entry means."""

from __future__ import annotations

from functools import cache

from riskmap.roles.headers import header_key, parse_header
from riskmap.roles.parse import coordinate_fields
from riskmap.roles.types import Field, Role


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
    >>> from riskmap.roles.load import load_roles
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
    >>> from riskmap.roles.load import load_roles
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

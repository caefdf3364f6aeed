"""Roles: what a layer can be, read from YAML files."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import yaml

from riskmap.errors import LayerError, Problem
from riskmap.i18n import text
from riskmap.roles.headers import header_key, parse_header, unit_factor, unit_of
from riskmap.roles.match import match_choice, match_header
from riskmap.roles.parse import common, coordinate_fields, parse_role, read_yaml
from riskmap.roles.types import Choice, Field, Label, Role

__all__ = [
    "Choice",
    "Field",
    "Label",
    "Role",
    "coordinate_fields",
    "header_key",
    "load_roles",
    "match_choice",
    "match_header",
    "parse_header",
    "unit_factor",
    "unit_of",
]

_FOLDER: Final = Path(__file__).parent


def _read_folder(folder: Path) -> tuple[dict[str, Role], list[Problem]]:
    roles: dict[str, Role] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.yaml")):
        if file.name.startswith("_"):
            continue
        try:
            role = parse_role(read_yaml(file))
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
    order = {name: place for place, name in enumerate(common()["order"])}
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
            raise LayerError(
                text("{n} role files cannot be used", n=len(problems)), tuple(problems)
            )
        roles.update(own)
    return roles

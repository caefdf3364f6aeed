"""Column names that every room shares, with their words, and forgiving reading of sections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from riskmap.i18n import Text, text
from riskmap.vocabulary.codes import words_of
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

ITEM_ID: Final = "item_id"
UNIT_ID: Final = "unit_id"
PARENT_ID: Final = "parent_id"
CELL: Final = "cell"
LEVEL: Final = "level"
NAME: Final = "name"
POPULATION: Final = "population"
AREA_KM2: Final = "area_km2"
ROLE: Final = "role"

PLAIN_MARK: Final = "公"
"""Stands in the ids that moved places have in a public edition, and in that edition alone."""
UNIT_LEVELS: Final = ("district", "town", "village", "grid_duty_area", "custom")
"""Levels of administrative units, coarse to fine."""

ROOT: Final = "RISK"
HAZARD: Final = "HAZARD"
EXPOSURE: Final = "EXPOSURE"
VULNERABILITY: Final = "VULNERABILITY"
CAPACITY: Final = "CAPACITY"
COMPONENTS: Final = (HAZARD, EXPOSURE, VULNERABILITY, CAPACITY)

CLASSES: Final = (1, 2, 3, 4)
"""Risk classes: 1 low (blue), 2 general (yellow), 3 larger (orange), 4 major (red); 0 = unknown."""
WGS84: Final = "EPSG:4326"

FORMS: Final = (
    "", "text", "wrap", "middle", "integer", "number", "percent", "degree", "score", "class",
)  # fmt: skip
_FILE: Final = Path(__file__).with_suffix(".yaml")
_ALL: Final = "all"


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of one column of a table."""

    name: str
    label: Text
    unit: str = ""
    form: str = ""
    """One of `FORMS`; empty where the values decide."""
    width: float = 0.0
    """Characters in print; 0 where the values decide."""
    printed: bool = True
    sensitivity: str = "public"
    choices: str = ""
    """Kind of its codes, see `riskmap.vocabulary.codes`."""


@cache
def _sections() -> dict[str, dict[str, Column]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    whole: dict[str, dict[str, Any]] = raw[_ALL]
    found = {_ALL: {name: _column(name, entry) for name, entry in whole.items()}}
    for section, entries in raw.items():
        if section != _ALL:
            found[section] = {
                name: _column(name, {**whole.get(name, {}), **entry})
                for name, entry in entries.items()
            }
    return found


def _column(name: str, entry: Mapping[str, Any]) -> Column:
    rest = {key: value for key, value in entry.items() if key not in ("zh", "en")}
    return Column(name=name, label=Label(str(entry["en"]), zh=str(entry["zh"])), **rest)


_PATTERNS: Final = re.compile(
    r"(?P<what>share|twice|lost)_(?P<s>\d+)(?P<after>_after)?|usable_(?P<hazard>\w+)|"
    r"per_100(?:@(?P<scenario>.+))?|quantity_(?P<tier>\w+)|(?P<part>share|score|class|depth)_"
    r"(?P<n>\w+)"
)


def _patterned(name: str) -> Text | None:
    """Head a column whose name holds a limit, a hazard, a level or a scenario."""
    found = _PATTERNS.fullmatch(name)
    if not found:
        return None
    if found["s"]:
        minutes = f"{float(found['s']) / 60:g}"
        if found["after"]:
            return text("Share within {min} min with the new sites", min=minutes)
        words = {
            "share": text("Share within {min} min", min=minutes),
            "twice": text("Share within {min} min by two or more", min=minutes),
            "lost": text("No longer reached within {min} min", min=minutes),
        }
        return words[found["what"]]
    if found["hazard"]:
        hazard = found["hazard"]
        return text("Usable: {hazard}", hazard=words_of("hazard").get(hazard, hazard))
    if found["tier"]:
        tier = found["tier"]
        known = words_of("tier").get(tier, text("unknown depots"))
        return text("Quantity, {tier}", tier=known)
    if found["part"]:
        return _part(found["part"], found["n"])
    if found["scenario"]:
        return text("Quantity per 100 people who move ({scenario})", scenario=found["scenario"])
    return text("Quantity per 100 people who move")


def _part(what: str, which: str) -> Text | None:
    """Head a column of the cells that belongs to a numbered scenario, or a component's share."""
    number = which.removesuffix("_m")
    if not number.isdecimal():
        return text("Part of {component}", component=which) if what == "share" else None
    words = {
        "score": text("Index, scenario {n}", n=number),
        "class": text("Class, scenario {n}", n=number),
        "depth": text("Water depth, scenario {n} (m)", n=number),
    }
    return words.get(what)


def column(name: str, section: str = "") -> Column | None:
    """Find what is known of a column.

    Parameters
    ----------
    name
        The column's name.
    section
        Section of ``columns.yaml`` that goes before ``all``, such as ``stations``.

    Returns
    -------
    Column or None
        None for a column that is not in the file and follows no pattern.

    Examples
    --------
    >>> str(column("people", "refuges").label), str(column("people").label)
    ('人数', '影响人口')
    >>> str(column("share_180").label), column("no such column")
    ('3 分钟可达比例', None)
    """
    sections = _sections()
    found = sections.get(section, {}).get(name) or sections[_ALL].get(name)
    if found is not None:
        return found
    label = _patterned(name)
    return None if label is None else Column(name=name, label=label)


def headings(section: str) -> dict[str, Text]:
    """Give the headings of a section.

    Parameters
    ----------
    section
        Section of ``columns.yaml``.

    Returns
    -------
    dict
        Column to its heading, in the order of the file.
    """
    return {name: one.label for name, one in _sections()[section].items()}


def private_columns() -> frozenset[str]:
    """Name the columns that the public edition leaves out.

    Returns
    -------
    frozenset of str
        Columns whose sensitivity is not public.
    """
    every = _sections()[_ALL].values()
    return frozenset(one.name for one in every if one.sensitivity != "public")


def as_number_text(value: object) -> object:
    """Take a number as text, beside paths.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        Text, where it was a number.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if number else value


def is_number(written: str) -> bool:
    """Tell a number from a path.

    Parameters
    ----------
    written
        What the project file has.

    Returns
    -------
    bool
        True for a number.
    """
    return re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", written) is not None


def as_text(value: object) -> object:
    """Take a code that YAML read as a number back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        Text, where it was a number.
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def one_or_list(*kinds: type) -> BeforeValidator:
    """Let a list of one be written as the one entry.

    Parameters
    ----------
    *kinds
        Of what an entry is.

    Returns
    -------
    BeforeValidator
        Takes one value of these kinds as a list of one.

    Examples
    --------
    >>> str_or_list = one_or_list(str).func
    >>> str_or_list("a"), str_or_list(["a", "b"]), str_or_list(5)
    (['a'], ['a', 'b'], 5)
    """

    def listed(value: object) -> object:
        return [value] if isinstance(value, kinds) else value

    return BeforeValidator(listed)


def as_date_text(value: object) -> object:
    """Take a date that YAML read back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        ISO text, where it was a date.
    """
    return value.isoformat() if isinstance(value, date) else value


Code = Annotated[str, BeforeValidator(as_text)]
Count = Annotated[int, Field(ge=0, le=50)]
Unfit = re.compile(r"[\x00-\x1f]")


class Section(BaseModel):
    """A frozen section that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

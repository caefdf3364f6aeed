"""How a section of the project file is written: read forgivingly, unknown keys refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


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


def as_numbers(value: object) -> object:
    """Take one number as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a number.
    """
    return [value] if isinstance(value, (int, float)) else value


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


def as_values(value: object) -> object:
    """Take one value as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a text, a number or yes and no.
    """
    return [value] if isinstance(value, str | int | float) else value


def as_list(value: object) -> object:
    """Take one mapping as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a mapping.
    """
    return [value] if isinstance(value, dict) else value


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


def as_names(value: object) -> object:
    """Take one name as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a text.
    """
    return [value] if isinstance(value, str) else value

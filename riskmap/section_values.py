"""Values of a project file that may be written in two ways."""

from __future__ import annotations

import re


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

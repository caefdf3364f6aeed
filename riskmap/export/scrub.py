"""Blotting telephone numbers and private words out of free texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import pandas as pd

from riskmap.i18n import Text, both
from riskmap.roles.load import Label

HIDDEN: Final = "***"
_FREE: Final = ("geometry", "demo")
"""Columns that hold no free text; the mark of demonstration data must stay."""
_TELEPHONE: Final = re.compile(
    r"(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"
    r"|(?<![\d.])[(（]?0\d{2,3}[)）]?[\s-]?\d{3,4}[\s-]?\d{4}(?:\s*(?:-|转|ext\.?)\s*\d{1,6})?(?!\d)"
    r"|(?<!\d)[48]00[\s-]?\d{3}[\s-]?\d{4}(?!\d)"
    r"|(?<!\d)\d{17}[\dXx](?!\d)"
    r"|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.]+"
)
"""Mobile and landline numbers, 400/800 numbers, identity-card numbers, mail addresses."""

T = TypeVar("T", bound=pd.DataFrame)


def scrub(value: str, words: Iterable[str] = ()) -> str:
    """Blot telephone numbers, and given words, out of a text.

    Parameters
    ----------
    value
        The text.
    words
        Further words to blot out.

    Returns
    -------
    str
        The text with ``***`` in their place.

    Examples
    --------
    >>> scrub("联系王某 139 0000 1234 或 0531-8123 4567", ["王某"])
    '联系*** *** 或 ***'
    """
    for word in sorted(words, key=len, reverse=True):
        bounded = rf"(?<!\d){re.escape(word)}(?!\d)" if word[0].isdigit() else re.escape(word)
        value = re.sub(bounded, HIDDEN, value)
    return _TELEPHONE.sub(HIDDEN, value)


def _scrub_value(value: Any, words: Iterable[str]) -> Any:
    if isinstance(value, str):
        return scrub(value, words)
    if isinstance(value, Text):
        return scrub_note(value, words)
    if isinstance(value, list | tuple):
        return type(value)(_scrub_value(part, words) for part in value)
    return value


def scrub_table(table: T, secrets: pd.Series[Any]) -> T:
    """Blot private words out of the free texts of a table, row by row.

    Parameters
    ----------
    table
        The table.
    secrets
        Index of the table to the words that no text of that row may hold.

    Returns
    -------
    DataFrame
        The table with ``***`` in their place.
    """
    words = secrets.reindex(table.index)
    known = [entry if isinstance(entry, tuple) else () for entry in words]
    changed = {
        name: [_scrub_value(v, w) for v, w in zip(table[name], known, strict=True)]
        for name in table.columns
        if name not in _FREE and _is_words(table[name])
    }
    return table.assign(**changed)


def _is_words(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values.dtype)


def scrub_note(note: Text, words: Iterable[str] = ()) -> Text:
    """Blot private words out of a text as it is shown, in every language.

    Parameters
    ----------
    note
        The text.
    words
        Words to blot out.

    Returns
    -------
    Text
        The same text when nothing private stands in it.

    Examples
    --------
    >>> str(scrub_note(Label("call 13900001234")))
    'call ***'
    """
    shown = both(note)
    clean = {code: scrub(said, words) for code, said in shown.items()}
    return note if clean == shown else Label(clean["en"], zh=clean["zh"])

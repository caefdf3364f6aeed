"""Cells into the values that a role's fields ask for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MISSING: Final = frozenset(
    (
        "",
        "-",
        "--",
        "—",
        "——",
        "/",
        "\\",
        "无",
        "未知",
        "不详",
        "暂无",
        "空",
        "n/a",
        "na",
        "nan",
        "none",
        "null",
    )
)
"""Texts that mean that nothing is known."""
EXCEL_ERRORS: Final = frozenset(
    ("#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!")
)
_YES: Final = frozenset(
    ("是", "有", "true", "yes", "y", "t", "1", "√", "✓", "✔", "对", "已", "1.0")
)
_NO: Final = frozenset(
    ("否", "无", "没有", "不是", "false", "no", "n", "f", "0", "×", "x", "✗", "未", "0.0")
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_SCIENTIFIC: Final = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d{1,2}$")
WHOLE_FLOAT: Final = re.compile(r"^(\d+)\.0+$")
_PHONE: Final = re.compile(
    r"^(?:\+?86)?[-\s]?(?:1\d{10}|(?:0\d{2,3}[-\s]?)?\d{7,8}(?:[-转]\d{1,6})?|\d{3,5})$"
)


@dataclass(frozen=True)
class Parsed:
    """Values of one field, and why some could not be read or were changed."""

    column: pd.Series
    bad: NDArray[np.object_]
    """Shape (n,): empty text or the rule that the entry breaks."""
    changed: NDArray[np.object_]
    """Shape (n,): empty text or what was done to read it: ``text``, ``range``,
    ``code``, ``control``, ``serial``, ``error``, ``phone``, ``missing``."""


def plain(value: object) -> str:
    """Bring an entry into one alphabet, without blanks at its ends.

    Parameters
    ----------
    value
        The cell.

    Returns
    -------
    str
        Full-width forms as half-width; an empty text for a missing value.

    Examples
    --------
    >>> plain(" １２０人 "), plain(None)
    ('120人', '')
    """
    if value is None or value is pd.NA or value != value:
        return ""
    return unicodedata.normalize("NFKC", str(value)).strip()


def parse_unique(series: pd.Series, one: Callable[[Any], tuple[Any, str, str]]) -> Parsed:
    """Parse every different entry once and spread the answers over the rows.

    Parameters
    ----------
    series
        Shape (n,): the cells.
    one
        Gives value, rule broken, change made for one entry.

    Returns
    -------
    Parsed
        Values as objects.
    """
    if series.dtype == object:
        series = series.where(series.notna(), None)
        keys = series.map(lambda value: (type(value), value))
    else:
        keys = series
    codes, _ = pd.factorize(keys, use_na_sentinel=False)
    first = np.unique(codes, return_index=True)[1]
    entries = series.to_numpy(dtype=object)[first]
    answers = [one(entry) for entry in entries]
    columns = list(zip(*answers, strict=True)) if answers else [(), (), ()]
    values, bad, changed = (_objects(column)[codes] for column in columns)
    return Parsed(pd.Series(values, index=series.index, dtype=object), bad, changed)


def _objects(column: Any) -> NDArray[np.object_]:
    out = np.empty(len(column), dtype=object)
    out[:] = list(column)
    return out


def parse_text(series: pd.Series) -> Parsed:
    r"""Keep texts as they are, without control characters; numbers lose a needless ``.0``.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str, missing where blank. Markup, formulas and right-to-left marks are kept as text.

    Examples
    --------
    >>> parse_text(pd.Series(["=cmd|1", 12.0, "a\x07b", " "])).column.tolist()
    ['=cmd|1', '12', 'ab', nan]
    """
    return as_text(parse_unique(series, _text))


def as_text(parsed: Parsed) -> Parsed:
    """Turn parsed objects into pandas' text type.

    Parameters
    ----------
    parsed
        Values as objects.

    Returns
    -------
    Parsed
        Values str, missing where None.
    """
    return Parsed(parsed.column.astype("str"), parsed.bad, parsed.changed)


def _text(cell: object) -> tuple[Any, str, str]:
    if cell is None or cell is pd.NA or cell != cell:
        return None, "", ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)), "", ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00"), "", ""
    written = str(cell)
    clean = _CONTROL.sub("", written).strip()
    if clean.casefold() in EXCEL_ERRORS:
        return None, "", "error"
    return clean or None, "", "control" if clean != written.strip() else ""


def parse_codes(series: pd.Series) -> Parsed:
    """Read codes as text; a whole float gets its digits back, a rounded one is refused.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str.

    Examples
    --------
    >>> parsed = parse_codes(pd.Series(["370102000000.0", 370102000000.0, "3.70102E+11", "0101"]))
    >>> parsed.column.tolist(), parsed.bad.tolist()
    (['370102000000', '370102000000', nan, '0101'], ['', '', 'code_float', ''])
    """
    if pd.api.types.is_integer_dtype(series.dtype):
        nothing = np.full(len(series), "", dtype=object)
        return Parsed(series.astype("str"), nothing, nothing)
    return as_text(parse_unique(series, _code))


def _code(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, float) and cell == cell:
        if not cell.is_integer() or abs(cell) >= 2**53:
            return None, "code_float", ""
        return str(int(cell)), "", "code" if abs(cell) >= 1e11 else ""
    written = unicodedata.normalize("NFKC", str(cell)).strip() if isinstance(cell, str) else cell
    if isinstance(written, str):
        if written.casefold() in MISSING:
            return None, "", ""
        if _SCIENTIFIC.match(written):
            return None, "code_float", ""
        if match := WHOLE_FLOAT.match(written):
            return match[1], "", "code"
    return _text(written)


def parse_booleans(series: pd.Series) -> Parsed:
    """Read yes and no.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values of pandas' nullable boolean type.

    Examples
    --------
    >>> parse_booleans(pd.Series(["是", "无", "", "√", "也许"])).bad.tolist()
    ['', '', '', '', 'boolean']
    """
    parsed = parse_unique(series, _boolean)
    return Parsed(parsed.column.astype("boolean"), parsed.bad, parsed.changed)


def _boolean(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, (bool, np.bool_)):
        return bool(cell), "", ""
    entry = plain(cell).casefold()
    if entry in _YES:
        return True, "", ""
    if entry in _NO:
        return False, "", ""
    return pd.NA, "" if entry in MISSING else "boolean", ""


def parse_phones(series: pd.Series) -> Parsed:
    """Read phone numbers as text; several in one cell are allowed.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str; ``changed`` says ``phone`` where an entry does not look like one.
    """
    return as_text(parse_unique(series, _phone))


def _phone(cell: object) -> tuple[Any, str, str]:
    value, bad, changed = _text(cell)
    if value is None or value.casefold() in MISSING:
        return None, bad, changed
    parts = [part for part in re.split(r"[、,;/\s]+", plain(value)) if part]
    odd = not all(_PHONE.match(part) for part in parts)
    return value, bad, "phone" if odd else changed

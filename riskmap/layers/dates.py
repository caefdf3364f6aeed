"""Dates as people and Excel write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd

from riskmap.layers.values import (
    EXCEL_ERRORS,
    MISSING,
    WHOLE_FLOAT,
    Parsed,
    as_text,
    parse_unique,
    plain,
)

_DATE: Final = re.compile(r"^(\d{4})[-./年](\d{1,2})(?:[-./月](\d{1,2})日?)?(?:[ T].*)?月?$")
_PACKED_DATE: Final = re.compile(r"^(19|20)(\d{2})(\d{2})(\d{2})$")


def parse_dates(series: pd.Series) -> Parsed:
    """Read dates as ISO text, to the month where the day is not given.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str such as ``2024-06-30`` or ``2024-06``.

    Examples
    --------
    >>> parse_dates(pd.Series(["2024年6月30日", "2024.6", 45473.0, "六月"])).column.tolist()
    ['2024-06-30', '2024-06', '2024-06-30', nan]
    """
    return as_text(parse_unique(series, _date))


def _date(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, (datetime, pd.Timestamp)):
        return (None if cell != cell else cell.date().isoformat()), "", ""
    if isinstance(cell, date):
        return cell.isoformat(), "", ""
    entry = plain(cell)
    if entry.casefold() in MISSING or entry.casefold() in EXCEL_ERRORS:
        return None, "", ""
    entry = WHOLE_FLOAT.sub(r"\1", entry)
    if entry.isdigit() and 20000 <= int(entry) <= 70000:
        return (date(1899, 12, 30) + timedelta(days=int(entry))).isoformat(), "", "serial"
    if match := _PACKED_DATE.match(entry):
        parts: tuple[Any, ...] = (match[1] + match[2], match[3], match[4])
    elif match := _DATE.match(re.sub(r"\s*(年|月|日)\s*", r"\1", entry)):
        parts = match.groups()
    else:
        return None, "date", ""
    year, month, day = int(parts[0]), int(parts[1]), int(parts[2] or 1)
    try:
        whole = date(year, month, day).isoformat()
    except ValueError:
        return None, "date", ""
    return (whole if parts[2] else whole[:7]), "", ""

"""By when a measure must stand: days by level, never later than the start of the flood season."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from riskmap.presets.load import Presets


def season_start(data_date: date, place_code: str, presets: Presets) -> date:
    """Return the first day of the flood season in the year of a date.

    Parameters
    ----------
    data_date
        The date of the data.
    place_code
        Division code; its first two digits name the province.
    presets
        The run's presets.

    Returns
    -------
    date
        The start in the year of the date.

    Examples
    --------
    >>> from riskmap.presets.load import load_presets
    >>> season_start(date(2026, 3, 1), "330800", load_presets())
    datetime.date(2026, 4, 15)
    """
    starts = presets["flood.season_start"]
    month, day = str(starts.get(place_code[:2], starts["default"])).split("-")
    return date(data_date.year, int(month), int(day))


def deadlines(
    days: pd.Series[Any],
    own: pd.Series[Any],
    *,
    data_date: str,
    place_code: str,
    presets: Presets,
) -> pd.Series[Any]:
    """Give each item its date: its own where it has one, else by level, before the season.

    Parameters
    ----------
    days
        Days allowed by level.
    own
        Deadlines that the ledger itself names, ISO; blank where it names none.
    data_date
        Date of the data, ISO; empty gives blanks.
    place_code
        Division code.
    presets
        The run's presets.

    Returns
    -------
    Series of text
        ISO dates, or None where there is no date of the data.

    Examples
    --------
    >>> from riskmap.presets.load import load_presets
    >>> deadlines(
    ...     pd.Series([7, 60]),
    ...     pd.Series([None, None]),
    ...     data_date="2026-03-01",
    ...     place_code="33",
    ...     presets=load_presets(),
    ... ).tolist()
    ['2026-03-08', '2026-04-14']
    """
    due = pd.Series(None, index=days.index, dtype=object)
    if data_date:
        start = date.fromisoformat(data_date)
        last = season_start(start, place_code, presets) - timedelta(days=1)
        by_days = {
            int(n): start + timedelta(days=int(n))
            if last <= start
            else min(start + timedelta(days=int(n)), last)
            for n in days.unique()
        }
        due = days.astype(int).map({n: day.isoformat() for n, day in by_days.items()})
    named = own.notna() & (own.astype(str).str.strip() != "")
    shown = pd.to_datetime(own.where(named), errors="coerce").dt.strftime("%Y-%m-%d")
    return due.astype(object).where(~shown.notna(), shown)

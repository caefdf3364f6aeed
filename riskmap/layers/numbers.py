"""Quantities as people write them: numbers with units, words, ranges."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from riskmap.layers.values import EXCEL_ERRORS, MISSING, Parsed, parse_unique, plain
from riskmap.roles.headers import unit_factor, unit_of

_COUNTS: Final = ("person", "item", "household", "floor")
_ABOUT: Final = re.compile(r"^(约|大约|约为|近|将近|共|共计|≈|~|大概|最深|最大|达|可达)+")
_ROUGHLY: Final = re.compile(r"(左右|上下|多|余|许)+$")
_QUANTITY: Final = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)$", re.IGNORECASE)
_RANGE: Final = re.compile(
    r"^(\d+(?:\.\d+)?)\s*([^\d\s\-~至到]*)\s*[-~至到—–]+\s*(\d+(?:\.\d+)?)\s*(.*)$"
)
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")


def parse_numbers(
    series: pd.Series,
    *,
    unit: str | None,
    header_unit: str | None,
    upper: bool,
    whole: bool = False,
) -> Parsed:
    """Read numbers, with units and words where they are clear.

    Parameters
    ----------
    series
        Shape (n,): the cells.
    unit
        The unit wanted.
    header_unit
        The unit that the header or the project file names, or None.
    upper
        Take the upper end of a range (the unsafe one for a hazard), else the lower.
    whole
        True when only whole numbers are right.

    Returns
    -------
    Parsed
        Values float64 in the wanted unit, NaN where missing or bad.

    Examples
    --------
    >>> cells = pd.Series(["约200人", "１２", "", "30-50cm", "很多"])
    >>> parse_numbers(cells, unit="person", header_unit=None, upper=True).bad.tolist()
    ['', '', '', 'unit', 'type']
    >>> depth = parse_numbers(pd.Series(["30-50cm"]), unit="m", header_unit=None, upper=True)
    >>> depth.column.tolist()
    [0.5]
    """
    factor = 1.0
    if header_unit and unit:
        factor = unit_factor(header_unit, unit) or np.nan
    numbers = (
        pd.to_numeric(series, errors="coerce") if series.dtype != bool else series.astype(float)
    )
    quick = pd.Series(numbers, index=series.index).to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.where(np.isinf(quick), "type", "").astype(object)
    changed = np.full(len(series), "", dtype=object)
    values = np.where(np.isfinite(quick), quick * factor, np.nan)
    rest = np.flatnonzero(np.isnan(quick) & series.notna().to_numpy())
    if len(rest):
        slow = parse_unique(
            series.iloc[rest], lambda cell: _quantity(cell, unit, factor=factor, upper=upper)
        )
        values[rest] = slow.column.to_numpy(dtype=np.float64)
        bad[rest], changed[rest] = slow.bad, slow.changed
    if whole:
        values = np.where(np.abs(values - np.round(values)) < 1e-9, np.round(values), values)
        bad[(bad == "") & np.isfinite(values) & (values != np.round(values))] = "integer"
    values[bad != ""] = np.nan
    return Parsed(pd.Series(values, index=series.index), bad, changed)


def _quantity(
    cell: object, unit: str | None, *, factor: float, upper: bool
) -> tuple[float, str, str]:
    """Read one quantity written as text: value, rule broken, change made."""
    if isinstance(cell, (datetime, date, timedelta)):
        return np.nan, "type", ""
    entry = plain(cell).casefold()
    if entry in MISSING:
        return np.nan, "", "missing" if entry else ""
    if entry in EXCEL_ERRORS:
        return np.nan, "", "error"
    bare = _THOUSANDS.sub("", _ABOUT.sub("", entry)).strip()
    if match := _RANGE.match(bare):
        low, first, high, last = match.groups()
        scale = _scale(_ROUGHLY.sub("", last), unit, factor)
        other = _scale(first, unit, factor) if first else scale
        if scale is None or other is None:
            return np.nan, "unit", ""
        ends = float(low) * other, float(high) * scale
        return (max(ends) if upper else min(ends)), "", "range"
    match = _QUANTITY.match(_ROUGHLY.sub("", bare))
    if match is None:
        return np.nan, "type", ""
    number, rest = match.groups()
    scale = _scale(re.sub(r"^(多|余|来)+", "", _ROUGHLY.sub("", rest)), unit, factor)
    return (np.nan, "unit", "") if scale is None else (float(number) * scale, "", "text")


def _scale(written: str, unit: str | None, factor: float) -> float | None:
    """Return what a number with this unit text is multiplied by; None when it is not clear."""
    written = written.strip()
    if not written:
        return factor
    if written == "万":
        return factor * 1e4
    if unit is None:
        return factor if unit_of(written) in _COUNTS else None
    return unit_factor(written, unit)

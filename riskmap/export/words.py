"""How the columns of list and table are headed, filled, and how wide they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final

import pandas as pd

from riskmap import columns as c
from riskmap.export.tables import UNIT_LEVEL_NAMES
from riskmap.i18n import Text, text
from riskmap.result import Result
from riskmap.roles.grade import LEVEL_NAMES
from riskmap.roles.headers import unit_label


@dataclass(frozen=True)
class Column:
    """One printed column."""

    label: Text | str
    width: float = 12.0
    """Width in characters of the default font; a Chinese character takes two."""
    form: str = "text"
    """``text``, ``wrap``, ``middle``, ``integer``, ``number``, ``degree``, ``score``, ``class``."""
    printed: bool = True
    """False for columns that stand to the right of what is printed."""


COLUMNS: Final[Mapping[str, Column]] = {
    "rank": Column(text("No."), 5, "middle"),
    c.ITEM_ID: Column(text("Item id"), 14, "middle"),
    c.ROLE: Column(text("Kind"), 11, "wrap"),
    c.NAME: Column(text("Name"), 24, "wrap"),
    c.LEVEL: Column(text("Level"), 8, "class"),
    "score": Column(text("Score of the item"), 8, "score"),
    "town": Column(text("Town or street"), 13, "wrap"),
    "village": Column(text("Village or community"), 14, "wrap"),
    c.POPULATION: Column(text("Population"), 10, "integer"),
    "reason": Column(text("Reasons"), 46, "wrap"),
    "people": Column(text("People affected"), 9, "integer"),
    "duty_unit": Column(text("Duty unit"), 18, "wrap"),
    "person": Column(text("Responsible person"), 11, "wrap"),
    "phone": Column(text("Phone"), 13, "middle"),
    "measure": Column(text("Control measure"), 36, "wrap"),
    "deadline": Column(text("Deadline"), 11, "middle"),
    "status": Column(text("Status"), 9, "middle"),
    "missing": Column(text("Blank fields"), 18, "wrap"),
    "district": Column(text("District"), 12, printed=False),
    c.UNIT_ID: Column(text("Unit code"), 15, "middle", printed=False),
    "lon": Column(text("Longitude"), 12, "degree", printed=False),
    "lat": Column(text("Latitude"), 11, "degree", printed=False),
    "deadline_days": Column(text("Days allowed"), 9, "integer", printed=False),
    "remark": Column(text("Remark"), 20, "wrap"),
    "file": Column(text("File"), 34, "wrap"),
    "sheet": Column(text("Sheet"), 12),
    "row": Column(text("Row"), 7, "integer"),
    "field": Column(text("Field"), 14),
    "value": Column(text("Value as filled in"), 22, "wrap"),
    "rule": Column(text("Rule"), 20),
    "message": Column(text("What is wrong"), 36, "wrap"),
    "mend": Column(text("How to mend it"), 36, "wrap"),
    "severity": Column(text("Severity"), 10, "middle"),
    "rows_in": Column(text("Rows in"), 9, "integer"),
    "rows_used": Column(text("Rows used"), 9, "integer"),
    "rows_returned": Column(text("Rows returned"), 9, "integer"),
}
"""Columns that papers know; any other is headed by its own name."""

FORMS: Final[Mapping[str, tuple[float, str, bool]]] = {
    "note": (110, "wrap", True),
    "preset": (42, "wrap", True),
    "preset_value": (40, "wrap", True),
    "source": (46, "wrap", True),
    "preset_status": (10, "middle", True),
    "people_basis": (16, "wrap", False),
    "refuge_name": (16, "wrap", True),
    "refuge_m": (8, "integer", True),
    "station_name": (16, "wrap", True),
    "station_s": (8, "integer", True),
    "method": (12, "wrap", False),
    "unit_class": (8, "class", False),
    "unit_score": (8, "score", False),
    "emergency": (34, "wrap", False),
    "control_tier": (9, "middle", True),
    "patrol_days": (7, "middle", True),
    "report_hours": (7, "middle", True),
    "made_public": (7, "middle", True),
    "overdue": (7, "middle", True),
    "reported_at": (10, "middle", True),
    "spot_check": (10, "wrap", True),
    "reviewer": (9, "middle", True),
    "closed_on": (10, "middle", True),
    "listed": (8, "middle", True),
    "class_before": (10, "class", True),
    "class_after": (10, "class", True),
    "class_change": (9, "middle", True),
    "score_before": (9, "score", True),
    "score_after": (9, "score", True),
    "score_change": (9, "score", True),
    "rank_before": (9, "integer", True),
    "rank_after": (9, "integer", True),
    "cause": (16, "wrap", True),
    "depth_mean_m": (9, "score", True),
}
"""Width, form and whether it prints, of columns whose heading the table itself brings along."""

_SHARES: Final = (
    "bound_share", "gap", "covered_share", "covered_full_share", "overlap_share", "reached",
)  # fmt: skip
"""Columns of plans that hold shares of one."""
YES_NO: Final = (text("yes"), text("no"))


def column_of(
    name: str, values: pd.Series[Any], result: Result, labels: Mapping[str, Text]
) -> Column:
    """Find how a column is printed.

    Parameters
    ----------
    name
        The column's name.
    values
        The column's values, which decide the form of an unknown column.
    result
        The run's result, whose roles name their fields.
    labels
        Headings that the table brings along; they go before those that papers know.

    Returns
    -------
    Column
        Heading, width and form.
    """
    if name in COLUMNS:
        return replace(COLUMNS[name], label=labels.get(name, COLUMNS[name].label))
    if name in labels:
        width, form, printed = FORMS.get(name) or _labelled(name, values, str(labels[name]))
        return Column(labels[name], width, form, printed=printed)
    fields = [
        field for role in result.roles.values() for field in role.fields if field.name == name
    ]
    label = fields[0].label if fields else name
    if pd.api.types.is_bool_dtype(values.dtype):
        return Column(label, 9, "middle")
    if pd.api.types.is_numeric_dtype(values.dtype):
        whole = pd.api.types.is_integer_dtype(values.dtype)
        return Column(label, 11, "integer" if whole else "number")
    longest = int(values.dropna().astype(str).str.len().max() or 0) if len(values.dropna()) else 0
    return Column(label, 30, "wrap") if longest > 24 else Column(label, 16)


def _labelled(name: str, values: pd.Series[Any], label: str) -> tuple[float, str, bool]:
    """Choose width and form of a column of a plan by what stands in it; headings take two lines."""
    half = sum(2.0 if letter > "\u2e7f" else 1.1 for letter in label) / 2.0 + 2.5
    wide = min(max(10.0, half), 26.0)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        return (max(16.0, wide), "wrap", True)
    if name.startswith(("share", "twice_")) or name in _SHARES:
        return (wide, "percent", True)
    if name in ("lon", "lat"):
        return (11, "degree", True)
    whole = pd.api.types.is_integer_dtype(values.dtype) or bool((values.dropna() % 1 == 0).all())
    return (max(11.0, wide), "integer" if whole else "number", True)


def shown(name: str, value: Any, result: Result) -> Any:
    """Turn a stored value into what the paper says, in the current language.

    Parameters
    ----------
    name
        The column's name.
    value
        The stored value.
    result
        The run's result.

    Returns
    -------
    object
        A number, a text, or None for a blank.
    """
    if isinstance(value, list | tuple):
        return str(text("; ")).join(str(shown(name, part, result)) for part in value) or None
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if name == "unit":
        return str(unit_label(str(value)))
    if name == c.ROLE and value in result.roles:
        return str(result.roles[value].label)
    if name == c.LEVEL and isinstance(value, str):
        return str(UNIT_LEVEL_NAMES.get(value, value))
    if name in (c.LEVEL, "unit_class", "class_before", "class_after"):
        return str(LEVEL_NAMES[int(value)])
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(YES_NO[0] if value else YES_NO[1])
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, int | float) and isfinite(value) else str(value)

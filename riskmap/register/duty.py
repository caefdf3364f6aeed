"""Who is on duty for an item, what is to be done, and what the ledger leaves blank."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.layer import filled
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


KINDS: Final[Mapping[str, Label]] = {
    "now": Label("at once", zh="立即落实"),
    "season": Label("before the season", zh="汛前完成"),
    "works": Label("works", zh="工程措施"),
}
"""Kinds of measure: what can be done by when."""
_TOWN: Final = (("属地镇街", "Town or street office"), ("属地镇街", "Town office"))


def kinds(table: pd.DataFrame, presets: Presets) -> pd.Series[Any]:
    """Tell what kind of measure a row names itself; the role's own measures are done at once.

    Parameters
    ----------
    table
        Rows.
    presets
        Words of works and of measures before the season.

    Returns
    -------
    Series of Label
        One of `KINDS`.
    """
    own = filled(table, "measure")
    if own.isna().all():
        return pd.Series([KINDS["now"]] * len(table), index=table.index, dtype=object)
    words = {kind: presets[f"control.{kind}_words"] for kind in ("works", "season")}
    entries = []
    for value in own:
        said = "" if value is None else str(value)
        kind = next((k for k, known in words.items() if any(w in said for w in known)), "now")
        entries.append(KINDS[kind])
    return pd.Series(entries, index=table.index, dtype=object)


def duty_units(
    role: Role, table: pd.DataFrame, town: pd.Series[Any] | None = None
) -> pd.Series[Any]:
    """Return the unit on duty: the row's own, else the role's department, the town by its name.

    Parameters
    ----------
    role
        The role.
    table
        Its rows.
    town
        Name of the town of each row, where known.

    Returns
    -------
    Series
        Text as the ledger has it, or the role's label.
    """
    own = filled(table, "duty_unit")
    towns = [None] * len(table) if town is None else town.tolist()
    entries = [
        _department(role, name) if value is None else value
        for value, name in zip(own, towns, strict=True)
    ]
    return pd.Series(entries, index=table.index, dtype=object)


def _department(role: Role, town: object) -> Label:
    """Name the department; where it is the town's office, by the town's name."""
    unit = role.duty_unit
    if not isinstance(town, str) or not town.strip() or "属地镇街" not in unit.zh:
        return unit
    english = unit.msgid
    for _, word in _TOWN:
        english = english.replace(word, town)
    return Label(english, zh=unit.zh.replace("属地镇街", town))


def measures(
    role: Role,
    table: pd.DataFrame,
    levels: pd.Series[Any],
    kind: pd.Series[Any] | None = None,
) -> pd.Series[Any]:
    """Return the measure: the row's own, else the role's for the level.

    Parameters
    ----------
    role
        The role, whose file holds a measure for each level.
    table
        Its rows.
    levels
        Level per row, 0 unknown.
    kind
        Kind of the row's own measure; works are not done at once, so the role's measure holds
        until they are.

    Returns
    -------
    Series
        Text as the ledger has it, or the role's label; for level 0, to grade it first.
    """
    first = text("grade it first: fill in the blank fields, then set the measure")
    known = role.measures or {}
    nearest: dict[int, Text] = {0: first}
    for level in (1, 2, 3, 4):
        above = [known[other] for other in (level, 4, 3, 2, 1) if other >= level and other in known]
        nearest[level] = above[0] if above else first
    own = filled(table, "measure")
    works = [False] * len(table) if kind is None else [one == KINDS["works"] for one in kind]
    entries = []
    for value, level, late in zip(own, levels.fillna(0), works, strict=True):
        until = nearest[int(level)]
        if value is None:
            entries.append(until)
        elif late and int(level):
            entries.append(text("{works}; until then: {measure}", works=value, measure=until))
        else:
            entries.append(value)
    return pd.Series(entries, index=table.index, dtype=object)


def blanks(role: Role, table: pd.DataFrame) -> pd.Series[Any]:
    """List, per row, the blank fields that a leader would ask for.

    Parameters
    ----------
    role
        The role, whose file names the fields asked for.
    table
        Its rows.

    Returns
    -------
    Series of list of Text
        Labels of the blank fields.
    """
    labels = {name: field.label for name in role.asked if (field := role.field(name)) is not None}
    empty = pd.DataFrame({name: filled(table, name).isna() for name in labels}, index=table.index)
    named = list(labels.values())
    entries = [
        [label for label, gone in zip(named, row, strict=True) if gone]
        for row in empty.to_numpy(dtype=bool).tolist()
    ]
    return pd.Series(entries, index=table.index, dtype=object)


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
    >>> from riskmap.vocabulary.presets import load_presets
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
    works: pd.Series[Any] | None = None,
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
    works
        True where the measure is works, which no season cuts short.

    Returns
    -------
    Series of text
        ISO dates, or None where there is no date of the data.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
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
        if works is not None and works.astype(bool).any():
            long = days.astype(int).map(lambda n: (start + timedelta(days=n)).isoformat())
            due = due.astype(object).mask(works.astype(bool), long)
    named = own.notna() & (own.astype(str).str.strip() != "")
    shown = pd.to_datetime(own.where(named), errors="coerce").dt.strftime("%Y-%m-%d")
    return due.astype(object).where(~shown.notna(), shown)

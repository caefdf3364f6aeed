"""Who is on duty for an item, what is to be done, and what the ledger leaves blank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from riskmap.roles.load import Role


def filled(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column as objects with None for blanks, also where the column is missing.

    Parameters
    ----------
    table
        Rows.
    name
        Name of the column.

    Returns
    -------
    Series
        The entries; None where blank.

    Examples
    --------
    >>> filled(pd.DataFrame({"name": ["a", " ", None]}), "name").tolist()
    ['a', None, None]
    """
    if name not in table.columns:
        return pd.Series([None] * len(table), index=table.index, dtype=object)
    column = table[name].astype(object)
    there = column.notna() & (column.astype(str).str.strip() != "")
    entries = [value if ok else None for value, ok in zip(column, there, strict=True)]
    return pd.Series(entries, index=table.index, dtype=object)


def duty_units(role: Role, table: pd.DataFrame) -> pd.Series[Any]:
    """Return the unit on duty: the row's own, else the role's department.

    Parameters
    ----------
    role
        The role.
    table
        Its rows.

    Returns
    -------
    Series
        Text as the ledger has it, or the role's label.
    """
    own = filled(table, "duty_unit")
    entries = [role.duty_unit if value is None else value for value in own]
    return pd.Series(entries, index=table.index, dtype=object)


def measures(role: Role, table: pd.DataFrame, levels: pd.Series[Any]) -> pd.Series[Any]:
    """Return the measure: the row's own, else the role's for the level.

    Parameters
    ----------
    role
        The role, whose file holds a measure for each level.
    table
        Its rows.
    levels
        Level per row, 0 unknown.

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
    entries = [
        nearest[int(level)] if value is None else value
        for value, level in zip(own, levels.fillna(0), strict=True)
    ]
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

"""Attribute tables of a GeoPackage, many in one transaction, as GDAL would write them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap.errors import ExportError
from riskmap.i18n import text

_TYPES: Final = {
    "boolean": "BOOLEAN", "Int32": "MEDIUMINT", "Int64": "INTEGER", "float64": "REAL",
    "string": "TEXT",
}  # fmt: skip
"""Type of a tidy column to the type in the GeoPackage, Table 1 of the standard."""


def plain_columns(frame: pd.DataFrame) -> bool:
    """Tell whether a table holds only yes and no, numbers and texts.

    Parameters
    ----------
    frame
        A table.

    Returns
    -------
    bool
        False when it has a date or anything else that GDAL is to write.

    Examples
    --------
    >>> plain_columns(pd.DataFrame({"n": pd.array([1], "Int32")}))
    True
    """
    return all(dtype.name in _TYPES for dtype in frame.dtypes)


def write_attributes(
    path: Path, sheets: Sequence[tuple[str, str, str, pd.DataFrame]], *, moment: str
) -> None:
    """Add tables without geometry to a GeoPackage in one transaction.

    GDAL reads the whole file's contents anew for every table that is added. The statements are
    those of GDAL, with the counts that it keeps beside the standard's tables.

    Parameters
    ----------
    path
        The GeoPackage, closed.
    sheets
        Table name, identifier, description and rows, whose columns `plain_columns` holds for.
    moment
        Time of change, as the standard writes it.

    Raises
    ------
    ExportError
        When a table cannot be written; names it.

    References
    ----------
    OGC 12-128r17, GeoPackage Encoding Standard 1.3, 2.4 Attributes.
    """
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA synchronous = OFF")  # the folder is flushed once, as a whole
        with base:
            base.execute("BEGIN")  # Python would begin only after the first table is made
            for name, identifier, description, frame in sheets:
                try:
                    _add(base, name, frame)
                    row = (name, identifier, description, moment)
                    base.execute(
                        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description,"
                        " last_change, srs_id) VALUES (?, 'attributes', ?, ?, ?, 0)",
                        row,
                    )
                    base.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (name, len(frame)))
                except sqlite3.Error as error:
                    said = text("table {name} cannot be written: {error}", name=name, error=error)
                    raise ExportError(said) from error


def _add(base: sqlite3.Connection, name: str, frame: pd.DataFrame) -> None:
    """Create a table, fill it, and let its rows be counted from now on."""
    fields = ["fid", *map(str, frame.columns)]
    kinds = [_TYPES[dtype.name] for dtype in frame.dtypes]
    shown = "".join(
        f", {_quoted(field)} {kind}" for field, kind in zip(fields[1:], kinds, strict=True)
    )
    base.execute(
        f'CREATE TABLE {_quoted(name)} ( "fid" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL{shown})'
    )
    columns = [_values(frame.iloc[:, place]) for place in range(len(frame.columns))]
    marks = ", ".join("?" * len(fields))
    rows = zip(range(1, len(frame) + 1), *columns, strict=True)
    base.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)  # noqa: S608
    said = "'" + name.replace("'", "''") + "'"
    for event, sign in (("insert", "+"), ("delete", "-")):
        trigger = _quoted(f"trigger_{event}_feature_count_{name}")
        count = f"UPDATE gpkg_ogr_contents SET feature_count = feature_count {sign} 1"  # noqa: S608
        base.execute(
            f"CREATE TRIGGER {trigger} AFTER {event.upper()} ON {_quoted(name)} BEGIN {count} "
            f"WHERE lower(table_name) = lower({said}); END"
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _values(column: pd.Series[Any]) -> list[Any]:
    """Give a column's values as Python's own, None where there is none; SQLite keeps no NaN."""
    if column.dtype == "float64":
        return column.tolist()
    found: list[Any] = column.array.to_numpy(dtype=object, na_value=None).tolist()
    return found

"""Rows as the office wrote them, kept for those of which something is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.layers.check.findings import shown_value
from riskmap.layers.layer import Written

if TYPE_CHECKING:
    from riskmap.errors import Problem
    from riskmap.layers.layer import Rows

MOST_ROWS: Final = 2000
"""Rows kept of one file; more than that is no list to mend by hand."""
_MOST_COLUMNS: Final = 60


def written_rows(
    rows: Rows, problems: Iterable[Problem], columns: Mapping[str, str]
) -> Written | None:
    """Keep the returned rows of a source as they were handed in.

    Parameters
    ----------
    rows
        What stands in the file.
    problems
        What is said of its rows.
    columns
        Field to the heading of its column.

    Returns
    -------
    Written or None
        None when no row is returned.
    """
    told = {p.row for p in problems if p.severity == "returned" and p.row is not None}
    if not told:
        return None
    places = np.flatnonzero(np.isin(rows.row, np.fromiter(told, np.int64, len(told))))[:MOST_ROWS]
    table = rows.table.iloc[places, :_MOST_COLUMNS]
    cells = {
        int(rows.row[place]): tuple("" if _blank(value) else shown_value(value) for value in values)
        for place, values in zip(places, table.itertuples(index=False, name=None), strict=True)
    }
    return Written(tuple(map(str, table.columns)), cells, dict(columns))


def _blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value

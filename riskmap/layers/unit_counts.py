"""How many rows of units each file gave, and how many are used or returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmap.layers.types import Source

if TYPE_CHECKING:
    import pandas as pd

    from riskmap.layers.types import Rows, UnitSpec

__all__ = ["unit_sources"]


def unit_sources(
    read: Sequence[tuple[UnitSpec, Rows, int]], kept: pd.Series[Any], used: pd.Series[Any]
) -> tuple[Source, ...]:
    """Count the rows of units by file and sheet.

    Parameters
    ----------
    read
        What was read, with the number of rows returned by the checks of the row alone.
    kept
        Place in ``read`` of every row that passed those checks.
    used
        The same of every row that is used; the others repeat one and are returned.

    Returns
    -------
    tuple of Source
        One a file and sheet.
    """
    return tuple(
        Source(
            shown=spec.shown,
            path=spec.path,
            sheet=rows.sheet,
            encoding=rows.encoding,
            crs="" if rows.geometry is None else str(rows.geometry.crs or ""),
            datum="",
            rows_in=len(rows.table),
            rows_used=int((used == place).sum()),
            rows_returned=bad + int((kept == place).sum()) - int((used == place).sum()),
        )
        for place, (spec, rows, bad) in enumerate(read)
    )

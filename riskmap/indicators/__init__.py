"""Indicators on the grid and on units."""

from pathlib import Path


def shipped_tables() -> frozenset[str]:
    """Name the indicator tables that come with riskmap.

    Returns
    -------
    frozenset of str
        Their names, such as ``flood_season``.
    """
    return frozenset(file.stem for file in Path(__file__).parent.glob("*.csv"))

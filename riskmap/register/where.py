"""Where an item lies: its unit, village, town, district and coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap import columns as c
from riskmap.geo.points import unit_of_points
from riskmap.register.duty import filled

if TYPE_CHECKING:
    import geopandas as gpd


def places(table: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Find unit, village, town, district, longitude and latitude of each row.

    The units win over what the ledger says, so that list and map agree; the ledger's words stand
    where no unit holds the item.

    Parameters
    ----------
    table
        Rows of any geometry, in the units' CRS.
    units
        Units of all levels, or None.

    Returns
    -------
    DataFrame
        Columns unit_id, village, town, district, lon [deg], lat [deg]; the table's index.
    """
    points = table.geometry.representative_point()
    rows = pd.DataFrame(index=table.index)
    rows[c.UNIT_ID] = _unit_ids(points, units)
    found = rows[c.UNIT_ID] != ""
    for name, level in (("village", "village"), ("town", "town"), ("district", "district")):
        own = filled(table, name)
        entries = _names(rows[c.UNIT_ID], units, name, level)
        rows[name] = entries.where(found & entries.notna(), own)
    degrees = points.to_crs(c.WGS84) if points.crs is not None else points
    rows["lon"] = np.round(degrees.x.to_numpy(), 6)
    rows["lat"] = np.round(degrees.y.to_numpy(), 6)
    return rows


def _unit_ids(points: gpd.GeoSeries, units: gpd.GeoDataFrame | None) -> pd.Series[str]:
    if units is None or not len(units):
        return pd.Series("", index=points.index, dtype=object)
    there = points if units.crs is None or points.crs is None else points.to_crs(units.crs)
    return pd.Series(unit_of_points(there, units), index=points.index, dtype=object)


def _names(
    codes: pd.Series[str], units: gpd.GeoDataFrame | None, column: str, level: str
) -> pd.Series[str]:
    """Return the name at a level: the unit's own when it is of that level, else its column."""
    if units is None or not len(units):
        return pd.Series(None, index=codes.index, dtype=object)
    names = filled(units, c.NAME)
    above = filled(units, column)
    same = units[c.LEVEL].astype(str).to_numpy() == level
    if level == "village":
        same |= ~units[c.LEVEL].isin(["village", "town", "district"]).to_numpy()
    shown = above.where(~same, names)
    return codes.map(dict(zip(units.index.astype(str), shown, strict=True))).astype(object)

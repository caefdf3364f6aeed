"""Projected coordinates in columns: zones, axes, prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from riskmap.columns import WGS84
from riskmap.i18n import Text, text
from riskmap.layers.findings import Findings, unusable
from riskmap.layers.locate import (
    REASONS,
    Located,
    crs_name,
    declared_crs,
    declared_datum,
    say_old_datum,
)
from riskmap.layers.numbers import parse_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.layers.types import LayerSpec


def _zone(crs: CRS) -> int | None:
    """Return the 3-degree zone number of a Gauss-Krueger CRS without zone prefix."""
    operation = crs.coordinate_operation
    if operation is None:
        return None
    named = {parameter.name: parameter.value for parameter in operation.params}
    middle = named.get("Longitude of natural origin")
    if middle is None or float(named.get("False easting") or 0.0) != 500000.0:
        return None
    return round(float(middle) / 3.0)


def as_metres(cells: pd.Series) -> NDArray[np.float64]:
    """Read a column of projected coordinates.

    Parameters
    ----------
    cells
        Shape (n,): the cells.

    Returns
    -------
    ndarray
        Shape (n,) [m]; NaN where there is no number.

    Examples
    --------
    >>> as_metres(pd.Series(["4078110.6", "616693.4米", ""])).tolist()
    [4078110.6, 616693.4, nan]
    """
    parsed = parse_numbers(cells, unit="m", header_unit=None, upper=True)
    return np.asarray(parsed.column, dtype=np.float64)


def from_metres(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    columns: tuple[str, str],
    table: pd.DataFrame,
    spec: LayerSpec,
    findings: Findings,
) -> Located:
    """Make points out of two columns of metres.

    Parameters
    ----------
    first, second
        Shape (n,): the columns [m], easting and northing in whichever order.
    columns
        Their names.
    table
        Shape (n, columns): the cells, for the messages.
    spec
        Its ``crs`` must be declared.
    findings
        Takes the rows that have no good coordinates.

    Returns
    -------
    Located
        The points.

    Raises
    ------
    LayerError
        When no CRS is declared, or a datum that has degrees only.
    """
    if spec.crs is None:
        raise unusable(
            "projected_without_crs",
            text(
                "the columns {columns} hold metres but the coordinate system is not declared",
                columns="、".join(columns),
            ),
            _zone_hint(first, second),
        )
    crs = declared_crs(spec.crs)
    if declared_datum(spec) in ("gcj02", "bd09"):
        raise unusable(
            "datum_of_metres",
            text("{datum} has degrees, but the columns hold metres", datum=spec.datum),
            text("take the datum out of the project file"),
        )
    cells = table[columns[0]].to_numpy(dtype=object)
    east, north = _axes(first, second)
    prefix = np.where(
        np.isfinite(east) & (np.abs(east) >= 1e7), np.floor(np.nan_to_num(east) / 1e6), 0.0
    )
    zone = _zone(crs)
    strange = (prefix > 0) & (zone is not None) & (prefix != (zone or 0))
    findings.returned(
        strange,
        "zone_prefix",
        text("the zone number before the easting is not that of {crs}", crs=crs_name(crs)),
        text("check the zone, or declare the coordinate system with the zone number"),
        field=columns[0],
        values=cells,
    )
    if zone is not None:
        findings.noted(
            (prefix > 0) & ~strange,
            "zone_prefix_cut",
            text("the zone number before the easting was cut off"),
            text("nothing to do"),
            field=columns[0],
            values=cells,
        )
        east = np.where(prefix > 0, east - prefix * 1e6, east)
    good = np.isfinite(east) & np.isfinite(north)
    findings.returned(
        ~good,
        "coordinate_empty",
        text(REASONS["empty"][0]),
        text("fill in both coordinates"),
        field=columns[0],
        values=cells,
    )
    zero = good & (east == 0.0) & (north == 0.0)
    findings.returned(
        zero,
        "zero",
        text("both coordinates are zero"),
        text("fill in both coordinates"),
        field=columns[0],
        values=cells,
    )
    use = good & ~strange & ~zero
    points = np.where(
        use, shapely.points(np.where(use, east, 0.0), np.where(use, north, 0.0)), None
    )
    degrees = gpd.GeoSeries(points, crs=crs).to_crs(WGS84)
    say_old_datum(crs, crs_name(crs), findings)
    return Located(degrees, crs_name(crs), f"{crs_name(crs)}>{WGS84}", crs_name(crs), spec.datum)


def _axes(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell easting from northing: Chinese sheets call the northing X."""
    one, two = np.nanmedian(np.abs(first)), np.nanmedian(np.abs(second))
    northing_first = 1.5e6 < one < 6.5e6 and (two < 1.2e6 or two > 1e7)
    return (second, first) if northing_first else (first, second)


def _zone_hint(first: NDArray[np.float64], second: NDArray[np.float64]) -> Text:
    east, _ = _axes(first, second)
    middle = float(np.nanmedian(east))
    number = int(middle // 1e6)
    if 25 <= number <= 45:
        return text(
            "declare it; with zone number {zone} it would be crs: EPSG:{code} in CGCS2000",
            zone=number,
            code=4513 + number - 25,
        )
    return text("declare it in the project file, such as crs: EPSG:4548")

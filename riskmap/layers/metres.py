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
from riskmap.layers.angles import REASONS
from riskmap.layers.findings import Findings, unusable
from riskmap.layers.locate import (
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
    crs = _declared(first, second, columns, spec)
    cells = table[columns[0]].to_numpy(dtype=object)
    east, north = _axes(first, second)
    east, strange = _without_zone(east, crs, columns[0], cells, findings)
    good = np.isfinite(east) & np.isfinite(north)
    zero = good & (east == 0.0) & (north == 0.0)
    missing, both_zero = text(REASONS["empty"][0]), text("both coordinates are zero")
    mend = text("fill in both coordinates")
    findings.returned(~good, "coordinate_empty", missing, mend, field=columns[0], values=cells)
    findings.returned(zero, "zero", both_zero, mend, field=columns[0], values=cells)
    use = good & ~strange & ~zero
    points = shapely.points(np.where(use, east, 0.0), np.where(use, north, 0.0))
    degrees = gpd.GeoSeries(np.where(use, points, None), crs=crs).to_crs(WGS84)
    name = crs_name(crs)
    say_old_datum(crs, name, findings)
    return Located(degrees, name, f"{name}>{WGS84}", name, spec.datum)


def _without_zone(
    east: NDArray[np.float64],
    crs: CRS,
    column: str,
    cells: NDArray[np.object_],
    findings: Findings,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cut the zone number before eastings where the CRS has none; return wrong ones."""
    large = np.isfinite(east) & (np.abs(east) >= 1e7)
    prefix = np.where(large, np.floor(np.nan_to_num(east) / 1e6), 0.0)
    zone = _zone(crs)
    if zone is None:
        return east, np.zeros(len(east), dtype=bool)
    strange = large & (prefix != zone)
    findings.returned(
        strange,
        "zone_prefix",
        text("the zone number before the easting is not that of {crs}", crs=crs_name(crs)),
        text("check the zone, or declare the coordinate system with the zone number"),
        field=column,
        values=cells,
    )
    findings.noted(
        large & ~strange,
        "zone_prefix_cut",
        text("the zone number before the easting was cut off"),
        text("nothing to do"),
        field=column,
        values=cells,
    )
    return east - prefix * 1e6, strange


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


def _declared(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    columns: tuple[str, str],
    spec: LayerSpec,
) -> CRS:
    """Return the CRS that metres need, or say that it is not declared."""
    if spec.crs is None:
        raise unusable(
            "projected_without_crs",
            text(
                "the columns {columns} hold metres but the coordinate system is not declared",
                columns="、".join(columns),
            ),
            _zone_hint(first, second),
        )
    if declared_datum(spec) in ("gcj02", "bd09"):
        raise unusable(
            "datum_of_metres",
            text("{datum} has degrees, but the columns hold metres", datum=spec.datum),
            text("take the datum out of the project file"),
        )
    crs = declared_crs(spec.crs)
    if not crs.is_projected:
        raise unusable(
            "metres_not_degrees",
            text("{crs} is declared but the columns hold metres", crs=crs_name(crs)),
            text("declare a projected coordinate system, such as crs: EPSG:4548"),
        )
    return crs

"""Points out of coordinate columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from riskmap.columns import WGS84
from riskmap.i18n import text
from riskmap.layers.angles import REASONS, Angles, parse_angle, parse_pairs
from riskmap.layers.coords import to_wgs84
from riskmap.layers.datum_words import datum_of_columns
from riskmap.layers.findings import Findings, shown_value, unusable
from riskmap.layers.locate import (
    Located,
    crs_name,
    declared_crs,
    declared_datum,
    locate_shapes,
)
from riskmap.layers.metres import as_metres, from_metres

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.layers.types import LayerSpec


def locate_table(
    table: pd.DataFrame,
    found: dict[str, tuple[str, str | None]],
    spec: LayerSpec,
    findings: Findings,
) -> Located:
    """Make points, or shapes from WKT, out of coordinate columns.

    Parameters
    ----------
    table
        Shape (n, columns): the cells.
    found
        Field to column and unit.
    spec
        Its ``crs`` and ``datum`` as declared.
    findings
        Takes the rows that have no good coordinates.

    Returns
    -------
    Located
        The geometries.

    Raises
    ------
    LayerError
        When there is no coordinate column, or projected coordinates without a CRS.
    """
    datum = declared_datum(spec)
    if "wkt" in found and "lon" not in found:
        return _from_wkt(table, found["wkt"][0], spec, findings)
    pairs = [("easting", "northing"), ("lon", "lat")]
    for east, north in pairs:
        if east in found and north in found:
            column_e, column_n = found[east][0], found[north][0]
            numbers = [as_metres(table[column]) for column in (column_e, column_n)]
            if east == "easting" or _are_metres(*numbers):
                return from_metres(
                    numbers[0], numbers[1], (column_e, column_n), table, spec, findings
                )
            lon = parse_angle(table[column_e].tolist(), axis="lon")
            lat = parse_angle(table[column_n].tolist(), axis="lat")
            datum = datum_of_columns((column_e, column_n), datum, findings)
            return _from_angles(lon, lat, (column_e, column_n), table, datum, spec, findings)
    if "lonlat" in found:
        column = found["lonlat"][0]
        lat_first = re.match(r"^(纬|lat|北纬)", column.strip(), re.IGNORECASE) is not None
        lon, lat = parse_pairs(table[column].tolist(), lat_first=lat_first)
        datum = datum_of_columns((column, column), datum, findings)
        return _from_angles(lon, lat, (column, column), table, datum, spec, findings)
    raise unusable(
        "no_coordinates",
        text("no columns of longitude and latitude were found"),
        text("name them 经度 and 纬度, or name them under fields: in the project file"),
        value=", ".join(map(str, table.columns[:12])),
    )


def _are_metres(one: NDArray[np.float64], two: NDArray[np.float64]) -> bool:
    """Tell projected coordinates from degrees by the middle value of the columns."""
    known = np.concatenate([one[np.isfinite(one)], two[np.isfinite(two)]])
    return len(known) > 0 and bool(np.median(np.abs(known)) > 1000.0)


def _from_wkt(table: pd.DataFrame, column: str, spec: LayerSpec, findings: Findings) -> Located:
    cells = table[column].to_numpy(dtype=object)
    texts = np.array([cell if isinstance(cell, str) else None for cell in cells], dtype=object)
    shapes = shapely.from_wkt(texts, on_invalid="ignore")
    findings.returned(
        shapely.is_missing(shapes),
        "coordinate_unreadable",
        text("this geometry cannot be read"),
        text("write it as WKT, such as POINT (118.308 36.827)"),
        field=column,
        values=cells,
    )
    return locate_shapes(
        gpd.GeoSeries(shapes, crs=WGS84 if spec.datum != "auto" else None), spec, findings
    )


def _from_angles(
    lon: Angles,
    lat: Angles,
    columns: tuple[str, str],
    table: pd.DataFrame,
    datum: str,
    spec: LayerSpec,
    findings: Findings,
) -> Located:
    crs = declared_crs(spec.crs) if spec.crs else CRS.from_epsg(4326)
    if not crs.is_geographic:
        raise unusable(
            "degrees_not_metres",
            text("{crs} is declared but the columns hold degrees", crs=crs_name(crs)),
            text("take crs out of the project file, or give metres"),
        )
    good = _say_reasons(
        lon, lat, columns, [table[c].to_numpy(dtype=object) for c in columns], findings
    )
    x, y = to_wgs84(lon.degrees, lat.degrees, datum="wgs84" if datum == "auto" else datum)
    points = shapely.points(np.where(good, x, np.nan), np.where(good, y, np.nan))
    points = np.where(good, points, None)
    source = (
        crs_name(crs) if datum == "auto" and spec.crs else ("wgs84" if datum == "auto" else datum)
    )
    series = gpd.GeoSeries(points, crs=crs if datum == "auto" else WGS84).to_crs(WGS84)
    method = f"{datum}>wgs84 iterative" if datum in ("gcj02", "bd09") else "as_given"
    return Located(series, source, method, crs_name(crs), datum)


def _say_reasons(
    lon: Angles, lat: Angles, columns: tuple[str, str], cells: list[Any], findings: Findings
) -> NDArray[np.bool_]:
    """Return the rows whose angles cannot be used; the mask of the others comes back."""
    swapped = (
        (lat.reason == "range") & (np.abs(lat.degrees) <= 180.0) & (np.abs(lon.degrees) <= 90.0)
    )
    swapped |= (lon.reason == "hemisphere") & (lat.reason == "hemisphere")
    findings.returned(
        swapped,
        "swapped",
        text("longitude and latitude are swapped"),
        text("put them into each other's column"),
        field=columns[1],
        values=cells[1],
    )
    for rule, (message, mend) in REASONS.items():
        first = (lon.reason == rule) & ~swapped
        second = (lat.reason == rule) & ~swapped
        if columns[0] == columns[1] or rule == "empty":
            first, second = first | second, np.zeros_like(second)
        for mask, side in ((first, 0), (second, 1)):
            findings.returned(
                mask,
                f"coordinate_{rule}",
                text(message),
                text(mend),
                field=columns[side],
                values=cells[side],
            )
    good = (lon.reason == "") & (lat.reason == "")
    zero = good & (np.abs(lon.degrees) < 1e-9) & (np.abs(lat.degrees) < 1e-9)
    findings.returned(
        zero,
        "zero",
        text("both coordinates are zero"),
        text("fill in longitude and latitude"),
        field=columns[0],
        values=cells[0],
    )
    findings.noted(
        good & ~zero & lon.coarse & lat.coarse,
        "coarse",
        text("coordinates have fewer than four decimals and may be 11 m off or more"),
        text("give six decimals"),
        field=columns[0],
        values=cells[0],
    )
    fine = good & ~zero & ~lon.coarse & ~lat.coarse
    if _may_be_packed(lon.degrees[fine]) and _may_be_packed(lat.degrees[fine]):
        findings.note(
            "packed_dms",
            text("these may be degrees, minutes and seconds written as DDD.MMSS; read as degrees"),
            text("check one place on a map; write 118°18′28.8″ or decimal degrees"),
            field=columns[0],
            value=shown_value(cells[0][np.flatnonzero(fine)[0]]),
        )
    return np.asarray(good & ~zero)


def _may_be_packed(degrees: NDArray[np.float64]) -> bool:
    """Tell whether all decimals could be minutes and seconds; by chance that is 0.36 to the n."""
    hundredths = np.abs(degrees) % 1.0 * 100.0 + 1e-7
    seconds = hundredths % 1.0 * 100.0
    return len(degrees) >= 10 and bool(((hundredths < 60.0) & (seconds < 60.0)).all())

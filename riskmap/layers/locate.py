"""Where the rows lie: from coordinate columns or geometries to WGS-84."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError

from riskmap.columns import WGS84
from riskmap.i18n import Text, text
from riskmap.layers.coords import DATUMS, Angles, parse_angle, parse_pairs, to_wgs84
from riskmap.layers.findings import Findings, unusable
from riskmap.layers.values import parse_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.layers.types import LayerSpec

_REASONS: Final[dict[str, tuple[str, str]]] = {
    "unreadable": ("this coordinate cannot be read", "write decimal degrees such as 118.308120"),
    "minutes": ("the minutes are 60 or more", "check degrees, minutes and seconds"),
    "seconds": ("the seconds are 60 or more", "check degrees, minutes and seconds"),
    "hemisphere": (
        "the letter or word for the direction does not fit this column",
        "longitude and latitude may stand in each other's column",
    ),
    "range": (
        "this cannot be an angle on the earth",
        "check whether longitude and latitude are swapped",
    ),
    "empty": ("the coordinate is missing", "fill in longitude and latitude"),
}


@dataclass(frozen=True)
class Located:
    """Geometries in WGS-84 and how they were come by."""

    geometry: gpd.GeoSeries
    """Shape (n,), EPSG:4326; None where there is none."""
    source: str
    """The datum or CRS in which the file has them."""
    method: str
    """How they were brought to WGS-84."""
    crs: str
    """The file's CRS as text."""
    datum: str


def _crs(name: str) -> CRS:
    try:
        return CRS.from_user_input(name)
    except ProjError as error:
        raise unusable(
            "unknown_crs",
            text("the coordinate system {crs} is not known", crs=name),
            text("write an EPSG code, such as EPSG:4548"),
        ) from error


def crs_name(crs: CRS) -> str:
    """Return the shortest name of a CRS.

    Parameters
    ----------
    crs
        The CRS.

    Returns
    -------
    str
        Such as ``EPSG:4548``, or its own name.

    Examples
    --------
    >>> crs_name(CRS.from_epsg(4548))
    'EPSG:4548'
    """
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.name)


def _datum(spec: Any) -> str:
    if spec.datum not in ("auto", *DATUMS):
        raise unusable(
            "unknown_datum",
            text("the datum {datum} is not known", datum=spec.datum),
            text("write one of: {names}", names=", ".join(("auto", *DATUMS))),
        )
    return str(spec.datum)


def locate_shapes(shapes: gpd.GeoSeries, spec: Any, findings: Findings) -> Located:
    """Bring geometries of a vector file to WGS-84.

    Parameters
    ----------
    shapes
        Shape (n,): in the file's CRS.
    spec
        Its ``crs`` and ``datum`` as declared.
    findings
        Takes notes.

    Returns
    -------
    Located
        The geometries.

    Raises
    ------
    LayerError
        When the CRS is missing and cannot be longitude and latitude.
    """
    datum = _datum(spec)
    declared = _crs(spec.crs) if spec.crs else None
    own = CRS.from_user_input(shapes.crs) if shapes.crs is not None else None
    crs = declared or own
    if (
        declared is not None
        and own is not None
        and not declared.equals(own, ignore_axis_order=True)
    ):
        findings.note(
            "crs_replaced",
            text(
                "the file says {own}; {declared} was taken as declared",
                own=crs_name(own),
                declared=crs_name(declared),
            ),
            text("take the declaration out if the file is right"),
        )
    if crs is None:
        west, south, east, north = shapes.total_bounds if len(shapes) else (0.0, 0.0, 0.0, 0.0)
        if not (west >= -180.0 and east <= 180.0 and south >= -90.0 and north <= 90.0):
            raise unusable(
                "no_crs",
                text("the layer does not say its coordinate system and does not hold degrees"),
                text("declare it in the project file, such as crs: EPSG:4548"),
            )
        crs = CRS.from_user_input(WGS84)
        if datum == "auto":
            findings.note(
                "crs_assumed",
                text(
                    "the layer does not say its coordinate system; degrees in WGS-84 were assumed"
                ),
                text("declare crs or datum in the project file"),
            )
    name = crs_name(crs)
    shapes = gpd.GeoSeries(shapely.force_2d(shapes.to_numpy()), crs=crs)
    degrees = (
        shapes if crs.equals(CRS.from_epsg(4326), ignore_axis_order=True) else shapes.to_crs(WGS84)
    )
    _say_old_datum(crs, name, findings)
    method = "as_given" if degrees is shapes else f"{name}>{WGS84}"
    if datum in ("gcj02", "bd09"):
        degrees = gpd.GeoSeries(_shift(degrees.to_numpy(), datum), crs=WGS84)
        method = f"{datum}>wgs84 iterative"
    return Located(
        degrees.set_crs(WGS84, allow_override=True),
        datum if datum != "auto" else name,
        method,
        name,
        datum,
    )


def _say_old_datum(crs: CRS, name: str, findings: Findings) -> None:
    datum = crs.datum.name if crs.datum is not None else ""
    if "Beijing 1954" in datum or "Xian 1980" in datum:
        findings.note(
            "old_datum",
            text(
                "{crs} was brought to WGS-84 with public parameters; places may be some metres off",
                crs=name,
            ),
            text("give the layer in CGCS2000 if it matters"),
        )


def _shift(shapes: NDArray[np.object_], datum: str) -> NDArray[np.object_]:
    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_wgs84(points[:, 0], points[:, 1], datum=datum))

    moved: NDArray[np.object_] = shapely.transform(shapes, move)
    return moved


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
    datum = _datum(spec)
    if "wkt" in found and "lon" not in found:
        return _from_wkt(table, found["wkt"][0], spec, findings)
    pairs = [("easting", "northing"), ("lon", "lat")]
    for east, north in pairs:
        if east in found and north in found:
            column_e, column_n = found[east][0], found[north][0]
            numbers = [_metres(table[column]) for column in (column_e, column_n)]
            if east == "easting" or _are_metres(*numbers):
                return _from_metres(
                    numbers[0], numbers[1], (column_e, column_n), table, spec, findings
                )
            lon = parse_angle(table[column_e].tolist(), axis="lon")
            lat = parse_angle(table[column_n].tolist(), axis="lat")
            return _from_angles(lon, lat, (column_e, column_n), table, datum, spec, findings)
    if "lonlat" in found:
        column = found["lonlat"][0]
        lat_first = re.match(r"^(纬|lat|北纬)", column.strip(), re.IGNORECASE) is not None
        lon, lat = parse_pairs(table[column].tolist(), lat_first=lat_first)
        return _from_angles(lon, lat, (column, column), table, datum, spec, findings)
    raise unusable(
        "no_coordinates",
        text("no columns of longitude and latitude were found"),
        text("name them 经度 and 纬度, or name them under fields: in the project file"),
        value=", ".join(map(str, table.columns[:12])),
    )


def _metres(cells: pd.Series) -> NDArray[np.float64]:
    parsed = parse_numbers(cells, unit="m", header_unit=None, upper=True)
    return parsed.values.to_numpy(dtype=np.float64)


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
    located = locate_shapes(
        gpd.GeoSeries(shapes, crs=WGS84 if spec.datum != "auto" else None), spec, findings
    )
    return located


def _from_angles(
    lon: Angles,
    lat: Angles,
    columns: tuple[str, str],
    table: pd.DataFrame,
    datum: str,
    spec: LayerSpec,
    findings: Findings,
) -> Located:
    crs = _crs(spec.crs) if spec.crs else CRS.from_epsg(4326)
    if not crs.is_geographic:
        raise unusable(
            "degrees_not_metres",
            text("{crs} is declared but the columns hold degrees", crs=crs_name(crs)),
            text("take crs out of the project file, or give metres"),
        )
    cells = [table[column].to_numpy(dtype=object) for column in columns]
    for rule, (message, mend) in _REASONS.items():
        hit_lon = (lon.reason == rule) & (rule != "empty")
        for mask, side in (
            (hit_lon, 0),
            ((lat.reason == rule) & ~(hit_lon if columns[0] == columns[1] else False), 1),
        ):
            if rule == "empty" and side == 1:
                mask = (lon.reason == rule) | (lat.reason == rule)
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
    x, y = to_wgs84(lon.degrees, lat.degrees, datum="wgs84" if datum == "auto" else datum)
    points = shapely.points(np.where(good, x, np.nan), np.where(good, y, np.nan))
    points = np.where(good & ~zero, points, None)
    source = (
        crs_name(crs) if datum == "auto" and spec.crs else ("wgs84" if datum == "auto" else datum)
    )
    series = gpd.GeoSeries(points, crs=crs if datum == "auto" else WGS84).to_crs(WGS84)
    method = f"{datum}>wgs84 iterative" if datum in ("gcj02", "bd09") else "as_given"
    return Located(series, source, method, crs_name(crs), datum)


def _zone(crs: CRS) -> int | None:
    """Return the 3-degree zone number of a Gauss-Krueger CRS without zone prefix."""
    operation = crs.coordinate_operation
    if operation is None:
        return None
    named = {parameter.name: parameter.value for parameter in operation.params}
    if named.get("False easting") != 500000.0 or "Longitude of natural origin" not in named:
        return None
    return round(float(named["Longitude of natural origin"]) / 3.0)


def _from_metres(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    columns: tuple[str, str],
    table: pd.DataFrame,
    spec: LayerSpec,
    findings: Findings,
) -> Located:
    if spec.crs is None:
        raise unusable(
            "projected_without_crs",
            text(
                "the columns {columns} hold metres but the coordinate system is not declared",
                columns="、".join(columns),
            ),
            _zone_hint(first, second),
        )
    crs = _crs(spec.crs)
    if _datum(spec) in ("gcj02", "bd09"):
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
        text(_REASONS["empty"][0]),
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
    _say_old_datum(crs, crs_name(crs), findings)
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
            "declare it; eastings like these with zone number {zone} would be crs: EPSG:{code} in CGCS2000",
            zone=number,
            code=4513 + number - 25,
        )
    return text("declare it in the project file, such as crs: EPSG:4548")

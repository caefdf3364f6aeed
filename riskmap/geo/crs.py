"""One metric coordinate system for each run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjCRSError

from riskmap.errors import CRSError
from riskmap.i18n import text
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["crs_name", "is_in_china", "metric_crs", "project_points", "require_metric"]

CHINA_BOX: Final = (73.5, 3.0, 135.1, 54.0)
"""West, south, east and north [degrees] of the area where CGCS2000 zones are chosen."""
_FIRST_ZONE: Final = (75, 4534)
"""Central meridian [degrees] and EPSG code of the first 3-degree zone without prefix."""


def is_in_china(lon: float, lat: float) -> bool:
    """Say whether a point stands in the box where CGCS2000 zones are used.

    Parameters
    ----------
    lon, lat
        Longitude and latitude [degrees].

    Returns
    -------
    bool
        True inside the box; a box, not a border.

    Examples
    --------
    >>> is_in_china(118.3, 36.8), is_in_china(9.5, 47.2)
    (True, False)
    """
    west, south, east, north = CHINA_BOX
    return west <= lon < east and south <= lat <= north


def metric_crs(lon: float, lat: float) -> CRS:
    """Choose the metric CRS of a place by its centroid.

    In China the CGCS2000 3-degree Gauss-Kruger zone without prefix (EPSG 4534 to 4554), elsewhere
    the UTM zone on WGS 84.

    Parameters
    ----------
    lon, lat
        Centroid of the place [degrees].

    Returns
    -------
    pyproj.CRS
        A projected CRS in metres.

    Raises
    ------
    CRSError
        If the numbers are not a longitude and a latitude, or lie beyond the UTM zones.

    References
    ----------
    EPSG registry, codes 4534 to 4554, 32601 to 32660, 32701 to 32760.

    Examples
    --------
    >>> metric_crs(118.308, 36.827).to_epsg(), metric_crs(9.55, 47.16).to_epsg()
    (4548, 32632)
    """
    if not (-180 <= lon <= 180 and -80 <= lat <= 84):
        raise CRSError(
            text(
                "longitude {lon}, latitude {lat} is not a place with a metric zone; "
                "give longitude and latitude in degrees, in this order",
                lon=lon,
                lat=lat,
            )
        )
    if is_in_china(lon, lat):
        meridian, code = _FIRST_ZONE
        return CRS.from_epsg(code + int((lon + 1.5) // 3) - meridian // 3)
    zone = int((lon + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def require_metric(crs: Any) -> CRS:
    """Return the CRS if lengths and areas can be measured in it.

    Parameters
    ----------
    crs
        Anything that pyproj understands, such as ``EPSG:4548``.

    Returns
    -------
    pyproj.CRS
        The same CRS.

    Raises
    ------
    CRSError
        If it is unknown, geographic, not in metres, or Web Mercator, whose lengths are 13 to 25 %
        too long in China.

    Examples
    --------
    >>> require_metric("EPSG:4548").to_epsg()
    4548
    """
    mend = text("use 'crs: auto', or a zone such as EPSG:4548")
    try:
        known = CRS.from_user_input(crs)
    except ProjCRSError as error:
        raise CRSError(text("the CRS {crs} is unknown; {mend}", crs=crs, mend=mend)) from error
    flat = known.sub_crs_list[0] if known.is_compound else known
    name = crs_name(known)
    if not flat.is_projected:
        raise CRSError(text("{crs} counts in degrees, not in metres; {mend}", crs=name, mend=mend))
    method = flat.coordinate_operation.method_name if flat.coordinate_operation else ""
    if "Pseudo Mercator" in method or "Pseudo-Mercator" in flat.name or "900913" in name:
        raise CRSError(
            text(
                "{crs} (Web Mercator) makes lengths 13-25 % too long and areas 29-56 % too big "
                "in China; {mend}",
                crs=name,
                mend=mend,
            )
        )
    if any(axis.unit_name not in {"metre", "meter"} for axis in flat.axis_info[:2]):
        raise CRSError(text("{crs} does not count in metres; {mend}", crs=name, mend=mend))
    return known


def crs_name(crs: Any) -> str:
    """Name a CRS for readers: its EPSG code and its title.

    Parameters
    ----------
    crs
        Anything that pyproj understands.

    Returns
    -------
    str
        Such as ``EPSG:4548 CGCS2000 / 3-degree Gauss-Kruger CM 117E``.

    Examples
    --------
    >>> crs_name("EPSG:4548")
    'EPSG:4548 CGCS2000 / 3-degree Gauss-Kruger CM 117E'
    """
    known = CRS.from_user_input(crs)
    code = known.to_epsg()
    return f"EPSG:{code} {known.name}" if code else known.name


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def project_points(
    x: ArrayLike,
    y: ArrayLike,
    *,
    crs: Any,
    source: Any = WGS84,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Carry points into another CRS, always in the order x (east), y (north).

    Parameters
    ----------
    x, y
        Coordinates in `source`, shape (n,); longitude and latitude [degrees] by default.
    crs
        The target CRS.
    source
        The CRS of the input.

    Returns
    -------
    tuple of ndarray
        Easting and northing, shape (n,) [m for a metric CRS].

    Examples
    --------
    >>> east, north = project_points([118.308], [36.827], crs="EPSG:4548")
    >>> float(east[0].round(3)), float(north[0].round(3))
    (616693.387, 4078110.599)
    """
    known = CRS.from_user_input(source).to_wkt(), CRS.from_user_input(crs).to_wkt()
    east, north = _transformer(*known).transform(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    )
    return np.asarray(east), np.asarray(north)

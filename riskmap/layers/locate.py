"""Where the rows lie: from coordinate columns or geometries to WGS-84."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from riskmap.columns import WGS84
from riskmap.i18n import text
from riskmap.layers.coords import DATUMS, to_wgs84
from riskmap.layers.findings import Findings, unusable

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def declared_crs(name: str) -> CRS:
    """Return the CRS that the project file names.

    Parameters
    ----------
    name
        Such as ``EPSG:4548``.

    Returns
    -------
    CRS
        The CRS.

    Raises
    ------
    LayerError
        When it is not known.
    """
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


def declared_datum(spec: Any) -> str:
    """Return the datum that the project file names.

    Parameters
    ----------
    spec
        A source.

    Returns
    -------
    str
        ``auto`` or one of the four.

    Raises
    ------
    LayerError
        When it is none of these.
    """
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
    datum = declared_datum(spec)
    crs = _crs_of(shapes, spec, datum, findings)
    name = crs_name(crs)
    shapes = gpd.GeoSeries(shapely.force_2d(shapes.to_numpy()), crs=crs)
    degrees = (
        shapes if crs.equals(CRS.from_epsg(4326), ignore_axis_order=True) else shapes.to_crs(WGS84)
    )
    say_old_datum(crs, name, findings)
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


def say_old_datum(crs: CRS, name: str, findings: Findings) -> None:
    """Note that a datum before CGCS2000 can only be brought to WGS-84 roughly.

    Parameters
    ----------
    crs
        The source's CRS.
    name
        Its name.
    findings
        Takes the note.
    """
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


def _same(one: CRS, two: CRS) -> bool:
    return bool(one.equals(two, ignore_axis_order=True))


def _crs_of(shapes: gpd.GeoSeries, spec: Any, datum: str, findings: Findings) -> CRS:
    """Return the declared CRS, else the file's, else WGS-84 for degrees; check that it can be."""
    west, south, east, north = shapes.total_bounds
    degrees = -180.0 <= west <= east <= 180.0 and -90.0 <= south <= north <= 90.0
    declared = declared_crs(spec.crs) if spec.crs else None
    own = CRS.from_user_input(shapes.crs) if shapes.crs is not None else None
    if declared is not None and own is not None and not _same(declared, own):
        said = text(
            "the file says {own}; {declared} was taken as declared",
            own=crs_name(own),
            declared=crs_name(declared),
        )
        mend = text("take the declaration out if the file is right")
        findings.note("crs_replaced", said, mend)
    if (known := declared or own) is not None:
        if degrees and known.is_projected:
            raise unusable(
                "degrees_in_metric_crs",
                text(
                    "{crs} counts in metres, but the coordinates are degrees", crs=crs_name(known)
                ),
                text("declare what they are in the project file, such as crs: EPSG:4490"),
            )
        return known
    if not degrees:
        raise unusable(
            "no_crs",
            text("the layer does not say its coordinate system and does not hold degrees"),
            text("declare it in the project file, such as crs: EPSG:4548"),
        )
    if datum == "auto":
        findings.note(
            "crs_assumed",
            text("the layer does not say its coordinate system; degrees in WGS-84 were assumed"),
            text("declare crs or datum in the project file"),
        )
    return CRS.from_user_input(WGS84)


@cache
def _transformer(metric: CRS) -> Transformer:
    return Transformer.from_crs(WGS84, metric, always_xy=True)


def project_shapes(shapes: gpd.GeoSeries, metric: CRS) -> gpd.GeoSeries:
    """Bring WGS-84 geometries into the run's CRS, in one call for all coordinates.

    Parameters
    ----------
    shapes
        Shape (n,): EPSG:4326.
    metric
        The run's CRS.

    Returns
    -------
    GeoSeries
        Shape (n,): in ``metric``.
    """
    change = _transformer(metric)
    moved = shapely.transform(
        shapes.to_numpy(), lambda p: np.column_stack(change.transform(p[:, 0], p[:, 1]))
    )
    return gpd.GeoSeries(moved, index=shapes.index, crs=metric)

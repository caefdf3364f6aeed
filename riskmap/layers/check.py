"""Checks of geometry, place and duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely

from riskmap.columns import WGS84
from riskmap.i18n import text
from riskmap.layers.findings import Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import Geometry

    from riskmap.roles.load import Role

_DIMENSION: Final = {"point": 0, "line": 1, "polygon": 2}
_SHOWN: Final = {
    "point": text("points"),
    "line": text("lines"),
    "polygon": text("polygons"),
}


def check_geometry(
    shapes: gpd.GeoSeries, role: Role, findings: Findings, *, as_point: bool
) -> gpd.GeoSeries:
    """Return rows without geometry or of another type, and repair invalid ones.

    Parameters
    ----------
    shapes
        Shape (n,).
    role
        Its ``geometry`` says what is right.
    findings
        Takes the rows; rows returned already are not returned again for having no geometry.
    as_point
        Take a point inside each shape where points belong.

    Returns
    -------
    GeoSeries
        Valid geometries of the right type; None where a row is returned.
    """
    values = shapes.to_numpy().copy()
    gone = shapely.is_missing(values) | shapely.is_empty(values)
    findings.returned(
        gone & ~findings.bad,
        "no_geometry",
        text("the row has no geometry"),
        text("draw it, or delete the row"),
    )
    values[gone] = None
    wide = ~np.isfinite(shapely.bounds(values)).all(axis=1) & ~gone
    findings.returned(
        wide,
        "bad_coordinates",
        text("the geometry has coordinates that are not numbers"),
        text("draw it again"),
    )
    values[wide] = None
    values = _repair(values, findings)
    wanted = _DIMENSION.get(role.geometry)
    if wanted is not None:
        values = _right_type(values, wanted, role, findings, as_point=as_point)
    return gpd.GeoSeries(values, index=shapes.index, crs=shapes.crs)


def _repair(values: NDArray[np.object_], findings: Findings) -> NDArray[np.object_]:
    broken = ~shapely.is_valid(values) & ~shapely.is_missing(values)
    if not broken.any():
        return values
    reasons = np.full(len(values), "", dtype=object)
    reasons[broken] = shapely.is_valid_reason(values[broken])
    values[broken] = shapely.make_valid(values[broken], method="structure", keep_collapsed=False)
    collapsed = broken & (shapely.is_empty(values) | shapely.is_missing(values))
    findings.returned(
        collapsed,
        "collapsed",
        text("the geometry cannot be repaired"),
        text("draw it again"),
        values=reasons,
    )
    values[collapsed] = None
    findings.noted(
        broken & ~collapsed,
        "repaired",
        text("invalid geometry was repaired"),
        text("check the outline in a GIS"),
        values=reasons,
    )
    return values


def _right_type(
    values: NDArray[np.object_], wanted: int, role: Role, findings: Findings, *, as_point: bool
) -> NDArray[np.object_]:
    """Return rows whose geometry has another dimension than the role's."""
    present = ~shapely.is_missing(values)
    if wanted == 0:
        many = present & (shapely.get_type_id(values) == 4)
        single = many & (shapely.get_num_geometries(values) == 1)
        values[single] = shapely.get_geometry(values[single], 0)
        if as_point:
            inside = present & (shapely.get_type_id(values) != 0)
            values[inside] = inside_point(values[inside])
    mixed = present & (shapely.get_type_id(values) == 7)
    for index in np.flatnonzero(mixed):
        parts = [p for p in shapely.get_parts(values[index]) if shapely.get_dimensions(p) == wanted]
        values[index] = shapely.union_all(parts) if parts else values[index]
    kinds = shapely.get_type_id(values)
    right = np.isin(kinds, {0: (0,), 1: (1, 2, 5), 2: (3, 6)}[wanted])
    wrong = present & ~right
    mend = (
        text("give points, or set as_point: true to take a point inside each")
        if wanted == 0
        else text("give the right layer")
    )
    names = (
        np.array([shape.geom_type if shape is not None else "" for shape in values], dtype=object)
        if wrong.any()
        else None
    )
    findings.returned(
        wrong,
        "geometry_type",
        text("{wanted} are needed here", wanted=_SHOWN[role.geometry]),
        mend,
        values=names,
    )
    values[wrong] = None
    return values


def inside_point(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Take a point inside each polygon, or half-way along each line.

    Parameters
    ----------
    shapes
        Shape (n,).

    Returns
    -------
    ndarray
        Shape (n,): points.

    Examples
    --------
    >>> inside_point(np.array([shapely.box(0, 0, 2, 2)]))[0].wkt
    'POINT (1 1)'
    """
    points: NDArray[np.object_] = shapely.point_on_surface(shapes)
    lines = shapely.get_type_id(shapes) == 1
    if lines.any():
        points[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return points


def check_place(shapes: gpd.GeoSeries, place: Geometry | None, findings: Findings) -> None:
    """Return the rows that do not touch the place; say when swapping would bring them in.

    Parameters
    ----------
    shapes
        Shape (n,): EPSG:4326.
    place
        The place in EPSG:4326, or None.
    findings
        Takes the rows.
    """
    values = shapes.to_numpy()
    present = ~shapely.is_missing(values)
    x, y = np.full(len(values), np.nan), np.full(len(values), np.nan)
    x[present], y[present] = (
        shapely.get_x(shapely.centroid(values[present])),
        shapely.get_y(shapely.centroid(values[present])),
    )
    swapped = present & (np.abs(y) > 90.0)
    outside = np.zeros(len(values), dtype=bool)
    if place is not None:
        shapely.prepare(place)
        outside = present & ~shapely.intersects(place, values)
        turned = shapely.intersects(
            place, shapely.points(np.where(outside, y, np.nan), np.where(outside, x, np.nan))
        )
        swapped |= outside & turned
    else:
        swapped |= present & (y >= 73.0) & (y <= 135.0) & (x >= 3.0) & (x <= 54.0)
    shown = np.full(len(values), None, dtype=object)
    for index in np.flatnonzero(outside | swapped):
        shown[index] = f"{x[index]:.6f}, {y[index]:.6f}"
    findings.returned(
        swapped,
        "swapped",
        text("longitude and latitude are swapped"),
        text("put them into each other's column"),
        values=shown,
    )
    findings.returned(
        outside & ~swapped,
        "outside_place",
        text("the row lies outside the place"),
        text("check coordinates and datum, or take the row out"),
        values=shown,
    )


def to_wgs84_area(place: Any, crs: Any) -> Geometry | None:
    """Return the place as one geometry in EPSG:4326.

    Parameters
    ----------
    place
        GeoDataFrame or GeoSeries with a CRS, a bare geometry in ``crs``, or None.
    crs
        The run's CRS.

    Returns
    -------
    Geometry or None
        Valid.
    """
    if place is None:
        return None
    if isinstance(place, (gpd.GeoDataFrame, gpd.GeoSeries)):
        shapes = place.geometry if isinstance(place, gpd.GeoDataFrame) else place
        return shapely.make_valid(shapes.to_crs(WGS84).union_all())
    return shapely.make_valid(gpd.GeoSeries([place], crs=crs).to_crs(WGS84).iloc[0])

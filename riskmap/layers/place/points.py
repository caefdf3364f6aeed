"""Places out of coordinate columns and of shapes: datum and CRS settled, brought to the run's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from riskmap.i18n import Text, text
from riskmap.layers.layer import IN_TOWN, Findings, shown_value, unusable
from riskmap.layers.place.datum import (
    DATUMS,
    crs_name,
    datum_of_cell,
    datum_of_columns,
    datum_of_notes,
    in_china,
    is_link,
    read_link,
    to_wgs84,
    told_projection,
)
from riskmap.layers.place.evidence import (
    Hints,
    Judgement,
    Nearness,
    depth_in_water,
    far_from_stated,
    judge_by_lines,
    judge_datum,
    town_points,
    units_shifted,
    village_points,
)
from riskmap.layers.read.values import (
    ANGLE_REASONS,
    Angles,
    is_told,
    parse_angle,
    parse_numbers,
    parse_pairs,
)
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.layers.layer import LayerSpec


@dataclass(frozen=True)
class Located:
    """Geometries in WGS-84 and how they were come by."""

    shapes: gpd.GeoSeries | NDArray[np.float64]
    """Shape (n,), EPSG:4326, None where there is none; or of points alone their longitude and
    latitude, shape (n, 2), NaN where there is none."""
    source: str | NDArray[np.object_]
    """The datum or CRS in which the file has them; one for all, or one a row."""
    method: str | NDArray[np.object_]
    """How they were brought to WGS-84; one for all, or one a row."""
    crs: str
    """The file's CRS as text."""
    datum: str

    @cached_property
    def geometry(self) -> gpd.GeoSeries:
        """Give the geometries.

        Returns
        -------
        GeoSeries
            Shape (n,), EPSG:4326; None where there is none.
        """
        if isinstance(self.shapes, gpd.GeoSeries):
            return self.shapes
        return gpd.GeoSeries(points_at(*self.shapes.T), crs=WGS84)


def points_at(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.object_]:
    """Make points.

    Parameters
    ----------
    x, y
        Shape (n,).

    Returns
    -------
    ndarray
        Shape (n,); None where there is no x.

    Examples
    --------
    >>> points_at(np.array([1.0, np.nan]), np.array([2.0, np.nan]))
    array([<POINT (1 2)>, None], dtype=object)
    """
    good = np.isfinite(x)
    if good.all():
        made: NDArray[np.object_] = shapely.points(x, y)
        return made
    out = np.full(len(x), None, dtype=object)
    out[good] = shapely.points(x[good], y[good])
    return out


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
        return known_place(CRS.from_user_input(name))
    except ProjError as error:
        raise unusable(
            "unknown_crs",
            text("the coordinate system {crs} is not known", crs=name),
            text("write an EPSG code, such as EPSG:4548"),
        ) from error


@cache  # finding the way to the earth takes PROJ 0.04 s, layer by layer
def known_place(crs: CRS) -> CRS:
    """Refuse a CRS that says nothing of where on the earth it is.

    Parameters
    ----------
    crs
        The CRS of a file.

    Returns
    -------
    CRS
        The same, without its heights.

    Raises
    ------
    LayerError
        When it is a local one, such as a city's independent coordinates.
    """
    flat = crs.sub_crs_list[0] if crs.is_compound and crs.sub_crs_list else crs
    try:
        if flat.is_engineering or not (flat.is_geographic or flat.is_projected or flat.is_bound):
            raise _local(crs)
        if not flat.equals(CRS.from_epsg(4326), ignore_axis_order=True):
            Transformer.from_crs(flat, WGS84, always_xy=True)
    except ProjError as error:
        raise _local(crs) from error
    return flat


def _local(crs: CRS) -> Exception:
    return unusable(
        "local_crs",
        text(
            "the coordinates are in the local system {crs}, which no public parameters bring to "
            "the earth",
            crs=str(crs.name),
        ),
        text(
            "ask the surveying office for the layer in CGCS2000; if the name is wrong, declare "
            "what it is, such as crs: EPSG:4548"
        ),
    )


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


def locate_shapes(
    shapes: gpd.GeoSeries, spec: Any, findings: Findings, hints: Hints | None = None
) -> Located:
    """Bring geometries of a vector file to WGS-84.

    Parameters
    ----------
    shapes
        Shape (n,): in the file's CRS.
    spec
        Its ``crs`` and ``datum`` as declared.
    findings
        Takes notes.
    hints
        What helps to tell a datum that is not declared.

    Returns
    -------
    Located
        The geometries.

    Raises
    ------
    LayerError
        When the CRS is missing and cannot be longitude and latitude, or is a local one.
    """
    datum = declared_datum(spec)
    crs = _crs_of(shapes, spec, datum, findings)
    name = crs_name(crs)
    shapes = gpd.GeoSeries(shapely.force_2d(shapes.to_numpy()), crs=crs)
    if crs.is_projected:
        shapes = _cut_zone(shapes, crs, findings)
    degrees = (
        shapes if crs.equals(CRS.from_epsg(4326), ignore_axis_order=True) else shapes.to_crs(WGS84)
    )
    say_old_datum(crs, name, findings)
    method = "as_given" if degrees is shapes else f"{name}>{WGS84}"
    if datum == "auto" and degrees is shapes and hints is not None:
        box = shapely.bounds(degrees.to_numpy())
        datum = settle_datum(
            (box[:, 0] + box[:, 2]) / 2.0,
            (box[:, 1] + box[:, 3]) / 2.0,
            hints,
            findings,
            loose=spec.crs is None and _says_nothing(spec),
        )
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


def _says_nothing(spec: Any) -> bool:
    """Tell whether a kind of file always claims WGS-84, whatever it holds."""
    return spec.path.suffix.lower() in (
        ".geojson", ".json", ".kml", ".kmz", ".ovkml", ".ovkmz", ".csv",
    )  # fmt: skip


def settle_datum(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    hints: Hints,
    findings: Findings,
    *,
    loose: bool,
    declared: str = "auto",
) -> str:
    """Settle the datum of degrees that nothing names, by notes and by where the rows lie.

    Parameters
    ----------
    lon, lat
        Shape (n,): as the file has them [deg].
    hints
        Notes, stated units and the place.
    findings
        Takes what was found, or the question.
    loose
        True when the datum may be settled; else a doubt is only told.
    declared
        The datum that the file or the project names.

    Returns
    -------
    str
        ``auto`` (taken as WGS-84) or a datum.
    """
    china = in_china(lon, lat)
    if not np.any(china & np.isfinite(lon)):
        return declared
    told, note = datum_of_notes(hints.said)
    judged = judge_datum(lon, lat, hints)
    if declared == "auto" and told is not None and loose:
        findings.note(
            "datum_from_note",
            text("taken as {datum}, as a note beside the table says", datum=told),
            text("if it is another, give datum: in the project file"),
            value=shown_value(note),
        )
        declared = told
    elif declared == "auto" and judged is not None and judged.decided and judged.best != "wgs84":
        return _decided(judged, findings) if loose else _doubt(judged, "wgs84", findings)
    near = None if judged is not None and judged.decided else judge_by_lines(lon, lat, hints)
    if near is not None and near.decided:
        return _by_lines(near, declared, findings, loose=loose)
    if judged is None:
        return declared
    if declared == "auto":
        _ask(judged, lon, lat, hints, findings)
        return declared
    now = "wgs84" if declared == "cgcs2000" else declared
    if judged.decided and judged.best != now:
        _doubt(judged, declared, findings)
    return declared


def _picture(judged: Judgement) -> dict[str, object]:
    return {
        "n": judged.rows,
        "wgs84": judged.held["wgs84"],
        "gcj02": judged.held["gcj02"],
        "bd09": judged.held["bd09"],
    }


def _compared(judged: Judgement) -> Text:
    if judged.by_place:
        return text(
            "inside the place lie, of {n} rows: {wgs84} as WGS-84, {gcj02} as Amap or Tencent "
            "(GCJ-02), {bd09} as Baidu (BD-09)",
            **_picture(judged),
        )
    return text(
        "in the unit they state lie, of {n} rows: {wgs84} as WGS-84, {gcj02} as Amap or Tencent "
        "(GCJ-02), {bd09} as Baidu (BD-09)",
        **_picture(judged),
    )


def _decided(judged: Judgement, findings: Findings) -> str:
    findings.note(
        "datum_judged",
        text("taken as {datum}: {compared}", datum=judged.best, compared=_compared(judged)),
        text("if it is another, give datum: in the project file"),
    )
    return judged.best


def _by_lines(near: Nearness, declared: str, findings: Findings, *, loose: bool) -> str:
    """Take the datum under which rows lie at roads and water, or tell that it is another."""
    compared = text(
        "median distance of {n} rows to roads and water: {wgs84} m as WGS-84, {gcj02} m as Amap or "
        "Tencent (GCJ-02), {bd09} m as Baidu (BD-09)",
        n=near.rows,
        **{datum: f"{metres:.0f}" for datum, metres in near.median_m.items()},
    )
    now = "wgs84" if declared in ("auto", "cgcs2000") else declared
    if near.best == now:
        return declared
    if declared == "auto" and loose:
        findings.note(
            "datum_judged",
            text("taken as {datum}: {compared}", datum=near.best, compared=compared),
            text("if it is another, give datum: in the project file"),
        )
        return near.best
    findings.note(
        "datum_doubt",
        text(
            "used as {declared}, but the rows fit {best} better: {compared}",
            declared=now, best=near.best, compared=compared,
        ),
        text("ask where the coordinates were taken, and give datum: in the project file"),
    )  # fmt: skip
    return declared


_MOST_TOLD: Final = 500
"""Rows far from the unit that they state that are told one by one, the farthest first."""


def note_astray(shapes: NDArray[Any], hints: Hints, findings: Findings) -> None:
    """Tell row by row how far a place lies from the unit that the row states.

    Parameters
    ----------
    shapes
        Geometries, shape (n,), or x and y of points, shape (n, 2): in the CRS of the units.
    hints
        Stated names and units.
    findings
        Takes the notes.
    """
    astray, unknown = far_from_stated(shapes, hints, most=_MOST_TOLD)
    messages = [
        text(
            "the row says {stated}, but its coordinates fall in {unit}, {m} m away",
            stated=stated, unit=unit or text("no unit"), m=f"{metres:.0f}",
        )
        for stated, unit, metres in zip(
            astray.stated[:_MOST_TOLD], astray.falls_in[:_MOST_TOLD],
            astray.metres[:_MOST_TOLD].tolist(), strict=True,
        )
    ]  # fmt: skip
    mend = text("check the coordinates and the unit of this row; one of the two is wrong")
    findings.each_noted(
        astray.row[:_MOST_TOLD], "unit_astray", messages, mend, values=astray.stated
    )
    if len(astray.row) > _MOST_TOLD:
        more = text(
            "{n} more rows lie far from the unit they state", n=len(astray.row) - _MOST_TOLD
        )
        findings.note("unit_astray", more, mend)
    if unknown:
        findings.note(
            "unit_unknown",
            text("no unit bears these names: {names}", names="、".join(unknown[:20])),
            text("use the names of the units' layer, or write former names there under 曾用名"),
        )


def note_in_water(shapes: NDArray[Any], hints: Hints, findings: Findings) -> None:
    """Tell the rows whose places lie in water, away from its bank.

    Parameters
    ----------
    shapes
        Geometries, shape (n,), or x and y of points, shape (n, 2): in the CRS of the lines.
    hints
        Roads and water.
    findings
        Takes the notes.
    """
    away = depth_in_water(shapes, hints)
    rows = np.flatnonzero(away > hints.limits.water_m)
    rows = rows[np.argsort(-away[rows], kind="stable")]
    mend = text("check the coordinates and the datum; the row is used where it lies")
    messages = [
        text("the place lies in water, {m} m from the bank", m=f"{away[row]:.0f}")
        for row in rows[:_MOST_TOLD]
    ]
    findings.each_noted(rows[:_MOST_TOLD], "in_water", messages, mend)
    if len(rows) > _MOST_TOLD:
        more = text("{n} more rows lie in water", n=len(rows) - _MOST_TOLD)
        findings.note("in_water", more, mend)


def _doubt(judged: Judgement, declared: str, findings: Findings) -> str:
    findings.note(
        "datum_doubt",
        text(
            "used as {declared}, but the rows fit {best} better: {compared}",
            declared=declared,
            best=judged.best,
            compared=_compared(judged),
        ),
        text("ask where the coordinates were taken, and give datum: in the project file"),
    )
    return "auto" if declared == "wgs84" else declared


def _ask(
    judged: Judgement,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    hints: Hints,
    findings: Findings,
) -> None:
    """Put the one question about the datum where the rows leave it open and it matters."""
    shifted = units_shifted(lon, lat, hints)
    if (
        shifted is not None
        and shifted[2] >= shifted[1] + max(3, shifted[0] // 10)
        and (shifted[2] > judged.held[judged.best])
    ):
        findings.note(
            "units_datum_doubt",
            text(
                "of {n} rows {now} lie in the unit they state; {moved} would if the units were in "
                "GCJ-02",
                n=shifted[0],
                now=shifted[1],
                moved=shifted[2],
            ),
            text("if the outlines come from DataV or Amap, give datum: gcj02 for units"),
        )
        return
    if judged.best != "wgs84" and judged.margin > 0.0 and not judged.by_place:
        findings.note(
            "datum_open",
            text("the datum is not named; used as WGS-84: {compared}", compared=_compared(judged)),
            text(
                "were the coordinates taken from Amap, from Baidu or by GPS? Give datum: gcj02, "
                "bd09 or wgs84 in the project file"
            ),
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
    if own is not None and declared is None:
        own = known_place(own)
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
        if not degrees and known.is_geographic and _hold_metres(shapes):
            raise unusable(
                "metres_in_degrees",
                text(
                    "the coordinates are metres, but the file says {crs}, which counts in degrees",
                    crs=crs_name(known),
                ),
                _zone_of_shapes(shapes),
                value=f"{west:.3f}, {south:.3f}",
            )
        return known
    if not degrees:
        raise unusable(
            "no_crs",
            text("the layer does not say its coordinate system and does not hold degrees"),
            _zone_of_shapes(shapes),
            value=f"{west:.3f}, {south:.3f}" if np.isfinite(west) else "",
        )
    if datum == "auto":
        findings.note(
            "crs_assumed",
            text("the layer does not say its coordinate system; degrees in WGS-84 were assumed"),
            text("declare crs or datum in the project file"),
        )
    return CRS.from_user_input(WGS84)


def _hold_metres(shapes: gpd.GeoSeries) -> bool:
    """Tell whether most shapes lie where no degrees are."""
    box = np.abs(shapely.bounds(shapes.to_numpy()))
    box = box[np.isfinite(box).all(axis=1)]
    return len(box) > 0 and bool(np.median(box, axis=0).max() > 1000.0)


def _zone_of_shapes(shapes: gpd.GeoSeries) -> Text:
    box = shapely.bounds(shapes.to_numpy())
    if not np.isfinite(box).any():
        return text("declare it in the project file, such as crs: EPSG:4548")
    return _zone_hint(box[:, 0], box[:, 1])


def _cut_zone(shapes: gpd.GeoSeries, crs: CRS, findings: Findings) -> gpd.GeoSeries:
    """Take the zone number off eastings whose CRS has none, and put it on where it lacks."""
    values = shapes.to_numpy()
    east = shapely.bounds(values)[:, 0]
    zone = _zone(crs)
    if zone is not None:
        hit = np.isfinite(east) & (np.floor(east / 1e6) == zone)
        if hit.any():
            values = values.copy()
            values[hit] = shapely.transform(
                values[hit], lambda points: points - np.array([zone * 1e6, 0.0])
            )
            findings.noted(
                hit,
                "zone_prefix_cut",
                text("the zone number before the easting was cut off"),
                text("nothing to do"),
            )
            return gpd.GeoSeries(values, index=shapes.index, crs=crs)
        return shapes
    prefix = _zone_prefix(crs)
    if prefix is None:
        return shapes
    hit = np.isfinite(east) & (east > 0.0) & (east < 1e6)
    if hit.any() and hit.sum() == np.isfinite(east).sum():
        values = shapely.transform(values, lambda points: points + np.array([prefix * 1e6, 0.0]))
        findings.noted(
            hit,
            "zone_prefix_added",
            text("{crs} has the zone number before the easting; it was added", crs=crs_name(crs)),
            text("declare the coordinate system without zone number if that is what it is"),
        )
        return gpd.GeoSeries(values, index=shapes.index, crs=crs)
    return shapes


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


def project_points(degrees: NDArray[np.float64], metric: CRS) -> NDArray[np.float64]:
    """Bring places into the run's CRS.

    Parameters
    ----------
    degrees
        Longitude and latitude in WGS-84, shape (n, 2); NaN where there is none.
    metric
        The run's CRS.

    Returns
    -------
    ndarray
        Shape (n, 2): in ``metric``; NaN where there is none.
    """
    x, y = _transformer(metric).transform(degrees[:, 0], degrees[:, 1])
    there = np.isfinite(degrees[:, 0])
    return np.column_stack([np.where(there, x, np.nan), np.where(there, y, np.nan)])


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


def _zone_prefix(crs: CRS) -> int | None:
    """Return the zone number of a Gauss-Krueger CRS that has it before its eastings."""
    operation = crs.coordinate_operation
    named = {p.name: p.value for p in operation.params} if operation is not None else {}
    east = float(named.get("False easting") or 0.0)
    return int(east // 1e6) if east % 1e6 == 500000.0 and east > 1e6 else None


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
    >>> import pandas as pd
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
    hints: Hints | None = None,
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
    hints
        Notes beside the table, and the place.

    Returns
    -------
    Located
        The points.

    Raises
    ------
    LayerError
        When no CRS is declared, or a datum that has degrees only.
    """
    crs = _declared(first, second, columns, spec, findings, hints)
    cells = table[columns[0]].to_numpy(dtype=object)
    east, north = _axes(first, second)
    east, strange = _without_zone(east, crs, columns[0], cells, findings)
    good = np.isfinite(east) & np.isfinite(north)
    zero = good & (east == 0.0) & (north == 0.0)
    missing, both_zero = text(ANGLE_REASONS["empty"][0]), text("both coordinates are zero")
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
    one, two = _middle(np.abs(first)), _middle(np.abs(second))
    northing_first = 1.5e6 < one < 6.5e6 and (two < 1.2e6 or two > 1e7)
    return (second, first) if northing_first else (first, second)


def _middle(numbers: NDArray[np.float64]) -> float:
    known = numbers[np.isfinite(numbers)]
    return float(np.median(known)) if len(known) else np.nan


def _zone_hint(first: NDArray[np.float64], second: NDArray[np.float64]) -> Text:
    east, _ = _axes(first, second)
    middle = _middle(east)
    number = int(middle // 1e6) if np.isfinite(middle) else 0
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
    findings: Findings,
    hints: Hints | None,
) -> CRS:
    """Return the CRS that metres need, or say that it is not declared."""
    if spec.crs is None:
        east, north = _axes(first, second)
        if told := _told_projection(east, north, columns, findings, hints):
            return told
        fitting = _fitting_zone(east, north, hints)
        if fitting:
            raise unusable(
                "projected_without_crs",
                text(
                    "the columns {columns} hold metres but the coordinate system is not declared",
                    columns="、".join(columns),
                ),
                text(
                    "the rows lie in the place with crs: {crs}, web Mercator; declare it",
                    crs=fitting,
                )
                if fitting == _MERCATOR
                else text(
                    "the rows lie in the place with crs: {crs} in CGCS2000; declare it if the "
                    "survey says so (Xi'an 80 or Beijing 54 lie some 100 m off)",
                    crs=fitting,
                ),
            )
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


def _in_place(
    east: NDArray[np.float64], north: NDArray[np.float64], crs: CRS, hints: Hints | None
) -> bool:
    """Tell whether most rows lie in or near the place under a CRS."""
    if hints is None or hints.area is None:
        return False
    good = np.isfinite(east) & np.isfinite(north)
    if not good.any():
        return False
    change = Transformer.from_crs(crs, WGS84, always_xy=True)
    x, y = change.transform(east[good][:1000], north[good][:1000])
    west, south, right, top = hints.area.bounds
    wide, high = max(right - west, 0.01), max(top - south, 0.01)
    near = (x > west - wide) & (x < right + wide) & (y > south - high) & (y < top + high)
    return bool(near.mean() > 0.5)


def _told_projection(
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    columns: tuple[str, str],
    findings: Findings,
    hints: Hints | None,
) -> CRS | None:
    """Take the CRS that a note beside the table tells by its central meridian or zone."""
    middle = _middle(east)
    said = told_projection(
        (*(hints.said if hints is not None else ()), *columns), zone=int(middle // 1e6)
        if np.isfinite(middle) else 0,
    )  # fmt: skip
    if said is None:
        return None
    name, sure, note = said
    crs = CRS.from_user_input(name)
    if not _in_place(east, north, crs, hints):
        return None
    message = (
        text("taken as {crs}, as a note beside the table says", crs=crs_name(crs))
        if sure
        else text(
            "taken as {crs}: the note names the central meridian only, CGCS2000 was assumed",
            crs=crs_name(crs),
        )
    )
    mend = text("if it is another, give crs: in the project file")
    findings.note("crs_from_note", message, mend, value=shown_value(note))
    return crs


def _fitting_zone(
    east: NDArray[np.float64], north: NDArray[np.float64], hints: Hints | None
) -> str:
    """Name the one CGCS2000 zone under which the rows lie in the place; blank otherwise."""
    middle = _middle(east)
    if not np.isfinite(middle):
        return ""
    codes = range(4513, 4534) if middle > 1e6 else range(4534, 4555)
    names = [*(f"EPSG:{code}" for code in codes), _MERCATOR]
    fitting = [name for name in names if _in_place(east, north, CRS.from_user_input(name), hints)]
    return fitting[0] if len(fitting) == 1 else ""


_MERCATOR: Final = "EPSG:3857"


def locate_table(
    table: pd.DataFrame,
    found: dict[str, tuple[str, str | None]],
    spec: LayerSpec,
    findings: Findings,
    hints: Hints | None = None,
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
    hints
        What helps to tell a datum that is not declared.

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
        return _from_wkt(table, found["wkt"][0], spec, findings, hints)
    pairs = [("easting", "northing"), ("lon", "lat")]
    for east, north in pairs:
        if east in found and north in found:
            column_e, column_n = found[east][0], found[north][0]
            columns = (column_e, column_n)
            scale, metres = _kind_of_numbers(table, columns, hints, metres=east == "easting")
            if metres or scale:
                numbers = [as_metres(table[column]) for column in columns]
            if scale:
                table, numbers = _unscaled(table, columns, numbers, scale, findings)
            if metres:
                return from_metres(numbers[0], numbers[1], columns, table, spec, findings, hints)
            lon = parse_angle(table[column_e], axis="lon")
            lat = parse_angle(table[column_n], axis="lat")
            lon, lat = _unpacked(lon, lat, table, columns, hints, findings)
            datum = datum_of_columns((column_e, column_n), datum, findings)
            own = _row_datums(table, found, datum, findings)
            return _from_angles(
                lon, lat, (column_e, column_n), table, datum, spec, findings, own, hints
            )
    links = _links(table, found.get("lonlat", ("",))[0])
    if links:
        return _from_links(table, links, spec, findings)
    if "lonlat" in found:
        column = found["lonlat"][0]
        order = re.search(r"(纬|lat)|经|lon|lng", column, re.IGNORECASE)
        lat_first = order is not None and order[1] is not None
        lon, lat = parse_pairs(table[column].tolist(), lat_first=lat_first)
        datum = datum_of_columns((column, column), datum, findings)
        own = _row_datums(table, found, datum, findings)
        return _from_angles(lon, lat, (column, column), table, datum, spec, findings, own, hints)
    villages, placed, in_town = _by_name(hints, np.ones(len(table), dtype=bool))
    if placed.any():
        _say_placed(placed, in_town, findings)
        findings.returned(
            ~placed,
            "coordinate_empty",
            text(ANGLE_REASONS["empty"][0]),
            text(ANGLE_REASONS["empty"][1]),
        )
        return Located(villages, "", _how_placed(placed, in_town, ""), "", datum)
    raise unusable(
        "no_coordinates",
        text("no columns of longitude and latitude were found"),
        text("name them 经度 and 纬度, or name them under fields: in the project file"),
        value=", ".join(map(str, table.columns[:12])),
    )


def _kind_of_numbers(
    table: pd.DataFrame, columns: tuple[str, str], hints: Hints | None, *, metres: bool
) -> tuple[float, bool]:
    """Tell by what degrees were multiplied, 0 when by nothing, and whether these are metres."""
    some = _at_even_steps(table[list(dict.fromkeys(columns))])
    if not metres and all(_decimal_commas(some[column]) for column in columns):
        return 0.0, False
    one, two = (as_metres(some[column]) for column in columns)
    scale = 0.0 if metres else _scaled_degrees(one, two, hints)
    return scale, metres or (not scale and _are_metres(one, two))


def _decimal_commas(cells: pd.Series) -> bool:
    """Tell whether most cells are degrees with a comma for the point, such as 118,301."""
    written = cells.dropna().astype("str").str.strip()
    written = written[written != ""]
    return len(written) > 0 and bool(written.str.fullmatch(r"\d{1,3},\d+").mean() > 0.5)


_ENOUGH_ROWS: Final = 20_000
"""Rows by which it is told what a column holds; of more, so many at even steps."""


def _at_even_steps(table: pd.DataFrame) -> pd.DataFrame:
    if len(table) <= _ENOUGH_ROWS:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, _ENOUGH_ROWS).astype(np.int64)]


def _links(table: pd.DataFrame, named: str) -> str:
    """Find the column whose cells are mostly links of map programs; blank when there is none."""
    for column in [named] if named else list(table.columns):
        cells = table[column]
        there = cells.notna() & (cells.astype("str").str.strip() != "")
        links = [is_link(cell) for cell in cells[there]]
        if links and sum(links) >= max(1, len(links) // 2):
            return str(column)
    return ""


def _from_links(table: pd.DataFrame, column: str, spec: LayerSpec, findings: Findings) -> Located:
    """Take places out of links, each in the datum of its service."""
    cells = table[column].to_numpy(dtype=object)
    read = [read_link(cell) for cell in cells]
    lost = np.array([one is None for one in read], dtype=bool)
    short = lost & np.array([is_link(cell) for cell in cells], dtype=bool)
    findings.returned(
        short,
        "short_link",
        text("the link holds no coordinates"),
        text("open it, let the map show the coordinates, and write them into the row"),
        field=column,
        values=cells,
    )
    empty = lost & ~short
    findings.returned(
        empty,
        "coordinate_empty",
        text(ANGLE_REASONS["empty"][0]),
        text(ANGLE_REASONS["empty"][1]),
        field=column,
        values=cells,
    )
    lon = np.array([one[0] if one else np.nan for one in read])
    lat = np.array([one[1] if one else np.nan for one in read])
    own = declared_datum(spec)
    datums = np.array([one[2] if one else "auto" for one in read], dtype=object)
    datums = np.where(own != "auto", own, np.where(datums == "auto", "wgs84", datums))
    x, y = _by_row(lon, lat, datums.astype(object))
    points = np.where(lost, None, shapely.points(np.nan_to_num(x), np.nan_to_num(y)))
    kinds = sorted({str(datum) for datum in datums[~lost]})
    findings.note(
        "datum_from_links",
        text("places were taken out of links, as {datums}", datums="、".join(kinds)),
        text("if it is another, give datum: in the project file"),
        field=column,
    )
    shifted = np.isin(datums.astype(str), ["gcj02", "bd09"])
    methods = np.where(shifted, datums.astype(str) + ">wgs84 iterative", "as_given")
    return Located(
        gpd.GeoSeries(points, crs=WGS84), datums, methods, "", "mixed" if len(kinds) > 1 else ""
    )


def _row_datums(
    table: pd.DataFrame, found: dict[str, tuple[str, str | None]], datum: str, findings: Findings
) -> NDArray[np.object_] | None:
    """Return the datum that each row gives for itself, or None when there is no such column."""
    if "datum" not in found or datum != "auto":
        return None
    column = found["datum"][0]
    cells = table[column].to_numpy(dtype=object)
    written = ["" if cell is None or cell != cell else str(cell) for cell in cells]
    known = {entry: datum_of_cell(entry) for entry in dict.fromkeys(written)}
    out = np.array([known[entry] for entry in written], dtype=object)
    unknown = np.array([entry is None for entry in out], dtype=bool)
    findings.returned(
        unknown,
        "row_datum",
        text("the datum that the row names is not known"),
        text("write WGS84, CGCS2000, GCJ02 or BD09"),
        field=column,
        values=cells,
    )
    if not unknown.all() and set(out[~unknown]) != {"auto"}:
        findings.note(
            "datum_from_rows",
            text("every row was converted from the datum that it names itself"),
            text("nothing to do"),
            field=column,
            value=shown_value("、".join(dict.fromkeys(entry for entry in written if entry))),
        )
    return out


def _are_metres(one: NDArray[np.float64], two: NDArray[np.float64]) -> bool:
    """Tell projected coordinates from degrees by the middle value of the columns."""
    known = np.concatenate([one[np.isfinite(one)], two[np.isfinite(two)]])
    if 2 * len(known) < len(one) + len(two):  # most cells hold marks or words, as angles do
        return False
    return len(known) > 0 and bool(np.median(np.abs(known)) > 1000.0)


def _scaled_degrees(
    one: NDArray[np.float64], two: NDArray[np.float64], hints: Hints | None
) -> float:
    """Tell by what degrees were multiplied, as navigation devices store them; 0 when by nothing."""
    if hints is None or hints.area is None or not np.isfinite(one).any():
        return 0.0
    west, south, east, north = hints.area.bounds
    x, y = _middle(one), _middle(two)
    fitting = [
        scale
        for scale in (1e5, 1e6, 1e7)
        if west <= x / scale <= east and south <= y / scale <= north
    ]
    return fitting[0] if len(fitting) == 1 else 0.0


def _unscaled(
    table: pd.DataFrame,
    columns: tuple[str, str],
    numbers: list[NDArray[np.float64]],
    scale: float,
    findings: Findings,
) -> tuple[pd.DataFrame, list[NDArray[np.float64]]]:
    """Give degrees that were multiplied their own size."""
    degrees = [values / scale for values in numbers]
    cells = {
        column: [repr(float(v)) if np.isfinite(v) else old
                 for v, old in zip(values, table[column], strict=True)]
        for column, values in zip(columns, degrees, strict=True)
    }  # fmt: skip
    findings.note(
        "scaled_degrees",
        text("these are degrees times {scale}; divided by it they lie in the place",
             scale=f"{scale:.0f}"),
        text("write decimal degrees"),
        field=columns[0],
        value=shown_value(table[columns[0]].iloc[0]),
    )  # fmt: skip
    return table.assign(**cells), degrees


def _from_wkt(
    table: pd.DataFrame,
    column: str,
    spec: LayerSpec,
    findings: Findings,
    hints: Hints | None = None,
) -> Located:
    cells = table[column].to_numpy(dtype=object)
    shapes = np.array([_written_shape(cell) for cell in cells], dtype=object)
    findings.returned(
        shapely.is_missing(shapes),
        "coordinate_unreadable",
        text("this geometry cannot be read"),
        text("write it as WKT, such as POINT (118.308 36.827)"),
        field=column,
        values=cells,
    )
    crs = WGS84 if spec.datum != "auto" else _own_crs(shapes)
    return locate_shapes(gpd.GeoSeries(shapes, crs=crs), spec, findings, hints)


def _own_crs(shapes: NDArray[np.object_]) -> CRS | None:
    """Give the CRS that the geometries name themselves, where all that name one agree."""
    named = {int(number) for number in shapely.get_srid(shapes) if number > 0}
    if len(named) != 1:
        return None
    try:
        return CRS.from_epsg(named.pop())
    except ProjError:
        return None


_HEX: Final = re.compile(r"^(?:[0-9A-Fa-f]{2}){5,}$")
_EWKT: Final = re.compile(r"^\s*SRID=(\d{1,6});", re.IGNORECASE)


def _written_shape(cell: object) -> Any:
    """Read a geometry out of a cell: WKT, EWKT, GeoJSON or hexadecimal WKB; else None."""
    if isinstance(cell, dict):
        cell = json.dumps(cell)
    if not isinstance(cell, str):
        return None
    written = cell.strip()
    if written.startswith("{"):
        return shapely.from_geojson(written, on_invalid="ignore")
    if _HEX.match(written):
        return shapely.from_wkb(written, on_invalid="ignore")
    shape = shapely.from_wkt(_EWKT.sub("", written), on_invalid="ignore")
    return shapely.set_srid(shape, int(m[1])) if (m := _EWKT.match(written)) else shape


def _from_angles(
    lon: Angles,
    lat: Angles,
    columns: tuple[str, str],
    table: pd.DataFrame,
    datum: str,
    spec: LayerSpec,
    findings: Findings,
    own: NDArray[np.object_] | None = None,
    hints: Hints | None = None,
) -> Located:
    crs = declared_crs(spec.crs) if spec.crs else CRS.from_epsg(4326)
    if not crs.is_geographic:
        raise unusable(
            "degrees_not_metres",
            text("{crs} is declared but the columns hold degrees", crs=crs_name(crs)),
            text("take crs out of the project file, or give metres"),
        )
    cells = [table[c].array for c in columns]
    lon, lat = _turned_back(lon, lat, columns, cells, findings)
    blank = is_told(lon.reason, "empty") & is_told(lat.reason, "empty")
    villages, placed, in_town = _by_name(hints, blank)
    lon, lat = _excused(lon, placed), _excused(lat, placed)
    good = _say_reasons(lon, lat, columns, cells, findings)
    if own is not None:
        datums = np.where(own == "auto", "wgs84", own).astype(object)
        datum = "auto" if set(own) <= {"auto", None} else "mixed"
    if datum != "mixed" and hints is not None:
        open_to_all = datum == "auto" and spec.crs is None
        datum = settle_datum(
            np.where(good, lon.degrees, np.nan),
            np.where(good, lat.degrees, np.nan),
            hints,
            findings,
            loose=open_to_all,
            declared=datum,
        )
    if datum != "mixed":
        datums = np.array(["wgs84" if datum == "auto" else datum], dtype=object)
    x, y = _by_row(lon.degrees, lat.degrees, datums)
    x[placed], y[placed] = villages[placed, 0], villages[placed, 1]
    good &= np.isfinite(x) & np.isfinite(y)
    series: gpd.GeoSeries | NDArray[np.float64] = np.where(
        good[:, None], np.column_stack([x, y]), np.nan
    )
    if datum == "auto" and crs != CRS.from_epsg(4326):
        series = gpd.GeoSeries(points_at(*series.T), crs=crs).to_crs(WGS84)
    if datum == "mixed":
        shifted = np.isin(datums, ["gcj02", "bd09"])
        methods = np.where(shifted, datums.astype(str) + ">wgs84 iterative", "as_given")
        return Located(series, datums, methods, crs_name(crs), "mixed")
    source = (
        crs_name(crs) if datum == "auto" and spec.crs else ("wgs84" if datum == "auto" else datum)
    )
    method = f"{datum}>wgs84 iterative" if datum in ("gcj02", "bd09") else "as_given"
    if placed.any():
        _say_placed(placed, in_town, findings)
        marked = _how_placed(placed, in_town, method)
        return Located(series, source, marked, crs_name(crs), datum)
    return Located(series, source, method, crs_name(crs), datum)


def _by_row(
    lon: NDArray[np.float64], lat: NDArray[np.float64], datums: NDArray[np.object_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bring degrees to WGS-84 from the one datum, or each row from its own; NaN without one."""
    if len(set(datums)) == 1 and datums[0] is not None:
        moved = to_wgs84(lon, lat, datum=str(datums[0]))
        return np.array(moved[0]), np.array(moved[1])
    x, y = np.full(len(lon), np.nan), np.full(len(lon), np.nan)
    for name in dict.fromkeys(datums[datums != np.array(None)]):
        rows = datums == name
        x[rows], y[rows] = to_wgs84(lon[rows], lat[rows], datum=str(name))
    return x, y


def _excused(angles: Angles, rows: NDArray[np.bool_]) -> Angles:
    """Leave out the reason of rows that get their place otherwise."""
    if not rows.any():
        return angles
    return Angles(
        angles.degrees, np.where(rows, "", angles.reason), angles.coarse & ~rows, angles.letter
    )


def _by_name(
    hints: Hints | None, blank: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Give rows without coordinates a point in their village, else in their town."""
    villages = village_points(hints, blank)
    towns = town_points(hints, blank & ~np.isfinite(villages[:, 0]))
    in_town = np.isfinite(towns[:, 0])
    points = np.where(in_town[:, None], towns, villages)
    return points, np.isfinite(points[:, 0]), in_town


def _how_placed(placed: NDArray[np.bool_], in_town: NDArray[np.bool_], method: Any) -> Any:
    marked = np.where(placed, str(text("placed in the village")), method)
    return np.where(in_town, str(IN_TOWN), marked)


def _say_placed(placed: NDArray[np.bool_], in_town: NDArray[np.bool_], findings: Findings) -> None:
    mend = text("take the place from a map and fill in longitude and latitude")
    findings.noted(
        placed & ~in_town,
        "by_village",
        text("without coordinates; placed in the middle of the village that the row names"),
        mend,
    )
    findings.noted(
        in_town,
        "by_town",
        text("without coordinates and village; its mark stands in the town that the row names"),
        mend,
    )


def _turned_back(
    lon: Angles, lat: Angles, columns: tuple[str, str], cells: list[Any], findings: Findings
) -> tuple[Angles, Angles]:
    """Exchange longitude and latitude where they can only be meant the other way round."""
    swapped = (
        _exchanged(lon, lat)
        & is_told(lon.reason, "")
        & in_china(np.nan_to_num(lat.degrees), np.nan_to_num(lon.degrees))
    )
    if not swapped.any():
        return lon, lat
    findings.noted(
        swapped,
        "swapped",
        text("longitude and latitude stand in each other's column; they were exchanged"),
        text("put them into each other's column"),
        field=columns[1],
        values=cells[1],
    )
    nothing = np.full(len(swapped), "", dtype=object)
    return (
        Angles(
            np.where(swapped, lat.degrees, lon.degrees),
            np.where(swapped, nothing, lon.reason),
            np.where(swapped, lat.coarse, lon.coarse),
            lon.letter,
        ),
        Angles(
            np.where(swapped, lon.degrees, lat.degrees),
            np.where(swapped, nothing, lat.reason),
            np.where(swapped, lon.coarse, lat.coarse),
            lat.letter,
        ),
    )


def _exchanged(lon: Angles, lat: Angles) -> NDArray[np.bool_]:
    """Tell which rows would be angles on the earth the other way round."""
    far = is_told(lat.reason, "range")
    return np.asarray(far & (np.abs(lat.degrees) <= 180.0) & (np.abs(lon.degrees) <= 90.0))


def _say_reasons(
    lon: Angles, lat: Angles, columns: tuple[str, str], cells: list[Any], findings: Findings
) -> NDArray[np.bool_]:
    """Return the rows whose angles cannot be used; the mask of the others comes back."""
    swapped = _exchanged(lon, lat)
    swapped |= is_told(lon.reason, "hemisphere") & is_told(lat.reason, "hemisphere")
    findings.returned(
        swapped,
        "swapped",
        text("longitude and latitude are swapped"),
        text("put them into each other's column"),
        field=columns[1],
        values=cells[1],
    )
    found = {*lon.reason[~is_told(lon.reason, "")], *lat.reason[~is_told(lat.reason, "")]}
    for rule, (message, mend) in ANGLE_REASONS.items():
        if rule not in found:
            continue
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
    good = is_told(lon.reason, "") & is_told(lat.reason, "")
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
    some = degrees[:_FIRST_ROWS]  # most columns show in their first rows that they are not
    if len(degrees) < 10 or not np.isfinite(_of_packed(some)).all():
        return False
    return bool(np.isfinite(_of_packed(degrees)).all())


_FIRST_ROWS: Final = 1000


def _of_packed(written: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read DDD.MMSS; NaN where its minutes or seconds are 60 or more."""
    whole = np.floor(np.abs(written))
    hundredths = (np.abs(written) - whole) * 100.0 + 1e-7
    minutes = np.floor(hundredths)
    seconds = np.maximum((hundredths - minutes) * 100.0 - 1e-5, 0.0)
    degrees = np.sign(written) * (whole + minutes / 60.0 + seconds / 3600.0)
    return np.where((minutes < 60.0) & (seconds < 60.0), degrees, np.nan)


_PACKED: Final = re.compile(r"(?i)度\s*[.．]\s*分\s*秒|d{1,3}\.mm\.?ss")
"""Headings that say how angles are packed into one number."""


def _unpacked(
    lon: Angles,
    lat: Angles,
    table: pd.DataFrame,
    columns: tuple[str, str],
    hints: Hints | None,
    findings: Findings,
) -> tuple[Angles, Angles]:
    """Read DDD.MMSS where the heading says so, or where only so the places lie in the area."""
    told = all(_PACKED.search(column) for column in columns)
    good = is_told(lon.reason, "") & is_told(lat.reason, "")
    if not told and not _only_packed(lon.degrees[good], lat.degrees[good], hints):
        return lon, lat
    rows = (
        good & np.isfinite(as_metres(table[columns[0]])) & np.isfinite(as_metres(table[columns[1]]))
    )
    if not rows.any() or (not told and not rows[good].all()):
        return lon, lat
    x, y = _of_packed(lon.degrees[rows]), _of_packed(lat.degrees[rows])
    findings.note(
        "unpacked_dms",
        text("degrees, minutes and seconds written as DDD.MMSS were read as such"),
        text("check one place on a map; write 118°18′28.8″ or decimal degrees"),
        field=columns[0],
        value=shown_value(table[columns[0]].iloc[int(np.flatnonzero(rows)[0])]),
    )
    return _repacked(lon, rows, x), _repacked(lat, rows, y)


def _only_packed(lon: NDArray[np.float64], lat: NDArray[np.float64], hints: Hints | None) -> bool:
    """Tell whether places lie in the area as DDD.MMSS, and hardly any of them as degrees."""
    if hints is None or hints.area is None or len(lon) < 3:
        return False
    some = np.linspace(0, len(lon) - 1, min(len(lon), 1000)).astype(np.int64)
    shapely.prepare(hints.area)
    if shapely.contains_xy(hints.area, lon[some], lat[some]).mean() > 0.5:
        return False
    x, y = _of_packed(lon), _of_packed(lat)
    if not (np.isfinite(x) & np.isfinite(y)).all():
        return False
    return bool(shapely.contains_xy(hints.area, x[some], y[some]).mean() >= 0.9)


def _repacked(
    angles: Angles,
    rows: NDArray[np.bool_],
    degrees: NDArray[np.float64],
) -> Angles:
    """Put unpacked degrees in their rows; minutes or seconds of 60 and more are refused."""
    values, reason = angles.degrees.copy(), angles.reason.copy()
    values[rows] = degrees
    reason[rows] = np.where(np.isfinite(degrees), "", "minutes")
    return Angles(values, reason, angles.coarse & ~rows, angles.letter)

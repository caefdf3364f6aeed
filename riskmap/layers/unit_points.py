"""Units without outlines: villages that are a point get sketched areas, towns are their sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.errors import Problem
from riskmap.geo.crs import metric_crs
from riskmap.i18n import Text, text
from riskmap.layers.check.findings import row_list, unusable
from riskmap.layers.check.rules import normal_names
from riskmap.layers.place.points import locate_table
from riskmap.vocabulary.columns import (
    LEVEL,
    NAME,
    PARENT_ID,
    POPULATION,
    UNIT_ID,
    UNIT_LEVELS,
    WGS84,
)
from riskmap.vocabulary.roles import Role, header_key, match_header, parse_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely import Geometry

    from riskmap.layers.check.findings import Findings
    from riskmap.layers.layer import UnitSpec

SKETCH: Final = "sketch"
"""Column of units: True where the area is a sketch and no boundary."""
_PLACES: Final = Role(name="unit", zh="", en="")
"""Knows the columns of coordinates and no other."""
_ALONE_M: Final = 1000.0
"""Radius of the area of a place that has one village only [m]."""
_RIM_M: Final = (500.0, 5000.0)
"""How far the hull stands off the outermost villages: half their usual distance, within these."""


def column_field(header: str) -> str | None:
    """Find the coordinate that a column of a table of units holds.

    Parameters
    ----------
    header
        The header.

    Returns
    -------
    str or None
        ``lon``, ``lat``, ``lonlat``, ``easting``, ``northing``, ``wkt``, or None.

    Examples
    --------
    >>> column_field("经度(°)"), column_field("镇街")
    ('lon', None)
    """
    field, _ = match_header(_PLACES, header)
    return None if field is None else field.name


def same_header(header: str, name: str) -> bool:
    """Tell whether a header is the one that is named, with or without star and unit.

    Parameters
    ----------
    header
        The header as the file has it.
    name
        The name that is looked for.

    Returns
    -------
    bool
        True when it is.

    Examples
    --------
    >>> same_header("*常住人口(人)", "常住人口"), same_header("人口", "常住人口")
    (True, False)
    """
    key = header_key(name)
    return key in {header_key(header), header_key(parse_header(header)[0])}


def unit_points(table: pd.DataFrame, spec: UnitSpec, findings: Findings) -> gpd.GeoSeries | None:
    """Read the point of each unit.

    Parameters
    ----------
    table
        Shape (n, columns): the cells.
    spec
        Its ``crs`` and ``datum`` as declared.
    findings
        Takes the rows that have no good coordinates.

    Returns
    -------
    GeoSeries or None
        Shape (n,): points in EPSG:4326; None when a table of towns or districts has no coordinates,
        whose areas are then those of their villages.

    Raises
    ------
    LayerError
        When a table of villages has neither outlines nor coordinates.
    """
    found: dict[str, tuple[str, str | None]] = {}
    for column in map(str, table.columns):
        field, unit = match_header(_PLACES, column)
        if field is not None:
            found.setdefault(field.name, (column, unit))
    if {"lon", "lat"} <= set(found) or {"easting", "northing"} <= set(found) or "lonlat" in found:
        return locate_table(table, found, spec, findings).geometry  # type: ignore[arg-type]
    if spec.level in ("district", "town"):
        return None
    raise unusable(
        "no_geometry",
        text("units need outlines or a point each, and this table has neither"),
        text("give a layer with polygons, or columns 经度 and 纬度 with a point in every village"),
    )


def draw_areas(
    units: gpd.GeoDataFrame,
    problems: list[Problem],
    *,
    outline: Callable[[], Geometry | None] | None = None,
) -> gpd.GeoDataFrame:
    """Give units that are a point the land that is nearest to it, and add their towns.

    Parameters
    ----------
    units
        Shape (n, columns): EPSG:4326, with ``unit_id``; polygons, points, or nothing for towns that
        are the sum of their villages.
    problems
        Takes the rows returned and what must be said.
    outline
        Gives the outline of the place, when there is one; it is asked only if there are points.

    Returns
    -------
    GeoDataFrame
        Polygons only; column ``sketch`` tells which are no boundaries.
    """
    shapes = units.geometry.to_numpy().copy()
    points = shapely.get_type_id(shapes) == 0
    units = units.assign(**{SKETCH: points})
    if not points.any():
        return _without_land(units, problems)
    level = str(units[LEVEL].to_numpy()[points][0])
    same = ~points & (units[LEVEL] == level).to_numpy() & ~shapely.is_missing(shapes)
    coarse = ~points & ~same & ~shapely.is_missing(shapes)
    limit = outline() if outline is not None else None
    if limit is None and coarse.any():
        limit = shapely.union_all(shapes[coarse])
    areas, lost = _nearest_land(
        shapes[points], limit, taken=shapely.union_all(shapes[same]) if same.any() else None
    )
    rows = np.flatnonzero(points)
    shapes[rows] = areas
    units = units.set_geometry(gpd.GeoSeries(shapes, index=units.index, crs=WGS84))
    _say_lost(units, rows[lost], problems)
    drawn = rows[~lost]
    if len(drawn):
        problems.append(_say_sketch(units.iloc[drawn], clipped=limit is not None))
    units = units.drop(index=units.index[rows[lost]]).reset_index(drop=True)
    return _without_land(_with_towns(units, level), problems)


def _nearest_land(
    points: Any, limit: Geometry | None, *, taken: Geometry | None
) -> tuple[Any, Any]:
    """Cut the place into the land nearest to each point; a repeated point gets none."""
    centre = shapely.centroid(shapely.multipoints(points))
    metric = metric_crs(centre.x, centre.y)
    at = gpd.GeoSeries(points, crs=WGS84).to_crs(metric).to_numpy()
    if limit is not None:
        around = gpd.GeoSeries([limit], crs=WGS84).to_crs(metric).make_valid().iloc[0]
    else:
        around = _hull(at)
    if taken is not None:
        around = shapely.difference(
            around, gpd.GeoSeries([taken], crs=WGS84).to_crs(metric).make_valid().iloc[0]
        )
    key = pd.Series([f"{x:.1f} {y:.1f}" for x, y in shapely.get_coordinates(at)])
    lost = key.duplicated(keep="first").to_numpy()
    lost = lost | ~shapely.intersects(around, at)
    areas = np.full(len(at), None, dtype=object)
    kept = np.flatnonzero(~lost)
    if len(kept) == 1:
        areas[kept[0]] = around
    elif len(kept):
        cells = shapely.voronoi_polygons(
            shapely.multipoints(at[kept]), extend_to=shapely.box(*around.bounds), ordered=True
        )
        cut = shapely.intersection(shapely.get_parts(cells), around)
        areas[kept] = [_polygons(shape) for shape in cut]
    return gpd.GeoSeries(areas, crs=metric).to_crs(WGS84).to_numpy(), lost


def _polygons(shape: Geometry) -> Geometry:
    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([p for p in shape.geoms if shapely.get_dimensions(p) == 2])


def _hull(at: Any) -> Geometry:
    """Draw a hull around points in metres, half their usual distance outside the outermost."""
    if len(at) == 1:
        return shapely.buffer(at[0], _ALONE_M)
    tree = shapely.STRtree(at)
    _, apart = tree.query_nearest(at, exclusive=True, all_matches=False, return_distance=True)
    usual = float(np.median(apart)) if len(apart) else _ALONE_M
    rim = float(np.clip(usual / 2, *_RIM_M))
    return shapely.buffer(shapely.convex_hull(shapely.multipoints(at)), rim)


def _returned(units: gpd.GeoDataFrame, row: int, rule: str, said: Text, mend: Text) -> Problem:
    return Problem(
        "returned",
        "unit",
        rule,
        said,
        mend,
        file=str(units["_file"].iloc[row]),
        sheet=str(units["_sheet"].iloc[row]),
        row=int(units["_row"].iloc[row]),
        value=str(units[NAME].iloc[row]),
    )


def _say_lost(units: gpd.GeoDataFrame, rows: Any, problems: list[Problem]) -> None:
    problems.extend(
        _returned(
            units,
            row,
            "point_without_land",
            text("the point stands on another village's point, or outside the outline"),
            text("check longitude and latitude"),
        )
        for row in map(int, rows)
    )


def _say_sketch(units: gpd.GeoDataFrame, *, clipped: bool) -> Problem:
    how = text("the outline given") if clipped else text("a hull around the points")
    return Problem(
        "note",
        "unit",
        "sketch",
        text(
            "{n} units have a point and no boundary: their areas are sketches, the land nearest to "
            "each point inside {how} (rows {rows})",
            n=len(units),
            how=how,
            rows=row_list(units["_row"].to_numpy()),
        ),
        text("ask the civil affairs department for the boundaries and name them under units:"),
        file=str(units["_file"].iloc[0]),
        sheet=str(units["_sheet"].iloc[0]),
    )


def _with_towns(units: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Give towns without an outline the sum of their villages; add towns named by villages only."""
    place = UNIT_LEVELS.index(level)
    if place == 0:
        return units
    coarser = (units[LEVEL].map(UNIT_LEVELS.index) < place).to_numpy()
    sketched = (units[LEVEL] == level).to_numpy()
    ids = set(units[UNIT_ID][coarser])
    named = dict(zip(normal_names(units[NAME][coarser]), units[UNIT_ID][coarser], strict=True))
    upper = UNIT_LEVELS[place - 1]
    parents = units[PARENT_ID].to_numpy(dtype=object).copy()
    added: dict[str, str] = {}
    for row in np.flatnonzero(sketched):
        parent = parents[row]
        if not isinstance(parent, str) or parent in ids:
            continue
        key = str(normal_names(pd.Series([parent])).iloc[0])
        known = named.get(key) or added.setdefault(key, f"{upper}:{key}")
        parents[row] = known
        named.setdefault(key, known)
    words = {unit: _first_name(units, sketched, unit_key) for unit_key, unit in added.items()}
    units = units.assign(**{PARENT_ID: pd.Series(parents, index=units.index, dtype=object)})
    new = pd.DataFrame(
        {
            UNIT_ID: list(words),
            PARENT_ID: None,
            LEVEL: upper,
            NAME: list(words.values()),
            POPULATION: np.nan,
            "elderly": np.nan,
            "_file": units["_file"].iloc[0],
            "_sheet": units["_sheet"].iloc[0],
            "_row": 0,
            "_part": -1,
            SKETCH: True,
        }
    )
    if len(new):
        grown = gpd.GeoDataFrame(new, geometry=[None] * len(new), crs=WGS84)
        units = gpd.GeoDataFrame(pd.concat([units, grown], ignore_index=True), crs=WGS84)
    shapes = units.geometry.to_numpy().copy()
    for row in np.flatnonzero(shapely.is_missing(shapes)):
        below = (units[PARENT_ID] == units[UNIT_ID].iloc[row]).to_numpy()
        if below.any():
            shapes[row] = shapely.union_all(shapes[below])
            units.loc[units.index[row], SKETCH] = True
    return units.set_geometry(gpd.GeoSeries(shapes, index=units.index, crs=WGS84))


def _first_name(units: gpd.GeoDataFrame, rows: Any, key: str) -> str:
    given = units["_parent"][rows].dropna()
    return str(given[(normal_names(given) == key).to_numpy()].iloc[0])


def _without_land(units: gpd.GeoDataFrame, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Return units that have neither an outline nor villages."""
    gone = shapely.is_missing(units.geometry.to_numpy())
    problems.extend(
        _returned(
            units,
            row,
            "no_geometry",
            text("no village names this unit, and it has no outline"),
            text("write its name into the villages' column, or delete the row"),
        )
        for row in map(int, np.flatnonzero(gone))
    )
    return units[~gone].reset_index(drop=True)


def sketch_note(units: gpd.GeoDataFrame) -> Text | None:
    """Say beside every result that areas of units are sketches.

    Parameters
    ----------
    units
        All units.

    Returns
    -------
    Text or None
        None when every unit has a boundary.
    """
    if SKETCH not in units or not units[SKETCH].any():
        return None
    return text(
        "Sketch areas (示意): {n} of {all} units have no boundary; their areas are the land "
        "nearest to a point each. They are no boundaries; places near their edges may belong to "
        "the neighbour.",
        n=int(units[SKETCH].sum()),
        all=len(units),
    )


__all__ = ["draw_areas", "sketch_note", "unit_points"]

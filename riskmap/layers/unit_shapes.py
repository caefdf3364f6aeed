"""Outlines of units: repair, parents by containment, overlaps and gaps, sketches from points."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.errors import Problem
from riskmap.geo.grid import metric_crs
from riskmap.i18n import Text, text
from riskmap.layers.check import normal_names, repair, return_gone, row_place
from riskmap.layers.layer import Findings, row_list, shown_value, unusable
from riskmap.layers.place.datum import to_wgs84
from riskmap.layers.place.points import locate_table
from riskmap.vocabulary.columns import (
    LEVEL,
    NAME,
    PARENT_ID,
    POPULATION,
    UNIT_ID,
    UNIT_LEVELS,
    WGS84,
    header_key,
    parse_header,
)
from riskmap.vocabulary.roles import Role, match_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from shapely import Geometry

    from riskmap.layers.layer import UnitSpec


_EQUAL_AREA: Final = "EPSG:6933"
"""Global equal-area cylinder: areas of overlaps and gaps are measured in it."""
_SLIVER_KM2: Final = 0.01
"""Smaller overlaps and gaps are drawing slips and not worth a line."""
_SHOWN_PAIRS: Final = 5


def repair_units(shapes: gpd.GeoSeries, findings: Findings) -> gpd.GeoSeries:
    """Return units that are not areas and repair invalid outlines.

    Parameters
    ----------
    shapes
        Shape (n,): EPSG:4326.
    findings
        Takes the rows.

    Returns
    -------
    GeoSeries
        Valid polygons; None where a row is returned.
    """
    values = shapes.to_numpy().copy()
    gone = shapely.is_missing(values) | shapely.is_empty(values)
    return_gone(gone, findings)
    values[gone] = None
    wrong = ~gone & ~np.isin(shapely.get_type_id(values), (3, 6, 7))
    findings.returned(
        wrong,
        "geometry_type",
        text("{wanted} are needed here", wanted=text("polygons")),
        text("give the right layer"),
    )
    values[wrong] = None
    values = repair(values, findings)
    return gpd.GeoSeries(values, index=shapes.index, crs=shapes.crs)


def find_parents(units: gpd.GeoDataFrame, problems: list[Problem]) -> pd.Series:
    """Complete the parents: declared ones that exist, else by a point inside the unit.

    Parameters
    ----------
    units
        Shape (n, columns): indexed by ``unit_id``, coarse levels first.
    problems
        Takes notes on parents that do not exist.

    Returns
    -------
    Series
        Shape (n,): parent ids, missing for the coarsest level and where nothing contains a unit.
    """
    ids = units.index.to_numpy(dtype=object)
    declared = units[PARENT_ID].to_numpy(dtype=object).copy()
    stated = pd.notna(declared)
    unknown = stated & ~np.isin(np.where(stated, declared, ""), ids)
    levels = [level for level in UNIT_LEVELS if (units[LEVEL] == level).any()]
    top = (units[LEVEL] == levels[0]).to_numpy()
    if (unknown & ~top).any():
        first = int(np.flatnonzero(unknown & ~top)[0])
        problems.append(
            _note(
                units,
                "parent_unknown",
                text(
                    "{n} units name a parent that is not there; found by place instead",
                    n=int((unknown & ~top).sum()),
                ),
                text("check the parent codes"),
                value=shown_value(declared[first]),
            )
        )
    parents = np.full(len(units), None, dtype=object)
    parents[stated & ~unknown] = declared[stated & ~unknown]
    points = shapely.point_on_surface(units.geometry.to_numpy())
    for coarse, fine in pairwise(levels):
        inside = (units[LEVEL] == coarse).to_numpy()
        need = (units[LEVEL] == fine).to_numpy() & pd.isna(parents)
        if not need.any():
            continue
        tree = shapely.STRtree(units.geometry.to_numpy()[inside])
        child, parent = tree.query(points[need], predicate="within")
        hits = pd.Series(ids[inside][parent]).groupby(child).min()
        rows = np.flatnonzero(need)
        parents[rows[hits.index.to_numpy()]] = hits.to_numpy()
    lost = pd.isna(parents) & ~top & (units[LEVEL] != "custom").to_numpy()
    if lost.any():
        problems.append(
            _note(
                units,
                "no_parent",
                text("{n} units lie in no unit of the coarser level", n=int(lost.sum())),
                text("check the outlines, or give the parent codes"),
                value=shown_value("、".join(map(str, units[NAME].to_numpy()[lost][:_SHOWN_PAIRS]))),
            )
        )
    return pd.Series(parents, index=units.index, dtype="str")


def _note(
    units: gpd.GeoDataFrame, rule: str, message: Text, mend: Text, *, value: str = ""
) -> Problem:
    return Problem(
        "note", "unit", rule, message, mend, file=str(units["_file"].iloc[0]), value=value
    )


def close_holes(shape: Any, *, below_m2: float) -> tuple[Any, int, float]:
    """Fill the small gaps and bead holes that outlines leave when they are merged.

    Parameters
    ----------
    shape
        A merged area, in a metric CRS.
    below_m2
        Holes of a smaller area are filled; a lake or an exclave is larger.

    Returns
    -------
    tuple
        The area, the number of holes filled and their area together [m2].

    Examples
    --------
    >>> ring = shapely.box(0, 0, 100, 100).difference(shapely.box(50, 50, 51, 60))
    >>> whole, n, area = close_holes(ring, below_m2=400.0)
    >>> whole.area, n, area
    (10000.0, 1, 10.0)
    """
    filled, n, area = [], 0, 0.0
    for part in shapely.get_parts(shape):
        if not hasattr(part, "interiors"):
            filled.append(part)
            continue
        holes = np.array([shapely.Polygon(ring) for ring in part.interiors], dtype=object)
        small = shapely.area(holes) < below_m2 if len(holes) else np.zeros(0, dtype=bool)
        if not small.any():
            filled.append(part)
            continue
        kept = [hole.exterior for hole in holes[~small]]
        filled.append(shapely.Polygon(part.exterior, kept))
        n, area = n + int(small.sum()), area + float(shapely.area(holes[small]).sum())
    return (shapely.union_all(filled), n, area) if n else (shape, 0, 0.0)


_FITS: Final = 0.5
"""A shift is told when it leaves less than this part of what does not fit."""


def outline_doubts(
    units: gpd.GeoDataFrame, boundary: gpd.GeoDataFrame, *, gain: float
) -> list[Problem]:
    """Tell when units and boundary fit each other better with one of them in GCJ-02 or BD-09.

    Parameters
    ----------
    units, boundary
        In the same metric CRS.
    gain
        Least gain, as a share of the boundary's area, that is told.

    Returns
    -------
    list of Problem
        One note, or none.
    """
    one, two = units.geometry.union_all(), boundary.geometry.union_all()
    if one.is_empty or two.is_empty:
        return []

    def misfit(first: Any, second: Any) -> float:
        return float(shapely.symmetric_difference(first, second).area / two.area)

    now = misfit(one, two)
    tried = {
        (side, datum): misfit(
            _moved(one, units.crs, datum) if side == "units" else one,
            _moved(two, units.crs, datum) if side == "boundary" else two,
        )
        for side in ("units", "boundary")
        for datum in ("gcj02", "bd09")
    }
    best = min(tried, key=lambda key: tried[key])
    if now - tried[best] < gain or tried[best] > _FITS * now:
        return []
    side, datum = best
    return [
        Problem(
            "note", "unit", "outline_datum",
            text(
                "units and boundary do not fit on {now} of the area; with {side} in {datum} it "
                "would be {then}",
                now=f"{100 * now:.2f} %", then=f"{100 * tried[best]:.2f} %", datum=datum,
                side=text("the units") if side == "units" else text("the boundary"),
            ),
            text("ask where the outlines come from, and give datum: for units or boundary"),
            file=str((units if side == "units" else boundary)["_file"].iloc[0]),
        )
    ]  # fmt: skip


def _moved(shape: Any, crs: Any, datum: str) -> Any:
    """Move a metric shape as if its degrees were those of a datum."""
    degrees = gpd.GeoSeries([shape], crs=crs).to_crs(WGS84).to_numpy()

    def shift(points: Any) -> Any:
        return np.column_stack(to_wgs84(points[:, 0], points[:, 1], datum=datum))

    return gpd.GeoSeries(shapely.transform(degrees, shift), crs=WGS84).to_crs(crs).iloc[0]


_STRAY_TIMES: Final = 15.0
"""A unit this many times as far from the middle as the others usually are is a stray one."""
_STRAY_KM: Final = 30.0


def find_strays(units: gpd.GeoDataFrame) -> list[Problem]:
    """Name units that lie far away from all others of their level.

    Parameters
    ----------
    units
        Shape (n, columns): EPSG:4326, with level and name.

    Returns
    -------
    list of Problem
        One note for each stray unit.
    """
    out = []
    for level in UNIT_LEVELS:
        part = units[units[LEVEL] == level]
        box = shapely.bounds(part.geometry.to_numpy())
        known = np.isfinite(box).all(axis=1)
        if known.sum() < 4:
            continue
        part, box = part[known], box[known]
        x, y = (box[:, 0] + box[:, 2]) / 2.0, (box[:, 1] + box[:, 3]) / 2.0
        middle_x, middle_y = np.median(x), np.median(y)
        km = 111.2 * np.hypot((x - middle_x) * np.cos(np.radians(middle_y)), y - middle_y)
        far = (km > _STRAY_TIMES * np.median(km)) & (km > _STRAY_KM)
        for index in np.flatnonzero(far):
            row = part.iloc[int(index)]
            out.append(
                Problem(
                    "note",
                    "unit",
                    "stray_unit",
                    text(
                        "{name} lies {km} km away from the others; its outline may be in another "
                        "place or coordinate system",
                        name=row[NAME],
                        km=f"{km[index]:.0f}",
                    ),
                    text("check the outline in a GIS, or take the unit out"),
                    file=str(row["_file"]),
                    row=int(row["_row"]),
                    value=f"{x[index]:.4f}, {y[index]:.4f}",
                )
            )
    return out


def measure_fit(units: gpd.GeoDataFrame) -> list[Problem]:
    """Measure overlaps and gaps between the units of each level.

    Parameters
    ----------
    units
        Shape (n, columns): EPSG:4326.

    Returns
    -------
    list of Problem
        Notes; custom units may overlap and are not measured.
    """
    problems = []
    for level in UNIT_LEVELS:
        part = units[units[LEVEL] == level]
        if level == "custom" or len(part) < 2:
            continue
        shapes = part.geometry.to_crs(_EQUAL_AREA).to_numpy()
        problems += _overlaps(part, shapes)
        problems += _gaps(part, shapes)
    return problems


def _overlaps(part: gpd.GeoDataFrame, shapes: np.ndarray) -> list[Problem]:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = first < second
    first, second = first[once], second[once]
    area = shapely.area(shapely.intersection(shapes[first], shapes[second])) / 1e6
    much = area > _SLIVER_KM2
    if not much.any():
        return []
    names = part[NAME].to_numpy()
    order = np.argsort(-area[much], kind="stable")[:_SHOWN_PAIRS]
    pairs = [f"{names[first[much][i]]}/{names[second[much][i]]}" for i in order]
    return [
        _note(
            part,
            "overlap",
            text(
                "{n} pairs of units of level {level} overlap, {area} km2 together",
                n=int(much.sum()),
                level=part[LEVEL].iloc[0],
                area=f"{area[much].sum():.2f}",
            ),
            text("check the outlines in a GIS"),
            value=shown_value("、".join(pairs)),
        )
    ]


def _gaps(part: gpd.GeoDataFrame, shapes: np.ndarray) -> list[Problem]:
    """Note holes that the units of one level leave between each other."""
    whole = shapely.get_parts(shapely.union_all(shapes))
    rings = shapely.get_rings(whole)
    holes = (
        shapely.area(shapely.polygons(rings)).sum()
        - shapely.area(shapely.polygons(shapely.get_exterior_ring(whole))).sum()
    )
    if holes / 1e6 <= _SLIVER_KM2:
        return []
    return [
        _note(
            part,
            "gap",
            text(
                "the units of level {level} leave {area} km2 uncovered between them",
                level=part[LEVEL].iloc[0],
                area=f"{holes / 1e6:.2f}",
            ),
            text("check the outlines in a GIS"),
        )
    ]


def drop_repeated(units: gpd.GeoDataFrame, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Return units whose code an earlier one has.

    Parameters
    ----------
    units
        Shape (n, columns): with ``unit_id``.
    problems
        Takes the rows returned.

    Returns
    -------
    GeoDataFrame
        The first unit of each code.
    """
    again = units[UNIT_ID].duplicated(keep="first").to_numpy()
    codes = units[UNIT_ID].tolist()
    first: dict[str, int] = {}
    for place, code in enumerate(codes):
        first.setdefault(code, place)
    problems.extend(
        _returned(
            units,
            row,
            "duplicate_code",
            text("the row repeats {first}", first=row_place(units, first[codes[row]])),
            text("give each unit its own code"),
            field=UNIT_ID,
        )
        for row in map(int, np.flatnonzero(again))
    )
    return units[~again]


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


def _returned(
    units: gpd.GeoDataFrame, row: int, rule: str, said: Text, mend: Text, *, field: str = NAME
) -> Problem:
    """Return a row, told by a field of it."""
    return Problem(
        "returned",
        "unit",
        rule,
        said,
        mend,
        file=str(units["_file"].iloc[row]),
        sheet=str(units["_sheet"].iloc[row]),
        row=int(units["_row"].iloc[row]),
        field="" if field == NAME else field,
        value=str(units[field].iloc[row]),
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

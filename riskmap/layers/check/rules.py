"""Checks of geometry, place and duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from riskmap.i18n import text
from riskmap.layers.check.findings import Findings, in_words
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely import Geometry

    from riskmap.layers.check.findings import Findings
    from riskmap.vocabulary.roles import Role


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
    reasons[broken] = in_words(shapely.is_valid_reason(values[broken]))
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


def find_beyond(
    shapes: gpd.GeoSeries,
    place: Geometry | None,
    stated: Mapping[str, pd.Series],
    units: gpd.GeoDataFrame | None,
    *,
    reach_m: float,
) -> NDArray[np.bool_]:
    """Tell the rows outside the place that lie within a reach of it and claim no unit of it.

    A row that names a village or town of the place but lies outside has wrong coordinates.

    Parameters
    ----------
    shapes
        Shape (n,): EPSG:4326.
    place
        The place in EPSG:4326, or None.
    stated
        Level to the names that rows state, shape (n,).
    units
        Units of the place with level and name, or None.
    reach_m
        How far outside rows still count [m].

    Returns
    -------
    ndarray
        Shape (n,).
    """
    values = shapes.to_numpy()
    found = np.zeros(len(values), dtype=bool)
    if place is None or reach_m <= 0:
        return found
    near = ~(shapely.is_missing(values) | shapely.is_empty(values))
    shapely.prepare(place)
    near &= ~shapely.intersects(place, values)
    if not near.any():
        return found
    middle = shapely.centroid(place)
    local = pyproj.CRS.from_proj4(f"+proj=aeqd +lat_0={middle.y} +lon_0={middle.x} +datum=WGS84")
    metres = shapes[near].to_crs(local).to_numpy()
    edge = gpd.GeoSeries([place], crs=WGS84).to_crs(local).iloc[0]
    with np.errstate(invalid="ignore"):  # a latitude beyond 90 lies nowhere
        found[near] = shapely.dwithin(edge, metres, reach_m)
    if units is None or "name" not in units:
        return found
    for level in ("village", "town"):
        names = set(units.loc[units["level"] == level, "name"].astype(str))
        if level in stated:
            found &= ~stated[level].astype(object).isin(names).to_numpy()
    return found


def check_place(
    shapes: gpd.GeoSeries,
    place: Geometry | None,
    findings: Findings,
    *,
    spare: NDArray[np.bool_] | None = None,
) -> gpd.GeoSeries:
    """Return the rows that do not touch the place; exchange the axes where that brings them in.

    Parameters
    ----------
    shapes
        Shape (n,): EPSG:4326.
    place
        The place in EPSG:4326, or None.
    findings
        Takes the rows.
    spare
        Rows outside the place that may stay there, shape (n,).

    Returns
    -------
    GeoSeries
        Shape (n,): with swapped points put right.
    """
    values = shapes.to_numpy()
    present = ~shapely.is_missing(values)
    x, y = np.full(len(values), np.nan), np.full(len(values), np.nan)
    x[present], y[present] = (
        shapely.get_x(shapely.centroid(values[present])),
        shapely.get_y(shapely.centroid(values[present])),
    )
    swapped = present & (np.abs(y) > 90.0) & (np.abs(y) <= 180.0) & (np.abs(x) <= 90.0)
    outside = np.zeros(len(values), dtype=bool)
    if place is not None:
        shapely.prepare(place)
        outside = present & ~shapely.intersects(place, values)
        if spare is not None:
            outside &= ~spare
        turned = shapely.intersects(
            place, shapely.points(np.where(outside, y, np.nan), np.where(outside, x, np.nan))
        )
        swapped |= outside & turned
    else:
        swapped |= present & (y >= 73.0) & (y <= 135.0) & (x >= 3.0) & (x <= 54.0)
    shown = np.full(len(values), None, dtype=object)
    for index in np.flatnonzero(outside | swapped):
        shown[index] = f"{x[index]:.6f}, {y[index]:.6f}"
    points = swapped & (shapely.get_type_id(values) == 0) & (place is not None)
    findings.noted(
        points,
        "swapped",
        text("longitude and latitude stand in each other's column; they were exchanged"),
        text("put them into each other's column"),
        values=shown,
    )
    findings.returned(
        swapped & ~points,
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
    if not points.any():
        return shapes
    values = values.copy()
    values[points] = shapely.points(y[points], x[points])
    return gpd.GeoSeries(values, index=shapes.index, crs=shapes.crs)


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


SAME_PLACE_M: Final = 1.0
"""Two rows of one name nearer than this are one thing told twice."""


def _where(table: pd.DataFrame, index: int) -> str:
    sheet = f" [{table['_sheet'].iloc[index]}]" if table["_sheet"].iloc[index] else ""
    return f"{table['_file'].iloc[index]}{sheet} #{table['_row'].iloc[index]}"


def find_duplicates(
    table: gpd.GeoDataFrame, role: Role
) -> list[tuple[NDArray[np.bool_], str, str, list[str]]]:
    """Find rows that repeat an earlier one: the same own number, or name and place.

    Parameters
    ----------
    table
        Shape (n, columns): in a metric CRS, in the order of the files.
    role
        The role.

    Returns
    -------
    list of tuple
        Mask of the later rows, rule, field, and where the first row of each stands.
    """
    out = []
    bad = np.zeros(len(table), dtype=bool)
    key = role.id_field
    if key in table.columns and role.item:
        numbers = pd.Series(table[key].to_numpy(dtype=object))
        numbers = numbers.where(~numbers_restart(table, role))
        mask, firsts = _repeats(numbers, table)
        out.append((mask, "duplicate_number", key, firsts))
        bad |= mask
    if "name" in table.columns and role.group != "base":
        names = normal_names(table["name"])
        centre = shapely.centroid(table.geometry.to_numpy())
        x = np.round(shapely.get_x(centre) / SAME_PLACE_M)
        y = np.round(shapely.get_y(centre) / SAME_PLACE_M)
        joined = (
            names
            + "|"
            + pd.Series(x, index=names.index).astype("str")
            + "|"
            + pd.Series(y, index=names.index).astype("str")
        )
        joined = joined.where((names != "").to_numpy() & np.isfinite(x) & ~bad)
        mask, firsts = _repeats(joined.reset_index(drop=True), table)
        out.append((mask, "duplicate", "name", firsts))
    return out


def numbers_restart(table: gpd.GeoDataFrame, role: Role) -> NDArray[np.bool_]:
    """Find numbers that begin anew in every sheet, file or town, so that they tell nothing apart.

    Parameters
    ----------
    table
        Shape (n, columns): rows of all files.
    role
        The role.

    Returns
    -------
    ndarray
        True for every row whose number another sheet has for another object, shape (n,).
    """
    key = role.id_field
    if key not in table.columns or not role.item or "name" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    numbers = pd.Series(table[key].to_numpy(dtype=object))
    part = pd.Series(table["_file"].to_numpy(dtype=object)).astype("str") + "|"
    part = part + pd.Series(table["_sheet"].to_numpy(dtype=object)).astype("str")
    if "_table" in table.columns:
        part = part + "|" + pd.Series(table["_table"].to_numpy(dtype=object)).astype("str")
    names = normal_names(table["name"]).reset_index(drop=True)
    known = numbers.notna() & (numbers.astype("str") != "")
    frame = pd.DataFrame({"number": numbers, "part": part, "name": names})[known]
    inside = frame.duplicated(["number", "part"], keep=False)
    frame = frame[~inside]
    kinds = frame.groupby("number")[["part", "name"]].nunique()
    anew = kinds.index[(kinds["part"] > 1) & (kinds["name"] == kinds["part"])]
    out = np.zeros(len(table), dtype=bool)
    out[frame.index[frame["number"].isin(anew)]] = True
    return out


NEAR_M: Final = 100.0
"""Two rows of one name nearer than this are maybe one thing told twice [m]."""
_SPOT_ROWS: Final = 3


def note_doubtful(
    table: gpd.GeoDataFrame,
    role: Role,
    findings: Sequence[Findings],
    *,
    owner: NDArray[np.int64],
    local: NDArray[np.int64],
) -> None:
    """Say which rows have a namesake nearby, stand on one spot, or have a number begun anew.

    Parameters
    ----------
    table
        Rows of all files, in a metric CRS.
    role
        The role.
    findings
        Findings of each file.
    owner, local
        File of each row, and its position there, shape (n,).
    """
    if role.group == "base" or role.geometry == "none" or not len(table):
        return
    box = shapely.bounds(table.geometry.to_numpy())
    x, y = (box[:, 0] + box[:, 2]) / 2.0, (box[:, 1] + box[:, 3]) / 2.0
    anew = numbers_restart(table, role)
    near = _namesakes(table, x, y)
    spot = _one_spot(x, y)
    said = [
        (
            anew,
            "number_anew",
            text("numbers begin anew in every sheet; rows are told apart by name and place"),
            text("give every object a number of its own"),
            role.id_field,
        ),
        (
            near,
            "near_namesake",
            text("another row of the same name lies within {m} m", m=f"{NEAR_M:g}"),
            text("delete one of the two if they are the same, or tell their names apart"),
            "name",
        ),
        (
            spot,
            "one_spot",
            text("these rows all lie on one spot, perhaps the middle of the town or an office"),
            text("take the place of each from a map"),
            "",
        ),
    ]
    for mask, rule, message, mend, field in said:
        for index in np.unique(owner[mask]):
            hit = np.zeros(len(findings[index].row), dtype=bool)
            hit[local[mask & (owner == index)]] = True
            findings[index].noted(hit, rule, message, mend, field=field)


def _namesakes(
    table: gpd.GeoDataFrame, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    out = np.zeros(len(table), dtype=bool)
    if "name" not in table.columns:
        return out
    names = normal_names(table["name"]).to_numpy(dtype=object)
    repeated = pd.Series(names).duplicated(keep=False).to_numpy() & (names != "")
    repeated &= np.isfinite(x) & np.isfinite(y)
    for rows in pd.Series(np.flatnonzero(repeated)).groupby(names[repeated]).groups.values():
        places = np.flatnonzero(repeated)[np.asarray(rows)][:200]
        apart = np.hypot(
            x[places][:, None] - x[places][None, :], y[places][:, None] - y[places][None, :]
        )
        np.fill_diagonal(apart, np.inf)
        out[places[(apart < NEAR_M).any(axis=1)]] = True
    return out


def _one_spot(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find rows that share their place with at least two others."""
    known = np.isfinite(x) & np.isfinite(y)
    out = np.zeros(len(x), dtype=bool)
    if known.sum() < _SPOT_ROWS:
        return out
    keys = pd.DataFrame({"x": np.round(x[known], 1), "y": np.round(y[known], 1)})
    size = keys.groupby(["x", "y"])["x"].transform("size").to_numpy()
    out[known] = size >= _SPOT_ROWS
    return out


def _repeats(keys: pd.Series, table: pd.DataFrame) -> tuple[NDArray[np.bool_], list[str]]:
    known = keys.notna().to_numpy() & (keys.astype("str") != "").to_numpy()
    mask: NDArray[np.bool_] = keys.duplicated(keep="first").to_numpy() & known
    first = keys[known].drop_duplicates(keep="first")
    place = dict(zip(first.to_numpy(), first.index, strict=True))
    return mask, [_where(table, int(place[keys.iloc[index]])) for index in np.flatnonzero(mask)]


def normal_names(names: pd.Series) -> pd.Series:
    """Bring names into the form in which they are compared.

    Parameters
    ----------
    names
        Shape (n,).

    Returns
    -------
    Series
        Without blanks, brackets, punctuation, case and width; an empty text where missing.

    Examples
    --------
    >>> normal_names(pd.Series(["文化路（北）", "文化路(北) ", None])).tolist()
    ['文化路北', '文化路北', '']
    """
    plain = names.astype("str").fillna("").str.normalize("NFKC").str.casefold()
    return plain.str.replace(r"[\W_]+", "", regex=True)


def shared_numbers(table: pd.DataFrame, role: Role) -> NDArray[np.bool_]:
    """Find objects that stand apart but carry one number; they are kept, and it is said.

    Parameters
    ----------
    table
        Shape (n, columns).
    role
        The role; of risks a repeated number is a repeated row already.

    Returns
    -------
    ndarray
        True for every row whose number another row has too, shape (n,).
    """
    if role.item or role.group != "element" or role.id_field not in table.columns:
        return np.zeros(len(table), dtype=bool)
    if role.geometry == "none":
        return np.zeros(len(table), dtype=bool)
    numbers = pd.Series(table[role.id_field].to_numpy(dtype=object))
    said = numbers.notna() & (numbers.astype("str") != "")
    return (numbers.duplicated(keep=False) & said).to_numpy(dtype=bool)


def note_shared(
    table: pd.DataFrame,
    role: Role,
    findings: Sequence[Findings],
    *,
    owner: NDArray[np.int64],
    local: NDArray[np.int64],
) -> None:
    """Say of every file which of its rows share a number.

    Parameters
    ----------
    table
        Rows of all files.
    role
        The role.
    findings
        Findings of each file.
    owner, local
        File of each row, and its position there, shape (n,).
    """
    shared = shared_numbers(table, role)
    for index in np.unique(owner[shared]):
        mine = shared & (owner == index)
        hit = np.zeros(len(findings[index].row), dtype=bool)
        values = np.full(len(hit), None, dtype=object)
        hit[local[mine]] = True
        values[local[mine]] = table[role.id_field].to_numpy(dtype=object)[mine]
        findings[index].noted(
            hit,
            "shared_number",
            text("another row has the same number"),
            text("give every object a number of its own"),
            field=role.id_field,
            values=values,
        )

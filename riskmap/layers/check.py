"""The rules that rows must keep, alone and beside each other; ids, and the store they stay in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import shapely

from riskmap.errors import LayerError, Problem
from riskmap.i18n import text
from riskmap.layers.layer import Findings, filled, in_words
from riskmap.layers.read.values import matches, same_text, text_series, texts_of
from riskmap.vocabulary.columns import ITEM_ID, NAME, ROLE, WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from shapely import Geometry

    from riskmap.layers.layer import Layer
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
    return_gone(gone, findings)
    values[gone] = None
    wide = ~np.isfinite(shapely.bounds(values)).all(axis=1) & ~gone
    findings.returned(
        wide,
        "bad_coordinates",
        text("the geometry has coordinates that are not numbers"),
        text("draw it again"),
    )
    values[wide] = None
    values = repair(values, findings)
    wanted = _DIMENSION.get(role.geometry)
    if wanted is not None:
        values = _right_type(values, wanted, role, findings, as_point=as_point)
    return gpd.GeoSeries(values, index=shapes.index, crs=shapes.crs)


def return_gone(gone: NDArray[np.bool_], findings: Findings) -> None:
    """Return rows without geometry that are not returned already.

    Parameters
    ----------
    gone
        Shape (n,): rows without geometry.
    findings
        Takes the rows.
    """
    findings.returned(
        gone & ~findings.bad,
        "no_geometry",
        text("the row has no geometry"),
        text("draw it, or delete the row"),
    )


def repair(values: NDArray[np.object_], findings: Findings) -> NDArray[np.object_]:
    """Mend invalid geometries; return rows whose geometry cannot be mended.

    Parameters
    ----------
    values
        Shape (n,); changed in place.
    findings
        Takes the rows.

    Returns
    -------
    ndarray
        Shape (n,): valid geometries; None where a row is returned.
    """
    if (shapely.get_type_id(values) <= 0).all():  # points, which cannot be broken
        return values
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
    x, y = middles(values)
    swapped = present & (np.abs(y) > 90.0) & (np.abs(y) <= 180.0) & (np.abs(x) <= 90.0)
    outside = np.zeros(len(values), dtype=bool)
    if place is not None:
        shapely.prepare(place)
        outside = present & ~shapely.intersects(place, values)
        if spare is not None:
            outside &= ~spare
        out = np.flatnonzero(outside)
        swapped[out] |= shapely.intersects_xy(place, y[out], x[out])
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


def middles(shapes: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the middle of each shape; of a point itself.

    Parameters
    ----------
    shapes
        Shape (n,).

    Returns
    -------
    tuple of ndarray
        x and y, shape (n,); NaN where there is none.

    Examples
    --------
    >>> middles(np.array([shapely.Point(1, 2), None, shapely.box(0, 0, 2, 2)]))[0].tolist()
    [1.0, nan, 1.0]
    >>> middles(np.array([shapely.Polygon()]))[0].tolist()
    [nan]
    """
    if not (shapely.get_type_id(shapes) <= 0).all():
        shapes = shapely.centroid(shapes)
    x, y = np.full(len(shapes), np.nan), np.full(len(shapes), np.nan)
    there = ~shapely.is_empty(shapes)
    x[there], y[there] = shapely.get_x(shapes[there]), shapely.get_y(shapes[there])
    return x, y


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


def row_place(table: pd.DataFrame, index: int) -> str:
    """Say where a row stands.

    Parameters
    ----------
    table
        Rows with ``_file``, ``_sheet`` and ``_row``.
    index
        Place of the row.

    Returns
    -------
    str
        File, sheet and number.

    Examples
    --------
    >>> row_place(pd.DataFrame({"_file": ["a.xlsx"], "_sheet": ["村"], "_row": [3]}), 0)
    'a.xlsx [村] #3'
    """
    sheet = f" [{table['_sheet'].iloc[index]}]" if table["_sheet"].iloc[index] else ""
    return f"{table['_file'].iloc[index]}{sheet} #{table['_row'].iloc[index]}"


@dataclass(frozen=True)
class Places:
    """What rows are called and where they lie, as it is compared."""

    names: pd.Series[Any]
    """Shape (n,): in the form of `normal_names`; blank where there is none."""
    repeated: NDArray[np.bool_]
    """True where another row has the name too."""
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def without(self, rows: NDArray[np.bool_]) -> Places:
        """Leave some rows out; a name may then be called repeated that stands alone now.

        Parameters
        ----------
        rows
            Shape (n,).

        Returns
        -------
        Places
            The others.
        """
        if not rows.any():
            return self
        names = self.names[~rows].reset_index(drop=True)
        return Places(names, self.repeated[~rows], self.x[~rows], self.y[~rows])


def places_of(table: gpd.GeoDataFrame, xy: NDArray[np.float64] | None = None) -> Places:
    """Bring names and places of rows into the form in which they are compared.

    Parameters
    ----------
    table
        Shape (n, columns): in a metric CRS.
    xy
        Where the rows lie, shape (n, 2), when that is known without their geometries.

    Returns
    -------
    Places
        Blank names where the table has none.
    """
    x, y = middles(table.geometry.to_numpy()) if xy is None else xy.T
    if NAME not in table.columns:
        return Places(same_text("", table.index), np.zeros(len(table), dtype=bool), x, y)
    names = normal_names(table[NAME]).reset_index(drop=True)
    repeated = names.duplicated(keep=False).to_numpy()
    if repeated.any():
        repeated = repeated & (names != "").to_numpy()
    return Places(names, repeated, x, y)


def find_duplicates(
    table: gpd.GeoDataFrame, role: Role, places: Places, *, numbered_once: bool = False
) -> list[tuple[NDArray[np.bool_], str, str, list[str]]]:
    """Find rows that repeat an earlier one: the same own number, or name and place.

    Parameters
    ----------
    table
        Shape (n, columns): in a metric CRS, in the order of the files.
    role
        The role.
    places
        Names and places of the rows.
    numbered_once
        True when it is known that no number stands in two rows.

    Returns
    -------
    list of tuple
        Mask of the later rows, rule, field, and where the first row of each stands.
    """
    out = []
    bad = np.zeros(len(table), dtype=bool)
    key = role.id_field
    if key in table.columns and role.item and not numbered_once:
        numbers = table[key].reset_index(drop=True)
        numbers = numbers.where(~numbers_restart(table, role))
        mask, firsts = _repeats(numbers, table)
        out.append((mask, "duplicate_number", key, firsts))
        bad |= mask
    if "name" in table.columns and role.group != "base":
        at = np.flatnonzero(places.repeated & np.isfinite(places.x) & ~bad)
        x, y = np.round(places.x[at] / SAME_PLACE_M), np.round(places.y[at] / SAME_PLACE_M)
        joined = pd.Series(
            [
                f"{name}|{east}|{north}"
                for name, east, north in zip(places.names.iloc[at], x, y, strict=True)
            ],
            index=at,
            dtype=object,
        )
        again, firsts = _repeats(joined, table)
        mask = np.zeros(len(table), dtype=bool)
        mask[at] = again
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
    if not table[key].duplicated().any():
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
    places: Places,
    *,
    owner: NDArray[np.int64],
    local: NDArray[np.int64],
    numbered_once: bool = False,
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
    places
        Names and places of the rows.
    owner, local
        File of each row, and its position there, shape (n,).
    numbered_once
        True when it is known that no number stands in two rows.
    """
    if role.group == "base" or role.geometry == "none" or not len(table):
        return
    anew = np.zeros(len(table), dtype=bool) if numbered_once else numbers_restart(table, role)
    near = _namesakes(places)
    spot = _one_spot(places.x, places.y)
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


def _namesakes(places: Places) -> NDArray[np.bool_]:
    x, y = places.x, places.y
    out = np.zeros(len(x), dtype=bool)
    repeated = np.flatnonzero(places.repeated & np.isfinite(x) & np.isfinite(y))
    names = places.names.iloc[repeated].to_numpy(dtype=object)
    for rows in pd.Series(repeated).groupby(names).groups.values():
        some = repeated[np.asarray(rows)][:200]
        apart = np.hypot(x[some][:, None] - x[some][None, :], y[some][:, None] - y[some][None, :])
        np.fill_diagonal(apart, np.inf)
        out[some[(apart < NEAR_M).any(axis=1)]] = True
    return out


def _one_spot(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Find rows that share their place with at least two others."""
    known = np.isfinite(x) & np.isfinite(y)
    out = np.zeros(len(x), dtype=bool)
    if known.sum() < _SPOT_ROWS:
        return out
    at = np.flatnonzero(known)
    tenths = np.round(np.column_stack([x[at], y[at]]), 1) @ (np.array([10.0, 1e9]))
    at = at[pd.Series(tenths).duplicated(keep=False).to_numpy()]  # far fewer, maybe too many
    keys = pd.DataFrame({"x": np.round(x[at], 1), "y": np.round(y[at], 1)})
    size = keys.groupby(["x", "y"])["x"].transform("size").to_numpy()
    out[at] = size >= _SPOT_ROWS
    return out


def _repeats(keys: pd.Series, table: pd.DataFrame) -> tuple[NDArray[np.bool_], list[str]]:
    known = keys.notna().to_numpy() & (keys.astype("str") != "").to_numpy()
    mask: NDArray[np.bool_] = keys.duplicated(keep="first").to_numpy() & known
    if not mask.any():
        return mask, []
    first = keys[known & keys.duplicated(keep=False).to_numpy() & ~mask]
    place = dict(zip(first.to_numpy(), first.index, strict=True))
    return mask, [row_place(table, int(place[keys.iloc[index]])) for index in np.flatnonzero(mask)]


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
    written = names.astype("str").fillna("")
    column = texts_of(written)
    rest = np.arange(len(names)) if column is None else np.flatnonzero(~matches(column, _NORMAL))
    if not len(rest):
        return written
    plain = written.iloc[rest].str.normalize("NFKC").str.casefold()
    plain = plain.str.replace(r"[\W_]+", "", regex=True)
    if len(rest) == len(names):
        return plain
    out = written.copy()
    out.iloc[rest] = pd.Index(plain)
    return out


_NORMAL: Final = "^[0-9a-z\u4e00-\u9fff]*$"
"""Names that stand in that form already."""


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


NAMED_WITHIN_M: Final = 200.0
"""An item of the same name counts as the same within this distance [m]."""
UNNAMED_WITHIN_M: Final = 50.0
"""An item of another name counts as renamed within this distance [m]."""
_LETTERS: Final = np.array(list("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
_LENGTH: Final = 8
_HASH_KEY: Final = "riskmap-item-ids"
"""Of the 16 characters that the hash takes."""


def assign_ids(
    role: Role,
    table: gpd.GeoDataFrame,
    known: pd.DataFrame | None = None,
    *,
    numbered_once: bool = False,
) -> pd.Series:
    """Give every row an id that stays when rows are reordered, renamed or moved a little.

    In this order: the office's own number where it is the row's alone; a known item of the same
    name within 200 m, else the nearest known item within 50 m, one to one; else a hash of role,
    name and place.

    Parameters
    ----------
    role
        The role; its ``id_field`` holds the own number, its ``id_prefix`` stands before the ids.
    table
        Shape (n, columns): rows in the run's metric CRS.
    known
        Items of earlier runs: role, item_id, name, x, y [m, in the run's CRS]; or None.
    numbered_once
        True when it is known that no number stands in two rows.

    Returns
    -------
    Series
        Shape (n,): text ids, unique, on the table's index.
    """
    prefix = role.id_prefix or role.name.upper()
    if numbered_once and (numbered := _all_numbered(prefix, table, role.id_field)) is not None:
        return numbered
    ids = np.full(len(table), "", dtype=object)
    if role.id_field in table.columns:
        own = table[role.id_field].astype("str").str.strip()
        alone = own.notna().to_numpy() & (own != "").to_numpy()
        if not numbered_once:
            alone &= ~own.duplicated(keep=False).to_numpy()
        begun = alone & own.str.startswith(prefix).fillna(value=False).to_numpy(dtype=bool)
        ids[begun] = own[begun]
        begun = alone & ~begun
        ids[begun] = [_numbered(prefix, number) for number in own[begun]]
    before = known[known[ROLE] == role.name] if known is not None and len(known) else None
    taken = set(ids[ids != ""])
    if before is not None:
        taken |= set(before[ITEM_ID].astype("str"))
        _match_known(table, before[~before[ITEM_ID].isin(ids)], ids)
    rest = ids == ""
    if rest.any():
        ids[rest] = _derive(prefix, role.name, table[rest], taken)
    return pd.Series(ids, index=table.index, dtype="str", name=ITEM_ID)


def _all_numbered(prefix: str, table: gpd.GeoDataFrame, field: str) -> pd.Series | None:
    """Make the ids of rows that all have a number of their own, a whole column at once."""
    column = texts_of(table[field]) if field in table.columns else None
    if column is None or column.null_count:
        return None
    column = pc.utf8_trim_whitespace(column)
    if not pc.all(pc.greater(pc.binary_length(column), 0)).as_py():
        return None
    begun = pc.starts_with(pc.utf8_upper(column), prefix.upper())
    if not pc.all(begun).as_py():
        head, nothing = (pa.scalar(part, pa.large_string()) for part in (f"{prefix}-", ""))
        headed = pc.binary_join_element_wise(head, column, nothing)
        column = pc.if_else(begun, column, headed)
    return text_series(column).set_axis(table.index).rename(ITEM_ID)


def _numbered(prefix: str, number: str) -> str:
    return number if number.upper().startswith(prefix.upper()) else f"{prefix}-{number}"


def _names(table: pd.DataFrame) -> NDArray[np.object_]:
    if NAME not in table.columns:
        return np.full(len(table), "", dtype=object)
    return normal_names(table[NAME]).to_numpy(dtype=object)


def _match_known(table: gpd.GeoDataFrame, known: pd.DataFrame, ids: NDArray[np.object_]) -> None:
    """Give ids of known items to the rows that are the same; ``ids`` is filled in place."""
    from scipy.spatial import cKDTree

    known = known[np.isfinite(known[["x", "y"]].to_numpy(dtype=np.float64)).all(axis=1)]
    if not len(known):
        return
    known = known.sort_values(ITEM_ID, kind="stable")
    labels = known[ITEM_ID].to_numpy(dtype=object)
    old_names = normal_names(known[NAME]).to_numpy(dtype=object)
    tree = cKDTree(known[["x", "y"]].to_numpy(dtype=np.float64))
    new_names, centres = _names(table), np.column_stack(middles(table.geometry.to_numpy()))
    free = np.ones(len(known), dtype=bool)
    for within, same_name in ((NAMED_WITHIN_M, True), (UNNAMED_WITHIN_M, False)):
        rows = np.flatnonzero((ids == "") & np.isfinite(centres).all(axis=1))
        near: Any = tree.query_ball_point(centres[rows], within)
        pairs = pd.DataFrame(
            [(row, other) for row, others in zip(rows, near, strict=True) for other in others],
            columns=["row", "known"],
            dtype=np.int64,
        )
        pairs = pairs[free[pairs["known"]]]
        alike = new_names[pairs["row"]] == old_names[pairs["known"]]
        if same_name:
            pairs = pairs[alike & (new_names[pairs["row"]] != "")]
        apart = centres[pairs["row"]] - tree.data[pairs["known"]]
        pairs = pairs.assign(
            metres=np.round(np.hypot(apart[:, 0], apart[:, 1]), 3),
            name=new_names[pairs["row"]],
            x=centres[pairs["row"], 0],
            y=centres[pairs["row"], 1],
        ).sort_values(["metres", "known", "name", "x", "y"], kind="stable")
        for row, other in zip(pairs["row"], pairs["known"], strict=True):
            if ids[row] == "" and free[other]:
                ids[row] = labels[other]
                free[other] = False


def _derive(
    prefix: str, role: str, table: gpd.GeoDataFrame, taken: set[str]
) -> NDArray[np.object_]:
    """Hash role, name and place; equal hashes are told apart by the rest of the row."""
    shapes = table.geometry.to_crs(WGS84).to_numpy()
    box = np.round(np.nan_to_num(shapely.bounds(shapes)) * 1e5).astype(np.int64)
    keys = pd.Series(_names(table)).astype("str") + f"|{role}"
    for column in box.T:
        keys = keys + "|" + pd.Series(column).astype("str")
    numbers = pd.util.hash_array(keys.to_numpy(dtype=object), hash_key=_HASH_KEY, categorize=False)
    base = np.char.add(f"{prefix}-", _base32(numbers)).astype(object)
    out = base.copy()
    rest = pd.DataFrame(table.drop(columns=table.geometry.name)).drop(
        columns=["_row", "_file", "_sheet"], errors="ignore"
    )
    repeated = pd.Series(base).duplicated(keep=False).to_numpy() | np.isin(base, list(taken))
    if repeated.any():
        body = pd.Series("", index=rest.index[repeated], dtype=object)
        for column in sorted(rest.columns):
            body = body + "|" + rest.loc[repeated, column].astype("str").fillna("").astype(object)
        order = pd.DataFrame(
            {
                "base": base[repeated],
                "shape": shapely.to_wkb(shapely.set_precision(shapes[repeated], 1e-7), hex=True),
                "body": body.to_numpy(),
            }
        )
        order["at"] = np.flatnonzero(repeated)
        order = order.sort_values(["base", "shape", "body"], kind="stable")
        used = taken | set(base[~repeated])
        for label, at in zip(order["base"], order["at"], strict=True):
            candidate, turn = label, 1
            while candidate in used:
                turn += 1
                candidate = f"{label}-{turn}"
            used.add(candidate)
            out[at] = candidate
    return out


def _base32(numbers: NDArray[np.uint64]) -> NDArray[np.str_]:
    shifts = np.arange(_LENGTH, dtype=np.uint64) * np.uint64(5)
    digits = (numbers[:, None] >> shifts[None, :]) & np.uint64(31)
    letters = np.ascontiguousarray(_LETTERS[digits.astype(np.int64)])
    return letters.view(f"<U{_LENGTH}").ravel()


_KNOWN: Final = (ROLE, ITEM_ID, NAME, "x", "y")
"""Columns of the store."""
_GUARDED: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def read_known(path: Path, *, crs: str | None = None) -> pd.DataFrame:
    """Read the store of known items; a missing file is an empty store.

    Parameters
    ----------
    path
        The CSV.
    crs
        CRS to turn the coordinates into, such as the run's; WGS 84 when not given.

    Returns
    -------
    DataFrame
        Columns role, item_id, name, x, y.

    Raises
    ------
    LayerError
        When the file is no such store.

    Examples
    --------
    >>> from pathlib import Path
    >>> read_known(Path("no such file.csv")).columns.tolist()
    ['role', 'item_id', 'name', 'x', 'y']
    """
    if not path.exists():
        return _typed(pd.DataFrame(columns=list(_KNOWN)))
    try:
        known = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
        known = known[list(_KNOWN)]
        known[NAME] = known[NAME].str.replace(r"^'", "", regex=True)
        known = _typed(known)
    except (ValueError, KeyError) as error:
        problem = Problem(
            severity="unusable",
            role="",
            rule="id_store",
            message=text("the store of item ids cannot be read"),
            mend=text("put the last good copy back, or delete it to start anew"),
            file=path.name,
            value=str(error),
        )
        raise LayerError(problem.message, (problem,)) from error
    return known if crs is None else to_crs(known, crs)


def to_crs(known: pd.DataFrame, crs: str) -> pd.DataFrame:
    """Turn the places of known items from WGS 84 into another CRS.

    Parameters
    ----------
    known
        Items with x, y in WGS 84.
    crs
        The CRS wanted.

    Returns
    -------
    DataFrame
        The same items with x, y in that CRS.
    """
    change = pyproj.Transformer.from_crs(WGS84, crs, always_xy=True)
    x, y = change.transform(known["x"].to_numpy(), known["y"].to_numpy())
    return known.assign(x=np.asarray(x, dtype=float), y=np.asarray(y, dtype=float))


def known_of(layers: Mapping[str, Layer], before: pd.DataFrame | None = None) -> pd.DataFrame:
    """Join the items of a run with those known before; the run's names and places win.

    Parameters
    ----------
    layers
        Checked layers by role.
    before
        Items known before, in WGS 84; those not seen this time are kept.

    Returns
    -------
    DataFrame
        Columns role, item_id, name, x [deg], y [deg]; sorted, whatever the order of the layers.
    """
    parts = [] if before is None else [_typed(before[list(_KNOWN)])]
    for role, layer in layers.items():
        if layer.table is None or not len(layer.table):
            continue
        at = layer.table.geometry.representative_point().to_crs(WGS84)
        name = filled(layer.table, NAME).fillna("").astype(str)
        columns = [role, layer.table.index.astype(str), name.to_numpy(), at.x, at.y]
        part = pd.DataFrame(dict(zip(_KNOWN, columns, strict=True)))
        parts.append(_typed(part[np.isfinite(part["x"]) & np.isfinite(part["y"])]))
    parts = [part for part in parts if len(part)]
    if not parts:
        return _typed(pd.DataFrame(columns=list(_KNOWN)))
    joined = pd.concat(parts, ignore_index=True)
    joined = joined.drop_duplicates([ROLE, ITEM_ID], keep="last")
    return joined.sort_values([ROLE, ITEM_ID], kind="stable", ignore_index=True)


def write_known(path: Path, known: pd.DataFrame) -> None:
    """Write the store, whole or not at all, in one order.

    Parameters
    ----------
    path
        The CSV; written beside and renamed into place.
    known
        Columns role, item_id, name, x [deg], y [deg].
    """
    table = known[list(_KNOWN)].sort_values([ROLE, ITEM_ID], kind="stable")
    names = table[NAME].astype(str)
    table = table.assign(
        name=names.where(~names.str.startswith(_GUARDED), "'" + names),
        x=table["x"].map("{:.7f}".format),
        y=table["y"].map("{:.7f}".format),
    )
    fresh = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_bytes(table.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))
    fresh.replace(path)


def _typed(known: pd.DataFrame) -> pd.DataFrame:
    texts = {name: known[name].astype(object) for name in (ROLE, ITEM_ID, NAME)}
    return known.assign(**texts, x=known["x"].astype(float), y=known["y"].astype(float))

"""One GeoPackage with every layer, unit, cell and table of a run, styled for QGIS."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.errors import ExportError
from riskmap.export.geopackage.contents import (
    MULTI,
    Sheet,
    add_fields,
    field_words,
    sheets_of,
    with_fields,
)
from riskmap.export.geopackage.qgis import RELIEF, add_project
from riskmap.export.geopackage.styles import by_kind, with_labels
from riskmap.export.onemap.backdrop import relief_of
from riskmap.export.witness import EPOCH, as_line
from riskmap.i18n import Text, both, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from riskmap.result import Result

_TYPES: Final = {
    "boolean": "BOOLEAN", "Int32": "MEDIUMINT", "Int64": "INTEGER", "float64": "REAL",
    "string": "TEXT",
}  # fmt: skip
"""Type of a tidy column to the type in the GeoPackage, Table 1 of the standard."""


def plain_columns(frame: pd.DataFrame) -> bool:
    """Tell whether a table holds only yes and no, numbers and texts.

    Parameters
    ----------
    frame
        A table.

    Returns
    -------
    bool
        False when it has a date or anything else that GDAL is to write.

    Examples
    --------
    >>> plain_columns(pd.DataFrame({"n": pd.array([1], "Int32")}))
    True
    """
    return all(dtype.name in _TYPES for dtype in frame.dtypes)


def write_attributes(
    path: Path, sheets: Sequence[tuple[str, str, str, pd.DataFrame]], *, moment: str
) -> None:
    """Add tables without geometry to a GeoPackage in one transaction.

    GDAL reads the whole file's contents anew for every table that is added. The statements are
    those of GDAL, with the counts that it keeps beside the standard's tables.

    Parameters
    ----------
    path
        The GeoPackage, closed.
    sheets
        Table name, identifier, description and rows, whose columns `plain_columns` holds for.
    moment
        Time of change, as the standard writes it.

    Raises
    ------
    ExportError
        When a table cannot be written; names it.

    References
    ----------
    OGC 12-128r17, GeoPackage Encoding Standard 1.3, 2.4 Attributes.
    """
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA synchronous = OFF")  # the folder is flushed once, as a whole
        with base:
            base.execute("BEGIN")  # Python would begin only after the first table is made
            for name, identifier, description, frame in sheets:
                try:
                    _add(base, name, frame)
                    row = (name, identifier, description, moment)
                    base.execute(
                        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description,"
                        " last_change, srs_id) VALUES (?, 'attributes', ?, ?, ?, 0)",
                        row,
                    )
                    base.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (name, len(frame)))
                except sqlite3.Error as error:
                    said = text("table {name} cannot be written: {error}", name=name, error=error)
                    raise ExportError(said) from error


def _add(base: sqlite3.Connection, name: str, frame: pd.DataFrame) -> None:
    """Create a table, fill it, and let its rows be counted from now on."""
    fields = ["fid", *map(str, frame.columns)]
    kinds = [_TYPES[dtype.name] for dtype in frame.dtypes]
    shown = "".join(
        f", {_quoted(field)} {kind}" for field, kind in zip(fields[1:], kinds, strict=True)
    )
    base.execute(
        f'CREATE TABLE {_quoted(name)} ( "fid" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL{shown})'
    )
    columns = [_values(frame.iloc[:, place]) for place in range(len(frame.columns))]
    marks = ", ".join("?" * len(fields))
    rows = zip(range(1, len(frame) + 1), *columns, strict=True)
    base.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)  # noqa: S608
    said = "'" + name.replace("'", "''") + "'"
    for event, sign in (("insert", "+"), ("delete", "-")):
        trigger = _quoted(f"trigger_{event}_feature_count_{name}")
        count = f"UPDATE gpkg_ogr_contents SET feature_count = feature_count {sign} 1"  # noqa: S608
        base.execute(
            f"CREATE TRIGGER {trigger} AFTER {event.upper()} ON {_quoted(name)} BEGIN {count} "
            f"WHERE lower(table_name) = lower({said}); END"
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _values(column: pd.Series[Any]) -> list[Any]:
    """Give a column's values as Python's own, None where there is none; SQLite keeps no NaN."""
    if column.dtype == "float64":
        return column.tolist()
    found: list[Any] = column.array.to_numpy(dtype=object, na_value=None).tolist()
    return found


VERSION: Final = "1.3"


def write_geopackage(result: Result, path: Path) -> dict[str, int]:
    """Write everything a run found out into one GeoPackage.

    The same result gives the same bytes: the clock that GDAL writes is set to the data date.

    Parameters
    ----------
    result
        The run's result.
    path
        File to write; must not exist.

    Returns
    -------
    dict
        Table name to number of rows.

    Raises
    ------
    ExportError
        When GDAL refuses.

    References
    ----------
    OGC 12-128r17, GeoPackage Encoding Standard 1.3.
    """
    sheets = [_in_words(result, sheet) for sheet in sheets_of(result)]
    sheets.append(_style_sheet(sheets, _clock(result)))
    with _fixed_clock(_clock(result)):
        for plain, part in groupby(_tidied(sheets), key=_is_plain):
            if plain and path.exists():
                rows = [(one.name, one.identifier, one.description, one.frame) for one in part]
                write_attributes(path, rows, moment=_clock(result))
                continue
            for sheet in part:
                _write(sheet, path, crs=result.facts.crs)
        relief = _write_relief(result, path)
    add_fields(result, [sheet.name for sheet in sheets], path)
    add_project(result, sheets, path, relief=relief)
    return {sheet.name: len(sheet.frame) for sheet in sheets}


def _in_words(result: Result, sheet: Sheet) -> Sheet:
    """Let the styles of a table name its objects and columns and say codes in words."""
    if not sheet.style:
        return sheet
    sheet = _named(result, sheet)
    words = field_words(result, sheet.name, [str(name) for name in sheet.frame.columns])
    return replace(
        sheet,
        style=with_fields(sheet.style, words),
        more_styles=tuple((name, with_fields(style, words)) for name, style in sheet.more_styles),
        views=tuple(replace(view, style=with_fields(view.style, words)) for view in sheet.views),
    )


_SHADES: Final = (
    "#a30f1a",
    "#e0561c",
    "#3a7d44",
    "#7a8594",
    "#b5362a",
    "#2f6db3",
    "#8a6d3b",
    "#6a1b9a",
)
"""Colours of what may happen to a thing, in the order in which it is named."""


def write_layers(
    path: Path,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    titles: Mapping[str, str],
    headings: Mapping[str, str],
    kinds: Mapping[str, Sequence[str]],
    moment: str,
) -> None:
    """Write a few layers into one GeoPackage, coloured by their column ``kind``.

    Parameters
    ----------
    path
        File to write; an earlier one is replaced.
    layers
        Name to layer.
    titles
        Name to what the layer is called.
    headings
        Column to its heading, which it bears in the file.
    kinds
        Name to the words of ``kind``, in the order of their colours.
    moment
        Date, ISO, that the file bears.
    """
    path.unlink(missing_ok=True)
    clock = f"{moment or EPOCH}T00:00:00.000Z"
    styles = []
    for name, layer in layers.items():
        area = name == "units"
        form = "polygon" if area else "point"
        words = kinds.get(name) or [titles[name]]
        column = headings.get("kind", "kind")
        if "kind" not in layer:
            layer = layer.assign(kind=titles[name])  # noqa: PLW2901
        look = [
            (word, word, colour, "circle") for word, colour in zip(words, _SHADES, strict=False)
        ]
        style = by_kind(form, column, look, size=0.3 if area else 3.4)
        frame = layer.rename(columns=dict(headings)).set_geometry(layer.geometry.name)
        sheet = Sheet(name, frame, titles[name], style=style, kind=form)
        styles.append(sheet)
    with _fixed_clock(clock):
        for sheet in [*_tidied(styles), _style_sheet(styles, clock)]:
            _write(sheet, path, crs=str(styles[0].frame.crs))


_NAMED: Final[dict[str, tuple[float, int]]] = {
    "units": (8.5, 0), "neighbour": (8.0, 0), "danger_area": (8.0, 60_000),
    "waterway": (8.0, 150_000), "road": (6.5, 15_000),
}  # fmt: skip
"""Table to the height of its names [pt] and the scale from which they stand."""


def _named(result: Result, sheet: Sheet) -> Sheet:
    """Let QGIS write the names of what a reader looks for."""
    role = result.roles.get(sheet.name)
    found = _NAMED.get(sheet.name)
    if found is None and role is not None and role.group in ("risk", "element"):
        found = (7.5, 30_000)
    if found is None or "name" not in sheet.frame:
        return sheet
    size, least = found
    return replace(
        sheet, style=with_labels(sheet.style, size=size, least=least, geometry=sheet.kind)
    )


def _tidied(sheets: list[Sheet]) -> Iterator[Sheet]:
    return (replace(sheet, frame=_tidy(sheet.frame)) for sheet in sheets)


def _is_plain(sheet: Sheet) -> bool:
    return not sheet.kind and plain_columns(sheet.frame)


def _clock(result: Result) -> str:
    return f"{result.facts.data_date or EPOCH}T00:00:00.000Z"


@contextmanager
def _fixed_clock(moment: str) -> Iterator[None]:
    """Let GDAL write this moment, and build indexes in one thread, so that bytes repeat."""
    import pyogrio

    options = {
        "OGR_CURRENT_DATE": moment,
        "OGR_GPKG_ALLOW_THREADED_RTREE": "NO",
        "OGR_SQLITE_SYNCHRONOUS": "OFF",  # the folder is flushed once, before it takes its place
    }
    before = {key: pyogrio.get_gdal_config_option(key) for key in options}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _write(sheet: Sheet, path: Path, *, crs: str) -> None:
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    frame = sheet.frame
    options: dict[str, Any] = {"IDENTIFIER": sheet.identifier, "DESCRIPTION": sheet.description}
    if sheet.kind:
        frame, geometry_type = _one_type(gpd.GeoDataFrame(frame, crs=crs), sheet.kind)
        options |= {"geometry_type": geometry_type, "GEOMETRY_NAME": "geom", "SPATIAL_INDEX": "YES"}
    else:
        options["ASPATIAL_VARIANT"] = "GPKG_ATTRIBUTES"
    new = {} if path.exists() else {"dataset_options": {"VERSION": VERSION}}
    try:
        pyogrio.write_dataframe(
            frame, path, layer=sheet.name, driver="GPKG", append=path.exists(), use_arrow=True,
            **new, **options,
        )  # fmt: skip
    except (DataSourceError, DataLayerError) as error:
        message = text("table {name} cannot be written: {error}", name=sheet.name, error=str(error))
        raise ExportError(message) from error


def _write_relief(result: Result, path: Path) -> bool:
    """Add the shaded relief as tiles, for sheets and GIS; nothing without heights."""
    import rasterio
    from affine import Affine

    found = relief_of(result)
    if found is None:
        return False
    grey, transform = found
    label = both(text("Relief"))
    options = {
        "APPEND_SUBDATASET": "YES", "RASTER_TABLE": RELIEF, "TILE_FORMAT": "JPEG",
        "QUALITY": "70", "RASTER_IDENTIFIER": f"{label['zh']} ({RELIEF})",
        "RASTER_DESCRIPTION": label["en"],
    }  # fmt: skip
    with (
        rasterio.Env(OGR_CURRENT_DATE=_clock(result), OGR_SQLITE_SYNCHRONOUS="OFF"),
        rasterio.open(
            path, "w", driver="GPKG", width=grey.shape[1], height=grey.shape[0], count=1,
            dtype="uint8", crs=result.facts.crs, transform=Affine(*transform), **options,
        ) as target,
    ):  # fmt: skip
        target.write(grey, 1)
    return True


def _one_type(frame: gpd.GeoDataFrame, kind: str) -> tuple[gpd.GeoDataFrame, str]:
    """Make all geometries of one type, the multi form when any is one."""
    shapes = frame.geometry.to_numpy()
    single = {"point": "Point", "line": "LineString", "polygon": "Polygon"}[kind]
    if not np.isin(shapely.get_type_id(shapes), [4, 5, 6]).any():
        return frame, single
    parts, owner = shapely.get_parts(shapes, return_index=True)
    build = {
        "point": shapely.multipoints,
        "line": shapely.multilinestrings,
        "polygon": shapely.multipolygons,
    }[kind]
    joined = np.full(len(shapes), None, dtype=object)
    build(parts, indices=owner, out=joined)
    return frame.set_geometry(gpd.GeoSeries(joined, index=frame.index, crs=frame.crs)), MULTI[kind]


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Make every column one that a GeoPackage can hold, and every name unique."""
    frame = frame.copy(deep=False)
    shape = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) else None
    out: dict[str, Any] = {}
    taken = {"fid", "geom"}
    for place, name in enumerate(frame.columns):
        if name == shape:
            continue
        label, n = str(name), 2
        while label.lower() in taken:
            label, n = f"{name}_{n}", n + 1
        taken.add(label.lower())
        out[label] = _column(frame.iloc[:, place])
    tidy = pd.DataFrame(out, index=pd.RangeIndex(len(frame)))
    if shape is None:
        return tidy
    shaped: pd.DataFrame = gpd.GeoDataFrame(tidy, geometry=frame.geometry.to_numpy(), crs=frame.crs)
    return shaped


def _column(values: pd.Series[Any]) -> Any:
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return values.astype("boolean").array
    if pd.api.types.is_integer_dtype(kind):
        small = values.abs().max() < 2**31 if len(values.dropna()) else True
        return values.astype("Int32" if small else "Int64").array
    if pd.api.types.is_float_dtype(kind):
        return values.to_numpy(dtype="float64", na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(kind):
        return values.array
    if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        return values.astype("boolean").array
    return _texts(values)


def _texts(values: pd.Series[Any]) -> Any:
    """Turn a column into texts; one that holds nothing but clean texts is taken as it is."""
    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        try:
            quick = values.astype("string[pyarrow]")
        except UnicodeEncodeError:
            quick = None
        if quick is not None and not quick.str.contains("\x00", regex=False).any():
            return quick.array
    return values.map(_words, na_action="ignore").astype("string").array


def _words(value: object) -> str:
    shown = value if isinstance(value, str) else str(value)
    if isinstance(value, list | tuple) and all(isinstance(part, Text) for part in value):
        shown = str(text("; ")).join(map(str, value))
    elif isinstance(value, list | tuple | dict | np.ndarray):
        shown = as_line(value)
    return shown.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _style_sheet(sheets: list[Sheet], moment: str) -> Sheet:
    """Give the table in which QGIS looks for styles."""
    rows = [
        {
            "f_table_catalog": "", "f_table_schema": "", "f_table_name": sheet.name,
            "f_geometry_column": "geom", "styleName": name, "styleQML": style,
            "styleSLD": "", "useAsDefault": place == 0, "description": sheet.identifier,
            "owner": "", "ui": None, "update_time": pd.Timestamp(moment),
        }
        for sheet in sheets
        if sheet.style
        for place, (name, style) in enumerate([(sheet.name, sheet.style), *sheet.more_styles])
    ]  # fmt: skip
    return Sheet("layer_styles", pd.DataFrame(rows), "layer_styles")

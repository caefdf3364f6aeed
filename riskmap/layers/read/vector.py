"""Vector files: GeoPackage, shapefile, GeoJSON, OSM and what else GDAL reads."""

from __future__ import annotations

import html
import json
import re
import tempfile
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.errors import LayerError
from riskmap.formats import check_condition, offline, vector_driver
from riskmap.i18n import text
from riskmap.layers.layer import Remark, Rows, library_words, matching, unusable
from riskmap.layers.read.encoding import bad_bytes
from riskmap.layers.read.foreign import (
    Encoding,
    overflowed,
    own_name,
    plain_file,
    read_dbf,
    refuse_foreign,
    shapefile_encoding,
    sibling,
)
from riskmap.layers.read.osm import is_osm, read_roads, sorted_copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import geopandas as gpd


_STEP: Final = np.radians(2.0)
"""Angle of one straight piece of an arc."""
_LINES: Final = ("LINESTRING", "CIRCULARSTRING", "COMPOUNDCURVE")
_CURVED_AREAS: Final = ("POLYGON", "CURVEPOLYGON")


def straight(wkt: object) -> Any:
    """Read a geometry from WKT, arcs as straight pieces of two degrees.

    Parameters
    ----------
    wkt
        Such as ``CURVEPOLYGON (CIRCULARSTRING (0 0, 2 0, 0 0))``.

    Returns
    -------
    Geometry or None
        None where it cannot be read.

    Examples
    --------
    >>> round(straight("CURVEPOLYGON (CIRCULARSTRING (0 0, 2 0, 0 0))").area, 2)
    3.14
    """
    if not isinstance(wkt, str):
        return None
    if not re.search(r"CURVE|CIRCULAR|SURFACE", wkt, re.IGNORECASE):
        return shapely.from_wkt(wkt, on_invalid="ignore")
    try:
        return _shape(*_parse(wkt))
    except (ValueError, IndexError, shapely.errors.ShapelyError):
        return None


def _parse(wkt: str) -> tuple[str, str]:
    """Split WKT into its kind and what stands in its brackets."""
    match = re.match(r"\s*([A-Za-z]+)\s*(?:ZM|Z|M)?\s*\(", wkt)
    if match is None:
        raise ValueError(wkt[:40])
    return match[1].upper().removesuffix("ZM").removesuffix("Z"), wkt[match.end() : wkt.rindex(")")]


def _parts(body: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    out, depth, start = [], 0, 0
    for at, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            out.append(body[start:at])
            start = at + 1
    return [*out, body[start:]]


def _shape(kind: str, body: str) -> Any:
    if kind in _CURVED_AREAS:
        rings = [_line(part) for part in _parts(body)]
        return shapely.Polygon(rings[0], rings[1:])
    if kind in _LINES:
        return shapely.LineString(_points(kind, body))
    members = []
    for part in _parts(body):
        bare = part.strip()
        inner = {"MULTISURFACE": "POLYGON", "MULTIPOLYGON": "POLYGON"}.get(kind, "LINESTRING")
        members.append(_shape(inner, bare[1:-1]) if bare.startswith("(") else _shape(*_parse(bare)))
    if kind in ("MULTISURFACE", "MULTIPOLYGON"):
        return shapely.union_all(members)
    return (
        shapely.GeometryCollection(members)
        if kind == "GEOMETRYCOLLECTION"
        else (shapely.MultiLineString(members))
    )


def _line(part: str) -> list[tuple[float, float]]:
    bare = part.strip()
    if bare.startswith("("):
        return _points("LINESTRING", bare[1:-1])
    return _points(*_parse(bare))


def _points(kind: str, body: str) -> list[tuple[float, float]]:
    """Return the corners of a line, arcs with corners between."""
    if kind == "COMPOUNDCURVE":
        out: list[tuple[float, float]] = []
        for part in _parts(body):
            piece = _line(part)
            out += piece[1:] if out and piece and piece[0] == out[-1] else piece
        return out
    numbers = [tuple(map(float, point.split()[:2])) for point in body.split(",")]
    points = [(point[0], point[1]) for point in numbers]
    if kind != "CIRCULARSTRING":
        return points
    out = points[:1]
    for at in range(0, len(points) - 2, 2):
        out += _arc(*points[at : at + 3])
    return out


def _arc(
    one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]
) -> list[tuple[float, float]]:
    """Give the corners of an arc through three points, without its first."""
    (ax, ay), (bx, by), (cx, cy) = one, two, three
    turn = 2.0 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    if one == three:
        x, y = (ax + bx) / 2.0, (ay + by) / 2.0
        sweep = 2.0 * np.pi
    elif abs(turn) < 1e-300:
        return [two, three]
    else:
        a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
        x = (a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by)) / turn
        y = (a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)) / turn
        first, middle, last = (np.arctan2(py - y, px - x) for px, py in (one, two, three))
        sweep = (last - first) % (2.0 * np.pi)
        if (middle - first) % (2.0 * np.pi) > sweep:
            sweep -= 2.0 * np.pi
    radius, start = float(np.hypot(ax - x, ay - y)), float(np.arctan2(ay - y, ax - x))
    angles = start + np.linspace(0.0, sweep, max(3, int(np.ceil(abs(sweep) / _STEP)) + 1))[1:]
    out = [(float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles]
    return [*out[:-1], three]


OSM_LAYERS: Final = {
    "point": "points",
    "line": "lines",
    "polygon": "multipolygons",
    "any": "multipolygons",
}
_AREAS: Final = (
    "aeroway,amenity,boundary,building,craft,emergency,geological,healthcare,historic,landuse,leisure,"
    "man_made,military,natural,office,place,shop,sport,tourism,highway=platform,public_transport=platform"
)
_KEYS: Final = (
    "name",
    "name:zh",
    "amenity",
    "building",
    "boundary",
    "admin_level",
    "emergency",
    "healthcare",
    "landuse",
    "leisure",
    "man_made",
    "natural",
    "office",
    "place",
    "population",
    "ref",
    "shop",
    "tourism",
    "water",
    "waterway",
)
_WORD: Final = re.compile(r"\"([^\"]+)\"|([A-Za-z_][A-Za-z0-9_:]*)")
_SQL: Final = frozenset(
    ["and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false"]
)


def asked_keys(where: str | None) -> list[str]:
    """List the names in an SQL condition that may be tags.

    Parameters
    ----------
    where
        The condition, or None.

    Returns
    -------
    list of str
        The names, in order, each once.

    Examples
    --------
    >>> asked_keys("amenity IN ('school', 'college') AND name IS NOT NULL")
    ['amenity', 'name']
    """
    bare = re.sub(r"'(?:[^']|'')*'", "''", where or "")
    names = [quoted or plain for quoted, plain in _WORD.findall(bare)]
    return list(dict.fromkeys(name for name in names if name.casefold() not in _SQL))


@contextmanager
def osm_config(keys: Iterable[str]) -> Iterator[Path]:
    """Write the configuration by which GDAL gives each wanted tag its own column.

    Parameters
    ----------
    keys
        The tags wanted besides the common ones.

    Yields
    ------
    Path
        A file that lives inside the ``with`` block.
    """
    own = ("osm_id", "osm_way_id", "osm_version", "other_tags", "geometry", "all_tags", "z_order")
    named = ",".join(dict.fromkeys(key for key in (*_KEYS, *keys) if key not in own))
    lines = [f"closed_ways_are_polygons={_AREAS}", "report_all_nodes=no", "report_all_ways=no"]
    lines.append("attribute_name_laundering=no")
    for layer in ("points", "lines", "multipolygons", "multilinestrings", "other_relations"):
        lines += [f"[{layer}]", "osm_id=yes", f"attributes={named}", "other_tags=no"]
    with tempfile.TemporaryDirectory(prefix="riskmap_osm_") as folder:
        file = Path(folder) / "osmconf.ini"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield file


def unpack_tags(tags: pd.Series, keys: Iterable[str]) -> pd.DataFrame:
    r"""Take tags out of a column in hstore form, as GDAL and osm2pgsql write it.

    Parameters
    ----------
    tags
        Shape (n,): such as ``"amenity"=>"school","levels"=>"3"``.
    keys
        The tags wanted.

    Returns
    -------
    DataFrame
        One text column for each key that occurs, missing where a row has none.

    Examples
    --------
    >>> unpack_tags(pd.Series(['"a"=>"1","b"=>"x, \\"y\\""', None]), ["b"])["b"].tolist()
    ['x, "y"', nan]
    """
    out: dict[str, pd.Series] = {}
    text = tags.astype("str")
    for key in keys:
        pattern = rf'(?:^|,)\s*"{re.escape(key)}"\s*=>\s*"((?:[^"\\]|\\.)*)"'
        found = text.str.extract(pattern, expand=False)
        if found.notna().any():
            out[key] = found.str.replace(r"\\(.)", r"\1", regex=True)
    return pd.DataFrame(out, index=tags.index)


Window = tuple[float, float, float, float]
OSM: Final = (".pbf", ".osm")
_FITTING: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}


def read_vector(
    path: Path,
    *,
    geometry: str = "any",
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
    keys: Sequence[str] = (),
    window: Window | None = None,
) -> Rows:
    """Read one layer of a vector file.

    Parameters
    ----------
    path
        The file.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``: decides between several layers.
    layer
        The layer's name, or None.
    where
        SQL condition.
    encoding
        Declared encoding of a shapefile.
    keys
        Tags to read from OSM data.
    window
        West, south, east, north in EPSG:4326 [deg]; OSM data outside are not read.

    Returns
    -------
    Rows
        The features, geometry in the file's CRS.

    Raises
    ------
    LayerError
        When the file cannot be read or the layer cannot be chosen.
    """
    check_condition(where)
    if is_osm(path) and path.suffix.lower() != ".pbf":
        if path.suffix.lower() in (".osm", ".xml"):
            vector_driver(path)
        with sorted_copy(path) as copy:
            return read_vector(
                copy, geometry=geometry, layer=layer, where=where, keys=keys, window=window
            )
    refuse_foreign(path)
    notes: list[Remark] = []
    with plain_file(path, layer, encoding, notes) as file:
        driver = vector_driver(file)
        if file.suffix.lower() in (".shp", ".dbf"):
            return _read_shapefile(file, layer, where, encoding, keys, notes)
        if driver == "Parquet":
            return _read_parquet(file, where, [*asked_keys(where), *keys], notes)
        osm = driver == "OSM"
        later = where if driver == "LIBKML" else None  # its driver does not keep all names
        options: dict[str, Any] = {"where": None if later else _quoted(where)}
        chosen = layer or (OSM_LAYERS.get(geometry, "points") if osm else None)
        folders: list[str] = []
        if chosen is None:
            folders = _choose_layers(file, geometry, notes, driver)
            chosen = folders[0] if len(folders) == 1 else None
        wanted = [*asked_keys(where), *keys]
        packed = "other_tags" in (where or "")
        with osm_config(wanted) if osm and not packed else nullcontext() as config:
            if osm and window is not None:
                options["bbox"] = window
                said = text("of the OSM extract only the place and its surroundings were read")
                notes.append(Remark("window", said, text("nothing to do")))
            if config is not None:
                options["CONFIG_FILE"] = str(config)
            if len(folders) > 1:
                frame = _folders(file, folders, options, notes, driver)
            else:
                frame = _frame(file, chosen, options, notes, driver)
        if driver in ("LIBKML", "DXF"):
            frame = _described(_block_attributes(frame).rename(columns=own_name))
            if later:
                table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
                frame = frame[matching(table, later)].reset_index(drop=True)
            frame = _one_kind(frame, geometry, notes)
        if driver in ("LIBKML", "GPX"):
            empty = [c for c in frame if c != frame.geometry.name and frame[c].isna().all()]
            frame = frame.drop(columns=[*empty, *(c for c in _LOOKS if c in frame)])
        return _as_rows(frame, chosen or "", "utf-8", wanted, notes, osm=osm)


_NAME: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\W\d]\w*")


def _quoted(where: str | None) -> str | None:
    """Put the names of columns that are not plain ASCII into the quotes that OGR asks for."""
    if not where:
        return where
    return _NAME.sub(
        lambda match: (
            match[0] if match[0].startswith(("'", '"')) or match[0].isascii() else f'"{match[0]}"'
        ),
        where,
    )


def _read_shapefile(
    path: Path,
    layer: str | None,
    where: str | None,
    encoding: str | None,
    keys: Sequence[str],
    notes: list[Remark],
) -> Rows:
    """Read a shapefile, or a dBase table alone."""
    found = shapefile_encoding(path, encoding)
    notes += _encoding_remarks(found)
    alone = path.suffix.lower() == ".dbf"
    if not alone and not any(path.with_suffix(side).exists() for side in (".shx", ".SHX")):
        said = text("the .shx index is missing and was made up")
        notes.append(Remark("no_shx", said, text("send all parts of the shapefile")))
    wanted = [*asked_keys(where), *keys]
    name = layer or path.stem
    table_file = path if alone else sibling(path, ".dbf")
    if table_file is None:
        said = text("the .dbf table is missing: the shapes have no name and no figures")
        notes.append(Remark("no_dbf", said, text("send all parts of the shapefile")))
    notes += overflowed(table_file, found.codec) if table_file is not None else []
    if table_file is not None and (alone or found.bad or not found.clean_names):
        table = read_dbf(table_file, found.codec)
        frame: Any = table
        if not alone:
            bare = _frame(
                path, None, {"columns": [], "encoding": "ISO-8859-1"}, notes, "ESRI Shapefile"
            )
            if len(bare) == len(table):
                frame = bare[[bare.geometry.name]].join(table)
            else:
                frame = _frame(path, None, {"encoding": found.codec}, notes, "ESRI Shapefile")
        if where:
            frame = frame[matching(pd.DataFrame(table), where)].reset_index(drop=True)
    else:
        options = {"where": _quoted(where), "encoding": found.codec}
        frame = _frame(path, None, options, notes, "ESRI Shapefile")
    return _as_rows(frame, name, found.codec, wanted, notes, osm=False)


def _read_parquet(
    path: Path, where: str | None, wanted: Sequence[str], notes: list[Remark]
) -> Rows:
    """Read a GeoParquet file; a Parquet table without geometry is read as a table."""
    import geopandas as gpd

    frame: Any
    try:
        frame = gpd.read_parquet(path)
    except ValueError:
        frame = pd.read_parquet(path)
    except Exception as error:
        raise _broken(error) from error
    frame = frame.reset_index(drop=True)
    if where:
        shapes = frame.geometry.name if hasattr(frame, "crs") else None
        table = pd.DataFrame(frame.drop(columns=[shapes] if shapes else []))
        frame = frame[matching(table, where)].reset_index(drop=True)
    return _as_rows(frame, path.stem, "utf-8", wanted, notes, osm=False)


def _encoding_remarks(found: Encoding) -> list[Remark]:
    """Say how the encoding of a shapefile was found, where that is worth a word."""
    out = []
    codec = found.codec.upper()
    if found.how in ("ldid", "bytes"):
        out.append(
            Remark(
                "encoding_found",
                text("the shapefile does not say its encoding; read as {encoding}", encoding=codec),
                text("add a .cpg file that holds {encoding}", encoding=codec),
            )
        )
    if found.how == "instead":
        out.append(
            Remark(
                "encoding_instead",
                text(
                    "the .cpg says {said}, but the text is {encoding}; read as {encoding}",
                    said=found.said,
                    encoding=codec,
                ),
                text("write {encoding} into the .cpg file", encoding=codec),
            )
        )
    if found.bad:
        out.append(bad_bytes(found.codec, found.bad))
    return out


def _described(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Take the fields out of the tables that ArcGIS writes into the descriptions of a KML."""
    column = next((c for c in frame.columns if str(c).casefold() == "description"), None)
    if column is None or not frame[column].astype("str").str.contains("<td", case=False).any():
        return frame
    found = [dict(_CELLS.findall(str(entry))) for entry in frame[column]]
    names = list(dict.fromkeys(n for entry in found for n in entry))
    for name in names:
        label = html.unescape(re.sub(r"<[^>]+>", "", name)).strip()
        if label and label not in frame.columns:
            values = [
                html.unescape(re.sub(r"<[^>]+>", "", entry.get(name, ""))).strip() or None
                for entry in found
            ]
            frame = frame.assign(**{label: values})
    return frame


def _block_attributes(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give the attributes of a drawing's blocks their own columns."""
    if "BlockAttributes" not in frame.columns:
        return frame
    cells = [
        dict(str(one).partition(" ")[::2] for one in entry)
        if isinstance(entry, list | tuple | np.ndarray)
        else {}
        for entry in frame["BlockAttributes"]
    ]
    for tag in dict.fromkeys(tag for entry in cells for tag in entry):
        if tag and tag not in frame.columns:
            frame = frame.assign(**{tag: [entry.get(tag) or None for entry in cells]})
    drawn = [c for c in frame.columns if c.startswith(("Block", "Attribute"))]
    return frame.drop(columns=drawn)


_LOOKS: Final = ("altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon")
"""Columns that the driver of KML makes for every object: how it is drawn."""
_CELLS: Final = re.compile(
    r"<td[^>]*>((?:(?!<td|</td).)*)</td>\s*<td[^>]*>((?:(?!<td|</td).)*)</td>",
    re.IGNORECASE | re.DOTALL,
)


def _folders(
    path: Path, folders: list[str], options: dict[str, Any], notes: list[Remark], driver: str
) -> gpd.GeoDataFrame:
    """Read all folders of a KML as one layer."""
    import geopandas as gpd

    frames = []
    for folder in folders:
        part = _frame(path, folder, options, notes, driver)
        frames.append(part.assign(**({} if "Folder" in part.columns else {"Folder": folder})))
    crs = next((part.crs for part in frames if part.crs is not None), None)
    notes.append(
        Remark(
            "folders_read",
            text("all folders were read: {folders}", folders="、".join(folders[:20])),
            text("name one with layer: if only that one is meant"),
        )
    )
    tables = [
        pd.DataFrame(part).rename(columns={part.geometry.name: "geometry"}) for part in frames
    ]
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), geometry="geometry", crs=crs)


def _one_kind(frame: gpd.GeoDataFrame, geometry: str, notes: list[Remark]) -> gpd.GeoDataFrame:
    """Of a file that mixes points, lines and areas, keep what fits the role."""
    wanted = {"point": 0, "line": 1, "polygon": 2}.get(geometry)
    if wanted is None or not hasattr(frame, "crs"):
        return frame
    kinds = shapely.get_dimensions(frame.geometry.to_numpy())
    fits = kinds == wanted
    if not fits.any() or fits.all():
        return frame
    said = text(
        "of {all} objects the {n} that fit the layer were read", all=len(frame), n=int(fits.sum())
    )
    notes.append(Remark("kinds_left", said, text("give the others as a layer of their own")))
    return frame[fits].reset_index(drop=True)


def read_osm_roads(path: Path, *, where: str | None, window: Window | None) -> Rows:
    """Read the roads of an OpenStreetMap extract, with all that rules them.

    Parameters
    ----------
    path
        The extract.
    where
        SQL condition on the tags, or None.
    window
        West, south, east, north in EPSG:4326 [deg]; ways outside are not read.

    Returns
    -------
    Rows
        The ways, in EPSG:4326.

    Raises
    ------
    LayerError
        When the file cannot be read or the condition cannot be applied.
    """
    check_condition(where)
    try:
        frame = read_roads(path, window=window)
    except LayerError as error:
        raise error if error.problems else _broken(error) from error
    notes: list[Remark] = []
    if window is not None:
        said = text("of the OSM extract only the place and its surroundings were read")
        notes.append(Remark("window", said, text("nothing to do")))
    if where:
        table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
        missing = {key: None for key in asked_keys(where) if key not in table}
        frame = frame[matching(table.assign(**missing), where)].reset_index(drop=True)
    return _as_rows(frame, OSM_LAYERS["line"], "utf-8", (), notes, osm=True)


def _as_rows(
    frame: gpd.GeoDataFrame,
    layer: str,
    codec: str,
    wanted: Sequence[str],
    notes: list[Remark],
    *,
    osm: bool,
) -> Rows:
    """Part the features into cells and geometries."""
    shapes = frame.geometry if hasattr(frame, "crs") else None
    table = frame.drop(columns=frame.geometry.name) if shapes is not None else frame
    table = _tags(_flat(table.reset_index(drop=True)), wanted)
    if osm:
        table = table.drop(columns=[c for c in table if table[c].isna().all()])
    return Rows(
        table=table,
        row=np.arange(1, len(frame) + 1, dtype=np.int64),
        geometry=shapes.reset_index(drop=True) if shapes is not None else None,
        sheet=layer,
        encoding=codec,
        osm=osm or "osm_id" in table.columns,
        notes=tuple(notes),
    )


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Write lists and objects in cells as their JSON text."""
    for column in table.columns:
        cells = table[column]
        if not pd.api.types.is_object_dtype(cells):
            continue
        nested = cells.map(lambda cell: isinstance(cell, (list, dict, tuple, np.ndarray)))
        if nested.any():
            written = cells[nested].map(
                lambda cell: json.dumps(
                    cell.tolist() if isinstance(cell, np.ndarray) else cell,
                    ensure_ascii=False,
                    default=str,
                )
            )
            table = table.assign(**{str(column): cells.where(~nested, written)})
    return table


def _tags(table: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """Give ways of OSM multipolygons an id, and packed tags their own columns."""
    if "osm_way_id" in table.columns:
        ids = table["osm_id"].fillna("w" + table["osm_way_id"].astype("str"))
        table = table.assign(osm_id=ids)
    if "other_tags" in table.columns:
        keys = [key for key in dict.fromkeys(wanted) if key not in table.columns]
        tags = unpack_tags(table["other_tags"], keys)
        table = table.drop(columns="other_tags").join(tags)
    return table


_GPX: Final = {"point": "waypoints", "line": "tracks"}


def _choose_layers(path: Path, geometry: str, notes: list[Remark], driver: str) -> list[str]:
    """Choose the only layer, the only one whose geometry fits the role, or all folders of a KML."""
    try:
        with offline(path) as pyogrio, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = [(str(name), str(kind or "")) for name, kind in pyogrio.list_layers(path)]
            if len(layers) > 1:
                sizes = {
                    name: pyogrio.read_info(path, layer=name, force_feature_count=True)["features"]
                    for name, _ in layers
                    if driver in ("GPX", "LIBKML")
                }
                filled = [entry for entry in layers if sizes.get(entry[0], 1)]
                layers = filled or layers
    except Exception as error:
        raise _broken(error) from error
    unused = ("layer_styles", "blocks") if driver == "DXF" else ("layer_styles",)
    layers = [entry for entry in layers if entry[0] not in unused]
    if not layers:
        raise unusable("no_layer", text("the file holds no layer"), text("send the file again"))
    if len(layers) == 1:
        return [layers[0][0]]
    if driver == "LIBKML":
        return [name for name, _ in layers]
    fitting = [name for name, kind in layers if _FITTING.get(geometry, "") in kind and kind]
    if driver == "GPX" and _GPX.get(geometry) in fitting:
        fitting = [_GPX[geometry]]
    names = ", ".join(name for name, _ in layers)
    if len(fitting) != 1:
        raise unusable(
            "which_layer",
            text("the file holds several layers: {layers}", layers=names),
            text("name one in the project file, such as layer: {layer}", layer=layers[0][0]),
        )
    notes.append(
        Remark(
            "layer_chosen",
            text(
                "of the layers {layers} only {layer} fits and was read",
                layers=names,
                layer=fitting[0],
            ),
            text("name another with layer: if this is wrong"),
        )
    )
    return fitting


def _broken(error: Exception) -> Exception:
    return unusable(
        "broken_file",
        text("the file cannot be read"),
        text("open it in a GIS, save it as GeoPackage and give that file"),
        value=str(library_words(str(error))),
    )


def _frame(
    path: Path, layer: str | None, options: dict[str, Any], notes: list[Remark], driver: str
) -> gpd.GeoDataFrame:
    with offline(path) as pyogrio, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pyogrio.read_dataframe(
                path, layer=layer, use_arrow=True, on_invalid="fix", **options
            )
        except Exception as first:  # noqa: BLE001
            frame = _other_way(path, layer, options, notes, driver, first)
    said = [str(entry.message) for entry in caught if issubclass(entry.category, RuntimeWarning)]
    if any(_UNCLOSED in message for message in said):
        closed = text("rings that were not closed were closed")
        notes.append(Remark("ring_closed", closed, text("check the outline in a GIS")))
    notes += [
        Remark(
            "reader_warning",
            text("the reader says: {message}", message=library_words(message)),
            text("check the layer"),
        )
        for message in dict.fromkeys(said)
        if _UNCLOSED not in message
    ]
    return frame


_UNCLOSED: Final = "Non closed ring"


def _other_way(
    path: Path,
    layer: str | None,
    options: dict[str, Any],
    notes: list[Remark],
    driver: str,
    first: Exception,
) -> gpd.GeoDataFrame:
    """Read a layer that the quick way cannot: with arcs, with a condition it does not know."""
    where = options.get("where")
    rest = {key: value for key, value in options.items() if key != "where"}
    frame = _with_arcs(path, layer, rest, notes, driver)
    if frame is None and where:
        with offline(path) as pyogrio:
            try:
                frame = pyogrio.read_dataframe(path, layer=layer, on_invalid="fix", **rest)
            except Exception as error:  # noqa: BLE001
                frame = _salvage(path, layer, error, notes)
    if frame is None:
        return _salvage(path, layer, first, notes)
    if not where:
        return frame
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    kept: gpd.GeoDataFrame = frame[matching(table, where)].reset_index(drop=True)
    return kept


def _with_arcs(
    path: Path, layer: str | None, options: dict[str, Any], notes: list[Remark], driver: str
) -> gpd.GeoDataFrame | None:
    """Read a layer whose outlines hold arcs of circles; None when it holds none."""
    import geopandas as gpd

    if driver == "OSM":
        return None
    try:
        with offline(path) as pyogrio:
            name = layer or str(pyogrio.list_layers(path)[0][0])
            plain = name.replace('"', '""')
            table = pyogrio.read_dataframe(
                path,
                sql=f'SELECT *, OGR_GEOM_WKT AS wkt__ FROM "{plain}"',  # noqa: S608
                sql_dialect="OGRSQL",
                read_geometry=False,
                **options,
            )
            crs = pyogrio.read_info(path, layer=name)["crs"]
    except Exception:  # noqa: BLE001
        return None
    if not table["wkt__"].astype("str").str.contains("CURVE|CIRCULAR|SURFACE").any():
        return None
    said = text("arcs of circles were turned into straight pieces")
    notes.append(Remark("arcs", said, text("nothing to do")))
    shapes = [straight(written) for written in table["wkt__"]]
    return gpd.GeoDataFrame(table.drop(columns="wkt__"), geometry=shapes, crs=crs)


def _salvage(
    path: Path, layer: str | None, error: Exception, notes: list[Remark]
) -> gpd.GeoDataFrame:
    """Read a broken file part by part; a feature that cannot be read has no values."""
    import geopandas as gpd

    def read(first: int, count: int) -> gpd.GeoDataFrame:
        frame = pyogrio.read_dataframe(
            path, layer=layer, skip_features=first, max_features=count, use_arrow=False
        )
        if not isinstance(frame, gpd.GeoDataFrame):
            frame = gpd.GeoDataFrame(frame, geometry=[None] * len(frame))
        return frame.reset_index(drop=True).reindex(range(count))

    def parts(first: int, count: int) -> Iterator[gpd.GeoDataFrame | int]:
        try:
            yield read(first, count)
        except Exception:
            if count == 1:
                lost.append(first)
                if len(lost) > _MOST_LOST:
                    raise
                yield 1
            else:
                yield from parts(first, count // 2)
                yield from parts(first + count // 2, count - count // 2)

    lost: list[int] = []
    try:
        with offline(path) as pyogrio, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count = pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"]
            found = list(parts(0, count)) if count > 0 else []
    except Exception:  # noqa: BLE001
        raise _broken(error) from error
    whole = next((part for part in found if not isinstance(part, int)), None)
    if whole is None:
        raise _broken(error)
    empty = whole.iloc[:0].reindex([0])
    frame = pd.concat(
        [empty if isinstance(part, int) else part for part in found], ignore_index=True
    )
    notes.append(
        Remark(
            "salvaged",
            text("the file is damaged and was read feature by feature"),
            text("save the layer as GeoPackage again"),
        )
    )
    return gpd.GeoDataFrame(frame, geometry=frame.geometry, crs=whole.crs)


_MOST_LOST: Final = 1_000
"""Features that may be lost; a file of which more cannot be read is no layer."""

"""Vector files: GeoPackage, shapefile, GeoJSON, OSM and what else GDAL reads."""

from __future__ import annotations

import codecs
import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.formats import check_condition, offline, vector_driver
from riskmap.i18n import text
from riskmap.layers.check.findings import unusable
from riskmap.layers.layer import Remark, Rows

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray


_LDID: Final = {
    0x4D: "gb18030",
    0x7A: "gb18030",
    0x4F: "big5",
    0x78: "big5",
    0x4E: "cp949",
    0x79: "cp949",
    0x13: "cp932",
    0x7B: "cp932",
    0x26: "cp866",
    0xC9: "cp1251",
    0xC8: "cp1250",
}
"""Language driver numbers that name one code page; ANSI (0x57) and the Western ones are often
written without meaning and count for nothing."""
_LAST_RESORT: Final = "cp1252"


def shapefile_encoding(path: Path, declared: str | None) -> tuple[str, str]:
    """Find the encoding of a shapefile: declared, .cpg, language driver, UTF-8, GB18030.

    Parameters
    ----------
    path
        The .shp file.
    declared
        What the project file says, or None.

    Returns
    -------
    tuple of str
        The codec, and how it was found: ``declared``, ``cpg``, ``ldid``, ``ascii`` or ``bytes``.

    Raises
    ------
    LayerError
        When the bytes fit no encoding, or not the declared one.
    """
    table = _sibling(path, ".dbf")
    if table is None:
        return "utf-8", "ascii"
    blob, ldid = _texts(table)
    if declared:
        if not _fits(blob, declared):
            raise _unfit(declared)
        return codecs.lookup(declared).name, "declared"
    page = _sibling(path, ".cpg")
    if (
        page is not None
        and (named := _codec(page.read_text("ascii", "ignore").strip()))
        and _fits(blob, named)
    ):
        return named, "cpg"
    if blob.isascii():
        return "utf-8", "ascii"
    if ldid in _LDID and _fits(blob, _LDID[ldid]):
        return _LDID[ldid], "ldid"
    for codec in ("utf-8", "gb18030", _LAST_RESORT):
        if _fits(blob, codec):
            return codec, "bytes"
    raise _unfit("utf-8, gb18030")


def _unfit(tried: str) -> Exception:
    return unusable(
        "encoding",
        text("the text is not written in {encodings}", encodings=tried),
        text("declare the encoding in the project file, or save the layer as GeoPackage"),
    )


def _sibling(path: Path, suffix: str) -> Path | None:
    return next(
        (p for p in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if p.exists()),
        None,
    )


def _codec(name: str) -> str | None:
    plain = name.strip().casefold().replace("ansi ", "cp")
    plain = {"936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "65001": "utf-8"}.get(
        plain, plain
    )
    for candidate in (plain, f"cp{plain}"):
        try:
            return codecs.lookup(candidate).name
        except LookupError:
            continue
    return None


def _fits(blob: bytes, codec: str) -> bool:
    try:
        blob.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _texts(path: Path) -> tuple[bytes, int]:
    """Join the bytes of all text cells that are not cut off, and give the language driver."""
    content = np.fromfile(path, dtype=np.uint8)
    if len(content) < 33:
        return b"", 0
    head = content[:32].tobytes()
    count = int.from_bytes(head[4:8], "little")
    start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    fields = content[32 : max(start - 1, 32)]
    fields = fields[: len(fields) // 32 * 32].reshape(-1, 32)
    kinds, widths = fields[:, 11], fields[:, 16].astype(int)
    stops = 1 + np.cumsum(widths)
    pieces = [bytes(row[:11].tobytes().split(b"\x00")[0]) for row in fields]
    count = min(count, (len(content) - start) // max(width, 1))
    records = content[start : start + count * width].reshape(count, width)
    for kind, size, stop in zip(kinds, widths, stops, strict=True):
        if kind == ord("C") and size > 0:
            pieces.append(_whole_cells(records[:, stop - size : stop]))
    return b"\n".join(pieces), head[29]


def _whole_cells(cells: NDArray[np.uint8]) -> bytes:
    """Join cells that end in a blank, for a full cell may end in half a character."""
    last = cells[:, -1]
    ended = cells[(last == 0x20) | (last == 0)]
    line = np.full((len(ended), 1), 0x0A, dtype=np.uint8)
    joined: bytes = np.hstack([ended, line]).tobytes()
    return joined


ROAD_TAGS: Final = (
    "highway",
    "oneway",
    "access",
    "vehicle",
    "motor_vehicle",
    "foot",
    "junction",
    "bridge",
    "tunnel",
    "layer",
    "maxspeed",
    "name",
)
"""What the road graph needs to know of a way."""
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
    driver = vector_driver(path)
    check_condition(where)
    osm = driver == "OSM"
    notes: list[Remark] = []
    options: dict[str, Any] = {"where": where}
    codec = "utf-8"
    if path.suffix.lower() == ".shp":
        codec = options["encoding"] = _shapefile(path, encoding, notes)
    chosen = layer or (OSM_LAYERS.get(geometry, "points") if osm else None)
    if chosen is None:
        chosen = _choose_layer(path, geometry, notes)
    wanted = [*asked_keys(where), *keys]
    packed = "other_tags" in (where or "")
    with osm_config(wanted) if osm and not packed else nullcontext() as config:
        if osm and window is not None:
            options["bbox"] = window
            said = text("of the OSM extract only the place and its surroundings were read")
            notes.append(Remark("window", said, text("nothing to do")))
        if config is not None:
            options["CONFIG_FILE"] = str(config)
        frame = _frame(path, chosen, options, notes, driver)
    return _as_rows(frame, chosen or "", codec, wanted, notes, osm=osm)


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
    table = _tags(table.reset_index(drop=True), wanted)
    if osm:
        table = table.drop(
            columns=[c for c in table if c not in ROAD_TAGS and table[c].isna().all()]
        )
    return Rows(
        table=table,
        row=np.arange(1, len(frame) + 1, dtype=np.int64),
        geometry=shapes.reset_index(drop=True) if shapes is not None else None,
        sheet=layer,
        encoding=codec,
        osm=osm or "osm_id" in table.columns,
        notes=tuple(notes),
    )


def _shapefile(path: Path, encoding: str | None, notes: list[Remark]) -> str:
    """Find the encoding of a shapefile and say what it lacks."""
    codec, how = shapefile_encoding(path, encoding)
    if how in ("ldid", "bytes"):
        notes.append(_encoding_remark(codec))
    if not path.with_suffix(".shx").exists() and not path.with_suffix(".SHX").exists():
        said = text("the .shx index is missing and was made up")
        notes.append(Remark("no_shx", said, text("send all parts of the shapefile")))
    return codec


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


def _encoding_remark(codec: str) -> Remark:
    return Remark(
        "encoding_found",
        text("the shapefile does not say its encoding; read as {encoding}", encoding=codec.upper()),
        text("add a .cpg file that holds {encoding}", encoding=codec.upper()),
    )


def _choose_layer(path: Path, geometry: str, notes: list[Remark]) -> str | None:
    """Choose the only layer, or the only one whose geometry fits the role."""
    try:
        with offline(path) as pyogrio:
            layers = [(str(name), str(kind or "")) for name, kind in pyogrio.list_layers(path)]
    except Exception as error:
        raise _broken(error) from error
    layers = [entry for entry in layers if entry[0] != "layer_styles"]
    if not layers:
        raise unusable("no_layer", text("the file holds no layer"), text("send the file again"))
    if len(layers) == 1:
        return layers[0][0]
    fitting = [name for name, kind in layers if _FITTING.get(geometry, "") in kind and kind]
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
    return fitting[0]


def _broken(error: Exception) -> Exception:
    return unusable(
        "broken_file",
        text("the file cannot be read"),
        text("open it in a GIS, save it as GeoPackage and give that file"),
        value=str(error),
    )


def _frame(
    path: Path, layer: str | None, options: dict[str, Any], notes: list[Remark], driver: str
) -> gpd.GeoDataFrame:
    with offline(path) as pyogrio, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pyogrio.read_dataframe(
                path, layer=layer, use_arrow=True, on_invalid="ignore", **options
            )
        except Exception as first:
            if options.get("where"):
                raise unusable(
                    "where",
                    text("the condition cannot be applied: {where}", where=options["where"]),
                    text("name existing columns, as in SQL"),
                    value=str(first),
                ) from first
            frame = _salvage(path, layer, first, notes, driver)
    said = [str(entry.message) for entry in caught if issubclass(entry.category, RuntimeWarning)]
    notes += [
        Remark(
            "reader_warning",
            text("the reader says: {message}", message=message),
            text("check the layer"),
        )
        for message in dict.fromkeys(said)
    ]
    return frame


def _salvage(
    path: Path, layer: str | None, error: Exception, notes: list[Remark], driver: str
) -> gpd.GeoDataFrame:
    """Read a broken file feature by feature with fiona; what cannot be read has no geometry."""
    import fiona
    import geopandas as gpd
    from shapely.geometry import shape

    records: list[dict[str, Any]] = []
    shapes: list[Any] = []
    try:
        with fiona.open(path, layer=layer, enabled_drivers=[driver]) as source:
            crs = source.crs_wkt or None
            features = iter(source)
            for index in range(len(source)):
                try:
                    feature = next(features)
                    records.append(dict(feature["properties"]))
                    shapes.append(shape(feature["geometry"]) if feature["geometry"] else None)
                except StopIteration:
                    records += [{}] * (len(source) - index)
                    shapes += [None] * (len(source) - index)
                    break
                except Exception:  # noqa: BLE001
                    records[index:] = [{}]
                    shapes[index:] = [None]
    except Exception:  # noqa: BLE001
        raise _broken(error) from error
    if not records:
        raise _broken(error)
    notes.append(
        Remark(
            "salvaged",
            text("the file is damaged and was read feature by feature"),
            text("save the layer as GeoPackage again"),
        )
    )
    return gpd.GeoDataFrame(records, geometry=shapes, crs=crs)

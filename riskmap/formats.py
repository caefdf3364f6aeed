"""What a file is by its ending and its content, and the one driver that may open it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from xml.parsers import expat

from riskmap.errors import LayerError, Problem
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

VECTORS: Final[Mapping[str, tuple[str, ...]]] = {
    ".gpkg": ("GPKG",),
    ".sqlite": ("SQLite",),
    ".db": ("SQLite",),
    ".shp": ("ESRI Shapefile",),
    ".dbf": ("ESRI Shapefile",),
    ".geojson": ("GeoJSON",),
    ".json": ("GeoJSON",),
    ".topojson": ("GeoJSON",),
    ".geojsonl": ("GeoJSON",),
    ".geojsons": ("GeoJSON",),
    ".ndjson": ("GeoJSON",),
    ".kml": ("KML",),
    ".kmz": ("KMZ",),
    ".ovkml": ("KML",),
    ".ovkmz": ("KMZ",),
    ".gml": ("GML",),
    ".gpx": ("GPX",),
    ".xml": ("KML", "GML", "GPX", "OSM"),
    ".osm": ("OSM",),
    ".pbf": ("OSM",),
    ".fgb": ("FlatGeobuf",),
    ".parquet": ("Parquet",),
    ".geoparquet": ("Parquet",),
    ".tab": ("MapInfo File",),
    ".mif": ("MapInfo File",),
    ".dxf": ("DXF",),
    ".gdb": ("OpenFileGDB",),
    ".zip": ("ZIP",),
}
"""Ending of a vector file to what it may be."""
RASTERS: Final[Mapping[str, tuple[str, ...]]] = {
    ".tif": ("GTiff",),
    ".tiff": ("GTiff",),
    ".img": ("HFA",),
    ".asc": ("AAIGrid",),
    ".nc": ("netCDF",),
    ".mbtiles": ("MBTiles",),
    ".hgt": ("SRTMHGT",),
}
"""Ending of a raster to what it may be."""
NEVER: Final = (
    "ADBC", "AIVector", "AmigoCloud", "CSW", "Carto", "EEDA", "Elasticsearch", "GDALG", "GPSBabel",
    "HTTP", "NGW", "OAPIF", "OGCAPI", "OGR_VRT", "PDF", "PLSCENES", "WFS",
)  # fmt: skip
"""Drivers that lead to other files, to the network, to a database or to a program."""
_MARKS: Final = (
    b"<ogrvrtdatasource", b"<ogrvrtlayer", b"<vrtdataset", b"<gdal_wms", b"<gdal_wmts",
    b"<wms_gdal", b"<ogrwfsdatasource", b"<ogrcswdatasource", b"<wcs_gdal",
    b"<gdaltileindexdataset", b"gdal_streamed_alg",
)  # fmt: skip
"""What the files of such drivers begin with; GDAL looks for them anywhere in the head."""
_HEAD: Final = 1 << 20
_ROOTS: Final = {"kml": "KML", "gpx": "GPX", "osm": "OSM", "featurecollection": "GML"}
_DBASE: Final = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x7b\x83\x8b\x8c\xcb\xe5\xf5\xfb")
_SIDES: Final = {
    ".shp": (".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".cst"),
    ".dbf": (".cpg",),
    ".tab": (".dat", ".map", ".id", ".ind", ".cpg"),
    ".mif": (".mid",),
    ".gml": (".gfs", ".xsd"),
    ".xml": (".gfs", ".xsd"),
    ".img": (".rrd", ".ige", ".rde"),
    ".asc": (".prj",),
    ".tif": (".tfw", ".tifw", ".wld", ".prj"),
    ".tiff": (".tfw", ".tiffw", ".wld", ".prj"),
}
_ADDED: Final = (".ovr", ".msk", ".aux.xml", "-wal", "-journal", "-shm")
"""Endings that stand behind the whole name."""
MOST_UNPACKED: Final = 4 << 30
"""Bytes that the parts of an archive may have when they are unpacked."""
_HGT_BYTES: Final = (2 * 1201 * 1201, 2 * 3601 * 3601, 2 * 1801 * 3601)
"""Sizes of SRTM tiles, which have no mark of their own."""
_STEPS: Final = 200_000_000
"""Steps of SQLite that all views of a database may take together; some seconds."""
_EVERY: Final = 100_000


def unusable_file(rule: str, message: Text, mend: Text, *, value: str = "") -> LayerError:
    """Make the error of a file that cannot be used at all.

    Parameters
    ----------
    rule
        Short stable code.
    message, mend
        What is wrong, and how to mend it.
    value
        What stands there.

    Returns
    -------
    LayerError
        With the one problem.
    """
    problem = Problem("unusable", "", rule, message, mend, value=value)
    return LayerError(message, (problem,))


def side_files(path: Path) -> list[Path]:
    """List the files that are read with a file: itself, and what stands beside it for it.

    Parameters
    ----------
    path
        A file, or a folder: a layer (``.gdb``), or role files.

    Returns
    -------
    list of Path
        Those that exist, the file itself first.
    """
    if path.is_dir():
        inner = path.rglob("*") if path.suffix.lower() == ".gdb" else path.glob("*.yaml")
        return [path, *sorted(file for file in inner if file.is_file())]
    suffix = path.suffix.lower()
    beside = [path.with_name(path.name + added) for added in _ADDED]
    for side in _SIDES.get(suffix, ()):
        beside += [path.with_suffix(side), path.with_suffix(side.upper())]
    # A name of the greatest length has no room for an ending: such a neighbour does not exist.
    found = dict.fromkeys([path, *(file for file in beside if os.path.isfile(file))])  # noqa: PTH113
    return list(found)


@contextmanager
def _skipping() -> Iterator[None]:
    before = os.environ.get("GDAL_SKIP")
    os.environ["GDAL_SKIP"] = ",".join(NEVER)
    try:
        yield
    finally:
        if before is None:
            del os.environ["GDAL_SKIP"]
        else:
            os.environ["GDAL_SKIP"] = before


def vector_reader() -> Any:
    """Import pyogrio without the drivers that lead elsewhere.

    Returns
    -------
    module
        ``pyogrio``. A program that imported it before has them still; then `vector_driver`, which
        looks at the content, stands alone.
    """
    with _skipping():
        import pyogrio
    return pyogrio


_CALM_GDAL: Final[Mapping[str, str]] = {
    "GML_DOWNLOAD_SCHEMA": "NO",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "LIBKML_RESOLVE_STYLE": "NO",
    "GDAL_HTTP_PROXY": "http://127.0.0.1:9",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "0",
}
"""No network, no other files; and what the reading of honest files needs."""


@contextmanager
def offline(path: Path | None = None) -> Iterator[Any]:
    """Read with pyogrio without network and without what leads to other files.

    Parameters
    ----------
    path
        The file; the index of a shapefile that lacks it is made up.

    Yields
    ------
    module
        ``pyogrio``; the options of GDAL are as before when the block ends.
    """
    reader = vector_reader()
    options = dict(_CALM_GDAL)
    if path is not None and path.suffix.lower() == ".shp":
        whole = any(path.with_suffix(side).exists() for side in (".shx", ".SHX"))
        options["SHAPE_RESTORE_SHX"] = "NO" if whole else "YES"
    if path is not None and path.suffix.lower() == ".dxf" and path.is_file():
        options |= _dxf_options(path)
    before = {key: reader.get_gdal_config_option(key) for key in options}
    reader.set_gdal_config_options(options)
    try:
        yield reader
    finally:
        reader.set_gdal_config_options(before)


_MOST_DRAWING: Final = 200_000_000


def _dxf_options(path: Path) -> dict[str, str]:
    """Tell the encoding of a drawing, and whether its blocks hold attributes.

    Drawings of 2007 and later are in UTF-8, whatever code page they name.
    """
    with path.open("rb") as stream:
        content = stream.read(_MOST_DRAWING)
    found = {}
    if not content.isascii():
        for codec, name in (("utf-8", "UTF-8"), ("gb18030", "CP936"), ("big5", "CP950")):
            with suppress(UnicodeDecodeError):
                content.decode(codec)
                found["DXF_ENCODING"] = name
                break
    if re.search(rb"^ATTRIB\s*$", content, re.MULTILINE):
        found["DXF_INLINE_BLOCKS"] = "FALSE"
    return found


def vector_driver(path: Path) -> str:
    """Tell the one driver that may open a vector file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Name of the driver, as GDAL has it.

    Raises
    ------
    LayerError
        When the ending is not known, or the content is something else than the ending says.
    """
    suffix = path.suffix.lower()
    allowed = VECTORS.get(suffix)
    if allowed is None:
        raise _unknown(suffix, "GeoPackage (.gpkg)")
    found = _vector(path, suffix)
    if found not in allowed:
        raise _other(suffix, found)
    if found in ("GPKG", "SQLite"):
        check_database(path)
    if found in ("ZIP", "KMZ"):
        return _archive(path, found)
    return "LIBKML" if found == "KML" else found


def raster_driver(path: Path) -> str:
    """Tell the one driver that may open a raster.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Name of the driver, as GDAL has it.

    Raises
    ------
    LayerError
        When the ending is not known, or the content is something else than the ending says.
    """
    suffix = path.suffix.lower()
    allowed = RASTERS.get(suffix)
    if allowed is None:
        raise _unknown(suffix, "GeoTIFF (.tif)")
    found = _raster(_head(path))
    if suffix == ".hgt" and found == "" and path.stat().st_size in _HGT_BYTES:
        found = "SRTMHGT"
    if found not in allowed:
        raise _other(suffix, found)
    if found == "MBTiles":
        check_database(path)
    for side in side_files(path)[1:]:
        if side.suffix.lower() in (".ovr", ".msk") and _raster(_head(side)) not in ("GTiff", "HFA"):
            raise _other(side.suffix.lower(), "")
        if side.name.lower().endswith(".aux.xml") and b"OVERVIEW_FILE" in _head(side):
            raise _leads_on()
    return found


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD)


def _unknown(suffix: str, better: str) -> LayerError:
    return unusable_file(
        "file_kind",
        text("files that end in {suffix} are not read", suffix=suffix or "''"),
        text("save the layer as {format} and give that file", format=better),
    )


def _other(suffix: str, found: str) -> LayerError:
    if not found:
        said = text(
            "the file cannot be read: it is not what the ending {suffix} says", suffix=suffix
        )
        mend = text("copy the file again, whole, or export the layer again")
        return unusable_file("broken_file", said, mend)
    said = text("the content is not what the ending {suffix} says", suffix=suffix)
    mend = text("export the layer again, or give the file the ending of what it is")
    return unusable_file("file_content", said, mend, value=found)


def _leads_on() -> LayerError:
    return unusable_file(
        "leads_elsewhere",
        text("the file only points at other files or addresses; those are not followed"),
        text("export the data themselves, as GeoPackage or GeoTIFF"),
    )


def _vector(path: Path, suffix: str) -> str:
    """Name what the content is; blank when it is nothing known."""
    if path.is_dir():
        return "OpenFileGDB" if any(path.glob("*.gdbtable")) else ""
    head = _head(path)
    if any(mark in head.lower() for mark in _MARKS):
        raise _leads_on()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n\x00")[:64]
    if head.startswith(b"SQLite format 3\x00"):
        return "SQLite" if suffix in (".sqlite", ".db") else "GPKG"
    if head.startswith(b"\x00\x00\x27\x0a"):
        return "ESRI Shapefile"
    if head.startswith(b"fgb\x03"):
        return "FlatGeobuf"
    if head.startswith(b"PAR1"):
        return "Parquet"
    if head.startswith(b"PK\x03\x04"):
        return "KMZ" if suffix in (".kmz", ".ovkmz") else "ZIP"
    if b"OSMHeader" in head[:32]:
        return "OSM"
    if start[:1] in (b"{", b"[", b"\x1e"):
        return "GeoJSON"
    if start.startswith(b"<"):
        return _xml(head)
    return _plain(head, start, suffix)


def _plain(head: bytes, start: bytes, suffix: str) -> str:
    """Name what a file without a mark of its own is."""
    if suffix == ".dbf" and head[:1] and head[0] in _DBASE and len(head) > 32:
        return "ESRI Shapefile"
    if suffix == ".tab" and start.lower().startswith(b"!table"):
        lower = head.lower()
        if re.search(rb"create\s+view|isseamless|open\s+table", lower):
            raise _leads_on()
        return "MapInfo File"
    if suffix == ".mif" and start.lower().startswith(b"version"):
        return "MapInfo File"
    if suffix == ".dxf" and (b"SECTION" in head[:4096] or start.startswith(b"AutoCAD Binary DXF")):
        return "DXF"
    return ""


def _xml(head: bytes) -> str:
    """Name an XML file by its root; entities of its own are refused."""
    roots: list[str] = []
    entities: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: roots.append(name)
    parser.EntityDeclHandler = lambda name, *_: entities.append(name)
    with suppress(expat.ExpatError, ValueError):  # damaged further on: the driver says so
        parser.Parse(head)
    if entities:
        said = text("the file declares entities of its own; such files are not read")
        raise unusable_file("xml_entities", said, text("export the layer again"))
    if not roots:
        return ""
    root = roots[0].rpartition(":")[2].lower()
    if root in _ROOTS:
        return _ROOTS[root]
    return "GML" if b"opengis.net/gml" in head else ""


def _raster(head: bytes) -> str:
    """Name what the content of a raster is."""
    magic = {
        b"II*\x00": "GTiff", b"MM\x00*": "GTiff", b"II+\x00": "GTiff", b"MM\x00+": "GTiff",
        b"EHFA_HEADER_TAG": "HFA", b"CDF\x01": "netCDF", b"CDF\x02": "netCDF", b"CDF\x05": "netCDF",
        b"SQLite format 3\x00": "MBTiles",
    }  # fmt: skip
    for mark, name in magic.items():
        if head.startswith(mark):
            return name
    plain = head[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "AAIGrid" if re.match(rb"(ncols|nrows|xll|yll|cellsize)\b", plain) else ""


_PARTS: Final = re.compile(
    r"(?i)\.(shp|shx|dbf|prj|cpg|sbn|sbx|qix|qpj|qmd|qml|cst|shp\.xml|xml|txt|lyr|png|jpe?g)$"
)


def _archive(path: Path, found: str) -> str:
    """Look into an archive: parts of shapefiles, or one KML, of a bearable size."""
    bad = unusable_file(
        "archive",
        text("the archive holds something else than the parts of a shapefile or a KML file"),
        text("unpack it and give the file itself"),
    )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise _too_large()
            heads = {e.filename: archive.open(e).read(_HEAD) for e in entries[:200]}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        raise bad from error
    if len(entries) > 200 or any(any(m in h.lower() for m in _MARKS) for h in heads.values()):
        raise bad
    if found == "KMZ":
        kmls = [head for name, head in heads.items() if name.lower().endswith(".kml")]
        if kmls and all(_xml(head) == "KML" for head in kmls):
            return "LIBKML"
        raise bad
    shapes = [head for name, head in heads.items() if name.lower().endswith(".shp")]
    if not shapes or not all(_PARTS.search(name) for name in heads):
        raise bad
    if not all(head.startswith(b"\x00\x00\x27\x0a") for head in shapes):
        raise bad
    return "ESRI Shapefile"


def _too_large() -> LayerError:
    return unusable_file(
        "too_large",
        text("the file is larger than is read"),
        text("cut it to the place, or split it"),
    )


_CALM: Final = frozenset((
    "abs", "avg", "cast", "ceil", "ceiling", "coalesce", "count", "floor", "glob", "group_concat",
    "hex", "ifnull", "iif", "instr", "length", "like", "likely", "lower", "ltrim", "max", "min",
    "nullif", "quote", "replace", "round", "row_number", "rtrim", "sign", "substr", "substring",
    "sum", "total", "trim", "typeof", "unicode", "unlikely", "upper",
))  # fmt: skip
"""Functions of SQLite that a view may use: they end soon and read nothing."""
_MODULES: Final = frozenset(("rtree", "rtree_i32", "fts3", "fts4", "fts5"))
_VIRTUAL: Final = re.compile(r"(?is)\s*create\s+virtual\s+table\b.*?\busing\s+[\"'`\[]?(\w+)")


def check_database(path: Path) -> None:
    """Refuse a database whose tables lead elsewhere or whose views do not end.

    Parameters
    ----------
    path
        A GeoPackage or another SQLite file.

    Raises
    ------
    LayerError
        When it is damaged, has virtual tables, or a view that uses recursion or unknown functions
        or takes too long.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as base:
            base.text_factory = lambda raw: raw.decode("utf-8", "replace")
            base.set_authorizer(_authorise)
            _bounded(base)
    except sqlite3.Error as error:
        if not isinstance(error, sqlite3.OperationalError) and "authoriz" not in str(error):
            raise unusable_file(
                "broken_file",
                text("the file cannot be read"),
                text("open it in a GIS, save it as GeoPackage and give that file"),
                value=str(error),
            ) from error
        raise unusable_file(
            "database",
            text("the database is damaged, or holds a query that is not run here"),
            text("save the layer as a table of a new GeoPackage and give that file"),
            value=str(error)[:200],
        ) from error


def _authorise(action: int, one: str | None, two: str | None, *_: object) -> int:
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (two or one or "").lower() in _CALM:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _bounded(base: sqlite3.Connection) -> None:
    """Prepare every table and run every view, within so many steps."""
    left = [_STEPS // _EVERY]

    def spent() -> int:
        left[0] -= 1
        return int(left[0] < 0)

    base.set_progress_handler(spent, _EVERY)
    listed = base.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    for kind, name, sql in listed:
        written = sql or ""
        if kind == "table" and (made := _VIRTUAL.match(written)):
            if made.group(1).lower() not in _MODULES:
                raise _leads_on()
        elif kind in ("table", "view") and not str(name).startswith("sqlite_"):
            plain = '"' + str(name).replace('"', '""') + '"'
            query = f"SELECT * FROM {plain}" + (" LIMIT 0" if kind == "table" else "")  # noqa: S608
            for _ in base.execute(query):
                pass


_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\])"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<word>[^\W\d][\w:.]*)"
    r"|(?P<mark><=|>=|<>|!=|==|\|\||[=<>(),+\-*/%]))"
)
_MOST_CONDITION: Final = 4000
_MOST_WILD: Final = 4
_WORDS: Final = frozenset(("and", "or", "not", "in", "is", "like", "ilike", "between"))
_ASKED: Final = frozenset((
    "abs", "cast", "ceil", "coalesce", "floor", "ifnull", "length", "lower", "ltrim", "nullif",
    "replace", "round", "rtrim", "substr", "trim", "upper",
))  # fmt: skip


def check_condition(where: str | None) -> None:
    """Refuse an SQL condition that is more than a comparison of columns.

    Parameters
    ----------
    where
        The condition, or None.

    Raises
    ------
    LayerError
        When it holds a query, a function that is not known to be harmless, or is too long.

    Examples
    --------
    >>> check_condition("level = 'village' AND people > 3 OR name LIKE '%村'")
    """
    if not where:
        return
    bad = unusable_file(
        "where",
        text("the condition cannot be applied: {where}", where=where[:200]),
        text("compare columns with values, as in: level = 'village' AND people > 0"),
    )
    if len(where) > _MOST_CONDITION:
        raise bad
    bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "", where)
    if "--" in bare or "/*" in bare:
        raise bad
    at, before = 0, ""
    rest = where.rstrip()
    while at < len(rest):
        found = _TOKEN.match(rest, at)
        if found is None or (found["text"] or "").count("%") > _MOST_WILD:
            raise bad
        word = (found["word"] or "").lower()
        if word in ("select", "with", "values", "over", "filter", "regexp", "match"):
            raise bad
        if found["mark"] == "(" and before and before not in _WORDS | _ASKED:
            raise bad
        before = word or ('"' if found["name"] else "")
        at = found.end()


def tags_lead_on(tags: Mapping[str, object] | Sequence[str]) -> None:
    """Refuse a raster whose own notes name another file as its overview.

    Parameters
    ----------
    tags
        Its tags in the domain ``OVERVIEWS``.

    Raises
    ------
    LayerError
        When they name one.
    """
    if "OVERVIEW_FILE" in tags:
        raise _leads_on()


MOST_FILE: Final = 300_000_000
"""Bytes that a workbook or text table may have."""
MOST_PART: Final = 250_000_000
"""Bytes that a part of a workbook may have when it is unpacked."""
MOST_CELLS: Final = 12_000_000
"""Cells of the rectangle from A1 to the last cell of a sheet."""
_PROBE_S: Final = 60
_PROBE_BYTES: Final = 2 << 30
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br=["']([A-Za-z]{1,3})(\d{1,7})["']""")
_PROBE: Final = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
except (ImportError, ValueError, OSError):
    pass
from python_calamine import CalamineError, CalamineWorkbook
try:
    book = CalamineWorkbook.from_path(sys.argv[1])
    most = 0
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        most = max(most, len(rows) * len(rows[0]) if rows else 0)
    print(most)
except (CalamineError, OSError, ValueError):
    print(0)
"""


def check_size(path: Path) -> None:
    """Refuse a table file that is larger than is read.

    Parameters
    ----------
    path
        A workbook or text table.

    Raises
    ------
    LayerError
        When it is.
    """
    if path.stat().st_size > MOST_FILE:
        raise _too_large()


def check_workbook(path: Path, *, telling: str = "") -> frozenset[str]:
    """Refuse a workbook that would take more memory or time than a table of rows does.

    The sheets of an .xlsx are looked through for their last cell; other kinds are opened by a
    child process with limits first, for a damaged file may end the process that reads it.

    Parameters
    ----------
    path
        The workbook.
    telling
        A pattern that is sought in the sheets on the way, as RE2 reads it.

    Returns
    -------
    frozenset of str
        Parts of an .xlsx that hold the pattern nowhere.

    Raises
    ------
    LayerError
        When it is too large; the message names the last cell.
    """
    check_size(path)
    quiet = set()
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            if any(part.file_size > MOST_PART for part in parts):
                raise _too_large()
            sheets = [part for part in parts if part.filename.startswith("xl/worksheets/")]
            plain = [part for part in sheets if part.filename.lower().endswith(".xml")]
            for part in plain:
                with archive.open(part) as stream:
                    far, told = _hold(stream, _FAR, telling)
                if not told:
                    quiet.add(part.filename)
                with archive.open(part) as stream:
                    if far:
                        _check_sheet(stream)
            if plain and len(plain) == len([p for p in sheets if "_rels" not in p.filename]):
                return frozenset(quiet)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        pass  # not of this kind, or damaged: the child finds out
    _probe(path)
    return frozenset(quiet)


_FAR: Final = (
    r"""r=["'](?:[A-Za-z]{2,3}[0-9]|[A-Za-z](?:4[6-9]|[5-9][0-9])[0-9]{4}|[A-Za-z][0-9]{7})"""
)
"""Cells beyond column Z or row 460 000: without one a sheet is never too large."""


def _pieces(stream: Any) -> Iterator[bytes]:
    """Give a part of a workbook in pieces that overlap by more than a cell's address."""
    rest, read = b"", 0
    while piece := stream.read(1 << 20):
        read += len(piece)
        if read > MOST_PART:
            raise _too_large()
        yield rest + piece
        rest = piece[-400:]


def _hold(stream: Any, *patterns: str) -> list[bool]:
    """Tell of patterns whether a sheet holds them, in one reading of the whole."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = [False] * len(patterns)
    for piece in _pieces(stream):
        held = pa.scalar(piece, pa.large_binary())
        found = [
            had or bool(pattern and pc.match_substring_regex(held, pattern).as_py())
            for had, pattern in zip(found, patterns, strict=True)
        ]
    return found


def _check_sheet(stream: Any) -> None:
    """Look for the last cell of a sheet, piece by piece."""
    wide, high = 0, 0
    for piece in _pieces(stream):
        cells = _CELL.findall(piece)
        for column in {column for column, _ in cells}:
            number = 0
            for letter in column.upper():
                number = number * 26 + letter - 64
            wide = max(wide, number)
        high = max([high, *map(int, {row for _, row in cells})])
        if wide * high > MOST_CELLS:
            raise unusable_file(
                "too_many_cells_in_sheet",
                text("the sheet reaches to row {row} and column {column}", row=high, column=wide),
                text("delete the empty rows and columns beyond the table, and save it again"),
            )


def _probe(path: Path) -> None:
    """Open a workbook in a child process with limits of memory and time."""
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and code
            [sys.executable, "-c", _PROBE, str(path), str(_PROBE_BYTES)],
            check=False, capture_output=True, timeout=_PROBE_S, text=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _too_large() from None
    except OSError:
        return
    said = done.stdout.strip()
    if done.returncode < 0 or (said.isdecimal() and int(said) > MOST_CELLS):
        raise _too_large()
    if done.returncode > 0 and ("memory" in done.stderr.lower() or "panic" in done.stderr.lower()):
        raise _too_large()

"""Files as they are sent: packed, dBase, texts of surveyors, or of a program not read here."""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from riskmap.files import parse_json
from riskmap.formats import vector_driver
from riskmap.i18n import Text, text
from riskmap.layers.layer import Header, Remark, Rows, Sheet, row_list, unusable
from riskmap.layers.read.encoding import (
    BAD,
    bad_bytes,
    best_codec,
    decode,
    known_codec,
    plausibility,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


_DRAWING: Final = text(
    "in CAD save it as DXF (2013 or older), or better export the layer as a shapefile or GeoPackage"
)
_UNPACK: Final = text("unpack it and give the file itself")
_MAPGIS: Final = text("in MapGIS export it as a shapefile, with its .prj")
_PROJECT: Final = text("it only points at layers; export the layer itself as GeoPackage")
_PICTURE: Final = text("it is a picture; give the table or the layer that it was made from")

_FOREIGN: Final[dict[str, tuple[Text, Text]]] = {
    ".dwg": (text("this is an AutoCAD drawing (DWG), which is not read"), _DRAWING),
    ".dgn": (text("this is a MicroStation drawing (DGN), which is not read"), _DRAWING),
    **dict.fromkeys(
        (".mdb", ".accdb"),
        (
            text("this is an Access database, which is not read"),
            text(
                "in ArcGIS export the layer from the personal geodatabase as a shapefile or file "
                "geodatabase; in Access export the table as .xlsx"
            ),
        ),
    ),
    **dict.fromkeys(
        (".wt", ".wl", ".wp", ".wb", ".hdf"),
        (text("this is a MapGIS file, which is not read"), _MAPGIS),
    ),
    **dict.fromkeys(
        (".ovjsn", ".ovobj", ".ovmap"),
        (
            text("this is a file of Ovital Map, which is not read"),
            text("in Ovital export the marks as .kml or .kmz, and say in which datum"),
        ),
    ),
    **dict.fromkeys(
        (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2"),
        (text("this is an archive that is not unpacked here"), _UNPACK),
    ),
    **dict.fromkeys(
        (".mxd", ".aprx", ".qgs", ".qgz", ".lyr", ".lyrx", ".mpk", ".wor"),
        (text("this is a map project and holds no data"), _PROJECT),
    ),
    **dict.fromkeys(
        (".pdf", ".jpg", ".jpeg", ".png", ".bmp", ".ofd"),
        (text("this is a picture or a page, and holds no table"), _PICTURE),
    ),
    **dict.fromkeys(
        (".doc", ".docx", ".wps"),
        (
            text("this is a text document, not a table"),
            text("copy its table into a sheet and save that as .xlsx"),
        ),
    ),
    **dict.fromkeys(
        (".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix"),
        (
            text("this is a part of a shapefile"),
            text("name the .shp file, with its parts beside it"),
        ),
    ),
    **dict.fromkeys(
        (".las", ".laz", ".e57", ".obj", ".3ds", ".skp", ".ifc", ".osgb", ".b3dm"),
        (
            text("this is a model or a point cloud, which is not read"),
            text("export heights as GeoTIFF, or objects as GeoPackage"),
        ),
    ),
}
_SPREADSHEET: Final = "{urn:schemas-microsoft-com:office:spreadsheet}"
_MOST_PAGE: Final = 60_000_000
"""Bytes of a page or a workbook in XML that are taken apart."""


class _Page(HTMLParser):
    """Takes the tables out of a web page, as programs save them under the name of a workbook."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[list[list[str]], list[Any]]] = []
        self.open: list[int] = []
        self.cell: list[str] | None = None
        self.span = (1, 1)
        self.taken: set[tuple[int, int]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell."""
        if tag == "table":
            self.tables.append(([], []))
            self.open.append(len(self.tables) - 1)
            self.taken = set()
        elif tag == "tr" and self.open:
            self._close()
            self.tables[self.open[-1]][0].append([])
        elif tag in ("td", "th") and self.open:
            self._close()
            said = dict(attrs)
            self.span = (_span(said.get("rowspan")), _span(said.get("colspan")))
            self.cell = []
        elif tag == "br" and self.cell is not None:
            self.cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a table."""
        if tag in ("td", "th", "tr", "table"):
            self._close()
        if tag == "table" and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Take the text of a cell."""
        if self.cell is not None:
            self.cell.append(data)

    def _close(self) -> None:
        if self.cell is None or not self.open:
            return
        rows, merged = self.tables[self.open[-1]]
        if not rows:
            rows.append([])
        row = rows[-1]
        while (len(rows) - 1, len(row)) in self.taken:
            row.append("")
        high, wide = self.span
        top, left = len(rows) - 1, len(row)
        row.append(" ".join("".join(self.cell).split()))
        row += [""] * (wide - 1)
        if high > 1 or wide > 1:
            merged.append(((top, left), (top + high - 1, left + wide - 1)))
            self.taken |= {
                (top + down, left + right) for down in range(1, high) for right in range(wide)
            }
        self.cell = None


def _span(said: str | None) -> int:
    return min(int(said), 1000) if said and said.isdecimal() else 1


def marked_up(content: bytes) -> list[Sheet] | None:
    """Read the tables of a web page, or of a workbook in XML, under the name of a workbook.

    Parameters
    ----------
    content
        The bytes of the file.

    Returns
    -------
    list of Sheet or None
        None when it is neither, or holds no table.
    """
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"<") or len(content) > _MOST_PAGE:
        return None
    mend = text("save it as .xlsx in Excel or WPS")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
        said = text("this is a workbook in XML of Excel 2003; its sheets were read")
        grids = _xml_sheets(content)
    else:
        said = text("this is a web page under the name of a workbook; its tables were read")
        page = _Page()
        page.feed(decode(content, None).body)
        page.close()
        grids = [
            Sheet(name="", cells=_even(rows), merged=tuple(sorted(merged)))
            for rows, merged in page.tables
            if len(rows) > 1 and any(len(row) > 1 for row in rows)
        ]
    remark = Remark("marked_up", said, mend)
    return [replace(grid, notes=(remark,)) for grid in grids] or None


def _even(rows: list[list[Any]]) -> list[list[Any]]:
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _xml_sheets(content: bytes) -> list[Sheet]:
    """Read the sheets of a workbook that Excel 2003 saved as XML."""
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", content, re.IGNORECASE):
        return []
    try:
        book = ET.fromstring(content)  # noqa: S314 - without entities
    except ET.ParseError:
        return []
    grids = []
    for sheet in book.iter(f"{_SPREADSHEET}Worksheet"):
        rows: list[list[Any]] = []
        merged = []
        for row in sheet.iter(f"{_SPREADSHEET}Row"):
            at = int(row.get(f"{_SPREADSHEET}Index") or len(rows) + 1)
            rows += [[] for _ in range(min(at, 2_000_000) - len(rows))]
            cells = rows[-1]
            for cell in row.iter(f"{_SPREADSHEET}Cell"):
                column = int(cell.get(f"{_SPREADSHEET}Index") or len(cells) + 1)
                cells += [""] * (min(column, 20_000) - 1 - len(cells))
                wide = int(cell.get(f"{_SPREADSHEET}MergeAcross") or 0)
                high = int(cell.get(f"{_SPREADSHEET}MergeDown") or 0)
                if wide or high:
                    top, left = len(rows) - 1, len(cells)
                    merged.append(((top, left), (top + high, left + wide)))
                cells.append(_xml_value(cell.find(f"{_SPREADSHEET}Data")))
                cells += [""] * min(wide, 20_000)
        name = str(sheet.get(f"{_SPREADSHEET}Name") or "")
        grids.append(Sheet(name=name, cells=_even(rows), merged=tuple(sorted(merged))))
    return grids


def _xml_value(data: Any) -> Any:
    if data is None:
        return ""
    written = "".join(data.itertext())
    if data.get(f"{_SPREADSHEET}Type") == "Number":
        with suppress(ValueError):
            return float(written)
    return written.removesuffix("T00:00:00.000")


_PLACE_KEYS: Final = ("lng", "lon", "lat", "longitude", "latitude", "x", "y")


def read_records(path: Path, encoding: str | None) -> list[Sheet] | None:
    """Read the objects of a JSON file that is no GeoJSON, as programs hand out lists.

    Parameters
    ----------
    path
        The file.
    encoding
        The declared encoding, or None.

    Returns
    -------
    list of Sheet or None
        One a list, keys as the first row; None when there is no list of objects, or it has
        geometries.
    """
    content = path.read_bytes()
    if len(content) > _MOST_PAGE or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"[", b"{"):
        return None
    if re.search(rb'"(?:geometry|geometries|coordinates|arcs|rings|paths)"\s*:', content[:200_000]):
        return None
    decoded = decode(content, encoding)
    try:
        lists = _lists_of_objects(parse_json(decoded.body))
    except ValueError:
        lists = {"": _line_objects(decoded.body) or []}
    if not any(lists.values()):
        return None
    remark = Remark(
        "records_read",
        text("the file is a list of objects, not GeoJSON; it was read as a table"),
        text("nothing to do"),
    )
    notes = (*decoded.remarks(), remark)
    sheets = []
    for name, records in lists.items():
        flat = [_flat(record) for record in records]
        keys = list(dict.fromkeys(key for record in flat for key in record))
        cells = [keys, *([record.get(key, "") for key in keys] for record in flat)]
        label = name if len(lists) > 1 else ""
        sheets.append(Sheet(label, cells, encoding=decoded.encoding, notes=notes))
    return sheets


def _line_objects(body: str) -> list[dict[str, Any]] | None:
    """Read one object a line."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < 2:
        return None
    try:
        found = [parse_json(line) for line in lines]
    except ValueError:
        return None
    return found if all(isinstance(entry, dict) for entry in found) else None


def _lists_of_objects(
    value: Any, name: str = "", depth: int = 0
) -> dict[str, list[dict[str, Any]]]:
    """Find the lists of objects, in itself or under keys, by their key."""
    if isinstance(value, list) and depth <= 4:
        if value and all(isinstance(entry, dict) for entry in value):
            return {name: value}
        parts = [
            _lists_of_objects(part, name, depth + 1) for part in value if isinstance(part, list)
        ]
        joined = [record for part in parts for record in part.get(name, [])]
        return {name: joined} if joined else {}
    if not isinstance(value, dict) or depth > 4:
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for key, entry in value.items():
        for label, records in _lists_of_objects(entry, str(key), depth + 1).items():
            found[label if label not in found else f"{key}.{label}"] = records
    return found


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Put the places that stand in an object inside a record beside its other keys."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        inner = value if isinstance(value, dict) else {}
        place = {str(k): v for k, v in inner.items() if str(k).lower() in _PLACE_KEYS}
        out |= {name: part for name, part in place.items() if name not in record}
        if not inner or len(place) < len(inner):
            out[str(key)] = _one_cell(value)
    return out


def _one_cell(value: Any) -> Any:
    """Give a value as one cell: positions as ``x,y``, other objects as their JSON."""
    numbers = isinstance(value, list) and all(isinstance(part, int | float) for part in value)
    if numbers and len(value) in (2, 3):
        return ",".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


_TEXTS: Final = (
    ".geojson", ".json", ".topojson", ".geojsonl", ".kml", ".gml", ".gpx", ".xml", ".dxf",
)  # fmt: skip
_MOST_TEXT: Final = 400_000_000
_PROLOG: Final = re.compile(r"(<\?xml[^>]*?encoding\s*=\s*[\"'])[^\"']+([\"'])")
_MOST_FILES: Final = 500


def refuse_foreign(path: Path) -> None:
    """Say by name what a file is that only another program reads, and what to export.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    LayerError
        When its ending is one of those.
    """
    found = _FOREIGN.get(path.suffix.lower())
    if found is not None:
        raise unusable("file_kind", *found)
    if path.suffix.lower() == ".dat":
        raise unusable(
            "file_kind",
            text("this is a .dat file, of CASS perhaps, or a part of a MapInfo table"),
            text(
                "points of CASS: name the file .txt and declare crs:; MapInfo: name the .tab file"
            ),
        )


@contextmanager
def plain_file(
    path: Path, layer: str | None, encoding: str | None, notes: list[Remark]
) -> Iterator[Path]:
    """Give a file that GDAL can open as it is: unpacked, in UTF-8, of a name without ``!``.

    Parameters
    ----------
    path
        The file.
    layer
        The layer wanted, by which one of several shapefiles of an archive is chosen.
    encoding
        Declared encoding.
    notes
        Takes what is to be said.

    Yields
    ------
    Path
        The file, or a copy that lives inside the ``with`` block.

    Raises
    ------
    LayerError
        When an archive holds none, or several, shapefiles.
    """
    suffix = path.suffix.lower().replace(".ovk", ".k")  # Ovital's name of the same
    written = None
    if suffix in _TEXTS and path.is_file() and path.stat().st_size <= _MOST_TEXT:
        written = _as_utf8(path, encoding, notes)
    if suffix in (".geojson", ".json") and path.is_file() and path.stat().st_size <= _MOST_TEXT:
        written = _with_numbers(path, written, notes)
        notes += _page_remarks(path)
    if suffix == ".kml" and path.is_file() and path.stat().st_size <= _MOST_TEXT:
        written = _with_safe_names(path, written)
    packed = suffix in (".zip", ".kmz") and path.is_file()
    plain = suffix == path.suffix.lower() and "!" not in str(path)
    if written is None and not packed and plain:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="riskmap_file_") as folder:
        target = (Path(folder) / path.name.replace("!", "_")).with_suffix(suffix)
        if suffix == ".kmz":
            with _only_kml(path, Path(folder), layer, encoding, notes) as inner:
                yield inner
            return
        if packed:
            if vector_driver(path) != "ESRI Shapefile":
                yield path
                return
            yield _unpacked(path, layer, Path(folder))
            return
        if written is not None:
            target.write_text(written, encoding="utf-8")
        else:
            if not plain and path.suffix.lower() != suffix:
                shutil.copyfile(path, target)
            for part in path.parent.glob(f"{_literal(path.stem)}.*"):
                shutil.copyfile(part, Path(folder) / part.name.replace("!", "_"))
        yield target


_PAGES: Final = 65_536
"""Bytes at either end of a file among which a service says that there is more."""


def _page_remarks(path: Path) -> list[Remark]:
    """Say that a file is one page of what its service holds, when the service wrote so."""
    with path.open("rb") as file:
        ends = file.read(_PAGES)
        file.seek(max(len(ends), path.stat().st_size - _PAGES))
        ends += file.read(_PAGES)
    counts = [
        int(found[1]) if (found := re.search(rb'"%b"\s*:\s*(\d+)' % name, ends)) else -1
        for name in (b"numberReturned", b"numberMatched")
    ]
    if not (0 <= counts[0] < counts[1] or re.search(rb'"exceededTransferLimit"\s*:\s*true', ends)):
        return []
    said = text("the service that wrote the file says that it holds more: this is one page alone")
    return [Remark("one_page", said, text("download all pages"))]


_TEXT_PLACES: Final = re.compile(r'"coordinates"\s*:\s*[\[\s]*"')
_TEXT_PAIR: Final = re.compile(
    r'\[\s*"(-?\d+(?:\.\d+)?)"\s*,\s*"(-?\d+(?:\.\d+)?)"(?:\s*,\s*"-?\d+(?:\.\d+)?")?\s*\]'
)


def _with_numbers(path: Path, written: str | None, notes: list[Remark]) -> str | None:
    """Take the quotes off coordinates that stand as texts, which GDAL reads as no place."""
    if written is None:
        content = path.read_bytes()
        if b'"coordinates"' not in content or not _TEXT_PLACES.search(
            content.decode("utf-8", "replace")
        ):
            return None
        written = content.decode("utf-8-sig", "replace")
    elif not _TEXT_PLACES.search(written):
        return written
    said = text("the coordinates stand between quotes as texts; they were read as numbers")
    notes.append(Remark("text_places", said, text("export them as numbers")))
    return _TEXT_PAIR.sub(r"[\1,\2]", written)


@contextmanager
def _only_kml(
    path: Path, folder: Path, layer: str | None, encoding: str | None, notes: list[Remark]
) -> Iterator[Path]:
    """Give the KML of a KMZ, of several the one that programs open; else the archive as it is."""
    vector_driver(path)
    with zipfile.ZipFile(path) as archive:
        inner = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".kml")]
        if not inner:
            yield path
            return
        inner.sort(key=lambda entry: entry.filename.lower() != "doc.kml")
        if len(inner) > 1:
            said = text(
                "the archive holds several KML files; {read} was read, not {left}",
                read=inner[0].filename,
                left="、".join(entry.filename for entry in inner[1:]),
            )
            mend = text("unpack it and name each file as a source of its own")
            notes.append(Remark("kml_left", said, mend))
        target = folder / f"{path.stem}.kml"
        target.write_bytes(archive.read(inner[0]))
    with plain_file(target, layer, encoding, notes) as file:
        yield file


_NAMED: Final = re.compile(
    r"(<(?:\w+:)?(?:Data|SimpleData|SimpleField)\b[^<>]*?\sname\s*=\s*)(?:\"([^\"<]*)\"|'([^'<]*)')"
)
_SAFE: Final = "riskmap_utf8_"


def _with_safe_names(path: Path, written: str | None) -> str | None:
    """Write the field names of a KML in letters that its driver keeps; `own_name` reads them."""
    content = path.read_text(encoding="utf-8") if written is None else written

    def safe(match: re.Match[str]) -> str:
        name = html.unescape(match[2] if match[2] is not None else match[3])
        return match[0] if name.isascii() else f'{match[1]}"{_SAFE}{name.encode().hex()}"'

    changed = _NAMED.sub(safe, content)
    return written if changed == content else changed


def own_name(column: str) -> str:
    """Give a field of a KML the name that its author wrote.

    Parameters
    ----------
    column
        The name as read.

    Returns
    -------
    str
        The name in the file.

    Examples
    --------
    >>> own_name("riskmap_utf8_e6b7b1"), own_name("depth")
    ('深', 'depth')
    """
    if not column.startswith(_SAFE):
        return column
    return bytes.fromhex(column.removeprefix(_SAFE)).decode()


def _literal(name: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", name)


def _as_utf8(path: Path, encoding: str | None, notes: list[Remark]) -> str | None:
    """Return the text of a file that is not UTF-8; None when it is."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return None
    found = decode(content, encoding)
    codec = found.encoding.upper()
    if found.encoding != "utf-8":
        notes.append(
            Remark(
                "encoding_found",
                text("the file is not UTF-8; read as {encoding}", encoding=codec),
                text("save it as UTF-8 to be sure"),
            )
        )
    if found.bad:
        notes.append(bad_bytes(found.encoding, found.bad, found.bad_lines))
    return _PROLOG.sub(r"\1UTF-8\2", found.body, count=1)


def _unpacked(path: Path, layer: str | None, folder: Path) -> Path:
    """Unpack the shapefile of an archive into a folder, by its plain name."""
    with zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()][:_MOST_FILES]
        names = {_entry_name(entry): entry for entry in entries}
        shapes = [name for name in names if name.lower().endswith(".shp")]
        stems = {PurePosixPath(name).stem: name for name in shapes}
        if layer is not None and layer in stems:
            shapes = [stems[layer]]
        if len(shapes) != 1:
            raise unusable(
                "which_layer",
                text("the file holds several layers: {layers}", layers=", ".join(sorted(stems))),
                text("name one in the project file, such as layer: {layer}", layer=min(stems)),
            )
        base = str(PurePosixPath(shapes[0]).with_suffix("")).casefold()
        stem = re.sub(r"[\\/:!*?\"<>|]", "_", PurePosixPath(shapes[0]).stem) or "layer"
        for name, entry in names.items():
            inner = PurePosixPath(name)
            if str(inner.with_suffix("")).casefold() == base:
                with archive.open(entry) as source:
                    target = folder / f"{stem}{inner.suffix.lower()}"
                    with target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
    return folder / f"{stem}.shp"


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the name of an archive's entry, of Chinese Windows too."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("gb18030")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return name.replace("\\", "/")


_LDID: Final = {
    0x4D: "gb18030",
    0x7A: "gb18030",
    0x4F: "big5hkscs",
    0x78: "big5hkscs",
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
_FITTING: Final = 0.5
"""Texts less plausible than this in the encoding that is named are looked at in others."""
_BETTER: Final = 0.25
_MOST_BAD: Final = 0.02
"""Share of bytes outside ASCII that may be wrong before an encoding does not fit."""


@dataclass(frozen=True)
class Encoding:
    """In what a table is written and how that was found."""

    codec: str
    how: str
    """``declared``, ``cpg``, ``ldid``, ``ascii``, ``bytes`` or ``instead``: the bytes are something
    else than the .cpg or the head of the table says."""
    bad: int = 0
    """Number of places whose bytes are no characters."""
    clean_names: bool = True
    """False when a field name ends inside a character."""
    said: str = ""
    """What the .cpg or the head says, where that is wrong."""


def shapefile_encoding(path: Path, declared: str | None) -> Encoding:
    """Find the encoding of a shapefile or of a table alone.

    What the project file declares holds. Else it is what the .cpg or the language driver says, if
    the text reads well so; valid UTF-8 of several bytes and plausible Chinese are stronger than
    either, for programs write them without looking.

    Parameters
    ----------
    path
        The .shp or .dbf file.
    declared
        What the project file says, or None.

    Returns
    -------
    Encoding
        The codec and how it was found.

    Raises
    ------
    LayerError
        When the bytes do not fit the declared encoding.
    """
    table = path if path.suffix.lower() == ".dbf" else sibling(path, ".dbf")
    if table is None:
        return Encoding("utf-8", "ascii")
    names, cells, ldid = _texts(table)
    blob = b"\n".join((*names, cells))
    if declared:
        codec = known_codec(declared)
        if codec is None or _too_bad(cells, codec):
            raise _unfit(declared)
        return _found(codec, "declared", names, cells)
    page = sibling(path, ".cpg")
    said = page.read_text("ascii", "ignore").strip() if page is not None else ""
    if blob.isascii():
        return Encoding("utf-8", "ascii")
    best = best_codec(blob)
    for named, how in ((known_codec(said) if said else None, "cpg"), (_LDID.get(ldid), "ldid")):
        if named is None:
            continue
        if named == best or _reads_well(blob, named, best):
            return _found(named, how, names, cells)
        if how == "cpg":
            return _found(best, "instead", names, cells, said=said)
    if plausibility(_tolerant(blob, best)) < 0.0 or _too_bad(cells, best):
        best = _LAST_RESORT
    return _found(best, "bytes", names, cells)


def _found(codec: str, how: str, names: list[bytes], cells: bytes, *, said: str = "") -> Encoding:
    clean = all(_fits(name, codec) for name in names)
    return Encoding(codec, how, _tolerant(cells, codec).count(BAD), clean, said)


def _reads_well(blob: bytes, named: str, best: str) -> bool:
    """Tell whether a text reads as well in the encoding that is named as in the best."""
    if best == "utf-8" and _fits(blob, "utf-8"):
        return False
    if not _fits(blob, named) and _too_bad(blob, named):
        return False
    ours, theirs = plausibility(_tolerant(blob, best)), plausibility(_tolerant(blob, named))
    return theirs >= _FITTING or ours - theirs < _BETTER or ours < _FITTING


def _unfit(tried: str) -> Exception:
    return unusable(
        "encoding",
        text("the text is not written in {encodings}", encodings=tried),
        text("declare the encoding in the project file, or save the layer as GeoPackage"),
    )


def sibling(path: Path, suffix: str) -> Path | None:
    """Find the file of another ending beside a file.

    Parameters
    ----------
    path
        The file.
    suffix
        The ending, in small letters.

    Returns
    -------
    Path or None
        The file in small or capital letters, if it is there.
    """
    return next(
        (p for p in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if p.exists()),
        None,
    )


def _fits(blob: bytes, codec: str) -> bool:
    try:
        blob.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _tolerant(blob: bytes, codec: str) -> str:
    return blob.decode(codec, errors="replace")


def _too_bad(blob: bytes, codec: str) -> bool:
    """Tell whether more than single bytes do not fit an encoding."""
    sample = blob[:200_000]
    wide = sum(byte > 0x7F for byte in sample)
    bad = _tolerant(sample, codec).count(BAD)
    return bad > max(3, _MOST_BAD * wide) or 2 * bad >= max(wide, 1)


@dataclass(frozen=True)
class _Layout:
    names: list[bytes]
    kinds: list[str]
    spans: list[tuple[int, int]]
    records: NDArray[np.uint8]
    """Shape (rows, width)."""
    ldid: int


def _layout(path: Path) -> _Layout | None:
    """Take a table apart; None when it holds no field."""
    content = np.fromfile(path, dtype=np.uint8)
    if len(content) < 33:
        return None
    head = content[:32].tobytes()
    count = int.from_bytes(head[4:8], "little")
    start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    stop = max(min(start, len(content)) - 1, 32)
    fields = content[32:stop]
    fields = fields[: len(fields) // 32 * 32].reshape(-1, 32)
    ended = np.flatnonzero(fields[:, 0] == 0x0D)
    fields = fields[: ended[0]] if len(ended) else fields
    if not len(fields) or width < 2:
        return None
    kinds = [chr(kind) for kind in fields[:, 11]]
    long = np.array([kind == "C" for kind in kinds])
    widths = fields[:, 16].astype(int) + np.where(long, fields[:, 17].astype(int) * 256, 0)
    if 1 + widths.sum() > width:
        widths = fields[:, 16].astype(int)
    stops = 1 + np.cumsum(widths)
    count = min(count, max(len(content) - start, 0) // width)
    records = content[start : start + count * width].reshape(count, width)
    names = [bytes(row[:11].tobytes().split(b"\x00")[0]) for row in fields]
    spans = [(int(stop - size), int(stop)) for size, stop in zip(widths, stops, strict=True)]
    return _Layout(names, kinds, spans, records, head[29])


def _texts(path: Path) -> tuple[list[bytes], bytes, int]:
    """Return the field names, the joined text cells that are not cut off, the language driver."""
    layout = _layout(path)
    if layout is None:
        return [], b"", 0
    pieces = [
        _whole_cells(layout.records[:, start:stop])
        for kind, (start, stop) in zip(layout.kinds, layout.spans, strict=True)
        if kind == "C" and stop > start
    ]
    return layout.names, b"\n".join(pieces), layout.ldid


def _whole_cells(cells: NDArray[np.uint8]) -> bytes:
    """Join cells that end in a blank, for a full cell may end in half a character."""
    last = cells[:, -1]
    ended = cells[(last == 0x20) | (last == 0)]
    line = np.full((len(ended), 1), 0x0A, dtype=np.uint8)
    joined: bytes = np.hstack([ended, line]).tobytes()
    return joined


def read_dbf(path: Path, codec: str) -> pd.DataFrame:
    """Read a dBase table; bytes of no character show as a sign, and cost no row.

    Parameters
    ----------
    path
        The .dbf file.
    codec
        Its encoding.

    Returns
    -------
    DataFrame
        Shape (rows not deleted, fields).

    Raises
    ------
    LayerError
        When it is no table.
    """
    layout = _layout(path)
    if layout is None:
        raise unusable(
            "broken_file",
            text("the file cannot be read"),
            text("open it in a GIS, save it as GeoPackage and give that file"),
        )
    kept = layout.records[layout.records[:, 0] != ord("*")]
    columns: dict[str, Any] = {}
    for name, kind, (start, stop) in zip(layout.names, layout.kinds, layout.spans, strict=True):
        label = _tolerant(name, codec).rstrip(BAD).strip() or f"[{len(columns) + 1}]"
        while label in columns:
            label += "_"
        cells = [bytes(cell) for cell in np.ascontiguousarray(kept[:, start:stop])]
        columns[label] = pd.Series([_cell(cell, kind, codec) for cell in cells], dtype=object)
    return pd.DataFrame(columns)


def overflowed(path: Path, codec: str) -> list[Remark]:
    """Tell the numbers of a dBase table that were too long for their field, and are stars now.

    Parameters
    ----------
    path
        The .dbf file.
    codec
        Its encoding.

    Returns
    -------
    list of Remark
        One a field.
    """
    layout = _layout(path)
    if layout is None:
        return []
    kept = layout.records[layout.records[:, 0] != ord("*")]
    out = []
    for name, kind, (start, stop) in zip(layout.names, layout.kinds, layout.spans, strict=True):
        cells = kept[:, start:stop]
        if kind not in "NF" or not (cells[:, -1:] == ord("*")).any():
            continue
        stars = ((cells == ord("*")) | (cells == ord(" "))).all(axis=1)
        rows = np.flatnonzero(stars & (cells == ord("*")).any(axis=1))
        if len(rows):
            said = text(
                "{n} numbers of {field} were too long for their field and are lost (****); taken "
                "as unknown (rows {rows})",
                n=len(rows),
                field=_tolerant(name, codec).rstrip(BAD).strip(),
                rows=row_list(rows + 1),
            )
            mend = text("widen the field and fill these in again")
            out.append(Remark("overflow", said, mend))
    return out


def _cell(cell: bytes, kind: str, codec: str) -> Any:
    """Read one cell by the kind of its field."""
    bare = cell.replace(b"\x00", b" ")
    if kind == "C":
        written = _tolerant(bare.rstrip(b" "), codec)
        full = bool(cell) and cell[-1] not in (0x20, 0)
        return (written.rstrip(BAD) if full else written).strip() or None
    plain = bare.decode("ascii", "replace").strip()
    if kind in "NF" and plain and not plain.strip("*"):
        return None
    if kind in "NF" and plain:
        try:
            return float(plain)
        except ValueError:
            return plain
    if kind == "L":
        return {"T": True, "Y": True, "F": False, "N": False}.get(plain.upper())
    if kind == "D" and len(plain) == 8 and plain.isdigit():
        try:
            return date(int(plain[:4]), int(plain[4:6]), int(plain[6:])).isoformat()
        except ValueError:
            return plain
    return plain or None


_SECTION: Final = re.compile(r"^\s*\[(.+?)\]\s*$")
_ZONES: Final = {
    # datum: (first zone, EPSG of it) of the 3-degree and the 6-degree zones with zone number
    "2000": {3: (25, 4513), 6: (13, 4491)},
    "80": {3: (25, 2349), 6: (13, 2327)},
    "54": {3: (25, 2401), 6: (13, 21413)},
}
_HEADS: Final = (
    "界址点数",
    "地块面积",
    "编号",
    "名称",
    "图形属性",
    "图幅号",
    "地块用途",
    "地类编码",
)


def read_parcels(path: Path, encoding: str | None = None) -> Rows | None:
    """Read a 地块坐标 text, as land offices exchange outlines.

    Parameters
    ----------
    path
        A .txt file.
    encoding
        Declared encoding, or None.

    Returns
    -------
    Rows or None
        One row a parcel with its outline; None when the file is something else.

    Raises
    ------
    LayerError
        When its coordinate system cannot be told.
    """
    import geopandas as gpd

    with path.open("rb") as stream:
        if not re.search(rb"J1\s*,\s*1\s*,|\[\S{2,20}\]", stream.read(4096)):
            return None
    decoded = decode(path.read_bytes(), encoding)
    if "[地块坐标]" not in decoded.body.replace("【", "[").replace("】", "]"):
        return None
    facts, lines = _sections(decoded.body)
    records, shapes, numbers = _parcels(lines)
    crs = _crs(facts)
    table = pd.DataFrame(records, columns=list(_HEADS), dtype=object)
    said = text("outlines were read from a 地块坐标 text in {crs}", crs=crs)
    remark = Remark("parcels", said, text("declare crs: if the head of the file is wrong"))
    return Rows(
        table=table,
        row=np.array(numbers, dtype=np.int64),
        geometry=gpd.GeoSeries(shapes, crs=crs),
        sheet=path.stem,
        encoding=decoded.encoding,
        notes=(*decoded.remarks(), remark),
    )


def _sections(body: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the facts of the head and the numbered lines of the outlines."""
    facts: dict[str, str] = {}
    lines: list[tuple[int, str]] = []
    section = ""
    for number, line in enumerate(body.splitlines(), start=1):
        bare = line.strip().replace("，", ",")
        if match := _SECTION.match(bare.replace("【", "[").replace("】", "]")):
            section = match[1]
        elif section == "地块坐标" and bare:
            lines.append((number, bare))
        elif "=" in bare:
            key, _, value = bare.partition("=")
            facts[key.strip()] = value.strip()
    return facts, lines


def _parcels(
    lines: list[tuple[int, str]],
) -> tuple[list[list[str]], list[Any], list[int]]:
    """Make the outlines: a line that ends in @ begins a parcel, the others are its corners."""
    heads: list[list[str]] = []
    rings: list[dict[str, list[tuple[float, float]]]] = []
    numbers: list[int] = []
    for number, line in lines:
        cells = [cell.strip() for cell in line.split(",")]
        if line.endswith("@"):
            heads.append((cells[:-1] + [""] * len(_HEADS))[: len(_HEADS)])
            rings.append({})
            numbers.append(number)
        elif rings and len(cells) >= 4:
            try:
                north, east = float(cells[2]), float(cells[3])
            except ValueError:
                continue
            if north > 1e7 > east:
                north, east = east, north
            rings[-1].setdefault(cells[1], []).append((east, north))
    return heads, [_outline(list(ring.values())) for ring in rings], numbers


def _outline(rings: list[list[tuple[float, float]]]) -> Any:
    """Make an area of rings: those inside another are holes."""
    import shapely

    areas = [shapely.Polygon(ring) for ring in rings if len(set(ring)) >= 3]
    areas = [area if area.is_valid else shapely.make_valid(area) for area in areas]
    if not areas:
        return None
    areas.sort(key=lambda area: -area.area)
    whole = areas[0]
    for area in areas[1:]:
        whole = whole.difference(area) if whole.contains(area) else whole.union(area)
    return whole


def _crs(facts: dict[str, str]) -> str:
    """Tell the coordinate system by the datum, the width of the zones and the zone number."""
    named = facts.get("坐标系", "")
    datum = next((key for key in _ZONES if key in named), "2000" if not named else "")
    width = int(re.sub(r"\D", "", facts.get("几度分带", "3")) or 3)
    zone = int(re.sub(r"\D", "", facts.get("带号", "")) or 0)
    first, code = _ZONES.get(datum, {}).get(width, (0, 0))
    if not code or not first <= zone <= first + (20 if width == 3 else 10):
        raise unusable(
            "parcel_crs",
            text("the head of the file does not say its coordinate system and zone"),
            text("fill in 坐标系, 几度分带 and 带号, or declare crs: in the project file"),
            value=f"{named} {facts.get('几度分带', '')} {facts.get('带号', '')}".strip(),
        )
    return f"EPSG:{code + zone - first}"


_NUMBER: Final = re.compile(r"^[+-]?\d+(?:\.\d+)?$")


def headless(grid: Sheet) -> tuple[Sheet, Header, Remark] | None:
    """Find points in a text that has no header, as instruments and CASS write them.

    Parameters
    ----------
    grid
        The cells.

    Returns
    -------
    tuple or None
        The cells, a header made up for them, and what is to be said; None when no two columns can
        be coordinates.
    """
    rows = [[str(cell).strip() for cell in row] for row in grid.cells]
    if all(len(row) == 1 for row in rows if row):
        rows = [row[0].split() if row else [] for row in rows]
    if rows and len([cell for cell in rows[0] if cell]) == 1 and len(rows) > 2:
        rows = [[], *rows[1:]]  # CASS writes the number of points first
    filled = [row for row in rows if any(row)]
    if len(filled) < 2 or len({len(row) for row in filled}) > 2:
        return None
    width = max(map(len, filled))
    columns = [[row[at] if at < len(row) else "" for row in filled] for at in range(width)]
    kinds = [_axis(column) for column in columns]
    pair = next(
        (
            (names, kinds.index(names[0]), kinds.index(names[1]))
            for names in (("经度", "纬度"), ("东坐标", "北坐标"))
            if names[0] in kinds and names[1] in kinds
        ),
        None,
    )
    if pair is None:
        return None
    (first, second), at_first, at_second = pair
    labels = [""] * width
    labels[at_first], labels[at_second] = first, second
    texts = [at for at in range(width) if not labels[at] and _tells_apart(columns[at])]
    if not texts:
        return None
    words = [at for at in texts if not all(_NUMBER.match(cell) for cell in columns[at])]
    labels[words[-1] if words else texts[0]] = "名称"
    if labels[0] == "" and _tells_apart(columns[0]):
        labels[0] = "点号"
    said = text(
        "the text has no header; columns {first} and {second} were taken as {names}",
        first=at_first + 1,
        second=at_second + 1,
        names=f"{first}、{second}",
    )
    labels = [label or f"[{at + 1}]" for at, label in enumerate(labels)]
    cells: list[list[Any]] = [list(row) for row in rows]
    header = Header(-1, labels, frozenset(("name", first, second)), -1)
    remark = Remark("headless", said, text("put a line of column names above the first row"))
    return Sheet(grid.name, cells, grid.hidden, grid.encoding, notes=grid.notes), header, remark


def _axis(column: list[str]) -> str:
    """Say which coordinate a column of numbers can only be."""
    if not all(_NUMBER.match(cell) for cell in column):
        return ""
    numbers = np.array([float(cell) for cell in column])
    broken = any("." in cell for cell in column)
    if broken and ((numbers >= 73.0) & (numbers <= 136.0)).all():
        return "经度"
    if broken and ((numbers >= 3.0) & (numbers <= 54.0)).all():
        return "纬度"
    if ((numbers > 1.5e6) & (numbers < 6.5e6)).all():
        return "北坐标"
    if (((numbers > 1.5e5) & (numbers < 9e5)) | ((numbers > 1.3e7) & (numbers < 4.6e7))).all():
        return "东坐标"
    return ""


def _tells_apart(column: list[str]) -> bool:
    return len({cell for cell in column if cell}) == len(column)

"""Files as they are sent: packed, in another encoding, or of a program that is not read here."""

from __future__ import annotations

import html
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from riskmap.formats import vector_driver
from riskmap.i18n import Text, text
from riskmap.layers.check.findings import unusable
from riskmap.layers.layer import Remark
from riskmap.layers.read.encoding import bad_bytes, decode

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


@contextmanager
def _only_kml(
    path: Path, folder: Path, layer: str | None, encoding: str | None, notes: list[Remark]
) -> Iterator[Path]:
    """Give the KML of a KMZ that holds one; else the archive as it is."""
    vector_driver(path)
    with zipfile.ZipFile(path) as archive:
        inner = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".kml")]
        if len(inner) != 1:
            yield path
            return
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

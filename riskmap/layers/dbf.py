"""The encoding of a shapefile's table, found from its bytes."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from riskmap.i18n import text
from riskmap.layers.findings import unusable

if TYPE_CHECKING:
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

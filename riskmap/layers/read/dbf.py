"""dBase tables, alone or beside a shapefile: which encoding they are in, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.layers.check.findings import unusable
from riskmap.layers.read.encoding import BAD, best_codec, known_codec, plausibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

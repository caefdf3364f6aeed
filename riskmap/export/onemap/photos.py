"""Photos of objects, put into the page; only of the internal edition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.export.onemap.pack import Packer

__all__ = ["PHOTO", "photo_parts"]

PHOTO: Final = "photo"
"""Name of the field that holds a picture's path, relative to the folder of its ledger."""
MOST_BYTES: Final = 200_000
"""A larger picture is left out."""
MOST_IN_ALL: Final = 4_000_000
"""When a layer's pictures are larger than this together, the rest are left out."""
_KINDS: Final = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


def photo_parts(result: Any, layer: Any, packer: Packer) -> dict[str, Any]:
    """Pack the photos of a layer's objects.

    A photo is a JPEG or PNG file in or below the folder of the ledger that names it. Whatever else
    a cell says (an address, a path that leads elsewhere, a file that is missing or too large) is
    counted, not shown.

    Parameters
    ----------
    result
        The run's result.
    layer
        One of its layers.
    packer
        Takes the bytes.

    Returns
    -------
    dict
        Empty, or ``photos_left_out`` and, when there is any, ``photo``: ``of`` (number of each
        row's picture, 0 = none), ``sizes`` [bytes], ``kinds`` and ``bytes`` in a block of its own.
    """
    table = layer.table
    if result.facts.profile == "public" or PHOTO not in table or "_file" not in table:
        return {}
    folders = {source.shown: Path(source.path).parent for source in layer.sources}
    found: dict[tuple[Any, Any], bytes] = {}
    room = MOST_IN_ALL
    for named in dict.fromkeys(zip(table["_file"], table[PHOTO], strict=True)):
        if not pd.isna(named[1]) and str(named[1]).strip():
            found[named] = _inlined(folders.get(named[0]), str(named[1]).strip(), room)
            room -= len(found[named])
    if not found:
        return {}
    rows = [found.get(key, b"") for key in zip(table["_file"], table[PHOTO], strict=True)]
    left_out = {"photos_left_out": sum(not raw for raw in found.values())}
    return left_out | ({"photo": _packed(rows, packer)} if any(rows) else {})


def _packed(rows: Sequence[bytes], packer: Packer) -> dict[str, Any]:
    """Pack each different picture once, in a block that is unpacked when one is shown."""
    pictures = list(dict.fromkeys(raw for raw in rows if raw))
    number = {raw: place for place, raw in enumerate(pictures, start=1)}
    return {
        "of": packer.integers(np.array([number.get(raw, 0) for raw in rows])),
        "sizes": packer.integers(np.array([len(raw) for raw in pictures])),
        "kinds": [_kind(raw) for raw in pictures],
        "bytes": packer.array(np.frombuffer(b"".join(pictures), np.uint8), block=packer.block()),
    }


def _kind(raw: bytes) -> str:
    """Tell a picture by its first bytes, blank when it is none that is shown."""
    return next((kind for magic, kind in _KINDS.items() if raw.startswith(magic)), "")


def _inlined(folder: Path | None, named: str, room: int) -> bytes:
    """Read a picture, nothing when it may not or cannot be shown."""
    if folder is None:
        return b""
    try:
        path = (folder / named.replace("\\", "/")).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()) or path.stat().st_size > MOST_BYTES:
            return b""
        raw = path.read_bytes()
    except (OSError, ValueError):
        return b""
    return raw if _kind(raw) and len(raw) <= room else b""

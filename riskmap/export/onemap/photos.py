"""Photos of objects, put into the page; only of the internal edition."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Final

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
        Takes the texts.

    Returns
    -------
    dict
        Empty, or ``photo`` (``data:`` addresses, blank for none) and ``photos_left_out``.
    """
    table = layer.table
    if result.facts.profile == "public" or PHOTO not in table or "_file" not in table:
        return {}
    folders = {source.shown: Path(source.path).parent for source in layer.sources}
    found: dict[tuple[Any, Any], str] = {}
    room = MOST_IN_ALL
    for named in dict.fromkeys(zip(table["_file"], table[PHOTO], strict=True)):
        if not pd.isna(named[1]) and str(named[1]).strip():
            found[named] = _inlined(folders.get(named[0]), str(named[1]).strip(), room)
            room -= len(found[named])
    if not found:
        return {}
    shown = [found.get(key, "") for key in zip(table["_file"], table[PHOTO], strict=True)]
    left_out = sum(not data for data in found.values())
    return {"photo": packer.strings(shown), "photos_left_out": left_out}


def _inlined(folder: Path | None, named: str, room: int) -> str:
    """Give a picture as a ``data:`` address, blank when it may not or cannot be shown."""
    if folder is None:
        return ""
    try:
        path = (folder / named.replace("\\", "/")).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()) or path.stat().st_size > MOST_BYTES:
            return ""
        raw = path.read_bytes()
    except (OSError, ValueError):
        return ""
    kind = next((kind for magic, kind in _KINDS.items() if raw.startswith(magic)), "")
    data = f"data:image/{kind};base64,{base64.b64encode(raw).decode('ascii')}"
    return data if kind and len(data) <= room else ""

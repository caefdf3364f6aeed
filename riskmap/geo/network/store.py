"""Road graphs kept between runs under the hash of what they are made of; never a wrong one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap import __version__
from riskmap.geo.network.graph import RoadGraph
from riskmap.geo.network.rules import Values
from riskmap.i18n import Text

if TYPE_CHECKING:
    import geopandas as gpd

MOST_KEPT: Final = 12
"""So many graphs are kept in a folder; those longest unused go."""
_FORMAT: Final = "3"
_ROOMS: Final = ("road.", "network.", "access.")
_PLAIN: Final = ("crs", "profile", "spare_m", "told")


class _Seen:
    """Presets that remember which keys were read."""

    def __init__(self, presets: Values) -> None:
        self.presets = presets
        self.keys: set[str] = set()

    def __getitem__(self, key: str, /) -> Any:
        self.keys.add(key)
        return self.presets[key]

    def __contains__(self, key: object, /) -> bool:
        return key in self.presets

    def __iter__(self) -> Iterator[str]:
        return iter(self.presets)


def kept_graph(
    folder: Path | None,
    lines: gpd.GeoDataFrame | Sequence[Path],
    options: Mapping[str, object],
    values: Mapping[str, object],
    presets: Values,
    build: Callable[[Values], RoadGraph],
) -> RoadGraph:
    """Give the graph that is kept for these lines and options, or build and keep it.

    Parameters
    ----------
    folder
        Where graphs are kept; None keeps none.
    lines
        The road layer, or the files of which it is read.
    options
        What the graph is built with.
    values
        Value of every preset; those of roads and of the network are part of the key.
    presets
        The presets; a graph out of the folder counts as having used the same ones.
    build
        Builds the graph with given presets.

    Returns
    -------
    RoadGraph
        The same, kept or fresh. A file that cannot be read is built anew.
    """
    if folder is None:
        return build(presets)
    mine = {key: value for key, value in values.items() if key.startswith(_ROOMS)}
    key = _key(lines, options, mine)
    path = folder / f"road-{key}.npz"
    found = _read(path, key)
    if found is not None:
        graph, keys = found
        for used in keys:
            _ = presets[used]
        return graph
    seen = _Seen(presets)
    graph = build(seen)
    _write(path, graph, sorted(seen.keys), key)
    return graph


def _key(
    lines: gpd.GeoDataFrame | Sequence[Path],
    options: Mapping[str, object],
    values: Mapping[str, object],
) -> str:
    """Hash the content of the layer, the options, the presets and the version."""
    found = hashlib.blake2b(digest_size=16)
    told = {"said": [_FORMAT, __version__], "options": options, "presets": values}
    found.update(json.dumps(told, sort_keys=True, default=str, ensure_ascii=False).encode())
    if isinstance(lines, Sequence):
        for path in lines:
            with path.open("rb") as file:
                found.update(hashlib.file_digest(file, "blake2b").digest())
        return found.hexdigest()
    found.update(repr([lines.crs.to_wkt() if lines.crs else "", list(lines.columns)]).encode())
    found.update(b"".join(shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object))))
    table = pd.DataFrame(lines.drop(columns=lines.geometry.name)).astype(str)
    found.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return found.hexdigest()


def _digest(parts: Mapping[str, Any]) -> str:
    """Hash the arrays of a file, with their names, kinds and shapes."""
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(parts):
        array = np.ascontiguousarray(parts[name])
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _write(path: Path, graph: RoadGraph, keys: list[str], key: str) -> None:
    """Keep a graph, whole or not at all; a folder that cannot be written keeps none."""
    xy, number = shapely.get_coordinates(graph.edge_geometry, return_index=True)
    parts: dict[str, Any] = {
        name.name: getattr(graph, name.name)
        for name in fields(graph)
        if name.name not in (*_PLAIN, "edge_geometry", "notes", "edge_class", "names")
    }
    notes = [[note.msgid, note.params] for note in graph.notes]
    parts |= {"line_xy": xy, "line_number": number, "edge_class": graph.edge_class.astype(str)}
    said = {name: getattr(graph, name) for name in _PLAIN} | {"notes": notes, "keys": keys}
    said["names"] = list(graph.names)
    said |= {"key": key, "digest": _digest(parts)}
    fresh = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            np.savez(
                file,
                said=np.array(json.dumps(said, ensure_ascii=False, default=int)),
                **parts,
            )
        fresh.replace(path)
        old = sorted(path.parent.glob("road-*.npz"), key=lambda one: one.stat().st_mtime_ns)
        for one in old[:-MOST_KEPT]:
            one.unlink(missing_ok=True)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _read(path: Path, key: str) -> tuple[RoadGraph, list[str]] | None:
    """Read a kept graph; None when there is none, it is of other roads, or it is damaged."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        said = json.loads(str(parts.pop("said")))
        if said["key"] != key or said["digest"] != _digest(parts):
            return None
        xy, number = parts.pop("line_xy"), parts.pop("line_number")
        graph = RoadGraph(
            **{name: said[name] for name in _PLAIN},
            **{name: part for name, part in parts.items() if name != "edge_class"},
            edge_class=parts["edge_class"].astype(object),
            edge_geometry=shapely.linestrings(xy, indices=number),
            names=tuple(said["names"]),
            notes=tuple(Text(msgid, tuple(map(tuple, params))) for msgid, params in said["notes"]),
        )
        os.utime(path)
        return graph, [str(key) for key in said["keys"]]
    except Exception:  # noqa: BLE001  a damaged file raises whatever numpy, zipfile and json can
        return None

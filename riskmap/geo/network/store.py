"""Road graphs kept between runs under the hash of what they are made of; never a wrong one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap import __version__
from riskmap.geo.network.graph import Floats, Ints, RoadGraph
from riskmap.geo.network.rules import Values
from riskmap.i18n import Text

if TYPE_CHECKING:
    import geopandas as gpd

MOST_KEPT: Final = 12
"""So many graphs are kept in a folder; those longest unused go."""
_FORMAT: Final = "4"
_ROOMS: Final = ("road.", "network.", "access.")
_PLAIN: Final = ("crs", "profile", "spare_m", "told", "hour")
_MAGIC: Final = b"riskmap roads 4\n"
_ALIGN: Final = 64


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
    path = folder / f"road-{key}.graph"
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
    import pandas as pd

    found.update(repr([lines.crs.to_wkt() if lines.crs else "", list(lines.columns)]).encode())
    found.update(b"".join(shapely.to_wkb(np.asarray(lines.geometry.array, dtype=object))))
    table = pd.DataFrame(lines.drop(columns=lines.geometry.name)).astype(str)
    found.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    return found.hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class _Kept(RoadGraph):
    """A graph out of a file; its lines are made when somebody asks for them."""

    def __getattr__(self, name: str) -> Any:
        """Make the lines."""
        if name != "edge_geometry":
            raise AttributeError(name)
        xy, number = self.corners()
        lines = np.asarray(shapely.linestrings(xy, indices=number), dtype=object)
        object.__setattr__(self, name, lines)
        return lines

    def corners(self) -> tuple[Floats, Ints]:
        """Give the vertices of all edges, and the edge of each.

        Returns
        -------
        tuple
            As of a graph.
        """
        held: tuple[Floats, Ints] | None = self.__dict__.get("_corners")
        return super().corners() if held is None else held


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Write whole numbers in half the room where they fit."""
    if array.dtype != np.int64 or not array.size:
        return np.ascontiguousarray(array)
    fits = int(array.min()) >= -(2**31) and int(array.max()) < 2**31
    return np.ascontiguousarray(array.astype(np.int32) if fits else array)


def _write(path: Path, graph: RoadGraph, keys: list[str], key: str) -> None:
    """Keep a graph, whole or not at all; a folder that cannot be written keeps none."""
    xy, number = shapely.get_coordinates(graph.edge_geometry, return_index=True)
    parts: dict[str, Any] = {
        name.name: getattr(graph, name.name)
        for name in fields(graph)
        if name.name not in (*_PLAIN, "edge_geometry", "notes", "edge_class", "names")
    }
    classes, place = np.unique(graph.edge_class.astype(str), return_inverse=True)
    parts |= {"line_xy": xy, "line_number": number, "edge_class": place.astype(np.int64)}
    said = {name: getattr(graph, name) for name in _PLAIN}
    said |= {"names": list(graph.names), "classes": classes.tolist(), "keys": keys, "key": key}
    said["notes"] = [[note.msgid, note.params] for note in graph.notes]
    said["parts"], blob = _packed(parts)
    head = json.dumps(said, ensure_ascii=False, default=int).encode()
    fresh = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            body = b"%016d\n" % len(head) + head + b" " * (-len(head) % _ALIGN) + blob
            file.write(_MAGIC + b"%010d\n" % zlib.crc32(body) + body)
        fresh.replace(path)
        for one in path.parent.glob("road-*.npz"):
            one.unlink(missing_ok=True)  # of older versions
        old = sorted(path.parent.glob("road-*.graph"), key=lambda one: one.stat().st_mtime_ns)
        for one in old[:-MOST_KEPT]:
            one.unlink(missing_ok=True)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _packed(parts: Mapping[str, Any]) -> tuple[dict[str, list[Any]], bytes]:
    """Put arrays behind each other; give kind, shape and place of each."""
    told, blobs, at = {}, [], 0
    for name, array in parts.items():
        small = _small(array)
        told[name] = [small.dtype.str, list(small.shape), at, array.dtype.str]
        raw = small.tobytes()
        raw += b"\0" * (-len(raw) % _ALIGN)
        blobs.append(raw)
        at += len(raw)
    return told, b"".join(blobs)


def _read(path: Path, key: str) -> tuple[RoadGraph, list[str]] | None:
    """Read a kept graph; None when there is none, it is of other roads, or it is damaged."""
    try:
        raw = memoryview(path.read_bytes())
        magic, check, body = raw[: len(_MAGIC)], raw[len(_MAGIC) :][:11], raw[len(_MAGIC) + 11 :]
        if bytes(magic) != _MAGIC or bytes(check) != b"%010d\n" % zlib.crc32(body):
            return None
        size, body = int(bytes(body[:17])), body[17:]
        said = json.loads(bytes(body[:size]))
        if said["key"] != key:
            return None
        first = size + -size % _ALIGN
        parts: dict[str, Any] = {}
        for name, (kind, shape, at, wanted) in said["parts"].items():
            count = int(np.prod(shape))
            array = np.frombuffer(body, kind, count, first + at).reshape(shape)
            parts[name] = array.astype(wanted)  # a copy, which may be written to
        corners = parts.pop("line_xy"), parts.pop("line_number")
        classes = np.array(said["classes"], dtype=object)
        graph = object.__new__(_Kept)
        told = {name: said[name] for name in _PLAIN} | parts
        told["edge_class"] = classes[parts["edge_class"]]
        told["names"] = tuple(said["names"])
        told["notes"] = tuple(Text(msgid, tuple(map(tuple, args))) for msgid, args in said["notes"])
        if {*told, "edge_geometry"} != {one.name for one in fields(RoadGraph)}:
            return None
        for name, value in (*told.items(), ("_corners", corners)):
            object.__setattr__(graph, name, value)
        os.utime(path)
        return graph, [str(key) for key in said["keys"]]
    except Exception:  # noqa: BLE001  a damaged file raises whatever numpy and json can
        return None

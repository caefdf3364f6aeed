"""OpenStreetMap extracts (PBF, XML, packed XML, ids in any order), and other road files."""

from __future__ import annotations

import bz2
import gzip
import json
import re
import tempfile
import warnings
from array import array
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.errors import LayerError
from riskmap.formats import offline, vector_driver
from riskmap.geo.network.rules import CUT, NODES, POINTS, TURNS, WAY_ID
from riskmap.i18n import text
from riskmap.layers.layer import naming

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray


ENDINGS: Final = (
    ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".osm.xml", ".osm.xml.gz", ".osm.xml.bz2",
)  # fmt: skip
OWN: Final = (WAY_ID, NODES, POINTS, TURNS, CUT)
_WAY_KEYS: Final = frozenset(
    (
        "highway", "access", "vehicle", "motor_vehicle", "motorcar", "goods", "hgv", "emergency",
        "foot", "bicycle", "bus", "psv", "oneway", "junction", "maxspeed", "maxheight", "maxweight",
        "maxwidth", "service", "area", "bridge", "tunnel", "layer", "level", "duration",
        "route", "motorroad", "sidewalk", "impassable", "smoothness", "width", "lanes", "toll",
        "maxweightrating", "maxaxleload", "construction", "railway", "ford",
        "flood_prone", "tidal", "hazard", "ice_road", "winter_road", "seasonal",
    )
)  # fmt: skip
_WHOLE_KEYS: Final = frozenset(
    ("name", "ref", "zone:maxspeed", "source:maxspeed", "est_width", "4wd_only", "abandoned",
     "disused")
)  # fmt: skip
_NODE_KEYS: Final = (
    "barrier", "maxheight", "maxheight:physical", "maxweight", "maxaxleload", "maxwidth",
    "maxwidth:physical", "access", "vehicle", "motor_vehicle", "motorcar", "hgv", "foot",
    "ford", "emergency",
)  # fmt: skip
_ACCESS: Final = ("no", "yes", "designated", "permissive", "private")
"""Values of ``emergency`` that say who may pass; others are hydrants and the like."""
_DELETED: Final = re.compile(
    rb"<(node|way|relation)\b(?=[^>]*\baction\s*=\s*['\"]delete['\"])[^>]*?\bid\s*=\s*['\"](-?\d+)"
)
_FERRIES: Final = ("ferry", "shuttle_train")
_NO_PLACE: Final = 2_147_483_647
_TRIED: Final = 1000
"""If none of so many ways tells places itself, no way does."""
_WRITTEN: Final = 100_000
"""Nodes of so many ways are written as text at once."""


def is_osm(path: Path) -> bool:
    """Tell whether a file is an OpenStreetMap extract, by its name.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        True for PBF and XML, packed or not.

    Examples
    --------
    >>> is_osm(Path("town.OSM.gz")), is_osm(Path("town.geojson"))
    (True, False)
    """
    return path.name.lower().endswith(ENDINGS)


def is_road_key(key: str) -> bool:
    """Tell whether a tag says something about the use of a road.

    Parameters
    ----------
    key
        The tag's key.

    Returns
    -------
    bool
        True also for keys with a suffix, such as ``oneway:emergency``.

    Examples
    --------
    >>> is_road_key("motor_vehicle:conditional"), is_road_key("name:en"), is_road_key("name")
    (True, False, True)
    """
    return key in _WHOLE_KEYS or key.partition(":")[0] in _WAY_KEYS


def _deleted(path: Path) -> dict[str, set[int]]:
    """Give the ids that an editor (JOSM) has marked as deleted in its file, by kind."""
    opened: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open}
    found, rest = dict[str, set[int]](), b""
    try:
        with opened.get(path.suffix.lower(), open)(path, "rb") as file:
            while more := file.read(1 << 20):
                text_, _, rest = (rest + more).rpartition(b"<")
                rest = b"<" + rest
                if b"delete" in text_:
                    for kind, number in _DELETED.findall(text_):
                        found.setdefault(kind.decode()[0], set()).add(int(number))
    except (OSError, EOFError):
        return {}  # the reader says what is wrong with the file
    return found


@contextmanager
def sorted_copy(
    path: Path, *, without: Mapping[str, Collection[int]] = MappingProxyType({})
) -> Iterator[Path]:
    """Give an extract as a PBF file with sorted ids, which every reader takes.

    Parameters
    ----------
    path
        The extract.
    without
        Ids that are left out, by the first letter of their kind.

    Yields
    ------
    Path
        A file that lives inside the ``with`` block.

    Raises
    ------
    LayerError
        When the file cannot be read.
    """
    import osmium

    with tempfile.TemporaryDirectory(prefix="riskmap_osm_") as folder:
        copy = Path(folder) / "sorted.osm.pbf"
        try:
            with osmium.SimpleWriter(str(copy)) as writer:
                if without:
                    for one in osmium.FileProcessor(str(path)):
                        if one.id not in without.get(one.type_str(), ()):
                            writer.add(one)
                else:
                    held = osmium.MergeInputReader()
                    held.add_file(str(path))
                    held.apply(writer, simplify=False)
        except RuntimeError as error:
            raise _unreadable(path, error) from error
        yield copy


def read_roads(path: Path, *, window: tuple[float, float, float, float] | None = None) -> Any:
    """Read the roads, paths and ferries of an extract.

    Every way with a ``highway`` tag is a line, also a ring that has the tag of an area; a way
    with ``route=ferry`` is one too. A way whose nodes the extract does not hold is cut there.

    Parameters
    ----------
    path
        PBF, or XML, plain or packed by gzip or bzip2; ids may stand in any order.
    window
        West, south, east, north [deg]; ways whose box lies outside are left out.

    Returns
    -------
    geopandas.GeoDataFrame
        Lines in EPSG:4326 with their tags as columns and `NODES`, `POINTS`, `TURNS`, `CUT`; no
        geometry where a way has fewer than two known nodes.

    Raises
    ------
    LayerError
        When the file cannot be read or holds no road.
    """
    if not path.exists():
        raise LayerError(text("{path}: there is no such file", path=path.name))
    if path.suffix.lower() in (".pbf", ".osm", ".xml"):
        vector_driver(path)
    gone = {} if path.suffix.lower() == ".pbf" else _deleted(path)
    if gone:
        with sorted_copy(path, without=gone) as copy:
            return read_roads(copy, window=window)
    try:
        ways = _Ways.read(path)
        if not len(ways):
            raise LayerError(text("{path}: the extract holds no road", path=path.name))
        ways.fill(path)
        points = _points(path, np.unique(ways.refs[ways.known]))
        turns = _restrictions(path)
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    return _frame(ways, points, turns, window)


def _unreadable(path: Path, error: Exception) -> LayerError:
    return LayerError(text("{path}: cannot be read ({why})", path=path.name, why=str(error)))


class _Ways:
    """Ways as flat arrays: ids, nodes one after the other with their places, and tags by key."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.counts = array("q")
        self.refs = np.zeros(0, np.int64)
        self.xy = np.zeros((0, 2), np.int32)
        """Places of the nodes [1e-7 deg], `_NO_PLACE` where the extract does not tell."""
        self.tags: dict[str, tuple[array[int], list[str]]] = {}

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def read(cls, path: Path) -> _Ways:
        """Read the ways that are roads or ferries, with the places of their nodes."""
        import osmium

        places = osmium.NodeLocationsForWays(osmium.index.create_map("sparse_mem_array"))
        places.ignore_errors()
        osmium.apply(osmium.io.Reader(str(path), osmium.osm.NODE), places)
        found, refs, xy, once = cls(), array("q"), array("i"), dict[str, str]()
        for way in _each(path, osmium.osm.WAY, places, osmium.filter.KeyFilter("highway", "route")):
            tags = way.tags
            if "highway" not in tags and tags.get("route") not in _FERRIES:
                continue
            row, before = len(found.ids), len(refs)
            found.ids.append(way.id)
            for node in way.nodes:
                refs.append(node.ref)
                xy.extend((node.x, node.y))
            found.counts.append(len(refs) - before)
            for tag in tags:
                if is_road_key(tag.k):
                    rows, values = found.tags.setdefault(tag.k, (array("q"), []))
                    rows.append(row)
                    values.append(once.setdefault(tag.v, tag.v))
        del places
        found.refs = np.frombuffer(refs, np.int64) if refs else found.refs
        found.xy = np.frombuffer(xy, np.int32).reshape(-1, 2) if refs else found.xy
        return found

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the place of each node is known."""
        return np.asarray((self.xy != _NO_PLACE).all(axis=1))

    def fill(self, path: Path) -> None:
        """Look elsewhere for the places that are not known."""
        rows = np.flatnonzero(~self.known)
        if not len(rows):
            return
        ids, xy = _places_elsewhere(path, np.unique(self.refs[rows]))
        if not len(ids):
            return
        at = np.minimum(np.searchsorted(ids, self.refs[rows]), len(ids) - 1)
        mine = ids[at] == self.refs[rows]
        self.xy = self.xy.copy()
        self.xy[rows[mine]] = np.round(xy[at[mine]] * 1e7).astype(np.int32)

    def columns(self, take: NDArray[np.int64]) -> dict[str, pd.Series]:
        """Give the tags as text columns for some rows."""
        import pandas as pd

        table = {}
        for key, (rows, values) in self.tags.items():
            column = np.full(len(self.ids), None, dtype=object)
            column[rows] = values
            table[key] = pd.Series(column[take], dtype="str")
        return table


def _each(path: Path, kind: Any, *handlers: Any) -> Iterator[Any]:
    """Give the things of a kind that are not deleted, after they went through some handlers."""
    import osmium

    reader = osmium.io.Reader(str(path), kind)
    try:
        try:
            found: Any = osmium.OsmFileIterator(reader, *handlers)
        except StopIteration:  # there is nothing of the kind
            return
        for one in found:
            if not one.deleted:
                yield one
    finally:
        reader.close()


def _places_elsewhere(
    path: Path, lacking: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find places that stand in the ways alone, and of nodes that were never sent to the server."""
    import osmium

    wanted, found = set(lacking.tolist()), dict[int, tuple[float, float]]()
    for tried, way in enumerate(_each(path, osmium.osm.WAY)):
        drawn = [node for node in way.nodes if node.location.valid()]
        found.update((n.ref, (n.lon, n.lat)) for n in drawn if n.ref in wanted)
        if tried > _TRIED and not found:
            break
    if len(lacking) and lacking[0] < 0:
        for node in _each(path, osmium.osm.NODE):
            if node.id in wanted and node.location.valid():
                found[node.id] = node.location.lon, node.location.lat
    ids = np.array(sorted(found), np.int64)
    return ids, np.array([found[node] for node in ids.tolist()]).reshape(-1, 2)


def _points(path: Path, mine: NDArray[np.int64]) -> dict[int, dict[str, str]]:
    """Give the tags of the nodes of roads that bar or limit them, or lead through water."""
    import osmium

    found = {}
    source: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
    for node in source.with_filter(osmium.filter.KeyFilter(*_NODE_KEYS)):
        at = int(np.searchsorted(mine, node.id))
        if at < len(mine) and mine[at] == node.id and not node.deleted:
            tags = {tag.k: tag.v for tag in node.tags if _says(tag.k)}
            hydrant = tags.get("emergency", "no") not in _ACCESS
            if not (hydrant and tags.keys().isdisjoint(_NODE_KEYS[:-1])):
                found[node.id] = tags
    return found


def _says(key: str) -> bool:
    return key in ("barrier", "bollard", "locked") or (is_road_key(key) and key != "name")


def _restrictions(path: Path) -> dict[int, list[dict[str, Any]]]:
    """Give the turn restrictions by the way on which they begin."""
    import osmium

    found: dict[int, list[dict[str, Any]]] = {}
    source: Any = osmium.FileProcessor(str(path), osmium.osm.RELATION)
    for relation in source.with_filter(osmium.filter.TagFilter(("type", "restriction"))):
        if relation.deleted:
            continue
        tags = {tag.k: tag.v for tag in relation.tags}
        said = {
            key: value
            for key, value in tags.items()
            if key.partition(":")[0] in ("restriction", "except", "day_on", "hour_on")
        }
        members: dict[str, list[tuple[str, int]]] = {}
        for member in relation.members:
            members.setdefault(member.role, []).append((member.type, member.ref))
        starts = [ref for kind, ref in members.get("from", []) if kind == "w"]
        one = {
            "id": relation.id,
            "tags": said,
            "via": [f"{kind}{ref}" for kind, ref in members.get("via", [])],
            "to": [ref for kind, ref in members.get("to", []) if kind == "w"],
            "from": len(starts),
        }
        for start in starts:
            found.setdefault(start, []).append(one)
    return found


def _frame(
    ways: _Ways,
    points: dict[int, dict[str, str]],
    turns: dict[int, list[dict[str, Any]]],
    window: tuple[float, float, float, float] | None,
) -> gpd.GeoDataFrame:
    """Draw the ways and put their tags beside them."""
    import geopandas as gpd
    import pandas as pd
    import shapely

    refs, known = ways.refs, ways.known
    owner = np.repeat(np.arange(len(ways), dtype=np.int32), np.array(ways.counts, np.int64))
    missing = np.bincount(owner[~known], minlength=len(ways))
    change = (owner[1:] != owner[:-1]) | (known[1:] != known[:-1])
    run = np.cumsum(np.append(False, change)[: len(refs)], dtype=np.int32)
    size = np.bincount(run[known], minlength=int(run.max(initial=-1)) + 1)
    use = known & (size[run] > 1)
    begins = np.diff(run[use], prepend=-1) != 0
    number = np.cumsum(begins) - 1
    del change, run
    lines = np.zeros(0, dtype=object)
    if use.any():
        lines = shapely.linestrings(ways.xy[use] / 1e7, indices=number)
    del number
    first = np.flatnonzero(begins)
    way = owner[use][first].astype(np.int64)
    bare = np.setdiff1d(np.arange(len(ways)), way)
    way = np.concatenate([way, bare])
    geometry = np.concatenate([lines, np.full(len(bare), None, dtype=object)])
    nodes = [*_texts(refs[use], first), *[""] * len(bare)]
    order = np.argsort(way, kind="stable")
    if window is not None:
        box = shapely.bounds(geometry[order])
        near = ~(
            (box[:, 2] < window[0]) | (box[:, 0] > window[2])
            | (box[:, 3] < window[1]) | (box[:, 1] > window[3])
        )  # fmt: skip
        order = order[near]
    way, geometry = way[order], geometry[order]
    nodes = [nodes[i] for i in order]
    ids = np.array(ways.ids, np.int64)[way]
    columns = ways.columns(way)
    columns[WAY_ID] = pd.Series(ids.astype(str), dtype="str")
    columns[NODES] = pd.Series(nodes, dtype="str")
    columns[POINTS] = pd.Series(_tagged(nodes, points), dtype="str")
    lost = [
        one | {"lost": True} for way in sorted(set(turns) - set(ways.ids)) for one in turns[way]
    ]
    if lost and len(ids):  # they are counted with the first way
        turns = turns | {int(ids[0]): [*turns.get(int(ids[0]), []), *lost]}
    said = [json.dumps(turns[i], ensure_ascii=False) if i in turns else None for i in ids.tolist()]
    columns[TURNS] = pd.Series(said, dtype="str")
    columns[CUT] = pd.Series(missing[way])
    return gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4326")


def _texts(refs: NDArray[np.int64], first: NDArray[np.int64]) -> list[str]:
    """Write the ids of each run, parted by blanks."""
    if not len(first):
        return []
    stops = np.append(first[1:], len(refs))
    told: list[str] = []
    for low in range(0, len(first), _WRITTEN):
        begins, ends = first[low : low + _WRITTEN], stops[low : low + _WRITTEN]
        words = refs[begins[0] : ends[-1]].astype(str).tolist()
        pairs = zip((begins - begins[0]).tolist(), (ends - begins[0]).tolist(), strict=True)
        told += [" ".join(words[a:b]) for a, b in pairs]
    return told


def _tagged(nodes: Sequence[str], points: dict[int, dict[str, str]]) -> Iterable[str | None]:
    """Write the tags of the nodes of each way, where it has tagged ones."""
    if not points:
        return [None] * len(nodes)
    words = {str(node): tags for node, tags in points.items()}
    mine = words.keys()
    found: list[str | None] = []
    for line in nodes:
        hit = mine & set(line.split())
        held = {node: words[node] for node in sorted(hit)}
        found.append(json.dumps(held, ensure_ascii=False, sort_keys=True) if held else None)
    return found


def read_network(
    path: Path, *, layer: str | None = None, encoding: str | None = None
) -> gpd.GeoDataFrame:
    """Read the lines of a network file.

    Parameters
    ----------
    path
        GeoPackage, shapefile, GeoJSON, or an OpenStreetMap extract.
    layer
        Layer to read; None takes the first layer of lines. An extract has one.
    encoding
        Encoding of a shapefile; None takes what the file says.

    Returns
    -------
    geopandas.GeoDataFrame
        The lines, None for features that are none.

    Raises
    ------
    LayerError
        If the file cannot be read or holds no lines.
    """
    import geopandas as gpd

    if not path.exists():
        raise LayerError(text("{path}: there is no such file", path=path.name))
    with naming(path.name):
        extract = is_osm(path) or vector_driver(path) == "OSM"
    if extract:
        return read_roads(path)
    try:
        with offline(path) as pyogrio, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # columns that no road rule looks at
            chosen = _line_layer(pyogrio.list_layers(path)) if layer is None else layer
            lines = pyogrio.read_dataframe(path, layer=chosen, encoding=encoding)
    except (ValueError, RuntimeError, OSError) as error:
        raise LayerError(
            text("{path}: cannot be read ({why})", path=path.name, why=error)
        ) from error
    if not isinstance(lines, gpd.GeoDataFrame):
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    is_line = lines.geometry.geom_type.isin(["LineString", "MultiLineString"])
    if not is_line.any():
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    return lines.set_geometry(lines.geometry.where(is_line))


def _line_layer(layers: Iterable[Sequence[str | None]]) -> str | None:
    """Choose the first layer of lines, else the first layer."""
    listed = list(layers)
    for name, kind in listed:
        if kind and "Line" in kind:
            return name
    return listed[0][0] if listed else None

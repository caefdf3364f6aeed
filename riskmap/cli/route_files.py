"""``riskmap route``: shortest ways between the points of two tables; light, for a kept graph."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.errors import LayerError, Problem, UsageError
from riskmap.files import read_plain
from riskmap.formats import side_files
from riskmap.geo.network.graph import ROOMS, kept_graph
from riskmap.geo.network.route import Listed, closed_edges, graph_options, named_road, route_on
from riskmap.geo.network.rules import CLASS_FIELDS, END_FIELDS, NODES, WAY_ID
from riskmap.i18n import Text, text
from riskmap.vocabulary.presets import load_presets

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECIMAL: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]+)?")


def _points(path: Path) -> tuple[Listed, tuple[Text, ...]]:
    """Read points ``id,lon,lat`` with ids kept as text; and say what else stands there."""
    table = read_plain(path)
    if table is None or not {"id", "lon", "lat"} <= set(table):
        from riskmap.cli.coord_files import named_texts  # pandas, for what is not plain

        table = {
            str(name): cells.tolist()
            for name, cells in named_texts(path, ("id", "lon", "lat")).items()
        }
    said: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, most in (("lon", 180.0), ("lat", 90.0)):
        cells = table[name]
        plain = all(_DECIMAL.fullmatch(cell) for cell in cells)
        degrees = np.array(cells, np.float64) if plain else np.full(len(cells), np.inf)
        if not (np.abs(degrees) <= most).all():
            from riskmap.cli.coord_files import degrees as read_degrees

            degrees, wrong = read_degrees(cells, name, name, path.name)
            problems += wrong
        said[name] = degrees
    if problems:
        raise LayerError(text("{n} problem(s) in the tables", n=len(problems)), tuple(problems))
    road = named_road(table)
    roads = [""] * len(table["id"]) if road is None else table[road]
    idle = [name for name in table if name not in ("id", "lon", "lat", road)]
    notes = (text("{file}: columns not used: {names}", file=path.name, names=", ".join(idle)),)
    return Listed(table["id"], said["lon"], said["lat"], roads), notes if idle else ()


def _lines(path: Path, layer: str | None) -> Any:
    """Read the lines of a network file; a shapefile in the encoding that it is written in."""
    from riskmap.layers.read.osm import read_network

    if path.suffix.lower() != ".shp":
        return read_network(path, layer=layer)
    from riskmap.layers.read.foreign import shapefile_encoding

    found = shapefile_encoding(path, None)
    if found.clean_names and not found.bad:
        return read_network(path, layer=layer, encoding=found.codec)
    import geopandas as gpd

    from riskmap.layers.read.vector import read_vector

    rows = read_vector(path, geometry="line", layer=layer)
    return gpd.GeoDataFrame(rows.table, geometry=rows.geometry)


def route(
    network: Path,
    *,
    origins: Path,
    destinations: Path,
    layer: str | None,
    limit: float | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Give shortest ways over a network file.

    Parameters
    ----------
    network
        Lines.
    origins, destinations
        Point tables.
    layer
        Layer of the file.
    limit
        Largest cost, inclusive; None for no limit.
    options
        Further options of `riskmap.geo.network.route.route`.

    Returns
    -------
    dict
        The document.
    """
    asked = dict(options)
    depth, above = asked.pop("depth_field"), asked.pop("close_above")
    if (depth is None) != (above is None):
        raise UsageError(text("--close-above and --depth-field need each other"))
    search = {key: asked.pop(key) for key in ("match", "weight", "snap_limit")}
    search["hour"] = asked.pop("hour", None)
    keep = asked.pop("cache", True)
    build = graph_options(**asked)
    read = _points(origins), _points(destinations)
    points = read[0][0], read[1][0]
    presets = load_presets(rooms=tuple(one.rstrip(".") for one in ROOMS))
    held: dict[str, Any] = {}

    def lines() -> Any:
        if "lines" not in held:
            fields = [depth, *(build[key] for key in build if key.endswith("_field"))]
            held["lines"], held["named"] = named_columns(
                _lines(network, layer), network, asked=[str(one) for one in fields if one]
            )
        return held["lines"]

    def made(seen: Any) -> Any:
        from riskmap.geo.network.build import build_graph

        graph = build_graph(lines(), presets=seen, **build)
        return replace(graph, notes=(*held["named"], *graph.notes))

    if not network.exists():
        raise LayerError(text("{path}: there is no such file", path=network.name))
    graph = kept_graph(
        cache_folder() if keep and network.is_file() else None,
        side_files(network),
        {**build, "layer": layer, "file": network.suffix},
        {key: presets.preset(key).value for key in presets},
        presets,
        made,
    )
    closed = None if depth is None else closed_edges(graph, lines(), depth, above)
    reach = float("inf") if limit is None else limit
    document = route_on(
        graph, *points, vehicle=build["vehicle"], closed=closed, limit=reach, presets=presets,
        **search,
    )  # fmt: skip
    more = dict.fromkeys(str(note) for _, notes in read for note in notes)
    return {**document, "notes": [*document["notes"], *more]}


def named_columns(
    lines: Any, path: Path, *, asked: Sequence[str] = ()
) -> tuple[Any, tuple[Text, ...]]:
    """Give columns that offices name in their own words the names that the roads look for.

    Parameters
    ----------
    lines
        The lines of a network file.
    path
        The file.
    asked
        Columns that the caller names.

    Returns
    -------
    geopandas.GeoDataFrame
        With a column more for each that was known by another name; all others stay.
    tuple of Text
        Which columns these were, and which were not looked at.
    """
    from riskmap.layers.layer import Findings, LayerSpec
    from riskmap.layers.read.fields import match_columns, parse_field
    from riskmap.vocabulary.roles import load_roles

    if WAY_ID in lines.columns and NODES in lines.columns:
        return lines, ()
    role, shapefile = load_roles()["road"], path.suffix.lower() == ".shp"
    columns = [str(name) for name in lines.columns if name != lines.geometry.name]
    findings = Findings("road", path.name, "", np.zeros(0, dtype=np.int64))
    found = match_columns(role, columns, LayerSpec(path=path, shown=path.name), findings)
    known = {*CLASS_FIELDS, "maxspeed", "width"}
    own = {
        field: column
        for field, (column, _) in found.items()
        if field not in columns and column.lower() not in known
    }
    tags = _tags()
    for column in columns:  # motor_vehi
        cut = [tag for tag in tags if len(tag) > len(column) and tag.startswith(column.lower())]
        if shapefile and len(column) == _CUT and len(cut) == 1 and cut[0] not in columns:
            own[cut[0]] = column
    given = {field: lines[column] for field, column in own.items()}
    for field in role.fields:
        column, unit = found.get(field.name, ("", None))
        if unit and field.name in own:  # 限重（kg）, 路宽（cm）
            given[field.name] = parse_field(field, lines[column], unit=unit, upper=False).column
    used = {column for column, _ in found.values()} | {*own.values(), *asked, *tags, "other_tags"}
    idle = [name for name in columns if not {name, name.lower()} & used]
    said = ", ".join(f"{column} = {field}" for field, column in own.items())
    notes = (
        text("columns of the road layer were read as: {columns}", columns=said) if own else None,
        text("columns of the road layer were not looked at: {columns}", columns=", ".join(idle))
        if idle
        else None,
    )
    return lines.assign(**given) if own else lines, tuple(note for note in notes if note)


_CUT: Final = 10
"""Letters that a shapefile keeps of the name of a column."""


def _tags() -> frozenset[str]:
    """Give every word of the presets on access, among them all tags that are looked at."""
    presets = load_presets(rooms=("access",))
    todo: list[Any] = [presets[key] for key in presets]
    found = {name for pair in END_FIELDS for name in pair} | set(CLASS_FIELDS)
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, dict):
            todo += [*one, *one.values()]
        elif isinstance(one, (list, tuple)):
            todo += one
    return frozenset(found)


def cache_folder() -> Path:
    """Find the folder in which the road graphs of ``riskmap route`` are kept.

    Returns
    -------
    Path
        ``riskmap`` in the user's folder for caches.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "riskmap"

"""``riskmap route``: shortest ways between the points of two tables; light, for a kept graph."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from riskmap.errors import LayerError, Problem, UsageError
from riskmap.files import read_plain
from riskmap.formats import side_files
from riskmap.geo.network.graph import ROOMS, kept_graph
from riskmap.geo.network.route import Listed, closed_edges, graph_options, named_road, route_on
from riskmap.i18n import text
from riskmap.vocabulary.presets import load_presets

_DECIMAL: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]+)?")


def _points(path: Path) -> Listed:
    """Read points ``id,lon,lat`` with ids kept as text."""
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
    return Listed(table["id"], said["lon"], said["lat"], roads)


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
    points = _points(origins), _points(destinations)
    presets = load_presets(rooms=tuple(one.rstrip(".") for one in ROOMS))
    held: dict[str, Any] = {}

    def lines() -> Any:
        from riskmap.layers.read.osm import read_network

        if "lines" not in held:
            held["lines"] = read_network(network, layer=layer)
        return held["lines"]

    def made(seen: Any) -> Any:
        from riskmap.geo.network.build import build_graph

        return build_graph(lines(), presets=seen, **build)

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
    return route_on(
        graph, *points, vehicle=build["vehicle"], closed=closed, limit=reach, presets=presets,
        **search,
    )  # fmt: skip


def cache_folder() -> Path:
    """Find the folder in which the road graphs of ``riskmap route`` are kept.

    Returns
    -------
    Path
        ``riskmap`` in the user's folder for caches.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "riskmap"

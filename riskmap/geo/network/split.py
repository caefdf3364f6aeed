"""Lines become edges: every line is cut at the vertices it shares with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from riskmap.errors import LayerError
from riskmap.geo.crs import project_points
from riskmap.geo.network.vertices import SAME_M, merge_near, same_runs, vertex_numbers
from riskmap.i18n import text

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pieces:
    """Edges cut at shared vertices; vertex ``i`` of edge ``e`` is ``xy[start[e] + i]``."""

    xy: Floats
    """Vertices of all edges, one after the other, shape (v, 2)."""
    start: Ints
    """First vertex of every edge, and the end of the last, shape (m + 1,)."""
    line: Ints
    """Row of the line that the edge comes from, shape (m,)."""
    share: Floats
    """Length of the edge over the length of its line, shape (m,)."""
    length_m: Floats
    """Length on the ellipsoid, shape (m,) [m]."""
    tail: Ints
    """Node where the edge begins as digitised, shape (m,)."""
    head: Ints
    """Node where the edge ends as digitised, shape (m,)."""
    node_xy: Floats
    """Nodes in the coordinates of the lines, shape (n, 2)."""
    vertex: Ints
    """Vertex number of every vertex, equal where lines meet, shape (v,)."""


def segment_lengths(lonlat: Floats) -> Floats:
    """Measure the steps between successive vertices on the WGS-84 ellipsoid.

    Parameters
    ----------
    lonlat
        Longitude and latitude, shape (v, 2) [degree].

    Returns
    -------
    numpy.ndarray
        Lengths, shape (v - 1,) [m].

    Examples
    --------
    >>> segment_lengths(np.array([[0.0, 0.0], [1.0, 0.0]])).round(3).tolist()
    [111319.491]
    """
    if len(lonlat) < 2:
        return np.zeros(0)
    geod = pyproj.Geod(ellps="WGS84")
    ahead = geod.inv(lonlat[:-1, 0], lonlat[:-1, 1], lonlat[1:, 0], lonlat[1:, 1])[2]
    return np.asarray(ahead, dtype=np.float64)


def project(xy: Floats, source: Any, target: Any) -> Floats:
    """Bring coordinates from one CRS to another, in the order x (east), y (north).

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2).
    source, target
        Their CRS and the wanted one.

    Returns
    -------
    numpy.ndarray
        Coordinates in ``target``, shape (v, 2).
    """
    from_, to = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
    if from_.equals(to):
        return xy
    return np.column_stack(project_points(xy[:, 0], xy[:, 1], crs=to, source=from_))


def to_lonlat(xy: Floats, crs: Any) -> Floats:
    """Turn coordinates into longitude and latitude.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2).
    crs
        Their coordinate system.

    Returns
    -------
    numpy.ndarray
        Longitude and latitude, shape (v, 2) [degree].
    """
    return project(xy, crs, "EPSG:4326")


def _nodes(vertex: Ints, begin: Bools, end: Bools, level: Ints) -> tuple[Bools, Ints]:
    """Tell which vertices are nodes, and part those that only pass at another level.

    A street drawn once in each direction counts as one line here.
    """
    ended = np.zeros(int(vertex.max(initial=-1)) + 1, dtype=bool)
    ended[vertex[end]] = True
    apart = np.where(ended[vertex], 0, level)
    if apart.any():
        vertex = np.unique(vertex * (int(apart.max()) + 1) + apart, return_inverse=True)[1]
    start = np.append(np.flatnonzero(begin), len(vertex))
    run = same_runs(vertex, start)
    single = np.zeros(len(run), dtype=bool)
    single[np.unique(run, return_index=True)[1]] = True
    uses = np.bincount(vertex, weights=np.repeat(single, np.diff(start)))
    return end | (uses[vertex] > 1), vertex.astype(np.int64)


def split_lines(
    lines: NDArray[np.object_],
    *,
    crs: Any,
    level: Ints | None = None,
    tolerance_m: float = 0.0,
) -> Pieces:
    """Cut lines at shared vertices.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings, shape (rows,).
    crs
        Their coordinate system.
    level
        Level code of every row; lines of unlike level meet only where one of them ends.
    tolerance_m
        Line ends this near each other are joined [m].

    Returns
    -------
    Pieces
        The edges; zero-length lines give none.

    Raises
    ------
    LayerError
        If no line is longer than the distance within which vertices are one.
    """
    geographic = pyproj.CRS.from_user_input(crs).is_geographic
    parts, row = shapely.get_parts(lines, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    vertex = vertex_numbers(xy, geographic=geographic) if len(xy) else np.zeros(0, np.int64)
    if tolerance_m > 0 and len(xy):
        ends = np.flatnonzero(np.diff(part, prepend=-1, append=-1)[:-1] != 0)
        ends = np.union1d(ends, np.append(ends[1:], len(part)) - 1)
        unit = np.ones(2)
        if geographic:
            unit = 111_195.0 * np.array([np.cos(np.radians(xy[:, 1].mean())), 1.0])
        vertex = merge_near(xy, vertex, ends, tolerance_m, unit)
        first = np.unique(vertex, return_index=True)
        xy = xy[first[1]][np.searchsorted(first[0], vertex)]
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (vertex[1:] != vertex[:-1]) | (part[1:] != part[:-1])
    xy, vertex, part = xy[keep], vertex[keep], part[keep]
    many = np.bincount(part, minlength=len(parts))[part] > 1
    xy, vertex, part = xy[many], vertex[many], part[many]
    if not len(xy):
        m = f"{max(tolerance_m, SAME_M):g}"
        raise LayerError(text("all roads are shorter than {m} m, within which ends meet", m=m))
    return _cut(xy, vertex, part, row, crs=crs, level=level)


def _cut(
    xy: Floats, vertex: Ints, part: Ints, row: Ints, *, crs: Any, level: Ints | None
) -> Pieces:
    """Cut cleaned vertex runs at the nodes."""
    begin = np.diff(part, prepend=-1) != 0
    finish = np.append(begin[1:], True)[: len(begin)]
    levels = np.zeros(len(xy), np.int64) if level is None else level[row[part]]
    is_node, vertex = _nodes(vertex, begin, begin | finish, levels)
    opens = np.flatnonzero(is_node & ~finish)
    closes = np.flatnonzero(is_node & ~begin)
    counts = closes - opens + 1
    start = np.concatenate([[0], np.cumsum(counts)])
    take = np.arange(int(start[-1])) + np.repeat(opens - start[:-1], counts)
    step = np.append(segment_lengths(to_lonlat(xy, crs)) if len(xy) else np.zeros(0), 0.0)
    step[finish] = 0.0
    length = _sums(step, opens, closes)
    line = row[part[opens]].astype(np.int64)
    whole = np.bincount(line, weights=length, minlength=int(row.max(initial=-1)) + 1)
    numbers, first = np.unique(vertex[is_node], return_index=True)
    node_xy = xy[is_node][first]
    return Pieces(
        xy=xy[take],
        start=start.astype(np.int64),
        line=line,
        share=length / np.where(whole[line] > 0, whole[line], 1.0),
        length_m=length,
        tail=np.searchsorted(numbers, vertex[opens]),
        head=np.searchsorted(numbers, vertex[closes]),
        node_xy=node_xy,
        vertex=vertex[take],
    )


def _sums(step: Floats, opens: Ints, closes: Ints) -> Floats:
    """Add the steps from each opening vertex to its closing one, each by itself."""
    if len(opens) == 0:
        return np.zeros(0)
    bounds = np.column_stack([opens, closes]).ravel()
    return np.asarray(np.add.reduceat(step, bounds)[::2], dtype=np.float64)


def twins(pieces: Pieces, forward: Bools, backward: Bools, cost: Floats) -> Ints:
    """Pair one-way edges that lie on each other in opposite directions.

    Parameters
    ----------
    pieces
        The edges.
    forward, backward
        Permitted directions, shape (m,).
    cost
        Cost of each edge; only edges of equal cost pair, shape (m,).

    Returns
    -------
    numpy.ndarray
        The other edge of each pair, -1 where there is none, shape (m,).
    """
    twin = np.full(len(pieces.line), -1)
    single = np.flatnonzero(forward ^ backward)
    if len(single) < 2:
        return twin
    same = same_runs(pieces.vertex, pieces.start)[single]
    begin = np.where(forward[single], pieces.tail[single], pieces.head[single])
    order = np.lexsort((single, begin, same))
    here, there = order[:-1], order[1:]
    pair = (same[here] == same[there]) & (begin[here] != begin[there])
    pair &= np.isclose(cost[single[here]], cost[single[there]], rtol=1e-9)
    pair[1:] &= ~pair[:-1]
    twin[single[here[pair]]] = single[there[pair]]
    twin[single[there[pair]]] = single[here[pair]]
    return twin

"""Points are put on the nearest edge, at the place along it, not on the nearest node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph

SNAP_LIMIT_M: Final = 500.0
"""Farther than this from every road [m], a point is off the network, unless said otherwise."""
_TINY: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Snapped:
    """Points on the network."""

    edge: Ints
    """Edge of each point, -1 when the point is off the network, shape (k,)."""
    along: Floats
    """Share of the edge's length that lies before the point, 0 to 1, NaN off it, shape (k,)."""
    walk_m: Floats
    """Distance to the road, infinite off the network, shape (k,) [m]."""
    xy: Floats
    """The place on the road in the graph's CRS, NaN off it, shape (k, 2) [m]."""

    def __len__(self) -> int:
        """Count the points."""
        return len(self.edge)

    @property
    def on(self) -> Bools:
        """True where the point is on the network."""
        return self.edge >= 0

    def take(self, rows: Ints | Bools) -> Snapped:
        """Give some of the points.

        Parameters
        ----------
        rows
            Positions or a mask.

        Returns
        -------
        Snapped
            These points in this order.
        """
        return Snapped(self.edge[rows], self.along[rows], self.walk_m[rows], self.xy[rows])


def snap_points(
    graph: RoadGraph, xy: Floats, *, limit_m: float = SNAP_LIMIT_M, usable: Bools | None = None
) -> Snapped:
    """Put points on the nearest edge.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points in the graph's CRS, shape (k, 2) [m].
    limit_m
        Longest walk to the road, inclusive [m].
    usable
        Edges that may be taken, shape (m,); None: all.

    Returns
    -------
    Snapped
        The places; of edges equally near the first is taken.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.network import build_graph
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (100, 0)])], crs=4548)
    >>> graph = build_graph(road)
    >>> on = snap_points(graph, np.array([[25.0, 7.0], [25.0, 700.0]]))
    >>> on.along.tolist(), on.walk_m.tolist(), on.edge.tolist()
    ([0.25, nan], [7.0, inf], [0, -1])
    """
    count = len(xy)
    edges = np.arange(graph.edge_count) if usable is None else np.flatnonzero(usable)
    corner, number = shapely.get_coordinates(graph.edge_geometry[edges], return_index=True)
    inner = np.flatnonzero(number[1:] == number[:-1]) if len(corner) else np.zeros(0, np.int64)
    from_, step = corner[inner], corner[inner + 1] - corner[inner]
    length = np.hypot(step[:, 0], step[:, 1])
    before = np.concatenate([[0.0], np.cumsum(length)])[:-1]
    owner = number[inner]
    first = np.searchsorted(owner, np.arange(len(edges)))
    total = np.bincount(owner, weights=length, minlength=len(edges))
    before -= before[first][owner] if len(owner) else 0.0
    off = Snapped(
        np.full(count, -1),
        np.full(count, np.nan),
        np.full(count, np.inf),
        np.full((count, 2), np.nan),
    )
    fine = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(inner) or not len(fine):
        return off
    tree = shapely.STRtree(shapely.linestrings(np.stack([from_, from_ + step], axis=1)))
    reach = np.nextafter(limit_m, np.inf) + 1e-6
    found = tree.query_nearest(shapely.points(xy[fine]), max_distance=reach, all_matches=True)
    point, segment = fine[found[0]], found[1]
    keep = np.lexsort((segment, point))
    keep = keep[np.diff(point[keep], prepend=-1) != 0]
    point, segment = point[keep], segment[keep]
    gap = xy[point] - from_[segment]
    share = (gap * step[segment]).sum(axis=1) / np.maximum(length[segment], _TINY) ** 2
    share = np.clip(share, 0.0, 1.0)
    place = from_[segment] + share[:, None] * step[segment]
    walk = np.hypot(*(xy[point] - place).T)
    along = (before[segment] + share * length[segment]) / total[owner[segment]]
    along = np.where(along < _TINY, 0.0, np.where(along > 1 - _TINY, 1.0, along))
    near = walk <= limit_m
    off.edge[point[near]] = edges[owner[segment[near]]]
    off.along[point[near]] = along[near]
    off.walk_m[point[near]] = walk[near]
    off.xy[point[near]] = place[near]
    return off


def access_costs(
    graph: RoadGraph, points: Snapped, cost: Floats, *, leaving: bool
) -> tuple[Floats, Floats]:
    """Give the cost between each point and the two ends of its edge.

    Parameters
    ----------
    graph
        The road graph.
    points
        Places on it.
    cost
        Cost of each edge, infinite when closed, shape (m,).
    leaving
        True: from the point to the ends; False: from the ends to the point.

    Returns
    -------
    tail : numpy.ndarray
        Cost at the end where the edge begins, infinite when one-way forbids it, shape (k,).
    head : numpy.ndarray
        The same at the other end, shape (k,).
    """
    on = points.on
    edge = np.where(on, points.edge, 0)
    along = np.where(on, points.along, 0.0)
    whole = cost[edge] if len(cost) else np.full(len(points), np.inf)
    to_head, to_tail = graph.edge_forward[edge], graph.edge_backward[edge]
    if not leaving:
        to_head, to_tail = to_tail, to_head
    with np.errstate(invalid="ignore"):
        tail = np.where(along == 0, 0.0, np.where(to_tail, along * whole, np.inf))
        head = np.where(along == 1, 0.0, np.where(to_head, (1 - along) * whole, np.inf))
    return np.where(on, tail, np.inf), np.where(on, head, np.inf)

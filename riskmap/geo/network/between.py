"""Ways between two lists of points, from coordinates to rows."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd

from riskmap.errors import LayerError
from riskmap.geo.network.detached import Places, put_on_main
from riskmap.geo.network.graph import Bools, Floats, RoadGraph, Weight
from riskmap.geo.network.matching import Row, matched_rows
from riskmap.geo.network.snap import Snapped, snap_points
from riskmap.geo.network.split import project
from riskmap.i18n import text

_OPEN_SLACK_M: Final = 1.0
"""An open road this much farther than a closed one is still the point's road [m]."""


def find_ways(
    graph: RoadGraph,
    xy: tuple[Floats, Floats],
    closed: Bools,
    costs: tuple[Floats, Floats],
    *,
    main: Bools,
    match: str,
    weight: Weight,
    snap_limit: float,
    limit: float,
) -> tuple[list[Row], list[Places], tuple[set[int], set[int]]]:
    """Put the points on roads and find the ways; off detached pieces where there is none.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Origins and destinations in its CRS [m].
    closed
        Edges that are closed, shape (m,).
    costs
        Cost of each edge that is minimised, infinite where closed, and the other one.
    main
        Edges of the main network, shape (m,).
    match, weight
        As in `matched_rows`.
    snap_limit
        Longest way from a point to the road, inclusive [m].
    limit
        As in `matched_rows`.

    Returns
    -------
    rows, places, moved
        As in `put_on_main`.
    """

    def places(among: Bools | None = None) -> Places:
        first, second = (put_on_roads(graph, one, snap_limit, ~closed, among) for one in xy)
        return first, second

    def ways(at: Places, how: Literal["asked", "free"]) -> list[Row]:
        dry = (graph.cost(weight), costs[1])
        reach, edge = (np.inf, dry) if how == "free" else (limit, costs)
        return matched_rows(graph, *at, edge, match=match, weight=weight, limit=reach)

    put = places()
    return put_on_main(
        ways(put, "asked"), put, main, match=match, again=lambda: places(main), ways=ways
    )


def points_xy(graph: RoadGraph, table: pd.DataFrame) -> Floats:
    """Bring points into the graph's CRS.

    Parameters
    ----------
    graph
        The road graph.
    table
        Points with ``id``, ``lon``, ``lat`` (EPSG:4326).

    Returns
    -------
    numpy.ndarray
        Places, shape (n, 2) [m].

    Raises
    ------
    LayerError
        If a point has no usable longitude and latitude.
    """
    lon = pd.to_numeric(table["lon"], errors="coerce").to_numpy(dtype=np.float64)
    lat = pd.to_numeric(table["lat"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if wrong.any():
        raise LayerError(
            text(
                "points without usable longitude and latitude: {ids}",
                ids=", ".join(table["id"].astype(str)[wrong].tolist()[:20]),
            )
        )
    return project(np.column_stack([lon, lat]), "EPSG:4326", graph.crs)


def put_on_roads(
    graph: RoadGraph, xy: Floats, limit_m: float, usable: Bools, among: Bools | None
) -> Snapped:
    """Put points on the nearest road; of roads about equally near an open one.

    Parameters
    ----------
    graph
        The road graph.
    xy
        Points, shape (n, 2) [m].
    limit_m
        Longest way from a point to the road, inclusive [m].
    usable
        Edges that are open, shape (m,).
    among
        Edges that are looked at, shape (m,); None: all.

    Returns
    -------
    Snapped
        The places.
    """
    nearest = snap_points(graph, xy, limit_m=limit_m, usable=among)
    open_ones = usable if among is None else usable & among
    if usable.all() or not open_ones.any():
        return nearest
    open_ = snap_points(graph, xy, limit_m=limit_m, usable=open_ones)
    better = open_.on & (open_.walk_m <= nearest.walk_m + _OPEN_SLACK_M)
    return Snapped(
        np.where(better, open_.edge, nearest.edge),
        np.where(better, open_.along, nearest.along),
        np.where(better, open_.walk_m, nearest.walk_m),
        np.where(better[:, None], open_.xy, nearest.xy),
    )

"""Service areas: reached roads and the land beside them, as nested bands without a hull."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.network.arcs import Way
from riskmap.geo.network.graph import Floats, RoadGraph
from riskmap.geo.network.snap import Snapped
from riskmap.geo.network.stretches import (
    LEAST_M,
    Stretches,
    beyond,
    reached_stretches,
    stretch_lines,
    within,
)

if TYPE_CHECKING:
    import geopandas as gpd


def service_areas(
    graph: RoadGraph,
    facilities: Snapped,
    *,
    limits: Sequence[float],
    half_width_m: float,
    way: Way = "from_facility",
    start: Floats | None = None,
    edge_cost: Floats | None = None,
    cells: gpd.GeoDataFrame | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give the reached roads and the land within reach, as nested bands.

    The land of a band is the land within ``half_width_m`` of its reached roads, and the cells
    that are reached. There is no hull: land without a reached road stays out, and parts that do
    not touch a station stay and are marked as exclaves (飞地).

    Parameters
    ----------
    graph
        The road graph.
    facilities
        Places of the facilities.
    limits
        Limits of the bands.
    half_width_m
        How far from a reached road the land counts as reached [m].
    way, start, edge_cost
        As in `nearest_seconds`.
    cells
        Reached cells with the columns ``cost`` and ``geometry`` (squares), or None.

    Returns
    -------
    roads : geopandas.GeoDataFrame
        ``edge``, ``facility``, ``band``, ``limit``, ``cost_low``, ``cost_high``, geometry; each
        stretch stands once, in its best band.
    areas : geopandas.GeoDataFrame
        ``band``, ``limit``, ``part``, ``exclave``, ``area_km2``, geometry; a band holds all
        better bands.
    """
    import geopandas as gpd

    ordered = sorted(limits)
    all_ = reached_stretches(
        graph, facilities, limit=ordered[-1], way=way, start=start, edge_cost=edge_cost
    )
    road_parts, area_parts = [], []
    places = shapely.points(facilities.xy[facilities.on])
    done, land = -np.inf, shapely.Polygon()
    for band, limit in enumerate(ordered, start=1):
        fresh = beyond(within(all_, limit), done)
        fresh, lines = _drawn(graph, fresh)
        new = [land, *shapely.buffer(lines, half_width_m, quad_segs=2)]
        if cells is not None:
            cost = cells["cost"].to_numpy()
            new += list(cells.geometry[(cost <= limit) & (cost > done)])
        land = shapely.union_all(np.array(new, dtype=object))
        road_parts.append(_road_table(graph, fresh, lines, band, limit))
        area_parts.append(_area_table(land, places, band, limit, graph.crs))
        done = limit
    roads = gpd.GeoDataFrame(pd.concat(road_parts, ignore_index=True), crs=graph.crs)
    return roads, gpd.GeoDataFrame(pd.concat(area_parts, ignore_index=True), crs=graph.crs)


def _drawn(graph: RoadGraph, stretches: Stretches) -> tuple[Stretches, NDArray[np.object_]]:
    """Draw stretches, without those shorter than a line can be."""
    lines = stretch_lines(graph, stretches)
    long = shapely.length(lines) >= LEAST_M
    return stretches.take(long), lines[long]


def _road_table(
    graph: RoadGraph,
    stretches: Stretches,
    lines: NDArray[np.object_],
    band: int,
    limit: float,
) -> gpd.GeoDataFrame:
    """Lay stretches out as a table."""
    import geopandas as gpd

    columns = {
        "edge": stretches.edge,
        "facility": stretches.facility,
        "band": np.full(len(stretches.edge), band),
        "limit": np.full(len(stretches.edge), float(limit)),
        "cost_low": stretches.cost_low,
        "cost_high": stretches.cost_high,
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=graph.crs)


def _area_table(
    land: Any, places: NDArray[np.object_], band: int, limit: float, crs: str
) -> gpd.GeoDataFrame:
    """List the parts of a band's land, largest first."""
    import geopandas as gpd

    parts = shapely.get_parts(land)
    parts = parts[shapely.area(parts) > 0]
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    held = np.zeros(len(parts), dtype=bool)
    if len(parts) and len(places):
        held[np.unique(shapely.STRtree(parts).query(places, predicate="intersects")[1])] = True
    columns = {
        "band": np.full(len(parts), band),
        "limit": np.full(len(parts), float(limit)),
        "part": np.arange(1, len(parts) + 1),
        "exclave": ~held,
        "area_km2": shapely.area(parts) / 1e6,
    }
    return gpd.GeoDataFrame(columns, geometry=parts, crs=crs)

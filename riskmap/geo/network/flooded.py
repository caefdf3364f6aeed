"""Roads under water: depth of every edge and what it does to a vehicle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap.errors import UsageError
from riskmap.geo.network.graph import Floats, RoadGraph
from riskmap.geo.network.rules import Values, check_depth, shipped, water_speed
from riskmap.i18n import text

LIMITS: Final = "flood.vehicle_limit_m"
CURVE: Final = "flood.pregnolato"
FACTORS: Final = "network.vehicle_factor"
BOAT: Final = "network.boat_kmh"
MOST_DEPTH: Final = "network.most_depth_m"


def edge_depths(graph: RoadGraph, depth_m: NDArray[Any], transform: tuple[float, ...]) -> Floats:
    """Take the deepest water along each edge from a raster in the graph's CRS.

    Parameters
    ----------
    graph
        The road graph.
    depth_m
        Depth of water, NaN = unknown, shape (ny, nx) [m].
    transform
        Affine coefficients a, b, c, d, e, f of the raster, north up.

    Returns
    -------
    numpy.ndarray
        Depth of each edge, NaN where no cell is known, shape (m,) [m].
    """
    a, _, c, _, e, f = transform[:6]
    dense = shapely.segmentize(graph.edge_geometry, min(abs(a), abs(e)) / 2.0)
    xy, edge = shapely.get_coordinates(dense, return_index=True)
    column = np.floor((xy[:, 0] - c) / a).astype(np.int64)
    row = np.floor((xy[:, 1] - f) / e).astype(np.int64)
    inside = (row >= 0) & (column >= 0) & (row < depth_m.shape[0]) & (column < depth_m.shape[1])
    value = np.full(len(xy), -np.inf)
    value[inside] = np.nan_to_num(
        depth_m[row[inside], column[inside]].astype(np.float64), nan=-np.inf
    )
    deepest = np.full(graph.edge_count, -np.inf)
    np.maximum.at(deepest, edge, value)
    return np.where(np.isfinite(deepest), deepest, np.nan)


def vehicle_seconds(
    graph: RoadGraph,
    *,
    vehicle: str = "fire_engine",
    depth_m: Floats | None = None,
    presets: Values | None = None,
) -> Floats:
    """Give the time along each edge for a vehicle, dry or under water.

    The speed is the free-flow speed times the vehicle's factor, and under water at most
    `water_speed`. A boat goes at its own speed where a lorry cannot pass.

    Parameters
    ----------
    graph
        The road graph.
    vehicle
        ``foot``, ``car``, ``truck``, ``high_clearance``, ``fire_engine`` or ``boat``.
    depth_m
        Depth of water on each edge, NaN = dry, shape (m,) [m]; None: free flow.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        Times, infinite where the edge is closed, shape (m,) [s].

    Raises
    ------
    UsageError
        If the vehicle is unknown, or the depths cannot be metres.
    """
    known = shipped(presets)
    limits: Mapping[str, float] = known[LIMITS]
    if vehicle not in limits:
        raise UsageError(
            text(
                "unknown vehicle {vehicle}; known are {known}",
                vehicle=repr(vehicle),
                known=", ".join(limits),
            )
        )
    speed = graph.edge_speed_kmh * float(known[FACTORS].get(vehicle, 1.0))
    if depth_m is not None:
        depth = check_depth(depth_m, most_m=float(known[MOST_DEPTH]))
        wet = water_speed(depth, curve=known[CURVE], limit_m=float(limits[vehicle]))
        if vehicle == "boat":
            afloat = depth >= float(limits["truck"])
            wet = np.where(afloat, float(known[BOAT]), wet)
        elif vehicle == "foot":
            wet = np.where(depth >= float(limits["foot"]), 0.0, speed)
        speed = np.where(depth > 0, np.minimum(speed, wet), speed)
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(speed > 0, graph.edge_length_m * 3.6 / speed, np.inf))

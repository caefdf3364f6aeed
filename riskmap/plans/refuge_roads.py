"""Ways to the refuges: on foot where that is near enough, else by vehicle; closed roads avoided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.geo.network import (
    RoadGraph,
    Snapped,
    cost_table,
    snap_points,
    vehicle_seconds,
)
from riskmap.plans.water import closed_edges, road_depths

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.layers.types import Raster
    from riskmap.presets.load import Presets

MODES = (("foot", "foot", "foot"), ("ride", "emergency", "truck"))
"""Mode, road graph and vehicle, in order of preference."""


@dataclass(frozen=True, kw_only=True)
class Net:
    """One road graph as it is in one scenario."""

    mode: str
    graph: RoadGraph
    edge_cost: NDArray[np.float64]
    """Seconds along each edge, infinite where closed."""
    limit_s: float
    snap_m: float
    foot_ms: float
    """Speed of a walk to and from the road [m/s]."""
    kept: dict[bytes, Snapped] = field(default_factory=dict, compare=False, repr=False)
    """Points already put on the road."""

    def snap(self, xy: NDArray[np.float64]) -> Snapped:
        """Put points on the nearest passable road.

        Parameters
        ----------
        xy
            Points, shape (n, 2) [m].

        Returns
        -------
        Snapped
            Places on the network.
        """
        key = np.ascontiguousarray(xy).tobytes()
        if key not in self.kept:
            self.kept[key] = snap_points(
                self.graph, xy, limit_m=self.snap_m, usable=np.isfinite(self.edge_cost)
            )
        return self.kept[key]


def nets(
    graphs: Mapping[str, RoadGraph],
    grid: Grid,
    *,
    presets: Presets,
    limits_s: Mapping[str, float],
    depth_m: Any = None,
    depths: tuple[Raster, ...] = (),
    closures: gpd.GeoDataFrame | None = None,
) -> tuple[Net, ...]:
    """Give the roads of a scenario for every mode that may be used.

    Parameters
    ----------
    graphs
        Road graph by profile.
    grid
        The grid that the depths stand on.
    presets
        Speeds, wading limits and snapping limit.
    limits_s
        Longest way by mode [s]; 0 leaves a mode out.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m]; counts before ``depth_m``.
    closures
        Closed roads, or None.

    Returns
    -------
    tuple of Net
        On foot first.
    """
    found = []
    for mode, profile, vehicle in MODES:
        graph = graphs.get(profile)
        if graph is None or limits_s.get(mode, 0) <= 0:
            continue
        depth = road_depths(graph, grid, depth_m, depths)
        cost = vehicle_seconds(graph, vehicle=vehicle, depth_m=depth, presets=presets)
        if closures is not None and len(closures):
            cost = np.where(closed_edges(graph, closures), np.inf, cost)
        found.append(
            Net(
                mode=mode,
                graph=graph,
                edge_cost=cost,
                limit_s=limits_s[mode],
                snap_m=max(float(presets["station.snap_limit_m"]), 2 * grid.size_m),
                foot_ms=float(presets["road.foot_kmh"]) / 3.6,
            )
        )
    return tuple(found)


def group_ways(
    roads: tuple[Net, ...],
    origins: NDArray[np.float64],
    refuges: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> pd.DataFrame:
    """List who reaches which refuge; those who need a vehicle ride, where anybody rides.

    Parameters
    ----------
    roads
        Roads by mode.
    origins, refuges
        Places, shapes (n, 2) and (m, 2) [m].
    assisted
        Who needs a vehicle, shape (n,).

    Returns
    -------
    DataFrame
        As of `ways`.
    """
    riding = tuple(net for net in roads if net.mode == "ride") or roads
    parts = []
    for rows, nets_ in ((np.flatnonzero(~assisted), roads), (np.flatnonzero(assisted), riding)):
        found = ways(nets_, origins[rows], refuges)
        found["demand"] = rows[found["demand"].to_numpy(np.int64)]
        # Riding ranks after walking, whoever rides.
        found["rank"] = (found["mode"] == "ride").astype(np.int64)
        parts.append(found)
    joined = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = ["demand", "rank", "seconds", "refuge"]
    return joined.sort_values(order, kind="stable").reset_index(drop=True)


def ways(
    roads: tuple[Net, ...], origins: NDArray[np.float64], refuges: NDArray[np.float64]
) -> pd.DataFrame:
    """List who reaches which refuge, how, and in what time; the best mode of each pair.

    A pair that can be walked within the limit is walked; otherwise it is ridden.

    Parameters
    ----------
    roads
        Roads by mode.
    origins, refuges
        Places, shapes (n, 2) and (m, 2) [m].

    Returns
    -------
    DataFrame
        demand, refuge (positions), mode, seconds, metres; sorted by demand, mode, seconds.
    """
    parts = []
    for rank, net in enumerate(roads):
        start, end = net.snap(origins), net.snap(refuges)
        on, there = np.flatnonzero(start.on), np.flatnonzero(end.on)
        # One search for each place of the shorter list.
        back = there.size <= on.size
        few, many = (end.take(there), start.take(on)) if back else (start.take(on), end.take(there))
        table = cost_table(
            net.graph,
            few,
            many,
            way="to_facility" if back else "from_facility",
            edge_cost=net.edge_cost,
            limit=net.limit_s,
        )
        rows = on[table.point if back else table.facility]
        cols = there[table.facility if back else table.point]
        walk = start.walk_m[rows] + end.walk_m[cols]
        parts.append(
            pd.DataFrame(
                {
                    "demand": rows,
                    "refuge": cols,
                    "rank": rank,
                    "mode": net.mode,
                    "seconds": table.cost + walk / net.foot_ms,
                    "metres": table.other + walk,
                }
            ).query("seconds <= @net.limit_s")
        )
    columns = ["demand", "refuge", "rank", "mode", "seconds", "metres"]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    found: pd.DataFrame = pd.concat(parts, ignore_index=True).sort_values(
        ["demand", "rank", "seconds", "refuge"], kind="stable"
    )
    return found.drop_duplicates(["demand", "refuge"]).reset_index(drop=True)

"""Roads: the graph, travel times, routes and service areas."""

from riskmap.geo.network.build import build_graph
from riskmap.geo.network.flooded import (
    WetRoads,
    edge_depths,
    sample,
    vehicle_seconds,
    wet_roads,
)
from riskmap.geo.network.graph import RoadGraph, Snapped
from riskmap.geo.network.route import route
from riskmap.geo.network.snap import SNAP_LIMIT_M, snap_points
from riskmap.geo.network.tables import CostTable, Path, cost_table, k_nearest, shortest_paths
from riskmap.geo.network.travel import Nearest, nearest_seconds, service_areas

__all__ = [
    "SNAP_LIMIT_M",
    "CostTable",
    "Nearest",
    "Path",
    "RoadGraph",
    "Snapped",
    "WetRoads",
    "build_graph",
    "cost_table",
    "edge_depths",
    "k_nearest",
    "nearest_seconds",
    "route",
    "sample",
    "service_areas",
    "shortest_paths",
    "snap_points",
    "vehicle_seconds",
    "wet_roads",
]

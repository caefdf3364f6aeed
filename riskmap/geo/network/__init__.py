"""Roads: the graph, travel times, routes and service areas."""

from riskmap.geo.network.build import build_graph
from riskmap.geo.network.graph import RoadGraph
from riskmap.geo.network.snap import SNAP_LIMIT_M, Snapped, snap_points
from riskmap.geo.network.travel import Nearest, nearest_seconds

__all__ = [
    "SNAP_LIMIT_M",
    "Nearest",
    "RoadGraph",
    "Snapped",
    "build_graph",
    "nearest_seconds",
    "snap_points",
]

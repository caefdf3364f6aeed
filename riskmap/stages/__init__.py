"""The stages of the data flow: each takes plain values and gives plain values."""

from riskmap.stages.compute import compute_indicators, lay_grid
from riskmap.stages.ground import Ground, empty_parts, read_ground, read_layers
from riskmap.stages.keep import input_files, keep_ids, read_ids
from riskmap.stages.list_and_table import register
from riskmap.stages.plans import make_plans
from riskmap.stages.roads import Roads, build_roads
from riskmap.stages.scenarios import read_scenarios
from riskmap.stages.score import compute_index

__all__ = [
    "Ground",
    "Roads",
    "build_roads",
    "compute_index",
    "compute_indicators",
    "empty_parts",
    "input_files",
    "keep_ids",
    "lay_grid",
    "make_plans",
    "read_ground",
    "read_ids",
    "read_layers",
    "read_scenarios",
    "register",
]

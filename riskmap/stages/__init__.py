"""The stages of the data flow: each takes plain values and gives plain values."""

from riskmap.stages.compute import compute_indicators, gather_inputs, lay_grid, read_table
from riskmap.stages.ground import Ground, empty_parts, read_ground, read_layers
from riskmap.stages.keep import input_files, keep_ids, road_cache
from riskmap.stages.list_and_table import register
from riskmap.stages.plans import make_plans
from riskmap.stages.roads import Roads, build_roads, road_direction
from riskmap.stages.scenario_index import Baseline, score_scenarios
from riskmap.stages.scenarios import has_effect, lacking_notes, read_scenarios
from riskmap.stages.score import compute_index

__all__ = [
    "Baseline",
    "Ground",
    "Roads",
    "build_roads",
    "compute_index",
    "compute_indicators",
    "empty_parts",
    "gather_inputs",
    "has_effect",
    "input_files",
    "keep_ids",
    "lacking_notes",
    "lay_grid",
    "make_plans",
    "read_ground",
    "read_layers",
    "read_scenarios",
    "read_table",
    "register",
    "road_cache",
    "road_direction",
    "score_scenarios",
]

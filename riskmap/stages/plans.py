"""The plans of a run: stations and refuges, under every scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmap.errors import InfeasibleError, UsageError
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.project import Project
    from riskmap.result import Scenario
    from riskmap.stages.ground import Ground
    from riskmap.stages.roads import Roads


def make_plans(
    project: Project,
    ground: Ground,
    roads: Roads,
    *,
    grid: Grid,
    people: NDArray[Any] | None,
    scenarios: Mapping[str, Scenario],
) -> tuple[dict[str, Any], tuple[Text, ...]]:
    """Make the plans that the layers allow.

    Parameters
    ----------
    project
        Options of the plans.
    ground
        Layers, units, presets.
    roads
        Road graphs by profile.
    grid
        The grid.
    people
        People by cell, or None.
    scenarios
        Scenario by name.

    Returns
    -------
    tuple
        Plan by name, and what must be said beside them.

    Raises
    ------
    ProjectError
        When an option is unknown or wrong.
    """
    from riskmap.plans.station_stage import plan_stations
    from riskmap.stages.refuge_plan import plan_refuges
    from riskmap.stages.roads import find_graph

    refuges, notes = plan_refuges(project, ground, roads, grid, people, scenarios)
    plans: dict[str, Any] = dict(refuges)
    graph = roads.graphs.get("emergency")
    if graph is None and "stations" in project.model_fields_set and project.stations.sites:
        graph = find_graph(project, ground, roads, "emergency")
    if graph is None:
        lacking = text("No station plan: it needs a road layer and rescue stations.")
        return plans, (*notes, lacking)
    try:
        found = plan_stations(
            ground.layers,
            graph,
            grid,
            presets=ground.presets,
            population=people,
            units=ground.units,
            scenarios=scenarios,
            options=project.stations,
            roles=ground.roles,
        )
    except (UsageError, InfeasibleError) as error:
        return plans, (*notes, text("No station plan: {why}", why=error.message))
    plans["stations"] = found
    return plans, (*notes, *found.notes)

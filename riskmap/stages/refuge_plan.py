"""Refuge plans of a run: one without flood, one for every scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmap.errors import ProjectError
from riskmap.i18n import Text, text
from riskmap.stages.roads import used_rows

if TYPE_CHECKING:
    from riskmap.geo.grid import Grid
    from riskmap.plans.refuges import RefugePlan
    from riskmap.project import Project
    from riskmap.result import Scenario
    from riskmap.stages.ground import Ground
    from riskmap.stages.roads import Roads


def plan_refuges(
    project: Project,
    ground: Ground,
    roads: Roads,
    grid: Grid,
    people: Any,
    scenarios: Mapping[str, Scenario],
) -> tuple[dict[str, RefugePlan], tuple[Text, ...]]:
    """Make the refuge plans of a run.

    Parameters
    ----------
    project
        The project; its section ``refuges`` has the options.
    ground
        Layers, units and presets.
    roads
        Road graphs.
    grid
        The grid.
    people
        People per cell, or None.
    scenarios
        Scenario by name.

    Returns
    -------
    tuple
        Plan by key, ``refuges`` without flood and ``refuges@NAME``; and what must be said.

    Raises
    ------
    ProjectError
        When an option is unknown or wrong.
    """
    from riskmap.plans.refuge_options import read_options, ride_seconds, walk_seconds
    from riskmap.plans.refuges import World, refuge_plan

    options = read_options(project.refuges)
    refuges = used_rows(ground.layers, "refuge")
    if refuges is None:
        return {}, ()
    if options.candidates is not None and options.candidates not in ground.roles:
        raise ProjectError(text("refuges.candidates: no role {name}", name=options.candidates))
    world = World(
        grid=grid,
        graphs=roads.graphs,
        units=ground.units,
        refuges=refuges,
        population=people,
        standing=used_rows(ground.layers, "danger_area"),
        sources=_stored(ground),
        candidates=used_rows(ground.layers, options.candidates) if options.candidates else None,
        presets=ground.presets,
        data_date=project.data_date,
        seed=project.seed,
    )
    limits = {
        "foot": walk_seconds(options, ground.presets),
        "ride": ride_seconds(options, ground.presets),
    }
    plans = {"refuges": refuge_plan(world, options=options, limits_s=limits)}
    for name, scenario in scenarios.items():
        plans[f"refuges@{name}"] = refuge_plan(
            world,
            options=options,
            limits_s=limits,
            name=name,
            depth_m=scenario.depth_m,
            closures=scenario.closures,
            danger_area=scenario.danger_area,
        )
    said = tuple(note for plan in plans.values() for note in plan.notes)
    return plans, said


def _stored(ground: Ground) -> Any:
    """Give the hazard sources that hold something; those declared without storage are none."""
    sources = used_rows(ground.layers, "hazard_source")
    if sources is None or "has_storage" not in sources:
        return sources
    return sources[sources["has_storage"].astype("boolean").fillna(True)]

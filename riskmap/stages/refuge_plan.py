"""Refuge plans of a run: one without flood, one for every scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmap.errors import LayerError
from riskmap.i18n import Text, text
from riskmap.layers.rows import placed_rows, rows_in_use
from riskmap.section_values import is_number
from riskmap.stages.roads import find_graph

if TYPE_CHECKING:
    from riskmap.geo.grid import Grid
    from riskmap.layers.types import Raster
    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.plans.refuges import RefugePlan, State, World
    from riskmap.plans.supplies import SupplyPlan
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
) -> tuple[dict[str, RefugePlan | SupplyPlan], tuple[Text, ...]]:
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
        Plan by key, ``refuges`` without flood, ``refuges@NAME`` and ``supplies``; and what must be
        said.

    Raises
    ------
    ProjectError
        When an option is unknown or wrong.
    """
    from riskmap.plans.refuge_options import ride_seconds, walk_seconds
    from riskmap.plans.refuges import refuge_plan

    options = project.refuges
    refuges = placed_rows(ground.layers, "refuge")
    if refuges is None:
        return {}, ()
    world = _world(project, ground, roads, grid, people, refuges, options)
    limits = {
        "foot": walk_seconds(options, ground.presets),
        "ride": ride_seconds(options, ground.presets),
    }
    states = _states(scenarios)
    plans = {
        f"refuges@{name}" if name else "refuges": refuge_plan(
            world, options=options, limits_s=limits, state=state
        )
        for name, state in states.items()
    }
    said = [note for plan in plans.values() for note in plan.notes]
    by_name = {plan.scenario: plan for plan in plans.values()}
    supplies = _supplies(world, ground, by_name, states, options)
    if supplies is not None:
        said += supplies.notes
        return {**plans, "supplies": supplies}, tuple(said)
    return dict(plans), tuple(said)


def _world(
    project: Project,
    ground: Ground,
    roads: Roads,
    grid: Grid,
    people: Any,
    refuges: Any,
    options: RefugeOptions,
) -> World:
    """Gather what every plan of the run is made from."""
    from riskmap.plans.refuges import World

    return World(
        grid=grid,
        graphs={
            profile: graph
            for profile in ("foot", "emergency")
            if (graph := find_graph(project, ground, roads, profile)) is not None
        },
        units=ground.units,
        refuges=refuges,
        population=people,
        standing=rows_in_use(ground.layers, "danger_area", ground.roles),
        sources=rows_in_use(ground.layers, "hazard_source", ground.roles),
        candidates=placed_rows(ground.layers, options.candidates) if options.candidates else None,
        presets=ground.presets,
        data_date=project.data_date,
        seed=project.seed,
        dem=ground.layers["dem"].rasters if "dem" in ground.layers else (),
        flood_level=_flood_level(project, ground, options.flood_level),
        sensitive=placed_rows(ground.layers, "sensitive"),
        road_names=_road_names(ground),
    )


def _states(scenarios: Mapping[str, Scenario]) -> dict[str, State]:
    """Give the states of the world: without flood, then every scenario."""
    from riskmap.plans.refuges import State

    return {"": State()} | {
        name: State(
            name=name,
            depth_m=scenario.depth_m,
            depths=scenario.depths,
            closures=scenario.closures,
            danger_area=scenario.danger_area,
        )
        for name, scenario in scenarios.items()
    }


def _supplies(
    world: World,
    ground: Ground,
    plans: Mapping[str, RefugePlan],
    states: Mapping[str, State],
    options: RefugeOptions,
) -> SupplyPlan | None:
    """Set the stock beside the people who move; None without stock and depots."""
    from riskmap.plans.supplies import supply_plan
    from riskmap.plans.supply_needs import Call

    depots, stock = placed_rows(ground.layers, "supply_depot"), ground.layers.get("stock")
    if depots is None or stock is None or stock.table is None or stock.table.empty:
        return None
    calls = []
    for name, plan in plans.items():
        roads = states[name].roads(world, {"ride": float("inf")})
        sent = plan.tables["assignment"]
        at = sent.groupby("refuge_row")["people"].sum().reindex(range(len(world.refuges)))
        calls.append(
            Call(
                scenario=name,
                people=plan.recount["people"],
                at_refuge=at.fillna(0.0).to_numpy(dtype="float64"),
                net=roads[0] if roads else None,
            )
        )
    return supply_plan(
        stock.table,
        depots,
        calls=calls,
        refuges=world.refuges,
        presets=world.presets,
        data_date=world.data_date,
        new_depots=options.new_depots,
    )


def _road_names(ground: Ground) -> tuple[str, ...]:
    """Give the name of each row of the road layer; nothing when no road has one."""
    lines = placed_rows(ground.layers, "road")
    if lines is None or "name" not in lines or not lines["name"].notna().any():
        return ()
    return tuple(lines["name"].astype(object).where(lines["name"].notna(), "").astype(str))


def _flood_level(
    project: Project, ground: Ground, given: str | None
) -> float | tuple[Raster, ...] | None:
    """Read the highest historical level where the project gives a raster of it."""
    if not given or is_number(given):
        return float(given) if given else None
    from riskmap.layers.read import read_layer
    from riskmap.layers.types import LayerSpec

    layer, problems = read_layer(
        ground.roles["dem"],
        (LayerSpec(path=project.file(given), shown=given),),
        crs=ground.crs,
        place=ground.place,
    )
    if not layer.rasters:
        raise LayerError(
            text("refuges.flood_level: {path} cannot be used", path=given), tuple(problems)
        )
    return layer.rasters

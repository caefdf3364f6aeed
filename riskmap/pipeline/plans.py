"""The plans of a run: stations, refuges and supplies, under every scenario."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.errors import InfeasibleError, LayerError, UsageError
from riskmap.geo.grid import row_xy
from riskmap.i18n import Text, text
from riskmap.layers.layer import LayerSpec, numbers, placed_rows, rows_in_use, with_beyond
from riskmap.layers.read.layer import read_layer
from riskmap.pipeline.ground import find_graph
from riskmap.plans.options import ride_seconds, walk_seconds
from riskmap.plans.refuges.plan import State, World, refuge_plan
from riskmap.plans.refuges.tables import folded
from riskmap.plans.refuges.ways import Landmarks, roads_in
from riskmap.plans.stations.plan import plan_stations
from riskmap.plans.supplies import Call, at_hand, supply_plan
from riskmap.result import joined
from riskmap.vocabulary.columns import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Raster
    from riskmap.pipeline.ground import Ground, Roads
    from riskmap.plans.options import RefugeOptions
    from riskmap.project.schema import Project
    from riskmap.result import Plan, Scenario


def make_plans(
    project: Project,
    ground: Ground,
    roads: Roads,
    *,
    grid: Grid,
    people: NDArray[Any] | None,
    scenarios: Mapping[str, Scenario],
    pieces: Pieces | None = None,
    classes: Mapping[str, int] | None = None,
) -> tuple[dict[str, Plan], tuple[Text, ...]]:
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
    pieces
        People by unit and cell, or None.
    classes
        Unit code to risk class, where an index was computed.

    Returns
    -------
    tuple
        Plan by name, and what must be said beside them.

    Raises
    ------
    ProjectError
        When an option is unknown or wrong.
    """
    refuges, notes = plan_refuges(project, ground, roads, grid, people, scenarios, pieces)
    plans = dict(refuges)
    given = ground.layers.get("rescue_station")  # a file without a row says that there are none
    known = with_beyond(ground.layers, "rescue_station", None) is not None or (
        given is not None and given.rows_in == 0
    )
    graph = roads.graphs.get("emergency")
    if graph is None and (project.stations.sites or known):
        graph = find_graph(project, ground, roads, "emergency", grid=grid)
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
            pieces=pieces,
            units=ground.units,
            scenarios=scenarios,
            options=project.stations,
            roles=ground.roles,
            classes=classes,
            year=_year(project.data_date),
        )
    except (UsageError, InfeasibleError) as error:
        return plans, (*notes, text("No station plan: {why}", why=error.message))
    if not known:
        found = _from_nothing(found)
    if said := _straight(ground):
        found = replace(
            found,
            layers={key: layer for key, layer in found.layers.items() if "roads" not in key},
            notes=(*said, *found.notes),
            headlines=(*said, *found.headlines),
        )
    plans["stations"] = found
    return plans, (*notes, *found.notes)


def _year(date: str) -> int | None:
    """Give the year of the data, None where no date was given."""
    return int(date[:4]) if date[:4].isdecimal() else None


def _from_nothing(plan: Plan) -> Plan:
    """Keep what the proposed sites would do: what unlisted stations reach today nobody knows."""
    tables = {}
    for name in ("summary", "towns"):
        table = plan.tables.get(name)
        if table is not None:
            names = map(str, table.columns)
            today = [c for c in names if _TODAY.match(c) and not c.endswith("_after")]
            tables[name] = table.assign(**dict.fromkeys(today, np.nan))
    if "sites" in plan.tables:
        sites = plan.tables["sites"]
        tables["sites"] = sites[sites["order"] > 0].reset_index(drop=True)
    said = text(
        "No rescue stations are given: sites are proposed as if there were none, and what is "
        "reached today is not known."
    )
    return replace(
        plan,
        tables={name: table for name, table in tables.items() if len(table)},
        layers={key: layer for key, layer in plan.layers.items() if key == "sites"},
        notes=(said, *plan.notes[1:]),
        headlines=(said, *plan.headlines[1:]),
    )


_TODAY: Final = re.compile("covered|share|twice|lost")
"""Columns of what existing stations reach; those that end in ``_after`` count the sites too."""


def _straight(ground: Ground) -> tuple[Text, ...]:
    """Say that the ways of a plan are no roads."""
    if placed_rows(ground.layers, "road") is not None:
        return ()
    return (
        text(
            "No road layer: ways are straight lines, lengthened by the detour factor {factor}; "
            "whether roads lead there is not checked.",
            factor=f"{float(ground.presets['road.straight_detour']):g}",
        ),
    )


def plan_refuges(
    project: Project,
    ground: Ground,
    roads: Roads,
    grid: Grid,
    people: Any,
    scenarios: Mapping[str, Scenario],
    pieces: Pieces | None = None,
) -> tuple[dict[str, Plan], tuple[Text, ...]]:
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
    pieces
        People by unit and cell, or None.

    Returns
    -------
    tuple
        ``refuges`` and ``supplies``, each under every scenario; and what must be said.

    Raises
    ------
    ProjectError
        When an option is unknown or wrong.
    """
    options = project.refuges
    refuges = with_beyond(ground.layers, "refuge", None)
    if refuges is None:
        return {}, no_refuges(ground, scenarios)
    world = _world(project, ground, roads, grid, (people, pieces), refuges, options)
    limits = {
        "foot": walk_seconds(options, ground.presets),
        "ride": ride_seconds(options, ground.presets),
    }
    states = _states(scenarios)
    each = {
        name: refuge_plan(world, options=options, limits_s=limits, state=state)
        for name, state in states.items()
    }
    if straight := _straight(ground):
        each = {key: replace(plan, notes=(*straight, *plan.notes)) for key, plan in each.items()}
    plans = {"refuges": joined(each, fold=folded)}
    supplies = _supplies(world, ground, each, states, options)
    if supplies is not None:
        plans["supplies"] = supplies
    return plans, tuple(note for plan in plans.values() for note in plan.notes)


def no_refuges(ground: Ground, scenarios: Mapping[str, Scenario]) -> tuple[Text, ...]:
    """Say that nobody has a place to go, where people have to move and no refuge is given.

    Parameters
    ----------
    ground
        Layers and roles.
    scenarios
        Scenario by name.

    Returns
    -------
    tuple of Text
        Empty where nothing makes people move.
    """
    parts = [rows_in_use(ground.layers, "danger_area", ground.roles)]
    parts += [one.danger_area for one in scenarios.values()]
    areas = [part for part in parts if part is not None and len(part)]
    wet = any(one.depth_m is not None for one in scenarios.values())
    if not areas:
        said = text(
            "No refuge plan: no refuges are given; where the people of flooded ground go is not "
            "known."
        )
        return (said,) if wet else ()
    people = sum(float(np.nansum(numbers(part, "people"))) for part in areas)
    return (
        text(
            "No refuge plan: no refuges are given; where the people of {n} danger areas ({people} "
            "by their ledgers) and of flooded ground go is not known.",
            n=sum(map(len, areas)),
            people=f"{people:.0f}",
        ),
    )


def _world(
    project: Project,
    ground: Ground,
    roads: Roads,
    grid: Grid,
    lived: tuple[Any, Pieces | None],
    refuges: Any,
    options: RefugeOptions,
) -> World:
    """Gather what every plan of the run is made from."""
    return World(
        grid=grid,
        graphs={
            profile: graph
            for profile in ("foot", "emergency")
            if (graph := find_graph(project, ground, roads, profile, grid=grid)) is not None
        },
        units=ground.units,
        refuges=refuges,
        population=lived[0],
        pieces=lived[1],
        standing=rows_in_use(ground.layers, "danger_area", ground.roles),
        sources=with_beyond(ground.layers, "hazard_source", ground.roles),
        candidates=placed_rows(ground.layers, options.candidates) if options.candidates else None,
        presets=ground.presets,
        data_date=project.data_date,
        seed=project.seed,
        dem=ground.layers["dem"].rasters if "dem" in ground.layers else (),
        flood_level=_flood_level(project, ground, options.flood_level),
        sensitive=placed_rows(ground.layers, "sensitive"),
        on_roads=placed_rows(ground.layers, "road") is not None,
        waterways=placed_rows(ground.layers, "waterway"),
        road_names=_road_names(ground),
        landmarks=_landmarks(ground),
        places=_places(ground),
    )


LANDMARKS: Final = ("sensitive_place", "health_care", "rescue_station", "refuge")
"""Roles whose named points tell a way."""


def _landmarks(ground: Ground) -> Landmarks | None:
    """Gather named places by which a way can be told."""
    import numpy as np

    xy, names = [], []
    for role in LANDMARKS:
        rows = rows_in_use(ground.layers, role, ground.roles)
        if rows is None or "name" not in rows or not len(rows):
            continue
        said = rows["name"].astype(object).where(rows["name"].notna(), "").astype(str)
        some = (said != "").to_numpy()
        xy.append(row_xy(rows)[some])
        names += said[some].tolist()
    return Landmarks(xy=np.concatenate(xy), names=names) if xy else None


def _places(ground: Ground) -> Any:
    """Gather places with people: schools, homes and the like, hospitals by their beds."""
    import geopandas as gpd
    import pandas as pd

    parts = []
    for role, field, kind in (
        ("sensitive_place", "people", ""),
        ("health_care", "beds", "hospital"),
    ):
        rows = rows_in_use(ground.layers, role, ground.roles)
        if rows is None or field not in rows or not pd.to_numeric(rows[field]).notna().any():
            continue
        kinds = [kind] * len(rows) if kind or "type" not in rows else rows["type"].tolist()
        table = {
            "type": kinds,
            "people": pd.to_numeric(rows[field]).to_numpy("float64", na_value=0),
        }
        shapes = rows.geometry.representative_point().to_numpy()
        parts.append(gpd.GeoDataFrame(table, geometry=shapes, crs=rows.crs))
    return pd.concat(parts, ignore_index=True) if parts else None


def _states(scenarios: Mapping[str, Scenario]) -> dict[str, State]:
    """Give the states of the world: without flood, then every scenario."""
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
    plans: Mapping[str, Plan],
    states: Mapping[str, State],
    options: RefugeOptions,
) -> Plan | None:
    """Set the stock beside the people who move; None without stock and depots."""
    depots, stock = with_beyond(ground.layers, "supply_depot", None), ground.layers.get("stock")
    if depots is None or stock is None or stock.table is None or stock.table.empty:
        return None
    used = with_beyond(ground.layers, "supply_depot", ground.roles)
    used = depots.iloc[:0] if used is None else used
    held, notes = at_hand(stock.table, depots[~depots.index.isin(used.index)], used)
    calls = []
    for name, plan in plans.items():
        roads = roads_in(states[name], world, {"ride": float("inf")}, carrier="truck")
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
    plan = supply_plan(
        held,
        used,
        calls=calls,
        refuges=world.refuges,
        presets=world.presets,
        data_date=world.data_date,
        new_depots=options.new_depots,
    )
    return replace(plan, notes=(*notes, *plan.notes))


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

"""The refuge plan of one state of the world: who goes where, what is short, what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.i18n import Text
from riskmap.plans.refuge_assign import Assigned, assign, mended
from riskmap.plans.refuge_capacity import capacity_table
from riskmap.plans.refuge_demand import People, people_to_move
from riskmap.plans.refuge_eligibility import Dangers, eligibility, place_checks, refuge_checks
from riskmap.plans.refuge_notes import plan_notes, recounted
from riskmap.plans.refuge_roads import Net, nets, ways
from riskmap.plans.refuge_sites import Proposed, propose
from riskmap.plans.refuge_standards import accessibility, reach_cells, scorecard

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.presets.load import Presets


@dataclass(frozen=True, kw_only=True)
class RefugePlan:
    """One refuge plan; frozen, and the only input of its exports."""

    scenario: str
    """Name of the scenario; empty without flood."""
    tables: Mapping[str, pd.DataFrame]
    """summary, eligibility, capacity, assignment, shortfall, mend, sites, scorecard,
    accessibility."""
    objective: float
    """Person-minutes of the assignment, counted anew from its rows."""
    bound: float | None
    """Equal to the objective when the ordered aims are proven; None otherwise."""
    gap: float | None
    status: str
    recount: Mapping[str, float]
    """people, served, shortfall, places, largest overload (0), counted from the tables."""
    map_layers: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, kw_only=True)
class World:
    """What a plan is made from."""

    grid: Grid
    graphs: Mapping[str, RoadGraph]
    units: gpd.GeoDataFrame
    refuges: gpd.GeoDataFrame
    population: Any
    standing: gpd.GeoDataFrame | None
    """Danger areas that always hold."""
    sources: gpd.GeoDataFrame | None
    candidates: gpd.GeoDataFrame | None
    presets: Presets
    data_date: str
    seed: int


def refuge_plan(
    world: World,
    *,
    options: RefugeOptions,
    limits_s: Mapping[str, float],
    name: str = "",
    depth_m: Any = None,
    closures: gpd.GeoDataFrame | None = None,
    danger_area: gpd.GeoDataFrame | None = None,
) -> RefugePlan:
    """Plan the refuges for one state of the world.

    Parameters
    ----------
    world
        Layers, grid, roads and presets.
    options
        The plan's options.
    limits_s
        Longest way by mode [s].
    name
        Name of the scenario.
    depth_m
        Depth on the cells, or None.
    closures, danger_area
        The scenario's closed roads and danger areas.

    Returns
    -------
    RefugePlan
        Tables, map layers and proof.
    """
    from riskmap.plans.refuge_maps import plan_layers
    from riskmap.plans.refuge_tables import assignment_table, mend_table, shortfall_table, summary

    grid, presets, refuges = world.grid, world.presets, world.refuges
    spots = refuges.geometry.representative_point()
    xy = np.column_stack([spots.x, spots.y])
    roads = nets(
        world.graphs, grid, presets=presets, limits_s=limits_s, depth_m=depth_m, closures=closures
    )
    areas = [part for part in (world.standing, danger_area) if part is not None and len(part)]
    joined = pd.concat(areas) if areas else None
    dangers = Dangers(grid=grid, depth_m=depth_m, areas=joined, sources=world.sources)
    held, fit, usable = _checked(world, xy, roads, dangers, options)
    places = np.where(usable, held["places"], 0).astype(np.float64)
    people = people_to_move(
        grid, world.units, population=world.population, standing=world.standing,
        scenario=danger_area, depth_m=depth_m, presets=presets,
    )  # fmt: skip
    possible = ways(roads, people.xy, xy)
    moved = people.table["people"].to_numpy(np.float64)
    done = assign(possible, moved, places, held["tier"].tolist(), options)
    more, after = mended(done, options)
    room = (places, held["tier"].tolist())
    early = _early(world, people, xy, possible, done, room, options, limits_s)
    sites = _sites(world, people, done, dangers, roads, options)
    tables = {
        "eligibility": fit,
        "capacity": held.reset_index(names="item_id").assign(usable=usable),
        "assignment": assignment_table(done, possible, people, held, world.units, places),
        "shortfall": shortfall_table(done, possible, people, world.units, places),
        "mend": mend_table(done, more, after, people, held, sites, early),
        **_standards(world, xy, roads, held, usable, places),
    }
    if sites is not None:
        tables["sites"] = _where(sites, world.units, world.grid)
    recount = recounted(done, moved, places)
    tables = {"summary": summary(name, recount, done, usable, tables), **tables}
    crs = str(refuges.crs)
    drawn = plan_layers(name, tables, done, people, roads, refuges, xy, sites, crs)
    return RefugePlan(
        scenario=name,
        tables=tables,
        objective=done.person_seconds / 60,
        bound=done.person_seconds / 60 if done.solution.status == "optimal" else None,
        gap=done.solution.gap,
        status=done.solution.status,
        recount=recount,
        map_layers=drawn,
        notes=plan_notes(name, recount, done, fit, held, roads, options),
    )


def _checked(
    world: World,
    xy: NDArray[np.float64],
    roads: tuple[Net, ...],
    dangers: Dangers,
    options: RefugeOptions,
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.bool_]]:
    """Compute capacities, run every check, and tell which refuges may be used."""
    held = capacity_table(
        world.refuges, presets=world.presets, options=options, data_date=world.data_date
    )
    on_road = np.zeros(len(xy), bool)
    for net in roads:
        on_road |= net.snap(xy).on
    checks = [
        *place_checks(xy, dangers, presets=world.presets),
        *refuge_checks(world.refuges, held, on_road=on_road),
    ]
    return (held, *eligibility(world.refuges, checks, options))


def _standards(
    world: World,
    xy: NDArray[np.float64],
    roads: tuple[Net, ...],
    held: pd.DataFrame,
    usable: NDArray[np.bool_],
    places: NDArray[np.float64],
) -> dict[str, pd.DataFrame]:
    """Make the scorecard of the towns and the accessibility of the villages."""
    from riskmap.geo.points import unit_of_points

    units, presets = world.units, world.presets
    reached = reach_cells(
        world.grid, units, world.population, roads[0] if roads else None, xy, usable
    )
    spots = world.refuges.geometry.representative_point()
    home = unit_of_points(spots, units[units["finest"]])
    card = scorecard(
        reached, world.refuges, held, usable, places,
        units=units, refuge_unit=home, presets=presets,
    )  # fmt: skip
    return {"scorecard": card, "accessibility": accessibility(reached, places, units, presets)}


def _early(
    world: World,
    people: People,
    xy: NDArray[np.float64],
    possible: pd.DataFrame,
    done: Assigned,
    held: tuple[NDArray[np.float64], list[str]],
    options: RefugeOptions,
    limits_s: Mapping[str, float],
) -> Assigned | None:
    """Solve again with dry roads for the groups that the water cuts off; None when none is."""
    places, tiers = held
    reach = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    count = np.bincount(reach["demand"].to_numpy(np.int64), minlength=len(people.xy))
    cut = np.flatnonzero((count == 0) & (done.shortfall > 0))
    if not cut.size:
        return None
    dry = nets(world.graphs, world.grid, presets=world.presets, limits_s=limits_s)
    found = ways(dry, people.xy[cut], xy)
    if not len(found):
        return None
    found["demand"] = cut[found["demand"].to_numpy(np.int64)]
    together = pd.concat([reach, found], ignore_index=True)
    return assign(together, people.table["people"].to_numpy(np.float64), places, tiers, options)


def _sites(
    world: World,
    people: People,
    done: Assigned,
    dangers: Dangers,
    roads: tuple[Net, ...],
    options: RefugeOptions,
) -> Proposed | None:
    """Propose sites among the given candidates, or among the cells with people."""
    from riskmap.geo.grid import cell_centres, cell_names

    if not roads or roads[0].mode != "foot":
        return None
    if world.candidates is not None:
        spots = world.candidates.geometry.representative_point()
        xy = np.column_stack([spots.x, spots.y])
        names = [str(key) for key in world.candidates.index]
    else:
        flat = np.zeros(0) if world.population is None else np.nan_to_num(world.population).ravel()
        cells = np.flatnonzero(flat > 0)
        xy = np.column_stack(cell_centres(world.grid, cells))
        names = [str(key) for key in cell_names(world.grid, cells)]
    return propose(
        people.xy,
        done.shortfall,
        candidates=xy,
        names=names,
        dangers=dangers,
        net=roads[0],
        presets=world.presets,
        options=options,
        seed=world.seed,
    )


def _where(sites: Proposed, units: gpd.GeoDataFrame, grid: Grid) -> pd.DataFrame:
    """Add the village of every proposed site, and its place in EPSG:4326."""
    import geopandas as gpd
    import shapely

    from riskmap.columns import WGS84
    from riskmap.geo.points import unit_of_points

    points = shapely.points(sites.xy)
    home = unit_of_points(points, units[units["finest"]])
    lonlat = gpd.GeoSeries(points, crs=grid.crs).to_crs(WGS84)
    table = sites.table.drop(columns=["x", "y"])
    table.insert(2, "village", [str(units["name"].get(code, "")) for code in home])
    table.insert(3, "town", [str(units["town"].get(code, "")) for code in home])
    table["lon"], table["lat"] = lonlat.x.round(6), lonlat.y.round(6)
    return table

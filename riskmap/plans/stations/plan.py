"""The station plan: who is reached in time, who is not, what water changes, where to build next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import InfeasibleError, ProjectError
from riskmap.geo.grid import Grid
from riskmap.geo.network import RoadGraph, Snapped, vehicle_seconds
from riskmap.i18n import Text, text
from riskmap.layers.layer import placed_rows, rows_in_use
from riskmap.plans.plan import Plan, Proof, in_state
from riskmap.plans.stations import reach as water
from riskmap.plans.stations import tables as station_tables
from riskmap.plans.stations.coverage import (
    Demand,
    all_demands,
    coverage_table,
    on_roads,
    worst_table,
)
from riskmap.plans.stations.maps import AFTER, BEFORE, State, station_layers
from riskmap.plans.stations.options import Standard, StationOptions
from riskmap.plans.stations.reach import (
    Setting,
    make_setting,
    nearest_table,
    reach,
    reach_all,
    with_stations,
)
from riskmap.plans.stations.rules import response_rule
from riskmap.plans.stations.sites import (
    FAR,
    FEW_CANDIDATES,
    MOST_CANDIDATES,
    Ground,
    Siting,
    Zones,
    find_candidates,
    plan_sites,
)
from riskmap.plans.stations.standards import Held, with_standards
from riskmap.plans.stations.tables import headlines, station_notes
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Layer, Raster
    from riskmap.result import Scenario
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


_NONE: Mapping[str, Any] = {}


def station_plan(
    graph: RoadGraph,
    stations: gpd.GeoDataFrame,
    grid: Grid,
    *,
    presets: Presets,
    population: NDArray[Any] | None = None,
    pieces: Pieces | None = None,
    units: gpd.GeoDataFrame | None = None,
    points: Mapping[str, gpd.GeoDataFrame] = _NONE,
    rules: str | Sequence[str] = "linzi_135",
    vehicle: str = "fire_engine",
    model: str = "mclp",
    k: int = 3,
    candidate_kind: str = "cells",
    candidates: gpd.GeoDataFrame | None = None,
    candidate_limit: int | None = None,
    forbidden: gpd.GeoDataFrame | None = None,
    hazards: gpd.GeoDataFrame | None = None,
    depths: Mapping[str, NDArray[Any]] = _NONE,
    rasters: Mapping[str, tuple[Raster, ...]] = _NONE,
    closures: Mapping[str, gpd.GeoDataFrame] = _NONE,
    dem: tuple[Raster, ...] = (),
    standards: Sequence[Standard] = (),
) -> Plan:
    """Report the coverage of the stations and propose the next sites.

    A place is covered when call handling and turn-out plus travel from a station take no longer
    than the rule's target. Travel is free flow (自由流); the walk between a place and its road
    is limited, not timed.

    Parameters
    ----------
    graph
        The road graph of the vehicles.
    stations
        Stations indexed by ``item_id``; ``response_s``, ``vehicle``, ``type``, ``name`` are used.
    grid
        The grid; its cells inside the place are the demand.
    presets
        The run's presets.
    population
        People per cell, shape (ny, nx); None: every cell counts 1.
    pieces
        People by unit and cell, by which the towns' people are summed.
    units
        Units; those of level ``town`` part the report, villages are reported too.
    points
        Role to its points, which are reported too.
    rules
        Response rules, keys under ``station.``; sites are planned for the first target.
    vehicle
        Vehicle of stations that give none, and of new ones: ``foot``, ``car``, ``truck``,
        ``fire_engine`` or ``boat``.
    model
        Location model, see `plan_sites`.
    k
        Number of new sites; 0 seeks none.
    candidate_kind
        ``cells`` or ``nodes``, when no candidates are given.
    candidates
        Points that may be chosen, or None.
    candidate_limit
        Largest number of cells or nodes, more are thinned evenly; by default 5000, and 300 for
        models that weigh every distance.
    forbidden, hazards, depths
        Where no station may stand, see `Zones`; depths are scenarios of the report too.
    rasters
        Scenario to depths at their own resolution, which count on the roads instead.
    closures
        Scenario to closed roads or areas.
    dem
        Height of the ground, for slopes [m].
    standards
        Standards of the office's own, which the coverage is held against.

    Returns
    -------
    Plan
        Tables (summary, towns, coverage, worst, stations, overlap, nearest; when sites were sought
        curve and sites), layers, and the proof of the sites, the most of them first.

    Raises
    ------
    InfeasibleError
        If there is no station and no site is sought or possible.
    """
    if not len(stations) and k < 1:
        raise InfeasibleError(text("there is no station, and no new site is asked for"))
    limit_m = max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)
    rule = with_standards(response_rule(presets, rules), standards)
    setting = make_setting(graph, stations, rule, vehicle=vehicle, presets=presets, limit_m=limit_m)
    demands = all_demands(grid, population, units, points, pieces=pieces)
    on_road = on_roads(graph, demands, limit_m)
    dry = reach_all(setting, demands, on_road)
    states = _States(grid=grid, presets=presets, depths=depths, rasters=rasters, closures=closures)
    wet, drowned, moved = _wet(states, setting, demands, on_road)
    main = next(iter(demands))
    zones = Zones(forbidden=forbidden, hazards=hazards, depths=depths, rasters=rasters, dem=dem)
    siting, after, said = _propose(
        setting, grid, demands[main], on_road[main], zones, model=model, k=k, vehicle=vehicle,
        kind=candidate_kind, given=candidates, limit_m=limit_m, presets=presets,
        most=candidate_limit or (FEW_CANDIDATES if model in FAR else MOST_CANDIDATES),
    )  # fmt: skip
    limit = float(presets["flood.criterion_depth_m"]) if depths else 0.0
    flooded = states.deeper(setting, np.full(len(setting.on), limit))
    tables = _tables(
        stations, setting, dry, wet, after, siting, moved=moved, standards=(standards, points),
        flooded=flooded, cell_km2=grid.size_m**2 / 1e6, units=units, presets=presets,
    )  # fmt: skip
    now = State(when=BEFORE, setting=setting, cells=dry[main][1])
    layers, titles = station_layers(
        [now] if after is None or siting is None or siting.sites.empty else [now, after],
        {name: pairs[main][1] for name, pairs in wet.items()}, grid,
        names=np.r_[_names(stations), _new_names(siting)],
        half_width_m=float(presets["network.half_width_m"]), siting=siting,
    )  # fmt: skip
    notes = station_notes(
        setting, _names(stations), tables, known=population is not None, flooded=flooded,
        most=float(presets["station.free_flow_label_share"]), drowned=drowned,
    )  # fmt: skip
    return _plan(tables, layers, titles, (*notes, *said), siting)


def _plan(
    tables: Mapping[str, pd.DataFrame],
    layers: Mapping[str, gpd.GeoDataFrame],
    titles: Mapping[str, Text],
    notes: tuple[Text, ...],
    siting: Siting | None,
) -> Plan:
    """Put the parts together and leave out empty tables."""
    return Plan(
        tables={name: table for name, table in tables.items() if len(table)},
        layers=layers,
        titles=titles,
        notes=notes,
        proof=_proofs(siting),
        headlines=headlines(notes),
    )


def _proofs(siting: Siting | None) -> tuple[Proof, ...]:
    """Give the proof of every number of new sites, the most of them first."""
    if siting is None:
        return ()
    return tuple(
        Proof(
            question=text("New stations: {n}", n=int(row["k"])),
            model=siting.model,
            status=str(row["status"]),
            objective=row["objective"],
            bound=row["bound"],
            gap=row["gap"],
            recount={"counted": float(row["recount"])},
        )
        for row in siting.curve[::-1].to_dict("records")
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _States:
    """Water and closures of the scenarios."""

    grid: Grid
    presets: Presets
    depths: Mapping[str, NDArray[Any]]
    rasters: Mapping[str, tuple[Raster, ...]]
    closures: Mapping[str, gpd.GeoDataFrame]

    def settings(self, setting: Setting, *, moved_out: bool = False) -> dict[str, Setting]:
        """Give the stations on the roads of every scenario."""
        return water.wet_settings(
            setting, self.grid, presets=self.presets, depths=self.depths, rasters=self.rasters,
            closures=self.closures, moved_out=moved_out,
        )  # fmt: skip

    def deeper(self, setting: Setting, limit: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
        """Tell by scenario which stations stand in water as deep as their limit."""
        return {
            name: water.station_depths(setting, self.grid, depth, self.rasters.get(name, ()))
            >= limit
            for name, depth in self.depths.items()
        }


def _wet(
    states: _States,
    setting: Setting,
    demands: Mapping[str, Demand],
    on_road: Mapping[str, Snapped],
) -> tuple[dict[str, water.Pairs], dict[str, NDArray[np.bool_]], dict[str, water.Pairs]]:
    """Find how every scenario's roads are driven: as it is, who is drowned, vehicles moved out."""
    drowned = states.deeper(setting, _limits(setting, states.presets))
    wet: dict[str, water.Pairs] = {
        name: reach_all(there, demands, on_road) for name, there in states.settings(setting).items()
    }
    some = {name for name, deep in drowned.items() if deep.any()}
    out = states.settings(setting, moved_out=True) if some else {}
    moved: dict[str, water.Pairs] = {
        name: reach_all(there, demands, on_road) for name, there in out.items() if name in some
    }
    return wet, drowned, moved


def _limits(setting: Setting, presets: Presets) -> NDArray[np.float64]:
    """Give the depth of water that each station's own vehicles may not enter [m]."""
    most = np.full(len(setting.on), np.inf)
    for fleet in setting.fleets:
        most[fleet.rows] = float(presets["flood.vehicle_limit_m"][fleet.vehicle])
    return most


def _propose(
    setting: Setting,
    grid: Grid,
    demand: Demand,
    on_road: Snapped,
    zones: Zones,
    *,
    model: str,
    k: int,
    vehicle: str,
    kind: str,
    given: gpd.GeoDataFrame | None,
    most: int,
    limit_m: float,
    presets: Presets,
) -> tuple[Siting | None, State | None, tuple[Text, ...]]:
    """Seek new sites, and see what they change; say why when there is no place for any."""
    if k < 1:
        return None, None, ()
    graph, rule = setting.graph, setting.rule
    try:
        found = find_candidates(
            graph, grid, demand, kind=kind, given=given, zones=zones, presets=presets,
            limit_m=limit_m, most=most,
        )  # fmt: skip
    except InfeasibleError as error:
        if not len(setting.on):
            raise
        return None, None, (text("No new site is proposed: {why}", why=error.message),)
    cost = vehicle_seconds(graph, vehicle=vehicle, presets=presets)
    ground = Ground(
        setting=setting, candidates=found, vehicle=vehicle, edge_cost=cost, demand=demand,
        on_road=on_road, limit=rule.targets[0].seconds,
    )  # fmt: skip
    siting = plan_sites(ground, model=model, most=k)
    whole = with_stations(setting, siting.places, vehicle=vehicle, edge_cost=cost)
    after = State(when=AFTER, setting=whole, cells=reach(whole, on_road))
    return siting, after, (*found.notes, *siting.notes)


def _with_degrees(table: pd.DataFrame, crs: str) -> pd.DataFrame:
    """Give longitude and latitude (WGS-84) instead of metres."""
    import geopandas as gpd

    spots = gpd.points_from_xy(table["x"], table["y"], crs=crs).to_crs(WGS84)
    return table.drop(columns=["x", "y"]).assign(lon=spots.x, lat=spots.y)


def _names(stations: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Give what stations are called: their name, else their id."""
    ids = pd.Series(stations.index.astype(str), dtype=object)
    if "name" not in stations.columns:
        return ids.to_numpy(dtype=object)
    own = stations["name"].reset_index(drop=True).astype(object)
    return np.asarray(own.where(own.notna() & (own != ""), ids), dtype=object)


def _new_names(siting: Siting | None) -> NDArray[np.object_]:
    """Name the proposed sites by their order."""
    count = 0 if siting is None else len(siting.sites)
    return np.array([text("proposed site {n}", n=i + 1) for i in range(count)], dtype=object)


def _town_names(units: gpd.GeoDataFrame | None) -> dict[str, str]:
    """Give the names of units by their code."""
    return {} if units is None else {str(key): str(name) for key, name in units["name"].items()}


def _tables(
    stations: gpd.GeoDataFrame,
    setting: Setting,
    dry: water.Pairs,
    wet: Mapping[str, water.Pairs],
    after: State | None,
    siting: Siting | None,
    *,
    moved: Mapping[str, water.Pairs],
    flooded: Mapping[str, NDArray[np.bool_]],
    cell_km2: float,
    units: gpd.GeoDataFrame | None,
    presets: Presets,
    standards: tuple[Sequence[Standard], Mapping[str, gpd.GeoDataFrame]],
) -> dict[str, pd.DataFrame]:
    """Make the tables of the report."""
    towns = _town_names(units)
    names, rule = _names(stations), setting.rule
    main = next(iter(dry.values()))
    then = None if after is None else after.cells
    speed = station_tables.mean_speed_kmh(setting)
    tables = {
        "summary": station_tables.summary_table(dry, wet, rule, speed_kmh=speed, after=then),
        "towns": station_tables.town_table(dry, wet, rule, towns, after=then),
        "stations": station_tables.station_table(
            stations, names, main, setting,
            cell_km2=cell_km2, area_limits=presets["station.area_km2"], flooded=flooded,
        ),
        "worst": worst_table(dry, rule, stations=names, town_names=towns),
        "overlap": station_tables.overlap_table(*main, rule, names),
    }  # fmt: skip
    tables["worst"] = _with_degrees(tables["worst"], setting.graph.crs)
    if siting is not None:
        sites = _with_degrees(siting.sites, setting.graph.crs)
        sites.insert(0, "order", np.arange(1, len(sites) + 1))
        tables |= {"curve": siting.curve, "sites": sites}
    parts = [in_state(coverage_table(dry, rule, towns), "")]
    for name, pairs in wet.items():
        table = coverage_table(pairs, rule, towns, before=dry, moved=moved.get(name))
        parts.append(in_state(table, name))
    tables["coverage"] = pd.concat(parts, ignore_index=True)
    tables["nearest"] = nearest_table(dry, wet, rule, names, towns)
    held = Held(standards[0], rule, stations, standards[1], towns)
    return tables | held.tables({"": dry, **wet}, names)


REPORTED: Final = (
    "flood_point", "hazard_source", "geohazard_point", "reservoir", "refuge", "sensitive_place",
    "health_care",
)  # fmt: skip
"""Roles whose points the report counts."""


def plan_stations(
    layers: Mapping[str, Layer],
    graph: RoadGraph,
    grid: Grid,
    *,
    presets: Presets,
    population: NDArray[Any] | None = None,
    pieces: Pieces | None = None,
    units: gpd.GeoDataFrame | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    options: StationOptions | None = None,
    roles: Mapping[str, Role] | None = None,
) -> Plan:
    """Make the station plan of a run.

    Parameters
    ----------
    layers
        The run's layers.
    graph
        The road graph of the rescue vehicles.
    grid
        The grid.
    presets
        The run's presets.
    population
        People per cell, shape (ny, nx), or None.
    pieces
        People by unit and cell, or None.
    units
        The run's units.
    scenarios
        Depths, closures and danger areas by name.
    options
        The section ``stations`` of the project file.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    ProjectError
        If the candidates are no layer of the project.
    """
    chosen = options or StationOptions()
    stations = _stations(layers, roles, graph.crs)
    found = dict(scenarios or {})
    return station_plan(
        graph,
        stations,
        grid,
        presets=presets,
        population=population,
        pieces=pieces,
        units=units,
        points={
            role: rows
            for role in REPORTED
            if (rows := rows_in_use(layers, role, roles)) is not None
        },
        rules=chosen.preset,
        standards=chosen.standards,
        vehicle=chosen.vehicle,
        model=chosen.model,
        k=chosen.sites,
        candidate_kind=chosen.candidates,
        candidates=_candidates(layers, chosen),
        candidate_limit=chosen.candidate_limit,
        forbidden=_forbidden(rows_in_use(layers, "danger_area", roles), found, graph.crs),
        hazards=rows_in_use(layers, "hazard_source", roles),
        depths={name: one.depth_m for name, one in found.items() if one.depth_m is not None},
        rasters={name: one.depths for name, one in found.items() if one.depths},
        closures={name: one.closures for name, one in found.items() if one.closures is not None},
        dem=layers["dem"].rasters if chosen.sites and "dem" in layers else (),
    )


def _stations(
    layers: Mapping[str, Layer], roles: Mapping[str, Role] | None, crs: str
) -> gpd.GeoDataFrame:
    """Give the stations in use, perhaps none."""
    import geopandas as gpd

    rows = rows_in_use(layers, "rescue_station", roles)
    return gpd.GeoDataFrame({"name": []}, geometry=[], crs=crs) if rows is None else rows


def _candidates(layers: Mapping[str, Layer], options: StationOptions) -> gpd.GeoDataFrame | None:
    """Give the rows of the layer that holds the candidates, None for cells and nodes."""
    role = options.candidates
    if role in ("cells", "nodes") or not options.sites:
        return None
    if role not in layers:
        known = ", ".join(["cells", "nodes", *sorted(layers)])
        raise ProjectError(
            text(
                "stations.candidates: the project has no layer {role}; use one of {known}",
                role=repr(role),
                known=known,
            )
        )
    rows = placed_rows(layers, role)
    if rows is None:
        raise ProjectError(
            text("stations.candidates: no row of the layer {role} can be used", role=repr(role))
        )
    return rows


def _forbidden(
    own: gpd.GeoDataFrame | None, scenarios: Mapping[str, Scenario], crs: str
) -> gpd.GeoDataFrame | None:
    """Join the danger areas of the project and of its scenarios."""
    import geopandas as gpd
    import pandas as pd

    parts = [] if own is None else [own]
    parts += [one.danger_area for one in scenarios.values() if one.danger_area is not None]
    shapes = [part.geometry.to_crs(crs) for part in parts if len(part)]
    return gpd.GeoDataFrame(geometry=pd.concat(shapes, ignore_index=True)) if shapes else None

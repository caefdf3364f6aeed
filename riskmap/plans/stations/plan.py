"""The station plan: who is reached in time, who is not, what water changes, where to build next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import InfeasibleError, ProjectError
from riskmap.geo.network.flooded import vehicle_seconds
from riskmap.i18n import Text, text
from riskmap.layers.layer import OUTSIDE, placed_rows, rows_in_use, with_beyond
from riskmap.plans.options import Standard, StationOptions, response_rule
from riskmap.plans.stations import reach as water
from riskmap.plans.stations import tables as station_tables
from riskmap.plans.stations.coverage import (
    CELLS,
    Demand,
    Held,
    Reach,
    all_demands,
    by_class,
    coverage_table,
    incident_weight,
    on_roads,
    place_levels,
    with_standards,
    worst_table,
)
from riskmap.plans.stations.reach import (
    Setting,
    make_setting,
    nearest_table,
    reach,
    reach_all,
    with_stations,
)
from riskmap.plans.stations.sites import (
    ALL_CANDIDATES,
    MOST_CANDIDATES,
    Ground,
    Siting,
    Zones,
    find_candidates,
    plan_sites,
)
from riskmap.plans.stations.tables import (
    AFTER,
    BEFORE,
    State,
    headlines,
    station_layers,
    station_notes,
)
from riskmap.result import Plan, Proof, in_state
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network.graph import RoadGraph, Snapped
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Layer, Raster
    from riskmap.result import Scenario
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class More:
    """What the plan may take into account besides people, roads and water."""

    classes: Mapping[str, int] | None = None
    """Unit code to risk class, 1 to 4: the report is parted by class, and tells when an effective
    force stands there."""
    incidents: gpd.GeoDataFrame | None = None
    """Past incidents, which tell how busy each station is."""
    by_incidents: bool = False
    """Whether sites are planned for incidents instead of people."""
    last_metres: bool = True
    """Whether the way between door and road takes time."""
    robust: bool = False
    """Whether sites are those whose largest loss in any scenario is least."""
    year: int | None = None
    """Year of the data, after which building begins."""


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
    more: More | None = None,
) -> Plan:
    """Report the coverage of the stations and propose the next sites.

    A place is covered when call handling and turn-out plus travel from a station take no longer
    than the rule's target. Travel is free flow (自由流). It ends where the vehicle stops: a place
    within ``network.half_width_m`` of the road, a cell within half its side, is reached from there;
    what lies beyond takes the time of a vehicle at ``network.access_kmh``.

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
        Largest number of cells or nodes, more are thinned evenly; by default 20000, fewer for
        models that cannot take so many.
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
    more
        Classes of risk, incidents, and how sites are chosen and built.

    Returns
    -------
    Plan
        Tables (summary, towns, coverage, worst, stations, overlap, nearest; when sites were sought
        sites), layers, and the proof of the sites, the most of them first.

    Raises
    ------
    InfeasibleError
        If there is no station and no site is sought or possible.
    """
    limit_m, more = _limit_m(grid, presets, some=len(stations) > 0 or k > 0), more or More()
    rule = with_standards(response_rule(presets, rules), standards)
    setting = make_setting(graph, stations, rule, vehicle=vehicle, presets=presets, limit_m=limit_m,
                           cell_m=grid.size_m, last_metres=more.last_metres)  # fmt: skip
    calls, wanted = _calls(grid, more, presets)
    demands = all_demands(grid, population, units, points, pieces=pieces, calls=wanted)
    dry = reach_all(setting, demands, on_road := on_roads(graph, demands, limit_m))
    states = _States(grid=grid, presets=presets, depths=depths, rasters=rasters, closures=closures)
    wet_roads, flooded = states.settings(setting), states.deeper(setting)
    wet, drowned, moved = _wet(states, setting, wet_roads, demands, on_road)
    main = next(iter(demands))
    siting, after, said = _propose(
        setting, grid, demands[main], on_road[main],
        Zones(forbidden=forbidden, hazards=hazards, depths=depths, rasters=rasters, dem=dem),
        model=model, k=k, vehicle=vehicle, kind=candidate_kind, given=candidates, limit_m=limit_m,
        most=candidate_limit, presets=presets, wet_roads=wet_roads,
        robust=more.robust, busy=_busy(stations, calls, presets),
    )  # fmt: skip
    tables = _tables(
        stations, setting, dry, wet, after, siting, moved=moved, flooded=flooded,
        standards=(standards, points),
        cell_km2=grid.size_m**2 / 1e6, units=units, presets=presets,
        after_wet=_after_wet(wet_roads, siting, on_road[main], vehicle=vehicle, presets=presets),
        levels=place_levels(demands, units, more.classes), calls=calls, year=more.year,
    )  # fmt: skip
    now = State(when=BEFORE, setting=setting, cells=dry[main][1])
    drawn = _drawn(now, after, {key: one[main][1] for key, one in wet.items()}, grid, siting,
                   names=np.r_[_names(stations), _new_names(siting)], presets=presets)  # fmt: skip
    notes = station_notes(
        setting, _names(stations), tables, known=population is not None, flooded=flooded,
        most=float(presets["station.free_flow_label_share"]), drowned=drowned,
        outside=int(stations[OUTSIDE].sum()) if OUTSIDE in stations else 0,
    )  # fmt: skip
    return _plan(tables, *drawn, (*notes, *said), siting)


def _limit_m(grid: Grid, presets: Presets, *, some: bool) -> float:
    """Give the longest way to a road; refuse a plan of no station and no site."""
    if not some:
        raise InfeasibleError(text("there is no station, and no new site is asked for"))
    return max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)


def _drawn(
    now: State,
    after: State | None,
    wet: Mapping[str, Reach],
    grid: Grid,
    siting: Siting | None,
    *,
    names: NDArray[np.object_],
    presets: Presets,
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Text]]:
    """Draw the coverage as it is and with the proposed sites."""
    return station_layers(
        [now] if after is None or siting is None or siting.sites.empty else [now, after],
        wet, grid, names=names,
        half_width_m=float(presets["network.half_width_m"]), siting=siting,
    )  # fmt: skip


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

    @property
    def least(self) -> float:
        """Depth from which a place counts as wet [m]."""
        return float(self.presets["flood.criterion_depth_m"]) if self.depths else 0.0

    def settings(self, setting: Setting, *, moved_out: bool = False) -> dict[str, Setting]:
        """Give the stations on the roads of every scenario."""
        return water.wet_settings(
            setting, self.grid, presets=self.presets, depths=self.depths, rasters=self.rasters,
            closures=self.closures, moved_out=moved_out,
        )  # fmt: skip

    def deeper(
        self, setting: Setting, limit: NDArray[np.float64] | None = None
    ) -> dict[str, NDArray[np.bool_]]:
        """Tell by scenario which stations stand in water as deep as their limit, or at all."""
        limit = np.full(len(setting.on), self.least) if limit is None else limit
        return {
            name: water.station_depths(setting, self.grid, depth, self.rasters.get(name, ()))
            >= limit
            for name, depth in self.depths.items()
        }


def _wet(
    states: _States,
    setting: Setting,
    wet_roads: Mapping[str, Setting],
    demands: Mapping[str, Demand],
    on_road: Mapping[str, Snapped],
) -> tuple[dict[str, water.Pairs], dict[str, NDArray[np.bool_]], dict[str, water.Pairs]]:
    """Find how every scenario's roads are driven: as it is, who is drowned, vehicles moved out."""
    drowned = states.deeper(setting, _limits(setting, states.presets))
    wet: dict[str, water.Pairs] = {
        name: reach_all(there, demands, on_road) for name, there in wet_roads.items()
    }
    some = {name for name, deep in drowned.items() if deep.any()}
    out = states.settings(setting, moved_out=True) if some else {}
    moved: dict[str, water.Pairs] = {
        name: reach_all(there, demands, on_road) for name, there in out.items() if name in some
    }
    return wet, drowned, moved


def _calls(
    grid: Grid, more: More, presets: Presets
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Spread the incidents a year over the cells, and again where sites are planned for them."""
    if more.incidents is None or not len(more.incidents):
        return None, None
    cells = all_demands(grid, None, None, {})["cells"]
    width = float(presets["station.incident_kernel_m"])
    found = incident_weight(cells, more.incidents, bandwidth_m=width)[0]
    return found, found if more.by_incidents else None


def _busy(stations: gpd.GeoDataFrame, calls: NDArray[np.float64] | None, presets: Presets) -> float:
    """Give the share of the time in which a vehicle is busy, over all stations."""
    if calls is None or not len(stations):
        return float(presets["station.busy_share"])
    vehicles = float(station_tables.force_of(stations, presets).vehicles.sum())
    hours = float(calls.sum()) * float(presets["station.incident_hours"])
    return min(hours / (8760.0 * max(vehicles, 1.0)), 0.95)


def _after_wet(
    wet_roads: Mapping[str, Setting],
    siting: Siting | None,
    on_road: Snapped,
    *,
    vehicle: str,
    presets: Presets,
) -> dict[str, Reach]:
    """Find how the places are reached in every scenario with the proposed sites."""
    found: dict[str, Reach] = {}
    for name, there in wet_roads.items():
        roads = there.roads
        if roads is None or siting is None or not len(siting.places):
            continue
        whole = with_stations(
            there, roads.moved(siting.places), vehicle=vehicle,
            edge_cost=roads.seconds(vehicle=vehicle, presets=presets),
        )  # fmt: skip
        found[name] = reach(whole, on_road)
    return found


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
    most: int | None,
    limit_m: float,
    presets: Presets,
    wet_roads: Mapping[str, Setting],
    robust: bool,
    busy: float,
) -> tuple[Siting | None, State | None, tuple[Text, ...]]:
    """Seek new sites, and see what they change; say why when there is no place for any."""
    if k < 1:
        return None, None, ()
    graph, rule = setting.graph, setting.rule
    try:
        found = find_candidates(
            graph, grid, demand, kind=kind, given=given, zones=zones, presets=presets,
            limit_m=limit_m, most=most or MOST_CANDIDATES.get(model, ALL_CANDIDATES),
        )  # fmt: skip
    except InfeasibleError as error:
        if not len(setting.on):
            raise
        return None, None, (text("No new site is proposed: {why}", why=error.message),)
    cost = vehicle_seconds(graph, vehicle=vehicle, presets=presets)
    ground = Ground(
        setting=setting, candidates=found, vehicle=vehicle, edge_cost=cost, demand=demand,
        on_road=on_road, limit=rule.targets[0].seconds,
        states={
            name: (there, there.roads.seconds(vehicle=vehicle, presets=presets))
            for name, there in wet_roads.items()
            if there.roads is not None
        },
        busy=busy, slower=presets["station.speed_cases"],
        same_m=float(presets["station.same_site_m"]),
    )  # fmt: skip
    siting = plan_sites(ground, model=model, most=k, robust=robust)
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
    after_wet: Mapping[str, Reach],
    levels: Mapping[str, NDArray[np.int64]] | None,
    calls: NDArray[np.float64] | None,
    year: int | None,
) -> dict[str, pd.DataFrame]:
    """Make the tables of the report."""
    force = station_tables.force_of(stations, presets)
    towns = _town_names(units)
    names, rule = _names(stations), setting.rule
    main = next(iter(dry.values()))
    then = None if after is None else after.cells
    speed = station_tables.mean_speed_kmh(setting)
    tables = {
        "summary": station_tables.summary_table(dry, wet, rule, speed_kmh=speed, after=then,
                                                after_wet=after_wet,
                                                slower=presets["station.speed_cases"]),
        "towns": station_tables.town_table(dry, wet, rule, towns, after=then),
        "stations": station_tables.station_table(
            stations, names, main, setting,
            cell_km2=cell_km2, area_limits=presets["station.area_km2"], flooded=flooded,
            force=force, calls=calls,
            incident_hours=float(presets["station.incident_hours"]),
        ),
        "worst": worst_table(dry, rule, stations=names, town_names=towns),
        "overlap": station_tables.overlap_table(*main, rule, names),
    }  # fmt: skip
    tables["worst"] = _with_degrees(tables["worst"], setting.graph.crs)
    if siting is not None:
        sites = station_tables.site_table(siting, year=year, presets=presets)
        tables["sites"] = _with_degrees(sites, setting.graph.crs)
    parts = []
    before, seen = _by_class(dry, levels)
    for name, pairs in {"": dry, **wet}.items():
        out = moved.get(name)
        table = coverage_table(
            _by_class(pairs, levels)[0], rule, towns, levels=seen, force=force,
            before=before if name else None,
            moved=None if out is None else _by_class(out, levels)[0],
        )  # fmt: skip
        parts.append(in_state(table, name))
    tables["coverage"] = pd.concat(parts, ignore_index=True)
    tables["nearest"] = nearest_table(
        dry, wet, rule, names, towns, levels=levels, force=None if levels is None else force
    )
    held = Held(standards[0], rule, stations, standards[1], towns)
    return tables | held.tables({"": dry, **wet}, names)


def _by_class(
    pairs: water.Pairs, levels: Mapping[str, NDArray[np.int64]] | None
) -> tuple[water.Pairs, Mapping[str, NDArray[np.int64]] | None]:
    """Add the people by risk class behind what is counted, with the class of every place."""
    what = next((name for name in pairs if name in CELLS), None)
    if levels is None or what is None:
        return pairs, levels
    parts = by_class(*pairs[what], levels[what])
    return {**pairs, **parts}, {**levels, **dict.fromkeys(parts, levels[what])}


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
    classes: Mapping[str, int] | None = None,
    year: int | None = None,
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
    classes
        Unit code to risk class, where an index was computed.
    year
        Year of the data.

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
        hazards=with_beyond(layers, "hazard_source", roles),
        depths={name: one.depth_m for name, one in found.items() if one.depth_m is not None},
        rasters={name: one.depths for name, one in found.items() if one.depths},
        closures={name: one.closures for name, one in found.items() if one.closures is not None},
        dem=layers["dem"].rasters if chosen.sites and "dem" in layers else (),
        more=More(
            classes=classes, incidents=rows_in_use(layers, "accident", roles),
            by_incidents=chosen.demand == "incidents", robust=chosen.robust, year=year,
            last_metres=chosen.last_metres,
        ),
    )  # fmt: skip


def _stations(
    layers: Mapping[str, Layer], roles: Mapping[str, Role] | None, crs: str
) -> gpd.GeoDataFrame:
    """Give the stations in use, perhaps none."""
    import geopandas as gpd

    rows = with_beyond(layers, "rescue_station", roles)
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

    parts = [] if own is None else [own]
    parts += [one.danger_area for one in scenarios.values() if one.danger_area is not None]
    shapes = [part.geometry.to_crs(crs) for part in parts if len(part)]
    return gpd.GeoDataFrame(geometry=pd.concat(shapes, ignore_index=True)) if shapes else None

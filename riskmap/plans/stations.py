"""The station plan: who is reached in time, who is not, what water changes, where to build next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import UsageError
from riskmap.geo.grid import Grid
from riskmap.geo.network import RoadGraph, Snapped, snap_points, vehicle_seconds
from riskmap.geo.points import point_xy
from riskmap.i18n import Text, text
from riskmap.plans import coverage, water
from riskmap.plans.candidates import HAZARD_KEY, Candidates, Zones, choose_candidates
from riskmap.plans.coverage import Demand
from riskmap.plans.next_sites import Ground, Siting, plan_sites
from riskmap.plans.response import Rule, response_rule, turn_out
from riskmap.plans.setting import Setting, all_demands, place_demands, reach
from riskmap.plans.station_maps import station_layers

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.presets.load import Presets

_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, eq=False, kw_only=True)
class StationPlan:
    """Coverage of the stations there are, and the next sites, each with its proof."""

    rule: Rule
    vehicle: str
    tables: Mapping[str, pd.DataFrame]
    """``coverage``, ``worst``, ``stations``, ``overlap``, ``scenarios``, ``nearest``, and when
    sites were sought ``curve`` and ``sites``."""
    siting: Siting | None
    map_layers: Mapping[str, gpd.GeoDataFrame]
    """Name to a layer with ``kind``, ``label`` and ``band``, as the page draws it."""
    notes: tuple[Text, ...] = field(default=())


def station_plan(
    graph: RoadGraph,
    stations: gpd.GeoDataFrame,
    grid: Grid,
    *,
    presets: Presets,
    population: NDArray[Any] | None = None,
    units: gpd.GeoDataFrame | None = None,
    points: Mapping[str, gpd.GeoDataFrame] = _NONE,
    rule: str = "linzi_135",
    vehicle: str = "fire_engine",
    model: str = "mclp",
    k: int = 3,
    candidates: gpd.GeoDataFrame | None = None,
    candidate_limit: int = 300,
    forbidden: gpd.GeoDataFrame | None = None,
    hazards: gpd.GeoDataFrame | None = None,
    depths: Mapping[str, NDArray[Any]] = _NONE,
    closures: Mapping[str, gpd.GeoDataFrame] = _NONE,
) -> StationPlan:
    """Report the coverage of the stations and propose the next sites.

    A place is covered when call handling and turn-out plus travel from a station take no longer
    than the rule's target. Travel is free flow (自由流); the walk between a place and its road
    is limited, not timed.

    Parameters
    ----------
    graph
        The road graph of the vehicle.
    stations
        Stations indexed by ``item_id``; ``response_s``, ``type``, ``name`` are used.
    grid
        The grid; its cells inside the place are the demand.
    presets
        The run's presets.
    population
        People per cell, shape (ny, nx); None: every cell counts 1.
    units
        Units; those of level ``town`` part the report.
    points
        Role to its points, which are reported too.
    rule
        Response rule, a key under ``station.``.
    vehicle
        ``foot``, ``car``, ``truck``, ``fire_engine`` or ``boat``.
    model
        Location model, see `plan_sites`.
    k
        Number of new sites; 0 seeks none.
    candidates
        Points that may be chosen; None: the cells with people.
    candidate_limit
        Largest number of candidates; more are thinned evenly.
    forbidden, hazards, depths
        Where no station may stand, see `Zones`; depths are scenarios of the report too.
    closures
        Scenario to closed roads or areas.

    Returns
    -------
    StationPlan
        Tables, sites with bound and gap, and map layers.

    Raises
    ------
    UsageError
        If there is no station and no site is sought, or no candidate is left.
    """
    if not len(stations) and k < 1:
        raise UsageError(text("there is no station, and no new site is asked for"))
    limit_m = max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)
    wanted = response_rule(presets, rule)
    setting = Setting(
        graph=graph,
        stations=snap_points(graph, _xy(stations), limit_m=limit_m),
        start=turn_out(stations, wanted),
        edge_cost=vehicle_seconds(graph, vehicle=vehicle, presets=presets),
        longest=wanted.targets[-1].seconds,
    )
    demands = all_demands(grid, population, units, points)
    on_road = place_demands(graph, demands, limit_m=limit_m)
    dry = {name: (one, reach(setting, on_road[name])) for name, one in demands.items()}
    wet = {
        name: {what: (one, reach(there, on_road[what])) for what, one in demands.items()}
        for name, there in water.wet_settings(
            setting, grid, vehicle=vehicle, presets=presets, depths=depths, closures=closures
        ).items()
    }
    tables = _tables(setting, stations, dry, wet, wanted, grid=grid, units=units, presets=presets)
    siting, notes = None, _notes(setting, stations, tables, population, presets)
    if k > 0:
        zones = Zones(forbidden=forbidden, hazards=hazards, depths=depths)
        chosen = _candidates(
            graph, grid, demands["population"], candidates, zones,
            presets=presets, limit_m=limit_m, most=candidate_limit,
        )  # fmt: skip
        ground = _ground(setting, chosen, demands["population"], on_road["population"], wanted)
        siting = plan_sites(ground, model=model, ks=range(k + 1))
        tables |= {"curve": siting.curve, "sites": siting.sites}
        notes = (*notes, *chosen.notes)
    layers = station_layers(
        setting, grid, dry["population"][1], wanted, names=_names(stations),
        half_width_m=float(presets["network.half_width_m"]), siting=siting,
    )  # fmt: skip
    return StationPlan(
        rule=wanted, vehicle=vehicle, tables=tables, siting=siting, map_layers=layers, notes=notes
    )


def _xy(places: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Give one point for each row."""
    return np.column_stack(point_xy(places)) if len(places) else np.zeros((0, 2))


def _names(stations: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Give what stations are called: their name, else their id."""
    ids = pd.Series(stations.index.astype(str), dtype=object)
    if "name" not in stations.columns:
        return ids.to_numpy(dtype=object)
    own = stations["name"].reset_index(drop=True).astype(object)
    return np.asarray(own.where(own.notna() & (own != ""), ids), dtype=object)


def _tables(
    setting: Setting,
    stations: gpd.GeoDataFrame,
    dry: water.Pairs,
    wet: Mapping[str, water.Pairs],
    rule: Rule,
    *,
    grid: Grid,
    units: gpd.GeoDataFrame | None,
    presets: Presets,
) -> dict[str, pd.DataFrame]:
    """Make the tables of the report."""
    towns = {} if units is None else {str(key): str(name) for key, name in units["name"].items()}
    names = _names(stations)
    cells, reached = dry["population"]
    return {
        "coverage": coverage.coverage_table(dry, rule, towns),
        "worst": coverage.worst_table(dry, rule, stations=names),
        "stations": coverage.station_table(
            stations,
            cells,
            reached,
            rule,
            cell_km2=grid.size_m**2 / 1e6,
            area_limits=presets["station.area_km2"],
            start=setting.start,
            on=setting.stations.on,
        ),
        "overlap": coverage.overlap_table(cells, reached, rule, names),
        "scenarios": water.compare(dry, wet, rule),
        "nearest": water.nearest_table(dry, wet, names),
    }


def _candidates(
    graph: RoadGraph,
    grid: Grid,
    cells: Demand,
    given: gpd.GeoDataFrame | None,
    zones: Zones,
    *,
    presets: Presets,
    limit_m: float,
    most: int,
) -> Candidates:
    """Choose the candidates among given points, or among the cells with people."""
    from riskmap.geo.grid import cell_of

    if given is not None:
        xy, ids = _xy(given), np.asarray(given.index.astype(str), dtype=object)
        weight = np.ones(len(xy))
    else:
        used = cells.weight > 0
        xy, ids, weight = cells.xy[used], cells.ids[used], cells.weight[used]
    cell = cell_of(grid, xy[:, 0], xy[:, 1])
    wet = np.zeros(len(xy), dtype=bool)
    for depth in zones.depths.values():
        deep = np.nan_to_num(np.asarray(depth, dtype=np.float64).ravel(), nan=0.0) > 0
        wet |= (cell >= 0) & deep[np.maximum(cell, 0)]
    return choose_candidates(
        graph,
        xy=xy,
        ids=ids,
        weight=weight,
        most=most,
        snap_limit_m=limit_m,
        place=grid.place,
        forbidden=zones.forbidden,
        wet=wet,
        hazards=zones.hazards,
        hazard_m=float(presets[HAZARD_KEY]),
    )


def _ground(
    setting: Setting, chosen: Candidates, cells: Demand, on_road: Snapped, rule: Rule
) -> Ground:
    """Put together what the location models need."""
    return Ground(
        graph=setting.graph,
        existing=setting.stations,
        start=setting.start,
        candidates=chosen,
        new_start=rule.response_s,
        demand=cells,
        on_road=on_road,
        edge_cost=setting.edge_cost,
        limit=rule.targets[0].seconds,
    )


def _notes(
    setting: Setting,
    stations: gpd.GeoDataFrame,
    tables: Mapping[str, pd.DataFrame],
    population: NDArray[Any] | None,
    presets: Presets,
) -> tuple[Text, ...]:
    """Say what must be known beside the numbers."""
    notes = [text("Arrival times are free flow (自由流), without traffic and turn restrictions.")]
    off = _names(stations)[~setting.stations.on]
    if len(off):
        notes.append(
            text(
                "stations off the road network serve nobody: {names}",
                names="、".join(map(str, off)),
            )
        )
    if population is None:
        notes.append(text("no population: every cell counts the same"))
    table = tables["coverage"]
    whole = table[(table["unit_id"] == "") & (table["what"] == "population")]
    share = float(1.0 - whole["share_none"].iloc[0]) if len(whole) else 0.0
    if share > float(presets["station.free_flow_label_share"]):
        notes.append(
            text(
                "{share} within the target is a free-flow figure; measured times are longer",
                share=f"{share:.1%}",
            )
        )
    return tuple(notes)

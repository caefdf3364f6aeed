"""Stations on the roads in one state, and how they reach the places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, row_xy
from riskmap.geo.network.flooded import WetRoads, sample, vehicle_seconds, wet_roads
from riskmap.geo.network.snap import snap_points, snap_rows
from riskmap.geo.network.tables import cost_table
from riskmap.geo.network.travel import nearest_seconds
from riskmap.layers.layer import Raster, depth_tiles
from riskmap.plans.options import Rule, own_turn_out, turn_out
from riskmap.plans.stations.coverage import CELLS, Demand, Force, Reach, arrivals, force_seconds

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.geo.network.graph import RoadGraph, Snapped
    from riskmap.vocabulary.presets import Presets


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fleet:
    """Stations that drive the same class of vehicle."""

    vehicle: str
    rows: Ints
    """Positions of these stations among all."""
    places: Snapped
    start: Floats
    """Seconds between call and departure of each."""
    edge_cost: Floats
    """Seconds along each edge, infinite where closed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """All stations on the roads."""

    graph: RoadGraph
    fleets: tuple[Fleet, ...]
    xy: Floats
    """Places of the stations as they were given, shape (stations, 2) [m]."""
    on: NDArray[np.bool_]
    """Whether each station is on the network."""
    start: Floats
    """Seconds between call and departure of each station."""
    own: NDArray[np.bool_]
    """Whether a station gives these seconds itself."""
    rule: Rule
    places: Snapped | None = None
    """Where the stations of the ledger stand on the dry roads."""
    roads: WetRoads | None = None
    """How the roads are cut by water and closures; None when dry."""
    access_ms: float = np.inf
    """Speed between a door and its road [m/s]."""
    near_m: float = 0.0
    """A place no farther from its road is reached when the vehicle is there on the road [m]."""
    cell_m: float = 0.0
    """The same of a cell, of which nobody knows where in it anybody lives [m]."""

    def wait(self) -> Floats:
        """Give the seconds before every station is on the road: call, turn-out, its own yard.

        Returns
        -------
        numpy.ndarray
            Shape (stations,) [s].
        """
        found = self.start.copy()
        for fleet in self.fleets:
            found[fleet.rows] = fleet.start + self.yard(fleet)
        return found

    def yard(self, fleet: Fleet) -> Floats:
        """Give the seconds between a station's door and its road.

        Parameters
        ----------
        fleet
            The stations.

        Returns
        -------
        numpy.ndarray
            0 off the network, shape (stations of the fleet,) [s].
        """
        walk = np.nan_to_num(fleet.places.nearer(self.near_m).walk_m, posinf=0.0)
        return walk / self.access_ms

    def door(self, places: Snapped, *, cells: bool = True) -> Floats:
        """Give the seconds between the road and the door of every place.

        Parameters
        ----------
        places
            Places on the roads.
        cells
            Whether they are the middles of cells.

        Returns
        -------
        numpy.ndarray
            0 off the network, shape (places,) [s].
        """
        near = self.cell_m if cells else self.near_m
        return np.nan_to_num(places.nearer(near).walk_m, posinf=0.0) / self.access_ms


def make_setting(
    graph: RoadGraph,
    stations: gpd.GeoDataFrame,
    rule: Rule,
    *,
    vehicle: str,
    presets: Presets,
    limit_m: float,
    cell_m: float = 0.0,
    last_metres: bool = True,
) -> Setting:
    """Put the stations on dry roads, parted by their vehicles.

    Parameters
    ----------
    graph
        The road graph.
    stations
        Stations; ``response_s`` and ``vehicle`` are used where a station gives them.
    rule
        Response rules.
    vehicle
        Vehicle of the stations that give none.
    presets
        The run's presets.
    limit_m
        Longest way to a road [m].
    cell_m
        Side of the cells that are to be reached [m].
    last_metres
        Whether what lies beside the road takes time.

    Returns
    -------
    Setting
        One fleet a vehicle; one at least, even without stations.
    """
    xy = row_xy(stations)
    places = snap_rows(graph, stations, limit_m=limit_m)
    start = turn_out(stations, rule)
    kind = np.full(len(stations), vehicle, dtype=object)
    if "vehicle" in stations.columns:
        said = stations["vehicle"].astype(object)
        kind = said.where(said.notna() & (said != ""), vehicle).to_numpy(dtype=object)
    fleets = []
    for name in sorted(set(kind)) or [vehicle]:
        rows = np.flatnonzero(kind == name)
        cost = vehicle_seconds(graph, vehicle=str(name), presets=presets)
        fleets.append(
            Fleet(
                vehicle=str(name), rows=rows, places=places.take(rows), start=start[rows],
                edge_cost=cost,
            )
        )  # fmt: skip
    near = float(presets["network.half_width_m"])
    return Setting(
        graph=graph, fleets=tuple(fleets), xy=xy, on=places.on, start=start,
        own=np.isfinite(own_turn_out(stations)), rule=rule, places=places,
        access_ms=float(presets["network.access_kmh"]) / 3.6 if last_metres else np.inf,
        near_m=near, cell_m=max(near, cell_m / 2),
    )  # fmt: skip


def with_stations(setting: Setting, places: Snapped, *, vehicle: str, edge_cost: Floats) -> Setting:
    """Add new stations behind those there are.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places of the new ones.
    vehicle, edge_cost
        What they drive, and how fast.

    Returns
    -------
    Setting
        The new stations leave after the rule's own time.
    """
    count, more = len(setting.on), len(places)
    start = np.full(more, setting.rule.response_s)
    fresh = Fleet(
        vehicle=vehicle, rows=np.arange(count, count + more), places=places, start=start,
        edge_cost=edge_cost,
    )  # fmt: skip
    return replace(
        setting,
        fleets=(*setting.fleets, fresh),
        xy=np.concatenate([setting.xy, places.xy]),
        on=np.r_[setting.on, places.on],
        start=np.r_[setting.start, start],
        own=np.r_[setting.own, np.zeros(more, dtype=bool)],
    )


def first_there(setting: Setting, places: Snapped, *, cells: bool = True) -> tuple[Ints, Floats]:
    """Find the station that is first at every place.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.
    cells
        Whether they are the middles of cells.

    Returns
    -------
    tuple
        Station of each place, -1 none, and seconds from the call.
    """
    who = np.full(len(places), -1)
    when = np.full(len(places), np.inf)
    for fleet in setting.fleets:
        if not len(fleet.rows):
            continue
        found = nearest_seconds(
            setting.graph, fleet.places, places, start=fleet.start + setting.yard(fleet),
            edge_cost=fleet.edge_cost,
        )  # fmt: skip
        better = found.cost < when
        who[better] = fleet.rows[found.facility[better]]
        when[better] = found.cost[better]
    return who, when + setting.door(places, cells=cells)


def pairs(
    setting: Setting, places: Snapped, *, limit: float, cells: bool = True
) -> tuple[Ints, Ints, Floats]:
    """List every station and place within a limit.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.
    limit
        Seconds from the call.
    cells
        Whether the places are the middles of cells.

    Returns
    -------
    tuple
        Station, place, seconds from the call.
    """
    found: list[tuple[Ints, Ints, Floats]] = []
    door = setting.door(places, cells=cells)
    for fleet in setting.fleets:
        table = cost_table(
            setting.graph, fleet.places, places, edge_cost=fleet.edge_cost,
            start=fleet.start + setting.yard(fleet), limit=limit,
        )  # fmt: skip
        seconds = table.cost + door[table.point]
        near = seconds <= limit
        found.append((fleet.rows[table.facility[near]], table.point[near], seconds[near]))
    station, place, seconds = (np.concatenate(part) for part in zip(*found, strict=True))
    return station, place, seconds


def reach(setting: Setting, places: Snapped, *, cells: bool = True) -> Reach:
    """Find which stations reach the places, and which is first.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the dry roads.
    cells
        Whether they are the middles of cells.

    Returns
    -------
    Reach
        Pairs within the longest target, and the first station of each place.
    """
    if setting.roads is not None:
        places = setting.roads.moved(places)
    limit = setting.rule.longest
    station, place, seconds = pairs(setting, places, limit=limit, cells=cells)
    nearest, nearest_s = first_there(setting, places, cells=cells)
    return Reach(
        place=place,
        station=station,
        seconds=seconds,
        nearest=nearest,
        nearest_s=nearest_s,
        on=places.on,
        base_s=setting.rule.response_s,
        own=setting.own,
        wait=setting.start,
    )


def reach_all(
    setting: Setting, demands: Mapping[str, Demand], on_road: Mapping[str, Snapped]
) -> dict[str, tuple[Demand, Reach]]:
    """Find how every demand is reached; people and cells stand at the same places.

    Parameters
    ----------
    setting
        Stations on the roads.
    demands
        Name to places.
    on_road
        Name to the same places on the roads.

    Returns
    -------
    dict
        Name to places and how they are reached.
    """
    found: dict[str, tuple[Demand, Reach]] = {}
    for name, demand in demands.items():
        same = next((found[one] for one in CELLS if one in found), None) if name in CELLS else None
        if same is None:
            cells = name in CELLS or name == "village"
            found[name] = (demand, reach(setting, on_road[name], cells=cells))
        else:
            found[name] = (demand, same[1])
    return found


Pairs = Mapping[str, tuple[Demand, Reach]]


def nearest_table(
    dry: Pairs,
    wet: Mapping[str, Pairs],
    rule: Rule,
    names: NDArray[np.object_],
    town_names: Mapping[str, str],
    *,
    levels: Mapping[str, Ints] | None = None,
    force: Force | None = None,
) -> pd.DataFrame:
    """List the nearest station of every point on dry roads, and what each scenario makes of it.

    Parameters
    ----------
    dry
        Role to its points and how they are reached on dry roads.
    wet
        Scenario to the same on its roads.
    rule
        Its first target tells who is in time.
    names
        Names of the stations.
    town_names
        Unit code to name.
    levels
        Name to the risk class of each place, 0 unknown; with ``force``.
    force
        What stations bring, and what an effective force is by class.

    Returns
    -------
    pandas.DataFrame
        ``scenario`` (empty: there is none), ``what``, ``id``, ``name``, ``town``, ``station_dry``,
        ``seconds_dry`` (NaN = no way), ``station``, ``seconds``, ``later_s`` and ``state``:
        ``in_time``, ``late``, ``lost`` (in time when dry only), ``cut`` (no way any more),
        ``no_way`` (dry neither); ``second``, ``second_s``, ``third``, ``third_s`` within the
        longest target; with ``force`` ``unit_class`` and ``force_s``, when an effective force
        stands there. Rows without a scenario stand only where there is none. Places that nobody
        reaches in time stand first, those of the highest class before others.
    """
    limit = rule.targets[0].seconds
    called = np.append(names, "")
    parts = []
    for scenario, pairs in (dict(wet) or {"": dry}).items():
        for what, (demand, reach) in pairs.items():
            if what in CELLS:
                continue
            before = dry[what][1]
            old, new = _finite(before.nearest_s), _finite(reach.nearest_s)
            frame = {
                "scenario": scenario,
                "what": what,
                "id": demand.ids,
                "name": demand.names,
                "town": [town_names.get(str(code), str(code)) for code in demand.town],
                "station_dry": called[before.nearest],
                "seconds_dry": old,
                "station": called[reach.nearest],
                "seconds": new,
                "later_s": new - old,
                "state": _states(old, new, limit),
            }
            who, when = arrivals(reach, 3)
            for turn, name in ((1, "second"), (2, "third")):
                frame |= {name: called[who[:, turn]], f"{name}_s": when[:, turn]}
            level = np.zeros(len(demand.ids), np.int64)
            if force is not None and levels is not None:
                level = levels[what]
                enough = force_seconds(reach, level, force)
                frame |= {"unit_class": level, "force_s": _finite(enough)}
            late = ~(new <= limit)
            order = np.lexsort((-np.nan_to_num(new, nan=np.inf), -level, ~late))
            parts.append(pd.DataFrame(frame).iloc[order])
    columns = ["scenario", "what", "id", "name", "town", "station_dry", "seconds_dry", "station",
               "seconds", "later_s", "state", "second", "second_s", "third",
               "third_s"]  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _finite(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(seconds), seconds, np.nan)


def _states(
    old: NDArray[np.float64], new: NDArray[np.float64], limit: float
) -> NDArray[np.object_]:
    """Name what became of every point."""
    cases = [
        (np.isnan(old), "no_way"),
        (np.isnan(new), "cut"),
        ((old <= limit) & (new > limit), "lost"),
        (new > limit, "late"),
    ]
    found = np.full(len(old), "in_time", dtype=object)
    for hit, name in reversed(cases):
        found[hit] = name
    return found


def wet_setting(
    setting: Setting,
    grid: Grid,
    *,
    presets: Presets,
    depth_m: NDArray[Any] | None,
    rasters: tuple[Raster, ...] = (),
    closures: gpd.GeoDataFrame | None,
    moved_out: bool = False,
) -> Setting:
    """Give the roads of a scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    presets
        The run's presets.
    depth_m
        Depth of water on the cells, shape (ny, nx) [m], or None.
    rasters
        Depth at its own resolution, which counts before that of the cells.
    closures
        Closed roads or areas, or None.
    moved_out
        Whether stations in water too deep for their vehicles serve from the nearest road that is
        passable, where the vehicles were moved before; otherwise they serve nobody.

    Returns
    -------
    Setting
        With the times of the wet roads.
    """
    roads = wet_roads(setting.graph, depth_tiles(grid, depth_m, rasters), closures)
    depth = station_depths(setting, grid, depth_m, rasters)
    limits = presets["flood.vehicle_limit_m"]
    fleets = []
    for fleet in setting.fleets:
        places = roads.moved(fleet.places)
        cost = roads.seconds(vehicle=fleet.vehicle, presets=presets)
        deep = depth[fleet.rows] >= float(limits[fleet.vehicle])
        if not moved_out:
            places = places.without(deep)
        elif deep.any():
            rows = np.flatnonzero(deep)
            beside = snap_points(
                roads.graph, setting.xy[fleet.rows[rows]],
                limit_m=float(presets["station.snap_limit_m"]), usable=np.isfinite(cost),
            )  # fmt: skip
            places = places.with_rows(rows, beside)
        fleets.append(replace(fleet, places=places, edge_cost=cost))
    return replace(setting, graph=roads.graph, roads=roads, fleets=tuple(fleets))


def station_depths(
    setting: Setting, grid: Grid, depth_m: Any, rasters: tuple[Raster, ...] = ()
) -> Floats:
    """Take the water in which every station stands.

    Parameters
    ----------
    setting
        Stations.
    grid
        The grid.
    depth_m
        Depth of water on the cells, shape (ny, nx) [m], or None.
    rasters
        Depth at its own resolution, which counts before that of the cells.

    Returns
    -------
    numpy.ndarray
        0 where dry or unknown, shape (stations,) [m].
    """
    tiles = depth_tiles(grid, depth_m, rasters)
    return np.nan_to_num(sample(tiles, setting.xy, str(grid.crs)))


def wet_settings(
    setting: Setting,
    grid: Grid,
    *,
    presets: Presets,
    depths: Mapping[str, NDArray[Any]],
    rasters: Mapping[str, tuple[Raster, ...]] = MappingProxyType({}),
    closures: Mapping[str, gpd.GeoDataFrame],
    moved_out: bool,
) -> dict[str, Setting]:
    """Give the roads of every scenario.

    Parameters
    ----------
    setting
        Stations on dry roads.
    grid
        The grid that the depths stand on.
    presets
        The run's presets.
    depths, rasters, closures
        Scenario to depths on the cells, to depths at their own resolution, and to closures.
    moved_out
        As of `wet_setting`.

    Returns
    -------
    dict
        Scenario to its roads, in the order of the names.
    """
    return {
        name: wet_setting(
            setting,
            grid,
            presets=presets,
            depth_m=depths.get(name),
            rasters=rasters.get(name, ()),
            closures=closures.get(name),
            moved_out=moved_out,
        )
        for name in sorted({*depths, *closures})
    }

"""Stations on the roads in one state, and how they reach the places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riskmap.geo.network import (
    RoadGraph,
    Snapped,
    cost_table,
    nearest_seconds,
    snap_points,
    vehicle_seconds,
)
from riskmap.geo.points import row_xy
from riskmap.plans.coverage import Demand, Reach
from riskmap.plans.response import Rule, own_turn_out, turn_out

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.presets.load import Presets

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


def make_setting(
    graph: RoadGraph,
    stations: gpd.GeoDataFrame,
    rule: Rule,
    *,
    vehicle: str,
    presets: Presets,
    limit_m: float,
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

    Returns
    -------
    Setting
        One fleet a vehicle; one at least, even without stations.
    """
    xy = row_xy(stations)
    places = snap_points(graph, xy, limit_m=limit_m)
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
    return Setting(
        graph=graph, fleets=tuple(fleets), xy=xy, on=places.on, start=start,
        own=np.isfinite(own_turn_out(stations)), rule=rule,
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


def first_there(setting: Setting, places: Snapped) -> tuple[Ints, Floats]:
    """Find the station that is first at every place.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.

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
            setting.graph, fleet.places, places, start=fleet.start, edge_cost=fleet.edge_cost
        )
        better = found.cost < when
        who[better] = fleet.rows[found.facility[better]]
        when[better] = found.cost[better]
    return who, when


def pairs(setting: Setting, places: Snapped, *, limit: float) -> tuple[Ints, Ints, Floats]:
    """List every station and place within a limit.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.
    limit
        Seconds from the call.

    Returns
    -------
    tuple
        Station, place, seconds from the call.
    """
    found: list[tuple[Ints, Ints, Floats]] = []
    for fleet in setting.fleets:
        table = cost_table(
            setting.graph, fleet.places, places, edge_cost=fleet.edge_cost, start=fleet.start,
            limit=limit,
        )  # fmt: skip
        found.append((fleet.rows[table.facility], table.point, table.cost))
    station, place, seconds = (np.concatenate(part) for part in zip(*found, strict=True))
    return station, place, seconds


def reach(setting: Setting, places: Snapped) -> Reach:
    """Find which stations reach the places, and which is first.

    Parameters
    ----------
    setting
        Stations on the roads.
    places
        Places on the roads.

    Returns
    -------
    Reach
        Pairs within the longest target, and the first station of each place.
    """
    station, place, seconds = pairs(setting, places, limit=setting.rule.longest)
    nearest, nearest_s = first_there(setting, places)
    return Reach(
        place=place,
        station=station,
        seconds=seconds,
        nearest=nearest,
        nearest_s=nearest_s,
        on=places.on,
        base_s=setting.rule.response_s,
        own=setting.own,
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
        same = name == "cells" and "population" in found
        found[name] = (demand, found["population"][1] if same else reach(setting, on_road[name]))
    return found

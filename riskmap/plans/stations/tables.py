"""The station plan as tables and map layers: targets, towns, load, overlap, cover, losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_polygons, inside_cells
from riskmap.geo.network.snap import named_roads, road_of
from riskmap.geo.network.travel import service_areas
from riskmap.i18n import Text, text
from riskmap.plans.stations.coverage import (
    Demand,
    Force,
    Reach,
    covered_weight,
    cut_off,
    standard_notes,
    times_covered,
)
from riskmap.result import of_state

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.plans.options import Rule, Target
    from riskmap.plans.stations.reach import Fleet, Setting
    from riskmap.plans.stations.sites import Siting
    from riskmap.vocabulary.presets import Presets


Floats = NDArray[np.float64]
Pairs = Mapping[str, tuple[Demand, Reach]]


def mean_speed_kmh(setting: Setting) -> float:
    """Give the mean speed of the first fleet over the length of all open roads [km/h].

    Parameters
    ----------
    setting
        Stations on the roads.

    Returns
    -------
    float
        Length over time.
    """
    seconds = setting.fleets[0].edge_cost
    open_ = np.isfinite(seconds) & (seconds > 0)
    metres = float(setting.graph.edge_length_m[open_].sum())
    return 3.6 * metres / max(float(seconds[open_].sum()), 1e-9)


def summary_table(
    dry: Pairs,
    wet: Mapping[str, Pairs],
    rule: Rule,
    *,
    speed_kmh: float,
    after: Reach | None,
    after_wet: Mapping[str, Reach] | None = None,
    slower: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Set every target beside its time for driving and the people reached.

    Parameters
    ----------
    dry
        Places and how they are reached on dry roads; the first are the people, or the cells.
    wet
        Scenario to the same on its roads.
    rule
        The targets.
    speed_kmh
        Mean speed of the roads [km/h].
    after
        How the first places are reached with the proposed sites, or None.
    after_wet
        Scenario to the same on its roads.
    slower
        Name to speed as a share of free flow, such as in rain or in the rush hour.

    Returns
    -------
    pandas.DataFrame
        A row for each scenario (empty = dry roads) and target: ``scenario``, ``rule``, ``target``,
        ``target_s``, ``response_s``, ``drive_s``, ``drive_km``, ``what``, ``total``, ``covered``,
        ``share``, ``share_NAME`` at each slower speed, ``share_twice``, ``share_thrice``; in a
        scenario ``lost`` and ``cut_off``; ``share_after`` with the proposed sites.
    """
    main = next(iter(dry))
    before = dry[main][1]
    rows = []
    every = {"": dry[main]} | {name: pairs[main] for name, pairs in wet.items()}
    for scenario, (demand, reach) in every.items():
        total = float(demand.weight.sum())
        whole = max(total, 1e-12)
        for target in rule.targets:
            drive = target.seconds - target.response_s
            covered = covered_weight(demand, reach, target)
            row: dict[str, object] = {
                "scenario": scenario,
                "rule": target.rule,
                "target": target.key,
                "target_s": target.seconds,
                "response_s": target.response_s,
                "drive_s": drive,
                "drive_km": drive * speed_kmh / 3600.0,
                "what": main,
                "total": total,
                "covered": covered,
                "share": covered / whole,
                **{
                    f"share_{name}": covered_weight(demand, reach.slower(part), target) / whole
                    for name, part in (slower or {}).items()
                },
                "share_twice": covered_weight(demand, reach, target, least=2) / whole,
                "share_thrice": covered_weight(demand, reach, target, least=3) / whole,
            }
            if scenario:
                row["lost"] = covered_weight(demand, before, target) - covered
                row["cut_off"] = float(demand.weight[cut_off(before, reach)].sum())
            then = (after_wet or {}).get(scenario) if scenario else after
            if then is not None:
                row["share_after"] = covered_weight(demand, then, target) / whole
            rows.append(row)
    return pd.DataFrame(rows)


def town_table(
    dry: Pairs,
    wet: Mapping[str, Pairs],
    rule: Rule,
    town_names: Mapping[str, str],
    *,
    after: Reach | None,
) -> pd.DataFrame:
    """Give one row a town with its share in time for every target.

    Parameters
    ----------
    dry, wet, rule
        As in `summary_table`.
    town_names
        Unit code to name.
    after
        As in `summary_table`.

    Returns
    -------
    pandas.DataFrame
        A row for each scenario (empty = dry roads) and town: ``scenario``, ``name``, ``total``,
        ``share_SECONDS`` and ``twice_SECONDS`` (by two or more); on dry roads
        ``share_SECONDS_after`` of the first target; in a scenario ``lost_SECONDS`` and ``cut_off``;
        ``unit_id``. Least covered first, in a scenario those that lose most.
    """
    main = next(iter(dry))
    before, first = dry[main][1], rule.targets[0]
    parts = []
    for scenario, pairs in {"": dry, **wet}.items():
        demand, reach = pairs[main]
        found: dict[str, NDArray[np.bool_]] = {}
        for target in rule.levels:
            times = times_covered(reach, target)
            found[f"share_{target.seconds:g}"] = times > 0
            found[f"twice_{target.seconds:g}"] = times > 1
        if not scenario and after is not None:
            found[f"share_{first.seconds:g}_after"] = times_covered(after, first) > 0
        table = _by_town(demand, found)
        if scenario:
            gone = {
                f"lost_{target.seconds:g}": np.where(times_covered(before, target) > 0, 1.0, 0.0)
                - np.where(times_covered(reach, target) > 0, 1.0, 0.0)
                for target in rule.levels
            } | {"cut_off": cut_off(before, reach)}
            more = _by_town(demand, gone, shares=False).drop(columns="total")
            table = table.join(more)
        order = [f"lost_{first.seconds:g}", "cut_off"] if scenario else ["_share", "total"]
        table["_share"] = -table[f"share_{first.seconds:g}"]
        table = table.sort_values(
            order, ascending=False, kind="stable", key=lambda column: column.round(6)
        ).drop(columns="_share")  # rounding orders nothing
        parts.append(_named(table, town_names, scenario))
    return pd.concat(parts, ignore_index=True)


def _by_town(
    demand: Demand, found: Mapping[str, NDArray[Any]], *, shares: bool = True
) -> pd.DataFrame:
    """Sum weights by town, as shares of the town's people or as people."""
    sums = demand.by_town({"total": np.ones(len(demand.weight)), **found})
    if shares:
        for name in found:
            sums[name] = sums[name] / sums["total"].where(sums["total"] > 0)
    return sums


def _named(table: pd.DataFrame, town_names: Mapping[str, str], scenario: str) -> pd.DataFrame:
    """Give towns their names, and say which scenario it is."""
    codes = table.index.astype(str)
    table = table.reset_index(drop=True)
    table.insert(0, "scenario", scenario)
    table.insert(1, "name", [town_names.get(code, code) for code in codes])
    table["unit_id"] = codes
    return table


def station_table(
    stations: pd.DataFrame,
    names: NDArray[np.object_],
    main: tuple[Demand, Reach],
    setting: Setting,
    *,
    cell_km2: float,
    area_limits: Mapping[str, float],
    flooded: Mapping[str, NDArray[np.bool_]],
    force: Force | None = None,
    calls: Floats | None = None,
    incident_hours: float = 1.0,
) -> pd.DataFrame:
    """Give each station's load and area, and flag areas above the standard.

    Parameters
    ----------
    stations
        Stations indexed by ``item_id``; ``type`` chooses the standard.
    names
        What they are called.
    main
        Cells and how they are reached.
    setting
        Stations on dry roads.
    cell_km2
        Area of a cell [km2].
    area_limits
        Station type to the largest area per station [km2].
    flooded
        Scenario to whether each station stands in its water.
    force
        Vehicles and staff of each station.
    calls
        Incidents a year at the places of ``main``, or None.
    incident_hours
        Hours for which an incident keeps a vehicle.

    Returns
    -------
    pandas.DataFrame
        Indexed as ``stations``: ``name``, ``type``, ``vehicle``, ``response_s``, ``on_network``,
        the road on which it was put (``put_on``), how far (``put_m`` [m]) and by what (``put_by``);
        people and area for which it is first (``load``, ``area_km2``), those in time
        (``load_in_time``), people reached in time (``people_in_time``) and by it alone
        (``alone``), ``area_limit_km2``, ``area_over`` (True, False, None without a standard),
        ``area_given_km2`` and ``flooded_in``; ``vehicles`` and ``staff`` as they count; with
        ``calls`` the incidents a year for which it is first, and ``busy``, the share of the time
        that they keep its vehicles.
    """
    demand, reach = main
    count = len(stations)
    target = setting.rule.targets[0]
    first = reach.nearest >= 0

    def per_station(rows: NDArray[np.bool_], weight: Floats) -> Floats:
        total = np.bincount(reach.nearest[rows], weights=weight[rows], minlength=count)
        return total.astype(np.float64)

    near = reach.arrival_s(target) <= target.seconds
    alone = near & (times_covered(reach, target)[reach.place] == 1)
    cells = np.full(len(demand.weight), cell_km2)
    in_time = first & (reach.nearest_s <= target.seconds)
    kind = _column(stations, "type")
    limits = np.array([area_limits.get(str(one), np.nan) for one in kind], dtype=np.float64)
    area = per_station(first, cells)
    weight = demand.weight[reach.place]
    vehicle = np.full(count, "", dtype=object)
    for fleet in setting.fleets:
        vehicle[fleet.rows] = fleet.vehicle
    over = [
        None if np.isnan(most) else bool(own > most) for own, most in zip(area, limits, strict=True)
    ]
    own = None if calls is None else per_station(first, calls)
    return pd.DataFrame(
        {
            "name": names,
            "type": kind,
            "vehicle": vehicle,
            "response_s": setting.start,
            "on_network": setting.on,
            **_put_on(stations, setting),
            "load": per_station(first, demand.weight),
            "load_in_time": per_station(in_time, demand.weight),
            "people_in_time": np.bincount(reach.station[near], weight[near], minlength=count),
            "alone": np.bincount(reach.station[alone], weight[alone], minlength=count),
            "area_km2": area,
            "area_in_time_km2": per_station(in_time, cells),
            "area_limit_km2": limits,
            "area_over": pd.Series(over, index=stations.index, dtype=object),
            "flooded_in": [
                "、".join(name for name, wet in flooded.items() if wet[row]) for row in range(count)
            ],
            **_brought(force, own, incident_hours),
        },
        index=stations.index,
    )


def _brought(force: Force | None, calls: Floats | None, hours: float) -> dict[str, Floats]:
    """Give what stations bring, and how busy that is."""
    if force is None:
        return {}
    found = {"vehicles": force.vehicles, "staff": force.staff}
    if calls is not None:
        free = 8760.0 * np.maximum(force.vehicles, 1.0)
        found |= {"calls": calls, "busy": np.minimum(calls * hours / free, 1.0)}
    return found


def force_of(stations: pd.DataFrame, presets: Presets) -> Force:
    """Take what every station brings; a preset where it says nothing.

    Parameters
    ----------
    stations
        Stations; ``vehicles`` and ``staff``.
    presets
        ``station.default_force`` and ``station.risk_force``.

    Returns
    -------
    Force
        With what an effective force is by risk class.
    """
    usual, wanted = presets["station.default_force"], presets["station.risk_force"]
    brought = []
    for name in ("vehicles", "staff"):
        own = np.full(len(stations), np.nan)
        if name in stations.columns:
            own = pd.to_numeric(stations[name], errors="coerce").to_numpy(np.float64)
        brought.append(np.where(np.isfinite(own), own, float(usual[name])))
    return Force(
        vehicles=brought[0], staff=brought[1],
        wanted={int(k): (float(one["vehicles"]), float(one["staff"])) for k, one in wanted.items()},
    )  # fmt: skip


def site_table(siting: Siting, *, year: int | None, presets: Presets) -> pd.DataFrame:
    """Put the gain of every number of new sites beside the site that is built next.

    Parameters
    ----------
    siting
        What the model answered.
    year
        Year of the data; building begins in the next one.
    presets
        ``station.sites_a_year`` and ``station.site_cost_10k``.

    Returns
    -------
    pandas.DataFrame
        ``order`` (0: none yet), ``id``, ``name``, ``x``, ``y``, ``gain``, ``stays``, ``year``,
        ``cost_10k`` and ``cost_per_person`` (yuan a person gained); ``covered``, ``share``,
        ``share_in_order``, ``bound_share``, ``objective``, ``bound``, ``gap``, ``recount`` and
        ``status`` of the best choice of so many sites.
    """
    sites = siting.sites.copy()
    sites.insert(0, "order", np.arange(1, len(sites) + 1))
    a_year = max(float(presets["station.sites_a_year"]), 1e-9)
    if year is not None:
        sites["year"] = (year + np.ceil(sites["order"] / a_year)).astype(np.int64)
    sites["cost_10k"] = float(presets["station.site_cost_10k"])
    gain = sites["gain"].where(sites["gain"] > 0)
    sites["cost_per_person"] = sites["cost_10k"] * 1e4 / gain
    table = sites.merge(
        siting.curve.rename(columns={"k": "order"}), on="order", how="outer", sort=True
    )
    for name, word in (("id", ""), ("name", text("as it is")), ("stays", "")):
        if name in table:
            blank = pd.Series([word] * len(table), dtype=object)
            table[name] = table[name].astype(object).where(table[name].notna(), blank)
    return table.reset_index(drop=True)


def overlap_table(
    demand: Demand, reach: Reach, rule: Rule, stations: NDArray[np.object_]
) -> pd.DataFrame:
    """List the pairs of stations that reach the same people in time.

    Parameters
    ----------
    demand, reach
        Cells and how they are reached.
    rule
        Its targets count, one after the other.
    stations
        Names of the stations.

    Returns
    -------
    pandas.DataFrame
        ``target_s``, ``station_a``, ``station_b``, ``weight`` (people both reach), ``share_a``
        and ``share_b`` of the people that each reaches; most first.
    """
    from scipy.sparse import csr_array

    parts = []
    shape = (len(demand.weight), len(stations))
    for target in rule.levels:
        near = reach.arrival_s(target) <= target.seconds
        who = (reach.place[near], reach.station[near])
        hit = csr_array((np.ones(int(near.sum())), who), shape=shape)
        people = csr_array((demand.weight[who[0]], who), shape=shape)
        both = (hit.T @ people).tocoo()
        alone = np.bincount(who[1], demand.weight[who[0]], minlength=len(stations))
        rows = (both.row < both.col) & (both.data > 0)
        a, b, shared = both.row[rows], both.col[rows], both.data[rows]
        part = pd.DataFrame({"station_a": stations[a], "station_b": stations[b], "weight": shared})
        part.insert(0, "target_s", target.seconds)
        part["share_a"], part["share_b"] = shared / alone[a], shared / alone[b]
        parts.append(part)
    order = ["target_s", "weight", "station_a", "station_b"]
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(order, ascending=[True, False, True, True], ignore_index=True)


def _put_on(stations: pd.DataFrame, setting: Setting) -> dict[str, Any]:
    """Tell on which road each station was put, how far from it, and whether it named the road."""
    if setting.places is None:
        return {}
    at = setting.places
    names, by = road_of(setting.graph, at, named_roads(stations))
    return {
        "put_on": pd.Series(names, index=stations.index, dtype=object),
        "put_m": np.where(at.on, at.walk_m, np.nan),
        "put_by": pd.Series(by, index=stations.index, dtype=object),
    }


def _column(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Give a text column, empty where it is missing."""
    if name not in table.columns:
        return np.full(len(table), "", dtype=object)
    return table[name].astype(object).where(table[name].notna(), "").to_numpy(dtype=object)


OFF_ROADS: Final = text(
    "stations off the road network (in water, or too far from a road) serve nobody; "
    "check their places: {names}"
).msgid
IN_WATER: Final = text(
    "{scenario}: stations standing in water, move vehicles out beforehand: {names}"
).msgid
DROWNED: Final = text(
    "{scenario}: stations in water that their vehicles may not enter serve nobody: {names}; "
    "{share} within {min} min, or {moved} if their vehicles are moved to dry ground beside "
    "them beforehand"
).msgid
NO_SITE: Final = text("No new site is proposed: {why}").msgid
FEWER: Final = text(
    "{asked} new sites are asked for, but there are only {n} candidates; all are taken"
).msgid


def _last_metres(setting: Setting) -> Text:
    """Say where times end."""
    if np.isinf(setting.access_ms):
        return text("times end on the road: the way from there to the door is not counted")
    return text(
        "times end where the vehicle stops on the road: within {m} m of it ({cell} m for "
        "cells) nothing is added, what lies farther is driven at {v} km/h",
        m=f"{setting.near_m:g}", cell=f"{setting.cell_m:g}", v=f"{setting.access_ms * 3.6:g}",
    )  # fmt: skip


def station_notes(
    setting: Setting,
    names: NDArray[np.object_],
    tables: Mapping[str, pd.DataFrame],
    *,
    known: bool,
    flooded: Mapping[str, NDArray[np.bool_]],
    most: float,
    drowned: Mapping[str, NDArray[np.bool_]],
    outside: int = 0,
) -> tuple[Text, ...]:
    """Say what must be known beside the numbers, the result first.

    Parameters
    ----------
    setting
        Stations on dry roads.
    names
        Names of the stations.
    tables
        Tables of the plan.
    known
        Whether the number of people is known.
    flooded
        Scenario to whether each station stands in its water.
    most
        Share from which free flow is stressed.
    drowned
        Scenario to whether each station stands in water that its vehicles may not enter.
    outside
        How many of the stations lie outside the place.

    Returns
    -------
    tuple
        Notes.
    """
    summary = of_state(tables["summary"])
    summary = summary.drop_duplicates(["target_s", "response_s"]).sort_values("target_s")
    notes = [
        _reached(summary, len(names) - outside, known=known),
        _why(setting, mean_speed_kmh(setting)),
        *_mutual_aid(outside),
    ]
    if not known:
        notes.append(text("no population: every cell counts the same"))
    notes.append(_last_metres(setting))
    table = tables["stations"]
    if "put_by" in table and (table["put_by"] == "other").any():
        notes.append(
            text(
                "stations whose named road is not within reach stand on another: {names}",
                names="、".join(map(str, names[(table["put_by"] == "other").to_numpy()])),
            )
        )
    off = names[~setting.on]
    if len(off):
        notes.append(
            text(
                "stations off the road network (in water, or too far from a road) serve nobody; "
                "check their places: {names}",
                names="、".join(map(str, off)),
            )
        )
    for scenario, wet in flooded.items():
        if wet.any():
            notes.append(
                text(
                    "{scenario}: stations standing in water, move vehicles out beforehand: {names}",
                    scenario=scenario,
                    names="、".join(map(str, names[wet])),
                )
            )
    for scenario, deep in drowned.items():
        if deep.any():
            notes.append(_out_of_service(scenario, names[deep], tables["coverage"]))
    share = float(summary["share"].iloc[0]) if len(summary) else 0.0
    if share > most and setting.graph.hour is None:
        notes.append(
            text(
                "{share} within the target is a free-flow figure; measured times are longer",
                share=f"{share:.1%}",
            )
        )
    return (*notes, *standard_notes(tables["standards"]))


def _out_of_service(scenario: str, names: NDArray[np.object_], table: pd.DataFrame) -> Text:
    """Say which stations serve nobody, and what moving their vehicles out in time would give."""
    row = of_state(table, scenario).iloc[0]
    return text(
        "{scenario}: stations in water that their vehicles may not enter serve nobody: {names}; "
        "{share} within {min} min, or {moved} if their vehicles are moved to dry ground beside "
        "them beforehand",
        scenario=scenario,
        names="、".join(map(str, names)),
        share=f"{row['share']:.1%}",
        min=f"{row['target_s'] / 60:g}",
        moved=f"{row['share_moved']:.1%}",
    )


def _mutual_aid(outside: int) -> tuple[Text, ...]:
    """Say that stations outside the place are counted on."""
    if not outside:
        return ()
    said = text(
        "{n} more stations outside the place (区外) count for the arrival: agree on mutual aid, or "
        "switch them off (beyond: {{rescue_station: false}})",
        n=outside,
    )
    return (said,)


def _reached(summary: pd.DataFrame, count: int, *, known: bool) -> Text:
    """Say every target's share in one line."""
    each = [
        text("{min} min {share}", min=f"{seconds / 60:g}", share=f"{share:.1%}")
        for seconds, share in zip(summary["target_s"], summary["share"], strict=True)
    ]
    parts = each[0]
    for more in each[1:]:
        parts = text("{parts}, {more}", parts=parts, more=more)
    if known:
        return text("{n} stations, share of the people reached: {parts}", n=count, parts=parts)
    return text("{n} stations, share of the cells reached: {parts}", n=count, parts=parts)


def _why(setting: Setting, speed_kmh: float) -> Text:
    """Say how much of the first target is left for driving, and how far that goes."""
    target = setting.rule.targets[0]
    wait = float(np.median(setting.start)) if len(setting.start) else target.response_s
    drive = max(target.seconds - wait, 0.0)
    return text(
        "Of {total} s, {wait} s are call handling and turn-out: {drive} s are left for driving, "
        "about {km} km of road at the mean {speed} km/h",
        total=f"{target.seconds:g}",
        wait=f"{wait:g}",
        drive=f"{drive:g}",
        km=f"{drive * speed_kmh / 3600:.1f}",
        speed=f"{speed_kmh:.0f}",
    )


def headlines(notes: tuple[Text, ...]) -> tuple[Text, ...]:
    """Choose what the person at the keyboard must see.

    Parameters
    ----------
    notes
        Notes of the plan; the result stands first.

    Returns
    -------
    tuple
        The result, stations that serve nobody, and why a site is lacking.
    """
    seen = (OFF_ROADS, IN_WATER, DROWNED, NO_SITE, FEWER)
    return (*notes[:1], *(note for note in notes[1:] if note.msgid in seen))


BEFORE: Final = "before"
AFTER: Final = "after"
NONE_BAND, LOST_BAND, CUT_BAND = 5, 6, 9
"""Numbers by which the page and the GeoPackage colour what is no nested band."""


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """Stations and how they reach the cells, as they are or with the proposed sites."""

    when: str
    setting: Setting
    cells: Reach


def station_layers(
    states: Sequence[State],
    wet: Mapping[str, Reach],
    grid: Grid,
    *,
    names: NDArray[np.object_],
    half_width_m: float,
    siting: Siting | None,
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Text]]:
    """Draw the coverage.

    Parameters
    ----------
    states
        As it is, and with the proposed sites when there are any.
    wet
        Scenario to how the existing stations reach the cells.
    grid
        The grid.
    names
        Names of the stations, the proposed ones behind.
    half_width_m
        How far from a reached road land counts as reached [m].
    siting
        Chosen sites, or None.

    Returns
    -------
    tuple
        Name to a layer with ``kind``, ``label``, ``band``, ``when`` (``before``, ``after`` or
        empty), for scenarios ``scenario``; and name to its title.
    """
    squares = cell_polygons(grid, inside_cells(grid))
    crs = states[0].setting.graph.crs
    levels = states[0].setting.rule.levels
    roads, bands = _areas(
        states[0], squares, half_width_m, fleets=states[0].setting.fleets, levels=levels
    )
    parts, land = [roads.assign(when="")], [bands.assign(when=BEFORE)]
    for state in states[1:]:
        more, fresh = _gained(states[0], state, squares, half_width_m)
        parts.append(more.assign(when=AFTER))
        land.append(_merged(_joined([bands, fresh]), state.setting).assign(when=AFTER))
    layers = {
        "bands": _bands(_joined(land), levels, states[0].setting.graph.hour),
        "roads": _roads(_joined(parts), names, states[0].setting.rule),
    }
    shapes = squares.geometry.to_numpy()
    titles = {
        "bands": text("Reached in time"),
        "roads": text("Reached roads"),
        "lost": text("Cover lost to water"),
        "sites": text("Proposed stations"),
    }
    for target in states[0].setting.rule.levels:
        layers[f"cover_{target.seconds:g}"] = _cover(states, shapes, target, crs)
        titles[f"cover_{target.seconds:g}"] = text(
            "Cover within {min} min: none, single, double", min=target.minutes
        )
    lost = [_lost(states[0], name, cells, shapes, crs) for name, cells in wet.items()]
    there = [part for part in lost if part is not None]
    if there:
        layers["lost"] = _joined(there)
    if siting is not None and len(siting.sites):
        layers["sites"] = _sites(siting, crs)
    return {name: layer for name, layer in layers.items() if len(layer)}, titles


def _joined(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Put tables of shapes under each other."""
    import geopandas as gpd

    there = [part for part in parts if len(part)] or list(parts[:1])
    return gpd.GeoDataFrame(pd.concat(there, ignore_index=True), crs=parts[0].crs)


def _gained(
    before: State, after: State, squares: gpd.GeoDataFrame, half_width_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give what the proposed sites add: along their roads under the first rule, else by cells."""
    import geopandas as gpd

    rule = before.setting.rule
    first = rule.targets[0]
    near = [one for one in rule.levels if one.seconds <= rule.own_longest]
    better = after.cells.best_s(first) < before.cells.best_s(first)
    fleets = after.setting.fleets[-1:]
    roads, areas = _areas(
        after, squares, half_width_m, fleets=fleets, levels=near, rows=np.flatnonzero(better)
    )
    parts = [areas]
    for number, target in enumerate(rule.levels, 1):
        new = (times_covered(after.cells, target) > 0) & (times_covered(before.cells, target) == 0)
        if target not in near and new.any():
            shapes = squares.geometry.to_numpy()[new]
            columns = {"band": number, "limit": target.seconds}
            land = [shapely.coverage_union_all(shapes)]
            parts.append(gpd.GeoDataFrame(columns, geometry=land, crs=squares.crs, index=[0]))
    return roads, _joined(parts)


def _areas(
    state: State,
    squares: gpd.GeoDataFrame,
    half_width_m: float,
    *,
    fleets: Sequence[Fleet],
    levels: Sequence[Target],
    rows: NDArray[np.int64] | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give reached roads and nested bands of some fleets, each rule on its own clock."""
    setting = state.setting
    every = setting.rule.levels
    roads, areas = [], []
    for wait in sorted({target.response_s for target in levels}):
        asked = [target for target in levels if target.response_s == wait]
        numbers = [every.index(target) + 1 for target in asked]
        timed = squares[["geometry"]].assign(cost=state.cells.best_s(asked[-1]))
        timed = timed if rows is None else timed.iloc[rows]
        for fleet in fleets:
            shift = np.where(setting.own[fleet.rows], 0.0, wait - setting.rule.response_s)
            road, area = service_areas(
                setting.graph,
                fleet.places,
                limits=[target.seconds for target in asked],
                half_width_m=half_width_m,
                start=fleet.start + shift,
                edge_cost=fleet.edge_cost,
                cells=timed,
            )
            band = np.array([0, *numbers])
            facility = fleet.rows[road["facility"].to_numpy(dtype=np.int64)]
            roads.append(road.assign(band=band[road["band"]], facility=facility))
            areas.append(area.assign(band=band[area["band"]]))
    if len(areas) == 1:
        return roads[0], areas[0]
    return _joined(roads), _merged(_joined(areas), setting)


def _merged(areas: gpd.GeoDataFrame, setting: Setting) -> gpd.GeoDataFrame:
    """Join the bands of several fleets and tell the exclaves anew."""
    import geopandas as gpd

    spots = np.concatenate([shapely.points(one.places.xy[one.places.on]) for one in setting.fleets])
    parts = []
    for (band, limit), rows in areas.groupby(["band", "limit"], sort=True):
        shapes = shapely.get_parts(shapely.union_all(rows.geometry.to_numpy()))
        held = np.zeros(len(shapes), dtype=bool)
        held[np.unique(shapely.STRtree(shapes).query(spots, predicate="intersects")[1])] = True
        columns = {
            "band": band, "limit": limit, "part": np.arange(1, len(shapes) + 1),
            "exclave": ~held, "area_km2": shapely.area(shapes) / 1e6,
        }  # fmt: skip
        parts.append(gpd.GeoDataFrame(columns, geometry=shapes, crs=areas.crs))
    return _joined(parts)


def _bands(areas: gpd.GeoDataFrame, levels: Sequence[Target], hour: int | None) -> gpd.GeoDataFrame:
    """Give the bands, widest first so that better ones are drawn over them."""
    out = areas.sort_values(["band", "part"], ascending=[False, True], ignore_index=True)
    label = [
        _band_label(levels[int(band) - 1], hour, exclave=bool(exclave))
        for band, exclave in zip(out["band"], out["exclave"], strict=True)
    ]
    return out.assign(kind="coverage", label=pd.Series(label, index=out.index, dtype=object))


def _band_label(target: Target, hour: int | None, *, exclave: bool) -> Text:
    """Name one part of a band."""
    if hour is not None:
        if exclave:
            return text(
                "within {min} min, traffic at {hour}:00, exclave", min=target.minutes, hour=hour
            )
        return text("within {min} min, traffic at {hour}:00", min=target.minutes, hour=hour)
    if exclave:
        return text("within {min} min, free flow, exclave", min=target.minutes)
    return text("within {min} min, free flow", min=target.minutes)


def _roads(roads: gpd.GeoDataFrame, names: NDArray[np.object_], rule: Rule) -> gpd.GeoDataFrame:
    """Join the reached roads of each station and band, under the first rule."""
    import geopandas as gpd

    levels = rule.levels
    roads = roads[(roads["limit"] <= rule.own_longest) & (roads.geometry.length > 0)]
    if roads.empty:
        return roads.assign(kind="edge", label="")
    rows: list[dict[str, Any]] = []
    for (when, band, who), part in roads.groupby(["when", "band", "facility"], sort=True):
        target = levels[int(band) - 1]
        label = text("{name}: within {min} min", name=names[int(who)], min=target.minutes)
        lines = shapely.multilinestrings(part.geometry.to_numpy())
        rows.append(
            {"band": band, "facility": who, "limit": target.seconds, "when": when, "kind": "edge",
             "label": label, "geometry": lines}
        )  # fmt: skip
    return gpd.GeoDataFrame(rows, crs=roads.crs)


def _cover(
    states: Sequence[State], shapes: NDArray[np.object_], target: Target, crs: str
) -> gpd.GeoDataFrame:
    """Join the cells that are covered never, once, twice or more."""
    rows = []
    for state in states:
        times = times_covered(state.cells, target)
        groups = [
            (text("covered by none"), times == 0, NONE_BAND),
            (text("covered once"), times == 1, 2),
            (text("covered twice or more"), times > 1, 1),
        ]
        rows += [row | {"when": state.when} for row in _patches(shapes, groups)]
    return _table(rows, crs).assign(kind="coverage", target_s=target.seconds)


def _lost(
    state: State, scenario: str, wet: Reach, shapes: NDArray[np.object_], crs: str
) -> gpd.GeoDataFrame | None:
    """Join the cells that lose cover under water, by target, and those cut off from everybody."""
    dry = state.cells
    cut = np.isfinite(dry.nearest_s) & ~np.isfinite(wet.nearest_s)
    groups = [(text("cut off from every station"), cut, CUT_BAND)]
    for place, target in enumerate(state.setting.rule.levels):
        gone = (times_covered(dry, target) > 0) & (times_covered(wet, target) == 0) & ~cut
        label = text("no longer reached within {min} min", min=target.minutes)
        groups.append((label, gone, min(LOST_BAND + place, CUT_BAND - 1)))
    rows = _patches(shapes, groups)
    if not rows:
        return None
    return _table(rows, crs).assign(kind="coverage", scenario=scenario)


def _patches(
    shapes: NDArray[np.object_], groups: Sequence[tuple[Text, NDArray[np.bool_], int]]
) -> list[dict[str, Any]]:
    """Join the cells of each group that has any."""
    return [
        {"label": label, "band": band, "geometry": shapely.coverage_union_all(shapes[hit])}
        for label, hit, band in groups
        if hit.any()
    ]


def _table(rows: Sequence[Mapping[str, Any]], crs: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def _sites(siting: Siting, crs: str) -> gpd.GeoDataFrame:
    """Give the proposed sites as points, in the order of their gain."""
    import geopandas as gpd

    sites = siting.sites.reset_index(drop=True)
    labels = [
        text("proposed site {n}: {people} more people in time", n=i + 1, people=f"{gain:,.0f}")
        for i, gain in enumerate(sites["gain"])
    ]
    return gpd.GeoDataFrame(
        sites.assign(kind="site", label=pd.Series(labels, dtype=object), band=1, when=""),
        geometry=gpd.points_from_xy(sites["x"], sites["y"]),
        crs=crs,
    )

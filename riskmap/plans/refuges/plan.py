"""The refuge plan of one state of the world: who goes where, what is short, what mends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from riskmap.geo.grid import unit_of_points
from riskmap.i18n import Text, text
from riskmap.layers.layer import numbers, texts
from riskmap.plans.options import warning_seconds
from riskmap.plans.refuges.assign import Case, assign, early_case, mend_table, scattered
from riskmap.plans.refuges.checks import audit, eligibility, refuge_checks, refuge_spots, usable_for
from riskmap.plans.refuges.dangers import Dangers, State, World, place_checks
from riskmap.plans.refuges.demand import (
    assisted_share,
    capacity_table,
    last_arrival,
    lived_in,
    living,
    part,
    people_to_move,
    vehicles_table,
)
from riskmap.plans.refuges.schedule import (
    Cleared,
    Placing,
    accessibility,
    clearance,
    hours,
    opening,
    reach_cells,
    scorecard,
    stage_places,
    timetable,
)
from riskmap.plans.refuges.sites import proposals, site_proofs, site_tables
from riskmap.plans.refuges.tables import (
    assignment_table,
    handout,
    plan_layers,
    plan_notes,
    recounted,
    shortfall_table,
    summary,
    with_reasons,
)
from riskmap.plans.refuges.ways import Net, Routes, group_ways, plan_routes, roads_in
from riskmap.result import Plan, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions
    from riskmap.plans.refuges.assign import Assigned
    from riskmap.plans.refuges.demand import Living
    from riskmap.plans.refuges.sites import Proposed
    from riskmap.vocabulary.presets import Presets


__all__ = ["State", "World", "refuge_plan"]


def refuge_plan(
    world: World,
    *,
    options: RefugeOptions,
    limits_s: Mapping[str, float],
    state: State | None = None,
) -> Plan:
    """Plan the refuges for one state of the world.

    Parameters
    ----------
    world
        Layers, grid, roads and presets.
    options
        The plan's options.
    limits_s
        Longest way by mode [s].
    state
        Water, closures and danger areas of a scenario; without flood by default.

    Returns
    -------
    Plan
        Tables (summary, shortfall, mend, assignment, handout, vehicles, usable_for, eligibility,
        capacity, sites, siting, equity, scorecard, accessibility), layers and proof: the
        objective is person-minutes, the bound equals it when the ordered aims are proven.
    """
    now = state or State()
    roads = roads_in(now, world, limits_s)
    dry = roads if now.dry else tuple(net.dry for net in roads)
    dangers = now.dangers(world)
    warning_s = warning_seconds(options, world.presets, now.name)
    held, fit, usable = _checked(world, roads, dangers, options, warning_s)
    case = _assigned(world, now, roads, held, usable, options)
    routes, sent = _sent(world, now, case, roads, dry, held)
    vehicles = vehicles_table(sent, warning_s=warning_s, presets=world.presets)
    sent = in_time(sent, vehicles, warning_s=warning_s, presets=world.presets)
    sites = proposals(world, case, dangers, roads, options)
    recount = recounted(case.done, case.counts, case.places, case.assisted)
    tables = {
        **_about_people(world, case, roads, dry, sites, sent),
        "vehicles": vehicles,
        "usable_for": usable_for(fit, now.name),
        "eligibility": fit[~fit["usable"] | fit["value"].notna()].reset_index(drop=True),
        "capacity": _held(world, case, held, usable),
        **_standards(world, roads, held, usable, case.places),
        **site_tables(world, case, roads, sites),
    }
    early = _early_sheet(world, now, case, dry, held, warning_s)
    tables["handout"] = _below(tables["handout"], early.table)
    villages = timetable(tables["shortfall"], sent, early.sent, world.presets)
    tables["shortfall"] = with_reasons(villages, scattered(case), early.reasons)
    tables["audit"] = audit(world, now, case, fit, _below(sent, early.sent), roads, warning_s)
    proof = _proof(now.name, case.done, recount)
    short = summary(
        now.name, recount, case.done, usable, tables, early_vehicles=early.vehicles, proof=proof,
        presets=world.presets, outside=world.outside,
    )  # fmt: skip
    cleared = _cleared(world, roads, sent, routes, early)
    shared, shared_lines = shared_areas(world, now, case)
    lines = (*shared_lines, *cleared.lines, *hours(world, now, case, roads))
    more = pd.DataFrame(lines, columns=["what", "value", "unit"]).astype(object)
    tables = {"summary": pd.concat([short, more], ignore_index=True), **tables}
    late = float(sent.loc[~sent["in_time"].astype(bool), "people"].sum())
    said = plan_notes(
        now.name, recount, case.done, fit, held, roads, options,
        late=late, warning_h=warning_s / 3600,
    )  # fmt: skip
    layers, titles = plan_layers(
        now.name, tables, case.done, case.people, routes, world.refuges, case.refuges, sites,
        str(world.refuges.crs), cleared.roads,
    )  # fmt: skip
    return Plan(
        tables=tables,
        layers=layers,
        titles=titles,
        notes=(*said, *shared, *unknown_areas(world, now), *(sites.notes if sites else ())),
        proof=(proof, *site_proofs(now.name, tables)),
        headlines=said[:1] if recount["shortfall"] > 0 else (),
    )


def _below(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Put two tables one below the other; an empty one decides no column's type."""
    there = [one for one in (first, second) if len(one)]
    return pd.concat(there or [first], ignore_index=True)


def _proof(name: str, done: Assigned, recount: dict[str, float]) -> Proof:
    """Set the person-minutes of the plan beside the least of any with the same earlier aims."""
    status, spent, gap = done.solution.status, done.person_seconds, done.solution.gap
    least = spent if status == "optimal" else None
    if least is not None and done.least_seconds is not None:
        least = min(done.least_seconds, spent)
        gap = (spent - least) / spent if spent > 0 else 0.0
        if gap < WHOLE:
            gap, least = 0.0, spent
        status = "feasible" if gap else "optimal"
    return Proof(
        question=text("Who goes where"), scenario=name, status=status,
        objective=spent / 60, bound=None if least is None else least / 60, gap=gap,
        recount=recount,
    )  # fmt: skip


WHOLE = 1e-3
"""Gaps of time below this come from counting in tenths of seconds."""


def _checked(
    world: World,
    roads: tuple[Net, ...],
    dangers: Dangers,
    options: RefugeOptions,
    warning_s: float,
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.bool_]]:
    """Compute capacities, run every check, and tell which refuges may be used."""
    xy, presets = world.xy, world.presets
    held = capacity_table(
        world.refuges, presets=presets, options=options, data_date=world.data_date
    )
    on_road = None
    if world.on_roads:
        on_road = np.zeros(len(xy), bool)
        for net in roads:
            on_road |= net.snap(xy).on
    spots = refuge_spots(world.refuges, xy, presets)
    checks = [
        *place_checks(spots, dangers, presets=presets),
        *refuge_checks(
            world.refuges, held, on_road=on_road, warning_h=warning_s / 3600, day=world.data_date
        ),
    ]
    return (held, *eligibility(world.refuges, checks, options))


def _assigned(
    world: World,
    now: State,
    roads: tuple[Net, ...],
    held: pd.DataFrame,
    usable: NDArray[np.bool_],
    options: RefugeOptions,
) -> Case:
    """Find who moves, part those who need a vehicle, and send everybody somewhere."""
    groups = people_to_move(
        world.grid, world.units, population=world.population, standing=world.standing,
        scenario=now.danger_area, depth_m=now.depth_m, depths=now.depths, presets=world.presets,
        home=_home(world),
    )  # fmt: skip
    share = assisted_share(world.sensitive, world.units, world.presets)
    people = part(groups, share)
    assisted = people.table["assisted"].to_numpy(bool)
    places = np.where(usable, held["places"], 0).astype(np.float64)
    possible = group_ways(roads, people.xy, world.xy, assisted)
    moved = people.table["people"].to_numpy(np.float64)
    tiers = held["tier"].tolist()
    blank = assign(possible.iloc[:0], moved, places, tiers, options, assisted=assisted)
    case = Case(
        people=people, possible=possible, done=blank, refuges=world.xy, places=places, tiers=tiers,
        names=held["name"].tolist(), held=held, options=options, presets=world.presets,
    )  # fmt: skip
    return replace(case, done=case.solve(possible, places, tiers, together=True))


def _sent(
    world: World,
    now: State,
    case: Case,
    roads: tuple[Net, ...],
    dry: tuple[Net, ...],
    held: pd.DataFrame,
) -> tuple[Routes, pd.DataFrame]:
    """Find the roads of every assignment and list it with them, both in one order."""
    routes = plan_routes(
        case.done.pairs, roads, dry,
        origins=case.people.xy, refuges=case.refuges, names=world.road_names,
        most_shared=float(world.presets["refuge.other_way_shared"]),
        landmarks=world.landmarks, goals=case.names,
    )  # fmt: skip
    table = assignment_table(
        case.done, case.possible, case.people, held, world.units, case.places,
        routes=routes.table.assign(through=through_danger(world, now, case, routes)),
    )  # fmt: skip
    at = table.pop("row").to_numpy(np.int64)
    return routes.in_order(at), table


def in_time(
    sent: pd.DataFrame, vehicles: pd.DataFrame, *, warning_s: float, presets: Presets
) -> pd.DataFrame:
    r"""Tell who arrives before the peak, and when each must set out at the latest.

    .. math:: s = T - t_0 - w, \qquad \text{leave} = w + m

    Parameters
    ----------
    sent
        Table of assignments.
    vehicles
        Table of vehicles: later rounds of a village's vehicles count for all who ride.
    warning_s
        Time from the warning to the peak T [s].
    presets
        Preparation t_0 and margin m.

    Returns
    -------
    DataFrame
        With arrive_min (from setting out to the arrival of the last), spare_min (what is left
        before the peak, below 0 it is too late), in_time and leave_min (before the peak).
    """
    last = last_arrival(sent, vehicles)
    spare = warning_s / 60 - float(presets["refuge.prepare_min"]) - last
    at = sent.columns.tolist().index("minutes") + 1
    table = sent.copy()
    leave = np.ceil(last + float(presets["refuge.margin_min"]))
    for name, value in (
        ("leave_min", leave), ("in_time", spare >= 0), ("spare_min", np.round(spare, 1)),
        ("arrive_min", np.round(last, 1)),
    ):  # fmt: skip
        table.insert(at, name, value)
    return table


@dataclass(frozen=True, eq=False, kw_only=True)
class _Early:
    """Those who have a way only before the water comes."""

    table: pd.DataFrame
    vehicles: pd.DataFrame
    sent: pd.DataFrame
    routes: Routes | None = None
    reasons: Mapping[str, Text] = field(default_factory=dict)
    """Why villages are sent to many refuges."""


def _early_sheet(
    world: World,
    now: State,
    case: Case,
    dry: tuple[Net, ...],
    held: pd.DataFrame,
    warning_s: float,
) -> _Early:
    """Say where those who are cut off at the peak go before the water comes, and by what."""
    then = None if now.dry else early_case(case, dry)
    if then is None:
        none = pd.DataFrame()
        return _Early(table=none, vehicles=none, sent=none)
    routes, sent = _sent(world, now, then, dry, dry, held)
    vehicles = vehicles_table(sent, warning_s=warning_s, presets=world.presets)
    sent = in_time(sent, vehicles, warning_s=warning_s, presets=world.presets)
    table = handout(sent, world.refuges, addresses(world, dry), early=True)
    return _Early(table=table, vehicles=vehicles, sent=sent, routes=routes, reasons=scattered(then))


def _held(world: World, case: Case, held: pd.DataFrame, usable: NDArray[np.bool_]) -> pd.DataFrame:
    """Say of every refuge its places, those by how long people stay, and when it opens."""
    first = opening(case)
    more = stage_places(held, world.presets)
    table = pd.concat([held.assign(usable=usable), more], axis=1)
    table["open_order"] = first["open_order"].to_numpy()
    table["open_people"] = first["open_people"].to_numpy()
    return table.reset_index(names="item_id")


def _cleared(
    world: World, roads: tuple[Net, ...], sent: pd.DataFrame, routes: Routes, early: _Early
) -> Cleared:
    """Sum the ways of all, those before the water too, on the roads."""
    rows, every = sent, routes
    if early.routes is not None:
        rows = pd.concat([sent, early.sent], ignore_index=True)
        every = replace(routes, ways=(*routes.ways, *early.routes.ways))
    placing = Placing(names=world.road_names, units=world.units)
    return clearance(rows, every, roads, placing, world.presets, on_roads=world.on_roads)


def addresses(world: World, roads: tuple[Net, ...]) -> list[Text | str]:
    """Say where each refuge stands: its address, else its village and the road beside it.

    Parameters
    ----------
    world
        Refuges, units, names of the roads.
    roads
        Roads by mode.

    Returns
    -------
    list
        One text a refuge.
    """
    units = world.units
    own = texts(world.refuges, "address")
    home = unit_of_points(world.refuges.geometry, units[units["finest"]])
    places = [str(units["name"].get(code, "")) for code in home]
    beside = [""] * len(own)
    if roads and len(world.road_names):
        net = roads[0]
        edges = net.snap(world.xy).edge
        beside = [world.road_names[net.graph.edge_row[e]] if e >= 0 else "" for e in edges]
    return [
        said
        or (text("{village}, beside {road}", village=place, road=road) if place and road else place)
        for said, place, road in zip(own, places, beside, strict=True)
    ]


def through_danger(world: World, now: State, case: Case, routes: Routes) -> list[str]:
    """Name the danger areas through which each way leads, but for the one that people leave.

    Parameters
    ----------
    world, now
        Danger areas that always hold, and those of the scenario.
    case
        The assignment.
    routes
        The roads of every assignment.

    Returns
    -------
    list of str
        Names, empty where the way keeps clear.
    """
    areas = now.dangers(world).areas
    said = [""] * len(routes.lines)
    if areas is None or not len(areas) or not len(routes.lines):
        return said
    shapes = np.asarray(areas.geometry.array, dtype=object)
    names = texts(areas, "name")
    pairs = case.done.pairs
    start = shapely.points(case.people.xy[pairs["demand"].to_numpy(np.int64)])
    way, area = shapely.STRtree(shapes).query(routes.lines, predicate="intersects")
    some = shapely.length(shapely.intersection(routes.lines[way], shapes[area])) > 1.0
    some &= ~shapely.intersects(start[way], shapes[area])
    for row, which in sorted(zip(way[some].tolist(), area[some].tolist(), strict=True)):
        named = names[which]
        if named not in said[row].split("、"):
            said[row] = f"{said[row]}、{named}" if said[row] else named
    return said


def shared_areas(
    world: World, now: State, case: Case
) -> tuple[tuple[Text, ...], tuple[tuple[Text, float, Text], ...]]:
    """Say by how much the danger areas' own figures add up to more people than they move.

    Parameters
    ----------
    world, now
        Danger areas that always hold, and those of the scenario.
    case
        Who moves.

    Returns
    -------
    tuple
        A remark and a line of the summary; both empty where no two areas share ground.
    """
    parts = [one for one in (now.danger_area, world.standing) if one is not None and len(one)]
    if not parts:
        return (), ()
    areas = pd.concat(parts)
    shapes = shapely.make_valid(np.asarray(areas.geometry.array, dtype=object))
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = one < other
    if not (shapely.area(shapely.intersection(shapes[one[pair]], shapes[other[pair]])) > 1.0).any():
        return (), ()
    own = numbers(areas, "people")
    if np.isnan(own).any() and world.pieces is not None:
        own = np.where(np.isnan(own), world.pieces.inside(shapes), own)
    together = float(np.nansum(np.rint(own)))
    table = case.people.table
    moved = float(table.loc[table["origin"] == "danger_area", "people"].sum())
    if together - moved < 1:
        return (), ()
    note = text(
        "Refuge plan ({where}): the danger areas add up to {sum} people, {moved} move: who stands "
        "in several of them counts once.",
        where=now.name or text("without flood"), sum=f"{together:.0f}", moved=f"{moved:.0f}",
    )  # fmt: skip
    line = text("danger areas added up (who stands in several counts in each)")
    return (note,), ((line, together, text("persons")),)


def unknown_areas(world: World, now: State) -> tuple[Text, ...]:
    """Name the danger areas that do not state how many people are to move.

    Parameters
    ----------
    world, now
        Danger areas that always hold, and those of the scenario.

    Returns
    -------
    tuple of Text
        Those that nobody can count, and those counted from who lives on their ground.
    """
    parts = [one for one in (now.danger_area, world.standing) if one is not None and len(one)]
    if not parts:
        return ()
    areas = pd.concat(parts)
    silent = np.isnan(numbers(areas, "people"))
    bare = silent.copy()
    shapes = shapely.make_valid(np.asarray(areas.geometry.array, dtype=object))
    if world.population is not None:
        pieces = world.pieces
        none = np.empty(0, dtype=object)
        lost = none if pieces is None else pieces.shapes[pieces.finest & ~pieces.known]
        bare &= shapely.area(shapely.intersection(shapes, shapely.union_all(lost))) > 1.0
    where = now.name or text("without flood")
    notes = []
    if bare.any():
        notes.append(
            text(
                "Refuge plan ({where}): {n} danger areas state no people and lie where nobody "
                "knows how many live; they are not counted: {names}",
                where=where, n=int(bare.sum()), names=_named(areas, bare),
            )
        )  # fmt: skip
    guessed = silent & ~bare
    if guessed.any():
        notes.append(
            text(
                "Refuge plan ({where}): {n} danger areas state no people; theirs are estimated "
                "from who lives on their ground: {names}",
                where=where, n=int(guessed.sum()), names=_named(areas, guessed),
            )
        )  # fmt: skip
    return tuple(notes)


def _named(areas: pd.DataFrame, some: NDArray[np.bool_]) -> str:
    """Name some areas, the first ones when they are many."""
    said = zip(texts(areas, "name"), areas.index.astype(str), some, strict=True)
    names = [name or item for name, item, one in said if one]
    return "、".join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")


MOST_NAMED = 10
"""Danger areas that are named in one remark."""


def _about_people(
    world: World,
    case: Case,
    roads: tuple[Net, ...],
    dry: tuple[Net, ...],
    sites: Proposed | None,
    sent: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    return {
        "shortfall": shortfall_table(
            case.done, case.possible, case.people, world.units, case.places
        ),
        "mend": mend_table(case, roads=roads, dry=dry, sites=sites),
        "assignment": sent,
        "handout": handout(sent, world.refuges, addresses(world, roads)),
    }


def _home(world: World) -> Living:
    """Give where people live: by piece where the run has pieces, else by cell."""
    if world.pieces is not None:
        return lived_in(world.pieces)
    return living(world.grid, world.units, world.population)


def _standards(
    world: World,
    roads: tuple[Net, ...],
    held: pd.DataFrame,
    usable: NDArray[np.bool_],
    places: NDArray[np.float64],
) -> dict[str, pd.DataFrame]:
    """Make the scorecard of the towns and the accessibility of the villages."""
    units, presets = world.units, world.presets
    on_foot = roads[0] if roads and roads[0].mode == "foot" else None
    reached = reach_cells(_home(world), on_foot, world.xy, usable)
    spots = world.refuges.geometry.representative_point()
    home = unit_of_points(spots, units[units["finest"]])
    card = scorecard(
        reached, world.refuges, held, usable, places,
        units=units, refuge_unit=home, presets=presets,
    )  # fmt: skip
    return {"scorecard": card, "accessibility": accessibility(reached, places, units, presets)}

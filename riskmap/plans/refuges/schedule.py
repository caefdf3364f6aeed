"""What time and distance ask of a plan: who leaves when, what opens first, places within a walk."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd
import shapely
import shapely.ops

from riskmap.geo.grid import cell_centres
from riskmap.geo.network.flooded import sample
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles, numbers, texts
from riskmap.plans.refuges.demand import People, whole_numbers
from riskmap.plans.refuges.ways import CLASS_WORDS, Net, Routes, group_ways, ways
from riskmap.siting.allocation import three_step, two_step
from riskmap.vocabulary.columns import Hour, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuges.assign import Assigned, Case
    from riskmap.plans.refuges.dangers import State, World
    from riskmap.plans.refuges.ways import Way
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Line = tuple[Text, object, Text | str]
    from riskmap.plans.refuges.demand import Living


KEYS: Final = ["district", "town", "village"]


def timetable(
    villages: pd.DataFrame, sent: pd.DataFrame, early: pd.DataFrame, presets: Presets
) -> pd.DataFrame:
    r"""Say beside every village when it starts, when its buses are called and at which warning.

    .. math:: s_v = \max_{g \in v} \text{leave}_g, \qquad n_v = s_v + t_0, \qquad
              b_v = \max_{g \in v, \text{ride}} \text{leave}_g + \max(t_0, t_b)

    Parameters
    ----------
    villages
        Table of villages: district, town, village.
    sent, early
        Tables of assignments with ``leave_min``; those who leave before the water.
    presets
        ``refuge.prepare_min`` t_0, ``refuge.bus_call_min`` t_b and ``refuge.warning_lead_h``.

    Returns
    -------
    DataFrame
        With ``turn`` (1 starts first), ``notify_min``, ``buses_min`` (both before the peak) and
        ``warning``: the last signal that leaves time enough, or ``before`` where none does.
    """
    rows = pd.concat([part for part in (sent, early) if len(part)] or [sent], ignore_index=True)
    prepare = float(presets["refuge.prepare_min"])
    call = max(prepare, float(presets["refuge.bus_call_min"]))
    start = rows.groupby(KEYS)["leave_min"].max() if len(rows) else pd.Series(dtype=float)
    ride = rows[rows["mode"] == "ride"] if len(rows) else rows
    buses = ride.groupby(KEYS)["leave_min"].max() if len(ride) else pd.Series(dtype=float)
    here = pd.MultiIndex.from_frame(villages[KEYS].astype(str))
    notify = _found(start, here) + prepare
    lead = presets["refuge.warning_lead_h"]
    order = sorted(lead, key=lambda name: float(lead[name]))
    said = [
        ""
        if np.isnan(minutes)
        else next(
            (name for name in order if 60 * float(lead[name]) >= minutes), Signal.BEFORE.value
        )
        for minutes in notify
    ]
    turn = pd.Series(-notify).rank(method="dense")
    return villages.assign(
        turn=turn.to_numpy(), notify_min=notify, buses_min=_found(buses, here) + call, warning=said
    )


def _found(values: pd.Series, keys: pd.MultiIndex) -> Floats:
    if not len(values):
        return np.full(len(keys), np.nan)
    return np.asarray(values.reindex(keys), np.float64)


def opening(case: Case) -> pd.DataFrame:
    """Order the refuges so that those opened first hold the most people who move.

    One after the other the refuge is taken that holds most of those who reach it and have no place
    yet; it takes the nearest of them. Who can walk to some refuge counts for those on foot only.

    Parameters
    ----------
    case
        The assignment.

    Returns
    -------
    DataFrame
        ``open_order`` (NaN: not needed) and ``open_people``, people in refuges opened so far, one
        row a refuge.

    References
    ----------
    Chvatal 1979, A greedy heuristic for the set-covering problem, doi:10.1287/moor.4.3.233.
    """
    m = len(case.places)
    left, room = case.counts.copy(), case.places.astype(np.float64)
    ways = case.possible[room[case.possible["refuge"].to_numpy(np.int64)] > 0]
    ways = ways[ways["rank"] == ways.groupby("demand")["rank"].transform("min")]
    ways = ways.sort_values(["refuge", "rank", "seconds", "demand"], kind="stable")
    groups = {int(j): part for j, part in ways.groupby("refuge")["demand"].agg(list).items()}
    order, total = np.full(m, np.nan), np.full(m, np.nan)
    placed = 0.0
    for turn in range(1, m + 1):
        gain = {j: min(room[j], left[rows].sum()) for j, rows in groups.items()}
        best = max(gain, key=lambda j: (gain[j], -j), default=-1)
        if best < 0 or gain[best] <= 0:
            break
        rows = np.array(groups.pop(best))
        before = np.r_[0.0, np.cumsum(left[rows])[:-1]]
        taken = np.clip(room[best] - before, 0.0, left[rows])
        left[rows] -= taken
        placed += float(taken.sum())
        order[best], total[best] = turn, placed
    return pd.DataFrame({"open_order": order, "open_people": np.round(total)})


def stage_places(held: pd.DataFrame, presets: Presets) -> pd.DataFrame:
    """Give the places of every refuge by how long people stay.

    Parameters
    ----------
    held
        Table of capacities: area_m2, used.
    presets
        ``refuge.per_capita_m2`` by term.

    Returns
    -------
    DataFrame
        ``places_TERM``; NaN without an area.
    """
    used, area = held["used"].to_numpy(np.float64), held["area_m2"].to_numpy(np.float64)
    each = presets["refuge.per_capita_m2"]
    found = {
        f"places_{term}": np.maximum(np.floor(area / float(each[term])) - used, 0.0)
        for term in STAGES
        if term in each
    }
    return pd.DataFrame(found, index=held.index)


STAGES: Final = ("urgent", "temporary", "short", "medium", "long")
"""How long people stay, from hours to months."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Cleared:
    """How the roads bear the plan."""

    lines: tuple[Line, ...] = ()
    """For the summary: the time, the tightest roads, roads used in both directions."""
    roads: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Crowded stretches: label, mode, load, minutes, head_on, geometry."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Placing:
    """By what roads are told apart."""

    names: Sequence[str]
    """Name of each row of the road layer, or nothing."""
    units: gpd.GeoDataFrame
    """Units; the village in which a road without a name lies."""

    def parts(self, net: Net, edges: Ints, lines: NDArray[np.object_]) -> Parts:
        """Name roads; those without a name by what they are, and part them by village.

        Where a line of the road layer ends changes neither names nor parts.

        Parameters
        ----------
        net
            Roads.
        edges
            Some of them.
        lines
            The stretch of each that is meant.

        Returns
        -------
        tuple
            Position in ``edges``, name, part of the line; one or more an edge.
        """
        own = [self.names[row] if len(self.names) else "" for row in net.graph.edge_row[edges]]
        kinds = net.graph.edge_class[edges].astype(str)
        said: list[tuple[int, str, Any]] = []
        for k, village, line in self._villages(lines, [not name for name in own]):
            name = own[k]
            if not name:
                road = CLASS_WORDS.get(str(kinds[k]), text("road without a name"))
                place = text("{road} in {village}", road=road, village=village)
                name = str(place if village else road)
            said.append((k, name, line))
        return said

    def _villages(self, lines: NDArray[np.object_], bare: list[bool]) -> Parts:
        """Part the lines of roads without a name by the village in which they lie."""
        whole = [(k, "", line) for k, line in enumerate(lines)]
        if not any(bare):
            return whole
        finest = self.units[self.units["finest"]] if "finest" in self.units else self.units
        shapes, names = np.asarray(finest.geometry.array, dtype=object), finest["name"].tolist()
        # On a shared border the smaller unit counts, then the first code, as for points.
        rank = np.lexsort((finest.index.astype(str), np.round(shapely.area(shapes), 3)))
        turn = np.argsort(rank)
        hits: dict[int, list[int]] = {}
        some = np.flatnonzero(bare)
        for at, unit in shapely.STRtree(shapes).query(lines[some], predicate="intersects").T:
            hits.setdefault(int(some[at]), []).append(int(unit))
        shapely.prepare(shapes)
        found: list[tuple[int, str, Any]] = []
        for k, _, line in whole:
            rest = line
            for unit in sorted(hits.get(k, ()), key=lambda unit: turn[unit]):
                if shapely.covers(shapes[unit], rest):
                    inside, rest = rest, shapely.LineString()
                else:
                    inside = shapely.intersection(rest, shapes[unit])
                    rest = shapely.difference(rest, shapes[unit])
                if shapely.length(inside) > 0:
                    found.append((k, str(names[unit]), inside))
            if shapely.length(rest) > 0:
                found.append((k, "", rest))
        return found


Parts = list[tuple[int, str, Any]]
"""Position, name, line."""


def clearance(
    sent: pd.DataFrame,
    routes: Routes,
    roads: Sequence[Net],
    placing: Placing,
    presets: Presets,
    *,
    on_roads: bool = True,
) -> Cleared:
    r"""Sum the plan's routes on the roads, and set the flow beside what the roads carry in an hour.

    .. math:: q_e = \max_{\text{direction}} \frac{f_e}{C_{\text{class}(e)}}, \qquad
              T = \max_r \Big( t_r + \max_{e \in r} q_e \Big)

    Everybody sets out at once, so T is the time until the last has arrived if no road is used by
    others.

    Parameters
    ----------
    sent
        Table of assignments: mode, people, assisted, minutes, arrive_min.
    routes
        Their roads, in this order.
    roads
        Roads by mode.
    placing
        Names and villages.
    presets
        ``road.hourly_vehicles``, ``road.hourly_walkers`` by class, ``refuge.vehicle_persons`` and
        ``road.bus_cars``.
    on_roads
        False where nobody gave roads: straight lines carry no flow, and have no queues.

    Returns
    -------
    Cleared
        Lines of the summary, and the crowded stretches.
    """
    last, tables = 0.0, []
    for net in roads:
        rows = np.flatnonzero((sent["mode"] == net.mode).to_numpy())
        if not rows.size:
            continue
        when = "arrive_min" if "arrive_min" in sent else "minutes"
        there = sent[when].to_numpy(np.float64)[rows]
        if not on_roads:
            last = max(last, float(there.max()))
            continue
        crowd = _crowd(sent, routes, net, rows, presets)
        queue = [crowd.longest(routes.ways[k]) for k in rows]
        last = max(last, float((there + queue).max()))
        tables.append(_used(net, crowd, placing))
    if not last:
        return Cleared()
    lines: list[Line] = [(text("everybody has arrived, at least"), float(np.ceil(last)), "min")]
    if not on_roads:
        return Cleared(lines=tuple(lines))
    used = pd.concat(tables, ignore_index=True)
    order = used.sort_values(["minutes", "label"], ascending=[False, True], kind="stable")
    for turn, one in enumerate(
        order.drop_duplicates(["label", "mode"]).head(MOST_ROADS).to_dict("records"), start=1
    ):
        load = float(one["load"])
        said = (
            text("{n} vehicles in one direction", n=f"{np.ceil(load):.0f}")
            if one["mode"] == "ride"
            else text("{n} people on foot in one direction", n=f"{load:.0f}")
        )
        what = text("tightest road {n}: {road}, {said}", n=turn, road=one["label"], said=said)
        lines.append((what, round(float(one["minutes"]), 1), "min"))
    both = used[used["head_on"]]
    lines.append((text("roads used in both directions"), round(float(both["metres"].sum())), "m"))
    longest = both.groupby("label", sort=True)["metres"].sum().round().sort_values(
        ascending=False, kind="stable"
    )  # fmt: skip
    if len(longest):
        named = "、".join(map(str, longest.index[:MOST_ROADS]))
        lines.append((text("of these by name"), named, ""))
    return Cleared(lines=tuple(lines), roads=_stretches(used))


MOST_ROADS: Final = 5
"""Roads that are named."""
CROWDED_MIN: Final = 5.0
"""Stretches that need at least so many minutes for all who pass are drawn, and those head-on."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Crowd:
    """The stretches of roads between places where somebody joins or leaves, and who passes."""

    edge: Ints
    low: Floats
    high: Floats
    """Shares of the edge's length, shape (s,); by edge, then along it."""
    load: Floats
    """People or vehicles in the busier direction, shape (s,)."""
    wait: Floats
    """Minutes that they need, shape (s,)."""
    head_on: NDArray[np.bool_]
    """Whether they pass in both directions, shape (s,)."""

    def longest(self, way: Way) -> float:
        """Give the longest wait on a way.

        Parameters
        ----------
        way
            One of those that were summed.

        Returns
        -------
        float
            Minutes.
        """
        first, last = _spans(self.edge, self.low, self.high, _ends(way))
        return max(
            (float(self.wait[a:b].max()) for a, b in zip(first, last, strict=True) if b > a),
            default=0.0,
        )


_Ends: TypeAlias = "tuple[Ints, Floats, Floats]"
"""Edges, and where a way is on each, from the lower share to the higher."""


def _ends(way: Way) -> _Ends:
    return way.edges, np.minimum(way.low, way.high), np.maximum(way.low, way.high)


def _spans(edge: Ints, low: Floats, high: Floats, ends: _Ends) -> tuple[Ints, Ints]:
    """Give the first stretch that each part of a way covers, and the one behind the last."""
    first = np.searchsorted(edge + low, ends[0] + ends[1] - _SAME)
    last = np.searchsorted(edge + high, ends[0] + ends[2] + _SAME, side="right")
    return first, last


_SAME: Final = 1e-9
"""Shares of an edge that differ by less are one."""
_LEAST_M: Final = 0.01
"""Shorter stretches are none [m]."""


def _crowd(sent: pd.DataFrame, routes: Routes, net: Net, rows: Ints, presets: Presets) -> _Crowd:
    """Sum people or vehicles on every stretch and direction, and the minutes that they need."""
    people = sent["people"].to_numpy(np.float64)[rows]
    load = people
    if net.mode == "ride":
        seats = presets["refuge.vehicle_persons"]
        weak = sent["assisted"].to_numpy(bool)[rows]
        cars = np.where(weak, 1.0 / float(seats["special"]),
                        float(presets["road.bus_cars"]) / float(seats["bus"]))  # fmt: skip
        load = people * cars
    ends = [_ends(routes.ways[row]) for row in rows]
    edge, low, high = (np.concatenate([one[k] for one in ends]) for k in range(3))
    ahead = np.concatenate([routes.ways[row].ahead for row in rows])
    load = np.repeat(load, [len(one[0]) for one in ends])
    stops = np.unique(np.column_stack([np.r_[edge, edge], np.round(np.r_[low, high], 9)]), axis=0)
    same = np.flatnonzero(stops[1:, 0] == stops[:-1, 0])
    edges, start, end = stops[same, 0].astype(np.int64), stops[same, 1], stops[same + 1, 1]
    flow = np.zeros((2, len(edges) + 1))
    first, last = _spans(edges, start, end, (edge, low, high))
    side = np.where(ahead, 0, 1)
    np.add.at(flow, (side, first), np.where(last > first, load, 0.0))
    np.add.at(flow, (side, np.maximum(first, last)), np.where(last > first, -load, 0.0))
    flow = np.round(np.cumsum(flow, axis=1)[:, :-1], 6)
    long = (end - start) * net.graph.edge_length_m[edges] >= _LEAST_M
    kept = long & (flow.max(axis=0) > 0)
    edges, start, end, flow = edges[kept], start[kept], end[kept], flow[:, kept]
    table = presets["road.hourly_vehicles" if net.mode == "ride" else "road.hourly_walkers"]
    other = float(table["other"])
    kinds, at = np.unique(net.graph.edge_class[edges].astype(str), return_inverse=True)
    carries = np.array([float(table.get(kind, other)) for kind in kinds])[at]
    busier = flow.max(axis=0)
    return _Crowd(
        edge=edges, low=start, high=end, load=busier, head_on=flow.min(axis=0) > 0,
        wait=np.round(60.0 * busier / carries, 6) if len(edges) else busier,
    )  # fmt: skip


def _used(net: Net, crowd: _Crowd, placing: Placing) -> pd.DataFrame:
    """List the stretches that are used, with their load, and what they need."""
    lines = net.graph.edge_geometry[crowd.edge].copy()
    for k in np.flatnonzero(crowd.high - crowd.low < 1.0):
        lines[k] = shapely.ops.substring(lines[k], crowd.low[k], crowd.high[k], normalized=True)
    parts = placing.parts(net, crowd.edge, lines)
    at = np.array([k for k, _, _ in parts], np.int64)
    shapes = np.empty(len(parts), dtype=object)
    shapes[:] = [line for _, _, line in parts]
    share = shapely.length(shapes) / np.maximum(shapely.length(lines), _SAME)[at]
    metres = net.graph.edge_length_m[crowd.edge] * (crowd.high - crowd.low)
    return pd.DataFrame(
        {
            "label": pd.Series([name for _, name, _ in parts], dtype=object),
            "mode": net.mode,
            "load": crowd.load[at],
            "minutes": crowd.wait[at],
            "metres": metres[at] * share,
            "head_on": crowd.head_on[at],
            "geometry": pd.Series(shapes, dtype=object),
        }
    )


def _stretches(used: pd.DataFrame) -> pd.DataFrame:
    """Join the crowded edges of one road and load."""
    some = used[(used["minutes"] >= CROWDED_MIN) | used["head_on"]]
    if not len(some):
        return pd.DataFrame()
    keys = ["label", "mode", "load", "minutes", "head_on"]
    rows = []
    for key, part in some.assign(
        minutes=some["minutes"].round(1), load=some["load"].round(1)
    ).groupby(keys, sort=True):
        lines = shapely.line_merge(shapely.union_all(part["geometry"].tolist()))
        rows.append((*key, round(float(part["metres"].sum())), lines))
    return pd.DataFrame(rows, columns=[*keys, "metres", "geometry"])


def hours(world: World, now: State, case: Case, roads: tuple[Net, ...]) -> tuple[Line, ...]:
    r"""Count who moves by day, by night and on holidays, and send them again.

    .. math:: d_h = s_h^{\text{home}} d + \sum_{k \in A} s_h^{\text{type}(k)} p_k

    Residents are at home for a share of the hour; schools, homes, hospitals and the like inside the
    danger areas or on deep ground add the people who are there then.

    Parameters
    ----------
    world
        Places with people.
    now
        Danger areas and water.
    case
        The assignment of the residents.
    roads
        Roads by mode.

    Returns
    -------
    tuple
        Lines of the summary; empty where no place with people is known.
    """
    places = world.places
    if places is None or not len(places):
        return ()
    presets = world.presets
    inside = _in_danger(world, now, places)
    kinds = np.asarray(texts(places, "type"), dtype=object)[inside]
    there = np.nan_to_num(numbers(places, "people"))[inside]
    xy = np.column_stack([places.geometry.x, places.geometry.y])[inside]
    weak = presets["refuge.place_assisted"]
    helped = np.array([float(weak.get(str(kind), 0.0)) for kind in kinds])
    lines: list[Line] = []
    worst: tuple[float, float, Text | str] = (-1.0, -1.0, "")
    for hour in Hour:
        share = presets["refuge.presence"][hour]
        own = case.counts * float(share["home"])
        other = float(share.get("other", 0.0))
        add = np.rint(there * [float(share.get(str(kind), other)) for kind in kinds])
        done = _again(case, roads, own, xy, add, np.rint(add * helped))
        people = float(done.people.sum())
        short = float(done.shortfall.sum())
        word = HOURS[hour]
        lines += [
            (text("{hour}: people to move", hour=word), round(people), text("persons")),
            (text("{hour}: without a place", hour=word), round(short), text("persons")),
        ]
        if (short, people) > worst[:2]:
            worst = (short, people, word)
    return (*lines, (text("worst hour"), worst[2], ""))


HOURS: Final[Mapping[Hour, Text]] = {
    Hour.DAY: text("working day"), Hour.NIGHT: text("night"), Hour.HOLIDAY: text("holiday"),
}  # fmt: skip


def _in_danger(world: World, now: State, places: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which places stand in a danger area or in water from which people are moved."""
    points = places.geometry.to_numpy()
    hit = np.zeros(len(places), bool)
    for areas in (world.standing, now.danger_area):
        if areas is not None and len(areas):
            shapes = shapely.make_valid(np.asarray(areas.geometry.array, dtype=object))
            hit[shapely.STRtree(shapes).query(points, predicate="intersects")[0]] = True
    tiles = depth_tiles(world.grid, now.depth_m, now.depths)
    if tiles:
        xy = np.column_stack([places.geometry.x, places.geometry.y])
        deep = np.nan_to_num(sample(tiles, xy, str(world.grid.crs)))
        hit |= deep >= float(world.presets["refuge.move_depth_m"])
    return hit


def _again(
    case: Case, roads: tuple[Net, ...], own: Floats, xy: Floats, add: Floats, weak: Floats
) -> Assigned:
    """Send residents who are at home and the people of places."""
    table = case.people.table
    home = whole_numbers(own, np.zeros(len(own), np.int64)) if len(own) else own
    parts = [table.assign(people=home.astype(np.int64))]
    spots = [case.people.xy]
    first = int(table["family"].max()) + 1 if len(table) else 0
    for assisted, count in ((False, add - weak), (True, weak)):
        parts.append(
            pd.DataFrame(
                {
                    "people": count.astype(np.int64),
                    "assisted": assisted,
                    "family": first + np.arange(len(add)),
                }
            )
        )
        spots.append(xy)
    both = pd.concat(parts, ignore_index=True)
    there = np.concatenate(spots)
    n = len(table)
    more = group_ways(roads, there[n:], case.refuges, both["assisted"].to_numpy(bool)[n:])
    more["demand"] += n
    ways = pd.concat([part for part in (case.possible, more) if len(part)] or [case.possible],
                     ignore_index=True)  # fmt: skip
    then = replace(case, people=People(table=both, xy=there), possible=ways)
    return then.solve(ways, case.places, case.tiers)


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Which people reach which usable refuges on foot: a row for each unit and cell."""

    xy: NDArray[np.float64]
    people: NDArray[np.float64]
    village: NDArray[np.object_]
    """Finest unit in which they live; empty for ground in no unit."""
    cell: NDArray[np.int64]
    """Who, of each pair, as a position in ``people``."""
    refuge: NDArray[np.int64]
    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]


def reach_cells(
    home: Living,
    net: Net | None,
    refuges: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> Reached:
    """Find the usable refuges that the people of every cell reach on foot, village by village.

    Parameters
    ----------
    home
        Where people live.
    net
        The roads on foot, or None.
    refuges
        Places of the refuges [m].
    usable
        Which may be used.

    Returns
    -------
    Reached
        Pairs within the longest walk.
    """
    held = home.people.tocoo()
    unit, cell = (np.asarray(one, np.int64) for one in held.coords)
    some = held.data > 1e-6  # less is what rounding leaves on empty or unknown ground
    order = np.lexsort((unit[some], cell[some]))
    unit, cell = unit[some][order], cell[some][order]
    cells, start, count = np.unique(cell, return_index=True, return_counts=True)
    xy = np.column_stack(cell_centres(home.grid, cells)) if cells.size else np.zeros((0, 2))
    found = ways(() if net is None else (net,), xy, refuges)
    kept = found[usable[found["refuge"].to_numpy(np.int64)]] if len(found) else found
    at = kept["demand"].to_numpy(np.int64)
    pair = np.repeat(np.arange(len(at)), count[at])
    first = np.repeat(np.cumsum(count[at]) - count[at], count[at])
    part = np.repeat(start[at], count[at]) + np.arange(len(pair)) - first
    return Reached(
        xy=np.repeat(xy, count, axis=0),
        people=np.asarray(held.data, np.float64)[some][order],
        village=home.ids[unit],
        cell=part,
        refuge=kept["refuge"].to_numpy(np.int64)[pair],
        seconds=kept["seconds"].to_numpy(np.float64)[pair],
        metres=kept["metres"].to_numpy(np.float64)[pair],
    )


def accessibility(
    reached: Reached, places: NDArray[np.float64], units: gpd.GeoDataFrame, presets: Presets
) -> pd.DataFrame:
    """Compute the places per head that each village reaches on foot.

    Parameters
    ----------
    reached
        Pairs of cells and refuges.
    places
        Places of each usable refuge.
    units
        Units, for names.
    presets
        Catchment and its step weights.

    Returns
    -------
    DataFrame
        unit_id, name, town, people, nearest_min, in_reach (refuges of the mean cell),
        places_2sfca, places_e2sfca, places_3sfca (places per 1000 people).
    """
    steps = presets["refuge.catchment_decay"]
    minutes, weights = np.asarray(steps["minutes"]), np.asarray(steps["weight"])
    at = reached.seconds / 60
    band = np.minimum(np.searchsorted(minutes, at), minutes.size - 1)
    decay = np.where(at <= minutes[-1], weights[band], 0.0)
    plain = (at <= minutes[-1]).astype(np.float64)
    pairs = (reached.cell, reached.refuge)
    two = partial(two_step, *pairs, demand=reached.people, supply=places)
    three = partial(three_step, *pairs, demand=reached.people, supply=places)
    nearest = np.full(reached.people.size, np.inf)
    np.minimum.at(nearest, reached.cell, at)
    per_cell = pd.DataFrame(
        {
            "unit_id": reached.village,
            "people": reached.people,
            "places_2sfca": two(plain) * 1000,
            "places_e2sfca": two(decay) * 1000,
            "places_3sfca": three(decay) * 1000,
            "in_reach": np.bincount(reached.cell, minlength=reached.people.size).astype(float),
            "reached": np.isfinite(nearest).astype(float),
            "nearest_min": np.where(np.isfinite(nearest), nearest, 0.0),
        }
    )
    table = _means(per_cell[per_cell["unit_id"] != ""])
    codes, towns = table["unit_id"].tolist(), town_names(units)
    names = dict(zip(units.index, map(str, units["name"].tolist()), strict=True))
    table.insert(1, "name", [names.get(code, "") for code in codes])
    table.insert(2, "town", [towns.get(code, "") for code in codes])
    return table


def _means(per_cell: pd.DataFrame) -> pd.DataFrame:
    """Average over the people of each unit; minutes over those who reach a refuge."""
    columns = ["places_2sfca", "places_e2sfca", "places_3sfca", "in_reach", "reached"]
    weighted = per_cell[columns].mul(per_cell["people"], axis=0)
    weighted["minutes"] = per_cell["nearest_min"] * per_cell["people"]
    weighted["people"] = per_cell["people"]
    summed = weighted.groupby(per_cell["unit_id"], sort=True).sum()
    table = summed[columns].div(summed["people"], axis=0)
    who = summed["reached"].where(summed["reached"] > 0)
    table.insert(0, "people", summed["people"])
    table["nearest_min"] = summed["minutes"] / who
    return table.reset_index()


def town_names(units: gpd.GeoDataFrame) -> dict[object, str]:
    """Name the town of every unit, or its district where there are no towns.

    Parameters
    ----------
    units
        Units with the names of levels.

    Returns
    -------
    dict
        Unit id to name; nothing where both are unknown.
    """
    found: dict[object, str] = {}
    for level in ("district", "town"):
        if level in units:
            named = zip(units.index, map(str, units[level].tolist()), strict=True)
            found.update((code, name) for code, name in named if name)
    return found


def scorecard(
    reached: Reached,
    refuges: pd.DataFrame,
    held: pd.DataFrame,
    usable: NDArray[np.bool_],
    places: NDArray[np.float64],
    *,
    units: gpd.GeoDataFrame,
    refuge_unit: NDArray[np.object_],
    presets: Presets,
) -> pd.DataFrame:
    """Set every town beside the standards.

    Parameters
    ----------
    reached
        Pairs of cells and refuges.
    refuges
        Refuge layer.
    held
        Table of capacities.
    usable
        Which refuges may be used.
    places
        Places of each usable refuge.
    units
        Units.
    refuge_unit
        Finest unit of each refuge.
    presets
        Radius, shares and minima of tiers.

    Returns
    -------
    DataFrame
        A row a town, and one a district (town blank): district, town, people, refuges, usable,
        places, capacity_share, wanted_share, capacity_ok, covered_share, covered_full_share,
        overlap_share, then for each tier its number, how many are below the least capacity, the
        number wanted and whether there are as many. ``covered_share`` counts who stands within
        the responsibility radius of a refuge's type on the road; ``covered_full_share`` those of
        them whose refuges hold fewer than the wanted share of the people around.

    References
    ----------
    GB 51143-2015; 浙政办发〔2013〕108号.
    """
    radii = presets["refuge.radius_m"]
    each = np.asarray([float(radii.get(kind, radii["short"])) for kind in texts(refuges, "type")])
    wanted = float(presets["refuge.fixed_capacity_share"])
    near = reached.metres <= each[reached.refuge]
    times = np.bincount(reached.cell[near], minlength=reached.people.size)
    asked = np.bincount(
        reached.refuge[near], weights=reached.people[reached.cell[near]], minlength=len(refuges)
    )
    ratio = np.divide(places, asked, out=np.zeros(len(refuges)), where=asked > 0)
    room = np.bincount(
        reached.cell[near], weights=ratio[reached.refuge[near]], minlength=reached.people.size
    )
    codes = {*reached.village, *refuge_unit}
    district, town, name = _column(units, "district"), town_names(units), _column(units, "name")
    named = {
        code: (district.get(code, ""), town.get(code, ""), name.get(code, "")) for code in codes
    }
    cells = pd.DataFrame(
        [named[code] for code in reached.village], columns=["district", "town", "village"]
    ).assign(
        people=reached.people,
        covered=reached.people * (times > 0),
        full=reached.people * ((times > 0) & (room < wanted)),
        overlap=reached.people * (times > 1),
    )
    places_of = pd.DataFrame(
        [named[code] for code in refuge_unit], columns=["district", "town", "village"]
    ).assign(
        tier=held["tier"].to_numpy(),
        small=_small(held, presets),
        usable=usable,
        places=np.where(usable, places, 0.0),
    )
    towns = _score_rows(cells, places_of, ["district", "town"], wanted, presets)
    if (towns["district"] == towns["town"]).all():
        return towns
    districts = _score_rows(cells, places_of, ["district"], wanted, presets)
    districts.insert(1, "town", "")
    return pd.concat([towns, districts], ignore_index=True)


def _small(held: pd.DataFrame, presets: Presets) -> NDArray[np.bool_]:
    """Tell which refuges hold fewer than their tier's least capacity."""
    tiers = presets["refuge.zhejiang_tiers"]
    least = [float(tiers.get(tier, {}).get("capacity", 0)) for tier in held["tier"]]
    return np.asarray(held["places"].to_numpy() < np.asarray(least, np.float64), bool)


def _score_rows(
    cells: pd.DataFrame,
    places: pd.DataFrame,
    keys: list[str],
    wanted: float,
    presets: Presets,
) -> pd.DataFrame:
    """Join people and refuges of every town, or district, and judge them."""
    counts = ["people", "covered", "full", "overlap"]
    table = (
        cells.groupby(keys, sort=True)[counts]
        .sum()
        .join(
            places.groupby(keys).agg(
                refuges=("usable", "size"), usable=("usable", "sum"), places=("places", "sum")
            ),
            how="outer",
        )
        .fillna(0)
    )
    people = table["people"].where(table["people"] > 0)
    table["capacity_share"] = table["places"] / people
    table["wanted_share"] = wanted
    table["capacity_ok"] = table["capacity_share"] >= wanted
    table["covered_share"] = table.pop("covered") / people
    table["covered_full_share"] = table.pop("full") / people
    table["overlap_share"] = table.pop("overlap") / people
    villages = cells[cells["people"] > 0].groupby(keys)["village"].nunique()
    tiers = presets["refuge.zhejiang_tiers"]
    good = places[places["usable"]]
    asked: dict[str, int | pd.Series] = {
        "village": int(tiers["village"]["count"][0]) * villages.reindex(table.index).fillna(0),
        "town": int(tiers["town"]["count"][0]),
    }
    if keys == ["district"]:
        towns = cells[cells["people"] > 0].groupby(keys)["town"].nunique()
        asked["town"] = int(tiers["town"]["count"][0]) * towns.reindex(table.index).fillna(0)
        asked["county"] = int(tiers["county"]["count"][0])
    for tier, least in asked.items():
        mine = good[good["tier"] == tier].groupby(keys)["small"]
        table[f"{tier}_refuges"] = mine.size().reindex(table.index).fillna(0).astype(np.int64)
        table[f"{tier}_small"] = mine.sum().reindex(table.index).fillna(0).astype(np.int64)
        table[f"{tier}_wanted"] = least
        enough = table[f"{tier}_refuges"] - table[f"{tier}_small"] >= table[f"{tier}_wanted"]
        table[f"{tier}_ok"] = enough
    return table.astype({"refuges": np.int64, "usable": np.int64}).reset_index()


def _column(units: gpd.GeoDataFrame, column: str) -> dict[object, str]:
    """Give a column of the units by code; nothing when there is none."""
    if column not in units:
        return {}
    return dict(zip(units.index, map(str, units[column].tolist()), strict=True))

"""Who is reached in time by one station, by two, by none; and the office's own standards of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import ProjectError
from riskmap.geo.grid import Grid, cell_centres, cell_names, inside_cells, row_xy, unit_of_points
from riskmap.geo.network.snap import named_roads, put_by_name, snap_points
from riskmap.i18n import Text, text
from riskmap.plans.options import Rule, Target
from riskmap.result import of_state
from riskmap.vocabulary.columns import words_of
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.geo.network.graph import RoadGraph, Snapped
    from riskmap.geo.people import Pieces
    from riskmap.plans.options import Rule, Standard


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Demand:
    """Places that should be reached: cells weighted by people, or the points of a role."""

    what: str
    """``population`` (cells with people), ``cells``, ``village``, or a role."""
    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    weight: Floats
    """People, or 1 a point, shape (d,)."""
    town: NDArray[np.object_]
    """Unit of each place, shape (d,)."""
    xy: Floats
    """Shape (d, 2) [m]."""
    roads: tuple[str, ...] = ()
    """Name of the road on which each place says it stands, blank for none; empty for all."""
    parts: tuple[Ints, NDArray[np.object_], Floats] | None = None
    """Place, town and people of every part, where a place holds people of several towns."""

    def by_town(self, flags: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
        """Sum the weight by town, times each flag of the places.

        Parameters
        ----------
        flags
            Name to a number of each place, shape (d,).

        Returns
        -------
        pandas.DataFrame
            By code of the town, places in no town left out.
        """
        if self.parts is None:
            columns = {name: self.weight * flag for name, flag in flags.items()}
            town = self.town
        else:
            place, town, people = self.parts
            columns = {name: people * np.asarray(flag)[place] for name, flag in flags.items()}
        sums = pd.DataFrame(columns).groupby(town.astype(str), sort=True).sum()
        return sums[sums.index != ""]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reach:
    """How stations reach the places of a demand."""

    place: Ints
    station: Ints
    seconds: Floats
    """Every pair within the longest target; seconds from the call under the first rule."""
    nearest: Ints
    """Station that is first at each place, -1 none, shape (d,)."""
    nearest_s: Floats
    """Its seconds from the call, infinite when nobody comes, shape (d,)."""
    on: NDArray[np.bool_]
    """Whether the place is on the network, shape (d,)."""
    base_s: float
    """Call handling and turn-out under the first rule, where a station gives none [s]."""
    own: NDArray[np.bool_]
    """Whether a station gives its own, shape (stations,)."""
    wait: Floats
    """Seconds between call and departure of each station, shape (stations,)."""

    def slower(self, factor: float) -> Reach:
        """Give what is reached when everybody drives more slowly.

        Parameters
        ----------
        factor
            Speed as a share of the usual one; 1 or less, so that no pair is missing.

        Returns
        -------
        Reach
            The same pairs, later.
        """
        wait = self.wait[self.station]
        return replace(self, seconds=wait + (self.seconds - wait) / factor)

    def arrival_s(self, target: Target) -> Floats:
        """Give the seconds of every pair on the clock of a target's rule.

        Parameters
        ----------
        target
            The target.

        Returns
        -------
        numpy.ndarray
            Shape (pairs,) [s].
        """
        shift = np.where(self.own, 0.0, target.response_s - self.base_s)
        return np.asarray(self.seconds + shift[self.station], dtype=np.float64)

    def best_s(self, target: Target) -> Floats:
        """Give the earliest arrival at every place on the clock of a target's rule.

        Parameters
        ----------
        target
            The target.

        Returns
        -------
        numpy.ndarray
            Infinite beyond the longest target, shape (d,) [s].
        """
        best = np.full(len(self.on), np.inf)
        np.minimum.at(best, self.place, self.arrival_s(target))
        return best


def times_covered(reach: Reach, target: Target) -> Ints:
    """Count the stations that reach each place in time.

    Parameters
    ----------
    reach
        The pairs.
    target
        The target; its limit is inclusive.

    Returns
    -------
    numpy.ndarray
        Shape (d,).
    """
    near = reach.arrival_s(target) <= target.seconds
    return np.bincount(reach.place[near], minlength=len(reach.on)).astype(np.int64)


def covered_weight(demand: Demand, reach: Reach, target: Target, *, least: int = 1) -> float:
    """Sum what enough stations reach in time.

    Parameters
    ----------
    demand, reach
        Places and how they are reached.
    target
        The target.
    least
        Number of stations that must reach a place.

    Returns
    -------
    float
        People, cells or points.
    """
    return float(demand.weight[times_covered(reach, target) >= least].sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Force:
    """What stations bring, and what places need."""

    vehicles: Floats
    """Vehicles of each station, shape (stations,)."""
    staff: Floats
    """Staff of each station, shape (stations,)."""
    wanted: Mapping[int, tuple[float, float]]
    """Risk class to vehicles and staff that make an effective force."""


def arrivals(reach: Reach, count: int) -> tuple[Ints, Floats]:
    """Give the first stations at every place, one after the other.

    Parameters
    ----------
    reach
        Pairs within the longest target.
    count
        How many.

    Returns
    -------
    tuple
        Stations (-1 none) and seconds (NaN none, or beyond the longest target); (d, count) each.
    """
    order = np.lexsort((reach.station, reach.seconds, reach.place))
    place = reach.place[order]
    turn = np.arange(len(place)) - np.searchsorted(place, place, side="left")
    near = turn < count
    who = np.full((len(reach.on), count), -1)
    when = np.full((len(reach.on), count), np.nan)
    who[place[near], turn[near]] = reach.station[order][near]
    when[place[near], turn[near]] = reach.seconds[order][near]
    return who, when


def force_seconds(reach: Reach, level: Ints, force: Force, target: Target | None = None) -> Floats:
    """Give the time at which enough vehicles and staff stand at every place.

    Parameters
    ----------
    reach
        Pairs within the longest target.
    level
        Risk class of each place, 0 unknown, shape (d,).
    force
        What stations bring and places need.
    target
        Whose clock counts; that of the first rule by default.

    Returns
    -------
    numpy.ndarray
        Infinite where too few come within the longest target, NaN where the class is unknown,
        shape (d,) [s].
    """
    seconds = reach.seconds if target is None else reach.arrival_s(target)
    order = np.lexsort((seconds, reach.place))
    place, station = reach.place[order], reach.station[order]
    found = np.full(len(reach.on), np.inf)
    first = np.searchsorted(place, place, side="left")
    enough = np.ones(len(place), bool)
    for column, brought in enumerate((force.vehicles, force.staff)):
        total = np.cumsum(brought[station])
        here = total - np.r_[0.0, total][first]
        need = np.array([force.wanted.get(k, (np.inf, np.inf))[column] for k in range(5)])
        enough &= here >= need[level[place]]
    np.minimum.at(found, place[enough], seconds[order][enough])
    return np.where(level > 0, found, np.nan)


def cut_off(before: Reach, after: Reach) -> NDArray[np.bool_]:
    """Tell which places somebody reaches on dry roads and nobody on wet ones.

    Parameters
    ----------
    before, after
        How the places are reached on dry roads and on wet ones.

    Returns
    -------
    numpy.ndarray
        Shape (d,).
    """
    return np.isfinite(before.nearest_s) & ~np.isfinite(after.nearest_s)


def _counted(
    reach: Reach,
    target: Target,
    *,
    before: Reach | None,
    moved: Reach | None,
    level: Ints | None,
    force: Force | None,
) -> dict[str, Floats]:
    """Tell of every place what becomes of it, 1 or 0."""
    times = times_covered(reach, target)

    def where(hit: NDArray[np.bool_]) -> Floats:
        return np.where(hit, 1.0, 0.0)

    columns = {"none": where(times == 0), "once": where(times == 1), "twice": where(times > 1)}
    columns["share_thrice"] = where(times > 2)
    if force is not None and level is not None:
        late = force_seconds(reach, level, force, target)
        columns |= {"share_force": where(late <= target.seconds), "known": where(level > 0)}
    columns |= {"off_network": where(~reach.on), "covered": where(times > 0)}
    if before is not None:
        was = where(times_covered(before, target) > 0)
        columns |= {"lost": was - columns["covered"], "cut_off": where(cut_off(before, reach))}
    if moved is not None:
        columns["share_moved"] = where(times_covered(moved, target) > 0)
    return columns


def coverage_table(
    demands: Mapping[str, tuple[Demand, Reach]],
    rule: Rule,
    town_names: Mapping[str, str],
    *,
    before: Mapping[str, tuple[Demand, Reach]] | None = None,
    moved: Mapping[str, tuple[Demand, Reach]] | None = None,
    levels: Mapping[str, Ints] | None = None,
    force: Force | None = None,
) -> pd.DataFrame:
    """Count what is covered never, once, twice or more, overall and by town.

    Parameters
    ----------
    demands
        Name to places and how they are reached.
    rule
        The targets.
    town_names
        Unit code to name.
    before
        How they are reached on dry roads, when the roads of a scenario count.
    moved
        How they are reached when stations in deep water have moved their vehicles out.
    levels
        Name to the risk class of each place, 0 unknown; with ``force``.
    force
        What stations bring, and what an effective force is by class.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``target``, ``target_s``, ``unit_id`` (empty = whole place), ``name``, ``what``,
        ``total``, ``none``, ``once``, ``twice``, the same as ``share_*``, ``off_network``,
        ``covered`` (once or more) and its ``share``; with ``before`` ``lost``, which was covered
        on dry roads, and ``cut_off``, which nobody reaches any more; with ``moved``
        ``share_moved``; ``share_thrice``, and with ``force`` ``share_force``: where an effective
        force stands in time, of the places whose class is known.
    """
    parts = []
    for what, (demand, reach) in demands.items():
        for target in rule.levels:
            flags = _counted(
                reach, target,
                before=None if before is None else before[what][1],
                moved=None if moved is None else moved[what][1],
                level=None if force is None or levels is None else levels.get(what), force=force,
            )  # fmt: skip
            whole = {name: float((demand.weight * flag).sum()) for name, flag in flags.items()}
            table = pd.concat([pd.DataFrame([whole], index=[""]), demand.by_town(flags)])
            codes = table.index.astype(str)
            names = [town_names.get(code, code) if code else text("whole place") for code in codes]
            table.insert(0, "rule", target.rule)
            table.insert(1, "target", target.key)
            table.insert(2, "target_s", target.seconds)
            table.insert(3, "unit_id", codes)
            table.insert(4, "name", pd.Series(names, index=table.index, dtype=object))
            table.insert(5, "what", what)
            parts.append(table)
    all_ = pd.concat(parts, ignore_index=True)
    total = all_[["none", "once", "twice"]].sum(axis=1)
    all_.insert(6, "total", total)
    for name in ("none", "once", "twice"):
        all_[f"share_{name}"] = np.where(
            total > 0, all_[name] / total.where(total > 0, 1.0), np.nan
        )
    for name in ("share_moved", "share_thrice"):
        if name in all_:
            all_[name] = all_[name] / total.where(total > 0)
    if "share_force" in all_:
        all_["share_force"] /= all_["known"].where(all_["known"] > 0)
        all_ = all_.drop(columns="known")
    all_["share"] = np.where(total > 0, all_["covered"] / total.where(total > 0, 1.0), np.nan)
    order = (all_["unit_id"] != "").astype(int)
    return all_.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def worst_table(
    demands: Mapping[str, tuple[Demand, Reach]],
    rule: Rule,
    *,
    stations: NDArray[np.object_],
    town_names: Mapping[str, str],
    most: int = 50,
) -> pd.DataFrame:
    """List the places that no station reaches in time, most people first, then the latest.

    Parameters
    ----------
    demands
        Name to places and how they are reached; what counts cells is left out where people are
        known.
    rule
        Its first target counts.
    stations
        Names of the stations.
    town_names
        Unit code to name.
    most
        Rows for each demand.

    Returns
    -------
    pandas.DataFrame
        ``what``, ``id``, ``name``, ``town``, ``weight``, ``seconds`` (NaN = nobody comes),
        ``late_s``, ``station``, ``x``, ``y`` [m].
    """
    limit = rule.targets[0].seconds
    parts = []
    for what, (demand, reach) in demands.items():
        if what == "cells" and "population" in demands:
            continue
        late = np.flatnonzero((reach.nearest_s > limit) & (demand.weight > 0))
        order = np.lexsort(
            (
                demand.ids[late].astype(str),
                -np.round(reach.nearest_s[late], 6),
                -np.round(demand.weight[late], 6),
            )
        )
        rows = late[order][:most]
        seconds = np.where(np.isfinite(reach.nearest_s[rows]), reach.nearest_s[rows], np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "what": what,
                    "id": demand.ids[rows],
                    "name": demand.names[rows],
                    "town": [town_names.get(str(code), str(code)) for code in demand.town[rows]],
                    "weight": demand.weight[rows],
                    "seconds": seconds,
                    "late_s": seconds - limit,
                    "station": np.append(stations, "")[reach.nearest[rows]],
                    "x": demand.xy[rows, 0],
                    "y": demand.xy[rows, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def place_levels(
    demands: Mapping[str, Demand],
    units: gpd.GeoDataFrame | None,
    classes: Mapping[str, int] | None,
) -> dict[str, Ints] | None:
    """Give every place the risk class of its village.

    Parameters
    ----------
    demands
        Name to places.
    units
        Units of all levels, or None.
    classes
        Unit code to class 1 to 4; None where no index was computed.

    Returns
    -------
    dict or None
        Name to classes, 0 unknown.
    """
    level = level_of(units, VILLAGES, least=1)
    if not classes or level is None:
        return None
    found: dict[str, Ints] = {}
    for name, demand in demands.items():
        same = next((found[one] for one in CELLS if one in found), None) if name in CELLS else None
        if same is None:
            codes = _units_at(demand.xy, units, level)
            same = np.array([int(classes.get(str(code), 0)) for code in codes], np.int64)
        found[name] = same
    return found


def by_class(demand: Demand, reach: Reach, level: Ints) -> dict[str, tuple[Demand, Reach]]:
    """Part the people by the risk class of their place.

    Parameters
    ----------
    demand, reach
        People and how they are reached.
    level
        Risk class of each place, 0 unknown.

    Returns
    -------
    dict
        ``class_4`` to ``class_1`` to the same places, weighing nothing elsewhere, of no town.
    """
    found = {}
    for one in (4, 3, 2, 1):
        weight = np.where(level == one, demand.weight, 0.0)
        if weight.any():
            nowhere = np.full(len(weight), "", dtype=object)
            part = replace(demand, what=f"class_{one}", weight=weight, town=nowhere, parts=None)
            found[part.what] = (part, reach)
    return found


def incident_weight(
    cells: Demand, incidents: gpd.GeoDataFrame, *, bandwidth_m: float
) -> tuple[Floats, float]:
    r"""Spread incidents over the cells, so that their sum is the number a year.

    .. math:: w_c = \frac{1}{Y} \sum_k \frac{e^{-d_{kc}^2 / 2 h^2}}{\sum_c e^{-d_{kc}^2 / 2 h^2}}

    Parameters
    ----------
    cells
        The cells.
    incidents
        Points; ``date`` tells the years.
    bandwidth_m
        Standard deviation h of the kernel, cut at three of it [m].

    Returns
    -------
    tuple
        Incidents a year of each cell, and the years Y that the dates span, at least one.

    References
    ----------
    Silverman 1986, Density Estimation, ch. 4.
    """
    from scipy.spatial import cKDTree

    dates = days_of(incidents["date"]) if "date" in incidents else None
    span = 0.0 if dates is None or dates.isna().all() else float((dates.max() - dates.min()).days)
    years = max(span / 365.25, 1.0)
    tree, xy = cKDTree(cells.xy), row_xy(incidents)
    pairs = tree.sparse_distance_matrix(cKDTree(xy), 3 * bandwidth_m, output_type="coo_matrix")
    cell, event = np.asarray(pairs.row, np.int64), np.asarray(pairs.col, np.int64)
    value = np.exp(-(np.asarray(pairs.data, np.float64) ** 2) / (2 * bandwidth_m**2))
    total = np.bincount(event, weights=value, minlength=len(xy))
    alone = np.flatnonzero(total == 0)
    weight = np.bincount(cell, weights=value / total[event], minlength=len(cells.ids))
    if alone.size:  # farther than three bandwidths from every middle of a cell
        found = tree.query(xy[alone])
        at, where = np.asarray(found[0]), np.asarray(found[1], np.int64)
        np.add.at(weight, where[at <= 6 * bandwidth_m], 1.0)
    return weight.astype(np.float64) / years, years


CELLS: Final = ("population", "cells", "incidents")
"""Demands that stand in the middle of the cells."""
VILLAGES: Final = ("village", "grid_duty_area", "custom")
"""Levels that count as villages, first found."""
TOWNS: Final = ("town", "district")
"""Levels by which the report is parted, first found with more than one unit."""


def all_demands(
    grid: Grid,
    population: NDArray[Any] | None,
    units: gpd.GeoDataFrame | None,
    points: Mapping[str, gpd.GeoDataFrame],
    *,
    pieces: Pieces | None = None,
    calls: Floats | None = None,
) -> dict[str, Demand]:
    """Give everything that stations should reach; the first is what sites are planned for.

    Parameters
    ----------
    grid
        The grid.
    population
        People per cell, shape (ny, nx), or None.
    units
        Units of all levels, or None.
    points
        Role to its rows.
    pieces
        People by unit and cell, so that every town has its own people; None parts the people by
        the middle of their cell.
    calls
        Incidents a year on the cells inside the place, when sites are planned for these.

    Returns
    -------
    dict
        ``incidents`` (when given), ``population`` (when known), ``cells``, ``village`` and each
        role that has rows.
    """
    cells = _cell_demand(grid, units)
    found = {"cells": cells}
    if population is not None:
        people = np.asarray(population, dtype=np.float64).ravel()[inside_cells(grid)]
        people = np.maximum(np.nan_to_num(people, nan=0.0), 0.0)
        lived = replace(cells, what="population", weight=people, parts=_parts(grid, units, pieces))
        found = {"population": lived, "cells": cells}
    if calls is not None:
        found = {"incidents": replace(cells, what="incidents", weight=calls), **found}
    villages = _village_demand(next(iter(found.values())), units)
    if villages is not None:
        found["village"] = villages
    for role, table in points.items():
        if len(table):
            found[role] = _point_demand(role, table, units)
    return found


def on_roads(graph: RoadGraph, demands: Mapping[str, Demand], limit_m: float) -> dict[str, Snapped]:
    """Put the places of every demand on the roads; people and cells stand at the same places.

    Parameters
    ----------
    graph
        The road graph.
    demands
        Name to places.
    limit_m
        Longest way to a road [m].

    Returns
    -------
    dict
        Name to places on the roads.
    """
    found: dict[str, Snapped] = {}
    for name, demand in demands.items():
        same = next((found[one] for one in CELLS if one in found), None) if name in CELLS else None
        if same is not None:
            found[name] = same
            continue
        at = snap_points(graph, demand.xy, limit_m=limit_m)
        found[name] = put_by_name(graph, demand.xy, limit_m, list(demand.roads), at)
    return found


def level_of(units: gpd.GeoDataFrame | None, levels: tuple[str, ...], *, least: int) -> str | None:
    """Find the first level that the units have.

    Parameters
    ----------
    units
        Units of all levels, or None.
    levels
        Levels in the order wanted.
    least
        How many units of the level there must be.

    Returns
    -------
    str or None
        The level.
    """
    if units is None:
        return None
    return next((one for one in levels if int((units["level"] == one).sum()) >= least), None)


def _cell_demand(grid: Grid, units: gpd.GeoDataFrame | None) -> Demand:
    """Make the cells inside the place a demand; each counts 1."""
    cells = inside_cells(grid)
    xy = np.column_stack(cell_centres(grid, cells))
    ids = np.asarray(cell_names(grid, cells), dtype=object)
    village = _units_at(xy, units, level_of(units, VILLAGES, least=1))
    names = ids
    if units is not None:
        names = pd.Series(village).map(units["name"]).fillna("").to_numpy(dtype=object)
    return Demand(
        what="cells", ids=ids, names=np.where(names == "", ids, names), weight=np.ones(len(cells)),
        town=_towns(xy, units), xy=xy,
    )  # fmt: skip


def _parts(
    grid: Grid, units: gpd.GeoDataFrame | None, pieces: Pieces | None
) -> tuple[Ints, NDArray[np.object_], Floats] | None:
    """Give place, town and people of every piece; None without pieces or towns."""
    level = level_of(units, TOWNS, least=2)
    if pieces is None or level is None:
        return None
    cell, town, people = pieces.by_level(level)
    row = np.full(grid.n_cells, -1)
    inside = inside_cells(grid)
    row[inside] = np.arange(len(inside))
    there = row[cell] >= 0
    return row[cell[there]], town[there], people[there]


def _village_demand(cells: Demand, units: gpd.GeoDataFrame | None) -> Demand | None:
    """Put every village where most of its people live; each counts 1."""
    level = level_of(units, VILLAGES, least=2)
    if units is None or level is None:
        return None
    table = units[units["level"] == level]
    xy = row_xy(table)
    at = pd.DataFrame({"unit": _units_at(cells.xy, units, level), "people": cells.weight})
    at = at[(at["unit"] != "") & (at["people"] > 0)]
    if len(at) and float(at["people"].max()) > float(at["people"].min()):
        best = at.sort_values("people", ascending=False, kind="stable").drop_duplicates("unit")
        place = table.index.astype(str).get_indexer(best["unit"].astype(str))
        xy[place[place >= 0]] = cells.xy[best.index.to_numpy()[place >= 0]]
    return Demand(
        what="village",
        ids=np.asarray(table.index.astype(str), dtype=object),
        names=table["name"].astype(object).fillna("").to_numpy(dtype=object),
        weight=np.ones(len(table)),
        town=_towns(xy, units),
        xy=xy,
    )


def _point_demand(role: str, table: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> Demand:
    """Make the points of a role a demand; each counts 1."""
    xy = row_xy(table)
    ids = np.asarray(table.index.astype(str), dtype=object)
    names = ids
    if "name" in table.columns:
        own = table["name"].astype(object).reset_index(drop=True)
        names = np.asarray(own.where(own.notna() & (own != ""), pd.Series(ids)), dtype=object)
    return Demand(
        what=role, ids=ids, names=names, weight=np.ones(len(ids)), town=_towns(xy, units), xy=xy,
        roads=tuple(named_roads(table)),
    )  # fmt: skip


def _towns(xy: Floats, units: gpd.GeoDataFrame | None) -> NDArray[np.object_]:
    """Give the town of every place, empty where there is none."""
    return _units_at(xy, units, level_of(units, TOWNS, least=2))


def _units_at(xy: Floats, units: gpd.GeoDataFrame | None, level: str | None) -> NDArray[np.object_]:
    """Give the unit of a level at every place, empty where there is none."""
    if units is None or level is None:
        return np.full(len(xy), "", dtype=object)
    import geopandas as gpd

    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=units.crs)
    found = pd.Series(unit_of_points(points, units, level=level), dtype=object)
    return np.asarray(found.where(found.notna(), ""), dtype=object)


Pairs = Mapping[str, tuple[Demand, Reach]]
_MOST: Final = 200
"""Places that are listed for each standard at most."""


def with_standards(rule: Rule, standards: Sequence[Standard]) -> Rule:
    """Let ways be sought far enough for every standard.

    Parameters
    ----------
    rule
        Response rules.
    standards
        The standards.

    Returns
    -------
    Rule
        The same targets.

    Raises
    ------
    ProjectError
        If a standard leaves nothing for driving.
    """
    far = [0.0]
    for one in standards:
        wait = rule.response_s if one.response_s is None else one.response_s
        if one.arrival_s <= wait:
            raise ProjectError(
                text(
                    "{key}: {part} of {seconds} s leaves nothing for driving after {wait} s of "
                    "call handling and turn-out; give a longer target",
                    key="stations.standards", part="arrival_s", seconds=f"{one.arrival_s:g}",
                    wait=f"{wait:g}",
                )
            )  # fmt: skip
        far.append(one.arrival_s + max(rule.response_s - wait, 0.0))
    return replace(rule, further_s=max(far))


def enough_s(
    reach: Reach, target: Target, crews: NDArray[np.int64], *, least: int, stations: int
) -> Floats:
    """Give the time at which enough crews from enough stations stand at every place.

    Parameters
    ----------
    reach
        Pairs of stations and places.
    target
        Whose clock counts.
    crews
        What each station sends, shape (stations,).
    least, stations
        How many crews, and from how many stations at least.

    Returns
    -------
    numpy.ndarray
        Infinite where too few come, shape (d,) [s].
    """
    seconds = reach.arrival_s(target)
    order = np.lexsort((reach.station, seconds, reach.place))
    place, sent = reach.place[order], crews[reach.station[order]]
    first = np.searchsorted(place, place, side="left")
    total = np.cumsum(sent)
    here = total - (total - sent)[first]
    turn = np.arange(len(place)) - first + 1
    enough = (here >= least) & (turn >= stations)
    found = np.full(len(reach.on), np.inf)
    np.minimum.at(found, place[enough], seconds[order][enough])
    return found


@dataclass(frozen=True, eq=False)
class Held:
    """The standards of a plan, and what they are held against."""

    standards: Sequence[Standard]
    rule: Rule
    stations: gpd.GeoDataFrame
    points: Mapping[str, gpd.GeoDataFrame]
    towns: Mapping[str, str]

    def tables(
        self, pairs: Mapping[str, Pairs], names: NDArray[np.object_]
    ) -> dict[str, pd.DataFrame]:
        """Hold the coverage against every standard.

        Parameters
        ----------
        pairs
            Scenario (empty: dry roads) to places and how they are reached.
        names
            Names of the stations.

        Returns
        -------
        dict
            ``standards``, a row for each scenario, standard and kind of place, and ``unmet``, the
            places that fall short, most people first; empty without standards.

        Raises
        ------
        ProjectError
            If a standard names places or a field that the project does not have.
        """
        rows, parts = [], []
        for scenario, there in pairs.items():
            for one in self.standards:
                for what in one.places:
                    demand, reach = self._places(there, what)
                    row, late = self._one(one, demand, reach, names)
                    rows.append({"scenario": scenario, **row})
                    late.insert(0, "scenario", scenario)
                    parts.append(late)
        found = [part for part in parts if len(part)]
        return {
            "standards": pd.DataFrame(rows),
            "unmet": pd.concat(found, ignore_index=True) if found else pd.DataFrame(),
        }

    def _places(self, there: Pairs, what: str) -> tuple[Demand, Reach]:
        if what not in there:
            raise ProjectError(
                text(
                    "stations.standards: the project has no places {what}; use one of {known}",
                    what=repr(what),
                    known=", ".join(sorted(there)),
                )
            )
        return there[what]

    def _counts(self, one: Standard, demand: Demand) -> NDArray[np.bool_]:
        """Tell which places of a demand a standard is for."""
        use = demand.weight > 0
        for field, values in one.where.items():
            table = self.points.get(demand.what)
            if table is None or field not in table.columns:
                raise ProjectError(
                    text(
                        "stations.standards: places {what} have no field {field}",
                        what=repr(demand.what),
                        field=repr(field),
                    )
                )
            said = table[field].astype(object).where(table[field].notna(), "").map(_plain)
            use &= said.isin([_plain(value) for value in values]).to_numpy(dtype=bool)
        return use

    def _one(
        self, one: Standard, demand: Demand, reach: Reach, names: NDArray[np.object_]
    ) -> tuple[dict[str, object], pd.DataFrame]:
        """Hold one kind of place against one standard."""
        wait = self.rule.response_s if one.response_s is None else one.response_s
        target = Target("arrival_s", one.arrival_s, text("arrival"), "", wait)
        crews = crews_of(self.stations)
        when = enough_s(reach, target, crews, least=one.crews, stations=one.stations)
        use = self._counts(one, demand)
        met = use & (when <= one.arrival_s)
        total, covered = float(demand.weight[use].sum()), float(demand.weight[met].sum())
        share = covered / total if total else np.nan
        row: dict[str, object] = {
            "standard": _title(one, demand.what), "what": demand.what, "target_s": one.arrival_s,
            "response_s": wait, "crews": one.crews, "from_stations": one.stations, "total": total,
            "covered": covered, "share": share, "share_wanted": one.share,
            "kept": bool(share >= one.share - 1e-12) if total else None,
        }  # fmt: skip
        late = np.flatnonzero(use & ~met)  # the missing and those who come too late
        order = np.lexsort((demand.ids[late].astype(str), -when[late], -demand.weight[late]))
        late = late[order][:_MOST]
        seconds = np.where(np.isfinite(when[late]), when[late], np.nan)
        return row, pd.DataFrame(
            {
                "standard": pd.Series([_title(one, demand.what)] * len(late), dtype=object),
                "what": demand.what,
                "id": demand.ids[late],
                "name": demand.names[late],
                "town": [self.towns.get(str(code), str(code)) for code in demand.town[late]],
                "weight": demand.weight[late],
                "seconds": seconds,
                "late_s": seconds - one.arrival_s,
                "station": np.append(names, "")[reach.nearest[late]],
            }
        )


def standard_notes(table: pd.DataFrame) -> tuple[Text, ...]:
    """Say which standards are kept on dry roads.

    Parameters
    ----------
    table
        ``standards``, as of `Held.tables`.

    Returns
    -------
    tuple of Text
        One for each standard and kind of place; empty without standards.
    """
    if not len(table):
        return ()
    said = []
    for row in of_state(table).to_dict("records"):
        parts = {
            "standard": row["standard"],
            "share": f"{row['share']:.1%}",
            "wanted": f"{row['share_wanted']:.0%}",
        }
        if row["kept"] is None:
            said.append(text("{standard}: there is no such place", standard=row["standard"]))
        elif row["kept"]:
            said.append(text("{standard}: kept, {share} of {wanted} wanted", **parts))
        else:
            said.append(text("{standard}: not kept, {share} of {wanted} wanted", **parts))
    return tuple(said)


def crews_of(stations: pd.DataFrame) -> NDArray[np.int64]:
    """Give how many crews each station sends: its vehicles, one where it gives none.

    Parameters
    ----------
    stations
        Stations; ``vehicles`` is used.

    Returns
    -------
    numpy.ndarray
        Shape (stations,).
    """
    if "vehicles" not in stations.columns:
        return np.ones(len(stations), np.int64)
    own = pd.to_numeric(stations["vehicles"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(own), np.maximum(own, 0), 1).astype(np.int64)


def _plain(value: object) -> str:
    """Write a value so that 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _title(one: Standard, what: str) -> Text | str:
    """Name a standard: as the office does, else by the places and the time."""
    if one.name:
        return one.name
    places = words_of("counted").get(what, what)
    minutes = f"{one.arrival_s / 60:g}"
    if one.stations > 1:
        return text(
            "{places}: {crews} crews from {stations} stations within {min} min",
            places=places, crews=one.crews, stations=one.stations, min=minutes,
        )  # fmt: skip
    return text("{places}: {crews} crews within {min} min", places=places, crews=one.crews,
                min=minutes)  # fmt: skip

"""Who has to move, from where: danger areas and flooded ground, nobody counted twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap.plans.refuges.capacity import numbers, texts
from riskmap.plans.refuges.dangers import wet_share

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.layers.layer import Raster
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class People:
    """Groups of people who move together."""

    table: pd.DataFrame
    """One row a group: demand, origin (``danger_area`` or ``flooded``), name, unit_id, people,
    vulnerable (NaN where not declared); ``assisted`` once the groups are parted."""
    xy: NDArray[np.float64]
    """Where each group sets out, shape (n, 2) [m]."""


def people_to_move(
    grid: Grid,
    units: gpd.GeoDataFrame,
    *,
    population: Any = None,
    standing: gpd.GeoDataFrame | None = None,
    scenario: gpd.GeoDataFrame | None = None,
    depth_m: Any = None,
    depths: tuple[Raster, ...] = (),
    presets: Presets,
) -> People:
    r"""List the groups of people who have to move.

    .. math:: d = \text{declared} \cdot (1 - \text{share already counted}), \qquad
              d_v = r \sum_{c \in v} P_c (1 - a_c) w_c

    A danger area gives its declared people, or else the people living on its ground, as far as no
    other area of its layer counts them: one with declared people, or one further up. Of a standing
    area the share that a scenario's area covers counts there only; of a flooded cell the share
    ``a`` that danger areas cover counts there only. ``w`` is the share of a cell at least h_0 deep,
    0 or 1 where depth is known by cells only.

    Parameters
    ----------
    grid
        The grid.
    units
        Units; the finest ones are the villages.
    population
        People per cell, shape (ny, nx), or None.
    standing, scenario
        Danger areas that always hold, and those of the scenario.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m]; counts before ``depth_m``.
    presets
        ``refuge.move_depth_m`` and ``refuge.evacuation_ratio``.

    Returns
    -------
    People
        Groups with at least one person.
    """
    people = None if population is None else np.nan_to_num(np.asarray(population, np.float64))
    covered = np.zeros(grid.shape[0] * grid.shape[1])
    parts, spots = [], []
    for areas, above in ((scenario, None), (standing, scenario)):
        if areas is None or areas.empty:
            continue
        table, xy = _in_areas(grid, areas, people, above)
        parts.append(table)
        spots.append(xy)
        covered = np.maximum(covered, _cover(grid, areas))
    villages = units[units["finest"]] if "finest" in units else units
    table, xy = _join(parts, spots)
    table["unit_id"] = _village(xy, villages)
    if (depths or depth_m is not None) and people is not None:
        limit = float(presets["refuge.move_depth_m"])
        if depths:
            deep = wet_share(grid, depths, limit).ravel()
        else:
            deep = np.nan_to_num(np.asarray(depth_m, np.float64).ravel()) >= limit
        moved = people.ravel() * (1 - covered) * deep * float(presets["refuge.evacuation_ratio"])
        wet, at = _flooded(grid, villages, moved)
        table, xy = _join([table, wet], [xy, at])
    table["demand"] = [f"{o[0].upper()}{i + 1}" for i, o in enumerate(table["origin"])]
    return People(table=table, xy=xy)


def _join(
    parts: list[pd.DataFrame], spots: list[NDArray[np.float64]]
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Put groups under each other and drop those of nobody."""
    filled = [(part, spot) for part, spot in zip(parts, spots, strict=True) if len(part)]
    if not filled:
        empty = pd.DataFrame(
            {
                "origin": pd.Series(dtype=object),
                "name": pd.Series(dtype=object),
                "people": pd.Series(dtype=np.int64),
                "vulnerable": pd.Series(dtype=float),
                "unit_id": pd.Series(dtype=object),
            }
        )
        return empty, np.zeros((0, 2))
    table = pd.concat([part for part, _ in filled], ignore_index=True)
    xy = np.concatenate([spot for _, spot in filled])
    some = (table["people"] > 0).to_numpy()
    return table[some].reset_index(drop=True), xy[some]


def _in_areas(
    grid: Grid, areas: gpd.GeoDataFrame, people: Any, above: gpd.GeoDataFrame | None
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Count the people of danger areas, less what other areas above them already count."""
    shapes = np.asarray(areas.geometry.array, dtype=object)
    ground = shapely.make_valid(shapes)
    free = np.ones(len(areas))
    if above is not None and not above.empty:
        other = shapely.union_all(shapely.make_valid(np.asarray(above.geometry.array, object)))
        shared = shapely.area(shapely.intersection(ground, other))
        free = 1 - np.clip(shared / np.maximum(shapely.area(shapes), 1e-9), 0, 1)
        ground = shapely.difference(ground, other)
    declared = numbers(areas, "people")
    count = declared * free
    bare = np.isnan(declared)
    if bare.any():
        count[bare] = 0.0 if people is None else _living(grid, _apart(ground, bare), people)
    weak = np.minimum(numbers(areas, "vulnerable") * free, count)
    inner = shapely.point_on_surface(shapes)
    return (
        pd.DataFrame(
            {
                "origin": "danger_area",
                "name": texts(areas, "name"),
                "people": np.rint(count).astype(np.int64),
                "vulnerable": np.rint(weak),
            }
        ),
        shapely.get_coordinates(inner),
    )


def _apart(ground: NDArray[np.object_], late: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Cut from each late ground what the others hold: those not late, and late ones before it."""
    turn = np.where(late, np.arange(len(ground)), -1)
    one, other = shapely.STRtree(ground).query(ground[late], predicate="intersects")
    mine = np.flatnonzero(late)[one]
    before = turn[other] < turn[mine]
    mine, other = mine[before], other[before]
    places, first = np.unique(mine, return_index=True)
    held = [shapely.union_all(ground[part]) for part in np.split(other, first[1:])]
    cut = ground.copy()
    cut[places] = shapely.difference(ground[places], np.asarray(held[: len(places)], dtype=object))
    return cut[late]


def _living(grid: Grid, ground: NDArray[np.object_], people: NDArray[Any]) -> NDArray[np.float64]:
    """Count who lives on each ground, by the covered share of the cells."""
    from riskmap.geo.areas import coverage

    return np.asarray(coverage(grid, ground) @ people.ravel(), np.float64)


def _cover(grid: Grid, areas: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Share of every cell that any of the areas covers; (cells,)."""
    from riskmap.geo.areas import coverage

    joined = shapely.union_all(shapely.make_valid(np.asarray(areas.geometry.array, object)))
    return np.asarray(np.clip(coverage(grid, [joined]).toarray().ravel(), 0, 1), np.float64)


def _village(xy: NDArray[np.float64], villages: gpd.GeoDataFrame) -> NDArray[np.object_]:
    from riskmap.geo.points import unit_of_points

    if not len(xy):
        return np.zeros(0, dtype=object)
    return unit_of_points(shapely.points(xy), villages)


def _flooded(
    grid: Grid,
    villages: gpd.GeoDataFrame,
    people: NDArray[np.float64],
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Gather the people of flooded cells by village, at the cell with most of them."""
    from riskmap.geo.grid import cell_centres

    cells = np.flatnonzero(people > 0)
    moved = people[cells]
    xy = np.column_stack(cell_centres(grid, cells))
    unit = _village(xy, villages)
    order = np.lexsort((cells, -moved, unit.astype(str)))
    unit, moved, xy = unit[order], moved[order], xy[order]
    first = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]]) if unit.size else np.zeros(0, int)
    total = np.add.reduceat(moved, first) if first.size else np.zeros(0)
    names = villages["name"].astype(str)
    table = pd.DataFrame(
        {
            "origin": "flooded",
            "name": [names.get(code, "") for code in unit[first]],
            "people": np.rint(total).astype(np.int64),
            "vulnerable": np.full(first.size, np.nan),
            "unit_id": unit[first],
        }
    )
    return table, xy[first]


def assisted_share(
    sensitive: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame, presets: Presets
) -> pd.Series[float]:
    r"""Give the share of people who need a vehicle, by finest unit.

    .. math:: a = B / P \text{ where the bedridden are counted, else } e \cdot a_e

    Parameters
    ----------
    sensitive
        Layer of vulnerable people: ``population``, ``bedridden``, ``elderly``,
        ``elderly_share``; or None.
    units
        Units.
    presets
        ``refuge.elderly_vehicle_share`` and ``refuge.vehicle_share``.

    Returns
    -------
    Series
        Share by unit id; the preset where nothing is known.
    """
    from riskmap.geo.points import unit_of_points

    finest = units[units["finest"]] if "finest" in units else units
    found = pd.Series(np.nan, index=finest.index)
    if sensitive is not None and len(sensitive):
        home = unit_of_points(sensitive.geometry.representative_point(), finest)
        people = numbers(sensitive, "population")
        with np.errstate(divide="ignore", invalid="ignore"):
            bed = numbers(sensitive, "bedridden") / people
            old = np.where(
                np.isnan(numbers(sensitive, "elderly_share")),
                numbers(sensitive, "elderly") / people,
                numbers(sensitive, "elderly_share"),
            )
        if np.isfinite(old).any():
            old = old * float(presets["refuge.elderly_vehicle_share"])
        share = pd.Series(np.where(np.isfinite(bed), bed, old)).groupby(home).mean()
        found = share.reindex(found.index)
    if found.isna().any():
        found = found.fillna(float(presets["refuge.vehicle_share"]))
    return found.clip(0.0, 1.0)


def part(people: People, share: pd.Series[float], *, whole: bool) -> People:
    """Part every group into those who can walk and those who need a vehicle.

    Declared vulnerable people need one; where a group declares none, the share of its unit does,
    rounded up. Groups that stay together are not parted.

    Parameters
    ----------
    people
        The groups; ``vulnerable`` is NaN where not declared.
    share
        Share of people who need a vehicle, by unit.
    whole
        Whether groups stay together.

    Returns
    -------
    People
        With a column ``assisted``; the parts of a group stand beside each other.
    """
    table = people.table.copy()
    count = table["people"].to_numpy(np.float64)
    weak = numbers(table, "vulnerable")
    rate = np.asarray([share.get(code, np.nan) for code in table["unit_id"]], np.float64)
    # A part in a million is not one more person.
    guess = np.ceil(count * np.nan_to_num(rate) - 1e-6)
    weak = np.minimum(np.where(np.isnan(weak), guess, weak), count)
    table["vulnerable"] = np.rint(weak).astype(np.int64)
    table["assisted"] = False
    if whole:
        return People(table=table, xy=people.xy)
    fit = table.assign(people=table["people"] - table["vulnerable"], vulnerable=0)
    ride = table.assign(people=table["vulnerable"], assisted=True)
    joined = pd.concat([fit, ride], ignore_index=True)
    some = np.flatnonzero(joined["people"].to_numpy() > 0)
    order = some[np.lexsort((some, np.tile(np.arange(len(table)), 2)[some]))]
    return People(
        table=joined.iloc[order].reset_index(drop=True),
        xy=np.concatenate([people.xy, people.xy])[order],
    )


def vehicles_table(rows: pd.DataFrame, *, warning_s: float, presets: Presets) -> pd.DataFrame:
    r"""Count the vehicles of every village.

    .. math:: n = \left\lceil \frac{\lceil p / s \rceil}{k} \right\rceil, \qquad
              k = 1 + \left\lfloor \frac{T - t_0 - t}{2 t} \right\rfloor

    A vehicle is in the village when people set out; it comes back as often as the warning allows.

    Parameters
    ----------
    rows
        Table of assignments: district, town, village, mode, assisted, people, minutes.
    warning_s
        Time from the warning to the peak T [s].
    presets
        ``refuge.vehicle_persons`` and ``refuge.prepare_min``.

    Returns
    -------
    DataFrame
        district, town, village, riders, assisted, longest_min, rounds, bus_trips, assisted_trips,
        buses, assisted_vehicles; a row for each village from which people ride.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> rows = pd.DataFrame({"district": "", "town": "", "village": "A", "mode": "ride",
    ...     "assisted": [False, True], "people": [90, 9], "minutes": [20.0, 20.0]})
    >>> vehicles_table(rows, warning_s=7200, presets=load_presets())[
    ...     ["rounds", "bus_trips", "assisted_trips", "buses", "assisted_vehicles"]].values.tolist()
    [[2, 3, 3, 2, 2]]
    """
    ride = rows[rows["mode"] == "ride"]
    columns = ["riders", "assisted", "longest_min", "rounds", "bus_trips", "assisted_trips",
               "buses", "assisted_vehicles"]  # fmt: skip
    keys = ["district", "town", "village"]
    if ride.empty:
        return pd.DataFrame(columns=keys + columns)
    seats = presets["refuge.vehicle_persons"]
    free = warning_s / 60 - float(presets["refuge.prepare_min"])
    table = (
        ride.assign(weak=ride["people"].where(ride["assisted"], 0))
        .groupby(keys, sort=True)
        .agg(riders=("people", "sum"), assisted=("weak", "sum"), longest_min=("minutes", "max"))
        .reset_index()
    )
    once = np.maximum(table["longest_min"].to_numpy(np.float64), 1.0)
    rounds = np.maximum(1 + np.floor((free - once) / (2 * once)), 1)
    table["rounds"] = rounds.astype(np.int64)
    others = table["riders"] - table["assisted"]
    for kind, heads, name in (
        ("bus", others, "buses"),
        ("special", table["assisted"], "assisted_vehicles"),
    ):
        trips = np.ceil(heads.to_numpy(np.float64) / float(seats[kind]))
        table["bus_trips" if kind == "bus" else "assisted_trips"] = trips.astype(np.int64)
        table[name] = np.ceil(trips / rounds).astype(np.int64)
    return table[keys + columns]

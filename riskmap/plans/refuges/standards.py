"""How many places people can reach on foot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.plans.refuges.capacity import texts
from riskmap.siting.access import three_step, two_step

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuges.demand import Living
    from riskmap.plans.refuges.ways import Net
    from riskmap.vocabulary.presets import Presets


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
    from riskmap.geo.grid import cell_centres
    from riskmap.plans.refuges.ways import ways

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

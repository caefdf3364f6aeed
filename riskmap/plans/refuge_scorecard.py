"""How towns and districts stand against the standards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.plans.refuge_capacity import texts
from riskmap.plans.refuge_standards import Reached, town_names

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.presets.load import Presets


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

"""How many places people can reach on foot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap.siting.access import three_step, two_step

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.plans.refuge_roads import Net
    from riskmap.presets.load import Presets


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Which cells with people reach which usable refuges on foot."""

    xy: NDArray[np.float64]
    people: NDArray[np.float64]
    village: NDArray[np.object_]
    """Unit id of each cell's finest unit."""
    cell: NDArray[np.int64]
    """Cell of each pair, as a position in ``people``."""
    refuge: NDArray[np.int64]
    seconds: NDArray[np.float64]
    metres: NDArray[np.float64]


def reach_cells(
    grid: Grid,
    units: gpd.GeoDataFrame,
    people: Any,
    net: Net | None,
    refuges: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> Reached:
    """Find the usable refuges that every cell with people reaches on foot.

    Parameters
    ----------
    grid
        The grid.
    units
        Units.
    people
        People per cell, or None.
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
    from riskmap.geo.points import unit_of_points
    from riskmap.plans.refuge_roads import ways

    flat = np.zeros(0) if people is None else np.nan_to_num(np.asarray(people, np.float64)).ravel()
    cells = np.flatnonzero(flat > 0)
    xy = np.column_stack(cell_centres(grid, cells)) if cells.size else np.zeros((0, 2))
    finest = units[units["finest"]] if "finest" in units else units
    village = unit_of_points(shapely.points(xy), finest) if cells.size else np.zeros(0, object)
    found = ways(() if net is None else (net,), xy, refuges)
    kept = found[usable[found["refuge"].to_numpy(np.int64)]] if len(found) else found
    return Reached(
        xy=xy,
        people=flat[cells],
        village=village,
        cell=kept["demand"].to_numpy(np.int64),
        refuge=kept["refuge"].to_numpy(np.int64),
        seconds=kept["seconds"].to_numpy(np.float64),
        metres=kept["metres"].to_numpy(np.float64),
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

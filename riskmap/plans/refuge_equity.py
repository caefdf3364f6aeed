"""How far the nearest refuge is for the worst village and the last tenth, before and after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.plans.refuge_roads import Net, ways

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuge_mends import Case

    Floats = NDArray[np.float64]


def equity(case: Case, net: Net, sites: Floats, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Compare the walk to the nearest refuge before and after the new sites.

    Parameters
    ----------
    case
        The assignment; its groups are weighed by their people.
    net
        Roads on foot; the longest walk counts for who is in reach only.
    sites
        New sites, shape (k, 2) [m].
    units
        Units, for names.

    Returns
    -------
    DataFrame
        when, people, in_reach_share, no_way (people), mean_min, p90_min, worst_village, worst_min.
    """
    in_use = case.refuges[case.places > 0]
    people = case.counts
    rows = []
    for when, places in (
        (text("refuges in use"), in_use),
        (text("with the new sites"), np.concatenate([in_use, sites])),
    ):
        seconds = _nearest(net, case.people.xy, places)
        rows.append({"when": when} | _figures(case, seconds, people, net.limit_s, units))
    return pd.DataFrame(rows)


def _nearest(net: Net, origins: Floats, places: Floats) -> Floats:
    found = ways((replace(net, limit_s=np.inf),), origins, places)
    nearest = np.full(len(origins), np.inf)
    if len(found):
        np.minimum.at(nearest, found["demand"].to_numpy(np.int64), found["seconds"].to_numpy())
    return nearest


def _figures(
    case: Case, seconds: Floats, people: Floats, limit_s: float, units: gpd.GeoDataFrame
) -> dict[str, object]:
    way = np.isfinite(seconds)
    minutes = np.where(way, seconds, 0.0) / 60
    table = pd.DataFrame(
        {
            "unit_id": case.people.table["unit_id"].to_numpy(),
            "people": np.where(way, people, 0.0),
            "spent": minutes * people,
        }
    )
    summed = table.groupby("unit_id", sort=True).sum()
    summed = summed[summed["people"] > 0]
    mean = summed["spent"] / summed["people"]
    worst = str(mean.idxmax()) if len(mean) else ""
    return {
        "people": float(people.sum()),
        "in_reach_share": float(people[seconds <= limit_s].sum() / max(people.sum(), 1.0)),
        "no_way": float(people[~way].sum()),
        "mean_min": float(table["spent"].sum() / max(table["people"].sum(), 1.0)),
        "p90_min": weighted_quantile(minutes[way], people[way], 0.9),
        "worst_village": str(units["name"].get(worst, "")),
        "worst_min": float(mean.max()) if len(mean) else np.nan,
    }


def weighted_quantile(values: Floats, weight: Floats, share: float) -> float:
    """Give the least value that a share of the weight does not exceed.

    Parameters
    ----------
    values, weight
        Values and their weights, shape (n,).
    share
        Share of the weight.

    Returns
    -------
    float
        NaN without values.

    Examples
    --------
    >>> weighted_quantile(np.array([1.0, 5.0, 3.0]), np.array([8.0, 1.0, 1.0]), 0.9)
    3.0
    """
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    at = int(np.searchsorted(total, share * total[-1] - 1e-9))
    return float(values[order][min(at, len(values) - 1)])

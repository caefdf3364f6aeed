"""Map layers of the refuge plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuge_assign import Assigned
    from riskmap.plans.refuge_demand import People
    from riskmap.plans.refuge_routes import Routes
    from riskmap.plans.refuge_sites import Proposed


def plan_layers(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    done: Assigned,
    people: People,
    routes: Routes,
    refuges: pd.DataFrame,
    xy: NDArray[np.float64],
    sites: Proposed | None,
    crs: str,
) -> dict[str, gpd.GeoDataFrame]:
    """Draw routes, assignment lines, unusable refuges, people without a place and new sites.

    Parameters
    ----------
    name
        Name of the scenario.
    tables
        The plan's tables.
    done
        The assignment.
    people
        The groups.
    routes
        The roads of every assignment, in the order of ``tables["assignment"]``.
    refuges
        Refuge layer.
    xy
        Places of the refuges [m].
    sites
        New sites, or None.
    crs
        The run's CRS.

    Returns
    -------
    dict
        Layer name to table with kind, label, scenario and values.
    """
    rows = tables["assignment"]
    label = rows["name"] + " → " + rows["refuge"]
    values = rows[["people", "assisted", "mode", "metres", "minutes", "spare_min", "avoided_m"]]
    start, end = people.xy[rows["demand"].to_numpy(int)], xy[rows["refuge_row"].to_numpy(int)]
    straight = shapely.linestrings(np.stack([start, end], axis=1)) if len(rows) else []
    other = np.flatnonzero(rows["other_metres"].notna().to_numpy())
    fit = tables["eligibility"]
    bad = fit[~fit["usable"] & fit["required"]].drop_duplicates("item_id")
    at = refuges.index.astype(str).get_indexer(pd.Index(bad["item_id"]))
    short = np.flatnonzero(done.shortfall > 0)
    lacking = people.table.iloc[short]
    found = {
        "routes": _layer(routes.lines, "route", label, name, crs, values),
        "other_routes": _layer(
            routes.others[other], "other_route", label[other], name, crs,
            rows.loc[other, ["people", "mode", "other_metres", "other_minutes", "shared_m"]],
        ),
        "assignment": _layer(straight, "assignment", label, name, crs, values),
        "unusable": _layer(
            shapely.points(xy[at]), "unusable", bad["name"], name, crs,
            bad[["check", "reason"]],
        ),
        "shortfall": _layer(
            shapely.points(people.xy[short]), "shortfall", lacking["name"], name, crs,
            pd.DataFrame({"people": done.shortfall[short]}),
        ),
    }  # fmt: skip
    titles = {
        "routes": text("Routes to refuges"),
        "other_routes": text("Other routes, when the first is cut"),
        "assignment": text("Who goes where"),
        "unusable": text("Refuges not used"),
        "shortfall": text("People without a place"),
        "sites": text("Proposed refuges"),
    }
    if sites is not None and len(sites.xy):
        found["sites"] = _layer(
            shapely.points(sites.xy), "site", sites.table["site"], name, crs,
            sites.table[["order", "phase", "places"]],
        )  # fmt: skip
    for key, layer in found.items():
        layer.attrs["title"] = titles[key]
    return {key: layer for key, layer in found.items() if len(layer)}


def _layer(
    shapes: object, kind: str, label: pd.Series, scenario: str, crs: str, values: pd.DataFrame
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    table = values.reset_index(drop=True).copy()
    table.insert(0, "kind", kind)
    table.insert(1, "label", label.to_numpy())
    table.insert(2, "scenario", scenario)
    return gpd.GeoDataFrame(table, geometry=np.asarray(shapes, dtype=object), crs=crs)

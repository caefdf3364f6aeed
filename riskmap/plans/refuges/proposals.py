"""New sites for a plan: candidates from the project, village names, tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.geo.points import row_xy
from riskmap.i18n import text
from riskmap.plans.plan import Proof
from riskmap.plans.refuges.sites import Proposed, Wanted, propose
from riskmap.plans.refuges.ways import Net, ways

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.refuges.mends import Case

    Floats = NDArray[np.float64]

    from riskmap.plans.refuges.dangers import Dangers
    from riskmap.plans.refuges.options import RefugeOptions
    from riskmap.plans.refuges.ways import Net
    from riskmap.plans.refuges.world import World


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


def proposals(
    world: World,
    case: Case,
    dangers: Dangers,
    roads: tuple[Net, ...],
    options: RefugeOptions,
) -> Proposed | None:
    """Propose sites among the given candidates, or among the cells with people.

    Parameters
    ----------
    world
        Candidates, population, presets.
    case
        The assignment.
    dangers
        What sites must keep clear of.
    roads
        Roads by mode; sites are chosen on foot.
    options
        The plan's options.

    Returns
    -------
    Proposed or None
        Sites with their village and coordinates; None when there is nothing to propose.
    """
    from riskmap.geo.grid import cell_centres, cell_names

    if not roads or roads[0].mode != "foot":
        return None
    if world.candidates is not None:
        xy = row_xy(world.candidates)
        names = [str(key) for key in world.candidates.index]
    else:
        flat = np.zeros(0) if world.population is None else np.nan_to_num(world.population).ravel()
        cells = np.flatnonzero(flat > 0)
        xy = np.column_stack(cell_centres(world.grid, cells))
        names = [str(key) for key in cell_names(world.grid, cells)]
    wanted = Wanted(
        origins=case.people.xy,
        people=case.counts,
        shortfall=case.done.shortfall,
        refuges=case.refuges,
        room=case.places,
    )
    found = propose(
        wanted, candidates=xy, names=names, dangers=dangers, net=roads[0],
        presets=world.presets, options=options, seed=world.seed,
    )  # fmt: skip
    return found if found is None or not len(found.xy) else _where(found, world)


def _where(sites: Proposed, world: World) -> Proposed:
    """Add the village of every proposed site, and its place in EPSG:4326."""
    import geopandas as gpd
    import shapely

    from riskmap.geo.points import unit_of_points
    from riskmap.vocabulary.columns import WGS84

    units = world.units
    points = shapely.points(sites.table[["x", "y"]].to_numpy())
    home = unit_of_points(points, units[units["finest"]])
    lonlat = gpd.GeoSeries(points, crs=world.grid.crs).to_crs(WGS84)
    table = sites.table.drop(columns=["x", "y"])
    table.insert(3, "village", [str(units["name"].get(code, "")) for code in home])
    table.insert(4, "town", [str(units["town"].get(code, "")) for code in home])
    table["lon"], table["lat"] = lonlat.x.round(6), lonlat.y.round(6)
    return replace(sites, table=table, xy=sites.table[["x", "y"]].to_numpy(np.float64))


def site_tables(
    world: World, case: Case, roads: tuple[Net, ...], sites: Proposed | None
) -> dict[str, pd.DataFrame]:
    """Give the tables about proposed sites.

    Parameters
    ----------
    world
        Units.
    case
        The assignment.
    roads
        Roads by mode.
    sites
        The sites, or None.

    Returns
    -------
    dict
        sites, siting (proof) and equity; empty without sites.
    """
    if sites is None or not len(sites.xy):
        return {}
    fair = equity(case, roads[0], sites.xy, world.units)
    return {"sites": sites.table, "siting": sites.proof, "equity": fair}


def site_proofs(scenario: str, tables: Mapping[str, pd.DataFrame]) -> tuple[Proof, ...]:
    """Give the proof of the proposed sites, phase by phase.

    Parameters
    ----------
    scenario
        Name of the scenario; empty for none.
    tables
        Tables of `site_tables`.

    Returns
    -------
    tuple of Proof
        Empty without sites.
    """
    if "siting" not in tables:
        return ()
    return tuple(
        Proof(
            question=text("New refuges, phase {n}", n=int(row["phase"])),
            scenario=scenario,
            model=str(row["model"]),
            status=str(row["status"]),
            objective=row["objective"],
            bound=row["bound"],
            gap=row["gap"],
            recount={key: float(row[key]) for key in ("counted", "candidates", "left_out")},
        )
        for row in tables["siting"].to_dict("records")
    )

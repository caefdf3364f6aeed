"""New sites for a plan: candidates from the project, village names, tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from riskmap.geo.points import row_xy
from riskmap.plans.refuge_equity import equity
from riskmap.plans.refuge_sites import Proposed, Wanted, propose

if TYPE_CHECKING:
    import pandas as pd

    from riskmap.plans.refuge_dangers import Dangers
    from riskmap.plans.refuge_mends import Case
    from riskmap.plans.refuge_options import RefugeOptions
    from riskmap.plans.refuge_roads import Net
    from riskmap.plans.refuge_world import World


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

    from riskmap.columns import WGS84
    from riskmap.geo.points import unit_of_points

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

"""Map layers of the station plan: bands, reached roads, single and double cover, new sites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.cells import cell_polygons
from riskmap.geo.grid import Grid, inside_cells
from riskmap.geo.network import service_areas
from riskmap.i18n import Text, text
from riskmap.plans.coverage import Reach, times_covered
from riskmap.plans.next_sites import Siting
from riskmap.plans.response import Rule
from riskmap.plans.setting import Setting

if TYPE_CHECKING:
    import geopandas as gpd


def station_layers(
    setting: Setting,
    grid: Grid,
    cells: Reach,
    rule: Rule,
    *,
    names: NDArray[np.object_],
    half_width_m: float,
    siting: Siting | None,
) -> dict[str, gpd.GeoDataFrame]:
    """Draw the coverage.

    Parameters
    ----------
    setting
        Stations on the roads.
    grid
        The grid.
    cells
        How the cells inside the place are reached.
    rule
        The targets.
    names
        Names of the stations.
    half_width_m
        How far from a reached road land counts as reached [m].
    siting
        Chosen sites, or None.

    Returns
    -------
    dict
        Name to a layer with ``kind``, ``label``, ``band`` and a title.
    """
    squares = cell_polygons(grid, inside_cells(grid))
    shapes = squares.geometry.to_numpy()
    timed = squares[["geometry"]].assign(cost=cells.nearest_s)
    roads, areas = service_areas(
        setting.graph,
        setting.stations,
        limits=[target.seconds for target in rule.targets],
        half_width_m=half_width_m,
        start=setting.start,
        edge_cost=setting.edge_cost,
        cells=timed,
    )
    layers = {
        "bands": _bands(areas, rule),
        "roads": _roads(roads, names),
        "cover": _cover(shapes, cells, rule, setting.graph.crs),
    }
    if siting is not None and len(siting.sites):
        layers["sites"] = _sites(siting, setting.graph.crs)
    return layers


def _bands(areas: gpd.GeoDataFrame, rule: Rule) -> gpd.GeoDataFrame:
    """Give the bands, widest first so that better ones are drawn over them."""
    out = areas.sort_values(["limit", "part"], ascending=[False, True], ignore_index=True)
    title = {target.seconds: target.title for target in rule.targets}
    label = [
        _band_label(title[limit], limit / 60, exclave=bool(exclave))
        for limit, exclave in zip(out["limit"], out["exclave"], strict=True)
    ]
    out = out.assign(kind="coverage", label=pd.Series(label, index=out.index, dtype=object))
    return _titled(out, text("Reached in time"))


def _band_label(what: Text, minutes: float, *, exclave: bool) -> Text:
    """Name one part of a band."""
    if exclave:
        return text("{what} within {min} min, free flow, exclave", what=what, min=f"{minutes:g}")
    return text("{what} within {min} min, free flow", what=what, min=f"{minutes:g}")


def _roads(roads: gpd.GeoDataFrame, names: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Join the reached roads of each station and band."""
    if roads.empty:
        return _titled(roads.assign(kind="coverage", label=""), text("Reached roads"))
    table = roads.dissolve(by=["band", "facility"], as_index=False)[
        ["band", "facility", "limit", "geometry"]
    ]
    who = table["facility"].to_numpy(dtype=np.int64)
    return _titled(table.assign(kind="route", label=names[who]), text("Reached roads"))


def _cover(shapes: NDArray[np.object_], cells: Reach, rule: Rule, crs: str) -> gpd.GeoDataFrame:
    """Join the cells that are covered once, and those covered twice or more."""
    import geopandas as gpd

    times = times_covered(cells, rule.targets[0].seconds)
    groups = [(text("covered once"), times == 1, 2), (text("covered twice or more"), times > 1, 1)]
    rows: list[dict[str, Any]] = [
        {"label": label, "band": band, "geometry": shapely.union_all(shapes[hit])}
        for label, hit, band in groups
        if hit.any()
    ]
    frame = gpd.GeoDataFrame(rows, columns=["label", "band", "geometry"], crs=crs)
    return _titled(frame.assign(kind="coverage"), text("Single and double cover"))


def _sites(siting: Siting, crs: str) -> gpd.GeoDataFrame:
    """Give the proposed sites as points, in the order of their gain."""
    import geopandas as gpd

    sites = siting.sites.reset_index(drop=True)
    labels = [
        text("proposed site {n}: {people} more people in time", n=i + 1, people=f"{gain:,.0f}")
        for i, gain in enumerate(sites["gain"])
    ]
    frame = gpd.GeoDataFrame(
        sites.assign(kind="site", label=pd.Series(labels, dtype=object), band=1),
        geometry=gpd.points_from_xy(sites["x"], sites["y"]),
        crs=crs,
    )
    return _titled(frame, text("Proposed stations"))


def _titled(frame: gpd.GeoDataFrame, title: Text) -> gpd.GeoDataFrame:
    """Write the layer's title where the page looks for it."""
    frame.attrs["title"] = title
    return frame

"""Map layers of the station plan: bands, reached roads, cover, losses to water, new sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_polygons, inside_cells
from riskmap.geo.network import service_areas
from riskmap.i18n import Text, text
from riskmap.plans.stations.coverage import Reach, times_covered
from riskmap.plans.stations.reach import Fleet, Setting
from riskmap.plans.stations.rules import Rule, Target
from riskmap.plans.stations.sites import Siting

if TYPE_CHECKING:
    import geopandas as gpd


BEFORE: Final = "before"
AFTER: Final = "after"
NONE_BAND, LOST_BAND, CUT_BAND = 5, 6, 9
"""Numbers by which the page and the GeoPackage colour what is no nested band."""


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """Stations and how they reach the cells, as they are or with the proposed sites."""

    when: str
    setting: Setting
    cells: Reach


def station_layers(
    states: Sequence[State],
    wet: Mapping[str, Reach],
    grid: Grid,
    *,
    names: NDArray[np.object_],
    half_width_m: float,
    siting: Siting | None,
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Text]]:
    """Draw the coverage.

    Parameters
    ----------
    states
        As it is, and with the proposed sites when there are any.
    wet
        Scenario to how the existing stations reach the cells.
    grid
        The grid.
    names
        Names of the stations, the proposed ones behind.
    half_width_m
        How far from a reached road land counts as reached [m].
    siting
        Chosen sites, or None.

    Returns
    -------
    tuple
        Name to a layer with ``kind``, ``label``, ``band``, ``when`` (``before``, ``after`` or
        empty), for scenarios ``scenario``; and name to its title.
    """
    squares = cell_polygons(grid, inside_cells(grid))
    crs = states[0].setting.graph.crs
    levels = states[0].setting.rule.levels
    roads, bands = _areas(
        states[0], squares, half_width_m, fleets=states[0].setting.fleets, levels=levels
    )
    parts, land = [roads.assign(when="")], [bands.assign(when=BEFORE)]
    for state in states[1:]:
        more, fresh = _gained(states[0], state, squares, half_width_m)
        parts.append(more.assign(when=AFTER))
        land.append(_merged(_joined([bands, fresh]), state.setting).assign(when=AFTER))
    layers = {
        "bands": _bands(_joined(land), levels, states[0].setting.graph.hour),
        "roads": _roads(_joined(parts), names, states[0].setting.rule),
    }
    shapes = squares.geometry.to_numpy()
    titles = {
        "bands": text("Reached in time"),
        "roads": text("Reached roads"),
        "lost": text("Cover lost to water"),
        "sites": text("Proposed stations"),
    }
    for target in states[0].setting.rule.levels:
        layers[f"cover_{target.seconds:g}"] = _cover(states, shapes, target, crs)
        titles[f"cover_{target.seconds:g}"] = text(
            "Cover within {min} min: none, single, double", min=target.minutes
        )
    lost = [_lost(states[0], name, cells, shapes, crs) for name, cells in wet.items()]
    there = [part for part in lost if part is not None]
    if there:
        layers["lost"] = _joined(there)
    if siting is not None and len(siting.sites):
        layers["sites"] = _sites(siting, crs)
    return {name: layer for name, layer in layers.items() if len(layer)}, titles


def _joined(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Put tables of shapes under each other."""
    import geopandas as gpd

    there = [part for part in parts if len(part)] or list(parts[:1])
    return gpd.GeoDataFrame(pd.concat(there, ignore_index=True), crs=parts[0].crs)


def _gained(
    before: State, after: State, squares: gpd.GeoDataFrame, half_width_m: float
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give what the proposed sites add: along their roads under the first rule, else by cells."""
    import geopandas as gpd

    rule = before.setting.rule
    first = rule.targets[0]
    near = [one for one in rule.levels if one.seconds <= rule.own_longest]
    better = after.cells.best_s(first) < before.cells.best_s(first)
    fleets = after.setting.fleets[-1:]
    roads, areas = _areas(
        after, squares, half_width_m, fleets=fleets, levels=near, rows=np.flatnonzero(better)
    )
    parts = [areas]
    for number, target in enumerate(rule.levels, 1):
        new = (times_covered(after.cells, target) > 0) & (times_covered(before.cells, target) == 0)
        if target not in near and new.any():
            shapes = squares.geometry.to_numpy()[new]
            columns = {"band": number, "limit": target.seconds}
            land = [shapely.coverage_union_all(shapes)]
            parts.append(gpd.GeoDataFrame(columns, geometry=land, crs=squares.crs, index=[0]))
    return roads, _joined(parts)


def _areas(
    state: State,
    squares: gpd.GeoDataFrame,
    half_width_m: float,
    *,
    fleets: Sequence[Fleet],
    levels: Sequence[Target],
    rows: NDArray[np.int64] | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Give reached roads and nested bands of some fleets, each rule on its own clock."""
    setting = state.setting
    every = setting.rule.levels
    roads, areas = [], []
    for wait in sorted({target.response_s for target in levels}):
        asked = [target for target in levels if target.response_s == wait]
        numbers = [every.index(target) + 1 for target in asked]
        timed = squares[["geometry"]].assign(cost=state.cells.best_s(asked[-1]))
        timed = timed if rows is None else timed.iloc[rows]
        for fleet in fleets:
            shift = np.where(setting.own[fleet.rows], 0.0, wait - setting.rule.response_s)
            road, area = service_areas(
                setting.graph,
                fleet.places,
                limits=[target.seconds for target in asked],
                half_width_m=half_width_m,
                start=fleet.start + shift,
                edge_cost=fleet.edge_cost,
                cells=timed,
            )
            band = np.array([0, *numbers])
            facility = fleet.rows[road["facility"].to_numpy(dtype=np.int64)]
            roads.append(road.assign(band=band[road["band"]], facility=facility))
            areas.append(area.assign(band=band[area["band"]]))
    if len(areas) == 1:
        return roads[0], areas[0]
    return _joined(roads), _merged(_joined(areas), setting)


def _merged(areas: gpd.GeoDataFrame, setting: Setting) -> gpd.GeoDataFrame:
    """Join the bands of several fleets and tell the exclaves anew."""
    import geopandas as gpd

    spots = np.concatenate([shapely.points(one.places.xy[one.places.on]) for one in setting.fleets])
    parts = []
    for (band, limit), rows in areas.groupby(["band", "limit"], sort=True):
        shapes = shapely.get_parts(shapely.union_all(rows.geometry.to_numpy()))
        held = np.zeros(len(shapes), dtype=bool)
        held[np.unique(shapely.STRtree(shapes).query(spots, predicate="intersects")[1])] = True
        columns = {
            "band": band, "limit": limit, "part": np.arange(1, len(shapes) + 1),
            "exclave": ~held, "area_km2": shapely.area(shapes) / 1e6,
        }  # fmt: skip
        parts.append(gpd.GeoDataFrame(columns, geometry=shapes, crs=areas.crs))
    return _joined(parts)


def _bands(areas: gpd.GeoDataFrame, levels: Sequence[Target], hour: int | None) -> gpd.GeoDataFrame:
    """Give the bands, widest first so that better ones are drawn over them."""
    out = areas.sort_values(["band", "part"], ascending=[False, True], ignore_index=True)
    label = [
        _band_label(levels[int(band) - 1], hour, exclave=bool(exclave))
        for band, exclave in zip(out["band"], out["exclave"], strict=True)
    ]
    return out.assign(kind="coverage", label=pd.Series(label, index=out.index, dtype=object))


def _band_label(target: Target, hour: int | None, *, exclave: bool) -> Text:
    """Name one part of a band."""
    if hour is not None:
        if exclave:
            return text(
                "within {min} min, traffic at {hour}:00, exclave", min=target.minutes, hour=hour
            )
        return text("within {min} min, traffic at {hour}:00", min=target.minutes, hour=hour)
    if exclave:
        return text("within {min} min, free flow, exclave", min=target.minutes)
    return text("within {min} min, free flow", min=target.minutes)


def _roads(roads: gpd.GeoDataFrame, names: NDArray[np.object_], rule: Rule) -> gpd.GeoDataFrame:
    """Join the reached roads of each station and band, under the first rule."""
    import geopandas as gpd

    levels = rule.levels
    roads = roads[(roads["limit"] <= rule.own_longest) & (roads.geometry.length > 0)]
    if roads.empty:
        return roads.assign(kind="edge", label="")
    rows: list[dict[str, Any]] = []
    for (when, band, who), part in roads.groupby(["when", "band", "facility"], sort=True):
        target = levels[int(band) - 1]
        label = text("{name}: within {min} min", name=names[int(who)], min=target.minutes)
        lines = shapely.multilinestrings(part.geometry.to_numpy())
        rows.append(
            {"band": band, "facility": who, "limit": target.seconds, "when": when, "kind": "edge",
             "label": label, "geometry": lines}
        )  # fmt: skip
    return gpd.GeoDataFrame(rows, crs=roads.crs)


def _cover(
    states: Sequence[State], shapes: NDArray[np.object_], target: Target, crs: str
) -> gpd.GeoDataFrame:
    """Join the cells that are covered never, once, twice or more."""
    rows = []
    for state in states:
        times = times_covered(state.cells, target)
        groups = [
            (text("covered by none"), times == 0, NONE_BAND),
            (text("covered once"), times == 1, 2),
            (text("covered twice or more"), times > 1, 1),
        ]
        rows += [row | {"when": state.when} for row in _patches(shapes, groups)]
    return _table(rows, crs).assign(kind="coverage", target_s=target.seconds)


def _lost(
    state: State, scenario: str, wet: Reach, shapes: NDArray[np.object_], crs: str
) -> gpd.GeoDataFrame | None:
    """Join the cells that lose cover under water, by target, and those cut off from everybody."""
    dry = state.cells
    cut = np.isfinite(dry.nearest_s) & ~np.isfinite(wet.nearest_s)
    groups = [(text("cut off from every station"), cut, CUT_BAND)]
    for place, target in enumerate(state.setting.rule.levels):
        gone = (times_covered(dry, target) > 0) & (times_covered(wet, target) == 0) & ~cut
        label = text("no longer reached within {min} min", min=target.minutes)
        groups.append((label, gone, min(LOST_BAND + place, CUT_BAND - 1)))
    rows = _patches(shapes, groups)
    if not rows:
        return None
    return _table(rows, crs).assign(kind="coverage", scenario=scenario)


def _patches(
    shapes: NDArray[np.object_], groups: Sequence[tuple[Text, NDArray[np.bool_], int]]
) -> list[dict[str, Any]]:
    """Join the cells of each group that has any."""
    return [
        {"label": label, "band": band, "geometry": shapely.coverage_union_all(shapes[hit])}
        for label, hit, band in groups
        if hit.any()
    ]


def _table(rows: Sequence[Mapping[str, Any]], crs: str) -> gpd.GeoDataFrame:
    import geopandas as gpd

    return gpd.GeoDataFrame(list(rows), geometry="geometry", crs=crs)


def _sites(siting: Siting, crs: str) -> gpd.GeoDataFrame:
    """Give the proposed sites as points, in the order of their gain."""
    import geopandas as gpd

    sites = siting.sites.reset_index(drop=True)
    labels = [
        text("proposed site {n}: {people} more people in time", n=i + 1, people=f"{gain:,.0f}")
        for i, gain in enumerate(sites["gain"])
    ]
    return gpd.GeoDataFrame(
        sites.assign(kind="site", label=pd.Series(labels, dtype=object), band=1, when=""),
        geometry=gpd.points_from_xy(sites["x"], sites["y"]),
        crs=crs,
    )

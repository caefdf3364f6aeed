"""What the generators of points look at, and how they draw from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from demo.area import METRIC, junctions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from demo.terrain import Ground

SEED = 20260417
NOTE = "示范数据"


@dataclass(frozen=True)
class Scene:
    """What the generators of points look at: one row a road junction in the study area."""

    table: pd.DataFrame
    """x, y (metric), lon, lat, edges, height, water [m], names of units, code, density."""
    villages: gpd.GeoDataFrame


def make_scene(
    roads: gpd.GeoDataFrame, units: gpd.GeoDataFrame, dem: Ground, water: gpd.GeoDataFrame
) -> Scene:
    """Join the junctions with units, height, distance to water and density of people."""
    village = units[units["level"] == "village"].copy()
    names = units.set_index("code")["name"]
    village["density"] = village["population"] / (village.to_crs(METRIC).area / 1e6)
    joined = gpd.sjoin(
        junctions(roads),
        village[["code", "name", "parent", "density", "geometry"]],
        predicate="within",
    )
    joined = joined.sort_index().drop_duplicates("geometry")
    metric = joined.to_crs(METRIC)
    xy = shapely.get_coordinates(metric.geometry.array)
    streams = shapely.union_all(water.to_crs(METRIC).geometry.to_numpy())
    table = pd.DataFrame(
        {
            "x": xy[:, 0],
            "y": xy[:, 1],
            "lon": joined.geometry.x.to_numpy(),
            "lat": joined.geometry.y.to_numpy(),
            "edges": joined["edges"].to_numpy(),
            "height": dem.at(xy),
            "water": shapely.distance(metric.geometry.array, streams),
            "code": joined["code"].to_numpy(),
            "village": joined["name"].to_numpy(),
            "town": names.loc[joined["parent"]].to_numpy(),
            "district": names.loc[joined["parent"].str[:6]].to_numpy(),
            "density": joined["density"].to_numpy(),
        }
    ).reset_index(drop=True)
    return Scene(table, village)


def pick(
    scene: Scene, weight: NDArray[np.float64], n: int, *, apart_m: float, seed: int
) -> pd.DataFrame:
    """Draw junctions by weight, none closer together than a distance."""
    chance = np.random.default_rng(SEED + seed)
    key = np.log(np.maximum(weight, 1e-12)) + chance.gumbel(size=len(weight))
    xy = scene.table[["x", "y"]].to_numpy()
    taken: list[int] = []
    for i in np.argsort(-key, kind="stable"):
        if not taken or np.min(np.hypot(*(xy[taken] - xy[i]).T)) >= apart_m:
            taken.append(int(i))
        if len(taken) == n:
            break
    chosen = scene.table.iloc[taken].reset_index(drop=True)
    return moved(scene, chosen, chance, 35)


def moved(
    scene: Scene, table: pd.DataFrame, chance: np.random.Generator, metres: float
) -> pd.DataFrame:
    """Move points off the junction by a few metres, but never out of the study area."""
    shift = chance.uniform(-metres, metres, (len(table), 2))
    place = gpd.GeoSeries(
        gpd.points_from_xy(table["x"] + shift[:, 0], table["y"] + shift[:, 1]), crs=METRIC
    ).to_crs(4326)
    inside = place.within(shapely.union_all(scene.villages.geometry.to_numpy()))
    lon, lat = np.where(inside, place.x, table["lon"]), np.where(inside, place.y, table["lat"])
    return table.assign(lon=lon.round(6), lat=lat.round(6))


def phone(start: int, n: int) -> list[str]:
    """List telephone numbers that cannot exist (area code 000)."""
    return [f"000{start + i:08d}" for i in range(n)]


def person(letter: str, n: int) -> list[str]:
    """List roles in place of persons."""
    return [f"责任人{letter}{i + 1:03d}" for i in range(n)]


def blank(values: list[str], every: int, first: int) -> list[str]:
    """Leave some fields empty, as ledgers do."""
    return ["" if i % every == first else value for i, value in enumerate(values)]

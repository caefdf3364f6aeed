"""Communities that tile the study area, towns and districts made of them, and their people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree

from demo.area import METRIC, junctions
from demo.names import TOWN, community_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20260415
TOWNS = 40
COMMUNITIES = 300
DEGREE_GRID = 1e-6
RURAL_KM2 = 3.2
PEOPLE = {
    "370102": 800_000,
    "370103": 780_000,
    "370104": 540_000,
    "370105": 600_000,
    "370112": 760_000,
}
"""Rough, plausible figures for the covered part of each district, set by hand; not a census."""


def share(weights: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Split a whole number in proportion to weights, by largest remainders."""
    exact = weights / weights.sum() * total
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def clusters(xy: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    """Group points into k compact groups, numbered from north-west to south-east."""
    if k <= 1:
        return np.zeros(len(xy), dtype=np.int64)
    centres, _ = kmeans2(
        xy, k, minit="++", iter=60, seed=np.random.default_rng(seed), missing="warn"
    )
    order = np.lexsort((centres[:, 0], -np.round(centres[:, 1] / 1500)))
    rank = np.empty(k, dtype=np.int64)
    rank[order] = np.arange(k)
    _, label = cKDTree(centres).query(xy)
    return rank[label]


def seeds(points: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give every seed point its district, town and community number.

    Seeds are junctions (one in each 120 m square) and a 700 m lattice, so that ground without
    junctions is cut up as well.
    """
    xy = shapely.get_coordinates(points.to_crs(METRIC).geometry.array)
    _, first = np.unique(np.floor(xy / 120), axis=0, return_index=True)
    low, high = area.total_bounds[:2], area.total_bounds[2:]
    lattice = np.stack(
        np.meshgrid(np.arange(low[0], high[0], 700), np.arange(low[1], high[1], 700)), axis=-1
    ).reshape(-1, 2)
    lattice = lattice + np.random.default_rng(SEED).uniform(-200, 200, lattice.shape)
    far = cKDTree(xy).query(lattice)[0] > 350
    table = pd.DataFrame(np.concatenate([xy[np.sort(first)], lattice[far]]), columns=["x", "y"])
    where = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.x, table.y), crs=METRIC)
    joined = gpd.sjoin(where, area[["code", "geometry"]], predicate="within").sort_index()
    table = table.loc[joined.index].assign(district=joined["code"]).reset_index(drop=True)
    table["town"] = 0
    table["village"] = 0
    counts = table.groupby("district").size()
    towns = share(counts.to_numpy(float) ** 0.8, TOWNS)
    villages = share(counts.to_numpy(float) ** 0.9, COMMUNITIES)
    for n, code in enumerate(counts.index):
        own = (table["district"] == code).to_numpy()
        place = table.loc[own, ["x", "y"]].to_numpy()
        town = clusters(place, int(towns[n]), SEED + n)
        village = np.zeros(len(place), dtype=np.int64)
        for t, k in enumerate(share(np.bincount(town).astype(float) ** 0.9, int(villages[n]))):
            village[town == t] = clusters(place[town == t], max(int(k), 1), SEED + 100 * n + t)
        table.loc[own, "town"] = town
        table.loc[own, "village"] = village
    return table


def cells(table: pd.DataFrame, area: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join the Voronoi cells of each community's seeds, cut to its district (metric)."""
    pieces = []
    for code, own in table.groupby("district"):
        district = area.loc[area["code"] == code].geometry.iloc[0]
        points = shapely.points(own[["x", "y"]].to_numpy())
        voronoi = gpd.GeoSeries(
            shapely.get_parts(
                shapely.voronoi_polygons(shapely.multipoints(points), extend_to=district)
            ),
            crs=METRIC,
        )
        at = voronoi.sindex.nearest(points, return_all=False)[1]
        cell = gpd.GeoDataFrame(
            own[["district", "town", "village"]].reset_index(drop=True),
            geometry=voronoi.iloc[at].intersection(district).to_numpy(),
            crs=METRIC,
        )
        pieces.append(cell.dissolve(["district", "town", "village"]).reset_index())
    return gpd.GeoDataFrame(pd.concat(pieces, ignore_index=True), crs=METRIC)


def tile(communities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make an exact coverage on a 1e-6 degree grid: node all borders, polygonise, name each face.

    A face that is not joined to the largest face of its community, or lies in a crack between
    districts, goes to the neighbour with the longest shared border: each community is one polygon.
    """
    smooth = communities.assign(geometry=communities.geometry.simplify_coverage(90))
    degrees = smooth.to_crs(4326)
    lines = shapely.union_all(degrees.boundary.to_numpy(), grid_size=DEGREE_GRID)
    faces = np.array(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))
    inside = shapely.point_on_surface(faces)
    within, of = degrees.sindex.query(inside, predicate="within")
    owner = np.full(len(faces), -1)
    owner[within] = of
    for _ in range(3):
        known = np.unique(owner[owner >= 0])
        joined = {c: shapely.union_all(faces[owner == c]) for c in known}
        big = {c: max(shapely.get_parts(g), key=lambda part: part.area) for c, g in joined.items()}
        for f in np.flatnonzero(
            [
                c < 0 or not big[c].intersects(p)
                for c, p in zip(owner, shapely.point_on_surface(faces), strict=True)
            ]
        ):
            shared = {c: faces[f].boundary.intersection(g.boundary).length for c, g in big.items()}
            owner[f] = max(shared, key=lambda c: (shared[c], -c))
    parts = gpd.GeoDataFrame({"n": owner}, geometry=faces, crs=4326).dissolve("n")
    return gpd.GeoDataFrame(
        communities.loc[parts.index, ["district", "town", "village"]].reset_index(drop=True),
        geometry=shapely.set_precision(parts.geometry.to_numpy(), DEGREE_GRID),
        crs=4326,
    )


def people(units: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> pd.DataFrame:
    """Spread each district's people by the density of junctions; share of the old by chance."""
    chance = np.random.default_rng(SEED + 1)
    joined = gpd.sjoin(
        points[["edges", "geometry"]], units[["code", "geometry"]], predicate="within"
    )
    ends = joined.groupby("code")["edges"].sum().reindex(units["code"]).fillna(0).to_numpy()
    km2 = units.to_crs(METRIC).area.to_numpy() / 1e6
    weight = (
        (ends + 4) ** 0.6 * np.minimum(km2, 4.0) ** 0.35 * chance.lognormal(0, 0.25, len(units))
    )
    count = np.zeros(len(units), dtype=np.int64)
    for code, total in PEOPLE.items():
        own = (units["parent"].str[:6] == code).to_numpy()
        count[own] = share(weight[own], total)
    old = np.clip(
        chance.normal(0.19, 0.035, len(units)) + np.where(km2 > RURAL_KM2, 0.05, 0), 0.08, 0.36
    )
    return pd.DataFrame({"population": count, "elderly_share": np.round(old, 3)}, index=units.index)


def coded(tiles: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give communities their 12-digit codes (towns from 901, which no real town has) and names."""
    tiles = tiles.sort_values(["district", "town", "village"]).reset_index(drop=True)
    town = tiles["district"] + (901 + tiles["town"]).astype(str)
    number = tiles.groupby(town).cumcount() + 1
    rural = tiles.to_crs(METRIC).area.to_numpy() / 1e6 > RURAL_KM2
    tiles["code"] = town + number.astype(str).str.zfill(3)
    names = community_names()
    tiles["name"] = [f"示范{names[i]}{'村' if r else '社区'}" for i, r in enumerate(rural)]
    tiles["parent"] = town
    return tiles


def make_units(roads: gpd.GeoDataFrame, area: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make all three levels with code, name, parent, level, population, elderly_share."""
    points = junctions(roads)
    village = coded(tile(cells(seeds(points, area), area)))
    village[["population", "elderly_share"]] = people(village, points)
    village["old"] = village["population"] * village["elderly_share"]
    columns = ["level", "code", "name", "parent", "population", "elderly_share", "geometry"]
    town = village.dissolve(
        "parent", aggfunc={"population": "sum", "old": "sum", "district": "first"}
    )
    town = town.reset_index(names="code")
    rural = village.groupby("parent")["name"].agg(
        lambda names: names.str.endswith("村").mean() > 0.5
    )
    town["name"] = [
        f"示范{TOWN[i]}{'镇' if rural[c] else '街道'}" for i, c in enumerate(town["code"])
    ]
    town["parent"] = town["district"]
    district = town.dissolve("district", aggfunc={"population": "sum", "old": "sum"})
    district = district.reset_index(names="code")
    district["name"] = district["code"].map(area.set_index("code")["name"])
    district["parent"] = ""
    frames = []
    for level, frame in (("district", district), ("town", town), ("village", village)):
        share_old = (frame["old"] / frame["population"]).round(3)
        frames.append(frame.assign(level=level, elderly_share=share_old)[columns])
    whole = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=4326)
    whole["geometry"] = shapely.normalize(whole.geometry.to_numpy())
    return whole

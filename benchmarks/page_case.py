"""Made-up results for the benchmark of the page: smooth fields, squares, points."""

# ruff: noqa: E501

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox

from riskmap.index import steps
from tests.sample import CRS, ORIGIN, sample_meta, sample_result

CELL_M = 100.0
TOWN_CELLS = 32


def smooth(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a smooth field with a little noise, as real indicators are."""
    y, x = np.mgrid[0:n, 0:n] / n
    out = np.zeros((n, n))
    for _ in range(6):
        a, b, c = rng.uniform(1, 7, 3)
        out += rng.uniform(0.3, 1) * np.sin(a * x * 3 + b * y * 3 + c)
    return out + 0.03 * rng.standard_normal((n, n))


def indicators() -> pd.DataFrame:
    """Take the sample's tree of the index with eleven indicators."""
    meta = sample_meta()
    first = meta[meta["kind"] == "indicator"]
    more = pd.concat([first, first, first])[: 11 - len(first)].copy()
    more.index = [f"{code}_{i}" for i, code in enumerate(more.index)]
    return pd.concat([meta, more])


def fitted(side: int, rng: np.random.Generator, **how: Any) -> Any:
    """Fit the index on side x side rows."""
    meta = indicators()
    codes = meta.index[meta["kind"] == "indicator"]
    values = pd.DataFrame({c: smooth(side, rng).ravel() for c in codes})
    return steps.fit(values, meta, steps.default_steps(), **how)


def many_points(base: Any, *, n: int, extent: float, rng: np.random.Generator) -> dict[str, Any]:
    """Scatter flood points with name, depth and level."""
    west, south = ORIGIN
    layer = base.layers["flood_point"]
    at = rng.uniform(0, extent, (n, 2))
    table = gpd.GeoDataFrame(
        {"name": [f"积水点{i}" for i in range(n)], "depth_m": rng.uniform(0, 1, n).round(2),
         "level": pd.array(rng.integers(1, 5, n), dtype="Int8")},
        index=pd.Index([f"YL-{i:06d}" for i in range(n)], name=layer.table.index.name),
        geometry=gpd.points_from_xy(west + at[:, 0], south + at[:, 1]), crs=CRS,
    )  # fmt: skip
    return {"flood_point": replace(layer, table=table)}


def cells_and_points(side: int, points: int) -> Any:
    """Build a result with side x side cells, 12 units and so many points."""
    rng = np.random.default_rng(3)
    base = sample_result(n_side=16, n_points=12)
    size = CELL_M if side > 16 else 2000.0
    west, south = ORIGIN
    box = GeoBox((side, side), Affine(size, 0, west, 0, -size, south + side * size), CRS)
    scale = side * size / 1600
    units = base.units.copy()
    units["geometry"] = units.geometry.affine_transform(
        [scale, 0, 0, scale, west * (1 - scale), south * (1 - scale)]
    )
    return replace(
        base, grid=SimpleNamespace(geobox=box, inside=np.ones((side, side), bool)), units=units,
        population=np.abs(smooth(side, rng)).astype("float32"),
        layers=many_points(base, n=points, extent=side * size, rng=rng),
        index={"unit": base.index["unit"], "cell": fitted(side, rng)}, items=base.items.iloc[:0],
        control=base.control.iloc[:0],
    )  # fmt: skip


def squares(side: int) -> np.ndarray:
    """Draw side x side squares, from the north-west, row by row."""
    west, south = ORIGIN
    row, col = np.divmod(np.arange(side * side), side)
    x, y = west + col * CELL_M, south + (side - 1 - row) * CELL_M
    return shapely.box(x, y, x + CELL_M, y + CELL_M)


def polygons_and_points(side: int, points: int) -> Any:
    """Build a result with side x side polygons as units, in towns and a district, and points."""
    rng = np.random.default_rng(3)
    base = sample_result(n_side=16, n_points=12)
    shapes = squares(side)
    row, col = np.divmod(np.arange(side * side), side)
    across = -(-side // TOWN_CELLS)
    town = row // TOWN_CELLS * across + col // TOWN_CELLS
    towns = [f"370102{t:03d}" for t in range(across * across)]
    low = gpd.GeoDataFrame({
        "unit_id": [f"{towns[t]}{i:06d}" for i, t in enumerate(town)], "parent_id": [towns[t] for t in town],
        "level": "village", "name": [f"网格{i}" for i in range(side * side)],
    }, geometry=shapes, crs=CRS)  # fmt: skip
    mid = low.dissolve("parent_id", as_index=False).assign(level="town")
    mid["unit_id"], mid["parent_id"] = mid["parent_id"], "370102"
    mid["name"] = [f"第{i}街道" for i in range(len(mid))]
    west, south = ORIGIN
    top = gpd.GeoDataFrame({"unit_id": ["370102"], "parent_id": [""], "level": ["district"], "name": ["历下区"]},
                           geometry=[shapely.box(west, south, west + side * CELL_M, south + side * CELL_M)], crs=CRS)  # fmt: skip
    units = gpd.GeoDataFrame(pd.concat([low, mid, top], ignore_index=True), crs=CRS).set_index(
        "unit_id"
    )
    units["population"] = rng.integers(1, 400, len(units)).astype(float)
    units["area_km2"] = units.geometry.area / 1e6
    units["town"] = units["district"] = ""
    meta = indicators()
    codes = meta.index[meta["kind"] == "indicator"]
    rest = len(units) - side * side
    values = pd.DataFrame(
        {c: np.concatenate([smooth(side, rng).ravel(), rng.uniform(-1, 1, rest)]) for c in codes},
        index=units.index,
    )
    rows = (units["level"] == "village").to_numpy()
    index = steps.fit(
        values, meta, steps.default_steps(), fit_rows=rows, rank_within=units["level"]
    )
    return replace(
        base, grid=None, population=None, units=units, index={"unit": index},
        layers=many_points(base, n=points, extent=side * CELL_M, rng=rng),
        items=base.items.iloc[:0], control=base.control.iloc[:0],
    )  # fmt: skip

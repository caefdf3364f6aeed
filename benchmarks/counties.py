"""Made-up counties for looking at the page: rural and tall, towns only, very many villages.

    python benchmarks/counties.py FOLDER

writes ``rural.html``, ``towns.html`` and ``many.html``.
"""

# ruff: noqa: E501

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from scipy.ndimage import distance_transform_edt, gaussian_filter

from riskmap.export.onemap.page import render
from riskmap.geo.grid import Grid
from riskmap.index import steps
from riskmap.layers.layer import Layer, Raster
from tests.sample import CRS, ORIGIN, sample_meta, sample_result

WEST, SOUTH = ORIGIN
RURAL = {"wide": 33_000.0, "high": 84_000.0, "towns": 7, "villages": 33, "cell": 500.0}
TOWNS = {"wide": 60_000.0, "high": 45_000.0, "towns": 14, "villages": 0, "cell": 500.0}
MANY = {"wide": 55_000.0, "high": 50_000.0, "towns": 24, "villages": 1_200, "cell": 500.0}
POINTS = {"flood_point": 60, "refuge": 4, "rescue_station": 2}
"""Points of each kind."""


def _outline(wide: float, high: float, rng: np.random.Generator) -> Any:
    """Draw a county with a ragged edge."""
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    r = 1 + 0.05 * np.sin(3 * turn + 1) + 0.06 * np.sin(5 * turn) + 0.02 * rng.standard_normal(120)
    x = WEST + wide / 2 * (1 + 0.92 * r * np.cos(turn))
    y = SOUTH + high / 2 * (1 + 0.92 * r * np.sin(turn))
    return shapely.Polygon(np.column_stack([x, y])).buffer(0)


def _parts(outline: Any, n: int, rng: np.random.Generator) -> list[Any]:
    """Part an area among so many places."""
    west, south, east, north = outline.bounds
    spots = rng.uniform((west, south), (east, north), (n * 40, 2))
    spots = spots[shapely.contains_xy(outline, spots[:, 0], spots[:, 1])]
    chosen = [spots[0]]
    for _ in range(n - 1):
        far = np.min([np.hypot(*(spots - c).T) for c in chosen], axis=0)
        chosen.append(spots[int(np.argmax(far * rng.uniform(0.5, 1, len(spots))))])
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(chosen), extend_to=outline)
    )
    return [cell.intersection(outline) for cell in cells]


def _units(case: dict[str, Any], rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Build district, towns and villages."""
    outline = _outline(case["wide"], case["high"], rng)
    rows = []
    towns = _parts(outline, case["towns"], rng)
    each = case["villages"] / len(towns)
    made = 0
    for t, shape in enumerate(towns):
        code = f"5333240{t:02d}"
        rows.append(
            (code, "533324", "town", f"示范{'甲乙丙丁戊己庚辛壬癸'[t % 10]}{t + 1}乡", shape)
        )
        n = round(each * (t + 1)) - made
        made += n
        for v, part in enumerate(_parts(shape, n, rng) if n > 0 else []):
            rows.append((f"{code}{v:03d}", code, "village", f"示范{t + 1}乡{v + 1}村", part))
    rows.append(("533324", "", "district", "示范县", outline))
    frame = gpd.GeoDataFrame(
        rows, columns=["unit_id", "parent_id", "level", "name", "geometry"], crs=CRS
    ).set_index("unit_id")
    frame["area_km2"] = frame.geometry.area / 1e6
    frame["town"] = frame["district"] = ""
    return frame


def county(case: dict[str, Any], *, seed: int = 5) -> Any:
    """Build a made-up county in which little is bad and people live along a river.

    Parameters
    ----------
    case
        `RURAL`, `TOWNS` or `MANY`.
    seed
        Seed of everything that is drawn.

    Returns
    -------
    Result
        As a run gives it.
    """
    rng = np.random.default_rng(seed)
    base = sample_result(n_side=16, n_points=12)
    units = _units(case, rng)
    size = case["cell"]
    nx, ny = int(case["wide"] // size), int(case["high"] // size)
    box = GeoBox((ny, nx), Affine(size, 0, WEST, 0, -size, SOUTH + ny * size), CRS)
    x = WEST + (np.arange(nx) + 0.5) * size
    y = SOUTH + ny * size - (np.arange(ny) + 0.5) * size
    gx, gy = np.meshgrid(x, y)
    outline = units.geometry["533324"]
    inside = shapely.contains_xy(outline, gx, gy)
    course = WEST + case["wide"] * (0.5 + 0.12 * np.sin((gy - SOUTH) / case["high"] * 7))
    away = np.abs(gx - course)
    hills = gaussian_filter(rng.standard_normal((ny, nx)), 5) * 4_000
    height = 800 + away * 0.14 + hills + 400 * (gy - SOUTH) / case["high"]
    valley = np.exp(-((away / 1_500) ** 2))
    people = np.where(inside, 120 * valley * rng.gamma(1.2, 1, (ny, nx)), 0).astype("float32")
    lively = np.maximum(valley + 0.25 * gaussian_filter(rng.standard_normal((ny, nx)), 3), 0)
    inhabited = (people > np.quantile(people[inside], 0.9)).ravel()
    spots = {name: rng.choice(np.flatnonzero(inhabited), n) for name, n in POINTS.items()}
    homes = np.ones(inside.size, dtype=bool)
    homes[spots["refuge"]] = False
    values = {
        "H_FLOOD": 3.0 * lively,
        "H_WATER": away,
        "E_POP": people / (size / 1000) ** 2,
        "V_LOW": 2.4 * np.maximum(valley + 0.25 * gaussian_filter(rng.standard_normal((ny, nx)), 3), 0),
        "C_REFUGE": distance_transform_edt(homes.reshape(inside.shape)) * size,
    }  # fmt: skip
    where = pd.Index(np.flatnonzero(inside), name="cell")
    cells = pd.DataFrame({c: v[inside].astype("float32") for c, v in values.items()}, index=where)
    owner = {}
    for code, row in units.iterrows():
        within = inside & shapely.contains_xy(row.geometry, gx, gy)
        weight = np.where(within, people + 0.01, 0)
        owner[code] = {c: float((v * weight).sum() / max(weight.sum(), 1e-9)) for c, v in values.items()}  # fmt: skip
        units.loc[code, "population"] = float(np.round(people[within].sum()))
    table = pd.DataFrame(owner).T
    finest = "village" if case["villages"] else "town"
    rows = (units["level"] == finest).to_numpy()
    meta = sample_meta()
    meta.loc["C_REFUGE", "direction"] = 1  # far is bad
    meta.loc["CAPACITY", "name_zh"], meta.loc["CAPACITY", "name_en"] = (
        "减灾能力不足",
        "Lack of capacity",
    )
    index = {
        "unit": steps.fit(
            table, meta, steps.default_steps(), fit_rows=rows, rank_within=units["level"]
        ),
        "cell": steps.fit(cells, meta, steps.default_steps()),
    }
    line = shapely.LineString(np.column_stack([course[::4, 0], y[::4]]))
    river = replace(base.layers["waterway"], table=base.layers["waterway"].table.set_geometry([line], crs=CRS))  # fmt: skip
    road = replace(base.layers["road"], table=base.layers["road"].table.iloc[:1].set_geometry([shapely.transform(line, lambda p: p + np.array([700, 0]))], crs=CRS))  # fmt: skip
    dem = Layer(role="dem", table=None, rasters=(Raster(values=height.astype("float32"), transform=tuple(box.affine)[:6], crs=CRS, unit="m"),))  # fmt: skip
    layers: dict[str, Any] = {"waterway": river, "road": road, "dem": dem}
    for name, at in spots.items():
        layer = base.layers[name]
        source = layer.table.iloc[[i % len(layer.table) for i in range(len(at))]].copy()
        source.index = pd.Index([f"{name[:2].upper()}-{i:04d}" for i in range(len(at))], name="item_id")  # fmt: skip
        source["name"] = [f"{i + 1}号点" for i in range(len(at))]
        source = source.set_geometry(
            gpd.points_from_xy(gx.ravel()[at], gy.ravel()[at]).tolist(), crs=CRS
        )
        if name == "flood_point":
            source["level"] = pd.array(rng.choice([1, 1, 2, 3, 4], len(at)), dtype="Int8")
        layers[name] = replace(layer, table=source)
    return replace(
        base, units=units, grid=Grid(box, inside), population=people, layers=layers, index=index,
        items=base.items.iloc[:0], control=base.control.iloc[:0], scenarios={},
        facts=replace(base.facts, name="示范县2026年汛前风险一张图", place_name="示范县", grid_size_m=size),
    )  # fmt: skip


def main() -> None:
    """Write the three pages."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, case in (("rural", RURAL), ("towns", TOWNS), ("many", MANY)):
        (folder / f"{name}.html").write_text(render(county(case)), encoding="utf-8")


if __name__ == "__main__":
    main()

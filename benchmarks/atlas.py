"""How fast sheets are made: A3 villages with 5 000 objects in view, beside matplotlib's in the same run.

    python benchmarks/atlas.py [SHEETS]

Prints seconds a sheet, bytes a sheet, memory before and after, and the same map by matplotlib.
"""

# ruff: noqa: E501

from __future__ import annotations

import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.export.papers.drafts import Options, unit_draft
from riskmap.export.papers.folder import make_atlas
from riskmap.export.papers.scene import Book, open_book

CRS = "EPSG:4549"
SIDE = 2_000.0
WEST, SOUTH = 400_000.0, 3_200_000.0
ROADS, HOUSES, POINTS = 1_400, 840, 40
"""Objects a village; a sheet shows parts of its neighbours too."""


def _write(path: Path, name: str, frame: Any) -> None:
    frame.to_file(path, layer=name, driver="GPKG", append=path.exists(), engine="pyogrio")


def make_folder(folder: Path, n: int) -> None:
    """Write a GeoPackage as a run does, of n villages full of roads, houses and points."""
    rng = np.random.default_rng(1)
    path = folder / "riskmap.gpkg"
    across = int(np.ceil(np.sqrt(n)))
    corners = np.array(
        [(WEST + SIDE * (i % across), SOUTH + SIDE * (i // across)) for i in range(n)]
    )
    boxes = shapely.box(*corners.T, *(corners + SIDE).T)
    rows = [("T", "", "town", "某镇", 1e5, 100.0)]
    rows += [(f"V{i:03d}", "T", "village", f"第{i}村", 1000.0, 4.0) for i in range(n)]
    names = ["unit_id", "parent_id", "level", "name", "population", "area_km2"]
    units = gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=names), geometry=[shapely.union_all(boxes), *boxes], crs=CRS
    )
    _write(path, "units", units)
    start = np.repeat(corners, ROADS, axis=0) + rng.uniform(0, SIDE, (n * ROADS, 2))
    turn = rng.uniform(0, 2 * np.pi, n * ROADS)
    steps = np.cumsum(rng.normal(45, 10, (n * ROADS, 3)), axis=1)
    bend = turn[:, None] + np.cumsum(rng.normal(0, 0.1, (n * ROADS, 3)), axis=1)
    spots = np.stack([start[:, :1] + steps * np.cos(bend), start[:, 1:] + steps * np.sin(bend)], -1)
    kinds = rng.choice(
        ["residential", "tertiary", "secondary", "service"], n * ROADS, p=[0.6, 0.2, 0.05, 0.15]
    )
    named = np.where(rng.random(n * ROADS) < 0.02, "某某路", "")
    named = np.array([f"{word}{i % 400}" if word else None for i, word in enumerate(named)])
    _write(
        path,
        "road",
        gpd.GeoDataFrame(
            {"class": kinds, "name": named}, geometry=shapely.linestrings(spots), crs=CRS
        ),
    )
    at = np.repeat(corners, HOUSES, axis=0) + rng.uniform(0, SIDE, (n * HOUSES, 2))
    _write(
        path,
        "building",
        gpd.GeoDataFrame(
            {"item_id": np.arange(n * HOUSES)},
            geometry=shapely.box(*at.T, *(at + rng.uniform(8, 20, at.shape)).T),
            crs=CRS,
        ),
    )
    at = np.repeat(corners, POINTS, axis=0) + rng.uniform(0, SIDE, (n * POINTS, 2))
    point = gpd.GeoDataFrame(
        {
            "item_id": [f"P{i}" for i in range(len(at))],
            "name": [f"第{i}号积水点" for i in range(len(at))],
            "level": rng.integers(1, 5, len(at)),
        },
        geometry=shapely.points(at),
        crs=CRS,
    )
    _write(path, "flood_point", point)
    at = corners + SIDE / 2
    area = gpd.GeoDataFrame(
        {
            "item_id": [f"D{i}" for i in range(n)],
            "name": [f"第{i}村溪边" for i in range(n)],
            "type": "lowland",
            "people": 40.0,
            "households": 12.0,
            "trigger": "1小时40毫米",
            "level": 3,
        },
        geometry=shapely.buffer(shapely.points(at), 200),
        crs=CRS,
    )
    _write(path, "danger_area", area)
    refuge = gpd.GeoDataFrame(
        {
            "item_id": [f"R{i}" for i in range(n)],
            "name": [f"第{i}村小学" for i in range(n)],
            "capacity": 200.0,
        },
        geometry=shapely.points(at + 500),
        crs=CRS,
    )
    _write(path, "refuge", refuge)
    said = {
        "crs": CRS,
        "lang": "zh",
        "name": "某县",
        "profile": "internal",
        "data_date": "2026-04-01",
    }
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("create table facts(key text, value text)")
        base.executemany(
            "insert into facts values (?, ?)", [(k, f'"{v}"') for k, v in said.items()]
        )


def by_matplotlib(book: Book, code: str, path: Path) -> int:
    """Draw the same sheet with matplotlib on A3: the objects, names with rims, legend and tables."""
    import matplotlib as mpl

    mpl.use("pdf")
    import matplotlib.pyplot as plt
    import noto_cjk_sans_otc
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.font_manager import FontProperties
    from matplotlib.patheffects import withStroke

    draft = unit_draft(book, code, Options())
    font = FontProperties(fname=str(noto_cjk_sans_otc.FONT_PATH), size=7)
    shape = book.units.geometry[code]
    west, south, east, north = shapely.buffer(shape, SIDE * 0.1).bounds
    figure = plt.figure(figsize=(16.54, 11.69))
    axes = figure.add_axes((0.03, 0.13, 0.64, 0.77))
    roads = book.near("road", (west, south, east, north))
    lines = [shapely.get_coordinates(g) for g in roads.geometry]
    axes.add_collection(LineCollection(lines, colors="#9a9183", linewidths=1.6))
    axes.add_collection(LineCollection(lines, colors="#ffffff", linewidths=1.0))
    houses = book.near("building", (west, south, east, north))
    rings = [shapely.get_coordinates(g) for g in houses.geometry]
    axes.add_collection(
        PolyCollection(rings, facecolors="#ded7cf", edgecolors="#b8aca0", label="房屋")
    )
    areas = book.near("danger_area", (west, south, east, north))
    rings = [shapely.get_coordinates(g) for g in (*areas.geometry, shape)]
    axes.add_collection(
        PolyCollection(rings, facecolors="none", edgecolors="#8c1d12", label="危险区")
    )
    points = book.near("flood_point", (west, south, east, north))
    spots = shapely.get_coordinates(points.geometry.to_numpy())
    axes.scatter(*spots.T, c="#f2820c", s=20, label="易涝积水点")
    rim = [withStroke(linewidth=2, foreground="white")]
    for (x, y), name in zip(spots, points["name"], strict=True):
        axes.text(x, y, name, fontproperties=font, path_effects=rim)
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.legend(prop=font, loc="lower right")
    figure.text(0.5, 0.95, draft.title, fontproperties=font, fontsize=24, ha="center")
    top = 1.0
    for one in draft.said["tables"]:
        rows = [[column["name"] for column in one["columns"]], *(one["rows"] or [[one["empty"]]])]
        wide = max(map(len, rows))
        rows = [row + [""] * (wide - len(row)) for row in rows]
        high = 0.018 * len(rows)
        table = axes.table(rows, bbox=(1.05, top - high, 0.45, high))
        top -= high + 0.02
        for cell in table.get_celld().values():
            cell.set_text_props(fontproperties=font)
    figure.savefig(path)
    plt.close(figure)
    return len(roads) + len(houses) + len(points)


def memory() -> float:
    """Memory that this process has used at most [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        make_folder(folder, n)
        book = open_book(folder)
        across = int(np.ceil(np.sqrt(n)))
        middle = min(n - 1, across * (across // 2) + across // 2)  # neighbours on every side
        seen = unit_draft(book, f"V{middle:03d}", Options()).map.features
        few = make_atlas(folder, folder / "warm", names=[f"V{i:03d}" for i in range(min(n, 24))])
        start, before, work = time.perf_counter(), memory(), time.process_time()
        atlas = make_atlas(folder, folder / "sheets")
        seconds, work = time.perf_counter() - start, time.process_time() - work
        sizes = [(folder / "sheets" / one.file).stat().st_size for one in atlas.sheets]
        sheets = len(sizes)
        print(f"objects in view          {seen}")
        print(
            f"sheets                   {sheets} in {seconds:.1f} s; work of all cores {work:.1f} s"
        )
        print(f"bytes a sheet            {np.mean(sizes):.0f}, largest {max(sizes)}")
        print(
            f"memory at most           {before:.0f} MB after {len(few.sheets)}, {memory():.0f} MB after all"
        )
        start = time.process_time()
        again = make_atlas(folder, folder / "sheets")
        print(
            f"again, nothing changed   work {time.process_time() - start:.1f} s, {again.count('same')} kept"
        )
        by_matplotlib(book, "V000", folder / "m.pdf")
        start = time.process_time()
        count = (
            sum(by_matplotlib(book, f"V{n // 2 + i:03d}", folder / "m.pdf") for i in range(5)) / 5
        )
        each = (time.process_time() - start) / 5
        size = (folder / "m.pdf").stat().st_size
        print(
            f"matplotlib               work {each:.2f} s a sheet of {count:.0f} objects, {size} bytes"
        )
        print(
            f"                         {each / (work / sheets):.1f} times the work of a sheet here"
        )


if __name__ == "__main__":
    main()

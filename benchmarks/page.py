"""Time the one-map page in headless Chromium: size, ready, pan, recolour, search, PNG.

    python benchmarks/page.py [--quick] [--folium]

Made-up smooth data of 50 000, 200 000 and 1 000 000 cells with 20 000 points, and 100 000 points
alone. ``--folium`` also times folium.GeoJson on 10 000 polygons in the same browser session.
"""

# ruff: noqa: E501

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from odc.geo.geobox import GeoBox

from riskmap.export.onemap.page import render
from riskmap.index import steps
from tests.sample import CRS, INDICATORS, ORIGIN, sample_result

PAN = """async () => {
  const m = riskmap.map, times = [];
  for (let i = 0; i < 60; i++) {
    const t = performance.now();
    m.panBy([i % 20 < 10 ? 24 : -24, i % 40 < 20 ? 9 : -9], {animate: false});
    await new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)));
    times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  return [times[30], times[57]];
}"""
WEIGH = """async () => {
  await riskmap.setWeights({});
  riskmap.openTab('whatif');
  await new Promise(r => setTimeout(r, 400));
  const times = [];
  for (let i = 0; i < 9; i++) {
    const s = document.querySelector('[data-weight=HAZARD]');
    s.value = String(0.1 + 0.06 * i);
    const t = performance.now();
    s.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 0))));
    times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  return times[4];
}"""
SEARCH = """() => {
  const box = document.getElementById('search'), times = [];
  for (const q of ['积水点1', 'jsd9', '点77', 'zzzz', '999']) {
    box.value = q;
    const t = performance.now();
    box.dispatchEvent(new Event('input', {bubbles: true}));
    times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  return times[3];
}"""
PNG = """async () => {
  const t = performance.now();
  const click = HTMLAnchorElement.prototype.click;
  const done = new Promise(r => { HTMLAnchorElement.prototype.click = function () { if (this.download) r(); else click.call(this); }; });
  document.getElementById('tool-png').click();
  await done;
  HTMLAnchorElement.prototype.click = click;
  return performance.now() - t;
}"""


def smooth(n: int, rng: np.random.Generator) -> np.ndarray:
    """Make a smooth field with a little noise, as real indicators are."""
    y, x = np.mgrid[0:n, 0:n] / n
    out = np.zeros((n, n))
    for _ in range(6):
        a, b, c = rng.uniform(1, 7, 3)
        out += rng.uniform(0.3, 1) * np.sin(a * x * 3 + b * y * 3 + c)
    return out + 0.03 * rng.standard_normal((n, n))


def made(side: int, points: int) -> Any:
    """Build a result with side x side cells, 300 communities and so many points."""
    rng = np.random.default_rng(3)
    base = sample_result(n_side=16, n_points=12)
    size = 100.0 if side > 16 else 2000.0
    west, south = ORIGIN
    box = GeoBox((side, side), Affine(size, 0, west, 0, -size, south + side * size), CRS)
    cells = pd.DataFrame({c: smooth(side, rng).ravel() for c in INDICATORS})
    index = steps.fit(cells, base.index["cell"].meta, steps.default_steps())
    scale = side * size / 1600
    units = base.units.copy()
    units["geometry"] = units.geometry.affine_transform(
        [scale, 0, 0, scale, west * (1 - scale), south * (1 - scale)]
    )
    table = base.layers["flood_point"].table
    at = rng.uniform(0, side * size, (points, 2))
    many = gpd.GeoDataFrame(
        {"name": [f"积水点{i}" for i in range(points)], "depth_m": rng.uniform(0, 1, points).round(2),
         "level": pd.array(rng.integers(1, 5, points), dtype="Int8")},
        index=pd.Index([f"YL-{i:06d}" for i in range(points)], name=table.index.name),
        geometry=gpd.points_from_xy(west + at[:, 0], south + at[:, 1]), crs=CRS,
    )  # fmt: skip
    layers = {"flood_point": replace(base.layers["flood_point"], table=many)}
    return replace(
        base, grid=SimpleNamespace(geobox=box, inside=np.ones((side, side), bool)), units=units,
        population=np.abs(smooth(side, rng)).astype("float32"), layers=layers,
        index={"unit": base.index["unit"], "cell": index}, items=base.items.iloc[:0],
        control=base.control.iloc[:0],
    )  # fmt: skip


def measure(
    browser: Any, path: Path, *, throttle: float = 1.0, phone: bool = False
) -> dict[str, Any]:
    """Open a page and time what an officer does."""
    view = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    page = browser.new_page(viewport=view)
    if throttle > 1:
        page.context.new_cdp_session(page).send(
            "Emulation.setCPUThrottlingRate", {"rate": throttle}
        )
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    out: dict[str, Any] = {"ready_ms": int(page.get_attribute("html", "data-ready"))}
    if throttle == 1:
        out["pan_ms"], out["pan_95_ms"] = (round(v, 1) for v in page.evaluate(PAN))
        out["search_ms"] = round(page.evaluate(SEARCH), 1)
        out["png_ms"] = round(page.evaluate(PNG))
        out["weights_ms"] = round(page.evaluate(WEIGH), 1)
    page.close()
    return out


def folium_page(path: Path, n: int) -> None:
    """Write the same kind of map the way folium's tutorial does."""
    import folium
    from shapely.geometry import box

    rng = np.random.default_rng(3)
    west, south = 117.0, 36.6
    side = int(n**0.5)
    shapes = [box(west + i * 0.001, south + j * 0.001, west + (i + 1) * 0.001, south + (j + 1) * 0.001)
              for j in range(side) for i in range(side)]  # fmt: skip
    frame = gpd.GeoDataFrame({"c": rng.integers(0, 4, len(shapes))}, geometry=shapes, crs=4326)
    carrier = folium.Map(
        location=[south + 0.05, west + 0.05], zoom_start=12, tiles=None, max_zoom=18
    )
    colours = ["#3f8fe8", "#fff06a", "#f2820c", "#a30f1a"]
    folium.GeoJson(
        frame, style_function=lambda f: {"fillColor": colours[f["properties"]["c"]], "weight": 0.3}
    ).add_to(carrier)
    figure = carrier.get_root()
    figure.render()
    from riskmap.export.onemap.assets import leaflet_css, leaflet_js

    body = figure.html.render()
    path.write_text(
        f"<!DOCTYPE html><meta charset=utf-8><style>{leaflet_css()}"
        "html,body,.folium-map{height:100%;width:100%}</style>"
        f"<script>{leaflet_js()}</script>{body}<script>{figure.script.render()}</script>"
        "<script>requestAnimationFrame(()=>setTimeout(()=>document.documentElement.setAttribute('data-ready',"
        "Math.round(performance.now())),0))</script>",
        encoding="utf-8",
    )


def main() -> None:
    from playwright.sync_api import sync_playwright

    cases = {"50 k cells + 20 k points": (224, 20_000), "100 k points": (16, 100_000)}
    if "--quick" not in sys.argv:
        cases |= {"200 k cells": (448, 1000), "1 M cells": (1000, 1000)}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for name, (side, points) in cases.items():
            start = time.perf_counter()
            path = Path(folder) / "page.html"
            path.write_text(render(made(side, points)), encoding="utf-8")
            built = time.perf_counter() - start
            row = {"build_s": round(built, 1), "page_mb": round(path.stat().st_size / 1e6, 2)}
            row |= measure(browser, path)
            if side == 224:
                row["phone_4x_ready_ms"] = measure(browser, path, throttle=4, phone=True)[
                    "ready_ms"
                ]
            print(name, json.dumps(row), flush=True)
        if "--folium" in sys.argv:
            path = Path(folder) / "folium.html"
            folium_page(path, 10_000)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
            print("folium.GeoJson, 10 k polygons", json.dumps({
                "page_mb": round(path.stat().st_size / 1e6, 2),
                "ready_ms": int(page.get_attribute("html", "data-ready"))}))  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()

"""Time the one-map page in headless Chromium beside the maps that others make.

    python benchmarks/page.py [--quick] [--no-peers] [--repeat N]

Prints one table: what was measured, the target, the median and the least of N openings, and how
many times more folium's GeoJson and Leaflet's canvas take for the same polygons and points in the
same browser session. ``--quick`` leaves out the grids of 200 000 and 1 000 000 cells.
"""

# ruff: noqa: E501

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.page_case import cells_and_points, polygons_and_points
from benchmarks.page_peers import (
    canvas_page,
    canvas_points_page,
    empty_page,
    folium_page,
    folium_points_page,
)
from riskmap.export.onemap.page import render

FRAME = "await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 0))));"
PAN = """async () => {
  const m = riskmap.map, times = [];
  for (let i = 0; i < 60; i++) {
    const t = performance.now();
    m.panBy([i % 20 < 10 ? 24 : -24, i % 40 < 20 ? 9 : -9], {animate: false});
    await new Promise(r => requestAnimationFrame(() => setTimeout(r, 0)));
    times.push(performance.now() - t);
  }
  return times.sort((a, b) => a - b)[30];
}"""
WEIGH = (
    """async () => {
  await riskmap.setWeights({});
  riskmap.openTab('whatif');
  await new Promise(r => setTimeout(r, 400));
  const times = [];
  for (let i = 0; i < 9; i++) {
    const s = document.querySelector('[data-weight=HAZARD]');
    s.value = String(0.1 + 0.06 * i);
    const t = performance.now();
    s.dispatchEvent(new Event('input', {bubbles: true}));
    """
    + FRAME
    + """
    times.push(performance.now() - t);
  }
  return times.sort((a, b) => a - b)[4];
}"""
)
PEER_WEIGH = (
    """async () => {
  const times = [];
  for (let i = 0; i < 3; i++) {
    const t = performance.now();
    recolour(0.5 + i);
    """
    + FRAME
    + """
    times.push(performance.now() - t);
  }
  return times.sort((a, b) => a - b)[1];
}"""
)
SEARCH = """() => {
  const box = document.getElementById('search'), times = [];
  for (const q of ['积水点1', 'jsd9', '点77', 'zzzz', '999']) {
    box.value = q;
    const t = performance.now();
    box.dispatchEvent(new Event('input', {bubbles: true}));
    times.push(performance.now() - t);
  }
  return times.sort((a, b) => a - b)[3];
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
POLYGONS = "50 k polygons + 20 k points"
POINTS = "100 k points"
FULL = {"data MB": 1.7, "ready ms": 1200, "pan ms": 20, "recolour ms": 80, "search ms": 30, "PNG ms": 500}  # fmt: skip
CASES: dict[str, tuple[Any, dict[str, float]]] = {
    POLYGONS: (lambda: polygons_and_points(224, 20_000), FULL),
    "50 k cells + 20 k points": (lambda: cells_and_points(224, 20_000), FULL | {"phone ready ms": 4000}),
    POINTS: (lambda: cells_and_points(16, 100_000), {"data MB": 1.0, "ready ms": 250}),
    "200 k cells": (lambda: cells_and_points(448, 1000), {"ready ms": 1600, "pan ms": 33}),
    "1 M cells": (lambda: cells_and_points(1000, 1000), {"ready ms": 4000, "pan ms": 33}),
}  # fmt: skip
PEERS: dict[str, dict[str, Any]] = {
    POLYGONS: {"Leaflet canvas": canvas_page, "folium": folium_page},
    POINTS: {"Leaflet, empty": empty_page, "Leaflet canvas": canvas_points_page, "folium": folium_points_page},
}  # fmt: skip
STEPS = {"pan ms": PAN, "search ms": SEARCH, "PNG ms": PNG, "recolour ms": WEIGH}
PEER_STEPS = {"pan ms": PAN, "recolour ms": PEER_WEIGH}


class Row(NamedTuple):
    """One figure of one page."""

    case: str
    name: str
    target: float | None
    values: list[float]


def opened(
    browser: Any, path: Path, steps: dict[str, str], *, phone: bool = False
) -> dict[str, float]:
    """Open a page once and time what an officer does."""
    view = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
    page = browser.new_page(viewport=view)
    page.set_default_timeout(600_000)
    if phone:
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    out = {"ready ms": float(page.get_attribute("html", "data-ready"))}
    for name, code in steps.items():
        out[name] = page.evaluate(code)
    page.close()
    return out


def sizes(path: Path) -> dict[str, float]:
    """Size of a page, and of the data blocks in it [MB]."""
    markup = path.read_text("utf-8")
    blocks = re.findall(r'id="riskmap-data-\d+">([^<]*)<', markup)
    return {"page MB": path.stat().st_size / 1e6, "data MB": sum(map(len, blocks)) / 1e6}


def timed(
    browser: Any, path: Path, case: str, targets: dict[str, float], *, repeat: int
) -> list[Row]:
    """Open our page several times."""
    steps = {name: code for name, code in STEPS.items() if name in targets}
    runs = [opened(browser, path, steps) for _ in range(repeat)]
    found = {name: [value] for name, value in sizes(path).items()}
    found |= {name: [run[name] for run in runs] for name in runs[0]}
    if "phone ready ms" in targets:
        found["phone ready ms"] = [
            opened(browser, path, {}, phone=True)["ready ms"] for _ in range(repeat)
        ]
    return [Row(case, name, targets.get(name), values) for name, values in found.items()]


def peers(browser: Any, folder: Path, result: Any, case: str) -> dict[str, dict[str, float]]:
    """Time the others' maps of the same polygons and points, each opened once."""
    path = folder / "peer.html"
    out = {}
    for name, write in PEERS.get(case, {}).items():
        write(path, result)
        steps = PEER_STEPS if case == POLYGONS else {}
        out[name] = opened(browser, path, steps) | {"page MB": path.stat().st_size / 1e6}
    return out


def shown(value: float) -> str:
    """Write a figure with three places of meaning or so."""
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}".replace(",", " ")


def table(rows: list[Row], others: dict[str, dict[str, dict[str, float]]]) -> str:
    """Write everything as one Markdown table."""
    names = list(dict.fromkeys(name for found in others.values() for name in found))
    lines = ["| page | figure | target | median | least |" + "".join(f" {n} |" for n in names)]
    lines.append("|" + " --- |" * (5 + len(names)))
    for row in rows:
        middle = statistics.median(row.values)
        target = (
            ""
            if row.target is None
            else f"{shown(row.target)} {'met' if middle <= row.target else 'missed'}"
        )
        cells = [row.case, row.name, target, shown(middle), shown(min(row.values))]
        for name in names:
            other = others.get(row.case, {}).get(name, {}).get(row.name)
            cells.append("" if other is None else f"{shown(other)} ({other / middle:.1f} x)")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="without the largest grids")
    parser.add_argument("--no-peers", action="store_true", help="without folium and Leaflet")
    parser.add_argument("--repeat", type=int, default=5, help="openings of each page")
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright

    cases = [name for name in CASES if not given.quick or name not in ("200 k cells", "1 M cells")]
    rows: list[Row] = []
    others: dict[str, dict[str, dict[str, float]]] = {}
    start = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for name in cases:
            make, targets = CASES[name]
            path = Path(folder) / "page.html"
            result = make()
            path.write_text(render(result), encoding="utf-8")
            rows += timed(browser, path, name, targets, repeat=given.repeat)
            if not given.no_peers:
                others[name] = peers(browser, Path(folder), result, name)
        browser.close()
    print(table(rows, others))
    print(
        f"\n{given.repeat} openings each; load {start:.1f} at the start, {os.getloadavg()[0]:.1f} at the end."
    )


if __name__ == "__main__":
    main()

"""Time the whole Jinan run at three cell sizes, and the same papers made the obvious way.

``python benchmarks/run.py [--sizes 500 250 100] [--repeat 1] [--no-baseline] [--keep FOLDER]``

Each run is a fresh process, imports and start of the interpreter included. Prints seconds, peak
memory, growth exponent (slope of log seconds over log cells), page size, and the time until the
page is ready in headless Chromium.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CHROMIUM = "/usr/bin/chromium"
FRAME = """new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""
LIMITS = {
    "times faster": 10.0,
    "exponent": 1.1,
    "seconds": 60.0,
    "GiB": 2.0,
    "page MB": 4.0,
    "ready s": 2.0,
}


def one(kind: str, size: float, folder: Path) -> dict[str, float]:
    """Run one case in this process; the caller started it fresh."""
    sys.path[:0] = [str(HERE), str(ROOT)]
    out = folder / f"{kind}_{size:g}"
    start = time.perf_counter()
    if kind == "baseline":
        import baseline

        cells = baseline.run(folder / "units.gpkg", size, out)
        page = out / "map.html"
    else:
        import riskmap
        from riskmap.export import bundle
        from riskmap.i18n import language
        from riskmap.project.schema import load_project

        project = load_project(folder / f"extent_{size:g}.yaml", allow_outside=True)
        with language("zh"):
            result = riskmap.run(project)
            middle = time.perf_counter()
            bundle.write(result, out)
        cells = int(result.grid.inside.sum())
        page = out / "onemap.html"
    seconds = time.perf_counter() - start
    used = {
        "cells": cells,
        "seconds": seconds,
        "export": seconds - (middle - start) if kind != "baseline" else math.nan,
        "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "page_mb": page.stat().st_size / 1e6,
    }
    return used | {"page": str(page)}


def fresh(kind: str, size: float, folder: Path) -> dict[str, float]:
    """Run one case in a new process and add the whole process time."""
    command = [sys.executable, str(HERE / "run.py"), "--one", kind, f"{size:g}", str(folder)]
    start = time.perf_counter()
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.returncode:
        sys.exit(f"{kind} at {size:g} m failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"process": time.perf_counter() - start}


def page_ready(page: Path, *, limit_s: float = 300) -> float:
    """Open a page from file:// with the network cut; seconds until its first whole picture.

    riskmap's page says so itself (``data-ready``, milliseconds since navigation start). For a page
    that does not, the time of the first frame after the ``load`` event counts.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
        tab = context.new_page()
        tab.set_default_timeout(limit_s * 1000)
        tab.goto(page.resolve().as_uri(), wait_until="load", timeout=limit_s * 1000)
        if "data-ready" in page.read_text(encoding="utf-8", errors="ignore"):
            tab.wait_for_selector("html[data-ready]", state="attached")
            milliseconds = float(tab.evaluate("document.documentElement.dataset.ready"))
        else:
            milliseconds = float(tab.evaluate(FRAME))
        browser.close()
    return milliseconds / 1000


def middle(kind: str, size: float, folder: Path, repeat: int) -> dict[str, float]:
    """Take the run with the median time, and the largest memory of all."""
    runs = sorted((fresh(kind, size, folder) for _ in range(repeat)), key=lambda r: r["process"])
    chosen = runs[(len(runs) - 1) // 2]
    return chosen | {"mib": max(r["mib"] for r in runs)}


def exponent(rows: list[dict[str, float]]) -> float:
    """Slope of log seconds over log cells."""
    if len(rows) < 2:
        return math.nan
    x = [math.log(row["cells"]) for row in rows]
    y = [math.log(row["process"]) for row in rows]
    return statistics.linear_regression(x, y).slope


def show(rows: list[tuple[str, float, dict[str, float]]]) -> None:
    """Print the table."""
    print(
        f"\n{'run':<10}{'cell m':>8}{'cells':>10}{'seconds':>10}{'CPU s':>9}{'of it export':>14}"
        f"{'peak MiB':>10}{'page MB':>9}{'ready s':>9}"
    )
    for kind, size, row in rows:
        export = "" if math.isnan(row["export"]) else f"{row['export']:.1f}"
        ready = f"{row['ready']:.2f}" if "ready" in row else ""
        print(
            f"{kind:<10}{size:>8g}{row['cells']:>10,.0f}{row['process']:>10.1f}{row['cpu']:>9.1f}"
            f"{export:>14}{row['mib']:>10,.0f}{row['page_mb']:>9.2f}{ready:>9}"
        )


def verdict(ours: dict[float, dict[str, float]], base: dict[str, float] | None) -> None:
    """Compare with the limits that the project sets itself."""
    found = {"exponent": exponent(list(ours.values()))}
    at = ours.get(250.0)
    if at:
        found |= {"seconds": at["process"], "GiB": at["mib"] / 1024, "page MB": at["page_mb"]}
        found |= {"ready s": at["ready"]} if "ready" in at else {}
        if base:
            found |= {"times faster": base["process"] / at["process"]}
            print(f"\nCPU time: baseline / riskmap = {base['cpu'] / at['cpu']:.1f}")
    print()
    for name, value in found.items():
        if math.isnan(value):
            continue
        good = value >= LIMITS[name] if name == "times faster" else value <= LIMITS[name]
        sign = ">=" if name == "times faster" else "<="
        where = "all sizes" if name == "exponent" else "250 m"
        print(
            f"{name:<14}{value:>8.2f}   wanted {sign} {LIMITS[name]:g} ({where}): "
            f"{'reached' if good else 'NOT reached'}"
        )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=float, nargs="+", default=[500.0, 250.0, 100.0])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--no-baseline", action="store_true")
    parser.add_argument(
        "--keep", type=Path, help="folder for the results; by default a temporary one"
    )
    parser.add_argument(
        "--one", nargs=3, metavar=("KIND", "SIZE", "FOLDER"), help=argparse.SUPPRESS
    )
    asked = parser.parse_args()
    if asked.one:
        kind, size, folder = asked.one
        print(json.dumps(one(kind, float(size), Path(folder))))
        return
    with tempfile.TemporaryDirectory(prefix="riskmap_bench_") as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sys.path[:0] = [str(HERE), str(ROOT)]
        from case import write_project

        print(
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        ours: dict[float, dict[str, float]] = {}
        for size in asked.sizes:
            write_project(folder, size)
            ours[size] = middle("riskmap", size, folder, asked.repeat)
            ours[size]["ready"] = page_ready(Path(str(ours[size]["page"])))
        base = None if asked.no_baseline else middle("baseline", 250.0, folder, 1)
        if base:
            base["ready"] = page_ready(Path(str(base["page"])))
        show(
            [("riskmap", s, r) for s, r in ours.items()]
            + ([("baseline", 250.0, base)] if base else [])
        )
        verdict(ours, base)


if __name__ == "__main__":
    main()

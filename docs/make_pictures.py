"""Make the pictures of the README and of the station page from a run's page.

Run it as ``python docs/make_pictures.py [outputs/jinan/onemap.html] [docs/img]``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
MAP = {"x": 250, "y": 170, "width": 810, "height": 590}
"""The part of the window that the map fills [px]."""


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "outputs" / "jinan" / "onemap.html"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "img"
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for name, wide, high, ratio, what in (
            ("onemap", 1440, 900, 1, ""),
            ("onemap-phone", 390, 844, 2, ""),
            ("onemap-whatif", 1440, 900, 1, "whatif"),
        ):
            page = browser.new_page(
                viewport={"width": wide, "height": high}, device_scale_factor=ratio
            )
            page.goto(source.resolve().as_uri())
            page.wait_for_selector("html[data-settled]", state="attached")
            if what:
                page.evaluate("() => riskmap.openTab('whatif')")
                page.evaluate("() => riskmap.setWeights({HAZARD: 0.7})")
                page.click("#tool-compare")
            page.wait_for_timeout(500)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        stations(browser, source, folder)
        browser.close()
    print(f"pictures are in {folder}")


def stations(browser: Browser, source: Path, folder: Path) -> None:
    """Draw the bands of the stations alone, today and with the proposed sites."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(source.resolve().as_uri())
    page.wait_for_selector("html[data-settled]", state="attached")
    page.evaluate("""() => {
      const wanted = ['rescue_station', 'plan:stations/bands', 'borders', 'road', 'waterway',
                      'labels', 'plan:stations/sites'];
      for (const group of document.querySelectorAll('#left details')) group.open = true;
      for (const box of document.querySelectorAll('[data-layer]')) {
        if (box.checked !== wanted.includes(box.dataset.layer)) box.click();
      }
    }""")
    for name, when in (("stations", "before"), ("stations_after", "after")):
        if when == "after":
            page.locator("select:has(option[value=after])").first.select_option("after")
        page.wait_for_timeout(500)
        page.screenshot(path=folder / f"{name}.png", clip=MAP)
    page.close()


if __name__ == "__main__":
    main()

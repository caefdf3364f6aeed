"""Make the pictures of the README from a run's page.

Run it as ``python docs/make_pictures.py [outputs/jinan/onemap.html] [docs/img]``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]


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
        browser.close()
    print(f"pictures are in {folder}")


if __name__ == "__main__":
    main()

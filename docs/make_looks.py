"""Make the pictures of ``docs/looks.md``: four places, two sizes, two scenarios, paper, wall.

Run it as ``python docs/make_looks.py outputs/jinan/onemap.html COUNTIES [FOLDER] [--half]``, where
``python benchmarks/counties.py COUNTIES`` has written the made-up counties. ``--half`` halves the
pictures (those of the page as it was before).
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

DESK, PHONE, WALL = (1440, 900), (390, 844), (3840, 1080)


def _open(browser: Any, source: Path, size: tuple[int, int]) -> Any:
    """Open a page and wait until everything stands."""
    phone = size == PHONE
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, is_mobile=phone, has_touch=phone
    )
    page.add_init_script("Element.prototype.requestFullscreen = undefined")
    page.goto(source.resolve().as_uri())
    page.wait_for_selector("html[data-settled], html[data-ready]", state="attached")
    page.wait_for_timeout(2_500)
    return page


def _keep(page: Any, path: Path) -> None:
    """Take the picture."""
    page.wait_for_timeout(500)
    with Image.open(io.BytesIO(page.screenshot(type="png"))) as shown:
        size = (shown.width // 2, shown.height // 2) if "--half" in sys.argv else shown.size
        shown.convert("RGB").resize(size).save(path, "JPEG", quality=72)
    page.close()


def main() -> None:
    """Write all pictures."""
    jinan, counties = Path(sys.argv[1]), Path(sys.argv[2])
    given = [word for word in sys.argv[3:] if word != "--half"]
    folder = Path(given[0]) if given else Path(__file__).parent / "img" / "looks"
    folder.mkdir(parents=True, exist_ok=True)
    places = {"jinan": jinan} | {n: counties / f"{n}.html" for n in ("rural", "towns", "many")}
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for name, source in places.items():
            for size, tail in ((DESK, ""), (PHONE, "-phone")):
                _keep(_open(browser, source, size), folder / f"{name}{tail}.jpg")
        page = _open(browser, jinan, DESK)
        names = page.eval_on_selector_all("[data-scenario]", "b => b.map(x => x.dataset.scenario)")
        page.close()
        for i, scenario in enumerate([n for n in names if n][:2], start=1):
            page = _open(browser, jinan, DESK)
            page.click(f'[data-scenario="{scenario}"]')
            _keep(page, folder / f"scenario-{i}.jpg")
        page = _open(browser, places["rural"], DESK)
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 735, "height": 1062})  # A4 less its margins
        _keep(page, folder / "print.jpg")
        page = _open(browser, jinan, WALL)
        page.click("#tool-screen")
        _keep(page, folder / "wall.jpg")
        browser.close()


if __name__ == "__main__":
    main()

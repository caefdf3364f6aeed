"""Take the pictures of docs/windows.md: the folder, the window of a run, the map in Chromium 109.

    .venv/bin/python docs/make_windows.py portable/build/riskmap-win_amd64.zip

The window is the real output of `riskmap start` on this machine, shown as a console shows it.
RISKMAP_CHROMIUM names another Chromium (see tests/browser109.sh).
"""

import html
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import xlsxwriter
from make_first_hour import flood_points, villages
from PIL import Image
from playwright.sync_api import sync_playwright

IMG = Path(__file__).parent / "img"
FONT = '15px/1.55 "Noto Sans Mono CJK SC",monospace'
LOOK = (
    "<body style='margin:0;background:{back};color:{ink};padding:14px 18px;width:900px;"
    f"font:{FONT};white-space:pre-wrap'>{{words}}"
)


def picture(browser, words: str, out: str, *, back: str = "#0c0c0c", ink: str = "#e6e6e6") -> None:
    """Show words as a window does."""
    tab = browser.new_page(viewport={"width": 936, "height": 80})
    tab.set_content(LOOK.format(back=back, ink=ink, words=html.escape(words)))
    tab.screenshot(path=IMG / out, full_page=True)
    tab.close()
    Image.open(IMG / out).convert("RGB").quantize(32).save(IMG / out, optimize=True)


def ledgers(folder: Path) -> Path:
    """Write the workbooks of an office that has Excel alone."""
    folder.mkdir()
    places = villages()
    for name, rows in (("村社区", places), ("易涝积水点", flood_points(places))):
        book = xlsxwriter.Workbook(folder / f"{name}.xlsx")
        page = book.add_worksheet(name)
        columns = list(dict.fromkeys(key for row in rows for key in row))
        page.write_row(0, 0, columns)
        for at, row in enumerate(rows, 1):
            page.write_row(at, 0, [row.get(key, "") for key in columns])
        book.close()
    return folder


def start(folder: Path) -> str:
    """Run as the double click does; give what is shown."""
    done = subprocess.run(
        [sys.executable, "-m", "riskmap", "start", folder.name],
        check=False, capture_output=True, text=True, encoding="utf-8", cwd=folder.parent,
        env=os.environ | {"RISKMAP_NO_BROWSER": "1", "PYTHONUTF8": "1"},
    )  # fmt: skip
    said = (done.stderr + done.stdout).replace(str(folder.parent), "D:").replace("Excel/", "Excel|")
    return said.replace("/", "\\").replace("Excel|", "Excel/")


def main(packed: Path) -> None:
    """Take all pictures."""
    program = os.environ.get("RISKMAP_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with zipfile.ZipFile(packed) as whole:
            top = {}
            for entry in whole.infolist():
                name = entry.filename.split("/", 2)[1] if "/" in entry.filename else ""
                top[name] = top.get(name, 0) + entry.file_size
        rows = [f"{name:<14}{size / 1e6:>9.1f} MB" for name, size in sorted(top.items()) if name]
        picture(browser, "D:\\riskmap\n\n" + "\n".join(rows), "windows-folder.png",
                back="#ffffff", ink="#16202c")  # fmt: skip
        office = ledgers(Path(work) / "某区台账")
        picture(
            browser, f"D:\\riskmap> riskmap.bat {office.name}\n\n{start(office)}", "windows-run.png"
        )
        (office / "outputs" / "~$研判一张单.xlsx").write_bytes(b"\0")  # as Excel does
        first = start(office).splitlines()[:3]
        picture(browser, "\n".join(first), "windows-open.png")
        tab = browser.new_page(viewport={"width": 1200, "height": 700})
        tab.goto((office / "outputs" / "onemap.html").as_uri())
        tab.wait_for_timeout(4000)
        tab.screenshot(path=IMG / "windows-map.png")
        browser.close()
        shot = Image.open(IMG / "windows-map.png").convert("RGB")
        shot.quantize(96).save(IMG / "windows-map.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

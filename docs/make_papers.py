"""Make the pictures of ``docs/papers.md`` from results folders.

Run it as ``python docs/make_papers.py JINAN RURAL [docs/img]``: results folders of the Jinan demo
and of the rural county of the tests, both written with ``--papers``. Needs ``pdftoppm`` (Debian:
poppler-utils) and Pillow; the pictures of the workbook and of QGIS are made where LibreOffice
(``soffice``) and QGIS (``/usr/bin/python3`` with ``qgis.core``) are installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from riskmap.export.papers.drafts import Options
from riskmap.export.papers.folder import make_atlas

SHEETS = (
    ("papers-village", 1, "village", "上墩村", 100),
    ("papers-jinan", 0, "village", "示范梅圃社区", 100),
    ("papers-town", 1, "town", "双溪乡", 100),
    ("papers-card", 1, "point", "碶头村后山滑坡", 80),
    ("papers-poster", 0, "poster", "A0", 36),
)
"""Name of the picture, which folder, kind and name of the sheet, dots an inch."""
PAPERS = (
    ("papers-assessment", ((1, "一张单/研判单.pdf", (1, 2, 3)),), 76),
    ("papers-refuges", ((0, "一个指南/避难方案.pdf", (1, 4, 7)),), 76),
    ("papers-rural", ((1, "一个指南/避难方案.pdf", (1, 5, 7)),), 76),
    ("papers-evacuation", ((0, "一个指南/转移安置明白纸.pdf", (3,)),), 82),
    (
        "papers-handbook",
        ((1, "一个指南/工作手册.pdf", (8,)), (1, "一个指南/应急处置卡.pdf", (1,))),
        76,
    ),
)  # fmt: skip
"""Name of the picture, the pages beside each other by folder, file and number, dots an inch."""
BOOKS = (
    ("papers-list", (("研判一张单.xlsx", (1, 4)), ("避难方案.xlsx", (17,)))),
)  # fmt: skip
"""Name of the picture, and the pages of the first folder's workbooks as they are printed."""
GAP = 12


def page_of(pdf: Path, number: int, dots: int) -> Image.Image:
    """Turn a page into a picture."""
    with tempfile.TemporaryDirectory() as made:
        asked = ["-r", str(dots), "-f", str(number), "-l", str(number), "-png"]
        subprocess.run(["pdftoppm", *asked, pdf, Path(made) / "page"], check=True)
        return Image.open(next(Path(made).glob("page*.png"))).convert("RGB")


def side_by_side(pages: list[Image.Image], path: Path) -> None:
    """Write pages beside each other on grey."""
    wide = sum(page.width for page in pages) + GAP * (len(pages) + 1) * (len(pages) > 1)
    edge = GAP * (len(pages) > 1)
    sheet = Image.new("RGB", (wide, max(page.height for page in pages) + 2 * edge), "#7a8594")
    x = edge
    for page in pages:
        sheet.paste(page, (x, edge))
        x += page.width + GAP
    sheet.quantize(200).save(path, optimize=True)


def draw_sheets(folders: list[Path], target: Path) -> None:
    for name, which, kind, wanted, dots in SHEETS:
        with tempfile.TemporaryDirectory() as made:
            names = [] if kind == "poster" else [wanted]
            atlas = make_atlas(
                folders[which], Path(made), kinds=[kind], names=names,
                options=Options(hotline="0000-0000000"),
            )  # fmt: skip
            file = next(one.file for one in atlas.sheets if wanted in (one.name, one.code))
            side_by_side([page_of(Path(made) / file, 1, dots)], target / f"{name}.png")


def draw_papers(folders: list[Path], target: Path) -> None:
    for name, parts, dots in PAPERS:
        pages = [
            page_of(folders[which] / file, number, dots)
            for which, file, numbers in parts
            for number in numbers
        ]
        side_by_side(pages, target / f"{name}.png")


def draw_books(folder: Path, target: Path) -> None:
    for name, books in BOOKS:
        with tempfile.TemporaryDirectory() as made:
            pages = []
            for file, numbers in books:
                asked = ["--headless", "--convert-to", "pdf", "--outdir", made, folder / file]
                subprocess.run(["soffice", *asked], check=True, capture_output=True)
                pdf = Path(made) / Path(file).with_suffix(".pdf")
                pages += [page_of(pdf, number, 60) for number in numbers]
            side_by_side(pages, target / f"{name}.png")


def draw_qgis(folder: Path, target: Path) -> None:
    opens = Path(__file__).parents[1] / "tests" / "qgis_opens.py"
    with tempfile.TemporaryDirectory() as made:
        asked = ["/usr/bin/python3", opens, folder / "riskmap.gpkg", made]
        done = subprocess.run(
            asked, env={"QT_QPA_PLATFORM": "offscreen", "DOTS": "72", "HOME": made},
            capture_output=True, check=False,
        )  # fmt: skip
        page = Path(made) / "page0.png"
        if page.is_file():
            side_by_side([Image.open(page).convert("RGB")], target / "papers-qgis.png")
        else:
            sys.stderr.write(done.stderr.decode(errors="replace"))


def main() -> None:
    folders = [Path(sys.argv[1]), Path(sys.argv[2])]
    target = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "img"
    draw_papers(folders, target)
    draw_sheets(folders, target)
    if shutil.which("soffice"):
        draw_books(folders[0], target)
    draw_qgis(folders[1], target)


if __name__ == "__main__":
    main()

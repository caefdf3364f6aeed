"""Walk the first hour twice, with Excel alone and with GIS data, and take its pictures.

Needs LibreOffice, poppler and Chromium beside the tests' packages. What is typed stands in
docs/first-hour.md; the workbook is filled in as an officer would by hand and saved by LibreOffice.
"""

import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import openpyxl
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
IMG = ROOT / "docs" / "img"
TOWNS = ("城关镇", "河东镇", "山前乡")


def riskmap(*words: object, ok: tuple[int, ...] = (0,)) -> str:
    """Type a command and show what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "riskmap", *map(str, words)],
        check=False, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    print("$ riskmap", *words)
    print(done.stdout or done.stderr)
    assert done.returncode in ok, (done.returncode, done.stderr)
    return done.stdout


def put(book: openpyxl.Workbook, sheet: str, rows: list[dict], *, first: int = 3) -> None:
    """Fill in rows by the names of the columns."""
    heads = [str(cell.value or "").lstrip("*").split("(")[0] for cell in book[sheet][1]]
    for number, row in enumerate(rows, first):
        for name, value in row.items():
            place = next(
                i for i, head in enumerate(heads, 1) if head == name or head.endswith(name)
            )
            book[sheet].cell(number, place, value)


def save(book: openpyxl.Workbook, file: Path) -> None:
    """Save a workbook as LibreOffice does when an officer presses save."""
    with tempfile.TemporaryDirectory() as folder:
        typed = Path(folder) / "typed" / file.name
        typed.parent.mkdir()
        book.save(typed)
        subprocess.run(
            ["soffice", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", typed,
             "--outdir", folder], check=True, capture_output=True,
        )  # fmt: skip
        shutil.copy(Path(folder) / file.name, file)


def villages() -> list[dict]:
    """Make up eighteen villages of a county that is not there."""
    dice = random.Random(3)
    return [
        {
            "村社区名称": f"{town[:2]}{n + 1}村",
            "所属镇街": town,
            "经度": round(117 + 0.05 * t + dice.random() * 0.05, 5),
            "纬度": round(36.6 + dice.random() * 0.1, 5),
            "常住人口": dice.randint(400, 3200),
            "老年人口": dice.randint(80, 390),
        }
        for t, town in enumerate(TOWNS)
        for n in range(6)
    ]


def flood_points(places: list[dict]) -> list[dict]:
    """Make up twelve points, of which three have the faults that everybody makes."""
    dice = random.Random(5)
    rows = []
    for n in range(12):
        at = dice.choice(places)
        rows.append(
            {
                "名称": f"{at['村社区名称']}路口{n + 1}",
                "经度": round(at["经度"] + 0.003 * dice.random(), 5),
                "纬度": round(at["纬度"] + 0.003 * dice.random(), 5),
                "积水深度": round(dice.random(), 2),
                "责任单位": ("县住建局", "县城管局")[n % 2],
            }
        )
    rows[2]["经度"] = None
    rows[5]["名称"] = None
    return rows


def picture(book: Path, sheet: str, out: Path, *, columns: int = 9, rows: int = 12) -> None:
    """Take a picture of a sheet, as LibreOffice shows it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "a.xlsx"
        whole = openpyxl.load_workbook(book)
        for name in whole.sheetnames:
            if name != sheet:
                del whole[name]
        page = whole[sheet]
        page.delete_cols(columns + 1, max(page.max_column - columns, 1))
        page.print_area = f"A1:{openpyxl.utils.get_column_letter(columns)}{rows}"
        page.page_setup.orientation = "landscape"
        page.page_setup.fitToHeight = 0
        page.sheet_properties.pageSetUpPr = openpyxl.worksheet.properties.PageSetupProperties(
            fitToPage=True
        )
        page.oddFooter = openpyxl.worksheet.header_footer.HeaderFooterItem()
        page.print_options.gridLines = True
        page.print_options.headings = True
        whole.save(copy)
        subprocess.run(
            ["soffice", "--headless", "--convert-to", "pdf", copy, "--outdir", folder],
            check=True, capture_output=True,
        )  # fmt: skip
        pdf = Path(folder) / "a.pdf"
        subprocess.run(
            ["pdftoppm", "-r", "110", "-png", "-singlefile", pdf, out.with_suffix("")], check=True
        )
    crop(out)


def crop(path: Path) -> None:
    """Cut the white paper around a picture away."""
    from PIL import Image, ImageChops

    image = Image.open(path).convert("RGB")
    box = ImageChops.difference(image, Image.new("RGB", image.size, "white")).getbbox()
    if box:
        image = image.crop((box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6))
    image.quantize(64).save(path, optimize=True)


def shot(page: Path, out: Path) -> None:
    """Take a picture of a map."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        tab = browser.new_page(viewport={"width": 1200, "height": 700})
        tab.goto(page.as_uri())
        tab.wait_for_timeout(3000)
        tab.screenshot(path=out)
        browser.close()
    from PIL import Image

    Image.open(out).convert("RGB").quantize(96).save(out, optimize=True)


def excel_alone(folder: Path) -> None:
    """Go from nothing to a map with one workbook."""
    here = folder / "示例县"
    riskmap("new", here, "--name", "示例县", "--datum", "wgs84", "--date", "2026-05-01")
    book_file = here / "layers" / "台账.xlsx"
    book = openpyxl.load_workbook(book_file)
    places, points = villages(), flood_points(villages())
    put(book, "村社区", places)
    put(book, "镇街", [{"镇街名称": town} for town in TOWNS])
    put(book, "易涝积水点", points)
    put(
        book,
        "避难场所",
        [
            {
                "名称": f"{v['村社区名称']}小学",
                "经度": v["经度"] + 0.00213,
                "纬度": v["纬度"],
                "容纳人数": 300,
            }
            for v in places[::4]
        ],
    )
    put(book, "救援站", [{"名称": "县救援站", "经度": 117.0512, "纬度": 36.6531}])
    save(book, book_file)
    picture(book_file, "村社区", IMG / "first-hour-villages.png")
    riskmap("check", here / "project.yaml", "--out", folder / "缺口.xlsx", ok=(1,))
    picture(
        folder / "缺口.xlsx", "原行·易涝积水点", IMG / "first-hour-gaps.png", columns=10, rows=5
    )
    points[2]["经度"], points[5]["名称"] = round(places[2]["经度"], 5), "河东桥下"
    put(book, "易涝积水点", points)
    save(book, book_file)
    riskmap("check", here / "project.yaml")
    riskmap("run", here / "project.yaml")
    shot(here / "outputs" / "onemap.html", IMG / "first-hour-excel.png")


def with_gis(folder: Path) -> None:
    """Go from boundaries and roads of a GIS to a map."""
    jinan = ROOT / "layers" / "jinan"
    units = gpd.read_file(jinan / "units.geojson")
    area = units[units["code"].str.startswith("370102")]
    border = folder / "历下区.geojson"
    area.to_file(border, driver="GeoJSON")
    here = folder / "历下区"
    riskmap("new", here, "--name", "历下区", "--place", "370102", "--boundary", border,
            "--date", "2026-05-01")  # fmt: skip
    roads = gpd.read_file(jinan / "roads.gpkg", bbox=tuple(area.total_bounds))
    roads.to_file(here / "layers" / "roads.gpkg")
    file = here / "project.yaml"
    said = file.read_text(encoding="utf-8")
    file.write_text(said.replace("#  road:", "  road:"), encoding="utf-8")
    book_file = here / "layers" / "台账.xlsx"
    book = openpyxl.load_workbook(book_file)
    inside = area[area["level"] == "village"].geometry.representative_point()
    put(book, "易涝积水点", [
        {"名称": f"示例点{n}", "经度": round(p.x, 6), "纬度": round(p.y, 6), "积水深度": d}
        for n, (p, d) in enumerate(zip(inside[::5], (0.2, 0.6, 0.1, 0.35, 0.5), strict=False), 1)
    ])  # fmt: skip
    put(book, "避难场所", [
        {"名称": f"示例学校{n}", "经度": round(p.x, 6), "纬度": round(p.y, 6), "容纳人数": 500}
        for n, p in enumerate(inside[2::6], 1)
    ])  # fmt: skip
    save(book, book_file)
    riskmap("check", file, ok=(0, 1))  # one road line is too short to be one
    riskmap("run", file)
    shot(here / "outputs" / "onemap.html", IMG / "first-hour-gis.png")


if __name__ == "__main__":
    IMG.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for walk in (excel_alone, with_gis):
            if walk.__name__ in sys.argv[1:] or len(sys.argv) == 1:
                walk(Path(work))

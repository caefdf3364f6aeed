"""The refuge plan through the command line: the mend is carried out, and a bad ledger is survived."""

import json
import re
from io import BytesIO

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely.geometry import box

from riskmap.cli import app as cli
from tests import town

HEADER = ["场所编号", "场所名称", "级别", "经度", "纬度", "容纳人数", "有效避难面积"]


@pytest.fixture
def run(capsys):
    """Run a project in this process; anything but a clean exit fails the test."""

    def command(project, out):
        with pytest.raises(SystemExit) as ended:
            cli.main(["run", str(project), "--out", str(out)])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert ended.value.code == 0, said.err
        return said.out + said.err

    return command


def ledger(path, *rows):
    """Write a ledger of refuges: number, name, x, y in the town, capacity."""
    spots = gpd.GeoSeries([town.at(x, y) for _, _, x, y, _ in rows], crs=town.CRS).to_crs(4326)
    table = pd.DataFrame(
        [
            [number, name, "村级", f"{p.x:.7f}", f"{p.y:.7f}", capacity, ""]
            for (number, name, _, _, capacity), p in zip(rows, spots, strict=True)
        ],
        columns=HEADER,
    )
    table.to_csv(path, index=False, encoding="utf-8")


def dangers(path, *rows):
    """Write danger areas: name, people, box in the town."""
    gpd.GeoDataFrame(
        {"名称": [r[0] for r in rows], "危险区人数": [r[1] for r in rows]},
        geometry=[
            box(town.EAST + x0, town.NORTH + y0, town.EAST + x1, town.NORTH + y1)
            for _, _, (x0, y0, x1, y1) in rows
        ],
        crs=town.CRS,
    ).to_crs(4326).to_file(path)


def sheet(folder, name, scenario="", below=False):
    """Read a sheet of the plan's workbook: headings in the third row; or the table below it."""
    book = openpyxl.load_workbook(BytesIO((folder / "避难方案.xlsx").read_bytes()), read_only=True)
    rows = [list(row) for row in book[name].iter_rows(min_row=3, values_only=True)]
    end = next((k for k, row in enumerate(rows) if not any(row)), len(rows))
    rows = rows[end + 2 :] if below else rows[:end]
    table = pd.DataFrame(rows[1:], columns=rows[0])
    if "情景" not in table:
        assert not scenario
        return table
    mine = table[table["情景"] == (scenario or "平时")].drop(columns="情景")
    return mine.reset_index(drop=True)


def figures(folder, scenario=""):
    return sheet(folder, "方案摘要", scenario).set_index("项目")["数值"]


def make(folder, places, areas, **project):
    folder.mkdir()
    ledger(folder / "避难.csv", *places)
    dangers(folder / "危险区.geojson", *areas)
    return town.write(
        folder,
        project=project,
        layers={"refuge": {"path": "避难.csv"}, "danger_area": {"path": "危险区.geojson"}},
    )


def test_the_shortfall_vanishes_when_the_ledger_is_mended(tmp_path, run):
    refuges = [("B1", "东校", 50, 160, 30), ("B2", "西校", 350, 160, 40)]
    areas = [("低地", 120, (110, 110, 190, 190))]
    first = make(tmp_path / "a", refuges, areas)
    assert "未落实 50 人" in run(first, tmp_path / "one")
    before = figures(tmp_path / "one")
    assert (before["需转移"], before["已落实去处"], before["未落实去处"]) == (120, 70, 50)
    mend = sheet(tmp_path / "one", "补缺措施")
    rows = mend[mend["措施"] == "增加容量"]
    assert rows["措施后缺口"].tolist() == [0] * len(rows)
    more = dict(zip(rows["位置"], rows["可用容量（人）"], strict=True))
    mended = [(no, name, x, y, q + int(more.get(name, 0))) for no, name, x, y, q in refuges]
    assert "未落实" not in run(make(tmp_path / "b", mended, areas), tmp_path / "two")
    after = figures(tmp_path / "two")
    assert (after["需转移"], after["未落实去处"]) == (120, 0)
    book = openpyxl.load_workbook(tmp_path / "two" / "避难方案.xlsx", read_only=True)
    assert "补缺措施" not in book.sheetnames  # an empty sheet is not written


def test_a_proposed_site_that_is_opened_leaves_what_the_plan_said(tmp_path, run):
    refuges = [("B1", "东校", 50, 160, 30)]
    areas = [("低地", 120, (110, 110, 190, 190))]
    run(
        make(tmp_path / "a", refuges, areas, refuges={"draws": 2, "new_sites": 1}), tmp_path / "one"
    )
    mend = sheet(tmp_path / "one", "补缺措施")
    said = mend.loc[mend["措施"] == "或：新设避难场所", "措施后缺口"].iloc[0]
    sites = sheet(tmp_path / "one", "补缺措施", below=True)
    spots = gpd.GeoSeries(gpd.points_from_xy(sites["经度"], sites["纬度"]), crs=4326)
    fresh = [
        (f"N{k}", f"新设{k}", p.x - town.EAST, p.y - town.NORTH, int(q))
        for k, (p, q) in enumerate(
            zip(spots.to_crs(town.CRS), sites["可用容量（人）"], strict=True)
        )
    ]
    run(make(tmp_path / "b", [*refuges, *fresh], areas), tmp_path / "two")
    assert figures(tmp_path / "two")["未落实去处"] == said == 0


def test_a_bad_ledger_is_said_row_by_row_and_the_plan_is_made(tmp_path, run):
    refuges = [
        ("B1", "东校", 50, 160, 30),
        ("B2", "写了文字", 350, 160, "约200人"),
        ("B3", "没写", 350, 140, ""),
        ("B4", "写了零", 250, 140, 0),
        ("B5", "在外地", 90_000, 160, 500),
        ("B6", "重号一", 50, 130, 10),
        ("B6", "重号二", 60, 130, 10),
        ("B7", "负数", 70, 130, -20),
        ("B1", "东校", 50, 160, 30),
    ]
    areas = [("低地", 500, (110, 110, 190, 190)), ("负数", -7, (210, 110, 290, 190))]
    project = make(tmp_path / "a", refuges, areas)
    run(project, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    for rows in report["layers"].values():
        assert rows["rows_in"] == rows["rows_used"] + rows["rows_returned"]
    assert report["layers"]["refuge"]["rows_in"] == len(refuges)
    book = openpyxl.load_workbook(tmp_path / "out" / "data_gaps.xlsx")
    said = "\n".join(
        " ".join(str(v) for v in row if v is not None)
        for page in book
        for row in page.iter_rows(values_only=True)
    )
    for words in ("约200人", "B6", "-20", "-7"):
        assert words in said, words
    assert re.search(r"在外地|90000|地外|范围", said)
    found = figures(tmp_path / "out")
    assert found["已落实去处"] + found["未落实去处"] == found["需转移"]
    assert found["未落实去处"] > 0  # places for 500 people there are not
    held = sheet(tmp_path / "out", "容量与适用灾种").set_index("名称")
    assert {"重号一", "重号二"} <= set(held.index)  # two places with one number are two places
    assert "在外地" not in held.index
    assert held.loc["写了零", "可用容量（人）"] == 0
    assert held.loc["没写", "容量已知"] == "否"
    # A number with words is read and said; nobody is sent to what is not known.
    assert held.loc["写了文字", "可用容量（人）"] == 200
    sent = sheet(tmp_path / "out", "转移去向")
    assert "没写" not in set(sent["避难场所"])
    assert "写了零" not in set(sent["避难场所"])
    assert sent["人数"].sum() == found["已落实去处"]


def test_people_whom_no_road_reaches_are_counted_and_said(tmp_path, run):
    areas = [("孤岛", 40, (310, 110, 390, 190))]
    project = make(
        tmp_path / "a",
        [("B1", "西校", 50, 160, 100)],
        areas,
        scenarios=[{"name": "断路", "closures": "封闭.geojson"}],
    )
    gpd.GeoDataFrame(
        {"编号": ["C1"]},
        geometry=[box(town.EAST, town.NORTH + 140, town.EAST + 400, town.NORTH + 160)],
        crs=town.CRS,
    ).to_crs(4326).to_file(tmp_path / "a" / "封闭.geojson")
    run(project, tmp_path / "out")
    dry, wet = figures(tmp_path / "out"), figures(tmp_path / "out", "断路")
    assert (dry["未落实去处"], wet["未落实去处"]) == (0, 40)
    short = sheet(tmp_path / "out", "各村（社区）缺口", "断路")
    assert short["其中无路可达"].sum() == 40
    assert "路" in str(short["原因"].iloc[0])

"""The three shipped projects, run as a user runs them."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pyogrio
import pytest
from openpyxl import load_workbook

from riskmap.export.verify import verify

ROOT = Path(__file__).parents[1]
PROJECTS = ("jinan", "liechtenstein", "porto_alegre")
LIST, TABLE = "研判一张单.xlsx", "管控一张表.xlsx"


def riskmap(*words):
    return subprocess.run(
        [sys.executable, "-m", "riskmap", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
    )


@pytest.fixture(params=PROJECTS)
def made(request, run_once):
    """Name and results folder of one project."""
    return request.param, run_once(request.param)


@pytest.fixture
def folder(run_once):
    """Results of the Jinan project."""
    return run_once("jinan")


class Addresses(HTMLParser):
    """Collects what a page's tags would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, _tag, attrs):
        self.found += [
            value
            for name, value in attrs
            if name in ("src", "href") and value and not value.startswith(("data:", "#"))
        ]


def data_rows(book):
    """Rows of the list or table below the header row."""
    sheets = load_workbook(BytesIO(book.read_bytes()), read_only=True).worksheets
    sheet = next(s for s in sheets if s.title not in ("研判单", "Assessment to sign"))
    rows = [row for row in sheet.iter_rows(values_only=True) if row[0] not in (None, "")]
    return [row for row in rows if isinstance(row[0], int)]


def test_rows_in_are_rows_used_and_returned(made):
    name, folder = made
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["layers"]["unit"]["rows_used"] == sum(report["units"].values())
    for role, rows in report["layers"].items():
        assert rows["rows_in"] == rows["rows_used"] + rows["rows_returned"], (name, role)


def test_map_list_and_table_hold_the_same_items(made):
    _, folder = made
    package = folder / "riskmap.gpkg"
    items = pyogrio.read_dataframe(package, layer="items", read_geometry=False)
    control = pyogrio.read_dataframe(package, layer="control", read_geometry=False)
    assert len(items) == len(control) == len(data_rows(folder / LIST))
    assert len(items) == len(data_rows(folder / TABLE))
    assert set(items["item_id"]) == set(control["item_id"])


def test_verify_finds_nothing(made):
    assert verify(made[1]) == []


def test_verify_finds_a_change(run_once, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(run_once("liechtenstein"), broken)
    text = (broken / "report.json").read_text(encoding="utf-8")
    (broken / "report.json").write_text(text.replace('"facts"', '"fakts"', 1), encoding="utf-8")
    assert any("report.json" in fault for fault in verify(broken))


def test_page_is_one_file_and_small(made):
    _, folder = made
    page = (folder / "onemap.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 4_000_000
    parser = Addresses()
    parser.feed(page)
    assert parser.found == []


def test_units_are_all_classed_and_ranked(made):
    _, folder = made
    units = pyogrio.read_dataframe(folder / "riskmap.gpkg", layer="units", read_geometry=False)
    assert units["class"].between(0, 4).all()
    assert (units.loc[units["score"].notna(), "class"] > 0).all()
    for _, level in units[units["score"].notna()].groupby("level"):
        best = level.sort_values("score", ascending=False)
        assert best["rank"].iloc[0] == 1
        assert best["rank"].is_monotonic_increasing


@pytest.mark.parametrize("name", ["liechtenstein", "porto_alegre"])
def test_shares_in_the_readme_are_those_of_the_run(run_once, name):
    found = pyogrio.read_dataframe(
        run_once(name) / "riskmap.gpkg", layer="plan_stations_summary", read_geometry=False
    ).set_index(["scenario", "target_s"])["share"]
    page = (ROOT / "layers" / name / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (.+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(told) == found.index.get_level_values("scenario").nunique()
    for scenario, *shares in told:
        mine = found["" if scenario == "dry" else scenario]
        got = [f"{100 * float(mine[seconds].max()):.1f}" for seconds in (180.0, 300.0, 900.0)]
        assert got == shares


@pytest.mark.parametrize("name", ["jinan", "porto_alegre"])
def test_scenarios_stand_in_every_paper(run_once, name):
    folder = run_once(name)
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    wet = next(scenario for scenario in report["scenarios"] if scenario["depth_column"])
    change = wet["changes"]["unit"]
    assert change["raised"] > 0
    assert change["lowered"] == change["score_lowered"] == 0
    units = pyogrio.read_dataframe(
        folder / "riskmap.gpkg", layer="unit_scenarios", read_geometry=False
    )
    units = units[units["scenario"] == wet["name"]]
    finest = units[units["level"] == units["level"].iloc[-1]]
    assert (finest["class_change"] > 0).sum() == change["raised"]
    book = load_workbook(BytesIO((folder / LIST).read_bytes()), read_only=True)
    rows = list(book["情景变化"].iter_rows(min_row=4, values_only=True))
    rows = [row for row in rows if row[0] == wet["name"]]
    assert len(rows) == change["score_raised"]
    page = (folder / "onemap.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 4_000_000


class TestJinan:
    """The numbers that the offices' documents name."""

    def test_counts_of_the_documents(self, folder):
        def table(layer):
            return pyogrio.read_dataframe(folder / "riskmap.gpkg", layer=layer)

        assert len(table("flood_point")) == 98
        sources = table("hazard_source")
        stored = sources["has_storage"].astype(str).str.lower().isin(["true", "1", "1.0"])
        assert (stored.sum(), (~stored).sum()) == (29, 273)
        assert len(table("rescue_station")) == 14
        assert len(table("refuge")) == 240
        assert table("refuge")["tier"].nunique() == 3
        assert len(table("rescue_team")) == 9
        items = table("items")
        assert (items["role"] == "hazard_source").sum() == 29

    def test_deliberately_wrong_rows_come_back(self, folder):
        book = load_workbook(BytesIO((folder / "data_gaps.xlsx").read_bytes()), read_only=True)
        shown = "\n".join(
            " | ".join("" if value is None else str(value) for value in row)
            for sheet in book.worksheets
            for row in sheet.iter_rows(values_only=True)
        )
        for value in ("约半米", "-20", "待核实", "特级", "国家级", "若干", "75′"):
            assert value in shown, value


def test_check_lists_what_is_wrong_and_exits_with_1(tmp_path):
    done = riskmap("check", "configs/jinan.yaml", "--out", tmp_path / "gaps.xlsx")
    assert done.returncode == 1
    assert "flood_point" in done.stdout or "积水" in done.stdout
    assert (tmp_path / "gaps.xlsx").is_file()
    assert (
        len(
            load_workbook(BytesIO((tmp_path / "gaps.xlsx").read_bytes()), read_only=True).sheetnames
        )
        > 1
    )

"""Bad input to the station plan, through the command line: said in Chinese, no traceback."""

import json
import re
import sqlite3
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine

from riskmap.cli import app as cli
from tests import town


@pytest.fixture
def command(capsys):
    """Run the command line in this process: anything but a clean exit fails the test."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        both = said.out + said.err
        assert "Traceback" not in both
        assert "自身出错" not in both
        return SimpleNamespace(code=ended.value.code, out=said.out, said=both)

    return run


def points(folder, name, rows, **more):
    shapes = [town.at(*row[2:4]) for row in rows]
    table = {"number": [row[0] for row in rows], "name": [row[1] for row in rows]} | more
    gpd.GeoDataFrame(table, geometry=shapes, crs=town.CRS).to_file(folder / name)
    return {"path": name}


def notes(said):
    return "\n".join(json.loads(said.out)["notes"])


def test_a_station_in_a_lake_serves_nobody_and_is_named(tmp_path, command):
    # the road runs at 150 m: 140 m away, farther than the 50 m allowed
    spot = points(tmp_path, "station.gpkg", [("S1", "湖心站", 200, 290), ("S2", "路边站", 0, 150)])
    presets = {"station.snap_limit_m": 50}
    path = town.write(
        tmp_path,
        layers={"rescue_station": spot},
        project={"presets": presets, "grid": {"size_m": 20}},
    )
    said = command("run", path, "--up-to", "plans")
    assert said.code == 0
    line = next(line for line in said.out.splitlines() if "不能出动" in line)
    assert "湖心站" in line
    assert "路边站" not in line


def test_a_station_in_the_water_of_a_scenario_is_named(tmp_path, command):
    depth = np.zeros((30, 40), np.float32)
    depth[10:20, :10] = 0.9
    where = Affine(10, 0, town.EAST, 0, -10, town.NORTH + 300)
    with rasterio.open(
        tmp_path / "depth.tif", "w", driver="GTiff", width=40, height=30, count=1, dtype="float32",
        crs=town.CRS, transform=where,
    ) as tile:  # fmt: skip
        tile.write(depth, 1)
    spot = points(tmp_path, "station.gpkg", [("S1", "低处站", 50, 150), ("S2", "高处站", 350, 150)])
    path = town.write(
        tmp_path,
        layers={"rescue_station": spot},
        project={"scenarios": [{"name": "内涝", "depth": "depth.tif"}]},
    )
    said = command("run", path, "--up-to", "plans")
    line = next(line for line in said.out.splitlines() if "积水范围内" in line)
    assert "内涝" in line
    assert "低处站" in line
    assert "高处站" not in line


def test_candidates_outside_the_place_and_too_few_are_said(tmp_path, command):
    given = points(tmp_path, "sites.gpkg", [("C1", "界外点", 900, 150), ("C2", "界内点", 350, 150)])
    path = town.write(
        tmp_path,
        layers={"supply_depot": given},
        project={"stations": {"candidates": "supply_depot", "sites": 4}},
    )
    said = command("run", path, "--json")
    assert said.code == 0
    assert "要求新增 4 处，但备选点只有 1 处" in notes(said)
    ledger = command("check", path).said
    assert "位于本地范围之外 10000 米以内：按区外对象计入" in ledger


def test_no_candidate_left_keeps_the_coverage(tmp_path, command):
    path = town.write(
        tmp_path,
        layers={"hazard_source": points(tmp_path, "hazard.gpkg", [("H", "油库", 200, 150)])},
    )
    said = command("run", path, "--up-to", "plans")
    assert said.code == 0
    assert "未提出新增站点" in said.out
    assert "距危险源不足 300 米" in said.out
    assert "现有 1 个站" in said.out


def test_no_station_at_all_is_said(tmp_path, command):
    path = town.write(tmp_path)
    empty = gpd.read_file(tmp_path / "rescue_station.gpkg").iloc[:0]
    empty.to_file(tmp_path / "rescue_station.gpkg")
    assert "现有 0 个站" in notes(command("run", path, "--json"))
    with sqlite3.connect(next(tmp_path.rglob("riskmap.gpkg"))) as base:
        sites = base.execute("select count(*) from plan_stations_sites").fetchone()[0]
    base.close()
    assert sites > 0  # a district without any station wants the first sites


def test_stations_that_nobody_listed_are_no_stations_that_fail(tmp_path, command):
    """Not given is not none: nothing is said to be out of reach unless a plan was asked for."""
    path = town.write(tmp_path)
    whole = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"  rescue_station:\n(    .*\n)+", "", whole), encoding="utf-8")
    said = command("run", path)
    assert "目前可达情况不明" in said.out
    assert "0 个站" not in said.out
    with sqlite3.connect(next(tmp_path.rglob("riskmap.gpkg"))) as base:
        there = {
            name.removeprefix("plan_stations_")
            for (name,) in base.execute(
                "select table_name from gpkg_contents where table_name like 'plan_stations%'"
            )
        }
        today, later = base.execute(
            "select max(share), max(share_after) from plan_stations_summary"
        ).fetchone()
        least = base.execute("select min([order]), max(gain) from plan_stations_sites").fetchone()
    base.close()
    assert there <= {"summary", "towns", "sites"}
    assert today is None
    assert later > 0  # a district without any station wants the first sites
    assert least[0] == 1
    assert least[1] > 0


def test_stations_whose_rows_all_came_back_are_not_known(tmp_path, command):
    path = town.write(tmp_path)
    rows = gpd.read_file(tmp_path / "rescue_station.gpkg")
    rows.assign(geometry=rows.translate(2_000_000)).to_file(tmp_path / "rescue_station.gpkg")
    assert "目前可达情况不明" in command("run", path, "--up-to", "plans").out


def test_without_roads_plans_go_by_straight_lines_and_say_so(tmp_path, command):
    path = town.write(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"  road:\n(    .*\n)+", "", text), encoding="utf-8")
    assert "绕行系数 1.4" in notes(command("run", path, "--json"))
    with sqlite3.connect(next(tmp_path.rglob("riskmap.gpkg"))) as base:
        fit = base.execute(
            "select usable_flood, unchecked from plan_refuges_capacity where unchecked like '%道路%'"
        ).fetchall()
        towns = base.execute("select sum(places) from plan_refuges_capacity").fetchone()[0]
    base.close()
    assert fit
    assert all(usable for usable, _ in fit)
    assert towns > 0


def test_first_stations_are_proposed_where_there_is_none(tmp_path, command):
    path = town.write(tmp_path, project={"stations": {"sites": 1}})
    content = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"  rescue_station:\n    path: .*\n", "", content), encoding="utf-8")
    said = command("run", path, "--up-to", "plans")
    assert said.code == 0
    assert "目前可达情况不明" in said.out


@pytest.mark.parametrize(
    ("project", "key", "words"),
    [
        ({"stations": {"preset": []}}, "stations.preset", "不能为空"),
        ({"stations": {"preset": "linzi_531"}}, "stations.preset", "linzi_135"),
        ({"stations": {"preset": "area_km2"}}, "stations.preset", "不是响应规则"),
        ({"stations": {"sites": -1}}, "stations.sites", "0"),
        ({"stations": {"vehicle": "helicopter"}}, "stations.vehicle", "fire_engine"),
        ({"stations": {"model": "best"}}, "stations.model", "mclp"),
        ({"stations": {"candidates": "lake"}}, "stations.candidates", "cells"),
        ({"stations": {"candidats": "cells"}}, "stations.candidats", "candidates"),
        (
            {"presets": {"station.linzi_135": {"response_s": 60, "arrival_s": 60}}},
            "stations.preset",
            "没有行车时间",
        ),
        (
            {"presets": {"station.linzi_135": {"response_s": -5, "arrival_s": 180}}},
            "presets.station.linzi_135",
            "response_s",
        ),
    ],
)
def test_wrong_options_end_before_the_run(tmp_path, command, project, key, words):
    said = command("run", town.write(tmp_path, project=project))
    assert said.code == 1
    assert key in said.said
    assert words in said.said
    assert not (tmp_path / "out").exists()


def test_negative_turn_out_is_returned_and_the_row_said(tmp_path, command):
    spot = points(
        tmp_path, "station.gpkg", [("S1", "甲站", 0, 150), ("S2", "乙站", 350, 150)],
        response_s=[60, -5],
    )  # fmt: skip
    said = command("check", town.write(tmp_path, layers={"rescue_station": spot}))
    assert "-5" in said.said

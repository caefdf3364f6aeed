"""What a scenario does to the index of the hand-drawn town, counted by hand."""

import io
import json
import sqlite3
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from io import BytesIO

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from pyproj import CRS
from shapely.geometry import box

from riskmap import pipeline
from riskmap.export import bundle
from riskmap.export.onemap.collect import make_recipe, recompute
from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.scenes import depth_classes, scenario_layers
from riskmap.export.public import redact
from riskmap.export.verify import verify
from riskmap.export.workbook import tables as scenarios
from riskmap.export.workbook.tables import class_names
from riskmap.i18n import both
from riskmap.pipeline.ground import build_roads
from riskmap.pipeline.indices import (
    Baseline,
    compute_index,
    compute_indicators,
    gather_inputs,
    lay_grid,
    read_table,
    score_scenarios,
)
from riskmap.pipeline.reading import read_ground, read_layers
from riskmap.project.schema import load_project
from riskmap.result import Scenario, of_state
from tests import town

DEEP = np.zeros((3, 4), np.float32)
DEEP[2, 0] = 1.0  # the lowest row of cells is the last row of the raster: village V00


def write_depth(path, depth, size_m=100):
    transform = Affine(size_m, 0, town.EAST, 0, -size_m, town.NORTH + 300)
    shape = {"height": depth.shape[0], "width": depth.shape[1], "count": 1}
    with rasterio.open(
        path, "w", driver="GTiff", dtype="float32", crs=town.CRS, nodata=-9999,
        transform=transform, **shape,
    ) as file:  # fmt: skip
        file.write(depth, 1)


def run(folder, depth=None, *, up_to=None, plans=False, **scenario):
    named = {"name": "暴雨", **scenario}
    if depth is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_depth(folder / "depth.tif", depth)
        named["depth"] = "depth.tif"
    path = town.write(folder, project={"scenarios": [named], "plans": plans})
    return pipeline.run(load_project(path), up_to=up_to)


@pytest.fixture(scope="module")
def flooded(tmp_path_factory):
    return run(tmp_path_factory.mktemp("flooded"), DEEP)


@pytest.fixture(scope="module")
def folder(flooded, tmp_path_factory):
    return bundle.write(flooded, tmp_path_factory.mktemp("written") / "out")


def test_water_over_one_village_raises_its_hazard_by_hand(flooded):
    """1 m of water fills half of what the hazard leaves of its scale (2 m fill all of it)."""
    before, after = flooded.index["unit"], flooded.index["unit@暴雨"]
    dry, wet = before.scores["HAZARD"], after.scores["HAZARD"]
    assert wet["V00"] == pytest.approx(1 - (1 - dry["V00"]) * (1 - 1.0 / 2.0), abs=1e-12)
    # Of the 900 people of the town 100 live in that village: they stand in 1 m, the others in none.
    assert wet["T1"] == pytest.approx(1 - (1 - dry["T1"]) * (1 - (100 / 900) / 2.0), abs=1e-9)
    assert wet["D"] == pytest.approx(1 - (1 - dry["D"]) * (1 - (100 / 3000) / 2.0), abs=1e-9)
    others = before.scores.index.difference(["V00", "T1", "D"])
    pd.testing.assert_frame_equal(
        after.scores.loc[others, before.scores.columns], before.scores.loc[others]
    )


def test_risk_follows_from_the_new_hazard_by_hand(flooded):
    before, after = flooded.index["unit"], flooded.index["unit@暴雨"]
    meta = before.meta
    share = meta.loc["HAZARD", "weight"] / meta.loc[meta["parent"] == "RISK", "weight"].sum()
    grown = (after.scores["HAZARD"] / before.scores["HAZARD"]).loc["V00"] ** share
    assert after.scores.loc["V00", "RISK"] == pytest.approx(
        before.scores.loc["V00", "RISK"] * grown
    )
    total = after.contributions.sum(axis=1, min_count=1)
    pd.testing.assert_series_equal(total, after.scores["RISK"], check_names=False)


def test_goalposts_weights_and_breaks_are_those_of_the_baseline(flooded):
    for kind in ("unit", "cell"):
        before, after = flooded.index[kind].params, flooded.index[f"{kind}@暴雨"].params
        for old, new in zip(before["steps"], after["steps"], strict=True):
            assert old["options"] == new["options"]
            for part in ("columns", "weights", "breaks"):
                for code, value in old["fitted"].get(part, {}).items():
                    assert new["fitted"][part][code] == value
    assert set(flooded.params) == {"unit", "cell", "unit@暴雨", "cell@暴雨"}


def test_dry_scenario_is_the_baseline(tmp_path):
    result = run(tmp_path, np.zeros((3, 4), np.float32))
    for kind in ("unit", "cell"):
        before, after = result.index[kind], result.index[f"{kind}@暴雨"]
        pd.testing.assert_frame_equal(after.scores[before.scores.columns], before.scores)
        pd.testing.assert_series_equal(after.classes, before.classes)


def test_water_too_shallow_for_anybody_to_move_has_a_refuge_plan(tmp_path):
    found = run(tmp_path, np.full((3, 4), 0.001, np.float32), up_to="plans", plans=True)
    assert {p.scenario: p.recount["people"] for p in found.plans["refuges"].proof}["暴雨"] == 0
    assert of_state(found.plans["refuges"].tables.get("shortfall", pd.DataFrame()), "暴雨").empty


def test_unknown_depth_leaves_the_baseline_and_is_said(tmp_path):
    depth = np.zeros((3, 4), np.float32)
    depth[0, 0] = -9999
    result = run(tmp_path, depth)
    assert np.isnan(result.index["cell@暴雨"].stages["raw"].loc[0, "H_DEPTH"])
    assert any("1 of 12 cells have no depth" in both(note)["en"] for note in result.notes)
    before, after = result.index["cell"], result.index["cell@暴雨"]
    pd.testing.assert_frame_equal(after.scores[before.scores.columns], before.scores)


def test_a_scenario_never_changes_the_baseline(flooded, tmp_path):
    plain = pipeline.run(load_project(town.write(tmp_path, project={"plans": False})))
    for kind in ("unit", "cell"):
        pd.testing.assert_frame_equal(flooded.index[kind].scores, plain.index[kind].scores)
    pd.testing.assert_frame_equal(flooded.items, plain.items)


def test_rain_alone_says_what_is_missing(tmp_path):
    result = run(tmp_path, rain_mm=150, plans=True)
    assert set(result.index) == {"unit", "cell"}
    assert not any("@" in name for name in result.plans)
    (said,) = [both(note)["en"] for note in result.notes if "150 mm" in both(note)["en"]]
    assert "depth" in said
    assert bundle.write(result, tmp_path / "out").is_dir()
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["scenarios"][0]["index"] is False


def test_closed_road_cuts_off_and_costs_capacity(tmp_path):
    """The only road shut: no cell is reached, so station and refuge count at their caps."""
    shut = gpd.GeoDataFrame(
        geometry=[box(town.EAST - 10, town.NORTH + 140, town.EAST + 410, town.NORTH + 160)],
        crs=town.CRS,
    )
    tmp_path.mkdir(exist_ok=True)
    shut.to_file(tmp_path / "shut.gpkg")
    result = run(tmp_path, closures="shut.gpkg")
    before, after = result.index["cell"].stages["raw"], result.index["cell@暴雨"].stages["raw"]
    caps = {"C_STATION": "indicator.station_cap_min", "C_REFUGE": "indicator.refuge_cap_min"}
    presets = {preset.key: preset.value for preset in result.presets}
    for code, cap in caps.items():
        assert (before[code] < presets[cap]).any()
        assert (after[code] == presets[cap]).all()
    assert "H_DEPTH" not in after
    pd.testing.assert_series_equal(
        result.index["cell@暴雨"].scores["HAZARD"], result.index["cell"].scores["HAZARD"]
    )


def test_refuge_in_water_gives_no_places(tmp_path):
    depth = np.zeros((3, 4), np.float32)
    depth[0, 0] = 0.5  # the refuge's village V02
    result = run(tmp_path, depth)
    assert (result.index["unit@暴雨"].stages["raw"]["C_PLACES"] == 0).all()
    assert any("1 of 1 refuges" in both(note)["en"] for note in result.notes)


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Everything that scenarios are scored from."""
    project = load_project(town.write(tmp_path_factory.mktemp("ground")))
    ground = read_layers(project, read_ground(project))
    grid = lay_grid(project, ground)
    roads = build_roads(ground.layers, grid, direction=None, presets=ground.presets, crs=ground.crs)
    inputs = gather_inputs(ground, grid, roads)
    found, units = compute_indicators(project, ground, inputs)
    index, _, found = compute_index(project, replace(ground, units=units), found)
    base = Baseline(
        table=read_table(project), inputs=inputs, indicators=found, index=index, units=units
    )
    return base, roads


depths = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.8, 2.0, 5.0]), min_size=12, max_size=12)


@settings(max_examples=12, deadline=None)
@given(depths, depths)
def test_deeper_water_never_lowers_hazard_or_risk(ground, first, second):
    base, roads = ground
    shallow = np.minimum(first, second).reshape(3, 4).astype(np.float32)
    deep = np.maximum(first, second).reshape(3, 4).astype(np.float32)
    both = {"a": Scenario(name="a", depth_m=shallow), "b": Scenario(name="b", depth_m=deep)}
    found, _ = score_scenarios(base, roads, both)
    for kind in ("unit", "cell"):
        for code in ("HAZARD", "RISK"):
            less, more = (found[f"{kind}@{name}"].scores[code] for name in both)
            # to within the tolerance of the index
            assert (more >= less - 1e-9).all()
            assert (less >= base.index[kind].scores[code] - 1e-9).all()


def test_page_recomputes_the_scenario(flooded):
    for key in ("unit@暴雨", "cell@暴雨"):
        recipe = make_recipe(flooded.index[key])
        assert recipe["exact"]
        assert {g["code"]: g["method"] for g in recipe["groups"]}["FLOOD"] == "union"
        again = recompute(flooded.index[key], recipe, weights={})
        np.testing.assert_allclose(again["RISK"], flooded.index[key].scores["RISK"], atol=1e-9)


def test_water_of_the_page_has_the_pixels_of_its_raster(tmp_path):
    fine = np.zeros((6, 8), np.float32)
    fine[5, 0], fine[5, 1], fine[4, 0] = 0.04, 0.3, 3.0
    write_depth(tmp_path / "depth.tif", fine, size_m=50)
    named = {"name": "暴雨", "depth": "depth.tif"}
    path = town.write(tmp_path, project={"scenarios": [named], "plans": False})
    result = pipeline.run(load_project(path), up_to="plans")
    classes, split = depth_classes(result, result.scenarios["暴雨"])
    limits = next(p.value for p in result.presets if p.key == "flood.map_depth_m")
    assert split == 2
    expected = np.array([[sum(d >= limit for limit in limits) for d in row] for row in fine])
    np.testing.assert_array_equal(classes, expected)


def test_outputs_verify_and_name_what_was_changed(folder, tmp_path):
    assert verify(folder) == []
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    with sqlite3.connect(broken / "riskmap.gpkg") as base:
        base.execute("DROP TRIGGER IF EXISTS rtree_unit_scenarios_geom_update1")
        for (name,) in base.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='unit_scenarios'"
        ).fetchall():
            base.execute(f'DROP TRIGGER "{name}"')
        base.execute("UPDATE unit_scenarios SET score = score + 0.1 WHERE unit_id = 'V00'")
    base.close()
    assert any("score@暴雨" in fault and "V00" in fault for fault in verify(broken))


def test_papers_show_before_and_after(folder, flooded):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    (told,) = report["scenarios"]
    assert told["changes"]["unit"]["score_raised"] == 1  # V00 of the finest level
    assert told["changes"]["cell"]["score_raised"] == 1
    assert report["layers"]["unit"] == {"rows_in": 15, "rows_used": 15, "rows_returned": 0}
    units = pyogrio.read_dataframe(
        folder / "riskmap.gpkg", layer="unit_scenarios", read_geometry=False
    )
    row = units.set_index("unit_id").loc["V00"]
    assert row["score_before"] == flooded.index["unit"].scores.loc["V00", "RISK"]
    assert row["score"] == flooded.index["unit@暴雨"].scores.loc["V00", "RISK"]
    assert row["cause"] == "HAZARD"
    cells = pyogrio.read_dataframe(folder / "riskmap.gpkg", layer="cells", read_geometry=False)
    assert (cells["score_1"] - cells["score"] > 0).sum() == 1
    book = load_workbook(BytesIO((folder / "研判一张单.xlsx").read_bytes()), read_only=True)
    rows = [row for row in book["情景变化"].iter_rows(min_row=4, values_only=True) if any(row)]
    assert [("村00" in row, "致灾危险性" in row) for row in rows] == [(True, True)]
    words = [class_names()[int(row_)] for row_ in (row["class_before"], row["class"])]
    assert [cell for cell in rows[0] if cell in class_names()] == words


def test_qgis_project_opens_on_the_layers_of_the_package(folder):
    package = folder / "riskmap.gpkg"
    with sqlite3.connect(package) as base:
        ((name, about, content),) = base.execute("SELECT * FROM qgis_projects").fetchall()
        styled = {name for (name,) in base.execute("SELECT f_table_name FROM layer_styles")}
    base.close()
    assert name == "riskmap"
    assert json.loads(about)["last_modified_time"].startswith("2026-03-01")
    archive = zipfile.ZipFile(io.BytesIO(bytes.fromhex(content)))
    assert archive.namelist() == ["riskmap.qgs"]
    root = ET.fromstring(archive.read("riskmap.qgs").partition(b"\n")[2])
    tables = set(pyogrio.list_layers(package)[:, 0])
    layers = root.findall("projectlayers/maplayer")
    drawn = set()
    ids = {layer.findtext("id") for layer in layers}
    assert {leaf.get("id") for leaf in root.iter("layer-tree-layer")} == ids
    for layer in layers:
        file, _, rest = layer.findtext("datasource").partition("|layername=")
        table, _, where = rest.partition("|subset=")
        drawn.add(table)
        if where:
            with sqlite3.connect(package) as base:
                (count,) = base.execute(f'SELECT count(*) FROM "{table}" WHERE {where}').fetchone()
            base.close()
            assert count > 0
        assert (file, table in tables) == ("./riskmap.gpkg", True)
        assert layer.find("renderer-v2") is not None
        assert CRS(layer.findtext("srs/spatialrefsys/wkt")).equals(CRS(town.CRS))
        assert layer.findtext("srs/spatialrefsys/authid") == town.CRS
    assert drawn == styled


def test_public_edition_keeps_water_only_where_its_role_is_public(flooded):
    open_ = redact(flooded)
    assert open_.scenarios["暴雨"].depth_m is not None
    secret = {**flooded.roles, "depth": replace(flooded.roles["depth"], sensitivity="secret")}
    shut = redact(replace(flooded, roles=secret)).scenarios["暴雨"]
    assert shut.depth_m is None
    assert shut.depths == ()


def test_changes_name_the_component_that_grew(flooded):
    (wet,) = scenarios.flooded(flooded)
    table = scenarios.unit_changes(flooded, wet, finest="village")
    assert table.index.tolist() == ["V00"]
    assert str(table.loc["V00", "cause"]) == "致灾危险性"
    assert table.loc["V00", "depth_mean_m"] == pytest.approx(1.0)


def test_water_on_the_road_slows_the_engine_by_hand(tmp_path):
    """At 200 mm at most 0.0009 w^2 - 0.5529 w + 86.9448 = 12.36 km/h on a street of 20 km/h."""
    depth = np.zeros((3, 4), np.float32)
    depth[1, 2] = 0.2
    result = run(tmp_path, depth)
    before = result.index["unit"].stages["raw"]["C_STATION"]
    after = result.index["unit@暴雨"].stages["raw"]["C_STATION"]
    wet = 0.0009 * 200**2 - 0.5529 * 200 + 86.9448
    on_road = ["V01", "V11", "V21", "V31"]
    # The station stands at 0, the cells at 50 .. 350, the water on 200 .. 300.
    metres, under = np.array([50.0, 150, 250, 350]), np.array([0.0, 0, 50, 100])
    slower = (metres - under + under * 20 / wet) / metres
    np.testing.assert_allclose(after[on_road] / before[on_road], slower, rtol=2e-4)  # to the ms


def test_public_edition_of_a_scenario_names_nobody(tmp_path):
    private = {
        "name": ["洼地 找责任人乙13812345678"],
        "person": ["责任人乙"],
        "phone": ["13812345678"],
    }
    area = gpd.GeoDataFrame(private, geometry=[town.at(50, 50).buffer(40)], crs=town.CRS)
    tmp_path.mkdir(exist_ok=True)
    area.to_file(tmp_path / "danger.gpkg")
    result = run(tmp_path, DEEP, danger_area="danger.gpkg")
    inside = scenario_layers(result, Packer())
    assert "责任人乙" in json.dumps(inside, ensure_ascii=False)
    outside = json.dumps(scenario_layers(redact(result), Packer()), ensure_ascii=False)
    assert "洼地" in outside
    assert "责任人乙" not in outside
    assert "13812345678" not in outside
    folder = bundle.write(redact(result), tmp_path / "out")
    assert verify(folder) == []
    table = pyogrio.read_dataframe(folder / "riskmap.gpkg", layer="danger_area_scenarios")
    assert not {"person", "phone"} & set(table.columns)


def test_water_in_a_place_without_flood_layers_raises_the_hazard_as_a_whole(tmp_path):
    """Only a chemical plant is known: two metres of water still make the hazard 1."""
    deep = np.zeros((6, 8), np.float32)
    deep[:3, :4] = 2.5
    folder = tmp_path / "town"
    folder.mkdir()
    write_depth(folder / "depth.tif", deep, size_m=50)
    source = gpd.GeoDataFrame(
        {"number": ["W1"], "name": ["化工厂"], "risk_level": ["重大"]},
        geometry=[town.at(350, 150)], crs=town.CRS,
    )  # fmt: skip
    source.to_file(folder / "hazard_source.gpkg")
    path = town.write(
        folder,
        project={"scenarios": [{"name": "内涝", "depth": "depth.tif", "depth_unit": "m"}]},
        layers={"hazard_source": {"path": "hazard_source.gpkg"}},
    )
    kept = path.read_text(encoding="utf-8").replace(
        "  flood_point:\n    path: flood_point.gpkg\n", ""
    )
    path.write_text(kept, encoding="utf-8")
    assert "flood_point" not in kept
    found = pipeline.run(load_project(path), up_to="plans")
    hazard = found.index["unit@内涝"].scores["HAZARD"]
    assert hazard["V02"] == pytest.approx(1.0)
    assert hazard["V30"] == found.index["unit"].scores["HAZARD"]["V30"]

"""The whole data flow on a town small enough to count by hand."""

import json
from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import yaml
from shapely.geometry import LineString, box

from riskmap import pipeline
from riskmap.cli.index_files import plain
from riskmap.errors import IndicatorError, RiskmapError
from riskmap.export.bundle import write
from riskmap.export.verify import verify
from riskmap.pipeline.plans import no_refuges
from riskmap.pipeline.register import find_near
from riskmap.project.schema import load_project
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles
from tests import town


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return pipeline.run(load_project(town.write(tmp_path_factory.mktemp("town"))))


def test_grid_stands_on_multiples_of_its_size(result):
    assert result.grid.shape == (3, 4)
    assert result.grid.bounds == (500_000, 4_000_000, 500_400, 4_000_300)
    assert result.grid.inside.all()


def test_people_are_kept(result):
    assert result.population.sum() == pytest.approx(3 * (100 + 200 + 300 + 400))
    assert result.units.loc["T1", "population"] == 3 * (100 + 200)
    assert result.units.loc["D", "population"] == 3000


def test_population_density_of_a_village_by_hand(result):
    density = result.indicators.units["E_POP"]
    assert density["V00"] == pytest.approx(100 / 0.01)
    assert density["V30"] == pytest.approx(400 / 0.01)
    assert density["T1"] == pytest.approx(900 / 0.06)
    assert density["D"] == pytest.approx(3000 / 0.12)


def test_hierarchy_is_named(result):
    row = result.units.loc["V21"]
    assert (row["village"], row["town"], row["district"]) == ("村21", "镇T2", "县")
    assert result.units["finest"].sum() == 12


def test_missing_layers_are_said_and_weights_renormalised(result):
    meta = result.indicators.meta
    assert "H_LOW" not in meta.index
    for _, group in meta[meta["kind"] == "indicator"].groupby("parent"):
        assert group["weight"].sum() == pytest.approx(1.0)
    assert any("H_LOW" in str(note) for note in result.notes)


def test_score_is_the_weighted_geometric_mean_of_components(result):
    index = result.index["unit"]
    meta = result.indicators.meta
    groups = meta[(meta["kind"] == "group") & (meta["parent"] == "RISK")]
    weights = groups["weight"] / groups["weight"].sum()
    scores = index.scores[list(weights.index)].to_numpy(float)
    by_hand = np.prod(np.power(scores, weights.to_numpy(float)), axis=1)
    assert index.scores["RISK"].to_numpy(float) == pytest.approx(by_hand)


def test_contributions_sum_to_the_score(result):
    for index in result.index.values():
        total = index.contributions.sum(axis=1, min_count=1)
        pd.testing.assert_series_equal(total, index.scores["RISK"], check_names=False)


def test_only_hazard_may_be_zero(result):
    index = result.index["unit"]
    others = [code for code in index.scores.columns if code not in ("RISK", "HAZARD", "FLOOD")]
    finest = result.units.index[result.units["finest"]]
    assert (index.scores.loc[finest, others].min() >= 0.01 - 1e-12).all()
    zero = index.scores["HAZARD"] == 0
    assert (index.scores.loc[zero, "RISK"] == 0).all()


def test_nearest_station_along_the_road_by_hand(result):
    """P1 stands on the road 50 m east of the station: 50 m at the class's speed."""
    speed = 20 / 3.6
    item = result.items[result.items["name"] == "桥下"].iloc[0]
    assert item["station_s"] == pytest.approx(50 / speed, rel=1e-2)
    assert item["station_name"] == "救援站"


def test_nearest_refuge_is_measured_from_door_to_door_and_is_in_use(tmp_path):
    """The road runs at y = 150; P1 (50, 150), P2 (150, 150), P3 (350, 50); school (50, 250).

    P1: 0 + 0 + 100 m; P2: 0 + 100 + 100 m; P3: 100 + 300 + 100 m. The old block beside P3 is
    closed and the hall planned, so both are nobody's refuge.
    """
    path = town.write(tmp_path, layers={"refuge": {"path": "refuges.gpkg"}})
    names = ["number", "name", "status", "geometry"]
    rows = [
        ("R1", "学校", "启用", town.at(50, 250)),
        ("R2", "旧楼", "停用", town.at(340, 60)),
        ("R3", "新馆", "规划", town.at(150, 160)),
    ]
    refuges = gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), crs=town.CRS)
    refuges.to_file(tmp_path / "refuges.gpkg")
    items = pipeline.run(load_project(path)).items
    metres = {"桥下": 100.0, "路口": 200.0, "低洼": 500.0}
    for _, row in items[items["role"] == "flood_point"].iterrows():
        assert row["refuge_name"] == "学校"
        assert row["refuge_m"] == pytest.approx(metres[row["name"]], abs=0.5)


def test_rows_that_stand_in_no_list_are_counted(tmp_path):
    path = town.write(tmp_path)
    points = gpd.read_file(tmp_path / "flood_point.gpkg")
    points["status"] = ["retired", None, None]
    points.to_file(tmp_path / "flood_point.gpkg")
    found = pipeline.run(load_project(path))
    assert (found.items["role"] == "flood_point").sum() == 2
    assert any("易涝积水点：1 行已停用" in str(note) for note in found.notes)


def test_made_up_units_alone_are_said(tmp_path):
    path = town.write(tmp_path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["units"]["demo"] = True
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    made_up = pipeline.run(load_project(path), up_to="layers")
    assert made_up.facts.demo
    assert any("示范数据" in str(note) for note in made_up.notes)


def test_frozen_parameters_fitted_without_a_layer_are_refused(tmp_path, result):
    """Last year's parameters know no station; this year there is one."""
    params = json.loads(json.dumps(plain(result.params)))
    for index in params.values():
        for step in index["steps"]:
            step["fitted"].get("columns", {}).pop("C_STATION", None)
    path = town.write(tmp_path, project={"index": {"frozen": "params.json"}})
    (tmp_path / "params.json").write_text(json.dumps(params), encoding="utf-8")
    with pytest.raises(IndicatorError, match="C_STATION"):
        pipeline.run(load_project(path), up_to="index")


def test_no_refuge_and_no_station_give_no_way(result):
    ground = SimpleNamespace(
        layers={"flood_point": result.layers["flood_point"]},
        roles=load_roles(),
        presets=load_presets(),
    )
    near = find_near(ground, SimpleNamespace(graphs={}), None)
    assert len(near) > 0
    assert near[["refuge_m", "station_s", "method"]].isna().all(axis=None)
    assert near[["refuge_name", "station_name"]].eq("").all(axis=None)


def test_without_refuges_it_is_said_that_nobody_has_a_place(result):
    layer = result.layers["flood_point"]
    areas = replace(layer, role="danger_area", table=layer.table.assign(people=[30, 70.0, np.nan]))
    ground = SimpleNamespace(layers={"danger_area": areas}, roles=load_roles())
    (said,) = no_refuges(ground, {})
    assert "3 处危险区（台账 100 人）" in str(said)
    bare = SimpleNamespace(layers={}, roles=load_roles())
    assert no_refuges(bare, {}) == ()
    wet = SimpleNamespace(danger_area=None, depth_m=np.ones(1))
    (said,) = no_refuges(bare, {"rain": wet})
    assert "危险区" not in str(said)


def test_list_and_table_hold_the_same_items(result):
    assert result.items.index.tolist() == result.control.index.tolist()
    assert len(result.items) == 3
    levels = result.items["level"].tolist()
    assert levels == sorted(levels, reverse=True)
    for column in ("town", "village", "duty_unit", "measure", "deadline"):
        assert result.items[column].map(str).str.len().gt(0).all()


def test_rows_in_are_rows_used_and_returned(result):
    for layer in result.layers.values():
        assert layer.rows_in == layer.rows_used + layer.rows_returned


def test_stages_can_be_stopped(tmp_path):
    project = load_project(town.write(tmp_path))
    assert pipeline.run(project, up_to="layers").grid is None
    assert pipeline.run(project, up_to="indicators").index == {}
    assert pipeline.run(project, up_to="index").items.empty


def test_what_if_weights_change_the_scores_and_unknown_codes_are_refused(tmp_path, result):
    project = load_project(town.write(tmp_path))
    weighted = project.model_copy(update={"overrides": {"HAZARD": 0.0}})
    changed = pipeline.run(weighted, up_to="index")
    assert not np.allclose(
        changed.index["unit"].scores["RISK"], result.index["unit"].scores["RISK"]
    )
    with pytest.raises(RiskmapError, match="NO_SUCH"):
        pipeline.run(project.model_copy(update={"overrides": {"NO_SUCH": 1.0}}), up_to="index")


def test_what_if_keeps_goalposts_and_breaks_of_the_baseline(tmp_path, result):
    project = load_project(town.write(tmp_path)).model_copy(update={"overrides": {"EXPOSURE": 0.9}})
    changed = pipeline.run(project, up_to="index").params["unit"]["steps"]
    for old, new in zip(result.params["unit"]["steps"], changed, strict=True):
        if old["step"] in ("normalise", "classify"):
            assert old["fitted"] == new["fitted"]
    same = {code: w for code, w in result.indicators.meta["weight"].items() if code != "RISK"}
    project = project.model_copy(update={"overrides": same})
    again = pipeline.run(project, up_to="index")
    for name in ("unit", "cell"):
        assert again.index[name].classes.tolist() == result.index[name].classes.tolist()


def test_frozen_parameters_give_the_same_scores(tmp_path, result):
    path = town.write(tmp_path, project={"index": {"frozen": "params.json"}})
    (tmp_path / "params.json").write_text(json.dumps(result.params), encoding="utf-8")
    again = pipeline.run(load_project(path), up_to="index")
    for name in ("unit", "cell"):
        pd.testing.assert_frame_equal(again.index[name].scores, result.index[name].scores)
        assert again.index[name].classes.tolist() == result.index[name].classes.tolist()


def test_ids_stay_when_a_ledger_is_sent_again(tmp_path):
    """Rows reordered, one renamed, all moved by 30 m, no numbers: the same ids."""
    import geopandas as gpd

    from riskmap.pipeline.reading import keep_ids

    path = town.write(tmp_path)
    ledger = gpd.read_file(tmp_path / "flood_point.gpkg").drop(columns="number")
    ledger.to_file(tmp_path / "flood_point.gpkg")
    project = load_project(path)
    first = pipeline.run(project, up_to="layers")
    keep_ids(project, first.layers, first.roles)
    moved = ledger.to_crs(town.CRS)
    moved["geometry"] = moved.translate(18, 24)
    moved = moved.iloc[::-1].reset_index(drop=True)
    moved.loc[moved["name"] == "路口", "name"] = "十字路口"
    moved.to_file(tmp_path / "flood_point.gpkg")
    second = pipeline.run(project, up_to="layers")

    def by_depth(run):
        table = run.layers["flood_point"].table
        return dict(zip(table["depth_m"], table.index, strict=True))

    assert by_depth(first) == by_depth(second)


def test_a_missing_layer_file_is_unusable_and_the_run_goes_on(tmp_path):
    path = town.write(tmp_path, layers={"waterway": {"path": "nowhere.gpkg"}})
    found = pipeline.run(load_project(path))
    assert [p.role for p in found.problems if p.severity == "unusable"] == ["waterway"]
    assert len(found.items) == 3


def test_units_that_cannot_be_used_stop_the_run(tmp_path):
    path = town.write(tmp_path, project={"units": {"path": "nowhere.geojson"}})
    with pytest.raises(RiskmapError, match=r"nowhere\.geojson"):
        pipeline.run(load_project(path))


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:4326", "no such thing"])
def test_a_crs_that_is_not_metric_is_refused(tmp_path, crs):
    path = town.write(tmp_path, project={"crs": crs})
    with pytest.raises(RiskmapError):
        pipeline.run(load_project(path))


@pytest.mark.parametrize("few", [1, 2, 3])
def test_a_place_of_few_villages_runs_and_exports(tmp_path, few):
    path = town.write(tmp_path)
    villages = town.units().query("level == 'village'").head(few)
    villages.assign(parent="").to_file(tmp_path / "units.gpkg")
    found = pipeline.run(load_project(path))
    index = found.index["unit"]
    known = index.classes.notna() & index.stability.notna()
    assert len(index.classes) == few
    assert index.stability[known].between(0, 1).all()
    write(found, tmp_path / "out")
    assert verify(tmp_path / "out") == []


def test_mirrored_villages_of_a_mirrored_town_are_alike(tmp_path):
    """Roads, people, refuge and station lie the same from every corner; so must all numbers.

    On the diagonals a home is as far from the road to the east as from the one to the north: which
    of them was drawn first decides nothing.
    """
    folder = tmp_path / "town"
    folder.mkdir()
    path = town.write(folder, project={"grid": {"size_m": 20}, "plans": False})
    east, north = town.EAST, town.NORTH
    grown = [
        (f"V{i}{j}", box(east + 100 * i, north + 100 * j, east + 100 * i + 100, north + 100 * j + 100))
        for i in range(4) for j in range(4)
    ]  # fmt: skip
    units = gpd.GeoDataFrame(
        {"code": [code for code, _ in grown], "parent": None, "level": "village", "people": 50.0,
         "name": [f"村{code}" for code, _ in grown]},
        geometry=[shape for _, shape in grown], crs=town.CRS,
    )  # fmt: skip
    (folder / "units.gpkg").unlink()
    units.to_file(folder / "units.gpkg")
    at = [0, 100, 200, 300, 400]
    lines = [LineString([(east + x, north + y) for x in at]) for y in at]
    lines += [LineString([(east + x, north + y) for y in at]) for x in at]
    gpd.GeoDataFrame(
        {"highway": "residential"}, index=range(10), geometry=lines, crs=town.CRS
    ).to_file(folder / "road.gpkg")
    for role in ("refuge", "rescue_station", "flood_point"):
        gpd.GeoDataFrame(
            {"number": ["1"], "name": ["甲"], "capacity": [90], "depth_m": [0.3]},
            geometry=[town.at(200, 200)], crs=town.CRS,
        ).to_file(folder / f"{role}.gpkg")  # fmt: skip
    index = pipeline.run(load_project(path), up_to="index").index["unit"]
    corners, inner = ["V00", "V03", "V30", "V33"], ["V11", "V12", "V21", "V22"]
    sides = ["V01", "V02", "V10", "V20", "V13", "V23", "V31", "V32"]
    for group in (corners, inner, sides):
        assert len(set(index.ranks.loc[group, "RISK"])) == 1
        assert index.scores.loc[group, "RISK"].to_numpy() == pytest.approx(
            index.scores.loc[group[0], "RISK"], abs=1e-9
        )

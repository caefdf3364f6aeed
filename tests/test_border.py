"""What lies beyond the border counts inside, and stands in no list and no total."""

import json

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely.geometry import LineString

from riskmap import pipeline
from riskmap.errors import ProjectError
from riskmap.export import bundle
from riskmap.project.schema import load_project
from tests import town
from tests.export.onemap.test_figures import Page


def rows(*parts):
    frame = pd.DataFrame(list(parts))
    return gpd.GeoDataFrame(frame, geometry=list(frame["geometry"]), crs=town.CRS)


def border_town(folder, **project):
    """The town with a road that goes on, and a neighbour's things east of its border at x = 400."""
    path = town.write(
        folder, project=project, layers={"hazard_source": {"path": "hazard_source.gpkg"}}
    )
    east, north = town.EAST, town.NORTH
    rows(
        {"highway": "residential",
         "geometry": LineString([(east, north + 150), (east + 900, north + 150)])},
    ).to_file(folder / "road.gpkg")  # fmt: skip
    rows(
        {"number": "S1", "name": "救援站", "geometry": town.at(0, 150)},
        {"number": "S2", "name": "邻县站", "geometry": town.at(460, 150)},
        {"number": "S3", "name": "远处站", "geometry": town.at(9000, 150)},
    ).to_file(folder / "rescue_station.gpkg")
    rows(
        {"number": "R1", "name": "学校", "capacity": 200, "geometry": town.at(50, 250)},
        {"number": "R2", "name": "邻县体育馆", "capacity": 300, "geometry": town.at(450, 150)},
    ).to_file(folder / "refuge.gpkg")
    rows(
        {
            "number": "W1",
            "name": "邻县液氯站",
            "substances": "液氯",
            "quantity_t": 500.0,
            "geometry": town.at(500, 150),
        },
    ).to_file(folder / "hazard_source.gpkg")
    rows(
        {"number": "P1", "name": "桥下", "depth_m": 0.6, "village": "", "geometry": town.at(50, 150)},
        {"number": "P2", "name": "邻县路口", "depth_m": 0.6, "village": "外村",
         "geometry": town.at(450, 150)},
        {"number": "P3", "name": "错位点", "depth_m": 0.6, "village": "村31",
         "geometry": town.at(430, 150)},
    ).to_file(folder / "flood_point.gpkg")  # fmt: skip
    return load_project(path)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    return pipeline.run(border_town(tmp_path_factory.mktemp("border") / "town"))


@pytest.fixture(scope="module")
def switched(tmp_path_factory):
    off = dict.fromkeys(("rescue_station", "refuge", "hazard_source", "flood_point"), False)
    folder = tmp_path_factory.mktemp("alone") / "town"
    return pipeline.run(border_town(folder, beyond=off))


def test_neighbours_count_for_travel_hazard_and_places(counted, switched):
    with_, without = counted.indicators.units, switched.indicators.units
    speed = 20 / 3.6
    # V31's middle stands at x = 350: 110 m from S2 at x = 460, 350 m from S1 at x = 0
    assert with_.loc["V31", "C_STATION"] * 60 == pytest.approx(110 / speed, rel=0.02)
    assert without.loc["V31", "C_STATION"] * 60 == pytest.approx(350 / speed, rel=0.02)
    assert with_.loc["V31", "C_REFUGE"] < without.loc["V31", "C_REFUGE"]
    # The neighbour's chlorine, 450 m from one refuge and 50 m from the other, closes both.
    assert with_.loc["V31", "C_PLACES"] == 0 < without.loc["V31", "C_PLACES"]
    # 500 t of chlorine are level 4, which falls from 1 to 0 over 1600 m: 150 m from V31's middle
    assert with_.loc["V31", "H_SOURCE"] == pytest.approx(1 - 150 / 1600, abs=0.01)
    assert "H_SOURCE" not in without
    assert with_.loc["V31", "H_FLOOD_POINT"] > without.loc["V31", "H_FLOOD_POINT"]


def test_neighbours_stand_in_no_list_and_no_total(counted, switched):
    assert counted.items.index.tolist() == switched.items.index.tolist() == ["YL-P1"]
    assert counted.control.index.tolist() == ["YL-P1"]
    for role, n in (("rescue_station", 1), ("refuge", 1), ("flood_point", 1), ("hazard_source", 0)):
        assert len(counted.layers[role].table) == n
    assert counted.units["population"].equals(switched.units["population"])
    told = counted.plans["refuges"].tables["summary"]
    values = {
        str(what.msgid): value for what, value in zip(told["what"], told["value"], strict=True)
    }
    assert values["refuges"] == 1
    assert values["usable refuges outside the place"] == 0  # the neighbour's plant is too near
    fit = counted.plans["refuges"].tables["eligibility"]
    why = fit[fit["name"].astype(str).str.startswith("邻县体育馆")]["reason"].astype(str)
    assert why.str.contains("邻县液氯站（区外）").any()
    summary = counted.plans["stations"].tables["summary"]
    alone = switched.plans["stations"].tables["summary"]
    assert summary["total"].tolist() == alone["total"].tolist()
    assert (summary["share"] >= alone["share"]).all()
    notes = [note.msgid for note in counted.plans["stations"].notes]
    assert any("more stations outside the place" in note for note in notes)
    assert dict(counted.plans["stations"].notes[0].params)["n"] == 1


def test_too_far_or_misplaced_rows_are_returned(counted, switched):
    found = {(p.role, p.rule, p.row) for p in counted.problems}
    assert ("rescue_station", "outside_place", 3) in found
    assert ("flood_point", "outside_place", 3) in found  # it names a village of the place
    assert ("flood_point", "beyond_border", 2) in found
    lost = {(p.role, p.row) for p in switched.problems if p.rule == "outside_place"}
    assert {("rescue_station", 2), ("refuge", 2), ("flood_point", 2), ("hazard_source", 1)} <= lost
    for result in (counted, switched):
        for layer in result.layers.values():
            assert layer.rows_in == layer.rows_used + layer.rows_returned


def test_papers_mark_what_lies_outside(counted, tmp_path):
    out = bundle.write(counted, tmp_path / "out")
    page = Page(out / "onemap.html")
    layers = {part["id"]: part for part in page.head["layers"]}
    assert layers["rescue_station"]["n"] == layers["rescue_station@outside"]["n"] == 1
    assert layers["rescue_station@outside"]["zh"] == "救援站（区外）"
    assert not layers["flood_point@outside"]["item"]
    assert page.words(layers["refuge@outside"]["names"]) == ["邻县体育馆"]
    there = pyogrio.read_dataframe(out / "riskmap.gpkg", layer="outside").set_index("role")
    assert there["name"].to_dict() == {
        "flood_point": "邻县路口", "hazard_source": "邻县液氯站", "refuge": "邻县体育馆",
        "rescue_station": "邻县站",
    }  # fmt: skip
    stations = pyogrio.read_dataframe(
        out / "riskmap.gpkg", layer="plan_stations_stations", read_geometry=False
    )
    assert stations["name"].tolist() == ["救援站", "邻县站（区外）"]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["items"]["rows"] == 1
    from riskmap.export.verify import verify

    assert verify(out) == []


def test_the_public_edition_knows_nothing_outside(tmp_path):
    result = pipeline.run(border_town(tmp_path / "town"), profile="public")
    assert all(layer.beyond is None for layer in result.layers.values())


def test_an_unknown_role_is_refused_by_name(tmp_path):
    with pytest.raises(ProjectError, match="refug"):
        border_town(tmp_path / "town", beyond={"refug": True})


def test_a_refuge_outside_takes_people_in_a_row_of_its_own(tmp_path):
    project = border_town(tmp_path / "town", beyond={"hazard_source": False, "refuge": 60})
    told = pipeline.run(project).plans["refuges"].tables["summary"]
    values = {
        str(what.msgid): value for what, value in zip(told["what"], told["value"], strict=True)
    }
    assert values["refuges"] == values["refuges that may be used"] == 1
    assert values["places in them"] == 200
    assert values["usable refuges outside the place"] == 1
    assert values["places outside the place"] == 300

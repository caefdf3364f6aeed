"""The refuge plan on one straight road, by hand: full, flooded, cut off, ties, nobody."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges import sites
from riskmap.plans.refuges.demand import people_to_move
from riskmap.plans.refuges.tables import folded
from tests.street import CRS, areas, at, plan, rect, world


def test_a_full_refuge_sends_the_rest_to_the_next():
    found = plan(world([(150, 30), (1250, 100)], areas(("甲", 50, 200, 300))))
    rows = found.tables["assignment"].set_index("refuge_id")
    assert rows["people"].to_dict() == {"R0": 30, "R1": 20}
    odd = plan(world([(150.4, 30)], areas(("甲", 20, 200, 300)))).tables["assignment"]
    assert odd["metres"].tolist() == [100]  # 99.6 m; metres are told whole
    assert rows.loc["R1", "metres"] == pytest.approx(1000, abs=1)
    assert rows.loc["R1", "minutes"] == pytest.approx(1000 / 60, abs=0.1)
    assert found.recount["overload"] == found.recount["served_twice"] == 0
    assert found.proof[0].objective == pytest.approx((30 * 100 + 20 * 1000) / 60)


def test_a_flooded_refuge_is_not_used_and_says_why():
    there = world([(150, 30), (1150, 100)], areas(("甲", 20, 300, 400)))
    depth = np.zeros(there.grid.shape)
    x = np.arange(there.grid.shape[1])
    depth[:, x == 1] = 0.2
    found = plan(there, name="水", depth_m=depth)
    fit = found.tables["eligibility"].query("check == 'flood'").set_index("item_id")
    assert not fit.loc["R0", "usable"]
    assert "0.20" in str(fit.loc["R0", "reason"])
    assert set(found.tables["assignment"]["refuge_id"]) == {"R1"}


def test_a_closed_road_cuts_a_village_off_and_leaving_early_mends_it():
    there = world([(150, 100)], areas(("乙", 40, 1500, 1600)))
    closures = gpd.GeoDataFrame(geometry=[rect(950, 1400)], crs=CRS)
    found = plan(there, name="断", closures=closures)
    short = found.tables["shortfall"].set_index("unit_id")
    assert short.loc["B", ["people", "served", "shortfall"]].tolist() == [40, 0, 40]
    assert short.loc["B", "cut_off"] == 40
    # The road is one edge a kilometre, so 950..1400 shuts the first and the second of them.
    early = found.tables["mend"]
    assert early["shortfall_after"].min() == 0
    assert found.tables["equity"]["no_way"].tolist() == [40, 0]
    summary = folded(found.tables)["summary"]
    lines = {
        str(what): value for what, value in zip(summary["what"], summary["value"], strict=True)
    }
    assert [value for what, value in lines.items() if what.endswith("无路可达人数")] == [40, 0]


def test_added_places_serve_everybody_when_solved_again():
    found = plan(world([(150, 30)], areas(("甲", 50, 200, 300))))
    mend = found.tables["mend"]
    assert (mend["where"].iloc[0], mend["places"].iloc[0]) == ("场所0", 20)
    assert (mend["shortfall_before"].iloc[0], mend["shortfall_after"].iloc[0]) == (20, 0)
    one = plan(world([(150, 30)], areas(("甲", 31, 200, 300)))).tables["shortfall"]
    assert str(one["reason"].iloc[0]) == "可达的 1 处避难场所均已满"
    again = plan(world([(150, 50)], areas(("甲", 50, 200, 300))))
    assert again.recount["shortfall"] == 0


def test_proposed_sites_serve_those_without_a_place():
    found = plan(world([(150, 30)], areas(("甲", 50, 200, 300))))
    assert found.tables["sites"]["places"].sum() == 20
    assert (found.tables["sites"]["chosen_of_draws"] <= found.tables["sites"]["draws"]).all()


def test_whole_groups_are_not_split():
    there = world([(150, 30), (450, 40)], areas(("甲", 35, 200, 300), ("乙", 25, 500, 600)))
    found = plan(there, RefugeOptions(whole=True))
    rows = found.tables["assignment"]
    assert rows.groupby("group").size().max() == 1
    assert dict(zip(rows["people"], rows["refuge_id"], strict=True)) == {35: "R1", 25: "R0"}


def test_village_refuges_are_filled_first_where_the_preset_says_so():
    refuges = [(150, 100, {"tier": "county"}), (450, 30, {"tier": "village"})]
    standing = areas(("甲", 50, 200, 300))
    near = plan(world(refuges, standing)).tables["assignment"]
    assert near["refuge_id"].tolist() == ["R0"]
    tiers = plan(world(refuges, standing), RefugeOptions(preset="zhejiang_tiers"))
    rows = tiers.tables["assignment"].set_index("refuge_id")["people"]
    assert rows.to_dict() == {"R1": 30, "R0": 20}


def test_capacity_is_the_smaller_of_declared_and_computed():
    refuges = [(150, 300, {"area_m2": 100.0, "used": 10.0}), (450, np.nan), (550, 0)]
    held = plan(world(refuges)).tables["capacity"].set_index("item_id")
    assert held["places"].tolist() == [40, 0, 0]
    assert held["over_declared"].tolist() == [True, False, False]
    assert held["usable"].tolist() == [True, True, False]  # an unknown capacity is no failed check
    assumed = plan(world(refuges), RefugeOptions(assumed_capacity=60)).tables
    assert assumed["capacity"]["places"].tolist() == [40, 60, 0]
    said = {str(what): value for what, value in assumed["summary"][["what", "value"]].to_numpy()}
    assert said["其中为假定"] == 60


def test_sources_and_danger_areas_close_a_refuge():
    sources = gpd.GeoDataFrame(
        {"name": ["油库", "加油站"], "gb18218_level": ["3", "0"]},
        geometry=[at(1000), at(2500)],
        crs=CRS,
    )
    refuges = [(150, 50), (499, 50), (500, 50), (1501, 50), (2471, 50), (2530, 50)]
    there = world(refuges, areas(("甲", 5, 100, 200)), sources=sources)
    fit = plan(there).tables["eligibility"]
    failed = fit[~fit["usable"]][["item_id", "check"]].to_numpy().tolist()
    # 500 m and 30 m themselves are far enough.
    assert failed == [["R0", "danger_area"], ["R4", "hazard_source"]]


def test_nobody_is_counted_twice():
    there = world([(150, 1)])
    depth = np.full(there.grid.shape, 0.6)
    given = {"population": there.population, "depth_m": depth, "presets": there.presets}
    standing, scenario = areas(("甲", 40, 0, 200)), areas(("水", 30, 100, 300))
    people = people_to_move(
        there.grid, there.units, standing=standing, scenario=scenario, **given
    ).table
    declared = people[people["origin"] == "danger_area"].set_index("name")["people"]
    assert declared.to_dict() == {"水": 30, "甲": 20}
    wet = people[people["origin"] == "flooded"].set_index("unit_id")["people"]
    # Ten people a cell of 100 m; three cells of the first village count in the areas.
    assert wet.to_dict() == {"A": 70, "B": 100, "C": 100}


def people_of(there, standing, scenario=None):
    found = people_to_move(
        there.grid, there.units, population=there.population, standing=standing,
        scenario=scenario, presets=there.presets,
    )  # fmt: skip
    columns = ["origin", "name", "people", "vulnerable", "unit_id", "demand"]
    assert found.table.columns.tolist() == columns
    return found.table.groupby("name")["people"].sum().to_dict()


def test_overlapping_areas_without_declared_people_count_everybody_once():
    there = world([(150, 1)])
    nan = float("nan")
    # Ten people a cell of 100 m: the union of 0..200, 100..300 and 250..500 holds 50.
    found = people_of(
        there, areas(("甲", nan, 0, 200), ("乙", nan, 100, 300), ("丙", nan, 250, 500))
    )
    assert found == {"甲": 20, "乙": 10, "丙": 20}
    # Declared people stand whatever the order; the ground they live on is theirs.
    found = people_of(there, areas(("甲", nan, 0, 200), ("乙", 7, 100, 300)))
    assert found == {"甲": 10, "乙": 7}
    # What lies within another area, or within one of the scenario, adds nobody.
    found = people_of(there, areas(("甲", nan, 0, 200), ("乙", nan, 0, 100)))
    assert found == {"甲": 20}
    found = people_of(there, areas(("甲", nan, 0, 200)), areas(("水", nan, 100, 300)))
    assert found == {"水": 20, "甲": 10}


@given(st.lists(st.tuples(st.integers(0, 28), st.integers(1, 12)), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_areas_of_any_overlap_hold_the_people_of_their_union(spans):
    there = world([(150, 1)])
    cells = {cell for start, width in spans for cell in range(start, min(start + width, 30))}
    rows = [(str(i), float("nan"), 100 * a, 100 * (a + w)) for i, (a, w) in enumerate(spans)]
    assert sum(people_of(there, areas(*rows)).values()) == 10 * len(cells)


def test_no_demand_and_no_road_give_a_plan():
    quiet = plan(world([(150, 30)]))
    assert quiet.recount["people"] == quiet.recount["shortfall"] == 0
    off = plan(world([(150, 30)], areas(("甲", 5, 200, 300)), graphs={}))
    assert off.recount["shortfall"] == 5


def test_ties_and_order_of_rows_do_not_change_the_answer():
    standing = areas(("甲", 20, 1000, 1100))
    there = world([(550, 20), (1550, 20)], standing)
    first = plan(there).tables["assignment"]
    again = plan(there).tables["assignment"]
    pd.testing.assert_frame_equal(first, again)


def test_access_keeps_the_places():
    found = plan(world([(500, 60), (1500, 40)]))
    table = found.tables["accessibility"]
    for name in ("places_2sfca", "places_e2sfca", "places_3sfca"):
        assert (table[name] * table["people"]).sum() / 1000 == pytest.approx(100)
    card = found.tables["scorecard"].iloc[0]
    assert card["people"] == pytest.approx(300)
    assert card["capacity_share"] == pytest.approx(1 / 3)


def test_a_district_has_its_row_though_a_town_bears_its_name():
    there = world([(500, 60)])
    there.units["town"] = ["某县", "某镇", "某镇"]
    card = plan(there).tables["scorecard"]
    assert card[["district", "town", "people"]].to_numpy().tolist() == [
        ["某县", "某县", 100], ["某县", "某镇", 200], ["某县", "", 300],
    ]  # fmt: skip
    there.units["town"] = "某县"  # where every town is the district, one row says it
    assert plan(there).tables["scorecard"]["town"].tolist() == ["某县"]


@pytest.mark.parametrize("name", ["assumed_capacity", "per_capita_m2"])
def test_one_is_a_capacity_and_nothing_is_none(name):
    assert getattr(RefugeOptions(**{name: 1}), name) == 1
    with pytest.raises(ValidationError, match=name):
        RefugeOptions(**{name: 0})


def test_unknown_options_are_refused():
    with pytest.raises(ValidationError, match="walk"):
        RefugeOptions(walk=3)


def test_declared_people_on_the_same_ground_move_once():
    there = world([(150, 1)])
    # Of those who live on 0..200 both areas move 15.
    assert people_of(there, areas(("沟", 15, 0, 200), ("坡", 15, 0, 200))) == {"沟": 15}
    # 18 on 0..200, so 9 on 0..100: the inner area, which claims 14 there, adds five.
    assert people_of(there, areas(("内", 14, 0, 100), ("外", 18, 0, 200))) == {"内": 5, "外": 18}
    # Half of 20 on 100..200 against half of 12: the rest of the second, 6, lives on 200..300.
    assert people_of(there, areas(("西", 20, 0, 200), ("东", 12, 100, 300))) == {"西": 20, "东": 6}
    # Three areas on one another move as many as the largest.
    found = people_of(there, areas(("一", 5, 0, 200), ("二", 9, 0, 200), ("三", 7, 0, 200)))
    assert found == {"二": 9}


def test_what_areas_add_up_to_stands_beside_who_moves_where_they_share_ground():
    """Inside 14 of the outside's 18: 32 added up, 23 move; areas beside each other say nothing."""
    found = plan(world([(150, 90)], areas(("内", 14, 0, 100), ("外", 18, 0, 200))))
    line = {str(r["what"]): r["value"] for r in found.tables["summary"].to_dict("records")}
    assert line["各危险区人数相加（重叠处重复计）"] == 32
    said = next(str(note) for note in found.notes if "相加" in str(note))
    assert "32" in said
    assert "23" in said
    beside = plan(world([(150, 90)], areas(("内", 14, 0, 100), ("外", 18, 100, 200))))
    assert not any("相加" in str(note) for note in beside.notes)


def test_a_scenario_takes_from_a_standing_area_who_lives_there_not_its_ground():
    there = world([(150, 1)])
    lived = np.zeros(there.grid.shape)
    lived[:, 0] = 20.0 / len(lived)  # all of them on the first 100 m
    there = replace(there, population=lived)
    standing, scenario = areas(("常", 20, 0, 1000)), areas(("情", 20, 0, 100))
    assert people_of(there, standing, scenario) == {"情": 20}


@pytest.mark.parametrize("model", ["p-median", "p-center", "c-p-median"])
def test_what_a_thinned_set_of_sites_may_lose_is_bounded(model, monkeypatch):
    there = world(
        [(150, 1)], areas(("甲", 60, 700, 720), ("乙", 90, 1400, 1420), ("丙", 30, 2600, 2620))
    )
    options = RefugeOptions(draws=1, new_sites=[2], site_model=model, walk_min=90)
    best = plan(there, options).tables["siting"]["objective"].iloc[-1]
    monkeypatch.setattr(sites, "MOST_CANDIDATES", 5)
    few = plan(there, options)
    said = next(str(note) for note in few.notes if "任取全部" in str(note))
    bound = float(said.split("最好不过 ")[1].split("，")[0])
    value = few.tables["siting"]["objective"].iloc[-1]
    assert bound <= best + 0.5 <= value + 1.0
    better = float(said.split()[-1].rstrip("%。"))
    assert better == pytest.approx(100 * (value - bound) / value, abs=0.2)


def test_half_a_kilometre_from_a_road_is_no_cliff():
    minutes = []
    for north in (480, 520, 900):
        far = areas(("甲", 20, 300, 320))
        far.geometry = far.translate(0, north)
        row = plan(world([(310, 30)], far)).tables["assignment"].iloc[0]
        minutes.append(row["minutes"])
        assert row[["people", "metres"]].tolist() == [20, north]
    # A metre a second: 40 m are 40 seconds, 380 more are 6.3 minutes.
    assert np.diff(minutes) == pytest.approx([40 / 60, 380 / 60], abs=0.11)
    gone = areas(("甲", 20, 300, 320))
    gone.geometry = gone.translate(0, 2000)
    assert plan(world([(310, 30)], gone)).recount["shortfall"] == 20  # 33 minutes to the road


def test_areas_of_unknown_people_are_named_and_not_counted():
    nan = float("nan")
    found = plan(world([(150, 30)], areas(("甲", nan, 0, 200), ("乙", 5, 0, 200)), population=None))
    assert found.recount["people"] == 5
    said = [str(note) for note in found.notes if "未计入" in str(note)]
    assert len(said) == 1
    assert said[0].endswith("甲")


def test_more_than_three_refuges_have_their_reason():
    """90 on foot; the three largest hold 75, so four are needed. Nobody else is there."""
    there = world([(x, 25) for x in (100, 300, 500, 700)], areas(("甲", 90, 390, 410)))
    found = plan(there)
    other = found.tables["assignment"].set_index("refuge")["alternative"]
    assert (other["场所1"], other["场所2"]) == (
        "场所2",
        "场所1",
    )  # 100 m to each, 300 to the others
    row = found.tables["shortfall"].iloc[0]
    assert row["shortfall"] == 0
    assert "分到4处场所" in str(row["reason"])
    assert "共容75人，步行者90人，至少需4处" in str(row["reason"])


def test_no_part_is_smaller_than_the_least_where_that_costs_little():
    """甲, 55, is nearest to 50 places: five would go on alone; 20 m farther there is room for all."""
    sent = plan(world([(450, 50), (470, 200)], areas(("甲", 55, 390, 410)))).tables["assignment"]
    assert sent[["people", "refuge_id"]].to_numpy().tolist() == [[55, "R1"]]
    # 1 500 m farther it costs more than four times 300 person-minutes: 50 people, 25 minutes each.
    there = world([(450, 50), (1950, 200)], areas(("甲", 55, 390, 410)))
    assert plan(there).tables["assignment"]["people"].tolist() == [50, 5]

"""Order, opening, clearance, hours and the office's own plan, each with its answer by hand."""

from dataclasses import replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from riskmap.geo.network import build_graph, snap_points
from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges.checks import refuge_checks
from riskmap.plans.refuges.tables import handout
from riskmap.plans.refuges.ways import find_way
from riskmap.vocabulary.presets import load_presets
from tests.street import CRS, areas, at, plan, rect, world

RIDE = {"foot": 600.0, "ride": 3600.0}


def lines(found):
    table = found.tables["summary"]
    return {str(what): value for what, value in zip(table["what"], table["value"], strict=True)}


def test_each_village_has_its_turn_its_buses_and_its_warning():
    """甲 walks 300 m (5 min); 丙 rides 1.9 km. Margin 15, preparation 30, buses 60 min ahead."""
    groups = areas(("甲组", 20, 240, 260), ("近组", 5, 480, 500), ("丙组", 20, 2790, 2810))
    there = world([(550, 100), (900, 100)], groups, ride=True)
    found = plan(there, limits=RIDE)
    sent = found.tables["assignment"].set_index("name")
    table = found.tables["shortfall"].set_index("village")
    assert sent.loc["甲组", "leave_min"] == 20
    assert table.loc["甲村", "notify_min"] == 50
    assert np.isnan(table.loc["甲村", "buses_min"])
    after = sent.columns.tolist().index("minutes") + 1
    times = ["arrive_min", "spare_min", "in_time", "leave_min"]
    assert sent.columns[after : after + 4].tolist() == times
    late = sent.loc["丙组", "leave_min"]
    assert table.loc["丙村", ["notify_min", "buses_min"]].tolist() == [late + 30, late + 60]
    assert table["turn"].to_dict() == {"丙村": 1.0, "甲村": 2.0}
    assert set(table["warning"]) == {"orange"}
    far = world([(2900, 100)], areas(("甲组", 20, 0, 20)), settings={"refuge.prepare_min": 150})
    table = plan(far, limits={"foot": 7200.0}).tables["shortfall"]
    # 48 min on foot, 15 of margin and 150 of preparation are more than 180: the yellow signal.
    assert table["warning"].tolist() == ["yellow"]


def test_the_refuge_that_holds_most_opens_first_and_stages_follow_the_area():
    there = world(
        [(300, 100, {"area_m2": 90.0, "type": "short"}), (2500, 30), (2600, 500)],
        areas(("甲组", 45, 240, 260), ("丙组", 100, 2500, 2520)),
    )
    held = plan(there).tables["capacity"]
    # The first holds 45 (90 m2 at 2), the last all 100 of the east, the small one nobody more.
    assert held["open_order"].tolist()[::2] == [2, 1]
    assert np.isnan(held["open_order"].iloc[1])
    assert held["open_people"].tolist()[::2] == [145, 100]
    stages = [f"places_{one}" for one in ("urgent", "temporary", "short", "medium", "long")]
    assert held.loc[0, stages].tolist() == [180, 90, 45, 30, 20]
    assert held.loc[1, stages].isna().all()


def test_roads_clear_by_what_they_carry_in_an_hour():
    """300 people walk east, 100 west, on a road that carries 200 an hour each way: 90 minutes."""
    slow = {"road.hourly_walkers": {"other": 200}}
    there = world([(200, 100), (1800, 300)], areas(("甲组", 300, 900, 920), ("乙组", 100, 1000, 1020)),
                  settings=slow)  # fmt: skip
    options = RefugeOptions(draws=1)
    found = plan(there, options)
    sent = found.tables["assignment"]
    said = lines(found)
    east = sent.loc[sent["refuge"] == "场所1", "people"].sum()
    assert east == 300
    tight = next(value for key, value in said.items() if key.startswith("最拥挤路段 1"))
    assert tight == pytest.approx(90.0)
    longest = sent.loc[sent["refuge"] == "场所1", "minutes"].max()
    assert said["全部到位至少需要（同时出发）"] == np.ceil(90 + longest)


def test_places_with_people_make_the_day_the_worst_hour():
    """A school of 200 in a danger area of 40 residents: 220 by day, 60 at night, 32 on holidays."""
    school = gpd.GeoDataFrame({"type": ["school", "school"], "people": [200.0, 900.0]},
                              geometry=[at(250), at(2000)], crs=CRS)  # fmt: skip
    there = world([(500, 100)], areas(("甲组", 40, 200, 300)), places=school)
    said = lines(plan(there))
    assert [said[f"{hour}：需转移"] for hour in ("工作日白天", "夜间", "节假日")] == [220, 60, 32]
    assert [said[f"{hour}：未落实去处"] for hour in ("工作日白天", "夜间", "节假日")] == [120, 0, 0]
    assert str(said["最不利时段"]) == "工作日白天"
    bare = world([(500, 100)], areas(("甲组", 40, 200, 300)), places=school,
                 settings={"refuge.presence": {hour: {"home": 1} for hour in ("day", "night", "holiday")}})  # fmt: skip
    assert (
        lines(plan(bare))["工作日白天：需转移"] == 40
    )  # of a kind without a share nobody is there
    assert "最不利时段" not in lines(plan(world([(500, 100)], areas(("甲组", 40, 200, 300)))))


def declared(*rows):
    """Danger areas: name, people, from x, to x, refuge, route, trigger."""
    table = areas(*(row[:4] for row in rows))
    for place, name in ((4, "refuge"), (5, "route"), (6, "trigger")):
        table[name] = [row[place] for row in rows]
    return table


def test_the_plan_of_the_office_is_held_against_ledger_roads_and_capacity():
    own = declared(
        ("甲组", 60, 200, 220, "场所0", "沿东路", "1小时50毫米"),
        ("乙组", 60, 900, 920, "场所 0", "", "1小时50毫米"),
        ("丙组", 20, 2500, 2520, "无此场所", "", ""),
        ("丁组", 20, 2900, 2920, "场所1、场所0", "", "水位"),
    )
    there = world([(500, 100), (2700, 30)], own)
    table = plan(there).tables["audit"]
    found = {(row["name"], row["refuge"]): str(row["finding"]) for row in table.to_dict("records")}
    # 60 + 60 + half of 20 are declared for a refuge of 100.
    assert "130" in found["甲组", "场所0"]
    assert table.loc[table["refuge"] == "场所0", "declared_load"].tolist() == [130.0, 130.0]
    assert "台账中没有" in found["丙组", "无此场所"]
    assert "未填转移预警指标" in found["丙组", "无此场所"]
    assert found["丁组", "场所1"] == ""
    # 2.4 km are 40 minutes, more than the 30 allowed.
    assert "没有能通行的路" in found["丁组", "场所0"]
    assert table.loc[table["finding"] == "", "agrees"].all()
    assert "audit" not in {key for key, one in plan(world([(500, 9)])).tables.items() if len(one)}


def test_water_makes_a_declared_refuge_unusable_and_says_so():
    from tests.plans.test_refuge_truth import pools

    own = declared(("甲组", 20, 200, 220, "场所0", "", "1小时50毫米"))
    there = world([(500, 100), (700, 100)], own)
    assert plan(there).tables["audit"]["agrees"].tolist() == [True]
    wet = plan(there, name="雨", depths=pools((500, 550, 0.2))).tables["audit"]
    assert wet["agrees"].tolist() == [False]
    assert "不可用" in str(wet["finding"].iloc[0])
    assert "场所1" in str(wet["finding"].iloc[0])


def test_a_way_is_told_leg_by_leg_with_roads_and_landmarks():
    from riskmap.plans.refuges.ways import Landmarks

    marks = Landmarks(xy=np.array([[500_990.0, 4_000_060.0]]), names=["村小学"])
    there = world([(1500, 100)], areas(("甲组", 20, 600, 620)), landmarks=marks,
                  road_names=("西路", "中路", "东路"))  # fmt: skip
    sheet = plan(there).tables["handout"].iloc[0]
    said = str(sheet["route"])
    assert said == "总体向东：沿西路向东 390 米到村小学；再沿中路向东 500 米"
    assert str(sheet["address"]) == "乙村，中路旁"
    there = world([(2010, 100)], areas(("甲组", 20, 600, 620)), road_names=("西路", "中路", "东路"))
    said = str(plan(there).tables["handout"]["route"].iloc[0])
    # The last 10 m are no leg of their own: they belong to the leg before.
    assert said == "总体向东：沿西路向东 390 米；再沿中路向东 1010 米"


def test_of_many_roads_the_five_longest_are_named_in_the_order_of_travel():
    stops = [100, 500, 800, 900, 1400, 1480, 2000, 2300]  # 400, 300, 100, 500, 80, 520 and 300 m
    pieces = gpd.GeoDataFrame(
        geometry=[LineString([at(a), at(b)]) for a, b in pairwise(stops)], crs=CRS
    )
    there = world([(2300, 100)], areas(("甲组", 20, 90, 110)), road_names=tuple("一二三四五六七"))
    graphs = {"foot": build_graph(pieces, profile="foot", presets=there.presets)}
    sent = plan(replace(there, graphs=graphs), limits={"foot": 3600.0}).tables["assignment"]
    assert sent["via"].tolist() == ["一 → 二 → 四 → 六 → 七"]


def test_the_other_way_includes_the_walk_from_the_road_to_the_refuge():
    """From 100 m to 900, 40 m beside the road; the other way round a square of 500 m by 1 000."""
    stops = [(0, 50), (1000, 50), (1000, 550), (0, 550), (0, 50)]
    ring = [LineString([at(*a), at(*b)]) for a, b in pairwise(stops)]
    there = world([(900, 100)], areas(("甲组", 20, 90, 110)))
    graph = build_graph(
        gpd.GeoDataFrame(geometry=ring, crs=CRS), profile="foot", presets=there.presets
    )
    there = replace(
        there, graphs={"foot": graph}, refuges=there.refuges.set_geometry([at(900, 90)])
    )
    row = plan(there, limits={"foot": 7200.0}).tables["assignment"].iloc[0]
    assert row["metres"] == 800 + 40
    assert row["other_metres"] == 100 + 500 + 1000 + 500 + 100 + 40


def test_a_way_names_neither_its_goal_nor_one_mark_twice_and_one_road_once():
    """Straight on along one road is one leg; the refuge itself tells no turn on the way to it."""
    from riskmap.plans.refuges.ways import Landmarks

    marks = Landmarks(
        xy=np.array([[500_990.0, 4_000_060.0], [501_005.0, 4_000_060.0], [501_960.0, 4_000_060.0]]),
        names=["场所0", "村小学", "村小学"],
    )
    told = {}
    for names in (("西路", "中路", "东路"), ("长路", "长路", "长路"), ("西路", "长路", "西路")):
        there = world([(2400, 100)], areas(("甲组", 20, 800, 820)), landmarks=marks,
                      road_names=names)  # fmt: skip
        told[names[1]] = str(
            plan(there, limits={"foot": 2400.0}).tables["handout"]["route"].iloc[0]
        )
    assert (
        told["中路"]
        == "总体向东：沿西路向东 190 米到村小学；再沿中路向东 1000 米；再沿东路向东 400 米"
    )


def test_those_who_wait_for_a_later_round_are_told():
    """400 people, 10 to a bus at a time: the sheet says that the last arrive later."""
    there = world([(2900, 400)], areas(("甲组", 400, 100, 120)), ride=True,
                  settings={"refuge.vehicle_share": 0.0})  # fmt: skip
    found = plan(there, limits={"foot": 600.0, "ride": 3600.0})
    row = found.tables["assignment"].iloc[0]
    said = str(found.tables["handout"]["remark"].iloc[0])
    assert row["arrive_min"] > row["minutes"] + 10
    assert f"末趟在首趟出发后约{row['arrive_min']:.0f}分钟到达" in said
    for later, told in ((10.0, True), (9.9, False)):  # ten minutes are told
        sent = found.tables["assignment"].assign(
            arrive_min=lambda t, later=later: t["minutes"] + later
        )
        assert ("末趟" in str(handout(sent, there.refuges, [""])["remark"].iloc[0])) is told


def test_who_answers_for_a_refuge_is_its_person_or_its_office():
    refuges = [(300, 10, {"person": "责任人A", "duty_unit": "某街道"}),
               (400, 10, {"duty_unit": "某街道", "address": "某路1号"})]  # fmt: skip
    there = world(refuges, areas(("甲组", 20, 340, 360)))
    sheet = plan(there).tables["handout"].set_index("refuge")
    assert sheet["person"].map(str).to_dict() == {"场所0": "责任人A", "场所1": "某街道"}
    assert str(sheet.loc["场所1", "address"]) == "某路1号"


def test_tables_of_the_schedule_hold_texts_and_numbers_only():
    found = plan(world([(500, 100)], areas(("甲组", 40, 200, 300))))
    for name in ("turn", "notify_min", "buses_min"):
        assert pd.api.types.is_float_dtype(found.tables["shortfall"][name])
    assert rect(0, 1).area == 100


def test_vehicles_and_staff_that_are_too_few_are_said():
    """90 people ride 1.9 km: three trips of 40, 5 + t + 5 minutes each, all within 150 minutes."""
    far = areas(("丙组", 90, 2790, 2810))
    far["vehicles"], far["staff"] = [0], [1]
    there = world([(900, 100)], far, ride=True)
    said = str(plan(there, limits=RIDE).tables["audit"]["finding"].iloc[0])
    assert "申报转移车辆0辆，90人乘车要按时到达需1辆" in said
    assert "申报工作人员1名，按每50人1名需2名" in said
    far["vehicles"], far["staff"] = [1], [2]
    said = str(plan(there, limits=RIDE).tables["audit"]["finding"].iloc[0])
    assert "转移车辆" not in said
    assert "工作人员" not in said
    both = pd.concat([far, areas(("丁组", 10, 2850, 2870)).assign(staff=1)], ignore_index=True)
    table = plan(replace(there, standing=both), limits=RIDE).tables["audit"].set_index("name")
    assert "未填转移车辆，但有10人须乘车" in str(
        table.loc["丁组", "finding"]
    )  # the other area declares some


def test_crowded_and_head_on_roads_are_drawn_and_told_apart():
    slow = {"road.hourly_walkers": {"other": 200}}
    there = world([(200, 100), (1800, 300)], areas(("甲组", 300, 900, 920), ("乙组", 100, 1000, 1020)),
                  settings=slow)  # fmt: skip
    busy = plan(there, RefugeOptions(draws=1)).layers["busy_roads"]
    # At 200 an hour 300 on foot need 90 minutes.
    assert busy["minutes"].max() == 90.0
    assert busy["minutes"].tolist() == (busy["flow"] * 60 / 200).tolist()
    assert set(busy["kind"]) == {"busy_road"}
    assert busy["label"].str.contains("村的").all()


@pytest.mark.parametrize("stops", [(0, 700), (0, 200, 400, 550, 700)])
def test_another_road_is_dear_only_where_the_first_way_uses_it(stops):
    """From 400 m along a street; the first way goes east, so leaving west costs no more."""
    ways = [[at(a), at(b)] for a, b in pairwise(stops)]
    ways += [[at(700), at(1000)], [at(1000), at(1000, 500)], [at(700), at(700, 500)],
             [at(700, 500), at(1000, 500)], [at(0), at(0, 500), at(700, 500)]]  # fmt: skip
    lines = gpd.GeoDataFrame(geometry=[LineString(way) for way in ways], crs=CRS)
    graph = build_graph(lines, profile="foot", presets=load_presets())
    put = [snap_points(graph, np.array([[p.x, p.y]])) for p in (at(400), at(1000, 450))]
    cost = graph.edge_length_m.astype(float)
    first = find_way(graph, cost, *put)
    other = find_way(graph, cost, *put, instead_of=first)
    assert first.metres == pytest.approx(300 + 300 + 400, abs=0.01)
    assert other.metres == pytest.approx(400 + 450 + 700 + 300 + 50, abs=0.01)
    assert other.shared_m == pytest.approx(0, abs=0.01)


def test_metres_used_both_ways_are_where_the_two_flows_overlap():
    """From 910 m east to 1 800, from 1 010 m west to 200: 90 m before the joint, 10 behind it."""
    there = world(
        [(200, 100), (1800, 300)], areas(("甲组", 300, 900, 920), ("乙组", 100, 1000, 1020))
    )
    found = plan(there, RefugeOptions(draws=1, whole=True))
    table = found.tables["assignment"].set_index("name")
    assert table["refuge"].to_dict() == {"甲组": "场所1", "乙组": "场所0"}
    assert lines(found)["对向都有转移人流、车流的道路长度"] == 100
    apart = world(
        [(200, 300), (1800, 100)], areas(("甲组", 300, 900, 920), ("乙组", 100, 1000, 1020))
    )
    assert (
        lines(plan(apart, RefugeOptions(draws=1, whole=True)))["对向都有转移人流、车流的道路长度"]
        == 0
    )


def test_refuges_that_open_after_the_date_of_the_data_are_not_open_yet():
    refuges = pd.DataFrame(
        {
            "status": [None, None, "in_use", "planned", None],
            "opens": ["2027-01-01", "2026-01-01", "2027-01-01", "2025-01-01", None],
        }
    )
    held = pd.DataFrame(
        {"places": [9] * 5, "known": True, "assumed": False, "appraisal_due": False}
    )
    for day, right in (("2026-03-01", [True, False, False, True, False]), ("", [0, 0, 0, 1, 0])):
        checks = refuge_checks(refuges, held, on_road=None, warning_h=3, day=day)
        (status,) = [check for check in checks if check.check == "status"]
        assert (~np.asarray(status.passed)).tolist() == right

"""Supplies by hand: four depots and three refuges on one straight road."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point

from riskmap.geo.grid import make_grid
from riskmap.geo.network import build_graph
from riskmap.plans.refuges.ways import nets
from riskmap.plans.supplies import (
    Call,
    at_hand,
    class_totals,
    count_stock,
    depot_sizes,
    kind_of,
    nearest_depots,
    nearest_stock,
    needs,
    next_depots,
    supply_plan,
)
from riskmap.vocabulary.presets import load_presets

CRS, E, N = "EPSG:4548", 500_000, 4_000_000
PRESETS = load_presets()


def at(x):
    return Point(E + x, N)


def depots(*rows):
    """Depots: name, tier, area, x."""
    return gpd.GeoDataFrame(
        {
            "name": [r[0] for r in rows],
            "tier": [r[1] for r in rows],
            "area_m2": [r[2] for r in rows],
        },
        geometry=[at(r[3]) for r in rows],
        crs=CRS,
    )


def refuges(*rows):
    """Refuges: name, tier, x."""
    return gpd.GeoDataFrame(
        {"name": [r[0] for r in rows], "tier": [r[1] for r in rows]},
        geometry=[at(r[2]) for r in rows],
        crs=CRS,
    )


def lorries(closed=None):
    """Roads of 10 km in pieces of 1 km; vehicles at the speed of a residential street."""
    lines = gpd.GeoDataFrame(
        {"highway": ["residential"] * 10},
        geometry=[LineString([at(1000 * k), at(1000 * k + 1000)]) for k in range(10)],
        crs=CRS,
    )
    graph = build_graph(lines, profile="emergency", presets=PRESETS)
    grid = make_grid(LineString([at(0), at(10_000)]).buffer(500), crs=CRS, size_m=500)
    return nets(
        {"emergency": graph}, grid, presets=PRESETS, limits_s={"ride": np.inf}, closures=closed
    )[0]


STOCK = pd.DataFrame(
    {
        "name": ["折叠床", "折叠床", "饮用水", "饮用水", "棉被", "毛毯", "水泵"],
        "code": ["1010102", "1010102", "1010201", "9", "1010103", "", "2010202"],
        "depot": ["区库", "镇点", "区库", "镇点", "区库", "不在册", "区库"],
        "quantity": [30.0, 20.0, 10.0, 5.0, 40.0, 7.0, 3.0],
        "measure_unit": ["张", "张", "箱", "罐", "床", "条", "台"],
        "expires": [None, None, "2026-12-31", None, None, "2020-01-01", None],
    }
)
HOUSES = depots(("区库", "county", 1200.0, 0), ("镇点", "town", 150.0, 9000))


def test_totals_by_code_depot_and_tier():
    counted, notes = count_stock(STOCK, HOUSES, PRESETS, "2026-03-01")
    table = class_totals(counted, {"": 0.0, "暴雨": 200.0}).set_index("code")
    assert table.loc["1010102", ["quantity", "quantity_county", "quantity_town"]].tolist() == [
        50, 30, 20,
    ]  # fmt: skip
    assert table.loc["1010102", "division"] == "基本生活保障物资"
    assert table.loc["2010202", "division"] == "应急装备及配套物资"
    assert table.loc["1010102", "per_100@暴雨"] == 25
    assert np.isnan(table.loc["1010102", "per_100"])
    # Nothing is lost: all but the expired blankets are in the totals.
    assert table["quantity"].sum() == STOCK["quantity"].sum() - 7
    said = " ".join(map(str, notes))
    assert "2 行" in said  # one code out of form, one missing
    assert "1 行" in said  # the depot that is not in the layer; the goods that have expired
    old = [str(note) for note in notes if "有效期" in str(note)]
    assert len(old) == 1
    assert "1 行" in old[0]
    none = count_stock(STOCK, HOUSES, PRESETS, "2019-12-31")[1]
    assert not any("有效期" in str(note) for note in none)


def test_goods_expire_whatever_the_form_of_the_dates_before_them():
    stock = STOCK.head(5).assign(expires=["2027-10", "2025-12-31", "2025", "2026-03", "2026"])
    counted, notes = count_stock(stock, HOUSES, PRESETS, "2026-03-15")
    assert counted["quantity"].tolist() == [30, 5, 40]  # March and the year 2026 are not over
    assert any("2 行" in str(note) and "有效期" in str(note) for note in notes)


def test_needs_of_the_people_who_move():
    counted, _ = count_stock(STOCK, HOUSES, PRESETS, "2026-03-01")
    call = Call(scenario="暴雨", people=100.0, at_refuge=np.array([100.0]), net=None)
    table = needs(counted, [call], PRESETS).set_index("item")
    assert table.loc["床", ["needed", "in_stock", "adequacy", "lack"]].tolist() == [
        100,
        50,
        0.5,
        50,
    ]
    # 3 L a day for 3 days; a box is 12 L; the row in tins cannot be counted and is said.
    assert table.loc["饮用水", ["needed", "in_stock", "lack"]].tolist() == [900, 120, 780]
    assert table.loc["饮用水", "uncounted"] == 1
    assert table.loc["被褥", ["needed", "in_stock"]].tolist() == [100, 40]
    assert table.loc["方便食品", "adequacy"] == 0


def test_nobody_needs_nothing():
    counted, _ = count_stock(STOCK, HOUSES, PRESETS)
    call = Call(scenario="", people=0.0, at_refuge=np.zeros(1), net=None)
    table = needs(counted, [call], PRESETS)
    assert (table["lack"] == 0).all()
    assert table["adequacy"].isna().all()


def test_a_word_in_the_name_makes_the_kind():
    rows = pd.DataFrame(
        {"item": ["瓶装饮用水", "雨衣"], "measure_unit": ["瓶", "件"], "quantity": [100.0, 9.0]}
    )
    assert kind_of(rows, PRESETS["supplies.needs"]["water"]).tolist() == [50, 0]


def test_nearest_depot_and_nearest_stock_by_hand():
    places = refuges(("东校", "town", 8000), ("西校", "town", 2000))
    net = lorries()
    call = Call(scenario="", people=30.0, at_refuge=np.array([30.0, 0.0]), net=net)
    near = nearest_depots(places, HOUSES, [call]).set_index("refuge")
    assert near["depot"].to_dict() == {"东校": "镇点", "西校": "区库"}
    # Lorries drive as fast one way as the other: 1 km against 2 km.
    assert near.loc["西校", "minutes"] == pytest.approx(2 * near.loc["东校", "minutes"], abs=0.11)
    counted, _ = count_stock(STOCK, HOUSES, PRESETS)
    table = nearest_stock(counted, places, HOUSES, [call], PRESETS).set_index("item")
    assert set(table["refuge"]) == {"东校"}  # nobody is in the other one
    assert table.loc["床", "depot"] == "镇点"
    assert table.loc["被褥", "depot"] == "区库"  # only there
    assert table.loc["被褥", "in_stock"] == 40
    assert table.loc["帐篷", "depot"] == ""


def test_a_closed_road_is_not_driven():
    places = refuges(("东校", "town", 8000))
    shut = gpd.GeoDataFrame(geometry=[at(8500).buffer(100)], crs=CRS)
    calls = [
        Call(scenario=name, people=1.0, at_refuge=np.ones(1), net=lorries(closed))
        for name, closed in (("", None), ("断", shut))
    ]
    near = nearest_depots(places, HOUSES, calls)
    assert near["depot"].tolist() == ["镇点", "区库"]


def test_sizes_of_depots():
    houses = depots(
        ("区库", "county", 900.0, 0), ("镇点", "town", 150.0, 1), ("新库", "county", None, 2)
    )
    call = Call(scenario="", people=7000.0, at_refuge=np.zeros(1), net=None)
    table = depot_sizes(houses, [call], PRESETS)
    assert table["wanted_m2"].iloc[0] == 1000
    assert table["area_ok"].tolist() == [False, None, None, False]  # 1 050 of 1 200 m2
    assert table["wanted_m2"].iloc[3] == 1200


def test_the_next_depot_is_the_best_of_all():
    places = refuges(
        ("甲", "town", 1000), ("乙", "town", 5000), ("丙", "county", 6000), ("丁", "village", 7000)
    )
    people = np.array([10.0, 50.0, 40.0, 100.0])
    net = lorries()
    one = depots(("区库", "county", 1000.0, 0))
    call = Call(scenario="", people=200.0, at_refuge=people, net=net)
    table = next_depots(places, one, [call], k=1)
    xs, metres = np.array([1000, 5000, 6000, 7000]), {}
    for name, x in (("甲", 1000), ("乙", 5000), ("丙", 6000)):  # villages are no candidates
        metres[name] = (np.minimum(xs, abs(xs - x)) * people).sum() / people.sum()
    assert table["site"].tolist() == [min(metres, key=metres.get)]
    before = (xs * people).sum() / people.sum()
    ratio = table["mean_after"].iloc[0] / table["mean_before"].iloc[0]
    assert ratio == pytest.approx(min(metres.values()) / before, rel=1e-3)
    assert next_depots(places, one, [call], k=0) is None


def test_the_whole_plan_says_how_much_there_is():
    call = Call(scenario="", people=10.0, at_refuge=np.array([10.0]), net=lorries())
    found = supply_plan(
        STOCK, HOUSES, calls=[call], refuges=refuges(("东校", "town", 8000)), presets=PRESETS,
        data_date="2026-03-01", new_depots=1,
    )  # fmt: skip
    assert set(found.tables) == {
        "supplies", "depots", "needs", "nearest", "next_depots",
    }  # fmt: skip
    # Pieces and boxes have no sum: 40 quilts, 30 + 20 beds, 10 boxes and 5 tins of water, 3 pumps.
    said = " ".join(map(str, found.notes))
    assert "4 类" in said
    assert "50张、40床、10箱、5罐、3台。" in said
    assert found.tables["depots"]["quantity"].tolist()[:2] == ["40床、30张、10箱、3台", "20张、5罐"]
    assert found.tables["depots"]["wanted_m2"].notna().sum() >= 1
    assert len(found.tables["depots"]) == len(HOUSES) + 1  # and the row of all depots


def test_stock_that_no_lorry_can_bring_does_not_count():
    """Between the town's depot at 9 km and the refuge at 8 km the road is shut: 20 of 50 beds."""
    shut = gpd.GeoDataFrame(geometry=[at(8500).buffer(100)], crs=CRS)
    calls = [
        Call(scenario=name, people=10.0, at_refuge=np.array([10.0]), net=lorries(closed))
        for name, closed in (("", None), ("断", shut))
    ]
    found = supply_plan(
        STOCK, HOUSES, calls=calls, refuges=refuges(("东校", "town", 8000)), presets=PRESETS
    )
    beds = found.tables["needs"].query("item == '床'").set_index("scenario")["in_stock"]
    assert beds.to_dict() == {"": 50.0, "断": 30.0}
    said = [str(note) for note in found.notes if "送不到" in str(note)]
    assert len(said) == 1
    assert said[0].endswith("镇点")


def test_depots_of_one_name_do_not_each_hold_the_whole_stock():
    """Two depots 村库: 60 quilts by number at K2, 40 by name alone: 100 in all, 60 at one depot."""
    two = depots(("村库", "village", 50, 0), ("村库", "village", 50, 5000))
    two["number"] = ["K1", "K2"]
    stock = pd.DataFrame(
        {
            "name": ["棉被", "棉被"],
            "code": ["1010101", "1010101"],
            "depot": ["K2", "村库"],
            "quantity": [60, 40],
            "measure_unit": ["条", "条"],
        }
    )
    call = Call(scenario="", people=10.0, at_refuge=np.array([10.0]), net=lorries())
    plan = supply_plan(
        stock, two, calls=[call], refuges=refuges(("学校", "town", 1000)), presets=PRESETS
    )
    held = plan.tables["depots"].set_index("depot")["quantity"]
    assert held[["村库（K1）", "村库（K2）"]].tolist() == ["", "60条"]
    wanted = plan.tables["needs"].set_index("item")["in_stock"]
    assert wanted.max() == 100
    nearest = plan.tables["nearest"]
    assert set(nearest.loc[nearest["in_stock"].notna(), "depot"]) == {"村库（K2）"}
    assert any("重名" in str(note) or "several depots" in str(note) for note in plan.notes)


def test_goods_in_depots_out_of_use_do_not_count_and_none_may_be_left():
    held, said = at_hand(STOCK, HOUSES, HOUSES.iloc[:0])
    assert held["depot"].tolist() == ["不在册"]
    assert "6 行" in str(said[0])
    assert len(at_hand(STOCK, HOUSES, HOUSES)[0]) == len(STOCK)  # a namesake is in use
    held = held.iloc[:0]
    call = Call(scenario="", people=10.0, at_refuge=np.array([10.0]), net=lorries())
    found = supply_plan(
        held, HOUSES.iloc[:0], calls=[call], refuges=refuges(("东校", "town", 8000)),
        presets=PRESETS, data_date="2026-03-01",
    )  # fmt: skip
    assert found.tables["needs"]["in_stock"].eq(0).all()

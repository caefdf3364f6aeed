"""The traps in the offices' own documents: a scorecard that counts what they count, in their units."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from riskmap.geo.grid import make_grid
from riskmap.geo.people import live_in
from riskmap.i18n import language
from riskmap.layers.layer import Layer
from riskmap.register.checks import Case, checks
from riskmap.register.control import (
    grid_faults,
    item_faults,
    not_patrolled,
    out_of_earshot,
    patrol_cover,
    villages_without_ab,
)
from riskmap.register.scorecard import doubt, doubts, measures, read_stated, scorecard
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

CRS = "EPSG:4548"


def layer(role, **columns):
    n = len(next(iter(columns.values())))
    table = gpd.GeoDataFrame(
        {name: np.array(values, dtype=object) for name, values in columns.items()},
        geometry=[None] * n, crs=CRS, index=pd.Index([f"{role}-{i}" for i in range(n)], name="item_id"),
    )  # fmt: skip
    return {role: Layer(role=role, table=table, rasters=(), sources=())}


def one(table, code, unit=""):
    found = table[(table["code"] == code) & (table["unit_name"] == unit)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("found", "mended", "rate", "left"),
    [(2241, 2225, 99.3, 16), (1945, 1284, 66.0, 661), (5766, 5760, 99.9, 6)],
)
def test_rectification_as_the_offices_print_it(found, mended, rate, left):
    status = ["closed"] * mended + ["open"] * (found - mended)
    card = scorecard(layer("hidden_danger", status=status, town=["甲镇"] * found))
    row = one(card, "dangers_mended")
    assert (row["numerator"], row["denominator"]) == (mended, found)
    assert round(row["value"], 1) == rate
    assert not row["met"]
    assert one(card, "dangers_open")["value"] == left
    assert one(card, "dangers_open", "甲镇")["value"] == left


def test_open_dangers_are_those_without_a_word_too():
    card = scorecard(
        layer("hidden_danger", status=[None, "open", "ongoing", "closed"], town=["甲"] * 4)
    )
    assert one(card, "dangers_open")["value"] == 3
    assert one(card, "dangers_found")["value"] == 4


def test_all_listed_dangers_are_signed_off():
    listed = ["province"] * 2 + ["city"] * 6 + ["county"] * 10 + [None] * 3
    status = ["signed_off"] * 18 + ["open"] * 3
    row = one(scorecard(layer("hidden_danger", listed=listed, status=status)), "listed_closed")
    assert (row["numerator"], row["denominator"], row["value"], row["met"]) == (18, 18, 100.0, True)


def test_sources_online_of_grade_one_and_two_alone():
    grade = ["1"] * 10 + ["2"] * 12 + ["3"] * 5
    online = [True] * 22 + [False] * 5
    row = one(
        scorecard(layer("hazard_source", gb18218_level=grade, online=online)), "sources_online"
    )
    assert (row["numerator"], row["denominator"], row["met"]) == (22, 22, True)


def test_what_nobody_filled_in_is_unknown_not_failed():
    nothing = one(scorecard(layer("hazard_source", gb18218_level=["1", "2"])), "sources_online")
    assert (nothing["denominator"], nothing["unknown"]) == (2, 2)
    assert pd.isna(nothing["value"])
    assert pd.isna(nothing["met"])
    half = layer("hazard_source", gb18218_level=["1", "2", "1"], online=[True, None, True])
    row = one(scorecard(half), "sources_online")
    assert (row["numerator"], row["unknown"]) == (2, 1)
    assert pd.isna(row["met"])  # the blank one decides
    bad = layer("hazard_source", gb18218_level=["1", "2", "1"], online=[True, None, False])
    assert not one(scorecard(bad), "sources_online")["met"]


def test_visits_are_not_points_and_persons_are_neither():
    card = scorecard(
        layer(
            "patrol", item=["A", "A", "B", "A"], persons=[2, 3, None, 1],
            finding=["无盖", None, "淤积", ""], date=["2026-04-01"] * 4,
        )
    )  # fmt: skip
    assert one(card, "patrol_visits")["value"] == 4
    assert one(card, "points_patrolled")["value"] == 2
    assert one(card, "patrol_persons")["value"] == 6
    rate = one(card, "patrol_findings")
    assert (rate["numerator"], rate["denominator"], rate["value"]) == (2, 4, 50.0)


def test_conversion_of_inspections():
    n = 2375
    card = scorecard(
        layer("patrol", item=list(range(n)), finding=["有"] * 305 + [None] * (n - 305))
    )
    assert round(one(card, "patrol_findings")["value"], 1) == 12.8


def test_a_rate_over_nothing_is_unknown_and_a_missing_ledger_is_not_zero():
    card = scorecard(layer("hidden_danger", danger_level=["general"], status=["open"]))
    row = one(card, "major_mended")
    assert row["value"] is None or np.isnan(row["value"])
    assert pd.isna(row["met"])
    assert scorecard({}).empty
    assert "accidents" not in set(card["code"])


def test_overlapping_classes_are_counted_once():
    # 4 of production, 8 of traffic, 2 of them in both: 10 rows, never 12.
    types = ["生产经营"] * 2 + ["生产经营性交通"] * 2 + ["交通"] * 6
    card = scorecard(layer("accident", type=types, deaths=[1] * 10))
    assert one(card, "accidents")["value"] == 10
    assert one(card, "deaths")["value"] == 10


def test_stock_has_classes_and_pieces():
    card = scorecard(layer("stock", code=["1010101", "1010101", "2010101"], quantity=[5, 7, 3]))
    assert one(card, "stock_classes")["value"] == 2
    assert one(card, "stock_pieces")["value"] == 15


def test_the_forest_rate_printed_in_per_cent_is_per_mille():
    """21.56 ha of forest, 13 fires at 1.98 per 100 000 ha: 656 566 ha; 0.0328 per mille, not 0.03 %."""
    area = 13 / 1.98 * 100_000
    assert round(21.56 / 13, 2) == 1.66
    with language("en"):
        said = str(doubt("0.03%", 21.56, area))
    assert "per mille" in said
    assert doubt("0.03‰", 21.56, area) is None


@pytest.mark.parametrize(
    ("written", "top", "below", "agrees"),
    [
        ("99.3%", 2225, 2241, True), ("66.0%", 1284, 1945, True), ("99%", 2225, 2241, True),
        ("99.9%", 2225, 2241, False), ("100%", 18, 18, True), ("12.8%", 305, 2375, True),
        ("5%", 1, 20, True), ("0", 0, 5, True), ("9.93‰", 2225, 2241, False), ("无", 1, 2, True),
        ("50%", 1, 0, True),
    ],
)  # fmt: skip
def test_stated_rates_are_recomputed_to_the_digits_printed(written, top, below, agrees):
    assert (doubt(written, top, below) is None) == agrees


@pytest.mark.parametrize(
    ("written", "value", "unit", "bound"),
    [
        ("11500余件", 11500, "", ">="), ("42类", 42, "", "="), ("0.3‰以内", 0.3, "‰", "<="),
        ("1%以内", 1, "%", "<="), ("不少于100个", 100, "", ">="), ("3.9万余条", 39_000, "", ">="),
        ("1,195件", 1195, "", "="), ("50%以上", 50, "%", ">="),
    ],
)  # fmt: skip
def test_figures_as_they_are_written(written, value, unit, bound):
    found = read_stated(written)
    assert (found.value, found.unit, found.bound) == (value, unit, bound)


def test_stated_figures_of_a_ledger_are_doubted_by_row():
    rows = layer(
        "stated_figure", name=["森林火灾受害率", "整改率"], unit=["智慧新城", "集聚区"],
        numerator=[21.56, 2225], denominator=[656_566, 2241], stated=["0.03%", "99.3%"],
    )  # fmt: skip
    found = doubts(rows)
    assert found["unit_name"].tolist() == ["智慧新城"]


def test_every_measure_is_named_and_asks_for_fields_that_the_role_has():
    from riskmap.vocabulary.roles import load_roles

    roles = load_roles()
    for measure in measures():
        for count in filter(None, (measure.of, measure.over)):
            more = {"item": {"state", "listed", "level", "deadline"}, "unit": {"level"}}
            names = more.get(count.role) or {field.name for field in roles[count.role].fields}
            assert set(count.where) | {n for n in (count.sum, count.unique) if n} <= names, (
                measure.code
            )
        assert measure.label.zh
        assert measure.label.msgid


def squares():
    """Two grids of 100 m side by side that overlap by 10 m, in a place of 250 x 100 m."""
    return gpd.GeoDataFrame(
        {"number": ["1", "2", "0"], "name": ["甲格", "乙格", "街道"], "parent": ["0", "0", None],
         "person": ["责任人A", None, None]},
        geometry=[box(0, 0, 110, 100), box(100, 0, 200, 100), box(0, 0, 250, 100)], crs=CRS,
    )  # fmt: skip


def test_gaps_and_overlaps_have_their_exact_areas():
    found = grid_faults(squares(), box(0, 0, 250, 100))
    with language("en"):
        shown = {
            str(fault): area for fault, area in zip(found["fault"], found["area_m2"], strict=True)
        }
    assert shown == {"ground in no grid": 5000.0, "ground in two grids": 1000.0}
    for metres, faults in ((0.009, 0), (0.015, 2)):  # 0.9 m2 are the drawing's, 1.5 are not
        drawn = (
            squares()
            .iloc[:2]
            .set_geometry([box(0, 0, 100 + metres, 100), box(100, 0, 200 - metres, 100)], crs=CRS)
        )
        assert len(grid_faults(drawn, box(0, 0, 200, 100))) == faults


def test_a_village_beyond_every_loudspeaker_is_named_with_its_town():
    """One speaker reaches 75 m: all 40 of its own village, none of the 60 a kilometre away."""
    shapes = [box(0, 0, 100, 100), box(1000, 0, 1100, 100)]
    villages = gpd.GeoDataFrame(
        {"level": "village", "parent_id": None, "finest": True, "population": [40.0, 60.0],
         "name": ["西村", "东村"], "town": ["甲镇", "乙街道"]},
        index=["V1", "V2"], geometry=shapes, crs=CRS,
    )  # fmt: skip
    grid = make_grid(box(0, 0, 1100, 100), crs=CRS, size_m=100)
    speakers = gpd.GeoDataFrame({"radius_m": [75.0]}, geometry=[Point(50, 50)], crs=CRS)
    found = out_of_earshot(speakers, villages, live_in(grid, villages), load_presets())
    assert found.to_numpy().tolist() == [["V2", "乙街道", "东村", 60, 0, 60]]


def test_each_item_has_one_grid_and_one_person():
    at = gpd.GeoSeries(
        [Point(50, 50), Point(105, 50), Point(150, 50), Point(230, 50)], crs=CRS
    ).to_crs(4326)
    items = pd.DataFrame(
        {"lon": at.x.to_numpy(), "lat": at.y.to_numpy(), "name": list("abcd")},
        index=pd.Index(["A", "B", "C", "D"], name="item_id"),
    )
    found = item_faults(squares(), items, crs=CRS).set_index("item_id")
    assert found["grids"].to_dict() == {"B": 2, "C": 1, "D": 0}  # A has one, with a person


def test_a_village_needs_an_a_and_a_b():
    units = gpd.GeoDataFrame(
        {"name": ["东村", "西村", "北村"], "town": ["甲镇"] * 3, "finest": [True] * 3},
        geometry=[box(i, 0, i + 1, 1) for i in range(3)], crs=CRS, index=pd.Index(["1", "2", "3"]),
    )  # fmt: skip
    persons = pd.DataFrame(
        {"role_ab": ["A", "B", "A", "B"], "unit_code": ["1", "1", "2", None],
         "town": [None, None, None, "甲镇"], "village": [None, None, None, "北村"]}
    )  # fmt: skip
    found = villages_without_ab(persons, units).set_index("unit_id")
    assert found[["a", "b"]].to_dict(orient="index") == {
        "2": {"a": 1, "b": 0},
        "3": {"a": 0, "b": 1},
    }


def test_items_not_visited_in_time_by_level():
    items = pd.DataFrame(
        {"name": ["a", "b", "c", "d"], "level": pd.array([4, 1, 4, 4], "Int8")},
        index=pd.Index(["A", "B", "C", "D"], name="item_id"),
    )
    patrols = pd.DataFrame(
        {
            "item": ["A", "B", None],
            "item_name": [None, None, "c"],
            "date": ["2026-04-29", "2026-04-05", "2026-04-30"],
        }
    )
    found = not_patrolled(patrols, items, load_presets(), data_date="2026-05-01").set_index(
        "item_id"
    )
    # level 4 every day: A was two days ago, C yesterday by its name, D never; level 1 every 30 days: B is in time.
    assert found.index.tolist() == ["A", "D"]
    assert found.loc["A", "days"] == 2
    assert pd.isna(found.loc["D", "days"])


def measure(of, over=None, **more):
    from riskmap.i18n import Label
    from riskmap.register.scorecard import Measure

    return Measure(code="m", label=Label("Measure", zh="指标"), of=of, over=over, **more)


def count(role, **where):
    from riskmap.register.scorecard import Count

    return Count(
        role=role, where={name: tuple(values) for name, values in where.items()}, blank="no"
    )


@pytest.mark.parametrize(
    ("field", "wanted", "number"),
    [
        ("hours", ["<=24"], 2), ("hours", ["<24"], 1), ("hours", [">24"], 1), ("hours", [">=24"], 2),
        ("done", ["<=@due"], 2), ("done", [">@due"], 1), ("due", ["<today"], 2), ("due", [">=today-5"], 1),
        ("due", ["this_year"], 1), ("due", ["last_year"], 1), ("year", ["this_year"], 1),
        ("year", ["last_year"], 2), ("name", ["~火灾"], 2), ("name", ["!~火灾"], 2), ("name", ["*"], 4),
        ("name", ["", "森林火灾"], 1),
    ],
)  # fmt: skip
def test_what_a_measure_may_ask(field, wanted, number):
    """Today is 10 May 2026: dates of last year count up to 10 May 2025."""
    rows = layer(
        "accident", name=["森林火灾", "草原火灾", "交通", "其他"], hours=[6, 24, 30, None],
        due=["2026-05-01", "2026-05-20", "2025-04-01", None], year=[2026, 2025, "2025", 2024],
        done=["2026-04-30", "2026-05-20", "2025-05-01", "2026-01-01"],
    )  # fmt: skip
    card = scorecard(
        rows, of=[measure(count("accident", **{field: wanted}))], data_date="2026-05-10"
    )
    assert one(card, "m")["value"] == number


def test_the_offices_accidents_against_the_same_days_of_last_year():
    """19 after 20 and 5 dead after 9: -5 % and -44 %; three later ones of last year do not count."""
    date = ["2025-03-01"] * 20 + ["2025-12-01"] * 3 + ["2026-03-01"] * 19
    deaths = [1] * 9 + [0] * 11 + [5] * 3 + [1] * 5 + [0] * 14
    rows = layer("accident", date=date, deaths=deaths, type=[None] * 42, town=["甲镇"] * 42)
    card = scorecard(rows, data_date="2026-06-30")
    fewer, dead = one(card, "accidents_yoy"), one(card, "deaths_yoy")
    assert (round(fewer["value"]), round(dead["value"])) == (-5, -44)
    assert fewer["met"]
    assert pd.isna(one(scorecard(rows), "accidents_yoy")["value"])  # without a day nothing is known


def test_the_forest_figures_of_the_report():
    """13 fires, 21.56 ha of 656 566 ha: 0.0328 per mille, 1.98 per 100 000 ha, 1.66 ha a fire; 12 out in a day."""
    fires = layer(
        "accident", type=["森林火灾"] * 13, date=["2026-02-01"] * 13, forest_ha=[1.66] * 12 + [1.64],
        duration_h=[5] * 12 + [30],
    )  # fmt: skip
    rows = fires | layer("basic_figure", year=[2026, 2025], forest_ha=[656_566, 1.0])
    card = scorecard(rows, data_date="2026-12-31")
    assert round(one(card, "fire_damage")["value"], 4) == 0.0328
    assert one(card, "fire_damage")["met"]
    assert round(one(card, "fire_rate")["value"], 2) == 1.98
    assert round(one(card, "fire_control")["value"], 2) == 1.66
    assert (one(card, "fires_24h")["numerator"], one(card, "fires_24h")["denominator"]) == (12, 13)
    assert one(card, "accidents")["value"] == 0  # a forest fire is no accident at work


def test_a_rule_for_every_county_is_not_one_for_the_whole():
    listed, district = ["county"] * 230, ["甲县"] * 120 + ["乙县"] * 110
    rows = layer("hidden_danger", listed=[*listed, "none"], district=[*district, "丙县"])
    card = scorecard(rows)
    assert [one(card, "county_listed", name)["met"] for name in ("甲县", "乙县")] == [True, True]
    assert pd.isna(one(card, "county_listed")["met"])
    few = scorecard(layer("hidden_danger", listed=["city"] * 99, district=["甲县"] * 99))
    assert not one(few, "county_listed", "甲县")["met"]


def test_tasks_are_told_apart_by_kind_and_town():
    rows = layer(
        "task", kind=["plan", "plan", "chart", None], done=[True, False, True, True],
        town=["甲镇", "乙街道", "甲镇", "甲镇"],
    )  # fmt: skip
    card = scorecard(rows)
    assert one(card, "tasks_done:plan")["value"] == 50
    assert [one(card, "tasks_done:plan", town)["met"] for town in ("甲镇", "乙街道")] == [
        True,
        False,
    ]
    assert one(card, "tasks_done:chart")["met"]
    with language("zh"):
        assert str(one(card, "tasks_done:plan")["measure"]) == "任务完成率：预案修订"


def test_towns_and_register_items_are_counted_where_they_are_given():
    units = pd.DataFrame(
        {"level": ["town"] * 4 + ["village"] * 9, "town": list("甲乙丙丁") + ["甲"] * 9}
    )
    items = pd.DataFrame(
        {"state": ["found", "closed", "mending"], "deadline": ["2026-05-01", "2026-04-01", None],
         "listed": [None, "city", "county"], "town": ["甲", "乙", "甲"]}
    )  # fmt: skip
    tasks = layer("task", kind=["office"] * 3, done=[True, True, False], town=["甲", "乙", "丙"])
    card = scorecard(tasks, data_date="2026-05-10", more={"unit": units, "item": items})
    offices = one(card, "offices_standard")
    assert (offices["numerator"], offices["denominator"], offices["met"]) == (2, 4, True)
    assert one(card, "items_open")["value"] == 2
    assert one(card, "items_overdue")["value"] == 1
    assert one(card, "items_closed")["numerator"] == 1
    assert one(card, "items_listed_closed")["value"] == 50


def test_returned_rows_are_not_known_and_leave_a_target_open():
    from types import SimpleNamespace

    table = layer("hidden_danger", status=["closed"] * 3, town=["甲"] * 3)["hidden_danger"].table
    rows = {"hidden_danger": SimpleNamespace(table=table, rows_returned=2)}
    card = scorecard(rows)
    assert (one(card, "dangers_found")["value"], one(card, "dangers_found")["unknown"]) == (3, 2)
    assert pd.isna(one(card, "dangers_open")["met"])
    assert one(card, "dangers_open", "甲")["met"]


@pytest.mark.parametrize(
    ("direction", "target", "met"),
    [("up", 50, True), ("up", 75, True), ("up", 80, False), ("down", 80, True), ("down", 50, False)],
)  # fmt: skip
def test_a_value_beyond_its_target_meets_it(direction, target, met):
    """Three of four are 75 %."""
    rows = layer("accident", name=["甲", "甲", "甲", "乙"])
    of, over = count("accident", name=["甲"]), count("accident")
    one_measure = measure(of, over, target=target, direction=direction, unit="%")
    card = scorecard(rows, of=[one_measure])
    assert one(card, "m")["value"] == 75
    assert bool(one(card, "m")["met"]) is met


def checked(layers, *, day="2026-04-10", control=None, towns=("甲镇", "乙街道"), items=None):
    units = gpd.GeoDataFrame(
        {"level": "town", "name": list(towns), "finest": True, "town": list(towns)},
        geometry=[box(i, 0, i + 1, 1) for i in range(len(towns))], crs=CRS,
    )  # fmt: skip
    nothing = pd.DataFrame(columns=["name", "level", "role", "town", "people"])
    found = Case(
        layers=layers, roles=load_roles(), units=units, items=nothing if items is None else items,
        presets=load_presets(),
        day=day, control=control,
    )  # fmt: skip
    return checks(found)


def test_patrols_reach_grids_in_space_and_in_time():
    """Five items of level 3 (7 days): A visited yesterday, B 20 days ago, C 30 (the window is the
    last 30 days, today among them), D E never."""
    items = pd.DataFrame(
        {"name": list("ABCDE"), "level": [3] * 5, "lon": [117.0005, 117.0015, 117.0025, 117.0005, 117.0025],
         "lat": [36.0] * 5}, index=list("12345"),
    )  # fmt: skip
    grids = gpd.GeoDataFrame(
        {"number": ["G1", "G2", "G0"], "name": ["东", "西", "全"], "parent": ["G0", "G0", None],
         "person": ["甲", None, None]},
        geometry=[box(117, 35.9, 117.002, 36.1), box(117.002, 35.9, 117.003, 36.1),
                  box(117, 35.9, 117.003, 36.1)], crs=4490,
    ).to_crs(CRS)  # fmt: skip
    patrols = layer(
        "patrol", item=["1", "1", None, "3", "9"], item_name=[None, None, "B", None, "无此点"],
        date=["2026-04-09", "2026-04-09", "2026-03-21", "2026-03-11", "2026-04-09"],
    )["patrol"].table  # fmt: skip
    found = patrol_cover(
        patrols, grids, items, load_presets(), data_date="2026-04-10", crs=CRS
    ).set_index("number")
    read = ["items", "visited", "cover_percent", "in_time", "in_time_percent", "patrol_days"]
    assert found.loc["G1", read].tolist() == [3, 2, 66.7, 1, 33.3, 2]
    assert found.loc["G2", read].tolist() == [2, 1, 50.0, 0, 0.0, 0]
    assert found.loc["G0", read].tolist() == [5, 3, 60.0, 1, 20.0, 2]
    assert found["last_visit"].tolist() == ["2026-04-09", "2026-03-11", "2026-04-09"]
    with language("zh"):
        assert [str(one) for one in found["fault"]] == [
            "有风险点未按间隔巡查", "近30天没有巡查", "有风险点未按间隔巡查",
        ]  # fmt: skip


def test_accidents_by_town_stand_beside_the_same_days_of_last_year():
    found = checked(
        layer(
            "accident", town=["甲镇", "甲镇", "乙街道", "甲镇", "甲镇", "甲镇", "外镇"],
            date=["2026-01-05", "2026-04-10", "2026-02-01", "2025-04-10", "2025-04-11", "2026-03-01",
                  "2026-04-11"],
            type=["交通", None, "生产经营性", "交通", "交通", "森林火灾", "交通"],
            deaths=[2, None, 1, 3, 9, 7, 5], stage=["closed", None, "evaluated", None, None, None, None],
        )
    )["accidents"]  # fmt: skip
    read = ["accidents", "accidents_before", "deaths", "deaths_before", "unfinished"]
    assert found[read].astype(float).to_numpy().tolist() == [
        [3, 1, 3, 3, 1], [2, 1, 2, 3, 1], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip
    with language("zh"):
        assert [str(name) for name in found["unit_name"]] == ["合计", "甲镇", "乙街道", "外镇"]
    assert found["accidents_change"].tolist()[:2] == [200.0, 100.0]
    assert found["deaths_change"].tolist()[:2] == [0.0, -33.3]
    assert found["accidents_change"].isna().tolist() == [False, False, True, True]


def test_what_was_used_is_taken_from_the_stock():
    """7 of 10 tents in two events, 3 left; 5 of 4 pumps; 2 of 9 boats; nobody has lamps on a list."""
    found = checked(
        layer("consumption", name=["帐篷", "帐篷", "水泵", "冲锋舟", "灯"], quantity=[4, 3, 5, 2, 1],
              event=["甲", "乙", "甲", "甲", "甲"])
        | layer("stock", name=["帐篷", "水泵", "冲锋舟", "帐篷"], quantity=[6, 4, 9, 4])
    )["stock_after"]  # fmt: skip
    assert found["left"].tolist()[:4] == [3, 3, -1, 7]
    assert pd.isna(found["left"].iloc[4])
    assert found["fault"].isna().tolist() == [False, False, False, True, False]


def test_each_hazard_has_one_department_for_each_part():
    found = checked(
        layer("duty_share", name=["洪水"] * 3 + ["地震"] * 2, unit=["水务局", "应急局", "应急局", "地震局", None],
              part=["prevent", "respond", "respond", "prevent", "respond"])
    )["duty_faults"]  # fmt: skip
    assert found[["hazard", "unit_name"]].to_numpy().tolist() == [["地震", ""]]
    twice = checked(layer("duty_share", name=["洪水"] * 3, unit=["水务局", "应急局", "消防"],
                          part=["prevent", "respond", "respond"]))["duty_faults"]  # fmt: skip
    assert twice["unit_name"].tolist() == ["应急局、消防"]
    assert str(found["fault"].iloc[0]) != str(twice["fault"].iloc[0])


def test_a_town_without_thresholds_that_another_has_is_named():
    """Rain: 甲镇 alone has them; wind: one row for the whole place; 甲镇's of rain lack the red."""
    full = {name: [1.0, 1.0] for name in ("blue", "yellow", "orange")} | {"red": [None, 1.0]}
    found = checked(layer("warning_rule", name=["暴雨", "大风"], town=["甲镇", None], **full))
    rows = found["rules_missing"]
    assert rows[["town", "hazard"]].to_numpy().tolist() == [["乙街道", "暴雨"], ["甲镇", "暴雨"]]
    assert str(rows["fault"].iloc[0]) != str(rows["fault"].iloc[1])


def test_persons_are_counted_by_their_grids():
    """G1 has two persons, one for a building; G2 nobody; G9 is in no ledger."""
    found = checked(
        layer("person", grid=["G1", "G1", "G9"], building=["1号楼", None, None], households=[30, None, 5])
        | layer("grid_duty_area", number=["G1", "G2"], name=["东", "西"])
    )["person_grids"].set_index("number")  # fmt: skip
    read = ["grid", "persons", "households", "buildings"]
    assert found[read].to_numpy().tolist() == [["东", 2, 30, 1], ["西", 0, 0, 0], ["", 1, 5, 0]]
    assert found["fault"].notna().tolist() == [False, True, True]
    assert str(found["fault"].iloc[1]) != str(found["fault"].iloc[2])


def test_a_row_without_a_place_takes_no_other_row_from_its_town():
    ledgers = (
        layer("hazard_source", name=list("甲乙丙"), town=[None, "乙街道", None])
        | layer("accident", date=["2026-01-05"] * 3, town=[None, "乙街道", None], type=["交通"] * 3)
        | layer("census_count", name=["危险源"], town=["甲镇"], count=[1])
    )
    for name in ("hazard_source", "accident"):
        ledgers[name].table.geometry = [Point(0.5, 0.5), None, None]
    found = checked(ledgers)
    rows = found["survey"][["town", "rows"]].to_numpy().tolist()
    assert rows[:2] == [["甲镇", 1], ["乙街道", 1]]  # of the sources
    with language("zh"):
        counted = dict(
            zip(
                found["accidents"]["unit_name"].map(str),
                found["accidents"]["accidents"],
                strict=True,
            )
        )
    assert counted == {"合计": 3, "甲镇": 1, "乙街道": 1}
    assert not len(found["census_doubts"])


def test_unlikely_but_grave_work_is_graded_by_its_outcome():
    found = checked(
        layer(
            "risky_work", number=["1", "2", "3", "4"], name=list("甲乙丙丁"), site=["厂"] * 4,
            type=["plugging", "hot", "tank", None], starts=["2026-04-11", "2026-04-10", "2026-04-01", None],
            ends=["2026-04-12", "2026-04-10", "2026-04-09", None], reported=[True, None, "True", False],
            people_on_site=[3, None, 2, 1],
        )
    )["risky_works"].set_index("name")  # fmt: skip
    assert found.loc[list("甲乙丙丁"), "level"].tolist() == [4, 3, 4, 0]
    assert found["basis"].notna().to_dict() == {"甲": True, "乙": False, "丙": True, "丁": False}
    assert found["fault"].notna().to_dict() == {"甲": False, "乙": True, "丙": False, "丁": True}
    with language("zh"):
        assert {name: str(one) for name, one in found["when"].items()} == {
            "甲": "未开始", "乙": "进行中", "丙": "已结束", "丁": "进行中",
        }  # fmt: skip


def test_dangers_not_mended_stand_with_owner_and_age():
    ledger = layer("hidden_danger", found=["2026-03-31", None])
    control = pd.DataFrame(
        {
            "role": ["hidden_danger", "hidden_danger", "flood_point"], "name": list("甲乙丙"),
            "town": "甲镇", "duty_unit": ["住建局", "消防", "水务"], "person": ["责任人A", None, None],
            "first_on": ["2026-04-01", "2026-04-06", "2026-04-01"],
            "deadline": ["2026-05-01", "2026-04-09", "2026-05-01"], "days_left": [21, -1, 21],
            "overdue": [False, True, False], "status": ["整改中", "待上报", "待上报"],
        },
        index=["hidden_danger-0", "hidden_danger-1", "YL-1"],
    )  # fmt: skip
    found = checked(ledger, control=control)["dangers_open"].set_index("item_id")
    assert found["days"].to_dict() == {"hidden_danger-1": 4, "hidden_danger-0": 10}
    assert found["duty_unit"].tolist() == ["消防", "住建局"]
    with language("zh"):
        assert [one and str(one) for one in found["fault"]] == ["超期；未填责任人", None]


def test_what_is_not_due_yet_is_not_late():
    """Due 12 April and open is neither in time nor late on the 10th; done early counts."""
    calls = layer(
        "call", finished=["2026-04-05", "2026-04-12", None, None, "2026-04-09"],
        due=["2026-04-09", "2026-04-10", "2026-04-08", "2026-04-12", "2026-04-20"],
    )  # fmt: skip
    row = one(scorecard(calls, data_date="2026-04-10"), "calls_in_time")
    assert (row["numerator"], row["denominator"], row["value"]) == (2, 4, 50.0)


def test_the_figure_of_the_whole_place_is_asked_for_places_or_else_the_towns_summed():
    """15 % of 1 000 and of 200 + 300; 100 places now, 160 when the planned ones open in 2027."""
    figures = layer(
        "basic_figure", town=[None, "甲镇", "甲镇", "乙街道"], year=[2026, 2026, 2027, 2027],
        people=[1000, 400, 200, 300],
    )  # fmt: skip
    refuges = layer(
        "refuge", capacity=[100, 60, 40, 30], status=[None, "planned", "retired", "planned"],
        opens=[None, "2027-05-01", None, None],
    )  # fmt: skip
    found = checked({**figures, **refuges})["outlook"]
    assert found.drop(columns="fault").to_numpy().tolist() == [
        [2026, 1000, 150, 100, -50], [2027, 500, 75, 160, 85],
    ]  # fmt: skip
    assert found["fault"].notna().tolist() == [True, False]
    some = layer("basic_figure", town=[None, "甲镇"], year=[2026, 2026], people=[1000, None])
    assert checked({**some, **refuges})["outlook"]["people"].tolist() == [1000]
    unknown = layer("basic_figure", town=[None], year=[2026], people=[None])
    assert "outlook" not in checked({**unknown, **refuges})


def test_calls_go_by_their_number_or_their_row_and_the_second_names_the_first():
    items = pd.DataFrame(
        {"name": ["甲路立交", "乙河堤"], "level": [3, 4], "role": "flood_point", "town": "甲镇",
         "people": [1, 2]}, index=["Y1", "Y2"],
    )  # fmt: skip
    calls = layer(
        "call", number=["101", "102", None, None], name=["积水", "积水", "积水", "积水"],
        address=["甲路立交下", "甲路立交下", "乙河堤", "乙河堤"], due=["2026-04-09"] * 4,
        finished=[None, "2026-04-09", "2026-04-10", None],
    )  # fmt: skip
    found = checked(calls, items=items, day="2026-04-09")["calls"]
    assert found["number"].tolist() == ["101", "102", "call-2", "call-3"]
    assert found["same_as"].tolist() == ["", "101", "", "call-2"]
    assert found["item_id"].tolist() == ["Y1", "Y1", "Y2", "Y2"]
    assert found["fault"].notna().tolist() == [False, False, True, False]


def test_the_gravest_of_a_town_stands_for_a_drill():
    items = pd.DataFrame(
        {"name": ["甲桥", "乙桥", "丙桥"], "level": [4, 4, 3], "role": "flood_point",
         "town": "甲镇", "people": [7, 5, 9]}, index=["Y1", "Y2", "Y3"],
    )  # fmt: skip
    old = checked(layer("drill", date=["2025-04-01"], item=["Y1"]), items=items)["drills_due"]
    assert old.drop(columns=["fault", "level"]).to_numpy().tolist() == [
        ["Y1", "flood_point", "甲桥", "甲镇", 7]
    ]
    drilled = checked(layer("drill", date=["2026-04-01"], item=["Y2"]), items=items)["drills_due"]
    assert not len(drilled)


def test_a_title_runs_out_after_its_last_day():
    every = {"risk_map": [True] * 3, "evacuation_map": [True] * 3, "lists": [True] * 3}
    found = checked(
        layer(
            "community", name=list("甲乙丙"), village=list("甲乙丙"), stage=["named"] * 3,
            named_on=["2026-01-01"] * 3, valid_until=["2026-04-09", "2026-04-10", "2027-01-01"],
            **every,
        )
    )["validity"]  # fmt: skip
    assert len(found) == 1
    with language("zh"):
        assert "已过有效期" in str(found["fault"].iloc[0])
    seen = checked(
        layer(
            "community", name=list("甲乙丙"), village=list("甲乙丙"), stage=["named"] * 3, **every,
            named_on=["2020-01-01", "2020-01-01", "2025-04-10"],
            reviewed=["2025-04-10", "2025-04-09", None],
        )
    )["validity"]  # fmt: skip
    assert seen["name"].tolist() == ["乙"]  # a year ago to the day is still within the year


def test_a_source_is_outside_a_park_or_in_one_that_is_recognised_or_not():
    places = [Point(0.5, 0.5), Point(1.5, 0.5), Point(9, 9)]
    sources = layer("hazard_source", name=list("甲乙丙"), town=["甲镇", "乙街道", "甲镇"])
    parks = layer("park", name=["东园", "西园"], recognised=[True, None])
    sources["hazard_source"].table.geometry = places
    parks["park"].table.geometry = [box(0, 0, 1, 1), box(1.2, 0, 2, 1)]
    found = checked({**sources, **parks})["park_faults"]
    assert found["park"].tolist() == ["东园", "西园", ""]
    assert found["fault"].isna().tolist() == [True, False, False]
    assert str(found["fault"].iloc[1]) != str(found["fault"].iloc[2])


def test_a_village_without_a_team_is_named_with_its_town():
    teams = layer("rescue_team", tier=["town", "village"], town=["甲镇", "乙街道"])
    teams["rescue_team"].table.geometry = [Point(0.5, 0.5), Point(1.5, 0.5)]
    found = checked(teams)["team_cover"]
    assert found[["town", "village"]].to_numpy().tolist() == [
        ["甲镇", "甲镇"],
        ["乙街道", "乙街道"],
    ]
    assert str(found["fault"].iloc[0]) != str(found["fault"].iloc[1])

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.i18n import language
from riskmap.layers.layer import Layer
from riskmap.register.control import CHOICES, build_control, overdue
from riskmap.register.items import counted, list_items
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()
CRS = "EPSG:4548"


def at(n):
    return shapely.points([(500_050 + 100 * i, 4_000_050) for i in range(n)])


def layer(role, table, places):
    frame = gpd.GeoDataFrame(table, geometry=list(places), crs=CRS)
    return Layer(role, frame.set_index("item_id"))


def flood(order=(0, 1, 2, 3)):
    table = pd.DataFrame(
        {
            "item_id": ["YL-1", "YL-2", "YL-3", "YL-4"],
            "name": ["甲路", "乙路", "丙路", "丁路"],
            "depth_m": [0.6, 0.6, 0.2, None],
            "duration_min": [60, None, None, None],
            "duty_unit": ["某局", None, None, None],
            "person": ["责任人A", None, None, None],
            "phone": ["(填)", None, None, None],
            "measure": [None, "本所措施", None, None],
        }
    )
    places = at(2).tolist() + at(1).tolist() + [shapely.Point(600_000, 4_000_050)]
    return layer("flood_point", table.iloc[list(order)], [places[i] for i in order])


def sources():
    table = pd.DataFrame(
        {
            "item_id": ["WX-1", "WX-2", "WX-3"],
            "name": ["甲厂", "乙店", "丙厂"],
            "gb18218_level": ["3", "1", None],
            "has_storage": [True, False, None],
            "people": [40, 10, None],
        }
    )
    return layer("hazard_source", table, at(2).tolist() + at(1).tolist())


@pytest.fixture
def units():
    return gpd.GeoDataFrame(
        {
            "parent_id": ["T", "T", ""],
            "level": ["village", "village", "town"],
            "name": ["东村", "西村", "河镇"],
            "town": ["河镇", "河镇", ""],
            "district": ["某区", "某区", "某区"],
        },
        index=pd.Index(["V1", "V2", "T"], name="unit_id"),
        geometry=[
            shapely.box(500_000, 4_000_000, 500_100, 4_000_100),
            shapely.box(500_100, 4_000_000, 500_200, 4_000_100),
            shapely.box(500_000, 4_000_000, 500_200, 4_000_100),
        ],
        crs=CRS,
    )


@pytest.fixture
def index(units):
    codes = units.index
    return SimpleNamespace(
        meta=pd.DataFrame(
            {
                "name_en": ["Hazard", "Exposure", "Capacity"],
                "name_zh": ["致灾危险性", "暴露度", "减灾能力不足"],
            },
            index=["HAZARD", "EXPOSURE", "CAPACITY"],
        ),
        scores=pd.DataFrame({"RISK": [0.2, 0.8, 0.5]}, index=codes),
        ranks=pd.DataFrame({"RISK": [3.0, 1.0, 2.0]}, index=codes),
        classes=pd.Series([1, 4, 2], index=codes, dtype="Int8"),
        contributions=pd.DataFrame(
            {"HAZARD": [0.1, 0.2, 0.3], "EXPOSURE": [0.1, 0.5, 0.1], "CAPACITY": [0.0, 0.1, 0.1]},
            index=codes,
        ),
    )


def listed(units, index, layers=None, **options):
    layers = layers or {"flood_point": flood(), "hazard_source": sources()}
    return list_items(layers, ROLES, units, index, presets=load_presets(), **options).table


def test_ungraded_first_then_level_then_the_items_own_severity(units, index):
    items = listed(units, index)
    # The ungraded stand first, the one in a unit before the one in none. YL-1 and YL-2 are red at
    # 0.6 m, and YL-1 stays an hour, though YL-2's village is worse; WX-1 orange; YL-3 yellow.
    assert items.index.tolist() == ["WX-3", "YL-4", "YL-1", "YL-2", "WX-1", "YL-3"]
    assert items["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert items["level"].tolist() == [0, 0, 4, 4, 3, 2]
    # 0.6 m: 0.6 + 0.2 x 0.1 / 0.5 = 0.64; 60 min: 0.3 + 0.3 x 30 / 90 = 0.4, weighing 0.3.
    assert items.loc["YL-2", "severity"] == pytest.approx(0.64)
    assert items.loc["YL-1", "severity"] == pytest.approx(1 - 0.36 * (1 - 0.3 * 0.4))
    assert items.loc["YL-2", "score"] == pytest.approx((3 + 0.64) / 4)
    fine = listed(units, index, flood_rows(depth_m=[0.6], duration_min=[45.1234567]))
    assert fine["severity"].item() == 0.677844444  # nine digits of 1 - 0.36 x 0.89487654331


def flood_rows(**columns):
    n = len(next(iter(columns.values())))
    table = pd.DataFrame({"item_id": [f"YL-{i}" for i in range(n)], "name": "路", **columns})
    return {"flood_point": layer("flood_point", table, at(1).tolist() * n)}


def first_of(units, index, layers, **options):
    return listed(units, index, layers, **options).index[0]


def test_of_two_as_severe_the_one_with_more_people_stands_first(units, index):
    """The scale of people ends at 100 here: the ids alone would name the smaller first."""
    area = pd.DataFrame({"item_id": ["WQ-1", "WQ-2"], "name": ["甲", "乙"], "people": [200, 400]})
    layers = {"danger_area": layer("danger_area", area, at(1).tolist() * 2)}
    scale = [[0, 0], *([k, 1] for k in range(100, 107))]
    presets = load_presets({"severity.people": scale})
    items = list_items(layers, ROLES, units, index, presets=presets).table
    assert items["severity"].nunique() == items["unit_score"].nunique() == 1
    assert items.index.tolist() == ["WQ-2", "WQ-1"]


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.5, 4.9), st.floats(0, 4000), st.integers(0, 9000), st.sampled_from("dmp"),
    st.floats(0.01, 0.9),
)  # fmt: skip
def test_more_is_never_ranked_lower(depth, minutes, people, what, more):
    bigger = {
        "d": (depth * (1 + more), minutes, people),
        "m": (depth, minutes * (1 + more) + 1, people),
        "p": (depth, minutes, int(people * (1 + more)) + 1),
    }[what]
    rows = [(depth, minutes, people), bigger]
    names = ["depth_m", "duration_min", "people"]
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    items = list_items(flood_rows(**table), ROLES, None, None, presets=load_presets()).table
    assert items.index[0] == "YL-1"


def test_a_shallow_underpass_stands_behind_deep_water_and_threatened_people(units, index):
    layers = flood_rows(
        depth_m=[0.12, 1.33, 0.85], underpass=[True, False, False], people=[None, None, None]
    )
    area = pd.DataFrame({"item_id": ["WQ-1"], "name": ["山洪沟"], "people": [1457]})
    layers["danger_area"] = layer(
        "danger_area", area, [shapely.box(500_000, 4_000_000, 500_050, 4_000_050)]
    )
    dam = pd.DataFrame(
        {"item_id": ["SK-1"], "name": ["水库"], "safety_class": ["3"], "people": [950]}
    )
    layers["reservoir"] = layer("reservoir", dam, at(1).tolist())
    near = pd.DataFrame({"people_near": [3000.0] * 3}, index=["YL-0", "YL-1", "YL-2"])
    items = listed(units, index, layers, near=near)
    assert items["level"].tolist() == [4] * 5
    order = items.index.tolist()
    assert order[-1] == "YL-0"
    assert order.index("YL-1") < order.index("YL-2")
    said = [str(reason) for reason in items.loc["YL-0", "reason"]]
    assert "积水深度0.12米" in said[1]  # the depth of an underpass too


def test_the_higher_level_counts_and_both_are_kept(units, index):
    layers = flood_rows(depth_m=[0.89, 0.1], risk_level=["2", "3"])
    items = listed(units, index, layers)
    assert items.loc["YL-0", ["level", "level_rule", "level_ledger"]].tolist() == [4, 4, 2]
    assert items.loc["YL-1", ["level", "level_rule", "level_ledger"]].tolist() == [3, 1, 3]
    assert items["conflict"].all()
    assert "台账只定为一般，从高取级" in str(items.loc["YL-0", "reason"][0])


def test_licence_and_online_are_flagged(units, index):
    table = pd.DataFrame(
        {
            "item_id": ["WX-1", "WX-2", "WX-3"],
            "name": list("甲乙丙"),
            "gb18218_level": ["1", "2", "3"],
            "online": [True, False, None],
            "licence_until": pd.to_datetime(["2026-05-31", "2027-01-01", None]),
        }
    )
    layers = {"hazard_source": layer("hazard_source", table, at(2).tolist() + at(1).tolist())}
    items = listed(units, index, layers, data_date="2026-06-01")
    said = {key: "；".join(map(str, items.loc[key, "reason"])) for key in items.index}
    assert "许可证已于2026-05-31到期" in said["WX-1"]
    assert "未接入" not in said["WX-1"]
    assert "未接入在线监测" in said["WX-2"]
    assert "在线" not in said["WX-3"]


def test_one_thing_in_two_ledgers_is_one_item(units, index):
    point = pd.DataFrame({"item_id": ["DZ-1"], "number": ["G7"], "name": ["滑坡"], "people": [125]})
    area = pd.DataFrame(
        {
            "item_id": ["WQ-1", "WQ-2"],
            "number": ["G7", "G8"],
            "name": ["滑坡危险区", "别处"],
            "people": [8, 8],
        }
    )
    box = shapely.box(500_000, 4_000_000, 500_100, 4_000_100)
    layers = {
        "geohazard_point": layer("geohazard_point", point, at(1).tolist()),
        "danger_area": layer("danger_area", area, [box, box]),
    }
    items = listed(units, index, layers)
    assert sorted(items.index) == ["DZ-1", "WQ-2"]
    found = list_items(layers, ROLES, units, index, presets=load_presets())
    assert found.merged == {"WQ-1": "DZ-1"}
    assert "该台账填8人，本台账填125人" in str(items.loc["DZ-1", "reason"][-1])
    area["people"] = [None, 8]  # the other ledger says nothing of people: nothing differs
    layers["danger_area"] = layer("danger_area", area, [box, box])
    assert str(listed(units, index, layers).loc["DZ-1", "reason"][-1]) == "另见“危险区”台账"


def two_ledgers(numbers, names=("北坡", "北坡危险区"), inside=True):
    point = pd.DataFrame(
        {"item_id": ["DZ-1"], "number": [numbers[0]], "name": [names[0]], "people": [8]}
    )
    area = pd.DataFrame(
        {"item_id": ["WQ-1"], "number": [numbers[1]], "name": [names[1]], "people": [125]}
    )
    x = 500_000 if inside else 500_060
    shape = shapely.box(x, 4_000_000, x + 100, 4_000_100)
    return {
        "geohazard_point": layer("geohazard_point", point, at(1).tolist()),
        "danger_area": layer("danger_area", area, [shape]),
    }


@pytest.mark.parametrize("numbers", [("DZ-02", "dz02 "), ("ＤＺ０３", "DZ_03"), (3.0, "3")])
def test_a_number_is_one_however_ledgers_write_it(units, index, numbers):
    assert listed(units, index, two_ledgers(numbers)).index.tolist() == ["WQ-1"]


@pytest.mark.parametrize(
    ("names", "inside", "n"),
    [(("北坡", "液氯站"), False, 2), (("北坡", "北坡片"), False, 1), (("北坡", "液氯站"), True, 1)],
)
def test_the_first_rows_of_two_ledgers_are_not_one_thing(units, index, names, inside, n):
    """Both are number 1 and near each other: one thing by name, or one inside the other."""
    assert len(listed(units, index, two_ledgers(("1", "1"), names, inside))) == n


def test_people_of_an_area_without_a_number_are_those_who_live_in_it(units, index):
    area = pd.DataFrame({"item_id": ["WQ-1"], "name": ["洼地"], "type": ["lowland"]})
    shape = shapely.box(500_050, 4_000_050, 500_060, 4_009_000)  # most of it lies beyond
    layers = {"danger_area": layer("danger_area", area, [shape])}
    near = pd.DataFrame({"people_near": [3000.0], "people_inside": [10.0]}, index=["WQ-1"])
    row = listed(units, index, layers, near=near).loc["WQ-1"]
    assert row["people"] == 10
    assert str(row["people_basis"]) == "区域内常住人口"
    assert row["severity"] == pytest.approx(
        1 - (1 - 0.2) * (1 - 0.1)
    )  # 10 people: 0.2; lowland 0.1
    assert [row["unit_id"], row["village"]] == ["V1", "东村"]
    degrees = units.iloc[:2].to_crs(4490)
    assert listed(degrees, index, layers, near=near).loc["WQ-1", "village"] == "东村"


def test_a_unit_without_a_grade_gives_no_grade_as_reason(units, index):
    index.classes[:] = 0
    said = [str(part) for part in listed(units, index).loc["YL-2", "reason"]]
    assert said[-1] == "所在西村未定级"


def test_works_are_not_due_in_a_week_and_something_holds_until_then(units, index):
    layers = flood_rows(depth_m=[0.6, 0.6], measure=["雨污分流管网改造", "汛前清淤"])
    items = listed(units, index, layers, data_date="2026-03-01", place_code="33")
    assert items.loc["YL-0", "deadline"] == "2027-03-01"
    said = "雨污分流管网改造；完工前（2026-03-08前落实）：强降雨时封闭交通"
    assert said in str(items.loc["YL-0", "measure"])
    undated = listed(units, index, layers)
    assert "完工前：强降雨时封闭交通" in str(undated.loc["YL-0", "measure"])
    assert [str(items.loc[i, "measure_kind"]) for i in ("YL-0", "YL-1")] == ["工程措施", "汛前完成"]


def test_the_town_on_duty_is_named(units, index):
    area = pd.DataFrame({"item_id": ["WQ-1"], "name": ["洼地"], "people": [20]})
    layers = {
        "danger_area": layer(
            "danger_area", area, [shapely.box(500_000, 4_000_000, 500_050, 4_000_050)]
        )
    }
    assert str(listed(units, index, layers).loc["WQ-1", "duty_unit"]) == "河镇"


def test_sources_without_storage_are_counted_but_not_listed(units, index):
    items = listed(units, index)
    assert "WX-2" not in items.index
    assert counted({"hazard_source": sources()}, ROLES) == {"hazard_source": (2, 1)}


def test_every_row_names_place_duty_measure_and_blanks(units, index):
    items = listed(units, index)
    with language("zh"):
        first = items.loc["YL-2"]
        assert [first["village"], first["town"], first["district"]] == ["西村", "河镇", "某区"]
        assert str(first["duty_unit"]) == "城市管理（排水）主管部门"
        assert str(first["measure"]) == "本所措施"
        assert [str(text) for text in first["missing"]] == [
            "积水时长",
            "责任单位",
            "责任人",
            "联系电话",
        ]
        assert [str(text) for text in first["reason"]] == [
            "积水深度0.6米，达到0.5米",
            "所在西村整体也属重大风险（第1位，共2个），主要因暴露度和致灾危险性",
        ]
        assert items.loc["YL-1", "missing"] == []
        assert items.loc["YL-1", "duty_unit"] == "某局"
    assert all(items["duty_unit"].map(str).str.len() > 0)
    assert all(items["measure"].map(str).str.len() > 0)


def test_a_unit_with_one_component_above_zero_still_gets_a_reason(units, index):
    index.contributions.loc["V1"] = [0.2, 0.0, 0.0]
    reasons = listed(units, index).loc["YL-1", "reason"]
    assert str(reasons[-1]) == "所在东村风险低，第2位（共2个），主要是致灾危险性"


@pytest.mark.parametrize(
    ("day", "deadlines"),
    [
        ("2026-03-01", {4: "2026-03-08", 3: "2026-03-16", 2: "2026-03-31", 0: "2026-03-08"}),
        # before the season of Zhejiang on 15 April
        ("2026-04-01", {4: "2026-04-08", 3: "2026-04-14", 2: "2026-04-14", 0: "2026-04-08"}),
        # inside the season only the days count
        ("2026-06-01", {4: "2026-06-08", 3: "2026-06-16", 2: "2026-07-01", 0: "2026-06-08"}),
    ],
)
def test_deadline_by_level_and_never_after_the_season_starts(units, index, day, deadlines):
    items = listed(units, index, data_date=day, place_code="330800")
    assert dict(zip(items["level"], items["deadline"], strict=True)) == deadlines


def test_without_a_date_there_are_days_only(units, index):
    items = listed(units, index)
    assert items["deadline"].isna().all()
    assert items["deadline_days"].tolist() == [7, 7, 7, 7, 15, 30]


def test_people_from_the_ledger_win_over_people_near(units, index):
    near = pd.DataFrame(
        {"people_near": [99.6, 120.0], "refuge_name": ["学校", None], "refuge_m": [340.0, None]},
        index=["YL-1", "WX-1"],
    )
    items = listed(units, index, near=near)
    assert items.loc[["YL-1", "WX-1"], "people"].tolist() == [100, 40]
    assert [str(items.loc[i, "people_basis"]) for i in ("YL-1", "WX-1")] == [
        "周边 500 米内常住人口",
        "台账填报",
    ]
    assert items.loc["YL-1", "refuge_name"] == "学校"
    assert items.loc["WX-1", "refuge_name"] is None
    assert pd.isna(items.loc["YL-3", "people"])


@settings(max_examples=20, deadline=None)
@given(st.permutations([0, 1, 2, 3]))
def test_order_of_rows_changes_nothing(order):
    presets = load_presets()
    plain = list_items({"flood_point": flood()}, ROLES, None, None, presets=presets).table
    mixed = list_items({"flood_point": flood(order)}, ROLES, None, None, presets=presets).table
    pd.testing.assert_frame_equal(plain, mixed)


def test_nothing_to_list():
    items = list_items({}, ROLES, None, None, presets=load_presets()).table
    assert len(items) == 0
    table = build_control(items, {}, ROLES, presets=load_presets(), data_date="2026-06-01")
    assert len(table) == 0
    gone = flood()
    gone = Layer("flood_point", gone.table.assign(status="retired"))
    assert (
        len(list_items({"flood_point": gone}, ROLES, None, None, presets=load_presets()).table) == 0
    )


def test_hidden_dangers_keep_their_own_deadline(units, index):
    table = pd.DataFrame(
        {
            "item_id": ["YH-1", "YH-2", "YH-3"],
            "name": ["缺护栏", "井盖松动", "已改"],
            "danger_level": ["major", "general", "major"],
            "deadline": pd.to_datetime(["2026-05-20", None, "2026-05-01"]),
            "status": ["ongoing", None, "closed"],
            "listed": ["city", None, None],
        }
    )
    layers = {"hidden_danger": layer("hidden_danger", table, at(2).tolist() + at(1).tolist())}
    items = listed(units, index, layers, data_date="2026-06-01", place_code="33")
    assert items["deadline"].to_dict() == {
        "YH-1": "2026-05-20", "YH-2": "2026-07-01", "YH-3": "2026-05-01"
    }  # fmt: skip
    control = build_control(items, layers, ROLES, presets=load_presets(), data_date="2026-06-01")
    assert control["overdue"].to_dict() == {"YH-1": True, "YH-2": False, "YH-3": True}
    states = control["status"].map(str).to_dict()
    assert states == {
        "YH-1": "整改中",
        "YH-2": "待上报",
        "YH-3": "申请复核",
    }  # 已整改 is not 已销号
    assert str(control.loc["YH-1", "listed"]) == "市级"


def test_an_item_dated_as_mended_asks_for_review(units, index):
    table = pd.DataFrame(
        {
            "item_id": ["YH-1", "YH-2"],
            "name": ["缺护栏", "井盖松动"],
            "danger_level": ["major", "major"],
            "status": ["ongoing", "open"],
            "closed": pd.to_datetime(["2026-05-20", None]),
        }
    )
    layers = {"hidden_danger": layer("hidden_danger", table, at(2).tolist())}
    items = listed(units, index, layers, data_date="2026-06-01", place_code="33")
    control = build_control(items, layers, ROLES, presets=load_presets(), data_date="2026-06-01")
    # Signing off needs a reviewer beside the date, and the ledger names none.
    assert control["status"].map(str).to_dict() == {"YH-1": "申请复核", "YH-2": "待上报"}
    assert control["closed_on"].to_dict() == {"YH-1": "2026-05-20", "YH-2": None}


def test_control_has_the_items_of_the_list_in_its_order(units, index):
    layers = {"flood_point": flood(), "hazard_source": sources()}
    items = listed(units, index, layers, data_date="2026-03-01", place_code="33")
    control = build_control(items, layers, ROLES, presets=load_presets(), data_date="2026-03-01")
    assert control.index.tolist() == items.index.tolist()
    assert control.loc["YL-1", "person"] == "责任人A"
    assert control.loc["YL-2", "person"] is None
    assert control["patrol_days"].tolist() == [1, 1, 1, 1, 7, 15]
    assert control["report_hours"].tolist() == [2, 2, 2, 2, 24, 72]
    assert [str(t) for t in control["control_tier"][2:]] == ["县（区）级"] * 3 + ["镇（街）级"]
    assert not control["overdue"].any()
    assert not control["made_public"].any()
    bare = items.assign(level=items["level"].where(items["level"] > 0))  # blank is not graded too
    again = build_control(bare, layers, ROLES, presets=load_presets(), data_date="2026-03-01")
    assert again["control_tier"].tolist() == control["control_tier"].tolist()
    assert set(control["status"].map(str)) == {"待上报"}
    assert set(control["status"]) <= set(CHOICES["status"])
    assert set(control["control_tier"]) <= set(CHOICES["control_tier"])
    assert control["emergency"].map(str).str.len().min() > 0


def test_overdue_is_unknown_without_a_date():
    assert overdue(pd.Series(["2026-01-01"]), pd.Series([None]), data_date="").isna().all()
    late = overdue(
        pd.Series(["2026-05-01", None, "2026-05-01"]),
        pd.Series([None, None, "2026-05-02"]),
        data_date="2026-05-01",
    )
    assert late.tolist() == [False, pd.NA, True]


def test_a_landslide_area_stands_before_low_ground_with_as_many_people():
    """One scale for people; what comes fast stands first, and more people never stand behind."""
    from riskmap.vocabulary.grade import severity
    from riskmap.vocabulary.roles import load_roles

    rows = pd.DataFrame(
        {
            "people": [200, 200, 200, 400, 200],
            "type": ["geohazard", "lowland", None, "lowland", "house"],
        }
    )
    found = severity(load_roles()["danger_area"], rows, load_presets())
    assert found[0] > found[4] > found[1] > found[2]
    assert found[3] > found[1]


def test_a_scenario_grades_flood_points_by_its_water_and_names_what_it_reaches():
    """Water of 0.6 m over the first two points, a danger area over the third, nothing at the last."""
    from riskmap.layers.layer import Raster
    from riskmap.register.items import under_scenarios

    crs = "EPSG:4548"
    at = gpd.GeoSeries(
        [shapely.Point(500_000 + x, 4_000_050) for x in (50, 150, 250, 350, 260)], crs=crs
    )
    degrees = at.to_crs(4326)
    ids = pd.Index(["P1", "P2", "W1", "P3", "W2"], name="item_id")
    roles = ["flood_point", "flood_point", "hazard_source", "flood_point", "hazard_source"]
    items = pd.DataFrame(
        {"role": roles, "name": list("abcde"), "town": "镇",
         "level": pd.array([2, 4, 3, 1, None], "Int8"),
         "lon": degrees.x.to_numpy(), "lat": degrees.y.to_numpy()},
        index=ids,
    )  # fmt: skip
    flood = [0, 1, 3]
    table = gpd.GeoDataFrame(
        {"depth_m": [0.3, 0.9, 0.1]}, geometry=at.iloc[flood].to_numpy(), crs=crs, index=ids[flood]
    )
    layers = {"flood_point": Layer("flood_point", table)}
    water = Raster(
        np.array([[0.6, 0.6, 0, 0]], np.float32), (100, 0, 500_000, 0, -100, 4_000_100), crs
    )
    found = under_scenarios(
        items, layers, ROLES, {"暴雨": ([water], [shapely.box(500_200, 4_000_000, 500_300, 4_000_100)]), "晴": ((), ())},
        crs=crs, presets=load_presets(),
    ).set_index("item_id")  # fmt: skip
    # 0.6 m is deeper than 0.5 m: P1 becomes grave; P2 was deeper already; P3 stays dry.
    assert found["level_scenario"].to_dict() == {"P1": 4, "P2": 4, "W1": 3, "W2": 0}
    assert found["level"].to_dict() == {"P1": 2, "P2": 4, "W1": 3, "W2": 0}
    depths = {"P1": 0.6, "P2": 0.6, "W1": 0.0, "W2": 0.0}
    assert found["depth_here"].round(2).to_dict() == depths
    with language("en"):
        assert [str(f) for f in found.loc[["P1", "P2", "W1"], "fault"]] == [
            "graded higher", "water at its place", "in a danger area",
        ]  # fmt: skip
    assert set(found["scenario"]) == {"暴雨"}

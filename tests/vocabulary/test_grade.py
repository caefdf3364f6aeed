import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.i18n import LANGUAGES, language
from riskmap.vocabulary.grade import gb18218, grade
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

ROLES = load_roles()


def levels_of(role, presets=None, **columns):
    return grade(ROLES[role], pd.DataFrame(columns), presets or load_presets())[0].tolist()


def test_flood_points_at_the_edges_of_the_preset():
    depth = [0.0, 0.149, 0.15, 0.269, 0.27, 0.499, 0.5, 3.0, None]
    assert levels_of("flood_point", depth_m=depth) == [1, 1, 2, 2, 3, 3, 4, 4, 0]


def test_an_underpass_is_red_whatever_its_depth():
    assert levels_of("flood_point", depth_m=[0.05, None, 0.2], underpass=[True, True, False]) == [
        4,
        4,
        2,
    ]


def test_gb18218_levels_and_r_at_its_edges():
    assert levels_of("hazard_source", gb18218_level=["1", "2", "3", "4", "0", None]) == [
        4,
        4,
        3,
        2,
        1,
        0,
    ]
    r = [9.99, 10, 49.99, 50, 99.99, 100]
    assert levels_of("hazard_source", r_value=r) == [2, 3, 3, 4, 4, 4]


def test_level_given_beats_r_of_the_same_source():
    assert levels_of("hazard_source", gb18218_level=["3", None], r_value=[120.0, 120.0]) == [3, 4]


def test_geohazard_takes_the_worse_of_people_and_assets():
    people = [99, 100, 499, 500, 999, 1000, 5, None]
    assets = [0, 0, 0, 0, 0, 0, 10_000, 499]
    assert levels_of("geohazard_point", people=people, assets=assets) == [1, 2, 2, 3, 3, 4, 4, 1]


def test_the_higher_of_ledger_and_rules_counts_and_the_difference_is_told():
    table = pd.DataFrame({"depth_m": [0.6, 0.1, None, 0.6], "risk_level": ["3", "4", "2", "4"]})
    levels, reasons = grade(ROLES["flood_point"], table, load_presets())
    assert levels.tolist() == [4, 4, 2, 4]
    with language("zh"):
        assert str(reasons[0]) == "积水深度0.6米，达到0.5米；台账只定为较大，从高取级"
        assert str(reasons[1]) == "台账定为重大；按规则为低（积水深度0.1米，低于0.15米）"
        assert str(reasons[2]) == "台账定为一般"
        assert str(reasons[3]) == "积水深度0.6米，达到0.5米"
    presets = load_presets({"grading.declared": "ledger"})
    assert grade(ROLES["flood_point"], table, presets)[0].tolist() == [3, 4, 2, 4]


def test_r_by_gb18218_from_substance_quantity_and_people():
    table = pd.DataFrame(
        {
            "substances": ["液氯", "汽油", "氨、氯", "泥土", "氯", None, "氯"],
            "quantity_t": [500, 100, 5, 10, 4, 5, 500],
            "alpha_people": [99, 0, 100, 0, 0, 0, None],
            "gb18218_level": [None] * 6 + ["3"],
        }
    )
    found = gb18218(table, None, load_presets())
    # R = alpha beta q / Q: 1.5 x 4 x 500/5 = 600; 0.5 x 1 x 100/200, below the threshold;
    # the worse of ammonia and chlorine, 2 x 4 x 5/5 = 8; unknown; 4 t of chlorine are below 5 t.
    assert found["r_value"].round(6).tolist()[:3] == [600, 0.25, 8]
    assert found["gb18218_level"].replace(np.nan, None).tolist() == [
        "1",
        "0",
        "4",
        None,
        "0",
        None,
        None,
    ]
    levels, _ = grade(ROLES["hazard_source"], found, load_presets())
    assert levels.tolist() == [4, 1, 2, 0, 1, 0, 0]


def test_thresholds_come_from_the_presets():
    presets = load_presets({"flood.level_depth_m": [1, 2, 3]})
    assert levels_of("flood_point", presets, depth_m=[0.9, 1.0, 3.0]) == [1, 2, 4]
    assert "flood.level_depth_m" in {preset.key for preset in presets.used()}


@pytest.mark.parametrize("stored", [[True, False, None], ["true", "false", None], [1.0, 0.0, None]])
def test_booleans_however_stored(stored):
    assert levels_of("flood_point", underpass=stored) == [4, 0, 0]


@pytest.mark.parametrize("dtype", [object, "boolean", "str"])
def test_sources_without_storage_are_no_sources(dtype):
    table = pd.DataFrame(
        {"has_storage": pd.Series([True, False, None], dtype=object).astype(dtype)}
    )
    assert ROLES["hazard_source"].in_use(table).tolist() == [True, False, True]


@pytest.mark.parametrize("role", [name for name, role in ROLES.items() if role.grade])
def test_empty_and_blank_tables(role):
    names = [field.name for field in ROLES[role].fields]
    empty = pd.DataFrame(columns=names)
    levels, reasons = grade(ROLES[role], empty, load_presets())
    assert len(levels) == len(reasons) == 0
    blank = pd.DataFrame({name: [None, None] for name in names})
    levels, reasons = grade(ROLES[role], blank, load_presets())
    assert levels.tolist() == [0, 0]
    for code in LANGUAGES:
        with language(code):
            assert all(str(reason) for reason in reasons)


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 10)), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_deeper_is_never_milder_and_order_does_not_matter(depths, random):
    table = pd.DataFrame({"depth_m": pd.Series(depths, dtype=float)})
    levels, _ = grade(ROLES["flood_point"], table, load_presets())
    known = table.assign(level=levels).dropna(subset=["depth_m"]).sort_values("depth_m")
    assert known["level"].is_monotonic_increasing
    order = list(table.index)
    random.shuffle(order)
    again, _ = grade(ROLES["flood_point"], table.loc[order], load_presets())
    assert again.loc[table.index].tolist() == levels.tolist()


def test_every_reason_is_translated():
    table = pd.DataFrame({"depth_m": [0.1, 0.6, None], "underpass": [False, False, True]})
    with language("zh"):
        shown = grade(ROLES["flood_point"], table, load_presets())[1].map(str).tolist()
    assert shown == ["积水深度0.1米，低于0.15米", "积水深度0.6米，达到0.5米", "下穿或地下入口：是"]


def test_only_presets_that_decide_something_count_as_used():
    presets = load_presets()
    table = pd.DataFrame({"gb18218_level": ["1"], "r_value": [None]})
    grade(ROLES["hazard_source"], table, presets)
    assert [preset.key for preset in presets.used()] == ["hazard_source.level_by_gb18218"]

import pytest

from riskmap.errors import ProjectError
from riskmap.vocabulary.presets import STATUSES, load_presets

PRESETS = load_presets()


@pytest.mark.parametrize("key", list(PRESETS))
def test_every_preset_says_what_it_is_and_whence(key):
    preset = PRESETS.preset(key)
    assert preset.zh
    assert preset.en
    assert preset.source
    assert preset.status in STATUSES
    assert key == key.lower()
    assert key.count(".") == 1


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [
        ("flood.level_depth_m", (0.15, 0.27, 0.50), "unverified"),
        ("hazard_source.gb18218_r", (10, 50, 100), "sourced"),
        ("hazard_source.alpha", (0.5, 1.0, 1.2, 1.5, 2.0), "sourced"),
        ("geohazard.people", (100, 500, 1000), "sourced"),
        ("station.linzi_135", {"response_s": 60, "arrival_s": 180, "rescue_s": 300}, "sourced"),
        ("refuge.freeboard_m", 0.5, "sourced"),
        ("index.scale_floor", 0.01, "unverified"),
        ("rain.storm_jiangjin", {"A": 1332, "C": 0.880, "b": 9.168, "n": 0.637}, "sourced"),
        (
            "refuge.radius_m",
            {"urgent": 500, "short": 1000, "medium": 1500, "long": 2500},
            "unverified",
        ),
    ],
)
def test_numbers_as_published(key, value, status):
    assert PRESETS[key] == value
    assert PRESETS.preset(key).status == status


def test_zhejiang_tiers():
    tiers = PRESETS["refuge.zhejiang_tiers"]
    assert [tiers[tier]["capacity"] for tier in ("county", "town", "village")] == [200, 100, 50]


@pytest.mark.parametrize(
    ("depth", "speed"), [(0, 86.94), (100, 40.65), (150, 24.26), (200, 12.36), (300, 2.07)]
)
def test_speed_under_water_as_computed_in_the_paper(depth, speed):
    p = load_presets()["flood.pregnolato"]
    assert p["a"] * depth**2 + p["b"] * depth + p["c"] == pytest.approx(speed, abs=0.01)


@pytest.mark.parametrize(
    ("years", "minutes", "mm"),
    [(2, 60, 40.82), (5, 60, 52.12), (50, 60, 80.51), (100, 60, 89.06), (50, 120, 108.17)],
)
def test_storm_of_jiangjin(years, minutes, mm):
    from math import log10

    s = load_presets()["rain.storm_jiangjin"]
    q = s["A"] * (1 + s["C"] * log10(years)) / (minutes + s["b"]) ** s["n"]
    assert q * minutes * 60 / 1e4 == pytest.approx(mm, abs=0.02)


def test_thresholds_rise():
    for key in PRESETS:
        value = PRESETS.preset(key).value
        if key in ("grading.ahp_ri", "city.ahp_classes"):
            continue
        if isinstance(value, tuple) and not isinstance(value[0], str):
            assert list(value) == sorted(value), key


def test_used_presets_are_remembered_once_and_sorted():
    presets = load_presets()
    assert presets.used() == ()
    for key in ("station.response_s", "flood.level_depth_m", "station.response_s"):
        presets[key]
    assert [preset.key for preset in presets.used()] == [
        "flood.level_depth_m",
        "station.response_s",
    ]
    assert load_presets().used() == ()


def test_overrides_replace_and_are_marked():
    presets = load_presets(
        {"flood.level_depth_m": [0.1, 0.2, 0.3], "control.deadline_days": {"4": 3}}
    )
    assert presets["flood.level_depth_m"] == (0.1, 0.2, 0.3)
    assert presets["control.deadline_days"] == {"4": 3, "3": 15, "2": 30, "1": 60}
    assert "project file" in presets.preset("flood.level_depth_m").source
    assert presets.preset("flood.level_depth_m").status != "sourced"


def test_numeric_keys_of_a_table_may_be_written_as_numbers():
    assert load_presets({"control.deadline_days": {4: 3}})["control.deadline_days"]["4"] == 3


def test_all_wrong_overrides_are_told_at_once():
    with pytest.raises(ProjectError) as caught:
        load_presets(
            {
                "flood.level_dept_m": 1,
                "refuge.freeboard_m": "high",
                "xyz": 2,
                "station.response_s": True,
                "control.deadline_days": 3,
                "flood.level_depth_m": [0.1, "b", 0.3],
            }
        )
    told = str(caught.value)
    assert "flood.level_depth_m" in told
    assert len(caught.value.problems) == 6


def test_steps_must_keep_their_number_and_rise():
    with pytest.raises(ProjectError):
        load_presets({"flood.level_depth_m": [0.1, 0.2]})
    with pytest.raises(ProjectError):
        load_presets({"flood.level_depth_m": [0.5, 0.2, 0.3]})
    with pytest.raises(ProjectError):
        load_presets({"control.deadline_days": {"4": "soon"}})


def test_unknown_key_asks_back():
    with pytest.raises(ProjectError, match=r"flood\.level_depth_m"):
        load_presets()["flood.level_depth"]


def test_values_cannot_be_changed_by_a_stage():
    presets = load_presets()
    presets["control.deadline_days"]["4"] = 0
    assert presets["control.deadline_days"]["4"] == 7


def test_a_preset_that_nothing_reads_is_refused_by_name():
    from riskmap.vocabulary.presets import unread

    key = min(unread())
    with pytest.raises(ProjectError) as said:
        load_presets({key: load_presets().preset(key).value})
    assert [p.rule for p in said.value.problems] == ["unread_preset"]
    assert key in str(said.value.problems[0].message)


def test_the_list_of_unread_presets_is_what_the_code_says():
    import re
    from pathlib import Path

    import riskmap
    from riskmap.vocabulary.presets import unread

    room = Path(riskmap.__file__).parent
    files = [*room.rglob("*.py"), *room.glob("vocabulary/roles/*.yaml"), *room.rglob("*.csv"),
             *room.glob("index/recipes/*.yaml")]  # fmt: skip
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    begun = set(re.findall(r'f"([a-z_0-9]+\.[a-z_0-9]*)\{', source))
    read = {k for k in load_presets() if k in source or any(k.startswith(b) for b in begun)}
    assert unread() & read == set()  # take what is read off vocabulary/unread.yaml
    assert set(load_presets()) - read <= unread()  # and put what nothing reads there

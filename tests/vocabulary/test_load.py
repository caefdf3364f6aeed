import pytest

from riskmap.errors import LayerError
from riskmap.i18n import both
from riskmap.vocabulary.columns import UNITS, header_key
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import coordinate_fields, load_roles, match_choice, match_header

ROLES = load_roles()
NEEDED = {
    "boundary", "road", "waterway", "population", "dem", "flood_point", "hazard_source", "refuge",
    "rescue_station", "rescue_team", "supply_depot", "stock", "geohazard_point", "danger_area",
    "reservoir", "depth", "closure", "building", "health_care", "sensitive", "warning_station",
    "loudspeaker", "grid_duty_area", "person", "patrol", "hidden_danger", "accident", "project",
    "expert", "drill",
}  # fmt: skip
by_role = pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)


def test_core_roles_are_there():
    assert set(ROLES) >= NEEDED


@by_role
def test_role_is_whole(role):
    assert role.zh
    assert role.en
    assert role.duty_unit_zh
    assert role.duty_unit_en
    assert role.absence is not None
    assert role.name.isidentifier()
    assert both(role.label)["zh"] != both(role.label)["en"]


@by_role
def test_each_header_means_one_field(role):
    claimed = {}
    for field in role.fields + (coordinate_fields() if role.kind == "vector" else ()):
        for word in {header_key(w) for w in (field.name, field.zh, field.en, *field.aliases)}:
            assert claimed.setdefault(word, field.name) == field.name, (word, field.name)


@by_role
def test_serial_numbers_are_never_the_offices_own_number(role):
    for header in ("序号", "No.", "No", "行号"):
        assert match_header(role, header)[0] is None


@by_role
def test_choices_have_two_languages_and_one_meaning(role):
    for field in role.fields:
        assert (field.type == "choice") == bool(field.choices)
        keys = [
            key
            for choice in field.choices
            for key in {
                header_key(w) for w in (choice.value, choice.zh, choice.en, *choice.aliases)
            }
        ]
        assert len(keys) == len(set(keys)), (
            field.name,
            sorted(k for k in keys if keys.count(k) > 1),
        )
        assert all(choice.zh and choice.en for choice in field.choices)


@by_role
def test_units_ranges_and_references_are_known(role):
    names = {field.name for field in role.fields}
    presets = load_presets()
    assert all(field.unit is None or field.unit in UNITS for field in role.fields)
    assert all(
        field.minimum is None or field.maximum is None or field.minimum < field.maximum
        for field in role.fields
    )
    assert set(role.asked) <= names
    assert role.id_field in names or not role.item
    for name, values in (role.active or {}).items():
        field = role.field(name)
        assert field is not None
        known = {"0"} if field.type == "integer" else {choice.value for choice in field.choices}
        assert set(values) <= known | {"true", "false"}
    for rule in (role.grade or {}).get("rules", ()):
        assert rule["field"] in names
        assert rule["preset"] in presets
    if role.item:
        assert role.grade
        assert role.measures
        assert role.emergency
        assert role.id_prefix


def test_id_prefixes_differ():
    prefixes = [role.id_prefix for role in ROLES.values() if role.id_prefix]
    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize(
    ("role", "header", "field", "unit"),
    [
        ("flood_point", "编号", "number", None),
        ("flood_point", "点位编号", "number", None),
        ("geohazard_point", "隐患点编号", "number", None),
        ("flood_point", "最大积水深度（CM）", "depth_m", "cm"),
        ("flood_point", "易涝点名称", "name", None),
        ("flood_point", "东经", "lon", None),
        ("flood_point", "纬度", "lat", None),
        ("flood_point", "lng", "lon", None),
        ("flood_point", "经度(°)", "lon", "deg"),
        ("refuge", "可容纳人数（人）", "capacity", "person"),
        ("refuge", "级别", "tier", None),
        ("hazard_source", "是否带有储存设施", "has_storage", None),
        ("reservoir", "总库容（万m³）", "capacity_10k_m3", "10k m3"),
        ("geohazard_point", "威胁财产(万元)", "assets", "10k CNY"),
        ("stock", "单位", "measure_unit", None),
        ("road", "highway", "class", None),
        ("road", "maxspeed", "speed_kmh", None),
    ],
)
def test_headers_of_real_ledgers(role, header, field, unit):
    found, named = match_header(ROLES[role], header)
    assert found is not None
    assert (found.name, named) == (field, unit)


@pytest.mark.parametrize(
    ("role", "field", "entry", "value"),
    [
        ("flood_point", "class", "区域", "area"),
        ("flood_point", "class", "重点部位", "site"),
        ("flood_point", "class", "积水点", "ponding"),
        ("refuge", "tier", "县级", "county"),
        ("refuge", "tier", "街道", "town"),
        ("refuge", "tier", "社区", "village"),
        ("hazard_source", "gb18218_level", "Ⅰ级", "1"),
        ("hazard_source", "gb18218_level", "四级", "4"),
        ("hazard_source", "gb18218_level", "3", "3"),
        ("flood_point", "risk_level", "红", "4"),
        ("reservoir", "size", "小（1）型", "small1"),
        ("refuge", "tier", "星球级", None),
    ],
)
def test_choices_as_offices_write_them(role, field, entry, value):
    assert match_choice(ROLES[role].field(field), entry) == value


def test_own_role_beside_the_project(tmp_path):
    (tmp_path / "well.yaml").write_text(
        "name: well\nzh: 取水井\nen: Wells\ncommon: [number, name]\n"
        "fields:\n  yield_m3: {zh: 出水量, en: Yield, type: number, unit: m3}\n",
        encoding="utf-8",
    )
    roles = load_roles(tmp_path)
    assert match_header(roles["well"], "出水量(方)")[0].name == "yield_m3"
    assert "well" not in load_roles()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "name: w\nzh: 井\nen: W\nfields:\n  a: {zh: 甲, en: A, aliases: [乙]}\n  b: {zh: 乙, en: B}\n",
            "乙",
        ),
        ("name: w\nzh: 井\nen: W\ngeomtry: point\n", "geomtry"),
        ("name: w\nzh: 井\nen: W\ngeometry: dot\n", "dot"),
        ("name: w\nzh: 井\nen: W\nfields:\n  a: {zh: 甲, en: A, type: float}\n", "float"),
        ("- a list", ""),
        ("a: [", ""),
    ],
)
def test_broken_own_roles_are_named(tmp_path, body, told):
    (tmp_path / "w.yaml").write_text(body, encoding="utf-8")
    (tmp_path / "v.yaml").write_text("name: v\n", encoding="utf-8")
    with pytest.raises(LayerError) as caught:
        load_roles(tmp_path)
    assert [problem.file for problem in caught.value.problems] == ["v.yaml", "w.yaml"]
    assert told in str(caught.value)

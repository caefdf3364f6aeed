import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.vocabulary.columns import UNITS, parse_header, unit_factor, unit_of


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("积水深度(cm)", "积水深度", "cm"),
        ("积水深度（厘米）", "积水深度", "cm"),
        ("积水深度【米】", "积水深度", "m"),
        ("面积（㎡）", "面积", "m2"),
        ("面积/平方米", "面积", "m2"),
        ("水深cm", "水深", "cm"),
        ("水深_mm", "水深", "mm"),
        ("威胁财产(万元)", "威胁财产", "10k CNY"),
        ("人口（单位:万人）", "人口", "10k persons"),
        ("退水时间(小时)(必填)", "退水时间", "h"),
        ("*名称（必填）", "名称", None),
        ("责任人(A岗)", "责任人(A岗)", None),
        ("镇（街道）", "镇(街道)", None),
        ("名称 ", "名称", None),
        ("name", "name", None),
        ("depth_m", "depth", "m"),
        ("form", "form", None),
        ("(m)", "", "m"),
        ("", "", None),
    ],
)
def test_headers_as_offices_write_them(header, name, unit):
    assert parse_header(header) == (name, unit)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("cm", "m", 0.01),
        ("mm", "m", 0.001),
        ("公里", "m", 1000),
        ("公顷", "m2", 10_000),
        ("亩", "m2", 2000 / 3),
        ("万立方米", "10k m3", 1),
        ("亿元", "10k CNY", 10_000),
        ("小时", "min", 60),
        ("万人", "person", 10_000),
        ("m/s", "km/h", 3.6),
        ("‰", "%", 0.1),
        ("吨", "kg", 1000),
        ("m", "s", None),
        ("furlong", "m", None),
    ],
)
def test_unit_factors_by_hand(source, target, factor):
    assert unit_factor(source, target) == (factor if factor is None else pytest.approx(factor))


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_factors_are_inverse(first, second):
    there, back = unit_factor(first, second), unit_factor(second, first)
    assert (there is None) == (back is None)
    assert there is None or there * back == pytest.approx(1)


def test_every_way_to_write_a_unit_means_that_unit():
    for unit, (_, _, names) in UNITS.items():
        assert {unit_of(name) for name in (unit, *names)} == {unit}


@given(st.text())
def test_any_header_is_parsed(header):
    name, unit = parse_header(header)
    assert isinstance(name, str)
    assert unit is None or unit_of(unit) == unit


@given(st.sampled_from(["积水深度", "面积", "人数"]), st.sampled_from(sorted(UNITS)))
def test_a_unit_in_brackets_comes_off(name, unit):
    assert parse_header(f"{name}（{unit}）") == (name, unit)

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from riskmap.i18n import language
from riskmap.layers.layer import UnitSpec
from riskmap.layers.units import read_units


def square(x, y, size=0.1):
    return shapely.box(118 + x * 0.1, 36 + y * 0.1, 118 + x * 0.1 + size, 36 + y * 0.1 + size)


TOWNS = {
    "code": ["370305001000", "370305002000"],
    "name": ["甲街道", "乙镇"],
    "level": ["街道", "镇"],
    "pop": ["1200", "约800人"],
    "geometry": [square(0, 0), square(1, 0)],
}


def save(path, **columns):
    geometry = columns.pop("geometry")
    gpd.GeoDataFrame(columns, geometry=geometry, crs=4326).to_file(path, driver="GeoJSON")
    return path


def read(*specs):
    units, _, problems = read_units(specs)
    for problem in problems:
        with language("en"):
            assert str(problem)
    return units, problems


def spec(path, **words):
    base = {"code": "code", "name": "name", "level": "level", "population": "pop"}
    return UnitSpec(path=Path(path), shown=Path(path).name, **{**base, **words})


@pytest.fixture
def district(tmp_path):
    path = save(
        tmp_path / "区.geojson",
        code=["370305000000"],
        name=["某区"],
        geometry=[shapely.box(118, 36, 118.2, 36.1)],
    )
    return spec(path, level="district", population=None)


def test_levels_parents_and_population(tmp_path, district):
    units, problems = read(spec(save(tmp_path / "镇.geojson", **TOWNS)), district)
    assert units.index.tolist() == ["370305000000", "370305001000", "370305002000"]
    assert units["level"].tolist() == ["district", "town", "town"]
    assert units["parent_id"].tolist()[1:] == ["370305000000"] * 2
    assert np.isnan(units["population"].iloc[0])
    assert units["population"].tolist()[1:] == [1200.0, 800.0]
    assert units.crs == "EPSG:4326"
    assert problems == []


def test_declared_parent_is_kept_and_a_missing_one_found(tmp_path, district):
    towns = {**TOWNS, "up": ["370305000000", "999"]}
    units, problems = read(district, spec(save(tmp_path / "a.geojson", **towns), parent="up"))
    assert units["parent_id"].tolist()[1:] == ["370305000000"] * 2
    assert [p.rule for p in problems] == ["parent_unknown"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"code": ["370305001000", "370305001000"]}, "duplicate_code"),
        ({"code": ["370305001000", "3.70305E+11"]}, "code_float"),
        ({"code": ["370305001000", None], "name": ["甲街道", None]}, "required"),
        ({"level": ["街道", "省"]}, "level"),
        ({"geometry": [square(0, 0), None]}, "no_geometry"),
        ({"geometry": [square(0, 0), shapely.Point(118, 36)]}, "geometry_type"),
    ],
)
def test_bad_units_come_back(tmp_path, change, rule):
    units, problems = read(spec(save(tmp_path / "a.geojson", **{**TOWNS, **change})))
    assert units["name"].tolist() == ["甲街道"]
    assert [(p.rule, p.row) for p in problems if p.severity == "returned"] == [(rule, 2)]
    assert {p.sheet for p in problems if p.severity == "returned"} == set(units["_sheet"])


def test_float_codes_get_their_digits_back(tmp_path):
    path = save(tmp_path / "a.geojson", **{**TOWNS, "code": [370305001000.0, 370305002000.0]})
    units, _ = read(spec(path))
    assert units.index.tolist() == ["370305001000", "370305002000"]


def test_overlap_and_gap_are_measured(tmp_path):
    ring = square(0, 0, 0.3).difference(square(1, 1))
    shapes = [ring, square(2, 0, 0.2)]
    units, problems = read(spec(save(tmp_path / "a.geojson", **{**TOWNS, "geometry": shapes})))
    rules = {p.rule: p for p in problems}
    assert set(rules) == {"overlap", "gap"}
    cell = (
        gpd.GeoSeries([square(2, 0), square(2, 1)], crs=4326).to_crs("EPSG:6933").area.sum() / 1e6
    )
    with language("en"):
        assert f"{cell:.2f} km2" in str(rules["overlap"])
    assert len(units) == 2


def test_self_intersection_is_repaired(tmp_path):
    bow = shapely.Polygon([(118.1, 36.0), (118.2, 36.1), (118.2, 36.0), (118.1, 36.1)])
    units, problems = read(
        spec(save(tmp_path / "a.geojson", **{**TOWNS, "geometry": [square(0, 0), bow]}))
    )
    assert units.geometry.is_valid.all()
    assert "repaired" in [p.rule for p in problems]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"code": "nope"}, "unknown_column"),
        ({"level": "nope"}, "unknown_column"),
        ({"layer": "x"}, "broken_file"),
    ],
)
def test_unusable_units(tmp_path, words, rule):
    units, problems = read(spec(save(tmp_path / "a.geojson", **TOWNS), **words))
    assert units.empty
    assert [p.rule for p in problems if p.severity == "unusable"] == [rule]


def test_missing_file(tmp_path):
    _, problems = read(spec(tmp_path / "no.gpkg"))
    assert [p.rule for p in problems] == ["missing_file"]


def test_municipalities_from_osm():
    path = Path(__file__).parents[2] / "layers" / "liechtenstein" / "liechtenstein-latest.osm.pbf"
    where = "boundary = 'administrative' AND admin_level = '8'"
    units, _ = read(
        spec(path, layer="multipolygons", where=where, level="town", code="osm_id", population=None)
    )
    assert len(units) == 11
    assert "Vaduz" in units["name"].tolist()


def test_fewer_people_than_none_is_an_error_and_unknown(tmp_path):
    path = save(tmp_path / "a.geojson", **(TOWNS | {"pop": ["-5", "800"]}))
    units, problems = read(spec(path, population="pop"))
    assert np.isnan(units["population"].iloc[0])
    assert units["population"].iloc[1] == 800
    (bad,) = [problem for problem in problems if problem.rule == "population_negative"]
    # An error sends the row back, so that `riskmap check` ends with 1; the unit stays on the map.
    assert (bad.severity, bad.row, bad.value) == ("returned", 1, "-5")
    assert "负" in str(bad.message)
    assert len(units) == 2

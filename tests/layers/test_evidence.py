"""By what a datum is told, and what is said of rows that lie elsewhere than they state."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from riskmap.layers.layer import Findings, LayerSpec, UnitSpec
from riskmap.layers.place.datum import gcj02_to_bd09, wgs84_to_gcj02
from riskmap.layers.place.evidence import Hints, judge_by_lines, limits_of, match_units
from riskmap.layers.place.points import note_in_water, settle_datum
from riskmap.layers.read.layer import read_layer
from riskmap.layers.unit_shapes import close_holes, outline_doubts
from riskmap.layers.units import read_units
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

CRS = "EPSG:4548"
EAST, NORTH = 500_000.0, 4_060_000.0


def streets():
    """A grid of streets, 300 to 500 m apart, so that no shift lands on another street."""
    across = np.cumsum([0, 310, 430, 370, 490, 330, 410, 450, 350])
    lines = [[(EAST + x, NORTH), (EAST + x, NORTH + 3140)] for x in across]
    lines += [[(EAST, NORTH + y), (EAST + 3140, NORTH + y)] for y in across]
    return gpd.GeoSeries(shapely.linestrings(lines), crs=CRS)


def beside(n=40, seed=3):
    """Places some metres beside a street, in degrees of WGS-84."""
    chance = np.random.default_rng(seed)
    lines = chance.choice(streets().to_numpy(), n)
    points = shapely.line_interpolate_point(lines, chance.uniform(0, 3000, n))
    x, y = shapely.get_x(points), shapely.get_y(points)
    back = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    return back.transform(x + chance.normal(0, 8, n), y + chance.normal(0, 8, n))


INTO = {
    "wgs84": lambda x, y: (x, y),
    "gcj02": wgs84_to_gcj02,
    "bd09": lambda x, y: gcj02_to_bd09(*wgs84_to_gcj02(x, y)),
}


@pytest.mark.parametrize("datum", INTO)
def test_places_beside_streets_tell_their_datum(datum):
    lon, lat = INTO[datum](*beside())
    near = judge_by_lines(lon, lat, Hints(lines=streets()))
    assert (near.best, near.decided) == (datum, True)
    assert near.median_m[datum] < 12 < min(m for d, m in near.median_m.items() if d != datum)
    findings = Findings("refuge", "a.csv", "", np.arange(len(lon)))
    found = settle_datum(lon, lat, Hints(lines=streets()), findings, loose=True)
    assert found == {"wgs84": "auto"}.get(datum, datum)
    assert [p.rule for p in findings.problems] == ([] if datum == "wgs84" else ["datum_judged"])


def test_a_declared_datum_stays_and_the_doubt_is_told():
    lon, lat = INTO["gcj02"](*beside())
    findings = Findings("refuge", "a.csv", "", np.arange(len(lon)))
    hints = Hints(lines=streets())
    assert settle_datum(lon, lat, hints, findings, loose=False, declared="wgs84") == "wgs84"
    assert [p.rule for p in findings.problems] == ["datum_doubt"]


def test_places_anywhere_and_few_places_decide_nothing():
    chance = np.random.default_rng(1)
    lon, lat = beside(200)
    anywhere = chance.uniform(lon.min(), lon.max(), 200), chance.uniform(lat.min(), lat.max(), 200)
    for into in INTO.values():
        assert not judge_by_lines(*into(*anywhere), Hints(lines=streets())).decided
    assert judge_by_lines(lon[:11], lat[:11], Hints(lines=streets())) is None
    assert judge_by_lines(lon, lat, Hints()) is None


def test_limits_are_presets():
    strict = limits_of(load_presets({"reading.datum_line_rows": 500}))
    lon, lat = INTO["gcj02"](*beside())
    assert judge_by_lines(lon, lat, Hints(lines=streets(), limits=strict)) is None


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("城关街道办", (0,)),
        ("370102003", (0,)),
        ("370102003000", (0,)),
        ("老城镇", (0,)),
        ("旧城", (0,)),
        ("丰水镇", (1,)),  # typed by its sound
        ("前王村", (2,)),
        ("后王庄村", (3,)),
        ("后汪村", ()),  # sounds like two of them? no: only like none of the whole names
        ("无此村", ()),
    ],
)
def test_names_of_units(name, places):
    known = ["城关镇", "沣水镇", "前王村", "后王庄村"]
    codes = ["370102003000", "370102004000", "370102004201", "370102004202"]
    former = ["老城镇、旧城", None, None, None]
    assert match_units([name], known, codes=codes, former=former) == [places]


def test_two_units_of_one_sound_are_not_guessed():
    assert match_units(["李村"], ["黎村", "里村"]) == [()]


def town(tmp_path, names=("甲村", "乙村", "丙村")):
    shapes = [
        shapely.box(EAST + 1000 * n, NORTH, EAST + 1000 * n + 1000, NORTH + 1000) for n in range(3)
    ]
    frame = gpd.GeoDataFrame(
        {"code": ["1", "2", "3"], "name": names, "曾用名": ["甲家庄", None, None]},
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    frame.to_file(tmp_path / "units.gpkg")
    spec = UnitSpec(
        path=tmp_path / "units.gpkg", shown="units.gpkg", level="village", code="code", name="name"
    )
    units, _, _ = read_units([spec])
    return units.to_crs(CRS).assign(finest=True)


def test_rows_far_from_the_unit_they_state_are_told_with_the_distance(tmp_path):
    units = town(tmp_path)
    x = np.array([500, 1050, 2500, 2500, 4500]) + EAST  # in 甲; 50 m into 乙; in 丙, twice; outside
    back = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lon, lat = back.transform(x, np.full(5, NORTH + 500))
    pd.DataFrame(
        {
            "名称": list("abcde"),
            "所属社区": ["甲家庄", "甲村", "甲村", "戊村", "丙村"],
            "经度": lon,
            "纬度": lat,
        }
    ).to_csv(tmp_path / "r.csv", index=False)
    role = load_roles()["refuge"]
    spec = LayerSpec(path=tmp_path / "r.csv", shown="r.csv")
    layer, problems = read_layer(role, [spec], crs=CRS, place=None, units=units)
    assert layer.rows_used == 5
    told = {p.row: str(p.message) for p in problems if p.rule == "unit_astray"}
    # 2500 is 1500 m east of 甲, which ends at 1000; 4500 is 1500 m east of 丙, which ends at 3000
    assert set(told) == {4, 6}
    assert "1500 米" in told[4]
    assert "丙村" in told[4]
    assert "任何单元之外" in told[6]
    unknown = [str(p.message) for p in problems if p.rule == "unit_unknown"]
    assert len(unknown) == 1
    assert "戊村" in unknown[0]


def test_small_holes_between_outlines_are_closed_and_lakes_stay():
    area = shapely.box(0, 0, 1000, 1000)
    for hole in (shapely.box(10, 10, 12, 40), shapely.box(500, 500, 600, 600)):
        area = area.difference(hole)
    whole, n, closed = close_holes(area, below_m2=400.0)
    assert (n, closed) == (1, 60.0)
    assert whole.area == 1_000_000 - 10_000
    untouched, n, _ = close_holes(area, below_m2=10.0)
    assert n == 0
    assert untouched.equals(area)


@pytest.mark.parametrize("side", ["units", "boundary"])
def test_outlines_of_two_datums_are_told_apart(side):
    box = shapely.box(EAST, NORTH, EAST + 20_000, NORTH + 15_000).segmentize(1000)
    degrees = gpd.GeoSeries([box], crs=CRS).to_crs(4326).iloc[0]
    shifted = shapely.transform(degrees, lambda p: np.column_stack(wgs84_to_gcj02(*p.T)))
    moved = gpd.GeoSeries([shifted], crs=4326).to_crs(CRS).iloc[0]
    frames = {
        name: gpd.GeoDataFrame(
            {"_file": [f"{name}.geojson"]}, geometry=[moved if name == side else box], crs=CRS
        )
        for name in ("units", "boundary")
    }
    (note,) = outline_doubts(frames["units"], frames["boundary"], gain=0.001)
    assert (note.rule, note.file) == ("outline_datum", f"{side}.geojson")
    assert "gcj02" in str(note.message)
    assert outline_doubts(frames["units"], frames["units"], gain=0.001) == []


def test_places_in_water_are_told_by_their_distance_from_the_bank():
    lake = shapely.box(500000, 4000000, 501000, 4001000)
    lines = gpd.GeoSeries([lake, shapely.LineString([(0, 0), (1, 1)])], crs="EPSG:4548")
    places = [(500500, 4000300), (500010, 4000500), (499000, 4000000), (500990, 4000050)]
    points = gpd.GeoSeries([*map(shapely.Point, places), None], crs="EPSG:4548")
    findings = Findings("refuge", "a.csv", "", np.arange(2, 7))
    note_in_water(points, Hints(lines=lines), findings)
    assert [(p.row, p.rule) for p in findings.problems] == [(2, "in_water")]
    assert "300" in str(findings.problems[0].message)

"""Villages that are a point: whose land is whose, clipped by what, and what is said."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from shapely.geometry import Point, box

from riskmap.i18n import language
from riskmap.layers.layer import UnitSpec
from riskmap.layers.units import read_units

METRIC = "EPSG:4548"
EAST, NORTH = 500_000, 4_050_000
HEAD = ["行政区划代码", "*村社区名称", "*所属镇街", "常住人口(人)", "老年人口(人)", "经度", "纬度"]


def at(x, y):
    point = gpd.GeoSeries([Point(EAST + x, NORTH + y)], crs=METRIC).to_crs("EPSG:4326").iloc[0]
    return round(point.x, 9), round(point.y, 9)


def outline(width, height):
    shape = box(EAST, NORTH, EAST + width, NORTH + height)
    return gpd.GeoSeries([shape], crs=METRIC).to_crs("EPSG:4326").iloc[0]


def sheet(folder: Path, rows, *, name="村社区", head=HEAD) -> UnitSpec:
    path = folder / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.title = name
    for row in [head, *rows]:
        book.active.append(list(row))
    book.save(path)
    return UnitSpec(
        path=path, shown="a.xlsx", sheet=name, level="village", code="行政区划代码",
        name="村社区名称", parent="所属镇街", population="常住人口", elderly="老年人口",
    )  # fmt: skip


def areas(units):
    return (units.geometry.to_crs(METRIC).area).round(0)


def test_land_is_the_nearest_villages_and_fills_the_outline(tmp_path):
    # an outline of 4 km x 1 km; villages 500 m, 1500 m and 3500 m from its west edge, so the
    # borders stand at 1000 m and 2500 m: 1.0, 1.5 and 1.5 km2
    rows = [
        ("", "东村", "甲镇", 100, 10, *at(3500, 500)),
        ("", "西村", "甲镇", 200, 20, *at(500, 500)),
        ("", "中村", "乙镇", 300, 30, *at(1500, 500)),
    ]
    units, _, problems = read_units([sheet(tmp_path, rows)], outline=lambda: outline(4000, 1000))
    by_name = units.set_index("name")
    size = areas(by_name)
    assert size["西村"] == pytest.approx(1_000_000, rel=2e-4)
    assert size["中村"] == pytest.approx(1_500_000, rel=2e-4)
    assert size["东村"] == pytest.approx(1_500_000, rel=2e-4)
    assert size["甲镇"] == pytest.approx(2_500_000, rel=2e-4)
    assert size[["西村", "中村", "东村"]].sum() == pytest.approx(4_000_000, rel=2e-4)
    assert units["sketch"].all()
    assert by_name.loc["东村", "parent_id"] == units.index[units["name"] == "甲镇"][0]
    assert by_name.loc[["东村", "西村"], "population"].tolist() == [100, 200]
    assert by_name.loc["东村", "elderly"] == 10
    assert [p.rule for p in problems if p.severity != "note"] == []
    with language("zh"):
        assert "示意" in str(next(p for p in problems if p.rule == "sketch"))


def test_every_place_belongs_to_the_nearest_point(tmp_path):
    rng = np.random.default_rng(5)
    places = rng.uniform(0, 5000, (40, 2))
    rows = [("", f"村{i}", "镇", 1, 0, *at(*place)) for i, place in enumerate(places)]
    units, _, _ = read_units([sheet(tmp_path, rows)])
    villages = units[units["level"] == "village"].to_crs(METRIC)
    names = villages["name"].to_numpy()
    inside = shapely.convex_hull(shapely.multipoints(places))
    for x, y in rng.uniform(0, 5000, (300, 2)):
        if not inside.contains(Point(x, y)):
            continue
        apart = np.hypot(*(places - (x, y)).T)
        if np.diff(np.sort(apart)[:2])[0] < 1.0:
            continue
        point = Point(EAST + x, NORTH + y)
        assert names[villages.geometry.contains(point).to_numpy()].tolist() == [
            f"村{apart.argmin()}"
        ]


def test_two_villages_of_one_name_in_two_towns_are_two(tmp_path):
    rows = [("", "张庄", t, 5, 1, *at(x, 500)) for t, x in (("甲镇", 500), ("乙镇", 2500))]
    units, _, problems = read_units([sheet(tmp_path, rows)])
    assert (units["name"] == "张庄").sum() == 2
    assert not [p for p in problems if p.severity == "returned"]


def test_points_on_one_spot_and_outside_the_outline_are_returned(tmp_path):
    rows = [
        ("", "一", "镇", 1, 0, *at(500, 500)),
        ("", "二", "镇", 1, 0, *at(500, 500)),
        ("", "三", "镇", 1, 0, *at(9500, 500)),
        ("", "四", "镇", 1, 0, "", ""),
    ]
    units, sources, problems = read_units(
        [sheet(tmp_path, rows)], outline=lambda: outline(4000, 1000)
    )
    assert units.index[units["level"] == "village"].tolist() == ["village:镇/一"]
    assert sorted(p.row for p in problems if p.severity == "returned") == [3, 4, 5]
    source = sources[0]
    assert (source.rows_in, source.rows_used, source.rows_returned) == (4, 1, 3)


def test_towns_of_a_sheet_take_the_land_of_their_villages(tmp_path):
    spec = sheet(tmp_path, [("", "一", "甲镇", 10, 0, *at(500, 500))])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    towns = book.create_sheet("镇街")
    for row in (
        ["行政区划代码", "*镇街名称", "常住人口(人)"],
        ["370100001", "甲镇", 99],
        ["370100002", "无村镇", 5],
    ):
        towns.append(row)
    book.save(tmp_path / "a.xlsx")
    named = UnitSpec(
        path=spec.path, shown="a.xlsx", sheet="镇街", level="town", code="行政区划代码",
        name="镇街名称", population="常住人口",
    )  # fmt: skip
    units, _, problems = read_units([spec, named])
    assert units.loc["370100001", "population"] == 99
    assert areas(units)["370100001"] == pytest.approx(np.pi * 1000**2, rel=0.01)  # one village
    assert units.loc["village:甲镇/一", "parent_id"] == "370100001"
    assert [(p.row, p.sheet) for p in problems if p.severity == "returned"] == [(3, "镇街")]


def test_ten_thousands_in_the_heading_count(tmp_path):
    head = [*HEAD[:3], "常住人口（万人）", *HEAD[4:]]
    units, _, _ = read_units([sheet(tmp_path, [("", "一", "镇", 1.2, 0, *at(5, 5))], head=head)])
    assert units["population"].max() == 12_000


def test_a_blank_sheet_gives_no_unit_and_no_fault(tmp_path):
    units, _, problems = read_units([sheet(tmp_path, [])])
    assert units.empty
    assert problems == []


def test_villages_without_outline_and_point_are_refused(tmp_path):
    spec = sheet(tmp_path, [("", "一", "镇", 1, 0)], head=HEAD[:5])
    units, _, problems = read_units([spec])
    assert units.empty
    assert [p.rule for p in problems] == ["no_geometry"]


def test_people_of_other_rows_do_not_change(tmp_path):
    path = tmp_path / "b.csv"
    pd.DataFrame(
        [("1", "x", "POLYGON((117 36,117.1 36,117.1 36.1,117 36))")],
        columns=["code", "name", "wkt"],
    ).to_csv(path, index=False)
    units, _, _ = read_units(
        [UnitSpec(path=path, shown="b.csv", level="village", code="code", name="name")]
    )
    assert not units["sketch"].any()
    assert "elderly" not in units

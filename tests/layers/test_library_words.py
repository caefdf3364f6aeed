"""What GEOS and GDAL say of real faults is said in Chinese."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from riskmap.i18n import language
from riskmap.layers.layer import LayerSpec, UnitSpec, in_words, library_words
from riskmap.layers.read.layer import read_layer
from riskmap.layers.units import read_units
from riskmap.vocabulary.roles import load_roles

BAD = (
    "POLYGON((0 0,2 2,2 0,0 2,0 0))",
    "POLYGON((0 0,4 0,4 4,0 4,0 0),(5 5,6 5,6 6,5 6,5 5))",
    "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1),(2 2,3 2,3 3,2 3,2 2))",
    "MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0)),((1 1,2 1,2 2,1 2,1 1)))",
    "POLYGON((0 0,4 0,4 4,2 0,0 4,0 0))",
)


@pytest.mark.parametrize("wkt", BAD)
def test_every_reason_of_geos_has_chinese(wkt):
    reason = shapely.is_valid_reason(shapely.from_wkt(wkt))
    assert not shapely.is_valid(shapely.from_wkt(wkt))
    with language("zh"):
        said = str(library_words(reason))
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said), reason
    assert not any(word in said for word in ("elf", "ole", "ell"))


def test_texts_come_one_for_each():
    assert len(in_words(["Self-intersection[1 2]", "quite new"])) == 2
    assert in_words(["quite new"])[0] == "quite new"


def test_a_crossed_unit_is_told_in_chinese(tmp_path):
    shape = shapely.transform(shapely.from_wkt(BAD[0]), lambda at: at / 100 + np.array([117, 36]))
    gpd.GeoDataFrame({"code": ["1"], "name": ["甲"]}, geometry=[shape], crs=4326).to_file(
        tmp_path / "u.geojson"
    )
    spec = UnitSpec(path=tmp_path / "u.geojson", shown="u.geojson", code="code", name="name")
    with language("zh"):
        _, _, problems = read_units([spec])
        said = [p.value for p in problems if p.rule == "repaired"]
    assert said
    assert "自相交" in said[0]


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp", "a.kml", "a.xlsx", "a.csv"])
def test_a_broken_file_is_told_in_chinese(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x01broken\xff" * 50)
    spec = LayerSpec(path=tmp_path / name, shown=name)
    with language("zh"):
        _, problems = read_layer(load_roles()["refuge"], [spec], crs="EPSG:4548", place=None)
        told = " ".join(str(p) for p in problems)
    assert [p.severity for p in problems] == ["unusable"]
    assert "not " not in told, told

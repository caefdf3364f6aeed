"""Readers meet anything without a traceback, a hang or a loss."""

import json

import geopandas as gpd
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmap.layers.layer import LayerSpec, UnitSpec
from riskmap.layers.read.encoding import decode
from riskmap.layers.read.layer import read_layer
from riskmap.layers.read.values import parse_dates, parse_numbers
from riskmap.layers.units import read_units
from riskmap.vocabulary.roles import guess_choice, load_roles

ROLES = load_roles()
PLACE = gpd.GeoSeries([shapely.box(118.0, 36.5, 119.0, 37.0)], crs=4326)
CALM = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADS = (
    "名称",
    "经度",
    "纬度",
    "积水深度",
    "坐标系",
    "镇街",
    "风险等级",
    "经纬度",
    "geometry",
    "度",
    "cm",
    "",
)
CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ("118.3012", "36.8123", "118°18′28″", "甲桥", "合计", "注：坐标由高德地图量取", "1", "2024年", "GCJ02",
         "POINT (118.3 36.8)", '{"type":"Point","coordinates":[118.3,36.8]}', "39616693.4", "nan")
    ),
)  # fmt: skip


def meets(path, role="flood_point", **words):
    spec = LayerSpec(path=path, shown=path.name, **words)
    layer, problems = read_layer(ROLES[role], [spec], crs="EPSG:4548", place=PLACE)
    for source in layer.sources:
        assert source.rows_in == source.rows_used + source.rows_returned
    assert "own_fault" not in {problem.rule for problem in problems}, [
        problem.value for problem in problems if problem.rule == "own_fault"
    ]
    for problem in problems:
        assert str(problem)


@CALM
@given(st.lists(st.lists(st.one_of(st.sampled_from(HEADS), CELL), max_size=8), max_size=12))
def test_any_table(tmp_path, rows):
    path = tmp_path / "a.csv"
    quoted = [",".join('"' + str(c).replace('"', '""') + '"' for c in row) for row in rows]
    path.write_text("\n".join(quoted), encoding="utf-8")
    meets(path)


@CALM
@given(st.lists(st.lists(CELL, min_size=4, max_size=4), max_size=8), st.binary(max_size=6),
       st.integers(0, 200), st.sampled_from(("utf-8", "gb18030", "utf-16")))  # fmt: skip
def test_any_damage(tmp_path, rows, noise, at, encoding):
    path = tmp_path / "a.csv"
    body = "\n".join(["名称,经度,纬度,积水深度", *[",".join(row) for row in rows]])
    content = body.encode(encoding, "replace")
    path.write_bytes(content[:at] + noise + content[at:])
    meets(path)


@CALM
@given(st.binary(max_size=400), st.sampled_from(
    (".csv", ".txt", ".xlsx", ".xls", ".shp", ".dbf", ".geojson", ".kml", ".kmz", ".gpkg", ".zip", ".fgb",
     ".parquet", ".gpx", ".dxf", ".osm", ".tif", ".hgt", ".tab")))  # fmt: skip
def test_any_bytes_under_any_name(tmp_path, content, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    meets(path)


NUMBER = st.one_of(st.floats(), st.integers(-(10**9), 10**9), st.none(), st.text(max_size=3))
SHAPE = st.one_of(
    st.none(),
    st.builds(lambda p: {"type": "Point", "coordinates": p}, st.lists(NUMBER, max_size=4)),
    st.builds(
        lambda r: {"type": "Polygon", "coordinates": [r]},
        st.lists(st.lists(NUMBER, min_size=2, max_size=3), max_size=6),
    ),
)
PROPERTY = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=3,
)


@CALM
@given(st.lists(st.tuples(SHAPE, PROPERTY, PROPERTY), max_size=5))
def test_any_geojson(tmp_path, features):
    path = tmp_path / "a.geojson"
    body = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": g, "properties": {"名称": a, "积水深度": b}}
            for g, a, b in features
        ],
    }
    path.write_text(json.dumps(body, ensure_ascii=True), encoding="utf-8")
    meets(path)
    spec = UnitSpec(path=path, shown="a.geojson", name="名称", parent="积水深度")
    _, _, problems = read_units([spec])
    assert "own_fault" not in {problem.rule for problem in problems}


@CALM
@given(st.binary(max_size=300))
def test_any_bytes_have_one_text(content):
    from riskmap.errors import LayerError

    try:
        found = decode(content, None)
    except LayerError:
        return
    assert isinstance(found.body, str)
    try:
        right = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    if any("\u4e00" <= character <= "\u9fa5" for character in right) and "\x00" not in right:
        assert found.bad == 0 or found.encoding != "utf-8"


@CALM
@given(st.lists(st.one_of(CELL, st.floats(), st.none()), max_size=10))
def test_any_cell(entries):
    import pandas as pd

    cells = pd.Series(entries, dtype=object)
    for unit in ("m", "person", "item", None):
        parsed = parse_numbers(cells, unit=unit, header_unit=None, upper=True)
        assert parsed.column[parsed.bad != ""].isna().all()
    parse_dates(cells)
    for entry in entries:
        guess_choice(ROLES["flood_point"].field("risk_level"), entry)

import sqlite3
import struct
import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest

from riskmap.export.geopackage import styles
from riskmap.export.geopackage import write as geopackage
from tests.sample import HOSTILE_NAMES, sample_result


@pytest.fixture(scope="module")
def result():
    return sample_result()


@pytest.fixture(scope="module")
def package(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "riskmap.gpkg"
    geopackage.write_geopackage(result, path)
    return path


def ask(path, sql):
    with sqlite3.connect(path) as base:
        rows = base.execute(sql).fetchall()
    base.close()
    return rows


def test_file_declares_itself_geopackage_1_3(package):
    head = package.read_bytes()[:100]
    assert head[:16] == b"SQLite format 3\x00"
    user_version, application_id = struct.unpack(">I", head[60:64])[0], head[68:72]
    assert (application_id, user_version) == (b"GPKG", 10300)
    assert ask(package, "PRAGMA integrity_check") == [("ok",)]
    assert ask(package, "PRAGMA foreign_key_check") == []


def test_contents_agree_with_the_tables(package):
    tables = {name for (name,) in ask(package, "SELECT name FROM sqlite_master WHERE type='table'")}
    contents = ask(package, "SELECT table_name, data_type, identifier, srs_id FROM gpkg_contents")
    shaped = dict(ask(package, "SELECT table_name, srs_id FROM gpkg_geometry_columns"))
    assert {name for name, *_ in contents} <= tables
    assert {name for name, kind, *_ in contents if kind == "features"} == set(shaped)
    assert len({identifier for *_, identifier, _ in contents}) == len(contents)
    for name, kind, identifier, srs in contents:
        assert name.isascii()
        if kind == "features":
            assert srs == shaped[name] == 4548
            assert any("\u4e00" <= letter <= "\u9fff" for letter in identifier)
            index = f'SELECT (SELECT count(*) FROM "rtree_{name}_geom"), (SELECT count(*) FROM "{name}" WHERE geom IS NOT NULL)'
            ((indexed, rows),) = ask(package, index)
            assert indexed == rows


def test_extent_of_contents_holds_every_geometry(package, result):
    ((west, south, east, north),) = ask(
        package, "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = 'cells'"
    )
    assert (west, south, east, north) == pytest.approx(result.grid.bounds)


def test_crs_is_the_epsg_zone(package):
    ((name, body, code, wkt),) = ask(
        package,
        "SELECT srs_name, organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = 4548",
    )
    assert (body, code) == ("EPSG", 4548)
    assert "CGCS2000" in name
    assert "117" in wkt


def test_hostile_names_stay_what_they_are(package):
    points = pyogrio.read_dataframe(package, layer="flood_point")
    assert points["name"].tolist()[: len(HOSTILE_NAMES)] == list(HOSTILE_NAMES)


def test_counts_equal_the_result(package, result):
    for role, layer in result.layers.items():
        assert pyogrio.read_info(package, layer=role)["features"] == len(layer.table)
    assert pyogrio.read_info(package, layer="units")["features"] == len(result.units)
    assert pyogrio.read_info(package, layer="cells")["features"] == int(result.grid.inside.sum())
    assert pyogrio.read_info(package, layer="items")["features"] == len(result.items)
    assert pyogrio.read_info(package, layer="control")["features"] == len(result.control)


def test_scores_survive_to_the_last_bit(package, result):
    units = pyogrio.read_dataframe(package, layer="units").set_index("unit_id")
    pd.testing.assert_series_equal(
        units["score"], result.index["unit"].scores["RISK"], check_names=False, check_exact=True
    )
    shares = units.filter(like="share_").sum(axis=1)
    np.testing.assert_allclose(shares, units["score"], rtol=1e-12)


def test_cells_are_squares_where_the_grid_says(package, result):
    cells = pyogrio.read_dataframe(package, layer="cells")
    assert cells.geometry.area.to_numpy() == pytest.approx(100.0**2)
    west, _south, _east, north = result.grid.bounds
    # the north-west corner cell is outside the place, so the first written one is its neighbour
    assert cells.geometry.iloc[0].bounds == pytest.approx(
        (west + 100, north - 100, west + 200, north)
    )
    assert cells["population"].sum() == pytest.approx(float(result.population.sum()), rel=1e-6)


def test_items_stand_where_their_layer_has_them(package, result):
    items = pyogrio.read_dataframe(package, layer="items").set_index("item_id")
    points = result.layers["flood_point"].table.geometry
    assert items.geometry.loc[points.index].geom_equals(points).all()


def test_every_spatial_layer_has_a_default_style_that_is_well_formed(package):
    shaped = {name for (name,) in ask(package, "SELECT table_name FROM gpkg_geometry_columns")}
    rows = ask(
        package,
        "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML, f_table_schema FROM layer_styles",
    )
    assert {row[0] for row in rows} == shaped
    for _name, column, default, qml, schema in rows:
        assert (column, default, schema) == ("geom", 1, "")
        root = ET.fromstring(qml[qml.index("<qgis") :])
        renderer = root.find("renderer-v2")
        symbols = {symbol.get("name") for symbol in renderer.find("symbols")}
        used = {e.get("symbol") for e in renderer.iter() if e.get("symbol") is not None}
        assert used <= symbols
    units = next(row[3] for row in rows if row[0] == "units")
    assert units.count("<rule ") == 5 + 2
    assert "163,15,26" in units


def test_style_names_are_escaped():
    qml = styles.by_class("point", "level", ["?", "<a>", '"b"', "&", "重大"])
    root = ET.fromstring(qml[qml.index("<qgis") :])
    labels = [category.get("label") for category in root.iter("category")]
    assert labels == ["重大", "&", '"b"', "<a>", "?", "-"]


def test_mixed_and_awkward_columns_are_kept(result, tmp_path):
    points = result.layers["refuge"].table
    table = points.assign(
        FID=range(4), Geom="x", flag=[True, False, None, True], mixed=[1, "二", None, ("a", 3.5)],
        nul=pd.Series(["a\x00b\ud800"] * 4, index=points.index, dtype=object), day=pd.to_datetime("2026-04-15"),
    )  # fmt: skip
    layer = type(result.layers["refuge"])("refuge", table)
    from dataclasses import replace

    geopackage.write_geopackage(replace(result, layers={"refuge": layer}), tmp_path / "a.gpkg")
    back = pyogrio.read_dataframe(tmp_path / "a.gpkg", layer="refuge")
    assert back["mixed"].fillna("-").tolist() == ["1", "二", "-", '["a", 3.5]']
    assert back["FID_2"].tolist() == [0, 1, 2, 3]
    assert back["nul"].tolist() == ["ab?"] * 4
    assert back["day"].dt.strftime("%Y-%m-%d").tolist() == ["2026-04-15"] * 4


def test_layer_of_several_kinds_of_geometry_is_split_without_loss(result, tmp_path):
    from dataclasses import replace

    points = result.layers["refuge"].table
    shapes = points.geometry.copy()
    shapes.iloc[1] = shapes.iloc[1].buffer(10)
    shapes.iloc[2] = None
    layer = type(result.layers["refuge"])("refuge", points.set_geometry(shapes))
    geopackage.write_geopackage(replace(result, layers={"refuge": layer}), tmp_path / "a.gpkg")
    names = {"refuge_point": 3, "refuge_polygon": 1}
    for name, rows in names.items():
        assert pyogrio.read_info(tmp_path / "a.gpkg", layer=name)["features"] == rows


def test_options_of_gdal_are_put_back(result, tmp_path):
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    geopackage.write_geopackage(result, tmp_path / "a.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == before
    ((changed,),) = ask(tmp_path / "a.gpkg", "SELECT DISTINCT last_change FROM gpkg_contents")
    assert changed == "2026-04-15T00:00:00.000Z"


def test_points_read_back_with_the_right_axis_order(package):
    shops = gpd.read_file(package, layer="refuge").to_crs(4326)
    assert shops.geometry.x.between(116, 118).all()
    assert shops.geometry.y.between(36, 37).all()

"""The QGIS project inside the GeoPackage, by structure; tests/qgis.sh opens it in real QGIS."""

import io
import sqlite3
import xml.etree.ElementTree as ET
import zipfile
from contextlib import closing

import pytest

from riskmap.export.geopackage import styles
from riskmap.export.geopackage.write import write_geopackage
from riskmap.vocabulary.marks import SHAPES, marks
from riskmap.vocabulary.roles import load_roles


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    from tests.sample import sample_result

    path = tmp_path_factory.mktemp("qgis") / "riskmap.gpkg"
    write_geopackage(sample_result(n_side=8, n_points=12), path)
    return path


@pytest.fixture(scope="module")
def project(package):
    with closing(sqlite3.connect(package)) as base:
        (content,) = base.execute("select content from qgis_projects").fetchone()
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(content))) as packed:
        return ET.fromstring(packed.read("riskmap.qgs").partition(b"\n")[2])


def test_the_project_says_that_it_has_a_crs(project):
    assert project.findtext("properties/SpatialRefSys/ProjectionsEnabled") == "1"
    assert project.findtext("projectCrs/spatialrefsys/authid") == "EPSG:4548"


def test_no_two_categories_share_a_symbol_and_each_has_one(project):
    seen = 0
    for renderer in project.iter("renderer-v2"):
        symbols = [one.get("name") for one in renderer.findall("symbols/symbol")]
        assert len(symbols) == len(set(symbols))
        asked = [one.get("symbol") for one in renderer.iter("category")]
        asked += [one.get("symbol") for one in renderer.iter("rule") if one.get("symbol")]
        assert len(asked) == len(set(asked))
        assert set(asked) <= set(symbols)
        seen += len(asked)
        values = [one.get("value") for one in renderer.iter("category")]
        assert len(values) == len(set(values))
    assert seen > 20


def test_levels_from_unknown_to_major_and_what_is_none_of_them_are_categories():
    qml = styles.by_class("point", "level", ["?", "a", "b", "c", "d"])
    root = ET.fromstring(qml.partition("\n")[2])
    assert {one.get("value") for one in root.iter("category")} == {"0", "1", "2", "3", "4", ""}


def test_symbols_are_those_of_the_page():
    used = {role.symbol for role in load_roles().values() if role.geometry == "point"}
    used |= {mark.symbol for mark in marks().values() if mark.symbol}
    used.discard("equilateral_triangle")  # the page's triangle
    assert used - {"area", "line", "raster"} <= set(SHAPES)
    pictures = {styles.picture_of(shape) for shape in used}
    assert len(pictures) == len(used)
    assert styles.picture_of("drop") in styles.single("point", "#1b7f4b", shape="drop")


def test_the_layout_goes_through_the_villages(project, package):
    ids = {one.findtext("id") for one in project.iter("maplayer")}
    layout = project.find("Layouts/Layout")
    atlas = layout.find("Atlas")
    assert atlas.get("enabled") == "1"
    assert atlas.get("coverageLayer") in ids
    with closing(sqlite3.connect(package)) as base:
        (n,) = base.execute(
            f"select count(*) from units where {atlas.get('featureFilter')}"
        ).fetchone()
        (whole,) = base.execute("select count(*) from units where level = 'village'").fetchone()
    assert n == whole > 0
    kinds = {one.get("type") for one in layout.findall("LayoutItem")}
    assert kinds == {"65639", "65640", "65641", "65642", "65646"}  # map, arrow, words, legend, bar
    (held,) = layout.iter("LayerSet")
    assert {one.text for one in held} - {"riskmap_relief"} <= ids
    numbers = [one.get("uuid") for one in layout.iter("LayoutItem")]
    assert len(numbers) == len(set(numbers))


def test_names_stand_beside_what_a_reader_looks_for(project):
    named = {
        one.findtext("id")
        for one in project.iter("maplayer")
        if one.get("labelsEnabled") == "1" and one.find("labeling") is not None
    }
    assert {"riskmap_units", "riskmap_borders", "riskmap_flood_point", "riskmap_refuge"} <= named


def test_every_layer_stands_in_the_tree_once(project):
    ids = [one.findtext("id") for one in project.iter("maplayer")]
    leaves = [one.get("id") for one in project.iter("layer-tree-layer")]
    assert sorted(ids) == sorted(leaves)
    assert len(set(ids)) == len(ids)

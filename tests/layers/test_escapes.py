"""What a file is decides who opens it: nothing is read outside the tree, nothing from the network."""

import json
import os
import socket
import sqlite3
import threading
import time
import zipfile
from contextlib import closing

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from shapely import Point, box

from riskmap import formats
from riskmap.errors import LayerError, ProjectError
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.project.schema import load_project
from riskmap.vocabulary.roles import load_roles
from tests import town

CRS = "EPSG:4548"
VRT = """<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>CSV:{target}</SrcDataSource>
<SrcLayer>passwd</SrcLayer><GeometryType>wkbNone</GeometryType></OGRVRTLayer></OGRVRTDataSource>"""
RASTER_VRT = """<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:4548</SRS>
<GeoTransform>500000,100,0,4000400,0,-100</GeoTransform><VRTRasterBand dataType="Byte" band="1"
subClass="VRTRawRasterBand"><SourceFilename relativeToVRT="0">{target}</SourceFilename>
<ImageOffset>0</ImageOffset><PixelOffset>1</PixelOffset><LineOffset>4</LineOffset>
</VRTRasterBand></VRTDataset>"""
WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{target}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service>
<DataWindow><UpperLeftX>500000</UpperLeftX><UpperLeftY>4000400</UpperLeftY><LowerRightX>500400
</LowerRightX><LowerRightY>4000000</LowerRightY><SizeX>256</SizeX><SizeY>256</SizeY></DataWindow>
<Projection>EPSG:4548</Projection><BandsCount>3</BandsCount></GDAL_WMS>"""


@pytest.fixture
def listener():
    """A local address, and how often somebody came to it."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    one, _ = server.accept()
                except TimeoutError:
                    continue
                came.append(1)
                one.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        stop.set()
        thread.join()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "elsewhere" / "passwd.csv"
    path.parent.mkdir()
    path.write_text("name,lon,lat\nroot-of-all,117.0,36.1\n")
    return path


def read(path, role="flood_point", **more):
    shown = LayerSpec(path=path, shown=path.name, **more)
    return read_layer(load_roles()[role], [shown], crs=CRS, place=None)


def only_unusable(found, *rules):
    layer, problems = found
    assert [p.rule for p in problems if p.severity == "unusable"], problems
    assert {p.rule for p in problems if p.severity == "unusable"} <= set(rules), problems
    assert not layer.sources or layer.rows_in == 0
    assert not layer.rasters


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".xml", ".kml", ".gml", ".osm", ".json"])
@pytest.mark.parametrize("before", ["", "\ufeff\n ", "<kml></kml>", "<!-- x --><osm/>"])
def test_a_vrt_under_another_name_is_not_followed(tmp_path, secret, suffix, before):
    path = tmp_path / f"flood{suffix}"
    path.write_text(before + VRT.format(target=secret), encoding="utf-8")
    only_unusable(read(path), "leads_elsewhere")


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08", b"<osm>", b"no extract"])
def test_an_extract_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "flood.osm.gz"
    path.write_bytes(content)
    only_unusable(read(path), "broken_file")


@pytest.mark.parametrize("suffix", [".vrt", ".ovf", ".pdf", ".sql", ".e00", ".000", ""])
def test_endings_that_are_not_known_are_refused(tmp_path, secret, suffix):
    path = tmp_path / f"flood{suffix}"
    path.write_text(VRT.format(target=secret))
    only_unusable(read(path), "file_kind", "raster")


def test_json_that_is_a_command_line_is_not_run(tmp_path, secret):
    path = tmp_path / "flood.geojson"
    command = f"gdal vector pipeline ! read {secret} ! write x"
    path.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": command}))
    only_unusable(read(path), "leads_elsewhere")


@pytest.mark.parametrize("content", [RASTER_VRT, WMS], ids=["vrt", "wms"])
@pytest.mark.parametrize("suffix", [".tif", ".img", ".asc", ".nc", ".vrt"])
def test_a_raster_that_points_elsewhere_is_not_followed(tmp_path, listener, suffix, content):
    address, came = listener
    path = tmp_path / f"dem{suffix}"
    path.write_text(content.format(target=address if content is WMS else "/etc/passwd"))
    only_unusable(read(path, "dem"), "broken_file", "file_content", "file_kind")
    assert not came


def write_tif(path):
    with rasterio.open(
        path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs=CRS,
        transform=rasterio.Affine(100, 0, 500_000, 0, -100, 4_000_400),
    ) as target:  # fmt: skip
        target.write(np.arange(16, dtype="uint8").reshape(1, 4, 4))


@pytest.mark.parametrize("ending", [".ovr", ".msk"])
def test_overviews_and_masks_are_rasters_themselves(tmp_path, ending):
    path = tmp_path / "dem.tif"
    write_tif(path)
    assert read(path, "dem")[0].rasters
    (tmp_path / f"dem.tif{ending}").write_text(RASTER_VRT.format(target="/etc/passwd"))
    only_unusable(read(path, "dem"), "broken_file")


def test_notes_beside_a_raster_name_no_overview(tmp_path):
    path = tmp_path / "dem.tif"
    write_tif(path)
    (tmp_path / "dem.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/etc/x.vrt</MDI>'
        "</Metadata></PAMDataset>"
    )
    only_unusable(read(path, "dem"), "leads_elsewhere")


def test_a_schema_is_not_fetched(tmp_path, listener):
    address, came = listener
    path = tmp_path / "flood.gml"
    path.write_text(
        f'<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" '
        f'xmlns:gml="http://www.opengis.net/gml" xmlns:a="a" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a '
        f'{address}/wfs?SERVICE=WFS&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=a:b">'
        "<gml:featureMember><a:b><a:g><gml:Point srsName='EPSG:4326'><gml:coordinates>117,36"
        "</gml:coordinates></gml:Point></a:g></a:b></gml:featureMember></wfs:FeatureCollection>"
    )
    read(path)
    assert not came


def test_entities_are_refused(tmp_path):
    path = tmp_path / "flood.kml"
    path.write_text('<!DOCTYPE kml [<!ENTITY a SYSTEM "file:///etc/passwd">]><kml>&a;</kml>')
    only_unusable(read(path), "xml_entities")


def test_a_seamless_table_of_mapinfo_is_refused(tmp_path):
    path = tmp_path / "flood.tab"
    path.write_text('!table\n!version 300\nOpen Table "/etc/x.tab" Hide\ncreate view a as select *')
    only_unusable(read(path), "leads_elsewhere")


def points(path, **more):
    frame = gpd.GeoDataFrame(
        {"name": ["甲", "乙"], "depth_m": [0.3, 0.4]},
        geometry=[Point(500_050, 4_000_050), Point(500_150, 4_000_050)], crs=CRS,
    )  # fmt: skip
    frame.to_file(path, **more)


RECURSIVE = (
    "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
    "SELECT count(*) AS fid FROM c"
)
PRODUCT = "CREATE VIEW v AS SELECT a.rootpage AS fid FROM " + ", ".join(
    f"sqlite_master {letter}" for letter in "abcdefghijklmnop"
)


@pytest.mark.parametrize(
    "sql",
    [
        RECURSIVE,
        "CREATE VIEW v AS SELECT load_extension('x.so') AS fid",
        "CREATE VIEW v AS SELECT hex(randomblob(2000000000)) AS fid",
        PRODUCT,
    ],
    ids=["recursion", "extension", "blob", "product"],
)
def test_views_that_do_not_end_are_not_run(tmp_path, sql, monkeypatch):
    monkeypatch.setattr(formats, "_STEPS", 5_000_000)
    path = tmp_path / "flood.gpkg"
    points(path)
    with closing(sqlite3.connect(path)) as base:
        base.execute(sql)
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) "
            "VALUES ('v', 'attributes', 'v')"
        )
        base.commit()
    started = time.process_time()
    only_unusable(read(path), "database")
    assert time.process_time() - started < 5


def test_honest_views_are_read(tmp_path):
    path = tmp_path / "flood.gpkg"
    points(path, layer="all")
    with closing(sqlite3.connect(path)) as base:
        base.executescript(
            'CREATE VIEW deep AS SELECT fid, geom, name, depth_m FROM "all" WHERE depth_m > 0.35;'
            "INSERT INTO gpkg_contents SELECT 'deep', data_type, 'deep', '', last_change, min_x, "
            "min_y, max_x, max_y, srs_id FROM gpkg_contents;"
            "INSERT INTO gpkg_geometry_columns SELECT 'deep', column_name, geometry_type_name, "
            "srs_id, z, m FROM gpkg_geometry_columns;"
        )
    layer, _ = read(path, layer="deep")
    assert layer.table["name"].tolist() == ["乙"]


def test_virtual_tables_that_lead_elsewhere_are_refused(tmp_path):
    path = tmp_path / "flood.gpkg"
    points(path)
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA writable_schema = 1")
        base.execute(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) VALUES ('table', 'x', "
            "'x', 0, 'CREATE VIRTUAL TABLE x USING VirtualShape(''/etc/x'', ''UTF-8'', 4326)')"
        )
        base.commit()
    only_unusable(read(path), "leads_elsewhere")


@pytest.mark.parametrize(
    "where",
    [
        "1 = (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c)",
        "ogr_geocode(name) IS NOT NULL",
        "gdal_get_pixel_value('/etc/x.tif', 1, 'georef', 0, 0) > 0",
        "name REGEXP '(a+)+$'",
        "name LIKE '" + "%a" * 30 + "'",
        "depth_m > 0; DROP TABLE flood",
        "depth_m > 0 -- and nothing else",
        "name = '" + "a" * 5000 + "'",
    ],
)
def test_conditions_only_compare(tmp_path, where):
    path = tmp_path / "flood.gpkg"
    points(path)
    only_unusable(read(path, where=where), "where")


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("depth_m > 0.35", ["乙"]),
        ("\"name\" IN ('甲') AND NOT (depth_m IS NULL)", ["甲"]),
        ("name LIKE '%乙%' OR upper(name) = 'X'", ["乙"]),
    ],
)
def test_plain_conditions_are_applied(tmp_path, where, names):
    path = tmp_path / "flood.gpkg"
    points(path)
    assert read(path, where=where)[0].table["name"].tolist() == names


@pytest.mark.parametrize("inner", ["x.vrt", "x.shp"])
def test_archives_hold_what_they_say(tmp_path, secret, inner):
    points(tmp_path / "flood.shp", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        for file in tmp_path.glob("flood.*"):
            archive.write(file, file.name)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(inner, VRT.format(target=secret))
    assert read(tmp_path / "good.zip")[0].rows_in == 2
    only_unusable(read(tmp_path / "bad.zip"), "archive", "leads_elsewhere")


def link(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.posix
@pytest.mark.parametrize("side", [".dbf", ".shx", ".prj", ".cpg"])
def test_what_stands_beside_a_shapefile_stays_in_the_tree(tmp_path, side):
    inside, outside = tmp_path / "in", tmp_path / "out"
    outside.mkdir()
    path = town.write(inside, layers={"flood_point": {"path": "flood.shp"}})
    points(inside / "flood.shp", encoding="utf-8")
    load_project(path)
    (inside / f"flood{side}").rename(outside / f"flood{side}")
    link(inside / f"flood{side}", outside / f"flood{side}")
    with pytest.raises(ProjectError, match=r"layers\.flood_point") as error:
        load_project(path)
    assert f"flood{side}" in str(error.value)
    load_project(path, allow_outside=True)


@pytest.mark.parametrize("written", ["/etc/passwd", "../out/x.txt", "../out/x.csv"])
def test_the_indicator_table_stays_in_the_tree(tmp_path, written):
    path = town.write(tmp_path / "in", project={"indicators": written})
    with pytest.raises(ProjectError, match="indicators"):
        load_project(path)


def test_a_table_is_not_looked_for_where_the_command_was_typed(tmp_path, monkeypatch):
    from riskmap.errors import IndicatorError
    from riskmap.pipeline.indices import read_table

    path = town.write(tmp_path / "in", project={"indicators": "mine"})
    (tmp_path / "mine").write_text("code,parent\nsecret,x\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IndicatorError, match="flood_season"):
        read_table(load_project(path))


@pytest.mark.posix
def test_role_files_and_frozen_parameters_stay_in_the_tree(tmp_path):
    outside = tmp_path / "out"
    outside.mkdir()
    (outside / "mine.yaml").write_text("secret: 1")
    (outside / "params.json").write_text("{}")
    path = town.write(tmp_path / "in", project={"roles": "roles"})
    (tmp_path / "in" / "roles").mkdir()
    link(tmp_path / "in" / "roles" / "mine.yaml", outside / "mine.yaml")
    with pytest.raises(ProjectError, match="roles") as error:
        load_project(path)
    assert "secret" not in str(error.value)
    path = town.write(tmp_path / "two", project={"index": {"steps": "steps.yaml"}})
    steps = [{"step": "normalise", "frozen": "../out/params.json"}]
    (tmp_path / "two" / "steps.yaml").write_text(json.dumps(steps))
    with pytest.raises(ProjectError, match=r"index\.steps"):
        load_project(path)
    path = town.write(tmp_path / "three")
    (tmp_path / "three" / ".riskmap").symlink_to(outside)
    with pytest.raises(ProjectError, match="cache"):
        load_project(path)


def test_the_manifest_lists_every_file_read(tmp_path, run_town):
    picture = bytes.fromhex("89504e470d0a1a0a") + os.urandom(20)
    (tmp_path / "pic.png").write_bytes(picture)
    frame = gpd.GeoDataFrame(
        {"name": ["甲"], "depth_m": [0.3], "photo": ["pic.png"]},
        geometry=[Point(500_050, 4_000_050)], crs=CRS,
    )  # fmt: skip
    frame.to_file(tmp_path / "flood.shp", encoding="utf-8")
    role = "name: mine\nzh: 我的\nen: mine\nkind: vector\ngeometry: point\ngroup: base\n"
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "mine.yaml").write_text(role, encoding="utf-8")
    out = run_town(tmp_path, layers={"flood_point": {"path": "flood.shp"}})
    listed = {e["file"] for e in json.loads((out / "manifest.json").read_text())["inputs"]}
    assert {"town.yaml", "units.gpkg", "pic.png"} <= listed
    assert {f"flood{side}" for side in (".shp", ".shx", ".dbf", ".prj", ".cpg")} <= listed


@pytest.mark.parametrize("name", ["flood.geojson", "flood.gpkg", "flood.kml", "flood.fgb"])
def test_honest_files_are_read(tmp_path, name):
    path = tmp_path / name
    frame = gpd.GeoDataFrame(
        {"name": ["甲"], "depth_m": [0.3]}, geometry=[Point(117, 36.1)], crs=4326
    )
    frame.to_file(path, driver={".kml": "LIBKML"}.get(path.suffix))
    assert formats.vector_driver(path)
    assert read(path)[0].rows_in == 1


def test_a_folder_geodatabase_is_one_only_with_tables(tmp_path):
    path = tmp_path / "a.gdb"
    path.mkdir()
    (path / "x.vrt").write_text("")
    with pytest.raises(LayerError):
        formats.vector_driver(path)
    frame = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[box(0, 0, 1, 1)], crs=CRS)
    frame.to_file(tmp_path / "b.gdb", driver="OpenFileGDB")
    assert formats.vector_driver(tmp_path / "b.gdb") == "OpenFileGDB"

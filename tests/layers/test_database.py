"""PostGIS: what a server holds is what is read, what a run found is what the server holds."""

import json

import geopandas as gpd
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely
import yaml

from riskmap.cli import commands
from riskmap.errors import ExportError, LayerError, ProjectError
from riskmap.export.bundle import write_copies, write_database
from riskmap.layers.read.database import fetch_rows, is_local, part_database, shown_database
from riskmap.project.schema import load_project
from tests import town

TOWN = ("units", "flood_point", "refuge", "rescue_station", "road")
EVERYTHING = """
CREATE TABLE places (id int PRIMARY KEY, "名称" text, depth numeric(6,2), people bigint, open bool,
    made date, tags text[], more jsonb, seen timestamptz, photo bytea, geom geometry(PointZ, 4490));
INSERT INTO places VALUES
    (2, '桥下', 0.35, NULL, true, '2024-06-30', '{a,b}', '{"k": 1}', now(), '\\x00',
     ST_SetSRID(ST_MakePoint(117.1, 36.6, 9), 4490)),
    (1, '路口', NULL, 12, false, NULL, NULL, NULL, NULL, NULL,
     ST_SetSRID(ST_MakePoint(117.2, 36.7, 9), 4490)),
    (3, '无位置', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE round (name text, geom geometry);
INSERT INTO round VALUES ('圆', ST_GeomFromText('CURVEPOLYGON(CIRCULARSTRING(0 0, 2 0, 0 0))', 4548));
CREATE TABLE globe (name text, place geography(Point));
INSERT INTO globe VALUES ('b', 'POINT(117 36)'), ('a', 'POINT(118 37)');
CREATE SCHEMA other;
CREATE TABLE other.mixed (geom geometry);
INSERT INTO other.mixed VALUES (ST_SetSRID(ST_MakePoint(1, 2), 4326)),
    (ST_SetSRID(ST_MakePoint(1, 2), 4548));
CREATE TABLE other.plain (name text, lon float8, lat float8);
INSERT INTO other.plain VALUES ('甲', 117, 36);
"""


@pytest.fixture(scope="module")
def city(postgis):
    """A database with tables of every kind, and the town."""
    address = postgis.format("city")
    with psycopg.connect(postgis.format("postgres"), autocommit=True) as server:
        server.execute("CREATE DATABASE city")
    with psycopg.connect(address, autocommit=True) as base:
        base.execute("CREATE EXTENSION postgis; CREATE SCHEMA town")
        base.execute(EVERYTHING)
    yield address
    with psycopg.connect(postgis.format("postgres"), autocommit=True) as server:
        server.execute("DROP DATABASE city WITH (FORCE)")


@pytest.fixture
def fetched(city, tmp_path):
    def read(layer, *, where=None, geometry="any", address=city):
        target = tmp_path / "rows.parquet"
        fetch_rows(address, target, layer=layer, where=where, geometry=geometry)
        try:
            return gpd.read_parquet(target)
        except ValueError:
            return pd.read_parquet(target)

    return read


def test_columns_of_every_type_in_the_order_of_the_key(fetched):
    table = fetched("places")
    assert table["名称"].tolist() == ["路口", "桥下", "无位置"]
    assert table["depth"].tolist()[1:] == [0.35, 1.0]
    assert pd.isna(table["depth"][0])
    assert table["people"].tolist()[0] == 12
    assert str(table["made"][1]) == "2024-06-30"
    assert table["tags"][1] == "{a,b}"
    assert json.loads(table["more"][1]) == {"k": 1}
    assert "photo" not in table
    assert table.crs.to_epsg() == 4490
    assert table.geometry[1].equals(shapely.Point(117.1, 36.6))
    assert not table.geometry[1].has_z
    assert table.geometry[2] is None


def test_arcs_become_straight_and_positions_on_the_globe_are_degrees(fetched):
    disk = fetched("round")
    assert disk.crs.to_epsg() == 4548
    assert disk.geometry[0].area == pytest.approx(3.14159, rel=2e-3)
    globe = fetched("globe")
    assert globe.crs.to_epsg() == 4326
    assert globe["name"].tolist() == ["a", "b"]  # no key: by content, whatever the server's order


def test_table_without_shapes_is_a_table(fetched):
    table = fetched("other.plain")
    assert table.to_dict("records") == [{"name": "甲", "lon": 117.0, "lat": 36.0}]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("depth > 0.3 AND 名称 LIKE '桥%'", ["桥下"]),
        ("people = '12'", ["路口"]),
        ("ifnull(people, 0) = 0", ["桥下"]),  # SQLite's word: the server does not know it
    ],
)  # fmt: skip
def test_conditions(fetched, where, names):
    assert fetched("places", where=where)["名称"].tolist() == names


@pytest.mark.parametrize(
    "where", ["pg_sleep(9) IS NULL", "1=1; DROP TABLE places", "id IN (SELECT 1)", "1 -- x"]
)
def test_more_than_a_condition_is_refused(fetched, where):
    with pytest.raises(LayerError):
        fetched("places", where=where)
    assert len(fetched("places")) == 3


@pytest.mark.parametrize(
    ("layer", "rule", "said"),
    [
        ("nothing", "no_layer", "places"),
        (None, "which_layer", "other.mixed"),
        ("mixed", "mixed_crs", "4326、4548"),
    ],
)
def test_refusals_name_what_there_is(fetched, layer, rule, said):
    with pytest.raises(LayerError) as caught:
        fetched(layer)
    problem = caught.value.problems[0]
    assert problem.rule == rule
    assert said in f"{problem.message}{problem.mend}"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://127.0.0.1:9/city", "无法连接"),
        ("postgresql://tester@/nowhere{socket}", "没有这个名称的数据库"),
        ("postgresql://nobody:geheim@/city{socket}", "拒绝"),
    ],
)
def test_server_that_refuses_is_told_without_the_password(fetched, city, address, said):
    with pytest.raises(LayerError) as caught:
        fetched("places", address=address.replace("{socket}", "?" + city.partition("?")[2]))
    assert said in str(caught.value)
    assert "geheim" not in "".join(map(str, caught.value.problems))


def test_addresses():
    with_table = "postgresql://a:b@10.0.0.5:5433/city?sslmode=require#gis.roads"
    assert part_database(with_table) == (
        "postgresql://a:b@10.0.0.5:5433/city?sslmode=require", "gis.roads",
    )  # fmt: skip
    assert shown_database(with_table) == "postgresql://10.0.0.5:5433/city#gis.roads"
    near = ["postgresql:///x", "postgresql://u@localhost:5/x", "postgresql://[::1]:5432/x",
            "postgresql:///x?host=/run/pg"]  # fmt: skip
    far = ["postgresql://h/x", "postgresql://localhost,h/x", "postgresql:///x?host=h",
           "postgresql:///x?hostaddr=10.0.0.1", "postgresql:///x?service=s"]  # fmt: skip
    assert [is_local(one) for one in near] == [True] * len(near)
    assert [is_local(one) for one in far] == [False] * len(far)


def test_another_machine_only_when_it_is_trusted(tmp_path):
    file = town.write(
        tmp_path, layers={"refuge": {"path": "postgresql://u:geheim@10.0.0.5/c", "layer": "r"}}
    )
    with pytest.raises(ProjectError) as caught:
        load_project(file)
    problem = caught.value.problems[0]
    assert (problem.field, "geheim" in str(problem)) == ("layers.refuge.0.path", False)
    assert load_project(file, allow_outside=True).layer_specs("refuge")[0].database
    file = town.write(tmp_path, project={"outputs": {"database": "postgresql://10.0.0.5/c"}})
    with pytest.raises(ProjectError, match=r"outputs\.database|1"):
        load_project(file)


def test_town_from_a_database_gives_what_its_files_give_and_is_written_back(
    city, tmp_path, run_town
):
    plain = run_town(tmp_path / "files")
    with psycopg.connect(city, autocommit=True) as base:
        for name in TOWN:
            write_frame(base, name, gpd.read_file(tmp_path / "files" / f"{name}.gpkg"))
    source = yaml.safe_load(next((tmp_path / "files").glob("*.yaml")).read_text(encoding="utf-8"))
    source["units"] |= {"path": city, "layer": "town.units"}
    source["layers"] = {role: {"path": f"{city}#town.{role}"} for role in TOWN[1:]}
    source["outputs"] |= {"database": f"{city}#found", "formats": ["geoparquet", "flatgeobuf"]}
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "riskmap.root").touch()
    (folder / "project.yaml").write_text(yaml.safe_dump(source, allow_unicode=True), "utf-8")
    commands.run_project(folder / "project.yaml")
    ours = folder / "out"
    for name in ("units", "cells", "items"):
        one = pyogrio.read_dataframe(plain / "riskmap.gpkg", layer=name)
        two = pyogrio.read_dataframe(ours / "riskmap.gpkg", layer=name)
        told = ["_file", "_sheet"]  # from where a row came
        pd.testing.assert_frame_equal(
            one.drop(columns=told, errors="ignore"), two.drop(columns=told, errors="ignore")
        )
        for copy in (ours / "layers" / f"{name}.fgb", ours / "layers" / f"{name}.parquet"):
            again = gpd.read_parquet(copy) if copy.suffix == ".parquet" else gpd.read_file(copy)
            assert sorted(again.geometry.to_wkb(hex=True)) == sorted(two.geometry.to_wkb(hex=True))
            assert again.crs == two.crs
    manifest = json.loads((ours / "manifest.json").read_text(encoding="utf-8"))
    inputs = {one["file"]: one["rows"] for one in manifest["inputs"]}
    assert inputs["postgresql:///city#town.flood_point"] == 3
    assert "layers/units.fgb" in manifest["outputs"]
    assert commands.verify_folder(ours) == []
    target = tmp_path / "back.parquet"
    fetch_rows(f"{city}#found.units", target, layer=None, where=None, geometry="polygon")
    back = gpd.read_parquet(target).set_index("unit_id")
    units = pyogrio.read_dataframe(ours / "riskmap.gpkg", layer="units").set_index("unit_id")
    assert back.crs.to_epsg() == 4548
    assert back["score"].reindex(units.index).tolist() == units["score"].tolist()
    assert back.geometry.reindex(units.index).geom_equals(units.geometry).all()


def write_frame(base, name, frame):
    """Put a layer into the database, as a GIS would."""
    kinds = {"f": "numeric", "i": "bigint"}
    columns = [one for one in frame.columns if one != "geometry"]
    listed = ", ".join(f'"{one}" {kinds.get(frame[one].dtype.kind, "text")}' for one in columns)
    base.execute(
        f"CREATE TABLE town.{name} (fid serial PRIMARY KEY, {listed}, g geometry(Geometry,4548))"
    )
    marks = ", ".join(["%s"] * len(columns) + ["ST_GeomFromText(%s, 4548)"])
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        cells = [row[one] for one in columns] + [row["geometry"].wkt]
        names = ", ".join(f'"{one}"' for one in columns)
        base.execute(f"INSERT INTO town.{name} ({names}, g) VALUES ({marks})", cells)


@pytest.fixture
def package(tmp_path):
    def make(rows, **more):
        path = tmp_path / f"p{len(list(tmp_path.glob('p*.gpkg')))}.gpkg"
        shapes = [shapely.Point(500_000 + n, 4_000_000) for n in range(rows)]
        frame = gpd.GeoDataFrame(
            {"名称": ["点"] * rows, "n": range(rows), **more}, geometry=shapes, crs=4548
        )
        frame.to_file(path, layer="points")
        return path

    return make


def test_views_of_others_stay_and_follow(city, package):
    address = f"{city}#kept"
    write_database(package(2), address, title="甲")
    with psycopg.connect(city, autocommit=True) as base:
        base.execute("CREATE VIEW seen AS SELECT * FROM kept.points")
        assert write_database(package(5), address, title="乙") == {"points": 5}
        assert base.execute("SELECT count(*), max(ST_SRID(geom)) FROM seen").fetchone() == (5, 4548)
        with pytest.raises(ExportError):  # a view builds on a table that changes its columns
            write_database(package(1, depth=1.5), address, title="丙")
        assert base.execute("SELECT count(*) FROM seen").fetchone() == (5,)
        base.execute("DROP VIEW seen")
        write_database(package(1, depth=1.5), address, title="丙")
        assert base.execute("SELECT n, depth FROM kept.points").fetchall() == [(0, 1.5)]


def test_schema_of_others_is_not_touched(city, package):
    with psycopg.connect(city, autocommit=True) as base:
        base.execute("CREATE SCHEMA town2; CREATE TABLE town2.points (a int)")
    with pytest.raises(ExportError, match="town2"):
        write_database(package(1), f"{city}#town2", title="")
    with psycopg.connect(city) as base:
        assert base.execute("SELECT count(*) FROM town2.points").fetchone() == (0,)


def test_copies_hold_every_row(package, tmp_path):
    write_copies(package(3), tmp_path / "layers", ["geoparquet", "flatgeobuf"])
    one, two = (
        gpd.read_parquet(tmp_path / "layers/points.parquet"),
        gpd.read_file(tmp_path / "layers/points.fgb"),
    )
    assert one["名称"].tolist() == two.sort_values("n")["名称"].tolist() == ["点"] * 3

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pyogrio
import pytest

from riskmap.errors import ExportError
from riskmap.export.geopackage import write as attributes
from riskmap.export.geopackage import write as geopackage
from riskmap.export.geopackage.contents import Sheet

MOMENT = "2026-03-01T00:00:00.000Z"
TABLES = {
    "plain": pd.DataFrame(
        {
            "ok": pd.array([True, None, False], "boolean"),
            "small": pd.array([1, None, -(2**31) + 1], "Int32"),
            "big": pd.array([2**40, None, -(2**40)], "Int64"),
            "share": [0.1, np.nan, np.inf],
            "says": pd.array(["济南", None, 'it\'s "so"; --'], "string"),
        }
    ),
    "empty": pd.DataFrame({"n": pd.array([], "Int32"), "say": pd.array([], "string")}),
    "it's": pd.DataFrame({'a "b"': pd.array([1, 2], "Int64")}),
}


def everything(path):
    with closing(sqlite3.connect(path)) as base:
        made = base.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        names = [name.replace('"', '""') for kind, name, _, _ in made if kind == "table"]
        rows = [base.execute(f'SELECT rowid, * FROM "{name}"').fetchall() for name in names]
    return made, rows


@pytest.fixture
def begun(tmp_path):
    def begin(name):
        path = tmp_path / name
        first = pd.DataFrame({"a": pd.array(["x"], "string")})
        with geopackage._fixed_clock(MOMENT):
            geopackage._write(Sheet("first", first, "first"), path, crs="EPSG:4548")
        return path

    return begin


def test_tables_are_what_gdal_writes(begun):
    ours, gdal = begun("ours.gpkg"), begun("gdal.gpkg")
    rows = [(name, f"{name} 表", "d", frame) for name, frame in TABLES.items()]
    attributes.write_attributes(ours, rows, moment=MOMENT)
    with geopackage._fixed_clock(MOMENT):
        for name, said, description, frame in rows:
            sheet = Sheet(name, frame, said, description)
            geopackage._write(sheet, gdal, crs="EPSG:4548")
    assert everything(ours) == everything(gdal)


def test_gdal_reads_the_tables_and_goes_on_counting(begun):
    path = begun("read.gpkg")
    rows = [(name, name, "", frame) for name, frame in TABLES.items()]
    attributes.write_attributes(path, rows, moment=MOMENT)
    listed = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert {"first", *TABLES} <= listed
    back = pyogrio.read_dataframe(path, layer="plain")
    assert back["says"].tolist()[::2] == ["济南", 'it\'s "so"; --']
    with closing(sqlite3.connect(path)) as base:
        base.execute("INSERT INTO empty (n) VALUES (4)")
        base.execute("DELETE FROM plain WHERE fid = 1")
        count = dict(base.execute("SELECT * FROM gpkg_ogr_contents").fetchall())
    assert (count["empty"], count["plain"]) == (1, 2)


def test_dates_are_left_to_gdal():
    dated = pd.DataFrame({"at": pd.to_datetime(["2026-03-01"])})
    assert not attributes.plain_columns(dated)
    assert all(attributes.plain_columns(frame) for frame in TABLES.values())


def test_a_table_that_is_there_is_named_and_nothing_is_written(begun):
    path = begun("twice.gpkg")
    before = everything(path)
    rows = [(name, name, "", TABLES["plain"]) for name in ("new", "first")]
    with pytest.raises(ExportError, match="first"):
        attributes.write_attributes(path, rows, moment=MOMENT)
    assert everything(path) == before

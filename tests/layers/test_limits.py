"""Files that ask for more memory, depth or time than a table does cost their layer, not the run."""

import zipfile

import numpy as np
import openpyxl
import pytest
import rasterio
import yaml

from riskmap import formats
from riskmap.errors import ProjectError
from riskmap.files import parse_json, parse_yaml
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.layers.read.table import read_csv, read_workbook
from riskmap.project.schema import load_project
from riskmap.vocabulary.roles import load_roles


def read(path, role="flood_point"):
    return read_layer(
        load_roles()[role], [LayerSpec(path=path, shown=path.name)], crs="EPSG:4548", place=None
    )


def rules(problems):
    return [p.rule for p in problems if p.severity == "unusable"]


@pytest.mark.parametrize("cell", ["XFD1048576", "AZ1048576", "XFD2000"])
def test_a_value_far_away_costs_the_layer_only(tmp_path, cell):
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度"])
    book.active[cell] = 1
    path = tmp_path / "a.xlsx"
    book.save(path)
    layer, problems = read(path)
    assert rules(problems) == ["too_many_cells_in_sheet"]
    assert layer.rows_in == 0


def test_a_part_that_unpacks_beyond_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MOST_PART", 1_000_000)
    path = tmp_path / "a.xlsx"
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings2.xml", "x" * 5_000_000)
    assert rules(read(path)[1]) == ["too_large"]


def test_an_old_workbook_is_tried_by_a_child_first(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度"])
    book.save(path)
    monkeypatch.setattr(formats, "MOST_CELLS", 2)
    with pytest.raises(formats.LayerError):
        formats._probe(path)
    monkeypatch.setattr(formats, "_PROBE", "import os; os.abort()")
    with pytest.raises(formats.LayerError):
        formats._probe(path)


def test_honest_workbooks_pass(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in range(300):
        book.active.append([row, "甲", 117.0])
    book.save(path)
    assert len(read_workbook(path)[0].cells) == 300


QUOTED = (
    '编号,名称,说明\n1,甲,一\n2,乙,二\n3,"丙,三\n4,丁,四\n5,"戊,己",五\n6,庚,六\n7,辛,"七\n又七"\n'
)


def test_an_unclosed_quote_swallows_no_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(QUOTED, encoding="utf-8")
    grid = read_csv(path)
    assert [row[0] for row in grid.cells] == ["编号", "1", "2", "3", "4", "5", "6", "7"]
    assert grid.cells[3] == ["3", "丙", "三"]
    assert grid.cells[5] == ["5", "戊,己", "五"]
    assert grid.cells[7] == ["7", "辛", "七\n又七"]
    assert [note.rule for note in grid.notes] == ["unclosed_quote"]


def test_a_half_copied_raster_costs_its_layer_and_is_named(tmp_path):
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=400, height=400, count=1, dtype="float32",
        crs="EPSG:4548", transform=rasterio.Affine(10, 0, 500_000, 0, -10, 4_004_000),
    ) as target:  # fmt: skip
        target.write(np.random.default_rng(1).random((1, 400, 400), dtype="float32"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    layer, problems = read(path, "dem")
    assert rules(problems) == ["broken_raster"]
    assert not layer.rasters
    assert problems[0].file == "dem.tif"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    "content",
    [
        "[" * 5000, "a: " * 50 + "[" * 100 + "]" * 100, BOMB, "a: " + "9" * 5000,
        'a: "\\ud800"', "a: 2026-13-45", "a: &x [*x]", "a: 1e99999999999\nb: [" + "1," * 2_000_000,
    ],
    ids=["deep", "deep_closed", "aliases", "digits", "surrogate", "month", "cycle", "long"],
)  # fmt: skip
def test_yaml_beyond_measure_is_refused(tmp_path, content):
    with pytest.raises(yaml.YAMLError):
        parse_yaml(content)
    path = tmp_path / "p.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ProjectError):
        load_project(path)


@pytest.mark.parametrize(
    "content", ["[" * 5000, '{"a":' * 5000, '{"a": ' + "9" * 5000 + "}", '{"a": "\\ud800"}']
)
def test_json_beyond_measure_is_refused(content):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_json(content)


def test_honest_aliases_are_read():
    assert parse_yaml("a: &a {x: 1}\nb: *a\n") == {"a": {"x": 1}, "b": {"x": 1}}


@pytest.mark.parametrize("content", [b"\x00\xff" * 500, b"\x7fELF" + bytes(900), b"%PDF-1.7\n"])
def test_a_binary_file_as_a_network_is_refused_in_words(tmp_path, content):
    from riskmap.errors import LayerError
    from riskmap.layers.read.osm import read_network

    for name in ("a.gpkg", "a.geojson", "a.osm", "a.bin"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LayerError):
            read_network(tmp_path / name)

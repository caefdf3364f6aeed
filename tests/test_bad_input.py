"""Bad input through the whole main job: said in Chinese, nothing lost, nothing half written."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import xlsxwriter
from shapely.geometry import Polygon, box

from riskmap.cli import app as cli
from tests import town

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LON, LAT = 117.0005, 36.1310
PAPERS = {
    "onemap.html", "riskmap.gpkg", "研判一张单.xlsx", "管控一张表.xlsx", "data_gaps.xlsx",
    "manifest.json", "proof.json", "report.json", "params.json", "救援站点方案.xlsx", "避难方案.xlsx",
}  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "O'Brien \"双引号\" 'x'",
    "泵站🚒",
    "甲\u202e乙",
    "{x}%s\\n${y}",
    "&lt;b&gt;",
    "<!--",
)


@pytest.fixture
def command(capsys):
    """Run the command line in this process: anything but a clean exit fails the test."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        both = said.out + said.err
        assert "Traceback" not in both
        assert "自身出错" not in both
        return SimpleNamespace(code=ended.value.code, out=said.out, err=said.err, said=both)

    return run


def chinese(line):
    return re.search(r"[\u4e00-\u9fff]", line) is not None


def report_of(folder):
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    for rows in report["layers"].values():
        assert rows["rows_in"] == rows["rows_used"] + rows["rows_returned"]
    return report


def cells_of(path):
    book = openpyxl.load_workbook(path)
    sheets = [sheet for sheet in book if sheet.title != "研判单"]  # its sums are formulas
    return [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]


def write_csv(path, *rows, header="编号,名称,经度,纬度,积水深度", encoding="utf-8"):
    path.write_bytes("\n".join([header, *rows]).encode(encoding))


def write_book(path, sheets):
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for index, row in enumerate(rows):
                sheet.write_row(index, 0, row)


def write_raster(path, crs):
    transform = rasterio.Affine(0.001, 0, 116.99, 0, -0.001, 36.14)
    with rasterio.open(
        path, "w", driver="GTiff", width=20, height=20, count=1, dtype="float32", crs=crs,
        transform=transform,
    ) as target:  # fmt: skip
        target.write(np.ones((20, 20), dtype="float32"), 1)


UNUSABLE = {
    "hazard_source": ({"path": "没有.xlsx"}, "没有"),
    "geohazard_point": ({"path": "网页.xls"}, "网页"),
    "rescue_team": ({"path": "加密.xlsx"}, "密码"),
    "danger_area": ({"path": "空层.geojson"}, "没有"),
    "dem": ({"path": "无坐标系.tif"}, "坐标系"),
    "reservoir": ({"path": "零坐标.csv"}, "退回"),
    "supply_depot": ({"path": "面.gpkg"}, "退回"),
    "health_care": ({"path": "无表头.csv"}, "表头|列名"),
    "warning_station": ({"path": "坏坐标系.gpkg", "crs": "EPSG:999999"}, "坐标系"),
    "loudspeaker": ({"path": "坏.gpkg"}, "读"),
    "hidden_danger": ({"path": "远.csv"}, "退回"),
    "closure": ({"path": "乱码.csv"}, "编码|不是"),
}


def write_unusable(folder):
    (folder / "网页.xls").write_text("<html><table><tr><td>名称</td></tr></table></html>")
    locked = OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    (folder / "加密.xlsx").write_bytes(locked)
    (folder / "空层.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    write_raster(folder / "无坐标系.tif", None)
    write_csv(folder / "零坐标.csv", "1,甲,0,0,", "2,乙,0.0,0.000,")
    here = box(town.EAST, town.NORTH, town.EAST + 50, town.NORTH + 50)
    areas = gpd.GeoDataFrame({"name": ["库"]}, geometry=[here], crs=town.CRS)
    areas.to_file(folder / "面.gpkg")
    areas.set_geometry(areas.centroid).to_file(folder / "坏坐标系.gpkg")
    (folder / "无表头.csv").write_text("甲,东路一号,好\n乙,西路二号,好\n", encoding="utf-8")
    (folder / "坏.gpkg").write_bytes(b"SQLite format 3\0" + b"x" * 50)
    write_csv(folder / "远.csv", "1,甲,87.6,43.8,", "2,乙,-0.1,51.5,")
    (folder / "乱码.csv").write_bytes(b"\xff\xfe\xff\xff\xff")


def test_every_unusable_layer_is_named_and_the_rest_is_written(tmp_path, command):
    path = town.write(tmp_path, layers={role: spec for role, (spec, _) in UNUSABLE.items()})
    write_unusable(tmp_path)
    done = command("run", path)
    assert done.code == 1
    said = [line for line in done.said.splitlines() if line.startswith("  ! ")]
    for spec, word in UNUSABLE.values():
        (line,) = [line for line in said if spec["path"] in line]
        assert re.search(word, line), line
    assert len(said) == len(UNUSABLE)
    assert {p.name for p in (tmp_path / "out").iterdir()} == PAPERS
    report = report_of(tmp_path)
    assert report["layers"]["flood_point"]["rows_used"] == 3
    for role, rows in (("reservoir", 2), ("supply_depot", 1), ("hidden_danger", 2)):
        assert report["layers"][role] == {
            "rows_in": rows, "rows_used": 0, "rows_returned": rows,
        }  # fmt: skip
    gaps = "\n".join(str(c.value) for c in cells_of(tmp_path / "out" / "data_gaps.xlsx") if c.value)
    for spec, _ in UNUSABLE.values():
        assert spec["path"] in gaps


def test_bad_rows_come_back_with_row_and_field_and_the_run_ends_well(tmp_path, command):
    """A GBK table with DMS; a workbook of two sheets; population and refuges with bad numbers."""
    path = town.write(
        tmp_path,
        layers={
            "flood_point": {"path": "积水.csv"},
            "hazard_source": {"path": "两表.xlsx"},
            "population": {"path": "人口.csv"},
        },
    )
    write_csv(
        tmp_path / "积水.csv",
        "A1,好点,117°0′1.8″,36°7′51.6″,约200cm",
        "A2,重号一,117°0′3.8″,36°7′51.6″,0.3",
        "A2,重号二,117°0′5.8″,36°7′51.6″,0.3",
        "A4,六十分,117°61′0″,36°7′51.6″,0.3",
        "A5,远处,87°36′0″,43°48′0″,0.3",
        "A6,空坐标,nan,nan,0.3",
        "A7,太深,117°0′7.8″,36°7′51.6″,约200",
        "3.70102E+11,坏码,117°0′8.8″,36°7′51.6″,0.3",
        "A9,零点,0,0,0.3",
        encoding="gbk",
    )
    header = ["单位名称", "经度", "纬度", "最大储量"]
    write_book(
        tmp_path / "两表.xlsx",
        {
            "甲区": [header, ["甲厂", LON, LAT, 5], ["丁厂", "inf", LAT, 5]],
            "乙区": [header, ["乙厂", LON + 0.001, LAT, -5], ["丙厂", LON + 0.002, LAT, 1]],
            "说明": [["本表由示例单位填报"]],
        },
    )
    write_csv(
        tmp_path / "人口.csv",
        f"1,甲,{LON},{LAT},-5",
        f"2,乙,{LON + 0.001},{LAT},120",
        f"3,丙,{LON + 0.002},{LAT},",
        header="代码,名称,经度,纬度,人口",
    )
    done = command("run", path)
    assert done.code == 0, done.said
    assert "data_gaps.xlsx" in done.out
    assert {p.name for p in (tmp_path / "out").iterdir()} >= PAPERS - {"救援站点方案.xlsx"}
    report = report_of(tmp_path)
    assert report["layers"]["flood_point"] == {
        "rows_in": 9, "rows_used": 4, "rows_returned": 5,
    }  # fmt: skip
    assert report["layers"]["hazard_source"] == {
        "rows_in": 4, "rows_used": 3, "rows_returned": 1,
    }  # fmt: skip
    assert report["layers"]["population"]["rows_in"] == 3
    checked = command("check", path)
    assert checked.code == 1
    for words in (
        ("积水.csv", "#4", "A2"),
        ("积水.csv", "#5", "经度", "117°61′0″"),
        ("积水.csv", "#6"),
        ("积水.csv", "#7", "经度"),
        ("积水.csv", "#8", "积水深度"),
        ("积水.csv", "#9", "编号", "3.70102E+11"),
        ("积水.csv", "#10", "经度"),
        ("两表.xlsx", "[甲区]", "#3", "经度", "inf"),
        ("两表.xlsx", "[乙区]", "#2", "最大储量", "-5"),
        ("人口.csv", "人口", "-5"),
    ):
        found = [line for line in checked.out.splitlines() if all(word in line for word in words)]
        assert found, (words, checked.out)
        assert chinese(found[0].split(":", 1)[1])


def test_hostile_names_are_kept_and_stay_text(tmp_path, command):
    path = town.write(
        tmp_path,
        layers={"flood_point": {"path": "名.xlsx"}, "refuge": {"path": "避难.xlsx"}},
        project={"place": {"code": "370100", "name": HOSTILE[0]}},
    )
    rows = [
        [f"{370102000000 + i}.0", name, LON + 0.0002 * i, LAT, 0.5]
        for i, name in enumerate(HOSTILE)
    ]
    write_book(tmp_path / "名.xlsx", {"表": [["编号", "名称", "经度", "纬度", "积水深度"], *rows]})
    write_book(
        tmp_path / "避难.xlsx",
        {
            "表": [
                ["编号", "名称", "经度", "纬度", "容纳人数"],
                *rows[:0],
                *[[*r[:4], 90] for r in rows],
            ]
        },
    )
    done = command("run", path)
    assert done.code == 0, done.said
    out = tmp_path / "out"
    for role in ("flood_point", "refuge"):
        kept = gpd.read_file(out / "riskmap.gpkg", layer=role)
        assert set(kept["name"]) == set(HOSTILE)
        assert set(kept["number"]) == {str(370102000000 + i) for i in range(len(HOSTILE))}
    for paper in ("研判一张单.xlsx", "管控一张表.xlsx"):
        cells = cells_of(out / paper)
        assert all(cell.data_type != "f" for cell in cells)
        texts = [cell.value for cell in cells if isinstance(cell.value, str)]
        for name in HOSTILE:
            assert any(name.replace("\u202e", "") in t.replace("\u202e", "") for t in texts), name
    page = (out / "onemap.html").read_text(encoding="utf-8")
    for name in HOSTILE[:2]:
        assert name not in page
    assert "<img src=x" not in page


def test_units_repaired_repeated_and_bad(tmp_path, command):
    path = town.write(tmp_path)
    units = town.units()
    x, y = town.EAST, town.NORTH
    bow = Polygon([(x, y), (x + 100, y + 100), (x + 100, y), (x, y + 100)])
    units["people"] = units["people"].astype(object)
    units.loc[units["code"] == "V00", "geometry"] = bow
    units.loc[units["code"] == "V01", "people"] = -7
    units.loc[units["code"] == "V02", "name"] = HOSTILE[0]
    units["people"] = units["people"].astype(float)
    again = units[units["code"] == "V11"].assign(name="又名")
    nowhere = units[units["code"] == "V12"].assign(code="X1", geometry=None)
    units = pd.concat([units, again, nowhere], ignore_index=True)
    (tmp_path / "units.gpkg").unlink()
    units.to_file(tmp_path / "units.gpkg")
    done = command("run", path)
    assert done.code == 0, done.said
    report = report_of(tmp_path)
    assert report["units"]["village"] == 12
    checked = command("check", path)
    assert checked.code == 1
    for words in (("修复",), ("-7",), ("V11",), ("#17",)):
        assert [
            line
            for line in checked.out.splitlines()
            if "units.gpkg" in line and all(word in line for word in words)
        ], (words, checked.out)
    assert HOSTILE[0] not in (tmp_path / "out" / "onemap.html").read_text(encoding="utf-8")


def test_boundary_that_crosses_itself_is_repaired_and_said(tmp_path, command):
    path = town.write(tmp_path, layers={"boundary": {"path": "界.geojson"}})
    x, y = town.EAST, town.NORTH
    bow = Polygon([(x, y), (x + 400, y + 300), (x + 400, y), (x, y + 300)])
    frame = gpd.GeoDataFrame({"code": ["1"], "name": ["界"]}, geometry=[bow], crs=town.CRS).to_crs(
        4326
    )
    frame.to_file(tmp_path / "界.geojson")
    done = command("run", path, "--up-to", "layers")
    assert done.code == 0
    checked = command("check", path)
    assert [line for line in checked.out.splitlines() if "界.geojson" in line and "修复" in line]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"type": "FeatureCollection", "features": []}', ("units.geojson", "没有")),
        ("{ no json", ("units.geojson",)),
        (None, ("units.geojson", "没有|缺")),
    ],
)
def test_units_without_features_stop_the_run_and_write_nothing(tmp_path, command, content, words):
    source = {"path": "units.geojson", "level": "village"}
    path = town.write(tmp_path, project={"units": source})
    if content is not None:
        (tmp_path / "units.geojson").write_text(content)
    done = command("run", path)
    assert done.code == 1
    for word in words:
        assert re.search(word, done.err), done.err
    assert chinese(done.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gird": {"size_m": 100}}, ("gird", "grid", "town.yaml")),
        ({"grid": {"size_m": -1}}, ("grid.size_m", "-1")),
        ({"grid": {"size_m": float("nan")}}, ("grid.size_m",)),
        ({"grid": {"size_m": 0.001}}, ("grid.size_m|格",)),
        ({"crs": "EPSG:3857"}, ("3857",)),
        ({"crs": "EPSG:4326"}, ("4326",)),
        ({"crs": "没有"}, ("没有",)),
        ({"units": []}, ("units",)),
        ({"place": "370100"}, ("place",)),
        ({"layers": None}, ("layers",)),
        ({"layers": {"flod_point": {"path": "x"}}}, ("flod_point", "flood_point")),
        ({"layers": {"refuge": {"path": "../x.csv"}}}, ("layers.refuge", "x.csv")),
        ({"layers": {"refuge": {"path": ""}}}, ("layers.refuge",)),
        ({"indicators": "no_table"}, ("no_table",)),
        ({"indicators": "no.csv"}, ("no.csv",)),
        ({"roles": "no_roles"}, ("no_roles",)),
        ({"presets": {"flood.level_depth": 1}}, ("flood.level_depth",)),
        ({"index": {"frozen": "no.json"}}, ("no.json",)),
        ({"index": {"steps": "no.yaml"}}, ("no.yaml",)),
        ({"index": {"aggregate": {"risk": "magic"}}}, ("magic",)),
        ({"index": {"normalise": "magic"}}, ("magic",)),
        ({"index": {"weights": "magic"}}, ("magic",)),
        ({"index": {"classes": {"method": "fixed"}}}, ("breaks|断点",)),
        ({"index": {"classes": {"method": "fixed", "breaks": [1, 2, 3, 4]}}}, ("breaks",)),
        ({"presets": {"flood.level_depth_m": "abc"}}, ("presets.flood.level_depth_m", "0.15")),
        ({"presets": {"station.snap_limit_m": -5}}, ("presets.station.snap_limit_m", "-5")),
        ({"refuges": {"candidates": "dem"}}, ("refuges.candidates", "dem", "flood_point")),
        ({"name": "\t"}, ("name",)),
        ({"stations": {"preset": "magic"}}, ("magic",)),
        ({"stations": {"sties": 1}}, ("sties", "sites")),
        ({"data_date": "明天"}, ("data_date", "明天")),
        ({"outputs": {"dir": "."}}, ("outputs.dir",)),
        ({"outputs": {"dir": "../out"}}, ("outputs.dir|\\.\\./out",)),
    ],
)
def test_wrong_project_files(tmp_path, command, change, words):
    import yaml

    path = town.write(tmp_path)
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | change
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    done = command("run", path)
    assert done.code == 1, done.said
    for word in words:
        assert re.search(word, done.err), done.err
    assert chinese(done.err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("name: 示例镇\n".encode("gbk"), "UTF-8"),
        (b"name: [a\nb: c", "YAML"),
        (b"", "town.yaml"),
        (b"- a\n", "town.yaml"),
        (b"name: a\nname: b\n", "name"),
        (b"\x00\x01", "YAML|town.yaml"),
        (b"? [a]\n: b\n", "town.yaml"),
        (b"a: &x [*x]\n", "town.yaml"),
    ],
)
def test_files_that_are_no_project(tmp_path, command, content, word):
    path = tmp_path / "town.yaml"
    path.write_bytes(content)
    done = command("run", path)
    assert done.code == 1
    assert re.search(word, done.err), done.err
    assert chinese(done.err)


def test_a_folder_of_somebody_else_is_not_touched(tmp_path, command):
    path = town.write(tmp_path)
    own = tmp_path / "out" / "别人的.docx"
    own.parent.mkdir()
    own.write_text("重要", encoding="utf-8")
    done = command("run", path)
    assert done.code == 1
    assert chinese(done.err)
    assert [p.name for p in own.parent.iterdir()] == [own.name]
    assert own.read_text(encoding="utf-8") == "重要"


def test_text_of_file_names_is_not_markup(tmp_path, command):
    name = Path("<b>&'x'.csv")
    path = town.write(tmp_path, layers={"flood_point": {"path": str(name)}})
    write_csv(tmp_path / name, f"1,甲,{LON},{LAT},0.3", "2,乙,0,0,0.3")
    done = command("run", path)
    assert done.code == 0, done.said
    assert "<b>&'x'" not in (tmp_path / "out" / "onemap.html").read_text(encoding="utf-8")

"""Kinds of tables, drawings and rasters that offices hand in, each with its right reading."""

import datetime as dt
import io
import json
import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely
import xlsxwriter
from pyproj import Transformer
from rasterio.transform import Affine

from riskmap.layers.layer import LayerSpec, UnitSpec
from riskmap.layers.place.datum import read_link, told_projection, wgs84_to_gcj02
from riskmap.layers.read.layer import read_layer
from riskmap.layers.read.raster import read_raster
from riskmap.layers.read.table import _old_format_remarks
from riskmap.layers.read.values import (
    parse_booleans,
    parse_dates,
    parse_numbers,
    parse_pairs,
    parse_text,
)
from riskmap.layers.units import read_units
from riskmap.vocabulary.roles import load_roles

CRS = "EPSG:4548"
PLACE = gpd.GeoSeries([shapely.box(117.0, 36.6, 117.1, 36.7)], crs=4326)
SPOTS = [("甲", 117.02, 36.65), ("乙", 117.03, 36.66), ("丙", 117.06, 36.67)]


def read(path, role="refuge", **spec):
    found = read_layer(
        load_roles()[role],
        [LayerSpec(path=path, shown=path.name, **spec)],
        crs=CRS,
        place=PLACE.to_crs(CRS).iloc[0],
    )
    return found[0], {p.rule: p for p in found[1]}


def sheet(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def placed(layer):
    here = layer.table.geometry.to_crs(4326)
    return {n: (p.x, p.y) for n, p in zip(layer.table["name"], here, strict=True)}


def test_the_newest_year_of_a_yearly_table_counts(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "年份,点位名称,经度,纬度,最大积水深度(cm)\n2023,桥下,117.02,36.65,30\n2023,路口,117.03,36.66,20\n"
        "2024,桥下,117.02,36.65,45\n2024,新点,117.06,36.66,10\n", "utf-8",
    )  # fmt: skip
    layer, said = read(path, "flood_point")
    assert dict(zip(layer.table["name"], layer.table["depth_m"], strict=True)) == {
        "桥下": 0.45,
        "新点": 0.1,
    }
    assert "2024" in str(said["older_years"].message)
    layer, _ = read(path, "flood_point", where="年份 = 2023")
    assert set(layer.table["name"]) == {"桥下", "路口"}


def test_years_of_different_objects_are_all_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("年份,名称,经度,纬度\n2023,甲,117.02,36.65\n2024,乙,117.03,36.66\n", "utf-8")
    layer, said = read(path)
    assert layer.rows_used == 2
    assert "years_read" in said


@pytest.mark.parametrize(
    ("note", "code", "turned"),
    [
        ("2000国家大地坐标系，中央子午线117°，3度带", 4548, True),
        ("西安80坐标系 中央经线：117度", 2384, False),
        ("北京54坐标系，中央子午线为117°00′", 2436, False),
        ("CGCS2000 中央子午线117°E", 4527, False),  # eastings with the zone number
    ],
)
def test_a_note_names_the_zone(tmp_path, note, code, turned):
    change = Transformer.from_crs(4326, code, always_xy=True)
    rows = [["避难场所台账"], [f"说明：{note}"], ["名称", "X坐标", "Y坐标", "容量(人)"]]
    for name, lon, lat in SPOTS:
        east, north = change.transform(lon, lat)
        rows.append([name, round(north, 3), round(east, 3), 100] if turned
                    else [name, round(east, 3), round(north, 3), 100])  # fmt: skip
    layer, said = read(sheet(tmp_path / "a.xlsx", rows))
    assert said["crs_from_note"]
    for name, lon, lat in SPOTS:
        assert placed(layer)[name] == pytest.approx((lon, lat), abs=1e-7)


def test_a_note_that_puts_the_rows_elsewhere_is_not_followed(tmp_path):
    change = Transformer.from_crs(4326, 4548, always_xy=True)
    rows = [["名称", "X坐标", "Y坐标", "中央子午线120"]]
    rows += [[name, *change.transform(lon, lat), ""] for name, lon, lat in SPOTS]
    layer, said = read(sheet(tmp_path / "a.xlsx", rows))
    assert layer.rows_used == 0
    assert "EPSG:4548" in str(
        said["projected_without_crs"].mend
    )  # the one zone that fits the place


def test_words_of_projections():
    assert told_projection(["中央子午线：东经117度"], zone=0)[:2] == ("EPSG:4548", False)
    assert told_projection(["西安80与2000两套，中央子午线117"], zone=0) is None
    assert told_projection(["中央子午线116°20′"], zone=0)[0].startswith("+proj=tmerc")
    assert told_projection(["中央大街117号"], zone=0) is None


def test_links_of_map_programs_are_places_in_their_datum(tmp_path):
    lon, lat = (float(v[0]) for v in wgs84_to_gcj02([117.02], [36.65]))
    pd.DataFrame({
        "名称": ["甲", "乙", "丙", "丁"],
        "位置链接": [
            f"https://uri.amap.com/marker?position={lon:.6f},{lat:.6f}&name=x",
            f"甲校 https://apis.map.qq.com/uri/v1/marker?marker=coord:{lat:.6f},{lon:.6f};title:x",
            f"http://api.map.baidu.com/marker?location={lat:.6f},{lon:.6f}&coord_type=gcj02",
            "https://j.map.baidu.com/3f/abc",
        ],
    }).to_csv(tmp_path / "a.csv", index=False)  # fmt: skip
    layer, said = read(tmp_path / "a.csv")
    assert (layer.rows_used, layer.rows_returned) == (3, 1)
    assert said["short_link"].row == 5
    for spot in placed(layer).values():
        assert spot == pytest.approx((117.02, 36.65), abs=2e-6)


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("https://www.amap.com/?p=B0FFG,36.6505,117.0261,甲校,某路", (117.0261, 36.6505, "gcj02")),
        ("https://wb.amap.com/?q=36.6505,117.0261,x", (117.0261, 36.6505, "gcj02")),
        ("https://ditu.amap.com/regeo?lng=117.0261&lat=36.6505", (117.0261, 36.6505, "gcj02")),
        (
            "http://api.map.baidu.com/marker?location=36.65,117.04&output=html",
            (117.04, 36.65, "bd09"),
        ),
        ("https://map.qq.com/?type=marker&pointx=117.03&pointy=36.66", (117.03, 36.66, "gcj02")),
        ("https://www.google.com/maps/@36.65,117.04,17z", (117.04, 36.65, "auto")),
        ("geo:36.65,117.04", (117.04, 36.65, "auto")),
        ("https://map.baidu.com/@12959219.60,4825334.63,13z", None),  # metres of Baidu's own
        ("https://example.org/?id=36.65,117.04", None),
        ("无", None),
    ],
)
def test_links(link, place):
    assert read_link(link) == place


def test_a_table_on_its_side_is_told(tmp_path):
    rows = [
        ["名称", "甲校", "乙校"],
        ["经度", 117.02, 117.03],
        ["纬度", 36.65, 36.66],
        ["容量(人)", 1, 2],
    ]
    layer, said = read(sheet(tmp_path / "a.xlsx", rows))
    assert layer.rows_used == 0
    assert "转置" in str(said["transposed"].mend)


@pytest.mark.parametrize(
    ("written", "date"),
    [("24.6.30", "2024-06-30"), ("98/12/1", "1998-12-01"), ("24-06-30", "2024-06-30")],
)
def test_years_of_two_digits(written, date):
    parsed = parse_dates(pd.Series([written]))
    assert parsed.column.tolist() == [date]
    assert parsed.changed.tolist() == ["short"]


def test_units_behind_a_slash(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("名称,经度,纬度,淹没时长/h,积水深度/cm\n甲,117.02,36.65,2.5,30\n", "utf-8")
    layer, _ = read(path, "flood_point")
    assert layer.table["duration_min"].tolist() == [150.0]
    assert layer.table["depth_m"].tolist() == [0.3]


def test_kml_of_ovital(tmp_path):
    path = tmp_path / "a.ovkml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        '<Placemark><name>桥下</name><ExtendedData><Data name="水深"><value>0.4</value></Data></ExtendedData>'
        "<Point><coordinates>117.02,36.65,0</coordinates></Point></Placemark></Document></kml>", "utf-8",
    )  # fmt: skip
    layer, _ = read(path, "flood_point")
    assert layer.table["name"].tolist() == ["桥下"]


def drawing(path, *, codec, version):
    def part(*pairs):
        return "".join(f"{code}\n{value}\n" for code, value in pairs)

    east, north = Transformer.from_crs(4326, 4548, always_xy=True).transform(117.03, 36.65)
    objects = ""
    for name, level, away in (("甲厂", "二级", 0), ("乙厂", "三级", 500)):
        objects += part(
            (0, "INSERT"), (8, "企业"), (66, 1), (2, "QY"), (10, east + away), (20, north)
        )
        for tag, value in (("企业名称", name), ("重大危险源级别", level)):
            objects += part(
                (0, "ATTRIB"),
                (8, "企业"),
                (10, east),
                (20, north),
                (40, 2),
                (1, value),
                (2, tag),
                (70, 0),
            )
        objects += part((0, "SEQEND"), (8, "企业"))
    head = part(
        (0, "SECTION"),
        (2, "HEADER"),
        (9, "$ACADVER"),
        (1, version),
        (9, "$DWGCODEPAGE"),
        (3, "ANSI_936"),
        (0, "ENDSEC"),
    )
    block = part((0, "SECTION"), (2, "BLOCKS"), (0, "BLOCK"), (8, "0"), (2, "QY"), (70, 2), (10, 0), (20, 0), (3, "QY"),
                 (0, "CIRCLE"), (8, "0"), (10, 0), (20, 0), (40, 5), (0, "ENDBLK"), (8, "0"), (0, "ENDSEC"))  # fmt: skip
    whole = (
        head
        + block
        + part((0, "SECTION"), (2, "ENTITIES"))
        + objects
        + part((0, "ENDSEC"), (0, "EOF"))
    )
    path.write_bytes(whole.encode(codec))
    return path


@pytest.mark.parametrize(
    ("codec", "version"),
    [("utf-8", "AC1021"), ("gbk", "AC1015")],  # from 2007 on in UTF-8, whatever the code page says
)
def test_attributes_of_blocks(tmp_path, codec, version):
    layer, _ = read(
        drawing(tmp_path / "a.dxf", codec=codec, version=version), "hazard_source", crs=CRS
    )
    assert dict(zip(layer.table["name"], layer.table["gb18218_level"], strict=True)) == {
        "甲厂": "2",
        "乙厂": "3",
    }


@pytest.mark.parametrize("hole", [-1, 0, -32768])
def test_holes_of_a_height_raster_are_unknown(tmp_path, hole):
    values = np.full((100, 100), 55, "float32") + np.random.default_rng(0).normal(
        0, 5, (100, 100)
    ).astype("f4")
    values[40:50, 40:60] = hole
    spec = raster(tmp_path, values)
    found, remarks = read_raster(spec, None)
    assert int(np.isnan(found.values).sum()) == 200
    assert "nodata_found" in {remark.rule for remark in remarks}


def test_ground_at_and_below_the_sea_stays(tmp_path):
    values = np.tile(np.linspace(-3, 20, 100, dtype="float32").round(), (100, 1))
    found, _ = read_raster(raster(tmp_path, values), None)
    assert not np.isnan(found.values).any()


def raster(folder, values):
    path = folder / "d.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=values.shape[0], width=values.shape[1], count=1,
        dtype="float32", crs=4326, transform=Affine(0.001, 0, 117, 0, -0.001, 36.7),
    ) as out:  # fmt: skip
        out.write(values, 1)
    return LayerSpec(path=path, shown=path.name)


def test_of_two_pairs_the_one_in_wgs84_is_taken(tmp_path):
    lon, lat = (float(v[0]) for v in wgs84_to_gcj02([117.02], [36.65]))
    table = {"name": ["甲"], "longitude": [lon], "latitude": [lat]}
    table |= {"longitude_wgs84": [117.02], "latitude_wgs84": [36.65]}
    pd.DataFrame(table).to_csv(tmp_path / "a.csv", index=False)
    layer, said = read(tmp_path / "a.csv")
    assert placed(layer)["甲"] == pytest.approx((117.02, 36.65), abs=1e-9)
    assert "datum_from_header" in said


def test_the_only_column_that_ends_in_name_is_the_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("医院名称,所属街道名,经度,纬度\n甲院,某街,117.02,36.65\n", "utf-8")
    layer, said = read(path)
    assert layer.table["name"].tolist() == ["甲院"]
    assert said["name_by_ending"].field == "医院名称"
    path.write_text("医院名称,药店名称,经度,纬度\n甲院,乙店,117.02,36.65\n", "utf-8")
    assert read(path)[0].table["name"].isna().all()


def test_a_column_of_something_else_is_told_once(tmp_path):
    rows = "\n".join(f"院{n},医疗服务;综合医院,{117.01 + n / 1000:.4f},36.65" for n in range(12))
    (tmp_path / "a.csv").write_text(f"name,type,lon,lat\n{rows}\n", "utf-8")
    found = read_layer(
        load_roles()["refuge"],
        [LayerSpec(path=tmp_path / "a.csv", shown="a.csv")],
        crs=CRS,
        place=None,
    )
    assert found[0].rows_used == 12
    assert [p.row for p in found[1] if p.rule == "choice"] == [None]


def test_words_of_fields_in_the_cells_are_no_headings(tmp_path):
    rows = [f"11010500{n:04d},朝阳区,town,1,某街道{n}" for n in range(30)]
    (tmp_path / "a.csv").write_text("\n".join(rows), "utf-8")
    layer, said = read(tmp_path / "a.csv")
    assert layer.rows_in == 0
    assert "no_header" in said


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"XZQMC": ["甲", "乙"], "XZQDM": ["370101", "370102"]}, "usual_column"),
        ({}, "no_attributes"),
    ],
)
def test_units_under_their_usual_headings(tmp_path, columns, rule):
    shapes = [shapely.box(117, 36, 117.1, 36.1), shapely.box(117.1, 36, 117.2, 36.1)]
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4326).to_file(tmp_path / "u.geojson")
    spec = UnitSpec(
        path=tmp_path / "u.geojson", shown="u", level="district", code="code", name="name"
    )
    units, _, problems = read_units([spec])
    assert rule in {p.rule for p in problems}
    assert units.index.tolist() == columns.get("XZQDM", [])
    assert units["name"].tolist() == columns.get("XZQMC", [])


@pytest.mark.parametrize("scale", [1e5, 1e6, 1e7])
def test_degrees_that_a_device_multiplied(tmp_path, scale):
    rows = [f"{n},{lon * scale:.0f},{lat * scale:.0f}" for n, lon, lat in SPOTS]
    (tmp_path / "a.csv").write_text("\n".join(["名称,经度,纬度", *rows]), "utf-8")
    layer, said = read(tmp_path / "a.csv")
    assert said["scaled_degrees"]
    for name, lon, lat in SPOTS:
        assert placed(layer)[name] == pytest.approx((lon, lat), abs=1e-6)


def test_one_packed_angle_makes_no_metres(tmp_path):
    (tmp_path / "a.csv").write_text(
        "名称,经度,纬度\n甲,117°01.206′,36°39.006′\n乙,117度1分48秒,36度39分36秒\n丙,1170148,363936\n",
        "utf-8",
    )
    layer, _ = read(tmp_path / "a.csv")
    assert layer.table["name"].tolist() == ["甲", "乙"]
    assert layer.rows_returned == 1


def test_web_mercator_is_named(tmp_path):
    change = Transformer.from_crs(4326, 3857, always_xy=True)
    rows = [
        "名称,X,Y",
        *(f"{n},{x:.1f},{y:.1f}" for n, *p in SPOTS for x, y in [change.transform(*p)]),
    ]
    (tmp_path / "a.csv").write_text("\n".join(rows), "utf-8")
    layer, said = read(tmp_path / "a.csv")
    assert layer.rows_used == 0
    assert "EPSG:3857" in str(said["projected_without_crs"].mend)


@pytest.mark.parametrize(
    "rows",
    ["区划代码,常住人口,60岁以上人口\n0101,100,10\n0102,200,40\n0199,300,30\n",
     "社区名称,常住人口,60岁以上人口\n东村,100,10\n西村,200,40\n外村,300,30\n"],
)  # fmt: skip
def test_a_ledger_by_unit_needs_no_coordinates(tmp_path, rows):
    units = gpd.GeoDataFrame(
        {"name": ["东村", "西村"], "level": ["village"] * 2}, index=["0101", "0102"],
        geometry=[shapely.box(117.0, 36.6, 117.05, 36.7), shapely.box(117.05, 36.6, 117.1, 36.7)],
        crs=4326,
    )  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(rows, "utf-8")
    spec = [LayerSpec(path=path, shown=path.name)]
    layer, said = read_layer(load_roles()["sensitive"], spec, crs=CRS, place=None, units=units)
    assert layer.table["elderly"].tolist() == [10, 40]
    middles = layer.table.geometry.to_crs(4326).representative_point()
    assert units.geometry.contains(middles.set_axis(units.index)).all()
    assert [(p.rule, p.row) for p in said if p.severity == "returned"] == [("no_unit", 4)]
    assert layer.rows_in == layer.rows_used + layer.rows_returned


def test_pages_and_lists_under_other_names_are_read(tmp_path):
    page = (
        "<html><head><meta charset=gb2312></head><table><tr><th colspan=5>积水点台账</th></tr>"
        "<tr><td>名称<td>经度<td>纬度<td>积水深度(cm)<td>责任单位</tr>"
        "<tr><td>甲桥&nbsp;</td><td>118.301</td><td>36.821</td><td>30</td><td rowspan=2>甲办</td>"
        "</tr><tr><td>乙桥</td><td>118.302</td><td>36.822</td><td>45</td></tr></table></html>"
    )
    name = 'xmlns="urn:schemas-microsoft-com:office:spreadsheet"'
    ss = 'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"'

    def row(*cells):
        one = "".join(
            f'<Cell{at}><Data ss:Type="{kind}">{cell}</Data></Cell>' for at, kind, cell in cells
        )
        return f"<Row>{one}</Row>"

    heads = row(("", "String", "名称"), ("", "String", "经度"), ("", "String", "纬度"),
                (' ss:Index="5"', "String", "积水深度(cm)"))  # fmt: skip
    lines = [
        row(("", "String", n), ("", "Number", x), ("", "Number", y), (' ss:Index="5"', "Number", d))
        for n, x, y, d in (("甲桥", 118.301, 36.821, 30), ("乙桥", 118.302, 36.822, 45))
    ]
    book = (
        f'<?xml version="1.0"?><Workbook {name} {ss}><Worksheet ss:Name="甲"><Table>{heads}'
        f"{''.join(lines)}</Table></Worksheet></Workbook>"
    )
    listed = json.dumps({"code": 0, "data": {"list": [
        {"name": "甲桥", "积水深度": "30cm", "location": {"lng": 118.301, "lat": 36.821}},
        {"name": "乙桥", "积水深度": "45cm", "location": {"lng": 118.302, "lat": 36.822}},
    ]}}, ensure_ascii=False)  # fmt: skip
    comma = "名称，经度，纬度，积水深度\n甲桥，118.301，36.821，0.3\n乙桥，118.302，36.822，0.45\n"
    point = "名称;经度;纬度;积水深度\n甲桥;118,301;36,821;0,3\n乙桥;118,302;36,822;0,45\n"
    for file, content in (
        ("a.xls", page.encode("gbk")), ("b.xls", book.encode()), ("c.json", listed.encode()),
        ("d.csv", comma.encode()), ("e.csv", point.encode()),
    ):  # fmt: skip
        path = tmp_path / file
        path.write_bytes(content)
        layer, problems = read_layer(
            load_roles()["flood_point"], [LayerSpec(path=path, shown=file)], crs=4326, place=None
        )
        assert layer.rows_used == 2, (file, [str(p) for p in problems])
        table = layer.table.set_index("name").loc[["甲桥", "乙桥"]]
        assert table.geometry.x.round(6).tolist() == [118.301, 118.302], file
        assert table["depth_m"].tolist() == [0.3, 0.45], file


def test_headings_in_initials_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("yhdbh,yhdmc,lon,lat,wxrsr,desc\n1,甲滑坡,118.301,36.821,18,x\n", "utf-8")
    layer, problems = read_layer(
        load_roles()["geohazard_point"], [LayerSpec(path=path, shown="a.csv")], crs=4326, place=None
    )
    row = layer.table.iloc[0]
    assert (row["number"], row["name"], row["people"]) == ("1", "甲滑坡", 18)
    told = {p.field for p in problems if p.rule == "pinyin_name"}
    assert told == {"yhdbh", "yhdmc", "wxrsr"}


def test_times_typed_as_a_duration_are_hours_and_minutes_and_a_picture_is_no_file_name(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["名称", "经度", "纬度", "积水时长(分钟)", "照片"])
    rows = [dt.time(1, 30), dt.timedelta(hours=26, minutes=15), "0:45", 50, "1:75"]
    for n, entry in enumerate(rows):
        book.active.append([f"点{n}", 117.03 + n / 1000, 36.65, entry, "a.jpg"])
    book.active["D3"].number_format = "[h]:mm"
    book.save(tmp_path / "a.xlsx")
    layer, said = read(tmp_path / "a.xlsx", "flood_point")
    minutes = layer.table.set_index("name")["duration_min"]
    assert minutes[["点0", "点1", "点2", "点3"]].tolist() == [90, 26 * 60 + 15, 45, 50]
    assert np.isnan(minutes["点4"])
    assert "clock" in said
    shown = parse_text(pd.Series(['=DISPIMG("ID_1A2B",1)', "a.jpg"]))
    assert shown.column.isna().tolist() == [True, False]
    assert shown.changed.tolist() == ["picture", ""]


def test_chinese_in_seven_bits_is_read(tmp_path):
    (tmp_path / "a.csv").write_bytes("名称,经度,纬度\n甲桥,117.03,36.65\n".encode("hz"))
    assert read(tmp_path / "a.csv", "flood_point")[0].table["name"].tolist() == ["甲桥"]
    (tmp_path / "b.csv").write_bytes(b"name,lon,lat\na~{x,117.03,36.65\n")
    assert read(tmp_path / "b.csv", "flood_point")[0].table["name"].tolist() == ["a~{x"]


def test_numbers_lost_in_a_field_too_narrow_are_told(tmp_path):
    points = gpd.GeoDataFrame(
        {"名称": ["甲", "乙"], "depth_m": [0.3, 0.5]}, crs=4326,
        geometry=gpd.points_from_xy([117.03, 117.04], [36.65, 36.66]),
    )  # fmt: skip
    points.to_file(tmp_path / "a.shp", encoding="utf-8")
    table = bytearray((tmp_path / "a.dbf").read_bytes())
    table[-25:-1] = b"*" * 24  # the last number; a byte that ends the file follows it
    (tmp_path / "a.dbf").write_bytes(table)
    layer, said = read(tmp_path / "a.shp", "flood_point")
    assert layer.table.set_index("name")["depth_m"].isna().to_dict() == {"甲": False, "乙": True}
    assert "2" in str(said["overflow"].message)


def test_coordinates_between_quotes_are_numbers(tmp_path):
    pairs = {"甲": ["117.03", "36.65"], "乙": [117.04, 36.66]}
    features = [
        {"type": "Feature", "properties": {"名称": name, "remark": '["1","2"]'},
         "geometry": {"type": "Point", "coordinates": pair}} for name, pair in pairs.items()
    ]  # fmt: skip
    body = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
    (tmp_path / "a.geojson").write_text(body, encoding="utf-8")
    layer, said = read(tmp_path / "a.geojson", "flood_point")
    at = layer.table.set_index("name").geometry.to_crs(4326)
    assert (at["甲"].x, at["乙"].x) == (pytest.approx(117.03), pytest.approx(117.04))
    assert "text_places" in said


def test_texts_copied_out_of_a_page_lose_its_signs():
    cells = pd.Series(["甲桥&amp;乙路", "&#20057;&#26725;", "丙桥<br/>北", "A&B;", "&lt;5"])
    shown = ["甲桥&乙路", "乙桥", "丙桥 北", "A&B;", "<5"]
    assert parse_text(cells).column.tolist() == shown


SPOTS_IN_WORDS = {"甲": (117.021111, 36.651111), "乙": (117.031111, 36.661111)}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("markdown.txt", ("| 名称 | 经度 | 纬度 | 容量 |\n|:---|---:|:-:|--|\n"
         "| 甲 | 117.021111 | 36.651111 | 9 |\n| 乙 | 117.031111 | 36.661111 | 8 |\n")),
        ("psql.txt", (" 名称 |    经度    |   纬度    | 容量 \n------+------------+-----------+------\n"
         " 甲   | 117.021111 | 36.651111 |    9\n 乙   | 117.031111 | 36.661111 |    8\n(2 rows)\n")),
        ("mysql.txt", ("+----+----+----+----+\n| 名称 | 经度 | 纬度 | 容量 |\n+----+----+----+----+\n"
         "| 甲 | 117.021111 | 36.651111 | 9 |\n| 乙 | 117.031111 | 36.661111 | 8 |\n"
         "+----+----+----+----+\n2 rows in set (0.00 sec)\n")),
        ("blanks.txt", ("名称    经度         纬度        容量\n甲      117.021111   36.651111   9\n"
         "乙      117.031111   36.661111   8\n")),
        ("one_blank.txt", "名称 经度 纬度 容量\n甲 117.021111 36.651111 9\n乙 117.031111 36.661111 8\n"),
        ("lines.jsonl", ('{"名称": "甲", "经度": 117.021111, "纬度": 36.651111, "容量": 9}\n'
         '{"名称": "乙", "经度": 117.031111, "纬度": 36.661111, "容量": 8}\n')),
        ("pair.csv", '名称,"位置(纬度,经度)",容量\n甲,"36.651111,117.021111",9\n乙,"36.661111,117.031111",8\n'),
    ],
)  # fmt: skip
def test_tables_as_programs_print_them(tmp_path, name, written):
    path = tmp_path / name
    path.write_text(written, "utf-8")
    layer, said = read(path)
    assert (layer.rows_in, layer.rows_used) == (2, 2)
    assert {n: pytest.approx(p, abs=1e-6) for n, p in SPOTS_IN_WORDS.items()} == placed(layer)
    assert dict(zip(layer.table["name"], layer.table["capacity"], strict=True)) == {
        "甲": 9,
        "乙": 8,
    }
    assert not {"required", "coordinate_text"} & set(said)


def test_blanks_that_part_no_columns_are_not_guessed_at(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "名称 经度 纬度\n甲 村 117.021111 36.651111\n乙村 117.031111 36.661111\n", "utf-8"
    )
    layer, said = read(path)
    assert layer.rows_used == 0
    assert said["no_header"].severity == "unusable"


def test_the_order_of_a_pair_is_that_of_its_heading(tmp_path):
    """Where size does not tell longitude from latitude, as west of Greenwich, the heading does."""
    lon, lat = parse_pairs(["36.65,51.02"], lat_first=True)
    assert (lon.degrees[0], lat.degrees[0]) == (51.02, 36.65)


def test_subtotals_are_no_records_and_a_place_that_ends_so_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "镇街,名称,经度,纬度,容量\n甲镇,甲,117.021111,36.651111,10\n甲镇 汇总,,,,10\n"
        "乙镇,乙,117.031111,36.661111,5\n乙镇小计,,,,5\n乙镇 计数,,,,1\n全县合计,,,,15\n"
        "丙镇,废品汇总,117.041111,36.661111,7\n", "utf-8",
    )  # fmt: skip
    layer, said = read(path)
    assert set(layer.table["name"]) == {"甲", "乙", "废品汇总"}
    assert layer.table["capacity"].sum() == 22
    assert layer.rows_in == 3
    assert "3, 5, 6, 7" in str(said["row_total"])


def test_two_entries_in_one_column_are_parted_and_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "名称,经度,纬度,可容纳人数/面积（㎡）,联系人及电话,乡镇/街道\n"
        "甲,117.021111,36.651111,200/420,责任人A 0531-12345678,甲镇\n"
        "乙,117.031111,36.661111,300人/900㎡,责任人B：0531-12345679,乙镇\n"
        "丙,117.041111,36.661111,50/80,责任人C13900000000,丙镇\n"
        "丁,117.051111,36.661111,60/90,责任人D/13900000001,丁镇\n"
        "戊,117.061111,36.661111,70/90,责任人E13900000002,丁镇\n"
        "己,117.071111,36.661111,约80,,丁镇\n", "utf-8",
    )  # fmt: skip
    layer, said = read(path)
    table = layer.table.set_index("name")
    assert table["capacity"].dropna().to_dict() == {
        "甲": 200,
        "乙": 300,
        "丙": 50,
        "丁": 60,
        "戊": 70,
    }
    assert table["area_m2"].dropna().to_dict() == {
        "甲": 420,
        "乙": 900,
        "丙": 80,
        "丁": 90,
        "戊": 90,
    }
    assert table["person"].dropna().tolist() == [f"责任人{letter}" for letter in "ABCDE"]
    assert table["phone"].dropna().tolist() == [
        "0531-12345678", "0531-12345679", "13900000000", "13900000001", "13900000002",
    ]  # fmt: skip
    assert table["town"].tolist() == ["甲镇", "乙镇", "丙镇", "丁镇", "丁镇", "丁镇"]
    assert said["not_two"].row == 7
    assert "two_in_one" in said


def test_choices_of_another_field_are_read_as_that_field(tmp_path):
    path = tmp_path / "a.csv"
    rows = "甲,117.021111,36.651111,{}\n乙,117.031111,36.661111,{}\n"
    path.write_text("名称,经度,纬度,类型\n" + rows.format("室内", "室外"), "utf-8")
    layer, said = read(path)
    assert sorted(layer.table["space"]) == ["indoor", "outdoor"]
    assert layer.table["type"].isna().all()
    assert "other_choice" in said
    path.write_text("名称,经度,纬度,类型\n" + rows.format("室内", "紧急"), "utf-8")
    layer, said = read(path)
    assert layer.table["space"].isna().all()
    assert "choice" in said


@pytest.mark.parametrize(
    ("said", "metres"),
    [("约半米", 0.5), ("一米二", 1.2), ("1米5", 1.5), ("两米半", 2.5), ("半米左右", 0.5), ("一米多", 1.0),
     ("齐膝深", np.nan), ("半人深", np.nan)],
)  # fmt: skip
def test_lengths_as_they_are_said(said, metres):
    found = parse_numbers(pd.Series([said]), unit="m", header_unit=None, upper=True)
    assert np.array_equal(found.column.to_numpy(), [metres], equal_nan=True)


@pytest.mark.parametrize(
    ("written", "unit", "heading", "value"),
    [
        ("50万", "10k CNY", None, 50.0), ("50万", "10k CNY", "万元", 50.0), ("0.12万", "person", "万人", 1200.0),
        ("0.12万", "person", None, 1200.0), ("2万", "m2", "亩", 2e4 * 10000 / 15), ("2万", "m2", "公顷", np.nan),
        ("300万", "10k m3", None, 300.0), ("1千人", "person", None, 1000.0), ("1.5万平方米", "m2", None, 15000.0),
        ("2000平", "m2", None, 2000.0), ("3分米", "m", None, 0.3), ("半天", "min", None, 720.0),
        ("12户45人", "person", None, 45.0), ("3户/11人", "person", None, 11.0), ("12户2人", "person", None, 2.0),
        ("12户45人", "household", None, 12.0), ("12户45人其中老人3人", "person", None, np.nan),
        ("500/600", "person", None, np.nan), ("水深0.3m2处", "m", None, np.nan),
    ],
)  # fmt: skip
def test_numbers_are_scaled_once_and_by_their_own_word(written, unit, heading, value):
    found = parse_numbers(pd.Series([written]), unit=unit, header_unit=heading, upper=True)
    assert np.allclose(found.column.to_numpy(), [value], equal_nan=True)


def test_several_units_above_a_table_each_count_for_what_they_measure(tmp_path):
    path = tmp_path / "a.csv"
    table = "名称,经度,纬度,可容纳人数,面积\n甲,117.021111,36.651111,0.12,0.3\n"
    path.write_text("单位：万人、公顷,,,,\n" + table, "utf-8")
    layer, _ = read(path)
    assert (layer.table["capacity"].iloc[0], layer.table["area_m2"].iloc[0]) == (1200, 3000)
    path.write_text("单位：万人、公顷、亩,,,,\n" + table, "utf-8")  # of two nothing is chosen
    layer, _ = read(path)
    assert (layer.table["capacity"].iloc[0], layer.table["area_m2"].iloc[0]) == (1200, 0.3)


def test_days_of_utc_and_of_english_months():
    said = ["2024-06-30T16:00:00Z", "2024-06-30T15:59:59.000Z", "2024-06-30T16:00:00", "30-Jun-24", "June 3, 2024"]  # fmt: skip
    assert parse_dates(pd.Series(said)).column.tolist() == [
        "2024-07-01", "2024-06-30", "2024-06-30", "2024-06-30", "2024-06-03",
    ]  # fmt: skip


def test_a_name_over_two_lines_is_one_line(tmp_path):
    rows = [
        ("名称", "经度", "纬度"),
        ("文化路\n涵洞", 117.021111, 36.651111),
        ("No 1\r\nBridge", 117.03, 36.66),
    ]
    layer, _ = read(sheet(tmp_path / "a.xlsx", rows))
    assert set(layer.table["name"]) == {"文化路涵洞", "No 1 Bridge"}


@pytest.mark.parametrize(
    ("heading", "form", "written", "metres"),
    [
        ("积水深度", '0"cm"', 8, 0.08), ("积水深度", 'General"厘米"', 30, 0.3), ("积水深度", '0.0" m"', 0.3, 0.3),
        ("积水深度(m)", '0"cm"', 0.3, 0.3), ("积水深度", '0"号"', 0.3, 0.3), ("积水深度", "0.00", 0.3, 0.3),
        ("积水深度", '0.0_m;[Red]-0.0"cm"', 0.3, 0.3),
    ],
)  # fmt: skip
def test_a_number_format_shows_the_unit_that_the_heading_does_not(
    tmp_path, heading, form, written, metres
):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        shown = book.add_format({"num_format": form})
        book.add_worksheet().write_row(0, 0, ["编号", "名称", "经度", "纬度", heading])
        for at, (name, lon, lat) in enumerate(SPOTS, 1):
            book.worksheets()[0].write_row(at, 0, [f"A{at}", name, lon, lat])
            book.worksheets()[0].write_number(at, 4, written, shown)
    layer, said = read(path, "flood_point")
    assert np.allclose(layer.table["depth_m"], metres)
    assert ("format_unit" in said) == (metres != written)


def test_a_cell_that_shows_percent_holds_a_hundredth(tmp_path):
    path = tmp_path / "a.xlsx"
    for heading in ("形象进度", "形象进度(%)"):
        with xlsxwriter.Workbook(str(path)) as book:
            book.add_worksheet().write_row(0, 0, ["项目名称", "经度", "纬度", heading])
            book.worksheets()[0].write_row(1, 0, ["甲", 117.021111, 36.651111])
            book.worksheets()[0].write_number(1, 3, 0.8, book.add_format({"num_format": "0%"}))
        layer, said = read(path, "project")
        assert layer.table["progress"].tolist() == [80.0]
        assert "format_unit" in said


def test_every_list_of_a_json_file_is_read_or_named(tmp_path):
    path = tmp_path / "a.json"
    one = {"name": "甲", "longitude": "117.021111", "latitude": 36.651111}
    two = {"name": "乙", "longitude": "117.031111", "latitude": 36.661111}
    three = {"name": "丙", "longitude": "117.041111", "latitude": 36.661111}
    said = {
        "雨量站": [one],
        "水位站": [two, three],
        "columns": [{"title": "站名", "dataIndex": "n"}],
    }
    path.write_text(json.dumps({"code": 0, "data": said}, ensure_ascii=False), "utf-8")
    layer, told = read(path, "warning_station")
    assert set(layer.table["name"]) == {"甲", "乙", "丙"}
    assert "columns" in str(told["sheets_left"].message)
    layer, _ = read(path, "warning_station", sheet="水位站")
    assert set(layer.table["name"]) == {"乙", "丙"}


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("三百五", 350), ("三百零五", 305), ("两千", 2000), ("两千三百人", 2300), ("一万二", 12000),
        ("一万零二十人", 10020), ("近千人", 1000), ("二三十人", None), ("三百二百", None), ("五六百", None), ("一二〇〇", None),
    ],
)  # fmt: skip
def test_numbers_said_in_words(said, right):
    cells = pd.Series([said], dtype=object)
    read = parse_numbers(cells, unit="person", header_unit=None, upper=False)
    assert read.column.tolist() == [right] if right else read.bad[0]
    in_ten_thousands = parse_numbers(cells, unit="person", header_unit="万人", upper=False)
    assert not read.column[0] >= 1000 or in_ten_thousands.bad[0]  # 两千 under 万人 is not guessed


def test_numbers_that_are_no_months_are_not_guessed():
    cells = [2026.1, 2026.11, "2026.10", "1900-01-00", "1900/1/0"]
    read = parse_dates(pd.Series(cells, dtype=object))
    assert read.column.fillna("").tolist() == ["2026", "2026-11", "2026-10", "", ""]
    assert read.changed[0] == "tenth"
    assert read.bad.tolist() == ["", "", "", "date", "date"]


def test_both_boxes_of_a_form():
    said = ["√是 □否", "□是 √否", "是☑否☐", "是□ 否√", "☑", "是√否", "□是□否", "√是√否"]
    read = parse_booleans(pd.Series(said, dtype=object))
    assert read.column.tolist()[:5] == [True, False, True, False, True]
    assert read.bad.tolist() == [""] * 5 + ["boolean"] * 3


def test_a_line_break_in_the_first_cell_of_a_text_table(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(
        '名称,容量(人),经度,纬度,备注\r\n"学校\n操场",100,117.0212,36.6523,"a,b"\r\n'
        "乙,50,117.0312,36.6623,\r\n".encode()
    )
    layer, said = read(path)
    assert layer.table["capacity"].tolist() == [100, 50]
    assert not {"unclosed_quote", "too_many_cells"} & set(said)


@pytest.mark.parametrize("people", ["人数", "负责人数量"])
def test_a_table_of_something_else_below_is_not_read_and_said(tmp_path, people):
    rows = [["名称", "容量(人)", "经度", "纬度"], ["甲", 100, 117.0212, 36.6523], [], ["表二 队伍"]]
    rows += [["队伍名称", people, "经度", "纬度"], ["队A", 30, 117.0312, 36.6623]]
    layer, said = read(sheet(tmp_path / "a.xlsx", rows))
    assert layer.table["name"].tolist() == ["甲"]
    assert "5" in str(said["tables_left"].message)


def test_a_shapefile_without_its_table_is_said(tmp_path):
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"名称": ["甲"]}, geometry=[shapely.Point(117.02, 36.65)], crs=4326).to_file(
        path
    )
    path.with_suffix(".dbf").unlink()
    assert read(path)[1]["no_dbf"]


def test_an_archive_of_two_kml_files_is_said(tmp_path):
    mark = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>{}</name><ExtendedData>'
        '<Data name="容量"><value>120</value></Data></ExtendedData><Point><coordinates>117.02,36.65'
        "</coordinates></Point></Placemark></Document></kml>"
    )
    path = tmp_path / "a.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.kml", mark.format("乙"))
        archive.writestr("doc.kml", mark.format("甲"))
    layer, said = read(path)
    assert layer.table[["name", "capacity"]].to_numpy().tolist() == [["甲", 120]]
    assert "b.kml" in str(said["kml_left"].message)


@pytest.mark.parametrize("code", ["0.00万人", r"0.00\万\人", '0.00"万人"'])
def test_units_of_number_formats(tmp_path, code):
    path = sheet(
        tmp_path / "a.xlsx", [["名称", "容量", "经度", "纬度"], ["甲", 1.2, 117.02, 36.65]]
    )
    book = openpyxl.load_workbook(path)
    book.active["B2"].number_format = code
    book.save(path)
    assert read(path)[0].table["capacity"].tolist() == [12000]


def test_units_of_old_number_formats_are_said(tmp_path):
    style = (
        '<number:number-style style:name="N1"><number:number number:decimal-places="2"/>'
        "<number:text>万人</number:text></number:number-style>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("content.xml", style)
    code = '0.00"万人"'
    size = (5 + 2 * len(code)).to_bytes(2, "little")
    record = b"\x1e\x04" + size + b"\xa4\x00" + len(code).to_bytes(2, "little") + b"\x01"
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + record + code.encode("utf-16-le")
    for content in (packed.getvalue(), old):
        assert "万人" in str(_old_format_remarks(content)[0].message)
    assert not _old_format_remarks(
        old.replace("万人".encode("utf-16-le"), "暂定".encode("utf-16-le"))
    )


def test_a_heading_of_another_kind_of_unit_is_told():
    for cells in ([100, "约50", "2万"], ["3"]):
        read = parse_numbers(
            pd.Series(cells, dtype=object), unit="person", header_unit="户", upper=False
        )
        assert read.bad.tolist() == ["unit"] * len(cells)


def test_thousands_parted_by_blanks():
    said = ["1 200", "4 060 123.5", "1\u00a0200人", "12 34", "1 200 30"]
    cells = pd.Series(said, dtype=object)
    read = parse_numbers(cells, unit="person", header_unit=None, upper=False)
    assert read.column.tolist()[:3] == [1200, 4060123.5, 1200]
    assert all(read.bad[3:])


def test_a_moment_in_another_zone_is_a_day_in_beijing():
    moments = pd.Series(pd.to_datetime(["2026-03-31T16:30Z", "2026-03-31T15:30Z"]), dtype=object)
    assert parse_dates(moments).column.tolist() == ["2026-04-01", "2026-03-31"]


@pytest.mark.parametrize(
    ("member", "whole"),
    [
        ({"exceededTransferLimit": True}, False),
        ({"exceededTransferLimit": False}, True),
        ({"numberMatched": 50, "numberReturned": 1}, False),
        ({"numberMatched": 1, "numberReturned": 1}, True),
    ],
)
def test_one_page_of_a_service_is_told(tmp_path, member, whole):
    place = {"type": "Point", "coordinates": [117.02, 36.65]}
    feature = {"type": "Feature", "properties": {"名称": "甲"}, "geometry": place}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], **member}))
    assert ("one_page" in read(path)[1]) is not whole


def test_what_is_not_seen_in_ods_is_told():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("content.xml", '<table:table-cell table:number-rows-spanned="2">')
    assert [remark.rule for remark in _old_format_remarks(packed.getvalue())] == ["ods_unseen"]


def test_metres_under_a_heading_in_centimetres_are_asked_for(tmp_path):
    rows = [["名称", "经度", "纬度", "积水深度(cm)"], ["甲", 117.02, 36.65, 30]]
    rows += [["乙", 117.03, 36.66, 0.5], ["丙", 117.06, 36.67, 7.5], ["丁", 117.05, 36.67, "0.5m"]]
    layer, said = read(sheet(tmp_path / "a.xlsx", rows), "flood_point")
    depth = dict(zip(layer.table["name"], layer.table["depth_m"].round(4), strict=True))
    assert depth.pop("乙") is pd.NA or said["unit_doubt"]
    assert depth == {"甲": 0.3, "丙": 0.075, "丁": 0.5}
    assert layer.table["depth_m"].isna().sum() == 1


def test_a_note_under_the_serial_numbers_is_a_note(tmp_path):
    rows = [["序号", "名称", "经度", "纬度"], [1, "甲", 117.02, 36.65], ["注：2026年3月"], [2]]
    said = read(sheet(tmp_path / "a.xlsx", rows))[1]
    assert "3" in str(said["row_note"].message)
    assert "4" in str(said["row_number_only"].message)


def test_longitude_and_latitude_go_before_x_and_y(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("名称,X,Y,经度,纬度\n甲,4057000.5,501800.5,117.0212,36.6523\n", "utf-8")
    layer, said = read(path)
    assert placed(layer)["甲"] == pytest.approx((117.0212, 36.6523))
    assert "X" in str(said["unused_columns"].message)


def test_a_quote_that_is_not_closed_is_told_still(tmp_path):
    path = tmp_path / "a.csv"
    rows = '甲,1,"117.0212,36.6523\n乙,"2,117.0312,36.6623\n丙,3,117.0512,36.6623\n'
    path.write_text("名称,容量(人),经度,纬度\n" + rows, "utf-8")
    layer, said = read(path)
    assert sorted(layer.table["name"]) == ["丙", "乙", "甲"]
    assert said["unclosed_quote"]

"""What tables and layers mean: joined cells, datums by evidence, villages, archives, other programs."""

import json
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xlsxwriter
from typer.testing import CliRunner

from riskmap.cli.app import app
from riskmap.layers.layer import LayerSpec, UnitSpec
from riskmap.layers.place.datum import gcj02_to_bd09, wgs84_to_gcj02
from riskmap.layers.place.evidence import Hints, judge_datum
from riskmap.layers.read.encoding import best_codec, decode
from riskmap.layers.read.foreign import read_dbf, shapefile_encoding
from riskmap.layers.read.layer import read_layer
from riskmap.layers.units import read_units
from riskmap.vocabulary.roles import guess_choice, load_roles, match_choice

ROLES = load_roles()
PLACE = gpd.GeoSeries([shapely.box(118.0, 36.5, 119.0, 37.0)], crs=4326)


def read(path, role="flood_point", *, place=PLACE, units=None, **words):
    spec = LayerSpec(path=path, shown=path.name, **words)
    layer, problems = read_layer(ROLES[role], [spec], crs="EPSG:4548", place=place, units=units)
    assert layer.rows_in == layer.rows_used + layer.rows_returned
    return layer, {p.rule: p for p in problems}


def test_joined_texts_are_filled_down_and_joined_sums_are_not(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate((["名称", "责任单位", "影响人口", "积水深度", "经度", "纬度"],
                                     ["甲桥", "甲街道办", 300, 0.5, 118.3011, 36.8001],
                                     ["乙桥", "", "", "", 118.3022, 36.8012],
                                     ["丙桥", "", "", "", 118.3033, 36.8023])):  # fmt: skip
            sheet.write_row(row, 0, cells)
        for column, value in ((1, "甲街道办"), (2, 300), (3, 0.5)):
            sheet.merge_range(1, column, 3, column, value)
    layer, rules = read(path)
    table = layer.table.set_index("name").loc[["甲桥", "乙桥", "丙桥"]]
    assert table["duty_unit"].tolist() == ["甲街道办"] * 3
    assert table["depth_m"].tolist() == [0.5] * 3
    assert table["people"].fillna(-1).tolist() == [300, -1, -1]
    assert {"joined_cells", "joined_number"} <= set(rules)


def test_hidden_and_struck_rows_are_told(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        struck = book.add_format({"font_strikeout": True})
        sheet.write_row(0, 0, ["名称", "经度", "纬度"])
        sheet.write_row(1, 0, ["甲", 118.3011, 36.8001])
        sheet.write_row(2, 0, ["乙", 118.3022, 36.8012], struck)
        sheet.write_row(3, 0, ["丙", 118.3033, 36.8023])
        sheet.set_row(3, None, None, {"hidden": True})
    layer, rules = read(path)
    assert layer.rows_used == 3
    assert "4" in str(rules["hidden_rows"].message)
    assert "3" in str(rules["struck_rows"].message)


@pytest.mark.parametrize(
    ("role", "field", "entry", "value"),
    [
        ("rescue_station", "type", "二级消防站", "second"),
        ("rescue_station", "type", "特勤消防站", "special"),
        ("refuge", "tier", "县级应急避难场所", "county"),
        ("flood_point", "risk_level", "重大（红色）", "4"),
        ("flood_point", "risk_level", "非重大", None),
        ("flood_point", "risk_level", "原较大，现一般", None),
        ("flood_point", "risk_level", "Ⅰ级", None),
        ("flood_point", "rain_class", "特大暴鱼", "extreme"),
        ("refuge", "status", "正在维修", "closed"),
        ("refuge", "status", "无法使用（屋顶漏雨）", "closed"),
        ("refuge", "status", "备用", "in_use"),
        ("refuge", "status", "不开放", None),
    ],
)
def test_choices_by_what_an_entry_holds(role, field, entry, value):
    found = guess_choice(ROLES[role].field(field), entry)
    assert (found[0] if found else None) == value


def test_a_bare_digit_is_no_level():
    level = ROLES["flood_point"].field("risk_level")
    assert [match_choice(level, str(n)) for n in (1, 2, 3, 4)] == [None] * 4
    assert match_choice(ROLES["hazard_source"].field("gb18218_level"), "1") == "1"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "big5"])
def test_one_bad_byte_changes_no_encoding(encoding):
    body = "名稱,地址\n中山路橋,臨淄大道\n" if encoding == "big5" else "名称,地址\n甲桥,临淄大道\n"
    raw = body.encode(encoding)
    for at in range(8, len(raw)):
        found = decode(raw[:at] + b"\xff" + raw[at:], None)
        assert found.bad >= 1
        assert found.body.startswith(body[:2])
    right = decode(raw, None)
    assert (right.body, right.bad, right.mixed) == (body, 0, ())


def test_short_chinese_words_are_told_apart():
    words = [
        "一号桥",
        "文化路",
        "临淄大道",
        "下穿立交",
        "高速路口",
        "城关中学",
        "水库大坝",
        "联通大厦",
    ]
    for word in words:
        assert best_codec(word.encode("gbk")) == "gb18030"
        assert best_codec(word.encode()) == "utf-8"


@pytest.mark.parametrize(("page", "said"), [("ISO-8859-1", True), ("UTF-8", True), ("GBK", False)])
def test_a_cpg_that_lies_is_told(tmp_path, page, said):
    path = tmp_path / "a.shp"
    frame = gpd.GeoDataFrame(
        {"名称": ["甲桥", "乙路口"]}, geometry=[shapely.Point(118.3, 36.8)] * 2, crs=4326
    )
    frame.to_file(path, encoding="gbk")
    path.with_suffix(".cpg").write_text(page)
    found = shapefile_encoding(path, None)
    assert (found.codec, found.how == "instead") == ("gb18030", said)
    assert read_dbf(path.with_suffix(".dbf"), found.codec)["名称"].tolist() == ["甲桥", "乙路口"]


def squares():
    cells = [(i, j) for i in range(4) for j in range(4)]
    return gpd.GeoDataFrame(
        {"code": [f"{i}{j}" for i, j in cells],
         "name": [f"{'甲乙丙丁'[i]}{'东西南北'[j]}镇" for i, j in cells], "level": "town"},
        geometry=[shapely.box(118 + i / 50, 36.6 + j / 50, 118.02 + i / 50, 36.62 + j / 50)
                  for i, j in cells],
        crs=4326,
    )  # fmt: skip


def placed(n, datum, seed=7):
    """Give n places in the squares in a datum, with the name of the square of each."""
    rng = np.random.default_rng(seed)
    x, y = 118 + rng.random(n) * 0.08, 36.6 + rng.random(n) * 0.08
    units = squares()
    index = (np.floor((x - 118) * 50) * 4 + np.floor((y - 36.6) * 50)).astype(int)
    names = units["name"].to_numpy()[index]
    if datum != "wgs84":
        x, y = wgs84_to_gcj02(x, y)
    if datum == "bd09":
        x, y = gcj02_to_bd09(x, y)
    return x, y, names


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
def test_the_datum_is_told_by_the_towns_that_rows_state(datum):
    x, y, names = placed(98, datum)
    judged = judge_datum(x, y, Hints(stated={"town": pd.Series(names)}, units=squares()))
    assert (judged.best, judged.decided, judged.rows) == (datum, True, 98)
    assert judged.agreement[datum] == 1.0
    few = judge_datum(x[:3], y[:3], Hints(stated={"town": pd.Series(names[:3])}, units=squares()))
    assert not few.decided


def test_auto_moves_the_points_or_asks(tmp_path):
    x, y, names = placed(60, "gcj02")
    true_x, true_y, _ = placed(60, "wgs84")
    table = pd.DataFrame({"名称": [f"点{i}" for i in range(60)], "经度": x.round(7),
                          "纬度": y.round(7), "镇街": [n.removesuffix("镇") for n in names]})  # fmt: skip
    table.to_csv(tmp_path / "a.csv", index=False)
    layer, rules = read(tmp_path / "a.csv", units=squares())
    assert "datum_judged" in rules
    at = layer.table.set_index("name").loc[table["名称"]].to_crs(4326).geometry
    assert np.abs(at.x - true_x).max() < 1e-6
    assert np.abs(at.y - true_y).max() < 1e-6
    table.head(4).to_csv(tmp_path / "b.csv", index=False)
    layer, rules = read(tmp_path / "b.csv", units=squares())
    assert "datum_judged" not in rules
    at = layer.table.set_index("name").loc[table["名称"][:4]].to_crs(4326).geometry
    assert np.abs(at.x - x[:4]).max() < 1e-6


def test_coords_tells_the_datum_or_asks(tmp_path):
    squares().to_file(tmp_path / "u.geojson")
    x, y, names = placed(98, "gcj02")
    table = pd.DataFrame({"镇街": names, "经度": x, "纬度": y})
    table.to_excel(tmp_path / "a.xlsx", index=False)
    table.head(3).to_csv(tmp_path / "few.csv", index=False)
    where = ["--from", "auto", "--units", str(tmp_path / "u.geojson"), "--stated", "镇街", "--json"]
    done = CliRunner().invoke(
        app, ["coords", str(tmp_path / "a.xlsx"), str(tmp_path / "o.csv"), *where]
    )
    said = json.loads(done.stdout)
    assert (done.exit_code, said["datum"], said["decided"]) == (0, "gcj02", True)
    assert said["agreement"]["gcj02"] == 1.0 > said["agreement"]["wgs84"]
    assert said["margin"] == pytest.approx(
        1.0 - max(said["agreement"][d] for d in ("wgs84", "bd09"))
    )
    true_x, _, _ = placed(98, "wgs84")
    assert np.abs(pd.read_csv(tmp_path / "o.csv")["经度"] - true_x).max() < 1e-8
    done = CliRunner().invoke(
        app, ["coords", str(tmp_path / "few.csv"), str(tmp_path / "p.csv"), *where]
    )
    assert (done.exit_code, json.loads(done.stdout)["decided"]) == (1, False)
    assert not (tmp_path / "p.csv").exists()


def test_rows_without_coordinates_are_placed_in_their_village(tmp_path):
    units = gpd.GeoDataFrame(
        {"name": ["甲村", "乙村"], "level": "village", "town": ["东镇", "西镇"]},
        geometry=[shapely.box(118.1, 36.7, 118.2, 36.8), shapely.box(118.2, 36.7, 118.3, 36.8)],
        crs=4326,
    )
    path = tmp_path / "a.csv"
    path.write_text(
        "名称,村,经度,纬度\n一,甲村委会,,\n二,丙村,,\n三,乙村,118.2501,36.7501\n", "utf-8"
    )
    layer, rules = read(path, units=units)
    assert layer.rows_returned == 1
    at = layer.table.set_index("name").to_crs(4326).geometry
    assert at["一"].within(units.geometry[0])
    assert "by_village" in rules


def test_a_danger_known_to_its_town_only_counts_and_stands_nowhere(tmp_path):
    from riskmap.register.items import places

    units = gpd.GeoDataFrame(
        {"name": ["甲村", "东城镇", "西城镇"], "level": ["village", "town", "town"], "town": ["东城镇", "", ""]},
        geometry=[shapely.box(118.1, 36.7, 118.2, 36.8), shapely.box(118.1, 36.7, 118.2, 36.8),
                  shapely.box(118.2, 36.7, 118.3, 36.8)],
        crs=4326, index=["1", "T1", "T2"],
    )  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(
        "隐患内容,镇街,村社区,地址,经度,纬度\n一,东城镇,甲村,,,\n二,西城镇,,某大厦,,\n三,,,西城镇老街5号,,\n"
        "四,南镇,,,,\n",
        encoding="utf-8",
    )
    layer, rules = read(path, "hidden_danger", units=units)
    table = layer.table.set_index("name")
    assert (set(table.index), layer.rows_returned) == ({"一", "二", "三"}, 1)
    assert "by_town" in rules
    assert table.to_crs(4326).geometry["二"].within(units.geometry["T2"])
    rows = places(table, units.to_crs(4548))
    assert rows["lon"].isna()[["一", "二", "三"]].tolist() == [False, True, True]
    assert rows.loc["二", ["town", "village", "unit_id"]].tolist() == ["西城镇", "", ""]
    path.write_text("名称,镇街,积水深度,经度,纬度\n二,西城镇,0.5,,\n", encoding="utf-8")
    assert read(path, units=units)[0].rows_returned == 1  # a flood point needs its place


def test_lengths_in_cgcs2000_with_and_without_zone_number(tmp_path):
    here = gpd.GeoSeries([shapely.Point(118.308, 36.827)], crs=4326)
    plain = here.to_crs(4548).iloc[0]
    shifted = shapely.Point(plain.x + 39e6, plain.y)
    for crs, shape in ((4548, shifted), (4527, plain)):
        path = tmp_path / f"{crs}.gpkg"
        gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shape], crs=crs).to_file(path)
        layer, _ = read(path)
        assert layer.table.geometry.iloc[0].distance(plain) < 0.01


def test_local_systems_and_metres_without_one_are_refused_by_name(tmp_path):
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.Point(5000, 6000)], crs=4548).to_file(path)
    path.with_suffix(".prj").write_text('LOCAL_CS["城建坐标",UNIT["metre",1]]')
    assert "城建坐标" in str(read(path)[1]["local_crs"].message)
    feature = {"type": "Feature", "properties": {"name": "甲"},
               "geometry": {"type": "Point", "coordinates": [39616693.4, 4078110.6]}}  # fmt: skip
    path = tmp_path / "b.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    assert "4527" in str(read(path)[1]["metres_in_degrees"].mend)


PARCEL = """[属性描述]
坐标系=2000国家大地坐标系
几度分带=3
带号=39
[地块坐标]
5,1,DK1,甲片区,面,J50,,,@
J1,1,4078110,39616693
J2,1,4078210,39616693
J3,1,4078210,39616793
J4,1,4078110,39616793
J1,1,4078110,39616693
J5,2,4078120,39616703
J6,2,4078130,39616703
J7,2,4078130,39616713
J5,2,4078120,39616703
"""


def test_parcels_and_points_of_surveyors(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(PARCEL.encode("gbk"))
    layer, _ = read(path, "danger_area")
    assert layer.table["name"].tolist() == ["甲片区"]
    assert layer.table.geometry.iloc[0].area == pytest.approx(100 * 100 - 50, abs=0.5)
    path.write_text("2\n1,甲点,616693.4,4078110.6,30.1\n2,乙点,616793.4,4078210.6,31.2\n", "utf-8")
    layer, _ = read(path, crs="EPSG:4548")
    at = layer.table.set_index("name").geometry
    assert (round(at["甲点"].x, 1), round(at["乙点"].y, 1)) == (616693.4, 4078210.6)


def test_a_shapefile_packed_on_chinese_windows(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    gpd.GeoDataFrame({"名称": ["甲桥"]}, geometry=[shapely.Point(118.3, 36.8)], crs=4326).to_file(
        folder / "a.shp", encoding="gbk"
    )
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in folder.iterdir():
            if part.suffix != ".cpg":
                info = zipfile.ZipInfo(f"夹/积水点{part.suffix}".encode("gbk").decode("cp437"))
                info.flag_bits = 0
                archive.writestr(info, part.read_bytes())
    assert read(path)[0].table["name"].tolist() == ["甲桥"]


@pytest.mark.parametrize("suffix", [".dwg", ".mdb", ".wt", ".dat", ".rar", ".docx", ".shx", ".qgz"])
def test_files_of_other_programs_are_named(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"x" * 200)
    _, rules = read(path)
    assert "file_kind" in rules


def test_units_by_their_source_and_strays(tmp_path):
    units = squares()
    x, y = wgs84_to_gcj02([118.0], [36.6])
    units.geometry = units.geometry.translate(float(x[0]) - 118.0, float(y[0]) - 36.6)
    units.geometry = [*units.geometry[:-1], units.geometry.iloc[-1].buffer(0.001)]
    units.loc[15, "geometry"] = shapely.box(121.0, 31.0, 121.01, 31.01)
    path = tmp_path / "边界_高德.geojson"
    units.to_file(path)
    read_, _, problems = read_units([UnitSpec(path=path, shown=path.name, level="town", code="code",
                                           name="name")])  # fmt: skip
    rules = {p.rule: p for p in problems}
    assert "gcj02" in str(rules["datum_from_source"].message)
    west, south, *_ = read_.geometry["00"].bounds
    assert (west, south) == pytest.approx((118.0, 36.6), abs=2e-4)
    assert "丁北镇" in str(rules["stray_unit"].message)


@pytest.mark.parametrize(
    ("heading", "numbers", "right"),
    [
        (
            "积水深度",
            ["30", "5", "8"],
            [None, None, None],
        ),  # centimetres, most likely: asked, not taken
        ("积水深度（cm）", ["30", "5", "8"], [0.3, 0.05, 0.08]),
        ("积水深度", ["0.3", "0.5", "45", "0.2"], [0.3, 0.5, None, 0.2]),  # one slip
        ("积水深度", ["1", "2", "3"], [1.0, 2.0, 3.0]),
    ],
)
def test_depths_without_a_unit_that_look_like_centimetres_are_asked_for(
    tmp_path, heading, numbers, right
):
    lines = [
        f"名称,经度,纬度,{heading}",
        *(f"点{i},118.{i + 1},36.6,{n}" for i, n in enumerate(numbers)),
    ]
    (tmp_path / "p.csv").write_text("\n".join(lines), encoding="utf-8")
    layer, _ = read(tmp_path / "p.csv", datum="wgs84")
    assert layer.rows_used == len(numbers)
    found = [
        None if v != v else round(v, 6)
        for v in layer.table.sort_values("name")["depth_m"].astype(float)
    ]
    assert found == right


def test_households_alone_are_counted_as_people(tmp_path):
    """20 x 2.62 = 52.4, rounded up; 0 people of 6 households are none stated; 7 stay 7."""
    gpd.GeoDataFrame(
        {
            "名称": list("甲乙丙丁"),
            "人数": [None, 0, 7, None],
            "户数": [20, 6, 3, None],
            "特殊人群人数": [53, 16, 8, 5],
        },
        geometry=[shapely.box(x, 36.7, x + 0.001, 36.701) for x in (118.3, 118.4, 118.5, 118.6)],
        crs=4326,
    ).to_file(tmp_path / "危险区.geojson")
    layer, said = read(tmp_path / "危险区.geojson", "danger_area")
    people = layer.table.set_index("name")["people"]
    assert people[["甲", "乙", "丙"]].tolist() == [53, 16, 7]
    assert np.isnan(people["丁"])
    assert "households_alone" in said
    odd = said["more_vulnerable"]  # 8 of 7; nobody knows of how many the 5 are
    assert (odd.count, float(odd.value)) == (1, 8.0)


@pytest.mark.parametrize(
    ("table", "right"),
    [
        ("物资名称,数量（箱）\n水,20\n面,30\n", [("水", 20, "箱"), ("面", 30, "箱")]),
        (
            "物资名称,数量,计量单位\n被,60床,\n被,40,床\n被,9箱,床\n",
            [("被", 60, "床"), ("被", 40, "床")],
        ),
        ('物资类别,数量,单位\n被服,"1,200",件\n', [("被服", 1200, "件")]),
        ("物资名称,库存,库点\n帐篷,33顶（套）,\n泵,2台（其中1台故障）,\n", [("帐篷", 33, "顶")]),
        ("物资名称,数量（公斤）\n米,3万\n", [("米", 30000, "公斤")]),
        ("物资名称,数量（估）,单位\n米,3,袋\n", None),
    ],
)
def test_quantities_of_stock_with_their_words(tmp_path, table, right):
    (tmp_path / "stock.csv").write_text(table, encoding="utf-8")
    layer, _ = read(tmp_path / "stock.csv", "stock")
    rows = [] if layer.table is None else layer.table[["name", "quantity", "measure_unit"]]
    assert (sorted(rows.itertuples(index=False, name=None)) if len(rows) else None) == (
        sorted(right) if right else None
    )


def test_a_station_without_people_is_out_of_use(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(
        "站点名称,人数,经度,纬度\n甲,0,118.3011,36.7011\n乙,,118.4011,36.7011\n丙,6人,118.5011,36.7011\n",
        encoding="utf-8",
    )
    layer, said = read(path, "rescue_station")
    used = ROLES["rescue_station"].in_use(layer.table)
    assert sorted(layer.table["name"][used]) == ["丙", "乙"]
    assert "no_staff" in said

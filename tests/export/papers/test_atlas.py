"""Sheets: every element is there with the folder's own numbers, no label lies on another."""

import itertools
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pypdf import PdfReader

from riskmap import pipeline
from riskmap.errors import ExportError, UsageError
from riskmap.export import bundle
from riskmap.export.geopackage.read import open_results
from riskmap.export.papers import drafts
from riskmap.export.papers.drafts import LAYOUTS, MARGIN, Options, poster_draft, unit_draft
from riskmap.export.papers.drawing import (
    SCALES,
    Wish,
    along,
    around,
    choose_frame,
    place,
    scale_bar,
    width,
)
from riskmap.export.papers.folder import TEMPLATES, Atlas, make_atlas, sheet_name
from riskmap.export.papers.panels import _duty_table
from riskmap.export.papers.scene import Book, open_book
from riskmap.export.papers.typeset import find_fonts, lacking, typeset
from riskmap.project.schema import load_project
from riskmap.vocabulary.roles import load_roles
from tests import rural
from tests.export.test_public import unpacked

CRS = "EPSG:4549"
HOTLINE = "0570-3000000"


def text_of(path):
    """Everything a PDF says, without blanks and breaks."""
    data = path.read_bytes() if isinstance(path, Path) else path
    pages = PdfReader(BytesIO(data)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


@pytest.fixture(scope="module")
def atlas(county, tmp_path_factory) -> Atlas:
    return make_atlas(
        county, tmp_path_factory.mktemp("atlas"), kinds=("village", "town"),
        options=Options(hotline=HOTLINE),
    )  # fmt: skip


def sheet(atlas, name):
    return atlas.folder / next(one.file for one in atlas.sheets if one.name == name)


def test_every_village_and_town_has_a_sheet(atlas, county):
    units = open_results(county).units
    wanted = {
        (level, code) for code, level in units["level"].items() if level in {"village", "town"}
    }
    assert {(one.kind, one.code) for one in atlas.sheets if one.file} == wanted
    assert all((atlas.folder / one.file).stat().st_size < 120_000 for one in atlas.sheets)


def test_a_village_sheet_has_every_element(atlas, county):
    said = text_of(sheet(atlas, "双溪口村"))
    opened = open_results(county)
    for words in (
        "双溪乡双溪口村防汛防台形势图", "330802001204", "比例尺1:", "图例", "2026-04-01", "版本V1",
        "内部版", "未经审图，不得公开", "编制单位：示范县防汛防台指挥部办公室", HOTLINE, "坐标系：EPSG:4549",
        "防汛防台责任人（A、B角）", "责任人A1", "责任人B1", "危1", "避1", "N",
    ):  # fmt: skip
        assert words.replace(" ", "") in said, words
    area = opened.table("danger_area").set_index("name").loc["双溪口村老屋"]
    for value in (
        "双溪口村老屋", "危房", f"{area['households']:.0f}户{area['people']:.0f}人", area["trigger"],
        area["person"], area["phone"],
    ):  # fmt: skip
        assert value in said
    moves = opened.table("plan_refuges_assignment")
    here = moves[moves["village"] == "双溪口村"]
    for _, move in here.iterrows():
        assert f"{move['metres']:.0f}{move['minutes']:.0f}" in said
        assert move["heading"] in said
    refuge = "双溪口村文化礼堂避灾安置点"
    assigned = moves.loc[moves["refuge"] == refuge, "people"].sum()
    places = opened.table("plan_refuges_capacity").set_index("name").loc[refuge, "places"]
    assert f"{places:.0f}{assigned:.0f}是管理员4" in said
    store = text_of(sheet(atlas, "碶头村"))
    for value in (
        "碶头村防汛物资库",
        "保管员1",
        "00003000000",
        "碶头村雨量站",
        "1小时40毫米、3小时80毫米",
    ):
        assert value in store


def test_people_without_a_place_stand_on_the_sheet(atlas, county):
    """To move is everybody whom the plan counts, not only those who have somewhere to go."""
    short = open_results(county).table("plan_refuges_shortfall")
    lack = short.groupby("town")[["people", "shortfall"]].sum()
    assert (lack["shortfall"] >= 1).any()
    for town, row in lack.iterrows():
        said = text_of(sheet(atlas, town))
        assert f"{row['people']:.0f}{row['shortfall']:.0f}" in said
        if row["shortfall"] >= 1:
            assert f"尚有{row['shortfall']:.0f}人没有去处" in said


def test_what_nobody_gave_is_listed(atlas):
    lacks = {one.name: one.missing for one in atlas.sheets}
    assert lacks["碶头村"] == ()
    assert set(lacks["竹园底村"]) >= {"物资仓库", "A、B角责任人"}
    listed = pd.read_csv(atlas.folder / "sheets.csv", dtype=str, encoding="utf-8-sig")
    assert len(listed) == len(atlas.sheets)
    row = listed.set_index("名称").loc["竹园底村"]
    assert "A、B角责任人" in row["缺项"]
    assert row["版本"] == "V1"


def test_fonts_are_subsets_and_the_file_is_an_archive(atlas):
    reader = PdfReader(sheet(atlas, "碶头村"))
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            assert "+NotoSansCJKsc" in str(font.get_object()["/BaseFont"])
    assert b"<pdfaid:part>2</pdfaid:part>" in sheet(atlas, "碶头村").read_bytes()


def test_a_second_run_makes_nothing_anew_and_elsewhere_the_same_bytes(atlas, county, tmp_path):
    before = {one.file: (atlas.folder / one.file).stat().st_mtime_ns for one in atlas.sheets}
    options = Options(hotline=HOTLINE)
    again = make_atlas(county, atlas.folder, kinds=("village", "town"), options=options)
    assert again.count("same") == len(atlas.sheets)
    assert before == {
        one.file: (atlas.folder / one.file).stat().st_mtime_ns for one in again.sheets
    }
    fresh = make_atlas(county, tmp_path, kinds=("village",), options=options)
    for one in fresh.sheets:
        assert (tmp_path / one.file).read_bytes() == (atlas.folder / one.file).read_bytes()


def test_only_the_sheet_whose_content_changed_is_made_anew(atlas, county, tmp_path):
    source, sheets = tmp_path / "out", tmp_path / "sheets"
    shutil.copytree(county, source)
    shutil.copytree(atlas.folder, sheets)
    with closing(sqlite3.connect(source / "riskmap.gpkg")) as base, base:
        for (trigger,) in base.execute(
            "select name from sqlite_master where type='trigger'"
        ).fetchall():
            base.execute(f'drop trigger "{trigger}"')
        base.execute("update supply_depot set person = '新保管员' where name like '石门坑村%'")
    made = make_atlas(source, sheets, kinds=("village",), options=Options(hotline=HOTLINE))
    assert [(one.name, one.version) for one in made.sheets if one.state == "changed"] == [
        ("石门坑村", 2)
    ]
    assert made.count("same") == 6
    assert "版本V2" in text_of(
        sheets / next(one.file for one in made.sheets if one.name == "石门坑村")
    )


def test_an_office_may_change_the_layout(county, tmp_path):
    ours = Path("riskmap/export/papers/templates/atlas.typ").resolve()
    mine = tmp_path / "mine.typ"
    mine.write_text(ours.read_text("utf-8").replace("d.title)", 'd.title + "（县版）")'), "utf-8")
    made = make_atlas(county, tmp_path / "s", names=["碶头村"], options=Options(template=mine))
    assert "形势图（县版）" in text_of(tmp_path / "s" / made.sheets[0].file)
    mine.write_text("#let x = (", "utf-8")
    with pytest.raises(ExportError, match="unclosed"):
        make_atlas(county, tmp_path / "s", names=["碶头村"], options=Options(template=mine))


def test_the_hotline_of_the_project_file_is_printed(county, tmp_path):
    source = tmp_path / "out"
    shutil.copytree(county, source)
    with closing(sqlite3.connect(source / "riskmap.gpkg")) as base, base:
        base.execute("update facts set value = '\"0570-1234567\"' where key = 'hotline'")
    made = make_atlas(source, tmp_path / "s", names=["碶头村"])
    assert "0570-1234567" in text_of(tmp_path / "s" / made.sheets[0].file)
    assert "值班电话" not in made.sheets[0].missing


def test_unknown_names_are_refused(county, tmp_path):
    with pytest.raises(UsageError, match="无此村"):
        make_atlas(county, tmp_path, names=["无此村"])


def test_cards_and_posters(county, tmp_path):
    made = make_atlas(county, tmp_path, kinds=("point", "poster"), names=[])
    items = open_results(county).items
    cards = [one for one in made.sheets if one.kind == "point"]
    assert [one.code for one in cards] == list(items.index)
    worst = items.iloc[0]
    said = text_of(tmp_path / cards[0].file)
    for value in (worst["name"], worst["measure"], worst["deadline"], worst["refuge_name"]):
        assert "".join(str(value).split()) in said
    sizes = [PdfReader(tmp_path / one.file).pages[0].mediabox for one in made.sheets[len(cards) :]]
    assert [round(float(size.width) / 72 * 25.4) for size in sizes] == [420, 1189]


# ---- places that never were -------------------------------------------------------------------------


@dataclass
class Made:
    """A results folder in memory."""

    frames: dict
    facts: dict = field(
        default_factory=lambda: {
            "lang": "zh",
            "crs": CRS,
            "name": "图",
            "profile": "internal",
            "data_date": "2026-04-01",
        }
    )
    folder: Path = Path("/nowhere")

    @property
    def tables(self):
        return tuple(self.frames)

    def table(self, name):
        return self.frames[name]

    @property
    def units(self):
        return self.frames["units"].set_index("unit_id")


def layer(rows, shapes):
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def made_book(side, *, name="一村", **frames):
    west, south = 400_000.0, 3_200_000.0
    village = shapely.box(west, south, west + side, south + side)
    rows = [
        {
            "unit_id": "T",
            "parent_id": "",
            "level": "town",
            "name": "一乡",
            "population": 9.0,
            "area_km2": 1.0,
        },
        {
            "unit_id": "V",
            "parent_id": "T",
            "level": "village",
            "name": name,
            "population": 9.0,
            "area_km2": 1.0,
        },
    ]
    units = layer(rows, [village, village])
    return Book(Made({"units": units, **frames}), load_roles())


def draft(book, paper="a3"):
    return unit_draft(book, "V", Options(paper=paper))


def overlaps(drawn):
    boxes = [shapely.Polygon(label.box) for label in drawn.labels]
    return sum(a.intersection(b).area > 1e-6 for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("side", [100.0, 1_000.0, 17_320.0])
@pytest.mark.parametrize("paper", ["a3", "a4"])
def test_a_bare_village_of_any_size(side, paper):
    book = made_book(side)  # no roads, no refuge, nothing
    found = draft(book, paper)
    scale = int(found.said["scale"])
    assert scale in SCALES
    wide, high = found.said["map_mm"]
    assert side <= scale / 1000 * min(wide, high)
    assert "道路" in found.missing


@pytest.mark.parametrize("n", [6, 18, 30])
@pytest.mark.parametrize("paper", ["a3", "a4"])
@pytest.mark.parametrize("upright", [False, True])
def test_every_sign_of_the_legend_stands_alone_inside_its_frame(paper, upright, n, monkeypatch):
    layout = LAYOUTS[paper][upright]
    monkeypatch.setattr(drafts, "LAYOUTS", {paper: (layout,)})
    found = draft(made_book(1_000), paper)
    signs = [{**found.said["legend"][0], "name": f"易涝积水点 较大{i:02d}"} for i in range(n)]
    values = {**found.said, "legend": signs, "tables": [], "version": "V1"}
    pdf = typeset((TEMPLATES / "atlas.typ").read_text("utf-8"), values=values, assets=found.assets)
    page = PdfReader(BytesIO(pdf)).pages[0]
    seen = []

    def note(text, cm, tm, _font, size):
        if "较大" in text:
            high = size * abs(tm[3] * cm[3])
            seen.append((round(cm[4] + tm[4] * cm[0]), cm[5] + tm[5] * cm[3], high))

    page.extract_text(visitor_text=note)
    assert len(seen) == n
    strip = (layout.foot + MARGIN) / 25.4 * 72
    assert min(y for _, y, _ in seen) > strip
    for column in {x for x, _, _ in seen}:
        rows = sorted((y, high) for x, y, high in seen if x == column)
        gaps = [above - below for (below, _), (above, _) in itertools.pairwise(rows)]
        assert all(gap > high for gap, (_, high) in zip(gaps, rows, strict=False))


def test_three_thousand_points_in_one_village(tmp_path):
    rng = np.random.default_rng(3)
    n = 3_000
    book = made_book(
        2_000,
        flood_point=layer(
            {"item_id": [f"P{i}" for i in range(n)], "name": [f"第{i}号积水点" for i in range(n)], "level": rng.integers(0, 5, n)},
            shapely.points(400_000 + rng.uniform(0, 2_000, n), 3_200_000 + rng.uniform(0, 2_000, n)),
        ),
        refuge=layer(
            {"item_id": [f"R{i}" for i in range(120)], "name": [f"第{i}号避难场所" for i in range(120)], "capacity": [100.0] * 120},
            shapely.points(400_000 + rng.uniform(0, 900, 120), 3_200_000 + rng.uniform(0, 900, 120)),
        ),
    )  # fmt: skip
    found = draft(book)
    assert overlaps(found.map) == 0
    assert len(found.map.labels) > 60
    table = next(one for one in found.said["tables"] if one["title"] == "其他风险点")
    assert len(table["rows"]) == 40
    assert "共3000处" in table["note"]


def test_no_label_lies_on_another_or_on_a_symbol(county):
    book = open_book(county)
    for code in (*book.finest.index, "330802001"):
        drawn = unit_draft(book, code, Options()).map
        assert overlaps(drawn) == 0
        assert len(drawn.labels) > len(drawn.left_out)
    assert overlaps(poster_draft(book, "a3", Options()).map) == 0


def test_places_of_labels_against_brute_force():
    rng = np.random.default_rng(11)
    wishes = []
    for i in range(300):
        x, y = rng.uniform(5, 195, 2)
        if i % 3:
            wishes.append(
                Wish(lines=("某某村",), size=2.5, spots=around(x, y, 7.5, 2.5, radius=1.0), rank=i)
            )
        else:
            line = np.array([[x, y], [x + rng.uniform(10, 30), y + rng.uniform(-20, 20)]])
            wishes.append(Wish(lines=("路",), size=2.5, spots=along(line, 2.5), rank=i))
    symbols = [
        np.array([[x, y], [x + 2, y], [x + 2, y + 2], [x, y + 2]])
        for x, y in rng.uniform(0, 198, (60, 2))
    ]
    stood, left = place(wishes, size=(200, 200), obstacles=symbols)
    assert len(stood) + len(left) == 300
    shapes = [shapely.Polygon(one.box) for one in stood]
    assert not any(a.intersects(b) for a, b in itertools.combinations(shapes, 2))
    marks = shapely.MultiPolygon([shapely.Polygon(box) for box in symbols])
    assert not any(shape.buffer(0.2).intersection(marks).area > 1e-6 for shape in shapes)
    sheet_ = shapely.box(0, 0, 200, 200)
    assert all(sheet_.covers(shape) for shape in shapes)


def printed(book, paper="a3"):
    found = draft(book, paper)
    template = (TEMPLATES / "atlas.typ").read_text("utf-8")
    return text_of(typeset(template, values={**found.said, "version": "V1"}, assets=found.assets))


@pytest.mark.parametrize("paper", ["a3", "a4"])
def test_no_row_is_lost_however_long_the_tables_are(paper):
    n = 80
    book = made_book(
        1_000,
        danger_area=layer(
            {"item_id": [f"A{i}" for i in range(n)], "name": [f"第{i}危险区" for i in range(n)], "type": "lowland", "people": 3.0, "households": 1.0, "trigger": ["长" * (600 if i % 7 == 0 else 9) for i in range(n)], "level": 4},
            [shapely.box(400_010 + 9 * i, 3_200_100, 400_100 + 9 * i, 3_200_200) for i in range(n)],
        ),
    )  # fmt: skip
    said = printed(book, paper)
    assert all(f"第{i}危险区" in said for i in range(n))
    assert said.count("……") == 2 * (n // 7 + 1)  # among the areas and among the triggers


def test_a_row_higher_than_a_page_and_a_word_without_end():
    area = {
        "item_id": "A",
        "name": "溪边" * 3_000,
        "type": "lowland",
        "people": 3.0,
        "trigger": "x" * 4_000,
        "level": 4,
    }
    book = made_book(
        1_000, danger_area=layer([area], [shapely.box(400_100, 3_200_100, 400_300, 3_200_300)])
    )
    said = printed(book)
    assert "……" in said
    assert "火警119" in said  # what stands below is there


def test_routes_of_a_scenario_start_in_the_areas_of_that_scenario():
    base, storm = (
        shapely.box(400_100, 3_200_100, 400_200, 3_200_200),
        shapely.box(400_600, 3_200_600, 400_700, 3_200_700),
    )
    row = {
        "item_id": "A",
        "type": "lowland",
        "people": 7.0,
        "households": 2.0,
        "trigger": None,
        "level": 3,
    }
    moves = pd.DataFrame(
        [
            {
                "scenario": "大暴雨",
                "town": "一乡",
                "village": "一村",
                "name": "大暴雨淹没区",
                "people": 7.0,
                "refuge_id": "R",
                "refuge": "学校",
                "mode": "步行",
                "metres": 450.0,
                "minutes": 7.5,
                "heading": "东",
            }
        ]
    )
    book = made_book(
        1_000,
        danger_area=layer([{**row, "name": "常年危险区"}], [base]),
        danger_area_scenarios=layer([{**row, "name": "大暴雨淹没区", "scenario": "大暴雨"}, {**row, "name": "别的情景", "scenario": "别的"}], [storm, base]),
        plan_refuges_assignment=moves,
        refuge=layer([{"item_id": "R", "name": "学校", "capacity": 50.0}], [shapely.Point(400_900, 3_200_900)]),
    )  # fmt: skip
    said = printed(book)
    assert "大暴雨淹没区" in said
    assert "转移路线情景：大暴雨" in said
    assert "常年危险区" not in said
    assert "别的情景" not in said
    assert "危1避1步行东45087" in said  # 450 m, 7.5 minutes rounded as the paper rounds, 7 people


ODD = '#村 $x$ <b>{{y}}</b> *粗* _斜_ \\ "引" @z [q]'


def test_names_with_marks_rare_letters_and_forty_letters(tmp_path):
    long = "特别特别长的自然村名称" * 4
    book = made_book(
        1_000, name=ODD,
        danger_area=layer(
            [{"item_id": "A", "name": ODD, "type": "lowland", "people": 3.0, "households": 1.0, "trigger": "50%#警", "level": 4},
             {"item_id": "B", "name": "碶鄮㙟𪚥", "type": "house", "people": 4.0, "households": 2.0, "trigger": None, "level": 0}],
            [shapely.box(400_100, 3_200_100, 400_300, 3_200_300), shapely.box(400_500, 3_200_500, 400_700, 3_200_700)],
        ),
        refuge=layer([{"item_id": "R", "name": long[:40], "capacity": 10.0, "person": None}], [shapely.Point(400_800, 3_200_200)]),
    )  # fmt: skip
    found = draft(book)
    values = {**found.said, "version": "V1"}
    said = text_of(
        typeset((TEMPLATES / "atlas.typ").read_text("utf-8"), values=values, assets=found.assets)
    )
    assert "".join(ODD.split()) in said
    assert "碶鄮㙟〓" in said
    assert long[:40] in said
    assert list(lacking(values, find_fonts())) == ["𪚥"]


def test_file_names_that_every_system_holds():
    assert sheet_name("1", 'a/b\\c:d*e?f"g<h>i|j') == "1_a_b_c_d_e_f_g_h_i_j.pdf"
    assert len(sheet_name("1", "长" * 300)) < 60
    assert sheet_name("1", "..") == "1.pdf"


def test_frames_are_the_largest_round_ones_that_hold_a_place():
    rng = np.random.default_rng(5)
    for _ in range(200):
        wide, high = rng.uniform(30, 30_000, 2)
        west, south = rng.uniform(0, 1e6, 2)
        frame = choose_frame((west, south, west + wide, south + high), wide=265, high=212)
        held = shapely.box(*frame.bounds).covers(
            shapely.box(west, south, west + wide, south + high)
        )
        assert held
        finer = [s for s in SCALES if 500 <= s < frame.scale]
        if finer:
            room = finer[-1] / 1000 * 0.92
            assert wide > 265 * room or high > 212 * room


def test_a_scale_bar_is_as_long_as_it_says():
    for scale in SCALES:
        _, long = scale_bar(scale)
        metres = long / 1000 * scale
        first = float(f"{metres:.3e}".split("e")[0])
        assert first in {1.0, 2.0, 5.0}
        assert 20 < long <= 60


LONG_HEX = re.compile(rb"[0-9a-f]{256,}")
"""The zipped QGIS project, whose digits spell anything; it is unpacked beside it."""


def test_the_public_edition_names_nobody(county, tmp_path):
    tables = (rural.areas(), *rural.points().values())
    heads = ("姓名", "责任人", "联系电话")
    secret = {word for rows in tables for head in heads if head in rows for word in rows[head]}
    assert len(secret) > 80
    inside = b"".join(content for _, content in unpacked(county))
    assert not [word for word in secret if word.encode() not in inside]
    project = load_project(rural.write(tmp_path / "p"))
    folder = bundle.write(pipeline.run(project, profile="public"), tmp_path / "out")
    for name, content in unpacked(folder):
        public = LONG_HEX.sub(b"", content)
        assert not [word for word in secret if word.encode() in public], name
    made = make_atlas(folder, tmp_path / "s", kinds=("village", "town", "point"))
    names = secret | {"管理员", "保管员"}
    for one in made.sheets:
        said = text_of(tmp_path / "s" / one.file)
        assert "公开版" in said
        assert not [name for name in names if name in said]


def _small_place(**facts):
    at = shapely.Point(400_500.0, 3_200_500.0)
    area = {
        "item_id": "D1",
        "name": "溪边",
        "type": "lowland",
        "people": 47.0,
        "households": 9.0,
        "level": 3,
    }
    refuge = {"item_id": "R1", "name": "小学", "capacity": 163.0}
    book = made_book(
        1_000.0, danger_area=layer([area], [at.buffer(150)]),
        refuge=layer([refuge], [shapely.Point(400_800.0, 3_200_800.0)]),
    )  # fmt: skip
    book.opened.facts.update(facts)
    return draft(book)


def test_the_public_edition_gives_no_count_of_people_or_places_away():
    found = _small_place(profile="public")
    tables = {one["title"]: one for one in found.said["tables"]}
    assert tables["危险区"]["rows"][0][3:5] == ["不足10", "约50"]  # 9 households, 47 people
    assert tables["危险区"]["note"] == "共1处、不足10户、约50人"
    assert "约200" in tables["避难场所"]["rows"][0]  # 163 places
    shown = "".join("".join(label.wish.lines) for label in found.map.labels)
    assert "约50人" in shown
    assert "可容约200人" in shown
    assert not any(exact in shown for exact in ("47", "163"))
    inside = {one["title"]: one for one in _small_place().said["tables"]}
    assert inside["危险区"]["note"] == "共1处、9户、47人"


def test_a_refuge_that_may_not_be_used_is_grey_and_says_so():
    rows = {"item_id": ["R1", "R2"], "name": ["老校", "新校"], "capacity": [190.0, 80.0]}
    spots = shapely.points([[400_300.0, 3_200_300.0], [400_800.0, 3_200_800.0]])
    known = {"item_id": ["R1", "R2"], "scenario": ["", ""], "usable": [False, True]}
    book = made_book(
        1_000.0, refuge=layer(rows, spots),
        plan_refuges_capacity=pd.DataFrame({**known, "places": [0, 80]}),
    )  # fmt: skip
    found = draft(book)
    shown = {label.wish.lines for label in found.map.labels if label.wish.look == "refuge"}
    assert shown == {("避1 老校", "不可用"), ("避2 新校", "可容80人")}
    legend = [one["name"] for one in found.said["legend"]]
    assert "避难场所" in legend
    assert "避难场所（不可用）" in legend
    table = next(one for one in found.said["tables"] if one["title"] == "避难场所")
    at = [one["name"] for one in table["columns"]].index("可用")
    assert [row[at] for row in table["rows"]] == ["否", "是"]


def test_an_island_of_two_parts_is_whole_on_its_sheet():
    west, south = 400_000.0, 3_200_000.0
    shape = shapely.union_all(
        [shapely.Point(west + 600, south + 600).buffer(500), shapely.Point(west + 2_600, south + 300).buffer(120)]
    )  # fmt: skip
    book = made_book(1_000.0, waterway=layer(
        {"item_id": ["W1"], "name": ["东海"]},
        [shapely.box(west - 9e3, south - 9e3, west + 9e3, south + 9e3).difference(shape)],
    ))  # fmt: skip
    book.opened.frames["units"].loc[1, "geometry"] = shape
    found = draft(book)
    scale, (wide, high) = int(found.said["scale"]), found.said["map_mm"]
    across, up = shape.bounds[2] - shape.bounds[0], shape.bounds[3] - shape.bounds[1]
    assert across <= scale / 1000 * wide
    assert up <= scale / 1000 * high
    assert "河流水系" in [one["name"] for one in found.said["legend"]]
    assert overlaps(found.map) == 0
    assert "转移路线" in found.missing  # no road leads off it


def test_layouts_fill_their_pages():
    for layouts in LAYOUTS.values():
        for one in layouts:
            body = one.page[1] - 16 - one.title - one.foot
            assert one.map[1] + 7.2 + one.strip + 1 <= body + 0.01
            assert one.map[0] + 7.2 <= one.page[0] - 16


def test_widths_are_those_of_the_font():
    import noto_cjk_sans_otc
    from PIL import ImageFont

    font = ImageFont.truetype(str(noto_cjk_sans_otc.FONT_PATH), 1000, index=2)
    for said in ("中文，村。", "R12 abcW", "1:25000"):
        assert width(said) == pytest.approx(
            font.getlength(said, features=["-kern"]) / 1000, abs=0.05
        )


def test_a_group_that_has_nobody_keeps_a_line_for_the_pen():
    people = pd.DataFrame(
        {"name": ["甲", "乙", "丙"], "phone": ["1", "2", "3"], "village": ["村"] * 3,
         "duty": ["村党组织书记", "人员转移组", "人员转移组"], "role_ab": ["A", "A", "B"]}
    )  # fmt: skip
    table, whole = _duty_table(made_book(1_000.0, person=people.assign(village="一村")), "V")
    assert [row for row in table["rows"] if not (row[1] or row[2])] == [
        [said, "", ""] for said in ("监测预警组", "信息报送人", "抢险救援组", "后勤保障组")
    ]
    assert table["rows"][1] == ["人员转移组", "乙 2", "丙 3"]
    assert not whole

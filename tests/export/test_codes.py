"""Every code that a stage writes is a word in page, workbook and GeoPackage, in both languages."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import yaml
from shapely.geometry import LineString, Point, box

from riskmap.export.geopackage.read import open_results
from riskmap.export.geopackage.write import write_geopackage
from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.scenes import plan_parts
from riskmap.export.workbook.books import write_plans
from riskmap.i18n import both, language, text
from riskmap.result import Plan
from riskmap.vocabulary import columns
from riskmap.vocabulary.columns import CODES, UNITS, words_of
from riskmap.vocabulary.marks import bands, marks
from tests import street
from tests.sample import sample_result

HAN = re.compile(r"[\u4e00-\u9fff]")
FILE = Path(columns.__file__).with_suffix(".yaml")
SHAPES = {
    "coverage": box(0, 0, 9, 9), "danger_area": box(0, 0, 9, 9), "site": Point(1, 1),
    "unusable": Point(2, 1), "shortfall": Point(3, 1),
}  # fmt: skip


def coded(section):
    """A table whose columns hold every code that they may hold in a plan of this kind."""
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    names = {*raw["all"], *raw.get(section, {})}
    found = {n: one.choices for n in sorted(names) if (one := columns.column(n, section))}
    lists = {n: list(map(str, CODES[kind])) for n, kind in found.items() if kind in CODES}
    lists = {n: codes for n, codes in lists.items() if n not in ("kind", "when", "plan")}
    assert lists
    most = max(map(len, lists.values()))
    rows = {n: list(itertools.islice(itertools.cycle(codes), most)) for n, codes in lists.items()}
    return pd.DataFrame(rows, dtype=object), lists


def drawn():
    """A layer of every kind, with every mode."""
    frames = {}
    for kind in CODES["kind"]:
        shape = SHAPES.get(str(kind), LineString([(0, 0), (9, 9)]))
        frames[f"{kind}s"] = gpd.GeoDataFrame(
            {
                "kind": str(kind), "label": text("Notes"), "scenario": "", "when": ["before", "after"],
                "people": [3.0, 4.0], "mode": list(map(str, CODES["mode"])), "band": [1, 9],
            },
            geometry=[shape, shape], crs="EPSG:4548",
        )  # fmt: skip
    return frames


@pytest.fixture(scope="module")
def whole():
    plans = {}
    for plan, section in (("refuges", "refuges"), ("stations", "stations")):
        table, _ = coded(section)
        layers = drawn()
        titles = dict.fromkeys(layers, text("Notes"))
        plans[plan] = Plan(tables={"coded": table}, layers=layers, titles=titles)
    return replace(sample_result(n_side=4, n_points=6), plans=plans)


def test_every_code_has_words_in_both_languages():
    for kind, codes in CODES.items():
        words = words_of(kind)
        assert list(words) == list(codes), kind
        for code, word in words.items():
            said = both(word)
            assert HAN.search(said["zh"]), (kind, code)
            assert said["en"].strip(), (kind, code)
            assert not HAN.search(said["en"]), (kind, code)


def test_every_column_has_words_and_known_codes_and_forms():
    raw = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    for section, entries in raw.items():
        for name in entries:
            one = columns.column(name, section)
            said = both(one.label)
            assert HAN.search(said["zh"]), (section, name)
            assert said["en"], (section, name)
            assert not HAN.search(said["en"]), (section, name)
            assert one.form in columns.FORMS, (section, name)
            assert one.choices in {"", "level", *CODES}, (section, name)
            assert one.sensitivity in ("public", "internal"), (section, name)
            assert not one.unit or one.unit in UNITS, (section, name)


def test_every_kind_of_map_object_has_a_look():
    assert set(marks()) == set(map(str, CODES["kind"]))
    assert len(bands()) == 9
    colours = [mark.colour for mark in marks().values()] + [b.fill for b in bands()]
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)
    for kind, mark in marks().items():
        if isinstance(SHAPES.get(kind), Point):
            assert mark.symbol, kind


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_workbooks_hold_words(whole, tmp_path, lang):
    with language(lang):
        write_plans(whole, tmp_path)
        for plan, file in (("refuges", "避难方案.xlsx"), ("stations", "救援站点方案.xlsx")):
            _, lists = coded(plan)
            book = openpyxl.load_workbook(tmp_path / file)
            rows = list(book.worksheets[1].iter_rows(min_row=3, values_only=True))
            book.close()
            heads = [str(columns.column(n, plan).label) for n in lists]
            assert list(rows[0]) == heads
            for place, (name, codes) in enumerate(lists.items()):
                said = [row[place] for row in rows[1:]]
                words = words_of(columns.column(name, plan).choices)
                allowed = {str(words[code]) for code in codes}
                if name == "what":
                    allowed |= {str(role.label) for role in whole.roles.values()}
                assert None not in said
                assert set(said) <= allowed, (plan, name)


@pytest.mark.parametrize(
    ("lang", "heads"), [("zh", ("已落实", "缺口")), ("en", ("With a place", "Without a place"))]
)
def test_those_with_and_without_a_place_stand_under_their_own_headings(tmp_path, lang, heads):
    """50 people and one refuge of 30 places: 30 have a place, 20 have none."""
    made = street.plan(street.world([(150, 30)], street.areas(("甲", 50, 200, 300))))
    result = replace(sample_result(n_side=4, n_points=6), plans={"refuges": made})
    with language(lang):
        write_plans(result, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "避难方案.xlsx", read_only=True)
    found = []
    for sheet in book:
        rows = list(sheet.iter_rows(min_row=3, max_row=4, values_only=True))
        if len(rows) == 2 and set(heads) <= set(rows[0]):
            found.append(tuple(rows[1][rows[0].index(head)] for head in heads))
    book.close()
    assert found == [(30, 20)]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_geopackage_holds_words_or_says_them(whole, tmp_path, lang):
    with language(lang):
        write_geopackage(whole, tmp_path / "a.gpkg")
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as base:
        for plan in ("refuges", "stations"):
            table, lists = coded(plan)
            for name in lists:
                said = {v for (v,) in base.execute(f'SELECT "{name}" FROM plan_{plan}_coded')}
                assert None not in said
                assert "" not in said
                bare = said & {code for code in table[name] if "_" in code}
                assert not bare, (plan, name)
        _all_said(
            base, ("plan_areas", "plan_lines", "plan_points"), ("kind", "when", "plan", "layer")
        )
        _all_said(base, ("items", "control"), ("role",))
        _all_said(base, ("units",), ("level",))
        numbers = "SELECT count(constraint_name) FROM gpkg_data_columns WHERE column_name = 'class' AND table_name = 'units'"
        assert base.execute(numbers).fetchone() == (0,)  # readers get the number, styles the word
        titles = base.execute("SELECT table_name, column_name, title FROM gpkg_data_columns")
        for table, name, title in titles.fetchall():
            assert title, (table, name)
            assert bool(HAN.search(title)) == (lang == "zh") or title == name, (table, name, title)
        (broken,) = base.execute("PRAGMA integrity_check").fetchone()
        assert broken == "ok"
        known = "SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'"
        assert base.execute(known).fetchone() == (2,)
        styles = base.execute("SELECT f_table_name, styleQML FROM layer_styles").fetchall()
    lines = dict(styles)["plan_lines"]
    word = {"zh": "备用路线", "en": "other route"}[lang]
    assert f'name="{word}" value="other_route"' in lines or 'value="other_route"' in lines
    assert word in lines
    assert '<alias index="' in lines


def _all_said(base, tables, names):
    """Every value of these columns has a description in the list of codes that holds for it."""
    query = "SELECT constraint_name FROM gpkg_data_columns WHERE table_name = ? AND column_name = ?"
    for table, name in itertools.product(tables, names):
        values = {
            str(v) for (v,) in base.execute(f'SELECT "{name}" FROM "{table}"') if v is not None
        }
        found = base.execute(query, (table, name)).fetchone()
        assert found, (table, name)
        assert found[0], (table, name)
        said = dict(
            base.execute(
                "SELECT value, description FROM gpkg_data_column_constraints "
                "WHERE constraint_name = ? AND constraint_type = 'enum'", found,
            ).fetchall()
        )  # fmt: skip
        assert values <= set(said), (table, name)
        assert all(said[value] for value in values)


def test_the_page_holds_words(whole):
    packer = Packer()
    for part in plan_parts(whole.plans, packer):
        shown = json.dumps(part["said"], ensure_ascii=False)
        for word in words_of("mode").values():
            assert both(word)["zh"] in shown
            assert both(word)["en"] in shown
        assert '"foot"' not in shown
        assert part["zh"]
        assert part["en"]


def test_checks_share_a_table_and_come_apart_again(tmp_path):
    duty = {
        "tier_gaps": pd.DataFrame({"town": ["甲镇", "乙镇"], "fault": ["缺级", None]}),
        "calls": pd.DataFrame(
            {"number": ["7"], "late_days": pd.array([3], "Int64"), "fault": [""]}
        ),
        "survey": pd.DataFrame({"town": ["甲镇"], "rows": [4], "filled_percent": [62.5]}),
    }
    made = replace(sample_result(n_side=4, n_points=6), duty=duty)
    write_geopackage(made, tmp_path / "riskmap.gpkg")
    found = open_results(tmp_path)
    assert not set(duty) & set(found.tables)
    assert set(found.checks) == set(duty)
    assert found.checks["tier_gaps"].fillna("").to_dict("list") == {
        "town": ["甲镇", "乙镇"], "fault": ["缺级", ""],
    }  # fmt: skip
    assert found.checks["calls"]["late_days"].tolist() == [3]
    assert found.checks["survey"].iloc[0].to_dict() == {
        "town": "甲镇", "rows": 4, "filled_percent": 62.5,
    }  # fmt: skip


def test_checks_that_share_a_table_have_a_heading_for_every_column():
    names = yaml.safe_load(FILE.read_text(encoding="utf-8"))["duty"]
    for lang in ("zh", "en"):
        said = [both(columns.column(name, "duty").label)[lang] for name in names]
        assert len(set(said)) == len(said), lang


@pytest.mark.parametrize("name", ["jinan", "porto_alegre"])
def test_a_run_writes_no_code_that_has_no_word(run_once, name):
    folder = run_once(name)
    bare = re.compile(r"[a-z]+(_[a-z0-9]+)+|foot|ride|walk|optimal|feasible")
    for path in sorted(folder.glob("*方案.xlsx")):
        book = openpyxl.load_workbook(path, read_only=True)
        for sheet in book:
            for row in sheet.iter_rows(min_row=3, values_only=True):
                for cell in row:
                    assert not (isinstance(cell, str) and bare.fullmatch(cell)), (sheet.title, cell)
        book.close()
    with closing(sqlite3.connect(folder / "riskmap.gpkg")) as base:
        tables = [t for (t,) in base.execute("SELECT table_name FROM gpkg_contents")]
        assert len(tables) <= 60  # whoever adds a table folds another
        for table in tables:
            (rows,) = base.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            assert rows or table in ("items", "control", "paper_rows"), table
        for table in (t for t in tables if t in ("plan_areas", "plan_lines", "plan_points")):
            _all_said(base, (table,), ("kind", "plan", "layer"))

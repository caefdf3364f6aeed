"""The figures of docs/stations.md and its Chinese edition are those of a run."""

import importlib.util
import re
from pathlib import Path

import pytest

from riskmap.vocabulary.presets import load_presets

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_stations", DOCS / "make_stations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_of_the_page_are_those_of_a_run(maker, run_once, language):
    page = (DOCS / maker.PAGES[language]).read_text(encoding="utf-8")
    found = maker.blocks(run_once("jinan") / "riskmap.gpkg", zh=language == "zh")
    assert set(re.findall(r"<!-- (\w+) -->", page)) - {"end"} == set(found)
    assert page == maker.filled(page, found)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_page_names_exists(maker, language):
    page = (DOCS / maker.PAGES[language]).read_text(encoding="utf-8")
    for picture in re.findall(r"\]\((img/[^)]+)\)", page):
        assert (DOCS / picture).is_file()
    sheets = {
        str(one.msgid)
        for one in importlib.import_module("riskmap.export.workbook.tables").SHEETS.values()
    }
    if language == "en":
        assert [name for name in sheets if f"**{name}**" not in " ".join(page.split())] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_of_the_roads_stands_on_the_page_with_its_source(maker, language):
    page = (DOCS / maker.PAGES[language]).read_text(encoding="utf-8")
    table = re.split(r"\n## ", page)[-1]
    presets = load_presets()
    used = ("road.classes_", "road.speed_kmh", "road.speed_car", "road.unknown", "road.foot_kmh",
            "road.class_zh", "road.congestion", "access.", "network.")  # fmt: skip
    keys = [key for key in presets if key.startswith(used)]
    assert len(keys) > 30
    assert [key for key in keys if f"`{key}`" not in table] == []
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows if len(row) != 3 or not row[2].strip()] == []
    named = re.findall(r"`((?:access|network|road|flood|station)\.\w+\*?)`", table)
    known = set(presets)
    assert [key for key in named if key not in known and not key.endswith("*")] == []

"""The figures of docs/stations.md and its Chinese edition are those of a run."""

import importlib.util
import re
from pathlib import Path

import pytest

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

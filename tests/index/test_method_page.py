"""The method pages run, and name every method there is."""

import doctest
from pathlib import Path

import pytest

from riskmap.index import aggregate as means
from riskmap.index import classify, prepare, steps, weights
from riskmap.index import normalise as scales

PAGES = ["method.md", "method.zh.md"]
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_the_page_run(page):
    found = doctest.testfile(str(DOCS / page), module_relative=False, encoding="utf-8")
    assert found.attempted > 5
    assert found.failed == 0


@pytest.mark.parametrize("page", PAGES)
def test_page_names_every_method(page):
    words = (DOCS / page).read_text(encoding="utf-8")
    named = [
        *steps.STEPS, *scales.METHODS, *means.METHODS, *classify.METHODS, *prepare.FILLINGS,
        *weights.METHODS, *classify.NEEDS, classify.FIXED,
    ]  # fmt: skip
    assert [name for name in named if f"`{name}`" not in words and f"### {name}" not in words] == []
    assert means.ROLL_UPS

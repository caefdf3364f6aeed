"""Pages in Chinese stay in step with what they describe."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def made(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("lang", "name"), [("en", "project-file.md"), ("zh", "project-file.zh.md")]
)
def test_the_page_of_the_project_file_is_up_to_date(lang, name):
    assert (DOCS / name).read_text(encoding="utf-8") == made("make_reference").page(lang)


def test_every_key_is_explained_in_chinese():
    page = made("make_reference").page("zh")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) > 60
    lacking = [key for key, said in rows if not re.search("[\u4e00-\u9fff]", said)]
    assert lacking == []


@pytest.mark.parametrize("name", ["first-hour.md", "first-hour.zh.md"])
def test_pictures_and_pages_of_the_first_hour_are_there(name):
    page = (DOCS / name).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", page)
    assert sum(link.endswith(".png") for link in linked) == 4
    assert [link for link in linked if not (DOCS / link).is_file()] == []

"""Every text of the geometry and indicator rooms has its Chinese, with the same places for values."""

import ast
import re
from pathlib import Path

import pytest

import riskmap
from riskmap.i18n import language, text

ROOT = Path(riskmap.__file__).parent
FILES = sorted([*(ROOT / "geo").glob("*.py"), *(ROOT / "indicators").glob("*.py")])


def texts(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "text":
            yield ast.literal_eval(node.args[0])


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_texts_have_chinese(file):
    for message in texts(file):
        with language("zh"):
            shown = str(text(message))
        assert re.search(r"[\u4e00-\u9fff]", shown), message
        assert set(re.findall(r"{\w+}", shown)) <= set(re.findall(r"{\w+}", message)), message

"""Every rule that the code names stands in the catalogue, in both languages."""

import ast
from pathlib import Path

import pytest

from riskmap.cli.show import explain
from riskmap.errors import UsageError
from riskmap.i18n import language
from riskmap.vocabulary.roles import load_rules

ROOT = Path(__file__).parents[2] / "riskmap"
PLACES = {"unusable": 0, "note": 0, "noted": 1, "returned": 1, "Remark": 0, "_note": 1}


def named(call):
    """The code that a call gives to a problem, if it does."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    found = [k.value for k in call.keywords if k.arg == "rule" and name == "Problem"]
    if name == "Problem" and len(call.args) > 2:
        found.append(call.args[2])
    if name in PLACES and len(call.args) > PLACES[name]:
        found.append(call.args[PLACES[name]])
    return [n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def codes():
    return {
        code
        for file in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for code in named(node)
    }


def test_every_rule_of_the_readers_is_explained():
    found = codes()
    assert {"swapped", "no_header"} <= found <= set(load_rules())


@pytest.mark.parametrize("code", sorted(load_rules()))
def test_a_rule_has_words_in_both_languages(code):
    rule = load_rules()[code]
    with language("zh"):
        assert not str(rule.title).isascii()
        assert not str(rule.why).isascii()
    with language("en"):
        assert str(rule.title)
        assert str(rule.why)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("swapped", "规则", "对调"),
        ("经纬度写反", "规则", "对调"),
        ("H_LOW", "指标", "地形高程"),
        ("road", "图层", "OpenStreetMap"),
        ("flood.level_depth_m", "参数", "0.15"),
    ],
)
def test_codes_explain_themselves(code, kind, words):
    with language("zh"):
        found = explain(code)
    assert found["kind"] == kind
    assert words in "".join(found["lines"])


def test_a_misspelt_code_gets_the_nearest_ones():
    with pytest.raises(UsageError, match="swapped"):
        explain("swaped")
    with pytest.raises(UsageError):
        explain("完全不存在的东西")

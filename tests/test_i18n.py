"""Every text that a user sees exists in Chinese, and compiled catalogues are fresh."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from riskmap.i18n import LOCALE_DIR, both, text

ROOM = Path(__file__).parents[1] / "riskmap"
CATALOGUES = sorted((LOCALE_DIR / "zh" / "LC_MESSAGES").glob("*.po"))
HAN = re.compile(r"[\u4e00-\u9fff]")
FIELD = re.compile(r"\{([^{}]*)\}")


def messages_in_python():
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "text"
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str)
            ):
                yield path.relative_to(ROOM), node.args[0].value


def translations():
    found = {}
    for file in CATALOGUES:
        with file.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                if message.id:
                    found[message.id] = message.string
    return found


def test_every_message_has_its_chinese():
    known = translations()
    lacking = sorted({(str(p), m) for p, m in messages_in_python() if m and not known.get(m)})
    assert lacking == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda p: p.stem)
def test_placeholders_agree(file):
    with file.open("rb") as stream:
        for message in read_po(stream, locale="zh"):
            if message.id and message.string:
                assert set(FIELD.findall(message.id)) == set(FIELD.findall(message.string)), (
                    message.id
                )


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda p: p.stem)
def test_compiled_catalogue_is_fresh(file):
    with file.open("rb") as po, file.with_suffix(".mo").open("rb") as mo:
        written = {m.id: m.string for m in read_po(po, locale="zh") if m.id and m.string}
        compiled = {m.id: m.string for m in read_mo(mo) if m.id}
    assert written == compiled


def test_both_languages_of_one_text():
    shown = both(text("{folder}: {n} fault(s)", folder="a", n=3))
    assert shown["en"] == "a: 3 fault(s)"
    assert HAN.search(shown["zh"])
    assert "3" in shown["zh"]


def test_one_message_has_one_chinese_in_all_rooms():
    found = {}
    for file in CATALOGUES:
        with file.open("rb") as stream:
            for message in read_po(stream, locale="zh"):
                if message.id and message.context is None:
                    found.setdefault(message.id, set()).add(message.string)
    assert {key: said for key, said in found.items() if len(said) > 1} == {}

"""The rules of reading and checking, in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from riskmap.i18n import Text, text
from riskmap.vocabulary.roles import Label, read_yaml

_FILE: Final = Path(__file__).parent / "rules.yaml"


@dataclass(frozen=True)
class Rule:
    """One rule: its code, its title, and what it means and how to mend it."""

    code: str
    title: Label
    why: Label


@cache
def load_rules() -> dict[str, Rule]:
    """Read the catalogue of rules.

    Returns
    -------
    dict
        Code to rule.

    Examples
    --------
    >>> str(load_rules()["swapped"].title)
    '经纬度写反'
    """
    return {
        code: Rule(code, Label(raw["en"], zh=raw["zh"]), Label(raw["why_en"], zh=raw["why_zh"]))
        for code, raw in read_yaml(_FILE).items()
    }


def rule_words(code: str) -> Text:
    """Name a rule in words.

    Parameters
    ----------
    code
        Its code.

    Returns
    -------
    Text
        Its title; ``another rule`` for a code that the catalogue does not have.

    Examples
    --------
    >>> str(rule_words("required"))
    '必填项为空'
    """
    rule = load_rules().get(code)
    return rule.title if rule is not None else text("another rule")

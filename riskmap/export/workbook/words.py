"""How the columns of list and table are headed, filled, and how wide they print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap.export.workbook.tables import UNIT_LEVEL_NAMES
from riskmap.i18n import Text, current_language, text
from riskmap.result import Result
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.presets import Preset
from riskmap.vocabulary.roles import unit_label


@dataclass(frozen=True)
class Column:
    """One printed column."""

    label: Text | str
    width: float = 12.0
    """Width in characters of the default font; a Chinese character takes two."""
    form: str = "text"
    """``text``, ``wrap``, ``middle``, ``integer``, ``number``, ``degree``, ``score``, ``class``."""
    printed: bool = True
    """False for columns that stand to the right of what is printed."""


_SHARES: Final = (
    "bound_share", "gap", "covered_share", "covered_full_share", "overlap_share", "reached",
    "share_wanted",
)  # fmt: skip
"""Columns of plans that hold shares of one."""
YES_NO: Final = (text("yes"), text("no"))


def column_of(
    name: str,
    values: pd.Series[Any],
    result: Result,
    labels: Mapping[str, Text],
    section: str = "",
) -> Column:
    """Find how a column is printed.

    Parameters
    ----------
    name
        The column's name.
    values
        The column's values, which decide the form of an unknown column.
    result
        The run's result, whose roles name their fields.
    labels
        Headings that the table brings along; they go before those of the vocabulary.
    section
        Section of the vocabulary in which the table stands.

    Returns
    -------
    Column
        Heading, width and form.
    """
    known = c.column(name, section)
    said = labels.get(name) or (known.label if known else None)
    if known is not None and known.form:
        return Column(said or name, known.width, known.form, printed=known.printed)
    if said is not None:
        width, form = _labelled(name, values, str(said))
        return Column(said, width, form, printed=known is None or known.printed)
    fields = [
        field for role in result.roles.values() for field in role.fields if field.name == name
    ]
    label = fields[0].label if fields else name
    if pd.api.types.is_bool_dtype(values.dtype):
        return Column(label, 9, "middle")
    if pd.api.types.is_numeric_dtype(values.dtype):
        whole = pd.api.types.is_integer_dtype(values.dtype)
        return Column(label, 11, "integer" if whole else "number")
    longest = int(values.dropna().astype(str).str.len().max() or 0) if len(values.dropna()) else 0
    return Column(label, 30, "wrap") if longest > 24 else Column(label, 16)


def _labelled(name: str, values: pd.Series[Any], label: str) -> tuple[float, str]:
    """Choose width and form of a column by what stands in it; headings take two lines."""
    half = sum(2.0 if letter > "\u2e7f" else 1.1 for letter in label) / 2.0 + 2.5
    wide = min(max(10.0, half), 26.0)
    if pd.api.types.is_bool_dtype(values.dtype) or not pd.api.types.is_numeric_dtype(values.dtype):
        return (max(16.0, wide), "wrap")
    if name.startswith(("share", "twice_")) or name in _SHARES:
        return (wide, "percent")
    if name in ("lon", "lat"):
        return (11, "degree")
    whole = pd.api.types.is_integer_dtype(values.dtype) or bool((values.dropna() % 1 == 0).all())
    return (max(11.0, wide), "integer" if whole else "number")


def is_class(name: str) -> bool:
    """Tell whether a column holds risk classes.

    Parameters
    ----------
    name
        The column's name.

    Returns
    -------
    bool
        True where the vocabulary says so.

    Examples
    --------
    >>> is_class("unit_class"), is_class("rank")
    (True, False)
    """
    known = c.column(name)
    return known is not None and known.form == "class"


def shown(name: str, value: Any, result: Result) -> Any:
    """Turn a stored value into what the paper says, in the current language.

    Parameters
    ----------
    name
        The column's name.
    value
        The stored value.
    result
        The run's result.

    Returns
    -------
    object
        A number, a text, or None for a blank.
    """
    if isinstance(value, list | tuple):
        return str(text("; ")).join(str(shown(name, part, result)) for part in value) or None
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if name == "unit":
        return str(unit_label(str(value)))
    if name == c.ROLE and value in result.roles:
        return str(result.roles[value].label)
    if name == c.LEVEL and isinstance(value, str):
        return str(UNIT_LEVEL_NAMES.get(value, value))
    if is_class(name) and not isinstance(value, str):
        return str(LEVEL_NAMES[int(value)])
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(YES_NO[0] if value else YES_NO[1])
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, int | float) and isfinite(value) else str(value)


@cache
def _preset_words() -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    file = Path(str(c.__file__)).with_name("preset_words.yaml")
    said: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return said


def _preset_word(section: str, word: str) -> str:
    entry = _preset_words()[section].get(word)
    return word if entry is None else str(entry[current_language()])


def preset_value(preset: Preset) -> str:
    """Write a preset's value for a reader: codes in words, no braces, no quotes.

    Parameters
    ----------
    preset
        The preset.

    Returns
    -------
    str
        One line in the current language.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> preset_value(load_presets().preset("control.tier_by_level"))
    '重大：县级；较大：县级；一般：镇街级；低：村级'
    >>> preset_value(load_presets().preset("control.patrol_days"))
    '重大：1 天；较大：7 天；一般：15 天；低：30 天'
    """
    if preset.key.startswith(tuple(_preset_words()["tags"])):
        return str(text("table of OpenStreetMap tags"))
    unit = _preset_word("units", preset.unit)
    part = str(text("; "))
    if isinstance(preset.value, Mapping):
        said = part.join(
            str(text("{name}: {said}", name=_entry(preset, key), said=_with(unit, preset, value)))
            for key, value in preset.value.items()
        )
    else:
        said = _with(unit, preset, preset.value)
    return said


def _entry(preset: Preset, key: str) -> str:
    """Name an entry of a preset: a risk level, a grade of a standard, or its word."""
    known = _preset_words()
    if preset.key in known["levels"]:
        return str(LEVEL_NAMES[int(key)])
    if preset.key in known["grades"]:
        return _preset_word("grade", key)
    if preset.key in known["provinces"] and key in known["province"]:
        return _preset_word("province", key)
    if preset.key == "reservoir.level_by_safety_class":
        return _preset_word("safety_class", key)
    if preset.key == "severity.size" and key == "medium":
        return _preset_word("words", "medium_size")
    return _preset_word("words", key)


def _with(unit: str, preset: Preset, value: Any) -> str:
    said = _spell(preset, value)
    plain = not isinstance(value, Mapping | list | tuple)
    several = isinstance(value, list | tuple) and all(isinstance(one, int | float) for one in value)
    return f"{said} {unit}" if unit and (plain or several) and said else said


def _spell(preset: Preset, value: Any) -> str:
    """Say one value; lists joined, tables in brackets."""
    if isinstance(value, bool):
        return _preset_word("words", str(value).lower())
    comma = ", " if current_language() == "en" else "、"
    if isinstance(value, Mapping):
        inside = comma.join(
            str(text("{name} {said}", name=_preset_word("words", str(k)), said=_spell(preset, v)))
            for k, v in value.items()
        )
        return str(text("({said})", said=inside))
    if isinstance(value, list | tuple):
        return comma.join(_spell(preset, one) for one in value) or str(text("none"))
    if isinstance(value, int | float):
        whole = preset.key in _preset_words()["values_are_levels"]
        return str(LEVEL_NAMES[int(value)]) if whole else f"{value:g}"
    return _preset_word("words", str(value))


def preset_source(preset: Preset) -> str:
    """Cite the standard, regulation or office that a preset is from.

    Parameters
    ----------
    preset
        The preset.

    Returns
    -------
    str
        Source, edition and clause.
    """
    edition = "" if preset.edition in preset.source else preset.edition
    return " ".join(filter(None, (preset.source, edition, preset.clause)))


def preset_status(status: str) -> str:
    """Say how far a preset is proven.

    Parameters
    ----------
    status
        Its code.

    Returns
    -------
    str
        Words.

    Examples
    --------
    >>> preset_status("unverified")
    '未核实'
    """
    words = {
        "sourced": text("sourced"),
        "check": text("to be checked"),
        "unverified": text("not verified"),
    }
    return str(words.get(status, status))


SHEET_NAMES: Final = {
    "summary": text("Plan summary"),
    "eligibility": text("Usable or not"),
    "capacity": text("Capacity and hazards"),
    "assignment": text("Who goes where"),
    "shortfall": text("Shortfall by village"),
    "mend": text("What would mend it"),
    "sites": text("Proposed sites"),
    "scorecard": text("Scorecard by town"),
    "accessibility": text("Places within reach"),
    "supplies": text("Supplies"),
    "needs": text("Supplies needed"),
    "depots": text("Supplies by depot"),
    "nearest": text("Nearest depot of the refuges"),
    "handout": text("Sheet for the villages"),
    "early": text("Who must leave before the water"),
    "audit": text("What the office's own plan says"),
    "next_depots": text("Next depots"),
}
SHEETS: Final = {
    "summary": text("Targets at a glance"),
    "standards": text("Own standards"),
    "unmet": text("Short of a standard"),
    "towns": text("Cover by town"),
    "stations": text("Load of the stations"),
    "worst": text("Uncovered, worst first"),
    "overlap": text("Overlap of stations"),
    "sites": text("Proposed stations"),
    "coverage": text("Covered once, twice, never"),
    "nearest": text("First station of every point"),
}

"""The tables that more than one paper shows: headings, widths, words for their codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd

from riskmap.export.witness import as_line
from riskmap.i18n import Label, Text, current_language, text
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import UNITS, unit_label, words_of
from riskmap.vocabulary.grade import LEVEL_NAMES

if TYPE_CHECKING:
    from riskmap.result import Result, Scenario
    from riskmap.vocabulary.presets import Preset

UNIT_LEVEL_NAMES: Final[Mapping[str, Text]] = words_of("unit_level")


DUTY_TABLES: Final[Mapping[str, Text]] = {
    "scorecard": text("Scorecard"),
    "stated_doubts": text("Stated figures in doubt"),
    "signed_off": text("Signed-off items"),
    "grid_gaps": text("Gaps and overlaps of grids"),
    "grid_items": text("Items without one grid and person"),
    "persons_ab": text("Villages without A and B"),
    "patrol_overdue": text("Patrols overdue"),
    "out_of_earshot": text("People out of earshot"),
    "scenario_items": text("Items by scenario"),
    "survey": text("Survey by town"),
    "tasks_late": text("Tasks not done"),
    "filings_late": text("Reports late or missing"),
    "calls": text("Calls and their items"),
    "drills_due": text("Drills to be planned"),
    "guard_gaps": text("Grave items without guard"),
    "team_cover": text("Villages without a team"),
    "tier_gaps": text("Depots missing by tier"),
    "person_grids": text("Persons by grid"),
    "duty_faults": text("Duties without one department"),
    "rules_missing": text("Thresholds missing"),
    "validity": text("Communities to be reviewed"),
    "census_doubts": text("Census against ledgers"),
    "stock_after": text("Stock after use"),
    "idle": text("Idle equipment"),
    "park_faults": text("Sources and parks"),
    "commitments": text("Commitments missing"),
    "outlook": text("Refuges of coming years"),
    "patrol_cover": text("Patrols by grid"),
    "dangers_open": text("Dangers not mended"),
    "risky_works": text("Risky work"),
    "accidents": text("Accidents by town"),
}
"""What is checked beside the control table, in the order in which it stands there."""
OWN_TABLES: Final = ("scorecard", "signed_off")
"""Those of them with a table of their own in the GeoPackage; the others share one."""


def duty_tables(result: Result) -> dict[str, pd.DataFrame]:
    """Give the tables of scorecard and grid duty that have rows.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Name to table, in the order of `DUTY_TABLES`.
    """
    signed = result.closed
    found = {
        "scorecard": result.scorecard,
        "signed_off": None if signed is None else signed.rename_axis(c.ITEM_ID).reset_index(),
        **result.duty,
    }
    return {
        name: frame for name in DUTY_TABLES if (frame := found.get(name)) is not None and len(frame)
    }


def class_names() -> list[str]:
    """Return the names of the classes 0 to 4 in the current language.

    Returns
    -------
    list of str
        Five names.

    Examples
    --------
    >>> class_names()
    ['未定级', '低', '一般', '较大', '重大']
    """
    return [str(LEVEL_NAMES[level]) for level in (0, *c.CLASSES)]


def scored(index: Any) -> pd.DataFrame:
    """Set scores, rank, class and contributions of an index side by side.

    Parameters
    ----------
    index
        A `riskmap.index.steps.Index`.

    Returns
    -------
    DataFrame
        Columns ``score``, ``rank``, ``class`` (``stability``), one a group, ``share_`` + component:
        the part of the score that the component gives.
    """
    scores: pd.DataFrame = index.scores
    groups = scores[[code for code in index.meta.index if code in scores and code != c.ROOT]]
    shares = index.contributions[
        [code for code in groups if code in index.contributions]
    ].add_prefix("share_")
    head = pd.DataFrame(
        {"score": scores[c.ROOT], "rank": index.ranks[c.ROOT], "class": index.classes}
    )
    if getattr(index, "stability", None) is not None:
        head["stability"] = index.stability
    joined: pd.DataFrame = pd.concat([head.astype({"rank": "Int64"}), groups, shares], axis=1)
    return joined


def finest_level(units: pd.DataFrame) -> str:
    """Return the finest level that the units have.

    Parameters
    ----------
    units
        Units with a column ``level``.

    Returns
    -------
    str
        One of `riskmap.vocabulary.columns.UNIT_LEVELS`.

    Examples
    --------
    >>> finest_level(pd.DataFrame({"level": ["village", "town"]}))
    'village'
    """
    return levels_of(units)[-1]


def levels_of(units: pd.DataFrame) -> list[str]:
    """List the levels that the units have, coarse to fine.

    Parameters
    ----------
    units
        Units with a column ``level``.

    Returns
    -------
    list of str
        Levels.

    Examples
    --------
    >>> levels_of(pd.DataFrame({"level": ["village", "town", "village"]}))
    ['town', 'village']
    """
    there = set(units[c.LEVEL])
    known = [level for level in c.UNIT_LEVELS if level in there]
    return known or sorted(map(str, there)) or ["custom"]


def about_line(result: Result) -> str:
    """Say who issued a paper, when, which edition it is and what must be known.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        One line.
    """
    facts = result.facts
    parts: list[Text | str] = []
    if facts.issued_by:
        parts.append(text("Issued by: {name}", name=facts.issued_by))
    if facts.data_date:
        parts.append(text("Date of the data: {date}", date=facts.data_date))
    edition = text("public edition") if facts.profile == "public" else text("internal edition")
    parts.append(edition)
    if facts.profile == "public":
        number = facts.review_number or text("not reviewed, not to be published")
        parts.append(text("Map review number: {number}", number=number))
    if facts.demo:
        parts.append(text("demonstration data, not real"))
    if facts.sketch:
        parts.append(text("areas of units are sketches, no boundaries"))
    return "  |  ".join(str(part) for part in parts)


def notes_of(result: Result) -> list[Text]:
    """Collect what must be said beside the numbers, each thing once.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of Text
        Notes of the run, of the indicators and of the index.
    """
    said = [*result.notes, *result.indicators.notes, *result.index["unit"].notes]
    return list(dict.fromkeys(said))


def indicator_table(result: Result) -> pd.DataFrame:
    """List the indicators and groups with the weights that were used.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a code, in the table's order.
    """
    meta: pd.DataFrame = result.indicators.meta
    return meta.reset_index().rename(columns={"index": "code"})


def preset_table(result: Result) -> pd.DataFrame:
    """List the presets that the run used, with source and status.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a preset, by key.
    """
    rows = [
        {
            "key": preset.key,
            "value": as_line(preset.value),
            "unit": preset.unit,
            "source": preset.source,
            "clause": preset.clause,
            "edition": preset.edition,
            "status": preset.status,
            "name_zh": preset.zh,
            "name_en": preset.en,
        }
        for preset in sorted(result.presets, key=lambda preset: preset.key)
    ]
    names = ["key", "value", "unit", "source", "clause", "edition", "status", "name_zh", "name_en"]
    return pd.DataFrame(rows, columns=names)


def source_table(result: Result) -> pd.DataFrame:
    """List the files of every layer with rows in, used and returned.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a role and file.
    """
    rows = [
        {
            "role": role,
            "file": source.shown,
            "sheet": source.sheet,
            "crs": source.crs,
            "datum": source.datum,
            "encoding": source.encoding,
            "rows_in": source.rows_in,
            "rows_used": source.rows_used,
            "rows_returned": source.rows_returned,
        }
        for role, sources in (
            ("unit", result.unit_sources),
            *((role, layer.sources) for role, layer in result.layers.items()),
        )
        for source in sources
    ]
    names = ["role", "file", "sheet", "crs", "datum", "encoding", "rows_in", "rows_used",
             "rows_returned"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def scenario_table(result: Result) -> pd.DataFrame:
    """List the scenarios and the column of the cells that holds their depth.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a scenario.
    """
    rows = [
        {
            "number": place,
            "name": scenario.name,
            "rain_mm": scenario.rain_mm,
            "hours": scenario.hours,
            "depth_column": f"depth_{place}_m" if scenario.depth_m is not None else None,
            "closures": 0 if scenario.closures is None else len(scenario.closures),
            "danger_areas": 0 if scenario.danger_area is None else len(scenario.danger_area),
        }
        for place, scenario in enumerate(result.scenarios.values(), start=1)
    ]
    names = ["number", "name", "rain_mm", "hours", "depth_column", "closures", "danger_areas"]
    return pd.DataFrame(rows, columns=names).astype({"rain_mm": "Float64", "hours": "Float64"})


def plan_table(result: Result) -> pd.DataFrame:
    """List what the models of the plans answered, with bound, gap and figures counted anew.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a plan, scenario and question.
    """
    rows = [
        (
            name, one.scenario, str(one.question), one.model, one.status, one.objective, one.bound,
            one.gap, as_line(one.recount),
        )
        for name, plan in sorted(result.plans.items())
        for one in plan.proof
    ]  # fmt: skip
    names = ["plan", "scenario", "question", "model", "status", "objective", "bound", "gap",
             "recount"]  # fmt: skip
    numbers = dict.fromkeys(("objective", "bound", "gap"), "float64")
    return pd.DataFrame(rows, columns=names).astype(numbers)


_NEAR = 1e-12


@dataclass(frozen=True, eq=False)
class Flooded:
    """A scenario that has an index of its own."""

    number: int
    """Place among all scenarios, from 1; tables and columns of the GeoPackage end in it."""
    name: str
    scenario: Scenario
    unit: Any
    cell: Any


def flooded(result: Result) -> Iterator[Flooded]:
    """List the scenarios that have an index of their own.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Flooded
        In the order of the project file.
    """
    for number, (name, scenario) in enumerate(result.scenarios.items(), start=1):
        unit, cell = result.index.get(f"unit@{name}"), result.index.get(f"cell@{name}")
        if unit is not None and cell is not None:
            yield Flooded(number, name, scenario, unit, cell)


def changes(before: Any, after: Any) -> pd.DataFrame:
    """Set an index under a scenario beside the baseline's.

    Parameters
    ----------
    before, after
        Two indices of the same rows.

    Returns
    -------
    DataFrame
        ``class_before``, ``class_after``, ``class_change`` (missing where one is unknown),
        ``score_before``, ``score_after``, ``score_change``, ``rank_before``, ``rank_after``,
        ``cause``: the component that grew most, empty where none did.
    """
    old, new = before.classes.astype("Int8"), after.classes.astype("Int8")
    score_old, score_new = before.scores[c.ROOT], after.scores[c.ROOT]
    frame = pd.DataFrame({"class_before": old, "class_after": new})
    frame["class_change"] = (new - old).where((new > 0) & (old > 0))
    frame["score_before"], frame["score_after"] = score_old, score_new
    frame["score_change"] = score_new - score_old
    frame["rank_before"], frame["rank_after"] = before.ranks[c.ROOT], after.ranks[c.ROOT]
    frame["cause"] = _causes(before, after)
    return frame


def _causes(before: Any, after: Any) -> pd.Series[Any]:
    r"""Name the component that moves the index most, by its weighted change.

    :math:`w \Delta x`, or :math:`w \Delta \ln x` under a geometric mean or a product.
    """
    parts = [code for code in before.contributions if code in after.scores]
    old, new = before.scores[parts].fillna(0.0), after.scores[parts]
    steps = [s for s in before.params.get("steps", ()) if s["step"] == "aggregate"]
    method = steps[0]["fitted"]["groups"][c.ROOT]["method"] if steps else "arithmetic"
    if method in ("geometric", "product"):
        old, new = np.log(old.clip(lower=_NEAR)), np.log(new.clip(lower=_NEAR))
    grown = (new - old).mul(before.meta["weight"].reindex(parts), axis=1).fillna(0.0)
    cause = pd.Series("", index=before.scores.index, dtype=object)
    rows = grown.max(axis=1) > _NEAR
    if rows.any():
        cause[rows] = grown[rows].idxmax(axis=1)
    return cause


def change_counts(before: Any, after: Any, rows: Any = None) -> dict[str, int]:
    """Count how many rows rise and fall in class, and in score.

    Parameters
    ----------
    before, after
        Two indices of the same rows.
    rows
        Row labels to count; all when None.

    Returns
    -------
    dict
        ``raised``, ``lowered`` (class), ``score_raised``, ``score_lowered``, ``rows``.
    """
    frame = changes(before, after)
    frame = frame if rows is None else frame.loc[rows]
    step, score = frame["class_change"].fillna(0), frame["score_change"].fillna(0)
    return {
        "rows": len(frame),
        "raised": int((step > 0).sum()),
        "lowered": int((step < 0).sum()),
        "score_raised": int((score > _NEAR).sum()),
        "score_lowered": int((score < -_NEAR).sum()),
    }


def unit_changes(result: Result, wet: Flooded, *, finest: str) -> pd.DataFrame:
    """List the finest units whose score a scenario changes, those that rise most first.

    Parameters
    ----------
    result
        The run's result.
    wet
        The scenario.
    finest
        The finest level of units.

    Returns
    -------
    DataFrame
        By unit id: names, people, `changes` with the cause in words, ``depth_mean_m`` where the
        scenario has depths.
    """
    units = result.units[result.units[c.LEVEL] == finest]
    frame = changes(result.index["unit"], wet.unit).loc[units.index]
    codes = wet.unit.meta.index[wet.unit.meta.get("method", pd.Series(dtype=object)) == "depth"]
    for code in codes[:1]:
        frame["depth_mean_m"] = wet.unit.stages["raw"][code]
    meta = wet.unit.meta
    names: dict[str, Text | Label | str] = {
        str(code): Label(str(row["name_en"]), zh=str(row["name_zh"]))
        for code, row in meta.iterrows()
        if "name_zh" in meta
    }
    frame["cause"] = [names.get(code, code) for code in frame["cause"]]
    there = [name for name in ("district", "town", c.NAME, c.POPULATION) if name in units]
    joined = units[there].join(frame)
    moved = joined["score_change"].abs().fillna(0) > _NEAR
    order = joined[moved].assign(_id=joined.index[moved].astype(str))
    keys = ["class_change", "score_change", "_id"]
    ordered = order.sort_values(keys, ascending=[False, False, True], na_position="last")
    return pd.DataFrame(ordered.drop(columns="_id"))


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
        if name == "level_ledger" and not int(value):  # it says nothing: that is no grade
            return str(text("Not filled in"))
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


HIDDEN: Final = ("demand", "refuge_row")
"""Columns that only the program needs."""


def plan_frames(result: Result) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """List the tables of every plan as attribute tables of a GeoPackage.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Table name, title and rows, with texts in the current language; the scenario is empty where
        none holds.
    """
    for key, plan in result.plans.items():
        for name, table in plan.tables.items():
            if len(table):
                frame = plan_frame(table, result, key, rounded=False)
                yield f"plan_{key}_{name}", plan_title(name, key), frame


def plan_title(name: str, kind: str) -> str:
    """Name the table of a plan.

    Parameters
    ----------
    name
        The table.
    kind
        Key of the plan.

    Returns
    -------
    str
        What stands over it and on the tab of its sheet, in the current language.
    """
    own = SHEETS if kind == "stations" else {}
    return str(own.get(name, SHEET_NAMES.get(name, name)))


_KEPT: Final = (c.SCENARIO, "kind", "when", "geometry")
"""Columns that stay codes: programs filter by them."""
T = TypeVar("T", bound=pd.DataFrame)


def worded(table: T, result: Result, kind: str) -> T:
    """Say the codes of a plan's table or layer in words.

    Parameters
    ----------
    table
        Rows.
    result
        The run's result.
    kind
        Key of the plan.

    Returns
    -------
    DataFrame
        The same rows in the current language; scenarios, kinds and layers stay as they are.
    """
    said: dict[str, Any] = {}
    for name, values in table.items():
        if name in _KEPT or not (
            values.dtype == object or pd.api.types.is_string_dtype(values.dtype)
        ):
            continue
        words = _plan_words(str(name), result, kind)
        entries = [_said(value, words) for value in values.to_numpy(dtype=object)]
        said[str(name)] = pd.Series(entries, index=table.index, dtype=object)
    return table.assign(**said)


def plan_frame(
    table: pd.DataFrame, result: Result, kind: str, *, rounded: bool = True
) -> pd.DataFrame:
    """Leave out what only the program needs and say codes in words; round what is printed.

    Parameters
    ----------
    table
        A table of the plan.
    result
        The run's result.
    kind
        Key of the plan.
    rounded
        Whether it is printed.

    Returns
    -------
    DataFrame
        The table as a reader sees it, in the current language.
    """
    frame = table.drop(columns=[name for name in HIDDEN if name in table]).reset_index(drop=True)
    frame = worded(frame, result, kind)
    columns = {
        name: values.round(printed_decimals(str(name), values))
        if rounded and pd.api.types.is_float_dtype(values.dtype)
        else values
        for name, values in frame.items()
    }
    if {"town", "district"} <= set(columns):
        town, district = columns["town"], columns["district"]
        columns["town"] = town.where(town.astype(str) != "", district.map(_whole))
    return pd.DataFrame(columns, index=frame.index, columns=frame.columns)


def _whole(district: Any) -> str:
    """Name the row of a district among those of its towns."""
    return str(text("{name}, whole", name=district))


def plan_section(kind: str) -> str:
    """Name the section of the vocabulary that holds for a plan.

    Parameters
    ----------
    kind
        Key of the plan.

    Returns
    -------
    str
        The section.
    """
    return "stations" if kind == "stations" else "refuges"


def _plan_words(name: str, result: Result, kind: str) -> Mapping[str, Text]:
    """Give the words for the codes of a column of a plan."""
    if name == "unit":
        return {unit: unit_label(unit) for unit in UNITS if unit != "1"}
    known = c.column(name, plan_section(kind))
    words = words_of(known.choices) if known is not None else {}
    if name == "what":
        return {role: one.label for role, one in result.roles.items()} | dict(words)
    return words


def printed_decimals(name: str, values: pd.Series[Any]) -> int:
    """Say how finely a column is printed: people and metres in whole numbers, shares in four.

    Parameters
    ----------
    name
        The column's name.
    values
        Its numbers.

    Returns
    -------
    int
        Decimals, by the largest number.

    Examples
    --------
    >>> printed_decimals("people", pd.Series([1200.4])), printed_decimals("share", pd.Series([0.5]))
    (0, 4)
    """
    largest = float(values.abs().max() or 0) if values.notna().any() else 0.0
    if name in ("lon", "lat"):
        return 6
    return 0 if largest >= 1000 else 1 if largest >= 100 else 4


def _said(value: object, words: Mapping[str, Text]) -> object:
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, str) and value in words:
        return str(words[value])
    return value

"""The tables that more than one paper shows, and the words for their codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from riskmap import columns as c
from riskmap.export.encode import as_line
from riskmap.i18n import Text, text
from riskmap.result import Result
from riskmap.roles.grade import LEVEL_NAMES

UNIT_LEVEL_NAMES: Final[Mapping[str, Text]] = {
    "district": text("District"),
    "town": text("Town or street"),
    "village": text("Village or community"),
    "grid_duty_area": text("Duty grid"),
    "custom": text("Own unit"),
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
        One of `riskmap.columns.UNIT_LEVELS`.

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
    """List the plans, each whole as JSON.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    DataFrame
        One row a plan.
    """
    rows = [(name, as_line(plan)) for name, plan in sorted(result.plans.items())]
    return pd.DataFrame(rows, columns=["name", "plan"])

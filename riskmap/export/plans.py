"""The plans on paper: one workbook a plan and its tables for the GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap.export.plan_words import COLUMN_NAMES, SHEET_NAMES, VALUE_NAMES
from riskmap.export.sheet import Book, Page, draw_sheet
from riskmap.i18n import Text, text
from riskmap.result import Result

HIDDEN: Final = ("demand", "refuge_row")
"""Columns that only the program needs."""


def plan_books(result: Result) -> dict[str, tuple[str, ...]]:
    """Name the workbook of every kind of plan, and the plans that stand in it.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        File name to keys of ``result.plans`` that have tables.
    """
    names = {
        "refuges": "避难方案.xlsx",
        "stations": "救援站点方案.xlsx",
        "supplies": "物资方案.xlsx",
    }
    found: dict[str, list[str]] = {}
    for key, plan in result.plans.items():
        if getattr(plan, "tables", None):
            kind = key.partition("@")[0]
            found.setdefault(names.get(kind, f"{kind}.xlsx"), []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}


def write_plans(result: Result, folder: Path) -> dict[str, int]:
    """Write one workbook for every kind of plan: a sheet for each table of each scenario.

    Parameters
    ----------
    result
        The run's result.
    folder
        Where the files are to stand.

    Returns
    -------
    dict
        File name to number of sheets.
    """
    counts = {}
    for name, keys in plan_books(result).items():
        book = Book(folder / name, result)
        pages = [page for key in keys for page in _pages(key, result.plans[key])]
        for page in pages:
            draw_sheet(book, page)
        book.close()
        counts[name] = len(pages)
    return counts


def plan_frames(result: Result) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """List the tables of every plan as attribute tables of a GeoPackage.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Table name, title and rows, with texts in the current language.
    """
    for key, plan in result.plans.items():
        for name, table in (getattr(plan, "tables", None) or {}).items():
            kind, _, scenario = key.partition("@")
            title = _title(name) + (f" @ {scenario}" if scenario else "")
            yield f"plan_{kind}_{name}{_number(result, scenario)}", title, _plain(table)


def plan_shapes(result: Result) -> Iterator[tuple[str, str, Any]]:
    """List the map layers of every plan.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Layer name, title and rows with geometry.
    """
    for key, plan in result.plans.items():
        kind, _, scenario = key.partition("@")
        for name, layer in (getattr(plan, "map_layers", None) or {}).items():
            title = str(layer.attrs.get("title", _title(name)))
            yield (
                f"plan_{kind}_{name}_map{_number(result, scenario)}",
                title + (f" @ {scenario}" if scenario else ""),
                layer,
            )


def _number(result: Result, scenario: str) -> str:
    """Give the number of a scenario: layer names are ASCII, its name stands in the title."""
    return f"_{list(result.scenarios).index(scenario) + 1}" if scenario in result.scenarios else ""


def _pages(key: str, plan: Any) -> Iterator[Page]:
    scenario = key.partition("@")[2]
    notes = "；".join(str(note) for note in getattr(plan, "notes", ()))
    for name, table in plan.tables.items():
        title = _title(name)
        yield Page(
            f"{title} {scenario}".strip(),
            f"{title}（{scenario}）" if scenario else title,
            notes[:400],
            _plain(table),
            {},
            labels=_labels(table),
            paper=8,
        )


def _title(name: str) -> str:
    return str(SHEET_NAMES.get(name, name))


def _labels(table: pd.DataFrame) -> Mapping[str, Text]:
    known = {str(name): COLUMN_NAMES[str(name)] for name in table.columns if name in COLUMN_NAMES}
    for name in map(str, table.columns):
        head, _, scenario = name.partition("@")
        if head == "per_100" and scenario:
            said = text("Quantity per 100 people who move ({scenario})", scenario=scenario)
            known[name] = said
        elif head == "per_100":
            known[name] = text("Quantity per 100 people who move")
    return known


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what only the program needs and say codes in words."""
    shown = table.drop(columns=[name for name in HIDDEN if name in table]).reset_index(drop=True)
    for name in shown.columns:
        if shown[name].dtype == object or pd.api.types.is_string_dtype(shown[name].dtype):
            shown[name] = pd.Series([_word(value) for value in shown[name]], dtype=object)
        elif pd.api.types.is_float_dtype(shown[name].dtype):
            shown[name] = shown[name].round(_decimals(str(name), shown[name]))
    return shown


def _decimals(name: str, values: pd.Series[Any]) -> int:
    """Say how finely a column is printed: people and metres in whole numbers, shares in four."""
    largest = float(values.abs().max() or 0) if values.notna().any() else 0.0
    if name in ("lon", "lat"):
        return 6
    return 0 if largest >= 1000 else 1 if largest >= 100 else 4


def _word(value: object) -> object:
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, str) and value in VALUE_NAMES:
        return str(VALUE_NAMES[value])
    return value

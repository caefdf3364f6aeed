"""The plans on paper: one workbook a plan and its tables for the GeoPackage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap.export.workbook import words as station_words
from riskmap.export.workbook.sheet import Book, Page, draw_sheet
from riskmap.export.workbook.words import COLUMN_NAMES, SHEET_NAMES, VALUE_NAMES
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
        pages = [page for key in keys for page in _pages(key, result.plans[key], result)]
        whose = (result.facts.place_name or result.facts.name) + name.removesuffix(".xlsx")
        for page in pages:
            draw_sheet(book, replace(page, title=f"{whose} · {page.title}"))
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
            title = _title(name, kind) + (f" @ {scenario}" if scenario else "")
            plain = _plain(table, result, kind)
            yield f"plan_{kind}_{name}{_number(result, scenario)}", title, plain


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
            title = str(layer.attrs.get("title", _title(name, kind)))
            if not scenario and "scenario" in layer and len(layer):
                title = f"{title} @ {layer['scenario'].iloc[0]}"
            for part, said, rows in _states(layer):
                if rows.geometry.isna().all() or rows.geometry.is_empty.all():
                    continue
                yield (
                    f"plan_{kind}_{name}{part}_map{_number(result, scenario)}",
                    title + said + (f" @ {scenario}" if scenario else ""),
                    rows,
                )


def _states(layer: Any) -> Iterator[tuple[str, str, Any]]:
    """Part a layer that shows the state before and after the proposed sites."""
    if "when" not in layer or not (layer["when"] == "after").any():
        yield "", "", layer
        return
    yield "", "", layer[layer["when"] != "after"]
    yield "_after", str(text(" (with the new sites)")), layer[layer["when"] == "after"]


def _number(result: Result, scenario: str) -> str:
    """Give the number of a scenario: layer names are ASCII, its name stands in the title."""
    return f"_{list(result.scenarios).index(scenario) + 1}" if scenario in result.scenarios else ""


def _pages(key: str, plan: Any, result: Result) -> Iterator[Page]:
    """Lay out every table of a plan, and last what must be known beside them."""
    kind, _, scenario = key.partition("@")
    notes = [str(note) for note in getattr(plan, "notes", ())]
    tail = f"（{scenario}）" if scenario else ""
    for name, table in plan.tables.items():
        title = _title(name, kind)
        yield Page(
            f"{title} {scenario}".strip(),
            title + tail,
            " ".join([*([] if len(table) else [str(text("Nothing to list."))]), *notes[:2]])[:400],
            _plain(table, result, kind),
            {},
            labels=_labels(table, kind),
            paper=8,
        )
    if notes:
        title = str(text("Notes"))
        frame = pd.DataFrame({"note": notes})
        labels = {"note": text("What must be known")}
        yield Page(f"{title} {scenario}".strip(), title + tail, "", frame, {}, labels=labels)


def _title(name: str, kind: str) -> str:
    own = station_words.SHEETS if kind == "stations" else {}
    return str(own.get(name, SHEET_NAMES.get(name, name)))


def _labels(table: pd.DataFrame, kind: str) -> Mapping[str, Text]:
    names = {**COLUMN_NAMES, **(station_words.STATION_COLUMNS if kind == "stations" else {})}
    known = {str(name): names[str(name)] for name in table.columns if name in names}
    for name in map(str, table.columns):
        head, _, scenario = name.partition("@")
        if head == "per_100" and scenario:
            said = text("Quantity per 100 people who move ({scenario})", scenario=scenario)
            known[name] = said
        elif head == "per_100":
            known[name] = text("Quantity per 100 people who move")
    brought: Mapping[str, Text] = table.attrs.get("labels", {})
    return {**known, **brought}


def _plain(table: pd.DataFrame, result: Result, kind: str) -> pd.DataFrame:
    """Leave out what only the program needs and say codes in words."""
    shown = table.drop(columns=[name for name in HIDDEN if name in table]).reset_index(drop=True)
    shown.attrs = {}
    stations = kind == "stations"
    columns: dict[Any, Any] = {}
    for name, values in shown.items():
        columns[name] = values
        if values.dtype == object or pd.api.types.is_string_dtype(values.dtype):
            words = _words(str(name), result) if stations else VALUE_NAMES
            said = [_word(value, words) for value in values.to_numpy(dtype=object)]
            columns[name] = pd.Series(said, dtype=object)
        elif pd.api.types.is_float_dtype(values.dtype):
            columns[name] = values.round(_decimals(str(name), values))
    if {"town", "district"} <= set(columns):
        town, district = columns["town"], columns["district"]
        columns["town"] = town.where(town.astype(str) != "", district.map(_whole))
    return pd.DataFrame(columns, index=shown.index, columns=shown.columns)


def _whole(district: Any) -> str:
    """Name the row of a district among those of its towns."""
    return str(text("{name}, whole", name=district))


def _words(name: str, result: Result) -> Mapping[str, Text]:
    """Give the words of a column of the station plan."""
    if name == "what":
        return {role: one.label for role, one in result.roles.items()} | station_words.WHAT
    if name == "scenario":
        return {"": station_words.DRY}
    return {**VALUE_NAMES, **station_words.VALUES}


def _decimals(name: str, values: pd.Series[Any]) -> int:
    """Say how finely a column is printed: people and metres in whole numbers, shares in four."""
    largest = float(values.abs().max() or 0) if values.notna().any() else 0.0
    if name in ("lon", "lat"):
        return 6
    return 0 if largest >= 1000 else 1 if largest >= 100 else 4


def _word(value: object, words: Mapping[str, Text]) -> object:
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, str) and value in words:
        return str(words[value])
    return value

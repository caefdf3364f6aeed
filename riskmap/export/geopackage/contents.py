"""What stands in the GeoPackage: tables, columns, the words of their codes, styles."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.export.geopackage import styles
from riskmap.export.geopackage.read import CHECK_COLUMNS, CHECKS, FITTED
from riskmap.export.geopackage.styles import kind_style, plan_style, whole_style
from riskmap.export.witness import as_line
from riskmap.export.workbook import tables
from riskmap.export.workbook.tables import (
    DUTY_TABLES,
    OWN_TABLES,
    Flooded,
    changes,
    flooded,
    plan_frames,
    worded,
)
from riskmap.geo.grid import CELL, cell_polygons
from riskmap.i18n import Label, Text, both, text
from riskmap.layers.layer import Layer, filled
from riskmap.result import Result, states_of
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import words_of
from riskmap.vocabulary.grade import LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from riskmap.vocabulary.roles import Role

KINDS: Final = {0: "point", 4: "point", 1: "line", 5: "line", 3: "polygon", 6: "polygon"}
"""Number of shapely's geometry type to the kind of the table."""
MULTI: Final = {"point": "MultiPoint", "line": "MultiLineString", "polygon": "MultiPolygon"}


@dataclass(frozen=True)
class View:
    """Some rows of a table as QGIS draws them."""

    name: str
    title: str
    where: str
    """Which rows, in SQL."""
    style: str
    scenario: str = ""
    """The scenario under which it is listed."""


@dataclass(frozen=True)
class Sheet:
    """One table of the GeoPackage."""

    name: str
    frame: pd.DataFrame
    identifier: str
    description: str = ""
    style: str = ""
    more_styles: tuple[tuple[str, str], ...] = ()
    """Further styles: name and QML."""
    kind: str = ""
    """``point``, ``line``, ``polygon``, or empty for a table without geometry."""
    views: tuple[View, ...] = ()
    """What QGIS draws instead of the whole table."""
    needed: bool = False
    """Whether it is written although it has no rows."""


def sheets_of(result: Result) -> Iterator[Sheet]:
    """List the tables of a result in the order in which they are written; none is empty.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Sheet
        Spatial tables first, then tables without geometry.
    """
    yield from (sheet for sheet in _all_sheets(result) if sheet.needed or len(sheet.frame))


def _all_sheets(result: Result) -> Iterator[Sheet]:
    yield _units(result)
    yield _cells(result)
    yield _items(result)
    for role, layer in result.layers.items():
        yield from _layer(result, role, layer)
    yield _beyond(result)
    yield from scenario_layers(result)
    yield from plan_layers(result)
    yield from _plain_tables(result)
    yield from _plan_frames(result)


def _titles(zh: str, en: str) -> dict[str, Any]:
    """Give a table its Chinese identifier and an English description."""
    return {"identifier": zh, "description": en}


def named(name: str, english: Any) -> dict[str, Any]:
    """Give a table the identifier and the description that its label makes.

    Parameters
    ----------
    name
        Table name.
    english
        Its label.

    Returns
    -------
    dict
        ``identifier`` and ``description``.
    """
    shown = both(english)
    return _titles(f"{shown['zh']} ({name})", shown["en"])


def _units(result: Result) -> Sheet:
    scores = tables.scored(result.index["unit"])
    frame = result.units.join(scores).rename_axis(c.UNIT_ID).reset_index()
    levels = tables.levels_of(result.units)
    names = [str(tables.UNIT_LEVEL_NAMES.get(level, level)) for level in levels]
    style = styles.units_by_level(levels, names, tables.class_names())
    return Sheet(
        "units", frame, **named("units", text("Units")), style=style, kind="polygon", needed=True
    )


def _cells(result: Result) -> Sheet:
    cells = result.indicators.cells
    flat = np.asarray(cells.index)
    shaped = cell_polygons(result.grid, flat)
    frame = tables.scored(result.index["cell"]).join(cells)
    frame = frame.astype(dict.fromkeys(frame.columns[frame.dtypes == "float32"], "float64"))
    frame.insert(0, CELL, shaped["name"])
    if result.population is not None:
        people = np.asarray(result.population, dtype="float64").ravel()[flat]
        frame.insert(1, c.POPULATION, people)
    frame = frame.join(cell_columns(result, cells.index))
    shaped = gpd.GeoDataFrame(frame, geometry=shaped.geometry, crs=result.facts.crs)
    style = styles.by_class("polygon", "class", tables.class_names(), size=0.0, opacity=0.6)
    more = cell_styles(result)
    words = named("cells", text("Grid"))
    return Sheet(
        "cells", shaped, **words, style=style, more_styles=more, kind="polygon", needed=True
    )


def places_of_items(result: Result) -> gpd.GeoSeries:
    """Find one point for every row of the list, from its layer's own geometry.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    GeoSeries
        Points in the run's CRS on the index of ``items``; None where an item has no place.
    """
    spots = [
        layer.table.geometry.representative_point()
        for layer in result.layers.values()
        if layer.table is not None and "geometry" in layer.table
    ]
    known = pd.concat(spots) if spots else pd.Series(dtype=object)
    return gpd.GeoSeries(known.reindex(result.items.index), crs=result.facts.crs)


def _items(result: Result) -> Sheet:
    frame = result.items.rename_axis(c.ITEM_ID).reset_index()
    shaped = gpd.GeoDataFrame(
        frame, geometry=places_of_items(result).to_numpy(), crs=result.facts.crs
    )  # fmt: skip
    style = styles.by_class("point", c.LEVEL, tables.class_names())
    words = named("items", text("Risk list"))
    return Sheet("items", shaped, **words, style=style, kind="point", needed=True)


def _layer(result: Result, role: str, layer: Layer) -> Iterator[Sheet]:
    """Give a role's rows, one table a kind of geometry."""
    if layer.table is None:
        return
    entry = result.roles[role]
    frame = layer.table.rename_axis(c.ITEM_ID).reset_index()
    if entry.item and c.LEVEL not in frame and c.LEVEL in result.items:
        levels = result.items[c.LEVEL].reindex(layer.table.index)
        frame[c.LEVEL] = levels.astype("Int8").array
    if not isinstance(layer.table, gpd.GeoDataFrame):
        yield Sheet(role, frame, **_titles(f"{entry.zh} ({role})", entry.en))
        return
    shapes = gpd.GeoDataFrame(frame, geometry=layer.table.geometry.to_numpy(), crs=layer.table.crs)
    ids = shapely.get_type_id(shapes.geometry.to_numpy())
    kinds = pd.Series(ids, index=shapes.index).map(KINDS)
    there = [kind for kind in ("point", "line", "polygon") if (kinds == kind).any()]
    if not there:
        there = [entry.geometry if entry.geometry in MULTI else "point"]
    for place, kind in enumerate(there):
        name = role if len(there) == 1 else f"{role}_{kind}"
        rows = shapes[(kinds == kind) | (kinds.isna() & (place == 0))]
        yield Sheet(
            name, rows, **_titles(f"{entry.zh} ({name})", entry.en), kind=kind,
            style=_layer_style(result, role, kind, graded=c.LEVEL in rows),
        )  # fmt: skip


def _beyond(result: Result) -> Sheet:
    """Give the objects outside the place that count inside, a point each, in one table."""
    parts = [
        gpd.GeoDataFrame(
            {
                c.ITEM_ID: table.index.astype(str),
                c.ROLE: role,
                c.NAME: filled(table, c.NAME).to_numpy(dtype=object),
            },
            geometry=table.geometry.representative_point().to_numpy(),
            crs=table.crs,
        )
        for role, layer in result.layers.items()
        if (table := layer.beyond) is not None and len(table)
    ]
    empty = gpd.GeoDataFrame({c.ITEM_ID: []}, geometry=[], crs=result.facts.crs)
    frame = pd.concat(parts, ignore_index=True) if parts else empty
    words = named("outside", text("Outside the place (counted inside)"))
    style = styles.single("point", "#6b7785", shape="circle", size=3.0)
    return Sheet("outside", frame, **words, kind="point", style=style)


def _layer_style(result: Result, role: str, kind: str, *, graded: bool) -> str:
    entry = result.roles[role]
    size = {"point": 3.4, "line": 0.35, "polygon": 0.3}[kind]
    shape = entry.symbol or "circle"
    if graded and entry.group == "risk":
        names = tables.class_names()
        opacity = 0.55 if kind == "polygon" else 1.0
        return styles.by_class(
            kind, c.LEVEL, names, shape=shape, size=size, opacity=opacity, outline="#1d2025"
        )
    colour = entry.colour or styles.LINE_COLOURS.get(role) or styles.GROUP_COLOURS[entry.group]
    faint = 0.25 if kind == "polygon" else 1.0
    edge = colour if kind == "polygon" else None
    return styles.single(kind, colour, shape=shape, size=size, opacity=faint, outline=edge)


TABLES: Final = {
    "polygon": ("plan_areas", text("Plans: areas")),
    "line": ("plan_lines", text("Plans: lines")),
    "point": ("plan_points", text("Plans: points")),
}
"""Table that holds the plans' objects of each kind of geometry."""


def plan_layers(result: Result) -> Iterator[Sheet]:
    """Give what the plans draw on the map: one table for areas, for lines and for points.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Sheet
        With a view for each layer, scenario and state.
    """
    drawn = [
        (name, plan, key, worded(layer, result, name))
        for name, plan in result.plans.items()
        for key, layer in plan.layers.items()
    ]
    for kind, (table, label) in TABLES.items():
        parts: list[gpd.GeoDataFrame] = []
        views: list[View] = []
        for name, plan, key, layer in drawn:
            ids = pd.Series(shapely.get_type_id(layer.geometry.to_numpy()), index=layer.index)
            rows = layer[(ids.map(KINDS) == kind) & ~layer.geometry.is_empty]
            if not len(rows):
                continue
            rows = rows.drop(columns=["plan", "layer"], errors="ignore")
            rows.insert(0, "plan", name)
            rows.insert(1, "layer", key)
            if c.SCENARIO not in rows:
                rows.insert(2, c.SCENARIO, "")
            parts.append(rows)
            views += _views(name, key, str(plan.titles.get(key, key)), rows, kind)
        if parts:
            whole = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
            yield Sheet(
                table, whole.reset_index(drop=True), **named(table, label), kind=kind,
                style=whole_style(whole, kind), views=tuple(views),
            )  # fmt: skip


def _views(plan: str, layer: str, title: str, rows: gpd.GeoDataFrame, kind: str) -> Iterator[View]:
    """Part a layer by scenario, and by its state before and after the proposed sites."""
    after = rows["when"] == "after" if "when" in rows else pd.Series(data=False, index=rows.index)
    for scenario in states_of(rows):
        here = rows[c.SCENARIO] == scenario
        for then in (False, True):
            part = rows[here & (after == then)]
            if not len(part):
                continue
            said = f"{title}{text(' (with the new sites)')}" if then else title
            where = [("plan", plan), ("layer", layer), (c.SCENARIO, scenario)]
            clauses = [f'"{column}" = {_literal(value)}' for column, value in where]
            if "when" in rows:
                clauses.append(f"\"when\" {'=' if then else '<>'} 'after'")
            mark = "_after" if then else ""
            yield View(
                f"{plan}_{layer}{mark}", said, " AND ".join(clauses), plan_style(part, kind, plan),
                scenario,
            )  # fmt: skip


def _literal(value: str) -> str:
    """Write a text as SQL does."""
    return "'" + value.replace("'", "''") + "'"


def _plan_frames(result: Result) -> Iterator[Sheet]:
    """Give the tables of the plans."""
    for name, title, frame in plan_frames(result):
        yield Sheet(name, frame, f"{title} ({name})")


def _plain_tables(result: Result) -> Iterator[Sheet]:
    """Give the tables without geometry."""
    told = [*sorted(vars(result.facts).items())]
    told += [(FITTED + key, value) for key, value in sorted(result.params.items())]
    duty = tables.duty_tables(result)
    columns = {name: list(duty[name].columns) for name in duty if name not in OWN_TABLES}
    told += [(CHECK_COLUMNS, columns)] if columns else []
    facts = pd.DataFrame([(key, as_line(value)) for key, value in told], columns=["key", "value"])
    said = pd.DataFrame([both(note) for note in tables.notes_of(result)], columns=["zh", "en"])
    kept = pd.DataFrame(columns=["file", "sheet", "row", "cells"]).astype(
        {"file": "string", "sheet": "string", "row": "Int64", "cells": "string"}
    )
    control = result.control.rename_axis(c.ITEM_ID).reset_index()
    values = result.indicators.units.rename_axis(c.UNIT_ID).reset_index()
    for name, frame, label in (
        ("control", control, text("Control table")),
        ("unit_indicators", values, text("Indicator values of the units")),
        ("indicators", _indicators(result), text("Indicators and weights")),
        ("presets", tables.preset_table(result), text("Presets used")),
        ("scenarios", tables.scenario_table(result), text("Scenarios")),
        ("plans", tables.plan_table(result), text("Plans")),
        ("sources", tables.source_table(result), text("Sources")),
        ("notes", said, text("Notes")),
        ("paper_rows", kept, text("Rows of the workbooks that stand in no other table")),
        ("facts", facts, text("About this file")),
    ):
        yield Sheet(name, frame, **named(name, label), needed=name in NEEDED)
    for name in (name for name in OWN_TABLES if name in duty):
        yield Sheet(name, duty.pop(name), **named(name, DUTY_TABLES[name]))
    if duty:
        # of objects, so that no column of one check turns the whole numbers of another into others
        parts = [table.astype(object).assign(check=name) for name, table in duty.items()]
        whole = pd.concat(parts, ignore_index=True).convert_dtypes()
        whole.insert(0, "check", whole.pop("check"))
        yield Sheet(CHECKS, whole, **named(CHECKS, text("Checks beside the control table")))


NEEDED: Final = (
    "control", "unit_indicators", "indicators", "presets", "sources", "notes", "paper_rows",
    "facts",
)  # fmt: skip
"""Tables that a reader may count on."""


def cell_columns(result: Result, cells: pd.Index[Any]) -> pd.DataFrame:
    """Give the columns that scenarios add to the cells.

    Parameters
    ----------
    result
        The run's result.
    cells
        Flat indices of the cells.

    Returns
    -------
    DataFrame
        ``depth_N_m``, ``score_N`` and ``class_N`` of the scenario number N.
    """
    out = pd.DataFrame(index=cells)
    for number, scenario in enumerate(result.scenarios.values(), start=1):
        if scenario.depth_m is not None:
            depth = np.asarray(scenario.depth_m, dtype="float64").ravel()
            out[f"depth_{number}_m"] = depth[np.asarray(cells)]
    for wet in flooded(result):
        out[f"score_{wet.number}"] = wet.cell.scores[c.ROOT].astype("float64")
        out[f"class_{wet.number}"] = wet.cell.classes
    return out


def cell_styles(result: Result) -> tuple[tuple[str, str], ...]:
    """Give a style of the cells for every scenario.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    tuple
        Name of the scenario and QML by its class.
    """
    classes = tables.class_names()
    return tuple(
        (
            wet.name,
            styles.by_class("polygon", f"class_{wet.number}", classes, size=0.0, opacity=0.6),
        )
        for wet in flooded(result)
    )


def scenario_layers(result: Result) -> Iterator[Sheet]:
    """Give closed roads, danger areas and the units of every scenario.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Sheet
        Spatial tables.
    """
    for part, label in (
        ("closures", text("Closed roads")),
        ("danger_area", text("Danger areas")),
    ):
        found = {
            scenario.name: getattr(scenario, part)
            for scenario in result.scenarios.values()
            if getattr(scenario, part) is not None and len(getattr(scenario, part))
        }
        if found:
            name = part.removesuffix("s") + "_scenarios"
            yield from _scenario_shapes(name, label, found)
    wet = list(flooded(result))
    if wet:
        yield _scenario_units(result, wet)


def _scenario_shapes(
    name: str, label: Text, found: Mapping[str, gpd.GeoDataFrame]
) -> Iterator[Sheet]:
    """Put closed roads or danger areas of every scenario into one table a kind of geometry."""
    shapes = pd.concat(
        [_of_scenario(rows.reset_index(), scenario) for scenario, rows in found.items()],
        ignore_index=True,
    )
    kinds = pd.Series(shapely.get_type_id(shapes.geometry.to_numpy())).map(KINDS)
    there = [kind for kind in MULTI if (kinds == kind).any()]
    for kind in there:
        table = name if len(there) == 1 else f"{name}_{kind}"
        rows = shapes[(kinds == kind).to_numpy()].reset_index(drop=True)
        style = kind_style(name.removesuffix("_scenarios"), kind)
        yield Sheet(
            table, rows, **named(table, label), style=style, kind=kind,
            views=_scenario_views(table, str(label), rows, style),
        )  # fmt: skip


def _of_scenario(rows: Any, scenario: str) -> Any:
    """Name the scenario; what the ledger itself says of one goes before the words of the run."""
    out = rows.rename(columns={c.SCENARIO: "scenario_given"})
    out.insert(1, c.SCENARIO, scenario)
    return out


def _scenario_views(table: str, title: str, rows: pd.DataFrame, style: str) -> tuple[View, ...]:
    """Draw every scenario by itself."""
    return tuple(
        View(table, title, f'"{c.SCENARIO}" = {_literal(scenario)}', style, scenario)
        for scenario in states_of(rows)
    )


def _scenario_units(result: Result, wet: Sequence[Flooded]) -> Sheet:
    """Give the units as they stand under every scenario, beside the baseline."""
    parts = []
    for one in wet:
        beside = changes(result.index["unit"], one.unit)
        beside = beside.drop(columns=["class_after", "score_after", "rank_after"])
        values = one.unit.stages["raw"]
        frame = result.units.join(tables.scored(one.unit)).join(beside).join(values)
        frame = frame.rename_axis(c.UNIT_ID).reset_index()
        frame.insert(1, c.SCENARIO, one.name)
        parts.append(frame)
    shaped = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    levels = tables.levels_of(result.units)
    names = [str(tables.UNIT_LEVEL_NAMES.get(level, level)) for level in levels]
    style = styles.units_by_level(levels, names, tables.class_names())
    label = text("Units in the scenario")
    return Sheet(
        "unit_scenarios", shaped, **named("unit_scenarios", label), style=style, kind="polygon",
        views=_scenario_views("unit_scenarios", str(label), shaped, style),
    )  # fmt: skip


def _indicators(result: Result) -> pd.DataFrame:
    """Give the indicators with their weights, as they are and under every scenario.

    A scenario's values stand in ``unit_scenarios``, its parameters in ``facts``.
    """
    first = tables.indicator_table(result)
    first.insert(1, c.SCENARIO, "")
    parts = [first]
    for one in flooded(result):
        meta = one.unit.meta.rename_axis("code").reset_index()
        meta.insert(1, c.SCENARIO, one.name)
        parts.append(meta)
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else first


_SECTIONS: Final = {
    "units": "units", "unit_scenarios": "units", "cells": "units", "facts": "params",
    "presets": "presets", "indicators": "indicators",
    "plans": "plans", "plan_areas": "map", "plan_lines": "map", "plan_points": "map",
}  # fmt: skip
"""Table to the section of the vocabulary that goes before what holds for all."""
_TABLES: Final = """
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
  mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
  min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""
_SCHEMA: Final = "http://www.geopackage.org/spec121/#extension_schema"


@dataclass(frozen=True)
class FieldWords:
    """What a column is called and what its codes mean."""

    label: Text | str
    codes: Mapping[str, Text] = field(default_factory=dict)
    kind: str = ""
    """Name of the list of codes."""


def field_words(result: Result, table: str, names: Sequence[str]) -> dict[str, FieldWords]:
    """Find the words of a table's columns.

    Parameters
    ----------
    result
        The run's result.
    table
        Name of the table.
    names
        Its columns.

    Returns
    -------
    dict
        Column to its words; columns that nothing is known of are left out.
    """
    role = next(
        (one for name, one in result.roles.items() if table == name or _part_of(table, name)), None
    )
    found = {name: _of_column(result, table, name, role) for name in names}
    return {name: words for name, words in found.items() if words is not None}


def _part_of(table: str, role: str) -> bool:
    """Tell whether a table holds a role's rows of one kind of geometry, or of scenarios."""
    rest = table.removeprefix(role)
    return rest != table and rest in (
        "_point", "_line", "_polygon", "_scenarios", "_scenarios_point", "_scenarios_line",
        "_scenarios_polygon",
    )  # fmt: skip


def _of_column(result: Result, table: str, name: str, role: Role | None) -> FieldWords | None:
    own = role.field(name) if role is not None else None
    if own is not None and role is not None:
        codes = {choice.value: choice.label for choice in own.choices}
        return FieldWords(own.label, codes, f"{role.name}_{name}" if codes else "")
    indicator = _indicator(result, name)
    if indicator is not None:
        return FieldWords(indicator)
    if name == c.ROLE:
        return FieldWords(text("Kind"), {key: one.label for key, one in result.roles.items()}, name)
    known = c.column(name, _section(table))
    if known is None:
        return None
    if table == CHECKS and name == "check":
        return FieldWords(known.label, DUTY_TABLES, "duty_check")
    if name == "layer":
        plans = result.plans.values()
        return FieldWords(
            known.label,
            {key: said for plan in plans for key, said in plan.titles.items()},
            "plan_layer",
        )
    if known.choices == "level" or (known.form == "class" and known.choices == ""):
        return FieldWords(known.label, {str(n): said for n, said in LEVEL_NAMES.items()}, "level")
    return FieldWords(known.label, words_of(known.choices), known.choices)


def _section(table: str) -> str:
    if table.startswith("plan_stations_"):
        return "stations"
    if table.startswith(("plan_refuges_", "plan_supplies_")):
        return "refuges"
    return "duty" if table in (CHECKS, *OWN_TABLES) else _SECTIONS.get(table, "")


def _indicator(result: Result, name: str) -> Text | None:
    """Name an indicator, a component, or a component's part of the score."""
    meta = result.indicators.meta
    share, _, code = name.partition("share_")
    for key, whole in ((name, False), (code, True)):
        if key in meta.index and "name_zh" in meta and (not whole or not share):
            row = meta.loc[key]
            label = Label(str(row["name_en"]), zh=str(row["name_zh"]))
            return text("Part of {component}", component=label) if whole else label
    return None


def add_fields(result: Result, names: Sequence[str], path: Path) -> None:
    """Write the words of every column into the tables that the standard keeps for them.

    Lists of codes hold for columns of text only: GDAL's Arrow reader gives the description in place
    of a whole number that has one.

    Parameters
    ----------
    result
        The run's result.
    names
        The tables of the GeoPackage.
    path
        The GeoPackage, closed.

    References
    ----------
    OGC 12-128r17, GeoPackage Encoding Standard 1.3, F.9 Schema extension.
    """
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("PRAGMA synchronous = OFF")
        base.executescript(_TABLES)
        lists: dict[str, Mapping[str, Text]] = {}
        for table in names:
            there = {row[1]: row[2] for row in base.execute(f"PRAGMA table_info('{table}')")}
            for name, words in field_words(result, table, list(there)).items():
                kind = f"code_{words.kind}" if words.codes and there[name] == "TEXT" else None
                if kind and not _all_known(base, table, name, words.codes):
                    kind = None
                if kind:
                    lists[kind] = {**lists.get(kind, {}), **words.codes}
                said = both(words.label) if isinstance(words.label, Text) else {}
                row = (table, name, name, str(words.label), said.get("en"), None, kind)
                base.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        rows = [
            (kind, "enum", value, None, None, None, None, str(word))
            for kind, codes in lists.items()
            for value, word in codes.items()
        ]
        marks = ", ".join("?" * 8)
        base.executemany(f"INSERT INTO gpkg_data_column_constraints VALUES ({marks})", rows)  # noqa: S608
        base.executemany(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')",
            [(table, _SCHEMA) for table in ("gpkg_data_columns", "gpkg_data_column_constraints")],
        )


def _all_known(base: sqlite3.Connection, table: str, name: str, codes: Mapping[str, Text]) -> bool:
    """Tell whether a column holds nothing but codes; a list of codes is binding."""
    quoted = '"' + name.replace('"', '""') + '"'
    rows = base.execute(f'SELECT DISTINCT CAST({quoted} AS TEXT) FROM "{table}"')  # noqa: S608
    return all(value is None or value in codes for (value,) in rows)


def with_fields(style: str, words: Mapping[str, FieldWords]) -> str:
    """Let a style name the columns and say their codes in words.

    Parameters
    ----------
    style
        A QML document.
    words
        Column to its words.

    Returns
    -------
    str
        The document with ``aliases`` and ``fieldConfiguration``.
    """
    if not style or not words:
        return style
    head, _, body = style.partition("\n")
    root = ET.fromstring(body)  # noqa: S314 - written by `styles`
    labels = "|Labeling" if root.find("labeling") is not None else ""
    root.set("styleCategories", f"Symbology{labels}|Fields")
    settings = ET.SubElement(root, "fieldConfiguration")
    aliases = ET.SubElement(root, "aliases")
    for place, (name, said) in enumerate(words.items()):
        ET.SubElement(
            aliases, "alias", {"index": str(place), "field": name, "name": str(said.label)}
        )
        if said.codes:
            _value_map(settings, name, said.codes)
    return head + "\n" + ET.tostring(root, encoding="unicode")


def _value_map(settings: ET.Element, name: str, codes: Mapping[str, Any]) -> None:
    """Show the codes of a column as words, in forms and in the table of attributes."""
    one = ET.SubElement(settings, "field", {"name": name, "configurationFlags": "None"})
    widget = ET.SubElement(one, "editWidget", {"type": "ValueMap"})
    options = ET.SubElement(ET.SubElement(widget, "config"), "Option", {"type": "Map"})
    entries = ET.SubElement(options, "Option", {"type": "List", "name": "map"})
    for value, word in codes.items():
        entry = ET.SubElement(entries, "Option", {"type": "Map"})
        ET.SubElement(entry, "Option", {"type": "QString", "name": str(word), "value": value})

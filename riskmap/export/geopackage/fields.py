"""What the columns of the GeoPackage are called, and the words of their codes, for QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from riskmap.export.workbook.tables import DUTY_TABLES
from riskmap.i18n import Text, both, text
from riskmap.result import Result
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.codes import words_of
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import Label, Role

_SECTIONS: Final = {
    "units": "units", "unit_scenarios": "units", "cells": "units", "params": "params",
    "facts": "params", "presets": "presets", "indicators": "indicators",
    "indicator_scenarios": "indicators", "plans": "plans", "plan_areas": "map",
    "plan_lines": "map", "plan_points": "map",
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
    return "duty" if table in DUTY_TABLES else _SECTIONS.get(table, "")


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

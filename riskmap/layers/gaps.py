"""The data-gap ledger: what came in, what was returned, what is missing and what it costs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from dataclasses import field as part
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.i18n import Label, Text, text
from riskmap.layers.layer import Written, filled
from riskmap.vocabulary.columns import headings, words_of
from riskmap.vocabulary.roles import rule_words, unit_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from riskmap.errors import Problem
    from riskmap.layers.layer import Layer, Source
    from riskmap.vocabulary.presets import Preset
    from riskmap.vocabulary.roles import Role

SHEETS: Final[Mapping[str, Text]] = {
    "overview": text("Overview"),
    "duties": text("By department"),
    "returned": text("Returned rows"),
    "notes": text("Remarks"),
    "fields": text("Fields filled"),
    "missing": text("Layers missing"),
    "presets": text("Numbers to verify"),
}
"""Names of the sheets."""
LABELS: Final[Mapping[str, Text]] = headings("gaps")
"""Headings of the ledger."""
LABELS_OF_ROWS: Final[Mapping[str, Text]] = {
    "row": text("Row in the file"),
    "message": text("What is wrong"),
    "mend": text("How to mend it"),
}
"""Headings before the office's own columns."""
_STATUS: Final = words_of("proof")
_SEVERITY: Final = words_of("severity")


@dataclass(frozen=True, eq=False, kw_only=True)
class GapSheet:
    """A sheet of the ledger: its table, and how it is shown."""

    table: pd.DataFrame = part(kw_only=False)
    labels: Mapping[str, Text] = part(default_factory=lambda: LABELS)
    """Headings by column."""
    marks: frozenset[tuple[int, str]] = frozenset()
    """Cells to mend, by row and column."""
    about: str = ""
    """Where its rows stand: file and sheet."""


def ledger(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    problems: Iterable[Problem],
    missing_roles: Sequence[str],
    *,
    presets: Sequence[Preset] = (),
    effects: Mapping[str, Text] | None = None,
    units: pd.DataFrame | None = None,
    unit_sources: Sequence[Source] = (),
    scenario_roles: Sequence[str] = (),
) -> dict[str, GapSheet]:
    """Make the sheets of the data-gap ledger.

    Parameters
    ----------
    layers
        Checked layers by role.
    roles
        All roles.
    problems
        Everything found wrong or worth a remark.
    missing_roles
        Roles that the project has no layer for.
    presets
        Presets used by the run; those not sourced are listed.
    effects
        Role to what mending its rows, or giving it, would change.
    units
        The units, which may tell people and elderly themselves.
    unit_sources
        Files of the units.
    scenario_roles
        Roles that come with a scenario and are not missing then.

    Returns
    -------
    dict
        Sheet name in the current language to its table.

    Examples
    --------
    >>> list(ledger({}, {}, [], []))
    ['概况', '责任部门', '退回行', '提示', '字段填写率', '缺少的图层', '未核实、待复核参数']
    """
    found = list(problems)
    said = dict(effects or {})
    sources = {"unit": tuple(unit_sources), **{name: one.sources for name, one in layers.items()}}
    duty = _Duties(roles, sources)
    sheets = {
        "overview": _overview(sources, roles, found),
        "duties": _by_department(found, roles, duty, said),
        "returned": _problems(found, roles, ("unusable", "returned"), duty),
        "notes": _problems(found, roles, ("note",), duty),
        "fields": _fields(layers, roles),
        "missing": _missing(
            [name for name in missing_roles if name not in scenario_roles], roles, said, units
        ),
        "presets": _unverified(presets),
    }
    named = {str(SHEETS[name]): GapSheet(frame) for name, frame in sheets.items()}
    first = str(SHEETS["returned"])
    whole: dict[str, GapSheet] = {}
    for name, frame in named.items():
        whole[name] = frame
        if name == first:
            whole |= _original_rows(sources, roles, found)
    return whole


class _Duties:
    """Who mends a problem: the row's own unit on duty, else the role's department.

    Parameters
    ----------
    roles
        All roles.
    sources
        Role to its files, with the returned rows as they were written.
    """

    def __init__(self, roles: Mapping[str, Role], sources: Mapping[str, Sequence[Source]]) -> None:
        self.roles = roles
        self.own: dict[tuple[str, str, str, int], str] = {}
        for role, files in sources.items():
            for source in files:
                written = source.written
                place = _column_place(written, "duty_unit")
                if written is None or place is None:
                    continue
                for row, cells in written.cells.items():
                    if cells[place].strip():
                        self.own[role, source.shown, source.sheet, row] = cells[place].strip()

    def of(self, problem: Problem) -> str:
        """Name who mends a problem."""
        if problem.row is not None:
            key = (problem.role, problem.file, problem.sheet, problem.row)
            if key in self.own:
                return self.own[key]
        return self.department(problem.role)

    def department(self, role: str) -> str:
        """Name the department of a role."""
        if role == "unit":
            return str(unit_role("village").duty_unit)
        if role in self.roles:
            return str(self.roles[role].duty_unit)
        return str(text("who wrote the project file"))


def _column_place(written: Written | None, name: str) -> int | None:
    """Find the column of a field among the written ones."""
    if written is None:
        return None
    heading = written.columns.get(name, name)
    return written.header.index(heading) if heading in written.header else None


def _by_department(
    problems: Sequence[Problem],
    roles: Mapping[str, Role],
    duty: _Duties,
    effects: Mapping[str, Text],
) -> pd.DataFrame:
    """Count for every department and layer what it has to mend, and what that changes."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for problem in problems:
        key = (duty.of(problem), problem.role)
        entry = rows.setdefault(
            key,
            {
                "duty": key[0],
                "layer": _label(roles, problem.role),
                "rows_gone": 0,
                "unusable_files": 0,
                "notes": 0,
            },
        )
        column = {"returned": "rows_gone", "unusable": "unusable_files", "note": "notes"}
        entry[column[problem.severity]] += problem.count
    for (_, role), entry in rows.items():
        gone = entry["rows_gone"] or entry["unusable_files"]
        entry["effect"] = effects.get(role, "") if gone else ""
    names = ["duty", "layer", "rows_gone", "unusable_files", "notes", "effect"]
    frame = pd.DataFrame(list(rows.values()), columns=names)
    order = ["unusable_files", "rows_gone"]
    return frame.sort_values(order, ascending=False, kind="stable", ignore_index=True)


def _original_rows(
    sources: Mapping[str, Sequence[Source]],
    roles: Mapping[str, Role],
    problems: Sequence[Problem],
) -> dict[str, GapSheet]:
    """Show the returned rows of each file as they were written, with the cells to mend marked."""
    told: dict[tuple[str, str, str, int], list[Problem]] = {}
    for problem in problems:
        if problem.severity == "returned" and problem.row is not None and problem.count == 1:
            key = (problem.role, problem.file, problem.sheet, problem.row)
            told.setdefault(key, []).append(problem)
    sheets: dict[str, GapSheet] = {}
    for role, files in sources.items():
        for source in files:
            if source.written is None or not source.written.cells:
                continue
            name = str(text("Rows of {layer}", layer=_label(roles, role)))
            number = sum(key == name or key.startswith(f"{name} ") for key in sheets)
            sheets[f"{name} {number + 1}" if number else name] = _one_file(role, source, told)
    return sheets


def _one_file(
    role: str, source: Source, told: Mapping[tuple[str, str, str, int], list[Problem]]
) -> GapSheet:
    written = source.written or Written((), {}, {})
    labels: dict[str, Text] = {**LABELS, **LABELS_OF_ROWS}
    rows: list[dict[str, Any]] = []
    marks: list[tuple[int, str]] = []
    for row, cells in written.cells.items():
        said = told.get((role, source.shown, source.sheet, row), [])
        entry: dict[str, Any] = {
            "row": row,
            "message": "；".join(dict.fromkeys(str(p.message) for p in said)),
            "mend": "；".join(dict.fromkeys(str(p.mend) for p in said)),
        }
        for place, cell in enumerate(cells):
            entry[f"cell_{place}"] = cell
        marks += [
            (len(rows), f"cell_{place}")
            for place, heading in enumerate(written.header)
            if any(_is_field(heading, p.field, written) for p in said)
        ]
        rows.append(entry)
    names = [f"cell_{place}" for place in range(len(written.header))]
    labels |= {
        name: Label(heading, zh=heading)
        for name, heading in zip(names, written.header, strict=True)
    }
    frame = pd.DataFrame(rows, columns=["row", "message", "mend", *names])
    where = f"{source.shown} [{source.sheet}]" if source.sheet else source.shown
    return GapSheet(
        frame.astype({"row": "Int64"}), labels=labels, marks=frozenset(marks), about=where
    )


def _is_field(heading: str, field: str, written: Written) -> bool:
    """Tell whether a column is one that a problem names, alone or among several."""
    if not field:
        return False
    parts = {field, *field.replace("/", "、").split("、")}
    return heading in parts or any(written.columns.get(part) == heading for part in parts)


def completeness(layer: Layer, role: Role) -> pd.DataFrame:
    r"""Count, for each field of a layer, the rows that have a value.

    .. math:: p = 100\,n_{filled} / n_{rows}

    Parameters
    ----------
    layer
        A checked layer.
    role
        Its role.

    Returns
    -------
    DataFrame
        Columns layer, field, required, filled, rows, filled_percent; one row a field.
    """
    table = layer.table
    n = 0 if table is None else len(table)
    rows = []
    for field in role.fields:
        if field.name == "demo":
            continue
        there = 0 if table is None else int(filled(table, field.name).notna().sum())
        share = round(100.0 * there / n, 1) if n else 0.0
        rows.append((role.label, field.label, field.required, there, n, share))
    names = ["layer", "field", "required", "filled", "rows", "filled_percent"]
    return pd.DataFrame(rows, columns=names)


def _label(roles: Mapping[str, Role], name: str) -> Text | str:
    if name in roles:
        return roles[name].label
    return {"unit": text("Units"), "": text("project file")}.get(name, name)


def _overview(
    sources: Mapping[str, Sequence[Source]],
    roles: Mapping[str, Role],
    problems: Sequence[Problem],
) -> pd.DataFrame:
    """One row a file: rows in, used and returned, with the number of remarks on it."""
    rows: list[dict[str, Any]] = []
    noted = pd.Series([(p.role, p.file) for p in problems if p.severity == "note"], dtype=object)
    counts = noted.value_counts().to_dict()
    for name, files in sources.items():
        rows += [
            {
                "layer": _label(roles, name),
                "file": source.shown,
                "sheet": source.sheet,
                "usable": True,
                "rows_in": source.rows_in,
                "rows_used": source.rows_used,
                "rows_returned": source.rows_returned,
                "notes": int(counts.get((name, source.shown), 0)),
            }
            for source in files
        ]
    for problem in problems:
        if problem.severity == "unusable" and not sources.get(problem.role):
            rows.append(
                {"layer": _label(roles, problem.role), "file": problem.file, "usable": False}
            )
    names = ["layer", "file", "sheet", "usable", "rows_in", "rows_used", "rows_returned", "notes"]
    frame = pd.DataFrame(rows, columns=names)  # two layers of units may come from one file
    twice = frame.duplicated(["layer", "file", "sheet"]) & ~frame["usable"].astype(bool)
    frame = frame[~twice]
    numbers = ["rows_in", "rows_used", "rows_returned", "notes"]
    return frame.astype({"usable": bool, **dict.fromkeys(numbers, "Int64")}).reset_index(drop=True)


def _problems(
    problems: Sequence[Problem],
    roles: Mapping[str, Role],
    severities: Sequence[str],
    duty: _Duties,
) -> pd.DataFrame:
    rows = []
    for problem in problems:
        if problem.severity not in severities:
            continue
        role = roles.get(problem.role)
        field = role.field(problem.field) if role is not None else None
        rows.append(
            {
                "duty": duty.of(problem),
                "layer": _label(roles, problem.role),
                "severity": _SEVERITY[problem.severity],
                "file": problem.file,
                "sheet": problem.sheet,
                "row": problem.row,
                "field": field.label if field is not None else problem.field,
                "value": problem.value,
                "message": problem.message,
                "mend": problem.mend,
                "rule_words": rule_words(problem.rule),
            }
        )
    names = [
        "duty",
        "layer",
        "severity",
        "file",
        "sheet",
        "row",
        "field",
        "value",
        "message",
        "mend",
        "rule_words",
    ]
    frame = pd.DataFrame(rows, columns=names).astype({"row": "Int64"})
    return frame.sort_values("duty", kind="stable", ignore_index=True)


def _fields(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> pd.DataFrame:
    parts = [
        completeness(layer, roles[name])
        for name, layer in layers.items()
        if name in roles and layer.table is not None
    ]
    names = ["layer", "field", "required", "filled", "rows", "filled_percent"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _missing(
    missing: Sequence[str],
    roles: Mapping[str, Role],
    effects: Mapping[str, Text],
    units: pd.DataFrame | None,
) -> pd.DataFrame:
    """List what was not given: its cost, what it would bring, who has it, what to ask for."""
    wanted = set(missing) - _told_by_units(units)
    rows = [
        (
            role.label,
            _cost(role, units),
            effects.get(name, ""),
            role.keeper or role.duty_unit,
            _asked_format(role),
        )
        for name, role in roles.items()
        if name in wanted and role.absence is not None
    ]
    return pd.DataFrame(rows, columns=["layer", "cost", "gain", "keeper", "ask_for"])


def _told_by_units(units: pd.DataFrame | None) -> set[str]:
    """Name the layers that are not missing because the units tell as much."""
    columns = {"population": "population", "sensitive": "elderly"}
    if units is None:
        return set()
    return {r for r, column in columns.items() if column in units and units[column].notna().any()}


def _cost(role: Role, units: pd.DataFrame | None) -> Text | None:
    if role.name == "boundary" and units is not None and len(units):
        return text("nothing; the place is the sum of the units")
    return role.absence


def _asked_format(role: Role) -> Text:
    """Say in which form a layer is best asked for."""
    if role.kind == "raster":
        return text("GeoTIFF with its coordinate system, heights or depths in metres")
    if role.geometry in ("line", "polygon"):
        return text("GeoPackage, or shapefile with .shp .shx .dbf .prj, in CGCS2000")
    if role.geometry == "none":
        return text("the workbook's sheet, filled in")
    if role.raster_allowed:
        return text("Excel by village or grid with unit codes, or a GeoTIFF of people per cell")
    return text("the workbook's sheet with longitude and latitude, and where these were taken from")


def _unverified(presets: Sequence[Preset]) -> pd.DataFrame:
    rows = [
        {
            "key": preset.key,
            "what": Label(preset.en, zh=preset.zh),
            "value": json.dumps(preset.value, ensure_ascii=False),
            "unit": preset.unit,
            "status": _STATUS[preset.status],
            "source": " ".join(p for p in (preset.source, preset.edition, preset.clause) if p),
        }
        for preset in sorted(presets, key=lambda preset: preset.key)
        if preset.status != "sourced"
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit", "status", "source", "key"])

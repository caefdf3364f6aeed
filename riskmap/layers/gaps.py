"""The data-gap ledger: what came in, what was returned, what is missing and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.i18n import Text, text
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from riskmap.errors import Problem
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Preset
    from riskmap.vocabulary.roles import Role

SHEETS: Final[Mapping[str, Text]] = {
    "overview": text("Overview"),
    "returned": text("Returned rows"),
    "notes": text("Remarks"),
    "fields": text("Fields filled"),
    "missing": text("Layers missing"),
    "presets": text("Unverified numbers"),
}
"""Names of the sheets."""
LABELS: Final[Mapping[str, Text]] = {
    "layer": text("Layer"),
    "filled": text("Rows filled"),
    "rows": text("Rows"),
    "filled_percent": text("Filled (%)"),
    "required": text("Must be filled"),
    "usable": text("Usable"),
    "notes": text("Remarks"),
    "cost": text("What its absence costs"),
    "key": text("Key"),
    "what": text("Meaning"),
    "unit": text("Unit of measure"),
    "source": text("Source"),
    "status": text("Proof"),
}
"""Headings of columns that other papers do not know; also in ``frame.attrs["labels"]``."""
_STATUS: Final = {
    "sourced": text("sourced"),
    "check": text("to be checked"),
    "unverified": text("unverified"),
}
_SEVERITY: Final = {
    "returned": text("row returned"),
    "unusable": text("layer unusable"),
    "note": text("remark"),
}


def ledger(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    problems: Iterable[Problem],
    missing_roles: Sequence[str],
    *,
    presets: Sequence[Preset] = (),
) -> dict[str, pd.DataFrame]:
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

    Returns
    -------
    dict
        Sheet name in the current language to its table.

    Examples
    --------
    >>> list(ledger({}, {}, [], []))
    ['概况', '退回行', '提示', '字段填写率', '缺少的图层', '未核实参数']
    """
    found = list(problems)
    sheets = {
        "overview": _overview(layers, roles, found),
        "returned": _problems(found, roles, ("unusable", "returned")),
        "notes": _problems(found, roles, ("note",)),
        "fields": _fields(layers, roles),
        "missing": _missing(missing_roles, roles),
        "presets": _unverified(presets),
    }
    for frame in sheets.values():
        frame.attrs["labels"] = dict(LABELS)
    return {str(SHEETS[name]): frame for name, frame in sheets.items()}


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
        filled = 0
        if table is not None and field.name in table.columns:
            column = table[field.name]
            filled = int((column.notna() & (column.astype(str).str.strip() != "")).sum())
        share = round(100.0 * filled / n, 1) if n else 0.0
        rows.append((role.label, field.label, field.required, filled, n, share))
    names = ["layer", "field", "required", "filled", "rows", "filled_percent"]
    return pd.DataFrame(rows, columns=names)


def _label(roles: Mapping[str, Role], name: str) -> Text | str:
    return roles[name].label if name in roles else name


def _overview(
    layers: Mapping[str, Layer], roles: Mapping[str, Role], problems: Sequence[Problem]
) -> pd.DataFrame:
    """One row a file: rows in, used and returned, with the number of remarks on it."""
    rows: list[dict[str, Any]] = []
    noted = pd.Series([(p.role, p.file) for p in problems if p.severity == "note"], dtype=object)
    counts = noted.value_counts().to_dict()
    for name, layer in layers.items():
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
            for source in layer.sources
        ]
    for problem in problems:
        if problem.severity == "unusable" and problem.role not in layers:
            rows.append(
                {"layer": _label(roles, problem.role), "file": problem.file, "usable": False}
            )
    names = ["layer", "file", "sheet", "usable", "rows_in", "rows_used", "rows_returned", "notes"]
    frame = pd.DataFrame(rows, columns=names).drop_duplicates(["layer", "file", "sheet"])
    numbers = ["rows_in", "rows_used", "rows_returned", "notes"]
    return frame.astype({"usable": bool, **dict.fromkeys(numbers, "Int64")}).reset_index(drop=True)


def _problems(
    problems: Sequence[Problem], roles: Mapping[str, Role], severities: Sequence[str]
) -> pd.DataFrame:
    rows = []
    for problem in problems:
        if problem.severity not in severities:
            continue
        role = roles.get(problem.role)
        field = role.field(problem.field) if role is not None else None
        rows.append(
            {
                "layer": _label(roles, problem.role),
                "severity": _SEVERITY[problem.severity],
                "file": problem.file,
                "sheet": problem.sheet,
                "row": problem.row,
                "field": field.label if field is not None else problem.field,
                "value": problem.value,
                "message": problem.message,
                "mend": problem.mend,
                "rule": problem.rule,
            }
        )
    names = [
        "layer",
        "severity",
        "file",
        "sheet",
        "row",
        "field",
        "value",
        "message",
        "mend",
        "rule",
    ]
    return pd.DataFrame(rows, columns=names).astype({"row": "Int64"})


def _fields(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> pd.DataFrame:
    parts = [
        completeness(layer, roles[name])
        for name, layer in layers.items()
        if name in roles and layer.table is not None
    ]
    names = ["layer", "field", "required", "filled", "rows", "filled_percent"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _missing(missing: Sequence[str], roles: Mapping[str, Role]) -> pd.DataFrame:
    wanted = set(missing)
    rows = [
        (role.label, role.absence)
        for name, role in roles.items()
        if name in wanted and role.absence is not None
    ]
    return pd.DataFrame(rows, columns=["layer", "cost"])


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
    return pd.DataFrame(rows, columns=["key", "what", "value", "unit", "status", "source"])

"""Checking a folder of outputs from itself alone: hashes, counts, and every published score."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.export.geopackage.read import FITTED
from riskmap.export.recount import book_faults, page_faults, report_faults, sum_faults
from riskmap.export.witness import changed_cells, signature_fault, tables_of
from riskmap.export.workbook import tables
from riskmap.files import (
    CONTROL,
    GEOPACKAGE,
    LIST,
    MANIFEST,
    PAGE,
    PARAMS,
    REPORT,
    SIGNATURE,
    is_litter,
    sha256,
)
from riskmap.i18n import both, current_language, language, text
from riskmap.index.steps import apply
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from riskmap.export.recount import Frames

TOLERANCE: Final = 1e-9
"""Largest difference between a published score and the recomputed one."""
CELL_TOLERANCE: Final = 1e-6
"""The same for cells, whose indicators are kept in single precision."""
SHARE: Final = 1e-6


def verify(folder: Path, *, public_key: Path | None = None) -> list[str]:
    """Check that a folder of outputs is whole, agrees with itself, and repeats its own scores.

    Hashes are checked, and the signature where a key is given; every cell of every paper is
    compared with its digest in ``proof.json``; scores and classes of units and cells are computed
    again from the GeoPackage, the plans' sums are counted anew, and workbooks (cell by cell), page
    and report are compared with the package's tables.

    Parameters
    ----------
    folder
        Folder that `riskmap.export.bundle.write` wrote.
    public_key
        Ed25519 key (PEM) whose owner must have signed the manifest, or None.

    Returns
    -------
    list of str
        One message a fault; empty when everything agrees.
    """
    listed = (_json(folder / MANIFEST) or {}).get("outputs")
    if not isinstance(listed, dict) or not all(isinstance(one, dict) for one in listed.values()):
        return [str(text("{file} is missing or cannot be read", file=MANIFEST))]
    faults = _hashes(folder, listed)
    if public_key is not None and (fault := signature_fault(folder, public_key)):
        faults.append(fault)
    faults += changed_cells(folder)
    package = folder / GEOPACKAGE
    report = _json(folder / REPORT)
    if not package.is_file() or report is None:
        return faults or [str(text("{file} is missing or cannot be read", file=package.name))]
    try:
        faults += _scores(package)
        faults += _counts(folder, package, report)
        found = {name: pd.DataFrame(r, columns=columns) for name, columns, r in tables_of(package)}
        faults += _agreement(folder, found, report)
        faults += _recount(found)
        faults += _other_papers(folder, found, report)
    except Exception as error:  # noqa: BLE001  readers of damaged files raise many kinds
        faults.append(str(text("the outputs cannot be read: {error}", error=str(error))))
    return faults


def _json(path: Path) -> dict[str, Any] | None:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _hashes(folder: Path, listed: dict[str, dict[str, Any]]) -> list[str]:
    faults = []
    for name, entry in sorted(listed.items()):
        path = folder / name
        if not path.is_file():
            faults.append(text("{file} is listed in the manifest but missing", file=name))
        elif sha256(path) != entry.get("sha256"):
            faults.append(text("{file} was changed after it was written", file=name))
    present = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not is_litter(path.name)
    }
    faults += [
        text("{file} is not listed in the manifest", file=name)
        for name in sorted(present - set(listed) - {MANIFEST, SIGNATURE})
    ]
    return [str(fault) for fault in faults]


def read_table(package: Path, name: str) -> pd.DataFrame:
    """Read one table of the GeoPackage without its geometry.

    Parameters
    ----------
    package
        The GeoPackage.
    name
        Table name.

    Returns
    -------
    DataFrame
        Its rows.
    """
    import pyogrio

    frame: pd.DataFrame = pyogrio.read_dataframe(
        package, layer=name, read_geometry=False, use_arrow=True
    )
    return frame


def _scores(package: Path) -> list[str]:
    """Recompute the scores of the baseline and of every scenario."""
    params = _fitted(read_table(package, "facts"))
    metas = read_table(package, "indicators")
    parts = [read_table(package, name) for name in ("units", "unit_indicators")]
    faults = _table_scores([*parts, _meta_of(metas, "")], "", params["unit"])
    faults += _cell_scores(package, params["cell"])
    named = [key.partition("@")[2] for key in params if key.startswith("unit@")]
    if not named:
        return faults
    units = read_table(package, "unit_scenarios")
    for name in named:
        here = units[units[c.SCENARIO] == name]
        own = _meta_of(metas, name)
        codes = own.loc[own["kind"] == "indicator", "code"]
        wanted = {c.UNIT_ID, *codes, *own.get("denominator", ())}
        values = here[[column for column in here if column in wanted]]
        mine = [here, values, own]
        faults += _table_scores(mine, f"@{name}", params[f"unit@{name}"])
    return faults


def _fitted(facts: pd.DataFrame) -> dict[str, str]:
    """Take the fitted parameters from the facts."""
    pairs = dict(facts[["key", "value"]].to_numpy())
    return {k.removeprefix(FITTED): v for k, v in pairs.items() if k.startswith(FITTED)}


def _meta_of(metas: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Take the indicators of one scenario, empty for the baseline, with the columns that it has."""
    own = metas[metas[c.SCENARIO].fillna("") == scenario].drop(columns=c.SCENARIO)
    return own.dropna(axis=1, how="all")


def _table_scores(parts: Sequence[pd.DataFrame], ending: str, params: str) -> list[str]:
    """Apply the published parameters to the published values and compare."""
    units, values, meta = (
        part.set_index(key) for part, key in zip(parts, (c.UNIT_ID, c.UNIT_ID, "code"), strict=True)
    )
    meta = meta.fillna({"parent": ""})
    values = values.reindex(units.index)
    index = apply(json.loads(params), values, meta, rank_within=units[c.LEVEL])
    again = tables.scored(index).reindex(units.index)
    faults = []
    for name in again.columns:
        if name not in units:
            faults.append(str(text("the units have no column {name}", name=name + ending)))
            continue
        given = units[name].to_numpy(dtype="float64", na_value=np.nan)
        found = again[name].to_numpy(dtype="float64", na_value=np.nan)
        differs = ~np.isclose(given, found, rtol=0, atol=TOLERANCE, equal_nan=True)
        if differs.any():
            first = str(units.index[differs][0])
            message = text(
                "{name}: {n} units differ from the recomputation, such as {unit}",
                name=name + ending, n=int(differs.sum()), unit=first,
            )  # fmt: skip
            faults.append(str(message))
    return faults


def _cell_scores(package: Path, params: str) -> list[str]:
    """Apply the published parameters to the published cells and compare scores and classes."""
    cells = read_table(package, "cells").set_index("cell")
    meta = _meta_of(read_table(package, "indicators"), "").set_index("code")
    meta = meta.fillna({"parent": ""})
    codes = meta.index[meta["kind"] == "indicator"]
    index = apply(json.loads(params), cells.reindex(columns=codes), meta)
    again = tables.scored(index).reindex(cells.index)
    faults = []
    for name in again.columns.intersection(cells.columns):
        given = pd.to_numeric(cells[name], errors="coerce").to_numpy("float64", na_value=np.nan)
        found = pd.to_numeric(again[name], errors="coerce").to_numpy("float64", na_value=np.nan)
        limit = 0.5 if name in ("class", "rank") else CELL_TOLERANCE
        differs = ~np.isclose(given, found, rtol=0, atol=limit, equal_nan=True)
        if differs.any():
            message = text(
                "cells.{name}: {n} cells differ from the recomputation, such as {cell}",
                name=name, n=int(differs.sum()), cell=str(cells.index[differs][0]),
            )  # fmt: skip
            faults.append(str(message))
    return faults


def _other_papers(folder: Path, found: Frames, report: dict[str, Any]) -> list[str]:
    """Hold workbooks, page and report against the package, in the language of the run."""
    with language((report.get("facts") or {}).get("lang") or current_language()):
        faults = [*sum_faults(found), *report_faults(found, report)]
        faults += book_faults(folder, found)
        if (folder / PAGE).is_file():
            faults += page_faults(folder / PAGE, found)
    return faults


def _agreement(folder: Path, found: Frames, report: dict[str, Any]) -> list[str]:
    """Compare what stands in two places: the tables of the package, report, params, manifest."""
    faults = []
    for name, count in found["gpkg_ogr_contents"].to_numpy():
        if name in found and count is not None and int(count) != len(found[name]):
            where = f"{GEOPACKAGE} {name}"
            n, m = len(found[name]), int(count)
            faults.append(str(text("{where}: {n} rows, {m} were written", where=where, n=n, m=m)))
    params = _json(folder / PARAMS)
    said = found.get("facts", pd.DataFrame(columns=["key", "value"]))
    facts, fitted = dict(said[["key", "value"]].to_numpy()), _fitted(said)
    for name, document, pairs in (
        ("params", params, fitted), ("facts", report.get("facts"), facts)
    ):  # fmt: skip
        odd = [k for k, v in (document or {}).items() if k in pairs and json.loads(pairs[k]) != v]
        faults += [_changed(f"{GEOPACKAGE} {name}", key) for key in odd]
    manifest = _json(folder / MANIFEST) or {}
    told = {"facts": report.get("facts"), "presets": report.get("presets"), "params": params}
    faults += [_changed(MANIFEST, key) for key, said in told.items() if manifest.get(key) != said]
    notes = found["notes"][["zh", "en"]].to_dict("records") if "notes" in found else []
    if notes != [{"zh": n["zh"], "en": n["en"]} for n in report.get("notes", [])]:
        faults.append(_changed(GEOPACKAGE, "notes"))
    return faults


def _changed(where: str, cell: str) -> str:
    return str(text("{where}: {cell} was changed", where=where, cell=cell))


def _recount(found: Frames) -> list[str]:
    """Count the plans anew: sums, shares, gaps, and no place over its capacity."""
    faults = []

    def odd(name: str, table: pd.DataFrame, wrong: Any, what: str) -> None:
        for at in np.flatnonzero(np.asarray(wrong))[:9]:
            key = next(
                (str(table[k].iloc[at]) for k in ("id", "unit_id", "name") if k in table), ""
            )
            cell = f"#{at + 1} {key} {what}"
            faults.append(str(text("{where}: {cell} does not add up", where=name, cell=cell)))

    for name, table in found.items():
        if not name.startswith("plan"):
            continue
        have = set(table.columns)
        if {"objective", "bound", "gap"} <= have:
            best, bound, gap = (
                pd.to_numeric(table[k], errors="coerce") for k in ("objective", "bound", "gap")
            )
            real = (best - bound).abs() / best.abs().clip(lower=1e-9)
            odd(name, table, (real - gap).abs() > TOLERANCE + 1e-6 * real, "gap")
        if {"total", "covered", "share"} <= have:
            total, covered, share = (
                pd.to_numeric(table[k], errors="coerce") for k in ("total", "covered", "share")
            )
            odd(name, table, (covered / total - share).abs() > SHARE, "share")
        if {"total", "none", "once", "twice"} <= have:
            parts = table[["none", "once", "twice"]].apply(pd.to_numeric, errors="coerce")
            total = pd.to_numeric(table["total"], errors="coerce")
            odd(
                name,
                table,
                (parts.sum(axis=1, skipna=False) - total).abs() > SHARE * total,
                "total",
            )
    return faults


def _counts(folder: Path, package: Path, report: dict[str, Any]) -> list[str]:
    """Compare the number of rows of map, list, table and report."""
    items = read_table(package, "items")
    ids = set(items[c.ITEM_ID])
    expected = report["items"]["rows"]
    found = {
        f"{package.name} items": len(items),
        LIST: _rows(folder / LIST),
        f"{package.name} control": len(read_table(package, "control")),
        CONTROL: _rows(folder / CONTROL),
    }
    faults = [
        str(text("{name} has {n} rows, the report says {m}", name=name, n=n, m=expected))
        for name, n in found.items()
        if n != expected
    ]
    if set(read_table(package, "control")[c.ITEM_ID]) != ids:
        faults.append(str(text("list and table name different items")))
    return faults + _classes(package, report)


def _classes(package: Path, report: dict[str, Any]) -> list[str]:
    cells = read_table(package, "cells")
    units = read_table(package, "units")
    faults = _class_faults(units, cells["class"], "", report["classes"])
    wet = [entry for entry in report["scenarios"] if "classes" in entry]
    if wet:
        every = read_table(package, "unit_scenarios")
        for entry in wet:
            mine = every[every[c.SCENARIO] == entry["name"]]
            column = cells[f"class_{entry['number']}"]
            faults += _class_faults(mine, column, f"@{entry['name']}", entry["classes"])
    return faults


def _class_faults(
    units: pd.DataFrame, cells: pd.Series[Any], ending: str, told: dict[str, Any]
) -> list[str]:
    """Compare the classes of units and cells with what the report counts."""
    finest = units[units[c.LEVEL] == tables.finest_level(units)]["class"]
    faults = []
    for name, classes in (("unit", finest), ("cell", cells)):
        counts = classes.fillna(0).astype(int).value_counts()
        said = {int(key): n for key, n in told[name].items()}
        if any(int(counts.get(value, 0)) != said.get(value, 0) for value in (0, *c.CLASSES)):
            where = name + ending
            message = text("{name}: the report counts other classes than the map", name=where)
            faults.append(str(message))
    return faults


def _rows(path: Path) -> int:
    """Count the rows of the list or table under its three heading rows."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    known = {*both(text("Risk list")).values(), *both(text("Control table")).values()}
    name = next((name for name in book.sheet_names if name in known), book.sheet_names[0])
    return len(book.get_sheet_by_name(name).to_python()) - 3

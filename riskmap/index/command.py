"""Everything that ``riskmap index`` does: read, compute, write whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap import __version__
from riskmap.errors import IndicatorError, Problem
from riskmap.folder import MANIFEST, hashed_files, sha256, whole_folder
from riskmap.i18n import Text, both, text
from riskmap.index.grading import NEEDS
from riskmap.index.outcome import Index
from riskmap.index.reading import Values, read_indicators, read_steps, read_values
from riskmap.index.removal import groups_of
from riskmap.index.removal import leave_one_out as remove_each
from riskmap.index.steps import STAGES, fit
from riskmap.index.tree import build_tree, failure
from riskmap.index.weights import effective

DEFAULT_STEPS: Final = (
    {"step": "normalise", "method": "minmax"},
    {"step": "weight", "method": "given"},
    {"step": "aggregate", "method": "arithmetic"},
)


def run_index(
    values_csv: Path | str,
    indicators_csv: Path | str,
    *,
    steps: Path | str | None = None,
    out: Path | str,
    leave_one_out: int | None = None,
    draws: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute a composite index over any table and write every stage of it.

    Parameters
    ----------
    values_csv
        First column the unit, one column per code, denominators and group columns beside them.
    indicators_csv
        ``code, parent, kind, direction, weight[, denominator, denominator_scale, ...]``.
    steps
        YAML list of steps; min-max, given weights and arithmetic means when None.
    out
        Folder to write; an earlier output there is replaced as a whole.
    leave_one_out
        Level whose elements are taken out one by one.
    draws
        Number of Monte Carlo draws over weights and methods.
    seed
        Seed of the draws.

    Returns
    -------
    dict
        The report; ``returned`` lists rows that were not used (then ``exit_code`` is 1).

    Raises
    ------
    IndicatorError, ExportError
        Everything that is wrong with the input, in one message; the folder cannot be written, or
        holds files of somebody else.
    """
    meta = read_indicators(Path(indicators_csv))
    chosen = read_steps(Path(steps)) if steps is not None else [dict(s) for s in DEFAULT_STEPS]
    values = read_values(Path(values_csv), _number_columns(meta, chosen))
    if values.returned and not len(values.table):
        raise failure(values.returned)
    try:
        index = fit(values.table, meta, chosen)
    except IndicatorError as wrong:
        raise failure([*wrong.problems, *values.returned]) from wrong
    groups_of(index)
    report, tables = _report(index, values), _tables(index, values)
    if leave_one_out is not None:
        tables["leave_one_out.csv"] = remove_each(index, leave_one_out).set_index("code")
    pictures: dict[str, str] = {}
    if draws:
        from riskmap.index.stress import stress

        found = stress(index, values.table, meta, draws=draws, seed=seed)
        pictures, report["uncertainty"] = found[1:]
        tables |= found[0]
    read = [Path(file) for file in (values_csv, indicators_csv, steps) if file is not None]
    with whole_folder(Path(out)) as folder:
        for name, table in tables.items():
            table.to_csv(folder / name, lineterminator="\n")
        for name, picture in pictures.items():
            _put(folder / name, picture)
        _put(folder / "params.json", _json(index.params))
        _put(folder / "report.json", _json(report))
        _put(folder / MANIFEST, _json(_manifest(read, folder)))
    return dict(plain(report))


def _number_columns(meta: pd.DataFrame, steps: list[dict[str, Any]]) -> frozenset[str]:
    """Name the columns that must hold numbers: indicators, denominators, and what steps need."""
    names = {str(code) for code in meta.index[meta["kind"] == "indicator"]}
    if "denominator" in meta:
        names |= {str(name) for name in meta["denominator"] if name}
    for step in steps:
        flags = step.get("red_flags") or ()
        names |= {str(flag.get("column")) for flag in flags if isinstance(flag, Mapping)}
        if step.get("time"):
            names.add(str(step["time"]))
        names |= {str(step.get(key)) for key in NEEDS.get(str(step.get("method")), ())}
    return frozenset(names)


def _tables(index: Index, values: Values) -> dict[str, pd.DataFrame]:
    """Name every table that is written, the unit column first."""
    tables = {}
    for number, stage in enumerate(STAGES, start=1):
        frame = index.stages[stage]
        if stage == "aggregated":
            frame = pd.concat([index.stages["normalised"], index.scores], axis=1)
        tables[f"{number}_{stage}.csv"] = frame
    tables["scores.csv"] = index.scores
    tables["ranks.csv"] = index.ranks
    if len(index.class_table.columns):
        tables["classes.csv"] = index.class_table
    if len(index.contributions.columns):
        tables["contributions.csv"] = index.contributions
    return {name: frame.rename_axis(index=values.unit_column) for name, frame in tables.items()}


def _problem(problem: Problem) -> dict[str, Any]:
    """Show a problem in both languages."""
    return {
        "file": problem.file,
        "row": problem.row,
        "column": problem.field,
        "value": problem.value,
        "rule": problem.rule,
        "message": both(problem.message),
        "mend": both(problem.mend),
    }


def _report(index: Index, values: Values) -> dict[str, Any]:
    """Say what was done to the data, in plain values."""
    raw = index.stages["raw"]
    places = np.argwhere(raw.isna().to_numpy())
    missing = [f"{raw.index[row]}/{raw.columns[column]}" for row, column in places]
    notes: list[Text] = list(index.notes)
    if missing:
        notes.insert(0, text("{n} value(s) are missing", n=len(missing)))
    tree = build_tree(index.meta)
    weights = {str(code): float(w) for code, w in index.meta["weight"].items()}
    return {
        "rows_in": values.rows_in,
        "rows_used": len(raw),
        "rows_returned": values.rows_in - len(raw),
        "returned": [_problem(problem) for problem in values.returned],
        "missing": missing,
        "notes": [both(note) for note in notes],
        "root": tree.root,
        "levels": {code: tree.level[code] for code in index.meta.index},
        "effective_weights": effective(tree, weights),
        "steps": dict(index.details),
        "exit_code": 1 if values.returned else 0,
    }


def plain(value: object) -> Any:
    """Bring a value to what JSON knows; unknown numbers become null.

    Parameters
    ----------
    value
        Nested mappings, sequences, numpy scalars.

    Returns
    -------
    object
        Nested dicts and lists of plain values.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Text) else value


def _json(document: object) -> str:
    return json.dumps(plain(document), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _put(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8", newline="\n")


def _manifest(read: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Hash what went in and what came out."""
    return {
        "riskmap": __version__,
        "inputs": [{"file": file.name, "sha256": sha256(file)} for file in read],
        "outputs": hashed_files(folder),
    }

"""What ``riskmap index`` does: tables read, an index fitted, its stages and report written."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap import __version__
from riskmap.errors import IndicatorError, Problem
from riskmap.export.charts import all_charts
from riskmap.files import MANIFEST, hashed_files, sha256, whole_folder
from riskmap.i18n import Text, both, text
from riskmap.index.classify import NEEDS
from riskmap.index.stability import groups_of
from riskmap.index.steps import STAGES, Index, fit, load_recipe
from riskmap.index.stress import leave_one_out as remove_each
from riskmap.index.stress import stress
from riskmap.index.tree import build_tree, error, failure, read_steps, text_of
from riskmap.index.weights import effective

MISSING: Final = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "-", "--", "—", "..", "...", "无", "缺"}
)
THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
"""1,234.5; not 0,123 or 1234,567, where the comma may be a decimal one."""
COLUMNS: Final = ("code", "parent", "kind", "direction", "weight")


@dataclass(frozen=True)
class Values:
    """A table of values, with the rows that could not be used."""

    table: pd.DataFrame
    """Indexed by unit; numbers where an indicator or denominator stands, text elsewhere."""
    unit_column: str
    rows_in: int
    returned: tuple[Problem, ...]
    """One problem for each cell or row that kept a row from being used."""


def _records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file into its header and its non-empty rows with their line numbers."""
    reader = csv.reader(io.StringIO(text_of(path), newline=""))
    lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    lines = [(number, row) for number, row in lines if any(row)]
    mend = text("give a header row with unique names, then one row per unit or code")
    if not lines:
        raise failure([error("empty_file", text("{file} is empty", file=path.name), mend)])
    header = lines[0][1]
    while header and not header[-1]:
        header = header[:-1]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        names = ", ".join(twice)
        message = text("{file}: columns stand twice: {names}", file=path.name, names=names)
        raise failure([error("header", message, mend)])
    return header, lines[1:]


def read_number(cell: str) -> float:
    """Read one cell as a number; an empty one is unknown.

    Parameters
    ----------
    cell
        The text, possibly with thousands separators or full-width digits.

    Returns
    -------
    float
        NaN for an empty cell.

    Raises
    ------
    ValueError
        When it is not a number.

    Examples
    --------
    >>> read_number("1,234.5"), read_number("１２"), read_number("-")
    (1234.5, 12.0, nan)
    """
    plain = unicodedata.normalize("NFKC", cell).strip()
    if plain.casefold() in MISSING or cell in MISSING:
        return float("nan")
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if "_" in plain:
        raise ValueError(cell)
    return float(plain)


def _numbers(column: pd.Series) -> tuple[np.ndarray[Any, np.dtype[np.float64]], list[int]]:
    """Read a column; return the numbers and the places that are no numbers."""
    quick = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    numbers = np.array(quick, dtype=float)
    bad = []
    for place in np.flatnonzero(~np.isfinite(numbers)):
        try:
            numbers[place] = read_number(str(column.iloc[place]))
        except ValueError:
            numbers[place] = np.inf
        if np.isinf(numbers[place]):
            bad.append(int(place))
            numbers[place] = np.nan
    return numbers, bad


def read_values(path: Path, numeric: frozenset[str]) -> Values:
    """Read the table of values; a row with an unreadable cell is returned, never guessed.

    Parameters
    ----------
    path
        CSV; the first column names the unit.
    numeric
        Names of the columns that must hold numbers.

    Returns
    -------
    Values
        The usable rows, and why the others are not.

    Raises
    ------
    IndicatorError
        The file cannot be read at all.
    """
    header, lines = _records(path)
    width = len(header)
    returned: list[Problem] = []
    good: list[tuple[int, list[str]]] = []
    for number, row in lines:
        cells = row[:width] if not any(row[width:]) else row
        if len(cells) != width:
            message = text("the row has {n} cells, the header {m}", n=len(cells), m=width)
            returned.append(_returned(path, number, row[0], "", message, ""))
        elif not cells[0]:
            message = text("the unit has no name")
            returned.append(_returned(path, number, "", header[0], message, ""))
        else:
            good.append((number, cells))
    frame = pd.DataFrame([row for _, row in good], columns=header, dtype=object)
    keep = np.ones(len(frame), dtype=bool)
    columns: dict[str, Any] = {}
    for name in header[1:]:
        if name not in numeric:
            columns[name] = frame[name].where(~frame[name].isin(MISSING), None).to_numpy()
            continue
        columns[name], bad = _numbers(frame[name])
        for place in bad:
            number, row = good[place]
            message = text("{unit}/{column} is not a number", unit=row[0], column=name)
            returned.append(
                _returned(path, number, row[0], name, message, str(frame[name].iloc[place]))
            )
        keep[bad] = False
    table = pd.DataFrame(columns, index=pd.Index(frame[header[0]].astype(str), name=header[0]))
    returned.sort(key=lambda problem: (problem.row or 0, problem.field))
    return Values(table[keep], header[0], len(lines), tuple(returned))


def _returned(path: Path, row: int, unit: str, column: str, message: Any, value: str) -> Problem:
    """Make the problem of a row that is not used."""
    mend = text("correct the cell and run again; the row was left out")
    return Problem(
        "returned", "index", "cell", message, mend,
        file=path.name, row=row, field=column or unit, value=value,
    )  # fmt: skip


def read_indicators(path: Path) -> pd.DataFrame:
    """Read the indicator table.

    Parameters
    ----------
    path
        CSV with at least ``code, parent, kind, direction, weight``.

    Returns
    -------
    DataFrame
        Indexed by code; checked later by `tree.build_tree`.

    Raises
    ------
    IndicatorError
        Missing columns, uneven rows, or a cell that is not a number.
    """
    header, lines = _records(path)
    problems = []
    mend = text("correct the indicator table")
    for name in COLUMNS:
        if name not in header:
            message = text("{file} has no column {name}", file=path.name, name=name)
            problems.append(error("missing_column", message, mend))
    for number, row in lines:
        if len(row) > len(header) and any(row[len(header) :]):
            message = text("{file}, line {n}: too many cells", file=path.name, n=number)
            problems.append(error("cells", message, mend, value=row[0]))
    if problems:
        raise failure(problems)
    width = len(header)
    rows = [[*row, *[""] * width][:width] for _, row in lines]
    table = pd.DataFrame(rows, columns=header, dtype=object).set_index("code")
    for name in ("direction", "weight", "denominator_scale"):
        if name not in table:
            continue
        numbers, bad = _numbers(table[name])
        for place in bad:
            code = table.index[place]
            message = text("{unit}/{column} is not a number", unit=code, column=name)
            problems.append(error("cell", message, mend, name=name, value=table[name].iloc[place]))
        table[name] = numbers
    if problems:
        raise failure(problems)
    return table


DEFAULT_STEPS: Final = (
    {"step": "normalise", "method": "minmax"},
    {"step": "weight", "method": "given"},
    {"step": "aggregate", "method": "arithmetic"},
)


def run_index(
    values_csv: Path | str,
    indicators_csv: Path | str | None,
    *,
    steps: Path | str | None = None,
    out: Path | str,
    leave_one_out: int | None = None,
    draws: int | None = None,
    seed: int = 0,
    recipe: str | None = None,
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
    recipe
        Name of a shipped set, whose table and steps are taken.

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
    meta, chosen = _recipe_or_table(recipe, indicators_csv)
    if steps is not None:
        chosen = list(read_steps(Path(steps)))
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
        found, report["uncertainty"] = stress(index, values.table, meta, draws=draws, seed=seed)
        drawn = found["uncertainty.csv"]
        pictures = all_charts(index, drawn, found.get("sobol.csv"))
        tables |= found
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


def _recipe_or_table(
    recipe: str | None, indicators_csv: Path | str | None
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Take table and steps of a shipped set, or the table of a file and the default steps."""
    if recipe is not None:
        found = load_recipe(recipe)
        return found.meta, [dict(step) for step in found.steps]
    return read_indicators(Path(str(indicators_csv))), [dict(step) for step in DEFAULT_STEPS]


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

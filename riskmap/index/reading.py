"""Read the tables of ``riskmap index``: values, indicators, steps."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from riskmap.errors import Problem
from riskmap.i18n import text
from riskmap.index.tree import error, failure

MISSING: Final = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "-", "--", "—", "..", "...", "无", "缺"}
)
ENCODINGS: Final = ("utf-8-sig", "gb18030")
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


def _text_of(path: Path) -> str:
    """Read a text file in UTF-8 or a Chinese encoding."""
    try:
        raw = path.read_bytes()
    except OSError as cause:
        message = text("{file} cannot be read", file=path.name)
        raise failure(
            [error("file", message, text("check the path"), value=cause.strerror)]
        ) from cause
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = text("{file} is neither UTF-8 nor GBK text", file=path.name)
    raise failure([error("encoding", message, text("save it as CSV UTF-8"))])


def _records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read a CSV file into its header and its non-empty rows with their line numbers."""
    reader = csv.reader(io.StringIO(_text_of(path), newline=""))
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


def read_steps(path: Path) -> list[dict[str, Any]]:
    """Read the list of steps; ``frozen: FILE`` takes a step's numbers from an earlier params.json.

    Parameters
    ----------
    path
        YAML: a list of ``{step: name, ...options}``.

    Returns
    -------
    list of dict
        The steps, with ``frozen`` read.

    Raises
    ------
    IndicatorError
        Not YAML, not a list of steps, or a frozen file without such a step.
    """
    mend = text("correct the steps file")
    try:
        found = yaml.safe_load(_text_of(path))
    except yaml.YAMLError as cause:
        where = getattr(cause, "problem_mark", None)
        line = where.line + 1 if where else 0
        message = text("{file} is not YAML (line {n})", file=path.name, n=line)
        raise failure([error("yaml", message, mend)]) from cause
    steps = found.get("steps") if isinstance(found, Mapping) else found
    listed: list[Any] = steps if isinstance(steps, list) else [None]
    if not all(isinstance(step, Mapping) and isinstance(step.get("step"), str) for step in listed):
        message = text("{file} must be a list of steps, each with a key 'step'", file=path.name)
        raise failure([error("steps", message, mend)])
    return [_thaw(dict(step), path) for step in listed]


def _thaw(step: dict[str, Any], path: Path) -> dict[str, Any]:
    """Replace the name of a frozen file by the numbers in it."""
    if not isinstance(step.get("frozen"), str):
        return step
    try:
        params = json.loads(_text_of((path.parent / step["frozen"]).resolve()))
        earlier = [s for s in params["steps"] if s["step"] == step["step"]]
        step["frozen"] = earlier[-1]["fitted"]
    except (json.JSONDecodeError, KeyError, IndexError, TypeError) as cause:
        message = text("{file} holds no frozen step {name}", file=step["frozen"], name=step["step"])
        mend = text("name the params.json of an earlier run")
        raise failure([error("frozen", message, mend)]) from cause
    return step

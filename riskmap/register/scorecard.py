"""Scorecard: what the offices count, with numerator and denominator, for each reporting unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import yaml

from riskmap.i18n import Label, Text, text
from riskmap.layers.layer import filled
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from riskmap.layers.layer import Layer

SCALES: Final[Mapping[str, float]] = {
    "%": 100.0, "‰": 1000.0, "": 1.0, "1/10⁵ hm²": 1e5, "hm²": 1.0, "%同比": 100.0,
}  # fmt: skip
"""Unit of a measure to what its quotient is multiplied by."""
CHANGE: Final = "%同比"
"""Unit of a measure that compares with the same days of the year before."""
_SIGNS: Final = {"%": "%", "％": "%", "‰": "‰", "per mille": "‰", "千分之": "‰", "百分之": "%"}
_NUMBER: Final = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")
_DECIMALS: Final = re.compile(r"\.(\d*)")
_AT_LEAST: Final = ("余", "多", "以上", "不少于", "≥", "+")
_COMPARED: Final = re.compile(r"(<=|>=|<|>)(.+)")
_TODAY: Final = re.compile(r"today([+-]\d+)?")
_AT_MOST: Final = ("以内", "以下", "不超过", "不足", "≤")
ALL: Final = ""
"""The reporting unit that stands for the whole place."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """What is counted: rows of a role, a field summed, or different entries of a field."""

    role: str
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field to the values that count; also ``<=24``, ``>=today-365``, ``<=@other_field``,
    ``~words`` that it holds, ``!~words`` that it does not, ``*`` (filled in), ``this_year`` and
    ``last_year`` (up to the same day)."""
    sum: str = ""
    unique: str = ""
    blank: str = "unknown"
    """What a blank cell of ``where`` means: ``unknown``, or ``no``."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of the scorecard."""

    code: str
    label: Label
    of: Count
    over: Count | None = None
    unit: str = ""
    target: float | None = None
    direction: str = ""
    """``up``: at least the target; ``down``: at most."""
    source: str = ""
    split: str = ""
    """Field by whose values the measure is told apart."""
    per: str = "town"
    """Field that names the reporting unit."""
    each: bool = False
    """Whether the target is one of every reporting unit, not of the whole place."""


@cache
def measures() -> tuple[Measure, ...]:
    """Read the shipped measures.

    Returns
    -------
    tuple of Measure
        In the order of the file.

    Examples
    --------
    >>> [m.unit for m in measures() if m.code == "dangers_mended"]
    ['%']
    """
    entries = yaml.safe_load(Path(__file__).with_name("scorecard.yaml").read_text("utf-8"))
    return tuple(
        Measure(
            code=entry["code"],
            label=Label(entry["en"], zh=entry["zh"]),
            of=_count(entry["of"]),
            over=_count(entry["over"]) if "over" in entry else None,
            unit=entry.get("unit", ""),
            target=entry.get("target"),
            direction=entry.get("direction", ""),
            source=entry.get("source", ""),
            split=entry.get("split", ""),
            per=entry.get("per", "town"),
            each=bool(entry.get("each", False)),
        )
        for entry in entries
    )


def _count(entry: Mapping[str, Any]) -> Count:
    where = {name: tuple(map(str, values)) for name, values in entry.get("where", {}).items()}
    return Count(
        role=entry["role"],
        where=where,
        sum=entry.get("sum", ""),
        unique=entry.get("unique", ""),
        blank=entry.get("blank", "unknown"),
    )


def scorecard(
    layers: Mapping[str, Layer],
    *,
    of: Sequence[Measure] | None = None,
    data_date: str = "",
    more: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Compute every measure whose ledgers are there, for the whole place and each town.

    Parameters
    ----------
    layers
        Checked layers by role; a measure without its ledger is left out, never zero.
    of
        The measures; the shipped ones by default.
    data_date
        Date of the data, ISO; without it what asks for a day is unknown.
    more
        Further tables to count in: ``item`` (the register's items), ``unit``; and roles whose
        ``town`` was found by the place of their rows.

    Returns
    -------
    DataFrame
        code, measure, unit_name (empty = the whole place), numerator, denominator, unknown (rows
        whose blank cells leave open whether they count, and returned rows), value, unit, target,
        met (unknown when the blanks could decide it), source. A rate over nothing has no value.
    """
    found = {name: layer.table for name, layer in layers.items() if layer.table is not None}
    tables: dict[str, pd.DataFrame] = {**found, **(more or {})}
    gone = {name: layer.rows_returned for name, layer in layers.items()}
    rows: list[dict[str, Any]] = []
    for measure in measures() if of is None else of:
        counts = (measure.of, measure.over or measure.of)
        if all(one.role in tables for one in counts):
            for one in _split(measure, tables):
                rows += _measured(one, tables, data_date, returned=gone.get(one.of.role, 0))
    names = [
        "code", "measure", "unit_name", "numerator", "denominator", "unknown", "value", "unit",
        "target", "met", "source",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"met": "boolean", "target": "Float64", "denominator": "Float64"})


def _split(measure: Measure, tables: Mapping[str, pd.DataFrame]) -> list[Measure]:
    """Tell a measure apart by the values of a field, where it says so."""
    if not measure.split:
        return [measure]

    role = load_roles().get(measure.of.role)
    known = None if role is None else role.field(measure.split)
    words = {} if known is None else {choice.value: choice for choice in known.choices}
    there = filled(tables[measure.of.role], measure.split).dropna().map(_written)
    order = [value for value in words if (there == value).any()]
    order += sorted(set(there) - set(words))
    made = []
    for value in order:
        zh, en = (words[value].zh, words[value].en) if value in words else (value, value)
        label = Label(f"{measure.label.msgid}: {en}", zh=f"{measure.label.zh}：{zh}")
        only = {measure.split: (f"={value}",)}  # a blank is none of them
        over = measure.over
        made.append(
            replace(
                measure,
                code=f"{measure.code}:{value}",
                label=label,
                of=replace(measure.of, where={**measure.of.where, **only}),
                over=None if over is None else replace(over, where={**over.where, **only}),
            )
        )
    return made


def _measured(
    measure: Measure, tables: Mapping[str, pd.DataFrame], today: str, *, returned: int = 0
) -> list[dict[str, Any]]:
    """Make the rows of one measure: the whole place, then its reporting units.

    Rows that were returned may count or not: in the whole place they are not known.
    """
    top = _by_unit(tables, measure, measure.of, today)
    below = None if measure.over is None else _by_unit(tables, measure, measure.over, today)
    dark = _by_unit(tables, measure, measure.of, today, blanks=True)
    dark[ALL] += returned
    there = set(filled(tables[measure.of.role], measure.per).dropna().astype(str)) - {""}
    names = dict.fromkeys([ALL, *sorted(there | set(top) | set(below or {}))])
    return [_row(measure, one, top.get(one, 0.0), below, dark.get(one, 0.0)) for one in names]


def _row(
    measure: Measure,
    town: str,
    numerator: float,
    below: Mapping[str, float] | None,
    unknown: float,
) -> dict[str, Any]:
    """Make one row: a rate over nothing, or of which nothing is known, is unknown."""
    denominator = None if below is None else below.get(town, 0.0)
    value: float | None = numerator
    if denominator is not None:
        some = denominator > unknown
        value = numerator / denominator * SCALES[measure.unit] if some else None
        if measure.unit == CHANGE and value is not None:
            value -= SCALES[CHANGE]
    met = None
    judged = measure.target is not None and not (measure.each and town == ALL)
    if judged and value is not None and measure.direction:
        scale = SCALES[measure.unit]
        most = (numerator + unknown) / denominator * scale if denominator else value + unknown
        most -= scale if measure.unit == CHANGE and denominator else 0.0
        met = _met(measure, least=value, most=most)
    return {
        "code": measure.code,
        "measure": measure.label,
        "unit_name": town,
        "numerator": numerator,
        "denominator": denominator,
        "unknown": unknown,
        "value": None if value is None else round(value, 6),
        "unit": "%" if measure.unit == CHANGE else measure.unit,
        "target": measure.target,
        "met": met,
        "source": measure.source,
    }


def _met(measure: Measure, *, least: float, most: float) -> bool | None:
    """Say whether a target is met, where the blanks cannot decide it either way."""
    target = measure.target or 0.0
    worst, best = (least, most) if measure.direction == "up" else (-most, -least)
    goal = target if measure.direction == "up" else -target
    return True if worst >= goal else False if best < goal else None


def _by_unit(
    tables: Mapping[str, pd.DataFrame],
    measure: Measure,
    count: Count,
    today: str,
    *,
    blanks: bool = False,
) -> dict[str, float]:
    """Count in the whole place and in each unit; or the rows that a blank cell leaves open."""
    table = tables[count.role]
    keep, maybe = np.ones(len(table), bool), np.zeros(len(table), bool)
    for name, values in count.where.items():
        fits, dark = _fitting(table, name, values, today)
        open_ = dark & ~fits & (count.blank == "unknown")
        maybe |= open_
        keep &= fits | open_
    keep = keep & maybe if blanks else keep & ~maybe
    units = filled(table, measure.per).fillna("").astype(str)[keep]
    if count.sum:
        amounts = pd.to_numeric(filled(table, count.sum)[keep], errors="coerce").fillna(0.0)
    else:
        amounts = pd.Series(1.0, index=units.index)
    if count.unique:
        said = filled(table, count.unique)[keep].dropna().astype(str)
        found = {ALL: float(said.nunique())}
        by = said.groupby(units.reindex(said.index)).nunique()
    else:
        found = {ALL: float(amounts.sum())}
        by = amounts.groupby(units).sum()
    return found | {str(unit): float(n) for unit, n in by.items() if unit}


def _fitting(
    table: pd.DataFrame, name: str, values: tuple[str, ...], today: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which rows fit one of the values, and of which a blank leaves it open."""
    said = filled(table, name).map(_written)
    fits = np.zeros(len(table), bool)
    dark = np.array(said == "", bool)
    if all(value.startswith("=") for value in values):
        dark[:] = False
    for value in values:
        if (compared := _COMPARED.fullmatch(value)) is not None:
            one, open_ = _compared(table, said, compared[1], compared[2], today)
            fits |= one
            dark |= open_
        elif value in {"this_year", "last_year"}:
            fits |= _in_year(said, value, today)
            dark |= not today
        elif value.startswith("!~"):
            fits |= ~said.str.contains(value[2:], regex=False).to_numpy(bool)
        elif value.startswith("~"):
            fits |= said.str.contains(value[1:], regex=False).to_numpy(bool)
        elif value.startswith("="):
            fits |= (said == value[1:]).to_numpy(bool)
        elif value == "*":
            fits |= (said != "").to_numpy(bool)
        else:
            fits |= (said == value).to_numpy(bool)
    return fits, dark


def _compared(
    table: pd.DataFrame, said: pd.Series[str], sign: str, with_: str, today: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare a field with a number, a day or another field; a blank on either side is open."""
    if with_.startswith("@"):
        other = filled(table, with_[1:]).map(_written)
    elif (day := _TODAY.fullmatch(with_)) is not None:
        other = pd.Series(_day_from(today, int(day[1] or 0)), index=said.index, dtype=object)
    else:
        other = pd.Series(with_, index=said.index, dtype=object)
    blank = ((said == "") | (other == "")).to_numpy(bool)
    left, right = (pd.to_numeric(side, errors="coerce") for side in (said, other))
    both = (left.notna() & right.notna()).to_numpy(bool)
    small = np.where(both, left < right, said.astype(str) < other.astype(str))
    same = np.where(both, left == right, said.astype(str) == other.astype(str))
    hit = {"<": small, "<=": small | same, ">": ~small & ~same, ">=": ~small}[sign]
    return hit.astype(bool) & ~blank, blank


def _day_from(today: str, days: int) -> str:
    return (date.fromisoformat(today) + timedelta(days=days)).isoformat() if today else ""


def _in_year(said: pd.Series[str], which: str, today: str) -> NDArray[np.bool_]:
    """Tell what lies in this year, or in the last up to the same day; a bare year is the whole."""
    if not today:
        return np.zeros(len(said), bool)
    year = int(today[:4]) - (which == "last_year")
    until = f"{year}{today[4:]}"
    dated = (said >= f"{year}-01-01") & (said <= until) & (said.str.len() > 4)
    bare = said.str.replace(".0", "", regex=False) == str(year)
    return (dated | bare).to_numpy(bool)


def _written(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return str(value)


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A figure as somebody wrote it."""

    value: float
    unit: str
    """``%``, ``‰`` or empty."""
    bound: str = "="
    """``>=`` for 余, 多, 以上; ``<=`` for 以内, 不超过."""


def read_stated(written: str) -> Stated | None:
    """Read a figure with its unit and what it bounds.

    Parameters
    ----------
    written
        Such as ``0.03%``, ``0.3‰以内``, ``11500余件``.

    Returns
    -------
    Stated or None
        None when there is no number in it.

    Examples
    --------
    >>> read_stated("11500余件")
    Stated(value=11500.0, unit='', bound='>=')
    >>> read_stated("0.3‰以内")
    Stated(value=0.3, unit='‰', bound='<=')
    """
    found = _NUMBER.search(written)
    if found is None:
        return None
    value = float(found[0].replace(",", ""))
    unit = next((sign for word, sign in _SIGNS.items() if word in written), "")
    if "万" in written[found.end() : found.end() + 2]:
        value *= 10_000
    bound = ">=" if any(w in written for w in _AT_LEAST) else "="
    bound = "<=" if any(w in written for w in _AT_MOST) else bound
    return Stated(value=value, unit=unit, bound=bound)


def _decimals(written: str) -> int:
    """Count the digits behind the point, which say how closely a figure was printed."""
    found = _DECIMALS.search(written)
    return len(found[1]) if found else 0


def doubt(written: str, numerator: float, denominator: float) -> Text | None:
    """Recompute a stated rate from its own numbers and say what does not agree.

    Parameters
    ----------
    written
        The rate as stated, with its sign.
    numerator, denominator
        What it is said to be made of.

    Returns
    -------
    Text or None
        None when the rate agrees to the digits that are printed.

    Examples
    --------
    >>> from riskmap.i18n import language
    >>> with language("en"):
    ...     str(doubt("0.03%", 21.56, 656_600))
    'stated 0.03%, recomputed 0.003284%: the figure is per mille, written as per cent'
    """
    stated = read_stated(written)
    if stated is None or denominator <= 0:
        return None
    share = numerator / denominator
    half = 0.5 * 10.0 ** -_decimals(written) + 1e-12
    right = share * SCALES[stated.unit]
    if abs(stated.value - right) <= half:
        return None
    shown = f"{right:.4g}{stated.unit}"
    for sign, words in (("‰", text("per mille")), ("%", text("per cent"))):
        if sign != stated.unit and abs(stated.value - share * SCALES[sign]) <= half:
            return text(
                "stated {stated}, recomputed {right}: the figure is {is_}, written as {as_}",
                stated=written,
                right=shown,
                is_=words,
                as_=text("per cent") if stated.unit == "%" else text("per mille"),
            )
    return text("stated {stated}, recomputed {right}", stated=written, right=shown)


def doubts(layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Recompute every stated figure that comes with its numerator and denominator.

    Parameters
    ----------
    layers
        Checked layers; those of role ``stated_figure`` are looked at.

    Returns
    -------
    DataFrame
        unit_name, measure, stated, numerator, denominator, message; only what does not agree.
    """
    names = ["unit_name", "measure", "stated", "numerator", "denominator", "message"]
    layer = layers.get("stated_figure")
    rows = []
    if layer is not None and layer.table is not None:
        columns = {
            name: filled(layer.table, name).tolist()
            for name in ("unit", "name", "stated", "numerator", "denominator")
        }
        for unit, name, stated, top, below in zip(*columns.values(), strict=True):
            if stated is None or top is None or below is None:
                continue
            said = doubt(str(stated), float(top), float(below))
            if said is not None:
                rows.append([unit or "", name, str(stated), float(top), float(below), said])
    return pd.DataFrame(rows, columns=names)

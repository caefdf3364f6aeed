"""The columns of a file as the fields of a role."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.layer import Findings, shown_value, unusable
from riskmap.layers.place.datum import preference, split_datum
from riskmap.layers.read.values import (
    EXCEL_ERRORS,
    MISSING,
    Parsed,
    as_text,
    by_entries,
    is_told,
    parse_booleans,
    parse_codes,
    parse_dates,
    parse_numbers,
    parse_phones,
    parse_text,
    parse_unique,
    plain,
    same_text,
)
from riskmap.vocabulary.columns import header_key, unit_factor, unit_label, unit_of
from riskmap.vocabulary.roles import coordinate_fields, guess_choice, match_choice, match_header

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from riskmap.layers.layer import LayerSpec
    from riskmap.vocabulary.roles import Field, Role


_RULES: Final[dict[str, tuple[str, str]]] = {
    "type": ("this is not a number", "write the number alone"),
    "unit": ("the unit of this entry is not clear", "write the number alone, in {unit}"),
    "integer": ("this is not a whole number", "write a whole number"),
    "date": ("this is not a date", "write it as 2026-05-31"),
    "boolean": ("this is neither yes nor no", "write 是 or 否"),
    "choice": ("this is not one of the allowed values", "write one of: {choices}"),
    "code_float": (
        "this code was turned into a rounded number and its last digits are lost",
        "format the column as text and enter the code again",
    ),
}
_CHANGES: Final[dict[str, tuple[str, str]]] = {
    "text": ("numbers with words or units were read as numbers", "write the number alone"),
    "range": (
        "of ranges the end on the safe side was taken ({end})",
        "write one number",
    ),
    "error": ("Excel errors were taken as unknown", "mend the formulas"),
    "control": ("control characters were taken out", "nothing to do"),
    "code": ("codes stored as numbers were turned back into text", "format the column as text"),
    "serial": ("Excel's day numbers were read as dates", "format the column as date"),
    "phone": ("these do not look like phone numbers; kept as they are", "check them"),
    "within": ("the number was taken out of the words around it", "write the number alone"),
    "sum": ("the numbers of several kinds were added up", "write the sum alone"),
    "bound": ("of a bound, such as more than 50, the number was taken", "write one number"),
    "short": (
        "years of two digits were read as the year, before month and day",
        "write it as 2026-05-31",
    ),
    "utc": (
        "times in UTC were turned to Beijing time before the day was taken",
        "write the day alone",
    ),
    "tenth": (
        "a number such as 2026.1 may be January or October: the year alone was read",
        "write it as 2026-10",
    ),
    "said": ("dates in words were kept as they are", "write it as 2026-05-31"),
    "clock": (
        "times such as 1:30 were read as hours and minutes",
        "write the number in the unit of the heading",
    ),
    "picture": (
        "cells that show a picture inside the workbook were taken as unknown",
        "save the pictures as files and write their names",
    ),
    "yes_no": ("yes and no were read from the beginning of the entry", "write 是 or 否"),
}
_ADDING: Final = frozenset(("person", "household", "item", "m2", "m3", "kg", "t", "CNY", "10k CNY"))
"""Units whose number over several joined rows may be the sum of the rows."""


def fill_fields(
    role: Role,
    table: pd.DataFrame,
    found: dict[str, tuple[str, str | None]],
    spec: LayerSpec,
    findings: Findings,
    *,
    lenient: bool,
    unit: str = "",
    joined: Mapping[str, NDArray[np.int64]] | None = None,
    shown: Mapping[str, str] | None = None,
    wanted: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read every field of a role from its column, and check it.

    Parameters
    ----------
    role
        The role.
    table
        Shape (n, columns): the cells.
    found
        Field to column and unit.
    spec
        Holds the constants.
    findings
        Takes the rows to return and the notes.
    lenient
        True for data that the office cannot mend (OSM, base layers): their bad entries are said
        once for a column.
    unit
        Units that stand above the table for all its numbers.
    joined
        Column to the rows whose cell was filled from cells joined downwards.
    shown
        Column to the unit that its number format shows.
    wanted
        Fields whose values are needed later, of a table too long to keep the others; those tell
        then only whether they have an entry, and fields without a column are left out.

    Returns
    -------
    DataFrame
        Shape (n, fields), all fields of the role.
    """
    out: dict[str, pd.Series] = {}

    @cache
    def absent(kind: str) -> pd.Series:
        return _absent(kind, table.index)

    for field in role.fields:
        if field.name in out:  # read from the column of another
            continue
        if field.name in spec.constants:
            cells = pd.Series(
                [spec.constants[field.name]] * len(table), index=table.index, dtype=object
            )
            column, named = field.name, None
        elif field.name in found:
            column, named = found[field.name]
            cells = _parted(field, table[column], (joined or {}).get(column), findings)
            named = _unit_for(field, column, named, unit, shown or {}, findings)
        elif (instead := _named_by_address(role, field, table, found, findings)) is not None:
            out[field.name] = instead
            continue
        else:
            if wanted is None or field.name in wanted:
                out[field.name] = absent(_kind(field))
            if field.required:
                findings.returned(
                    np.ones(len(table), dtype=bool),
                    "required",
                    text("{field} is missing", field=field.label),
                    text("add the column {column}", column=field.label),
                    field=str(field.label),
                )
            continue
        read, parsed = _read_as(role, field, cells, named, {*found, *spec.constants}, findings)
        if read is not field:
            out[field.name] = absent(_kind(field))
        _judge(role, read, column, cells, parsed, findings, lenient=lenient, unit=named)
        whole = wanted is None or read.name in wanted
        out[read.name] = parsed.column if whole else _entered(parsed.column)
    return pd.DataFrame(out, index=table.index)


def _unit_for(
    field: Field,
    column: str,
    named: str | None,
    unit: str,
    shown: Mapping[str, str],
    findings: Findings,
) -> str | None:
    """Tell the unit of a column: its heading's, its number format's, or that above the table.

    A cell that shows 30% holds 0.3, whatever the heading says.
    """
    format_unit = shown.get(column)
    told = format_unit and field.unit and unit_factor(format_unit, field.unit)
    if told and (named is None or (named == "%" and format_unit == "1")):
        if told != 1.0:
            findings.note(
                "format_unit",
                text(
                    "the numbers of {column} were read in the unit that their format shows: {unit}",
                    column=column, unit=unit_label("%" if format_unit == "1" else format_unit),
                ),
                text("write the unit into the heading"),
                field=column,
            )  # fmt: skip
        return format_unit
    if named is not None:
        return named
    parts = [part for part in unit.split("、") if field.unit and unit_factor(part, field.unit)]
    return parts[0] if len(parts) == 1 else None


def _read_as(
    role: Role,
    field: Field,
    cells: pd.Series,
    unit: str | None,
    taken: Collection[str],
    findings: Findings,
) -> tuple[Field, Parsed]:
    """Read a column as its field, or as the one whose choices it holds."""
    parsed = parse_field(field, cells, unit=unit, upper=role.group == "risk")
    other = _other_choice(role, field, cells, parsed, taken)
    if other is None:
        return field, parsed
    column = str(cells.name)
    findings.note(
        "other_choice",
        text(
            "the entries of {column} are those of {other}; the column was read as that",
            column=column, other=other.label,
        ),
        text("head it {other} if that is meant", other=other.label),
        field=column,
    )  # fmt: skip
    return other, parse_field(other, cells, unit=None, upper=False)


def _other_choice(
    role: Role, field: Field, cells: pd.Series, parsed: Parsed, taken: Collection[str]
) -> Field | None:
    """Find the one choice without a column whose values a column of another choice holds."""
    if not field.choices or field.required:
        return None
    wrong = parsed.bad == "choice"
    if not wrong.any() or (parsed.column.notna().to_numpy(dtype=bool) & ~wrong).any():
        return None
    entries = {plain(cell) for cell in cells[wrong]}
    fitting = [
        other
        for other in role.fields
        if other.choices and other is not field and other.name not in taken
        if all(match_choice(other, entry) is not None for entry in entries)
    ]
    return fitting[0] if len(fitting) == 1 else None


_PAIRED: Final = re.compile(r"\s*[/、]\s*|及|和")
_BETWEEN: Final = r"\s*[/、,，;；]\s*|\s+"
_NAME_NUMBER: Final = r"^([^\d\s:：/]{2,10})[:：/、,，;；\s]*(\+?\d[\d\- ]{4,})$"
_MOST_PAIRS: Final = 0.8
"""Share of the entries that hold two parts from which a column counts as two."""


def part_pairs(role: Role, table: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Make two columns of one whose heading names two fields and whose cells hold two entries.

    Parameters
    ----------
    role
        The role.
    table
        Shape (n, columns): the cells.
    findings
        Takes a note for each column parted.

    Returns
    -------
    DataFrame
        The table itself where no column is parted.
    """
    headed = {match_header(role, str(column))[0] for column in table.columns}
    for column in list(table.columns):
        heads = _PAIRED.split(str(column).strip())
        fields = [match_header(role, head)[0] for head in heads]
        if len(heads) != 2 or None in fields or fields[0] is fields[1]:
            continue
        whole = match_header(role, str(column))[0]
        others = headed - {whole}
        if any(f in others or f in coordinate_fields() for f in (*fields, whole) if f is not None):
            continue
        cells = table[column].astype("str").str.strip()
        told = cells.notna() & ~cells.str.casefold().isin(MISSING)
        parts = cells.str.extract(_NAME_NUMBER)
        if parts[1].notna().sum() < _MOST_PAIRS * told.sum():
            split = cells.str.split(_BETWEEN, regex=True)
            two = split.map(lambda entry: isinstance(entry, list) and len(entry) == 2)
            parts = pd.DataFrame({0: split.str[0].where(two), 1: split.str[1].where(two)})
        if not told.any() or parts[1].notna().sum() < _MOST_PAIRS * told.sum():
            continue
        rest = told & parts[1].isna()
        parts = parts.mask(rest, None)
        findings.note(
            "two_in_one",
            text("column {column} holds two entries a cell; it was read as {first} and {second}",
                 column=column, first=heads[0], second=heads[1]),
            text("make two columns of it if this is wrong"),
            field=str(column),
        )  # fmt: skip
        findings.noted(
            rest.to_numpy(dtype=bool),
            "not_two",
            text("this cell does not hold two entries; taken as unknown"),
            text("write both, with a stroke between them"),
            field=str(column),
            values=table[column].to_numpy(dtype=object),
        )
        table = table.drop(columns=[column]).assign(**{heads[0]: parts[0], heads[1]: parts[1]})
    return _part_measures(role, table, findings)


_COUNTED_IN: Final = re.compile(
    r"[(（](公斤|千克|kg|升|平方米|立方米|[^\W\d_估约年月日](?:[/、][^\W\d_]){0,3})[)）]$",
    re.IGNORECASE,
)
_WITH_WORD: Final = r"^(\d[\d.,，]*)\s*([^\W\d_万千百亿kKmM]{1,3})(?:[(（][^\d()（）]*[)）])?$"


def _part_measures(role: Role, table: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Part quantities of stock from the words in which they are counted: 数量（箱）, 60床."""
    amount, measure = role.field("quantity"), role.field("measure_unit")
    if amount is None or measure is None:
        return table
    whole = {str(c): match_header(role, str(c))[0] for c in table.columns}
    bare = {c: match_header(role, _COUNTED_IN.sub("", c.strip()))[0] for c in whole}
    heads = [c for c in whole if amount in (whole[c], bare[c])]
    if len(heads) != 1:
        return table
    column, own = heads[0], next((c for c in whole if whole[c] is measure), measure.zh)
    bracket = _COUNTED_IN.search(column.strip())
    named = bracket[1] if bracket else ""
    blank = pd.Series("", index=table.index)
    said = parse_text(table[own]).column.fillna("") if own in table.columns else blank
    parts = table[column].astype("str").str.strip().str.extract(_WITH_WORD)
    word = parts[1].where(parts[1].notna() & ((said == "") | (parts[1] == said)), "")
    if not named and not (word != "").any():
        return table
    findings.note(
        "measure",
        text("the words behind the numbers of {column} were taken as the unit of measure",
             column=column),
        text("write the unit into a column of its own"),
        field=column,
    )  # fmt: skip
    counted = said.where(said != "", word.where(word != "", named))
    cells = table[column].where(word == "", parts[0])
    return table.drop(columns=[column]).assign(**{amount.zh: cells, own: counted})


def _entered(column: pd.Series) -> pd.Series:
    """Keep of a column only which rows have an entry: true, or missing."""
    gone = column.isna().to_numpy(dtype=bool)
    held = pd.arrays.BooleanArray(np.ones(len(column), dtype=bool), gone)
    return pd.Series(held, index=column.index)


def _named_by_address(
    role: Role,
    field: Field,
    table: pd.DataFrame,
    found: dict[str, tuple[str, str | None]],
    findings: Findings,
) -> pd.Series | None:
    """Name rows by their address, or kind of goods, where a table has no column of names."""
    other = next((key for key in ("address", "kind") if key in found and role.field(key)), None)
    if field.name != "name" or not field.required or other is None:
        return None
    column = found[other][0]
    names = parse_text(table[column]).column
    if names.isna().all():
        return None
    findings.note(
        "named_by_address",
        text("there is no column of names; rows are named by {column}", column=column),
        text("add the column {column}", column=field.label),
        field=column,
    )
    findings.returned(
        names.isna().to_numpy(),
        "required",
        text("{field} is missing", field=field.label),
        text("fill it in"),
        field=column,
    )
    return names


def _parted(
    field: Field, cells: pd.Series, rows: NDArray[np.int64] | None, findings: Findings
) -> pd.Series:
    """Take back what joined cells gave to the rows below, where it may be their sum."""
    if rows is None or not len(rows):
        return cells
    mask = np.zeros(len(cells), dtype=bool)
    mask[rows] = True
    values = cells.to_numpy(dtype=object)
    column = str(cells.name)
    if field.type in ("number", "integer") and field.unit in _ADDING:
        findings.noted(
            mask,
            "joined_number",
            text("a number stands in one cell for several rows; it was given to the first alone"),
            text("write the number of each row"),
            field=column,
            values=values,
        )
        return cells.where(~mask, None)
    findings.noted(
        mask,
        "joined_cells",
        text("joined cells were filled into every row that they span"),
        text("nothing to do, if the entry is meant for all of them"),
        field=column,
        values=values,
    )
    return cells


def _kind(field: Field) -> str:
    """Say in what type a field is kept: ``number``, ``boolean`` or ``text``."""
    if field.type in ("number", "integer") and not field.choices:
        return "number"
    return "boolean" if field.type == "boolean" else "text"


def _absent(kind: str, index: pd.Index) -> pd.Series:
    """Return a column of unknown values in a field's type."""
    if kind == "number":
        return pd.Series(np.nan, index=index, dtype=np.float64)
    if kind == "boolean":
        return pd.Series(pd.NA, index=index, dtype="boolean")
    return same_text(None, index)


def parse_field(field: Field, cells: pd.Series, *, unit: str | None, upper: bool) -> Parsed:
    """Read the cells of one field by its type.

    Parameters
    ----------
    field
        The field.
    cells
        Shape (n,): the cells.
    unit
        Unit named by the header or the project file.
    upper
        Take the upper end of ranges.

    Returns
    -------
    Parsed
        Values: float64 for numbers (whole ones too), text, nullable boolean.
    """
    if field.choices:
        return as_text(parse_unique(cells, lambda cell: _choice(field, cell)))
    if field.type in ("number", "integer"):
        whole = field.type == "integer"
        return by_entries(
            cells,
            lambda some: parse_numbers(
                some, unit=field.unit, header_unit=unit, upper=upper, whole=whole
            ),
        )
    readers = {
        "code": parse_codes,
        "date": parse_dates,
        "boolean": parse_booleans,
        "phone": parse_phones,
    }
    parsed = by_entries(cells, readers.get(field.type, parse_text))
    if field.type == "text" and field.unit and unit:  # 限重（kg）: 2000, beside 30吨
        bare = parsed.column.str.fullmatch(r"[\d.,]+").fillna(value=False).astype(bool)
        parsed = replace(parsed, column=parsed.column.where(~bare, parsed.column + unit))
    if field.name == "name" and parsed.column.str.contains(r"[\r\n]", na=False).any():
        flat = parsed.column.str.replace(r"(?<=[^\x00-\x7f])\s*[\r\n]\s*", "", regex=True)
        flat = flat.str.replace(r"\s*[\r\n]\s*", " ", regex=True)
        parsed = replace(parsed, column=flat)
    return parsed


def _choice(field: Field, cell: object) -> tuple[Any, str, str]:
    entry = plain(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
    value = match_choice(field, entry) if entry else None
    if value is not None:
        return value, "", ""
    if entry.casefold() in MISSING or entry.casefold() in EXCEL_ERRORS:
        return None, "", "error" if entry.casefold() in EXCEL_ERRORS else ""
    guess = guess_choice(field, entry)
    return (guess[0], "", f"like:{guess[1]}") if guess else (None, "choice", "")


_FOREIGN: Final = 10
"""Rows from which a column whose entries mostly are no choice counts as something else."""


def _say_foreign(
    field: Field, column: str, values: Any, parsed: Parsed, findings: Findings
) -> bool:
    """Say once of a column whose heading means a choice that its entries are of another kind."""
    wrong = int((parsed.bad == "choice").sum())
    right = int((parsed.column.notna() & (parsed.bad == "")).sum())
    if wrong < _FOREIGN or wrong <= 4 * right:
        return False
    findings.note(
        "choice",
        text(
            "most entries are none of the choices of {field}, so the column is likely something "
            "else; taken as unknown",
            field=field.label,
        ),
        text("take the column out, or name the right one under fields: in the project file"),
        field=column,
        value=shown_value(values[np.flatnonzero(parsed.bad == "choice")[0]]),
    )
    return True


def _judge(
    role: Role,
    field: Field,
    column: str,
    cells: pd.Series,
    parsed: Parsed,
    findings: Findings,
    *,
    lenient: bool,
    unit: str | None,
) -> None:
    """Turn what reading and the field's limits say into returned rows and notes."""
    values = cells.array
    strict = field.required
    wrong, done = _rules_of(parsed.bad), _rules_of(parsed.changed)
    params = {
        "unit": unit_label(field.unit),
        "choices": "、".join(str(choice.label) for choice in field.choices),
        "end": text("upper") if role.group == "risk" else text("lower"),
    }
    foreign = "choice" in wrong and _say_foreign(field, column, values, parsed, findings)
    for rule, (message, mend) in _RULES.items():
        if rule not in wrong or (foreign and rule == "choice"):
            continue
        _say(
            findings,
            parsed.bad == rule,
            rule,
            text(message),
            _fill(mend, params),
            column,
            values,
            strict,
            lenient,
        )
    if any(change.startswith("like:") for change in done):
        _say_guesses(field, column, values, parsed, findings)
    for change, (message, mend) in _CHANGES.items():
        if change not in done:
            continue
        findings.noted(
            parsed.changed == change,
            change,
            _fill(message, params),
            text(mend),
            field=column,
            values=values,
        )
    if field.type in ("number", "integer"):
        if not strict:
            _doubt_unit(field, column, unit, values, parsed, findings)
        _judge_range(field, column, values, parsed, findings, strict=strict, lenient=lenient)
    if field.required:
        missing = parsed.column.isna().to_numpy() & is_told(parsed.bad, "")
        findings.returned(
            missing,
            "required",
            text("{field} is missing", field=field.label),
            text("fill it in"),
            field=column,
        )


def _rules_of(told: NDArray[np.object_]) -> set[str]:
    """Give the different entries of what was told of cells, without blanks."""
    return set() if told.strides == (0,) else set(told[told != ""])


def _fill(msgid: str, params: dict[str, object]) -> Text:
    return text(msgid, **{key: value for key, value in params.items() if "{" + key + "}" in msgid})


def _say(
    findings: Findings,
    mask: Any,
    rule: str,
    message: Text,
    mend: Text,
    column: str,
    values: Any,
    strict: bool,  # noqa: FBT001
    lenient: bool,  # noqa: FBT001
) -> None:
    """Return the rows of a field that is required; else say each cell and leave it unknown."""
    if strict:
        findings.returned(mask, rule, message, mend, field=column, values=values)
        return
    said = text("{message}; taken as unknown", message=message)
    rows = np.flatnonzero(mask)
    if lenient or len(rows) > _CELLS_SAID:
        findings.noted(mask, rule, said, mend, field=column, values=values)
        return
    for row in rows:
        one = np.zeros(len(mask), dtype=bool)
        one[row] = True
        findings.noted(one, rule, said, mend, field=column, values=values)


def note_bad_bytes(table: pd.DataFrame, findings: Findings) -> None:
    """Name the cells that hold bytes of no character.

    Parameters
    ----------
    table
        Shape (n, columns): the cells.
    findings
        Takes one note a column.
    """
    for column in table.columns:
        cells = table[column]
        mask = cells.map(lambda cell: isinstance(cell, str) and "\ufffd" in cell)
        findings.noted(
            mask.to_numpy(dtype=bool),
            "bad_cell",
            text("this cell holds bytes that are no characters"),
            text("write the cell again"),
            field=str(column),
            values=cells.to_numpy(dtype=object),
        )


_CELLS_SAID: Final = 200
"""Most cells of a column that are listed one by one."""


def _say_guesses(
    field: Field, column: str, values: Any, parsed: Parsed, findings: Findings
) -> None:
    """Say which choice an entry was taken for because it holds the choice's name."""
    if not field.choices:
        return
    at = np.flatnonzero(parsed.changed != "")
    at = at[[str(entry).startswith("like:") for entry in parsed.changed[at]]]
    labels = {choice.value: choice.label for choice in field.choices}
    entries = np.array([str(values[place]) for place in at], dtype=object)
    for entry in dict.fromkeys(entries):
        mask = np.zeros(len(parsed.changed), dtype=bool)
        mask[at[entries == entry]] = True
        value = parsed.column.iloc[int(np.flatnonzero(mask)[0])]
        findings.noted(
            mask,
            "choice_like",
            text("taken as {choice}", choice=labels[str(value)]),
            text("write {choice} if that is meant", choice=labels[str(value)]),
            field=column,
            values=values,
        )


_ENOUGH: Final = 3
"""Fewer numbers say nothing of a column's unit."""
_OFTEN_CM: Final = 0.3
"""A column of metres whose middle value is above this share of the field's limit is in doubt."""


def _doubt_unit(
    field: Field, column: str, unit: str | None, values: Any, parsed: Parsed, findings: Findings
) -> None:
    """Doubt a whole column of metres without a unit when its numbers look like centimetres.

    One number above the limit would be a slip; a column in which most are near or above it, and all
    would fit as centimetres, is asked for: neither 30 m nor 5 m of water is taken then.
    """
    if unit is not None and unit_of(unit) in ("cm", "mm"):
        _doubt_small(field, column, unit, values, parsed, findings)
    if field.unit != "m" or field.maximum is None or unit is not None:
        return
    numbers = parsed.column.to_numpy(dtype=np.float64)
    if not (numbers > field.maximum).any():
        return
    written = pd.Series(values).astype("str").str.strip()
    bare = written.str.fullmatch(r"\d+(\.\d+)?").to_numpy(dtype=bool) & np.isfinite(numbers)
    some = numbers[bare]
    if len(some) < _ENOUGH or not (some > field.maximum).any():
        return
    if np.median(some) <= _OFTEN_CM * field.maximum or some.max() / 100 > field.maximum:
        return
    findings.noted(
        bare,
        "unit_doubt",
        text(
            "metres or centimetres? some are above {high} m; taken as unknown",
            high=f"{field.maximum:g}",
        ),
        text("write the unit into the heading, such as {field}（cm）", field=field.label),
        field=column,
        values=values,
    )
    parsed.column[bare] = np.nan


_LEAST_CM: Final = 5.0
"""A number with decimals below this many centimetres may have been written in metres."""


def _doubt_small(
    field: Field, column: str, unit: str, values: Any, parsed: Parsed, findings: Findings
) -> None:
    """Doubt 0.5 under a heading in centimetres: half a metre of water is not half a centimetre."""
    if field.unit != "m":
        return
    numbers = parsed.column.to_numpy(dtype=np.float64)
    written = pd.Series(values).astype("str").str.strip()
    bare = written.str.fullmatch(r"\d+\.\d*[1-9]\d*").to_numpy(dtype=bool)
    doubtful = bare & (numbers > 0) & (numbers < _LEAST_CM / 100)
    if not doubtful.any():
        return
    findings.noted(
        doubtful,
        "unit_doubt",
        text("the heading says {unit}, the number looks like metres; taken as unknown", unit=unit),
        text("write all numbers of the column in one unit"),
        field=column,
        values=values,
    )
    parsed.column[doubtful] = np.nan


def _judge_range(
    field: Field,
    column: str,
    values: Any,
    parsed: Parsed,
    findings: Findings,
    *,
    strict: bool,
    lenient: bool,
) -> None:
    numbers = parsed.column.to_numpy(dtype=np.float64)
    if field.minimum is None and field.maximum is None:
        return
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum
    outside = (numbers < low) | (numbers > high)
    message = text(
        "this is outside {low} to {high} {unit}",
        low="-∞" if field.minimum is None else f"{field.minimum:.10g}",
        high="∞" if field.maximum is None else f"{field.maximum:.10g}",
        unit=unit_label(field.unit),
    )
    mend = text("check the number and its unit")
    _say(findings, outside, "range", message, mend, column, values, strict, lenient)
    if not strict:
        parsed.column[outside] = np.nan


def match_columns(
    role: Role, columns: list[str], spec: LayerSpec, findings: Findings, *, osm: bool = False
) -> dict[str, tuple[str, str | None]]:
    """Find the column, and the unit its header names, for each field.

    Parameters
    ----------
    role
        The role.
    columns
        Headers of the file.
    spec
        Holds the columns that the project file names itself.
    findings
        Takes what is to be said.
    osm
        True for OSM tags, of which most are never used and not worth a note.

    Returns
    -------
    dict
        Field name, coordinate fields included, to column and unit.

    Raises
    ------
    LayerError
        When the project file names a column that the file does not have.
    """
    found: dict[str, tuple[str, str | None]] = {}
    lower = {column.casefold().strip(): column for column in columns}
    for name, chosen in spec.fields.items():
        column = chosen.column if chosen.column in columns else lower.get(chosen.column.casefold())
        if column is None:
            raise unusable(
                "unknown_column",
                text(
                    "there is no column {column} for the field {field}",
                    column=chosen.column,
                    field=name,
                ),
                text("the columns are: {columns}", columns=", ".join(columns)),
            )
        found[name] = (column, chosen.unit)
    used = {column for column, _ in found.values()}
    ranked: dict[str, list[tuple[tuple[int, bool], str, str | None]]] = {}
    for column in columns:
        field, unit = match_heading(role, column) if column not in used else (None, None)
        if field is not None and field.name not in found and field.name not in spec.constants:
            rank = (preference(column, spec), not _own_heading(field, column))
            ranked.setdefault(field.name, []).append((rank, column, unit))
    if spec.path.suffix.lower() in _CUT_NAMES:
        for column in columns:
            field = match_cut(role, column)
            if column not in used and field is not None and field.name not in {*found, *ranked}:
                ranked[field.name] = [((0, False), column, None)]
                findings.note(
                    "cut_name",
                    text(
                        "the field name {column} is cut off; taken as {field}",
                        column=column,
                        field=field.label,
                    ),
                    text("name it under fields: in the project file if this is wrong"),
                    field=column,
                )
    for column in columns:
        field, unit = match_initials(role, column)
        if column in used or field is None or field.name in {*found, *ranked, *spec.constants}:
            continue
        ranked[field.name] = [((0, False), column, unit)]
        findings.note(
            "pinyin_name",
            text("the heading {column} was read by its initials as {field}",
                 column=column, field=field.label),
            text("name it under fields: in the project file if this is wrong"),
            field=column,
        )  # fmt: skip
    for name, entries in ranked.items():
        entries.sort(key=lambda entry: entry[0])
        found[name] = entries[0][1:]
    if not osm:
        _by_ending(role, columns, found, spec, findings)
        _say_unused(role, columns, found, findings)
    return found


_ENDS_AS_NAME: Final = re.compile(r"^[^\W\d]{1,8}(?:名称|名)$")
_NO_NAME: Final = re.compile(
    r"(?:曾用|又|别|姓|签|署|文件|道路|河流|省|市|区|县|镇|乡|街道|村|社区|单位|部门|项目|人)(?:名称|名)$"
)


def _by_ending(
    role: Role,
    columns: list[str],
    found: dict[str, tuple[str, str | None]],
    spec: LayerSpec,
    findings: Findings,
) -> None:
    """Take the one column that ends in 名称 as the name, where no column is known as that."""
    field = role.field("name")
    if field is None or "name" in found or "name" in spec.constants:
        return
    used = {column for column, _ in found.values()}
    fitting = [
        c for c in columns
        if c not in used and _ENDS_AS_NAME.match(c.strip()) and not _NO_NAME.search(c.strip())
    ]  # fmt: skip
    if len(fitting) != 1:
        return
    found["name"] = (fitting[0], None)
    findings.note(
        "name_by_ending",
        text("column {column} was taken as the name", column=fitting[0]),
        text("name it under fields: in the project file if this is wrong"),
        field=fitting[0],
    )


def _own_heading(field: Field, column: str) -> bool:
    """Tell whether a column bears the field's own name; 经度 goes before X, which may be metres."""
    key = column.strip().casefold()
    return key == field.name or (key == field.zh and field in coordinate_fields())


_CUT_NAMES: Final = (".shp", ".dbf", ".zip")
"""Files whose field names end after ten bytes."""


def match_cut(role: Role, column: str) -> Field | None:
    """Find the one field whose header begins with a name that was cut after ten bytes.

    Parameters
    ----------
    role
        The role.
    column
        The name, of three Chinese characters or more.

    Returns
    -------
    Field or None
        None when it is no cut name, or several fields fit.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> match_cut(load_roles()["flood_point"], "责任单").name
    'duty_unit'
    >>> match_cut(load_roles()["refuge"], "历史最高水").name
    'flood_level_m'
    """
    if match_heading(role, column)[0] is not None:
        return None
    cut = 8 <= len(column.encode()) <= 11 or 9 <= len(column.encode("gb18030", "replace")) <= 10
    if not cut or len(column) < 3:
        return None
    key = header_key(column)
    fitting = {
        field.name: field
        for field in (*role.fields, *coordinate_fields())
        for name in (field.name, field.zh, field.en, *field.aliases)
        if header_key(name).startswith(key) and header_key(name) != key
    }
    return next(iter(fitting.values())) if len(fitting) == 1 else None


_INITIALS: Final = re.compile(r"^[b-df-hj-np-tw-z]{3,10}$")
"""Headings that can be initials of Chinese words, and no English word."""
_COUNTED: Final = {"person": "人", "household": "户", "10k CNY": "万元", "m2": "平方米", "m": "米"}
"""Units as headings have them behind the name."""


def match_initials(role: Role, column: str) -> tuple[Field | None, str | None]:
    """Find the one field of which a heading is the pinyin initials, as ministries name columns.

    Parameters
    ----------
    role
        The role.
    column
        The heading.

    Returns
    -------
    tuple of (Field or None) and (str or None)
        The field, and the unit that the heading ends with; None when no field, or several, fit.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> match_initials(load_roles()["geohazard_point"], "yhdmc")[0].name
    'name'
    """
    key = column.strip().casefold()
    if not _INITIALS.match(key) or match_heading(role, column)[0] is not None:
        return None, None
    fitting = _initials(role.fields).get(key, {})
    return next(iter(fitting.values())) if len(fitting) == 1 else (None, None)


@cache
def _initials(fields: tuple[Field, ...]) -> dict[str, dict[str, tuple[Field, str | None]]]:
    """Give, for initials, the fields that they may mean and the unit that they end with."""
    from pypinyin import Style, lazy_pinyin

    out: dict[str, dict[str, tuple[Field, str | None]]] = {}
    for field in fields:
        counted = _COUNTED.get(field.unit or "")
        for name in (field.zh, *field.aliases):
            if not re.fullmatch(r"[\u4e00-\u9fff]{2,10}", name):
                continue
            key = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
            out.setdefault(key, {}).setdefault(field.name, (field, None))
            if counted:
                last = "".join(lazy_pinyin(counted, style=Style.FIRST_LETTER))
                out.setdefault(key + last, {}).setdefault(field.name, (field, field.unit))
    return out


def match_heading(role: Role, column: str) -> tuple[Field | None, str | None]:
    """Find the field that a header means; the header of a coordinate may name its datum.

    Parameters
    ----------
    role
        The role.
    column
        The header.

    Returns
    -------
    tuple of (Field or None) and (str or None)
        The field, and the unit that the header names.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> match_heading(load_roles()["refuge"], "lon_gcj02")[0].name
    'lon'
    """
    field, unit = match_header(role, column)
    bare, datum = split_datum(column)
    if field is not None:
        return field, unit
    if _PAIR_HEAD.match(column.strip()):
        return next(known for known in coordinate_fields() if known.name == "lonlat"), None
    if packed := _PACKED_HEAD.search(column):
        bare = column[: packed.start()]
    elif datum is None:
        return match_header(role, form_heading(role, column))
    field, unit = match_header(role, bare)
    if field is not None and field.name in {known.name for known in coordinate_fields()}:
        return field, unit
    return None, None


def _say_forms(role: Role, found: dict[str, tuple[str, str | None]], findings: Findings) -> None:
    """Say which headings were read without the groups of their form."""
    for column, _ in found.values():
        grouped = "/" in column and match_header(role, column)[0] is None
        if last := form_heading(role, column) if grouped else "":
            findings.note(
                "form_heading",
                text("the heading {column} was read as {last}", column=column, last=last),
                text("name it under fields: in the project file if this is wrong"),
                field=column,
            )


_LON_WORD: Final = r"(?:东经|经度?|lon(?:gitude)?|lng|x)"
_LAT_WORD: Final = r"(?:北纬|纬度?|lat(?:itude)?|y)"
_PAIR_HEAD: Final = re.compile(
    rf"(?i)^[^()（）\[\]]{{1,10}}[(（\[]\s*(?:{_LON_WORD}\s*[,，、/;；]\s*{_LAT_WORD}|"
    rf"{_LAT_WORD}\s*[,，、/;；]\s*{_LON_WORD})\s*[)）\]]$"
)
"""A heading of both coordinates, such as 位置(纬度,经度)."""
_PACKED_HEAD: Final = re.compile(
    r"(?i)\s*[(（\[]\s*(?:度\s*[.．]\s*分\s*秒|d{1,3}\.mm\.?ss)[^)）\]]*[)）\]]\s*$"
)
_FORM: Final = re.compile(r"^(?:[^/]+/)+([^/]+)$")
_FORM_POINT: Final = re.compile(r"^_.+_(latitude|longitude)$", re.IGNORECASE)


def form_heading(role: Role, column: str) -> str:
    """Take the groups off the heading of a survey form, such as ``base/depth``.

    Parameters
    ----------
    role
        The role.
    column
        The heading.

    Returns
    -------
    str
        What stands behind the groups, ``latitude`` or ``longitude`` of a place of such a form;
        blank where the heading is of another kind, or a group could itself be a column.

    Examples
    --------
    >>> from riskmap.vocabulary.roles import load_roles
    >>> role = load_roles()["flood_point"]
    >>> form_heading(role, "基本信息/积水深度(m)"), form_heading(role, "_坐标_latitude")
    ('积水深度(m)', 'latitude')
    >>> form_heading(role, "影响人口/面积")
    ''
    """
    groups = _FORM.match(column)
    last = groups[1].strip() if groups else column
    if point := _FORM_POINT.match(last):
        return point[1].lower()
    if not groups or any(match_header(role, g)[0] is not None for g in column.split("/")[:-1]):
        return ""
    return last


def _say_unused(
    role: Role, columns: list[str], found: dict[str, tuple[str, str | None]], findings: Findings
) -> None:
    """Name the columns of an office's table that no field took, and those of a survey form."""
    _say_forms(role, found, findings)
    used = {column for column, _ in found.values()}
    serial = ("序号", "no", "no.", "fid", "id")
    unused = [
        c for c in columns if c not in used and c.casefold() not in serial and not c.startswith("[")
    ]
    if unused:
        findings.note(
            "unused_columns",
            text(
                "columns that the role does not know were not used: {columns}",
                columns=", ".join(unused),
            ),
            text("name them under fields: in the project file if they are wanted"),
        )

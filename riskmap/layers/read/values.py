"""Cells into the values that a role's fields ask for, and into angles."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from riskmap.vocabulary.columns import unit_factor, unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


_HOLLOW: Final = ("[]", "{}")
"""What map services write where nothing is known."""
MISSING: Final = frozenset(
    (
        "",
        "-",
        "--",
        "—",
        "——",
        "/",
        "\\",
        "无",
        "未知",
        "不详",
        "暂无",
        "空",
        "n/a",
        "na",
        "nan",
        "none",
        "null",
        *_HOLLOW,
    )
)
"""Texts that mean that nothing is known."""
EXCEL_ERRORS: Final = frozenset(
    ("#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "#null!")
)
_YES: Final = frozenset(
    ("是", "有", "true", "yes", "y", "t", "1", "√", "✓", "✔", "☑", "✅", "对", "已", "1.0")
)
_NO: Final = frozenset(
    ("否", "无", "没有", "不是", "false", "no", "n", "f", "0", "×", "x", "✗", "✘", "未", "0.0")
)
INVISIBLE: Final = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0x00AD))
"""Characters without width that copying from pages and chats leaves in cells."""
_BOXES: Final = re.compile(
    r"^(?:([√☑✓✔■□☐])[是有]([√☑✓✔■□☐]?)[否无]|[是有]([√☑✓✔■□☐]?)[否无]([√☑✓✔■□☐]))$"
)
"""Both answers of a form, with the boxes before the words or behind them."""
_YES_NO: Final = re.compile(r"^(是|有|已|否|无|没有|未)(?=[,，。;；:：、(（\[\s]|[一-龥]{0,2}\d)")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_SCIENTIFIC: Final = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d{1,2}$")
WHOLE_FLOAT: Final = re.compile(r"^(\d+)\.0+$")
_PHONE: Final = re.compile(
    r"^(?:\+?86)?[-\s]?(?:1\d{10}|(?:0\d{2,3}[-\s]?)?\d{7,8}(?:[-转]\d{1,6})?|\d{3,5})$"
)


@dataclass(frozen=True)
class Parsed:
    """Values of one field, and why some could not be read or were changed."""

    column: pd.Series
    bad: NDArray[np.object_]
    """Shape (n,): empty text or the rule that the entry breaks."""
    changed: NDArray[np.object_]
    """Shape (n,): empty text or what was done to read it: ``text``, ``range``,
    ``code``, ``control``, ``serial``, ``error``, ``phone``, ``missing``."""


def nothing_told(n: int) -> NDArray[np.object_]:
    """Give the blank text for every row, in no memory; nobody may write into it.

    Parameters
    ----------
    n
        Number of rows.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    blank: NDArray[np.object_] = np.broadcast_to(np.array("", dtype=object), (n,))
    return blank


def is_told(told: NDArray[np.object_], rule: str) -> NDArray[np.bool_]:
    """Tell of which rows a rule was told, the blank text meaning none; quick where none was.

    Parameters
    ----------
    told
        Shape (n,): a rule, or a blank text.
    rule
        The rule.

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> is_told(nothing_told(2), "").tolist()
    [True, True]
    """
    if told.strides == (0,) and len(told):
        return np.full(len(told), told[0] == rule)
    return np.asarray(told == rule, dtype=bool)


def plain(value: object) -> str:
    """Bring an entry into one alphabet, without blanks at its ends.

    Parameters
    ----------
    value
        The cell.

    Returns
    -------
    str
        Full-width forms as half-width; an empty text for a missing value.

    Examples
    --------
    >>> plain(" １２０人 "), plain(None)
    ('120人', '')
    """
    if value is None or value is pd.NA or value != value:
        return ""
    return unicodedata.normalize("NFKC", str(value)).translate(INVISIBLE).strip()


def as_column(cells: list[Any]) -> Any:
    """Keep the cells of a column in the form that is quickest to look through.

    Parameters
    ----------
    cells
        As a reader gave them.

    Returns
    -------
    Array or ndarray
        Texts when all are texts, float64 when all are numbers, else objects.

    Examples
    --------
    >>> str(as_column(["a", ""]).type), as_column([1.0, 2.0]).dtype, as_column(["a", 2.0]).dtype
    ('large_string', dtype('float64'), dtype('O'))
    """
    kinds = set(map(type, cells))
    if kinds <= {str}:
        with suppress(pa.ArrowInvalid, UnicodeEncodeError):  # lone surrogates
            return pa.array(cells, pa.large_string())
    if kinds == {float}:
        return np.array(cells, dtype=np.float64)
    return _objects(cells)


def text_series(column: Any) -> pd.Series:
    """Make a series of texts without copying them.

    Parameters
    ----------
    column
        An array of texts.

    Returns
    -------
    Series
        In pandas' own type of texts.
    """
    kind = {pa.large_string(): pd.StringDtype(na_value=np.nan)}
    return pd.Series(column.to_pandas(types_mapper=kind.get))


def same_text(entry: str | None, index: pd.Index) -> pd.Series:
    """Make a column that holds one text, or nothing, in every row.

    Parameters
    ----------
    entry
        The text, or None.
    index
        Of the rows.

    Returns
    -------
    Series
        In pandas' own type of texts.
    """
    held = pa.repeat(pa.scalar(entry, pa.large_string()), len(index))
    return text_series(held).set_axis(index)


def texts_of(series: pd.Series) -> Any:
    """Give the texts of a series as they are held, or None when it holds others.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    ChunkedArray or None
        The texts.
    """
    if not isinstance(series.dtype, pd.StringDtype) or not len(series):
        return None
    return pa.chunked_array(pa.array(series.array))


def matches(column: Any, pattern: str) -> NDArray[np.bool_]:
    """Tell which texts a pattern fits, missing ones never.

    Parameters
    ----------
    column
        An array of texts.
    pattern
        As RE2 reads it; it must not rely on what only Python's patterns have.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    found = pc.fill_null(pc.match_substring_regex(column, pattern), fill_value=False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _by_pattern(
    series: pd.Series, pattern: str, one: Callable[[Any], tuple[Any, str, str]]
) -> Parsed:
    """Keep texts that a pattern fits as they are; parse the others one by one."""
    column = texts_of(series)
    if column is None:
        return as_text(parse_unique(series, one))
    rest = np.flatnonzero(~matches(column, pattern))
    if not len(rest):
        return Parsed(series, nothing_told(len(series)), nothing_told(len(series)))
    bad = np.full(len(series), "", dtype=object)
    changed = bad.copy()
    slow = as_text(parse_unique(series.iloc[rest], one))
    bad[rest], changed[rest] = slow.bad, slow.changed
    values = series.copy()
    values.iloc[rest] = slow.column.to_numpy(dtype=object)
    return Parsed(values, bad, changed)


_REPEATED: Final = 10_000
"""Rows from which it is tried whether a column of texts has few different entries."""
_FEW: Final = 0.1
"""Share of different entries below which each is read once."""


def by_entries(series: pd.Series, parse: Callable[[pd.Series], Parsed]) -> Parsed:
    r"""Parse a column; of a long one with few different texts, every text once.

    Parameters
    ----------
    series
        Shape (n,): the cells.
    parse
        Reads cells, each by itself.

    Returns
    -------
    Parsed
        As ``parse`` gives it for the whole.

    Examples
    --------
    >>> cells = pd.Series(["a", "b\x07"] * 6000, dtype="str")
    >>> by_entries(cells, parse_text).column.tolist() == ["a", "b"] * 6000
    True
    """
    column = texts_of(series) if len(series) >= _REPEATED else None
    if column is None or column.null_count:
        return parse(series)
    some = column.take(pa.array(np.linspace(0, len(column) - 1, 1000).astype(np.int64)))
    if len(pc.unique(some)) > _FEW * len(some):
        return parse(series)
    whole = column.combine_chunks().dictionary_encode()
    if len(whole.dictionary) > _FEW * len(column):
        return parse(series)
    codes = whole.indices.to_numpy()
    entries = text_series(whole.dictionary)
    parsed = parse(entries)
    bad, changed = (
        told[codes] if told.strides != (0,) and (told != "").any() else nothing_told(len(codes))
        for told in (parsed.bad, parsed.changed)
    )
    if parsed.column is entries:
        return Parsed(series, bad, changed)
    values = parsed.column.take(codes).set_axis(series.index)
    return Parsed(values, bad, changed)


def parse_unique(series: pd.Series, one: Callable[[Any], tuple[Any, str, str]]) -> Parsed:
    """Parse every different entry once and spread the answers over the rows.

    Parameters
    ----------
    series
        Shape (n,): the cells.
    one
        Gives value, rule broken, change made for one entry.

    Returns
    -------
    Parsed
        Values as objects.
    """
    if series.dtype == object and pd.api.types.infer_dtype(series, skipna=False) != "string":
        series = series.where(series.notna(), None)
        keys = series.map(_key)
    else:
        keys = series
    codes, _ = pd.factorize(keys, use_na_sentinel=False)
    first = np.unique(codes, return_index=True)[1]
    entries = series.to_numpy(dtype=object)[first]
    answers = [one(entry) for entry in entries]
    columns = list(zip(*answers, strict=True)) if answers else [(), (), ()]
    values, bad, changed = (_objects(column)[codes] for column in columns)
    return Parsed(pd.Series(values, index=series.index, dtype=object), bad, changed)


def _key(value: object) -> tuple[type, object]:
    """Return what makes an entry the same as another; lists and objects are told by their text."""
    if isinstance(value, (dict, list, set, np.ndarray)):
        return (type(value), repr(value))
    return (type(value), value)


def _objects(column: Any) -> NDArray[np.object_]:
    out = np.empty(len(column), dtype=object)
    out[:] = list(column)
    return out


def parse_text(series: pd.Series) -> Parsed:
    r"""Keep texts as they are, without control characters; numbers lose a needless ``.0``.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str, missing where blank. Markup, formulas and right-to-left marks are kept as text.

    Examples
    --------
    >>> parse_text(pd.Series(["=cmd|1", 12.0, "a\x07b", " ", "[]"])).column.tolist()
    ['=cmd|1', '12', 'ab', nan, nan]
    """
    return _by_pattern(series, _CLEAN.pattern, _text)


def as_text(parsed: Parsed) -> Parsed:
    """Turn parsed objects into pandas' text type.

    Parameters
    ----------
    parsed
        Values as objects.

    Returns
    -------
    Parsed
        Values str, missing where None.
    """
    return Parsed(parsed.column.astype("str"), parsed.bad, parsed.changed)


_CLEAN: Final = re.compile("^[A-Za-z0-9\u4e00-\u9fff][-A-Za-z0-9_.()\u4e00-\u9fff]+$")
"""Texts that need no mending."""
_CLEAN_CODE: Final = "^[A-Z]*[-_]?[0-9]{2,}$|^[A-Z]{2,}[-_A-Z0-9]*[0-9]+$"
"""Codes that need no mending."""
_CLEAN_PHONE: Final = r"^1[0-9]{10}$|^0[0-9]{2,3}-[0-9]{7,8}$"


_ENTITY: Final = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{2,6}|#x[0-9a-fA-F]{2,5});|<br\s*/?>")
_BREAK: Final = re.compile(r"\s*<br\s*/?>\s*")
_TAG: Final = re.compile(r"<[a-zA-Z/!?]")
_PICTURE: Final = re.compile(r"^=?(?:_xlfn\.)?(?:DISPIMG|IMAGE)\(", re.IGNORECASE)
"""A formula that shows a picture kept inside the workbook."""


def _text(cell: object) -> tuple[Any, str, str]:
    if (
        isinstance(cell, str) and _CLEAN.fullmatch(cell) and cell not in _HOLLOW
        and cell.casefold() not in EXCEL_ERRORS
    ):  # fmt: skip
        return cell, "", ""
    if cell is None or cell is pd.NA or cell != cell:
        return None, "", ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)), "", ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00"), "", ""
    written = str(cell).translate(INVISIBLE)
    if isinstance(cell, (dict, list)):
        written = json.dumps(cell, ensure_ascii=False)
    if _ENTITY.search(written):  # copied out of a page
        plain = _BREAK.sub(" ", unescape(written))
        written = written if _TAG.search(plain) else plain  # never makes markup of a text
    clean = _CONTROL.sub("", written).strip()
    if _PICTURE.match(clean):
        return None, "", "picture"
    if clean.casefold() in EXCEL_ERRORS:
        return None, "", "error"
    if clean in _HOLLOW:
        return None, "", ""
    return clean or None, "", "control" if clean != written.strip() else ""


def parse_codes(series: pd.Series) -> Parsed:
    """Read codes as text; a whole float gets its digits back, a rounded one is refused.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str.

    Examples
    --------
    >>> parsed = parse_codes(pd.Series(["370102000000.0", 370102000000.0, "3.70102E+11", "0101"]))
    >>> parsed.column.tolist(), parsed.bad.tolist()
    (['370102000000', '370102000000', nan, '0101'], ['', '', 'code_float', ''])
    """
    if pd.api.types.is_integer_dtype(series.dtype):
        nothing = nothing_told(len(series))
        return Parsed(series.astype("str"), nothing, nothing)
    return _by_pattern(series, _CLEAN_CODE, _code)


def _code(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, dict) or (isinstance(cell, str) and cell.lstrip().startswith("{")):
        return _code_of(cell)
    if isinstance(cell, float) and cell == cell:
        if not cell.is_integer() or abs(cell) >= 2**53:
            return None, "code_float", ""
        return str(int(cell)), "", "code" if abs(cell) >= 1e11 else ""
    written = unicodedata.normalize("NFKC", str(cell)).strip() if isinstance(cell, str) else cell
    if isinstance(written, str):
        if written.casefold() in MISSING:
            return None, "", ""
        if _SCIENTIFIC.match(written):
            return None, "code_float", ""
        if match := WHOLE_FLOAT.match(written):
            return match[1], "", "code"
    return _text(written)


def _code_of(cell: dict[str, Any] | str) -> tuple[Any, str, str]:
    """Take the code out of an object, as the outlines of map services hold it."""
    try:
        held = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        return _text(cell)
    if not isinstance(held, dict):
        return _text(cell)
    for key in ("adcode", "code", "id", "ID", "CODE"):
        if isinstance(held.get(key), (str, int, float)):
            return _code(held[key])
    return None, "", ""


def parse_booleans(series: pd.Series) -> Parsed:
    """Read yes and no.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values of pandas' nullable boolean type.

    Examples
    --------
    >>> parse_booleans(pd.Series(["是", "无", "", "√", "也许"])).bad.tolist()
    ['', '', '', '', 'boolean']
    """
    parsed = parse_unique(series, _boolean)
    return Parsed(parsed.column.astype("boolean"), parsed.bad, parsed.changed)


def _boolean(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, (bool, np.bool_)):
        return bool(cell), "", ""
    entry = plain(cell).casefold()
    if entry in _YES:
        return True, "", ""
    if entry in _NO:
        return False, "", ""
    if entry in MISSING:
        return pd.NA, "", ""
    if match := _BOXES.match(re.sub(r"\s", "", entry)):
        boxes = match.groups()[:2] if match[1] else match.groups()[2:]
        yes, no = (bool(box) and box not in "□☐" for box in boxes)
        return (yes, "", "") if yes != no else (pd.NA, "boolean", "")
    if match := _YES_NO.match(entry):
        return match[1] in ("是", "有", "已"), "", "yes_no"
    return pd.NA, "boolean", ""


def parse_phones(series: pd.Series) -> Parsed:
    """Read phone numbers as text; several in one cell are allowed.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str; ``changed`` says ``phone`` where an entry does not look like one.
    """
    return _by_pattern(series, _CLEAN_PHONE, _phone)


def _phone(cell: object) -> tuple[Any, str, str]:
    value, bad, changed = _text(cell)
    if value is None or value.casefold() in MISSING:
        return None, bad, changed
    value = WHOLE_FLOAT.sub(r"\1", value)
    parts = [part for part in re.split(r"[、,;/\s]+", plain(value)) if part]
    odd = not all(_PHONE.match(part) for part in parts)
    return value, bad, "phone" if odd else changed


_DATE: Final = re.compile(
    r"^(\d{4}|(?<!\d)\d{2}(?=年))[-./年](\d{1,2})(?:[-./月](\d{1,2})[日号]?)?月?"
    r"(?:[ T,，].*|[上下]午.*|[上中下]旬|\d{1,2}[:时点].*)?$"
)
_SHORT_DATE: Final = re.compile(r"^(\d{2})[-./](\d{1,2})[-./](\d{1,2})$")
_CENTURY: Final = 50
"""Two digits from here on are years of the last century."""
_YEAR_ONLY: Final = re.compile(r"^((?:19|20)\d{2})年?(?:度)?$")
_DAY_FIRST: Final = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d{2})$")
_PACKED_DATE: Final = re.compile(r"^(19|20)(\d{2})(\d{2})(\d{2})?$")
_NUMERALS: Final = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_DATE: Final = re.compile(
    r"^([〇○零一二三四五六七八九]{4})年(?:([一二三四五六七八九十]{1,3})月)?(?:([一二三四五六七八九十]{1,3})[日号])?$"
)


def parse_dates(series: pd.Series) -> Parsed:
    """Read dates as ISO text, to the month where the day is not given.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    Parsed
        Values str such as ``2024-06-30`` or ``2024-06``.

    Examples
    --------
    >>> parse_dates(pd.Series(["2024年6月30日", "2024.6", 45473.0, "三天"])).column.tolist()
    ['2024-06-30', '2024-06', '2024-06-30', nan]
    """
    return as_text(parse_unique(series, _date))


def _date(cell: object) -> tuple[Any, str, str]:
    if isinstance(cell, (datetime, pd.Timestamp)):
        if cell == cell and cell.tzinfo is not None:
            here = cell.astimezone(_BEIJING).date()
            return here.isoformat(), "", "utc" if here != cell.date() else ""
        return (None if cell != cell else cell.date().isoformat()), "", ""
    if isinstance(cell, date):
        return cell.isoformat(), "", ""
    entry = plain(cell)
    if entry.casefold() in MISSING or entry.casefold() in EXCEL_ERRORS:
        return None, "", ""
    if isinstance(cell, (float, np.floating)) and (tenth := _TENTH.fullmatch(entry)):
        return tenth[1], "", "tenth"
    entry = WHOLE_FLOAT.sub(r"\1", entry)
    if entry.isdigit() and 20000 <= int(entry) <= 70000:
        return (date(1899, 12, 30) + timedelta(days=int(entry))).isoformat(), "", "serial"
    squeezed = re.sub(r"\s*(年|月|日)\s*", r"\1", entry)
    if match := _UTC.match(entry):
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}") + timedelta(hours=8)
        return moment.date().isoformat(), "", "utc"
    parts = _date_parts(squeezed) or _month_in_words(entry)
    if parts is None:
        in_words = len(entry) <= 40 and re.search(r"[年月日汛季春夏秋冬今去前昨]", entry)
        return (entry, "", "said") if in_words else (None, "date", "")
    year, month, day = parts
    if month is None:
        return f"{year:04d}", "", ""
    try:
        whole = date(year, month, 1 if day is None else day).isoformat()
    except ValueError:
        return None, "date", ""
    return (whole if day else whole[:7]), "", "short" if _SHORT_DATE.match(squeezed) else ""


_BEIJING: Final = timezone(timedelta(hours=8))
_TENTH: Final = re.compile(r"((?:19|20)\d{2})\.1")
"""A number that a sheet makes both of January, 2026.1, and of October, 2026.10."""
_UTC: Final = re.compile(r"^(\d{4}-\d{2}-\d{2})[T ]([0-2]\d:[0-5]\d)\S*?(?:Z|\+00:?00)$")
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_IN_WORDS: Final = re.compile(
    r"^(?:(\d{1,2})[-/ ]([a-z]{3})[a-z]*\.?[-/ ,]+|([a-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+)"
    r"(\d{4}|\d{2})$",
    re.IGNORECASE,
)


def _month_in_words(entry: str) -> tuple[int, int | None, int | None] | None:
    """Read a date with an English month, such as 30-Jun-24."""
    match = _IN_WORDS.match(entry)
    month = (match[2] or match[3]).casefold() if match else ""
    if match is None or month not in _MONTHS:
        return None
    year = int(match[5])
    year += 0 if len(match[5]) == 4 else 1900 if year >= _CENTURY else 2000
    return year, _MONTHS.index(month) + 1, int(match[1] or match[4])


def _date_parts(entry: str) -> tuple[int, int | None, int | None] | None:
    """Take year, month and day out of a date's text; None when it is none."""
    if match := _PACKED_DATE.match(entry):
        day = int(match[4]) if match[4] else None
        return int(match[1] + match[2]), int(match[3]), day
    if match := _DATE.match(entry):
        year = int(match[1]) + (2000 if len(match[1]) == 2 else 0)
        return year, int(match[2]), int(match[3]) if match[3] else None
    if match := _YEAR_ONLY.match(entry):
        return int(match[1]), None, None
    if match := _SHORT_DATE.match(entry):
        year = int(match[1])
        return year + (1900 if year >= _CENTURY else 2000), int(match[2]), int(match[3])
    if match := _DAY_FIRST.match(entry):
        first, second = int(match[1]), int(match[2])
        if first > 12 >= second:
            return int(match[3]), second, first
        return (int(match[3]), first, second) if second > 12 or first == second else None
    if match := _CHINESE_DATE.match(entry):
        year = int(match[1].translate(_NUMERALS))
        month, day = (_small(part) if part else None for part in (match[2], match[3]))
        return year, month, day
    return None


def _small(numeral: str) -> int:
    """Read a Chinese number below 100.

    Examples
    --------
    >>> _small("十二"), _small("三十"), _small("七")
    (12, 30, 7)
    """
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return int(numeral.translate(_NUMERALS))
    return 10 * int((tens or "一").translate(_NUMERALS)) + int((ones or "零").translate(_NUMERALS))


_COUNTS: Final = ("person", "item", "household", "floor")
_ABOUT: Final = re.compile(r"^(约|大约|约为|近|将近|共|共计|≈|~|大概|最深|最大|达|可达)+")
_ROUGHLY: Final = re.compile(r"(左右|上下|多|余|许|以上|以下|以内|及以上)+$")
_BOUND: Final = re.compile(
    r"^(不足|小于|低于|少于|不超过|不到|未超过|大于|超过|高于|多于|至少|≥|≤|>=|<=|<|>)+\s*"
    r"|(及?以上|以下|以内)$"
)
_REMARKED: Final = re.compile(r"\([^()\d]*\)$")
_WITHIN: Final = re.compile(
    r"(\d+(?:\.\d+)?)\s*([a-z%°²³\u4e00-\u9fff]{1,3}?(?:(?<=[a-z])[23](?!\d))?)(?=[^a-z]|$)"
)
_OF_WHICH: Final = re.compile(r"其中|含|包括|共|合计|总|每|/|第|[-~至到]")
_CHINESE_NUMBER: Final = re.compile(
    r"^(?:约|近)?([零〇一二三四五六七八九十百千万两]{1,9})"
    r"(?=[多余]?[人名位个处台套座张辆艘栋户层支队件]?$)"
)
_QUANTITY: Final = re.compile(r"^([+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(.*)$", re.IGNORECASE)
_RANGE: Final = re.compile(
    r"^(\d+(?:\.\d+)?)\s*([^\d\s\-~至到]*)\s*[-~至到—–]+\s*(\d+(?:\.\d+)?)\s*(.*)$"
)
_DECIMAL_COMMA: Final = re.compile(
    r"^([+-]?(?:0(?=,)|\d+(?=,\d{1,2}(?!\d|,)|,\d{4,}))),(\d+)(?!\d|,)"
)
"""A comma that can only part decimals: 0,35 or 12,5, but not 1,250."""
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_BLANKS: Final = re.compile(r"[+-]?\d{1,3}(?: \d{3})+(?:\.\d+)?[^\d\s~-]*$")
"""Thousands parted by blanks, in an entry of one number."""


def parse_numbers(
    series: pd.Series,
    *,
    unit: str | None,
    header_unit: str | None,
    upper: bool,
    whole: bool = False,
) -> Parsed:
    """Read numbers, with units and words where they are clear.

    Parameters
    ----------
    series
        Shape (n,): the cells.
    unit
        The unit wanted.
    header_unit
        The unit that the header or the project file names, or None.
    upper
        Take the upper end of a range (the unsafe one for a hazard), else the lower.
    whole
        True when only whole numbers are right.

    Returns
    -------
    Parsed
        Values float64 in the wanted unit, NaN where missing or bad.

    Examples
    --------
    >>> cells = pd.Series(["约200人", "１２", "", "30-50cm", "很多"])
    >>> parse_numbers(cells, unit="person", header_unit=None, upper=True).bad.tolist()
    ['', '', '', 'unit', 'type']
    >>> depth = parse_numbers(pd.Series(["30-50cm"]), unit="m", header_unit=None, upper=True)
    >>> depth.column.tolist()
    [0.5]
    """
    factor = 1.0
    if header_unit and unit:
        factor = unit_factor(header_unit, unit) or np.nan
    quick = plain_numbers(series)
    bad = changed = nothing_told(len(series))
    values = quick * factor
    if (endless := np.isinf(quick)).any():
        bad = np.where(endless, "type", "").astype(object)
        values[endless] = np.nan
    if np.isnan(factor):
        bad = np.where(np.isnan(quick), "", "unit").astype(object)
    rest = np.flatnonzero(np.isnan(quick))
    rest = rest[series.iloc[rest].notna().to_numpy()]
    if len(rest):
        bad, changed = bad.copy(), changed.copy()
        slow = parse_unique(
            series.iloc[rest], lambda cell: _quantity(cell, unit, factor=factor, upper=upper)
        )
        values[rest] = slow.column.to_numpy(dtype=np.float64)
        bad[rest], changed[rest] = slow.bad, slow.changed
    if whole:
        even = np.round(values)
        values = np.where(np.abs(values - even) < 1e-9, even, values)
        broken = np.isfinite(values) & (values != even)
        if broken.any():
            bad = bad.copy()
            bad[broken & (bad == "")] = "integer"
    values[~is_told(bad, "")] = np.nan
    return Parsed(pd.Series(values, index=series.index), bad, changed)


_PLAIN_NUMBER: Final = r"^[+-]?[0-9]+(\.[0-9]+)?$"


def plain_numbers(series: pd.Series) -> NDArray[np.float64]:
    """Read cells that hold a number alone.

    Parameters
    ----------
    series
        Shape (n,): the cells.

    Returns
    -------
    ndarray
        Shape (n,); NaN where there is anything else.
    """
    column = texts_of(series)
    if column is None:
        numbers = (
            pd.to_numeric(series, errors="coerce") if series.dtype != bool else series.astype(float)
        )
        return pd.Series(numbers, index=series.index).to_numpy(dtype=np.float64, na_value=np.nan)
    fits = matches(column, _PLAIN_NUMBER)
    only = column if fits.all() else pc.if_else(pa.array(fits), column, None)
    out = np.array(pc.cast(only, pa.float64()).to_numpy(), dtype=np.float64)
    rest = np.flatnonzero(~fits)
    if len(rest):
        found = pd.to_numeric(series.iloc[rest].astype(object), errors="coerce")
        out[rest] = found.to_numpy(dtype=np.float64, na_value=np.nan)
    return out


def _quantity(
    cell: object, unit: str | None, *, factor: float, upper: bool
) -> tuple[float, str, str]:
    """Read one quantity written as text: value, rule broken, change made."""
    if (span := _clock(cell, unit)) is not None:
        return span, "", "clock"
    if isinstance(cell, (datetime, date, time, timedelta)):
        return np.nan, "type", ""
    entry = plain(cell).casefold()
    if entry in MISSING:
        return np.nan, "", "missing" if entry else ""
    if entry in EXCEL_ERRORS:
        return np.nan, "", "error"
    bare = _ABOUT.sub("", entry.lstrip("'"))
    if match := _DECIMAL_COMMA.match(bare):
        bare = f"{match[1]}.{match[2]}{bare[match.end() :]}"
    bare = _ungrouped(bare)
    if match := _RANGE.match(bare):
        low, first, high, last = match.groups()
        scale = _scale(_ROUGHLY.sub("", last), unit, factor)
        other = _scale(first, unit, factor) if first else scale
        if scale is None or other is None:
            return np.nan, "unit", ""
        ends = float(low) * other, float(high) * scale
        return (max(ends) if upper else min(ends)), "", "range"
    bound = "bound" if _BOUND.search(bare) else "text"
    bare = _REMARKED.sub("", _BOUND.sub("", bare)).strip()
    if factor == 1 or not re.search("[千万]", bare):
        bare = _as_digits(bare)
    match = _QUANTITY.match(_ROUGHLY.sub("", bare))
    scale = None
    if match is not None:
        number, rest = match.groups()
        scale = _scale(re.sub(r"^(多|余|来)+", "", _ROUGHLY.sub("", rest)), unit, factor)
        if scale is not None:
            return float(number) * scale, "", bound
    found = _numbers_within(bare, unit) or _time_within(bare, unit)
    if found is not None:
        return found
    return np.nan, "type" if match is None else "unit", ""


_CLOCK: Final = re.compile(r"^(\d{1,3}):([0-5]\d)(?::([0-5]\d))?$")
"""Hours and minutes, as a sheet keeps a time that was typed into it."""


def _clock(cell: object, unit: str | None) -> float | None:
    """Read a time of day, or its text, as a span of a field that counts time; else None."""
    hour = unit_factor("h", unit) if unit else None
    if hour is None:
        return None
    if isinstance(cell, timedelta):
        return cell.total_seconds() / 3600.0 * hour
    written = _CLOCK.match(plain(cell))
    if written is None:
        return None
    hours, minutes, seconds = (float(part or 0.0) for part in written.groups())
    return (hours + minutes / 60.0 + seconds / 3600.0) * hour


_TIME_PART: Final = r"(?:(\d+(?:\.\d+)?|[一二三四五六七八九十两]{1,3})\s*个?\s*(%s))?"
_TIME: Final = re.compile(
    _TIME_PART % "天|日|d|days?"
    + r"\s*"
    + _TIME_PART % "半?小时|半?钟头|时|h|hrs?|hours?"
    + r"\s*"
    + _TIME_PART % "分钟?|min|mins|minutes?|m"
)
_HALF_HOUR: Final = re.compile(r"半个?(?:小时|钟头)")


def _time_within(entry: str, unit: str | None) -> tuple[float, str, str] | None:
    """Read a time said in several parts or in words, such as ``1小时30分`` or ``半小时``."""
    scale = unit_factor("min", unit) if unit else None
    if scale is None:
        return None
    if _HALF_HOUR.fullmatch(entry):
        return 30.0 * scale, "", "text"
    if entry in ("半天", "半日"):
        return 720.0 * scale, "", "text"
    match = _TIME.fullmatch(entry)
    if match is None or not entry:
        return None
    minutes = 0.0
    for number, word, each in zip(
        match.groups()[::2], match.groups()[1::2], (1440, 60, 1), strict=True
    ):
        if number is None:
            continue
        counted = (
            _small(number.replace("两", "二")) if number[0] not in "0123456789" else float(number)
        )
        minutes += (counted + (0.5 if word.startswith("半") else 0.0)) * each
    return minutes * scale, "", "text"


_SAID_LENGTH: Final = re.compile(
    r"(?:([一二两三四五六七八九十]{1,3}|\d{1,2})米(?:([一二三四五六七八九]|\d)|(半))?|(半)米)"
)


def _as_digits(entry: str) -> str:
    """Write a number that is said in words, such as 两人, 半米 or 一米二, in digits.

    Examples
    --------
    >>> _as_digits("三十二人"), _as_digits("一米二"), _as_digits("半米左右"), _as_digits("0.3m")
    ('32人', '1.2米', '0.5米', '0.3m')
    """
    if numeral := _CHINESE_NUMBER.match(entry):
        number = _numeral(numeral[1])
        return entry if number is None else f"{number}{entry[numeral.end() :]}"
    match = _SAID_LENGTH.fullmatch(_ROUGHLY.sub("", entry))
    if match is None:
        return entry
    whole, tenth, half, alone = match.groups()
    if alone:
        return "0.5米"
    metres = float(whole) if whole.isdigit() else float(_small(whole.replace("两", "二")))
    if tenth:
        metres += (float(tenth) if tenth.isdigit() else _small(tenth)) / 10
    return f"{metres + (0.5 if half else 0.0):g}米"


def _numeral(numeral: str) -> int | None:
    """Read a Chinese number below 100 million; None where it is none, as 二三十 (20 to 30).

    Examples
    --------
    >>> _numeral("两"), _numeral("三十二"), _numeral("一百二十"), _numeral("三百零五")
    (2, 32, 120, 305)
    >>> _numeral("三百五"), _numeral("一万二"), _numeral("二三十")
    (350, 12000, None)
    """
    head, ten_thousand, tail = numeral.partition("万")
    if ten_thousand:
        high = _numeral(head) if head else None
        low = _numeral(tail) if tail else 0
        if high is None or low is None:
            return None
        return 10000 * high + (1000 * low if len(tail) == 1 else low)
    total, digit, last, zero = 0, 0, 10000, False
    for sign in numeral.replace("两", "二").replace("〇", "零"):
        if each := {"十": 10, "百": 100, "千": 1000}.get(sign):
            if each >= last or not (digit or each == 10 or last == 10000):
                return None
            total, digit, last, zero = total + (digit or 1) * each, 0, each, False
        elif digit or (zero and sign == "零"):
            return None
        elif sign == "零":
            zero = True
        else:
            digit = int(sign.translate(_NUMERALS))
    return total + digit * (last // 10 if 100 <= last < 10000 and not zero else 1)


def _numbers_within(entry: str, unit: str | None) -> tuple[float, str, str] | None:
    """Take the one number with a fitting unit out of words, or add up those of several kinds."""
    if unit is None:
        return None
    values = []
    for match in _WITHIN.finditer(entry):
        word = next(
            (match[2][:size] for size in (3, 2, 1) if unit_factor(match[2][:size], unit)), None
        ) or next(
            (
                entry[match.end(1) :].lstrip()[:size]
                for size in (4, 3, 2, 1)
                if unit_factor(entry[match.end(1) :].lstrip()[:size], unit)
            ),
            None,
        )
        if word is not None:
            values.append(float(match[1]) * (unit_factor(word, unit) or np.nan))
    count = len(re.findall(r"\d+(?:\.\d+)?", entry))
    beside = {"person": r"\d\s*户", "household": r"\d\s*[人口名]"}.get(unit_of(unit) or "")
    if len(values) == 1 == count or (
        len(values) == 1 and count == 2 and beside and re.search(beside, entry)
    ):
        return values[0], "", "within"
    parts = [part for part in re.split(r"[、,;+和及\s]+", entry) if part]
    kinds = unit_of(unit) in (*_COUNTS, "item") and not _OF_WHICH.search(entry)
    if len(values) >= 2 and kinds and len(values) == count == len(parts):
        return float(np.sum(values)), "", "sum"
    return None


_COUNTED_IN: Final = {"10k CNY": "CNY", "10k m3": "m3", "10k persons": "person"}
"""Units that count by ten thousand, with what they count."""


def _ten_thousand(unit: str | None, factor: float) -> float | None:
    """Scale 万 behind a number: of what the column counts, but not twice where it counts by 万."""
    base = unit_factor(_COUNTED_IN.get(unit or "", unit or ""), unit) if unit else None
    if base is None or factor != base * 1e4:
        return factor * 1e4
    return None if unit_of(unit or "") == "m2" else factor  # 万公顷 or 万平方米


def _ungrouped(entry: str) -> str:
    """Take out what parts thousands, a comma or a blank.

    Examples
    --------
    >>> _ungrouped("1,250人"), _ungrouped("4 060 123.5"), _ungrouped("12 34")
    ('1250人', '4060123.5', '12 34')
    """
    entry = _THOUSANDS.sub("", entry).strip()
    return re.sub(r"(?<=\d) (?=\d{3})", "", entry) if _BLANKS.match(entry) else entry


def _scale(written: str, unit: str | None, factor: float) -> float | None:
    """Return what a number with this unit text is multiplied by; None when it is not clear."""
    written = written.strip()
    if np.isnan(factor) and written in ("", "万"):
        return None
    if not written:
        return factor
    if written == "万":
        return _ten_thousand(unit, factor)
    if unit is None:
        return factor if unit_of(written) in _COUNTS else None
    return unit_factor(written, unit)


_SIGNS: Final = {
    **dict.fromkeys("º˚゜度°", "°"),
    **dict.fromkeys("分'′’‘`´ʹ", "'"),
    **dict.fromkeys('秒"″”“ʺ〞〃', '"'),
    **dict.fromkeys("-‐‑‒–—−－", "-"),
    **dict.fromkeys(":", " "),
}
_LETTERS: Final = (
    ("东经", "E"),
    ("西经", "W"),
    ("北纬", "N"),
    ("南纬", "S"),
    ("经度", "E"),
    ("纬度", "N"),
)
_LETTERED: Final = re.compile(
    r"(?i)(?<=\d)\s*(?:deg|d)\s*([\d.]+)\s*(?:(?:min|m)(?:\s*([\d.]+)\s*(?:sec|s)?)?|'(?:\s*([\d.]+)\s*\"?)?)"
)
"""Angles whose marks are letters, as programs write them: ``118d18m28.8s``, ``118d18'28.8"E``."""
_MARK: Final = re.compile("''|’’|‘‘|′′")
_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_PLAIN: Final = re.compile(rf"^([EWNS]?)\s*(-?){_NUMBER}\s*°?\s*([EWNS]?)$")
_DMS: Final = re.compile(
    rf"^([EWNS]?)\s*(-?)(\d+)\s*[°\s\-]\s*{_NUMBER}\s*\'?\s*(?:[\s\-]?\s*{_NUMBER}\s*\"?)?\s*([EWNS]?)$"
)
_EMPTY: Final = frozenset(("", "-", "/", "无", "nan", "none", "null", "未知", "不详"))
_INVISIBLE: Final = dict.fromkeys((0x200B, 0x2060, 0xFEFF, 0x00AD))
AXES: Final = {"lon": ("EW", 180.0), "lat": ("NS", 90.0), None: ("EWNS", 180.0)}

ANGLE_REASONS: Final[dict[str, tuple[str, str]]] = {
    "unreadable": ("this coordinate cannot be read", "write decimal degrees such as 118.308120"),
    "minutes": ("the minutes are 60 or more", "check degrees, minutes and seconds"),
    "seconds": ("the seconds are 60 or more", "check degrees, minutes and seconds"),
    "hemisphere": (
        "the letter or word for the direction does not fit this column",
        "longitude and latitude may stand in each other's column",
    ),
    "range": (
        "this cannot be an angle on the earth",
        "check whether longitude and latitude are swapped",
    ),
    "empty": ("the coordinate is missing", "fill in longitude and latitude"),
}
"""Why a coordinate cannot be used, and how to mend it."""


@dataclass(frozen=True)
class Angles:
    """Parsed angles: degrees, why one could not be parsed, and what was noticed."""

    degrees: NDArray[np.float64]
    """Shape (n,) [deg]; NaN where it could not be read; kept where only ``range`` is wrong."""
    reason: NDArray[np.object_]
    """Shape (n,): an empty text, or ``empty``, ``unreadable``, ``minutes``, ``seconds``,
    ``hemisphere``, ``range``."""
    coarse: NDArray[np.bool_]
    """True where the text has fewer than four decimals of a degree (11 m)."""
    letter: NDArray[np.object_]
    """Shape (n,): the hemisphere letter, or an empty text."""


def plain_angle(text: str) -> str:
    r"""Bring an angle's text into one alphabet.

    Parameters
    ----------
    text
        Such as ``东经１１８度18分28.8秒``.

    Returns
    -------
    str
        Degrees, minutes and seconds marked ``°'"``, hemisphere as one of E, W, N, S.

    Examples
    --------
    >>> plain_angle("东经１１８°18′28.8″")
    'E118°18\'28.8"'
    """
    out = _MARK.sub("″", text)
    for word, letter in _LETTERS:
        out = out.replace(word, letter)
    out = "".join(_SIGNS.get(character, character) for character in out)
    out = unicodedata.normalize("NFKC", out)
    out = "".join(_SIGNS.get(character, character) for character in out)
    out = _LETTERED.sub(_marked, out.lstrip("'"))
    out = re.sub(r"(?<![A-Za-z])[ewns](?![A-Za-z])", lambda match: match[0].upper(), out)
    return " ".join(out.split()).strip(" ,;、:()[]")


def _marked(match: re.Match[str]) -> str:
    seconds = match[2] or match[3]
    return f"°{match[1]}'" + (f'{seconds}"' if seconds else "")


def _one(text: str, axis: str | None) -> tuple[float, str, bool, str]:
    """Parse one angle: degrees, reason, coarse, hemisphere letter."""
    if text.casefold() in _EMPTY:
        return np.nan, "empty", False, ""
    text = re.sub(r"^([EWNS]?\s*-?\d{1,3}),(\d+)(\s*°?\s*[EWNS]?)$", r"\1.\2\3", text)
    letters, limit = AXES[axis]
    if match := _PLAIN.match(text):
        first, minus, number, last = match.groups()
        value, reason = float(number), ""
        coarse = len(number.partition(".")[2]) < 4
    elif match := _DMS.match(text):
        first, minus, degrees, minutes, seconds, last = match.groups()
        value = float(degrees) + float(minutes) / 60.0 + float(seconds or 0.0) / 3600.0
        reason = "minutes" if float(minutes) >= 60.0 else ""
        reason = reason or ("seconds" if float(seconds or 0.0) >= 60.0 else "")
        if seconds is not None and "." in minutes:
            reason = "unreadable"
        coarse = seconds is None and len(minutes.partition(".")[2]) < 2
    else:
        return np.nan, "unreadable", False, ""
    letter = first or last
    if (first and last) or (letter and minus) or (letter and letter not in letters):
        return np.nan, reason or "hemisphere", False, letter
    limit = 90.0 if letter and letter in "NS" else limit
    reason = reason or ("range" if value > limit else "")
    value = -value if minus or letter in ("W", "S") else value
    return (value if reason in ("", "range") else np.nan), reason, coarse, letter


def parse_angle(texts: Sequence[object] | pd.Series, *, axis: str | None = None) -> Angles:
    """Parse angles as people write them.

    Understood are decimal degrees, ``118°18′28.8″`` with any marks, ``118 18 28.8``,
    ``118-18-28.8``, ``东经118度18分28.8秒``, ``E118.308``, ``118°18.48′``, full-width digits and a
    decimal comma. Packed ``118.18288`` (DDD.MMSS) cannot be told from decimal degrees and is
    taken as such. Minutes or seconds of 60 and more are refused.

    Parameters
    ----------
    texts
        Shape (n,): texts or numbers.
    axis
        ``lon`` or ``lat`` to check hemisphere and range, or None.

    Returns
    -------
    Angles
        Degrees, NaN where there is a reason.

    Examples
    --------
    >>> parse_angle(["118°18′28.8″", "东经118度18分28.8秒", 118.308], axis="lon").degrees.round(6)
    array([118.308, 118.308, 118.308])
    >>> parse_angle(["118°61′", "N36.8"], axis="lon").reason.tolist()
    ['minutes', 'hemisphere']
    """
    _, limit = AXES[axis]
    if isinstance(texts, pd.Series):
        column = texts_of(texts)
        if column is not None:
            return _by_column(texts, column, axis)
        if texts.dtype == np.float64 and np.isfinite(texts).all():
            return _of_numbers(texts.to_numpy(), axis)
        texts = texts.tolist()
    series = pd.Series(list(texts), dtype=object)
    written = series.map(_written)
    codes, unique = pd.factorize(written)
    numbers = pd.to_numeric(pd.Series(unique, dtype=object), errors="coerce").to_numpy(np.float64)
    decimals = pd.Series(unique, dtype="str").str.extract(r"\.(\d*)$")[0].str.len()
    coarse = decimals.fillna(0).to_numpy() < 4
    coarse &= ~(np.isfinite(numbers) & (numbers != np.round(numbers, 3)))  # 1.17011111E+02
    reason = np.where(np.abs(numbers) > limit, "range", "").astype(object)
    letter = np.full(len(unique), "", dtype=object)
    degrees = numbers.copy()
    for index in np.flatnonzero(~np.isfinite(numbers)):
        degrees[index], reason[index], coarse[index], letter[index] = _one(
            plain_angle(str(unique[int(index)])), axis
        )
    return Angles(degrees[codes], reason[codes], coarse[codes], letter[codes])


_DECIMAL: Final = r"^-?[0-9]{1,3}\.[0-9]{4,}$"
"""Decimal degrees of four decimals or more."""


def _by_column(texts: pd.Series, column: Any, axis: str | None) -> Angles:
    """Parse a column of texts, decimal degrees all at once and the others one by one."""
    fits = matches(column, _DECIMAL)
    if fits.all():
        degrees = np.array(pc.cast(column, pa.float64()).to_numpy(), dtype=np.float64)
        return _of_decimals(degrees, axis)
    degrees = np.full(len(texts), np.nan)
    reason = np.full(len(texts), "", dtype=object)
    coarse = np.zeros(len(texts), dtype=bool)
    letter = np.full(len(texts), "", dtype=object)
    rest = np.flatnonzero(~fits)
    if len(rest):
        degrees[fits] = plain_numbers(texts[fits])
        others = parse_angle(texts.iloc[rest].tolist(), axis=axis)
        degrees[rest], reason[rest] = others.degrees, others.reason
        coarse[rest], letter[rest] = others.coarse, others.letter
    reason[fits & (np.abs(degrees) > AXES[axis][1])] = "range"
    return Angles(degrees, reason, coarse, letter)


def _of_numbers(degrees: NDArray[np.float64], axis: str | None) -> Angles:
    return replace(_of_decimals(degrees.copy(), axis), coarse=degrees == np.round(degrees, 3))


def _of_decimals(degrees: NDArray[np.float64], axis: str | None) -> Angles:
    """Take numbers as angles that are all written finely enough."""
    nothing = reason = nothing_told(len(degrees))
    beyond = np.abs(degrees) > AXES[axis][1]
    if beyond.any():
        reason = np.where(beyond, "range", nothing).astype(object)
    return Angles(degrees, reason, np.zeros(len(degrees), dtype=bool), nothing)


_EPOCH: Final = datetime(1899, 12, 30)


def _written(value: object) -> str:
    if value is None or value != value or value is pd.NA:
        return ""
    if isinstance(value, str):
        return value.translate(_INVISIBLE).strip()
    if isinstance(value, time):
        return f"{value.hour}°{value.minute}'{value.second + value.microsecond / 1e6:g}\""
    if isinstance(value, datetime):
        value = value - _EPOCH
    if isinstance(value, timedelta):  # 117:01:12 typed into a sheet is a time to it
        minutes, seconds = divmod(value.total_seconds(), 60.0)
        return f"{minutes // 60:.0f}°{minutes % 60:.0f}'{seconds:.10g}\""
    if isinstance(value, date):
        return str(value)
    return repr(float(value))  # type: ignore[arg-type]


_PAIR_SPLITS: Final = (r"[,;|、/\n]+", r"\s+")
_TOKENS: Final = re.compile(r"-?\d+(?:\.\d+)?")
_FIX: Final = re.compile(
    r"^(-?\d{1,3}\.\d{3,})[\s,;]+(-?\d{1,3}\.\d{3,})(?:[\s,;]+-?\d+(?:\.\d+)?){1,2}$"
)
"""Decimal degrees followed by height and accuracy, as survey apps and KML write one place."""


def _split(text: str) -> tuple[str, str] | None:
    """Split the text of one cell into its two angles, or None when that is not clear."""
    text = re.sub(r"^POINT\s*Z?\s*\(?", "", text, flags=re.IGNORECASE).strip(" ()")
    if fix := _FIX.match(text):
        return fix[1], fix[2]
    for pattern in _PAIR_SPLITS:
        parts = [part.strip(" :()") for part in re.split(pattern, text) if part.strip(" :()")]
        if len(parts) == 2 and all(re.search(r"\d", part) for part in parts):
            return parts[0], parts[1]
    lettered = re.match(
        r"^([EWNS][^EWNS]+)([EWNS][^EWNS]+)$|^([^EWNS]+[EWNS])([^EWNS]+[EWNS])$", text
    )
    if lettered:
        one, two = [part for part in lettered.groups() if part]
        return one.strip(" ,;"), two.strip(" ,;")
    numbers = _TOKENS.findall(text)
    if len(numbers) in (4, 6) and not re.search(r"[A-Za-z]", text):
        half = len(numbers) // 2
        return " ".join(numbers[:half]), " ".join(numbers[half:])
    return None


def parse_pairs(texts: Sequence[object], *, lat_first: bool = False) -> tuple[Angles, Angles]:
    """Parse cells that hold longitude and latitude together.

    Parameters
    ----------
    texts
        Shape (n,): such as ``118.308,36.827`` or ``北纬36°49′37″ 东经118°18′29″``.
    lat_first
        Order where neither letters nor size tell the two apart.

    Returns
    -------
    tuple of Angles
        Longitude and latitude.

    Examples
    --------
    >>> lon, lat = parse_pairs(["118.308,36.827", "36.827N 118.308E"])
    >>> lon.degrees.tolist(), lat.degrees.tolist()
    ([118.308, 118.308], [36.827, 36.827])
    """
    firsts, seconds = [], []
    for value in texts:
        written = plain_angle(_written(value)) if isinstance(value, str) else ""
        pair = _split(written) if written else ("", "")
        first, second = pair if pair is not None else ("?", "?")
        firsts.append(first)
        seconds.append(second)
    one, two = parse_angle(firsts), parse_angle(seconds)
    told_lat = np.isin(one.letter, ["N", "S"]) | np.isin(two.letter, ["E", "W"])
    told_lon = np.isin(one.letter, ["E", "W"]) | np.isin(two.letter, ["N", "S"])
    told_lat |= ~told_lon & (np.abs(two.degrees) > 90.0)
    told_lon |= ~told_lat & (np.abs(one.degrees) > 90.0)
    swap = told_lat | (~told_lon & lat_first)
    lon = _choose(swap, two, one)
    return lon, _choose(swap, one, two)


def _choose(swap: NDArray[np.bool_], yes: Angles, no: Angles) -> Angles:
    return Angles(
        np.where(swap, yes.degrees, no.degrees),
        np.where(swap, yes.reason, no.reason),
        np.where(swap, yes.coarse, no.coarse),
        np.where(swap, yes.letter, no.letter),
    )

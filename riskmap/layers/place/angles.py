"""Angles as offices write them: decimal degrees, degrees-minutes-seconds, both in one cell."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import numpy as np
import pandas as pd

from riskmap.layers.read.values import matches, plain_numbers, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_SIGNS: Final = {
    **dict.fromkeys("º˚゜度°", "°"),
    **dict.fromkeys("分'′’‘`´ʹ", "'"),
    **dict.fromkeys('秒"″”“ʺ〞〃', '"'),
    **dict.fromkeys("-‐‑‒–—−－", "-"),
    **dict.fromkeys(":", " "),
}
_WORDS: Final = (
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

REASONS: Final[dict[str, tuple[str, str]]] = {
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
    for word, letter in _WORDS:
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
    degrees = plain_numbers(texts) if fits.all() else np.full(len(texts), np.nan)
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
    nothing = np.full(len(degrees), "", dtype=object)
    reason = np.where(np.abs(degrees) > AXES[axis][1], "range", nothing).astype(object)
    return Angles(degrees.copy(), reason, degrees == np.round(degrees, 3), nothing)


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


_BY_LINK: Final = (
    (r"(?:amap|gaode|autonavi)\.com", "gcj02", (
        (r"(?:position|lnglat|dest|from|to|location)=(-?\d+\.\d+),(-?\d+\.\d+)", "xy"),
        (r"[?&](?:p)=[^,&]*,(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"[?&](?:q)=(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"[?&](?:lng|lon)=(-?\d+\.\d+).*?[?&]lat=(-?\d+\.\d+)", "xy"),
        (r"[?&]lat=(-?\d+\.\d+).*?[?&](?:lng|lon)=(-?\d+\.\d+)", "yx"),
    )),
    (r"map\.baidu\.com|baidumap", "bd09", (
        (r"(?:location|latlng|center|destination|origin)=(?:latlng:)?(-?\d+\.\d+),(-?\d+\.\d+)",
         "yx"),
    )),
    (r"map\.qq\.com|qqmap", "gcj02", (
        (r"coord:(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"(?:center|tocoord|fromcoord|location)=(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"pointx=(-?\d+\.\d+).*?pointy=(-?\d+\.\d+)", "xy"),
    )),
    (r"tianditu", "wgs84", ((r"(?:center|location|lnglat)=(-?\d+\.\d+),(-?\d+\.\d+)", "xy"),)),
    (r"google\.|goo\.gl/maps|openstreetmap|^geo:", "auto", (
        (r"!3d(-?\d+\.\d+)!4d(-?\d+\.\d+)", "yx"),
        (r"@(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"(?:[?&](?:q|ll|query|center)=|^geo:)(-?\d+\.\d+),(-?\d+\.\d+)", "yx"),
        (r"mlat=(-?\d+\.\d+)&mlon=(-?\d+\.\d+)", "yx"),
        (r"#map=[\d.]+/(-?\d+\.\d+)/(-?\d+\.\d+)", "yx"),
    )),
)  # fmt: skip
"""Map services, the datum of their links, and where the links have the place."""
_OWN_DATUM: Final = {"wgs84": "wgs84", "wgs84ll": "wgs84", "gcj02": "gcj02", "gcj02ll": "gcj02",
                     "gaode": "gcj02", "bd09ll": "bd09", "bd09": "bd09"}  # fmt: skip
_LINK: Final = re.compile(
    r"https?://\S+|(?:amap|baidumap|qqmap|geo|androidamap|iosamap):\S+", re.IGNORECASE
)


def is_link(cell: object) -> bool:
    """Tell whether a cell holds a link, as map programs share places.

    Parameters
    ----------
    cell
        What stands in the cell.

    Returns
    -------
    bool
        True for an address of the web, or of a map program.
    """
    return isinstance(cell, str) and _LINK.search(cell) is not None


def read_link(cell: object) -> tuple[float, float, str] | None:
    """Read the place out of a link that a map program shares.

    Parameters
    ----------
    cell
        What stands in the cell.

    Returns
    -------
    tuple of float, float and str, or None
        Longitude, latitude and datum (``auto`` where the service does not tell); None where the
        link holds no place, as a short one does.

    Examples
    --------
    >>> read_link("https://uri.amap.com/marker?position=117.0261,36.6505&name=x")
    (117.0261, 36.6505, 'gcj02')
    >>> read_link("http://api.map.baidu.com/marker?location=36.65,117.04&coord_type=gcj02")
    (117.04, 36.65, 'gcj02')
    >>> read_link("https://j.map.baidu.com/3f/abc") is None
    True
    """
    if not isinstance(cell, str) or (found := _LINK.search(cell)) is None:
        return None
    link = unquote(found[0])
    for service, datum, ways in _BY_LINK:
        if not re.search(service, link, re.IGNORECASE):
            continue
        said = re.search(r"(?:coord_type|coordinate|coordtype)=(\w+)", link, re.IGNORECASE)
        own = _OWN_DATUM.get(said[1].lower(), datum) if said else datum
        for pattern, order in ways:
            if match := re.search(pattern, link, re.IGNORECASE):
                one, two = float(match[1]), float(match[2])
                lon, lat = (one, two) if order == "xy" else (two, one)
                if abs(lat) <= 90.0 and abs(lon) <= 180.0:
                    return lon, lat, own
    return None


def _choose(swap: NDArray[np.bool_], yes: Angles, no: Angles) -> Angles:
    return Angles(
        np.where(swap, yes.degrees, no.degrees),
        np.where(swap, yes.reason, no.reason),
        np.where(swap, yes.coarse, no.coarse),
        np.where(swap, yes.letter, no.letter),
    )

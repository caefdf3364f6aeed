"""Column headers as offices write them: the bare name and the unit, and how units convert."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from riskmap.roles.types import Label

UNITS: Final[dict[str, tuple[str, float, tuple[str, ...]]]] = {
    # canonical unit: (dimension, factor to the dimension's base, ways to write it)
    "m": ("length", 1.0, ("m", "米", "meter", "metre", "metres", "meters")),
    "cm": ("length", 0.01, ("cm", "厘米", "公分")),
    "mm": ("length", 0.001, ("mm", "毫米")),
    "km": ("length", 1000.0, ("km", "公里", "千米")),
    "m2": ("area", 1.0, ("m2", "m^2", "sqm", "平方米", "平米", "平方")),
    "hm2": ("area", 1e4, ("hm2", "ha", "公顷")),
    "km2": ("area", 1e6, ("km2", "km^2", "平方公里", "平方千米")),
    "mu": ("area", 10000 / 15, ("亩",)),
    "m3": ("volume", 1.0, ("m3", "m^3", "立方米", "立方", "方")),
    "10k m3": ("volume", 1e4, ("万m3", "万立方米", "万方", "10km3", "10^4m3")),
    "s": ("time", 1.0, ("s", "秒", "sec")),
    "min": ("time", 60.0, ("min", "分钟", "分", "mins", "minute", "minutes")),
    "h": ("time", 3600.0, ("h", "小时", "时", "hour", "hours")),
    "d": ("time", 86400.0, ("d", "天", "日", "day", "days")),
    "km/h": ("speed", 1.0, ("km/h", "kmh", "kph", "公里/小时", "千米/小时", "公里每小时")),
    "m/s": ("speed", 3.6, ("m/s", "米/秒")),
    "person": ("persons", 1.0, ("person", "人", "名", "位", "persons", "people", "人次")),
    "10k persons": ("persons", 1e4, ("万人",)),
    "household": ("households", 1.0, ("household", "户", "households")),
    "item": ("items", 1.0, ("item", "个", "件", "处", "台", "套", "座", "张", "辆", "艘", "栋")),
    "kg": ("mass", 0.001, ("kg", "千克", "公斤")),
    "t": ("mass", 1.0, ("t", "吨", "ton", "tons")),
    "CNY": ("money", 1.0, ("cny", "元", "人民币")),
    "10k CNY": ("money", 1e4, ("万元", "10kcny", "万")),
    "100M CNY": ("money", 1e8, ("亿元", "亿")),
    "%": ("share", 0.01, ("%", "百分比", "percent")),
    "permille": ("share", 0.001, ("‰", "千分比", "permille")),
    "1": ("share", 1.0, ("1", "小数", "fraction")),
    "mm/h": ("rain rate", 1.0, ("mm/h", "毫米/小时")),
    "deg": ("angle", 1.0, ("deg", "°", "度", "degree", "degrees")),
    "floor": ("floors", 1.0, ("层", "floor", "floors")),
    "dB": ("sound", 1.0, ("db", "分贝")),
}
"""Units that a header may name, with the factor to the base unit of their dimension."""

_NOTES: Final = frozenset(
    (
        "必填",
        "选填",
        "可选",
        "必填项",
        "选填项",
        "下拉选择",
        "下拉",
        "单选",
        "多选",
        "是/否",
        "是否",
        "填是或否",
    )
)
_BRACKETS: Final = re.compile(r"[(\[【〔{]([^()\[\]【】〔〕{}]*)[)\]】〕}]\s*$")
_SUFFIX_UNITS: Final = (
    "mm",
    "cm",
    "km2",
    "hm2",
    "km",
    "m2",
    "m3",
    "min",
    "m",
    "km/h",
    "h",
    "kg",
    "t",
    "%",
    "‰",
)
_DROP: Final = re.compile(r"[\s_\-:：*＊·.、,，;；/\\'\"“”]+")


def header_key(header: str) -> str:
    """Bring a header or a value into the form in which aliases are compared.

    Parameters
    ----------
    header
        The text as the file has it; full-width forms, case, blanks and ``_ - * : /`` do not count.

    Returns
    -------
    str
        The comparison key.

    Examples
    --------
    >>> header_key(" *Ｄepth_M ") == header_key("depth m")
    True
    """
    return _DROP.sub("", unicodedata.normalize("NFKC", header).casefold())


@cache
def _unit_names() -> dict[str, str]:
    return {
        unicodedata.normalize("NFKC", name).casefold().replace(" ", ""): unit
        for unit, (_, _, names) in UNITS.items()
        for name in (unit, *names)
    }


def unit_of(name: str) -> str | None:
    """Recognise a unit however it is written.

    Parameters
    ----------
    name
        Such as ``厘米``, ``CM``, ``㎡`` or ``单位:米``.

    Returns
    -------
    str or None
        The canonical unit, or None when no unit is known by this name.

    Examples
    --------
    >>> unit_of("平方米"), unit_of("㎝"), unit_of("单位:万元"), unit_of("电话")
    ('m2', 'cm', '10k CNY', None)
    """
    plain = unicodedata.normalize("NFKC", name).casefold().replace(" ", "")
    plain = re.sub(r"^(单位|unit)[::]?", "", plain)
    return _unit_names().get(plain)


def parse_header(header: str) -> tuple[str, str | None]:
    """Split a column header into its bare name and its unit.

    Only brackets that hold a unit, or a note to the person filling in, are taken off, so that
    ``责任人(A岗)`` stays what it is.

    Parameters
    ----------
    header
        The header as the file has it.

    Returns
    -------
    tuple of str and (str or None)
        The name without unit and notes, and the canonical unit or None.

    Examples
    --------
    >>> parse_header("积水深度（厘米）"), parse_header("面积/㎡"), parse_header("水深cm")
    (('积水深度', 'cm'), ('面积', 'm2'), ('水深', 'cm'))
    >>> parse_header("*名称(必填)"), parse_header("责任人(A岗)")
    (('名称', None), ('责任人(A岗)', None))
    """
    name = unicodedata.normalize("NFKC", header)
    name = re.sub(r"\s+", " ", name).strip().lstrip("*").rstrip("*:").strip()
    unit: str | None = None
    while (match := _BRACKETS.search(name)) is not None:
        inside = match.group(1).strip()
        found = unit_of(inside)
        if found is None and inside not in _NOTES and inside != "":
            break
        unit = unit or found
        name = name[: match.start()].strip()
    return (name, unit) if unit else _split_suffix(name)


def _split_suffix(name: str) -> tuple[str, str | None]:
    """Split a unit that stands at the end without brackets, ``水深cm``, ``面积/平方米``."""
    if "/" in name:
        bare, _, last = name.partition("/")
        unit = unit_of(last)
        if unit and bare.strip():
            return bare.strip(), unit
    for suffix in sorted(_SUFFIX_UNITS, key=len, reverse=True):
        if name.casefold().endswith(suffix) and len(name) > len(suffix):
            bare = name[: -len(suffix)]
            if ord(bare[-1]) > 0x2E7F or bare[-1] in "_ -":
                stem = bare.rstrip("_ -/")
                return (stem, unit_of(suffix)) if stem else (name, None)
    return name, None


def unit_factor(source: str, target: str) -> float | None:
    """Return what a number in one unit is multiplied by to stand in another.

    Parameters
    ----------
    source
        The unit the number is in, as `unit_of` returns it or as written.
    target
        The unit wanted.

    Returns
    -------
    float or None
        The factor, or None when the units do not measure the same thing.

    Examples
    --------
    >>> unit_factor("cm", "m"), unit_factor("万人", "person"), unit_factor("m", "min")
    (0.01, 10000.0, None)
    """
    first, second = unit_of(source), unit_of(target)
    if first is None or second is None:
        return None
    if first == second:
        return 1.0
    (kind, factor, _), (other, base, _) = UNITS[first], UNITS[second]
    return factor / base if kind == other else None


def unit_label(unit: str | None) -> Label:
    """Return a unit as it is shown.

    Parameters
    ----------
    unit
        The canonical unit, or None for a number without one.

    Returns
    -------
    Label
        Chinese: the unit's Chinese name; English: its symbol.

    Examples
    --------
    >>> from riskmap.i18n import both
    >>> both(unit_label("10k CNY"))
    {'zh': '万元', 'en': '10k CNY'}
    """
    if unit is None or unit == "1":
        return Label("")
    names = UNITS.get(unit, ("", 1.0, ()))[2]
    chinese = next((name for name in names if name and ord(name[0]) > 0x2E7F), unit)
    return Label(unit, zh=chinese)

"""Columns that every room shares, the codes and units in them, and the words for all three."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from riskmap.i18n import Label, Text, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


class Mode(StrEnum):
    """How people go to a refuge."""

    FOOT = "foot"
    RIDE = "ride"


class Origin(StrEnum):
    """Where people have to leave."""

    DANGER_AREA = "danger_area"
    FLOODED = "flooded"


class Hazard(StrEnum):
    """What a refuge is checked against."""

    ANY = "any"
    FLOOD = "flood"
    GEOHAZARD = "geohazard"
    HAZMAT = "hazmat"


class Check(StrEnum):
    """What is checked of a refuge."""

    FLOOD = "flood"
    FREEBOARD = "freeboard"
    SLOPE = "slope"
    DANGER_AREA = "danger_area"
    HAZARD_SOURCE = "hazard_source"
    STATUS = "status"
    DECLARED = "declared"
    CAPACITY = "capacity"
    ROAD = "road"
    APPRAISAL = "appraisal"
    READY = "ready"


class Tier(StrEnum):
    """Level of a refuge or depot."""

    CENTRAL = "central"
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"


class Term(StrEnum):
    """How long people may stay in a refuge."""

    URGENT = "urgent"
    TEMPORARY = "temporary"
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
    CENTRAL = "central"


class StationType(StrEnum):
    """Kind of a rescue station."""

    SPECIAL = "special"
    FIRST = "first"
    SECOND = "second"
    SMALL = "small"
    SUBURBAN = "suburban"
    COMMUNITY = "community"


class Vehicle(StrEnum):
    """What a station drives."""

    FOOT = "foot"
    CAR = "car"
    TRUCK = "truck"
    HIGH_CLEARANCE = "high_clearance"
    FIRE_ENGINE = "fire_engine"
    BOAT = "boat"


class Rule(StrEnum):
    """Whose response times count."""

    LINZI_135 = "linzi_135"
    FIRE_5MIN = "fire_5min"
    CIRCLE_15MIN = "circle_15min"


class Target(StrEnum):
    """What has to happen within the limit."""

    ARRIVAL = "arrival_s"
    RESCUE = "rescue_s"
    TRAVEL = "travel_s"


class Counted(StrEnum):
    """What stations reach, besides the points of a role."""

    POPULATION = "population"
    CELLS = "cells"
    VILLAGE = "village"
    INCIDENTS = "incidents"
    CLASS_1 = "class_1"
    CLASS_2 = "class_2"
    CLASS_3 = "class_3"
    CLASS_4 = "class_4"


class Arrival(StrEnum):
    """What becomes of a place's first station."""

    IN_TIME = "in_time"
    LATE = "late"
    LOST = "lost"
    CUT = "cut"
    NO_WAY = "no_way"


class PutBy(StrEnum):
    """By what a place was put on its road."""

    NAME = "name"
    NEAREST = "nearest"
    OTHER = "other"


class Signal(StrEnum):
    """Signal at which a village has to start."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    BEFORE = "earlier"


class Hour(StrEnum):
    """Kind of hour at which people may have to move."""

    DAY = "day"
    NIGHT = "night"
    HOLIDAY = "holiday"


class Status(StrEnum):
    """How well an answer is proven."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Model(StrEnum):
    """Which question a location model answers."""

    LSCP = "lscp"
    LSCP_B = "lscp-b"
    MCLP = "mclp"
    P_MEDIAN = "p-median"
    P_CENTER = "p-center"
    C_P_MEDIAN = "c-p-median"
    C_MCLP = "c-mclp"
    MEXCLP = "mexclp"


class Kind(StrEnum):
    """What an object of a plan or scenario is on the map."""

    COVERAGE = "coverage"
    EDGE = "edge"
    ROUTE = "route"
    OTHER_ROUTE = "other_route"
    BUSY_ROAD = "busy_road"
    ASSIGNMENT = "assignment"
    CLOSURE = "closure"
    DANGER_AREA = "danger_area"
    SITE = "site"
    UNUSABLE = "unusable"
    SHORTFALL = "shortfall"


class When(StrEnum):
    """Before or after the proposed sites."""

    BEFORE = "before"
    AFTER = "after"


class PlanName(StrEnum):
    """The plans of a run."""

    STATIONS = "stations"
    REFUGES = "refuges"
    SUPPLIES = "supplies"


class UnitLevel(StrEnum):
    """Level of a unit."""

    DISTRICT = "district"
    TOWN = "town"
    VILLAGE = "village"
    GRID_DUTY_AREA = "grid_duty_area"
    CUSTOM = "custom"


class Proof(StrEnum):
    """How well a preset is proven."""

    SOURCED = "sourced"
    CHECK = "check"
    UNVERIFIED = "unverified"


class Severity(StrEnum):
    """What a problem costs."""

    RETURNED = "returned"
    UNUSABLE = "unusable"
    NOTE = "note"


_WORDS: Final[tuple[Mapping[str, Text], ...]] = (
    {Mode.FOOT: text("on foot"), Mode.RIDE: text("by vehicle")},
    {Origin.DANGER_AREA: text("danger area"), Origin.FLOODED: text("flooded ground")},
    {
        Hazard.ANY: text("every hazard"),
        Hazard.FLOOD: text("flood"),
        Hazard.GEOHAZARD: text("geohazard"),
        Hazard.HAZMAT: text("fire and dangerous goods"),
    },
    {
        Check.FLOOD: text("flood"),
        Check.FREEBOARD: text("floor above the flood level"),
        Check.SLOPE: text("slope"),
        Check.DANGER_AREA: text("danger area"),
        Check.HAZARD_SOURCE: text("hazard source"),
        Check.STATUS: text("state"),
        Check.DECLARED: text("declared use"),
        Check.CAPACITY: text("capacity"),
        Check.ROAD: text("road"),
        Check.APPRAISAL: text("building appraisal"),
        Check.READY: text("conversion time"),
    },
    {
        Tier.CENTRAL: text("central"),
        Tier.CITY: text("city level"),
        Tier.COUNTY: text("county level"),
        Tier.TOWN: text("town level"),
        Tier.VILLAGE: text("village level"),
    },
    {
        Term.URGENT: text("urgent"),
        Term.TEMPORARY: text("temporary"),
        Term.SHORT: text("short-term"),
        Term.MEDIUM: text("medium-term"),
        Term.LONG: text("long-term"),
        Term.CENTRAL: text("central"),
    },
    {
        StationType.SPECIAL: text("special-duty station"),
        StationType.FIRST: text("first-class station"),
        StationType.SECOND: text("second-class station"),
        StationType.SMALL: text("small station"),
        StationType.SUBURBAN: text("suburban station"),
        StationType.COMMUNITY: text("community station"),
    },
    {
        Vehicle.FOOT: text("on foot"),
        Vehicle.CAR: text("car"),
        Vehicle.TRUCK: text("lorry"),
        Vehicle.HIGH_CLEARANCE: text("high-clearance vehicle"),
        Vehicle.FIRE_ENGINE: text("fire engine"),
        Vehicle.BOAT: text("boat"),
    },
    {
        Rule.LINZI_135: text("1-3-5 minutes"),
        Rule.FIRE_5MIN: text("five-minute fire rule"),
        Rule.CIRCLE_15MIN: text("15-minute circle"),
    },
    {
        Target.ARRIVAL: text("arrival"),
        Target.RESCUE: text("rescue begins"),
        Target.TRAVEL: text("travel"),
    },
    {
        Counted.POPULATION: text("people"),
        Counted.CELLS: text("cells"),
        Counted.VILLAGE: text("villages and communities"),
        Counted.INCIDENTS: text("incidents a year"),
        Counted.CLASS_1: text("people where the risk is low"),
        Counted.CLASS_2: text("people where the risk is general"),
        Counted.CLASS_3: text("people where the risk is larger"),
        Counted.CLASS_4: text("people where the risk is major"),
    },
    {
        Arrival.IN_TIME: text("in time"),
        Arrival.LATE: text("late"),
        Arrival.LOST: text("late because of the scenario"),
        Arrival.CUT: text("roads cut in the scenario"),
        Arrival.NO_WAY: text("no way even when dry"),
    },
    {
        PutBy.NAME: text("the road that it names"),
        PutBy.NEAREST: text("the nearest road"),
        PutBy.OTHER: text("another road, the named one is too far"),
    },
    {
        Signal.BLUE: text("blue warning"),
        Signal.YELLOW: text("yellow warning"),
        Signal.ORANGE: text("orange or red warning"),
        Signal.BEFORE: text("before any warning"),
    },
    {
        Hour.DAY: text("working day"),
        Hour.NIGHT: text("night"),
        Hour.HOLIDAY: text("holiday"),
    },
    {
        Status.OPTIMAL: text("proven best"),
        Status.FEASIBLE: text("feasible, not proven"),
        Status.INFEASIBLE: text("impossible"),
        Status.UNKNOWN: text("not decided"),
    },
    {
        Model.LSCP: text("fewest sites that cover all"),
        Model.LSCP_B: text("fewest sites that cover all twice"),
        Model.MCLP: text("most people covered"),
        Model.P_MEDIAN: text("least total way"),
        Model.P_CENTER: text("least longest way"),
        Model.C_P_MEDIAN: text("least total way within capacity"),
        Model.C_MCLP: text("most people placed within capacity"),
        Model.MEXCLP: text("most cover to be expected with busy stations"),
    },
    {
        Kind.COVERAGE: text("cover"),
        Kind.EDGE: text("reached road"),
        Kind.ROUTE: text("route"),
        Kind.OTHER_ROUTE: text("other route"),
        Kind.BUSY_ROAD: text("crowded road"),
        Kind.ASSIGNMENT: text("who goes where"),
        Kind.CLOSURE: text("closed road"),
        Kind.DANGER_AREA: text("danger area"),
        Kind.SITE: text("proposed site"),
        Kind.UNUSABLE: text("refuge not used"),
        Kind.SHORTFALL: text("people without a place"),
    },
    {When.BEFORE: text("as it is"), When.AFTER: text("with the new sites")},
    {
        PlanName.STATIONS: text("station plan"),
        PlanName.REFUGES: text("refuge plan"),
        PlanName.SUPPLIES: text("supply plan"),
    },
    {
        UnitLevel.DISTRICT: text("District"),
        UnitLevel.TOWN: text("Town or street"),
        UnitLevel.VILLAGE: text("Village or community"),
        UnitLevel.GRID_DUTY_AREA: text("Duty grid"),
        UnitLevel.CUSTOM: text("Own unit"),
    },
    {
        Proof.SOURCED: text("sourced"),
        Proof.CHECK: text("to be checked"),
        Proof.UNVERIFIED: text("unverified"),
    },
    {
        Severity.RETURNED: text("row returned"),
        Severity.UNUSABLE: text("layer unusable"),
        Severity.NOTE: text("remark"),
    },
)
CODES: Final[Mapping[str, type[StrEnum]]] = {
    "mode": Mode, "origin": Origin, "hazard": Hazard, "check": Check, "tier": Tier, "term": Term,
    "station_type": StationType, "vehicle": Vehicle, "rule": Rule, "target": Target,
    "counted": Counted, "arrival": Arrival, "put_by": PutBy, "warning": Signal, "hour": Hour,
    "status": Status, "model": Model, "kind": Kind, "when": When, "plan": PlanName,
    "unit_level": UnitLevel, "proof": Proof,
    "severity": Severity,
}  # fmt: skip
"""Name, as the columns give it under ``choices``, to its codes."""


def words_of(choices: str) -> Mapping[str, Text]:
    """Give the words of every code of a kind.

    Parameters
    ----------
    choices
        Name of the kind, one of `CODES`.

    Returns
    -------
    Mapping
        Code to its word; empty for an unknown kind.

    Examples
    --------
    >>> str(words_of("mode")["foot"]), dict(words_of("nothing"))
    ('步行', {})
    """
    kind = CODES.get(choices)
    if kind is None:
        return {}
    return next(words for words in _WORDS if isinstance(next(iter(words)), kind))


def codes(series: pd.Series[Any]) -> pd.Series[str]:
    """Bring coded values into one form: text, lower case, ``1.0`` as ``1``, blank as ``""``.

    Parameters
    ----------
    series
        Values of a choice or boolean field, however they are stored.

    Returns
    -------
    Series
        The values as text.

    Examples
    --------
    >>> import pandas as pd
    >>> codes(pd.Series([1.0, "1", True, None])).tolist()
    ['1', '1', 'true', '']
    """
    filled = series.astype(object).where(series.notna(), "")
    return filled.astype(str).str.strip().str.lower().str.replace(r"\.0$", "", regex=True)


ITEM_ID: Final = "item_id"
UNIT_ID: Final = "unit_id"
PARENT_ID: Final = "parent_id"
LEVEL: Final = "level"
NAME: Final = "name"
POPULATION: Final = "population"
AREA_KM2: Final = "area_km2"
ROLE: Final = "role"
SCENARIO: Final = "scenario"
"""Names the state of the world that a row belongs to; empty without a scenario."""

PLAIN_MARK: Final = "公"
"""Stands in the ids that moved places have in a public edition, and in that edition alone."""
UNIT_LEVELS: Final = ("district", "town", "village", "grid_duty_area", "custom")
"""Levels of administrative units, coarse to fine."""

ROOT: Final = "RISK"
HAZARD: Final = "HAZARD"
EXPOSURE: Final = "EXPOSURE"
VULNERABILITY: Final = "VULNERABILITY"
CAPACITY: Final = "CAPACITY"
COMPONENTS: Final = (HAZARD, EXPOSURE, VULNERABILITY, CAPACITY)

CLASSES: Final = (1, 2, 3, 4)
"""Risk classes: 1 low (blue), 2 general (yellow), 3 larger (orange), 4 major (red); 0 = unknown."""
WGS84: Final = "EPSG:4326"

FORMS: Final = (
    "", "text", "wrap", "middle", "integer", "number", "percent", "degree", "score", "class",
)  # fmt: skip
_FILE: Final = Path(__file__).with_suffix(".yaml")
_ALL: Final = "all"


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of one column of a table."""

    name: str
    label: Text
    unit: str = ""
    form: str = ""
    """One of `FORMS`; empty where the values decide."""
    width: float = 0.0
    """Characters in print; 0 where the values decide."""
    printed: bool = True
    sensitivity: str = "public"
    choices: str = ""
    """Kind of its codes, see `Kind`."""


@cache
def _sections() -> dict[str, dict[str, Column]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    whole: dict[str, dict[str, Any]] = raw[_ALL]
    found = {_ALL: {name: _column(name, entry) for name, entry in whole.items()}}
    for section, entries in raw.items():
        if section != _ALL:
            found[section] = {
                name: _column(name, {**whole.get(name, {}), **entry})
                for name, entry in entries.items()
            }
    return found


def _column(name: str, entry: Mapping[str, Any]) -> Column:
    rest = {key: value for key, value in entry.items() if key not in ("zh", "en")}
    return Column(name=name, label=Label(str(entry["en"]), zh=str(entry["zh"])), **rest)


_PATTERNS: Final = re.compile(
    r"(?P<what>share|twice|lost)_(?P<s>\d+)(?P<after>_after)?|usable_(?P<hazard>\w+)|"
    r"per_100(?:@(?P<scenario>.+))?|quantity_(?P<tier>\w+)|(?P<part>share|score|class|depth)_"
    r"(?P<n>\w+)"
)


def _patterned(name: str) -> Text | None:
    """Head a column whose name holds a limit, a hazard, a level or a scenario."""
    found = _PATTERNS.fullmatch(name)
    if not found:
        return None
    if found["s"]:
        minutes = f"{float(found['s']) / 60:g}"
        if found["after"]:
            return text("Share within {min} min with the new sites", min=minutes)
        words = {
            "share": text("Share within {min} min", min=minutes),
            "twice": text("Share within {min} min by two or more", min=minutes),
            "lost": text("No longer reached within {min} min", min=minutes),
        }
        return words[found["what"]]
    if found["hazard"]:
        hazard = found["hazard"]
        return text("Usable: {hazard}", hazard=words_of("hazard").get(hazard, hazard))
    if found["tier"]:
        tier = found["tier"]
        known = words_of("tier").get(tier, text("unknown depots"))
        return text("Quantity, {tier}", tier=known)
    if found["part"]:
        return _part(found["part"], found["n"])
    if found["scenario"]:
        return text("Quantity per 100 people who move ({scenario})", scenario=found["scenario"])
    return text("Quantity per 100 people who move")


def _part(what: str, which: str) -> Text | None:
    """Head a column of the cells that belongs to a numbered scenario, or a component's share."""
    number = which.removesuffix("_m")
    if not number.isdecimal():
        return text("Part of {component}", component=which) if what == "share" else None
    words = {
        "score": text("Index, scenario {n}", n=number),
        "class": text("Class, scenario {n}", n=number),
        "depth": text("Water depth, scenario {n} (m)", n=number),
    }
    return words.get(what)


def column(name: str, section: str = "") -> Column | None:
    """Find what is known of a column.

    Parameters
    ----------
    name
        The column's name.
    section
        Section of ``columns.yaml`` that goes before ``all``, such as ``stations``.

    Returns
    -------
    Column or None
        None for a column that is not in the file and follows no pattern.

    Examples
    --------
    >>> str(column("people", "refuges").label), str(column("people").label)
    ('人数', '影响人口')
    >>> str(column("share_180").label), column("no such column")
    ('3 分钟可达比例', None)
    """
    sections = _sections()
    found = sections.get(section, {}).get(name) or sections[_ALL].get(name)
    if found is not None:
        return found
    label = _patterned(name)
    return None if label is None else Column(name=name, label=label)


def headings(section: str) -> dict[str, Text]:
    """Give the headings of a section.

    Parameters
    ----------
    section
        Section of ``columns.yaml``.

    Returns
    -------
    dict
        Column to its heading, in the order of the file.
    """
    return {name: one.label for name, one in _sections()[section].items()}


def private_columns() -> frozenset[str]:
    """Name the columns that the public edition leaves out.

    Returns
    -------
    frozenset of str
        Columns whose sensitivity is not public.
    """
    every = _sections()[_ALL].values()
    return frozenset(one.name for one in every if one.sensitivity != "public")


UNITS: Final[dict[str, tuple[str, float, tuple[str, ...]]]] = {
    # canonical unit: (dimension, factor to the dimension's base, ways to write it)
    "m": ("length", 1.0, ("m", "米", "meter", "metre", "metres", "meters")),
    "cm": ("length", 0.01, ("cm", "厘米", "公分")),
    "dm": ("length", 0.1, ("dm", "分米")),
    "mm": ("length", 0.001, ("mm", "毫米")),
    "km": ("length", 1000.0, ("km", "公里", "千米")),
    "m2": ("area", 1.0, ("m2", "m^2", "sqm", "平方米", "平米", "平方", "平")),
    "hm2": ("area", 1e4, ("hm2", "ha", "公顷")),
    "km2": ("area", 1e6, ("km2", "km^2", "平方公里", "平方千米")),
    "mu": ("area", 10000 / 15, ("亩",)),
    "10k m2": ("area", 1e4, ("万m2", "万平方米", "万平米", "万平")),
    "m3": ("volume", 1.0, ("m3", "m^3", "立方米", "立方", "方")),
    "10k m3": ("volume", 1e4, ("万m3", "万立方米", "万方", "10km3", "10^4m3")),
    "s": ("time", 1.0, ("s", "秒", "sec")),
    "min": ("time", 60.0, ("min", "分钟", "分", "mins", "minute", "minutes")),
    "h": ("time", 3600.0, ("h", "小时", "时", "hour", "hours")),
    "d": ("time", 86400.0, ("d", "天", "日", "day", "days")),
    "km/h": ("speed", 1.0, ("km/h", "kmh", "kph", "公里/小时", "千米/小时", "公里每小时")),
    "m/s": ("speed", 3.6, ("m/s", "米/秒")),
    "person": ("persons", 1.0, ("person", "人", "名", "位", "persons", "people", "人次", "口人")),
    "100 persons": ("persons", 1e2, ("百人",)),
    "1k persons": ("persons", 1e3, ("千人",)),
    "10k persons": ("persons", 1e4, ("万人",)),
    "household": ("households", 1.0, ("household", "户", "households")),
    "10k households": ("households", 1e4, ("万户",)),
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
        "°E",
        "°N",
        "东经",
        "北纬",
        "十进制",
        "十进制度",
        "小数",
        "度分秒",
        "填写",
        "示例",
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
_DROP: Final = re.compile(r"[\s\u200b\u2060\ufeff\u00ad_\-:：*＊·.、,，;；/\\'\"“”]+")


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
    >>> parse_header("常住人口_万人")
    ('常住人口', '10k persons')
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
    bare, _, last = name.rpartition("_")
    if bare.strip() and not last.isascii() and unit_of(last):
        return bare.strip(), unit_of(last)
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


def as_number_text(value: object) -> object:
    """Take a number as text, beside paths.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        Text, where it was a number.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if number else value


def is_number(written: str) -> bool:
    """Tell a number from a path.

    Parameters
    ----------
    written
        What the project file has.

    Returns
    -------
    bool
        True for a number.
    """
    return re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", written) is not None


def as_text(value: object) -> object:
    """Take a code that YAML read as a number back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        Text, where it was a number.
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def one_or_list(*kinds: type) -> BeforeValidator:
    """Let a list of one be written as the one entry.

    Parameters
    ----------
    *kinds
        Of what an entry is.

    Returns
    -------
    BeforeValidator
        Takes one value of these kinds as a list of one.

    Examples
    --------
    >>> str_or_list = one_or_list(str).func
    >>> str_or_list("a"), str_or_list(["a", "b"]), str_or_list(5)
    (['a'], ['a', 'b'], 5)
    """

    def listed(value: object) -> object:
        return [value] if isinstance(value, kinds) else value

    return BeforeValidator(listed)


def as_date_text(value: object) -> object:
    """Take a date that YAML read back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        ISO text, where it was a date.
    """
    return value.isoformat() if isinstance(value, date) else value


Code = Annotated[str, BeforeValidator(as_text)]
Count = Annotated[int, Field(ge=0, le=50)]
Unfit = re.compile(r"[\x00-\x1f]")


class Section(BaseModel):
    """A frozen section that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

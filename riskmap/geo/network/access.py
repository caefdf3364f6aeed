"""Who may use a road, in which direction, past which barrier: OpenStreetMap tags as a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from riskmap.geo.network.rules import (
    BACKWARD,
    BOTH,
    FERRY,
    FORWARD,
    PROFILES,
    Values,
    chosen,
    known_classes,
    plain_oneway,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

SILENT: Final = 0
OPEN: Final = 1
ENDS: Final = 2
"""Open to those who begin or end their way there, not for through traffic."""
SHUT: Final = 3
_CODE: Final = {"open": OPEN, "ends": ENDS, "shut": SHUT}
_FOR: Final = {"car": "car", "truck": "truck", "foot": "foot"}
PASSABILITY: Final = "passability"
"""Column of a road layer that says whether the road can be passed at all."""
SIZES: Final = {
    "maxheight": "height", "maxwidth": "width", "maxweight": "weight", "maxaxleload": "weight",
}  # fmt: skip
"""Limit of a road and the reason for which a vehicle is kept out."""


def kind_of(profile: str, vehicle: str | None) -> str:
    """Tell by which tags a vehicle goes.

    Parameters
    ----------
    profile
        ``car``, ``emergency`` or ``foot``.
    vehicle
        The vehicle, or None.

    Returns
    -------
    str
        A key of the preset ``access.chain``.

    Examples
    --------
    >>> kind_of("car", "truck"), kind_of("emergency", "fire_engine"), kind_of("car", None)
    ('truck', 'emergency', 'car')
    """
    return _FOR.get(vehicle or "", profile) if profile != "emergency" else profile


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the tags of lines say for one vehicle."""

    forward: Codes
    backward: Codes
    """`OPEN`, `ENDS` or `SHUT` along each line as digitised, and against that, shape (rows,)."""
    reason: NDArray[np.object_]
    """Why a line is not used at all, empty where it is, shape (rows,)."""
    conditional: int
    """Lines with conditional tags, which were taken by their default."""
    strange: tuple[str, ...]
    """Access values that nobody knows; they were not looked at."""
    narrow: Bools
    rough: Bools
    """Lines that are narrower than the vehicle, or hard to pass for it, shape (rows,)."""

    @property
    def used(self) -> Bools:
        """True where the line is used in a direction at least.

        Returns
        -------
        numpy.ndarray
            Shape (rows,).
        """
        return np.asarray(self.reason == "", dtype=bool)

    @property
    def ends(self) -> Bools:
        """True where the line is not for through traffic.

        Returns
        -------
        numpy.ndarray
            Shape (rows,).
        """
        return np.asarray((self.forward == ENDS) | (self.backward == ENDS), dtype=bool)


def judge(
    table: pd.DataFrame,
    classes: pd.Series,
    profile: str,
    *,
    vehicle: str | None,
    osm: bool,
    presets: Values | None = None,
) -> Verdict:
    """Tell which lines a vehicle may use by class and tags, without one-way rules.

    The most specific tag that says something decides; a class that is closed by default is opened
    by a specific tag only.

    Parameters
    ----------
    table
        Lines with their tags as columns.
    classes
        Their OSM classes.
    profile
        ``car``, ``emergency`` or ``foot``.
    vehicle
        The vehicle whose tags and size count; None: those of the profile.
    osm
        True when only the profile's own classes are used; else a class that OSM does not know,
        or none, is used too.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    Verdict
        One code a line and direction.

    References
    ----------
    OpenStreetMap wiki, Key:access and OSM tags for routing/Access restrictions.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"access": ["no", "private", None], "motor_vehicle": ["yes", None, None]})
    >>> judge(t, pd.Series(["service"] * 3), "car", vehicle=None, osm=True).reason.tolist()
    ['', 'access', '']
    """
    kind = kind_of(profile, vehicle)
    strange: set[str] = set()
    said = {way: _said(table, kind, way, presets, strange) for way in ("", "forward", "backward")}
    mine = classes.isin(chosen(presets, PROFILES[profile])).to_numpy(dtype=bool, copy=True)
    if not osm:
        mine |= ~classes.isin(known_classes(presets)).to_numpy(dtype=bool)
    ferry = _ferries(table, classes, kind, presets)
    never = classes.isin(chosen(presets, "access.never")[kind]).to_numpy(dtype=bool)
    base = mine | ferry
    never = never | _impassable(table, kind, presets, strange)
    tagged = _tagged(table, chosen(presets, "access.shut_by")[kind])
    codes = []
    for way in ("forward", "backward"):
        code, opens = said[way]
        open_ = np.where(base, np.where(code == SILENT, OPEN, code), SHUT)
        open_ = np.where(~base & (opens != SILENT), opens, open_)
        open_ = np.where(tagged & ~np.isin(opens, (OPEN, ENDS)), SHUT, open_)
        codes.append(np.where(never, SHUT, open_).astype(np.int8))
    shut = (codes[0] == SHUT) & (codes[1] == SHUT)
    reason = np.full(len(table), "", dtype=object)
    reason[shut] = "access"
    reason[shut & tagged] = "tags"
    reason[shut & ~base] = "class"
    reason[shut & (classes == FERRY).to_numpy(dtype=bool)] = "ferry"
    limiting = chosen(presets, "access.limits")[kind]
    for tag, why in SIZES.items():
        least = _sizes(vehicle or profile, presets).get(tag)
        for key in limiting.get(tag, ()):
            if least is not None and key in table.columns:
                low = limits(table[key], tag) < least
                reason[low & (reason == "")] = why
    wide = _sizes(vehicle or profile, presets).get("maxwidth", 0.0)
    return Verdict(
        codes[0], codes[1], reason, _conditional(table, kind, presets), tuple(sorted(strange)),
        narrow=_narrow(table, chosen(presets, "access.narrow")[kind], wide),
        rough=_tagged(table, chosen(presets, "access.rough")[kind]),
    )  # fmt: skip


def _narrow(table: pd.DataFrame, tags: Sequence[str], wide: float) -> Bools:
    """Tell which lines are said to be narrower than a vehicle; how wide is seldom measured."""
    found = np.zeros(len(table), dtype=bool)
    for tag in tags:
        if tag in table.columns:
            width = limits(table[tag], "maxwidth")
            found |= (width > 0) & (width < wide)
    return found


def _sizes(vehicle: str, presets: Values | None) -> Mapping[str, float]:
    """Give the size of a vehicle; a profile stands for its common vehicle."""
    known: Mapping[str, Mapping[str, float]] = chosen(presets, "access.size")
    return known.get({"emergency": "fire_engine"}.get(vehicle, vehicle), {})


def _said(
    table: pd.DataFrame, kind: str, way: str, presets: Values | None, strange: set[str]
) -> tuple[Codes, Codes]:
    """Give what the chain of tags says in one direction: at all, and what opens a closed class."""
    chain: Sequence[str] = chosen(presets, "access.chain")[kind]
    passes, opened = (chosen(presets, f"access.{one}")[kind] for one in ("passes", "opened_by"))
    code, opens = np.zeros(len(table), np.int8), np.zeros(len(table), np.int8)
    read = reader(kind, presets, strange)
    for tag in chain:
        for key in (tag, f"{tag}:{way}") if way else (tag,):
            if key not in table.columns:
                continue
            found = _mapped(table[key], read)
            if tag in opened:
                opens = np.where(found != SILENT, found, opens).astype(np.int8)
            if tag in passes:
                found = np.where(found == SHUT, OPEN, found)
            code = np.where(found != SILENT, found, code).astype(np.int8)
    return code, np.where(opens == SHUT, SILENT, opens).astype(np.int8)


def reader(
    kind: str, presets: Values | None, strange: set[str] | None = None
) -> Callable[[str], int]:
    """Give the function that reads the value of an access tag.

    Parameters
    ----------
    kind
        A key of ``access.chain``.
    presets
        Value by key; None takes the shipped ones.
    strange
        Collects the values that nobody knows, or None.

    Returns
    -------
    callable
        From the value to its code; of several values the most open one counts.

    Examples
    --------
    >>> read = reader("car", None)
    >>> read("yes"), read("agricultural;delivery"), read("no"), read("?")
    (1, 2, 3, 0)
    """
    lists: Mapping[str, Sequence[str]] = chosen(presets, "access.values")[kind]
    known = {str(word): _CODE[name] for name, given in lists.items() for word in given}

    def read(value: str) -> int:
        parts = [part.strip() for part in value.split(";")]
        codes = [known[part] for part in parts if part in known]
        if not codes and strange is not None and value and value != "unknown":
            strange.add(value)
        return min(codes, default=SILENT)

    return read


def _mapped(column: pd.Series, read: Callable[[str], int]) -> Codes:
    """Read every value of a column once."""
    names, place = np.unique(words(column).to_numpy(dtype=object).astype(str), return_inverse=True)
    return np.array([read(name) for name in names], dtype=np.int8)[place]


def _ferries(table: pd.DataFrame, classes: pd.Series, kind: str, presets: Values | None) -> Bools:
    """Tell which ferries carry a vehicle of which nothing is said."""
    ferry = (classes == FERRY).to_numpy(dtype=bool, copy=True)
    if kind != "foot" and ferry.any():
        for tag in chosen(presets, "access.ferries")["not_implied_by"]:
            if tag in table.columns:
                ferry &= (words(table[tag]) == "").to_numpy(dtype=bool)
    return ferry


def _tagged(table: pd.DataFrame, rules: Mapping[str, Sequence[str]]) -> Bools:
    """Tell which lines have a tag that shuts a vehicle out."""
    found = np.zeros(len(table), dtype=bool)
    for tag, values in rules.items():
        for key in (tag, f"{tag}:both") if tag == "sidewalk" else (tag,):
            if key in table.columns:
                found |= words(table[key]).isin(values).to_numpy(dtype=bool)
    return found


def _impassable(table: pd.DataFrame, kind: str, presets: Values | None, strange: set[str]) -> Bools:
    """Tell which lines the layer says cannot be passed; collect what nobody knows."""
    if PASSABILITY not in table.columns:
        return np.zeros(len(table), dtype=bool)
    known: Mapping[str, Sequence[str]] = chosen(presets, "access.passability")
    said = words(table[PASSABILITY])
    meant = {one: _state_of(one, known) for one in set(said)}
    strange |= {one for one, state in meant.items() if state == ""}
    shut = ("shut",) if kind == "foot" else ("shut", "vehicles")
    return said.map(meant).isin(shut).to_numpy(dtype=bool, copy=True)


def _state_of(said: str, known: Mapping[str, Sequence[str]]) -> str:
    """Tell which state of a road an entry means; empty where nobody knows."""
    if not said:
        return "open"
    for state in ("open", "shut", "vehicles"):
        if said in known[state]:
            return state
    holds = {key: any(word in said for word in known[key]) for key in known}
    if not holds["shut_like"] or holds["but"]:
        return ""
    return "vehicles" if holds["only_vehicles"] else "shut"


def _conditional(table: pd.DataFrame, kind: str, presets: Values | None) -> int:
    """Count the lines with tags that hold at some times only."""
    chain = (*chosen(presets, "access.chain")[kind], *chosen(presets, "access.oneway")[kind])
    found = np.zeros(len(table), dtype=bool)
    for tag in chain:
        if (key := f"{tag}:conditional") in table.columns:
            found |= (words(table[key]) != "").to_numpy(dtype=bool)
    return int(found.sum())


def osm_directions(
    table: pd.DataFrame, classes: pd.Series, kind: str, presets: Values | None = None
) -> tuple[Bools, Bools, tuple[str, ...]]:
    """Tell along which of its two directions a vehicle may use each line, by OSM's one-way tags.

    Parameters
    ----------
    table
        Lines with their tags as columns.
    classes
        Their OSM classes.
    kind
        A key of ``access.chain``.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    forward, backward : numpy.ndarray
        True where the line may be used as digitised, and against that, shape (rows,).
    unknown : tuple of str
        One-way values that nobody knows; they were not looked at.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.DataFrame({"oneway": ["-1", "yes"], "oneway:emergency": ["no", None]})
    >>> f, b, _ = osm_directions(t, pd.Series(["service"] * 2), "emergency")
    >>> f.tolist(), b.tolist()
    ([True, True], [True, False])
    """
    forward, backward = np.ones((2, len(table)), dtype=bool)
    chain: Sequence[str] = chosen(presets, "access.oneway")[kind]
    if "oneway" in chain:
        for tag, values in chosen(presets, "access.oneway_implied").items():
            here = classes if tag == "highway" else words(table[tag]) if tag in table else None
            if here is not None:
                backward &= ~here.isin(values).to_numpy(dtype=bool)
    unknown: set[str] = set()
    for tag in chain:
        if tag not in table.columns:
            continue
        said = plain_oneway(words(table[tag]))
        ahead, back = said.isin(FORWARD), said.isin(BACKWARD)
        both = said.isin(BOTH - {"", "nan", "none", "<na>", REVERSIBLE})
        forward = np.asarray((ahead | both) | (forward & ~back), dtype=bool)
        backward = np.asarray((back | both) | (backward & ~ahead), dtype=bool)
        turned = (said == REVERSIBLE).to_numpy(dtype=bool)
        forward, backward = forward & ~turned, backward & ~turned
        unknown |= set(said[~(ahead | back | said.isin(BOTH))])
    return forward, backward, tuple(sorted(unknown))


REVERSIBLE: Final = "reversible"
"""The direction changes with the hour, which nobody here knows: shut, as other routers do."""
_NUMBER: Final = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*(.*)$")
_WORDY: Final = re.compile(r"^\s*(?:限[高宽重载]|(?:限制?)?轴[重载])[:：]?|及?以[下内]\s*$")
_PRIMES: Final = str.maketrans("′’″”", "''\"\"")
_FEET: Final = re.compile(
    r"^\s*(\d+(?:\.\d+)?)\s*(?:'|ft|feet)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|''|in)?)?"
)
_METRES: Final = {
    "": 1.0, "m": 1.0, "米": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "feet": 0.3048,
    "in": 0.0254,
} | dict.fromkeys(("metre", "metres", "meter", "meters"), 1.0)  # fmt: skip
_TONNES: Final = {
    "": 1.0, "t": 1.0, "吨": 1.0, "kg": 0.001, "st": 0.90718474, "lt": 1.0160469,
    "lbs": 0.00045359237, "lb": 0.00045359237, "mt": 1.0,
} | dict.fromkeys(("ton", "tons", "tonne", "tonnes"), 1.0)  # fmt: skip


def limit_of(value: str, tag: str) -> float:
    r"""Read a limit of height or width [m] or of mass [t].

    Parameters
    ----------
    value
        What is written.
    tag
        ``maxheight``, ``maxwidth``, ``maxweight`` or ``maxaxleload``.

    Returns
    -------
    float
        NaN where nothing is said (none, default, unsigned, 0); of several the lowest.

    Examples
    --------
    >>> limit_of("3,5 m", "maxheight"), round(limit_of("12'6\"", "maxheight"), 2)
    (3.5, 3.81)
    >>> limit_of("7500 kg", "maxweight"), limit_of("default", "maxheight")
    (7.5, nan)
    >>> limit_of("限高3.5米", "maxheight"), limit_of("0", "maxheight")
    (3.5, nan)
    """
    found = []
    for part in value.lower().translate(_PRIMES).split(";"):
        if SIZES[tag] != "weight" and (feet := _FEET.match(part)):
            found.append(float(feet[1]) * 0.3048 + float(feet[2] or 0) * 0.0254)
        elif number := _NUMBER.match(_WORDY.sub("", part).lstrip("~<≤= ")):
            scale = (_TONNES if SIZES[tag] == "weight" else _METRES).get(number[2].strip(" ."))
            if scale is not None:
                found.append(float(number[1].replace(",", ".")) * scale)
    return min((limit for limit in found if limit > 0), default=float("nan"))


def limits(column: pd.Series, tag: str) -> Floats:
    """Read a column of limits.

    Parameters
    ----------
    column
        What is written.
    tag
        ``maxheight``, ``maxwidth``, ``maxweight`` or ``maxaxleload``.

    Returns
    -------
    numpy.ndarray
        Limits, NaN where nothing is said, shape (rows,).
    """
    names, place = np.unique(words(column).to_numpy(dtype=object).astype(str), return_inverse=True)
    return np.array([limit_of(name, tag) for name in names], dtype=np.float64)[place]


def bars(
    tags: Mapping[str, str], kind: str, vehicle: str | None, presets: Values | None = None
) -> bool:
    """Tell whether a node of a road bars a vehicle: its barrier, its access tags, its limits.

    Parameters
    ----------
    tags
        Tags of the node.
    kind
        A key of ``access.chain``.
    vehicle
        The vehicle whose size counts.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    bool
        True when there is no way through.

    Examples
    --------
    >>> [bars({"barrier": "bollard"}, kind, None) for kind in ("car", "emergency", "foot")]
    [True, True, False]
    >>> bars({"barrier": "gate", "access": "private"}, "car", None)
    True
    >>> bars({"barrier": "bollard", "bollard": "rising"}, "emergency", None)
    False
    >>> bars({"motor_vehicle": "no"}, "car", None), bars({"motor_vehicle": "no"}, "foot", None)
    (True, False)
    """
    sizes = _sizes(vehicle or kind, presets)
    for tag, keys in chosen(presets, "access.limits")[kind].items():
        if any(limit_of(tags[key], tag) < sizes.get(tag, 0) for key in keys if key in tags):
            return True
    barrier = tags.get("barrier", "").strip().lower()
    if not barrier and any(
        tags.get(key) in values for key, values in chosen(presets, "access.node_silent").items()
    ):
        return False
    stands = bool(barrier) and _stands(barrier, tags, kind, presets)
    passes = chosen(presets, "access.passes")[kind]
    read, strict, code = reader(kind, presets), reader("car", presets), SILENT
    for tag in chosen(presets, "access.chain")[kind]:
        said = tags.get(tag, "").strip().lower()
        found = read(said)
        if tag in passes and (found == SHUT or (stands and strict(said) == SHUT)):
            found, code = SILENT, SILENT  # a key opens a gate, not a block of concrete
        code = found or code
    return code == SHUT if code != SILENT else stands


_MEASURES: Final = {"height_restrictor": "maxheight", "width_restrictor": "maxwidth"}
"""Barriers that are there for a limit, which may be written beside them."""


def _stands(barrier: str, tags: Mapping[str, str], kind: str, presets: Values | None) -> bool:
    """Tell whether a barrier of which no access is said bars a vehicle."""
    if tags.get("locked") == "yes" and chosen(presets, "access.locked")[kind] == "block":
        return True
    falls = chosen(presets, "access.bollards_fall")[kind]
    measured = chosen(presets, "access.limits")[kind].get(_MEASURES.get(barrier, ""), ())
    if any(np.isfinite(limit_of(tags.get(key, ""), _MEASURES[barrier])) for key in measured):
        return False  # the limit lets the vehicle pass
    if barrier == "bollard" and tags.get("bollard") in falls:
        return False
    rules = chosen(presets, "access.barriers")[kind]
    named = barrier in rules.get("pass", ()) or barrier in rules.get("block", ())
    return bool((rules["default"] == "pass") == named)


def kept_off(table: pd.DataFrame, classes: pd.Series, presets: Values | None = None) -> Bools:
    """Tell on which lines points are not put while another road is near.

    Parameters
    ----------
    table
        Lines with their tags as columns.
    classes
        Their OSM classes.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        True for tunnels, motorways, their ramps and ferries, shape (rows,).
    """
    found = np.zeros(len(table), dtype=bool)
    for tag, values in chosen(presets, "access.keep_off").items():
        column = classes if tag == "highway" else words(table[tag]) if tag in table else None
        if column is not None:
            found |= column.isin(values).to_numpy(dtype=bool)
    return found


_DURATION: Final = re.compile(r"^(?:p(?:(\d+)d)?t?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)$")


def duration_s(value: str) -> float:
    """Read how long a ferry takes.

    Parameters
    ----------
    value
        Minutes, ``h:mm``, ``h:mm:ss`` or ISO 8601.

    Returns
    -------
    float
        Seconds; NaN where nothing is said.

    Examples
    --------
    >>> duration_s("00:20"), duration_s("15"), duration_s("PT1H30M"), duration_s("soon")
    (1200.0, 900.0, 5400.0, nan)
    """
    said = value.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", said):
        return float(said) * 60.0 or float("nan")
    if re.fullmatch(r"\d+:\d{1,2}(:\d{1,2})?", said):
        parts = [float(part) for part in said.split(":")]
        return sum(p * f for p, f in zip(parts, (3600.0, 60.0, 1.0), strict=False)) or float("nan")
    if found := _DURATION.match(said):
        parts = [float(part or 0) for part in found.groups()]
        total = sum(p * f for p, f in zip(parts, (86400.0, 3600.0, 60.0, 1.0), strict=True))
        return total or float("nan")
    return float("nan")

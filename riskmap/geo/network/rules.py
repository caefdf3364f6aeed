"""What the columns of a road layer say: class, permission, direction, speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.geo.network.speeds import Values, chosen

CLASS_FIELDS: Final = ("highway", "road_class", "class", "fclass", "roadlevel", "link_type", "等级")
"""Columns looked at for the class, in this order, when none is named (case does not matter)."""

CLASS_NAMES: Final = "road.class_zh"
"""Preset with class names as offices write them -> OSM class."""
PROFILES: Final[Mapping[str, str]] = {
    "car": "road.classes_car",
    "emergency": "road.classes_emergency",
    "foot": "road.classes_foot",
}
"""Preset with the OSM classes that a profile uses."""
CLOSED_BY: Final = "road.closed_by"
"""Preset with the tags whose ``no`` or ``private`` shut a profile out."""
_NOT_BUILT: Final = ("construction", "proposed", "raceway")

_FORWARD: Final = frozenset(
    {"yes", "true", "1", "1.0", "y", "ft", "forward", "是", "单向", "单行", "正向", "顺向"}
)
_BACKWARD: Final = frozenset({"-1", "-1.0", "reverse", "backward", "tf", "反向", "逆向", "逆行"})
_BOTH: Final = frozenset(
    {"no", "false", "0", "0.0", "n", "b", "both", "双向", "双行", "否", "reversible", "alternating",
     "", "nan", "none", "<na>"}
)  # fmt: skip
_OSM_TAGS: Final = (
    "oneway", "junction", "access", "vehicle", "motor_vehicle", "foot", "maxspeed", "layer",
    "bridge", "tunnel", "service", "area",
)  # fmt: skip


def _words(column: pd.Series) -> pd.Series:
    """Bring a column to lower-case words."""
    return column.astype("string").fillna("").str.strip().str.lower()


def osm_tags(table: pd.DataFrame) -> pd.DataFrame:
    """Take the tags a road needs out of GDAL's ``other_tags`` column.

    Parameters
    ----------
    table
        A road table; without ``other_tags`` it is given back as it is.

    Returns
    -------
    pandas.DataFrame
        The table with one column per tag that occurs and is not there yet.

    Examples
    --------
    >>> t = pd.DataFrame({"highway": ["service"], "other_tags": ['"oneway"=>"yes","lanes"=>"1"']})
    >>> osm_tags(t)["oneway"].tolist()
    ['yes']
    """
    if "other_tags" not in table.columns:
        return table
    packed = table["other_tags"].astype("string").fillna("")
    found = {
        tag: packed.str.extract(rf'(?:^|,)"{tag}"=>"([^"]*)"', expand=False)
        for tag in _OSM_TAGS
        if tag not in table.columns
    }
    return table.assign(**{tag: values for tag, values in found.items() if values.notna().any()})


def class_column(table: pd.DataFrame, named: str | None) -> str | None:
    """Find the column that holds the road class.

    Parameters
    ----------
    table
        A road table.
    named
        The column named by the caller, or None to look for one.

    Returns
    -------
    str or None
        Its name.
    """
    if named is not None:
        return named
    lower = {str(column).lower(): str(column) for column in reversed(table.columns)}
    return next((lower[name] for name in CLASS_FIELDS if name in lower), None)


def road_classes(column: pd.Series, *, presets: Values | None = None) -> pd.Series:
    """Bring class names to OSM classes.

    Parameters
    ----------
    column
        Class names, Chinese or OSM.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    pandas.Series
        OSM class names; an unknown name stays as it is, a missing one is empty.

    Examples
    --------
    >>> road_classes(pd.Series(["主干路", "Primary", None])).tolist()
    ['primary', 'primary', '']
    """
    names: Mapping[str, str] = chosen(presets, CLASS_NAMES)
    return _words(column).map(lambda word: names.get(word, word)).astype(object)


def known_classes(presets: Values | None) -> frozenset[str]:
    """Give the OSM classes that any profile uses, and those of roads that are none.

    Parameters
    ----------
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    frozenset of str
        Class names.
    """
    used = [name for key in PROFILES.values() for name in chosen(presets, key)]
    return frozenset([*used, *_NOT_BUILT])


def speaks_osm(column: pd.Series, *, presets: Values | None = None) -> bool:
    """Tell whether a class column is written in OSM's words.

    Parameters
    ----------
    column
        Class names as the layer has them.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    bool
        True when more than half of the given names are OSM classes.

    Examples
    --------
    >>> speaks_osm(pd.Series(["primary", "footway", None])), speaks_osm(pd.Series(["支路"]))
    (True, False)
    """
    words = _words(column)
    words = words[words != ""]
    return bool(len(words)) and float(words.isin(known_classes(presets)).mean()) > 0.5


def permitted(
    table: pd.DataFrame,
    classes: pd.Series,
    profile: str,
    *,
    osm: bool,
    presets: Values | None = None,
) -> NDArray[np.bool_]:
    """Tell which ways a profile may use.

    Parameters
    ----------
    table
        Lines with their tags as columns.
    classes
        Their OSM classes.
    profile
        ``car``, ``emergency`` or ``foot``.
    osm
        True when only the profile's own classes are used; else a class that OSM does not know,
        or none, is used too.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        True where the way is used, shape (rows,).
    """
    mine = chosen(presets, PROFILES[profile])
    used = classes.isin(mine).to_numpy(dtype=bool)
    use = used.copy()
    if not osm:
        use |= ~classes.isin(known_classes(presets)).to_numpy(dtype=bool)
    for tag in chosen(presets, CLOSED_BY)[profile]:
        if tag in table.columns:
            use &= ~_words(table[tag]).isin(["no", "private"]).to_numpy(dtype=bool)
    if profile == "foot" and "foot" in table.columns:
        asked = _words(table["foot"]).isin(["yes", "designated", "permissive"])
        use |= asked.to_numpy(dtype=bool) & used
    if "area" in table.columns and profile != "foot":
        use &= (_words(table["area"]) != "yes").to_numpy(dtype=bool)
    return use


def directions(
    table: pd.DataFrame, classes: pd.Series, field: str | None, *, implied: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[str, ...]]:
    """Tell along which of its two directions each line may be used.

    Parameters
    ----------
    table
        The lines.
    classes
        Their OSM classes.
    field
        Column with one-way values, or None.
    implied
        True when OSM's silent rules hold: a roundabout and a motorway are one-way unless
        ``oneway=no`` is written.

    Returns
    -------
    forward : numpy.ndarray
        True where the line may be used as digitised, shape (rows,).
    backward : numpy.ndarray
        True where it may be used against that, shape (rows,).
    unknown : tuple of str
        One-way values that nobody knows; their lines are two-way.

    References
    ----------
    OpenStreetMap wiki, Key:oneway.

    Examples
    --------
    >>> t = pd.DataFrame({"oneway": ["yes", "-1", "no", "maybe"]})
    >>> f, b, odd = directions(t, pd.Series([""] * 4), "oneway", implied=False)
    >>> f.tolist(), b.tolist(), odd
    ([True, False, True, True], [False, True, True, True], ('maybe',))
    """
    words = _words(table[field]) if field else pd.Series("", index=table.index, dtype="string")
    letters = {"f": "yes", "t": "-1"} if words.eq("b").any() else {"f": "no", "t": "yes"}
    words = words.replace(letters)
    one = words.isin(_FORWARD).to_numpy(dtype=bool, copy=True)
    against = words.isin(_BACKWARD).to_numpy(dtype=bool)
    silent = (~words.isin(_FORWARD | _BACKWARD | (_BOTH - {"", "nan", "none", "<na>"}))).to_numpy()
    if implied:
        round_ = np.zeros(len(table), dtype=bool)
        if "junction" in table.columns:
            round_ = _words(table["junction"]).isin(["roundabout", "circular"]).to_numpy(dtype=bool)
        one |= silent & (round_ | (classes == "motorway").to_numpy(dtype=bool))
    unknown = words[~words.isin(_FORWARD | _BACKWARD | _BOTH)]
    return ~against, ~one, tuple(sorted(unknown.unique()))


def given_speeds(column: pd.Series) -> NDArray[np.float64]:
    """Read speeds that the layer itself gives.

    Parameters
    ----------
    column
        Numbers or texts such as ``60``, ``60 km/h`` or ``30 mph``.

    Returns
    -------
    numpy.ndarray
        Speeds, NaN where none is given, shape (rows,) [km/h].

    Examples
    --------
    >>> given_speeds(pd.Series(["60", "30 mph", "walk", 0])).round(2).tolist()
    [60.0, 48.28, nan, nan]
    """
    words = _words(column)
    number = pd.to_numeric(words.str.extract(r"^(\d+(?:\.\d+)?)", expand=False), errors="coerce")
    speed = number.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    speed[words.str.contains("mph").to_numpy(dtype=bool)] *= 1.609344
    speed[~(speed > 0)] = np.nan
    return speed

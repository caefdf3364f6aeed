"""What the columns of a road layer say (class, direction, speed), and what to tell of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap.errors import LayerError, UsageError
from riskmap.i18n import Text, text
from riskmap.vocabulary.presets import load_presets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from riskmap.geo.network.graph import RoadGraph


Floats = NDArray[np.float64]

URBAN: Final = "road.speed_kmh"
"""Preset with the speeds of rescue vehicles in town by class [km/h]."""
CAR: Final = "road.speed_car_kmh"
"""Preset with the free-flow speeds of cars by class [km/h]."""
FOOT: Final = "road.foot_kmh"
UNKNOWN: Final = "road.unknown_speed_kmh"


class Values(Protocol):
    """Presets: value by dotted key."""

    def __getitem__(self, key: str, /) -> Any:
        """Give a value."""

    def __contains__(self, key: object, /) -> bool:
        """Tell whether there is one."""

    def __iter__(self) -> Iterator[str]:
        """Give the keys."""


def shipped(presets: Values | None) -> Values:
    """Give the presets, or the shipped ones when there are none.

    Parameters
    ----------
    presets
        Presets or None.

    Returns
    -------
    Values
        Value by dotted key.
    """
    if presets is not None:
        return presets

    return load_presets()


def chosen(presets: Values | None, key: str) -> Any:
    """Give a preset, or the shipped one when the given ones lack it.

    Parameters
    ----------
    presets
        Value by dotted key, or None.
    key
        The key.

    Returns
    -------
    object
        Its value.
    """
    return (presets if presets is not None and key in presets else shipped(None))[key]


def class_speeds(
    classes: NDArray[np.object_],
    *,
    profile: str = "car",
    presets: Values | None = None,
    table: str = URBAN,
) -> Floats:
    """Give the free-flow speed of every road by its class.

    Parameters
    ----------
    classes
        OSM classes, shape (rows,). A link without a speed takes that of its road, a class
        without one the speed of an unknown class.
    profile
        ``car`` and ``emergency`` look at the class, ``foot`` does not.
    presets
        Value by key; None takes the shipped ones.
    table
        Key of the preset that holds speeds by class [km/h].

    Returns
    -------
    numpy.ndarray
        Speeds, shape (rows,) [km/h].

    Examples
    --------
    >>> known = {"road.speed_kmh": {"primary": 40}, "road.unknown_speed_kmh": 20}
    >>> names = np.array(["primary_link", "odd"], dtype=object)
    >>> class_speeds(names, presets=known).tolist()
    [40.0, 20.0]
    """
    known = shipped(presets)
    if profile == "foot":
        return np.full(len(classes), float(known[FOOT]))
    speed_of: Mapping[str, Any] = known[table]
    names, place = np.unique(classes.astype(str), return_inverse=True)
    found = [speed_of.get(name, speed_of.get(name.removesuffix("_link"))) for name in names]
    if any(speed is None for speed in found):
        unknown = float(known[UNKNOWN])
        found = [unknown if speed is None else speed for speed in found]
    return np.asarray(np.array(found, dtype=np.float64)[place], dtype=np.float64)


def check_depth(depth_m: Floats, *, most_m: float) -> Floats:
    """Stop when depths cannot be metres; missing and negative ones are dry.

    Parameters
    ----------
    depth_m
        Depth of water [m].
    most_m
        The largest depth that is believed [m].

    Returns
    -------
    numpy.ndarray
        Depths without gaps [m].

    Raises
    ------
    UsageError
        If a depth is larger than ``most_m``.
    """
    depth = np.nan_to_num(np.asarray(depth_m, dtype=np.float64), nan=0.0)
    deepest = float(depth.max(initial=0.0))
    if deepest > most_m:
        raise UsageError(
            text(
                "a depth of {depth} m on a road cannot be; depths must be metres, not mm or cm",
                depth=f"{deepest:g}",
            )
        )
    return np.maximum(depth, 0.0)


def water_speed(depth_m: Floats, *, curve: Mapping[str, float], limit_m: float) -> Floats:
    r"""Give the greatest speed under water.

    .. math:: v(w) = a w^2 + b w + c

    with w in mm, held at its minimum from there on, and 0 from the vehicle's limit on.

    Parameters
    ----------
    depth_m
        Depth of water, shape (m,) [m].
    curve
        The coefficients ``a``, ``b``, ``c`` for a depth in mm and a speed in km/h.
    limit_m
        Depth from which the vehicle cannot pass [m].

    Returns
    -------
    numpy.ndarray
        Speeds, shape (m,) [km/h].

    References
    ----------
    Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020.

    Examples
    --------
    >>> curve = {"a": 0.0009, "b": -0.5529, "c": 86.9448}
    >>> depth = np.array([0.0, 0.1, 0.15, 0.2, 0.3])
    >>> water_speed(depth, curve=curve, limit_m=0.3).round(2).tolist()
    [86.94, 40.65, 24.26, 12.36, 0.0]
    """
    a, b, c = curve["a"], curve["b"], curve["c"]
    depth_mm = np.minimum(depth_m * 1000.0, -b / (2.0 * a) if a > 0 else np.inf)
    speed = np.maximum(a * depth_mm**2 + b * depth_mm + c, 0.0)
    return np.where(depth_m >= limit_m, 0.0, speed)


CLASS_FIELDS: Final = ("highway", "road_class", "class", "fclass", "roadlevel", "link_type", "等级")
"""Columns looked at for the class, in this order, when none is named (case does not matter)."""

END_FIELDS: Final = (
    ("u", "v"), ("from_node", "to_node"), ("a_node", "b_node"), ("fnode", "tnode"),
    ("fnode_", "tnode_"), ("snodeid", "enodeid"),
)  # fmt: skip
"""Columns with the ids of the nodes at which a line begins and ends (case does not matter)."""
WAY_ID: Final = "osm_id"
"""Column with the OSM way of a line."""
NODES: Final = "osm_nodes"
"""Column with the node ids of a way, parted by blanks, one for each vertex."""
POINTS: Final = "osm_points"
"""Column with the tags of a way's barriers and limits, as JSON: node id to tags."""
TURNS: Final = "osm_turns"
"""Column with the turn restrictions that begin on a way, as a JSON list."""
CUT: Final = "osm_cut"
"""Column with the number of nodes that the extract lacks of a way, which was cut there."""
CLASS_NAMES: Final = "road.class_zh"
"""Preset with class names as offices write them -> OSM class."""
PROFILES: Final[Mapping[str, str]] = {
    "car": "road.classes_car",
    "emergency": "road.classes_emergency",
    "foot": "road.classes_foot",
}
"""Preset with the OSM classes that a profile uses."""
FERRY: Final = "ferry"
_NOT_BUILT: Final = ("construction", "proposed", "raceway")

FORWARD: Final = frozenset(
    {"yes", "true", "1", "1.0", "y", "ft", "forward", "是", "单向", "单行", "单", "正向", "正",
     "顺向", "顺"}
)  # fmt: skip
BACKWARD: Final = frozenset(
    {"-1", "-1.0", "reverse", "backward", "tf", "反向", "反", "逆向", "逆", "逆行"}
)
BOTH: Final = frozenset(
    {"no", "false", "0", "0.0", "n", "b", "both", "双向", "双行", "双", "否", "reversible",
     "alternating", "", "nan", "none", "<na>"}
)  # fmt: skip
_NOTHING: Final = frozenset(("", "nan", "none", "<na>"))
_LISTED: Final = r"[\[(;|,、]"
_OSM_TAGS: Final = (
    "oneway", "oneway:emergency", "junction", "access", "vehicle", "motor_vehicle", "motorcar",
    "hgv", "emergency", "foot", "maxspeed", "maxheight", "maxwidth", "maxweight",
    "maxaxleload", "layer", "bridge", "tunnel", "service", "area", "motorroad", "sidewalk",
)  # fmt: skip


def words(column: pd.Series) -> pd.Series:
    """Bring a column to lower-case words.

    Parameters
    ----------
    column
        Any values.

    Returns
    -------
    pandas.Series
        Texts without blanks around them, empty where nothing is said.
    """
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
    >>> import pandas as pd
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
    >>> import pandas as pd
    >>> road_classes(pd.Series(["主干路", "Primary", None])).tolist()
    ['primary', 'primary', '']
    """
    names: Mapping[str, str] = chosen(presets, CLASS_NAMES)
    said = _best_classes(words(column), presets)
    return said.map(lambda word: names.get(word, word)).astype(object)


def _best_classes(said: pd.Series, presets: Values | None) -> pd.Series:
    """Give the highest class of cells that list several, as OSMnx writes them."""
    many = said.str.contains(_LISTED, regex=True)
    if not many.any():
        return said
    names: Mapping[str, str] = chosen(presets, CLASS_NAMES)
    order = [name for key in PROFILES.values() for name in chosen(presets, key)]
    rank = {name: place for place, name in reversed(list(enumerate(order)))}

    def best(cell: str) -> str:
        parts = [part for part in re.split(r"[\[\](){}'\";|,、\s]+", cell) if part]
        return min(parts, key=lambda one: rank.get(names.get(one, one), len(order)), default="")

    return said.where(~many, said[many].map(best))


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
    >>> import pandas as pd
    >>> speaks_osm(pd.Series(["primary", "footway", None])), speaks_osm(pd.Series(["支路"]))
    (True, False)
    """
    said = _best_classes(words(column), presets)
    said = said[said != ""]
    return bool(len(said)) and float(said.isin(known_classes(presets)).mean()) > 0.5


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
    >>> import pandas as pd
    >>> t = pd.DataFrame({"oneway": ["yes", "-1", "no", "maybe"]})
    >>> f, b, odd = directions(t, pd.Series([""] * 4), "oneway", implied=False)
    >>> f.tolist(), b.tolist(), odd
    ([True, False, True, True], [False, True, True, True], ('maybe',))
    """
    import pandas as pd

    said = words(table[field]) if field else pd.Series("", index=table.index, dtype="string")
    said = plain_oneway(said)
    one = said.isin(FORWARD).to_numpy(dtype=bool, copy=True)
    against = said.isin(BACKWARD).to_numpy(dtype=bool)
    silent = (~said.isin(FORWARD | BACKWARD | (BOTH - _NOTHING))).to_numpy()
    if implied:
        round_ = np.zeros(len(table), dtype=bool)
        if "junction" in table.columns:
            round_ = words(table["junction"]).isin(["roundabout", "circular"]).to_numpy(dtype=bool)
        one |= silent & (round_ | (classes == "motorway").to_numpy(dtype=bool))
    unknown = said[~said.isin(FORWARD | BACKWARD | BOTH)]
    return ~against, ~one, tuple(sorted(unknown.unique()))


_TWO_WORDS: Final = re.compile(
    r"^((?:单|双|正|顺|反|逆)(?:向)?)(?:通行|行驶|单行|行车|车道|方向|数字化方向)+$"
)


def plain_oneway(said: pd.Series) -> pd.Series:
    """Read codes of one-way columns: letters B, F, T; digits 0 to 3; two words together.

    With a 2 or 3 in the column, digits are those of Chinese navigation maps: 0 not surveyed, 1
    both directions, 2 as drawn, 3 against the drawing.

    Parameters
    ----------
    said
        Words of a one-way column.

    Returns
    -------
    pandas.Series
        With B in the column, F is forward and T backward; else T is true and F false.

    Examples
    --------
    >>> import pandas as pd
    >>> plain_oneway(pd.Series(["1", "3", "2.0", "0"])).tolist()
    ['no', '-1', 'yes', 'no']
    >>> plain_oneway(pd.Series(["单向通行", "逆向单行", "双向行驶"])).tolist()
    ['单向', '逆向', '双向']
    """
    said = said.str.replace(_TWO_WORDS, r"\1", regex=True)
    digits = said.str.removesuffix(".0")
    if digits.isin(["2", "3"]).any():
        said = digits.replace({"0": "no", "1": "no", "2": "yes", "3": "-1"})
    letters = {"f": "yes", "t": "-1"} if said.eq("b").any() else {"f": "no", "t": "yes"}
    return said.replace(letters)


_SIDES: Final = {
    "东": (1, 0), "东北": (1, 1), "北": (0, 1), "西北": (-1, 1), "西": (-1, 0), "西南": (-1, -1),
    "南": (0, -1), "东南": (1, -1),
}  # fmt: skip
_SIDE: Final = "|".join(sorted(_SIDES, key=len, reverse=True))
_FROM_TO: Final = re.compile(
    rf"^(?:单向|单行)?[(（]?[由自从]?({_SIDE})(?:侧|面|边)?(?:[向往至到朝→]|[-—~－]+>?)({_SIDE})"
    r"(?:侧|面|边)?(?:单向|单行|通行|行驶|行车|方向)*[)）]?$"
)
_AWRY: Final = 0.5
"""Cosine of the angle from which a line does not run the way that its words say."""


def by_compass(table: pd.DataFrame, field: str) -> pd.DataFrame:
    """Read one-way words that name sides of the sky, such as 由东向西, against the drawn line.

    Parameters
    ----------
    table
        The lines; without geometry, or the column, it is given back as it is.
    field
        Column of one-way values.

    Returns
    -------
    pandas.DataFrame
        With ``yes`` where the line is drawn as the words say, ``-1`` where it is drawn against
        them; lines that run otherwise keep their words.

    Examples
    --------
    >>> import geopandas as gpd
    >>> east = shapely.LineString([(0, 0), (9, 1)])
    >>> lines = gpd.GeoDataFrame({"o": ["由东向西", "自西往东", "南向北"], "geometry": [east] * 3})
    >>> by_compass(lines, "o")["o"].tolist()
    ['-1', 'yes', '南向北']
    """
    if field not in table.columns or "geometry" not in table.columns:
        return table
    said = words(table[field])
    named = said.str.extract(_FROM_TO)
    rows = np.flatnonzero(named[0].notna().to_numpy(dtype=bool))
    if not len(rows):
        return table
    sides = np.array(
        [np.subtract(_SIDES[b], _SIDES[a]) for a, b in named.to_numpy()[rows]], dtype=np.float64
    )
    lines = np.asarray(table.geometry.array, dtype=object)[rows]
    ends = [shapely.get_coordinates(line)[[0, -1]] if line else np.zeros((2, 2)) for line in lines]
    run = np.array([end - start for start, end in ends])
    if table.crs is not None and table.crs.is_geographic:
        run[:, 0] *= np.cos(np.radians([start[1] for start, _ in ends]))
    size = np.linalg.norm(run, axis=1) * np.linalg.norm(sides, axis=1)
    cosine = np.divide((run * sides).sum(axis=1), size, out=np.zeros(len(rows)), where=size > 0)
    read = said.to_numpy(dtype=object)
    read[rows[cosine > _AWRY]] = "yes"
    read[rows[cosine < -_AWRY]] = "-1"
    return table.assign(**{field: read})


SPEED_WORDS: Final = "access.maxspeed_words"
SPEED_ZONES: Final = "access.maxspeed_zones"
_SPEED: Final = re.compile(
    r"^(\d+(?:[.,]\d+)?)\s*(mph|mi/h|knots|kn|km/h|kmh|kph|公里/小时|千米/小时)?"
)
_UNITS: Final = {"mph": 1.609344, "mi/h": 1.609344, "knots": 1.852, "kn": 1.852}
_ZONE: Final = re.compile(r"^(?:[a-z]{2}(?:-[a-z]+)?:|zone:?\d)")


def speed_of(value: str, presets: Values | None = None) -> float:
    """Read one speed limit.

    Parameters
    ----------
    value
        A number with or without its unit, a zone such as ``CN:urban`` or ``DE:zone:30``, a word.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    float
        The lowest of those that stand there, NaN where nothing is said [km/h].

    Examples
    --------
    >>> speed_of("60 km/h"), speed_of("30 mph"), speed_of("DE:zone:30"), speed_of("CN:urban")
    (60.0, 48.28032, 30.0, 50.0)
    >>> speed_of("['80', '60']"), speed_of("none")
    (60.0, nan)
    """
    said: Mapping[str, float] = chosen(presets, SPEED_WORDS)
    zones: Mapping[str, float] = chosen(presets, SPEED_ZONES)
    found = []
    for part in re.split(r"[;|\[\](){}'\"]+", value.lower().replace("', '", ";")):
        one = part.strip(" ,")
        if number := _SPEED.match(one):
            found.append(float(number[1].replace(",", ".")) * _UNITS.get(number[2] or "", 1.0))
        elif one in said:
            found.append(float(said[one]))
        elif _ZONE.match(one):
            country, _, kind = one.partition(":")
            zone = re.fullmatch(r"(?:zone:?)?(\d+)", kind or one)
            own = zones.get(f"{country.upper()}:{kind}", zones.get(kind, 0.0))
            found.append(float(zone[1]) if zone else float(own))
    found = [speed for speed in found if speed > 0]
    return min(found, default=float("nan"))


def given_speeds(column: pd.Series, *, presets: Values | None = None) -> NDArray[np.float64]:
    """Read speeds that the layer itself gives.

    Parameters
    ----------
    column
        Numbers or texts such as ``60``, ``60 km/h``, ``30 mph`` or ``CN:urban``.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        Speeds, NaN where none is given, shape (rows,) [km/h].

    Examples
    --------
    >>> import pandas as pd
    >>> given_speeds(pd.Series(["60", "30 mph", "unlit", 0])).round(2).tolist()
    [60.0, 48.28, nan, nan]
    """
    names, place = np.unique(words(column).to_numpy(dtype=object).astype(str), return_inverse=True)
    return np.array([speed_of(name, presets) for name in names], dtype=np.float64)[place]


def left_out(dropped: Mapping[str, int], profile: str) -> tuple[Text, ...]:
    """Say how many lines the profile may not use, and why.

    Parameters
    ----------
    dropped
        Count of lines by reason.
    profile
        The profile.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    notes = []
    rest = sum(dropped.get(why, 0) for why in ("class", "access", "tags", "ferry", "direction"))
    if rest:
        said = text(
            "{n} lines were left out: their class or access is not for the profile {profile}",
            n=rest,
            profile=profile,
        )
        notes.append(said)
    small = sum(dropped.get(why, 0) for why in ("height", "width", "weight"))
    if small:
        notes.append(
            text(
                "{n} lines were left out: too low, too narrow or too weak for the vehicle", n=small
            )
        )
    return tuple(notes)


def rule_notes(told: Mapping[str, Any], strange: Sequence[str], how: str) -> tuple[Text, ...]:
    """Say what the tags of an extract did to the network.

    Parameters
    ----------
    told
        Counts, as in a road graph.
    strange
        Access values that nobody knows.
    how
        What tells where lines meet, see `Topology`.

    Returns
    -------
    tuple of Text
        What must be known.
    """
    notes = []
    if told["barriers"]["closed"]:
        notes.append(
            text(
                "{n} of {all} barriers close the road on which they stand",
                n=told["barriers"]["closed"],
                all=told["barriers"]["nodes"],
            )
        )
    if told["not_through"]:
        notes.append(
            text("{n} roads are not for through traffic: ways only begin or end there",
                 n=told["not_through"])
        )  # fmt: skip
    if told["ferries"]["used"]:
        notes.append(text("{n} ferries are used", n=told["ferries"]["used"]))
    if told.get("fords"):
        notes.append(
            text("{n} roads lead through water or are said to flood (ford, tidal, flood_prone) and "
                 "count as dry: close them in a scenario", n=told["fords"])
        )  # fmt: skip
    if told.get("narrow"):
        notes.append(
            text("{n} roads are said to be narrower than the vehicle and are used all the same: "
                 "look at them, or close them in a scenario", n=told["narrow"])
        )  # fmt: skip
    if told.get("rough"):
        notes.append(
            text("{n} roads are said to be hard to pass (smoothness, 4wd_only) and are used all "
                 "the same", n=told["rough"])
        )  # fmt: skip
    if told.get("cut"):
        notes.append(text("{n} ways were cut where the extract lacks their nodes", n=told["cut"]))
    if told["conditional"]:
        notes.append(
            text(
                "{n} roads have tags that hold at certain times only; what else is said holds",
                n=told["conditional"],
            )
        )
    if strange:
        notes.append(
            text(
                "access values nobody knows ({values}) were not looked at",
                values=", ".join(strange[:5]) + (" ..." if len(strange) > 5 else ""),
            )
        )
    if how == "ends":
        notes.append(text("the roads meet where the columns of their end nodes say so"))
    if told.get("turned"):
        notes.append(
            text("{n} roads are drawn against the order of their end nodes; the drawing counts",
                 n=told["turned"])
        )  # fmt: skip
    return (*notes, *_speed_notes(told["speeds"]))


def _speed_notes(told: Mapping[str, int]) -> tuple[Text, ...]:
    """Say how many roads have times or speeds of their own, by what gives their speed."""
    notes = []
    measured = told.get("seconds", 0) + told.get("measured_kmh", 0)
    if measured:
        notes.append(
            text(
                "{n} of {all} roads go by the measured time or speed that the layer gives",
                n=measured,
                all=sum(told.values()),
            )
        )
    if odd := told.get("seconds_unfit", 0):
        notes.append(
            text("{n} times in the column seconds are no times of their roads and were not used",
                 n=odd)
        )  # fmt: skip
    return tuple(notes)


def hour_notes(graph: RoadGraph) -> tuple[Text, ...]:
    """Say whose traffic the times are for.

    Parameters
    ----------
    graph
        The roads.

    Returns
    -------
    tuple of Text
        Empty in free flow.
    """
    if graph.hour is None:
        return ()
    return (
        text(
            "times are those of the traffic at {hour}:00, by the table of congestion "
            "(road.congestion), not free flow",
            hour=graph.hour,
        ),
    )


def turn_notes(told: Mapping[str, int]) -> tuple[Text, ...]:
    """Say how many turn restrictions hold, and how many do not.

    Parameters
    ----------
    told
        Count by what became of them.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    if not told:
        return ()
    return (
        text(
            "turn restrictions: {n} hold; {exempt} are not for this vehicle, {idle} touch no road "
            "of it, {conditional} hold at certain times and were not looked at, {unusable} cannot "
            "be read",
            n=told.get("applied", 0),
            exempt=told.get("exempt", 0),
            idle=told.get("idle", 0),
            conditional=told.get("conditional", 0),
            unusable=told.get("unusable", 0) + told.get("incomplete", 0),
        ),
    )


def notes_on(
    geometry: NDArray[np.object_],
    odd: tuple[str, ...],
    *,
    named: bool,
    classes: pd.Series,
    presets: Values | None,
) -> tuple[Text, ...]:
    """Say what was left out or assumed.

    Parameters
    ----------
    geometry
        All lines.
    odd
        One-way values that nobody knows.
    named
        Whether the layer has a class column.
    classes
        OSM classes of the used lines.
    presets
        Value by key; None takes the shipped ones.

    Returns
    -------
    tuple of Text
        What must be known.
    """
    notes: list[Text] = []
    empty = int((~(shapely.length(geometry) > 0)).sum())
    if empty:
        notes.append(text("{n} road lines without length were left out", n=empty))
    if odd:
        notes.append(
            text(
                "one-way values nobody knows ({values}) were taken as two-way",
                values=", ".join(odd),
            )
        )
    if not named:
        notes.append(text("the roads have no class; all get the speed of an unknown class"))
    elif count := int((classes == "").sum()):
        notes.append(
            text(
                "{n} roads have no class and get the speed of an unknown one",
                n=count,
            )
        )
    known = known_classes(presets) | {"", *chosen(presets, "access.ferries")["kinds"]}
    if strange := sorted(set(classes) - known):
        notes.append(
            text(
                "{n} roads are of a class nobody knows ({values}) and get the speed of an unknown "
                "one",
                n=int(classes.isin(strange).sum()),
                values=", ".join(strange[:5]) + (" ..." if len(strange) > 5 else ""),
            )
        )
    return tuple(notes)


def parts_notes(nodes: NDArray[np.int64], island: NDArray[np.bool_]) -> tuple[Text, ...]:
    """Say when the network falls into pieces.

    Parameters
    ----------
    nodes
        Number of nodes of each part.
    island
        True for each node on a tiny part.

    Returns
    -------
    tuple of Text
        Empty when there is one part.
    """
    if len(nodes) < 2:
        return ()
    share = f"{100 * nodes.max() / nodes.sum():.0f}"
    if nodes.max() * 2 < nodes.sum():
        return (
            text(
                "the roads hardly touch: {n} separate parts, the largest with {share} percent of "
                "the nodes; lines meet only where they share a vertex: join their ends in a GIS, "
                "or give a joining distance (preset network.join_ends_m, route --join-ends)",
                n=len(nodes),
                share=share,
            ),
        )
    return (
        text(
            "the network has {n} separate parts, the largest with {share} percent of the nodes; "
            "{m} nodes lie on tiny islands, from which no way leads elsewhere",
            n=len(nodes),
            share=share,
            m=int(island.sum()),
        ),
    )


def moved_notes(
    moved: tuple[set[int], set[int]], names: tuple[list[str], list[str]]
) -> tuple[Text, ...]:
    """Say which points were put on the main network, since no way leads to their nearest road.

    Parameters
    ----------
    moved
        Origins and destinations, by position.
    names
        Their ids.

    Returns
    -------
    tuple of Text
        Empty when there are none.
    """
    ids = [names[side][i] for side in (0, 1) for i in sorted(moved[side])]
    if not ids:
        return ()
    shown = ", ".join(dict.fromkeys(ids[:20])) + (" ..." if len(ids) > 20 else "")
    return (
        text(
            "{n} points lie nearest to a piece of road cut off from the rest and were put on the "
            "nearest road of the main network: {ids}",
            n=len(ids),
            ids=shown,
        ),
    )


_LONG: Final = 40
_SHORT: Final = 0.1
"""No road layer has lines this short on the middle [m]."""


def check_units(lines: gpd.GeoDataFrame) -> None:
    """Stop when coordinates and coordinate system of a road layer contradict each other.

    Parameters
    ----------
    lines
        The road lines.

    Raises
    ------
    LayerError
        If there is no CRS, degrees are called metres, or metres are called degrees.
    """
    if lines.crs is None:
        raise LayerError(
            text(
                "the road layer has no coordinate system; give it one (a .prj file beside a "
                "shapefile, or ogr2ogr -a_srs EPSG:4326)"
            )
        )
    west, south, east, north = lines.total_bounds
    as_degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    name = lines.crs.to_string()
    if lines.crs.is_geographic and not as_degrees and np.isfinite([west, south]).all():
        raise LayerError(
            text(
                "coordinates up to {x}, {y} are no degrees, but the road layer says {crs}; give "
                "it its metric coordinate system",
                x=f"{max(abs(west), abs(east)):.0f}",
                y=f"{max(abs(south), abs(north)):.0f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )
    if not lines.crs.is_geographic and as_degrees and lines.length.median() < _SHORT:
        raise LayerError(
            text(
                "coordinates around {x}, {y} look like degrees, but the road layer says {crs}, "
                "which is in metres; set its coordinate system to EPSG:4326",
                x=f"{(west + east) / 2:.4f}",
                y=f"{(south + north) / 2:.4f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )

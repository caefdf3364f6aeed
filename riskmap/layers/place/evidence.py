"""Which datum coordinates are in, judged by where the rows say that they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.layers.place.datum import to_wgs84, told_datum, wgs84_to_gcj02
from riskmap.vocabulary.columns import LEVEL, NAME, WGS84
from riskmap.vocabulary.presets import load_presets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely import Geometry


CANDIDATES: Final = ("wgs84", "gcj02", "bd09")
STATED: Final = ("village", "town", "district")
"""Fields of a row that name the unit in which it lies, fine to coarse."""
_MOST: Final = 4000
"""Rows that are compared; more are taken at even steps."""
_SAME_M: Final = 1.0
"""Distances that differ by less are equal [m]."""
_SUFFIX: Final = re.compile(
    r"(街道办事处|街道办|街道|办事处|社区居民委员会|社区居委会|居民委员会|居委会|村民委员会|村委会|"
    r"社区|镇|乡|村|新区|区|县|市)$"
)


@dataclass(frozen=True)
class Limits:
    """How sure a datum must be before it is taken; presets ``reading.*``."""

    rows: int
    share: float
    margin: float
    chance: float
    line_rows: int
    line_chance: float
    line_ratio: float
    far_m: float
    water_m: float
    per_household: float
    """People of a household where a row states households alone."""


def limits_of(presets: Any = None) -> Limits:
    """Take the limits from presets.

    Parameters
    ----------
    presets
        Those of the run; by default the shipped ones.

    Returns
    -------
    Limits
        The limits.
    """
    table: Any = load_presets() if presets is None else presets
    return Limits(
        rows=int(table["reading.datum_rows"]),
        share=float(table["reading.datum_share"]),
        margin=float(table["reading.datum_margin"]),
        chance=float(table["reading.datum_chance"]),
        line_rows=int(table["reading.datum_line_rows"]),
        line_chance=float(table["reading.datum_line_chance"]),
        line_ratio=float(table["reading.datum_line_ratio"]),
        far_m=float(table["reading.stated_far_m"]),
        water_m=float(table["reading.in_water_m"]),
        per_household=float(table["reading.people_per_household"]),
    )


@dataclass(frozen=True)
class Hints:
    """What helps to tell the datum of a table that does not name it."""

    said: tuple[str, ...] = ()
    """Notes above and below the table, and on sheets without one."""
    stated: Mapping[str, pd.Series] = field(default_factory=dict)
    """Level to the names that rows state, shape (n,)."""
    address: pd.Series | None = None
    """Addresses as rows state them, shape (n,); a village named in one places its row."""
    units: gpd.GeoDataFrame | None = None
    """Units with level, name and geometry, in any CRS."""
    area: Geometry | None = None
    """The place in EPSG:4326."""
    lines: gpd.GeoSeries | None = None
    """Roads and water, in a metric CRS."""
    town_enough: bool = False
    """Whether a row may stand in the town that it names when it names no village."""
    limits: Limits = field(default_factory=limits_of)


@dataclass(frozen=True)
class Nearness:
    """How near rows lie to roads and water under each datum, and whether that settles it."""

    rows: int
    median_m: Mapping[str, float]
    """Datum to the median distance [m]."""
    best: str
    decided: bool


@dataclass(frozen=True)
class Judgement:
    """How many rows lie where they say under each datum, and whether that settles it."""

    rows: int
    """Number of rows compared."""
    held: Mapping[str, int]
    """Datum to the number of rows that lie in the unit they state."""
    best: str
    decided: bool
    by_place: bool = False
    """True when rows state no unit and the place itself was compared."""

    @property
    def agreement(self) -> dict[str, float]:
        """Give the share of rows that lie in the unit they state.

        Returns
        -------
        dict
            Datum to share.
        """
        return {name: self.held[name] / self.rows if self.rows else 0.0 for name in CANDIDATES}

    @property
    def margin(self) -> float:
        """Tell how far the best share is above the next.

        Returns
        -------
        float
            In shares.
        """
        shares = sorted(self.agreement.values())
        return shares[-1] - shares[-2]


_EXPORTS: Final = (
    ({"pname", "cityname", "adname", "location"}, "高德地图接口导出的坐标"),
    ({"adcode", "citycode", "location", "typecode"}, "高德地图接口导出的坐标"),
    ({"uid", "street_id", "detail_info"}, "百度地图接口导出的坐标"),
    ({"uid", "province", "city", "area", "lng", "lat"}, "百度地图接口导出的坐标"),
)
"""Columns by which the exports of map services are known."""


_ATLAS: Final = frozenset(
    ("adcode", "centroid", "childrennum", "acroutes", "subfeatureindex", "center")
)
"""Properties of the outlines that DataV and Amap give away, which are in GCJ-02."""


def known_outlines(name: str, columns: Sequence[str]) -> str | None:
    """Tell the datum of outlines by the service that they are from.

    Parameters
    ----------
    name
        Name of the file.
    columns
        Its properties.

    Returns
    -------
    str or None
        A datum; None when the source is not known.

    Examples
    --------
    >>> known_outlines("边界_高德.geojson", []), known_outlines("amap_wgs84.geojson", [])
    ('gcj02', None)
    """
    plain = re.sub(r"(?i)datav|geoatlas|aliyun|areacity", "amap", name)
    told = told_datum("坐标 " + re.sub(r"[_\-.]+", " ", plain))
    if told is not None:
        return told if told in ("gcj02", "bd09") else None
    held = {str(column).casefold() for column in columns}
    named = re.search(r"(?i)wgs|cgcs|4326|4490|天地图|tianditu", name)
    return "gcj02" if len(held & _ATLAS) >= 3 and not named else None


def known_export(columns: Sequence[str]) -> tuple[str, ...]:
    """Say what service a table was exported from, as a note that names the datum.

    Parameters
    ----------
    columns
        Its headers.

    Returns
    -------
    tuple of str
        One note, or none.

    Examples
    --------
    >>> known_export(["id", "name", "location", "pname", "cityname", "adname"])[0][:4]
    'adna'
    """
    held = {str(column).casefold() for column in columns}
    return tuple(
        f"{', '.join(sorted(wanted))}: {said}" for wanted, said in _EXPORTS if wanted <= held
    )[:1]


def name_key(name: object) -> str:
    """Bring the name of a unit into the form in which stated names are compared.

    Parameters
    ----------
    name
        Such as ``城关街道办事处``.

    Returns
    -------
    str
        Without blanks, punctuation and what kind of unit it is.

    Examples
    --------
    >>> name_key("城关街道办事处"), name_key("城关镇"), name_key("镇")
    ('城关', '城关', '镇')
    """
    plain = re.sub(r"[\W_]+", "", str(name if name == name and name is not None else ""))
    bare = _SUFFIX.sub("", plain)
    return bare or plain


def match_units(
    names: Sequence[object],
    known: Sequence[object],
    *,
    codes: Sequence[object] | None = None,
    former: Sequence[object] | None = None,
    by_sound: bool = True,
) -> list[tuple[int, ...]]:
    """Find the units that names mean.

    In turn: the same name, the name without its kind, the code, a former name, a name that ends
    with the unit's, and the only unit that sounds the same (names are typed by their sound).

    Parameters
    ----------
    names
        Shape (n,): names as rows state them.
    known
        Shape (m,): names of units.
    codes, former
        Shape (m,): their codes, and their former names between commas or the like.
    by_sound
        Whether a name that only sounds like that of one unit means it.

    Returns
    -------
    list of tuple of int
        Places in ``known``; several where units share a name, none where no unit is meant.

    Examples
    --------
    >>> match_units(["甲镇", "乙街道办", "某区丙镇", ""], ["甲镇", "乙街道", "丙镇"])
    [(0,), (1,), (2,), ()]
    >>> match_units(["370102", "老城", "丰水镇"], ["甲镇", "沣水镇"], codes=["370102", "370103"],
    ...             former=["老城、旧城", ""])
    [(0,), (0,), (1,)]
    """
    whole: dict[str, list[int]] = {}
    bare: dict[str, list[int]] = {}
    for place, name in enumerate(known):
        plain = re.sub(r"[\W_]+", "", str(name if name == name and name is not None else ""))
        if plain:
            whole.setdefault(plain, []).append(place)
            bare.setdefault(name_key(plain), []).append(place)
    other = _other_names(known, codes, former)
    sounds: dict[tuple[str, ...], list[int]] | None = None
    ends = sorted(whole, key=len, reverse=True)
    answers: dict[str, tuple[int, ...]] = {"": ()}
    out = []
    for name in names:
        plain = re.sub(r"[\W_]+", "", str(name if name == name and name is not None else ""))
        if plain not in answers:
            found = whole.get(plain) or bare.get(name_key(plain)) or other.get(plain)
            found = found or other.get(name_key(plain))
            if not found:
                held = next((end for end in ends if len(end) >= 2 and plain.endswith(end)), None)
                found = whole[held] if held else []
            if not found and by_sound:
                sounds = _sounds(known) if sounds is None else sounds
                alike = sounds.get(sound_of(plain), [])
                found = alike if len(alike) == 1 else []
            answers[plain] = tuple(found)
        out.append(answers[plain])
    return out


def _other_names(
    known: Sequence[object], codes: Sequence[object] | None, former: Sequence[object] | None
) -> dict[str, list[int]]:
    """Collect codes, without the zeros that only fill them, and former names of units."""
    found: dict[str, list[int]] = {}
    for place in range(len(known)):
        code = str(codes[place]) if codes is not None else ""
        if code.isdigit() and len(code) >= 6:
            bare = re.sub(r"(?:000)+$", "", code)
            for one in dict.fromkeys((code, bare)) if len(bare) >= 6 else (code,):
                found.setdefault(one, []).append(place)
        written = former[place] if former is not None else None
        for name in re.split(r"[、，,;；/|\s]+", str(written) if isinstance(written, str) else ""):
            plain = re.sub(r"[\W_]+|曾用名|原名?$", "", name)
            for one in dict.fromkeys((plain, name_key(plain))) if len(plain) >= 2 else ():
                found.setdefault(one, []).append(place)
    return found


def sound_of(name: str) -> tuple[str, ...]:
    """Give the sounds of a name without tones and without what kind of unit it is.

    Parameters
    ----------
    name
        Such as ``沣水镇``.

    Returns
    -------
    tuple of str
        One syllable a character; empty for names of a single character.

    Examples
    --------
    >>> sound_of("沣水镇") == sound_of("丰水街道")
    True
    """
    from pypinyin import Style, lazy_pinyin

    bare = name_key(name)
    return tuple(lazy_pinyin(bare, style=Style.NORMAL)) if len(bare) >= 2 else ()


def _sounds(known: Sequence[object]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for place, name in enumerate(known):
        if isinstance(name, str) and (sound := sound_of(name)):
            found.setdefault(sound, []).append(place)
    return found


def village_points(hints: Hints | None, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Find a point inside the village that rows without coordinates name.

    Parameters
    ----------
    hints
        Stated names and units.
    rows
        Shape (n,): the rows that lack coordinates.

    Returns
    -------
    ndarray
        Shape (n, 2): WGS-84 [deg]; NaN where no village, or more than one, is meant.
    """
    out = np.full((len(rows), 2), np.nan)
    if hints is None or hints.units is None or not rows.any():
        return out
    if "village" not in hints.stated and hints.address is None:
        return out
    part = _at_level(hints.units, "village")
    if not len(part):
        return out
    at = np.flatnonzero(rows)
    found = _meant(hints, part, at, "village")
    towns = hints.stated["town"].to_numpy(dtype=object)[at] if "town" in hints.stated else None
    inside = shapely.point_on_surface(part.geometry.to_numpy())
    above = part["town"].tolist() if "town" in part.columns else [""] * len(part)
    for place, (row, places) in enumerate(zip(at, found, strict=True)):
        fitting = places
        if len(places) > 1 and towns is not None:
            fitting = tuple(p for p in places if name_key(above[p]) == name_key(towns[place]))
        if len(fitting) == 1:
            point = inside[fitting[0]]
            out[row] = shapely.get_x(point), shapely.get_y(point)
    return out


def town_points(hints: Hints | None, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Find a point inside the town that rows name which say no more of their place.

    Parameters
    ----------
    hints
        Stated names and units.
    rows
        Shape (n,): the rows that lack coordinates and village.

    Returns
    -------
    ndarray
        Shape (n, 2): WGS-84 [deg]; NaN where no town, or more than one, is meant, and for roles
        whose rows need a place.
    """
    out = np.full((len(rows), 2), np.nan)
    if hints is None or not hints.town_enough or hints.units is None or not rows.any():
        return out
    part = _at_level(hints.units, "town") if LEVEL in hints.units.columns else hints.units[:0]
    if not len(part):
        return out
    at = np.flatnonzero(rows)
    inside = shapely.point_on_surface(part.geometry.to_numpy())
    for row, places in zip(at, _meant(hints, part, at, "town"), strict=True):
        if len(places) == 1:
            out[row] = shapely.get_x(inside[places[0]]), shapely.get_y(inside[places[0]])
    return out


def _at_level(units: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Give the units of a level in degrees; all where the units have no level."""
    part = units[units[LEVEL] == level] if LEVEL in units.columns else units
    return part.to_crs(WGS84) if part.crs is not None else part


def _meant(
    hints: Hints, part: gpd.GeoDataFrame, at: NDArray[np.int64], level: str
) -> list[tuple[int, ...]]:
    """Find the units of a level that rows state, else those that their address names."""
    names = part[NAME].tolist()
    found: list[tuple[int, ...]] = [()] * len(at)
    if level in hints.stated:
        stated = list(hints.stated[level].to_numpy(dtype=object)[at])
        found = match_units(stated, names, codes=part.index, former=_former(part), by_sound=False)
    if hints.address is not None:
        held = _named_within(list(hints.address.to_numpy(dtype=object)[at]), names)
        found = [one or other for one, other in zip(found, held, strict=True)]
    return found


def _named_within(texts: Sequence[object], known: Sequence[object]) -> list[tuple[int, ...]]:
    """Find the units whose whole name an address holds; the longest names win."""
    names: dict[str, list[int]] = {}
    for place, name in enumerate(known):
        plain = re.sub(r"[\W_]+", "", str(name if name == name and name is not None else ""))
        if len(plain) >= 3:  # 东村 stands in too many addresses
            names.setdefault(plain, []).append(place)
    order = sorted(names, key=len, reverse=True)
    out = []
    for said in texts:
        plain = re.sub(r"[\W_]+", "", str(said if said == said and said is not None else ""))
        hits = [name for name in order if plain and name in plain]
        kept = [name for name in hits if not any(name != o and name in o for o in hits)]
        out.append(tuple(names[kept[0]]) if len(kept) == 1 else ())
    return out


def judge_datum(
    lon: NDArray[np.float64], lat: NDArray[np.float64], hints: Hints
) -> Judgement | None:
    """Compare where rows lie under each datum with the units that they state.

    Parameters
    ----------
    lon, lat
        Shape (n,): as the file has them [deg]; NaN where there is none.
    hints
        Stated names, units and place.

    Returns
    -------
    Judgement or None
        None when nothing can be compared.
    """
    good = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if not len(good):
        return None
    rows, wanted, shapes, by_place = _targets(good, hints)
    if not len(rows):
        return None
    x, y = lon[good[rows]], lat[good[rows]]
    inside = {datum: _inside(*to_wgs84(x, y, datum=datum), wanted, shapes) for datum in CANDIDATES}
    held = {datum: int(mask.sum()) for datum, mask in inside.items()}
    order = sorted(CANDIDATES, key=lambda datum: (-held[datum], CANDIDATES.index(datum)))
    best, second = order[0], order[1]
    alone = int((inside[best] & ~inside[second]).sum())
    against = int((inside[second] & ~inside[best]).sum())
    share = held[best] / len(rows)
    decided = (
        len(rows) >= hints.limits.rows
        and share >= hints.limits.share
        and share - held[second] / len(rows) >= hints.limits.margin
        and _by_chance(alone, against) <= hints.limits.chance
    )
    return Judgement(len(rows), held, best, decided, by_place)


def judge_by_lines(
    lon: NDArray[np.float64], lat: NDArray[np.float64], hints: Hints
) -> Nearness | None:
    """Compare how near rows lie to roads and water under each datum.

    What stands in a town stands near a road; half a kilometre off, rows lie anywhere. A datum is
    decided when rows are nearer under it than under each other one more often than chance gives
    (sign test), and by a factor.

    Parameters
    ----------
    lon, lat
        Shape (n,): as the file has them [deg]; NaN where there is none.
    hints
        Lines and limits.

    Returns
    -------
    Nearness or None
        None when there are no lines or too few rows.
    """
    from pyproj import Transformer

    if hints.lines is None or not len(hints.lines):
        return None
    good = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if len(good) < hints.limits.line_rows:
        return None
    if len(good) > _MOST:
        good = good[np.linspace(0, len(good) - 1, _MOST).astype(np.int64)]
    tree = shapely.STRtree(hints.lines.to_numpy())
    metric = Transformer.from_crs(WGS84, hints.lines.crs, always_xy=True)
    away: dict[str, NDArray[np.float64]] = {}
    for datum in CANDIDATES:
        x, y = metric.transform(*to_wgs84(lon[good], lat[good], datum=datum))
        points = shapely.points(x, y)
        pairs, distance = tree.query_nearest(points, return_distance=True, all_matches=False)
        away[datum] = np.full(len(good), np.inf)
        away[datum][pairs[0]] = distance
    median = {datum: float(np.median(found)) for datum, found in away.items()}
    best = min(CANDIDATES, key=lambda datum: median[datum])
    limits = hints.limits
    decided = all(
        median[best] <= limits.line_ratio * median[other]
        and _by_chance(
            int((away[best] < away[other] - _SAME_M).sum()),
            int((away[other] < away[best] - _SAME_M).sum()),
        )
        <= limits.line_chance
        for other in CANDIDATES
        if other != best
    )
    return Nearness(len(good), median, best, decided)


@dataclass(frozen=True)
class Astray:
    """Rows that lie outside the unit that they state."""

    row: NDArray[np.int64]
    """Places of the rows, the farthest first."""
    stated: tuple[str, ...]
    """What each states."""
    falls_in: tuple[str, ...]
    """Name of the unit in which each lies; blank outside all, and beyond the most that are told."""
    metres: NDArray[np.float64]


def far_from_stated(
    shapes: NDArray[Any], hints: Hints, *, most: int
) -> tuple[Astray, tuple[str, ...]]:
    """Measure how far rows lie from the unit that they state.

    Parameters
    ----------
    shapes
        In the CRS of the units, which counts in metres: geometries, shape (n,), None where there
        is none; or x and y of points, shape (n, 2), NaN where there is none.
    hints
        Stated names and units.
    most
        Rows, the farthest first, for which the unit in which they lie is found.

    Returns
    -------
    tuple of Astray and tuple of str
        Rows farther off than the limit; and the names that are those of no unit, each once.
    """
    nothing = Astray(np.zeros(0, np.int64), (), (), np.zeros(0))
    if hints.units is None or not len(hints.units) or LEVEL not in hints.units.columns:
        return nothing, ()
    units = hints.units
    good = np.flatnonzero(
        np.isfinite(shapes[:, 0])
        if shapes.ndim == 2
        else ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    )
    least = np.full(len(good), np.nan)
    said = np.full(len(good), "", dtype=object)
    unknown: dict[str, None] = {}
    for level in STATED:
        part = units[units[LEVEL] == level]
        if level not in hints.stated or not len(part):
            continue
        codes, found, written = _matched(hints.stated[level].iloc[good], part)
        counts = np.array([len(places) for places in found], dtype=np.int64)
        unknown |= dict.fromkeys(written[(counts == 0) & (written != "")].tolist())
        sizes = counts[codes]
        rows = np.flatnonzero((sizes > 0) & (said == ""))
        if not len(rows):
            continue
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        whole = np.concatenate([np.array(places, dtype=np.int64) for places in found])
        first = np.concatenate([[0], np.cumsum(sizes[rows])[:-1]])
        owner = np.repeat(rows, sizes[rows])
        turn = np.arange(len(owner)) - np.repeat(first, sizes[rows])
        where = whole[starts[codes[owner]] + turn]
        away = _distance(shapes[good[owner]], part.geometry.to_numpy(), where)
        least[rows], said[rows] = np.fmin.reduceat(away, first), written[codes[rows]]
    far = np.flatnonzero(least > hints.limits.far_m)
    far = far[np.argsort(-least[far], kind="stable")]
    finest = units[units["finest"]] if "finest" in units.columns else units
    some = shapes[good[far[:most]]]
    at = shapely.points(some) if shapes.ndim == 2 else shapely.centroid(some)
    pairs = shapely.STRtree(finest.geometry.to_numpy()).query(at, predicate="within")
    inside = dict(zip(pairs[0].tolist(), finest[NAME].to_numpy()[pairs[1]].tolist(), strict=True))
    return Astray(
        good[far],
        tuple(said[far]),
        tuple(str(inside.get(place, "") or "") for place in range(len(far))),
        least[far],
    ), tuple(unknown)


def depth_in_water(shapes: NDArray[Any], hints: Hints) -> NDArray[np.float64]:
    """Measure how far from the bank places lie that are in the outlines of water.

    Parameters
    ----------
    shapes
        Points in the CRS of the lines: geometries, shape (n,), None where there is none; or x and
        y, shape (n, 2), NaN where there is none.
    hints
        Roads and water.

    Returns
    -------
    ndarray
        Shape (n,) [m]; 0 where a place is in no water.
    """
    away = np.zeros(len(shapes))
    if hints.lines is None:
        return away
    outlines = hints.lines.to_numpy()
    water = outlines[shapely.get_dimensions(outlines) == 2]
    if not len(water):
        return away
    if shapes.ndim == 2:
        there = np.isfinite(shapes[:, 0])
        points = np.full(len(shapes), None, dtype=object)
        points[there] = shapely.points(shapes[there])
        shapes = points
    at, of = shapely.STRtree(water).query(shapes, predicate="within")
    if len(at):
        banks = shapely.boundary(water[of])
        np.maximum.at(away, at, shapely.distance(shapes[at], banks))
    return away


def _distance(
    shapes: NDArray[Any], units: NDArray[np.object_], where: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Measure the distance of each shape to its unit; most lie in it, which is quicker to tell."""
    away = np.zeros(len(shapes))
    order = np.argsort(where, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(where[order])) + 1):
        unit = units[where[rows[0]]]
        shapely.prepare(unit)
        if shapes.ndim == 2:
            out = rows[~shapely.intersects_xy(unit, *shapes[rows].T)]
            away[out] = shapely.distance(unit, shapely.points(shapes[out]))
        else:
            out = rows[~shapely.intersects(unit, shapes[rows])]
            away[out] = shapely.distance(unit, shapes[out])
    return away


def _former(units: pd.DataFrame) -> list[str] | None:
    return units[FORMER].tolist() if FORMER in units.columns else None


FORMER: Final = "former"
"""Column of units with their former and other names, between commas or the like."""


def units_shifted(
    lon: NDArray[np.float64], lat: NDArray[np.float64], hints: Hints
) -> tuple[int, int, int] | None:
    """Tell whether WGS-84 points fit units better that are in GCJ-02.

    Parameters
    ----------
    lon, lat
        Shape (n,): WGS-84 [deg].
    hints
        Stated names and units.

    Returns
    -------
    tuple of int or None
        Rows compared, rows held by the units as they are, and as GCJ-02; None when nothing can
        be compared.
    """
    good = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    rows, wanted, shapes, by_place = _targets(good, hints)
    if by_place or not len(rows):
        return None
    x, y = lon[good[rows]], lat[good[rows]]
    now = int(_inside(x, y, wanted, shapes).sum())
    moved = int(_inside(*wgs84_to_gcj02(x, y), wanted, shapes).sum())
    return len(rows), now, moved


def _by_chance(for_it: int, against: int) -> float:
    """Give the probability that so many of the rows that differ speak for it by chance."""
    from math import comb

    n = for_it + against
    if n == 0:
        return 1.0
    if n > 200:
        return 0.0 if for_it > against + 3 * np.sqrt(n) else 1.0
    return float(sum(comb(n, k) for k in range(for_it, n + 1)) / 2**n)


def _matched(
    names: pd.Series, part: gpd.GeoDataFrame
) -> tuple[NDArray[np.int64], list[tuple[int, ...]], NDArray[np.object_]]:
    """Find the units that a column of names means, each different name once.

    Returns
    -------
    tuple of ndarray, list of tuple and ndarray
        For each row the place of its name among the different ones; the units each of these means;
        and these as they are written.
    """
    codes, unique = pd.factorize(names, use_na_sentinel=False)
    written = np.array(
        ["" if name is None or name != name else str(name).strip() for name in unique], dtype=object
    )
    found = match_units(list(written), part[NAME].tolist(), codes=part.index, former=_former(part))
    return codes, found, written


def _targets(
    good: NDArray[np.int64], hints: Hints
) -> tuple[NDArray[np.int64], list[tuple[int, ...]], NDArray[np.object_], bool]:
    """Choose rows that state a unit, with the polygons one of which should hold each.

    Returns
    -------
    tuple of ndarray, list of tuple, ndarray and bool
        Places in ``good``, at even steps where there are many; for each the places of its polygons;
        the polygons; and whether the whole place stands for units that no row states.
    """
    shapes: list[Any] = []
    known: list[tuple[NDArray[np.int64], list[tuple[int, ...]], int]] = []
    stating = np.zeros(len(good), dtype=bool)
    if hints.units is not None and len(hints.units):
        for level in STATED:
            if level not in hints.stated:
                continue
            part = _at_level(hints.units, level)
            if not len(part):
                continue
            codes, found, _ = _matched(hints.stated[level].iloc[good], part)
            known.append((codes, found, len(shapes)))
            shapes += list(part.geometry.to_numpy())
            stating |= np.array([bool(places) for places in found], dtype=bool)[codes]
    rows = np.flatnonzero(stating) if stating.any() else np.arange(len(good))
    if len(rows) > _MOST:
        rows = rows[np.linspace(0, len(rows) - 1, _MOST).astype(np.int64)]
    if stating.any():
        wanted = [
            next(
                tuple(first + place for place in found[codes[row]])
                for codes, found, first in known
                if found[codes[row]]
            )
            for row in rows
        ]
        return rows, wanted, np.array(shapes, dtype=object), False
    if hints.area is None:
        return rows[:0], [], np.array([], dtype=object), True
    return rows, [(0,)] * len(rows), np.array([hints.area], dtype=object), True


def _inside(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    wanted: Sequence[tuple[int, ...]],
    shapes: NDArray[np.object_],
) -> NDArray[np.bool_]:
    pairs = np.array([(row, place) for row, places in enumerate(wanted) for place in places])
    hit = np.zeros(len(wanted), dtype=bool)
    if not len(pairs):
        return hit
    for place in np.unique(pairs[:, 1]):
        rows = pairs[pairs[:, 1] == place, 0]
        shapely.prepare(shapes[place])
        hit[rows] |= shapely.intersects_xy(shapes[place], x[rows], y[rows])
    return hit

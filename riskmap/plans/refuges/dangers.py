"""What a refuge must keep clear of (water, slopes, danger areas, sources), state by state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap.geo.grid import cell_of, row_xy
from riskmap.geo.network.flooded import sample, slopes
from riskmap.geo.network.snap import named_roads
from riskmap.i18n import Text, text
from riskmap.layers.layer import OUTSIDE, texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.layers.layer import Raster
    from riskmap.plans.refuges.ways import Landmarks

    Floats = NDArray[np.float64]
    import geopandas as gpd

    from riskmap.vocabulary.presets import Presets

    Bools = NDArray[np.bool_]
    from riskmap.geo.network.graph import RoadGraph
    from riskmap.geo.people import Pieces


RINGS, SPOKES = 3, 12
"""A refuge's ground is looked at in its centre and on rings of points around it."""


def deepest(rasters: Sequence[Raster], xy: Floats, radius_m: Floats, crs: str) -> Floats:
    """Take the deepest water on the ground of each place: its centre and rings out to its radius.

    Parameters
    ----------
    rasters
        Depth, tiles in their own CRS [m].
    xy
        Centres, shape (n, 2) [m].
    radius_m
        Radius of each place, shape (n,) [m].
    crs
        CRS of the centres.

    Returns
    -------
    ndarray
        Depth, NaN where nothing is known, shape (n,) [m].
    """
    angle = np.arange(SPOKES) * 2 * np.pi / SPOKES
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    steps = np.concatenate([np.zeros((1, 2)), *(unit * k / RINGS for k in range(1, RINGS + 1))])
    spots = xy[:, None, :] + steps[None, :, :] * radius_m[:, None, None]
    depth = sample(rasters, spots.reshape(-1, 2), crs).reshape(len(xy), len(steps))
    most = np.where(np.isnan(depth), -np.inf, depth).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(most), most, np.nan)


@dataclass(frozen=True, kw_only=True)
class Dangers:
    """What a refuge, or a place for a new one, must keep clear of."""

    grid: Grid
    depth_m: Any = None
    """Depth on the cells [m], NaN unknown, or None; used where there are no rasters."""
    depths: tuple[Raster, ...] = ()
    """Depth at its own resolution [m]."""
    dem: tuple[Raster, ...] = ()
    """Height of the ground [m]."""
    flood_level: float | tuple[Raster, ...] | None = None
    """Highest historical level of water [m], where the ledger gives none."""
    areas: gpd.GeoDataFrame | None = None
    sources: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Spots:
    """Refuges, or places for new ones, as the checks see them."""

    xy: Floats
    """Shape (n, 2) [m]."""
    radius_m: Floats
    """Radius of the ground they take, shape (n,) [m]."""
    outdoor: Bools
    """True where people stay outside."""
    floor_m: Floats
    """Height of the floor, NaN unknown [m]."""
    flood_level_m: Floats
    """Highest historical level of water, NaN unknown [m]."""

    @staticmethod
    def bare(xy: Floats) -> Spots:
        """Take places of which only the point is known.

        Parameters
        ----------
        xy
            Places, shape (n, 2) [m].

        Returns
        -------
        Spots
            Indoors, without size and height.
        """
        none = np.full(len(xy), np.nan)
        return Spots(
            xy=xy,
            radius_m=np.zeros(len(xy)),
            outdoor=np.zeros(len(xy), bool),
            floor_m=none,
            flood_level_m=none,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one check says of every place."""

    check: str
    hazard: str
    """``flood``, ``geohazard``, ``hazmat`` or ``any``."""
    passed: Bools
    known: Bools
    """False where the check could not be made; such a place passes and the table says so."""
    value: Floats
    limit: Floats
    unit: str
    reason: list[Text | str]
    """Reason where not passed, empty where passed."""


def verdict(
    check: str,
    hazard: str,
    failed: Bools,
    reason: list[Text | str],
    *,
    value: Floats | None = None,
    limit: Floats | float = np.nan,
    unit: str = "",
    known: Bools | None = None,
) -> Verdict:
    """Make a verdict; values that are not given are unknown.

    Parameters
    ----------
    check, hazard
        The check and what it guards against.
    failed
        True where not passed, shape (n,).
    reason
        Reason of every place; dropped where it passed.
    value, limit, unit
        What was measured, and against what.
    known
        Where the check could be made; everywhere by default.

    Returns
    -------
    Verdict
        Frozen.
    """
    count = len(failed)
    return Verdict(
        check=check,
        hazard=hazard,
        passed=~failed,
        known=np.ones(count, bool) if known is None else known,
        value=np.full(count, np.nan) if value is None else value,
        limit=np.broadcast_to(np.asarray(limit, np.float64), (count,)).copy(),
        unit=unit,
        reason=[why if bad else "" for why, bad in zip(reason, failed, strict=True)],
    )


def place_checks(spots: Spots, dangers: Dangers, *, presets: Presets) -> tuple[Verdict, ...]:
    """Check places against water, floor, slope, danger areas and hazard sources.

    Parameters
    ----------
    spots
        The places.
    dangers
        What they must keep clear of.
    presets
        Depth, freeboard, slope and distances.

    Returns
    -------
    tuple of Verdict
        ``flood``, ``freeboard``, ``slope``, ``danger_area`` and ``hazard_source``.

    References
    ----------
    GB 21734-2008, 5.2.1, 5.2.3; GB/T 51327-2018, 7.1.3.
    """
    return (
        _in_water(spots, dangers, presets),
        _above_flood(spots, dangers, presets),
        _steep(spots, dangers, presets),
        *_in_danger_areas(spots.xy, dangers),
        _near_source(spots.xy, dangers, presets),
    )


def _in_water(spots: Spots, dangers: Dangers, presets: Presets) -> Verdict:
    xy = spots.xy
    asked = bool(dangers.depths) or dangers.depth_m is not None
    limit = float(presets["flood.criterion_depth_m"]) if asked else np.nan
    depth = np.full(len(xy), np.nan)
    if dangers.depths:
        depth = deepest(dangers.depths, xy, spots.radius_m, str(dangers.grid.crs))
    elif dangers.depth_m is not None:
        cell = cell_of(dangers.grid, xy[:, 0], xy[:, 1])
        flat = np.asarray(dangers.depth_m, np.float64).ravel()
        depth = np.where(cell >= 0, flat[np.maximum(cell, 0)], np.nan)
    wet = np.nan_to_num(depth) >= limit if asked else np.zeros(len(xy), bool)
    said = [text("{depth} m of water", depth=f"{each:.2f}") for each in depth]
    known = np.isfinite(depth) if asked else np.ones(len(xy), bool)
    return verdict(
        "flood", "flood", wet, list(said), value=depth, limit=limit, unit="m", known=known
    )


def _above_flood(spots: Spots, dangers: Dangers, presets: Presets) -> Verdict:
    """Ask for the freeboard above the highest level, where level and floor are known."""
    level, given = spots.flood_level_m, dangers.flood_level
    if isinstance(given, tuple):
        level = np.where(np.isnan(level), sample(given, spots.xy, str(dangers.grid.crs)), level)
    elif given is not None:
        level = np.where(np.isnan(level), float(given), level)
    known = ~np.isnan(level) & ~np.isnan(spots.floor_m)
    board = float(presets["refuge.freeboard_m"]) if known.any() else np.nan
    # Heights are read to the millimetre, so that 10.2 + 0.3 is not more than 10.5.
    low = known & (np.round(spots.floor_m - level, 3) < board)
    said = [
        text("floor at {floor} m, flood level {level} m: {board} m of freeboard wanted",
             floor=f"{f:.2f}", level=f"{h:.2f}", board=f"{board:g}")
        for f, h in zip(spots.floor_m, level, strict=True)
    ]  # fmt: skip
    return verdict(
        "freeboard", "flood", low, list(said),
        value=spots.floor_m, limit=level + board, unit="m", known=known,
    )  # fmt: skip


def _steep(spots: Spots, dangers: Dangers, presets: Presets) -> Verdict:
    """Ask for gentle ground for tents; a house may stand on steeper one, up to the flag."""
    slope = slopes(dangers.dem, spots.xy, str(dangers.grid.crs))
    known = ~np.isnan(slope)
    limit = np.full(len(slope), np.nan)
    if known.any():
        given = presets["refuge.slope"]
        limit = np.where(spots.outdoor, float(given["limit"]), float(given["flag"]))
    steep = known & (slope > limit)
    said = [
        text("slope {slope} %, at most {limit} %", slope=f"{100 * s:.0f}", limit=f"{100 * m:.0f}")
        if bad else ""
        for s, m, bad in zip(slope, limit, steep, strict=True)
    ]  # fmt: skip
    return verdict(
        "slope", "geohazard", steep, list(said), value=slope, limit=limit, unit="1", known=known
    )


HAZARD_OF = {
    "flash_flood": "flood", "lowland": "flood", "river": "flood", "dam": "flood",
    "geohazard": "geohazard", "chemical": "hazmat",
}  # fmt: skip
"""Type of a danger area to the hazard; every other type counts for every hazard."""


def _in_danger_areas(xy: Floats, dangers: Dangers) -> tuple[Verdict, ...]:
    """Give a verdict for each hazard that a danger area stands for, and one for the rest."""
    areas = dangers.areas
    kinds = np.zeros(0, object)
    names: list[str] = []
    point, area = np.zeros(0, np.int64), np.zeros(0, np.int64)
    if areas is not None and len(areas):
        names = texts(areas, "name")
        kinds = np.asarray([HAZARD_OF.get(kind, "any") for kind in texts(areas, "type")], object)
        tree = shapely.STRtree(np.asarray(areas.geometry.array, dtype=object))
        point, area = tree.query(shapely.points(xy), predicate="intersects")
    found = []
    for hazard in ("any", *sorted({*kinds} - {"any"})):
        mine = kinds[area] == hazard if area.size else np.zeros(0, bool)
        which = np.full(len(xy), -1)
        which[point[mine]] = area[mine]
        said = [
            text("inside the danger area {name}", name=names[i]) if i >= 0 else "" for i in which
        ]
        known = np.full(len(xy), areas is not None)
        found.append(verdict("danger_area", hazard, which >= 0, list(said), known=known))
    return tuple(found)


def _near_source(xy: Floats, dangers: Dangers, presets: Presets) -> Verdict:
    """Find the source whose zone reaches deepest over each place; the limit itself is free."""
    sources = dangers.sources
    count = len(xy)
    over, gap, limit = np.zeros(count), np.full(count, np.nan), np.full(count, np.nan)
    owner = np.full(count, -1)
    names: list[str] = []
    if sources is not None and len(sources) and count:
        zones = presets["refuge.hazard_zone_m"]
        levels = [level or "0" for level in texts(sources, "gb18218_level")]
        zone = np.asarray([float(zones.get(level, zones["0"])) for level in levels])
        names = texts(sources, "name")
        shapes = np.asarray(sources.geometry.array, dtype=object)
        tree = shapely.STRtree(shapely.points(xy))
        row, point = tree.query(shapes, predicate="dwithin", distance=zone)
        apart = shapely.distance(shapes[row], shapely.points(xy[point]))
        order = np.lexsort((row, zone[row] - apart, point))[::-1]
        row, point, apart = row[order], point[order], apart[order]
        first = np.r_[True, point[1:] != point[:-1]] if point.size else np.zeros(0, bool)
        row, point, apart = row[first], point[first], apart[first]
        over[point] = zone[row] - apart
        gap[point], limit[point], owner[point] = apart, zone[row], row
    near = over > 0
    said = [
        text(
            "{gap} m from {name}, {limit} m wanted",
            gap=f"{gap[i]:.0f}",
            name=names[owner[i]],
            limit=f"{limit[i]:.0f}",
        )
        if near[i]
        else ""
        for i in range(count)
    ]
    return verdict(
        "hazard_source", "hazmat", near, list(said), value=gap, limit=limit, unit="m",
        known=np.full(count, sources is not None),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class World:
    """What every plan of a run is made from."""

    grid: Grid
    graphs: Mapping[str, RoadGraph]
    units: gpd.GeoDataFrame
    refuges: gpd.GeoDataFrame
    population: Any
    standing: gpd.GeoDataFrame | None
    """Danger areas that always hold."""
    sources: gpd.GeoDataFrame | None
    candidates: gpd.GeoDataFrame | None
    presets: Presets
    data_date: str
    seed: int
    dem: tuple[Raster, ...] = ()
    flood_level: float | tuple[Raster, ...] | None = None
    """Highest historical level of water [m] where the ledger has none."""
    sensitive: gpd.GeoDataFrame | None = None
    """Vulnerable people by unit."""
    on_roads: bool = True
    """False where nobody gave roads and ways are straight lines."""
    pieces: Pieces | None = None
    """People by unit and cell; found from ``population`` otherwise."""
    waterways: gpd.GeoDataFrame | None = None
    """Rivers, which nobody crosses without a bridge."""
    road_names: tuple[str, ...] = ()
    """Name of each row of the road layer."""
    landmarks: Landmarks | None = None
    """Named places by which a way can be told."""
    places: gpd.GeoDataFrame | None = None
    """Schools, homes, hospitals and the like: ``type`` and ``people``, points."""

    @property
    def xy(self) -> NDArray[np.float64]:
        """Places of the refuges, shape (m, 2) [m].

        Returns
        -------
        NDArray[np.float64]
            Metres in the run's CRS.
        """
        return row_xy(self.refuges)

    @property
    def named(self) -> dict[tuple[float, float], str]:
        """Tell on which road a refuge says it stands.

        Returns
        -------
        dict
            Name by coordinates [m]; only of refuges that name one.
        """
        said = named_roads(self.refuges)
        places = zip(self.xy.tolist(), said, strict=True) if any(said) else ()
        return {(x, y): road for (x, y), road in places if road}

    @property
    def outside(self) -> NDArray[np.bool_] | None:
        """Tell which refuges lie outside the place; None where none does.

        Returns
        -------
        NDArray[np.bool_] or None
            Shape (m,).
        """
        if OUTSIDE not in self.refuges:
            return None
        return np.asarray(self.refuges[OUTSIDE].to_numpy(dtype=bool))


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of the world."""

    name: str = ""
    """Name of the scenario; empty without flood."""
    depth_m: Any = None
    """Depth on the cells [m], or None."""
    depths: tuple[Raster, ...] = ()
    """Depth at its own resolution [m]."""
    closures: gpd.GeoDataFrame | None = None
    danger_area: gpd.GeoDataFrame | None = None

    @property
    def dry(self) -> bool:
        """True when neither water nor a closure lies on the roads.

        Returns
        -------
        bool
            Whether it is.
        """
        shut = self.closures is not None and len(self.closures) > 0
        return self.depth_m is None and not self.depths and not shut

    def dangers(self, world: World) -> Dangers:
        """Gather what refuges must keep clear of.

        Parameters
        ----------
        world
            The world.

        Returns
        -------
        Dangers
            Water, standing danger areas and those of the scenario, hazard sources.
        """
        areas = [part for part in (world.standing, self.danger_area) if part is not None]
        filled = [part for part in areas if len(part)]
        return Dangers(
            grid=world.grid,
            depth_m=self.depth_m,
            depths=self.depths,
            dem=world.dem,
            flood_level=world.flood_level,
            areas=pd.concat(filled) if filled else None,
            sources=world.sources,
        )

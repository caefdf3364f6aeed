"""Ways to the refuges: on foot where that is near enough, else by vehicle; closed roads avoided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
import shapely.ops

from riskmap.geo.network.flooded import cut_at_pixels, sample, vehicle_seconds, wet_roads
from riskmap.geo.network.snap import put_by_name, reachable
from riskmap.geo.network.tables import cost_table, find_pieces, shared_with
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network.graph import RoadGraph, Snapped
    from riskmap.layers.layer import Raster
    from riskmap.plans.refuges.dangers import State, World
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    from collections.abc import Sequence


MODES = (("foot", "foot"), ("ride", "emergency"))
"""Mode and road graph, in order of preference."""


TOUCH_M: Final = 0.01
"""Who comes no farther into water than this only stands at its edge [m]."""


@dataclass(frozen=True, kw_only=True)
class Net:
    """One road graph as it is in one scenario."""

    mode: str
    graph: RoadGraph
    edge_cost: NDArray[np.float64]
    """Seconds along each edge, infinite where closed."""
    free_cost: NDArray[np.float64]
    """Seconds along each edge without water and closures."""
    limit_s: float
    snap_m: float
    access_ms: float
    """Speed between a door and its road [m/s]."""
    wade_m: float = np.inf
    """Depth of water that may not be entered between a door and its road [m]."""
    tiles: tuple[Raster, ...] = ()
    """Depth of water [m]."""
    rivers: NDArray[np.object_] | None = None
    """Waterways that nobody crosses without a bridge."""
    named: Mapping[tuple[float, float], str] = field(default_factory=dict, compare=False)
    """Name of the road on which a place says it stands, by its coordinates [m]."""
    kept: dict[bytes, Snapped] = field(default_factory=dict, compare=False, repr=False)
    """Points already put on the road."""

    @property
    def dry(self) -> Net:
        """The same roads without water and closures.

        Returns
        -------
        Net
            Cut as this one.
        """
        return replace(self, edge_cost=self.free_cost, tiles=(), kept={})

    def snap(self, xy: NDArray[np.float64]) -> Snapped:
        """Put points on the passable road that they name, else on the nearest one.

        The straight way to it may neither lead through water that the mode may not enter nor cross
        a waterway; who has no such way is off the network.

        Parameters
        ----------
        xy
            Points, shape (n, 2) [m].

        Returns
        -------
        Snapped
            Places on the network.
        """
        key = np.ascontiguousarray(xy).tobytes()
        if key not in self.kept:
            usable = np.isfinite(self.edge_cost)
            found = reachable(
                self.graph, xy, usable=usable, limit_m=self.snap_m, barred=self.barred
            )
            roads = [self.named.get((x, y), "") for x, y in xy.tolist()] if self.named else []
            self.kept[key] = put_by_name(
                self.graph, xy, self.snap_m, roads, found, usable=usable, barred=self.barred
            )
        return self.kept[key]

    def barred(self, start: Floats, end: Floats) -> NDArray[np.bool_]:
        """Tell which straight ways lead through deep water or across a waterway.

        Parameters
        ----------
        start, end
            Their ends, shape (n, 2) [m].

        Returns
        -------
        NDArray[np.bool_]
            Shape (n,).
        """
        found = np.zeros(len(start), bool)
        if self.tiles:
            line, low, high, depth = cut_at_pixels(start, end, self.tiles, str(self.graph.crs))
            far = (high - low) * np.hypot(*(end - start)[line].T) >= TOUCH_M
            found[line[far & (depth >= self.wade_m)]] = True
            found |= np.nan_to_num(sample(self.tiles, start, str(self.graph.crs))) >= self.wade_m
        if self.rivers is not None and len(self.rivers):
            lines = shapely.linestrings(np.stack([start, end], axis=1))
            found[shapely.STRtree(self.rivers).query(lines, predicate="intersects")[0]] = True
        return found


def nets(
    graphs: Mapping[str, RoadGraph],
    grid: Grid,
    *,
    presets: Presets,
    limits_s: Mapping[str, float],
    depth_m: Any = None,
    depths: tuple[Raster, ...] = (),
    closures: gpd.GeoDataFrame | None = None,
    waterways: gpd.GeoDataFrame | None = None,
    carrier: str = "bus",
    named: Mapping[tuple[float, float], str] | None = None,
) -> tuple[Net, ...]:
    """Give the roads of a scenario for every mode that may be used.

    Parameters
    ----------
    graphs
        Road graph by profile.
    grid
        The grid that the depths stand on.
    presets
        Speeds, wading limits and snapping limit.
    limits_s
        Longest way by mode [s]; 0 leaves a mode out.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m]; counts before ``depth_m``.
    closures
        Closed roads, or None.
    waterways
        Rivers, or None.
    carrier
        Vehicle of those who ride.
    named
        Name of the road on which a place says it stands, by its coordinates [m].

    Returns
    -------
    tuple of Net
        On foot first.
    """
    found = []
    rivers = _rivers(waterways, presets)
    tiles = depth_tiles(grid, depth_m, depths)
    # Who lives far from every road walks there, as far as anybody walks.
    far = limits_s.get("foot", 0.0) * float(presets["road.foot_kmh"]) / 3.6
    for mode, profile in MODES:
        graph = graphs.get(profile)
        if graph is None or limits_s.get(mode, 0) <= 0:
            continue
        vehicle = carrier if mode == "ride" else mode
        roads = wet_roads(graph, tiles, closures)
        access = presets["road.foot_kmh" if mode == "foot" else "network.access_kmh"]
        found.append(
            Net(
                mode=mode,
                graph=roads.graph,
                edge_cost=roads.seconds(vehicle=vehicle, presets=presets),
                free_cost=vehicle_seconds(roads.graph, vehicle=vehicle, presets=presets),
                limit_s=limits_s[mode],
                snap_m=max(float(presets["station.snap_limit_m"]), 2 * grid.size_m, far),
                access_ms=float(access) / 3.6,
                wade_m=float(presets["flood.vehicle_limit_m"][vehicle]),
                tiles=tiles,
                rivers=rivers,
                named=named or {},
            )
        )
    return tuple(found)


def roads_in(
    now: State, world: World, limits_s: Mapping[str, float], *, carrier: str = "bus"
) -> tuple[Net, ...]:
    """Give the roads as they are in one state of the world.

    Parameters
    ----------
    now
        Water and closures.
    world
        The world.
    limits_s
        Longest way by mode [s].
    carrier
        Vehicle of those who ride.

    Returns
    -------
    tuple of Net
        On foot first.
    """
    return nets(
        world.graphs,
        world.grid,
        presets=world.presets,
        limits_s=limits_s,
        depth_m=now.depth_m,
        depths=now.depths,
        closures=now.closures,
        waterways=world.waterways,
        carrier=carrier,
        named=world.named,
    )


def _rivers(waterways: gpd.GeoDataFrame | None, presets: Presets) -> NDArray[np.object_] | None:
    """Give the waterways that nobody steps over."""
    if waterways is None or not len(waterways):
        return None
    small = set(presets["refuge.small_waterways"])
    kinds = waterways["class"].astype(object) if "class" in waterways else None
    shapes = np.asarray(waterways.geometry.array, dtype=object)
    if kinds is not None:
        shapes = shapes[[str(kind) not in small for kind in kinds]]
    return np.asarray(shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)], object)


def group_ways(
    roads: tuple[Net, ...],
    origins: NDArray[np.float64],
    refuges: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> pd.DataFrame:
    """List who reaches which refuge; those who need a vehicle ride, where anybody rides.

    Parameters
    ----------
    roads
        Roads by mode.
    origins, refuges
        Places, shapes (n, 2) and (m, 2) [m].
    assisted
        Who needs a vehicle, shape (n,).

    Returns
    -------
    DataFrame
        As of `ways`.
    """
    riding = tuple(net for net in roads if net.mode == "ride") or roads
    parts = []
    for rows, nets_ in ((np.flatnonzero(~assisted), roads), (np.flatnonzero(assisted), riding)):
        found = ways(nets_, origins[rows], refuges)
        found["demand"] = rows[found["demand"].to_numpy(np.int64)]
        # Riding ranks after walking, whoever rides.
        found["rank"] = (found["mode"] == "ride").astype(np.int64)
        parts.append(found)
    joined = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = ["demand", "rank", "seconds", "refuge"]
    return joined.sort_values(order, kind="stable").reset_index(drop=True)


def ways(
    roads: tuple[Net, ...], origins: NDArray[np.float64], refuges: NDArray[np.float64]
) -> pd.DataFrame:
    """List who reaches which refuge, how, and in what time; the best mode of each pair.

    A pair that can be walked within the limit is walked; otherwise it is ridden.

    Parameters
    ----------
    roads
        Roads by mode.
    origins, refuges
        Places, shapes (n, 2) and (m, 2) [m].

    Returns
    -------
    DataFrame
        demand, refuge (positions), mode, seconds, metres; sorted by demand, mode, seconds.
    """
    parts = []
    for rank, net in enumerate(roads):
        start, end = net.snap(origins), net.snap(refuges)
        on, there = np.flatnonzero(start.on), np.flatnonzero(end.on)
        # One search for each place of the shorter list.
        back = there.size <= on.size
        few, many = (end.take(there), start.take(on)) if back else (start.take(on), end.take(there))
        table = cost_table(
            net.graph,
            few,
            many,
            way="to_facility" if back else "from_facility",
            edge_cost=net.edge_cost,
            limit=net.limit_s,
        )
        rows = on[table.point if back else table.facility]
        cols = there[table.facility if back else table.point]
        walk = start.walk_m[rows] + end.walk_m[cols]
        parts.append(
            pd.DataFrame(
                {
                    "demand": rows,
                    "refuge": cols,
                    "rank": rank,
                    "mode": net.mode,
                    "seconds": table.cost + walk / net.access_ms,
                    "metres": table.other + walk,
                }
            ).query("seconds <= @net.limit_s")
        )
    columns = ["demand", "refuge", "rank", "mode", "seconds", "metres"]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    found: pd.DataFrame = pd.concat(parts, ignore_index=True).sort_values(
        ["demand", "rank", "seconds", "refuge"], kind="stable"
    )
    return found.drop_duplicates(["demand", "refuge"]).reset_index(drop=True)


PENALTY: Final = 20.0
"""A stretch of the first way costs so many times its seconds on the other one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Way:
    """One way along the roads, without the walks to and from them."""

    seconds: float
    """Infinite when there is no way."""
    metres: float
    edges: Ints
    """Whole and part edges in order of travel."""
    shared_m: float
    """Length that it shares with the way it is to replace [m]."""
    geometry: Any
    """LineString, empty when there is no way."""
    ahead: NDArray[np.bool_]
    """Whether each edge is taken in the direction of its line."""
    metres_of: Floats
    """Length of each edge that is used [m]."""
    low: Floats
    """Where the way enters each edge, as a share of its length."""
    high: Floats
    """Where it leaves it."""


NO_WAY: Final = Way(
    seconds=np.inf,
    metres=np.inf,
    edges=np.zeros(0, np.int64),
    shared_m=0.0,
    geometry=shapely.LineString(),
    ahead=np.zeros(0, np.bool_),
    metres_of=np.zeros(0),
    low=np.zeros(0),
    high=np.zeros(0),
)


def find_way(
    graph: RoadGraph,
    cost: Floats,
    start: Snapped,
    end: Snapped,
    *,
    instead_of: Way | None = None,
) -> Way:
    """Find the quickest way between two places on the roads, or the best one beside it.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Seconds along each edge, infinite where closed, shape (m,).
    start, end
        One place each.
    instead_of
        The way that is cut: it is avoided wherever another road exists.

    Returns
    -------
    Way
        Its seconds are the true ones; what it shares with the first way could not be avoided, or
        only by a detour of more than `PENALTY` times.
    """
    first = instead_of
    dearer = None if first is None else ((first.edges, first.low, first.high), PENALTY)
    best, pieces = find_pieces(graph, cost, start, end, direct=first is None, dearer=dearer)
    return _way(graph, cost, pieces, instead_of) if np.isfinite(best) else NO_WAY


def _way(
    graph: RoadGraph, cost: Floats, pieces: tuple[Ints, Floats, Floats], first: Way | None
) -> Way:
    """Put the pieces together."""
    moves = pieces[1] != pieces[2]
    used = np.flatnonzero(moves) if moves.any() else np.zeros(1, np.int64)
    edges, low, high = pieces[0][used], pieces[1][used], pieces[2][used]
    part = np.abs(high - low)
    metres = graph.edge_length_m[edges] * part
    xy = _places(graph.edge_geometry[edges], low, high)
    keep = np.append(True, (np.diff(xy, axis=0) != 0).any(axis=1))
    xy = xy[keep] if keep.sum() > 1 else np.repeat(xy[:1], 2, axis=0)
    shared = np.zeros(len(edges))
    if first is not None:
        shared = shared_with((first.edges, first.low, first.high), (edges, low, high))
    return Way(
        seconds=float((cost[edges] * part).sum()),
        metres=float(metres.sum()),
        edges=edges,
        shared_m=float((graph.edge_length_m[edges] * shared).sum()),
        geometry=shapely.LineString(xy),
        ahead=np.asarray(high >= low, np.bool_),
        metres_of=np.asarray(metres, np.float64),
        low=np.asarray(low, np.float64),
        high=np.asarray(high, np.float64),
    )


def _places(lines: Any, low: Floats, high: Floats) -> Floats:
    """Give the points of lines between two shares of their lengths, in that direction.

    Whole lines are the rule; only the first and the last one of a way may be parts.
    """
    lines, back = lines.copy(), high < low
    for k in np.flatnonzero(np.abs(high - low) != 1.0):
        lines[k] = shapely.ops.substring(lines[k], low[k], high[k], normalized=True)
        back[k] = False  # a part comes in the direction that was asked for
    xy, line = shapely.get_coordinates(lines, return_index=True)
    stop = np.cumsum(np.bincount(line, minlength=len(lines)))
    at = np.arange(len(xy))
    turned = np.append(0, stop[:-1])[line] + stop[line] - 1 - at
    return np.asarray(xy[np.where(back[line], turned, at)])


COLUMNS = [
    "via", "legs", "heading", "avoided_m", "avoided", "other_metres", "other_minutes", "shared_m",
]  # fmt: skip
MOST_NAMES = 5
"""Roads named in a route, the longest ones, in order of travel."""
HEADINGS = (
    text("north"), text("north-east"), text("east"), text("south-east"),
    text("south"), text("south-west"), text("west"), text("north-west"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The roads of every assignment, in its order."""

    table: pd.DataFrame
    """via, heading, avoided_m, avoided, other_metres, other_minutes, shared_m."""
    lines: NDArray[np.object_]
    """First way of each row."""
    others: NDArray[np.object_]
    """The other way, empty where there is none."""
    ways: tuple[Way, ...] = ()
    """First way of each row, edge by edge."""

    def in_order(self, rows: Ints) -> Routes:
        """Put the roads into another order; the table stays.

        Parameters
        ----------
        rows
            Positions.

        Returns
        -------
        Routes
            Lines and ways in that order.
        """
        return replace(
            self, lines=self.lines[rows], others=self.others[rows],
            ways=tuple(self.ways[row] for row in rows.tolist()),
        )  # fmt: skip


def plan_routes(
    pairs: pd.DataFrame,
    roads: Sequence[Net],
    dry: Sequence[Net],
    *,
    origins: Floats,
    refuges: Floats,
    names: Sequence[str],
    most_shared: float = 1.0,
    landmarks: Landmarks | None = None,
    goals: Sequence[str] = (),
) -> Routes:
    """Find the first and the other road of every assignment.

    The other road leads to the same refuge and keeps off the first one wherever it can; what it
    shares with it is given. A closed stretch is avoided when the quickest dry road uses it.

    Parameters
    ----------
    pairs
        demand, refuge, mode: positions.
    roads, dry
        Roads by mode as they are, and without water and closures; the same tuple when nothing is
        closed.
    origins, refuges
        Places [m].
    names
        Name of each row of the road layer, or nothing.
    most_shared
        Another road may share this share of the first way at most; else there is none.
    landmarks
        Named places by which a way can be told, or None.
    goals
        Name of each refuge, which tells no turn on the way to it; or nothing.

    Returns
    -------
    Routes
        In the order of ``pairs``.
    """
    count = len(pairs)
    first: list[Way] = [NO_WAY] * count
    other: list[Way] = [NO_WAY] * count
    usual: list[Way] = [NO_WAY] * count
    via: list[str] = [""] * count
    legs: list[Text | str] = [""] * count
    walk = np.zeros(count)
    avoided: list[tuple[float, str]] = [(0.0, "")] * count
    free = {net.mode: net for net in dry}
    demand, place = pairs["demand"].to_numpy(np.int64), pairs["refuge"].to_numpy(np.int64)
    for net in roads:
        start, end = net.snap(origins), net.snap(refuges)
        was = free.get(net.mode) if dry is not roads else None
        leave, reach = (was.snap(origins), was.snap(refuges)) if was else (start, end)
        for row in np.flatnonzero((pairs["mode"] == net.mode).to_numpy()):
            here, there = _one(start, demand[row]), _one(end, place[row])
            walk[row] = here.walk_m[0] + there.walk_m[0]
            first[row] = find_way(net.graph, net.edge_cost, here, there)
            other[row] = find_way(net.graph, net.edge_cost, here, there, instead_of=first[row])
            if other[row].shared_m > most_shared * first[row].metres:
                other[row] = NO_WAY
            via[row] = _names(net, first[row], names)
            goal = goals[int(place[row])] if len(goals) else ""
            legs[row] = _legs(net, first[row], here, there, names, landmarks, goal)
            if was is not None:
                before = _one(leave, demand[row]), _one(reach, place[row])
                usual[row] = find_way(was.graph, was.edge_cost, *before)
                avoided[row] = _avoided(net, usual[row], names)
    return Routes(
        table=_table(pairs, roads, other, first, walk)
        .assign(
            via=via,
            legs=pd.Series(legs, dtype=object),
            heading=pd.Series(_headings(origins[demand], refuges[place]), dtype=object),
            avoided_m=[round(length) for length, _ in avoided],
            avoided=[said for _, said in avoided],
        )
        .loc[:, COLUMNS],
        lines=_shapes([way.geometry for way in first]),
        others=_shapes([_apart(a, b) for a, b in zip(first, other, strict=True)]),
        ways=tuple(first),
    )


def _same(first: Way, other: Way) -> bool:
    """Tell that there is no other way."""
    return not np.isfinite(other.seconds) or np.array_equal(first.edges, other.edges)


def _apart(first: Way, other: Way) -> Any:
    return shapely.LineString() if _same(first, other) else other.geometry


def _table(
    pairs: pd.DataFrame, roads: Sequence[Net], other: list[Way], first: list[Way], walk: Floats
) -> pd.DataFrame:
    """Measure the other ways, the walks to and from the road included."""
    speed = {net.mode: net.access_ms for net in roads}
    on_foot = np.asarray([speed.get(mode, 1.0) for mode in pairs["mode"]], np.float64)
    gone = np.asarray([_same(a, b) for a, b in zip(first, other, strict=True)], bool)
    minutes = (np.asarray([way.seconds for way in other], np.float64) + walk / on_foot) / 60
    metres = np.asarray([way.metres for way in other], np.float64) + walk
    shared = np.asarray([way.shared_m for way in other], np.float64)
    return pd.DataFrame(
        {
            "other_metres": np.where(gone, np.nan, np.round(metres)),
            "other_minutes": np.where(gone, np.nan, np.round(minutes, 1)),
            "shared_m": np.where(gone, np.nan, np.round(shared)),
        }
    )


def _one(points: Snapped, row: int) -> Snapped:
    return points.take(np.array([row]))


def _shapes(given: list[Any]) -> NDArray[np.object_]:
    found = np.empty(len(given), dtype=object)
    found[:] = given
    return found


def _names(net: Net, way: Way, names: Sequence[str]) -> str:
    """Name the longest roads of a way in order of travel."""
    if not len(names) or not way.edges.size:
        return ""
    rows = net.graph.edge_row[way.edges]
    said = [names[row] for row in rows]
    metres: dict[str, float] = {}
    for name, length in zip(said, way.metres_of, strict=True):
        if name:
            metres[name] = metres.get(name, 0.0) + float(length)
    longest = sorted(metres, key=lambda name: -metres[name])[:MOST_NAMES]
    return " → ".join(name for name in metres if name in longest)


@dataclass(frozen=True, eq=False, kw_only=True)
class Landmarks:
    """Named places by which people tell a way."""

    xy: Floats
    """Shape (n, 2) [m]."""
    names: Sequence[str]

    def near(self, x: float, y: float, *, without: Sequence[str] = ()) -> str:
        """Give the name of the nearest place within `LANDMARK_M`; empty for none.

        Parameters
        ----------
        x, y
            A point [m].
        without
            Names that tell nothing there: where the way leads to, and what was just named.

        Returns
        -------
        str
            Name.
        """
        if not len(self.xy):
            return ""
        apart = np.hypot(self.xy[:, 0] - x, self.xy[:, 1] - y)
        order = np.flatnonzero(apart <= LANDMARK_M)
        order = order[np.argsort(apart[order], kind="stable")]
        named = (self.names[k] for k in order.tolist())
        return next((name for name in named if name not in without), "")


LANDMARK_M: Final = 80.0
"""A place this near a turn tells it [m]."""
MOST_LEGS: Final = 6
"""Legs of a way as they are told; the shortest ones join the leg before."""


def _legs(
    net: Net,
    way: Way,
    here: Snapped,
    there: Snapped,
    names: Sequence[str],
    landmarks: Landmarks | None,
    goal: str = "",
) -> Text | str:
    """Tell a way leg by leg: road, direction, metres and what stands at its end."""
    xy = np.asarray(way.geometry.coords) if way.edges.size else here.xy[[0, 0]]
    stops = _stops(net, way, names)
    said: Text | str = ""
    if here.walk_m[0] >= LEAST_LEG_M:
        said = text("{m} m from the door to the road", m=f"{here.walk_m[0]:.0f}")
    ends = np.cumsum([metres for _, metres in stops])
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]
    at = np.column_stack([np.interp(np.r_[0.0, ends], along, xy[:, k]) for k in (0, 1)])
    headings = _headings(at[:-1], at[1:])
    named = ""
    for turn, (name, metres) in enumerate(stops):
        heading, more = headings[turn], turn < len(stops) - 1
        if more and (stops[turn + 1][0], headings[turn + 1]) == (name, heading):
            # One road straight on is one leg, whatever lay between.
            stops[turn + 1] = (name, metres + stops[turn + 1][1])
            continue
        what: Text | str = (
            text("{heading} along {road} for {m} m", heading=heading, road=name, m=f"{metres:.0f}")
            if name
            else text("{heading} for {m} m", heading=heading, m=f"{metres:.0f}")
        )
        if more and landmarks is not None:
            mark = landmarks.near(*at[turn + 1].tolist(), without=(goal, named))
            if mark:
                what, named = text("{leg}, as far as {mark}", leg=what, mark=mark), mark
        said = text("{first}; then {second}", first=said, second=what) if said else what
    if there.walk_m[0] >= LEAST_LEG_M:
        door = text("{m} m from the road to the refuge", m=f"{there.walk_m[0]:.0f}")
        said = text("{first}; then {second}", first=said, second=door) if said else door
    return said


CLASS_WORDS: Final = {
    "motorway": text("the expressway"), "trunk": text("the national road"),
    "primary": text("the main road"), "secondary": text("the secondary road"),
    "tertiary": text("the branch road"), "residential": text("the residential street"),
    "living_street": text("the residential street"), "unclassified": text("the country road"),
    "service": text("the service road"), "track": text("the farm track"),
    "footway": text("the footpath"), "path": text("the footpath"), "steps": text("the steps"),
    "pedestrian": text("the pedestrian street"), "platform": text("the platform"),
}  # fmt: skip
"""Words for roads without a name, by OSM class."""
LEAST_LEG_M: Final = 20.0
"""Shorter legs are not told [m]."""


def _stops(net: Net, way: Way, names: Sequence[str]) -> list[tuple[Text | str, float]]:
    """Join the edges of one road; short legs and too many of them join the leg before."""
    rows, kinds = net.graph.edge_row[way.edges], net.graph.edge_class[way.edges]
    legs: list[tuple[Text | str, float]] = []
    for row, kind, metres in zip(rows.tolist(), kinds, way.metres_of.tolist(), strict=True):
        name = (names[row] if len(names) else "") or CLASS_WORDS.get(str(kind), "")
        if legs and legs[-1][0] == name:
            legs[-1] = (name, legs[-1][1] + metres)
        else:
            legs.append((name, metres))
    while len(legs) > 1:
        least = min(range(len(legs)), key=lambda k: legs[k][1])
        if legs[least][1] >= LEAST_LEG_M and len(legs) <= MOST_LEGS:
            break
        other = least - 1 if least else 1
        name = max((legs[least], legs[other]), key=lambda leg: leg[1])[0]
        both = (name, legs[least][1] + legs[other][1])
        low = min(least, other)
        legs[low : low + 2] = [both]
        if low and legs[low - 1][0] == name:
            legs[low - 1 : low + 1] = [(name, legs[low - 1][1] + both[1])]
    return legs


def _avoided(net: Net, usual: Way, names: Sequence[str]) -> tuple[float, str]:
    """Measure and name what is closed on the way that people would take otherwise."""
    closed = ~np.isfinite(net.edge_cost[usual.edges])
    rows = net.graph.edge_row[usual.edges[closed]]
    said = {names[row] for row in rows} - {""} if len(names) else set()
    return float(usual.metres_of[closed].sum()), "、".join(sorted(said))


def _headings(start: Floats, end: Floats) -> list[Text]:
    """Say in which direction each refuge lies."""
    if not len(start):
        return []
    east, north = (end - start).T
    eighth = np.round(np.degrees(np.arctan2(east, north)) / 45).astype(np.int64) % 8
    return [HEADINGS[k] for k in eighth]

"""The road of every group in words: length, closed stretches avoided, and the other road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import Text, text
from riskmap.plans.refuge_detours import NO_WAY, Way, find_way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from riskmap.geo.network import Snapped
    from riskmap.plans.refuge_roads import Net

    Floats = NDArray[np.float64]

COLUMNS = [
    "via", "heading", "avoided_m", "avoided", "other_metres", "other_minutes", "shared_m",
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


def plan_routes(
    pairs: pd.DataFrame,
    roads: Sequence[Net],
    dry: Sequence[Net],
    *,
    origins: Floats,
    refuges: Floats,
    names: Sequence[str],
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
            via[row] = _names(net, first[row], names)
            if was is not None:
                before = _one(leave, demand[row]), _one(reach, place[row])
                usual[row] = find_way(was.graph, was.edge_cost, *before)
                avoided[row] = _avoided(net, usual[row], names)
    return Routes(
        table=_table(pairs, roads, other, first, walk)
        .assign(
            via=via,
            heading=pd.Series(_headings(origins[demand], refuges[place]), dtype=object),
            avoided_m=[round(length) for length, _ in avoided],
            avoided=[said for _, said in avoided],
        )
        .loc[:, COLUMNS],
        lines=_shapes([way.geometry for way in first]),
        others=_shapes([_apart(a, b) for a, b in zip(first, other, strict=True)]),
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
    speed = {net.mode: net.foot_ms for net in roads}
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
    for name, length in zip(said, net.graph.edge_length_m[way.edges], strict=True):
        if name:
            metres[name] = metres.get(name, 0.0) + float(length)
    longest = sorted(metres, key=lambda name: -metres[name])[:MOST_NAMES]
    return " → ".join(name for name in metres if name in longest)


def _avoided(net: Net, usual: Way, names: Sequence[str]) -> tuple[float, str]:
    """Measure and name what is closed on the way that people would take otherwise."""
    if not usual.edges.size:
        return 0.0, ""
    shut = usual.edges[~np.isfinite(net.edge_cost[usual.edges])]
    said = {names[row] for row in net.graph.edge_row[shut]} - {""} if len(names) else set()
    return float(net.graph.edge_length_m[shut].sum()), "、".join(sorted(said))


def _headings(start: Floats, end: Floats) -> list[Text]:
    """Say in which direction each refuge lies."""
    if not len(start):
        return []
    east, north = (end - start).T
    eighth = np.round(np.degrees(np.arctan2(east, north)) / 45).astype(np.int64) % 8
    return [HEADINGS[k] for k in eighth]

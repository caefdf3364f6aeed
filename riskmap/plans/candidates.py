"""Candidate sites: where a station could stand, and where it must not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from riskmap.errors import InfeasibleError
from riskmap.geo.network import RoadGraph, Snapped, snap_points
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import geopandas as gpd

Floats = NDArray[np.float64]
HAZARD_KEY: Final = "station.hazmat_distance_m"
_SHOWN: Final = 10
"""So many of the left-out candidates are named."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidates:
    """Places that may be chosen, on the network."""

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    xy: Floats
    on_road: Snapped
    notes: tuple[Text, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Zones:
    """Where no station may stand."""

    forbidden: gpd.GeoDataFrame | None = None
    """Polygons, such as danger areas."""
    hazards: gpd.GeoDataFrame | None = None
    """Hazard sources; the least distance is the preset ``station.hazmat_distance_m``."""
    depths: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Scenario to depth of water on the cells, shape (ny, nx) [m]."""


def thin(xy: Floats, weight: Floats, most: int) -> NDArray[np.int64]:
    """Keep at most ``most`` places, spread over the whole area.

    The area is parted into squares just large enough; each keeps its place of most weight.

    Parameters
    ----------
    xy
        Places, shape (n, 2) [m].
    weight
        Weight of each place, shape (n,).
    most
        Largest number kept.

    Returns
    -------
    numpy.ndarray
        Positions kept, ascending.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [10.0, 0.0], [1000.0, 0.0]])
    >>> thin(xy, np.array([1.0, 5.0, 1.0]), 2).tolist()
    [1, 2]
    """
    if len(xy) <= most:
        return np.arange(len(xy))
    low = xy.min(axis=0)
    side = float(np.sqrt(np.prod(np.ptp(xy, axis=0) + 1.0) / most))
    while True:
        square = np.floor((xy - low) / side).astype(np.int64)
        key = square[:, 0] * (int(square[:, 1].max()) + 1) + square[:, 1]
        order = np.lexsort((xy[:, 1], xy[:, 0], -weight, key))
        first = order[np.diff(key[order], prepend=-1) != 0]
        if len(first) <= most:
            return np.sort(first)
        side *= 1.1


def choose_candidates(
    graph: RoadGraph,
    *,
    xy: Floats,
    ids: NDArray[np.object_],
    weight: Floats,
    most: int | None,
    snap_limit_m: float,
    names: NDArray[np.object_] | None = None,
    listed: bool = False,
    place: shapely.Geometry | None = None,
    forbidden: gpd.GeoDataFrame | None = None,
    wet: NDArray[np.bool_] | None = None,
    hazards: gpd.GeoDataFrame | None = None,
    hazard_m: float = 0.0,
) -> Candidates:
    """Leave out the places where no station may stand, and thin the rest.

    Parameters
    ----------
    graph
        The road graph.
    xy, ids, weight
        Places, their names and weights.
    most
        Largest number of candidates; None keeps all.
    snap_limit_m
        Longest way to a road [m].
    names
        What the places are called; their ids otherwise.
    listed
        Whether the places were given one by one, so that those left out are named.
    place
        Candidates outside it are left out.
    forbidden
        Polygons in which no station may stand.
    wet
        True where a place is under water.
    hazards
        Hazard sources.
    hazard_m
        Least distance to a hazard source [m].

    Returns
    -------
    Candidates
        With a note for each reason and the number left out by it.

    Raises
    ------
    InfeasibleError
        If none is left.
    """
    points = shapely.points(xy)
    on_road = snap_points(graph, xy, limit_m=snap_limit_m)
    reasons: list[tuple[Text, NDArray[np.bool_]]] = [
        (text("farther than {m} m from a road", m=f"{snap_limit_m:g}"), ~on_road.on)
    ]
    if place is not None:
        shapely.prepare(place)
        reasons.append((text("outside the place"), ~shapely.intersects(place, points)))
    if wet is not None:
        reasons.append((text("under water in a scenario"), wet))
    if forbidden is not None and len(forbidden):
        reasons.append((text("in a forbidden zone"), _hit(points, forbidden, 0.0)))
    if hazards is not None and len(hazards) and hazard_m > 0:
        reason = text("less than {m} m from a hazard source", m=f"{hazard_m:g}")
        reasons.append((reason, _hit(points, hazards, hazard_m)))
    free, notes = _sift(ids, reasons, listed=listed)
    if not free.any():
        said = str(text("; ")).join(map(str, notes)) or str(text("none is given"))
        raise InfeasibleError(text("no candidate site is left ({why})", why=said))
    rows = np.flatnonzero(free)
    if most is not None and len(rows) > most:
        notes.append(
            text(
                "of {n} possible sites {most} at most are compared, spread evenly; a finer search "
                "may find a slightly better place",
                n=len(rows), most=most,
            )
        )  # fmt: skip
        rows = rows[thin(xy[rows], weight[rows], most)]
    return Candidates(
        ids=ids[rows],
        names=(ids if names is None else names)[rows],
        xy=xy[rows],
        on_road=on_road.take(rows),
        notes=tuple(notes),
    )


def _sift(
    ids: NDArray[np.object_],
    reasons: Sequence[tuple[Text, NDArray[np.bool_]]],
    *,
    listed: bool,
) -> tuple[NDArray[np.bool_], list[Text]]:
    """Leave out what a reason forbids; each is counted once, by its first reason."""
    free = np.ones(len(ids), dtype=bool)
    notes = []
    for reason, hit in reasons:
        lost = ids[free & hit]
        free &= ~hit
        if len(lost) and listed:
            shown = "、".join(map(str, lost[:_SHOWN])) + ("…" if len(lost) > _SHOWN else "")
            said = text("{n} candidate sites left out: {reason}", n=len(lost), reason=reason)
            notes.append(text("{said} ({names})", said=said, names=shown))
        elif len(lost):
            notes.append(text("{n} candidate sites left out: {reason}", n=len(lost), reason=reason))
    return free, notes


def _hit(
    points: NDArray[np.object_], zones: gpd.GeoDataFrame, distance_m: float
) -> NDArray[np.bool_]:
    """Tell which points lie in zones or within a distance of them, the limit itself being free."""
    shapes = np.asarray(zones.geometry.array, dtype=object)
    shapes = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    hit = np.zeros(len(points), dtype=bool)
    if not len(shapes):
        return hit
    if distance_m <= 0:
        hit[shapely.STRtree(shapes).query(points, predicate="intersects")[0]] = True
        return hit
    tree = shapely.STRtree(shapes)
    found, gap = tree.query_nearest(
        points, max_distance=distance_m, return_distance=True, all_matches=False
    )
    hit[found[0][gap < distance_m]] = True
    return hit

"""Travel by road: seconds from every cell, and the nearest refuge and station of every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.errors import LayerError
from riskmap.i18n import Text, text
from riskmap.layers.layer import placed_rows, with_beyond

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.geo.network.snap import Snapped
    from riskmap.layers.layer import Layer
    from riskmap.pipeline.ground import Ground
    from riskmap.project.schema import Project
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


FACILITIES = {"refuge": ("foot", "to_facility"), "rescue_station": ("emergency", "from_facility")}
"""Role to the profile and direction in which its places are reached."""


@dataclass(frozen=True, kw_only=True)
class Roads:
    """Road graphs by profile, travel seconds of the cells by role, and what must be said."""

    graphs: Mapping[str, RoadGraph] = field(default_factory=dict)
    seconds: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()


def build_roads(
    layers: Mapping[str, Layer],
    grid: Grid,
    *,
    direction: str | None,
    presets: Presets,
    crs: str,
    roles: Mapping[str, Role] | None = None,
    cache: Path | None = None,
    hour: int | None = None,
) -> Roads:
    """Build the road graphs and measure how far every cell is from refuge and station.

    Parameters
    ----------
    layers
        The layers.
    grid
        The grid.
    direction
        How road lines may be driven, or None.
    presets
        Speeds and snapping limit.
    crs
        The run's CRS.
    roles
        The roles, which say what is out of use; None takes every row.
    cache
        Folder in which road graphs are kept between runs, or None.
    hour
        Hour of the day whose traffic vehicles meet; None: free flow.

    Returns
    -------
    Roads
        Empty when there is no road layer: distances are straight lines then.
    """
    lines = placed_rows(layers, "road")
    if lines is None:
        return Roads(notes=(text("No road layer: distances are straight lines."),))
    from riskmap.geo.network.remarks import hour_notes

    graphs: dict[str, Any] = {}
    seconds: dict[str, NDArray[np.float32]] = {}
    notes: list[Text] = []
    for role, (profile, way) in FACILITIES.items():
        places = with_beyond(layers, role, roles)
        if places is None:
            continue
        try:
            graph = profile_graph(
                lines, profile, direction=direction, presets=presets, crs=crs, cache=cache,
                hour=hour,
            )  # fmt: skip
        except LayerError as error:
            notes.append(text("Roads cannot be used ({why}).", why=str(error)))
            continue
        graphs[profile] = graph
        notes.extend(text("Roads: {note}.", note=note) for note in graph.notes)
        seconds[role] = cell_seconds(graph, places, grid, way=way, presets=presets)
    if graphs:
        said = hour_notes(graphs["emergency"]) if "emergency" in graphs else ()
        free = text(
            "Travel times are free-flow (自由流): no traffic, no water and no turn-out counted."
        )
        notes.extend(text("Roads: {note}.", note=note) for note in said)
        notes += [] if said else [free]
    told = {str(note): note for note in notes}
    return Roads(graphs=graphs, seconds=seconds, notes=tuple(told.values()))


def profile_graph(
    lines: gpd.GeoDataFrame,
    profile: str,
    *,
    direction: str | None,
    presets: Presets,
    crs: str,
    cache: Path | None = None,
    hour: int | None = None,
) -> RoadGraph:
    """Build the road graph of one profile.

    Parameters
    ----------
    lines
        The road layer.
    profile
        ``foot``, ``car`` or ``emergency``.
    direction
        How road lines may be driven, or None.
    presets
        Speeds.
    crs
        The run's CRS.
    cache
        Folder in which road graphs are kept between runs, or None.
    hour
        Hour of the day whose traffic vehicles meet; None: free flow.

    Returns
    -------
    RoadGraph
        The graph.

    Raises
    ------
    LayerError
        When the lines make no network.
    """
    from riskmap.geo.network import build_graph
    from riskmap.geo.network.store import kept_graph
    from riskmap.geo.network.travel import at_hour

    oneway = "oneway" if direction == "oneway_field" and "oneway" in lines else None
    options: dict[str, Any] = {
        "profile": profile,
        "direction": direction,
        "oneway_field": oneway,
        "crs": crs,
    }
    values = {key: presets.preset(key).value for key in presets}
    graph = kept_graph(
        cache,
        lines,
        options,
        values,
        presets,
        lambda seen: build_graph(lines, presets=seen, **options),
    )
    return at_hour(graph, hour, presets)


AS_NEAR_M: Final = 1e-5
"""Roads whose distances to a point differ by less are as near [m]."""
STRAIGHT: Final = "straight"
"""Class of the edges where there are no roads."""
_STEPS: Final = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
"""Neighbours (columns, rows) that a point of the open country is joined to, half of them."""
_MOST_NODES: Final = 20_000


def straight_graph(grid: Grid, profile: str, *, presets: Presets) -> RoadGraph:
    r"""Stand in for roads that nobody gave: open country, straight ways, a stated detour.

    Points at the cells' spacing are joined to their sixteen neighbours, so that a way is at most
    2.8 % longer than the straight line; its length and time then take the detour factor.

    Parameters
    ----------
    grid
        The grid; its place is the country.
    profile
        ``foot`` or a vehicle's.
    presets
        ``road.straight_detour``, ``road.straight_kmh`` and ``road.foot_kmh``.

    Returns
    -------
    RoadGraph
        With edges of class `STRAIGHT`.
    """
    import shapely

    from riskmap.geo.network.graph import RoadGraph, arcs

    west, south, east, north = grid.bounds
    step = max(grid.size_m, float(np.sqrt((east - west) * (north - south) / _MOST_NODES)))
    nx, ny = (max(int(np.ceil(side / step)) + 1, 2) for side in (east - west, north - south))
    column, row = (part.ravel() for part in np.meshgrid(np.arange(nx), np.arange(ny)))
    xy = np.column_stack([west + column * step, south + row * step])
    ends = []
    for across, up in _STEPS:
        to = (column + across < nx) & (row + up < ny) & (row + up >= 0)
        here = np.flatnonzero(to)
        ends.append(np.column_stack([here, here + up * nx + across]))
    tail, head = (part.astype(np.int64) for part in np.concatenate(ends).T)
    detour = float(presets["road.straight_detour"])
    speed = float(presets["road.foot_kmh" if profile == "foot" else "road.straight_kmh"])
    length = np.hypot(*(xy[head] - xy[tail]).T) * detour
    both = np.ones(len(tail), bool)
    indptr, indices, edge = arcs(tail, head, both, both, len(xy))
    return RoadGraph(
        crs=grid.crs, profile=profile, node_xy=xy, indptr=indptr, indices=indices, arc_edge=edge,
        arc_length_m=length[edge], arc_seconds=length[edge] * 3.6 / speed,
        edge_tail=tail, edge_head=head, edge_length_m=length,
        edge_speed_kmh=np.full(len(tail), speed), edge_forward=both, edge_backward=both,
        edge_row=np.zeros(len(tail), np.int64), edge_twin_row=np.full(len(tail), -1, np.int64),
        edge_class=np.full(len(tail), STRAIGHT, dtype=object),
        edge_geometry=np.asarray(shapely.linestrings(np.stack([xy[tail], xy[head]], 1)), object),
        component=np.zeros(len(xy), np.int64), island=np.zeros(len(xy), bool),
    )  # fmt: skip


def find_graph(
    project: Project, ground: Ground, roads: Roads, profile: str, *, grid: Grid
) -> RoadGraph | None:
    """Give the road graph of a profile, built now when no facility has asked for it.

    Parameters
    ----------
    project
        How road lines may be driven, and where graphs are kept.
    ground
        Layers, presets and CRS.
    roads
        The graphs of the run.
    profile
        ``foot`` or ``emergency``.
    grid
        The grid.

    Returns
    -------
    RoadGraph or None
        `straight_graph` without a road layer; None when its lines make no network, as `build_roads`
        has said.
    """
    from riskmap.pipeline.ground import road_cache

    lines = placed_rows(ground.layers, "road")
    if profile in roads.graphs:
        return roads.graphs[profile]
    if lines is None:
        return straight_graph(grid, profile, presets=ground.presets)
    try:
        return profile_graph(
            lines,
            profile,
            direction=road_direction(project),
            presets=ground.presets,
            crs=ground.crs,
            cache=road_cache(project),
            hour=project.traffic.hour,
        )
    except LayerError:
        return None


def road_direction(project: Project) -> str | None:
    """Tell how the project says road lines may be driven.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    str or None
        That of the first road source; None leaves it to the lines' own tags.
    """
    sources = project.layers.get("road")
    return sources[0].direction if sources else None


def _on_every_near_road(
    graph: RoadGraph, xy: NDArray[np.float64]
) -> tuple[Snapped, NDArray[np.int64]]:
    """Put points on their nearest road, and where others are as near on each of them.

    Who lives as far from two roads takes the better one; which was drawn first says nothing.
    """
    from riskmap.geo.network import snap_points
    from riskmap.geo.network.snap import Snapped

    first = snap_points(graph, xy, limit_m=np.inf)
    steps = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]) * AS_NEAR_M
    beside = (xy[None] + steps[:, None]).reshape(-1, 2)
    other = snap_points(graph, beside, limit_m=np.inf)
    row = np.tile(np.arange(len(xy)), len(steps))
    apart = np.hypot(*(other.xy - first.xy[row]).T)
    tied = other.on & (apart > 1000 * AS_NEAR_M)
    parts = (
        np.concatenate([getattr(first, name), getattr(other, name)[tied]])
        for name in ("edge", "along", "walk_m", "xy")
    )
    return Snapped(*parts), np.concatenate([np.arange(len(xy)), row[tied]])


def cell_seconds(
    graph: RoadGraph,
    places: gpd.GeoDataFrame,
    grid: Grid,
    *,
    way: str,
    presets: Presets,
    edge_cost: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Measure the time by road between each cell inside the place and its nearest facility.

    The last metres between road and door are timed by mode, at both ends; beyond the snapping limit
    everybody walks.

    Parameters
    ----------
    graph
        The road graph.
    places
        The facilities.
    grid
        The grid.
    way
        ``from_facility`` or ``to_facility``.
    presets
        Snapping limit and walking speed.
    edge_cost
        Time along each edge, infinite where closed, shape (m,) [s]; None: free flow.

    Returns
    -------
    ndarray
        Shape (ny, nx) [s]; NaN where no road leads.
    """
    from riskmap.geo.grid import cell_centres, inside_cells
    from riskmap.geo.network import nearest_seconds
    from riskmap.geo.network.snap import snap_rows

    cells = inside_cells(grid)
    limit = max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)
    # A cell far from every road is as much later as the walk to it takes, not out of reach.
    at, row = _on_every_near_road(graph, np.column_stack(cell_centres(grid, cells)))
    to = snap_rows(graph, places, limit_m=limit)
    on_foot = float(presets["road.foot_kmh"]) / 3.6
    speed = on_foot if way == "to_facility" else float(presets["network.access_kmh"]) / 3.6
    last = np.where(to.on, to.walk_m, 0.0) / speed
    found = nearest_seconds(graph, to, at, way=way, start=last, edge_cost=edge_cost)  # type: ignore[arg-type]
    walk = np.minimum(at.walk_m, limit) / speed + np.maximum(at.walk_m - limit, 0.0) / on_foot
    seconds = np.full(grid.shape[0] * grid.shape[1], np.nan, np.float32)
    best = np.full(len(cells), np.inf)
    np.minimum.at(best, row, found.cost + walk)
    reached = np.isfinite(best)
    seconds[cells[reached]] = np.round(best[reached], 3)
    return seconds.reshape(grid.shape)

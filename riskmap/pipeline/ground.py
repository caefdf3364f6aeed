"""Units, CRS, place, checked layers and roads: what every later stage stands on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap import progress
from riskmap.errors import CRSError, LayerError, Problem
from riskmap.export.onemap.backdrop import photo_files
from riskmap.files import sha256
from riskmap.geo.grid import cell_centres, inside_cells, metric_crs, require_metric
from riskmap.geo.network.build import build_graph
from riskmap.geo.network.graph import RoadGraph, arcs, kept_graph
from riskmap.geo.network.rules import hour_notes
from riskmap.geo.network.snap import snap_rows, snap_tied
from riskmap.geo.network.travel import at_hour, nearest_seconds
from riskmap.i18n import Text, text
from riskmap.layers.check import known_of, read_known, write_known
from riskmap.layers.layer import placed_rows, with_beyond
from riskmap.layers.read.layer import NOT_GIVEN, read_layer
from riskmap.layers.unit_shapes import close_holes, outline_doubts
from riskmap.layers.units import read_units
from riskmap.project.words import read_words, with_words, words_file
from riskmap.result import InputFile
from riskmap.vocabulary.columns import AREA_KM2, LEVEL, NAME, PARENT_ID, UNIT_LEVELS, WGS84
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.layers.layer import Layer, Source
    from riskmap.project.schema import Project
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


WORLD = "EPSG:6933"
"""Metres for a place that is not known yet: the world's equal-area cylinder."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every stage stands on."""

    roles: Mapping[str, Role]
    presets: Presets
    crs: str
    units: gpd.GeoDataFrame
    place: Any
    layers: Mapping[str, Layer]
    problems: tuple[Problem, ...]
    unit_sources: tuple[Source, ...] = ()
    """Files of the units, with rows in, used and returned."""
    veiled: bool = False
    """True when layers and texts are those from which the public edition is computed."""
    words: re.Pattern[str] | None = None
    """Names of persons that no text of a veiled run may hold."""


def read_ground(project: Project) -> Ground:
    """Read roles, presets, units and boundary, and choose the run's CRS.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Ground
        Without layers, but for the boundary.

    Raises
    ------
    LayerError
        When no unit can be used.
    CRSError
        When the CRS is no metric one.
    """
    roles = roles_of(project)
    presets = load_presets(project.presets)
    units, sources, problems = read_units(
        project.unit_specs(), outline=lambda: _outline(project, roles["boundary"])
    )
    if units.empty:
        raise LayerError(
            text("units: no unit can be used"), tuple(problems) or (_no_units(project),)
        )
    crs = choose_crs(project.crs, units)
    units = describe_units(units.to_crs(crs))
    layers: dict[str, Layer] = {}
    if project.layers.get("boundary"):
        layers["boundary"], said = read_layer(
            roles["boundary"], project.layer_specs("boundary"), crs=crs, place=None
        )
        problems += said
    outline = layers["boundary"].table if "boundary" in layers else None
    place = units if outline is None or outline.empty else outline
    if place is outline and outline is not None and _says_no_datum(project):
        problems += outline_doubts(units, outline, gain=presets["reading.outline_misfit"])
    limit = presets["reading.outline_hole_m2"]
    whole, n, area = close_holes(place.geometry.union_all(), below_m2=limit)
    if n:
        problems.append(_closed(project, n, area, limit))
    return Ground(
        roles=roles,
        presets=presets,
        crs=crs,
        units=units,
        place=whole,
        layers=layers,
        problems=tuple(problems),
        unit_sources=sources,
    )


def _says_no_datum(project: Project) -> bool:
    """Tell whether neither units nor boundary are declared to be in a datum."""
    specs: list[Any] = [*project.unit_specs(), *project.layer_specs("boundary")]
    return all(spec.datum == "auto" and spec.crs is None for spec in specs)


def _closed(project: Project, n: int, area: float, limit: float) -> Problem:
    """Tell of the holes that were filled when the outlines were merged."""
    return Problem(
        "note", "unit", "holes_closed",
        text(
            "{n} gaps and holes smaller than {limit} m2 between the outlines were closed, {area} "
            "m2 together",
            n=n, limit=f"{limit:g}", area=f"{area:.0f}",
        ),
        text("nothing to do; presets: reading.outline_hole_m2 changes the limit"),
        file=project.unit_specs()[0].shown,
    )  # fmt: skip


def roles_of(project: Project) -> dict[str, Role]:
    """Give the roles as the project knows them: shipped, its own, with the office's words.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    dict
        Role by name.
    """
    roles = load_roles(project.file(project.roles) if project.roles else None)
    return with_words(roles, read_words(words_file(project.path), roles))


def _no_units(project: Project) -> Problem:
    """Say that the sheets of the units are not filled in."""
    spec = project.unit_specs()[0]
    return Problem(
        severity="unusable",
        role="unit",
        rule="no_units",
        message=text("no unit is filled in"),
        mend=text("write the villages into this sheet: name, town, people and a point each"),
        file=spec.shown,
        sheet=spec.sheet or "",
    )


def _outline(project: Project, role: Role) -> Any:
    """Read the boundary alone, for units that have no outline of their own."""
    if not project.layers.get("boundary"):
        return None
    found, _ = read_layer(role, project.layer_specs("boundary"), crs=WORLD, place=None)
    if found.table is None or found.table.empty:
        return None
    return found.table.to_crs(WGS84).geometry.make_valid().union_all()


def choose_crs(wanted: str, units: gpd.GeoDataFrame) -> str:
    """Choose the one metric CRS of the run.

    Parameters
    ----------
    wanted
        ``auto`` or the project's own.
    units
        Units in EPSG:4326.

    Returns
    -------
    str
        Such as ``EPSG:4548``.
    """
    if wanted != "auto":
        crs = require_metric(wanted)
    else:
        west, south, east, north = units.total_bounds
        crs = metric_crs((west + east) / 2, (south + north) / 2)
    authority = crs.to_authority()
    if authority is None:
        raise CRSError(text("crs: {crs} has no EPSG code; use one that has", crs=wanted))
    return ":".join(authority)


def describe_units(units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add area, the names of the levels above, and which units are the finest.

    Parameters
    ----------
    units
        In the run's CRS, indexed by unit id, with parent_id, level and name.

    Returns
    -------
    GeoDataFrame
        With ``area_km2``, ``finest`` and one name column for each of village, town, district.
    """
    described = units.copy()
    described[AREA_KM2] = described.geometry.area / 1e6
    parents = described[PARENT_ID].where(described[PARENT_ID].isin(described.index))
    described[PARENT_ID] = parents
    described["finest"] = ~described.index.isin(parents.dropna())
    for level in ("village", "town", "district"):
        described[level] = ""
    here = described.index.to_series()
    for _ in UNIT_LEVELS:
        known = here.notna()
        if not known.any():
            break
        ids = here[known]
        for level in ("village", "town", "district"):
            at = described.loc[ids, LEVEL].to_numpy() == level
            rows = ids.index[at]
            described.loc[rows, level] = described.loc[ids[at], NAME].to_numpy()
        here = here.where(known).map(parents)
    own = described["finest"] & (described["village"] == "") & (described["town"] == "")
    own &= described[LEVEL] != "district"
    described.loc[own, "village"] = described.loc[own, NAME]
    return described


def read_layers(project: Project, ground: Ground, *, shapes: bool = True) -> Ground:
    """Read and check every layer of the project.

    Parameters
    ----------
    project
        The project.
    ground
        Units, CRS and place.
    shapes
        False where nobody looks at the places and ids of points.

    Returns
    -------
    Ground
        With all layers and their problems.
    """
    known = read_ids(project, crs=ground.crs)
    reach = reach_of(project, ground.presets)
    layers, problems = dict(ground.layers), list(ground.problems)
    wanted = [role for role in ground.roles if role not in layers and project.layers.get(role)]
    wanted.sort(key=lambda role: role not in LINES)  # they tell the datum of the others
    for role in progress.counted(wanted, text("layers")):
        layer, said = read_layer(
            ground.roles[role],
            project.layer_specs(role),
            crs=ground.crs,
            place=ground.place,
            known=known,
            units=ground.units,
            lines=_lines(layers),
            presets=ground.presets,
            reach_m=reach.get(role, 0.0),
            shapes=shapes,
        )
        if _not_given(layer, said):
            continue
        layers[role] = layer
        problems += said
    in_order = {role: layers[role] for role in (*ground.layers, *ground.roles) if role in layers}
    return replace(ground, layers=in_order, problems=tuple(problems))


LINES: Final = ("road", "waterway")
"""Roles by which the datum of places is told."""


def _lines(layers: Mapping[str, Layer]) -> gpd.GeoSeries | None:
    """Put roads and water together, as far as they are read."""
    import pandas as pd

    tables = [layers[role].table for role in LINES if role in layers]
    parts = [table.geometry for table in tables if table is not None and len(table)]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def reach_of(project: Project, presets: Presets) -> dict[str, float]:
    """Give by role how far beyond the border rows still count.

    Parameters
    ----------
    project
        Its section ``beyond`` switches a role off, or gives it another reach.
    presets
        ``beyond.reach_m``.

    Returns
    -------
    dict
        Role to metres; 0 where nothing outside counts.
    """
    found = {str(role): float(metres) for role, metres in presets["beyond.reach_m"].items()}
    for role, wish in project.beyond.items():
        found[role] = float(wish) if not isinstance(wish, bool) else found.get(role, 0.0) * wish
    return found


def _not_given(layer: Layer, said: list[Problem]) -> bool:
    """Tell a layer whose sheets are blank, as in a template that is not filled in."""
    blank = layer.rows_in == 0 and not layer.rasters
    return (
        blank and {p.severity for p in said} == {"note"} and any(p.rule == NOT_GIVEN for p in said)
    )


def id_store(project: Project) -> Path:
    """Find the file that keeps a project's item ids.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path
        ``.riskmap/PROJECT.ids.csv`` beside the project file.
    """
    return project.path.parent / ".riskmap" / f"{project.path.stem}.ids.csv"


def road_cache(project: Project) -> Path | None:
    """Find the folder in which road graphs are kept between runs.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path or None
        ``.riskmap/cache`` beside the project file; None when the project keeps none.
    """
    return project.path.parent / ".riskmap" / "cache" if project.cache else None


def read_ids(project: Project, *, crs: str) -> pd.DataFrame | None:
    """Read the item ids that earlier runs kept.

    Parameters
    ----------
    project
        The project.
    crs
        The run's CRS, into which positions are brought.

    Returns
    -------
    DataFrame or None
        Columns role, item_id, name, x, y [m]; None before the first run.
    """
    store = id_store(project)
    return read_known(store, crs=crs) if store.is_file() else None


def keep_ids(project: Project, layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> None:
    """Keep the item ids of a run for the next time a ledger is sent.

    Parameters
    ----------
    project
        The project.
    layers
        The run's layers.
    roles
        The roles.
    """
    store = id_store(project)
    before = read_known(store) if store.is_file() else None
    listed = {role: layer for role, layer in layers.items() if roles[role].item}
    store.parent.mkdir(exist_ok=True)
    write_known(store, known_of(listed, before))


def input_files(project: Project, layers: Mapping[str, Layer]) -> tuple[InputFile, ...]:
    """Hash every file that the run read.

    Parameters
    ----------
    project
        The project.
    layers
        Its layers, whose rows may name photos.

    Returns
    -------
    tuple
        The project file first, then the others by name.
    """
    read = {project.path.name: project.path}
    read |= {shown: path for _, shown, path in project.read_paths()}
    for layer in layers.values():
        read |= photo_files(layer)
    return tuple(
        InputFile(shown, sha256(path), path.stat().st_size)
        for shown, path in read.items()
        if path.is_file()
    )


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
APART_M: Final = 0.1
"""Places on roads nearer to each other are one place, as on both sides of a bend [m]."""
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

    The last metres between road and door are timed by mode, at both ends; a vehicle has arrived
    within ``network.half_width_m`` of the road, or half a cell. Beyond the snapping limit everybody
    walks.

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
    cells = inside_cells(grid)
    limit = max(float(presets["station.snap_limit_m"]), 2 * grid.size_m)
    # A cell far from every road is as much later as the walk to it takes, not out of reach.
    # Who lives as far from two roads takes the better one; which was drawn first says nothing.
    at, row = snap_tied(
        graph, np.column_stack(cell_centres(grid, cells)),
        limit_m=np.inf, as_near_m=AS_NEAR_M, apart_m=APART_M,
    )  # fmt: skip
    to = snap_rows(graph, places, limit_m=limit)
    on_foot = float(presets["road.foot_kmh"]) / 3.6
    speed = on_foot if way == "to_facility" else float(presets["network.access_kmh"]) / 3.6
    near = 0.0 if way == "to_facility" else float(presets["network.half_width_m"])
    at = at.nearer(max(near, grid.size_m / 2) if near > 0 else 0.0)
    last = np.where(to.on, to.nearer(near).walk_m, 0.0) / speed
    found = nearest_seconds(graph, to, at, way=way, start=last, edge_cost=edge_cost)  # type: ignore[arg-type]
    walk = np.minimum(at.walk_m, limit) / speed + np.maximum(at.walk_m - limit, 0.0) / on_foot
    seconds = np.full(grid.shape[0] * grid.shape[1], np.nan, np.float32)
    best = np.full(len(cells), np.inf)
    np.minimum.at(best, row, found.cost + walk)
    reached = np.isfinite(best)
    seconds[cells[reached]] = np.round(best[reached], 3)
    return seconds.reshape(grid.shape)

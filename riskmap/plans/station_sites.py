"""Where new stations may stand: cells with people, nodes of the roads, or a layer of the office."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riskmap.geo.grid import Grid, cell_of, inside_cells
from riskmap.geo.points import row_xy
from riskmap.plans.candidates import HAZARD_KEY, Candidates, Zones, choose_candidates
from riskmap.plans.coverage import Demand
from riskmap.plans.refuge_ground import sample

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.geo.network import RoadGraph
    from riskmap.layers.types import Raster
    from riskmap.presets.load import Presets

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Spots:
    """Places that might be candidates."""

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    xy: Floats
    weight: Floats


def find_candidates(
    graph: RoadGraph,
    grid: Grid,
    cells: Demand,
    *,
    kind: str,
    given: gpd.GeoDataFrame | None,
    zones: Zones,
    presets: Presets,
    limit_m: float,
    most: int,
) -> Candidates:
    """Choose the candidates and leave out those that may not be built on.

    Parameters
    ----------
    graph
        The road graph.
    grid
        The grid.
    cells
        The cells as a demand, weighted by people where they are known.
    kind
        ``cells``: cells with people; ``nodes``: nodes of the road graph; otherwise ``given``.
    given
        Rows of a layer, all of which are candidates.
    zones
        Where no station may stand.
    presets
        The run's presets.
    limit_m
        Longest way to a road [m].
    most
        Largest number of cells or nodes; more are thinned evenly.

    Returns
    -------
    Candidates
        Places on the network.
    """
    if given is not None:
        spots = _rows(given)
    else:
        spots = _nodes(graph, grid, cells) if kind == "nodes" else _cells(cells)
    return choose_candidates(
        graph,
        xy=spots.xy,
        ids=spots.ids,
        names=spots.names,
        weight=spots.weight,
        most=most if given is None else None,
        snap_limit_m=limit_m,
        listed=given is not None,
        place=grid.place,
        forbidden=zones.forbidden,
        wet=in_water(grid, spots.xy, zones.depths.values()),
        hazards=zones.hazards,
        hazard_m=float(presets[HAZARD_KEY]),
    )


def in_water(
    grid: Grid,
    xy: Floats,
    depths: Iterable[NDArray[Any]],
    rasters: tuple[Raster, ...] = (),
) -> NDArray[np.bool_]:
    """Tell which places stand in the water of any of some scenarios.

    Parameters
    ----------
    grid
        The grid.
    xy
        Places, shape (n, 2) [m].
    depths
        Depths of water on the cells, shape (ny, nx) [m].
    rasters
        Depth at its own resolution, which counts instead when there is one.

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    if rasters:
        return np.nan_to_num(sample(rasters, xy, str(grid.crs)), nan=0.0) > 0
    cell = cell_of(grid, xy[:, 0], xy[:, 1])
    wet = np.zeros(len(xy), dtype=bool)
    for depth in depths:
        deep = np.nan_to_num(np.asarray(depth, dtype=np.float64).ravel(), nan=0.0) > 0
        wet |= (cell >= 0) & deep[np.maximum(cell, 0)]
    return wet


def _cells(cells: Demand) -> _Spots:
    """Take the cells with people."""
    used = cells.weight > 0
    return _Spots(cells.ids[used], cells.names[used], cells.xy[used], cells.weight[used])


def _nodes(graph: RoadGraph, grid: Grid, cells: Demand) -> _Spots:
    """Take the nodes of the largest part of the roads, weighted by the people of their cell."""
    xy = graph.node_xy[graph.component == 0]
    cell = cell_of(grid, xy[:, 0], xy[:, 1])
    row = np.full(grid.n_cells, -1)
    row[inside_cells(grid)] = np.arange(len(cells.ids))
    inside = (cell >= 0) & (row[np.maximum(cell, 0)] >= 0)
    xy, at = xy[inside], row[cell[inside]]
    _, one = np.unique(np.round(xy), axis=0, return_index=True)
    xy, at = xy[one], at[one]
    ids = np.array([f"N{x:.0f}-{y:.0f}" for x, y in np.round(xy)], dtype=object)
    return _Spots(ids, cells.names[at], xy, cells.weight[at])


def _rows(given: gpd.GeoDataFrame) -> _Spots:
    """Take the rows of a layer."""
    xy = row_xy(given)
    ids = np.asarray(given.index.astype(str), dtype=object)
    names = ids
    if "name" in given.columns:
        own = given["name"].astype(object).to_numpy(dtype=object)
        names = np.array(
            [n if isinstance(n, str) and n else i for n, i in zip(own, ids, strict=True)],
            dtype=object,
        )
    return _Spots(ids, names, xy, np.ones(len(xy)))

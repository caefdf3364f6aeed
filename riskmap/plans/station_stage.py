"""From a run's layers to the station plan: the one call that the pipeline makes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import ProjectError
from riskmap.i18n import text
from riskmap.plans.stations import StationPlan, station_plan

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.layers.types import Layer
    from riskmap.presets.load import Presets
    from riskmap.result import Scenario

REPORTED: Final = ("flood_point", "hazard_source", "geohazard_point", "refuge", "sensitive_place")
"""Roles whose points the report counts."""
DEFAULTS: Final[Mapping[str, Any]] = {
    "preset": "linzi_135",
    "vehicle": "fire_engine",
    "model": "mclp",
    "sites": 3,
    "candidates": 300,
}
"""What the section ``stations`` of a project file may say, and what holds when it is silent."""


def plan_stations(
    layers: Mapping[str, Layer],
    graph: RoadGraph,
    grid: Grid,
    *,
    presets: Presets,
    population: NDArray[Any] | None = None,
    units: gpd.GeoDataFrame | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    options: Mapping[str, Any] | None = None,
) -> StationPlan | None:
    """Make the station plan of a run.

    Parameters
    ----------
    layers
        The run's layers.
    graph
        The road graph of the rescue vehicles.
    grid
        The grid.
    presets
        The run's presets.
    population
        People per cell, shape (ny, nx), or None.
    units
        The run's units.
    scenarios
        Depths, closures and danger areas by name.
    options
        The section ``stations`` of the project file, see `DEFAULTS`.

    Returns
    -------
    StationPlan or None
        None when the project has no stations.

    Raises
    ------
    ProjectError
        If an option is unknown.
    """
    chosen = _options(options or {})
    stations = _rows(layers, "rescue_station")
    if stations is None:
        return None
    found = dict(scenarios or {})
    return station_plan(
        graph,
        stations,
        grid,
        presets=presets,
        population=population,
        units=units,
        points={role: rows for role in REPORTED if (rows := _rows(layers, role)) is not None},
        rule=str(chosen["preset"]),
        vehicle=str(chosen["vehicle"]),
        model=str(chosen["model"]),
        k=int(chosen["sites"]),
        candidate_limit=int(chosen["candidates"]),
        forbidden=_forbidden(layers, found, graph.crs),
        hazards=_rows(layers, "hazard_source"),
        depths={name: one.depth_m for name, one in found.items() if one.depth_m is not None},
        closures={name: one.closures for name, one in found.items() if one.closures is not None},
    )


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the project's options over the defaults."""
    for name in given:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(name, list(DEFAULTS), n=1)
            raise ProjectError(
                text(
                    "stations.{name}: unknown key; known are {known}",
                    name=name,
                    known=", ".join(near or DEFAULTS),
                )
            )
    return {**DEFAULTS, **given}


def _rows(layers: Mapping[str, Layer], role: str) -> gpd.GeoDataFrame | None:
    """Give the placed rows of a role, None when there are none."""
    layer = layers.get(role)
    if layer is None or layer.table is None:
        return None
    table = layer.table
    placed = table[table.geometry.notna() & ~table.geometry.is_empty]
    return None if placed.empty else placed


def _forbidden(
    layers: Mapping[str, Layer], scenarios: Mapping[str, Scenario], crs: str
) -> gpd.GeoDataFrame | None:
    """Join the danger areas of the project and of its scenarios."""
    import geopandas as gpd
    import pandas as pd

    own = _rows(layers, "danger_area")
    parts = [] if own is None else [own]
    parts += [one.danger_area for one in scenarios.values() if one.danger_area is not None]
    shapes = [part.geometry.to_crs(crs) for part in parts if len(part)]
    return gpd.GeoDataFrame(geometry=pd.concat(shapes, ignore_index=True)) if shapes else None

"""From a run's layers to the station plan: the one call that the pipeline makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import ProjectError
from riskmap.i18n import text
from riskmap.layers.rows import placed_rows, rows_in_use
from riskmap.plans.stations import StationPlan, station_plan
from riskmap.sections import StationOptions

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.layers.types import Layer
    from riskmap.presets.load import Presets
    from riskmap.result import Scenario
    from riskmap.roles.load import Role

REPORTED: Final = (
    "flood_point", "hazard_source", "geohazard_point", "reservoir", "refuge", "sensitive_place",
    "health_care",
)  # fmt: skip
"""Roles whose points the report counts."""


def plan_stations(
    layers: Mapping[str, Layer],
    graph: RoadGraph,
    grid: Grid,
    *,
    presets: Presets,
    population: NDArray[Any] | None = None,
    units: gpd.GeoDataFrame | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    options: StationOptions | None = None,
    roles: Mapping[str, Role] | None = None,
) -> StationPlan:
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
        The section ``stations`` of the project file.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    StationPlan
        The plan.

    Raises
    ------
    ProjectError
        If the candidates are no layer of the project.
    """
    chosen = options or StationOptions()
    stations = _stations(layers, roles, graph.crs)
    found = dict(scenarios or {})
    return station_plan(
        graph,
        stations,
        grid,
        presets=presets,
        population=population,
        units=units,
        points={
            role: rows
            for role in REPORTED
            if (rows := rows_in_use(layers, role, roles)) is not None
        },
        rules=chosen.preset,
        vehicle=chosen.vehicle,
        model=chosen.model,
        k=chosen.sites,
        candidate_kind=chosen.candidates,
        candidates=_candidates(layers, chosen),
        candidate_limit=chosen.candidate_limit,
        forbidden=_forbidden(rows_in_use(layers, "danger_area", roles), found, graph.crs),
        hazards=rows_in_use(layers, "hazard_source", roles),
        depths={name: one.depth_m for name, one in found.items() if one.depth_m is not None},
        rasters={name: one.depths for name, one in found.items() if one.depths},
        closures={name: one.closures for name, one in found.items() if one.closures is not None},
    )


def _stations(
    layers: Mapping[str, Layer], roles: Mapping[str, Role] | None, crs: str
) -> gpd.GeoDataFrame:
    """Give the stations in use, perhaps none."""
    import geopandas as gpd

    rows = rows_in_use(layers, "rescue_station", roles)
    return gpd.GeoDataFrame({"name": []}, geometry=[], crs=crs) if rows is None else rows


def _candidates(layers: Mapping[str, Layer], options: StationOptions) -> gpd.GeoDataFrame | None:
    """Give the rows of the layer that holds the candidates, None for cells and nodes."""
    role = options.candidates
    if role in ("cells", "nodes") or not options.sites:
        return None
    if role not in layers:
        known = ", ".join(["cells", "nodes", *sorted(layers)])
        raise ProjectError(
            text(
                "stations.candidates: the project has no layer {role}; use one of {known}",
                role=repr(role),
                known=known,
            )
        )
    rows = placed_rows(layers, role)
    if rows is None:
        raise ProjectError(
            text("stations.candidates: no row of the layer {role} can be used", role=repr(role))
        )
    return rows


def _forbidden(
    own: gpd.GeoDataFrame | None, scenarios: Mapping[str, Scenario], crs: str
) -> gpd.GeoDataFrame | None:
    """Join the danger areas of the project and of its scenarios."""
    import geopandas as gpd
    import pandas as pd

    parts = [] if own is None else [own]
    parts += [one.danger_area for one in scenarios.values() if one.danger_area is not None]
    shapes = [part.geometry.to_crs(crs) for part in parts if len(part)]
    return gpd.GeoDataFrame(geometry=pd.concat(shapes, ignore_index=True)) if shapes else None

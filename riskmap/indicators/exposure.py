"""Exposure: people, or a stated proxy."""

from __future__ import annotations

import numpy as np
import shapely

from riskmap.geo.overlay import lines_to_cells, points_to_cells, polygons_to_cells
from riskmap.i18n import text
from riskmap.indicators.field import Field, Inputs, Missing, Spec, no_layer

__all__ = ["area_share", "length_density", "population_density"]


def population_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure people per km2.

    Parameters
    ----------
    inputs
        ``pieces``, or else ``population`` on the cells.
    spec
        No options.

    Returns
    -------
    Field or Missing
        Persons per km2.
    """
    if inputs.population is None or not np.nansum(inputs.population) > 0:
        return Missing(text("there is no population layer and the units state no population"))
    how = text("people by the area on which they live")
    pieces = inputs.pieces
    if pieces is None:
        values = np.asarray(inputs.population, dtype=np.float32)
        return Field(values / np.float32(inputs.grid.area_km2), spec.unit, how)
    area = pieces.holds @ np.where(pieces.known, shapely.area(pieces.shapes) / 1e6, 0.0)
    people = pieces.units()["people"].to_numpy(dtype=np.float64)
    units = np.divide(people, area, out=np.full(len(area), np.nan), where=area > 0)
    return Field(pieces.density().astype(np.float32), spec.unit, how, units=units, exact=True)


def area_share(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the share of the ground that polygons cover; points count as none.

    Parameters
    ----------
    inputs
        The layers.
    spec
        No options but ``unless``.

    Returns
    -------
    Field or Missing
        Percent, or objects per km2 when the layer holds only points.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    area = shapely.area(np.asarray(rows.geometry, dtype=object))
    grid = inputs.grid
    if not area.any():
        count = points_to_cells(grid, rows) / np.float32(grid.area_km2)
        return Field(count, "1/km2", text("objects in the cell by its area, a proxy for people"))
    ground = polygons_to_cells(grid, rows[area > 0], area[area > 0])
    values = np.minimum(ground / np.float32(grid.size_m**2) * 100, 100).astype(np.float32)
    return Field(values, spec.unit, text("share of the cell that is built on, a proxy for people"))


def length_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the length of lines per area.

    Parameters
    ----------
    inputs
        The layers.
    spec
        No options but ``unless``.

    Returns
    -------
    Field or Missing
        Kilometres per km2.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    values = lines_to_cells(inputs.grid, rows) / np.float32(1000 * inputs.grid.area_km2)
    return Field(
        values, spec.unit, text("length of roads in the cell by its area, a proxy for people")
    )

"""Hazard: flood points, waterways, low ground, hazard sources, water depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmap.geo.overlay import polygons_to_cells
from riskmap.geo.surface import decay, distance_to_lines, distance_to_points, kernel_sum
from riskmap.geo.terrain import relative_lowness
from riskmap.i18n import Text, text
from riskmap.indicators.field import Field, Inputs, Missing, Spec, levels_of, no_layer

__all__ = ["depth", "distance", "low_ground", "point_density", "source_decay", "threatened"]


def _unknown_levels(levels: NDArray[np.int64], spec: Spec) -> tuple[Text, ...]:
    unknown = int((levels == 0).sum())
    if not unknown:
        return ()
    return (
        text(
            "{name}: {n} of {all} rows have no level and count as the lowest",
            name=spec.name,
            n=unknown,
            all=len(levels),
        ),
    )


def point_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the density of points, weighted by their level.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Options ``radius_m`` [m], ``kernel``, ``level_weights`` (four numbers).

    Returns
    -------
    Field or Missing
        Weighted points per km2.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    levels = levels_of(rows)
    values = kernel_sum(
        inputs.grid,
        rows,
        bandwidth_m=spec.number("radius_m"),
        kernel=spec.words("kernel")[0],  # type: ignore[arg-type]
        weights=spec.by_level("level_weights", levels),
    )
    how = text(
        "density of {n} points within {radius} m, weighted by level, falling with distance",
        n=len(rows),
        radius=f"{spec.number('radius_m'):g}",
    )
    return Field(values, spec.unit, how, _unknown_levels(levels, spec))


def distance(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the straight distance to the nearest object of a layer, up to a cap.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Option ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    measured = straight_distance(inputs, rows)
    cap = spec.number("cap_m")
    how = text("straight distance to the nearest, at most {cap} m", cap=f"{cap:g}")
    return Field(np.minimum(measured, np.float32(cap)), spec.unit, how)


def straight_distance(inputs: Inputs, rows: Any) -> NDArray[np.float32]:
    """Measure the straight distance from each cell centre to points, lines or polygons.

    Parameters
    ----------
    inputs
        The layers.
    rows
        Rows with a geometry.

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m].
    """
    points = rows.geometry.geom_type.isin(["Point", "MultiPoint"])
    parts = []
    if points.any():
        parts.append(distance_to_points(inputs.grid, rows[points].geometry))
    if not points.all():
        parts.append(distance_to_lines(inputs.grid, rows[~points].geometry))
    return np.asarray(np.fmin.reduce(parts), dtype=np.float32)


def low_ground(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure how far the ground lies below the mean of its surroundings, within a cap.

    Parameters
    ----------
    inputs
        The layers; elevations as raster of the role.
    spec
        Options ``radius_m`` [m] and ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres; negative on rises.
    """
    elevation = inputs.raster(spec.layer)
    if elevation is None:
        return no_layer(spec.layer)
    radius, cap = spec.number("radius_m"), spec.number("cap_m")
    low = relative_lowness(elevation, size_m=inputs.grid.size_m, radius_m=radius)
    how = text(
        "mean elevation within {radius} m minus own elevation, kept within ±{cap} m",
        radius=f"{radius:g}",
        cap=f"{cap:g}",
    )
    notes: tuple[Text, ...] = ()
    if radius < inputs.grid.size_m:
        notes = (
            text(
                "{name}: the radius {radius} m is smaller than a cell, so every cell is its own "
                "surroundings",
                name=spec.name,
                radius=f"{radius:g}",
            ),
        )
    return Field(np.clip(low, -cap, cap).astype(np.float32), spec.unit, how, notes)


def source_decay(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Let each source's strength fall with distance; sources join so that none passes 1.

    ``1 - prod_i (1 - strength_i (1 - d_i / radius_i))``

    Parameters
    ----------
    inputs
        The layers.
    spec
        Options ``radius_m`` [m] and ``strength`` [0..1], four numbers each, by level.

    Returns
    -------
    Field or Missing
        0..1.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    levels = levels_of(rows)
    values = decay(
        inputs.grid,
        rows,
        radius_m=spec.by_level("radius_m", levels),
        strength=spec.by_level("strength", levels),
    )
    how = text(
        "strength by level of {n} sources, falling to 0 at the screening radius", n=len(rows)
    )
    return Field(values, spec.unit, how, _unknown_levels(levels, spec))


def depth(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Take the water depth of a scenario or survey; cells without a depth count as dry.

    Parameters
    ----------
    inputs
        ``depth_m`` on the cells, else the raster of the role.
    spec
        Option ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres.
    """
    water = inputs.depth_m if inputs.depth_m is not None else inputs.raster(spec.layer)
    if water is None or not np.isfinite(water).any():
        return no_layer(spec.layer)
    cap = spec.number("cap_m")
    values = np.clip(np.nan_to_num(water), 0.0, cap).astype(np.float32)
    how = text(
        "mean water depth, at most {cap} m; cells without a depth count as dry", cap=f"{cap:g}"
    )
    return Field(values, spec.unit, how)


def threatened(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the people threatened inside areas: those stated, else those who live there.

    Parameters
    ----------
    inputs
        The layers; ``pieces`` for areas that state no people.
    spec
        No options.

    Returns
    -------
    Field or Missing
        Persons per km2.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    shapes = np.asarray(rows.geometry, dtype=object)
    stated = np.full(len(rows), np.nan)
    if "people" in rows:
        stated = rows["people"].to_numpy(dtype=np.float64, na_value=np.nan)
    blank = ~np.isfinite(stated)
    if blank.any() and inputs.pieces is not None:
        stated[blank] = inputs.pieces.inside(shapes[blank])
    unknown = int((~np.isfinite(stated)).sum())
    if unknown == len(rows):
        return Missing(text("no area says how many people it threatens"))
    people = polygons_to_cells(inputs.grid, shapes, np.nan_to_num(stated))
    how = text("people threatened in {n} areas, by the area of the cell", n=len(rows))
    notes: tuple[Text, ...] = ()
    if unknown:
        notes = (
            text(
                "{name}: {n} of {all} areas state no people and count as none",
                name=spec.name,
                n=unknown,
                all=len(rows),
            ),
        )
    return Field(people / np.float32(inputs.grid.area_km2), spec.unit, how, notes)

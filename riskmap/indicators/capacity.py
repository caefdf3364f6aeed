"""Lack of capacity: time to refuges and stations, places in refuges."""

from __future__ import annotations

import numpy as np

from riskmap.geo.surface import floating_catchment
from riskmap.i18n import Text, text
from riskmap.indicators.field import Field, Inputs, Missing, Spec, no_layer
from riskmap.indicators.hazard import straight_distance

__all__ = ["refuge_places", "travel_time"]


def travel_time(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure minutes by road to the nearest place of a layer, else straight metres.

    Parameters
    ----------
    inputs
        ``travel_seconds`` of the role when there is a road graph; else the layer.
    spec
        Options ``cap_min`` [min] for times and unreached cells, ``cap_m`` [m] for distances.

    Returns
    -------
    Field or Missing
        Minutes, or metres when there are no roads.
    """
    seconds = inputs.travel_seconds.get(spec.layer)
    if seconds is not None and np.isfinite(seconds).any():
        cap = spec.number("cap_min")
        inside = inputs.grid.inside
        lost = int((~np.isfinite(seconds) & inside).sum())
        notes: tuple[Text, ...] = ()
        if lost:
            notes = (
                text(
                    "{name}: {n} of {all} cells are not reached by road and count as {cap} min",
                    name=spec.name,
                    n=lost,
                    all=int(inside.sum()),
                    cap=f"{cap:g}",
                ),
            )
        unreached = np.where(inside, cap, np.nan)
        minutes = np.where(np.isfinite(seconds), np.minimum(seconds / 60.0, cap), unreached)
        how = text("minutes by road to the nearest, at most {cap} min", cap=f"{cap:g}")
        return Field(minutes.astype(np.float32), "min", how, notes)
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    cap = spec.number("cap_m")
    values = np.minimum(straight_distance(inputs, rows), np.float32(cap))
    how = text("straight distance to the nearest, at most {cap} m", cap=f"{cap:g}")
    note = text("{name}: no road graph, so straight distances stand for times", name=spec.name)
    return Field(values, "m", how, (note,))


def refuge_places(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the refuge places per 100 people within reach (floating catchment).

    Parameters
    ----------
    inputs
        Refuges with ``capacity`` [persons]; ``population`` on the cells.
    spec
        Options ``radius_m`` [m] and ``cap``: more places per 100 people than this add nothing.

    Returns
    -------
    Field or Missing
        Places per 100 people.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    if inputs.population is None or not np.nansum(inputs.population) > 0:
        return Missing(text("there is no population layer and the units state no population"))
    capacity = np.full(len(rows), np.nan)
    if "capacity" in rows:
        capacity = rows["capacity"].to_numpy(dtype=np.float64, na_value=np.nan)
    unknown = int((~np.isfinite(capacity)).sum())
    if unknown == len(rows):
        return Missing(text("no refuge states its capacity"))
    radius, cap = spec.number("radius_m"), spec.number("cap")
    places = floating_catchment(
        inputs.grid, rows, capacity=capacity, people=inputs.population, radius_m=radius
    )
    notes: tuple[Text, ...] = ()
    if unknown:
        notes = (
            text(
                "{name}: {n} of {all} refuges state no capacity and count as 0 places",
                name=spec.name,
                n=unknown,
                all=len(rows),
            ),
        )
    how = text(
        "places within {radius} m by the people who share them, at most {cap} per 100",
        radius=f"{radius:g}",
        cap=f"{cap:g}",
    )
    return Field(np.minimum(places * 100, cap).astype(np.float32), spec.unit, how, notes)

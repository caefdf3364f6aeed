"""What mending the input would change: returned rows put in place, missing layers given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from riskmap.errors import RiskmapError
from riskmap.i18n import Text, text
from riskmap.index.steps import apply
from riskmap.indicators.table import renormalise
from riskmap.pipeline.ground import FACILITIES, build_roads, road_cache, road_direction
from riskmap.pipeline.indices import (
    Baseline,
    gather_inputs,
    measured_anew,
    read_table,
)
from riskmap.vocabulary.columns import NAME
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from riskmap.layers.layer import Layer
    from riskmap.pipeline.ground import Ground
    from riskmap.pipeline.run import Run

_NAMED = 3
"""Units named one by one."""


def effects_of(run: Run) -> dict[str, Text]:
    """Say for every role what mending its returned rows, or giving it, would change.

    Parameters
    ----------
    run
        With an index.

    Returns
    -------
    dict
        Role to what would change; roles without returned rows that are given are not in it.
    """
    said = missing_effects(read_table(run.project), run.ground, run.indicators.meta.index)
    for role, layer in run.ground.layers.items():
        if layer.rows_returned:
            said[role] = _mended(run, role, layer)
    return said


def missing_effects(
    table: pd.DataFrame, ground: Ground, measured: Collection[str] = ()
) -> dict[str, Text]:
    """Say for every role that is not given which indicators it would bring.

    Parameters
    ----------
    table
        The whole indicator table.
    ground
        Layers and units.
    measured
        Codes that are measured already, if only from something else.

    Returns
    -------
    dict
        Role to its indicators with their share of the whole.
    """
    done = set(map(str, measured)) or _from_units(table, ground)
    said: dict[str, Text] = {}
    for role in ground.roles:
        if role in ground.layers:
            continue
        brought = [
            code
            for code in table.index[(table["kind"] == "indicator") & (table["layer"] == role)]
            if code not in done and not _needless(str(table.loc[code, "options"]), done)
        ]
        if not brought:
            continue
        shares = _shares(table, done | set(brought))
        names = [
            text("{name} (about {share})", name=_name(table, code), share=f"{shares[code]:.0%}")
            for code in brought
        ]
        said[role] = text("would bring: {names}", names=_joined(names))
    return said


def _from_units(table: pd.DataFrame, ground: Ground) -> set[str]:
    """Guess, before anything is measured, what the layers and the units can give."""
    given = set(ground.layers)
    for role, column in (("population", "population"), ("sensitive", "elderly")):
        if column in ground.units and ground.units[column].notna().any():
            given.add(role)
    found = table.index[(table["kind"] == "indicator") & table["layer"].isin(given)]
    return set(map(str, found))


def _needless(options: str, done: Collection[str]) -> bool:
    """Tell a proxy that is not measured because what it stands for is there."""
    for part in options.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == "unless":
            return bool(set(value.split("|")) & set(done))
    return False


def _shares(table: pd.DataFrame, codes: Collection[str]) -> dict[str, float]:
    """Give each indicator's share of the root when these are measured."""
    kept, _ = renormalise(table, [str(code) for code in table.index if code in set(codes)])
    shares: dict[str, float] = {}
    weights = kept["weight"].astype(float).to_dict()
    for code in kept.index:
        share, here = 1.0, str(code)
        while here in kept.index and str(kept.loc[here, "parent"]):
            share *= float(weights[here])
            here = str(kept.loc[here, "parent"])
        shares[str(code)] = share
    return shares


def _name(table: pd.DataFrame, code: str) -> Label:
    return Label(str(table.loc[code, "name_en"]), zh=str(table.loc[code, "name_zh"]))


def _joined(parts: list[Text]) -> Text:
    whole = parts[0]
    for part in parts[1:]:
        whole = text("{one}, {other}", one=whole, other=part)
    return whole


def _mended(run: Run, role: str, layer: Layer) -> Text:
    """Put the returned rows that lie in the place back in, and compare the classes."""
    lost = layer.returned
    inside = None
    if lost is not None and run.ground.place is not None:
        shapely.prepare(run.ground.place)
        inside = lost[shapely.intersects(run.ground.place, lost.geometry.to_numpy())]
    n = 0 if inside is None else len(inside)
    if inside is None or not n:
        return text("the {n} rows have no usable place; what they change is not known",
                    n=layer.rows_returned)  # fmt: skip
    try:
        before, after = _classes(run, role, layer, inside)
    except RiskmapError:
        return text("{n} of {all} rows lie in the place; their effect cannot be computed",
                    n=n, all=layer.rows_returned)  # fmt: skip
    changed = before.index[(before != after) & (before > 0) & (after > 0)]
    head = text("{n} of the {all} returned rows lie in the place", n=n, all=layer.rows_returned)
    if not len(changed):
        return text("{head}; mended, no unit changes its class", head=head)
    names = [
        text(
            "{name} {before}→{after}",
            name=str(run.ground.units.loc[unit, NAME]),
            before=LEVEL_NAMES[int(before[unit])],
            after=LEVEL_NAMES[int(after[unit])],
        )
        for unit in changed[:_NAMED]
    ]
    return text(
        "{head}; mended, {n} units change their class: {names}",
        head=head,
        n=len(changed),
        names=_joined(names) if len(changed) <= _NAMED else text("{names} …", names=_joined(names)),
    )


def _classes(
    run: Run, role: str, layer: Layer, rows: gpd.GeoDataFrame
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Classes of the finest units before and after, by the frozen parameters of the run."""
    parts = [rows] if layer.table is None or layer.table.empty else [layer.table, rows]
    whole = gpd.GeoDataFrame(pd.concat(parts), crs=rows.crs)
    layers: Mapping[str, Layer] = {**run.ground.layers, role: replace(layer, table=whole)}
    ground = replace(run.ground, layers=layers)
    roads = run.roads
    if role in FACILITIES:
        roads = build_roads(
            layers,
            run.grid,
            direction=road_direction(run.project),
            presets=ground.presets,
            crs=ground.crs,
            roles=ground.roles,
            cache=road_cache(run.project),
            hour=run.project.traffic.hour,
        )
    inputs = gather_inputs(ground, run.grid, roads)
    base = Baseline(
        table=read_table(run.project),
        inputs=run.inputs,
        indicators=run.indicators,
        index=run.index,
        units=ground.units,
    )
    meta = run.index["unit"].meta
    seen = meta.index[(meta["kind"] == "indicator") & (meta["layer"] == role)]
    values = measured_anew(base, inputs, [str(code) for code in seen])
    table = run.indicators.units.assign(**{code: pair[1] for code, pair in values.items()})
    index = run.index["unit"]
    again = apply(index.params, table, index.meta)
    finest = run.ground.units["finest"].to_numpy(dtype=bool)
    classes = [one.classes[finest].fillna(0).astype(int) for one in (index, again)]
    return classes[0], classes[1]

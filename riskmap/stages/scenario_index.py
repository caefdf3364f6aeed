"""What a scenario does to the index: only what sees water, closures or danger areas is redone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.columns import LEVEL
from riskmap.errors import IndicatorError
from riskmap.i18n import Text, text
from riskmap.stages.scenarios import has_effect
from riskmap.stages.wet import cut_roads, dry_refuges

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from riskmap.index.steps import Index
    from riskmap.indicators.table import Indicators, Inputs
    from riskmap.result import Scenario
    from riskmap.stages.roads import Roads


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The run without any scenario."""

    table: pd.DataFrame
    """The whole indicator table, with what could not be measured."""
    inputs: Inputs
    indicators: Indicators
    index: Mapping[str, Index]
    units: gpd.GeoDataFrame


def score_scenarios(
    base: Baseline, roads: Roads, scenarios: Mapping[str, Scenario]
) -> tuple[dict[str, Index], tuple[Text, ...]]:
    """Compute the index of units and cells under every scenario.

    Goalposts, weights and class limits are those of the baseline, so that classes compare. A
    scenario without depths, closures and danger areas has no index.

    Parameters
    ----------
    base
        The run without any scenario.
    roads
        Road graphs.
    scenarios
        Scenario by name.

    Returns
    -------
    tuple
        Index by ``unit@NAME`` and ``cell@NAME``, and what must be said beside it.
    """
    found: dict[str, Index] = {}
    notes: list[Text] = []
    for name, scenario in scenarios.items():
        if not has_effect(scenario):
            continue
        inputs, changed, said = _changed(base, roads, scenario)
        notes += said
        values = _measured(base, inputs, changed)
        try:
            pair, more = _applied(base, values, scenario)
        except IndicatorError as error:
            why = "; ".join(str(p.message) for p in error.problems) or str(error.message)
            notes.append(text("Scenario {name}: no index of its own: {why}", name=name, why=why))
            continue
        found |= pair
        notes += more
    return found, tuple(notes)


def _changed(
    base: Baseline, roads: Roads, scenario: Scenario
) -> tuple[Inputs, list[str], list[Text]]:
    """Find the inputs of a scenario, and the indicators that see a difference."""
    import pandas as pd

    inputs, methods, notes = base.inputs, set(), []
    layers: set[str] = set()
    if scenario.depth_m is not None:
        inputs, methods = replace(inputs, depth_m=scenario.depth_m), {"depth"}
        notes += _unknown_depths(inputs, scenario)
    tables = dict(inputs.tables)
    refuges, said = dry_refuges(inputs, scenario)
    notes += said
    if refuges is not None:
        tables["refuge"] = refuges
        layers.add("refuge")
    if scenario.danger_area is not None and len(scenario.danger_area):
        parts = [t for t in (tables.get("danger_area"), scenario.danger_area) if t is not None]
        tables["danger_area"] = pd.concat(parts, ignore_index=True)
        layers.add("danger_area")
    seconds, said = cut_roads(roads, inputs, tables, scenario)
    notes += said
    layers |= set(seconds)
    inputs = replace(inputs, tables=tables, travel_seconds={**inputs.travel_seconds, **seconds})
    table = base.table[base.table["kind"] == "indicator"]
    sees = table["method"].isin(methods) | table["layer"].isin(layers)
    codes = [c for c in table.index[sees] if c in base.indicators.meta.index or c in _water(table)]
    return inputs, codes, notes


def _water(table: pd.DataFrame) -> list[str]:
    return [str(code) for code in table.index[table["method"] == "depth"]]


def _unknown_depths(inputs: Inputs, scenario: Scenario) -> list[Text]:
    inside = inputs.grid.inside
    unknown = int((np.isnan(np.asarray(scenario.depth_m, np.float64)) & inside).sum())
    if not unknown:
        return []
    return [
        text(
            "Scenario {name}: {n} of {all} cells have no depth in its raster; hazard and roads "
            "there stay those of the baseline",
            name=scenario.name,
            n=unknown,
            all=int(inside.sum()),
        )
    ]


def _measured(base: Baseline, inputs: Inputs, codes: list[str]) -> dict[str, tuple[Any, Any]]:
    """Measure indicators anew; one that nothing is left for takes its worst value."""
    from riskmap.indicators.table import compute

    if not codes:
        return {}
    groups = base.table.index[base.table["kind"] == "group"]
    try:
        again = compute(base.table.loc[[*groups, *codes]], inputs, base.units)
    except IndicatorError:
        return {code: _worst(base, code) for code in codes if code in base.indicators.meta.index}
    return {
        code: (again.cells[code], again.units[code]) if code in again.cells else _worst(base, code)
        for code in codes
        if code in again.cells or code in base.indicators.meta.index
    }


def _worst(base: Baseline, code: str) -> tuple[Any, Any]:
    """Give every place the worst value of the baseline: no refuge or station is left."""
    cells, units = base.indicators.cells[code], base.indicators.units[code]
    worst = cells.max() if float(base.table["direction"][code]) > 0 else 0.0
    return cells.where(cells.isna(), worst), units.where(units.isna(), worst)


def _applied(
    base: Baseline, values: Mapping[str, tuple[Any, Any]], scenario: Scenario
) -> tuple[dict[str, Index], list[Text]]:
    """Apply the baseline's parameters to the scenario's values."""
    from riskmap.index.steps import apply

    name, depth = scenario.name, np.asarray(scenario.depth_m, np.float64)
    notes: list[Text] = []
    found: dict[str, Index] = {}
    for place, kind in ((1, "unit"), (0, "cell")):
        before = base.indicators.units if place else base.indicators.cells
        index = base.index[kind]
        params, meta = index.params, index.meta
        table = before.assign(**{code: pair[place] for code, pair in values.items()})
        for code in (c for c in values if c not in meta.index):
            table[code] = _known_water(table[code], index, base.table["parent"][code])
            if kind == "cell":
                table[code] = table[code].where(np.isfinite(depth.ravel()[table.index]))
            params, meta, said = _with_water(base, params, meta, code)
            notes += said if kind == "unit" else []
        ranked = {"rank_within": base.units[LEVEL]} if kind == "unit" else {}
        found[f"{kind}@{name}"] = apply(params, table, meta, **ranked)
    return found, [text("Scenario {name}: {what}", name=name, what=note) for note in notes]


def _known_water(values: pd.Series[Any], index: Index, group: str) -> pd.Series[Any]:
    """Leave dry places unknown whose hazard is unknown: being dry says nothing of it."""
    hazard = index.scores.get(group)
    return values if hazard is None else values.where(hazard.notna() | (values > 0))


def _with_water(
    base: Baseline, params: Any, meta: pd.DataFrame, code: str
) -> tuple[Any, pd.DataFrame, list[Text]]:
    """Take in the water's indicator, which the baseline does not have."""
    import pandas as pd

    from riskmap.index.water import DRY, Added, take_in
    from riskmap.indicators.load import parse_options

    row = base.table.loc[[code]]
    group = str(row["parent"].iloc[0])
    if group not in meta.index:
        raise IndicatorError(
            text("the component {group} could not be measured without the water", group=group)
        )
    cap = float(parse_options(str(row["options"].iloc[0]))["cap_m"])
    dry = meta.loc[[group]].rename(index={group: group + DRY})
    dry["name_zh"] += "（无积水时）"
    dry["name_en"] += " without the water"
    rows = pd.concat([dry, row.assign(method_note="")]).reindex(columns=meta.columns)
    added = Added(code=code, group=group, bottom=0.0, top=cap)
    grown, wide = take_in(params, meta, rows, added)
    note = text(
        "water fills what the hazard leaves of its scale, wholly at {cap} m; goalposts, weights "
        "and class limits stay those of the baseline",
        cap=f"{cap:g}",
    )
    return grown, wide, [note]

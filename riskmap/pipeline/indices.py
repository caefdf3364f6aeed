"""Grid, people, indicators and index, and what each scenario makes of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from riskmap import progress
from riskmap.errors import IndicatorError, Problem
from riskmap.files import parse_json
from riskmap.geo.areas import lines_to_cells
from riskmap.geo.grid import make_grid, row_xy
from riskmap.geo.people import live_in
from riskmap.i18n import Label, Text, text
from riskmap.index.steps import apply, default_steps, fit, load_recipe, recipe_names
from riskmap.index.tree import read_steps, settled
from riskmap.indicators import shipped_tables
from riskmap.indicators.table import (
    Inputs,
    compute,
    label_of,
    load_table,
    parse_options,
    renormalise,
)
from riskmap.layers.layer import rows_in_use, with_beyond
from riskmap.pipeline.ground import cut_roads, dry_refuges, has_effect
from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges.checks import eligibility, refuge_checks, refuge_spots
from riskmap.plans.refuges.dangers import Dangers, place_checks
from riskmap.plans.refuges.demand import capacity_table
from riskmap.vocabulary.columns import CLASSES, LEVEL, POPULATION, ROOT, is_number
from riskmap.vocabulary.grade import gb18218, grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.index.steps import Index
    from riskmap.index.tree import Params
    from riskmap.indicators.table import Indicators
    from riskmap.pipeline.ground import Ground, Roads
    from riskmap.project.schema import Project
    from riskmap.result import Scenario
    from riskmap.vocabulary.presets import Presets


def lay_grid(project: Project, ground: Ground) -> Grid:
    """Lay the grid over the place.

    Parameters
    ----------
    project
        The project.
    ground
        Place and CRS.

    Returns
    -------
    Grid
        With its origin at multiples of the cell size.
    """
    return make_grid(ground.place, crs=ground.crs, size_m=project.grid.size_m)


def graded_tables(
    ground: Ground, grid: Grid, options: RefugeOptions, day: str = ""
) -> dict[str, gpd.GeoDataFrame]:
    """Give the rows in use of every vector role, with their four-colour level.

    Parameters
    ----------
    ground
        Layers, roles and presets.
    grid
        The grid.
    options
        Of the refuge plan.
    day
        Date of the data, by which refuges are open.

    Returns
    -------
    dict
        Role to rows; graded roles have ``level`` (1..4, 0 unknown), refuges the ``capacity`` that
        the plan counts: the smaller of what is declared and what their area holds, less what is
        in use, and none where the refuge may not be used.
    """
    tables = {}
    for role in ground.layers:
        rows = with_beyond(ground.layers, role, ground.roles)
        if rows is None:
            continue
        if ground.roles[role].grade:
            rows = rows.assign(**{LEVEL: grade(ground.roles[role], rows, ground.presets)[0]})
        if role == "refuge":
            rows = rows.assign(capacity=_usable_places(rows, ground, grid, options, day))
        tables[role] = rows
    return tables


def find_people(ground: Ground, grid: Grid) -> Pieces | None:
    """Put the people of the run into pieces.

    Parameters
    ----------
    ground
        Layers and units.
    grid
        The grid.

    Returns
    -------
    Pieces or None
        None when nobody says anything of people.
    """
    road = rows_in_use(ground.layers, "road", ground.roles)
    layer = ground.layers.get("population")
    return live_in(
        grid,
        ground.units,
        table=rows_in_use(ground.layers, "population", ground.roles),
        rasters=layer.rasters if layer is not None and layer.rasters else (),
        weight=None if road is None else lines_to_cells(grid, road),
    )


def grade_sources(ground: Ground, pieces: Pieces | None) -> Ground:
    """Estimate R and the GB 18218 level of hazard sources that state neither.

    Parameters
    ----------
    ground
        Layers, roles and presets.
    pieces
        People, for alpha; None takes the largest alpha.

    Returns
    -------
    Ground
        With the blanks of hazard_source filled in where substance and quantity allow.
    """
    layer = ground.layers.get("hazard_source")
    if layer is None:
        return ground
    table, n = _with_levels(layer.table, ground, pieces)
    # who lives around a source beyond the border is not known: the largest alpha
    beyond, more = _with_levels(layer.beyond, ground, None)
    if not n + more:
        return ground
    note = Problem(
        "note",
        "hazard_source",
        "gb18218_estimated",
        text(
            "{n} hazard sources state no level: R was estimated by GB 18218 from substance, "
            "quantity and the people around",
            n=n + more,
        ),
        text("have the level recorded, and fill it in"),
        count=n + more,
    )
    layers = {**ground.layers, "hazard_source": replace(layer, table=table, beyond=beyond)}
    return replace(ground, layers=layers, problems=(*ground.problems, note))


def _with_levels(
    table: gpd.GeoDataFrame | None, ground: Ground, pieces: Pieces | None
) -> tuple[gpd.GeoDataFrame | None, int]:
    """Fill in the levels of sources that can be graded, and count them."""
    if table is None or "quantity_t" not in table or not len(table):
        return table, 0
    people = None
    if pieces is not None and table["quantity_t"].notna().any():
        radius = float(ground.presets["hazard_source.alpha_radius_m"])
        shapes = np.asarray(table.geometry, dtype=object)
        people = pieces.inside(shapely.buffer(shapes, radius))
    found = gb18218(table, people, ground.presets)
    found = found[found["gb18218_level"].notna()]
    if not len(found):
        return table, 0
    filled = table.copy()
    for name in found.columns:
        old = filled[name] if name in filled else pd.Series(None, index=filled.index, dtype=object)
        filled[name] = old.astype(object).where(~filled.index.isin(found.index), found[name])
    filled["r_value"] = pd.to_numeric(filled["r_value"], errors="coerce")
    return filled, len(found)


def _usable_places(
    rows: gpd.GeoDataFrame, ground: Ground, grid: Grid, options: RefugeOptions, day: str
) -> NDArray[np.float64]:
    """Count places as the plan does without flood; NaN where nobody knows how many there are."""
    presets, level = ground.presets, options.flood_level
    held = capacity_table(rows, presets=presets, options=options)
    dangers = Dangers(
        grid=grid,
        dem=ground.layers["dem"].rasters if "dem" in ground.layers else (),
        flood_level=float(level) if level and is_number(level) else None,
        areas=rows_in_use(ground.layers, "danger_area", ground.roles),
        sources=with_beyond(ground.layers, "hazard_source", ground.roles),
    )
    warning_h = float(presets["refuge.warning_h"])
    checks = [
        *place_checks(refuge_spots(rows, row_xy(rows), presets), dangers, presets=presets),
        *refuge_checks(rows, held, on_road=None, warning_h=warning_h, day=day),
    ]
    usable = eligibility(rows, checks, options)[1]
    known = (held["known"] | held["assumed"]).to_numpy(bool)
    return np.where(known, np.where(usable, held["places"].to_numpy(np.float64), 0.0), np.nan)


def gather_inputs(
    ground: Ground,
    grid: Grid,
    roads: Roads,
    pieces: Pieces | None = None,
    *,
    refuges: RefugeOptions | None = None,
    day: str = "",
) -> Inputs:
    """Gather what the indicators are measured from.

    Parameters
    ----------
    ground
        Layers and units.
    grid
        The grid.
    roads
        Travel seconds.
    pieces
        People by unit and cell; found here when not given.
    refuges
        Options of the refuge plan, whose places are counted.
    day
        Date of the data, by which refuges are open.

    Returns
    -------
    Inputs
        Tables with levels, rasters, people, travel seconds and presets.
    """
    tables = graded_tables(ground, grid, refuges or RefugeOptions(), day)
    rasters = {role: layer.rasters for role, layer in ground.layers.items() if layer.rasters}
    pieces = find_people(ground, grid) if pieces is None else pieces
    return Inputs(
        grid=grid,
        tables=tables,
        rasters=rasters,
        pieces=pieces,
        population=None if pieces is None else pieces.cells(),
        travel_seconds=roads.seconds,
        presets=ground.presets,
    )


def read_table(project: Project) -> pd.DataFrame:
    """Read the project's indicator table.

    Parameters
    ----------
    project
        Names a shipped table or a file.

    Returns
    -------
    DataFrame
        Indexed by code.
    """
    named = project.indicators
    return load_table(named if named in shipped_tables() else project.file(named))


def compute_indicators(
    project: Project, ground: Ground, inputs: Inputs
) -> tuple[Indicators, gpd.GeoDataFrame]:
    """Measure every indicator on cells and units.

    Parameters
    ----------
    project
        Indicator table and weights.
    ground
        Units.
    inputs
        What they are measured from.

    Returns
    -------
    tuple
        Indicators, and the units with their people filled in.
    """
    found = compute(read_table(project), inputs, ground.units)
    if inputs.pieces is not None:
        found = replace(found, notes=(*inputs.pieces.notes, *found.notes))
    layer = ground.layers.get("refuge")
    given = layer is not None and layer.table is not None and len(layer.table) > 0
    units = count_people(ground.units, inputs.pieces)
    return found, far_from_refuge(units, inputs, given=given)


def count_people(units: gpd.GeoDataFrame, pieces: Pieces | None) -> gpd.GeoDataFrame:
    """Write down the people of every unit: the finest as they are known, the others as their sums.

    Parameters
    ----------
    units
        Units of all levels.
    pieces
        People by unit and cell, or None.

    Returns
    -------
    GeoDataFrame
        A copy with ``population`` (NaN = unknown), ``population_unknown`` (finest units in it whose
        people are unknown) and ``population_estimated``.
    """
    if pieces is None:
        lost = units["finest"].to_numpy(dtype=bool).astype(np.int64)
        return units.assign(population_unknown=lost, population_estimated=False)
    found = pieces.units()
    return units.assign(
        **{POPULATION: found["people"]},
        population_unknown=found["unknown"],
        population_estimated=found["estimated"],
    )


def far_from_refuge(
    units: gpd.GeoDataFrame, inputs: Inputs, *, given: bool = False
) -> gpd.GeoDataFrame:
    """Write down the people of every unit who live far from every refuge in use.

    Parameters
    ----------
    units
        Units of all levels.
    inputs
        Refuges, where people live, and the preset of what is far.
    given
        Whether a ledger of refuges was given, though none of them may be in use.

    Returns
    -------
    GeoDataFrame
        A copy with ``people_far`` [persons] and ``share_far`` (0..1, of the people, or of the
        ground where nobody knows them), everybody where no refuge is in use; as it was where
        nobody lives or no ledger of refuges was given.
    """
    refuges = inputs.rows("refuge")
    if inputs.pieces is None or (refuges is None and not given):
        return units
    radius = float(inputs.presets["refuge.far_m"])
    spots = np.zeros((0, 2)) if refuges is None else row_xy(refuges)
    far, share = inputs.pieces.beyond(spots, radius)
    return units.assign(people_far=far, share_far=share)


DRY = "_DRY"
"""Ending of the code under which a group's own children stand once water is added to it."""


@dataclass(frozen=True, kw_only=True)
class Added:
    """An indicator that joins a group of a fitted index."""

    code: str
    group: str
    bottom: float
    """Value that adds nothing, in the indicator's own unit."""
    top: float
    """Value that lifts the group to the top of its scale."""


def _scale(params: Params, codes: Iterable[str]) -> tuple[float, float]:
    """Find the one scale on which the group's indicators stand."""
    step = next((s for s in params["steps"] if s["step"] == "normalise"), None)
    columns: Mapping[str, Any] = {} if step is None else step["fitted"]["columns"]
    ends = {
        (columns[c]["low"], columns[c]["high"])
        if c in columns and {"low", "high"} <= set(columns[c])
        else None
        for c in codes
    }
    if len(ends) != 1 or None in ends:
        raise IndicatorError(
            text("the indicators have no common scale with a lower and an upper end")
        )
    low, high = next(end for end in ends if end is not None)
    return float(low), float(high)


def _below(meta: pd.DataFrame, group: str) -> list[str]:
    """List the indicators beneath a group."""
    found: list[str] = []
    for code in meta.index[meta["parent"] == group]:
        found += _below(meta, code) if meta.loc[code, "kind"] == "group" else [str(code)]
    return found


def take_in(
    params: Params, meta: pd.DataFrame, rows: pd.DataFrame, added: Added
) -> tuple[Params, pd.DataFrame]:
    r"""Add an indicator to a group of a fitted index; nothing that was fitted changes.

    The group's own children move, with their weights and method, under a new group ``GROUP_DRY``.
    The group becomes the `riskmap.index.aggregate.union` of it and the new indicator:

    .. math:: H = 1 - (1 - H_{dry}) (1 - x), \quad
              x = \min\left(1, \frac{v - v_{bottom}}{v_{top} - v_{bottom}}\right)

    on the scale 0..1, so that a value at the bottom, and an unknown one, leave the index as it was,
    and a higher value never lowers it.

    Parameters
    ----------
    params
        Fitted parameters of the index.
    meta
        Its table, with the weights that were used.
    rows
        The table's row of the new indicator, and its names for the new group in ``name_zh`` and
        ``name_en`` of the row ``GROUP_DRY``.
    added
        The indicator.

    Returns
    -------
    tuple
        Parameters and table of the index with the indicator.

    Raises
    ------
    IndicatorError
        When the group is the root or not there, or its indicators have no common bounded scale.
    """
    group, code = added.group, added.code
    if group not in meta.index or not str(meta.loc[group, "parent"]):
        raise IndicatorError(text("{code} does not stand in a component", code=code))
    low, high = _scale(params, _below(meta, group))
    dry = group + DRY
    new = copy.deepcopy(dict(params))
    for step in new["steps"]:
        _widen(step, code=code, dry=dry)
        if step["step"] == "normalise":
            posts = {"min": added.bottom, "max": added.top}
            step["fitted"]["columns"][code] = {
                "method": "goalposts", "low": low, "high": high, **posts,
            }  # fmt: skip
        if step["step"] == "aggregate":
            groups = step["fitted"]["groups"]
            groups[dry] = groups[group]
            weights = {dry: 1.0, code: 1.0}
            groups[group] = {"method": "union", "weights": weights, "low": low, "top": high}
    table = meta.copy()
    table.loc[table["parent"] == group, "parent"] = dry
    inner = rows.assign(weight=1.0, weight_given=1.0)
    inner["parent"] = group
    place = list(table.index).index(group) + 1
    return new, pd.concat([table.iloc[:place], inner[table.columns], table.iloc[place:]])


def _widen(step: Params, *, code: str, dry: str) -> None:
    """Let one fitted step know the new codes."""
    fitted = step["fitted"]
    if step["step"] == "treat":
        fitted["columns"][code] = {"method": "none", "report": {}}
    if step["step"] == "screen" and "kept" in fitted:
        fitted["kept"].append(code)
    if step["step"] == "impute" and "overall" in fitted:
        fitted["overall"][code] = 0.0
    if step["step"] == "weight":
        fitted["weights"] |= {dry: 1.0, code: 1.0}
    if step["step"] == "impute" and fitted["method"].startswith("row_"):
        raise IndicatorError(
            text("{code}: gaps are filled from the other indicators of a row", code=code)
        )


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
    for name, scenario in progress.counted(scenarios.items(), text("scenarios")):
        if not has_effect(scenario):
            continue
        inputs, changed, said = _changed(base, roads, scenario)
        notes += said
        values = measured_anew(base, inputs, changed)
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


def measured_anew(base: Baseline, inputs: Inputs, codes: list[str]) -> dict[str, tuple[Any, Any]]:
    """Measure indicators anew; one that nothing is left for takes its worst value.

    Parameters
    ----------
    base
        The run as it was measured.
    inputs
        What they are measured from now.
    codes
        The indicators.

    Returns
    -------
    dict
        Code to values of cells and of units.
    """
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
    name, depth = scenario.name, np.asarray(scenario.depth_m, np.float64)
    notes: list[Text] = []
    found: dict[str, Index] = {}
    for place, kind in ((1, "unit"), (0, "cell")):
        before = base.indicators.units if place else base.indicators.cells
        index = base.index[kind]
        params, meta = index.params, index.meta
        table = before.assign(**{code: pair[place] for code, pair in values.items()})
        for code in (c for c in values if c not in meta.index):
            table[code] = _known_water(table[code], index, _group_of(base, meta, code))
            if kind == "cell":
                table[code] = table[code].where(np.isfinite(depth.ravel()[table.index]))
            params, meta, said = _with_water(base, params, meta, code)
            notes += said if kind == "unit" else []
        ranked = {"rank_within": base.units[LEVEL]} if kind == "unit" else {}
        found[f"{kind}@{name}"] = apply(params, table, meta, **ranked)
    return found, [text("Scenario {name}: {what}", name=name, what=note) for note in notes]


def _group_of(base: Baseline, meta: pd.DataFrame, code: str) -> str:
    """Find the group that takes the water in: its own, or the one above where that is not there."""
    own = group = str(base.table["parent"][code])
    while group not in meta.index and str(base.table["parent"].get(group) or ""):
        group = str(base.table["parent"][group])
    return group if str(base.table["parent"].get(group) or "") else own


def _known_water(values: pd.Series[Any], index: Index, group: str) -> pd.Series[Any]:
    """Leave dry places unknown whose hazard is unknown: being dry says nothing of it."""
    hazard = index.scores.get(group)
    return values if hazard is None else values.where(hazard.notna() | (values > 0))


def _with_water(
    base: Baseline, params: Any, meta: pd.DataFrame, code: str
) -> tuple[Any, pd.DataFrame, list[Text]]:
    """Take in the water's indicator, which the baseline does not have."""
    row = base.table.loc[[code]]
    group = _group_of(base, meta, code)
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


_INDICES = ("unit", "cell")
"""Indices of a run without scenario."""


def reweighted(meta: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Replace weights of the indicator table.

    Parameters
    ----------
    meta
        The table.
    weights
        Code to weight.

    Returns
    -------
    DataFrame
        A copy with the weights.

    Raises
    ------
    IndicatorError
        When a code is unknown.
    """
    unknown = [code for code in weights if code not in meta.index]
    if unknown:
        raise IndicatorError(
            text(
                "weights: unknown code {codes}; known: {known}",
                codes=", ".join(unknown),
                known=", ".join(map(str, meta.index)),
            )
        )
    changed = meta.copy()
    for code, weight in weights.items():
        changed.loc[code, "weight"] = weight
    return changed


def compute_index(
    project: Project, ground: Ground, indicators: Indicators
) -> tuple[dict[str, Index], dict[str, Any], Indicators]:
    """Compute the index of units and cells.

    One scale for all: parameters are fitted on the finest units and applied to the coarser ones and
    to the cells, so that one colour means one thing at every level and on the grid.

    Parameters
    ----------
    project
        Steps, or the short form of them; frozen parameters.
    ground
        Units and presets.
    indicators
        The indicators.

    Returns
    -------
    tuple
        Index by ``unit`` and ``cell``, the fitted parameters by the same names, and the indicators
        with the weights that were used.
    """
    frozen = frozen_params(project)
    finest = ground.units["finest"].to_numpy(dtype=bool)
    indicators = indicators if frozen is not None else tell_apart(indicators, finest)
    steps = _present(index_steps(project, ground.presets), indicators.meta)
    levels = ground.units[LEVEL]
    meta = indicators.meta
    tables: dict[str, tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]] = {
        "unit": (indicators.units, {"rank_within": levels}, {"fit_rows": finest}),
        "cell": (indicators.cells, {}, {}),
    }
    found: dict[str, Index] = {}
    for name, (values, ranked, fitted) in tables.items():
        if frozen is not None:
            found[name] = apply(frozen[name], values, meta, **ranked)
        elif name == "cell":
            found[name] = apply(found["unit"].params, values, meta)
        else:
            found[name] = fit(values, meta, steps, **ranked, **fitted)
        if project.overrides:
            kept = with_breaks_kept(found[name].params)
            changed = reweighted(meta, project.overrides)
            found[name] = fit(values, changed, kept, **ranked, **fitted)
    if project.overrides:
        indicators = replace(indicators, meta=reweighted(meta, project.overrides))
    unit = found["unit"]
    said = (*unit.notes, *judged(unit), *_lacking(unit, ground.units))
    found["unit"] = replace(unit, notes=tuple(_with_name(note, meta) for note in said))
    found["unit"] = replace(
        found["unit"], stability=class_stability(found["unit"], indicators, finest, project.seed)
    )
    return found, {name: index.params for name, index in found.items()}, indicators


def tell_apart(indicators: Indicators, finest: NDArray[np.bool_]) -> Indicators:
    """Leave out indicators that are the same in all units that have them while others lack them.

    Such an indicator stands at the bottom of its scale wherever it is known; a unit that lacks it
    would rank above all others for that alone.

    Parameters
    ----------
    indicators
        The indicators.
    finest
        Units of the finest level, shape (units,).

    Returns
    -------
    Indicators
        The weight of what is left out goes to the rest of its group; the notes name it.
    """
    meta, mute = indicators.meta, {}
    for code in meta.index[meta["kind"] == "indicator"]:
        values = settled(indicators.units[code].to_numpy(np.float64)[finest])
        known = values[np.isfinite(values)]
        if 1 < len(known) < len(values) and np.ptp(known) == 0:
            mute[str(code)] = len(values) - len(known)
    rest = [code for code in meta.index[meta["kind"] == "indicator"] if code not in mute]
    if not mute or not rest:
        return indicators
    kept, lost = renormalise(meta, rest)
    kept["weight_given"] = meta["weight_given"].reindex(kept.index)
    said = [
        text(
            "{name} ({code}) is left out: it is the same in every unit that has it, and {n} units "
            "lack it; it would rank these first for that alone",
            name=label_of(meta, code), code=code, n=n,
        )
        for code, n in mute.items()
    ]  # fmt: skip
    said += [
        text(
            "the whole component {name} ({code}) is left out with it",
            name=label_of(meta, code), code=code,
        )
        for code in lost
        if code in meta.index
    ]  # fmt: skip
    return replace(
        indicators, meta=kept, notes=(*indicators.notes, *said),
        units=indicators.units.drop(columns=list(mute)),
        cells=indicators.cells.drop(columns=list(mute)),
    )  # fmt: skip


def _with_name(note: Text, meta: pd.DataFrame) -> Text:
    """Call an indicator by its name beside its code."""
    params = {
        key: Label(f"{name.msgid} ({value})", zh=f"{name.zh}（{value}）")
        if key == "code" and value in meta.index and (name := label_of(meta, str(value)))
        else value
        for key, value in note.params
    }
    return text(note.msgid, **params)


def _lacking(index: Index, units: gpd.GeoDataFrame) -> tuple[Text, ...]:
    """Say which finest units have a score though a component of theirs is unknown."""
    finest = units["finest"].to_numpy(dtype=bool)
    whole = index.scores[ROOT].notna().to_numpy(bool) & finest
    notes = []
    for code in index.meta.index[index.meta["parent"] == ROOT]:
        if code not in index.scores or not whole.any():
            continue
        lost = whole & index.scores[code].isna().to_numpy(bool)
        if 0 < lost.sum() < whole.sum():
            names = units["name"].astype(str).to_numpy()[lost]
            notes.append(
                text(
                    "{n} units ({names}) have no {component}: their score rests on the other "
                    "components, and compares with the others only roughly",
                    n=int(lost.sum()),
                    names="、".join(names[:3]) + ("…" if len(names) > 3 else ""),
                    component=label_of(index.meta, str(code)),
                )
            )
    return tuple(notes)


def _present(steps: list[dict[str, Any]], meta: pd.DataFrame) -> list[dict[str, Any]]:
    """Leave out of the judgements and classes what could not be measured."""
    kept = []
    for step in steps:
        new = dict(step)
        for group, one in step.get("matrices", {}).items():
            there = [i for i, code in enumerate(one["codes"]) if code in meta.index]
            codes = [one["codes"][i] for i in there]
            matrix = [[one["matrix"][i][j] for j in there] for i in there]
            new["matrices"] = {**new["matrices"], group: {"codes": codes, "matrix": matrix}}
        if isinstance(step.get("code"), list):
            new["code"] = [code for code in step["code"] if code in meta.index]
        kept.append(new)
    return kept


def judged(index: Index) -> tuple[Text, ...]:
    """Say how consistent the pairwise judgements are.

    Parameters
    ----------
    index
        The index.

    Returns
    -------
    tuple of Text
        One note for each matrix.
    """
    notes = []
    for group, report in dict(index.details.get("weight", {}).get("ahp", {})).items():
        row = index.meta.loc[group]
        notes.append(
            text(
                "{name}: weights by pairwise judgements (AHP), consistency ratio CR = {cr} "
                "(must be below 0.10); the judgements are not verified",
                name=Label(str(row["name_en"]), zh=str(row["name_zh"])),
                cr=f"{float(report['CR']):.4f}",
            )
        )
    return tuple(notes)


def index_steps(project: Project, presets: Presets | None = None) -> list[dict[str, Any]]:
    """Give the steps of the index, from a file, from the shipped set, or from the short form.

    Parameters
    ----------
    project
        The project.
    presets
        Hold the pairwise judgements of a shipped set; by default the shipped ones.

    Returns
    -------
    list of dict
        Ordered steps.
    """
    named = project.index.steps
    if named:
        return list(read_steps(project.file(named)))
    if project.indicators in recipe_names():
        steps = load_recipe(project.indicators, presets).steps
        return [
            {**step, "low": 0.0, "high": 1.0} if step["step"] == "normalise" else dict(step)
            for step in steps
        ]
    return default_steps(project.index.model_dump(exclude_none=True))


def class_stability(
    index: Index, indicators: Indicators, finest: NDArray[np.bool_], seed: int
) -> pd.Series[Any]:
    """Count how often each unit keeps its class when weights and methods are drawn anew.

    Parameters
    ----------
    index
        The units' index.
    indicators
        The indicators.
    finest
        True for the units of the finest level, shape (n,).
    seed
        Seed of the draws.

    Returns
    -------
    Series
        Share of the draws, 0 to 1; NaN for coarser levels and unknown classes.
    """
    from riskmap.index.stress import unit_stability  # the compiler

    values = indicators.units[finest]
    drawn = unit_stability(index.params, values, index.meta, seed=seed)
    own = index.classes[finest].fillna(0).astype(int)
    share = pd.Series(np.nan, index=indicators.units.index, name="stability")
    for level in CLASSES:
        rows = own.index[own == level]
        if not len(rows):
            continue
        share.loc[rows] = drawn.loc[rows, f"p_class_{level}"].to_numpy(np.float64)
    return share


def with_breaks_kept(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Turn fitted parameters into steps that keep everything but the weights.

    Goalposts and class breaks stay those of the baseline, so that classes compare; this is what
    the map's what-if tab does.

    Parameters
    ----------
    params
        Fitted parameters of the baseline.

    Returns
    -------
    list
        Steps.
    """
    steps: list[dict[str, Any]] = []
    for step in params["steps"]:
        name = step["step"]
        if name == "weight":
            steps.append({"step": name, "method": "given"})
        elif name == "aggregate":
            steps.append({"step": name, **step["options"]})
        else:
            steps.append({"step": name, **step["options"], "frozen": step["fitted"]})
    return steps


def _is_fitted(params: Any) -> bool:
    """Tell whether this has the form of the parameters of an index."""
    steps = params.get("steps") if isinstance(params, dict) else None
    return isinstance(steps, list) and all(
        isinstance(step, dict) and {"step", "options", "fitted"} <= set(step) for step in steps
    )


def frozen_params(project: Project) -> dict[str, Any] | None:
    """Read the parameters of an earlier run that the project keeps.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    dict or None
        None when it keeps none.

    Raises
    ------
    IndicatorError
        When the file is not the ``params.json`` of a run.
    """
    if not project.index.frozen:
        return None
    path = project.file(project.index.frozen)
    try:
        params = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndicatorError(
            text("{file}: cannot be read as frozen parameters: {why}", file=path.name, why=error)
        ) from None
    if not isinstance(params, dict) or not all(map(_is_fitted, map(params.get, _INDICES))):
        raise IndicatorError(
            text("{file}: expected the params.json of an earlier run", file=path.name)
        )
    return params

"""The data flow: layers -> units, grid -> indicators -> index -> plans -> register; its trial."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import geopandas as gpd
import pandas as pd
import shapely

from riskmap import __version__, progress
from riskmap.errors import Problem, RiskmapError
from riskmap.export.public import (
    blot,
    person_words,
    scrub,
    veil_layers,
    without_private_severity,
)
from riskmap.geo.grid import cells_over, require_metric
from riskmap.i18n import Label, Text, text
from riskmap.index.steps import apply, fit
from riskmap.indicators.table import renormalise
from riskmap.layers.unit_shapes import sketch_note
from riskmap.pipeline.ground import (
    FACILITIES,
    Ground,
    build_roads,
    has_effect,
    lacking_notes,
    road_cache,
    road_direction,
)
from riskmap.pipeline.indices import (
    Baseline,
    compute_index,
    compute_indicators,
    find_people,
    frozen_params,
    gather_inputs,
    grade_sources,
    index_steps,
    lay_grid,
    measured_anew,
    read_table,
    reweighted,
    score_scenarios,
)
from riskmap.pipeline.reading import (
    input_files,
    no_ground,
    read_ground,
    read_layers,
    read_scenarios,
)
from riskmap.pipeline.register import register
from riskmap.project.schema import NOWHERE
from riskmap.register.control import CHOICES
from riskmap.result import Facts, Result
from riskmap.vocabulary.columns import NAME
from riskmap.vocabulary.grade import LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from riskmap.geo.grid import Grid
    from riskmap.index.steps import Index
    from riskmap.indicators.table import Indicators, Inputs
    from riskmap.layers.layer import Layer
    from riskmap.pipeline.ground import Roads
    from riskmap.project.schema import Project
    from riskmap.result import Scenario


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
        before, after = _graded_twice(run, role, layer, inside)
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


def _graded_twice(
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
    inputs = gather_inputs(
        ground, run.grid, roads, refuges=run.project.refuges, day=run.project.data_date
    )
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


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run has found so far; every stage gives a new one that has one part more."""

    project: Project
    ground: Ground
    grid: Grid
    roads: Roads
    inputs: Inputs
    indicators: Indicators
    index: Mapping[str, Index] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    plans: Mapping[str, Any] = field(default_factory=dict)
    items: pd.DataFrame | None = None
    control: pd.DataFrame | None = None
    closed: pd.DataFrame | None = None
    steps: pd.DataFrame | None = None
    scorecard: pd.DataFrame | None = None
    duty: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    effects: Mapping[str, Text] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    """What must be said beside the numbers, in the order of the stages."""


def run(project: Project, *, up_to: str | None = None, profile: str = "internal") -> Result:
    """Run a project: one project in, one frozen result out.

    Parameters
    ----------
    project
        The checked project.
    up_to
        ``layers``, ``indicators``, ``index``, ``plans`` or ``register``: the stage after which to
        stop; later parts of the result are empty then.
    profile
        ``public``: everything is computed from layers without private rows and with sensitive
        places moved, and texts blotted, so that no number gives them away.

    Returns
    -------
    Result
        Everything that the exports are written from.

    Raises
    ------
    RiskmapError
        When the units, the CRS or the indicator table cannot be used.
    """
    with progress.stage(text("layers")):
        ground = read_layers(project, read_ground(project))
    if profile == "public":
        project, ground = veiled(project, ground)
    if up_to == "layers":
        return result_of(project, ground)
    found = measured(project, ground)
    for name, title, stage in STAGES:
        if up_to == "indicators":
            break
        with progress.stage(title):
            found = stage(found)
        if name == up_to:
            break
    return result_of(project, found.ground, found)


def veiled(project: Project, ground: Ground) -> tuple[Project, Ground]:
    """Take out of project and layers what the public edition may not even be computed from.

    Parameters
    ----------
    project
        The project; its texts are blotted.
    ground
        Units and checked layers.

    Returns
    -------
    tuple of Project and Ground
        For a public run.
    """
    words = person_words(ground.layers, ground.roles)

    def clean(said: str) -> str:
        return words.sub("***", scrub(said)) if words else scrub(said)

    layers = veil_layers(ground.layers, ground.roles, place=ground.place)
    names = [clean(scenario.name) for scenario in project.scenarios]
    names = [f"{name} {i + 1}" if name in names[:i] else name for i, name in enumerate(names)]
    scenarios = [
        scenario.model_copy(update={"name": name})
        for scenario, name in zip(project.scenarios, names, strict=True)
    ]
    update = {
        "name": clean(project.name),
        "issued_by": clean(project.issued_by),
        "review_number": clean(project.review_number),
        "place": project.place.model_copy(update={"name": clean(project.place.name)}),
        "scenarios": scenarios,
        "plans": False,
        "outputs": project.outputs.model_copy(update={"profile": "public"}),
    }
    roles = {name: without_private_severity(role) for name, role in ground.roles.items()}
    ground = replace(ground, layers=layers, roles=roles, veiled=True, words=words)
    return project.model_copy(update=update), ground


def measured(project: Project, ground: Ground) -> Run:
    """Lay the grid, build the road graphs and measure every indicator.

    Parameters
    ----------
    project
        Grid, roads and indicator table.
    ground
        Units and checked layers.

    Returns
    -------
    Run
        Without index, plans and register.
    """
    with progress.stage(text("grid and travel times")):
        grid = lay_grid(project, ground)
        roads = build_roads(
            ground.layers,
            grid,
            direction=road_direction(project),
            presets=ground.presets,
            crs=ground.crs,
            roles=ground.roles,
            cache=road_cache(project),
            hour=project.traffic.hour,
        )
    with progress.stage(text("indicators")):
        pieces = find_people(ground, grid)
        ground = grade_sources(ground, pieces)
        inputs = gather_inputs(
            ground, grid, roads, pieces, refuges=project.refuges, day=project.data_date
        )
        indicators, units = compute_indicators(project, ground, inputs)
    return Run(
        project=project,
        ground=replace(ground, units=units),
        grid=grid,
        roads=roads,
        inputs=inputs,
        indicators=indicators,
        notes=(*roads.notes, *indicators.notes),
    )


def indexed(run: Run) -> Run:
    """Compute the index of units and cells.

    Parameters
    ----------
    run
        With indicators.

    Returns
    -------
    Run
        With index and fitted parameters.
    """
    index, params, indicators = compute_index(run.project, run.ground, run.indicators)
    return replace(run, index=index, params=params, indicators=indicators)


def planned(run: Run) -> Run:
    """Read the scenarios, compute the index under each, and make the plans.

    Parameters
    ----------
    run
        With an index.

    Returns
    -------
    Run
        With scenarios and plans.
    """
    from riskmap.pipeline.plans import make_plans  # the solvers and their compiler

    scenarios, problems = read_scenarios(run.project, run.ground, run.grid)
    ground = replace(run.ground, problems=(*run.ground.problems, *problems))
    run = _scored(replace(run, ground=ground, scenarios=scenarios))
    if not run.project.plans:
        return run
    plans, remarks = make_plans(
        run.project,
        run.ground,
        run.roads,
        grid=run.grid,
        people=run.inputs.population,
        pieces=run.inputs.pieces,
        scenarios={name: one for name, one in scenarios.items() if has_effect(one)},
        classes=_classes(run.index),
    )
    return replace(run, plans=plans, notes=(*run.notes, *remarks))


def _classes(index: Mapping[str, Index]) -> dict[str, int]:
    """Give the risk class of every unit that has one."""
    if "unit" not in index:
        return {}
    known = index["unit"].classes.dropna()
    return {str(code): int(value) for code, value in known.items()}


def _scored(run: Run) -> Run:
    """Add to index, parameters and notes what the scenarios make of them."""
    base = Baseline(
        table=read_table(run.project),
        inputs=run.inputs,
        indicators=run.indicators,
        index=run.index,
        units=run.ground.units,
    )
    scored, said = score_scenarios(base, run.roads, run.scenarios)
    return replace(
        run,
        index={**run.index, **scored},
        params={**run.params, **{key: index.params for key, index in scored.items()}},
        notes=(*run.notes, *lacking_notes(run.scenarios), *said),
    )


def registered(run: Run) -> Run:
    """Make the ranked list and the control table.

    Parameters
    ----------
    run
        With an index.

    Returns
    -------
    Run
        With items and control.
    """
    found = register(
        run.project,
        run.ground,
        run.roads,
        index=run.index["unit"],
        pieces=run.inputs.pieces,
        scenarios=run.scenarios,
        grid=run.grid,
    )
    items, control = found.items, found.control
    if run.ground.veiled:
        items, control = blot(items, run.ground.words), blot(control, run.ground.words)
    return replace(
        run,
        ground=replace(run.ground, problems=(*run.ground.problems, *found.problems)),
        items=items,
        control=control,
        closed=found.closed,
        steps=None if run.ground.veiled else found.steps,
        scorecard=found.scorecard,
        duty=found.duty,
        notes=(*run.notes, *found.notes),
        effects=effects_of(run),
    )


STAGES: tuple[tuple[str, Text, Callable[[Run], Run]], ...] = (
    ("index", text("index"), indexed),
    ("plans", text("scenarios and plans"), planned),
    ("register", text("list and table"), registered),
)
"""What follows the indicators: name as in ``up_to``, title, function."""


def result_of(project: Project, ground: Ground, run: Run | None = None) -> Result:
    """Put what the stages found into the one value that outputs are written from.

    Parameters
    ----------
    project
        The project.
    ground
        Layers and problems.
    run
        What the later stages found; None when none has run.

    Returns
    -------
    Result
        Later parts empty where nothing has run.
    """
    facts = _facts(project, ground)
    said = run.notes if run else ()
    nothing = pd.DataFrame()
    return Result(
        facts=facts,
        roles=ground.roles,
        layers=ground.layers,
        problems=ground.problems,
        notes=_notes(facts, ground, said),
        units=ground.units,
        unit_sources=ground.unit_sources,
        presets=ground.presets.used(),
        inputs=input_files(project, ground.layers),
        grid=cast("Grid", run.grid if run else None),  # exports are made of whole runs only
        population=run.inputs.population if run else None,
        pieces=run.inputs.pieces if run else None,
        indicators=cast("Indicators", run.indicators if run else None),
        index=run.index if run else {},
        params=run.params if run else {},
        scenarios=run.scenarios if run else {},
        plans=run.plans if run else {},
        items=nothing if run is None or run.items is None else run.items,
        control=nothing if run is None or run.control is None else run.control,
        control_choices=CHOICES,
        closed=nothing if run is None or run.closed is None else run.closed,
        steps=run.steps if run else None,
        scorecard=run.scorecard if run else None,
        duty=run.duty if run else {},
        effects=run.effects if run else {},
    )


def _facts(project: Project, ground: Ground) -> Facts:
    return Facts(
        name=project.name,
        place_code=project.place.code,
        place_name=project.place.name,
        crs=ground.crs,
        data_date=project.data_date,
        lang=project.outputs.lang,
        profile="public" if ground.veiled else "internal",
        review_number=project.review_number,
        issued_by=project.issued_by,
        hotline=project.hotline,
        grid_size_m=project.grid.size_m,
        seed=project.seed,
        version=__version__,
        demo=any(source.demo for source in project.units)
        or any(source.demo for sources in project.layers.values() for source in sources),
        sketch=sketch_note(ground.units) is not None,
        hour=project.traffic.hour,
    )


def _notes(facts: Facts, ground: Ground, said: tuple[Text, ...]) -> tuple[Text, ...]:
    """Say first what holds for every number."""
    notes = [
        text(
            "Screening estimate: indices rank places within this run; they are no forecast of "
            "depth, loss or safety."
        )
    ]
    if sketch := sketch_note(ground.units):
        notes.append(sketch)
    if facts.demo:
        notes.append(text("Made-up demo data (示范数据) are part of this run; not for use."))
    unverified = [preset for preset in ground.presets.used() if preset.status == "unverified"]
    if unverified:
        notes.append(
            text(
                "{n} presets used here are not verified against the standard's text; "
                "see the list of presets.",
                n=len(unverified),
            )
        )
    if ground.veiled:
        notes.append(
            text(
                "Public edition: computed without layers that are not public, and with sensitive "
                "places moved 500 m to 3 km and unnamed; numbers differ from the internal edition."
            )
        )
    return (*notes, *said)


T = TypeVar("T")


def check(project: Project, problems: Sequence[Problem] = (), *, shapes: bool = True) -> Result:
    """Try everything that a run would, but for the long computations.

    Parameters
    ----------
    project
        The project, as far as its file can be used.
    problems
        What is wrong with the file.
    shapes
        False where nobody looks at the places and ids of points, which a long ledger takes most
        of its memory for.

    Returns
    -------
    Result
        Layers and every problem; units are empty when none can be used.
    """
    found = list(problems)
    with progress.stage(text("layers")):
        ground = _try(found, lambda: read_ground(project))
        known = ground is not None
        ground = read_layers(project, ground or no_ground(project), shapes=shapes)
    found += ground.problems
    with progress.stage(text("the rest of the project file")):
        effects: Mapping[str, Text] = {}
        table = _try(found, lambda: _table(project), key="indicators")
        if table is not None:
            _try(found, lambda: _steps(project, table), key="index")
        if known and table is not None:
            effects = missing_effects(table, ground)
        if known:
            _scenarios(project, ground, found)
    kept = tuple(p for p in dict.fromkeys(found) if p.file != _nowhere())
    return replace(result_of(project, replace(ground, problems=kept)), effects=effects)


def _nowhere() -> str:
    return NOWHERE


def _try(problems: list[Problem], step: Callable[[], T], *, key: str = "units") -> T | None:
    """Take a step; what it refuses, and a fault of our own, becomes a problem."""
    try:
        return step()
    except RiskmapError as error:
        problems += [p if p.file or p.field else replace(p, field=key) for p in error.problems]
        if not error.problems:
            problems.append(_problem(key, error.message))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  a check goes on after every fault
        why = f"{type(error).__name__}: {error}"
        problems.append(_problem(key, text("a fault of riskmap itself ({why})", why=why)))
    return None


def _problem(key: str, message: Text | str) -> Problem:
    said = message if isinstance(message, Text) else Text(message)
    mend = text("mend this in the project file, or in the file that it names")
    return Problem("unusable", "", "project", said, mend, field=key)


def _table(project: Project) -> pd.DataFrame:
    table = read_table(project)
    return reweighted(table, project.overrides) if project.overrides else table


def _steps(project: Project, table: pd.DataFrame) -> Any:
    """Fit the steps on a few made-up rows, which shows a wrong method or option at once."""
    import numpy as np

    codes = [str(code) for code in table.index[table["kind"] == "indicator"]]
    meta, _ = renormalise(table, codes)
    rows = np.random.default_rng(0).uniform(1.0, 2.0, (24, len(codes)))
    frozen_params(project)
    return fit(pd.DataFrame(rows, columns=codes), meta, index_steps(project))


def _scenarios(project: Project, ground: Ground, problems: list[Problem]) -> None:
    """Try the grid, and the scenarios on it where there are any."""
    if not project.scenarios:
        metric, size_m = require_metric(ground.crs), project.grid.size_m
        _try(problems, lambda: cells_over(ground.place, metric=metric, size_m=size_m), key="grid")
        return
    grid = _try(problems, lambda: lay_grid(project, ground), key="grid")
    if grid is None:
        return
    read = _try(problems, lambda: read_scenarios(project, ground, grid), key="scenarios")
    if read is not None:
        problems += read[1]

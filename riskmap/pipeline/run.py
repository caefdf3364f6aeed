"""The data flow: layers -> units and grid -> indicators -> index -> plans -> register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from riskmap import __version__, progress
from riskmap.i18n import Text, text
from riskmap.result import Facts, Result

if TYPE_CHECKING:
    from riskmap.indicators.table import Inputs
    from riskmap.pipeline.ground import Ground
    from riskmap.pipeline.roads import Roads
    from riskmap.project.schema import Project


def run(project: Project, *, up_to: str | None = None) -> Result:
    """Run a project: one project in, one frozen result out.

    Parameters
    ----------
    project
        The checked project.
    up_to
        ``layers``, ``indicators``, ``index``, ``plans`` or ``register``: the stage after which to
        stop; later parts of the result are empty then.

    Returns
    -------
    Result
        Everything that the exports are written from.

    Raises
    ------
    RiskmapError
        When the units, the CRS or the indicator table cannot be used.
    """
    from riskmap.pipeline.ground import read_ground, read_layers, road_cache
    from riskmap.pipeline.indices import compute_index, compute_indicators, gather_inputs, lay_grid
    from riskmap.pipeline.plans import make_plans
    from riskmap.pipeline.register import register
    from riskmap.pipeline.roads import build_roads, road_direction
    from riskmap.pipeline.scenarios import has_effect, read_scenarios

    with progress.stage(text("layers")):
        ground = read_layers(project, read_ground(project))
    if up_to == "layers":
        return _result(project, ground)
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
        )
    with progress.stage(text("indicators")):
        inputs = gather_inputs(ground, grid, roads)
        people = inputs.population
        indicators, units = compute_indicators(project, ground, inputs)
        ground = replace(ground, units=units)
    done: dict[str, Any] = {
        "grid": grid,
        "population": people,
        "indicators": indicators,
        "notes": (*roads.notes, *indicators.notes),
    }
    if up_to == "indicators":
        return _result(project, ground, **done)
    with progress.stage(text("index")):
        found = compute_index(project, ground, indicators)
        done["index"], done["params"], done["indicators"] = found
    if up_to == "index":
        return _result(project, ground, **done)
    with progress.stage(text("scenarios and plans")):
        done["scenarios"], said = read_scenarios(project, ground, grid)
        ground = replace(ground, problems=(*ground.problems, *said))
        done |= _scored(project, ground, roads, inputs, done)
        if project.plans:
            wet = {k: s for k, s in done["scenarios"].items() if has_effect(s)}
            done["plans"], remarks = make_plans(
                project, ground, roads, grid=grid, people=people, scenarios=wet
            )
            done["notes"] = (*done["notes"], *remarks)
    if up_to == "plans":
        return _result(project, ground, **done)
    with progress.stage(text("list and table")):
        done["items"], done["control"], left_out = register(
            project, ground, roads, grid=grid, people=people, index=done["index"]["unit"]
        )
        done["notes"] = (*done["notes"], *left_out)
    return _result(project, ground, **done)


def _scored(
    project: Project, ground: Ground, roads: Roads, inputs: Inputs, done: Mapping[str, Any]
) -> dict[str, Any]:
    """Add to index, parameters and notes what the scenarios make of them."""
    from riskmap.pipeline.indices import Baseline, read_table, score_scenarios
    from riskmap.pipeline.scenarios import lacking_notes

    base = Baseline(
        table=read_table(project),
        inputs=inputs,
        indicators=done["indicators"],
        index=done["index"],
        units=ground.units,
    )
    scored, said = score_scenarios(base, roads, done["scenarios"])
    params = {key: index.params for key, index in scored.items()}
    return {
        "index": {**done["index"], **scored},
        "params": {**done["params"], **params},
        "notes": (*done["notes"], *lacking_notes(done["scenarios"]), *said),
    }


def _result(project: Project, ground: Ground, **parts: Any) -> Result:
    """Put the stages' tables into the one value that outputs are written from."""
    from riskmap.pipeline.ground import empty_parts, input_files

    empty = empty_parts()
    facts = _facts(project, ground)
    return Result(
        facts=facts,
        roles=ground.roles,
        layers=ground.layers,
        problems=ground.problems,
        units=ground.units,
        unit_sources=ground.unit_sources,
        presets=ground.presets.used(),
        inputs=input_files(project),
        **{**empty, **parts, "notes": _notes(facts, ground, parts.get("notes", ()))},
    )


def _facts(project: Project, ground: Ground) -> Facts:
    return Facts(
        name=project.name,
        place_code=project.place.code,
        place_name=project.place.name,
        crs=ground.crs,
        data_date=project.data_date,
        lang=project.outputs.lang,
        profile="internal",
        review_number=project.review_number,
        issued_by=project.issued_by,
        grid_size_m=project.grid.size_m,
        seed=project.seed,
        version=__version__,
        demo=any(source.demo for source in project.units)
        or any(source.demo for sources in project.layers.values() for source in sources),
    )


def _notes(facts: Facts, ground: Ground, said: tuple[Text, ...]) -> tuple[Text, ...]:
    """Say first what holds for every number."""
    notes = [
        text(
            "Screening estimate: indices rank places within this run; they are no forecast of "
            "depth, loss or safety."
        )
    ]
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
    return (*notes, *said)

"""Trying everything that a run would, and going on after each fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from riskmap import progress
from riskmap.errors import Problem, RiskmapError
from riskmap.i18n import Text, text
from riskmap.pipeline.effects import missing_effects
from riskmap.pipeline.ground import WORLD, Ground, read_ground, read_layers, roles_of
from riskmap.pipeline.run import result_of

if TYPE_CHECKING:
    import pandas as pd

    from riskmap.project.schema import Project
    from riskmap.result import Result

T = TypeVar("T")


def check(project: Project, problems: Sequence[Problem] = ()) -> Result:
    """Try everything that a run would, but for the long computations.

    Parameters
    ----------
    project
        The project, as far as its file can be used.
    problems
        What is wrong with the file.

    Returns
    -------
    Result
        Layers and every problem; units are empty when none can be used.
    """
    found = list(problems)
    with progress.stage(text("layers")):
        ground = _try(found, lambda: read_ground(project))
        known = ground is not None
        ground = read_layers(project, ground or _no_ground(project))
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
    from riskmap.project.schema import NOWHERE

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


def _no_ground(project: Project) -> Ground:
    """Stand in for a place that cannot be read: layers are checked without it."""
    from riskmap.layers.units import empty_units
    from riskmap.vocabulary.presets import load_presets
    from riskmap.vocabulary.roles import load_roles

    try:
        roles = roles_of(project)
    except RiskmapError:  # said already
        roles = load_roles()
    return Ground(
        roles=roles,
        presets=load_presets(project.presets),
        crs=WORLD,
        units=empty_units(),
        place=None,
        layers={},
        problems=(),
    )


def _table(project: Project) -> pd.DataFrame:
    from riskmap.pipeline.indices import read_table, reweighted

    table = read_table(project)
    return reweighted(table, project.overrides) if project.overrides else table


def _steps(project: Project, table: pd.DataFrame) -> Any:
    """Fit the steps on a few made-up rows, which shows a wrong method or option at once."""
    import numpy as np
    import pandas as pd

    from riskmap.index.steps import fit
    from riskmap.indicators.table import renormalise
    from riskmap.pipeline.indices import frozen_params, index_steps

    codes = [str(code) for code in table.index[table["kind"] == "indicator"]]
    meta, _ = renormalise(table, codes)
    rows = np.random.default_rng(0).uniform(1.0, 2.0, (24, len(codes)))
    frozen_params(project)
    return fit(pd.DataFrame(rows, columns=codes), meta, index_steps(project))


def _scenarios(project: Project, ground: Ground, problems: list[Problem]) -> None:
    from riskmap.pipeline.indices import lay_grid
    from riskmap.pipeline.scenarios import read_scenarios

    grid = _try(problems, lambda: lay_grid(project, ground), key="grid")
    if grid is None or not project.scenarios:
        return
    read = _try(problems, lambda: read_scenarios(project, ground, grid), key="scenarios")
    if read is not None:
        problems += read[1]

"""The index of units and cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.columns import CLASSES, LEVEL
from riskmap.errors import IndicatorError
from riskmap.i18n import text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.index.steps import Index
    from riskmap.indicators.table import Indicators
    from riskmap.project import Project
    from riskmap.stages.ground import Ground


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

    The units' parameters are fitted on the finest level and applied to the coarser ones, so that
    levels compare; the cells have parameters of their own.

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
    from riskmap.index.reading import read_steps
    from riskmap.index.steps import apply, default_steps, fit

    named = project.index.steps
    steps = (
        read_steps(project.file(named))
        if named
        else default_steps(project.index.model_dump(exclude_none=True))
    )
    frozen = _frozen(project)
    finest = ground.units["finest"].to_numpy(dtype=bool)
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
        else:
            found[name] = fit(values, meta, steps, **ranked, **fitted)
        if project.overrides:
            kept = with_breaks_kept(found[name].params)
            changed = reweighted(meta, project.overrides)
            found[name] = fit(values, changed, kept, **ranked, **fitted)
    if project.overrides:
        indicators = replace(indicators, meta=reweighted(meta, project.overrides))
    found["unit"] = replace(
        found["unit"], stability=class_stability(found["unit"], indicators, finest, project.seed)
    )
    return found, {name: index.params for name, index in found.items()}, indicators


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
    import pandas as pd

    from riskmap.index.stress import unit_stability

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


def _frozen(project: Project) -> dict[str, Any] | None:
    if not project.index.frozen:
        return None
    path = project.file(project.index.frozen)
    try:
        params = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndicatorError(
            text("{file}: cannot be read as frozen parameters: {why}", file=path.name, why=error)
        ) from None
    if not isinstance(params, dict) or not all(map(_is_fitted, map(params.get, _INDICES))):
        raise IndicatorError(
            text("{file}: expected the params.json of an earlier run", file=path.name)
        )
    return params

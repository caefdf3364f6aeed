"""Shipped recipes: an indicator table and its steps, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from riskmap.i18n import text
from riskmap.index.tree import did_you_mean, error, failure
from riskmap.vocabulary.presets import Presets, load_presets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Recipe:
    """A published or office-made index, ready for `steps.fit`."""

    name: str
    meta: pd.DataFrame
    """Indexed by code."""
    steps: tuple[Mapping[str, Any], ...]
    source: str
    status: str
    """``sourced``, ``check`` or ``unverified``, as for presets."""
    name_zh: str
    name_en: str


def with_judgements(steps: Sequence[Mapping[str, Any]], presets: Presets) -> list[dict[str, Any]]:
    """Fill in the pairwise matrices that stand in presets.

    Parameters
    ----------
    steps
        Steps; a matrix may be ``@`` and the key of a preset.
    presets
        The presets; those read are remembered as used.

    Returns
    -------
    list of dict
        Steps with numbers.
    """
    filled = []
    for step in steps:
        matrices = {
            group: {**one, "matrix": [list(row) for row in presets[one["matrix"][1:]]]}
            if isinstance(one.get("matrix"), str)
            else one
            for group, one in step.get("matrices", {}).items()
        }
        filled.append({**step, "matrices": matrices} if matrices else dict(step))
    return filled


def recipe_names() -> tuple[str, ...]:
    """Return the names of the shipped recipes.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> recipe_names()
    ('city_operation', 'inform', 'nri')
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_recipe(name: str, presets: Presets | None = None) -> Recipe:
    """Load a shipped recipe.

    Parameters
    ----------
    name
        One of `recipe_names`.
    presets
        Hold the pairwise judgements; by default the shipped ones.

    Returns
    -------
    Recipe
        Indicator table and steps.

    Raises
    ------
    IndicatorError
        Unknown name.

    Examples
    --------
    >>> load_recipe("nri").meta.index.tolist()
    ['LOSS', 'VULNERABILITY', 'RESILIENCE', 'RISK']
    """
    if name not in recipe_names():
        message = text("unknown recipe {name}", name=name)
        raise failure([error("recipe", message, did_you_mean(name, recipe_names()))])
    found = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return Recipe(
        name=name,
        meta=pd.DataFrame(found["indicators"]).set_index("code"),
        steps=tuple(with_judgements(found["steps"], presets or load_presets())),
        source=found["source"],
        status=found["status"],
        name_zh=found["name_zh"],
        name_en=found["name_en"],
    )

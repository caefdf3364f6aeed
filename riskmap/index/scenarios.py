"""The choices behind an index that could have been made otherwise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError
from riskmap.index.outcome import Index
from riskmap.index.removal import columns_of, groups_of
from riskmap.index.steps import fit
from riskmap.index.table import Array, Params
from riskmap.index.tree import Tree, build_tree

Steps = tuple[Mapping[str, Any], ...]
OTHER_IMPUTE: Final = {
    "mean": "median",
    "median": "mean",
    "group_mean": "group_median",
    "group_median": "group_mean",
    "row_mean": "row_median",
    "row_median": "row_mean",
}


@dataclass(frozen=True)
class Variant:
    """One combination of methods, computed once; only weights are drawn on top of it."""

    choice: tuple[int, ...]
    tree: Tree
    specs: Params
    columns: dict[str, Array]
    limits: tuple[float, ...]
    rows: pd.Index[Any]


Found = tuple[list[str], dict[tuple[int, ...], Variant]]


def alternatives(steps: Sequence[Mapping[str, Any]]) -> dict[str, list[Steps]]:
    """List for each choice of method the steps as they are and as they could be.

    Normalisation: min-max or percentile ranks on the same range. Treatment: with or without.
    Imputation: means or medians. Aggregation of the root: arithmetic or geometric.

    Parameters
    ----------
    steps
        The steps of the index.

    Returns
    -------
    dict
        Name of the choice to the alternatives for that one step; the first is as it is.
    """
    found: dict[str, list[Steps]] = {}
    for step in steps:
        kind, method = step["step"], step.get("method")
        if kind == "normalise" and method in (None, "minmax"):
            found[kind] = [(step,), ({**step, "method": "percentile_rank"},)]
        elif kind == "treat":
            found[kind] = [(step,), ()]
        elif kind == "impute" and method in OTHER_IMPUTE:
            found[kind] = [(step,), ({**step, "method": OTHER_IMPUTE[str(method)]},)]
        elif kind == "aggregate":
            found[kind] = [(step,)]
    return found


def _other_root(step: Mapping[str, Any], root: str) -> Mapping[str, Any] | None:
    """Swap arithmetic and geometric at the root."""
    method = step.get("method") or "arithmetic"
    table = dict(method) if isinstance(method, Mapping) else {"default": method}
    now = table.get(root, table.get("default", "arithmetic"))
    if now not in ("arithmetic", "geometric"):
        return None
    return {**step, "method": {**table, root: "geometric" if now == "arithmetic" else "arithmetic"}}


def variants(
    index: Index, values: pd.DataFrame, meta: pd.DataFrame, *, methods: bool = True
) -> Found:
    """Compute the index under every combination of alternative methods.

    A combination that cannot be computed (a geometric mean of negative values) is left out, and
    with it the alternative that made it so.

    Parameters
    ----------
    index
        The index as it is.
    values
        The table that it was computed from.
    meta
        Its indicator table.
    methods
        False: only the index as it is.

    Returns
    -------
    tuple
        Names of the choices, and the variants by combination; all zeros is the index as it is.
    """
    root = build_tree(index.meta).root
    options = alternatives(index.steps)
    for step in index.steps:
        other = _other_root(step, root) if step["step"] == "aggregate" else None
        if other is not None:
            options["aggregate"] = [(step,), (other,)]
    options = {name: ways for name, ways in options.items() if methods and len(ways) > 1}
    nominal = _variant(index, (0,) * len(options))
    kept = {
        name: ways
        for name, ways in options.items()
        if _try(index, values, meta, {name: ways[1]}, nominal) is not None
    }
    names = list(kept)
    found: dict[tuple[int, ...], Variant] = {}
    for choice in itertools.product((0, 1), repeat=len(names)):
        chosen = {n: kept[n][1] for n, c in zip(names, choice, strict=True) if c}
        made = index if not any(choice) else _try(index, values, meta, chosen, nominal)
        found[choice] = _variant(index if made is None else made, choice)
    return names, found


def _try(
    index: Index,
    values: pd.DataFrame,
    meta: pd.DataFrame,
    chosen: Mapping[str, Steps],
    nominal: Variant,
) -> Index | None:
    """Compute the index with other steps; None when it cannot be, or rows would differ."""
    steps = [s for step in index.steps for s in chosen.get(step["step"], (step,))]
    try:
        made = fit(values, meta, steps)
    except IndicatorError:
        return None
    return made if made.scores.index.equals(nominal.rows) else None


def _variant(index: Index, choice: tuple[int, ...]) -> Variant:
    """Keep what the draws need of a computed index."""
    tree = build_tree(index.meta)
    breaks = index.details.get("classify", {}).get("breaks", {}).get(tree.root, [])
    columns = columns_of(index)
    return Variant(
        choice=choice,
        tree=tree,
        specs=groups_of(index),
        columns={code: np.asarray(columns[code]) for code in tree.indicators},
        limits=tuple(float(v) for v in breaks),
        rows=index.scores.index,
    )

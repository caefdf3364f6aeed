"""Weights of the parts of every group: given, equal, from judgement, from data, combined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from riskmap.errors import Problem
from riskmap.i18n import Text, text
from riskmap.index import ahp, objective
from riskmap.index.means import arithmetic
from riskmap.index.tree import (
    Array,
    Data,
    Options,
    Params,
    Tree,
    did_you_mean,
    error,
    raise_problems,
    unknown_codes,
)

METHODS = ("given", "equal", "ahp", "combined", *objective.METHODS)
PAIRED = tuple(name for name in METHODS if name != "combined")
"""Methods that ``combined`` can join."""
LEAST_ROWS = 2
"""Rows without gaps from which weights can be read."""


def effective(tree: Tree, weights: Mapping[str, float]) -> dict[str, float]:
    r"""Multiply each code's share of its parent down from the root.

    .. math:: e_c = \frac{w_c}{\sum_{s \in siblings} w_s} e_{parent}, \quad e_{root} = 1

    Parameters
    ----------
    tree
        The index tree.
    weights
        Weight of every code but the root.

    Returns
    -------
    dict
        Code to effective weight; the indicators' sum to 1.
    """
    found = {tree.root: 1.0}
    for group in reversed(tree.groups):
        total = sum(weights[c] for c in tree.children[group])
        for child in tree.children[group]:
            found[child] = found.get(group, 0.0) * weights[child] / total if total else 0.0
    return found


def _group_option(option: object, group: str, default: object) -> Any:
    """Read an option for one group; a group's entry does not hold for what is beneath."""
    if isinstance(option, Mapping):
        return option.get(group, option.get("default", default))
    return default if option is None else option


def _check(data: Data, options: Options) -> None:
    """Check methods and codes."""
    problems: list[Problem] = []
    for key in ("method", "matrices", "theta", "of", "target"):
        if key == "target" and not isinstance(options.get(key), Mapping):
            continue
        problems += unknown_codes(options.get(key), data.tree, "weight", key)
    mend = text("correct the steps file")
    for group in data.tree.groups:
        method = _group_option(options.get("method"), group, "given")
        names = [method]
        if method == "combined":
            names = [str(n) for n in _combined_of(options, group)]
        known = PAIRED if method == "combined" else METHODS
        for name in names:
            if name not in known:
                message = text("{code}: unknown method of weighting {name}", code=group, name=name)
                problems.append(error("method", message, did_you_mean(str(name), known)))
        if not 0 <= float(_group_option(options.get("theta"), group, 0.5)) <= 1:
            message = text("{code}: theta must be a share from 0 to 1", code=group)
            problems.append(error("theta", message, mend))
        if "ahp" in names and group not in options.get("matrices", {}):
            message = text(
                "{code}: method {name} needs {key}", code=group, name="ahp", key="matrices"
            )
            problems.append(error("missing_option", message, mend))
    raise_problems(problems)


def _combined_of(options: Options, group: str) -> tuple[str, str]:
    """Return the subjective and the objective method that are combined."""
    pair = options.get("of", ("given", "entropy"))
    if isinstance(pair, Mapping):
        pair = pair.get(group, pair.get("default", ("given", "entropy")))
    first, second = pair
    return str(first), str(second)


class _Weigher:
    """Weighs one group by any method, collecting reports and problems."""

    def __init__(self, data: Data, options: Options) -> None:
        self.data, self.options = data, options
        self.problems: list[Problem] = []
        self.reports: dict[str, Any] = {}

    def __call__(self, method: str, group: str, x: Array) -> Array:
        children = self.data.tree.children[group]
        if method == "given":
            return np.array([float(self.data.weights[c]) for c in children])
        if method == "equal" or len(children) == 1:
            return np.full(len(children), 1.0 / len(children))
        if method == "ahp":
            found, report, problems = ahp.weigh(
                group,
                children,
                self.options["matrices"][group],
                method=self.options.get("ahp_method", "eigenvector"),
                max_ratio=float(self.options.get("max_ratio", ahp.MAX_RATIO)),
            )
            self.problems += problems
            self.reports[group] = report
            return np.array([found.get(c, 1.0) for c in children])
        if method == "combined":
            return self.combined(group, x)
        if (~np.isnan(x).any(axis=1)).sum() < LEAST_ROWS:
            message = text(
                "{code}: method {name} needs two units or more in which all parts are known",
                code=group, name=method,
            )  # fmt: skip
            mend = text("fill the gaps first (impute), or give the weights")
            self.problems.append(error("rows", message, mend))
            return np.ones(len(children))
        if method == "optimised":
            target = self.options.get("target") or {}
            named = set(children) <= set(target)
            goal = np.array([float(target[c]) for c in children]) if named else None
            return objective.optimised(x, goal)
        return objective.METHODS[method](x)

    def combined(self, group: str, x: Array) -> Array:
        """Mix two sets of weights, by sum or by product."""
        first, second = (self(m, group, x) for m in _combined_of(self.options, group))
        if not (first.sum() > 0 and second.sum() > 0):
            return np.zeros(len(first))
        first, second = first / first.sum(), second / second.sum()
        if self.options.get("combine", "sum") == "product":
            joined = first * second
            return np.asarray(joined / joined.sum() if joined.sum() > 0 else first)
        theta = float(_group_option(self.options.get("theta"), group, 0.5))
        return np.asarray(theta * first + (1.0 - theta) * second)


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    r"""Weigh the parts of every group, bottom up.

    Methods from data look at the normalised columns of a group's parts; for groups of groups at
    the weighted arithmetic means of their parts. ``combined`` is
    :math:`\theta w_1 + (1 - \theta) w_2` or the normalised product.

    Parameters
    ----------
    data
        The normalised table.
    options
        ``method``: one, or ``{default: ..., GROUP: ...}``, of given, equal, ahp, entropy, critic,
        pca, optimised, combined; ``matrices``: ``{GROUP: {codes, matrix}}``; ``ahp_method``:
        eigenvector or geometric; ``max_ratio``; ``of``: the two methods combined; ``theta``;
        ``combine``: sum or product; ``target``: code to share of influence.
    notes
        Receives warnings.

    Returns
    -------
    dict
        ``weights`` of every code but the root, ``effective`` weights, ``ahp`` reports.

    Raises
    ------
    IndicatorError
        Unknown method or code, a wrong or contradictory pairwise matrix, weights summing to zero,
        too few units without gaps for weights from the data.
    """
    del notes
    _check(data, options)
    weigher = _Weigher(data, options)
    weights: dict[str, float] = {}
    methods = {g: _group_option(options.get("method"), g, "given") for g in data.tree.groups}
    looks = not set(methods.values()) <= {"given", "equal", "ahp"}
    rows = data.fit_rows if looks else np.zeros(len(data.rows), dtype=bool)
    pool: dict[str, Array] = {c: data.x[rows, i] for i, c in enumerate(data.codes)}
    for group in data.tree.groups:
        children = data.tree.children[group]
        x = np.column_stack([pool[c] for c in children])
        found = weigher(str(methods[group]), group, x)
        if not found.sum() > 0:
            message = text("{code}: the weights of its parts sum to zero", code=group)
            mend = text("give at least one part a weight above 0")
            weigher.problems.append(error("weights", message, mend))
        weights.update(zip(children, (float(w) for w in found), strict=True))
        pool[group] = arithmetic(x, found, {})
    raise_problems(weigher.problems)
    return {"weights": weights, "effective": effective(data.tree, weights), "ahp": weigher.reports}


def apply(data: Data, params: Params) -> Data:
    """Use the fitted weights from here on.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        The same table with other weights.
    """
    return replace(data, weights={c: params["weights"][c] for c in data.tree.parent})

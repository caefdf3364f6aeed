"""Join indicators into groups and groups into the index, level by level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from riskmap.errors import Problem
from riskmap.i18n import Text, text
from riskmap.index.means import METHODS
from riskmap.index.tree import (
    Array,
    Data,
    Mask,
    Options,
    Params,
    did_you_mean,
    error,
    per_code,
    raise_problems,
    unknown_codes,
)

NOT_NEGATIVE = ("geometric", "harmonic", "generalised", "product")


def _negative(data: Data, group: str, spec: Params, x: Array) -> list[Problem]:
    """Name the cells that forbid a method: below 0, or above 1 where 1 - x is taken."""
    children = data.tree.children[group]
    turned = np.isin(children, spec.get("complement", ()))
    below, above = _cells(data, children, x < 0), _cells(data, children, (x > 1) & turned)
    found = []
    if below[0]:
        message = text(
            "{group}: {n} negative value(s) under a {name} mean: {cells}",
            group=group, n=below[0], name=spec["method"], cells=below[1],
        )  # fmt: skip
        mend = text("normalise to a range from 0 upwards, or aggregate arithmetically")
        found.append(error("negative", message, mend, name=group))
    if above[0]:
        message = text(
            "{group}: {n} value(s) above 1 cannot be taken as 1 - x: {cells}",
            group=group, n=above[0], cells=above[1],
        )  # fmt: skip
        found.append(error("negative", message, text("normalise to 0..1"), name=group))
    return found


def _cells(data: Data, children: tuple[str, ...], wrong: Mask, limit: int = 5) -> tuple[int, str]:
    """Count the marked cells, and name the first of them."""
    rows, places = np.nonzero(wrong)
    first = zip(rows[:limit], places[:limit], strict=True)
    return len(rows), ", ".join(f"{data.rows[r]}/{children[p]}" for r, p in first)


def _top_problems(group: str, top: float) -> list[Problem]:
    """Check the end of the scale of an inverse geometric mean."""
    if top > 0:
        return []
    message = text("{code}: top must be above 0", code=group)
    return [error("top", message, text("correct the steps file"))]


ZERO_DECIDES: Final = ("geometric", "product")
"""Methods in which one part of zero makes the whole zero, whatever the unknown ones are."""


def _own(option: object, data: Data, default: object) -> dict[str, Any]:
    """Spread an option over the groups; a group's own entry holds for it, not for those beneath."""
    if isinstance(option, Mapping):
        return {g: option.get(g, option.get("default", default)) for g in data.tree.groups}
    return dict.fromkeys(data.tree.groups, default if option is None else option)


def fit(data: Data, options: Options, _notes: list[Text]) -> Params:
    """Choose the method of every group.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method`` and ``dat_thresh`` (least share of known children), each one value or
        ``{default: ..., CODE: ...}``; ``power``; ``complement``: codes taken as 1 - x;
        ``inverse``: codes divided by; ``top``: the end of the scale of an inverse geometric mean.
    _notes
        Not used; the step has nothing to say.

    Returns
    -------
    dict
        Code of the group to its method, weights and options, bottom up.

    Raises
    ------
    IndicatorError
        Unknown method or code, weights that sum to zero.
    """
    problems: list[Problem] = []
    for key in ("method", "dat_thresh", "power"):
        problems += unknown_codes(options.get(key), data.tree, "aggregate", key)
    methods = _own(options.get("method"), data, "arithmetic")
    thresholds = _own(options.get("dat_thresh"), data, None)
    powers = per_code(options.get("power"), data.tree, 1.0)
    turned = {key: set(options.get(key, ())) for key in ("complement", "inverse")}
    for key, codes in turned.items():
        problems += unknown_codes(dict.fromkeys(codes), data.tree, "aggregate", key)
    groups: dict[str, Any] = {}
    for group in data.tree.groups:
        children = data.tree.children[group]
        weights = {child: float(data.weights[child]) for child in children}
        if methods[group] not in METHODS:
            message = text(
                "{code}: unknown method of aggregation {name}", code=group, name=methods[group]
            )
            problems.append(error("method", message, did_you_mean(str(methods[group]), METHODS)))
        if not sum(weights.values()) > 0:
            message = text("{code}: the weights of its parts sum to zero", code=group)
            problems.append(
                error("weights", message, text("give at least one part a weight above 0"))
            )
        groups[group] = {"method": methods[group], "weights": weights}
        if thresholds[group] is not None:
            groups[group]["dat_thresh"] = float(thresholds[group])
        if methods[group] == "generalised":
            groups[group]["power"] = float(powers[group])
        for key, codes in turned.items():
            if codes & set(children):
                groups[group][key] = [c for c in children if c in codes]
        if methods[group] == "inverse_geometric":
            groups[group]["top"] = float(options.get("top", 1.0))
            problems += _top_problems(group, groups[group]["top"])
    raise_problems(problems)
    return {"groups": groups}


def combine(
    x: Array, spec: Params, children: tuple[str, ...], weights: Array | None = None
) -> Array:
    """Aggregate one group from its children's columns.

    Parameters
    ----------
    x
        Shape (rows, children).
    spec
        The group's entry in the fitted parameters.
    children
        Codes of the columns.
    weights
        Other weights than the fitted ones.

    Returns
    -------
    ndarray
        Shape (rows,).
    """
    w = np.array([spec["weights"][c] for c in children]) if weights is None else weights
    options = dict(spec)
    for key in ("complement", "inverse"):
        options[key] = [children.index(c) for c in spec.get(key, ())]
    result = METHODS[spec["method"]](x, w, options)
    if "dat_thresh" in spec:
        share = 1.0 - np.isnan(x).mean(axis=1)
        decided = (result == 0) & (spec["method"] in ZERO_DECIDES)
        result = np.where((share < spec["dat_thresh"]) & ~decided, np.nan, result)
    return result


def apply(data: Data, params: Params) -> Data:
    """Aggregate all groups, bottom up.

    Parameters
    ----------
    data
        The normalised table.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        With the score of every group.

    Raises
    ------
    IndicatorError
        Negative values under a geometric, harmonic or power mean or a product, values above 1
        under a complement.
    """
    problems: list[Problem] = []
    current = replace(data, groups={})
    for group in data.tree.groups:
        spec = params["groups"][group]
        children = data.tree.children[group]
        x = current.columns(children)
        if spec["method"] in NOT_NEGATIVE:
            found = _negative(data, group, spec, x)
            problems += found
            x = np.full_like(x, np.nan) if found else x
        current = replace(current, groups={**current.groups, group: combine(x, spec, children)})
    raise_problems(problems)
    return current

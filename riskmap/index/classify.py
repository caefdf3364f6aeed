"""Put scores into classes: breaks, thresholds, red flags; breaks can be frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmap.errors import Problem
from riskmap.i18n import Text, text
from riskmap.index import breaks, grading
from riskmap.index.tree import Data, Options, Params, did_you_mean, error, raise_problems

FIXED = "thresholds"
TABLES = ("risk_matrix", "lec")
"""Methods that read classes from raw grades instead of from a score."""
MOST = 20
"""Most classes that can be asked for."""


def _codes(data: Data, options: Options) -> list[str]:
    """Return the codes to classify; the root when none is named."""
    code = options.get("code") or data.tree.root
    return [str(c) for c in ([code] if isinstance(code, str) else code)]


def _problems(data: Data, options: Options) -> list[Problem]:
    """Check the options of the step."""
    problems = []
    mend = text("correct the steps file")
    known = {*data.tree.indicators, *data.tree.groups}
    for code in _codes(data, options):
        if code not in known:
            message = text(
                "step {step}, {key}: unknown code {code}", step="classify", key="code", code=code
            )
            problems.append(error("unknown_code", message, did_you_mean(code, known)))
        elif code not in data.groups and code not in data.codes:
            message = text("{code} has no score yet: classify after aggregate", code=code)
            problems.append(error("order", message, mend))
    method = options.get("method", "natural_breaks")
    limits = options.get("thresholds")
    if limits is not None and (len(limits) < 1 or list(limits) != sorted(set(limits))):
        message = text("the thresholds must rise")
        problems.append(error("thresholds", message, mend, value=list(limits)))
    if method == FIXED and limits is None:
        message = text(
            "{code}: method {name} needs {key}", code="classify", name=FIXED, key="thresholds"
        )
        problems.append(error("missing_option", message, mend))
    if method in TABLES:
        problems += grading.problems(data.others, options)
    elif method != FIXED and method not in breaks.METHODS:
        message = text("unknown method of classification {name}", name=method)
        problems.append(
            error("method", message, did_you_mean(str(method), [*breaks.METHODS, FIXED]))
        )
    if not 2 <= int(options.get("k", 4)) <= MOST:
        message = text("the number of classes must be 2 to 20")
        problems.append(error("k", message, mend, value=options.get("k")))
    for flag in options.get("red_flags", ()):
        problems += _flag_problems(data, flag)
    return problems


def _flag_problems(data: Data, flag: Mapping[str, Any]) -> list[Problem]:
    """Check one red flag: its column, the class that it gives, the number that raises it."""
    name = flag.get("column")
    if name not in data.others.columns:
        message = text("red flag: unknown column {name}", name=name)
        return [error("red_flag", message, did_you_mean(str(name), map(str, data.others)))]
    grade, least = flag.get("class"), flag.get("at_least", 1)
    if isinstance(grade, int) and 1 <= grade <= MOST and isinstance(least, int | float):
        return []
    message = text(
        "red flag {name}: class must be 1 to {most} and at_least a number", name=name, most=MOST
    )
    shown = f"class: {grade}, at_least: {least}"
    return [error("red_flag", message, text("correct the steps file"), value=shown)]


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    """Find the class limits of each named code on the fit rows.

    Parameters
    ----------
    data
        The aggregated table.
    options
        ``code`` (one or a list; default the root), ``method``, ``k``, ``thresholds`` (upper limits
        of all classes but the last), ``red_flags``: ``[{column, at_least, class}]``.
    notes
        Receives warnings, such as too few distinct values.

    Returns
    -------
    dict
        ``breaks``: code to upper limits; ``red_flags``.

    Raises
    ------
    IndicatorError
        Unknown code, method or column, thresholds that do not rise.
    """
    raise_problems(_problems(data, options))
    flags = [dict(flag) for flag in options.get("red_flags", ())]
    if options.get("method") in TABLES:
        rules = dict.fromkeys(_codes(data, options), grading.rule_of(options))
        return {"breaks": {}, "red_flags": flags, "rules": rules}
    k = int(options.get("k", 4))
    limits: dict[str, list[float]] = {}
    for code in _codes(data, options):
        scores = data.column(code)[data.fit_rows]
        known = scores[~np.isnan(scores)]
        if "thresholds" in options:
            given = [float(v) for v in options["thresholds"]]
            limits[code] = [*given, max(given[-1], float(known.max(initial=-np.inf)))]
            continue
        if not len(known):
            limits[code] = []
            notes.append(text("{code} is unknown in every unit; it has no classes", code=code))
            continue
        found = len(np.unique(known))
        if found >= k:
            limits[code] = breaks.METHODS[options.get("method", "natural_breaks")](known, k)
            if len(limits[code]) < k:
                n = len(limits[code])
                notes.append(text("{code}: only {n} class(es) can be told apart", code=code, n=n))
        elif data.scale is not None:
            low, high = data.scale
            limits[code] = [low + (high - low) * step / k for step in range(1, k + 1)]
            notes.append(
                text(
                    "{code}: {n} different value(s) make no {k} classes; the goalposts' range is "
                    "split into equal parts instead",
                    code=code, n=found, k=k,
                )
            )  # fmt: skip
        else:
            limits[code] = []
            notes.append(
                text(
                    "{code} cannot be graded: {n} different value(s) among {units} unit(s) make no "
                    "{k} classes. Compare more units, or give thresholds or goalposts.",
                    code=code, n=found, units=len(known), k=k,
                )
            )  # fmt: skip
    return {"breaks": limits, "red_flags": flags}


def apply(data: Data, params: Params) -> Data:
    """Give every row its class by the fitted limits, then let red flags raise it.

    Parameters
    ----------
    data
        The aggregated table.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        With classes, 1 the lowest, 0 unknown.
    """
    classes = dict(data.classes)
    for code in [*params["breaks"], *params.get("rules", {})]:
        found = _found(data, code, params)
        for flag in params["red_flags"]:
            found = np.where(_flagged(data, flag), np.maximum(found, flag["class"]), found)
        classes[code] = found.astype(np.int8)
    return replace(data, classes=classes)


def _found(data: Data, code: str, params: Params) -> NDArray[np.int8]:
    """Class the rows by limits, or by a table of grades."""
    if code in params.get("rules", {}):
        return grading.classify(data.others, params["rules"][code])
    limits = params["breaks"][code]
    if not limits:
        return np.zeros(len(data.rows), dtype=np.int8)
    return breaks.classify(data.column(code), limits)


def _flagged(data: Data, flag: Mapping[str, Any]) -> Any:
    """Say which rows carry a red flag: a number of at least ``at_least``."""
    column = data.others[flag["column"]]
    return (column.astype(float) >= float(flag.get("at_least", 1))).to_numpy()

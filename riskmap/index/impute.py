"""Fill unknown values, and remember which; parameters are fitted, then applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.index.tree import (
    Array,
    Data,
    Options,
    Params,
    did_you_mean,
    error,
    places_of,
    raise_problems,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from riskmap.errors import Problem


def _mean(x: Array) -> float:
    known = np.sort(x[~np.isnan(x)])
    return float(known.mean()) if len(known) else float("nan")


def _median(x: Array) -> float:
    known = x[~np.isnan(x)]
    return float(np.median(known)) if len(known) else float("nan")


CENTRES: dict[str, Callable[[Array], float]] = {"mean": _mean, "median": _median}
METHODS = (
    "mean",
    "median",
    "group_mean",
    "group_median",
    "row_mean",
    "row_median",
    "last",
    "linear",
)


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    """Find what fills the gaps of each indicator.

    Parameters
    ----------
    data
        The table so far.
    options
        ``method``: ``mean``, ``median`` (of the column); ``group_mean``, ``group_median`` (of the
        rows with the same ``group``, a column of the values; the column's own where the group has
        no value); ``row_mean``, ``row_median`` (of the unit's other indicators after min-max);
        ``last``, ``linear`` in ``time`` within ``series`` (columns of the values).
    notes
        Receives warnings.

    Returns
    -------
    dict
        The method and its numbers by code.

    Raises
    ------
    IndicatorError
        Unknown method or column.
    """
    method = str(options.get("method", "mean"))
    _check(data, options, method)
    fitted: Params = {"method": method}
    rows = data.x[data.fit_rows]
    if method in ("last", "linear"):
        return {**fitted, "time": options["time"], "series": options.get("series", "")}
    if method.startswith("row_"):
        low, high = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
        return {**fitted, "low": low.tolist(), "high": high.tolist(), "codes": list(data.codes)}
    centre = CENTRES[method.removeprefix("group_")]
    overall = {code: centre(rows[:, place]) for place, code in enumerate(data.codes)}
    fitted["overall"] = overall
    if method.startswith("group_"):
        fitted["group"] = str(options["group"])
        labels = _labels(data, fitted["group"])[data.fit_rows]
        fitted["groups"] = {
            name: {code: centre(rows[mine, place]) for place, code in enumerate(data.codes)}
            for name, mine in places_of(labels).items()
        }
        empty = [
            f"{g}/{c}" for g, of in fitted["groups"].items() for c, v in of.items() if np.isnan(v)
        ]
        for name, of in fitted["groups"].items():
            fitted["groups"][name] = {c: None if np.isnan(v) else v for c, v in of.items()}
        if empty:
            cells = ", ".join(empty[:20])
            notes.append(
                text("no value in the group, the column's own is used: {cells}", cells=cells)
            )
    return fitted


def _check(data: Data, options: Options, method: str) -> None:
    """Check the options of the step."""
    problems: list[Problem] = []
    columns = [str(c) for c in data.others.columns]
    mend = text("correct the steps file")
    needs = {"group_mean": "group", "group_median": "group", "last": "time", "linear": "time"}
    if method not in METHODS:
        message = text("unknown method of imputation {name}", name=method)
        problems.append(error("method", message, did_you_mean(method, METHODS)))
    elif method in needs and not options.get(needs[method]):
        message = text(
            "{code}: method {name} needs {key}", code="impute", name=method, key=needs[method]
        )
        problems.append(error("missing_option", message, mend))
    for key in ("group", "time", "series"):
        name = options.get(key)
        if name and str(name) not in columns:
            message = text("impute, {key}: the values have no column {name}", key=key, name=name)
            problems.append(error("missing_column", message, did_you_mean(str(name), columns)))
        elif name and not bool(data.others[str(name)].notna().any()):
            message = text("impute, {key}: the column {name} is empty", key=key, name=name)
            problems.append(error("empty_column", message, mend))
        elif name and key != "group" and bool(data.others[str(name)].isna().any()):
            gaps = data.rows[data.others[str(name)].isna().to_numpy()]
            units = ", ".join(map(str, gaps[:5]))
            message = text(
                "impute, {key}: {column} is blank in {units}", key=key, column=name, units=units
            )
            problems.append(error("blank", message, text("correct the table of values")))
    raise_problems(problems)


def apply(data: Data, params: Params) -> Data:
    """Fill the gaps; known values are never touched.

    Parameters
    ----------
    data
        The table so far.
    params
        As returned by `fit`.

    Returns
    -------
    Data
        The same rows and indicators.
    """
    missing = np.isnan(data.x)
    if not missing.any():
        return data
    method = params["method"]
    if method in ("last", "linear"):
        filled = _in_time(data, params)
    elif method.startswith("row_"):
        filled = _by_row(data, params)
    else:
        filled = np.broadcast_to([params["overall"][c] for c in data.codes], data.x.shape)
        if "groups" in params:
            filled = _by_group(data, params, filled.copy())
    return replace(data, x=np.where(missing, filled, data.x))


def _by_group(data: Data, params: Params, filled: Array) -> Array:
    """Lay each group's centres over the columns' own."""
    for name, rows in places_of(_labels(data, params["group"])).items():
        centres = params["groups"].get(name, {})
        for place, code in enumerate(data.codes):
            if centres.get(code) is not None:
                filled[rows, place] = centres[code]
    return filled


def _labels(data: Data, column: str) -> NDArray[np.object_]:
    """Read a column as texts, None where it is blank."""
    entries = data.others[column]
    return np.array(
        [str(v) if ok else None for v, ok in zip(entries, entries.notna(), strict=True)], object
    )


def _by_row(data: Data, params: Params) -> Array:
    """Take the centre of each row on a common scale, and bring it back to each column's own."""
    low, high = np.array(params["low"]), np.array(params["high"])
    directions = data.meta.loc[list(data.codes), "direction"].to_numpy(dtype=float)
    width = np.where(high > low, high - low, 1.0)
    share = (data.x - low) / width
    share = np.where(directions > 0, share, 1.0 - share)
    take = np.nanmean if params["method"] == "row_mean" else np.nanmedian
    some = ~np.isnan(share).all(axis=1)
    centre = np.full(len(share), np.nan)
    centre[some] = take(share[some], axis=1)
    back = np.where(directions > 0, centre[:, None], 1.0 - centre[:, None])
    return np.asarray(low + back * width)


def _in_time(data: Data, params: Params) -> Array:
    """Carry the last value on, or draw a line between the neighbours in time."""
    frame = data.frame()
    time = np.asarray(data.others[params["time"]], dtype=float)
    name = params["series"]
    labels = _labels(data, name) if name else np.full(len(time), "", dtype=object)
    filled = frame.to_numpy(copy=True)
    for places in places_of(labels).values():
        order = places[np.argsort(time[places], kind="stable")]
        for column in range(filled.shape[1]):
            values = filled[order, column]
            known = ~np.isnan(values)
            if not known.any():
                continue
            if params["method"] == "linear":
                inner = np.interp(time[order], time[order][known], values[known])
                outside = (time[order] < time[order][known][0]) | (
                    time[order] > time[order][known][-1]
                )
                filled[order, column] = np.where(outside & ~known, np.nan, inner)
            else:
                filled[order, column] = pd.Series(values).ffill().to_numpy()
    return filled

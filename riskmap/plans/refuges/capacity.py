"""How many people a refuge holds: declared against computed from its area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions
    from riskmap.vocabulary.presets import Presets


def capacity_table(
    refuges: pd.DataFrame, *, presets: Presets, options: RefugeOptions, data_date: str = ""
) -> pd.DataFrame:
    r"""Compute the places of every refuge and set them beside the declared ones.

    .. math:: q = \min(q_\text{declared}, \lfloor A / a_\text{type} \rfloor) - q_\text{used}

    Parameters
    ----------
    refuges
        Refuge layer: ``capacity``, ``area_m2``, ``type``, ``used``, ``appraised``.
    presets
        Areas per person.
    options
        The plan's options.
    data_date
        Date of the data, for the age of the appraisal.

    Returns
    -------
    DataFrame
        Indexed like ``refuges``: name, tier, type, area_m2, per_capita_m2, computed, declared,
        over_declared, used, places, assumed, appraisal_due.

    References
    ----------
    GB 51143-2015, table 3.1.x; DB33/T 2158-2021.

    Examples
    --------
    >>> from riskmap.plans.options import RefugeOptions
    >>> from riskmap.vocabulary.presets import load_presets
    >>> hall = pd.DataFrame({"capacity": [300.0], "area_m2": [500.0], "used": [10.0]})
    >>> capacity_table(hall, presets=load_presets(), options=RefugeOptions())["places"].tolist()
    [240]
    """
    area = numbers(refuges, "area_m2")
    declared = numbers(refuges, "capacity")
    used = np.nan_to_num(numbers(refuges, "used"))
    each = _per_capita(refuges, presets, options)
    computed = np.floor(area / each)
    honest = np.fmin(declared, computed)
    assumed = np.isnan(honest) & (options.assumed_capacity is not None)
    honest = np.where(assumed, float(options.assumed_capacity or 0), honest)
    places = np.maximum(np.nan_to_num(honest) - used, 0.0)
    return pd.DataFrame(
        {
            "name": texts(refuges, "name"),
            "tier": texts(refuges, "tier"),
            "type": texts(refuges, "type"),
            "area_m2": area,
            "per_capita_m2": each,
            "computed": computed,
            "declared": declared,
            "over_declared": declared > computed,
            "used": used,
            "places": places.astype(np.int64),
            "known": ~np.isnan(np.fmin(declared, computed)),
            "assumed": assumed,
            "appraisal_due": _appraisal_due(refuges, presets, data_date),
        },
        index=refuges.index,
    )


def numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Take a column as numbers; NaN where it is blank or missing.

    Parameters
    ----------
    table
        The table.
    name
        The column.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    if name not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def texts(table: pd.DataFrame, name: str) -> list[str]:
    """Take a column as texts; empty where it is blank or missing.

    Parameters
    ----------
    table
        The table.
    name
        The column.

    Returns
    -------
    list
        One text a row.
    """
    if name not in table:
        return [""] * len(table)
    return [str(value) for value in table[name].astype(object).where(table[name].notna(), "")]


def _per_capita(
    refuges: pd.DataFrame, presets: Presets, options: RefugeOptions
) -> NDArray[np.float64]:
    """Area per person by type [m2]; a refuge without a type takes the indoor figure."""
    if options.per_capita_m2 is not None:
        return np.full(len(refuges), options.per_capita_m2)
    kinds = texts(refuges, "type")
    by_type = presets["refuge.per_capita_m2"] if any(kinds) else {}
    other = float(presets["refuge.zhejiang_per_capita_m2"]) if not all(kinds) else np.nan
    return np.asarray([float(by_type.get(kind, other)) for kind in kinds], np.float64)


def _appraisal_due(refuges: pd.DataFrame, presets: Presets, data_date: str) -> NDArray[np.bool_]:
    """Tell whose last building appraisal is older than the cycle on the date of the data."""
    if "appraised" not in refuges or not data_date:
        return np.zeros(len(refuges), bool)
    years = int(presets["refuge.appraisal_years"])
    last = pd.to_datetime(refuges["appraised"], errors="coerce")
    oldest = pd.Timestamp(data_date) - pd.DateOffset(years=years)
    return np.asarray((last < oldest).to_numpy(), bool)

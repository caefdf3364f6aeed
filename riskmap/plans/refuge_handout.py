"""The sheet that a village officer is handed: who goes where, by which road, and what else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuge_capacity import texts

if TYPE_CHECKING:
    import geopandas as gpd

COLUMNS = [
    "town", "village", "name", "people", "assisted", "refuge", "address", "person", "phone", "mode",
    "route", "metres", "minutes", "leave_by", "other_route", "alternative", "avoided", "remark",
]  # fmt: skip


def handout(sent: pd.DataFrame, refuges: gpd.GeoDataFrame) -> pd.DataFrame:
    """Put the assignment into the words of a village officer's sheet.

    Parameters
    ----------
    sent
        Table of assignments with their roads.
    refuges
        Refuge layer: address, person, phone.

    Returns
    -------
    DataFrame
        A row for each group and refuge, by town and village. ``leave_by`` is the latest minute
        before the peak at which the group must set out.
    """
    there = refuges.iloc[sent["refuge_row"].to_numpy(np.int64)]
    table = sent[["town", "village", "name", "people", "assisted", "refuge", "mode"]].copy()
    for name in ("address", "person", "phone"):
        table[name] = texts(there, name)
    rows = list(sent.itertuples())
    table["route"] = pd.Series([_route(row) for row in rows], dtype=object)
    table["metres"], table["minutes"] = sent["metres"], sent["minutes"]
    table["leave_by"] = np.ceil(sent["minutes"].to_numpy(np.float64))
    table["other_route"] = pd.Series([_other(row) for row in rows], dtype=object)
    table["alternative"] = pd.Series([_next(row) for row in rows], dtype=object)
    table["avoided"] = pd.Series([_avoided(row) for row in rows], dtype=object)
    table["remark"] = pd.Series([_remark(row) for row in rows], dtype=object)
    order = ["town", "village", "name", "assisted", "minutes"]
    return table[COLUMNS].sort_values(order, kind="stable").reset_index(drop=True)


def _route(row) -> Text:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.via:
        return text("to the {heading} by {via}", heading=row.heading, via=row.via)
    return text("to the {heading}", heading=row.heading)


def _other(row) -> Text:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if not np.isfinite(row.other_metres):
        return text("no other road")
    said = text("{m} m, {min} min", m=f"{row.other_metres:.0f}", min=f"{row.other_minutes:g}")
    if row.shared_m >= 1:
        return text("{way}; {m} m of it as before", way=said, m=f"{row.shared_m:.0f}")
    return said


def _next(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if not row.alternative:
        return ""
    return text("{name}, {min} min", name=row.alternative, min=f"{row.alternative_minutes:g}")


def _avoided(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.avoided_m < 1:
        return ""
    if row.avoided:
        return text("{names} ({m} m closed)", names=row.avoided, m=f"{row.avoided_m:.0f}")
    return text("{m} m closed on the usual way", m=f"{row.avoided_m:.0f}")


def _remark(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return "" if row.in_time else text("too late after the warning: leave earlier")

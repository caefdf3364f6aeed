"""Supplies: what lies where, how much there is for each person who moves, and the nearest depot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuge_capacity import numbers, texts
from riskmap.plans.refuge_roads import Net, ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.presets.load import Presets

CLASS_DIGITS = 5
"""Digits of a code of GB/T 38565 that name a class: large, middle and small class."""


@dataclass(frozen=True, kw_only=True)
class SupplyPlan:
    """What the stock is good for; frozen."""

    tables: Mapping[str, pd.DataFrame]
    """supplies, depots, nearest_depot."""
    notes: tuple[Text, ...] = ()
    map_layers: Mapping[str, Any] = field(default_factory=dict)


def supply_plan(
    stock: pd.DataFrame,
    depots: pd.DataFrame,
    *,
    moved: Mapping[str, float],
    refuges: pd.DataFrame | None,
    net: Net | None,
    presets: Presets,
) -> SupplyPlan:
    """Count the stock and set it beside the people who move.

    Parameters
    ----------
    stock
        Stock ledger: name, code, depot or number, quantity, measure_unit.
    depots
        Depot layer.
    moved
        People who move by scenario; empty name = without flood.
    refuges
        Refuge layer, or None.
    net
        Roads of the lorries, or None.
    presets
        Form of the codes.

    Returns
    -------
    SupplyPlan
        Tables and notes.

    References
    ----------
    GB/T 38565-2020.
    """
    counted, notes = _counted(stock, depots, presets)
    tables = {"supplies": class_totals(counted, moved), "depots": _by_depot(counted, depots)}
    if refuges is not None and net is not None and len(depots):
        tables["nearest_depot"] = _nearest(refuges, depots, net)
    return SupplyPlan(tables=tables, notes=notes)


def _counted(
    stock: pd.DataFrame, depots: pd.DataFrame, presets: Presets
) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """Join stock and depots; say which codes and depots are not known."""
    code = pd.Series(texts(stock, "code"), dtype=object)
    fits = code.str.fullmatch(str(presets["supplies.gb38565_pattern"]))
    tier_of = dict(zip(texts(depots, "name"), texts(depots, "tier"), strict=True))
    home = texts(stock, "depot")
    table = pd.DataFrame(
        {
            "code": code.where(fits, ""),
            "item": texts(stock, "name"),
            "measure_unit": texts(stock, "measure_unit"),
            "quantity": np.nan_to_num(numbers(stock, "quantity")),
            "depot": home,
            "tier": [tier_of.get(name, "") for name in home],
        }
    )
    notes = []
    odd = int((~fits).sum())
    if odd:
        notes.append(text("Supplies: {n} rows have no code of GB/T 38565.", n=odd))
    lost = int(sum(name not in tier_of for name in home))
    if lost:
        notes.append(text("Supplies: {n} rows name a depot that is not in the layer.", n=lost))
    return table, tuple(notes)


def class_totals(counted: pd.DataFrame, moved: Mapping[str, float]) -> pd.DataFrame:
    """Sum the stock by class and set it beside the people who move.

    Parameters
    ----------
    counted
        code, item, measure_unit, quantity, depot, tier.
    moved
        People who move by scenario.

    Returns
    -------
    DataFrame
        A row for each code, item and unit: quantity, one column a tier, depots, and for each
        scenario the quantity per 100 people who move.

    Examples
    --------
    >>> rows = pd.DataFrame({"code": ["1010101"] * 2, "item": ["cot"] * 2,
    ...     "measure_unit": ["piece"] * 2, "quantity": [30.0, 20.0], "depot": ["a", "b"],
    ...     "tier": ["town", "county"]})
    >>> class_totals(rows, {"storm": 200.0})[["quantity", "per_100@storm"]].values.tolist()
    [[50.0, 25.0]]
    """
    keys = ["code", "item", "measure_unit"]
    table = counted.groupby(keys, sort=True).agg(
        quantity=("quantity", "sum"), depots=("depot", "nunique")
    )
    by_tier = counted.pivot_table(
        index=keys, columns="tier", values="quantity", aggfunc="sum", fill_value=0.0
    )
    for tier in by_tier.columns:
        table[f"quantity_{tier or 'unknown'}"] = by_tier[tier]
    for name, people in moved.items():
        share = table["quantity"] * 100 / people if people > 0 else np.nan
        table["per_100" + (f"@{name}" if name else "")] = share
    return table.reset_index()


def _by_depot(counted: pd.DataFrame, depots: pd.DataFrame) -> pd.DataFrame:
    """Count classes and rows of every depot; a depot without stock stays in the list."""
    table = pd.DataFrame({"depot": texts(depots, "name"), "tier": texts(depots, "tier")})
    found = counted.assign(group=counted["code"].str[:CLASS_DIGITS]).groupby("depot")
    table["items"] = table["depot"].map(found.size()).fillna(0).astype(int)
    table["classes"] = table["depot"].map(found["group"].nunique()).fillna(0).astype(int)
    table["quantity"] = table["depot"].map(found["quantity"].sum()).fillna(0.0)
    return table


def _nearest(refuges: pd.DataFrame, depots: pd.DataFrame, net: Net) -> pd.DataFrame:
    """Find the depot from which each refuge is supplied soonest."""
    found = ways((net,), _xy(refuges), _xy(depots))
    best = found.drop_duplicates("demand")
    rows = best["demand"].to_numpy(np.int64)
    at = best["refuge"].to_numpy(np.int64)
    names = np.asarray(texts(depots, "name"), dtype=object)
    table = pd.DataFrame({"refuge": texts(refuges, "name"), "depot": "", "minutes": np.nan})
    table.loc[rows, "depot"] = names[at]
    table.loc[rows, "minutes"] = (best["seconds"].to_numpy() / 60).round(1)
    return table


def _xy(places: Any) -> NDArray[np.float64]:
    spots = places.geometry.representative_point()
    return np.column_stack([spots.x, spots.y])

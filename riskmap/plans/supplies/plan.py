"""Supplies: what lies where, whether it is enough for those who move, and who sends it soonest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.plan import Plan, Proof
from riskmap.plans.refuges.capacity import numbers, texts
from riskmap.plans.supplies.ways import (
    Call,
    depot_sizes,
    nearest_depots,
    nearest_stock,
    needs,
    next_depots,
    total_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from riskmap.vocabulary.presets import Presets


CLASS_DIGITS = 5
"""Digits of a code of GB/T 38565 that name a class: large, middle and small class."""


def supply_plan(
    stock: pd.DataFrame,
    depots: gpd.GeoDataFrame,
    *,
    calls: Sequence[Call],
    refuges: gpd.GeoDataFrame | None,
    presets: Presets,
    data_date: str = "",
    new_depots: int = 0,
) -> Plan:
    """Count the stock, set it beside the people who move, and find who sends it soonest.

    Parameters
    ----------
    stock
        Stock ledger: name, code, depot, quantity, measure_unit, owner, expires.
    depots
        Depot layer.
    calls
        Who moves to which refuge in each state of the world, and the roads of the lorries.
    refuges
        Refuge layer, or None.
    presets
        Form of the codes, needs of a person, sizes of depots.
    data_date
        Date of the data; what has expired by then does not count.
    new_depots
        Depots to propose.

    Returns
    -------
    Plan
        supplies, depots, needs, nearest, next_depots; and notes.

    References
    ----------
    GB/T 38565-2020.
    """
    counted, notes = count_stock(stock, depots, presets, data_date)
    moved = {call.scenario: call.people for call in calls}
    tables = {
        "supplies": class_totals(counted, moved),
        "depots": _with_size(_by_depot(counted, depots), depot_sizes(depots, calls, presets)),
        "needs": needs(counted, calls, presets),
    }
    proof: list[Proof] = []
    if refuges is not None and len(depots):
        soonest = nearest_depots(refuges, depots, calls)
        kinds = nearest_stock(counted, refuges, depots, calls, presets)
        tables["nearest"] = pd.concat([soonest.assign(item=""), kinds], ignore_index=True)
        found = next_depots(refuges, depots, calls, k=new_depots)
        if found is not None:
            tables["next_depots"] = found
            status = str(found["status"].iloc[0])
            proof.append(Proof(question=text("Next depots"), model="p-median", status=status))
    return Plan(
        tables={name: table for name, table in tables.items() if len(table)},
        notes=(*notes, total_of(counted)),
        proof=tuple(proof),
    )


def _with_size(held: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Set the floor area beside the stock of every depot; the row of all depots comes last."""
    count = len(held)
    more = sizes.drop(columns=["depot", "tier"])
    whole = sizes.iloc[count:]
    return pd.concat([held.join(more.iloc[:count]), whole], ignore_index=True)


def count_stock(
    stock: pd.DataFrame, depots: pd.DataFrame, presets: Presets, data_date: str = ""
) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """Join stock and depots; say which codes and depots are not known, and what has expired.

    Parameters
    ----------
    stock
        Stock ledger.
    depots
        Depot layer.
    presets
        Form and divisions of the codes.
    data_date
        Date of the data, or empty.

    Returns
    -------
    tuple
        Table (division, code, item, measure_unit, quantity, depot, tier, owner) without expired
        goods; and notes.
    """
    code = pd.Series(texts(stock, "code"), dtype=object)
    fits = code.str.fullmatch(str(presets["supplies.gb38565_pattern"]))
    divisions = presets["supplies.divisions"]
    tier_of = dict(zip(texts(depots, "name"), texts(depots, "tier"), strict=True))
    home = texts(stock, "depot")
    table = pd.DataFrame(
        {
            "division": [
                divisions.get(each[:1], "") if ok else ""
                for each, ok in zip(code, fits, strict=True)
            ],
            "code": code.where(fits, ""),
            "item": texts(stock, "name"),
            "measure_unit": texts(stock, "measure_unit"),
            "quantity": np.nan_to_num(numbers(stock, "quantity")),
            "depot": home,
            "tier": [tier_of.get(name, "") for name in home],
            "owner": texts(stock, "owner"),
        }
    )
    notes = []
    odd = int((~fits).sum())
    if odd:
        notes.append(text("Supplies: {n} rows have no code of GB/T 38565.", n=odd))
    lost = int(sum(name not in tier_of for name in home))
    if lost:
        notes.append(text("Supplies: {n} rows name a depot that is not in the layer.", n=lost))
    if "expires" in stock and data_date:
        last = pd.to_datetime(stock["expires"], errors="coerce").reset_index(drop=True)
        old = (last < pd.Timestamp(data_date)).to_numpy(bool)
        if old.any():
            notes.append(
                text("Supplies: {n} rows have expired and do not count.", n=int(old.sum()))
            )
        table = table[~old].reset_index(drop=True)
    return table, tuple(notes)


def class_totals(counted: pd.DataFrame, moved: Mapping[str, float]) -> pd.DataFrame:
    """Sum the stock by class and set it beside the people who move.

    Parameters
    ----------
    counted
        code, item, measure_unit, quantity, depot, tier; division where it is known.
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
    keys = [
        name for name in ("division", "code", "item", "measure_unit") if name in counted.columns
    ]
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

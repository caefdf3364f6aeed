"""What the people who move need, and whether stock and depots are enough for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuges.capacity import numbers, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuges.ways import Net
    from riskmap.vocabulary.presets import Presets


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who asks for supplies in one state of the world."""

    scenario: str
    """Empty without flood."""
    people: float
    """People who move."""
    at_refuge: NDArray[np.float64]
    """People sent to each refuge, shape (m,)."""
    net: Net | None
    """Roads of the lorries, or None."""


def kind_of(counted: pd.DataFrame, need: Mapping[str, Any]) -> pd.Series[float]:
    """Measure how much of a needed kind every row of stock holds, in the unit of the need.

    Parameters
    ----------
    counted
        Stock: item, measure_unit, quantity.
    need
        ``words`` in the name of the item, and ``content`` of each unit of measure.

    Returns
    -------
    Series
        0 for other goods; NaN for a unit of measure that is not known.

    Examples
    --------
    >>> rows = pd.DataFrame({"item": ["water", "cot"], "measure_unit": ["box", "piece"],
    ...                      "quantity": [10.0, 5.0]})
    >>> kind_of(rows, {"words": ["water"], "content": {"box": 12}}).tolist()
    [120.0, 0.0]
    """
    mine = np.zeros(len(counted), bool)
    for word in need["words"]:
        mine |= counted["item"].str.contains(str(word), regex=False).to_numpy(bool)
    each = counted["measure_unit"].map(dict(need["content"])).astype(float)
    return (counted["quantity"] * each).where(mine, 0.0)


def needs(counted: pd.DataFrame, calls: Sequence[Call], presets: Presets) -> pd.DataFrame:
    r"""Set the stock of every kind beside what the people who move need.

    .. math:: n = p \cdot a \cdot d, \qquad \text{adequacy} = s / n

    Parameters
    ----------
    counted
        Stock.
    calls
        States of the world.
    presets
        ``supplies.needs`` and ``supplies.days``.

    Returns
    -------
    DataFrame
        scenario, item, people, per_person, days, needed, in_stock, adequacy, lack, measure_unit,
        uncounted (rows of the kind whose unit of measure is not known).
    """
    kinds, days = presets["supplies.needs"], float(presets["supplies.days"])
    stock = {key: kind_of(counted, need) for key, need in kinds.items()}
    rows = []
    for call in calls:
        for key, need in kinds.items():
            held = float(stock[key].sum())
            last = days if need["per_day"] else 1.0
            wanted = call.people * float(need["per_person"]) * last
            rows.append(
                {
                    "scenario": call.scenario,
                    "item": need["zh"],
                    "people": call.people,
                    "per_person": float(need["per_person"]),
                    "days": last if need["per_day"] else np.nan,
                    "needed": np.ceil(wanted - 1e-6),
                    "in_stock": held,
                    "adequacy": held / wanted if wanted > 0 else np.nan,
                    "lack": max(np.ceil(wanted - 1e-6) - held, 0.0),
                    "measure_unit": need["unit"],
                    "uncounted": int(stock[key].isna().sum()),
                }
            )
    return pd.DataFrame(rows)


def depot_sizes(depots: pd.DataFrame, calls: Sequence[Call], presets: Presets) -> pd.DataFrame:
    """Set the floor area of the depots beside the sizes of the standards.

    The row of all depots is set beside the area for the most people who move in one state.

    Parameters
    ----------
    depots
        Depot layer: name, tier, area_m2.
    calls
        States of the world.
    presets
        ``supplies.depot_m2`` by tier and ``supplies.depot_by_people``.

    Returns
    -------
    DataFrame
        depot, tier, area_m2, wanted_m2 (NaN where the standard gives none), people, area_ok.
    """
    by_tier = presets["supplies.depot_m2"]
    area = numbers(depots, "area_m2")
    tiers = texts(depots, "tier")
    wanted = [float(by_tier[tier][0]) if tier in by_tier else np.nan for tier in tiers]
    table = pd.DataFrame(
        {"depot": texts(depots, "name"), "tier": tiers, "area_m2": area, "wanted_m2": wanted}
    )
    most = max((call.people for call in calls), default=0.0)
    size = presets["supplies.depot_by_people"]
    whole = pd.DataFrame(
        {
            "depot": [text("all depots, for the most people who move")],
            "tier": "",
            "area_m2": float(np.nansum(area)),
            "wanted_m2": float(np.interp(most, size["people"], size["m2"])) if most > 0 else np.nan,
            "people": most,
        }
    )
    table = pd.concat([table.astype({"depot": object}), whole], ignore_index=True)
    known = table["wanted_m2"].notna() & table["area_m2"].notna()
    enough = table["area_m2"] >= table["wanted_m2"]
    table["area_ok"] = enough.astype(object).where(known, None)
    return table


def total_of(counted: pd.DataFrame) -> Text:
    """Say how many kinds and pieces of goods there are.

    Parameters
    ----------
    counted
        Stock.

    Returns
    -------
    Text
        For the plan's notes.
    """
    kinds = counted.loc[counted["code"] != "", "code"].nunique()
    return text(
        "Supplies: {kinds} coded kinds of goods, {n} in all, in {depots} depots.",
        kinds=kinds,
        n=f"{counted['quantity'].sum():.0f}",
        depots=counted["depot"].nunique(),
    )

"""What is in stock, what the people who move need, which depot sends it soonest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.geo.grid import row_xy
from riskmap.i18n import Text, text
from riskmap.layers.layer import numbers, texts
from riskmap.plans.refuges.ways import Net, ways
from riskmap.result import Plan, Proof
from riskmap.siting.exact.branch import p_median
from riskmap.siting.problem import CANDIDATE, EXISTING, make_instance
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


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
    cut: frozenset[str] = frozenset()
    """Depots from which no lorry gets to any refuge with people."""


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
        States of the world; the stock of depots that are cut off does not count.
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
            held = float(stock[key][~counted["depot"].isin(call.cut)].sum())
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
    """Say how many kinds of goods there are, and how much in each unit.

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
        "Supplies: {kinds} coded kinds of goods in {depots} depots; by unit: {n}.",
        kinds=kinds,
        n=_by_unit(counted) or "0",
        depots=counted["depot"].nunique(),
    )


def _by_unit(goods: pd.DataFrame) -> str:
    """Add up what is counted in one unit: pieces and kilograms have no sum."""
    sums = goods.groupby("measure_unit")["quantity"].sum()
    sums = sums[sums > 0].sort_index().sort_values(ascending=False, kind="stable")
    said = [f"{amount:.10g}{unit}" for unit, amount in sums.items()]
    return "、".join(said[:_UNITS]) + ("……" if len(said) > _UNITS else "")


_UNITS: Final = 8
"""Units of which sums are said."""

MOST_NODES = 2000


def nearest_depots(
    refuges: gpd.GeoDataFrame, depots: gpd.GeoDataFrame, calls: Sequence[Call]
) -> pd.DataFrame:
    """Find the depot from which each refuge is supplied soonest.

    Parameters
    ----------
    refuges, depots
        Layers.
    calls
        States of the world. Without flood every refuge is listed, in a scenario those with people.

    Returns
    -------
    DataFrame
        scenario, refuge, people, depot (empty = no way), minutes.
    """
    names = np.asarray([*texts(depots, "name"), ""], dtype=object)
    parts = []
    for call in calls:
        if call.net is None:
            continue
        who, minutes = _nearest(call.net, row_xy(refuges), row_xy(depots))
        rows = np.flatnonzero(call.at_refuge > 0) if call.scenario else np.arange(len(refuges))
        parts.append(
            pd.DataFrame(
                {
                    "scenario": pd.Series([call.scenario] * rows.size, dtype=object),
                    "refuge": np.asarray(texts(refuges, "name"), object)[rows],
                    "people": call.at_refuge[rows],
                    "depot": names[who[rows]],
                    "minutes": minutes[rows].round(1),
                }
            )
        )
    columns = ["scenario", "refuge", "people", "depot", "minutes"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def nearest_stock(
    counted: pd.DataFrame,
    refuges: gpd.GeoDataFrame,
    depots: gpd.GeoDataFrame,
    calls: Sequence[Call],
    presets: Presets,
) -> pd.DataFrame:
    """Find for every refuge with people the nearest depot that holds each needed kind.

    Parameters
    ----------
    counted
        Stock.
    refuges, depots
        Layers.
    calls
        States of the world.
    presets
        ``supplies.needs``.

    Returns
    -------
    DataFrame
        scenario, refuge, people, item, depot (empty = none can send it), minutes, in_stock.
    """
    names = np.asarray(texts(depots, "name"), dtype=object)
    parts = []
    for need in presets["supplies.needs"].values():
        held = kind_of(counted, need).fillna(0.0).groupby(counted["depot"]).sum()
        amount = np.asarray([float(held.get(name, 0.0)) for name in names], np.float64)
        have = np.flatnonzero(amount > 0)
        for call in calls:
            rows = np.flatnonzero(call.at_refuge > 0)
            if call.net is None or not rows.size:
                continue
            who, minutes = _nearest(call.net, row_xy(refuges)[rows], row_xy(depots)[have])
            parts.append(
                pd.DataFrame(
                    {
                        "scenario": pd.Series([call.scenario] * rows.size, dtype=object),
                        "refuge": np.asarray(texts(refuges, "name"), object)[rows],
                        "people": call.at_refuge[rows],
                        "item": need["zh"],
                        "depot": np.append(names[have], "")[who],
                        "minutes": minutes.round(1),
                        "in_stock": np.append(amount[have], np.nan)[who],
                    }
                )
            )
    columns = ["scenario", "refuge", "people", "item", "depot", "minutes", "in_stock"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def next_depots(
    refuges: gpd.GeoDataFrame, depots: gpd.GeoDataFrame, calls: Sequence[Call], *, k: int
) -> pd.DataFrame | None:
    r"""Choose the next depots among the refuges of town and county, those in use being kept.

    .. math:: \min \sum_i p_i \min_{j \in D \cup N} t_{ji}, \quad |N| = k

    Weighed by the people sent to each refuge in the state in which most move; p-median.

    Parameters
    ----------
    refuges, depots
        Layers.
    calls
        States of the world.
    k
        Depots to propose.

    Returns
    -------
    DataFrame or None
        order, site, cut_before, cut_after (people whom no depot reaches), mean_before,
        mean_after, worst_before, worst_after (minutes of the others), status; None when nothing is
        to be proposed.

    References
    ----------
    Hakimi 1964, doi:10.1287/opre.12.3.450.
    """
    worst = max(calls, key=lambda call: call.people, default=None)
    if k < 1 or worst is None or worst.net is None or not worst.at_refuge.any():
        return None
    tiers = np.asarray(texts(refuges, "tier"), object)
    spots = np.flatnonzero(np.isin(tiers, ["county", "town"]))
    spots = spots if spots.size else np.arange(len(refuges))
    rows = np.flatnonzero(worst.at_refuge > 0)
    xy = np.concatenate([row_xy(depots), row_xy(refuges)[spots]])
    pairs = ways((replace(worst.net, limit_s=np.inf),), xy, row_xy(refuges)[rows])
    pairs = pairs.rename(columns={"demand": "refuge", "refuge": "demand"})
    reached, demand = np.unique(pairs["demand"].to_numpy(np.int64), return_inverse=True)
    if not reached.size:
        return None
    people = worst.at_refuge[rows[reached]]
    cost = np.full((reached.size, len(xy)), np.inf)
    cost[demand, pairs["refuge"].to_numpy(np.int64)] = pairs["seconds"].to_numpy()
    n = len(depots)
    found = p_median(
        make_instance(
            demand_of=demand,
            facility_of=pairs["refuge"].to_numpy(np.int64),
            cost=pairs["seconds"].to_numpy(np.float64),
            demands=tuple(map(str, reached)),
            facilities=tuple(map(str, range(len(xy)))),
            weight=people,
            status=np.repeat([EXISTING, CANDIDATE], [n, spots.size]),
        ),
        p=n + min(k, spots.size),
        max_nodes=MOST_NODES,
    )
    fresh = found.open[found.open >= n]
    if not fresh.size:
        return None
    return _gains(cost, people, n, fresh, np.asarray(texts(refuges, "name"), object)[spots], found)


def _gains(
    cost: Floats,
    people: Floats,
    n: int,
    fresh: NDArray[np.int64],
    names: NDArray[np.object_],
    found: Any,
) -> pd.DataFrame:
    """Count the minutes anew, site by site, the one that saves most first."""
    now = cost[:, :n].min(axis=1, initial=np.inf)
    rows: list[dict[str, object]] = []
    left = list(map(int, fresh))
    while left:
        tried = [_figures(np.minimum(now, cost[:, j]), people) for j in left]
        best = left.pop(min(range(len(left)), key=lambda at: tried[at][:2]))
        after = np.minimum(now, cost[:, best])
        old, new = _figures(now, people), _figures(after, people)
        rows.append(
            {
                "order": len(rows) + 1,
                "site": names[best - n],
                "cut_before": old[0],
                "cut_after": new[0],
                "mean_before": old[1],
                "mean_after": new[1],
                "worst_before": old[2],
                "worst_after": new[2],
                "status": found.status,
            }
        )
        now = after
    return pd.DataFrame(rows)


def _figures(seconds: Floats, people: Floats) -> tuple[float, float, float]:
    """Give the people whom no depot reaches, and mean and most minutes of the others."""
    way = np.isfinite(seconds)
    some = float(people[way].sum())
    mean = float((seconds[way] * people[way]).sum()) / some / 60 if some > 0 else np.nan
    return float(people[~way].sum()), mean, float(seconds[way].max(initial=0.0)) / 60


def _cut_off(call: Call, refuges: gpd.GeoDataFrame, depots: gpd.GeoDataFrame) -> frozenset[str]:
    """Name the depots from which no refuge with people is reached."""
    rows = np.flatnonzero(call.at_refuge > 0)
    if call.net is None or not rows.size:
        return frozenset()
    found = ways((replace(call.net, limit_s=np.inf),), row_xy(depots), row_xy(refuges)[rows])
    there = set(found["demand"].tolist())
    names = texts(depots, "name")
    open_ = {name for k, name in enumerate(names) if k in there}
    return frozenset(set(names) - open_)


def _said(call: Call) -> Text:
    """Name the depots that are cut off."""
    return text(
        "Supplies ({where}): no lorry gets from these depots to a refuge with people, so their "
        "stock does not count: {names}",
        where=call.scenario or text("without flood"), names="、".join(sorted(call.cut)),
    )  # fmt: skip


def _nearest(net: Net, to: Floats, from_: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Give the nearest source of every place (-1 = none) and the minutes."""
    who, minutes = np.full(len(to), -1, np.int64), np.full(len(to), np.nan)
    if len(from_):
        found = ways((replace(net, limit_s=np.inf),), from_, to)
        first = found.sort_values(["refuge", "seconds", "demand"]).drop_duplicates("refuge")
        rows = first["refuge"].to_numpy(np.int64)
        who[rows] = first["demand"].to_numpy(np.int64)
        minutes[rows] = first["seconds"].to_numpy(np.float64) / 60
    return who, minutes


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
    depots = depots.assign(name=_told_apart(depots))
    if refuges is not None and len(depots):
        calls = [replace(call, cut=_cut_off(call, refuges, depots)) for call in calls]
        notes = (*notes, *(_said(call) for call in calls if call.cut))
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


def at_hand(
    stock: pd.DataFrame, closed: pd.DataFrame, used: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[Text, ...]]:
    """Leave out the goods of depots that are out of use.

    Parameters
    ----------
    stock
        Stock ledger; ``depot`` names a depot or its number.
    closed, used
        Depots out of use and in use.

    Returns
    -------
    tuple
        The rows that count, and what must be said of the others.

    Examples
    --------
    >>> depot = pd.DataFrame({"name": ["a", "b"], "number": ["1", "2"]})
    >>> rows = pd.DataFrame({"depot": ["a", "2", "b", ""]})
    >>> at_hand(rows, depot[:1], depot[1:])[0]["depot"].tolist()
    ['2', 'b', '']
    """
    gone, kept = (
        {*texts(depots, "name"), *texts(depots, "number")} - {""} for depots in (closed, used)
    )
    lost = np.array([name in gone - kept for name in texts(stock, "depot")], dtype=bool)
    if not lost.any():
        return stock, ()
    said = text("Supplies: {n} rows lie in depots out of use and do not count.", n=int(lost.sum()))
    return stock[~lost], (said,)


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
    own = _told_apart(depots)
    tier_of = dict(zip(own, texts(depots, "tier"), strict=True))
    said = texts(stock, "depot")
    known = dict(zip(texts(depots, "number"), own, strict=True)) | {name: name for name in own}
    known[""] = ""
    shared = set(texts(depots, "name")) - set(own)
    home = ["" if name in shared else known.get(name, name) for name in said]
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
    words = table.columns.drop("quantity")
    table[words] = table[words].astype(object)  # of no rows nobody knows what they are
    notes = []
    odd = int((~fits).sum())
    if odd:
        notes.append(text("Supplies: {n} rows have no code of GB/T 38565.", n=odd))
    unclear = int(sum(name in shared for name in said))
    if unclear:
        notes.append(
            text(
                "Supplies: {n} rows name a depot whose name several depots bear; they count in "
                "the sums alone. Give the depot's number there.",
                n=unclear,
            )
        )
    lost = int(sum(name not in tier_of for name in home)) - unclear
    if lost:
        notes.append(text("Supplies: {n} rows name a depot that is not in the layer.", n=lost))
    if "expires" in stock and data_date:
        last = days_of(stock["expires"], last=True).reset_index(drop=True)
        old = (last < pd.Timestamp(data_date)).to_numpy(bool)
        if old.any():
            notes.append(
                text("Supplies: {n} rows have expired and do not count.", n=int(old.sum()))
            )
        table = table[~old].reset_index(drop=True)
    return table, tuple(notes)


def _told_apart(depots: pd.DataFrame) -> list[str]:
    """Name the depots; those that share a name carry their number, or their row, too."""
    names, numbers_ = texts(depots, "name"), texts(depots, "number")
    shared = {name for name, n in Counter(names).items() if n > 1 and name}
    return [
        f"{name}（{number or row}）" if name in shared else name
        for row, (name, number) in enumerate(zip(names, numbers_, strict=True), start=1)
    ]


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
    held = {name: _by_unit(goods) for name, goods in found}
    table["quantity"] = table["depot"].map(held).fillna("")
    return table


"""Digits of a code of GB/T 38565 that name a class: large, middle and small class."""

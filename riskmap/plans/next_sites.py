"""The next sites: a location model over candidates, with proof and an independent recount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.geo.network import Snapped
from riskmap.i18n import Text, text
from riskmap.plans.candidates import Candidates
from riskmap.plans.coverage import Demand
from riskmap.plans.setting import Fleet, Setting, first_there, pairs, with_stations

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NODES: Final = 2000
"""The search stops after this many nodes, not by the clock, so that runs repeat."""
GAP: Final = 1e-3
SEARCHED: Final = ("mclp", "p-median")
"""Models whose search takes a limit of nodes."""
FAR: Final = ("p-median", "p-center")
"""Models that ask for times rather than for a target."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Siting:
    """What a location model answered, step by step."""

    model: str
    curve: pd.DataFrame
    """``k``, ``covered``, ``share``, ``bound_share``, ``objective``, ``bound``, ``gap``,
    ``recount``, ``status``."""
    sites: pd.DataFrame
    """Chosen candidates: ``id``, ``name``, ``x``, ``y``, ``gain`` (people that only it adds),
    best first."""
    places: Snapped
    """The chosen sites on the roads, in the same order."""
    objective: float | None
    bound: float | None
    gap: float | None
    status: str
    reason: str
    notes: tuple[Text, ...] = field(default=())


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """What the models need to know: existing stations, candidates, demand, limit."""

    setting: Setting
    """The existing stations on dry roads."""
    candidates: Candidates
    vehicle: str
    edge_cost: Floats
    """What a new station drives, and how fast along each edge."""
    demand: Demand
    on_road: Snapped
    """The places of the demand on the network."""
    limit: float
    """Seconds from the call within which a place counts as covered."""


def plan_sites(ground: Ground, *, model: str, most: int) -> Siting:
    """Choose the next sites for growing numbers of them.

    Parameters
    ----------
    ground
        Stations, candidates and demand.
    model
        ``mclp``, ``p-median``, ``p-center``, ``lscp`` or ``lscp-b``; the last two find their own
        number of sites.
    most
        Number of new sites; the curve holds every smaller one.

    Returns
    -------
    Siting
        The curve, and the sites of its last row.
    """
    instance, table, kept = _instance(ground, model)
    count, there = len(ground.setting.on), len(ground.candidates.ids)
    notes = _said(ground, model, kept, asked=most)
    own = model.startswith("lscp")
    first = 0 if count or model == "mclp" else 1
    numbers: Sequence[int | None] = [None] if own else list(range(first, min(most, there) + 1))
    rows: list[dict[str, Any]] = []
    chosen = np.zeros(0, np.int64)
    last: tuple[float | None, float | None, str, str] = (None, None, "optimal", "")
    for k in numbers:
        chosen, objective, bound, status, reason = _solve(ground, instance, model, k)
        gap = None
        if objective is not None and bound is not None:
            gap = abs(objective - bound) / max(abs(objective), 1e-9)
        rows.append(_row(ground, model, chosen, kept, objective, bound, gap, status))
        last = (objective, bound, status, reason)
    sites, order = _sites(ground, chosen, table)
    return Siting(
        model=model,
        curve=pd.DataFrame(rows),
        sites=sites,
        places=ground.candidates.on_road.take(order),
        objective=last[0],
        bound=last[1],
        gap=rows[-1]["gap"] if rows else None,
        status=last[2],
        reason=last[3],
        notes=notes,
    )


def _said(ground: Ground, model: str, kept: NDArray[np.bool_], *, asked: int) -> tuple[Text, ...]:
    """Say what the models leave aside."""
    notes = []
    there = len(ground.candidates.ids)
    if asked > there and not model.startswith("lscp"):
        notes.append(
            text("{asked} new sites are asked for, but there are only {n} candidates; all are "
                 "taken", asked=asked, n=there)
        )  # fmt: skip
    aside = float(ground.demand.weight[~kept].sum())
    if aside > 0:
        whole = max(float(ground.demand.weight.sum()), 1e-12)
        share = f"{aside / whole:.1%}"
        if model in FAR:
            notes.append(text("{share} of the demand cannot be reached by road from any station or "
                              "candidate; the model leaves it aside", share=share))  # fmt: skip
        elif model != "mclp":
            notes.append(text("{share} of the demand is out of reach within the target from every "
                              "station and candidate; no site can mend that, and the model leaves "
                              "it aside", share=share))  # fmt: skip
    return tuple(notes)


def _solve(
    ground: Ground, instance: Any, model: str, k: int | None
) -> tuple[Ints, float | None, float | None, str, str]:
    """Ask the model; none and one new site under MCLP are found by looking at every candidate."""
    from riskmap.siting.location import solve

    count = len(ground.setting.on)
    if model == "mclp" and k is not None and k <= 1:
        chosen, value = _best_single(instance, count, k)
        return chosen, value, value, "optimal", ""
    limits: dict[str, Any] = {"gap": GAP, "max_nodes": NODES} if model in SEARCHED else {}
    radius = None if model in FAR else ground.limit
    answer = solve(model, instance, p=None if k is None else count + k, radius=radius, **limits)
    chosen = np.asarray(answer.open[answer.open >= count] - count, dtype=np.int64)
    return chosen, answer.objective, answer.bound, str(answer.status), str(answer.reason)


def _best_single(instance: Any, count: int, k: int) -> tuple[Ints, float]:
    """Find the one candidate that adds most to the existing stations, by trying all."""
    covered = np.zeros(instance.n_demands, dtype=bool)
    covered[instance.demand_of[instance.facility_of < count]] = True
    value = float(instance.weight[covered].sum())
    if k == 0:
        return np.zeros(0, np.int64), value
    new = (instance.facility_of >= count) & ~covered[instance.demand_of]
    gain = np.bincount(
        instance.facility_of[new] - count,
        weights=instance.weight[instance.demand_of[new]],
        minlength=instance.n_facilities - count,
    )
    best = int(np.argmax(gain))
    return np.array([best]), value + float(gain[best])


def _row(
    ground: Ground,
    model: str,
    chosen: Ints,
    kept: NDArray[np.bool_],
    objective: float | None,
    bound: float | None,
    gap: float | None,
    status: str,
) -> dict[str, Any]:
    """Write one row of the curve; people and objective are counted anew on the roads."""
    whole = max(float(ground.demand.weight.sum()), 1e-12)
    fresh = with_stations(
        ground.setting,
        ground.candidates.on_road.take(chosen),
        vehicle=ground.vehicle,
        edge_cost=ground.edge_cost,
    )
    _, seconds = first_there(fresh, ground.on_road)
    covered = float(ground.demand.weight[seconds <= ground.limit].sum())
    if model == "mclp":
        recount = covered
    elif model == "p-median":
        recount = float((ground.demand.weight[kept] * seconds[kept]).sum())
    elif model == "p-center":
        recount = float(seconds[kept].max(initial=0.0))
    else:
        recount = float(len(ground.setting.on) + len(chosen))
    return {
        "k": len(chosen),
        "covered": covered,
        "share": covered / whole,
        "bound_share": bound / whole if model == "mclp" and bound is not None else np.nan,
        "objective": np.nan if objective is None else objective,
        "bound": np.nan if bound is None else bound,
        "gap": np.nan if gap is None else gap,
        "recount": recount,
        "status": status,
    }


def _instance(ground: Ground, model: str) -> tuple[Any, pd.DataFrame, NDArray[np.bool_]]:
    """Make the sparse instance: existing stations first, then candidates."""
    from riskmap.siting.problem import CANDIDATE, EXISTING, make_instance

    limit = np.inf if model in FAR else ground.limit
    count = len(ground.setting.on)
    station, place, seconds = pairs(ground.setting, ground.on_road, limit=limit)
    fleet = Fleet(
        vehicle=ground.vehicle,
        rows=np.arange(len(ground.candidates.ids)) + count,
        places=ground.candidates.on_road,
        start=np.full(len(ground.candidates.ids), ground.setting.rule.response_s),
        edge_cost=ground.edge_cost,
    )
    alone = Setting(
        graph=ground.setting.graph, fleets=(fleet,), xy=ground.candidates.xy,
        on=fleet.places.on, start=fleet.start, own=np.zeros(len(fleet.rows), dtype=bool),
        rule=ground.setting.rule,
    )  # fmt: skip
    new = pairs(alone, ground.on_road, limit=limit)
    station, place, seconds = (
        np.concatenate(both) for both in zip((station, place, seconds), new, strict=True)
    )
    kept = np.zeros(len(ground.demand.weight), dtype=bool)
    kept[place] = True
    kept &= ground.demand.weight > 0
    rows = np.flatnonzero(kept)
    number = np.full(len(kept), -1)
    number[rows] = np.arange(len(rows))
    use = number[place] >= 0
    instance = make_instance(
        demand_of=number[place[use]],
        facility_of=station[use],
        cost=seconds[use],
        demands=tuple(ground.demand.ids[rows].astype(str)),
        facilities=(*(f"existing {i}" for i in range(count)), *ground.candidates.ids.astype(str)),
        weight=ground.demand.weight[rows],
        status=np.r_[np.full(count, EXISTING), np.full(len(fleet.rows), CANDIDATE)],
    )
    table = pd.DataFrame({"facility": station, "place": place, "seconds": seconds})
    return instance, table, kept


def _sites(ground: Ground, chosen: Ints, table: pd.DataFrame) -> tuple[pd.DataFrame, Ints]:
    """List the chosen sites, each with the people that it adds after those before it."""
    count = len(ground.setting.on)
    near = table[table["seconds"] <= ground.limit]
    covered = np.zeros(len(ground.demand.weight), dtype=bool)
    covered[near.loc[near["facility"] < count, "place"].to_numpy()] = True
    reach = {
        int(site): near.loc[near["facility"] == site + count, "place"].to_numpy() for site in chosen
    }
    rows, order = [], []
    found = ground.candidates
    while reach:
        gains = {
            site: float(ground.demand.weight[places[~covered[places]]].sum())
            for site, places in reach.items()
        }
        best = min(gains, key=lambda site: (-gains[site], str(found.ids[site])))
        covered[reach.pop(best)] = True
        order.append(best)
        x, y = found.xy[best]
        rows.append(
            {"id": str(found.ids[best]), "name": str(found.names[best]), "x": x, "y": y,
             "gain": gains[best]}
        )  # fmt: skip
    columns = ["id", "name", "x", "y", "gain"]
    return pd.DataFrame(rows, columns=columns), np.array(order, dtype=np.int64)

"""The next sites: a location model over candidates, with proof and an independent recount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.geo.network import RoadGraph, Snapped, cost_table, nearest_seconds
from riskmap.plans.candidates import Candidates
from riskmap.plans.coverage import Demand

Floats = NDArray[np.float64]
NODES: Final = 2000
"""The search stops after this many nodes, not by the clock, so that runs repeat."""
GAP: Final = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Siting:
    """What a location model answered, step by step."""

    model: str
    curve: pd.DataFrame
    """``k``, ``covered``, ``share``, ``bound_share``, ``gap``, ``status``, ``recount_share``."""
    sites: pd.DataFrame
    """Chosen candidates: ``id``, ``x``, ``y``, ``gain`` (people that only it adds), first best."""
    objective: float | None
    bound: float | None
    gap: float | None
    status: str
    reason: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Ground:
    """What the models need to know: existing stations, candidates, demand, costs."""

    graph: RoadGraph
    existing: Snapped
    start: Floats
    """Seconds before departure of the existing stations."""
    candidates: Candidates
    new_start: float
    """Seconds before departure of a new station."""
    demand: Demand
    on_road: Snapped
    """The places of the demand on the network."""
    edge_cost: Floats
    limit: float
    """Seconds from the call within which a place counts as covered."""


def plan_sites(ground: Ground, *, model: str, ks: Sequence[int]) -> Siting:
    """Choose the next sites for growing numbers of them.

    Parameters
    ----------
    ground
        Stations, candidates and demand.
    model
        ``mclp``, ``p-median``, ``p-center``, ``lscp`` or ``lscp-b``; the last two find their own
        number of sites.
    ks
        Numbers of new sites, such as ``range(6)``.

    Returns
    -------
    Siting
        The curve, and the sites of its last row.
    """
    from riskmap.siting.location import solve

    instance, pairs = _instance(ground, model)
    total = float(ground.demand.weight.sum())
    count = len(ground.existing)
    rows: list[dict[str, Any]] = []
    answer: Any = None
    radius = None if model in ("p-median", "p-center") else ground.limit
    numbers: Sequence[int | None] = [None] if model.startswith("lscp") else list(ks)
    for k in numbers:
        p = None if k is None else count + min(k, len(ground.candidates.ids))
        if p == 0:
            rows.append(_row(0, 0.0, 0.0, 0.0, "optimal", total))
            continue
        limits: dict[str, Any] = (
            {} if model in ("lscp", "lscp-b", "p-center") else {"gap": GAP, "max_nodes": NODES}
        )
        answer = solve(model, instance, p=p, radius=radius, **limits)
        chosen = answer.open[answer.open >= count] - count
        covered = _recount(ground, chosen)
        bound = answer.bound if model == "mclp" else None
        rows.append(
            _row(len(chosen), covered, bound, answer.gap, str(answer.status), total)
            | {"objective": answer.objective, "bound": answer.bound}
        )
    chosen = np.zeros(0, np.int64) if answer is None else answer.open[answer.open >= count] - count
    return Siting(
        model=model,
        curve=pd.DataFrame(rows),
        sites=_sites(ground, chosen, pairs),
        objective=None if answer is None else answer.objective,
        bound=None if answer is None else answer.bound,
        gap=None if answer is None else answer.gap,
        status="optimal" if answer is None else str(answer.status),
        reason="" if answer is None else str(answer.reason),
    )


def _row(
    k: int, covered: float, bound: float | None, gap: float | None, status: str, total: float
) -> dict[str, Any]:
    """Write one row of the curve; the share is the recounted one."""
    whole = max(total, 1e-12)
    return {
        "k": k,
        "covered": covered,
        "share": covered / whole,
        "bound_share": np.nan if bound is None else bound / whole,
        "gap": np.nan if gap is None else gap,
        "status": status,
    }


def _instance(ground: Ground, model: str) -> tuple[Any, pd.DataFrame]:
    """Make the sparse instance: existing stations first, then candidates."""
    from riskmap.siting.problem import CANDIDATE, EXISTING, make_instance

    limit = np.inf if model in ("p-median", "p-center") else ground.limit
    both = (
        (ground.existing, ground.start),
        (ground.candidates.on_road, np.full(len(ground.candidates.ids), ground.new_start)),
    )
    parts, shift = [], 0
    for places, start in both:
        table = cost_table(
            ground.graph,
            places,
            ground.on_road,
            edge_cost=ground.edge_cost,
            start=start,
            limit=limit,
        )
        parts.append((table.facility + shift, table.point, table.cost))
        shift += len(places)
    facility, place, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    reached = np.zeros(len(ground.demand.weight), dtype=bool)
    reached[place] = True
    keep = np.flatnonzero(reached & (ground.demand.weight > 0))
    number = np.full(len(reached), -1)
    number[keep] = np.arange(len(keep))
    use = number[place] >= 0
    instance = make_instance(
        demand_of=number[place[use]],
        facility_of=facility[use],
        cost=seconds[use],
        demands=tuple(ground.demand.ids[keep].astype(str)),
        facilities=(
            *(f"existing {i}" for i in range(len(ground.existing))),
            *ground.candidates.ids.astype(str),
        ),
        weight=ground.demand.weight[keep],
        status=np.r_[
            np.full(len(ground.existing), EXISTING), np.full(len(ground.candidates.ids), CANDIDATE)
        ],
    )
    return instance, pd.DataFrame({"facility": facility, "place": place, "seconds": seconds})


def _recount(ground: Ground, chosen: NDArray[np.int64]) -> float:
    """Count the covered people anew on the roads, without the model's table of costs."""
    places = _joined(ground.existing, ground.candidates.on_road.take(chosen))
    start = np.r_[ground.start, np.full(len(chosen), ground.new_start)]
    found = nearest_seconds(
        ground.graph, places, ground.on_road, start=start, edge_cost=ground.edge_cost
    )
    return float(ground.demand.weight[found.cost <= ground.limit].sum())


def _joined(one: Snapped, two: Snapped) -> Snapped:
    """Put two lists of places under each other."""
    return Snapped(
        np.concatenate([one.edge, two.edge]),
        np.concatenate([one.along, two.along]),
        np.concatenate([one.walk_m, two.walk_m]),
        np.concatenate([one.xy, two.xy]),
    )


def _sites(ground: Ground, chosen: NDArray[np.int64], pairs: pd.DataFrame) -> pd.DataFrame:
    """List the chosen sites, each with the people that it adds after those before it."""
    count = len(ground.existing)
    near = pairs[pairs["seconds"] <= ground.limit]
    covered = np.zeros(len(ground.demand.weight), dtype=bool)
    covered[near.loc[near["facility"] < count, "place"].to_numpy()] = True
    reach = {
        int(site): near.loc[near["facility"] == site + count, "place"].to_numpy() for site in chosen
    }
    rows = []
    while reach:
        gains = {
            site: float(ground.demand.weight[places[~covered[places]]].sum())
            for site, places in reach.items()
        }
        best = min(gains, key=lambda site: (-gains[site], str(ground.candidates.ids[site])))
        covered[reach.pop(best)] = True
        x, y = ground.candidates.xy[best]
        rows.append({"id": str(ground.candidates.ids[best]), "x": x, "y": y, "gain": gains[best]})
    return pd.DataFrame(rows, columns=["id", "x", "y", "gain"])

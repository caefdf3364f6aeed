"""Who goes to which refuge, who is left without a place, and what would mend that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.siting.allocation import allocate_whole, mend
from riskmap.siting.exact.ordered import allocate_ordered
from riskmap.siting.problem import Instance, Solution, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuges.options import RefugeOptions


TIERS = {"village": 0, "town": 1, "county": 2}
"""Order in which tiers are filled."""


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """One solved assignment."""

    instance: Instance
    """Costs are ranks: mode, then tier where they are filled in order, then seconds."""
    solution: Solution
    pairs: pd.DataFrame
    """demand, refuge, mode, people, seconds, metres; positions."""
    shortfall: NDArray[np.float64]
    """People without a place by group."""
    family: NDArray[np.int64]
    """Demand of the instance that each group is part of, shape (n,)."""
    people: NDArray[np.float64]
    """People of each group, shape (n,)."""
    aims: tuple[NDArray[np.int64], ...]
    """Whole costs of the instance's pairs, one array an aim in order; the last one is time."""
    first: NDArray[np.bool_]
    """Demands of the instance that need a vehicle."""

    @property
    def person_seconds(self) -> float:
        """Sum of people times seconds."""
        return float((self.pairs["people"] * self.pairs["seconds"]).sum())


def assign(
    ways: pd.DataFrame,
    people: NDArray[np.float64],
    places: NDArray[np.float64],
    tiers: list[str],
    options: RefugeOptions,
    *,
    assisted: NDArray[np.bool_] | None = None,
    family: NDArray[np.int64] | None = None,
) -> Assigned:
    r"""Serve the most people, the vulnerable first, the fewest by vehicle, in the least time.

    .. math:: \text{lex max} \Big( \sum_{ij} f_{ij}, \; \sum_{i \in V, j} f_{ij}, \;
              -\sum_{ij \in \text{ride}} f_{ij}, \; -\sum_{ij} \tau_j f_{ij}, \;
              -\sum_{ij} t_{ij} f_{ij} \Big)

    V are those who need a vehicle; serving them first costs nobody else a place in all. Nobody
    rides who can walk to a place. The fourth aim holds only where the preset fills village refuges
    before town and county ones. No aim gives anything back to a later one. Whole groups go to one
    refuge, those of them who need a vehicle by vehicle.

    Parameters
    ----------
    ways
        Table of `refuge_roads.ways`.
    people
        People of each group, shape (n,).
    places
        Places of each refuge that may be used, 0 elsewhere, shape (m,).
    tiers
        Tier of each refuge.
    options
        Whole or split, preset, time limit.
    assisted
        Who needs a vehicle, shape (n,); nobody by default.
    family
        Groups that stay together when groups stay whole, shape (n,); each by itself by default.

    Returns
    -------
    Assigned
        Exact when split; with a proven bound when whole.
    """
    n, m = len(people), len(places)
    weak = np.zeros(n, bool) if assisted is None else assisted
    own = np.arange(n) if family is None or not options.whole else family
    usable = ways[places[ways["refuge"].to_numpy(np.int64)] > 0] if len(ways) else ways
    order = np.asarray([TIERS.get(tier, 1) for tier in tiers], np.float64)
    level = order[usable["refuge"].to_numpy(np.int64)] if options.preset else np.zeros(len(usable))
    demand = usable["demand"].to_numpy(np.int64)
    ride = (usable["rank"].to_numpy(np.int64) > 0) & ~weak[demand]
    seconds = usable["seconds"].to_numpy(np.float64)
    table = pd.DataFrame(
        {
            "family": own[demand],
            "refuge": usable["refuge"].to_numpy(np.int64),
            "people": people[demand],
            "ride": ride * people[demand],
            "level": level * people[demand],
            "time": np.round(seconds / TICK_S) * people[demand],
        }
    )
    count = int(own.max(initial=-1)) + 1
    size = np.bincount(own, weights=people, minlength=count).astype(np.float64)
    table = table.groupby(["family", "refuge"], sort=True).sum().reset_index()
    # Whole groups go where all of them can go.
    table = table[table["people"] >= size[table["family"]] - 1e-6]
    each = np.maximum(size[table["family"]], 1.0)
    aims = [np.round(table[name].to_numpy() / each) for name in ("ride", "level", "time")]
    step = float(aims[2].max(initial=0.0)) + 1.0
    instance = make_instance(
        demand_of=table["family"].to_numpy(np.int64),
        facility_of=table["refuge"].to_numpy(np.int64),
        cost=_one_cost(table, each, size.sum(), step, whole=options.whole),
        demands=tuple(map(str, range(count))),
        facilities=tuple(map(str, range(m))),
        weight=size,
        capacity=places,
    )
    back = pd.MultiIndex.from_frame(table[["family", "refuge"]]).get_indexer(
        pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of])
    )
    kept = [aim[back].astype(np.int64) for aim in aims]
    first = np.zeros(count, bool)
    first[own[weak]] = True
    blank = Assigned(
        instance=instance, solution=_NONE, pairs=usable, shortfall=people, family=own,
        people=people, aims=tuple(kept if options.preset else (kept[0], kept[2])), first=first,
    )  # fmt: skip
    done = solved(blank, options)
    return replace(done, pairs=_pairs(done, usable))


_NONE = Solution(
    model="allocate", status="unknown", objective=None, bound=None, open=np.zeros(0, np.int64),
    demand_of=np.zeros(0, np.int64), facility_of=np.zeros(0, np.int64), amount=np.zeros(0),
    uncovered=np.zeros(0, np.int64),
)  # fmt: skip
TICK_S = 0.1
"""Times are counted in steps of so many seconds."""
EXACT = 1e13
"""Sums of costs up to which one number a pair keeps the aims of whole groups in order."""


def _one_cost(
    table: pd.DataFrame, size: NDArray[np.float64], total: float, step: float, *, whole: bool
) -> NDArray[np.float64]:
    """Rank the pairs by one number: riders, then tier, then time.

    Whole groups are solved by it, so a rider outweighs all tiers and a tier all time together,
    where numbers are large enough for that; else each outweighs those of one group.
    """
    more = step * max(total, 1.0) if whole else step
    most = 3.0 * more * max(total, 1.0) if whole else 3.0 * step
    if whole and most * max(total, 1.0) > EXACT:
        more, most = step, 3.0 * step
    ranks = [table[name].to_numpy(np.float64) / size for name in ("ride", "level", "time")]
    return np.asarray(ranks[0] * most + ranks[1] * more + ranks[2], np.float64)


def _pairs(done: Assigned, usable: pd.DataFrame) -> pd.DataFrame:
    """List the groups that were sent somewhere, members of a whole group each by its own mode."""
    found = done.solution
    served = pd.DataFrame(
        {"family": found.demand_of, "refuge": found.facility_of, "amount": found.amount}
    )
    members = pd.DataFrame({"family": done.family, "demand": np.arange(len(done.family))})
    rows = served.merge(members, on="family", how="inner")
    size = done.instance.size[rows["family"].to_numpy(np.int64)]
    rows["people"] = rows["amount"] * done.people[rows["demand"].to_numpy(np.int64)] / size
    rows = rows[rows["people"] > 0][["demand", "refuge", "people"]]
    return rows.merge(usable, on=["demand", "refuge"], how="left", validate="1:1")


def mended(assigned: Assigned, options: RefugeOptions) -> tuple[pd.DataFrame, Assigned]:
    """Find what would remove the shortfall of groups that reach a refuge, and solve it again.

    Parameters
    ----------
    assigned
        The assignment.
    options
        Whole or split.

    Returns
    -------
    tuple
        refuge (position) and places to add; and the assignment with them.
    """
    steps = mend(assigned.instance, assigned.solution, most=None)
    rows = [
        (int(str(s["facility"])), float(str(s["add_capacity"]))) for s in steps if "facility" in s
    ]
    table = pd.DataFrame(rows, columns=["refuge", "add"]).astype({"refuge": int, "add": float})
    capacity = assigned.instance.capacity.copy()
    capacity[table["refuge"].to_numpy(np.int64)] += table["add"].to_numpy()
    more = replace(assigned.instance, capacity=capacity)
    return table, solved(replace(assigned, instance=more), options)


def solved(assigned: Assigned, options: RefugeOptions) -> Assigned:
    """Solve the instance of an assignment again.

    Parameters
    ----------
    assigned
        With the instance to be solved; its pairs are not renewed.
    options
        Whole or split.

    Returns
    -------
    Assigned
        With the new solution and shortfall.
    """
    if options.whole:
        solution = allocate_whole(assigned.instance, max_nodes=options.max_nodes)
    else:
        solution = allocate_ordered(assigned.instance, assigned.aims, first=assigned.first)
    size = assigned.instance.size
    short = np.asarray((solution.extra or {}).get("shortfall", size), np.float64)
    share = np.divide(short, size, out=np.zeros(len(size)), where=size > 0)
    return replace(assigned, solution=solution, shortfall=share[assigned.family] * assigned.people)

"""Who goes to which refuge, who is left without a place, and what would mend that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from riskmap.siting.allocation import allocate_split, allocate_whole, mend
from riskmap.siting.problem import Instance, Solution, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuge_options import RefugeOptions

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
) -> Assigned:
    r"""Serve the most people; of these let the fewest ride; then take the least person-seconds.

    .. math:: \text{lex max} \Big( \sum_{ij} f_{ij}, \; -\sum_{ij \in \text{ride}} f_{ij}, \;
              -\sum_{ij} \tau_j f_{ij}, \; -\sum_{ij} t_{ij} f_{ij} \Big)

    The third aim holds only where the preset fills village refuges before town and county ones.

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

    Returns
    -------
    Assigned
        Exact when split; with a proven bound when whole.
    """
    usable = ways[places[ways["refuge"].to_numpy(np.int64)] > 0] if len(ways) else ways
    step = float(usable["seconds"].max() if len(usable) else 0.0) + 1.0
    order = np.asarray([TIERS.get(tier, 1) for tier in tiers], np.float64)
    level = order[usable["refuge"].to_numpy(np.int64)] if options.preset else np.zeros(len(usable))
    cost = usable["seconds"].to_numpy(np.float64).round() + step.__ceil__() * (
        level + 3.0 * usable["rank"].to_numpy(np.float64)
    )
    n, m = len(people), len(places)
    instance = make_instance(
        demand_of=usable["demand"].to_numpy(np.int64),
        facility_of=usable["refuge"].to_numpy(np.int64),
        cost=cost,
        demands=tuple(map(str, range(n))),
        facilities=tuple(map(str, range(m))),
        weight=people,
        capacity=places,
    )
    if options.whole:
        solution = allocate_whole(instance, time_limit=options.time_limit)
    else:
        solution = allocate_split(instance)
    served = pd.DataFrame(
        {
            "demand": solution.demand_of,
            "refuge": solution.facility_of,
            "people": solution.amount,
        }
    )
    pairs = served.merge(usable, on=["demand", "refuge"], how="left", validate="1:1")
    short = np.asarray((solution.extra or {}).get("shortfall", people), np.float64)
    return Assigned(instance=instance, solution=solution, pairs=pairs, shortfall=short)


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
    solution = (
        allocate_whole(more, time_limit=options.time_limit)
        if options.whole
        else allocate_split(more)
    )
    short = np.asarray((solution.extra or {}).get("shortfall"), np.float64)
    return table, replace(assigned, instance=more, solution=solution, shortfall=short)

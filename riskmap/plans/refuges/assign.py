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
) -> Assigned:
    r"""Serve the most people, the vulnerable first, the fewest by vehicle, in the least time.

    .. math:: \text{lex max} \Big( \sum_{ij} f_{ij}, \; \sum_{i \in V, j} f_{ij}, \;
              -\sum_{ij \in \text{ride}} f_{ij}, \; -\sum_{ij} \tau_j f_{ij}, \;
              -\sum_{ij} t_{ij} f_{ij} \Big)

    V are those who need a vehicle; serving them first costs nobody else a place in all. The fourth
    aim holds only where the preset fills village refuges before town and county ones. With whole
    groups V is empty.

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

    Returns
    -------
    Assigned
        Exact when split; with a proven bound when whole.
    """
    usable = ways[places[ways["refuge"].to_numpy(np.int64)] > 0] if len(ways) else ways
    step = float(np.ceil(usable["seconds"].max() if len(usable) else 0.0)) + 1.0
    order = np.asarray([TIERS.get(tier, 1) for tier in tiers], np.float64)
    level = order[usable["refuge"].to_numpy(np.int64)] if options.preset else np.zeros(len(usable))
    cost = usable["seconds"].to_numpy(np.float64).round() + step * (
        level + 3.0 * usable["rank"].to_numpy(np.float64)
    )
    if assisted is not None and assisted.any():
        cost = cost + np.where(assisted[usable["demand"].to_numpy(np.int64)], 0.0, 6.0 * step)
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
    solution = _allocated(instance, options)
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
    solution = _allocated(assigned.instance, options)
    short = np.asarray((solution.extra or {}).get("shortfall"), np.float64)
    return replace(assigned, solution=solution, shortfall=short)


def _allocated(instance: Instance, options: RefugeOptions) -> Solution:
    if options.whole:
        return allocate_whole(instance, max_nodes=options.max_nodes)
    return allocate_split(instance)

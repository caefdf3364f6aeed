"""An instance: demands, facilities and the sparse costs between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CANDIDATE, EXISTING, EXCLUDED = 0, 1, 2
STATUS_CODES = {"candidate": CANDIDATE, "existing": EXISTING, "excluded": EXCLUDED}
Status = Literal["optimal", "feasible", "infeasible", "unknown"]
"""``unknown``: the limit ended the search with neither an answer nor a proof that none is."""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Demands, facilities and the pairs that can reach each other.

    ``demand_of[k]``, ``facility_of[k]``, ``cost[k]`` is pair ``k``; pairs are sorted by demand,
    then cost, then facility, and no pair stands twice. A missing pair is unreachable.
    """

    demands: tuple[str, ...]
    facilities: tuple[str, ...]
    demand_of: Ints
    facility_of: Ints
    cost: Floats
    weight: Floats
    """Multiplies cost; (n demands,)."""
    size: Floats
    """Uses capacity; (n demands,)."""
    capacity: Floats
    """Capacity of each facility, infinite when not given; (n facilities,)."""
    status: Ints
    """0 candidate, 1 existing (must stay open), 2 excluded; (n facilities,)."""

    @property
    def n_demands(self) -> int:
        """Number of demands."""
        return len(self.demands)

    @property
    def n_facilities(self) -> int:
        """Number of facilities."""
        return len(self.facilities)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What a model chose, with the proof of how good it is."""

    model: str
    status: Status
    objective: float | None
    bound: float | None
    """A proven bound on the optimum: never worse than it."""
    open: Ints
    """Indices of the open facilities, sorted."""
    demand_of: Ints
    facility_of: Ints
    amount: Floats
    """Assignment: demand, facility, amount (sizes when there are capacities, else weights)."""
    uncovered: Ints
    reason: str = ""
    extra: dict[str, Any] | None = None

    @property
    def gap(self) -> float | None:
        """Proven gap, |objective - bound| / max(|objective|, 1e-9)."""
        if self.objective is None or self.bound is None:
            return None
        return abs(self.objective - self.bound) / max(abs(self.objective), 1e-9)


def make_instance(
    *,
    demand_of: Any,
    facility_of: Any,
    cost: Any,
    demands: tuple[str, ...],
    facilities: tuple[str, ...],
    weight: Any = None,
    size: Any = None,
    capacity: Any = None,
    status: Any = None,
) -> Instance:
    """Put an instance into its canonical order.

    Parameters
    ----------
    demand_of, facility_of, cost
        The pairs; indices into ``demands`` and ``facilities``, and the cost of each.
    demands, facilities
        Names.
    weight
        Weight of each demand; 1 by default.
    size
        Size of each demand; its weight by default.
    capacity
        Capacity of each facility; infinite by default.
    status
        0 candidate, 1 existing, 2 excluded; candidate by default.

    Returns
    -------
    Instance
        With pairs of excluded facilities left out and pairs sorted.

    Examples
    --------
    >>> make_instance(demand_of=[0, 0], facility_of=[0, 1], cost=[5, 3],
    ...               demands=("a",), facilities=("x", "y")).cost
    array([3., 5.])
    """
    n, m = len(demands), len(facilities)
    state = np.zeros(m, np.int64) if status is None else np.asarray(status, np.int64)
    rows = np.asarray(demand_of, np.int64)
    cols = np.asarray(facility_of, np.int64)
    costs = np.asarray(cost, np.float64)
    kept = np.isfinite(costs) & (state[cols] != EXCLUDED)
    rows, cols, costs = rows[kept], cols[kept], costs[kept]
    order = np.lexsort((cols, costs, rows))
    w = np.ones(n) if weight is None else np.asarray(weight, np.float64)
    return Instance(
        demands=demands,
        facilities=facilities,
        demand_of=rows[order],
        facility_of=cols[order],
        cost=costs[order],
        weight=w,
        size=w if size is None else np.asarray(size, np.float64),
        capacity=np.full(m, np.inf) if capacity is None else np.asarray(capacity, np.float64),
        status=state,
    )


def within(instance: Instance, radius: float | None) -> Instance:
    """Keep the pairs within a radius, inclusive.

    Parameters
    ----------
    instance
        The instance.
    radius
        Largest cost; None keeps all.

    Returns
    -------
    Instance
        With fewer pairs.
    """
    if radius is None:
        return instance
    return among(instance, instance.cost <= radius)


def among(instance: Instance, kept: NDArray[np.bool_]) -> Instance:
    """Keep some of the pairs.

    Parameters
    ----------
    instance
        The instance.
    kept
        True for each pair that stays, shape (pairs,).

    Returns
    -------
    Instance
        With all demands and facilities.
    """
    return replace(
        instance,
        demand_of=instance.demand_of[kept],
        facility_of=instance.facility_of[kept],
        cost=instance.cost[kept],
    )


def nearest_open(instance: Instance, opened: Ints) -> tuple[Ints, Floats]:
    """Find the nearest open facility of every demand, by counting anew from the pairs.

    Parameters
    ----------
    instance
        The instance.
    opened
        Indices of open facilities.

    Returns
    -------
    tuple
        Facility index (-1 when none can be reached) and cost (infinite then) of each demand.
    """
    is_open = np.zeros(instance.n_facilities, bool)
    is_open[opened] = True
    usable = np.flatnonzero(is_open[instance.facility_of])
    rows = instance.demand_of[usable]
    first = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]]) if rows.size else rows
    facility = np.full(instance.n_demands, -1, np.int64)
    cost = np.full(instance.n_demands, np.inf)
    facility[rows[first]] = instance.facility_of[usable[first]]
    cost[rows[first]] = instance.cost[usable[first]]
    return facility, cost


def times_covered(instance: Instance, opened: Ints) -> Ints:
    """Count the open facilities that each demand can reach.

    Parameters
    ----------
    instance
        The instance, already cut to the radius.
    opened
        Indices of open facilities.

    Returns
    -------
    ndarray
        Number of open facilities in reach; (n demands,).
    """
    is_open = np.zeros(instance.n_facilities)
    is_open[opened] = 1
    counts = np.bincount(
        instance.demand_of, weights=is_open[instance.facility_of], minlength=instance.n_demands
    )
    return counts.astype(np.int64)


def filled(instance: Instance, opened: Ints, p: int) -> Ints:
    """Open further usable facilities until there are ``p``.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities, at most ``p``.
    p
        Number of sites.

    Returns
    -------
    ndarray
        Open facilities; (p,).
    """
    is_open = np.zeros(instance.n_facilities, bool)
    is_open[opened] = True
    spare = np.flatnonzero(~is_open & (instance.status != EXCLUDED))
    return np.sort(np.r_[opened, spare[: p - opened.size]])

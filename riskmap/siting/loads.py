"""Pairs of the capacitated p-median laid out by facility, for its knapsacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Instance, Ints

MOST_WORK = 400_000_000
"""Table entries of all knapsacks together up to which they are solved exactly."""


def fits(near: Instance) -> bool:
    """Tell whether the knapsacks are whole-numbered and small enough to be solved exactly.

    Parameters
    ----------
    near
        The pairs that may be used.

    Returns
    -------
    bool
        True when the knapsacks can be solved.
    """
    whole = bool(np.all(near.size == np.round(near.size)))
    return whole and near.cost.size * (float(room_of(near).max(initial=0)) + 1) <= MOST_WORK


def room_of(near: Instance) -> Ints:
    """Give whole places, at most as many as there are people.

    Parameters
    ----------
    near
        The instance.

    Returns
    -------
    ndarray
        Places of each facility.
    """
    return np.asarray(np.floor(np.minimum(near.capacity, near.size.sum())), np.int64)


@dataclass(frozen=True, kw_only=True)
class Loads:
    """Pairs by facility: those of facility j are start[j] .. start[j + 1]."""

    start: Ints
    demand: Ints
    cost: Floats
    size: Ints
    room: Ints

    @property
    def facility(self) -> Ints:
        """Facility of each pair.

        Returns
        -------
        Ints
            Shape (pairs,).
        """
        return np.repeat(np.arange(self.room.size), np.diff(self.start))

    @property
    def work(self) -> float:
        """Table entries of all knapsacks together.

        Returns
        -------
        float
            A count.
        """
        return self.cost.size * (float(self.room.max(initial=0)) + 1)

    def without(self, kept: NDArray[np.bool_]) -> Loads:
        """Leave pairs out.

        Parameters
        ----------
        kept
            True for the pairs that stay; (n pairs,).

        Returns
        -------
        Loads
            The rest.
        """
        before = np.r_[0, np.cumsum(kept)]
        return replace(
            self, start=before[self.start], demand=self.demand[kept], cost=self.cost[kept]
        )


def laid_out(near: Instance) -> tuple[Loads, Floats]:
    """Lay the pairs out by facility, and their weighted costs as a full matrix.

    Parameters
    ----------
    near
        The pairs that may be used.

    Returns
    -------
    tuple
        The pairs, and the matrix, infinite where there is none.
    """
    order = np.lexsort((near.demand_of, near.facility_of))
    weighted = near.weight[near.demand_of] * near.cost
    cost = np.full((near.n_demands, near.n_facilities), np.inf)
    cost[near.demand_of, near.facility_of] = weighted
    edges = np.arange(near.n_facilities + 1)
    loads = Loads(
        start=np.searchsorted(near.facility_of[order], edges).astype(np.int64),
        demand=near.demand_of[order],
        cost=np.asarray(weighted[order], np.float64),
        size=near.size.astype(np.int64),
        room=room_of(near),
    )
    return loads, cost

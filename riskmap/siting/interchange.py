"""Good sites for the p-median: greedy, then swaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.problem import Instance, nearest_open

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats, Ints


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs by demand and rising weighted cost: those of demand i are start[i] .. start[i + 1]."""

    start: Ints
    facility: Ints
    cost: Floats

    def without(self, kept: NDArray[np.bool_]) -> Pairs:
        """Leave pairs out.

        Parameters
        ----------
        kept
            True for the pairs that stay; (n pairs,).

        Returns
        -------
        Pairs
            The rest.
        """
        before = np.r_[0, np.cumsum(kept)]
        return Pairs(start=before[self.start], facility=self.facility[kept], cost=self.cost[kept])


def pairs_of(instance: Instance) -> Pairs:
    """Lay the pairs out for the compiled loops.

    Parameters
    ----------
    instance
        The instance.

    Returns
    -------
    Pairs
        With weighted costs.
    """
    edges = np.arange(instance.n_demands + 1)
    return Pairs(
        start=np.searchsorted(instance.demand_of, edges).astype(np.int64),
        facility=instance.facility_of,
        cost=np.asarray(instance.weight[instance.demand_of] * instance.cost, np.float64),
    )


def total_cost(instance: Instance, opened: Ints) -> float:
    """Sum weight times cost to the nearest open facility.

    Parameters
    ----------
    instance
        The instance.
    opened
        Open facilities.

    Returns
    -------
    float
        Infinite when a demand cannot be reached.
    """
    _, cost = nearest_open(instance, opened)
    return float((instance.weight * cost).sum()) if np.isfinite(cost).all() else np.inf


def interchange(instance: Instance, opened: Ints, *, max_swaps: int = 500) -> Ints:
    """Swap open and closed facilities while a swap lowers the cost (Teitz and Bart).

    All swaps are valued at once from each demand's two nearest open facilities; a demand that
    loses its last facility counts a large cost.

    Parameters
    ----------
    instance
        The instance.
    opened
        Facilities to start from.
    max_swaps
        Limit of swaps.

    Returns
    -------
    ndarray
        Open facilities that no single swap betters.

    References
    ----------
    Whitaker 1983, A fast algorithm for the greedy interchange, doi:10.1080/03155986.1983.11731889.
    """
    return improved(pairs_of(instance), instance.status, opened, max_swaps=max_swaps)[0]


def improved(
    pairs: Pairs, state: Ints, opened: Ints, *, max_swaps: int = 500
) -> tuple[Ints, float]:
    """Swap sites while that helps.

    Parameters
    ----------
    pairs
        The pairs.
    state
        State of each facility.
    opened
        Sites to start from.
    max_swaps
        Limit of swaps.

    Returns
    -------
    tuple
        Sites and their cost, infinite when they leave a demand unreached.
    """
    from riskmap.siting.swap import swaps

    sites, value = swaps(
        pairs.start, pairs.facility, pairs.cost, state, opened, _far(pairs), max_swaps
    )
    return np.sort(sites), float(value)


def first_sites(pairs: Pairs, state: Ints, p: int) -> tuple[Ints, float]:
    """Open greedily, then swap.

    Parameters
    ----------
    pairs
        The pairs.
    state
        State of each facility.
    p
        Number of sites.

    Returns
    -------
    tuple
        Sites and their cost, infinite when they leave a demand unreached.
    """
    from riskmap.siting.swap import greedy

    sites = greedy(pairs.start, pairs.facility, pairs.cost, state, p, _far(pairs))
    return improved(pairs, state, sites)


def _far(pairs: Pairs) -> float:
    """Give a cost that no demand pays if another choice reaches it."""
    return float(pairs.cost.max(initial=0.0)) * (pairs.start.size + 1) + 1

"""A first answer to the covering models: the site that covers most of the rest, in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmap.siting.cover import coverage
from riskmap.siting.problem import EXISTING, Instance, filled

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints


def greedy_sites(near: Instance, p: int) -> Ints:
    """Open the facility that covers most of the weight left over, until ``p`` are open.

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Number of open sites, existing ones included.

    Returns
    -------
    ndarray
        Open facilities; (p,).

    References
    ----------
    Church & ReVelle 1974, The maximal covering location problem, doi:10.1007/BF01942293.
    """
    return filled(near, _covering(near, near.weight, p), p)


def greedy_cover(near: Instance, p: int | None = None) -> Ints | None:
    """Open the facility that covers most demands left over, until all are covered.

    Parameters
    ----------
    near
        The pairs within the radius.
    p
        Most sites; None for as many as it takes.

    Returns
    -------
    ndarray or None
        Open facilities, existing ones included; None when they leave a demand uncovered.

    References
    ----------
    Chvatal 1979, A greedy heuristic for the set-covering problem, doi:10.1287/moor.4.3.233.
    """
    sites = _covering(near, np.ones(near.n_demands), near.n_facilities if p is None else p)
    reached = np.zeros(near.n_facilities, bool)
    reached[sites] = True
    served = np.zeros(near.n_demands, bool)
    served[near.demand_of[reached[near.facility_of]]] = True
    return sites if served.all() else None


def _covering(near: Instance, weight: np.ndarray, most: int) -> Ints:
    """Open sites one after another while one covers something new."""
    covers = coverage(near).tocsc()
    rest = np.asarray(weight, np.float64).copy()
    opened = np.flatnonzero(near.status == EXISTING)
    sites = [int(j) for j in opened]
    for j in sites:
        rest[covers.indices[covers.indptr[j] : covers.indptr[j + 1]]] = 0.0
    gain = covers.T @ rest
    while len(sites) < most:
        pick = int(np.argmax(gain)) if gain.size else 0
        if not gain.size or gain[pick] <= 0:
            break
        sites.append(pick)
        rest[covers.indices[covers.indptr[pick] : covers.indptr[pick + 1]]] = 0.0
        gain = covers.T @ rest
    return np.unique(np.asarray(sites, np.int64))

"""The sparse model of sites with capacities, for HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from riskmap.siting.problem import EXCLUDED, EXISTING, Answer, Instance, minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.problem import Floats


def choose_and_assign(
    near: Instance,
    p: int,
    pair_cost: Floats,
    *,
    serve_all: bool,
    whole: bool,
    time_limit: float | None,
    gap: float,
    max_nodes: int | None,
    start: Floats | None = None,
) -> Answer:
    """Choose sites and assign pairs under capacities: columns are sites, then pairs.

    Parameters
    ----------
    near
        The pairs that may be used.
    p
        Number of sites.
    pair_cost
        Cost of each pair.
    serve_all
        Whether every demand must be served.
    whole
        Whether a demand goes to one site.
    time_limit, gap, max_nodes, start
        As for `minimise`.

    Returns
    -------
    Answer
        ``x`` is sites, then pairs.
    """
    n, m, k = near.n_demands, near.n_facilities, near.cost.size
    pairs = np.arange(k)
    size = near.size[near.demand_of]
    finite = np.isfinite(near.capacity)
    serve = sparse.csr_matrix((np.ones(k), (near.demand_of, pairs)), shape=(n, k))
    link = sparse.csr_matrix((np.ones(k), (pairs, near.facility_of)), shape=(k, m))
    load = sparse.csr_matrix((size, (near.facility_of, pairs)), shape=(m, k))[finite]
    room = sparse.diags(np.where(finite, near.capacity, 0.0)).tocsr()[finite]
    matrix = stack(
        [
            [None, serve],
            [link, -sparse.identity(k)],
            [room, -load],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    n_room = int(finite.sum())
    return minimise(
        np.r_[np.zeros(m), pair_cost],
        matrix,
        np.r_[np.ones(n) if serve_all else np.zeros(n), np.zeros(k + n_room), float(p)],
        np.r_[np.ones(n), np.full(k + n_room, np.inf), float(p)],
        lower=np.r_[(near.status == EXISTING).astype(float), np.zeros(k)],
        upper=np.r_[(near.status != EXCLUDED).astype(float), np.ones(k)],
        integer=np.r_[np.ones(m, bool), np.full(k, whole)],
        time_limit=time_limit,
        gap=gap,
        max_nodes=max_nodes,
        start=start,
    )

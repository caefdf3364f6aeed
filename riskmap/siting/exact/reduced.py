"""What a relaxation leaves of a p-median, handed to HiGHS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from riskmap.siting.problem import EXCLUDED, EXISTING
from riskmap.siting.solver import minimise, stack

if TYPE_CHECKING:
    from riskmap.siting.exact.interchange import Pairs
    from riskmap.siting.exact.lagrange import Best, Node


def in_question(pairs: Pairs, node: Node, best: Best) -> Pairs:
    r"""Leave out the pairs whose reduced cost excludes them from every better answer.

    .. math:: L(u) + \max(0, w_i c_{ij} - u_i) > \text{limit} \;\Rightarrow\; x_{ij} = 0

    Parameters
    ----------
    pairs
        The pairs.
    node
        Multipliers with their bound, and what is decided.
    best
        The best answer known.

    Returns
    -------
    Pairs
        The rest.
    """
    row = np.repeat(np.arange(pairs.start.size - 1), np.diff(pairs.start))
    over = np.maximum(pairs.cost - node.multipliers[row], 0.0)
    room = best.limit - node.relaxed
    return pairs.without((node.state[pairs.facility] != EXCLUDED) & (over <= room))


def finished(pairs: Pairs, node: Node, p: int, best: Best, *, gap: float, seconds: float) -> float:
    """Solve a part of the search as a sparse model.

    Parameters
    ----------
    pairs
        The pairs in question.
    node
        What is decided.
    p
        Number of sites.
    best
        The best answer known; changed when a better one is found.
    gap
        Relative gap at which to stop.
    seconds
        Time limit; may be infinite.

    Returns
    -------
    float
        Proven bound on any answer of the part that is better than the best known; infinite when
        there is none.
    """
    n, m, k = pairs.start.size - 1, node.state.size, pairs.cost.size
    row, pair = np.repeat(np.arange(n), np.diff(pairs.start)), np.arange(k)
    ones = np.ones(k)
    matrix = stack(
        [
            [None, sparse.csr_matrix((ones, (row, pair)), shape=(n, k))],
            [sparse.csr_matrix((ones, (pair, pairs.facility)), shape=(k, m)), -sparse.identity(k)],
            [sparse.csr_matrix(np.ones((1, m))), None],
        ]
    )
    answer = minimise(
        np.r_[np.zeros(m), pairs.cost],
        matrix,
        np.r_[np.ones(n), np.zeros(k), float(p)],
        np.r_[np.ones(n), np.full(k, np.inf), float(p)],
        lower=np.r_[(node.state == EXISTING).astype(float), np.zeros(k)],
        upper=np.r_[(node.state != EXCLUDED).astype(float), np.ones(k)],
        integer=np.r_[np.ones(m, bool), np.zeros(k, bool)],
        time_limit=seconds if np.isfinite(seconds) else None,
        gap=gap,
    )
    if answer.x is not None:
        best.take(float(answer.objective), np.flatnonzero(answer.x[:m] > 0.5))
    if answer.infeasible or (answer.optimal and gap <= 0):
        return np.inf
    return max(node.bound, answer.bound)

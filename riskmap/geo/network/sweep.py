"""Ties between facilities, settled in compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

F = NDArray[np.float64]
I = NDArray[np.int64]  # noqa: E741


@njit(cache=True, nogil=True)
def settle_ties(indptr: I, indices: I, cost: F, dist: F, label: I, equal: float) -> None:
    """Give every node the first of its equally near facilities; changes ``label`` in place.

    Parameters
    ----------
    indptr, indices, cost
        The arcs in CSR order.
    dist
        Cost of every node from its nearest facility, shape (nodes,); infinite where none reaches.
    label
        Number of that facility, shape (nodes,).
    equal
        Relative difference up to which two costs are the same.
    """
    changed = True
    while changed:
        changed = False
        for tail in range(indptr.shape[0] - 1):
            if dist[tail] == np.inf:
                continue
            for arc in range(indptr[tail], indptr[tail + 1]):
                head = indices[arc]
                if label[tail] < label[head]:
                    gap = dist[tail] + cost[arc] - dist[head]
                    if gap <= equal * (1.0 + dist[head]):
                        label[head] = label[tail]
                        changed = True

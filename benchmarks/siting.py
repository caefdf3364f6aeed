"""Split assignment against HiGHS' linear programme on the same instance, in the same run.

``python benchmarks/siting.py [DEMANDS] [FACILITIES] [NEAREST]``; 20000 500 26 by default.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from riskmap.siting.allocation import allocate_split
from riskmap.siting.problem import make_instance
from riskmap.siting.solver import minimise


def main(n: int = 20_000, m: int = 500, k: int = 26) -> None:
    """Time both and print the ratio; the optima must agree."""
    rng = np.random.default_rng(1)
    at, to = rng.uniform(0, 1e4, (n, 2)), rng.uniform(0, 1e4, (m, 2))
    gap, near = cKDTree(to).query(at, k=k)
    size = rng.integers(1, 20, n).astype(float)
    case = make_instance(
        demand_of=np.repeat(np.arange(n), k),
        facility_of=near.ravel(),
        cost=np.round(gap.ravel()),
        demands=tuple(map(str, range(n))),
        facilities=tuple(map(str, range(m))),
        weight=size,
        capacity=np.full(m, np.ceil(1.3 * size.sum() / m)),
    )
    begin = time.perf_counter()
    flow = allocate_split(case)
    ours = time.perf_counter() - begin
    pairs = np.arange(case.cost.size)
    ones = np.ones(pairs.size)
    rows = sparse.vstack(
        [
            sparse.csr_matrix((ones, (case.demand_of, pairs)), shape=(n, pairs.size)),
            sparse.csr_matrix((ones, (case.facility_of, pairs)), shape=(m, pairs.size)),
        ],
        format="csr",
    )
    served = float((flow.extra or {})["served"])
    print(f"flow: {ours:.2f} s, served {served:.0f} of {size.sum():.0f}, {flow.objective:.0f}")
    begin = time.perf_counter()
    # Serving one more person is worth more than any way, so both aims stand in one programme.
    worth = case.cost.max() * 10
    lp = minimise(
        case.cost - worth, rows, np.full(n + m, -np.inf), np.r_[size, case.capacity],
        upper=np.full(pairs.size, np.inf), time_limit=300,
    )  # fmt: skip
    theirs = time.perf_counter() - begin
    print(f"LP: {theirs:.2f} s, {lp.objective + worth * served:.0f}; ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

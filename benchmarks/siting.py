"""Assignment with capacities against HiGHS' linear programme, in the same run.

``python benchmarks/siting.py [split|large|whole]``; all by default. ``split`` is 4 000 x 200 by
HiGHS' simplex and interior point, ``large`` 20 000 x 500 by the interior point only.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
from scipy import sparse
from scipy.optimize import linprog
from scipy.spatial import cKDTree

from riskmap.siting.allocation import allocate_split, allocate_whole
from riskmap.siting.problem import Instance, make_instance

CUT = 200.0
"""Seconds after which HiGHS is stopped."""


def case_of(n: int, m: int, k: int, slack: float = 1.3) -> Instance:
    """Make a seeded instance of demands and their nearest facilities."""
    rng = np.random.default_rng(1)
    at, to = rng.uniform(0, 1e4, (n, 2)), rng.uniform(0, 1e4, (m, 2))
    gap, near = cKDTree(to).query(at, k=k)
    size = rng.integers(1, 20, n).astype(float)
    return make_instance(
        demand_of=np.repeat(np.arange(n), k),
        facility_of=near.ravel(),
        cost=np.round(gap.ravel()),
        demands=tuple(map(str, range(n))),
        facilities=tuple(map(str, range(m))),
        weight=size,
        capacity=np.full(m, np.ceil(slack * size.sum() / m)),
    )


def shown(*words: object) -> None:
    """Print a line with the load of the machine."""
    print(*words, f"(load {os.getloadavg()[0]:.1f})", flush=True)


def split(
    n: int = 4000, m: int = 200, k: int = 26, methods: tuple[str, ...] = ("highs-ds", "highs-ipm")
) -> None:
    """Time both and print the ratio; the optima must agree."""
    allocate_split(case_of(40, 6, 6))  # imported once
    case = case_of(n, m, k)
    begin = time.perf_counter()
    flow = allocate_split(case)
    ours = time.perf_counter() - begin
    served = float((flow.extra or {})["served"])
    shown(
        f"flow {n} x {m}: {ours:.2f} s, served {served:.0f} of {case.size.sum():.0f}, "
        f"{flow.objective:.0f}"
    )
    pairs, ones = np.arange(case.cost.size), np.ones(case.cost.size)
    rows = sparse.vstack(
        [
            sparse.csr_matrix((ones, (case.demand_of, pairs)), shape=(n, pairs.size)),
            sparse.csr_matrix((ones, (case.facility_of, pairs)), shape=(m, pairs.size)),
        ],
        format="csr",
    )
    # Serving one more person is worth more than any way, so both aims stand in one programme.
    worth = case.cost.max() * 10
    for method in methods:
        begin = time.perf_counter()
        lp = linprog(
            case.cost - worth,
            A_ub=rows,
            b_ub=np.r_[case.size, case.capacity],
            method=method,
            options={"time_limit": CUT},
        )
        theirs = time.perf_counter() - begin
        done = lp.status == 0
        value = f"{lp.fun + worth * served:.0f}" if done else "no answer"
        more = "" if done else "> "
        shown(f"LP {method}: {theirs:.1f} s, {value}; ratio {more}{theirs / ours:.1f}")


def large() -> None:
    """Time the large split assignment."""
    split(20_000, 500, 26, ("highs-ipm",))


def whole(n: int = 500, m: int = 60, k: int = 20, seconds: float = 30.0) -> None:
    """Time the assignment that keeps villages whole."""
    allocate_whole(case_of(40, 6, 6), time_limit=5.0)  # compiled once
    for slack in (1.3, 1.1, 1.02):
        case = case_of(n, m, k, slack)
        begin = time.perf_counter()
        found = allocate_whole(case, time_limit=seconds)
        took = time.perf_counter() - begin
        extra = found.extra or {}
        shown(
            f"whole {n} x {m}, places {slack} x people: {took:.1f} s, {found.status}, "
            f"gap {found.gap:.4f}, served {extra['served']:.0f} of at most "
            f"{extra['served_bound']:.0f}"
        )


if __name__ == "__main__":
    parts = {"split": split, "large": large, "whole": whole}
    for name in sys.argv[1:] or parts:
        parts[name]()

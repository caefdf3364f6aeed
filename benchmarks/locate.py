"""Location models against spopt on the same instance, in the same run.

``python benchmarks/locate.py [build|median|large]``; all by default. spopt solves with HiGHS.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy.spatial import cKDTree

from riskmap.siting.cover import coverage
from riskmap.siting.location import solve
from riskmap.siting.problem import Instance, make_instance, within


def sparse_case(n: int, m: int, nearest: int) -> Instance:
    """Make a seeded instance of demands and their nearest facilities."""
    rng = np.random.default_rng(1)
    at, to = rng.uniform(0, 1e4, (n, 2)), rng.uniform(0, 1e4, (m, 2))
    gap, near = cKDTree(to).query(at, k=nearest)
    return make_instance(
        demand_of=np.repeat(np.arange(n), nearest),
        facility_of=near.ravel(),
        cost=np.round(gap.ravel()),
        demands=tuple(map(str, range(n))),
        facilities=tuple(map(str, range(m))),
        weight=rng.integers(1, 20, n).astype(float),
    )


def dense(case: Instance, missing: float) -> np.ndarray:
    """Lay the costs out as spopt wants them; pairs that are not there cost ``missing``."""
    cost = np.full((case.n_demands, case.n_facilities), missing)
    cost[case.demand_of, case.facility_of] = case.cost
    return cost


def build(n: int = 5000, m: int = 500, radius: float = 600.0, p: int = 40) -> None:
    """Time the making of the covering model, and compare the optima."""
    import pulp
    from spopt.locate import MCLP

    case = sparse_case(n, m, 20)
    cost = dense(case, 1e6)
    begin = time.perf_counter()
    coverage(within(case, radius))
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    model = MCLP.from_cost_matrix(cost, case.weight, service_radius=radius, p_facilities=p)
    theirs = time.perf_counter() - begin
    found = solve("mclp", case, radius=radius, p=p, gap=1e-6)
    model.solve(pulp.HiGHS(msg=False, timeLimit=300))
    print(
        f"build {n} x {m}: {ours:.4f} s, spopt {theirs:.1f} s, ratio {theirs / ours:.0f}; "
        f"{found.objective} and {model.problem.objective.value()}"
    )


def median(n: int = 1000, m: int = 200, nearest: int = 20, p: int = 30) -> None:
    """Time a proven p-median."""
    import pulp
    from spopt.locate import PMedian

    case = sparse_case(n, m, nearest)
    solve("p-median", sparse_case(50, 20, 10), p=6)  # compiled once
    begin = time.perf_counter()
    found = solve("p-median", case, p=p)
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    model = PMedian.from_cost_matrix(dense(case, 1e5), case.weight, p_facilities=p)
    model = model.solve(pulp.HiGHS(msg=False, timeLimit=300))
    theirs = time.perf_counter() - begin
    print(
        f"p-median {n} x {m}: {ours:.2f} s {found.status}, spopt {theirs:.1f} s, "
        f"ratio {theirs / ours:.0f}; {found.objective} and {model.problem.objective.value()}"
    )


def large(n: int = 20_000, m: int = 1000, nearest: int = 50, p: int = 100) -> None:
    """Time a large p-median to a gap of 1 %."""
    case = sparse_case(n, m, nearest)
    begin = time.perf_counter()
    found = solve("p-median", case, p=p, gap=0.01)
    print(f"p-median {n} x {m}: {time.perf_counter() - begin:.2f} s, gap {found.gap:.4f}")


if __name__ == "__main__":
    parts = {"build": build, "median": median, "large": large}
    for name in sys.argv[1:] or parts:
        parts[name]()

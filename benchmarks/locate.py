"""Location models against spopt on the same instance, in the same run.

``python benchmarks/locate.py [build|median|large|catchment]``; all by default. spopt solves with
HiGHS, ``CUT`` seconds at most.
"""

from __future__ import annotations

import os
import sys
import time

import numpy as np
from scipy.spatial import cKDTree

from riskmap.siting.allocation import two_step
from riskmap.siting.cover import covering_model
from riskmap.siting.location import solve
from riskmap.siting.problem import Instance, loaded, make_instance, within

CUT = 150
"""Seconds after which spopt's solver is stopped."""


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


def shown(*words: object) -> None:
    """Print a line with the load of the machine."""
    print(*words, f"(load {os.getloadavg()[0]:.1f})", flush=True)


def build(n: int = 5000, m: int = 500, radius: float = 600.0, p: int = 40) -> None:
    """Time the making of the covering model until the solver may start; compare the optima."""
    import pulp
    from spopt.locate import MCLP

    case = sparse_case(n, m, 20)
    loaded(**covering_model(within(case, radius), p))  # imported once
    took = []
    for _ in range(7):
        begin = time.perf_counter()
        loaded(**covering_model(within(case, radius), p))
        took.append(time.perf_counter() - begin)
    ours = float(np.median(took))
    cost = dense(case, 1e6)
    begin = time.perf_counter()
    model = MCLP.from_cost_matrix(cost, case.weight, service_radius=radius, p_facilities=p)
    theirs = time.perf_counter() - begin
    begin = time.perf_counter()
    solver = pulp.HiGHS(msg=False, timeLimit=CUT)
    solver.createAndConfigureSolver(model.problem)
    solver.buildSolverModel(model.problem)
    handed = time.perf_counter() - begin
    shown(
        f"build {n} x {m}: {ours:.4f} s until HiGHS may start; spopt {theirs:.2f} s for its "
        f"model, {handed:.2f} s to hand it over; ratio {theirs / ours:.0f}, with the handing "
        f"over {(theirs + handed) / ours:.0f}"
    )
    begin = time.perf_counter()
    found = solve("mclp", case, radius=radius, p=p)
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    model.solve(solver)
    theirs = time.perf_counter() - begin
    shown(
        f"mclp: {ours:.2f} s {found.status} {found.objective:.0f}; spopt {theirs:.2f} s "
        f"{model.problem.objective.value():.0f}"
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
    shown(f"p-median {n} x {m}: {ours:.2f} s {found.status} {found.objective:.0f}")
    begin = time.perf_counter()
    model = PMedian.from_cost_matrix(dense(case, 1e5), case.weight, p_facilities=p)
    problem = model.problem
    problem.solve(pulp.HiGHS(msg=False, timeLimit=CUT))
    theirs = time.perf_counter() - begin
    proven = problem.sol_status == pulp.LpSolutionOptimal
    value = problem.objective.value()
    shown(
        f"spopt: {theirs:.2f} s {'optimal' if proven else 'stopped'} "
        f"{'none' if value is None else round(value)}; ratio {'' if proven else '> '}"
        f"{theirs / ours:.0f}"
    )


def large(n: int = 20_000, m: int = 1000, nearest: int = 50, p: int = 100) -> None:
    """Time a large p-median to a gap of 1 %."""
    case = sparse_case(n, m, nearest)
    solve("p-median", sparse_case(50, 20, 10), p=6)
    begin = time.perf_counter()
    found = solve("p-median", case, p=p, gap=0.01)
    shown(f"p-median {n} x {m}: {time.perf_counter() - begin:.2f} s, gap {found.gap:.4f}")


def catchment(m: int = 2000, nearest: int = 10) -> None:
    """Time 2SFCA over ten times the demands: the growth exponent should be about 1."""
    took = {}
    for n in (10_000, 100_000, 1_000_000):
        case = sparse_case(n, m, nearest)
        supply = np.ones(m)
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            two_step(
                case.demand_of,
                case.facility_of,
                np.ones(case.cost.size),
                demand=case.weight,
                supply=supply,
            )
            times.append(time.perf_counter() - begin)
        took[n] = float(np.median(times))
    slope = np.log10([took[100_000] / took[10_000], took[1_000_000] / took[100_000]])
    shown(
        f"2SFCA x {m}, {nearest} nearest: "
        + ", ".join(f"{n} {s * 1000:.1f} ms" for n, s in took.items())
        + f"; exponents {slope[0]:.2f}, {slope[1]:.2f}"
    )


if __name__ == "__main__":
    parts = {"build": build, "median": median, "large": large, "catchment": catchment}
    for name in sys.argv[1:] or parts:
        parts[name]()

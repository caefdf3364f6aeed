"""Assignment with capacities against linear programming, brute force and invariants."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmap.siting import allocation
from riskmap.siting.allocation import allocate_split, allocate_whole, mend
from riskmap.siting.problem import make_instance


def case_of(cost, size, capacity):
    cost = np.asarray(cost, float)
    rows, cols = np.indices(cost.shape)
    known = np.isfinite(cost).ravel()
    return make_instance(
        demand_of=rows.ravel()[known],
        facility_of=cols.ravel()[known],
        cost=cost.ravel()[known],
        demands=tuple(f"d{i}" for i in range(cost.shape[0])),
        facilities=tuple(f"f{j}" for j in range(cost.shape[1])),
        weight=size,
        capacity=capacity,
    )


@st.composite
def small(draw):
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    cost = np.reshape(
        draw(st.lists(st.integers(0, 9), min_size=n * m, max_size=n * m)), (n, m)
    ).astype(float)
    cut = np.reshape(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m)), (n, m))
    size = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    capacity = draw(st.lists(st.integers(0, 8), min_size=m, max_size=m))
    return np.where(cut, np.inf, cost), np.array(size, float), np.array(capacity, float)


def best_split(cost, size, capacity):
    """Most served, then least cost, by two linear programmes."""
    n, m = cost.shape
    pairs = [(i, j) for i in range(n) for j in range(m) if np.isfinite(cost[i, j])]
    if not pairs:
        return 0.0, 0.0
    rows = np.zeros((n + m, len(pairs)))
    for k, (i, j) in enumerate(pairs):
        rows[i, k] = rows[n + j, k] = 1
    limit = np.r_[size, capacity]
    most = -linprog(-np.ones(len(pairs)), A_ub=rows, b_ub=limit).fun
    price = [cost[i, j] for i, j in pairs]
    least = linprog(
        price, A_ub=np.vstack([rows, -np.ones(len(pairs))]), b_ub=np.r_[limit, -most + 1e-9]
    ).fun
    return most, least


@settings(max_examples=80, deadline=None)
@given(small())
def test_split_serves_most_then_cheapest(case):
    cost, size, capacity = case
    served, price = best_split(cost, size, capacity)
    found = allocate_split(case_of(cost, size, capacity))
    assert found.extra["served"] == pytest.approx(served, abs=1e-6)
    assert found.objective == pytest.approx(price, abs=1e-6)
    assert found.extra["served"] + found.extra["shortfall"].sum() == pytest.approx(size.sum())
    load = np.bincount(found.facility_of, weights=found.amount, minlength=len(capacity))
    assert (load <= capacity + 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(small())
def test_whole_against_every_assignment(case):
    cost, size, capacity = case
    n, m = cost.shape
    best = (0.0, 0.0)
    for pick in itertools.product(range(-1, m), repeat=n):
        load, price, served = np.zeros(m), 0.0, 0.0
        for i, j in enumerate(pick):
            if j >= 0:
                load[j] += size[i]
                price += cost[i, j] * size[i] if size[i] else 0.0
                served += size[i]
        if np.isfinite(price) and (load <= capacity).all():
            best = max(best, (served, -price))
    found = allocate_whole(case_of(cost, size, capacity))
    assert (found.extra["served"], found.objective) == pytest.approx((best[0], -best[1]))


@settings(max_examples=40, deadline=None)
@given(small())
def test_more_capacity_never_serves_fewer(case):
    cost, size, capacity = case
    before = allocate_split(case_of(cost, size, capacity)).extra["served"]
    after = allocate_split(case_of(cost, size, capacity + 1)).extra["served"]
    assert after >= before


def mended(case, steps):
    """Put the steps into cost, size and capacity."""
    cost, size, capacity = (np.array(part) for part in case)
    for step in steps:
        if "facility" in step:
            capacity[int(step["facility"][1:])] += step["add_capacity"]
        else:
            site = np.full((len(size), 1), np.inf)
            site[int(step["new_site_near"][1:])] = 0
            cost = np.hstack([cost, site])
            capacity = np.r_[capacity, step["capacity"]]
    return case_of(cost, size, capacity)


@settings(max_examples=30, deadline=None)
@given(small())
def test_what_would_mend_a_shortfall_does_alone_and_together(case):
    instance = case_of(*case)
    found = allocate_split(instance)
    steps = mend(instance, found)
    assert allocate_split(mended(case, steps)).extra["shortfall"].sum() == 0
    for step in steps:
        alone = allocate_split(mended(case, [step])).extra["served"]
        places = step.get("add_capacity", step.get("capacity"))
        assert alone - found.extra["served"] == pytest.approx(places)


@settings(max_examples=30, deadline=None)
@given(small())
def test_what_would_mend_a_whole_shortfall_does_alone_and_together(case):
    instance = case_of(*case)
    found = allocate_whole(instance)
    steps = mend(instance, found)
    assert allocate_whole(mended(case, steps)).extra["shortfall"].sum() == 0
    for step in steps:
        alone = allocate_whole(mended(case, [step])).extra["served"]
        places = step.get("add_capacity", step.get("capacity"))
        assert alone - found.extra["served"] >= places - 1e-6


def test_a_village_too_large_for_every_refuge_is_mended_whole():
    case = ([[3.0, 1.0], [2.0, 9.0]], [12.0, 4.0], [10.0, 8.0])
    found = allocate_whole(case_of(*case))
    assert found.extra["shortfall"].tolist() == [12, 0]
    steps = mend(case_of(*case), found)
    assert steps == [{"facility": "f1", "add_capacity": 4.0}]
    assert allocate_whole(mended(case, steps)).extra["served"] == 16


def test_one_full_refuge_sends_the_rest_further():
    found = allocate_split(case_of([[1, 10]], [30.0], [20.0, 50.0]))
    assert dict(zip(found.facility_of.tolist(), found.amount.tolist(), strict=True)) == {
        0: 20.0,
        1: 10.0,
    }
    assert found.objective == 20 * 1 + 10 * 10


def test_an_isolated_village_is_a_shortfall_with_a_new_site_to_mend_it():
    instance = case_of([[5.0], [np.inf]], [10.0, 7.0], [100.0])
    found = allocate_split(instance)
    assert found.extra["shortfall"].tolist() == [0, 7]
    assert mend(instance, found) == [{"new_site_near": "d1", "capacity": 7.0}]


def test_fractions_of_people_keep_their_sum():
    found = allocate_split(case_of([[1.5, 2.25]], [10.5], [4.25, 100.0]))
    assert found.extra["served"] == pytest.approx(10.5)
    assert found.objective == pytest.approx(4.25 * 1.5 + 6.25 * 2.25)


@pytest.mark.parametrize("slack", [1.2, 0.9])
def test_a_whole_assignment_never_beats_its_bounds_and_keeps_the_places(slack):
    rng = np.random.default_rng(4)
    size = rng.integers(5, 60, 40).astype(float)
    capacity = np.full(6, np.floor(slack * size.sum() / 6))
    instance = case_of(rng.integers(1, 90, (40, 6)).astype(float), size, capacity)
    split = allocate_split(instance)
    found = allocate_whole(instance, time_limit=2)
    load = np.bincount(found.facility_of, weights=found.amount, minlength=6)
    assert (load <= capacity).all()
    assert np.bincount(found.demand_of, minlength=40).max() == 1
    assert found.extra["served"] <= found.extra["served_bound"] <= split.extra["served"] + 1e-6
    assert found.bound <= found.objective
    if slack > 1:
        assert found.extra["served"] == size.sum()
        assert found.objective <= 1.05 * split.objective
        assert found.bound >= split.objective - 1


def test_facilities_emptied_together_give_no_dearer_answer(monkeypatch):
    """Where too many pairs are in question, small exact searches better the answer and lose nobody."""
    rng = np.random.default_rng(3)
    at, to = rng.uniform(0, 1e4, (90, 2)), rng.uniform(0, 1e4, (12, 2))
    size = rng.integers(1, 20, 90).astype(float)
    cost = np.hypot(*(at[:, None] - to[None]).transpose(2, 0, 1)).round()
    case = make_instance(
        demand_of=np.repeat(np.arange(90), 12), facility_of=np.tile(np.arange(12), 90),
        cost=cost.ravel(), demands=tuple(map(str, range(90))),
        facilities=tuple(map(str, range(12))), weight=size,
        capacity=np.full(12, np.ceil(1.03 * size.sum() / 12)),
    )  # fmt: skip
    monkeypatch.setattr(allocation, "MOST_DECIDED", 50)
    plain = allocation.allocate_whole(case, max_nodes=1)
    monkeypatch.setattr(allocation, "MOST_MODELLED", 50)
    monkeypatch.setattr(allocation, "FREED", ((4, 20),))
    found = allocation.allocate_whole(case, max_nodes=1)
    assert found.extra["served"] == plain.extra["served"] == size.sum()
    assert found.bound <= found.objective < plain.objective
    load = np.bincount(found.facility_of, weights=found.amount, minlength=12)
    assert (load <= case.capacity).all()
    assert len(set(found.demand_of.tolist())) == len(found.demand_of) == 90


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 3))
def test_knapsacks_at_any_prices_bound_every_whole_assignment(seed, n, m):
    """Against every assignment; prices of the relaxation and wild ones, all or some served."""
    rng = np.random.default_rng(seed)
    size, room = rng.integers(1, 6, n), rng.integers(3, 9, m)
    cost = rng.integers(0, 9, (n, m))
    demand, site = (one.ravel() for one in np.indices((n, m)))
    case = make_instance(
        demand_of=demand, facility_of=site, cost=cost.ravel(), weight=size, capacity=room,
        demands=tuple(map(str, range(n))), facilities=tuple(map(str, range(m))),
    )  # fmt: skip
    found = {}
    for place in itertools.product(range(m + 1), repeat=n):
        at = np.array(place)
        load = np.bincount(at, size, m + 1)[:m]
        if (load <= room).all():
            served = int(load.sum())
            spent = float(sum(cost[i, j] * size[i] for i, j in enumerate(at) if j < m))
            found[served] = min(found.get(served, np.inf), spent)
    most = max(found)
    for served in (most, most - 1):
        least = min(spent for got, spent in found.items() if got >= served)
        model = allocation._model(case)
        floor, dual = allocation._relaxed(case, model, served, np.inf)
        wild = rng.normal(0, 30, n + m + 1)
        bounds = [allocation.packed_bound(case, served, one, least + 5) for one in (dual, wild)]
        assert max(bounds) <= least + 1e-6
        assert bounds[0] >= floor - 1e-3

"""Allocation by weight and size: the heavy first, by brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.cli.siting_files import allocated
from riskmap.siting.allocation import allocate_split, allocate_whole
from riskmap.siting.problem import make_instance


def instance_of(weight, size, capacity, cost):
    n, m = len(weight), len(capacity)
    rows, cols = np.divmod(np.arange(n * m), m)
    return make_instance(
        demand_of=rows, facility_of=cols, cost=np.asarray(cost).ravel(),
        demands=tuple(f"d{i}" for i in range(n)), facilities=tuple(f"f{j}" for j in range(m)),
        weight=weight, size=size, capacity=capacity,
    )  # fmt: skip


def test_the_heavy_demand_has_the_place():
    near = instance_of([1.0, 100.0], [10.0, 10.0], [10.0], [[1.0], [2.0]])
    for solve in (allocate_split, allocate_whole):
        found = solve(near)
        assert found.amount.tolist() == [10.0]
        assert found.demand_of.tolist() == [1]
        shown = allocated(near, found, seconds=0.0)
        assert (shown["covered_weight"], shown["total_weight"], shown["served"]) == (100, 101, 10)


whole = st.integers(1, 4)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(whole, whole), min_size=1, max_size=3),
    st.lists(st.integers(0, 5), min_size=1, max_size=2),
    st.randoms(use_true_random=False),
)
def test_no_other_split_serves_more_weight_or_as_much_for_less(demands, room, random):
    weight = np.array([w for w, _ in demands], float)
    size = np.array([s for _, s in demands], float)
    cost = np.array([[random.randint(1, 9) for _ in room] for _ in demands], float)
    near = instance_of(weight, size, np.array(room, float), cost)
    found = allocate_split(near)
    ways = [range(int(s) + 1) for s in size for _ in room]
    best = (-1.0, 0.0)
    for amounts in itertools.product(*ways):
        f = np.array(amounts, float).reshape(cost.shape)
        if (f.sum(axis=1) <= size).all() and (f.sum(axis=0) <= room).all():
            best = max(best, (float((f.sum(axis=1) / size) @ weight), -float((f * cost).sum())))
    got = np.bincount(found.demand_of, found.amount, len(size))
    assert float((got / size) @ weight) == pytest.approx(best[0])
    assert found.objective == pytest.approx(-best[1])

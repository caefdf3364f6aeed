"""Aims in order: each is the best among the best of those before, as a chain of linear programs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from riskmap.siting.allocation import allocate_ordered
from riskmap.siting.problem import make_instance


@st.composite
def cases(draw):
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    size = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    room = draw(st.lists(st.integers(0, 12), min_size=m, max_size=m))
    pairs = draw(st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), max_size=n * m))
    pairs = sorted(pairs)
    aims = [
        draw(st.lists(st.integers(0, top), min_size=len(pairs), max_size=len(pairs)))
        for top in (1, 2, 90)
    ]
    first = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return size, room, pairs, np.array(aims).reshape(3, len(pairs)), np.array(first)


def chain(size, room, pairs, aims, first):
    """Values of all aims by one linear program each, the earlier values being fixed."""
    k = len(pairs)
    rows = np.zeros((len(size) + len(room), k))
    for at, (i, j) in enumerate(pairs):
        rows[i, at] = rows[len(size) + j, at] = 1
    served = np.array([first[i] for i, _ in pairs], float)
    equal, values = [], []
    for cost in (-np.ones(k), -served, *aims):
        done = linprog(
            cost, A_ub=rows, b_ub=[*size, *room],
            A_eq=np.array(equal) if equal else None, b_eq=np.array(values) if equal else None,
        )  # fmt: skip
        equal.append(np.asarray(cost, float))
        values.append(round(done.fun))
    return values


@settings(max_examples=150, deadline=None)
@given(cases())
def test_every_aim_is_best_among_the_best_of_those_before(case):
    size, room, pairs, aims, first = case
    instance = make_instance(
        demand_of=[i for i, _ in pairs], facility_of=[j for _, j in pairs], cost=aims[2],
        demands=tuple(map(str, size)), facilities=tuple(map(str, room)), weight=size, capacity=room,
    )  # fmt: skip
    at = {pair: k for k, pair in enumerate(pairs)}
    order = [at[i, j] for i, j in zip(instance.demand_of, instance.facility_of, strict=True)]
    found = allocate_ordered(instance, aims[:, order], first=first)
    flow = np.zeros(len(pairs))
    for i, j, amount in zip(found.demand_of, found.facility_of, found.amount, strict=True):
        flow[at[i, j]] = amount
    load = np.bincount([j for _, j in pairs], flow, len(room)) if pairs else np.zeros(len(room))
    gone = np.bincount([i for i, _ in pairs], flow, len(size)) if pairs else np.zeros(len(size))
    assert (load <= room).all()
    assert (gone <= size).all()
    values = [-flow.sum(), -gone[first].sum(), *(aims @ flow)]
    if pairs:
        assert values == chain(size, room, pairs, aims, first)
    # No cycle of pieces: as many as a forest has at most.
    used = int((flow > 0).sum())
    assert used <= int((gone > 0).sum()) + int((load > 0).sum())

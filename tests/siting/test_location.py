"""Location models against brute force, spopt and OR-Library."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path

from riskmap.errors import UsageError
from riskmap.siting import cover
from riskmap.siting.cover import (
    cover_bound,
    expected,
    greedy_sites,
    least_regret,
    mexclp,
    priced_sites,
)
from riskmap.siting.location import MODELS, needless, solve
from riskmap.siting.problem import (
    CANDIDATE,
    EXISTING,
    make_instance,
    nearest_open,
    times_covered,
    within,
)

DATA = Path(__file__).parents[1] / "data"


def dense(cost, **more):
    """An instance from a full matrix; infinite means unreachable."""
    cost = np.asarray(cost, float)
    rows, cols = np.indices(cost.shape)
    known = np.isfinite(cost).ravel()
    return make_instance(
        demand_of=rows.ravel()[known],
        facility_of=cols.ravel()[known],
        cost=cost.ravel()[known],
        demands=tuple(f"d{i}" for i in range(cost.shape[0])),
        facilities=tuple(f"f{j}" for j in range(cost.shape[1])),
        **more,
    )


@st.composite
def small(draw):
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    cost = draw(st.lists(st.integers(0, 9), min_size=n * m, max_size=n * m))
    weight = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    status = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=m, max_size=m))
    return np.reshape(cost, (n, m)).astype(float), np.array(weight, float), np.array(status)


def choices(status, p=None):
    """Every set of facilities that may be open."""
    usable = np.flatnonzero(status != 2)
    fixed = set(np.flatnonzero(status == 1))
    sizes = range(1, len(usable) + 1) if p is None else [p]
    for size in sizes:
        for chosen in itertools.combinations(usable, size):
            if fixed <= set(chosen):
                yield list(chosen)


@settings(max_examples=60, deadline=None)
@given(small(), st.integers(0, 9))
def test_lscp_is_the_smallest_cover(case, radius):
    cost, weight, status = case
    best = min(
        (len(s) for s in choices(status) if (cost[:, s] <= radius).any(axis=1).all()), default=None
    )
    found = solve("lscp", dense(cost, weight=weight, status=status), radius=radius)
    if best is None:
        assert found.status == "infeasible"
        assert found.reason
    else:
        assert (found.objective, found.bound, found.status) == (best, best, "optimal")
        assert found.uncovered.size == 0


@settings(max_examples=60, deadline=None)
@given(small(), st.integers(0, 9))
def test_backup_counts_two_or_more_open_sites_in_radius(case, radius):
    cost, weight, status = case
    covers = [s for s in choices(status) if (cost[:, s] <= radius).any(axis=1).all()]
    found = solve("lscp-b", dense(cost, weight=weight, status=status), radius=radius)
    if not covers:
        assert found.status == "infeasible"
        return
    fewest = min(map(len, covers))
    most = max(
        int(((cost[:, s] <= radius).sum(axis=1) >= 2).sum()) for s in covers if len(s) == fewest
    )
    assert found.objective == fewest
    assert found.extra["backup_share"] == pytest.approx(most / len(cost))


@settings(max_examples=60, deadline=None)
@given(small(), st.integers(0, 9), st.integers(1, 4))
def test_mclp_covers_the_most_weight(case, radius, p):
    cost, weight, status = case
    options = list(choices(status, p))
    if not options:
        with pytest.raises(UsageError):
            solve("mclp", dense(cost, weight=weight, status=status), radius=radius, p=p)
        return
    best = max(weight[(cost[:, s] <= radius).any(axis=1)].sum() for s in options)
    case = dense(cost, weight=weight, status=status)
    found = solve("mclp", case, radius=radius, p=p)
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(best)
    assert len(found.open) == p
    near = within(case, radius)
    # Prices and exchanges alone: what they open may be opened, and their bound holds.
    for first in (greedy_sites(near, p), np.array(options[0])):
        sites, bound = priced_sites(near, first, gap=1e-6)
        assert sites.tolist() in [sorted(s) for s in options]
        covered = weight[(cost[:, sites] <= radius).any(axis=1)].sum()
        assert covered <= best + 1e-9 <= bound + 2e-9
        assert covered >= weight[(cost[:, first] <= radius).any(axis=1)].sum() - 1e-9
    rough = solve("mclp", case, radius=radius, p=p, gap=0.2)
    assert rough.status == "optimal"
    assert 0.8 * rough.bound - 1e-9 <= rough.objective <= best + 1e-9 <= rough.bound + 2e-9


def test_prices_prove_many_sites_without_a_search():
    """8 of 1 000 sites for 300 places: what the prices bound, the full search does not pass."""
    rng = np.random.default_rng(7)
    places, sites = rng.uniform(0, 100, (300, 2)), rng.uniform(0, 100, (1000, 2))
    cost = np.hypot(*(places[:, None] - sites[None]).transpose(2, 0, 1))
    near = within(dense(cost, weight=rng.integers(1, 50, 300).astype(float)), 12)
    found, bound = priced_sites(near, greedy_sites(near, 8), gap=1e-3)
    value = near.weight[(cost[:, found] <= 12).any(axis=1)].sum()
    model = solve("mclp", near, radius=12, p=8)
    assert value <= model.objective <= bound
    assert bound <= value * 1.03


def test_one_exchange_leaves_the_trap_of_the_greedy_rule():
    """Greedy takes the 21 of a, c and e, then 10 more; ab and cd hold 40."""
    covers = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 0, 0]]) > 0
    near = dense(np.where(covers, 1.0, np.inf), weight=np.array([10.0, 10, 10, 10, 1]))
    first = greedy_sites(near, 2)
    assert near.weight[covers[:, first].any(axis=1)].sum() == 31
    assert priced_sites(near, first, gap=1.0)[0].tolist() == [1, 2]


def test_a_covering_model_stopped_at_a_gap_states_what_is_proven_in_its_time(monkeypatch):
    """Exchanges end at 77 of 78 here: the bound is not 77, and the search gets what time is left."""
    rng = np.random.default_rng(2)
    reach, weight = rng.random((14, 9)) < 0.3, rng.integers(1, 10, 14).astype(float)
    best = max(
        weight[reach[:, list(s)].any(axis=1)].sum() for s in itertools.combinations(range(9), 4)
    )
    case = dense(np.where(reach, 1.0, 9.0), weight=weight)
    rough = solve("mclp", case, radius=1, p=4, gap=0.2)
    assert rough.objective < best <= rough.bound
    assert rough.gap == pytest.approx((rough.bound - rough.objective) / rough.objective)
    limits = []
    search = cover.minimise
    monkeypatch.setattr(
        cover, "minimise", lambda *a, **k: limits.append(k["time_limit"]) or search(*a, **k)
    )
    exact = solve("mclp", case, radius=1, p=4, gap=1e-6, time_limit=60)
    assert exact.objective == exact.bound == best
    assert 30 <= limits[0] < 60


@settings(max_examples=60, deadline=None)
@given(small(), st.integers(1, 4))
def test_medians_and_centers_against_every_choice(case, p):
    cost, weight, status = case
    options = list(choices(status, p))
    if not options:
        return
    instance = dense(cost, weight=weight, status=status)
    median = min(float((weight * cost[:, s].min(axis=1)).sum()) for s in options)
    found = solve("p-median", instance, p=p)
    assert found.objective == pytest.approx(median)
    assert found.status == "optimal"
    center = min(float(cost[:, s].min(axis=1).max()) for s in options)
    found = solve("p-center", instance, p=p)
    assert (found.objective, found.status) == (pytest.approx(center), "optimal")


@settings(max_examples=60, deadline=None)
@given(
    small(), st.integers(1, 6), st.integers(0, 9), st.sampled_from(["mclp", "p-median", "p-center"])
)
def test_sites_that_add_nothing_may_stay_closed_and_no_more_of_them(case, p, radius, model):
    cost, weight, status = case
    if not list(choices(status, p)):
        return
    instance = dense(cost, weight=weight, status=status)
    found = solve(model, instance, p=p, radius=radius if model == "mclp" else None)
    idle = needless(instance, found, radius=radius)
    assert (status[idle] == 0).all()

    def value(opened):
        if not opened:
            return 0.0 if model == "mclp" else np.inf
        near = cost[:, opened].min(axis=1)
        if model == "mclp":
            return float(weight[near <= radius].sum())
        return float((weight * near).sum() if model == "p-median" else near.max())

    left = sorted(set(found.open.tolist()) - set(idle.tolist()))
    if model != "p-median" or weight.any():
        assert value(left) == pytest.approx(found.objective)
    for site in left:
        if status[site] == 0:
            without = [one for one in left if one != site]
            assert abs(value(without) - found.objective) > 1e-9


@settings(max_examples=40, deadline=None)
@given(small(), st.integers(1, 4), st.integers(0, 9))
def test_radius_is_a_hard_limit_for_the_median(case, p, radius):
    cost, weight, status = case
    options = [s for s in choices(status, p) if (cost[:, s].min(axis=1) <= radius).all()]
    if not list(choices(status, p)):
        return
    found = solve("p-median", dense(cost, weight=weight, status=status), p=p, radius=radius)
    if options:
        best = min(float((weight * cost[:, s].min(axis=1)).sum()) for s in options)
        assert found.objective == pytest.approx(best)
        _, reached = nearest_open(dense(cost, status=status), found.open)
        assert reached.max() <= radius
    else:
        assert found.status == "infeasible"
        assert found.reason


@pytest.mark.parametrize("name", [f"pmed{k}" for k in range(1, 12)])
def test_or_library(name):
    folder = DATA / "orlib_pmedian"
    truth = json.loads((folder / "expected.json").read_text())[name]
    words = (folder / "pmed" / f"{name}.txt").read_text().split()
    n, m, p = map(int, words[:3])
    graph = np.full((n, n), np.inf)
    for i, j, c in np.array(words[3 : 3 + 3 * m], int).reshape(-1, 3):
        graph[i - 1, j - 1] = graph[j - 1, i - 1] = c  # a repeated edge: the last cost counts
    instance = dense(shortest_path(graph, directed=False))
    median = solve("p-median", instance, p=p)
    assert (median.objective, median.status) == (truth["p_median_optimum"], "optimal")
    if n <= 200:
        center = solve("p-center", instance, p=p)
        assert (center.objective, center.status) == (truth["p_center_optimum"], "optimal")


@pytest.mark.parametrize("whole", [True, False])
def test_the_median_of_a_city_against_every_choice(whole):
    """205 demands, 16 sites, whole and broken costs."""
    rng = np.random.default_rng(8)
    at, to = rng.uniform(0, 1e4, (205, 2)), rng.uniform(0, 1e4, (16, 2))
    cost = np.hypot(*(at[:, None] - to[None]).transpose(2, 0, 1))
    cost = np.round(cost) if whole else cost
    weight = rng.integers(1, 5000, 205).astype(float)
    best = min(
        float((weight * cost[:, list(s)].min(axis=1)).sum())
        for s in itertools.combinations(range(16), 4)
    )
    found = solve("p-median", dense(cost, weight=weight), p=4)
    assert found.objective == pytest.approx(best, rel=1e-12)
    assert found.status == "optimal"


@settings(max_examples=25, deadline=None)
@given(small(), st.integers(1, 4), st.integers(0, 12), st.integers(0, 3))
def test_capacitated_median_against_every_assignment(case, p, room, spread):
    cost, weight, status = case
    cost, weight = cost[:4], weight[:4]
    capacity = (room + np.arange(cost.shape[1]) * spread % 5).astype(float)
    best = np.inf
    for chosen in choices(status, p):
        for sites in itertools.product(chosen, repeat=len(cost)):
            load = np.bincount(sites, weights=weight, minlength=len(capacity))
            if (load <= capacity).all():
                best = min(best, float((weight * cost[np.arange(len(cost)), sites]).sum()))
    if not list(choices(status, p)):
        return
    instance = dense(cost, weight=weight, status=status, capacity=capacity)
    found = solve("c-p-median", instance, p=p)
    if np.isfinite(best):
        assert (found.objective, found.status) == (pytest.approx(best), "optimal")
    else:
        assert found.status == "infeasible"


@pytest.mark.parametrize("model", ["p-median", "p-center", "c-p-median"])
def test_a_limit_leaves_a_bound_that_holds(model):
    rng = np.random.default_rng(6)
    cost = rng.integers(1, 1000, (60, 40)).astype(float)
    size = rng.integers(1, 9, 60).astype(float)
    instance = dense(cost, weight=size, capacity=np.full(40, 60.0))
    full = solve(model, instance, p=8)
    short = solve(model, instance, p=8, time_limit=0.02)
    assert short.bound <= full.objective <= short.objective


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pulp, inside spopt
def test_spopt_agrees_on_mclp_and_p_median():
    import pulp
    from spopt.locate import MCLP, PMedian

    rng = np.random.default_rng(3)
    cost, weight = rng.integers(1, 100, (20, 8)).astype(float), rng.integers(1, 20, 20)
    solver = pulp.HiGHS(msg=False)
    instance = dense(cost, weight=weight)
    theirs = MCLP.from_cost_matrix(cost, weight, service_radius=25, p_facilities=3).solve(solver)
    assert solve("mclp", instance, radius=25, p=3).objective == pytest.approx(
        theirs.problem.objective.value()
    )
    theirs = PMedian.from_cost_matrix(cost, weight, p_facilities=3).solve(solver)
    assert solve("p-median", instance, p=3).objective == pytest.approx(
        theirs.problem.objective.value()
    )


@pytest.mark.parametrize("case", ["01", "02", "03", "04", "05", "06", "09", "10"])
def test_capacitated_or_library(case):
    words = (DATA / "orlib_capacitated_pmedian" / f"pmedcap1_{case}.txt").read_text().split()
    optimum = float(words[1])
    n, p, capacity = (int(w) for w in words[2:5])
    table = np.array(words[5 : 5 + 4 * n], float).reshape(n, 4)
    gap = table[:, None, 1:3] - table[None, :, 1:3]
    cost = np.floor(np.hypot(gap[..., 0], gap[..., 1]))
    instance = dense(
        cost, weight=np.ones(n), size=table[:, 3], capacity=np.full(n, float(capacity))
    )
    found = solve("c-p-median", instance, p=p)
    assert (found.objective, found.status) == (optimum, "optimal")
    load = np.bincount(found.facility_of, weights=found.amount, minlength=n)
    assert load.max() <= capacity


@pytest.mark.parametrize("model", MODELS)
def test_no_time_at_all_still_gives_an_answer_and_a_bound(model):
    rng = np.random.default_rng(7)
    cost = rng.uniform(1, 1000, (80, 50))
    size = rng.integers(1, 9, 80).astype(float)
    instance = dense(cost, weight=size, capacity=np.full(50, 90.0))
    p = None if model.startswith("lscp") else 9
    found = solve(model, instance, p=p, radius=400, time_limit=1e-6, busy=0.2)
    assert found.status in {"optimal", "feasible"}
    assert np.isfinite(found.bound)
    assert len(found.open) == (p or found.objective)
    best = solve(model, instance, p=p, radius=400, time_limit=0.5, busy=0.2)
    if model.endswith("clp"):
        assert found.objective <= best.objective + 1e-6
        assert best.objective <= found.bound + 1e-6
    else:
        assert found.bound <= best.objective + 1e-6
        assert best.objective <= found.objective + 1e-6


@pytest.mark.parametrize("model", ["p-median", "p-center"])
def test_what_is_neither_found_nor_excluded_is_not_called_infeasible(model, monkeypatch):
    """One site cannot cover both halves, and the solver is not let to prove it."""
    from riskmap.siting import cover as fewest
    from riskmap.siting import location as center
    from riskmap.siting.problem import Answer

    silent = Answer(x=None, objective=np.inf, bound=-np.inf, optimal=False, infeasible=False)
    for module in (fewest, center):
        monkeypatch.setattr(module, "minimise", lambda *_, **__: silent)
    found = solve(model, dense([[1.0, np.inf], [np.inf, 1.0]]), p=1)
    assert (found.status, found.objective) == ("unknown", None)
    assert found.reason


def test_radius_is_inclusive():
    instance = dense([[300.0]])
    assert solve("mclp", instance, radius=300, p=1).objective == 1
    assert solve("lscp", instance, radius=299.999).status == "infeasible"
    assert times_covered(within(instance, 300), np.array([0])).tolist() == [1]


def test_infeasible_says_which_demand_and_what_radius_would_mend_it():
    found = solve("lscp", dense([[100.0], [900.0], [np.inf]]), radius=200)
    assert found.status == "infeasible"
    assert "d1" in found.reason
    assert "d2" in found.reason
    assert "900" in found.reason


def test_coverage_never_falls_with_sites_or_radius():
    rng = np.random.default_rng(5)
    instance = dense(rng.integers(0, 50, (40, 12)), weight=rng.integers(1, 9, 40))
    by_p = [solve("mclp", instance, radius=8, p=p).objective for p in range(1, 7)]
    by_radius = [solve("mclp", instance, radius=r, p=3).objective for r in range(0, 40, 5)]
    assert by_p == sorted(by_p)
    assert by_radius == sorted(by_radius)


def test_existing_sites_stay_open_and_excluded_ones_closed():
    cost = np.array([[0, 9, 9], [9, 0, 9], [9, 9, 0.0]])
    instance = dense(cost, weight=[1, 5, 5], status=[1, 0, 2])
    for model in ("mclp", "p-median", "c-mclp"):
        found = solve(model, instance, p=2, radius=20)
        assert found.open.tolist() == [0, 1]


@pytest.mark.parametrize("model", MODELS)
def test_too_many_sites_or_none_is_a_usage_error(model):
    if model.startswith("lscp"):
        with pytest.raises(UsageError):
            solve(model, dense([[1.0]]))
        return
    with pytest.raises(UsageError):
        solve(model, dense([[1.0]]), p=2, radius=5)
    with pytest.raises(UsageError):
        solve(model, dense([[1.0]]), p=None, radius=5)


@pytest.mark.parametrize("seed", range(8))
def test_expected_cover_and_least_regret_are_brute_force(seed):
    """Daskin 1983 and min-max regret against every choice of two sites beside two existing ones."""
    rng = np.random.default_rng(seed)

    def town():
        cost = rng.random((12, 8))
        demand, site = np.nonzero(cost < 0.9)
        whole = make_instance(
            demand_of=demand, facility_of=site, cost=cost[demand, site],
            demands=tuple(map(str, range(12))), facilities=tuple(map(str, range(8))),
            weight=rng.integers(1, 20, 12).astype(float),
            status=np.r_[np.full(2, EXISTING), np.full(6, CANDIDATE)],
        )  # fmt: skip
        return within(whole, 0.4)

    states, busy = [town(), town()], [0.0, 0.1, 0.3, 0.7][seed % 4]
    choices = [np.array([0, 1, *two]) for two in itertools.combinations(range(2, 8), 2)]
    found = mexclp(states[0], radius=0.4, p=4, busy=busy)
    assert found.objective == pytest.approx(max(expected(states[0], c, busy) for c in choices))
    assert found.bound == pytest.approx(found.objective, abs=1e-4)
    covered = [[expected(one, c, 0.0) for c in choices] for one in states]
    best = [max(one) for one in covered]
    _, regret, bound = least_regret(states, p=4, best=best)
    least = min(max(b - c for b, c in zip(best, each, strict=True))
                for each in zip(*covered, strict=True))  # fmt: skip
    assert regret == pytest.approx(least)
    assert bound == pytest.approx(least, abs=1e-4)
    assert cover_bound(states[0], 4) >= best[0] - 1e-9

"""Mends are what they say when the plan is made again with them; sites against brute force."""

from dataclasses import replace
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges import sites
from riskmap.plans.refuges.sites import choose, equity, recount, stability, weighted_quantile
from riskmap.siting.location import solve
from riskmap.siting.problem import make_instance
from riskmap.vocabulary.presets import load_presets
from tests.street import CRS, E, areas, at, plan, rect, world

FEW = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


def left(found, words):
    """Shortfall that a measure leaves, as its rows say; one figure a measure."""
    mend = found.tables["mend"]
    rows = mend[[words in str(measure) for measure in mend["measure"]]]
    assert rows["shortfall_after"].nunique() == 1
    return rows, float(rows["shortfall_after"].iloc[0])


def test_added_places_are_enough_when_the_ledger_has_them():
    standing = areas(("甲", 50, 200, 300), ("乙", 70, 1200, 1300))
    refuges = [(150, 30), (1350, 40)]
    found = plan(world(refuges, standing))
    rows, after = left(found, "增加容量")
    more = dict(zip(rows["where"], rows["places"], strict=True))
    mended = [(x, q + more.get(f"场所{k}", 0)) for k, (x, q) in enumerate(refuges)]
    again = plan(world(mended, standing))
    assert found.recount["shortfall"] == 50
    assert again.recount["shortfall"] == after == 0


def test_new_sites_leave_what_the_whole_plan_with_them_leaves():
    standing = areas(("甲", 50, 200, 300), ("乙", 70, 1200, 1300), ("丙", 40, 2600, 2700))
    refuges = [(150, 30), (1350, 40)]
    found = plan(world(refuges, standing), RefugeOptions(new_sites=1, draws=3))
    _, after = left(found, "新设")
    spots = found.layers["sites"]
    fresh = [
        (point.x - E, places) for point, places in zip(spots.geometry, spots["places"], strict=True)
    ]
    again = plan(world([*refuges, *fresh], standing))
    assert again.recount["shortfall"] == after
    assert after < found.recount["shortfall"]


def test_leaving_early_is_what_a_dry_plan_says():
    standing = areas(("甲", 50, 200, 300), ("乙", 20, 1500, 1600))
    closures = gpd.GeoDataFrame(geometry=[rect(1100, 1400)], crs=CRS)
    there = world([(150, 60)], standing)
    found = plan(there, name="断", closures=closures)
    _, early = left(found, "提前")
    assert plan(there).recount["shortfall"] == early == 10
    sheet = found.tables["handout"].set_index("name")
    assert sheet.loc[sheet["early"].astype(bool), "people"].to_dict() == {"乙": 10}  # 60 less 50
    rows, after = left(found, "随后")
    assert (rows["places"].sum(), after) == (10, 0)


def test_a_plan_without_shortfall_needs_no_mend():
    found = plan(world([(150, 60)], areas(("甲", 50, 200, 300))))
    assert found.tables["mend"].empty
    assert "sites" not in found.tables


places = st.lists(
    st.tuples(st.integers(0, 29).map(lambda k: 100 * k + 50), st.integers(0, 60)),
    min_size=1, max_size=4, unique_by=lambda r: r[0],
)  # fmt: skip
groups = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 80), st.integers(0, 20)), min_size=1, max_size=4
)


def streets(spots, crowds, more=0):
    standing = areas(*((f"区{i}", p, 100 * k, 100 * k + 100) for i, (k, p, _) in enumerate(crowds)))
    standing["vulnerable"] = [min(v, p) for _, p, v in crowds]
    # People stand in their areas and refuges may too: only the places are on trial.
    options = RefugeOptions(require=("capacity", "road"), new_sites=0)
    return plan(world([(x, q + more) for x, q in spots], standing, ride=True), options,
                {"foot": 900.0, "ride": 3600.0})  # fmt: skip


@FEW
@given(places, groups, st.integers(0, 30))
def test_nobody_is_lost_and_no_place_taken_twice(spots, crowds, more):
    found = streets(spots, crowds)
    rows, count = found.tables["assignment"], found.recount
    assert count["served"] + count["shortfall"] == pytest.approx(count["people"])
    # Areas on the same ground move as many as the one that claims most.
    most = {k: max(p for here, p, _ in crowds if here == k) for k, _, _ in crowds}
    assert count["people"] == pytest.approx(sum(most.values()))
    held = found.tables["capacity"].set_index("item_id")["places"]
    load = rows.groupby("refuge_id")["people"].sum()
    assert (load <= held.reindex(load.index)).all()
    assert count["overload"] == count["served_twice"] == 0
    short = found.tables["shortfall"]
    assert short["served"].sum() == pytest.approx(count["served"])
    assert short["shortfall"].sum() == pytest.approx(count["shortfall"])
    # Vulnerable first: one of them is left only when as many as there are places have one.
    if count["assisted_short"]:
        assert not (~rows["assisted"].astype(bool)).any()
    assert streets(spots, crowds, more).recount["served"] >= count["served"]


@FEW
@given(places, groups)
def test_added_places_always_serve_those_in_reach(spots, crowds):
    found = streets(spots, crowds)
    mend = found.tables["mend"]
    if len(mend):
        short = found.tables["shortfall"]
        assert mend["shortfall_after"].iloc[0] == short["cut_off"].sum()


def instance(k=6, m=5, seed=1, fixed=1):
    rng = np.random.default_rng(seed)
    cost = rng.integers(1, 100, (k, m)).astype(float)
    rows, cols = np.indices((k, m)).reshape(2, -1)
    return cost, make_instance(
        demand_of=rows, facility_of=cols, cost=cost.ravel(),
        demands=tuple(map(str, range(k))), facilities=tuple(map(str, range(m))),
        weight=rng.integers(1, 20, k), capacity=np.full(m, 200.0),
        status=[1] * fixed + [0] * (m - fixed),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_models_with_a_fixed_refuge_against_all_choices(seed):
    cost, there = instance(seed=seed)
    limit = 50.0

    def best(value):
        tried = [(0, *extra) for extra in combinations(range(1, 5), 2)]
        return min(value(list(opened)) for opened in tried)

    nearest = {
        "p-median": lambda o: float((there.weight * cost[:, o].min(axis=1)).sum()),
        "p-center": lambda o: float(cost[:, o].min(axis=1).max()),
        "mclp": lambda o: -float(there.weight[cost[:, o].min(axis=1) <= limit].sum()),
    }
    for model, value in nearest.items():
        options = RefugeOptions(site_model=model, new_sites=2)
        found = choose(there, options, limit_s=limit)
        opened = [0, *found.site]
        assert value(opened) == best(value), model
        proof = found.proof.iloc[0]
        assert proof["counted"] == pytest.approx(proof["objective"])
        assert abs(value(opened)) == pytest.approx(proof["counted"])


def test_phases_keep_what_was_chosen_before():
    _, there = instance(k=8, m=7)
    one = choose(there, RefugeOptions(site_model="p-median", new_sites=2), limit_s=50.0)
    two = choose(there, RefugeOptions(site_model="p-median", new_sites=(2, 2)), limit_s=50.0)
    assert two.site[two.phase == 1].tolist() == one.site.tolist()
    assert len(two.site) == 4
    assert two.proof["counted"].is_monotonic_decreasing


def test_the_recount_finds_an_overfull_site():
    there = make_instance(
        demand_of=[0, 1], facility_of=[0, 0], cost=[1.0, 1.0], demands=("a", "b"),
        facilities=("x",), weight=[5.0, 5.0], capacity=[7.0],
    )  # fmt: skip
    found = solve("c-mclp", there, p=1, radius=10)
    assert recount(there, found, 10) == 7
    wrong = make_instance(
        demand_of=[0, 1], facility_of=[0, 0], cost=[1.0, 1.0], demands=("a", "b"),
        facilities=("x",), weight=[5.0, 5.0], capacity=[6.0],
    )  # fmt: skip
    assert np.isnan(recount(wrong, found, 10))


def test_stability_is_the_same_every_time_and_certain_where_nothing_else_is():
    _, there = instance()
    options = RefugeOptions(site_model="p-median", new_sites=4, draws=7)
    near = np.eye(5, dtype=bool)
    times, around = stability(there, options, limit_s=50.0, seed=3, near=near)
    assert times.tolist() == around.tolist() == [0, 7, 7, 7, 7]
    few = options.model_copy(update={"new_sites": [2]})
    first = stability(there, few, limit_s=50.0, seed=3, near=near)
    again = stability(there, few, limit_s=50.0, seed=3, near=near)
    assert first[0].tolist() == again[0].tolist()
    assert first[0].sum() == 14


def test_equity_names_the_village_that_walks_farthest():
    from riskmap.plans.refuges.assign import Case, assign
    from riskmap.plans.refuges.demand import People
    from riskmap.plans.refuges.ways import nets, ways

    there = world([(150, 10)])
    table = pd.DataFrame(
        {"people": [80, 20], "unit_id": ["A", "C"], "assisted": False, "name": ["甲", "丙"]}
    )
    xy = np.array([[at(350).x, at(350).y], [at(2150).x, at(2150).y]])
    roads = nets(there.graphs, there.grid, presets=there.presets, limits_s={"foot": 1800.0})
    refuges = np.array([[at(150).x, at(150).y]])
    possible = ways(roads, xy, refuges)
    options = RefugeOptions()
    case = Case(
        people=People(table=table, xy=xy), possible=possible, refuges=refuges,
        done=assign(possible, np.array([80.0, 20.0]), np.array([10.0]), [""], options),
        places=np.array([10.0]), tiers=[""], names=["场所0"], held=pd.DataFrame(), options=options,
    )  # fmt: skip
    site = np.array([[at(2050).x, at(2050).y]])
    fair = equity(case, roads[0], site, there.units)
    # 200 m and 2 000 m on foot; then 100 m for the second, of whom it is the worst no longer.
    speed = float(there.presets["road.foot_kmh"]) / 3.6
    assert fair["worst_min"].tolist() == pytest.approx([2000 / speed / 60, 200 / speed / 60])
    assert fair["worst_village"].tolist() == ["丙村", "甲村"]
    assert fair["p90_min"].iloc[0] == pytest.approx(2000 / speed / 60)
    assert fair["in_reach_share"].tolist() == [0.8, 1.0]
    # A walk of exactly the limit is in reach; 80 of 100 are four fifths, not one person more.
    far = ways((replace(roads[0], limit_s=np.inf),), xy[1:], refuges)["seconds"].max()
    longest = replace(roads[0], limit_s=float(far))
    assert equity(case, longest, site, there.units)["in_reach_share"].tolist() == [1.0, 1.0]
    assert weighted_quantile(np.array([3.0, 7.0]), np.array([80.0, 20.0]), 0.8) == 3
    assert weighted_quantile(np.array([3.0, 7.0]), np.array([79.0, 21.0]), 0.8) == 7
    # A village of one person can be the worst; one whom no road reaches cannot.
    alone = replace(case, people=People(table=table.assign(people=[99, 1]), xy=xy))
    assert equity(alone, roads[0], site, there.units)["worst_village"].iloc[0] == "丙村"


def test_sites_left_out_count_for_the_compared_one_nearest_to_them(monkeypatch):
    """One site among 27 cells, four of them compared: the bound of all, by every distance."""
    compared = np.array([2, 7, 13, 21])
    monkeypatch.setattr(sites, "MOST_CANDIDATES", 4)
    monkeypatch.setattr(sites, "thin", lambda xy, *_: compared if len(xy) > 4 else np.arange(4))
    moved = areas(("甲组", 60, 940, 960), ("乙组", 80, 1940, 1960), ("丙组", 30, 2740, 2760))
    options = RefugeOptions(site_model="p-median", new_sites=[1], draws=1)
    found = plan(world([(200, 500)], moved), options)
    people, start = np.array([60.0, 80, 30]), np.array([950.0, 1950, 2750])
    cells = np.setdiff1d(np.arange(50.0, 3000, 100), start)  # none in a danger area
    speed = float(load_presets()["road.foot_kmh"]) / 3.6
    old, away = abs(start - 200), abs(cells[:, None] - start)
    part = abs(cells[:, None] - cells[compared]).argmin(axis=1)
    joined = np.array([away[part == k].min(axis=0) for k in range(4)])
    by_all, by_parts, by_few = (
        (people * np.minimum(old, one)).sum(axis=1).min() / speed
        for one in (away, joined, away[compared])
    )
    assert by_parts <= by_all < by_few
    said = next(dict(n.params) for n in found.notes if "would have an objective of" in n.msgid)
    assert said["n"] == 27
    assert float(said["bound"]) == pytest.approx(by_parts, abs=0.5 + 1e-3 * by_parts)

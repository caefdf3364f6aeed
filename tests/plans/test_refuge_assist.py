"""Those who need a vehicle, the vehicles, the warning, the roads and the sheet of the village."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString

from riskmap.geo.network import build_graph, snap_points
from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges.demand import People, assisted_share, part, vehicles_table
from riskmap.plans.refuges.plan import in_time
from riskmap.plans.refuges.ways import find_way
from riskmap.vocabulary.presets import load_presets
from tests.street import CRS, areas, at, plan, rect, world

BOTH = {"foot": 1800.0, "ride": 3600.0}


def test_the_vulnerable_ride_and_the_others_walk():
    standing = areas(("甲", 50, 200, 300)).assign(vulnerable=6)
    there = world([(450, 100)], standing, ride=True)
    rows = plan(there, limits=BOTH).tables["assignment"]
    sent = rows.set_index("assisted")[["people", "mode"]].to_dict("index")
    assert sent == {False: {"people": 44, "mode": "foot"}, True: {"people": 6, "mode": "ride"}}


def test_the_vulnerable_come_first_when_places_are_few():
    standing = areas(("近", 50, 200, 300), ("远", 50, 2200, 2300)).assign(vulnerable=[0, 20])
    found = plan(world([(150, 30)], standing, ride=True), limits=BOTH)
    rows = found.tables["assignment"]
    assert rows.loc[rows["assisted"], "people"].tolist() == [20]
    assert found.recount["served"] == 30  # nobody loses a place in all
    assert found.recount["assisted_short"] == 0
    short = found.tables["shortfall"].set_index("unit_id")
    assert short.loc["C", ["assisted", "shortfall", "short_assisted"]].tolist() == [20, 30, 0]


def test_without_vehicles_everybody_walks_the_vulnerable_first():
    standing = areas(("近", 50, 200, 300), ("远", 50, 1200, 1300)).assign(vulnerable=[0, 20])
    found = plan(world([(150, 30)], standing))
    rows = found.tables["assignment"]
    assert set(rows["mode"]) == {"foot"}
    assert rows.loc[rows["assisted"], "people"].sum() == 20


def test_groups_that_stay_together_take_their_vulnerable_along():
    standing = areas(("甲", 50, 200, 300)).assign(vulnerable=6)
    found = plan(world([(450, 100)], standing, ride=True), RefugeOptions(whole=True), BOTH)
    sent = found.tables["assignment"]
    assert sorted(zip(sent["people"], sent["assisted"], strict=True)) == [(6, True), (44, False)]
    assert sent["refuge"].nunique() == 1
    assert found.tables["shortfall"]["assisted"].tolist() == [6]


def test_the_share_of_the_unit_counts_where_nothing_is_declared():
    presets = load_presets()
    units = world([(1, 1)]).units
    counts = gpd.GeoDataFrame(
        {"population": [1000.0, 1000.0], "bedridden": [50.0, np.nan], "elderly": [300.0, 250.0]},
        geometry=[at(500), at(1500)],
        crs=CRS,
    )
    share = assisted_share(counts, units, presets)
    # Counted; a quarter are old and 11.6 % of these need a vehicle; nothing known.
    assert share.tolist() == pytest.approx([0.05, 0.25 * 0.116, 0.022])
    standing = areas(("甲", 50, 200, 300))
    found = plan(world([(450, 100)], standing, sensitive=counts))
    assert found.recount["assisted"] == 3  # 2.5, rounded up


def test_vehicles_come_back_as_often_as_the_warning_allows():
    presets = load_presets()
    rows = pd.DataFrame(
        {
            "district": "", "town": "", "village": ["甲", "甲", "乙"], "mode": "ride",
            "assisted": [False, True, False], "people": [200, 10, 41],
            "minutes": [20.0, 20.0, 100.0],
        }
    )  # fmt: skip
    table = vehicles_table(rows, warning_s=3 * 3600, presets=presets).set_index("village")
    # 150 min after setting out: a way of 20 min, 5 to load and 5 to unload, and 50 min a round
    # more: 1 + floor((150 - 30) / 50) = 3 rounds.
    assert table.loc["甲", ["rounds", "bus_trips", "buses"]].tolist() == [3, 5, 2]
    assert table.loc["甲", ["assisted_trips", "assisted_vehicles"]].tolist() == [3, 1]
    assert table.loc["乙", ["rounds", "bus_trips", "buses"]].tolist() == [1, 2, 2]


@pytest.mark.parametrize(("hours", "in_time"), [(1.0, True), (0.6, False)])
def test_who_comes_too_late_is_flagged(hours, in_time):
    # 900 m on foot at 1 m/s: 15 min after 30 min of preparing.
    there = world([(1150, 100)], areas(("甲", 20, 200, 300)))
    found = plan(there, RefugeOptions(warning_h={"水": hours}), name="水")
    row = found.tables["assignment"].iloc[0]
    assert row["spare_min"] == pytest.approx(hours * 60 - 30 - row["minutes"], abs=0.1)
    assert row["in_time"] == in_time
    assert any("峰值" in str(note) for note in found.notes) is not in_time
    assert (str(found.tables["handout"]["remark"].iloc[0]) == "") is in_time


def test_who_arrives_with_the_peak_is_in_time_and_a_second_later_is_not():
    # 30 min to prepare and 15 min on foot: 45 min of warning leave nothing, and are enough.
    rows = pd.DataFrame({"mode": ["foot"], "minutes": [15.0], "people": [20]})
    presets = load_presets()
    margin = float(presets["refuge.margin_min"])
    for warning_s, spare, known in ((2700, 0.0, True), (2694, -0.1, False)):
        row = in_time(rows, pd.DataFrame(), warning_s=warning_s, presets=presets).iloc[0]
        assert (row["spare_min"], row["in_time"]) == (spare, known)
        assert (row["arrive_min"], row["leave_min"]) == (15, 15 + margin)


SQUARE = [(0, 0, 1000, 0), (1000, 0, 2000, 0), (1000, 0, 1000, 300), (1000, 300, 2000, 300),
          (2000, 0, 2000, 300), (2000, 0, 3000, 0)]  # fmt: skip


def square(**over):
    """A road of 3 km whose middle kilometre has a way round of 1.6 km."""
    lines = gpd.GeoDataFrame(
        geometry=[LineString([at(a, 50 + b), at(c, 50 + d)]) for a, b, c, d in SQUARE], crs=CRS
    )
    return build_graph(lines, profile="foot", presets=load_presets(), **over)


def snapped(graph, x):
    p = at(x)
    return snap_points(graph, np.array([[p.x, p.y]]))


def test_the_other_road_goes_round_what_can_be_gone_round():
    graph = square()
    cost = graph.edge_seconds
    start, end = snapped(graph, 500), snapped(graph, 2500)
    first = find_way(graph, cost, start, end)
    assert first.metres == pytest.approx(2000, abs=2)
    other = find_way(graph, cost, start, end, instead_of=first)
    # The way round is 600 m longer; the two halves at the ends cannot be left.
    assert other.metres == pytest.approx(2600, abs=2)
    assert other.shared_m == pytest.approx(1000, abs=2)
    assert other.geometry.length == pytest.approx(2600, abs=2)
    assert other.seconds == pytest.approx(first.seconds * 1.3, rel=1e-3)


def test_find_way_agrees_with_scipy():
    from riskmap.geo.network import shortest_paths

    graph = square()
    rng = np.random.default_rng(3)
    for a, b in rng.uniform(0, 3000, (20, 2)):
        start, end = snapped(graph, a), snapped(graph, b)
        mine = find_way(graph, graph.edge_seconds, start, end)
        theirs = shortest_paths(graph, start, end)[0]
        assert mine.seconds == pytest.approx(theirs.cost, rel=1e-6, abs=1e-6)
        assert mine.metres == pytest.approx(theirs.metres, rel=1e-6, abs=1e-3)


def test_a_road_without_another_says_so():
    rows = plan(world([(1150, 100)], areas(("甲", 20, 200, 300)))).tables
    assert rows["assignment"]["other_metres"].isna().all()
    assert str(rows["handout"]["other_route"].iloc[0]) == "无其他道路"


def test_closed_stretches_are_named_and_gone_round():
    graph = square()
    names = ("西路", "中路", "北巷", "北路", "东巷", "东路")
    there = world(
        [(2500, 100)], areas(("甲", 20, 450, 550)), graphs={"foot": graph}, road_names=names
    )
    limits = {"foot": 7200.0}
    dry = plan(there, limits=limits).tables
    assert dry["assignment"]["via"].iloc[0] == "西路 → 中路 → 东路"
    assert dry["assignment"]["other_metres"].iloc[0] == pytest.approx(2600, abs=5)
    closed = gpd.GeoDataFrame(geometry=[rect(1400, 1600)], crs=CRS)
    wet = plan(there, limits=limits, name="断", closures=closed).tables
    row = wet["assignment"].iloc[0]
    assert row["via"] == "西路 → 北巷 → 北路 → 东巷 → 东路"
    assert (row["avoided"], row["avoided_m"]) == ("中路", pytest.approx(200, abs=1))
    assert row["metres"] == pytest.approx(2600, abs=5)
    sheet = wet["handout"].iloc[0]
    assert "中路" in str(sheet["avoided"])
    assert "向东" in str(sheet["route"])


def test_the_sheet_of_the_village_has_every_group_and_who_to_ring():
    refuges = [(150, 30, {"person": "责任人甲", "phone": "00001"}), (1250, 100)]
    found = plan(world(refuges, areas(("甲", 50, 200, 300))))
    sheet = found.tables["handout"]
    assert sheet["people"].sum() == found.recount["served"] == 50
    first = sheet.set_index("refuge").loc["场所0"]
    assert (first["person"], first["phone"], first["village"]) == ("责任人甲", "00001", "甲村")
    # on foot: the way and 15 min to spare
    assert first["leave_by"].params == (("m", int(np.ceil(first["minutes"])) + 15),)
    # The next refuge of those in the first is the other one.
    assert "场所1" in str(first["alternative"])


def moved(people, units, declared=None):
    count = len(people)
    table = pd.DataFrame(
        {
            "people": people,
            "vulnerable": [np.nan] * count if declared is None else declared,
            "unit_id": units,
        }
    )
    return People(table=table, xy=np.column_stack([np.arange(count) * 10.0, np.zeros(count)]))


def riders(groups, share):
    """Riders by group, in the order of the groups."""
    done = part(groups, pd.Series(share)).table
    ride = done[done["assisted"]].groupby("family")["people"].sum()
    return ride.reindex(range(len(groups.table)), fill_value=0).to_numpy()


@pytest.mark.parametrize("villages", [1, 3, 40])
def test_who_rides_does_not_depend_on_how_finely_areas_are_drawn(villages):
    """240 people, 2.5 %: 6 ride, in one group or in forty of 5 to 7 (each alone would round to 1)."""
    people = [5, 6, 7, 6] * 10
    units = [f"V{i % villages}" for i in range(40)]
    share = {f"V{i}": 0.025 for i in range(villages)}
    found = riders(moved(people, units), share)
    assert found.sum() == 6 == riders(moved([240], ["V0"]), share).sum()
    assert found.max() == 1
    by = pd.Series(found).groupby(units).sum() - pd.Series(people).groupby(units).sum() * 0.025
    assert (by.abs() < 1).all()


def test_a_share_is_rounded_up_once_and_declared_people_are_not_touched():
    """0.25 + 1.05 + 2.4 = 3.7: 4; the two that are declared stand beside them, for B too."""
    stated = moved([5, 21, 48, 30], ["A", "A", "B", "B"], [np.nan, np.nan, np.nan, 2])
    # villages 1.3 and 2.4: whole parts 1 and 2, the fourth goes to B (0.4 before 0.3)
    assert riders(stated, {"A": 0.05, "B": 0.05}).tolist() == [0, 1, 3, 2]


def test_of_equal_remainders_the_place_decides_not_the_order_of_rows():
    table = pd.DataFrame({"people": [6, 6], "vulnerable": [np.nan] * 2, "unit_id": ["A", "A"]})
    for xy in ([[0.0, 0.0], [10.0, 0.0]], [[10.0, 0.0], [0.0, 0.0]]):
        done = part(People(table=table, xy=np.array(xy)), pd.Series({"A": 1 / 12}))
        rider = done.table["assisted"].to_numpy()
        assert done.table.loc[rider, "people"].tolist() == [1]
        assert done.xy[rider].tolist() == [[0.0, 0.0]]


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from("ABC")), min_size=1, max_size=30),
    st.fixed_dictionaries({code: st.floats(0, 1) for code in "ABC"}),
    st.randoms(use_true_random=False),
)
def test_riders_are_the_expected_ones_for_any_groups_in_any_order(made, share, random):
    people, units = [one[0] for one in made], [one[1] for one in made]
    exact = np.array([n * share[code] for n, code in made])
    whole = moved(people, units)
    found = riders(whole, share)
    assert found.sum() == np.ceil(exact.sum() - 1e-6)
    assert (np.abs(found - exact) < 1 + 1e-6).all()
    order = list(range(len(made)))
    random.shuffle(order)
    mixed = People(table=whole.table.iloc[order].reset_index(drop=True), xy=whole.xy[order])
    assert riders(mixed, share).tolist() == found[order].tolist()

"""A town on one straight road: every time is a whole number of seconds."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, Point, box

from riskmap.errors import InfeasibleError, ProjectError
from riskmap.geo.grid import make_grid, thin
from riskmap.geo.network import build_graph, snap_points
from riskmap.plans.options import response_rule, turn_out
from riskmap.plans.stations.plan import More, station_plan
from riskmap.plans.stations.reach import make_setting, reach, wet_setting
from riskmap.result import of_state
from riskmap.vocabulary.presets import load_presets

X0, Y0 = 500_000.0, 4_000_000.0
"""The road runs east at 36 km/h, 10 m a second, through the middle of 20 cells of 100 m."""


def here(*shapes):
    return [shapely.transform(shape, lambda xy: xy + np.array([X0, Y0])) for shape in shapes]


def layer(shapes, index=None, **columns):
    return gpd.GeoDataFrame(columns, geometry=here(*shapes), crs="EPSG:4548", index=index)


@pytest.fixture(scope="module")
def presets():
    return load_presets({"station.linzi_135": {"response_s": 60, "arrival_s": 90, "rescue_s": 110}})


@pytest.fixture(scope="module")
def graph(presets):
    roads = layer([LineString([(0, 50), (2000, 50)])], speed_kmh=[36.0])
    return build_graph(roads, presets=presets)


@pytest.fixture(scope="module")
def grid():
    return make_grid(layer([box(0, 0, 2000, 100)]), crs="EPSG:4548", size_m=100)


@pytest.fixture(scope="module")
def units():
    shapes = [box(0, 0, 1000, 100), box(1000, 0, 2000, 100)]
    return layer(shapes, index=["W", "E"], level=["town", "town"], name=["西镇", "东镇"])


PEOPLE = np.arange(1.0, 21.0).reshape(1, 20)
"""Cell i, counted from the west, holds i + 1 people; 210 in all."""


def stations(*xs, **columns):
    return layer([Point(x, 50) for x in xs], index=[f"S{i}" for i in range(len(xs))], **columns)


def row(plan, what="population", target="arrival_s", unit=""):
    table = of_state(plan.tables["coverage"])
    found = table[
        (table["what"] == what) & (table["target"] == target) & (table["unit_id"] == unit)
    ]
    assert len(found) == 1
    return found.iloc[0]


def test_people_covered_never_once_and_twice(graph, grid, units, presets):
    # 30 s of driving after 60 s of turn-out: 300 m each way; cell centres at 50, 150, ...
    plan = station_plan(
        graph, stations(500, 750), grid, presets=presets, population=PEOPLE, units=units, k=0
    )
    whole = row(plan)
    # station at 500 reaches centres 250..750 (cells 2..7), station at 750 reaches 450..1050 (4..10)
    assert whole["once"] == 3 + 4 + 9 + 10 + 11
    assert whole["twice"] == 5 + 6 + 7 + 8
    assert whole["none"] == 210 - whole["once"] - whole["twice"]
    assert whole["total"] == 210
    assert list(dict.fromkeys(plan.tables["coverage"]["unit_id"])) == ["", "E", "W"]
    assert row(plan, unit="E")["once"] == 11
    assert row(plan, unit="E")["name"] == "东镇"
    assert row(plan, unit="W")["once"] + row(plan, unit="E")["once"] == whole["once"]
    # 50 s of driving: 500 m
    assert row(plan, target="rescue_s")["none"] == sum(range(14, 21))
    towns = plan.tables["towns"]
    assert towns.columns[:3].tolist() == ["scenario", "name", "total"]
    assert dict(zip(towns["name"], towns["twice_90"], strict=True)) == {"东镇": 0, "西镇": 26 / 55}
    assert "1.5 分钟 30.0%" in str(plan.notes[0])


def test_the_way_to_the_door_is_timed_unless_it_is_not_asked_for(graph, grid, presets):
    # 130 m off the road: from 80 m of it on everything is near, 50 m are left, 18 s at 10 km/h
    yard = layer([Point(500, 180)], index=["S0"])
    timed, road = (
        station_plan(
            graph,
            yard,
            grid,
            presets=presets,
            population=PEOPLE,
            k=0,
            more=More(last_metres=asked),
        )
        for asked in (True, False)
    )
    assert row(timed)["covered"] == 5 + 6  # 12 s of driving are left: 120 m each way
    assert row(road)["covered"] == 3 + 4 + 5 + 6 + 7 + 8
    assert not any("end on the road" in note.msgid for note in timed.notes)
    said = next(dict(n.params) for n in timed.notes if "where the vehicle stops" in n.msgid)
    assert said == {"m": "80", "cell": "80", "v": "10"}
    assert any("end on the road" in note.msgid for note in road.notes)


def test_turn_out_of_each_station_counts(graph, grid, presets):
    slow = stations(500, 750, response_s=[80.0, np.nan])
    plan = station_plan(graph, slow, grid, presets=presets, population=PEOPLE, k=0)
    # 10 s left for the first: centres 450 and 550 only; both within the second's reach from 450 on
    assert plan.tables["stations"].loc["S0", "people_in_time"] == 5 + 6
    assert plan.tables["stations"].loc["S0", "alone"] == 0
    assert plan.tables["stations"].loc["S1", "people_in_time"] == sum(range(5, 12))
    assert turn_out(slow, response_rule(presets, "linzi_135")).tolist() == [80.0, 60.0]


def test_cells_count_alike_without_people(graph, grid, presets):
    plan = station_plan(graph, stations(500), grid, presets=presets)
    assert plan.tables["sites"]["order"].tolist() == [0, 1, 2, 3]  # three are sought
    assert row(plan, "cells")["total"] == 20
    assert row(plan, "cells")["once"] == 6
    assert any("no population" in note.msgid for note in plan.notes)


def test_points_of_a_role_and_the_worst_list(graph, grid, presets):
    places = layer(
        [Point(500, 60), Point(1950, 50), Point(800, 5000)],
        index=["F1", "F2", "F3"], name=["近", "远", "离路"],
    )  # fmt: skip
    plan = station_plan(
        graph, stations(500), grid, presets=presets, population=PEOPLE,
        points={"flood_point": places}, k=0,
    )  # fmt: skip
    counted = row(plan, "flood_point")
    assert (counted["once"], counted["none"], counted["off_network"]) == (1, 2, 1)
    nearest = plan.tables["nearest"]
    assert nearest["id"].to_dict() == {0: "F3", 1: "F2", 2: "F1"}  # no way, late, in time
    worst = plan.tables["worst"]
    points = worst[worst["what"] == "flood_point"]
    assert points["id"].tolist() == ["F3", "F2"]
    assert np.isnan(points["seconds"].iloc[0])
    assert points["seconds"].iloc[1] == pytest.approx(60 + 145)
    assert points["late_s"].iloc[1] == pytest.approx(115)
    cells = worst[worst["what"] == "population"]
    assert cells["weight"].iloc[0] == 20


def test_rounding_of_people_orders_no_late_place(graph, grid, presets):
    people = np.ones((1, 20))
    people[0, 8] += 3e-7  # late by 30 s; the one late by 140 s stands first
    plan = station_plan(graph, stations(500), grid, presets=presets, population=people, k=0)
    assert plan.tables["worst"]["late_s"].iloc[0] == pytest.approx(60 + 145 - 90)


def test_area_above_the_standard_is_flagged(graph, grid, presets):
    one = stations(500, type=["small"])
    plan = station_plan(graph, one, grid, presets=presets, population=PEOPLE, k=0)
    first = plan.tables["stations"].iloc[0]
    assert first["area_km2"] == pytest.approx(0.2)
    assert first["area_limit_km2"] == 2.0
    assert not first["area_over"]
    assert first["load"] == 210


def test_stations_share_people(graph, grid, presets):
    plan = station_plan(graph, stations(500, 750), grid, presets=presets, population=PEOPLE, k=0)
    shared = plan.tables["overlap"].set_index("target_s").loc[90.0]
    assert shared["weight"] == 5 + 6 + 7 + 8
    assert shared["share_a"] == pytest.approx(26 / sum(range(3, 9)))


def test_next_sites_are_best_of_all_choices(graph, grid, presets):
    plan = station_plan(graph, stations(550), grid, presets=presets, population=PEOPLE, k=2)
    # reached already: centres 250..850; a site at a cell centre c reaches c-300..c+300
    centres = np.arange(50, 2000, 100)
    done = np.abs(centres - 550) <= 300
    best = max(
        PEOPLE[0][done | (abs(centres - a) <= 300) | (abs(centres - b) <= 300)].sum()
        for a in centres
        for b in centres
    )
    curve = plan.tables["sites"]
    assert curve["order"].tolist() == [0, 1, 2]
    assert curve["covered"].iloc[-1] == best
    assert (curve["covered"].diff().dropna() >= 0).all()
    assert (curve["share"] <= curve["bound_share"] + 1e-9).all()
    assert (curve["bound"] >= curve["objective"] - 1e-9).all()
    assert curve["status"].tolist() == ["optimal"] * 3
    assert plan.proof[0].objective == best
    assert plan.tables["sites"]["gain"].sum() == best - PEOPLE[0][done].sum()


def test_who_is_reached_on_the_last_second_is_reached(graph, grid, presets):
    # Its turn-out takes all the time there is: the station reaches the cell that it stands in.
    slow = stations(550, response_s=[90.0])
    plan = station_plan(graph, slow, grid, presets=presets, population=PEOPLE, k=1)
    assert plan.tables["sites"]["covered"].tolist() == [6, 6 + sum(range(14, 21))]


def test_forbidden_zones_water_and_hazards_are_respected(graph, grid, presets):
    depth = np.zeros((1, 20))
    depth[0, 15:] = 0.2
    plan = station_plan(
        graph, stations(50), grid, presets=presets, population=PEOPLE, k=1,
        depths={"雨": depth},
        hazards=layer([Point(1350, 50)]),
        forbidden=layer([box(600, 0, 1000, 100)]),
    )  # fmt: skip
    x = plan.layers["sites"]["x"].iloc[0] - X0
    assert x in {50, 150, 250, 350, 450, 550, 1050}
    assert x == 1050
    said = " ".join(str(note) for note in plan.notes)
    assert len(plan.notes) >= 4
    assert "300" in said


def test_no_candidate_and_no_station_are_said(graph, grid, presets):
    everywhere = layer([box(-9, -9, 9e3, 9e3)])
    plan = station_plan(graph, stations(50), grid, presets=presets, k=1, forbidden=everywhere)
    assert plan.proof == ()
    assert any("no candidate site is left" in str(n.params) for n in plan.notes)
    none = stations(1).iloc[:0]
    with pytest.raises(InfeasibleError):
        station_plan(graph, none, grid, presets=presets, k=1, forbidden=everywhere)
    with pytest.raises(InfeasibleError):
        station_plan(graph, none, grid, presets=presets, k=0)
    first = station_plan(graph, none, grid, presets=presets, population=PEOPLE, k=1)
    assert first.tables["sites"]["covered"].tolist() == [0.0, sum(range(14, 21))]


def test_water_slows_and_closes(presets, grid):
    roads = layer(
        [LineString([(0, 50), (1000, 50)]), LineString([(1000, 50), (2000, 50)])],
        speed_kmh=[36.0, 36.0],
    )
    graph = build_graph(roads, presets=presets)
    deep = np.zeros((1, 20))
    deep[0, 12] = 0.7
    shallow = np.zeros((1, 20))
    shallow[0, 12] = 0.2
    plan = station_plan(
        graph, stations(950), grid, presets=presets, population=PEOPLE, k=0,
        depths={"深": deep, "浅": shallow, "干": np.zeros((1, 20))},
    )  # fmt: skip
    table = plan.tables["coverage"].query("what == 'population' and unit_id == ''")
    table = table.set_index(["scenario", "target"])
    assert table.loc[("干", "arrival_s"), "lost"] == 0
    # water stands on 1200..1300 only: the cells from there on are cut off, those before are not
    assert table.loc[("深", "arrival_s"), "cut_off"] == sum(range(13, 21))
    # 250 m dry take 25 s, 50 m at 12.36 km/h 14.6 s: the centre at 1250 is late, that at 1150 not
    assert table.loc[("浅", "arrival_s"), "lost"] == 13
    assert table.loc[("浅", "arrival_s"), "cut_off"] == 0


def test_map_layers_are_what_the_page_draws(graph, grid, presets):
    plan = station_plan(graph, stations(500, 750), grid, presets=presets, population=PEOPLE, k=1)
    assert set(plan.layers) == {"bands", "roads", "cover_90", "cover_110", "sites"}
    for frame in plan.layers.values():
        assert {"kind", "label", "band"} <= set(frame.columns)
        assert frame.crs == "EPSG:4548"
        assert frame.geometry.is_valid.all()
    every = plan.layers["bands"]
    bands, after = (every[every["when"] == when] for when in ("before", "after"))
    assert after.union_all().buffer(1e-6).contains(bands.union_all())
    inner, outer = (bands[bands["band"] == band].union_all() for band in (1, 2))
    assert outer.buffer(1e-6).contains(inner)
    roads = plan.layers["roads"]
    assert (roads[roads["when"] == "after"]["facility"] == 2).all()
    roads = roads[roads["when"] == ""]
    assert roads[roads["band"] == 1].length.sum() == pytest.approx(850, abs=1e-3)
    assert roads.length.sum() == pytest.approx(850 + 400, abs=1e-3)


def test_plan_does_not_depend_on_the_order_of_points(graph, grid, presets):
    some = stations(500, 750, 1500)
    a = station_plan(graph, some, grid, presets=presets, population=PEOPLE, k=1)
    b = station_plan(graph, some.iloc[::-1], grid, presets=presets, population=PEOPLE, k=1)
    pd.testing.assert_frame_equal(a.tables["coverage"], b.tables["coverage"])
    pd.testing.assert_frame_equal(a.tables["sites"], b.tables["sites"])


def test_rules_come_from_presets():
    shipped = load_presets()
    rule = response_rule(shipped, "fire_5min")
    assert [(one.key, one.seconds) for one in rule.targets] == [("arrival_s", 300.0)]
    assert response_rule(shipped, "circle_15min").response_s == shipped["station.response_s"]
    with pytest.raises(ProjectError, match="linzi_135"):
        response_rule(shipped, "area_km2")


def test_thinning_keeps_places_apart():
    rng = np.random.default_rng(3)
    xy, weight = rng.uniform(0, 1000, (500, 2)), rng.uniform(0, 1, 500)
    kept = thin(xy, weight, 40)
    assert 15 < len(kept) <= 40
    shuffled = rng.permutation(500)
    again = thin(xy[shuffled], weight[shuffled], 40)
    assert sorted(map(tuple, xy[kept])) == sorted(map(tuple, xy[shuffled][again]))


def test_snap_reports_the_walk(graph):
    on = snap_points(graph, np.array([[X0 + 100, Y0 + 90]]))
    assert on.walk_m[0] == pytest.approx(40)


def test_vehicles_moved_out_serve_from_the_nearest_road_that_is_passable(graph, grid, presets):
    """Water on 900 to 1 000 m: from 920 back to 900, from 980 on to 1 000: beside the road."""
    rule = response_rule(presets, "linzi_135")
    there = stations(500, 920, 980, 1500, vehicle=["car", *["fire_engine"] * 3])
    dry = make_setting(graph, there, rule, vehicle="fire_engine", presets=presets, limit_m=300)
    deep = np.zeros((1, 20))
    deep[0, 9] = 0.7
    spots = snap_points(graph, np.array([[X0 + x, Y0 + 50] for x in (450, 850, 1050)]), limit_m=99)
    times = {}
    for moved in (False, True):
        wet = wet_setting(dry, grid, presets=presets, depth_m=deep, closures=None, moved_out=moved)
        times[moved] = reach(wet, spots)
    assert times[False].nearest.tolist() == [0, 0, 3]
    assert times[False].nearest_s[2] == pytest.approx(60 + 45, abs=0.01)
    assert times[True].nearest.tolist() == [0, 1, 2]
    assert times[True].nearest_s[1:].tolist() == pytest.approx([65, 65], abs=0.01)


def test_sites_left_out_count_for_the_compared_one_nearest_to_them(graph, grid, presets):
    people = 20.0 - np.arange(20)
    people[[3, 8, 13, 16]] = 30  # these four are compared, each for those nearer to it
    centres = np.arange(50.0, 2000, 100)
    plan = station_plan(
        graph, stations(550), grid, presets=presets, population=people[None], k=2,
        model="p-median", candidate_limit=4,
    )  # fmt: skip
    away = np.abs(centres[:, None] - centres)  # site, place
    old = np.abs(centres - 550)
    kept = np.array([3, 8, 13, 16])
    part = np.abs(centres[:, None] - centres[kept]).argmin(axis=1)
    joined = np.array([away[part == k].min(axis=0) for k in range(4)])

    def least(rows):
        two = itertools.combinations(rows, 2)
        return min((people * (60 + np.minimum(old, np.minimum(*pair)) / 10)).sum() for pair in two)

    assert plan.proof[0].objective == pytest.approx(least(away[kept]))
    said = next(dict(n.params) for n in plan.notes if "would have an objective of" in n.msgid)
    assert said["n"] == 20
    assert float(said["bound"]) == pytest.approx(least(joined), abs=0.5)
    assert least(joined) <= least(away) <= least(away[kept])


def test_a_site_off_the_road_takes_its_own_way_to_it_into_account(graph, presets):
    """Of 130 m the 50 beyond 80 m, at 10 km/h, are 18 of the 30 s: 120 m each way are left."""
    wide = make_grid(layer([box(0, 0, 2000, 200)]), crs="EPSG:4548", size_m=100)
    people = np.zeros(wide.shape)
    people[np.argmin([abs(y - Y0 - 50) for y in wide_rows(wide)])] = PEOPLE[0]
    plan = station_plan(
        graph, stations(50), wide, presets=presets, population=people, k=1,
        candidates=layer([Point(1500, 180)], index=["C"]),
    )  # fmt: skip
    assert plan.proof[0].objective == plan.tables["sites"]["covered"].iloc[-1]
    assert plan.proof[0].objective == 1 + 2 + 3 + 4 + 15 + 16


def wide_rows(grid):
    return [grid.transform.f + grid.transform.e * (row + 0.5) for row in range(grid.shape[0])]


def test_half_a_large_cell_is_no_way_for_a_cell_but_one_for_a_point(graph, presets):
    """Cells of 400 m: 150 and 200 m beside the road 0 s, 250 m 50 x 0.36 s; points from 80 m on."""
    rule = response_rule(presets, "linzi_135")
    setting = make_setting(
        graph, stations(500), rule, vehicle="car", presets=presets, limit_m=800, cell_m=400
    )
    away = np.array([150.0, 200, 250])
    spots = np.column_stack([np.full(3, X0 + 500), Y0 + 50 + away])
    on = snap_points(graph, spots, limit_m=800)
    assert reach(setting, on).nearest_s.tolist() == pytest.approx([60, 60, 78])
    assert reach(setting, on, cells=False).nearest_s.tolist() == pytest.approx(
        60 + 0.36 * (away - 80)
    )


def test_a_site_in_a_large_cell_stands_beside_its_road():
    """Cells of 400 m, 150 m beside the road: 45 s reach the next cells; 25.2 s of yard would not."""
    over = load_presets(
        {"station.linzi_135": {"response_s": 60, "arrival_s": 105, "rescue_s": 110}}
    )
    road = layer([LineString([(0, 350), (2000, 350)])], speed_kmh=[36.0])
    grid = make_grid(layer([box(0, 0, 2000, 400)]), crs="EPSG:4548", size_m=400)
    plan = station_plan(
        build_graph(road, presets=over), layer([Point(200, 350)], index=["S"]), grid,
        presets=over, population=np.array([[1.0, 2, 3, 4, 5]]), k=1,
    )  # fmt: skip
    assert plan.proof[0].objective == 1 + 2 + 3 + 4 + 5


def test_a_ring_road_by_hand(presets):
    """A ring of 4 x 141.4 m, one way; arms of 850 m east and west, at their ends 900 m both ways.

    The station in the middle stands on the south-eastern side. To the west 70.7 + 141.4 m of ring,
    to the east 70.7 + 3 x 141.4 m. 240 s at 30 km/h are 2 000 m: in the west all 212.1 + 1 750 m
    are reached, in the east 495 + 850 m and 655 m of the 900 of each side arm.
    """
    ring = [(100, 0), (0, -100), (-100, 0), (0, 100), (100, 0)]
    arms = [[(-950, 0), (-100, 0)], [(100, 0), (950, 0)],
            [(-950, 900), (-950, 0), (-950, -900)],
            [(950, 900), (950, 0), (950, -900)]]  # fmt: skip
    lines = [*map(LineString, itertools.pairwise(ring)), *map(LineString, arms)]
    roads = layer(lines, speed_kmh=[30.0] * 8, oneway=["yes"] * 4 + ["no"] * 4)
    graph = build_graph(roads, presets=presets)
    grid = make_grid(layer([box(-1000, -900, 1000, 900)]), crs="EPSG:4548", size_m=100)
    # People stand on the side arms alone, in the middle of every 100 m, 29 or 50 m beside them.
    ys = np.arange(-850.0, 900, 100)
    points = layer(
        [Point(x, y) for x in (-921, 979) for y in ys], index=[f"P{i}" for i in range(36)]
    )
    rule = load_presets(
        {"station.linzi_135": {"response_s": 60, "arrival_s": 180, "rescue_s": 300}}
    )
    plan = station_plan(
        graph, layer([Point(0, 0)], index=["S"]), grid, presets=rule, k=0, points={"refuge": points}
    )
    seconds = plan.tables["nearest"].set_index("id")["seconds"].reindex(points.index).to_numpy()
    half, side = 50 * 2**0.5, 100 * 2**0.5
    metres = np.r_[half + side + 850 + abs(ys), half + 3 * side + 850 + abs(ys)]
    assert seconds == pytest.approx(60 + metres / (30 / 3.6), abs=0.01)
    assert (seconds <= 300).sum() == 18 + 2 * 7  # 50, 150 .. 650 m of the eastern arms

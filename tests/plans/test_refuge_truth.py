"""Small towns with answers by hand, and what must hold in every town."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString
from shapely.ops import unary_union

from riskmap.geo.grid import make_grid
from riskmap.geo.network import build_graph
from riskmap.layers.layer import Raster
from riskmap.plans.options import RefugeOptions
from riskmap.plans.refuges.assign import growth
from riskmap.plans.refuges.demand import people_to_move
from riskmap.plans.refuges.ways import nets
from riskmap.plans.supplies import _nearest
from riskmap.vocabulary.presets import load_presets
from tests.street import CRS, E, N, areas, at, plan, rect, world


def raster(row, size=50):
    values = np.tile(np.asarray(row, np.float32), (2 * (100 // size) // 2 or 1, 1))
    return Raster(values, (size, 0, E, 0, -size, N + 100), CRS)


def pools(*spans):
    """Water on some spans: from x, to x, depth."""
    row = np.zeros(60)
    for low, high, depth in spans:
        row[low // 50 : high // 50] = depth
    return (raster(row),)


def test_ground_that_two_sources_share_counts_once():
    """The west half of a cell of ten people is a danger area, and under water."""
    there = world([(2500, 500)])
    here = areas(("西半", np.nan, 0, 50))
    found = plan(there, name="雨", depths=pools((0, 50, 0.7)), danger_area=here)
    assert found.recount["people"] == 5
    limit = float(there.presets["refuge.move_depth_m"])
    for depth, people in ((limit, 10), (limit - 0.01, 0)):  # the limit itself is too deep
        assert plan(there, name="雨", depths=pools((0, 100, depth))).recount["people"] == people


def test_an_area_over_two_villages_is_a_group_in_each_where_its_people_live():
    there = world([(500, 300), (1800, 300)])
    found = plan(there, danger_area=areas(("沿河", 200, 600, 1600)), name="雨")
    sent = found.tables["assignment"].set_index("village")
    # Ten people a cell: four cells of the first village, six of the second.
    assert sent["people"].to_dict() == {"甲村": 80, "乙村": 120}
    assert sent["metres"].to_dict() == {"甲村": 300, "乙村": 500}


@pytest.mark.parametrize(
    ("ground", "border", "people", "x"), [((50, 200), 1000, 15, 125), ((900, 950), 950, 5, 925)]
)
def test_where_cells_are_cut_people_stand_on_the_part_that_is_meant(ground, border, people, x):
    """Ten a cell: 5 on the east half of the first and 10 on the second, 125 m from the west amid
    them; a village that ends amid a cell has 5 there, all of them on its half."""
    there = world([(500, 300)])
    there.units["geometry"] = [rect(0, border), rect(border, 2000), rect(2000, 3000)]
    found = people_to_move(
        there.grid, there.units, population=there.population, presets=there.presets,
        standing=areas(("甲", np.nan, *ground)),
    )  # fmt: skip
    assert found.table["people"].tolist() == [people]
    assert found.xy == pytest.approx(np.array([[E + x, N + 50]]))


def test_each_part_of_a_village_in_two_parts_goes_its_own_way():
    there = world([(50, 1000), (2950, 1000)])
    there.units["geometry"] = [
        unary_union([rect(0, 1000), rect(2500, 3000)]), rect(1000, 2000), rect(2000, 2500)
    ]  # fmt: skip
    found = plan(
        there, danger_area=areas(("西", np.nan, 200, 300), ("沿河", 60, 500, 2800)), name="雨"
    )
    sent = found.tables["assignment"]
    mine = sent[sent["village"] == "甲村"].sort_values("people")
    # Ten people live on the first area; of the 60 (23 cells: 5 and 3 of the village) 13 and 8.
    assert mine["people"].tolist() == [8, 10, 13]
    assert mine["refuge"].tolist() == ["场所1", "场所0", "场所0"]
    assert mine["metres"].tolist() == [300, 200, 700]


def test_nobody_wades_to_a_road_and_nobody_crosses_a_river():
    there = world([(1500, 300)], areas(("甲", 20, 200, 300)), population=None)
    assert plan(there).recount["served"] == 20
    # 0.4 m around the people's own place is more than they may enter, although the road is dry on
    # both sides; the road itself is at y = 50.
    wet = plan(there, name="水", depths=pools((200, 300, 0.4)))
    assert wet.recount["served"] == 0
    river = gpd.GeoDataFrame(geometry=[LineString([at(-500, 70), at(3500, 70)])], crs=CRS)
    north = gpd.GeoDataFrame({"name": ["北岸"], "people": [20]}, geometry=[rect(200, 300, 80, 99)],
                             crs=CRS)  # fmt: skip
    south = north.set_geometry([rect(200, 300, 0, 40)])
    assert plan(world([(1500, 300)], north, waterways=river)).recount["served"] == 0
    assert plan(world([(1500, 300)], south, waterways=river)).recount["served"] == 20
    ditch = river.assign(**{"class": "ditch"})
    assert plan(world([(1500, 300)], north, waterways=ditch)).recount["served"] == 20


def test_who_only_stands_at_the_edge_of_the_water_does_not_wade():
    """Water of 0.4 m from x = 300 on; rounding of a road's end there decides nothing."""
    there = world([(50, 10)])
    net = nets(
        there.graphs, there.grid, presets=there.presets, limits_s={"foot": 1800.0},
        depths=pools((300, 400, 0.4)),
    )[0]  # fmt: skip
    start = np.array([[E + 250.0, N + 40.0]] * 3)
    end = np.array([[E + 300.0 + far, N + 40.0] for far in (-1e-6, 1e-6, 0.05)])
    assert net.barred(start, end).tolist() == [False, False, True]


def test_a_tier_is_not_given_back_for_a_shorter_way():
    refuges = [(50, 100, {"tier": "town"}), (1200, 100, {"tier": "village"}),
               (2400, 100, {"tier": "village"})]  # fmt: skip
    there = world(refuges, areas(("甲", 100, 40, 80), ("乙", 100, 1240, 1260)))
    sent = plan(there, RefugeOptions(preset="zhejiang_tiers", draws=1)).tables["assignment"]
    assert dict(zip(sent["name"], sent["refuge"], strict=True)) == {"甲": "场所1", "乙": "场所2"}


def test_danger_on_the_way_is_named():
    # 200 m farther on lies a ravine; the area that people leave is not named.
    standing = areas(("甲", 20, 200, 300), ("沟", 0, 500, 600))
    found = plan(world([(900, 50)], standing))
    assert found.tables["assignment"]["through"].tolist() == ["沟"]
    assert "沟" in str(found.tables["handout"]["remark"].iloc[0])


@pytest.mark.parametrize(
    ("capacity", "area"), [(100, 100.0), (30, 1000.0), (30, 40.0), (50, np.nan)]
)
def test_a_mend_carried_out_as_written_leaves_what_it_promised(capacity, area):
    standing = areas(("甲", 80, 200, 300))
    extra = {"area_m2": area} if np.isfinite(area) else {}
    found = plan(world([(500, capacity, extra)], standing))
    row = found.tables["mend"].iloc[0]
    held = found.tables["capacity"]
    assert row["how"] == growth(held, 0, row["places"])
    said = dict(row["how"].params)
    more = area + float(said["m2"]) if "m2" in said else area
    number = float(said["n"]) if "n" in said else capacity
    extra = {"area_m2": more} if np.isfinite(area) else {}
    after = plan(world([(500, number, extra)], standing))
    assert after.recount["shortfall"] == row["shortfall_after"] == 0


def test_supplies_run_from_the_depot_to_the_need():
    """On a road one way to the east a depot behind the refuge cannot send anything to it."""
    presets = load_presets()
    lines = gpd.GeoDataFrame(geometry=[LineString([at(0), at(1000)])], crs=CRS)
    graph = build_graph(lines, profile="emergency", direction="digitised", presets=presets)
    there = world([(900, 1)])
    net = nets({"emergency": graph}, there.grid, presets=presets, limits_s={"ride": np.inf})[0]
    depots = np.array([[E + 100.0, N + 50.0], [E + 980.0, N + 50.0]])
    who, minutes = _nearest(net, np.array([[E + 900.0, N + 50.0]]), depots)
    assert who.tolist() == [0]
    assert minutes[0] == pytest.approx(800 / (graph.edge_speed_kmh[0] * 0.8 / 3.6) / 60, rel=1e-3)


def test_a_refuge_is_entered_from_the_road_that_it_names():
    """10 m from one road, 40 m from the one that it names, from which a river may part it."""
    lines = gpd.GeoDataFrame(
        {"name": ["南路", "北路"]},
        geometry=[LineString([at(0), at(1000)]), LineString([(E, N + 100), (E + 1000, N + 100)])],
        crs=CRS,
    )
    presets = load_presets()
    graph = build_graph(lines, profile="foot", presets=presets)
    there = world([(500, 1), (700, 1)])
    rows = there.refuges.assign(on_road=["北 路", ""])
    rows = rows.set_geometry(gpd.points_from_xy([E + 500, E + 700], [N + 60, N + 60]), crs=CRS)
    there = replace(there, refuges=rows, graphs={"foot": graph})
    for river, right in ((None, ["北路", "南路"]), (80.0, ["南路", "南路"])):
        line = [LineString([(E, N + river), (E + 1000, N + river)])] if river else []
        net = nets(
            there.graphs, there.grid, presets=presets, limits_s={"foot": 1800.0},
            named=there.named, waterways=gpd.GeoDataFrame(geometry=line, crs=CRS),
        )[0]  # fmt: skip
        found = net.snap(there.xy)
        assert [graph.names[graph.edge_name[edge]] for edge in found.edge] == right
        assert found.walk_m.tolist() == [40.0 if right[0] == "北路" else 10.0, 10.0]


spots = st.lists(
    st.tuples(st.integers(0, 29), st.integers(0, 60)), min_size=1, max_size=4
)  # place in cells, places
crowds = st.lists(st.tuples(st.integers(0, 28), st.integers(1, 60)), min_size=1, max_size=3)
waters = st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.8]), min_size=60, max_size=60)


def town(refuges, groups, **over):
    standing = areas(*((f"区{k}", n, 100 * x, 100 * x + 100) for k, (x, n) in enumerate(groups)))
    return world([(100 * x + 50, q) for x, q in refuges], standing, **over)


@settings(max_examples=12, deadline=None)
@given(spots, crowds, waters, waters, st.tuples(st.integers(0, 29), st.integers(0, 60)))
def test_more_refuges_serve_no_fewer_and_more_water_no_more(refuges, groups, one, two, extra):
    options = RefugeOptions(draws=1, new_sites=[0])
    little = np.array(one)
    much = np.maximum(little, two)
    # Nobody lives outside the areas: more water would drive more people out, who can be served too.
    listed = town(refuges, groups, population=None)
    dry = plan(listed, options).recount["served"]
    served = [
        plan(listed, options, name="水", depths=(raster(row),)).recount["served"]
        for row in (little, much)
    ]
    assert dry >= served[0] >= served[1]
    lived_in = plan(town(refuges, groups), options).recount["served"]
    more = plan(town([*refuges, extra], groups), options).recount["served"]
    assert more >= lived_in


@settings(max_examples=6, deadline=None)
@given(spots, crowds, st.floats(0.3, 3.0), st.floats(0.0, 3.0))
def test_a_longer_warning_loses_nobody(refuges, groups, hours, more):
    there = town(refuges, groups)
    late = []
    for each in (hours, hours + more):
        options = RefugeOptions(draws=1, new_sites=[0], warning_h={"": each})
        sent = plan(there, options).tables["assignment"]
        late.append(sent.loc[~sent["in_time"].astype(bool), "people"].sum())
    assert late[1] <= late[0]


@settings(max_examples=6, deadline=None)
@given(spots, st.integers(1, 9), waters)
def test_a_village_cut_in_two_moves_as_many(refuges, border, depth):
    whole = world([(100 * x + 50, q) for x, q in refuges])
    options = RefugeOptions(draws=1, new_sites=[0])
    units = whole.units.copy()
    parts = gpd.GeoDataFrame(
        {**{name: [units[name].iloc[0]] * 2 for name in units.columns if name != "geometry"}},
        geometry=[rect(0, 100 * border), rect(100 * border, 1000)], index=["A1", "A2"], crs=CRS,
    )  # fmt: skip
    cut = gpd.GeoDataFrame(
        np.concatenate([parts.to_numpy(), units.iloc[1:].to_numpy()]), columns=parts.columns,
        index=["A1", "A2", "B", "C"], crs=CRS,
    )  # fmt: skip
    cut["finest"] = True
    people = [
        plan(
            world([(100 * x + 50, q) for x, q in refuges], units=each), options,
            name="水", depths=(raster(depth),),
        ).recount["people"]
        for each in (units, cut)
    ]  # fmt: skip
    assert people[0] == people[1]


cuts = st.lists(st.integers(1, 299), max_size=8, unique=True)


@settings(max_examples=8, deadline=None)
@given(spots, crowds, waters, cuts)
def test_cutting_the_roads_into_pieces_changes_no_figure(refuges, groups, depth, places):
    whole = town(refuges, groups)
    stops = sorted({0, 300, *places})
    pieces = gpd.GeoDataFrame(
        geometry=[LineString([at(10 * a), at(10 * b)]) for a, b in pairwise(stops)], crs=CRS
    )
    cut = replace(
        whole, graphs={"foot": build_graph(pieces, profile="foot", presets=whole.presets)}
    )
    options = RefugeOptions(draws=1, new_sites=[0])
    found = [plan(one, options, name="水", depths=(raster(depth),)) for one in (whole, cut)]
    first, second = (one.recount for one in found)
    assert first == second
    spent = [one.proof[0].objective for one in found]
    assert spent[1] == pytest.approx(spent[0], abs=0.2 * (1 + first["served"]) / 60)


def test_cutting_real_streets_into_pieces_changes_no_figure():
    """Streets of Jinan, drawn once for each direction, as they are and cut at every vertex."""
    box = (117.0, 36.64, 117.02, 36.655)
    source = Path(__file__).parents[2] / "layers" / "jinan" / "roads.gpkg"
    whole = pyogrio.read_dataframe(source, layer="roads", bbox=box).to_crs(CRS)
    corners, row = shapely.get_coordinates(whole.geometry, return_index=True)
    inner = np.flatnonzero(row[1:] == row[:-1])
    pieces = whole.iloc[row[inner]].set_geometry(
        shapely.linestrings(np.stack([corners[inner], corners[inner + 1]], axis=1))
    )
    pieces = pieces.sample(frac=1.0, random_state=7).reset_index(drop=True)
    assert (len(whole), len(pieces)) == (473, len(inner))
    assert len(pieces) > 2 * len(whole)
    x, y = 500_000, 4_055_100
    grid = make_grid(shapely.box(x, y, x + 1800, y + 1700), crs=CRS, size_m=100)
    places = gpd.GeoDataFrame(
        {"name": list("东西南北"), "capacity": [150.0, 60.0, 90.0, 40.0], "tier": "village"},
        geometry=gpd.points_from_xy(
            [x + 1500, x + 250, x + 800, x + 900], [y + 700, y + 900, y + 150, y + 1500]
        ),
        index=list("EWSN"), crs=CRS,
    )  # fmt: skip
    standing = gpd.GeoDataFrame(
        {"name": ["甲", "乙", "丙"], "people": [120, 80, 70]},
        geometry=[
            shapely.box(x + a, y + b, x + a + 300, y + b + 200)
            for a, b in ((600, 700), (1200, 1200), (300, 300))
        ],
        crs=CRS,
    )
    units = gpd.GeoDataFrame(
        {"level": "village", "name": ["甲村", "乙村"], "finest": True, "village": ["甲村", "乙村"],
         "town": "某镇", "district": "某县"},
        geometry=[shapely.box(x + k, y, x + k + 900, y + 1700) for k in (0, 900)],
        index=["A", "B"], crs=CRS,
    )  # fmt: skip
    depth = np.zeros((34, 36), np.float32)
    depth[:, 16:18], depth[10:12, 20:30] = 0.25, 0.6
    water = (Raster(depth, (50, 0, x, 0, -50, y + 1700), CRS),)
    shut = gpd.GeoDataFrame(geometry=[shapely.box(x + 1000, y + 600, x + 1060, y + 640)], crs=CRS)
    found = []
    for lines in (whole, pieces):
        presets = load_presets({"refuge.vehicle_share": 0.1})
        graphs = {
            profile: build_graph(lines, profile=profile, presets=presets, direction="digitised")
            for profile in ("foot", "emergency")
        }
        there = replace(
            world([(0, 1)], standing), graphs=graphs, grid=grid, units=units, refuges=places,
            presets=presets, population=np.full(grid.shape, 4.0, np.float32),
        )  # fmt: skip
        options, limits = RefugeOptions(draws=1, new_sites=[1]), {"foot": 1800.0, "ride": 3600.0}
        found.append(plan(there, options, limits, name="水", depths=water, closures=shut))
    assert len(found[0].tables["assignment"]) > 5
    assert found[0].tables["assignment"]["other_metres"].notna().any()
    for name, table in found[0].tables.items():
        pd.testing.assert_frame_equal(table, found[1].tables[name], rtol=1e-5, obj=name)
    assert found[1].recount == found[0].recount


@settings(max_examples=8, deadline=None)
@given(spots, crowds, waters, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_figure(refuges, groups, depth, dice):
    options = RefugeOptions(draws=1, new_sites=[0])
    found = []
    for _ in range(2):
        one = plan(town(refuges, groups), options, name="水", depths=(raster(depth),))
        sent = one.tables["assignment"].sort_values(["name", "metres", "people", "minutes"])
        found.append((one.recount, one.proof[0].bound, sent[["people", "metres"]].values.tolist()))
        dice.shuffle(refuges)
        dice.shuffle(groups)
    assert found[0][0] == found[1][0]
    assert sorted(found[0][2]) == sorted(found[1][2])
    assert found[0][1] == pytest.approx(found[1][1], abs=1e-6)


def test_of_two_hundred_thousand_nobody_loses_a_place_to_keep_the_group_whole():
    """200 001 people, a refuge for 200 000 and one for 5: one goes alone, or has no place."""
    there = world([(500, 200_000), (700, 5)], areas(("甲组", 200_001, 400, 420)))
    sent = plan(there).tables["assignment"]
    assert sent.set_index("refuge")["people"].to_dict() == {"场所0": 200_000, "场所1": 1}


def test_people_that_an_area_does_not_state_are_said_to_be_estimated():
    """Ten people a cell of 100 m: three cells hold 30; the other area states its 7."""
    standing = areas(("没填", np.nan, 200, 500), ("填了", 7, 800, 900))
    found = plan(world([(500, 300)], standing))
    assert found.recount["people"] == 37
    said = [dict(note.params) for note in found.notes if "estimated" in note.msgid]
    assert [(one["n"], one["names"]) for one in said] == [(1, "没填")]

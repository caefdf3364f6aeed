"""Hand-drawn networks: every distance is a whole number that can be checked on paper."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from shapely import LineString, MultiLineString, Point

from riskmap.errors import LayerError, UsageError
from riskmap.geo.network import (
    build_graph,
    cost_table,
    k_nearest,
    nearest_seconds,
    route,
    shortest_paths,
    snap_points,
)
from riskmap.geo.network.snap import snap_tied
from riskmap.geo.network.tables import find_pieces
from riskmap.geo.network.travel import at_hour

X0, Y0 = 500_000.0, 4_000_000.0
"""On the central meridian of EPSG:4548 lengths on the map and on the ellipsoid are equal."""
SPEEDS = {
    "road.speed_kmh": {"primary": 36.0, "residential": 18.0, "motorway": 72.0, "service": 9.0},
    "road.speed_car_kmh": {"primary": 36.0},
    "road.unknown_speed_kmh": 36.0,
    "road.foot_kmh": 3.6,
    "network.vehicle_factor": {"car": 1.0},
}


def line(*points):
    return LineString([(X0 + x, Y0 + y) for x, y in points])


def roads(lines, **columns):
    return gpd.GeoDataFrame(columns, geometry=lines, crs=4548)


def at(graph, *points, limit_m=500.0):
    xy = np.array([(X0 + x, Y0 + y) for x, y in points], dtype=float)
    return snap_points(graph, xy, limit_m=limit_m)


def metres(graph, a, b, *, measured=True):
    """Distance between two points by all three engines, which must agree."""
    one, two = at(graph, a), at(graph, b)
    table = cost_table(graph, one, two, weight="metres")
    by_table = table.cost[0] if len(table.cost) else np.inf
    path = shortest_paths(graph, one, two, weight="metres")[0]
    nearest = nearest_seconds(graph, one, two, weight="metres").cost[0]
    back = nearest_seconds(graph, two, one, weight="metres", way="to_facility").cost[0]
    k = k_nearest(graph, one, two, k=2, weight="metres")[0][0, 0]
    for other in (path.cost, nearest, back, k):
        assert other == pytest.approx(by_table, abs=1e-6)
    if path.reached and measured:
        assert path.geometry.length == pytest.approx(path.metres, abs=1e-3)
        assert path.metres == pytest.approx(path.cost, abs=1e-6)
    return by_table if np.isinf(by_table) else round(by_table, 4)


def build(lines, **options):
    return build_graph(lines, presets=SPEEDS, **options)


def test_lines_meet_at_shared_vertices_and_not_where_they_only_cross():
    bridge = roads([line((0, 0), (100, 0)), line((50, -50), (50, 50))])
    assert (build(bridge).node_count, build(bridge).edge_count) == (4, 2)
    assert metres(build(bridge), (0, 0), (50, 50)) == np.inf
    junction = roads([line((0, 0), (50, 0), (100, 0)), line((50, -50), (50, 0), (50, 50))])
    assert (build(junction).node_count, build(junction).edge_count) == (5, 4)
    assert metres(build(junction), (0, 0), (50, 50)) == 100


def test_level_keeps_a_bridge_with_a_shared_vertex_apart_but_joins_its_ends():
    lines = roads(
        [
            line((0, 0), (50, 0), (100, 0)),
            line((50, -50), (50, 0), (50, 50)),
            line((50, 50), (90, 50)),
        ],
        layer=["0", "1", "0"],
    )
    assert metres(build(lines), (0, 0), (50, 50)) == 100
    apart = build(lines, level_field="layer")
    assert metres(apart, (0, 0), (50, 50)) == np.inf
    assert metres(apart, (50, -50), (90, 50)) == 140


def test_an_edge_keeps_its_bends():
    graph = build(roads([line((0, 0), (30, 0), (30, 40))]))
    assert graph.node_count == 2
    assert metres(graph, (10, 0), (30, 20)) == 40
    assert at(graph, (30, 20)).along[0] == pytest.approx(50 / 70)


def test_one_way_streets_send_you_round_the_block():
    lines = roads(
        [
            line((0, 0), (100, 0)),
            line((100, 0), (100, 100)),
            line((100, 100), (0, 100)),
            line((0, 100), (0, 0)),
        ],
        oneway=["yes", "yes", "yes", "yes"],
    )
    graph = build(lines)
    assert metres(graph, (25, 0), (75, 0)) == 50
    assert metres(graph, (75, 0), (25, 0)) == 350
    assert metres(build(lines, direction="two_way"), (75, 0), (25, 0)) == 50
    reversed_ = build(lines.assign(oneway="-1"))
    assert metres(reversed_, (25, 0), (75, 0)) == 350
    assert metres(build(lines.assign(oneway="no"), direction="digitised"), (75, 0), (25, 0)) == 350


def test_a_roundabout_is_one_way_without_saying_so():
    ring = line((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))
    lines = roads(
        [ring, line((-50, 0), (0, 0)), line((20, 20), (70, 20))],
        highway=["primary", "primary", "primary"],
        junction=["roundabout", None, None],
    )
    graph = build(lines)
    assert metres(graph, (-50, 0), (70, 20)) == 140
    assert metres(graph, (70, 20), (-50, 0)) == 140
    against = build(lines.assign(oneway=["-1", None, None]))
    assert metres(against, (-50, 0), (0, 20)) == 70
    assert metres(graph, (-50, 0), (0, 20)) == 110
    assert metres(build(lines.assign(oneway=["no", None, None])), (-50, 0), (0, 20)) == 70


def test_a_closed_ring_alone_is_one_loop():
    graph = build(roads([line((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))]))
    assert graph.edge_count == 1
    assert metres(graph, (10, 0), (0, 10)) == 20
    assert metres(graph, (0, 10), (10, 0)) == 20
    one = build(roads([line((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))]), direction="digitised")
    assert metres(one, (0, 10), (10, 0)) == 20
    assert metres(one, (10, 0), (0, 10)) == 60


def test_motorway_is_one_way_unless_it_says_no():
    lines = roads([line((0, 0), (100, 0))] * 1, highway=["motorway"])
    assert metres(build(lines), (80, 0), (20, 0)) == np.inf
    assert metres(build(lines.assign(oneway="no")), (80, 0), (20, 0)) == 60


def test_parallel_edges_are_kept_and_the_shorter_is_used():
    lines = roads([line((0, 0), (50, 50), (100, 0)), line((0, 0), (100, 0))])
    graph = build(lines)
    assert graph.edge_count == 2
    assert len(graph.indices) == 4
    assert metres(graph, (0, 0), (100, 0)) == 100
    slow = roads([line((0, 0), (50, 50), (100, 0)), line((0, 0), (100, 0))], speed_kmh=[72.0, 18.0])
    graph = build(slow)
    found = nearest_seconds(graph, at(graph, (0, 0)), at(graph, (100, 0))).cost[0]
    assert found == pytest.approx(np.hypot(50, 50) * 2 / 20, abs=1e-6)


def test_two_directed_edges_are_one_street():
    there = line((0, 0), (40, 0), (100, 0))
    back = line((100, 0), (40, 0), (0, 0))
    graph = build(roads([there, back, line((100, 0), (100, 50))]), direction="digitised")
    assert (graph.node_count, graph.edge_count) == (3, 2)
    assert metres(graph, (60, 0), (10, 0)) == 50
    assert metres(graph, (10, 0), (60, 0)) == 50
    assert metres(graph, (100, 40), (60, 0)) == np.inf
    assert graph.edge_twin_row.tolist() == [1, -1]


def test_a_street_drawn_once_for_each_direction_is_walked_from_door_to_door():
    """Two doors 45 m apart on a street of 2 km whose two lines lie on each other."""
    there = line((0, 0), (990, 0), (1035, 0), (2000, 0))
    lines = roads([there, there.reverse(), line((2000, 0), (2000, 50))])
    for profile in ("foot", "car"):
        graph = build(lines, direction="digitised", profile=profile)
        assert graph.edge_count == 2
        assert metres(graph, (990, 4), (1035, -4)) == metres(graph, (1035, -4), (990, 4)) == 45
    thrice = build(roads([there, there, there.reverse()]), direction="digitised")
    assert (thrice.edge_count, thrice.edge_twin_row.tolist()) == (1, [2])
    assert metres(thrice, (1035, 0), (990, 0)) == 45
    same = build(roads([there, there]), direction="digitised")
    assert (same.edge_count, metres(same, (1035, 0), (990, 0))) == (1, np.inf)
    ring = line((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))
    both = build(roads([ring, ring.reverse()]), direction="digitised")
    assert (both.edge_count, metres(both, (10, 0), (0, 10))) == (1, 20)
    assert metres(both, (0, 10), (10, 0)) == 20


def test_directed_edges_of_unlike_speed_stay_two():
    there, back = line((0, 0), (100, 0)), line((100, 0), (0, 0))
    graph = build(roads([there, back], speed_kmh=[36.0, 18.0]), direction="digitised")
    assert graph.edge_count == 2


def test_snapping_is_to_the_edge_with_a_limited_walk():
    graph = build(roads([line((0, 0), (100, 0))]))
    on = at(graph, (25, 300), (25, 500), (25, 500.01), (130, 40))
    assert on.on.tolist() == [True, True, False, True]
    assert on.along[[0, 3]].tolist() == [0.25, 1.0]
    assert on.walk_m[[0, 3]].tolist() == [300.0, 50.0]
    assert np.isinf(on.walk_m[2])
    found = nearest_seconds(graph, on.take(np.array([0])), on, weight="metres")
    assert found.facility.tolist() == [0, 0, -1, 0]
    assert np.isinf(found.cost[2])


def test_an_end_of_a_one_way_edge_is_its_node():
    lines = roads([line((0, 0), (100, 0)), line((0, 0), (0, 100))], oneway=["yes", "no"])
    graph = build(lines)
    assert metres(graph, (0, 0), (0, 100)) == 100
    assert metres(graph, (100, 0), (0, 100)) == np.inf


def test_tie_of_two_stations_goes_to_the_first():
    graph = build(roads([line((0, 0), (50, 0), (100, 0)), line((50, 0), (50, 80))]))
    stations = at(graph, (100, 0), (0, 0))
    found = nearest_seconds(graph, stations, at(graph, (50, 80), (50, 40), (20, 0)))
    assert found.facility.tolist() == [0, 0, 1]
    cost, which = k_nearest(graph, stations, at(graph, (50, 40)), k=2, weight="metres")
    assert which.tolist() == [[0, 1]]
    assert cost.tolist() == [[pytest.approx(90), pytest.approx(90)]]


def test_turn_out_moves_the_border_between_stations():
    graph = build(roads([line((0, 0), (1000, 0))]))
    stations, scenes = at(graph, (0, 0), (1000, 0)), at(graph, (400, 0), (600, 0))
    found = nearest_seconds(graph, stations, scenes, start=np.array([60.0, 10.0]))
    assert found.facility.tolist() == [1, 1]
    assert found.cost.tolist() == [pytest.approx(70), pytest.approx(50)]
    table = cost_table(graph, stations, scenes, start=np.array([60.0, 10.0]), limit=100.0)
    assert table.cost.tolist() == [pytest.approx(100), pytest.approx(70), pytest.approx(50)]


def test_direction_of_travel_matters_on_one_way_streets():
    ring = [line((0, 0), (100, 0)), line((100, 0), (50, 90), (0, 0))]
    graph = build(roads(ring), direction="digitised")
    one, two = at(graph, (20, 0)), at(graph, (80, 0))
    out = nearest_seconds(graph, one, two, weight="metres").cost[0]
    home = nearest_seconds(graph, one, two, weight="metres", way="to_facility").cost[0]
    assert out == pytest.approx(60)
    assert home == pytest.approx(40 + 2 * np.hypot(50, 90))


def test_parts_and_islands_are_told():
    lines = [line((100 * i, 0), (100 * i + 100, 0)) for i in range(300)]
    graph = build(roads([*lines, line((0, 900), (50, 900))]))
    assert graph.component.max() == 1
    assert graph.island.sum() == 2
    assert (graph.component[graph.island] == 1).all()


def test_lengths_are_on_the_ellipsoid_in_any_crs():
    lonlat = [(118.30, 36.80), (118.33, 36.82), (118.35, 36.79)]
    truth = Geod(ellps="WGS84").line_length(*zip(*lonlat, strict=True))
    layer = gpd.GeoDataFrame(geometry=[LineString(lonlat)], crs=4326)
    for crs in (4326, 4548, 3857, 32650):
        graph = build(layer.to_crs(crs), crs=4548)
        assert graph.edge_length_m.sum() == pytest.approx(truth, rel=1e-9)


def test_a_length_field_is_shared_out_along_the_cut_line():
    lines = roads([line((0, 0), (25, 0), (100, 0)), line((25, 0), (25, 50))], km=[200.0, np.nan])
    graph = build(lines, length_field="km")
    assert sorted(graph.edge_length_m.round(6)) == [50, 50, 150]
    assert metres(graph, (0, 0), (100, 0), measured=False) == 200


def test_classes_in_chinese_and_osm_give_speeds_and_a_given_speed_wins():
    lines = roads(
        [line((0, 10 * i), (100, 10 * i)) for i in range(5)],
        等级=["主干路", "primary_link", "街坊路", None, "匝道"],
        v=[None, None, None, None, "50 km/h"],
    )
    graph = build(lines, class_field="等级", speed_field="v")
    assert graph.edge_speed_kmh.tolist() == [36, 36, 18, 36, 50]
    assert graph.edge_class.tolist() == [
        "primary",
        "primary_link",
        "residential",
        "",
        "motorway_link",
    ]


def test_osm_access_and_classes():
    rows = [
        ("primary", None, None, None),
        ("primary", "private", None, None),
        ("service", None, "no", None),
        ("residential", None, None, "no"),
        ("footway", None, None, None),
        ("track", None, None, None),
        ("motorway_link", None, None, None),
        ("living_street", "destination", None, None),
    ]
    lines = roads(
        [line((0, 10 * i), (100, 10 * i)) for i in range(len(rows))],
        **dict(
            zip(
                ("highway", "access", "vehicle", "motor_vehicle"),
                map(list, zip(*rows, strict=True)),
                strict=True,
            )
        ),
    )
    assert build(lines).edge_row.tolist() == [0, 6, 7]
    assert dict(build(lines).notes[0].params) == {"n": 5, "profile": "car"}
    assert build(lines, profile="foot").edge_row.tolist() == [0, 2, 3, 4, 5, 7]
    assert build(lines, profile="emergency").edge_row.tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert build(lines, profile="foot").edge_speed_kmh.tolist() == [3.6] * 6


def test_narrow_and_rough_roads_are_used_and_counted_and_given_up_ones_are_not():
    """A fire engine is 2.5 m wide, a car 1.9 m; widths of OpenStreetMap are mostly estimates."""
    tags = {
        "highway": ["residential"] * 8,
        "width": ["2", "2.2 m", "1.5", "3", "-1", None, None, None],
        "est_width": [None, None, None, None, None, "2.4", None, None],
        "smoothness": ["very_bad", "horrible", None, None, None, None, None, None],
        "4wd_only": [None, None, None, "yes", None, None, None, None],
        "abandoned": [None, None, None, None, None, None, "yes", None],
        "disused": [None, None, None, None, None, None, None, "yes"],
    }
    lines = roads([line((100 * i, 0), (100 * i + 100, 0)) for i in range(8)], **tags)
    told = {}
    for profile in ("car", "emergency", "foot"):
        graph = build_graph(lines, profile=profile)
        said = [str(note.msgid) for note in graph.notes]
        told[profile] = tuple(graph.told[key] for key in ("used", "narrow", "rough"))
        assert any("narrower than the vehicle" in one for one in said) == (profile != "foot")
    assert told == {"car": (6, 1, 3), "emergency": (6, 4, 2), "foot": (8, 0, 0)}


def test_classes_nobody_knows_are_told_and_roads_not_built_are_not_used():
    lines = roads(
        [line((100 * i, 0), (100 * i + 100, 0)) for i in range(5)],
        等级=["支路", "甲级", "甲级", "在建", "规划路"],
    )
    graph = build_graph(lines)
    (note,) = [note for note in graph.notes if "class nobody knows" in note.msgid]
    assert dict(note.params) == {"n": 2, "values": "甲级"}
    assert graph.told["dropped"] == {"class": 2}


def test_tags_packed_by_gdal_are_read():
    lines = roads(
        [line((0, 0), (100, 0)), line((0, 9), (100, 9))],
        highway=["primary", "service"],
        other_tags=['"oneway"=>"-1","surface"=>"asphalt"', '"lanes"=>"1","access"=>"private"'],
    )
    graph = build(lines)
    assert graph.edge_row.tolist() == [0]
    assert (graph.edge_forward[0], graph.edge_backward[0]) == (False, True)


def test_bad_rows_are_said_and_not_fatal():
    lines = roads(
        [line((0, 0), (100, 0)), line((5, 5), (5, 5)), MultiLineString(), None],
        oneway=["sometimes", "no", "no", "no"],
    )
    graph = build(lines)
    assert graph.edge_count == 1
    assert graph.edge_forward[0]
    assert graph.edge_backward[0]
    said = " ".join(note.msgid for note in graph.notes)
    assert "without length" in said
    assert "nobody knows" in said
    assert ("n", 3) in graph.notes[0].params


@pytest.mark.parametrize(
    ("lines", "options", "error", "word"),
    [
        (
            roads([line((0, 0), (1, 0))]).set_crs(None, allow_override=True),
            {},
            LayerError,
            "coordinate system|坐标系",
        ),
        (roads([line((0, 0), (1, 0))]), {"profile": "horse"}, UsageError, "horse"),
        (roads([line((0, 0), (1, 0))]), {"oneway_field": "dir"}, UsageError, "dir"),
        (roads([line((0, 0), (0, 0))]), {}, LayerError, "car"),
        (roads([line((0, 0), (9, 0))], highway=["footway"]), {}, LayerError, "car"),
    ],
)
def test_unusable_layers_say_why(lines, options, error, word):
    with pytest.raises(error, match=word):
        build(lines, **options)


def test_near_ends_are_joined_only_when_asked():
    lines = roads([line((0, 0), (100, 0)), line((100.4, 0.3), (200, 0)), line((50, 0.3), (50, 90))])
    assert metres(build(lines), (0, 0), (200, 0)) == np.inf
    joined = build(lines, tolerance_m=1.0)
    assert joined.node_count == 5  # the loose end of the third meets the first where it lies
    assert metres(joined, (0, 0), (200, 0)) == pytest.approx(200, abs=0.5)
    assert metres(joined, (0, 0), (50, 90)) == pytest.approx(50 + 89.7, abs=0.5)


@pytest.mark.parametrize("n", [12, 400])
@pytest.mark.parametrize("both", [False, True])
def test_a_line_drawn_against_its_end_nodes_counts_as_drawn(n, both):
    """OSMnx once saved some reversed edges with the geometry of the forward ones (its #847)."""
    rows = [(i, i + 1, line((100 * i, 0), (100 * i + 100, 0))) for i in range(n)]
    rows += [(v, u, drawn.reverse()) for u, v, drawn in rows] if both else []
    wrong = n + 5 if both else 5
    u, v, drawn = rows[wrong]
    rows[wrong] = u, v, drawn.reverse()
    u, v, drawn = zip(*rows, strict=True)
    graph = build(roads(list(drawn), u=u, v=v))
    assert metres(graph, (505, 0), (1005, 0)) == 500
    assert metres(graph, (490, 0), (595, 0)) == 105
    assert graph.told["turned"] == 1
    assert graph.edge_count == n


def test_rows_in_another_order_give_the_same_network():
    lines = roads(
        [line((0, 0), (50, 0), (100, 0)), line((50, 0), (50, 80)), line((50, 80), (100, 0))]
    )
    a, b = build(lines), build(lines.iloc[::-1].reset_index(drop=True))
    assert metres(a, (10, 0), (50, 70)) == metres(b, (10, 0), (50, 70))
    assert (a.node_xy == b.node_xy).all()


def test_an_hour_slows_roads_by_class_but_not_what_was_measured():
    """Half speed from 7 to before 9; a measured time, walkers and other hours stay as they are."""
    lines = roads(
        [line((0, 0), (100, 0)), line((100, 0), (200, 0)), line((200, 0), (300, 0))],
        highway=["primary", "primary_link", "primary"], seconds=[None, "", "36"],
        measured_kmh=[18, None, None], maxspeed=[40, 40, 40],
    )  # fmt: skip
    table = {"road.congestion": {"primary": {"7-9": 0.5, "22-2": 0.8}, "": {"7-9": 0.1}}}
    graph = build_graph(lines)
    assert graph.edge_speed_kmh == pytest.approx([18, 40, 10], abs=0.01)
    assert graph.told["speeds"] == {"maxspeed": 1, "measured_kmh": 1, "seconds": 1}
    for hour, speed in ((7, 20), (8, 20), (9, 40), (6, 40), (22, 32), (23, 32), (1, 32), (2, 40)):
        busy = at_hour(graph, hour, table)
        assert busy.edge_speed_kmh == pytest.approx([18, speed, 10], abs=0.01)
        assert busy.arc_seconds == pytest.approx(busy.edge_seconds[busy.arc_edge])
        assert busy.hour == hour
    assert at_hour(graph, None, table) is graph
    foot = build_graph(lines, profile="foot")
    assert at_hour(foot, 8, table) is foot
    for bad in ({"": {"morning": 0.5}}, {"": {"7-9": 0}}, {"": {"7-9": 1.5}}):
        with pytest.raises(UsageError, match="congestion"):
            at_hour(graph, 8, {"road.congestion": bad})


def test_times_that_cannot_be_are_said_and_not_used():
    lines = roads([line((0, 0), (100, 0)), line((100, 0), (200, 0))], seconds=[1e-5, -3])
    graph = build_graph(lines)
    assert graph.told["speeds"] == {"seconds_unfit": 2}
    assert any("2" in str(note) and "seconds" in str(note) for note in graph.notes)
    assert graph.edge_speed_kmh.tolist() == build_graph(lines[["geometry"]]).edge_speed_kmh.tolist()


def test_route_at_an_hour_takes_longer_and_says_so():
    lines = roads([line((0, 0), (1000, 0))], highway=["primary"])
    ends = points(("a", 0, 0)), points(("b", 1000, 0))
    free, busy = (route(lines, *ends, hour=hour) for hour in (None, 8))
    assert busy["routes"][0]["metres"] == free["routes"][0]["metres"]
    share = busy["routes"][0]["seconds"] / free["routes"][0]["seconds"]
    assert share == pytest.approx(1 / 0.55, abs=1e-4)
    assert any("8" in note for note in busy["notes"])
    assert not free["notes"]


def points(*rows):
    back = Transformer.from_crs(4548, 4326, always_xy=True)
    lon, lat = back.transform([X0 + x for _, x, _ in rows], [Y0 + y for *_, y in rows])
    return pd.DataFrame({"id": [name for name, *_ in rows], "lon": lon, "lat": lat})


def town():
    return roads(
        [line((0, 0), (100, 0), (200, 0)), line((100, 0), (100, 100)), line((200, 0), (100, 100))],
        depth=[0.0, 0.31, np.nan],
    )


def test_route_pairs_nearest_and_matrix():
    homes, refuges = points(("a", 0, 0), ("b", 200, 0)), points(("r", 100, 90), ("s", 150, 0))
    pairs = route(town(), homes, refuges, presets=SPEEDS)["routes"]
    assert [row["metres"] for row in pairs] == [
        pytest.approx(190, abs=0.01),
        pytest.approx(50, abs=0.01),
    ]
    assert pairs[0]["seconds"] == pytest.approx(19.0, abs=0.01)
    nearest = route(town(), homes, refuges, match="nearest", presets=SPEEDS)["routes"]
    assert [(row["from"], row["to"]) for row in nearest] == [("a", "s"), ("b", "s")]
    matrix = route(town(), homes, refuges, match="matrix", presets=SPEEDS)["routes"]
    assert [(row["from"], row["to"]) for row in matrix] == [
        ("a", "r"), ("a", "s"), ("b", "r"), ("b", "s"),
    ]  # fmt: skip
    assert matrix[2]["metres"] == pytest.approx(np.hypot(100, 100) + 10, abs=0.01)


def test_route_closes_deep_roads_strictly_above_the_limit():
    homes, refuges = points(("a", 0, 0)), points(("r", 100, 100))

    def go(above):
        return route(
            town(), homes, refuges, depth_field="depth", close_above=above, presets=SPEEDS
        )["routes"][0]  # fmt: skip

    assert go(0.31)["metres"] == pytest.approx(200, abs=0.01)
    assert go(0.3)["metres"] == pytest.approx(200 + np.hypot(100, 100), abs=0.01)


def test_route_says_no_route_off_network_and_beyond_the_limit():
    homes = points(("a", 0, 0), ("far", 0, 700), ("c", 0, 0))
    refuges = points(("r", 100, 50), ("r", 100, 50), ("x", 500, 0))
    rows = route(town(), homes, refuges, limit=149, snap_limit=200, presets=SPEEDS)["routes"]
    assert [row["reached"] for row in rows] == [False, False, False]
    assert rows[0] == {
        "from": "a", "to": None, "reached": False, "asked_to": "r", "reason": "no_route",
    }  # fmt: skip
    assert rows[1]["reason"] == "off_network"


def test_route_refuses_unequal_pairs_and_contradictions():
    one, two = points(("a", 0, 0)), points(("r", 0, 0), ("s", 0, 0))
    with pytest.raises(UsageError):
        route(town(), one, two, presets=SPEEDS)
    with pytest.raises(UsageError):
        route(town(), one, one, directed=True, undirected=True, presets=SPEEDS)
    with pytest.raises(UsageError):
        route(town(), one, one, close_above=0.3, presets=SPEEDS)
    with pytest.raises(UsageError):
        route(town(), one, one, vehicle="tank", presets=SPEEDS)
    bad = one.assign(lat=[95.0])
    with pytest.raises(LayerError, match="a"):
        route(town(), bad, one, presets=SPEEDS)


@pytest.mark.parametrize("n", [9, 64])
@given(st.randoms(use_true_random=False))
@settings(max_examples=5, deadline=None)
def test_of_roads_equally_near_drawing_order_chooses_none(n, rng):
    """A grid of roads; points amid four of them, and on crossings without a junction."""
    lines = [[(100 * i, 0), (100 * i, 300)] for i in range(4)]
    lines += [[(0, 100 * i), (300, 100 * i)] for i in range(4)]
    spots = [(50 + 100 * (i % 3), 50 + 100 * (i // 3 % 3)) for i in range(9)]
    xy = np.array([*spots, *[(100 * (i % 4), 100 * (i // 4 % 4)) for i in range(55)]][:n], float)
    xy += 4e5 + 1 / 3

    def snapped(drawn):
        moved = [np.asarray(line, float) + 4e5 + 1 / 3 for line in drawn]
        road = gpd.GeoDataFrame(geometry=[LineString(line) for line in moved], crs=4548)
        return snap_points(build_graph(road), xy).xy

    other = [line[::-1] if rng.random() < 0.5 else line for line in lines]
    cut = [half for a, b in other for middle in [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)]
           for half in ([a, middle], [middle, b])]  # fmt: skip
    rng.shuffle(cut)
    np.testing.assert_allclose(snapped(lines), snapped(cut), atol=1e-5)


@pytest.mark.parametrize("limit_m", [np.inf, 30.0])
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_many_points_are_put_on_the_road_that_brute_force_finds(limit_m, share):
    rng = np.random.default_rng(int(10 * share))
    ends = rng.uniform(0, 1000, (80, 2, 2))
    ends[40:, 1] = ends[40:, 0] + rng.uniform(-30, 30, (40, 2))
    ends[:4] = [[[0, y], [2000, y]] for y in (100, 200, 300, 400)]  # along the borders of squares
    graph = build(roads([line(*two) for two in ends]))
    usable = rng.random(graph.edge_count) < share
    xy = np.concatenate([rng.uniform(-300, 1300, (300, 2)), [[-5e4, 7e4], [1100.0, 250.0]]])
    xy += (X0, Y0)
    found = snap_points(graph, xy, limit_m=limit_m, usable=usable)
    far = np.array([[Point(p).distance(g) for g in graph.edge_geometry] for p in xy])
    far[:, ~usable] = np.inf
    right = np.where(far.min(axis=1) <= limit_m, far.min(axis=1), np.inf)
    np.testing.assert_allclose(found.walk_m, right, atol=1e-6)
    on = np.flatnonzero(np.isfinite(right))
    assert (found.on == np.isfinite(right)).all()
    np.testing.assert_allclose(far[on, found.edge[on]], right[on], atol=1e-6)
    few = snap_points(graph, xy[:30], limit_m=limit_m, usable=usable)
    assert (few.edge == found.edge[:30]).all()


def test_points_as_far_from_several_roads_are_put_on_each():
    square = [
        [(0, 0), (100, 0)],
        [(0, 100), (100, 100)],
        [(0, 0), (0, 100)],
        [(100, 0), (100, 100)],
    ]
    graph = build(roads([line(*two) for two in square]))
    xy = np.array([(50.0, 50.0), (50.0, 60.0), (30.0, 30.0), (0.0, 0.0), (50.0, 900.0)])
    xy += (X0, Y0)
    many = np.concatenate([xy, np.tile(xy[1], (40, 1))])
    for asked in (xy, many):
        put, row = snap_tied(graph, asked, limit_m=500.0, as_near_m=1e-5, apart_m=0.1)
        first = snap_points(graph, asked)
        assert (put.edge[: len(asked)] == first.edge).all()
        of = [sorted(map(tuple, (put.xy[row == i] - (X0, Y0)).tolist())) for i in range(4)]
        assert of[0] == [(0, 50), (50, 0), (50, 100), (100, 50)]
        assert of[1] == [(50, 100)]
        assert of[2] == [(0, 30), (30, 0)]
        assert of[3] == [(0, 0)]
        assert (row == 4).sum() == 1
        assert not put.on[4]


@pytest.mark.parametrize(
    ("start", "times", "right"),
    [
        (-50, 0.5, 50 + 1000 + 0.5 * 300 + 50),  # 1150 along the dear edge, 1200 round it
        (-50, 1.0, 50 + 1200 + 50),  # 1300 along it
        (400, 0.5, 600 + 0.5 * 100 + 50),  # sets out within the dear stretch
        (-50, 0.0, 50 + 1000 + 50),
    ],
)
def test_a_dear_stretch_makes_its_own_length_dear_not_the_whole_edge(start, times, right):
    """300 of the 1 000 m of the straight edge cost more; a way of 1 200 m leads round it."""
    ends = [line((-100, 0), (0, 0)), line((1000, 0), (1100, 0))]
    ways = [line((0, 0), (1000, 0)), line((0, 0), (0, 100), (1000, 100), (1000, 0))]
    graph = build_graph(roads([*ends, *ways]))
    edge = np.flatnonzero(np.isclose(graph.edge_length_m, 1000, atol=0.01))
    dear = (edge, np.array([0.5]), np.array([0.2])), times  # taken westwards by the first way
    put = [at(graph, (x, 0)) for x in (start, 1050)]
    cost, (edges, low, high) = find_pieces(graph, graph.edge_length_m, *put, dearer=dear)
    assert cost == pytest.approx(right, abs=0.01)
    metres = (graph.edge_length_m[edges] * np.abs(high - low)).sum()
    assert metres == pytest.approx({1.0: 1300.0}.get(times, 1050.0 - start), abs=0.01)

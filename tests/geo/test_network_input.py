"""Road layers as they come: pieces that do not touch, wrong units, detached points, classes."""

import json
from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, MultiLineString

from riskmap.cli import route_files, show
from riskmap.errors import LayerError
from riskmap.geo.network import build_graph, route, vehicle_seconds
from riskmap.geo.network.tables import main_edges
from riskmap.i18n import language
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.layers.read.osm import read_network, read_roads
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

X0, Y0 = 117.0, 36.0
STEP = 0.001
SIDE = 15


def town():
    """A two-way grid of 15 x 15 junctions, a piece of three streets 60 m off, a way out."""
    xy = [[(X0 + i * STEP, Y0 + j * STEP) for i in range(SIDE)] for j in range(SIDE)]
    lines = [LineString(row) for row in xy] + [
        LineString([row[i] for row in xy]) for i in range(SIDE)
    ]
    west = X0 - 0.0007
    lines.append(LineString([(west, Y0), (west, Y0 + STEP), (west, Y0 + 3 * STEP)]))
    lines.append(LineString([xy[0][-1], (X0 + 0.02, Y0)]))
    oneway = [*["no"] * (2 * SIDE + 1), "yes"]
    return gpd.GeoDataFrame({"oneway": oneway}, geometry=lines, crs=4326)


def points(**where):
    rows = [(name, lon, lat) for name, (lon, lat) in where.items()]
    return pd.DataFrame(rows, columns=["id", "lon", "lat"])


def said(notes, word):
    return [note for note in notes if word in note]


def test_a_point_on_a_detached_piece_is_told_and_put_on_the_main_network():
    a = points(cut_off=(X0 - 0.0007, Y0 + 0.5 * STEP), out=(X0 + 0.018, Y0))
    b = points(in_town=(X0, Y0 + 5 * STEP), back=(X0 + 14 * STEP, Y0))
    with language("en"):
        found = route(town(), a, b)
    first, second = found["routes"]
    assert first["reached"]
    assert first["metres"] == pytest.approx(4.5 * 110.98, rel=1e-3)
    assert first["snap_from_m"] == pytest.approx(0.0007 * 90_164, rel=1e-2)
    assert second["reached"]
    (note,) = said(found["notes"], "cut off from the rest")
    assert "cut_off, out" in note
    (parts,) = said(found["notes"], "2 separate parts")
    assert "3 nodes" not in parts or "islands" in parts


def test_ways_inside_a_piece_stay_and_far_points_stay_without_a_way():
    piece = {"low": (X0 - 0.0007, Y0), "high": (X0 - 0.0007, Y0 + 2 * STEP)}
    inside = route(town(), points(low=piece["low"]), points(high=piece["high"]))["routes"][0]
    assert inside["metres"] == pytest.approx(2 * 110.98, rel=1e-3)
    assert inside["snap_from_m"] == pytest.approx(0, abs=1e-3)
    to_town = points(c=(X0, Y0 + STEP))
    near = route(town(), points(low=piece["low"]), to_town, snap_limit=30)["routes"][0]
    assert (near["reached"], near["reason"]) == (False, "no_route")


def test_water_and_limits_are_no_reason_to_move_a_point():
    lines = town()
    lines["depth"] = 0.0
    lines.loc[[0, SIDE], "depth"] = 1.0
    a, b = points(a=(X0, Y0)), points(b=(X0 + 5 * STEP, Y0 + 5 * STEP))
    wet = route(lines, a, b, depth_field="depth", close_above=0.3)["routes"][0]
    assert not wet["reached"]
    assert not route(lines, a, b, limit=10)["routes"][0]["reached"]
    assert route(lines, a, b)["routes"][0]["snap_from_m"] == pytest.approx(0, abs=1e-3)


def test_small_networks_have_no_detached_pieces():
    lines = gpd.GeoDataFrame(
        geometry=[LineString([(0, 0), (900, 0)]), LineString([(0, 50), (100, 50)])], crs=4548
    )
    assert main_edges(build_graph(lines), 200).all()
    assert main_edges(build_graph(lines), 2).all()
    assert main_edges(build_graph(lines, direction="digitised"), 2).all()


def test_lines_that_do_not_touch_are_said_and_joined_on_request():
    lines = [LineString([(i * 100 + 0.4, 0), (i * 100 + 99.9, 0)]) for i in range(5)]
    layer = gpd.GeoDataFrame(geometry=lines, crs=4548)
    with language("en"):
        (note,) = said([str(n) for n in build_graph(layer).notes], "hardly touch")
    assert "5 separate parts" in note
    assert "--join-ends" in note
    joined = build_graph(layer, presets=load_presets({"network.join_ends_m": 1}))
    assert joined.component.max() == 0
    assert not said([str(n) for n in joined.notes], "separate parts")


@pytest.mark.parametrize(
    ("coordinates", "crs", "word"),
    [
        ([(117.0, 36.0), (117.001, 36.0)], 4548, "EPSG:4326"),
        ([(500_000, 4_000_000), (500_100, 4_000_000)], 4326, "no degrees"),
        ([(117.0, 36.0), (117.001, 36.0)], None, "-a_srs"),
    ],
)
def test_units_that_contradict_the_coordinate_system_are_refused(coordinates, crs, word):
    layer = gpd.GeoDataFrame(geometry=[LineString(coordinates)], crs=crs)
    with pytest.raises(LayerError) as error:
        build_graph(layer)
    with language("en"):
        assert word in str(error.value)


def test_high_clearance_vehicles_pass_where_lorries_do_not():
    layer = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (100, 0)])], crs=4548)
    graph = build_graph(layer)
    depth = np.array([0.55])
    assert np.isinf(vehicle_seconds(graph, vehicle="truck", depth_m=depth)).all()
    assert np.isfinite(vehicle_seconds(graph, vehicle="high_clearance", depth_m=depth)).all()
    deep = np.array([0.6])
    assert np.isinf(vehicle_seconds(graph, vehicle="high_clearance", depth_m=deep)).all()


def test_the_classes_of_a_profile_are_the_projects_to_change():
    lines = [LineString([(0, 0), (100, 0)]), LineString([(100, 0), (200, 0)])]
    layer = gpd.GeoDataFrame({"highway": ["primary", "track"]}, geometry=lines, crs=4548)
    assert build_graph(layer).edge_count == 1
    own = load_presets({"road.classes_car": ["primary", "track"]})
    assert build_graph(layer, presets=own).edge_count == 2
    shut = layer.assign(access=["no", "yes"])
    assert build_graph(shut, profile="emergency").edge_count == 2
    closed = load_presets({"access.passes": {"emergency": []}})
    assert build_graph(shut, profile="emergency", presets=closed).edge_count == 1


def test_three_dimensions_many_parts_and_repeated_lines_are_one_flat_network():
    x, y = 500_000, 4_000_000
    flat = LineString([(x, y), (x + 100, y), (x + 100, y + 100)])
    high = LineString([(x + 100, y + 100, 7), (x + 200, y + 100, 9)])
    parts = MultiLineString(
        [[(x + 200, y + 100), (x + 300, y + 100)], [(x + 300, y + 100), (x + 300, y)]]
    )
    layer = gpd.GeoDataFrame(geometry=[flat, high, parts, flat], crs=4548)
    graph = build_graph(layer)
    assert graph.component.max() == 0
    # 200 of the line that comes twice, once; 100 up high; 100 and 100 of the parts
    assert graph.edge_length_m.sum() == pytest.approx(500, rel=1e-6)
    assert graph.node_count == 5


def test_features_that_are_no_lines_are_counted_and_odd_columns_say_nothing(tmp_path):
    """Two lines of 0.01 degree on the equator (6378137 m x pi/18000 each), a point, an empty one."""
    line = [[117.0, 0.0], [117.01, 0.0]]
    shapes = [
        {"type": "LineString", "coordinates": line},
        {"type": "Point", "coordinates": [117.0, 0.0]},
        None,
        {"type": "LineString", "coordinates": [line[1], [117.02, 0.0]]},
    ]
    features = [
        {"type": "Feature", "properties": {"width": width}, "geometry": shape}
        for width, shape in zip((6, "wide", None, 8), shapes, strict=True)
    ]
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    lines = read_network(file)
    with language("en"):
        found = route(lines, points(a=(117.0, 0.0)), points(b=(117.02, 0.0)))
    assert found["routes"][0]["metres"] == pytest.approx(2 * 1113.195, abs=0.01)
    assert said(found["notes"], "2 road lines without length were left out")


def test_roads_shorter_than_the_distance_within_which_ends_meet():
    with pytest.raises(LayerError, match=r"1e\+09"):
        build_graph(town()[-1:], tolerance_m=1e9)
    dot = gpd.GeoDataFrame(geometry=[LineString([(5e5, 4e6), (5e5, 4e6 + 1e-5)])], crs="EPSG:4548")
    with pytest.raises(LayerError, match=r"0\.001"):
        build_graph(dot)


def test_class_lists_take_the_highest_and_end_nodes_tell_where_lines_meet():
    """As OSMnx saves them: two streets cross at a shared vertex that is no node of theirs."""
    lines = gpd.GeoDataFrame(
        {
            "highway": ["['residential', 'primary']", "tertiary", "tertiary", "residential"],
            "u": [1, 3, 4, 5],
            "v": [2, 4, 3, 2],
            "oneway": [False, True, True, False],
        },
        geometry=[
            LineString([(0, 0), (100, 0), (200, 0)]),
            LineString([(100, -100), (100, 0), (100, 100)]),
            LineString([(100, 100), (100, 0), (100, -100)]),
            LineString([(300, 0), (200, 0)]),
        ],
        crs=4548,
    )
    graph = build_graph(lines, presets=load_presets())
    assert graph.edge_class.tolist() == ["primary", "tertiary", "residential"]
    assert graph.component.max() == 1
    assert (graph.edge_forward & graph.edge_backward).all()
    with language("en"):
        assert said([str(n) for n in graph.notes], "end nodes")
    wrong = lines.assign(u=[1, 1, 1, 1], v=[2, 2, 2, 2])
    assert build_graph(wrong, presets=load_presets()).component.max() == 0


AT = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (3, 0), 5: (1, 1), 6: (2, 1), 7: (1.5, 0)}


def blocks(tmp_path, vehicle, way, node, relation):
    """Length from 1 to 4 in blocks of 0.001 degree: three straight on, five round the middle."""

    def tags(held):
        return "".join(f"<tag k='{key}' v='{escape(value)}'/>" for key, value in held.items())

    street = {"highway": "residential"}
    ways = {1: ([1, 2], street), 2: ([2, 7, 3], street | way), 3: ([3, 4], street),
            4: ([2, 5, 6, 3], street)}  # fmt: skip
    parts = ["<osm version='0.6'>"]
    for key, (x, y) in AT.items():
        held = tags(node if key == 7 else {})
        place = f"lon='{10 + x / 1000:.7f}' lat='{y / 1000:.7f}'"
        parts.append(f"<node id='{key}' version='1' {place}>{held}</node>")
    for key, (nodes, held) in ways.items():
        refs = "".join(f"<nd ref='{one}'/>" for one in nodes)
        parts.append(f"<way id='{key}' version='1'>{refs}{tags(held)}</way>")
    if relation:
        listed = [("way", 1, "from"), ("node", 2, "via"), ("way", 2, "to")]
        listed += [("way", 4, role) for role in relation.get("also", "").split()]
        members = "".join(
            f"<member type='{kind}' ref='{ref}' role='{role}'/>" for kind, ref, role in listed
        )
        held = tags({"type": "restriction", **relation})
        parts.append(f"<relation id='1' version='1'>{members}{held}</relation>")
    (tmp_path / "net.osm").write_text("".join([*parts, "</osm>"]))
    a = pd.DataFrame({"id": ["a"], "lon": [10.0], "lat": [0.0]})
    b = a.assign(lon=10.003)
    row = route(read_roads(tmp_path / "net.osm"), a, b, vehicle=vehicle)["routes"][0]
    return round(row["metres"] / 111.2)


@pytest.mark.parametrize(
    ("vehicle", "way", "node", "relation", "right"),
    [
        ("car", {"oneway": "reversible"}, {}, {}, 5),
        ("car", {"oneway": "alternating"}, {}, {}, 3),
        ("car", {"access": " NO "}, {}, {}, 5),
        ("car", {"motor_vehicle:conditional": "no @ (22:00-06:00)"}, {}, {}, 3),
        ("car", {"highway": "track", "motor_vehicle": "yes"}, {}, {}, 3),
        ("car", {"highway": "construction"}, {}, {}, 5),
        ("car", {"access": "no", "bus": "yes"}, {}, {}, 5),
        ("car", {}, {"barrier": "height_restrictor"}, {}, 3),
        ("fire_engine", {}, {"barrier": "height_restrictor", "maxheight": "2"}, {}, 5),
        ("fire_engine", {}, {"barrier": "height_restrictor"}, {}, 5),
        ("fire_engine", {}, {"barrier": "height_restrictor", "maxheight": "4"}, {}, 3),
        ("truck", {}, {"barrier": "width_restrictor", "maxwidth": "3"}, {}, 3),
        ("fire_engine", {"maxheight": "6′6″"}, {}, {}, 5),
        ("truck", {"maxaxleload": "2"}, {}, {}, 5),
        ("truck", {}, {"maxaxleload": "2 t"}, {}, 5),
        ("car", {"winter_road": "yes"}, {}, {}, 5),
        ("foot", {"seasonal": "winter"}, {}, {}, 5),
        ("fire_engine", {}, {"barrier": "sump_buster"}, {}, 3),
        ("fire_engine", {"maxheight": "11'6\""}, {}, {}, 3),
        ("fire_engine", {"maxheight": "3,2 m"}, {}, {}, 5),
        ("fire_engine", {"maxheight": "default"}, {}, {}, 3),
        ("fire_engine", {"maxweight": "7500 kg"}, {}, {}, 5),
        ("truck", {"motor_vehicle": "no", "hgv": "yes"}, {}, {}, 3),
        ("truck", {"goods": "no"}, {}, {}, 3),
        ("truck", {"maxweightrating:hgv": "7.5"}, {}, {}, 5),
        ("truck", {"maxweight": "20", "maxweight:hgv": "3.5"}, {}, {}, 5),
        ("fire_engine", {"maxweightrating": "7.5"}, {}, {}, 3),
        ("fire_engine", {"maxheight": "4", "maxheight:physical": "2.9"}, {}, {}, 5),
        ("car", {"access": "no", "emergency": "yes"}, {}, {}, 5),
        ("fire_engine", {"access": "no", "emergency": "yes"}, {}, {}, 3),
        ("car", {"motor_vehicle:forward": "no"}, {}, {}, 5),
        ("car", {}, {"barrier": "gate", "access": "no", "foot": "yes"}, {}, 5),
        ("foot", {}, {"barrier": "gate", "access": "no", "foot": "yes"}, {}, 3),
        ("car", {}, {"barrier": "bollard", "access": "no", "motorcar": "yes"}, {}, 3),
        ("foot", {"access": "private", "foot": "permissive"}, {}, {}, 3),
        ("truck", {"hgv": "no", "goods": "yes"}, {}, {}, 5),
        ("truck", {}, {}, {"restriction:hgv": "no_straight_on"}, 5),
        ("car", {}, {}, {"restriction:hgv": "no_straight_on"}, 3),
        ("car", {}, {}, {"restriction": "no_exit"}, 5),
        ("car", {}, {}, {"restriction:conditional": "no_straight_on @ (Mo-Fr)"}, 3),
        ("fire_engine", {}, {}, {"restriction": "no_straight_on", "except": "psv;emergency"}, 3),
        ("foot", {"vehicle": "no"}, {}, {}, 3),
        ("foot", {"highway": "platform"}, {}, {}, 3),
        ("car", {"highway": "platform"}, {}, {}, 5),
        ("foot", {"highway": "trunk", "motorroad": "yes"}, {}, {}, 5),
        ("foot", {}, {}, {"restriction": "no_straight_on"}, 3),
        ("car", {}, {"motor_vehicle": "no"}, {}, 5),
        ("fire_engine", {}, {"motor_vehicle": "no"}, {}, 3),
        ("car", {}, {"highway": "crossing", "access": "no"}, {}, 3),
        ("car", {}, {"access": "private"}, {}, 3),
        ("fire_engine", {}, {"emergency": "fire_hydrant"}, {}, 3),
        ("fire_engine", {}, {"barrier": "bollard", "access": "private"}, {}, 5),
        ("fire_engine", {}, {"barrier": "bollard", "emergency": "yes"}, {}, 3),
        ("car", {}, {"barrier": "width_restrictor"}, {}, 3),
        ("fire_engine", {}, {"maxheight:physical": "2.2"}, {}, 5),
        ("fire_engine", {"highway": "construction", "motor_vehicle": "private"}, {}, {}, 5),
        ("foot", {"highway": "proposed", "foot": "yes"}, {}, {}, 5),
        ("car", {"construction": "yes"}, {}, {}, 5),
        ("car", {"construction": "minor"}, {}, {}, 3),
        ("car", {"access": "share_taxi"}, {}, {}, 5),
        ("fire_engine", {"maxweight": "12 tonnes"}, {}, {}, 5),
        ("car", {}, {}, {"restriction": "no_right_turn_on_red"}, 3),
        ("car", {"highway": "raceway"}, {}, {}, 5),
        ("fire_engine", {}, {"emergency": "no"}, {}, 5),
        ("car", {}, {}, {"restriction": "no_straight_on", "also": "from"}, 3),
        ("car", {}, {}, {"restriction": "no_straight_on", "also": "to"}, 3),
        ("car", {}, {}, {"restriction": "no_entry", "also": "from"}, 5),
    ],
)
def test_what_other_routers_once_got_wrong(tmp_path, vehicle, way, node, relation, right):
    assert blocks(tmp_path, vehicle, way, node, relation) == right


CROSS = """<osm version='0.6'>
<node id='1' version='1' lon='10' lat='0'/><node id='2' version='1' lon='10.001' lat='0'/>
<node id='3' version='1' lon='10.002' lat='0'/><node id='4' version='1' lon='10.001' lat='-0.001'/>
<way id='1' version='1'><nd ref='4'/><nd ref='2'/><tag k='highway' v='residential'/></way>
<way id='2' version='1'><nd ref='1'/><nd ref='2'/><nd ref='3'/>
<tag k='highway' v='residential'/></way><way id='3' version='1' {more}><nd ref='4'/><nd ref='3'/><tag k='highway' v='{kind}'/></way>
<relation id='1' version='1'>{members}<tag k='type' v='restriction'/>
<tag k='restriction' v='no_right_turn'/></relation></osm>"""


FROM, TO = "<member type='way' ref='1' role='from'/>", "<member type='way' ref='2' role='to'/>"
VIA = "<member type='node' ref='2' role='via'/>"


@pytest.mark.parametrize(
    ("kind", "more", "members", "blocks"),
    [
        ("runway", "", "", 2),  # no road, whatever else the extract holds
        ("residential", "action='delete'", "", 2),  # marked so by the editor JOSM
        ("residential", "", "", 2**0.5),
        ("raceway", "", FROM + VIA + TO, 2),  # left or right of it?
        ("raceway", "", FROM + FROM.replace("1", "2") + VIA + TO, 2),  # two beginnings
    ],
)
def test_what_cannot_be_used_is_left_out_and_what_is_unclear_bars_nobody(
    tmp_path, kind, more, members, blocks
):
    path = tmp_path / "net.osm"
    path.write_text(CROSS.format(kind=kind, more=more, members=members))
    a = pd.DataFrame({"id": ["a"], "lon": [10.001], "lat": [-0.001]})
    told = route(read_roads(path), a, a.assign(lon=10.002, lat=0.0))
    assert told["routes"][0]["metres"] == pytest.approx(blocks * 111.0, rel=0.01)
    assert told["graph"]["restrictions"].get("unusable", 0) == (1 if members else 0)
    assert told["graph"]["ways"] == (2 if more else 3)


def test_an_extract_without_roads_has_none_whatever_its_ways_are_called(tmp_path):
    text = CROSS.format(kind="pier", more="", members="").replace("residential", "runway")
    (tmp_path / "net.osm").write_text(text)
    with pytest.raises(LayerError):
        build_graph(read_roads(tmp_path / "net.osm"))


def test_loose_ends_meet_the_line_on_which_they_lie_and_bridges_do_not():
    lines = gpd.GeoDataFrame(
        geometry=[
            LineString([(0, 0), (200, 0)]),
            LineString([(100, 0.4), (100, 90)]),
            LineString([(50, -50), (50, 50)]),
        ],
        crs=4548,
    )
    graph = build_graph(lines, tolerance_m=0.5)
    assert graph.component.max() == 1
    assert graph.edge_count == 4
    assert build_graph(lines, tolerance_m=0.3).edge_count == 3


HERE = {"道路等级": "支路"}
OFFICE_WORDS = [
    # what the straight road of 1 km says, what the way round of 2 km says, vehicle, back, right
    ({"单行": "是"}, {"单行": "否"}, "car", True, 2),
    ({"单行": "逆向"}, {"单行": "双向"}, "car", False, 2),
    ({"通行方向": 3}, {"通行方向": 1}, "car", False, 2),  # navigation maps: 3 against, 1 both
    ({"通行方向": 2}, {"通行方向": 1}, "car", True, 2),
    ({"通行方向": 2}, {"通行方向": 1}, "car", False, 1),
    ({"通行方向": "逆向单行"}, {"通行方向": "双向通行"}, "car", False, 2),
    ({"ONEWAY": "1"}, {"ONEWAY": "0"}, "car", True, 2),
    ({"限高": 2.2}, {"限高": 0}, "fire_engine", False, 2),  # 0 is not measured
    ({"限高": "限高2.2米"}, {"限高": "4.5米以下"}, "truck", False, 2),
    ({"限高": 0}, {"限高": 0}, "fire_engine", False, 1),
    ({"限重（kg）": 2000}, {"限重（kg）": 50000}, "truck", False, 2),
    ({"限宽": "1.8m"}, {"限宽": "无"}, "fire_engine", False, 2),
    ({"限轴重（kg）": 3000}, {"限轴重（kg）": 13000}, "truck", False, 2),
    ({"限轴重": "3吨"}, {"限轴重": "限轴重13吨"}, "fire_engine", False, 2),
    ({"通行状态": "汛期封闭"}, {"通行状态": "正常"}, "car", False, 2),
    ({"通行状态": "封闭（施工）"}, {"通行状态": "已恢复通行"}, "foot", False, 2),
    ({"通行状态": "因塌方临时禁行"}, {"通行状态": "畅通"}, "car", False, 2),
    ({"通行状态": "禁止车辆通行"}, {"通行状态": "正常"}, "foot", False, 1),
    ({"通行状态": "已解除封闭"}, {"通行状态": "正常"}, "car", False, 1),
    ({"通行状态": "非机动车禁行"}, {"通行状态": "正常"}, "car", False, 1),
    ({"通行方向": "单行（东→西）"}, {"通行方向": "双向"}, "car", False, 2),
    ({"建设状态": "在建"}, {"建设状态": "已建"}, "car", False, 2),
    ({"通行限制": "货车禁行"}, {"通行限制": ""}, "truck", False, 2),
    ({"通行限制": "货车禁行"}, {"通行限制": ""}, "car", False, 1),
    ({"通行方向": "由东向西"}, {"通行方向": "双向"}, "car", False, 2),  # drawn to the east
    ({"通行方向": "自西往东单行"}, {"通行方向": "双向"}, "car", True, 2),
    ({"通行方向": "由南向北"}, {"通行方向": "双向"}, "car", True, 1),  # the line runs otherwise
    ({"通行状态": "断路"}, {"通行状态": "正常"}, "foot", False, 2),
    ({"通行状态": "禁止机动车通行"}, {"通行状态": "正常"}, "foot", False, 1),
    ({"通行状态": "禁止机动车通行"}, {"通行状态": "正常"}, "car", False, 2),
    ({"通行状态": "半幅封闭"}, {"通行状态": "正常"}, "car", False, 1),
]


def office_roads(straight, round_):
    ends = (X0, Y0), (X0 + 0.01, Y0)
    far = [(X0, Y0 + 0.00406), (X0 + 0.01, Y0 + 0.00406)]
    return gpd.GeoDataFrame(
        [HERE | straight, HERE | round_],
        geometry=[LineString(ends), LineString([ends[0], *far, ends[1]])],
        crs=4326,
    )


def asked(tmp_path, file, vehicle, *, back=False, weight="metres"):
    for name, lon in (("a", X0), ("b", X0 + 0.01)):
        (tmp_path / f"{name}.csv").write_text(f"id,lon,lat\n{name},{lon},{Y0}\n")
    ends = [tmp_path / "a.csv", tmp_path / "b.csv"][:: -1 if back else 1]
    options = {
        "match": "pairs", "weight": weight, "snap_limit": 500.0, "vehicle": vehicle,
        "depth_field": None, "close_above": None, "cache": False,
    }  # fmt: skip
    return route_files.route(
        file, origins=ends[0], destinations=ends[1], layer=None, limit=None, options=options
    )


@pytest.mark.parametrize(("straight", "round_", "vehicle", "back", "right"), OFFICE_WORDS)
def test_roads_speak_the_words_of_offices(tmp_path, straight, round_, vehicle, back, right):
    file = tmp_path / "net.gpkg"
    office_roads(straight, round_).to_file(file)
    found = asked(tmp_path, file, vehicle, back=back)
    assert found["routes"][0]["metres"] == pytest.approx(902 * right, rel=0.01)
    assert any(next(iter(straight)) in note for note in found["notes"])
    for odd in {"半幅封闭", "由南向北"} & set(straight.values()):
        assert said(found["notes"], odd)


@pytest.mark.parametrize(
    ("why", "limited", "right"),
    [
        ("off_network", True, "--snap-limit"),
        ("no_route", True, "--limit"),
        ("no_route", False, "没有通路"),
    ],
)
def test_the_text_says_why_there_is_no_way_and_whereto(why, limited, right):
    row = {"from": "甲", "to": None, "asked_to": "乙", "reached": False, "reason": why}
    line = show.shown_routes({"routes": [row]}, limited=limited)
    assert "甲 -> 乙" in line
    assert right in line


def test_columns_of_point_tables_that_nobody_reads_are_named(tmp_path):
    (tmp_path / "p.csv").write_text("id,lon,lat,坐标系,道路\na,117,36.6,GCJ-02,幸福路\n")
    listed, notes = route_files._points(tmp_path / "p.csv")
    assert listed.roads == ["幸福路"]
    assert [str(note) for note in notes] == ["p.csv：未采用的列：坐标系"]


def test_columns_that_nobody_reads_are_named_and_cut_tags_are_read(tmp_path):
    roads = office_roads(
        {"motor_vehi": "no", "断头路": "否"}, {"motor_vehi": "yes", "断头路": "否"}
    )
    roads.assign(highway="residential").to_file(tmp_path / "net.shp", encoding="GBK")
    found = asked(tmp_path, tmp_path / "net.shp", "car")
    assert found["routes"][0]["metres"] == pytest.approx(1804, rel=0.01)
    assert said(found["notes"], "断头路")
    assert not said(found["notes"], "highway")


def test_units_in_headings_of_roads_count(tmp_path):
    file = tmp_path / "net.gpkg"
    fast, slow = {"限速(m/s)": 15, "路宽（cm）": 200}, {"限速(m/s)": 2, "路宽（cm）": 700}
    office_roads(fast, slow).to_file(file)
    found = asked(tmp_path, file, "fire_engine", weight="seconds")
    assert found["routes"][0]["seconds"] == pytest.approx(902 / 15, rel=0.01)
    assert found["graph"]["narrow"] == 1


def test_the_faster_road_by_its_design_speed_and_narrow_ones_are_counted(tmp_path):
    file = tmp_path / "net.gpkg"
    office_roads({"设计时速": "20km/h", "路宽": 2.0}, {"设计时速": "80", "路宽": 7}).to_file(file)
    found = asked(tmp_path, file, "fire_engine", weight="seconds")
    assert found["routes"][0]["seconds"] == pytest.approx(1803 * 3.6 / 80, rel=0.01)
    assert found["graph"]["narrow"] == 1


@pytest.mark.filterwarnings("ignore")
def test_headings_cut_after_five_characters_in_gbk(tmp_path):
    """道路通行状态 is twelve bytes in GBK; 道路通行状 is left."""
    file = tmp_path / "net.shp"
    office_roads({"道路通行状态": "封闭"}, {"道路通行状态": "正常"}).to_file(file, encoding="GBK")
    found = asked(tmp_path, file, "car")
    assert found["routes"][0]["metres"] == pytest.approx(1804, rel=0.01)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_shapefiles_whose_heads_are_cut_or_do_not_say_their_encoding(tmp_path, encoding):
    """In UTF-8 通行状态 is twelve bytes and is cut inside a character after ten."""
    file = tmp_path / "net.shp"
    office_roads({"通行状态": "封闭"}, {"通行状态": "正常"}).to_file(file, encoding=encoding)
    if encoding == "GBK":
        file.with_suffix(".cpg").unlink()
        table = bytearray(file.with_suffix(".dbf").read_bytes())
        table[29] = 0
        file.with_suffix(".dbf").write_bytes(table)
    found = asked(tmp_path, file, "car")
    assert found["routes"][0]["metres"] == pytest.approx(1804, rel=0.01)


def test_a_layer_of_a_project_keeps_limits_and_state(tmp_path):
    file = tmp_path / "net.geojson"
    low, free = {"限高": "2.2", "限重（kg）": 50000}, {"限高": "0", "限重（kg）": 0}
    office_roads(low | {"通行状态": "正常"}, free | {"通行状态": ""}).to_file(file)
    spec = LayerSpec(path=file, shown="net")
    layer, _ = read_layer(load_roles()["road"], [spec], crs="EPSG:32650", place=None)
    used = [build_graph(layer.table, profile=one).told["used"] for one in ("car", "emergency")]
    assert used == [2, 1]
    assert layer.table["maxweight"].tolist() == ["50000kg", "0kg"]

"""Extracts as they come: packed, ids in any order, nodes that are missing, and what rules a road."""

import bz2
import gzip

import pandas as pd
import pytest

from riskmap.errors import LayerError
from riskmap.geo.network import build_graph, route
from riskmap.layers.read.osm import read_network, read_roads

LON, LAT = 117.0, 36.6
M = 1 / 89_500  # about a metre in degrees of longitude at 36.6 N


def node(i, x, y=0.0, **tags):
    tagged = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
    return (f'<node id="{i}" version="1" lat="{LAT + y / 111_000:.7f}" lon="{LON + x * M:.7f}">'
            f"{tagged}</node>")  # fmt: skip


def way(i, refs, **tags):
    inner = "".join(f'<nd ref="{r}"/>' for r in refs)
    inner += "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())
    return f'<way id="{i}" version="1">{inner}</way>'


def ban(i, kind, start, via, stop, **tags):
    members = [("way", start, "from"), *[(k, ref, "via") for k, ref in via], ("way", stop, "to")]
    inner = "".join(f'<member type="{t}" ref="{r}" role="{role}"/>' for t, r, role in members)
    tags = {"type": "restriction", "restriction": kind, **tags}
    inner += "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
    return f'<relation id="{i}" version="1">{inner}</relation>'


def extract(*parts):
    return f'<?xml version="1.0"?><osm version="0.6" generator="t">{"".join(parts)}</osm>'.encode()


def put(folder, *parts, name="net.osm"):
    path = folder / name
    path.write_bytes(extract(*parts))
    return path


def go(path, start, stop, **options):
    """Metres and the whole answer between two places given in metres."""
    a, b = (pd.DataFrame({"id": [k], "lon": [LON + x * M], "lat": [LAT + y / 111_000]})
            for k, (x, y) in (("a", start), ("b", stop)))  # fmt: skip
    found = route(read_network(path), a, b, **options)
    return found["routes"][0].get("metres"), found


CROSS = (node(1, -500), node(2, 0), node(3, 500), node(4, 0, 500))
ROADS = (way(11, [1, 2], highway="tertiary"), way(12, [2, 3], highway="tertiary"),
         way(13, [2, 4], highway="tertiary"))  # fmt: skip


@pytest.mark.parametrize("pack", [None, gzip.compress, bz2.compress], ids=["osm", "gz", "bz2"])
@pytest.mark.parametrize("turned", [False, True], ids=["sorted", "unsorted"])
def test_packed_and_unsorted_extracts_are_the_same_roads(tmp_path, pack, turned):
    parts = [*CROSS, *ROADS]
    blob = extract(*(parts[::-1] if turned else parts))
    path = tmp_path / {None: "a.osm", gzip.compress: "a.osm.gz"}.get(pack, "a.osm.bz2")
    path.write_bytes(pack(blob) if pack else blob)
    lines = read_roads(path).sort_values("osm_id")
    assert lines["osm_id"].tolist() == ["11", "12", "13"]
    assert lines["osm_nodes"].tolist() == ["1 2", "2 3", "2 4"]
    assert go(path, (-500, 0), (0, 500))[0] == pytest.approx(1000, rel=0.01)


def test_ids_of_an_editor_are_negative(tmp_path):
    path = put(tmp_path, node(-1, 0), node(-2, 300), node(-3, 900),
               way(-7, [-1, -2], highway="service"), way(-8, [-2, -3], highway="service"))  # fmt: skip
    assert go(path, (0, 0), (900, 0))[0] == pytest.approx(900, rel=0.01)


def test_a_way_is_cut_where_nodes_are_missing_and_it_is_told(tmp_path):
    path = put(tmp_path, node(1, 0), node(2, 100), node(4, 300), node(5, 400),
               way(7, [1, 2, 3, 4, 5], highway="service"), way(8, [3, 9], highway="service"))  # fmt: skip
    lines = read_roads(path)
    assert lines["osm_nodes"].tolist() == ["1 2", "4 5", ""]
    metres, found = go(path, (50, 0), (350, 0))
    assert metres is None
    assert found["graph"]["cut"] == 2
    assert found["graph"]["ways"] == 2
    assert found["graph"]["dropped"] == {"no_line": 1}


def test_equal_places_with_other_nodes_do_not_meet(tmp_path):
    path = put(tmp_path, node(1, -500), node(2, 0), node(3, 0), node(4, 0, 500),
               way(7, [1, 2], highway="service"), way(8, [3, 4], highway="service"))  # fmt: skip
    assert go(path, (-500, 0), (0, 500))[0] is None


def test_a_turn_ban_holds_for_cars_and_not_for_those_it_excepts(tmp_path):
    parts = [*CROSS, *ROADS, node(5, 500, 500), way(14, [3, 5, 4], highway="tertiary")]
    path = put(
        tmp_path, *parts, ban(1, "no_left_turn", 11, [("node", 2)], 13, **{"except": "emergency"})
    )
    assert go(path, (-250, 0), (0, 250))[0] == pytest.approx(2000, rel=0.01)
    assert go(path, (-250, 0), (0, 250), vehicle="fire_engine")[0] == pytest.approx(500, rel=0.01)
    assert go(path, (-250, 0), (0, 250), vehicle="foot")[0] == pytest.approx(500, rel=0.01)


def test_only_straight_on_and_a_ban_over_a_way_between(tmp_path):
    parts = [*CROSS, *ROADS, node(5, 500, 500), way(14, [3, 5, 4], highway="tertiary")]
    only = put(tmp_path, *parts, ban(1, "only_straight_on", 11, [("node", 2)], 12))
    assert go(only, (-250, 0), (0, 250))[0] == pytest.approx(2000, rel=0.01)
    over = put(tmp_path, *parts, ban(1, "no_left_turn", 11, [("way", 12)], 14), name="over.osm")
    metres, found = go(over, (-250, 0), (500, 250))
    assert found["graph"]["restrictions"] == {"applied": 1}
    assert metres == pytest.approx(250 + 500 + 500 + 250, rel=0.01)
    assert go(over, (250, 0), (500, 250))[0] == pytest.approx(500, rel=0.01)


def test_a_ban_at_certain_times_is_counted_and_does_not_hold(tmp_path):
    bans = ('<relation id="1" version="1"><member type="way" ref="11" role="from"/>'
            '<member type="node" ref="2" role="via"/><member type="way" ref="13" role="to"/>'
            '<tag k="type" v="restriction"/>'
            '<tag k="restriction:conditional" v="no_left_turn @ (07:00-09:00)"/></relation>')  # fmt: skip
    metres, found = go(put(tmp_path, *CROSS, *ROADS, bans), (-250, 0), (0, 250))
    assert metres == pytest.approx(500, rel=0.01)
    assert found["graph"]["restrictions"] == {"conditional": 1}


@pytest.mark.parametrize(
    ("tags", "car", "engine", "foot"),
    [
        ({"barrier": "bollard"}, False, False, True),
        ({"barrier": "bollard", "bollard": "removable"}, False, True, True),
        ({"barrier": "gate"}, True, True, True),
        ({"barrier": "gate", "access": "private"}, False, True, False),
        ({"barrier": "gate", "locked": "yes"}, False, True, False),
        ({"barrier": "lift_gate", "motor_vehicle": "private"}, False, True, True),
        ({"barrier": "block"}, False, False, True),
        ({"barrier": "chain"}, False, True, True),
        ({"barrier": "height_restrictor", "maxheight": "2.2"}, True, False, True),
        ({"barrier": "kerb"}, True, True, True),
    ],
)
def test_barriers_let_through_whom_they_let_through(tmp_path, tags, car, engine, foot):
    path = put(tmp_path, node(1, 0), node(2, 300, **tags), node(3, 600),
               way(7, [1, 2, 3], highway="service"))  # fmt: skip
    for vehicle, passes in (("car", car), ("fire_engine", engine), ("foot", foot)):
        assert (go(path, (100, 0), (500, 0), vehicle=vehicle)[0] is not None) == passes, vehicle


def test_a_road_for_residents_is_no_way_through_and_leads_to_what_lies_behind(tmp_path):
    ring = [node(1, 0), node(2, 1000), node(3, 0, 600), node(4, 1000, 600), node(5, 500, -200)]
    roads = [way(7, [1, 2], highway="residential", access="destination"),
             way(8, [1, 3, 4, 2], highway="tertiary"),
             way(9, [2, 5], highway="service", motor_vehicle="destination"),
             way(10, [5, 6], highway="service")]  # fmt: skip
    path = put(tmp_path, *ring, node(6, 500, -400), *roads)
    assert go(path, (0, 300), (1000, 300))[0] == pytest.approx(1600, rel=0.01)
    assert go(path, (0, 300), (500, 0))[0] == pytest.approx(800, rel=0.01)
    assert go(path, (0, 300), (500, -300))[0] is not None


def test_ferries_carry_whom_they_say_and_take_their_time(tmp_path):
    def crossing(**tags):
        return put(tmp_path, node(1, 0), node(2, 300), node(3, 1300), node(4, 1600),
                   way(7, [1, 2], highway="service"), way(8, [2, 3], route="ferry", **tags),
                   way(9, [3, 4], highway="service"))  # fmt: skip

    metres, found = go(crossing(motor_vehicle="yes", duration="00:20"), (0, 0), (1600, 0))
    assert metres == pytest.approx(1600, rel=0.01)
    assert found["routes"][0]["seconds"] == pytest.approx(1200 + 600 / (15 / 3.6), rel=0.01)
    assert found["graph"]["ferries"] == {"ways": 1, "used": 1}
    assert go(crossing(foot="yes"), (0, 0), (1600, 0))[0] is None
    assert go(crossing(foot="yes"), (0, 0), (1600, 0), vehicle="foot")[0] is not None
    assert go(crossing(), (0, 0), (1600, 0))[0] is not None
    shut, found = go(crossing(motor_vehicle="no"), (0, 0), (1600, 0))
    assert (shut, found["graph"]["dropped"]) == (None, {"ferry": 1})


def test_roads_through_water_are_counted_and_count_as_dry(tmp_path):
    path = put(tmp_path, node(1, 0), node(2, 500), node(3, 1000), node(4, 1500),
               way(7, [1, 2], highway="service"), way(8, [2, 3], highway="service", ford="yes"),
               way(9, [3, 4], highway="service", ford="no", flood_prone="yes"))  # fmt: skip
    metres, found = go(path, (0, 0), (1500, 0))
    assert metres == pytest.approx(1500, rel=0.01)
    assert found["graph"]["fords"] == 2
    assert any("过水路面" in note for note in found["notes"])


def test_a_ford_may_be_a_node_of_the_road(tmp_path):
    path = put(tmp_path, node(1, 0), node(2, 500, ford="yes"), node(3, 1000),
               node(4, 1500, ford="no"), node(5, 2000), node(6, 2500, ford="stepping_stones"),
               way(7, [1, 2, 3], highway="service"), way(8, [3, 4], highway="service"),
               way(9, [4, 5], highway="service", ford="yes"), way(10, [5, 6], highway="service"))  # fmt: skip
    metres, found = go(path, (0, 0), (2500, 0))
    assert metres == pytest.approx(2500, rel=0.01)
    assert found["graph"]["fords"] == 3


def test_points_keep_off_tunnels_and_motorways_while_another_road_is_near(tmp_path):
    path = put(tmp_path, node(1, 0, 5), node(2, 1000, 5), node(3, 0, 60), node(4, 1000, 60),
               node(5, 0, 700), node(6, 1000, 700),
               way(7, [1, 2], highway="primary", tunnel="yes", name="湖底隧道"),
               way(8, [3, 4], highway="residential", name="湖滨路"), way(9, [1, 3], highway="service"),
               way(10, [5, 6], highway="motorway", oneway="no"), way(11, [3, 5], highway="motorway_link"))  # fmt: skip
    first = go(path, (500, 0), (100, 0))[1]["routes"][0]
    assert (first["from_road"]["name"], first["from_road"]["by"]) == ("湖滨路", "nearest")
    assert first["snap_from_m"] == pytest.approx(60, rel=0.02)
    far = go(path, (500, 720), (100, 0))[1]["routes"][0]
    assert (far["from_road"]["class"], far["from_road"]["by"]) == ("motorway", "nothing_else_near")
    a = pd.DataFrame({"id": ["a"], "lon": [LON + 500 * M], "lat": [LAT], "road": ["湖底隧道"]})
    b = pd.DataFrame({"id": ["b"], "lon": [LON + 100 * M], "lat": [LAT]})
    named = route(read_network(path), a, b)["routes"][0]
    assert (named["from_road"]["way"], named["from_road"]["by"]) == (7, "name")


def test_a_damaged_extract_says_so(tmp_path):
    path = tmp_path / "broken.osm.pbf"
    path.write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + b"\x18\xff" * 20)
    with pytest.raises(LayerError):
        read_roads(path)
    with pytest.raises(LayerError):
        read_roads(put(tmp_path, node(1, 0)))


def test_every_dropped_way_is_counted_with_its_reason(tmp_path):
    path = put(tmp_path, node(1, 0), node(2, 300), *(
        way(10 + i, [1, 2], **tags) for i, tags in enumerate((
            {"highway": "tertiary"}, {"highway": "footway"}, {"highway": "service", "access": "no"},
            {"highway": "service", "maxheight": "1.5"}, {"highway": "service", "service": "emergency_access"},
        ))
    ))  # fmt: skip
    told = build_graph(read_network(path)).told
    assert (told["ways"], told["used"]) == (5, 1)
    assert told["dropped"] == {"access": 1, "class": 1, "height": 1, "tags": 1}


def test_an_export_with_geometry_in_the_ways_and_a_restriction_from_nowhere(tmp_path):
    drawn = "".join(
        f'<nd ref="{i}" lat="{LAT}" lon="{LON + x * M:.7f}"/>' for i, x in ((1, 0), (2, 900))
    )
    path = put(tmp_path, f'<way id="7">{drawn}<tag k="highway" v="service"/></way>',
               ban(1, "no_left_turn", 99, [("node", 2)], 7))  # fmt: skip
    metres, found = go(path, (0, 0), (900, 0))
    assert metres == pytest.approx(900, rel=0.01)
    assert found["graph"]["restrictions"] == {"incomplete": 1}

"""Ways by every rule of OpenStreetMap, against a second reading of the same extract."""

from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from riskmap.geo.network import build_graph, wet_roads
from riskmap.geo.network.graph import Snapped
from riskmap.geo.network.route import VEHICLES
from riskmap.geo.network.tables import cost_table, k_nearest, shortest_paths
from riskmap.geo.network.travel import nearest_seconds, reached_stretches
from riskmap.layers.read.osm import read_roads
from tests.osm_truth import Truth

DATA = Path(__file__).parents[1] / "data"
VADUZ = DATA / "roads_vaduz" / "vaduz.osm.pbf"
MOSCOW = DATA / "roads_moscow" / "moscow.osm.pbf"
WAY_TAGS = (
    {"access": "private"}, {"access": "no"}, {"access": "destination"}, {"motor_vehicle": "no"},
    {"motor_vehicle": "destination"}, {"access": "no", "motor_vehicle": "yes"},
    {"motor_vehicle": "agricultural;delivery"}, {"oneway": "yes"}, {"oneway": "-1"},
    {"oneway": "yes", "oneway:emergency": "no"}, {"maxheight": "2.5"}, {"maxweight": "3.5"},
    {"vehicle:backward": "no"}, {"emergency": "no"}, {"foot": "use_sidepath"}, {"motorcar": "yes"},
    {"access": "customers", "motorcar": "yes"}, {"foot": "no"}, {"access": "no", "foot": "yes"},
    {"highway": "construction", "motor_vehicle": "private"}, {"access": "share_taxi"},
)  # fmt: skip
NODE_TAGS = (
    {"barrier": "bollard"}, {"barrier": "gate"}, {"barrier": "gate", "access": "private"},
    {"barrier": "bollard", "bollard": "removable"}, {"barrier": "lift_gate", "motor_vehicle": "no"},
    {"barrier": "block"}, {"barrier": "bollard", "motor_vehicle": "yes"},
    {"barrier": "height_restrictor", "maxheight": "2.1"}, {"barrier": "fence"},
    {"access": "no"}, {"access": "private"}, {"barrier": "bollard", "access": "private"}, {"barrier": "width_restrictor"},
)  # fmt: skip


def strewn(path, seed):
    """Vaduz with tags, barriers and turn restrictions strewn over it."""
    rng = np.random.default_rng(seed)
    nodes = {
        n.id: (n.location.lon, n.location.lat, dict(n.tags))
        for n in osmium.FileProcessor(str(VADUZ), osmium.osm.NODE)
    }
    ways = [
        (w.id, dict(w.tags), [n.ref for n in w.nodes])
        for w in osmium.FileProcessor(str(VADUZ), osmium.osm.WAY)
    ]
    for i in rng.choice(len(ways), len(ways) // 4, replace=False):
        ways[i][1].update(WAY_TAGS[rng.integers(len(WAY_TAGS))])
    for n in rng.choice(np.array(sorted(nodes)), len(nodes) // 100, replace=False).tolist():
        nodes[n][2].update(NODE_TAGS[rng.integers(len(NODE_TAGS))])
    with osmium.SimpleWriter(str(path)) as out:
        for n in sorted(nodes):
            lon, lat, tags = nodes[n]
            out.add_node(osmium.osm.mutable.Node(id=n, location=(lon, lat), tags=tags))
        for way, tags, refs in ways:
            out.add_way(osmium.osm.mutable.Way(id=way, tags=tags, nodes=refs))
        for i, (kind, members, more) in enumerate(restrictions(ways, rng)):
            tags = {"type": "restriction", "restriction": kind, **more}
            out.add_relation(osmium.osm.mutable.Relation(id=i + 1, tags=tags, members=members))
    return path


def restrictions(ways, rng):
    """Restrictions where ways end: over a node, and over a short way between."""
    at = {}
    for way, tags, refs in ways:
        if tags.get("highway") not in ("steps", "footway", "path"):
            at.setdefault(refs[0], []).append((way, refs))
            at.setdefault(refs[-1], []).append((way, refs))
    kinds = ("no_left_turn", "only_straight_on", "no_straight_on", "only_right_turn",
             "no_right_turn_on_red")  # fmt: skip
    for node in sorted(at):
        if len({way for way, _ in at[node]}) < 3 or rng.uniform() < 0.5:
            continue
        (a, _), (b, refs) = (at[node][i] for i in rng.permutation(len(at[node]))[:2])
        more = {"except": "emergency"} if rng.uniform() < 0.2 else {}
        if len({a, b}) == 2:
            yield (
                kinds[rng.integers(5)],
                [("w", a, "from"), ("n", node, "via"), ("w", b, "to")],
                more,
            )
        far = refs[-1] if refs[0] == node else refs[0]
        last = [way for way, _ in at.get(far, []) if way not in (a, b)]
        if last and len({a, b}) == 2 and rng.uniform() < 0.6:
            yield "no_u_turn", [("w", a, "from"), ("w", b, "via"), ("w", last[0], "to")], more


def chosen_places(truth, rng, count):
    """Places inside segments, away from what points are kept off."""
    keys = sorted({s[2] for s in truth.segments})
    picked = [keys[i] for i in rng.choice(len(keys), count)]
    return [
        (key, float(share)) for key, share in zip(picked, rng.uniform(0.2, 0.8, count), strict=True)
    ]


def on_graph(graph, lines, truth, places):
    """The same places on the product's graph, through nothing but way id and coordinates."""
    import shapely
    from pyproj import Transformer

    to = Transformer.from_crs(4326, graph.crs, always_xy=True)
    edge, along = [], []
    for key, share in places:
        refs = truth.way_of[key[0]][0]
        (x, y), (u, v) = (truth.place[refs[key[1] + i]] for i in (0, 1))
        spot = shapely.Point(*to.transform(x + share * (u - x), y + share * (v - y)))
        mine = np.flatnonzero(graph.edge_way == key[0])
        best = mine[np.argmin(shapely.distance(graph.edge_geometry[mine], spot))]
        line = graph.edge_geometry[best]
        assert line.distance(spot) < 0.05
        edge.append(best)
        along.append(line.project(spot, normalized=True))
    count = len(places)
    return Snapped(np.array(edge), np.array(along), np.zeros(count), np.zeros((count, 2)))


def compared(path, vehicle, seed, count):
    rng = np.random.default_rng(seed)
    truth = Truth(path, vehicle)
    profile, speeds = VEHICLES[vehicle]
    lines = read_roads(path)
    graph = build_graph(lines, profile=profile, speeds=speeds, vehicle=vehicle)
    places = chosen_places(truth, rng, 2 * count)
    at = on_graph(graph, lines, truth, places)
    a, b = at.take(np.arange(count)), at.take(np.arange(count, 2 * count))
    right = [truth.search(places[i], places[count + i]) for i in range(count)]
    right = np.array([np.inf if one is None else one for one in right])
    return graph, a, b, right


@pytest.mark.parametrize(("vehicle", "held"), [("car", 28), ("fire_engine", 28), ("foot", 0)])
def test_ways_of_a_real_place_with_real_restrictions(vehicle, held):
    graph, a, b, right = compared(MOSCOW, vehicle, 7, 60)
    assert graph.told["restrictions"].get("applied", 0) == held
    assert np.isfinite(right).sum() > 40
    table = cost_table(graph, a, b, weight="metres")
    mine = np.full((60, 60), np.inf)
    mine[table.facility, table.point] = table.cost
    np.testing.assert_allclose(np.diag(mine), right, atol=0.05, rtol=1e-4)


@pytest.mark.parametrize("vehicle", ["car", "fire_engine", "foot"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_engine_finds_what_a_second_reading_finds(tmp_path, vehicle, seed):
    path = strewn(tmp_path / "strewn.osm.pbf", seed)
    graph, a, b, right = compared(path, vehicle, seed, 60)
    assert np.isfinite(right).sum() > 20
    table = cost_table(graph, a, b, weight="metres")
    mine = np.full((60, 60), np.inf)
    mine[table.facility, table.point] = table.cost
    np.testing.assert_allclose(np.diag(mine), right, atol=0.05, rtol=1e-4)
    for way in ("from_facility", "to_facility"):
        least, limit = a.take(np.arange(8)), float(np.nanmedian(right[np.isfinite(right)]))
        one, other = (
            cost_table(graph, least, b.take(np.arange(8)), weight="metres", way=way, few=few,
                       edge_other=graph.edge_seconds, limit=limit)
            for few in (False, True)
        )  # fmt: skip
        assert one.facility.tolist() == other.facility.tolist()
        assert one.point.tolist() == other.point.tolist()
        np.testing.assert_allclose(other.cost, one.cost, atol=1e-6)
        np.testing.assert_allclose(other.other, one.other, rtol=1e-3)
    back = cost_table(graph, b, a, weight="metres", way="to_facility")
    turned = np.full((60, 60), np.inf)
    turned[back.point, back.facility] = back.cost
    np.testing.assert_allclose(turned, mine, atol=1e-6)
    near = nearest_seconds(graph, a, b, weight="metres")
    np.testing.assert_allclose(near.cost, mine.min(axis=0), atol=1e-6)
    cost, _ = k_nearest(graph, a, b, k=3, weight="metres")
    np.testing.assert_allclose(cost, np.sort(mine, axis=0)[:3].T, atol=1e-6)
    for path_, metres in zip(shortest_paths(graph, a, b, weight="metres"), right, strict=True):
        assert path_.metres == pytest.approx(metres, abs=0.05, rel=1e-4)
        assert not path_.reached or path_.geometry.length == pytest.approx(metres, abs=5, rel=5e-3)


def test_roads_cut_at_water_keep_their_turns(tmp_path):
    path = strewn(tmp_path / "strewn.osm.pbf", 4)
    graph = build_graph(read_roads(path))
    rng = np.random.default_rng(4)
    edge = rng.choice(graph.edge_count, 80)
    at = Snapped(edge, rng.uniform(0.1, 0.9, 80), np.zeros(80), np.zeros((80, 2)))
    spots = shapely.line_interpolate_point(graph.edge_geometry[edge[::4]], 0.37, normalized=True)
    cut = wet_roads(graph, closures=list(shapely.buffer(spots, 8)))
    assert graph.turns
    assert cut.graph.edge_count > graph.edge_count + 10
    tables = [
        cost_table(one, places, places, edge_cost=one.edge_length_m)
        for one, places in ((graph, at), (cut.graph, cut.moved(at)))
    ]
    dense = np.full((2, 80, 80), np.inf)
    for i, table in enumerate(tables):
        dense[i, table.facility, table.point] = table.cost
    np.testing.assert_allclose(dense[1], dense[0], atol=1e-3)
    whole = nearest_seconds(graph, at.take(np.arange(3)), at)
    parts = nearest_seconds(cut.graph, cut.moved(at.take(np.arange(3))), cut.moved(at))
    np.testing.assert_allclose(parts.cost, whole.cost, atol=1e-3)


def test_service_areas_reach_what_the_nearest_search_reaches(tmp_path):
    graph = build_graph(read_roads(strewn(tmp_path / "strewn.osm.pbf", 5)))
    rng = np.random.default_rng(5)
    places = [
        Snapped(rng.choice(graph.edge_count, n), rng.uniform(0.05, 0.95, n), np.zeros(n),
                np.zeros((n, 2)))
        for n in (3, 300)
    ]  # fmt: skip
    for way in ("from_facility", "to_facility"):
        near = nearest_seconds(graph, *places, way=way)
        limit = float(np.median(near.cost[np.isfinite(near.cost)]))
        found = reached_stretches(graph, places[0], limit=limit, way=way)
        inside = np.array([
            ((found.edge == e) & (found.low <= s + 1e-9) & (found.high >= s - 1e-9)).any()
            for e, s in zip(places[1].edge, places[1].along, strict=True)
        ])  # fmt: skip
        clear = np.abs(near.cost - limit) > 0.5
        assert (inside == (near.cost <= limit))[clear].all()

"""A second reading of OpenStreetMap's rules: segments between neighbouring nodes, no table.

Nothing of the product is used here. A state is a directed segment (between two neighbouring nodes
of a way) with what the way so far forbids; ways are sought among states by a search of its own
(A*, whose bound is the straight line), the parts of the network by networkx.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from itertools import pairwise

import networkx as nx
import osmium
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
MAIN = ["motorway", "trunk", "primary", "secondary", "tertiary"]
CAR = {*MAIN, *(f"{name}_link" for name in MAIN), "unclassified", "residential", "living_street",
       "service", "road"}  # fmt: skip
CLASSES = {
    "car": CAR,
    "fire_engine": CAR | {"track", "busway"},
    "foot": (CAR - {"motorway", "motorway_link"})
    | {
        "track",
        "footway",
        "path",
        "pedestrian",
        "steps",
        "cycleway",
        "bridleway",
        "corridor",
        "platform",
    },
}
OPEN = {"yes", "designated", "permissive", "official", "public", "discouraged"}
END = {"destination", "delivery", "customers"}
SHUT = {"no", "private", "agricultural", "forestry", "military", "permit", "residents",
        "residential", "tenants", "employees", "emergency", "psv", "bus", "taxi", "bicycle", "foot",
        "restricted", "use_sidepath", "none", "share_taxi", "minibus", "coach", "tourist_bus",
        "school_bus", "emergency_vehicle", "motorcycle", "moped", "horse"}  # fmt: skip
NOT_A_KEY = {"no", "none", "use_sidepath", "bicycle", "foot", "motorcycle", "moped", "horse"}
NOT_THERE = ("construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished",
             "no", "via_ferrata")  # fmt: skip
SIZE = {"car": (1.8, 1.9, 2.0), "fire_engine": (3.5, 2.5, 18.0), "foot": None}


def value(said, vehicle):
    """open, ends, shut or None."""
    words = [w.strip() for w in (said or "").lower().split(";")]
    if vehicle == "fire_engine":
        if any(w in (OPEN | END | SHUT | {"hov"}) - NOT_A_KEY for w in words):
            return "open"
        return "shut" if any(w in ("no", "none", "use_sidepath") for w in words) else None
    if vehicle == "foot":
        if any(w in OPEN | END | {"dismount"} for w in words):
            return "open"
        return "shut" if any(w in SHUT - {"bicycle", "foot"} for w in words) else None
    if any(w in OPEN | {"hov"} for w in words):
        return "open"
    if any(w in END for w in words):
        return "ends"
    return "shut" if any(w in SHUT for w in words) else None


KEYS = {
    "car": ["access", "vehicle", "motor_vehicle", "motorcar"],
    "fire_engine": ["access", "vehicle", "motor_vehicle", "emergency"],
    "foot": ["access", "foot"],
}


def number(said, kind):
    said = (said or "").lower().strip()
    if kind < 2 and (f := re.match(r"(\d+(?:\.\d+)?)'(?:(\d+(?:\.\d+)?)\")?$", said)):
        return float(f[1]) * 0.3048 + float(f[2] or 0) * 0.0254
    f = re.match(r"(\d+(?:[.,]\d+)?)\s*([a-z]*)$", said)
    scale = {"": 1, "m": 1, "t": 1, "kg": 0.001, "ft": 0.3048, "cm": 0.01}
    return float(f[1].replace(",", ".")) * scale[f[2]] if f and f[2] in scale else None


def too_big(tags, vehicle):
    if SIZE[vehicle] is None:
        return False
    for kind, key in enumerate(("maxheight", "maxwidth", "maxweight")):
        limit = number(tags.get(key), kind)
        if limit is not None and limit < SIZE[vehicle][kind]:
            return True
    return False


def verdict(tags, vehicle, way):
    """open, ends or shut for one direction of a way, one-way rules aside."""
    kind = tags.get("highway")
    mine = kind in CLASSES[vehicle]
    special = KEYS[vehicle][1:]
    said = asked = None
    for key in KEYS[vehicle]:
        for name in (key, f"{key}:{way}"):
            v = value(tags.get(name), vehicle)
            if v is None:
                continue
            if key in special:
                asked = v
            if vehicle == "fire_engine" and v == "shut" and key != "emergency":
                v = "open"
            said = v
    asked = None if asked == "shut" else asked
    if kind in NOT_THERE:
        return "shut"
    if vehicle != "foot" and kind in ("steps", "corridor", "elevator", "ladder"):
        return "shut"
    if kind is None and (vehicle == "foot" or not (tags.get("foot") or tags.get("bicycle"))):
        mine = True  # a ferry
    found = (said or "open") if mine else (asked or "shut")
    barred = tags.get("impassable") == "yes" or tags.get("smoothness") == "impassable"
    barred |= "yes" in (tags.get("area"), tags.get("abandoned"), tags.get("disused"))
    barred &= vehicle != "foot"
    barred |= tags.get("construction") == "yes"
    barred |= vehicle == "car" and tags.get("service") == "emergency_access"
    barred |= vehicle == "foot" and (
        tags.get("motorroad") == "yes"
        or "use_sidepath" in (tags.get("sidewalk"), tags.get("sidewalk:both"))
    )
    return "shut" if barred and asked is None else found


def directions(tags, vehicle):
    chain = {
        "car": ["oneway", "oneway:vehicle", "oneway:motor_vehicle", "oneway:motorcar"],
        "fire_engine": ["oneway", "oneway:vehicle", "oneway:motor_vehicle", "oneway:emergency"],
        "foot": ["oneway:foot"],
    }[vehicle]
    ahead, back = True, True
    if vehicle != "foot" and (
        tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"
    ):
        back = False
    for key in chain:
        v = tags.get(key, "").lower()
        if v in ("yes", "true", "1"):
            ahead, back = True, False
        elif v in ("-1", "reverse"):
            ahead, back = False, True
        elif v in ("no", "false", "0", "alternating"):
            ahead, back = True, True
        elif v == "reversible":
            ahead, back = False, False
    return ahead, back


PASS = {"no", "gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "bump_gate",
        "toll_booth", "border_control", "cattle_grid", "sally_port", "entrance", "arch",
        "height_restrictor", "kerb", "checkpoint", "weigh_station", "coupure"}  # fmt: skip


def stands(tags, vehicle):
    """Whether a barrier stops a vehicle when nothing is said of who may pass."""
    kind = tags["barrier"]
    if vehicle == "foot":
        walls = ("wall", "fence", "hedge", "guard_rail", "retaining_wall", "city_wall", "ditch")
        return tags.get("locked") == "yes" or kind in walls
    if vehicle == "fire_engine":
        falls = ("rising", "removable", "foldable", "lowerable", "flexible")
        if kind == "bollard" and tags.get("bollard") in falls:
            return False
        more = {"sliding_beam", "chain", "rope", "bus_trap", "traffic_island"}
        return kind not in PASS | more
    return tags.get("locked") == "yes" or kind not in PASS | {"width_restrictor"}


def barred(tags, vehicle):
    if too_big(tags, vehicle):
        return True
    there = bool(tags.get("barrier"))
    if not there and (
        tags.get("highway") in ("crossing", "bus_stop", "street_lamp")
        or tags.get("railway") == "crossing"
        or tags.get("access")
        in ("private", "permit", "residents", "residential", "tenants", "employees")
        or "private" in (tags.get("vehicle"), tags.get("motor_vehicle"), tags.get("foot"))
    ):
        return False
    stops = there and stands(tags, vehicle)
    said = None
    for key in KEYS[vehicle]:
        v = value(tags.get(key), vehicle)
        if vehicle == "fire_engine" and key != "emergency":
            closed = v == "shut" or (stops and value(tags.get(key), "car") == "shut")
            said = None if closed else v or said
        else:
            said = v or said
    return stops if said is None else said == "shut"


class _Reader(osmium.SimpleHandler):
    def __init__(self):
        super().__init__()
        self.nodes, self.tags, self.ways, self.bans = {}, {}, [], []

    def node(self, n):
        if n.location.valid():
            self.nodes[n.id] = (n.location.lon, n.location.lat)
        if len(n.tags):
            self.tags[n.id] = dict(n.tags)

    def way(self, w):
        if "highway" in w.tags or w.tags.get("route") in ("ferry", "shuttle_train"):
            self.ways.append((w.id, dict(w.tags), [n.ref for n in w.nodes]))

    def relation(self, r):
        if r.tags.get("type") == "restriction":
            self.bans.append((dict(r.tags), [(m.role, m.type, m.ref) for m in r.members]))


class Truth:
    """The network of one vehicle."""

    def __init__(self, path, vehicle):
        read = _Reader()
        read.apply_file(str(path))
        self.place, self.vehicle = read.nodes, vehicle
        self.segments = []  # from, to, (way, place), not for through traffic, metres
        used = []
        for way, tags, refs in read.ways:
            if too_big(tags, vehicle):
                continue
            one = directions(tags, vehicle)
            said = [verdict(tags, vehicle, name) for name in ("forward", "backward")]
            go = [a and v != "shut" for a, v in zip(one, said, strict=True)]
            if any(go):
                used.append((way, refs, go, "ends" in said, tags))
        for way, refs, go, ends, _ in used:
            for place, (a, b) in enumerate(pairwise(refs)):
                if a in self.place and b in self.place and a != b:
                    metres = GEOD.inv(*self.place[a], *self.place[b])[2]
                    key = (way, place)
                    if go[0]:
                        self.segments.append((a, b, key, ends, metres))
                    if go[1]:
                        self.segments.append((b, a, key, ends, metres))
        self.wall = {n for n, t in read.tags.items() if barred(t, vehicle)}
        self.way_of = {way: (refs, tags) for way, refs, _, _, tags in used}
        self._zones()
        self._turns(read.bans)
        self._graph()

    def _node(self, n, key, end):
        """Past a barrier nothing goes: each segment has an end of its own there."""
        return (n, key, end) if n in self.wall else n

    def _zones(self):
        net = nx.DiGraph()
        for i, (a, b, key, ends, _) in enumerate(self.segments):
            if not ends:
                net.add_edge(self._node(a, key, a), self._node(b, key, b), i=i)
        if any(s[3] for s in self.segments) and len(net):
            meet = {n for n, d in _junctions(self.segments).items() if d}
            parts = list(nx.strongly_connected_components(net))
            main = max(parts, key=lambda p: sum(n in meet or isinstance(n, tuple) for n in p))
        elif any(s[3] for s in self.segments):
            main = set()
        else:
            main = None
        self.inside = [
            main is not None
            and (s[3] or self._node(s[0], s[2], s[0]) not in main
                 or self._node(s[1], s[2], s[1]) not in main)
            for s in self.segments
        ]  # fmt: skip

    def _turns(self, bans):
        self.no, self.only, self.paths = defaultdict(set), defaultdict(list), []
        self.met = Counter((s[2][0], s[end], end) for s in self.segments for end in (0, 1))
        for tags, members in bans:
            kind = self._kind(tags)
            starts, stops, ways = (
                [ref for role, t, ref in members if role == name and t == "w"]
                for name in ("from", "to", "via")
            )
            nodes = [ref for role, t, ref in members if role == "via" and t == "n"]
            one = (len(starts) == 1 or kind == "no_entry") and (
                len(stops) == 1 or kind == "no_exit"
            )
            if kind is None or not one:
                continue
            for start in starts:
                if len(nodes) == 1 and not ways:
                    self._at(kind, start, nodes[0], stops)
                elif ways and not nodes:
                    self._over(kind, start, ways, stops)

    def _kind(self, tags):
        """What a restriction says for the vehicle at all times; None for nothing."""
        modes = {"car": ["vehicle", "motor_vehicle", "motorcar"],
                 "fire_engine": ["vehicle", "motor_vehicle", "emergency"]}  # fmt: skip
        if self.vehicle == "foot" or "day_on" in tags or "hour_on" in tags:
            return None
        kind = tags.get("restriction", "")
        for mode in modes[self.vehicle]:
            kind = tags.get(f"restriction:{mode}", kind)
        if any(m in tags.get("except", "").split(";") for m in modes[self.vehicle]):
            return None
        holds = kind.startswith(("no_", "only_")) and not kind.endswith("_on_red")
        return kind if holds else None

    def _at(self, kind, start, node, stops):
        unparted = self._inside(start, node, 1) or any(self._inside(w, node, 0) for w in stops)
        if (unparted and stops != [start]) or node in self.wall:
            return
        if kind.startswith("no_"):
            self.no[start, node] |= set(stops)
        else:
            self.only[start, node].append(set(stops))

    def _over(self, kind, start, ways, stops):
        ends = [(start, ways[0], 1), *((stop, ways[-1], 0) for stop in stops)]
        unparted = any(
            self._inside(way, n, end)
            for way, other, end in ends
            for n in {*self._refs(way)} & {*self._refs(other)}
        )
        if not unparted:
            self.paths.append((start, tuple(ways), set(stops), kind.startswith("only")))

    def _refs(self, way):
        return self.way_of.get(way, ([], {}))[0]

    def _inside(self, way, node, end):
        """Whether a way is not parted at a node, and arrives there (or leaves) on both sides."""
        if node not in self._refs(way)[1:-1]:
            return False
        return self.met[way, node, end] > 1

    def _graph(self):
        """Prepare the states: segment, zone ('in', '', 'out') and the bans over ways under way."""
        leaving = defaultdict(list)
        for i, (a, _, key, _, _) in enumerate(self.segments):
            leaving[self._node(a, key, a)].append(i)
        self.leaving, self.after = leaving, {}
        self.by_key = defaultdict(list)
        for i, segment in enumerate(self.segments):
            self.by_key[segment[2]].append(i)

    def _next(self, i):
        a, b, key, _, _ = self.segments[i]
        here = self._node(b, key, b)
        found = self.leaving[here]
        onward = [j for j in found if not (self.segments[j][2] == key and self.segments[j][1] == a)]
        found = onward or found
        way = key[0]
        no, only = self.no.get((way, b), ()), self.only.get((way, b), ())
        out = [
            j for j in found
            if self.segments[j][2][0] not in no
            or (self.segments[j][2][0] == way and self.segments[j][2] != key)
        ]  # fmt: skip
        for stops in only:
            if any(self.segments[j][2][0] in stops for j in out):
                out = [j for j in out if self.segments[j][2][0] in stops]
        return out

    def search(self, start, stop):
        """Metres from a place (segment key, share) to another; None when there is no way."""
        queue, best = [], float("inf")
        goal, at = stop
        origin, share = start
        targets = set(self.by_key[goal])
        bound = self._bound(goal)
        for i in self.by_key[origin]:
            s = self.segments[i]
            along = share if self._ahead(s) else 1 - share
            if origin == goal:
                end = at if self._ahead(s) else 1 - at
                if end >= along:
                    best = min(best, (end - along) * s[4])
            zone = "in" if self.inside[i] else ""
            d = (1 - along) * s[4]
            heapq.heappush(queue, (d + bound(i), d, (i, zone, self._begin(i))))
        seen = set()
        while queue:
            least, d, state = heapq.heappop(queue)
            if least >= best:
                break
            if state in seen:
                continue
            seen.add(state)
            i, zone, bans = state
            if i not in self.after:
                self.after[i] = self._next(i)
            for j in self.after[i]:
                new, after = self._zone(zone, self.inside[j]), self._step(bans, i, j)
                if new is None or after is None:
                    continue
                s = self.segments[j]
                if j in targets:
                    end = at if self._ahead(s) else 1 - at
                    best = min(best, d + end * s[4])
                heapq.heappush(queue, (d + s[4] + bound(j), d + s[4], (j, new, after)))
        return None if best == float("inf") else best

    def _bound(self, goal):
        """Give what tells the least metres from the end of a segment to the goal."""
        ends = [self.place[n] for n in self.segments[self.by_key[goal][0]][:2]]

        def bound(i):
            x, y = self.place[self.segments[i][1]]
            return min(_straight(x, y, *end) for end in ends)

        return bound

    def _zone(self, zone, inside):
        """Out of the zone where a way begins, into that where it ends, and nothing between."""
        if zone == "in":
            return "in" if inside else ""
        if zone == "":
            return "out" if inside else ""
        return "out" if inside else None

    def _ahead(self, s):
        refs = self.way_of[s[2][0]][0]
        return refs[s[2][1]] == s[0]

    def _begin(self, i):
        way = self.segments[i][2][0]
        return frozenset((n, 0) for n, (start, *_) in enumerate(self.paths) if start == way)

    def _step(self, bans, i, j):
        """Carry on the bans over ways: None when the turn is forbidden."""
        before, after = self.segments[i][2][0], self.segments[j][2][0]
        kept = set()
        for n, step in bans:
            start, ways, stops, only = self.paths[n]
            here = (start, *ways)[step]
            last = step == len(ways)
            if last and before == here and after != here and (after in stops) != only:
                return None
            if after == here:
                kept.add((n, step))
            elif step < len(ways) and after == ways[step]:
                kept.add((n, step + 1))
        return frozenset(kept | set(self._begin(j)))


def _straight(x, y, u, v):
    """Less than the metres between two places of one town or small country."""
    east = (x - u) * math.cos(math.radians((y + v) / 2))
    return 0.98 * 111_000 * math.hypot(east, y - v)


def _junctions(segments):
    """Nodes at which ways meet or end."""
    near = defaultdict(set)
    ends = defaultdict(set)
    for a, b, key, _, _ in segments:
        near[a].add(b)
        near[b].add(a)
        ends[a].add(key[0])
        ends[b].add(key[0])
    return {n: len(near[n]) != 2 or len(ends[n]) > 1 for n in near}

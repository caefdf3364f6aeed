"""Turns: which arc may follow which."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.geo.network.rules import Values, chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from riskmap.geo.network.graph import Bools, Ints


@dataclass(frozen=True, eq=False, kw_only=True)
class Streets:
    """Edges and arcs of a graph in the making."""

    tail: Ints
    head: Ints
    """Ends of the edges as digitised, shape (m,)."""
    way: Ints
    """OSM way of each edge, -1 for none, shape (m,)."""
    node_id: Ints
    """OSM node of each node, -1 for none, shape (n,)."""
    indptr: Ints
    indices: Ints
    arc_edge: Ints
    """The arcs in CSR order."""
    inner: Mapping[int, frozenset[int]]
    """OSM nodes inside each way, so not its ends."""

    def arc_tail(self) -> Ints:
        """Give the node where each arc begins.

        Returns
        -------
        numpy.ndarray
            Shape (a,).
        """
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))


@dataclass(frozen=True, eq=False)
class Turns:
    """Which state may follow which; the first states are the arcs, the others copies of some."""

    arc: Ints
    """Arc of each state, shape (s,); empty when every turn is free."""
    zone: Ints
    """Zone of each state, as in a road graph."""
    indptr: Ints
    indices: Ints
    """The states that may follow each state, in CSR order."""
    told: Mapping[str, int] = field(default_factory=dict)
    """Restrictions by what became of them."""


_NONE: Final = np.zeros(0, np.int64)
NO_TURNS: Final = Turns(_NONE, _NONE, _NONE, _NONE)


@dataclass(frozen=True)
class Ban:
    """One restriction as the data have it."""

    only: bool
    start: int
    via_node: int
    """OSM node, -1 when ways lie between."""
    via_ways: tuple[int, ...]
    stop: tuple[int, ...]


def read_bans(
    columns: Iterable[Any], kind: str, presets: Values | None = None, *, start: Sequence[int]
) -> tuple[list[Ban], dict[str, int]]:
    """Read the restrictions that hold for a vehicle.

    Parameters
    ----------
    columns
        Restrictions that begin on each way, as JSON.
    kind
        A key of ``access.turns``.
    presets
        Value by key; None takes the shipped ones.
    start
        The ways.

    Returns
    -------
    bans : list of Ban
        Each once.
    told : dict
        Count of those that do not hold: ``exempt``, ``conditional``, ``unusable``,
        ``incomplete`` (their first way is not in the extract).

    Examples
    --------
    >>> one = '[{"id": 1, "tags": {"restriction": "no_left_turn", "except": "emergency"}, '
    >>> one += '"via": ["n2"], "to": [5]}]'
    >>> read_bans([one], "car", start=[4])[0][0].stop
    (5,)
    >>> read_bans([one], "emergency", start=[4])
    ([], {'exempt': 1})
    """
    rules = chosen(presets, "access.turns")[kind]
    modes = tuple(rules["modes"])
    bans: list[Ban] = []
    told: dict[str, int] = {}
    seen: set[tuple[int, int]] = set()
    for way, said in zip(start, columns, strict=True):
        if not isinstance(said, str) or not said or not rules["obeys"]:
            continue
        for one in json.loads(said):
            value, why = _value(one["tags"], modes)
            many = one.get("from", 1) > 1 and value != "no_entry"
            key = int(one["id"]), -1 if many or one.get("lost") else int(way)
            if key in seen:
                continue
            seen.add(key)
            if one.get("lost"):
                told["incomplete"] = told.get("incomplete", 0) + 1
                continue
            via = one["via"]
            nodes = [int(ref[1:]) for ref in via if ref[0] == "n"]
            ways = tuple(int(ref[1:]) for ref in via if ref[0] == "w")
            form = (len(nodes) == 1 and not ways) or (ways and not nodes)
            form = form and not many and (len(one["to"]) == 1 or value == "no_exit")
            if not why and not (form and one["to"] and value[:3] in ("no_", "onl")):
                why = "unusable"
            if why:
                told[why] = told.get(why, 0) + 1
                continue
            node = nodes[0] if nodes else -1
            bans.append(Ban(value.startswith("only"), int(way), node, ways, tuple(one["to"])))
    return bans, told


def _value(tags: Mapping[str, str], modes: Sequence[str]) -> tuple[str, str]:
    """Give the kind of a restriction for some modes, or why it does not hold for them."""
    value = tags.get("restriction", "")
    for mode in modes:
        value = tags.get(f"restriction:{mode}", value)
    value = value.strip().lower()
    if any(mode in tags.get("except", "").replace(" ", "").split(";") for mode in modes):
        return value, "exempt"
    if "day_on" in tags or "hour_on" in tags:
        return value, "conditional"
    if value.endswith("_on_red"):
        return value, "conditional"
    if value:
        return value, ""
    by_time = any(key.endswith(":conditional") for key in tags)
    return value, "conditional" if by_time else "exempt"


def make_turns(streets: Streets, bans: Sequence[Ban], ends: Bools) -> Turns:
    """Join the arcs by the turns that may be made.

    Nobody turns back on the same edge unless nothing else can be done there. A path goes through
    edges that are not for through traffic at its beginning and end only; what can be reached
    through such edges alone counts as one of them.

    Parameters
    ----------
    streets
        Edges and arcs.
    bans
        The restrictions.
    ends
        Edges that are not for through traffic, shape (m,).

    Returns
    -------
    Turns
        `NO_TURNS` when there is neither ban nor such an edge.
    """
    held = _Bans(streets, bans)
    if not (held.turns or held.paths) and not ends.any():
        return replace(NO_TURNS, told=held.told)
    first, second = _turns(streets)
    banned = held.banned(first, second, len(streets.arc_edge))
    first, second = first[~banned], second[~banned]
    arc = np.arange(len(streets.arc_edge))
    zone = np.zeros(len(arc), np.int64)
    if ends.any():
        inside = _behind(streets, ends)[streets.arc_edge]
        first, second, arc = _through(first, second, inside)
        zone = np.concatenate([inside.astype(np.int64), np.full(int(inside.sum()), 2)])
    first, second, arc, origin = _along_ways(first, second, arc, held.paths)
    zone = np.concatenate([zone, 4 + zone[origin] % 4])
    order = np.lexsort((second, first))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(first, minlength=len(arc)))])
    return Turns(arc, zone, indptr.astype(np.int64), second[order].astype(np.int64), held.told)


def _turns(streets: Streets) -> tuple[Ints, Ints]:
    """Give all pairs of arcs that follow one another, turning back only where one must."""
    indptr, head, edge = streets.indptr, streets.indices, streets.arc_edge
    count = np.diff(indptr)[head]
    first = np.repeat(np.arange(len(head)), count)
    second = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    second += np.repeat(indptr[head], count)
    tail = streets.arc_tail()
    back = (edge[first] == edge[second]) & (tail[first] == head[second]) & (first != second)
    onward = np.bincount(first[~back], minlength=len(head)) > 0
    keep = ~(back & onward[first])
    return first[keep], second[keep]


def _behind(streets: Streets, ends: Bools) -> Bools:
    """Count as not for through traffic also what lies behind such edges."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    size = len(streets.indptr) - 1
    tail, free = streets.arc_tail(), ~ends[streets.arc_edge]
    links = csr_array(
        (np.ones(int(free.sum())), (tail[free], streets.indices[free])), shape=(size, size)
    )
    part = connected_components(links, directed=True, connection="strong")[1]
    main = int(np.argmax(np.bincount(part)))
    inside = (part[streets.tail] == main) & (part[streets.head] == main)
    return np.asarray(ends | ~inside)


def _through(first: Ints, second: Ints, ends: Bools) -> tuple[Ints, Ints, Ints]:
    """Let a path leave the zone in which it begins, and enter the one in which it ends."""
    size = len(ends)
    copy = np.full(size, -1)
    copy[ends] = size + np.arange(int(ends.sum()))
    enter = ~ends[first] & ends[second]
    inside = ends[first] & ends[second]
    return (
        np.concatenate([first, copy[first[inside]]]),
        np.concatenate([np.where(enter, copy[second], second), copy[second[inside]]]),
        np.concatenate([np.arange(size), np.flatnonzero(ends)]),
    )


def _along_ways(
    first: Ints, second: Ints, arc: Ints, paths: Sequence[tuple[tuple[int, ...], bool]]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Remember, on the ways between, from where a path came; last, what each copy is of."""
    if not paths:
        return first, second, arc, _NONE
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    starts = np.searchsorted(first, np.arange(len(arc) + 1))
    changed: dict[int, list[int]] = {}
    states: dict[int, list[int]] = {}
    wanted = {one for path, _ in paths for one in path}
    for state in np.flatnonzero(np.isin(arc, list(wanted))).tolist():
        states.setdefault(int(arc[state]), []).append(state)
    arcs = arc.tolist()
    origin = list(range(len(arcs)))

    def after(state: int) -> list[int]:
        if state not in changed:
            changed[state] = second[starts[state] : starts[state + 1]].tolist()
        return changed[state]

    for path, only in paths:
        for state in list(states.get(path[0], ())):
            at, whole = state, True
            for step in path[1:-1]:
                place = next((i for i, s in enumerate(after(at)) if arcs[s] == step), None)
                if place is None:
                    whole = False
                    break
                fresh = len(arcs)
                arcs.append(step)
                origin.append(origin[after(at)[place]])
                changed[fresh] = list(after(after(at)[place]))
                states.setdefault(step, []).append(fresh)
                after(at)[place] = fresh
                at = fresh
            if whole:
                last = path[-1]
                changed[at] = [s for s in after(at) if (arcs[s] == last) == only]
    keep = ~np.isin(first, list(changed))
    more = [(state, other) for state, others in changed.items() for other in others]
    pairs = np.array(more, np.int64).reshape(-1, 2)
    return (
        np.concatenate([first[keep], pairs[:, 0]]),
        np.concatenate([second[keep], pairs[:, 1]]),
        np.array(arcs, np.int64),
        np.array(origin[len(arc) :], np.int64),
    )


class _Bans:
    """Restrictions as pairs of arcs, and as paths of arcs where ways lie between."""

    def __init__(self, streets: Streets, bans: Sequence[Ban]) -> None:
        self.turns: list[tuple[int, tuple[int, ...], bool]] = []
        self.paths: list[tuple[tuple[int, ...], bool]] = []
        self.told: dict[str, int] = {}
        if not bans:
            return
        self.streets = streets
        self.arc_from = streets.arc_tail()
        used = {way for ban in bans for way in (ban.start, *ban.via_ways, *ban.stop)}
        rows = np.flatnonzero(np.isin(streets.way[streets.arc_edge], list(used)))
        self.arcs_of: dict[int, list[int]] = {}
        for arc in rows.tolist():
            self.arcs_of.setdefault(int(streets.way[streets.arc_edge[arc]]), []).append(arc)
        place = np.flatnonzero(streets.node_id >= 0)
        order = place[np.argsort(streets.node_id[place], kind="stable")]
        self.ids, self.node_of = streets.node_id[order], order
        for ban in bans:
            said = self._take(ban)
            self.told[said] = self.told.get(said, 0) + 1

    def _take(self, ban: Ban) -> str:
        """Find the arcs of a restriction; say what became of it."""
        if ban.via_node >= 0:
            low, high = np.searchsorted(self.ids, [ban.via_node, ban.via_node + 1])
            nodes = set(self.node_of[low:high].tolist())
            starts = [a for a in self.arcs_of.get(ban.start, ()) if self._to(a) in nodes]
            stops = [a for way in ban.stop for a in self.arcs_of.get(way, ())
                     if self._from(a) in nodes]  # fmt: skip
            if not starts or not stops:
                return "idle"
            u_turn = ban.stop == (ban.start,)
            node = self._to(starts[0])
            if not u_turn and (self._unclear(starts, node) or self._unclear(stops, node)):
                return "unusable"
            for start in starts:
                mine = tuple(stop for stop in stops if self._may_ban(start, stop))
                self.turns += [(start, mine, ban.only)] if mine else []
            return "applied"
        found = [
            (path, ban.only)
            for start in self.arcs_of.get(ban.start, ())
            for path in self._paths(start, ban)
        ]
        clear = [(path, only) for path, only in found if not self._between(path)]
        self.paths += clear
        return "applied" if clear else "unusable" if found else "idle"

    def _between(self, path: tuple[int, ...]) -> bool:
        """Tell whether the first or the last way of a path goes on past the ways between."""
        way, edge = self.streets.way, self.streets.arc_edge
        first, last = self._to(path[0]), self._from(path[-1])
        starts = [a for a in self.arcs_of[int(way[edge[path[0]]])] if self._to(a) == first]
        stops = [a for a in self.arcs_of[int(way[edge[path[-1]]])] if self._from(a) == last]
        return self._unclear(starts, first) or self._unclear(stops, last)

    def _unclear(self, arcs: Sequence[int], node: int) -> bool:
        """Tell whether a way goes on past a node, so that a restriction may mean either arc."""
        ways = self.streets.way[self.streets.arc_edge[list(arcs)]].tolist()
        osm, inner = int(self.streets.node_id[node]), self.streets.inner
        return any(ways.count(way) > 1 and osm in inner.get(way, ()) for way in set(ways))

    def _may_ban(self, start: int, stop: int) -> bool:
        """Tell whether a ban between two arcs is meant; on one way only that of turning back."""
        edge, way = self.streets.arc_edge, self.streets.way
        return bool(edge[start] == edge[stop] or way[edge[start]] != way[edge[stop]])

    def _to(self, arc: int) -> int:
        return int(self.streets.indices[arc])

    def _from(self, arc: int) -> int:
        return int(self.arc_from[arc])

    def _paths(self, start: int, ban: Ban) -> Iterator[tuple[int, ...]]:
        """Follow the ways between, from the first arc to an arc of the last way."""
        stops = {a for way in ban.stop for a in self.arcs_of.get(way, ())}
        edge = self.streets.arc_edge
        stack: list[tuple[tuple[int, ...], int]] = [((start,), -1)]
        while stack:
            path, step = stack.pop()
            here, used = self._to(path[-1]), {int(edge[a]) for a in path}
            if step == len(ban.via_ways) - 1:
                for arc in stops:
                    if self._from(arc) == here and int(edge[arc]) not in used - {int(edge[start])}:
                        yield (*path, arc)
            for next_ in (step, step + 1):
                if 0 <= next_ < len(ban.via_ways):
                    stack += [
                        ((*path, arc), next_)
                        for arc in self.arcs_of.get(ban.via_ways[next_], ())
                        if self._from(arc) == here and int(edge[arc]) not in used
                    ]

    def banned(self, first: Ints, second: Ints, count: int) -> Bools:
        """Tell which turns may not be made."""
        out = np.zeros(len(first), dtype=bool)
        if not self.turns:
            return out
        start = np.searchsorted(first, np.arange(count + 1))
        for arc, stops, only in self.turns:
            here = slice(int(start[arc]), int(start[arc + 1]))
            hit = np.isin(second[here], stops)
            if only and not hit.any():
                continue
            out[here] |= ~hit if only else hit
        return out


def inner_nodes(
    ways: Ints, nodes: Sequence[str], wanted: Iterable[int]
) -> dict[int, frozenset[int]]:
    """Give the nodes inside some ways, without their ends.

    Parameters
    ----------
    ways
        Way of each row, shape (rows,).
    nodes
        Node ids of each row, parted by blanks.
    wanted
        The ways that are asked for.

    Returns
    -------
    dict
        Way to nodes.
    """
    found: dict[int, frozenset[int]] = {}
    for row in np.flatnonzero(np.isin(ways, list(wanted))).tolist():
        mine = [int(node) for node in nodes[row].split()]
        found[int(ways[row])] = found.get(int(ways[row]), frozenset()) | set(mine[1:-1])
    return found


def osm_ids(column: pd.Series) -> Ints:
    """Read ids.

    Parameters
    ----------
    column
        Numbers or texts.

    Returns
    -------
    numpy.ndarray
        Whole numbers, -1 where there is none, shape (rows,).
    """
    import pandas as pd

    values = pd.to_numeric(column.astype("string").str.lstrip("w"), errors="coerce")
    return values.fillna(-1).to_numpy(dtype=np.int64)

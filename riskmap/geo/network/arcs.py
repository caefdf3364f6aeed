"""The space of a search: nodes, or arcs with their turns; and how places hang on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakKeyDictionary

import numpy as np

from riskmap.geo.network.graph import Bools, Floats, Ints, RoadGraph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from riskmap.geo.network.snap import Snapped

Way = Literal["from_facility", "to_facility"]


@dataclass(frozen=True, eq=False)
class Space:
    """States of a search: the nodes, or, where turns matter, the arcs about to be travelled."""

    indptr: Ints
    indices: Ints
    """The states that follow each state, in CSR order."""
    edge: Ints
    """Edge that is travelled from each state to each following one."""
    ahead: Bools
    """Whether it is travelled as digitised."""
    arc_of: Ints
    """Arc ahead and arc back of each edge, -1 where not permitted, shape (m, 2); only of turns."""
    of_arc: tuple[Ints, Ints]
    out_of: tuple[Ints, Ints]
    into: tuple[Ints, Ints]
    """Row pointers and states: of each arc, leaving each node, ending at each node."""
    arc_edge: Ints
    arc_ahead: Bools
    """Edge and direction of the arc of each state."""
    free: Bools
    """Whether a road for all touches each node; only of turns."""


_SPACES: Final[WeakKeyDictionary[RoadGraph, Space]] = WeakKeyDictionary()


def kernels() -> Any:
    """Give the compiled searches.

    Loading the compiler takes longer than a few ways over a kept graph.

    Returns
    -------
    module
        `riskmap.geo.network.search`.
    """
    from riskmap.geo.network import search

    return search


def space(graph: RoadGraph) -> Space:
    """Give the space in which ways on a graph are sought; it is made once.

    Parameters
    ----------
    graph
        The road graph.

    Returns
    -------
    Space
        Its states.
    """
    if graph not in _SPACES:
        _SPACES[graph] = _space(graph)
    return _SPACES[graph]


def _space(graph: RoadGraph) -> Space:
    ahead = graph.arc_ahead
    none = np.zeros(0, np.int64)
    if not graph.turns:
        return Space(
            graph.indptr, graph.indices, graph.arc_edge, ahead, none.reshape(0, 2),
            (none, none), (none, none), (none, none), none, ahead[:0], ahead[:0],
        )  # fmt: skip
    arc = graph.turn_arc
    tail = np.repeat(np.arange(graph.node_count), np.diff(graph.indptr))
    first = np.repeat(np.arange(len(arc)), np.diff(graph.turn_indptr))
    free = np.zeros(graph.node_count, dtype=bool)
    open_ = arc[graph.turn_zone == 0]
    free[tail[open_]] = free[graph.indices[open_]] = True
    arc_of = np.full((graph.edge_count, 2), -1)
    arc_of[graph.arc_edge, np.where(ahead, 0, 1)] = np.arange(len(ahead))
    return Space(
        graph.turn_indptr, graph.turn_indices, graph.arc_edge[arc][first], ahead[arc][first],
        arc_of, _grouped(arc, len(ahead)), _grouped(tail[arc], graph.node_count),
        _grouped(graph.indices[arc], graph.node_count), graph.arc_edge[arc], ahead[arc], free,
    )  # fmt: skip


def _grouped(owner: Ints, size: int) -> tuple[Ints, Ints]:
    """Give the positions of each owner, as row pointers and positions."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=size))])
    return indptr.astype(np.int64), np.argsort(owner, kind="stable").astype(np.int64)


def _listed(groups: tuple[Ints, Ints], rows: Ints) -> tuple[Ints, Ints]:
    """Give all members of some groups: position in ``rows``, and member."""
    indptr, members = groups
    count = np.diff(indptr)[rows]
    owner = np.repeat(np.arange(len(rows)), count)
    at = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return owner, members[np.repeat(indptr[:-1][rows], count) + at]


def network_matrix(graph: RoadGraph, cost: Floats, *, reverse: bool = False) -> csr_array:
    """Give the open arcs between states as a scipy matrix; parallel ones stand side by side.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Cost of each edge, infinite where closed, shape (m,).
    reverse
        Turn every arc round.

    Returns
    -------
    scipy.sparse.csr_array
        Cost from row state to column state, shape (s, s).
    """
    from scipy.sparse import csr_array

    indptr, indices, edge = open_arcs(graph, cost, reverse=reverse)
    size = graph.state_count
    return csr_array(
        (cost[edge], indices.astype(np.int32), indptr.astype(np.int32)), shape=(size, size)
    )


def open_arcs(graph: RoadGraph, cost: Floats, *, reverse: bool) -> tuple[Ints, Ints, Ints]:
    """Give the arcs between states whose edges are open, in CSR order.

    Parameters
    ----------
    graph
        The road graph.
    cost
        Cost of each edge, infinite where closed, shape (m,).
    reverse
        Turn every arc round.

    Returns
    -------
    indptr, indices, edge : numpy.ndarray
        Row pointers, state at the end and edge of each arc.
    """
    ways = space(graph)
    shut = not np.isfinite(cost).all()
    if not shut and not reverse:
        return ways.indptr, ways.indices, ways.edge
    size = graph.state_count
    tail = np.repeat(np.arange(size), np.diff(ways.indptr))
    head, edge = ways.indices, ways.edge
    order = np.flatnonzero(np.isfinite(cost[edge]))
    if reverse:
        tail, head = head, tail
        order = order[np.lexsort((edge[order], head[order], tail[order]))]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail[order], minlength=size))])
    return indptr.astype(np.int64), head[order], edge[order]


@dataclass(frozen=True, eq=False)
class Ends:
    """How places hang on the states: entries one place after the other."""

    start: Ints
    """First entry of each place, and the end of the last, shape (k + 1,)."""
    state: Ints
    edge: Ints
    low: Floats
    high: Floats
    """State of each entry, and the stretch of an edge between it and the place, in the direction
    of travel, shape (e,)."""

    @property
    def owner(self) -> Ints:
        """Place of each entry.

        Returns
        -------
        numpy.ndarray
            Shape (e,).
        """
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def price(self, cost: Floats) -> Floats:
        """Give what the stretch of each entry costs.

        Parameters
        ----------
        cost
            Cost of each edge, infinite where closed, shape (m,).

        Returns
        -------
        numpy.ndarray
            Shape (e,).
        """
        part = np.abs(self.high - self.low)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(part == 0, 0.0, part * cost[self.edge]))


def hang(graph: RoadGraph, places: Snapped, *, leaving: bool) -> Ends:
    """Tell by which states places are left, or reached.

    Parameters
    ----------
    graph
        The road graph.
    places
        Places on it.
    leaving
        True: the way begins at the place; False: it ends there.

    Returns
    -------
    Ends
        Entries; none where a place is off the network.
    """
    on = np.flatnonzero(places.on)
    edge, along = places.edge[on], places.along[on]
    if not graph.turns:
        parts = _plain(graph, edge, along, leaving=leaving)
    elif leaving:
        parts = _leaving(graph, edge, along)
    else:
        parts = _reached(graph, edge, along)
    owner, state, on_edge, low, high = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(owner, kind="stable")
    count = np.bincount(on[owner], minlength=len(places))
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Ends(start, state[order].astype(np.int64), on_edge[order].astype(np.int64),
                low[order], high[order])  # fmt: skip


_Part = tuple[Ints, Ints, Ints, Floats, Floats]


def _plain(graph: RoadGraph, edge: Ints, along: Floats, *, leaving: bool) -> list[_Part]:
    """Hang places on the two nodes of their edge."""
    back, ahead = graph.edge_backward[edge], graph.edge_forward[edge]
    if not leaving:
        back, ahead = ahead, back
    parts = []
    for node, share, free in ((graph.edge_tail, 0.0, back), (graph.edge_head, 1.0, ahead)):
        row = np.flatnonzero(free | (along == share))
        end = np.full(len(row), share)
        low, high = (along[row], end) if leaving else (end, along[row])
        parts.append((row, node[edge[row]], edge[row], low, high))
    return parts


def _at_node(graph: RoadGraph, edge: Ints, along: Floats) -> tuple[Ints, Ints]:
    """Give the places that stand on a node, and that node."""
    row = np.flatnonzero((along == 0) | (along == 1))
    node = np.where(along[row] == 0, graph.edge_tail[edge[row]], graph.edge_head[edge[row]])
    return row, node


def _leaving(graph: RoadGraph, edge: Ints, along: Floats) -> list[_Part]:
    """Let a way begin in both directions of the edge, or with any arc of the node."""
    ways = space(graph)
    row, node = _at_node(graph, edge, along)
    owner, state = _listed(ways.out_of, node)
    # At a road for all a way begins outside: what is for residents only is entered from there.
    zone, free = graph.turn_zone[state], ways.free[node[owner]]
    base = (zone == 0) | (zone == np.where(free, 2, 1))
    owner, state = row[owner[base]], state[base]
    parts: list[_Part] = [(owner, state, edge[owner], along[owner], along[owner])]
    for side, end in ((0, 1.0), (1, 0.0)):
        arc = ways.arc_of[edge, side]
        row = np.flatnonzero((arc >= 0) & (along != 0) & (along != 1))
        follow = (ways.indptr, ways.indices)
        owner, state = _listed(follow, arc[row])
        owner = row[owner]
        parts.append((owner, state, edge[owner], along[owner], np.full(len(owner), end)))
    return parts


def _reached(graph: RoadGraph, edge: Ints, along: Floats) -> list[_Part]:
    """Let a way end on the edge in both directions, or at the node from any arc."""
    ways = space(graph)

    def ends_here(state: Ints, node: Ints) -> Bools:
        """Tell whether a way ends at a node: on a road for all it does not come through others."""
        return np.asarray((graph.turn_zone[state] % 4 != 2) | ~ways.free[node], dtype=bool)

    row, node = _at_node(graph, edge, along)
    owner, state = _listed(ways.out_of, node)
    fine = ends_here(state, node[owner])
    owner, state = row[owner[fine]], state[fine]
    parts: list[_Part] = [(owner, state, edge[owner], along[owner], along[owner])]
    owner, state = _listed(ways.into, node)
    fine = ends_here(state, node[owner])
    owner, state = owner[fine], state[fine]
    ahead = ways.arc_ahead[state]
    parts.append(
        (row[owner], state, ways.arc_edge[state], np.where(ahead, 0.0, 1.0),
         np.where(ahead, 1.0, 0.0))
    )  # fmt: skip
    for side, begin in ((0, 0.0), (1, 1.0)):
        arc = ways.arc_of[edge, side]
        row = np.flatnonzero((arc >= 0) & (along != 0) & (along != 1))
        owner, state = _listed(ways.of_arc, arc[row])
        owner = row[owner]
        parts.append((owner, state, edge[owner], np.full(len(owner), begin), along[owner]))
    return parts


def at_edge_ends(
    graph: RoadGraph, value: Floats, label: Ints, *, way: Way
) -> tuple[tuple[Floats, Floats], tuple[Ints, Ints]]:
    """Carry costs of states to the two ends of every edge, for those who travel on the edge.

    Parameters
    ----------
    graph
        The road graph.
    value, label
        Cost and facility of each state, shape (s,).
    way
        Direction of travel.

    Returns
    -------
    cost, facility : tuple of numpy.ndarray
        At the beginning as digitised, and at the end, shape (m,) each.
    """
    tail, head = graph.edge_tail, graph.edge_head
    if not graph.turns:
        return (value[tail], value[head]), (label[tail], label[head])
    ways = space(graph)
    found = []
    for side in (0, 1) if way == "from_facility" else (1, 0):
        arc = ways.arc_of[:, side]
        rows = np.flatnonzero(arc >= 0)
        groups = ways.of_arc if way == "from_facility" else (ways.indptr, ways.indices)
        owner, state = _listed(groups, arc[rows])
        found.append(least(value[state], label[state], rows[owner], graph.edge_count))
    return (found[0][0], found[1][0]), (found[0][1], found[1][1])


def at_nodes(graph: RoadGraph, value: Floats, label: Ints, cost: Floats, *, way: Way
             ) -> tuple[Floats, Ints]:  # fmt: skip
    """Carry costs of states to the nodes.

    Parameters
    ----------
    graph
        The road graph.
    value, label
        Cost and facility of each state, shape (s,).
    cost
        Cost of each edge, shape (m,).
    way
        Direction of travel.

    Returns
    -------
    cost, facility : numpy.ndarray
        Shape (n,).
    """
    if not graph.turns:
        return value, label
    ways, size = space(graph), graph.node_count
    owner, state = _listed(ways.out_of, np.arange(size))
    price = value[state]
    if way == "to_facility":
        return least(price, label[state], owner, size)
    more, last = _listed(ways.into, np.arange(size))
    price = np.concatenate([price, value[last] + cost[ways.arc_edge[last]]])
    state = np.concatenate([state, last])
    return least(price, label[state], np.concatenate([owner, more]), size)


_EQUAL: Final = 1e-9


def least(price: Floats, label: Ints, owner: Ints, size: int) -> tuple[Floats, Ints]:
    """Give the least price of each owner and its facility; of equals the first facility.

    Parameters
    ----------
    price, label, owner
        Price, facility and owner of each entry, shape (e,).
    size
        Number of owners.

    Returns
    -------
    price, label : numpy.ndarray
        Infinite and -1 where there is none, shape (size,).
    """
    best = np.full(size, np.inf)
    np.minimum.at(best, owner, price)
    none = np.iinfo(np.int64).max
    who = np.full(size, none)
    here = best[owner]
    near = np.isfinite(price) & (
        price <= here + _EQUAL * (1.0 + np.where(np.isfinite(here), here, 0))
    )
    np.minimum.at(who, owner[near], label[near])
    return best, np.where(who == none, -1, who)


def same_edge(
    graph: RoadGraph, facilities: Snapped, points: Snapped, cost: Floats, *, way: Way
) -> tuple[Ints, Ints, Floats]:
    """Give the direct costs between points and facilities that share an edge.

    Parameters
    ----------
    graph
        The road graph.
    facilities, points
        Places on it.
    cost
        Cost of each edge, shape (m,).
    way
        Direction of travel.

    Returns
    -------
    point : numpy.ndarray
        Position of the point of each pair.
    facility : numpy.ndarray
        Position of the facility of each pair.
    price : numpy.ndarray
        Cost of each pair, finite.
    """
    mine, theirs = np.flatnonzero(facilities.on), np.flatnonzero(points.on)
    mine = mine[np.argsort(facilities.edge[mine], kind="stable")]
    keys = facilities.edge[mine]
    low = np.searchsorted(keys, points.edge[theirs], "left")
    count = np.searchsorted(keys, points.edge[theirs], "right") - low
    row = np.repeat(theirs, count)
    shift = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    which = mine[np.repeat(low, count) + shift]
    ahead = points.along[row] - facilities.along[which]
    if way == "to_facility":
        ahead = -ahead
    edge = points.edge[row]
    allowed = np.where(ahead > 0, graph.edge_forward[edge], graph.edge_backward[edge])
    if graph.turns:
        whole = np.abs(ahead) == 1
        allowed &= ~(whole & _through(graph, edge))
    with np.errstate(invalid="ignore"):
        price = np.where(ahead == 0, 0.0, np.where(allowed, np.abs(ahead) * cost[edge], np.inf))
    fine = np.isfinite(price)
    return row[fine], which[fine], price[fine]


def _through(graph: RoadGraph, edge: Ints) -> Bools:
    """Tell along which edges for residents one would pass from one road for all to another."""
    ways = space(graph)
    arc = ways.arc_of[edge].max(axis=1)
    inside = graph.turn_zone[arc] == 1
    return np.asarray(
        inside & ways.free[graph.edge_tail[edge]] & ways.free[graph.edge_head[edge]], dtype=bool
    )

"""Arcs as scipy and the compiled searches take them, with facilities in the middle of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from riskmap.geo.network.graph import Floats, Ints, RoadGraph
from riskmap.geo.network.snap import Snapped

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Way = Literal["from_facility", "to_facility"]


def network_matrix(graph: RoadGraph, cost: Floats, *, reverse: bool = False) -> csr_array:
    """Give the open arcs as a scipy matrix; parallel arcs stand side by side.

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
        Cost from row node to column node, shape (n, n).
    """
    from scipy.sparse import csr_array

    indptr, indices, edge = open_arcs(graph, cost, reverse=reverse)
    size = graph.node_count
    return csr_array(
        (cost[edge], indices.astype(np.int32), indptr.astype(np.int32)), shape=(size, size)
    )


def open_arcs(graph: RoadGraph, cost: Floats, *, reverse: bool) -> tuple[Ints, Ints, Ints]:
    """Give the arcs whose edges are open, in CSR order.

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
        Row pointers, node at the end and edge of each arc.
    """
    shut = not np.isfinite(cost).all()
    if not shut and not reverse:
        return graph.indptr, graph.indices, graph.arc_edge
    size = graph.node_count
    tail = np.repeat(np.arange(size), np.diff(graph.indptr))
    head, edge = graph.indices, graph.arc_edge
    order = np.flatnonzero(np.isfinite(cost[edge]))
    if reverse:
        tail, head = head, tail
        order = order[np.lexsort((edge[order], head[order], tail[order]))]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail[order], minlength=size))])
    return indptr.astype(np.int64), head[order], edge[order]


def with_facilities(
    graph: RoadGraph, matrix: csr_array, facilities: Snapped, tail: Floats, head: Floats
) -> csr_array:
    """Add one node per facility with arcs to the ends of its edge.

    Parameters
    ----------
    graph
        The road graph.
    matrix
        Its open arcs, shape (n, n).
    facilities
        Places on the graph, shape (f,).
    tail, head
        Cost between each place and the two ends of its edge, shape (f,).

    Returns
    -------
    scipy.sparse.csr_array
        Facility ``i`` is node ``n + i``, shape (n + f, n + f).
    """
    from scipy.sparse import csr_array

    count, size = len(facilities), graph.node_count
    edge = np.where(facilities.on, facilities.edge, 0)
    ends = np.column_stack([graph.edge_tail[edge], graph.edge_head[edge]]).reshape(-1)
    price = np.column_stack([tail, head]).reshape(-1)
    use = np.isfinite(price)
    degree = use.reshape(count, 2).sum(axis=1) if count else np.zeros(0, np.int64)
    indptr = np.concatenate([matrix.indptr, matrix.indptr[-1] + np.cumsum(degree)])
    indices = np.concatenate([matrix.indices, ends[use]])
    data = np.concatenate([matrix.data, price[use]])
    shape = (size + count, size + count)
    return csr_array((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=shape)


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
    with np.errstate(invalid="ignore"):
        price = np.where(ahead == 0, 0.0, np.where(allowed, np.abs(ahead) * cost[edge], np.inf))
    fine = np.isfinite(price)
    return row[fine], which[fine], price[fine]

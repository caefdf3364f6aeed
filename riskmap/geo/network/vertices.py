"""Vertices: where lines meet, and which runs of vertices are the same street."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DEGREE_STEP: Final = 1e-7
SAME_M: Final = 1e-3
"""Vertices this near each other are one [m]."""


def vertex_numbers(xy: Floats, *, geographic: bool) -> Ints:
    """Give vertices numbers so that equal places (to 1e-7 degree or 1 mm) have one number.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2) [degree or m].
    geographic
        True when the coordinates are degrees.

    Returns
    -------
    numpy.ndarray
        Number of every vertex, shape (v,).

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 0.0004]])
    >>> vertex_numbers(xy, geographic=False).tolist()
    [0, 1, 0]
    """
    step = _DEGREE_STEP if geographic else SAME_M
    whole = np.rint(xy / step).astype(np.int64)
    whole -= whole.min(axis=0)
    height = int(whole[:, 1].max(initial=0)) + 1
    key = whole[:, 0] * height + whole[:, 1]
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def merge_near(xy: Floats, vertex: Ints, ends: Ints, tolerance_m: float, degree: Floats) -> Ints:
    """Join line ends that lie within a tolerance of each other.

    Only ends are joined, so a road that passes over another is never tied to it.

    Parameters
    ----------
    xy
        Coordinates, shape (v, 2) [degree or m].
    vertex
        Number of every vertex, shape (v,).
    ends
        Positions in ``xy`` that are line ends.
    tolerance_m
        Largest distance that is closed [m].
    degree
        Metres in one unit of x and of y, shape (2,).

    Returns
    -------
    numpy.ndarray
        The new numbers, shape (v,).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    numbers, first = np.unique(vertex[ends], return_index=True)
    pairs = cKDTree(xy[ends[first]] * degree).query_pairs(tolerance_m, output_type="ndarray")
    size = len(numbers)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    group = connected_components(links, directed=False)[1]
    smallest = np.full(int(group.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, group, numbers)
    new = np.arange(int(vertex.max(initial=-1)) + 1)
    new[numbers] = smallest[group]
    return new[vertex]


def same_runs(vertex: Ints, start: Ints) -> Ints:
    """Give runs of vertices that are equal, forwards or backwards, one number.

    Parameters
    ----------
    vertex
        Vertex numbers of all runs, one after the other, shape (v,).
    start
        First vertex of every run, and the end of the last, shape (m + 1,).

    Returns
    -------
    numpy.ndarray
        Number of every run, shape (m,).

    Examples
    --------
    >>> one, back, other = same_runs(np.array([0, 1, 2, 2, 1, 0, 0, 2]), np.array([0, 3, 6, 8]))
    >>> bool(one == back), bool(one == other)
    (True, False)
    """
    counts = np.diff(start)
    rng = np.random.default_rng(20260101)
    mark = rng.integers(1, 2**62, size=int(vertex.max()) + 1, dtype=np.uint64)
    power = rng.integers(1, 2**62, size=int(counts.max()), dtype=np.uint64) | np.uint64(1)
    place = np.arange(len(vertex)) - np.repeat(start[:-1], counts)
    other = np.repeat(counts, counts) - 1 - place
    ahead = np.add.reduceat(mark[vertex] * power[place], start[:-1])
    back = np.add.reduceat(mark[vertex] * power[other], start[:-1])
    order = np.column_stack([np.minimum(ahead, back), np.maximum(ahead, back)])
    return np.unique(order, axis=0, return_inverse=True)[1].ravel().astype(np.int64)

"""Which straight parts of roads lie nearest to points: a net of squares, searched ring by ring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

if TYPE_CHECKING:
    from riskmap.geo.network.graph import Bools, Floats, Ints

F = NDArray[np.float64]
A = Any
_TINY: Final = 1e-9
_SLACK: Final = 1e-6
"""Squares are looked at this much farther than need be, for what is lost in rounding [m]."""


@dataclass(frozen=True, eq=False)
class Squares:
    """The parts that pass through each square of a net over all of them, in CSR order."""

    from_: Floats
    step: Floats
    """Beginning of each part and the way from there to its end, shape (s, 2) [m]."""
    length: Floats
    """Length of each part, shape (s,) [m]."""
    west: float
    south: float
    size: float
    """South-west corner of the net and side of its squares [m]."""
    nx: int
    ny: int
    indptr: Ints
    part: NDArray[np.int32]
    """Parts of square ``i`` are ``part[indptr[i]:indptr[i + 1]]``, row by row from the south."""


def lay_squares(from_: Floats, step: Floats, length: Floats) -> Squares:
    """Lay a net with about one square a part over parts of roads.

    Parameters
    ----------
    from_, step
        Beginning of each part and the way from there to its end, shape (s, 2), s > 0 [m].
    length
        Length of each part, shape (s,) [m].

    Returns
    -------
    Squares
        The net.
    """
    end = from_ + step
    west, south = np.minimum(from_, end).min(axis=0).tolist()
    wide, high = (np.maximum(from_, end).max(axis=0) - (west, south)).tolist()
    size = max(math.sqrt(wide * high / len(from_)), max(wide, high) / (len(from_) + 1), 1.0)
    nx, ny = int(wide / size) + 1, int(high / size) + 1
    indptr, part = _laid(from_, end, west, south, size, nx, ny)
    return Squares(from_, step, length, west, south, size, nx, ny, indptr, part)


def nearest_parts(
    net: Squares, xy: Floats, usable: Bools | None, *, limit_m: float, slack_m: float
) -> tuple[Ints, Ints]:
    """Find the nearest parts of every point.

    Parameters
    ----------
    net
        The parts.
    xy
        Points, finite, shape (k, 2) [m].
    usable
        Parts that may be taken, shape (s,); None: all.
    limit_m
        Longest distance, inclusive [m].
    slack_m
        Parts at most this much farther than the nearest one are as near [m].

    Returns
    -------
    point, part : numpy.ndarray
        Pairs in the order of the points; a pair may come more than once.

    Examples
    --------
    >>> from_, step = np.array([[0.0, 0.0], [0.0, 9.0]]), np.array([[9.0, 0.0], [9.0, 0.0]])
    >>> net = lay_squares(from_, step, np.array([9.0, 9.0]))
    >>> xy = np.array([[2.0, 1.0], [5.0, 4.5], [5.0, 99.0]])
    >>> point, part = nearest_parts(net, xy, None, limit_m=50.0, slack_m=1e-6)
    >>> sorted(set(zip(point.tolist(), part.tolist())))
    [(0, 0), (1, 0), (1, 1)]
    """
    open_ = np.ones(0, np.bool_) if usable is None else np.ascontiguousarray(usable)
    held = (net.from_, net.step, net.length, open_, net.indptr, net.part)
    where = (net.west, net.south, net.size, net.nx, net.ny)
    reach = np.nextafter(limit_m, np.inf) if np.isfinite(limit_m) else np.inf
    xy = np.ascontiguousarray(xy)
    least = _least(held, where, xy, reach)
    return _within(held, where, xy, least + slack_m)


def parts_within(net: Squares, xy: Floats, usable: Bools | None, *, limit_m: float) -> Ints:
    """Find the parts that come near one of some points.

    Parameters
    ----------
    net
        The parts.
    xy
        Points, finite, shape (k, 2) [m].
    usable
        Parts that may be taken, shape (s,); None: all.
    limit_m
        Longest distance, inclusive [m].

    Returns
    -------
    numpy.ndarray
        Parts, rising.
    """
    open_ = np.ones(0, np.bool_) if usable is None else np.ascontiguousarray(usable)
    held = (net.from_, net.step, net.length, open_, net.indptr, net.part)
    where = (net.west, net.south, net.size, net.nx, net.ny)
    far = np.full(len(xy), limit_m)
    return np.unique(_within(held, where, np.ascontiguousarray(xy), far)[1])


@njit(cache=True, nogil=True)
def _laid(
    from_: F, end: F, west: float, south: float, size: float, nx: int, ny: int
) -> tuple[A, A]:
    """Put each part into the squares it passes: first they are counted, then filled."""
    indptr = np.zeros(nx * ny + 1, np.int64)
    part = np.zeros(0, np.int32)
    at = np.zeros(0, np.int64)
    eps = _SLACK / size
    for turn in range(2):
        for i in range(len(from_)):
            ax, ay = (from_[i, 0] - west) / size, (from_[i, 1] - south) / size
            bx, by = (end[i, 0] - west) / size, (end[i, 1] - south) / size
            if ay > by:
                ax, ay, bx, by = bx, by, ax, ay
            first = max(math.floor(ay - eps), 0)
            last = min(math.floor(by + eps), ny - 1)
            for row in range(first, last + 1):
                x0, x1 = ax, bx
                if by > ay:
                    slope = (bx - ax) / (by - ay)
                    low, high = max(row - eps, ay), min(row + 1 + eps, by)
                    x0, x1 = ax + (low - ay) * slope, ax + (high - ay) * slope
                if x0 > x1:
                    x0, x1 = x1, x0
                left = max(math.floor(x0 - eps), 0)
                right = min(math.floor(x1 + eps), nx - 1)
                for column in range(left, right + 1):
                    square = row * nx + column
                    if turn == 0:
                        indptr[square + 1] += 1
                    else:
                        part[at[square]] = i
                        at[square] += 1
        if turn == 0:
            indptr = np.cumsum(indptr)
            part = np.empty(indptr[-1], np.int32)
            at = indptr[:-1].copy()
    return indptr, part


@njit(cache=True, nogil=True)
def _far(x: float, y: float, from_: F, step: F, length: F, i: int) -> float:
    """Measure how far a point is from a part."""
    dx, dy = x - from_[i, 0], y - from_[i, 1]
    share = (dx * step[i, 0] + dy * step[i, 1]) / max(length[i], _TINY) ** 2
    share = min(max(share, 0.0), 1.0)
    return math.hypot(dx - share * step[i, 0], dy - share * step[i, 1])


@njit(cache=True, nogil=True)
def _least(held: A, where: A, xy: F, reach: float) -> A:  # noqa: C901  calls cost more than the work
    """Give the distance to the nearest part, infinite beyond the reach."""
    from_, step, length, usable, indptr, part = held
    west, south, size, nx, ny = where
    found = np.full(len(xy), np.inf)
    for k in range(len(xy)):
        px, py = xy[k, 0], xy[k, 1]
        x, y = (px - west) / size, (py - south) / size
        qx, qy = min(max(x, 0.0), float(nx)), min(max(y, 0.0), float(ny))
        aside = (x - qx) ** 2 + (y - qy) ** 2
        column, row = min(int(qx), nx - 1), min(int(qy), ny - 1)
        best, ring = reach, 0
        while True:
            left, right, low, high = column - ring, column + ring, row - ring, row + ring
            if ring > 0:  # what is not seen yet lies beyond a side on which there are squares
                side = np.inf
                if left >= 0:
                    side = min(side, qx - (left + 1))
                if right < nx:
                    side = min(side, right - qx)
                if low >= 0:
                    side = min(side, qy - (low + 1))
                if high < ny:
                    side = min(side, high - qy)
                if side == np.inf:
                    break
                if math.sqrt(aside + max(side, 0.0) ** 2) * size - _SLACK > best:
                    break
            for r in range(max(low, 0), min(high, ny - 1) + 1):
                hop = 1 if r in (low, high) else max(right - left, 1)
                c = left
                while c <= right:
                    if 0 <= c < nx:
                        for at in range(indptr[r * nx + c], indptr[r * nx + c + 1]):
                            i = part[at]
                            if len(usable) and not usable[i]:
                                continue
                            far = _far(px, py, from_, step, length, i)
                            if far <= best:
                                best = far
                                found[k] = far
                    elif c < 0 and hop == 1:
                        c = -1
                    elif c >= nx:
                        break
                    c += hop
            ring += 1
    return found


@njit(cache=True, nogil=True)
def _within(held: A, where: A, xy: F, far: F) -> tuple[A, A]:
    """Give the parts within a distance of each point; infinite: none."""
    from_, step, length, usable, indptr, part = held
    west, south, size, nx, ny = where
    points = np.empty(max(2 * len(xy), 64), np.int64)
    parts = np.empty(len(points), np.int64)
    count = 0
    for k in range(len(xy)):
        if far[k] == np.inf:
            continue
        px, py, wide = xy[k, 0], xy[k, 1], (far[k] + _SLACK) / size
        x, y = (px - west) / size, (py - south) / size
        left, right = max(math.floor(x - wide), 0), min(math.floor(x + wide), nx - 1)
        low, high = max(math.floor(y - wide), 0), min(math.floor(y + wide), ny - 1)
        for r in range(low, high + 1):
            dy = max(r - y, y - r - 1, 0.0)
            for c in range(left, right + 1):
                dx = max(c - x, x - c - 1, 0.0)
                if dx * dx + dy * dy > wide * wide:
                    continue
                for at in range(indptr[r * nx + c], indptr[r * nx + c + 1]):
                    i = part[at]
                    if len(usable) and not usable[i]:
                        continue
                    if _far(px, py, from_, step, length, i) <= far[k]:
                        if count == len(points):
                            points = np.concatenate((points, np.empty_like(points)))
                            parts = np.concatenate((parts, np.empty_like(parts)))
                        points[count], parts[count] = k, i
                        count += 1
    return points[:count], parts[:count]

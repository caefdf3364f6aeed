"""Class limits of one column: upper limits, each belonging to its class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from riskmap.index.tree import FLOOR, NEAR, Array


@numba.njit(cache=True)
def _cost(weight: Array, first: Array, second: Array, i: int, j: int) -> float:
    """Sum of squares about the mean of the values i..j, from prefix sums."""
    w = weight[j + 1] - weight[i]
    s = first[j + 1] - first[i]
    cost: float = second[j + 1] - second[i] - s * s / w
    return max(cost, 0.0)


@numba.njit(cache=True)
def _optimal_starts(weight: Array, first: Array, second: Array, k: int) -> NDArray[np.int64]:
    """Find the start of each of k classes by dynamic programming with divide and conquer."""
    n = len(weight) - 1
    start = np.zeros((k, n), dtype=np.int64)
    before = np.empty(n)
    for j in range(n):
        before[j] = _cost(weight, first, second, 0, j)
    now = np.empty(n)
    stack = np.empty((4 * 64 + 8, 4), dtype=np.int64)
    for q in range(1, k):
        now[:] = np.inf
        top = 0
        stack[0] = (q, n - 1, q, n - 1)
        while top >= 0:
            low, high, first_i, last_i = stack[top]
            top -= 1
            if low > high:
                continue
            middle = (low + high) // 2
            best, where = np.inf, first_i
            for i in range(first_i, min(middle, last_i) + 1):
                cost = before[i - 1] + _cost(weight, first, second, i, middle)
                if cost < best:
                    best, where = cost, i
            now[middle] = best
            start[q, middle] = where
            top += 1
            stack[top] = (low, middle - 1, first_i, where)
            top += 1
            stack[top] = (middle + 1, high, where, last_i)
        before[:] = now
    result = np.zeros(k, dtype=np.int64)
    end = n - 1
    for q in range(k - 1, 0, -1):
        result[q] = start[q, end]
        end = result[q] - 1
    return result


def natural_breaks(x: Array, k: int) -> list[float]:
    r"""Split values into k classes with the least sum of squares about the class means, exactly.

    Fisher's dynamic programme with the divide-and-conquer speed-up, O(k n log n); equal values
    are never split.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer when there are fewer distinct values.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    References
    ----------
    Fisher 1958, doi:10.1080/01621459.1958.10501479; Wang and Song 2011, doi:10.32614/RJ-2011-015.

    Examples
    --------
    >>> natural_breaks(np.array([1.0, 2, 3, 10, 11, 50]), 3)
    [3.0, 11.0, 50.0]
    """
    values, counts = np.unique(x, return_counts=True)
    k = min(k, len(values))
    scale = max(float(np.abs(values).max()), 1e-300)
    centred = values / scale - np.sort(x).mean() / scale
    prefix = [np.concatenate([[0.0], np.cumsum(counts * centred**p)]) for p in (0, 1, 2)]
    starts: NDArray[np.int64] = _optimal_starts(prefix[0], prefix[1], prefix[2], k)
    ends = np.append(starts[1:], len(values)) - 1
    return [float(v) for v in values[ends]]


def quantile(x: Array, k: int) -> list[float]:
    r"""Split into classes of equal count, at the quantiles :math:`i / k`, linearly interpolated.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer where quantiles coincide.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> quantile(np.array([1.0, 2.0, 3.0, 4.0, 9.0]), 4)
    [2.0, 3.0, 4.0, 9.0]
    """
    limits = np.quantile(x, np.arange(1, k + 1) / k)
    return [float(v) for v in np.unique(limits)]


def equal_interval(x: Array, k: int) -> list[float]:
    r"""Split the range into k equal parts: :math:`b_i = x_{min} + (x_{max} - x_{min})\, i / k`.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; one when all values are equal.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> equal_interval(np.array([0.0, 1.0, 8.0]), 4)
    [2.0, 4.0, 6.0, 8.0]
    """
    low, high = float(x.min()), float(x.max())
    if low == high:
        return [high]
    limits = [low + (high - low) * step / k for step in range(1, k + 1)]
    return [*limits[:-1], high]


def standard_deviation(x: Array, k: int) -> list[float]:
    """Split at whole steps of one standard deviation (n - 1) around the mean, mean in the middle.

    k = 4 gives limits at mean - 1 sd, mean, mean + 1 sd; k = 5 at -1.5, -0.5, 0.5 and 1.5 sd.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum, or the highest step where that lies above.

    Examples
    --------
    >>> standard_deviation(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 2)
    [3.0, 5.0]
    """
    ordered = np.sort(x)
    spread = ordered.std(ddof=1) if np.ptp(ordered) > 0 else 0.0
    limits = [ordered.mean() + spread * (step - k / 2.0) for step in range(1, k)]
    return [float(v) for v in np.unique([*limits, max(float(ordered[-1]), limits[-1])])]


def maximum_breaks(x: Array, k: int) -> list[float]:
    """Split in the middle of the k - 1 widest gaps between neighbouring values.

    Parameters
    ----------
    x
        Known values, shape (n,).
    k
        Number of classes; fewer when there are fewer distinct values.

    Returns
    -------
    list of float
        Ascending upper limits; the last is the maximum.

    Examples
    --------
    >>> maximum_breaks(np.array([1.0, 2.0, 6.0, 7.0, 17.0]), 3)
    [4.0, 12.0, 17.0]
    """
    values = np.unique(x)
    gaps = np.diff(values)
    widest = np.sort(np.argsort(gaps, kind="stable")[::-1][: k - 1])
    return [*(float((values[i] + values[i + 1]) / 2) for i in widest), float(values[-1])]


METHODS: dict[str, Callable[[Array, int], list[float]]] = {
    "natural_breaks": natural_breaks,
    "quantile": quantile,
    "equal_interval": equal_interval,
    "standard_deviation": standard_deviation,
    "maximum_breaks": maximum_breaks,
}
"""Name of a method to its function ``(known values, k) -> upper limits``."""


def classify(x: Array, limits: Sequence[float]) -> NDArray[np.int8]:
    """Give each value the number of its class; a value on a limit belongs to the class below it.

    Parameters
    ----------
    x
        Values, shape (n,).
    limits
        Ascending upper limits; everything above the last one is in the last class.

    Returns
    -------
    ndarray of int8
        1..len(limits); 0 where the value is unknown.

    Examples
    --------
    >>> classify(np.array([3.0, 3.1, np.nan, 99]), [3.0, 11.0, 50.0]).tolist()
    [1, 2, 0, 3]
    """
    inner = np.asarray(limits[:-1], dtype=float)
    inner = inner + NEAR * np.abs(inner) + FLOOR
    place = np.searchsorted(inner, x, side="left") + 1
    return np.where(np.isnan(x), 0, place).astype(np.int8)

"""Compiled loops over points and the cells around them; imported only when used."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["COMBINE", "SHAPES", "catchment_sums", "spread_sums"]

SHAPES: Final = {"uniform": 0, "epanechnikov": 1, "quartic": 2, "gaussian": 3, "linear": 4}
COMBINE: Final = {"sum": 0, "max": 1, "noisy_or": 2}


@numba.njit(cache=True)
def _fall(u2: float, shape: int) -> float:
    """Give the height of a kernel at the squared relative distance u2 in 0..1; 1 at the centre."""
    if shape == 0:
        return 1.0
    if shape == 1:
        return 1.0 - u2
    if shape == 2:
        return (1.0 - u2) * (1.0 - u2)
    if shape == 3:
        return float(np.exp(-4.5 * u2))
    return 1.0 - float(np.sqrt(u2))


@numba.njit(cache=True)
def spread_sums(
    out: NDArray[Any],
    column: NDArray[np.float64],
    row: NDArray[np.float64],
    radius: NDArray[np.float64],
    weight: NDArray[np.float64],
    shape: int,
    combine: int,
) -> None:
    """Add to each cell centre the weight of each point within its radius, falling with distance.

    Parameters
    ----------
    out
        Result, changed in place, shape (ny, nx); zeros to begin with (ones for ``noisy_or``).
    column, row
        Points in units of cells, from the centre of the north-west cell, shape (n,).
    radius
        Reach of each point in units of cells, inclusive, shape (n,).
    weight
        Weight of each point, shape (n,).
    shape, combine
        Numbers from `SHAPES` and `COMBINE`.
    """
    ny, nx = out.shape
    for p in range(len(column)):
        r = radius[p]
        limit = r * r * (1 + 1e-12)
        for i in range(max(int(np.ceil(row[p] - r)), 0), min(int(np.floor(row[p] + r)) + 1, ny)):
            dy2 = (i - row[p]) ** 2
            first = max(int(np.ceil(column[p] - r)), 0)
            for j in range(first, min(int(np.floor(column[p] + r)) + 1, nx)):
                d2 = dy2 + (j - column[p]) ** 2
                if d2 > limit:
                    continue
                value = weight[p] * _fall(min(d2 / (r * r), 1.0), shape)
                if combine == 0:
                    out[i, j] += value
                elif combine == 1:
                    out[i, j] = max(out[i, j], value)
                else:
                    out[i, j] *= 1.0 - value


@numba.njit(cache=True)
def catchment_sums(
    people: NDArray[Any], column: NDArray[np.float64], row: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Count the people in the cells whose centre is within the radius of each point.

    Parameters
    ----------
    people
        People in each cell, shape (ny, nx).
    column, row
        Points in units of cells, from the centre of the north-west cell, shape (n,).
    radius
        Reach in units of cells, inclusive.

    Returns
    -------
    ndarray
        People, shape (n,).
    """
    ny, nx = people.shape
    sums = np.zeros(len(column))
    limit = radius * radius * (1 + 1e-12)
    for p in range(len(column)):
        r0, r1 = int(np.ceil(row[p] - radius)), int(np.floor(row[p] + radius)) + 1
        c0, c1 = int(np.ceil(column[p] - radius)), int(np.floor(column[p] + radius)) + 1
        for i in range(max(r0, 0), min(r1, ny)):
            for j in range(max(c0, 0), min(c1, nx)):
                if (i - row[p]) ** 2 + (j - column[p]) ** 2 <= limit:
                    sums[p] += people[i, j]
    return sums

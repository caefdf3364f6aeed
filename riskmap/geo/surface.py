"""Surfaces from points and lines: distance, density, decay, places per person."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskmap.geo.distance import distance_to_lines, distance_to_points
from riskmap.geo.grid import Grid
from riskmap.geo.points import point_xy

__all__ = [
    "decay",
    "distance_to_lines",
    "distance_to_points",
    "floating_catchment",
    "kernel_sum",
]

FloatGrid = NDArray[np.float32]
Kernel = Literal["uniform", "epanechnikov", "quartic", "gaussian"]


def _in_cells(grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    """Give points in units of cells, from the centre of the north-west cell: column, row."""
    west, _, _, north = grid.bounds
    return (x - west) / grid.size_m - 0.5, (north - y) / grid.size_m - 0.5


def _spread(
    grid: Grid,
    points: Any,
    weights: ArrayLike | None,
    radius_m: ArrayLike,
    *,
    shape: str,
    combine: str,
) -> NDArray[np.float64]:
    from riskmap.geo.kernels import COMBINE, SHAPES, spread_sums

    x, y = point_xy(points)
    weight = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=np.float64)
    radius = np.broadcast_to(np.asarray(radius_m, dtype=np.float64), x.shape)
    good = np.isfinite(x) & np.isfinite(weight) & (radius > 0)
    order = np.flatnonzero(good)[np.lexsort((weight[good], y[good], x[good]))]
    column, row = _in_cells(grid, x[order], y[order])
    out = np.full(grid.shape, 1.0 if combine == "noisy_or" else 0.0)
    reach = radius[order] / grid.size_m
    spread_sums(out, column, row, reach, weight[order], SHAPES[shape], COMBINE[combine])
    return 1.0 - out if combine == "noisy_or" else out


def kernel_sum(
    grid: Grid,
    points: Any,
    *,
    bandwidth_m: float,
    kernel: Kernel = "quartic",
    weights: ArrayLike | None = None,
) -> FloatGrid:
    """Turn points into a density by exact kernel sums at the cell centres.

    ``density = sum_i w_i k(d_i / h)`` for ``d_i <= h``, with k scaled so that one point of weight 1
    spreads over the plane to exactly 1; with u = d / h: uniform 1 / (pi h^2), epanechnikov
    2 (1 - u^2) / (pi h^2), quartic 3 (1 - u^2)^2 / (pi h^2), gaussian with sigma = h / 3 cut at h.
    No correction at the border of the place.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).
    bandwidth_m
        Reach h [m].
    kernel
        The form.
    weights
        Weight of each point, shape (n,); 1 by default.

    Returns
    -------
    ndarray
        Weight per area, shape (ny, nx) [1/km2].

    References
    ----------
    Silverman (1986), Density estimation for statistics and data analysis, eq. 4.5.

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 100, 100), crs="EPSG:4548", size_m=100)
    >>> kernel_sum(grid, [shapely.Point(50, 50)], bandwidth_m=1000, kernel="uniform").round(4)
    array([[0.3183]], dtype=float32)
    """
    volume = {
        "uniform": 1.0,
        "epanechnikov": 1 / 2,
        "quartic": 1 / 3,
        "gaussian": (1 - np.exp(-4.5)) / 4.5,
    }[kernel]
    sums = _spread(grid, points, weights, bandwidth_m, shape=kernel, combine="sum")
    sums /= volume * np.pi * (bandwidth_m / 1000) ** 2
    return sums.astype(np.float32)


def decay(
    grid: Grid,
    points: Any,
    *,
    radius_m: ArrayLike,
    strength: ArrayLike,
    combine: Literal["sum", "max", "noisy_or"] = "noisy_or",
) -> FloatGrid:
    """Let the strength of each point fall linearly to 0 at its radius, and join the points.

    ``s_i(d) = strength_i (1 - d / radius_i)``; ``noisy_or = 1 - prod_i (1 - s_i)``, so that many
    sources add up but never pass 1.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).
    radius_m
        Reach of all or of each point, shape () or (n,) [m].
    strength
        Strength at the point, shape (n,) [0..1 for ``noisy_or``].
    combine
        How points join.

    Returns
    -------
    ndarray
        Joined strength, shape (ny, nx) [unit of the strength].

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 300, 100), crs="EPSG:4548", size_m=100)
    >>> decay(grid, [shapely.Point(50, 50)] * 2, radius_m=200, strength=[0.5, 0.5]).tolist()
    [[0.75, 0.4375, 0.0]]
    """
    joined = _spread(grid, points, strength, radius_m, shape="linear", combine=combine)
    return joined.astype(np.float32)


def floating_catchment(
    grid: Grid,
    points: Any,
    *,
    capacity: ArrayLike,
    people: NDArray[Any],
    radius_m: float,
) -> FloatGrid:
    """Count the places per person within reach (two-step floating catchment area).

    ``R_j = capacity_j / people within radius of j``; ``A_c = sum of R_j within radius of cell c``.

    Parameters
    ----------
    grid
        The grid.
    points
        Refuges in the grid's CRS, shape (n,).
    capacity
        Places of each, shape (n,) [persons]; missing counts as 0.
    people
        People in each cell, shape (ny, nx).
    radius_m
        Reach, inclusive [m].

    Returns
    -------
    ndarray
        Places per person, shape (ny, nx); a refuge with nobody in reach gives its cells nothing.

    References
    ----------
    Luo and Wang (2003), doi:10.1068/b29120.

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 300, 100), crs="EPSG:4548", size_m=100)
    >>> people = np.array([[10.0, 30.0, 50.0]])
    >>> refuge = [shapely.Point(50, 50)]
    >>> floating_catchment(grid, refuge, capacity=[20], people=people, radius_m=100).tolist()
    [[0.5, 0.5, 0.0]]
    """
    from riskmap.geo.kernels import catchment_sums

    x, y = point_xy(points)
    column, row = _in_cells(grid, np.nan_to_num(x, nan=-1e12), np.nan_to_num(y, nan=-1e12))
    counted = np.nan_to_num(np.asarray(people, dtype=np.float64))
    demand = catchment_sums(counted, column, row, radius_m / grid.size_m)
    places = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    ratio = np.divide(places, demand, out=np.zeros_like(demand), where=demand > 0)
    reach = _spread(grid, points, ratio, radius_m, shape="uniform", combine="sum")
    return reach.astype(np.float32)

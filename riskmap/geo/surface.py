"""Surfaces from points, lines and elevations: distance, density, decay, low ground, places."""

from __future__ import annotations

from typing import Any, Final, Literal

import numba
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from riskmap.geo.areas import segments
from riskmap.geo.grid import Grid, cell_centres, geometries, point_xy

__all__ = [
    "COMBINE",
    "SHAPES",
    "catchment_sums",
    "decay",
    "distance_to_lines",
    "distance_to_points",
    "floating_catchment",
    "kernel_sum",
    "relative_lowness",
    "spread_sums",
]

FloatGrid = NDArray[np.float32]
Kernel = Literal["uniform", "epanechnikov", "quartic", "gaussian"]


def distance_to_points(grid: Grid, points: Any) -> FloatGrid:
    """Measure the straight distance from each cell centre to the nearest point, exactly.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m]; NaN everywhere when there is no point.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 400, 100), crs="EPSG:4548", size_m=100)
    >>> distance_to_points(grid, [shapely.Point(50, 50)]).tolist()
    [[0.0, 100.0, 200.0, 300.0]]
    """
    x, y = point_xy(points)
    known = np.isfinite(x) & np.isfinite(y)
    distance, _ = _nearest(grid, np.column_stack([x[known], y[known]]))
    return distance.reshape(grid.shape).astype(np.float32)


def _nearest(
    grid: Grid, targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from scipy.spatial import cKDTree

    if not len(targets):
        return np.full(grid.n_cells, np.nan), np.full(grid.n_cells, -1)
    centres = np.column_stack(cell_centres(grid))
    distance, nearest = cKDTree(targets, balanced_tree=False).query(centres, workers=-1)
    return np.asarray(distance), np.asarray(nearest, dtype=np.int64)


def distance_to_lines(grid: Grid, lines: Any) -> FloatGrid:
    """Measure the straight distance from each cell centre to the nearest line.

    Lines are sampled every quarter of a cell; then the distance to the segment of the nearest
    sample is exact. Only where two lines are almost equally near can the farther be taken: the
    result is never too small, and too big by less than an eighth of a cell (size^2 / 128 d at
    distance d).

    Parameters
    ----------
    grid
        The grid.
    lines
        Lines or polygons in the grid's CRS, shape (n,); inside a polygon the distance is 0.

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m]; NaN everywhere when there is no line.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 300, 100), crs="EPSG:4548", size_m=100)
    >>> distance_to_lines(grid, [shapely.LineString([(20, -500), (20, 900)])]).tolist()
    [[30.0, 130.0, 230.0]]
    """
    from rasterio.features import rasterize

    start, end, _ = segments(lines)
    length = np.hypot(*(end - start).T)
    pieces = np.maximum(np.ceil(length * 4 / grid.size_m), 1).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(start)), pieces)
    step = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = step / (pieces[owner] - 1)
    sample = start[owner] + share[:, None] * (end - start)[owner]
    distance, nearest = _nearest(grid, sample)
    if len(sample):
        a, b = start[owner[nearest]], end[owner[nearest]]
        distance = np.minimum(distance, _to_segment(np.column_stack(cell_centres(grid)), a, b))
    field = distance.reshape(grid.shape)
    shapes = geometries(lines)
    solid = shapes[(shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes)]
    if len(solid):
        water = rasterize(solid, out_shape=grid.shape, transform=grid.transform, dtype="uint8")
        field[water > 0] = 0.0
    return field.astype(np.float32)


def _to_segment(
    points: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Measure the distance of each point to its own segment, shape (n,)."""
    along = b - a
    square = np.einsum("ij,ij->i", along, along)
    dot = np.einsum("ij,ij->i", points - a, along)
    t = np.clip(np.divide(dot, square, out=np.zeros_like(dot), where=square > 0), 0.0, 1.0)
    return np.asarray(np.hypot(*(points - a - t[:, None] * along).T))


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
    within: ArrayLike | None = None,
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
    within
        People within the radius of each refuge, shape (n,), where they are known better than by
        the centres of the cells.

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
    x, y = point_xy(points)
    column, row = _in_cells(grid, np.nan_to_num(x, nan=-1e12), np.nan_to_num(y, nan=-1e12))
    counted = np.nan_to_num(np.asarray(people, dtype=np.float64))
    if within is None:
        demand = catchment_sums(counted, column, row, radius_m / grid.size_m)
    else:
        demand = np.nan_to_num(np.asarray(within, dtype=np.float64))
    places = np.nan_to_num(np.asarray(capacity, dtype=np.float64))
    ratio = np.divide(places, demand, out=np.zeros_like(demand), where=demand > 0)
    reach = _spread(grid, points, ratio, radius_m, shape="uniform", combine="sum")
    return reach.astype(np.float32)


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


def relative_lowness(elevation: NDArray[Any], *, size_m: float, radius_m: float) -> FloatGrid:
    """Say how far each cell lies below the mean of its surroundings.

    ``low = mean of z within the radius - z``; positive in hollows, negative on rises. The opposite
    sign of the topographic position index.

    Parameters
    ----------
    elevation
        Elevation z of cells, shape (ny, nx) [m]; NaN = unknown, left out of the mean.
    size_m
        Side of a cell [m].
    radius_m
        Radius of the surroundings between cell centres, inclusive [m].

    Returns
    -------
    ndarray
        Depth below the surroundings, shape (ny, nx) [m]; NaN where z is unknown.

    References
    ----------
    Weiss (2001), Topographic position and landforms analysis, ESRI user conference.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[5.0, 2.0, 5.0]])
    >>> relative_lowness(z, size_m=100, radius_m=100).tolist()
    [[-1.5, 2.0, -1.5]]
    """
    z = np.asarray(elevation, dtype=np.float64)
    known = np.isfinite(z)
    if not known.any():
        return np.full(z.shape, np.nan, dtype=np.float32)
    base = float(z[known].mean())
    rise = np.where(known, z - base, 0.0)
    radius = radius_m / size_m * (1 + 1e-12)
    mean = _disc_sum(rise, radius) / np.maximum(_disc_sum(known.astype(np.float64), radius), 1.0)
    return np.where(known, mean - rise, np.nan).astype(np.float32)


def _disc_sum(values: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Sum the values within a disc around each cell, by running sums along the rows."""
    ny, nx = values.shape
    reach = min(int(radius), max(ny, nx))
    running = np.zeros((ny, nx + 1 + 2 * reach))
    np.cumsum(values, axis=1, out=running[:, reach + 1 : reach + 1 + nx])
    running[:, reach + 1 + nx :] = running[:, [reach + nx]]
    total = np.zeros((ny, nx))
    for step in range(min(reach, ny - 1) + 1):
        half = min(int(np.sqrt(max(radius**2 - step**2, 0.0))), reach)
        last, first = reach + half + 1, reach - half
        strip = running[:, last : last + nx] - running[:, first : first + nx]
        total[: ny - step] += strip[step:]
        if step:
            total[step:] += strip[: ny - step]
    return total

"""Layers onto cells, and cells onto units."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from riskmap.geo.areas import (
    coverage,
    lines_to_cells,
    place_share,
    polygons_to_cells,
    raster_to_cells,
)
from riskmap.geo.grid import Grid
from riskmap.geo.points import point_xy, points_to_cells, unit_of_points

__all__ = [
    "coverage",
    "lines_to_cells",
    "place_share",
    "point_xy",
    "points_to_cells",
    "polygons_to_cells",
    "raster_to_cells",
    "unit_of_points",
    "zonal",
]

Rule = Literal["mean", "population_mean", "sum", "density"]


def zonal(
    grid: Grid,
    cover: sparse.csr_array[Any, tuple[int, int]],
    fields: NDArray[Any],
    *,
    how: Rule = "mean",
    population: NDArray[Any] | None = None,
    place_share: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Take fields on cells together for units, with partly covered cells.

    ``mean = sum(f v) / sum(f)`` over the cells whose value is known, f = coverage;
    ``population_mean`` weighs by f times people (by f alone in a unit without people);
    ``sum = sum(f v / s)``; ``density = sum(f v / s) / sum(f a)`` with cell area a [km2] and the
    share s of the cell that stands in the place, since a count of a cell on the border, such as its
    people, stands in that share only. So units that tile the place share out every count whole.

    Parameters
    ----------
    grid
        The grid.
    cover
        Coverage of cells by units, shape (n, ny * nx).
    fields
        One field, shape (ny, nx), or several, shape (k, ny, nx); NaN = unknown.
    how
        The rule.
    population
        People in each cell, shape (ny, nx), for ``population_mean``.
    place_share
        Fraction of each cell in the place, shape (ny, nx), for ``sum`` and ``density``; 1 by
        default; see `place_share`.

    Returns
    -------
    ndarray
        Value of each unit, shape (n,) or (k, n); NaN where no cell of the unit is known.

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> cover = coverage(grid, [shapely.box(50, 0, 200, 100)])
    >>> zonal(grid, cover, np.array([[1.0, 4.0]])).tolist()
    [3.0]
    """
    flat = np.asarray(fields, dtype=np.float64).reshape(-1, grid.n_cells).T
    known = np.isfinite(flat)
    values = np.where(known, flat, 0.0)
    area = cover @ known
    if how in ("sum", "density"):
        if place_share is not None:
            share = np.asarray(place_share, dtype=np.float64).ravel()[:, None]
            values = np.divide(values, share, out=np.zeros_like(values), where=share > 0)
        result = cover @ values
        if how == "density":
            result = _ratio(result, area * grid.area_km2)
    else:
        result = _ratio(cover @ values, area)
        if how == "population_mean" and population is not None:
            people = np.nan_to_num(np.asarray(population, dtype=np.float64)).ravel()[:, None]
            weight = cover @ (known * people)
            result = np.where(weight > 0, _ratio(cover @ (values * people), weight), result)
    result = np.where(area > 0, result, np.nan).T
    return result[0] if np.ndim(fields) == 2 else result


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide where the divisor is not zero; NaN elsewhere."""
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)

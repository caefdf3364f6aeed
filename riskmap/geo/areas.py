"""Polygons and layers onto cells, by exact coverage, and cells onto units; totals are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy  # its parts are loaded when they are used
import shapely
from numpy.typing import ArrayLike, NDArray

from riskmap.geo.grid import Grid, cell_of, cuts, geometries

if TYPE_CHECKING:
    from riskmap.layers.layer import Raster


__all__ = [
    "cells_under",
    "coverage",
    "lines_to_cells",
    "place_share",
    "polygons_to_cells",
    "raster_to_cells",
    "segments",
    "spread_matrix",
    "zonal",
]

FloatGrid = NDArray[np.float32]
_FILLED = 1e-12
"""Share of a window that may be missing from a piece that fills it: what rounding leaves."""


def coverage(grid: Grid, polygons: Any) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
    """Measure exactly which fraction of each cell each polygon covers.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).

    Returns
    -------
    scipy.sparse.csr_array
        Fractions 0..1, shape (n, ny * nx).

    References
    ----------
    exactextract, https://github.com/isciences/exactextract

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> coverage(grid, [shapely.box(50, 0, 150, 50)]).toarray().tolist()
    [[0.25, 0.25]]
    """
    shapes = shapely.intersection(geometries(polygons), shapely.box(*grid.bounds))
    mixed = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    shapes[mixed] = shapely.buffer(shapes[mixed], 0)  # its polygons; lines and points cover nothing
    solid = (shapely.get_dimensions(shapes) == 2) & (shapely.area(shapes) > 0)
    rows = np.flatnonzero(solid)
    if not len(rows):
        return scipy.sparse.csr_array((len(shapes), grid.n_cells), dtype=np.float64)
    found = cells_under(shapes[rows], bounds=grid.bounds, shape=grid.shape, crs=grid.crs)
    entry = found.tocoo()
    return scipy.sparse.csr_array(
        (entry.data, (rows[entry.coords[0]], entry.coords[1])), shape=(len(shapes), grid.n_cells)
    )


def cells_under(
    shapes: NDArray[np.object_],
    *,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
    crs: Any,
) -> scipy.sparse.csr_array:
    """Measure which fraction of each cell of a raster lies under each polygon.

    By exactextract where it is installed; else by cutting the polygons along the raster's lines,
    which is slower and gives the same numbers.

    Parameters
    ----------
    shapes
        Polygons, valid and not empty, shape (n,).
    bounds
        West, south, east and north end of the raster.
    shape
        Rows and columns of the raster.
    crs
        CRS of both.

    Returns
    -------
    scipy.sparse.csr_array
        Fractions 0..1 in single precision, shape (n, rows * columns).
    """
    try:
        from exactextract import exact_extract
        from exactextract.raster import NumPyRasterSource
    except ImportError:  # there is none for Linux on arm64
        return _ring_by_ring(shapes, bounds=bounds, shape=shape)
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"row": np.arange(len(shapes))}, geometry=shapes, crs=crs)
    ones = NumPyRasterSource(
        np.ones(shape, dtype=np.int8), *bounds, srs_wkt=frame.crs.to_wkt() if frame.crs else None
    )
    found = exact_extract(
        ones, frame, ["cell_id", "coverage"], include_cols=["row"], output="pandas"
    )
    counts = found["cell_id"].map(len).to_numpy()
    at = np.repeat(found["row"].to_numpy(), counts), np.concatenate(found["cell_id"].to_list())
    fraction = np.concatenate(found["coverage"].to_list()).astype(np.float64)
    return scipy.sparse.csr_array((fraction, at), shape=(len(shapes), shape[0] * shape[1]))


def _ring_by_ring(
    shapes: NDArray[np.object_],
    *,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> scipy.sparse.csr_array:
    """Add up what rings cover and take off their holes, in the precision of exactextract."""
    pieces, row = shapely.get_parts(shapes, return_index=True)
    rings, piece = shapely.get_rings(pieces, return_index=True)
    hole = np.append(False, piece[1:] == piece[:-1])
    solid = shapely.intersection(shapely.polygons(rings), shapely.box(*bounds))
    ring, cell, share = _cut(solid, bounds=bounds, shape=shape)
    order = np.lexsort((ring, cell, row[piece[ring]]))
    ring, cell, share = ring[order], cell[order], share[order]
    signed = np.where(hole[ring], -share, share).astype(np.float32)
    place = row[piece[ring]] * (shape[0] * shape[1]) + cell
    first = np.flatnonzero(np.diff(place, prepend=-1))
    summed = np.add.reduceat(signed, first).astype(np.float64) if len(first) else signed
    entries = summed, (row[piece[ring]][first], cell[first])
    return scipy.sparse.csr_array(entries, shape=(len(shapes), shape[0] * shape[1]))


def _cut(
    shapes: NDArray[np.object_],
    *,
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Halve the raster and the pieces of the polygons in it, until a piece fills its window."""
    west, south, east, north = bounds
    ny, nx = shape
    x, y = np.linspace(west, east, nx + 1), np.linspace(north, south, ny + 1)
    cell = (x[-1] - x[0]) / nx * (y[0] - y[-1]) / ny
    row, parts = np.arange(len(shapes)), np.asarray(shapes, dtype=object)
    window = np.tile([0, ny, 0, nx], (len(shapes), 1))  # rows from, to; columns from, to
    found: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    while len(row):
        size = (window[:, 1] - window[:, 0]) * (window[:, 3] - window[:, 2])
        covered = shapely.area(parts) / cell
        one, whole = size == 1, covered >= size * (1 - _FILLED)
        found.append((row[one], window[one, 0] * nx + window[one, 2], covered[one]))
        for at in np.flatnonzero(whole & ~one):
            r0, r1, c0, c1 = window[at]
            cells = (np.arange(r0, r1)[:, None] * nx + np.arange(c0, c1)).ravel()
            found.append((np.full(len(cells), row[at]), cells, np.ones(len(cells))))
        row, parts, window = (v[~(one | whole)] for v in (row, parts, window))
        down = window[:, 1] - window[:, 0] >= window[:, 3] - window[:, 2]
        middle = np.where(down, window[:, :2].sum(axis=1), window[:, 2:].sum(axis=1)) // 2
        first, second = window.copy(), window.copy()
        first[down, 1] = second[down, 0] = middle[down]
        first[~down, 3] = second[~down, 2] = middle[~down]
        row, window = np.tile(row, 2), np.vstack([first, second])
        boxes = shapely.box(x[window[:, 2]], y[window[:, 1]], x[window[:, 3]], y[window[:, 0]])
        parts = shapely.intersection(np.tile(parts, 2), boxes)
        left = shapely.area(parts) > 0
        row, parts, window = row[left], parts[left], window[left]
    rows, cells, fraction = (np.concatenate(v) for v in zip(*found, strict=True))
    return rows, cells, np.minimum(fraction, 1)


def place_share(grid: Grid) -> FloatGrid:
    """Measure which fraction of each cell stands in the place.

    Parameters
    ----------
    grid
        The grid.

    Returns
    -------
    ndarray
        Fractions 0..1, shape (ny, nx); 1 everywhere when the grid does not know its place.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> place_share(make_grid(shapely.box(0, 0, 150, 100), crs="EPSG:4548", size_m=100)).tolist()
    [[1.0, 0.5]]
    """
    if grid.place is None:
        return np.ones(grid.shape, dtype=np.float32)
    return coverage(grid, [grid.place]).toarray().reshape(grid.shape).astype(np.float32)


def polygons_to_cells(
    grid: Grid,
    polygons: Any,
    totals: ArrayLike,
    *,
    weight: NDArray[Any] | None = None,
) -> FloatGrid:
    """Spread a total of each polygon, such as its people, over the cells; the total is kept.

    ``cell = sum_p total_p * share_p * (f_pc * w_c) / sum_c (f_pc * w_c)`` with coverage f, weight w
    and the share of the polygon's area that stands in the place. Cells whose centre is outside the
    place take nothing as long as the polygon also covers a cell inside; where all weights are zero
    the area decides.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).
    totals
        Total of each polygon, shape (n,); a missing total counts as 0.
    weight
        Where in a polygon the total stands, such as metres of road, shape (ny, nx), not negative.

    Returns
    -------
    ndarray
        Sum in each cell, shape (ny, nx) [unit of the totals].

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> polygons_to_cells(grid, [shapely.box(50, 0, 200, 100)], [300]).tolist()
    [[100.0, 200.0]]
    """
    spread = spread_matrix(grid, polygons, weight=weight)
    sums = np.nan_to_num(np.asarray(totals, dtype=np.float64)) @ spread
    return np.asarray(sums).reshape(grid.shape).astype(np.float32)


def spread_matrix(
    grid: Grid,
    polygons: Any,
    *,
    weight: NDArray[Any] | None = None,
    cover: scipy.sparse.csr_array[Any, tuple[int, int]] | None = None,
) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
    """Give the share of each polygon's total that each cell takes; see `polygons_to_cells`.

    Parameters
    ----------
    grid
        The grid.
    polygons
        Polygons in the grid's CRS, shape (n,).
    weight
        Weight of each cell, shape (ny, nx).
    cover
        The polygons' `coverage`, if it is known already.

    Returns
    -------
    scipy.sparse.csr_array
        Shares, shape (n, ny * nx); a row sums to the share of the polygon that stands in the place.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> spread_matrix(grid, [shapely.box(0, 0, 200, 100)]).toarray().tolist()
    [[0.5, 0.5]]
    """
    cover = coverage(grid, polygons) if cover is None else cover
    entry = cover.tocoo()
    row, cell, fraction = entry.coords[0], entry.coords[1], entry.data
    tries = [fraction * grid.inside.ravel()[cell], fraction]
    if weight is not None:
        heavy = np.nan_to_num(np.asarray(weight, dtype=np.float64)).ravel()[cell]
        tries.insert(0, tries[0] * heavy)
    n = cover.shape[0]
    sums = [np.bincount(row, weights=values, minlength=n) for values in tries]
    chosen, total = tries[-1], sums[-1]
    for values, summed in zip(tries[-2::-1], sums[-2::-1], strict=True):
        chosen = np.where((summed > 0)[row], values, chosen)
        total = np.where(summed > 0, summed, total)
    scale = np.divide(_share_in_place(grid, polygons), total, out=np.zeros(n), where=total > 0)
    return scipy.sparse.csr_array((chosen * scale[row], (row, cell)), shape=cover.shape)


def _share_in_place(grid: Grid, polygons: Any) -> NDArray[np.float64]:
    """Give the share of each polygon's area that stands in the place, shape (n,)."""
    shapes = geometries(polygons)
    place = grid.place if grid.place is not None else shapely.box(*grid.bounds)
    shapely.prepare(place)
    share = np.ones(len(shapes))
    part = ~shapely.covered_by(shapes, place) & (shapely.area(shapes) > 0)
    cut = shapely.area(shapely.intersection(shapes[part], place))
    share[part] = cut / shapely.area(shapes[part])
    return share


def lines_to_cells(grid: Grid, lines: Any, *, weights: ArrayLike | None = None) -> FloatGrid:
    """Measure the length of lines in each cell, cut exactly at the cell edges.

    A line along the border of two cells counts by halves in both.

    Parameters
    ----------
    grid
        The grid.
    lines
        Lines (or polygons, whose outlines count) in the grid's CRS, shape (n,).
    weights
        Factor on each line's length, shape (n,); 1 by default, a missing factor counts as 0.

    Returns
    -------
    ndarray
        Length in each cell, shape (ny, nx) [m]; parts outside the grid are left out.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> lines_to_cells(grid, [shapely.LineString([(30, 50), (130, 50)])]).tolist()
    [[70.0, 30.0]]
    """
    start, end, owner = segments(lines)
    a, b = start / grid.size_m, end / grid.size_m
    part, low, high = cuts(a, b)
    middle = a[part] + (b - a)[part] * ((low + high) / 2)[:, None]
    length = np.hypot(*(end - start).T)[part] * (high - low)
    if weights is not None:
        length = length * np.nan_to_num(np.asarray(weights, dtype=np.float64))[owner[part]]
    # A line along the border of two cells counts by halves in both.
    sides = [
        cell_of(grid, middle[:, 0] * grid.size_m + off, middle[:, 1] * grid.size_m + off)
        for off in (-_BORDER_M, _BORDER_M)
    ]
    sides = [np.where(one >= 0, one, other) for one, other in (sides, sides[::-1])]
    cells, half = np.concatenate(sides), np.tile(length / 2, 2)
    good = cells >= 0
    sums = np.bincount(cells[good], weights=half[good], minlength=grid.n_cells)
    return sums.reshape(grid.shape).astype(np.float32)


_BORDER_M = 1e-6


def segments(
    lines: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Take lines apart into straight segments.

    Parameters
    ----------
    lines
        Lines or polygons, shape (n,).

    Returns
    -------
    tuple of ndarray
        Starts and ends, shape (m, 2) [m], and the row of each segment's line, shape (m,).

    Examples
    --------
    >>> start, end, owner = segments([shapely.LineString([(0, 0), (1, 0), (1, 2)])])
    >>> start.tolist(), end.tolist(), owner.tolist()
    ([[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 2.0]], [0, 0])
    """
    shapes = geometries(lines)
    area = np.isin(shapely.get_type_id(shapes), (3, 6))
    if area.any():
        shapes = shapes.copy()
        shapes[area] = shapely.boundary(shapes[area])
    parts, row = shapely.get_parts(shapes, return_index=True)
    line = shapely.get_dimensions(parts) == 1
    parts, row = parts[line], row[line]
    xy, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    return xy[:-1][same], xy[1:][same], np.asarray(row[part[:-1][same]], dtype=np.int64)


def raster_to_cells(
    grid: Grid, rasters: Raster | tuple[Raster, ...], *, how: Literal["mean", "sum"] = "mean"
) -> FloatGrid:
    """Carry rasters in their own grid onto the cells.

    Parameters
    ----------
    grid
        The grid.
    rasters
        One raster, or tiles; where tiles overlap the first counts for a mean.
    how
        ``mean`` for a state such as elevation (area mean of the pixels; bilinear when pixels are
        coarser than cells); ``sum`` for counts such as people, whose total is kept.

    Returns
    -------
    ndarray
        Value of each cell, shape (ny, nx) [unit of the raster]; NaN where nothing is known.

    Examples
    --------
    >>> import shapely
    >>> from riskmap.geo.grid import make_grid
    >>> from riskmap.layers.layer import Raster
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> fine = Raster(np.ones((2, 4), np.float32), (50, 0, 0, 0, -50, 100), "EPSG:4548")
    >>> raster_to_cells(grid, fine, how="sum").tolist()
    [[4.0, 4.0]]
    """
    tiles = rasters if isinstance(rasters, tuple) else (rasters,)
    merged = np.full(grid.shape, np.nan, dtype=np.float32)
    for tile in tiles:
        values = _warp_sum(grid, tile) if how == "sum" else _warp_mean(grid, tile)
        both = np.isfinite(merged) & np.isfinite(values)
        kept = merged + values if how == "sum" else merged
        merged = np.where(both, kept, np.where(np.isfinite(merged), merged, values))
    return merged.astype(np.float32)


def _warp(grid: Grid, values: NDArray[Any], raster: Raster, resampling: Any) -> NDArray[np.float64]:
    from affine import Affine
    from rasterio.warp import reproject

    out = np.full(grid.shape, np.nan, dtype=np.float64)
    reproject(
        values,
        out,
        src_transform=Affine(*raster.transform),
        src_crs=raster.crs,
        src_nodata=np.nan,
        dst_transform=grid.transform,
        dst_crs=grid.crs,
        dst_nodata=np.nan,
        resampling=resampling,
    )
    return out


def _warp_mean(grid: Grid, raster: Raster) -> NDArray[np.float64]:
    from rasterio.warp import Resampling

    coarse = _pixel_m(grid, raster) > grid.size_m
    how = Resampling.bilinear if coarse else Resampling.average
    return _warp(grid, raster.values.astype(np.float32, copy=False), raster, how)


def _pixel_m(grid: Grid, raster: Raster) -> float:
    """Measure the side of the middle pixel in the grid's CRS [m]."""
    from affine import Affine
    from rasterio.warp import transform

    ny, nx = raster.values.shape
    shape = Affine(*raster.transform)
    corners = [shape @ (nx // 2, ny // 2), shape @ (nx // 2 + 1, ny // 2 + 1)]
    x, y = transform(raster.crs, grid.crs, [c[0] for c in corners], [c[1] for c in corners])
    return float(np.hypot(x[1] - x[0], y[1] - y[0]) / np.sqrt(2))


def _warp_sum(grid: Grid, raster: Raster) -> NDArray[np.float64]:
    from rasterio.warp import Resampling

    return _warp(grid, raster.values.astype(np.float64), raster, Resampling.sum)


Rule = Literal["mean", "population_mean", "sum", "density"]


def zonal(
    grid: Grid,
    cover: scipy.sparse.csr_array[Any, tuple[int, int]],
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

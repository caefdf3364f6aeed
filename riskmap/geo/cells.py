"""Cells as polygons; for export only."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike

from riskmap.columns import CELL
from riskmap.geo.grid import Grid, cell_centres, cell_names, inside_cells

__all__ = ["cell_polygons"]


def cell_polygons(grid: Grid, cells: ArrayLike | None = None) -> gpd.GeoDataFrame:
    """Draw cells as squares; for export only.

    Parameters
    ----------
    grid
        The grid.
    cells
        Flat cell indices, shape (n,); the cells inside the place by default.

    Returns
    -------
    geopandas.GeoDataFrame
        Column ``name``, indexed by the flat index ``cell``.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> cell_polygons(grid).geometry.area.tolist()
    [10000.0, 10000.0]
    """
    flat = inside_cells(grid) if cells is None else np.asarray(cells, dtype=np.int64)
    x, y = cell_centres(grid, flat)
    half = grid.size_m / 2
    squares = shapely.box(x - half, y - half, x + half, y + half)
    index = pd.Index(flat, name=CELL)
    return gpd.GeoDataFrame(
        {"name": cell_names(grid, flat)}, index=index, geometry=squares, crs=grid.crs
    )

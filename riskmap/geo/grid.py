"""The metric CRS, the square grid, whatever the extent, and points on its cells and in units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjCRSError

from riskmap.errors import CRSError, LayerError
from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr
    from affine import Affine
    from odc.geo.geobox import GeoBox


__all__ = [
    "CELL",
    "Grid",
    "as_dataset",
    "cell_centres",
    "cell_names",
    "cell_of",
    "cell_polygons",
    "crs_name",
    "cuts",
    "geometries",
    "inside_cells",
    "is_in_china",
    "make_grid",
    "metric_crs",
    "point_xy",
    "points_to_cells",
    "project_points",
    "require_metric",
    "unit_of_points",
]

FloatGrid = NDArray[np.float32]
CELL: Final = "cell"
"""Name of the column with the flat index of cells."""
_WGS84: Final = "EPSG:4326"
CHINA_BOX: Final = (73.5, 3.0, 135.1, 54.0)
"""West, south, east and north [degrees] of the area where CGCS2000 zones are chosen."""
_FIRST_ZONE: Final = (75, 4534)
"""Central meridian [degrees] and EPSG code of the first 3-degree zone without prefix."""


def is_in_china(lon: float, lat: float) -> bool:
    """Say whether a point stands in the box where CGCS2000 zones are used.

    Parameters
    ----------
    lon, lat
        Longitude and latitude [degrees].

    Returns
    -------
    bool
        True inside the box; a box, not a border.

    Examples
    --------
    >>> is_in_china(118.3, 36.8), is_in_china(9.5, 47.2)
    (True, False)
    """
    west, south, east, north = CHINA_BOX
    return west <= lon < east and south <= lat <= north


def metric_crs(lon: float, lat: float) -> CRS:
    """Choose the metric CRS of a place by its centroid.

    In China the CGCS2000 3-degree Gauss-Kruger zone without prefix (EPSG 4534 to 4554), elsewhere
    the UTM zone on WGS 84.

    Parameters
    ----------
    lon, lat
        Centroid of the place [degrees].

    Returns
    -------
    pyproj.CRS
        A projected CRS in metres.

    Raises
    ------
    CRSError
        If the numbers are not a longitude and a latitude, or lie beyond the UTM zones.

    References
    ----------
    EPSG registry, codes 4534 to 4554, 32601 to 32660, 32701 to 32760.

    Examples
    --------
    >>> metric_crs(118.308, 36.827).to_epsg(), metric_crs(9.55, 47.16).to_epsg()
    (4548, 32632)
    """
    if not (-180 <= lon <= 180 and -80 <= lat <= 84):
        raise CRSError(
            text(
                "longitude {lon}, latitude {lat} is not a place with a metric zone; "
                "give longitude and latitude in degrees, in this order",
                lon=lon,
                lat=lat,
            )
        )
    if is_in_china(lon, lat):
        meridian, code = _FIRST_ZONE
        return CRS.from_epsg(code + int((lon + 1.5) // 3) - meridian // 3)
    zone = int((lon + 180) // 6) % 60 + 1
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def require_metric(crs: Any) -> CRS:
    """Return the CRS if lengths and areas can be measured in it.

    Parameters
    ----------
    crs
        Anything that pyproj understands, such as ``EPSG:4548``.

    Returns
    -------
    pyproj.CRS
        The same CRS.

    Raises
    ------
    CRSError
        If it is unknown, geographic, not in metres, or Web Mercator, whose lengths are 13 to 25 %
        too long in China.

    Examples
    --------
    >>> require_metric("EPSG:4548").to_epsg()
    4548
    """
    mend = text("use 'crs: auto', or a zone such as EPSG:4548")
    try:
        known = CRS.from_user_input(crs)
    except ProjCRSError as error:
        raise CRSError(text("the CRS {crs} is unknown; {mend}", crs=crs, mend=mend)) from error
    flat = known.sub_crs_list[0] if known.is_compound else known
    name = crs_name(known)
    if not flat.is_projected:
        raise CRSError(text("{crs} counts in degrees, not in metres; {mend}", crs=name, mend=mend))
    method = flat.coordinate_operation.method_name if flat.coordinate_operation else ""
    if "Pseudo Mercator" in method or "Pseudo-Mercator" in flat.name or "900913" in name:
        raise CRSError(
            text(
                "{crs} (Web Mercator) makes lengths 13-25 % too long and areas 29-56 % too big "
                "in China; {mend}",
                crs=name,
                mend=mend,
            )
        )
    if any(axis.unit_name not in {"metre", "meter"} for axis in flat.axis_info[:2]):
        raise CRSError(text("{crs} does not count in metres; {mend}", crs=name, mend=mend))
    return known


def crs_name(crs: Any) -> str:
    """Name a CRS for readers: its EPSG code and its title.

    Parameters
    ----------
    crs
        Anything that pyproj understands.

    Returns
    -------
    str
        Such as ``EPSG:4548 CGCS2000 / 3-degree Gauss-Kruger CM 117E``.

    Examples
    --------
    >>> crs_name("EPSG:4548")
    'EPSG:4548 CGCS2000 / 3-degree Gauss-Kruger CM 117E'
    """
    known = CRS.from_user_input(crs)
    code = known.to_epsg()
    return f"EPSG:{code} {known.name}" if code else known.name


@cache
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def project_points(
    x: ArrayLike,
    y: ArrayLike,
    *,
    crs: Any,
    source: Any = _WGS84,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Carry points into another CRS, always in the order x (east), y (north).

    Parameters
    ----------
    x, y
        Coordinates in `source`, shape (n,); longitude and latitude [degrees] by default.
    crs
        The target CRS.
    source
        The CRS of the input.

    Returns
    -------
    tuple of ndarray
        Easting and northing, shape (n,) [m for a metric CRS].

    Examples
    --------
    >>> east, north = project_points([118.308], [36.827], crs="EPSG:4548")
    >>> float(east[0].round(3)), float(north[0].round(3))
    (616693.387, 4078110.599)
    """
    known = CRS.from_user_input(source).to_wkt(), CRS.from_user_input(crs).to_wkt()
    east, north = _transformer(*known).transform(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    )
    return np.asarray(east), np.asarray(north)


def thin(xy: NDArray[np.float64], weight: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Keep at most ``most`` places, spread over the whole area.

    The area is parted into squares just large enough; each keeps its place of most weight.

    Parameters
    ----------
    xy
        Places, shape (n, 2) [m].
    weight
        Weight of each place, shape (n,).
    most
        Largest number kept.

    Returns
    -------
    numpy.ndarray
        Positions kept, ascending.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [10.0, 0.0], [1000.0, 0.0]])
    >>> thin(xy, np.array([1.0, 5.0, 1.0]), 2).tolist()
    [1, 2]
    """
    if len(xy) <= most:
        return np.arange(len(xy))
    low = xy.min(axis=0)
    side = float(np.sqrt(np.prod(np.ptp(xy, axis=0) + 1.0) / most))
    while True:
        square = np.floor((xy - low) / side).astype(np.int64)
        key = square[:, 0] * (int(square[:, 1].max()) + 1) + square[:, 1]
        order = np.lexsort((xy[:, 1], xy[:, 0], -weight, key))
        first = order[np.diff(key[order], prepend=-1) != 0]
        if len(first) <= most:
            return np.sort(first)
        side *= 1.1


MAX_CELLS: Final = 40_000_000
"""A bigger grid would not fit into an office machine's memory."""
SLACK_M: Final = 0.001
"""A place that overlaps a cell by less opens no row or column for it [m]."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A square grid in a metric CRS, north up; cells are counted row by row from the north-west.

    A cell owns its west and south edge: x in [west, east), y in [south, north).
    """

    geobox: GeoBox
    inside: NDArray[np.bool_]
    """True where the cell's centre stands in the place, shape (ny, nx)."""
    place: shapely.Geometry | None = None
    """The place in the grid's CRS."""

    @property
    def size_m(self) -> float:
        """Side of a cell [m]."""
        return float(self.geobox.affine.a)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ny, nx = self.geobox.shape
        return int(ny), int(nx)

    @property
    def n_cells(self) -> int:
        """Number of cells of the whole rectangle."""
        return self.shape[0] * self.shape[1]

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to (x, y)."""
        return self.geobox.affine

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        ny, nx = self.shape
        west, north = float(self.transform.c), float(self.transform.f)
        return west, north - ny * self.size_m, west + nx * self.size_m, north

    @property
    def crs(self) -> str:
        """The metric CRS, such as ``EPSG:4548``."""
        return str(self.geobox.crs)

    @property
    def area_km2(self) -> float:
        """Area of one cell [km2]."""
        return self.size_m**2 / 1e6

    def padded(self, cells: int) -> Grid:
        """Give the grid with so many more cells on every side, none of them inside the place.

        Parameters
        ----------
        cells
            How many.

        Returns
        -------
        Grid
            Its cells `cells:-cells` are this grid's.
        """
        from affine import Affine
        from odc.geo.geobox import GeoBox

        (ny, nx), at, size = self.shape, self.transform, self.size_m
        corner = Affine(at.a, at.b, at.c - cells * size, at.d, at.e, at.f + cells * size)
        geobox = GeoBox((ny + 2 * cells, nx + 2 * cells), corner, self.geobox.crs)
        return replace(self, geobox=geobox, inside=np.pad(self.inside, cells))


def as_dataset(table: pd.DataFrame, points: gpd.GeoSeries, crs: Any) -> xr.Dataset:
    """Lay the columns of a table of cells out on their grid.

    Parameters
    ----------
    table
        Shape (cells, columns): numbers.
    points
        The cells' centres, in order.
    crs
        The metric CRS.

    Returns
    -------
    Dataset
        A variable a column, float32, dimensions y (north first) and x [m]; NaN where no cell is.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> at = gpd.GeoSeries.from_xy([50, 150, 50], [150, 150, 50])
    >>> as_dataset(pd.DataFrame({"score": [1, 2, 3]}), at, "EPSG:4548").score.values.tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    import xarray as xr

    x, y = np.round(points.x.to_numpy(), 3), np.round(points.y.to_numpy(), 3)
    xs, columns = np.unique(x, return_inverse=True)
    ys, rows = np.unique(-y, return_inverse=True)
    out = {}
    for name in table.columns:
        values = np.full((len(ys), len(xs)), np.nan, dtype=np.float32)
        values[rows, columns] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        out[str(name)] = (("y", "x"), values)
    return xr.Dataset(out, coords={"y": -ys, "x": xs}, attrs={"crs": str(crs)})


def _place_geometry(place: Any, crs: Any) -> shapely.Geometry:
    """Join a place (geometry in `crs`, or a table in its own CRS) into one valid geometry."""
    if isinstance(place, shapely.Geometry):
        joined = place
    else:
        series = place.geometry.make_valid()
        joined = (series if series.crs is None else series.to_crs(crs)).union_all()
    joined = shapely.make_valid(joined)
    if joined.is_empty or joined.area <= 0:
        raise LayerError(text("the place has no area; check the unit or boundary layer"))
    return joined


def make_grid(place: Any, *, crs: Any, size_m: float) -> Grid:
    """Lay the grid over a place.

    Every cell edge stands at a multiple of the size, so that two runs, and two neighbouring
    places in one CRS, have the same cells.

    Parameters
    ----------
    place
        A polygon in `crs`, or a GeoDataFrame or GeoSeries of polygons in any CRS.
    crs
        The metric CRS of the run.
    size_m
        Side of a cell [m].

    Returns
    -------
    Grid
        ``inside`` marks the cells whose centre is in the place; if the place is so small that it
        holds no centre, the cells that it touches.

    Raises
    ------
    CRSError
        If lengths cannot be measured in `crs`.
    LayerError
        If the size is not a positive number, the place has no area, or the grid is too big.

    Examples
    --------
    >>> grid = make_grid(shapely.box(120, 250, 480, 610), crs="EPSG:4548", size_m=100)
    >>> grid.shape, grid.bounds, int(grid.inside.sum())
    ((5, 4), (100.0, 200.0, 500.0, 700.0), 16)
    """
    metric = require_metric(crs)
    shape, (first_x, first_y), (nx, ny) = cells_over(place, metric=metric, size_m=size_m)
    from affine import Affine
    from odc.geo.geobox import GeoBox

    origin = Affine(size_m, 0, first_x * size_m, 0, -size_m, (first_y + ny) * size_m)
    code = metric.to_epsg()
    geobox = GeoBox((ny, nx), origin, f"EPSG:{code}" if code else metric.to_wkt())
    return Grid(geobox, _inside(shape, geobox), shape)


def cells_over(
    place: Any, *, metric: CRS, size_m: float
) -> tuple[shapely.Geometry, tuple[int, int], tuple[int, int]]:
    """Count the cells of a grid before it is laid.

    Parameters
    ----------
    place
        A polygon in `metric`, or a GeoDataFrame or GeoSeries of polygons in any CRS.
    metric
        The metric CRS of the run.
    size_m
        Side of a cell [m].

    Returns
    -------
    tuple of Geometry and tuple of int and tuple of int
        The place, the first column and row counted from the origin, the numbers of both.

    Raises
    ------
    LayerError
        If the size is not a positive number, the place has no area, or the grid is too big.
    """
    if not (np.isfinite(size_m) and size_m > 0):
        raise LayerError(
            text("the cell size {size} is not a positive number of metres", size=size_m)
        )
    shape = _place_geometry(place, metric)
    west, south, east, north = shape.bounds
    # A place drawn in degrees comes back 1e-9 m off: that much opens no further row of cells.
    first_x = int(np.floor((west + SLACK_M) / size_m))
    first_y = int(np.floor((south + SLACK_M) / size_m))
    nx = max(int(np.ceil((east - SLACK_M) / size_m)) - first_x, 1)
    ny = max(int(np.ceil((north - SLACK_M) / size_m)) - first_y, 1)
    if nx * ny > MAX_CELLS:
        raise LayerError(
            text(
                "a grid of {size} m over this place has {n} cells; use larger cells (grid.size_m)",
                size=size_m,
                n=nx * ny,
            )
        )
    return shape, (first_x, first_y), (nx, ny)


def _inside(place: shapely.Geometry, geobox: GeoBox) -> NDArray[np.bool_]:
    from rasterio.features import rasterize

    burnt: NDArray[np.uint8] = np.zeros(geobox.shape, dtype=np.uint8)
    for touched in (False, True):
        burnt = rasterize(
            [(place, 1)],
            out_shape=geobox.shape,
            transform=geobox.affine,
            all_touched=touched,
            dtype="uint8",
        )
        if burnt.any():
            break
    return burnt.astype(bool)


def cell_of(grid: Grid, x: ArrayLike, y: ArrayLike) -> NDArray[np.int64]:
    """Find the cell of each point.

    Parameters
    ----------
    grid
        The grid.
    x, y
        Points in the grid's CRS, shape (n,) [m].

    Returns
    -------
    ndarray
        Flat cell index, shape (n,); -1 outside the grid or when a coordinate is missing. A point on
        an edge belongs to the cell east and north of it.

    Examples
    --------
    >>> grid = make_grid(shapely.box(0, 0, 300, 200), crs="EPSG:4548", size_m=100)
    >>> cell_of(grid, [50, 100, 299, 300], [150, 100, 0, 0]).tolist()
    [0, 1, 5, -1]
    """
    size = grid.size_m
    ny, nx = grid.shape
    first_x, first_y = _first(grid)
    with np.errstate(invalid="ignore"):
        column = np.floor(np.asarray(x, dtype=np.float64) / size) - first_x
        row = first_y + ny - 1 - np.floor(np.asarray(y, dtype=np.float64) / size)
        good = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
        flat = np.where(good, row * nx + column, -1.0)
    return flat.astype(np.int64)


def _first(grid: Grid) -> tuple[int, int]:
    """Return the column and row number of the south-west cell, from the origin of the CRS."""
    west, south, _, _ = grid.bounds
    return round(west / grid.size_m), round(south / grid.size_m)


def inside_cells(grid: Grid) -> NDArray[np.int64]:
    """List the flat indices of the cells inside the place.

    Parameters
    ----------
    grid
        The grid.

    Returns
    -------
    ndarray
        Flat cell indices in ascending order, shape (n,).

    Examples
    --------
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> inside_cells(grid).tolist()
    [0, 1]
    """
    return np.flatnonzero(grid.inside).astype(np.int64)


def cell_names(grid: Grid, cells: ArrayLike | None = None) -> NDArray[np.object_]:
    """Name cells by their place, so that a name stays when the extent changes.

    Parameters
    ----------
    grid
        The grid.
    cells
        Flat cell indices, shape (n,); all cells inside the place by default.

    Returns
    -------
    ndarray
        Texts such as ``E2431N16210``: the column and row number counted from the origin of the CRS,
        that is easting and northing of the south-west corner divided by the size.

    Examples
    --------
    >>> grid = make_grid(shapely.box(300, 200, 500, 300), crs="EPSG:4548", size_m=100)
    >>> cell_names(grid).tolist()
    ['E3N2', 'E4N2']
    """
    flat = inside_cells(grid) if cells is None else np.asarray(cells, dtype=np.int64)
    ny, nx = grid.shape
    first_x, first_y = _first(grid)
    east = (first_x + flat % nx).astype(str).astype(object)
    north = (first_y + ny - 1 - flat // nx).astype(str).astype(object)
    return np.asarray("E" + east + "N" + north, dtype=object)


def cell_centres(
    grid: Grid, cells: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the centres of cells.

    Parameters
    ----------
    grid
        The grid.
    cells
        Flat cell indices, shape (n,); every cell of the rectangle by default.

    Returns
    -------
    tuple of ndarray
        x and y, shape (n,) [m].

    Examples
    --------
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> [c.tolist() for c in cell_centres(grid)]
    [[50.0, 150.0], [50.0, 50.0]]
    """
    flat = np.arange(grid.n_cells) if cells is None else np.asarray(cells, dtype=np.int64)
    west, _, _, north = grid.bounds
    nx = grid.shape[1]
    x = west + (flat % nx + 0.5) * grid.size_m
    y = north - (flat // nx + 0.5) * grid.size_m
    return x.astype(np.float64), y.astype(np.float64)


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
    import geopandas as gpd
    import pandas as pd

    flat = inside_cells(grid) if cells is None else np.asarray(cells, dtype=np.int64)
    x, y = cell_centres(grid, flat)
    half = grid.size_m / 2
    squares = shapely.box(x - half, y - half, x + half, y + half)
    index = pd.Index(flat, name=CELL)
    return gpd.GeoDataFrame(
        {"name": cell_names(grid, flat)}, index=index, geometry=squares, crs=grid.crs
    )


def geometries(layer: Any) -> NDArray[np.object_]:
    """Return the geometries of a table, a series or an array as an array.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    ndarray
        Geometries, shape (n,).

    Examples
    --------
    >>> geometries([shapely.Point(0, 0)]).shape
    (1,)
    """
    return np.asarray(getattr(layer, "geometry", layer), dtype=object)


def point_xy(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give one point for each row: the point itself, else a point inside its shape.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    tuple of ndarray
        x and y, shape (n,); NaN where the geometry is missing or empty.

    Examples
    --------
    >>> x, y = point_xy([shapely.Point(1, 2), shapely.box(0, 0, 4, 4), None])
    >>> x.tolist(), y.tolist()
    ([1.0, 2.0, nan], [2.0, 2.0, nan])
    """
    shapes = geometries(layer)
    empty, other = shapely.is_empty(shapes), shapely.get_type_id(shapes) > 0
    if empty.any() or other.any():
        shapes = shapes.copy()
        shapes[other] = shapely.point_on_surface(shapes[other])
        shapes[empty] = None
    return shapely.get_x(shapes), shapely.get_y(shapes)


def row_xy(layer: Any) -> NDArray[np.float64]:
    """Give one point for each row, as `point_xy`, in one array.

    Parameters
    ----------
    layer
        GeoDataFrame, GeoSeries or array of geometries, shape (n,).

    Returns
    -------
    ndarray
        Shape (n, 2); NaN where the geometry is missing or empty.

    Examples
    --------
    >>> row_xy([shapely.Point(1, 2), shapely.box(0, 0, 4, 4)]).tolist()
    [[1.0, 2.0], [2.0, 2.0]]
    """
    return np.column_stack(point_xy(layer))


def points_to_cells(grid: Grid, points: Any, *, weights: ArrayLike | None = None) -> FloatGrid:
    """Count points, or sum their weights, in each cell.

    Parameters
    ----------
    grid
        The grid.
    points
        Points in the grid's CRS, shape (n,).
    weights
        Weight of each point, shape (n,); 1 by default, a missing weight counts as 0.

    Returns
    -------
    ndarray
        Sum in each cell, shape (ny, nx) [unit of the weights]; points outside are left out.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> points_to_cells(grid, [shapely.Point(50, 50), shapely.Point(50, 60)]).tolist()
    [[2.0, 0.0]]
    """
    cells = cell_of(grid, *point_xy(points))
    values = None if weights is None else np.nan_to_num(np.asarray(weights, dtype=np.float64))
    good = cells >= 0
    sums = np.bincount(
        cells[good], weights=None if values is None else values[good], minlength=grid.n_cells
    )
    return sums.reshape(grid.shape).astype(np.float32)


def unit_of_points(points: Any, units: Any, *, level: str | None = None) -> NDArray[np.object_]:
    """Find the unit in which each point stands.

    Parameters
    ----------
    points
        Points in the units' CRS, shape (n,).
    units
        GeoDataFrame indexed by ``unit_id`` with ``geometry`` and, for choosing, ``level``.
    level
        The level to look in; by default the smallest unit of any level that holds the point.

    Returns
    -------
    ndarray
        Unit codes, shape (n,); empty text where no unit holds the point. On a shared border the
        smaller unit counts, then the first code.

    Examples
    --------
    >>> import geopandas as gpd
    >>> units = gpd.GeoDataFrame(
    ...     {"level": ["town", "village"]},
    ...     index=["T", "V"],
    ...     geometry=[shapely.box(0, 0, 9, 9), shapely.box(0, 0, 3, 3)],
    ... )
    >>> points = shapely.points([[1, 1], [5, 5], [-1, 0]])
    >>> unit_of_points(points, units).tolist()
    ['V', 'T', '']
    """
    chosen = units if level is None else units[units["level"] == level]
    shapes, codes = geometries(chosen), np.asarray(chosen.index, dtype=object).astype(str)
    x, y = point_xy(points)
    found = np.full(len(x), "", dtype=object)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(shapes) or not len(known):
        return found
    tree = shapely.STRtree(shapes)
    at, row = tree.query(shapely.points(x[known], y[known]), predicate="intersects")
    area = shapely.area(shapes)
    # twelve digits of the largest: like shapes are alike in metres and in degrees
    digits = 12 - int(np.ceil(np.log10(max(area.max(), np.finfo(float).tiny))))
    order = np.lexsort((codes[row], np.round(area, digits)[row], at))
    at, row = at[order], row[order]
    first = np.ones(len(at), dtype=bool)
    first[1:] = at[1:] != at[:-1]
    found[known[at[first]]] = codes[row[first]]
    return found


def cuts(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Cut segments at whole numbers of their coordinates.

    Parameters
    ----------
    a, b
        Starts and ends in units of the cell size, shape (n, 2).

    Returns
    -------
    tuple of ndarray
        Segment, from and to share of its length, 0..1.
    """
    owners, times = [np.repeat(np.arange(len(a)), 2)], [np.tile([0.0, 1.0], len(a))]
    for axis in (0, 1):
        low = np.ceil(np.minimum(a[:, axis], b[:, axis]))
        count = np.floor(np.maximum(a[:, axis], b[:, axis])) - low + 1
        count = np.maximum(count, 0).astype(np.int64)
        owner = np.repeat(np.arange(len(a)), count)
        step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        span = (b - a)[owner, axis]
        level = span != 0
        owner, step, span = owner[level], step[level], span[level]
        times.append(np.clip((low[owner] + step - a[owner, axis]) / span, 0.0, 1.0))
        owners.append(owner)
    owner, time = np.concatenate(owners), np.concatenate(times)
    order = np.lexsort((time, owner))
    owner, time = owner[order], time[order]
    same = (owner[1:] == owner[:-1]) & (time[1:] > time[:-1])
    return owner[:-1][same], time[:-1][same], time[1:][same]

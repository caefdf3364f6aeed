"""Rasters: one band, cut to the place, unknown as NaN."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.formats import raster_driver, tags_lead_on
from riskmap.i18n import text
from riskmap.layers.layer import Raster, Remark, unusable
from riskmap.layers.place.datum import crs_name
from riskmap.vocabulary.columns import WGS84

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.layers.layer import LayerSpec

    Coefficients = tuple[float, float, float, float, float, float]


MAX_CELLS: Final = 64_000_000
"""Cells of a raster held in memory; larger ones are read coarser."""
MARGIN_CELLS: Final = 4


def read_raster(
    spec: LayerSpec,
    place: Any,
    *,
    unit: str = "",
    max_cells: int = MAX_CELLS,
    covering: bool = True,
    margin_m: float = 0.0,
) -> tuple[Raster, list[Remark]]:
    """Read the part of a raster that covers the place.

    Parameters
    ----------
    spec
        The source; ``layer`` may name the band from 1.
    place
        The place in EPSG:4326, or None for the whole raster.
    unit
        Unit of the values, carried along.
    max_cells
        Most cells to hold; a larger part is averaged to fewer while reading.
    covering
        Whether every part of the place should have a value, as of heights, but not of depths.
    margin_m
        How far around the place is read, since ground does not end at the border [m].

    Returns
    -------
    tuple of Raster and list of Remark
        Values float32 in the raster's own grid, and what is to be said.

    Raises
    ------
    LayerError
        When the file is no raster, has no CRS or does not touch the place.
    """
    from rasterio.enums import Resampling
    from rasterio.errors import RasterioError

    source = _open(spec)
    with source:
        crs = _crs(source, spec)
        band = _band(source, spec)
        window = _window(source, crs, place, margin_m)
        step = max(1.0, float(np.sqrt(window.width * window.height / max_cells)))
        shape = (max(1, round(window.height / step)), max(1, round(window.width / step)))
        remarks = _remarks(source, band, step)
        try:
            data = (_with_nodata(source, band, window) if step > 1 else source).read(
                band,
                window=window,
                out_shape=shape,
                masked=True,
                resampling=Resampling.average if step > 1 else Resampling.nearest,
            )
        except RasterioError as error:
            raise _broken(error) from error
        transform = _transform(source, window, window.width / shape[1], window.height / shape[0])
        values = np.ma.filled(data.astype(np.float32), np.nan)
        values = _scaled(values, source, band)
        values[~np.isfinite(values)] = np.nan
        remarks += _without_marks(values)
        if covering:
            remarks += _without_halves(values)
            remarks += _without_holes(values)
        if not np.isfinite(values).any():
            raise unusable(
                "no_values",
                text("the raster has no value in the place"),
                text("give a raster that covers the place"),
            )
        remarks += _look(values, source, band)
        if place is not None:
            # where nobody lives and where nothing floods a raster may well be blank
            known = values if covering else np.zeros_like(values)
            remarks += _coverage(known, transform, crs, place)
    return Raster(values, transform, crs, unit), remarks


def _open(spec: LayerSpec) -> Any:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    driver = raster_driver(spec.path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(spec.path, driver=driver)
        tags_lead_on(source.tags(ns="OVERVIEWS"))
    except RasterioError as error:
        raise _broken(error) from error
    return source


def _broken(error: Exception) -> Exception:
    return unusable(
        "broken_raster",
        text("the raster cannot be read"),
        text("copy the file again, whole, or save it as GeoTIFF again"),
        value=str(error.__cause__ or error),
    )


def _band(source: Any, spec: LayerSpec) -> int:
    """Return the number of the band to read, the first when none is named."""
    named = spec.layer or "1"
    if named.isdecimal() and 1 <= int(named) <= source.count:
        return int(named)
    raise unusable(
        "no_band",
        text("the raster has no band {band}", band=named),
        text("give layer: a number from 1 to {n}", n=source.count),
    )


def _transform(source: Any, window: Any, wide: float, high: float) -> Coefficients:
    """Return the coefficients of a window whose cells are ``wide`` by ``high`` source cells."""
    a, b, c, d, e, f = tuple(source.transform)[:6]
    left, top = window.col_off, window.row_off
    return (
        float(a * wide),
        float(b * high),
        float(a * left + b * top + c),
        float(d * wide),
        float(e * high),
        float(d * left + e * top + f),
    )


def _scaled(values: NDArray[np.float32], source: Any, band: int) -> NDArray[np.float32]:
    scale, offset = source.scales[band - 1], source.offsets[band - 1]
    if scale == 1.0 and offset == 0.0:
        return values
    return (values * np.float32(scale) + np.float32(offset)).astype(np.float32)


def _crs(source: Any, spec: LayerSpec) -> str:
    if spec.crs:
        return spec.crs
    if source.crs is None:
        raise unusable(
            "no_crs",
            text("the raster does not say its coordinate system"),
            text(
                "declare it in the project file, such as crs: EPSG:4326, or write it into the file"
            ),
        )
    from pyproj import CRS

    parsed = CRS.from_wkt(source.crs.to_wkt())
    name = crs_name(parsed)
    return name if ":" in name else str(source.crs.to_wkt())


def _window(source: Any, crs: str, place: Any, margin_m: float) -> Any:
    """Return the window of the place with a margin, and of some cells at least."""
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window

    whole = Window(0, 0, source.width, source.height)
    if place is None:
        return whole
    around = around_place(place, margin_m)
    west, south, east, north = transform_bounds(WGS84, crs, *around, densify_pts=21)
    a, b, c, d, e, f = tuple(source.transform)[:6]
    corners = np.array([[west, west, east, east], [south, north, south, north]]) - [[c], [f]]
    column, row = np.linalg.solve(np.array([[a, b], [d, e]]), corners)
    left, top = np.floor(column.min()) - MARGIN_CELLS, np.floor(row.min()) - MARGIN_CELLS
    right, bottom = np.ceil(column.max()) + MARGIN_CELLS, np.ceil(row.max()) + MARGIN_CELLS
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, source.width), min(bottom, source.height)
    if right <= left or bottom <= top:
        raise unusable(
            "outside_place",
            text("the raster does not touch the place"),
            text("give a raster that covers the place, or check its coordinate system"),
        )
    return Window(int(left), int(top), int(right - left), int(bottom - top))


def around_place(place: Any, margin_m: float) -> tuple[float, float, float, float]:
    """Give the bounds of a place with a margin.

    Parameters
    ----------
    place
        A geometry in EPSG:4326.
    margin_m
        Margin [m].

    Returns
    -------
    tuple of float
        West, south, east, north [degrees].
    """
    west, south, east, north = place.bounds
    high = margin_m / 111_000.0
    wide = high / max(np.cos(np.radians(min(max(abs(south), abs(north)), 89.0))), 0.01)
    return west - wide, south - high, east + wide, north + high


def _remarks(source: Any, band: int, step: float) -> list[Remark]:
    remarks = []
    if source.count > 1:
        remarks.append(
            Remark(
                "bands",
                text("of {n} bands band {band} was read", n=source.count, band=band),
                text("name another with layer:"),
            )
        )
    if step > 1.0:
        remarks.append(
            Remark(
                "coarser",
                text(
                    "the raster is large and was averaged to {step}x wider cells",
                    step=f"{step:.1f}",
                ),
                text("nothing to do"),
            )
        )
    return remarks


_MARKS: Final = (
    -999.0, -9999.0, -99999.0, -999999.0, -32768.0, -32767.0, -3.4028235e38, -1e20, -1e30, -9999.9,
    9999.0, 99999.0, 999999.0, 32767.0, 65535.0, 3.4028235e38, 1e20, 1e30, 1e10,
)  # fmt: skip
"""Numbers that programs write where nothing is known."""
_APART: Final = 3.0


def _without_marks(values: NDArray[np.float32]) -> list[Remark]:
    """Take numbers that mark nothing known, though the file does not say so, as unknown."""
    out = []
    marked = np.isin(values, np.array(_MARKS, dtype=np.float32))
    for end in (np.nanmin, np.nanmin, np.nanmax, np.nanmax):
        known = values[np.isfinite(values)]
        if not len(known):
            break
        extreme = float(end(known))
        mark = next((m for m in _MARKS if np.isclose(extreme, m, rtol=1e-6)), None)
        hit = values == np.float32(extreme)
        rest = values[np.isfinite(values) & ~hit & ~marked]
        if mark is None or not len(rest) or not _far_off(extreme, rest):
            continue
        values[hit] = np.nan
        said = text(
            "{n} cells hold {mark}, which looks like no data; taken as unknown",
            n=int(hit.sum()),
            mark=f"{mark:g}",
        )
        out.append(Remark("nodata_found", said, text("set nodata in the file")))
    return out


_SAMPLE: Final = 1000


def _with_nodata(source: Any, band: int, window: Any) -> Any:
    """Let cells that hold an undeclared mark of nothing known stay out of averages."""
    from rasterio.vrt import WarpedVRT

    _, b, _, d, _, _ = tuple(source.transform)[:6]
    if source.nodata is not None or b or d or source.crs is None:
        return source
    shape = (min(int(window.height), _SAMPLE), min(int(window.width), _SAMPLE))
    sample = source.read(band, window=window, out_shape=shape).astype(np.float32)
    before = sample.copy()
    _without_marks(sample)
    marks, counts = np.unique(before[np.isnan(sample) & ~np.isnan(before)], return_counts=True)
    if not len(marks):
        return source
    mark = float(marks[counts.argmax()])
    return WarpedVRT(source, src_nodata=mark, nodata=mark)


_LOWEST_M: Final = -500.0
_HIGHEST_M: Final = 9000.0
"""No ground lies below or above."""
_REACH: Final = 2
"""Cells to which averaging carries a number that stands for nothing known."""


def _without_halves(values: NDArray[np.float32]) -> list[Remark]:
    """Take heights that no ground has as unknown, and what averaging may have made of them.

    Where -9999 stood for nothing known and a program averaged the cells, the edge holds numbers
    between it and the ground; the outermost of them look like ground.
    """
    from scipy.ndimage import binary_dilation

    with np.errstate(invalid="ignore"):
        half = (values < _LOWEST_M) | (values > _HIGHEST_M)
    if not half.any() or half.sum() > np.isfinite(values).sum() / 2:
        return []
    around = binary_dilation(half, np.ones((3, 3), dtype=bool), iterations=_REACH)
    around &= np.isfinite(values)
    values[around] = np.nan
    said = text(
        "{n} cells hold heights that no ground has, or lie beside such; taken as unknown",
        n=int(around.sum()),
    )
    return [Remark("nodata_found", said, text("set nodata in the file before it is averaged"))]


_HOLE_CELLS: Final = 4
_HOLE_M: Final = 5.0
_HOLES: Final = (-1.0, 0.0, -9.0, -99.0)


def _without_holes(values: NDArray[np.float32]) -> list[Remark]:
    """Take a number that stands for nothing known in heights as unknown, though it is near them.

    Ground has every height between its lowest and its highest; cells that all hold one round
    number, with no other within some metres, were never measured.
    """
    out = []
    for mark in _HOLES:
        hit = values == np.float32(mark)
        rest = values[np.isfinite(values) & ~hit]
        n = int(hit.sum())
        if (
            n < _HOLE_CELLS
            or len(rest) < n
            or float(np.abs(rest - np.float32(mark)).min()) < _HOLE_M
        ):
            continue
        values[hit] = np.nan
        said = text(
            "{n} cells hold {mark}, and no other cell comes within {gap} m of it; taken as unknown",
            n=n, mark=f"{mark:g}", gap=f"{_HOLE_M:g}",
        )  # fmt: skip
        out.append(Remark("nodata_found", said, text("set nodata in the file")))
    return out


def _far_off(extreme: float, rest: NDArray[np.float32]) -> bool:
    """Tell whether a number lies far from all others, as no measured value does."""
    low, high = float(rest.min()), float(rest.max())
    span = max(high - low, 1.0)
    gap = low - extreme if extreme < low else extreme - high
    return gap > _APART * span and gap > 500.0


_WHOLE: Final = 0.995


def _coverage(
    values: NDArray[np.float32], transform: Coefficients, crs: str, place: Any
) -> list[Remark]:
    """Say what share of the place has a value."""
    import geopandas as gpd
    from rasterio.features import geometry_mask
    from rasterio.transform import Affine

    shape = gpd.GeoSeries([place], crs=WGS84).to_crs(crs).iloc[0]
    a, b, _, d, e, _ = transform
    cell = abs(a * e - b * d)
    if shape.is_empty or cell <= 0.0:
        return []
    inside = geometry_mask([shape], values.shape, Affine(*transform), invert=True)
    all_cells = max(float(shape.area / cell), float(inside.sum()), 1.0)
    share = float((inside & np.isfinite(values)).sum()) / all_cells
    if share >= _WHOLE or all_cells < 20.0:
        return []
    said = text(
        "the raster has values in {share} percent of the place; elsewhere nothing is known from it",
        share=f"{100.0 * share:.0f}",
    )
    mend = text("give the neighbouring tile too, or a raster that covers the place")
    return [Remark("part_covered", said, mend)]


def _look(values: NDArray[np.float32], source: Any, band: int) -> list[Remark]:
    """Say what the numbers suggest: zeros that may be water, whole-number steps."""
    remarks = []
    kind = source.dtypes[band - 1]
    zeros = int((values == 0.0).sum())
    if source.nodata is None and kind in ("uint8", "uint16") and zeros:
        remarks.append(
            Remark(
                "zero_kept",
                text(
                    "nothing marks unknown cells; {n} cells are 0 and were kept, maybe water",
                    n=zeros,
                ),
                text("set nodata in the file if 0 means unknown"),
            )
        )
    known = values[np.isfinite(values)]
    if (
        len(known) > 100
        and len(np.unique(known[:100_000])) > 3
        and bool((known == np.round(known)).all())
    ):
        remarks.append(
            Remark(
                "whole_steps",
                text("the values are whole numbers; slopes and small depths are coarse"),
                text("give a finer raster if there is one"),
            )
        )
    return remarks

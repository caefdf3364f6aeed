"""Pictures under the map, such as an image map saved beforehand, put into the page itself."""

from __future__ import annotations

import base64
import math
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import ExportError, LayerError, Problem
from riskmap.formats import raster_driver
from riskmap.i18n import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.export.onemap.pack import Packer

__all__ = [
    "PHOTO",
    "backdrop_parts",
    "backdrop_problems",
    "hillshade",
    "photo_files",
    "photo_parts",
    "read_backdrops",
    "relief_part",
]

PHOTO: Final = "photo"
"""Name of the field that holds a picture's path, relative to the folder of its ledger."""
MOST_BYTES: Final = 200_000
"""A larger picture is left out."""
MOST_IN_ALL: Final = 4_000_000
"""When a layer's pictures are larger than this together, the rest are left out."""
_KINDS: Final = {b"\xff\xd8\xff": "jpeg", b"\x89PNG\r\n\x1a\n": "png"}


def photo_parts(result: Any, layer: Any, packer: Packer) -> dict[str, Any]:
    """Pack the photos of a layer's objects.

    A photo is a JPEG or PNG file in or below the folder of the ledger that names it. Whatever else
    a cell says (an address, a path that leads elsewhere, a file that is missing or too large) is
    counted, not shown.

    Parameters
    ----------
    result
        The run's result.
    layer
        One of its layers.
    packer
        Takes the bytes.

    Returns
    -------
    dict
        Empty, or ``photos_left_out`` and, when there is any, ``photo``: ``of`` (number of each
        row's picture, 0 = none), ``sizes`` [bytes], ``kinds`` and ``bytes`` in a block of its own.
    """
    table = layer.table
    if result.facts.profile == "public" or PHOTO not in table or "_file" not in table:
        return {}
    folders = {source.shown: Path(source.path).parent for source in layer.sources}
    found: dict[tuple[Any, Any], bytes] = {}
    room = MOST_IN_ALL
    for named in dict.fromkeys(zip(table["_file"], table[PHOTO], strict=True)):
        if not pd.isna(named[1]) and str(named[1]).strip():
            found[named] = _inlined(folders.get(named[0]), str(named[1]).strip(), room)
            room -= len(found[named])
    if not found:
        return {}
    rows = [found.get(key, b"") for key in zip(table["_file"], table[PHOTO], strict=True)]
    left_out = {"photos_left_out": sum(not raw for raw in found.values())}
    return left_out | ({"photo": _packed(rows, packer)} if any(rows) else {})


def _packed(rows: Sequence[bytes], packer: Packer) -> dict[str, Any]:
    """Pack each different picture once, in a block that is unpacked when one is shown."""
    pictures = list(dict.fromkeys(raw for raw in rows if raw))
    number = {raw: place for place, raw in enumerate(pictures, start=1)}
    return {
        "of": packer.integers(np.array([number.get(raw, 0) for raw in rows])),
        "sizes": packer.integers(np.array([len(raw) for raw in pictures])),
        "kinds": [_kind(raw) for raw in pictures],
        "bytes": packer.array(np.frombuffer(b"".join(pictures), np.uint8), block=packer.block()),
    }


def _kind(raw: bytes) -> str:
    """Tell a picture by its first bytes, blank when it is none that is shown."""
    return next((kind for magic, kind in _KINDS.items() if raw.startswith(magic)), "")


def _inlined(folder: Path | None, named: str, room: int) -> bytes:
    """Read a picture, nothing when it may not or cannot be shown."""
    path = _photo_path(folder, named)
    if path is None:
        return b""
    try:
        raw = path.read_bytes()
    except OSError:
        return b""
    return raw if _kind(raw) and len(raw) <= room else b""


def _photo_path(folder: Path | None, named: str) -> Path | None:
    """Find a picture, None when it may not be shown or is not there."""
    if folder is None:
        return None
    try:
        path = (folder / named.replace("\\", "/")).resolve(strict=True)
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
        return path if inside and path.stat().st_size <= MOST_BYTES else None
    except (OSError, ValueError, RuntimeError):
        return None


def photo_files(layer: Any) -> dict[str, Path]:
    """List the pictures that a layer's rows name and that may be read.

    Parameters
    ----------
    layer
        A layer.

    Returns
    -------
    dict
        Name beside the ledger, as shown, to path.
    """
    table = layer.table
    if table is None or PHOTO not in table or "_file" not in table:
        return {}
    folders = {source.shown: Path(source.path).parent for source in layer.sources}
    found = {}
    named_rows = table.loc[table[PHOTO].notna(), ["_file", PHOTO]].drop_duplicates()
    for shown, cell in named_rows.itertuples(index=False, name=None):
        named = str(cell).strip()
        path = _photo_path(folders.get(shown), named) if named else None
        if path is not None:
            found[(Path(shown).parent / named.replace("\\", "/")).as_posix()] = path
    return found


SIDE: Final = 2048
"""Longest side of a picture in the page [px]."""
MARGIN: Final = 0.1
"""Share of the place's size that is kept around it."""
QUALITY: Final = 82
_MERCATOR: Final = "EPSG:3857"
_RADIUS: Final = 6378137.0
_PAPER: Final = (233, 237, 240)
"""Colour of the page where a picture has none."""
_COLOURED: Final = 3


def backdrop_problems(sources: Sequence[tuple[str, Path]]) -> list[Problem]:
    """Say which pictures cannot be put under the map, before anything is computed.

    Parameters
    ----------
    sources
        Each file as the project file writes it, and its path.

    Returns
    -------
    list
        One problem a file; empty when all can be used.
    """
    import rasterio

    found = []
    for shown, path in sources:
        try:
            with _quiet(), rasterio.open(path, driver=raster_driver(path)) as source:
                known, fit = source.crs is not None, set(source.dtypes) == {"uint8"}
        except (rasterio.errors.RasterioError, LayerError, OSError):
            said = text("the picture under the map cannot be read")
            mend = text("give a GeoTIFF or MBTiles file that exists")
        else:
            if known and fit:
                continue
            if known:
                said = text("the picture under the map has no 8-bit colours")
                mend = text("convert it: gdal_translate -ot Byte -scale IN OUT")
            else:
                said = text("the picture under the map has no coordinate system")
                mend = text("give a GeoTIFF with its coordinates, in CGCS2000 or WGS-84")
        found.append(
            Problem(
                severity="unusable", role="", rule="backdrop", message=said, mend=mend,
                file=shown, field="outputs.tiles",
            )
        )  # fmt: skip
    return found


def read_backdrops(
    sources: Iterable[tuple[str, Path]], units: gpd.GeoDataFrame
) -> list[dict[str, Any]]:
    """Read pictures as the page takes them: warped to its projection, cut to the place.

    Parameters
    ----------
    sources
        Each file as the project file writes it, and its path.
    units
        The run's units, whose surroundings are kept.

    Returns
    -------
    list of dict
        ``{data, south, west, north, east}``, see `page.render`.

    Raises
    ------
    ExportError
        A picture lies elsewhere.
    """
    box = [float(v) for v in units.to_crs(_MERCATOR).total_bounds]
    room = MARGIN * max(box[2] - box[0], box[3] - box[1])
    wanted = (box[0] - room, box[1] - room, box[2] + room, box[3] + room)
    return [_read(shown, path, wanted) for shown, path in sources]


def backdrop_parts(pictures: Iterable[Mapping[str, Any]], packer: Packer) -> list[dict[str, Any]]:
    """Pack pictures, each in a block of its own that is unpacked when it is shown.

    Parameters
    ----------
    pictures
        From `read_backdrops`.
    packer
        Takes the bytes.

    Returns
    -------
    list of dict
        JSON header: ``type``, ``bytes`` and the bounds.

    Raises
    ------
    ExportError
        A picture is no ``data:`` address.
    """
    parts = []
    for picture in pictures:
        kind, _, body = str(picture["data"]).partition(";base64,")
        if not kind.startswith("data:image/") or not body:
            raise ExportError(text("a picture under the map must be given as a data: address"))
        raw = np.frombuffer(base64.b64decode(body), np.uint8)
        sides = {side: float(picture[side]) for side in ("south", "west", "north", "east")}
        packed = packer.array(raw, block=packer.block())
        parts.append({"type": kind.removeprefix("data:"), "bytes": packed, **sides})
    return parts


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a picture without coordinates from being warned about: it is refused in words."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Dataset has no geotransform")
        yield


def _read(shown: str, path: Path, wanted: tuple[float, ...]) -> dict[str, Any]:
    """Read the part of a picture that is wanted."""
    import rasterio
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.vrt import WarpedVRT
    from rasterio.windows import from_bounds

    with rasterio.open(path, driver=raster_driver(path)) as source:
        palette = source.colormap(1) if source.colorinterp[0] == ColorInterp.palette else None
        how = Resampling.nearest if palette else Resampling.bilinear
        clear = ColorInterp.alpha not in source.colorinterp
        with WarpedVRT(source, crs=_MERCATOR, resampling=how, add_alpha=clear) as view:
            west, south = max(wanted[0], view.bounds.left), max(wanted[1], view.bounds.bottom)
            east, north = min(wanted[2], view.bounds.right), min(wanted[3], view.bounds.top)
            if west >= east or south >= north:
                raise ExportError(
                    text(
                        "outputs.tiles: {file}: the picture lies outside the place; "
                        "check its coordinates",
                        file=shown,
                    )
                )
            window = from_bounds(west, south, east, north, view.transform)
            scale = min(1.0, SIDE / max(window.width, window.height))
            shape = (max(1, round(window.height * scale)), max(1, round(window.width * scale)))
            bands = view.read(window=window, out_shape=(view.count, *shape), resampling=how)
    return {"data": _jpeg(_coloured(bands, palette)), **_degrees(west, south, east, north)}


def _coloured(
    bands: NDArray[np.uint8], palette: Mapping[int, Sequence[int]] | None
) -> NDArray[np.uint8]:
    """Make red, green and blue of the bands, of which the last says what is there."""
    shown = bands[:-1]
    if palette is not None:
        table = np.zeros((256, 3), np.uint8)
        for value, colour in palette.items():
            table[value] = colour[:3]
        shown = table[bands[0]].transpose(2, 0, 1)
    elif len(shown) < _COLOURED:
        shown = np.repeat(shown[:1], 3, axis=0)
    part = bands[-1].astype(np.float32) / 255
    paper = np.array(_PAPER, np.float32)[:, None, None]
    mixed: NDArray[np.uint8] = np.rint(shown[:3] * part + paper * (1 - part)).astype(np.uint8)
    return mixed


def _jpeg(colours: NDArray[np.uint8]) -> str:
    """Write a picture as a ``data:`` address."""
    from rasterio.io import MemoryFile

    _, high, wide = colours.shape
    with _quiet(), MemoryFile() as memory:
        with memory.open(
            driver="JPEG", width=wide, height=high, count=3, dtype="uint8", quality=QUALITY
        ) as target:
            target.write(colours)
        raw = memory.read()
    return "data:image/jpeg;base64," + base64.b64encode(raw).decode("ascii")


def _degrees(west: float, south: float, east: float, north: float) -> dict[str, float]:
    """Turn places of the page's projection into degrees.

    Examples
    --------
    >>> _degrees(0.0, 0.0, 111319.49079327358, 0.0)["east"]
    1.0
    """
    latitudes = [
        math.degrees(2 * math.atan(math.exp(y / _RADIUS)) - math.pi / 2) for y in (south, north)
    ]
    longitudes = [math.degrees(x / _RADIUS) for x in (west, east)]
    return {
        "south": latitudes[0],
        "west": longitudes[0],
        "north": latitudes[1],
        "east": longitudes[1],
    }


RELIEF_SIDE: Final = 720
"""Longest side of the relief [px]."""
RELIEF_QUALITY: Final = 62
_SUN: Final = (math.radians(315), math.radians(45))
_STEEP: Final = 0.35
"""Slopes of the steepest hundredth are drawn as steep as this [m/m]; flat country is raised."""
_RAISED: Final = (1.0, 25.0)
RELIEF_ROOM: Final = 0.35
"""Share of the place's size that the relief shows around it; towards its edge it fades."""
_FADE: Final = 0.6
_DARKEST: Final = 0.52
"""Part of the light that the darkest slope keeps."""


def hillshade(height: NDArray[Any], cell_m: float) -> NDArray[np.float64]:
    r"""Light heights from the north-west; level ground is white.

    .. math:: s = \frac{\cos\theta}{\sin\alpha}, \qquad
              \cos\theta = \frac{\sin\alpha - \cos\alpha\,(p\sin\varphi + q\cos\varphi)}
              {\sqrt{1 + p^2 + q^2}}

    with the slopes p to the east and q to the north.

    Parameters
    ----------
    height
        Heights, shape (rows, columns), first row in the north [m]; NaN where unknown.
    cell_m
        Side of a cell [m].

    Returns
    -------
    ndarray
        Light from 0 to 1, 1 on level and on sunny ground and where heights are unknown.

    Examples
    --------
    >>> flat = np.zeros((3, 3))
    >>> float(hillshade(flat, 10.0).min())
    1.0
    >>> falls_east = -np.tile(np.arange(4.0), (4, 1)) * 10
    >>> bool((hillshade(falls_east, 10.0) < 1).all())
    True
    """
    known = np.isfinite(height)
    filled = np.where(known, height, np.nanmean(height) if known.any() else 0.0)
    south, east = np.gradient(filled, cell_m)
    slope = np.hypot(east, south)
    high = float(np.percentile(slope[known], 99)) if known.any() else 0.0
    raised = float(np.clip(_STEEP / high, *_RAISED)) if high > 0 else 1.0
    p, q = east * raised, -south * raised
    turn, above = _SUN
    light = math.sin(above) - math.cos(above) * (p * math.sin(turn) + q * math.cos(turn))
    lit = light / np.sqrt(1 + p**2 + q**2) / math.sin(above)
    out: NDArray[np.float64] = np.where(known, np.clip(lit, 0.0, 1.0), 1.0)
    return out


def relief_part(result: Any, packer: Packer) -> dict[str, Any] | None:
    """Pack the shaded relief of the place and its surroundings.

    Parameters
    ----------
    result
        The run's result.
    packer
        Takes the bytes.

    Returns
    -------
    dict or None
        As `backdrop_parts` gives; None without heights.
    """
    from pyproj import Transformer

    layer = result.layers.get("dem")
    if layer is None or not layer.rasters:
        return None
    box = [float(v) for v in result.units.to_crs(_MERCATOR).total_bounds]
    room = RELIEF_ROOM * max(box[2] - box[0], box[3] - box[1])
    west, south, east, north = (
        box[0] - room, box[1] - room, box[2] + room, box[3] + room,
    )  # fmt: skip
    scale = RELIEF_SIDE / max(east - west, north - south)
    shape = (max(2, round((north - south) * scale)), max(2, round((east - west) * scale)))
    heights = _heights(layer.rasters, (west, south, east, north), shape)
    if not np.isfinite(heights).any() or np.nanmax(heights) == np.nanmin(heights):
        return None
    _, lat = Transformer.from_crs(_MERCATOR, 4326, always_xy=True).transform(
        (west + east) / 2, (south + north) / 2
    )
    light = hillshade(heights, (east - west) / shape[1] * math.cos(math.radians(lat)))
    light = 1 - (1 - light) * _faded(np.isfinite(heights), room / (east - west) * shape[1])
    grey = np.rint(255 * (_DARKEST + (1 - _DARKEST) * light)).astype(np.uint8)
    raw = np.frombuffer(_grey_jpeg(grey), np.uint8)
    packed = packer.array(raw, block=packer.block())
    return {"type": "image/jpeg", "bytes": packed, **_degrees(west, south, east, north)}


SHEET_SIDE: Final = 1400
"""Longest side of the relief for sheets [px]."""


def relief_of(result: Any) -> tuple[NDArray[np.uint8], tuple[float, ...]] | None:
    """Shade the relief of the place in the CRS of the run, for sheets and GIS.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    tuple or None
        Grey from 0 to 255 and the six numbers of its affine transform; None without heights.
    """
    layer = result.layers.get("dem")
    if layer is None or not layer.rasters:
        return None
    west, south, east, north = (float(v) for v in result.units.total_bounds)
    room = RELIEF_ROOM * max(east - west, north - south)
    west, south, east, north = west - room, south - room, east + room, north + room
    cell = max(max(east - west, north - south) / SHEET_SIDE, _finest(layer.rasters) / 2)
    shape = (max(2, round((north - south) / cell)), max(2, round((east - west) / cell)))
    heights = _heights(layer.rasters, (west, south, east, north), shape, crs=result.facts.crs)
    if not np.isfinite(heights).any() or np.nanmax(heights) == np.nanmin(heights):
        return None
    light = hillshade(heights, cell)
    light = 1 - (1 - light) * _faded(np.isfinite(heights), room / cell)
    grey = np.rint(255 * (_DARKEST + (1 - _DARKEST) * light)).astype(np.uint8)
    across, down = (east - west) / shape[1], (north - south) / shape[0]
    return grey, (across, 0.0, west, 0.0, -down, north)


def _finest(rasters: Sequence[Any]) -> float:
    """Tell the side of the smallest cell of the heights [m]."""
    from pyproj import CRS

    sides = []
    for raster in rasters:
        side = abs(float(raster.transform[0]))
        sides.append(side * 111_320 if CRS(raster.crs).is_geographic else side)
    return min(sides)


def _faded(known: NDArray[np.bool_], room_px: float) -> NDArray[np.float64]:
    """Weigh the relief from 0 at the edge of what is known to 1 inside."""
    from scipy.ndimage import distance_transform_edt

    framed = np.pad(known, 1)
    away: NDArray[np.float64] = distance_transform_edt(framed)[1:-1, 1:-1] - 1
    return np.clip(away / max(room_px * _FADE, 1.0), 0.0, 1.0)


def _heights(
    rasters: Sequence[Any],
    bounds: tuple[float, float, float, float],
    shape: tuple[int, int],
    *,
    crs: str = _MERCATOR,
) -> NDArray[np.float64]:
    """Warp heights to a projection; of tiles that overlap the first known one counts."""
    from affine import Affine
    from rasterio.warp import Resampling, reproject

    west, south, east, north = bounds
    rows, cols = shape
    target = Affine((east - west) / cols, 0, west, 0, -(north - south) / rows, north)
    out = np.full(shape, np.nan, np.float32)
    for raster in rasters:
        tile = np.full(shape, np.nan, np.float32)
        reproject(
            np.asarray(raster.values, np.float32), tile,
            src_transform=Affine(*raster.transform), src_crs=raster.crs,
            dst_transform=target, dst_crs=crs,
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
        out = np.where(np.isnan(out), tile, out)
    return out.astype(np.float64)


def _grey_jpeg(grey: NDArray[np.uint8]) -> bytes:
    """Write a grey picture."""
    from rasterio.io import MemoryFile

    high, wide = grey.shape
    with _quiet(), MemoryFile() as memory:
        with memory.open(
            driver="JPEG", width=wide, height=high, count=1, dtype="uint8",
            quality=RELIEF_QUALITY,
        ) as target:  # fmt: skip
            target.write(grey, 1)
        return bytes(memory.read())

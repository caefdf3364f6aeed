"""Units of a road layer: coordinates and coordinate system must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from riskmap.errors import LayerError
from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd

_LONG: Final = 40
_SHORT: Final = 0.1
"""No road layer has lines this short on the middle [m]."""


def check_units(lines: gpd.GeoDataFrame) -> None:
    """Stop when coordinates and coordinate system of a road layer contradict each other.

    Parameters
    ----------
    lines
        The road lines.

    Raises
    ------
    LayerError
        If there is no CRS, degrees are called metres, or metres are called degrees.
    """
    if lines.crs is None:
        raise LayerError(
            text(
                "the road layer has no coordinate system; give it one (a .prj file beside a "
                "shapefile, or ogr2ogr -a_srs EPSG:4326)"
            )
        )
    west, south, east, north = lines.total_bounds
    as_degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    name = lines.crs.to_string()
    if lines.crs.is_geographic and not as_degrees and np.isfinite([west, south]).all():
        raise LayerError(
            text(
                "coordinates up to {x}, {y} are no degrees, but the road layer says {crs}; give "
                "it its metric coordinate system",
                x=f"{max(abs(west), abs(east)):.0f}",
                y=f"{max(abs(south), abs(north)):.0f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )
    if not lines.crs.is_geographic and as_degrees and lines.length.median() < _SHORT:
        raise LayerError(
            text(
                "coordinates around {x}, {y} look like degrees, but the road layer says {crs}, "
                "which is in metres; set its coordinate system to EPSG:4326",
                x=f"{(west + east) / 2:.4f}",
                y=f"{(south + north) / 2:.4f}",
                crs=name if len(name) < _LONG else lines.crs.name,
            )
        )

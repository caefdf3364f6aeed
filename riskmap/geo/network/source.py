"""Read the lines of a network file: GeoPackage, shapefile, GeoJSON, OSM PBF or XML."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from riskmap.errors import LayerError
from riskmap.formats import offline, vector_driver
from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd

_LONG: Final = 40
_SHORT: Final = 0.1
"""No road layer has lines this short on the middle [m]."""
_OSM: Final = (".pbf", ".osm", ".osm.gz", ".osm.bz2")


def read_network(path: Path, *, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read the lines of a network file.

    Parameters
    ----------
    path
        GeoPackage, shapefile, GeoJSON, or OSM extract (``.osm.pbf``, ``.osm``, ``.osm.gz``).
    layer
        Layer to read; None takes the first layer of lines, and ``lines`` of an OSM extract.

    Returns
    -------
    geopandas.GeoDataFrame
        The lines, None for features that are none; of an OSM extract only ways with a highway
        tag, with tags as columns.

    Raises
    ------
    LayerError
        If the file cannot be read or holds no lines.
    """
    import geopandas as gpd

    from riskmap.geo.network.rules import osm_tags

    osm = str(path).lower().endswith(_OSM)
    source = f"/vsigzip/{path}" if str(path).lower().endswith(".gz") else str(path)
    if not path.exists():
        raise LayerError(text("{path}: there is no such file", path=path.name))
    if source == str(path) and not str(path).lower().endswith(".osm.bz2"):
        vector_driver(path)
    try:
        with offline() as pyogrio, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # columns that no road rule looks at
            if layer is None:
                layer = "lines" if osm else _line_layer(pyogrio.list_layers(source))
            lines = pyogrio.read_dataframe(
                source, layer=layer, where="highway IS NOT NULL" if osm else None
            )
    except (ValueError, RuntimeError, OSError) as error:
        raise LayerError(
            text("{path}: cannot be read ({why})", path=path.name, why=error)
        ) from error
    if not isinstance(lines, gpd.GeoDataFrame):
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    is_line = lines.geometry.geom_type.isin(["LineString", "MultiLineString"])
    if not is_line.any():
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    return osm_tags(lines.set_geometry(lines.geometry.where(is_line)))


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


def _line_layer(layers: list[list[str | None]]) -> str | None:
    """Choose the first layer of lines, else the first layer."""
    for name, kind in layers:
        if kind and "Line" in kind:
            return name
    return layers[0][0] if len(layers) else None

"""Read the lines of a network file: GeoPackage, shapefile, GeoJSON, OSM PBF or XML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from riskmap.errors import LayerError
from riskmap.i18n import text

if TYPE_CHECKING:
    import geopandas as gpd

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
        The lines; of an OSM extract only ways with a highway tag, with tags as columns.

    Raises
    ------
    LayerError
        If the file cannot be read or holds no lines.
    """
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    from riskmap.geo.network.rules import osm_tags

    osm = str(path).lower().endswith(_OSM)
    source = f"/vsigzip/{path}" if str(path).lower().endswith(".gz") else str(path)
    if not path.exists():
        raise LayerError(text("{path}: there is no such file", path=path.name))
    try:
        if layer is None:
            layer = "lines" if osm else _line_layer(pyogrio.list_layers(source))
        lines = pyogrio.read_dataframe(
            source, layer=layer, where="highway IS NOT NULL" if osm else None
        )
    except (DataSourceError, DataLayerError) as error:
        raise LayerError(
            text("{path}: cannot be read ({why})", path=path.name, why=error)
        ) from error
    if not isinstance(lines, gpd.GeoDataFrame):
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    kind = lines.geometry.geom_type
    lines = lines[kind.isin(["LineString", "MultiLineString"])]
    if lines.empty:
        raise LayerError(text("{path}: the layer has no lines", path=path.name))
    return osm_tags(lines.reset_index(drop=True))


def _line_layer(layers: list[list[str | None]]) -> str | None:
    """Choose the first layer of lines, else the first layer."""
    for name, kind in layers:
        if kind and "Line" in kind:
            return name
    return layers[0][0] if len(layers) else None

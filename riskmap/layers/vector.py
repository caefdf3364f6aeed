"""Vector files: GeoPackage, shapefile, GeoJSON, OSM and what else GDAL reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from riskmap.i18n import text
from riskmap.layers.dbf import shapefile_encoding
from riskmap.layers.findings import unusable
from riskmap.layers.osm import OSM_LAYERS, ROAD_TAGS, asked_keys, osm_config, unpack_tags
from riskmap.layers.types import Remark, Rows

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Window = tuple[float, float, float, float]
OSM: Final = (".pbf", ".osm")
_FITTING: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}


def read_vector(
    path: Path,
    *,
    geometry: str = "any",
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
    keys: Sequence[str] = (),
    window: Window | None = None,
) -> Rows:
    """Read one layer of a vector file.

    Parameters
    ----------
    path
        The file.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``: decides between several layers.
    layer
        The layer's name, or None.
    where
        SQL condition.
    encoding
        Declared encoding of a shapefile.
    keys
        Tags to read from OSM data.
    window
        West, south, east, north in EPSG:4326 [deg]; OSM data outside are not read.

    Returns
    -------
    Rows
        The features, geometry in the file's CRS.

    Raises
    ------
    LayerError
        When the file cannot be read or the layer cannot be chosen.
    """
    osm = path.suffix.lower() in OSM
    notes: list[Remark] = []
    options: dict[str, Any] = {"where": where}
    codec = "utf-8"
    if path.suffix.lower() == ".shp":
        codec = options["encoding"] = _shapefile(path, encoding, notes)
    chosen = layer or (OSM_LAYERS.get(geometry, "points") if osm else None)
    if chosen is None:
        chosen = _choose_layer(path, geometry, notes)
    wanted = [*asked_keys(where), *keys]
    packed = "other_tags" in (where or "")
    with osm_config(wanted) if osm and not packed else nullcontext() as config:
        if osm and window is not None:
            options["bbox"] = window
            said = text("of the OSM extract only the place and its surroundings were read")
            notes.append(Remark("window", said, text("nothing to do")))
        if config is not None:
            options["CONFIG_FILE"] = str(config)
        frame = _frame(path, chosen, options, notes)
    return _as_rows(frame, chosen or "", codec, wanted, notes, osm=osm)


def _as_rows(
    frame: gpd.GeoDataFrame,
    layer: str,
    codec: str,
    wanted: Sequence[str],
    notes: list[Remark],
    *,
    osm: bool,
) -> Rows:
    """Part the features into cells and geometries."""
    shapes = frame.geometry if hasattr(frame, "crs") else None
    table = frame.drop(columns=frame.geometry.name) if shapes is not None else frame
    table = _tags(table.reset_index(drop=True), wanted)
    if osm:
        table = table.drop(
            columns=[c for c in table if c not in ROAD_TAGS and table[c].isna().all()]
        )
    return Rows(
        table=table,
        row=np.arange(1, len(frame) + 1, dtype=np.int64),
        geometry=shapes.reset_index(drop=True) if shapes is not None else None,
        sheet=layer,
        encoding=codec,
        osm=osm or "osm_id" in table.columns,
        notes=tuple(notes),
    )


def _shapefile(path: Path, encoding: str | None, notes: list[Remark]) -> str:
    """Find the encoding of a shapefile and say what it lacks."""
    codec, how = shapefile_encoding(path, encoding)
    if how in ("ldid", "bytes"):
        notes.append(_encoding_remark(codec))
    if not path.with_suffix(".shx").exists() and not path.with_suffix(".SHX").exists():
        said = text("the .shx index is missing and was made up")
        notes.append(Remark("no_shx", said, text("send all parts of the shapefile")))
    return codec


def _tags(table: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    """Give ways of OSM multipolygons an id, and packed tags their own columns."""
    if "osm_way_id" in table.columns:
        ids = table["osm_id"].fillna("w" + table["osm_way_id"].astype("str"))
        table = table.assign(osm_id=ids)
    if "other_tags" in table.columns:
        keys = [key for key in dict.fromkeys(wanted) if key not in table.columns]
        tags = unpack_tags(table["other_tags"], keys)
        table = table.drop(columns="other_tags").join(tags)
    return table


def _encoding_remark(codec: str) -> Remark:
    return Remark(
        "encoding_found",
        text("the shapefile does not say its encoding; read as {encoding}", encoding=codec.upper()),
        text("add a .cpg file that holds {encoding}", encoding=codec.upper()),
    )


def _choose_layer(path: Path, geometry: str, notes: list[Remark]) -> str | None:
    """Choose the only layer, or the only one whose geometry fits the role."""
    import pyogrio

    try:
        layers = [(str(name), str(kind or "")) for name, kind in pyogrio.list_layers(path)]
    except Exception as error:
        raise _broken(error) from error
    layers = [entry for entry in layers if entry[0] != "layer_styles"]
    if not layers:
        raise unusable("no_layer", text("the file holds no layer"), text("send the file again"))
    if len(layers) == 1:
        return layers[0][0]
    fitting = [name for name, kind in layers if _FITTING.get(geometry, "") in kind and kind]
    names = ", ".join(name for name, _ in layers)
    if len(fitting) != 1:
        raise unusable(
            "which_layer",
            text("the file holds several layers: {layers}", layers=names),
            text("name one in the project file, such as layer: {layer}", layer=layers[0][0]),
        )
    notes.append(
        Remark(
            "layer_chosen",
            text(
                "of the layers {layers} only {layer} fits and was read",
                layers=names,
                layer=fitting[0],
            ),
            text("name another with layer: if this is wrong"),
        )
    )
    return fitting[0]


def _broken(error: Exception) -> Exception:
    return unusable(
        "broken_file",
        text("the file cannot be read"),
        text("open it in a GIS, save it as GeoPackage and give that file"),
        value=str(error),
    )


def _frame(
    path: Path, layer: str | None, options: dict[str, Any], notes: list[Remark]
) -> gpd.GeoDataFrame:
    import pyogrio

    pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True, "OGR_GEOJSON_MAX_OBJ_SIZE": 0})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pyogrio.read_dataframe(
                path, layer=layer, use_arrow=True, on_invalid="ignore", **options
            )
        except Exception as first:
            if options.get("where"):
                raise unusable(
                    "where",
                    text("the condition cannot be applied: {where}", where=options["where"]),
                    text("name existing columns, as in SQL"),
                    value=str(first),
                ) from first
            frame = _salvage(path, layer, first, notes)
    said = [str(entry.message) for entry in caught if issubclass(entry.category, RuntimeWarning)]
    notes += [
        Remark(
            "reader_warning",
            text("the reader says: {message}", message=message),
            text("check the layer"),
        )
        for message in dict.fromkeys(said)
    ]
    return frame


def _salvage(
    path: Path, layer: str | None, error: Exception, notes: list[Remark]
) -> gpd.GeoDataFrame:
    """Read a broken file feature by feature with fiona; what cannot be read has no geometry."""
    import fiona
    import geopandas as gpd
    from shapely.geometry import shape

    records: list[dict[str, Any]] = []
    shapes: list[Any] = []
    try:
        with fiona.open(path, layer=layer) as source:
            crs = source.crs_wkt or None
            features = iter(source)
            for index in range(len(source)):
                try:
                    feature = next(features)
                    records.append(dict(feature["properties"]))
                    shapes.append(shape(feature["geometry"]) if feature["geometry"] else None)
                except StopIteration:
                    records += [{}] * (len(source) - index)
                    shapes += [None] * (len(source) - index)
                    break
                except Exception:  # noqa: BLE001
                    records[index:] = [{}]
                    shapes[index:] = [None]
    except Exception:  # noqa: BLE001
        raise _broken(error) from error
    if not records:
        raise _broken(error)
    notes.append(
        Remark(
            "salvaged",
            text("the file is damaged and was read feature by feature"),
            text("save the layer as GeoPackage again"),
        )
    )
    return gpd.GeoDataFrame(records, geometry=shapes, crs=crs)

"""OpenStreetMap extracts: which tags to read, and tags packed into one column."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pandas as pd

ROAD_TAGS: Final = (
    "highway",
    "oneway",
    "access",
    "vehicle",
    "motor_vehicle",
    "foot",
    "junction",
    "bridge",
    "tunnel",
    "layer",
    "maxspeed",
    "name",
)
"""What the road graph needs to know of a way."""
OSM_LAYERS: Final = {
    "point": "points",
    "line": "lines",
    "polygon": "multipolygons",
    "any": "multipolygons",
}
_AREAS: Final = (
    "aeroway,amenity,boundary,building,craft,emergency,geological,healthcare,historic,landuse,leisure,"
    "man_made,military,natural,office,place,shop,sport,tourism,highway=platform,public_transport=platform"
)
_KEYS: Final = (
    "name",
    "name:zh",
    "amenity",
    "building",
    "boundary",
    "admin_level",
    "emergency",
    "healthcare",
    "landuse",
    "leisure",
    "man_made",
    "natural",
    "office",
    "place",
    "population",
    "ref",
    "shop",
    "tourism",
    "water",
    "waterway",
)
_WORD: Final = re.compile(r"\"([^\"]+)\"|([A-Za-z_][A-Za-z0-9_:]*)")
_SQL: Final = frozenset(
    ["and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false"]
)


def asked_keys(where: str | None) -> list[str]:
    """List the names in an SQL condition that may be tags.

    Parameters
    ----------
    where
        The condition, or None.

    Returns
    -------
    list of str
        The names, in order, each once.

    Examples
    --------
    >>> asked_keys("amenity IN ('school', 'college') AND name IS NOT NULL")
    ['amenity', 'name']
    """
    bare = re.sub(r"'(?:[^']|'')*'", "''", where or "")
    names = [quoted or plain for quoted, plain in _WORD.findall(bare)]
    return list(dict.fromkeys(name for name in names if name.casefold() not in _SQL))


@contextmanager
def osm_config(keys: Iterable[str]) -> Iterator[Path]:
    """Write the configuration by which GDAL gives each wanted tag its own column.

    Parameters
    ----------
    keys
        The tags wanted besides the common ones.

    Yields
    ------
    Path
        A file that lives inside the ``with`` block.
    """
    own = ("osm_id", "osm_way_id", "osm_version", "other_tags", "geometry", "all_tags", "z_order")
    named = ",".join(dict.fromkeys(key for key in (*_KEYS, *keys) if key not in own))
    lines = [f"closed_ways_are_polygons={_AREAS}", "report_all_nodes=no", "report_all_ways=no"]
    lines.append("attribute_name_laundering=no")
    for layer in ("points", "lines", "multipolygons", "multilinestrings", "other_relations"):
        lines += [f"[{layer}]", "osm_id=yes", f"attributes={named}", "other_tags=no"]
    with tempfile.TemporaryDirectory(prefix="riskmap_osm_") as folder:
        file = Path(folder) / "osmconf.ini"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        yield file


def unpack_tags(tags: pd.Series, keys: Iterable[str]) -> pd.DataFrame:
    r"""Take tags out of a column in hstore form, as GDAL and osm2pgsql write it.

    Parameters
    ----------
    tags
        Shape (n,): such as ``"amenity"=>"school","levels"=>"3"``.
    keys
        The tags wanted.

    Returns
    -------
    DataFrame
        One text column for each key that occurs, missing where a row has none.

    Examples
    --------
    >>> unpack_tags(pd.Series(['"a"=>"1","b"=>"x, \\"y\\""', None]), ["b"])["b"].tolist()
    ['x, "y"', nan]
    """
    out: dict[str, pd.Series] = {}
    text = tags.astype("str")
    for key in keys:
        pattern = rf'(?:^|,)\s*"{re.escape(key)}"\s*=>\s*"((?:[^"\\]|\\.)*)"'
        found = text.str.extract(pattern, expand=False)
        if found.notna().any():
            out[key] = found.str.replace(r"\\(.)", r"\1", regex=True)
    return pd.DataFrame(out, index=tags.index)

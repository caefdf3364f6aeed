"""The layers of the page: places, fields with labels, levels, and their rows of list and table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pypinyin import Style, pinyin

from riskmap.export.onemap.backdrop import photo_parts
from riskmap.export.onemap.collect import numbers, rings, unit_codes
from riskmap.i18n import LANGUAGES, Text, both, language
from riskmap.layers.layer import outside_name
from riskmap.vocabulary.columns import WGS84, headings
from riskmap.vocabulary.columns import column as column_named
from riskmap.vocabulary.grade import active, in_force

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from riskmap.export.onemap.pack import Packer

__all__ = [
    "column",
    "field_parts",
    "initials",
    "is_points",
    "label",
    "layer_parts",
    "lines_part",
    "neighbour_part",
    "shown",
]


def initials(names: Iterable[str]) -> dict[str, str]:
    """Give the possible first letters of each Chinese character.

    Parameters
    ----------
    names
        Any texts.

    Returns
    -------
    dict
        Character to letters, the usual reading first.

    Examples
    --------
    >>> initials(["重庆A1"])
    {'庆': 'q', '重': 'zct'}
    """
    characters = sorted({c for name in names for c in name if "\u3400" <= c <= "\u9fff"})
    if not characters:
        return {}
    out = {}
    for character in characters:
        readings = pinyin(character, style=Style.FIRST_LETTER, heteronym=True)[0]
        letters = "".join(dict.fromkeys(r[0] for r in readings if r and "a" <= r[0] <= "z"))
        if letters:
            out[character] = letters
    return out


def label(role: Any) -> dict[str, str]:
    """Give the name of a role or field in both languages.

    Parameters
    ----------
    role
        Anything with ``zh`` and ``en``.

    Returns
    -------
    dict
        Language code to name.
    """
    return {"zh": str(role.zh), "en": str(role.en)}


def shown(value: Any, code: str) -> str:
    """Show one value in a language; blanks are empty.

    Parameters
    ----------
    value
        A text, a number, or a list of them.
    code
        ``zh`` or ``en``.

    Returns
    -------
    str
        What the page writes.

    Examples
    --------
    >>> shown(["a", None, 2], "en")
    'a; ; 2'
    """
    if isinstance(value, Text):
        with language(code):
            return str(value)
    if isinstance(value, (list, tuple)):
        return ("；" if code == "zh" else "; ").join(shown(part, code) for part in value)
    return "" if value is None or value is pd.NA or value != value else str(value)


def column(values: pd.Series, packer: Packer, *, numeric: bool) -> dict[str, Any]:
    """Pack one column of a table.

    Parameters
    ----------
    values
        The column.
    packer
        Takes the arrays.
    numeric
        True for numbers.

    Returns
    -------
    dict
        ``{"num": ...}``, ``{"str": ...}`` or, where the languages differ, ``{"zh":, "en":}``.
    """
    if numeric and not pd.api.types.is_bool_dtype(values.dtype):
        found = numbers(values)
        if np.isfinite(found).sum() == values.notna().sum():
            return {"num": packer.numbers(found)}
    cells = values.tolist()
    if any(isinstance(v, (Text, list, tuple)) for v in cells):
        words = {code: [shown(v, code) for v in cells] for code in LANGUAGES}
        if words["zh"] != words["en"]:
            return {code: packer.strings(words[code]) for code in LANGUAGES}
        return {"str": packer.strings(words["zh"])}
    return {"str": packer.strings([shown(v, "zh") for v in cells])}


def _field(field: Any) -> dict[str, Any]:
    """Describe one field of a role."""
    return {
        "name": field.name,
        **label(field),
        "type": field.type,
        "unit": field.unit or "",
        "choices": {c.value: {"zh": c.zh, "en": c.en} for c in field.choices},
    }


def field_parts(role: Any, table: pd.DataFrame, packer: Packer) -> list[dict[str, Any]]:
    """Pack the role's fields that the table has and that are not wholly blank.

    Parameters
    ----------
    role
        The role of the layer.
    table
        Its rows.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        Name, labels, type, unit, choices and data of each field.
    """
    out = []
    for field in role.fields:
        if (
            field.name not in table
            or field.name in ("name", "photo")
            or not table[field.name].notna().any()
        ):
            continue
        numeric = field.type in ("integer", "number")
        out.append(_field(field) | {"data": column(table[field.name], packer, numeric=numeric)})
    return out


_MAIN_ROADS: Final = ("motorway", "trunk", "primary", "expressway", "arterial", "快速路", "主干路")
_MIDDLE_ROADS: Final = ("secondary", "tertiary", "collector", "次干路")
NEIGHBOUR: Final = "neighbour"
_NOT_DRAWN: Final = ("boundary", NEIGHBOUR, "population", "sensitive")
"""Roles that stand in the figures of units and cells, and would hide the map."""
_SIMPLE_M: Final = 4.0
_SLIVER: Final = 1e-4
"""A neighbour whose rest is a smaller share of the place is left out."""


def _extra(result: Any, ids: pd.Index, packer: Packer) -> list[dict[str, Any]]:
    """Pack what list and table say about these objects."""
    out = []
    said = [t for t in (result.control, result.items) if len(t.index.intersection(ids))]
    for name, heading in headings("page").items():
        known = column_named(name, "page")
        for table in said:
            if name in table:
                values = table.loc[~table.index.duplicated(), name].reindex(ids)
                if not values.notna().any():
                    continue
                numeric = pd.api.types.is_numeric_dtype(values.dtype)
                out.append(
                    {"name": name, "type": "phone" if name == "phone" else "text"}
                    | both(heading)
                    | {"unit": known.unit if known else ""}
                    | {"data": column(values, packer, numeric=numeric)}
                )
                break
    return out


def _item_levels(result: Any, table: pd.DataFrame) -> NDArray[np.uint8]:
    """Take each object's level from the list, else from the table, else grade it."""
    found = np.full(len(table), np.nan)
    if "level" in result.items and len(result.items):
        level = result.items["level"][~result.items.index.duplicated()]
        found = numbers(level.reindex(table.index))
    if not np.isfinite(found).any() and "level" in table:
        found = numbers(table["level"])
    levels: NDArray[np.uint8] = np.clip(np.nan_to_num(found), 0, 4).astype(np.uint8)
    return levels


def _source(result: Any, table: pd.DataFrame, packer: Packer) -> dict[str, Any] | None:
    """Pack file and row of each object; only the internal edition says it."""
    if result.facts.profile == "public" or "_file" not in table:
        return None
    return {
        "file": packer.strings([shown(v, "zh") for v in table["_file"]]),
        "row": packer.integers(np.nan_to_num(numbers(table.get("_row", 0)))),
    }


def _out_of_use(role: Any, table: pd.DataFrame, day: str, packer: Packer) -> dict[str, Any]:
    """Pack the rows that are out of use, if there are any: nobody is sent there."""
    there = active(role, table) & in_force(role, table, day)
    out = np.flatnonzero(~there.to_numpy(dtype=bool))
    return {"out": packer.integers(out)} if len(out) else {}


def _road_ranks(table: pd.DataFrame) -> NDArray[np.uint8]:
    """Rank roads 0 main, 1 middle, 2 small by what their class column says."""
    names = ("road_class", "class", "highway", "fclass", "type", "kind")
    name = next((n for n in names if n in table), None)
    out = np.full(len(table), 2 if name else 0, dtype=np.uint8)
    if name:
        words = table[name].astype(str).str.replace("_link", "", regex=False)
        out[words.isin(_MIDDLE_ROADS).to_numpy()] = 1
        out[words.isin(_MAIN_ROADS).to_numpy()] = 0
    return out


def lines_part(table: gpd.GeoDataFrame, packer: Packer) -> dict[str, Any]:
    """Pack lines or polygons, simplified to what a screen shows.

    Parameters
    ----------
    table
        Any layer in a metric CRS.
    packer
        Takes the arrays.

    Returns
    -------
    dict
        As `places.rings`.
    """
    simple = shapely.simplify(table.geometry.to_numpy(), _SIMPLE_M)
    shapes = gpd.GeoSeries(simple, crs=table.crs).to_crs(WGS84).to_numpy()
    return rings(shapes, packer)


def is_points(table: gpd.GeoDataFrame) -> bool:
    """Say whether every geometry is a single point.

    Parameters
    ----------
    table
        Any layer.

    Returns
    -------
    bool
        False as soon as one row is a line, a polygon or a multi-part geometry.
    """
    kinds = set(table.geometry.geom_type.unique())
    return kinds <= {"Point"}


def _role_part(name: str, role: Any, layer: Any, result: Any, packer: Packer) -> dict[str, Any]:
    """Describe one layer."""
    table = layer.table
    part: dict[str, Any] = {
        "id": name, "group": role.group, **label(role), "symbol": role.symbol,
        "colour": str(getattr(role, "colour", "") or ""), "n": len(table),
        "item": bool(role.item), "returned": int(layer.rows_returned),
        "idle": bool(getattr(role, "active", None)),
    }  # fmt: skip
    points = is_points(table)
    part["kind"] = "point" if points else (
        "area" if table.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).all() else "line"
    )  # fmt: skip
    if role.group == "base" and not points:
        part["shape"] = lines_part(table, packer)
        part["rank"] = packer.array(_road_ranks(table) if name == "road" else
                                    np.zeros(len(table), dtype=np.uint8))  # fmt: skip
        return part
    spots = (
        table.geometry.to_numpy() if points else table.geometry.representative_point().to_numpy()
    )
    lonlat = gpd.GeoSeries(spots, crs=table.crs).to_crs(WGS84)
    level = _item_levels(result, table)
    part |= {
        "ids": packer.strings([str(item) for item in table.index]),
        "names": packer.strings(
            [shown(v, "zh") for v in table.get("name", pd.Series(table.index))]
        ),
        "lon": packer.places(lonlat.x.to_numpy(), digits=6),
        "lat": packer.places(lonlat.y.to_numpy(), digits=6),
        "unit": packer.integers(unit_codes(result.units, spots)),
        "level": packer.array(level),
        "counts": np.bincount(level, minlength=5).tolist(),
        "bounds": lonlat.total_bounds.round(6).tolist(),
        "fields": field_parts(role, table, packer),
        "extra": _extra(result, table.index, packer),
        "source": _source(result, table, packer),
        **_out_of_use(role, table, str(result.facts.data_date or ""), packer),
    } | photo_parts(result, layer, packer)
    if not points:
        part["shape"] = lines_part(table, packer)
    return part


def neighbour_part(result: Any, packer: Packer) -> dict[str, Any] | None:
    """Describe the areas beside the place, with their names, as far as they lie outside it.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    dict or None
        JSON header: ``n``, ``names``, ``lon``, ``lat``, ``shape``; None without neighbours.
    """
    layer = result.layers.get(NEIGHBOUR)
    if layer is None or layer.table is None or not len(layer.table):
        return None
    place = result.units.geometry.union_all()
    west, south, east, north = place.bounds
    near = max(east - west, north - south)
    frame = shapely.box(west - near, south - near, east + near, north + near)
    table = layer.table[layer.table.geometry.notna() & ~layer.table.geometry.is_empty]
    rest = table.geometry.make_valid().difference(place).intersection(frame)
    kept = rest.area > _SLIVER * near**2
    if not kept.any():
        return None
    rest, table = rest[kept], table[kept]
    close = rest.intersection(
        shapely.box(west - near / 8, south - near / 8, east + near / 8, north + near / 8)
    )
    named = close.where(~close.is_empty, rest)
    spots = named.representative_point().to_crs(WGS84)
    simple = shapely.simplify(rest.to_numpy(), _SIMPLE_M)
    shapes = gpd.GeoSeries(simple, crs=rest.crs).to_crs(WGS84).to_numpy()
    return {
        "n": len(table),
        "names": packer.strings([shown(v, "zh") for v in table["name"]])
        if "name" in table
        else packer.strings([""] * len(table)),
        "lon": packer.places(spots.x.to_numpy(), digits=6),
        "lat": packer.places(spots.y.to_numpy(), digits=6),
        "shape": rings(shapes, packer),
    }


def outside_role(role: Any) -> Any:
    """Give the role of objects outside the place: named so, and never on the list.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    Role
        A copy.
    """
    zh, en = (str(shown(outside_name(label(role)[code]), code)) for code in ("zh", "en"))
    return replace(role, zh=zh, en=en, item=False)


def layer_parts(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe all vector layers that have rows.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header, in the order of the roles.
    """
    out = []
    for name, role in result.roles.items():
        layer = result.layers.get(name)
        if layer is None or layer.table is None or len(layer.table) == 0:
            continue
        if not isinstance(layer.table, gpd.GeoDataFrame) or name in _NOT_DRAWN:
            continue
        whole = layer.table.geometry.notna() & ~layer.table.geometry.is_empty
        if whole.any():
            kept = type(layer)(role=layer.role, table=layer.table[whole], rasters=layer.rasters,
                               sources=layer.sources)  # fmt: skip
            out.append(_role_part(name, role, kept, result, packer))
    for name, layer in result.layers.items():
        if layer.beyond is not None and len(layer.beyond):
            role, sources = outside_role(result.roles[name]), layer.sources
            kept = type(layer)(role=layer.role, table=layer.beyond, sources=sources)
            out.append(_role_part(f"{name}@outside", role, kept, result, packer) | {"returned": 0})
    return out

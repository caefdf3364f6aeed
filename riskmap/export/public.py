"""The public edition: a result from which everything private has been taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.errors import Problem
from riskmap.i18n import Text, both, text
from riskmap.layers.layer import Layer, Source
from riskmap.result import Result
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.roles import Label, Role

HIDDEN: Final = "***"
_FREE: Final = ("geometry", "demo")
"""Columns that hold no free text; the mark of demonstration data must stay."""
_TELEPHONE: Final = re.compile(
    r"(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"
    r"|(?<![\d.])[(（]?0\d{2,3}[)）]?[\s-]?\d{3,4}[\s-]?\d{4}(?:\s*(?:-|转|ext\.?)\s*\d{1,6})?(?!\d)"
    r"|(?<!\d)[48]00[\s-]?\d{3}[\s-]?\d{4}(?!\d)"
    r"|(?<!\d)\d{17}[\dXx](?!\d)"
    r"|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.]+"
)
"""Mobile and landline numbers, 400/800 numbers, identity-card numbers, mail addresses."""

T = TypeVar("T", bound=pd.DataFrame)


def scrub(value: str, words: Iterable[str] = ()) -> str:
    """Blot telephone numbers, and given words, out of a text.

    Parameters
    ----------
    value
        The text.
    words
        Further words to blot out.

    Returns
    -------
    str
        The text with ``***`` in their place.

    Examples
    --------
    >>> scrub("联系王某 139 0000 1234 或 0531-8123 4567", ["王某"])
    '联系*** *** 或 ***'
    """
    for word in sorted(words, key=len, reverse=True):
        bounded = rf"(?<!\d){re.escape(word)}(?!\d)" if word[0].isdigit() else re.escape(word)
        value = re.sub(bounded, HIDDEN, value)
    return _TELEPHONE.sub(HIDDEN, value)


def _scrub_value(value: Any, words: Iterable[str]) -> Any:
    if isinstance(value, str):
        return scrub(value, words)
    if isinstance(value, Text):
        return scrub_note(value, words)
    if isinstance(value, list | tuple):
        return type(value)(_scrub_value(part, words) for part in value)
    return value


def scrub_table(table: T, secrets: pd.Series[Any]) -> T:
    """Blot private words out of the free texts of a table, row by row.

    Parameters
    ----------
    table
        The table.
    secrets
        Index of the table to the words that no text of that row may hold.

    Returns
    -------
    DataFrame
        The table with ``***`` in their place.
    """
    words = secrets.reindex(table.index)
    known = [entry if isinstance(entry, tuple) else () for entry in words]
    changed = {
        name: [_scrub_value(v, w) for v, w in zip(table[name], known, strict=True)]
        for name in table.columns
        if name not in _FREE and _is_words(table[name])
    }
    return table.assign(**changed)


def _is_words(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_object_dtype(values.dtype) or pd.api.types.is_string_dtype(values.dtype)


def scrub_note(note: Text, words: Iterable[str] = ()) -> Text:
    """Blot private words out of a text as it is shown, in every language.

    Parameters
    ----------
    note
        The text.
    words
        Words to blot out.

    Returns
    -------
    Text
        The same text when nothing private stands in it.

    Examples
    --------
    >>> str(scrub_note(Label("call 13900001234")))
    'call ***'
    """
    shown = both(note)
    clean = {code: scrub(said, words) for code, said in shown.items()}
    return note if clean == shown else Label(clean["en"], zh=clean["zh"])


COARSE_M: Final = 100.0
"""Sensitive places are shown at the centre of a square of this size [m]."""
_KEPT: Final = frozenset(
    (
        c.ITEM_ID,
        c.LEVEL,
        c.ROLE,
        c.UNIT_ID,
        "district",
        "town",
        "village",
        "people",
        "score",
        "rank",
    )
)
"""Columns that riskmap itself adds to a layer and that are public."""
_UNIT_COLUMNS: Final = (
    c.PARENT_ID, c.LEVEL, c.NAME, c.POPULATION, c.AREA_KM2, "town", "district", "geometry",
)  # fmt: skip
_PRIVATE: Final = re.compile(
    r"person$|phone|mobile|contact|quantity|substance|stock|officer|manager|signer|reviewer|"
    r"inspector|leader|missing|address|remark|photo|account|email|id_card|history|feedback|^_"
)
"""Names of list and table columns that never are public, whatever the roles say."""


def redact(result: Result) -> Result:
    """Take everything private out of a result; doing it twice changes nothing.

    Fields that a role does not mark ``public``, telephone fields, and whole roles that are not
    public go; sensitive places that may be shown coarsely stand at the centre of a 100 m square;
    telephone numbers and the dropped words of a row are blotted out of its free texts; files keep
    their names only; returned rows are counted but not shown.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    Result
        The same run as the public may see it.
    """
    layers = {name: _layer(result.roles[name], layer) for name, layer in result.layers.items()}
    secrets = _secrets(result)
    gone = {role for role, entry in result.roles.items() if not _shown(entry)}
    items = _register(_places(result.items, layers), result, secrets, gone)
    control = _register(_places(result.control, layers), result, secrets, gone)
    wet = "depth" not in result.roles or _shown(result.roles["depth"])
    scenarios = {
        name: replace(
            scenario,
            closures=_scenario_layer(result.roles.get("closure"), scenario.closures),
            danger_area=_scenario_layer(result.roles.get("danger_area"), scenario.danger_area),
            depth_m=scenario.depth_m if wet else None,
            depths=scenario.depths if wet else (),
        )
        for name, scenario in result.scenarios.items()
    }
    return replace(
        result,
        facts=replace(result.facts, profile="public"),
        layers={name: _scrub_layer(layer, secrets) for name, layer in layers.items()},
        problems=tuple(_problem(problem) for problem in result.problems),
        notes=tuple(scrub_note(note) for note in result.notes),
        indicators=replace(
            result.indicators, notes=tuple(scrub_note(note) for note in result.indicators.notes)
        ),
        index={
            name: replace(index, notes=tuple(scrub_note(note) for note in index.notes))
            for name, index in result.index.items()
        },
        units=result.units[[name for name in _UNIT_COLUMNS if name in result.units]],
        unit_sources=tuple(_source(source) for source in result.unit_sources),
        items=items,
        control=control,
        scenarios=scenarios,
        plans={},
        inputs=tuple(replace(file, shown=_file_name(file.shown)) for file in result.inputs),
        root=None,
    )


def _shown(role: Role) -> bool:
    """Whether a role's rows may be shown at all, if only coarsely."""
    return role.sensitivity == "public" or (role.coarsen_public and role.sensitivity == "internal")


def public_columns(role: Role, names: Iterable[str]) -> list[str]:
    """Choose the columns of a role that the public may see.

    Parameters
    ----------
    role
        The role.
    names
        Columns of its layer.

    Returns
    -------
    list of str
        Public fields of the role and what riskmap itself adds, in the given order.
    """
    public = {
        field.name
        for field in role.fields
        if field.sensitivity == "public" and field.type != "phone"
    }
    secret = {field.name for field in role.fields} - public
    return [name for name in names if name in public or (name in _KEPT and name not in secret)]


def _layer(role: Role, layer: Layer) -> Layer:
    sources = tuple(_source(source) for source in layer.sources)
    layer = replace(layer, returned=None)
    if not _shown(role) or layer.table is None:
        return replace(
            layer, table=None, rasters=layer.rasters if _shown(role) else (), sources=sources
        )
    table = layer.table
    kept = pd.DataFrame(table[public_columns(role, map(str, table.columns))])
    if "geometry" not in table:
        return replace(layer, table=kept, sources=sources)
    shapes = coarsen(table.geometry) if role.coarsen_public else table.geometry
    kept = gpd.GeoDataFrame(kept, geometry=shapes, crs=table.crs)
    return replace(layer, table=kept, sources=sources)


def coarsen(shapes: gpd.GeoSeries, *, size_m: float = COARSE_M) -> gpd.GeoSeries:
    """Move every geometry to the centre of the square that holds it.

    Parameters
    ----------
    shapes
        Geometries in a metric CRS; of a line or polygon, a point on it is taken.
    size_m
        Side of the squares [m].

    Returns
    -------
    GeoSeries
        Points.

    Examples
    --------
    >>> coarsen(gpd.GeoSeries([shapely.Point(512.3, 99.0)])).iloc[0].wkt
    'POINT (550 50)'
    """
    spots = shapely.point_on_surface(shapes.to_numpy())
    x, y = shapely.get_x(spots), shapely.get_y(spots)
    middle = [np.floor(values / size_m) * size_m + size_m / 2 for values in (x, y)]
    points = np.where(np.isfinite(x), shapely.points(*middle), None)
    return gpd.GeoSeries(points, index=shapes.index, crs=shapes.crs)


def _secrets(result: Result) -> pd.Series[Any]:
    """Collect for every item the texts and numbers of its private fields."""
    return _joined(
        [
            words
            for name, layer in result.layers.items()
            if layer.table is not None
            for words in _private_words(result.roles[name], layer.table)
        ]
    )


def _private_words(role: Role, rows: pd.DataFrame) -> list[pd.Series[Any]]:
    """Collect the texts and numbers of a layer's private fields."""
    table = pd.DataFrame(rows).drop(columns="geometry", errors="ignore")
    private = set(map(str, table.columns)) - set(public_columns(role, map(str, table.columns)))
    choices = {field.name for field in role.fields if field.choices or field.type == "boolean"}
    columns = sorted(name for name in private - choices if not name.startswith("_"))
    return [_as_words(table[column]) for column in columns]


def _joined(found: list[pd.Series[Any]]) -> pd.Series[Any]:
    """Give for every row the private words worth blotting out."""
    if not found:
        return pd.Series(dtype=object)
    joined = pd.concat(found).dropna()
    long = joined[joined.str.len() >= 2]
    words: pd.Series[Any] = long.groupby(level=0).agg(lambda said: tuple(sorted(set(said))))
    return words


def _as_words(values: pd.Series[Any]) -> pd.Series[Any]:
    """Write values as a text would show them: whole numbers without a point."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.map(lambda value: f"{value:.15g}", na_action="ignore").astype(object)
    return values.map(str, na_action="ignore").astype(object)


def _scrub_layer(layer: Layer, secrets: pd.Series[Any]) -> Layer:
    return layer if layer.table is None else replace(layer, table=scrub_table(layer.table, secrets))


def _register(
    table: pd.DataFrame, result: Result, secrets: pd.Series[Any], gone: set[str]
) -> pd.DataFrame:
    """Drop private columns and rows of private roles from the list or the table."""
    private = {
        field.name
        for role in result.roles.values()
        for field in role.fields
        if field.name not in _KEPT and (field.sensitivity != "public" or field.type == "phone")
        and field.name != c.NAME
    }  # fmt: skip
    names = [
        name
        for name in table.columns
        if name not in private and not _PRIVATE.search(str(name).lower())
    ]
    rows = table[~table[c.ROLE].isin(gone)] if c.ROLE in table else table
    return scrub_table(rows[names], secrets)


def _places(table: pd.DataFrame, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Give the rows of coarsely shown layers the coordinates that their layer has now."""
    if not {"lon", "lat"} <= set(table.columns):
        return table
    spots = [
        layer.table.geometry.representative_point().to_crs(c.WGS84)
        for layer in layers.values()
        if isinstance(layer.table, gpd.GeoDataFrame) and len(layer.table)
    ]
    known = pd.concat(spots) if spots else gpd.GeoSeries([], crs=c.WGS84)
    here = gpd.GeoSeries(known.reindex(table.index), crs=c.WGS84)
    return table.assign(lon=here.x.round(6).to_numpy(), lat=here.y.round(6).to_numpy())


def _scenario_layer(role: Role | None, table: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    if table is None:
        return None
    names = public_columns(role, map(str, table.columns)) if role else []
    secrets = _joined(_private_words(role, table)) if role else pd.Series(dtype=object)
    return scrub_table(table[[*names, "geometry"]], secrets)


def _file_name(shown: str) -> str:
    return PurePosixPath(PureWindowsPath(shown).as_posix()).name


def _source(source: Source) -> Source:
    name = _file_name(source.shown)
    return replace(source, shown=name, path=type(source.path)(name), sheet="", written=None)


def _problem(problem: Problem) -> Problem:
    """Keep of a problem only what can be counted."""
    return Problem(
        severity=problem.severity,
        role=problem.role,
        rule=problem.rule,
        count=problem.count,
        message=text("not shown in the public edition"),
        mend=text("see the internal edition"),
    )

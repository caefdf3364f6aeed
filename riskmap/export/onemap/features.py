"""The layers of the page, their rows of list and table, and why a unit stands where it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.export.onemap.backdrop import photo_parts
from riskmap.export.onemap.collect import numbers, rings, unit_codes
from riskmap.i18n import LANGUAGES, Label, Text, both, language, text
from riskmap.layers.layer import outside_name
from riskmap.vocabulary.columns import LEVEL, WGS84, headings
from riskmap.vocabulary.columns import column as column_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from riskmap.export.onemap.pack import Packer


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
    from pypinyin import Style, pinyin  # its dictionaries take half a second to load

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
    there = role.in_use(table) & role.in_force(table, day)
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
    soon = packer.soon()
    names = [shown(v, "zh") for v in table.get("name", pd.Series(table.index))]
    part |= {
        "ids": soon.strings([str(item) for item in table.index]),
        "names": soon.strings(names),
        "lon": soon.places(lonlat.x.to_numpy(), digits=6),
        "lat": soon.places(lonlat.y.to_numpy(), digits=6),
        "unit": packer.integers(unit_codes(result.units, spots)),
        "level": packer.array(level),
        "counts": np.bincount(level, minlength=5).tolist(),
        "bounds": lonlat.total_bounds.round(6).tolist(),
        "fields": field_parts(role, table, soon),
        "extra": _extra(result, table.index, soon),
        "source": _source(result, table, soon),
        **_out_of_use(role, table, str(result.facts.data_date or ""), soon),
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


FACTS: Final = 3
"""So many figures stand in a sentence."""
NAMED: Final = 10
"""Up to this place among its like a unit's rank is said."""
WEAK: Final = 0.25
"""A figure whose scaled value is below this is no reason."""
MOST: Final = 5_000
"""With more units than this only the worst have a sentence."""
WORST: Final = 2_000
_SAME: Final = 1e-9
_MINUTE: Final = 60.0


def facts_of(index: Any, levels: pd.Series, rows: Sequence[Any] | None = None) -> pd.DataFrame:
    """Table the figures that speak for each unit's score.

    Parameters
    ----------
    index
        An ``index.steps.Index`` of the units.
    levels
        Level of each unit.
    rows
        Units that are tabled; all without it. Places are among all units of the level.

    Returns
    -------
    DataFrame
        A row a unit and indicator: ``unit``, ``code``, ``value`` in its own unit, ``scaled`` 0..1
        (1 = worst), ``part`` = scaled value x effective weight, ``place`` among the units of the
        level (1 = worst), most telling first within a unit.
    """
    meta, scaled, raw = index.meta, index.stages["normalised"], index.stages["raw"]
    codes = [c for c in scaled if c in meta.index and meta.loc[c, "kind"] == "indicator"]
    frames = []
    kept = scaled.index.isin(list(rows)) if rows is not None else np.ones(len(scaled), dtype=bool)
    grouped = levels.reindex(scaled.index).to_numpy()
    for code in codes:
        value = pd.Series(numbers(scaled[code]), index=scaled.index)
        places = value.groupby(grouped).rank(method="min", ascending=False)
        frames.append(
            pd.DataFrame(
                {
                    "unit": scaled.index[kept],
                    "code": code,
                    "value": numbers(raw[code])[kept],
                    "scaled": value.to_numpy()[kept],
                    "part": value.to_numpy()[kept] * _effective(meta, str(code)),
                    "place": places.to_numpy()[kept],
                }
            )
        )
    if not frames:
        return pd.DataFrame(columns=["unit", "code", "value", "scaled", "part", "place"])
    table = pd.concat(frames, ignore_index=True).dropna(subset=["value", "scaled"])
    return table.sort_values(["unit", "part", "code"], ascending=[True, False, True])


def _effective(meta: pd.DataFrame, code: str) -> float:
    """Multiply the shares of the weights down from the root."""
    weights = pd.Series(numbers(meta["weight"]), index=meta.index)
    share, at = 1.0, code
    while True:
        parent = str(meta.loc[at, "parent"] or "")
        total = float(weights[meta["parent"] == meta.loc[at, "parent"]].sum())
        share *= float(weights[at]) / total if total > 0 else 0.0
        if parent not in meta.index:
            return share
        at = parent


def _figure(value: float) -> str:
    """Write a number with three figures or so.

    Examples
    --------
    >>> _figure(1234.5), _figure(18.64), _figure(0.567), _figure(2.0)
    ('1234', '18.6', '0.57', '2')
    """
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    shown = f"{value:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _length(metres: float) -> Text:
    """Write a distance."""
    if metres < 1000:
        return text("{n} m", n=_figure(round(metres) if metres >= 10 else metres))
    return text("{n} km", n=_figure(metres / 1000))


def _time(value: float, unit: str) -> Text:
    """Write a travel time in minutes."""
    return text("{n} min", n=f"{value / _MINUTE if unit == 's' else value:.1f}")


def _measure(value: float, unit: str) -> Text | str:
    """Write a figure in its own unit."""
    words: Mapping[str, Callable[[str], Text]] = {
        "1/km2": lambda n: text("{n} per km²", n=n),
        "person/km2": lambda n: text("{n} persons per km²", n=n),
        "1/100 person": lambda n: text("{n} places per 100 persons", n=n),
        "min": lambda n: text("{n} min", n=n),
        "km/km2": lambda n: text("{n} km per km²", n=n),
    }
    if unit == "m":
        return _length(value)
    if unit == "s":
        return _time(value, unit)
    if unit in words:
        return words[unit](_figure(value))
    return f"{_figure(value)} {unit}" if unit not in ("", "1") else _figure(value)


def _phrase(
    node: Mapping[str, Any], value: float, what: Text, name: Text
) -> tuple[Text, Text | None]:
    """Say one figure as an officer would: what it is, and what stands in the bracket."""
    method, unit, bad = str(node["method"]), str(node["unit"]), float(node["direction"] or 1) > 0
    if method in ("point_density", "kernel") and unit == "1/km2":
        return text("many {what}", what=what), text("{n} per km²", n=_figure(value))
    if method == "distance" and unit == "m":
        said = text("far from {what}", what=what) if bad else text("close to {what}", what=what)
        return said, _length(value)
    if method in ("population_density", "density") and unit in ("person/km2", "1/km2"):
        return text("densely peopled"), text("{n} persons per km²", n=_figure(value))
    if method == "refuge_places":
        return text("few refuge places"), text("{n} per 100 persons", n=_figure(value))
    shown = text("{n} %", n=_figure(value)) if unit == "%" else _measure(value, unit)
    return text("{name} {value}", name=name, value=shown), None


def _with_place(phrase: tuple[Text, Text | None], place: float, code: str) -> str:
    """Write a phrase with its figure and, where it is a high one, its place."""
    body, figure = phrase
    said = text("no. {n} here", n=int(place)) if place <= NAMED else None
    inside = ("，" if code == "zh" else ", ").join(str(part) for part in (figure, said) if part)
    if not inside:
        return str(body)
    return f"{body}（{inside}）" if code == "zh" else f"{body} ({inside})"


def _names(index: Any, roles: Mapping[str, Any]) -> dict[str, tuple[Text, Text]]:
    """Give each indicator's layer and name in both languages."""
    out: dict[str, tuple[Text, Text]] = {}
    for code, node in index.meta.iterrows():
        name = Label(str(node["name_en"]), zh=str(node["name_zh"]))
        role = roles.get(str(node["layer"]))
        out[str(code)] = (Label(str(role.en), zh=str(role.zh)) if role else name, name)
    return out


def reasons(
    index: Any, levels: pd.Series, roles: Mapping[str, Any], rows: Sequence[Any]
) -> dict[str, list[str]]:
    """Make the sentence of each unit.

    Parameters
    ----------
    index
        An ``index.steps.Index`` of the units.
    levels
        Level of each unit.
    roles
        Roles by name, for the names of the layers.
    rows
        Units that get a sentence, in the order of the lists returned.

    Returns
    -------
    dict
        Language code to sentences; blank where nothing is known.
    """
    table = facts_of(index, levels, rows)
    named = _names(index, roles)
    told: dict[Any, list[tuple[str, float, float]]] = {}
    wanted = set(rows)
    strong = table[table["scaled"] >= WEAK]
    columns = (strong[name].tolist() for name in ("unit", "code", "value", "place"))
    for unit, fact, value, place in zip(*columns, strict=True):
        facts = told.setdefault(unit, []) if unit in wanted else None
        if facts is not None and len(facts) < FACTS:
            facts.append((fact, value, place))
    out: dict[str, list[str]] = {}
    for code in LANGUAGES:
        comma = "，" if code == "zh" else "; "
        with language(code):
            none = str(text("no figure stands out"))
            out[code] = [
                comma.join(
                    _with_place(_phrase(index.meta.loc[fact], value, *named[fact]), place, code)
                    for fact, value, place in told.get(unit, ())
                )
                or (none if unit in index.scores.index else "")
                for unit in rows
            ]
    return out


def changes(
    now: Any, before: Any, roles: Mapping[str, Any], rows: Sequence[Any]
) -> dict[str, list[str]]:
    """Say what a scenario changes for each unit.

    Parameters
    ----------
    now, before
        The index of the units under the scenario and without it.
    roles
        Roles by name.
    rows
        Units that get a sentence.

    Returns
    -------
    dict
        Language code to sentences.
    """
    codes = [c for c in now.stages["raw"] if c in now.meta.index]
    named = _names(now, roles)
    root = _root(now)
    found: dict[Any, list[tuple[float, str, float, float]]] = {}
    for code in codes:
        new = pd.Series(numbers(now.stages["raw"][code]), index=now.stages["raw"].index)
        old = _column(before, code, new.index)
        rise = np.abs(
            numbers(now.stages["normalised"][code])
            - _column(before, code, new.index, stage="normalised").fillna(0).to_numpy()
        )
        moved = (new - old.fillna(0)).abs() > _SAME
        for place in np.flatnonzero(moved.to_numpy()).tolist():
            unit = new.index[place]
            found.setdefault(unit, []).append(
                (float(rise[place]), code, float(old.iloc[place]), float(new.iloc[place]))
            )
    classes = (_class_of(before, root), _class_of(now, root))
    return {code: _said(now.meta, named, found, classes, rows, code) for code in LANGUAGES}


def _said(
    meta: pd.DataFrame, named: Mapping[str, tuple[Text, Text]], found: Mapping[Any, Any],
    classes: tuple[pd.Series, pd.Series], rows: Sequence[Any], code: str,
) -> list[str]:  # fmt: skip
    """Write the sentences of a scenario in one language."""
    comma = "，" if code == "zh" else "; "
    out = []
    with language(code):
        words = [str(w) for w in _class_words()]
        for unit in rows:
            parts = [
                str(text("{name} {old} → {new}", name=named[fact][1],
                         old=_measure(0.0 if np.isnan(old) else old, str(meta.loc[fact, "unit"])),
                         new=_measure(new, str(meta.loc[fact, "unit"]))))
                for _, fact, old, new in sorted(found.get(unit, ()), reverse=True)[:FACTS]
            ]  # fmt: skip
            was, now = (int(part.get(unit, 0) or 0) for part in classes)
            if was and now and was != now:
                said = text("class {old} → {new}", old=words[was], new=words[now])
                parts.append(str(said))
            out.append(comma.join(parts) or str(text("the scenario changes nothing here")))
    return out


def _class_words() -> tuple[Text, ...]:
    """Name the classes."""
    return (text("unknown"), text("low"), text("general"), text("larger"), text("major"))


def _root(index: Any) -> str:
    """Find the code of the whole index."""
    groups = index.meta.index[index.meta["kind"] == "group"]
    tops = [c for c in groups if str(index.meta.loc[c, "parent"] or "") not in index.meta.index]
    return str(tops[0]) if tops else str(index.scores.columns[-1])


def _class_of(index: Any, root: str) -> pd.Series:
    """Give the class of each unit, 0 for unknown."""
    table = index.classes
    column = table if isinstance(table, pd.Series) else table[root]
    return pd.Series(np.nan_to_num(numbers(column)), index=column.index)


def _column(index: Any, code: str, rows: pd.Index, *, stage: str = "raw") -> pd.Series:
    """Take a column of a stage; unknown where there is none."""
    table = index.stages[stage]
    if code not in table:
        return pd.Series(np.nan, index=rows)
    return pd.Series(numbers(table[code]), index=table.index).reindex(rows)


def why_part(result: Any, packer: Packer) -> dict[str, Any] | None:
    """Pack the sentences in a block of their own, by scenario and language.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the bytes.

    Returns
    -------
    dict or None
        Where the page finds them; None without an index of units.
    """
    base = result.index.get("unit")
    if base is None:
        return None
    ids, levels = list(result.units.index), result.units[LEVEL]
    rows = _told(base, ids)
    out = {"": _spread(reasons(base, levels, result.roles, rows), rows, ids)}
    for key, index in result.index.items():
        kind, _, name = key.partition("@")
        if kind == "unit" and name:
            out[name] = _spread(changes(index, base, result.roles, rows), rows, ids)
    raw = json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return packer.array(np.frombuffer(raw, np.uint8), block=packer.block())


def _told(index: Any, ids: Sequence[Any]) -> list[Any]:
    """Choose the units that get a sentence: all, or the worst of very many."""
    if len(ids) <= MOST:
        return list(ids)
    score = pd.Series(numbers(index.scores[_root(index)]), index=index.scores.index)
    return list(score.nlargest(WORST).index)


def _spread(
    found: Mapping[str, list[str]], rows: Sequence[Any], ids: Sequence[Any]
) -> dict[str, list[str]]:
    """Put sentences beside the units of the page."""
    if len(rows) == len(ids):
        return dict(found)
    place: dict[Any, int] = {unit: i for i, unit in enumerate(ids)}
    out: dict[str, list[str]] = {}
    for code, said in found.items():
        line = [""] * len(ids)
        for unit, sentence in zip(rows, said, strict=True):
            line[place[unit]] = sentence
        out[code] = line
    return out

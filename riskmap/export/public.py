"""The public edition: a result from which everything private has been taken out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from riskmap.errors import ExportError, Problem
from riskmap.i18n import Label, Text, both, text
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from riskmap.layers.layer import Layer, Source
    from riskmap.result import Facts, InputFile, Result
    from riskmap.vocabulary.roles import Role

T = TypeVar("T", bound=pd.DataFrame)

HIDDEN: Final = "***"
_FREE: Final = ("geometry", "demo", c.UNIT_ID, c.PARENT_ID, c.ITEM_ID, c.ROLE, c.LEVEL)
"""Columns that hold no free text; the mark of demonstration data must stay."""
_GAP: Final = r"[\s.\-_·•*/~()\u00ad\u200b-\u200f\u2010-\u2015\u2060\ufeff]{0,3}"
"""What may stand between the digits of a number that somebody wants to be read."""
_DATE: Final = r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d))"
_CALL: Final = (
    r"(?:电话|座机|固话|手机|号码|联系|值班|值守|传真|热线|拨打|致电|tel|phone|mobile|fax|call)"
)
_UNIT: Final = r"(?:人|户|米|m|元|吨|年|t|㎡|平|毫|公|次|处|件|个|万|亿)"
_TELEPHONE: Final = re.compile(
    rf"(?<!\d)(?:\+?(?:00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}}(?!\d)"
    rf"|(?<!\d)[1-9](?:{_GAP}\d){{16}}{_GAP}[\dx](?!\d)"
    rf"|(?<![\d.])\(?0\d{{2,3}}\)?{_GAP}[1-9]\d{{2,3}}{_GAP}\d{{4}}"
    r"(?:\s*(?:-|转|ext\.?)\s*\d{1,6})?(?!\d)"
    rf"|(?<!\d)[48]00{_GAP}\d{{3,4}}{_GAP}\d{{3,4}}(?!\d)"
    rf"|(?P<call>{_CALL}[^\d\n]{{0,8}})[2-9](?:{_GAP}\d){{6,7}}(?!\d)"
    rf"|(?<![\d.:-]){_DATE}[2-9]\d{{3}}[\s\-.·]?\d{{4}}(?![\d.]|\s*{_UNIT})"
    r"|(?:微信|weixin|wechat|v信|(?<![a-z])vx|(?<![a-z])wx|qq|扣扣|钉钉)(?:号码?|id|同号|群)?"
    r"\s*[:是为]?\s*[a-z0-9][-_a-z0-9]{4,19}"
    r"|wxid_[a-z0-9]{4,}"
    r"|[a-z0-9_.+-]+\s?@\s?[a-z0-9-]+\.[a-z0-9.]+",
    re.IGNORECASE,
)
"""Mobile and landline numbers, 400 and 800 numbers, identity cards, accounts, mail addresses."""
_HAN_DIGITS: Final = {
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    "〇": "0",
    "幺": "1",
}


@cache
def _plain(character: str) -> str:
    """Give a digit, letter or mark of any width in its plain form, one character for one."""
    if character in _HAN_DIGITS:
        return _HAN_DIGITS[character]
    if unicodedata.category(character) in ("Nd", "No") and (
        0 <= (digit := unicodedata.digit(character, -1)) <= 9
    ):
        return str(digit)
    form = unicodedata.normalize("NFKC", character)
    return form if len(form) == 1 else character


def scrub(value: str, words: Iterable[str] = ()) -> str:
    """Blot telephone numbers and the like, and given words, out of a text.

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
    >>> scrub("１３９.0000.1234，微信：abc_12345，座机81234567，2026年3月1日")
    '***，***，座机***，2026年3月1日'
    """
    for word in sorted(words, key=len, reverse=True):
        bounded = rf"(?<!\d){re.escape(word)}(?!\d)" if word[0].isdigit() else re.escape(word)
        value = re.sub(bounded, HIDDEN, value)
    if value.isascii() and not any(character.isdigit() or character == "@" for character in value):
        plain = value
    else:
        plain = "".join(map(_plain, value))
    parts, at = [], 0
    for found in _TELEPHONE.finditer(plain):
        start = found.start() if found["call"] is None else found.end("call")
        parts += [value[at:start], HIDDEN]
        at = found.end()
    return "".join([*parts, value[at:]])


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


COARSE_M: Final = 2000.0
"""Sensitive places are moved to centres of squares of this size [m]."""
LEAST_M: Final = 500.0
"""So far at least from where they are [m]."""
_WHERE: Final = ("town", "village", "address")
"""Columns that say where a place is, finer than its district."""
_TOLD: Final = ("number", "duty_unit", "measure")
"""Columns in which an office writes what names a place: its number, who minds it, what is done."""
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


_PERSON: Final = re.compile(
    r"person|manager|leader|officer|contact|signer|reviewer|inspector|head|chief|reporter|owner"
)
"""Names of private fields that hold names of persons."""
_PEOPLE: Final = ("person", "expert")
"""Roles whose rows are persons."""
_FIRM: Final = re.compile(
    r"[(（][^()（）]*[)）]|(?:股份)?(?:有限)?(?:责任)?公司$|(?:集团|总公司|分公司)$"
)
"""What a firm's name may be said without."""
_SHORTEST: Final = 3
"""Shorter names of places are words of the language."""
_BETWEEN: Final = re.compile(r"[\s、,，;；/|()（）:：\d*+-]+")
_LATIN: Final = 5
_MOST_WORDS: Final = 20_000


def veil_layers(
    layers: Mapping[str, Layer], roles: Mapping[str, Role], *, place: Any
) -> dict[str, Layer]:
    """Give the layers from which the public edition is computed, before anything is.

    Roles that are not public are taken out, so that no number can tell of them. Sensitive places
    that may be shown coarsely are moved at least `LEAST_M` to the centre of a square, without
    their own name and without town and village. Counts of people and households at places are
    rough. Telephone numbers, accounts and the names of all persons known are blotted out of every
    text.

    Parameters
    ----------
    layers
        The checked layers.
    roles
        The roles.
    place
        The place; moved points stay in it where that can be.

    Returns
    -------
    dict
        Role to layer, in the same order.
    """
    words = person_words(layers, roles)
    veiled = {}
    for name, layer in layers.items():
        role = roles[name]
        if not _shown(role):
            veiled[name] = replace(layer, table=None, rasters=())
            continue
        table = layer.table
        if table is None or table.empty:
            veiled[name] = layer
            continue
        if role.coarsen_public and "geometry" in table:
            table = _veiled(table, role, place)
        table = table.assign(**{column: roughly(table[column]) for column in _counted(table)})
        secrets = _own_secrets(role, table).reindex(table.index)
        own = [entry if isinstance(entry, tuple) else () for entry in secrets]
        kept = set(public_columns(role, map(str, table.columns))) - _composed(role)
        changed = {
            column: _scrubbed(table[column], words, own)
            for column in table.columns
            if column in kept and column not in _FREE and _is_words(table[column])
        }
        veiled[name] = replace(layer, table=table.assign(**changed))
    return {name: replace(layer, beyond=None) for name, layer in veiled.items()}


def _composed(role: Role) -> set[str]:
    """Name the columns that hold no words of the office: what is blotted there tells its value."""
    days = {field.name for field in role.fields if field.type == "date"}
    return days | ({c.NAME} if role.coarsen_public else set())


def _counted(table: pd.DataFrame) -> list[str]:
    """Name the columns that count who is at a place."""
    return [name for name in ("people", "households") if name in table and "geometry" in table]


FEW: Final = 10
"""Fewer people than this could tell of single homes."""


def roughly(counts: pd.Series[Any]) -> pd.Series[Any]:
    """Give counts down to their first figure, those below ten as 5; thresholds of one figure hold.

    Parameters
    ----------
    counts
        Whole numbers, or nothing.

    Returns
    -------
    Series
        The same index and type; what is rough already stays.

    Examples
    --------
    >>> roughly(pd.Series([0, 3, 10, 47, 116, 1250])).tolist()
    [0, 5, 10, 40, 100, 1000]
    """
    known = pd.to_numeric(counts, errors="coerce").to_numpy("float64", na_value=np.nan)
    step = 10.0 ** np.floor(np.log10(np.maximum(known, FEW)) + 1e-12)
    first = np.where(known >= FEW, np.floor(known / step) * step, known)
    told = pd.Series(np.where((known > 0) & (known < FEW), FEW / 2, first), index=counts.index)
    return told.astype(counts.dtype) if pd.api.types.is_numeric_dtype(counts.dtype) else told


def _veiled(table: gpd.GeoDataFrame, role: Role, place: Any) -> gpd.GeoDataFrame:
    """Move sensitive places, and take out what says where they are."""
    moved = table.set_geometry(coarsen(table.geometry, place=place))
    number = _numbers(moved)
    names = [f"{role.label}{number[str(item)]}" for item in table.index]
    gone = {c: None for c in (*_WHERE, *_TOLD) if c in table.columns}
    return moved.assign(**{c.NAME: names} if c.NAME in table.columns else {}, **gone)


def _numbers(table: gpd.GeoDataFrame) -> dict[str, int]:
    """Count moved places from south to north; their own ids only tell twins apart."""
    at = table.geometry.representative_point()
    order = sorted(
        zip(at.y, at.x, map(len, map(str, table.index)), map(str, table.index), strict=True)
    )
    return {row[-1]: place for place, row in enumerate(order, start=1)}


def _plain_ids(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> dict[str, str]:
    """Give the ids that moved places have in this edition.

    Those of the register are an office's number or made from name and exact place.
    """
    found: dict[str, str] = {}
    for name, layer in layers.items():
        role, table = roles[name], layer.table
        if role.coarsen_public and isinstance(table, gpd.GeoDataFrame) and len(table):
            prefix = role.id_prefix or role.name.upper()
            found |= {old: f"{prefix}-{c.PLAIN_MARK}{n}" for old, n in _numbers(table).items()}
    return found


def without_private_severity(role: Role) -> Role:
    """Let the severity of a role's rows follow from its public fields alone: it can be solved.

    Parameters
    ----------
    role
        The role.

    Returns
    -------
    Role
        The same where all of it is public.
    """
    public = set(public_columns(role, role.severity or ()))
    kept = {name: key for name, key in (role.severity or {}).items() if name in public}
    return role if kept == (role.severity or {}) else replace(role, severity=kept)


def person_words(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> re.Pattern[str] | None:
    """Collect the names of persons that any private field holds, and of places without a name.

    Parameters
    ----------
    layers
        The checked layers, as they came in.
    roles
        The roles.

    Returns
    -------
    re.Pattern or None
        Finds any of them; None when there is none.
    """
    found: set[str] = set()
    for name, table in _tables(layers):
        for entry in roles[name].fields:
            private = entry.sensitivity != "public" and entry.type == "text"
            person = _PERSON.search(entry.name) or (name in _PEOPLE and entry.name == c.NAME)
            if entry.name not in table or not person or not (private or name in _PEOPLE):
                continue
            for cell in pd.unique(table[entry.name].dropna().astype(str)):
                found |= {word for word in _BETWEEN.split(cell) if _is_name(word)}
    found |= _unnamed(layers, roles)
    longest = sorted(found, key=lambda word: (-len(word), word))[:_MOST_WORDS]
    return re.compile("|".join(map(re.escape, longest))) if longest else None


def _tables(layers: Mapping[str, Layer]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the rows of every layer, those beyond the border too."""
    for name, layer in layers.items():
        yield from ((name, one) for one in (layer.table, layer.beyond) if one is not None)


def _unnamed(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> set[str]:
    """Collect names, numbers and ids of places that no text of any layer may tell the place of.

    A firm's name counts without its legal form too; what towns and villages are called does not.
    """
    found: set[str] = set()
    for name, table in _tables(layers):
        if not roles[name].unnamed_public:
            continue
        for column in (c.NAME, "number"):
            cells = table[column].dropna().astype(str) if column in table else ()
            found |= {
                form for cell in cells for form in (cell.strip(), _FIRM.sub("", cell).strip())
            }
        found |= set(map(str, table.index))
    known = {
        str(said)
        for _, table in _tables(layers)
        for column in ("district", "town", "village")
        if column in table
        for said in pd.unique(table[column].dropna())
    }
    return {
        word
        for word in found
        if len(word) >= (_LATIN if word.isascii() else _SHORTEST)
        and not word.isdigit()
        and not any(word in one for one in known)
    }


def _is_name(word: str) -> bool:
    return len(word) >= (_LATIN if word.isascii() else 2) and not word.isdigit()


def _own_secrets(role: Role, table: pd.DataFrame) -> pd.Series[Any]:
    return _joined(_private_words(role, table))


def _scrubbed(
    values: pd.Series[Any], words: re.Pattern[str] | None, own: list[tuple[str, ...]]
) -> list[Any]:
    """Blot numbers, the words of the row, and persons out of a column."""
    out = []
    for value, mine in zip(values, own, strict=True):
        said = _scrub_value(value, mine)
        out.append(words.sub(HIDDEN, said) if words and isinstance(said, str) else said)
    return out


def blot(table: T, words: re.Pattern[str] | None) -> T:
    """Blot numbers and the names of persons out of every text of a table.

    Parameters
    ----------
    table
        The table.
    words
        Finds the names, or None.

    Returns
    -------
    DataFrame
        The table with ``***`` in their place.
    """
    nothing: list[tuple[str, ...]] = [()] * len(table)
    changed = {
        name: _scrubbed(table[name], words, nothing)
        for name in table.columns
        if name not in _FREE and _is_words(table[name])
    }
    return table.assign(**changed)


def is_veiled(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> bool:
    """Tell whether layers are those that the public edition may be computed from.

    Parameters
    ----------
    layers
        Layers of a result.
    roles
        The roles.

    Returns
    -------
    bool
        False when a private role has rows, a sensitive place stands where it is, or people are
        counted exactly.
    """
    for name, layer in layers.items():
        if layer.table is None:
            continue
        if not _shown(roles[name]):
            return False
        if layer.table.empty:
            continue
        if any(not roughly(layer.table[one]).equals(layer.table[one])
               for one in _counted(layer.table)):  # fmt: skip
            return False
        if roles[name].coarsen_public and "geometry" in layer.table:
            shapes = layer.table.geometry.dropna()
            at = np.column_stack([shapes.centroid.x, shapes.centroid.y])
            if not np.allclose(at % COARSE_M, COARSE_M / 2, atol=1e-6):
                return False
    return True


def redact(result: Result) -> Result:
    """Take everything private out of a result; doing it twice changes nothing.

    The result must have been computed for the public (``pipeline.run(project, profile="public")``):
    what was computed from exact places gives them away, whatever is taken out afterwards. Fields
    that a role does not mark ``public``, and telephone fields go; telephone numbers and the
    dropped words of a row are blotted out of its free texts; files have plain names; returned rows
    are counted but not shown; there are no plans.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    Result
        The same run as the public may see it.

    Raises
    ------
    ExportError
        When the result was computed from exact places.
    """
    if not is_veiled(result.layers, result.roles):
        message = text(
            "the public edition is a run of its own, from coarsened places; "
            "run with --profile public"
        )
        raise ExportError(message)
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
    files = _plain_names(result)
    ids = _plain_ids(layers, result.roles)
    nothing = pd.Series(dtype=object)
    units = result.units[[name for name in _UNIT_COLUMNS if name in result.units]]
    return replace(
        result,
        facts=_said(result.facts),
        layers={
            n: _named_anew(_scrub_layer(_renamed(layer, files), secrets, result.roles[n]), ids)
            for n, layer in layers.items()
        },
        problems=tuple(_problem(problem) for problem in result.problems),
        notes=_notes(result),
        indicators=replace(
            result.indicators,
            meta=scrub_table(result.indicators.meta, nothing),
            notes=tuple(scrub_note(note) for note in result.indicators.notes),
        ),
        index={
            name: replace(index, notes=tuple(scrub_note(note) for note in index.notes))
            for name, index in result.index.items()
        },
        units=scrub_table(units, nothing),
        unit_sources=tuple(_source(source, files) for source in result.unit_sources),
        items=items.rename(index=ids),
        control=control.rename(index=ids),
        closed=None,
        effects={role: scrub_note(said) for role, said in result.effects.items()},
        scorecard=None,
        duty={},
        scenarios=scenarios,
        plans={},
        inputs=_plain_inputs(result, files),
        root=None,
    )


def _notes(result: Result) -> tuple[Text, ...]:
    """Blot the notes, and say last that counts are rough."""
    notes = [scrub_note(note) for note in result.notes]
    there = any(layer.table is not None and _counted(layer.table)
                for layer in result.layers.values())  # fmt: skip
    said = text(
        "In this edition counts of people and households at places are cut to their first figure, "
        "5 for fewer than 10."
    )
    return (*(note for note in notes if note != said), *((said,) if there else ()))


def _plain_inputs(result: Result, files: Mapping[str, str]) -> tuple[InputFile, ...]:
    """Name what went in by its kind, without digest and size: what can be guessed can be tried."""
    known = [file for file in result.inputs if file.shown in files]
    return tuple(replace(file, shown=files[file.shown], sha256="", size=0) for file in known)


def _said(facts: Facts) -> Facts:
    """Blot the texts that the papers say about themselves."""
    return replace(
        facts,
        profile="public",
        name=scrub(facts.name),
        place_name=scrub(facts.place_name),
        issued_by=scrub(facts.issued_by),
        review_number=scrub(facts.review_number),
    )


_PICTURES: Final = (".jpg", ".jpeg", ".png", ".gif", ".webp")


def _plain_names(result: Result) -> dict[str, str]:
    """Give every file that went in a name that tells what it is for, and nothing else."""
    roles = {source.shown: "unit" for source in result.unit_sources}
    for role, layer in result.layers.items():
        roles |= {source.shown: role for source in layer.sources}
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    shown = dict.fromkeys([*(file.shown for file in result.inputs), *roles])
    for file in shown:
        suffix = PurePosixPath(_file_name(file)).suffix.lower()
        if suffix in _PICTURES:
            continue
        if any(file == name for name in names.values()):  # redacted before
            names[file] = file
            continue
        kind = roles.get(file, "input")
        counts[kind] = counts.get(kind, 0) + 1
        plain = suffix if re.fullmatch(r"\.[a-z0-9]{1,8}", suffix) else ""
        names[file] = f"{kind}-{counts[kind]}{plain}"
    return names


def _named_anew(layer: Layer, ids: Mapping[str, str]) -> Layer:
    """Give moved places their plain ids, in the order of these."""
    if layer.table is None or not ids or not layer.table.index.isin(list(ids)).any():
        return layer
    order = sorted(layer.table.index, key=lambda item: (len(ids[item]), ids[item]))
    return replace(layer, table=layer.table.loc[order].rename(index=ids))


def _renamed(layer: Layer, files: Mapping[str, str]) -> Layer:
    sources = tuple(_source(source, files) for source in layer.sources)
    return replace(layer, returned=None, sources=sources)


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
    if not _shown(role) or layer.table is None:
        return replace(layer, table=None, rasters=layer.rasters if _shown(role) else ())
    table = layer.table
    kept = pd.DataFrame(table[public_columns(role, map(str, table.columns))])
    if "geometry" not in table:
        return replace(layer, table=kept)
    return replace(layer, table=gpd.GeoDataFrame(kept, geometry=table.geometry, crs=table.crs))


def coarsen(
    shapes: gpd.GeoSeries,
    *,
    place: Any = None,
    size_m: float = COARSE_M,
    least_m: float = LEAST_M,
) -> gpd.GeoSeries:
    """Move every geometry to the nearest centre of a square that is far enough from it.

    Parameters
    ----------
    shapes
        Geometries in a metric CRS; of a line or polygon, a point on it is taken.
    place
        A geometry; centres in it are taken first. None for no limit.
    size_m
        Side of the squares [m].
    least_m
        Least distance from every part of the geometry [m].

    Returns
    -------
    GeoSeries
        Points.

    Examples
    --------
    >>> spots = gpd.GeoSeries([shapely.Point(1010, 990), shapely.Point(100, 100)])
    >>> [point.wkt for point in coarsen(spots)]
    ['POINT (1000 -1000)', 'POINT (1000 1000)']
    """
    reach = np.arange(-4, 5) * size_m
    steps = np.stack(np.meshgrid(reach, reach), -1).reshape(-1, 2)
    out: list[Any] = []
    for shape in shapes:
        if shape is None or shape.is_empty:
            out.append(None)
            continue
        spot = shapely.point_on_surface(shape)
        middle = np.floor(np.array([spot.x, spot.y]) / size_m) * size_m + size_m / 2
        corners = np.round(middle + steps, 6)
        points = shapely.points(corners)
        far = shapely.distance(shape, points)
        order = np.lexsort((corners[:, 0], corners[:, 1], far))
        fit = [at for at in order if far[at] >= least_m] or [order[-1]]
        inside = [at for at in fit if place is not None and shapely.intersects(place, points[at])]
        out.append(points[(inside or fit)[0]])
    return gpd.GeoSeries(out, index=shapes.index, crs=shapes.crs)


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


def _scrub_layer(layer: Layer, secrets: pd.Series[Any], role: Role) -> Layer:
    if layer.table is None:
        return layer
    own = layer.table[[name for name in layer.table if name in _composed(role)]]
    return replace(layer, table=scrub_table(layer.table, secrets).assign(**dict(own.items())))


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
        if name not in private
        and not _PRIVATE.search(str(name).lower())
        and str(name) not in c.private_columns()
    ]
    rows = table[~table[c.ROLE].isin(gone)] if c.ROLE in table else table
    rows = rows[names].copy()
    if c.ROLE in rows:  # a place that was moved says nothing about the village it was moved to
        moved = rows[c.ROLE].isin([n for n, role in result.roles.items() if role.coarsen_public])
        for name in (*_WHERE, *_NEAR_NAMES):
            if name in rows:
                rows[name] = rows[name].where(~moved, "")
        rows = _without_mark(rows, moved)
        secrets = secrets.loc[secrets.index.isin(rows.index[~moved])]
    names = [name for name in _OFFICE if name in rows]
    rows[names] = scrub_table(rows[names], secrets)
    rest = scrub_table(rows.drop(columns=names), pd.Series(dtype=object))
    rows[list(rest.columns)] = rest
    if "reason" in rows:
        rows["reason"] = [_open(entry) for entry in rows["reason"]]
    return rows


_NEAR_NAMES: Final = ("refuge_name", "station_name", "method", c.UNIT_ID)
_NEAR_FIGURES: Final = ("refuge_m", "station_s", "unit_score")
"""What lies near the mark of an item: near the mark alone where that was moved."""


def _without_mark(rows: pd.DataFrame, moved: pd.Series[bool]) -> pd.DataFrame:
    """Take from moved items what holds for the mark and not for the place it stands for."""
    rows = rows.copy()
    for name in _NEAR_FIGURES:
        if name in rows:
            rows[name] = rows[name].where(~moved)
    if "unit_class" in rows:
        rows["unit_class"] = rows["unit_class"].where(~moved, 0)
    if "people" in rows and "people_basis" in rows:
        counted = moved & ~rows["people_basis"].map(_of_ledger).astype(bool)
        rows["people"] = rows["people"].where(~counted)
        rows["people_basis"] = rows["people_basis"].where(~counted, None)
    if "reason" in rows:
        rows["reason"] = [
            [part for part in entry if not (isinstance(part, Text) and part.msgid[:6] == "{unit}")]
            if away and isinstance(entry, list) else entry
            for entry, away in zip(rows["reason"], moved, strict=True)
        ]  # fmt: skip
    return rows


def _of_ledger(basis: Any) -> bool:
    return isinstance(basis, Text) and basis.msgid == "from the ledger"


_OFFICE: Final = (c.NAME, "duty_unit", "measure")
"""Columns of list and table in which a row's own private words may stand; all others are riskmap's,
and a number blotted there would tell that it is a private one of the row."""


def _open(said: Any) -> Any:
    """Hide in a composed text what private fields hold; None where nothing else is left."""
    if isinstance(said, list | tuple):
        return type(said)(part for part in map(_open, said) if part is not None)
    if not isinstance(said, Text) or isinstance(said, Label):
        return said
    words = {name: _open(value) for name, value in said.params}
    if any(words[name] is None and value is not None for name, value in said.params):
        return next((part for part in words.values() if isinstance(part, Text)), None)
    if words.get("sensitivity", "public") != "public":
        if "value" not in words:
            return None
        words["value"] = HIDDEN
    return said if words == dict(said.params) else Text(said.msgid, tuple(words.items()))


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


def _source(source: Source, files: Mapping[str, str]) -> Source:
    name = files.get(source.shown, source.shown)
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

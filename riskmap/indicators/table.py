"""Indicators on cells and on units, by one mechanism."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import IndicatorError, LayerError, Problem
from riskmap.files import read_texts
from riskmap.geo.areas import coverage, place_share, zonal
from riskmap.geo.grid import CELL, inside_cells
from riskmap.i18n import Label, Text, text
from riskmap.indicators import shipped_tables
from riskmap.indicators.methods import METHODS, Field, Inputs, Missing, Spec
from riskmap.vocabulary.columns import UNIT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray


__all__ = [
    "COLUMNS", "Indicators", "Inputs", "compute", "load_table", "parse_options", "renormalise",
]  # fmt: skip

COLUMNS: Final = (
    "parent", "kind", "name_zh", "name_en", "direction", "weight", "unit", "method", "layer",
    "options", "zonal", "source", "status",
)  # fmt: skip
_REQUIRED: Final = ("code", "parent", "kind", "direction", "weight", "method", "layer", "zonal")
_ZONAL: Final = ("mean", "population_mean", "sum", "density")
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
_FOLDER: Final = Path(__file__).parent


def parse_options(raw: str) -> dict[str, str]:
    """Read the options of a method.

    Parameters
    ----------
    raw
        Such as ``radius_m=1000;kernel=quartic``.

    Returns
    -------
    dict
        Name to value, both as text; a part without ``=`` has an empty value.

    Examples
    --------
    >>> parse_options("radius_m=1000; kernel=quartic")
    {'radius_m': '1000', 'kernel': 'quartic'}
    """
    parts = [part.partition("=") for part in raw.split(";") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def load_table(name_or_path: str | Path = "flood_season") -> pd.DataFrame:
    """Read an indicator table and check it.

    Parameters
    ----------
    name_or_path
        The name of a shipped table, or the path of a CSV file (UTF-8).

    Returns
    -------
    pandas.DataFrame
        Indexed by ``code``; columns parent, kind, name_zh, name_en, direction, weight, unit,
        method, layer, options, zonal, source, status. A row is an ``indicator`` or a ``group``; the
        root group has an empty parent.

    Raises
    ------
    IndicatorError
        With every problem of the table: where, what, how to mend it.

    Examples
    --------
    >>> table = load_table()
    >>> table.loc["E_POP", ["parent", "unit", "method"]].tolist()
    ['EXPOSURE', 'person/km2', 'population_density']
    """
    shipped = _FOLDER / f"{name_or_path}.csv"
    path = shipped if shipped.is_file() else Path(name_or_path)
    raw = _read(path)
    missing = [column for column in _REQUIRED if column not in raw]
    if missing:
        raise IndicatorError(
            text(
                "{file}: columns are missing: {columns}; see the shipped table flood_season",
                file=path.name,
                columns=", ".join(missing),
            )
        )
    problems = list(_problems(raw, path.name))
    if problems:
        message = text(
            "{file}: {n} problems in the indicator table", file=path.name, n=len(problems)
        )
        raise IndicatorError(message, tuple(problems))
    table = raw.set_index("code").reindex(columns=list(COLUMNS), fill_value="")
    table["direction"] = table["direction"].astype(int)
    table["weight"] = table["weight"].astype(float)
    for language, other in (("zh", "en"), ("en", "zh")):
        name, spare = f"name_{language}", f"name_{other}"
        table[name] = table[name].where(table[name] != "", table[spare])
        table[name] = table[name].where(table[name] != "", table.index.to_series())
    table["status"] = table["status"].where(table["status"] != "", "unverified")
    return table


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise IndicatorError(
            text(
                "{file}: there is no such indicator table; give a CSV file or one of: {names}",
                file=path.name,
                names=", ".join(sorted(shipped_tables())),
            )
        )
    try:
        return read_texts(path)
    except LayerError as error:
        raise IndicatorError(error.message, error.problems) from error


def _near(word: str, known: Any) -> Text:
    """Say which known word is meant, or list them."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    if close:
        return text("did you mean {near}?", near=close[0])
    return text("use one of: {names}", names=", ".join(known))


def _problems(raw: pd.DataFrame, file: str) -> Iterator[Problem]:
    def problem(row: Any, field: str, message: Text, mend: Text) -> Problem:
        value = str(raw[field][row]) if row is not None else ""
        return Problem(
            severity="unusable",
            role="indicators",
            rule="indicator_table",
            message=message,
            mend=mend,
            file=file,
            row=None if row is None else int(row) + 2,
            field=field,
            value=value,
        )

    roots = raw.index[raw["parent"] == ""]
    if len(roots) != 1:
        yield problem(
            None,
            "parent",
            text("{n} rows have no parent", n=len(roots)),
            text("leave the parent empty in exactly one row, the root"),
        )
    groups = set(raw.loc[raw["kind"] == "group", "code"])
    for row in raw.index:
        for field, message, mend in _row_problems(raw, row, groups):
            yield problem(row, field, message, mend)
    for code in sorted(_in_circles(raw)):
        row = raw.index[raw["code"] == code][0]
        mend = text("let every row lead up to the root")
        yield problem(row, "parent", text("the parents go round in a circle"), mend)


def _row_problems(
    raw: pd.DataFrame, row: Any, groups: set[str]
) -> Iterator[tuple[str, Text, Text]]:
    line = raw.loc[row]
    code, kind = line["code"], line["kind"]
    if not _CODE.fullmatch(code):
        message = text("the code is not a plain word")
        yield "code", message, text("use up to 31 letters, digits and _, with a letter first")
    elif (raw["code"] == code).sum() > 1:
        yield "code", text("the code stands twice"), text("give every row its own code")
    if line["parent"] and line["parent"] not in groups:
        yield "parent", text("no group has this code"), _near(line["parent"], sorted(groups))
    if kind not in ("indicator", "group"):
        yield "kind", text("unknown kind"), _near(kind, ("indicator", "group"))
    if line["direction"] not in ("1", "+1", "-1"):
        mend = text("write 1 when more is worse, -1 when more is better")
        yield "direction", text("the direction is neither 1 nor -1"), mend
    elif kind == "group" and line["direction"] == "-1":
        mend = text("write 1, and turn the direction of the indicators beneath it")
        yield "direction", text("a group has no direction of its own"), mend
    weight = pd.to_numeric(line["weight"], errors="coerce")
    if not (np.isfinite(weight) and weight >= 0):
        yield "weight", text("the weight is not a number of 0 or more"), text("write such as 0.25")
    if kind == "group" and code in groups:
        below = pd.to_numeric(raw.loc[raw["parent"] == code, "weight"], errors="coerce")
        if not below.sum() > 0:
            message = text("no row below this group has a weight")
            yield "code", message, text("give the group an indicator, or delete it")
    if kind == "indicator":
        yield from _method_problems(line, set(raw["code"]))


def _method_problems(line: Any, codes: set[str]) -> Iterator[tuple[str, Text, Text]]:
    if line["zonal"] not in _ZONAL:
        yield "zonal", text("unknown rule for units"), _near(line["zonal"], _ZONAL)
    if line["method"] not in METHODS:
        yield "method", text("unknown method"), _near(line["method"], METHODS)
        return
    if not line["layer"]:
        yield "layer", text("the layer is missing"), text("name the role that is measured")
    rule, options = METHODS[line["method"]], parse_options(line.get("options", ""))
    needed = [name for name, _ in (*rule.numbers, *rule.words)]
    for name in options:
        if name not in {*needed, *rule.free, "unless"}:
            message = text(
                "the method {method} has no option {name}", method=line["method"], name=name
            )
            yield "options", message, _near(name, [*needed, *rule.free, "unless"])
    for name, count in rule.numbers:
        if not _is_numbers(options.get(name, ""), count):
            mend = text("write such as {example}", example=f"{name}=" + "|".join(["1"] * count))
            yield (
                "options",
                text("{name} needs {n} number(s) of 0 or more", name=name, n=count),
                mend,
            )
    for name, allowed in rule.words:
        word = options.get(name, "")
        if not word or (allowed and word not in allowed):
            mend = (
                _near(word, allowed)
                if allowed
                else text("write such as {example}", example=f"{name}=…")
            )
            yield "options", text("{name} is missing or unknown", name=name), mend
    for word in filter(None, options.get("unless", "").split("|")):
        if word.strip() not in codes:
            message = text("unless names {code}, which is not in the table", code=word.strip())
            yield "options", message, _near(word.strip(), sorted(codes))


def _is_numbers(raw: str, count: int) -> bool:
    if raw.startswith("@"):
        return True
    numbers = pd.to_numeric(pd.Series(raw.split("|")), errors="coerce")
    return len(numbers) == count and bool((np.isfinite(numbers) & (numbers >= 0)).all())


def _in_circles(raw: pd.DataFrame) -> set[str]:
    """Find the codes that never lead up to the root."""
    parent = dict(zip(raw["code"], raw["parent"], strict=True))
    lost = set()
    for code in parent:
        at, steps = code, 0
        while parent.get(at) and steps <= len(parent):
            at, steps = parent[at], steps + 1
        if steps > len(parent):
            lost.add(code)
    return lost


@dataclass(frozen=True, eq=False)
class Indicators:
    """Every indicator on cells and on units, and how each was measured."""

    meta: pd.DataFrame
    """Indexed by code: the table's rows that could be measured, weights renormalised; besides
    ``weight_given`` and ``method_note`` (Text, empty for groups)."""
    cells: pd.DataFrame
    """float32, index ``cell`` (flat index of the cells inside the place), a column per code."""
    units: pd.DataFrame
    """float64, index ``unit_id``, a column per code; NaN = unknown."""
    notes: tuple[Text, ...]
    """What must be said beside the numbers."""


def _word(meta: pd.DataFrame, code: str, column: str) -> str:
    return str(meta.loc[code, column])


def label_of(meta: pd.DataFrame, code: str) -> Label:
    """Name a row of the indicator table in both languages.

    Parameters
    ----------
    meta
        The table, indexed by code.
    code
        The row.

    Returns
    -------
    Label
        The name.
    """
    return Label(_word(meta, code, "name_en"), zh=_word(meta, code, "name_zh"))


def compute(meta: pd.DataFrame, inputs: Inputs, units: gpd.GeoDataFrame) -> Indicators:
    """Measure every indicator on the grid, and take it together for units.

    An indicator that cannot be measured is left out, the weights inside its parent are renormalised
    over what is there, and a note says so; the same for a whole component. An indicator with the
    option ``unless=CODE`` is a proxy, measured only when CODE is not there.

    Parameters
    ----------
    meta
        The indicator table, from `load_table`.
    inputs
        The layers in the run's metric CRS.
    units
        Units of all levels in any CRS, indexed by ``unit_id``.

    Returns
    -------
    Indicators
        Values on cells and units.

    Raises
    ------
    IndicatorError
        When nothing could be measured.
    """
    units = units.to_crs(inputs.grid.crs) if units.crs is not None else units
    inputs = replace(inputs, units=units)
    fields: dict[str, Field] = {}
    missing: dict[str, Text] = {}
    for code in meta.index[meta["kind"] == "indicator"]:
        found = _measure(meta, code, inputs, fields)
        if found is None:
            continue
        if isinstance(found, Missing):
            missing[code] = found.reason
            continue
        fields[code] = found
    if not fields:
        raise IndicatorError(
            text("no indicator could be measured; give at least one of the layers it needs"),
        )
    kept, lost = renormalise(meta, list(fields))
    measured = {code: found.unit for code, found in fields.items()}
    kept["unit"] = [measured.get(code, _word(meta, code, "unit")) for code in kept.index]
    hows = [fields[code].how if code in fields else Text("") for code in kept.index]
    kept["method_note"] = pd.Series(hows, index=kept.index, dtype=object)
    return Indicators(
        kept,
        _on_cells(inputs, fields),
        _on_units(meta, inputs, fields, units),
        tuple(_notes(meta, fields, missing, lost)),
    )


def _measure(
    meta: pd.DataFrame, code: str, inputs: Inputs, fields: dict[str, Field]
) -> Field | Missing | None:
    """Measure one indicator; None when it is a proxy that is not needed."""
    options = parse_options(_word(meta, code, "options"))
    unit, layer = _word(meta, code, "unit"), _word(meta, code, "layer")
    spec = Spec(code, label_of(meta, code), unit, layer, options, inputs.presets)
    if set(spec.words("unless")) & set(fields):
        return None
    found = METHODS[_word(meta, code, "method")].run(inputs, spec)
    if isinstance(found, Field) and not np.isfinite(found.cells[inputs.grid.inside]).any():
        return Missing(text("no cell of the place has a value"))
    return found


def _notes(
    meta: pd.DataFrame, fields: dict[str, Field], missing: dict[str, Text], lost: list[str]
) -> Iterator[Text]:
    """Say what must stand beside the numbers: caveats, proxies, what is left out."""
    for code, found in fields.items():
        yield from found.notes
        if _is_proxy(meta, code):
            parent = label_of(meta, _word(meta, code, "parent"))
            name = label_of(meta, code)
            yield text(
                "{parent} is measured by a proxy: {name} ({code})",
                parent=parent,
                name=name,
                code=code,
            )
    for code, reason in missing.items():
        if not _is_proxy(meta, code):
            name = label_of(meta, code)
            yield text("{name} ({code}) is left out: {reason}", name=name, code=code, reason=reason)
    for code in lost:
        yield text(
            "the whole component {name} ({code}) is left out: nothing of it could be measured",
            name=label_of(meta, code),
            code=code,
        )
    if missing:
        yield text("what is left out gives its weight to the rest of its group")


def _is_proxy(meta: pd.DataFrame, code: str) -> bool:
    return "unless" in parse_options(_word(meta, code, "options"))


def renormalise(meta: pd.DataFrame, codes: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Keep the measured indicators and their groups; weights below each group sum to 1 again.

    Parameters
    ----------
    meta
        The indicator table.
    codes
        Indicators that were measured.

    Returns
    -------
    tuple
        The rows kept, with ``weight_given`` beside the new ``weight``, and the codes of the groups
        that lost all their rows.

    Examples
    --------
    >>> kept, lost = renormalise(load_table(), ["E_ROAD", "H_LOW", "H_WATERWAY", "C_PLACES"])
    >>> kept["weight"].round(4).to_dict()["H_LOW"], lost
    (0.5, ['VULNERABILITY', 'GEOHAZARD', 'DAM', 'CHEMICAL'])
    """
    wanted = set(codes)
    for code in codes:
        parent = _word(meta, code, "parent")
        while parent and parent not in wanted:
            wanted.add(parent)
            parent = _word(meta, parent, "parent")
    kept = meta[meta.index.isin(wanted)].copy()
    kept["weight_given"] = kept["weight"]
    below = kept.groupby("parent")["weight"]
    total, count = below.transform("sum"), below.transform("size")
    kept["weight"] = (kept["weight"] / total.where(total > 0)).fillna(1 / count)
    groups = meta.index[meta["kind"] == "group"]
    return kept, [code for code in groups if code not in wanted]


def _on_cells(inputs: Inputs, fields: dict[str, Field]) -> pd.DataFrame:
    cells = inside_cells(inputs.grid)
    values = {code: found.cells.ravel()[cells] for code, found in fields.items()}
    return pd.DataFrame(values, index=pd.Index(cells, name=CELL), dtype=np.float32)


def _on_units(
    meta: pd.DataFrame, inputs: Inputs, fields: dict[str, Field], units: Any
) -> pd.DataFrame:
    grid, pieces = inputs.grid, inputs.pieces
    cover = coverage(grid, units) if pieces is None else pieces.cover
    share = place_share(grid)
    result: dict[str, NDArray[np.float64]] = {}
    for how in dict.fromkeys(meta.loc[list(fields), "zonal"]):
        codes = [code for code in fields if _word(meta, code, "zonal") == how]
        stack = np.stack([fields[code].cells for code in codes])
        if how == "density":
            stack = stack * np.float32(grid.area_km2)
        people = inputs.population
        rows = zonal(grid, cover, stack, how=how, population=people, place_share=share)
        if how == "population_mean" and pieces is not None:
            lived = pieces.mean(stack)
            rows = np.where(np.isfinite(lived), lived, zonal(grid, cover, stack))
        result.update(zip(codes, rows, strict=True))
    for code, found in fields.items():
        if found.units is not None:
            own = found.units
            result[code] = own if found.exact else np.where(np.isnan(own), result[code], own)
    index = units.index.rename(UNIT_ID)
    return pd.DataFrame({code: result[code] for code in fields}, index=index)

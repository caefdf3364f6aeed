"""Indicators on cells and on units, by one mechanism."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.columns import CELL, UNIT_ID
from riskmap.errors import IndicatorError
from riskmap.geo.grid import inside_cells
from riskmap.geo.overlay import coverage, place_share, zonal
from riskmap.i18n import Text, text
from riskmap.indicators.field import Field, Inputs, Missing, Spec
from riskmap.indicators.load import load_table, parse_options
from riskmap.indicators.methods import METHODS
from riskmap.roles.load import Label

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Indicators", "Inputs", "compute", "load_table", "renormalise"]


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
    (0.5, ['VULNERABILITY'])
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
    grid = inputs.grid
    cover, share = coverage(grid, units), place_share(grid)
    result: dict[str, NDArray[np.float64]] = {}
    for how in dict.fromkeys(meta.loc[list(fields), "zonal"]):
        codes = [code for code in fields if _word(meta, code, "zonal") == how]
        stack = np.stack([fields[code].cells for code in codes])
        if how == "density":
            stack = stack * np.float32(grid.area_km2)
        people = inputs.population
        rows = zonal(grid, cover, stack, how=how, population=people, place_share=share)
        result.update(zip(codes, rows, strict=True))
    index = units.index.rename(UNIT_ID)
    return pd.DataFrame({code: result[code] for code in fields}, index=index)

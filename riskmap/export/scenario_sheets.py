"""What stands in the GeoPackage about scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely

from riskmap import columns as c
from riskmap.export import styles, tables
from riskmap.export.contents import KINDS, Sheet, named
from riskmap.export.scenarios import Flooded, changes, flooded
from riskmap.i18n import Text, text
from riskmap.result import Result

__all__ = ["cell_columns", "cell_styles", "scenario_layers", "scenario_tables"]


def cell_columns(result: Result, cells: pd.Index[Any]) -> pd.DataFrame:
    """Give the columns that scenarios add to the cells.

    Parameters
    ----------
    result
        The run's result.
    cells
        Flat indices of the cells.

    Returns
    -------
    DataFrame
        ``depth_N_m``, ``score_N`` and ``class_N`` of the scenario number N.
    """
    out = pd.DataFrame(index=cells)
    for number, scenario in enumerate(result.scenarios.values(), start=1):
        if scenario.depth_m is not None:
            depth = np.asarray(scenario.depth_m, dtype="float64").ravel()
            out[f"depth_{number}_m"] = depth[np.asarray(cells)]
    for wet in flooded(result):
        out[f"score_{wet.number}"] = wet.cell.scores[c.ROOT].astype("float64")
        out[f"class_{wet.number}"] = wet.cell.classes
    return out


def cell_styles(result: Result) -> tuple[tuple[str, str], ...]:
    """Give a style of the cells for every scenario.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    tuple
        Name of the scenario and QML by its class.
    """
    classes = tables.class_names()
    return tuple(
        (
            wet.name,
            styles.by_class("polygon", f"class_{wet.number}", classes, size=0.0, opacity=0.6),
        )
        for wet in flooded(result)
    )


def scenario_layers(result: Result) -> Iterator[Sheet]:
    """Give closed roads, danger areas and the units of every scenario.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Sheet
        Spatial tables.
    """
    for number, scenario in enumerate(result.scenarios.values(), start=1):
        for part, shapes, label, colour in (
            ("closures", scenario.closures, text("Closed roads"), "#a30f1a"),
            ("danger_area", scenario.danger_area, text("Danger areas"), "#c8501e"),
        ):
            if shapes is None or not len(shapes):
                continue
            ids = pd.Series(shapely.get_type_id(shapes.geometry.to_numpy())).map(KINDS)
            kind = str(ids.mode().iloc[0])
            rows = shapes[(ids == kind).to_numpy()]
            words = _titled(scenario.name, f"{part}_{number}", label)
            style = styles.single(kind, colour, size=0.8, opacity=0.35, outline=colour)
            yield Sheet(f"{part}_{number}", rows.reset_index(), **words, style=style, kind=kind)
    for wet in flooded(result):
        yield _units(result, wet)


def _titled(scenario: str, name: str, label: Text) -> dict[str, Any]:
    words = named(name, label)
    words["identifier"] = f"{scenario} {words['identifier']}"
    return words


def _units(result: Result, wet: Flooded) -> Sheet:
    """Give the units as they stand under a scenario, beside the baseline."""
    beside = changes(result.index["unit"], wet.unit)
    beside = beside.drop(columns=["class_after", "score_after", "rank_after"])
    frame = result.units.join(tables.scored(wet.unit)).join(beside)
    levels = tables.levels_of(result.units)
    names = [str(tables.UNIT_LEVEL_NAMES.get(level, level)) for level in levels]
    style = styles.units_by_level(levels, names, tables.class_names())
    words = _titled(wet.name, f"units_{wet.number}", text("Units in the scenario"))
    shaped = frame.rename_axis(c.UNIT_ID).reset_index()
    return Sheet(f"units_{wet.number}", shaped, **words, style=style, kind="polygon")


def scenario_tables(result: Result) -> Iterator[Sheet]:
    """Give what the scores of a scenario are recomputed from.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    Sheet
        Values and indicators of every scenario; the parameters stand in ``params``.
    """
    for wet in flooded(result):
        name = f"unit_indicators_{wet.number}"
        values = wet.unit.stages["raw"].rename_axis(c.UNIT_ID).reset_index()
        label = text("Indicator values of the units in the scenario")
        yield Sheet(name, values, **_titled(wet.name, name, label))
        name = f"indicators_{wet.number}"
        meta = wet.unit.meta.rename_axis("code").reset_index()
        label = text("Indicators and weights in the scenario")
        yield Sheet(name, meta, **_titled(wet.name, name, label))

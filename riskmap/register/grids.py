"""Grid duty: no ground without a grid, no item without one person, A and B in every village."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import text
from riskmap.layers.layer import filled
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets

SLIVER_M2: Final = 1.0
"""Gaps and overlaps below this are the drawing's, not the grid's [m2]."""


def duty_checks(
    layers: Mapping[str, Layer],
    units: gpd.GeoDataFrame,
    items: pd.DataFrame,
    *,
    place: shapely.Geometry,
    pieces: Pieces | None,
    presets: Presets,
    data_date: str = "",
) -> dict[str, pd.DataFrame]:
    """Check what the ledgers of duty allow to check.

    Parameters
    ----------
    layers
        Checked layers by role, in the run's CRS.
    units
        Units of all levels; ``finest`` marks the villages.
    items
        The ranked list with lon, lat and level.
    place
        The place in the run's CRS.
    pieces
        People, for those out of earshot; None when unknown.
    presets
        Days between patrols, audible radius.
    data_date
        Date of the data, ISO.

    Returns
    -------
    dict
        Subject to table; a subject whose ledger is missing is not there, one without faults is
        empty.
    """
    found: dict[str, pd.DataFrame] = {}
    grids = _table(layers, "grid_duty_area")
    if grids is not None:
        found["grid_gaps"] = grid_faults(grids, place)
        found["grid_items"] = item_faults(grids, items, crs=units.crs)
    persons = _table(layers, "person")
    if persons is not None:
        found["persons_ab"] = villages_without_ab(persons, units)
    patrols = _table(layers, "patrol")
    if patrols is not None and data_date:
        found["patrol_overdue"] = not_patrolled(patrols, items, presets, data_date=data_date)
    speakers = _table(layers, "loudspeaker")
    if speakers is not None and pieces is not None:
        found["out_of_earshot"] = out_of_earshot(speakers, units, pieces, presets)
    return found


def _table(layers: Mapping[str, Layer], role: str) -> gpd.GeoDataFrame | None:
    layer = layers.get(role)
    return None if layer is None or layer.table is None or not len(layer.table) else layer.table


def grid_faults(grids: gpd.GeoDataFrame, place: shapely.Geometry) -> pd.DataFrame:
    """Find ground in no grid and ground in two.

    Grids above others (those that another one names as its parent) are compared among themselves
    only: 区, 街道 and 社区 lie on each other on purpose.

    Parameters
    ----------
    grids
        Polygons with number, name and parent.
    place
        The place.

    Returns
    -------
    DataFrame
        fault (gap, overlap), grid_a, grid_b, area_m2; exact areas, largest first.
    """
    names = filled(grids, "name").fillna("").astype(str).to_numpy()
    numbers = filled(grids, "number").fillna("").astype(str)
    parents = set(filled(grids, "parent").dropna().astype(str))
    lowest = ~numbers.isin(parents).to_numpy()
    shapes = shapely.make_valid(grids.geometry.to_numpy())[lowest]
    names = names[lowest]
    gap = shapely.get_parts(shapely.difference(place, shapely.union_all(shapes)))
    rows: list[dict[str, Any]] = [
        {"fault": "gap", "grid_a": "", "grid_b": "", "area_m2": part.area}
        for part in gap
        if part.area > SLIVER_M2
    ]
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in zip(one[one < two], two[one < two], strict=True):
        area = shapely.intersection(shapes[a], shapes[b]).area
        if area > SLIVER_M2:
            rows.append(
                {"fault": "overlap", "grid_a": names[a], "grid_b": names[b], "area_m2": area}
            )
    table = pd.DataFrame(rows, columns=["fault", "grid_a", "grid_b", "area_m2"])
    table["area_m2"] = table["area_m2"].astype(float).round(1)
    words = {"gap": text("ground in no grid"), "overlap": text("ground in two grids")}
    table["fault"] = table["fault"].map(words)
    return table.sort_values("area_m2", ascending=False, kind="stable", ignore_index=True)


def item_faults(grids: gpd.GeoDataFrame, items: pd.DataFrame, *, crs: Any) -> pd.DataFrame:
    """Find items that no grid or several grids are on duty for, or a grid without a person.

    Parameters
    ----------
    grids
        Polygons with number, name, parent and person.
    items
        The list, with lon and lat.
    crs
        The run's CRS.

    Returns
    -------
    DataFrame
        item_id, name, grids (number of grids), grid (names), fault.
    """
    import geopandas as gpd

    names = ["item_id", "name", "grids", "grid", "fault"]
    if not len(items):
        return pd.DataFrame(columns=names)
    numbers = filled(grids, "number").fillna("").astype(str)
    lowest = grids[~numbers.isin(set(filled(grids, "parent").dropna().astype(str))).to_numpy()]
    at = gpd.GeoSeries.from_xy(
        items["lon"].astype(float), items["lat"].astype(float), crs=c.WGS84
    ).to_crs(crs)
    of_item, of_grid = shapely.STRtree(lowest.geometry.to_numpy()).query(
        at.to_numpy(), predicate="intersects"
    )
    label = filled(lowest, "name").fillna("").astype(str).to_numpy()
    person = filled(lowest, "person").notna().to_numpy()
    rows = []
    for place, (key, name) in enumerate(zip(items.index, items[c.NAME], strict=True)):
        mine = of_grid[of_item == place]
        fault = None
        if len(mine) == 0:
            fault = text("no grid is on duty")
        elif len(mine) > 1:
            fault = text("several grids are on duty")
        elif not person[mine[0]]:
            fault = text("the grid on duty has no person")
        if fault is not None:
            rows.append([key, name, len(mine), "、".join(label[mine]), fault])
    return pd.DataFrame(rows, columns=names)


def villages_without_ab(persons: pd.DataFrame, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find villages that lack an A or a B person.

    Parameters
    ----------
    persons
        With role_ab and unit_code, or town and village.
    units
        Units of all levels.

    Returns
    -------
    DataFrame
        unit_id, town, village, a, b (numbers of persons), fault.
    """
    finest = units[units["finest"]] if "finest" in units else units
    role = filled(persons, "role_ab").fillna("").astype(str)
    code = filled(persons, "unit_code").fillna("").astype(str)
    where = filled(persons, "town").fillna("") + "|" + filled(persons, "village").fillna("")
    town = finest["town"].astype(str) if "town" in finest else pd.Series("", finest.index)
    keys = town + "|" + finest["name"].astype(str)
    rows = []
    for unit_id, key in keys.items():
        mine = (code == str(unit_id)) | ((code == "") & (where == key))
        a, b = int((mine & (role == "A")).sum()), int((mine & (role == "B")).sum())
        if a and b:
            continue
        lacking = [name for name, n in (("A", a), ("B", b)) if not n]
        fault = text("no person in role {roles}", roles=" + ".join(lacking))
        rows.append([unit_id, key.partition("|")[0], key.partition("|")[2], a, b, fault])
    return pd.DataFrame(rows, columns=["unit_id", "town", "village", "a", "b", "fault"])


def not_patrolled(
    patrols: pd.DataFrame, items: pd.DataFrame, presets: Presets, *, data_date: str
) -> pd.DataFrame:
    """Find items that were not visited within the days that their level allows.

    Parameters
    ----------
    patrols
        Visits with item or item_name, and date.
    items
        The list, with level and name.
    presets
        ``control.patrol_days`` by level.
    data_date
        Date of the data, ISO.

    Returns
    -------
    DataFrame
        item_id, name, level, last_visit (blank = never), days, allowed.
    """
    allowed = {int(k): int(v) for k, v in presets["control.patrol_days"].items()}
    visits = pd.to_datetime(filled(patrols, "date"), errors="coerce")
    by_id = visits.groupby(filled(patrols, "item").fillna("").astype(str)).max()
    by_name = visits.groupby(filled(patrols, "item_name").fillna("").astype(str)).max()
    today = pd.Timestamp(date.fromisoformat(data_date))
    rows = []
    for key, name, level in zip(items.index, items[c.NAME], items[c.LEVEL], strict=True):
        last = by_id.get(str(key), by_name.get(str(name), pd.NaT))
        limit = allowed.get(int(level or 0), min(allowed.values()))
        days = None if pd.isna(last) else int((today - last).days)
        if days is not None and days <= limit:
            continue
        shown = None if pd.isna(last) else last.date().isoformat()
        rows.append([key, name, level, shown, days, limit])
    names = ["item_id", "name", "level", "last_visit", "days", "allowed"]
    table = pd.DataFrame(rows, columns=names)
    return table.astype({"days": "Int64", "level": "Int8"})


def out_of_earshot(
    speakers: gpd.GeoDataFrame, units: gpd.GeoDataFrame, pieces: Pieces, presets: Presets
) -> pd.DataFrame:
    """Count the people of each village whom no loudspeaker reaches.

    Parameters
    ----------
    speakers
        Points with radius_m, or a type whose radius is a preset.
    units
        Units of all levels.
    pieces
        Where people live.
    presets
        ``register.audible_radius_m``.

    Returns
    -------
    DataFrame
        unit_id, town, village, people, heard, unheard; villages with somebody unheard, most first.
    """
    radius = pd.to_numeric(filled(speakers, "radius_m"), errors="coerce").to_numpy(float)
    radius = np.where(np.isfinite(radius), radius, float(presets["register.audible_radius_m"]))
    heard_area = shapely.union_all(shapely.buffer(speakers.geometry.to_numpy(), radius))
    heard = pieces.parts([heard_area]).toarray()[0, : len(pieces.ids)]
    finest = units[units["finest"]] if "finest" in units else units
    table = pd.DataFrame({"unit_id": pieces.ids, "people": pieces.stated, "heard": heard})
    table = table[table["unit_id"].isin(finest.index) & table["people"].notna()]
    table["unheard"] = (table["people"] - table["heard"]).clip(lower=0)
    table = table[table["unheard"] >= 0.5]
    town = finest["town"] if "town" in finest else pd.Series("", finest.index)
    table.insert(1, "town", table["unit_id"].map(town).astype(object))
    table.insert(2, "village", table["unit_id"].map(finest["name"]).astype(object))
    for name in ("people", "heard", "unheard"):
        table[name] = table[name].round().astype("Int64")
    return table.sort_values("unheard", ascending=False, kind="stable", ignore_index=True)

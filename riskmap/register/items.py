"""研判一张单: every item that needs watching, ranked, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.geo.points import unit_of_points
from riskmap.i18n import Text, text
from riskmap.layers.layer import filled
from riskmap.register.duty import blanks, deadlines, duty_units, measures
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.grade import LEVEL_NAMES, active, grade
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    import geopandas as gpd

    from riskmap.index.steps import Index
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


def places(table: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Find unit, village, town, district, longitude and latitude of each row.

    The units win over what the ledger says, so that list and map agree; the ledger's words stand
    where no unit holds the item.

    Parameters
    ----------
    table
        Rows of any geometry, in the units' CRS.
    units
        Units of all levels, or None.

    Returns
    -------
    DataFrame
        Columns unit_id, village, town, district, lon [deg], lat [deg]; the table's index.
    """
    points = table.geometry.representative_point()
    rows = pd.DataFrame(index=table.index)
    rows[c.UNIT_ID] = _unit_ids(points, units)
    found = rows[c.UNIT_ID] != ""
    for name, level in (("village", "village"), ("town", "town"), ("district", "district")):
        own = filled(table, name)
        entries = _names(rows[c.UNIT_ID], units, name, level)
        rows[name] = entries.where(found & entries.notna(), own)
    degrees = points.to_crs(c.WGS84) if points.crs is not None else points
    rows["lon"] = np.round(degrees.x.to_numpy(), 6)
    rows["lat"] = np.round(degrees.y.to_numpy(), 6)
    return rows


def _unit_ids(points: gpd.GeoSeries, units: gpd.GeoDataFrame | None) -> pd.Series[str]:
    if units is None or not len(units):
        return pd.Series("", index=points.index, dtype=object)
    there = points if units.crs is None or points.crs is None else points.to_crs(units.crs)
    return pd.Series(unit_of_points(there, units), index=points.index, dtype=object)


def _names(
    codes: pd.Series[str], units: gpd.GeoDataFrame | None, column: str, level: str
) -> pd.Series[str]:
    """Return the name at a level: the unit's own when it is of that level, else its column."""
    if units is None or not len(units):
        return pd.Series(None, index=codes.index, dtype=object)
    names = filled(units, c.NAME)
    above = filled(units, column)
    same = units[c.LEVEL].astype(str).to_numpy() == level
    if level == "village":
        same |= ~units[c.LEVEL].isin(["village", "town", "district"]).to_numpy()
    shown = above.where(~same, names)
    return codes.map(dict(zip(units.index.astype(str), shown, strict=True))).astype(object)


def component_label(meta: pd.DataFrame, code: str) -> Label:
    """Return the name of an index component as shown.

    Parameters
    ----------
    meta
        The index's metadata by code, with name_zh and name_en.
    code
        The component.

    Returns
    -------
    Label
        Its two names; the code where it has none.
    """
    row = meta.loc[code] if code in meta.index else pd.Series(dtype=object)
    names = [row.get(column) for column in ("name_en", "name_zh")]
    en, zh = (str(name) if isinstance(name, str) and name.strip() else code for name in names)
    return Label(en, zh=zh)


def unit_reasons(
    codes: pd.Series[str], units: gpd.GeoDataFrame | None, index: Index | None
) -> pd.DataFrame:
    """Say, for each item, what its unit's index says.

    Parameters
    ----------
    codes
        Unit code per item; empty where no unit holds it.
    units
        Units by code, with names.
    index
        The units' index, or None.

    Returns
    -------
    DataFrame
        Columns score (float), class (Int8), reason (Text or None); the items' index.
    """
    if units is None or index is None:
        empty = {"score": np.nan, "class": 0, "reason": None}
        return pd.DataFrame(empty, index=codes.index).astype({"class": "Int8", "reason": object})
    told = {
        code: _reason(code, units, index) for code in codes.unique() if code in index.scores.index
    }
    root = _root(index)
    return pd.DataFrame(
        {
            "score": codes.map(index.scores[root].to_dict()).astype(float),
            "class": codes.map(index.classes.to_dict()).fillna(0).astype("Int8"),
            "reason": codes.map(told).astype(object).where(codes.isin(list(told)), None),
        },
        index=codes.index,
    )


def _root(index: Index) -> str:
    return c.ROOT if c.ROOT in index.scores.columns else str(index.scores.columns[0])


def _reason(code: str, units: gpd.GeoDataFrame, index: Index) -> Text | None:
    """Make one unit's reason: level, rank and the two components that give most."""
    rank = index.ranks[_root(index)].get(code)
    if rank is None or pd.isna(rank):
        return None
    if c.LEVEL in units.columns:
        peers = units.index[units[c.LEVEL] == units[c.LEVEL].get(code)]
        ranks = index.ranks[_root(index)].reindex(peers).dropna()
        n, place = len(ranks), int((ranks < rank).sum()) + 1
    else:
        n, place = int(index.ranks[_root(index)].notna().sum()), int(rank)
    words: dict[str, Any] = {
        "unit": str(units[c.NAME].get(code, code)) if c.NAME in units.columns else code,
        "level": LEVEL_NAMES[int(index.classes.get(code, 0) or 0)],
        "rank": place,
        "n": n,
    }
    shares: pd.Series[float] = pd.Series(index.contributions.loc[code]).astype(float).dropna()
    top = shares.sort_values(ascending=False, kind="stable")
    names = [component_label(index.meta, str(name)) for name in top.index[:2] if top[name] > 0]
    if len(names) == 2:
        return text(
            "{unit}: {level} risk, rank {rank} of {n}, mainly {first} and {second}",
            **words, first=names[0], second=names[1],
        )  # fmt: skip
    return text("{unit}: {level} risk, rank {rank} of {n}", **words)


LABELS: Final[Mapping[str, Text]] = {
    "people_basis": text("How people were counted"),
    "refuge_name": text("Nearest refuge"),
    "refuge_m": text("Distance to refuge (m)"),
    "station_name": text("Nearest station"),
    "station_s": text("Time from station (s)"),
    "method": text("By road or straight line"),
    "unit_class": text("Level of the unit"),
    "unit_score": text("Score of the unit"),
}
"""Headings of columns that other papers do not know; also in ``items.attrs["labels"]``."""
NEAR: Final = ("people_near", "refuge_name", "refuge_m", "station_name", "station_s", "method")
_ORDER: Final = (
    "rank", c.ROLE, c.NAME, c.LEVEL, "score", "district", "town", "village", c.UNIT_ID, "lon",
    "lat", "reason", "people", "people_basis", "refuge_name", "refuge_m", "station_name",
    "station_s", "method", "duty_unit", "measure", "deadline", "deadline_days", "missing",
    "unit_class", "unit_score",
)  # fmt: skip


def counted(layers: Mapping[str, Layer], roles: Mapping[str, Role]) -> dict[str, tuple[int, int]]:
    """Count the rows of each listed role that go on the list, and those that are left out.

    Parameters
    ----------
    layers
        Checked layers by role.
    roles
        All roles.

    Returns
    -------
    dict
        Role to (on the list, left out because not in use or without storage).
    """
    return {
        name: (int(keep.sum()), int((~keep).sum()))
        for name, role in roles.items()
        if role.item and (table := _table(layers, name)) is not None
        for keep in [active(role, table)]
    }


def build_items(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    units: gpd.GeoDataFrame,
    unit_index: Index | None,
    *,
    presets: Presets,
    near: pd.DataFrame | None = None,
    data_date: str = "",
    place_code: str = "",
) -> pd.DataFrame:
    """List every item in use, worst first.

    Ranked by level L, then by s = L / 4 x the unit's risk score, then by people, then by id.

    Parameters
    ----------
    layers
        Checked layers by role, in the run's metric CRS.
    roles
        All roles; only those with ``item`` go on the list.
    units
        Units of all levels in the same CRS; index ``unit_id``, columns level, name, town, district.
    unit_index
        The units' index, or None when there is none.
    presets
        The run's presets.
    near
        By item id: people_near, refuge_name, refuge_m [m], station_name, station_s [s], method.
    data_date
        Date of the data, ISO; empty gives days only.
    place_code
        Division code, whose province decides when the flood season starts.

    Returns
    -------
    DataFrame
        One row an item, index ``item_id``, best rank first; ``attrs["left_out"]`` counts the rest.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> len(build_items({}, {}, None, None, presets=load_presets()))
    0
    """
    items = _collect(layers, roles, units, unit_index, presets)
    items = _beside(items, near, presets)
    items = _dated(items, data_date, place_code, presets)
    items = _ranked(items)[list(_ORDER)]
    items.attrs["labels"] = dict(LABELS)
    items.attrs["left_out"] = {
        role: out for role, (_, out) in counted(layers, roles).items() if out
    }
    return items


def _collect(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    units: gpd.GeoDataFrame,
    unit_index: Index | None,
    presets: Presets,
) -> pd.DataFrame:
    """Put the rows in use of every listed role one below the other."""
    parts = []
    for name, role in roles.items():
        table = _table(layers, name) if role.item else None
        if table is None:
            continue
        table = table[active(role, table)]
        if not len(table):
            continue
        parts.append(_rows(role, table, units, unit_index, presets))
    return pd.concat(parts) if parts else _empty()


def _table(layers: Mapping[str, Layer], name: str) -> gpd.GeoDataFrame | None:
    layer = layers.get(name)
    return None if layer is None else layer.table


def _empty() -> pd.DataFrame:
    names = [*_ORDER, "own_deadline"]
    return pd.DataFrame({name: pd.Series(dtype=object) for name in names}).rename_axis(c.ITEM_ID)


def _rows(
    role: Role,
    table: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    unit_index: Index | None,
    presets: Presets,
) -> pd.DataFrame:
    """Make the rows of one role."""
    levels, why = grade(role, table, presets)
    rows = places(table, units)
    about = unit_reasons(rows[c.UNIT_ID], units, unit_index)
    rows[c.ROLE] = role.name
    rows[c.NAME] = filled(table, c.NAME)
    rows[c.LEVEL] = levels.astype("Int8")
    told = [
        [reason for reason in (own, unit) if isinstance(reason, Text)]
        for own, unit in zip(why, about["reason"], strict=True)
    ]
    rows["reason"] = pd.Series(told, index=table.index, dtype=object)
    rows["unit_score"], rows["unit_class"] = about["score"], about["class"]
    severity = levels.astype(float) / max(c.CLASSES)
    rows["score"] = (severity * about["score"]).round(9)
    rows["people"] = _people(table)
    rows["duty_unit"] = duty_units(role, table)
    rows["measure"] = measures(role, table, levels)
    rows["missing"] = blanks(role, table)
    rows["own_deadline"] = filled(table, "deadline")
    rows["deadline_days"] = _days(levels, presets)
    return rows.rename_axis(c.ITEM_ID)


def _people(table: pd.DataFrame) -> pd.Series[Any]:
    if "people" not in table.columns:
        return pd.Series(np.nan, index=table.index, dtype="Float64")
    return pd.to_numeric(table["people"], errors="coerce").astype("Float64")


def _days(levels: pd.Series[Any], presets: Presets) -> pd.Series[Any]:
    days = {int(level): int(n) for level, n in presets["control.deadline_days"].items()}
    return levels.astype(int).map({0: min(days.values()), **days}).astype("Int64")


def _beside(items: pd.DataFrame, near: pd.DataFrame | None, presets: Presets) -> pd.DataFrame:
    """Set people near, refuge and station beside the items."""
    table = pd.DataFrame(index=items.index) if near is None else near.reindex(items.index)
    table = table.reindex(columns=list(NEAR))
    own = items["people"].notna()
    counted_near = pd.to_numeric(table["people_near"], errors="coerce").round().astype("Float64")
    radius = presets["register.people_radius_m"] if counted_near.notna().any() else 0
    within = text("residents within {radius} m", radius=f"{radius:g}")
    ledger = text("from the ledger")
    basis = [
        ledger if mine else within if there else None
        for mine, there in zip(own, counted_near.notna(), strict=True)
    ]
    numbers = {
        name: pd.to_numeric(table[name], errors="coerce").round(1).astype("Float64")
        for name in ("refuge_m", "station_s")
    }
    texts = {name: filled(table, name) for name in ("refuge_name", "station_name", "method")}
    people = items["people"].astype("Float64").where(own, counted_near).round().astype("Int64")
    basis_column = pd.Series(basis, index=items.index, dtype=object)
    return items.assign(people=people, people_basis=basis_column, **numbers, **texts)


def _dated(items: pd.DataFrame, data_date: str, place_code: str, presets: Presets) -> pd.DataFrame:
    due = deadlines(
        items["deadline_days"],
        items["own_deadline"],
        data_date=data_date,
        place_code=place_code,
        presets=presets,
    )
    return items.assign(deadline=due)


def _ranked(items: pd.DataFrame) -> pd.DataFrame:
    """Rank by level, score, people and id; unknown levels stand last."""
    order = pd.DataFrame(
        {
            "level": -items[c.LEVEL].astype(float),
            "score": -pd.to_numeric(items["score"], errors="coerce").astype(float),
            "people": -items["people"].astype(float),
            "id": items.index.astype(str),
        },
        index=items.index,
    ).sort_values(["level", "score", "people", "id"], kind="stable", na_position="last")
    ranked = items.loc[order.index].copy()
    ranked["rank"] = np.arange(1, len(ranked) + 1, dtype=np.int64)
    return ranked

"""研判一张单: every item that needs watching, ranked, with its reasons."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.geo.grid import unit_of_points
from riskmap.geo.network.flooded import sample
from riskmap.i18n import Label, Text, language, text
from riskmap.layers.layer import filled, town_only
from riskmap.register.control import KINDS, blanks, deadlines, duty_units, kinds, measures
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import codes, unit_label
from riskmap.vocabulary.grade import LEVEL_NAMES, grades, severity
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.network.flooded import Tile
    from riskmap.index.steps import Index
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Field, Role


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
    cut = (rows[c.UNIT_ID] == "").to_numpy(bool) & (table.geometry.area > 0).to_numpy(bool)
    if cut.any() and units is not None and len(units):  # the middle of an area lies beyond
        points[cut] = _inner_points(table.geometry[cut], units)
        rows.loc[cut, c.UNIT_ID] = _unit_ids(points[cut], units)
    found = rows[c.UNIT_ID] != ""
    for name, level in (("village", "village"), ("town", "town"), ("district", "district")):
        own = filled(table, name)
        entries = _names(rows[c.UNIT_ID], units, name, level)
        rows[name] = entries.where(found & entries.notna(), own)
    degrees = points.to_crs(c.WGS84) if points.crs is not None else points
    rows["lon"] = np.round(degrees.x.to_numpy(), 6)
    rows["lat"] = np.round(degrees.y.to_numpy(), 6)
    vague = town_only(table)
    if vague.any():  # the mark stands for the whole town and says nothing of where it stands
        rows.loc[vague, [c.UNIT_ID, "village"]] = ""
        rows.loc[vague, ["lon", "lat"]] = np.nan
    return rows


def _inner_points(areas: gpd.GeoSeries, units: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Give a point of each area that lies in the units; as it was where none does."""
    there = units.geometry if units.crs is None else units.geometry.to_crs(areas.crs)
    place = shapely.union_all(shapely.make_valid(there.to_numpy()))
    inner = areas.make_valid().intersection(place)
    return inner.where(inner.area > 0, areas).representative_point()


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
    names = [_led_by(index, str(name), code) for name in top.index[:2] if top[name] > 0]
    if int(index.classes.get(code, 0) or 0) == 0:
        return text("{unit} around it is not graded", unit=words["unit"])
    if not names:
        return text("{unit}: {level} risk, rank {rank} of {n}", **words)
    words |= dict(zip(("first", "second"), names, strict=False))
    if len(names) == 1:
        return text("{unit} around it: {level} risk, rank {rank} of {n}, mainly {first}", **words)
    if int(index.classes.get(code, 0) or 0) >= RED - 1:
        return text(
            "{unit} around it is at {level} risk too (rank {rank} of {n}), mainly by {first} and "
            "{second}",
            **words,
        )
    return text(
        "{unit} around it is at {level} risk as a whole (rank {rank} of {n}); most is added by "
        "{first} and {second}",
        **words,
    )


def _led_by(index: Index, component: str, unit: str) -> Label:
    """Name a component, and where it is made of groups the one that gives most of it."""
    label, meta = component_label(index.meta, component), index.meta
    if not {"parent", "kind"} <= set(meta.columns):
        return label
    inner = meta.index[(meta["parent"] == component) & (meta["kind"] == "group")]
    weighed = {
        str(code): float(index.scores[code].get(unit, np.nan)) * float(meta.loc[code, "weight"])
        for code in inner
        if code in index.scores
    }
    known = {code: value for code, value in weighed.items() if value > 0}
    if len(inner) < 2 or not known:
        return label
    first = component_label(meta, max(known, key=lambda code: known[code]))
    return Label(f"{label.msgid} ({first.msgid})", zh=f"{label.zh}（{first.zh}）")


RED: Final = 4
_RUNNING: Final = 4
"""A number of so many digits may be the row's place in its ledger."""
NEAR: Final = (
    "people_near", "people_inside", "refuge_name", "refuge_m", "station_name", "station_s",
    "method",
)  # fmt: skip
_ORDER: Final = (
    "rank", c.ROLE, c.NAME, c.LEVEL, "level_rule", "level_ledger", "conflict", "severity", "score",
    "district", "town", "village", c.UNIT_ID, "lon",
    "lat", "reason", "people", "people_basis", "refuge_name", "refuge_m", "station_name",
    "station_s", "method", "duty_unit", "measure", "measure_kind", "deadline", "deadline_days",
    "missing", "unit_class", "unit_score",
)  # fmt: skip


def counted(
    layers: Mapping[str, Layer], roles: Mapping[str, Role], data_date: str = ""
) -> dict[str, tuple[int, int]]:
    """Count the rows of each listed role that go on the list, and those that are left out.

    Parameters
    ----------
    layers
        Checked layers by role.
    roles
        All roles.
    data_date
        Date of the data, ISO, for rows that count for a time only.

    Returns
    -------
    dict
        Role to (on the list, left out because not in use or without storage).
    """
    return {
        name: (int(keep.sum()), int((~keep).sum()))
        for name, role in roles.items()
        if role.item and (table := _table(layers, name)) is not None
        for keep in [role.in_use(table) & role.in_force(table, data_date)]
    }


@dataclass(frozen=True, eq=False)
class Listed:
    """The list, and what stands in it once though two ledgers hold it."""

    table: pd.DataFrame
    """One row an item, index ``item_id``, best rank first."""
    merged: Mapping[str, str]
    """Number of a row that is left out to the number of the row that stands for it."""


def list_items(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    units: gpd.GeoDataFrame | None,
    unit_index: Index | None,
    *,
    presets: Presets,
    near: pd.DataFrame | None = None,
    data_date: str = "",
    place_code: str = "",
) -> Listed:
    """List every item in use, worst first, and tell which rows of two ledgers became one.

    What cannot be graded stands first, in a block of its own. Then by level L, by the item's own
    severity S, by people, by the unit's risk score, by id; the score is (L - 1 + S) / 4.

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
        By item id: people_near, people_inside (of areas), refuge_name, refuge_m [m], station_name,
        station_s [s], method.
    data_date
        Date of the data, ISO; empty gives days only.
    place_code
        Division code, whose province decides when the flood season starts.

    Returns
    -------
    Listed
        The list and the rows joined in it.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> len(list_items({}, {}, None, None, presets=load_presets()).table)
    0
    """
    items = _collect(layers, roles, units, unit_index, presets, near, (data_date, place_code))
    merged: dict[str, str] = {}
    if len(items):
        items, merged = _merged(items, layers, roles, presets)
    items = _beside(items, near, presets)
    items = _dated(items, data_date, place_code, presets)
    return Listed(_ranked(items)[list(_ORDER)], merged)


def _collect(
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    units: gpd.GeoDataFrame,
    unit_index: Index | None,
    presets: Presets,
    near: pd.DataFrame | None,
    dated: tuple[str, str],
) -> pd.DataFrame:
    """Put the rows in use of every listed role one below the other."""
    parts = []
    for name, role in roles.items():
        table = _table(layers, name) if role.item else None
        if table is None:
            continue
        table = table[role.in_use(table) & role.in_force(table, dated[0])]
        if not len(table):
            continue
        parts.append(_rows(role, table, units, unit_index, presets, near, dated))
    return pd.concat(parts) if parts else _empty()


def _table(layers: Mapping[str, Layer], name: str) -> gpd.GeoDataFrame | None:
    layer = layers.get(name)
    return None if layer is None else layer.table


def _empty() -> pd.DataFrame:
    names = [*_ORDER, "own_deadline", "works"]
    return pd.DataFrame({name: pd.Series(dtype=object) for name in names}).rename_axis(c.ITEM_ID)


def _rows(
    role: Role,
    table: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    unit_index: Index | None,
    presets: Presets,
    near: pd.DataFrame | None,
    dated: tuple[str, str],
) -> pd.DataFrame:
    """Make the rows of one role."""
    data_date, place_code = dated
    graded = grades(role, table, presets)
    levels, why = graded["level"], graded["reason"]
    rows = places(table, units)
    about = unit_reasons(rows[c.UNIT_ID], units, unit_index)
    rows[c.ROLE] = role.name
    rows[c.NAME] = filled(table, c.NAME)
    rows[c.LEVEL] = levels.astype("Int8")
    figures, flags = _figures(role, table, graded), _flags(role, table, presets, data_date)
    told = [
        [reason for reason in parts if isinstance(reason, Text)]
        for parts in zip(why, figures, flags, about["reason"], strict=True)
    ]
    rows["reason"] = pd.Series(told, index=table.index, dtype=object)
    rows["unit_score"], rows["unit_class"] = about["score"], about["class"]
    rows["level_rule"], rows["level_ledger"] = graded["level_rule"], graded["level_ledger"]
    rows["conflict"] = graded["conflict"].astype(bool)
    share = presets["severity.near_share"] if near is not None and role.severity else 0.0
    affected = _affected(near, table.index, float(share))
    own = severity(role, table, presets, people=affected)
    rows["severity"] = own.round(9)
    graded_level = levels.astype(float).to_numpy()
    rows["score"] = ((np.maximum(graded_level - 1, 0) + own) / max(c.CLASSES)).round(9)
    rows["people"] = _people(table)
    rows["duty_unit"] = duty_units(role, table, rows["town"])
    rows["measure_kind"] = kinds(table, presets)
    rows["missing"] = blanks(role, table)
    rows["own_deadline"] = filled(table, "deadline")
    days = _days(levels, presets)
    works = (rows["measure_kind"] == KINDS["works"]).to_numpy(dtype=bool)
    by = None
    if works.any():
        nothing = pd.Series(None, index=table.index, dtype=object)
        by = deadlines(days, nothing, data_date=data_date, place_code=place_code, presets=presets)
        days = days.mask(works, int(presets["control.works_days"]))
    rows["measure"] = measures(role, table, levels, rows["measure_kind"], by=by)
    rows["deadline_days"] = days
    rows["works"] = works
    return rows.rename_axis(c.ITEM_ID)


def _affected(
    near: pd.DataFrame | None, index: pd.Index, share: float
) -> NDArray[np.float64] | None:
    """Give the people affected where the ledger names none: all in an area, else some around."""
    if near is None:
        return None
    mine = near.reindex(index).reindex(columns=["people_inside", "people_near"]).astype(float)
    return np.asarray(mine["people_inside"].fillna(mine["people_near"] * share), np.float64)


def _people(table: pd.DataFrame) -> pd.Series[Any]:
    if "people" not in table.columns:
        return pd.Series(np.nan, index=table.index, dtype="Float64")
    return pd.to_numeric(table["people"], errors="coerce").astype("Float64")


def _days(levels: pd.Series[Any], presets: Presets) -> pd.Series[Any]:
    days = {int(level): int(n) for level, n in presets["control.deadline_days"].items()}
    return levels.astype(int).map({0: min(days.values()), **days}).astype("Int64")


def under_scenarios(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    scenarios: Mapping[str, tuple[Sequence[Tile], Sequence[Any]]],
    *,
    crs: Any,
    presets: Presets,
) -> pd.DataFrame:
    """Say which items each scenario reaches, by the numbers they keep, and how they grade then.

    Parameters
    ----------
    items
        The list, with lon and lat.
    layers
        Checked layers by role.
    roles
        All roles.
    scenarios
        Name to its rasters of depth [m] and the shapes of its danger areas in ``crs``.
    crs
        The run's CRS.
    presets
        The run's presets.

    Returns
    -------
    DataFrame
        scenario, item_id, role, name, town, level, depth_here [m], level_scenario, fault; a flood
        point is graded by the greater of its own depth and the scenario's, other items keep their
        level. Items that a scenario does not reach are not in it.
    """
    import geopandas as gpd

    items = items[items["lon"].notna()]
    at = gpd.GeoSeries.from_xy(items["lon"].astype(float), items["lat"].astype(float), crs=c.WGS84)
    points = at.to_crs(crs)
    xy = np.column_stack([points.x.to_numpy(), points.y.to_numpy()])
    parts = []
    for name, (tiles, shapes) in scenarios.items():
        depth = np.nan_to_num(sample(tiles, xy, str(crs)), nan=0.0) if tiles else np.zeros(len(xy))
        area = shapely.union_all(list(shapes)) if len(shapes) else None
        inside = np.zeros(len(xy), bool)
        if area is not None:
            inside = shapely.intersects(points.to_numpy(), area)
        then = _graded_then(items, layers, roles, depth, presets)
        now = items[c.LEVEL].astype(float).fillna(0).to_numpy()
        said = [
            text("graded higher")
            if higher
            else text("water at its place")
            if wet
            else text("in a danger area")
            for higher, wet in zip(then > now, depth > 0, strict=True)
        ]
        rows = pd.DataFrame(
            {
                "scenario": name, c.ITEM_ID: items.index, c.ROLE: items[c.ROLE].to_numpy(),
                c.NAME: items[c.NAME].to_numpy(), "town": items["town"].to_numpy(),
                c.LEVEL: now.astype(np.int8), "depth_here": np.round(depth, 2),
                "level_scenario": then.astype(np.int8), "fault": said,
            }
        )  # fmt: skip
        parts.append(rows[(depth > 0) | inside])
    names = [
        "scenario", c.ITEM_ID, c.ROLE, c.NAME, "town", c.LEVEL, "depth_here", "level_scenario",
        "fault",
    ]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=names)
    found = pd.concat(parts)
    order = ["scenario", "level_scenario", "depth_here"]
    return found.sort_values(
        order, ascending=[True, False, False], kind="stable", ignore_index=True
    )


def _graded_then(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    depth: NDArray[np.float64],
    presets: Presets,
) -> NDArray[Any]:
    """Grade flood points by the deeper water; the others keep their level."""
    then = items[c.LEVEL].astype(float).fillna(0).to_numpy().copy()
    table = _table(layers, "flood_point")
    mine = (items[c.ROLE] == "flood_point").to_numpy(bool)
    if table is None or not mine.any():
        return then
    rows = table.loc[items.index[mine]].copy()
    own = pd.to_numeric(filled(rows, "depth_m"), errors="coerce").fillna(0.0).to_numpy(float)
    rows["depth_m"] = np.where(depth[mine] > 0, np.maximum(own, depth[mine]), own)
    rows.loc[(rows["depth_m"] == 0).to_numpy(bool), "depth_m"] = np.nan
    graded = grades(roles["flood_point"], rows, presets)["level"].astype(float).to_numpy()
    then[mine] = np.maximum(then[mine], graded)
    return then


def _merged(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    presets: Presets,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Make one item of a thing that two ledgers hold: same number, same place, two roles.

    The graver row stands, and says what the other ledger says.
    """
    gone: dict[str, str] = {}
    role_of = {str(key): str(role) for key, role in items[c.ROLE].items()}
    reasons = items["reason"].to_dict()
    people = items["people"].astype(float).to_dict()
    bad, level = items["severity"].to_dict(), items[c.LEVEL].astype(float).to_dict()
    for group in _twice(items, layers):
        weights = [(level[k], bad[k], float(np.nan_to_num(people[k])), str(k)) for k in group]
        kept, *others = (key for *_, key in sorted(weights, reverse=True))
        for other in others:
            if role_of[kept] == role_of[other] or not _near(layers, role_of, kept, other, presets):
                continue
            if not _one_thing(items, layers, role_of, kept, other):
                continue
            gone[other] = kept
            label = roles[role_of[other]].label
            reasons[kept] = [*reasons[kept], _also(label, people[kept], people[other])]
            if np.isnan(people[kept]):
                people[kept] = people[other]
    out = items.assign(
        reason=pd.Series(reasons, dtype=object).reindex(items.index),
        people=pd.Series(people, dtype=float).reindex(items.index).astype("Float64"),
    ).drop(index=list(gone))
    return out, gone


def _twice(items: pd.DataFrame, layers: Mapping[str, Layer]) -> list[list[str]]:
    """Group the items that bear one number."""
    held = []
    for role in items[c.ROLE].unique() if len(items) else ():
        table = layers[role].table
        if table is None or "number" not in table.columns:
            continue
        numbers = table["number"].reindex(items.index[items[c.ROLE] == role]).map(_plain)
        held.append(numbers[numbers != ""])
    known = pd.concat(held) if held else pd.Series(dtype=object)
    twice = known[known.duplicated(keep=False)]
    return [list(group.index) for _, group in twice.groupby(twice, sort=True)]


def _plain(word: object) -> str:
    """Bring a number or a name to the form in which ledgers are compared: DZ-01 as dz01."""
    if word is None or word is pd.NA or word != word:
        return ""
    plain = unicodedata.normalize("NFKC", re.sub(r"\.0$", "", str(word))).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _one_thing(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    role_of: Mapping[str, str],
    one: str,
    other: str,
) -> bool:
    """Tell whether one number says that two rows are one thing; 1, 2, 3 alone do not."""
    table = layers[role_of[one]].table
    number = "" if table is None else _plain(table["number"].get(one))
    if not (number.isdigit() and len(number) <= _RUNNING):
        return True
    names = [_plain(items[c.NAME].get(key)) for key in (one, other)]
    if all(names) and (names[0] in names[1] or names[1] in names[0]):
        return True
    shapes = [_shape(layers[role_of[key]], key) for key in (one, other)]
    return any(shape.area > 0 and shape.covers(held) for shape, held in (shapes, shapes[::-1]))


def _near(
    layers: Mapping[str, Layer], role_of: Mapping[str, str], one: str, other: str, presets: Presets
) -> bool:
    first, second = (_shape(layers[role_of[key]], key) for key in (one, other))
    return bool(first.distance(second) <= float(presets["register.same_m"]))


def _shape(layer: Layer, key: str) -> Any:
    return None if layer.table is None else layer.table.geometry[key]


def _also(ledger: Label, mine: float, theirs: float) -> Text:
    """Say that another ledger holds the same thing, and where the two differ."""
    if np.isfinite(mine) and np.isfinite(theirs) and mine != theirs:
        return text(
            "also in the ledger {ledger}, with {theirs} people against {mine} here: clear this up",
            ledger=ledger,
            theirs=f"{theirs:.0f}",
            mine=f"{mine:.0f}",
        )
    return text("also in the ledger {ledger}", ledger=ledger)


def _beside(items: pd.DataFrame, near: pd.DataFrame | None, presets: Presets) -> pd.DataFrame:
    """Set people near, refuge and station beside the items."""
    table = pd.DataFrame(index=items.index) if near is None else near.reindex(items.index)
    table = table.reindex(columns=list(NEAR))
    own = items["people"].notna()
    around, inside = (
        pd.to_numeric(table[name], errors="coerce").round().astype("Float64")
        for name in ("people_near", "people_inside")
    )
    radius = presets["register.people_radius_m"] if around.notna().any() else 0
    within = text("residents within {radius} m", radius=f"{radius:g}")
    ledger, area = text("from the ledger"), text("residents of the area")
    basis = [
        ledger if mine else area if in_it else within if there else None
        for mine, in_it, there in zip(own, inside.notna(), around.notna(), strict=True)
    ]
    numbers = {
        name: pd.to_numeric(table[name], errors="coerce").round(1).astype("Float64")
        for name in ("refuge_m", "station_s")
    }
    texts = {name: filled(table, name) for name in ("refuge_name", "station_name", "method")}
    counted_people = inside.fillna(around)
    people = items["people"].astype("Float64").where(own, counted_people).round().astype("Int64")
    basis_column = pd.Series(basis, index=items.index, dtype=object)
    return items.assign(people=people, people_basis=basis_column, **numbers, **texts)


def _dated(items: pd.DataFrame, data_date: str, place_code: str, presets: Presets) -> pd.DataFrame:
    due = deadlines(
        items["deadline_days"],
        items["own_deadline"],
        works=items["works"],
        data_date=data_date,
        place_code=place_code,
        presets=presets,
    )
    return items.assign(deadline=due)


def _ranked(items: pd.DataFrame) -> pd.DataFrame:
    """Rank: ungraded first, then level, severity, people, the unit's score, id."""
    level = items[c.LEVEL].astype(float)
    order = pd.DataFrame(
        {
            "level": -level.where(level > 0, np.inf),
            "severity": -pd.to_numeric(items["severity"], errors="coerce").astype(float),
            "people": -items["people"].astype(float),
            "score": -pd.to_numeric(items["unit_score"], errors="coerce").astype(float),
            "id": items.index.astype(str),
        },
        index=items.index,
    )
    keys = ["level", "severity", "people", "score", "id"]
    order = order.sort_values(keys, kind="stable", na_position="last")
    ranked = items.loc[order.index].copy()
    ranked["rank"] = np.arange(1, len(ranked) + 1, dtype=np.int64)
    return ranked


def _figures(role: Role, table: pd.DataFrame, graded: pd.DataFrame) -> list[Text | None]:
    """Give the item's own figures beside what decided its level."""
    found: list[Text | None] = [None] * len(table)
    for name in role.severity or {}:
        field = role.field(name)
        if field is None or name not in table.columns:
            continue
        if field.choices:
            _choices(field, table[name], graded, found)
            continue
        numbers = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        for row in np.flatnonzero(np.isfinite(numbers)).tolist():
            shown = f"{numbers[row]:.10g}"
            if f"{field.zh}{shown}" in _zh(graded["reason"].iloc[row]):
                continue
            one = text(
                "{field} {value} {unit}",
                field=field.label,
                value=shown,
                unit=unit_label(field.unit),
                sensitivity=field.sensitivity,
            )
            found[row] = _joined(found[row], one)
    return found


def _choices(
    field: Field, values: pd.Series[Any], graded: pd.DataFrame, found: list[Text | None]
) -> None:
    """Add the kind of an item where its kind counts and the level's reason does not name it."""
    shown = {choice.value.lower(): choice.label for choice in field.choices}
    for row, code in enumerate(codes(values)):
        if code in shown and field.zh not in _zh(graded["reason"].iloc[row]):
            one = text(
                "{field}: {value}",
                field=field.label,
                value=shown[code],
                sensitivity=field.sensitivity,
            )
            found[row] = _joined(found[row], one)


def _zh(reason: object) -> str:
    with language("zh"):
        return str(reason)


def _joined(first: Text | None, second: Text) -> Text:
    return second if first is None else text("{first}, {second}", first=first, second=second)


def _flags(role: Role, table: pd.DataFrame, presets: Presets, data_date: str) -> list[Text | None]:
    """Flag a licence that has run out, and a source that should be monitored online and is not."""
    found: list[Text | None] = [None] * len(table)
    for row in np.flatnonzero(town_only(table)).tolist():
        found[row] = text(
            "the place is known to the town only; its mark on the map stands somewhere in it"
        )
    if "licence_until" in table.columns and data_date:
        until = days_of(table["licence_until"], last=True)
        for row in np.flatnonzero((until < pd.Timestamp(data_date)).to_numpy()).tolist():
            day = until.iloc[row].date().isoformat()
            one = text("the licence ran out on {day}", day=day, sensitivity="internal")
            found[row] = _joined(found[row], one)
    if "gb18218_level" in table.columns and role.field("online") is not None:
        high = codes(table["gb18218_level"]).isin(
            [str(one) for one in presets["hazard_source.online_levels"]]
        )
        online = codes(table["online"]) if "online" in table.columns else None
        for row in np.flatnonzero(high.to_numpy()).tolist():
            state = "" if online is None else online.iloc[row]
            if state == "false":
                said = text("a major hazard of level 1 or 2 that is not monitored online")
            elif not state:
                said = text("a major hazard of level 1 or 2: whether it is online is not filled in")
            else:
                continue
            found[row] = _joined(found[row], said)
    return found

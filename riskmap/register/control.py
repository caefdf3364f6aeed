"""管控一张表: every item with who does what by when, who is on duty, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import Label, Text, text
from riskmap.layers.layer import filled
from riskmap.register.events import LISTED, STATES, State
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd

    from riskmap.geo.people import Pieces
    from riskmap.i18n import Text
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


TIERS: Final[Mapping[str, Label]] = {
    "city": Label("city", zh="市级"),
    "county": Label("county", zh="县（区）级"),
    "town": Label("town", zh="镇（街）级"),
    "village": Label("village", zh="村（社区）级"),
    "enterprise": Label("enterprise", zh="企业"),
}
CHOICES: Final[Mapping[str, Sequence[Text]]] = {
    "status": tuple(STATES.values()),
    "control_tier": tuple(TIERS.values()),
}
"""Columns of the table that are filled in with one of a few words."""
_TO_FILL: Final = ("reported_at", "spot_check", "reviewer", "evidence", "assessment", "remark")
_FROM_REGISTER: Final = (
    "reported_at", "spot_check", "reviewer", "closed_on", "evidence", "assessment", "remark",
)  # fmt: skip
_ORDER: Final = (
    "rank", c.ROLE, c.NAME, c.LEVEL, "district", "town", "village", "control_tier", "duty_unit",
    "person", "phone", "measure", "emergency", "patrol_days", "report_hours", "deadline",
    "deadline_days", "days_left", "status", "reported_at", "made_public", "spot_check", "evidence",
    "assessment", "reviewer", "closed_on", "overdue", "listed", "remark", "first_on", "missing",
)  # fmt: skip


def build_control(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    *,
    presets: Presets,
    data_date: str = "",
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Make the control table from the list: same items, same order.

    Parameters
    ----------
    items
        The list, as `list_items` made it.
    layers
        Checked layers by role, for persons, phones and dates.
    roles
        All roles.
    presets
        The run's presets: tier, hours to report and days between patrols by level.
    data_date
        Date of the data, ISO; without it nothing can be overdue.
    known
        What the register says of these items, as `events.current` gives it; a deadline is the one
        that was fixed when the item was first listed.

    Returns
    -------
    DataFrame
        One row an item, index ``item_id``; blanks to be filled in stay blank and are listed in
        ``missing``.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> from riskmap.register.items import list_items
    >>> presets = load_presets()
    >>> items = list_items({}, {}, None, None, presets=presets).table
    >>> "overdue" in build_control(items, {}, {}, presets=presets).columns
    True
    """
    table = _filled_in(items, layers, roles, presets)
    for name in _TO_FILL:
        if name not in table:
            table[name] = pd.Series([None] * len(table), index=items.index, dtype=object)
    table["first_on"] = data_date or None
    if known is not None:
        table = _as_registered(table, known)
    table["overdue"] = overdue(table["deadline"], table["closed_on"], data_date=data_date)
    table["days_left"] = days_left(table["deadline"], data_date=data_date)
    return table[list(_ORDER)]


def _filled_in(
    items: pd.DataFrame, layers: Mapping[str, Layer], roles: Mapping[str, Role], presets: Presets
) -> pd.DataFrame:
    """Set beside the items what level, role and ledger say.

    An item that the ledger dates as mended and still lists has a date but no reviewer: it asks for
    review.
    """
    table = items.copy()
    level = items[c.LEVEL].astype("Int8").fillna(0).astype(int)
    ledger = _ledger(items, layers)
    for name in ("person", "phone", "reviewer", "evidence", "assessment"):
        table[name] = ledger[name]
    tiers = {int(k): TIERS.get(str(v), str(v)) for k, v in presets["control.tier_by_level"].items()}
    table["control_tier"] = level.map({0: tiers[max(tiers)], **tiers}).astype(object)
    table["report_hours"] = _by_level(level, presets["control.report_hours"])
    table["patrol_days"] = _by_level(level, presets["control.patrol_days"])
    first_aid = [roles[role].emergency for role in items[c.ROLE]]
    table["emergency"] = pd.Series(first_aid, index=items.index, dtype=object)
    closed = days_of(ledger["closed"]).dt.strftime("%Y-%m-%d")
    table["closed_on"] = closed.astype(object).where(closed.notna(), None)
    states = [
        STATES[_claimed(row, done=done)]
        for row, done in zip(ledger.to_dict(orient="records"), closed.notna(), strict=True)
    ]
    table["status"] = pd.Series(states, index=items.index, dtype=object)
    table["listed"] = _listed(ledger["listed"], items[c.ROLE], roles)
    table["made_public"] = pd.Series(data=False, index=items.index, dtype=bool)
    return table


def _as_registered(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Let the register say how far an item is, and by when it had to be done from the first on."""
    at = table.index.intersection(known.index)
    table = table.copy()
    for name in ("deadline", "first_on", *_FROM_REGISTER):
        values = known.loc[at, name].astype(object)
        table[name] = table[name].astype(object)
        table.loc[at, name] = values.where(values.notna(), None)
    table.loc[at, "status"] = known.loc[at, "state"].map(STATES).to_numpy(dtype=object)
    listed = known.loc[at, "listed"].dropna().map(LISTED)
    table.loc[listed.index, "listed"] = listed.to_numpy(dtype=object)
    return table


def days_left(deadline: pd.Series[Any], *, data_date: str) -> pd.Series[Any]:
    """Count the days from the date of the data to the deadline.

    Parameters
    ----------
    deadline
        ISO dates or None.
    data_date
        ISO date, or empty.

    Returns
    -------
    Series of Int64
        Negative when the deadline has passed; unknown without a date.

    Examples
    --------
    >>> days_left(pd.Series(["2026-05-01", None]), data_date="2026-04-21").tolist()
    [10, <NA>]
    """
    if not data_date:
        return pd.Series(pd.NA, index=deadline.index, dtype="Int64")
    due = days_of(deadline, last=True)
    return (due - pd.Timestamp(data_date)).dt.days.astype("Int64")


def overdue(
    deadline: pd.Series[Any], closed_on: pd.Series[Any], *, data_date: str
) -> pd.Series[Any]:
    """Tell which items are overdue at the date of the data; never typed, always computed.

    Parameters
    ----------
    deadline
        ISO dates or None.
    closed_on
        ISO dates or None.
    data_date
        ISO date, or empty.

    Returns
    -------
    Series of boolean
        True when the deadline passed before the item was closed; unknown without a date.

    Examples
    --------
    >>> due = pd.Series(["2026-05-01", "2026-05-01", "2026-07-01"])
    >>> done = pd.Series([None, "2026-04-30", None])
    >>> overdue(due, done, data_date="2026-06-01").tolist()
    [True, False, False]
    """
    if not data_date:
        return pd.Series(pd.NA, index=deadline.index, dtype="boolean")
    until = closed_on.where(closed_on.notna(), data_date).astype(str)
    late = (deadline.astype(str) < until).astype("boolean")
    return late.where(deadline.notna(), pd.NA)


PROOF: Final = ("closed", "reviewer", "evidence", "assessment")
"""Fields of a ledger without which nothing is signed off."""


def lacking(table: pd.DataFrame) -> Iterator[tuple[Mapping[Any, Any], tuple[str, ...]]]:
    """Find rows that claim to be signed off without the date, person and papers for it.

    Parameters
    ----------
    table
        Rows of a ledger.

    Yields
    ------
    tuple
        The row and the fields that are blank.
    """
    claims = (filled(table, "status") == "signed_off").to_numpy(bool)
    if not claims.any():
        return
    blank = pd.DataFrame({name: filled(table, name).isna() for name in PROOF})
    for place in np.flatnonzero(claims & blank.to_numpy(bool).any(axis=1)):
        missing = tuple(name for name in PROOF if blank[name].iloc[place])
        yield table.iloc[place].to_dict(), missing


def _claimed(row: Mapping[Any, Any], *, done: bool) -> State:
    """Give the state that a ledger's words claim: mended is not signed off, it asks for review."""
    status = row["status"]
    if status == "signed_off" and all(row[name] is not None for name in PROOF):
        return State.CLOSED
    if done or status in {"closed", "signed_off"}:
        return State.REVIEW
    return State.MENDING if status == "ongoing" else State.FOUND


def _by_level(level: pd.Series[int], table: Mapping[str, Any]) -> pd.Series[Any]:
    numbers = {int(key): int(value) for key, value in table.items()}
    return level.map({0: min(numbers.values()), **numbers}).astype("Int64")


def _ledger(items: pd.DataFrame, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Take from the ledgers what the list leaves out."""
    names = ("person", "phone", "status", "closed", "listed", "reviewer", "evidence", "assessment")
    blank = pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    parts = [
        pd.DataFrame({name: filled(table, name) for name in names})
        for role in items[c.ROLE].unique()
        if role in layers and (table := layers[role].table) is not None
    ]
    joined = pd.concat(parts) if parts else blank
    return joined.reindex(items.index).astype(object).where(lambda frame: frame.notna(), None)


def _listed(
    values: pd.Series[Any], of_role: pd.Series[str], roles: Mapping[str, Role]
) -> pd.Series[Any]:
    """Show the level that lists an item, by the words of its role."""
    words = {
        (name, choice.value): choice.label
        for name in of_role.unique()
        if (field := roles[name].field("listed")) is not None
        for choice in field.choices
    }
    entries = [words.get((name, value), value) for name, value in zip(of_role, values, strict=True)]
    return pd.Series(entries, index=values.index, dtype=object)


KINDS: Final[Mapping[str, Label]] = {
    "now": Label("at once", zh="立即落实"),
    "season": Label("before the season", zh="汛前完成"),
    "works": Label("works", zh="工程措施"),
}
"""Kinds of measure: what can be done by when."""
_TOWN: Final = (("属地镇街", "Town or street office"), ("属地镇街", "Town office"))


def kinds(table: pd.DataFrame, presets: Presets) -> pd.Series[Any]:
    """Tell what kind of measure a row names itself; the role's own measures are done at once.

    Parameters
    ----------
    table
        Rows.
    presets
        Words of works and of measures before the season.

    Returns
    -------
    Series of Label
        One of `KINDS`.
    """
    own = filled(table, "measure")
    if own.isna().all():
        return pd.Series([KINDS["now"]] * len(table), index=table.index, dtype=object)
    words = {kind: presets[f"control.{kind}_words"] for kind in ("works", "season")}
    entries = []
    for value in own:
        said = "" if value is None else str(value)
        kind = next((k for k, known in words.items() if any(w in said for w in known)), "now")
        entries.append(KINDS[kind])
    return pd.Series(entries, index=table.index, dtype=object)


def duty_units(
    role: Role, table: pd.DataFrame, town: pd.Series[Any] | None = None
) -> pd.Series[Any]:
    """Return the unit on duty: the row's own, else the role's department, the town by its name.

    Parameters
    ----------
    role
        The role.
    table
        Its rows.
    town
        Name of the town of each row, where known.

    Returns
    -------
    Series
        Text as the ledger has it, or the role's label.
    """
    own = filled(table, "duty_unit")
    towns = [None] * len(table) if town is None else town.tolist()
    entries = [
        _department(role, name) if value is None else value
        for value, name in zip(own, towns, strict=True)
    ]
    return pd.Series(entries, index=table.index, dtype=object)


def _department(role: Role, town: object) -> Label:
    """Name the department; where it is the town's office, by the town's name."""
    unit = role.duty_unit
    if not isinstance(town, str) or not town.strip() or "属地镇街" not in unit.zh:
        return unit
    english = unit.msgid
    for _, word in _TOWN:
        english = english.replace(word, town)
    return Label(english, zh=unit.zh.replace("属地镇街", town))


def measures(
    role: Role,
    table: pd.DataFrame,
    levels: pd.Series[Any],
    kind: pd.Series[Any] | None = None,
    *,
    by: pd.Series[Any] | None = None,
) -> pd.Series[Any]:
    """Return the measure: the row's own, else the role's for the level.

    Parameters
    ----------
    role
        The role, whose file holds a measure for each level.
    table
        Its rows.
    levels
        Level per row, 0 unknown.
    kind
        Kind of the row's own measure; works are not done at once, so the role's measure holds
        until they are.
    by
        Date by which that one must be in place, ISO or None.

    Returns
    -------
    Series
        Text as the ledger has it, or the role's label; for level 0, to grade it first.
    """
    first = text("grade it first: fill in the blank fields, then set the measure")
    known = role.measures or {}
    nearest: dict[int, Text] = {0: first}
    for level in (1, 2, 3, 4):
        above = [known[other] for other in (level, 4, 3, 2, 1) if other >= level and other in known]
        nearest[level] = above[0] if above else first
    own = filled(table, "measure")
    works = [False] * len(table) if kind is None else [one == KINDS["works"] for one in kind]
    days = [None] * len(table) if by is None else by.tolist()
    entries = []
    for value, level, late, day in zip(own, levels.fillna(0), works, days, strict=True):
        until = nearest[int(level)]
        if value is None:
            entries.append(until)
        elif late and int(level) and isinstance(day, str):
            entries.append(
                text(
                    "{works}; until then, in place by {day}: {measure}",
                    works=value,
                    day=day,
                    measure=until,
                )
            )
        elif late and int(level):
            entries.append(text("{works}; until then: {measure}", works=value, measure=until))
        else:
            entries.append(value)
    return pd.Series(entries, index=table.index, dtype=object)


def blanks(role: Role, table: pd.DataFrame) -> pd.Series[Any]:
    """List, per row, the blank fields that a leader would ask for.

    Parameters
    ----------
    role
        The role, whose file names the fields asked for.
    table
        Its rows.

    Returns
    -------
    Series of list of Text
        Labels of the blank fields.
    """
    labels = {name: field.label for name in role.asked if (field := role.field(name)) is not None}
    empty = pd.DataFrame({name: filled(table, name).isna() for name in labels}, index=table.index)
    named = list(labels.values())
    entries = [
        [label for label, gone in zip(named, row, strict=True) if gone]
        for row in empty.to_numpy(dtype=bool).tolist()
    ]
    return pd.Series(entries, index=table.index, dtype=object)


def season_start(data_date: date, place_code: str, presets: Presets) -> date:
    """Return the first day of the flood season in the year of a date.

    Parameters
    ----------
    data_date
        The date of the data.
    place_code
        Division code; its first two digits name the province.
    presets
        The run's presets.

    Returns
    -------
    date
        The start in the year of the date.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> season_start(date(2026, 3, 1), "330800", load_presets())
    datetime.date(2026, 4, 15)
    """
    starts = presets["flood.season_start"]
    month, day = str(starts.get(place_code[:2], starts["default"])).split("-")
    return date(data_date.year, int(month), int(day))


def deadlines(
    days: pd.Series[Any],
    own: pd.Series[Any],
    *,
    data_date: str,
    place_code: str,
    presets: Presets,
    works: pd.Series[Any] | None = None,
) -> pd.Series[Any]:
    """Give each item its date: its own where it has one, else by level, before the season.

    Parameters
    ----------
    days
        Days allowed by level.
    own
        Deadlines that the ledger itself names, ISO; blank where it names none.
    data_date
        Date of the data, ISO; empty gives blanks.
    place_code
        Division code.
    presets
        The run's presets.
    works
        True where the measure is works, which no season cuts short.

    Returns
    -------
    Series of text
        ISO dates, or None where there is no date of the data.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> deadlines(
    ...     pd.Series([7, 60]),
    ...     pd.Series([None, None]),
    ...     data_date="2026-03-01",
    ...     place_code="33",
    ...     presets=load_presets(),
    ... ).tolist()
    ['2026-03-08', '2026-04-14']
    """
    due = pd.Series(None, index=days.index, dtype=object)
    if data_date:
        start = date.fromisoformat(data_date)
        last = season_start(start, place_code, presets) - timedelta(days=1)
        by_days = {
            int(n): start + timedelta(days=int(n))
            if last <= start
            else min(start + timedelta(days=int(n)), last)
            for n in days.unique()
        }
        due = days.astype(int).map({n: day.isoformat() for n, day in by_days.items()})
        if works is not None and works.astype(bool).any():
            long = days.astype(int).map(lambda n: (start + timedelta(days=n)).isoformat())
            due = due.astype(object).mask(works.astype(bool), long)
    named = own.notna() & (own.astype(str).str.strip() != "")
    shown = days_of(own.where(named)).dt.strftime("%Y-%m-%d")
    return due.astype(object).where(~shown.notna(), shown)


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
        if grids is not None:
            found["patrol_cover"] = patrol_cover(
                patrols, grids, items, presets, data_date=data_date, crs=units.crs
            )
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
    spots = np.where(items["lon"].notna(), at.to_numpy(), None)
    of_item, of_grid = shapely.STRtree(lowest.geometry.to_numpy()).query(
        spots, predicate="intersects"
    )
    label = filled(lowest, "name").fillna("").astype(str).to_numpy()
    person = filled(lowest, "person").notna().to_numpy()
    rows = []
    for place, (key, name) in enumerate(zip(items.index, items[c.NAME], strict=True)):
        mine = of_grid[of_item == place]
        fault = None
        if spots[place] is None:
            fault = text("the place is known to the town only")
        elif len(mine) == 0:
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
    visits = days_of(filled(patrols, "date"))
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


def patrol_cover(
    patrols: pd.DataFrame,
    grids: gpd.GeoDataFrame,
    items: pd.DataFrame,
    presets: Presets,
    *,
    data_date: str,
    crs: Any,
) -> pd.DataFrame:
    """Say for every grid of every level how far its patrols reach in space and in time.

    Parameters
    ----------
    patrols
        Visits with item or item_name, and date.
    grids
        Polygons with number, name, parent and person.
    items
        The list, with lon, lat, level and name.
    presets
        ``control.patrol_days`` by level, ``register.patrol_window_days``.
    data_date
        Date of the data, ISO.
    crs
        The run's CRS.

    Returns
    -------
    DataFrame
        number, grid, parent, person, items (that lie in it), visited (ever), cover_percent,
        in_time (visited within the days of their level), in_time_percent, patrol_days (days of the
        window on which something in it was visited), last_visit, fault; in the ledger's order.
    """
    import geopandas as gpd

    at = gpd.GeoSeries.from_xy(
        items["lon"].astype(float), items["lat"].astype(float), crs=c.WGS84
    ).to_crs(crs)
    spots = np.where(items["lon"].notna(), at.to_numpy(), None)
    of_grid, of_item = shapely.STRtree(spots).query(
        shapely.make_valid(grids.geometry.to_numpy()), predicate="intersects"
    )
    late = set(not_patrolled(patrols, items, presets, data_date=data_date)["item_id"])
    visits = days_of(filled(patrols, "date"))
    today = pd.Timestamp(date.fromisoformat(data_date))
    past = (visits <= today).to_numpy(bool)
    number, said = (filled(patrols, name).fillna("").astype(str) for name in ("item", "item_name"))
    window = int(presets["register.patrol_window_days"])
    rows = []
    about = [filled(grids, name) for name in ("number", "name", "parent", "person")]
    for place, grid in enumerate(zip(*about, strict=True)):
        mine = items.iloc[np.unique(of_item[of_grid == place])]
        here = past & (number.isin(mine.index) | said.isin(mine[c.NAME].dropna())).to_numpy(bool)
        seen = set(number[here]) | set(said[here])
        known = [str(key) in seen or str(name) in seen for key, name in mine[c.NAME].items()]
        good = len(mine) - len(late & set(mine.index))
        days = visits[here & (visits > today - timedelta(days=window)).to_numpy(bool)].dt.date
        last = visits[here].max()
        fault = None
        if len(mine) and not days.nunique():
            fault = text("no patrol in {n} days", n=window)
        elif good < len(mine):
            fault = text("not every item was visited in time")
        share = [100.0 * n / len(mine) if len(mine) else None for n in (sum(known), good)]
        rows.append(
            [*grid, len(mine), sum(known), share[0], good, share[1], days.nunique(),
             None if pd.isna(last) else last.date().isoformat(), fault]
        )  # fmt: skip
    names = [
        "number", "grid", "parent", "person", "items", "visited", "cover_percent", "in_time",
        "in_time_percent", "patrol_days", "last_visit", "fault",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    for name in ("cover_percent", "in_time_percent"):
        table[name] = table[name].astype("Float64").round(1)
    return table


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

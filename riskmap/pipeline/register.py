"""研判一张单 and 管控一张表."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.errors import ExportError, Problem
from riskmap.files import MANIFEST, sha256
from riskmap.geo.grid import row_xy
from riskmap.geo.network.snap import snap_points, snap_rows
from riskmap.geo.network.travel import nearest_seconds
from riskmap.i18n import Text, text
from riskmap.layers.layer import depth_tiles, filled, placed_rows, town_only, with_beyond
from riskmap.pipeline.ground import FACILITIES
from riskmap.register import events
from riskmap.register.checks import Case, checks
from riskmap.register.control import build_control, duty_checks, lacking
from riskmap.register.events import beside
from riskmap.register.items import counted, list_items, places, under_scenarios
from riskmap.register.merge import merge, read_returned
from riskmap.register.scorecard import doubts, measures, scorecard
from riskmap.vocabulary.columns import LEVEL
from riskmap.vocabulary.grade import LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.index.steps import Index
    from riskmap.layers.layer import Layer
    from riskmap.pipeline.ground import Ground, Roads
    from riskmap.project.schema import Project
    from riskmap.result import Scenario
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role


@dataclass(frozen=True, kw_only=True)
class Registered:
    """What is to be done, and what is done."""

    items: pd.DataFrame
    """研判一张单: open items, ranked."""
    control: pd.DataFrame
    """管控一张表: the same items in the same order."""
    closed: pd.DataFrame
    """Items that are signed off, as the table has them; they stand in no list."""
    steps: pd.DataFrame | None
    """Dated states of the items that have moved on; None without a register."""
    scorecard: pd.DataFrame
    duty: Mapping[str, pd.DataFrame]
    """Faults of grid duty by subject."""
    notes: tuple[Text, ...]
    problems: tuple[Problem, ...]
    """Rows whose claim to be signed off is not taken."""


def register_file(project: Project) -> Path:
    """Find the project's register.

    Parameters
    ----------
    project
        The project.

    Returns
    -------
    Path
        ``PROJECT.register.sqlite`` beside the project file, where it is seen and backed up.
    """
    return beside(project.path)


def register(
    project: Project,
    ground: Ground,
    roads: Roads,
    *,
    index: Index,
    pieces: Pieces | None = None,
    scenarios: Mapping[str, Scenario] | None = None,
    grid: Grid | None = None,
) -> Registered:
    """Make the ranked list and the control table, as far as the register says that things are.

    Parameters
    ----------
    project
        Place and data date.
    ground
        Layers, roles, units, presets.
    roads
        Road graphs.
    index
        The units' index.
    pieces
        Where people live, or None.
    scenarios
        Scenarios by name, which grade items anew.
    grid
        The grid that their water stands on.

    Returns
    -------
    Registered
        List, table and what is signed off.
    """
    listed = list_items(
        ground.layers,
        ground.roles,
        ground.units,
        index,
        presets=ground.presets,
        near=find_near(ground, roads, pieces),
        data_date=project.data_date,
        place_code=project.place.code,
    )
    items = listed.table
    known = steps = None
    if register_file(project).exists():
        with events.open_register(register_file(project)) as base:
            known, steps = events.current(base), events.steps(base)
    control = build_control(
        items,
        ground.layers,
        ground.roles,
        presets=ground.presets,
        data_date=project.data_date,
        known=known,
    )
    whole = control
    closed = control["status"].map(lambda state: state == events.STATES["closed"]).to_numpy(bool)
    items, control, signed = items[~closed], control[~closed], control[closed]
    notes = tuple(
        text(
            "{role}: {n} rows are out of use or hold nothing, and stand in no list.",
            role=ground.roles[role].label,
            n=n,
        )
        for role, (_, n) in counted(ground.layers, ground.roles, project.data_date).items()
        if n
    )
    return Registered(
        items=_renumbered(items, control),
        control=control.assign(rank=np.arange(1, len(control) + 1)),
        closed=signed,
        steps=steps,
        scorecard=_measured(project, ground, whole, known),
        duty=_duty(project, ground, items, control, pieces)
        | _under_scenarios(ground, grid, items, scenarios or {}),
        notes=(
            *notes,
            *_said(items, listed.merged),
            *_signed_off(signed, items, None if ground.veiled else known),
        ),
        problems=(*_unproven_rows(ground), *conflicts(items, ground.layers)),
    )


def _duty(
    project: Project,
    ground: Ground,
    items: pd.DataFrame,
    control: pd.DataFrame,
    pieces: Pieces | None,
) -> dict[str, pd.DataFrame]:
    """Check grids, persons, patrols, loudspeakers and stated figures, where their ledgers are."""
    case = Case(
        layers=ground.layers,
        roles=ground.roles,
        units=ground.units,
        items=items,
        presets=ground.presets,
        day=project.data_date or "",
        control=control,
    )
    found = duty_checks(
        ground.layers,
        ground.units,
        items,
        place=ground.place,
        pieces=pieces,
        presets=ground.presets,
        data_date=project.data_date,
    )
    return {**found, **checks(case), "stated_doubts": doubts(ground.layers)}


def _under_scenarios(
    ground: Ground, grid: Grid | None, items: pd.DataFrame, scenarios: Mapping[str, Scenario]
) -> dict[str, pd.DataFrame]:
    """Say which items each scenario reaches."""
    if not scenarios or not len(items) or grid is None:
        return {}
    found = {
        name: (
            depth_tiles(grid, one.depth_m, one.depths),
            () if one.danger_area is None else tuple(one.danger_area.geometry.dropna()),
        )
        for name, one in scenarios.items()
    }
    table = under_scenarios(
        items, ground.layers, ground.roles, found, crs=ground.units.crs, presets=ground.presets
    )
    return {"scenario_items": table}


def _measured(
    project: Project, ground: Ground, control: pd.DataFrame, known: pd.DataFrame | None
) -> pd.DataFrame:
    """Make the scorecard: ledgers, the register's items, the units; towns by the place of rows."""
    state = {str(label): str(code) for code, label in events.STATES.items()}
    listed = {str(label): code for code, label in events.LISTED.items()}
    said = control.assign(
        state=control["status"].map(lambda label: state.get(str(label))),
        listed=control["listed"].map(lambda label: listed.get(str(label))),
    )[["state", "listed", "level", "deadline", "town"]].astype(object)
    if known is not None:  # what stands in no ledger any more is still on the register
        gone = known.loc[known.index.difference(control.index), said.columns].astype(object)
        said = pd.concat([said, gone]) if len(gone) else said
    more = {
        "item": said,
        "unit": ground.units.drop(columns="geometry"),
    }
    for role in {count.role for one in measures() for count in (one.of, one.over) if count}:
        layer = ground.layers.get(role)
        if layer is None or layer.table is None or not layer.table.geometry.notna().all():
            continue
        table = layer.table
        if len(table) and len(ground.units):
            found = places(table, ground.units)
            named = {
                name: filled(table, name).where(filled(table, name).notna(), found[name])
                for name in ("district", "town", "village")
            }
            more[role] = table.assign(**named)
    return scorecard(ground.layers, data_date=project.data_date or "", more=more)


def _renumbered(items: pd.DataFrame, control: pd.DataFrame) -> pd.DataFrame:
    """Close the gaps that signed-off items leave, and show the deadlines as they were fixed."""
    ranked = items.assign(rank=np.arange(1, len(items) + 1))
    ranked["deadline"] = control["deadline"].to_numpy(dtype=object)
    return ranked


def _signed_off(
    signed: pd.DataFrame, items: pd.DataFrame, known: pd.DataFrame | None
) -> Iterator[Text]:
    """Say how many items are signed off, and which open ones no ledger names any more."""
    if len(signed):
        yield text("{n} items are signed off; they stand in the register.", n=len(signed))
    if known is None:
        return
    there = items.index.union(signed.index)
    gone = known.index[~known.index.isin(there) & (known["state"] != "closed").to_numpy(bool)]
    if len(gone):
        yield text(
            "{n} open items of the register stand in no ledger any more and are not signed off: "
            "{some}",
            n=len(gone),
            some=", ".join(map(str, gone[:10])),
        )
    again = _renamed(known.loc[gone], items.loc[~items.index.isin(known.index)])
    if again:
        yield text(
            "{n} items seem to be listed again under another number ({some}): state and deadline "
            "stay with the old one; give the ledger its number back",
            n=len(again),
            some="、".join(f"{old} → {new}" for old, new in again[:10]),
        )


def _renamed(gone: pd.DataFrame, fresh: pd.DataFrame) -> list[tuple[str, str]]:
    """Pair items that no ledger lists any more with new ones of one kind and name, or place."""
    if not len(gone) or not len(fresh):
        return []
    new: dict[tuple[Any, ...], str] = {}
    for key, role, name, x, y in zip(
        fresh.index, fresh["role"], fresh["name"], fresh["lon"], fresh["lat"], strict=True
    ):
        new.setdefault((role, str(name)), str(key))
        if x == x and y == y:
            new.setdefault((role, round(float(x), 5), round(float(y), 5)), str(key))
    pairs = []
    for key, role, name, x, y in zip(
        gone.index, gone["role"], gone["name"], gone["x"], gone["y"], strict=True
    ):
        found = new.get((role, str(name))) or new.get((role, x, y))
        if found:
            pairs.append((str(key), found))
    return pairs


def _unproven_rows(ground: Ground) -> Iterator[Problem]:
    """Name the rows that claim to be signed off without what that takes."""
    for role, layer in ground.layers.items():
        if layer.table is None or not ground.roles[role].item:
            continue
        for row, fields in lacking(layer.table):
            yield Problem(
                severity="note",
                role=role,
                rule="unproven",
                message=text("signed off by its ledger without proof; it asks for review"),
                mend=text(
                    "fill in {fields}, or sign it off in the control table",
                    fields=", ".join(
                        str(found.label if (found := ground.roles[role].field(name)) else name)
                        for name in fields
                    ),
                ),
                file=str(row.get("_file") or ""),
                sheet=str(row.get("_sheet") or ""),
                row=int(row["_row"]) if row.get("_row") == row.get("_row") else None,
                field="status",
                value="已销号",
            )


def record(
    project: Project, items: pd.DataFrame, control: pd.DataFrame, closed: pd.DataFrame | None
) -> int:
    """Keep in the register what a run lists for the first time, and what it describes anew.

    Parameters
    ----------
    project
        The project.
    items, control, closed
        Of the run's result.

    Returns
    -------
    int
        Number of events that were added.
    """
    parts = [part for part in (control, closed) if part is not None and len(part)]
    rows = pd.concat(parts) if parts else control
    places = items.reindex(rows.index)
    with events.open_register(register_file(project), write=True) as base:
        known, on = events.current(base), project.data_date or ""
        found = events.listed(rows, places, known=known, on=on)
        return events.append(base, events.not_older(base, found, on=on))


def refuse_lost_edits(project: Project, table: Path) -> None:
    """Refuse to replace a control table that was filled in by hand and not taken in yet.

    Parameters
    ----------
    project
        The project.
    table
        The control table in the results folder.

    Raises
    ------
    ExportError
        When rows of it say something that the register does not know.
    """
    try:
        manifest = json.loads((table.parent / MANIFEST).read_text(encoding="utf-8"))
        written = manifest["outputs"][table.name]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not table.is_file() or sha256(table) == written or not register_file(project).exists():
        return
    with events.open_register(register_file(project)) as base:
        found = merge(base, [read_returned(table)])
    stuck = {r.item_id for r in found.refused} | {c.item_id for c in found.conflicts}
    rows = found.imported + len(stuck)
    if rows:
        said = text(
            "{file} was edited by hand and {n} rows are not in the register yet",
            file=table,
            n=rows,
        )
        mend = text("take them in with 'riskmap control import', or run again with --discard-edits")
        raise ExportError(text("{what}; {mend}", what=said, mend=mend))


def _said(items: pd.DataFrame, merged: Mapping[str, str]) -> tuple[Text, ...]:
    """Say how often ledger and rules differ, what is ungraded, and what stood in two ledgers."""
    said = []
    if not len(items):
        return ()
    conflict = items["conflict"].astype(bool)
    if conflict.any():
        lower = int((items["level_ledger"] < items["level_rule"])[conflict].sum())
        said.append(
            text(
                "{n} items bear another level in the ledger than the rules give ({lower} of them a "
                "lower one); the list shows both.",
                n=int(conflict.sum()),
                lower=lower,
            )
        )
    blank = int((items[LEVEL] == 0).sum())
    if blank:
        said.append(text("{n} items cannot be graded; they stand at the top of the list.", n=blank))
    if merged:
        said.append(
            text(
                "{n} rows are the same thing as a row of another ledger (one number, one place); "
                "each is listed once.",
                n=len(merged),
            )
        )
    return tuple(said)


def conflicts(items: pd.DataFrame, layers: Mapping[str, Layer]) -> tuple[Problem, ...]:
    """List for the ledger of gaps which items bear another level than the rules give.

    Parameters
    ----------
    items
        The list.
    layers
        Layers by role, for file and row.

    Returns
    -------
    tuple of Problem
        One for each such item.
    """
    found = []
    for key, row in items[items["conflict"].astype(bool)].iterrows() if len(items) else ():
        found.append(
            Problem(
                "note",
                str(row["role"]),
                "level_conflict",
                text(
                    "{name}: the ledger says {ledger}, the rules give {rule}; {level} counts",
                    name=row["name"] or key,
                    ledger=LEVEL_NAMES[int(row["level_ledger"])],
                    rule=LEVEL_NAMES[int(row["level_rule"])],
                    level=LEVEL_NAMES[int(row[LEVEL])],
                ),
                text("check the level, and correct the ledger or say why"),
                field="risk_level",
                value=str(LEVEL_NAMES[int(row["level_ledger"])]),
                **_origin(layers[str(row["role"])].table, key),
            )
        )
    return tuple(found)


def _origin(table: Any, key: object) -> dict[str, Any]:
    """Give file and row of an item, where the layer kept them."""
    origin: dict[str, Any] = {}
    if table is not None and "_file" in table:
        origin["file"] = str(table.loc[key, "_file"])
    if table is not None and "_row" in table:
        origin["row"] = int(table.loc[key, "_row"])
    return origin


def find_near(ground: Ground, roads: Roads, pieces: Pieces | None) -> pd.DataFrame:
    """Find the people around every item, its nearest refuge and its nearest station.

    Parameters
    ----------
    ground
        Layers, roles and presets.
    roads
        Road graphs.
    pieces
        Where people live, or None.

    Returns
    -------
    DataFrame
        By item id: people_near, people_inside (of areas), refuge_name, refuge_m [m], station_name,
        station_s [s], method (empty where there is neither refuge nor station).
    """
    listed = {
        role: rows
        for role in ground.layers
        if ground.roles[role].item
        and (rows := placed_rows(ground.layers, role)) is not None
        and len(rows := rows[~town_only(rows)])
    }
    if not listed:
        return pd.DataFrame()
    xy = np.concatenate([row_xy(rows) for rows in listed.values()])
    near = pd.DataFrame(index=np.concatenate([rows.index for rows in listed.values()]))
    near["people_near"] = people_around(xy, pieces, presets=ground.presets)
    near["people_inside"] = np.concatenate(
        [_people_inside(rows, ground.roles[role], pieces) for role, rows in listed.items()]
    )
    straight = np.zeros(len(xy), bool)
    found = False
    for facility, (profile, way) in FACILITIES.items():
        places = with_beyond(ground.layers, facility, ground.roles)
        metres = facility != "rescue_station"
        name, value = ("refuge_name", "refuge_m") if metres else ("station_name", "station_s")
        if places is None:
            near[name], near[value] = "", np.nan
            continue
        found = True
        places = places.sort_index()  # of places equally near always the same
        at, cost, by_road = _nearest(
            xy, places, roads, profile=profile, way=way, metres=metres, presets=ground.presets
        )
        labels = places["name"] if "name" in places else pd.Series("", places.index)
        near[name] = labels.fillna("").to_numpy(dtype=object)[at]
        near[value] = cost
        straight |= ~by_road
    graph = roads.graphs.get("emergency")
    hour = None if graph is None else graph.hour
    busy = text("by road, traffic at {hour}:00", hour=hour)
    said = (text("by road, free flow") if hour is None else busy, text("straight line"))
    how = [said[int(f)] if found else None for f in straight]
    near["method"] = pd.Series(how, near.index, dtype=object)
    return near


def _people_inside(
    rows: gpd.GeoDataFrame, role: Role, pieces: Pieces | None
) -> NDArray[np.float64]:
    """Count the people who live in areas; NaN for all that is no area."""
    found = np.full(len(rows), np.nan)
    if pieces is None or role.geometry != "polygon":
        return found
    solid = (rows.geometry.area > 0).to_numpy(bool)
    found[solid] = pieces.inside(rows.geometry.to_numpy()[solid])
    return found


def _nearest(
    xy: NDArray[np.float64],
    places: gpd.GeoDataFrame,
    roads: Roads,
    *,
    profile: str,
    way: str,
    metres: bool,
    presets: Presets,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Row of the nearest place, metres from door to door or seconds, whether roads lead there."""
    from scipy.spatial import cKDTree

    to_xy = row_xy(places)
    straight, nearest = cKDTree(to_xy).query(xy)
    at = np.asarray(nearest, np.int64)
    cost = np.asarray(straight if metres else np.full(len(xy), np.nan), np.float64)
    by_road = np.zeros(len(xy), bool)
    graph = roads.graphs.get(profile)
    if graph is not None:
        limit = float(presets["station.snap_limit_m"])
        ends = snap_rows(graph, places, limit_m=limit)
        starts = snap_points(graph, xy, limit_m=limit)
        found = nearest_seconds(
            graph,
            ends,
            starts,
            way=way,  # type: ignore[arg-type]
            start=np.where(ends.on, ends.walk_m, 0.0) if metres else None,
            weight="metres" if metres else "seconds",
        )
        by_road = np.isfinite(found.cost)
        at = np.where(by_road, found.facility, at).astype(np.int64)
        cost = np.where(by_road, found.cost + (starts.walk_m if metres else 0.0), cost)
    return at, cost, np.asarray(by_road, np.bool_)


def people_around(
    xy: NDArray[np.float64], pieces: Pieces | None, *, presets: Presets
) -> NDArray[np.float64]:
    """Count the people within the preset radius of each point.

    Parameters
    ----------
    xy
        Points, shape (n, 2) [m].
    pieces
        Where people live, or None.
    presets
        Holds the radius.

    Returns
    -------
    ndarray
        People near each point, shape (n,); NaN where nobody knows how many live there.
    """
    if pieces is None:
        return np.full(len(xy), np.nan)
    return pieces.around(xy, float(presets["register.people_radius_m"]))

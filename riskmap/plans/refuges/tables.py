"""The plan as officers read it: tables, layers of the map, remarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import Text, text
from riskmap.layers.layer import texts
from riskmap.plans.refuges.ways import LEAST_LEG_M
from riskmap.vocabulary.columns import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.plans.options import RefugeOptions
    from riskmap.plans.refuges.assign import Assigned
    from riskmap.plans.refuges.demand import People
    from riskmap.plans.refuges.sites import Proposed
    from riskmap.plans.refuges.ways import Net, Routes
    from riskmap.result import Proof
    from riskmap.vocabulary.presets import Presets


def _groups(people: People, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give every group its village, town and district."""
    table = people.table.copy()
    for level in ("village", "town", "district"):
        names = units[level] if level in units else pd.Series(dtype=object)
        table[level] = [str(names.get(code, "")) for code in table["unit_id"]]
    blank = table["village"] == ""
    own = [str(units["name"].get(code, "")) for code in table["unit_id"]]
    table.loc[blank, "village"] = np.asarray(own, object)[blank.to_numpy()]
    return table


def assignment_table(
    done: Assigned,
    possible: pd.DataFrame,
    people: People,
    held: pd.DataFrame,
    units: gpd.GeoDataFrame,
    places: NDArray[np.float64],
    *,
    routes: pd.DataFrame,
) -> pd.DataFrame:
    """List every group, its refuge, how, how far, whether in time, and where else it could go.

    Parameters
    ----------
    done
        The assignment.
    possible
        All ways.
    people
        The groups.
    held
        Capacities, in the order of the refuges.
    units
        Units.
    places
        Places of each usable refuge.
    routes
        Table of `plan_routes`, in the order of the assignment.

    Returns
    -------
    DataFrame
        A row for each group and refuge, by district, town, village.
    """
    groups = _groups(people, units)
    rows = done.pairs.copy()
    who = groups.iloc[rows["demand"].to_numpy(np.int64)].reset_index(drop=True)
    there = held.iloc[rows["refuge"].to_numpy(np.int64)]
    other = _alternatives(done, possible, places)
    table = who[["demand", "district", "town", "village", "origin", "name"]].rename(
        columns={"demand": "group"}
    )
    table["people"] = rows["people"].to_numpy()
    table["assisted"] = who["assisted"].to_numpy(bool)
    table["refuge_id"] = there.index.astype(str)
    table["refuge"] = there["name"].to_numpy()
    table["tier"] = there["tier"].to_numpy()
    table["mode"] = rows["mode"].to_numpy()
    table["metres"] = rows["metres"].round(0).to_numpy()
    table["minutes"] = (rows["seconds"] / 60).round(1).to_numpy()
    for name in routes.columns:
        table[name] = routes[name].to_numpy()
    names = held["name"].to_numpy()
    table["alternative"] = [names[j] if j >= 0 else "" for j in other[0]]
    table["alternative_mode"] = other[1]
    table["alternative_minutes"] = (other[2] / 60).round(1)
    table["demand"], table["refuge_row"] = rows["demand"].to_numpy(), rows["refuge"].to_numpy()
    table["row"] = np.arange(len(table))
    order = ["district", "town", "village", "group", "minutes", "refuge_id"]
    return table.sort_values(order, kind="stable").reset_index(drop=True)


def _alternatives(
    done: Assigned, possible: pd.DataFrame, places: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.object_], NDArray[np.float64]]:
    """Find the nearest other usable refuge of every row."""
    usable = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    rows = done.pairs.reset_index(names="row")[["row", "demand", "refuge"]]
    both = rows.merge(usable, on="demand", suffixes=("", "_other"))
    both = both[both["refuge"] != both["refuge_other"]]
    first = both.sort_values(["row", "rank", "seconds"], kind="stable").drop_duplicates("row")
    count = len(rows)
    other, mode = np.full(count, -1, np.int64), np.full(count, "", dtype=object)
    seconds = np.full(count, np.nan)
    at = first["row"].to_numpy(np.int64)
    other[at], mode[at] = first["refuge_other"].to_numpy(np.int64), first["mode"].to_numpy()
    seconds[at] = first["seconds"].to_numpy()
    return other, mode, seconds


def shortfall_table(
    done: Assigned,
    possible: pd.DataFrame,
    people: People,
    units: gpd.GeoDataFrame,
    places: NDArray[np.float64],
) -> pd.DataFrame:
    """Count by village who has to move, who has a place, who has none and why.

    Parameters
    ----------
    done, possible, people, units, places
        As for `assignment_table`.

    Returns
    -------
    DataFrame
        unit_id, district, town, village, people, assisted, served, shortfall, short_assisted,
        refuges_in_reach, cut_off, reason; the largest shortfall first.
    """
    groups = _groups(people, units)
    groups["shortfall"] = done.shortfall
    usable = possible[places[possible["refuge"].to_numpy(np.int64)] > 0]
    count = np.bincount(usable["demand"].to_numpy(np.int64), minlength=len(groups))
    groups["cut_off"] = np.where(count == 0, groups["shortfall"], 0.0)
    # Where some are short, their own reach counts, not that of others of the village.
    lacks = groups.groupby("unit_id")["shortfall"].transform("sum") > 0
    groups["in_reach"] = np.where(lacks & ~(groups["shortfall"] > 0), 0, count)
    groups["needing"] = np.where(groups["assisted"], groups["people"], groups["vulnerable"])
    groups["short_assisted"] = np.where(groups["assisted"], groups["shortfall"], 0.0)
    table = (
        groups.groupby(["unit_id", "district", "town", "village"], sort=True)
        .agg(
            people=("people", "sum"),
            assisted=("needing", "sum"),
            shortfall=("shortfall", "sum"),
            short_assisted=("short_assisted", "sum"),
            refuges_in_reach=("in_reach", "max"),
            cut_off=("cut_off", "sum"),
        )
        .reset_index()
    )
    table.insert(6, "served", table["people"] - table["shortfall"])
    table["reason"] = pd.Series([_why(row) for row in table.itertuples()], dtype=object)
    return table.sort_values(["shortfall", "unit_id"], ascending=[False, True]).reset_index(
        drop=True
    )


def _why(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.shortfall <= 0:
        return ""
    if row.cut_off >= row.shortfall:
        return text("no usable refuge within reach on passable roads")
    return text("the {n} refuges within reach are full", n=int(row.refuges_in_reach))


def with_reasons(villages: pd.DataFrame, *found: Mapping[str, Text]) -> pd.DataFrame:
    """Add to the reason of a village why it is sent to many refuges.

    Parameters
    ----------
    villages
        As of `shortfall_table`.
    *found
        Code of the village to the reason: at the peak, and before the water.

    Returns
    -------
    DataFrame
        The same rows.
    """
    said = []
    for code, reason in zip(villages["unit_id"].astype(str), villages["reason"], strict=True):
        whole: Text | str = reason
        for turn, reasons in enumerate(found):
            more = reasons.get(code)
            if more is None:
                continue
            more = text("before the water: {said}", said=more) if turn else more
            whole = text("{first}; {second}", first=whole, second=more) if whole else more
        said.append(whole)
    return villages.assign(reason=pd.Series(said, index=villages.index, dtype=object))


def summary(
    name: str,
    recount: Mapping[str, float],
    done: Assigned,
    usable: NDArray[np.bool_],
    tables: Mapping[str, pd.DataFrame],
    *,
    early_vehicles: pd.DataFrame,
    proof: Proof,
    presets: Presets,
    outside: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Put the plan's main figures into one short table.

    Parameters
    ----------
    name
        Name of the scenario.
    recount
        Figures counted from the rows.
    done
        The assignment.
    usable
        Which refuges may be used.
    tables
        The other tables.
    early_vehicles
        Vehicles of those who leave before the water; empty where nobody must.
    proof
        What is proven of the assignment.
    presets
        Most refuges of a village, least part of a group.
    outside
        Which refuges lie outside the place; they are counted in a row of their own.

    Returns
    -------
    DataFrame
        what, value, unit.
    """
    sent = tables["assignment"]
    on_foot = sent.query("mode == 'foot'")["minutes"]
    late = sent.loc[~sent["in_time"].astype(bool), "people"].sum()
    cars, sheet = tables["vehicles"], tables["handout"]
    early = sheet[sheet["early"].astype(bool)]
    held = tables["capacity"]
    own = np.ones(usable.size, dtype=bool) if outside is None else ~outside
    mine = held["usable"].to_numpy(dtype=bool) & own
    guessed = int(held.loc[held["assumed"].to_numpy(dtype=bool) & mine, "places"].sum())
    beyond = int((usable & ~own).sum()), int(recount["places"] - held.loc[mine, "places"].sum())
    rows = [
        (text("scenario"), name or text("without flood"), ""),
        (text("refuges"), int(own.sum()), ""),
        (text("refuges that may be used"), int((usable & own).sum()), ""),
        (text("places in them"), int(recount["places"]) - beyond[1], text("persons")),
        *(((text("usable refuges outside the place"), beyond[0], ""),) if not own.all() else ()),
        *(
            ((text("places outside the place"), beyond[1], text("persons")),)
            if not own.all()
            else ()
        ),
        *(((text("of these assumed"), guessed, text("persons")),) if guessed else ()),
        (text("people to move"), int(recount["people"]), text("persons")),
        (text("with a place"), round(recount["served"]), text("persons")),
        (text("of these on foot"), round(recount["walk"]), text("persons")),
        (text("of these by vehicle"), round(recount["ride"]), text("persons")),
        (text("without a place"), round(recount["shortfall"]), text("persons")),
        *_early_rows(early, early_vehicles),
        (text("need a vehicle"), round(recount["assisted"]), text("persons")),
        (text("of these without a place"), round(recount["assisted_short"]), text("persons")),
        (text("buses at once"), int(cars["buses"].sum()), text("vehicles")),
        (text("vehicles for the assisted"), int(cars["assisted_vehicles"].sum()), text("vehicles")),
        (text("arrive after the peak"), round(late), text("persons")),
        (text("longest walk"), float(on_foot.max()) if len(on_foot) else 0.0, "min"),
        (text("sum of ways"), round(done.person_seconds / 3600), text("person-hours")),
        (text("proof"), words_of("status")[proof.status], ""),
        (text("gap"), round(proof.gap, 4) if proof.gap is not None else "", ""),
        *_together(sent, done, presets),
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit"]).astype(object)


def _together(
    sent: pd.DataFrame, done: Assigned, presets: Presets
) -> tuple[tuple[Text, float, Text | str], ...]:
    """Say how villages and groups are kept together, and what that costs in minutes."""
    if not len(sent) or done.least_seconds is None:
        return ()
    villages = sent.groupby(["district", "town", "village"])["refuge_id"].nunique()
    parts = sent.groupby("demand")["refuge_id"].nunique()
    cut = sent["demand"].map(parts) > 1
    most, least = int(presets["refuge.village_refuges"]), float(presets["refuge.least_part"])
    more = max(done.person_seconds - done.least_seconds, 0.0)
    people = max(float(sent["people"].sum()), 1.0)
    return (
        (text("refuges of a village at most"), int(villages.max()), ""),
        (
            text("villages sent to more refuges than they should be"),
            int((villages > most).sum()),
            "",
        ),
        (text("groups that are parted"), int((parts > 1).sum()), ""),
        (
            text("parts of parted groups with fewer people than {n}", n=f"{least:g}"),
            int((cut & (sent["people"] < least)).sum()),
            "",
        ),
        (
            text("longer way so that villages stay together, a person"),
            round(more / 60 / people, 2),
            "min",
        ),
    )


def _early_rows(early: pd.DataFrame, vehicles: pd.DataFrame) -> tuple[tuple[Text, int, Text], ...]:
    """Count those who have a place only if they leave before the water, and their vehicles."""
    if not len(early):
        return ()
    cars = int(vehicles["buses"].sum()), int(vehicles["assisted_vehicles"].sum())
    return (
        (
            text("of these with a place if they leave before the water"),
            round(float(early["people"].sum())),
            text("persons"),
        ),
        (text("buses for these at once"), cars[0], text("vehicles")),
        (text("vehicles for the assisted among these"), cars[1], text("vehicles")),
    )


COLUMNS = [
    "town", "village", "name", "people", "assisted", "refuge", "address", "person", "phone", "mode",
    "route", "metres", "minutes", "early", "leave_by", "other_route", "alternative", "avoided",
    "remark",
]  # fmt: skip


def handout(
    sent: pd.DataFrame,
    refuges: gpd.GeoDataFrame,
    addresses: Sequence[Text | str],
    *,
    early: bool = False,
) -> pd.DataFrame:
    """Put the assignment into the words of a village officer's sheet.

    Parameters
    ----------
    sent
        Table of assignments with their roads.
    refuges
        Refuge layer: person, phone, duty_unit.
    addresses
        Where each refuge stands.
    early
        Whether these must leave before the water.

    Returns
    -------
    DataFrame
        A row for each group and refuge, by town and village. ``leave_by`` says how long before
        the peak the group must set out at the latest.
    """
    rows_at = sent["refuge_row"].to_numpy(np.int64)
    there = refuges.iloc[rows_at]
    table = sent[["town", "village", "name", "people", "assisted", "refuge", "mode"]].copy()
    table["address"] = pd.Series([addresses[j] for j in rows_at], index=table.index, dtype=object)
    for name in ("person", "phone"):
        table[name] = texts(there, name)
    unit = texts(there, "duty_unit")
    keeper = [person or one for person, one in zip(table["person"], unit, strict=True)]
    table["person"] = pd.Series(keeper, index=table.index, dtype=object)
    rows = list(sent.itertuples())
    table["route"] = pd.Series([_route(row) for row in rows], dtype=object)
    table["metres"], table["minutes"], table["early"] = sent["metres"], sent["minutes"], early
    table["leave_by"] = pd.Series([_leave(int(m)) for m in sent["leave_min"]], dtype=object)
    table["other_route"] = pd.Series([_other(row) for row in rows], dtype=object)
    table["alternative"] = pd.Series([_next(row) for row in rows], dtype=object)
    table["avoided"] = pd.Series([_avoided(row) for row in rows], dtype=object)
    table["remark"] = pd.Series([_remark(row) for row in rows], dtype=object)
    order = ["town", "village", "name", "assisted", "minutes"]
    return table[COLUMNS].sort_values(order, kind="stable").reset_index(drop=True)


def _leave(minutes: int) -> Text:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return text("{m} min before the peak", m=rest)
    return text("{h} h {m} min before the peak", h=hours, m=rest)


def _route(row) -> Text:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.legs:
        return text("to the {heading}: {legs}", heading=row.heading, legs=row.legs)
    if row.via:
        return text("to the {heading} by {via}", heading=row.heading, via=row.via)
    return text("to the {heading}", heading=row.heading)


def _other(row) -> Text:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if not np.isfinite(row.other_metres):
        return text("no other road")
    said = text("{m} m, {min} min", m=f"{row.other_metres:.0f}", min=f"{row.other_minutes:g}")
    if row.shared_m >= LEAST_LEG_M:
        return text("{way}; {m} m of it as before", way=said, m=f"{row.shared_m:.0f}")
    return said


def _next(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if not row.alternative:
        return ""
    return text("{name}, {min} min", name=row.alternative, min=f"{row.alternative_minutes:g}")


def _avoided(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if row.avoided_m < 1:
        return ""
    if row.avoided:
        return text("{names} ({m} m closed)", names=row.avoided, m=f"{row.avoided_m:.0f}")
    return text("{m} m closed on the usual way", m=f"{row.avoided_m:.0f}")


def _remark(row) -> Text | str:  # type: ignore[no-untyped-def]  # noqa: ANN001
    parts: list[Text] = []
    if row.through:
        parts.append(text("the way leads through the danger area {names}: pass before it begins",
                          names=row.through))  # fmt: skip
    if row.mode == "ride" and row.arrive_min - row.minutes >= ROUNDS_MIN:
        parts.append(text("the vehicles go several times: the last arrive {m} min after the first "
                          "set out", m=f"{row.arrive_min:.0f}"))  # fmt: skip
    if not row.in_time:
        parts.append(text("too late after the warning: leave earlier"))
    said: Text | str = parts[0] if parts else ""
    for part in parts[1:]:
        said = text("{first}; {second}", first=said, second=part)
    return said


ROUNDS_MIN: Final = 10.0
"""Who waits so long or longer for a vehicle is told that it goes several times [min]."""


def plan_layers(
    name: str,
    tables: Mapping[str, pd.DataFrame],
    done: Assigned,
    people: People,
    routes: Routes,
    refuges: pd.DataFrame,
    xy: NDArray[np.float64],
    sites: Proposed | None,
    crs: str,
    crowded: pd.DataFrame,
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Text]]:
    """Draw routes, assignment lines, unusable refuges, people without a place and new sites.

    Parameters
    ----------
    name
        Name of the scenario.
    tables
        The plan's tables.
    done
        The assignment.
    people
        The groups.
    routes
        The roads of every assignment, in the order of ``tables["assignment"]``.
    refuges
        Refuge layer.
    xy
        Places of the refuges [m].
    sites
        New sites, or None.
    crs
        The run's CRS.
    crowded
        Crowded stretches of the roads.

    Returns
    -------
    tuple
        Layer name to table with kind, label, scenario and values; and to its title.
    """
    rows = tables["assignment"]
    label = rows["name"] + " → " + rows["refuge"]
    values = rows[
        ["people", "assisted", "mode", "metres", "minutes", "spare_min", "avoided_m", "through"]
    ]
    start, end = people.xy[rows["demand"].to_numpy(int)], xy[rows["refuge_row"].to_numpy(int)]
    straight = shapely.linestrings(np.stack([start, end], axis=1)) if len(rows) else []
    other = np.flatnonzero(rows["other_metres"].notna().to_numpy())
    fit = tables["eligibility"]
    bad = fit[~fit["usable"] & fit["required"]].drop_duplicates("item_id")
    at = refuges.index.astype(str).get_indexer(pd.Index(bad["item_id"]))
    short = np.flatnonzero(done.shortfall > 0)
    lacking = people.table.iloc[short]
    found = {
        "routes": _layer(routes.lines, "route", label, name, crs, values),
        "other_routes": _layer(
            routes.others[other], "other_route", label[other], name, crs,
            rows.loc[other, ["people", "mode", "other_metres", "other_minutes", "shared_m"]],
        ),
        "assignment": _layer(straight, "assignment", label, name, crs, values),
        "unusable": _layer(
            shapely.points(xy[at]), "unusable", bad["name"], name, crs,
            bad[["check", "reason"]],
        ),
        "shortfall": _layer(
            shapely.points(people.xy[short]), "shortfall", lacking["name"], name, crs,
            pd.DataFrame({"people": done.shortfall[short]}),
        ),
    }  # fmt: skip
    titles = {
        "routes": text("Routes to refuges"),
        "other_routes": text("Other routes, when the first is cut"),
        "assignment": text("Who goes where"),
        "unusable": text("Refuges not used"),
        "shortfall": text("People without a place"),
        "sites": text("Proposed refuges"),
        "busy_roads": text("Crowded roads"),
    }
    if len(crowded):
        found["busy_roads"] = _busy(crowded, name, crs)
    if sites is not None and len(sites.xy):
        found["sites"] = _layer(
            shapely.points(sites.xy), "site", sites.table["site"], name, crs,
            sites.table[["order", "phase", "places"]],
        )  # fmt: skip
    return {key: layer for key, layer in found.items() if len(layer)}, titles


def _busy(crowded: pd.DataFrame, name: str, crs: str) -> gpd.GeoDataFrame:
    """Draw the crowded stretches."""
    values = crowded[["mode", "load", "minutes", "metres", "head_on"]]
    return _layer(
        crowded["geometry"], "busy_road", crowded["label"], name, crs,
        values.rename(columns={"load": "flow"}),
    )  # fmt: skip


def _layer(
    shapes: object, kind: str, label: pd.Series, scenario: str, crs: str, values: pd.DataFrame
) -> gpd.GeoDataFrame:
    import geopandas as gpd

    table = values.reset_index(drop=True).copy()
    table.insert(0, "kind", kind)
    table.insert(1, "label", label.to_numpy())
    table.insert(2, "scenario", scenario)
    return gpd.GeoDataFrame(table, geometry=np.asarray(shapes, dtype=object), crs=crs)


def recounted(
    done: Assigned,
    people: NDArray[np.float64],
    places: NDArray[np.float64],
    assisted: NDArray[np.bool_],
) -> dict[str, float]:
    """Count from the rows alone: served, short, and whether a refuge holds too many.

    Parameters
    ----------
    done
        The assignment.
    people
        People to move of every group, shape (groups,).
    places
        Places of every refuge that may be used, shape (refuges,).
    assisted
        Who needs a vehicle, shape (groups,).

    Returns
    -------
    dict
        people, served, walk, ride, shortfall, assisted, assisted_short, places, overload,
        served_twice [persons].
    """
    rows = done.pairs
    load = np.bincount(
        rows["refuge"].to_numpy(np.int64), weights=rows["people"], minlength=places.size
    )
    served = np.bincount(
        rows["demand"].to_numpy(np.int64), weights=rows["people"], minlength=people.size
    )
    return {
        "people": float(people.sum()),
        "served": float(served.sum()),
        "walk": float(rows.loc[rows["mode"] == "foot", "people"].sum()),
        "ride": float(rows.loc[rows["mode"] == "ride", "people"].sum()),
        "shortfall": float(np.maximum(people - served, 0).sum()),
        "assisted": float(people[assisted].sum()),
        "assisted_short": float(np.maximum(people - served, 0)[assisted].sum()),
        "places": float(places.sum()),
        "overload": float(np.maximum(load - places, 0).max(initial=0.0)),
        "served_twice": float(np.maximum(served - people, 0).sum()),
    }


def plan_notes(
    name: str,
    recount: Mapping[str, float],
    done: Assigned,
    fit: pd.DataFrame,
    held: pd.DataFrame,
    roads: tuple[Net, ...],
    options: RefugeOptions,
    *,
    late: float,
    warning_h: float,
) -> tuple[Text, ...]:
    """Say what must be known beside the numbers.

    Parameters
    ----------
    name
        Name of the scenario; empty without flood.
    recount
        As of `recounted`.
    done
        The assignment.
    fit
        The table of eligibility.
    held
        The table of capacities.
    roads
        Roads by mode.
    options
        The plan's options.
    late
        People who arrive after the peak.
    warning_h
        Time from the warning to the peak [h].

    Returns
    -------
    tuple of Text
        Remarks for the run's log and page.
    """
    where = name or text("without flood")
    notes = [
        text(
            "Refuge plan ({where}): {people} to move, {served} have a place ({walk} on foot, "
            "{ride} by vehicle), {short} have none.",
            where=where,
            people=f"{recount['people']:.0f}",
            served=f"{recount['served']:.0f}",
            walk=f"{recount['walk']:.0f}",
            ride=f"{recount['ride']:.0f}",
            short=f"{recount['shortfall']:.0f}",
        )
    ]
    if not roads:
        notes.append(text("Refuge plan: no road network, so nobody can be sent anywhere."))
    failed = fit[~fit["usable"] & fit["required"]]
    if len(failed):
        notes.append(
            text(
                "Refuge plan ({where}): {n} refuges are not used; the table says why.",
                where=where,
                n=failed["item_id"].nunique(),
            )
        )
    notes += _warnings(where, fit, late=late, warning_h=warning_h)
    notes += _capacity_notes(where, held, options)
    if done.solution.status == "feasible":
        notes.append(
            text("Refuge plan ({where}): the assignment is good, not proven best.", where=where)
        )
    return tuple(notes)


def _capacity_notes(where: Text | str, held: pd.DataFrame, options: RefugeOptions) -> list[Text]:
    """Say how many refuges give no capacity, and what they are taken to hold."""
    notes = []
    unknown = ~(held["known"] | held["assumed"]).to_numpy(bool)
    if unknown.any():
        notes.append(
            text(
                "Refuge plan ({where}): {n} refuges give neither capacity nor area; nobody is sent "
                "there.",
                where=where,
                n=int(unknown.sum()),
            )
        )
    if held["assumed"].any():
        notes.append(
            text(
                "Refuge plan: {n} refuges give no capacity and are taken to hold {q} each "
                "(assumed in the project file).",
                n=int(held["assumed"].sum()),
                q=options.assumed_capacity,
            )
        )
    return notes


def _warnings(where: Text | str, fit: pd.DataFrame, *, late: float, warning_h: float) -> list[Text]:
    """Say what is used although something is to be mended, and who comes too late."""
    notes = []
    due = fit[(fit["check"] == "appraisal") & ~fit["usable"] & ~fit["required"]]
    if len(due):
        notes.append(
            text(
                "Refuge plan ({where}): {n} refuges have a building appraisal older than the "
                "cycle; have them checked before they are opened.",
                where=where,
                n=due["item_id"].nunique(),
            )
        )
    if late > 0:
        notes.append(
            text(
                "Refuge plan ({where}): {n} people cannot arrive before the peak after a warning "
                "{hours} h ahead.",
                where=where,
                n=f"{late:.0f}",
                hours=f"{warning_h:g}",
            )
        )
    return notes


def folded(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Put what is said of one thing into one table.

    Vehicles stand beside the village's people, the hazards a refuge is fit for beside its capacity,
    the walk with and without new sites in the summary; the proof of the sites is the plan's.

    Parameters
    ----------
    tables
        Tables of one state of the world.

    Returns
    -------
    dict
        summary, shortfall, mend, assignment, handout, eligibility, capacity, sites, scorecard,
        accessibility.
    """
    aside = ("vehicles", "usable_for", "equity", "siting")
    out = {name: table for name, table in tables.items() if name not in aside}
    if "equity" in tables:
        out["summary"] = pd.concat([out["summary"], _walks(tables["equity"])], ignore_index=True)
    if "vehicles" in tables and "shortfall" in tables:
        out["shortfall"] = _with_vehicles(tables["shortfall"], tables["vehicles"])
    if "usable_for" in tables and "capacity" in tables:
        out["capacity"] = _with_hazards(tables["capacity"], tables["usable_for"])
    return out


def _walks(equity: pd.DataFrame) -> pd.DataFrame:
    """Say the walk to the nearest refuge in lines of the summary."""
    figures = (
        ("in_reach_share", text("share within the longest walk"), 100.0, "%"),
        ("no_way", text("people without a way"), 1.0, text("persons")),
        ("mean_min", text("mean walk"), 1.0, "min"),
        ("p90_min", text("nine in ten walk at most"), 1.0, "min"),
        ("worst_min", text("walk of the village that walks farthest"), 1.0, "min"),
        ("worst_village", text("village that walks farthest"), None, ""),
    )
    rows = [
        (
            text("{when}: {what}", when=row["when"], what=said),
            row[name] if times is None else round(float(row[name]) * times, 4),
            unit,
        )
        for row in equity.to_dict("records")
        for name, said, times, unit in figures
    ]
    return pd.DataFrame(rows, columns=["what", "value", "unit"]).astype(object)


def _with_vehicles(shortfall: pd.DataFrame, vehicles: pd.DataFrame) -> pd.DataFrame:
    """Set the vehicles of a village beside its people; of villages of one name beside the first."""
    keys = ["district", "town", "village"]
    wanted = vehicles.rename(columns={"assisted": "assisted_riders"}).set_index(keys)
    here = pd.MultiIndex.from_frame(shortfall[keys].astype(str))
    first = ~np.asarray(here.duplicated())
    found = wanted.reindex(here)
    return shortfall.assign(
        **{str(name): found[name].reset_index(drop=True).where(first).to_numpy() for name in found}
    )


def _with_hazards(capacity: pd.DataFrame, usable_for: pd.DataFrame) -> pd.DataFrame:
    """Say beside a refuge's capacity for which hazards it may be used, and why not."""
    by_hazard = usable_for.pivot_table(
        index="item_id", columns="hazard", values="usable", aggfunc="first", sort=False
    )  # fmt: skip
    ids = capacity["item_id"].astype(str)
    more: dict[str, Any] = {
        f"usable_{hazard}": by_hazard[hazard].reindex(ids).to_numpy() for hazard in by_hazard
    }
    whole = usable_for.groupby("item_id", sort=False)
    for name in ("reason", "reminder", "unchecked"):
        said = {str(key): _of_hazards(rows["hazard"], rows[name]) for key, rows in whole}
        more[name] = pd.Series([said.get(key, "") for key in ids], dtype=object)
    return capacity.assign(**more)


def _of_hazards(hazards: pd.Series, said: pd.Series) -> Text | str:
    """Say a thing once when it holds for every hazard, else hazard by hazard."""
    found = [word for word in said if word]
    if len(found) == len(said) and len(set(map(repr, found))) == 1:
        first: Text | str = found[0]
        return first
    whole: Text | str = ""
    for hazard, word in zip(hazards, said, strict=True):
        if word:
            one = text("{name}: {said}", name=HAZARD_WORDS.get(hazard, hazard), said=word)
            whole = text("{first}; {second}", first=whole, second=one) if whole else one
    return whole


HAZARD_WORDS = {
    "flood": text("flood"),
    "geohazard": text("geohazard"),
    "hazmat": text("fire and dangerous goods"),
}
"""Words for the hazards of the checks."""

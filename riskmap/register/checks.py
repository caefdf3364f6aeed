"""What the ledgers of people, tasks, calls, supplies and duties show to be late or lacking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.i18n import Text, text
from riskmap.layers.layer import filled
from riskmap.register.items import places
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.grade import grades
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd

    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role

_BLANK: Final = re.compile(r"[\s、，。,.;；:：（）()\-—_/]+")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the checks look at."""

    layers: Mapping[str, Layer]
    roles: Mapping[str, Role]
    units: gpd.GeoDataFrame
    """Units of all levels; ``finest`` marks the villages."""
    items: pd.DataFrame
    """The ranked list, signed-off items out."""
    presets: Presets
    day: str
    """Date of the data, ISO, or empty."""
    control: pd.DataFrame | None = None
    """The control table of the same items."""

    def table(self, role: str) -> gpd.GeoDataFrame | None:
        """Give a ledger that has rows.

        Parameters
        ----------
        role
            The role.

        Returns
        -------
        GeoDataFrame or None
            None when the ledger is not there or empty.
        """
        layer = self.layers.get(role)
        return None if layer is None or layer.table is None or not len(layer.table) else layer.table

    def towns(self) -> list[str]:
        """Name the towns of the place.

        Returns
        -------
        list of str
            In the order of the units.
        """
        rows = self.units[self.units[c.LEVEL].astype(str) == "town"]
        return list(dict.fromkeys(rows[c.NAME].astype(str)))

    def villages(self) -> gpd.GeoDataFrame:
        """Give the units of the finest level.

        Returns
        -------
        GeoDataFrame
            Units.
        """
        return self.units[self.units["finest"]] if "finest" in self.units else self.units


def checks(case: Case) -> dict[str, pd.DataFrame]:
    """Run every check whose ledger is there.

    Parameters
    ----------
    case
        Ledgers, units, list and day.

    Returns
    -------
    dict
        Subject to table; a subject whose ledger is missing is not there, one without faults is
        empty.
    """
    found = {}
    for name, check in CHECKS.items():
        table = check(case)
        if table is not None:
            found[name] = table
    return found


def _text(table: pd.DataFrame, name: str) -> pd.Series[str]:
    return filled(table, name).fillna("").astype(str)


def _survey(case: Case) -> pd.DataFrame | None:
    """Say for every ledger and town how many rows came and how far their fields are filled."""
    towns = case.towns()
    rows = []
    for name, role in case.roles.items():
        table = case.table(name)
        asked = [f.name for f in role.fields if f.required or f.name in role.asked]
        if table is None or not (role.item or role.group == "element") or not asked:
            continue
        said = _text(table, "town")
        if table.geometry.notna().any():
            said = said.where(said != "", places(table, case.units)["town"].fillna("").astype(str))
        gone = pd.DataFrame({one: filled(table, one).isna() for one in asked}, index=table.index)
        newest = _text(table, "survey_date")
        for town in [*towns, *sorted(set(said) - {*towns, ""})]:
            mine = (said == town).to_numpy(bool)
            if not mine.any() and not role.item:
                continue
            share = None if not mine.any() else 100.0 * float(1 - gone[mine].to_numpy().mean())
            lack = [role.field(one) for one in asked if mine.any() and gone.loc[mine, one].any()]
            rows.append(
                [
                    role.label, town, int(mine.sum()), None if share is None else round(share, 1),
                    newest[mine].max() if mine.any() else "",
                    "、".join(str(one.label) for one in lack if one is not None),
                    None if mine.any() else text("no row of this ledger"),
                ]
            )  # fmt: skip
    names = ["ledger", "town", "rows", "filled_percent", "survey_date", "missing", "fault"]
    return pd.DataFrame(rows, columns=names).astype({"rows": "Int64", "filled_percent": "Float64"})


def _team_cover(case: Case) -> pd.DataFrame | None:
    """List villages without a team of their own and towns without theirs."""
    teams = case.table("rescue_team")
    if teams is None or filled(teams, "tier").isna().all():
        return None
    teams = teams[case.roles["rescue_team"].in_use(teams)]
    where = places(teams, case.units)
    tier = _text(teams, "tier").to_numpy()
    towns = set(where["town"][tier == "town"])
    villages = set(where[c.UNIT_ID][tier == "village"])
    rows = []
    finest = case.villages()
    of_town = finest["town"] if "town" in finest else pd.Series("", finest.index)
    for key, name, town in zip(finest.index, finest[c.NAME], of_town, strict=True):
        lack = [
            word
            for word, there in (
                (text("village level"), str(key) in villages),
                (text("town level"), town in towns),
            )
            if not there
        ]
        if lack:
            fault = text("no rescue team at {tiers}", tiers="、".join(map(str, lack)))
            rows.append([str(key), town, name, fault])
    return pd.DataFrame(rows, columns=["unit_id", "town", "village", "fault"])


def _tier_gaps(case: Case) -> pd.DataFrame | None:
    """List towns and villages without the depot of their tier."""
    depots = case.table("supply_depot")
    if depots is None or filled(depots, "tier").isna().all():
        return None
    depots = depots[case.roles["supply_depot"].in_use(depots)]
    where = places(depots, case.units)
    tier = _text(depots, "tier").to_numpy()
    towns, villages = set(where["town"][tier == "town"]), set(where[c.UNIT_ID][tier == "village"])
    rows: list[list[Any]] = [
        ["", town, "", text("no depot of the town")] for town in case.towns() if town not in towns
    ]
    finest = case.villages()
    of_town = finest["town"] if "town" in finest else pd.Series("", finest.index)
    rows += [
        [str(key), town, name, text("no store room of the village")]
        for key, name, town in zip(finest.index, finest[c.NAME], of_town, strict=True)
        if str(key) not in villages
    ]
    return pd.DataFrame(rows, columns=["unit_id", "town", "village", "fault"])


def _drills_due(case: Case) -> pd.DataFrame | None:
    """Take the gravest items that were not drilled this year as the plan of drills."""
    drills = case.table("drill")
    if drills is None or not case.day or not len(case.items):
        return None
    year = _text(drills, "date").str[:4] == case.day[:4]
    done = set(_text(drills, "item")[year]) | set(_text(drills, "name")[year])
    top = case.items[case.items[c.LEVEL].astype(float) == float(case.items[c.LEVEL].max())]
    rows = []
    for (role, town), mine in top.groupby([top[c.ROLE], top["town"].fillna("")], sort=True):
        names = set(map(str, mine.index)) | set(mine[c.NAME].fillna("").astype(str))
        if names & done or any(name and name in one for name in names for one in done):
            continue
        key, first = mine.index[0], mine.iloc[0]
        fault = text("not drilled this year")
        rows.append([key, role, first[c.NAME], town, first[c.LEVEL], first["people"], fault])
    names_ = ["item_id", "role", "name", "town", "level", "people", "fault"]
    return pd.DataFrame(rows, columns=names_)


def _calls(case: Case) -> pd.DataFrame | None:
    """Match calls to items, mark those that say the same, and find what is late."""
    table = case.table("call")
    if table is None:
        return None
    known = {_plain(name): str(key) for key, name in case.items[c.NAME].items() if name}
    numbers = set(map(str, case.items.index))
    first: dict[tuple[str, str], str] = {}
    rows = []
    told = ("number", "item", "name", "address", "received", "dispatched", "due", "finished")
    columns = {name: _text(table, name).tolist() for name in told}
    for key, *values in zip(map(str, table.index), *columns.values(), strict=True):
        row = dict(zip(told, values, strict=True))
        item, how = _match(row, known, numbers)
        same = (_plain(row["address"]), _plain(row["name"]))
        twin = first.setdefault(same, row["number"] or key)
        twin = "" if twin == (row["number"] or key) else twin
        rows.append(
            [
                row["number"] or key, row["name"], row["received"], row["dispatched"], row["due"],
                row["finished"], item, how, twin, _late(row["due"], row["finished"], case.day),
            ]
        )  # fmt: skip
    names = [
        "number", "name", "received", "dispatched", "deadline", "finished", "item_id", "method",
        "same_as", "fault",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def _match(
    row: Mapping[str, str], known: Mapping[str, str], numbers: set[str]
) -> tuple[str, Text | None]:
    """Find the item that a call is about; one that could be two is none."""
    if row["item"] in numbers:
        return row["item"], text("by its number")
    said = _plain(row["address"] + row["name"])
    hits = {key for name, key in known.items() if len(name) > 1 and name in said}
    if len(hits) == 1:
        return hits.pop(), text("by its name")
    return "", text("several items could be meant") if hits else None


def _plain(value: object) -> str:
    return _BLANK.sub("", str(value or "")).casefold()


def _late(due: str, done: str, day: str) -> Text | None:
    """Say whether something was done late, or is late and not done."""
    if not due:
        return None
    if done:
        return text("finished late") if done[:10] > due[:10] else None
    return text("overdue, not done") if day and day > due[:10] else None


def _filings_late(case: Case) -> pd.DataFrame | None:
    """List reports that came late or not at all, by unit."""
    table = case.table("filing")
    if table is None:
        return None
    rows = []
    for unit, town, name, due, filed in zip(
        *(_text(table, n) for n in ("unit", "town", "name", "due", "filed")), strict=True
    ):
        fault = _late(due, filed, case.day)
        if fault is not None:
            missing = text("not reported") if not filed else text("reported late")
            late = (
                date.fromisoformat((filed or case.day)[:10]) - date.fromisoformat(due[:10])
            ).days
            rows.append([unit or town, name, due, filed, late, missing])
    names = ["unit_name", "name", "deadline", "finished", "late_days", "fault"]
    return pd.DataFrame(rows, columns=names).sort_values(["unit_name", "deadline"])


def _tasks_late(case: Case) -> pd.DataFrame | None:
    """List tasks that are not done, with what is late."""
    table = case.table("task")
    if table is None:
        return None
    kinds = {choice.value: choice.label for choice in _choices(case, "task", "kind")}
    rows = []
    read = ("duty_unit", "town", "name", "kind", "due", "finished")
    done = filled(table, "done").map(lambda value: value is True or str(value) == "True")
    for unit, town, name, kind, due, finished, is_done in zip(
        *(_text(table, n) for n in read), done, strict=True
    ):
        fault = _late(due, finished, case.day)
        if (is_done or finished) and fault is None:
            continue
        fault = fault or text("not done yet")
        rows.append([unit or town, name, kinds.get(kind, kind), due, finished, fault])
    names = ["unit_name", "name", "task_kind", "deadline", "finished", "fault"]
    return pd.DataFrame(rows, columns=names).sort_values(["unit_name", "deadline"])


def _choices(case: Case, role: str, name: str) -> tuple[Any, ...]:
    found = case.roles[role].field(name)
    return () if found is None else found.choices


def _validity(case: Case) -> pd.DataFrame | None:
    """List communities whose title has run out, was not reviewed for a year, or lacks a paper."""
    table = case.table("community")
    if table is None:
        return None
    papers = ("risk_map", "evacuation_map", "lists")
    rows = []
    for at, row in enumerate(table.to_dict(orient="records")):
        faults: list[Text] = []
        stage = _text(table, "stage").iloc[at]
        if stage == "withdrawn":
            continue
        until, seen = _text(table, "valid_until").iloc[at], _text(table, "reviewed").iloc[at]
        if case.day and until and until < case.day:
            faults.append(text("the title has run out"))
        a_year_ago = _days_before(case.day, 365)
        named = _text(table, "named_on").iloc[at]
        if stage == "named" and case.day and max(seen, named) < a_year_ago:
            faults.append(text("not reviewed for a year"))
        lack = [
            str(found.label)
            for name in papers
            if (found := case.roles["community"].field(name)) is not None
            and filled(table, name).iloc[at] is not True
        ]
        if lack:
            faults.append(text("lacks: {papers}", papers="、".join(lack)))
        if faults:
            town, village = (_text(table, n).iloc[at] for n in ("town", "village"))
            said = "；".join(map(str, faults))
            rows.append([row.get("name"), town, village, until, seen, said])
    names = ["name", "town", "village", "valid_until", "reviewed", "fault"]
    return pd.DataFrame(rows, columns=names)


def _days_before(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat() if day else ""


def _census_doubts(case: Case) -> pd.DataFrame | None:
    """Compare what the census counted with the office's own ledgers, by town."""
    table = case.table("census_count")
    if table is None:
        return None
    names = {_plain(word): name for name, r in case.roles.items() for word in (r.zh, r.en, name)}
    rows = []
    for what, town, number in zip(
        _text(table, "name"), _text(table, "town"), filled(table, "count"), strict=True
    ):
        role = names.get(_plain(what))
        own = None if role is None else case.table(role)
        if role is None:
            rows.append([what, town, number, None, None, text("no ledger of this name")])
            continue
        if own is None:
            mine = 0
        else:
            said = _text(own, "town")
            if own.geometry.notna().any():
                found = places(own, case.units)["town"].fillna("").astype(str)
                said = said.where(said != "", found)
            mine = len(own) if not town else int((said == town).sum())
        gap = mine - int(number)
        if gap:
            fault = text("fewer than the census") if gap < 0 else text("more than the census")
            rows.append([case.roles[role].label, town, number, mine, gap, fault])
    columns = ["ledger", "town", "counted", "rows", "difference", "fault"]
    return pd.DataFrame(rows, columns=columns)


def _rules_missing(case: Case) -> pd.DataFrame | None:
    """List towns without thresholds for a hazard that others have, and thresholds half filled."""
    table = case.table("warning_rule")
    if table is None:
        return None
    hazard, town = _text(table, "name"), _text(table, "town")
    blank = pd.DataFrame({n: filled(table, n).isna() for n in ("blue", "yellow", "orange", "red")})
    rows: list[list[Any]] = [
        [place, one, text("no thresholds")]
        for one in sorted(set(hazard))
        if not ((hazard == one) & (town == "")).any()
        for place in case.towns()
        if not ((hazard == one) & (town == place)).any()
    ]
    rows += [
        [town.iloc[at], hazard.iloc[at], text("thresholds not all filled in")]
        for at in np.flatnonzero(blank.any(axis=1).to_numpy(bool))
    ]
    return pd.DataFrame(rows, columns=["town", "hazard", "fault"])


def _stock_after(case: Case) -> pd.DataFrame | None:
    """Set what was used beside what is in stock; what is left below zero was booked wrongly."""
    used = case.table("consumption")
    stock = case.table("stock")
    if used is None:
        return None
    amounts = pd.to_numeric(filled(used, "quantity"), errors="coerce").fillna(0.0)
    name_of, event_of = _text(used, "name"), _text(used, "event")
    keys = list(dict.fromkeys(zip(name_of, event_of, strict=True)))
    total = amounts.groupby(name_of).sum()
    held: dict[str, float] = {}
    if stock is not None:
        there = pd.to_numeric(filled(stock, "quantity"), errors="coerce").fillna(0.0)
        sums = there.groupby(_text(stock, "name")).sum()
        held = {str(name): float(n) for name, n in sums.items()}
    rows = []
    for name, event in keys:
        quantity = float(amounts[(name_of == name) & (event_of == event)].sum())
        left = held.get(name, 0.0) - total[name]
        fault = None
        if name not in held:
            fault = text("not in the stock ledger")
        elif left < 0:
            fault = text("more used than was in stock")
        elif left < total[name]:
            fault = text("not enough left for the same again")
        rows.append([name, event, quantity, held.get(name), left if name in held else None, fault])
    names = ["name", "event", "used", "quantity", "left", "fault"]
    return pd.DataFrame(rows, columns=names)


def _idle(case: Case) -> pd.DataFrame | None:
    """List equipment that stands idle or is broken, across departments."""
    table = case.table("equipment")
    if table is None:
        return None
    words = {one.value: one.label for one in _choices(case, "equipment", "state")}
    state = _text(table, "state")
    keep = state.isin(["idle", "broken"]).to_numpy(bool)
    frame = pd.DataFrame(
        {
            "name": _text(table, "name"), "kind_of": _text(table, "type"),
            "quantity": pd.to_numeric(filled(table, "quantity"), errors="coerce"),
            "unit_name": _text(table, "unit"), "town": _text(table, "town"),
            "fault": state.map(words),
        }
    )  # fmt: skip
    return frame[keep].sort_values(["name", "unit_name"]).reset_index(drop=True)


def _duty_faults(case: Case) -> pd.DataFrame | None:
    """List hazards whose prevention or rescue has no department, or two."""
    table = case.table("duty_share")
    if table is None:
        return None
    hazard, part, unit = (_text(table, name) for name in ("name", "part", "unit"))
    words = {one.value: one.label for one in _choices(case, "duty_share", "part")}
    rows = []
    for one in sorted(set(hazard)):
        for which in ("prevent", "respond"):
            mine = sorted(set(unit[(hazard == one) & (part == which)]) - {""})
            if len(mine) == 1:
                continue
            fault = text("no department") if not mine else text("several departments")
            rows.append([one, words[which], "、".join(mine), fault])
    return pd.DataFrame(rows, columns=["hazard", "part_of_duty", "unit_name", "fault"])


def _park_faults(case: Case) -> pd.DataFrame | None:
    """Say of each hazard source in which park it stands, and list those outside."""
    parks, sources = case.table("park"), case.table("hazard_source")
    if parks is None or sources is None:
        return None
    sources = sources[case.roles["hazard_source"].in_use(sources)]
    shapes = shapely.make_valid(parks.geometry.to_numpy())
    of_source, of_park = shapely.STRtree(shapes).query(
        sources.geometry.to_numpy(), predicate="intersects"
    )
    names = _text(parks, "name").to_numpy()
    good = filled(parks, "recognised").map(lambda value: value is True).to_numpy(bool)
    town = _text(sources, "town").to_numpy()
    rows = []
    for at, (key, name) in enumerate(zip(sources.index, _text(sources, "name"), strict=True)):
        mine = of_park[of_source == at]
        fault = None
        if not len(mine):
            fault = text("outside every park")
        elif not good[mine].any():
            fault = text("in a park that is not recognised")
        rows.append([key, name, town[at], "、".join(names[mine]), fault])
    return pd.DataFrame(rows, columns=["item_id", "name", "town", "park", "fault"])


def _guard_gaps(case: Case) -> pd.DataFrame | None:
    """List the gravest items that no guard post is set for on the day."""
    posts = case.table("guard_post")
    if posts is None or not len(case.items):
        return None
    starts, ends = _text(posts, "starts"), _text(posts, "ends")
    on = ((starts == "") | (starts <= case.day)) & ((ends == "") | (ends >= case.day))
    kept = posts[on.to_numpy(bool)] if case.day else posts
    held = set(_text(kept, "item")) | {_plain(name) for name in _text(kept, "name")}
    top = case.items[case.items[c.LEVEL].astype(float) >= 4]
    rows = [
        [key, name, town, level, text("no guard post on the day")]
        for key, name, town, level in zip(
            top.index, top[c.NAME], top["town"], top[c.LEVEL], strict=True
        )
        if str(key) not in held and _plain(name) not in held
    ]
    return pd.DataFrame(rows, columns=["item_id", "name", "town", "level", "fault"])


def _person_grids(case: Case) -> pd.DataFrame | None:
    """List grids without anybody and persons whose grid is in no ledger; households per grid."""
    persons, grids = case.table("person"), case.table("grid_duty_area")
    if persons is None or filled(persons, "grid").isna().all():
        return None
    mine = _text(persons, "grid")
    homes = pd.to_numeric(filled(persons, "households"), errors="coerce").fillna(0)
    known: dict[str, str] = {}
    if grids is not None:
        known = dict(zip(_text(grids, "number"), _text(grids, "name"), strict=True))
    buildings = (_text(persons, "building") != "").groupby(mine).sum()
    rows = []
    for number in sorted({*known, *mine} - {""}):
        here = (mine == number).to_numpy(bool)
        fault = None
        if not here.any():
            fault = text("nobody is on duty in this grid")
        elif known and number not in known:
            fault = text("no such grid in the ledger")
        count, house = int(here.sum()), int(homes[here].sum())
        found = int(buildings.get(number, 0))
        rows.append([number, known.get(number, ""), count, house, found, fault])
    names = ["number", "grid", "persons", "households", "buildings", "fault"]
    return pd.DataFrame(rows, columns=names)


def _commitments(case: Case) -> pd.DataFrame | None:
    """List sources whose commitment of the year is missing."""
    table = case.table("hazard_source")
    if table is None or not case.day or filled(table, "commitment").isna().all():
        return None
    table = table[case.roles["hazard_source"].in_use(table)]
    said = _text(table, "commitment")
    late = (said.str[:4] != case.day[:4]).to_numpy(bool)
    rows = [
        [key, name, town, day, text("no commitment this year")]
        for key, name, town, day in zip(
            table.index[late], _text(table, "name")[late], _text(table, "town")[late], said[late],
            strict=True,
        )
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["item_id", "name", "town", "commitment", "fault"])


def _outlook(case: Case) -> pd.DataFrame | None:
    """Set the refuges of coming years against the people of those years."""
    figures, refuges = case.table("basic_figure"), case.table("refuge")
    if figures is None or refuges is None or filled(figures, "people").isna().all():
        return None
    share = float(case.presets["refuge.fixed_capacity_share"])
    capacity = pd.to_numeric(filled(refuges, "capacity"), errors="coerce").fillna(0.0)
    gone = _text(refuges, "status").isin(["closed", "retired"]).to_numpy(bool)
    opens = _text(refuges, "opens").str[:4]
    planned = (_text(refuges, "status") == "planned").to_numpy(bool)
    people = pd.to_numeric(filled(figures, "people"), errors="coerce")
    years = pd.to_numeric(filled(figures, "year"), errors="coerce")
    whole = _text(figures, "town") == ""
    rows = []
    for year in sorted(set(years.dropna().astype(int))):
        this = (years == year).to_numpy(bool)
        mine = people[this & whole.to_numpy(bool)]
        count = float(mine.iloc[0]) if len(mine.dropna()) else float(people[this].sum())
        ready = ~gone & (~planned | ((opens != "") & (opens <= str(year))).to_numpy(bool))
        places_ = float(capacity[ready].sum())
        need = count * share
        fault = text("too few places") if places_ < need else None
        rows.append([year, count, need, places_, places_ - need, fault])
    names = ["year", "people", "needed", "capacity", "difference", "fault"]
    return pd.DataFrame(rows, columns=names)


def _dangers_open(case: Case) -> pd.DataFrame | None:
    """List dangers that are not mended, with unit, person, and the days since they were found."""
    table, control = case.table("hidden_danger"), case.control
    if table is None or control is None or not case.day:
        return None
    mine = control[(control[c.ROLE] == "hidden_danger").to_numpy(bool)]
    found = filled(table, "found").reindex(mine.index).fillna(mine["first_on"])
    day = pd.Timestamp(case.day)
    age = (day - days_of(found)).dt.days
    rows = []
    for key, row, since, days in zip(
        mine.index, mine.to_dict(orient="records"), found, age, strict=True
    ):
        late = row["overdue"] is True or row["overdue"] == 1
        fault = text("overdue") if late else None
        if row["person"] is None or row["person"] != row["person"]:
            nobody = text("nobody is named")
            fault = nobody if fault is None else text("{what}; {mend}", what=fault, mend=nobody)
        rows.append(
            [key, row[c.NAME], row["town"], row["duty_unit"], row["person"], since, days,
             row["deadline"], row["days_left"], row["status"], fault]
        )  # fmt: skip
    names = [
        "item_id", "name", "town", "duty_unit", "person", "found_on", "days", "deadline",
        "days_left", "status", "fault",
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=names).astype({"days": "Int64", "days_left": "Int64"})
    return out.sort_values(["deadline", "item_id"], kind="stable", ignore_index=True)


def _risky_works(case: Case) -> pd.DataFrame | None:
    """List risky work with its enterprise, and say which is unlikely but grave, or not reported."""
    table = case.table("risky_work")
    if table is None:
        return None
    role = case.roles["risky_work"]
    kinds = {choice.value: choice.label for choice in _choices(case, "risky_work", "type")}
    worst = {k for k, level in case.presets["risky_work.level_by_type"].items() if int(level) >= 4}
    levels = grades(role, table, case.presets)["level"]
    reported = filled(table, "reported").map(lambda value: value is True or str(value) == "True")
    read = ("name", "site", "town", "type", "starts", "ends")
    rows = []
    for key, level, is_known, people, *said in zip(
        table.index, levels, reported, filled(table, "people_on_site"),
        *(_text(table, name) for name in read), strict=True,
    ):  # fmt: skip
        name, site, town, kind, starts, ends = said
        when = text("under way")
        if case.day and starts and starts > case.day:
            when = text("to come")
        elif case.day and ends and ends < case.day:
            when = text("ended")
        grave = text("unlikely but grave: graded by the outcome") if kind in worst else None
        fault = None if is_known else text("not reported to the office")
        rows.append([key, name, site, town, kinds.get(kind, kind), starts, ends, when, people,
                     level, grave, fault])  # fmt: skip
    names = [
        "item_id", "name", "site", "town", "work_kind", "starts", "ends", "when", "people_there",
        "level", "basis", "fault",
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=names).astype({"level": "Int8"})
    out["people_there"] = pd.to_numeric(out["people_there"], errors="coerce").astype("Int64")
    return out.sort_values(["level", "item_id"], ascending=[False, True], ignore_index=True)


def _accidents(case: Case) -> pd.DataFrame | None:
    """Set each town's accidents of this year to date beside those of the same days last year.

    Forest fires are counted elsewhere; no accident counts twice, whatever kinds it is of.
    """
    table = case.table("accident")
    if table is None or not case.day:
        return None
    table = table[~_text(table, "type").str.contains("森林火灾", regex=False).to_numpy(bool)]
    town, day = _text(table, "town"), _text(table, "date")
    if len(table) and table.geometry.notna().any():
        town = town.where(town != "", places(table, case.units)["town"].fillna("").astype(str))
    year = int(case.day[:4])
    now, before = (
        ((day >= f"{y}-01-01") & (day <= f"{y}{case.day[4:]}")).to_numpy(bool)
        for y in (year, year - 1)
    )
    done = _text(table, "stage").isin(["evaluated", "closed"]).to_numpy(bool)
    counted = {
        name: pd.to_numeric(filled(table, name), errors="coerce").fillna(0.0).to_numpy(float)
        for name in ("deaths", "injured", "loss")
    }
    rows: list[list[Any]] = []
    for name in ["", *case.towns(), *sorted(set(town) - {*case.towns(), ""})]:
        here = np.ones(len(table), bool) if not name else (town == name).to_numpy(bool)
        these, those = int((here & now).sum()), int((here & before).sum())
        dead, dead_before = (float(counted["deaths"][here & when].sum()) for when in (now, before))
        rows.append(
            [
                name or text("Total"), these, those, _change(these, those), dead, dead_before,
                _change(dead, dead_before), float(counted["injured"][here & now].sum()),
                float(counted["loss"][here & now].sum()), int((here & now & ~done).sum()),
            ]
        )  # fmt: skip
    names = [
        "unit_name", "accidents", "accidents_before", "accidents_change", "deaths",
        "deaths_before", "deaths_change", "injured", "loss", "unfinished",
    ]  # fmt: skip
    out = pd.DataFrame(rows, columns=names)
    return out.astype({"accidents_change": "Float64", "deaths_change": "Float64"})


def _change(now: float, before: float) -> float | None:
    return round(100.0 * (now - before) / before, 1) if before else None


CHECKS: Final[Mapping[str, Callable[[Case], pd.DataFrame | None]]] = {
    "survey": _survey,
    "tasks_late": _tasks_late,
    "filings_late": _filings_late,
    "calls": _calls,
    "drills_due": _drills_due,
    "guard_gaps": _guard_gaps,
    "team_cover": _team_cover,
    "tier_gaps": _tier_gaps,
    "person_grids": _person_grids,
    "duty_faults": _duty_faults,
    "rules_missing": _rules_missing,
    "validity": _validity,
    "census_doubts": _census_doubts,
    "stock_after": _stock_after,
    "idle": _idle,
    "park_faults": _park_faults,
    "commitments": _commitments,
    "outlook": _outlook,
    "dangers_open": _dangers_open,
    "risky_works": _risky_works,
    "accidents": _accidents,
}
"""Subject to its check, in the order in which they stand beside the control table."""

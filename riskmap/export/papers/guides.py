"""避难方案 in the eight parts of the national guide, 救援站点方案 in five: plans as papers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from riskmap.export.papers.assessment import (
    cross,
    figures_of,
    level_counts,
    moved,
    place_of,
    rows_of,
    state_name,
    subtitle_of,
    unit_counts,
)
from riskmap.export.papers.document import (
    Heading,
    Paper,
    Para,
    Part,
    Table,
    clean,
    figure,
    joined,
    percent,
    say,
    sign_lines,
)
from riskmap.export.workbook.tables import (
    about_line,
    class_names,
    finest_level,
    preset_source,
    preset_status,
    preset_value,
)
from riskmap.geo.grid import row_xy
from riskmap.i18n import current_language, text
from riskmap.result import Result, of_state
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import words_of
from riskmap.vocabulary.presets import Preset, load_presets

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS: Final = 20
"""Rows of a table that may be long; the workbook has all of them."""
FORCES: Final = ("rescue_station", "rescue_team", "supply_depot", "warning_station", "loudspeaker",
                 "health_care", "expert")  # fmt: skip
DESIGN: Final = (
    "refuge.per_capita_m2",
    "refuge.zhejiang_per_capita_m2",
    "refuge.geohazard_per_capita_m2",
    "refuge.min_area_hm2",
    "refuge.radius_m",
    "refuge.walk_limit_min",
    "refuge.freeboard_m",
    "refuge.slope",
    "refuge.hazard_zone_m",
    "refuge.entrances",
    "refuge.appraisal_years",
    "refuge.zhejiang_tiers",
    "refuge.open_days",
)
"""Presets of the refuges that the sixth part lists."""
AGES: Final = ("elderly", "children", "disabled", "bedridden")
Blocks = list[Any]


def hardest(result: Result) -> str:
    """Find the state under which most people move; the first of equals.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        Name of the scenario; empty for none.
    """
    found = moved(result)
    return max(found, key=lambda state: found[state]["move"], default="")


def refuge_paper(result: Result) -> Paper:
    """Write 避难方案 in the eight parts of the national guide.

    Parameters
    ----------
    result
        The run's result, with a refuge plan.

    Returns
    -------
    Paper
        Its figures are those of the plan's tables; long tables are cut, the workbook has all rows.
    """
    state = hardest(result)
    parts = (_present, _refuges_now, _need, _aims, _layout, _design, _tasks, _safeguards)
    blocks: Blocks = [Para(say("refuge_plan.basis"))]
    for number, part in enumerate(parts, start=1):
        blocks.append(Heading(say(f"refuge_plan.h{number}")))
        blocks += part(result, state)
    blocks.append(Para(say("refuge_plan.annex")))
    return _paper(result, "refuge_plan.title", blocks)


def _paper(result: Result, title: str, blocks: Blocks) -> Paper:
    signed = sign_lines(result.facts.data_date, result.facts.issued_by)
    return Paper(
        title=say(title, place=place_of(result)),
        subtitle=subtitle_of(result),
        parts=[Part([*blocks, *signed])],
        issued_by=result.facts.issued_by,
        date=result.facts.data_date,
        about=about_line(result),
    )


def _table(result: Result, plan: str, name: str, state: str | None = "") -> pd.DataFrame:
    """Take the rows of one table of a plan, of one state or (None) of all."""
    found = result.plans.get(plan)
    table = pd.DataFrame() if found is None else found.tables.get(name, pd.DataFrame())
    return table if state is None else of_state(table, state)


def _heads(section: str, *names: str) -> list[str]:
    return [say(name if "." in name else f"{section}.{name}") for name in names]


def _present(result: Result, state: str) -> Blocks:
    del state
    units = result.units
    levels = units[c.LEVEL].value_counts()
    finest = units[units[c.LEVEL] == finest_level(units)]
    people = pd.Series(finest[c.POPULATION]).astype(float)
    said = say(
        "refuge_plan.place",
        place=place_of(result),
        districts=int(levels.get("district", 0)),
        towns=int(levels.get("town", 0)),
        villages=int(levels.get("village", 0)),
        people=figure(people.sum()),
        area=figure(finest[c.AREA_KM2].astype(float).sum(), 1) if c.AREA_KM2 in finest else "",
    )
    if people.isna().any():
        said += say("refuge_plan.people_missing", n=int(people.isna().sum()))
    counts = {f"n{level}": n for level, n in level_counts(result.items).items()}
    kinds = cross(result.items, c.ROLE)
    roles = {name: str(role.label) for name, role in result.roles.items()}
    rows = [[roles.get(str(kind), str(kind)), *(str(int(row[key])) for key in ("all", 4, 3))]
            for kind, row in kinds.iterrows()]  # fmt: skip
    tables = {name: layer.table for name, layer in result.layers.items() if name in FORCES}
    forces = [[roles[name], str(len(table))] for name in FORCES
              if (table := tables.get(name)) is not None]  # fmt: skip
    names = [str(name) for name in _level_words()]
    blocks: Blocks = [
        Heading(say("refuge_plan.h1a"), 2),
        Para(said),
        Heading(say("refuge_plan.h1b"), 2),
        Para(say("refuge_plan.risks", n=len(result.items), **counts, **unit_counts(result))),
    ]
    if rows:
        blocks.append(
            Table([*_heads("common", "kind", "total"), *names], rows, (3, 1, 1, 1), "lrrr")
        )
    blocks.append(Heading(say("refuge_plan.h1c"), 2))
    blocks.append(
        Table([say("refuge_plan.forces"), say("refuge_plan.rows")], forces, (3, 1), "lr")
        if forces
        else Para(say("common.unknown"))
    )
    return blocks


def _level_words() -> list[str]:
    names = class_names()
    return [names[4], names[3]]


def _tier_word(tier: object) -> str:
    return clean(words_of("tier").get(str(tier), tier)) or say("common.unknown")


def _refuges_now(result: Result, state: str) -> Blocks:
    held = _table(result, "refuges", "capacity")
    figures = figures_of(result, "refuges", "")
    blocks: Blocks = [Heading(say("refuge_plan.h2a"), 2)]
    blocks.append(
        Para(
            say(
                "refuge_plan.now",
                n=figures.get("refuges", 0),
                usable=figures.get("refuges that may be used", 0),
                places=figure(figures.get("places in them", 0)),
            )
        )
    )
    if len(held):
        blocks.append(_tier_table(held))
        fit = {
            name: int(
                held.loc[held["usable"].astype(bool), name].fillna(value=False).astype(bool).sum()
            )
            if name in held
            else 0
            for name in ("usable_flood", "usable_geohazard", "usable_hazmat")
        }
        blocks += [Heading(say("refuge_plan.h2b"), 2), Para(say("refuge_plan.fit", **fit))]
    cover = _district_rows(result)
    if len(cover):
        rows = [
            [clean(row.get("district")), str(int(row["refuges"])), str(int(row["usable"])),
             figure(row.get("places")), percent(row.get("capacity_share")),
             percent(row.get("wanted_share")),
             percent(row.get("covered_share"))]
            for row in cover.to_dict("records")
        ]  # fmt: skip
        heads = _heads(
            "refuge_plan", "district", "all", "usable", "places", "share", "wanted", "covered"
        )
        blocks += [
            Heading(say("refuge_plan.h2c"), 2),
            Table(heads, rows, (2, 1, 1, 1.3, 1.2, 1, 1.3), "lrrrrrr", say("refuge_plan.cover")),
        ]
    blocks += [Heading(say("refuge_plan.h2d"), 2), *map(Para, _problems(result, state))]
    return blocks


def _tier_table(held: pd.DataFrame) -> Table:
    order = ["county", "town", "village"]
    rows, sums = [], [0.0, 0.0, 0.0, 0.0]
    tiers = held["tier"].fillna("").astype(str)
    for tier in [*order, *sorted(set(tiers) - set(order))]:
        mine = held[tiers == tier]
        if not len(mine):
            continue
        usable = mine[mine["usable"].astype(bool)]
        values = [len(mine), len(usable), usable["places"].sum(), usable["area_m2"].sum()]
        sums = [a + float(b) for a, b in zip(sums, values, strict=True)]
        rows.append([_tier_word(tier) if tier else say("common.unknown"), *map(figure, values)])
    rows.append([say("common.total"), *map(figure, sums)])
    heads = _heads("refuge_plan", "tier", "all", "usable", "places", "area")
    return Table(
        heads, rows, (2, 1, 1, 1.3, 1.6), "lrrrr", say("refuge_plan.tiers"), bold_last=True
    )


def _district_rows(result: Result) -> pd.DataFrame:
    """Take the rows of districts of the scorecard; those of towns where there are no districts."""
    card = _table(result, "refuges", "scorecard")
    if not len(card):
        return card
    whole = card[card["town"].fillna("").astype(str) == ""]
    if len(whole):
        return whole
    return card.assign(district=card["town"]).head(ROWS)


def _failed(result: Result, state: str) -> pd.Series[Any]:
    """Count the refuges that fail each required check."""
    checks = _table(result, "refuges", "eligibility", state)
    if not len(checks):
        return pd.Series(dtype=int)
    bad = checks[~checks["usable"].astype(bool) & checks["required"].astype(bool)]
    counts: pd.Series[Any] = bad.groupby("check")["item_id"].nunique().sort_values(ascending=False)
    return counts


def _due(result: Result) -> int:
    held = _table(result, "refuges", "capacity")
    return int(held["appraisal_due"].fillna(value=False).astype(bool).sum()) if len(held) else 0


def _appraised(result: Result) -> int:
    """Count the refuges of the ledger that give the date of an appraisal."""
    layer = result.layers.get("refuge")
    table = None if layer is None else layer.table
    return 0 if table is None or "appraised" not in table else int(table["appraised"].notna().sum())


def _capacity_share(result: Result) -> tuple[float, float] | None:
    """Give places per people of the whole place, from the scorecard, and what is wanted."""
    card = _table(result, "refuges", "scorecard")
    towns = card[card["town"].fillna("").astype(str) != ""] if len(card) else card
    rows = towns if len(towns) else card
    if not len(rows) or not rows["people"].sum() > 0:
        return None
    return float(rows["places"].sum() / rows["people"].sum()), float(rows["wanted_share"].max())


def _problems(result: Result, state: str) -> list[str]:
    said = []
    share = _capacity_share(result)
    if share is not None and share[0] < share[1]:
        said.append(
            say("refuge_plan.problem_capacity", share=percent(share[0]), wanted=percent(share[1]))
        )
    figures = figures_of(result, "refuges", "")
    unusable = int(figures.get("refuges", 0)) - int(figures.get("refuges that may be used", 0))
    if unusable:
        words = words_of("check")
        reasons = [
            say("assessment.count_of", name=words.get(str(check), check), n=int(n)).replace(
                "项", "处"
            )
            for check, n in _failed(result, "").items()
        ]
        several = int(_failed(result, "").sum()) > unusable
        said.append(
            say(
                f"refuge_plan.problem_check{'_several' if several else ''}",
                n=unusable,
                reasons=joined(reasons) or say("common.unknown"),
            )
        )
    if _due(result):
        said.append(say("refuge_plan.problem_due", n=_due(result)))
    short = moved(result).get(state, {}).get("short", 0)
    if short:
        said.append(say("refuge_plan.problem_short", state=state_name(state), n=figure(short)))
    return said or [say("refuge_plan.problem_none")]


def _need(result: Result, state: str) -> Blocks:
    blocks: Blocks = [Heading(say("refuge_plan.h3a"), 2), _scenario_table(result)]
    blocks.append(Heading(say("refuge_plan.h3b"), 2))
    blocks.append(_state_table(result))
    by_hazard = people_by_hazard(result, state)
    if by_hazard:
        rows = [[name, figure(n)] for name, n in by_hazard.items()]
        rows.append([say("common.total"), figure(sum(by_hazard.values()))])
        caption = say("refuge_plan.by_hazard", state=state_name(state))
        heads = _heads("refuge_plan", "hazard", "people")
        blocks.append(Table(heads, rows, (3, 1), "lr", caption, bold_last=True))
    blocks += [Heading(say("refuge_plan.h3c"), 2), *_durations(result)]
    blocks += [Heading(say("refuge_plan.h3d"), 2), *_ages(result, state)]
    blocks += [Heading(say("refuge_plan.h3e"), 2), *_by_town(result, state)]
    blocks += [Heading(say("refuge_plan.h3f"), 2), *_means(result, state)]
    return blocks


def _scenario_table(result: Result) -> Table:
    layer, none, unknown = (
        result.layers.get("danger_area"),
        say("common.none"),
        say("common.unknown"),
    )
    standing = 0 if layer is None or layer.table is None else len(layer.table)
    rows = [[state_name(""), none, none, none, str(standing), "0"]]
    for name, one in result.scenarios.items():
        areas = standing + (0 if one.danger_area is None else len(one.danger_area))
        shut = 0 if one.closures is None else len(one.closures)
        wet = one.depth_m is not None or bool(one.depths)
        dry = unknown if wet else none
        rows.append(
            [name, figure(one.rain_mm) or dry, figure(one.hours) or dry,
             say("refuge_plan.given") if wet else none, str(areas), str(shut)]
        )  # fmt: skip
    names = ("rain", "hours", "water", "danger_areas", "closures")
    heads = [say("common.state"), *_heads("refuge_plan", *names)]
    return Table(heads, rows, (2.4, 1, 1, 1, 1, 1), "lrrcrr", say("refuge_plan.scenarios"))


def _state_table(result: Result) -> Table:
    rows = []
    for state in moved(result):
        found = figures_of(result, "refuges", state)
        names = ("people to move", "with a place", "of these on foot", "of these by vehicle",
                 "need a vehicle", "without a place",
                 "of these with a place if they leave before the water")  # fmt: skip
        rows.append([state_name(state), *(figure(found.get(name, 0)) for name in names)])
    names = ("move", "served", "walk", "ride", "assisted", "short", "early")
    heads = [say("common.state"), *_heads("refuge_plan", *names)]
    return Table(heads, rows, (2.4, 1, 1, 1, 1, 1, 1, 1.4), "lrrrrrrr", say("refuge_plan.by_state"))


def people_by_hazard(result: Result, state: str) -> dict[str, float]:
    """Sum the people to move by the kind of danger that moves them.

    Those with a place stand in the assignment, the others in the layer of those without one; the
    kind is that of the danger area of the same name.

    Parameters
    ----------
    result
        The run's result.
    state
        Name of the scenario; empty without flood.

    Returns
    -------
    dict
        Kind to people, most first; empty without a plan.
    """
    kinds = _kinds_of_areas(result, state)
    parts = []
    sent = _table(result, "refuges", "assignment", state)
    if len(sent):
        parts.append(sent[["name", "town", "village", "people"]])
    plan = result.plans.get("refuges")
    if plan is not None and "shortfall" in plan.layers:
        lacking = of_state(pd.DataFrame(plan.layers["shortfall"]), state)
        lacking = lacking.rename(columns={"label": "name"})
        parts.append(lacking.reindex(columns=["name", "town", "village", "people"]))
    whole = pd.concat(parts) if parts else pd.DataFrame({"name": [], "people": []})
    deep = say("refuge_plan.flooded")
    label = [
        kinds.get((str(row["name"]), clean(row.get("town")), clean(row.get("village"))))
        or kinds.get((str(row["name"]),), deep)
        for row in whole.to_dict("records")
    ]
    summed = whole["people"].astype(float).groupby(label).sum()
    return {str(k): float(v) for k, v in summed.sort_values(ascending=False).items() if v > 0}


def _kinds_of_areas(result: Result, state: str) -> dict[tuple[str, ...], str]:
    """Name the kind of every danger area of a state, by its name and by its place too."""
    role = result.roles.get("danger_area")
    field = role.field("type") if role is not None else None
    choices = field.choices if field is not None else ()
    words = {choice.value: str(choice.label) for choice in choices}
    scenario = result.scenarios.get(state)
    layer = result.layers.get("danger_area")
    tables = [
        layer.table if layer is not None else None,
        scenario.danger_area if scenario is not None else None,
    ]
    unknown = say("common.unknown")
    homes = dict(zip(map(str, result.items.index), rows_of(result.items), strict=True))
    kinds: dict[tuple[str, ...], str] = {}
    for table in tables:
        if table is None or "type" not in table or c.NAME not in table:
            continue
        for number, name, kind in zip(table.index, table[c.NAME], table["type"], strict=True):
            word, home = words.get(str(kind), unknown), homes.get(str(number), {})
            kinds[str(name),] = word
            if str(home.get(c.NAME)) == str(name):
                kinds[str(name), clean(home.get("town")), clean(home.get("village"))] = word
    return kinds


def _durations(result: Result) -> Blocks:
    held = _table(result, "refuges", "capacity")
    types = held["type"].fillna("").astype(str) if "type" in held else pd.Series(dtype=str)
    days = dict(_preset(result, "refuge.open_days").value)
    words = words_of("term")
    rows = [
        [clean(words.get(term, term)), figure(days[term]), str(int((types == term).sum())),
         figure(held.loc[(types == term).to_numpy(), "places"].sum())]
        for term in days
    ]  # fmt: skip
    blank = (~types.isin(list(days))).to_numpy()
    if blank.any():
        rows.append(
            [say("refuge_plan.type_blank"), "", str(int(blank.sum())),
             figure(held.loc[blank, "places"].sum())]
        )  # fmt: skip
    heads = _heads("refuge_plan", "type", "open_days", "all", "places")
    return [
        Para(say("refuge_plan.duration")),
        Table(heads, rows, (2, 1.2, 1, 1.3), "lrrr", say("refuge_plan.types")),
    ]


def _ages(result: Result, state: str) -> Blocks:
    """Sum the ledger of vulnerable people; say who of those who move needs help."""
    layer = result.layers.get("sensitive")
    found = figures_of(result, "refuges", state)
    said = say(
        "refuge_plan.ages_said", n=figure(found.get("need a vehicle", 0)), state=state_name(state)
    )
    table = None if layer is None else layer.table
    if table is None or not len(table):
        return [Para(say("refuge_plan.ages_none"))]
    people = table["population"].astype(float) if "population" in table else pd.Series(dtype=float)
    role, rows = result.roles["sensitive"], []
    for name in AGES:
        count = table[name].astype(float) if name in table else pd.Series(dtype=float)
        share = table.get(f"{name}_share")
        if share is not None and len(people):
            count = count.fillna(share.astype(float) * people)
        if count.notna().any():
            base = people.where(count.notna()).sum()
            field = role.field(name)
            label = str(field.label) if field is not None else name
            rows.append([label, figure(count.sum()), percent(count.sum() / base) if base else ""])
    heads = _heads("refuge_plan", "group", "people", "share_of")
    blocks: Blocks = [Para(said)]
    if rows:
        blocks.append(Table(heads, rows, (3, 1.4, 1), "lrr", say("refuge_plan.ages")))
    return blocks


def _by_town(result: Result, state: str) -> Blocks:
    """Sum the table of the villages by town; the first towns, the rest in one row."""
    table = _table(result, "refuges", "shortfall", state)
    if not len(table):
        return [Para(say("common.none"))]
    names = ["people", "assisted", "served", "shortfall"]
    both = table.assign(_where=table["district"].astype(str) + table["town"].astype(str))
    summed = both.groupby("_where")[names].sum()
    summed.insert(0, "villages", both.groupby("_where")["unit_id"].nunique())
    ordered = summed.assign(_id=summed.index).sort_values(
        ["people", "_id"], ascending=[False, True]
    )
    first, rest = ordered.head(ROWS), ordered.iloc[ROWS:]
    columns = ["villages", *names]
    rows = [[clean(where), *map(figure, row)]
            for where, row in zip(first.index, first[columns].to_numpy(), strict=True)]  # fmt: skip
    if len(rest):
        label = say("refuge_plan.rest", n=len(rest))
        rows.append([label, *map(figure, rest[columns].sum())])
    rows.append([say("common.total"), *map(figure, ordered[columns].sum())])
    said = ("villages_n", "move", "assisted", "served", "short")
    heads = [say("common.town"), *_heads("refuge_plan", *said)]
    caption = say("refuge_plan.by_town", state=state_name(state))
    return [Table(heads, rows, (2.6, 1.2, 1, 1, 1, 1), "lrrrrr", caption, bold_last=True)]


def _means(result: Result, state: str) -> Blocks:
    blocks: Blocks = []
    needs = _table(result, "supplies", "needs", state)
    if len(needs):
        rows = [
            [clean(row.get("item")), clean(row.get("measure_unit")), figure(row.get("needed")),
             figure(row.get("in_stock")), figure(row.get("lack"))]
            for row in needs.to_dict("records")
        ]  # fmt: skip
        heads = [say("common.what"), *_heads("refuge_plan", "unit", "needed", "stock", "lack")]
        caption = say("refuge_plan.needs", state=state_name(state))
        blocks.append(Table(heads, rows, (2, 1, 1.2, 1.2, 1.2), "lcrrr", caption))
    found = figures_of(result, "refuges", state)
    if found:
        blocks.append(
            Para(
                say(
                    "refuge_plan.vehicles",
                    buses=found.get("buses at once", 0),
                    special=found.get("vehicles for the assisted", 0),
                )
            )
        )
    if "buses for these at once" in found:
        blocks.append(
            Para(
                say(
                    "refuge_plan.vehicles_early",
                    buses=found["buses for these at once"],
                    special=found["vehicles for the assisted among these"],
                )
            )
        )
    return blocks or [Para(say("common.unknown"))]


def _preset(result: Result, key: str) -> Preset:
    """Take a preset as the run used it, else as it is shipped."""
    used = {preset.key: preset for preset in result.presets}
    return used[key] if key in used else load_presets().preset(key)


def _aims(result: Result, state: str) -> Blocks:
    rows: list[list[str]] = []
    share = _capacity_share(result)
    if share is not None:
        gap = max(share[1] - share[0], 0)
        rows.append(
            [say("refuge_plan.i_capacity"), percent(share[1]), percent(share[0]), percent(gap)]
        )
    cover = _district_rows(result)
    for tier in ("county", "town", "village"):
        have, want = f"{tier}_refuges", f"{tier}_wanted"
        if have not in cover or not cover[want].notna().any():
            continue
        there, wanted = float(cover[have].fillna(0).sum()), float(cover[want].fillna(0).sum())
        missing = float((cover[want].fillna(0) - cover[have].fillna(0)).clip(lower=0).sum())
        rows.append(
            [say("refuge_plan.i_tier", tier=_tier_word(tier)), figure(wanted), figure(there),
             figure(missing)]
        )  # fmt: skip
    if len(cover) and cover["people"].sum() > 0:
        limit = _preset(result, "refuge.walk_limit_min").value
        reached = float((cover["covered_share"] * cover["people"]).sum() / cover["people"].sum())
        rows.append(
            [say("refuge_plan.i_covered", n=figure(limit)), "100.0%", percent(reached),
             percent(1 - reached)]
        )  # fmt: skip
    for name, found in moved(result).items():
        if found["move"] > 0:
            served = found["served"] / found["move"]
            label = say("refuge_plan.i_served", state=state_name(name))
            rows.append([label, "100.0%", percent(served), percent(1 - served)])
    dated = _appraised(result)
    label = say("refuge_plan.i_due", n=dated)
    if dated:
        good = 1 - _due(result) / dated
        rows.append([label, "100.0%", percent(good), percent(1 - good)])
    else:
        rows.append([label, "100.0%", say("common.unknown"), ""])
    del state
    heads = _heads("refuge_plan", "indicator", "target", "current", "gap")
    return [
        Para(say("refuge_plan.aims")),
        Table(heads, rows, (3.4, 1, 1, 1), "lrrr", say("refuge_plan.indicators")),
    ]


def _layout(result: Result, state: str) -> Blocks:
    tiers = _preset(result, "refuge.zhejiang_tiers")
    least = {name: figure(entry["capacity"]) for name, entry in tiers.value.items()}
    blocks: Blocks = [
        Heading(say("refuge_plan.h5a"), 2),
        Para(say("refuge_plan.tier_rule", source=preset_source(tiers), **least)),
        Heading(say("refuge_plan.h5b"), 2),
        _receivers(result, state),
        Heading(say("refuge_plan.h5c"), 2),
        *_mends(result, state),
        Heading(say("refuge_plan.h5d"), 2),
        _sites(result, state),
        Heading(say("refuge_plan.h5e"), 2),
    ]
    for name in moved(result):
        sent = _table(result, "refuges", "assignment", name)
        if len(sent):
            blocks.append(Para(_ways(sent, name)))
    return blocks


def _ways(sent: pd.DataFrame, state: str) -> str:
    return say(
        "refuge_plan.ways",
        state=state_name(state),
        n=len(sent),
        other=int(sent["other_metres"].notna().sum()),
        through=int((sent["through"].fillna("").astype(str) != "").sum()),
        late=int((~sent["in_time"].astype(bool)).sum()),
    )


def _receivers(result: Result, state: str) -> Any:
    sheet = _table(result, "refuges", "handout", state)
    if not len(sheet):
        return Para(say("refuge_plan.none_sent"))
    grouped = sheet.groupby("refuge")
    table = pd.DataFrame({"people": grouped["people"].sum(), "from": grouped["village"].nunique()})
    ordered = table.assign(_id=table.index).sort_values(["people", "_id"], ascending=[False, True])
    rows = [[clean(name), figure(row.get("people")), str(int(row["from"]))]
            for name, row in ordered.head(ROWS).iterrows()]  # fmt: skip
    heads = _heads("refuge_plan", "refuge", "received", "from_villages")
    caption = say("refuge_plan.receivers", state=state_name(state))
    return Table(heads, rows, (4, 1, 1.2), "lrr", caption)


def _mends(result: Result, state: str) -> Blocks:
    table = _table(result, "refuges", "mend", state)
    if not len(table):
        return [Para(say("refuge_plan.mend_none"))]
    most = table.sort_values("places", ascending=False, kind="stable")
    orders = {
        clean(row.get("site")): say("refuge_plan.site_no", n=figure(row.get("order")))
        for row in _table(result, "refuges", "sites", state).to_dict("records")
    }
    rows = [
        [clean(row.get("measure")), _CODE.sub(lambda code: orders.get(code.group(), ""),
                                              clean(row.get("where"))), figure(row.get("places")),
         figure(row.get("shortfall_after"))]
        for row in most.head(ROWS).to_dict("records")
    ]  # fmt: skip
    heads = _heads("refuge_plan", "measure", "where", "people", "after")
    return [
        Para(say("refuge_plan.mend_said", n=len(table))),
        Table(heads, rows, (2.2, 3, 1, 1.4), "llrr", say("refuge_plan.mends")),
    ]


def _sites(result: Result, state: str) -> Any:
    for one in dict.fromkeys((state, "", *result.scenarios)):
        table = _table(result, "refuges", "sites", one)
        if len(table):
            rows = [
                [figure(row.get("order")), _where_site(result, row), clean(row.get("phase")),
                 figure(row.get("places"))]
                for row in table.head(ROWS).to_dict("records")
            ]  # fmt: skip
            heads = _heads("refuge_plan", "order", "where", "phase", "places")
            return Table(heads, rows, (0.8, 3.4, 1, 1), "clcr", say("refuge_plan.sites"))
    return Para(say("refuge_plan.sites_none"))


_CODE: Final = re.compile(r"E-?\d+N-?\d+|N-?\d+--?\d+")
"""Numbers that the program gives cells and nodes of the roads: nobody knows the place by them."""
_MARKS: Final = ("refuge", "rescue_station", "supply_depot")
"""Layers whose names a village knows."""
_WINDS: Final = (
    text("north"), text("north-east"), text("east"), text("south-east"),
    text("south"), text("south-west"), text("west"), text("north-west"),
)  # fmt: skip


def _where_site(result: Result, row: Mapping[Any, Any]) -> str:
    """Say where a new refuge or station stands: its name, or how it lies to what has one."""
    own = clean(row.get("site") or row.get("id"))
    spot = _spot(result, row) if _CODE.fullmatch(own) else ""
    known = [clean(row.get(name)) for name in ("town", "village", "name")]
    named = " ".join(dict.fromkeys(filter(None, [*known, "" if spot else own])))
    return say("common.spot", name=named, spot=spot) if named and spot else named or spot or own


def _spot(result: Result, row: Mapping[Any, Any]) -> str:
    """Give distance and direction from the nearest thing with a name."""
    names, xy = _landmarks(result)
    lon, lat = row.get("lon"), row.get("lat")
    if not len(names) or lon is None or lat is None or lon != lon or lat != lat:
        return ""
    here = gpd.GeoSeries(gpd.points_from_xy([lon], [lat]), crs="EPSG:4326")
    away = row_xy(here.to_crs(result.facts.crs))[0] - xy
    metres = np.hypot(*away.T)
    nearest = int(np.lexsort((names, metres))[0])
    far = float(metres[nearest])
    if far < _BESIDE:
        return say("common.beside", name=names[nearest])
    east, north = away[nearest]
    wind = _WINDS[round(np.degrees(np.arctan2(east, north)) / 45) % 8]
    said = f"{far / 1000:.1f}" if far >= 975 else f"{50 * round(far / 50)}"
    key = "common.spot_km" if far >= 975 else "common.spot_m"
    return say(key, name=names[nearest], wind=str(wind), far=said)


_BESIDE: Final = 50.0


def _landmarks(result: Result) -> tuple[list[str], Any]:
    """List what has a name, and where: refuges, stations, depots, and the middles of villages."""
    names, places = [], [np.zeros((0, 2))]
    for role in _MARKS:
        table = result.layers[role].table if role in result.layers else None
        if table is not None and c.NAME in table:
            names += [clean(name) for name in table[c.NAME]]
            places.append(row_xy(table))
    units = result.units[result.units[c.LEVEL] == finest_level(result.units)]
    names += [say("common.middle", name=clean(name)) for name in units[c.NAME]]
    xy = np.vstack([*places, row_xy(units)])
    good = np.isfinite(xy).all(axis=1) & (np.array(names, dtype=object) != "")
    return [name for name, keep in zip(names, good, strict=True) if keep], xy[good]


def _design(result: Result, state: str) -> Blocks:
    del state
    rows = []
    for name in DESIGN:
        preset = _preset(result, name)
        rows.append(
            [
                preset_name(preset),
                preset_value(preset),
                preset_source(preset),
                preset_status(preset.status),
            ]
        )
    heads = [
        say("refuge_plan.requirement"),
        say("common.figure"),
        say("common.source"),
        say("common.proof"),
    ]
    return [
        Para(say("refuge_plan.design")),
        Table(heads, rows, (2.2, 3.4, 2, 1), "lllc", say("refuge_plan.design_table")),
        Para(say("refuge_plan.signs")),
    ]


def preset_name(preset: Preset) -> str:
    """Name a preset in the current language.

    Parameters
    ----------
    preset
        The preset.

    Returns
    -------
    str
        Its name; its key where it has none.
    """
    return (preset.en if current_language() == "en" else preset.zh) or preset.key


def _tasks(result: Result, state: str) -> Blocks:
    figures = figures_of(result, "refuges", "")
    worst = moved(result).get(state, {"early": 0, "short": 0, "served": 0, "move": 0})
    unusable = int(figures.get("refuges", 0)) - int(figures.get("refuges that may be used", 0))
    needs = _table(result, "supplies", "needs", state)
    sites = _table(result, "refuges", "sites", None)
    villages = _table(result, "refuges", "shortfall", state)
    amounts = (
        ("t_due", _due(result), "places_n"),
        ("t_unusable", unusable, "places_n"),
        ("t_early", int(worst["early"]), "common.people_unit"),
        ("t_mend", int(worst["short"] - worst["early"]), "common.people_unit"),
        ("t_sites", len(sites), "places_n"),
        ("t_supply", int((needs["lack"] > 0).sum()) if len(needs) else 0, "kinds_n"),
        ("t_sheet", len(villages), "villages"),
    )
    season = say("refuge_plan.before_season")
    rows = [
        [str(number), say(f"refuge_plan.{name}"),
         say(key if "." in key else f"refuge_plan.{key}", n=n), "",
         "" if name == "t_sites" else season]
        for number, (name, n, key) in enumerate([one for one in amounts if one[1]], start=1)
    ]  # fmt: skip
    heads = [say("common.no"), *_heads("refuge_plan", "task", "amount", "who", "when")]
    return [Table(heads, rows, (0.6, 3.4, 1.3, 1.6, 1), "clclc", say("refuge_plan.tasks"))]


def _safeguards(result: Result, state: str) -> Blocks:
    needs = _table(result, "supplies", "needs", state)
    lacking = int((needs["lack"] > 0).sum()) if len(needs) else 0
    second = say("refuge_plan.s2", n=lacking) if lacking else say("refuge_plan.s2_none")
    said = [say("refuge_plan.s1"), second, *(say(f"refuge_plan.s{n}") for n in (3, 4, 5, 6))]
    return [Para(one) for one in said]


def station_paper(result: Result) -> Paper:
    """Write 救援站点方案 in five parts.

    Parameters
    ----------
    result
        The run's result, with a station plan.

    Returns
    -------
    Paper
        Its figures are those of the plan's tables.
    """
    parts = (_stations_now, _station_cover, _station_targets, _station_sites, _station_work)
    blocks: Blocks = [Para(say("station_plan.basis"))]
    for number, part in enumerate(parts, start=1):
        blocks.append(Heading(say(f"station_plan.h{number}")))
        blocks += part(result)
    return _paper(result, "station_plan.title", blocks)


def _stations_now(result: Result) -> Blocks:
    table = _table(result, "stations", "stations", None)
    summary = _table(result, "stations", "summary", None)
    if len(summary) and summary["share"].isna().all():  # none were given
        return [Para(say("station_plan.unknown"))]
    blocks: Blocks = [Para(say("station_plan.now", n=len(table)))]
    if len(table):
        first = table.sort_values("people_in_time", ascending=False, kind="stable").head(ROWS)
        rows = [
            [clean(row.get("name")), figure(row.get("people_in_time")),
             figure(row.get("area_in_time_km2"), 1),
             clean(row.get("flooded_in"))]
            for row in first.to_dict("records")
        ]  # fmt: skip
        heads = _heads("station_plan", "station", "in_time", "area", "flooded")
        caption = say("station_plan.stations", n=len(first))
        blocks.append(Table(heads, rows, (3.4, 1.2, 1.2, 1.6), "lrrl", caption))
    return blocks


def _minutes(seconds: object) -> str:
    value = float(str(seconds)) / 60
    return figure(value, 0 if value == round(value) else 1)


def _rule(row: Mapping[Any, Any]) -> str:
    """Name a rule and what of it is counted."""
    words = [words_of(name).get(str(row.get(name)), row.get(name)) for name in ("rule", "target")]
    return " ".join(filter(None, map(clean, words)))


def _station_cover(result: Result) -> Blocks:
    table = _table(result, "stations", "summary", None)
    rows = [
        [state_name(str(row["scenario"])), _rule(row),
         say("station_plan.minutes", n=_minutes(row.get("target_s"))), percent(row.get("share")),
         percent(row.get("share_twice")), percent(row.get("share_after")), figure(row.get("lost"))]
        for row in table.to_dict("records")
    ]  # fmt: skip
    heads = _heads("station_plan", "state", "rule", "seconds", "share", "twice", "after", "lost")
    blocks: Blocks = [
        Table(heads, rows, (2, 2.2, 0.9, 1, 1, 1, 1.2), "llcrrrr", say("station_plan.cover"))
    ]
    towns = _table(result, "stations", "towns")
    shares = [
        str(name)
        for name in towns
        if re.fullmatch(r"share_\d+", str(name)) and towns[name].notna().any()
    ]
    if len(towns) and shares:
        first = min(shares, key=lambda name: int(name[6:]))
        low = towns.sort_values([first, "total"], ascending=[True, False], kind="stable").head(10)
        body = [[clean(row.get("name")), figure(row.get("total")),
                 *(percent(row[name]) for name in shares)]
                for row in low.to_dict("records")]  # fmt: skip
        times = [say("station_plan.minutes", n=_minutes(name[6:])) for name in shares]
        caption = say("station_plan.towns", minutes=_minutes(first[6:]))
        heads = [say("common.town"), say("station_plan.people"), *times]
        blocks.append(
            Table(heads, body, (2.4, 1.2, *(1 for _ in shares)), "lr" + "r" * len(shares), caption)
        )
    worst = _table(result, "stations", "worst", None)
    if len(worst):
        body = [
            [clean(row.get("name")), clean(row.get("town")), figure(row.get("weight")),
             clean(row.get("station")),
             figure(row.get("late_s"))]
            for row in worst.head(10).to_dict("records")
        ]  # fmt: skip
        heads = [
            say("common.village"),
            say("common.town"),
            *_heads("station_plan", "people", "station", "late"),
        ]
        caption = say("station_plan.worst", n=len(worst))
        blocks.append(Table(heads, body, (1.8, 1.8, 1, 2.4, 1), "llrlr", caption))
    return blocks


def _station_targets(result: Result) -> Blocks:
    table = _table(result, "stations", "summary")
    rows = [
        [_rule(row),
         say("station_plan.minutes", n=_minutes(row.get("target_s"))),
         figure(row.get("response_s")),
         figure(row.get("drive_km"), 1)]
        for row in table.to_dict("records")
    ]  # fmt: skip
    heads = _heads("station_plan", "rule", "seconds", "response", "drive")
    return [
        Para(say("station_plan.targets_said")),
        Table(heads, rows, (2.4, 1, 1.2, 1.2), "lcrr", say("station_plan.targets")),
    ]


def _station_sites(result: Result) -> Blocks:
    sites = _table(result, "stations", "sites", None)
    sites = sites[sites["order"] > 0] if len(sites) else sites  # the first row is how it is now
    if not len(sites):
        return [Para(say("station_plan.sites_none"))]
    summary = _table(result, "stations", "summary")
    after = summary.get("share_after", pd.Series(index=summary.index, dtype=float))
    blocks: Blocks = []
    if after.notna().any():
        row = summary[after.notna()].iloc[0]
        words = {
            "n": len(sites),
            "minutes": _minutes(row["target_s"]),
            "before": percent(row["share"]),
            "after": percent(row["share_after"]),
        }
        rising = "sites_said" if row["share"] == row["share"] else "sites_alone"
        blocks.append(Para(say(f"station_plan.{rising}", **words)))
    there = [name for name in ("gain", "share", "year", "cost_10k") if name in sites]
    forms = {"share": percent}
    rows = [
        [figure(row.get("order")), _where_site(result, row),
         *(forms.get(name, figure)(row.get(name)) for name in there)]
        for row in sites.to_dict("records")
    ]  # fmt: skip
    heads = _heads("station_plan", "order", "place", *(f"s_{name}" for name in there))
    caption = say("station_plan.sites")
    widths = (0.8, 3, *(1.2 for _ in there))
    blocks.append(Table(heads, rows, widths, "cl" + "r" * len(there), caption))
    last = sites.iloc[-1]
    if clean(last.get("status")) and last.get("gap") == last.get("gap"):
        status = words_of("status").get(str(last["status"]), last["status"])
        blocks.append(Para(say("station_plan.proof", status=status, gap=percent(last["gap"]))))
    return blocks


def _station_work(result: Result) -> Blocks:
    table = _table(result, "stations", "stations", None)
    wet = int((table["flooded_in"].fillna("").astype(str) != "").sum()) if len(table) else 0
    said = [say("station_plan.do1")]
    if wet:
        said.append(say("station_plan.do2", n=wet))
    return [Para(one) for one in (*said, say("station_plan.do3"), say("station_plan.do4"))]

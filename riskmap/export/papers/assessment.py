"""研判单, 管控表, bulletins, notices and reminders: list and control table as papers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.export.papers.document import (
    Heading,
    Layout,
    Paper,
    Para,
    Part,
    Table,
    clean,
    figure,
    joined,
    long_date,
    say,
)
from riskmap.export.workbook.tables import about_line, class_names, finest_level, shown
from riskmap.i18n import Text, current_language
from riskmap.result import Result, of_state
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.marks import level_colours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LEVELS: Final = (4, 3, 2, 1, 0)
FILLS: Final[Mapping[int, str]] = {
    0: "#d9dce1",
    **dict(zip(c.CLASSES, level_colours(), strict=True)),
}
_EARTH_M: Final = 6_371_008.8
_OF_UNIT: Final = "{unit}"
"""How the reason begins that tells of the unit around an item; short papers leave it out."""


def place_of(result: Result) -> str:
    """Name the place as titles do.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        The place, or the project's name.
    """
    return result.facts.place_name or result.facts.name


def subtitle_of(result: Result) -> str:
    """Say under the title what must be known of the paper.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        For demonstration data a warning; else empty.
    """
    return say("common.demo") if result.facts.demo else ""


def state_name(state: str) -> str:
    """Name a state of the world.

    Parameters
    ----------
    state
        Name of the scenario; empty without one.

    Returns
    -------
    str
        Its name.
    """
    return state or say("common.dry")


def level_counts(frame: pd.DataFrame) -> dict[int, int]:
    """Count rows by level.

    Parameters
    ----------
    frame
        Rows with a column ``level``.

    Returns
    -------
    dict
        Every level from 4 to 0 to its number of rows.

    Examples
    --------
    >>> level_counts(pd.DataFrame({"level": [4, 4, 0]}))
    {4: 2, 3: 0, 2: 0, 1: 0, 0: 1}
    """
    found = Counter(int(level) for level in frame[c.LEVEL].fillna(0)) if c.LEVEL in frame else {}
    return {level: found.get(level, 0) for level in LEVELS}


def cross(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """Count rows by a column and level, with a sum.

    Parameters
    ----------
    frame
        Rows with a column ``level``.
    by
        The column.

    Returns
    -------
    DataFrame
        By entry: columns 4 to 0 and ``all``; most major items first.
    """
    if not len(frame):
        names: list[Any] = [*LEVELS, "all"]
        return pd.DataFrame(columns=names)
    level = frame[c.LEVEL].fillna(0).astype(int)
    table = pd.crosstab(frame[by].fillna("").astype(str), level)
    table = table.reindex(columns=list(LEVELS), fill_value=0)
    table["all"] = table.sum(axis=1)
    keys: list[Any] = [*LEVELS, "_name"]
    order = table.assign(_name=table.index).sort_values(keys, ascending=[False] * 5 + [True])
    return table.loc[order.index]


def cell(row: Mapping[str, Any], name: str, result: Result) -> str:
    """Show one entry of a table as papers do.

    Parameters
    ----------
    row
        The row.
    name
        Its column; one that is not there is blank.
    result
        The run's result.

    Returns
    -------
    str
        Words.
    """
    value = shown(name, row.get(name), result)
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return clean(value)


def own_reasons(value: Any) -> str:
    """Say the reasons that lie in the item itself, without what its unit's index says.

    Parameters
    ----------
    value
        Reasons of the list.

    Returns
    -------
    str
        Joined.
    """
    parts = value if isinstance(value, list | tuple) else [value] if value else []
    kept = [
        str(part)
        for part in parts
        if not (isinstance(part, Text) and part.msgid.startswith(_OF_UNIT))
    ]
    return clean(("; " if current_language() == "en" else "；").join(kept))


def where(row: Mapping[str, Any]) -> str:
    """Name town and village of an item.

    Parameters
    ----------
    row
        The row.

    Returns
    -------
    str
        One word after the other.
    """
    words = [clean(row.get(name)) for name in ("town", "village")]
    return " ".join(dict.fromkeys(word for word in words if word))


def assessment(result: Result, layout: Layout) -> Paper:
    """Write 研判单: overall assessment, counts, the first ten, consultation, and the list.

    Parameters
    ----------
    result
        The run's result.
    layout
        How many items stand in front.

    Returns
    -------
    Paper
        Its figures are counts of the list's rows, and figures of the plans' tables.
    """
    items = result.items
    blocks: list[Any] = [_facts_table(result)]
    blocks.append(Heading(say("assessment.head_overall")))
    blocks += [Para(said) for said in sentences(result)]
    blocks.append(Heading(say("assessment.head_counts")))
    blocks += [_cross_table(result, "town"), _cross_table(result, c.ROLE)]
    top = top_items(items, layout.top_items)
    blocks.append(Heading(say("assessment.head_top", n=len(top))))
    blocks += top_blocks(result, top)
    blocks.append(Heading(say("assessment.head_advice")))
    blocks += [Para(said) for said in _advice(result)]
    blocks.append(Heading(say("assessment.head_opinion")))
    blocks += _opinion_tables()
    parts = [Part(blocks)]
    if len(items):
        parts.append(Part([Heading(say("assessment.list"), 0), _list_table(result)], lying=True))
    return Paper(
        title=say("assessment.title", place=place_of(result)),
        subtitle=subtitle_of(result),
        parts=parts,
        issued_by=result.facts.issued_by,
        date=result.facts.data_date,
        about=about_line(result),
    )


def top_items(items: pd.DataFrame, n: int) -> pd.DataFrame:
    """Take the first graded items of the list.

    Parameters
    ----------
    items
        The list, best rank first.
    n
        How many at most.

    Returns
    -------
    DataFrame
        Rows of the list.
    """
    return items[items[c.LEVEL].fillna(0) > 0].head(n) if c.LEVEL in items else items


def _facts_table(result: Result) -> Table:
    """Say number, date, occasion, objects and extent; the rest is filled in by hand."""
    names = list(result.scenarios)
    levels = result.units[c.LEVEL].value_counts()
    trigger = (
        say("assessment.trigger_scenarios", names=joined(names))
        if names
        else say("assessment.trigger_season")
    )
    extent = say(
        "assessment.extent_said",
        place=place_of(result),
        towns=int(levels.get("town", 0)),
        villages=int(levels.get("village", 0)),
    )
    rows = [
        (say("assessment.number"), ""),
        (say("assessment.day"), long_date(result.facts.data_date)),
        (say("assessment.office"), result.facts.issued_by),
        (say("assessment.trigger"), trigger),
        (say("assessment.objects"), say("assessment.objects_said", n=len(result.items))),
        (say("assessment.extent"), extent),
        (say("assessment.consulted"), ""),
        (say("assessment.valid"), ""),
    ]
    return Table([], rows, (1, 4.6), "cl")


def _counts(frame: pd.DataFrame) -> dict[str, int]:
    return {f"n{level}": n for level, n in level_counts(frame).items()}


def sentences(result: Result) -> list[str]:
    """Say the overall assessment in three sentences.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of str
        Counts by level; where and what; people, and what each scenario moves.
    """
    items, place = result.items, place_of(result)
    day = long_date(result.facts.data_date) or say("common.date_blank")
    counts = _counts(items)
    key = "assessment.counts" if counts["n0"] else "assessment.counts_all"
    first = say(key, day=day, place=place, n=len(items), **counts)
    units = unit_counts(result)
    grave = items[items[c.LEVEL].fillna(0) >= 3] if c.LEVEL in items else items
    towns, kinds = _most(grave, "town", 3), _most(grave, c.ROLE, 2, result)
    key = "assessment.where" if len(grave) and towns else "assessment.where_none"
    second = say(key, towns=joined(towns), kinds=joined(kinds), **units)
    moves = "".join(
        say(
            "assessment.scenario_early" if found["early"] else "assessment.scenario",
            **{name: figure(n) for name, n in found.items()},
            name=scenario,
        )
        for scenario, found in moved(result).items()
        if scenario
    )
    third = _people_said(items) + (moves or _dry_moves(result))
    return [first, second, third]


def _dry_moves(result: Result) -> str:
    """Say who leaves the danger areas where no scenario was run, and that none was."""
    found = moved(result).get("")
    if not found or not found["move"]:
        return say("assessment.scenario_none")
    return say("assessment.dry_moves", **{name: figure(n) for name, n in found.items()})


def _people_said(items: pd.DataFrame) -> str:
    """Sum the people of the items; unknown is not none."""
    people = items["people"].astype(float) if "people" in items else pd.Series(dtype=float)
    blank = len(items) - int(people.notna().sum())
    if len(items) and blank == len(items):
        return say("assessment.people_unknown")
    key = "assessment.people_part" if blank else "assessment.people"
    return say(key, people=figure(people.sum()), blank=blank)


def unit_counts(result: Result) -> dict[str, int]:
    """Count the finest units, and those at major and at larger risk.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        ``units``, ``u4``, ``u3``.
    """
    index = result.index.get("unit")
    finest = finest_level(result.units)
    units = result.units.index[result.units[c.LEVEL] == finest]
    classes = index.classes.reindex(units).fillna(0) if index is not None else pd.Series(dtype=int)
    return {
        "units": len(units),
        "u4": int((classes == 4).sum()),
        "u3": int((classes == 3).sum()),
    }


def _most(frame: pd.DataFrame, by: str, n: int, result: Result | None = None) -> list[str]:
    """Name the entries of a column that stand most often, with their numbers."""
    if by not in frame:
        return []
    found = Counter(str(value) for value in frame[by].fillna("") if str(value))
    first = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    return [
        say(
            "assessment.count_of",
            name=shown(by, name, result) if result else name,
            n=count,
        )
        for name, count in first
    ]


def figures_of(result: Result, plan: str, state: str) -> dict[str, Any]:
    """Read the summary of a plan under one state of the world.

    Parameters
    ----------
    result
        The run's result.
    plan
        Key of the plan.
    state
        Name of the scenario; empty without flood.

    Returns
    -------
    dict
        Line of the summary (its English text) to value.
    """
    found = result.plans.get(plan)
    table = None if found is None else found.tables.get("summary")
    if table is None or "what" not in table:
        return {}
    rows = of_state(table, state)
    return {
        what.msgid if isinstance(what, Text) else str(what): value
        for what, value in zip(rows["what"], rows["value"], strict=True)
    }


def moved(result: Result) -> dict[str, dict[str, float]]:
    """Say for every state who moves, who has a place, who has none, as the refuge plan counts.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Scenario (empty without flood) to ``move``, ``served``, ``short``, and ``early``: those of
        the short who have a place if they leave before the water.
    """
    out = {}
    for state in ["", *result.scenarios]:
        found = figures_of(result, "refuges", state)
        if "people to move" in found:
            out[state] = {
                "move": found["people to move"],
                "served": found["with a place"],
                "short": found["without a place"],
                "early": found.get("of these with a place if they leave before the water", 0),
            }
    return out


def _cross_table(result: Result, by: str) -> Table:
    """Count the list by town or kind, with the sum below."""
    counts = cross(result.items, by)
    label = say("common.town") if by == "town" else say("common.kind")
    names = class_names()
    rows = [
        [clean(shown(by, name, result)) or say("common.unit_blank"), *map(str, row)]
        for name, row in zip(counts.index, counts.to_numpy().tolist(), strict=True)
    ]
    rows.append([say("common.total"), *map(str, counts.sum().astype(int).tolist())])
    heads = [label, *(names[level] for level in LEVELS), say("common.total")]
    caption = say("assessment.by_town" if by == "town" else "assessment.by_kind")
    return Table(
        heads, rows, (3.2, *(1.0 for _ in LEVELS), 1.1), "l" + "r" * 6, caption, bold_last=True
    )


def top_blocks(result: Result, top: pd.DataFrame) -> list[Any]:
    """Lay out the first items, and say how many cannot be graded.

    Parameters
    ----------
    result
        The run's result.
    top
        From `top_items`.

    Returns
    -------
    list
        Paragraphs and a table.
    """
    if not len(top):
        blocks: list[Any] = [Para(say("assessment.top_none"))]
    else:
        names = ("no", "name", "level", "reason", "people", "measure", "unit", "deadline")
        heads = [say(f"common.{name}") for name in names]
        rows = [
            [
                str(number),
                _beside(cell(row, c.NAME, result), where(row)),
                cell(row, c.LEVEL, result),
                own_reasons(row.get("reason")),
                cell(row, "people", result),
                cell(row, "measure", result),
                cell(row, "duty_unit", result) or say("common.unit_blank"),
                cell(row, "deadline", result),
            ]
            for number, row in enumerate(rows_of(top), start=1)
        ]
        levels = [int(level) for level in top[c.LEVEL].fillna(0)]
        blocks = [
            Para(say("assessment.top_note", n=len(top))),
            Table(
                heads, rows, (0.7, 2.9, 1.0, 3.4, 1.1, 2.8, 2.2, 2.4), "clclrllc", size="list",
                fills=_level_fills(levels, 2),
            ),
        ]  # fmt: skip
    items = result.items
    lacking = items[items[c.LEVEL].fillna(0) == 0] if c.LEVEL in items else items.iloc[:0]
    if len(lacking):
        fields = _lacking_fields(lacking)
        blocks.append(Para(say("assessment.ungraded", n=len(lacking), fields=joined(fields))))
    return blocks


def _beside(name: str, more: str) -> str:
    """Set what is known beside a name in brackets; nothing where nothing is known."""
    return f"{name}（{more}）" if more else name


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Take the rows of a table one by one.

    Parameters
    ----------
    frame
        The table.

    Returns
    -------
    list of dict
        Column to value.
    """
    plain = frame.copy(deep=False)
    return [{str(k): v for k, v in row.items()} for row in plain.to_dict("records")]


def _level_fills(levels: Sequence[int], place: int) -> dict[tuple[int, int], str]:
    return {(row, place): FILLS[level] for row, level in enumerate(levels)}


def _lacking_fields(frame: pd.DataFrame) -> list[str]:
    if "missing" not in frame:
        return [say("common.unknown")]
    words = Counter(
        str(field)
        for fields in frame["missing"]
        for field in (fields if isinstance(fields, list | tuple) else [fields] if fields else [])
    )
    most = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return [say("assessment.count_of", name=name, n=n) for name, n in most] or [
        say("common.unknown")
    ]


def _advice(result: Result) -> list[str]:
    """Say what follows from the list: major items, those without a place, what is overdue."""
    items, control = result.items, result.control
    said = []
    major = items[items[c.LEVEL].fillna(0) == 4] if c.LEVEL in items else items.iloc[:0]
    if len(major):
        measures = Counter(cell(row, "measure", result) for row in rows_of(major))
        measures.pop("", None)
        deadlines = sorted(filter(None, (cell(row, "deadline", result) for row in rows_of(major))))
        most = min(measures.items(), key=lambda pair: (-pair[1], pair[0]))[0] if measures else ""
        day = long_date(deadlines[0]) if deadlines else say("common.date_blank")
        said.append(say("assessment.advice_first", n4=len(major), deadline=day, measure=most))
    worst = max(moved(result).values(), key=lambda found: found["short"], default=None)
    if worst is not None and worst["short"] > 0:
        key = "assessment.advice_early" if worst["early"] else "assessment.advice_gaps"
        rest = worst["short"] - worst["early"]
        said.append(
            say(key, short=figure(worst["short"]), early=figure(worst["early"]), rest=figure(rest))
        )
    overdue = (
        int(control["overdue"].fillna(value=False).astype(bool).sum())
        if "overdue" in control
        else 0
    )
    if overdue:
        said.append(say("assessment.advice_due", overdue=overdue))
    return [*said, say("assessment.advice_watch")]


def _opinion_tables() -> list[Table]:
    """Leave room for the opinions of those who were consulted, and for three signatures."""
    heads = [say("assessment.consulted"), say("assessment.opinion"), say("assessment.signed")]
    sign = [[say(f"assessment.{name}"), "", say("assessment.signed"), ""]
            for name in ("drafted", "reviewed", "issued")]  # fmt: skip
    return [
        Table(heads, [["", "", ""]] * 3, (1.4, 3, 1.4), "ccc", height_mm=16, whole=True),
        Table([], sign, (1, 2, 1.2, 2), "cccc", height_mm=11, whole=True),
        Table([], [[say("assessment.feedback"), ""]], (1, 5.2), "cl", height_mm=16),
    ]


def _list_table(result: Result) -> Table:
    """Lay out the list with the columns that the paper needs."""
    heads = [say(f"common.{name}") for name in
             ("no", "name", "kind", "level", "where", "reason", "people", "measure", "unit",
              "deadline")]  # fmt: skip
    rows = [
        [
            cell(row, "rank", result),
            cell(row, c.NAME, result),
            cell(row, c.ROLE, result),
            cell(row, c.LEVEL, result),
            where(row),
            own_reasons(row.get("reason")),
            cell(row, "people", result),
            cell(row, "measure", result),
            cell(row, "duty_unit", result),
            cell(row, "deadline", result),
        ]
        for row in rows_of(result.items)
    ]
    levels = [int(level) for level in result.items[c.LEVEL].fillna(0)]
    return Table(
        heads, rows, (0.8, 3.0, 1.5, 1.1, 2.7, 4.0, 1.2, 3.3, 2.6, 2.3), "clccllrllc",
        size="list", fills=_level_fills(levels, 3),
    )  # fmt: skip


def control_paper(result: Result) -> Paper:
    """Write 管控表: who does what by when, with room to check and to sign off.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    Paper
        A lying paper; its rows are those of the control table.
    """
    control = result.control
    blocks: list[Any] = [Para(said) for said in (control_counts(result), say("control.how"))]
    if len(control):
        blocks.append(_control_table(result, control))
    return Paper(
        title=say("control.title", place=place_of(result)),
        subtitle=subtitle_of(result),
        parts=[Part(blocks, lying=True)],
        issued_by=result.facts.issued_by,
        date=result.facts.data_date,
        about=about_line(result),
    )


def control_counts(result: Result) -> str:
    """Count the control table by state.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    str
        One sentence.
    """
    control = result.control
    states = (
        Counter(cell(row, "status", result) for row in rows_of(control)) if len(control) else {}
    )
    named = [
        say("assessment.count_of", name=name or say("common.unknown"), n=n)
        for name, n in sorted(states.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    overdue = (
        int(control["overdue"].fillna(value=False).astype(bool).sum())
        if "overdue" in control
        else 0
    )
    return say(
        "control.counts",
        n=len(control),
        states=joined(named) or say("common.none"),
        overdue=overdue,
    )


def _control_table(result: Result, frame: pd.DataFrame, *, caption: str = "") -> Table:
    heads = [say(f"common.{name}") for name in
             ("no", "name", "level", "where", "tier", "unit", "person", "measure", "deadline",
              "status", "check", "closed")]  # fmt: skip
    rows = []
    for number, row in enumerate(rows_of(frame), start=1):
        checks = [cell(row, name, result) for name in ("spot_check", "reviewer")]
        persons = [cell(row, name, result) for name in ("person", "phone")]
        rows.append(
            [
                cell(row, "rank", result) or str(number),
                _beside(cell(row, c.NAME, result), cell(row, c.ROLE, result)),
                cell(row, c.LEVEL, result),
                where(row),
                cell(row, "control_tier", result),
                cell(row, "duty_unit", result),
                " ".join(filter(None, persons)),
                cell(row, "measure", result),
                cell(row, "deadline", result),
                cell(row, "status", result),
                " ".join(filter(None, checks)),
                cell(row, "closed_on", result),
            ]
        )
    levels = [int(level) for level in frame[c.LEVEL].fillna(0)]
    return Table(
        heads, rows, (0.8, 2.8, 1.1, 2.3, 1.4, 2.2, 1.9, 2.8, 2.2, 1.4, 1.8, 1.9), "clclcllllccc",
        caption=caption, size="list", fills=_level_fills(levels, 2),
    )  # fmt: skip


def towns_of(result: Result) -> list[tuple[str, str, str]]:
    """List the towns that have items or are units, each with a name that no other has.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of tuple
        District, town, and the name of its files.
    """
    units = result.units[result.units[c.LEVEL] == "town"]
    district = units["district"] if "district" in units else pd.Series("", index=units.index)
    found = dict.fromkeys(
        (clean(d), clean(name)) for d, name in zip(district, units[c.NAME], strict=True)
    )
    if {"district", "town"} <= set(result.items.columns):
        pairs = result.items[["district", "town"]].fillna("").astype(str)
        found |= dict.fromkeys((clean(d), clean(t)) for d, t in pairs.to_numpy().tolist())
    towns = [pair for pair in found if pair[1]]
    twice = Counter(name for _, name in towns)
    return [(d, name, d + name if twice[name] > 1 else name) for d, name in towns]


def of_town(frame: pd.DataFrame, district: str, town: str) -> pd.DataFrame:
    """Take a town's rows.

    Parameters
    ----------
    frame
        Rows with ``district`` and ``town``.
    district, town
        Names.

    Returns
    -------
    DataFrame
        Its rows.
    """
    if "town" not in frame:
        return frame.iloc[:0]
    there = frame["town"].fillna("").map(clean) == town
    if "district" in frame:
        there &= frame["district"].fillna("").map(clean) == district
    return frame[there]


def bulletins(result: Result) -> Iterator[tuple[str, Paper]]:
    """Write a bulletin for every town that has items.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Name of the file, and the paper.
    """
    day = long_date(result.facts.data_date) or say("common.date_blank")
    for district, town, name in towns_of(result):
        control = of_town(result.control, district, town)
        closed = control.iloc[:0] if result.closed is None else result.closed
        gone = of_town(closed, district, town)
        if not len(control):
            continue
        overdue = int(control["overdue"].fillna(value=False).astype(bool).sum())
        counts = say(
            "bulletin.counts", day=day, town=town, n=len(control), closed=len(gone),
            overdue=overdue, **_counts(control),
        )  # fmt: skip
        table = _control_table(result, control, caption=say("bulletin.caption"))
        yield (
            name,
            Paper(
                title=say("bulletin.title", town=town),
                subtitle=subtitle_of(result),
                parts=[Part([Para(counts), table, Para(say("bulletin.ask"))], lying=True)],
                issued_by=result.facts.issued_by,
                date=result.facts.data_date,
                about=about_line(result),
            ),
        )


def rounds(result: Result) -> Iterator[tuple[str, Paper]]:
    """Write a round for every town: its items in an order to visit them, with room to check.

    The worst item comes first, then always the nearest that is left, in a straight line.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Name of the file, and the paper.
    """
    duties = dict(zip(map(str, result.control.index), rows_of(result.control), strict=True))
    for district, town, name in towns_of(result):
        items = of_town(result.items, district, town)
        if not len(items) or "lon" not in items:
            continue
        order, metres = visit_order(items["lon"].astype(float), items["lat"].astype(float))
        found = rows_of(items)
        rows = []
        for number, (at, far) in enumerate(zip(order, metres, strict=True), start=1):
            row, duty = found[at], duties.get(str(items.index[at]), {})
            rows.append(
                [
                    str(number),
                    _beside(cell(row, c.NAME, result), cell(row, c.ROLE, result)),
                    cell(row, c.LEVEL, result),
                    clean(row.get("village")),
                    f"{figure(row.get('lon'), 5)}, {figure(row.get('lat'), 5)}",
                    figure(far),
                    cell(duty, "patrol_days", result),
                    cell(duty, "measure", result),
                    "",
                    "",
                ]
            )
        names = ("order", "item", "level", "village", "spot", "far", "days", "measure", "found",
                 "signed")  # fmt: skip
        heads = [say(f"rounds.{key}") for key in names]
        levels = [int(found[at][c.LEVEL] or 0) for at in order]
        table = Table(
            heads, rows, (0.7, 3.0, 1.0, 1.9, 2.2, 1.1, 1.0, 3.2, 2.6, 1.4), "clclcrrlcc",
            size="list", fills=_level_fills(levels, 2), height_mm=12,
        )  # fmt: skip
        said = say("rounds.said", town=town, n=len(rows), m=figure(sum(metres)))
        yield (
            name,
            Paper(
                title=say("rounds.title", town=town),
                subtitle=subtitle_of(result),
                parts=[Part([Para(said), table], lying=True)],
                issued_by=result.facts.issued_by,
                date=result.facts.data_date,
                about=about_line(result),
            ),
        )


def visit_order(lon: pd.Series[float], lat: pd.Series[float]) -> tuple[list[int], list[float]]:
    """Order points so that the nearest that is left comes next, from the first one.

    Parameters
    ----------
    lon, lat
        Degrees; points without a place come last.

    Returns
    -------
    tuple
        Places of the rows, and metres in a straight line from the one before.

    Examples
    --------
    >>> order, metres = visit_order(pd.Series([117.0, 117.2, 117.1]), pd.Series([36.0, 36.0, 36.0]))
    >>> order, [round(m, -3) for m in metres]
    ([0, 2, 1], [0.0, 9000.0, 9000.0])
    """
    x = np.radians(lon.to_numpy()) * np.cos(np.radians(float(lat.mean())))
    y = np.radians(lat.to_numpy())
    left = [int(i) for i in np.flatnonzero(np.isfinite(x) & np.isfinite(y))]
    lost = [i for i in range(len(x)) if i not in set(left)]
    order, metres = left[:1], [0.0] * min(len(left), 1)
    left = left[1:]
    while left:
        away = np.hypot(x[left] - x[order[-1]], y[left] - y[order[-1]]) * _EARTH_M
        nearest = int(np.argmin(away))
        metres.append(float(away[nearest]))
        order.append(left.pop(nearest))
    return order + lost, metres + [0.0] * len(lost)


def notices(result: Result) -> dict[str, str]:
    """Write 风险提示 for every town: a text short enough for a message, with no person in it.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Town to its text.
    """
    public = result.facts.profile == "public"
    common = {
        "hotline": say("warning.hotline"),
        "office": result.facts.issued_by,
        "day": long_date(result.facts.data_date),
    }
    out = {}
    for district, town, name in towns_of(result):
        items = of_town(result.items, district, town)
        if not len(items):
            out[name] = say("warning.text_none", town=town, **common)
            continue
        key = "warning.item_public" if public else "warning.item"
        first = [
            say(
                key,
                name=row.get(c.NAME),
                village=row.get("village"),
                level=cell(row, c.LEVEL, result),
            )
            for row in rows_of(top_items(items, 3) if len(top_items(items, 3)) else items.head(3))
        ]
        counts = _counts(items)
        out[name] = say(
            "warning.text", town=town, n=len(items), items=joined(first), **counts, **common
        )
    return out


def reminders(result: Result) -> Iterator[tuple[str, Paper]]:
    """Write a reminder for every quarter of the year: what is due with whom.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Name of the file, and the paper; none without a date of the data.
    """
    if not result.facts.data_date or "deadline" not in result.control:
        return
    year = result.facts.data_date[:4]
    quarters = say("reminder.quarters")
    deadline = result.control["deadline"].fillna("").astype(str)
    for quarter in (1, 2, 3, 4):
        months = [f"{year}-{month:02d}" for month in range(3 * quarter - 2, 3 * quarter + 1)]
        due = result.control[deadline.str[:7].isin(months)]
        title = say("reminder.title", year=year, quarter=quarters[quarter - 1])
        yield (
            title,
            Paper(
                title=title,
                subtitle=subtitle_of(result),
                parts=_reminder_parts(result, due),
                issued_by=result.facts.issued_by,
                date=result.facts.data_date,
                about=about_line(result),
            ),
        )


def _reminder_parts(result: Result, due: pd.DataFrame) -> list[Part]:
    if not len(due):
        return [Part([Para(say("reminder.counts_none"))])]
    rows = rows_of(due)
    closed = [bool(cell(row, "closed_on", result)) for row in rows]
    table = pd.DataFrame(
        {
            "unit": [cell(row, "duty_unit", result) or say("common.unit_blank") for row in rows],
            "level": [int(level) for level in due[c.LEVEL].fillna(0)],
            "left": [not done for done in closed],
            "deadline": [cell(row, "deadline", result) for row in rows],
        }
    )
    by_unit = [
        [str(unit), str(len(part)), str(int((part["level"] == 4).sum())),
         str(int(part["left"].sum())), min(part["deadline"])]
        for unit, part in table.groupby("unit")
    ]  # fmt: skip
    by_unit.sort(key=lambda row: (row[4], row[0]))
    total = [len(table), int((table["level"] == 4).sum()), int(table["left"].sum())]
    by_unit.append([say("common.total"), *map(str, total), ""])
    heads = [say("common.unit"),
             *(say(f"reminder.{name}") for name in ("due", "major", "left", "first"))]  # fmt: skip
    counts = say("reminder.counts", n=len(due), units=table["unit"].nunique(), closed=sum(closed))
    front = Table(
        heads, by_unit, (3, 1, 1, 1, 1.6), "lrrrc", say("reminder.by_unit"), bold_last=True
    )
    return [
        Part([Para(counts), front]),
        Part([_control_table(result, due, caption=say("reminder.due_list"))], lying=True),
    ]

"""What is carried: evacuation sheets for village heads, emergency cards, the handbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.export.papers.assessment import (
    FILLS,
    cell,
    own_reasons,
    place_of,
    rows_of,
    state_name,
    subtitle_of,
    towns_of,
    where,
)
from riskmap.export.papers.document import Layout, clean, figure, joined, long_date, say
from riskmap.export.papers.drawing import qr_code
from riskmap.export.papers.typeset import faces_of, find_fonts, typeset
from riskmap.export.workbook.tables import about_line
from riskmap.i18n import Text
from riskmap.result import Result, of_state, ways_of_areas
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.columns import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TEMPLATE: Final = Path(__file__).with_name("leaves.typ")
HEADS: Final = ("group", "people", "to", "how", "far", "leave", "other", "remark")
WIDTHS: Final = (1.9, 0.9, 2.7, 4.0, 1.2, 1.3, 2.2, 1.5)
_DARK: Final = 360


def typeset_leaves(
    kind: str,
    values: Mapping[str, Any],
    result: Result,
    layout: Layout,
    *,
    pictures: Mapping[str, str] | None = None,
) -> bytes:
    """Typeset leaves of one kind.

    Parameters
    ----------
    kind
        ``evacuation``, ``cards`` or ``handbook``.
    values
        What the template needs.
    result
        The run's result: its date and language.
    layout
        Typefaces.
    pictures
        Name to SVG picture.

    Returns
    -------
    bytes
        PDF/A.
    """
    fonts = find_fonts(folders=layout.folders, system=layout.system)
    common = {
        "kind": kind,
        "fonts": faces_of(layout, fonts),
        "about": "　".join(filter(None, (about_line(result), subtitle_of(result)))),
        "hotline": say("leaves.hotline"),
    }
    return typeset(
        TEMPLATE.read_text(encoding="utf-8"),
        values={**common, **values},
        assets=pictures,
        fonts=fonts,
        date=result.facts.data_date,
        lang=result.facts.lang,
    )


def evacuation_sheets(result: Result) -> list[dict[str, Any]]:
    """Gather a sheet for every village that people leave: who, where to, how, when.

    Parameters
    ----------
    result
        The run's result, with a refuge plan.

    Returns
    -------
    list of dict
        ``title``, ``belongs``, ``trigger``, ``tables``, ``short``; by town and village. States of
        the world under which a village does the same share one table.
    """
    plan = result.plans.get("refuges")
    if plan is None:
        return []
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for early, key in ((False, "leaves.state"), (True, "leaves.early")):
        for village, tables in _tables_of(_handout(plan.tables, early=early), result, key):
            sheet = found.setdefault(village, {"tables": [], "short": []})
            sheet["tables"] += tables
    for village, said in _short_of(plan.tables).items():
        found.setdefault(village, {"tables": [], "short": []})["short"] += said
    triggers = _triggers(result)
    return [
        {
            "title": say("leaves.evacuation_title", village=village),
            "belongs": " ".join(filter(None, (place_of(result), town))),
            "trigger": triggers.get((town, village), say("leaves.trigger_blank")),
            "split": say("leaves.split") if _goes_apart(sheet["tables"]) else "",
            **sheet,
        }
        for (town, village), sheet in sorted(found.items())
    ]


def _goes_apart(tables: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a group of some table goes to more than one refuge."""
    who, to = HEADS.index("group"), HEADS.index("to")
    pairs = [{(row[who], row[to]) for row in table["rows"]} for table in tables]
    return any(len({group for group, _ in some}) < len(some) for some in pairs)


def _handout(tables: Mapping[str, pd.DataFrame], *, early: bool = False) -> pd.DataFrame:
    """Take who goes where at the peak, or before the water."""
    table = tables.get("handout", pd.DataFrame())
    return table[table["early"].astype(bool) == early] if len(table) else table


def _tables_of(
    table: pd.DataFrame, result: Result, key: str
) -> Iterator[tuple[tuple[str, str], list[dict[str, Any]]]]:
    """Make the tables of each village; states with the same rows stand in one."""
    if not len(table):
        return
    for (town, village), mine in table.groupby(["town", "village"], sort=True):
        same: dict[tuple[tuple[str, ...], ...], list[str]] = {}
        for state in dict.fromkeys(mine[c.SCENARIO].astype(str)):
            rows = tuple(_evacuation_row(row, result) for row in rows_of(of_state(mine, state)))
            same.setdefault(rows, []).append(state_name(str(state)))
        yield (
            (clean(town), clean(village)),
            [
                {
                    "caption": say(key, names=joined(states)),
                    "heads": [say(f"leaves.{name}") for name in HEADS],
                    "widths": list(WIDTHS),
                    "rows": [list(row) for row in rows],
                }
                for rows, states in same.items()
            ],
        )


def _evacuation_row(row: Mapping[str, Any], result: Result) -> tuple[str, ...]:
    people = figure(row.get("people"))
    contact = " ".join(filter(None, (cell(row, name, result) for name in
                                     ("address", "person", "phone"))))  # fmt: skip
    mode = clean(words_of("mode").get(str(row.get("mode")), row.get("mode")))
    other = [cell(row, name, result) for name in ("other_route", "alternative")]
    remarks = [cell(row, name, result) for name in ("avoided", "remark")]
    refuge = clean(row.get("refuge"))
    return (
        clean(row.get("name")),
        say("leaves.with_help", n=people) if row.get("assisted") else people,
        f"{refuge}（{contact}）" if contact else refuge,
        " ".join(filter(None, (mode, cell(row, "route", result)))),
        say("leaves.far_said", m=figure(row.get("metres")), min=figure(row.get("minutes"), 1)),
        cell(row, "leave_by", result),
        " / ".join(filter(None, other)),
        "；".join(filter(None, remarks)),
    )


def _short_of(tables: Mapping[str, pd.DataFrame]) -> dict[tuple[str, str], list[str]]:
    """Say of each village and state how many have no place, those who leave early taken off."""
    short = tables.get("shortfall", pd.DataFrame())
    early = _handout(tables, early=True)
    if not len(short):
        return {}
    keys = [c.SCENARIO, "town", "village"]
    leave = early.groupby(keys)["people"].sum() if len(early) else pd.Series(dtype=float)
    out: dict[tuple[str, str], list[str]] = {}
    for (state, town, village), mine in short.groupby(keys, sort=True):
        rest = float(mine["shortfall"].sum()) - float(leave.get((state, town, village), 0.0))
        if rest >= 1:
            reasons = joined(dict.fromkeys(clean(why) for why in mine["reason"] if why))
            said = say(
                "leaves.short", names=state_name(str(state)), n=figure(rest),
                reason=reasons or say("common.unknown"),
            )  # fmt: skip
            out.setdefault((clean(town), clean(village)), []).append(said)
    return out


def _triggers(result: Result) -> dict[tuple[str, str], str]:
    """Say the warning triggers that the ledger of danger areas gives, by town and village."""
    layer = result.layers.get("danger_area")
    table = None if layer is None else layer.table
    if table is None or "trigger" not in table or "village" not in result.items:
        return {}
    homes = dict(zip(map(str, result.items.index), map(_home, rows_of(result.items)), strict=True))
    out: dict[tuple[str, str], dict[str, None]] = {}
    for number, said in zip(table.index, table["trigger"], strict=True):
        home = homes.get(str(number), ("", ""))
        if clean(said) and home[1]:
            out.setdefault(home, {})[clean(said)] = None
    return {home: say("leaves.trigger", said=joined(said)) for home, said in out.items()}


def _home(row: Mapping[str, Any]) -> tuple[str, str]:
    """Name town and village of a row: villages of two towns often share a name."""
    return clean(row.get("town")), clean(row.get("village"))


def evacuation_pdf(result: Result, layout: Layout) -> bytes | None:
    """Write the evacuation sheets, a page a village.

    Parameters
    ----------
    result
        The run's result.
    layout
        Typefaces.

    Returns
    -------
    bytes or None
        PDF; None where nobody moves.
    """
    villages = evacuation_sheets(result)
    if not villages:
        return None
    values = {"villages": villages, "head": say("leaves.head"), "rules": say("leaves.rules")}
    return typeset_leaves("evacuation", values, result, layout)


def _look(level: int) -> dict[str, Any]:
    colour = FILLS[level]
    return {
        "colour": colour,
        "dark": sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) < _DARK,
    }


def _duty_of(result: Result) -> dict[str, dict[str, Any]]:
    control = result.control
    ids = [str(key) for key in control.index]
    return dict(zip(ids, rows_of(control), strict=True))


def cards_pdf(result: Result, layout: Layout) -> bytes | None:
    """Write 应急处置卡, six on a page, a card an item.

    Parameters
    ----------
    result
        The run's result.
    layout
        Typefaces.

    Returns
    -------
    bytes or None
        PDF; None without items.
    """
    if not len(result.items):
        return None
    return typeset_leaves("cards", {"cards": cards(result)}, result, layout)


def cards(result: Result) -> list[dict[str, Any]]:
    """Gather a card for every item: where, what to do, who, where to, and a code to scan.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of dict
        In the order of the list.
    """
    duties, moves = _duty_of(result), _moves_of(result)
    out = []
    for number, row in zip(result.items.index, rows_of(result.items), strict=True):
        duty, ways = duties.get(str(number), {}), moves.get(str(number))
        rows = [
            ("c_where", where(row)),
            ("c_risk", own_reasons(row.get("reason"))),
            ("c_do", cell(duty, "emergency", result)),
            ("c_daily", cell(duty, "measure", result)),
            ("c_who", _who(duty, result)),
            ("c_refuge", _refuge(row) if ways is None else joined(_sent(ways, row, 3))),
            ("c_station", _station(row)),
        ]
        out.append(
            {
                **_look(int(row.get(c.LEVEL) or 0)),
                "title": say("leaves.card"),
                "level": cell(row, c.LEVEL, result),
                "name": clean(row.get(c.NAME)),
                "code": str(number),
                "qr": _scanned(str(number), row, ways),
                "rows": [[say(f"leaves.{key}"), _short(said)] for key, said in rows if said],
            }
        )
    return out


def _moves_of(result: Result) -> dict[str, list[dict[str, Any]]]:
    plan = result.plans.get("refuges")
    found = {} if plan is None else ways_of_areas(result.items, plan.tables)
    return {number: rows_of(rows) for number, rows in found.items()}


def _sent(
    ways: Sequence[Mapping[str, Any]], item: Mapping[str, Any], most: int, *, route: bool = False
) -> list[str]:
    """Say to which refuges people go, how many, how and how far, and how many have none."""
    whole: dict[tuple[str, str, bool], list[Mapping[str, Any]]] = {}
    for row in ways:
        words = clean(row.get("route")) if route else ""
        key = clean(row.get("refuge")), words, bool(row.get("early"))
        whole.setdefault(key, []).append(row)
    said = []
    for (refuge, words, early), rows in list(whole.items())[:most]:
        how = [
            say(
                "leaves.c_how", people=figure(row.get("people")),
                mode=words_of("mode").get(str(row.get("mode")), row.get("mode")),
                m=figure(row.get("metres")), min=figure(row.get("minutes"), 0),
            )
            for row in rows
        ]  # fmt: skip
        sent = say("leaves.c_early" if early else "leaves.c_sent", name=refuge, how=joined(how))
        said.append(f"{sent}{say('leaves.colon')}{words}" if words else sent)
    if len(whole) > most:
        said.append(say("leaves.c_more", n=len(whole) - most))
    placed = sum(float(row.get("people") or 0) for row in ways)
    people = item.get("people")
    if people is not None and people == people and float(people) - placed >= 1:
        said.append(say("leaves.c_none", n=figure(float(people) - placed)))
    return said


def _scanned(
    number: str, row: Mapping[str, Any], ways: Sequence[Mapping[str, Any]] | None
) -> str:  # fmt: skip
    """Draw the code that says on a telephone, without network, what and where a point is."""
    there = _coordinates(row)
    refuge = _refuge(row) if ways is None else joined(_sent(ways, row, 1))
    lines = (
        f"{number} {clean(row.get(c.NAME))}", where(row), there,
        f"{say('leaves.c_refuge')} {refuge}" if refuge else "",
    )  # fmt: skip
    return qr_code("\n".join(line[:_SCANNED] for line in lines if line)) if there else ""


_SCANNED: Final = 60
"""Letters of a line in a code: more make modules too small for a telephone."""


def _coordinates(row: Mapping[str, Any]) -> str:
    lon, lat = row.get("lon"), row.get("lat")
    if lon is None or lon != lon or lat is None or lat != lat:
        return ""
    return say("leaves.coordinates", lon=figure(lon, 6), lat=figure(lat, 6))


def _short(said: str, most: int = 110) -> str:
    return said if len(said) <= most else said[: most - 1] + "…"


def _who(duty: Mapping[str, Any], result: Result) -> str:
    return " ".join(
        filter(None, (cell(duty, name, result) for name in ("duty_unit", "person", "phone")))
    )


def _refuge(row: Mapping[str, Any]) -> str:
    name, metres = clean(row.get("refuge_name")), row.get("refuge_m")
    if not name or metres is None or metres != metres:
        return name
    return say("leaves.c_far", name=name, m=figure(metres))


def _station(row: Mapping[str, Any]) -> str:
    name, seconds = clean(row.get("station_name")), row.get("station_s")
    if not name or seconds is None or seconds != seconds:
        return name
    return say("leaves.c_soon", name=name, min=figure(float(seconds) / 60, 0))


def handbook_points(result: Result) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Gather the pages of the handbook, town by town, and its contents.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    tuple
        Pages (``number`` is the item's id), and towns with the number of their points.
    """
    duties, kits, moves = _duty_of(result), _kits(result), _moves_of(result)
    rows = dict(zip((str(key) for key in result.items.index), rows_of(result.items), strict=True))
    towns: dict[tuple[str, str], list[str]] = {}
    for number, row in rows.items():
        key = (clean(row.get("district")), clean(row.get("town")))
        towns.setdefault(key, []).append(number)
    names = {(district, town): name for district, town, name in towns_of(result)}
    pages, contents = [], []
    for at, (key, numbers) in enumerate(sorted(towns.items())):
        label = names.get(key) or key[1] or say("common.unknown")
        contents.append(
            {"name": label, "count": say("leaves.points", n=len(numbers)), "number": at}
        )
        for place, number in enumerate(numbers):
            page = _page(
                number, rows[number], duties.get(number, {}), kits, moves.get(number), result
            )
            pages.append({**page, "first": at if place == 0 else -1})
    return pages, contents


def _page(
    number: str,
    row: Mapping[str, Any],
    duty: Mapping[str, Any],
    kits: Mapping[str, str],
    moves: Sequence[Mapping[str, Any]] | None,
    result: Result,
) -> dict[str, Any]:
    reasons, people = own_reasons(row.get("reason")), cell(row, "people", result)
    facts = [reasons]
    if people and say("common.people") not in reasons:
        facts.append(f"{say('common.people')} {people}")
    acts = [cell(duty, name, result) for name in ("measure", "emergency")]
    planned = moves is not None
    near = _station(row) if planned else "；".join(filter(None, (_refuge(row), _station(row))))
    refuge = moves[0].get("refuge") if moves else row.get("refuge_name")
    kit = kits.get(clean(refuge), "")
    said = (
        ("facts", "；".join(filter(None, facts))),
        ("act", "；".join(filter(None, acts))),
        ("duty", _who(duty, result)),
        ("sent", "\n".join(_sent(moves or (), row, 4, route=True)) if planned else ""),
        ("rescue" if planned else "way", near),
        ("kit", "；".join(filter(None, (kit, say("leaves.kit_blank"))))),
    )
    deadline = cell(duty, "deadline", result)
    rows = [[say(f"leaves.{key}"), words] for key, words in said if words]
    if deadline:
        rows.append([say("common.deadline"), deadline])
    return {
        **_look(int(row.get(c.LEVEL) or 0)),
        "number": number,
        "code": number,
        "name": clean(row.get(c.NAME)),
        "kind": cell(row, c.ROLE, result),
        "level": cell(row, c.LEVEL, result),
        "belongs": where(row),
        "coordinates": _coordinates(row),
        "qr": _scanned(number, row, moves),
        "map": "",
        "scale": "",
        "rows": rows,
    }


def _kits(result: Result) -> dict[str, str]:
    """Name the depot that reaches each refuge first, as the supply plan says."""
    plan = result.plans.get("supplies")
    table = None if plan is None else plan.tables.get("nearest")
    if table is None or not len(table):
        return {}
    dry = of_state(table)
    return {
        clean(row.get("refuge")): say(
            "leaves.kit_said", depot=row.get("depot"), refuge=row.get("refuge"),
            min=figure(row.get("minutes"), 0),
        )
        for row in reversed(rows_of(dry))
        if clean(row.get("depot")) and not isinstance(row.get("depot"), Text)
    }  # fmt: skip


def handbook_pdf(
    result: Result, layout: Layout, *, maps: Mapping[str, tuple[str, int]]
) -> bytes | None:
    """Write the handbook: contents by town, and a page a point with its map.

    Parameters
    ----------
    result
        The run's result.
    layout
        Typefaces.
    maps
        Id of an item to its map (SVG) and scale; items without one have no map.

    Returns
    -------
    bytes or None
        PDF; None without items.
    """
    pages, towns = handbook_points(result)
    if not pages:
        return None
    pictures = {}
    for at, page in enumerate(pages):
        if page["number"] in maps:
            svg, scale = maps[page["number"]]
            pictures[f"m{at}"] = svg
            page["map"], page["scale"] = f"m{at}", say("leaves.scale", n=scale)
    values = {
        "title": say("leaves.handbook", place=place_of(result)),
        "subtitle": subtitle_of(result),
        "issued": result.facts.issued_by or say("common.office_blank"),
        "date": long_date(result.facts.data_date),
        "contents": say("leaves.contents"),
        "scan": say("leaves.scan"),
        "towns": towns,
        "points": pages,
    }
    return typeset_leaves("handbook", values, result, layout, pictures=pictures)

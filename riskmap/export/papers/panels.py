"""What a sheet says: which objects belong to it, their numbers, and its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.export.papers.drawing import wrap
from riskmap.export.papers.scene import HELPS, RISKS, Book, Marked, inside
from riskmap.export.public import FEW
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import unit_label
from riskmap.vocabulary.grade import LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def said(value: Any, *, digits: int = 0) -> str:
    """Write a value as a paper does; nothing where it is not known.

    Parameters
    ----------
    value
        A number, a text, or nothing.
    digits
        Digits after the point of a number.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> said(12.4), said(None), said(float("nan")), said(" a ")
    ('12', '', '', 'a')
    """
    if value is None or (not isinstance(value, str | bool) and pd.isna(value)):
        return ""
    if isinstance(value, float | int | np.number) and not isinstance(value, bool):
        return f"{float(value):.{digits}f}"
    return str(value).strip()


def rough(value: Any) -> str:
    """Write a number as the public edition does: to its first figure, small ones not at all.

    Parameters
    ----------
    value
        A number, or nothing.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> rough(9), rough(47), rough(116), rough(1250), rough(0), rough(None)
    ('不足10', '约50', '约100', '约1000', '0', '')
    """
    if value is None or pd.isna(value) or float(value) == 0:
        return said(value)
    if float(value) < FEW:
        return str(text("under {n}", n=FEW))
    return str(text("about {n}", n=f"{float(f'{float(value):.0e}'):.0f}"))


def _number(book: Book, value: Any) -> str:
    """Write a count of people or places, roughly in the public edition."""
    return rough(value) if book.opened.facts.get("profile") == "public" else said(value)


def _column(name: str | Text, share: float, *, middle: bool = True) -> dict[str, Any]:
    return {"name": str(name), "share": share, "middle": middle}


def _table(
    title: str | Text, columns: Sequence[dict[str, Any]], rows: Sequence[Sequence[str]], *,
    note: str | Text = "", empty: str | Text = "",
) -> dict[str, Any]:  # fmt: skip
    """Give a table; columns in which no row says anything are left out, but for the first two."""
    keep = [i for i in range(len(columns)) if i < 2 or not rows or any(row[i] for row in rows)]
    return {
        "title": str(title),
        "columns": [columns[i] for i in keep],
        "rows": [[_cell(row[i]) for i in keep] for row in rows],
        "note": str(note),
        "empty": str(empty),
    }


_LONGEST: Final = 240
"""Letters of a cell; the whole stands in the GeoPackage."""
_WORD: Final = re.compile(r"([!-~]{24})(?=[!-~])")


def _cell(words: str) -> str:
    """Keep a cell to what a sheet can hold: long texts are cut, long words may break."""
    cut = words if len(words) <= _LONGEST else words[:_LONGEST] + "……"
    return _WORD.sub(r"\1 ", cut)


def _who(row: Any, *, public: bool) -> str:
    """Name the person and phone of a row; the public edition names nobody."""
    if public:
        return ""
    return "\n".join(part for name in ("person", "phone") if (part := said(row.get(name))))


def mark(
    book: Book, role: str, rows: Any, prefix: str, *, own: Any, start: int = 1
) -> tuple[Marked, ...]:
    """Give objects of a role their numbers, the unit's own first.

    Parameters
    ----------
    book
        The book.
    role
        Their role.
    rows
        The objects.
    prefix
        Letter before the numbers.
    own
        Which of them belong to the unit.
    start
        First number.

    Returns
    -------
    tuple of Marked
        Objects with number and words.
    """
    if not len(rows):
        return ()
    order = np.argsort(~np.asarray(own, dtype=bool), kind="stable")
    shut = _unusable(book) if role == "refuge" else frozenset()
    found = []
    for n, i in enumerate(order, start=start):
        row = rows.iloc[int(i)]
        number, usable = f"{prefix}{n}", row.get("item_id") not in shut
        found.append(
            Marked(
                number=number, role=role, row=row, shape=row.geometry, own=bool(own[int(i)]),
                lines=beside(book, role, number, row, usable=usable), usable=usable,
            )
        )  # fmt: skip
    return tuple(found)


def _unusable(book: Book) -> frozenset[Any]:
    """Tell which refuges the plan may not use in the state that is drawn."""
    known = book.table("plan_refuges_capacity")
    if not len(known) or "usable" not in known:
        return frozenset()
    known = known[known["scenario"].fillna("").astype(str) == book.scenario]
    return frozenset(known["item_id"][~known["usable"].fillna(value=True).astype(bool)])


def beside(
    book: Book, role: str, number: str, row: Any, *, usable: bool = True
) -> tuple[str, ...]:  # fmt: skip
    """Say what stands beside an object on the map.

    Parameters
    ----------
    book
        The book.
    role
        The object's role.
    number
        Its number; may be empty.
    row
        Its columns.
    usable
        False for a refuge that the plan may not use.

    Returns
    -------
    tuple of str
        Lines.
    """
    name = said(row.get("name"))
    if role == "danger_area":
        kind = book.choice(role, "type", row.get("type"))
        counts = [
            str(label)
            for label in (
                _count(_number(book, row.get("households")), text("{n} households", n="{n}")),
                _count(_number(book, row.get("people")), text("{n} persons", n="{n}")),
            )
            if label
        ]
        return tuple(line for line in (f"{number} {kind}".strip(), " ".join(counts)) if line)
    lines = wrap(f"{number} {name}".strip(), 12)[:3]
    if role == "refuge":
        places = _number(book, row.get("capacity"))
        if not usable:
            lines = (*lines, str(text("not usable")))
        elif places:
            lines = (*lines, str(text("{n} places", n=places)))
    return lines


def _count(number: str, words: Text) -> str:
    return str(words).replace("{n}", number) if number else ""


def _areas_table(areas: Sequence[Marked], book: Book, *, public: bool) -> dict[str, Any]:
    rows = [
        [
            one.number, said(one.row.get("name")),
            book.choice("danger_area", "type", one.row.get("type")),
            _number(book, one.row.get("households")), _number(book, one.row.get("people")),
            said(one.row.get("trigger")), _who(one.row, public=public),
        ]
        for one in areas
    ]  # fmt: skip
    people = [float(one.row["people"]) for one in areas if pd.notna(one.row.get("people"))]
    homes = [float(one.row["households"]) for one in areas if pd.notna(one.row.get("households"))]
    note = text("{n} areas in all", n=len(areas))
    if homes and people:
        note = text(
            "{n} areas, {households} households, {people} people",
            n=len(areas), households=_number(book, sum(homes)), people=_number(book, sum(people)),
        )  # fmt: skip
    elif people:
        note = text("{n} areas, {people} people", n=len(areas), people=_number(book, sum(people)))
    if people and _share_ground(areas):
        note = text(
            "{said}; where areas overlap, people move once, so that fewer move than they add up to",
            said=note,
        )
    columns = [
        _column(text("No."), 0.8), _column(text("Danger area"), 2.3, middle=False),
        _column(text("Type"), 1.2), _column(text("Households"), 0.85),
        _column(text("People"), 0.75),
        _column(text("Warning trigger"), 2.4, middle=False), _column(text("Responsible"), 1.9),
    ]  # fmt: skip
    empty = text("No danger area is on record here.")
    return _table(text("Danger areas"), columns, rows, note=note if rows else "", empty=empty)


def _share_ground(areas: Sequence[Marked]) -> bool:
    """Tell whether two areas cover the same ground."""
    shapes = np.array([one.shape for one in areas], dtype=object)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = one < other
    shared = shapely.intersection(shapes[one[pair]], shapes[other[pair]])
    return bool((shapely.area(shared) > 1.0).any())


def _moves_of(book: Book, code: str) -> pd.DataFrame:
    """Take the rows of the refuge plan that start in a unit."""
    moves = book.moves()
    if not len(moves):
        return moves
    unit = book.units.loc[code]
    if unit["level"] == "town":
        return moves[moves["town"].astype(str) == str(unit["name"])]
    here = moves["village"].astype(str) == str(unit["name"])
    parent = book.units["name"].get(unit["parent_id"])
    if parent is not None:
        here &= moves["town"].isna() | (moves["town"].astype(str) == str(parent))
    return moves[here]


def routes_of(book: Book, moves: pd.DataFrame) -> tuple[Any, ...]:
    """Take the lines of some moves.

    Parameters
    ----------
    book
        The book.
    moves
        Rows of the refuge plan.

    Returns
    -------
    tuple
        Lines, each once.
    """
    lines = book.table("plan_lines")
    if not len(lines) or not len(moves):
        return ()
    lines = lines[(lines["plan"] == "refuges") & (lines["layer"] == "routes")]
    lines = lines[lines["scenario"].fillna("").astype(str) == book.scenario]
    wanted = set(moves["name"].astype(str) + " → " + moves["refuge"].astype(str))
    found = lines[lines["label"].astype(str).isin(wanted)].geometry
    found = found[~(found.isna() | found.is_empty)]
    keys = shapely.to_wkb(found.to_numpy())
    return tuple(dict(zip(keys, found.to_numpy(), strict=True)).values())


def _routes_table(
    book: Book,
    moves: pd.DataFrame,
    areas: Sequence[Marked],
    refuges: Sequence[Marked],
    short: pd.DataFrame,
) -> dict[str, Any]:
    """List the routes: from, to, way, direction, length, minutes, people; one row a way.

    The head says how many have no place yet: they stand in no row.
    """
    lack = float(short["shortfall"].sum()) if len(short) else 0.0
    note = text("{people} people have no place", people=said(lack)) if lack >= 1 else ""
    starts, twins = _numbers_of_areas(book, areas)
    ends = {str(one.row.get("item_id")): one.number for one in refuges}
    rows: list[list[str]] = []
    if len(moves):
        keys = ["name", "refuge_id", "refuge", "mode", "heading", "metres", "minutes"]
        keys += ["village"] if twins else []
        whole = moves.groupby(keys, sort=False, dropna=False)["people"].sum().reset_index()
        for _, one in whole.iterrows():
            start, end = str(one["name"]), str(one["refuge"])
            home = said(one["village"]) if twins else ""
            rows.append(
                [
                    starts.get((start, home)) or starts.get((start, "")) or start,
                    ends.get(str(one["refuge_id"])) or end, said(one["mode"]),
                    said(one["heading"]), said(one["metres"]), said(one["minutes"]),
                    said(one["people"]),
                ]
            )  # fmt: skip
    given = [one for one in areas if said(one.row.get("route"))]
    if not rows:
        rows = [
            [one.number, said(one.row.get("refuge")), "", said(one.row.get("route")), "", "",
             _number(book, one.row.get("people"))]
            for one in given
        ]  # fmt: skip
    columns = [
        _column(text("From"), 1.0), _column(text("To"), 1.6), _column(text("By"), 0.8),
        _column(text("Direction"), 0.9 if not given or len(moves) else 2.4),
        _column(text("Metres"), 0.9), _column(text("Minutes"), 0.9), _column(text("People"), 0.8),
    ]  # fmt: skip
    return _table(
        text("Evacuation routes"), columns, rows, note=note, empty=text("No route is planned here.")
    )


def _numbers_of_areas(
    book: Book, areas: Sequence[Marked]
) -> tuple[dict[tuple[str, str], str], bool]:
    """Give the areas' numbers by name and village, by name alone too, and whether names repeat."""
    items = book.table("items")
    rows = zip(items["item_id"].astype(str), items["village"], strict=True) if len(items) else ()
    homes = dict(rows)
    found: dict[tuple[str, str], str] = {}
    names = [str(one.row.get("name")) for one in areas]
    for name, one in zip(names, areas, strict=True):
        found.setdefault((name, ""), one.number)
        found[name, said(homes.get(str(one.row.get("item_id"))))] = one.number
    return found, len(set(names)) < len(names)


def _refuges_table(book: Book, refuges: Sequence[Marked], *, public: bool) -> dict[str, Any]:
    """List refuges with places, people assigned from everywhere, and who keeps them."""
    moves, known = book.moves(), book.table("plan_refuges_capacity")
    assigned = moves.groupby("refuge_id")["people"].sum() if len(moves) else pd.Series(dtype=float)
    places, usable = pd.Series(dtype=float), pd.Series(dtype=object)
    if len(known):
        known = known[known["scenario"].fillna("").astype(str) == book.scenario]
        known = known.drop_duplicates("item_id").set_index("item_id")
        places, usable = known["places"], known["usable"]
    rows = []
    for one in refuges:
        key = one.row.get("item_id")
        fit = usable.get(key)
        rows.append(
            [
                one.number, said(one.row.get("name")),
                book.choice("refuge", "tier", one.row.get("tier")),
                _number(book, places.get(key, one.row.get("capacity"))),
                said(assigned.get(key)) or ("0" if len(moves) else ""),
                "" if fit is None else str(text("yes") if fit else text("no")),
                _who(one.row, public=public),
            ]
        )  # fmt: skip
    columns = [
        _column(text("No."), 0.8), _column(text("Refuge"), 2.8, middle=False),
        _column(text("Tier"), 0.8), _column(text("Places"), 0.8),
        _column(text("Assigned"), 0.9), _column(text("Usable"), 0.7),
        _column(text("Keeper"), 2.0),
    ]  # fmt: skip
    return _table(text("Refuges"), columns, rows, empty=text("No refuge here and none assigned."))


def _depots_table(book: Book, depots: Sequence[Marked], *, public: bool) -> dict[str, Any]:
    stock = book.table("stock")
    kinds = (
        stock.groupby(stock["depot"].astype(str)).size()
        if "depot" in stock
        else pd.Series(dtype=int)
    )
    rows = [
        [
            one.number, said(one.row.get("name")),
            book.choice("supply_depot", "tier", one.row.get("tier")),
            said(kinds.get(str(one.row.get("name")), kinds.get(str(one.row.get("number"))))),
            _who(one.row, public=public),
        ]
        for one in depots
    ]  # fmt: skip
    columns = [
        _column(text("No."), 0.8), _column(text("Store"), 2.8, middle=False),
        _column(text("Tier"), 0.8), _column(text("Kinds of goods"), 1.0),
        _column(text("Contact"), 1.9),
    ]  # fmt: skip
    return _table(text("Stores"), columns, rows, empty=text("No store is on record here."))


def _warnings_table(areas: Sequence[Marked], stations: Sequence[Marked]) -> dict[str, Any]:
    rows = [
        [one.number, said(one.row.get("name")), said(one.row.get("trigger"))]
        for one in areas
        if said(one.row.get("trigger"))
    ]
    rows += [
        [one.number, said(one.row.get("name")), said(one.row.get("warn_value"))]
        for one in stations
        if said(one.row.get("warn_value"))
    ]
    columns = [
        _column(text("No."), 0.8), _column(text("Where"), 2.2, middle=False),
        _column(text("Warning trigger"), 3.2, middle=False),
    ]  # fmt: skip
    table = _table(text("Warning triggers"), columns, rows)
    return table if rows else {**table, "rows": [["", "", ""], ["", "", ""]]}


DUTIES: Final = (
    (text("Head of the village"), ("负责人", "组长", "行政责任", "书记", "主任", "head")),
    (text("Monitoring and warning"), ("监测", "预警", "monitor", "warn")),
    (text("Reporting"), ("信息", "报送", "上报", "report")),
    (text("Evacuation"), ("转移", "evacuat")),
    (text("Rescue"), ("抢险", "救援", "rescue")),
    (text("Supplies and logistics"), ("后勤", "物资", "保障", "logistic", "suppl")),
)
"""Groups of every village and what their names hold; a line is left for the pen where one has
nobody."""


def _persons(book: Book, code: str) -> pd.DataFrame:
    """Take the persons on duty of a unit: by its code, else by its name and town."""
    people: pd.DataFrame = book.table("person")
    if not len(people):
        return people
    unit = book.units.loc[code]
    mine = pd.Series(data=False, index=people.index)
    if "unit_code" in people:
        mine |= people["unit_code"].astype(str) == code
    level = "town" if unit["level"] == "town" else "village"
    named = people[level].astype(str) == str(unit["name"])
    if level == "town":
        named &= people["village"].isna()
    elif "town" in people:
        parent = book.units["name"].get(unit["parent_id"])
        named &= people["town"].isna() | (people["town"].astype(str) == str(parent))
    return people[mine | named]


def _duty_table(book: Book, code: str) -> tuple[dict[str, Any], bool]:
    """List who is on duty, A beside B; blank lines for the pen where nobody is named."""
    people = _persons(book, code)
    rows: list[list[str]] = []
    whole = bool(len(people))
    if len(people):
        for duty, some in people.groupby(people["duty"].fillna("").astype(str), sort=False):
            sides = {"A": "", "B": ""}
            more = []
            for _, one in some.iterrows():
                who = f"{said(one.get('name'))} {said(one.get('phone'))}".strip()
                side = said(one.get("role_ab"))
                if side in sides and not sides[side]:
                    sides[side] = who
                else:
                    more.append(who)
            rows.append([str(duty), sides["A"] or (more.pop(0) if more else ""), sides["B"]])
            rows += [["", who, ""] for who in more]
            whole &= bool(sides["A"] and sides["B"])
    named = " ".join(row[0].lower() for row in rows)
    blank = [str(duty) for duty, words in DUTIES if not any(word in named for word in words)]
    whole &= not blank
    rows += [[duty, "", ""] for duty in blank]
    columns = [
        _column(text("Duty"), 1.2), _column(text("A: name and phone"), 1.8),
        _column(text("B: name and phone"), 1.8),
    ]  # fmt: skip
    table = _table(text("Persons on duty"), columns, rows)
    if len(table["columns"]) < len(columns):
        table = {**table, "columns": columns, "rows": rows}
    return table, whole


def _points_table(points: Sequence[Marked], book: Book, *, most: int) -> dict[str, Any]:
    """List the risk points, the worst first."""
    items = book.table("items")
    people = (
        items.drop_duplicates("item_id").set_index("item_id")["people"]
        if len(items) and "people" in items
        else pd.Series(dtype=float)
    )
    rows = [
        [
            one.number, said(one.row.get("name")), str(book.roles[one.role].label),
            str(LEVEL_NAMES[_level(one.row)]), _number(book, people.get(one.row.get("item_id"))),
        ]
        for one in points[:most]
    ]  # fmt: skip
    columns = [
        _column(text("No."), 0.8), _column(text("Risk point"), 2.6, middle=False),
        _column(text("Kind"), 1.5), _column(text("Grade"), 0.8), _column(text("People"), 0.8),
    ]  # fmt: skip
    note = text("{n} points", n=len(points))
    if len(points) > most:
        note = text(
            "{most} worst of {n} points; the others stand in the list", most=most, n=len(points)
        )
    return _table(
        text("Other risk points"), columns, rows, note=note if rows else "",
        empty=text("No other risk point here."),
    )  # fmt: skip


def _level(row: Any) -> int:
    value = row.get("level")
    return 0 if value is None or pd.isna(value) else int(value)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a unit's sheet shows."""

    areas: tuple[Marked, ...]
    refuges: tuple[Marked, ...]
    depots: tuple[Marked, ...]
    stations: tuple[Marked, ...]
    helps: tuple[Marked, ...]
    points: tuple[Marked, ...]
    moves: pd.DataFrame
    routes: tuple[Any, ...]


PREFIX: Final = {
    "danger_area": text("D"), "refuge": text("R"), "supply_depot": text("S"),
    "warning_station": text("W"), "point": text("P"), "help": text("H"),
}  # fmt: skip
"""Letters before the numbers of each kind."""


def gather(book: Book, code: str) -> Parts:
    """Gather what belongs to a unit, and where its people go.

    Parameters
    ----------
    book
        The book.
    code
        Code of the unit.

    Returns
    -------
    Parts
        Objects with their numbers.
    """
    shape = book.units.geometry[code]
    moves = _moves_of(book, code)
    role = "danger_area"
    areas = _areas_of(book, code, moves)
    marked_areas = mark(book, role, areas, str(PREFIX[role]), own=np.ones(len(areas), bool))
    refuges, own = _refuges_of(book, code, moves)
    marked_refuges = mark(book, "refuge", refuges, str(PREFIX["refuge"]), own=own)
    found: dict[str, tuple[Marked, ...]] = {}
    helps: list[Marked] = []
    for name in HELPS[:-1]:
        rows = book.near(name, shape.bounds)
        rows = rows[inside(book, code, rows)] if len(rows) else rows
        prefix = str(PREFIX.get(name, PREFIX["help"]))
        start = 1 + (
            sum(one.number.startswith(prefix) for one in helps) if name not in PREFIX else 0
        )
        found[name] = mark(book, name, rows, prefix, own=np.ones(len(rows), bool), start=start)
        helps += found[name]
    points: list[Marked] = []
    for name in RISKS:
        rows = book.near(name, shape.bounds)
        rows = rows[inside(book, code, rows)] if len(rows) else rows
        points += mark(book, name, rows, "", own=np.ones(len(rows), bool))
    points.sort(key=lambda one: -_level(one.row))
    numbered = tuple(_renumbered(book, one, n) for n, one in enumerate(points, start=1))
    return Parts(
        areas=marked_areas, refuges=marked_refuges, depots=found["supply_depot"],
        stations=found["warning_station"], helps=tuple(helps), points=numbered, moves=moves,
        routes=routes_of(book, moves),
    )  # fmt: skip


def _areas_of(book: Book, code: str, moves: pd.DataFrame) -> Any:
    """Take danger areas that share ground with a unit, or whose people leave from it."""
    shape = book.units.geometry[code]
    areas = book.near("danger_area", shape.bounds)
    if not len(areas):
        return areas
    shapes = areas.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(shapes, shape))
    mine = (shared > _SHARE * np.maximum(shapely.area(shapes), 1e-9)) | inside(book, code, areas)
    if len(moves):
        mine |= areas["name"].isin(moves["name"]).to_numpy()
    return areas[mine]


_SHARE: Final = 0.1
"""Part of a danger area in a unit from which it stands on the unit's sheet."""


def _refuges_of(book: Book, code: str, moves: pd.DataFrame) -> tuple[Any, Any]:
    """Take refuges in a unit and those to which its people go, and tell the first ones."""
    refuges = book.layer("refuge")
    if not len(refuges):
        return refuges, np.zeros(0, dtype=bool)
    own = inside(book, code, refuges)
    taken = own.copy()
    if len(moves):
        taken |= refuges["item_id"].isin(moves["refuge_id"]).to_numpy()
    return refuges[taken], own[taken]


def unit_tables(
    book: Book, code: str, parts: Parts, *, hotline: str, public: bool, town: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Make the tables of a unit's sheet.

    Parameters
    ----------
    book
        The book.
    code
        Code of the unit.
    parts
        From `gather`.
    hotline
        Number of the flood office.
    public
        Whether nobody may be named.
    town
        Whether villages are listed.

    Returns
    -------
    tuple
        Tables in their order, and whether every duty has A and B.
    """
    duty, staffed = _duty_table(book, code)
    tables = [
        _facts_table(book, code, parts),
        _areas_table(parts.areas, book, public=public),
        _routes_table(book, parts.moves, parts.areas, parts.refuges, _short_of(book, code)),
        _refuges_table(book, parts.refuges, public=public),
        _depots_table(book, parts.depots, public=public),
        _warnings_table(parts.areas, parts.stations),
        *([] if public else [duty]),
        _hotline_table(hotline),
        *([_villages_table(book, code)] if town else []),
        _points_table(parts.points, book, most=40),
    ]
    return tables, staffed


def _renumbered(book: Book, one: Marked, n: int) -> Marked:
    number = f"{PREFIX['point']}{n}"
    lines = beside(book, one.role, number, one.row)
    return Marked(number=number, role=one.role, row=one.row, shape=one.shape, lines=lines)


def _facts_table(book: Book, code: str, parts: Parts) -> dict[str, Any]:
    unit = book.units.loc[code]
    known = unit.get("population")
    short = _short_of(book, code)
    moved, lack = (short["people"].sum(), short["shortfall"].sum()) if len(short) else (None, None)
    level = unit.get("class")
    rows = [
        [
            said(known) or str(text("unknown")), said(unit.get("area_km2"), digits=2),
            str(LEVEL_NAMES[0 if pd.isna(level) else int(level)]), str(len(parts.points)),
            said(moved), said(lack), str(sum(one.own for one in parts.refuges)),
        ]
    ]  # fmt: skip
    columns = [
        _column(text("Population"), 1), _column(text("Area (km²)"), 1),
        _column(text("Risk class"), 1), _column(text("Risk points"), 1),
        _column(text("People to move"), 1), _column(text("Without a place"), 1),
        _column(text("Refuges here"), 1),
    ]  # fmt: skip
    return _table(text("In short"), columns, rows)


def _hotline_table(hotline: str) -> dict[str, Any]:
    columns = [_column(text("Flood hotline"), 1.6), _column(text("Emergency numbers"), 2)]
    rows = [[hotline, str(text("fire 119, police 110, ambulance 120"))]]
    return _table(text("Hotline"), columns, rows)


def _short_of(book: Book, code: str) -> pd.DataFrame:
    """Take who moves and who has no place in a unit or its villages, in the state drawn."""
    short: pd.DataFrame = book.table("plan_refuges_shortfall")
    if not len(short):
        return short
    short = short[short["scenario"].fillna("").astype(str) == book.scenario].set_index("unit_id")
    return short[short.index.isin([code, *book.units.index[book.units["parent_id"] == code]])]


def _villages_table(book: Book, code: str) -> dict[str, Any]:
    below = book.units[book.units["parent_id"] == code].sort_index()
    short = _short_of(book, code)
    rows = []
    for key, one in below.iterrows():
        level = one.get("class")
        move = short["people"].get(key) if len(short) else None
        lack = short["shortfall"].get(key) if len(short) else None
        rows.append(
            [str(one["name"]), said(one.get("population")),
             str(LEVEL_NAMES[0 if pd.isna(level) else int(level)]), said(move), said(lack)]
        )  # fmt: skip
    columns = [
        _column(text("Village"), 2), _column(text("Population"), 1),
        _column(text("Risk class"), 1), _column(text("People to move"), 1),
        _column(text("Without a place"), 1),
    ]  # fmt: skip
    return _table(text("Villages"), columns, rows)


def card_tables(
    book: Book, item: Any, row: Any, role: str, *, public: bool
) -> list[dict[str, Any]]:
    """Make the tables of a point's sheet.

    Parameters
    ----------
    book
        The book.
    item
        Its row of the list.
    row
        Its row of the role's table.
    role
        Its role.
    public
        Whether nobody may be named.

    Returns
    -------
    list
        What it is, and what is to be done.
    """
    control = book.table("control")
    rows = (
        control[control["item_id"].astype(str) == str(item["item_id"])] if len(control) else control
    )
    duty = rows.iloc[0] if len(rows) else item
    known = book.roles[role]
    level = LEVEL_NAMES[_level(item)]
    short = [
        (text("Kind"), str(known.label)),
        (text("Grade"), str(level)),
        (text("Reasons"), said(item.get("reason"))),
        (
            text("People"),
            " ".join(
                part
                for part in (_number(book, item.get("people")), said(item.get("people_basis")))
                if part
            ),
        ),
    ]
    for entry in known.fields:
        if entry.name in _ELSEWHERE or (public and entry.sensitivity != "public"):
            continue
        words = _field(book, role, entry, row.get(entry.name))
        if words:
            short.append((entry.label, words))
    act = [
        (text("Control measure"), said(duty.get("measure"))),
        (text("In an emergency"), said(duty.get("emergency"))),
        (text("Deadline"), said(duty.get("deadline"))),
        (text("Duty unit"), said(duty.get("duty_unit"))),
        (text("Responsible"), _who(duty, public=public)),
        *_ways_said(book.ways.get(str(item["item_id"])), item),
        (text("Nearest station"), _far(item, "station_name", "station_s", text("s"))),
    ]
    columns = [_column(text("Subject"), 1), _column(text("Content"), 3.4, middle=False)]
    tables = []
    for title, pairs in ((text("The point"), short), (text("What to do"), act)):
        lines = [[str(label), words] for label, words in pairs if words]
        tables.append(_table(title, columns, lines))
    return tables


def _ways_said(ways: pd.DataFrame | None, item: Any) -> list[tuple[Text, str]]:
    """Say where the plan sends the people of an area, else which refuge is nearest."""
    if ways is None:
        return [(text("Nearest refuge"), _far(item, "refuge_name", "refuge_m", text("m")))]
    words = []
    keys = ["early", "refuge", "mode", "metres", "minutes"]
    for way, some in ways.groupby(keys, sort=False) if len(ways) else ():
        early, refuge, mode, metres, minutes = way
        one = text(
            "{refuge}: {people} people, {mode}, {metres} m, {minutes} min",
            refuge=refuge, people=said(some["people"].sum()), mode=said(mode),
            metres=said(metres), minutes=said(minutes),
        )  # fmt: skip
        words.append(str(text("before the water: {said}", said=one) if early else one))
    known, placed = item.get("people"), float(ways["people"].sum()) if len(ways) else 0.0
    short = (0.0 if known is None or pd.isna(known) else float(known)) - placed
    if short >= 1:
        words.append(str(text("{people} people have no place", people=said(short))))
    return [(text("Refuges by the plan"), "\n".join(words))]


def _field(book: Book, role: str, entry: Any, value: Any) -> str:
    """Say a field of a ledger with its unit."""
    if entry.choices:
        return book.choice(role, entry.name, value)
    if isinstance(value, bool | np.bool_):
        return str(text("yes") if value else text("no"))
    words = said(value, digits=2 if isinstance(value, float) and value % 1 else 0)
    if entry.unit in ("person", "household"):
        words = _number(book, value)
    return f"{words} {unit_label(entry.unit)}".strip() if words else ""


def _far(item: Any, name: str, distance: str, unit: Text) -> str:
    where, far = said(item.get(name)), said(item.get(distance))
    return f"{where} {far} {unit}" if where and far else where


_ELSEWHERE: Final = frozenset({
    "number", "name", "district", "town", "village", "duty_unit", "person", "phone", "measure",
    "status", "photo", "remark", "demo", "risk_level", "people", "survey_date",
})  # fmt: skip
"""Fields that a card says in its own words, or not at all."""


def poster_tables(
    book: Book, marked: Mapping[str, Sequence[Marked]], *, hotline: str
) -> list[dict[str, Any]]:
    """Make the tables of the wall map: counts by kind and level, the worst units and points.

    Parameters
    ----------
    book
        The book.
    marked
        Objects by role.
    hotline
        Number of the flood office.

    Returns
    -------
    list
        Tables in their order.
    """
    worst = (4, 3, 2, 1, 0)
    rows = []
    for role in ("danger_area", *RISKS):
        levels = [_level(one.row) for one in marked.get(role, ())]
        if levels:
            counts = [str(levels.count(level) or "") for level in worst]
            rows.append([str(book.roles[role].label), *counts, str(len(levels))])
    columns = [
        _column(text("Kind"), 2.4, middle=False),
        *(_column(LEVEL_NAMES[level], 1) for level in worst), _column(text("Total"), 1),
    ]  # fmt: skip
    counted = _table(text("Risk points by level"), columns, rows)
    helps = [
        [str(book.roles[role].label), str(len(marked[role]))]
        for role in reversed(HELPS)
        if role in marked
    ]
    units = book.finest
    graded = (
        units[units["rank"].notna()].sort_values("rank").head(12)
        if "rank" in units
        else units.head(0)
    )
    lines = [
        [said(one["rank"]), _above(book, code), str(one["name"]), said(one.get("population")),
         str(LEVEL_NAMES[0 if pd.isna(one.get("class")) else int(one["class"])])]
        for code, one in graded.iterrows()
    ]  # fmt: skip
    heads = [
        _column(text("No."), 0.7), _column(text("Town or street"), 1.6),
        _column(text("Village or community"), 2), _column(text("Population"), 1),
        _column(text("Risk class"), 1),
    ]  # fmt: skip
    items = book.table("items")
    points = [
        [
            said(one["rank"]),
            said(one["name"]),
            str(LEVEL_NAMES[_level(one)]),
            _number(book, one.get("people")),
        ]
        for _, one in items.head(15).iterrows()
    ]
    named = [
        _column(text("No."), 0.7), _column(text("Risk point"), 3, middle=False),
        _column(text("Grade"), 1), _column(text("People"), 1),
    ]  # fmt: skip
    return [
        counted,
        _table(
            text("Emergency resources"),
            [_column(text("Kind"), 2.4, middle=False), _column(text("Total"), 1)], helps,
        ),
        _table(text("Units at highest risk"), heads, lines),
        _table(text("Points at highest risk"), named, points),
        _hotline_table(hotline),
    ]  # fmt: skip


def _above(book: Book, code: Any) -> str:
    return said(book.units["name"].get(book.units["parent_id"].get(code)))

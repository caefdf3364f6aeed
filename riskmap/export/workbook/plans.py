"""The plans on paper: one workbook a plan, one sheet a subject, and its tables in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pandas as pd

from riskmap.export.workbook import tables as station_words
from riskmap.export.workbook.sheet import Book, Page, draw_sheet
from riskmap.export.workbook.tables import SHEET_NAMES
from riskmap.i18n import Text, text
from riskmap.result import SCENARIO, Plan, Result, states_of
from riskmap.vocabulary.codes import words_of
from riskmap.vocabulary.columns import column
from riskmap.vocabulary.roles import UNITS, unit_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HIDDEN: Final = ("demand", "refuge_row")
"""Columns that only the program needs."""
FILES: Final = {
    "refuges": "避难方案.xlsx",
    "stations": "救援站点方案.xlsx",
    "supplies": "物资方案.xlsx",
}
"""Plan to its workbook; any other plan is written under its own name."""


@dataclass(frozen=True)
class Subject:
    """One sheet of a plan's workbook."""

    tables: tuple[str, ...]
    """The tables that stand on it, one below the other; the first names the sheet."""
    answers: Text
    """What a reader finds there."""


SUBJECTS: Final[Mapping[str, tuple[Subject, ...]]] = {
    "refuges": (
        Subject(("summary",), text("How many people move, how many have a place, how many do not")),
        Subject(("shortfall",), text("Village by village: who moves, who has no place and why, "
                                     "vehicles needed")),
        Subject(("mend", "sites"), text("What removes the shortfall, and where new refuges would "
                                        "stand")),
        Subject(
            ("assignment", "audit"),
            text("Which group goes to which refuge, how, how far, in time or not"),
        ),
        Subject(("handout",), text("What to hand to the villages: route, contact, latest start")),
        Subject(("capacity",), text("How many people each refuge holds, and for which hazards it "
                                    "may be used")),
        Subject(("eligibility",), text("Every check of every refuge that failed or has a value")),
        Subject(("scorecard",), text("Town by town: places, cover and numbers against the "
                                     "standards")),
        Subject(("accessibility",), text("Village by village: refuges within a walk and places per "
                                         "thousand people")),
    ),
    "stations": (
        Subject(("summary",), text("Which share of the people each rule reaches in time, dry, "
                                   "under every scenario and with the new sites")),
        Subject(("standards",), text("Each standard of the office's own: how many crews, within "
                                     "what time, for which places, kept or not")),
        Subject(("unmet",), text("Places that fall short of a standard, most people first")),
        Subject(("towns",), text("Town by town: share in time, and who loses cover in a scenario")),
        Subject(("stations", "overlap"), text("Each station's people, area and water; below, which "
                                              "stations reach the same people")),
        Subject(("worst",), text("Places that nobody reaches in time, most people first")),
        Subject(("sites",), text("Where the next stations would stand, year by year, what every "
                                 "further one gains and costs, with its proof")),
        Subject(("coverage",), text("Every kind of place covered never, once, twice, by town and "
                                    "scenario")),
        Subject(("nearest",), text("The first station at every place, dry and in every scenario")),
    ),
    "supplies": (
        Subject(("supplies",), text("What is in stock, by kind and level of depot")),
        Subject(("depots",), text("What each depot holds, and whether it is large enough")),
        Subject(("needs",), text("What those who move need, against the stock")),
        Subject(("nearest",), text("Which depot sends what soonest to every refuge")),
        Subject(("next_depots",), text("Where the next depots would help most")),
    ),
}  # fmt: skip
"""Sheets of the workbooks, in order; a table that stands on none gets a sheet of its own."""
ASIDE: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(columns.split())
    for name, columns in {
        "refuges.shortfall": "unit_id district short_assisted buses_min riders assisted_riders "
        "longest_min rounds bus_trips assisted_trips bus_rounds assisted_rounds handle_min",
        "refuges.assignment": "district origin refuge_id tier arrive_min spare_min via heading "
        "avoided_m avoided other_minutes shared_m alternative_mode alternative_minutes "
        "alternative other_metres",
        "refuges.handout": "address early avoided alternative",
        "refuges.capacity": "type per_capita_m2 over_declared known assumed appraisal_due "
        "places_urgent places_temporary places_short places_medium places_long open_people "
        "unchecked",
        "refuges.eligibility": "item_id tier checked required",
        "refuges.scorecard": "district covered_full_share village_small town_small county_small",
        "stations.summary": "response_s drive_s",
        "stations.towns": "unit_id",
        "stations.stations": "put_on put_m put_by load area_limit_km2",
        "stations.sites": "objective bound recount lon lat",
        "stations.coverage": "target unit_id share_thrice share_force off_network share_none "
        "share_once share_twice share_moved cut_off",
        "stations.nearest": "id unit_class later_s second second_s third third_s force_s",
        "stations.worst": "id",
    }.items()
}
"""Plan and table to the columns that stand beside the paper, for who looks closer on screen."""


def plan_books(result: Result) -> dict[str, str]:
    """Name the workbook of every plan that has tables.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        File name to the key of ``result.plans``.
    """
    return {FILES.get(key, f"{key}.xlsx"): key for key, plan in result.plans.items() if plan.tables}


def write_plans(result: Result, folder: Path) -> dict[str, int]:
    """Write one workbook for every plan: what each sheet answers, then a sheet a subject.

    Parameters
    ----------
    result
        The run's result.
    folder
        Where the files are to stand.

    Returns
    -------
    dict
        File name to number of sheets.
    """
    counts = {}
    for name, key in plan_books(result).items():
        book = Book(folder / name, result)
        whose = (result.facts.place_name or result.facts.name) + name.removesuffix(".xlsx")
        pages = list(_pages(key, result.plans[key], result, whose))
        for page in pages:
            draw_sheet(book, page)
        book.close()
        counts[name] = len(pages)
    return counts


def plan_frames(result: Result) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """List the tables of every plan as attribute tables of a GeoPackage.

    Parameters
    ----------
    result
        The run's result.

    Yields
    ------
    tuple
        Table name, title and rows, with texts in the current language; the scenario is empty where
        none holds.
    """
    for key, plan in result.plans.items():
        for name, table in plan.tables.items():
            if len(table):
                frame = _plain(table, result, key, rounded=False)
                yield f"plan_{key}_{name}", _title(name, key), frame


def _pages(key: str, plan: Plan, result: Result, whose: str) -> Iterator[Page]:
    """Lay out the workbook: what its sheets answer, then every subject."""
    there = {name: table for name, table in plan.tables.items() if len(table)}
    known = SUBJECTS.get(key, ())
    placed = {name for subject in known for name in subject.tables}
    subjects = [
        *known,
        *(Subject((name,), text("Further figures")) for name in there if name not in placed),
    ]
    notes = " ".join(str(note) for note in plan.notes[:2])[:400]
    pages = []
    for subject in subjects:
        names = [name for name in subject.tables if name in there]
        parts = [_page(name, there[name], result, key, notes) for name in names]
        if parts:
            pages.append((subject, parts))
    yield _guide(plan, [(subject, parts) for subject, parts in pages], whose)
    for _, (first, *below) in pages:
        yield Page(
            first.name, f"{whose} · {first.title}", first.subtitle, first.frame, {},
            paper=8, section=first.section, below=tuple(below), aside=first.aside,
        )  # fmt: skip


def _page(name: str, table: pd.DataFrame, result: Result, key: str, notes: str) -> Page:
    """Lay out one table; the scenario is left out where there is none."""
    frame = _plain(table, result, key)
    if SCENARIO in frame and states_of(table) == [""]:
        frame = frame.drop(columns=SCENARIO)
    elif SCENARIO in frame:
        dry = str(text("without flood"))
        frame[SCENARIO] = [dry if one == "" else one for one in frame[SCENARIO]]
    title = _title(name, key)
    aside = ASIDE.get(f"{key}.{name}", frozenset())
    return Page(title, title, notes, frame, {}, paper=8, section=_section(key), aside=aside)


def _guide(plan: Plan, pages: list[tuple[Subject, list[Page]]], whose: str) -> Page:
    """Say first what each sheet answers, then the proof and what must be known."""
    frame = pd.DataFrame(
        {
            "sheet": [parts[0].name for _, parts in pages],
            "answers": [str(subject.answers) for subject, _ in pages],
            "rows": [sum(len(part.frame) for part in parts) for _, parts in pages],
        }
    )
    title = str(text("How to read this workbook"))
    below = [page for page in (_proof(plan), _notes(plan)) if len(page.frame)]
    return Page(
        str(text("Read first")), f"{whose} · {title}", "", frame, {}, section="guide",
        below=tuple(below),
    )  # fmt: skip


def _notes(plan: Plan) -> Page:
    frame = pd.DataFrame({"note": [str(note) for note in plan.notes]})
    title = str(text("Notes"))
    return Page(title, title, "", frame, {}, section="guide")


def _proof(plan: Plan) -> Page:
    """List what the models answered, with bound, gap and what was counted anew."""
    rows = [
        {
            "question": str(one.question),
            SCENARIO: one.scenario or str(text("without flood")),
            "status": str(words_of("status").get(one.status, one.status)),
            "objective": one.objective,
            "bound": one.bound,
            "gap": one.gap,
        }
        for one in plan.proof
    ]
    names = ["question", SCENARIO, "status", "objective", "bound", "gap"]
    title = str(text("Proof of the plan"))
    return Page(title, title, "", pd.DataFrame(rows, columns=names), {}, section="guide")


def _title(name: str, kind: str) -> str:
    own = station_words.SHEETS if kind == "stations" else {}
    return str(own.get(name, SHEET_NAMES.get(name, name)))


_KEPT: Final = (SCENARIO, "kind", "when", "geometry")
"""Columns that stay codes: programs filter by them."""
T = TypeVar("T", bound=pd.DataFrame)


def worded(table: T, result: Result, kind: str) -> T:
    """Say the codes of a plan's table or layer in words.

    Parameters
    ----------
    table
        Rows.
    result
        The run's result.
    kind
        Key of the plan.

    Returns
    -------
    DataFrame
        The same rows in the current language; scenarios, kinds and layers stay as they are.
    """
    said: dict[str, Any] = {}
    for name, values in table.items():
        if name in _KEPT or not (
            values.dtype == object or pd.api.types.is_string_dtype(values.dtype)
        ):
            continue
        words = _words(str(name), result, kind)
        entries = [_word(value, words) for value in values.to_numpy(dtype=object)]
        said[str(name)] = pd.Series(entries, index=table.index, dtype=object)
    return table.assign(**said)


def _plain(table: pd.DataFrame, result: Result, kind: str, *, rounded: bool = True) -> pd.DataFrame:
    """Leave out what only the program needs and say codes in words; round what is printed."""
    shown = table.drop(columns=[name for name in HIDDEN if name in table]).reset_index(drop=True)
    shown = worded(shown, result, kind)
    columns = {
        name: values.round(printed_decimals(str(name), values))
        if rounded and pd.api.types.is_float_dtype(values.dtype)
        else values
        for name, values in shown.items()
    }
    if {"town", "district"} <= set(columns):
        town, district = columns["town"], columns["district"]
        columns["town"] = town.where(town.astype(str) != "", district.map(_whole))
    return pd.DataFrame(columns, index=shown.index, columns=shown.columns)


def _whole(district: Any) -> str:
    """Name the row of a district among those of its towns."""
    return str(text("{name}, whole", name=district))


def _section(kind: str) -> str:
    """Name the section of the vocabulary that holds for a plan."""
    return "stations" if kind == "stations" else "refuges"


def _words(name: str, result: Result, kind: str) -> Mapping[str, Text]:
    """Give the words for the codes of a column of a plan."""
    if name == "unit":
        return {unit: unit_label(unit) for unit in UNITS if unit != "1"}
    known = column(name, _section(kind))
    words = words_of(known.choices) if known is not None else {}
    if name == "what":
        return {role: one.label for role, one in result.roles.items()} | dict(words)
    return words


def printed_decimals(name: str, values: pd.Series[Any]) -> int:
    """Say how finely a column is printed: people and metres in whole numbers, shares in four.

    Parameters
    ----------
    name
        The column's name.
    values
        Its numbers.

    Returns
    -------
    int
        Decimals, by the largest number.

    Examples
    --------
    >>> printed_decimals("people", pd.Series([1200.4])), printed_decimals("share", pd.Series([0.5]))
    (0, 4)
    """
    largest = float(values.abs().max() or 0) if values.notna().any() else 0.0
    if name in ("lon", "lat"):
        return 6
    return 0 if largest >= 1000 else 1 if largest >= 100 else 4


def _word(value: object, words: Mapping[str, Text]) -> object:
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, str) and value in words:
        return str(words[value])
    return value

"""Tables that come back from officers: every cell against what it said when it went out."""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import LayerError
from riskmap.formats import VECTORS, offline, unusable_file, vector_driver
from riskmap.i18n import Label, Text, text
from riskmap.layers.layer import naming
from riskmap.layers.read.table import cell_text, read_csv, read_workbook
from riskmap.layers.read.values import parse_dates, plain
from riskmap.register import events as e
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from riskmap.vocabulary.roles import Role


KEY: Final = "item_id"
DEADLINE: Final = "deadline"
"""Locked column; who overwrites it is told how a deadline moves."""
NAME: Final = "name"
"""Column that tells whether a row still bears its own number."""
LOCKED: Final = ("town", "village", "level", "people", "duty_unit", "measure")
"""Columns that follow the ledgers; what an officer writes there is not taken, and he is told."""
SNAPSHOT: Final = "_riskmap"
HEADINGS: Final[Mapping[str, Label]] = {
    KEY: Label("Project number", zh="项目编号"),
    "role": Label("Kind", zh="类别"),
    "name": Label("Name", zh="名称"),
    "town": Label("Town or street", zh="镇街"),
    "village": Label("Village or community", zh="村社区"),
    "level": Label("Level", zh="等级"),
    "people": Label("People affected", zh="影响人口"),
    "duty_unit": Label("Duty unit", zh="责任单位"),
    "measure": Label("Control measure", zh="管控措施"),
    "first_on": Label("First listed", zh="首次列入"),
    "deadline": Label("Deadline", zh="完成时限"),
    "overdue": Label("Overdue", zh="是否超期"),
    "days_left": Label("Days left", zh="剩余天数"),
    "state": Label("State", zh="状态"),
    "reported_at": Label("Reported on", zh="上报时间"),
    "spot_check": Label("Spot check", zh="抽查记录"),
    "evidence": Label("Evidence", zh="佐证材料"),
    "assessment": Label("Assessment", zh="评估意见"),
    "reviewer": Label("Reviewed by", zh="复核人"),
    "closed_on": Label("Signed off on", zh="销号日期"),
    "on_the_spot": Label("Mended on the spot", zh="即查即改"),
    "listed": Label("Listed by", zh="挂牌级别"),
    "extended": Label("Extended to", zh="延期至"),
    "remark": Label("Remark", zh="备注"),
}
"""Headings of the table that goes out and comes back, in their order."""
MORE: Final[Mapping[str, str]] = {
    "编号": KEY, "项目号": KEY, "Item id": KEY, "Status": "state", "status": "state",
    "销号时间": "closed_on", "证明材料": "evidence",
    "评估": "assessment", "复核意见": "assessment", "整改状态": "state", "管控状态": "state",
}  # fmt: skip
YES: Final = frozenset({"是", "√", "✓", "✔", "☑", "yes", "y", "1", "true", "对", "即查即改"})
NO: Final = frozenset({"否", "no", "n", "0", "false", "×", "不是"})
LAYERS: Final = frozenset({".gpkg", ".geojson", ".json"})
"""Endings of layers that may come back from a map."""
MOVED_DEG: Final = 1e-5
"""A point that lies further from where it went out was moved [deg]."""
DATES: Final = ("closed_on", "reported_at", "extended")


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that was not taken, with the cell that says why."""

    item_id: str
    field: str
    value: str
    why: Text
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A cell that two people changed in different ways."""

    item_id: str
    field: str
    base: str
    ours: str
    theirs: str
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Returned:
    """One workbook that came back, as read."""

    file: str
    rows: Mapping[str, Mapping[str, str]]
    """Item id to its open columns, as written."""
    base: Mapping[str, Mapping[str, Any]]
    """Item id to the open columns as they went out."""
    columns: tuple[str, ...]
    """Open columns that the sheet has; a deleted column says nothing."""
    refused: tuple[Refused, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """What went out says of itself: project and day; empty where it is lost."""
    moved: tuple[str, ...] = ()
    """Items that were moved on the map; their place follows the ledger."""
    passed: tuple[str, ...] = ()
    """Headings of columns that hold something and are none of the table's."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What came of the workbooks."""

    events: tuple[e.Event, ...] = ()
    imported: int = 0
    unchanged: int = 0
    refused: tuple[Refused, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    notes: tuple[Text, ...] = field(default=())


def read_returned(path: Path) -> Returned:
    """Read a workbook that an officer sends back.

    Parameters
    ----------
    path
        The workbook, saved by any office program.

    Returns
    -------
    Returned
        Its rows by item id, and what they said when they went out.

    Raises
    ------
    LayerError
        When it is no workbook, or has no column of project numbers.
    """
    if not path.is_file():
        raise LayerError(text("{file}: no such file", file=path))
    with naming(path.name):
        return _returned_layer(path) if path.suffix.lower() in VECTORS else _returned_book(path)


def _returned_book(path: Path) -> Returned:
    """Read a workbook or text table: its table, and copies of it on further sheets."""
    grids = [read_csv(path)] if path.suffix.lower() == ".csv" else read_workbook(path)
    base: dict[str, dict[str, Any]] = {}
    about: dict[str, Any] = {}
    sheets: list[Returned] = []
    for grid in grids:
        rows = [list(row) for row in grid.cells]
        if grid.name == SNAPSHOT:
            base = _snapshot(rows)
            about = _about(rows)
        elif (found := _header(rows)) is not None:
            top, columns, passed = found
            _spread(rows, grid.merged, top, columns)
            sheets.append(replace(_sheet(rows, top, columns, path.name), passed=passed))
    if not sheets:
        raise LayerError(
            text("{file}: no column of project numbers ({name})", file=path.name, name="项目编号")
        )
    whole = replace(sheets[0], base=base, about=about)
    known = set(whole.rows) | set(base)
    sent = "on" in about or not about  # not the book of a results folder, which has further tables
    for more in sheets[1:]:
        if known & set(more.rows) or (sent and "state" in more.columns):
            whole = _with_copy(whole, more)
    return whole


def _sheet(
    rows: Sequence[Sequence[Any]], top: int, columns: Mapping[str, int], file: str
) -> Returned:
    """Read the rows under the headings of one sheet."""
    taken: dict[str, dict[str, str]] = {}
    refused = []
    for row in rows[top + 1 :]:
        said = {name: _written(row[at]) for name, at in columns.items() if at < len(row)}
        key = _key(said.pop(KEY, ""))
        if not key or (_heading(key) in _WORDS and _WORDS[_heading(key)] == KEY):
            refused += [] if key else _nameless(said, file)
            continue
        if key in taken and taken[key] != said:
            why = text("the number stands in two rows that differ")
            refused.append(Refused(item_id=key, field=KEY, value=key, why=why, file=file))
        taken[key] = said
    for item in refused:
        taken.pop(item.item_id, None)
    names = tuple(name for name in columns if name != KEY)
    return Returned(file=file, rows=taken, base={}, columns=names, refused=tuple(refused))


def _spread(
    rows: list[list[Any]],
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]],
    top: int,
    columns: Mapping[str, int],
) -> None:
    """Give every row of cells joined downwards what stands in the first of them."""
    open_ones = {at for name, at in columns.items() if name in e.EDITABLE}
    for (first, west), (last, east) in merged:
        if first <= top or west != east or west not in open_ones:
            continue
        for at in range(first + 1, min(last + 1, len(rows))):
            rows[at] += [""] * (west + 1 - len(rows[at]))
            rows[at][west] = rows[first][west]


def _with_copy(whole: Returned, more: Returned) -> Returned:
    """Join a further sheet of the same table: what was changed on one of the two counts."""
    rows, refused = dict(whole.rows), list(whole.refused)
    for key, said in more.rows.items():
        first = rows.get(key)
        went = whole.base.get(key)
        went = went if went is None else {**dict.fromkeys(e.EDITABLE), **went}
        if first is None:
            rows[key] = said
        elif _alike(said, first) or (went is not None and _alike(said, went)):
            continue
        elif went is not None and _alike(first, went):
            rows[key] = {**first, **said}
        else:
            why = text("two sheets of the workbook say different things of it")
            refused.append(Refused(item_id=key, field=KEY, value=key, why=why, file=whole.file))
            del rows[key]
    kept = {one.item_id for one in more.refused} - {""}
    refused += more.refused
    return replace(
        whole,
        rows={key: said for key, said in rows.items() if key not in kept},
        columns=tuple(dict.fromkeys((*whole.columns, *more.columns))),
        refused=tuple(refused),
    )


def _alike(said: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two rows say the same in the open columns that both have."""
    return all(
        as_code(name, str(said[name] or ""))[0] == as_code(name, str(other[name] or ""))[0]
        for name in e.EDITABLE
        if name in said and name in other
    )


def _key(written: str) -> str:
    """Bring a project number into one alphabet: no invisible letters, no wide ones."""
    return plain(written).lstrip("'")


def _bare(cell: Any) -> str:
    """Show a cell that is only compared: whole numbers without the point that programs add."""
    return re.sub(r"^(-?\d+)\.0+$", r"\1", _key(cell_text("" if cell is None else str(cell))))


def _about(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Read what the hidden sheet says of itself."""
    try:
        return dict(json.loads(str(rows[0][0])))
    except (IndexError, ValueError, TypeError):
        return {}


def _nameless(said: Mapping[str, str], file: str) -> list[Refused]:
    """Refuse a row that says a state but not of which item."""
    if not said.get("state"):
        return []
    why = text("a row without a project number; enter what is new in its ledger")
    return [Refused(item_id="", field=KEY, value=said["state"], why=why, file=file)]


def _returned_layer(path: Path) -> Returned:
    """Read a layer that comes back from a map: each row bears what it said when it went out."""
    import geopandas as gpd

    wanted = {word: name for name, head in HEADINGS.items() for word in (head.zh, head.msgid)}
    if path.suffix.lower() not in LAYERS:
        raise unusable_file(
            "file_kind",
            text("files that end in {suffix} are not read", suffix=path.suffix),
            text("save the layer as {format} and give that file", format="GeoPackage (.gpkg)"),
        )
    vector_driver(path)
    try:
        with offline(path) as pyogrio, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # columns and tables that are none of ours
            listed = [str(name) for name, _ in pyogrio.list_layers(path)]
            fields = {name: pyogrio.read_info(path, layer=name)["fields"] for name in listed}
            heads = {word for word, name in (wanted | dict(MORE)).items() if name == KEY}
            fitting = [name for name in listed if heads & {str(f).strip() for f in fields[name]}]
            table = pyogrio.read_dataframe(path, layer=(fitting or listed)[0])
        table = table if isinstance(table, gpd.GeoDataFrame) else gpd.GeoDataFrame(
            table, geometry=[None] * len(table), crs=4326)  # fmt: skip
        table = table if table.crs is None else table.to_crs(4326)
    except Exception as error:
        raise LayerError(text("{file}: it cannot be read", file=path.name)) from error
    names = {column: (wanted | dict(MORE)).get(str(column).strip()) for column in table.columns}
    taken = {KEY, NAME, *LOCKED, *e.EDITABLE}
    keep = {column: name for column, name in names.items() if name in taken}
    if KEY not in keep.values():
        raise LayerError(
            text("{file}: no column of project numbers ({name})", file=path.name, name="项目编号")
        )
    rows: dict[str, dict[str, str]] = {}
    base: dict[str, dict[str, Any]] = {}
    refused: list[Refused] = []
    moved: list[str] = []
    for row, point in zip(table.to_dict(orient="records"), table.geometry, strict=True):
        said = {name: "" if _blank(row[c]) else _written(row[c]) for c, name in keep.items()}
        key = _key(said.pop(KEY))
        if not key or (key in rows and rows[key] != said):
            why = text("the number stands in two rows that differ")
            twice = Refused(item_id=key, field=KEY, value=key, why=why, file=path.name)
            refused += [twice] if key else _nameless(said, path.name)
            continue
        rows[key] = said
        was = _snapshot([(), (key, row.get(SNAPSHOT))]).get(key)
        if was is None:
            continue
        x, y = was.pop("x", None), was.pop("y", None)
        base[key] = was
        there = point is not None and not point.is_empty and x is not None and y is not None
        if there and max(abs(point.x - float(x)), abs(point.y - float(y))) > MOVED_DEG:
            moved.append(key)
    for one in refused:
        rows.pop(one.item_id, None)
    columns = tuple(dict.fromkeys(name for name in keep.values() if name != KEY))
    return Returned(
        file=path.name, rows=rows, base=base, columns=columns, refused=tuple(refused),
        moved=tuple(moved),
    )  # fmt: skip


def _written(cell: Any) -> str:
    """Show a cell as text; a date as ISO."""
    day = getattr(cell, "date", None)
    return day().isoformat() if callable(day) else cell_text(cell)


def _snapshot(rows: Sequence[Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Read the hidden sheet; one that was damaged says nothing."""
    found = {}
    for row in rows[1:]:
        try:
            whole = row[1] if isinstance(row[1], dict) else json.loads(str(row[1]))
            said = dict(whole)
            found[str(row[0])] = {MORE.get(name, name): value for name, value in said.items()}
        except (IndexError, ValueError, TypeError):
            continue
    return found


def _heading(cell: Any) -> str:
    """Bring a heading to its bare words: no blanks, no brackets, no marks behind it."""
    whole = re.sub(r"\s+", "", unicodedata.normalize("NFKC", plain(cell))).casefold()
    return re.sub(r"(\([^()]*\)|[*:：])+$", "", whole).strip("*") or whole


_OWN_WORDS: Final = {
    _heading(word): name for name, head in HEADINGS.items() for word in (head.zh, head.msgid)
}
_WORDS: Final = {**{_heading(word): name for word, name in MORE.items()}, **_OWN_WORDS}


def _header(
    rows: Sequence[Sequence[Any]],
) -> tuple[int, dict[str, int], tuple[str, ...]] | None:
    """Find the row of headings, where each column stands, and filled columns that are none of ours.

    The table's own word wins over another word for the same column, and the first over the second.
    """
    for at, row in enumerate(rows[:12]):
        words = [_heading(cell) for cell in row]
        columns = {_OWN_WORDS[w]: i for i, w in reversed([*enumerate(words)]) if w in _OWN_WORDS}
        for i, word in enumerate(words):
            if word in _WORDS:
                columns.setdefault(_WORDS[word], i)
        if KEY not in columns:
            continue
        passed = tuple(
            str(row[i]).strip()
            for i, word in enumerate(words)
            if word and i not in columns.values()
            and any(i < len(other) and str(other[i]).strip() for other in rows[at + 1 :])
        )  # fmt: skip
        keep = {KEY, NAME, DEADLINE, *LOCKED, *e.EDITABLE}
        here = sorted(columns.items(), key=lambda one: one[1])
        return at, {name: i for name, i in here if name in keep}, passed
    return None


def as_code(name: str, written: str) -> tuple[str | None, Text | None]:
    """Read what an officer wrote into an open column.

    Parameters
    ----------
    name
        The column.
    written
        The cell, as text.

    Returns
    -------
    tuple
        The value as the register keeps it (None when blank), and what is wrong with it.

    Examples
    --------
    >>> as_code("state", "已整改")[0]
    'review'
    >>> as_code("closed_on", "2026.5.3")[0]
    '2026-05-03'
    """
    written = written.strip()
    if written in {"", "-", "—", "/", "无"} and name != "listed":
        return None, None
    if name == "state":
        return _state(written)
    if name == "listed":
        return _listed(written)
    if name == "on_the_spot":
        word = _bare(written).lower()
        if word in YES | NO:
            return ("yes" if word in YES else None), None
        return None, text("yes or no")
    if name in DATES:
        return _day(written)
    return written, None


def _state(written: str) -> tuple[str | None, Text | None]:
    known = {
        label: code for code, head in e.STATES.items() for label in (head.zh, head.msgid, code)
    }
    known |= dict(e.ALIASES)
    squeezed = re.sub(r"\s+", "", plain(written)).rstrip("。.;；!！,，")
    found = known.get(written.lower()) or known.get(written) or known.get(squeezed)
    if found is None:
        allowed = " / ".join(str(label) for label in e.STATES.values())
        return None, text("no such state; use one of: {allowed}", allowed=allowed)
    return str(found), None


def _listed(written: str) -> tuple[str | None, Text | None]:
    known = {
        label: code for code, head in e.LISTED.items() for label in (head.zh, head.msgid, code)
    }
    known |= {
        "": "none",
        "无": "none",
        "省": "province",
        "市": "city",
        "县": "county",
        "区级": "county",
    }
    found = known.get(written)
    if found is None:
        return None, text("no such level of listing")
    return (None if found == "none" else found), None


_MONTHS: Final = 300
"""A day without a year is not older than this when it comes back [days]."""
_MONTH_DAY: Final = re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?")


def _with_year(name: str, written: str, *, on: str, before: Mapping[str, Any]) -> str:
    """Give a month and a day their year where only one can be meant; else as it is written.

    What was done lies in the months before the day of the import. An extension is the nearest such
    day to the deadline, or to the day of the import when that is later; the deadline's own day is
    the deadline, never a year after it.
    """
    found = _MONTH_DAY.fullmatch(unicodedata.normalize("NFKC", written).strip())
    if name not in DATES or found is None or not on:
        return written
    days = []
    due = str(before.get("deadline") or on)
    for year in range(int(min(on, due)[:4]) - 1, int(max(on, due)[:4]) + 2):
        with suppress(ValueError):
            days.append(date(year, int(found[1]), int(found[2])).isoformat())
    if name == "extended":
        near = max(due, on)
        fitting = [due] if due in days else sorted(days, key=lambda day: abs(_days(near, day)))[:1]
        if not before.get("deadline"):  # nothing to be later than but the day itself
            fitting = [day for day in days if day > on][:1]
        fitting = [day for day in fitting if abs(_days(near, day)) < _MONTHS or day == due]
    else:
        first = (date.fromisoformat(on) - timedelta(days=_MONTHS)).isoformat()
        fitting = [day for day in days if first < day <= on]
    return fitting[0] if len(fitting) == 1 else written


def _day(written: str) -> tuple[str | None, Text | None]:
    import pandas as pd

    day = parse_dates(pd.Series([written], dtype=object)).column.iloc[0]
    if not isinstance(day, str) or re.fullmatch(r"\d{4}-\d\d-\d\d", day) is None:
        return None, text("no date; write it like 2026-05-03")
    return day, None


def merge(
    base: sqlite3.Connection, books: Sequence[Returned], *, by: str = "", on: str = ""
) -> Merged:
    """Merge workbooks into the register's state, cell by cell; nothing is written.

    A cell that an officer did not change says nothing. One that only he changed is taken. One that
    was changed meanwhile to something else is a conflict, and its row is not taken. A row whose
    step is not allowed is refused as a whole.

    Parameters
    ----------
    base
        The register.
    books
        Workbooks in the order in which they came.
    by
        Role of the person who imports.
    on
        Date of the import, ISO.

    Returns
    -------
    Merged
        Events to append, and what was refused or stands against each other.
    """
    rows = base.execute(
        f"select item_id, deadline, name, first_on, {', '.join(e.EDITABLE)} from items"  # noqa: S608
    ).fetchall()
    names = (DEADLINE, NAME, "first_on", *e.EDITABLE)
    ours = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    lost = tuple(
        text(
            "{file}: what went out is not in it any more; every difference counts as a change",
            file=book.file,
        )
        for book in books
        if book.rows and not book.base
    )
    notes = lost + tuple(
        text(
            "{file}: {n} points were moved ({some}); places follow the ledgers, mend them there",
            file=book.file, n=len(book.moved), some=", ".join(book.moved[:10]),
        )
        for book in books
        if book.moved
    ) + tuple(note for book in books for note in _not_taken(book))  # fmt: skip
    found = Merged(refused=tuple(one for book in books for one in book.refused), notes=notes)
    for book in books:
        found = _merged(found, ours, book, by=by, on=on)
    last = str(base.execute("select coalesce(max(on_date), '') from events").fetchone()[0])
    if found.events and on and on < last:
        back = text(
            "{day} lies before the last entry of the register, {last}: check the day of the import",
            day=on, last=last,
        )  # fmt: skip
        found = replace(found, notes=(*found.notes, back))
    return found


def _merged(
    found: Merged, ours: dict[str, dict[str, Any]], book: Returned, *, by: str, on: str
) -> Merged:
    """Merge one workbook; ``ours`` moves along."""
    events, refused, conflicts = list(found.events), list(found.refused), list(found.conflicts)
    unchanged = found.unchanged
    for item_id, said in book.rows.items():
        if item_id not in ours and not any(said.get(name, "").strip() for name in e.EDITABLE):
            continue  # a sum or a heading between the rows: it says nothing of any item
        if item_id not in ours:
            why = text("no item of the register has this number")
            bad = Refused(item_id=item_id, field=KEY, value=item_id, why=why, file=book.file)
            refused.append(bad)
            continue
        before = ours[item_id]
        went = book.base.get(item_id)
        changes, wrong, against = _changes(before, said, went, book, on=on)
        wrong += _overwritten(said, went)
        if (changes or against) and _shifted(said, went, before):
            why = text("the name is not that of this number; the rows were sorted in part")
            wrong, against = [(NAME, said.get(NAME, ""), why)], []
        if not wrong and not against and changes:
            wrong = _steps(before, changes, said)
        refused += [
            Refused(item_id=item_id, field=name, value=value, why=why, file=book.file)
            for name, value, why in wrong
        ]
        conflicts += [
            Conflict(item_id=item_id, field=name, base=a, ours=b, theirs=t, file=book.file)
            for name, a, b, t in against
        ]
        if wrong or against:
            continue
        if not changes:
            unchanged += 1
            continue
        changes = _with_consequences(before, changes)
        was = {name: before.get(name) for name in changes}
        kind = e.kind_of(before, {**before, **changes})
        events.append(
            e.Event(
                item_id=item_id, kind=kind, changes=changes, before=was, on=on, by=by,
                source=book.file,
            )
        )  # fmt: skip
        ours[item_id] = {**before, **changes}
    return Merged(
        events=tuple(events),
        imported=len(events),
        unchanged=unchanged,
        refused=tuple(refused),
        conflicts=tuple(conflicts),
        notes=found.notes,
    )


_NOT_IN_RESULTS: Final = ("on_the_spot", "extended")
"""Open columns that the table of a results folder does not have."""


def _not_taken(book: Returned) -> list[Text]:
    """Name the columns that were filled in and are none of the table's, and the locked ones."""
    notes = []
    lost = [str(HEADINGS[name]) for name in e.EDITABLE if name not in book.columns]
    if book.about and "on" not in book.about and len(lost) <= len(_NOT_IN_RESULTS):
        lost = []  # the table of a results folder has columns of its own, and not all of these
    elif book.passed and book.rows:
        notes.append(
            text(
                "{file}: columns that the table does not have are not taken: {names}",
                file=book.file, names="、".join(book.passed),
            )
        )  # fmt: skip
    if book.passed and lost:
        notes.append(text("{file}: not in it: {names}", file=book.file, names="、".join(lost)))
    knows = any(name in went for went in book.base.values() for name in LOCKED)
    changed = {
        name: [
            key
            for key, said in book.rows.items()
            if key in book.base
            and _bare(said.get(name)) not in {"", _bare(book.base[key].get(name))}
        ]
        for name in ((NAME, *LOCKED) if knows else ())  # older books do not say what was there
    }
    notes += [
        text(
            "{file}: {field} was written over in {n} rows ({some}); mend it in the ledgers",
            file=book.file, field=HEADINGS[name], n=len(keys), some=", ".join(keys[:5]),
        )
        for name, keys in changed.items()
        if keys
    ]  # fmt: skip
    return notes


def _overwritten(
    said: Mapping[str, str], went: Mapping[str, Any] | None
) -> list[tuple[str, str, Text]]:
    """Say that a deadline which was overwritten in the sheet has not moved."""
    written, meant = said.get(DEADLINE, "").strip(), str((went or {}).get(DEADLINE) or "")
    if not meant or written in {"", meant}:
        return []
    if (day := _day(written)[0]) == meant or (day and day == _day(said.get("extended", ""))[0]):
        return []
    why = text("a deadline moves only by an extension: its new day and the reason in the remark")
    return [(DEADLINE, written, why)]


def _shifted(
    said: Mapping[str, str], went: Mapping[str, Any] | None, before: Mapping[str, Any]
) -> bool:
    """Tell whether a row bears a name that neither went out nor is there now."""
    name = _key(said.get(NAME, ""))
    known = {_key(str(one[NAME])) for one in (went, before) if one and one.get(NAME)}
    return bool(name and known and name not in known)


def _steps(
    before: Mapping[str, Any], changes: Mapping[str, Any], said: Mapping[str, str]
) -> list[tuple[str, str, Text]]:
    """Say why the row as a whole may not become what it says."""
    after = {**before, **changes}
    no = _turned_back(before, changes, said) or e.why_not(before, after)
    if no is None and "extended" in changes:
        no = _extension(before, after)
    if no is None and changes.get("closed_on"):
        no = _odd_year(before, after)
    return [] if no is None else [(no[0], said.get(no[0], ""), no[1])]


def _turned_back(
    before: Mapping[str, Any], changes: Mapping[str, Any], said: Mapping[str, str]
) -> tuple[str, Text] | None:
    """Refuse a word for sent back, or come up again, where there is nothing to turn back."""
    word = said.get("state", "").strip()
    if "state" not in changes or word not in e.TURNED_BACK:
        return None
    if e.kind_of(before, {**before, **changes}) == e.TURNED_BACK[word]:
        return None
    return "state", text("nothing to turn back: it stands at {s}", s=e.STATES[before["state"]])


def _with_consequences(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Move the deadline with an extension; take back the date of a sign-off that did not hold."""
    after = dict(changes)
    if changes.get("extended"):
        after["deadline"] = changes["extended"]
    reopened = before["state"] == e.State.CLOSED and changes.get("state", "closed") != "closed"
    if reopened:
        after["closed_on"] = None  # the old sign-off stays in the history
    return after


def _odd_year(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, Text] | None:
    """Refuse a day of signing off whose year is most likely mistyped."""
    first = str(before.get("first_on") or "")
    if first and _days(str(after["closed_on"]), first) > _LONG_BEFORE:
        return "closed_on", text(
            "more than a year before the item was first listed ({d}): check the year", d=first
        )
    return None


def _days(first: str, last: str) -> int:
    return (date.fromisoformat(last[:10]) - date.fromisoformat(first[:10])).days


_LONG_BEFORE: Final = 366
"""An item may have been mended before it was listed, but not so many days before."""
_MOST_EXTENDED: Final = 3 * 366
"""No extension is longer than so many days."""


def _extension(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, Text] | None:
    """Say why a deadline may not move: only later, with a reason, and before it is signed off."""
    if after["extended"] and after["state"] == e.State.CLOSED:
        return "extended", text("what is signed off is not extended any more")
    if after["extended"] and before["deadline"] and after["extended"] <= before["deadline"]:
        return "extended", text(
            "an extension must be later than the deadline {d}", d=before["deadline"]
        )
    late = after["extended"] and before["deadline"]
    if late and _days(before["deadline"], after["extended"]) > _MOST_EXTENDED:
        return "extended", text("more than three years after the deadline {d}: check the year",
                                d=before["deadline"])  # fmt: skip
    if after["extended"] and not (after.get("remark") or after.get("assessment")):
        return "extended", text("an extension needs its reason in the remark")
    return None


def _changes(
    ours: Mapping[str, Any],
    said: Mapping[str, str],
    base: Mapping[str, Any] | None,
    book: Returned,
    *,
    on: str = "",
) -> tuple[dict[str, Any], list[tuple[str, str, Text]], list[tuple[str, str, str, str]]]:
    """Compare a row cell by cell with what went out and with what is there now.

    Where what went out is lost, a blank cell may have been blank then: it takes nothing away.
    """
    changes: dict[str, Any] = {}
    wrong, against = [], []
    for name in book.columns:
        written = said.get(name, "")
        if name not in e.EDITABLE:
            continue
        theirs, why = as_code(name, _with_year(name, written, on=on, before=ours))
        if name == "state" and theirs is None and why is None:
            continue  # a blank state says nothing
        was = ours.get(name) if base is None else as_code(name, str(base.get(name) or ""))[0]
        was = was or None
        if why is not None:
            wrong.append((name, written, why))
            continue
        now = ours.get(name) or None
        if theirs in (was, now) or (base is None and not theirs):
            continue
        if now != was:
            against.append((name, was or "", now or "", theirs or ""))
            continue
        if name in ("closed_on", "reported_at") and on and theirs and theirs > on:
            late = text("it lies after the day of the import, {day}", day=on)
            wrong.append((name, written, late))
            continue
        changes[name] = theirs
    return changes, wrong, against


_WIDTHS: Final = {
    KEY: 16, "name": 24, "measure": 34, "evidence": 20, "assessment": 24, "spot_check": 20,
    "remark": 20, "duty_unit": 18, "level": 7, "people": 9, "overdue": 8, "days_left": 8,
}  # fmt: skip


def with_days(table: pd.DataFrame, *, on: str) -> pd.DataFrame:
    """Reckon from dates which items are overdue and how many days are left.

    Parameters
    ----------
    table
        Items, as `events.current` gives them.
    on
        The day, ISO.

    Returns
    -------
    DataFrame
        With ``overdue`` (boolean) and ``days_left`` (negative when late); unknown without a
        deadline; signed-off items are late when they were signed off late.
    """
    import pandas as pd

    due = days_of(table["deadline"], last=True)
    done = days_of(table["closed_on"])
    is_closed = table["state"] == e.State.CLOSED
    until = done.where(is_closed, pd.Timestamp(on))
    late = (until > due).astype("boolean").mask(due.isna() | until.isna())
    left = (due - pd.Timestamp(on)).dt.days.astype("Int64")
    return table.assign(overdue=late, days_left=left.mask(is_closed))


def build_form(
    table: pd.DataFrame, *, project: str, roles: Mapping[str, Role], on: str
) -> dict[str, Any]:
    """Make the table that goes out to be filled in.

    Parameters
    ----------
    table
        Items, as `events.current` gives them.
    project
        Name of the project.
    roles
        All roles, for their labels.
    on
        The day, ISO: what is overdue then.

    Returns
    -------
    dict
        The arguments of `riskmap.export.workbook.books.Form`.
    """
    import pandas as pd

    rows = with_days(table, on=on).sort_values(
        ["overdue", "level", "deadline"], ascending=[False, False, True], kind="stable",
        na_position="last",
    )  # fmt: skip
    columns: dict[str, list[Any]] = {}
    for name in HEADINGS:
        values = rows.index.tolist() if name == KEY else rows[name].tolist()
        columns[name] = [shown(name, value, roles) for value in values]
    yes = [str(text("Yes")), str(text("No"))]
    open_items = int((rows["state"] != e.State.CLOSED).sum())
    late = int(rows["overdue"].fillna(value=False).sum())
    return {
        "title": str(text("{project}: control table", project=project)),
        "subtitle": str(
            text(
                "{n} items, {open} open, {late} overdue on {day}. Green columns may be filled in.",
                n=len(rows),
                open=open_items,
                late=late,
                day=on,
            )
        ),
        "frame": pd.DataFrame(columns, dtype=object),
        "labels": {name: str(label) for name, label in HEADINGS.items()},
        "widths": _WIDTHS,
        "open": e.EDITABLE,
        "choices": {
            "state": [str(label) for label in e.STATES.values()],
            "listed": [str(label) for label in e.LISTED.values()],
            "on_the_spot": yes,
        },
        "base": {
            str(key): {**row, **{name: columns[name][i] for name in LOCKED}}
            for i, (key, row) in enumerate(
                zip(
                    rows.index,
                    rows[[NAME, DEADLINE, *e.EDITABLE]].to_dict(orient="records"),
                    strict=True,
                )
            )
        },
        "about": {
            "project": project,
            "on": on,
            "last": int(rows["last_seq"].max()) if len(rows) else 0,
        },
    }


def shown(name: str, value: Any, roles: Mapping[str, Role]) -> Any:
    """Show a value of the register in words.

    Parameters
    ----------
    name
        Its column, one of `HEADINGS`.
    value
        The value; None or NaN when blank.
    roles
        All roles, for their labels.

    Returns
    -------
    str, int or None
        As a person reads it.
    """
    if _blank(value):
        return None
    if name == "state":
        return str(e.STATES[value])
    if name == "listed":
        return str(e.LISTED[value])
    if name == "level":
        return str(LEVEL_NAMES[int(value)])
    if name == "role":
        return str(roles[value].label) if value in roles else str(value)
    if name in {"overdue", "on_the_spot"}:
        return str(text("Yes") if value in (True, "yes") else text("No"))
    return int(value) if name in {"people", "days_left"} else str(value)


def _blank(value: Any) -> bool:
    """Tell None, NaN and pandas' NA, which compares with nothing."""
    import pandas as pd

    return bool(pd.isna(value))


def shown_event(event: Mapping[str, Any]) -> str:
    """Show one event as a line.

    Parameters
    ----------
    event
        As `events.history` gives it.

    Returns
    -------
    str
        Date, kind, role of the person, and what changed from what to what.
    """
    parts = []
    for name, value in event["changes"].items():
        if name not in HEADINGS or name in {"role", "town", "village"}:
            continue
        was = shown(name, event["before"].get(name), {})
        now = shown(name, value, {})
        parts.append(f"{HEADINGS[name]} {was or '—'} → {now or '—'}")
    head = "  ".join(str(part) for part in (event["on"], KINDS[event["kind"]], event["by"]) if part)
    return f"{head}  {'；'.join(parts)}"


KINDS: Final = {
    "listed": text("listed"),
    "about": text("described anew"),
    "state": text("step"),
    "returned": text("sent back"),
    "rebound": text("come up again"),
    "extended": text("extended"),
    "edit": text("filled in"),
}
"""Kinds of events, as shown."""

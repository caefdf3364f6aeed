"""The register: every item's way from found to signed off, as events that are only added.

One SQLite file beside the project keeps two tables: ``events``, which nothing changes or deletes,
and ``items``, where each item stands now, which follows from the events and is written in the same
transaction. A killed write leaves the file as it was.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import LayerError, Problem, RiskmapError
from riskmap.i18n import Label, Text, language, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pandas as pd


class State(StrEnum):
    """Where an item stands on its way to signing off."""

    FOUND = "found"
    REPORTED = "reported"
    ASSIGNED = "assigned"
    MENDING = "mending"
    REVIEW = "review"
    RECHECKED = "rechecked"
    CLOSED = "closed"


STATES: Final[Mapping[str, Label]] = {
    State.FOUND: Label("found, to be reported", zh="待上报"),
    State.REPORTED: Label("reported", zh="已上报"),
    State.ASSIGNED: Label("assigned", zh="已派单"),
    State.MENDING: Label("being mended", zh="整改中"),
    State.REVIEW: Label("asked for review", zh="申请复核"),
    State.RECHECKED: Label("rechecked", zh="已复查"),
    State.CLOSED: Label("signed off", zh="已销号"),
}
"""The states in their order; no way leads to the last without reviewer, date and proof."""
LISTED: Final[Mapping[str, Label]] = {
    "province": Label("province", zh="省级"),
    "city": Label("city", zh="市级"),
    "county": Label("county", zh="县级"),
    "none": Label("not listed", zh="未挂牌"),
}
ALIASES: Final[Mapping[str, str]] = {
    "发现": State.FOUND, "未上报": State.FOUND, "未整改": State.FOUND, "上报": State.REPORTED,
    "派单": State.ASSIGNED, "抄告": State.ASSIGNED, "已抄告": State.ASSIGNED,
    "正在整改": State.MENDING, "整改": State.MENDING, "已整改": State.REVIEW,
    "进行中": State.MENDING, "处理中": State.MENDING, "处置中": State.MENDING,
    "正在进行": State.MENDING, "已完成": State.REVIEW, "完成": State.REVIEW,
    "整改完成": State.REVIEW, "整改完毕": State.REVIEW, "完成整改": State.REVIEW,
    "已完成整改": State.REVIEW, "已整改完成": State.REVIEW, "已整改完毕": State.REVIEW,
    "申请销号": State.REVIEW, "待销号": State.REVIEW,
    "待复核": State.REVIEW, "已申请复核": State.REVIEW, "复查": State.RECHECKED,
    "已复核": State.RECHECKED, "复查通过": State.RECHECKED, "复核通过": State.RECHECKED,
    "销号": State.CLOSED, "退回": State.MENDING, "审核不通过": State.MENDING,
    "复核不通过": State.MENDING, "反弹": State.MENDING,
}  # fmt: skip
"""Words of offices for the states; mended is not signed off: it asks for review."""
TURNED_BACK: Final[Mapping[str, str]] = {
    "退回": "returned", "审核不通过": "returned", "复核不通过": "returned", "反弹": "rebound",
}  # fmt: skip
"""Words that say a step back, and the kind of event that they can only be."""
NOTHING: Final = frozenset((
    "-", "--", "—", "——", "/", "\\", "无", "没有", "暂无", "暂缺", "空", "未知", "不详", "未提供",
    "待定", "待补", "待补充", "待提供", "后补", "稍后补", "n/a", "na", "none", "null", "nil",
    "?", "？", "x", "xx", "xxx", "×", "某某",
))  # fmt: skip
"""Words that stand where something is still missing: no proof of a signing-off."""
NEXT: Final[Mapping[str, frozenset[str]]] = {
    State.FOUND: frozenset({State.REPORTED, State.ASSIGNED, State.MENDING, State.REVIEW}),
    State.REPORTED: frozenset({State.ASSIGNED, State.MENDING, State.REVIEW}),
    State.ASSIGNED: frozenset({State.MENDING, State.REVIEW}),
    State.MENDING: frozenset({State.REVIEW}),
    State.REVIEW: frozenset({State.RECHECKED, State.CLOSED, State.MENDING}),
    State.RECHECKED: frozenset({State.CLOSED, State.MENDING}),
    State.CLOSED: frozenset({State.FOUND, State.MENDING}),
}
"""Allowed steps. From review or recheck back to mending is 退回; from signed off back is 反弹."""
ON_THE_SPOT: Final = frozenset({State.FOUND, State.REPORTED})
"""From here an item that was mended on the spot (即查即改) may be signed off at once."""

FIELDS: Final = (
    "state", "deadline", "reviewer", "closed_on", "evidence", "assessment", "spot_check", "remark",
    "listed", "on_the_spot", "reported_at", "made_public", "person", "extended",
)  # fmt: skip
"""What events change about an item."""
ABOUT: Final = (
    "role", "name", "town", "village", "level", "people", "duty_unit", "measure", "x", "y",
)  # fmt: skip
"""What a run says of an item; x, y in WGS 84 [deg]."""
EDITABLE: Final = (
    "state", "reviewer", "closed_on", "spot_check", "evidence", "assessment", "remark", "listed",
    "on_the_spot", "reported_at", "extended",
)  # fmt: skip
"""What officers change in a workbook."""
APPLICATION: Final = 0x524D5247
"""Marks the file as a register of riskmap (SQLite's application id)."""
VERSION: Final = 1

_TYPES: Final = {"level": "integer", "people": "integer", "x": "real", "y": "real"}
_COLUMNS: Final = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in (*ABOUT, *FIELDS))
_SCHEMA: Final = (
    f"""create table items (item_id text primary key, first_on text not null default '',
        last_seq integer not null default 0, {_COLUMNS}) strict""",
    """create table events (seq integer primary key autoincrement,
        item_id text not null references items(item_id), kind text not null,
        on_date text not null, by_role text not null, source text not null,
        before text not null, changes text not null) strict""",
    "create index events_of_item on events(item_id)",
    """create trigger events_stay before update on events
        begin select raise(abort, 'events are never changed'); end""",
    """create trigger events_are_kept before delete on events
        begin select raise(abort, 'events are never deleted'); end""",
)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One change of one item."""

    item_id: str
    kind: str
    """listed, graded, moved, state, edit, extended."""
    changes: Mapping[str, Any]
    on: str = ""
    """Date of the change, ISO."""
    by: str = ""
    """Role of the person; never a name."""
    source: str = ""
    """The file or command that it came from."""
    before: Mapping[str, Any] = field(default_factory=dict)


def beside(project: Path) -> Path:
    """Find the register of a project file.

    Parameters
    ----------
    project
        The project file.

    Returns
    -------
    Path
        ``PROJECT.register.sqlite`` beside it, where it is seen and backed up.
    """
    return project.with_name(f"{project.stem}.register.sqlite")


@contextmanager
def open_register(
    path: Path, *, write: bool = False, must_exist: bool = False
) -> Iterator[sqlite3.Connection]:
    """Open a register and check that it is whole.

    Parameters
    ----------
    path
        The SQLite file; made when it is to be written and is not there.
    write
        Whether events will be added.
    must_exist
        Whether a missing file is an error also when it is to be written.

    Yields
    ------
    Connection
        With foreign keys on; what is written inside the block is kept only when it ends well.

    Raises
    ------
    LayerError
        When the file is no register of ours, or is damaged.
    """
    fresh = not path.exists()
    if fresh and (must_exist or not write):
        raise LayerError(text("{file}: there is no register yet; run the project first", file=path))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as base:
            base.execute("pragma foreign_keys = on")
            _prepare(base, path)
            if write:
                base.execute("begin immediate")
            try:
                yield base
            except BaseException:
                if base.in_transaction:
                    base.execute("rollback")
                raise
            if base.in_transaction:
                base.execute("commit")
    except sqlite3.DatabaseError as error:
        raise _damaged(path, str(error)) from error


def _prepare(base: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file; check those of an old one."""
    base.execute("pragma busy_timeout = 60000")
    if not base.execute("select count(*) from sqlite_master").fetchone()[0]:
        base.execute("pragma journal_mode = wal")
        base.execute("begin immediate")  # two first runs at once: the second finds the tables made
        if not base.execute("select count(*) from sqlite_master").fetchone()[0]:
            for statement in _SCHEMA:
                base.execute(statement)
        base.execute(f"pragma application_id = {APPLICATION}")
        base.execute(f"pragma user_version = {VERSION}")
        base.execute("commit")  # tables and mark at once
    if base.execute("pragma application_id").fetchone()[0] != APPLICATION:
        raise _damaged(path, "application_id")
    state = base.execute("pragma quick_check(1)").fetchone()[0]
    if state != "ok":
        raise _damaged(path, state)


def _damaged(path: Path, why: str) -> LayerError:
    problem = Problem(
        severity="unusable",
        role="",
        rule="register",
        message=text("the register cannot be read"),
        mend=text("put the last good copy of {file} back", file=path.name),
        file=path.name,
        value=why,
    )
    return LayerError(problem.message, (problem,))


def append(base: sqlite3.Connection, events: Iterable[Event]) -> int:
    """Add events and move the items along, in the caller's transaction.

    Parameters
    ----------
    base
        A register that was opened to be written.
    events
        Events in order; an item's first one is of kind ``listed``.

    Returns
    -------
    int
        Number of events added.
    """
    number = 0
    for event in events:
        known = {k: v for k, v in event.changes.items() if k in FIELDS or k in ABOUT}
        if event.kind == "listed":
            base.execute(
                "insert into items(item_id, first_on) values (?, ?) on conflict do nothing",
                (event.item_id, event.on),
            )
        written = base.execute(
            "insert into events(item_id, kind, on_date, by_role, source, before, changes) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            (event.item_id, event.kind, event.on, event.by, event.source,
             _json(event.before), _json(known)),
        )  # fmt: skip
        columns = "".join(f", {name} = ?" for name in known)
        base.execute(
            f"update items set last_seq = ?{columns} where item_id = ?",  # noqa: S608
            (written.lastrowid, *(_plain(name, value) for name, value in known.items()),
             event.item_id),
        )  # fmt: skip
        number += 1
    return number


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True)


def _plain(name: str, value: Any) -> Any:
    """Write a value as the column's type has it."""
    if value is None or name in _TYPES:
        return value
    return str(value)


def listed(
    rows: pd.DataFrame, places: pd.DataFrame, *, known: pd.DataFrame, on: str
) -> Iterator[Event]:
    """Tell what a run lists for the first time and what it describes anew.

    Parameters
    ----------
    rows
        Items of the run as the control table has them; index ``item_id``.
    places
        The same items as the list has them, for people and place.
    known
        What the register says already.
    on
        Date of the data, ISO.

    Yields
    ------
    Event
        ``listed`` with the state, the deadline and everything else that is known; ``about`` where
        a known item is described in other words, at another level, or elsewhere.
    """
    codes = {label: str(state) for state, label in STATES.items()}
    names = {word: code for code, label in LISTED.items() for word in (label.zh, label.msgid)}
    before = known.to_dict(orient="index")
    taken = {**dict.fromkeys(ABOUT), **dict.fromkeys(FIELDS)}
    for row, place in zip(
        rows.reset_index().to_dict(orient="records"), places.to_dict(orient="records"), strict=True
    ):
        said = {name: _told(row.get(name, place.get(name))) for name in taken}
        for name, other in (("people", "people"), ("x", "lon"), ("y", "lat")):
            said[name] = _told(place.get(other))
        said["x"], said["y"] = (
            None if v is None else round(float(v), 5) for v in (said["x"], said["y"])
        )
        said["state"] = codes[row["status"]]
        said["listed"] = names.get(str(row.get("listed") or ""))
        item_id = str(row["item_id"])
        old = before.get(item_id)
        if old is None:
            changes = {name: value for name, value in said.items() if value is not None}
            yield Event(item_id=item_id, kind="listed", changes=changes, on=on, source="run")
            continue
        news = {k: said[k] for k in ABOUT if said[k] is not None and said[k] != _told(old[k])}
        if news:
            was = {name: _told(old[name]) for name in news}
            yield Event(
                item_id=item_id, kind="about", changes=news, before=was, on=on, source="run"
            )


def not_older(base: sqlite3.Connection, found: Iterable[Event], *, on: str) -> Iterator[Event]:
    """Leave out how a run on older data describes items that were described anew since.

    Parameters
    ----------
    base
        The register.
    found
        Events of the run.
    on
        Date of its data, ISO.

    Yields
    ------
    Event
        What is listed for the first time, and descriptions that no later run has made.
    """
    later = base.execute(
        "select distinct item_id from events where source = 'run' and on_date > ?", (on,)
    )
    newer = {row[0] for row in later} if on else set()
    yield from (one for one in found if one.kind != "about" or one.item_id not in newer)


def _told(value: Any) -> Any:
    """Give a plain value: text, number or None; a text of two languages in Chinese."""
    if value is None or value != value:
        return None
    if isinstance(value, Text):
        with language("zh"):
            return str(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "yes" if value else None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def current(base: sqlite3.Connection) -> pd.DataFrame:
    """Say where every item stands.

    Parameters
    ----------
    base
        The register.

    Returns
    -------
    DataFrame
        Index ``item_id``; columns first_on, last_seq, those of `ABOUT` and of `FIELDS`.
    """
    import pandas as pd

    names = ["item_id", "first_on", "last_seq", *ABOUT, *FIELDS]
    rows = base.execute(f"select {', '.join(names)} from items order by item_id").fetchall()  # noqa: S608
    table = pd.DataFrame(rows, columns=names, dtype=object).set_index("item_id")
    return table.astype({"level": "Int8", "last_seq": "int64", "x": float, "y": float})


def summary(base: sqlite3.Connection, *, on: str) -> dict[str, Any]:
    """Count items by state and by town.

    Parameters
    ----------
    base
        The register.
    on
        The day, ISO: an open item whose deadline lies before it is overdue.

    Returns
    -------
    dict
        items, open, closed, overdue, by_state, by_town.
    """
    rows = base.execute(
        "select coalesce(town, ''), coalesce(state, 'found'), count(*), "
        "sum(coalesce(state, 'found') <> 'closed' and deadline is not null and deadline < ?) "
        "from items group by 1, 2 order by 1, 2",
        (on,),
    ).fetchall()
    by_state = {str(state): 0 for state in STATES}
    by_town: dict[str, dict[str, int]] = {}
    for town, state, number, late in rows:
        by_state[state] += number
        here = by_town.setdefault(town, {"items": 0, "open": 0, "closed": 0, "overdue": 0})
        here["items"] += number
        here["closed" if state == State.CLOSED else "open"] += number
        here["overdue"] += late or 0
    total = {
        name: sum(here[name] for here in by_town.values())
        for name in ("items", "open", "closed", "overdue")
    }
    return {**total, "on": on, "by_state": by_state, "by_town": by_town}


def history(base: sqlite3.Connection, item_id: str) -> list[dict[str, Any]]:
    """List the events of one item, oldest first.

    Parameters
    ----------
    base
        The register.
    item_id
        The item.

    Returns
    -------
    list of dict
        seq, kind, on, by, source, before, changes.

    Raises
    ------
    RiskmapError
        When no such item was ever listed.
    """
    rows = base.execute(
        "select seq, kind, on_date, by_role, source, before, changes from events "
        "where item_id = ? order by seq",
        (item_id,),
    ).fetchall()
    if not rows:
        raise RiskmapError(text("{item}: no such item in the register", item=item_id))
    names = ("seq", "kind", "on", "by", "source", "before", "changes")
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    return [
        {**row, "before": json.loads(row["before"]), "changes": json.loads(row["changes"])}
        for row in listed
    ]


def steps(base: sqlite3.Connection) -> pd.DataFrame:
    """List the dated states of the items that have moved on since they were listed.

    Parameters
    ----------
    base
        The register.

    Returns
    -------
    DataFrame
        Columns item_id, name, x, y (WGS 84 [deg]), on (ISO date), state and its
        word; by date. Items that nobody has touched have none, so a run that is done again
        says the same.
    """
    import pandas as pd

    rows = base.execute(
        "select item_id, on_date, changes from events where kind <> 'listed' and on_date <> '' "
        "order by on_date, seq"
    ).fetchall()
    moved = [
        (item, on, said["state"])
        for item, on, changes in rows
        if (said := json.loads(changes)).get("state")
    ]
    known = {row[0]: row for row in base.execute("select item_id, first_on, name, x, y from items")}
    begun = [
        (item, known[item][1], str(State.FOUND))
        for item in dict.fromkeys(item for item, *_ in moved)
        if known[item][1]
    ]
    whole = [
        (item, *known[item][2:], on, state)
        for item, on, state in sorted([*begun, *moved], key=lambda row: row[1])
    ]
    table = pd.DataFrame(whole, columns=["item_id", "name", "x", "y", "on", "state"])
    words = pd.Series([STATES[State(state)] for state in table["state"]], dtype=object)
    return table.assign(word=words).astype({"x": float, "y": float})


def rebuilt(base: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Follow the events from the first on: what the items must say.

    Parameters
    ----------
    base
        The register.

    Returns
    -------
    dict
        Item id to its fields, as the events alone give them.
    """
    items: dict[str, dict[str, Any]] = {}
    for item_id, changes in base.execute("select item_id, changes from events order by seq"):
        items.setdefault(item_id, {}).update(json.loads(changes))
    return items


def why_not(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, Text] | None:
    """Say why an item may not go from one state of its fields to another.

    Parameters
    ----------
    before, after
        Fields of the item; missing ones are blank.

    Returns
    -------
    tuple or None
        The field and the reason; None when the step is allowed.

    Examples
    --------
    >>> why_not({"state": "mending"}, {"state": "closed"})[0]
    'state'
    >>> why_not({"state": "mending"}, {"state": "review"}) is None
    True
    """
    old, new = str(before.get("state") or State.FOUND), str(after.get("state") or State.FOUND)
    if new != old:
        spot = bool(after.get("on_the_spot")) and old in ON_THE_SPOT and new == State.CLOSED
        if new not in NEXT[old] and not spot:
            return "state", text(
                "no step leads from {old} to {new}; next may be: {allowed}",
                old=STATES[old],
                new=STATES[new],
                allowed=" / ".join(str(STATES[s]) for s in STATES if s in NEXT[old]),
            )
    if new == State.CLOSED:
        return _unproven(after)
    if after.get("closed_on") and not before.get("closed_on"):
        return "closed_on", text(
            "a date of signing off belongs to the state {s}", s=STATES["closed"]
        )
    return None


def _unproven(after: Mapping[str, Any]) -> tuple[str, Text] | None:
    """Name what a signing-off lacks: reviewer, date, proof on the spot, and an assessment."""

    def said(name: str) -> bool:
        word = str(after.get(name) or "").strip().casefold()
        return bool(word) and word not in NOTHING

    if not said("reviewer") or not any(letter.isalpha() for letter in str(after["reviewer"])):
        return "reviewer", text("nothing is signed off without a reviewer")
    if not after.get("closed_on"):
        return "closed_on", text("nothing is signed off without a date")
    if not (said("evidence") or said("spot_check")):
        return "evidence", text("nothing is signed off without evidence or a record of the check")
    if not (said("assessment") or said("remark")):
        return "assessment", text("nothing is signed off without an assessment")
    return None


def kind_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Name a change: a step of the state, sent back, come up again, or an edit.

    Parameters
    ----------
    before, after
        Fields of the item.

    Returns
    -------
    str
        ``state``, ``returned``, ``rebound``, ``extended`` or ``edit``.
    """
    old, new = before.get("state"), after.get("state")
    if old != new:
        if old == State.CLOSED:
            return "rebound"
        return (
            "returned"
            if new == State.MENDING and old in {State.REVIEW, State.RECHECKED}
            else "state"
        )
    return "extended" if before.get("deadline") != after.get("deadline") else "edit"

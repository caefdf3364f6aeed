"""What the register shows: the table that goes out, counts, an item's history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import text
from riskmap.register import events as e
from riskmap.register.merge import HEADINGS, KEY
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.roles import Role

if TYPE_CHECKING:
    import sqlite3

    import pandas as pd

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

    due = pd.to_datetime(table["deadline"], errors="coerce")
    done = pd.to_datetime(table["closed_on"], errors="coerce")
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
        The arguments of `riskmap.export.workbook.form.Form`.
    """
    import pandas as pd

    rows = with_days(table, on=on).sort_values(
        ["overdue", "level", "deadline"], ascending=[False, False, True], kind="stable",
        na_position="last",
    )  # fmt: skip
    columns: dict[str, list[Any]] = {}
    for name in HEADINGS:
        values = rows.index.tolist() if name == KEY else rows[name].tolist()
        columns[name] = [_shown(name, value, roles) for value in values]
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
            str(key): {name: row[name] for name in e.EDITABLE}
            for key, row in zip(
                rows.index, rows[list(e.EDITABLE)].to_dict(orient="records"), strict=True
            )
        },
        "about": {
            "project": project,
            "on": on,
            "last": int(rows["last_seq"].max()) if len(rows) else 0,
        },
    }


def _shown(name: str, value: Any, roles: Mapping[str, Role]) -> Any:
    """Show a value of the register in words."""
    if value is None or value != value:
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
        "select coalesce(town, ''), state, count(*), "
        "sum(state <> 'closed' and deadline is not null and deadline < ?) "
        "from items group by 1, 2 order by 1, 2",
        (on,),
    ).fetchall()
    by_state = {str(state): 0 for state in e.STATES}
    by_town: dict[str, dict[str, int]] = {}
    for town, state, number, late in rows:
        by_state[state] += number
        here = by_town.setdefault(town, {"items": 0, "open": 0, "closed": 0, "overdue": 0})
        here["items"] += number
        here["closed" if state == e.State.CLOSED else "open"] += number
        here["overdue"] += late or 0
    total = {
        name: sum(here[name] for here in by_town.values())
        for name in ("items", "open", "closed", "overdue")
    }
    return {**total, "on": on, "by_state": by_state, "by_town": by_town}


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
        was = _shown(name, event["before"].get(name), {})
        now = _shown(name, value, {})
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

"""Bulletin: what each unit found, signed off, let run late since a day, and what is due next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import Text, text
from riskmap.register import events as e
from riskmap.register.merge import HEADINGS, shown, shown_event, with_days

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    import pandas as pd

    from riskmap.vocabulary.roles import Role

BY: Final = ("town", "village", "duty_unit", "person", "role")
"""What a bulletin may count by."""
COUNTS: Final[Mapping[str, Text]] = {
    "items": text("On the register"),
    "found": text("Newly found"),
    "closed": text("Signed off in the period"),
    "open": text("Not signed off"),
    "overdue": text("Of these overdue"),
    "new_overdue": text("Become overdue in the period"),
    "due_soon": text("Due next"),
    "newly_listed": text("Newly put under supervision"),
    "listed_open": text("Under supervision, not signed off"),
    "returned": text("Sent back"),
    "rebound": text("Come up again"),
    "extended": text("Extended"),
    "rate": text("Signed off of all (%)"),
}
"""What is counted for each unit, in the order of the columns."""
SHEETS: Final[Mapping[str, Text]] = {
    "units": text("Bulletin by unit"),
    "overdue": text("Overdue items"),
    "due": text("Items due next"),
    "found": text("Items newly found"),
    "closed": text("Items signed off"),
    "steps": text("Changes of the period"),
}
"""Sheets of a bulletin, in their order."""
_SHOWN: Final = (
    "item_id", "role", "name", "town", "village", "level", "duty_unit", "measure", "state",
    "deadline", "days_left", "listed", "closed_on",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bulletin:
    """What a bulletin says."""

    since: str
    until: str
    by: str
    total: Mapping[str, Any]
    """The counts of the whole place, by the names of `COUNTS`."""
    units: pd.DataFrame
    """One row a unit: unit and the counts; most overdue first."""
    sheets: Mapping[str, pd.DataFrame]
    """Lists of items by the names of `SHEETS`."""


def as_of(base: sqlite3.Connection, on: str) -> pd.DataFrame:
    """Say where every item stood at the end of a day.

    Parameters
    ----------
    base
        The register.
    on
        The day, ISO.

    Returns
    -------
    DataFrame
        As `events.current`; items that were listed later are not there.
    """
    import pandas as pd

    table = e.current(base)
    later = base.execute("select exists(select 1 from events where on_date > ?)", (on,))
    if not later.fetchone()[0]:
        return table
    then: dict[str, dict[str, Any]] = {}
    rows = base.execute(
        "select item_id, changes from events where on_date <= ? order by seq", (on,)
    )
    for item_id, changes in rows:
        then.setdefault(item_id, {}).update(json.loads(changes))
    names = [*e.ABOUT, *e.FIELDS]
    past = pd.DataFrame.from_dict(then, orient="index", columns=None, dtype=object)
    past = past.reindex(columns=names).rename_axis("item_id").sort_index()
    past = past.astype(object).where(past.notna(), None)
    kept = table.loc[past.index, ["first_on", "last_seq"]]
    return kept.join(past).astype({"level": "Int8", "x": float, "y": float})


def bulletin(
    base: sqlite3.Connection, *, since: str, until: str, by: str = "town", within: int = 30
) -> Bulletin:
    """Count what each unit found, signed off and let run late from one day to another.

    Parameters
    ----------
    base
        The register.
    since, until
        First and last day, ISO; both count.
    by
        One of `BY`.
    within
        Days after ``until`` in which an item counts as due next.

    Returns
    -------
    Bulletin
        Counts and lists as things stood at the end of the last day.
    """
    import pandas as pd

    table = with_days(as_of(base, until), on=until)
    steps = _steps(base, since, until)
    kinds = steps.groupby("kind")["item_id"].agg(set).to_dict()
    ids = table.index.to_series()
    is_open = table["state"] != e.State.CLOSED
    late = is_open & table["overdue"].fillna(value=False).astype(bool)
    deadline = table["deadline"].fillna("").astype(str)
    soon = (date.fromisoformat(until) + timedelta(days=within)).isoformat()
    went = steps[steps["becomes"] == e.State.CLOSED]
    put = steps[(steps["listed_before"] == "") & (steps["listed_after"] != "")]
    flags = pd.DataFrame(
        {
            "items": True,
            "found": (table["first_on"] >= since) & (table["first_on"] <= until),
            "closed": ids.isin(went["item_id"]) & ~is_open,
            "open": is_open,
            "overdue": late,
            "new_overdue": late & (deadline >= since),
            "due_soon": is_open & (deadline >= until) & (deadline <= soon),
            "newly_listed": ids.isin(put["item_id"]),
            "listed_open": is_open & table["listed"].notna(),
            "returned": ids.isin(kinds.get("returned", ())),
            "rebound": ids.isin(kinds.get("rebound", ())),
            "extended": ids.isin(kinds.get("extended", ())),
        },
        index=table.index,
    )
    units = flags.groupby(table[by].fillna("").astype(str)).sum().astype(int)
    units = _rated(units).rename_axis("unit").reset_index()
    units = units.sort_values(["overdue", "open", "unit"], ascending=[False, False, True])
    total = _rated(flags.sum().astype(int).to_frame().T).iloc[0].to_dict()
    lists = {
        "overdue": table[late].sort_values("deadline", kind="stable"),
        "due": table[flags["due_soon"]].sort_values("deadline", kind="stable"),
        "found": table[flags["found"]],
        "closed": table[flags["closed"]],
    }
    return Bulletin(
        since=since,
        until=until,
        by=by,
        total={str(name): _number(value) for name, value in total.items()},
        units=units.reset_index(drop=True),
        sheets={**lists, "steps": steps},
    )


def _number(value: Any) -> Any:
    if value is None or value != value:
        return None
    return int(value) if float(value).is_integer() else float(value)


def _rated(counts: pd.DataFrame) -> pd.DataFrame:
    """Set the share that is signed off beside the counts; of nothing there is no share."""
    done = counts["items"] - counts["open"]
    return counts.assign(rate=(100.0 * done / counts["items"].where(counts["items"] > 0)).round(1))


def _steps(base: sqlite3.Connection, since: str, until: str) -> pd.DataFrame:
    """List the events of the period."""
    import pandas as pd

    rows = []
    found = base.execute(
        "select item_id, kind, on_date, by_role, source, before, changes from events "
        "where on_date between ? and ? order by seq",
        (since, until),
    )
    for item_id, kind, on, by, source, before, changes in found:
        was, now = json.loads(before), json.loads(changes)
        rows.append(
            {
                "item_id": item_id, "kind": kind, "on": on, "by": by, "source": source,
                "before": was, "changes": now,
                "becomes": str(now.get("state") or ""),
                "listed_before": str(was.get("listed") or ""),
                "listed_after": str(now.get("listed") or ""),
            }
        )  # fmt: skip
    names = [
        "item_id", "kind", "on", "by", "source", "before", "changes", "becomes", "listed_before",
        "listed_after",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def letter(found: Bulletin, *, project: str, roles: Mapping[str, Role]) -> str:
    """Write the bulletin as a text that can be sent round.

    Parameters
    ----------
    found
        The counts.
    project
        Name of the project.
    roles
        All roles, for their labels.

    Returns
    -------
    str
        Title, the whole place, unit by unit, what is overdue.
    """
    total = found.total
    lines = [
        str(text("{project}: bulletin, {a} to {b}", project=project, a=found.since, b=found.until)),
        "",
        str(
            text(
                "{items} items on the register. In the period {found} newly found, {closed} signed "
                "off, {listed} newly put under supervision, {back} sent back, {again} come up "
                "again, {extended} extended.",
                items=total["items"], found=total["found"], closed=total["closed"],
                listed=total["newly_listed"], back=total["returned"], again=total["rebound"],
                extended=total["extended"],
            )
        ),
        str(
            text(
                "On {day} {open} are not signed off, {late} of them overdue ({new} since {since}); "
                "{rate} per cent of all are signed off.",
                day=found.until, open=total["open"], late=total["overdue"],
                new=total["new_overdue"], since=found.since,
                rate="—" if total["rate"] is None else f"{total['rate']:g}",
            )
        ),
        "",
    ]  # fmt: skip
    lines += [
            str(
                text(
                    "{unit}: {found} newly found, {closed} signed off, {open} not signed off, "
                    "{late} overdue, {listed} newly put under supervision.",
                    unit=unit_name(found.by, row["unit"], roles), found=row["found"],
                    closed=row["closed"], open=row["open"], late=row["overdue"],
                    listed=row["newly_listed"],
                )
            )
        for row in found.units.to_dict(orient="records")
    ]  # fmt: skip
    late = found.sheets["overdue"]
    if len(late):
        lines += ["", str(text("Overdue items:"))]
    for key, item in late.iterrows():
        lines.append(
            str(
                text(
                    "{item} {name} ({town}, {duty}), due {deadline}, {days} days late",
                    item=key, name=item["name"] or "—", town=item["town"] or text("town unknown"),
                    duty=item["duty_unit"] or "—", deadline=item["deadline"],
                    days=-item["days_left"],
                )
            )
        )  # fmt: skip
    return "\n".join(lines)


def unit_name(by: str, unit: str, roles: Mapping[str, Role]) -> str:
    """Name a unit of a bulletin.

    Parameters
    ----------
    by
        One of `BY`.
    unit
        Its name in the register; empty where none is known.
    roles
        All roles.

    Returns
    -------
    str
        The name as shown.
    """
    if not unit:
        return str(text("not filled in"))
    return str(roles[unit].label) if by == "role" and unit in roles else unit


def sheets_of(found: Bulletin, roles: Mapping[str, Role]) -> dict[str, pd.DataFrame]:
    """Make the sheets of the workbook, in words.

    Parameters
    ----------
    found
        The bulletin.
    roles
        All roles.

    Returns
    -------
    dict
        Names as shown to tables whose columns bear the shown headings.
    """
    import pandas as pd

    units = found.units.copy()
    units["unit"] = [unit_name(found.by, unit, roles) for unit in units["unit"]]
    whole = pd.DataFrame([{"unit": str(text("Total")), **found.total}])
    units = pd.concat([units, whole], ignore_index=True)[["unit", *COUNTS]]
    head = {
        "unit": str(text("Unit of the bulletin")),
        **{name: str(label) for name, label in COUNTS.items()},
    }
    made = {str(SHEETS["units"]): units.rename(columns=head)}
    for name in ("overdue", "due", "found", "closed"):
        rows = found.sheets[name].rename_axis("item_id").reset_index()
        columns = {
            str(HEADINGS[column]): [shown(column, value, roles) for value in rows[column]]
            for column in _SHOWN
        }
        made[str(SHEETS[name])] = pd.DataFrame(columns, dtype=object)
    steps: list[dict[Any, Any]] = found.sheets["steps"].to_dict(orient="records")
    said = [
        [step["on"], step["item_id"], shown_event({**step, "on": ""}).strip()] for step in steps
    ]
    names = [str(text("Date")), str(HEADINGS["item_id"]), str(text("What happened"))]
    made[str(SHEETS["steps"])] = pd.DataFrame(said, columns=names, dtype=object)
    return made


def reminders(found: Bulletin, *, project: str, roles: Mapping[str, Role]) -> dict[str, Any]:
    """Make a letter for each unit that has something overdue or due next.

    Parameters
    ----------
    found
        The bulletin.
    project
        Name of the project.
    roles
        All roles.

    Returns
    -------
    dict
        Unit to (lines of the letter, its table in words).
    """
    import pandas as pd

    rows = pd.concat([found.sheets["overdue"], found.sheets["due"]])
    rows = rows[~rows.index.duplicated()].rename_axis("item_id").reset_index()
    columns = ("item_id", "name", "town", "level", "state", "deadline", "days_left", "measure")
    made: dict[str, Any] = {}
    for unit, mine in rows.groupby(rows[found.by].fillna("").astype(str), sort=True):
        late = int(mine["overdue"].fillna(value=False).sum())
        lines = [
            str(text("{project}: reminder", project=project)),
            str(text("To: {unit}", unit=unit_name(found.by, str(unit), roles))),
            str(
                text(
                    "On {day} {n} items in your charge are overdue or due next, {late} of them "
                    "overdue. Please mend them, report and ask for review.",
                    day=found.until, n=len(mine), late=late,
                )
            ),
        ]  # fmt: skip
        table = pd.DataFrame(
            {str(HEADINGS[c]): [shown(c, value, roles) for value in mine[c]] for c in columns},
            dtype=object,
        )
        made[unit_name(found.by, str(unit), roles)] = (lines, table)
    return made

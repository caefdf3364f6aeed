"""管控一张表: every item with who does what by when, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.layers.layer import filled
from riskmap.register.events import LISTED, STATES, State
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmap.i18n import Text
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role

TIERS: Final[Mapping[str, Label]] = {
    "city": Label("city", zh="市级"),
    "county": Label("county", zh="县（区）级"),
    "town": Label("town", zh="镇（街）级"),
    "village": Label("village", zh="村（社区）级"),
    "enterprise": Label("enterprise", zh="企业"),
}
CHOICES: Final[Mapping[str, Sequence[Text]]] = {
    "status": tuple(STATES.values()),
    "control_tier": tuple(TIERS.values()),
}
"""Columns of the table that are filled in with one of a few words."""
_TO_FILL: Final = ("reported_at", "spot_check", "reviewer", "evidence", "assessment", "remark")
_FROM_REGISTER: Final = (
    "reported_at", "spot_check", "reviewer", "closed_on", "evidence", "assessment", "remark",
)  # fmt: skip
_ORDER: Final = (
    "rank", c.ROLE, c.NAME, c.LEVEL, "district", "town", "village", "control_tier", "duty_unit",
    "person", "phone", "measure", "emergency", "patrol_days", "report_hours", "deadline",
    "deadline_days", "days_left", "status", "reported_at", "made_public", "spot_check", "evidence",
    "assessment", "reviewer", "closed_on", "overdue", "listed", "remark", "first_on", "missing",
)  # fmt: skip


def build_control(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    *,
    presets: Presets,
    data_date: str = "",
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Make the control table from the list: same items, same order.

    Parameters
    ----------
    items
        The list, as `list_items` made it.
    layers
        Checked layers by role, for persons, phones and dates.
    roles
        All roles.
    presets
        The run's presets: tier, hours to report and days between patrols by level.
    data_date
        Date of the data, ISO; without it nothing can be overdue.
    known
        What the register says of these items, as `events.current` gives it; a deadline is the one
        that was fixed when the item was first listed.

    Returns
    -------
    DataFrame
        One row an item, index ``item_id``; blanks to be filled in stay blank and are listed in
        ``missing``.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> from riskmap.register.items import list_items
    >>> presets = load_presets()
    >>> items = list_items({}, {}, None, None, presets=presets).table
    >>> "overdue" in build_control(items, {}, {}, presets=presets).columns
    True
    """
    table = _filled_in(items, layers, roles, presets)
    for name in _TO_FILL:
        if name not in table:
            table[name] = pd.Series([None] * len(table), index=items.index, dtype=object)
    table["first_on"] = data_date or None
    if known is not None:
        table = _as_registered(table, known)
    table["overdue"] = overdue(table["deadline"], table["closed_on"], data_date=data_date)
    table["days_left"] = days_left(table["deadline"], data_date=data_date)
    return table[list(_ORDER)]


def _filled_in(
    items: pd.DataFrame, layers: Mapping[str, Layer], roles: Mapping[str, Role], presets: Presets
) -> pd.DataFrame:
    """Set beside the items what level, role and ledger say.

    An item that the ledger dates as mended and still lists has a date but no reviewer: it asks for
    review.
    """
    table = items.copy()
    level = items[c.LEVEL].astype("Int8").fillna(0).astype(int)
    ledger = _ledger(items, layers)
    for name in ("person", "phone", "reviewer", "evidence", "assessment"):
        table[name] = ledger[name]
    tiers = {int(k): TIERS.get(str(v), str(v)) for k, v in presets["control.tier_by_level"].items()}
    table["control_tier"] = level.map({0: tiers[max(tiers)], **tiers}).astype(object)
    table["report_hours"] = _by_level(level, presets["control.report_hours"])
    table["patrol_days"] = _by_level(level, presets["control.patrol_days"])
    first_aid = [roles[role].emergency for role in items[c.ROLE]]
    table["emergency"] = pd.Series(first_aid, index=items.index, dtype=object)
    closed = pd.to_datetime(ledger["closed"], errors="coerce").dt.strftime("%Y-%m-%d")
    table["closed_on"] = closed.astype(object).where(closed.notna(), None)
    states = [
        STATES[_claimed(row, done=done)]
        for row, done in zip(ledger.to_dict(orient="records"), closed.notna(), strict=True)
    ]
    table["status"] = pd.Series(states, index=items.index, dtype=object)
    table["listed"] = _listed(ledger["listed"], items[c.ROLE], roles)
    table["made_public"] = pd.Series(data=False, index=items.index, dtype=bool)
    return table


def _as_registered(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Let the register say how far an item is, and by when it had to be done from the first on."""
    at = table.index.intersection(known.index)
    table = table.copy()
    for name in ("deadline", "first_on", *_FROM_REGISTER):
        values = known.loc[at, name].astype(object)
        table[name] = table[name].astype(object)
        table.loc[at, name] = values.where(values.notna(), None)
    table.loc[at, "status"] = known.loc[at, "state"].map(STATES).to_numpy(dtype=object)
    listed = known.loc[at, "listed"].dropna().map(LISTED)
    table.loc[listed.index, "listed"] = listed.to_numpy(dtype=object)
    return table


def days_left(deadline: pd.Series[Any], *, data_date: str) -> pd.Series[Any]:
    """Count the days from the date of the data to the deadline.

    Parameters
    ----------
    deadline
        ISO dates or None.
    data_date
        ISO date, or empty.

    Returns
    -------
    Series of Int64
        Negative when the deadline has passed; unknown without a date.

    Examples
    --------
    >>> days_left(pd.Series(["2026-05-01", None]), data_date="2026-04-21").tolist()
    [10, <NA>]
    """
    if not data_date:
        return pd.Series(pd.NA, index=deadline.index, dtype="Int64")
    due = pd.to_datetime(deadline, errors="coerce")
    return (due - pd.Timestamp(data_date)).dt.days.astype("Int64")


def overdue(
    deadline: pd.Series[Any], closed_on: pd.Series[Any], *, data_date: str
) -> pd.Series[Any]:
    """Tell which items are overdue at the date of the data; never typed, always computed.

    Parameters
    ----------
    deadline
        ISO dates or None.
    closed_on
        ISO dates or None.
    data_date
        ISO date, or empty.

    Returns
    -------
    Series of boolean
        True when the deadline passed before the item was closed; unknown without a date.

    Examples
    --------
    >>> due = pd.Series(["2026-05-01", "2026-05-01", "2026-07-01"])
    >>> done = pd.Series([None, "2026-04-30", None])
    >>> overdue(due, done, data_date="2026-06-01").tolist()
    [True, False, False]
    """
    if not data_date:
        return pd.Series(pd.NA, index=deadline.index, dtype="boolean")
    until = closed_on.where(closed_on.notna(), data_date).astype(str)
    late = (deadline.astype(str) < until).astype("boolean")
    return late.where(deadline.notna(), pd.NA)


PROOF: Final = ("closed", "reviewer", "evidence", "assessment")
"""Fields of a ledger without which nothing is signed off."""


def lacking(table: pd.DataFrame) -> Iterator[tuple[Mapping[Any, Any], tuple[str, ...]]]:
    """Find rows that claim to be signed off without the date, person and papers for it.

    Parameters
    ----------
    table
        Rows of a ledger.

    Yields
    ------
    tuple
        The row and the fields that are blank.
    """
    claims = (filled(table, "status") == "signed_off").to_numpy(bool)
    if not claims.any():
        return
    blank = pd.DataFrame({name: filled(table, name).isna() for name in PROOF})
    for place in np.flatnonzero(claims & blank.to_numpy(bool).any(axis=1)):
        missing = tuple(name for name in PROOF if blank[name].iloc[place])
        yield table.iloc[place].to_dict(), missing


def _claimed(row: Mapping[Any, Any], *, done: bool) -> State:
    """Give the state that a ledger's words claim: mended is not signed off, it asks for review."""
    status = row["status"]
    if status == "signed_off" and all(row[name] is not None for name in PROOF):
        return State.CLOSED
    if done or status in {"closed", "signed_off"}:
        return State.REVIEW
    return State.MENDING if status == "ongoing" else State.FOUND


def _by_level(level: pd.Series[int], table: Mapping[str, Any]) -> pd.Series[Any]:
    numbers = {int(key): int(value) for key, value in table.items()}
    return level.map({0: min(numbers.values()), **numbers}).astype("Int64")


def _ledger(items: pd.DataFrame, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Take from the ledgers what the list leaves out."""
    names = ("person", "phone", "status", "closed", "listed", "reviewer", "evidence", "assessment")
    blank = pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    parts = [
        pd.DataFrame({name: filled(table, name) for name in names})
        for role in items[c.ROLE].unique()
        if role in layers and (table := layers[role].table) is not None
    ]
    joined = pd.concat(parts) if parts else blank
    return joined.reindex(items.index).astype(object).where(lambda frame: frame.notna(), None)


def _listed(
    values: pd.Series[Any], of_role: pd.Series[str], roles: Mapping[str, Role]
) -> pd.Series[Any]:
    """Show the level that lists an item, by the words of its role."""
    words = {
        (name, choice.value): choice.label
        for name in of_role.unique()
        if (field := roles[name].field("listed")) is not None
        for choice in field.choices
    }
    entries = [words.get((name, value), value) for name, value in zip(of_role, values, strict=True)]
    return pd.Series(entries, index=values.index, dtype=object)

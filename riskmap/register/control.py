"""管控一张表: every item with who does what by when, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap.i18n import Text, text
from riskmap.layers.layer import filled
from riskmap.vocabulary import columns as c
from riskmap.vocabulary.roles import Label

if TYPE_CHECKING:
    from riskmap.layers.layer import Layer
    from riskmap.vocabulary.presets import Presets
    from riskmap.vocabulary.roles import Role

STATES: Final[Mapping[str, Label]] = {
    "found": Label("found, to be reported", zh="待上报"),
    "reported": Label("reported", zh="已上报"),
    "assigned": Label("assigned", zh="已派单"),
    "mending": Label("being mended", zh="整改中"),
    "review": Label("asked for review", zh="申请复核"),
    "closed": Label("signed off", zh="已销号"),
}
"""States on the way to signing off; no way leads there without reviewer and date."""
TIERS: Final[Mapping[str, Label]] = {
    "city": Label("city", zh="市级"),
    "county": Label("county", zh="县（区）级"),
    "town": Label("town", zh="镇（街）级"),
    "village": Label("village", zh="村（社区）级"),
    "enterprise": Label("enterprise", zh="企业"),
}
LABELS: Final[Mapping[str, Text]] = {
    "control_tier": text("Control tier"),
    "emergency": text("Emergency measure"),
    "reported_at": text("Reported on"),
    "report_hours": text("Hours to report"),
    "made_public": text("Made public"),
    "spot_check": text("Spot check"),
    "reviewer": text("Reviewed by"),
    "closed_on": text("Signed off on"),
    "overdue": text("Overdue"),
    "listed": text("Listed by"),
    "patrol_days": text("Days between patrols"),
}
"""Headings of columns that other papers do not know; also in ``control.attrs["labels"]``."""
_TO_FILL: Final = ("reported_at", "spot_check", "reviewer")
_ORDER: Final = (
    "rank", c.ROLE, c.NAME, c.LEVEL, "district", "town", "village", "control_tier", "duty_unit",
    "person", "phone", "measure", "emergency", "patrol_days", "report_hours", "deadline",
    "deadline_days", "status", "reported_at", "made_public", "spot_check", "reviewer", "closed_on",
    "overdue", "listed", "missing",
)  # fmt: skip


def build_control(
    items: pd.DataFrame,
    layers: Mapping[str, Layer],
    roles: Mapping[str, Role],
    *,
    presets: Presets,
    data_date: str = "",
) -> pd.DataFrame:
    """Make the control table from the list: same items, same order.

    Parameters
    ----------
    items
        The list, as `build_items` made it.
    layers
        Checked layers by role, for persons, phones and dates.
    roles
        All roles.
    presets
        The run's presets: tier, hours to report and days between patrols by level.
    data_date
        Date of the data, ISO; without it nothing can be overdue.

    Returns
    -------
    DataFrame
        One row an item, index ``item_id``; blanks to be filled in stay blank and are listed in
        ``missing``.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> from riskmap.register.items import build_items
    >>> presets = load_presets()
    >>> items = build_items({}, {}, None, None, presets=presets)
    >>> "overdue" in build_control(items, {}, {}, presets=presets).columns
    True
    """
    table = _filled_in(items, layers, roles, presets)
    for name in _TO_FILL:
        table[name] = pd.Series([None] * len(table), index=items.index, dtype=object)
    table["overdue"] = overdue(table["deadline"], table["closed_on"], data_date=data_date)
    table = table[list(_ORDER)]
    table.attrs["labels"] = dict(LABELS)
    table.attrs["choices"] = {
        "status": tuple(STATES.values()),
        "control_tier": tuple(TIERS.values()),
    }
    return table


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
    for name in ("person", "phone"):
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
        STATES["review" if done else "mending" if row == "ongoing" else "found"]
        for row, done in zip(ledger["status"], closed.notna(), strict=True)
    ]
    table["status"] = pd.Series(states, index=items.index, dtype=object)
    table["listed"] = _listed(ledger["listed"], items[c.ROLE], roles)
    table["made_public"] = pd.Series(data=False, index=items.index, dtype=bool)
    return table


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


def _by_level(level: pd.Series[int], table: Mapping[str, Any]) -> pd.Series[Any]:
    numbers = {int(key): int(value) for key, value in table.items()}
    return level.map({0: min(numbers.values()), **numbers}).astype("Int64")


def _ledger(items: pd.DataFrame, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Take from the ledgers what the list leaves out."""
    names = ("person", "phone", "status", "closed", "listed")
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

"""What has changed: from one year to the next, and in the bulletin of a week or a month."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from pyproj import Geod

from riskmap.i18n import Text, text
from riskmap.register import events as e
from riskmap.register.merge import HEADINGS as FORM_HEADINGS
from riskmap.register.merge import shown, shown_event, with_days
from riskmap.result import Earlier
from riskmap.vocabulary.columns import PLAIN_MARK, WGS84
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.vocabulary.roles import Role


MOVED_M: Final = 30.0
"""An item that stands further from where it stood has moved [m]."""
TITLES: Final[Mapping[str, Text]] = {
    "overview": text("Overview"),
    "units": text("Units that change class"),
    "items": text("Items that change"),
    "carried": text("Carried over"),
    "scorecard": text("Scorecard of both years"),
}
"""Tables of a comparison, in their order."""
HEADINGS: Final[Mapping[str, Text]] = {
    "what": text("What"), "before": text("Before"), "after": text("After"),
    "change": text("Change"), "unit_id": text("Unit code"), "name": text("Name"),
    "level": text("Level of the unit"), "class_before": text("Class before"),
    "class_after": text("Class after"), "score_before": text("Score before"),
    "score_after": text("Score after"), "score_change": text("Change of the score"),
    "cause": text("What moved it most"), "item_id": text("Item id"), "role": text("Kind"),
    "kind": text("What happened"), "grade_before": text("Grade before"),
    "grade_after": text("Grade after"), "metres": text("Metres moved"),
    "town": text("Town or street"),
    "deadline": text("Deadline"), "duty_unit": text("Duty unit"), "status": text("Status"),
    "measure": text("Name of the measure"), "unit_name": text("Reporting unit"),
}  # fmt: skip
"""Headings of those tables."""


def compare(
    old: Mapping[str, pd.DataFrame], new: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Compare two results table by table.

    Parameters
    ----------
    old, new
        Tables ``units``, ``unit_indicators``, ``items``, ``control`` and, where there is one,
        ``scorecard`` of each result, as its GeoPackage has them.

    Returns
    -------
    dict
        Tables by the names of `TITLES`.
    """
    units = compare_units(old, new)
    old, new = _lasting(old), _lasting(new)
    items = compare_items(old["items"], new["items"], was=_signed(old), now=_signed(new))
    carried = carried_over(old["control"], new["control"])
    found = {
        "overview": _overview(old, new, units, items, carried),
        "units": units,
        "items": items,
        "carried": carried,
    }
    if "scorecard" in old and "scorecard" in new:
        found["scorecard"] = compare_scorecards(old["scorecard"], new["scorecard"])
    return found


def since(
    old: Mapping[str, pd.DataFrame],
    new: Mapping[str, pd.DataFrame],
    *,
    name: str,
    same_scale: bool,
) -> Earlier:
    """Set a result against an earlier one, for the map.

    Parameters
    ----------
    old, new
        Tables ``units``, ``unit_indicators``, ``items`` and, where there is one, ``signed_off``.
    name
        What the earlier result is called.
    same_scale
        Whether both have the same goalposts, weights and class limits.

    Returns
    -------
    Earlier
        Changes of items have the place where the item stands, or stood.
    """
    old, new = _lasting(old), _lasting(new)
    items = compare_items(old["items"], new["items"], was=_signed(old), now=_signed(new))
    spots = pd.concat([new["items"], old["items"]])[["item_id", "lon", "lat"]]
    known = spots.drop_duplicates("item_id").set_index("item_id").astype(float)
    return Earlier(
        name=name,
        same_scale=same_scale,
        units=old["units"].set_index("unit_id")[["score", "class"]],
        changed=compare_units(old, new),
        items=items.join(known, on="item_id"),
    )


def _lasting(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Leave out the moved places of a public edition: their ids hold for one edition alone."""
    mark = f"-{PLAIN_MARK}"
    return {
        name: table[~table["item_id"].astype(str).str.contains(mark, regex=False)]
        if name in ("items", "control", "signed_off")
        else table
        for name, table in tables.items()
    }


def compare_units(old: Mapping[str, pd.DataFrame], new: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """List units whose class changes, with the indicator that moved most beside each.

    Parameters
    ----------
    old, new
        Tables ``units`` and ``unit_indicators``.

    Returns
    -------
    DataFrame
        One row a unit of both results whose class differs, largest change of score first; units of
        one result alone are listed with the other side blank.
    """
    columns = ["name", "level", "class", "score"]
    left = old["units"].set_index("unit_id")[columns]
    right = new["units"].set_index("unit_id")[columns]
    both = left.add_suffix("_before").join(right.add_suffix("_after"), how="outer")
    frame = pd.DataFrame(
        {
            "unit_id": both.index,
            "name": both["name_after"].fillna(both["name_before"]).to_numpy(),
            "level": both["level_after"].fillna(both["level_before"]).to_numpy(),
            "class_before": both["class_before"].astype("Int64").to_numpy(),
            "class_after": both["class_after"].astype("Int64").to_numpy(),
            "score_before": both["score_before"].to_numpy(float),
            "score_after": both["score_after"].to_numpy(float),
        }
    )
    frame["score_change"] = frame["score_after"] - frame["score_before"]
    frame["cause"] = _causes(old["unit_indicators"], new["unit_indicators"], frame["unit_id"])
    same = (frame["class_before"] == frame["class_after"]).fillna(value=False).to_numpy(bool)
    changed = frame[~same]
    order = changed["score_change"].abs().fillna(np.inf).sort_values(ascending=False, kind="stable")
    return changed.loc[order.index].reset_index(drop=True)


def _causes(old: pd.DataFrame, new: pd.DataFrame, units: pd.Series[Any]) -> list[str]:
    """Name for each unit the indicator that moved most, by the spread over all units."""
    left, right = old.set_index("unit_id"), new.set_index("unit_id")
    codes = [c for c in right.columns if c in left and pd.api.types.is_numeric_dtype(right[c])]
    spread = pd.concat([left[codes], right[codes]]).std().replace(0.0, np.nan)
    moved = ((right[codes] - left[codes]) / spread).reindex(units)
    found = []
    for row in moved.to_numpy(float):
        if not np.isfinite(row).any() or np.nanmax(np.abs(row)) < 1e-9:
            found.append("")
            continue
        most = int(np.nanargmax(np.abs(row)))
        found.append(f"{codes[most]} {'+' if row[most] > 0 else '-'}")
    return found


def _signed(tables: Mapping[str, pd.DataFrame]) -> frozenset[str]:
    """Name the items that a result has as signed off."""
    return frozenset(tables["signed_off"]["item_id"]) if "signed_off" in tables else frozenset()


def compare_items(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    was: Collection[str] = (),
    now: Collection[str] = (),
) -> pd.DataFrame:
    """Tell items that are new, signed off, come up again, gone, re-graded, renamed or moved.

    Parameters
    ----------
    old, new
        Tables ``items``.
    was, now
        Items signed off by then, and by now.

    Returns
    -------
    DataFrame
        One row a change; an item that is re-graded and moved has two.
    """
    left, right = old.set_index("item_id"), new.set_index("item_id")
    rows = [
        _item(
            text("come up again") if key in was else text("new"),
            key,
            right.loc[key],
            after=right.loc[key, "level"],
        )
        for key in right.index.difference(left.index)
    ]
    rows += [
        _item(
            text("signed off") if key in now else text("no longer listed"),
            key,
            left.loc[key],
            before=left.loc[key, "level"],
        )
        for key in left.index.difference(right.index)
    ]
    both = right.index.intersection(left.index)
    metres = _metres(left.loc[both], right.loc[both])
    for key, far in zip(both, metres, strict=True):
        a, b = left.loc[key], right.loc[key]
        if a["level"] != b["level"]:
            word = (
                text("graded higher")
                if (b["level"] or 0) > (a["level"] or 0)
                else text("graded lower")
            )
            rows.append(_item(word, key, b, before=a["level"], after=b["level"]))
        if a["name"] != b["name"]:
            rows.append(_item(text("renamed"), key, b, before=a["level"], after=b["level"]))
        if far > MOVED_M:
            row = _item(text("moved"), key, b, before=a["level"], after=b["level"])
            rows.append(row | {"metres": round(far)})
    names = ["kind", "item_id", "role", "name", "town", "grade_before", "grade_after", "metres"]
    return pd.DataFrame(rows, columns=names)


def _item(
    kind: Text, key: str, row: Any, *, before: Any = None, after: Any = None
) -> dict[str, Any]:
    return {
        "kind": kind, "item_id": key, "role": row["role"], "name": row["name"],
        "town": row.get("town"), "grade_before": before, "grade_after": after, "metres": None,
    }  # fmt: skip


def _metres(old: pd.DataFrame, new: pd.DataFrame) -> NDArray[np.float64]:
    """Metres between two places of each item, on the ellipsoid; 0 where one is unknown."""
    at = [frame[name].to_numpy(float) for frame in (old, new) for name in ("lon", "lat")]
    known = np.isfinite(np.stack(at)).all(axis=0) if len(old) else np.zeros(0, bool)
    metres = np.zeros(len(old))
    if known.any():
        one, two, three, four = (values[known] for values in at)
        metres[known] = Geod(ellps="WGS84").inv(one, two, three, four)[2]
    return metres


def change_layers(
    old: Mapping[str, pd.DataFrame],
    new: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, gpd.GeoDataFrame]:
    """Put what changed on the map: units, items, and what is carried over.

    Parameters
    ----------
    old, new
        Tables of each result as `compare` takes them, ``units`` with outlines.
    tables
        What `compare` made of them.

    Returns
    -------
    dict
        ``units``, ``items`` and ``carried``, in WGS 84; ``kind`` says what happened. Things of one
        result alone stand where that has them.
    """
    import geopandas as gpd

    outlines = pd.concat(
        [one["units"].set_index("unit_id").geometry.to_crs(WGS84) for one in (new, old)]
    )
    spots = pd.concat([new["items"], old["items"]]).drop_duplicates("item_id").set_index("item_id")
    points = gpd.GeoSeries.from_xy(
        spots["lon"].astype(float), spots["lat"].astype(float), index=spots.index, crs=WGS84
    )
    known = {
        "unit_id": outlines[~outlines.index.duplicated()],
        "item_id": points[spots["lon"].notna().to_numpy()],
    }
    rise = tables["units"]["class_after"] - tables["units"]["class_before"]
    words = [
        str(ALONE if value != value else UNIT_KINDS[int(value > 0)]) for value in rise.astype(float)
    ]
    found = {
        "units": tables["units"].assign(kind=words),
        "items": tables["items"],
        "carried": tables["carried"],
    }
    return {
        name: gpd.GeoDataFrame(
            table.assign(**{c: table[c].map(str) for c in ("kind", "status") if c in table}),
            geometry=known[key].reindex(table[key]).to_numpy(),
            crs=WGS84,
        )
        for name, table in found.items()
        for key in (("unit_id" if name == "units" else "item_id"),)
    }


ALONE: Final = text("one result alone")
UNIT_KINDS: Final = (text("falls in class"), text("rises in class"))
KINDS: Final = (
    text("new"), text("come up again"), text("signed off"), text("no longer listed"),
    text("graded higher"), text("graded lower"), text("renamed"), text("moved"),
)  # fmt: skip
"""What may happen to an item from one result to the next."""


def carried_over(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """List items that were open then and are open still.

    Parameters
    ----------
    old, new
        Tables ``control``.

    Returns
    -------
    DataFrame
        item_id, role, name, town, deadline, duty_unit, status, as they stand now.
    """
    names = ["item_id", "role", "name", "town", "deadline", "duty_unit", "status"]
    kept = new[new["item_id"].isin(set(old["item_id"]))]
    return kept[[name for name in names if name in kept]].reset_index(drop=True)


def compare_scorecards(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Set the measures of both years side by side.

    Parameters
    ----------
    old, new
        Tables ``scorecard``.

    Returns
    -------
    DataFrame
        measure, unit_name, before, after, change (in the measure's unit).
    """
    keys = ["code", "unit_name"]
    left = old.fillna({"unit_name": ""}).set_index(keys)
    right = new.fillna({"unit_name": ""}).set_index(keys)
    sides = (left[["measure", "value"]].add_suffix("_before"), right[["measure", "value"]])
    joined = sides[0].join(sides[1].add_suffix("_after"), how="outer")
    before, after = joined["value_before"].astype(float), joined["value_after"].astype(float)
    return pd.DataFrame(
        {
            "measure": joined["measure_after"].fillna(joined["measure_before"]).to_numpy(),
            "unit_name": joined.index.get_level_values("unit_name"),
            "before": before.to_numpy(),
            "after": after.to_numpy(),
            "change": (after - before).round(6).to_numpy(),
        }
    )


def _overview(
    old: Mapping[str, pd.DataFrame],
    new: Mapping[str, pd.DataFrame],
    units: pd.DataFrame,
    items: pd.DataFrame,
    carried: pd.DataFrame,
) -> pd.DataFrame:
    """Count on one page."""
    rows: list[list[Any]] = [
        [text("items on the list"), len(old["items"]), len(new["items"])],
        [text("items of grade 4"), *(int((t["items"]["level"] == 4).sum()) for t in (old, new))],
        [text("units of class 4"), *(int((t["units"]["class"] == 4).sum()) for t in (old, new))],
        [
            text("units that rise in class"),
            None,
            int((units["class_after"] > units["class_before"]).sum()),
        ],
        [
            text("units that fall in class"),
            None,
            int((units["class_after"] < units["class_before"]).sum()),
        ],
        [text("items carried over"), None, len(carried)],
    ]
    counts = items["kind"].map(str).value_counts()
    rows += [[kind, None, int(n)] for kind, n in counts.items()]
    return pd.DataFrame(rows, columns=["what", "before", "after"])


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
        "select item_id, changes from events where on_date <= ? and item_id in "
        "(select item_id from events where kind = 'listed' and on_date <= ?) order by seq",
        (on, on),
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
            str(FORM_HEADINGS[column]): [shown(column, value, roles) for value in rows[column]]
            for column in _SHOWN
        }
        made[str(SHEETS[name])] = pd.DataFrame(columns, dtype=object)
    steps: list[dict[Any, Any]] = found.sheets["steps"].to_dict(orient="records")
    said = [
        [step["on"], step["item_id"], shown_event({**step, "on": ""}).strip()] for step in steps
    ]
    names = [str(text("Date")), str(FORM_HEADINGS["item_id"]), str(text("What happened"))]
    made[str(SHEETS["steps"])] = pd.DataFrame(said, columns=names, dtype=object)
    return made


def reminders(
    found: Bulletin,
    *,
    project: str,
    roles: Mapping[str, Role],
    tasks: pd.DataFrame | None = None,
    within: int = 30,
) -> dict[str, Any]:
    """Make a letter for each unit that has an item or a task overdue or due next.

    Parameters
    ----------
    found
        The bulletin.
    project
        Name of the project.
    roles
        All roles.
    tasks
        Tasks that are not done, as `checks` lists them; None where no ledger of them is kept.
    within
        Days after the bulletin's last day in which a task is due next.

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
    due = _due_tasks(tasks, found.until, within)
    of_unit = rows[found.by].fillna("").astype(str)
    for unit in sorted({*of_unit, *due["unit_name"]}):
        mine, todo = rows[of_unit == unit], due[due["unit_name"] == unit]
        late = int(mine["overdue"].fillna(value=False).sum()) + int((todo["left"] < 0).sum())
        lines = [
            str(text("{project}: reminder", project=project)),
            str(text("To: {unit}", unit=unit_name(found.by, str(unit), roles))),
            str(
                text(
                    "On {day} {n} items in your charge are overdue or due next, {late} of them "
                    "overdue. Please mend them, report and ask for review.",
                    day=found.until, n=len(mine) + len(todo), late=late,
                )
            ),
        ]  # fmt: skip
        table = pd.DataFrame(
            {str(FORM_HEADINGS[c]): [shown(c, value, roles) for value in mine[c]] for c in columns},
            dtype=object,
        )
        told = zip(*(todo[c] for c in ("name", "fault", "deadline", "left", "task_kind")),
                   strict=True)  # fmt: skip
        more = [
            [str(text("task")), name, "", "", fault, day, left, kind]
            for name, fault, day, left, kind in told
        ]
        table = pd.concat([table, pd.DataFrame(more, columns=table.columns, dtype=object)])
        made[unit_name(found.by, unit, roles)] = (lines, table.reset_index(drop=True))
    return made


def _due_tasks(tasks: pd.DataFrame | None, until: str, within: int) -> pd.DataFrame:
    """Give the tasks that are overdue or due next, with the days left."""
    import pandas as pd

    names = ["unit_name", "name", "task_kind", "deadline", "fault", "left"]
    if tasks is None or not len(tasks):
        return pd.DataFrame(columns=names).astype({"unit_name": object, "left": int})
    day = days_of(tasks["deadline"], last=True)
    left = (day - pd.Timestamp(until)).dt.days
    found = tasks.fillna("").assign(left=left, fault=tasks["fault"].astype(str))
    found = found[(left <= within).to_numpy(bool) & (tasks["finished"].fillna("") == "")]
    return found.assign(left=found["left"].astype(int))[names]

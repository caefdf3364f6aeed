"""Year to year: what is new, closed, moved, re-graded, and what is carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from pyproj import Geod

from riskmap.i18n import Text, text
from riskmap.result import Earlier
from riskmap.vocabulary.columns import PLAIN_MARK, WGS84

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray


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

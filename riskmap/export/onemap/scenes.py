"""What the page shows of a scenario: water in classes of depth, closed roads, danger areas."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from riskmap.export.onemap.collect import numbers, unit_levels
from riskmap.export.onemap.features import column, is_points, lines_part, shown
from riskmap.i18n import Text, both, text
from riskmap.result import Plan, of_state, states_of
from riskmap.vocabulary.columns import LEVEL, WGS84, words_of
from riskmap.vocabulary.grade import LEVEL_NAMES
from riskmap.vocabulary.marks import bands, changes, marks, palettes
from riskmap.vocabulary.presets import load_presets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from riskmap.export.onemap.pack import Packer

__all__ = [
    "depth_classes", "earlier_part", "live_layers", "plan_parts", "scenario_layers",
    "scenario_parts",
]  # fmt: skip

_SAID: Mapping[str, Callable[[Any], Any]] = {
    "people": lambda n: text("{n} people", n=f"{n:.0f}"),
    "mode": lambda word: words_of("mode").get(word, word),
    "minutes": lambda n: text("{n} min", n=f"{n:.1f}"),
    "other_minutes": lambda n: text("{n} min", n=f"{n:.1f}"),
    "places": lambda n: text("room for {n} people", n=f"{n:.0f}"),
    "reason": lambda word: word,
}
"""Columns that are said behind a row's label, in this order."""


def _both_or_plain(value: Any) -> dict[str, str]:
    return both(value) if isinstance(value, Text) else {"zh": str(value), "en": str(value)}


def plan_parts(plans: Mapping[str, Plan], packer: Packer) -> list[dict[str, Any]]:
    """Describe the map layers that plans carry, those of each scenario by themselves.

    Parameters
    ----------
    plans
        ``Result.plans``; the layers of a plan have the columns ``kind`` (``coverage``, ``route``,
        ``assignment``, ``site``, ``closure``) and ``label``, and optionally ``scenario``, ``band``
        (1 = best; 5 covered by none, 6 to 8 lost, 9 cut off), ``when`` (``before`` or ``after``
        the proposed sites; empty: both), ``time_min`` (minutes from the start; the page draws the
        row from then on), and what is said behind the label: ``people``, ``mode``, ``minutes``,
        ``places``, ``reason``.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header; the id is ``PLAN/LAYER``, in a scenario ``PLAN@SCENARIO/LAYER``.
    """
    out = []
    for name, plan in plans.items():
        whole = {
            key: frame[frame.geometry.notna() & ~frame.geometry.is_empty]
            for key, frame in plan.layers.items()
        }
        for scenario in dict.fromkeys(s for frame in whole.values() for s in states_of(frame)):
            owner = f"{name}@{scenario}" if scenario else name
            for key, frame in whole.items():
                rows = of_state(frame, scenario)
                if len(rows):
                    title = plan.titles.get(key, key)
                    out.append(layer_part(f"{owner}/{key}", title, rows, packer))
    return out


def layer_part(key: str, title: Any, frame: Any, packer: Packer) -> dict[str, Any]:
    """Describe one map layer of a plan.

    Parameters
    ----------
    key
        Its id on the page.
    title
        What it is called.
    frame
        Rows with geometry, as `plan_parts` takes them.
    packer
        Takes the arrays.

    Returns
    -------
    dict
        JSON header.
    """
    shapes = frame.geometry.to_crs(WGS84)
    points = is_points(frame)
    spots = shapes if points else frame.geometry.representative_point().to_crs(WGS84)
    bands = numbers(frame["band"]) if "band" in frame else np.ones(len(frame))
    labels = column(frame["label"], packer, numeric=False) if "label" in frame else None
    kinds = _texts(frame, "kind", "route")
    part: dict[str, Any] = {
        "id": key,
        **_both_or_plain(title),
        "n": len(frame),
        "kinds": sorted(set(kinds)),
        "kind": packer.strings(kinds),
        "label": labels,
        "scenario": packer.strings(_texts(frame, "scenario", "")),
        "band": packer.array(np.clip(np.nan_to_num(bands), 0, 9).astype(np.uint8)),
        **_times(frame, packer),
        **_said(frame, packer),
        **({"when": packer.strings(_texts(frame, "when", ""))} if "when" in frame else {}),
        "lon": packer.places(spots.x.to_numpy(), digits=6),
        "lat": packer.places(spots.y.to_numpy(), digits=6),
        "points": points,
    }
    if not points:
        part["shape"] = lines_part(frame, packer)
    return part


def _said(frame: pd.DataFrame, packer: Packer) -> dict[str, Any]:
    """Pack what is said behind the labels: people, mode, minutes, room, the reason."""
    names = [name for name in _SAID if name in frame]
    if not names:
        return {}
    words = [
        [_SAID[name](value) for name, value in zip(names, row, strict=True) if _there(value)]
        for row in zip(*(frame[name] for name in names), strict=True)
    ]
    return {"said": column(pd.Series(words, dtype=object), packer, numeric=False)}


def _there(value: Any) -> bool:
    """Say whether a cell holds anything."""
    return isinstance(value, Text) or not (pd.isna(value) or value == "")


def _times(frame: pd.DataFrame, packer: Packer) -> dict[str, Any]:
    """Pack the minutes from the start at which each row comes into sight, if the layer has them."""
    if "time_min" not in frame:
        return {}
    since = {"since": frame["since"].iloc[0]} if "since" in frame and len(frame) else {}
    return {"time": packer.array(numbers(frame["time_min"]).astype(np.float32)), **since}


def _texts(frame: pd.DataFrame, name: str, blank: str) -> Sequence[str]:
    """Take a text column, or the same word for every row."""
    return [shown(v, "zh") for v in frame[name]] if name in frame else [blank] * len(frame)


LIMITS: Final = "flood.map_depth_m"
_FINEST: Final = 8
"""A cell is split at most so many times along each side."""
_MOST: Final = 4_000_000
"""Most places of a raster of water on the page."""


def _limits(result: Any) -> list[float]:
    """Take the limits of the depth classes from the presets of the run."""
    found = [preset.value for preset in result.presets if preset.key == LIMITS]
    if not found:
        found = [load_presets()[LIMITS]]
    return [float(limit) for limit in found[0]]


def _split(grid: Any, rasters: Any) -> int:
    """Choose into how many parts a cell is split, so that pixels of the raster show."""
    from pyproj import CRS

    if not rasters:
        return 1
    metres = [111_320.0 if CRS(raster.crs).is_geographic else 1.0 for raster in rasters]
    finest = min(m * abs(raster.transform[0]) for m, raster in zip(metres, rasters, strict=True))
    rows, cols = grid.shape
    most = int(np.sqrt(_MOST / (rows * cols)))
    return int(max(1, min(round(grid.size_m / finest), _FINEST, most)))


def depth_classes(result: Any, scenario: Any) -> tuple[NDArray[np.uint8], int] | None:
    """Put the water of a scenario into classes of depth, on the run's grid split finer.

    Parameters
    ----------
    result
        The run's result.
    scenario
        The scenario.

    Returns
    -------
    tuple or None
        Class of each place (0 = dry, shallower than the first limit, or unknown), shape
        (ny * k, nx * k), and k; None without depths.
    """
    if scenario.depth_m is None:
        return None
    limits = _limits(result)
    k = _split(result.grid, scenario.depths)
    depth = np.asarray(scenario.depth_m, np.float32)
    if scenario.depths:
        depth = _resampled(result.grid, scenario.depths, k)
    classes = np.searchsorted(limits, np.nan_to_num(depth, nan=-1.0), side="right")
    return classes.astype(np.uint8), k


def _resampled(grid: Any, rasters: Any, k: int) -> NDArray[np.float32]:
    """Take the pixel under each place; of tiles that overlap the first known one counts."""
    from affine import Affine
    from rasterio.warp import Resampling, reproject

    rows, cols = grid.shape
    out = np.full((rows * k, cols * k), np.nan, np.float32)
    a, b, c, d, e, f = tuple(grid.transform)[:6]
    target = Affine(a / k, b / k, c, d / k, e / k, f)
    for raster in rasters:
        tile = np.full_like(out, np.nan)
        reproject(
            np.asarray(raster.values, np.float32), tile,
            src_transform=Affine(*raster.transform), src_crs=raster.crs,
            dst_transform=target, dst_crs=str(grid.crs),
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.nearest,
        )  # fmt: skip
        out = np.where(np.isnan(out), tile, out)
    return out


def scenario_parts(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe the scenarios; water goes to blocks of its own.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header.
    """
    parts = []
    for scenario in result.scenarios.values():
        part: dict[str, Any] = {
            "name": scenario.name, "rain_mm": scenario.rain_mm, "hours": scenario.hours,
        }  # fmt: skip
        found = depth_classes(result, scenario)
        if found is not None and found[0].any():
            classes, k = found
            part["water"] = {
                "k": k,
                "rows": classes.shape[0],
                "cols": classes.shape[1],
                "limits": _limits(result),
                "classes": packer.array(classes.ravel(), block=packer.block()),
            }
        parts.append(part)
    return parts


def scenario_layers(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe closed roads and danger areas of the scenarios, as map layers of plans are.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header; the ids begin with ``scenario/``.
    """
    parts = []
    for number, scenario in enumerate(result.scenarios.values(), start=1):
        for kind, table, title in (
            ("closure", scenario.closures, text("Closed roads")),
            ("danger_area", scenario.danger_area, text("Danger areas")),
        ):
            if table is None or not len(table):
                continue
            frame = gpd.GeoDataFrame(
                {"kind": kind, "label": _labels(table, title), "scenario": scenario.name},
                geometry=table.geometry.to_numpy(),
                crs=table.crs,
            )
            there = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
            if len(there):
                parts.append(layer_part(f"scenario/{number}/{kind}", title, there, packer))
    return parts


def _labels(table: gpd.GeoDataFrame, title: Text) -> list[Text]:
    """Name every object by what it is and, where it has one, its name."""
    names = table["name"] if "name" in table else pd.Series("", index=table.index)
    return [
        text("{what}: {name}", what=title, name=name) if isinstance(name, str) and name else title
        for name in names
    ]


def earlier_part(result: Any, packer: Packer) -> dict[str, Any] | None:
    """Describe the earlier result that this one is compared with.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    dict or None
        ``name``, ``scale`` (the same goalposts and limits), ``classes`` (0 unknown or not there
        then) and ``scores`` of the units, ``items``:
        counts of what happened to items; None without one.
    """
    old = result.earlier
    if old is None:
        return None
    units = old.units.reindex(result.units.index)
    counts = old.items["kind"].map(_both_or_plain) if len(old.items) else []
    said: dict[str, dict[str, Any]] = {}
    for names in counts:
        said.setdefault(names["en"], {**names, "n": 0})["n"] += 1
    return {
        "name": old.name,
        "scale": old.same_scale,
        "classes": packer.array(np.nan_to_num(numbers(units["class"])).astype(np.uint8)),
        "scores": packer.array(numbers(units["score"])),
        "items": list(said.values()),
    }


_NOW: Final = {"found": "new", "closed": "closed"}
"""State of the register to the mark of an item in it; others are on their way."""


def live_layers(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe what has changed since an earlier result, and the register's events by their dates.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header, as plans' layers are; the ids ``earlier/units``, ``earlier/items``,
        ``register/events``.
    """
    layers: list[tuple[str, Text, gpd.GeoDataFrame]] = []
    if result.earlier is not None:
        layers = [
            ("earlier/units", text("Units that changed class"),
             _changed_units(result)),
            ("earlier/items", text("Items that changed"),
             _changed_items(result)),
        ]  # fmt: skip
    if result.steps is not None and len(result.steps):
        layers.append(("register/events", text("Register: states by date"), _events(result)))
    return [layer_part(key, title, rows, packer) for key, title, rows in layers if len(rows)]


def _changed_units(result: Any) -> gpd.GeoDataFrame:
    """Outline the finest units whose class rose or fell."""
    units, changed = result.units, result.earlier.changed
    finest = unit_levels(units)[-1]
    known = changed[
        changed["unit_id"].isin(units.index[units[LEVEL] == finest])
        & (changed["class_before"].fillna(0) > 0)
        & (changed["class_after"].fillna(0) > 0)
    ]
    labels = [
        text("{name} {before}→{after}", name=row.name, before=LEVEL_NAMES[int(row.class_before)],
             after=LEVEL_NAMES[int(row.class_after)])
        for row in known[["name", "class_before", "class_after"]].itertuples(index=False)
    ]  # fmt: skip
    rose = known["class_after"] > known["class_before"]
    return gpd.GeoDataFrame(
        {"kind": np.where(rose, "worse", "better"), "label": labels},
        geometry=units.geometry.reindex(known["unit_id"]).to_numpy(),
        crs=units.crs,
    )


def _changed_items(result: Any) -> gpd.GeoDataFrame:
    """Mark items that are new, closed, moved or graded anew where they stand, or stood."""
    rows = result.earlier.items.dropna(subset=["lon", "lat"])
    there = rows["item_id"].isin(result.items.index)
    fresh = there & rows["grade_before"].isna()
    kinds = np.where(~there, "closed", np.where(fresh, "new", "changed"))
    labels = [
        text("{name} ({what})", name=name, what=what)
        for name, what in zip(rows["name"], rows["kind"], strict=True)
    ]
    return gpd.GeoDataFrame(
        {"kind": kinds, "label": labels},
        geometry=gpd.points_from_xy(rows["lon"].astype(float), rows["lat"].astype(float)),
        crs=WGS84,
    )


def _events(result: Any) -> gpd.GeoDataFrame:
    """Mark each dated state of the register's items; the last drawn is the latest."""
    rows = result.steps.assign(day=pd.to_datetime(result.steps["on"], errors="coerce"))
    rows = rows.dropna(subset=["day", "x", "y"])
    days = rows["day"]
    labels = [
        text("{name} {day} {state}", name=name or item, day=day, state=word)
        for item, name, day, word in zip(
            rows["item_id"], rows["name"], rows["on"], rows["word"], strict=True
        )
    ]
    return gpd.GeoDataFrame(
        {
            "kind": [_NOW.get(state, "changed") for state in rows["state"]],
            "label": labels,
            "time_min": (days - days.min()).dt.days.to_numpy(float) * 1440,
            "since": days.min().date().isoformat() if len(days) else "",
        },
        geometry=gpd.points_from_xy(rows["x"], rows["y"]),
        crs=WGS84,
    )


def marks_part() -> dict[str, Any]:
    """Describe how the kinds of map objects look.

    Returns
    -------
    dict
        ``kinds`` (colour, width, dash, symbol, fill, own), ``palettes`` of the classes and
        ``bands`` (fill, edge), band 1 first.
    """
    return {
        "kinds": {kind: asdict(mark) for kind, mark in {**marks(), **changes()}.items()},
        "palettes": palettes(),
        "bands": [asdict(band) for band in bands()],
    }

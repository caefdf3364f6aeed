"""Map layers that plans carry: coverage, routes, assignments, proposed sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskmap.export.onemap.features import is_points, lines_part
from riskmap.export.onemap.fields import column, shown
from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.places import numbers
from riskmap.i18n import Text, both, text
from riskmap.vocabulary.columns import WGS84

__all__ = ["plan_parts"]

_MODES = {"walk": text("on foot"), "ride": text("by vehicle")}
_SAID: Mapping[str, Callable[[Any], Any]] = {
    "people": lambda n: text("{n} people", n=f"{n:.0f}"),
    "mode": lambda word: _MODES.get(word, word),
    "minutes": lambda n: text("{n} min", n=f"{n:.1f}"),
    "other_minutes": lambda n: text("{n} min", n=f"{n:.1f}"),
    "places": lambda n: text("room for {n} people", n=f"{n:.0f}"),
    "reason": lambda word: word,
}
"""Columns that are said behind a row's label, in this order."""


def _both_or_plain(value: Any) -> dict[str, str]:
    return both(value) if isinstance(value, Text) else {"zh": str(value), "en": str(value)}


def plan_parts(plans: Mapping[str, Any], packer: Packer) -> list[dict[str, Any]]:
    """Describe the map layers that plans carry.

    Parameters
    ----------
    plans
        ``Result.plans``; a plan may have ``map_layers``, a mapping of name to a GeoDataFrame with
        the columns ``kind`` (``coverage``, ``route``, ``assignment``, ``site``, ``closure``) and
        ``label``, and optionally ``band`` (1 = best; 5 covered by none, 6 to 8 lost, 9 cut off),
        ``when`` (``before`` or ``after`` the proposed sites; empty: both), ``scenario``,
        ``time_min`` (minutes from the start; the page draws the row from then on), and what is
        said behind the label: ``people``, ``mode``, ``minutes``, ``places``, ``reason``.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header.
    """
    out = []
    for plan, value in plans.items():
        layers: Mapping[str, Any] = getattr(value, "map_layers", None) or {}
        for name, frame in layers.items():
            whole = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
            if len(whole):
                out.append(_plan_part(f"{plan}/{name}", name, whole, packer))
    return out


def _plan_part(key: str, name: str, frame: Any, packer: Packer) -> dict[str, Any]:
    """Describe one map layer of a plan."""
    shapes = frame.geometry.to_crs(WGS84)
    points = is_points(frame)
    spots = shapes if points else frame.geometry.representative_point().to_crs(WGS84)
    bands = numbers(frame["band"]) if "band" in frame else np.ones(len(frame))
    labels = column(frame["label"], packer, numeric=False) if "label" in frame else None
    kinds = _texts(frame, "kind", "route")
    part: dict[str, Any] = {
        "id": key,
        **_both_or_plain(frame.attrs.get("title", name)),
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
    return {"time": packer.array(numbers(frame["time_min"]).astype(np.float32))}


def _texts(frame: pd.DataFrame, name: str, blank: str) -> Sequence[str]:
    """Take a text column, or the same word for every row."""
    return [shown(v, "zh") for v in frame[name]] if name in frame else [blank] * len(frame)

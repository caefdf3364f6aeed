"""Response rules: what must happen within how many seconds, and when a station leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.errors import UsageError
from riskmap.i18n import Text, text
from riskmap.presets.load import Presets

_TARGETS: Mapping[str, Text] = {
    "arrival_s": text("arrival"),
    "rescue_s": text("rescue under way"),
}


@dataclass(frozen=True)
class Target:
    """One time limit, counted from the call."""

    key: str
    seconds: float
    title: Text


@dataclass(frozen=True)
class Rule:
    """A response rule; the first target is the one that sites are planned for."""

    name: str
    response_s: float
    """Call handling and turn-out where a station gives none [s]."""
    targets: tuple[Target, ...]


def response_rule(presets: Presets, name: str = "linzi_135") -> Rule:
    """Read a response rule from the presets.

    Parameters
    ----------
    presets
        The run's presets.
    name
        Key under ``station.``, such as ``linzi_135``, ``fire_5min`` or ``circle_15min``.

    Returns
    -------
    Rule
        The rule, targets from short to long.

    Raises
    ------
    UsageError
        If the preset is no response rule.

    Examples
    --------
    >>> from riskmap.presets.load import load_presets
    >>> rule = response_rule(load_presets(), "linzi_135")
    >>> rule.response_s, [target.seconds for target in rule.targets]
    (60.0, [180.0, 300.0])
    """
    key = f"station.{name}"
    value: Any = None
    if key in presets:
        value = presets[key]
    if not isinstance(value, Mapping) or "arrival_s" not in value:
        known = [
            one.removeprefix("station.")
            for one in presets
            if one.startswith("station.")
            and isinstance(presets.preset(one).value, Mapping)
            and "arrival_s" in presets.preset(one).value
        ]
        raise UsageError(
            text(
                "{name} is no response rule; known are {known}",
                name=repr(name),
                known=", ".join(sorted(known)),
            )
        )
    targets = [
        Target(part, float(value[part]), title) for part, title in _TARGETS.items() if part in value
    ]
    return Rule(name, float(value.get("response_s", 0.0)), tuple(sorted(targets, key=_seconds)))


def _seconds(target: Target) -> float:
    return target.seconds


def turn_out(stations: pd.DataFrame, rule: Rule) -> NDArray[np.float64]:
    """Give the seconds between call and departure of every station.

    Parameters
    ----------
    stations
        Stations; ``response_s`` holds their own figure [s], if the column exists.
    rule
        Gives the figure where a station has none.

    Returns
    -------
    numpy.ndarray
        Shape (stations,) [s].
    """
    if "response_s" not in stations.columns:
        return np.full(len(stations), rule.response_s)
    own = pd.to_numeric(stations["response_s"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(own) & (own >= 0), own, rule.response_s)

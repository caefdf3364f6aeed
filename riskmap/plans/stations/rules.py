"""Response rules: what must happen within how many seconds, and when a station leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import ProjectError
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.vocabulary.presets import Presets

DEFAULT: Final = "station.response_s"
"""Call handling and turn-out of a rule that names none."""
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
    rule: str = ""
    """Preset that sets it."""
    response_s: float = 0.0
    """Call handling and turn-out where a station gives none [s]."""

    @property
    def minutes(self) -> str:
        """The limit in minutes, as read.

        Returns
        -------
        str
            Without needless digits.
        """
        return f"{self.seconds / 60:g}"


@dataclass(frozen=True)
class Rule:
    """Response rules; the first target is the one that sites are planned for."""

    name: str
    response_s: float
    """Call handling and turn-out under the first rule, where a station gives none [s]."""
    targets: tuple[Target, ...]
    further_s: float = 0.0
    """Ways are sought as far as this also where no target asks for it [s]."""

    @property
    def levels(self) -> tuple[Target, ...]:
        """Targets that ask for different things, from short to long.

        Returns
        -------
        tuple[Target, ...]
            One a level.
        """
        found: dict[tuple[float, float], Target] = {}
        for target in self.targets:
            found.setdefault((target.seconds, target.response_s), target)
        return tuple(found[key] for key in sorted(found))

    @property
    def own_longest(self) -> float:
        """The longest target of the first rule [s].

        Returns
        -------
        float
            Seconds.
        """
        return max(one.seconds for one in self.targets if one.rule == self.targets[0].rule)

    @property
    def longest(self) -> float:
        """The largest time that counts, on the clock of the first rule [s].

        Returns
        -------
        float
            Seconds.
        """
        late = [one.seconds + max(self.response_s - one.response_s, 0.0) for one in self.targets]
        return max(*late, self.further_s)


def response_rule(presets: Presets, names: str | Sequence[str] = "linzi_135") -> Rule:
    """Read response rules from the presets.

    Parameters
    ----------
    presets
        The run's presets.
    names
        Keys under ``station.``, such as ``linzi_135``, ``fire_5min`` or ``circle_15min``.

    Returns
    -------
    Rule
        The targets of each rule from short to long, in the order of the rules.

    Raises
    ------
    ProjectError
        If there is no rule, a preset is no response rule, or nothing is left for driving.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> rule = response_rule(load_presets(), ["linzi_135", "circle_15min"])
    >>> rule.response_s, [target.seconds for target in rule.targets]
    (60.0, [180.0, 300.0, 900.0])
    """
    wanted = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if not wanted:
        raise ProjectError(
            text("no response rule is named; known are {known}", known=", ".join(_known(presets)))
        )
    targets = [target for name in wanted for target in _one_rule(presets, name)]
    return Rule("+".join(wanted), targets[0].response_s, tuple(targets))


def _known(presets: Presets) -> list[str]:
    """List the presets that are response rules."""
    stations = [key for key in presets if key.startswith("station.")]
    values = {key.removeprefix("station."): presets.preset(key).value for key in stations}
    return sorted(
        name
        for name, value in values.items()
        if isinstance(value, Mapping) and _TARGETS.keys() & value.keys()
    )


def _one_rule(presets: Presets, name: str) -> list[Target]:
    """Read one rule."""
    key = f"station.{name}"
    value: Any = presets[key] if name in _known(presets) else {}
    if not value:
        known = ", ".join(_known(presets))
        raise ProjectError(
            text("{name} is no response rule; known are {known}", name=repr(name), known=known)
        )
    wait = _seconds(key, "response_s", value.get("response_s", presets[DEFAULT]))
    targets = []
    for part, title in _TARGETS.items():
        if part not in value:
            continue
        seconds = _seconds(key, part, value[part])
        if seconds <= wait:
            raise ProjectError(
                text(
                    "{key}: {part} of {seconds} s leaves nothing for driving after {wait} s of "
                    "call handling and turn-out; give a longer target",
                    key=key, part=part, seconds=f"{seconds:g}", wait=f"{wait:g}",
                )
            )  # fmt: skip
        targets.append(Target(part, seconds, title, name, wait))
    return sorted(targets, key=lambda target: target.seconds)


def _seconds(key: str, part: str, value: object) -> float:
    """Take a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if isfinite(number) and number >= 0:
            return number
    raise ProjectError(
        text(
            "{key}: {part} must be a number of seconds, 0 or more, not {value}",
            key=key, part=part, value=repr(value),
        )
    )  # fmt: skip


def own_turn_out(stations: pd.DataFrame) -> NDArray[np.float64]:
    """Give the stations' own seconds between call and departure.

    Parameters
    ----------
    stations
        Stations; ``response_s`` holds their own figure [s], if the column exists.

    Returns
    -------
    numpy.ndarray
        NaN where a station gives none, shape (stations,) [s].
    """
    import numpy as np
    import pandas as pd

    if "response_s" not in stations.columns:
        return np.full(len(stations), np.nan)
    own = pd.to_numeric(stations["response_s"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(own) & (own >= 0), own, np.nan)


def turn_out(stations: pd.DataFrame, rule: Rule) -> NDArray[np.float64]:
    """Give the seconds between call and departure of every station.

    Parameters
    ----------
    stations
        Stations, as in `own_turn_out`.
    rule
        Gives the figure where a station has none.

    Returns
    -------
    numpy.ndarray
        Shape (stations,) [s].
    """
    import numpy as np

    own = own_turn_out(stations)
    return np.where(np.isnan(own), rule.response_s, own)

"""Options of the plans with the presets behind them, and the rules by which stations respond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field

from riskmap.errors import ProjectError
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import (
    Count,
    Section,
    as_number_text,
    one_or_list,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.vocabulary.presets import Presets


class Standard(Section):
    """A standard of the office's own: who must be reached by how many crews within what time."""

    name: str = ""
    """What the papers call it; else the kind of places and the time."""
    places: Annotated[list[str], one_or_list(str)] = Field(min_length=1)
    """Kinds of places: ``population``, ``cells``, ``village`` or roles, one or a list."""
    where: dict[str, Annotated[list[str | int | float | bool], one_or_list(str, int, float)]] = (
        Field(default_factory=dict)
    )
    """Field of the role to the value or values of the rows that count; nothing: all."""
    arrival_s: float = Field(gt=0, le=86_400)
    """Seconds from the call within which the crews must have arrived."""
    response_s: float | None = Field(default=None, ge=0)
    """Call handling and turn-out where a station gives none; by default that of the first rule."""
    crews: int = Field(default=1, ge=1, le=100)
    """How many crews; a station sends as many as it has vehicles, one where it gives none."""
    stations: int = Field(default=1, ge=1, le=20)
    """From how many stations at least; 2 asks for the arrival of a second station."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the people or places that must be reached."""


class StationOptions(Section):
    """The station plan: which rules count, and where new stations may stand."""

    preset: Annotated[list[str], one_or_list(str)] = Field(
        default_factory=lambda: ["linzi_135", "fire_5min", "circle_15min"], min_length=1
    )
    """Response rules, one or a list; sites are planned for the first target of the first."""
    standards: list[Standard] = Field(default_factory=list)
    """Standards of the office's own by kind of place, which the report is held against."""
    vehicle: Literal["foot", "car", "truck", "high_clearance", "fire_engine", "boat"] = (
        "fire_engine"
    )
    """Vehicle of new stations, and of stations that give none."""
    model: Literal["mclp", "lscp", "lscp-b", "p-median", "p-center", "mexclp"] = "mclp"
    """Most people in time, fewest sites, the same with backup, least time, least worst, busy."""
    demand: Literal["population", "incidents"] = "population"
    """What counts: people, or incidents (role ``accident``)."""
    last_metres: bool = True
    """Time the way from the road to what lies beyond ``network.half_width_m``; else the road's."""
    robust: bool = False
    """Choose the sites whose largest loss against the best of each scenario is least (mclp)."""
    sites: int = Field(default=3, ge=0, le=50)
    """New stations to propose; 0 seeks none; lscp and lscp-b find their own number."""
    candidates: str = Field(default="cells", min_length=1)
    """Where they may stand: ``cells``, ``nodes`` of the roads, or a role of ``layers``."""
    candidate_limit: int | None = Field(default=None, ge=1, le=20_000)
    """Most cells or nodes compared: 20000; p-median, p-center 300, mexclp 1000; layers whole."""


Check = Literal[
    "status", "declared", "flood", "freeboard", "slope", "danger_area", "hazard_source", "capacity",
    "road", "appraisal", "ready",
]  # fmt: skip
REQUIRED: tuple[Check, ...] = get_args(Check)[:-2]


class RefugeOptions(Section):
    """The refuge plan: who goes where, which checks count, what is proposed."""

    preset: Literal["zhejiang_tiers"] | None = None
    """``zhejiang_tiers``: fill village refuges first, then town, then county ones."""
    whole: bool = False
    """Keep every group of people together instead of splitting it."""
    walk_min: float | None = Field(default=None, gt=0)
    """Longest walk [min]; preset ``refuge.walk_limit_min`` otherwise."""
    vehicle_min: float | None = Field(default=None, ge=0)
    """Longest ride [min], 0 = nobody rides; preset ``refuge.vehicle_limit_min`` otherwise."""
    per_capita_m2: float | None = Field(default=None, gt=0)
    """Effective area per person [m2]; otherwise by type, or ``refuge.zhejiang_per_capita_m2``."""
    assumed_capacity: int | None = Field(default=None, gt=0)
    """Places of a refuge that gives neither capacity nor area; otherwise it is not used."""
    require: tuple[Check, ...] = REQUIRED
    """Checks that a refuge must pass; others (``appraisal``, ``ready``) are only reported."""
    flood_level: Annotated[str | None, BeforeValidator(as_number_text)] = None
    """Highest historical level of water where the ledger has none: metres, or a raster."""
    warning_h: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Scenario to hours from the warning to the peak; preset ``refuge.warning_h`` otherwise."""
    new_sites: Annotated[list[Count], one_or_list(int, float)] = Field(default=[5])
    """New sites to propose; several numbers are phases: so many now, so many later."""
    site_model: Literal["c-mclp", "mclp", "p-median", "p-center", "c-p-median", "lscp"] = "c-mclp"
    """``c-mclp`` serves most people without a place; others weigh all, refuges in use fixed."""
    new_depots: int = Field(default=2, ge=0, le=20)
    """New supply depots to propose, among refuges of town and county."""
    draws: int = Field(default=100, ge=1, le=1000)
    """Noisy draws that tell how stable the chosen sites are."""
    candidates: str | None = None
    """Role whose places may become refuges; cells with people otherwise."""
    max_nodes: int = Field(default=2000, ge=1)
    """Nodes of each search for whole assignments or sites; not seconds, so that runs repeat."""


def walk_seconds(options: RefugeOptions, presets: Presets) -> float:
    """Give the longest walk [s].

    Parameters
    ----------
    options
        The plan's options.
    presets
        The run's presets.

    Returns
    -------
    float
        Seconds.
    """
    own = options.walk_min
    return 60.0 * float(presets["refuge.walk_limit_min"] if own is None else own)


def ride_seconds(options: RefugeOptions, presets: Presets) -> float:
    """Give the longest ride [s].

    Parameters
    ----------
    options
        The plan's options.
    presets
        The run's presets.

    Returns
    -------
    float
        Seconds; 0 when nobody rides.
    """
    own = options.vehicle_min
    return 60.0 * float(presets["refuge.vehicle_limit_min"] if own is None else own)


def phases(options: RefugeOptions) -> tuple[int, ...]:
    """Give the number of new sites of each phase.

    Parameters
    ----------
    options
        The plan's options.

    Returns
    -------
    tuple of int
        One number a phase, without empty ones.

    Examples
    --------
    >>> phases(RefugeOptions(new_sites=[2, 3]))
    (2, 3)
    """
    return tuple(k for k in options.new_sites if k > 0)


def warning_seconds(options: RefugeOptions, presets: Presets, scenario: str) -> float:
    """Give the time from the warning to the peak [s].

    Parameters
    ----------
    options
        The plan's options.
    presets
        The run's presets.
    scenario
        Name of the scenario.

    Returns
    -------
    float
        Seconds.
    """
    own = options.warning_h.get(scenario)
    return 3600.0 * float(presets["refuge.warning_h"] if own is None else own)


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

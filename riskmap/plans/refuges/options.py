"""Options of the refuge plan with the presets behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from riskmap.vocabulary.columns import Count, Section, as_number_text, as_numbers

if TYPE_CHECKING:
    from riskmap.vocabulary.presets import Presets


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
    new_sites: Annotated[list[Count], BeforeValidator(as_numbers)] = Field(default=[5])
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

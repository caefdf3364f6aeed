"""Options of the refuge plan, as the project file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from riskmap.errors import ProjectError
from riskmap.i18n import text

if TYPE_CHECKING:
    from riskmap.presets.load import Presets

Check = Literal[
    "status", "declared", "flood", "freeboard", "slope", "danger_area", "hazard_source", "capacity",
    "road", "appraisal", "ready",
]  # fmt: skip
REMINDERS = ("appraisal", "ready")
"""Checks that are only reported unless ``require`` names them."""
CHECKS: tuple[Check, ...] = tuple(get_args(Check))
REQUIRED: tuple[Check, ...] = tuple(name for name in CHECKS if name not in REMINDERS)
Model = Literal["c-mclp", "mclp", "p-median", "p-center", "c-p-median", "lscp"]

Count = Annotated[int, Field(ge=0, le=50)]


class RefugeOptions(BaseModel):
    """Section ``refuges`` of the project file."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

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
    """Checks that a refuge must pass to be used; the others are only reported. By default all but
    ``appraisal`` and ``ready``."""
    flood_level: float | str | None = None
    """Highest historical level of water [m] where the ledger has none: a number, or a raster."""
    warning_h: float | dict[str, float] | None = None
    """Time from the warning to the peak [h], one for all or by scenario; preset
    ``refuge.warning_h`` otherwise."""
    new_sites: Count | tuple[Count, ...] = 5
    """New sites to propose; several numbers are phases: so many now, so many later."""
    site_model: Model = "c-mclp"
    """Model that chooses them: ``c-mclp`` serves most people without a place; the others weigh
    all who move, refuges in use being fixed."""
    new_depots: int = Field(default=2, ge=0, le=20)
    """New supply depots to propose, among refuges of town and county."""
    draws: int = Field(default=100, ge=1, le=1000)
    """Noisy draws that tell how stable the chosen sites are."""
    candidates: str | None = None
    """Role whose places may become refuges; cells with people otherwise."""
    time_limit: float = Field(default=20.0, gt=0)
    """Seconds for each search of whole assignments or sites."""


def read_options(given: Mapping[str, Any]) -> RefugeOptions:
    """Check the options.

    Parameters
    ----------
    given
        Section ``refuges`` of the project file.

    Returns
    -------
    RefugeOptions
        Frozen options.

    Raises
    ------
    ProjectError
        With every key that is unknown or wrong.

    Examples
    --------
    >>> read_options({"whole": True}).whole
    True
    """
    try:
        return RefugeOptions(**given)
    except ValidationError as error:
        said = "; ".join(
            "refuges.{}: {}".format(".".join(map(str, item["loc"])), item["msg"])
            for item in error.errors()
        )
        raise ProjectError(text("refuges: {said}", said=said)) from error


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
    given = options.new_sites
    return tuple(k for k in ((given,) if isinstance(given, int) else given) if k > 0)


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
    given = options.warning_h
    own = given.get(scenario) if isinstance(given, dict) else given
    return 3600.0 * float(presets["refuge.warning_h"] if own is None else own)

"""Options of the refuge plan with the presets behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmap.sections import RefugeOptions

if TYPE_CHECKING:
    from riskmap.presets.load import Presets

__all__ = ["RefugeOptions", "phases", "ride_seconds", "walk_seconds", "warning_seconds"]


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

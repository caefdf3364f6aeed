"""Speeds: by road class, and under water."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from riskmap.errors import UsageError
from riskmap.i18n import text

Floats = NDArray[np.float64]

URBAN: Final = "road.speed_kmh"
"""Preset with the speeds of rescue vehicles in town by class [km/h]."""
CAR: Final = "road.speed_car_kmh"
"""Preset with the free-flow speeds of cars by class [km/h]."""
FOOT: Final = "road.foot_kmh"
UNKNOWN: Final = "road.unknown_speed_kmh"


class Values(Protocol):
    """Presets: value by dotted key."""

    def __getitem__(self, key: str, /) -> Any:
        """Give a value."""

    def __contains__(self, key: object, /) -> bool:
        """Tell whether there is one."""

    def __iter__(self) -> Iterator[str]:
        """Give the keys."""


def shipped(presets: Values | None) -> Values:
    """Give the presets, or the shipped ones when there are none.

    Parameters
    ----------
    presets
        Presets or None.

    Returns
    -------
    Values
        Value by dotted key.
    """
    if presets is not None:
        return presets
    from riskmap.presets.load import load_presets

    return load_presets()


def chosen(presets: Values | None, key: str) -> Any:
    """Give a preset, or the shipped one when the given ones lack it.

    Parameters
    ----------
    presets
        Value by dotted key, or None.
    key
        The key.

    Returns
    -------
    object
        Its value.
    """
    return (presets if presets is not None and key in presets else shipped(None))[key]


def class_speeds(
    classes: NDArray[np.object_],
    *,
    profile: str = "car",
    presets: Values | None = None,
    table: str = URBAN,
) -> Floats:
    """Give the free-flow speed of every road by its class.

    Parameters
    ----------
    classes
        OSM classes, shape (rows,). A link without a speed takes that of its road, a class
        without one the speed of an unknown class.
    profile
        ``car`` and ``emergency`` look at the class, ``foot`` does not.
    presets
        Value by key; None takes the shipped ones.
    table
        Key of the preset that holds speeds by class [km/h].

    Returns
    -------
    numpy.ndarray
        Speeds, shape (rows,) [km/h].

    Examples
    --------
    >>> known = {"road.speed_kmh": {"primary": 40}, "road.unknown_speed_kmh": 20}
    >>> names = np.array(["primary_link", "odd"], dtype=object)
    >>> class_speeds(names, presets=known).tolist()
    [40.0, 20.0]
    """
    known = shipped(presets)
    if profile == "foot":
        return np.full(len(classes), float(known[FOOT]))
    speed_of: Mapping[str, Any] = known[table]
    names, place = np.unique(classes.astype(str), return_inverse=True)
    found = [speed_of.get(name, speed_of.get(name.removesuffix("_link"))) for name in names]
    if any(speed is None for speed in found):
        unknown = float(known[UNKNOWN])
        found = [unknown if speed is None else speed for speed in found]
    return np.asarray(np.array(found, dtype=np.float64)[place], dtype=np.float64)


def check_depth(depth_m: Floats, *, most_m: float) -> Floats:
    """Stop when depths cannot be metres; missing and negative ones are dry.

    Parameters
    ----------
    depth_m
        Depth of water [m].
    most_m
        The largest depth that is believed [m].

    Returns
    -------
    numpy.ndarray
        Depths without gaps [m].

    Raises
    ------
    UsageError
        If a depth is larger than ``most_m``.
    """
    depth = np.nan_to_num(np.asarray(depth_m, dtype=np.float64), nan=0.0)
    deepest = float(depth.max(initial=0.0))
    if deepest > most_m:
        raise UsageError(
            text(
                "a depth of {depth} m on a road cannot be; depths must be metres, not mm or cm",
                depth=f"{deepest:g}",
            )
        )
    return np.maximum(depth, 0.0)


def water_speed(depth_m: Floats, *, curve: Mapping[str, float], limit_m: float) -> Floats:
    r"""Give the greatest speed under water.

    .. math:: v(w) = a w^2 + b w + c

    with w in mm, held at its minimum from there on, and 0 from the vehicle's limit on.

    Parameters
    ----------
    depth_m
        Depth of water, shape (m,) [m].
    curve
        The coefficients ``a``, ``b``, ``c`` for a depth in mm and a speed in km/h.
    limit_m
        Depth from which the vehicle cannot pass [m].

    Returns
    -------
    numpy.ndarray
        Speeds, shape (m,) [km/h].

    References
    ----------
    Pregnolato et al. 2017, doi:10.1016/j.trd.2017.06.020.

    Examples
    --------
    >>> curve = {"a": 0.0009, "b": -0.5529, "c": 86.9448}
    >>> depth = np.array([0.0, 0.1, 0.15, 0.2, 0.3])
    >>> water_speed(depth, curve=curve, limit_m=0.3).round(2).tolist()
    [86.94, 40.65, 24.26, 12.36, 0.0]
    """
    a, b, c = curve["a"], curve["b"], curve["c"]
    depth_mm = np.minimum(depth_m * 1000.0, -b / (2.0 * a) if a > 0 else np.inf)
    speed = np.maximum(a * depth_mm**2 + b * depth_mm + c, 0.0)
    return np.where(depth_m >= limit_m, 0.0, speed)

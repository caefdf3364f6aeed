"""Speeds: by road class, and under water."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riskmap.errors import RiskmapError
from riskmap.i18n import text

PREFIX: Final = "roads.speed_kmh."
"""Presets ``roads.speed_kmh.<class>`` hold free-flow speeds [km/h]."""
DEFAULT_CLASS: Final = "unclassified"


def _lookup(presets: Mapping[str, Any], name: str) -> float | None:
    """Give the speed of a class, or None when no preset holds it."""
    base = name.removesuffix("_link")
    for key in dict.fromkeys((name, base)):
        if PREFIX + key in presets:
            return float(presets[PREFIX + key])
    return None


def class_speeds(
    classes: NDArray[np.object_], *, profile: str, presets: Mapping[str, Any] | None
) -> NDArray[np.float64]:
    """Give the free-flow speed of every road by its class.

    Parameters
    ----------
    classes
        OSM classes, shape (rows,); an unknown class counts as ``unclassified``.
    profile
        ``car`` and ``emergency`` use the class, ``foot`` uses ``roads.speed_kmh.foot``.
    presets
        Speeds under ``roads.speed_kmh.<class>`` [km/h]; None takes the shipped ones.

    Returns
    -------
    numpy.ndarray
        Speeds, shape (rows,) [km/h].

    Raises
    ------
    RiskmapError
        If no preset gives a speed for ``unclassified``.

    Examples
    --------
    >>> known = {"roads.speed_kmh.primary": 40, "roads.speed_kmh.unclassified": 20}
    >>> names = np.array(["primary_link", "odd"], dtype=object)
    >>> class_speeds(names, profile="car", presets=known).tolist()
    [40.0, 20.0]
    """
    known = _shipped() if presets is None else presets
    fallback = _lookup(known, "foot" if profile == "foot" else DEFAULT_CLASS)
    if fallback is None:
        fallback = _lookup(known, "residential")
    if fallback is None:
        raise RiskmapError(text("no preset gives a speed for {key}", key=PREFIX + DEFAULT_CLASS))
    if profile == "foot":
        return np.full(len(classes), fallback)
    names, place = np.unique(classes.astype(str), return_inverse=True)
    found = [_lookup(known, str(name)) if name else None for name in names]
    table = np.array([fallback if speed is None else speed for speed in found], dtype=np.float64)
    return np.asarray(table[place], dtype=np.float64)


def _shipped() -> Mapping[str, Any]:
    """Load the shipped presets."""
    from riskmap.presets.load import load_presets

    presets: Any = load_presets()
    return presets  # type: ignore[no-any-return]

"""All methods by name, with the options that each one needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from riskmap.indicators import capacity, exposure, hazard, vulnerability
from riskmap.indicators.field import Method

__all__ = ["METHODS", "MethodRule"]


@dataclass(frozen=True)
class MethodRule:
    """A method and its options; every option but ``unless`` must stand in the table."""

    run: Method
    numbers: tuple[tuple[str, int], ...] = ()
    """Options made of so many numbers, none negative."""
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Options made of one word, and the words allowed (none listed: any)."""


_KERNELS: Final = ("uniform", "epanechnikov", "quartic", "gaussian")

METHODS: Final = {
    "point_density": MethodRule(
        hazard.point_density, (("radius_m", 1), ("level_weights", 4)), (("kernel", _KERNELS),)
    ),
    "distance": MethodRule(hazard.distance, (("cap_m", 1),)),
    "low_ground": MethodRule(hazard.low_ground, (("radius_m", 1), ("cap_m", 1))),
    "source_decay": MethodRule(hazard.source_decay, (("radius_m", 4), ("strength", 4))),
    "depth": MethodRule(hazard.depth, (("cap_m", 1),)),
    "population_density": MethodRule(exposure.population_density),
    "threatened": MethodRule(hazard.threatened),
    "area_share": MethodRule(exposure.area_share),
    "length_density": MethodRule(exposure.length_density),
    "people_share": MethodRule(vulnerability.people_share, (), (("field", ()),)),
    "travel_time": MethodRule(capacity.travel_time, (("cap_min", 1), ("cap_m", 1))),
    "refuge_places": MethodRule(capacity.refuge_places, (("radius_m", 1), ("cap", 1))),
}
"""Name in the table's column ``method`` to its rule."""

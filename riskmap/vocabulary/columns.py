"""Column and code names that every room shares."""

from typing import Final

ITEM_ID: Final = "item_id"
UNIT_ID: Final = "unit_id"
PARENT_ID: Final = "parent_id"
CELL: Final = "cell"
LEVEL: Final = "level"
NAME: Final = "name"
POPULATION: Final = "population"
AREA_KM2: Final = "area_km2"
ROLE: Final = "role"

UNIT_LEVELS: Final = ("district", "town", "village", "grid_duty_area", "custom")
"""Levels of administrative units, coarse to fine."""

ROOT: Final = "RISK"
HAZARD: Final = "HAZARD"
EXPOSURE: Final = "EXPOSURE"
VULNERABILITY: Final = "VULNERABILITY"
CAPACITY: Final = "CAPACITY"
COMPONENTS: Final = (HAZARD, EXPOSURE, VULNERABILITY, CAPACITY)

CLASSES: Final = (1, 2, 3, 4)
"""Risk classes: 1 low (blue), 2 general (yellow), 3 larger (orange), 4 major (red); 0 = unknown."""
CLASS_COLOURS: Final = ("#3f8fe8", "#fff06a", "#f2820c", "#a30f1a")
WGS84: Final = "EPSG:4326"

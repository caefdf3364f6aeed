"""The sections of a project file."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from riskmap.section_values import as_number_text, as_numbers


def as_text(value: object) -> object:
    """Take a code that YAML read as a number back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        Text, where it was a number.
    """
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_list(value: object) -> object:
    """Take one mapping as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a mapping.
    """
    return [value] if isinstance(value, dict) else value


def as_date_text(value: object) -> object:
    """Take a date that YAML read back as text.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        ISO text, where it was a date.
    """
    return value.isoformat() if isinstance(value, date) else value


Code = Annotated[str, BeforeValidator(as_text)]
Count = Annotated[int, Field(ge=0, le=50)]
Unfit = re.compile(r"[\x00-\x1f]")


class Section(BaseModel):
    """A frozen section that knows its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Place(Section):
    """The place that the papers are about."""

    code: Code = ""
    """Administrative code, GB/T 2260."""
    name: str = ""
    """Name as it is printed."""


class UnitSource(Section):
    """One file of administrative units."""

    path: str = Field(min_length=1)
    """File, relative to the project file."""
    layer: str | None = None
    """Layer inside the file."""
    where: str | None = None
    """SQL condition on the rows."""
    level: str | None = None
    """Level of all rows: district, town, village, grid_duty_area or custom."""
    level_column: str | None = None
    """Column that holds the level of each row."""
    code: str = "code"
    """Column of the unit code."""
    name: str = "name"
    """Column of the name."""
    parent: str | None = None
    """Column of the parent's code; without it the parent is the unit around it."""
    population: str | None = None
    """Column of the number of people."""
    crs: str | None = None
    """CRS, when the file does not say."""
    encoding: str | None = None
    """Text encoding, when it is known."""
    demo: bool = False
    """True when the rows are made-up demo data."""


class Grid(Section):
    """The analysis grid."""

    shape: Literal["square"] = "square"
    """Form of the cells."""
    size_m: float = Field(default=250, gt=0, le=20_000)
    """Side of a cell [m]."""


class Column(Section):
    """Where a field stands in a file whose header does not say."""

    column: str
    """Header of the column."""
    unit: str | None = None
    """Unit of the values, such as cm."""


class LayerSource(Section):
    """One file that feeds a role."""

    path: str = Field(min_length=1)
    """File, relative to the project file."""
    layer: str | None = None
    """Layer inside the file."""
    sheet: str | None = None
    """Sheet of a workbook."""
    where: str | None = None
    """SQL condition on a vector source."""
    datum: Literal["auto", "wgs84", "cgcs2000", "gcj02", "bd09"] = "auto"
    """Datum of the coordinates."""
    crs: str | None = None
    """CRS, when the file does not say."""
    encoding: str | None = None
    """Text encoding, when it is known."""
    as_point: bool = False
    """Take a point inside each polygon."""
    fields: dict[str, Column] = Field(default_factory=dict)
    """Field of the role to column of the file."""
    constants: dict[str, Any] = Field(default_factory=dict)
    """Field of the role to the value of every row."""
    direction: Literal["two_way", "digitised", "oneway_field"] | None = None
    """How road lines may be driven."""
    demo: bool = False
    """True when the rows are made-up demo data."""


class Classes(Section):
    """How scores become classes."""

    method: Literal["natural_breaks", "quantile", "equal_interval", "std_dev", "fixed"] = (
        "natural_breaks"
    )
    """Classification method."""
    k: Literal[4] = 4
    """Number of classes: the four colours."""
    breaks: list[float] | None = None
    """Upper limits of the lower classes, for ``fixed``."""


class IndexOptions(Section):
    """How indicators become the risk index."""

    normalise: str = "minmax"
    """Normalisation method."""
    aggregate: dict[str, str] = Field(default_factory=lambda: {"risk": "geometric"})
    """Aggregation by group; ``default`` is arithmetic."""
    weights: str = "given"
    """Weighting method."""
    classes: Classes = Field(default_factory=Classes)
    """Classification."""
    steps: str | None = None
    """File with a list of steps, instead of the short form."""
    frozen: str | None = None
    """A ``params.json`` of an earlier run, whose goalposts and breaks are kept."""


def as_names(value: object) -> object:
    """Take one name as a list of one.

    Parameters
    ----------
    value
        What YAML read.

    Returns
    -------
    object
        A list, where it was a text.
    """
    return [value] if isinstance(value, str) else value


class StationOptions(Section):
    """The station plan: which rules count, and where new stations may stand."""

    preset: Annotated[list[str], BeforeValidator(as_names)] = Field(
        default_factory=lambda: ["linzi_135", "fire_5min", "circle_15min"], min_length=1
    )
    """Response rules, one or a list; sites are planned for the first target of the first."""
    vehicle: Literal["foot", "car", "truck", "high_clearance", "fire_engine", "boat"] = (
        "fire_engine"
    )
    """Vehicle of new stations, and of stations that give none."""
    model: Literal["mclp", "lscp", "lscp-b", "p-median", "p-center"] = "mclp"
    """Most people in time, fewest sites for all, the same with backup, least time, least worst."""
    sites: int = Field(default=3, ge=0, le=50)
    """New stations to propose; 0 seeks none; lscp and lscp-b find their own number."""
    candidates: str = Field(default="cells", min_length=1)
    """Where they may stand: ``cells``, ``nodes`` of the roads, or a role of ``layers``."""
    candidate_limit: int = Field(default=300, ge=1, le=5000)
    """Cells or nodes that are compared at most; a layer is always taken whole."""


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


class ScenarioSource(Section):
    """One named scenario."""

    name: str = Field(min_length=1, max_length=60)
    """Name, shown on the map."""
    rain_mm: float | None = Field(default=None, ge=0)
    """Rain [mm]."""
    hours: float | None = Field(default=None, gt=0)
    """Duration of the rain [h]."""
    depth: str | None = None
    """Raster of water depth."""
    depth_unit: Literal["m", "cm", "mm"] = "m"
    """Unit of the raster."""
    closures: str | None = None
    """Layer of closed roads."""
    danger_area: str | None = None
    """Layer of danger areas."""


class Outputs(Section):
    """Where and how results are written."""

    dir: str | None = None
    """Folder; by default ``outputs/NAME`` in the project's tree."""
    lang: Literal["zh", "en"] = "zh"
    """Language of the papers."""
    profile: Literal["internal", "public"] = "internal"
    """Edition."""
    tianditu: bool = False
    """Let the page ask for Tianditu's map once somebody types a token in."""
    tiles: Annotated[list[str], BeforeValidator(lambda v: [v] if isinstance(v, str) else v)] = []
    """Pictures under the map, put into the page: GeoTIFF or MBTiles, one or a list."""

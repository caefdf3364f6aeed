"""The sections of a project file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from riskmap.formats import side_files
from riskmap.index.reading import frozen_files
from riskmap.indicators.table import shipped_tables
from riskmap.layers.layer import FieldMap, LayerSpec, UnitSpec
from riskmap.plans.refuges.options import RefugeOptions
from riskmap.plans.stations.options import StationOptions
from riskmap.vocabulary.sections import (
    Code,
    Section,
    Unfit,
    as_date_text,
    as_list,
    as_names,
    is_number,
)


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
    sheet: str | None = None
    """Sheet of a workbook; villages with a point and no outline get areas of the nearest land."""
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
    """Column of the parent's code or name; without it the parent is the unit around it."""
    population: str | None = None
    """Column of the number of people."""
    elderly: str | None = None
    """Column of the number of elderly people."""
    datum: Literal["auto", "wgs84", "cgcs2000", "gcj02", "bd09"] = "auto"
    """Datum of the coordinates."""
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
    tiles: Annotated[list[str], BeforeValidator(as_names)] = Field(default=[])
    """Pictures under the map, put into the page: GeoTIFF or MBTiles, one or a list."""


class Project(Section):
    """A project file, checked."""

    name: str = Field(min_length=1, max_length=120)
    """Title of the papers."""
    place: Place = Field(default_factory=Place)
    """The place."""
    crs: str = "auto"
    """One metric CRS for the run; ``auto`` takes the zone of the centroid."""
    units: Annotated[list[UnitSource], BeforeValidator(as_list)] = Field(min_length=1)
    """Administrative units; one source or a list, coarse to fine."""
    grid: Grid = Field(default_factory=Grid)
    """The grid."""
    layers: dict[str, Annotated[list[LayerSource], BeforeValidator(as_list)]] = Field(
        default_factory=dict
    )
    """Role to source or list of sources."""
    indicators: str = "flood_season"
    """A shipped indicator table, or the path of a CSV file."""
    index: IndexOptions = Field(default_factory=IndexOptions)
    """The index."""
    scenarios: list[ScenarioSource] = Field(default_factory=list)
    """Scenarios."""
    plans: bool = True
    """Whether the station, refuge and supply plans are made."""
    stations: StationOptions = Field(default_factory=StationOptions)
    """Options of the station plan."""
    refuges: RefugeOptions = Field(default_factory=RefugeOptions)
    """Options of the refuge plan."""
    outputs: Outputs = Field(default_factory=Outputs)
    """Outputs."""
    data_date: Annotated[str, BeforeValidator(as_date_text)] = ""
    """Date of the data (YYYY-MM-DD); the only date in the outputs."""
    seed: int = Field(default=0, ge=0)
    """Seed of every random draw."""
    cache: bool = True
    """Keep road graphs in ``.riskmap/cache`` beside this file; the results are the same."""
    presets: dict[str, Any] = Field(default_factory=dict)
    """Preset key to the project's own value."""
    roles: str | None = None
    """Folder with role files of the project's own."""
    issued_by: str = ""
    """Office that issues the papers."""
    review_number: str = ""
    """审图号 of the public edition."""

    path: Path = Field(default=Path(), exclude=True)
    root: Path = Field(default=Path(), exclude=True)
    overrides: dict[str, float] = Field(default_factory=dict, exclude=True)

    @field_validator("data_date")
    @classmethod
    def _iso_date(cls, value: str) -> str:
        if value:
            try:
                date.fromisoformat(value)
            except ValueError:
                raise PydanticCustomError("iso_date", "not a date") from None
        return value

    @field_validator("name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        line = Unfit.sub(" ", value).strip()
        if not line:
            raise PydanticCustomError("string_too_short", "empty")
        return line

    @classmethod
    def load(cls, path: Path | str, *, allow_outside: bool = False) -> Project:
        """Read and check a project file.

        Parameters
        ----------
        path
            The YAML file.
        allow_outside
            Whether input may lie outside the project's tree.

        Returns
        -------
        Project
            The project; relative paths in it are relative to the file.

        Raises
        ------
        ProjectError
            With every problem of the file at once.
        """
        from riskmap.project.load import load_project  # it reads what this module defines

        return load_project(Path(path), allow_outside=allow_outside)

    def file(self, written: str) -> Path:
        """Find a path of the project file on the disk.

        Parameters
        ----------
        written
            The path as the project file has it.

        Returns
        -------
        Path
            Absolute path.
        """
        return (self.path.parent / written).resolve()

    def layer_specs(self, role: str) -> tuple[LayerSpec, ...]:
        """List the sources of a role for the reading room.

        Parameters
        ----------
        role
            Name of the role.

        Returns
        -------
        tuple
            One specification a source.
        """
        return tuple(
            LayerSpec(
                path=self.file(source.path),
                shown=source.path,
                fields={k: FieldMap(v.column, v.unit) for k, v in source.fields.items()},
                **source.model_dump(exclude={"path", "fields"}),
            )
            for source in self.layers.get(role, [])
        )

    def unit_specs(self) -> tuple[UnitSpec, ...]:
        """List the sources of the units for the reading room.

        Returns
        -------
        tuple
            One specification a source.
        """
        return tuple(
            UnitSpec(
                path=self.file(source.path),
                shown=source.path,
                level=source.level_column or source.level or "district",
                **source.model_dump(exclude={"path", "level", "level_column"}),
            )
            for source in self.units
        )

    def written_paths(self) -> list[tuple[str, str]]:
        """List every input path with the key that names it.

        Returns
        -------
        list
            Pairs of dotted key and path as written.
        """
        found = [(f"units.{i}.path", source.path) for i, source in enumerate(self.units)]
        for role, sources in self.layers.items():
            found += [(f"layers.{role}.{i}.path", s.path) for i, s in enumerate(sources)]
        for i, scenario in enumerate(self.scenarios):
            for key in ("depth", "closures", "danger_area"):
                written = getattr(scenario, key)
                if written:
                    found.append((f"scenarios.{i}.{key}", written))
        found += [(f"outputs.tiles.{i}", path) for i, path in enumerate(self.outputs.tiles)]
        optional = {
            "roles": self.roles,
            "index.steps": self.index.steps,
            "index.frozen": self.index.frozen,
            "indicators": None if self.indicators in shipped_tables() else self.indicators,
        }
        level = self.refuges.flood_level
        if level and not is_number(level):
            optional["refuges.flood_level"] = level
        return found + [(key, written) for key, written in optional.items() if written]

    def read_paths(self) -> list[tuple[str, str, Path]]:
        """List every file that is read with the paths of the project file.

        Returns
        -------
        list
            Dotted key, name as shown, and path, not resolved: the files themselves, what stands
            beside them and is read with them, the files of a folder of roles, and the frozen
            parameters that a file of steps names.
        """
        found = []
        for key, shown in self.written_paths():
            path = self.path.parent / shown
            for file in side_files(path):
                inside = file.relative_to(path.parent).as_posix()
                found.append((key, (Path(shown).parent / inside).as_posix(), file))
        if self.index.steps:
            steps = self.path.parent / self.index.steps
            for named in frozen_files(steps):
                shown = (Path(self.index.steps).parent / named).as_posix()
                found.append(("index.steps", shown, steps.parent / named))
        return found

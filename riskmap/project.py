"""The project: a project file's sections, frozen and checked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from riskmap.layers.types import FieldMap, LayerSpec, UnitSpec
from riskmap.section_values import is_number
from riskmap.sections import (
    Grid,
    IndexOptions,
    LayerSource,
    Outputs,
    Place,
    RefugeOptions,
    ScenarioSource,
    Section,
    StationOptions,
    Unfit,
    UnitSource,
    as_date_text,
    as_list,
)


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
            "indicators": self.indicators if self.indicators.endswith(".csv") else None,
        }
        level = self.refuges.flood_level
        if level and not is_number(level):
            optional["refuges.flood_level"] = level
        return found + [(key, written) for key, written in optional.items() if written]

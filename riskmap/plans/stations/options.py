"""What the project file says of stations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from riskmap.vocabulary.columns import Section, as_names, as_values


class Standard(Section):
    """A standard of the office's own: who must be reached by how many crews within what time."""

    name: str = ""
    """What the papers call it; else the kind of places and the time."""
    places: Annotated[list[str], BeforeValidator(as_names)] = Field(min_length=1)
    """Kinds of places: ``population``, ``cells``, ``village`` or roles, one or a list."""
    where: dict[str, Annotated[list[str | int | float | bool], BeforeValidator(as_values)]] = Field(
        default_factory=dict
    )
    """Field of the role to the value or values of the rows that count; nothing: all."""
    arrival_s: float = Field(gt=0, le=86_400)
    """Seconds from the call within which the crews must have arrived."""
    response_s: float | None = Field(default=None, ge=0)
    """Call handling and turn-out where a station gives none; by default that of the first rule."""
    crews: int = Field(default=1, ge=1, le=100)
    """How many crews; a station sends as many as it has vehicles, one where it gives none."""
    stations: int = Field(default=1, ge=1, le=20)
    """From how many stations at least; 2 asks for the arrival of a second station."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the people or places that must be reached."""


class StationOptions(Section):
    """The station plan: which rules count, and where new stations may stand."""

    preset: Annotated[list[str], BeforeValidator(as_names)] = Field(
        default_factory=lambda: ["linzi_135", "fire_5min", "circle_15min"], min_length=1
    )
    """Response rules, one or a list; sites are planned for the first target of the first."""
    standards: list[Standard] = Field(default_factory=list)
    """Standards of the office's own by kind of place, which the report is held against."""
    vehicle: Literal["foot", "car", "truck", "high_clearance", "fire_engine", "boat"] = (
        "fire_engine"
    )
    """Vehicle of new stations, and of stations that give none."""
    model: Literal["mclp", "lscp", "lscp-b", "p-median", "p-center", "mexclp"] = "mclp"
    """Most people in time, fewest sites, the same with backup, least time, least worst, busy."""
    demand: Literal["population", "incidents"] = "population"
    """What counts: people, or incidents (role ``accident``)."""
    robust: bool = False
    """Choose the sites whose largest loss against the best of each scenario is least (mclp)."""
    sites: int = Field(default=3, ge=0, le=50)
    """New stations to propose; 0 seeks none; lscp and lscp-b find their own number."""
    candidates: str = Field(default="cells", min_length=1)
    """Where they may stand: ``cells``, ``nodes`` of the roads, or a role of ``layers``."""
    candidate_limit: int | None = Field(default=None, ge=1, le=20_000)
    """Most cells or nodes compared: 20000; p-median, p-center 300, mexclp 1000; layers whole."""

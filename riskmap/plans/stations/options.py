"""What the project file says of stations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from riskmap.vocabulary.sections import (
    Section,
    as_names,
)


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
    candidate_limit: int | None = Field(default=None, ge=1, le=20_000)
    """Cells or nodes that are compared at most: by default 5000, for models that weigh every
    distance (p-median, p-center) 300; a layer is always taken whole."""

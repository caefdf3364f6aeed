"""What the reading room takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FieldMap:
    """Where a role's field stands in one file, when the header aliases do not say."""

    column: str
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One file, sheet or layer that feeds a role."""

    path: Path
    """Absolute path, already checked to stay inside the project's tree."""
    shown: str
    """The path as the project file writes it; the only form that reaches an output."""
    layer: str | None = None
    sheet: str | None = None
    where: str | None = None
    """SQL condition on a vector source, such as ``highway IS NOT NULL``."""
    datum: str = "auto"
    """``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``auto`` (the file's CRS, else WGS-84)."""
    crs: str | None = None
    encoding: str | None = None
    as_point: bool = False
    """Take a point inside each polygon or line, for roles whose objects are points."""
    fields: dict[str, FieldMap] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)
    """Values given to a field for every row, such as ``tier: village``."""
    direction: str | None = None
    """For roads: ``two_way``, ``digitised`` or ``oneway_field``."""
    demo: bool = False
    """True when every row of the file is made-up demo data."""


@dataclass(frozen=True)
class Source:
    """What one file gave: shown in reports and hashed in the manifest."""

    shown: str
    path: Path
    sheet: str
    encoding: str
    crs: str
    datum: str
    rows_in: int
    rows_used: int
    rows_returned: int


@dataclass(frozen=True)
class Raster:
    """One band of a raster in its own grid; NaN means unknown."""

    values: NDArray[np.float32]
    transform: tuple[float, float, float, float, float, float]
    """Affine coefficients a, b, c, d, e, f of `affine.Affine`."""
    crs: str
    unit: str = ""


@dataclass(frozen=True)
class Layer:
    """A checked layer of one role in the run's metric CRS."""

    role: str
    table: gpd.GeoDataFrame | None
    """Indexed by ``item_id``; columns are the role's fields and ``geometry``; ``_file``, ``_row`` say whence."""
    rasters: tuple[Raster, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def rows_in(self) -> int:
        """Number of rows read."""
        return sum(source.rows_in for source in self.sources)

    @property
    def rows_used(self) -> int:
        """Number of rows used."""
        return sum(source.rows_used for source in self.sources)

    @property
    def rows_returned(self) -> int:
        """Number of rows returned with a reason."""
        return sum(source.rows_returned for source in self.sources)

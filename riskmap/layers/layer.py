"""What the reading room takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import both, text
from riskmap.vocabulary.grade import active

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from riskmap.i18n import Text
    from riskmap.vocabulary.roles import Role


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
    database: str = ""
    """Address of a PostGIS database; ``path`` is the file that keeps what was read of it."""
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


@dataclass(frozen=True, kw_only=True)
class UnitSpec:
    """One file or layer of administrative units."""

    path: Path
    shown: str
    database: str = ""
    layer: str | None = None
    sheet: str | None = None
    where: str | None = None
    level: str = "district"
    """A level of `riskmap.vocabulary.columns.UNIT_LEVELS`, or the column that holds it."""
    code: str | None = None
    """Column of the unit's code; without one the level and name make it."""
    name: str | None = None
    parent: str | None = None
    population: str | None = None
    elderly: str | None = None
    encoding: str | None = None
    crs: str | None = None
    datum: str = "auto"
    demo: bool = False


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What stands in one sheet or layer, as it was read and before any check."""

    table: pd.DataFrame
    """One column a header, index 0..n-1; cells as the file has them."""
    row: NDArray[np.int64]
    """Row numbers as the office counts them."""
    geometry: gpd.GeoSeries | None = None
    """Geometries in the file's own CRS, or None for a plain table."""
    sheet: str = ""
    encoding: str = ""
    osm: bool = False
    overflow: NDArray[np.bool_] | None = None
    """True where a row has more cells than the header."""
    notes: tuple[Remark, ...] = ()
    said: tuple[str, ...] = ()
    """What is written above and below the table."""
    unit: str = ""
    """Unit that stands above the table for all its numbers."""
    joined: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    """Column to the rows whose cell was filled from cells joined downwards."""


@dataclass(frozen=True)
class Remark:
    """Something to say about a whole file, before it is known as a `Problem`."""

    rule: str
    message: Text
    mend: Text
    sheet: str = ""


@dataclass(frozen=True)
class Written:
    """Rows as the office wrote them, for those of which something is said."""

    header: tuple[str, ...]
    cells: Mapping[int, tuple[str, ...]]
    """Row number to its cells."""
    columns: Mapping[str, str]
    """Field to its heading."""


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
    written: Written | None = None
    """The returned rows, as they were handed in; never in the public edition."""


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
    """Indexed by ``item_id``; columns are the role's fields, ``geometry``, ``coord_source`` and
    ``coord_method``; ``_file``, ``_sheet``, ``_row`` say whence."""
    rasters: tuple[Raster, ...] = ()
    sources: tuple[Source, ...] = ()
    returned: gpd.GeoDataFrame | None = None
    """Returned rows that lie somewhere, for telling what mending them would change."""
    beyond: gpd.GeoDataFrame | None = None
    """Rows outside the place, but within the role's reach of it: what they do counts inside (ways,
    cover, hazard, places), they stand in no list and no total. Same columns as `table`."""

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


def placed_rows(layers: Mapping[str, Layer], role: str) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    layer = layers.get(role)
    if layer is None or layer.table is None:
        return None
    placed = layer.table[layer.table.geometry.notna() & ~layer.table.geometry.is_empty]
    return None if placed.empty else placed


OUTSIDE: Final = "outside"
"""Column that is true for rows outside the place."""


def with_beyond(
    layers: Mapping[str, Layer], role: str, roles: Mapping[str, Role] | None
) -> gpd.GeoDataFrame | None:
    """Give the rows in use of a role, and behind them those that reach into the place from outside.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    GeoDataFrame or None
        With ``outside``, true for the latter, whose names say so too; None when there are none.
    """
    import pandas as pd

    inside, layer = rows_in_use(layers, role, roles), layers.get(role)
    if layer is None or layer.beyond is None or layer.beyond.empty:
        return inside
    beyond = layer.beyond
    used = rows_in_use({role: replace(layer, table=beyond)}, role, roles)
    if used is None:
        return inside
    names = [str(outside_name(name)) for name in filled(used, "name")]
    used = used.assign(**{OUTSIDE: True, "name": names})
    if inside is None:
        return used
    return pd.concat([inside.assign(**{OUTSIDE: False}), used])


def outside_name(name: object) -> Text:
    """Say behind a name that the thing lies outside the place.

    Parameters
    ----------
    name
        Its name, or None.

    Returns
    -------
    Text
        The name with the remark.

    Examples
    --------
    >>> str(outside_name("某学校"))
    '某学校（区外）'
    """
    return text("{name} (outside)", name=name or "")


def rows_in_use(
    layers: Mapping[str, Layer], role: str, roles: Mapping[str, Role] | None
) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere and are not out of use.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    rows = placed_rows(layers, role)
    if rows is None or roles is None:
        return rows
    used = rows[active(roles[role], rows).to_numpy(dtype=bool)]
    return None if used.empty else used


IN_TOWN: Final = text("placed in the town")
"""How a row was placed that says of its place no more than the town."""


def town_only(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows are known to their town only; their mark on the map is no place.

    Parameters
    ----------
    table
        Rows of a layer.

    Returns
    -------
    ndarray
        Shape (n,), boolean.
    """
    import numpy as np

    if "coord_method" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    found: NDArray[np.bool_] = table["coord_method"].isin(both(IN_TOWN).values()).to_numpy(bool)
    return found


def filled(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column as objects with None for blanks, also where the column is missing.

    Parameters
    ----------
    table
        Rows.
    name
        Name of the column.

    Returns
    -------
    Series
        The entries; None where blank.

    Examples
    --------
    >>> import pandas as pd
    >>> filled(pd.DataFrame({"name": ["a", " ", None]}), "name").tolist()
    ['a', None, None]
    """
    import pandas as pd

    if name not in table.columns:
        return pd.Series([None] * len(table), index=table.index, dtype=object)
    column = table[name].astype(object)
    there = column.notna() & (column.astype(str).str.strip() != "")
    entries = [value if ok else None for value, ok in zip(column, there, strict=True)]
    return pd.Series(entries, index=table.index, dtype=object)

"""What a method is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmap.errors import IndicatorError
from riskmap.geo.areas import raster_to_cells
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import CLASSES
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Raster
    from riskmap.vocabulary.roles import Label

__all__ = ["Field", "Inputs", "Method", "Missing", "Spec"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Everything that indicators are measured from, in the run's metric CRS."""

    grid: Grid
    tables: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    """Rows in use of each vector role; the four-colour ``level`` (1..4, 0 unknown) where graded."""
    rasters: Mapping[str, tuple[Raster, ...]] = field(default_factory=dict)
    pieces: Pieces | None = None
    """People by unit and cell, or None."""
    population: NDArray[Any] | None = None
    """People in each cell, shape (ny, nx), or None; the cells of `pieces`."""
    travel_seconds: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Role to seconds by road from each cell to its nearest place, (ny, nx); NaN = unreached."""
    depth_m: NDArray[Any] | None = None
    """Water depth in each cell [m], shape (ny, nx), NaN = unknown; used before the layer."""
    presets: Any = None
    units: gpd.GeoDataFrame | None = None
    """Administrative units, which may carry shares such as ``elderly_share``; set by `compute`."""
    _kept: dict[str, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False)

    def rows(self, role: str) -> gpd.GeoDataFrame | None:
        """Return the rows of a role that stand somewhere, or None when there are none.

        Parameters
        ----------
        role
            The role's name.

        Returns
        -------
        geopandas.GeoDataFrame or None
            At least one row, with a geometry.
        """
        table = self.tables.get(role)
        if table is None or not len(table):
            return None
        placed = table[table.geometry.notna() & ~table.geometry.is_empty]
        return placed if len(placed) else None

    def raster(self, role: str) -> NDArray[np.float32] | None:
        """Return the cell means of a raster role, or None when nothing is known.

        Parameters
        ----------
        role
            The role's name.

        Returns
        -------
        ndarray or None
            Shape (ny, nx) [unit of the raster].
        """
        if not self.rasters.get(role):
            return None
        if role not in self._kept:
            self._kept[role] = raster_to_cells(self.grid, tuple(self.rasters[role]))
        return self._kept[role] if np.isfinite(self._kept[role]).any() else None


@dataclass(frozen=True)
class Field:
    """One indicator on the grid, and how it was measured."""

    cells: NDArray[np.float32]
    """Shape (ny, nx); NaN = unknown."""
    unit: str
    how: Text
    notes: tuple[Text, ...] = ()
    """What must be said beside the numbers."""
    units: NDArray[np.float64] | None = None
    """Value of each unit where it is known without the cells, shape (n,); NaN = by the cells."""
    exact: bool = False
    """True when `units` holds all that is known: a unit without a value has none."""


@dataclass(frozen=True)
class Missing:
    """Why an indicator could not be measured."""

    reason: Text


@dataclass(frozen=True)
class Spec:
    """One row of the indicator table, as a method sees it."""

    code: str
    name: Label
    unit: str
    layer: str
    options: Mapping[str, str]
    presets: Any = None

    def words(self, option: str) -> tuple[str, ...]:
        """Return an option's parts, which stand apart by ``|``.

        Parameters
        ----------
        option
            The option's name.

        Returns
        -------
        tuple of str
            The parts; empty when the option is not given.
        """
        raw = self.options.get(option, "")
        return tuple(part.strip() for part in raw.split("|") if part.strip())

    def numbers(self, option: str) -> tuple[float, ...]:
        """Return an option's numbers; ``@key`` stands for the preset of this key.

        Parameters
        ----------
        option
            The option's name.

        Returns
        -------
        tuple of float
            The numbers.

        Raises
        ------
        IndicatorError
            When the preset is not made of numbers.
        """
        found: list[float] = []
        for word in self.words(option):
            value = self.preset(word[1:]) if word.startswith("@") else word
            try:
                found.extend(float(v) for v in (value if isinstance(value, tuple) else (value,)))
            except (TypeError, ValueError) as error:
                raise IndicatorError(
                    text(
                        "{code}: {option}: {value} is not a number",
                        code=self.code,
                        option=option,
                        value=value,
                    )
                ) from error
        return tuple(found)

    def preset(self, key: str) -> Any:
        """Return a preset of the run, or the shipped one when no run gives presets.

        Parameters
        ----------
        key
            Its name.

        Returns
        -------
        object
            Its value.
        """
        return (load_presets() if self.presets is None else self.presets)[key]

    def number(self, option: str) -> float:
        """Return an option that is one number.

        Parameters
        ----------
        option
            The option's name.

        Returns
        -------
        float
            The number.
        """
        return self.numbers(option)[0]

    def by_level(self, option: str, levels: NDArray[Any]) -> NDArray[np.float64]:
        """Look up a number for each row's level 1..4; an unknown level counts as the lowest.

        Parameters
        ----------
        option
            An option of four numbers.
        levels
            Levels, shape (n,); 0 = unknown.

        Returns
        -------
        ndarray
            Numbers, shape (n,).
        """
        steps = np.asarray(self.numbers(option), dtype=np.float64)
        if len(steps) != len(CLASSES):
            raise IndicatorError(
                text("{name} needs {n} number(s) of 0 or more", name=option, n=len(CLASSES))
            )
        return np.asarray(steps[np.clip(levels - 1, 0, len(steps) - 1)])


Method = Callable[[Inputs, Spec], "Field | Missing"]


def levels_of(table: Any) -> NDArray[np.int64]:
    """Return the four-colour level of each row.

    Parameters
    ----------
    table
        Rows of a role.

    Returns
    -------
    ndarray
        Levels 1..4, 0 where unknown, shape (n,).
    """
    if "level" not in table:
        return np.zeros(len(table), dtype=np.int64)
    levels = np.nan_to_num(table["level"].to_numpy(dtype=np.float64, na_value=np.nan))
    return np.where((levels >= 1) & (levels <= 4), levels, 0).astype(np.int64)


def no_layer(layer: str) -> Missing:
    """Say that a layer is missing or holds no usable row.

    Parameters
    ----------
    layer
        The role's name.

    Returns
    -------
    Missing
        The reason.
    """
    role = load_roles().get(layer)
    label = role.label if role else layer
    return Missing(text("the layer {layer} is missing or holds no usable row", layer=label))

"""All methods by name: what each is given, the options it needs, what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from riskmap.errors import IndicatorError
from riskmap.geo.areas import (
    coverage,
    lines_to_cells,
    polygons_to_cells,
    raster_to_cells,
)
from riskmap.geo.grid import point_xy, points_to_cells, unit_of_points
from riskmap.geo.people import share_of_cells
from riskmap.i18n import Text, text
from riskmap.vocabulary.columns import CLASSES
from riskmap.vocabulary.grade import severity
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.i18n import Label
    from riskmap.layers.layer import Raster


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


def _unknown_levels(rows: Any, levels: NDArray[np.int64], spec: Spec) -> tuple[Text, ...]:
    unknown = int((levels == 0).sum()) if "level" in rows else 0
    if not unknown:
        return ()
    return (
        text(
            "{name}: {n} of {all} rows have no level and count as the lowest",
            name=spec.name,
            n=unknown,
            all=len(levels),
        ),
    )


def point_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the density of points, weighted by their level.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Options ``radius_m`` [m], ``kernel``, ``level_weights`` (four numbers).

    Returns
    -------
    Field or Missing
        Weighted points per km2.
    """
    from riskmap.geo.surface import kernel_sum

    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    levels = levels_of(rows)
    values = kernel_sum(
        inputs.grid,
        rows,
        bandwidth_m=spec.number("radius_m"),
        kernel=spec.words("kernel")[0],  # type: ignore[arg-type]
        weights=spec.by_level("level_weights", levels) * _untreated(spec, rows),
    )
    how = text(
        "density of {n} points within {radius} m, weighted by level, falling with distance",
        n=len(rows),
        radius=f"{spec.number('radius_m'):g}",
    )
    return Field(values, spec.unit, how, _unknown_levels(rows, levels, spec))


def _untreated(spec: Spec, rows: Any) -> NDArray[np.float64]:
    """Give the share of its weight that each point keeps by what has been done about it."""
    if "treated" not in rows:
        return np.ones(len(rows))
    weight = spec.preset("flood.treated_weight")
    return np.array([float(weight.get(str(state), 1.0)) for state in rows["treated"]])


def distance(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the straight distance to the nearest object of a layer, up to a cap.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Option ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    measured = straight_distance(inputs, rows)
    cap = spec.number("cap_m")
    how = text("straight distance to the nearest, at most {cap} m", cap=f"{cap:g}")
    return Field(np.minimum(measured, np.float32(cap)), spec.unit, how)


def straight_distance(inputs: Inputs, rows: Any) -> NDArray[np.float32]:
    """Measure the straight distance from each cell centre to points, lines or polygons.

    Parameters
    ----------
    inputs
        The layers.
    rows
        Rows with a geometry.

    Returns
    -------
    ndarray
        Distance, shape (ny, nx) [m].
    """
    from riskmap.geo.surface import distance_to_lines, distance_to_points

    points = rows.geometry.geom_type.isin(["Point", "MultiPoint"])
    parts = []
    if points.any():
        parts.append(distance_to_points(inputs.grid, rows[points].geometry))
    if not points.all():
        parts.append(distance_to_lines(inputs.grid, rows[~points].geometry))
    return np.asarray(np.fmin.reduce(parts), dtype=np.float32)


MOST_RIM_M: Final = 1000.0
"""So far beyond the edge of the grid the ground is looked at [m]."""


def low_ground(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure how far the ground lies below the mean of its surroundings, within a cap.

    Parameters
    ----------
    inputs
        The layers; elevations as raster of the role.
    spec
        Options ``radius_m`` [m] and ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres; negative on rises.
    """
    from riskmap.geo.surface import relative_lowness

    elevation = inputs.raster(spec.layer)
    if elevation is None:
        return no_layer(spec.layer)
    radius, cap = spec.number("radius_m"), spec.number("cap_m")
    rim = int(min(radius, MOST_RIM_M) // inputs.grid.size_m) + 1
    around = raster_to_cells(inputs.grid.padded(rim), tuple(inputs.rasters[spec.layer]))
    low = relative_lowness(around, size_m=inputs.grid.size_m, radius_m=radius)[rim:-rim, rim:-rim]
    how = text(
        "mean elevation within {radius} m minus own elevation, kept within ±{cap} m",
        radius=f"{radius:g}",
        cap=f"{cap:g}",
    )
    notes: tuple[Text, ...] = ()
    if radius < inputs.grid.size_m:
        notes = (
            text(
                "{name}: the radius {radius} m is smaller than a cell, so every cell is its own "
                "surroundings",
                name=spec.name,
                radius=f"{radius:g}",
            ),
        )
    return Field(np.clip(low, -cap, cap).astype(np.float32), spec.unit, how, notes)


def source_decay(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Let each source's strength fall with distance; sources join so that none passes 1.

    ``1 - prod_i (1 - strength_i (1 - d_i / radius_i))``

    Parameters
    ----------
    inputs
        The layers.
    spec
        Options ``radius_m`` [m] and ``strength`` [0..1], four numbers each, by level.

    Returns
    -------
    Field or Missing
        0..1.
    """
    from riskmap.geo.surface import decay

    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    levels = levels_of(rows)
    values = decay(
        inputs.grid,
        rows,
        radius_m=spec.by_level("radius_m", levels),
        strength=spec.by_level("strength", levels),
    )
    how = text(
        "strength by level of {n} sources, falling to 0 at the screening radius", n=len(rows)
    )
    return Field(values, spec.unit, how, _unknown_levels(rows, levels, spec))


def depth(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Take the water depth of a scenario or survey; cells without a depth count as dry.

    Parameters
    ----------
    inputs
        ``depth_m`` on the cells, else the raster of the role.
    spec
        Option ``cap_m`` [m].

    Returns
    -------
    Field or Missing
        Metres.
    """
    water = inputs.depth_m if inputs.depth_m is not None else inputs.raster(spec.layer)
    if water is None or not np.isfinite(water).any():
        return no_layer(spec.layer)
    cap = spec.number("cap_m")
    values = np.clip(np.nan_to_num(water), 0.0, cap).astype(np.float32)
    how = text(
        "mean water depth, at most {cap} m; cells without a depth count as dry", cap=f"{cap:g}"
    )
    return Field(values, spec.unit, how)


def threatened(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the people threatened inside areas: those stated, else those who live there.

    They stand where people live in the area, evenly where nobody is known to. Ground that several
    areas share counts once, for an area that states people before one that does not.

    Parameters
    ----------
    inputs
        The layers; ``pieces`` for areas that state no people, ``population`` for where they live.
    spec
        Option ``types``: which areas count, a blank type as ``other``; all without it.

    Returns
    -------
    Field or Missing
        Persons per km2.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    if types := spec.words("types"):
        kinds = pd.Series("", index=rows.index) if "type" not in rows else rows["type"].fillna("")
        rows = rows[kinds.astype(str).where(kinds.astype(str) != "", "other").isin(types)]
        if not len(rows):
            return Missing(text("no danger area is of this kind"))
    shapes = np.asarray(rows.geometry, dtype=object)
    stated = np.full(len(rows), np.nan)
    if "people" in rows:
        stated = rows["people"].to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    blank = ~np.isfinite(stated)
    unknown = int(blank.sum())
    pieces = inputs.pieces
    dark = np.zeros(0, dtype=bool)
    if unknown and pieces is not None:
        unknown = int(np.isnan(pieces.inside(shapes[blank])).sum())
        ground = shapely.make_valid(shapes)
        rest = shapely.difference(*(shapely.union_all(ground[some]) for some in (blank, ~blank)))
        if inputs.grid.place is not None:  # those who live beyond the border are not known
            rest = shapely.intersection(rest, inputs.grid.place)
        shapes = np.append(shapes[~blank], rest)
        stated = np.append(stated[~blank], pieces.inside(shapes[-1:]))
        dark = pieces.finest & ~pieces.known
        dark[dark] = shapely.area(shapely.intersection(pieces.shapes[dark], rest)) > 0
    if unknown == len(rows):
        return Missing(text("no area says how many people it threatens"))
    lives = None if inputs.population is None else np.nan_to_num(inputs.population)
    people = polygons_to_cells(inputs.grid, shapes, np.nan_to_num(stated), weight=lives)
    how = text("people threatened in {n} areas, by the area of the cell", n=len(rows))
    notes: tuple[Text, ...] = ()
    if unknown:
        notes = (
            text(
                "{name}: {n} of {all} areas state no people and count as none",
                name=spec.name,
                n=unknown,
                all=len(rows),
            ),
        )
    if pieces is None:
        return Field(people / np.float32(inputs.grid.area_km2), spec.unit, how, notes)
    km2 = pieces.holds @ np.where(pieces.finest, shapely.area(pieces.shapes) / 1e6, 0.0)
    units = pieces.share_out(shapes, stated)
    units = np.divide(units, km2, out=np.full(len(km2), np.nan), where=km2 > 0)
    if dark.any():
        # Nobody knows how many are threatened in a unit of unknown people: that is not none.
        units[dark] = np.nan
        lost = coverage(inputs.grid, pieces.shapes[dark]).sum(axis=0)
        nobody = (np.asarray(lost).reshape(people.shape) > 0.5) & (people == 0)
        people = np.where(nobody, np.float32(np.nan), people)
    density = people / np.float32(inputs.grid.area_km2)
    return Field(density, spec.unit, how, notes, units=units, exact=True)


def travel_time(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure minutes by road to the nearest place of a layer, else straight metres.

    Parameters
    ----------
    inputs
        ``travel_seconds`` of the role when there is a road graph; else the layer.
    spec
        Options ``cap_min`` [min] for times and unreached cells, ``cap_m`` [m] for distances.

    Returns
    -------
    Field or Missing
        Minutes, or metres when there are no roads.
    """
    seconds = inputs.travel_seconds.get(spec.layer)
    if seconds is not None and np.isfinite(seconds).any():
        cap = spec.number("cap_min")
        inside = inputs.grid.inside
        lost = int((~np.isfinite(seconds) & inside).sum())
        notes: tuple[Text, ...] = ()
        if lost:
            notes = (
                text(
                    "{name}: {n} of {all} cells are not reached by road and count as {cap} min",
                    name=spec.name,
                    n=lost,
                    all=int(inside.sum()),
                    cap=f"{cap:g}",
                ),
            )
        unreached = np.where(inside, cap, np.nan)
        minutes = np.where(np.isfinite(seconds), np.minimum(seconds / 60.0, cap), unreached)
        how = text("minutes by road to the nearest, at most {cap} min", cap=f"{cap:g}")
        return Field(minutes.astype(np.float32), "min", how, notes)
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    cap = spec.number("cap_m")
    values = np.minimum(straight_distance(inputs, rows), np.float32(cap))
    how = text("straight distance to the nearest, at most {cap} m", cap=f"{cap:g}")
    note = text("{name}: no road graph, so straight distances stand for times", name=spec.name)
    return Field(values, "m", how, (note,))


def refuge_places(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the refuge places per 100 people within reach (floating catchment).

    Parameters
    ----------
    inputs
        Refuges with ``capacity`` [persons]; the people who share them are sums of ``pieces``, or
        of ``population`` on the cells where there are none.
    spec
        Options ``radius_m`` [m] and ``cap``: more places per 100 people than this add nothing.

    Returns
    -------
    Field or Missing
        Places per 100 people.
    """
    from riskmap.geo.surface import floating_catchment

    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    if inputs.population is None or not np.nansum(inputs.population) > 0:
        return Missing(text("there is no population layer and the units state no population"))
    capacity = np.full(len(rows), np.nan)
    if "capacity" in rows:
        capacity = rows["capacity"].to_numpy(dtype=np.float64, na_value=np.nan)
    unknown = int((~np.isfinite(capacity)).sum())
    if unknown == len(rows):
        return Missing(text("no refuge states its capacity"))
    radius, cap = spec.number("radius_m"), spec.number("cap")
    within = None
    if inputs.pieces is not None:
        within = inputs.pieces.around(np.column_stack(point_xy(rows)), radius)
    places = floating_catchment(
        inputs.grid,
        rows,
        capacity=capacity,
        people=inputs.population,
        radius_m=radius,
        within=within,
    )
    notes: tuple[Text, ...] = ()
    if unknown:
        notes = (
            text(
                "{name}: {n} of {all} refuges state no capacity and count as 0 places",
                name=spec.name,
                n=unknown,
                all=len(rows),
            ),
        )
    if "outside" in rows and rows["outside"].any():
        notes += (
            text(
                "{name}: {n} refuges lie outside the place; their places count as if only people "
                "of the place shared them",
                name=spec.name,
                n=int(rows["outside"].sum()),
            ),
        )
    how = text(
        "places within {radius} m by the people who share them, at most {cap} per 100",
        radius=f"{radius:g}",
        cap=f"{cap:g}",
    )
    return Field(np.minimum(places * 100, cap).astype(np.float32), spec.unit, how, notes)


def population_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure people per km2.

    Parameters
    ----------
    inputs
        ``pieces``, or else ``population`` on the cells.
    spec
        No options.

    Returns
    -------
    Field or Missing
        Persons per km2.
    """
    if inputs.population is None or not np.nansum(inputs.population) > 0:
        return Missing(text("there is no population layer and the units state no population"))
    how = text("people by the area on which they live")
    pieces = inputs.pieces
    if pieces is None:
        values = np.asarray(inputs.population, dtype=np.float32)
        return Field(values / np.float32(inputs.grid.area_km2), spec.unit, how)
    area = pieces.holds @ np.where(pieces.known, shapely.area(pieces.shapes) / 1e6, 0.0)
    people = pieces.units()["people"].to_numpy(dtype=np.float64)
    units = np.divide(people, area, out=np.full(len(area), np.nan), where=area > 0)
    return Field(pieces.density().astype(np.float32), spec.unit, how, units=units, exact=True)


def area_share(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the share of the ground that polygons cover; points count as none.

    Parameters
    ----------
    inputs
        The layers.
    spec
        No options but ``unless``.

    Returns
    -------
    Field or Missing
        Percent, or objects per km2 when the layer holds only points.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    area = shapely.area(np.asarray(rows.geometry, dtype=object))
    grid = inputs.grid
    if not area.any():
        count = points_to_cells(grid, rows) / np.float32(grid.area_km2)
        return Field(count, "1/km2", text("objects in the cell by its area, a proxy for people"))
    ground = polygons_to_cells(grid, rows[area > 0], area[area > 0])
    values = np.minimum(ground / np.float32(grid.size_m**2) * 100, 100).astype(np.float32)
    return Field(values, spec.unit, text("share of the cell that is built on, a proxy for people"))


def length_density(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the length of lines per area.

    Parameters
    ----------
    inputs
        The layers.
    spec
        No options but ``unless``.

    Returns
    -------
    Field or Missing
        Kilometres per km2.
    """
    rows = inputs.rows(spec.layer)
    if rows is None:
        return no_layer(spec.layer)
    values = lines_to_cells(inputs.grid, rows) / np.float32(1000 * inputs.grid.area_km2)
    return Field(
        values, spec.unit, text("length of roads in the cell by its area, a proxy for people")
    )


def _share(table: Any, kind: str) -> NDArray[np.float64] | None:
    """Return the share 0..1 of each row, given or counted, or None."""
    found = np.full(len(table), np.nan)
    if f"{kind}_share" in table:
        found = table[f"{kind}_share"].to_numpy(dtype=np.float64, na_value=np.nan)
    if kind in table and "population" in table:
        count = table[kind].to_numpy(dtype=np.float64, na_value=np.nan)
        people = table["population"].to_numpy(dtype=np.float64, na_value=np.nan)
        counted = np.divide(count, people, out=np.full(len(table), np.nan), where=people > 0)
        found = np.where(np.isfinite(found), found, counted)
    good = (found >= 0) & (found <= 1)
    return np.where(good, found, np.nan) if good.any() else None


def _placed(table: gpd.GeoDataFrame, inputs: Inputs) -> Any:
    """Give rows without a geometry the shape of the unit whose code they carry."""
    shapes = np.asarray(table.geometry, dtype=object).copy()
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if empty.any() and inputs.units is not None and "number" in table:
        codes = table["number"].astype(str)
        known = empty & codes.isin(inputs.units.index).to_numpy()
        shapes[known] = np.asarray(inputs.units.geometry.loc[codes[known]], dtype=object)
        empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    return shapes, ~empty


def _share_of_units(
    pieces: Pieces,
    shapes: NDArray[np.object_],
    share: NDArray[np.float64],
    people: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Average the shares of rows over the people of each unit; NaN where no row speaks of one."""
    solid = shapely.area(shapes) > 0
    weight = pieces.parts(np.where(solid, shapes, shapely.Polygon())).tolil()
    spots = np.flatnonzero(~solid)
    if len(spots):
        finest = np.flatnonzero(pieces.finest)
        at = shapely.points(*point_xy(shapes[spots]))
        spot, home = shapely.STRtree(pieces.shapes[finest]).query(at, predicate="intersects")
        spot, first = np.unique(spot, return_index=True)
        count = np.ones(len(shapes)) if people is None else np.nan_to_num(people)
        weight[spots[spot], finest[home[first]]] = count[spots[spot]]
    heavy = weight.tocsr()[:, : len(pieces.ids)]
    whole = np.asarray(heavy.sum(axis=0), np.float64).ravel()
    own = np.divide(share @ heavy, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    told = np.isfinite(own)
    lives = np.where(told & pieces.finest, np.nan_to_num(pieces.stated), 0.0)
    below = pieces.holds @ lives
    top = pieces.holds @ (lives * np.nan_to_num(own))
    above = np.divide(top, below, out=np.full(len(own), np.nan), where=below > 0)
    return np.asarray(np.where(pieces.finest, own, above), np.float64)


def people_share(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Measure the share of a group among the people.

    The first of these that knows it counts: the layer, the population layer, the units.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Option ``field``: the group, such as ``elderly``, found as ``elderly_share`` (0..1) or as
        the count ``elderly`` beside ``population``.

    Returns
    -------
    Field or Missing
        Percent.
    """
    kind = spec.words("field")[0]
    sources = [inputs.tables.get(spec.layer), inputs.tables.get("population"), inputs.units]
    for table in sources:
        share = None if table is None or not len(table) else _share(table, kind)
        if table is None or share is None:
            continue
        shapes, placed = _placed(table, inputs)
        placed &= np.isfinite(share)
        if not placed.any():
            continue
        people = None
        if "population" in table:
            people = table["population"].to_numpy(dtype=np.float64, na_value=np.nan)[placed]
        values = share_of_cells(
            inputs.grid, shapes[placed], share[placed], people=people, weight=inputs.population
        )
        how = text(
            "share among the people of {n} rows, carried onto the cells", n=int(placed.sum())
        )
        own = None
        if inputs.pieces is not None:
            own = 100 * _share_of_units(inputs.pieces, shapes[placed], share[placed], people)
        return Field(values * np.float32(100), spec.unit, how, units=own)
    return no_layer(spec.layer)


def _class_points(inputs: Inputs, spec: Spec) -> pd.DataFrame | Missing:
    """Gather the points of a class of unit: its layers, each point in the finest unit it is in."""
    parts = []
    for layer in (spec.layer, *spec.words("also")):
        rows = inputs.rows(layer)
        if rows is None or ("outside" in rows and rows["outside"].all()):
            continue
        if "outside" in rows:
            rows = rows[~rows["outside"].to_numpy(dtype=bool)]
        parts.append(rows.assign(_layer=layer))
    if not parts or inputs.units is None:
        return no_layer(spec.layer)
    units = inputs.units
    finest = units[units["finest"]] if "finest" in units else units
    if inputs.pieces is not None:
        finest = units[inputs.pieces.finest]
    rows = pd.concat(parts, ignore_index=True)
    home = unit_of_points(shapely.points(*point_xy(rows)), finest)
    row = pd.Index(units.index.astype(str)).get_indexer(pd.Index(home).astype(str))
    found: pd.DataFrame = pd.DataFrame(rows).assign(_unit=row)[row >= 0]
    return found


def _by_unit(inputs: Inputs, own: NDArray[np.float64], spec: Spec, how: Text) -> Field | Missing:
    """Give streets their value, units above the mean of theirs by people, cells their street's."""
    units, pieces = inputs.units, inputs.pieces
    if units is None or not np.isfinite(own).any():
        return Missing(text("no point stands in a unit"))
    cover = coverage(inputs.grid, units) if pieces is None else pieces.cover
    if pieces is not None:
        lives = np.where(pieces.finest & np.isfinite(own), np.nan_to_num(pieces.stated), 0.0)
        heavy = np.where(np.isfinite(own) & pieces.finest, np.maximum(lives, 1e-9), 0.0)
        top, whole = pieces.holds @ (heavy * np.nan_to_num(own)), pieces.holds @ heavy
        above = np.divide(top, whole, out=np.full(len(own), np.nan), where=whole > 0)
        own = np.where(pieces.finest, own, above)
    finest = np.ones(len(own)) if pieces is None else pieces.finest.astype(np.float64)
    held = cover.multiply(finest[:, None]).tocsc()
    home = np.asarray(held.argmax(axis=0)).ravel()
    there = np.asarray(held.sum(axis=0)).ravel() > 0
    cells = np.where(there, own[home], np.nan).reshape(inputs.grid.shape).astype(np.float32)
    return Field(cells, spec.unit, how, units=own, exact=True)


def worst_points(inputs: Inputs, spec: Spec) -> Field | Missing:
    r"""Bring points into their class in each street: the mean score of its worst points.

    A point's score is the list's: :math:`(L - 1 + S) / 4` with its level and its own severity.

    Parameters
    ----------
    inputs
        The layers; ``pieces`` for the people around.
    spec
        Options ``top``: how many of the worst count; ``also``: further layers of the class.

    Returns
    -------
    Field or Missing
        0..100; unknown in a street without points.

    References
    ----------
    GB/T 42768-2023, point, class and area.
    """
    points = _class_points(inputs, spec)
    if isinstance(points, Missing):
        return points
    presets, roles = inputs.presets or load_presets(), load_roles()
    scores = pd.Series(np.nan, index=points.index)
    for layer, rows in points.groupby("_layer"):
        near = None
        if inputs.pieces is not None:
            xy = np.column_stack(point_xy(rows["geometry"].to_numpy()))
            around = inputs.pieces.around(xy, float(presets["register.people_radius_m"]))
            near = around * float(presets["severity.near_share"])
        own = severity(roles[str(layer)], rows, presets, people=near)
        scores[rows.index] = 25 * (np.maximum(levels_of(rows) - 1, 0) + own)
    top = int(spec.number("top"))
    ordered = pd.DataFrame({"unit": points["_unit"], "score": scores}).sort_values(
        "score", ascending=False, kind="stable"
    )
    means = ordered.groupby("unit").head(top).groupby("unit")["score"].mean()
    own_units = np.full(len(inputs.units if inputs.units is not None else ()), np.nan)
    own_units[means.index.to_numpy()] = means.to_numpy()
    how = text("mean score of the {top} worst of {n} points in a street", top=top, n=len(points))
    return _by_unit(inputs, own_units, spec, how)


def points_per_km2(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Count the points of a class in each street by its area.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Option ``also``: further layers of the class.

    Returns
    -------
    Field or Missing
        Points per km2.
    """
    points = _class_points(inputs, spec)
    if isinstance(points, Missing):
        return points
    units = inputs.units
    shapes = np.asarray([] if units is None else units.geometry, dtype=object)
    count = np.bincount(points["_unit"], minlength=len(shapes)).astype(np.float64)
    area = shapely.area(shapes) / 1e6
    density = np.divide(count, area, out=np.full(len(area), np.nan), where=area > 0)
    how = text("{n} points by the area of the street", n=len(points))
    return _by_unit(inputs, density, spec, how)


def class_share(inputs: Inputs, spec: Spec) -> Field | Missing:
    """Sum two fields of the points of a class in each street and divide.

    Parameters
    ----------
    inputs
        The layers.
    spec
        Options ``part`` and ``whole``: the fields; ``also``: further layers of the class.

    Returns
    -------
    Field or Missing
        Percent; unknown where the whole is none or blank.
    """
    points = _class_points(inputs, spec)
    if isinstance(points, Missing):
        return points
    part, whole = spec.words("part")[0], spec.words("whole")[0]
    if part not in points or whole not in points:
        return Missing(text("no point states {field}", field=whole))
    both = points[[part, whole]].apply(pd.to_numeric, errors="coerce").astype(float)
    known = both.notna().all(axis=1) & (both[whole] > 0)
    sums = both[known].groupby(points.loc[known, "_unit"]).sum()
    own = np.full(len(inputs.units if inputs.units is not None else ()), np.nan)
    own[sums.index.to_numpy()] = (100 * sums[part] / sums[whole]).to_numpy()
    return _by_unit(inputs, own, spec, text("share over {n} points", n=int(known.sum())))


@dataclass(frozen=True)
class MethodRule:
    """A method and its options; all but ``unless`` and the free ones must stand in the table."""

    run: Method
    numbers: tuple[tuple[str, int], ...] = ()
    """Options made of so many numbers, none negative."""
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Options made of one word, and the words allowed (none listed: any)."""
    free: tuple[str, ...] = ()
    """Options that may be left out."""


_KERNELS: Final = ("uniform", "epanechnikov", "quartic", "gaussian")

METHODS: Final = {
    "point_density": MethodRule(
        point_density, (("radius_m", 1), ("level_weights", 4)), (("kernel", _KERNELS),)
    ),
    "distance": MethodRule(distance, (("cap_m", 1),)),
    "low_ground": MethodRule(low_ground, (("radius_m", 1), ("cap_m", 1))),
    "source_decay": MethodRule(source_decay, (("radius_m", 4), ("strength", 4))),
    "depth": MethodRule(depth, (("cap_m", 1),)),
    "population_density": MethodRule(population_density),
    "threatened": MethodRule(threatened, free=("types",)),
    "area_share": MethodRule(area_share),
    "length_density": MethodRule(length_density),
    "people_share": MethodRule(people_share, (), (("field", ()),)),
    "travel_time": MethodRule(travel_time, (("cap_min", 1), ("cap_m", 1))),
    "refuge_places": MethodRule(refuge_places, (("radius_m", 1), ("cap", 1))),
    "worst_points": MethodRule(worst_points, (("top", 1),), free=("also",)),
    "points_per_km2": MethodRule(points_per_km2, free=("also",)),
    "class_share": MethodRule(class_share, (), (("part", ()), ("whole", ())), free=("also",)),
}
"""Name in the table's column ``method`` to its rule."""

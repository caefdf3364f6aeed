"""People live in pieces: the part of a cell that stands in one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import scipy  # its parts are loaded when they are used
import shapely
from numpy.typing import NDArray

from riskmap.geo.areas import cells_under, coverage, raster_to_cells, spread_matrix
from riskmap.geo.grid import Grid, cell_of, geometries, point_xy
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    import pandas as pd

    from riskmap.layers.layer import Raster

    Matrix = scipy.sparse.csr_array[Any, tuple[int, int]]

__all__ = ["Pieces", "live_in", "people_matrix", "share_of_cells"]

FloatGrid = NDArray[np.float32]
Floats = NDArray[np.float64]

CUT: Final = 0.05
"""A unit that stands outside the place by a smaller share of its area is wholly inside: outlines
of two sources never agree to the metre."""
SEEN: Final = 1e-4
"""A raster that covers a smaller share of a unit says nothing of it."""
ROUND: Final = 32
"""Corners of a quarter circle; its area is 0.04 % less than the circle's."""
APART: Final = 0.005
"""Two statements of one number of people contradict each other when they differ by more."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pieces:
    """People by unit and cell; every count of people anywhere is a sum of these.

    A row of `people` is a unit of the finest level, and sums to what is known of the unit. Coarser
    units are sums of the finest ones in them. The last row is ground in no unit.
    """

    grid: Grid
    ids: pd.Index
    """Code of every unit, n of them, in the order of the units."""
    people: Matrix
    """Persons, shape (n + 1, ny * nx); rows of coarser units are empty."""
    cover: Matrix
    """Share of each cell that each unit covers, shape (n, ny * nx)."""
    ground: Matrix
    """Share of each cell on which a row's people may stand, shape (n + 1, ny * nx)."""
    holds: Matrix
    """1 where a unit holds a finest unit or is it, shape (n, n)."""
    stated: Floats
    """People of every finest unit as stated or found, shape (n,); NaN = unknown."""
    estimated: NDArray[np.bool_]
    """True for finest units whose people were shared out from a unit above, shape (n,)."""
    levels: NDArray[np.object_]
    shapes: NDArray[np.object_]
    notes: tuple[Text, ...] = ()

    @property
    def known(self) -> NDArray[np.bool_]:
        """Tell which finest units' people are known.

        Returns
        -------
        ndarray
            Shape (n,); False for coarser units.
        """
        return np.isfinite(self.stated)

    @property
    def finest(self) -> NDArray[np.bool_]:
        """Tell which units are of the finest level.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        return np.asarray(self.holds.diagonal() > 0)

    @property
    def unknown(self) -> int:
        """Count the finest units whose people are unknown.

        Returns
        -------
        int
            How many.
        """
        return int((self.finest & ~self.known).sum())

    @property
    def total(self) -> float:
        """Sum the people whose number is known.

        Returns
        -------
        float
            Persons in the place.
        """
        return float(self.people.sum())

    def units(self, level: str | None = None) -> pd.DataFrame:
        """Sum people by unit.

        Parameters
        ----------
        level
            Only units of this level.

        Returns
        -------
        DataFrame
            By unit id: ``people`` (NaN where none of its finest units is known), ``unknown``
            (finest units in it whose people are unknown, left out of the sum) and ``estimated``.
        """
        import pandas as pd

        known = self.known
        some = self.holds @ known.astype(np.float64) > 0
        table = pd.DataFrame(
            {
                "people": np.where(some, self.holds @ np.nan_to_num(self.stated), np.nan),
                "unknown": (self.holds @ (self.finest & ~known).astype(np.int64)).astype(np.int64),
                "estimated": self.holds @ self.estimated.astype(np.float64) > 0,
            },
            index=self.ids,
        )
        return table if level is None else table[self.levels == level]

    def cells(self) -> Floats:
        """Sum people by cell.

        Returns
        -------
        ndarray
            Shape (ny, nx); NaN where only units of unknown people stand. People on the rim of the
            place, in a cell whose centre is outside, count in the nearest cell inside.
        """
        grid = self.grid
        sums = np.asarray(self.people.sum(axis=0), np.float64).ravel()
        inside = grid.inside.ravel()
        rim = np.flatnonzero((sums > 0) & ~inside)
        if len(rim) and inside.any():
            sums += np.bincount(_nearest_inside(grid, rim), sums[rim], minlength=grid.n_cells)
            sums[rim] = 0.0
        sums[(sums == 0) & self._dark()] = np.nan
        return sums.reshape(grid.shape)

    def density(self) -> Floats:
        """Give the people per km2 of each cell, by the ground in it whose people are known.

        Returns
        -------
        ndarray
            Shape (ny, nx) [person/km2]; NaN where nothing is known.
        """
        lit = np.append(self.known, True)
        ground = np.asarray(lit.astype(np.float64) @ self.ground, np.float64).ravel()
        sums = np.asarray(self.people.sum(axis=0), np.float64).ravel()
        ground = np.where(sums > 0, np.maximum(ground, 0.01), ground)  # a point on a sliver
        found = np.divide(sums, ground, out=np.full(len(sums), np.nan), where=ground > 0)
        found[(sums == 0) & self._dark()] = np.nan
        return np.asarray(found / self.grid.area_km2).reshape(self.grid.shape)

    def _dark(self) -> NDArray[np.bool_]:
        """Tell in which cells only people of unknown number stand."""
        lit = np.append(self.known, False)
        dark = np.append(self.finest & ~self.known, False)
        seen = np.asarray(lit.astype(np.float64) @ self.ground).ravel()
        unseen = np.asarray(dark.astype(np.float64) @ self.ground).ravel()
        return np.asarray((unseen > 0) & (seen <= 1e-6))

    def parts(self, polygons: Any) -> Matrix:
        """Count the people inside each polygon by unit, cut exactly at the units' borders.

        Within a piece people stand evenly.

        Parameters
        ----------
        polygons
            Polygons in the grid's CRS, shape (m,).

        Returns
        -------
        scipy.sparse.csr_array
            Persons, shape (m, n + 1).
        """
        return self._counted(len(polygons), *self._cuts(polygons))

    def _counted(
        self, m: int, area: NDArray[np.int64], unit: NDArray[np.int64], cuts: NDArray[np.object_]
    ) -> Matrix:
        """Count the people on pieces of ground, each of one of m areas in one unit."""
        rows = len(self.ids) + 1
        if not len(area):
            return scipy.sparse.csr_array((m, rows), dtype=np.float64)
        share = coverage(self.grid, cuts).tocoo()
        pair, cell = (np.asarray(c, np.int64) for c in share.coords)
        if not len(pair):
            return scipy.sparse.csr_array((m, rows), dtype=np.float64)
        people = _at(self.people, unit[pair], cell)
        ground = _at(self.ground, unit[pair], cell)
        part = np.divide(share.data, ground, out=np.zeros(len(pair)), where=ground > 0)
        counts = people * np.clip(part, 0.0, 1.0)
        return scipy.sparse.csr_array((counts, (area[pair], unit[pair])), shape=(m, rows))

    def _cuts(
        self, polygons: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_]]:
        """Cut polygons at the units' borders: polygon, row of the unit, ground of both."""
        areas = shapely.make_valid(geometries(polygons))
        finest = np.flatnonzero(self.finest)
        query = shapely.STRtree(areas).query(self.shapes[finest], predicate="intersects")
        area, unit = query[1].astype(np.int64), finest[query[0]].astype(np.int64)
        cuts = shapely.intersection(areas[area], self.shapes[unit])
        last = len(self.ids)
        if self.people[[last]].nnz:
            joined = shapely.union_all(shapely.make_valid(self.shapes[finest]))
            cuts = np.append(cuts, shapely.difference(areas, joined))
            area = np.append(area, np.arange(len(areas)))
            unit = np.append(unit, np.full(len(areas), last))
        some = shapely.area(cuts) > 0
        return area[some], unit[some], cuts[some]

    def inside(self, polygons: Any) -> Floats:
        """Count the people inside each polygon.

        Parameters
        ----------
        polygons
            Polygons in the grid's CRS, shape (m,).

        Returns
        -------
        ndarray
            Persons, shape (m,); NaN where a polygon holds only ground of units of unknown people.
        """
        found = np.asarray(self.parts(polygons).sum(axis=1), np.float64).ravel()
        if not self.unknown:
            return found
        area, unit, _ = self._cuts(polygons)
        lit = np.append(self.known, True)
        seen = np.bincount(area, lit[unit], len(found))
        return np.where((np.bincount(area, minlength=len(found)) > 0) & (seen == 0), np.nan, found)

    def share_out(self, polygons: Any, totals: Floats) -> Floats:
        """Share out a total of each polygon, such as those it threatens, among the units.

        It goes where people live in the polygon; where nobody is known to, by the ground.

        Parameters
        ----------
        polygons
            Polygons in the grid's CRS, shape (m,).
        totals
            Total of each, shape (m,); a missing one counts as 0.

        Returns
        -------
        ndarray
            Sum of every unit, shape (n,); what lies outside all units is in none.
        """
        shapes = shapely.make_valid(geometries(polygons))
        area, unit, cuts = self._cuts(shapes)
        lives = self._counted(len(shapes), area, unit, cuts)
        lived = np.asarray(lives.sum(axis=1), np.float64).ravel()
        whole, size = shapely.area(shapes), shapely.area(cuts)
        part = np.divide(size, whole[area], out=np.zeros(len(area)), where=whole[area] > 0)
        here = np.minimum(np.bincount(area, part, len(shapes)), 1.0)
        given = np.nan_to_num(np.asarray(totals, np.float64))
        own = np.divide(given * here, lived, out=np.zeros(len(shapes)), where=lived > 0) @ lives
        own += np.bincount(unit, np.where(lived > 0, 0.0, given)[area] * part, len(self.ids) + 1)
        return np.asarray(self.holds @ own[:-1], np.float64)

    def around(self, xy: NDArray[Any], radius_m: float) -> Floats:
        """Count the people within a radius of each point.

        Parameters
        ----------
        xy
            Points in the grid's CRS, shape (m, 2) [m].
        radius_m
            The radius [m].

        Returns
        -------
        ndarray
            Persons, shape (m,); NaN where only people of unknown number live around a point.
        """
        found = np.full(len(xy), np.nan)
        known = np.flatnonzero(np.isfinite(xy).all(axis=1))
        spots, same = np.unique(xy[known], axis=0, return_inverse=True)
        circles = shapely.buffer(shapely.points(spots), radius_m, quad_segs=ROUND)
        found[known] = self.inside(circles)[same.ravel()] if len(spots) else 0.0
        return found

    def beyond(self, xy: NDArray[Any], radius_m: float) -> tuple[Floats, Floats]:
        """Count the people of every unit who live farther than a radius from all points.

        Parameters
        ----------
        xy
            Points in the grid's CRS, shape (m, 2) [m].
        radius_m
            The radius [m].

        Returns
        -------
        tuple of ndarray
            Persons of every unit, shape (n,), NaN where none of its people are known; and the
            share of its people who live there (of its ground where people are unknown or none).
        """
        finest = np.flatnonzero(self.finest)
        shapes = self.shapes[finest]
        spots = shapely.points(np.asarray(xy, np.float64)[np.isfinite(xy).all(axis=1)])
        at, spot = shapely.STRtree(spots).query(shapes, predicate="dwithin", distance=radius_m)
        reach = np.full(len(finest), shapely.Polygon(), dtype=object)
        first = np.flatnonzero(np.diff(at, prepend=-1))
        for start, end in zip(first, np.append(first, len(at))[1:], strict=True):
            unit, near = at[start], spot[start:end]
            reach[unit] = shapely.union_all(shapely.buffer(spots[near], radius_m, quad_segs=ROUND))
        cuts = shapely.intersection(shapely.make_valid(shapes), reach)
        some = np.flatnonzero(shapely.area(cuts) > 0)
        near_people = self._counted(1, np.zeros(len(some), np.int64), finest[some], cuts[some])
        n = len(self.ids)
        lives = np.nan_to_num(self.stated) * self.finest
        there = np.asarray(self.people.sum(axis=1), np.float64).ravel()[:n]
        held = np.asarray(near_people.sum(axis=0), np.float64).ravel()[:n]
        part = np.divide(held, there, out=np.zeros(n), where=there > 0)
        ground, far_ground = np.zeros(n), np.zeros(n)
        ground[finest] = shapely.area(shapes)
        far_ground[finest] = ground[finest] - shapely.area(cuts)
        people = self.units()["people"].to_numpy(np.float64)
        far = self.holds @ (lives * (1 - np.clip(part, 0.0, 1.0)))
        share = _parted(self.holds @ far_ground, self.holds @ ground)
        share = np.where(np.nan_to_num(people) > 0, _parted(far, people), share)
        return np.where(np.isfinite(people), far, np.nan), share

    def mean(self, fields: NDArray[Any]) -> Floats:
        """Average fields over the people of every unit.

        Parameters
        ----------
        fields
            Shape (k, ny, nx); NaN = unknown.

        Returns
        -------
        ndarray
            Shape (k, n); NaN where a unit has no people in a known cell.
        """
        flat = np.asarray(fields, np.float64).reshape(-1, self.grid.n_cells).T
        seen = np.isfinite(flat)
        rows = self.people[:-1]
        top = self.holds @ (rows @ np.where(seen, flat, 0.0))
        weight = self.holds @ (rows @ seen.astype(np.float64))
        return np.divide(top, weight, out=np.full_like(top, np.nan), where=weight > 0).T

    def table(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """List the pieces in which somebody lives.

        Returns
        -------
        tuple of ndarray
            Row of the unit (n = in no unit), flat cell index, persons; by unit, then cell.
        """
        entry = self.people.tocoo()
        some = entry.data > 0
        unit, cell = (np.asarray(c, np.int64)[some] for c in entry.coords)
        order = np.lexsort((cell, unit))
        return unit[order], cell[order], np.asarray(entry.data, np.float64)[some][order]

    def by_level(self, level: str) -> tuple[NDArray[np.int64], NDArray[np.object_], Floats]:
        """List the pieces with the unit of a level that holds them, in cells inside the place.

        Parameters
        ----------
        level
            A level of the units.

        Returns
        -------
        tuple of ndarray
            Flat cell index, code of the unit (empty = none of that level), persons; people on the
            rim of the place count in the nearest cell inside, as in `cells`.
        """
        unit, cell, people = self.table()
        rim = ~self.grid.inside.ravel()[cell]
        if rim.any() and self.grid.inside.any():
            cell = cell.copy()
            cell[rim] = _nearest_inside(self.grid, cell[rim])
        code = np.full(len(self.ids) + 1, "", dtype=object)
        for row in np.flatnonzero(self.levels == level):
            code[self.holds[[row]].indices] = str(self.ids.to_numpy()[row])
        return cell, code[unit], people


def _parted(part: Floats, whole: Floats) -> Floats:
    """Divide where there is something to divide; a share within rounding of 0 or 1 is that."""
    share = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return np.asarray(np.where(np.abs(share - np.rint(share)) < 1e-9, np.rint(share), share))


def _at(matrix: Matrix, row: NDArray[np.int64], column: NDArray[np.int64]) -> Floats:
    """Look up entries, shape (k,)."""
    entry = matrix.tocoo()
    key = np.asarray(entry.coords[0], np.int64) * matrix.shape[1] + entry.coords[1]
    order = np.argsort(key, kind="stable")
    key, data = np.append(key[order], -1), np.append(entry.data[order], 0.0)
    wanted = row * matrix.shape[1] + column
    place = np.searchsorted(key[:-1], wanted)
    return np.where(key[place] == wanted, data[place], 0.0).astype(np.float64)


def _nearest_inside(grid: Grid, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find for each cell the nearest one inside the place."""
    from scipy.ndimage import distance_transform_edt

    row, column = distance_transform_edt(~grid.inside, return_distances=False, return_indices=True)
    flat = row.ravel()[cells] * grid.shape[1] + column.ravel()[cells]
    return np.asarray(flat, dtype=np.int64)


def live_in(
    grid: Grid,
    units: Any,
    *,
    table: Any = None,
    rasters: tuple[Raster, ...] = (),
    weight: NDArray[Any] | None = None,
) -> Pieces | None:
    """Put people into pieces.

    A finest unit's people are what the units' table says, else the rows of the population layer
    that bear its code, else what the layer's other rows or its rasters hold inside the unit, else a
    share of what is left of a unit above it; else they are unknown. Inside a unit they stand where
    the population layer says, else by `weight`, else by area; they never cross its border.

    Parameters
    ----------
    grid
        The grid.
    units
        GeoDataFrame of all levels in the grid's CRS, indexed by unit id, with ``population`` and
        ``parent_id``.
    table
        Points or polygons with ``population`` in the grid's CRS, or None.
    rasters
        People per pixel.
    weight
        Where in a unit people stand, such as metres of road, shape (ny, nx).

    Returns
    -------
    Pieces or None
        None when nobody says anything of people.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> halves = [shapely.box(0, 0, 50, 100), shapely.box(50, 0, 200, 100)]
    >>> towns = gpd.GeoDataFrame({"population": [30.0, 60.0]}, index=["A", "B"], geometry=halves)
    >>> people = live_in(grid, towns)
    >>> people.cells().round(6).tolist(), people.units()["people"].tolist()
    ([[50.0, 40.0]], [30.0, 60.0])
    >>> people.inside([shapely.box(0, 0, 50, 100)]).round(6).tolist()
    [30.0]
    """
    n = len(units)
    shapes = geometries(units)
    holds, finest, depth = _family(units)
    stated = _numbers(units, "population")
    ledger, loose = _by_code(units, table)
    stated = np.where(np.isfinite(stated), stated, ledger)
    if loose is None and not rasters and not np.isfinite(stated).any():
        return None
    cover = coverage(grid, shapes)
    ground, share, inner = _ground(grid, shapes, finest, cover)
    found, seen = _found(grid, inner, finest, loose, rasters, ground, weight)
    notes: list[Text] = []
    own = np.where(finest, stated, np.nan)
    share[~np.isfinite(own)] = 1.0
    if found is not None:
        sums = np.asarray(found.sum(axis=1), np.float64).ravel()[:n]
        both = finest & np.isfinite(own)
        notes += _against(float(own[both].sum()), float(sums[both].sum()))
        own = np.where(finest & ~both & seen, sums, own)
    own, estimated = _from_above(stated, own, finest, holds, depth, ground, weight)
    notes += _said(units, stated, own, finest, estimated, holds)
    base = _base(finest, ground, weight, found)
    lives = np.append(np.nan_to_num(own) * share, 0.0)
    scale = np.asarray(base.sum(axis=1), np.float64).ravel()
    lives[n] = scale[n]
    factor = np.divide(lives, scale, out=np.zeros(n + 1), where=scale > 0)
    people = scipy.sparse.csr_array(scipy.sparse.diags_array(factor) @ base)
    people.eliminate_zeros()
    return Pieces(
        grid=grid,
        ids=units.index,
        people=people,
        cover=cover,
        ground=ground,
        holds=holds,
        stated=own,
        estimated=estimated,
        levels=np.asarray(units["level"] if "level" in units else [""] * n, dtype=object),
        shapes=shapes,
        notes=tuple(notes),
    )


def _numbers(table: Any, column: str) -> Floats:
    if column not in table:
        return np.full(len(table), np.nan)
    return np.asarray(table[column].to_numpy(dtype=np.float64, na_value=np.nan))


def _family(units: Any) -> tuple[Matrix, NDArray[np.bool_], NDArray[np.int64]]:
    """Tell which unit holds which finest one, which are finest, and how deep each stands."""
    import pandas as pd

    n = len(units)
    parent = np.full(n, -1)
    if "parent_id" in units:
        parent = pd.Index(units.index).get_indexer(units["parent_id"])
    parent[parent == np.arange(n)] = -1
    finest = ~np.isin(np.arange(n), parent)
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    depth = np.zeros(n, np.int64)
    child, above = np.flatnonzero(finest), np.flatnonzero(finest)
    for _ in range(n + 1):
        if not len(above) or len(rows) > 32:
            break
        rows.append(above)
        columns.append(child)
        above = parent[above]
        child, above = child[above >= 0], above[above >= 0]
    here = parent.copy()
    for _ in range(32):
        depth += here >= 0
        here = np.where(here >= 0, parent[here], -1)
    at = np.concatenate(rows), np.concatenate(columns)
    holds = scipy.sparse.csr_array((np.ones(len(at[0])), at), shape=(n, n))
    holds.data[:] = 1.0
    return holds, finest, depth


def _by_code(units: Any, table: Any) -> tuple[Floats, Any]:
    """Take the rows that bear a unit's code as its ledger; give its people, and the other rows."""
    found = np.full(len(units), np.nan)
    if table is None or not len(table) or not np.isfinite(_numbers(table, "population")).any():
        return found, None
    people = _numbers(table, "population")
    row = np.full(len(table), -1)
    if "number" in table:
        import pandas as pd

        codes = table["number"].astype(object).where(table["number"].notna(), "").astype(str)
        row = pd.Index(units.index.astype(str)).get_indexer(codes)
    stated = (row >= 0) & np.isfinite(people)
    found[row[stated]] = 0.0
    np.add.at(found, row[stated], people[stated])
    rest = table[(row < 0) & np.isfinite(people)]
    return found, rest if len(rest) else None


def _ground(
    grid: Grid, shapes: NDArray[np.object_], finest: NDArray[np.bool_], cover: Matrix
) -> tuple[Matrix, Floats, NDArray[np.object_]]:
    """Give the share of each cell on which a row's people may stand; of each unit, what is inside.

    A unit cut by the outline of the place keeps only the ground inside it; the last row is ground
    of the place in no unit.
    """
    n, place = len(shapes), grid.place
    share, inner = np.ones(n), shapes.copy()
    ground = scipy.sparse.csr_array(scipy.sparse.diags_array(finest.astype(np.float64)) @ cover)
    rest = scipy.sparse.csr_array((1, grid.n_cells), dtype=np.float64)
    if place is not None:
        shapely.prepare(place)
        area = shapely.area(shapes)
        out = np.flatnonzero(finest & ~shapely.covered_by(shapes, place) & (area > 0))
        cuts = shapely.intersection(shapes[out], place)
        left = shapely.area(cuts) / area[out]
        part = left < 1 - CUT
        inner[out[part]], share[out[part]] = cuts[part], left[part]
        if part.any():
            keep = np.ones(n)
            keep[out[part]] = 0.0
            at = scipy.sparse.csr_array((np.ones(part.sum()), (out[part], np.arange(part.sum()))),
                                  shape=(n, int(part.sum())))  # fmt: skip
            ground = scipy.sparse.csr_array(
                scipy.sparse.diags_array(keep) @ ground + at @ coverage(grid, cuts[part])
            )
        free = _free(grid, shapes[finest])
        if free is not None:
            rest = coverage(grid, [free])
    # A unit too small to be seen, or a point, stands in the cell that holds it.
    empty = np.flatnonzero(finest & (np.asarray(ground.sum(axis=1)).ravel() <= 0) & (share > 0))
    cells = cell_of(grid, *point_xy(shapes[empty])) if len(empty) else np.zeros(0, np.int64)
    good = cells >= 0
    share[empty[~good]] = 0.0
    tiny = (np.full(int(good.sum()), 1e-9), (empty[good], cells[good]))
    ground = scipy.sparse.csr_array(ground + scipy.sparse.csr_array(tiny, shape=ground.shape))
    ground.eliminate_zeros()
    return scipy.sparse.csr_array(scipy.sparse.vstack([ground, rest])), share, inner


def _free(grid: Grid, shapes: NDArray[np.object_]) -> shapely.Geometry | None:
    """Give the ground of the place that is in no unit; None when the units fill it."""
    if grid.place is None:
        return None
    joined = shapely.union_all(shapely.make_valid(shapes[shapely.area(shapes) > 0]))
    if shapely.area(joined) >= shapely.area(grid.place) * (1 - 1e-9):
        return None
    free = shapely.difference(shapely.make_valid(grid.place), joined)
    return free if shapely.area(free) > 1e-9 * shapely.area(grid.place) else None


def _found(
    grid: Grid,
    shapes: NDArray[np.object_],
    finest: NDArray[np.bool_],
    table: Any,
    rasters: tuple[Raster, ...],
    ground: Matrix,
    weight: NDArray[Any] | None,
) -> tuple[Matrix | None, NDArray[np.bool_]]:
    """Give the population layer's people by row and cell, and which units it says something of."""
    if table is not None:
        return _from_rows(grid, shapes, finest, table, weight), finest
    if not rasters:
        return None, np.zeros(len(shapes), dtype=bool)
    cells = np.nan_to_num(raster_to_cells(grid, rasters, how="sum").astype(np.float64)).ravel()
    cells = np.maximum(cells, 0.0)
    entry = ground.tocoo()
    row, cell = entry.coords
    base = scipy.sparse.csr_array((entry.data * cells[cell], (row, cell)), shape=ground.shape)
    free = _free(grid, shapes[finest])
    zones = np.append(np.where(finest, shapes, shapely.Polygon()), np.array([free], dtype=object))
    exact, pixels = _raster_sums(grid, rasters, zones)
    base = _or(base, ground, needed=exact > 0)
    sums = np.asarray(base.sum(axis=1), np.float64).ravel()
    factor = np.divide(exact, sums, out=np.zeros(len(sums)), where=sums > 0)
    return scipy.sparse.csr_array(scipy.sparse.diags_array(factor) @ base), pixels[:-1] > 0


def _or(first: Matrix, second: Matrix, *, needed: NDArray[np.bool_] | None = None) -> Matrix:
    """Take the second matrix' row where the first one's is empty (and something is needed)."""
    empty = np.asarray(first.sum(axis=1)).ravel() <= 0
    if needed is not None:
        empty &= needed
    if not empty.any():
        return first
    keep, take = (scipy.sparse.diags_array(w.astype(np.float64)) for w in (~empty, empty))
    return scipy.sparse.csr_array(keep @ first + take @ second)


def _raster_sums(
    grid: Grid, rasters: tuple[Raster, ...], zones: NDArray[np.object_]
) -> tuple[Floats, Floats]:
    """Sum the pixels in each zone, cut exactly, and give the share of it that is known."""
    import geopandas as gpd
    from affine import Affine

    sums, counts = np.zeros(len(zones)), np.zeros(len(zones))
    filled = np.flatnonzero(~(shapely.is_missing(zones) | shapely.is_empty(zones)))
    solid = filled[shapely.area(zones[filled]) > 0]
    if not len(solid):
        return sums, counts
    areas = gpd.GeoSeries(shapely.make_valid(zones[solid]), crs=grid.crs)
    for tile in rasters:
        shape = Affine(*tile.transform)
        values = np.asarray(tile.values, np.float64)
        values = np.where(values >= 0, values, np.nan)  # fewer than nobody: not a count
        ny, nx = values.shape
        if shape.b or shape.d or shape.a <= 0 or shape.e >= 0:
            warped = raster_to_cells(grid, tile, how="sum").astype(np.float64).ravel()
            cover = coverage(grid, zones[solid])
            sums[solid] += cover @ np.nan_to_num(warped)
            there_is = cover @ np.isfinite(warped).astype(np.float64)
            counts[solid] += there_is / np.maximum(cover.sum(axis=1), 1e-12)
            continue
        there = areas.to_crs(tile.crs)
        bounds = (shape.c, shape.f + ny * shape.e, shape.c + nx * shape.a, shape.f)
        total, seen = _sum_and_count(values, there.make_valid(), bounds)
        sums[solid] += total
        whole = np.maximum(shapely.area(there.to_numpy()) / abs(shape.a * shape.e), 1e-12)
        counts[solid] += np.where(seen / whole > SEEN, seen / whole, 0.0)
    return np.maximum(sums, 0.0), counts


def _sum_and_count(
    values: Floats, zones: Any, bounds: tuple[float, float, float, float]
) -> tuple[Floats, Floats]:
    """Sum the known pixels under each zone, and count them, by the shares that lie in it."""
    try:
        from exactextract import exact_extract
        from exactextract.raster import NumPyRasterSource
    except ImportError:  # there is none for Linux on arm64
        cover = cells_under(zones.to_numpy(), bounds=bounds, shape=values.shape, crs=zones.crs)
        known = np.isfinite(values).astype(np.float64)
        return cover @ np.nan_to_num(values).ravel(), cover @ known.ravel()
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"row": np.arange(len(zones))}, geometry=zones)
    source = NumPyRasterSource(values, *bounds, nodata=np.nan, srs_wkt=zones.crs.to_wkt())
    found = exact_extract(source, frame, ["sum", "count"], include_cols=["row"], output="pandas")
    row = found["row"].to_numpy()
    total, seen = np.zeros(len(zones)), np.zeros(len(zones))
    total[row] = np.nan_to_num(found["sum"].to_numpy(np.float64))
    seen[row] = np.nan_to_num(found["count"].to_numpy(np.float64))
    return total, seen


def _from_rows(
    grid: Grid,
    shapes: NDArray[np.object_],
    finest: NDArray[np.bool_],
    table: Any,
    weight: NDArray[Any] | None,
) -> Matrix:
    """Put the people of points and polygons into pieces."""
    n = len(shapes)
    people, rows = _numbers(table, "population"), geometries(table)
    placed = np.flatnonzero(~(shapely.is_missing(rows) | shapely.is_empty(rows)))
    people, rows = people[placed], rows[placed]
    places = np.flatnonzero(finest)
    tree = shapely.STRtree(shapes[places])
    solid = shapely.area(rows) > 0
    unit, cells, counts = [], [], []
    points = np.flatnonzero(~solid)
    if len(points):
        x, y = point_xy(rows[points])
        spots = shapely.points(x, y)
        point, place = tree.query(spots, predicate="intersects")
        order = np.lexsort((place, shapely.area(shapes[places[place]]), point))
        point, place = point[order], place[order]
        point, first = np.unique(point, return_index=True)
        home = np.full(len(points), n)
        home[point] = places[place[first]]
        cell = cell_of(grid, x, y)
        good = cell >= 0
        unit.append(home[good])
        cells.append(cell[good])
        counts.append(people[points][good])
    areas = np.flatnonzero(solid)
    if len(areas):
        grounds = shapely.make_valid(rows[areas])
        query = tree.query(grounds, predicate="intersects")
        at, homes = query[0].astype(np.int64), places[query[1]].astype(np.int64)
        cuts = shapely.intersection(grounds[at], shapes[homes])
        free = _free(grid, shapes[places])
        if free is not None:
            over = np.flatnonzero(shapely.intersects(grounds, free))
            cuts = np.append(cuts, shapely.intersection(grounds[over], free))
            at = np.append(at, over).astype(np.int64)
            homes = np.append(homes, np.full(len(over), n)).astype(np.int64)
        entry = coverage(grid, cuts).tocoo()
        part, spot = entry.coords
        held = np.bincount(at, shapely.area(cuts), len(areas)) / shapely.area(grounds)
        held = np.where(held > 1 - CUT, 1.0, held)
        held_people = people[areas] * held
        heavy = entry.data
        if weight is not None:
            heavy = heavy * np.nan_to_num(np.asarray(weight, np.float64)).ravel()[spot]
        for values in (heavy, entry.data):
            total = np.bincount(at[part], values, len(areas))
            use = (total > 0)[at[part]] & (held_people > 0)[at[part]]
            unit.append(homes[part][use])
            cells.append(spot[use])
            counts.append(values[use] / total[at[part]][use] * held_people[at[part]][use])
            held_people = np.where(total > 0, 0.0, held_people)
    joined = np.concatenate(unit), np.concatenate(cells)
    return scipy.sparse.csr_array((np.concatenate(counts), joined), shape=(n + 1, grid.n_cells))


def _base(
    finest: NDArray[np.bool_], ground: Matrix, weight: NDArray[Any] | None, found: Matrix | None
) -> Matrix:
    """Say where in a row people stand: by the population layer, else by weight, else by area."""
    n = len(finest)
    units = scipy.sparse.csr_array(
        scipy.sparse.diags_array(np.append(finest, 0.0).astype(np.float64)) @ ground
    )
    base = _or(_weighted(units, weight), units)
    if found is None:
        return base
    joined = _or(found, base)
    last = np.zeros(n + 1)
    last[n] = 1.0
    return scipy.sparse.csr_array(
        scipy.sparse.diags_array(1 - last) @ joined + scipy.sparse.diags_array(last) @ found
    )


def _weighted(ground: Matrix, weight: NDArray[Any] | None) -> Matrix:
    if weight is None:
        return ground
    entry = ground.tocoo()
    row, cell = entry.coords
    heavy = np.nan_to_num(np.asarray(weight, np.float64)).ravel()[cell]
    return scipy.sparse.csr_array((entry.data * heavy, (row, cell)), shape=ground.shape)


def _from_above(
    stated: Floats,
    own: Floats,
    finest: NDArray[np.bool_],
    holds: Matrix,
    depth: NDArray[np.int64],
    ground: Matrix,
    weight: NDArray[Any] | None,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Share out what is left of a unit above among its finest units that say nothing."""
    filled, estimated = own.copy(), np.zeros(len(own), dtype=bool)
    above = np.flatnonzero(~finest & np.isfinite(stated))
    if not len(above) or np.isfinite(own[finest]).all():
        return filled, estimated
    size = np.asarray(_or(_weighted(ground, weight), ground).sum(axis=1)).ravel()[:-1]
    for unit in above[np.argsort(-depth[above], kind="stable")]:
        kids = holds[[unit]].indices
        open_ = kids[~np.isfinite(filled[kids])]
        left = stated[unit] - np.nansum(filled[kids])
        if not len(open_) or left <= 0 or size[open_].sum() <= 0:
            continue
        filled[open_] = left * size[open_] / size[open_].sum()
        estimated[open_] = True
    return filled, estimated


def _against(ledger: float, layer: float) -> list[Text]:
    """Say when units and population layer do not agree."""
    if abs(ledger - layer) <= APART * max(ledger, layer):
        return []
    return [
        text(
            "People: the units state {ledger}, the population layer holds {layer} in them; the "
            "units' own numbers count, and the layer says where inside a unit people live.",
            ledger=f"{ledger:.0f}",
            layer=f"{layer:.0f}",
        )
    ]


def _said(
    units: Any,
    stated: Floats,
    own: Floats,
    finest: NDArray[np.bool_],
    estimated: NDArray[np.bool_],
    holds: Matrix,
) -> list[Text]:
    """Say whose people are unknown or estimated, and which sums contradict a ledger."""
    names = np.asarray(units.get("name", units.index), dtype=object).astype(str)
    notes = []
    dark = finest & ~np.isfinite(own)
    if dark.any():
        notes.append(
            text(
                "The people of {n} units are unknown ({names}); they are in no total.",
                n=int(dark.sum()),
                names=_first(names[dark]),
            )
        )
    if estimated.any():
        notes.append(
            text(
                "The people of {n} units are not stated ({names}); they are estimated as a share "
                "of what is left of the unit above.",
                n=int(estimated.sum()),
                names=_first(names[estimated]),
            )
        )
    sums = holds @ np.nan_to_num(own)
    whole = (holds @ dark.astype(np.float64)) == 0
    apart = ~finest & whole & (np.abs(stated - sums) > APART * np.fmax(stated, sums))
    if apart.any():
        worst = np.flatnonzero(apart)[np.argmax(np.abs(stated - sums)[apart])]
        notes.append(
            text(
                "{n} units state other numbers of people than the units in them sum to ({name}: "
                "{stated}, sum {sum}); the sums count.",
                n=int(apart.sum()),
                name=names[worst],
                stated=f"{stated[worst]:.0f}",
                sum=f"{sums[worst]:.0f}",
            )
        )
    return notes


def _first(names: NDArray[np.object_], most: int = 3) -> str:
    shown = ", ".join(names[:most].tolist())
    return shown if len(names) <= most else f"{shown} …"


def people_matrix(
    grid: Grid,
    table: Any,
    *,
    weight: NDArray[Any] | None = None,
    cover: scipy.sparse.csr_array[Any, tuple[int, int]] | None = None,
) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
    """Give the share of each row's people that stands in each cell.

    Parameters
    ----------
    grid
        The grid.
    table
        GeoDataFrame of points or polygons in the grid's CRS, n rows.
    weight
        Where in a polygon people stand, such as metres of road, shape (ny, nx).
    cover
        The polygons' `coverage`, if it is known already.

    Returns
    -------
    scipy.sparse.csr_array
        Shares, shape (n, ny * nx).

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> people_matrix(grid, [shapely.Point(1, 1), shapely.box(0, 0, 200, 100)]).toarray().tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    shapes, polygons = geometries(table), _polygons(table)
    others = shapes.copy()
    others[shapely.get_dimensions(shapes) == 2] = None
    shares = spread_matrix(grid, polygons, weight=weight, cover=cover)
    cells = cell_of(grid, *point_xy(others))
    rows = np.flatnonzero(cells >= 0)
    at = rows, cells[rows]
    return shares + scipy.sparse.csr_array((np.ones(len(rows)), at), shape=shares.shape)


def _polygons(table: Any) -> NDArray[np.object_]:
    """Keep the polygons; an empty polygon stands for every other shape."""
    shapes = geometries(table)
    return np.where(shapely.get_dimensions(shapes) == 2, shapes, shapely.Polygon())


def share_of_cells(
    grid: Grid,
    table: Any,
    share: NDArray[Any],
    *,
    people: NDArray[Any] | None = None,
    weight: NDArray[Any] | None = None,
) -> FloatGrid:
    """Carry a share of people, such as the elderly, onto cells.

    ``cell = sum_r share_r people_r s_rc / sum_r people_r s_rc`` with the share s of row r's people
    in cell c; rows whose share is missing are left out.

    Parameters
    ----------
    grid
        The grid.
    table
        Points or polygons in the grid's CRS, n rows.
    share
        Share of each row, shape (n,), any unit; NaN = unknown.
    people
        People of each row, shape (n,); 1 by default.
    weight
        Where in a polygon people stand, shape (ny, nx).

    Returns
    -------
    ndarray
        Share in each cell, shape (ny, nx) [unit of the input]; NaN where nothing is known.

    Examples
    --------
    >>> from riskmap.geo.grid import make_grid
    >>> grid = make_grid(shapely.box(0, 0, 200, 100), crs="EPSG:4548", size_m=100)
    >>> share_of_cells(grid, [shapely.box(0, 0, 100, 100)], np.array([0.2])).round(3).tolist()
    [[0.2..., nan]]
    """
    values = np.asarray(share, dtype=np.float64)
    known = np.isfinite(values)
    count = np.ones(len(values)) if people is None else np.nan_to_num(np.asarray(people, float))
    cover = coverage(grid, _polygons(table))
    by_area = people_matrix(grid, table, cover=cover)
    by_people = people_matrix(grid, table, weight=weight, cover=cover)
    fields = []
    for counts, shares in ((count, by_people), (known, by_area)):
        part = counts * known
        total = part @ shares
        top = (part * np.nan_to_num(values)) @ shares
        fields.append(np.divide(top, total, out=np.full(grid.n_cells, np.nan), where=total > 0))
    joined: NDArray[np.float64] = np.where(np.isfinite(fields[0]), fields[0], fields[1])
    return joined.reshape(grid.shape).astype(np.float32)

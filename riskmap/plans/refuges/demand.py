"""Who has to move, from where, nobody counted twice; and how many a refuge holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
import shapely.geometry

from riskmap.geo.areas import coverage
from riskmap.geo.grid import cell_centres, project_points, unit_of_points
from riskmap.geo.network.flooded import sample
from riskmap.layers.layer import depth_tiles, numbers, texts
from riskmap.vocabulary.roles import days_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Raster
    from riskmap.plans.options import RefugeOptions
    from riskmap.vocabulary.presets import Presets

    Floats = NDArray[np.float64]


def capacity_table(
    refuges: pd.DataFrame, *, presets: Presets, options: RefugeOptions, data_date: str = ""
) -> pd.DataFrame:
    r"""Compute the places of every refuge and set them beside the declared ones.

    .. math:: q = \min(q_\text{declared}, \lfloor A / a_\text{type} \rfloor) - q_\text{used}

    Parameters
    ----------
    refuges
        Refuge layer: ``capacity``, ``area_m2``, ``type``, ``used``, ``appraised``.
    presets
        Areas per person.
    options
        The plan's options.
    data_date
        Date of the data, for the age of the appraisal.

    Returns
    -------
    DataFrame
        Indexed like ``refuges``: name, tier, type, area_m2, per_capita_m2, computed, declared,
        over_declared, used, places, assumed, appraisal_due.

    References
    ----------
    GB 51143-2015, table 3.1.x; DB33/T 2158-2021.

    Examples
    --------
    >>> from riskmap.plans.options import RefugeOptions
    >>> from riskmap.vocabulary.presets import load_presets
    >>> hall = pd.DataFrame({"capacity": [300.0], "area_m2": [500.0], "used": [10.0]})
    >>> capacity_table(hall, presets=load_presets(), options=RefugeOptions())["places"].tolist()
    [240]
    """
    area = numbers(refuges, "area_m2")
    declared = numbers(refuges, "capacity")
    used = np.nan_to_num(numbers(refuges, "used"))
    each = _per_capita(refuges, presets, options)
    computed = np.floor(area / each)
    honest = np.fmin(declared, computed)
    assumed = np.isnan(honest) & (options.assumed_capacity is not None)
    honest = np.where(assumed, float(options.assumed_capacity or 0), honest)
    places = np.maximum(np.nan_to_num(honest) - used, 0.0)
    return pd.DataFrame(
        {
            "name": texts(refuges, "name"),
            "tier": texts(refuges, "tier"),
            "type": texts(refuges, "type"),
            "area_m2": area,
            "per_capita_m2": each,
            "computed": computed,
            "declared": declared,
            "over_declared": declared > computed,
            "used": used,
            "places": places.astype(np.int64),
            "known": ~np.isnan(np.fmin(declared, computed)),
            "assumed": assumed,
            "appraisal_due": _appraisal_due(refuges, presets, data_date),
        },
        index=refuges.index,
    )


def _per_capita(
    refuges: pd.DataFrame, presets: Presets, options: RefugeOptions
) -> NDArray[np.float64]:
    """Area per person by type [m2]; a refuge without a type takes the indoor figure."""
    if options.per_capita_m2 is not None:
        return np.full(len(refuges), options.per_capita_m2)
    kinds = texts(refuges, "type")
    by_type = presets["refuge.per_capita_m2"] if any(kinds) else {}
    other = float(presets["refuge.zhejiang_per_capita_m2"]) if not all(kinds) else np.nan
    return np.asarray([float(by_type.get(kind, other)) for kind in kinds], np.float64)


def _appraisal_due(refuges: pd.DataFrame, presets: Presets, data_date: str) -> NDArray[np.bool_]:
    """Tell whose last building appraisal is older than the cycle on the date of the data."""
    if "appraised" not in refuges or not data_date:
        return np.zeros(len(refuges), bool)
    years = int(presets["refuge.appraisal_years"])
    last = days_of(refuges["appraised"])
    oldest = pd.Timestamp(data_date) - pd.DateOffset(years=years)
    return np.asarray((last < oldest).to_numpy(), bool)


@dataclass(frozen=True, kw_only=True)
class People:
    """Groups of people who move together."""

    table: pd.DataFrame
    """One row a group: demand, origin (``danger_area`` or ``flooded``), name, unit_id, people,
    vulnerable (NaN where not declared); ``assisted`` once the groups are parted."""
    xy: NDArray[np.float64]
    """Where each group sets out, shape (n, 2) [m]."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Living:
    """Where people live: by finest unit and cell, evenly on the ground of the unit in the cell."""

    grid: Grid
    ids: NDArray[np.object_]
    """Code of each unit; the last one, empty, is ground in no unit."""
    shapes: NDArray[np.object_]
    """Ground of each unit but the last, shape (n,)."""
    people: Any
    """Persons, sparse, shape (n + 1, cells)."""
    cover: Any
    """Share of each cell on which they live, sparse, shape (n + 1, cells)."""


def living(grid: Grid, units: gpd.GeoDataFrame, population: Any) -> Living:
    """Share the people of each cell out to the units in it, by the ground that each covers.

    Parameters
    ----------
    grid
        The grid.
    units
        Units; the finest ones are the villages.
    population
        People per cell, shape (ny, nx), or None.

    Returns
    -------
    Living
        People of cells in no unit stand in the last row.
    """
    from scipy import sparse

    finest = units[units["finest"]] if "finest" in units else units
    shapes = shapely.make_valid(np.asarray(finest.geometry.array, dtype=object))
    cover = coverage(grid, shapes)
    held = np.asarray(cover.sum(axis=0)).ravel()
    rest = np.where(held > 0, 0.0, 1.0)
    flat = (
        np.zeros(grid.n_cells)
        if population is None
        else np.nan_to_num(np.asarray(population, np.float64)).ravel()
    )
    cover = sparse.vstack([cover, sparse.csr_array(rest[None, :])], format="csr")
    each = np.divide(flat, np.where(held > 0, held, 1.0))
    return Living(
        grid=grid,
        ids=np.asarray([*map(str, finest.index), ""], dtype=object),
        shapes=shapes,
        people=cover * each[None, :],
        cover=cover,
    )


def lived_in(pieces: Pieces) -> Living:
    """Take where people live from the pieces of the run.

    Parameters
    ----------
    pieces
        People by unit and cell.

    Returns
    -------
    Living
        Their finest units, and ground in no unit.
    """
    finest = np.flatnonzero(pieces.finest)
    rows = np.append(finest, len(pieces.ids))
    return Living(
        grid=pieces.grid,
        ids=np.asarray([*map(str, pieces.ids[finest]), ""], dtype=object),
        shapes=shapely.make_valid(pieces.shapes[finest]),
        people=pieces.people[rows],
        cover=pieces.ground[rows],
    )


@dataclass(frozen=True, eq=False)
class _Parts:
    """What grounds have of each unit, one row for each ground and unit."""

    ground: NDArray[np.int64]
    unit: NDArray[np.int64]
    area: NDArray[np.float64]
    people: NDArray[np.float64]
    xy: NDArray[np.float64]
    """Where these people set out, or a point inside where nobody lives, shape (k, 2) [m]."""


def people_to_move(
    grid: Grid,
    units: gpd.GeoDataFrame,
    *,
    population: Any = None,
    standing: gpd.GeoDataFrame | None = None,
    scenario: gpd.GeoDataFrame | None = None,
    depth_m: Any = None,
    depths: tuple[Raster, ...] = (),
    presets: Presets,
    home: Living | None = None,
) -> People:
    r"""List the groups of people who have to move, by source and village.

    .. math:: d_{av} = \sum_g \max\Big(\text{declared}_a \frac{P_{ag}}{P_a} - d_g, 0\Big)
              \frac{P_{av}}{\sum_w P_{aw}}, \qquad
              d_v = r \sum_c P_{cv} \frac{|W \setminus A|_{cv}}{|c \cap v|}

    A danger area gives its declared people, spread as people live on it, or else the people living
    on its ground as far as no other area holds it. Ground of a standing area that an area of the
    scenario covers counts there only. Where areas of one layer overlap, the shared ground moves as
    many as the area that claims most of it: nobody counts twice and no area moves fewer than it
    declares. ``W`` is the ground at least h_0 deep, pixel by pixel, and ``A`` all danger areas:
    ground is overlaid exactly. People of an area that lies in several villages are a group in each,
    by those who live on it, else by its ground.

    Parameters
    ----------
    grid
        The grid.
    units
        Units; the finest ones are the villages.
    population
        People per cell, shape (ny, nx), or None.
    standing, scenario
        Danger areas that always hold, and those of the scenario.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m]; counts before ``depth_m``.
    presets
        ``refuge.move_depth_m`` and ``refuge.evacuation_ratio``.
    home
        Where people live; found from ``population`` when it is not given.

    Returns
    -------
    People
        Groups with at least one person, each with the place where its people live.
    """
    home = home or living(grid, units, population)
    villages = units[units["finest"]] if "finest" in units else units
    names = villages["name"].astype(str)
    layers = [areas for areas in (scenario, standing) if areas is not None and len(areas)]
    parts, spots = [], []
    for areas, ground, count in _claims(home, layers, known=population is not None):
        table, xy = _in_areas(home, areas, ground, count)
        parts.append(table)
        spots.append(xy)
    if (depths or depth_m is not None) and population is not None:
        limit = float(presets["refuge.move_depth_m"])
        deep = _deep_ground(grid, depth_tiles(grid, depth_m, depths), limit)
        ratio = float(presets["refuge.evacuation_ratio"])
        table, xy = _flooded(home, _less(deep, [_joined(areas) for areas in layers]), ratio, names)
        parts.append(table)
        spots.append(xy)
    table, xy = _join(parts, spots)
    table["demand"] = [f"{o[0].upper()}{i + 1}" for i, o in enumerate(table["origin"])]
    return People(table=table, xy=xy)


def _joined(areas: gpd.GeoDataFrame) -> Any:
    return shapely.union_all(shapely.make_valid(np.asarray(areas.geometry.array, dtype=object)))


def _join(
    parts: list[pd.DataFrame], spots: list[NDArray[np.float64]]
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Put groups under each other and drop those of nobody."""
    filled = [(part, spot) for part, spot in zip(parts, spots, strict=True) if len(part)]
    if not filled:
        empty = pd.DataFrame(
            {
                "origin": pd.Series(dtype=object),
                "name": pd.Series(dtype=object),
                "people": pd.Series(dtype=np.int64),
                "vulnerable": pd.Series(dtype=float),
                "unit_id": pd.Series(dtype=object),
            }
        )
        return empty, np.zeros((0, 2))
    table = pd.concat([part for part, _ in filled])
    xy = np.concatenate([spot for _, spot in filled])
    some = (table["people"] > 0).to_numpy()
    return table[some].reset_index(drop=True), xy[some]


Claim = tuple["gpd.GeoDataFrame", "NDArray[np.object_]", "Floats"]


def _claims(home: Living, layers: list[gpd.GeoDataFrame], *, known: bool) -> list[Claim]:
    """Tell on which ground each area moves people whom no area before it moves, and how many.

    In their layer, areas with declared people come first, the largest number before others.
    """
    if not layers:
        return []
    shapes = np.concatenate([np.asarray(one.geometry.array, dtype=object) for one in layers])
    ground = shapely.make_valid(shapes)
    said = np.concatenate([numbers(one, "people") for one in layers])
    rank = np.repeat(np.arange(len(layers)), [len(one) for one in layers])
    bare = np.isnan(said)
    here = _living_on(home, ground) if known and bare.any() else np.zeros(len(ground))
    count = np.where(bare, here, said)
    middle = shapely.get_coordinates(shapely.centroid(ground))
    middle = np.where(bare[:, None], 0.0, np.round(middle, 3))
    order = np.lexsort((*middle.T, -np.where(bare, 0.0, count), bare, rank))
    turn = np.argsort(order)
    held: dict[int, list[tuple[Any, float]]] = {}
    one, other = shapely.STRtree(ground).query(ground, predicate="intersects")
    beside = {row: other[(one == row) & (other != row)] for row in np.unique(one[one != other])}
    for row in sorted(beside, key=lambda row: turn[row]):
        before = [k for k in beside[row].tolist() if turn[k] < turn[row]]
        atoms = [(k, n) for k in before for n in range(len(held[k]))]
        own: list[tuple[Any, float]] = []
        area, extra = ground[row], 0.0
        if atoms:
            same = [rank[k] == rank[row] and not bare[row] for k, _ in atoms]
            area, extra, own = _beside(home, ground[row], float(said[row]), held, atoms, same)
        if bare[row]:
            count[row] = float(_living_on(home, np.array([area]))[0]) if known else 0.0
        elif atoms:
            free, whole = _weighed(home, [area, ground[row]])
            count[row] *= free / whole if whole > 0 else 0.0
        held[row] = [*own, (area, float(count[row]))]
        ground[row] = shapely.union_all([area, *(shape for shape, _ in own)])
        count[row] += extra
    cut = np.cumsum([len(one) for one in layers])[:-1]
    return list(zip(layers, np.split(ground, cut), np.split(count, cut), strict=True))


def _beside(
    home: Living,
    area: Any,
    declared: float,
    held: dict[int, list[tuple[Any, float]]],
    atoms: list[tuple[int, int]],
    same: list[bool],
) -> tuple[Any, float, list[tuple[Any, float]]]:
    """Part an area from ground that others hold; where it claims more there, it adds the rest.

    It does so among areas of the same layer only. Returns the free ground, the people added on held
    ground, and that ground with all its people; the others hold what is left to them.
    """
    extra, free = 0.0, area
    own: list[tuple[Any, float]] = []
    for (k, n), alike in zip(atoms, same, strict=True):
        shape, people = held[k][n]
        shared = shapely.intersection(area, shape)
        if shapely.area(shared) <= 1e-6:
            continue
        free = shapely.difference(free, shape)
        if not alike:
            continue
        mine, whole = _weighed(home, [shared, area])
        theirs, total = _weighed(home, [shared, shape])
        has = people * theirs / total if total > 0 else 0.0
        more = max((declared * mine / whole if whole > 0 else 0.0) - has, 0.0)
        held[k][n] = (shapely.difference(shape, shared), people - has)
        if more > 1e-9:
            extra += more
            own.append((shared, has + more))
        else:
            held[k].append((shared, has))
    return free, extra, own


def _living_on(home: Living, ground: NDArray[np.object_]) -> Floats:
    """Count who lives on each ground."""
    found = _overlay(home, ground)
    return np.bincount(found.ground, weights=found.people, minlength=len(ground)).astype(float)


def _weighed(home: Living, shapes: list[Any]) -> tuple[float, float]:
    """Weigh a part and a whole by who lives there, by ground where nobody lives on the whole."""
    both = np.empty(2, dtype=object)
    both[:] = shapes
    part, whole = _living_on(home, both)
    if whole > 0:
        return float(part), float(whole)
    return float(shapely.area(shapes[0])), float(shapely.area(shapes[1]))


def _in_areas(
    home: Living, areas: gpd.GeoDataFrame, ground: NDArray[np.object_], count: Floats
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Part the people whom areas move by village."""
    found = _overlay(home, ground)
    here = np.bincount(found.ground, weights=found.people, minlength=len(areas))
    # Declared people are shared out by those who live there, else by the ground.
    weight = np.where(here[found.ground] > 0, found.people, found.area)
    whole = np.bincount(found.ground, weights=weight, minlength=len(areas))
    share = weight / np.maximum(whole[found.ground], 1e-300)
    people = whole_numbers(np.rint(count)[found.ground] * share, found.ground)
    declared = numbers(areas, "people")
    all_of = np.divide(count, declared, out=np.ones(len(areas)), where=declared > 0)
    weak = np.rint(np.minimum(numbers(areas, "vulnerable") * np.minimum(all_of, 1.0), count))
    has = ~np.isnan(weak)
    parted = whole_numbers(np.nan_to_num(weak)[found.ground] * share, found.ground)
    vulnerable = np.where(has[found.ground], np.minimum(parted, people), np.nan)
    names = np.asarray(texts(areas, "name"), dtype=object)
    return (
        pd.DataFrame(
            {
                "origin": "danger_area",
                "name": names[found.ground],
                "people": people.astype(np.int64),
                "vulnerable": vulnerable,
                "unit_id": home.ids[found.unit],
            }
        ),
        found.xy,
    )


def whole_numbers(
    value: NDArray[np.float64],
    group: NDArray[np.int64],
    *,
    total: NDArray[np.float64] | None = None,
    turn: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Round so that the sum of each group is rounded, the largest remainders upwards.

    Parameters
    ----------
    value
        Values, not negative, shape (n,).
    group
        Group of each, shape (n,).
    total
        Whole sum of each group, less than 1 from that of its values; the nearest one by default.
    turn
        Who is first of equal remainders; the order of the values by default.

    Returns
    -------
    ndarray
        Whole numbers.

    Examples
    --------
    >>> whole_numbers(np.array([0.5, 0.5, 1.2]), np.zeros(3, int)).tolist()
    [1.0, 0.0, 1.0]
    """
    if not len(value):
        return value
    low = np.floor(value + 1e-9)
    total = np.rint(np.bincount(group, weights=value) + 1e-9) if total is None else total
    left = total - np.bincount(group, weights=low)
    turn = np.arange(len(value)) if turn is None else turn
    order = np.lexsort((turn, -np.round(value - low, 9), group))
    first = np.searchsorted(group[order], group[order], side="left")
    more = np.zeros(len(value))
    more[order] = np.arange(len(value)) - first < left[group[order]]
    return low + more


def _overlay(home: Living, ground: NDArray[np.object_]) -> _Parts:
    """Cut grounds at the villages' borders; count who lives on each part, and where.

    A village of several separate polygons sets out from each of them.
    """
    pieces, of = shapely.get_parts(ground, return_index=True)
    solid = (shapely.get_dimensions(pieces) == 2) & (shapely.area(pieces) > 0)
    pieces, of = pieces[solid], of[solid]
    homes, village = shapely.get_parts(home.shapes, return_index=True)
    part, piece = shapely.STRtree(pieces).query(homes, predicate="intersects")
    cut = shapely.intersection(pieces[piece], homes[part])
    some = shapely.area(cut) > 1e-6
    cut, part, owner = cut[some], part[some], of[piece[some]]
    unit = village[part]
    inside = np.bincount(piece[some], weights=shapely.area(cut), minlength=len(pieces))
    out = np.flatnonzero(shapely.area(pieces) - inside > 1e-3 * shapely.area(pieces) + 1e-3)
    if out.size:
        rest = shapely.difference(pieces[out], shapely.union_all(home.shapes))
        real = shapely.area(rest) > 1e-3
        cut = np.concatenate([cut, rest[real]])
        unit = np.concatenate([unit, np.full(int(real.sum()), len(home.ids) - 1)])
        part = np.concatenate([part, np.full(int(real.sum()), len(homes))])
        owner = np.concatenate([owner, of[out[real]]])
    order = np.lexsort((part, unit, owner))
    cut, part, unit, owner = cut[order], part[order], unit[order], owner[order]
    first = np.flatnonzero(np.r_[True, (owner[1:] != owner[:-1]) | (part[1:] != part[:-1])])
    first = first[: len(cut)]
    shapes = np.empty(first.size, dtype=object)
    shapes[:] = [shapely.union_all(part) for part in np.split(cut, first[1:])][: first.size]
    share = coverage(home.grid, shapes).tocoo()
    row, cell = (np.asarray(each, np.int64) for each in share.coords)
    held = _at(home.cover, unit[first][row], cell)
    people = _at(home.people, unit[first][row], cell)
    people = people * np.clip(np.divide(share.data, np.where(held > 0, held, 1.0)), 0.0, 1.0)
    return _Parts(
        ground=owner[first],
        unit=unit[first],
        area=shapely.area(shapes),
        people=_sum(row, people, first.size),
        xy=_starts(home.grid, shapes, row, cell, np.asarray(share.data), people),
    )


def _at(matrix: Any, row: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy import sparse

    found = sparse.csr_matrix(matrix)[row, cell] if len(row) else np.zeros(0)
    return np.asarray(found, np.float64).ravel()


def _sum(row: NDArray[np.int64], value: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return np.bincount(row, weights=value, minlength=count).astype(np.float64)


def _starts(
    grid: Grid,
    shapes: NDArray[np.object_],
    row: NDArray[np.int64],
    cell: NDArray[np.int64],
    share: NDArray[np.float64],
    people: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Find the place amid the people of every ground; where nobody lives, a point inside it."""
    found = np.asarray(shapely.get_coordinates(shapely.point_on_surface(shapes)), np.float64)
    live = np.flatnonzero(people > 0)
    if not live.size:
        return found
    row, cell, share, people = row[live], cell[live], share[live], people[live]
    xy = np.column_stack(cell_centres(grid, cell))
    half = grid.size_m / 2
    edge = np.flatnonzero(share < 1 - 1e-9)
    box = shapely.box(*(xy[edge] - half).T, *(xy[edge] + half).T)
    here = shapely.centroid(shapely.intersection(shapes[row[edge]], box))
    fine = ~shapely.is_empty(here)
    xy[edge[fine]] = shapely.get_coordinates(here[fine])
    count = len(shapes)
    total = np.bincount(row, weights=people, minlength=count)
    some = total > 0
    middle = (
        np.column_stack(
            [np.bincount(row, weights=people * xy[:, k], minlength=count) for k in (0, 1)]
        )
        / np.where(some, total, 1.0)[:, None]
    )
    # The middle of the people counts where some of them live around it, else the nearest of them.
    gap = np.hypot(*(xy - middle[row]).T)
    order = np.lexsort((cell, gap, row))
    first = order[np.r_[True, row[order][1:] != row[order][:-1]]]
    at = row[first]
    amid = (gap[first] <= half * np.sqrt(2) + 1e-6) & shapely.intersects(
        shapes[at], shapely.points(middle[at])
    )
    found[at] = np.where(amid[:, None], middle[at], xy[first])
    return found


def _deep_ground(grid: Grid, tiles: tuple[Raster, ...], limit: float) -> NDArray[np.object_]:
    """Give the ground at least so deep under water, along the pixels' borders."""
    from affine import Affine
    from rasterio.features import shapes

    found: list[Any] = []
    for number, tile in enumerate(tiles):
        deep = np.nan_to_num(tile.values, nan=-np.inf) >= limit
        if number and deep.any():  # of tiles that overlap the first known one counts
            row, column = np.nonzero(deep)
            a, _, c, _, e, f = tile.transform
            x, y = c + a * (column + 0.5), f + e * (row + 0.5)
            xy = np.column_stack(project_points(x, y, crs=str(grid.crs), source=tile.crs))
            known = np.isfinite(sample(tiles[:number], xy, str(grid.crs)))
            deep[row[known], column[known]] = False
        outlines = shapes(deep.astype(np.uint8), mask=deep, transform=Affine(*tile.transform))
        mine = [shapely.geometry.shape(outline) for outline, _ in outlines]
        if str(tile.crs) != str(grid.crs):
            mine = [shapely.transform(one, _to(tile.crs, str(grid.crs))) for one in mine]
        found += mine
    ground = np.empty(len(found), dtype=object)
    ground[:] = found
    return shapely.make_valid(ground) if len(ground) else ground


def _to(source: str, crs: str) -> Any:
    """Give the function that brings coordinates from one CRS to another."""

    def move(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(project_points(xy[:, 0], xy[:, 1], crs=crs, source=source))

    return move


def _less(ground: NDArray[np.object_], taken: list[Any]) -> NDArray[np.object_]:
    """Cut from ground what danger areas hold."""
    for area in taken:
        hit = np.flatnonzero(shapely.intersects(ground, area))
        if hit.size:
            ground = ground.copy()
            ground[hit] = shapely.difference(ground[hit], area)
    return ground


def _flooded(
    home: Living, ground: NDArray[np.object_], ratio: float, names: pd.Series
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Count the people on deep ground by village."""
    joined = np.empty(1, dtype=object)
    joined[0] = shapely.union_all(ground) if len(ground) else shapely.MultiPolygon()
    found = _overlay(home, joined)
    people = whole_numbers(found.people * ratio, np.zeros(len(found.people), np.int64))
    codes = home.ids[found.unit]
    table = pd.DataFrame(
        {
            "origin": "flooded",
            "name": [names.get(code, "") for code in codes],
            "people": people.astype(np.int64),
            "vulnerable": np.full(len(codes), np.nan),
            "unit_id": codes,
        }
    )
    return table, found.xy


def assisted_share(
    sensitive: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame, presets: Presets
) -> pd.Series[float]:
    r"""Give the share of people who need a vehicle, by finest unit.

    .. math:: a = B / P \text{ where the bedridden are counted, else } e \cdot a_e

    Parameters
    ----------
    sensitive
        Layer of vulnerable people: ``population``, ``bedridden``, ``elderly``,
        ``elderly_share``; or None.
    units
        Units.
    presets
        ``refuge.elderly_vehicle_share`` and ``refuge.vehicle_share``.

    Returns
    -------
    Series
        Share by unit id; the preset where nothing is known.
    """
    finest = units[units["finest"]] if "finest" in units else units
    found = pd.Series(np.nan, index=finest.index)
    if sensitive is not None and len(sensitive):
        home = unit_of_points(sensitive.geometry.representative_point(), finest)
        people = numbers(sensitive, "population")
        with np.errstate(divide="ignore", invalid="ignore"):
            bed = numbers(sensitive, "bedridden") / people
            old = np.where(
                np.isnan(numbers(sensitive, "elderly_share")),
                numbers(sensitive, "elderly") / people,
                numbers(sensitive, "elderly_share"),
            )
        if np.isfinite(old).any():
            old = old * float(presets["refuge.elderly_vehicle_share"])
        share = pd.Series(np.where(np.isfinite(bed), bed, old)).groupby(home).mean()
        found = share.reindex(found.index)
    if found.isna().any():
        found = found.fillna(float(presets["refuge.vehicle_share"]))
    return found.clip(0.0, 1.0)


def part(people: People, share: pd.Series[float]) -> People:
    """Part every group into those who can walk and those who need a vehicle.

    Declared vulnerable people need one; where groups declare none, the shares of their units do.
    Their sum is rounded up, and spread over villages and groups by the largest remainders, so that
    it does not depend on how finely areas are drawn. Both parts of a group are of one family, which
    stays together when groups stay whole.

    Parameters
    ----------
    people
        The groups; ``vulnerable`` is NaN where not declared.
    share
        Share of people who need a vehicle, by unit.

    Returns
    -------
    People
        With columns ``assisted`` and ``family``; the parts of a group stand beside each other.
    """
    table = people.table.copy()
    count = table["people"].to_numpy(np.float64)
    weak = numbers(table, "vulnerable")
    rate = np.asarray([share.get(code, np.nan) for code in table["unit_id"]], np.float64)
    guess = _spread(np.where(np.isnan(weak), count * np.nan_to_num(rate), 0.0), people)
    weak = np.minimum(np.where(np.isnan(weak), guess, weak), count)
    table["vulnerable"] = np.rint(weak).astype(np.int64)
    table["family"] = np.arange(len(table))
    table["assisted"] = False
    fit = table.assign(people=table["people"] - table["vulnerable"], vulnerable=0)
    ride = table.assign(people=table["vulnerable"], assisted=True)
    joined = pd.concat([fit, ride], ignore_index=True)
    some = np.flatnonzero(joined["people"].to_numpy() > 0)
    order = some[np.lexsort((some, np.tile(np.arange(len(table)), 2)[some]))]
    return People(
        table=joined.iloc[order].reset_index(drop=True),
        xy=np.concatenate([people.xy, people.xy])[order],
    )


def _spread(exact: Floats, people: People) -> Floats:
    """Round what is expected of groups up as a whole; each group and village is less than 1 off."""
    if not len(exact):
        return exact
    codes, village = np.unique(people.table["unit_id"].astype(str), return_inverse=True)
    by = np.bincount(village, weights=exact, minlength=len(codes)).astype(np.float64)
    # A part in a million is not one more person.
    whole = np.ceil(np.array([exact.sum()]) - 1e-6)
    of_village = whole_numbers(by, np.zeros(len(by), np.int64), total=whole)
    turn = np.empty(len(exact), np.int64)
    first = (*people.xy.T.round(3), -people.table["people"].to_numpy(np.float64))
    turn[np.lexsort(first)] = np.arange(len(exact))
    return whole_numbers(exact, village.astype(np.int64), total=of_village, turn=turn)


def vehicles_table(rows: pd.DataFrame, *, warning_s: float, presets: Presets) -> pd.DataFrame:
    r"""Count the vehicles of every village.

    .. math:: n = \left\lceil \frac{\lceil p / s \rceil}{k} \right\rceil, \qquad
              k = 1 + \left\lfloor \frac{T - t_0 - (l + t + u)}{l + u + 2 t} \right\rfloor

    A vehicle is in the village when people set out; it is loaded (l), drives (t), is unloaded (u)
    and comes back as often as the warning allows.

    Parameters
    ----------
    rows
        Table of assignments: district, town, village, mode, assisted, people, minutes.
    warning_s
        Time from the warning to the peak T [s].
    presets
        ``refuge.vehicle_persons``, ``refuge.prepare_min``, ``refuge.load_min`` and
        ``refuge.unload_min``.

    Returns
    -------
    DataFrame
        district, town, village, riders, assisted, longest_min, rounds, bus_trips, assisted_trips,
        buses, assisted_vehicles, bus_rounds and assisted_rounds (driven by the last vehicle),
        handle_min (loading and unloading); a row for each village from which people ride.

    Examples
    --------
    >>> from riskmap.vocabulary.presets import load_presets
    >>> rows = pd.DataFrame({"district": "", "town": "", "village": "A", "mode": "ride",
    ...     "assisted": [False, True], "people": [90, 9], "minutes": [20.0, 20.0]})
    >>> vehicles_table(rows, warning_s=7200, presets=load_presets())[
    ...     ["rounds", "bus_trips", "assisted_trips", "buses", "assisted_vehicles"]].values.tolist()
    [[2, 3, 3, 2, 2]]
    """
    ride = rows[rows["mode"] == "ride"]
    columns = ["riders", "assisted", "longest_min", "rounds", "bus_trips", "assisted_trips",
               "buses", "assisted_vehicles", "bus_rounds", "assisted_rounds",
               "handle_min"]  # fmt: skip
    keys = ["district", "town", "village"]
    if ride.empty:
        return pd.DataFrame(columns=keys + columns)
    seats = presets["refuge.vehicle_persons"]
    free = warning_s / 60 - float(presets["refuge.prepare_min"])
    table = (
        ride.assign(weak=ride["people"].where(ride["assisted"], 0))
        .groupby(keys, sort=True)
        .agg(riders=("people", "sum"), assisted=("weak", "sum"), longest_min=("minutes", "max"))
        .reset_index()
    )
    drive = np.maximum(table["longest_min"].to_numpy(np.float64), 1.0)
    handle = float(presets["refuge.load_min"]) + float(presets["refuge.unload_min"])
    rounds = np.maximum(1 + np.floor((free - drive - handle) / (2 * drive + handle)), 1)
    table["rounds"] = rounds.astype(np.int64)
    others = table["riders"] - table["assisted"]
    for kind, heads, name in (
        ("bus", others, "buses"),
        ("special", table["assisted"], "assisted_vehicles"),
    ):
        trips = np.ceil(heads.to_numpy(np.float64) / float(seats[kind]))
        table["bus_trips" if kind == "bus" else "assisted_trips"] = trips.astype(np.int64)
        table[name] = np.ceil(trips / rounds).astype(np.int64)
        driven = np.ceil(trips / np.maximum(table[name].to_numpy(np.float64), 1.0))
        table["bus_rounds" if kind == "bus" else "assisted_rounds"] = driven.astype(np.int64)
    table["handle_min"] = handle
    return table[keys + columns]


def last_arrival(rows: pd.DataFrame, vehicles: pd.DataFrame) -> NDArray[np.float64]:
    r"""Give the minutes from setting out to the arrival of the last of every row.

    .. math:: w_{\text{foot}} = t, \qquad w_{\text{ride}} = l + t + u + (k - 1)(l + u + 2 t_v)

    Parameters
    ----------
    rows
        Table of assignments: district, town, village, mode, assisted, minutes.
    vehicles
        Table of `vehicles_table` of these rows.

    Returns
    -------
    ndarray
        Walkers take their way; those who ride wait until the last round of their village's
        vehicles, shape (n,) [min].
    """
    minutes = rows["minutes"].to_numpy(np.float64)
    keys = ["district", "town", "village"]
    ride = (rows["mode"] == "ride").to_numpy()
    if not ride.any():
        return minutes
    mine = rows[keys].merge(vehicles, on=keys, how="left")
    weak = rows["assisted"].to_numpy(bool)
    driven = np.where(weak, mine["assisted_rounds"], mine["bus_rounds"]).astype(np.float64)
    handle = mine["handle_min"].to_numpy(np.float64)
    turn = handle + 2 * mine["longest_min"].to_numpy(np.float64)
    return np.where(ride, handle + minutes + np.maximum(driven - 1, 0) * turn, minutes)

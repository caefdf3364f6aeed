"""What the page tells about grid and index, and its own index tried against the run's scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from riskmap.errors import ExportError
from riskmap.export.onemap.pack import UNKNOWN, Packer
from riskmap.i18n import text
from riskmap.vocabulary.columns import (
    AREA_KM2,
    LEVEL,
    NAME,
    PARENT_ID,
    POPULATION,
    ROOT,
    UNIT_LEVELS,
    WGS84,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EXACT_UNITS",
    "RAW_CELLS",
    "cell_parts",
    "class_breaks",
    "combine",
    "fit_mapping",
    "grid_part",
    "index_part",
    "make_recipe",
    "mercator",
    "numbers",
    "recompute",
    "rings",
    "unit_codes",
    "unit_levels",
    "unit_part",
]

METHODS: Final = ("arithmetic", "geometric", "product", "harmonic", "max", "union")
SAME: Final = 1e-6
_KEPT: Final = 2
"""Rows needed to find the stretch between a mean and the group's score."""


def combine(method: str, values: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    r"""Aggregate columns into one, leaving out what is unknown.

    .. math:: \bar x = \frac{\sum w x}{\sum w}, \qquad
              \bar x_g = \exp \frac{\sum w \ln x}{\sum w}

    Parameters
    ----------
    method
        ``arithmetic``, ``geometric``, ``product``, ``harmonic``, ``max`` or ``union`` (on 0..1).
    values
        Shape (rows, children) [unitless].
    weights
        Shape (children,) [unitless].

    Returns
    -------
    ndarray
        Shape (rows,); NaN where every child is unknown.

    Examples
    --------
    >>> combine("geometric", np.array([[4.0, 9.0], [0.0, 5.0]]), np.array([1.0, 1.0])).round(9)
    array([6., 0.])
    """
    known = ~np.isnan(values)
    if method == "union":
        left = np.prod(1.0 - np.where(known, values, 0.0) * weights, axis=1)
        return np.where(known.any(axis=1), 1.0 - left, np.nan)
    share = np.where(known, weights, 0.0)
    total = share.sum(axis=1)
    filled = np.where(known, values, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "arithmetic":
            out = (share * filled).sum(axis=1) / total
        elif method == "max":
            out = np.where(known & (share > 0), values, -np.inf).max(axis=1)
        elif method == "harmonic":
            out = total / (share / filled).sum(axis=1)
        else:
            logs = np.where(share > 0, share * np.log(filled), 0.0).sum(axis=1)
            out = np.exp(logs if method == "product" else logs / total)
    return np.where(total > 0, out, np.nan)


def _tree(meta: pd.DataFrame) -> list[str]:
    """Order the groups so that children come before parents."""
    groups = [code for code in meta.index if meta.loc[code, "kind"] == "group"]

    def depth(code: str) -> int:
        parent = str(meta.loc[code, "parent"] or "")
        return 0 if parent not in meta.index else 1 + depth(parent)

    return sorted(groups, key=depth, reverse=True)


def _stretch(mean: NDArray[Any], score: NDArray[Any]) -> tuple[float, float] | None:
    """Find a and b so that score = a + b * mean everywhere, or None."""
    known = np.isfinite(mean) & np.isfinite(score)
    if not known.any() or np.allclose(mean[known], score[known], rtol=0, atol=SAME):
        return 0.0, 1.0
    m, s = mean[known], score[known]
    low, high = int(m.argmin()), int(m.argmax())
    if known.sum() < _KEPT or m[high] == m[low]:
        return None
    slope = (s[high] - s[low]) / (m[high] - m[low])
    start = s[low] - slope * m[low]
    close = np.allclose(start + slope * m, s, rtol=0, atol=SAME)
    return (float(start), float(slope)) if close and slope > 0 else None


def _tried(index: Any, code: str) -> list[str]:
    """Order the methods: the one that the group was fitted with first."""
    steps = index.params.get("steps", ()) if isinstance(index.params, dict) else ()
    fitted = [s["fitted"]["groups"] for s in steps if s.get("step") == "aggregate"]
    groups: dict[str, Any] = fitted[0] if fitted else {}
    named = str(groups.get(code, {}).get("method", ""))
    return sorted(METHODS, key=lambda method: method != named)


def make_recipe(index: Any) -> dict[str, Any]:
    """Find out how each group's score follows from its children.

    Each method is tried on the run's own numbers; a group that no method reproduces makes the
    page show the scores but offer no weights to move.

    Parameters
    ----------
    index
        An ``index.steps.Index``.

    Returns
    -------
    dict
        ``groups``: bottom up, each ``{code, children, method, low, slope}``; ``exact``: True when
        every group was reproduced within 1e-6.
    """
    meta = index.meta
    pool = {code: index.stages["normalised"][code] for code in index.stages["normalised"]}
    groups: list[dict[str, Any]] = []
    exact = True
    for code in _tree(meta):
        children = [c for c in meta.index[meta["parent"] == code] if c in pool]
        if not children or code not in index.scores:
            continue
        values = np.column_stack([pool[c].to_numpy(dtype=float) for c in children])
        weights = meta.loc[children, "weight"].to_numpy(dtype=float)
        score = index.scores[code].to_numpy(dtype=float)
        group = {"code": code, "children": children, "method": "", "low": 0.0, "slope": 1.0}
        for method in _tried(index, code):
            found = _stretch(combine(method, values, weights), score)
            if found is not None:
                group |= {"method": method, "low": found[0], "slope": found[1]}
                break
        exact = exact and bool(group["method"])
        groups.append(group)
        pool[code] = index.scores[code]
    return {"groups": groups, "exact": exact and bool(groups)}


def recompute(index: Any, recipe: dict[str, Any], *, weights: dict[str, float]) -> pd.DataFrame:
    """Recompute every group with other weights, as the page does.

    Parameters
    ----------
    index
        An ``index.steps.Index``.
    recipe
        From `make_recipe`.
    weights
        Code to weight; codes that are not named keep theirs.

    Returns
    -------
    DataFrame
        Rows of the index, one column per group [unitless].
    """
    stage = index.stages["normalised"]
    pool = {code: stage[code].to_numpy(dtype=float) for code in stage}
    for group in recipe["groups"]:
        children = group["children"]
        given = [weights.get(c, float(index.meta.loc[c, "weight"])) for c in children]
        mean = combine(
            group["method"], np.column_stack([pool[c] for c in children]), np.array(given)
        )
        pool[group["code"]] = group["low"] + group["slope"] * mean
    codes = [group["code"] for group in recipe["groups"]]
    return pd.DataFrame({code: pool[code] for code in codes}, index=stage.index)


TOLERANCE: Final = 0.02
"""Largest allowed error of the mapping [cells]."""
_SAMPLES: Final = 25
_DEGREES: Final = (1, 2, 3, 4, 5, 6, 7)


def mercator(lon: NDArray[Any], lat: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give places on the unit square of the web map.

    Parameters
    ----------
    lon, lat
        WGS-84 coordinates [degrees].

    Returns
    -------
    tuple of ndarray
        x to the east and y to the south, 0..1 [unitless].

    Examples
    --------
    >>> x, y = mercator(np.array([0.0]), np.array([0.0]))
    >>> float(x[0]), float(y[0])
    (0.5, 0.5)
    """
    sine = np.sin(np.radians(lat))
    return lon / 360 + 0.5, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)


def _terms(u: NDArray[Any], v: NDArray[Any], degree: int) -> NDArray[Any]:
    """Products u^i v^j with i + j <= degree, i outer, j inner."""
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.stack([u**i * v**j for i, j in powers], axis=1)


def _unit(values: NDArray[Any]) -> tuple[NDArray[Any], list[float]]:
    """Scale values to -1..1; also middle and half width."""
    middle, half = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2
    half = half or 1.0
    return (values - middle) / half, [float(middle), float(half)]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round what a solver found to the digits that every machine's BLAS agrees on."""
    return np.asarray(np.round(values, DIGITS) + 0.0)  # no negative zero


def fit_mapping(geobox: Any) -> dict[str, Any]:
    """Fit polynomials between grid places (column, row) and the Mercator unit square.

    Parameters
    ----------
    geobox
        An odc-geo ``GeoBox`` in the run's metric CRS.

    Returns
    -------
    dict
        ``degree``, centre and half width of each coordinate, coefficients ``to_map`` and
        ``to_grid`` (two lists each, terms u^i v^j, i outer).

    Raises
    ------
    ExportError
        The place is too large for one grid on one map.

    Examples
    --------
    >>> from odc.geo.geobox import GeoBox
    >>> from affine import Affine
    >>> box = GeoBox((4, 4), Affine(100, 0, 500000, 0, -100, 4050000), "EPSG:4548")
    >>> fit_mapping(box)["degree"]
    1
    """
    rows, cols = geobox.shape
    col, row = (
        part.ravel()
        for part in np.meshgrid(np.linspace(0, cols, _SAMPLES), np.linspace(0, rows, _SAMPLES))
    )
    a, b, c, d, e, f = tuple(geobox.affine)[:6]
    change = Transformer.from_crs(str(geobox.crs), 4326, always_xy=True)
    lon, lat = change.transform(a * col + b * row + c, d * col + e * row + f)
    x, y = mercator(lon, lat)
    (u, cu), (v, cv), (p, cp), (q, cq) = _unit(col), _unit(row), _unit(x), _unit(y)
    for degree in _DEGREES:
        forth, back = _terms(u, v, degree), _terms(p, q, degree)
        to_map = _rounded(np.linalg.lstsq(forth, np.stack([p, q], axis=1), rcond=None)[0])
        to_grid = _rounded(np.linalg.lstsq(back, np.stack([u, v], axis=1), rcond=None)[0])
        error = max(
            float(np.abs(back @ to_grid - np.stack([u, v], axis=1)).max()),
            float(np.abs(forth @ to_map - np.stack([p, q], axis=1)).max()),
        )
        if error * max(rows, cols) / 2 <= TOLERANCE:
            return {
                "degree": degree, "col": cu, "row": cv, "x": cp, "y": cq,
                "to_map": to_map.T.tolist(), "to_grid": to_grid.T.tolist(),
            }  # fmt: skip
    raise ExportError(
        text("the grid of {cols} x {rows} cells spans too large a place for one map",
             cols=cols, rows=rows)
    )  # fmt: skip


DIGITS: Final = 10
"""Decimals of the coefficients; 1e-7 of a cell in a grid of a thousand cells."""
_VERTICES: Final = 60_000
"""Above this many vertices outlines are simplified, neighbours together."""
_SIMPLE_M: Final = 10.0


def numbers(column: Any) -> NDArray[np.float64]:
    """Give a column as floats, NaN where it is blank.

    Parameters
    ----------
    column
        A Series of any number type.

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> numbers(pd.Series([1, pd.NA], dtype="Int8"))
    array([ 1., nan])
    """
    found: NDArray[np.float64] = pd.to_numeric(pd.Series(column), errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    return found


def unit_levels(units: gpd.GeoDataFrame) -> list[str]:
    """List the levels there are, coarse to fine.

    Parameters
    ----------
    units
        ``Result.units``.

    Returns
    -------
    list of str
        The last is the finest.
    """
    there = list(dict.fromkeys(units[LEVEL]))
    known = [level for level in UNIT_LEVELS if level in there]
    return [*known, *(level for level in there if level not in known)]


def unit_codes(units: gpd.GeoDataFrame, points: NDArray[Any]) -> NDArray[np.int64]:
    """Find the finest unit that each point stands in.

    Parameters
    ----------
    units
        The units, in the CRS of the points.
    points
        Shapely points, shape (n,).

    Returns
    -------
    ndarray
        Row number of the unit, -1 outside; shape (n,).
    """
    out = np.full(len(points), -1, dtype=np.int64)
    for level in reversed(unit_levels(units)):
        rows = np.flatnonzero((units[LEVEL] == level).to_numpy())
        open_ = np.flatnonzero(out < 0)
        if len(open_) == 0:
            break
        tree = shapely.STRtree(units.geometry.to_numpy()[rows])
        which, unit = tree.query(points[open_], predicate="intersects")
        order = np.lexsort((rows[unit], which))[::-1]
        out[open_[which[order]]] = rows[unit[order]]
    return out


def _outlines(units: gpd.GeoDataFrame, packer: Packer) -> dict[str, Any]:
    """Pack the rings of the units."""
    shapes = units.geometry
    if int(shapely.get_num_coordinates(shapes.to_numpy()).sum()) > _VERTICES:
        parts = []
        for _, level in units.groupby(LEVEL, sort=False):
            simple = shapely.coverage_simplify(level.geometry.to_numpy(), _SIMPLE_M)
            parts.append(gpd.GeoSeries(simple, index=level.index, crs=units.crs))
        shapes = gpd.GeoSeries(pd.concat(parts), crs=units.crs).loc[units.index]
    return rings(shapes.to_crs(WGS84).to_numpy(), packer)


def rings(shapes: NDArray[Any], packer: Packer, *, digits: int = 5) -> dict[str, Any]:
    """Pack lines or polygons: places, length of each ring, owner of each ring.

    Outer rings run one way and holes the other, so that many polygons can be filled as one.

    Parameters
    ----------
    shapes
        Shapely geometries in WGS-84, shape (n,).
    packer
        Takes the arrays.
    digits
        Decimal places of the degrees.

    Returns
    -------
    dict
        ``lon``, ``lat``, ``sizes``, ``owners``.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygons = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines = parts[~polygons]
    faces = shapely.orient_polygons(parts[polygons])
    outline, of_part = shapely.get_rings(faces, return_index=True)
    curves = np.concatenate([outline, lines])
    owners = np.concatenate([owner[polygons][of_part], owner[~polygons]])
    order = np.argsort(owners, kind="stable")
    curves, owners = curves[order], owners[order]
    places = shapely.get_coordinates(curves)
    return {
        "lon": packer.places(places[:, 0], digits=digits),
        "lat": packer.places(places[:, 1], digits=digits),
        "sizes": packer.integers(shapely.get_num_coordinates(curves)),
        "owners": packer.integers(owners),
    }


def unit_part(units: gpd.GeoDataFrame, packer: Packer) -> dict[str, Any]:
    """Describe the units: names, levels, parents, people, outlines, label places.

    Parameters
    ----------
    units
        ``Result.units``.
    packer
        Takes the arrays.

    Returns
    -------
    dict
        JSON header of the units.
    """
    row = {code: i for i, code in enumerate(units.index)}
    levels = unit_levels(units)
    spots = units.geometry.representative_point().to_crs(WGS84)
    parents = np.array([row.get(code, -1) for code in units[PARENT_ID]], dtype=np.int32)
    soon = packer.soon()
    return {
        "n": len(units),
        "levels": levels,
        "ids": packer.strings([str(code) for code in units.index]),
        "names": packer.strings([str(name) for name in units[NAME]]),
        "level": packer.array(
            np.array([levels.index(level) for level in units[LEVEL]], dtype=np.uint8)
        ),
        "parent": packer.integers(parents),
        "population": soon.numbers(numbers(units[POPULATION])),
        "area": soon.numbers(numbers(units[AREA_KM2])),
        **{
            name: soon.numbers(numbers(units[column]))
            for name, column in (("far", "people_far"), ("farShare", "share_far"))
            if column in units
        },
        "lon": packer.places(spots.x.to_numpy(), digits=6),
        "lat": packer.places(spots.y.to_numpy(), digits=6),
        "shape": _outlines(units, packer),
    }


RAW_CELLS: Final = 200_000
"""Above this many cells the page has no indicator values in their own units for each cell, and
scaled indicators carry one byte a cell."""
EXACT_UNITS: Final = 5_000
"""Above this many units their numbers are sent in 16 bits, as those of cells are."""


def _runs(inside: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Lengths of the runs outside, inside, outside, ... of a mask, row by row."""
    flat = inside.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return (np.concatenate([[0], runs]) if flat[0] else runs).astype(np.uint32)


def _cell_order(frame: pd.DataFrame, inside: NDArray[np.bool_]) -> None:
    """Refuse a table whose rows are not the cells inside, row by row."""
    if len(frame) != int(inside.sum()):
        raise ExportError(
            text("the index has {n} cells but the grid has {m}", n=len(frame), m=int(inside.sum()))
        )


def grid_part(result: Any, packer: Packer) -> dict[str, Any]:
    """Describe the grid: mapping, which cells, their unit and people.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    dict
        JSON header of the grid.
    """
    grid = result.grid
    inside = np.asarray(grid.inside, dtype=bool)
    _cell_order(result.index["cell"].scores, inside)
    rows, cols = np.nonzero(inside)
    a, b, c, d, e, f = tuple(grid.geobox.affine)[:6]
    x = a * (cols + 0.5) + b * (rows + 0.5) + c
    y = d * (cols + 0.5) + e * (rows + 0.5) + f
    owner = unit_codes(result.units, shapely.points(x, y))
    part = {
        "rows": inside.shape[0],
        "cols": inside.shape[1],
        "n": len(rows),
        "size_m": result.facts.grid_size_m,
        "cell_km2": abs(a * e - b * d) / 1e6,
        "map": fit_mapping(grid.geobox),
        "runs": packer.integers(_runs(inside)),
        "unit": packer.soon().integers(owner + 1),
    }
    if result.population is not None:
        people = np.asarray(result.population, dtype=np.float64)[inside]
        many = len(rows) > RAW_CELLS
        soon = packer.soon()
        part["population"] = soon.numbers(np.rint(people)) if many else soon.quantised(people)
    return part


def index_part(index: Any) -> dict[str, Any]:
    """Describe the tree of the index: codes, labels, weights, units of measure, arithmetic.

    Parameters
    ----------
    index
        An ``index.steps.Index``.

    Returns
    -------
    dict
        JSON: ``root``, ``nodes``, ``breaks``, ``groups``, ``exact``.
    """
    meta = index.meta
    tree = make_recipe(index)
    root = tree["groups"][-1]["code"] if tree["groups"] else ROOT
    nodes = []
    for code, row in meta.iterrows():
        plain = {key: "" if pd.isna(value) else value for key, value in row.items()}
        nodes.append(
            {
                "code": str(code),
                "parent": str(plain.get("parent", "")),
                "kind": str(plain.get("kind", "indicator")),
                "zh": str(plain.get("name_zh") or code),
                "en": str(plain.get("name_en") or code),
                "direction": int(plain.get("direction") or 1),
                "weight": float(plain.get("weight") or 0),
                "unit": str(plain.get("unit", "")),
                "method": str(plain.get("method", "")),
                "layer": str(plain.get("layer", "")),
            }
        )
    return {
        "root": root, "nodes": nodes, "breaks": class_breaks(index, root),
        "reference": _reference(index.params), **tree,
    }  # fmt: skip


def _reference(params: Any) -> float:
    """Find the value that counts as nothing in shares of a geometric mean, as `explain` does."""
    for step in params.get("steps", ()) if isinstance(params, Mapping) else ():
        fitted = (
            step.get("fitted", {}).get("columns", {}) if step.get("step") == "normalise" else {}
        )
        lows = [c["low"] for c in fitted.values() if c.get("low", 0) > 0]
        highs = [c["high"] for c in fitted.values() if "high" in c]
        if lows:
            return float(min(lows))
        if highs:
            return 0.01 * float(max(highs))
    return 0.01


def class_breaks(index: Any, root: str) -> list[float]:
    """Find the upper limits of the classes below the highest.

    Parameters
    ----------
    index
        An ``index.steps.Index``.
    root
        Code of the root.

    Returns
    -------
    list of float
        Ascending, one fewer than the classes there are.
    """
    found = _search(json.loads(json.dumps(index.params, default=str)), root)
    score = numbers(index.scores[root])
    classes = numbers(
        index.classes if isinstance(index.classes, pd.Series) else index.classes[root]
    )
    known = np.isfinite(score) & (classes > 0)
    if not known.any():  # nothing is graded, whatever the weights
        return []
    plain = np.searchsorted(found, score[known], side="left") + 1 if found else None
    if plain is not None and (plain <= classes[known]).all():  # red flags only raise a class
        return found
    tops = [score[known & (classes <= c)] for c in (1, 2, 3)]
    return [float(top.max()) if len(top) else float("-1") for top in tops]


def _search(params: Any, root: str) -> list[float]:
    """Look for the breaks of the root in the frozen parameters."""
    if isinstance(params, Mapping):
        for key, value in params.items():
            if key == "breaks":
                inner = value.get(root, []) if isinstance(value, Mapping) else value
                if isinstance(inner, list) and inner:
                    return [float(v) for v in inner][:3]
            found = _search(value, root)
            if found:
                return found
    if isinstance(params, list):
        for value in params:
            found = _search(value, root)
            if found:
                return found
    return []


def cell_parts(
    index: Any, packer: Packer, *, kind: str, like: tuple[Any, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Pack scores, classes and indicator values of one table of the index.

    Up to `EXACT_UNITS` units carry 64-bit numbers in the first two blocks. Cells, and units beyond
    that, carry 16 bits, their indicators in blocks of their own.

    Parameters
    ----------
    index
        An ``index.steps.Index``.
    packer
        Takes the arrays.
    kind
        ``unit`` or ``cell``.
    like
        The baseline's index and its part; columns that are the same are not sent twice.

    Returns
    -------
    dict
        ``score``, ``class``, ``values`` by code, ``raw`` by code.
    """
    units, size = kind == "unit", len(index.scores)
    exact, raw = units and size <= EXACT_UNITS, units or size <= RAW_CELLS
    normal, unscaled = index.stages["normalised"], index.stages["raw"]
    part, soon = index_part(index), packer.soon()
    root = part["root"]
    known = {node["code"] for node in part["nodes"] if node["kind"] == "indicator"}
    classes = _of(index.classes, root)

    def put(values: Any, *, lazy: bool) -> dict[str, Any]:
        if exact:
            return (soon if lazy else packer).array(numbers(values))
        if not lazy:  # the worst units are named in the first picture
            return (packer if units else soon).quantised(numbers(values))
        return packer.quantised(numbers(values), block=packer.block(), coarse=size > RAW_CELLS)

    def same(part: str, code: str) -> Any:
        if like is None or code not in like[0].stages["raw"]:
            return None
        stages = like[0].stages
        equal = unscaled[code].equals(stages["raw"][code])
        alike = equal and normal[code].equals(stages["normalised"][code])
        return like[1][part].get(code) if alike else None

    out: dict[str, Any] = {
        "n": len(normal),
        "exact": exact,
        "class": packer.array(np.nan_to_num(numbers(classes)).astype(np.uint8)),
        "score": put(index.scores[root], lazy=False),
        "values": {c: same("values", c) or put(normal[c], lazy=True) for c in normal if c in known},
        "raw": {},
    }
    for code in (c for c in unscaled if c in known):
        if same("raw", code):
            out["raw"][code] = same("raw", code)
            continue
        line = None if exact else _line(numbers(normal[code]), numbers(unscaled[code]))
        if line is not None:
            out["raw"][code] = {"line": line}
        elif raw:
            out["raw"][code] = put(unscaled[code], lazy=True)
    if exact:
        out["rank"] = soon.integers(np.nan_to_num(numbers(_of(index.ranks, root))))
    stability = getattr(index, "stability", None)
    if stability is not None:
        out["stability"] = soon.numbers(np.round(numbers(_of(stability, root)), 6))
    return out


def _line(scaled: NDArray[np.float64], raw: NDArray[np.float64]) -> list[float] | None:
    """Find a and b so that raw = a + b * scaled within the quantum that is sent, or None."""
    known = np.isfinite(scaled)
    if not known.any() or not np.array_equal(known, np.isfinite(raw)):
        return None
    low, high = int(np.nanargmin(scaled)), int(np.nanargmax(scaled))
    if scaled[high] == scaled[low]:
        return [float(raw[low]), 0.0] if np.ptp(raw[known]) == 0 else None
    slope = (raw[high] - raw[low]) / (scaled[high] - scaled[low])
    start = raw[low] - slope * scaled[low]
    off = np.abs(start + slope * scaled[known] - raw[known]).max()
    return [float(start), float(slope)] if off <= np.ptp(raw[known]) / UNKNOWN else None


def _of(table: Any, code: str) -> Any:
    """Take one column of a table, or the Series itself."""
    return table if isinstance(table, pd.Series) else table[code]

"""Units, outlines and the unit that each place stands in."""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from riskmap.export.onemap.pack import Packer
from riskmap.vocabulary.columns import (
    AREA_KM2,
    LEVEL,
    NAME,
    PARENT_ID,
    POPULATION,
    UNIT_LEVELS,
    WGS84,
)

__all__ = ["numbers", "rings", "unit_codes", "unit_part"]

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


def _levels(units: gpd.GeoDataFrame) -> list[str]:
    """Levels there are, coarse to fine."""
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
    for level in reversed(_levels(units)):
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
    levels = _levels(units)
    spots = units.geometry.representative_point().to_crs(WGS84)
    parents = np.array([row.get(code, -1) for code in units[PARENT_ID]], dtype=np.int32)
    return {
        "n": len(units),
        "levels": levels,
        "ids": packer.strings([str(code) for code in units.index]),
        "names": packer.strings([str(name) for name in units[NAME]]),
        "level": packer.array(
            np.array([levels.index(level) for level in units[LEVEL]], dtype=np.uint8)
        ),
        "parent": packer.integers(parents),
        "population": packer.numbers(numbers(units[POPULATION])),
        "area": packer.numbers(numbers(units[AREA_KM2])),
        "lon": packer.places(spots.x.to_numpy(), digits=6),
        "lat": packer.places(spots.y.to_numpy(), digits=6),
        "shape": _outlines(units, packer),
    }

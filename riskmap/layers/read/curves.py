"""Arcs of circles, as some programs draw outlines, turned into straight pieces."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import shapely

_STEP: Final = np.radians(2.0)
"""Angle of one straight piece of an arc."""
_LINES: Final = ("LINESTRING", "CIRCULARSTRING", "COMPOUNDCURVE")
_AREAS: Final = ("POLYGON", "CURVEPOLYGON")


def straight(wkt: object) -> Any:
    """Read a geometry from WKT, arcs as straight pieces of two degrees.

    Parameters
    ----------
    wkt
        Such as ``CURVEPOLYGON (CIRCULARSTRING (0 0, 2 0, 0 0))``.

    Returns
    -------
    Geometry or None
        None where it cannot be read.

    Examples
    --------
    >>> round(straight("CURVEPOLYGON (CIRCULARSTRING (0 0, 2 0, 0 0))").area, 2)
    3.14
    """
    if not isinstance(wkt, str):
        return None
    if not re.search(r"CURVE|CIRCULAR|SURFACE", wkt, re.IGNORECASE):
        return shapely.from_wkt(wkt, on_invalid="ignore")
    try:
        return _shape(*_parse(wkt))
    except (ValueError, IndexError, shapely.errors.ShapelyError):
        return None


def _parse(wkt: str) -> tuple[str, str]:
    """Split WKT into its kind and what stands in its brackets."""
    match = re.match(r"\s*([A-Za-z]+)\s*(?:ZM|Z|M)?\s*\(", wkt)
    if match is None:
        raise ValueError(wkt[:40])
    return match[1].upper().removesuffix("ZM").removesuffix("Z"), wkt[match.end() : wkt.rindex(")")]


def _parts(body: str) -> list[str]:
    """Split at the commas that stand in no bracket."""
    out, depth, start = [], 0, 0
    for at, character in enumerate(body):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            out.append(body[start:at])
            start = at + 1
    return [*out, body[start:]]


def _shape(kind: str, body: str) -> Any:
    if kind in _AREAS:
        rings = [_line(part) for part in _parts(body)]
        return shapely.Polygon(rings[0], rings[1:])
    if kind in _LINES:
        return shapely.LineString(_points(kind, body))
    members = []
    for part in _parts(body):
        bare = part.strip()
        inner = {"MULTISURFACE": "POLYGON", "MULTIPOLYGON": "POLYGON"}.get(kind, "LINESTRING")
        members.append(_shape(inner, bare[1:-1]) if bare.startswith("(") else _shape(*_parse(bare)))
    if kind in ("MULTISURFACE", "MULTIPOLYGON"):
        return shapely.union_all(members)
    return (
        shapely.GeometryCollection(members)
        if kind == "GEOMETRYCOLLECTION"
        else (shapely.MultiLineString(members))
    )


def _line(part: str) -> list[tuple[float, float]]:
    bare = part.strip()
    if bare.startswith("("):
        return _points("LINESTRING", bare[1:-1])
    return _points(*_parse(bare))


def _points(kind: str, body: str) -> list[tuple[float, float]]:
    """Return the corners of a line, arcs with corners between."""
    if kind == "COMPOUNDCURVE":
        out: list[tuple[float, float]] = []
        for part in _parts(body):
            piece = _line(part)
            out += piece[1:] if out and piece and piece[0] == out[-1] else piece
        return out
    numbers = [tuple(map(float, point.split()[:2])) for point in body.split(",")]
    points = [(point[0], point[1]) for point in numbers]
    if kind != "CIRCULARSTRING":
        return points
    out = points[:1]
    for at in range(0, len(points) - 2, 2):
        out += _arc(*points[at : at + 3])
    return out


def _arc(
    one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]
) -> list[tuple[float, float]]:
    """Give the corners of an arc through three points, without its first."""
    (ax, ay), (bx, by), (cx, cy) = one, two, three
    turn = 2.0 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    if one == three:
        x, y = (ax + bx) / 2.0, (ay + by) / 2.0
        sweep = 2.0 * np.pi
    elif abs(turn) < 1e-300:
        return [two, three]
    else:
        a2, b2, c2 = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
        x = (a2 * (by - cy) + b2 * (cy - ay) + c2 * (ay - by)) / turn
        y = (a2 * (cx - bx) + b2 * (ax - cx) + c2 * (bx - ax)) / turn
        first, middle, last = (np.arctan2(py - y, px - x) for px, py in (one, two, three))
        sweep = (last - first) % (2.0 * np.pi)
        if (middle - first) % (2.0 * np.pi) > sweep:
            sweep -= 2.0 * np.pi
    radius, start = float(np.hypot(ax - x, ay - y)), float(np.arctan2(ay - y, ax - x))
    angles = start + np.linspace(0.0, sweep, max(3, int(np.ceil(abs(sweep) / _STEP)) + 1))[1:]
    out = [(float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles]
    return [*out[:-1], three]

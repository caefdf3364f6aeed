"""From the run's metric grid to the page's Mercator map and back, as polynomials."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from riskmap.errors import ExportError
from riskmap.i18n import text

__all__ = ["fit_mapping", "mercator"]

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
        to_map = np.linalg.lstsq(forth, np.stack([p, q], axis=1), rcond=None)[0]
        to_grid = np.linalg.lstsq(back, np.stack([u, v], axis=1), rcond=None)[0]
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

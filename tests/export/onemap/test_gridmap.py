"""The grid's mapping against pyproj."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer

from riskmap.export.onemap.collect import fit_mapping, mercator


def _evaluate(
    found: dict, key: str, a: np.ndarray, b: np.ndarray, names: tuple[str, ...]
) -> np.ndarray:
    u = (a - found[names[0]][0]) / found[names[0]][1]
    v = (b - found[names[1]][0]) / found[names[1]][1]
    terms = [
        u**i * v**j for i in range(found["degree"] + 1) for j in range(found["degree"] + 1 - i)
    ]
    out = np.array(found[key]) @ np.stack(terms)
    scale = np.array([found[names[2]], found[names[3]]])
    return scale[:, :1] + out * scale[:, 1:]


@pytest.mark.parametrize(
    ("crs", "west", "north", "n", "size"),
    [
        ("EPSG:4548", 480_000, 4_080_000, 40, 100.0),
        ("EPSG:4548", 440_000, 4_120_000, 1000, 100.0),
        ("EPSG:32722", 460_000, 6_700_000, 2000, 250.0),
        ("EPSG:4548", 500_000, 4_050_000, 2, 5.0),
    ],
)
def test_places_agree_with_pyproj(crs: str, west: float, north: float, n: int, size: float) -> None:
    box = GeoBox((n, n), Affine(size, 0, west, 0, -size, north), crs)
    found = fit_mapping(box)
    rng = np.random.default_rng(1)
    col, row = rng.uniform(0, n, (2, 500))
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(
        west + size * col, north - size * row
    )
    x, y = mercator(lon, lat)
    back = _evaluate(found, "to_grid", x, y, ("x", "y", "col", "row"))
    assert np.abs(back - [col, row]).max() < 0.05  # cells
    forth = _evaluate(found, "to_map", col, row, ("col", "row", "x", "y"))
    pixel = size / 40_075_016  # one cell on the unit square, or less
    assert np.abs(forth - [x, y]).max() < 0.05 * pixel / np.cos(np.radians(np.abs(lat).max()))

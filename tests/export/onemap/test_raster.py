"""The page's own arithmetic on outlines, against rasterio and pyproj."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Transformer
from rasterio.features import rasterize

from benchmarks.page_case import polygons_and_points
from riskmap.export.onemap import page as built
from riskmap.export.onemap.page import render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.browser

HALF_EQUATOR_M = 20037508.342789244
SIDE = 97
AREA = ["#dfeaf5", "#ffe680", "#ea7c1c", "#b5121b"]
OPACITY = 0.9


def in_browser(browser: Any, module: str, code: str, given: Any) -> Any:
    """Run one module of the page by itself."""
    source = built._modules()[f"{module}.js"]
    page = browser.new_page()
    found = page.evaluate(f"given => {{ {built._scoped(module + '.js', source)}\n{code} }}", given)
    page.close()
    return found


def packed(polygons: NDArray[Any]) -> dict[str, Any]:
    """Lay polygons out as `readShape` does."""
    xy: list[float] = []
    starts, first = [0], [0]
    for polygon in polygons:
        for ring in (polygon.exterior, *polygon.interiors):
            xy += np.asarray(ring.coords).ravel().tolist()
            starts.append(len(xy) // 2)
        first.append(len(starts) - 1)
    return {"xy": xy, "starts": starts, "first": first, "box": shapely.bounds(polygons).ravel().tolist()}  # fmt: skip


def partition(rng: np.random.Generator) -> NDArray[Any]:
    """Part a square into areas; some have a hole that another one fills."""
    spots = shapely.MultiPoint(rng.uniform(-20, SIDE + 20, (60, 2)))
    cells = np.array(shapely.voronoi_polygons(spots).geoms)
    holes = shapely.buffer(shapely.centroid(cells), 1.5, quad_segs=5)
    inside = shapely.within(holes, cells)
    return np.concatenate(
        [np.where(inside, shapely.difference(cells, holes), cells), holes[inside]]
    )


@pytest.mark.parametrize("seed", range(3))
def test_each_pixel_gets_the_area_under_its_middle(browser: Any, seed: int) -> None:
    polygons = partition(np.random.default_rng(seed))
    code = f"""
      const view = {{k: 1, m: 1, ox: 0, oy: 0}};
      const out = new Uint32Array({SIDE * SIDE});
      module_raster.rasterise(view, given, given.first.slice(1).map((_, i) => i), {SIDE}, {SIDE}, out);
      return [...out];"""
    found = np.array(in_browser(browser, "raster", code, packed(polygons)))
    expected = rasterize(
        [(polygon, number + 1) for number, polygon in enumerate(polygons)],
        out_shape=(SIDE, SIDE), transform=Affine.identity(), dtype="uint32",
    )  # fmt: skip
    np.testing.assert_array_equal(found.reshape(SIDE, SIDE), expected)


def test_a_comb_has_all_its_teeth(browser: Any) -> None:
    teeth = [shapely.box(4 * i + 1, 2, 4 * i + 3, 20) for i in range(12)]  # 24 crossings a row
    comb = shapely.union_all([shapely.box(1, 20, 47, 24), *teeth])
    code = f"""
      const out = new Uint32Array({SIDE * SIDE});
      module_raster.rasterise({{k: 1, m: 1, ox: 0, oy: 0}}, given, [0], {SIDE}, {SIDE}, out);
      return [...out];"""
    found = np.array(in_browser(browser, "raster", code, packed(np.array([comb]))))
    assert np.count_nonzero(found) == 46 * 4 + 12 * 2 * 18


def test_areas_thinner_than_a_pixel_are_not_lost(browser: Any) -> None:
    specks = np.array([shapely.box(3.1, 4.1, 3.2, 4.2), shapely.box(7.6, 1.6, 7.9, 1.8)])
    code = """
      const out = new Uint32Array(100);
      module_raster.rasterise({k: 1, m: 1, ox: 0, oy: 0}, given, [0, 1], 10, 10, out);
      return [...out];"""
    found = np.array(in_browser(browser, "raster", code, packed(specks))).reshape(10, 10)
    assert found[4, 3] == 1
    assert found[1, 7] == 2
    assert np.count_nonzero(found) == 2


@pytest.mark.parametrize("span", [0.0, 5.0, 120.0])
def test_places_on_the_square_are_those_of_web_mercator(browser: Any, span: float) -> None:
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(100, 101, 6000), rng.uniform(-span / 2, span / 2, 6000)
    code = """
      const x = new Float64Array(6000), y = new Float64Array(6000);
      module_geo.toSquare(given[0], given[1], x, y);
      return [[...x], [...y]];"""
    x, y = np.array(in_browser(browser, "geo", code, [lon.tolist(), lat.tolist()]))
    east, north = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    np.testing.assert_allclose(x, 0.5 + east / 2 / HALF_EQUATOR_M, atol=1e-14)
    np.testing.assert_allclose(y, 0.5 - north / 2 / HALF_EQUATOR_M, atol=1e-14)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_many_small_units_have_the_colour_of_their_class(
    open_page: Callable[..., Any], tmp_path: Path, size: str
) -> None:
    result = polygons_and_points(46, 5)
    path = tmp_path / "onemap.html"
    path.write_text(render(result), encoding="utf-8")
    low = result.units[result.units["level"] == "village"].iloc[::37]
    middle = low.geometry.centroid.to_crs(4326)
    code = """places => {
      const canvas = document.querySelector('.leaflet-rm-surface-pane canvas');
      const ctx = canvas.getContext('2d');
      const at = canvas.getBoundingClientRect();
      const home = riskmap.map.getContainer().getBoundingClientRect();
      const scale = canvas.width / at.width;
      return places.map(([lat, lon]) => {
        const p = riskmap.map.latLngToContainerPoint([lat, lon]);
        return [...ctx.getImageData((p.x + home.left - at.left) * scale, (p.y + home.top - at.top) * scale, 1, 1).data];
      });
    }"""
    with open_page(path, size=size) as opened:
        seen = opened.js(code, [[y, x] for x, y in zip(middle.x, middle.y, strict=True)])
    classes = result.index["unit"].classes.loc[low.index].astype(int)
    full = [[int(AREA[c - 1][i : i + 2], 16) for i in (1, 3, 5)] for c in classes]
    expected = 255 * (1 - OPACITY) + OPACITY * np.array(full)  # multiplied onto white
    assert len(set(classes)) == 4
    np.testing.assert_allclose(np.array(seen)[:, :3], expected, atol=2)

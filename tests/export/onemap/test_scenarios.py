"""The scenario switch on a run with water, closed roads and danger areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from shapely.geometry import LineString, box

from riskmap import pipeline
from riskmap.export.onemap.page import render
from riskmap.project.schema import load_project
from tests import town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "暴雨"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("town")
    depth = np.zeros((3, 4), np.float32)
    depth[2, 0], depth[1, 3] = 1.0, 0.3
    with rasterio.open(
        folder / "depth.tif", "w", driver="GTiff", dtype="float32", crs=town.CRS, nodata=-9999,
        transform=Affine(100, 0, town.EAST, 0, -100, town.NORTH + 300), height=3, width=4, count=1,
    ) as file:  # fmt: skip
        file.write(depth, 1)
    lines = gpd.GeoDataFrame(
        geometry=[LineString([town.at(200, 150), town.at(400, 150)])], crs=town.CRS
    )
    lines.to_file(folder / "shut.gpkg")
    areas = gpd.GeoDataFrame(
        {"name": ["洼地"]},
        geometry=[box(town.EAST, town.NORTH, town.EAST + 90, town.NORTH + 90)],
        crs=town.CRS,
    )
    areas.to_file(folder / "danger.gpkg")
    scenario = {
        "name": NAME, "depth": "depth.tif", "closures": "shut.gpkg", "danger_area": "danger.gpkg",
    }  # fmt: skip
    path = town.write(folder, project={"scenarios": [scenario], "plans": False})
    return pipeline.run(load_project(path))


@pytest.fixture(scope="module")
def page(result: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "onemap.html"
    path.write_text(render(result), encoding="utf-8")
    return path


def painted(opened: Any) -> int:
    """Pixels of water on the map."""
    return int(
        opened.js(
            """() => { const c = document.querySelector('.leaflet-rm-water-pane canvas');
            if (!c.width) return 0;
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }"""
        )
    )


def test_question_four_in_three_clicks(
    open_page: Callable[..., Any], page: Path, result: Any
) -> None:
    """Switch, a changed unit, its details: before and after, as Python has them."""
    with open_page(page) as opened:
        assert painted(opened) == 0
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.settle()
        assert painted(opened) > 0
        scores, classes = opened.js("() => [riskmap.scores(), riskmap.classes()]")
        index = result.index[f"unit@{NAME}"]
        for unit, score in index.scores["RISK"].items():
            assert scores[unit] == pytest.approx(score, abs=1e-12)
            assert classes[unit] == index.classes[unit]
        before = result.index["unit"]
        finest = result.units.index[result.units["finest"]]
        changed = (index.classes[finest] != before.classes[finest]).sum()
        assert changed > 0
        assert len(opened.page.query_selector_all(".changes li:not(.hint)")) == changed
        opened.page.click(".changes .link")
        opened.page.click("#tab-detail")
        opened.settle()
        shown = opened.page.inner_text("#panel-detail")
        assert "无情景时" in shown
        assert "▲" in shown


def test_layers_of_the_scenario_follow_the_switch(
    open_page: Callable[..., Any], page: Path
) -> None:
    with open_page(page) as opened:
        row = '[data-layer="water"]'
        assert opened.page.query_selector(row) is None
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.settle()
        assert opened.page.is_checked(row)
        for layer in ("closure", "danger_area"):
            assert opened.page.is_checked(f'[data-layer="plan:scenario/1/{layer}"]')
        assert "0.27–0.5 m" in opened.page.inner_text("#left")
        opened.page.uncheck(row)
        opened.settle()
        assert painted(opened) == 0
        opened.page.click('[data-scenario=""]')
        opened.settle()
        assert opened.page.query_selector(row) is None
        # no other scenario's plan is offered, so none can switch the page unsaid
        assert opened.page.query_selector('[data-layer^="plan:scenario/"]') is None


def test_weights_under_a_scenario_are_those_of_the_project(
    open_page: Callable[..., Any], page: Path, result: Any
) -> None:
    with open_page(page) as opened:
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.settle()
        moved = opened.js("async () => await riskmap.setWeights({HAZARD: 0.7})")
        assert moved != opened.js("async () => await riskmap.setWeights({})")
        opened.page.click("#tab-whatif")
        opened.settle()
        codes = opened.js(
            "() => [...document.querySelectorAll('[data-weight]')].map((n) => n.dataset.weight)"
        )
        assert set(codes) <= set(result.indicators.meta.index)


def test_swipe_hides_the_water_on_the_side_of_the_baseline(
    open_page: Callable[..., Any], page: Path
) -> None:
    with open_page(page) as opened:
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.settle()
        whole = painted(opened)
        opened.page.click("#tool-compare")
        opened.settle()
        assert 0 < painted(opened) < whole


LEFT = """() => { const c = document.querySelector('.leaflet-rm-points-pane canvas');
    const half = Math.floor(c.width / 2) - 4, d = c.getContext('2d').getImageData(0, 0, half, c.height).data;
    let h = 0; for (let i = 0; i < d.length; i++) h = (h * 31 + d[i]) | 0; return h; }"""


@pytest.mark.parametrize("swiped", [True, False])
def test_the_swipe_cuts_the_scenarios_areas_too(
    open_page: Callable[..., Any], page: Path, swiped: bool
) -> None:
    """The danger area lies in the west: left of the swipe stands the baseline, without it."""
    address = f"scenario={NAME}&level=1" + ("&compare=0.5" if swiped else "")
    with open_page(page, address=address) as opened:
        opened.settle()
        with_area = opened.js(LEFT)
        opened.page.uncheck('[data-layer="plan:scenario/1/danger_area"]')
        opened.settle()
        assert (opened.js(LEFT) == with_area) is swiped


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("swiped", [True, False])
def test_a_picture_of_the_swipe_has_its_line(
    open_page: Callable[..., Any], page: Path, swiped: bool
) -> None:
    address = f"scenario={NAME}" + ("&compare=0.5" if swiped else "")
    with open_page(page, address=address) as opened:
        with opened.page.expect_download() as download:
            opened.page.click("#tool-png")
        with rasterio.open(download.value.path()) as file:
            red, green, blue = file.read()[:3].astype(int)
    line = (abs(red - 13) < 30) & (abs(green - 47) < 30) & (abs(blue - 79) < 30)
    assert (line.sum(axis=0).max() > 0.7 * line.shape[0]) == swiped

"""What stands at a place and what plans say of it: people, minutes, room, why a refuge is not used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString

from riskmap.export.onemap.page import render
from riskmap.result import Plan
from tests.sample import sample_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser
NAME = "暴雨,50%~2c"


@pytest.fixture(scope="module")
def planned() -> Any:
    """Refuge 0 is never used, refuge 1 not in the scenario; one route to refuge 2."""
    whole = sample_result(n_side=8)
    refuges = whole.layers["refuge"].table
    crs = whole.units.crs

    def unusable(rows: list[int], reasons: list[str], scenario: str) -> Any:
        return gpd.GeoDataFrame(
            {"kind": "unusable", "label": refuges["name"].iloc[rows].to_list(),
             "scenario": scenario, "reason": reasons},
            geometry=refuges.geometry.iloc[rows].to_list(), crs=crs,
        )  # fmt: skip

    end = refuges.geometry.iloc[2]
    route = gpd.GeoDataFrame(
        {"kind": ["route"], "label": ["A → B"], "scenario": [""], "people": [1234.0],
         "mode": ["foot"], "minutes": [7.25]},
        geometry=[LineString([(end.x - 200, end.y), (end.x, end.y)])], crs=crs,
    )  # fmt: skip
    both = [unusable([0], ["墙体开裂"], ""), unusable([0, 1], ["墙体开裂", "积水 0.37 米"], NAME)]
    layers = {"unusable": pd.concat(both, ignore_index=True), "routes": route}
    plans = {"refuges": Plan(tables={}, layers=layers)}
    units = whole.units.assign(people_far=0.0, share_far=0.0)
    return replace(whole, plans=plans, units=units)


@pytest.fixture(scope="module")
def page(planned: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planned") / "page.html"
    path.write_text(render(planned), encoding="utf-8")
    return path


def test_a_refuge_that_is_not_used_says_why(open_page: Callable[..., Any], page: Path) -> None:
    def said(opened: Any, row: int) -> str:
        opened.js("at => riskmap.select({kind: 'item', layer: 'refuge', at})", row)
        opened.settle()
        return str(opened.page.inner_text("#panel-detail"))

    with open_page(page) as opened:
        assert "方案未采用：墙体开裂" in said(opened, 0)
        assert "方案未采用" not in said(opened, 1)
        opened.page.click("#tab-overview")
        assert "方案未采用的 1 处" in opened.page.get_attribute("[data-card=far]", "title")
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.settle()
        assert "方案未采用的 2 处" in opened.page.get_attribute("[data-card=far]", "title")
        opened.page.click("#tab-detail")
        opened.settle()
        assert "方案未采用：积水 0.37 米" in opened.page.inner_text("#panel-detail")
        assert "方案未采用：墙体开裂" in said(opened, 0)
        assert "方案未采用" not in said(opened, 2)


def test_the_nearest_refuges_of_a_place_say_it_too(
    open_page: Callable[..., Any], page: Path, planned: Any
) -> None:
    spot = planned.layers["refuge"].table.to_crs(4326).geometry.iloc[0]
    with open_page(page) as opened:
        opened.page.fill("#search", f"{spot.x:.6f}, {spot.y:.6f}")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_selector("#panel-detail .nearest")
        assert "墙体开裂" in opened.page.inner_text("#panel-detail .nearest:last-of-type")


def test_a_route_says_how_many_go_how_and_how_long(
    open_page: Callable[..., Any], page: Path, planned: Any
) -> None:
    line = planned.plans["refuges"].layers["routes"].to_crs(4326).geometry.iloc[0]
    middle = line.interpolate(0.5, normalized=True)
    with open_page(page) as opened:
        opened.page.check('[data-layer="plan:refuges/routes"]')
        opened.settle()
        spot = opened.js(
            """([lon, lat]) => { const p = riskmap.map.latLngToContainerPoint([lat, lon]);
            const b = document.querySelector('#map_riskmap').getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; }""",
            [middle.x, middle.y],
        )
        opened.page.mouse.move(*spot)
        opened.page.wait_for_function(
            "() => document.querySelector('#tip').innerText.includes('A → B')"
        )
        assert "A → B：1234 人；步行；7.2 分钟" in opened.page.inner_text("#tip")


def test_names_with_the_addresss_own_signs_come_back(
    open_page: Callable[..., Any], page: Path
) -> None:
    box = f'[data-layer="plan:refuges@{NAME}/unusable"]'
    with open_page(page) as opened:
        assert opened.page.locator(box).count() == 0  # of a scenario that is not chosen
        opened.page.click(f'[data-scenario="{NAME}"]')
        opened.page.wait_for_function("() => location.hash.includes('scenario=')")
        assert NAME in opened.page.inner_text("#live")
        opened.unfold()
        opened.page.check(box)
        opened.page.wait_for_function("() => location.hash.includes('layers=')")
        address = opened.js("() => location.hash.slice(1)")
    with open_page(page, address=address) as opened:
        assert opened.page.is_checked(box)
        assert opened.js("() => riskmap.state().scenario") == NAME


def test_a_cell_names_the_areas_and_points_it_lies_in(
    open_page: Callable[..., Any], planned: Any, tmp_path: Path
) -> None:
    """An area of 150 m around a hazard: cells inside name it, cells far off do not."""
    layer = planned.layers["hazard_source"]
    table = layer.table.copy()
    spots = table.geometry.copy()
    table["geometry"] = spots.buffer(150)
    changed = replace(layer, table=table)
    path = tmp_path / "areas.html"
    path.write_text(render(replace(planned, layers={"hazard_source": changed})), encoding="utf-8")
    east, north = spots.iloc[0].x, spots.iloc[0].y
    inside = {
        name
        for name, other in zip(table["name"], spots, strict=True)
        if max(abs(other.x - east), abs(other.y - north)) < 30
    }
    spot = spots.to_crs(4326).iloc[0]
    with open_page(path) as opened:
        opened.page.fill("#search", f"{spot.x:.6f}, {spot.y:.6f}")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_selector("#panel-detail details .things .link", state="attached")
        found = opened.js(
            "() => [...document.querySelectorAll('#panel-detail details .things .link')].map(b => b.textContent)"
        )
        assert inside <= set(found)
        far = [
            name for name, other in zip(table["name"], spots, strict=True)
            if other.distance(spots.iloc[0]) > 150 + 2 * 71
        ]  # fmt: skip
        assert not set(far) & set(found)

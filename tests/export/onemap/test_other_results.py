"""Pages of results that have less, or more, than the sample."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, Point

from riskmap.export.onemap.page import render
from riskmap.result import Plan
from tests.sample import ORIGIN, sample_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Write the page of a result."""

    def save(result: Any, **options: Any) -> Path:
        path = tmp_path / "onemap.html"
        path.write_text(render(result, **options), encoding="utf-8")
        return path

    return save


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_points(
    open_page: Callable[..., Any], saved: Callable[..., Path], n: int
) -> None:
    whole = sample_result(n_side=6)
    layer = whole.layers["flood_point"]
    few = replace(layer, table=layer.table.iloc[:n])
    result = replace(
        whole,
        layers={"flood_point": few},
        items=whole.items.iloc[:0],
        control=whole.control.iloc[:0],
    )
    with open_page(saved(result)) as opened:
        for tab in ("overview", "list", "whatif", "detail"):
            opened.js("tab => riskmap.openTab(tab)", tab)
            opened.settle()


def test_no_index_of_cells_and_one_unit(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    whole = sample_result(n_side=6)
    one = whole.units.iloc[[-1]]
    unit = whole.index["unit"]
    cut = {
        "scores": unit.scores.loc[one.index], "ranks": unit.ranks.loc[one.index],
        "classes": unit.classes.loc[one.index], "contributions": unit.contributions.loc[one.index],
        "stages": {name: stage.loc[one.index] for name, stage in unit.stages.items()},
    }  # fmt: skip
    index = replace(unit, **cut)
    with open_page(saved(replace(whole, units=one, index={"unit": index}))) as opened:
        assert len(opened.js("() => riskmap.scores()")) == 1
        assert opened.page.locator("[data-layer=grid]").count() == 0
        opened.js("() => riskmap.select({kind: 'unit', at: 0})")
        opened.page.wait_for_selector("#panel-detail .why")


def test_a_tiny_place_fills_the_map(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    with open_page(saved(sample_result(n_side=4, size_m=10.0))) as opened:
        assert opened.js("() => riskmap.map.getZoom()") >= 17


def test_scenarios_switch_and_plans_are_drawn(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    whole = sample_result(n_side=8)
    name = "大暴雨"
    wet = {}
    for kind, index in whole.index.items():
        higher = {
            code: np.minimum(index.stages["normalised"][code] * 1.3, 1)
            for code in index.stages["normalised"]
        }
        normal = index.stages["normalised"].assign(**higher)
        from riskmap.export.onemap.collect import make_recipe, recompute

        moved = replace(index, stages={**index.stages, "normalised": normal})
        scores = recompute(moved, make_recipe(index), weights={})
        wet[f"{kind}@{name}"] = replace(moved, scores=scores[index.scores.columns])
    west, south = ORIGIN
    crs = whole.units.crs
    sites = gpd.GeoDataFrame(
        {"kind": ["site"], "label": ["拟建站"]}, geometry=[Point(west + 300, south + 300)], crs=crs
    )
    bands = gpd.GeoDataFrame(
        {"kind": ["coverage"] * 2, "band": [1, 2], "label": ["3 min", "5 min"]},
        geometry=[Point(west + 300, south + 300).buffer(r) for r in (150, 300)], crs=crs,
    )  # fmt: skip
    way = gpd.GeoDataFrame(
        {"kind": ["route"], "label": ["甲 → 乙"], "scenario": [name]},
        geometry=[LineString([(west, south), (west + 500, south + 400)])],
        crs=crs,
    )
    plan = Plan(tables={}, layers={"sites": sites, "bands": bands, "routes": way})
    result = replace(whole, index={**whole.index, **wet}, plans={"stations": plan})
    with open_page(saved(result)) as opened:
        base = opened.js("() => riskmap.scores()")
        opened.page.click(f'[data-scenario="{name}"]')
        opened.settle()
        after = opened.js("() => riskmap.scores()")
        expected = wet[f"unit@{name}"].scores["RISK"]
        for unit, score in expected.items():
            assert after[unit] == pytest.approx(score, abs=1e-12)
        assert after != base
        opened.page.keyboard.press("ArrowLeft")
        assert opened.js("() => riskmap.state().scenario") == ""
        for layer in ("stations/sites", "stations/bands"):
            opened.page.check(f'[data-layer="plan:{layer}"]')
        opened.settle()
        routes = opened.page.locator(f'[data-layer="plan:stations@{name}/routes"]')
        assert routes.count() == 0  # of a scenario that is not chosen
        assert opened.js("() => riskmap.state().shown['plan:stations/bands']") is True
        assert "3 min" in opened.page.inner_text(".bands")
        lon, lat = sites.to_crs(4326).geometry.iloc[0].coords[0]
        opened.page.fill("#search", f"{lon:.6f},{lat:.6f}")
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_selector("#panel-detail .why")
        assert "拟建站" in opened.page.inner_text("#panel-detail")


def test_a_component_that_an_edition_withholds_is_not_offered(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    """Its indicators stand in no table of the page, so neither map nor comparison can show it."""
    whole = sample_result(n_side=6)

    def without(index: Any) -> Any:
        gone = index.meta.index[index.meta["parent"] == "VULNERABILITY"]
        kept = index.stages["normalised"].drop(columns=gone)
        meta = index.meta.drop(index=gone)
        return replace(index, meta=meta, stages={**index.stages, "normalised": kept})

    page = saved(replace(whole, index={key: without(one) for key, one in whole.index.items()}))
    with open_page(page, address="view=VULNERABILITY") as opened:
        assert opened.js("() => riskmap.state().view") == ""
        offered = opened.js("() => [...document.querySelector('#view').options].map(o => o.value)")
        assert "HAZARD" in offered
        assert "VULNERABILITY" not in offered
        opened.page.select_option("#view", "HAZARD")
        opened.settle()
        assert opened.js("() => riskmap.state().view") == "HAZARD"


def test_stability_is_shown(open_page: Callable[..., Any], saved: Callable[..., Path]) -> None:
    whole = sample_result(n_side=6)
    unit = whole.index["unit"]
    known = SimpleNamespace(**{name: getattr(unit, name) for name in (
        "meta", "steps", "params", "stages", "scores", "ranks", "classes", "contributions")})  # fmt: skip
    import pandas as pd

    known.stability = pd.Series(0.93, index=unit.scores.index)
    with open_page(saved(replace(whole, index={**whole.index, "unit": known}))) as opened:
        opened.js("() => riskmap.select({kind: 'unit', at: 0})")
        opened.page.wait_for_selector("#panel-detail .tag")
        assert "93%" in opened.page.inner_text("#panel-detail .facts >> nth=0")


def test_tianditu_asks_only_after_a_token_is_typed(
    browser: Any, saved: Callable[..., Path]
) -> None:
    path = saved(sample_result(n_side=6), tianditu=True)
    page = browser.new_page()
    asked: list[str] = []

    def block(route: Any) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("http*://**", block)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-settled]", state="attached", timeout=60_000)
    assert asked == []
    page.click("details[data-group=base] summary")
    page.fill("input[autocomplete=off][type=password]", "a-token")
    with page.expect_request(lambda request: "tianditu" in request.url):
        page.click("form.pick button")
    assert all(".tianditu.gov.cn/" in url and "tk=a-token" in url for url in asked)
    assert "a-token" not in page.evaluate("() => location.href")
    page.close()


def test_a_huge_place_is_shown_whole(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    with open_page(saved(sample_result(n_side=10, size_m=20_000.0))) as opened:
        assert 4 < opened.js("() => riskmap.map.getZoom()") < 10
        for tab in ("overview", "list", "whatif"):
            opened.js("tab => riskmap.openTab(tab)", tab)
            opened.settle()
        assert "km" in opened.page.inner_text("#scale")
        opened.js("() => riskmap.select({kind: 'cell', at: 40})")
        opened.page.wait_for_selector("#panel-detail .why")


def test_components_that_are_missing(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    from riskmap.index.steps import default_steps, fit

    whole = sample_result(n_side=8)
    gone = ["C_REFUGE", "CAPACITY", "V_LOW", "VULNERABILITY"]
    meta = whole.indicators.meta.drop(index=gone)
    few = {
        kind: fit(index.stages["raw"].drop(columns=[c for c in gone if c in index.stages["raw"]]),
                  meta, default_steps())
        for kind, index in whole.index.items()
    }  # fmt: skip
    layers = {"flood_point": whole.layers["flood_point"]}
    with open_page(saved(replace(whole, index=few, layers=layers))) as opened:
        opened.js("() => riskmap.select({kind: 'unit', at: 2})")
        opened.page.wait_for_selector("#panel-detail .why")
        assert opened.page.locator("#panel-detail .why tbody tr").count() == 2
        assert opened.page.locator("#far").count() == 0
        opened.page.click("#tab-whatif")
        opened.page.wait_for_selector("[data-weight=HAZARD]")
        assert opened.page.locator("[data-weight=CAPACITY]").count() == 0
        scores = opened.js("() => riskmap.scores()")
        for unit, score in few["unit"].scores["RISK"].items():
            assert scores[unit] == pytest.approx(score, abs=1e-12)


def test_the_scorecard_is_a_tab_where_there_is_one(
    open_page: Callable[..., Any], saved: Callable[..., Path]
) -> None:
    from riskmap.register.scorecard import scorecard

    whole = sample_result(n_side=6)
    tables = {role: layer for role, layer in whole.layers.items() if layer.table is not None}
    card = scorecard(tables, data_date="2026-04-15")
    with open_page(saved(replace(whole, scorecard=card))) as opened:
        opened.js("() => riskmap.openTab('scorecard')")
        opened.settle()
        shown = opened.page.locator(".scorecard tbody tr").count()
        assert shown == int((card["unit_name"] == "").sum())
        told = opened.page.inner_text("#panel-scorecard")
        assert "填报单位" in told
        assert "—" not in told
        assert ("未知" in told) == bool((card["value"].isna() & (card["denominator"] != 0)).any())
        opened.page.press("#tab-scorecard", "ArrowRight")
        assert opened.js("() => riskmap.state().tab") == "whatif"
    with open_page(saved(whole)) as opened:
        assert opened.page.locator("#tab-scorecard").count() == 0

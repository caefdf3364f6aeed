"""The ten questions of docs/onemap.md, clicked through on the Jinan demo's page.

Every click, choice and typed search is counted; answers are checked against the GeoPackage of the
same run, by plain arithmetic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser


class Officer:
    """Uses the page and counts what it takes."""

    def __init__(self, opened: Any, folder: Path) -> None:
        self.opened = opened
        self.page = opened.page
        self.folder = folder
        self.clicks = 0

    def click(self, what: str) -> None:
        self.clicks += 1
        self.page.locator(what).first.click()
        self.opened.settle()

    def choose(self, what: str, value: str) -> None:
        self.clicks += 1
        self.page.select_option(what, value)
        self.opened.settle()

    def search(self, words: str) -> None:
        self.clicks += 1
        self.page.fill("#search", words)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#panel-detail:not([hidden]) .title")
        self.opened.settle()

    def read(self, what: str) -> str:
        self.page.wait_for_selector(what)
        return str(self.page.locator(what).first.inner_text())

    def layer(self, name: str) -> Any:
        return pyogrio.read_dataframe(self.folder / "riskmap.gpkg", layer=name)

    def units(self, level: str, scenario: str = "") -> Any:
        table = self.layer("unit_scenarios" if scenario else "units")
        if scenario:
            table = table[table["scenario"] == scenario]
        return table[table["level"] == level].set_index("unit_id")


@pytest.fixture(scope="module")
def jinan(
    open_page: Callable[..., Any], run_once: Callable[[str], Path]
) -> Iterator[tuple[Any, Path]]:
    folder = run_once("jinan")
    with open_page(folder / "onemap.html") as opened:
        yield opened, folder


@pytest.fixture
def officer(jinan: tuple[Any, Path]) -> Officer:
    opened, folder = jinan
    opened.page.goto("about:blank")
    opened.page.goto((folder / "onemap.html").as_uri())
    opened.page.wait_for_selector("html[data-settled]", state="attached", timeout=60_000)
    return Officer(opened, folder)


def _number(shown: str) -> float:
    return float(re.findall(r"-?[\d,]+(?:\.\d+)?", shown)[0].replace(",", ""))


def _card(officer: Officer, name: str) -> str:
    return officer.read(f".card:has(.card-name:text('{name}'))")


def test_1_which_town_is_worst_and_why(officer: Officer) -> None:
    towns = officer.units("town")
    worst = towns.loc[towns["score"].idxmax()]
    officer.click(".rank:not(.worst)")
    officer.click("#tab-detail")
    assert officer.read("#panel-detail .title") == worst["name"]
    shares = [c for c in towns if c.startswith("share_")]
    codes = officer.layer("indicators").query("scenario == ''").set_index("code")
    biggest = codes.loc[str(worst[shares].astype(float).idxmax()).removeprefix("share_"), "name_zh"]
    officer.click("#panel-detail .why summary")
    rows = officer.page.locator("#panel-detail .why tbody tr:not(.part)").all_inner_texts()
    parts = {row.split("\t")[0].strip(): float(row.split()[-1]) for row in rows}
    assert max(parts, key=lambda name: parts[name]) == biggest
    assert officer.clicks == 3


def test_2_which_red_communities_are_only_just_red(officer: Officer) -> None:
    units = officer.units("village")
    limit = units.loc[units["class"] <= 3, "score"].max()
    close = (units["score"] - limit).abs() < 0.01
    doubtful = units[(units["class"] == 4) & ((units["stability"] < 0.6) | close)]
    officer.click("#tab-list")
    officer.choose("#list-what", "unsure")
    names = officer.page.locator(".list-row .name").all_inner_texts()
    assert {name.split("\n")[0] for name in names} == set(doubtful["name"])
    assert officer.clicks == 2


def test_3_who_has_no_refuge_within_1_km(officer: Officer) -> None:
    units = officer.units("village")
    near = officer.layer("refuge").to_crs(units.crs).buffer(1000, quad_segs=32).union_all()
    none, whole = units.disjoint(near), units.within(near)
    far = units["people_far"]
    assert none.any()
    assert whole.any()
    assert far[none].round().tolist() == units["population"][none].round().tolist()
    assert far[whole].abs().max() < 0.5
    card = _number(officer.read("[data-card=far] .card-value"))
    assert card == pytest.approx(far.sum(), abs=1)
    officer.click("[data-card=far]")
    assert _number(officer.read("#list-note b")) == (far >= 0.5).sum()
    assert officer.read(".list-row .name").split("\n")[0] == units.loc[far.idxmax(), "name"]
    assert officer.clicks == 1


def test_4_what_changes_in_the_rain_scenario(officer: Officer) -> None:
    dry, wet = officer.units("village"), officer.units("village", "大暴雨（示范）")
    name = officer.layer("scenarios").sort_values("number")["name"].iloc[0]
    officer.click(f'[data-scenario="{name}"]')
    changed = int((dry["class"].reindex(wet.index) != wet["class"]).sum())
    assert int(_number(officer.read(".changes h3").split("中有")[-1])) == changed
    red = _card(officer, "重大风险社区（村）").split("\n")[1]
    assert int(_number(red)) == int((wet["class"] == 4).sum())
    officer.click("#tool-compare")
    assert officer.page.locator("#swipe").count() == 1
    assert officer.clicks == 2


def test_5_whom_to_phone_for_point_17(officer: Officer) -> None:
    points = officer.layer("flood_point").set_index("item_id")
    officer.search("YL-JN-YL-017")
    point = points.loc["YL-JN-YL-017"]
    contact = officer.read("#panel-detail .contact")
    assert point["person"] in contact
    assert officer.page.get_attribute(".call", "href") == f"tel:{point['phone']}"
    assert officer.clicks == 1


def test_6_how_many_people_live_in_red_and_orange_in_one_town(officer: Officer) -> None:
    towns = officer.units("town")
    worst = towns["score"].idxmax()
    villages = officer.units("village")
    inside = villages[villages["parent_id"] == worst]
    expected = inside.loc[inside["class"] >= 3, "population"].sum()
    officer.click(".rank:not(.worst)")
    shown = _number(_card(officer, "较大及以上风险社区（村）人口").split("\n")[1])
    assert shown == pytest.approx(expected, rel=0.002)
    assert officer.clicks == 1


def test_7_why_is_this_spot_red_although_no_point_is_near(officer: Officer) -> None:
    cells = officer.layer("cells")
    red = cells[(cells["class"] == 4) & (cells["H_FLOOD_POINT"] == 0)]
    assert len(red)
    cell = red.loc[red["score"].idxmax()]
    spot = gpd.GeoSeries([cell.geometry.centroid], crs=cells.crs).to_crs(4326).iloc[0]
    officer.opened.js("([y, x]) => riskmap.map.setView([y, x], 17, {animate: false})", [spot.y, spot.x])  # fmt: skip
    officer.opened.settle()
    box = officer.page.locator("#map_riskmap").bounding_box()
    officer.clicks += 1
    officer.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    facts = officer.read("#panel-detail .facts")
    assert "重大风险" in facts
    assert f"{cell['score']:.3f}" in facts
    rows = officer.page.locator("#panel-detail details table tr").all_inner_texts()
    water = next(row for row in rows if row.startswith("易涝积水点密度"))
    assert water.split("\t")[1].startswith("0 ")
    assert officer.clicks == 1


def test_8_what_if_capacity_weighs_more(officer: Officer) -> None:
    units = officer.units("village")
    codes = officer.layer("indicators").query("scenario == ''").set_index("code")
    parts = ["HAZARD", "EXPOSURE", "VULNERABILITY", "CAPACITY"]
    weights = codes.loc[parts, "weight"].astype(float)
    officer.click("#tab-whatif")
    officer.page.wait_for_selector("[data-weight=CAPACITY]")
    officer.clicks += 1
    officer.page.locator("[data-weight=CAPACITY]").evaluate(
        "s => { s.value = '0.4'; s.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    officer.opened.settle()
    officer.opened.settle()
    moved = weights.where(weights.index != "CAPACITY", 0.4)
    values = units[parts].to_numpy(dtype=float)
    score = np.exp(np.log(values) @ moved.to_numpy() / moved.sum())
    shown = officer.opened.js("() => riskmap.scores()")
    assert [shown[unit] for unit in units.index] == pytest.approx(list(score), abs=1e-6)
    limits = [units.loc[units["class"] <= c, "score"].max() for c in (1, 2, 3)]
    changed = (1 + np.searchsorted(limits, score, side="left") != units["class"]).sum()
    title = officer.read("#effects h3")
    assert int(_number(title.split("中有")[-1])) == int(changed)
    assert officer.clicks == 2


def test_9_which_items_are_overdue(officer: Officer) -> None:
    overdue = officer.layer("control")["overdue"].astype(bool)
    officer.click("details[data-group=filter] summary")
    officer.choose("#filter", "overdue")
    shown = _card(officer, "重大等级点位").split("\n")[1]
    assert int(_number(shown.split("/")[-1])) == int(overdue.sum())
    officer.click("#tab-list")
    assert officer.page.locator(".list-row").count() == min(int(overdue.sum()), 20)
    assert officer.clicks == 3


def test_10_what_is_near_the_reported_place(officer: Officer) -> None:
    spot = gpd.GeoSeries.from_xy([117.02], [36.66], crs=4326)
    officer.search("117.02, 36.66")
    rows = officer.page.locator("#panel-detail .nearest tr").all_inner_texts()
    for role, name in (("refuge", "避难场所"), ("rescue_station", "救援站")):
        layer = officer.layer(role)
        metric = layer.to_crs("EPSG:4548")
        metres = metric.distance(spot.to_crs("EPSG:4548").iloc[0])
        row = next(r for r in rows if r.startswith(name))
        near = layer.loc[metres.idxmin(), "name"]
        assert near in row or metres.nsmallest(2).diff().iloc[-1] < 300
    assert officer.clicks == 1

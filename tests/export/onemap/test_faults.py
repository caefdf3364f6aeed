"""Faults that were found in the page by looking at it, each with what is right."""

from __future__ import annotations

import colorsys
import csv
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point

from riskmap.export.onemap import page as built
from riskmap.export.onemap.page import render
from riskmap.result import Plan
from riskmap.vocabulary.marks import palettes
from tests.sample import ORIGIN, sample_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

pytestmark = pytest.mark.browser

WORDS = ["未知", "低风险", "一般风险", "较大风险", "重大风险"]
RAIN = "同样的雨"


@pytest.fixture(scope="module")
def rainy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a scenario that changes nothing, and a dozen layers of plans."""
    whole = sample_result(n_side=12, n_points=40)
    index = {
        **whole.index,
        f"unit@{RAIN}": whole.index["unit"],
        f"cell@{RAIN}": whole.index["cell"],
    }
    west, south = ORIGIN
    layers = {}
    for i in range(12):
        frame = gpd.GeoDataFrame(
            {"kind": ["site"], "label": [f"点{i}"]},
            geometry=[Point(west + 100 + 50 * i, south + 300)],
            crs=whole.units.crs,
        )
        layers[f"方案图层{i}"] = frame
    result = replace(whole, index=index, plans={"stations": Plan(tables={}, layers=layers)})
    path = tmp_path_factory.mktemp("rainy") / "onemap.html"
    path.write_text(render(result), encoding="utf-8")
    return path


def _hold(desk: Any, x: float, y: float) -> None:
    box = desk.page.locator("#map_riskmap").bounding_box()
    desk.page.mouse.move(box["x"] + x, box["y"] + y)
    desk.settle()


def test_the_tip_names_the_class_of_the_unit_and_of_the_cell_apart(desk: Any) -> None:
    desk.page.select_option("#fill", "grid")
    for layer in ("flood_point", "hazard_source", "refuge", "rescue_station", "supply_depot"):
        desk.page.uncheck(f"[data-layer={layer}]")
    names = desk.js("() => riskmap.names()")
    classes = desk.js("() => riskmap.classes()")
    seen = 0
    for x, y in itertools.product(range(120, 700, 90), range(120, 600, 90)):
        _hold(desk, x, y)
        lines = desk.page.inner_text("#tip").split("\n") if desk.page.is_visible("#tip") else []
        if len(lines) == 3:
            unit = next(code for code, name in names.items() if name == lines[0])
            assert lines[1].startswith(WORDS[classes[unit]]), lines
            assert lines[2].startswith("本格网：")
            seen += 1
    assert seen > 10


def test_a_component_is_compared_with_itself(desk: Any) -> None:
    """Weights between components do not change a component: both halves are alike."""
    picture = """() => { const c = document.querySelector('.leaflet-rm-surface-pane canvas');
        return c.toDataURL(); }"""
    desk.js("() => riskmap.setWeights({EXPOSURE: 0.9})")
    desk.page.select_option("#view", "HAZARD")
    desk.settle()
    desk.settle()
    whole = desk.js(picture)
    desk.page.click("#tool-compare")
    desk.settle()
    desk.settle()
    assert desk.page.locator("#swipe").count() == 1
    assert desk.js(picture) == whole


def test_weights_of_zero_give_no_index(desk: Any) -> None:
    zero = dict.fromkeys(("HAZARD", "EXPOSURE", "VULNERABILITY", "CAPACITY"), 0)
    desk.js("weights => riskmap.setWeights(weights)", zero)
    desk.settle()
    assert "无指数" in desk.page.inner_text("#no-index")
    assert "▼" not in desk.page.inner_text("#panel-overview .cards")
    assert desk.page.locator("[data-card=major]").count() == 0


def test_a_scenario_is_reckoned_with_the_weights_as_they_stand(
    open_page: Callable[..., Any], rainy: Path
) -> None:
    with open_page(rainy) as opened:
        opened.js("() => riskmap.setWeights({HAZARD: 0.9, CAPACITY: 0.01})")
        opened.page.click(f'[data-scenario="{RAIN}"]')
        opened.settle()
        assert "有 0 个等级变化" in opened.page.inner_text("#panel-overview").replace("中有", "有")
        opened.js("() => riskmap.select({kind: 'unit', at: 2})")
        opened.page.wait_for_selector(".before")
        assert "▼" not in opened.page.inner_text(".before")
        assert "▲" not in opened.page.inner_text(".before")


def test_moved_weights_are_said_everywhere(desk: Any) -> None:
    desk.js("() => riskmap.setWeights({HAZARD: 0.9})")
    desk.settle()
    assert "权重已调整" in desk.page.inner_text("[data-chip=weights]")
    desk.page.click("#tab-list")
    assert "工程原定权重" in desk.page.inner_text("#list-note")
    desk.page.click("[data-chip=weights]")
    desk.settle()
    assert desk.js("() => riskmap.state().weights") == {}
    assert desk.page.locator("#chips button").count() == 0


def test_the_list_stays_after_a_change_of_language(desk: Any) -> None:
    desk.page.click("#tab-list")
    rows = desk.page.locator(".list-row").count()
    desk.page.click("#tool-lang")
    assert desk.page.locator(".list-row").count() == rows > 5
    assert desk.js("() => document.activeElement.id") == "tool-lang"


def test_one_surface_and_one_legend(desk: Any) -> None:
    for fill, kind in (("grid", "格网"), ("unit:2", "社区"), ("unit:1", "街镇"), ("auto", "")):
        desk.page.select_option("#fill", fill)
        groups = desk.page.locator("#left [data-class^='surface:']").evaluate_all(
            "nodes => new Set(nodes.map(n => n.parentNode)).size"
        )
        assert groups == 1
        assert kind in desk.page.locator("label:has([data-layer=surface])").inner_text()


def test_a_town_narrows_every_figure(desk: Any, sample: Any) -> None:
    towns = sample.units[sample.units["level"] == "town"]
    villages = sample.units[sample.units["level"] == "village"]
    row = desk.page.locator(".rank:not(.worst)").first
    code = row.get_attribute("data-unit")
    row.click()
    desk.settle()
    inside = int((villages["parent_id"] == code).sum())
    assert desk.page.inner_text("[data-card=major] .card-value").split("/")[1].strip() == str(
        inside
    )
    assert towns.loc[code, "name"] in desk.page.inner_text("[data-chip=town]")
    desk.js("() => riskmap.setWeights({HAZARD: 0.9, CAPACITY: 0.01})")
    desk.page.click("#tab-whatif")
    desk.settle()
    title = desk.page.inner_text("#effects h3")
    assert re.search(rf"\b{inside}\b", title), title


def test_the_lists_filter_knows_the_town_of_a_row(desk: Any) -> None:
    desk.page.click("#tab-list")
    town = desk.page.locator(".list-row .town").first.inner_text()
    desk.page.fill(".list-tools input", town)
    desk.settle()
    towns = set(desk.page.locator(".list-row .town").all_inner_texts())
    assert towns == {town}


def test_the_focus_is_never_lost(open_page: Callable[..., Any], rainy: Path) -> None:
    focus = "() => document.activeElement.id || document.activeElement.dataset.scenario || document.activeElement.tagName"
    with open_page(rainy) as opened:
        opened.page.click("[data-card=items]")
        assert opened.js(focus) == "list-what"
        opened.page.click("#left .panel-head button")
        assert opened.js(focus) == "tool-layers"
        opened.page.click("#tool-layers")
        opened.page.focus('[data-scenario=""]')
        opened.page.keyboard.press("ArrowRight")
        opened.settle()
        assert opened.js(focus) == RAIN
        opened.page.click("[data-chip=scenario]")
        opened.settle()
        assert opened.js(focus) != "BODY"


def test_what_is_chosen_can_be_let_go(desk: Any) -> None:
    chosen = "() => riskmap.state().selected"
    desk.js("() => riskmap.select({kind: 'unit', at: 1})")
    desk.page.wait_for_selector("#unselect")
    desk.page.click("#unselect")
    assert desk.js(chosen) is None
    desk.js("() => riskmap.select({kind: 'unit', at: 1})")
    desk.page.focus("#map_riskmap")
    desk.page.keyboard.press("Escape")
    assert desk.js(chosen) is None
    desk.js("() => riskmap.select({kind: 'unit', at: 1})")
    box = desk.page.locator("#map_riskmap").bounding_box()
    desk.js("() => riskmap.map.setZoom(riskmap.map.getZoom() - 2, {animate: false})")
    desk.page.mouse.click(box["x"] + 90, box["y"] + box["height"] - 60)
    assert desk.js(chosen) is None


def test_the_crosshair_is_for_the_keyboard_alone(desk: Any) -> None:
    mark = "() => getComputedStyle(document.getElementById('map_riskmap'), '::after').content"
    desk.page.focus("#map_riskmap")
    desk.page.keyboard.press("ArrowRight")
    assert desk.js(mark) != "none"
    box = desk.page.locator("#map_riskmap").bounding_box()
    desk.page.mouse.click(box["x"] + 300, box["y"] + 300)
    assert desk.js(mark) == "none"


def test_a_link_holds_list_filter_and_panel(
    desk: Any, open_page: Callable[..., Any], sample_page: Path
) -> None:
    desk.page.click("#tab-list")
    desk.page.select_option("#list-what", "refuge")
    desk.page.fill(".list-tools input", "中学")
    desk.page.click("#left .panel-head button")
    desk.page.wait_for_function(
        "() => ['list=refuge', 'find=', 'panel=closed'].every(p => location.hash.includes(p))"
    )
    address = desk.js("() => location.hash.slice(1)")
    with open_page(sample_page, address=address) as again:
        assert again.page.input_value("#list-what") == "refuge"
        assert again.page.input_value(".list-tools input") == "中学"
        assert again.page.locator("#left").is_hidden()


@pytest.mark.parametrize("view", ["99/999/999", "12/10/10", "-4/117/36", "9/nan/36"])
def test_a_view_of_nothing_opens_the_place(
    open_page: Callable[..., Any], sample_page: Path, view: str
) -> None:
    inside = """() => { const b = riskmap.map.getBounds(), c = riskmap.map.getCenter();
        return [c.lng, c.lat, riskmap.map.getZoom()]; }"""
    with open_page(sample_page) as plain:
        whole = plain.js(inside)
    with open_page(sample_page, address=f"map={view}") as opened:
        assert opened.js(inside) == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize(
    "size", [(761, 700), (840, 700), (911, 512), (970, 640), (1180, 640), (683, 384)]
)
def test_narrow_screens_lose_nothing(
    browser: Any, sample_page: Path, size: tuple[int, int]
) -> None:
    wide, high = size
    page = browser.new_page(viewport={"width": wide, "height": high})
    page.goto(sample_page.as_uri())
    page.wait_for_selector("html[data-settled]", state="attached")
    out = page.evaluate("""() => [...document.querySelectorAll('#top button, #top select, #top input')]
        .filter(n => n.checkVisibility()).map(n => [n.id || n.textContent, n.getBoundingClientRect()])
        .filter(([, r]) => r.right > innerWidth + 0.5 || r.left < -0.5).map(([n]) => n)""")
    assert out == []
    page.click("#tool-more")
    for name in ("measure", "png", "print", "link", "screen", "about", "help"):
        box = page.locator(f"#tool-{name}").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= wide
    page.keyboard.press("Escape")
    if wide > 760:
        if page.locator("#left").is_hidden():
            page.click("#tool-layers")
        top = page.evaluate("""() => { const r = document.querySelector('.zoom button').getBoundingClientRect();
            return !!document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2).closest('.zoom'); }""")
        assert top
        page.click("#left .panel-head button")
    page.click("#home")
    south = page.evaluate("""() => { const m = riskmap.map, h = m.getContainer().getBoundingClientRect();
        return h.top + m.latLngToContainerPoint([riskmap.south(), m.getCenter().lng]).y; }""")
    assert south <= page.locator(".foot").bounding_box()["y"] + 1
    if wide > 760:  # the small legend stands below the place, and not on its south-east
        assert south <= page.locator("#mini").bounding_box()["y"] + 1
    page.close()


def test_found_names_stay_on_a_phones_screen(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page, size="phone") as opened:
        opened.page.fill("#search", "积水")
        box = opened.page.locator("#search-list").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        opened.page.fill("#search", "")


def test_a_wide_wall_is_enlarged_by_its_height(browser: Any, sample_page: Path) -> None:
    page = browser.new_page(viewport={"width": 3840, "height": 1080})
    page.add_init_script("Element.prototype.requestFullscreen = undefined")
    page.goto(sample_page.as_uri())
    page.wait_for_selector("html[data-settled]", state="attached")
    page.click("#tool-screen")
    zoom = float(page.evaluate("() => document.body.style.getPropertyValue('--big')"))
    assert zoom == pytest.approx(1080 / 620, abs=0.01)
    least = page.evaluate("""() => Math.min(...[...document.querySelectorAll('#right *, #mini *')]
        .filter(n => n.checkVisibility() && n.closest('button, p, h3, #mini') && [...n.childNodes].some(c => c.nodeType === 3 && c.data.trim()))
        .map(n => parseFloat(getComputedStyle(n).fontSize)))""")
    assert least * zoom >= 1080 / 55  # read from the back of the room
    panel, place = page.locator("#right").bounding_box(), page.locator("#stage").bounding_box()
    assert panel["x"] + panel["width"] <= 3840 + 1
    assert place["width"] >= 1400
    page.close()


def test_objects_in_no_list_are_told_where_they_are_counted(
    sample: Any, open_page: Any, tmp_path: Path
) -> None:
    ids = list(sample.layers["flood_point"].table.index)
    left, rows = ids[:10], len(sample.items)
    result = replace(
        sample,
        items=sample.items.drop(index=left, errors="ignore"),
        control=sample.control.drop(index=left, errors="ignore"),
    )
    path = tmp_path / "onemap.html"
    path.write_text(render(result), encoding="utf-8")
    with open_page(path) as opened:
        row = opened.page.locator(".row:has([data-layer=flood_point])")
        assert row.locator(".unlisted").inner_text() == "其中 10 处不列入清单：已停用"
        opened.page.click("#tab-list")
        note = opened.page.inner_text("#list-note")
        assert note.startswith(f"共 {rows - 10} 行") or f"{rows - 10}" in note
        assert "10 处不列入清单（已停用）" in note


def test_an_object_is_explained_before_its_block_is_unpacked(
    browser: Any, sample_page: Path, sample: Any
) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script("""(() => { const plain = Response.prototype.arrayBuffer; let n = 0;
        Response.prototype.arrayBuffer = async function () { const out = await plain.call(this);
          if (++n === (location.hash ? 2 : 3)) await new Promise(r => (window.letGo = r)); return out; }; })()""")
    page.goto(sample_page.as_uri() + "#tab=overview")
    page.wait_for_function("() => window.letGo")  # an address asks for everything first
    assert page.get_attribute("html", "data-ready") is None
    page.evaluate("() => window.letGo()")
    page.wait_for_selector("html[data-settled]", state="attached")
    page.goto("about:blank")
    page.goto(sample_page.as_uri())
    page.wait_for_function("() => window.letGo && document.documentElement.dataset.ready")
    page.evaluate("() => riskmap.select({kind: 'item', layer: 'flood_point', at: 3})")
    name = sample.layers["flood_point"].table["name"].iloc[3]
    assert name in page.inner_text("#panel-detail")
    page.evaluate("() => window.letGo()")
    page.wait_for_selector("html[data-settled]", state="attached")
    assert errors == []
    page.close()


def test_a_screen_with_finer_pixels_gets_a_finer_picture(browser: Any, sample_page: Path) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 600})
    page.goto(sample_page.as_uri())
    page.wait_for_selector("html[data-settled]", state="attached")
    width = "() => document.querySelector('.leaflet-container canvas:not([hidden])').width"
    before = page.evaluate(width)
    page.context.new_cdp_session(page).send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1000, "height": 600, "deviceScaleFactor": 2, "mobile": False},
    )
    page.wait_for_function("() => window.devicePixelRatio === 2")
    page.mouse.move(300, 300)
    page.wait_for_function(f"before => ({width})() === 2 * before", arg=before)
    page.close()


def test_forced_colours_leave_the_swatches(browser: Any, sample_page: Path) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(sample_page.as_uri())
    page.wait_for_selector("html[data-settled]", state="attached")
    colours = page.locator("#left [data-class^='surface:'] .swatch").evaluate_all(
        "nodes => nodes.slice(0, 4).map(n => getComputedStyle(n).backgroundColor)"
    )
    assert len(set(colours)) == 4
    context.close()


def _written(opened: Any) -> list[str]:
    """What is written on the picture."""
    opened.js("""() => { window.written = [];
        const plain = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { window.written.push(text); plain.call(this, text, ...rest); }; }""")
    with opened.page.expect_download() as saved:
        opened.page.click("#tool-png")
    assert saved.value.suggested_filename.endswith(".png")
    found: list[str] = opened.js("() => window.written")
    return found


def test_paper_and_phone_say_why_the_worst_is_worst(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page) as opened:
        why = opened.page.inner_text("#worst .reason >> nth=0")
        assert opened.page.locator("#lead").count() == 0
        told = _written(opened)
        head = told.index("风险最高的社区（村）") + 1
        assert told[head].startswith("1 ")
        assert why.startswith(told[head + 1])
        assert why.startswith("".join(told[head + 1 : head + 3]))
    with open_page(sample_page, size="phone") as opened:
        lead = opened.page.locator("#lead")
        assert lead.locator(".reason").inner_text() == why
        seen = opened.page.locator("#right").bounding_box()
        box = lead.bounding_box()
        assert box["y"] > seen["y"]
        assert box["y"] + box["height"] <= 844


def test_what_a_scenario_changes_stands_with_its_reason(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    whole = sample_result(n_side=8)
    wet = sample_result(n_side=8, seed=8).index
    index = {**whole.index, f"unit@{RAIN}": wet["unit"], f"cell@{RAIN}": wet["cell"]}
    path = tmp_path / "onemap.html"
    path.write_text(render(replace(whole, index=index)), encoding="utf-8")
    with open_page(path) as opened:
        opened.page.click(f'[data-scenario="{RAIN}"]')
        opened.settle()
        rows = opened.page.locator(".changes li:has(button)")
        assert 0 < rows.count() <= 5
        for text in rows.all_inner_texts():
            assert "→" in text.split("\n")[-1]
            assert "等级" in text.split("\n")[-1]


def test_the_papers_legend_has_every_plan_and_says_the_filter(
    open_page: Callable[..., Any], rainy: Path
) -> None:
    with open_page(rainy) as opened:
        for i in range(12):
            opened.page.check(f'[data-layer="plan:stations/方案图层{i}"]')
        opened.page.locator(".rank:not(.worst)").first.click()
        opened.settle()
        told = _written(opened)
        for i in range(12):
            assert f"方案图层{i}" in told
        assert any("仅看" in text for text in told)
        assert any(re.search(r"1:[\d,]+（A4）", text) for text in told)
        assert any("编制单位：示范应急管理局" in text for text in told)


def test_compare_has_two_sides(
    open_page: Callable[..., Any], rainy: Path, sample_page: Path
) -> None:
    with open_page(rainy) as opened:
        opened.page.click("#tool-compare")
        opened.page.wait_for_selector("#swipe")
        sides = opened.page.locator("#swipe .side").all_inner_texts()
        assert sides == ["基准", RAIN]
        opened.page.click('[data-scenario=""]')
        opened.settle()
        assert opened.page.locator("#swipe").count() == 0
    with open_page(sample_page) as opened:
        opened.page.click("#tool-compare")
        opened.settle()
        assert opened.page.locator("#swipe").count() == 0
        assert "没有可对比的内容" in opened.page.inner_text("#live")


def test_lists_have_files_of_their_own_and_short_numbers(desk: Any) -> None:
    names = set()
    desk.page.click("#tab-list")
    for what in ("items", "flood_point", "unit:2"):
        desk.page.select_option("#list-what", what)
        with desk.page.expect_download() as saved:
            desk.page.click("#csv")
        names.add(saved.value.suggested_filename)
        rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
        long = [cell for row in rows for cell in row if re.fullmatch(r"-?\d+\.\d{10,}", cell)]
        assert long == []
    assert len(names) == 3


def test_the_helps_example_is_found(desk: Any) -> None:
    desk.page.click("#tool-help")
    told = re.search(r"[（(](\w+) 可找到“(.+?)”", desk.page.inner_text("dialog"))
    desk.page.click("dialog .plain")
    assert told
    desk.page.fill("#search", told[1])
    assert told[2] in desk.page.inner_text("#search-list")
    desk.page.fill("#search", "")
    assert "(?<" not in built.script()  # what older engines do not know


def test_search_takes_off_what_hides_its_result(desk: Any, sample: Any) -> None:
    villages = sample.units[sample.units["level"] == "village"]
    desk.page.locator(".rank:not(.worst)").first.click()
    town = desk.js("() => riskmap.state().town")
    elsewhere = villages[villages["parent_id"] != sample.units.index[town]].iloc[0]
    desk.page.fill("#search", elsewhere["name"])
    desk.page.keyboard.press("Enter")
    assert desk.js("() => riskmap.state().town") == -1
    assert "已取消" in desk.page.inner_text("#live")


def _lab(colour: str, sight: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65) of a colour as somebody sees it."""
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = to_xyz @ np.clip(sight @ linear, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def _ciede2000(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Difference of two colours (CIE 142:2001; Sharma, Wu and Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    mh = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (1 - 0.17 * np.cos(np.radians(mh - 30)) + 0.24 * np.cos(np.radians(2 * mh))
         + 0.32 * np.cos(np.radians(3 * mh + 6)) - 0.2 * np.cos(np.radians(4 * mh - 63)))  # fmt: skip
    rt = (
        -np.sin(np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2))))
        * 2
        * np.sqrt(mc**7 / (mc**7 + 25**7))
    )
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh))


NORMAL = np.eye(3)
DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                   [-0.011820, 0.042940, 0.968881]])  # fmt: skip
"""Deuteranopia (Machado, Oliveira and Fernandes 2009, severity 1)."""


def test_ciede2000_gives_the_published_differences() -> None:
    """Pairs 1, 7 and 17 of the test data of Sharma, Wu and Dalal (2005), table 1."""
    for one, two, expected in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ):
        assert _ciede2000(np.array(one), np.array(two)) == pytest.approx(expected, abs=1e-4)


def _depths() -> list[str]:
    """Colours of the classes of depth, dry first."""
    found = re.search(r"\bDEPTHS\b[^\[]*\[([^\]]*)\]", built._modules()["ground.js"])
    assert found
    return re.findall(r"#[0-9a-f]{6}", found[1])


@pytest.mark.parametrize("name", sorted(palettes()))
@pytest.mark.parametrize("sight", [NORMAL, DEUTAN], ids=["normal", "deutan"])
def test_classes_stay_apart_for_every_eye(name: str, sight: NDArray[np.float64]) -> None:
    colours = [_lab(c, sight) for c in palettes()[name][1:]]
    assert len(colours) == 4
    assert min(_ciede2000(a, b) for a, b in itertools.combinations(colours, 2)) >= 15


def test_the_standard_palette_has_the_hues_that_the_standard_names() -> None:
    """红 within 15 degrees of 0, 橙 of 33, 黄 of 60, 蓝 of 240 on the circle of hues."""
    for colour, hue in zip(palettes()["pure"][1:], (240, 60, 33, 0), strict=True):
        turn = 360 * colorsys.rgb_to_hsv(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))[0]
        assert abs((turn - hue + 180) % 360 - 180) <= 15


def test_the_page_takes_its_colours_from_the_vocabulary() -> None:
    source = "".join(text for name, text in built._modules().items() if name == "labels.js")
    for colours in palettes().values():
        assert not set(colours) & set(re.findall(r"#[0-9a-f]{6}", source))


@pytest.mark.parametrize("sight", [NORMAL, DEUTAN], ids=["normal", "deutan"])
def test_water_has_a_hue_that_no_class_has(sight: NDArray[np.float64]) -> None:
    classes = [_lab(c, sight) for c in palettes()["area"][1:]]
    depths = [_lab(c, sight) for c in _depths()]
    assert len(depths) == 7
    assert min(_ciede2000(a, b) for a in classes for b in depths) >= 15


def test_the_legend_stands_when_the_page_says_that_it_is_ready(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    watch = """new MutationObserver(() => {
        if (document.documentElement.dataset.ready && window.legend === undefined)
          window.legend = document.querySelectorAll('#left [data-class]').length;
      }).observe(document, {attributes: true, subtree: true, attributeFilter: ['data-ready']});"""
    with open_page(sample_page, before=watch) as opened:
        assert opened.js("() => window.legend") >= 4


def test_a_page_in_a_hidden_frame_is_drawn_when_it_is_shown(
    browser: Any, sample_page: Path, tmp_path: Path
) -> None:
    holder = tmp_path / "holder.html"
    holder.write_text(
        f'<iframe src="{sample_page.as_uri()}" style="display:none;width:1000px;height:600px">'
        "</iframe>",
        encoding="utf-8",
    )
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(holder.as_uri())
    frame = page.frames[1]
    frame.wait_for_selector("#stage", state="attached")
    page.evaluate("() => { document.querySelector('iframe').style.display = 'block'; }")
    frame.wait_for_selector("html[data-settled]", state="attached")
    assert frame.evaluate("() => document.querySelector('.leaflet-rm-surface-pane canvas').width") > 300  # fmt: skip
    assert frame.evaluate("() => riskmap.map.getZoom()") > 10
    page.evaluate("() => { document.querySelector('iframe').style.display = 'none'; }")
    frame.evaluate("() => { riskmap.map.invalidateSize(); riskmap.setScenario(''); }")
    page.evaluate("() => new Promise(r => setTimeout(r, 50))")
    assert faults == []
    page.close()


def test_a_key_of_the_input_method_chooses_nothing(desk: Any) -> None:
    """Enter that ends a word in pinyin belongs to the input method."""
    typed = """(of) => { const box = document.getElementById('search');
      box.value = '点1'; box.dispatchEvent(new Event('input', {bubbles: true}));
      box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, ...of})); }"""
    desk.js(typed, {"isComposing": True})
    desk.js(typed, {"keyCode": 229})
    assert desk.js("() => riskmap.state().selected") is None
    desk.js(typed, {})
    assert desk.js("() => riskmap.state().selected") is not None


def test_the_whole_page_stays_light(desk: Any) -> None:
    """In forced darkness a browser would turn the legend's colours and not the map's."""
    scheme = desk.js("() => getComputedStyle(document.documentElement).colorScheme")
    assert scheme in ("light only", "only light")


def test_cells_laid_as_one_picture_stand_where_they_belong(desk: Any, sample: Any) -> None:
    """Every cell has its class's colour up to its corners, on the map as in the table."""
    desk.page.select_option("#fill", "grid")
    desk.settle()
    desk.settle()
    desk.js("""() => {
      const c = document.querySelector('.leaflet-rm-surface-pane canvas'), m = riskmap.map;
      const pen = c.getContext('2d'), at = L.DomUtil.getPosition(c);
      window.spotColours = (spots) => spots.map(([lat, lon]) => {
        const p = m.latLngToLayerPoint([lat, lon]).subtract(at);
        return [...pen.getImageData(Math.round(p.x), Math.round(p.y), 1, 1).data].slice(0, 3);
      }); }""")
    grid = sample.grid
    rows, cols = np.unravel_index(np.asarray(sample.index["cell"].classes.index), grid.inside.shape)
    side = np.where((cols + rows) % 2, 0.12, 0.88)  # near its east or west edge
    x, y = grid.geobox.affine @ (cols + side, rows + side)
    spots = gpd.GeoSeries.from_xy(x, y, crs=sample.units.crs).to_crs(4326)
    seen = desk.js("(spots) => window.spotColours(spots)", [[p.y, p.x] for p in spots])
    classes = sample.index["cell"].classes.fillna(0).to_numpy().astype(int)
    tones: dict[int, list[Any]] = {}
    for cls, colour in zip(classes, seen, strict=True):
        tones.setdefault(int(cls), []).append(colour)
    middle = {cls: np.median(np.array(rows_), axis=0) for cls, rows_ in tones.items() if cls}
    for cls, colours in tones.items():
        if not cls:
            continue
        far = {
            other: np.abs(np.array(colours) - tone).sum(axis=1) for other, tone in middle.items()
        }
        nearest = np.array(list(far))[np.argmin(np.stack(list(far.values())), axis=0)]
        assert (nearest == cls).mean() > 0.97


def test_areas_that_part_the_whole_place_tint_nothing(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    """Duty grids lie over every class; a fill would give colours that no legend has."""
    whole = sample_result(n_side=8)
    source = whole.layers["refuge"]
    shapes = whole.units.geometry[whole.units["level"] == "town"].to_list()
    rows = source.table.iloc[[0] * len(shapes)].reset_index(drop=True)
    rows.index = [f"WG-{i:04d}" for i in range(len(shapes))]
    grids = rows.set_geometry(shapes, crs=whole.units.crs)
    small = rows.set_geometry([shape.buffer(-80) for shape in shapes], crs=whole.units.crs)
    layers = {
        "grid_duty_area": replace(source, role="grid_duty_area", table=grids),
        "park": replace(source, role="park", table=small),
    }
    drawn = """() => {
      const c = document.querySelector('.leaflet-rm-lines-pane canvas');
      const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      let n = 0;
      for (let i = 3; i < data.length; i += 4) n += data[i] > 0;
      return n / (c.width * c.height); }"""
    path = tmp_path / "onemap.html"
    shares = {}
    for name, layer in layers.items():
        path.write_text(render(replace(whole, layers=whole.layers | {name: layer})), "utf-8")
        with open_page(path) as opened:
            assert opened.js("name => riskmap.state().shown[name]", name)
            shares[name] = opened.js(drawn)
            opened.page.uncheck(f'[data-layer="{name}"]')
            opened.settle()
            opened.settle()
            shares[name] -= opened.js(drawn)
    assert shares["grid_duty_area"] < 0.02
    assert shares["park"] > 0.005

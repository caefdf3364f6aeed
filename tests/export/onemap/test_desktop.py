"""The page in a real browser, on a desktop: every control does what it says."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from riskmap.export.onemap.collect import make_recipe, recompute

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

SURFACE = """() => {
  const c = document.querySelector('.leaflet-rm-surface-pane canvas');
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  const seen = {};
  for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 60) {
    const k = (d[i] >> 4) + ',' + (d[i + 1] >> 4) + ',' + (d[i + 2] >> 4);
    seen[k] = (seen[k] || 0) + 1;
  }
  return seen;
}"""


def _classes(index: Any) -> Any:
    found = index.classes
    return (found.get("RISK", found)).astype(float)


def _pixels(desk: Any) -> dict[str, int]:
    desk.settle()
    desk.settle()
    found: dict[str, int] = desk.js(SURFACE)
    return found


def _state(desk: Any) -> dict[str, Any]:
    found: dict[str, Any] = desk.js("() => riskmap.state()")
    return found


def test_scores_equal_pythons(desk: Any, sample: Any) -> None:
    scores = desk.js("() => riskmap.scores()")
    expected = sample.index["unit"].scores["RISK"]
    assert set(scores) == set(expected.index)
    for unit, score in expected.items():
        assert scores[unit] == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    "weights",
    [{"HAZARD": 0.9}, {"HAZARD": 0.0, "CAPACITY": 1.0}, {"H_FLOOD": 0.1, "H_WATER": 0.9}],
)
def test_moved_weights_give_pythons_scores(
    desk: Any, sample: Any, weights: dict[str, float]
) -> None:
    index = sample.index["unit"]
    expected = recompute(index, make_recipe(index), weights=weights)["RISK"]
    scores = desk.js("weights => riskmap.setWeights(weights)", weights)
    for unit, score in expected.items():
        assert scores[unit] == pytest.approx(score, abs=1e-9), unit
    breaks = [float(index.scores["RISK"][_classes(index) <= c].max()) for c in (1, 2, 3)]
    classes = desk.js("() => riskmap.classes()")
    for unit, score in expected.items():
        assert classes[unit] == 1 + sum(score > b + 1e-9 for b in breaks), unit


def test_cells_are_recomputed_to_a_quantum(desk: Any, sample: Any) -> None:
    index = sample.index["cell"]
    weights = {"HAZARD": 0.7, "EXPOSURE": 0.1}
    desk.js("weights => riskmap.setWeights(weights)", weights)
    desk.settle()
    desk.page.click("#tab-whatif")
    expected = recompute(index, make_recipe(index), weights=weights)["RISK"]
    number = 123
    desk.js("at => riskmap.select({kind: 'cell', at})", number)
    desk.page.wait_for_selector("#panel-detail .facts b")
    shown = desk.page.inner_text("#panel-detail .facts b")
    assert float(shown.split()[-1]) == pytest.approx(expected.iloc[number], abs=6e-4)


def test_contributions_are_those_of_the_run(desk: Any, sample: Any) -> None:
    index = sample.index["unit"]
    for at in (0, 3, 8):
        desk.js("at => riskmap.select({kind: 'unit', at})", at)
        desk.page.wait_for_selector("#panel-detail .why tbody tr", state="attached")
        cells = desk.page.locator("#panel-detail .why tbody tr td:last-child").all_text_contents()
        expected = index.contributions.iloc[at].to_numpy(dtype=float)
        assert [float(c) for c in cells] == pytest.approx(list(expected), abs=6e-4)


def test_switching_the_surface_off_leaves_the_ground(desk: Any) -> None:
    def red(pixels: dict[str, int]) -> int:
        colours = {key: [int(part) for part in key.split(",")] for key in pixels}
        return sum(pixels[key] for key, (r, g, _) in colours.items() if r > 10 and g < 5)

    assert red(_pixels(desk)) > 500
    desk.page.uncheck("[data-layer=surface]")
    ground = _pixels(desk)
    assert red(ground) == 0
    assert ground


def test_a_legend_row_hides_its_class(desk: Any) -> None:
    before = _pixels(desk)
    desk.page.click('[data-class="surface:4"]')
    after = _pixels(desk)
    assert len(after) < len(before) or sum(after.values()) < sum(before.values())
    assert desk.page.get_attribute('[data-class="surface:4"]', "aria-pressed") == "false"
    assert _state(desk)["classOff"] == {"4": True}


def test_legend_counts_add_up(desk: Any, sample: Any) -> None:
    classes = _classes(sample.index["cell"])
    for c in (1, 2, 3, 4):
        title = desk.page.locator(f'[data-class="surface:{c}"] .count').get_attribute("title")
        assert str(int((classes == c).sum())) in title.replace(",", "")
    points = len(sample.layers["flood_point"].table)
    shown = desk.page.locator("label:has([data-layer=flood_point]) .count").inner_text()
    assert shown.endswith(f"{points} 处")


def test_every_resource_is_drawn_from_the_start(desk: Any) -> None:
    state = _state(desk)
    for layer in ("refuge", "rescue_station", "supply_depot"):
        assert state["shown"][layer]
        assert f"{layer}0" not in state["levelOff"]
    ink = """() => { const c = document.querySelector('.leaflet-rm-points-pane canvas');
        return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((v, i) => i % 4 === 3 && v).length; }"""
    desk.page.uncheck("[data-layer=labels]")
    desk.settle()
    before = desk.js(ink)
    desk.page.uncheck("[data-layer=refuge]")
    desk.settle()
    assert desk.js(ink) < before


def test_opacity_fades_the_surface(desk: Any) -> None:
    strong = _pixels(desk)
    desk.js("""() => { const s = document.querySelector('.row:has([data-layer=surface]) .opacity');
        s.value = '0.4'; s.dispatchEvent(new Event('input', {bubbles: true})); }""")
    assert _pixels(desk) != strong
    assert _state(desk)["opacity"]["surface"] == 0.4


def test_ranking_is_ordered_and_filters(desk: Any, sample: Any) -> None:
    towns = sample.units[sample.units["level"] == "town"].index
    order = sample.index["unit"].scores["RISK"][towns].sort_values(ascending=False).index
    rows = desk.page.locator(".rank:not(.worst)")
    assert [rows.nth(i).get_attribute("data-unit") for i in range(rows.count())] == list(order)
    rows.first.click()
    assert _state(desk)["town"] >= 0
    assert desk.page.locator(".rank.on:not(.worst)").count() == 1
    desk.page.locator(".rank.on:not(.worst)").click()
    assert _state(desk)["town"] == -1


def test_units_can_be_shown_by_level(desk: Any) -> None:
    desk.page.select_option("#fill", "unit:2")
    fine = _pixels(desk)
    desk.page.select_option("#fill", "unit:1")
    assert _pixels(desk) != fine
    assert _state(desk)["level"] == 1


def test_a_component_can_be_shown(desk: Any) -> None:
    before = _pixels(desk)
    desk.page.select_option("#view", "HAZARD")
    desk.page.wait_for_function("() => riskmap.state().view === 'HAZARD'")
    assert _pixels(desk) != before


@pytest.mark.parametrize("palette", ["cividis", "pure"])
def test_palettes_recolour(desk: Any, palette: str) -> None:
    before = _pixels(desk)
    desk.page.select_option("#palette", palette)
    assert _pixels(desk) != before


def test_a_click_on_the_map_explains_the_cell(desk: Any) -> None:
    box = desk.page.locator("#map_riskmap").bounding_box()
    desk.page.mouse.click(box["x"] + box["width"] * 0.5 + 31, box["y"] + box["height"] * 0.42)
    desk.page.wait_for_selector("#panel-detail:not([hidden]) .title")
    assert desk.page.locator("#panel-detail .why").count() == 1
    assert desk.page.locator("#panel-detail .nearest").count() >= 1


@pytest.mark.parametrize(
    ("typed", "found"),
    [("泉城", "泉城广场"), ("qcgc", "泉城广场"), ("qfs", "千佛山街道"), ("YL-0003", "He said")],
)
def test_search_by_text_initials_and_number(desk: Any, typed: str, found: str) -> None:
    desk.page.fill("#search", typed)
    assert found in desk.page.inner_text("#search-list")
    desk.page.keyboard.press("ArrowDown")
    assert desk.page.get_attribute("#search", "aria-activedescendant") == "found-0"
    desk.page.keyboard.press("Enter")
    assert _state(desk)["selected"] is not None


def test_search_by_coordinates(desk: Any, sample: Any) -> None:
    spot = sample.units.geometry.iloc[0].centroid
    lon, lat = sample.units.iloc[[0]].geometry.centroid.to_crs(4326).iloc[0].coords[0]
    assert spot is not None
    desk.page.fill("#search", f"{lon:.6f}, {lat:.6f}")
    desk.page.keyboard.press("Enter")
    assert _state(desk)["selected"]["kind"] == "cell"


def test_list_has_every_item_and_is_in_step_with_the_map(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-list")
    assert f"{len(sample.items)} " in desk.page.inner_text("#list-note b")
    desk.page.locator(".list-row").nth(2).click()
    chosen = _state(desk)["selected"]
    assert chosen["kind"] == "item"
    assert desk.page.locator(".list-row.on").count() == 1
    assert _state(desk)["tab"] == "list"


def test_csv_has_a_mark_and_no_formulas(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-list")
    with desk.page.expect_download() as download:
        desk.page.click("#csv")
    raw = Path(download.value.path()).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert len(rows) == len(sample.items) + 1
    for row in rows[1:]:
        for value in row:
            assert value[:1] not in ("=", "@", "+")
            assert value[:1] != "-" or _is_number(value)
    assert any(value.startswith("'=cmd") for row in rows for value in row)


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def test_whatif_counts_saves_and_resets(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-whatif")
    desk.page.wait_for_selector("[data-weight=HAZARD]")
    desk.js("""() => { const s = document.querySelector('[data-weight=HAZARD]');
        s.value = '0.76'; s.dispatchEvent(new Event('input', {bubbles: true})); }""")
    desk.settle()
    desk.settle()
    share = 0.76 / (0.76 + 0.3 + 0.15 + 0.15)
    assert desk.page.inner_text("[data-share=HAZARD]") == f"{share:.0%}"
    with desk.page.expect_download() as download:
        desk.page.click("#save-weights")
    saved = yaml.safe_load(Path(download.value.path()).read_text("utf-8"))["weights"]
    given = sample.index["unit"].meta["weight"].drop("RISK").to_dict()
    assert saved == {**given, "HAZARD": 0.76}
    desk.page.click("#reset")
    assert _state(desk)["weights"] == {}


def test_compare_shows_both_sides(desk: Any) -> None:
    plain = _pixels(desk)
    desk.js("() => riskmap.setWeights({HAZARD: 0.05, VULNERABILITY: 0.9})")
    moved = _pixels(desk)
    desk.page.click("#tool-compare")
    both = _pixels(desk)
    assert both not in (plain, moved)
    desk.page.focus("#swipe")
    desk.page.keyboard.press("ArrowRight")
    assert float(desk.page.get_attribute("#swipe", "aria-valuenow")) == 52
    desk.page.click("#tool-compare")
    assert desk.page.locator("#swipe").count() == 0


def test_measuring_a_known_length(desk: Any) -> None:
    desk.page.click("#tool-measure")
    box = desk.page.locator("#map_riskmap").bounding_box()
    scale = desk.js("""() => { const m = riskmap.map, p = m.containerPointToLatLng([0, 300]);
        return m.distance(m.containerPointToLatLng([200, 300]), m.containerPointToLatLng([400, 300])) + 0 * p.lat; }""")
    for x in (200, 400):
        desk.page.mouse.click(box["x"] + x, box["y"] + 300)
        desk.settle()
    text = desk.page.inner_text("#measure-box b")
    number, unit = text.split()[:2]
    metres = float(number.replace(",", "")) * (1000 if unit == "km" else 1)
    assert metres == pytest.approx(scale, rel=0.01)
    desk.page.keyboard.press("Escape")
    assert desk.page.locator("#measure-box").is_hidden()


def test_the_address_reopens_the_same_state(
    desk: Any, open_page: Callable[..., Any], sample_page: Path
) -> None:
    desk.js("() => riskmap.setWeights({HAZARD: 0.8})")
    desk.page.select_option("#palette", "cividis")
    desk.page.uncheck("[data-layer=refuge]")
    desk.page.click('[data-class="surface:1"]')
    desk.js("() => { riskmap.select({kind: 'unit', at: 2, go: true}); riskmap.setLanguage('en'); }")
    desk.page.wait_for_function(
        "() => location.hash.includes('weights') && location.hash.includes('lang=en') && location.hash.includes('at=unit')"
    )
    state = _state(desk)
    address = desk.js("() => location.hash.slice(1)")
    with open_page(sample_page, address=address) as again:
        found = again.js("() => riskmap.state()")
        for key in ("lang", "palette", "weights", "classOff", "shown", "selected", "tab", "town"):
            assert found[key] == state[key], key
        assert again.js("() => riskmap.map.getZoom()") == pytest.approx(
            desk.js("() => riskmap.map.getZoom()"), abs=0.06
        )


@pytest.mark.parametrize(
    ("do", "part"),
    [
        ("p.click('#tab-list')", "tab"),
        ("p.click('#tool-lang')", "lang"),
        ("p.uncheck('[data-layer=road]')", "shown"),
        ("p.select_option('#fill', 'grid')", "surface"),
        ("p.fill('.row:has([data-layer=surface]) .opacity', '0.5')", "opacity"),
        ("p.click('[data-class=\"surface:3\"]')", "classOff"),
        ("p.click('[data-class=\"flood_point:2\"]')", "levelOff"),
        ("p.select_option('#palette', 'pure')", "palette"),
        ("p.select_option('#view', 'EXPOSURE')", "view"),
        ("p.select_option('#fill', 'unit:1')", "level"),
        ("p.click('#tab-list'); p.select_option('#list-what', 'refuge')", "list"),
        ("p.click('#tab-list'); p.fill('.list-tools input', '街')", "list"),
        ("p.click('.rank:not(.worst) >> nth=1')", "town"),
        ("p.select_option('#filter', 'open')", "filter"),
        ("p.evaluate('() => riskmap.setWeights({HAZARD: 0.8})'); p.click('#tool-compare')", "compare"),
        ("p.click('#tab-whatif'); p.fill('[data-weight=HAZARD]', '0.8')", "weights"),
        ("p.evaluate(\"() => riskmap.select({kind: 'cell', at: 77})\")", "selected"),
        ("p.evaluate(\"() => riskmap.select({kind: 'item', layer: 'refuge', at: 2})\")", "selected"),
    ],
)  # fmt: skip
def test_the_address_holds_each_part_of_the_state(
    desk: Any, sample_page: Path, do: str, part: str
) -> None:
    start = _state(desk)
    p = desk.page
    for step in do.split("; "):
        exec(step, {"p": p})
    desk.settle()
    state = _state(desk)
    assert state[part] != start[part]
    p.evaluate("() => riskmap.map.setZoom(riskmap.map.getZoom() + 0.5, {animate: false})")
    p.click("#tool-link")
    address = p.evaluate("() => location.hash")
    assert address != start["hash"]
    view = p.evaluate("() => [riskmap.map.getZoom(), riskmap.map.getCenter().lng]")
    p.goto("about:blank")
    p.goto(sample_page.as_uri() + address)
    p.wait_for_selector("html[data-settled]", state="attached", timeout=60_000)
    again = _state(desk)
    for key in set(state) - {"hash", "split"}:
        assert again[key] == state[key], key
    found = p.evaluate("() => [riskmap.map.getZoom(), riskmap.map.getCenter().lng]")
    assert found == pytest.approx(view, abs=0.02)


def test_a_spoilt_address_is_passed_over(open_page: Callable[..., Any], sample_page: Path) -> None:
    address = (
        "map=x/y&tab=zzz&weights=NO~1,HAZARD~-3&at=unit/none&town=..&classes=9&level=77&view=Q"
    )
    with open_page(sample_page, address=address) as opened:
        state = opened.js("() => riskmap.state()")
        assert state["weights"] == {}
        assert state["tab"] == "overview"


def test_png_is_a_sheet_with_everything(desk: Any) -> None:
    with desk.page.expect_download() as download:
        desk.page.click("#tool-png")
    raw = Path(download.value.path()).read_bytes()
    assert raw.startswith(b"\x89PNG")
    wide = int.from_bytes(raw[16:20], "big")
    assert wide > 1500


def test_print_fills_the_paper(desk: Any) -> None:
    desk.js("() => window.dispatchEvent(new Event('beforeprint'))")
    assert desk.page.locator("#paper canvas").count() == 1
    desk.js("() => window.dispatchEvent(new Event('afterprint'))")
    assert desk.page.locator("#paper canvas").count() == 0


def test_language_changes_everything_at_once(desk: Any) -> None:
    assert desk.page.inner_text("#tab-overview") == "概览"
    desk.page.click("#tool-lang")
    assert desk.page.inner_text("#tab-overview") == "Overview"
    assert desk.page.get_attribute("html", "lang") == "en"
    assert "Layers" in desk.page.inner_text("#left h2")


def test_help_opens_and_closes(desk: Any) -> None:
    desk.page.click("#tool-help")
    assert desk.page.locator("dialog[open]").count() == 1
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_selector("dialog", state="detached")


def test_tabs_by_arrow_keys(desk: Any) -> None:
    desk.page.focus("#tab-overview")
    desk.page.keyboard.press("ArrowRight")
    assert desk.page.get_attribute("#tab-list", "aria-selected") == "true"
    desk.page.keyboard.press("End")
    assert desk.page.get_attribute("#tab-detail", "aria-selected") == "true"


def test_big_screen_and_back(desk: Any) -> None:
    desk.page.click("#tool-screen")
    assert desk.js("() => document.body.classList.contains('big')")
    desk.page.click("#tool-screen")
    assert not desk.js("() => document.body.classList.contains('big')")


WALLS = [(3840, 2160), (5760, 1080), (1920, 1080), (1280, 720)]


@pytest.mark.parametrize("wall", WALLS)
def test_on_a_big_screen_a_click_opens_what_stands_there_and_the_scale_bar_is_true(
    open_page: Callable[..., Any], sample_page: Path, sample: Any, wall: tuple[int, int]
) -> None:
    points = sample.layers["flood_point"].table.geometry.to_crs(4326)
    with open_page(sample_page) as opened:
        opened.page.set_viewport_size({"width": wall[0], "height": wall[1]})
        opened.page.click("#tool-screen")
        opened.settle()
        box = opened.page.locator("#map_riskmap").bounding_box()
        seen = opened.js("() => { const s = riskmap.map.getSize(); return [s.x, s.y]; }")
        assert seen == pytest.approx([box["width"], box["height"]], abs=1)  # the map is not zoomed
        for at in (0, 5, 9):
            opened.js(
                "at => riskmap.select({kind: 'item', layer: 'flood_point', at, go: true})", at
            )
            opened.js("() => riskmap.map.panBy([190, -110], {animate: false})")
            opened.js("() => riskmap.select({kind: 'unit', at: 1})")
            opened.settle()
            spot = opened.js(
                "at => { const p = riskmap.map.latLngToContainerPoint(at); return [p.x, p.y]; }",
                [points.iloc[at].y, points.iloc[at].x],
            )
            opened.page.mouse.click(box["x"] + spot[0], box["y"] + spot[1])
            chosen = opened.js("() => riskmap.state().selected")
            assert (chosen["kind"], chosen.get("layer"), chosen["at"]) == (
                "item",
                "flood_point",
                at,
            )
        number, unit = opened.page.inner_text("#scale").split()
        metres = opened.js(
            """() => { const m = riskmap.map, s = m.getSize(), y = s.y / 2, x = s.x / 2;
            const big = Number(document.body.style.getPropertyValue('--big'));
            const w = parseFloat(document.querySelector('#scale i').style.width) * big;
            return m.distance(m.containerPointToLatLng([x - w / 2, y]), m.containerPointToLatLng([x + w / 2, y])); }"""
        )
        assert metres == pytest.approx(float(number) * (1000 if unit == "km" else 1), rel=0.02)


@pytest.mark.parametrize("big", [False, True])
def test_paper_is_one_sheet_of_a4_lying(
    open_page: Callable[..., Any], sample_page: Path, big: bool
) -> None:
    with open_page(sample_page) as opened:
        opened.page.set_viewport_size({"width": 3840, "height": 2160})
        if big:
            opened.page.click("#tool-screen")
            opened.settle()
        paper = opened.page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", paper)) == 1
        wide, high = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper).groups())  # type: ignore[union-attr]
        assert (wide / 72 * 25.4, high / 72 * 25.4) == pytest.approx((297, 210), abs=0.5)


def test_what_the_office_must_see_is_said(desk: Any, sample: Any) -> None:
    assert "未经审图，不得公开" in desk.page.inner_text("#review")
    assert "示范数据" in desk.page.inner_text("#banner")
    desk.page.click("#open-about")
    about = desk.page.text_content(".about")
    assert "[object" not in about
    assert '{"' not in about
    assert sample.facts.data_date in about
    assert sample.presets[0].zh in about
    assert "未核实" in about
    assert "screening estimate" in about

"""Accessibility by axe-core, on every tab in both languages; the phone; hostile names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from riskmap.export.onemap.page import render
from tests.sample import HOSTILE_NAMES, sample_result

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser
TABS = ("overview", "list", "whatif", "detail")


AXE = Path(__file__).parents[2] / "data" / "axe" / "axe.min.js"
"""axe-core 4.14.1, kept with the tests so that no package decides what is found."""


def _violations(opened: Any) -> list[str]:
    """Run axe-core in the page, experimental rules too, and name what it finds."""
    if not opened.js("() => !!window.axe"):
        opened.js(AXE.read_text("utf-8") + "; null")
    found = opened.js("""() => axe.run(document, {resultTypes: ['violations'],
        rules: {'label-content-name-mismatch': {enabled: true}, 'css-orientation-lock': {enabled: true},
                'focus-order-semantics': {enabled: true}, 'hidden-content': {enabled: false}}})""")
    return [
        f"{v['id']}: {node['html'][:160]}" for v in found["violations"] for node in v["nodes"][:3]
    ]


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_axe_finds_nothing_on_any_tab_in_both_languages(
    open_page: Callable[..., Any], sample_page: Path, size: str
) -> None:
    with open_page(sample_page, size=size) as opened:
        for lang in ("zh", "en"):
            opened.js("lang => riskmap.setLanguage(lang)", lang)
            opened.js("() => riskmap.select({kind: 'unit', at: 1})")
            for tab in TABS:
                opened.js("tab => riskmap.openTab(tab)", tab)
                opened.settle()
                assert _violations(opened) == [], (lang, tab)
        opened.js("() => riskmap.select({kind: 'item', layer: 'flood_point', at: 1})")
        opened.page.click("#tool-more" if size == "phone" else "#tool-help")
        opened.settle()
        assert _violations(opened) == []


def test_the_phone_has_every_tool_in_a_menu(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page, size="phone") as opened:
        page = opened.page
        assert page.locator("#tool-measure").is_hidden()
        page.tap("#tool-more")
        assert page.get_attribute("#tool-more", "aria-expanded") == "true"
        for name in ("measure", "png", "print", "link", "screen", "help"):
            box = page.locator(f"#tool-{name}").bounding_box()
            assert box["height"] >= 44
            assert box["x"] + box["width"] <= 390
            assert page.inner_text(f"#tool-{name}").strip()
        page.keyboard.press("Escape")
        assert page.locator("#tool-measure").is_hidden()
        page.tap("#tool-more")
        page.tap("#tool-measure")
        assert page.locator("#measure-box").is_visible()
        assert page.locator("#more").is_hidden()
        page.tap("#measure-box button:last-child")
        page.tap("#tool-more")
        with page.expect_download():
            page.tap("#tool-png")
        page.tap("#tool-more")
        page.tap("#tool-help")
        assert page.locator("dialog[open]").count() == 1


def test_the_sheet_has_three_heights(open_page: Callable[..., Any], sample_page: Path) -> None:
    with open_page(sample_page, size="phone") as opened:
        work = opened.page.locator("#work").bounding_box()["height"]
        shares = []
        for _ in range(3):
            opened.settle()
            shares.append(opened.page.locator("#right").bounding_box()["height"] / work)
            opened.page.tap("#grip")
        assert sorted(shares)[1:] == pytest.approx([0.34, 0.74], abs=0.01)


def test_the_phone_is_usable_by_touch(open_page: Callable[..., Any], sample_page: Path) -> None:
    with open_page(sample_page, size="phone") as opened:
        page = opened.page
        assert opened.js("() => document.documentElement.scrollWidth") <= 390
        title = page.locator("#top h1").bounding_box()
        search = page.locator("#search").bounding_box()
        assert search["y"] >= title["y"] + title["height"] - 2
        small = opened.js("""() => [...document.querySelectorAll('#top button, #tabs button, .zoom button, #search, .rank')]
            .filter(b => b.offsetParent).map(b => [b.className || b.id, b.getBoundingClientRect()])
            .filter(([, r]) => r.height < 44 || r.width < 44).map(([n, r]) => n + ' ' + r.width + 'x' + r.height)""")
        assert small == []
        half = page.locator("#right").bounding_box()["height"]
        page.tap("#grip")
        opened.settle()
        assert page.locator("#right").bounding_box()["height"] > half
        page.tap("#tool-layers")
        assert page.locator("#left").is_visible()
        opened.unfold()
        page.locator("label:has([data-layer=refuge])").tap()
        assert opened.js("() => riskmap.state().shown.refuge") is False
        page.locator("#left .panel-head button").tap()
        assert page.locator("#left").is_hidden()
        page.tap("#tab-list")
        page.locator(".list-row").first.tap()
        assert opened.js("() => riskmap.state().selected.kind") == "item"
        opened.js("() => riskmap.openTab('detail')")
        assert _violations(opened) == []


MORE_HOSTILE = (
    "<svg/onload=alert(3)>",
    "javascript:alert(4)",
    "${alert(5)} {{7*7}}",
    "\u202e\u2066abc\u2069反向",
    "\u200b零宽\u200d名\ufeff称",
    "👩‍🚒🏳️‍🌈🚒🌊" * 12,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
    "<!--<script>",
    "&lt;b&gt;不是标签&lt;/b&gt; &#x41;",
    "𠮷野家\\u0022';--\\",
)


def test_twenty_hostile_names_are_shown_as_text(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    whole = sample_result(n_side=8, n_points=40)
    names = (*HOSTILE_NAMES, *MORE_HOSTILE)
    layer = whole.layers["flood_point"]
    table = layer.table.assign(name=[*names, *layer.table["name"].iloc[len(names) :]])
    units = whole.units.assign(name=[*names[: len(whole.units)]])
    changed = replace(
        whole, units=units, layers={**whole.layers, "flood_point": replace(layer, table=table)}
    )
    path = tmp_path / "hostile.html"
    path.write_text(render(changed), encoding="utf-8")
    before = "window.alert = () => { throw new Error('a name ran as code'); };"
    shown = "name => document.querySelector('#panel-detail .title')?.textContent === name"
    with open_page(path, before=before) as opened:
        for at, name in enumerate(names):
            chosen = {"kind": "item", "layer": "flood_point", "at": at, "go": True}
            opened.js("chosen => riskmap.select(chosen)", chosen)
            opened.page.wait_for_function(shown, arg=name)
        for at in range(len(units)):
            opened.js("at => riskmap.select({kind: 'unit', at, go: true})", at)
            opened.page.wait_for_function(shown, arg=names[at])
        for tab in ("overview", "list"):
            opened.js("tab => riskmap.openTab(tab)", tab)
            opened.settle()
        inside = (
            "main script, aside script, aside img, aside b > b, aside svg[onload], header script"
        )
        assert opened.js("what => document.querySelectorAll(what).length", inside) == 0
        assert opened.js("() => document.documentElement.scrollWidth") <= 1440
        opened.page.fill("#search", "<s")
        assert "<script>alert(1)</script>" in opened.page.inner_text("#search-list")
        with opened.page.expect_download():
            opened.page.click("#tool-png")


def test_a_browser_without_decompression_stream(
    open_page: Callable[..., Any], sample_page: Path, sample: Any
) -> None:
    with open_page(sample_page, before="delete window.DecompressionStream;") as opened:
        assert opened.js("() => typeof DecompressionStream") == "undefined"
        scores = opened.js("() => riskmap.setWeights({})")
        for unit, score in sample.index["unit"].scores["RISK"].items():
            assert scores[unit] == pytest.approx(score, abs=1e-12)
        opened.js("() => riskmap.select({kind: 'cell', at: 7})")
        opened.page.wait_for_selector("#panel-detail .why")

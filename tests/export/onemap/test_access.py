"""Accessibility by axe-core, on every tab in both languages; the phone; hostile names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sample import HOSTILE_NAMES

pytestmark = pytest.mark.browser
TABS = ("overview", "list", "whatif", "detail")


def _violations(opened: Any) -> list[str]:
    """Run axe-core in the page and name what it finds."""
    import axe_playwright_python

    source = Path(axe_playwright_python.__file__).parent / "axe.min.js"
    if not opened.js("() => !!window.axe"):
        opened.js(source.read_text("utf-8") + "; null")
    found = opened.js("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {node['html'][:160]}" for v in found["violations"] for node in v["nodes"][:3]
    ]


def test_axe_finds_nothing_on_any_tab_in_both_languages(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page) as opened:
        for lang in ("zh", "en"):
            opened.js("lang => riskmap.setLanguage(lang)", lang)
            opened.js("() => riskmap.select({kind: 'unit', at: 1})")
            for tab in TABS:
                opened.js("tab => riskmap.openTab(tab)", tab)
                opened.settle()
                assert _violations(opened) == [], (lang, tab)


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
        page.wait_for_timeout(50)
        assert page.locator("#right").bounding_box()["height"] > half
        page.tap("#tool-layers")
        assert page.locator("#left").is_visible()
        page.locator("label:has([data-layer=refuge])").tap()
        assert opened.js("() => riskmap.state().shown.refuge") is False
        page.locator("#left .panel-head button").tap()
        assert page.locator("#left").is_hidden()
        page.tap("#tab-list")
        page.locator(".list-row").first.tap()
        assert opened.js("() => riskmap.state().selected.kind") == "item"
        opened.js("() => riskmap.openTab('detail')")
        assert _violations(opened) == []


def test_hostile_names_are_shown_as_text(
    open_page: Callable[..., Any], sample_page: Path, sample: Any
) -> None:
    table = sample.layers["flood_point"].table
    before = "window.alert = () => { throw new Error('a name ran as code'); };"
    with open_page(sample_page, before=before) as opened:
        for name in HOSTILE_NAMES:
            at = list(table["name"]).index(name) if name in set(table["name"]) else -1
            assert at >= 0, name
            opened.js(
                "at => riskmap.select({kind: 'item', layer: 'flood_point', at, go: true})", at
            )
            opened.page.wait_for_function(
                "name => document.querySelector('#panel-detail .title')?.textContent === name",
                arg=name,
            )
        opened.js("() => riskmap.openTab('list')")
        opened.settle()
        assert (
            opened.js(
                "() => document.querySelectorAll('main script, aside script, aside img').length"
            )
            == 0
        )
        opened.page.fill("#search", "<b>")
        assert "<b>大明湖</b>街道" in opened.page.inner_text("#search-list")


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

"""Every control of the page by keyboard alone and by touch: all are found in the page, none is named here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser
TABS = ("overview", "list", "whatif", "detail")

SEEN = """() => {
  window.visibleControls = () => [...document.querySelectorAll(
      'button, input, select, summary, a[href], [tabindex], [role=slider]')].filter(e =>
    e.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}) && !e.disabled
    && !e.closest('[aria-hidden=true]') && e.getClientRects().length);
  window.focused = new Set();
  document.addEventListener('focusin', e => window.focused.add(e.target));
  window.clicks = [];
}"""
QUIET = """() => window.addEventListener('click', e => {
    window.clicks.push(e.target.closest('button, summary, a, input')); e.stopImmediatePropagation(); e.preventDefault(); }, true)"""
ROVING = "[role=tab], [role=radio], .list-row"


def _prepare(opened: Any, *, quiet: bool) -> None:
    opened.js(SEEN)
    opened.js("() => riskmap.select({kind: 'unit', at: 1})")
    if quiet:
        opened.js(QUIET)


def _open(opened: Any, tab: str) -> None:
    opened.js("tab => riskmap.openTab(tab)", tab)
    opened.settle()
    opened.settle()


@pytest.mark.parametrize("tab", TABS)
def test_tab_reaches_every_control(desk: Any, tab: str) -> None:
    _prepare(desk, quiet=False)
    _open(desk, tab)
    desk.js("() => document.activeElement.blur()")
    for _ in range(desk.js("() => visibleControls().length") + 3):
        desk.page.keyboard.press("Tab")
    missed = desk.js(
        "roving => visibleControls().filter(e => !focused.has(e) && !e.matches(roving)).map(e => e.outerHTML.slice(0, 150))",
        ROVING,
    )
    assert missed == []


@pytest.mark.parametrize(
    ("group", "tab", "key"),
    [("[role=tab]", "overview", "ArrowRight"), (".list-row", "list", "ArrowDown")],
)
def test_arrows_reach_the_rest(desk: Any, group: str, tab: str, key: str) -> None:
    _prepare(desk, quiet=False)
    _open(desk, tab)
    n = desk.page.locator(group).count()
    assert n > 3
    desk.page.locator(f"{group}[tabindex='0']").focus()
    for _ in range(n):
        desk.page.keyboard.press(key)
        assert desk.js("group => document.activeElement.matches(group)", group)
    reached = desk.js("group => new Set([...focused].filter(e => e.matches(group)).map(e => e.id || e.dataset.row)).size", group)  # fmt: skip
    assert reached >= n


def test_the_end_of_a_long_list_is_reached_and_chosen_by_keys(desk: Any, sample: Any) -> None:
    _open(desk, "list")
    desk.page.locator(".list-row[tabindex='0']").focus()
    desk.page.keyboard.press("End")
    desk.settle()
    last = len(sample.items) - 1
    assert desk.js("() => Number(document.activeElement.dataset.row)") == last
    desk.page.keyboard.press("Enter")
    assert desk.js("() => riskmap.state().selected.kind") == "item"
    assert desk.js("() => Number(document.activeElement.dataset.row)") == last
    desk.page.keyboard.press("PageUp")
    desk.page.keyboard.press("Home")
    assert desk.js("() => Number(document.activeElement.dataset.row)") == 0


@pytest.mark.parametrize("tab", TABS)
def test_enter_and_space_do_what_a_click_does(desk: Any, tab: str) -> None:
    _prepare(desk, quiet=True)
    _open(desk, tab)
    part = "" if tab == "overview" else f"#panel-{tab} "
    controls = desk.page.evaluate_handle(
        f"() => visibleControls().filter(e => e.matches('button, summary, a[href], input[type=checkbox]') && !(e.dataset.row > 2) && (!'{part}' || e.closest('{part}')))"
    )
    n = desk.js("all => all.length", controls)
    assert n >= 3
    for i in range(min(n, 60)):
        keys = desk.js(
            """([all, i]) => { clicks.length = 0; all[i].focus();
                return all[i].matches('a') ? ['Enter'] : all[i].type === 'checkbox' ? ['Space'] : ['Enter', 'Space']; }""",
            [controls, i],
        )
        for key in keys:
            desk.page.keyboard.press(key)
        assert desk.js("([all, i]) => clicks.length > 0 && clicks.every(c => c === all[i]) && clicks.length", [controls, i]) == len(keys), desk.js("([all, i]) => all[i].outerHTML.slice(0, 200)", [controls, i])  # fmt: skip


def test_sliders_and_choices_move_by_arrows(desk: Any) -> None:
    _prepare(desk, quiet=False)
    for tab in TABS:
        _open(desk, tab)
        ranges = desk.page.evaluate_handle(
            "() => visibleControls().filter(e => e.type === 'range' || e.matches('select'))"
        )
        for i in range(desk.js("all => all.length", ranges)):
            before, low = desk.js("([all, i]) => { if (!all[i].isConnected) return [null, null]; all[i].focus(); return [all[i].value, all[i].tagName === 'SELECT' && all[i].selectedIndex === 0 || all[i].type === 'range' && all[i].value === all[i].min]; }", [ranges, i])  # fmt: skip
            if before is None:  # a choice before it drew the panel again
                continue
            desk.page.keyboard.press("ArrowDown" if low and desk.js("([all, i]) => all[i].tagName === 'SELECT'", [ranges, i]) else "ArrowUp" if low else "ArrowLeft")  # fmt: skip
            after = desk.js("([all, i]) => all[i].value", [ranges, i])
            assert after != before


def test_every_control_has_a_name(desk: Any) -> None:
    session = desk.page.context.new_cdp_session(desk.page)
    _prepare(desk, quiet=False)
    for lang in ("zh", "en"):
        desk.js("lang => riskmap.setLanguage(lang)", lang)
        for tab in TABS:
            _open(desk, tab)
            nodes = session.send("Accessibility.getFullAXTree")["nodes"]
            bare = [
                (node["role"]["value"], node.get("backendDOMNodeId"))
                for node in nodes
                if not node["ignored"]
                and any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
                and node["role"]["value"] not in ("RootWebArea", "MenuListPopup", "option", "MenuListOption")
                and not node.get("name", {}).get("value", "").strip()
            ]  # fmt: skip
            assert bare == [], (lang, tab)


def test_enter_on_the_map_explains_its_middle(desk: Any) -> None:
    desk.page.focus("#map_riskmap")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("#panel-detail .why")
    before = desk.page.inner_text("#panel-detail .title")
    for _ in range(2):
        desk.page.keyboard.press("ArrowRight")
    desk.settle()
    desk.page.keyboard.press("+")
    desk.settle()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_function(
        "was => document.querySelector('#panel-detail .title').textContent !== was", arg=before
    )


def test_every_control_can_be_tapped_on_a_phone(
    open_page: Callable[..., Any], sample_page: Path
) -> None:
    with open_page(sample_page, size="phone") as opened:
        _prepare(opened, quiet=True)
        for tab in TABS:
            opened.js("() => { document.body.dataset.sheet = 'tall'; }")
            _open(opened, tab)
            _tap_all(opened, f"#panel-{tab}")
        _tap_all(opened, "#right #tabs")
        opened.js("() => { document.body.dataset.sheet = 'low'; }")
        opened.settle()
        _tap_all(opened, "#furniture")
        _tap_all(opened, "#top")
        opened.js("() => document.body.classList.add('more-open')")
        assert _tap_all(opened, "#more") == 7
        opened.js("() => { document.body.classList.remove('more-open'); document.body.classList.add('left-open'); }")  # fmt: skip
        opened.unfold()
        assert _tap_all(opened, "#left", most=25) == 25


def _tap_all(opened: Any, part: str, *, most: int = 14) -> int:
    """Tap the middle of each control: it must be on top there, 44 pixels high, and hear the tap."""
    controls = opened.page.evaluate_handle(
        f"() => visibleControls().filter(e => e.closest('{part}') && e.matches('button, summary, a[href], input:not([type=range])') && !(e.dataset.row > 2))"
    )
    n = min(most, opened.js("all => all.length", controls))
    assert n > 0, part
    for i in range(n):
        spot = opened.js(
            """([all, i]) => { const e = all[i], box = e.closest('label') || e; clicks.length = 0;
              box.scrollIntoView({block: 'nearest'});
              const r = box.getBoundingClientRect(), x = r.x + Math.min(r.width, 340) / 2, y = r.y + r.height / 2;
              const top = document.elementFromPoint(x, y);
              return {x, y, small: r.height < 43.5 && !e.matches('.card-note .link'), top: !!top && (box.contains(top) || top.contains(box)), html: e.outerHTML.slice(0, 150)}; }""",
            [controls, i],
        )
        assert not spot["small"], spot["html"]
        assert spot["top"], spot["html"]
        opened.page.touchscreen.tap(spot["x"], spot["y"])
        heard = opened.js(
            "([all, i]) => clicks.includes(all[i]) || document.activeElement === all[i] || clicks.length", [controls, i]
        )  # fmt: skip
        assert heard, spot["html"]
    return n

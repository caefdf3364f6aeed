"""The live map: an earlier result beside this one, and the register's events by their dates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from riskmap.export.onemap.page import render
from riskmap.export.workbook.tables import scored
from riskmap.register import events
from riskmap.register.diff import since

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser
YEAR = "2025-04-15"
SURFACE = """() => { const c = document.querySelector('.leaflet-rm-surface-pane canvas');
    return c.toDataURL(); }"""


@pytest.fixture(scope="module")
def live(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A page whose first village was one class lower last year, with an item more and one less."""
    whole = sample.units.join(scored(sample.index["unit"])[["score", "class"]])
    now = {
        "units": whole.rename_axis("unit_id").reset_index(),
        "unit_indicators": sample.indicators.units.rename_axis("unit_id").reset_index(),
        "items": sample.items.rename_axis("item_id").reset_index(),
    }
    old = {name: table.copy() for name, table in now.items()}
    villages = old["units"].index[old["units"]["level"] == "village"]
    known = [i for i in villages if old["units"].loc[i, "class"] >= 2][:2]
    then = dict.fromkeys(old["units"].loc[known, "unit_id"], 0)
    for code in then:
        row = old["units"]["unit_id"] == code
        then[code] = int(old["units"].loc[row, "class"].item()) - 1
        old["units"].loc[row, "class"] = then[code]
        old["units"].loc[row, "score"] -= 0.1
    gone = old["items"].iloc[[0]].assign(item_id="WX-9999", name="旧条目")
    old["items"] = pd.concat([old["items"].iloc[2:], gone])
    old["items"].iloc[0, old["items"].columns.get_loc("lat")] += 0.001
    first = sample.items.iloc[0]
    steps = pd.DataFrame(
        [("A", first["name"], first["lon"], first["lat"], on, state, events.STATES[state])
         for on, state in (("2026-04-01", "found"), ("2026-04-03", "mending"), ("2026-04-20", "closed"))],
        columns=["item_id", "name", "x", "y", "on", "state", "word"],
    )  # fmt: skip
    result = replace(sample, earlier=since(old, now, name=YEAR, same_scale=False), steps=steps)
    path = tmp_path_factory.mktemp("live") / "onemap.html"
    path.write_text(render(result), encoding="utf-8")
    return path, then


def test_an_earlier_year_is_compared_on_the_same_map(
    open_page: Callable[..., Any], live: tuple[Path, dict[str, int]], sample: Any
) -> None:
    path, then = live
    words = ["未知", "低", "一般", "较大", "重大"]
    with open_page(path) as opened:
        opened.page.select_option("#fill", "unit:2")
        told = opened.page.inner_text("#since")
        assert f"与 {YEAR} 相比" in told
        assert f"8 个社区（村）中有 {len(then)} 个等级变化" in told
        for code, was in then.items():
            name = sample.units.loc[code, "name"]
            assert name in told
            assert f"{words[was]} → {words[was + 1]}" in told
        assert "新增 2" in told
        assert "不再列入 1" in told
        assert "移位 1" in told
        assert "界值不同" in told
        plain = opened.js(SURFACE)
        opened.page.click("#tool-compare")
        opened.settle()
        opened.settle()
        assert opened.page.inner_text("#swipe .before") == YEAR
        assert opened.page.inner_text("#swipe .now") == sample.facts.data_date
        opened.page.focus("#swipe")
        opened.page.keyboard.press("End")
        opened.settle()
        opened.settle()
        assert opened.js(SURFACE) != plain
        opened.js("() => riskmap.setWeights({HAZARD: 0.9})")
        opened.settle()
        assert opened.page.inner_text("#swipe .before") == "基准"
        assert opened.page.locator("#since").count() == 0


def test_a_unit_says_what_it_was(
    open_page: Callable[..., Any], live: tuple[Path, dict[str, int]], sample: Any
) -> None:
    path, then = live
    with open_page(path) as opened:
        code = next(iter(then))
        at = list(sample.units.index).index(code)
        opened.js("at => riskmap.select({kind: 'unit', at})", at)
        opened.page.wait_for_selector(".before")
        told = opened.page.inner_text(".before")
        assert f"{YEAR} 时" in told
        assert "▲ 0.100" in told


def test_what_changed_stands_in_layers_of_its_own(
    open_page: Callable[..., Any], live: tuple[Path, dict[str, int]]
) -> None:
    with open_page(live[0]) as opened:
        for layer in ("earlier/units", "earlier/items"):
            opened.page.check(f'[data-layer="plan:{layer}"]')
        opened.settle()
        assert "等级变化的单元" in opened.page.inner_text("#left")
        assert opened.page.locator("#time").is_hidden()


def test_the_slider_goes_by_the_registers_dates(
    open_page: Callable[..., Any], live: tuple[Path, dict[str, int]]
) -> None:
    with open_page(live[0]) as opened:
        opened.page.check('[data-layer="plan:register/events"]')
        opened.settle()
        assert opened.page.inner_text("#time-now") == "2026-04-20"
        opened.page.focus("#time-range")
        opened.page.keyboard.press("Home")
        assert opened.page.inner_text("#time-now") == "2026-04-01"
        opened.page.keyboard.press("ArrowRight")
        assert opened.page.inner_text("#time-now") == "2026-04-03"
        opened.page.wait_for_function("() => location.hash.includes('time=2880')")
        address = opened.js("() => location.hash.slice(1)")
    with open_page(live[0], address=address) as opened:
        assert opened.page.inner_text("#time-now") == "2026-04-03"
        opened.page.uncheck('[data-layer="plan:register/events"]')
        opened.settle()
        assert opened.page.locator("#time").is_hidden()


def test_steps_are_the_dated_states_of_items_that_moved_on(tmp_path: Path) -> None:
    """A was found, then mended; B has only been listed, so it has no way to show."""
    with events.open_register(tmp_path / "a.sqlite", write=True) as base:
        about = {"role": "flood_point", "name": "甲", "x": 117.0, "y": 36.0, "state": "found"}
        listed = [
            events.Event(item_id=key, kind="listed", changes=about, on="2026-04-01") for key in "AB"
        ]
        moved = events.Event(
            item_id="A", kind="state", changes={"state": "mending"}, on="2026-04-09"
        )
        events.append(base, [*listed, moved])
        found = events.steps(base)
    assert found[["item_id", "on", "state"]].to_numpy().tolist() == [
        ["A", "2026-04-01", "found"], ["A", "2026-04-09", "mending"],
    ]  # fmt: skip
    assert found["x"].tolist() == [117.0, 117.0]

"""Parts of the page that must stay in step: keyboard, address, map, list, tree, swipe, search."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from riskmap.export.onemap import page
from riskmap.export.onemap.page import messages, render
from riskmap.indicators.table import load_table
from riskmap.vocabulary.roles import load_roles

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser


def _state(opened: Any) -> Any:
    return opened.js("() => riskmap.state()")


def _rows(opened: Any) -> list[dict[str, str]]:
    with opened.page.expect_download() as download:
        opened.page.click("#csv")
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(set(rows[0])) == len(rows[0])
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize(
    ("tab", "control", "key"),
    [
        ("overview", ".rank[data-unit]", "Enter"),
        ("overview", "#tool-lang", "Enter"),
        ("overview", "#palette", "ArrowDown"),
        ("overview", "#view", "ArrowDown"),
        ("list", "#list-head [data-sort=level]", "Enter"),
        ("whatif", "#reset", "Enter"),
    ],
)
def test_the_keyboard_keeps_its_place(desk: Any, tab: str, control: str, key: str) -> None:
    desk.page.click(f"#tab-{tab}")
    desk.page.locator(control).first.focus()
    held = "() => { const a = document.activeElement; return a.id || a.dataset.unit || a.dataset.sort || a.tagName; }"
    before = desk.js(held)
    desk.page.keyboard.press(key)
    desk.settle()
    desk.settle()
    assert desk.js(held) == before != "BODY"


def test_details_that_lead_on_keep_the_keyboard_in_the_panel(desk: Any) -> None:
    desk.js("() => riskmap.select({kind: 'cell', at: 40})")
    desk.page.wait_for_selector("#panel-detail .facts .link")
    desk.page.locator("#panel-detail .facts .link").first.focus()
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_function("() => riskmap.state().selected.kind === 'unit'")
    desk.page.wait_for_function("() => document.activeElement.id === 'panel-detail'")


def test_a_link_put_into_the_address_opens_that_picture(desk: Any) -> None:
    desk.js("() => { window.old = true; location.hash = '#tab=list&lang=en&palette=cividis'; }")
    desk.page.wait_for_function("() => !window.old && document.documentElement.dataset.ready")
    state = _state(desk)
    assert (state["tab"], state["lang"], state["palette"]) == ("list", "en", "cividis")


@pytest.mark.parametrize(
    "address", ["level=0.5", "level=1e0", "at=cell/1.5", "at=cell/", "at=cell/-1"]
)
def test_numbers_that_are_none_are_passed_over(
    open_page: Callable[..., Any], sample_page: Path, address: str
) -> None:
    with open_page(sample_page, address=address) as opened:
        state = _state(opened)
        assert state["level"] == 2
        assert state["selected"] is None


WAYS = [
    "{lon:.6f}, {lat:.6f}",
    "{lat:.6f}, {lon:.6f}",
    "{lon:.6f}，{lat:.6f}",
    "{lon:.6f} {lat:.6f}",
    "{lon:.6f}E {lat:.6f}N",
    "N{lat:.6f}, E{lon:.6f}",
    "东经{lon:.6f}°，北纬{lat:.6f}°",
    "{lon_d}°{lon_m}′{lon_s:.2f}″, {lat_d}°{lat_m}′{lat_s:.2f}″",
    "北纬{lat_d}度{lat_m}分{lat_s:.2f}秒 东经{lon_d}度{lon_m}分{lon_s:.2f}秒",
]


def test_coordinates_as_people_type_them(desk: Any, sample: Any) -> None:
    """The same place in every notation, turned into degrees, minutes and seconds by hand."""
    lon, lat = sample.units.iloc[[0]].geometry.centroid.to_crs(4326).iloc[0].coords[0]
    parts = {"lon": lon, "lat": lat}
    for axis, value in (("lon", lon), ("lat", lat)):
        minutes = (value - int(value)) * 60
        parts |= {f"{axis}_d": int(value), f"{axis}_m": int(minutes)}
        parts[f"{axis}_s"] = (minutes - int(minutes)) * 60
    start = {"lat": lat + 0.01, "lng": lon + 0.01}
    for way in WAYS:
        desk.page.fill("#search", way.format(**parts))
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_function("() => riskmap.state().selected?.kind === 'cell'")
        at = desk.js("() => riskmap.map.getCenter()")
        assert at["lng"] == pytest.approx(lon, abs=1e-5), way
        assert desk.js("() => document.querySelector('#search-list').hidden")
        desk.js(
            "(at) => { riskmap.select({kind: 'unit', at: 0}); riskmap.map.setView(at, 12, {animate: false}); }",
            start,
        )


def test_a_place_outside_is_said_not_shown(desk: Any) -> None:
    before = desk.js("() => riskmap.map.getCenter()")
    for typed in ("5, 5", "-30.03, -51.2"):
        desk.js("() => { document.querySelector('#live').textContent = ''; }")
        desk.page.fill("#search", typed)
        desk.page.keyboard.press("Enter")
        desk.settle()
        assert "不在本图范围内" in desk.page.inner_text("#live"), typed
        assert desk.js("() => riskmap.map.getCenter()") == before


def test_a_number_is_found_before_names_that_hold_its_digits(desk: Any, sample: Any) -> None:
    ids = list(sample.layers["flood_point"].table.index)
    number = ids[11].lstrip("YL-").lstrip("0")
    desk.page.fill("#search", number)
    first = desk.page.locator("#search-list li .name").first.inner_text()
    assert first == sample.layers["flood_point"].table["name"].iloc[11]


def test_choosing_an_object_of_a_hidden_layer_ticks_its_box(desk: Any) -> None:
    desk.page.uncheck("[data-layer=flood_point]")
    desk.js("() => riskmap.select({kind: 'item', layer: 'flood_point', at: 1, go: true})")
    assert desk.page.is_checked("[data-layer=flood_point]")


def test_the_list_opens_at_what_the_map_chose(desk: Any, sample: Any) -> None:
    rank = sample.items["rank"].astype(float)
    last = rank.idxmax()
    layer = sample.items.loc[last, "role"]
    row = list(sample.layers[layer].table.index).index(last)
    desk.js("([layer, at]) => riskmap.select({kind: 'item', layer, at})", [layer, row])
    desk.page.click("#tab-list")
    desk.settle()
    chosen = desk.page.locator(".list-row.on")
    assert chosen.count() == 1
    assert desk.js(
        "() => { const r = document.querySelector('.list-row.on').getBoundingClientRect(), w = document.querySelector('#list-window').getBoundingClientRect(); return r.top >= w.top - 1 && r.bottom <= w.bottom + 1; }"
    )
    desk.page.click("#tab-overview")
    desk.js("() => riskmap.select({kind: 'item', layer: 'refuge', at: 0})")
    desk.page.click("#tab-list")
    desk.settle()
    assert desk.page.input_value("#list-what") == "refuge"


def test_rows_whose_class_is_off_are_counted_not_lost(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-list")
    level = sample.items["level"].astype(int)
    grade = int(level.mode()[0])
    layer = sample.items.loc[level == grade, "role"].mode()[0]
    gone = int(((sample.items["role"] == layer) & (level == grade)).sum())
    desk.page.click(f"[data-class='{layer}:{grade}']")
    desk.settle()
    note = desk.page.inner_text("#list-note")
    assert f"{len(level) - gone} " in note
    assert f"另有 {gone} 行" in note


def test_filters_of_items_leave_the_resources(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-list")
    desk.page.select_option("#filter", "overdue")
    desk.settle()
    desk.page.select_option("#list-what", "refuge")
    desk.settle()
    n = len(sample.layers["refuge"].table)
    assert desk.page.inner_text("#list-note b").startswith(f"{n} ")


def test_csv_has_bare_numbers_under_headings_with_units(desk: Any, sample: Any) -> None:
    desk.page.click("#tab-list")
    desk.page.select_option("#list-what", "flood_point")
    rows = _rows(desk)
    table = sample.layers["flood_point"].table
    heading = next(h for h in rows[0] if h.startswith("积水深度"))
    assert heading == "积水深度 (m)"
    found = {row["图上编号"]: row[heading] for row in rows}
    for code, depth in table["depth_m"].items():
        if np.isfinite(float(depth)):
            assert float(found[code]) == pytest.approx(float(depth), rel=1e-6)
        else:
            assert found[code] == ""


def test_csv_has_no_formula_of_any_width_and_no_nan(
    open_page: Callable[..., Any], sample: Any, tmp_path: Path
) -> None:
    layer = sample.layers["flood_point"]
    table = layer.table.copy()
    bad = ["=1+1", "＝1+1", "＋1", "－1", "＠x", " =1", "\t=1", "-cmd"]
    table.loc[table.index[: len(bad)], "name"] = bad
    unit = sample.index["unit"]
    scores = unit.scores.copy()
    scores.iloc[-1] = np.nan
    changed = replace(
        sample,
        layers={**sample.layers, "flood_point": replace(layer, table=table)},
        index={**sample.index, "unit": replace(unit, scores=scores)},
    )
    path = tmp_path / "page.html"
    path.write_text(render(changed), encoding="utf-8")
    with open_page(path) as opened:
        opened.page.click("#tab-list")
        opened.page.select_option("#list-what", "flood_point")
        names = [row["名称"] for row in _rows(opened)]
        assert sum(name.startswith("'") for name in names) >= len(bad)
        assert not any(name.strip()[:1] in set("=＝＋－＠-") for name in names)
        opened.page.select_option("#list-what", "unit:2")
        values = [value for row in _rows(opened) for value in row.values()]
        assert "NaN" not in values


def test_swipe_by_keys_is_kept_in_the_address(desk: Any) -> None:
    desk.js("() => riskmap.setWeights({HAZARD: 0.8})")
    desk.page.click("#tool-compare")
    desk.page.focus("#swipe")
    for key, place in (("Home", "2"), ("End", "98"), ("PageDown", "88"), ("ArrowLeft", "86")):
        desk.page.keyboard.press(key)
        assert desk.page.get_attribute("#swipe", "aria-valuenow") == place
    desk.page.wait_for_function("() => location.hash.includes('compare=0.86')")


def test_measuring_keeps_the_keyboard(desk: Any) -> None:
    desk.page.focus("#tool-measure")
    desk.page.keyboard.press("Enter")
    for key in ("Enter", "ArrowRight", "Enter"):
        desk.page.focus("#map_riskmap")
        desk.page.keyboard.press(key)
        desk.settle()
    desk.page.focus("#measure-undo")
    desk.page.keyboard.press("Enter")
    assert desk.js("() => document.activeElement.id") == "measure-undo"
    desk.page.keyboard.press("Escape")
    assert desk.js("() => document.activeElement.id") == "tool-measure"


def test_weights_that_are_all_zero_are_said_and_not_saved(desk: Any) -> None:
    desk.page.click("#tab-whatif")
    desk.page.wait_for_selector("#sliders [data-weight]")
    codes = desk.js(
        "() => [...document.querySelectorAll('#sliders .component > .slider input')].map(i => i.dataset.weight)"
    )
    desk.js("codes => riskmap.setWeights(Object.fromEntries(codes.map(c => [c, 0])))", codes)
    desk.page.wait_for_selector("#effects [role=alert]")
    assert desk.page.is_disabled("#save-weights")
    desk.page.click("#reset")
    desk.page.wait_for_function("() => !document.querySelector('#save-weights').disabled")


def test_the_tree_stays_where_and_as_folded_as_it_was(desk: Any) -> None:
    desk.js("() => { document.querySelectorAll('#left details.group')[1].open = false; }")
    desk.js("() => { document.querySelector('.panel-body').scrollTop = 120; }")
    top = desk.js("() => document.querySelector('.panel-body').scrollTop")
    assert top > 0
    desk.page.select_option("#palette", "cividis")
    desk.settle()
    assert desk.js("() => document.querySelector('.panel-body').scrollTop") == top
    assert not desk.js("() => document.querySelectorAll('#left details.group')[1].open")


def test_every_text_of_the_page_has_its_chinese() -> None:
    """What has letters and no Chinese is a unit or a name that both languages write alike."""
    alike = {shown for english, shown in messages()["zh"].items() if english == shown}
    assert not {text for text in alike if any(c.isalpha() for c in re.sub(r"{\w+}", "", text))}


def test_every_unit_of_measure_has_its_chinese() -> None:
    """All that roles and the shipped indicators use is written in symbols or in Chinese."""
    symbols = {"m", "km", "t", "%", "km/h", "mm", "L/s"}
    source = page._modules()["items.js"]
    words = source.partition("const words = {")[2].partition("};")[0]
    used = {field.unit for role in load_roles().values() for field in role.fields if field.unit}
    used |= {unit for unit in load_table()["unit"] if unit}
    for unit in sorted(used - symbols):
        assert f'"{unit}":' in words or f"\n    {unit}:" in words, unit


@pytest.mark.parametrize(
    "young", ["inset:", "aspect-ratio", ":has(", ":is(", "dvh", "color-mix", "@layer", "@container"]
)
def test_the_style_sheet_needs_no_younger_browser(young: str) -> None:
    """Chrome 80 knows none of these (caniuse.com): a map with only ``inset`` has no width there."""
    assert young not in page.style()


def test_objects_without_a_level_are_listed_by_their_size(desk: Any, sample: Any) -> None:
    desk.js("() => riskmap.openTab('list')")
    desk.page.select_option("#list-what", "refuge")
    desk.settle()
    heads = [node.inner_text() for node in desk.page.locator("#list-head button").all()]
    places = [node.inner_text() for node in desk.page.locator(".list-row .value").all()]
    size = sample.layers["refuge"].table["capacity"].sort_values(ascending=False)
    assert len(heads) == 3
    assert heads[-1].endswith("▼")
    assert places == [f"{n} 人" for n in size.dropna()] + ["–"] * int(size.isna().sum())


def test_a_search_that_finds_too_much_says_so(desk: Any) -> None:
    desk.page.fill("#search", "1")
    assert desk.page.locator("#search-list [aria-selected]").count() == 31
    assert "30" in desk.page.locator("#search-list li").last.inner_text()
    desk.page.fill("#search", "")

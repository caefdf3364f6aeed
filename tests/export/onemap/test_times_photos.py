"""Parts of the page that no shipped run fills yet: times, photos; made-up data."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pytest
from shapely.geometry import Point

from riskmap.export.onemap.backdrop import MOST_BYTES, photo_parts
from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.page import render
from riskmap.export.public import redact, veil_layers
from riskmap.result import Plan
from tests.sample import ORIGIN, sample_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
INK = """() => { const c = document.querySelector('.leaflet-rm-points-pane canvas');
    return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v).length; }"""


def _timed() -> Any:
    """A front that widens in the minutes 0, 30 and 90."""
    whole = sample_result(n_side=8)
    west, south = ORIGIN
    front = gpd.GeoDataFrame(
        {"kind": ["coverage"] * 3, "label": ["0", "30", "90"], "time_min": [0.0, 30.0, 90.0]},
        geometry=[Point(west + 400, south + 400).buffer(r) for r in (60, 180, 330)],
        crs=whole.units.crs,
    )
    plan = Plan(tables={}, layers={"front": front})
    return replace(whole, plans={"flood": plan}, layers={"road": whole.layers["road"]})


def test_the_slider_draws_what_has_happened_by_then(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "timed.html"
    path.write_text(render(_timed()), encoding="utf-8")
    with open_page(path) as opened:
        opened.page.check('[data-layer="plan:flood/front"]')
        opened.settle()
        assert opened.js("() => riskmap.state().time") == 90
        late = opened.js(INK)
        opened.page.focus("#time-range")
        opened.page.keyboard.press("Home")
        opened.settle()
        assert opened.page.inner_text("#time-now") == "开始后 0 分钟"
        assert opened.js(INK) < late
        opened.page.keyboard.press("ArrowRight")
        opened.settle()
        assert opened.js("() => riskmap.state().time") == 30
        opened.page.wait_for_function("() => location.hash.includes('time=30')")
        address = opened.js("() => location.hash.slice(1)")
        opened.page.click("#time-play")
        opened.page.wait_for_function("() => riskmap.state().time === 90")
        opened.page.wait_for_function("() => document.querySelector('#time-play').title === '播放'")
    with open_page(path, address=address) as opened:
        assert opened.js("() => riskmap.state().time") == 30
        assert opened.page.inner_text("#time-now") == "开始后 30 分钟"


def test_without_times_there_is_no_slider(desk: Any) -> None:
    assert desk.page.locator("#time").is_hidden()


@pytest.fixture
def pictured(tmp_path: Path) -> Any:
    """Rows whose photo is good, missing, outside, too large, an address, no picture, blank."""
    folder = tmp_path / "ledger"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "a.png").write_bytes(PIXEL)
    (folder / "large.png").write_bytes(PIXEL + b"\0" * MOST_BYTES)
    (folder / "page.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "secret.png").write_bytes(PIXEL)
    (folder / "way_out.png").symlink_to(tmp_path / "secret.png")
    named = [
        "pictures/a.png", "none.png", "../secret.png", "large.png", "https://example.org/a.png",
        "page.png", None, "way_out.png", "pictures\\a.png", "data:image/png;base64,AAAA",
    ]  # fmt: skip
    whole = sample_result(n_side=8)
    layer = whole.layers["flood_point"]
    table = layer.table.copy()
    table["photo"] = (named * 3)[: len(table)]
    sources = tuple(replace(source, path=folder / "ledger.xlsx") for source in layer.sources)
    changed = replace(layer, table=table, sources=sources)
    return replace(whole, layers={**whole.layers, "flood_point": changed})


@pytest.mark.posix
def test_only_pictures_beside_the_ledger_are_taken(pictured: Any) -> None:
    layer = pictured.layers["flood_point"]
    numbers: list[list[int]] = []
    packer = Packer()
    packer.integers = lambda values, **_: numbers.append(list(values)) or {}  # type: ignore
    part = photo_parts(pictured, layer, packer)
    expected = [1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert numbers == [(expected * 3)[: len(numbers[0])], [len(PIXEL)]]
    assert part["photo"]["kinds"] == ["png"]
    assert bytes(packer.blocks[part["photo"]["bytes"]["b"]]) == PIXEL
    assert part["photos_left_out"] == 7


@pytest.mark.posix
def test_a_photo_is_shown_with_a_name_and_never_in_public(
    pictured: Any, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render(pictured), encoding="utf-8")
    with open_page(path) as opened:
        opened.js("() => riskmap.select({kind: 'item', layer: 'flood_point', at: 0})")
        opened.page.wait_for_function(
            "() => document.querySelector('img.photo')?.naturalWidth === 1"
        )
        assert opened.page.get_attribute("img.photo", "alt")
        assert "7 张照片未收入" in opened.page.inner_text("#left")
        opened.js("() => riskmap.select({kind: 'item', layer: 'flood_point', at: 2})")
        opened.settle()
        assert opened.page.locator("img.photo").count() == 0
    layers = veil_layers(pictured.layers, pictured.roles, place=None)
    public = redact(replace(pictured, layers=layers))
    assert photo_parts(public, public.layers["flood_point"], Packer()) == {}

"""From the page to the command line and back: weights.yaml gives the same scores and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from riskmap.cli.app import app
from tests.town import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser
METHOD = {"aggregate": {"risk": "geometric"}, "classes": {"method": "natural_breaks", "k": 4}}
READ = "() => ({scores: riskmap.scores(), classes: riskmap.classes()})"


def _run(project: Path, out: Path, *more: str) -> Path:
    done = CliRunner().invoke(app, ["run", str(project), "--out", str(out), *more])
    assert done.exit_code in (0, 1), done.output
    assert (out / "onemap.html").is_file(), done.output
    return out / "onemap.html"


def test_weights_moved_in_the_page_give_the_run_the_same_classes(
    tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    project = write(tmp_path / "town", project={"index": METHOD})
    with open_page(_run(project, tmp_path / "first")) as opened:
        start = opened.js(READ)
        opened.page.click("#tab-whatif")
        sliders = opened.page.locator("[data-weight]")
        sliders.first.wait_for()
        for i, share in ((0, 0.95), (1, 0.2), (2, 0.05)):
            sliders.nth(i).evaluate(
                "(s, v) => { s.value = String(v * s.max); s.dispatchEvent(new Event('input', {bubbles: true})); }",
                share,
            )
        opened.settle()
        opened.settle()
        moved = opened.js(READ)
        with opened.page.expect_download() as download:
            opened.page.click("#save-weights")
        download.value.save_as(tmp_path / "weights.yaml")
    assert moved["scores"] != start["scores"]
    assert moved["classes"] != start["classes"]
    again = _run(project, tmp_path / "second", "--weights", str(tmp_path / "weights.yaml"))
    with open_page(again) as opened:
        found = opened.js(READ)
    assert set(found["scores"]) == set(moved["scores"])
    for unit, score in moved["scores"].items():
        assert found["scores"][unit] == pytest.approx(score, abs=1e-9), unit
    assert found["classes"] == moved["classes"]
    _same_as_the_geopackage(tmp_path / "second", moved)


def _same_as_the_geopackage(folder: Path, moved: dict[str, Any]) -> None:
    import pyogrio

    path = folder / "riskmap.gpkg"
    layers = [name for name, _ in pyogrio.list_layers(path)]
    name = next(name for name in layers if name.startswith("unit"))
    table = pyogrio.read_dataframe(path, layer=name, read_geometry=False)
    code = next(c for c in ("unit_id", "code") if c in table)
    assert set(table[code]) <= set(moved["scores"])
    for unit, score, level in zip(table[code], table["score"], table["class"], strict=True):
        assert score == pytest.approx(moved["scores"][unit], abs=1e-6)
        assert level == moved["classes"][unit]

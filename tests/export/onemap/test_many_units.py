"""Above a number of units the page carries their numbers in 16 bits; what it says stays true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from riskmap.export.onemap import collect
from riskmap.export.onemap.collect import make_recipe, recompute
from riskmap.export.onemap.page import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser

QUANTUM = 1e-4
"""Several indicators, each off by half of 1/65 534 of its range, through a geometric mean."""


@pytest.fixture(scope="module")
def many(sample: Any, open_page: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The sample's page as if it had too many units."""
    path: Path = tmp_path_factory.mktemp("many") / "onemap.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "EXACT_UNITS", 0)
        path.write_text(render(sample), encoding="utf-8")
    with open_page(path) as opened:
        yield opened


def test_start_is_the_run_itself(many: Any, sample: Any) -> None:
    index = sample.index["unit"]
    scores, classes = many.js("() => [riskmap.scores(), riskmap.classes()]")
    ids = list(sample.units.index)
    assert set(scores) == set(ids)
    given = [int(c) for c in np.nan_to_num(np.asarray(index.classes))]
    assert [scores[i] for i in ids] == pytest.approx(list(index.scores["RISK"]), abs=QUANTUM)
    assert [classes[i] for i in ids] == given


@pytest.mark.parametrize("weights", [{"HAZARD": 0.9}, {"E_POP": 0.2, "CAPACITY": 0.5}])
def test_moved_weights_are_within_a_quantum(
    many: Any, sample: Any, weights: dict[str, float]
) -> None:
    index = sample.index["unit"]
    expected = recompute(index, make_recipe(index), weights=weights)["RISK"]
    scores = many.js("weights => riskmap.setWeights(weights)", weights)
    for unit, score in expected.items():
        assert scores[unit] == pytest.approx(score, abs=QUANTUM), unit


def test_every_tab_and_a_unit_open(many: Any) -> None:
    many.js("() => riskmap.select({kind: 'unit', at: 2})")
    many.page.wait_for_selector("#panel-detail .why tbody tr", state="attached")
    for tab in ("overview", "list", "whatif", "detail"):
        many.page.click(f"#tab-{tab}")
        assert many.page.inner_text(f"#panel-{tab}").strip()

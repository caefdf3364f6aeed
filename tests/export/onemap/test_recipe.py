"""The page's arithmetic, as Python knows it, against the index engine and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from riskmap.export.onemap.collect import class_breaks, combine, make_recipe, recompute


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("arithmetic", (2 * 1 + 1 * 8) / 3),
        ("geometric", (1.0**2 * 8.0) ** (1 / 3)),
        ("product", 1.0**2 * 8.0),
        ("harmonic", 3 / (2 / 1 + 1 / 8)),
        ("max", 8.0),
    ],
)
def test_combine_by_hand(method: str, expected: float) -> None:
    found = combine(method, np.array([[1.0, 8.0]]), np.array([2.0, 1.0]))
    assert found[0] == pytest.approx(expected)


def test_unknown_children_are_left_out() -> None:
    found = combine("arithmetic", np.array([[np.nan, 8.0], [np.nan, np.nan]]), np.array([2.0, 1.0]))
    assert found[0] == 8.0
    assert np.isnan(found[1])


def test_zero_hazard_is_zero_risk() -> None:
    assert combine("geometric", np.array([[0.0, 1.0]]), np.array([1.0, 1.0]))[0] == 0.0


@pytest.mark.parametrize("kind", ["unit", "cell"])
def test_the_recipe_reproduces_the_run(sample: Any, kind: str) -> None:
    index = sample.index[kind]
    recipe = make_recipe(index)
    assert recipe["exact"]
    again = recompute(index, recipe, weights={})
    for code in again:
        np.testing.assert_allclose(again[code], index.scores[code], atol=1e-6)


def test_an_unknown_method_offers_no_weights(sample: Any) -> None:
    from dataclasses import replace

    index = sample.index["unit"]
    scrambled = index.scores.copy()
    scrambled["RISK"] = np.sin(40 * scrambled["RISK"].to_numpy())
    assert not make_recipe(replace(index, scores=scrambled))["exact"]


def test_breaks_put_every_row_into_its_class(sample: Any) -> None:
    for index in sample.index.values():
        breaks = class_breaks(index, "RISK")
        score = index.scores["RISK"].to_numpy()
        found = index.classes.get("RISK", index.classes)
        known = ~np.isnan(score)
        expected = np.array([1 + sum(s > b for b in breaks) for s in score[known]])
        assert np.array_equal(found.to_numpy(dtype=int, na_value=0)[known], expected)

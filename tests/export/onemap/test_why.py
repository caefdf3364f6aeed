"""The sentence of each unit and the shaded relief, against figures worked out by hand."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmap.export.onemap.backdrop import hillshade
from riskmap.export.onemap.features import changes, facts_of, reasons
from riskmap.export.onemap.page import render
from riskmap.index.steps import default_steps, fit
from riskmap.vocabulary.roles import load_roles
from tests.sample import sample_meta, sample_result


def _index(values: dict[str, list[float]]) -> tuple[Any, pd.Series]:
    """Score four villages of which A is worst, D best."""
    table = pd.DataFrame(values, index=pd.Index(list("ABCD"), name="unit_id"))
    levels = pd.Series("village", index=table.index)
    return fit(table, sample_meta(), default_steps(), rank_within=levels), levels


VALUES = {
    "H_FLOOD": [1.94, 1.0, 0.5, 0.0],
    "H_WATER": [50.0, 800.0, 900.0, 1000.0],
    "E_POP": [12_345.0, 400.0, 300.0, 200.0],
    "V_LOW": [3.0, 2.0, 1.0, 0.0],
    "C_REFUGE": [100.0, 200.0, 300.0, 2_500.0],
}


def test_facts_are_ordered_by_scaled_value_times_effective_weight() -> None:
    index, levels = _index(VALUES)
    worst = facts_of(index, levels).query("unit == 'A'")
    effective = {"E_POP": 0.3, "H_FLOOD": 0.4 * 0.7, "V_LOW": 0.15, "C_REFUGE": 0.15, "H_WATER": 0.4 * 0.3}  # fmt: skip
    scaled = dict(zip(worst["code"], worst["scaled"], strict=True))
    parts = {code: scaled[code] * weight for code, weight in effective.items()}
    assert (
        list(worst["code"])[:3]
        == sorted(parts, key=lambda code: (-round(parts[code], 9), code))[:3]
    )
    for row in worst.itertuples():
        assert row.part == pytest.approx(parts[row.code])
        assert row.place == (1 if row.code != "C_REFUGE" else row.place)


def test_the_sentence_says_figures_units_and_place_in_both_languages() -> None:
    index, levels = _index(VALUES)
    said = reasons(index, levels, load_roles(), ["A", "D"])
    assert "人口密集（每平方公里 12345 人，全域第 1）" in said["zh"][0]
    assert "易涝积水点多（每平方公里 1.94 处，全域第 1）" in said["zh"][0]
    assert "densely peopled (12345 persons per km², no. 1 here)" in said["en"][0]
    assert said["zh"][0].count("，全域第") <= 3
    assert "12345" not in said["zh"][1]


def test_no_reason_is_made_of_weak_figures() -> None:
    flat = {code: [1.0, 0.0, 0.0, 0.0] for code in VALUES}
    index, levels = _index(flat)
    assert reasons(index, levels, load_roles(), ["B"])["zh"] in (["各项指标均不突出"], [""]) or (
        "全域第" in reasons(index, levels, load_roles(), ["B"])["zh"][0]
    )


def test_a_scenario_says_what_changes_and_what_does_not() -> None:
    before, _ = _index(VALUES)
    now, _ = _index(VALUES | {"H_FLOOD": [1.94, 1.0, 0.5, 1.9]})
    said = changes(now, before, load_roles(), ["A", "D"])
    assert said["zh"][0] == "该情景下无变化" or "等级" in said["zh"][0]
    assert "积水点密度 每平方公里 0 处 → 每平方公里 1.9 处" in said["zh"][1]
    assert "Flood point density 0 per km² → 1.9 per km²" in said["en"][1]


def _why(page: str) -> dict[str, Any]:
    """Unpack the sentences of a page."""
    blocks = re.findall(r'id="riskmap-data-\d+">([^<]*)<', page)
    raw = [gzip.decompress(base64.b64decode(block)) for block in blocks]
    size = int.from_bytes(raw[0][:4], "little")
    spec = json.loads(raw[0][4 : 4 + size])["why"]
    found: dict[str, Any] = json.loads(raw[spec["b"]][spec["o"] : spec["o"] + spec["n"]])
    return found


def test_every_unit_of_the_page_has_its_sentence() -> None:
    whole = sample_result(n_side=8)
    result = replace(whole, index={**whole.index, "unit@雨": whole.index["unit"]})
    found = _why(render(result))
    assert set(found) == {"", "雨"}
    for code in ("zh", "en"):
        assert len(found[""][code]) == len(whole.units)
        assert all(found[""][code])
    assert set(found["雨"]["zh"]) == {"该情景下无变化"}


def test_relief_is_white_on_level_ground_and_dark_away_from_the_sun() -> None:
    slope = np.tile(np.arange(40.0), (40, 1)) * 20
    assert hillshade(np.zeros((5, 5)), 30.0).min() == 1.0
    assert hillshade(-slope, 100.0)[20, 20] < 0.75  # falls to the east, away from the north-west
    assert hillshade(slope, 100.0)[20, 20] == 1.0  # rises to the east: it faces the sun
    hole = slope.copy()
    hole[0, 0] = np.nan
    assert hillshade(hole, 100.0)[0, 0] == 1.0

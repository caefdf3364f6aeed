"""Draws, class probabilities and Sobol indices against numpy and closed forms."""

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from riskmap.export import charts
from riskmap.index.stability import additive_summary, draw_weights, evaluate, rank_draws, summarise
from riskmap.index.steps import default_steps, fit
from riskmap.index.stress import (
    BANK,
    rank_change_model,
    sensitivity,
    sobol_indices,
    uncertainty,
    unit_stability,
    variants,
)
from riskmap.index.tree import build_tree

ROWS = [
    ("a", "HAZARD", "indicator", 1, 1.0), ("b", "HAZARD", "indicator", -1, 2.0),
    ("c", "EXPOSURE", "indicator", 1, 1.0), ("d", "EXPOSURE", "indicator", 1, 1.0),
    ("HAZARD", "RISK", "group", 1, 0.6), ("EXPOSURE", "RISK", "group", 1, 0.4),
    ("RISK", "", "group", 1, 1.0),
]  # fmt: skip
META = pd.DataFrame(ROWS, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
    "code"
)
LIMITS = (0.4, 0.5, 1.0)


@pytest.fixture
def values():
    table = pd.DataFrame(np.random.default_rng(0).uniform(size=(40, 4)), columns=list("abcd"))
    table.loc[3, "a"] = np.nan
    return table.rename(index=lambda n: f"u{n}")


@pytest.mark.parametrize("n", [1, 700])
def test_additive_summary_against_numpy(n):
    generator = np.random.default_rng(1)
    x, w = generator.random((n, 5)), generator.dirichlet(np.ones(5), 900)
    found = additive_summary(x, w, LIMITS)
    full = x @ w.T
    assert found.mean == pytest.approx(full.mean(axis=1), abs=1e-6)
    assert found.sd == pytest.approx(full.std(axis=1, ddof=1), abs=1e-6)
    assert found.quantiles == pytest.approx(
        np.quantile(full, [0.05, 0.5, 0.95], axis=1).T, abs=1e-5
    )
    edges = [-np.inf, *LIMITS[:-1], np.inf]
    chances = [((full > a) & (full <= b)).mean(axis=1) for a, b in itertools.pairwise(edges)]
    assert found.classes == pytest.approx(np.array(chances).T, abs=2 / 900)
    assert found.classes.sum(axis=1) == pytest.approx(1)


def test_an_unknown_draw_makes_the_row_unknown():
    found = summarise(np.array([[0.1, np.nan]], dtype=np.float32), LIMITS)
    assert np.isnan(found.mean[0])
    assert np.isnan(found.classes[0]).all()


@pytest.mark.parametrize("options", [{"share": 0.25}, {"concentration": 20.0}])
def test_drawn_weights_sum_to_one_and_stay_around_the_given(options):
    tree = build_tree(META)
    weights = META["weight"].to_dict()
    drawn = draw_weights(tree, weights, 4000, seed=1, **options)
    assert (drawn["a"] + drawn["b"]) == pytest.approx(np.ones(4000), abs=1e-6)
    assert drawn["a"].mean() == pytest.approx(1 / 3, abs=0.01)
    again = draw_weights(tree, weights, 4000, seed=1, **options)
    assert all((again[c] == drawn[c]).all() for c in drawn)
    if "share" in options:
        assert drawn["a"].max() <= 1.25 / (1.25 + 2 * 0.75) + 1e-6


@pytest.mark.parametrize("method", ["arithmetic", "geometric", "harmonic", "product", "topsis"])
def test_evaluation_of_a_draw_is_a_run_with_those_weights(values, method):
    steps = [
        {"step": "normalise", "low": 0.1},
        {"step": "aggregate", "method": {"default": "arithmetic", "RISK": method}},
    ]
    index = fit(values, META, steps)
    tree = build_tree(index.meta)
    drawn = draw_weights(tree, META["weight"].to_dict(), 5, seed=2)
    columns = {c: index.stages["normalised"][c].to_numpy() for c in tree.indicators}
    specs = index.params["steps"][1]["fitted"]["groups"]
    found = evaluate(tree, specs, columns, drawn)
    for draw in range(5):
        meta = META.copy()
        for code in tree.parent:
            meta.loc[code, "weight"] = float(drawn[code][draw])
        expected = fit(values, meta, steps).scores["RISK"].to_numpy()
        np.testing.assert_allclose(found[:, draw], expected, rtol=2e-5)


def test_ranks_of_draws():
    scores = np.random.default_rng(3).integers(0, 5, (20, 7)).astype(np.float32)
    expected = [stats.rankdata(-scores[:, d], "min") for d in range(7)]
    assert rank_draws(scores).T.tolist() == [list(row) for row in expected]


@pytest.mark.parametrize("where", [np.s_[[4, 11], :], np.s_[4, 2]], ids=["rows", "one draw"])
def test_ranks_leave_the_unknown_out(where):
    scores = np.random.default_rng(3).integers(0, 5, (20, 7)).astype(np.float32)
    scores[where] = np.nan
    found = rank_draws(scores)
    for draw in range(7):
        known = ~np.isnan(scores[:, draw])
        assert found[known, draw].tolist() == stats.rankdata(-scores[known, draw], "min").tolist()
        assert np.isnan(found[~known, draw]).all()


def test_uncertainty_table(values):
    index = fit(values, META, default_steps())
    table = uncertainty(index, values, META, draws=300)
    chances = table[[f"p_class_{k}" for k in range(1, 5)]]
    assert chances.sum(axis=1).to_numpy() == pytest.approx(1)
    assert (table["rank_q05"] <= table["rank_q95"]).all()
    assert table["rank_q05"].min() >= 1
    assert table["rank_q95"].max() <= 40
    still = uncertainty(index, values, META, draws=50, share=0.0, methods=False)
    assert still["sd"].to_numpy() == pytest.approx(0, abs=1e-6)
    assert (still["likeliest"].to_numpy() == index.classes.to_numpy()).all()
    assert not still["borderline"].any()
    few = uncertainty(index, values, META, draws=10, methods=False)  # chances are tenths
    top = few[[f"p_class_{k}" for k in range(1, 5)]].max(axis=1)
    assert (top == 0.8).any()
    assert few["borderline"].tolist() == (top < 0.8).tolist()
    noisy = uncertainty(index, values, META, draws=20, share=0.0, methods=False, noise=0.1)
    assert (noisy["sd"].dropna() > 0).mean() > 0.9


def test_sobol_of_the_ishigami_function():
    """Ishigami and Homma 1990, a = 7, b = 0.1: S = 0.3139, 0.4424, 0; ST = 0.5576, 0.4424, 0.2437."""

    def ishigami(points):
        x = (points * 2 - 1) * np.pi
        return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])

    found = sobol_indices(ishigami, ["x1", "x2", "x3"], 4096)
    assert found["first"].tolist() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert found["total"].tolist() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_sobol_of_an_unused_factor_is_zero():
    found = sobol_indices(lambda points: points[:, 0] ** 2, ["used", "unused"], 64)
    assert found.loc["unused", ["first", "total"]].tolist() == [0, 0]
    assert sobol_indices(lambda points: np.ones(len(points)), ["x", "y"], 16)["total"].tolist() == [
        0,
        0,
    ]


def test_sensitivity_names_choices_and_groups(values):
    index = fit(values, META, default_steps())
    found = sensitivity(index, values, META, base=16)
    assert list(found.index) == [
        "normalise",
        "aggregate",
        "weights:HAZARD",
        "weights:EXPOSURE",
        "weights:RISK",
    ]
    assert (found["total"] > 0).any()


def test_every_set_of_weights_in_the_bank_can_be_drawn(values):
    """All sets of the bank but the last are the nominal ones: its place alone moves ranks."""
    index = fit(values, META, default_steps())
    names, made = variants(index, values, META, methods=False)
    tree = next(iter(made.values())).tree
    bank = {code: np.full(BANK, META["weight"][code], np.float32) for code in tree.parent}
    bank["HAZARD"][-1], bank["EXPOSURE"][-1] = 0.0, 1.0
    nominal = index.ranks["RISK"].to_numpy(dtype=float, na_value=np.nan)
    model = rank_change_model(names, made, ["RISK"], bank, nominal)
    moved = model(np.array([[0.0], [1 - 1.5 / BANK], [1 - 0.5 / BANK], [1.0]]))
    assert moved[:2].tolist() == [0, 0]
    assert moved[2] == moved[3] > 1


def test_charts_are_well_formed_and_safe(values):
    values = values.rename(index={"u0": "<script>&\"'"})
    index = fit(values, META, default_steps())
    table = uncertainty(index, values, META, draws=64)
    pictures = charts.all_charts(index, table, sensitivity(index, values, META, base=8))
    assert set(pictures) == {
        "ranking.svg",
        "contributions.svg",
        "classes.svg",
        "correlations.svg",
        "sobol.svg",
    }
    for picture in pictures.values():
        assert ET.fromstring(picture).tag.endswith("svg")
        assert "<script" not in picture


def test_stability_of_the_finest_units_of_a_run(values):
    towns = pd.DataFrame(
        values.groupby(np.arange(40) // 10).mean().to_numpy(), columns=list("abcd")
    )
    every = pd.concat([values, towns.rename(index=lambda n: f"town{n}")])
    run = fit(every, META, default_steps(), fit_rows=np.arange(44) < 40)
    found = unit_stability(run.params, values, META, draws=100)
    assert found["class"].tolist() == run.classes.iloc[:40].tolist()
    alone = fit(values, META, default_steps())
    expected = uncertainty(alone, values, META, draws=100)
    pd.testing.assert_frame_equal(found, expected)

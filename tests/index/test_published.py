"""Worked examples from publications; the numbers are theirs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmap.index import classify, weights
from riskmap.index.aggregate import topsis

DATA = Path(__file__).parents[1] / "data"
MCDM = json.loads((DATA / "mcdm_ahp_entropy_critic_topsis" / "expected.json").read_text("utf-8"))
BREAKS = json.loads((DATA / "natural_breaks_calemp" / "expected.json").read_text("utf-8"))
EMPLOYMENT = pd.read_csv(DATA / "natural_breaks_calemp" / "calempdensity.csv")[
    "emp/sq km"
].to_numpy()


def test_ahp_drinks_saaty_2008():
    case = MCDM["ahp_drinks"]
    found = weights.pairwise(np.array(case["matrix"]))
    shown = dict(zip(case["names"], found.weights, strict=True))
    assert shown == pytest.approx(case["weights_4dp"], abs=5e-5)
    assert found.ratio == pytest.approx(case["CR_saaty_RI7=1.32"], abs=case["tol"])


def test_ahp_cities_saaty_2005_two_levels():
    case = MCDM["ahp_cities"]
    top = weights.pairwise(np.array(case["criteria_matrix"])).weights
    below = [weights.pairwise(np.array(case["matrices"][c])).weights for c in case["criteria"]]
    found = dict(zip(case["alternatives"], top @ np.array(below), strict=True))
    assert found == pytest.approx(case["global_weights"], abs=case["tol"])


def test_ahp_consistency_of_3x3():
    case = MCDM["ahp_3x3"]
    found = weights.pairwise(np.array(case["matrix"]))
    assert found.index == pytest.approx(case["CI"], abs=case["tol"])
    assert found.ratio == pytest.approx(0.0559, abs=5e-5)


def test_ahp_geometric_mean_agrees_with_eigenvector_for_three():
    matrix = np.array(MCDM["ahp_3x3"]["matrix"])
    found = weights.pairwise(matrix, method="geometric")
    assert found.weights == pytest.approx(weights.pairwise(matrix).weights, abs=1e-12)
    assert found.index == pytest.approx(MCDM["ahp_3x3"]["CI"], abs=MCDM["ahp_3x3"]["tol"])


def test_entropy_elsayed_2017():
    case = MCDM["entropy_elsayed2017"]
    assert weights.entropy(np.array(case["matrix"])) == pytest.approx(
        case["weights"], abs=case["tol"]
    )


def test_entropy_hospital_both_variants():
    case = MCDM["entropy_hospital_11x9"]
    matrix = np.array(case["matrix"])
    by_column = case["variant_column_minmax_(textbook,_collector_computed)"]["weights"]
    assert weights.OBJECTIVE["entropy"](matrix) == pytest.approx(by_column, abs=1e-9)
    whole = (matrix - matrix.min()) / (matrix.max() - matrix.min())
    variant = case["variant_global_minmax_(FireHole_README)"]
    assert weights.entropy(whole) == pytest.approx(variant["weights"], abs=variant["tol"])


@pytest.mark.parametrize("name", ["critic_diakoulaki1995", "critic_tus_adali2019"])
def test_critic(name):
    case = MCDM[name]
    assert weights.critic(np.array(case["matrix"])) == pytest.approx(
        case["weights"], abs=case["tol"]
    )


def test_topsis_tzeng_2011():
    case = MCDM["topsis_tzeng2011"]
    found = topsis(np.array(case["matrix"]), np.array(case["weights"]), {})
    assert found == pytest.approx(case["similarity"], abs=case["tol"])
    assert (-found).argsort().argsort().tolist() == [r - 1 for r in case["rank"]]


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("natural_breaks", "fisher_jenks"),
        ("equal_interval", "equal_interval"),
        ("quantile", "quantiles"),
        ("maximum_breaks", "maximum_breaks"),
    ],
)
def test_breaks_of_california_employment(method, key):
    limits = classify.METHODS[method](EMPLOYMENT, BREAKS["k"])
    assert limits == pytest.approx(BREAKS[key]["bins"], abs=1e-6)
    counts = np.bincount(classify.classify(EMPLOYMENT, limits), minlength=6)[1:]
    assert counts.tolist() == BREAKS[key]["counts"]


@pytest.mark.parametrize("k", [3, 4, 6, 7])
def test_natural_breaks_of_california_for_other_k(k):
    limits = classify.natural_breaks(EMPLOYMENT, k)
    assert limits == pytest.approx(BREAKS["fisher_jenks_other_k"][str(k)], abs=1e-6)


def test_fixed_thresholds_of_california():
    classes = classify.classify(EMPLOYMENT, [20.0, EMPLOYMENT.max()])
    assert np.bincount(classes)[1:].tolist() == BREAKS["user_defined_[20,max]"]["counts"]


def test_human_development_index_technical_notes():
    """UNDP 2022 technical notes, worked example of Costa Rica 2021: HDI 0.809."""
    from riskmap.index.steps import fit

    rows = [
        ("LE", "HEALTH", "indicator", 1, 1),
        ("EYS", "EDU", "indicator", 1, 1),
        ("MYS", "EDU", "indicator", 1, 1),
        ("LNGNI", "INCOME", "indicator", 1, 1),
        *((g, "HDI", "group", 1, 1) for g in ("HEALTH", "EDU", "INCOME")),
        ("HDI", "", "group", 1, 1),
    ]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    values = pd.DataFrame(
        {"LE": [77.02], "EYS": [16.52], "MYS": [8.83], "LNGNI": [np.log(19974)]}, index=["CRI"]
    )
    posts = {"LE": [20, 85], "EYS": [0, 18], "MYS": [0, 15], "LNGNI": [np.log(100), np.log(75000)]}
    steps = [
        {"step": "normalise", "method": "goalposts", "goalposts": posts, "low": 0, "high": 1},
        {"step": "aggregate", "method": {"default": "arithmetic", "HDI": "geometric"}},
    ]
    found = fit(values, meta.set_index("code"), steps).scores.loc["CRI"]
    assert found["HEALTH"] == pytest.approx(0.877, abs=1e-3)
    assert found["EDU"] == pytest.approx(0.753, abs=1e-3)
    assert found["INCOME"] == pytest.approx(0.800, abs=1e-3)
    assert found["HDI"] == pytest.approx(0.809, abs=1e-3)

"""The whole chain against a naive version written cell by cell from the published definitions."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from riskmap.index.steps import apply, default_steps, fit
from riskmap.index.stress import leave_one_out

UNITS, CODES = 60, [f"i{n}" for n in range(9)]
STEPS = [
    {"step": "denominate"},
    {"step": "impute", "method": "group_mean", "group": "region"},
    {"step": "screen", "by": "unit", "min_share": 0.9},
    {"step": "treat", "method": "winsorise", "max_points": 5, "max_skew": 2.0,
     "max_kurtosis": 3.5, "otherwise": "log"},
    {"step": "normalise", "method": "minmax", "low": 0, "high": 100},
    {"step": "weight", "method": "given"},
    {"step": "aggregate", "method": "arithmetic"},
    {"step": "classify", "code": "ALL", "method": "quantile", "k": 5},
]  # fmt: skip


def make_meta():
    rows = [
        (c, f"P{n // 3}", "indicator", 1 if n % 2 else -1, 1 + n % 3, "pop" if n == 4 else "", 10)
        for n, c in enumerate(CODES)
    ]
    rows += [
        ("P0", "S", "group", 1, 2, "", ""),
        ("P1", "S", "group", 1, 1, "", ""),
        ("P2", "ALL", "group", 1, 1, "", ""),
        ("S", "ALL", "group", 1, 3, "", ""),
        ("ALL", "", "group", 1, 1, "", ""),
    ]
    names = ["code", "parent", "kind", "direction", "weight", "denominator", "denominator_scale"]
    return pd.DataFrame(rows, columns=names).set_index("code")


def make_values(seed=3):
    generator = np.random.default_rng(seed)
    spread = np.linspace(0.2, 4.0, len(CODES))
    values = pd.DataFrame(
        np.exp(generator.normal(size=(UNITS, len(CODES))) * spread), columns=CODES
    )
    values.index = [f"u{n}" for n in range(UNITS)]
    values.loc["u3", "i2"] = values.loc["u9", "i5"] = values.loc["u9", "i6"] = np.nan
    values["i8"] = -values["i8"]
    values["region"] = ["north", "south"] * (UNITS // 2)
    values["pop"] = generator.uniform(1, 9, UNITS)
    return values


def naive_passes(column):
    skew = stats.skew(column, bias=False)
    return abs(skew) < 2 or stats.kurtosis(column, bias=False) < 3.5


def naive_treat(column):
    """Winsorise point by point, else take logarithms of the original."""
    now, high, low = list(column), set(), set()
    while not naive_passes(now) and len(high) + len(low) < 5:
        if stats.skew(now, bias=False) >= 0:
            high = {n for n, v in enumerate(now) if v == max(now)}
            top = max(v for n, v in enumerate(now) if n not in high)
            now = [top if n in high else v for n, v in enumerate(now)]
        else:
            low = {n for n, v in enumerate(now) if v == min(now)}
            bottom = min(v for n, v in enumerate(now) if n not in low)
            now = [bottom if n in low else v for n, v in enumerate(now)]
    if naive_passes(now):
        return now, "winsorise" if high or low else "none"
    width = max(column) - min(column)
    return [math.log(v - min(column) + 0.01 * width) for v in column], "log"


def naive_chain(values, meta):
    table = {c: list(values[c]) for c in CODES}
    table["i4"] = [v / p * 10 for v, p in zip(values["i4"], values["pop"], strict=True)]
    for column in table.values():
        for n, value in enumerate(column):
            if math.isnan(value):
                same = values["region"].iloc[n]
                known = [v for v, r in zip(column, values["region"], strict=True) if r == same]
                known = [v for v in known if not math.isnan(v)]
                column[n] = sum(known) / len(known)
    treated = {c: naive_treat(column) for c, column in table.items()}
    score = {}
    for code, (column, _how) in treated.items():
        low, high = min(column), max(column)
        up = meta.loc[code, "direction"] == 1
        score[code] = [100 * ((v - low) if up else (high - v)) / (high - low) for v in column]
    for group in ("P0", "P1", "P2", "S", "ALL"):
        below = [(c, meta.loc[c, "weight"]) for c in meta.index if meta.loc[c, "parent"] == group]
        total = sum(w for _, w in below)
        score[group] = [sum(w * score[c][n] for c, w in below) / total for n in range(len(values))]
    return score, {c: how for c, (_, how) in treated.items()}


def test_every_stage_agrees_with_the_naive_chain():
    values, meta = make_values(), make_meta()
    index = fit(values, meta, STEPS)
    expected, how = naive_chain(values, meta)
    assert set(how.values()) == {"none", "winsorise", "log"}, "the case must exercise every branch"
    found = {s["step"]: s["fitted"] for s in index.params["steps"]}["treat"]["columns"]
    assert {c: found[c]["method"] for c in CODES} == how
    for code in CODES:
        assert index.stages["normalised"][code].to_numpy() == pytest.approx(
            expected[code], abs=1e-9
        )
    for group in ("P0", "P1", "P2", "S", "ALL"):
        assert index.scores[group].to_numpy() == pytest.approx(expected[group], abs=1e-9)
        ranks = stats.rankdata([-v for v in expected[group]], "min")
        assert index.ranks[group].tolist() == ranks.tolist()


def test_leave_one_out_is_a_run_with_weight_zero():
    values, meta = make_values(), make_meta()
    index = fit(values, meta, STEPS)
    for level, codes in ((1, CODES), (2, ["P0", "P1", "P2"]), (3, ["S"])):
        found = leave_one_out(index, level).set_index("code")["mean_abs_rank_change"]
        assert list(found.index) == codes
        for code in codes:
            without = meta.copy()
            without.loc[code, "weight"] = 0
            again = fit(values, without, STEPS)
            change = (again.ranks["ALL"] - index.ranks["ALL"]).abs().mean()
            assert found[code] == pytest.approx(float(change), abs=1e-12)


def test_screening_drops_units_and_leaves_raw_whole():
    values, meta = make_values(), make_meta()
    steps = [{"step": "screen", "by": "unit", "min_share": 0.9}, *STEPS[4:7]]
    index = fit(values, meta, steps)
    assert len(index.stages["raw"]) == UNITS
    assert "u9" not in index.scores.index, "two of nine missing leaves 78 %"
    assert "u3" not in index.scores.index, "one of nine missing leaves 89 %"
    assert len(index.scores) == UNITS - 2
    assert index.details["screen"]["units"] == ["u3", "u9"]
    kept = fit(values, meta, [{**steps[0], "keep": ["u3"], "drop": ["u1"]}, *steps[1:]])
    assert {"u3"} <= set(kept.scores.index)
    assert "u1" not in kept.scores.index


def test_screening_by_indicator_renormalises_weights():
    values, meta = make_values(), make_meta()
    values.loc[values.index[:20], "i0"] = np.nan
    index = fit(
        values, meta, [{"step": "screen", "by": "indicator", "min_share": 0.8}, *STEPS[4:7]]
    )
    assert "i0" not in index.stages["normalised"]
    weights = dict(zip(["i1", "i2"], [2, 3], strict=True))
    normal = index.stages["normalised"]
    expected = (normal["i1"] * 2 + normal["i2"] * 3) / sum(weights.values())
    complete = normal["i2"].notna()
    assert index.scores["P0"][complete].to_numpy() == pytest.approx(expected[complete].to_numpy())


def test_frozen_parameters_give_identical_results_through_json():
    import json

    values, meta = make_values(), make_meta()
    index = fit(values, meta, STEPS)
    again = apply(json.loads(json.dumps(index.params)), values, meta)
    pd.testing.assert_frame_equal(again.scores, index.scores, check_exact=True)
    pd.testing.assert_frame_equal(again.ranks, index.ranks)
    pd.testing.assert_series_equal(again.classes, index.classes)
    pd.testing.assert_frame_equal(again.contributions, index.contributions, check_exact=True)


def test_fit_rows_alone_decide_the_parameters():
    values, meta = make_values(), make_meta()
    rows = np.arange(UNITS) < 20
    part = fit(values[rows], meta, STEPS)
    whole = fit(values, meta, STEPS, fit_rows=rows)
    shared = part.scores.index
    pd.testing.assert_frame_equal(whole.scores.loc[shared], part.scores, check_exact=True)


def test_a_missing_indicator_is_left_out_with_its_weight():
    meta = make_meta().loc[["i0", "i1", "P0"]].assign(parent=["P0", "P0", ""])
    values = pd.DataFrame({"i0": [0.0, 1.0, np.nan], "i1": [0.0, np.nan, np.nan]})
    values.loc[3] = [0.5, 1.0]
    steps = [{"step": "normalise"}, {"step": "aggregate"}, {"step": "classify", "k": 2}]
    index = fit(values, meta, steps)
    assert index.scores["P0"].iloc[1] == 0.0, "direction -1: the highest i0 scores 0"
    assert np.isnan(index.scores["P0"].iloc[2])
    assert index.classes.iloc[2] == 0
    assert pd.isna(index.ranks["P0"].iloc[2])
    strict = [steps[0], {"step": "aggregate", "dat_thresh": 0.6}]
    assert np.isnan(fit(values, meta, strict).scores["P0"].iloc[1])


def test_world_risk_index_form():
    """WorldRiskIndex 2011-2021: exposure x vulnerability, vulnerability the mean of three."""
    rows = [
        ("EXP", "WRI", "indicator", 1, 1),
        *((c, "VUL", "indicator", 1, 1) for c in ("SUS", "COP", "ADA")),
        ("VUL", "WRI", "group", 1, 1),
        ("WRI", "", "group", 1, 1),
    ]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    # Vanuatu 2011 as published: 32.00 = 56.33 % of 56.81 %.
    values = pd.DataFrame({"EXP": [56.33], "SUS": [37.14], "COP": [79.34], "ADA": [53.96]})
    posts = {"default": [0, 100]}
    steps = [
        {"step": "normalise", "method": "goalposts", "goalposts": posts, "low": 0, "high": 1},
        {"step": "weight", "method": "given"},
        {"step": "aggregate", "method": {"default": "arithmetic", "WRI": "product"}},
    ]
    scores = fit(values, meta.set_index("code"), steps).scores.iloc[0]
    assert scores["VUL"] * 100 == pytest.approx(56.81, abs=0.01)
    assert scores["WRI"] * 100 == pytest.approx(32.00, abs=0.01)


def test_risk_form_with_capacity_as_complement():
    rows = [(c, "RISK", "indicator", 1, w) for c, w in zip("HEVC", (1, 1, 1, 0.5), strict=True)]
    rows.append(("RISK", "", "group", 1, 1))
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    values = pd.DataFrame({"H": [0.5, 0.0], "E": [0.8, 1.0], "V": [0.25, 1.0], "C": [0.19, 0.0]})
    steps = [
        {"step": "normalise", "method": "none"},
        {"step": "aggregate", "method": "product", "complement": ["C"]},
    ]
    index = fit(values, meta.set_index("code"), steps)
    assert index.scores["RISK"].tolist() == pytest.approx([0.5 * 0.8 * 0.25 * 0.9, 0.0])
    assert index.contributions.sum(axis=1).tolist() == pytest.approx(index.scores["RISK"].tolist())


def test_the_mean_from_the_other_end_of_a_scale_that_ends_at_one():
    """INFORM's form: (10 - sqrt(10 x 1)) / 9 where one part is highest and one lowest."""
    rows = [("A", "R", "indicator", 1, 1), ("B", "R", "indicator", 1, 1), ("R", "", "group", 1, 1)]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    values = pd.DataFrame({"A": [1.0, 0.5], "B": [0.0, 0.5]})
    steps = [
        {"step": "normalise", "method": "none"},
        {"step": "aggregate", "method": "inverse_geometric"},
    ]
    scores = fit(values, meta.set_index("code"), steps).scores["R"]
    assert scores.tolist() == pytest.approx([(10 - 10**0.5) / 9, 0.5])


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ({"method": "std_dev", "k": 4}, {"method": "standard_deviation", "k": 4}),
        (
            {"method": "fixed", "k": 4, "breaks": [0.2, 0.4, 0.6]},
            {"method": "thresholds", "k": 4, "thresholds": [0.2, 0.4, 0.6]},
        ),
        ({}, {"method": "natural_breaks", "k": 4}),
    ],
)
def test_short_form_of_the_project_file(short, expected):
    steps = default_steps({"classes": short, "aggregate": {"risk": "arithmetic"}}, "ROOT")
    assert steps[-1] == {"step": "classify", "code": "ROOT", **expected}
    assert steps[2]["method"] == {"default": "arithmetic", "ROOT": "arithmetic"}

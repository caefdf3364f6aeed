"""Vector functions by hand arithmetic, brute force or a second library."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from riskmap.errors import IndicatorError
from riskmap.index import aggregate as means
from riskmap.index import classify, prepare, weights
from riskmap.index import normalise as scales
from riskmap.index.aggregate import copeland, roll_up
from riskmap.index.steps import fit, parts, sampled, shapley

X = np.array([3.0, 1.0, np.nan, 5.0, 1.0])


@pytest.mark.parametrize(
    ("method", "direction", "options", "expected"),
    [
        ("minmax", 1, {"low": 0, "high": 100}, [50, 0, None, 100, 0]),
        ("minmax", -1, {"low": 0.01, "high": 1}, [0.505, 1, None, 0.01, 1]),
        ("goalposts", 1, {"goalposts": [2, 4]}, [0.5, 0, None, 1, 0]),
        ("goalposts", -1, {"goalposts": [2, 4], "high": 10}, [5, 10, None, 0, 10]),
        ("zscore", 1, {}, [0.5 / 11**0.5 * 3**0.5, None, None, None, None]),
        ("zscore", -1, {"mean": 50, "sd": 10}, [50 - 5 / 11**0.5 * 3**0.5, None, None, None, None]),
        ("rank", 1, {}, [3, 1, None, 4, 1]),
        ("rank", -1, {}, [2, 3, None, 1, 3]),
        ("borda", 1, {}, [2, 0, None, 3, 0]),
        ("percentile_rank", 1, {}, [2 / 3, 0, None, 1, 0]),
        ("target", 1, {"target": 4, "cap": True}, [2 / 3, 0, None, 1, 0]),
        ("target", -1, {"target": 1}, [0.5, 1, None, 0, 1]),
        ("max", 1, {}, [0.5, 0, None, 1, 0]),
        ("fraction_of_max", 1, {}, [0.6, 0.2, None, 1, 0.2]),
        ("fraction_of_max", -1, {}, [0.4, 0.8, None, 0, 0.8]),
        ("custom", 1, {"points": [[1, 0], [3, 80], [5, 100]]}, [80, 0, None, 100, 0]),
        ("none", -1, {}, [-3, -1, None, -5, -1]),
    ],
)
def test_scales_by_hand(method, direction, options, expected):
    way = scales.METHODS[method]
    found = way.apply(X, direction, way.fit(X, direction, options))
    assert np.isnan(found[2])
    for value, wanted in zip(found, expected, strict=True):
        assert wanted is None or value == pytest.approx(wanted)


def test_zscore_has_mean_0_and_sd_1():
    way = scales.METHODS["zscore"]
    found = way.apply(X, 1, way.fit(X, 1, {}))
    assert np.nanmean(found) == pytest.approx(0)
    assert np.nanstd(found, ddof=1) == pytest.approx(1)


@pytest.mark.parametrize(
    "method", ["minmax", "zscore", "rank", "percentile_rank", "max", "fraction_of_max"]
)
def test_a_constant_column_is_never_nan(method):
    way = scales.METHODS[method]
    same = np.zeros(4)
    assert not np.isnan(way.apply(same, 1, way.fit(same, 1, {}))).any()


def test_reference_unit():
    meta = pd.DataFrame(
        {"parent": ["R", ""], "kind": ["indicator", "group"], "direction": 1, "weight": 1.0},
        index=["a", "R"],
    )
    values = pd.DataFrame({"a": [0.0, 5.0, 10.0]}, index=["x", "y", "z"])
    steps = [{"step": "normalise", "method": "reference", "reference": "y"}, {"step": "aggregate"}]
    assert fit(values, meta, steps).scores["R"].tolist() == [0, 1, 2]
    with pytest.raises(IndicatorError):
        fit(values, meta, [{**steps[0], "reference": "w"}])


@pytest.mark.parametrize("seed", range(4))
def test_skew_and_kurtosis_as_scipy(seed):
    x = np.random.default_rng(seed).lognormal(size=30)
    assert prepare.skewness(x) == pytest.approx(stats.skew(x, bias=False))
    assert prepare.kurtosis(x) == pytest.approx(stats.kurtosis(x, bias=False))


def test_the_skew_of_the_fewest_values():
    assert prepare.skewness(np.array([0.0, 0.0, 1.0])) == pytest.approx(np.sqrt(3.0))
    assert np.isnan(prepare.skewness(np.array([0.0, 1.0])))


def test_winsorise_pulls_in_the_side_of_the_skew():
    x = np.array([*range(10), 40.0, 500.0])
    high, points = prepare.winsorise(x, 5, 2.0, 3.5)
    assert (points, high.max()) == (1, 40)
    low, points = prepare.winsorise(-x, 5, 2.0, 3.5)
    assert (points, low.min()) == (1, -40)


@pytest.mark.parametrize(("most", "said"), [(0, "winsorise_not_enough"), (5, "winsorise")])
def test_a_column_that_pulling_in_does_not_mend_is_told(most, said):
    x = [*map(float, range(10)), 40.0, 500.0]
    meta = pd.DataFrame(
        {"parent": ["R", ""], "kind": ["indicator", "group"], "direction": 1, "weight": 1},
        index=pd.Index(["a", "R"], name="code"),
    )  # fmt: skip
    step = {"step": "treat", "max_points": most, "max_skew": 2.0, "max_kurtosis": 3.5,
            "otherwise": "none"}  # fmt: skip
    steps = [step, {"step": "normalise"}, {"step": "weight"}, {"step": "aggregate"}]
    index = fit(pd.DataFrame({"a": x}), meta, steps)
    told = {one["step"]: one["fitted"] for one in index.params["steps"]}["treat"]["columns"]["a"]
    assert told["report"]["method"] == said
    assert told["high"] == (500 if most == 0 else 40)


@pytest.mark.parametrize(("methods", "units", "said"), [
    (["minmax", "minmax"], 7, True), (["minmax", "rank"], 7, True), (["rank", "rank"], 7, False),
    (["minmax", "minmax"], 8, False), (["minmax", "minmax"], 2, True),
])  # fmt: skip
def test_a_scale_whose_ends_are_single_units_is_told(methods, units, said):
    codes = ["a", "b"]
    meta = pd.DataFrame(
        {"parent": ["R", "R", ""], "kind": ["indicator", "indicator", "group"], "direction": 1,
         "weight": 1}, index=pd.Index([*codes, "R"], name="code"),
    )  # fmt: skip
    scale = {"step": "normalise", "method": dict(zip(codes, methods, strict=True))}
    index = fit(
        pd.DataFrame({code: np.arange(float(units)) for code in codes}), meta,
        [scale, {"step": "weight"}, {"step": "aggregate"}],
    )  # fmt: skip
    assert any("极差标准化" in str(note) for note in index.notes) is said


def test_boxcox_keeps_the_order():
    x = np.array([0.0, 1.0, 10.0])
    found = prepare.transform(x, {"method": "boxcox", "min": 0.0, "range": 10.0, "lambda": 0.5})
    assert found.tolist() == pytest.approx([0, (2**0.5 - 1) * 2, (11**0.5 - 1) * 2])


def test_means_against_scipy():
    x, w = np.random.default_rng(1).uniform(1, 9, (7, 4)), np.array([1.0, 2.0, 3.0, 0.5])
    assert means.geometric(x, w, {}) == pytest.approx(stats.gmean(x, axis=1, weights=w))
    assert means.harmonic(x, w, {}) == pytest.approx(stats.hmean(x, axis=1, weights=w))
    assert means.generalised(x, w, {"power": 3}) == pytest.approx(
        stats.pmean(x, 3, axis=1, weights=w)
    )
    assert means.generalised(x, w, {"power": 1}) == pytest.approx(means.arithmetic(x, w, {}))
    assert means.maximum(x, np.array([1, 1, 0, 0]), {}) == pytest.approx(x[:, :2].max(axis=1))


def test_copeland_against_the_outranking_matrix():
    x, w = np.random.default_rng(2).integers(0, 4, (9, 3)).astype(float), np.array([1.0, 2, 1])
    share = w / w.sum()
    wins = [
        sum(share[x[i] > x[j]].sum() + share[x[i] == x[j]].sum() / 2 for j in range(9) if j != i)
        for i in range(9)
    ]
    assert copeland(x, w, {}) == pytest.approx(wins)


def test_parts_that_fill_what_the_others_leave_of_a_scale_from_1_to_11():
    found = means.union(np.array([[6.0, 6.0], [1.0, 6.0]]), np.ones(2), {"low": 1, "top": 11})
    assert found.tolist() == pytest.approx([1 + 5 + 5 / 2, 6])


def test_shapley_of_a_sum_is_its_terms_and_sampling_is_near():
    x = np.random.default_rng(3).uniform(1, 2, (5, 3))
    spec = {"method": "arithmetic", "weights": {"a": 1.0, "b": 2.0, "c": 1.0}}
    score = means.arithmetic(x, np.array([1.0, 2, 1]), {})
    zero = shapley(x, score, spec, ("a", "b", "c"), baseline=np.zeros(3))
    assert zero == pytest.approx(x * [0.25, 0.5, 0.25])
    half = shapley(x, score, spec, ("a", "b", "c"), baseline=np.full(3, 0.5))
    assert half == pytest.approx(zero)  # what the baseline is worth is shared by weight
    curved = {"method": "harmonic", "weights": spec["weights"]}
    exact = shapley(x, means.harmonic(x, np.array([1.0, 2, 1]), {}), curved, ("a", "b", "c"))
    assert exact.sum(axis=1) == pytest.approx(means.harmonic(x, np.array([1.0, 2, 1]), {}))
    near, error = sampled(x, curved, ("a", "b", "c"), x.min(axis=0))
    base = means.harmonic(x.min(axis=0)[None], np.array([1.0, 2, 1]), {})[0]
    assert (near.sum(axis=1) + base) == pytest.approx(means.harmonic(x, np.array([1.0, 2, 1]), {}))
    assert (error < 0.01).all()


def test_log_shares_follow_the_components():
    x = np.array([[1.0, 0.1], [0.01, 1.0], [0.0, 1.0]])
    spec = {"method": "geometric", "weights": {"a": 1.0, "b": 1.0}}
    score = means.geometric(x, np.ones(2), {})
    found = parts(x, score, spec, ("a", "b"), 0.01)
    assert found[0].tolist() == pytest.approx([score[0] * 2 / 3, score[0] / 3])
    assert found[1].tolist() == pytest.approx([0, score[1]])
    assert found[2].tolist() == [0, 0]


def test_optimised_weights_give_equal_influence():
    x = np.random.default_rng(4).normal(size=(200, 3)) * [1, 3, 0.5]
    x[:, 2] += x[:, 1] / 4
    w = weights.optimised(x)
    influence = weights.influence(x, x @ w)
    assert influence == pytest.approx(np.full(3, influence.mean()), abs=1e-4)
    goal = np.array([0.5, 0.3, 0.2])
    apart = np.linalg.qr(x - x.mean(axis=0))[0]
    moved = weights.influence(apart, apart @ weights.optimised(apart, goal))
    assert moved / moved.sum() == pytest.approx(goal, abs=1e-4)
    assert weights.optimised(x, 10 * goal) == pytest.approx(weights.optimised(x, goal), abs=1e-6)


def test_weights_are_optimised_to_the_influence_that_the_steps_file_asks_for():
    rows = [
        ("a", "R", "indicator", 1, 1.0),
        ("b", "R", "indicator", 1, 1.0),
        ("R", "", "group", 1, 1.0),
    ]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
        "code"
    )
    x = np.linalg.qr(np.random.default_rng(8).normal(size=(40, 2)))[0]
    steps = [
        {"step": "normalise", "method": "zscore"},
        {"step": "weight", "method": "optimised", "target": {"a": 0.8, "b": 0.2}},
        {"step": "aggregate"},
    ]
    found = fit(pd.DataFrame(x, columns=["a", "b"]), meta, steps).meta["weight"]
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    moved = weights.influence(scaled, scaled @ found[["a", "b"]].to_numpy())
    assert moved[0] / moved.sum() == pytest.approx(0.8, abs=1e-4)


def test_pca_of_two_correlated_columns_and_noise():
    generator = np.random.default_rng(5)
    one = generator.normal(size=2000)
    x = np.column_stack(
        [one, one + generator.normal(size=2000) * 0.01, generator.normal(size=2000)]
    )
    w = weights.pca(x)
    assert w.sum() == pytest.approx(1)
    assert w[0] == pytest.approx(w[1], abs=0.01)


def test_ahp_problems_name_their_cells():
    codes, mend = ("A", "B", "C"), {"method": "eigenvector", "max_ratio": 0.1}
    wrong = {"matrix": [[1, 9, "1/9"], ["1/9", 1, 9], [9, "1/9", 1]]}
    _, _, problems = weights.weigh("R", codes, wrong, **mend)
    assert [p.rule for p in problems] == ["ahp_consistency"]
    assert (
        "A/C" in str(problems[0].message)
        or "A/B" in str(problems[0].message)
        or "B/C" in str(problems[0].message)
    )
    _, _, problems = weights.weigh(
        "R", codes, {"matrix": [[1, 2, 3], [1, 1, 2], ["1/3", 0.5, 1]]}, **mend
    )
    assert "A/B" in str(problems[0].message)
    _, _, problems = weights.weigh("R", codes, {"matrix": [[1, 2], [0.5, 1]]}, **mend)
    assert [p.rule for p in problems] == ["ahp_shape"]
    _, _, problems = weights.weigh("R", codes, {"codes": ["A", "B", "X"], "matrix": []}, **mend)
    assert [p.rule for p in problems] == ["ahp_codes"]


def test_worst_judgement_is_the_planted_one():
    truth = np.array([0.4, 0.3, 0.2, 0.1])
    matrix = truth[:, None] / truth[None, :]
    matrix[1, 3], matrix[3, 1] = 1 / 5, 5
    found = weights.pairwise(matrix)
    assert found.ratio >= 0.1
    assert found.worst == (1, 3)


def test_weights_combined_and_by_group():
    rows = [("a", "G", "indicator", 1, 3.0), ("b", "G", "indicator", 1, 1.0),
            ("c", "R", "indicator", 1, 1.0), ("G", "R", "group", 1, 1.0), ("R", "", "group", 1, 1.0)]  # fmt: skip
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
        "code"
    )
    values = pd.DataFrame(np.random.default_rng(6).uniform(size=(20, 3)), columns=["a", "b", "c"])
    norm = {"step": "normalise"}

    def used(**options):
        return fit(values, meta, [norm, {"step": "weight", **options}, {"step": "aggregate"}]).meta[
            "weight"
        ]

    entropy = used(method={"G": "entropy"})
    given = np.array([0.75, 0.25])
    both = used(method={"G": "combined"}, of=["given", "entropy"], theta=0.25)
    assert both[["a", "b"]].tolist() == pytest.approx(
        (0.25 * given + 0.75 * entropy[["a", "b"]]).tolist()
    )
    times = used(method={"G": "combined"}, of=["given", "entropy"], combine="product")
    expected = given * entropy[["a", "b"]]
    assert times[["a", "b"]].tolist() == pytest.approx((expected / expected.sum()).tolist())
    assert entropy["c"] == 1.0
    assert used(method="equal")[["a", "b", "c", "G"]].tolist() == [0.5, 0.5, 0.5, 0.5]


def test_grading_tables():
    table = np.array([[1, 1, 2], [1, 2, 3], [2, 3, 4]])
    found = classify.matrix_class(
        np.array([3.0, 1, 4, np.nan, 1.5]), np.array([3.0, 1, 1, 1, 1]), table
    )
    assert found.tolist() == [4, 1, 0, 0, 0]
    at_limits = classify.lec_class(
        np.array([70.0, 71, 320, 321]), np.ones(4), np.ones(4), np.array([70, 160, 320])
    )
    assert at_limits.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ({"method": "risk_matrix", "likelihood": "L", "consequence": "X", "table": [[1]]}, ["missing_column"]),
        ({"method": "risk_matrix", "likelihood": "L", "consequence": "C", "table": [[1, 2], [3]]}, ["matrix"]),
        ({"method": "risk_matrix", "likelihood": "L", "consequence": "C", "table": [[1, 10]]}, ["matrix"]),
        ({"method": "lec", "likelihood": "L", "exposure": "C", "consequence": "C"}, ["missing_option"]),
        ({"method": "lec", "likelihood": "L", "exposure": "C", "consequence": "C", "thresholds": [9]}, []),
    ],
)  # fmt: skip
def test_what_a_grading_table_lacks_is_told(options, rules):
    found = classify.table_problems(pd.DataFrame({"L": [1.0], "C": [2.0]}), options)
    assert [problem.rule for problem in found] == rules


def test_red_flag_raises_the_class():
    rows = [("a", "R", "indicator", 1, 1.0), ("R", "", "group", 1, 1.0)]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
        "code"
    )
    values = pd.DataFrame(
        {"a": [0.0, 1, 2, 3], "deaths": [1, 0, 0, 0], "L": [1, 2, 3, 3], "C": [1, 1, 2, 3]}
    )
    flags = [{"column": "deaths", "at_least": 1, "class": 4}]
    steps = [{"step": "normalise"}, {"step": "aggregate"}]
    by_break = {"step": "classify", "method": "equal_interval", "k": 4, "red_flags": flags}
    assert fit(values, meta, [*steps, by_break]).classes.tolist() == [4, 2, 3, 4]
    fixed = {"step": "classify", "method": "thresholds", "thresholds": [0.5, 0.9]}
    found = fit(values, meta, [*steps, fixed])
    assert found.classes.tolist() == [1, 1, 2, 3]
    assert found.details["classify"]["breaks"]["R"] == [0.5, 0.9, 1.0]  # the last is the highest
    matrix = {"step": "classify", "method": "risk_matrix", "likelihood": "L", "consequence": "C",
              "table": [[1, 1, 2], [1, 2, 3], [2, 3, 4]]}  # fmt: skip
    assert fit(values, meta, [*steps, matrix]).classes.tolist() == [1, 1, 3, 4]


def test_roll_up_by_hand():
    scores = pd.Series({"a": 1.0, "b": 3.0, "c": 5.0, "d": np.nan})
    towns = pd.Series({"a": "t", "b": "t", "c": "s", "d": "s"})
    people = pd.Series({"a": 3.0, "b": 1.0, "c": 2.0, "d": 9.0})
    assert roll_up(scores, towns, weights=people).to_dict() == {"s": 5.0, "t": 1.5}
    assert roll_up(scores, towns, method="max").to_dict() == {"s": 5.0, "t": 3.0}
    classes = pd.Series({"a": 4, "b": 1, "c": 0, "d": 0}, dtype="Int8")
    red = roll_up(classes, towns, method="share_red", weights=people)
    assert red["t"] == 0.75
    assert np.isnan(red["s"])


def test_standard_deviation_breaks_lie_at_whole_steps():
    x = np.random.default_rng(8).normal(10, 2, 500)
    limits = classify.standard_deviation(x, 4)
    assert limits[:3] == pytest.approx(
        [x.mean() - x.std(ddof=1), x.mean(), x.mean() + x.std(ddof=1)]
    )


@pytest.mark.parametrize(
    ("method", "filled"), [("mean", 4.0), ("median", 3.0), ("last", 2.0), ("linear", 3.0)]
)
def test_imputation_by_hand(method, filled):
    rows = [
        ("a", "R", "indicator", 1, 1.0),
        ("b", "R", "indicator", -1, 1.0),
        ("R", "", "group", 1, 1.0),
    ]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
        "code"
    )
    values = pd.DataFrame({"a": [2.0, np.nan, 4.0, 8.0, 3.0, 3.0], "b": [0.0, 4, 10, 10, 10, 10],
                           "year": [2020, 2021, 2022, 2023, 2021, 2022], "town": list("xxxxyy")})  # fmt: skip
    step = {"step": "impute", "method": method, "time": "year", "series": "town"}
    index = fit(values, meta, [step])
    assert index.stages["imputed"]["a"].iloc[1] == pytest.approx(filled)
    assert index.details["impute"] == [["1", "a", filled]]


def test_imputation_by_row_goes_through_minmax_and_direction():
    rows = [
        ("a", "R", "indicator", 1, 1.0),
        ("b", "R", "indicator", -1, 1.0),
        ("R", "", "group", 1, 1.0),
    ]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
        "code"
    )
    values = pd.DataFrame({"a": [0.0, np.nan, 8.0], "b": [0.0, 4.0, 10.0]})
    index = fit(values, meta, [{"step": "impute", "method": "row_mean"}])
    assert index.stages["imputed"]["a"].iloc[1] == pytest.approx(0.6 * 8)


def test_ranks_against_pandas_also_within_levels():
    from riskmap.index.steps import rank_scores

    scores = pd.DataFrame(
        np.random.default_rng(9).integers(0, 6, (50, 2)).astype(float), columns=["a", "b"]
    )
    scores.iloc[3] = np.nan
    level = pd.Series(["town", "village"] * 25)
    every = scores.rank(ascending=False, method="min").astype("Int64")
    pd.testing.assert_frame_equal(rank_scores(scores), every)
    within = scores.groupby(level).rank(ascending=False, method="min").astype("Int64")
    pd.testing.assert_frame_equal(rank_scores(scores, within=level), within)
    assert rank_scores(scores.iloc[:0]).shape == (0, 2)


def test_what_weighs_nothing_has_no_mean():
    assert np.isnan(means.weighted_mean(np.array([1.0, np.nan]), np.array([0.0, 2.0])))

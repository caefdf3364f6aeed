"""What must hold for any table."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from riskmap.index import classify
from riskmap.index.stability import columns_of, groups_of
from riskmap.index.steps import default_steps, down, fit, reference
from riskmap.index.tree import build_tree

CODES = ["a", "b", "c", "d", "e", "f"]
ROWS = [
    ("a", "HAZARD", "indicator", 1, 1.0), ("b", "HAZARD", "indicator", -1, 2.0),
    ("c", "EXPOSURE", "indicator", 1, 1.0), ("d", "VULNERABILITY", "indicator", 1, 1.0),
    ("e", "VULNERABILITY", "indicator", -1, 3.0), ("f", "CAPACITY", "indicator", -1, 1.0),
    ("HAZARD", "RISK", "group", 1, 0.4), ("EXPOSURE", "RISK", "group", 1, 0.3),
    ("VULNERABILITY", "RISK", "group", 1, 0.2), ("CAPACITY", "RISK", "group", 1, 0.1),
    ("RISK", "", "group", 1, 1.0),
]  # fmt: skip
META = pd.DataFrame(ROWS, columns=["code", "parent", "kind", "direction", "weight"]).set_index(
    "code"
)
ARITHMETIC = [
    {"step": "normalise"},
    {"step": "weight"},
    {"step": "aggregate"},
    {"step": "classify"},
]
numbers = st.one_of(
    st.floats(-1000, 1000, width=32).map(lambda v: round(v, 2)), st.just(float("nan"))
)


@st.composite
def tables(draw):
    n = draw(st.integers(2, 12))
    x = draw(npst.arrays(float, (n, len(CODES)), elements=numbers))
    x[0] = np.where(np.isnan(x).all(axis=0), 1.0, x[0])
    return pd.DataFrame(x, columns=CODES, index=[f"u{i}" for i in range(n)])


@settings(max_examples=60, deadline=None)
@given(tables())
def test_scores_stay_in_range_and_contributions_sum_to_them(values):
    for steps in (default_steps(), ARITHMETIC):
        index = fit(values, META, steps)
        scores = index.scores.to_numpy()
        known = scores[~np.isnan(scores)]
        assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all()
        total = index.contributions.sum(axis=1, skipna=False)
        np.testing.assert_allclose(total, index.scores["RISK"], atol=1e-12)
        found = down(
            build_tree(index.meta), columns_of(index), groups_of(index), "RISK",
            reference(index.params),
        )  # fmt: skip
        parts = sum(found[code] for code in CODES)
        some = index.scores["RISK"].notna().to_numpy()
        np.testing.assert_allclose(parts[some], index.scores["RISK"][some], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(values, random):
    order = list(values.index)
    random.shuffle(order)
    one, two = fit(values, META, default_steps()), fit(values.loc[order], META, default_steps())
    pd.testing.assert_frame_equal(one.scores.loc[order], two.scores, check_exact=True)
    pd.testing.assert_series_equal(one.classes.loc[order], two.classes)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from([2.0, 1000.0, 0.5]), st.integers(-8, 8))
def test_unit_of_measure_does_not_matter(values, scale, shift):
    one, two = fit(values, META, ARITHMETIC), fit(values * scale + shift, META, ARITHMETIC)
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_direction_flips_the_order(values):
    flipped = META.assign(direction=np.where(META["kind"] == "indicator", -META["direction"], 1))
    one, two = fit(values, META, ARITHMETIC), fit(values, flipped, ARITHMETIC)
    varied = [c for c in CODES if values[c].min() < values[c].max()]
    a, b = one.stages["normalised"][varied], two.stages["normalised"][varied]
    np.testing.assert_allclose(a + b, np.where(a.isna(), np.nan, 1.0), atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(tables())
def test_zero_hazard_is_zero_risk(values):
    index = fit(values, META, default_steps())
    zero = index.scores["HAZARD"] == 0
    assert (index.scores.loc[zero, "RISK"] == 0).all()
    above = index.scores["HAZARD"] > 0
    risk = index.scores.loc[above, "RISK"].dropna()  # unknown where hazard alone is known
    assert (risk > 0).all(), "nothing but hazard can erase the rest"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9), st.integers(2, 5))
def test_natural_breaks_are_the_best_of_all(numbers_drawn, k):
    import itertools

    x = np.array(numbers_drawn, dtype=float)
    values = np.unique(x)
    k = min(k, len(values))

    def cost(limits):
        classes = classify.classify(x, list(limits))
        return sum(((x[classes == c] - x[classes == c].mean()) ** 2).sum() for c in set(classes))

    every = [
        cost([*(values[i] for i in cut), values[-1]])
        for cut in itertools.combinations(range(len(values) - 1), k - 1)
    ]
    assert abs(cost(classify.natural_breaks(x, k)) - min(every)) < 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=40), st.integers(2, 6))
def test_every_method_of_breaks_covers_all_values(drawn, k):
    x = np.array(drawn, dtype=float)
    for method in classify.METHODS.values():
        limits = method(x, k)
        assert limits == sorted(limits)
        assert len(limits) <= k
        assert limits[-1] >= x.max() - 1e-6
        assert set(classify.classify(x, limits)) <= set(range(1, k + 1))

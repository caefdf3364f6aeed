"""Rounding is not data, and nothing is graded from nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.i18n import language
from riskmap.index.classify import classify
from riskmap.index.steps import apply, fit
from riskmap.index.tree import settled

NAMES = ["code", "parent", "kind", "direction", "weight"]


def table_of(*codes):
    rows = [(code, "R", "indicator", 1, 1) for code in codes] + [("R", "", "group", 1, 1)]
    return pd.DataFrame(rows, columns=NAMES).set_index("code")


def chain(normalise="minmax", weight="given", **classes):
    return [
        {"step": "normalise", "method": normalise},
        {"step": "weight", "method": weight},
        {"step": "aggregate", "method": "arithmetic"},
        {"step": "classify", **classes},
    ]


NOISY = [0.1 / 1, 0.3 / 3, 0.7 / 7, 0.2 / 2]  # 0.1, but for the 17th digit


def test_noise_is_one_value_and_data_are_not():
    assert len(set(NOISY)) > 1
    assert len(set(settled(np.array(NOISY)).tolist())) == 1
    far = np.array([1.0, 1.0 + 1e-8, 0.0, 1e-13])
    assert settled(far).tolist() == far.tolist()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_settling_moves_nothing_that_can_be_seen(values):
    x = np.array(values)
    moved = np.abs(settled(x) - x)
    assert (moved <= 30 * (1e-10 * np.abs(x) + 4e-15 * np.abs(x).max())).all()


@pytest.mark.parametrize("method", ["minmax", "zscore", "rank", "percentile_rank", "borda"])
def test_a_column_constant_but_for_rounding_tells_nothing(method):
    values = pd.DataFrame({"A": NOISY}, index=list("wxyz"))
    found = fit(values, table_of("A"), chain(method))
    assert found.scores["R"].nunique() == 1
    assert found.ranks["R"].tolist() == [1, 1, 1, 1]
    assert found.classes.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("weight", ["entropy", "critic", "pca"])
def test_rounding_has_no_weight(weight):
    values = pd.DataFrame({"A": NOISY, "B": [1.0, 2.0, 3.0, 9.0]}, index=list("wxyz"))
    found = fit(values, table_of("A", "B"), chain(weight=weight))
    assert found.meta["weight"].loc[["A", "B"]].tolist() == [0.0, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.permutations([0.1, 0.2, 0.3]), st.permutations([0.1, 0.2, 0.3]))
def test_the_same_numbers_in_another_order_are_the_same_score(one, two):
    rows = [one, two, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.5]]
    values = pd.DataFrame(rows, index=list("abcde"), columns=["A", "B", "C"])
    found = fit(values, table_of("A", "B", "C"), chain(k=4))
    ranks, classes = found.ranks["R"], found.classes
    assert ranks["a"] == ranks["b"] == 3
    assert classes["a"] == classes["b"]
    again = apply(found.params, values, table_of("A", "B", "C"))
    assert again.scores.equals(found.scores)


def test_a_value_beside_a_limit_by_rounding_stands_on_it():
    assert classify(np.array([0.1 + 0.2, 0.3, 0.31]), [0.3, 1.0]).tolist() == [1, 1, 2]


@pytest.mark.parametrize("values", [[5.0], [1.0, 2.0, 3.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
def test_fewer_values_than_classes_are_not_graded(values):
    table = pd.DataFrame({"A": values}, index=[f"u{i}" for i in range(len(values))])
    found = fit(table, table_of("A"), chain(k=4))
    assert found.classes.tolist() == [0] * len(values)
    with language("en"):
        assert any("cannot be graded" in str(note) for note in found.notes)


def test_thresholds_and_goalposts_grade_one_unit_alone():
    table = pd.DataFrame({"A": [5.0]}, index=["u"])
    by_limits = fit(table, table_of("A"), chain(method="thresholds", thresholds=[0.25, 0.5]))
    assert by_limits.classes.tolist() == [1]
    steps = chain(k=4)
    steps[0] = {"step": "normalise", "method": "goalposts", "goalposts": [0, 8]}
    by_posts = fit(table, table_of("A"), steps)  # 5 of 8: 0.625, in the third quarter
    assert by_posts.classes.tolist() == [3]

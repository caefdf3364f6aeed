"""Edge inputs through the command's own door: told what is wrong, or computed as by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from riskmap.cli.index_files import read_number, run_index
from riskmap.errors import IndicatorError
from riskmap.index.aggregate import product, roll_up
from riskmap.index.classify import standard_deviation
from riskmap.index.normalise import distinct, percentile_rank
from riskmap.index.prepare import kurtosis, skewness
from riskmap.index.weights import influence

if TYPE_CHECKING:
    from pathlib import Path

TREE = "code,parent,kind,direction,weight\nR,,group,1,1\na,R,indicator,1,1\nb,R,indicator,-1,1\n"
PLAIN = "unit,a,b\nu1,1,4\nu2,2,6\nu3,4,5\n"


def scores(tmp_path: Path, steps: list[dict[str, object]], values: str = PLAIN) -> pd.DataFrame:
    """Run the command on small tables and read its scores."""
    (tmp_path / "v.csv").write_text(values, encoding="utf-8")
    (tmp_path / "i.csv").write_text(TREE, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(steps), encoding="utf-8")
    run_index(
        tmp_path / "v.csv", tmp_path / "i.csv", steps=tmp_path / "s.yaml", out=tmp_path / "out"
    )
    return pd.read_csv(tmp_path / "out" / "scores.csv", index_col="unit")


NORMAL: dict[str, object] = {"step": "normalise"}
JOIN: dict[str, object] = {"step": "aggregate"}
GAPS = "unit,a,b\nu1,1,\nu2,,6\n"


@pytest.mark.parametrize(
    ("steps", "values", "rules"),
    [
        (  # a pair of methods cannot hold the pair itself
            [NORMAL, {"step": "weight", "method": "combined", "of": ["combined", "pca"]}, JOIN],
            PLAIN,
            {"method"},
        ),
        (
            [NORMAL, {"step": "weight", "method": "combined", "theta": 2}, JOIN],
            PLAIN,
            {"theta"},
        ),
        *(
            ([NORMAL, {"step": "weight", "method": name}, JOIN], GAPS, {"rows"})
            for name in ("entropy", "critic", "pca", "optimised")
        ),
        ([NORMAL, JOIN, {"step": "classify", "red_flags": [{"column": "a"}]}], PLAIN, {"red_flag"}),
        ([NORMAL, JOIN, {"step": "classify", "red_flags": "a"}], PLAIN, {"form"}),
        (
            [{**NORMAL, "method": "zscore"}, {**JOIN, "method": "generalised", "power": 3}],
            PLAIN,
            {"negative"},
        ),
        (
            [{**NORMAL, "high": 100}, {**JOIN, "method": "product", "complement": ["b"]}],
            PLAIN,
            {"negative"},
        ),
        ([{**NORMAL, "method": "reference", "reference": "u1"}, JOIN], GAPS, {"reference"}),
        ([{**NORMAL, "method": "custom", "points": []}, JOIN], PLAIN, {"missing_option"}),
        (
            [{**NORMAL, "method": "fraction_of_max"}, JOIN],
            "unit,a,b\nu1,-1,4\nu2,-2,6\n",
            {"negative"},
        ),
        ([{"step": "screen", "drop": ["u2"]}, NORMAL, JOIN], GAPS, {"all_missing"}),
        ([NORMAL], PLAIN, {"order"}),
        ([NORMAL, {**JOIN, "method": "inverse_geometric", "top": 0}], PLAIN, {"top"}),
        (
            [{"step": "impute", "method": "linear", "time": "t"}, NORMAL, JOIN],
            "unit,a,b,t\nu1,1,2,\nu2,,6,2021\n",
            {"blank"},
        ),
    ],
)
def test_is_told_in_one_message(
    tmp_path: Path, steps: list[dict[str, object]], values: str, rules: set[str]
) -> None:
    with pytest.raises(IndicatorError) as told:
        scores(tmp_path, steps, values)
    assert {problem.rule for problem in told.value.problems} == rules
    assert not (tmp_path / "out").exists()


def test_each_problem_is_told_once(tmp_path: Path) -> None:
    tree = TREE.replace("1,1\n", "1,0\n")
    (tmp_path / "i.csv").write_text(tree, encoding="utf-8")
    (tmp_path / "v.csv").write_text(PLAIN, encoding="utf-8")
    steps = [NORMAL, {"step": "weight", "method": "combined"}, JOIN]
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(steps), encoding="utf-8")
    (tmp_path / "i.csv").write_text(tree.replace("-1,1", "-1,0"), encoding="utf-8")
    with pytest.raises(IndicatorError) as told:
        run_index(
            tmp_path / "v.csv", tmp_path / "i.csv", steps=tmp_path / "s.yaml", out=tmp_path / "o"
        )
    assert len(told.value.problems) == 1


def test_a_constant_column_tells_nothing_even_when_its_mean_is_rounded(tmp_path: Path) -> None:
    # the mean of three times 0.1 is not 0.1 in floating point: the spread is noise, not 1 sd
    values = "unit,a,b\nu1,0.1,4\nu2,0.1,6\nu3,0.1,5\n"
    found = scores(tmp_path, [{**NORMAL, "method": "zscore"}, JOIN], values)
    assert found["R"].tolist() == [0.5, -0.5, 0.0]
    x = np.full(3, 0.1)
    assert np.isnan(skewness(x))
    assert np.isnan(kurtosis(np.full(7, 0.1)))
    assert standard_deviation(x, 4) == pytest.approx([0.1])
    score = np.array([0.3, 0.1, 0.2])
    assert influence(np.column_stack([x, score]), score).tolist() == pytest.approx([0.0, 1.0])


def test_a_reference_unit_named_by_a_number(tmp_path: Path) -> None:
    # YAML reads 2 as a number, the table as a text; a: (x - 1) / (2 - 1), b: (6 - x) / (6 - 5)
    steps = [{**NORMAL, "method": "reference", "reference": 2}, JOIN]
    found = scores(tmp_path, steps, "unit,a,b\n1,1,6\n2,2,5\n3,4,4\n")
    assert found["R"].tolist() == [0.0, 1.0, 2.5]


def test_a_product_of_nothing_known_is_unknown() -> None:
    x = np.array([[0.0, np.nan], [4.0, np.nan], [0.0, 3.0]])
    found = product(x, np.array([1.0, 1.0]), {"inverse": [0]})
    np.testing.assert_array_equal(found, [np.nan, 0.25, 3.0])


def test_ranks_of_new_values_stay_on_the_scale() -> None:
    params = distinct(np.array([1.0, 2.0, 3.0]), 1, {})
    for direction, expected in ((1, [0.0, 1.0]), (-1, [1.0, 0.0])):
        assert percentile_rank(np.array([0.0, 9.0]), direction, params).tolist() == expected


@given(st.floats(-1e9, 1e9).map(lambda x: round(x, 3)))
def test_python_writes_thousands_and_they_are_read(number: float) -> None:
    assert read_number(f"{number:,}") == number


@pytest.mark.parametrize("cell", ["0,123", "1234,567", "1,23", "1,2345", "00,123", ",123"])
def test_a_comma_that_may_be_decimal_is_not_guessed(cell: str) -> None:
    with pytest.raises(ValueError, match=cell.replace(".", r"\.")):
        read_number(cell)


@given(st.lists(st.tuples(st.sampled_from([*"abc", None]), st.floats(0, 9)), min_size=1))
def test_roll_up_equals_pandas(rows: list[tuple[str | None, float]]) -> None:
    parents, values = (pd.Series(list(column)) for column in zip(*rows, strict=True))
    found = roll_up(values, parents)
    expected = values.groupby(parents.astype(object)).mean()
    assert found.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-12, atol=1e-12)


def test_a_unit_of_which_only_capacity_is_known_has_no_risk():
    """Two of four components are enough, one is not: nobody is ranked by refuges alone."""
    from riskmap.index.steps import default_steps, fit

    parts = ["HAZARD", "EXPOSURE", "VULNERABILITY", "CAPACITY"]
    rows = [(p, "RISK", "group", 1, 1) for p in parts] + [("RISK", "", "group", 1, 1)]
    rows += [(p[0], p, "indicator", 1, 1) for p in parts]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    nan = float("nan")
    values = pd.DataFrame(
        {
            "H": [1, 2, 3, 4, nan],
            "E": [1, 2, 3, 4, nan],
            "V": [1, 2, 3, nan, nan],
            "C": [1.0, 2, 3, nan, 4],
        },
        index=list("abcde"),
    )
    found = fit(values, meta.set_index("code"), default_steps())
    score = found.scores["RISK"]
    assert score[list("abcd")].notna().all()
    assert np.isnan(score["e"])
    assert found.classes["e"] == 0


@pytest.mark.parametrize(
    ("share", "right"), [(0.0, True), (1.0, True), (1.01, False), (-0.1, False)]
)
def test_a_share_runs_from_nothing_to_all(tmp_path, share, right):
    steps = [{"step": "screen", "min_share": share}, NORMAL, JOIN]
    if right:
        assert len(scores(tmp_path, steps)) == 3
    else:
        with pytest.raises(IndicatorError):
            scores(tmp_path, steps)


def test_a_group_that_points_down_is_refused_and_its_indicators_turned_instead(
    tmp_path: Path,
) -> None:
    groups = "code,parent,kind,direction,weight\nR,,group,,1\nG,R,group,{0},1\na,R,indicator,1,1\n"
    tree = groups + "b,G,indicator,{1},1\nc,G,indicator,{1},1\n"
    (tmp_path / "v.csv").write_text("unit,a,b,c\nu1,1,4,1\nu2,2,6,1.5\nu3,4,5,3\n", "utf-8")
    files = {"steps": None, "out": tmp_path / "out"}
    (tmp_path / "i.csv").write_text(tree.format(-1, 1), "utf-8")
    with pytest.raises(IndicatorError) as told:
        run_index(tmp_path / "v.csv", tmp_path / "i.csv", **files)
    assert [(one.rule, "G" in str(one.message)) for one in told.value.problems] == [
        ("direction", True)
    ]
    (tmp_path / "i.csv").write_text(tree.format("", -1), "utf-8")
    run_index(tmp_path / "v.csv", tmp_path / "i.csv", **files)
    found = pd.read_csv(tmp_path / "out" / "scores.csv", index_col="unit")
    # b down: 1, 0, 1/2; c down: 1, 3/4, 0; a up: 0, 1/3, 1; each mean by hand.
    assert found["G"].tolist() == pytest.approx([1, 3 / 8, 1 / 4])
    assert found["R"].tolist() == pytest.approx([1 / 2, 17 / 48, 5 / 8])

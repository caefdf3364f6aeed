"""Shipped recipes run, and give what their formulas give by hand."""

import numpy as np
import pandas as pd
import pytest

from riskmap.errors import IndicatorError
from riskmap.index.aggregate import roll_points, roll_up
from riskmap.index.steps import fit, load_recipe, recipe_names
from riskmap.index.tree import build_tree, clean_meta

CLASSES = ("PROD", "CROWD", "FACILITY", "NATURAL")


@pytest.mark.parametrize("name", recipe_names())
def test_recipe_is_a_good_tree_with_names_and_source(name):
    recipe = load_recipe(name)
    assert build_tree(clean_meta(recipe.meta)).root == "RISK"
    assert recipe.meta[["name_zh", "name_en"]].map(bool).all().all()
    assert recipe.source
    assert recipe.status in ("sourced", "check", "unverified")


def test_unknown_recipe():
    with pytest.raises(IndicatorError):
        load_recipe("infrom")


def test_nri_is_loss_times_vulnerability_over_resilience():
    recipe = load_recipe("nri")
    values = pd.DataFrame(
        {"LOSS": [10.0, 6, 3, 2, 1], "VULNERABILITY": [2.0] * 5, "RESILIENCE": [4.0, 1, 1, 1, 1]}
    )
    found = fit(values, recipe.meta, recipe.steps).scores["RISK"]
    assert found.tolist() == pytest.approx([5, 12, 6, 4, 2])


def test_inform_by_hand():
    recipe = load_recipe("inform")
    codes = ["NATURAL", "HUMAN", "SOCIOECONOMIC", "GROUPS", "INSTITUTIONS", "INFRASTRUCTURE"]
    values = pd.DataFrame(np.random.default_rng(0).uniform(1, 9, (8, 6)), columns=codes)
    values.loc[0] = [8, 2, 4, 4, 5, 5]
    found = fit(values, recipe.meta, recipe.steps).scores.loc[0]
    hazard = (10 - ((10 - 8) / 10 * 9 + 1) ** 0.5 * ((10 - 2) / 10 * 9 + 1) ** 0.5) / 9 * 10
    assert found["HAZARD"] == pytest.approx(hazard)
    assert found["VULNERABILITY"] == pytest.approx(4)
    assert found["RISK"] == pytest.approx((hazard * 4 * 5) ** (1 / 3))


def test_city_operation_from_points_to_classes_to_streets_to_the_district():
    generator = np.random.default_rng(7)
    streets = [f"街道{n}" for n in range(1, 13)]
    points = pd.DataFrame(
        {
            "unit_id": generator.choice(streets, 400),
            "class": generator.choice(CLASSES, 400),
            "score": generator.uniform(0, 100, 400).round(1),
            "open": generator.uniform(size=400) < 0.2,
        }
    )
    worst = roll_points(points, kinds=CLASSES).add_suffix("_WORST")
    counted = points.groupby(["unit_id", "class"])
    density = counted.size().unstack().reindex(columns=CLASSES).add_suffix("_DENSITY") / 5.0
    still = counted["open"].mean().mul(100).unstack().reindex(columns=CLASSES).add_suffix("_OPEN")
    values = worst.join(density).join(still)
    recipe = load_recipe("city_operation")
    index = fit(values, recipe.meta, recipe.steps)
    report = index.details["weight"]["ahp"]["RISK"]
    assert 0 <= report["CR"] < 0.1
    assert list(index.class_table) == ["RISK", *CLASSES]
    assert set(index.classes) == {1, 2, 3, 4}
    top3 = points.query("unit_id == '街道1' and `class` == 'PROD'")["score"].nlargest(3).mean()
    assert values.loc["街道1", "PROD_WORST"] == pytest.approx(top3)
    people = pd.Series(np.arange(1.0, 13), index=streets)
    district = roll_up(index.scores["RISK"], pd.Series("杨浦区", index=streets), weights=people)
    expected = np.average(index.scores["RISK"].loc[streets], weights=people)
    assert district["杨浦区"] == pytest.approx(expected)
    red = roll_up(
        index.classes, pd.Series("杨浦区", index=streets), method="share_red", weights=people
    )
    in_red = people[index.classes.loc[streets] == 4].sum() / people.sum()
    assert red["杨浦区"] == pytest.approx(in_red)

"""Floating catchments against the published hospital example, and what they must conserve."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmap.siting.allocation import three_step, two_step

DATA = Path(__file__).parents[1] / "data" / "access_2sfca"
EXPECTED = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
TRACTS = pd.read_csv(DATA / "tracts.csv").sort_values("geoid").reset_index(drop=True)
COSTS = pd.read_csv(DATA / "costs.csv")


def methods(scenario):
    costs = COSTS[COSTS["scenario"] == scenario]
    place = pd.Series(TRACTS.index, index=TRACTS["geoid"])
    rows = place[costs["origin"]].to_numpy()
    cols = place[costs["dest"]].to_numpy()
    cost = costs["cost"].to_numpy(float)
    given = {"demand": TRACTS["pop"].to_numpy(float), "supply": TRACTS["doc"].to_numpy(float)}
    gravity = np.where(cost < 61, 1 / cost, 0.0)
    return {
        "2sfca_binary_catchment30": two_step(rows, cols, cost <= 30, **given),
        "2sfca_gravity_w=1/cost_max61": two_step(rows, cols, gravity, **given),
        "3sfca_gravity_w=1/cost_max61": three_step(
            rows, cols, 1 / cost, catchment=cost < 61, **given
        ),
    }


@pytest.mark.parametrize("scenario", sorted(EXPECTED))
def test_published_hospital_example(scenario):
    found = methods(int(scenario.removeprefix("scenario_")))
    for name, values in EXPECTED[scenario].items():
        shown = dict(zip(TRACTS["geoid"].astype(str), found[name], strict=True))
        for geoid, value in values.items():
            assert shown[geoid] == pytest.approx(value, abs=1e-9), (name, geoid)


@given(st.integers(0, 10_000))
def test_supply_that_somebody_reaches_is_kept(seed):
    rng = np.random.default_rng(seed)
    rows, cols = rng.integers(0, 5, 12), rng.integers(0, 4, 12)
    weight = rng.uniform(0.1, 1, 12)
    demand, supply = rng.uniform(1, 9, 5), rng.uniform(1, 9, 4)
    reached = supply[np.unique(cols)].sum()
    for method in (two_step, three_step):
        access = method(rows, cols, weight, demand=demand, supply=supply)
        assert (access * demand).sum() == pytest.approx(reached)

"""The public doors in Python: what the pages show runs, and a result reads back as it was written."""

import doctest
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import riskmap
from riskmap.errors import LayerError

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def run():
    """``riskmap.run``, which computes once what both pages ask for."""
    whole, done = riskmap.run, {}

    def results(project, **options):
        key = (project.name, *sorted(options.items()))
        if key not in done:
            done[key] = whole(project, **options)
        return done[key]

    return results


@pytest.mark.parametrize("page", ["python.md", "python.zh.md"])
def test_the_pages_examples_run(page, run, run_once, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(riskmap, "run", run)
    found = doctest.testfile(
        str(ROOT / "docs" / page), module_relative=False, encoding="utf-8",
        globs={"FOLDER": run_once("liechtenstein")}, optionflags=doctest.NORMALIZE_WHITESPACE,
    )  # fmt: skip
    assert found.attempted > 10
    assert found.failed == 0


def test_every_public_name_is_there():
    assert {name for name in riskmap.__all__ if getattr(riskmap, name, None) is None} == set()
    with pytest.raises(AttributeError):
        riskmap.nothing  # noqa: B018


def test_cells_read_back_stand_where_they_were(run_once):
    found = riskmap.open(run_once("liechtenstein"))
    table = found.table("cells")
    points = table.geometry.representative_point()
    grid = found.cells
    at = {axis: xr.DataArray(getattr(points, axis).round(3), dims="cell") for axis in "xy"}
    picked = grid["score"].sel(at)
    assert np.allclose(picked, table["score"].to_numpy(np.float32), equal_nan=True)
    assert int(grid["score"].notnull().sum()) == int(pd.notna(table["score"]).sum())


def test_a_folder_without_results_is_said(tmp_path):
    with pytest.raises(LayerError):
        riskmap.open(tmp_path)
    assert list(tmp_path.iterdir()) == []  # nothing is made there


def test_an_unknown_table_names_those_that_there_are(run_once):
    with pytest.raises(LayerError, match="unit_indicators"):
        riskmap.open(run_once("liechtenstein")).table("untis")

"""Four classes of unit in a run: point, class, street, district; weights by judgement, with CR."""

import json

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from riskmap import pipeline
from riskmap.cli.app import app
from riskmap.errors import UsageError
from riskmap.export import bundle
from riskmap.export.verify import verify
from riskmap.index.steps import load_recipe
from riskmap.project.schema import load_project
from tests import town
from tests.export.onemap.test_figures import Page

ROLES = ("production_unit", "crowded_place", "public_facility")


def point(number, x, y, ls, people, dangers, still):
    return {
        "number": number, "name": f"点位{number}", "LS": ls, "people": people, "隐患总数": dangers,
        "未销号隐患数": still, "geometry": town.at(x, y),
    }  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city") / "town"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for k, role in enumerate(ROLES):
        rows = [
            point(f"{k}{c}{r}{i}", 100 * c + 30 + 20 * i, 100 * r + 50,
                  int(rng.choice([4, 9, 12, 15, 20])), int(rng.integers(0, 900)), 4, int(i + c) % 4)
            for c in range(4) for r in range(3) for i in range(1 + (c + r + k) % 3)
        ]  # fmt: skip
        frame = pd.DataFrame(rows)
        gpd.GeoDataFrame(frame, geometry=list(frame["geometry"]), crs=town.CRS).to_file(
            folder / f"{role}.gpkg"
        )
    path = town.write(
        folder,
        project={"indicators": "city_operation", "plans": False},
        layers={role: {"path": f"{role}.gpkg"} for role in ROLES},
    )
    return pipeline.run(load_project(path))


def test_a_class_takes_the_three_worst_points_of_the_list(result):
    """The score of a class in a street is the mean of its worst points' scores on the list."""
    items = result.items[result.items["role"] == "production_unit"]
    for unit, rows in items.groupby("unit_id"):
        worst = 100 * rows["score"].nlargest(3).mean()
        assert result.indicators.units.loc[unit, "PROD_WORST"] == pytest.approx(worst, abs=1e-6)
        count = len(rows) / 0.01
        assert result.indicators.units.loc[unit, "PROD_DENSITY"] == pytest.approx(count)


def test_streets_become_the_district_by_their_people(result):
    values, units = result.indicators.units, result.units
    finest = units.index[units["finest"]]
    people = units.loc[finest, "population"]
    for code in ("CROWD_WORST", "FACILITY_OPEN", "PROD_DENSITY"):
        by_hand = np.average(values.loc[finest, code], weights=people)
        assert values.loc["D", code] == pytest.approx(by_hand)


def test_open_dangers_are_summed_not_averaged(result):
    table = result.layers["crowded_place"].table
    inside = table[table.within(result.units.geometry["V11"])]
    share = 100 * inside["dangers_open"].sum() / inside["dangers"].sum()
    assert result.indicators.units.loc["V11", "CROWD_OPEN"] == pytest.approx(share)


def test_points_explain_themselves(result):
    items = result.items[result.items["role"] == "crowded_place"]
    assert len(items) == len(result.layers["crowded_place"].table)
    for reasons in items["reason"]:
        assert any("LS" in str(part) or "L x S" in str(part) for part in reasons)


def test_weights_are_the_judgements_and_cr_stands_everywhere(result, tmp_path):
    index = result.index["unit"]
    weights = index.meta["weight"]
    assert weights[["PROD", "CROWD", "FACILITY", "NATURAL"]].round(3).tolist() == [
        0.351, 0.351, 0.189, 0.109,
    ]  # fmt: skip
    out = bundle.write(result, tmp_path / "out")
    said = "CR = 0.0038"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert any(said in note["en"] for note in report["notes"])
    assert any(said in note["en"] for note in Page(out / "onemap.html").head["notes"])
    book = openpyxl.load_workbook(out / "研判一张单.xlsx", read_only=True)
    cells = [str(c) for sheet in book for row in sheet.values for c in row if c is not None]
    book.close()
    assert any(said in cell for cell in cells)
    used = {p.key: p.status for p in result.presets}
    assert used["city.ahp_classes"] == "unverified"
    assert verify(out) == []


def test_a_class_that_is_missing_leaves_its_weight(result):
    """Without public facilities three classes are judged by the rest of the matrix."""
    from riskmap.pipeline.indices import _present

    steps = list(load_recipe("city_operation").steps)
    meta = result.indicators.meta.drop(index=["FACILITY"])
    kept = next(step for step in _present(steps, meta) if step["step"] == "weight")
    assert kept["matrices"]["RISK"]["codes"] == ["PROD", "CROWD", "NATURAL"]
    assert np.round(kept["matrices"]["RISK"]["matrix"], 6).tolist() == [
        [1, 1, 3], [1, 1, 3], [0.333333, 0.333333, 1],
    ]  # fmt: skip


def test_the_command_names_the_set(tmp_path):
    meta = load_recipe("city_operation").meta
    codes = meta.index[meta["kind"] == "indicator"]
    rows = np.random.default_rng(1).uniform(0, 100, (6, len(codes))).round(2)
    table = pd.DataFrame(rows, columns=codes, index=[f"街道{n}" for n in range(6)])
    table.rename_axis("unit").to_csv(tmp_path / "v.csv")
    done = CliRunner().invoke(
        app,
        ["index", str(tmp_path / "v.csv"), "--recipe", "city_operation", "--out",
         str(tmp_path / "out"), "--json"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["steps"]["weight"]["ahp"]["RISK"]["CR"] == pytest.approx(0.0038, abs=1e-4)
    both = CliRunner().invoke(app, ["index", str(tmp_path / "v.csv"), "--out", str(tmp_path / "o")])
    assert isinstance(both.exception, UsageError)

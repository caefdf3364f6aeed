"""Which refuge may be used against which hazard: water, floor, slope, areas, appraisal, readiness."""

import geopandas as gpd
import numpy as np
import pytest
from pydantic import ValidationError

from riskmap.geo.network.flooded import slopes
from riskmap.layers.layer import Raster
from riskmap.plans.options import RefugeOptions, phases
from riskmap.plans.refuges.dangers import deepest
from tests.street import CRS, E, N, areas, plan, rect, world


def raster(values, pixel, x0=0.0, top=100.0):
    """A raster whose upper left corner stands at x0 and top of the street."""
    return Raster(np.asarray(values, np.float32), (pixel, 0, E + x0, 0, -pixel, N + top), CRS)


def reasons(found, check):
    fit = found.tables["eligibility"]
    bad = fit[(fit["check"] == check) & ~fit["usable"]]
    return {key: str(why) for key, why in zip(bad["item_id"], bad["reason"], strict=True)}


def test_depth_is_taken_at_the_refuge_and_not_over_the_cell():
    # Pixels of 20 m in cells of 100 m: water stands on 120..140 m only.
    row = np.zeros(150)
    row[6] = 0.4
    depths = (raster(np.tile(row, (5, 1)), 20),)
    refuges = [(130, 50), (150, 50), (150, 50, {"area_m2": 1000.0})]
    found = plan(world(refuges, areas(("甲", 20, 500, 600))), name="水", depths=depths)
    # A circle of 1 000 m2 has a radius of 17.8 m and reaches the water 10 m away.
    assert set(reasons(found, "flood")) == {"R0", "R2"}
    assert "0.40" in reasons(found, "flood")["R2"]


def test_sampling_of_a_raster_in_degrees_agrees_with_one_in_metres():
    from riskmap.geo.grid import project_points

    xy = np.array([[E + 130.0, N + 50.0]])
    lon, lat = project_points(xy[:, 0], xy[:, 1], crs="EPSG:4326", source=CRS)
    tile = Raster(np.full((3, 3), 0.7, np.float32),
                  (1e-4, 0, lon[0] - 1.5e-4, 0, -1e-4, lat[0] + 1.5e-4), "EPSG:4326")  # fmt: skip
    assert deepest([tile], xy, np.zeros(1), CRS) == pytest.approx(0.7)
    assert np.isnan(deepest([tile], xy + 1000, np.zeros(1), CRS)).all()


def test_people_of_half_a_wet_cell_are_half_the_people():
    there = world([(2500, 500)])
    row = np.zeros(60)
    row[1] = 0.6  # 50..100 m: half of the first cell
    depths = (raster(np.tile(row, (2, 1)), 50),)
    found = plan(there, name="水", depths=depths)
    assert found.recount["people"] == 5


@pytest.mark.parametrize(
    ("floor", "level", "usable"),
    [(10.5, 10.0, True), (10.49, 10.0, False), (np.nan, 10.0, True), (10.0, np.nan, True)],
)
def test_floor_stands_half_a_metre_above_the_highest_level(floor, level, usable):
    refuges = [(150, 50, {"floor_level_m": floor, "flood_level_m": level})]
    found = plan(world(refuges))
    assert (reasons(found, "freeboard") == {}) is usable
    table = found.tables["usable_for"].set_index("hazard")
    assert table.loc["flood", "usable"] is np.True_ or table.loc["flood", "usable"] == usable
    assert table.loc["geohazard", "usable"]  # a low floor says nothing of a landslide
    known = np.isfinite(floor) and np.isfinite(level)
    assert ("水位" in str(table.loc["flood", "unchecked"])) is not known


def test_the_project_gives_the_level_where_the_ledger_has_none():
    refuges = [(150, 50, {"floor_level_m": 10.2}), (250, 50, {"floor_level_m": 10.2})]
    assert set(reasons(plan(world(refuges, flood_level=10.0)), "freeboard")) == {"R0", "R1"}
    # A raster gives it by place: 9 m at the second refuge.
    levels = (raster([[10.0, 10.0, 9.0, 9.0]], 100),)
    assert set(reasons(plan(world(refuges, flood_level=levels)), "freeboard")) == {"R0"}


def test_the_freeboard_is_a_preset():
    refuges = [(150, 50, {"floor_level_m": 10.2, "flood_level_m": 10.0})]
    assert reasons(plan(world(refuges, settings={"refuge.freeboard_m": 0.2})), "freeboard") == {}


def test_tents_stand_on_gentler_ground_than_houses():
    # Ground that rises by 10 in 100.
    z = np.tile(np.arange(-5, 40) * 10.0, (9, 1))
    dem = (raster(z, 100, x0=-500.0, top=450.0),)
    xy = np.array([[E + 150.0, N + 50.0]])
    assert slopes(dem, xy, CRS) == pytest.approx(0.1)
    refuges = [(150, 50, {"space": "outdoor"}), (250, 50, {"space": "indoor"})]
    assert set(reasons(plan(world(refuges, dem=dem)), "slope")) == {"R0"}
    far = [*refuges, (2900, 50, {"space": "outdoor"})]  # beyond the raster: its slope is unknown
    short = (raster(z[:, :9], 100, x0=-500.0, top=450.0),)
    found = plan(world(far, dem=short))
    assert set(reasons(found, "slope")) == {"R0"}
    fit = found.tables["eligibility"]
    assert set(fit.loc[fit["unit"] == "person", "check"]) == {"capacity"}


def test_a_danger_area_closes_a_refuge_against_its_own_hazard():
    standing = areas(("滑坡", 5, 100, 200)).assign(type="geohazard")
    found = plan(world([(150, 50), (450, 50)], standing))
    table = found.tables["usable_for"].set_index(["item_id", "hazard"])
    assert not table.loc[("R0", "geohazard"), "usable"]
    assert table.loc[("R0", "flood"), "usable"]
    assert "滑坡" in str(table.loc[("R0", "geohazard"), "reason"])
    # The plan itself uses no refuge that fails any required check.
    assert set(found.tables["assignment"]["refuge_id"]) == {"R1"}


def test_several_reasons_stand_together():
    sources = gpd.GeoDataFrame(
        {"name": ["油库"], "gb18218_level": ["1"]}, geometry=[rect(100, 101)], crs=CRS
    )
    refuges = [(150, 50, {"status": "closed"}), (2900, 50)]
    table = plan(world(refuges, sources=sources)).tables["usable_for"]
    said = str(table.set_index(["item_id", "hazard"]).loc[("R0", "hazmat"), "reason"])
    assert "油库" in said
    assert "；" in said


def test_an_old_appraisal_is_a_reminder_unless_the_project_asks_for_it():
    refuges = [(150, 50, {"appraised": "2022-12-31"}), (450, 50, {"appraised": "2023-03-01"})]
    standing = areas(("甲", 20, 200, 300))
    found = plan(world(refuges, standing))
    assert set(found.tables["assignment"]["refuge_id"]) == {"R0"}
    table = found.tables["usable_for"].set_index(["item_id", "hazard"])
    assert "2022-12-31" in str(table.loc[("R0", "flood"), "reminder"])
    assert table.loc[("R1", "flood"), "reminder"] == ""
    assert any("鉴定" in str(note) for note in found.notes)
    strict = RefugeOptions(require=("appraisal", "capacity", "road"))
    assert set(plan(world(refuges, standing), strict).tables["assignment"]["refuge_id"]) == {"R1"}


def test_conversion_that_takes_longer_than_the_warning_is_said():
    refuges = [(150, 50, {"convert_h": 6.0}), (450, 50, {"convert_h": 2.0})]
    table = plan(world(refuges)).tables["usable_for"].set_index(["item_id", "hazard"])
    assert "6" in str(table.loc[("R0", "flood"), "reminder"])
    assert table.loc[("R1", "flood"), "reminder"] == ""


def test_candidates_keep_clear_of_the_same_dangers():
    standing = areas(("甲", 50, 200, 300)).assign(type="geohazard")
    found = plan(world([(150, 1)], standing))
    spots = found.tables["sites"]
    assert len(spots)
    for name in ("lon", "lat"):  # six decimals are 0.1 m
        assert spots[name].tolist() == spots[name].round(6).tolist()
    # No new site inside the danger area from 200 to 300 m: cells at 250 m are named by column 2.
    assert not found.layers["sites"].intersects(rect(200, 300)).any()


def test_phases_and_options():
    assert phases(RefugeOptions(new_sites=0)) == ()
    assert phases(RefugeOptions(new_sites=(2, 0, 3))) == (2, 3)
    assert RefugeOptions(per_capita_m2=0.8).per_capita_m2 == 0.8
    for wrong in (
        {"site_model": "guess"}, {"new_sites": -1}, {"new_sites": [1, 99]}, {"per_capita_m2": 0},
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            RefugeOptions(**wrong)

"""A hand-drawn town of 5 x 4 cells of 100 m, whole-number distances, and what must never matter."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.errors import IndicatorError, RiskmapError
from riskmap.geo.grid import make_grid
from riskmap.geo.people import live_in
from riskmap.i18n import language
from riskmap.indicators.table import Inputs, compute, load_table, renormalise
from riskmap.layers.layer import Raster
from riskmap.pipeline.indices import far_from_refuge
from riskmap.vocabulary.presets import load_presets

CRS = "EPSG:4548"
GRID = make_grid(shapely.box(0, 0, 500, 400), crs=CRS, size_m=100)
WEST, EAST, TOWN = shapely.box(0, 0, 200, 400), shapely.box(200, 0, 500, 400), GRID.place
# straight metres from every cell centre to (50, 50): 300-400-500 at the corners
METRES = np.hypot(*np.meshgrid(np.arange(5) * 100.0, np.arange(3, -1, -1) * 100.0))
TABLE = load_table()


def table(geometry, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs=CRS)


def units(**columns):
    index = pd.Index(["T", "E", "W"], name="unit_id")
    base = {"level": ["town", "village", "village"], "parent_id": ["", "T", "T"], **columns}
    return gpd.GeoDataFrame(base, index=index, geometry=[TOWN, EAST, WEST], crs=CRS)


def layers():
    return {
        "flood_point": table(shapely.points([[50, 50], [450, 350]]), level=[4, 1]),
        "hazard_source": table(shapely.points([[50, 50]]), level=[4]),
        "waterway": table([shapely.LineString([(-100, 50), (600, 50)])]),
        "refuge": table(shapely.points([[50, 50], [250, 250]]), capacity=[30.0, np.nan]),
        "rescue_station": table(shapely.points([[50, 50]])),
        "road": table([shapely.LineString([(0, 150), (500, 150)])]),
    }


PEOPLE = np.tile(np.array([[10.0, 20.0, 30.0, 40.0, 0.0]], dtype=np.float32), (4, 1))
FULL = Inputs(grid=GRID, tables=layers(), population=PEOPLE)


def cells(result, code):
    return result.cells[code].to_numpy().reshape(GRID.shape)


def said(result):
    with language("en"):
        return "\n".join(str(note) for note in result.notes)


def test_distances_of_the_town():
    result = compute(TABLE, FULL, units())
    assert cells(result, "C_STATION") == pytest.approx(METRES)
    assert cells(result, "C_STATION")[0, 4] == 500.0
    assert cells(result, "H_WATERWAY")[:, 0].tolist() == [300.0, 200.0, 100.0, 0.0]
    assert result.meta.loc["C_STATION", "unit"] == "m"
    assert "no road graph" in said(result)
    # plain mean over 2 x 4 cells; people weigh 10 and 20 in the west
    assert result.units.loc["W", "H_WATERWAY"] == 150.0
    columns = METRES.mean(axis=0)
    assert result.units.loc["W", "C_STATION"] == pytest.approx((columns[0] + 2 * columns[1]) / 3)


def test_people_and_places_of_the_town():
    result = compute(TABLE, FULL, units())
    assert cells(result, "E_POP")[0].tolist() == [1000.0, 2000.0, 3000.0, 4000.0, 0.0]
    assert result.units["E_POP"].to_dict() == pytest.approx(
        {"T": 2000.0, "E": 7e3 / 3, "W": 1500.0}
    )
    # everybody lives within 1 km of the 30 places: 30 of 400, and the silent refuge gives none
    assert cells(result, "C_PLACES") == pytest.approx(np.full(GRID.shape, 7.5))
    assert "1 of 2 refuges state no capacity" in said(result)


def test_flood_points_weigh_by_level():
    result = compute(TABLE, FULL, units())
    field = cells(result, "H_FLOOD_POINT")
    u = np.minimum(METRES / 1000, 1)
    one = 3 / np.pi * (1 - u**2) ** 2
    assert field == pytest.approx(4 * one + one[::-1, ::-1], rel=1e-5)


def test_a_source_falls_to_nothing_at_its_radius():
    result = compute(TABLE, FULL, units())
    assert cells(result, "H_SOURCE") == pytest.approx(1 - METRES / 1600, rel=1e-5)


def test_time_by_road_and_cells_not_reached():
    seconds = METRES.copy()
    seconds[0, 4] = np.nan
    seconds[0, 3] = 7200.0
    inputs = replace(FULL, travel_seconds={"rescue_station": seconds})
    result = compute(TABLE, inputs, units())
    minutes = cells(result, "C_STATION")
    assert minutes[3].tolist() == pytest.approx([0, 100 / 60, 200 / 60, 5, 400 / 60])
    assert minutes[0, 3:].tolist() == [30.0, 30.0]  # the table's cap
    assert result.meta.loc["C_STATION", "unit"] == "min"
    assert "1 of 20 cells are not reached by road and count as 30 min" in said(result)


def test_cells_outside_the_place_are_unknown_not_unreached():
    # the place ends 30 m into the second column, whose centre is outside
    grid = make_grid(shapely.box(0, 0, 130, 100), crs=CRS, size_m=100)
    seconds = np.array([[120.0, np.nan]])
    inputs = Inputs(grid=grid, travel_seconds={"rescue_station": seconds})
    unit = gpd.GeoDataFrame({"level": ["village"]}, index=["V"], geometry=[grid.place], crs=CRS)
    result = compute(TABLE, inputs, unit)
    assert result.units.loc["V", "C_STATION"] == 2.0
    assert "not reached" not in said(result)


def test_terrain_depth_and_the_elderly():
    dem = np.full((4, 5), 20.0, np.float32)
    dem[3, 0] = 16.0
    rasters = {
        "dem": (Raster(dem, (100, 0, 0, 0, -100, 400), CRS),),
        "depth": (Raster(np.where(dem < 20, 3.0, np.nan), (100, 0, 0, 0, -100, 400), CRS),),
    }
    sensitive = table(
        [None, None], number=["E", "W"], elderly=[30.0, 10.0], population=[100.0, 100.0]
    )
    inputs = replace(FULL, rasters=rasters, tables={**layers(), "sensitive": sensitive})
    result = compute(TABLE, inputs, units())
    assert cells(result, "H_LOW")[3, 0] == pytest.approx(20 - 4 / 20 - 16, abs=1e-5)
    assert cells(result, "H_DEPTH")[3].tolist() == [2.0, 0.0, 0.0, 0.0, 0.0]  # the table's cap
    share = result.units["V_ELDERLY"]
    assert share.to_dict() == pytest.approx(
        {"T": (30 * 280 + 10 * 120) / 400, "E": 30.0, "W": 10.0}
    )


def test_the_elderly_from_the_units_and_shares_out_of_range():
    result = compute(TABLE, FULL, units(elderly_share=[np.nan, 0.25, 7.0]))
    assert result.units.loc["E", "V_ELDERLY"] == pytest.approx(25.0)
    assert np.isnan(result.units.loc["W", "V_ELDERLY"])


def test_what_is_missing_is_left_out_and_said():
    inputs = Inputs(grid=GRID, tables={"road": layers()["road"], "waterway": layers()["waterway"]})
    result = compute(TABLE, inputs, units())
    assert list(result.cells) == ["H_WATERWAY", "E_ROAD"]
    assert cells(result, "E_ROAD")[2] == pytest.approx([10.0] * 5)  # 100 m in 0.01 km2
    assert result.meta["weight"].to_dict() == pytest.approx(
        {
            "RISK": 1, "HAZARD": 0.35 / 0.6, "EXPOSURE": 0.25 / 0.6, "FLOOD": 1, "H_WATERWAY": 1,
            "E_ROAD": 1,
        }
    )  # fmt: skip
    assert result.meta.loc["HAZARD", "weight_given"] == 0.35
    notes = said(result)
    for words in ("Flood-point density", "proxy: Road density", "Vulnerability (VULNERABILITY)",
                  "Lack of capacity (CAPACITY)"):  # fmt: skip
        assert words in notes


def test_better_proxy_first_and_none_beside_people():
    house = table([shapely.box(0, 0, 50, 50)])
    both = {**layers(), "building": house}
    assert {"E_BUILDING", "E_ROAD"}.isdisjoint(
        compute(TABLE, replace(FULL, tables=both), units()).cells
    )
    result = compute(TABLE, Inputs(grid=GRID, tables=both), units())
    assert "E_ROAD" not in result.cells
    assert cells(result, "E_BUILDING")[3, 0] == 25.0
    assert result.units.loc["W", "E_BUILDING"] == pytest.approx(25 / 8)


def test_refuges_without_any_capacity():
    tables = {**layers(), "refuge": table([shapely.Point(50, 50)])}
    result = compute(TABLE, replace(FULL, tables=tables), units())
    assert "C_PLACES" not in result.cells
    assert "no refuge states its capacity" in said(result)


def test_nothing_to_measure():
    with pytest.raises(IndicatorError):
        compute(TABLE, Inputs(grid=GRID), units())
    empty = {role: rows.iloc[:0] for role, rows in layers().items()}
    with pytest.raises(IndicatorError):
        compute(TABLE, Inputs(grid=GRID, tables=empty), units())


def test_a_raster_elsewhere_is_left_out():
    far = Raster(np.ones((3, 3), np.float32), (100, 0, 90_000, 0, -100, 90_000), CRS)
    result = compute(TABLE, replace(FULL, rasters={"dem": (far,)}), units())
    assert "H_LOW" not in result.cells


def test_one_cell_town():
    grid = make_grid(shapely.box(0, 0, 60, 60), crs=CRS, size_m=100)
    inputs = Inputs(grid=grid, tables=layers(), population=np.array([[5.0]], np.float32))
    unit = gpd.GeoDataFrame({"level": ["village"]}, index=["V"], geometry=[grid.place], crs=CRS)
    result = compute(TABLE, inputs, unit)
    assert result.cells.shape[0] == 1
    # 5 people on 0.0036 km2, though the cell is 0.01 km2
    assert result.units.loc["V", "E_POP"] == pytest.approx(5 / 0.0036, rel=1e-3)


def test_units_outside_the_grid_are_unknown():
    far = units().set_geometry([TOWN, EAST, shapely.box(9000, 9000, 9100, 9100)], crs=CRS)
    assert compute(TABLE, FULL, far).units.loc["W"].isna().all()


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(shuffler):
    def shuffled(rows):
        order = list(range(len(rows)))
        shuffler.shuffle(order)
        return rows.iloc[order]

    one = compute(TABLE, FULL, units())
    mixed = {role: shuffled(rows) for role, rows in layers().items()}
    two = compute(TABLE, replace(FULL, tables=mixed), shuffled(units()))
    pd.testing.assert_frame_equal(one.cells, two.cells, check_exact=True)
    pd.testing.assert_frame_equal(one.units, two.units.loc[one.units.index], check_exact=True)
    assert one.notes == two.notes


@settings(max_examples=6, deadline=None)
@given(st.floats(0.01, 1000))
def test_people_counted_in_another_unit(factor):
    one, two = (compute(TABLE, replace(FULL, population=PEOPLE * f), units()) for f in (1, factor))
    assert two.units["E_POP"].to_numpy() == pytest.approx(one.units["E_POP"] * factor, rel=1e-4)
    places = np.minimum(one.units["C_PLACES"] / factor, 100)
    assert two.units["C_PLACES"].to_numpy() == pytest.approx(places, rel=1e-4)
    assert two.units["C_STATION"].to_numpy() == pytest.approx(one.units["C_STATION"], rel=1e-4)


def test_numbers_of_the_table_may_be_presets_of_the_project():
    presets = load_presets({"indicator.waterway_cap_m": 120})
    result = compute(TABLE, replace(FULL, presets=presets), units())
    assert cells(result, "H_WATERWAY")[:, 0] == pytest.approx([120.0, 120.0, 100.0, 0.0])
    assert "indicator.waterway_cap_m" in {preset.key for preset in presets.used()}
    wrong = TABLE.replace("cap_m=@indicator.waterway_cap_m", "cap_m=@indicator.waterway_cap")
    with pytest.raises(RiskmapError, match="waterway_cap_m"):
        compute(wrong, FULL, units())
    one = TABLE.replace(
        r"level_weights=@\S+", "level_weights=@indicator.waterway_cap_m", regex=True
    )
    with pytest.raises(IndicatorError, match="level_weights"):
        compute(one, FULL, units())


def test_inputs_are_not_changed():
    before = {role: rows.copy() for role, rows in layers().items()}
    people = PEOPLE.copy()
    inputs = Inputs(grid=GRID, tables=before, population=people)
    meta = TABLE.copy()
    compute(meta, inputs, units())
    pd.testing.assert_frame_equal(meta, TABLE)
    assert (people == PEOPLE).all()
    for role, rows in layers().items():
        pd.testing.assert_frame_equal(pd.DataFrame(before[role]), pd.DataFrame(rows))


@settings(max_examples=30, deadline=None)
@given(st.sets(st.sampled_from(list(TABLE.index[TABLE["kind"] == "indicator"])), min_size=1))
def test_weights_below_every_group_sum_to_one(codes):
    kept, lost = renormalise(TABLE, sorted(codes))
    sums = kept.groupby("parent")["weight"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
    assert set(kept.index) | set(lost) | (
        set(TABLE.index[TABLE["kind"] == "indicator"]) - codes
    ) == set(TABLE.index)
    assert not set(kept.index) & set(lost)


def test_points_nearer_water_never_have_less_hazard_after_direction():
    result = compute(TABLE, FULL, units())
    rows = result.meta.loc["H_WATERWAY"]
    assert rows["direction"] == -1
    harm = cells(result, "H_WATERWAY") * rows["direction"]
    assert (np.diff(harm, axis=0) >= 0).all()  # southwards, towards the river, harm grows
    assert result.meta.loc["C_PLACES", "direction"] == -1
    assert (result.meta.loc[["C_STATION", "H_FLOOD_POINT", "E_POP"], "direction"] == 1).all()


KINDS = {
    "flash_flood": ("H_DANGER", "FLOOD"), "": ("H_DANGER", "FLOOD"),
    "geohazard": ("H_GEO_DANGER", "GEOHAZARD"), "dam": ("H_DAM_DANGER", "DAM"),
    "chemical": ("H_CHEM_DANGER", "CHEMICAL"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_danger_area_counts_in_its_own_hazard_only(kind):
    """50 people on 100 m x 100 m are 5000 per km2 of the hazard that the area is of."""
    areas = table([shapely.box(0, 0, 100, 100)], people=[50.0], level=[4], type=[kind])
    found = compute(TABLE, replace(FULL, tables={**layers(), "danger_area": areas}), units())
    code, group = KINDS[kind]
    assert cells(found, code)[3, 0] == pytest.approx(50 / 0.01)
    assert found.meta.loc[code, "parent"] == group
    assert {c for c in found.cells if c.endswith("DANGER")} == {code}


def test_every_hazard_is_a_group_of_its_own_and_counts():
    plain = compute(TABLE, FULL, units())
    points = table([shapely.Point(50, 50)], level=[4])
    for role, code, group in (
        ("geohazard_point", "H_GEOHAZARD", "GEOHAZARD"), ("reservoir", "H_DAM", "DAM"),
    ):  # fmt: skip
        found = compute(TABLE, replace(FULL, tables={**layers(), role: points}), units())
        assert code not in plain.cells
        values = cells(found, code)
        assert values[3, 0] == values.max() > 0
        assert found.meta.loc[code, "parent"] == group
        assert found.meta.loc[group, "parent"] == "HAZARD"
        assert found.meta.loc[found.meta["parent"] == "HAZARD", "weight"].sum() == pytest.approx(1)
        assert found.cells["H_FLOOD_POINT"].equals(plain.cells["H_FLOOD_POINT"])


def test_a_chemical_plant_is_no_flood():
    """The plant stands in the west, the flood points keep floods the same with it and without."""
    from riskmap.index.steps import default_steps, fit

    without = {name: rows for name, rows in layers().items() if name != "hazard_source"}
    found = [
        fit(result.units, result.meta, default_steps())
        for result in (
            compute(TABLE, FULL, units()),
            compute(TABLE, replace(FULL, tables=without), units()),
        )
    ]
    assert found[0].scores["FLOOD"].to_numpy() == pytest.approx(found[1].scores["FLOOD"])
    assert "CHEMICAL" in found[0].scores
    assert "CHEMICAL" not in found[1].scores
    assert found[0].scores["HAZARD"]["W"] != pytest.approx(found[1].scores["HAZARD"]["W"])


def test_sensitive_places_and_health_care_count():
    more = {"sensitive_place": table(shapely.points([[50, 50]])),
            "health_care": table(shapely.points([[450, 350]]))}  # fmt: skip
    result = compute(TABLE, replace(FULL, tables={**layers(), **more}), units())
    assert cells(result, "C_HEALTH") == pytest.approx(METRES[::-1, ::-1])
    u = np.minimum(METRES / 800, 1)
    density = 3 / (np.pi * 0.8**2) * (1 - u**2) ** 2
    assert cells(result, "V_SENSITIVE") == pytest.approx(density, rel=1e-5)
    assert "have no level" not in said(result)
    assert result.meta.loc[["C_HEALTH", "V_SENSITIVE"], "direction"].tolist() == [1, 1]


def test_terrain_is_read_beyond_the_border():
    """A hill of 50 m begins at the east border of a plain: the last column lies low before it.

    Within 100 m of a cell of the last column are itself, three cells of the plain and one of the
    hill: the mean lies 10 m above it. Without the ground outside it would be no low ground at all.
    """
    ground = np.zeros((6, 9), np.float32)
    ground[:, 6:] = 50.0
    dem = {"dem": (Raster(ground, (100, 0, -100, 0, -100, 500), CRS),)}
    presets = load_presets({"indicator.low_ground_radius_m": 100, "indicator.low_ground_cap_m": 99})
    result = compute(TABLE, replace(FULL, rasters=dem, presets=presets), units())
    assert cells(result, "H_LOW").tolist() == [[0, 0, 0, 0, 10]] * 4


def test_people_threatened_stand_where_they_live():
    homes = np.zeros(GRID.shape)
    homes[3, 0], homes[3, 4] = 300.0, 700.0  # bottom corners: W and E
    frame = gpd.GeoDataFrame(
        {"level": ["town", "village", "village"], "parent_id": ["", "T", "T"],
         "population": [np.nan, 700.0, 300.0]},
        index=["T", "E", "W"], geometry=[TOWN, EAST, WEST], crs=CRS,
    )  # fmt: skip
    rows = table(shapely.points([[50, 50], [450, 50]]), population=[300.0, 700.0])
    pieces = live_in(GRID, frame, table=rows)
    areas = gpd.GeoDataFrame(
        {"people": [np.nan, 90.0, np.nan], "level": [4, 4, 4]},
        geometry=[shapely.box(0, 0, 500, 100), shapely.box(100, 100, 300, 200),
                  shapely.box(400, 0, 500, 100)],
        crs=CRS,
    )  # fmt: skip
    kept = areas.copy()
    inputs = replace(
        FULL, tables={**layers(), "danger_area": areas}, pieces=pieces, population=homes
    )
    found = compute(TABLE, inputs, units())
    # the first states nobody: 300 and 700 live in it, the 700 in the third too, and count once;
    # nobody lives in the second: evenly 45 and 45
    assert cells(found, "H_DANGER")[3] == pytest.approx([300e2, 0, 0, 0, 700e2])
    assert cells(found, "H_DANGER")[2] == pytest.approx([0, 45e2, 45e2, 0, 0])
    assert areas.equals(kept)


def test_the_threatened_of_a_unit_of_unknown_people_are_unknown_not_none():
    frame = gpd.GeoDataFrame(
        {"level": ["town", "village", "village"], "parent_id": ["", "T", "T"],
         "population": [np.nan, np.nan, 800.0]},
        index=["T", "E", "W"], crs=CRS,
        geometry=[TOWN, shapely.box(200 - 1e-3, 0, 500, 400), WEST],  # as exact as surveys are
    )  # fmt: skip
    pieces = live_in(GRID, frame)
    areas = gpd.GeoDataFrame(
        {"people": [np.nan], "level": [4]}, geometry=[shapely.box(0, 0, 500, 100)], crs=CRS
    )
    inputs = replace(
        FULL,
        tables={**layers(), "danger_area": areas},
        pieces=pieces,
        population=pieces.cells(),
    )
    found = compute(TABLE, inputs, frame)
    # 100 people a cell in the west: two of its eight cells are in the area
    assert cells(found, "H_DANGER")[3] == pytest.approx([1e4, 1e4] + [np.nan] * 3, nan_ok=True)
    assert found.units.loc["W", "H_DANGER"] == pytest.approx(200 / 0.08)
    assert np.isnan(found.units.loc["E", "H_DANGER"])
    known = replace(inputs, tables={**layers(), "danger_area": areas.assign(people=[50.0])})
    assert np.isfinite(compute(TABLE, known, frame).units["H_DANGER"]).all()


def test_the_threatened_and_the_elderly_of_a_village_are_its_own():
    """Villages of 100 m with 20 or 200 people on cells of 250 m: none takes its neighbour's."""
    spots = [(c, r) for c in range(6) for r in range(6)]
    shapes = [shapely.box(100 * c, 100 * r, 100 * c + 100, 100 * r + 100) for c, r in spots]
    ids = [f"V{c}{r}" for c, r in spots]
    frame = gpd.GeoDataFrame(
        {"level": ["town", *["village"] * 36], "parent_id": ["", *["T"] * 36],
         "population": [np.nan, *[20.0 if (c + r) % 2 else 200.0 for c, r in spots]]},
        index=["T", *ids], geometry=[shapely.box(0, 0, 600, 600), *shapes], crs=CRS,
    )  # fmt: skip
    grid = make_grid(shapely.box(0, 0, 600, 600), crs=CRS, size_m=250)
    pieces = live_in(grid, frame)
    areas = table(
        [shapes[0], shapely.box(100, 0, 150, 100), shapely.box(500, 400, 700, 600)],
        people=[np.nan, np.nan, 60.0], level=[4, 4, 4], type=["lowland"] * 3,
    )  # fmt: skip
    old = table(shapes, elderly_share=[0.5 if c % 2 == 0 else 0.1 for c, _ in spots])
    inputs = Inputs(
        grid=grid, tables={"danger_area": areas, "sensitive": old}, pieces=pieces,
        population=pieces.cells(),
    )  # fmt: skip
    found = compute(TABLE, inputs, frame).units
    # V00 whole (200), half of V10 (10); half of the 60 stand outside, 30 as 20 to 200 in V54, V55
    want = dict.fromkeys(ids, 0.0) | {"V00": 2e4, "V10": 1e3}
    want |= {"V54": 30 * 20 / 220 / 0.01, "V55": 30 * 200 / 220 / 0.01, "T": 240 / 0.36}
    assert found["H_DANGER"].to_dict() == pytest.approx(want, rel=1e-6, abs=1e-6)
    shares = {key: 50.0 if int(key[1]) % 2 == 0 else 10.0 for key in ids}
    assert found["V_ELDERLY"].to_dict() == pytest.approx(shares | {"T": 30.0}, rel=1e-6)


def test_points_that_speak_for_people_weigh_by_their_people():
    """300 of whom 30 are old and 100 of whom 50: 80 of 400; the east has one point with 10 %."""
    frame = units(population=[np.nan, 50.0, 150.0])
    spots = shapely.points([[50, 50], [150, 250], [450, 350]])
    old = table(spots, elderly=[30.0, 50, 1], population=[300.0, 100, 10])
    pieces = live_in(GRID, frame)
    inputs = Inputs(grid=GRID, tables={"sensitive": old}, pieces=pieces, population=pieces.cells())
    found = compute(TABLE, inputs, frame).units["V_ELDERLY"]
    # The town by its 150 and 50 people.
    assert found.to_dict() == pytest.approx({"W": 20.0, "E": 10.0, "T": 17.5})


def test_where_no_refuge_is_in_use_everybody_is_far():
    frame = gpd.GeoDataFrame(
        {"level": ["village"], "parent_id": [""], "population": [70.0]},
        index=["V"], geometry=[TOWN], crs=CRS,
    )  # fmt: skip
    inputs = Inputs(grid=GRID, pieces=live_in(GRID, frame), presets=load_presets())
    assert "people_far" not in far_from_refuge(frame, inputs)  # no ledger: nothing is known
    found = far_from_refuge(frame, inputs, given=True)
    assert found[["people_far", "share_far"]].iloc[0].tolist() == [70.0, 1.0]


def test_a_treated_flood_point_weighs_less():
    """0.3 of a point that is done, 0.7 of one under way; what is not said weighs as before."""
    points = shapely.points([[50, 50]])
    only = table(points, level=[4])
    whole = compute(TABLE, replace(FULL, tables={"flood_point": only}), units())
    for state, share in (("none", 1.0), ("ongoing", 0.7), ("done", 0.3), (None, 1.0)):
        rows = table(points, level=[4], treated=[state])
        part = compute(TABLE, replace(FULL, tables={"flood_point": rows}), units())
        expected = share * whole.cells["H_FLOOD_POINT"].to_numpy()
        assert part.cells["H_FLOOD_POINT"].to_numpy() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("way", "kmh", "near"), [("to_facility", 3.6, 0.0), ("from_facility", 10.0, 80.0)]
)
def test_nothing_leaps_at_the_snapping_limit(way, kmh, near):
    """Cells 100 m apart north of the only road: each is as much later as 100 m more take.

    Vehicles have arrived within 80 m of the road, at both ends; who walks walks every metre.
    """
    from riskmap.geo.network import build_graph
    from riskmap.pipeline.ground import cell_seconds, cells_on_roads

    presets = load_presets()
    tall = make_grid(shapely.box(0, 0, 100, 1000), crs=CRS, size_m=100)
    roads = table([shapely.LineString([(0, 50), (100, 50)])], speed_kmh=[36.0])
    graph = build_graph(roads, presets=presets)
    place = table(shapely.points([[50, 150]]))
    cells = cells_on_roads(graph, tall)
    seconds = cell_seconds(graph, place, tall, cells=cells, way=way, presets=presets)[::-1, 0]
    metres = np.maximum(np.arange(10) * 100.0 - near, 0)
    last = np.minimum(metres, 500) / (kmh / 3.6) + np.maximum(metres - 500, 0) / 1.0
    assert seconds == pytest.approx((100 - near) / (kmh / 3.6) + last, rel=1e-5)


def test_an_indicator_that_tells_nothing_ranks_no_unit_that_lacks_it():
    """B is 3 wherever it is known and unknown in one unit: left out, and said; A alone ranks."""
    from riskmap.indicators.table import Indicators
    from riskmap.pipeline.indices import tell_apart

    index = pd.Index(["RISK", "HAZARD", "A", "EXPOSURE", "B", "C"], name="code")
    meta = pd.DataFrame(
        {
            "parent": ["", "RISK", "HAZARD", "RISK", "EXPOSURE", "HAZARD"],
            "kind": ["group", "group", "indicator", "group", "indicator", "indicator"],
            "name_en": index, "name_zh": index, "weight": [1, 0.6, 0.7, 0.4, 1, 0.3],
            "weight_given": [1, 0.6, 0.7, 0.4, 1, 0.3],
        },
        index=index,
    )  # fmt: skip
    units = pd.DataFrame(
        {"A": [1.0, 2, 4, 9], "B": [3, 3 + 1e-15, np.nan, 7], "C": [5.0, 5, 5, 5]},
        index=list("pqrT"),
    )
    given = Indicators(meta, units.astype(np.float32), units, ())
    finest = np.array([True, True, True, False])  # the town's own B says nothing
    found = tell_apart(given, finest)
    assert list(found.units.columns) == list(found.cells.columns) == ["A", "C"]
    assert found.meta["weight"].to_dict() == {"RISK": 1, "HAZARD": 1, "A": 0.7, "C": 0.3}
    assert found.meta.loc["HAZARD", "weight_given"] == 0.6
    assert ["B" in str(note) for note in found.notes] == [True, False]
    # Where all units have it, or it tells units apart, it stays (and the fit says what it is).
    full = replace(given, units=units.fillna(3.0))
    assert tell_apart(full, finest) is full
    apart = replace(given, units=units.assign(B=[3, 4, np.nan, 7]))
    assert tell_apart(apart, finest) is apart

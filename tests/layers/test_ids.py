import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmap.layers.check import assign_ids
from riskmap.vocabulary.roles import load_roles

ROLE = load_roles()["flood_point"]
CRS = "EPSG:4548"
NAMES = ["甲路", "乙路", "丙路", "丁路", "戊路"]
PLACES = np.array(
    [
        [600000.0, 4070000.0],
        [601000, 4070000],
        [602000, 4071000],
        [603000, 4071500],
        [604000, 4072000],
    ]
)


def make(names=NAMES, places=PLACES, numbers=None):
    data = {"name": list(names)}
    if numbers is not None:
        data["number"] = list(numbers)
    return gpd.GeoDataFrame(data, geometry=shapely.points(places), crs=CRS)


def remember(table, ids):
    return pd.DataFrame(
        {
            "role": "flood_point",
            "item_id": ids.to_numpy(),
            "name": table["name"],
            "x": table.geometry.x,
            "y": table.geometry.y,
        }
    )


def by_row(table, known=None):
    return assign_ids(ROLE, table, known).tolist()


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(5)))
def test_ids_do_not_depend_on_the_order_of_rows(order):
    first = by_row(make())
    other = by_row(make([NAMES[i] for i in order], PLACES[list(order)]))
    assert other == [first[i] for i in order]


def test_ledger_sent_again_reordered_renamed_and_moved_keeps_its_ids():
    table = make()
    ids = assign_ids(ROLE, table)
    order = [3, 1, 4, 0, 2]
    again = make(["改名" if i == 1 else NAMES[i] for i in order], PLACES[order] + [18.0, 24.0])
    assert by_row(again, remember(table, ids)) == [ids.iloc[i] for i in order]


def test_same_name_reaches_200_m_another_name_50_m():
    table = make()
    known = remember(table, assign_ids(ROLE, table))
    near, far = PLACES.copy(), PLACES.copy()
    near[:, 0] += 199.0
    far[:, 0] += 201.0
    assert by_row(make(places=near), known) == known["item_id"].tolist()
    assert not set(by_row(make(places=far), known)) & set(known["item_id"])
    other = PLACES.copy()
    other[:, 1] += 50.0
    assert by_row(make([f"新{i}" for i in range(5)], other), known) == known["item_id"].tolist()
    other[:, 1] += 0.5
    assert not set(by_row(make([f"新{i}" for i in range(5)], other), known)) & set(known["item_id"])


def test_one_known_item_is_given_once_to_the_nearest():
    table = make(["甲路"], PLACES[:1])
    known = remember(table, assign_ids(ROLE, table))
    ids = by_row(make(["子", "丑"], PLACES[[0, 0]] + [[20.0, 0.0], [10.0, 0.0]]), known)
    assert ids[1] == known["item_id"].iloc[0]
    assert ids[0] != ids[1]


def test_own_number_wins_where_it_is_the_rows_alone():
    ids = by_row(make(numbers=["JN-1", "2", "2", None, "YL-7"]))
    assert ids[0] == f"{ROLE.id_prefix}-JN-1"
    assert ids[4] == "YL-7"
    assert len(set(ids)) == 5
    assert all(entry.startswith(ROLE.id_prefix) for entry in ids)


@given(st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_equal_places_and_names_get_different_ids_whatever_the_order(order):
    table = make(["甲"] * 4, PLACES[[0, 0, 0, 0]]).assign(depth=[1.0, 2.0, 3.0, 4.0])
    first = dict(zip(table["depth"], by_row(table), strict=True))
    turned = table.iloc[list(order)].reset_index(drop=True)
    assert dict(zip(turned["depth"], by_row(turned), strict=True)) == first
    assert len(set(first.values())) == 4


def test_ids_of_another_crs_are_the_same():
    table = make()
    assert by_row(table) == by_row(table.to_crs("EPSG:4549"))


def test_a_hundred_thousand_rows_are_quick_and_unique():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1e4, (50_000, 2)) + PLACES[0]
    assert pd.Series(by_row(make(["路"] * len(places), places))).is_unique


@pytest.mark.parametrize(
    "known", [None, pd.DataFrame(columns=["role", "item_id", "name", "x", "y"])]
)
def test_no_known_items(known):
    assert len(set(by_row(make(), known))) == 5


def test_rows_without_geometry_get_ids_too():
    role = load_roles()["stock"]
    table = gpd.GeoDataFrame({"name": ["沙袋", "水泵", "沙袋"]}, geometry=[None] * 3, crs=CRS)
    known = pd.DataFrame(
        {"role": ["stock"], "item_id": ["X"], "name": ["沙袋"], "x": [np.nan], "y": [np.nan]}
    )
    ids = assign_ids(role, table, known)
    assert ids.is_unique
    assert ids.notna().all()


def test_a_whole_column_of_own_numbers_gives_the_ids_that_rows_give_one_by_one():
    numbers = [" YL-1", "yl-2", "FP-3 ", "4", "YL5"]
    table = make(numbers=numbers).astype({"number": "str"})
    whole = assign_ids(ROLE, table, numbered_once=True)
    assert whole.tolist() == by_row(table) == ["YL-1", "yl-2", "YL-FP-3", "YL-4", "YL5"]
    assert whole.name == "item_id"
    table.loc[2, "number"] = None  # one without a number: its id is of name and place
    assert assign_ids(ROLE, table, numbered_once=True).tolist() == by_row(table)

"""The next year: every change by hand, from two small results."""

import geopandas as gpd
import pandas as pd
from shapely.geometry import box

from riskmap.export.geopackage.write import write_layers
from riskmap.i18n import language
from riskmap.register.diff import MOVED_M, change_layers, compare, compare_items


def units(*rows):
    return pd.DataFrame(rows, columns=["unit_id", "name", "level", "class", "score"])


def items(*rows):
    return pd.DataFrame(rows, columns=["item_id", "role", "name", "town", "level", "lon", "lat"])


OLD = {
    "units": units(("1", "东村", "village", 1, 0.1), ("2", "西村", "village", 3, 0.6), ("4", "旧村", "village", 2, 0.3)),
    "unit_indicators": pd.DataFrame({"unit_id": ["1", "2"], "H": [1.0, 2.0], "E": [5.0, 5.0]}),
    "items": items(
        ("A", "flood_point", "甲", "镇", 4, 117.0, 36.0), ("B", "flood_point", "乙", "镇", 2, 117.0, 36.0),
        ("C", "flood_point", "丙", "镇", 3, 117.0, 36.0),
    ),
    "control": pd.DataFrame({"item_id": ["A", "B", "C"], "name": ["甲", "乙", "丙"], "status": ["待上报"] * 3}),
    "scorecard": pd.DataFrame({"code": ["r"], "unit_name": [None], "measure": ["整改率"], "value": [66.0]}),
}  # fmt: skip
NEW = {
    "units": units(("1", "东村", "village", 3, 0.5), ("2", "西村", "village", 3, 0.61), ("3", "新村", "village", 1, 0.1)),
    "unit_indicators": pd.DataFrame({"unit_id": ["1", "2"], "H": [4.0, 2.0], "E": [5.1, 5.0]}),
    "items": items(
        ("A", "flood_point", "甲", "镇", 3, 117.0, 36.0), ("B", "flood_point", "乙（改）", "镇", 2, 117.0, 36.001),
        ("D", "flood_point", "丁", "镇", 4, 117.0, 36.0),
    ),
    "control": pd.DataFrame({"item_id": ["A", "B", "D"], "name": ["甲", "乙（改）", "丁"], "status": ["整改中"] * 3}),
    "scorecard": pd.DataFrame({"code": ["r"], "unit_name": [None], "measure": ["整改率"], "value": [99.3]}),
}  # fmt: skip


def test_units_that_change_class_and_what_moved_them():
    found = compare(OLD, NEW)["units"].set_index("unit_id")
    assert found.columns.tolist() == [
        "name", "level", "class_before", "class_after", "score_before", "score_after", "score_change", "cause",
    ]  # fmt: skip
    assert set(found.index) == {"1", "3", "4"}  # 2 keeps its class; 3 is new, 4 is gone
    assert round(found.loc["1", "score_change"], 6) == 0.4
    assert found.loc["1", "cause"] == "H +"


def test_items_new_gone_regraded_renamed_and_moved():
    with language("en"):
        found = compare_items(OLD["items"], NEW["items"])
        said = {(str(kind), key) for kind, key in zip(found["kind"], found["item_id"], strict=True)}
    assert said == {
        ("new", "D"), ("no longer listed", "C"), ("graded lower", "A"), ("renamed", "B"), ("moved", "B"),
    }  # fmt: skip
    metres = found.loc[found["metres"].notna(), "metres"].item()
    assert 110 < metres < 112  # a thousandth of a degree of latitude
    assert metres > MOVED_M


def test_what_was_open_and_is_open_still_is_carried_over():
    found = compare(OLD, NEW)["carried"]
    assert found["item_id"].tolist() == ["A", "B"]
    assert set(found["status"]) == {"整改中"}


def test_scorecards_side_by_side():
    row = compare(OLD, NEW)["scorecard"].iloc[0]
    assert (row["before"], row["after"], row["change"]) == (66.0, 99.3, 33.3)


def test_the_first_page_counts_both_lists():
    with language("en"):
        rows = compare(OLD, NEW)["overview"].to_numpy().tolist()
        said = {str(row[0]): tuple(row[1:3]) for row in rows}
    assert said["items on the list"] == (3, 3)
    assert said["items of grade 4"] == (1, 1)
    assert said["units of class 4"] == (0, 0)
    assert said["units that rise in class"][1] == 1


def test_a_result_against_itself_changes_nothing():
    found = compare(NEW, NEW)
    assert found["units"].empty
    assert found["items"].empty
    assert len(found["carried"]) == 3


def test_changes_are_layers_of_a_map(tmp_path):
    squares = {key: box(117 + int(key) / 100, 36, 117.01 + int(key) / 100, 36.01) for key in "1234"}
    old, new = (
        {**side, "units": gpd.GeoDataFrame(
            side["units"], geometry=[squares[key] for key in side["units"]["unit_id"]], crs=4326)}
        for side in (OLD, NEW)
    )  # fmt: skip
    layers = change_layers(old, new, compare(old, new))
    path = tmp_path / "变化.gpkg"
    words = {"units": ["升级", "降级"], "items": [], "carried": []}
    titles = {name: name for name in layers}
    headings = {"kind": "变化情况", "unit_id": "单元代码"}
    write_layers(path, layers, titles=titles, headings=headings, kinds=words, moment="2027-04-10")
    first = path.read_bytes()
    units = gpd.read_file(path, layer="units").set_index("单元代码")
    assert set(units.index) == {"1", "3", "4"}  # 2 keeps its class
    assert units.geometry["4"].equals(squares["4"])  # it is in the old result alone
    here = gpd.read_file(path, layer="items").set_index("item_id").geometry
    assert (here["C"].x, here["D"].x) == (117.0, 117.0)
    assert len(gpd.read_file(path, layer="carried")) == 2
    assert len(gpd.read_file(path, layer="layer_styles")) == 3
    write_layers(path, layers, titles=titles, headings=headings, kinds=words, moment="2027-04-10")
    assert path.read_bytes() == first


def test_empty_lists():
    nothing = {**NEW, "items": NEW["items"].iloc[:0], "control": NEW["control"].iloc[:0]}
    assert len(compare(nothing, NEW)["items"]) == 3
    assert compare(nothing, nothing)["items"].empty

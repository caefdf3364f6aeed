"""Which rows of a layer count."""

from types import SimpleNamespace

import geopandas as gpd
from shapely.geometry import Point

from riskmap.layers.layer import placed_rows, rows_in_use
from riskmap.vocabulary.roles import load_roles

SOURCES = gpd.GeoDataFrame(
    {
        "name": ["加油站", "空库", "旧厂", "未填", "无坐标"],
        "has_storage": [True, False, None, None, True],
        "status": ["active", "active", "retired", None, "active"],
    },
    geometry=[Point(0, 0), Point(1, 0), Point(2, 0), Point(3, 0), None],
)


def test_rows_without_place_out_of_use_or_without_storage_do_not_count():
    layers = {"hazard_source": SimpleNamespace(table=SOURCES)}
    placed = placed_rows(layers, "hazard_source")
    assert placed["name"].tolist() == ["加油站", "空库", "旧厂", "未填"]
    used = rows_in_use(layers, "hazard_source", load_roles())
    assert used["name"].tolist() == ["加油站", "未填"]
    assert rows_in_use(layers, "hazard_source", None)["name"].tolist() == placed["name"].tolist()


def test_nothing_is_none():
    roles = load_roles()
    for rows in (SOURCES[4:], SOURCES[1:2]):
        layers = {"hazard_source": SimpleNamespace(table=rows)}
        assert rows_in_use(layers, "hazard_source", roles) is None
    assert placed_rows({}, "hazard_source") is None
    assert (
        rows_in_use({"hazard_source": SimpleNamespace(table=None)}, "hazard_source", roles) is None
    )


def test_a_village_named_in_the_address_places_a_row():
    """The longest name wins; a village named in no address, or two, places nothing."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from shapely import box

    from riskmap.layers.place.evidence import Hints, village_points

    names = ["人民新村", "新人民新村", "东村", "西关社区"]
    units = gpd.GeoDataFrame(
        {"name": names, "level": "village", "town": "甲镇"},
        geometry=[box(117 + i, 36, 118 + i, 37) for i in range(4)], crs=4326,
    )  # fmt: skip
    said = [
        "甲镇人民新村37栋",
        "新人民新村3号楼",
        "东村口",
        "人民新村与西关社区之间",
        None,
        "西关社区",
    ]
    hints = Hints(units=units, address=pd.Series(said, dtype=object))
    found = village_points(hints, np.ones(len(said), dtype=bool))[:, 0]
    assert [None if np.isnan(x) else int(x - 117) for x in found] == [0, 1, None, None, None, 3]

"""Which rows of a layer count."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

from riskmap.layers.layer import placed_rows, rows_in_use
from riskmap.layers.read import values
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


@pytest.mark.parametrize("kind", ["number", "text", "phone", "date", "boolean"])
def test_long_columns_of_few_entries_are_read_as_each_cell_alone(kind, monkeypatch):
    entries = ["12", "3.5", "约半米", "", "30-50cm", "0.5m", "2024年6月", "是", "a\x07b", "1e400",
               "13800000000", "0531-1", "#N/A", "[]", "１２"]  # fmt: skip
    chance = np.random.default_rng(4)
    cells = pd.Series(chance.choice(entries, 120), dtype="str")
    parse = {
        "number": lambda some: values.parse_numbers(
            some, unit="m", header_unit=None, upper=True, whole=True
        ),
        "text": values.parse_text,
        "phone": values.parse_phones,
        "date": values.parse_dates,
        "boolean": values.parse_booleans,
    }[kind]
    monkeypatch.setattr(values, "_REPEATED", 100)
    monkeypatch.setattr(values, "_FEW", 0.5)
    quick, slow = values.by_entries(cells, parse), [parse(cells.iloc[[n]]) for n in range(120)]
    for part in ("bad", "changed"):
        assert list(getattr(quick, part)) == [getattr(one, part)[0] for one in slow]
    pd.testing.assert_series_equal(quick.column, pd.concat([one.column for one in slow]))

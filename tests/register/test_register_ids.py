import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from riskmap.errors import LayerError
from riskmap.layers.check import known_of, read_known, to_crs, write_known
from riskmap.layers.layer import Layer

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "'quoted",
    '"a",b',
    "<script>",
    "名称\n二",
    "😀",
    "",
]


def store(names):
    return pd.DataFrame(
        {
            "role": "flood_point",
            "item_id": [f"YL-{i:02d}" for i in range(len(names))],
            "name": names,
            "x": 117.0,
            "y": 36.5,
        }
    )


def test_names_come_back_and_no_cell_is_a_formula(tmp_path):
    write_known(tmp_path / "ids.csv", store(HOSTILE))
    back = read_known(tmp_path / "ids.csv")
    assert back["name"].tolist() == HOSTILE
    raw = pd.read_csv(tmp_path / "ids.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert not raw["name"].str.startswith(("=", "+", "-", "@")).any()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=8))
def test_any_name_survives(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("ids") / "ids.csv"
    write_known(path, store(names))
    assert read_known(path)["name"].tolist() == names


def test_same_store_same_bytes_in_any_order(tmp_path):
    known = store(["甲", "乙", "丙"])
    write_known(tmp_path / "a.csv", known)
    write_known(tmp_path / "b.csv", known.iloc[::-1])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_items_of_a_run_join_those_known_before():
    table = gpd.GeoDataFrame(
        {"name": ["新名", None]},
        index=pd.Index(["YL-01", "YL-09"], name="item_id"),
        geometry=shapely.points([(616693.387, 4078110.599)] * 2),
        crs="EPSG:4548",
    )
    known = known_of({"flood_point": Layer("flood_point", table)}, store(["甲", "乙"]))
    assert known["item_id"].tolist() == ["YL-00", "YL-01", "YL-09"]
    assert known["name"].tolist() == ["甲", "新名", ""]
    # rules of the projection: (118.308, 36.827) in EPSG:4548
    assert known.loc[1, ["x", "y"]].tolist() == pytest.approx([118.308, 36.827], abs=1e-6)
    metres = to_crs(known, "EPSG:4548")
    assert metres.loc[1, ["x", "y"]].tolist() == pytest.approx([616693.387, 4078110.599], abs=0.01)


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "role,item_id,name,x,y\nr,i,n,east,1\n"])
def test_a_broken_store_is_told(tmp_path, content):
    (tmp_path / "ids.csv").write_text(content, encoding="utf-8")
    with pytest.raises(LayerError):
        read_known(tmp_path / "ids.csv")

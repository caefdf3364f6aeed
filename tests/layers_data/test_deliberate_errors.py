"""Every row that the README calls wrong comes back, and no other row of the ledgers does."""

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from riskmap.layers.read.layer import read_layer
from riskmap.project.schema import load_project
from riskmap.vocabulary.roles import load_roles

ROOT = Path(__file__).resolve().parents[2]
CRS = "EPSG:4548"
WRONG = "示范错误"
"""How the names of rows that are wrong on purpose begin."""
USED = {
    "flood_point": 98,
    "hazard_source": 302,
    "rescue_station": 14,
    "refuge": 240,
    "rescue_team": 9,
    "supply_depot": 14,
    "stock": 586,
    "geohazard_point": 26,
    "reservoir": 6,
    "danger_area": 26,
}


def promised():
    readme = (ROOT / "layers" / "jinan" / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\S+\.(?:xlsx|csv|shp)) \| (\d+) \| JN-", readme, re.MULTILINE)
    return {(file, int(row)) for file, row in found}


@pytest.fixture(scope="module")
def read():
    project = load_project(ROOT / "configs" / "jinan.yaml")
    units = gpd.read_file(ROOT / "layers" / "jinan" / "units.geojson").to_crs(CRS)
    place = shapely.union_all(units[units["level"] == "district"].geometry.to_numpy())
    roles = load_roles()
    return {
        role: read_layer(roles[role], project.layer_specs(role), crs=CRS, place=place)
        for role in USED
    }


@pytest.mark.parametrize(("role", "used"), USED.items())
def test_rows_used_are_those_of_the_documents(read, role, used):
    layer, _ = read[role]
    assert layer.rows_used == used
    assert not layer.table["name"].astype(str).str.startswith(WRONG).any()
    assert layer.rows_in == layer.rows_used + layer.rows_returned


def test_exactly_the_wrong_rows_come_back(read):
    returned = {
        (Path(problem.file).name, problem.row)
        for _, problems in read.values()
        for problem in problems
        if problem.severity == "returned"
    }
    assert returned == promised()
    assert len(returned) == 18
    assert sum(layer.rows_returned for layer, _ in read.values()) == 18


def test_coordinates_arrive_where_the_generator_put_them(read):
    flood, _ = read["flood_point"]
    hazard, _ = read["hazard_source"]
    villages = gpd.read_file(ROOT / "layers" / "jinan" / "units.geojson").to_crs(CRS)
    villages = villages[villages["level"] == "village"].set_index("name")
    own = villages.geometry.loc[flood.table["village"]].to_numpy()
    # points were set on a junction of this community and moved by at most 50 m
    assert shapely.distance(flood.table.geometry.to_numpy(), own).max() < 51
    assert shapely.within(hazard.table.geometry.to_numpy(), villages.union_all()).all()


def test_only_29_hazard_sources_have_storage(read):
    hazard, _ = read["hazard_source"]
    stored = hazard.table["has_storage"].astype("string").str.lower()
    assert (stored == "true").sum() == 29

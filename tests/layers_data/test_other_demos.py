"""Liechtenstein and Porto Alegre hold what their READMEs promise, and every project file loads."""

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely

from riskmap.project.schema import load_project

ROOT = Path(__file__).resolve().parents[2]
LIECHTENSTEIN = ROOT / "layers" / "liechtenstein" / "liechtenstein-latest.osm.pbf"
PORTO_ALEGRE = ROOT / "layers" / "porto_alegre"
DEMOS = ("jinan", "liechtenstein", "porto_alegre")


@pytest.mark.parametrize("name", DEMOS)
def test_project_files_load_and_name_files_that_exist(name):
    project = load_project(ROOT / "configs" / f"{name}.yaml")
    for _, path in project.written_paths():
        assert project.file(path).is_file(), path


@pytest.mark.parametrize("name", DEMOS)
def test_readme_names_every_file_and_a_licence(name):
    folder = ROOT / "layers" / name
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "OpenStreetMap contributors" in readme
    assert "ODbL" in readme
    companions = {".dbf", ".prj", ".shx", ".md", ".py"}
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in companions:
            assert path.name in readme, path.name


@pytest.mark.parametrize(
    ("layer", "where", "count"),
    [
        ("multipolygons", "boundary = 'administrative' AND admin_level = '8'", 11),
        ("multipolygons", "building IS NOT NULL", 8994),
        ("multipolygons", "amenity = 'fire_station'", 1),
        ("points", """other_tags LIKE '%"amenity"=>"fire_station"%'""", 5),
        ("multipolygons", "amenity = 'school'", 12),
        ("points", """other_tags LIKE '%"amenity"=>"school"%'""", 7),
        ("points", """other_tags LIKE '%"amenity"=>"fuel"%'""", 14),
        ("multipolygons", "amenity = 'fuel'", 1),
    ],
)
def test_liechtenstein_holds_what_stands_for_the_roles(layer, where, count):
    assert len(pyogrio.read_dataframe(LIECHTENSTEIN, layer=layer, where=where)) == count


def test_hexagons_fit_together_and_keep_the_people():
    units = gpd.read_file(PORTO_ALEGRE / "units.geojson")
    cells = units[units["level"] == "custom"]
    table = pd.read_csv(PORTO_ALEGRE / "poa_hexgrid.csv")
    assert set(cells["code"]) == set(table["id"])
    assert cells["name"].is_unique
    assert cells["population"].sum() == table["population"].sum()
    shapes = cells.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert (shapely.get_num_coordinates(shapes) == 7).all()
    at = cells.set_index("code").loc[table["id"]]
    centre = at.to_crs(32722).centroid
    given = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"]), crs=4326).to_crs(32722)
    assert np.max(np.hypot(centre.x.values - given.x.values, centre.y.values - given.y.values)) < 1


def test_screening_depth_is_the_level_less_the_ground():
    with rasterio.open(PORTO_ALEGRE / "depth_5m.tif") as raster:
        depth = raster.read(1, masked=True)
    with rasterio.open(PORTO_ALEGRE / "poa_elevation.tif") as dem:
        ground = dem.read(1).astype(float)
    wet = (depth > 0).filled(False)
    np.testing.assert_array_equal(depth[wet], 5 - ground[wet])
    assert (ground[depth.mask] == 0).all()
    assert wet.mean() > 0.02


def test_stations_say_that_they_are_made_up():
    stations = gpd.read_file(PORTO_ALEGRE / "stations.geojson")
    assert len(stations) == 8
    assert stations["数据性质"].eq("示范数据").all()


def test_porto_alegre_generator_gives_the_committed_files_again(tmp_path):
    command = [sys.executable, str(PORTO_ALEGRE / "make_units.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for path in tmp_path.iterdir():
        if path.suffix != ".tif":
            assert path.read_bytes() == (PORTO_ALEGRE / path.name).read_bytes(), path.name

"""Make the made-up part (示范数据) of the Jinan demo from the real roads and districts.

Run from anywhere: ``python layers/jinan/make_demo.py [OUT]``. Same seeds, same files.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import geopandas as gpd  # noqa: E402
from demo import area, files, ledgers, points, scenario, scene, stock, terrain, units  # noqa: E402


def make(folder: Path) -> None:
    """Write every made-up file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    roads = gpd.read_file(HERE / "roads.gpkg")
    unit = units.make_units(roads, area.study_area(HERE, roads))
    files.write_geojson(unit.assign(demo=scene.NOTE), folder / "units.geojson")
    water = terrain.waterways()
    files.write_geojson(water, folder / "waterways.geojson")
    bounds = tuple(float(v) for v in roads.to_crs(area.METRIC).total_bounds)
    dem = terrain.make_dem(
        (bounds[0] - 500, bounds[1] - 500, bounds[2] + 500, bounds[3] + 500), water
    )
    files.write_raster(
        dem, folder / "dem.tif", crs=area.METRIC, unit="m", about="示范数据 made-up elevation"
    )
    place = scene.make_scene(roads, unit, dem, water)
    flood, slope = points.flood_points(place), points.geohazards(place)
    depot = points.depots(place)
    ledgers.flood_ledger(flood, folder)
    ledgers.hazard_ledger(points.hazard_sources(place), folder)
    ledgers.station_shapefile(points.stations(place), folder)
    ledgers.refuge_ledger(points.refuges(place), folder)
    ledgers.force_ledgers(points.teams(place), depot, stock.stock(depot), folder)
    ledgers.hill_ledgers(slope, points.reservoirs(place), folder)
    scenario.write_scenario(folder, roads, unit, water, flood, slope)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

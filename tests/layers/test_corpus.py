import collections

import geopandas as gpd
import numpy as np
import pytest
import shapely

from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.layer import read_layer
from riskmap.vocabulary.roles import load_roles
from tests.corpus import cases

ROLE = load_roles()["flood_point"]
PLACE = gpd.GeoSeries([shapely.box(118.0, 36.5, 119.0, 37.0)], crs=4326)
CASES = cases()


def wrong(case, folder):
    path = folder / case.file
    case.write(path)
    spec = LayerSpec(path=path, shown=path.name, **case.words)
    layer, problems = read_layer(ROLE, [spec], crs="EPSG:4548", place=PLACE)
    for source in layer.sources:
        assert source.rows_in == source.rows_used + source.rows_returned
    rules = {problem.rule for problem in problems}
    out = [f"no {case.rule}" for _ in range(case.rule not in rules and case.rule != "")]
    out += ["own fault"] * ("own_fault" in rules)
    if not case.at:
        return out + ["rows lost"] * (layer.rows_in != 4)
    table = layer.table
    if len(table) != len(case.at):
        return [*out, f"{len(table)} rows, not {len(case.at)}: {[str(p) for p in problems][:3]}"]
    metric = gpd.GeoSeries([shapely.Point(p) for p in case.at], crs=4326).to_crs(4548)
    apart = shapely.distance(table.geometry.to_numpy()[:, None], metric.to_numpy()[None, :])
    nearest = apart.argmin(axis=0)
    if apart.min(axis=0).max() > case.within_m or len(set(nearest)) != len(case.at):
        out.append(f"{apart.min(axis=0).max():.1f} m off")
    depth = table["depth_m"].to_numpy(dtype=float)[nearest]
    right = np.array([np.nan if d is None else d for d in case.depth], dtype=float)
    if not np.allclose(depth, right, equal_nan=True, atol=1e-9):
        out.append(f"depth {depth.tolist()}")
    if not set(case.names) <= set(table["name"]):
        out.append(f"names {table['name'].tolist()}")
    return out


def test_there_are_enough():
    assert len(CASES) >= 300
    counted = collections.Counter(case.name for case in CASES)
    assert not [name for name, times in counted.items() if times > 1]


@pytest.mark.parametrize("part", range(8))
def test_every_file_gives_its_right_reading(tmp_path, part):
    found = {}
    for number, case in enumerate(CASES[part::8]):
        folder = tmp_path / str(number)
        folder.mkdir()
        if said := wrong(case, folder):
            found[case.name] = said
    assert found == {}

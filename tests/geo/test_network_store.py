"""Kept graphs: the same answers with and without, damaged files ignored, old ones removed."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString

from riskmap.geo.network import graph as store
from riskmap.geo.network import snap_points
from riskmap.geo.network.build import build_graph
from riskmap.vocabulary.presets import load_presets

OPTIONS = {"profile": "car", "direction": None, "oneway_field": None, "crs": "EPSG:4548"}


def streets(shift=0.0):
    lines = [
        LineString([(500_000, 4_000_000), (500_100 + shift, 4_000_000), (500_200, 4_000_030)]),
        LineString([(500_100 + shift, 4_000_000), (500_100, 4_000_090)]),
        LineString([(500_100 + shift, 4_000_000), (500_100, 4_000_090)]),
        LineString([(509_000, 4_000_000), (509_000, 4_000_000)]),
    ]
    columns = {
        "highway": ["主干路", "residential", None, "primary"],
        "oneway": ["yes", "", "x", ""],
    }
    return gpd.GeoDataFrame(columns, geometry=lines, crs=4548)


def kept(folder, lines, presets, options=OPTIONS):
    """Give the graph and how often it was built."""
    built = []

    def build(seen):
        built.append(1)
        return build_graph(lines, presets=seen, **options)

    values = {key: presets.preset(key).value for key in presets}
    return store.kept_graph(folder, lines, options, values, presets, build), len(built)


def same(one, other):
    for name in one.__dataclass_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "edge_geometry":
            assert [x.wkb for x in a] == [x.wkb for x in b]
        elif isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
        else:
            assert a == b


def test_a_kept_graph_is_the_graph_and_counts_the_same_presets(tmp_path):
    fresh = load_presets()
    built, first = kept(tmp_path, streets(), fresh)
    again = load_presets()
    read, second = kept(tmp_path, streets(), again)
    assert (first, second) == (1, 0)
    same(built, read)
    assert fresh.used() == again.used()
    assert [str(note) for note in built.notes] == [str(note) for note in read.notes]
    assert built.notes


@pytest.mark.parametrize(
    ("lines", "overrides", "options"),
    [
        (streets(0.5), {}, OPTIONS),
        (streets().assign(oneway="no"), {}, OPTIONS),
        (streets(), {"road.unknown_speed_kmh": 7}, OPTIONS),
        (streets(), {}, OPTIONS | {"profile": "foot"}),
    ],
    ids=["geometry", "column", "preset", "option"],
)
def test_whatever_changes_the_graph_changes_the_key(tmp_path, lines, overrides, options):
    kept(tmp_path, streets(), load_presets())
    found, built = kept(tmp_path, lines, load_presets(overrides), options)
    assert built == 1
    same(found, build_graph(lines, presets=load_presets(overrides), **options))


@pytest.mark.parametrize("harm", [b"", b"no archive", "cut", "flip"])
def test_a_damaged_file_is_built_anew(tmp_path, harm):
    truth, _ = kept(tmp_path, streets(), load_presets())
    file = next(tmp_path.glob("road-*.graph"))
    whole = file.read_bytes()
    if harm == "cut":
        harm = whole[: len(whole) // 2]
    elif harm == "flip":
        harm = bytearray(whole)
        harm[len(whole) // 3] ^= 0xFF
    file.write_bytes(bytes(harm))
    found, built = kept(tmp_path, streets(), load_presets())
    assert built == 1
    same(found, truth)
    assert kept(tmp_path, streets(), load_presets())[1] == 0


def test_the_folder_stays_small_and_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MOST_KEPT", 3)
    for shift in range(5):
        kept(tmp_path / "new", streets(float(shift)), load_presets())
    assert len(list((tmp_path / "new").iterdir())) == 3
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "in", streets(), load_presets())[1] == 1
    assert kept(None, streets(), load_presets())[1] == 1


def test_files_with_swapped_names_are_built_anew(tmp_path):
    one, other = streets(), streets(0.5)
    truth, _ = kept(tmp_path, one, load_presets())
    (first,) = tmp_path.glob("road-*.graph")
    second_truth, _ = kept(tmp_path, other, load_presets())
    (second,) = set(tmp_path.glob("road-*.graph")) - {first}
    aside = tmp_path / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    for lines, right in ((one, truth), (other, second_truth)):
        found, built = kept(tmp_path, lines, load_presets())
        assert built == 1
        same(found, right)
        assert kept(tmp_path, lines, load_presets())[1] == 0


def test_no_damage_raises_or_changes_the_graph(tmp_path):
    """Bytes flipped, cut out, repeated, zeroed; parts of the archive exchanged."""
    truth, _ = kept(tmp_path, streets(), load_presets())
    (file,) = tmp_path.glob("road-*.graph")
    whole = file.read_bytes()
    random = np.random.default_rng(5)
    for turn in range(300):
        harmed = bytearray(whole)
        at, size = int(random.integers(len(whole))), int(random.integers(1, 60))
        if turn % 4 == 0:
            harmed[at] ^= 1 << int(random.integers(8))
        elif turn % 4 == 1:
            del harmed[at : at + size]
        elif turn % 4 == 2:
            harmed[at : at + size] = bytes(len(harmed[at : at + size]))
        else:
            harmed[at:at] = harmed[at : at + size]
        file.write_bytes(bytes(harmed))
        read = store._read(file, file.stem.removeprefix("road-"))
        if read is not None:
            same(read[0], truth)


def test_exchanged_values_are_noticed_though_the_file_is_whole(tmp_path):
    truth, _ = kept(tmp_path, streets(), load_presets())
    (file,) = tmp_path.glob("road-*.graph")
    whole = file.read_bytes()
    values = truth.edge_length_m.tobytes()
    assert whole.count(values) >= 1
    file.write_bytes(whole.replace(values, (truth.edge_length_m * 2).tobytes()))
    found, built = kept(tmp_path, streets(), load_presets())
    assert built == 1
    same(found, truth)


def test_a_kept_graph_makes_its_lines_when_asked(tmp_path):
    truth, _ = kept(tmp_path, streets(), load_presets())
    found, built = kept(tmp_path, streets(), load_presets())
    assert built == 0
    assert "edge_geometry" not in vars(found)
    xy, edge = found.corners()
    at = np.array([[500_050.0, 4_000_003.0]])
    assert snap_points(found, at).edge.tolist() == snap_points(truth, at).edge.tolist()
    assert "edge_geometry" not in vars(found)
    again_xy, again_edge = truth.corners()
    assert xy.tolist() == again_xy.tolist()
    assert edge.tolist() == again_edge.tolist()
    assert [one.wkt for one in found.edge_geometry] == [one.wkt for one in truth.edge_geometry]
    assert replace(found, hour=7).edge_geometry[0].wkt == truth.edge_geometry[0].wkt

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from riskmap.errors import LayerError
from riskmap.layers.layer import LayerSpec
from riskmap.layers.read.raster import read_raster


def test_a_huge_raster_is_averaged_while_reading(tmp_path):
    data = np.arange(400 * 400, dtype=np.float32).reshape(400, 400)
    path = tmp_path / "a.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=400,
        height=400,
        count=1,
        dtype="float32",
        crs="EPSG:4548",
        transform=rasterio.Affine(10, 0, 500000, 0, -10, 4100000),
    ) as target:
        target.write(data, 1)
    spec = LayerSpec(path=Path(path), shown="a.tif")
    raster, remarks = read_raster(spec, None, max_cells=100 * 100)
    assert raster.values.shape == (100, 100)
    np.testing.assert_allclose(
        raster.values, data.reshape(100, 4, 100, 4).mean(axis=(1, 3)), rtol=1e-6
    )
    assert raster.transform[0] == pytest.approx(40.0)
    assert "coarser" in [remark.rule for remark in remarks]


@pytest.mark.parametrize(("named", "value"), [(None, 1.0), ("1", 1.0), ("2", 2.0)])
def test_a_band_is_chosen_by_its_number(tmp_path, named, value):
    assert (read_raster(two_bands(tmp_path, named), None)[0].values == value).all()


@pytest.mark.parametrize("named", ["0", "3", "-1", "depth"])
def test_a_band_that_is_not_there_is_said(tmp_path, named):
    with pytest.raises(LayerError, match=named):
        read_raster(two_bands(tmp_path, named), None)


def two_bands(folder, named):
    grid = rasterio.Affine(10, 0, 500000, 0, -10, 4100000)
    with rasterio.open(
        folder / "b.tif", "w", driver="GTiff", width=2, height=2, count=2, dtype="float32",
        crs="EPSG:4548", transform=grid,
    ) as target:  # fmt: skip
        for band in (1, 2):
            target.write(np.full((2, 2), band, np.float32), band)
    return LayerSpec(path=folder / "b.tif", shown="b.tif", layer=named)


def test_numbers_that_mark_nothing_are_unknown_also_two_kinds_of_them():
    from riskmap.layers.read.raster import _without_marks

    values = (np.arange(400, dtype=np.float32) % 50 + 100).reshape(20, 20)
    for marks in ((-999.0,), (-9999.0, -32768.0), (-9999.0, 9999.0)):
        held = values.copy()
        held.flat[: len(marks)] = marks
        remarks = _without_marks(held)
        assert [r.rule for r in remarks] == ["nodata_found"] * len(marks)
        assert int(np.isnan(held).sum()) == len(marks)
    low = values - 200.0  # -100 to -51 m, with one cell at -154 m
    low[0, 0] = -154.0
    assert not _without_marks(low)
    assert not np.isnan(low).any()


@pytest.mark.parametrize("covering", [True, False])
def test_a_raster_that_covers_half_the_place_says_so(tmp_path, covering):
    """Ten of twenty columns; blanks inside are said only where every cell should have a value."""
    values = np.full((10, 10), 5.0, np.float32)
    values[:5] = -1.0
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=10, height=10, count=1, dtype="float32",
        crs="EPSG:4548", transform=rasterio.Affine(10, 0, 500000, 0, -10, 4100000), nodata=-1,
    ) as target:  # fmt: skip
        target.write(values, 1)
    square = gpd.GeoSeries([shapely.box(500000, 4099900, 500200, 4100000)], crs="EPSG:4548")
    spec = LayerSpec(path=tmp_path / "a.tif", shown="a.tif")
    _, remarks = read_raster(spec, square.to_crs("EPSG:4326").iloc[0], covering=covering)
    said = next(str(one.message) for one in remarks if one.rule == "part_covered")
    assert ("25%" if covering else "50%") in said


def test_undeclared_marks_stay_out_of_averages_ours_and_others(tmp_path):
    """Ground at 40 to 59 m; a fifth of the cells hold -9999 and nothing says so."""
    ground = (np.arange(10000, dtype=np.float32) % 20 + 40).reshape(100, 100)
    holed = ground.copy()
    holed[:, :20] = -9999.0
    averaged = holed.copy()
    averaged[:, 19] = (-9999.0 + ground[:, 19]) / 2  # -4970 m, as a resampling program makes
    averaged[:, 20] = ground[:, 20] - 60.0  # looks like ground below the sea
    for name, values, cells, lost in (
        ("ours", holed, 2500, 20), ("theirs", averaged, 10**6, 22),
    ):  # fmt: skip
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=100, height=100, count=1,
            dtype="float32", crs="EPSG:4548",
            transform=rasterio.Affine(10, 0, 500000, 0, -10, 4100000),
        ) as target:  # fmt: skip
            target.write(values, 1)
        spec = LayerSpec(path=tmp_path / f"{name}.tif", shown="a.tif")
        raster, remarks = read_raster(spec, None, max_cells=cells)
        known = raster.values[np.isfinite(raster.values)]
        assert known.min() >= 40.0, (name, known.min())
        assert known.max() <= 59.0
        share = np.isfinite(raster.values).mean()
        assert share == pytest.approx(1 - lost / 100, abs=0.011), name
        if name == "theirs":
            assert "nodata_found" in {remark.rule for remark in remarks}

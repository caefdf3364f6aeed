"""Pictures under the map, from the project file to the pixels of the page."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from riskmap.cli.commands import check_project, run_project
from riskmap.errors import ExportError, ProjectError
from riskmap.export.onemap.backdrop import SIDE, backdrop_parts, backdrop_problems, read_backdrops
from riskmap.export.onemap.pack import Packer
from tests import town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GREEN, PURPLE = (0, 160, 0), (120, 0, 160)


def picture(
    path: Path, *, east: float = town.EAST - 200, bands: int = 3, dtype: str = "uint8",
    crs: str | None = town.CRS, palette: bool = False,
) -> Path:  # fmt: skip
    """Green west and purple east of easting 500 200, in pixels of 2 m."""
    values = np.zeros((bands, 400, 400), dtype)
    half = round((town.EAST + 200 - east) / 2)
    for band in range(bands):
        values[band, :, :half] = GREEN[band % 3]
        values[band, :, half:] = PURPLE[band % 3]
    if palette:
        values[0, :, :half], values[0, :, half:] = 1, 2
    place = {"crs": crs, "transform": Affine(2, 0, east, 0, -2, town.NORTH + 500)} if crs else {}
    with rasterio.open(
        path, "w", driver="GTiff", width=400, height=400, count=bands, dtype=dtype, **place
    ) as file:
        file.write(values)
        if palette:
            file.write_colormap(1, {1: (*GREEN, 255), 2: (*PURPLE, 255)})
    return path


def opened_jpeg(data: str, folder: Path) -> np.ndarray[Any, Any]:
    kind, _, body = data.partition(";base64,")
    assert kind == "data:image/jpeg"
    path = folder / "cut.jpg"
    path.write_bytes(base64.b64decode(body))
    with rasterio.open(path) as file:
        return file.read()


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("how", [{}, {"palette": True, "bands": 1}])
def test_a_picture_is_cut_to_the_place_and_keeps_its_colours(
    tmp_path: Path, how: dict[str, Any]
) -> None:
    path = picture(tmp_path / "map.tif", **how)
    found = read_backdrops([("map.tif", path)], town.units())[0]
    turn = Transformer.from_crs(town.CRS, 4326, always_xy=True)
    west, south = turn.transform(town.EAST - 40, town.NORTH - 40)
    east, north = turn.transform(town.EAST + 440, town.NORTH + 340)
    for side, value in (("west", west), ("south", south), ("east", east), ("north", north)):
        assert found[side] == pytest.approx(value, abs=2e-5)  # a pixel of 2 m
    colours = opened_jpeg(found["data"], tmp_path)
    high, wide = colours.shape[1:]
    assert max(high, wide) <= SIDE
    for column, colour in ((wide // 4, GREEN), (3 * wide // 4, PURPLE)):
        assert colours[:, high // 2, column] == pytest.approx(np.array(colour), abs=6)


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=5000, height=4000, count=1, dtype="uint8", crs=town.CRS,
        transform=Affine(0.1, 0, town.EAST - 50, 0, -0.1, town.NORTH + 350), compress="deflate",
    ) as file:  # fmt: skip
        file.write(np.full((1, 4000, 5000), 200, np.uint8))
    found = read_backdrops([("large.tif", path)], town.units())[0]
    size = len(base64.b64decode(found["data"].partition(",")[2]))
    assert size < 300_000


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"crs": None}, "坐标系"),
        ({"dtype": "uint16"}, "8 位"),
        (None, "无法读取"),
    ],
)
def test_what_is_no_picture_is_said_before_the_run(
    tmp_path: Path, how: dict[str, Any] | None, said: str
) -> None:
    if how is not None:
        picture(tmp_path / "map.tif", **how)
    path = town.write(tmp_path, project={"outputs": {"dir": "out", "tiles": "map.tif"}})
    from riskmap.i18n import language

    with pytest.raises(ProjectError) as caught:
        run_project(path)
    checked = check_project(path, out=None, lang="zh", allow_outside=False)
    assert [(p.field, p.file) for p in caught.value.problems] == [("outputs.tiles", "map.tif")]
    with language("zh"):
        assert said in str(caught.value)
    told = json.dumps(checked, ensure_ascii=False, default=str)
    assert "map.tif" in told
    assert said in told
    assert not (tmp_path / "out").exists()


def test_a_picture_of_elsewhere_and_an_address_are_refused(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.tif", east=town.EAST + 50_000)
    assert backdrop_problems([("map.tif", path)]) == []
    with pytest.raises(ExportError, match=r"outside the place|不在本地范围内"):
        read_backdrops([("map.tif", path)], town.units())
    tile = {"data": "https://example.org/a.png", "south": 0, "west": 0, "north": 1, "east": 1}
    with pytest.raises(ExportError, match="data:"):
        backdrop_parts([tile], Packer())


COLOUR = """([lon, lat]) => { const c = document.querySelector('.leaflet-rm-backdrop-pane canvas');
    if (!c.width) return null;
    const box = c.getBoundingClientRect(), map = document.querySelector('#map_riskmap').getBoundingClientRect();
    const p = riskmap.map.latLngToContainerPoint([lat, lon]);
    const k = c.width / box.width;
    return [...c.getContext('2d').getImageData(Math.round((p.x + map.x - box.x) * k), Math.round((p.y + map.y - box.y) * k), 1, 1).data]; }"""


@pytest.mark.browser
def test_the_project_file_puts_pictures_tianditu_and_review_number_into_the_page(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    picture(tmp_path / "map.tif")
    path = town.write(
        tmp_path,
        project={
            "review_number": "鲁S(2026)001号", "plans": False,
            "outputs": {"dir": "out", "tianditu": True, "tiles": ["map.tif"]},
        },
    )  # fmt: skip
    run_project(path)
    turn = Transformer.from_crs(town.CRS, 4326, always_xy=True)
    spots = {
        colour: turn.transform(town.EAST + x, town.NORTH + 150)
        for x, colour in ((100, GREEN), (300, PURPLE))
    }
    with open_page(tmp_path / "out" / "onemap.html") as opened:
        assert opened.page.inner_text("#review") == "审图号：鲁S(2026)001号"
        assert opened.page.locator("#tianditu").is_visible()
        opened.page.wait_for_function(
            f"({COLOUR})([{spots[GREEN][0]}, {spots[GREEN][1]}])?.[3] === 255"
        )
        for colour, spot in spots.items():
            assert opened.js(COLOUR, list(spot))[:3] == pytest.approx(list(colour), abs=8)
        opened.page.uncheck("[data-layer=tiles]")
        opened.settle()
        assert opened.js(COLOUR, list(spots[GREEN])) is None
        opened.page.wait_for_function("() => decodeURIComponent(location.hash).includes('-tiles')")

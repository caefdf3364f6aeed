"""What the page shows of a scenario: water in classes of depth, closed roads, danger areas."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmap.export.onemap.pack import Packer
from riskmap.export.onemap.planlayers import plan_parts
from riskmap.i18n import Text, text

__all__ = ["depth_classes", "scenario_layers", "scenario_parts"]

LIMITS: Final = "flood.map_depth_m"
_FINEST: Final = 8
"""A cell is split at most so many times along each side."""
_MOST: Final = 4_000_000
"""Most places of a raster of water on the page."""


def _limits(result: Any) -> list[float]:
    """Take the limits of the depth classes from the presets of the run."""
    found = [preset.value for preset in result.presets if preset.key == LIMITS]
    if not found:
        from riskmap.vocabulary.presets import load_presets

        found = [load_presets()[LIMITS]]
    return [float(limit) for limit in found[0]]


def _split(grid: Any, rasters: Any) -> int:
    """Choose into how many parts a cell is split, so that pixels of the raster show."""
    from pyproj import CRS

    if not rasters:
        return 1
    metres = [111_320.0 if CRS(raster.crs).is_geographic else 1.0 for raster in rasters]
    finest = min(m * abs(raster.transform[0]) for m, raster in zip(metres, rasters, strict=True))
    rows, cols = grid.shape
    most = int(np.sqrt(_MOST / (rows * cols)))
    return int(max(1, min(round(grid.size_m / finest), _FINEST, most)))


def depth_classes(result: Any, scenario: Any) -> tuple[NDArray[np.uint8], int] | None:
    """Put the water of a scenario into classes of depth, on the run's grid split finer.

    Parameters
    ----------
    result
        The run's result.
    scenario
        The scenario.

    Returns
    -------
    tuple or None
        Class of each place (0 = dry, shallower than the first limit, or unknown), shape
        (ny * k, nx * k), and k; None without depths.
    """
    if scenario.depth_m is None:
        return None
    limits = _limits(result)
    k = _split(result.grid, scenario.depths)
    depth = np.asarray(scenario.depth_m, np.float32)
    if scenario.depths:
        depth = _resampled(result.grid, scenario.depths, k)
    classes = np.searchsorted(limits, np.nan_to_num(depth, nan=-1.0), side="right")
    return classes.astype(np.uint8), k


def _resampled(grid: Any, rasters: Any, k: int) -> NDArray[np.float32]:
    """Take the pixel under each place; of tiles that overlap the first known one counts."""
    from affine import Affine
    from rasterio.warp import Resampling, reproject

    rows, cols = grid.shape
    out = np.full((rows * k, cols * k), np.nan, np.float32)
    a, b, c, d, e, f = tuple(grid.transform)[:6]
    target = Affine(a / k, b / k, c, d / k, e / k, f)
    for raster in rasters:
        tile = np.full_like(out, np.nan)
        reproject(
            np.asarray(raster.values, np.float32), tile,
            src_transform=Affine(*raster.transform), src_crs=raster.crs,
            dst_transform=target, dst_crs=str(grid.crs),
            src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling.nearest,
        )  # fmt: skip
        out = np.where(np.isnan(out), tile, out)
    return out


def scenario_parts(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe the scenarios; water goes to blocks of its own.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header.
    """
    parts = []
    for scenario in result.scenarios.values():
        part: dict[str, Any] = {
            "name": scenario.name, "rain_mm": scenario.rain_mm, "hours": scenario.hours,
        }  # fmt: skip
        found = depth_classes(result, scenario)
        if found is not None and found[0].any():
            classes, k = found
            part["water"] = {
                "k": k,
                "rows": classes.shape[0],
                "cols": classes.shape[1],
                "limits": _limits(result),
                "classes": packer.array(classes.ravel(), block=packer.block()),
            }
        parts.append(part)
    return parts


def scenario_layers(result: Any, packer: Packer) -> list[dict[str, Any]]:
    """Describe closed roads and danger areas of the scenarios, as map layers of plans are.

    Parameters
    ----------
    result
        The run's `riskmap.result.Result`.
    packer
        Takes the arrays.

    Returns
    -------
    list of dict
        JSON header; the ids begin with ``scenario/``.
    """
    shown: dict[str, Any] = {}
    for number, scenario in enumerate(result.scenarios.values(), start=1):
        frames = {}
        for kind, table, title in (
            ("closure", scenario.closures, text("Closed roads")),
            ("danger_area", scenario.danger_area, text("Danger areas")),
        ):
            if table is None or not len(table):
                continue
            frame = gpd.GeoDataFrame(
                {"kind": kind, "label": _labels(table, title), "scenario": scenario.name},
                geometry=table.geometry.to_numpy(),
                crs=table.crs,
            )
            frame.attrs["title"] = title
            frames[kind] = frame
        shown[f"scenario/{number}"] = SimpleNamespace(map_layers=frames)
    return plan_parts(shown, packer)


def _labels(table: gpd.GeoDataFrame, title: Text) -> list[Text]:
    """Name every object by what it is and, where it has one, its name."""
    names = table["name"] if "name" in table else pd.Series("", index=table.index)
    return [
        text("{what}: {name}", what=title, name=name) if isinstance(name, str) and name else title
        for name in names
    ]

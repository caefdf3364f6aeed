"""Writers that give the same bytes each time, in the shapes that offices use."""

from __future__ import annotations

import os
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import rasterio
import xlsxwriter

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from demo.terrain import Ground

DATE = datetime(2026, 3, 1)
os.environ["OGR_CURRENT_DATE"] = "2026-03-01T00:00:00.000Z"


def write_geojson(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoJSON with 6 decimals."""
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(table, path, driver="GeoJSON", layer=path.stem, COORDINATE_PRECISION=6)


def write_raster(ground: Ground, path: Path, *, crs: str, unit: str, about: str) -> None:
    """Write a compressed GeoTIFF in steps of 1 cm or 10 cm; nodata -9999."""
    values = np.where(np.isnan(ground.values), -9999, ground.values).astype("float32")
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype="float32",
        crs=crs,
        transform=ground.transform,
        nodata=-9999,
        compress="deflate",
        predictor=3,
        zlevel=9,
        tiled=True,
    ) as out:
        out.write(values, 1)
        out.set_band_unit(1, unit)
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION=about)


def write_shapefile(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write a shapefile as older desktop GIS does: GBK, no .cpg, no language byte."""
    for old in path.parent.glob(path.stem + ".*"):
        old.unlink()
    pyogrio.write_dataframe(table, path, driver="ESRI Shapefile", encoding="GBK")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    dbf = path.with_suffix(".dbf")
    content = bytearray(dbf.read_bytes())
    content[1:4] = struct.pack("3B", DATE.year - 1900, DATE.month, DATE.day)
    content[29] = 0
    dbf.write_bytes(content)


def write_csv(table: pd.DataFrame, path: Path, *, encoding: str) -> None:
    """Write a CSV with Windows line ends, as spreadsheets save it."""
    path.write_bytes(table.to_csv(index=False, lineterminator="\r\n").encode(encoding))


def write_workbook(
    path: Path,
    *,
    sheet: str,
    title: str,
    note: str,
    table: pd.DataFrame,
    last_sheet: str = "填报说明",
) -> None:
    """Write a workbook: merged title row, note row, headers in row 3, and a sheet of remarks."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        book.set_properties({"title": title, "author": "riskmap demo", "created": DATE})
        _sheet(book, book.add_worksheet(sheet), title, note, table)
        about = book.add_worksheet(last_sheet)
        about.set_column(0, 0, 70)
        for row, line in enumerate(
            (
                "本工作簿全部为示范数据，由固定随机种子的脚本生成，不代表任何真实点位、单位或个人。",
                note,
            )
        ):
            about.write_string(row, 0, line)


def _sheet(book: Any, sheet: Any, title: str, note: str, table: pd.DataFrame) -> None:
    big = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = book.add_format(
        {
            "bold": True,
            "border": 1,
            "text_wrap": True,
            "align": "center",
            "valign": "vcenter",
            "bg_color": "#DDEBF7",
        }
    )
    body = book.add_format({"border": 1, "valign": "vcenter"})
    last = len(table.columns) - 1
    sheet.merge_range(0, 0, 0, last, title, big)
    sheet.set_row(0, 30)
    sheet.merge_range(1, 0, 1, last, note)
    sheet.set_row(2, 32)
    sheet.freeze_panes(3, 0)
    for column, name in enumerate(table.columns):
        sheet.write_string(2, column, str(name), head)
        width = (
            table[name].astype(str).map(lambda v: sum(2 if ord(c) > 255 else 1 for c in v)).max()
        )
        sheet.set_column(column, column, float(min(max(width, 8), 40)) + 2)
    for row, values in enumerate(table.itertuples(index=False), start=3):
        for column, value in enumerate(values):
            if value is None or value == "" or (isinstance(value, float) and np.isnan(value)):
                sheet.write_blank(row, column, None, body)
            elif isinstance(value, str):
                sheet.write_string(row, column, value, body)
            else:
                sheet.write_number(row, column, float(value), body)

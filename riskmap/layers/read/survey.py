"""Texts of surveyors: 地块坐标 files with outlines, and points without a header."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.layers.check.findings import unusable
from riskmap.layers.layer import Remark, Rows
from riskmap.layers.read.encoding import decode
from riskmap.layers.read.table import Grid, Header

_SECTION: Final = re.compile(r"^\s*\[(.+?)\]\s*$")
_ZONES: Final = {
    # datum: (first zone, EPSG of it) of the 3-degree and the 6-degree zones with zone number
    "2000": {3: (25, 4513), 6: (13, 4491)},
    "80": {3: (25, 2349), 6: (13, 2327)},
    "54": {3: (25, 2401), 6: (13, 21413)},
}
_HEADS: Final = (
    "界址点数",
    "地块面积",
    "编号",
    "名称",
    "图形属性",
    "图幅号",
    "地块用途",
    "地类编码",
)


def read_parcels(path: Path, encoding: str | None = None) -> Rows | None:
    """Read a 地块坐标 text, as land offices exchange outlines.

    Parameters
    ----------
    path
        A .txt file.
    encoding
        Declared encoding, or None.

    Returns
    -------
    Rows or None
        One row a parcel with its outline; None when the file is something else.

    Raises
    ------
    LayerError
        When its coordinate system cannot be told.
    """
    import geopandas as gpd

    with path.open("rb") as stream:
        if not re.search(rb"J1\s*,\s*1\s*,|\[\S{2,20}\]", stream.read(4096)):
            return None
    decoded = decode(path.read_bytes(), encoding)
    if "[地块坐标]" not in decoded.body.replace("【", "[").replace("】", "]"):
        return None
    facts, lines = _sections(decoded.body)
    records, shapes, numbers = _parcels(lines)
    crs = _crs(facts)
    table = pd.DataFrame(records, columns=list(_HEADS), dtype=object)
    said = text("outlines were read from a 地块坐标 text in {crs}", crs=crs)
    remark = Remark("parcels", said, text("declare crs: if the head of the file is wrong"))
    return Rows(
        table=table,
        row=np.array(numbers, dtype=np.int64),
        geometry=gpd.GeoSeries(shapes, crs=crs),
        sheet=path.stem,
        encoding=decoded.encoding,
        notes=(*decoded.remarks(), remark),
    )


def _sections(body: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the facts of the head and the numbered lines of the outlines."""
    facts: dict[str, str] = {}
    lines: list[tuple[int, str]] = []
    section = ""
    for number, line in enumerate(body.splitlines(), start=1):
        bare = line.strip().replace("，", ",")
        if match := _SECTION.match(bare.replace("【", "[").replace("】", "]")):
            section = match[1]
        elif section == "地块坐标" and bare:
            lines.append((number, bare))
        elif "=" in bare:
            key, _, value = bare.partition("=")
            facts[key.strip()] = value.strip()
    return facts, lines


def _parcels(
    lines: list[tuple[int, str]],
) -> tuple[list[list[str]], list[Any], list[int]]:
    """Make the outlines: a line that ends in @ begins a parcel, the others are its corners."""
    heads: list[list[str]] = []
    rings: list[dict[str, list[tuple[float, float]]]] = []
    numbers: list[int] = []
    for number, line in lines:
        cells = [cell.strip() for cell in line.split(",")]
        if line.endswith("@"):
            heads.append((cells[:-1] + [""] * len(_HEADS))[: len(_HEADS)])
            rings.append({})
            numbers.append(number)
        elif rings and len(cells) >= 4:
            try:
                north, east = float(cells[2]), float(cells[3])
            except ValueError:
                continue
            if north > 1e7 > east:
                north, east = east, north
            rings[-1].setdefault(cells[1], []).append((east, north))
    return heads, [_outline(list(ring.values())) for ring in rings], numbers


def _outline(rings: list[list[tuple[float, float]]]) -> Any:
    """Make an area of rings: those inside another are holes."""
    import shapely

    areas = [shapely.Polygon(ring) for ring in rings if len(set(ring)) >= 3]
    areas = [area if area.is_valid else shapely.make_valid(area) for area in areas]
    if not areas:
        return None
    areas.sort(key=lambda area: -area.area)
    whole = areas[0]
    for area in areas[1:]:
        whole = whole.difference(area) if whole.contains(area) else whole.union(area)
    return whole


def _crs(facts: dict[str, str]) -> str:
    """Tell the coordinate system by the datum, the width of the zones and the zone number."""
    named = facts.get("坐标系", "")
    datum = next((key for key in _ZONES if key in named), "2000" if not named else "")
    width = int(re.sub(r"\D", "", facts.get("几度分带", "3")) or 3)
    zone = int(re.sub(r"\D", "", facts.get("带号", "")) or 0)
    first, code = _ZONES.get(datum, {}).get(width, (0, 0))
    if not code or not first <= zone <= first + (20 if width == 3 else 10):
        raise unusable(
            "parcel_crs",
            text("the head of the file does not say its coordinate system and zone"),
            text("fill in 坐标系, 几度分带 and 带号, or declare crs: in the project file"),
            value=f"{named} {facts.get('几度分带', '')} {facts.get('带号', '')}".strip(),
        )
    return f"EPSG:{code + zone - first}"


_NUMBER: Final = re.compile(r"^[+-]?\d+(?:\.\d+)?$")


def headless(grid: Grid) -> tuple[Grid, Header, Remark] | None:
    """Find points in a text that has no header, as instruments and CASS write them.

    Parameters
    ----------
    grid
        The cells.

    Returns
    -------
    tuple or None
        The cells, a header made up for them, and what is to be said; None when no two columns can
        be coordinates.
    """
    rows = [[str(cell).strip() for cell in row] for row in grid.cells]
    if all(len(row) == 1 for row in rows if row):
        rows = [row[0].split() if row else [] for row in rows]
    if rows and len([cell for cell in rows[0] if cell]) == 1 and len(rows) > 2:
        rows = [[], *rows[1:]]  # CASS writes the number of points first
    filled = [row for row in rows if any(row)]
    if len(filled) < 2 or len({len(row) for row in filled}) > 2:
        return None
    width = max(map(len, filled))
    columns = [[row[at] if at < len(row) else "" for row in filled] for at in range(width)]
    kinds = [_axis(column) for column in columns]
    pair = next(
        (
            (names, kinds.index(names[0]), kinds.index(names[1]))
            for names in (("经度", "纬度"), ("东坐标", "北坐标"))
            if names[0] in kinds and names[1] in kinds
        ),
        None,
    )
    if pair is None:
        return None
    (first, second), at_first, at_second = pair
    labels = [""] * width
    labels[at_first], labels[at_second] = first, second
    texts = [at for at in range(width) if not labels[at] and _tells_apart(columns[at])]
    if not texts:
        return None
    words = [at for at in texts if not all(_NUMBER.match(cell) for cell in columns[at])]
    labels[words[-1] if words else texts[0]] = "名称"
    if labels[0] == "" and _tells_apart(columns[0]):
        labels[0] = "点号"
    said = text(
        "the text has no header; columns {first} and {second} were taken as {names}",
        first=at_first + 1,
        second=at_second + 1,
        names=f"{first}、{second}",
    )
    labels = [label or f"[{at + 1}]" for at, label in enumerate(labels)]
    cells: list[list[Any]] = [list(row) for row in rows]
    header = Header(-1, labels, frozenset(("name", first, second)), -1)
    remark = Remark("headless", said, text("put a line of column names above the first row"))
    return Grid(grid.name, cells, grid.hidden, grid.encoding, notes=grid.notes), header, remark


def _axis(column: list[str]) -> str:
    """Say which coordinate a column of numbers can only be."""
    if not all(_NUMBER.match(cell) for cell in column):
        return ""
    numbers = np.array([float(cell) for cell in column])
    broken = any("." in cell for cell in column)
    if broken and ((numbers >= 73.0) & (numbers <= 136.0)).all():
        return "经度"
    if broken and ((numbers >= 3.0) & (numbers <= 54.0)).all():
        return "纬度"
    if ((numbers > 1.5e6) & (numbers < 6.5e6)).all():
        return "北坐标"
    if (((numbers > 1.5e5) & (numbers < 9e5)) | ((numbers > 1.3e7) & (numbers < 4.6e7))).all():
        return "东坐标"
    return ""


def _tells_apart(column: list[str]) -> bool:
    return len({cell for cell in column if cell}) == len(column)

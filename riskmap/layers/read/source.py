"""Opening one source, whatever kind of file it is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.i18n import text
from riskmap.layers.check.findings import unusable
from riskmap.layers.layer import Remark, Rows
from riskmap.layers.read.fields import match_heading
from riskmap.layers.read.osm import is_osm
from riskmap.layers.read.survey import headless, read_parcels
from riskmap.layers.read.table import (
    TEXTS,
    WORKBOOKS,
    Grid,
    Namer,
    Table,
    cell_text,
    find_tables,
    grid_to_rows,
    matching,
    newest,
    read_csv,
    read_workbook,
)
from riskmap.layers.read.vector import read_osm_roads, read_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmap.layers.layer import LayerSpec
    from riskmap.layers.read.vector import Window
    from riskmap.vocabulary.roles import Role


NOT_TAGS: Final = ("type", "class")
"""Fields whose namesakes among OSM tags mean something else: the kind of a relation, and rare."""
RASTERS: Final = (".tif", ".tiff", ".img", ".vrt", ".asc", ".nc", ".hgt")
"""Endings of rasters, of which a ``.vrt`` is refused: it only points at other files."""


def check_file(path: Path) -> None:
    """Say when there is no such file.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    LayerError
        When it is missing, a folder, or empty.
    """
    if not path.exists():
        raise unusable(
            "missing_file", text("the file is missing"), text("check the path in the project file")
        )
    if path.is_dir() and path.suffix.lower() != ".gdb":
        raise unusable(
            "is_folder", text("this is a folder, not a file"), text("name the file in it")
        )
    if path.is_file() and path.stat().st_size == 0:
        raise unusable("empty_file", text("the file is empty"), text("send the file again"))


def open_rows(spec: LayerSpec, role: Role, *, window: Window | None) -> list[Rows]:
    """Read the sheets or the layer of one source.

    Parameters
    ----------
    spec
        The source.
    role
        The role that it feeds.
    window
        West, south, east, north [deg]; OSM data outside are not read.

    Returns
    -------
    list of Rows
        One for each sheet that holds records of the role, or one for the layer.

    Raises
    ------
    LayerError
        When the source cannot be used.
    """
    spec = at_hand(spec, "any" if spec.as_point else role.geometry)
    check_file(spec.path)
    suffix = spec.path.suffix.lower()
    if suffix == ".txt" and (parcels := read_parcels(spec.path, spec.encoding)) is not None:
        return [parcels]
    if suffix in WORKBOOKS or suffix in TEXTS:
        return open_tables(spec, _namer(role, spec), titles=(role.zh, role.en))
    if suffix in RASTERS:
        raise unusable(
            "raster",
            text("this is a raster, but {role} is a vector layer", role=role.label),
            text("give a vector file"),
        )
    if role.name == "road" and spec.layer in (None, "lines") and is_osm(spec.path):
        return [read_osm_roads(spec.path, where=spec.where, window=window)]
    keys: Sequence[str] = [
        *(field.name for field in role.fields if field.name not in NOT_TAGS),
        *(m.column for m in spec.fields.values()),
    ]
    rows = read_vector(
        spec.path,
        geometry=role.geometry
        if not spec.as_point
        else ("any" if spec.layer is None else role.geometry),
        layer=spec.layer,
        where=spec.where,
        encoding=spec.encoding,
        keys=keys,
        window=window,
    )
    rows = replace(rows, sheet="") if spec.database else rows
    return [of_newest_year(rows, _namer(role, spec))]


def at_hand(spec: Any, geometry: str) -> Any:
    """Read what stands in a database into its file; sources that are files stay as they are.

    Parameters
    ----------
    spec
        The source.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``.

    Returns
    -------
    LayerSpec or UnitSpec
        One whose file can be opened; table and condition of a database are done with.

    Raises
    ------
    LayerError
        When the database cannot be read.
    """
    if not spec.database:
        return spec
    from riskmap.layers.read.database import fetch_rows

    fetch_rows(spec.database, spec.path, layer=spec.layer, where=spec.where, geometry=geometry)
    return replace(spec, layer=None, where=None)


def _namer(role: Role, spec: LayerSpec) -> Namer:
    own = {chosen.column.casefold().strip(): name for name, chosen in spec.fields.items()}

    def name(header: str) -> str | None:
        if header.casefold().strip() in own:
            return own[header.casefold().strip()]
        field, _ = match_heading(role, header)
        return field.name if field is not None else None

    return name


def open_tables(spec: Any, name: Namer, *, titles: tuple[str, ...] = ()) -> list[Rows]:
    """Read the sheets of a workbook or text table that have a known header.

    Parameters
    ----------
    spec
        Holds path, sheet and encoding.
    name
        Tells the field a header means.
    titles
        Names of the role; sheets called so are read alone, as in a filled template.

    Returns
    -------
    list of Rows
        The sheets read; the first says which sheets were left out.

    Raises
    ------
    LayerError
        When no sheet has a header that fits.
    """
    if spec.path.suffix.lower() in TEXTS:
        grids = [read_csv(spec.path, encoding=spec.encoding)]
    else:
        grids = _wanted(read_workbook(spec.path), spec.sheet)
    tables = [
        table
        for grid in grids
        if not (grid.hidden and spec.sheet is None)
        for table in find_tables(grid, name)
    ]
    tables = [table for table in tables if table.grid.name.strip() in titles] or tables
    most = max((len(table.header.fields) for table in tables), default=0)
    if most == 1 and len(tables) > _MOST_TABLES:
        tables, most = [], 0  # cells of a table without a header
    chosen = [
        table
        for table in tables
        if 2 * len(table.header.fields) > most and (len(table.header.fields) > 1 or most == 1)
    ]
    if not chosen and spec.path.suffix.lower() in TEXTS and (points := headless(grids[0])):
        grid, header, remark = points
        part = grid_to_rows(grid, header)
        return [replace(part, notes=(*part.notes, remark))]
    if not chosen:
        raise unusable(
            "no_header",
            text("no row with known column names was found"),
            text("use the template's column names, or name the columns under fields:"),
            value=_first_cells(grids),
        )
    _refuse_transposed(chosen, name)
    chosen, years = newest(chosen)
    said = _said_elsewhere(grids, chosen)
    rows = [grid_to_rows(table.grid, table.header, table=table) for table in chosen]
    rows = [replace(part, said=(*part.said, *said)) for part in rows]
    if where := getattr(spec, "where", None):
        rows = [_fulfilling(part, where) for part in rows]
    rows = [of_newest_year(part, name) for part in rows]
    left = [
        grid.name
        for grid in grids
        if grid.cells and grid.name not in {table.grid.name for table in chosen}
    ]
    if years:
        rows[0] = replace(rows[0], notes=(*years, *rows[0].notes))
    elif left:
        remark = Remark(
            "sheets_left",
            text(
                "sheets read: {read}; without the header of this role, not read: {left}",
                read="、".join(dict.fromkeys(table.grid.name for table in chosen)),
                left="、".join(left),
            ),
            text("name a sheet with sheet: if this is wrong"),
        )
        rows[0] = replace(rows[0], notes=(remark, *rows[0].notes))
    return rows


_MOST_TABLES: Final = 8
"""More headings of one known word in a sheet are cells that happen to be such words."""
_TURNED: Final = 3
_MOST_FIELDS: Final = 100
"""More rows than a role has fields are no headings."""


def _refuse_transposed(tables: list[Table], name: Namer) -> None:
    """Refuse a table whose headings stand below each other in its first column."""
    for table in tables:
        left = table.columns[0]
        below = table.grid.cells[table.header.last + 1 : table.stop]
        if len(table.header.fields) != 1 or len(below) > _MOST_FIELDS:
            continue
        first = [cell_text(row[left]) for row in below if len(row) > left and row[left] is not None]
        means = {name(cell) for cell in first if cell} - {None}
        if len(means) >= _TURNED and len(first) <= 2 * len(means):
            raise unusable(
                "transposed",
                text("the table lies on its side: every column is one object"),
                text("turn it (copy, then paste special: transpose), so that every row is one"),
                value="、".join(first[:8]),
            )


def _said_elsewhere(grids: list[Grid], chosen: list[Table]) -> tuple[str, ...]:
    """Return the short texts of the sheets that hold no table, such as a page of explanations."""
    used = {table.grid.name for table in chosen}
    return tuple(
        str(value)
        for grid in grids
        if grid.name not in used and not grid.hidden
        for row in grid.cells[:200]
        for value in row
        if isinstance(value, str) and value.strip()
    )


def _fulfilling(rows: Rows, where: str) -> Rows:
    """Keep the rows of a table that fulfil the condition of the project file."""
    mask = matching(rows.table, where)
    return _only(rows, mask, _condition(mask, where))


def _condition(mask: np.ndarray, where: str) -> Remark:
    """Say how many rows fulfil the condition."""
    return Remark(
        "where",
        text(
            "{n} of {all} rows fulfil the condition {where}",
            n=int(mask.sum()),
            all=len(mask),
            where=where,
        ),
        text("nothing to do"),
    )


_YEARS: Final = re.compile(
    r"^(?:(?:统计|数据|填报|更新|所属|调查)?(?:年份|年度)|年|years?|nf|nd)$", re.IGNORECASE
)
_REPEAT: Final = 0.2
"""Part of the objects of one year that must come again in another for the table to be yearly."""


def of_newest_year(rows: Rows, name: Namer) -> Rows:
    """Of a table that lists the same objects year by year in a column, keep the newest year.

    Parameters
    ----------
    rows
        What was read.
    name
        Tells the field a header means; a column of years that is a field of the role is none.

    Returns
    -------
    Rows
        The rows of the newest year, or all with a remark where the years hold other objects.
    """
    table = rows.table
    column = next((c for c in table if _YEARS.match(str(c).strip()) and name(str(c)) is None), None)
    if column is None or len(table) < 2:
        return rows
    found = table[column].astype("str").str.extract(r"^\D{0,2}((?:19|20)\d{2})(?!\d)", expand=False)
    years = found.astype("float64").to_numpy()
    known = np.isfinite(years)
    if known.mean() < 0.9 or len(np.unique(years[known])) < 2:
        return rows
    newest_year = np.nanmax(years)
    mask = years == newest_year
    objects = _objects(table.drop(columns=[column]), name)
    if objects is None:
        return rows
    now, before = set(objects[mask].dropna()), set(objects[~mask].dropna())
    listed = "、".join(f"{year:.0f}" for year in np.unique(years[known]))
    if len(now & before) < _REPEAT * min(len(now), len(before)):
        said = text("column {column} has several years ({years}); all rows were read",
                    column=column, years=listed)  # fmt: skip
        mend = text("give where: {column} = {year} if only that year counts",
                    column=column, year=f"{newest_year:.0f}")  # fmt: skip
        return replace(rows, notes=(*rows.notes, Remark("years_read", said, mend)))
    said = text(
        "the table lists the same objects in several years ({years}); only the {n} rows of {year} "
        "were read",
        years=listed, n=int(mask.sum()), year=f"{newest_year:.0f}",
    )  # fmt: skip
    mend = text("name another with where: {column} = ...", column=column)
    return _only(rows, mask, Remark("older_years", said, mend))


def _objects(table: pd.DataFrame, name: Namer) -> pd.Series | None:
    """Find what tells the objects of a table apart: its names, else its first column of words."""
    words = [
        c
        for c in table
        if table[c].map(lambda cell: isinstance(cell, str) and not re.search(r"\d{2}", cell)).mean()
        > 0.5
    ]
    named = [c for c in table if name(str(c)) == "name"]
    chosen = next(iter(named or words), None)
    return None if chosen is None else table[str(chosen)].astype("str").str.strip()


def _only(rows: Rows, mask: np.ndarray, remark: Remark) -> Rows:
    """Keep some rows of a table."""
    place = np.cumsum(mask) - 1
    return replace(
        rows,
        table=rows.table[mask].reset_index(drop=True),
        row=rows.row[mask],
        overflow=None if rows.overflow is None else rows.overflow[mask],
        geometry=None if rows.geometry is None else rows.geometry[mask].reset_index(drop=True),
        joined={column: place[kept[mask[kept]]] for column, kept in rows.joined.items()},
        notes=(*rows.notes, remark),
    )


def _wanted(grids: list[Grid], sheet: str | None) -> list[Grid]:
    if sheet is None:
        return grids
    chosen = [grid for grid in grids if grid.name.strip() == str(sheet).strip()]
    if not chosen:
        raise unusable(
            "no_sheet",
            text("there is no sheet {sheet}", sheet=sheet),
            text("the sheets are: {sheets}", sheets="、".join(grid.name for grid in grids)),
        )
    return chosen


def _first_cells(grids: list[Grid]) -> str:
    for grid in grids:
        for row in grid.cells:
            if found := [str(value) for value in row if value not in ("", None)]:
                return "、".join(found[:8])
    return ""

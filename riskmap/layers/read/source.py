"""Opening one source, whatever kind of file it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

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
    return [replace(rows, sheet="") if spec.database else rows]


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
    chosen, years = newest(chosen)
    said = _said_elsewhere(grids, chosen)
    rows = [grid_to_rows(table.grid, table.header, table=table) for table in chosen]
    rows = [replace(part, said=(*part.said, *said)) for part in rows]
    if where := getattr(spec, "where", None):
        rows = [_fulfilling(part, where) for part in rows]
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
    remark = Remark(
        "where",
        text(
            "{n} of {all} rows fulfil the condition {where}",
            n=int(mask.sum()),
            all=len(mask),
            where=where,
        ),
        text("nothing to do"),
    )
    place = np.cumsum(mask) - 1
    return replace(
        rows,
        table=rows.table[mask].reset_index(drop=True),
        row=rows.row[mask],
        overflow=None if rows.overflow is None else rows.overflow[mask],
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

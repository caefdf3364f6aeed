"""Reading a role's layer from whatever file it is: every row used, or returned with reasons."""

from __future__ import annotations

import dataclasses
import gc
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from riskmap.errors import LayerError, Problem
from riskmap.geo.network.rules import END_FIELDS
from riskmap.i18n import text
from riskmap.layers.check import (
    assign_ids,
    check_geometry,
    check_place,
    find_beyond,
    find_duplicates,
    note_doubtful,
    note_shared,
    places_of,
    return_gone,
    to_wgs84_area,
)
from riskmap.layers.layer import (
    OUTSIDE,
    Findings,
    Layer,
    LayerSpec,
    Raster,
    Remark,
    Rows,
    Sheet,
    Source,
    matching,
    numbers,
    own_fault,
    problems_of,
    row_list,
    unusable,
    written_rows,
)
from riskmap.layers.place.evidence import STATED, Hints, known_export, limits_of
from riskmap.layers.place.points import (
    Located,
    locate_shapes,
    locate_table,
    note_astray,
    note_in_water,
    points_at,
    project_points,
    project_shapes,
)
from riskmap.layers.read.database import fetch_rows
from riskmap.layers.read.fields import (
    fill_fields,
    match_columns,
    match_heading,
    note_bad_bytes,
    part_pairs,
)
from riskmap.layers.read.foreign import headless, marked_up, read_parcels, read_records
from riskmap.layers.read.osm import OWN, is_osm, is_road_key
from riskmap.layers.read.raster import around_place, read_raster
from riskmap.layers.read.table import (
    TEXTS,
    WORKBOOKS,
    Namer,
    Table,
    cell_text,
    find_tables,
    grid_to_rows,
    newest,
    read_csv,
    read_workbook,
)
from riskmap.layers.read.values import parse_codes, same_text
from riskmap.layers.read.vector import read_osm_roads, read_vector
from riskmap.vocabulary.columns import ITEM_ID, NAME, WGS84

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

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
    if suffix in _JSON and (records := read_records(spec.path, spec.encoding)) is not None:
        sheets = _wanted(records, spec.sheet)
        return tables_of(sheets, spec, _namer(role, spec), titles=(role.zh, role.en))
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
    fetch_rows(spec.database, spec.path, layer=spec.layer, where=spec.where, geometry=geometry)
    return replace(spec, layer=None, where=None)


_JSON: Final = (".json", ".jsonl", ".ndjson")


def _namer(role: Role, spec: LayerSpec) -> Namer:
    own = {chosen.column.casefold().strip(): name for name, chosen in spec.fields.items()}

    @cache
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
    with _uncollected():
        if spec.path.suffix.lower() in TEXTS:
            grids = [read_csv(spec.path, encoding=spec.encoding, by_columns=True)]
        else:
            pages = marked_up(spec.path.read_bytes()) if _begins_with_mark(spec.path) else None
            grids = _wanted(pages or read_workbook(spec.path), spec.sheet)
        return tables_of(grids, spec, name, titles=titles)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from looking again and again through millions of cells, none a cycle."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _begins_with_mark(path: Path) -> bool:
    """Tell whether a file begins as a page or XML does."""
    with path.open("rb") as stream:
        return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def tables_of(
    grids: list[Sheet], spec: Any, name: Namer, *, titles: tuple[str, ...] = ()
) -> list[Rows]:
    """Take the tables with a known header out of sheets.

    Parameters
    ----------
    grids
        The sheets.
    spec
        Holds path, sheet and condition.
    name
        Tells the field a header means.
    titles
        Names of the role; sheets called so are read alone, as in a filled template.

    Returns
    -------
    list of Rows
        The tables read; the first says which sheets were left out.

    Raises
    ------
    LayerError
        When no sheet has a header that fits.
    """
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
    _refuse_cards(chosen, name)
    chosen, passed = _of_one_subject(chosen, tables)
    chosen, years = newest(chosen)
    said = said_elsewhere(grids, chosen)
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
    rows[0] = replace(rows[0], notes=(*passed, *rows[0].notes))
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


def _of_one_subject(chosen: list[Table], tables: list[Table]) -> tuple[list[Table], list[Remark]]:
    """Leave out tables without the name column of the fullest; say which a sheet still holds."""
    best = max(chosen, key=lambda table: len(table.header.fields))
    if "name" in best.header.fields:
        chosen = [t for t in chosen if "name" in t.header.fields or t.grid is not best.grid]
    kept, sheets = {id(table) for table in chosen}, {id(table.grid) for table in chosen}
    left = [t.header.first + 1 for t in tables if id(t) not in kept and id(t.grid) in sheets]
    if not left:
        return chosen, []
    said = text(
        "tables of something else begin below (rows {rows}); they were not read",
        rows=row_list(np.array(left)),
    )
    return chosen, [Remark("tables_left", said, text("put every table into a sheet of its own"))]


_MOST_TABLES: Final = 8
"""More headings of one known word in a sheet are cells that happen to be such words."""
_TURNED: Final = 3
_MOST_FIELDS: Final = 100
"""More rows than a role has fields are no headings."""


_CARD_FIELDS: Final = 4
"""Fields that a sheet names with their value to the right, in three rows or more, make a card."""


def _refuse_cards(tables: list[Table], name: Namer) -> None:
    """Refuse sheets of one object each, whose names stand to the left of their values."""
    for grid in {id(table.grid): table.grid for table in tables}.values():
        rows = [[cell_text(cell) for cell in row] for row in grid.cells[:_MOST_FIELDS]]
        rows = [row for row in rows if any(row)]
        pairs = []
        for row in rows:
            known = [bool(entry) and name(entry) is not None for entry in row]
            beside = [
                row[at]
                for at in range(len(row) - 1)
                if known[at] and row[at + 1] and not known[at + 1]
            ]
            if beside and sum(known) == len(beside) and known[0]:
                pairs.append(beside)
        named = {name(entry) for beside in pairs for entry in beside}
        if len(named) >= _CARD_FIELDS and len(pairs) >= 3 and 2 * len(pairs) > len(rows):
            raise unusable(
                "cards",
                text("the sheets are cards of one object each: names stand beside their values"),
                text("make one table of them, one row an object"),
                value="、".join(entry for beside in pairs for entry in beside)[:60],
            )


def _refuse_transposed(tables: list[Table], name: Namer) -> None:
    """Refuse a table whose headings stand below each other in its first column."""
    for table in tables:
        left = table.columns[0]
        if len(table.header.fields) != 1 or table.stop - table.header.last - 1 > _MOST_FIELDS:
            continue
        below = table.grid.cells[table.header.last + 1 : table.stop]
        first = [cell_text(row[left]) for row in below if len(row) > left and row[left] is not None]
        means = {name(cell) for cell in first if cell} - {None}
        if len(means) >= _TURNED and len(first) <= 2 * len(means):
            raise unusable(
                "transposed",
                text("the table lies on its side: every column is one object"),
                text("turn it (copy, then paste special: transpose), so that every row is one"),
                value="、".join(first[:8]),
            )


def said_elsewhere(grids: list[Sheet], chosen: list[Table]) -> tuple[str, ...]:
    """Return the texts of the sheets that hold no table, such as a page of explanations.

    Parameters
    ----------
    grids
        All sheets.
    chosen
        The tables that are read.

    Returns
    -------
    tuple of str
        Texts of the first rows; hidden sheets say nothing.
    """
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
    named = next((c for c in table if name(str(c)) == "name"), None)
    chosen = next((c for c in table if _of_words(table[c])), None) if named is None else named
    return None if chosen is None else table[str(chosen)].astype("str").str.strip()


def _of_words(cells: pd.Series) -> bool:
    """Tell whether most cells are words without numbers."""
    words = cells.map(lambda cell: isinstance(cell, str) and not re.search(r"\d{2}", cell))
    return bool(words.mean() > 0.5)


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


def _wanted(grids: list[Sheet], sheet: str | None) -> list[Sheet]:
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


def _first_cells(grids: list[Sheet]) -> str:
    for grid in grids:
        for row in grid.cells:
            if found := [str(value) for value in row if value not in ("", None)]:
                return "、".join(found[:8])
    return ""


NOT_GIVEN: Final = "not_given"
"""Rule of the remark that a sheet is blank."""
GROUND_MARGIN_M: Final = 1000.0
"""How far around the place heights and depths are read [m]."""
MARGIN_M: Final = 5000.0
"""How far around the place OSM extracts are read [m]."""
_KEPT_ROWS: Final = 5000
PLACE_COLUMNS: Final = ("coord_source", "coord_method", "_file", "_sheet", "_row")


@dataclass
class _Part:
    """One sheet or layer on its way through the checks."""

    spec: LayerSpec
    rows: Rows
    findings: Findings
    frame: gpd.GeoDataFrame | None = None
    xy: NDArray[np.float64] | None = None
    """Where its points lie in the run's CRS, shape (n, 2), NaN where there is none; None for
    shapes."""
    crs: str = ""
    encoding: str = ""
    columns: dict[str, str] = dataclasses.field(default_factory=dict)
    """Field to the heading of its column."""
    again: Callable[[], Rows] | None = None
    """Reads the rows once more, where they are too many to be kept beside what was read of them."""

    def refuse(self, why: Sequence[Problem]) -> None:
        """Use nothing of it; only what is noted of it stays, and why."""
        self.frame = None
        notes = [problem for problem in self.findings.problems if problem.severity == "note"]
        self.findings.problems[:] = [*notes, *why]

    def source(self) -> Source:
        """Count what came in, was used and returned."""
        total = len(self.rows.table)
        returned = total if self.frame is None else int(self.findings.bad.sum())
        rows = self.again() if self.again is not None and returned else self.rows
        return Source(
            shown=self.spec.shown,
            path=self.spec.path,
            sheet=self.rows.sheet,
            encoding=self.encoding,
            crs=self.crs,
            datum=self.spec.datum,
            rows_in=total,
            rows_used=total - returned,
            rows_returned=returned,
            written=written_rows(rows, self.findings.problems, self.columns),
        )


def read_layer(
    role: Role,
    specs: Sequence[LayerSpec],
    *,
    crs: Any,
    place: Any,
    known: pd.DataFrame | None = None,
    units: gpd.GeoDataFrame | None = None,
    lines: gpd.GeoSeries | None = None,
    presets: Any = None,
    reach_m: float = 0.0,
    shapes: bool = True,
) -> tuple[Layer, list[Problem]]:
    """Read and check all sources of a role and bring them into the run's CRS.

    For every source, rows in = rows used + rows returned.

    Parameters
    ----------
    role
        What the layer is.
    specs
        Its sources, in the order of the project file.
    crs
        The run's metric CRS.
    place
        The place: a table with its own CRS, a geometry in ``crs``, or None for no limit.
    known
        Items of earlier runs: role, item_id, name, x, y [m, in ``crs``].
    units
        Administrative units with level and name, by which a datum that is not named is told.
    lines
        Roads and water in ``crs``, for the same.
    presets
        How sure a datum must be; by default the shipped ones.
    reach_m
        Rows outside the place count when they lie within this reach of it [m].
    shapes
        False where only what is wrong is asked for: tables of points then have neither
        geometries nor ids.

    Returns
    -------
    tuple of Layer and list of Problem
        The layer, and all that is wrong with its sources. A source that cannot be used at all is
        a problem of severity ``unusable``, never an exception.
    """
    metric = CRS.from_user_input(crs)
    area = to_wgs84_area(place, metric)
    around = Hints(units=units, area=area, lines=lines, limits=limits_of(presets))
    problems: list[Problem] = []
    parts: list[_Part] = []
    rasters, sources = [], []
    for spec in specs:
        try:
            if role.kind == "raster" or (
                role.raster_allowed and spec.path.suffix.lower() in RASTERS
            ):
                raster, source, said = _read_raster(role, spec, area)
                rasters.append(raster)
                sources.append(source)
                problems += said
            else:
                parts += _read_parts(role, spec, area, metric, around, reach_m, shapes=shapes)
        except LayerError as error:
            problems += [_named(problem, role, spec) for problem in problems_of(error)]
        except Exception as error:
            if os.environ.get("RISKMAP_DEBUG"):
                raise
            problems.append(_named(own_fault(error), role, spec))
    lost = _placed_but_returned(parts, metric) if role.kind != "raster" else None
    problems = _covered_together(problems)
    table = None
    if role.kind != "raster":
        table = _joined(role, parts, metric, known, shapes=shapes)
    for part in parts:
        problems += part.findings.problems
        source = part.source()
        sources.append(source)
        if part.frame is not None and source.rows_used == 0:
            problems.append(_nothing_left(role, part, source))
    table, beyond = _parted(table)
    layer = Layer(role.name, table, tuple(rasters), tuple(sources), returned=lost, beyond=beyond)
    return layer, problems


def _parted(
    table: gpd.GeoDataFrame | None,
) -> tuple[gpd.GeoDataFrame | None, gpd.GeoDataFrame | None]:
    """Part what lies in the place from what lies beyond its border."""
    if table is None or OUTSIDE not in table:
        return table, None
    out = table[OUTSIDE].to_numpy(dtype=bool)
    table = table.drop(columns=OUTSIDE)
    return (table[~out], table[out]) if out.any() else (table, None)


def _covered_together(problems: list[Problem]) -> list[Problem]:
    """Leave out what is said of single tiles when all of them together cover the place."""
    shares = [
        float(str(dict(problem.message.params)["share"]))
        for problem in problems
        if problem.rule == "part_covered"
    ]
    if len(shares) < 2 or sum(shares) < 99.0:
        return problems
    return [problem for problem in problems if problem.rule != "part_covered"]


def _named(problem: Problem, role: Role, spec: LayerSpec, sheet: str = "") -> Problem:
    return replace(problem, role=role.name, file=spec.shown, sheet=problem.sheet or sheet)


def _nothing_left(role: Role, part: _Part, source: Source) -> Problem:
    empty = source.rows_in == 0
    if empty and source.sheet and part.rows.geometry is None:
        return Problem(
            severity="note",
            role=role.name,
            rule=NOT_GIVEN,
            message=text("the sheet is not filled in; taken as not given"),
            mend=text("fill it in when there is something to tell"),
            file=part.spec.shown,
            sheet=source.sheet,
        )
    return Problem(
        severity="unusable",
        role=role.name,
        rule="empty_layer" if empty else "all_returned",
        message=text("the layer holds no row")
        if empty
        else text("all {n} rows were returned", n=source.rows_in),
        mend=text("send a layer with rows") if empty else text("mend the rows listed"),
        file=part.spec.shown,
        sheet=source.sheet,
    )


def _read_raster(role: Role, spec: LayerSpec, area: Any) -> tuple[Raster, Source, list[Problem]]:
    if not spec.database:
        check_file(spec.path)
    if spec.path.suffix.lower() not in RASTERS:
        raise unusable("not_raster", text("a raster is needed here"), text("give a GeoTIFF"))
    raster, remarks = read_raster(
        spec,
        area,
        covering=role.name not in ("depth", "population"),
        margin_m=0.0 if role.name == "population" else GROUND_MARGIN_M,
    )
    said = [
        Problem("note", role.name, remark.rule, remark.message, remark.mend, file=spec.shown)
        for remark in remarks
    ]
    source = Source(spec.shown, spec.path, "", "", raster.crs, "", 1, 1, 0)
    return raster, source, said


def _window(area: Any) -> Window | None:
    """Return the surroundings of the place in degrees."""
    if area is None:
        return None
    return around_place(area, MARGIN_M)


def _read_parts(
    role: Role,
    spec: LayerSpec,
    area: Any,
    metric: CRS,
    around: Hints,
    reach_m: float,
    *,
    shapes: bool,
) -> list[_Part]:
    parts: list[_Part] = []
    found = open_rows(spec, role, window=_window(area))
    while found:
        rows, at = found.pop(0), len(parts)
        findings = Findings(role.name, spec.shown, rows.sheet, rows.row)
        for remark in rows.notes:
            findings.note(remark.rule, remark.message, remark.mend)
        part = _Part(spec, rows, findings, encoding=rows.encoding)
        parts.append(part)
        if len(rows.table) == 0:
            part.frame = _empty(role, metric)
            continue
        plain = role.geometry == "point" and role.group != "base" and rows.geometry is None
        plain &= spec.path.suffix.lower() in TEXTS
        if plain and not shapes and len(rows.table) >= _LONG:
            part.again = partial(_once_more, spec, role, _window(area), at)
        del rows
        try:
            _check_part(role, part, area, metric, around, reach_m, shapes=shapes)
        except LayerError as error:
            part.refuse([_named(p, role, spec, part.rows.sheet) for p in problems_of(error)])
    return parts


_LONG: Final = 50_000
"""Rows from which a table is not kept as a whole where only what is wrong is asked for."""


def _once_more(spec: LayerSpec, role: Role, window: Window | None, at: int) -> Rows:
    """Read one sheet of a source again."""
    return open_rows(spec, role, window=window)[at]


def _check_part(
    role: Role,
    part: _Part,
    area: Any,
    metric: CRS,
    around: Hints,
    reach_m: float,
    *,
    shapes: bool,
) -> None:
    """Read fields and places of one part and put the whole table into ``part.frame``."""
    spec, findings = part.spec, part.findings
    rows = part.rows = replace(part.rows, table=part_pairs(role, part.rows.table, findings))
    columns = [str(column) for column in rows.table.columns]
    found = match_columns(role, columns, spec, findings, osm=rows.osm)
    part.columns = {name: column for name, (column, _) in found.items()}
    if rows.overflow is not None:
        findings.returned(
            rows.overflow,
            "too_many_cells",
            text("the row has more cells than the header"),
            text("put texts that hold a comma into quotes, or delete the cells beyond the table"),
        )
    table = fill_fields(
        role,
        rows.table,
        found,
        spec,
        findings,
        lenient=rows.osm or role.group == "base",
        unit=rows.unit,
        joined=rows.joined,
        shown=rows.shown,
        wanted=None if part.again is None else {role.id_field, NAME, "address", *STATED},
    )
    table = _mind_counts(role, table, findings, around.limits.per_household)
    if any(remark.rule == "bad_bytes" for remark in rows.notes):
        note_bad_bytes(rows.table, findings)
    extra = _extra(role, rows, table)
    hints = None
    if role.group != "base" and not rows.osm:
        stated = {level: table[level] for level in STATED if level in table.columns}
        notes = (*rows.said, *known_export(columns), f"坐标 {Path(spec.shown).stem}")
        around = replace(around, town_enough=role.town_enough)
        hints = replace(around, said=notes, stated=stated, address=table.get("address"))
    located = _locate(role, rows, found, spec, findings, hints, around.units)
    part.crs = located.crs
    if part.again is not None:
        rows = part.rows = replace(rows, table=rows.table.iloc[:, :0])
    geometry, beyond = _placed(
        role, part, located, area, metric, hints, around.units, reach_m, shapes=shapes
    )
    table = (table.join(extra) if len(extra.columns) else table).assign(
        coord_source=_column(located.source, table.index),
        coord_method=_column(located.method, table.index),
        _file=same_text(spec.shown, table.index),
        _sheet=same_text(rows.sheet, table.index),
        _row=rows.row,
        **{OUTSIDE: beyond},
    )
    part.frame = gpd.GeoDataFrame(table, geometry=geometry, crs=metric)


def _mind_counts(role: Role, table: pd.DataFrame, findings: Findings, each: float) -> pd.DataFrame:
    """Count people of danger areas that state households alone; name counts that cannot be.

    A station without people is out of use; nobody needs help who is not there.
    """
    if role.name == "rescue_station":
        findings.noted(
            numbers(table, "staff") == 0,
            "no_staff",
            text("0 people are stated: the station counts as out of use"),
            text("leave it blank if the number is not known"),
            field="staff",
        )
    if role.name != "danger_area":
        return table
    people, homes = numbers(table, "people"), numbers(table, "households")
    alone = (homes > 0) & ~(people > 0)
    people = np.where(alone, np.ceil(homes * each), people)
    findings.noted(
        numbers(table, "vulnerable") > people,
        "more_vulnerable",
        text("more vulnerable people than people: as many as there are people were counted"),
        text("correct one of the two"),
        field="vulnerable",
        values=numbers(table, "vulnerable"),
    )
    if not alone.any():
        return table
    findings.noted(
        alone,
        "households_alone",
        text("no people but households are stated; people were counted as {each} a household",
             each=f"{each:g}"),
        text("write how many people there are"),
        field="people",
        values=homes,
    )  # fmt: skip
    return table.assign(people=people)


def _placed(
    role: Role,
    part: _Part,
    located: Located,
    area: Any,
    metric: CRS,
    hints: Hints | None,
    units: gpd.GeoDataFrame | None,
    reach_m: float,
    *,
    shapes: bool,
) -> tuple[gpd.GeoSeries, NDArray[np.bool_]]:
    """Bring a part into the run's CRS; give it, and which rows lie outside the place but count."""
    plain = isinstance(located.shapes, np.ndarray) and role.geometry == "point"
    if plain and area is not None and role.group != "base":
        degrees, beyond = _points_in_place(role, located.shapes, part, area, hints, units, reach_m)
        part.xy = project_points(degrees, metric)
        made = points_at(*part.xy.T) if shapes else np.full(len(part.xy), None, dtype=object)
        geometry = gpd.GeoSeries(made, crs=metric)
    else:
        given = located.geometry
        given, beyond = _in_place(role, given, part, area, hints, units, reach_m)
        geometry = project_shapes(given, metric)
    if hints is not None and role.geometry == "point":
        lying = geometry.to_numpy() if part.xy is None else part.xy
        note_astray(lying, hints, part.findings)
        if role.name not in _BY_WATER:
            note_in_water(lying, hints, part.findings)
    return geometry, beyond


_BY_WATER: Final = frozenset(("reservoir", "warning_station", "bridge", "waterway", "closure"))
"""Roles whose objects may well stand in water."""


def _column(entry: str | NDArray[np.object_], index: pd.Index) -> Any:
    """Give a column of one text for all rows, or of one for each."""
    return same_text(entry, index) if isinstance(entry, str) else entry


def _in_place(
    role: Role,
    shapes: gpd.GeoSeries,
    part: _Part,
    area: Any,
    hints: Hints | None,
    units: gpd.GeoDataFrame | None,
    reach_m: float,
) -> tuple[gpd.GeoSeries, NDArray[np.bool_]]:
    """Check where rows lie; give them, and which lie outside the place but count."""
    beyond = np.zeros(len(shapes), dtype=bool)
    if role.geometry == "none":
        return shapes, beyond
    shapes = check_geometry(shapes, role, part.findings, as_point=part.spec.as_point)
    return _inside_or_beyond(role, shapes, part, area, hints, units, reach_m)


def _inside_or_beyond(
    role: Role,
    shapes: gpd.GeoSeries,
    part: _Part,
    area: Any,
    hints: Hints | None,
    units: gpd.GeoDataFrame | None,
    reach_m: float,
) -> tuple[gpd.GeoSeries, NDArray[np.bool_]]:
    """Return the rows outside the place, but for those that count beyond its border."""
    findings = part.findings
    claims: Mapping[str, pd.Series[Any]] = {} if hints is None else hints.stated
    beyond = find_beyond(shapes, area, claims, units, reach_m=reach_m)
    shapes = check_place(shapes, area if role.group != "base" else None, findings, spare=beyond)
    findings.noted(
        beyond & ~findings.bad,
        "beyond_border",
        text(
            "lies outside the place, but within {n} m of it: counted as outside (区外), in no "
            "list and no total",
            n=f"{reach_m:g}",
        ),
        text("check the coordinates if it belongs to the place"),
    )
    return shapes, beyond


def _points_in_place(
    role: Role,
    degrees: NDArray[np.float64],
    part: _Part,
    area: Any,
    hints: Hints | None,
    units: gpd.GeoDataFrame | None,
    reach_m: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Check where points lie; those in the place need no geometry for that."""
    x, y = degrees[:, 0], degrees[:, 1]
    gone = ~np.isfinite(x)
    return_gone(gone, part.findings)
    shapely.prepare(area)
    outside = ~gone & ~shapely.intersects_xy(area, x, y)
    if not outside.any():
        return degrees, outside
    shapes = gpd.GeoSeries(points_at(np.where(outside, x, np.nan), y), crs=WGS84)
    shapes, beyond = _inside_or_beyond(role, shapes, part, area, hints, units, reach_m)
    degrees = degrees.copy()
    degrees[outside] = shapely.get_coordinates(shapes.to_numpy()[outside])
    return degrees, beyond


def _extra(role: Role, rows: Rows, table: pd.DataFrame) -> pd.DataFrame:
    """Keep what the road graph may need of a source that the role does not name."""
    if role.name != "road":
        return pd.DataFrame(index=table.index)
    held = [str(column) for column in rows.table.columns]
    ends = {name for pair in END_FIELDS for name in pair}
    wanted = held
    if rows.osm:
        wanted = [k for k in held if is_road_key(k) or k in OWN or k.lower() in ends]
    kept = [column for column in wanted if column not in table]
    return rows.table[kept]


def _locate(
    role: Role,
    rows: Rows,
    found: dict[str, Any],
    spec: LayerSpec,
    findings: Findings,
    hints: Hints | None,
    units: gpd.GeoDataFrame | None,
) -> Located:
    if role.geometry == "none":
        nothing = gpd.GeoSeries([None] * len(rows.table), crs=WGS84)
        return Located(nothing, "", "", "", spec.datum)
    if rows.geometry is not None:
        return locate_shapes(rows.geometry, spec, findings, hints)
    try:
        return locate_table(rows.table, found, spec, findings, hints)
    except LayerError as error:
        if not any(problem.rule == "no_coordinates" for problem in problems_of(error)):
            raise
        located = _in_units(role, rows, found, spec, findings, units)
        if located is None:
            raise
        return located


def _in_units(
    role: Role,
    rows: Rows,
    found: dict[str, Any],
    spec: LayerSpec,
    findings: Findings,
    units: gpd.GeoDataFrame | None,
) -> Located | None:
    """Place the rows of a ledger by unit, such as people by village, in the units they name."""
    if role.group != "base" or role.geometry != "any" or units is None or not len(units):
        return None
    shapes = units.geometry.to_crs(WGS84)
    for key, names in (("number", units.index.astype(str)), ("name", units["name"].astype(str))):
        if key not in found:
            continue
        known = pd.Series(np.asarray(shapes.array, dtype=object), index=pd.Index(names))
        known = known[~known.index.duplicated(keep=False)]
        said = parse_codes(rows.table[found[key][0]].astype(object)).column.fillna("").astype(str)
        places = said.str.strip().map(known)
        lost = places.isna().to_numpy(bool)
        if lost.all():
            continue
        findings.returned(
            lost,
            "no_unit",
            text("no unit bears this code or name"),
            text("write it as the units have it"),
            field=str(found[key][0]),
            values=said.to_numpy(dtype=object),
        )
        there = gpd.GeoSeries(places.where(~lost, None).to_numpy(dtype=object), crs=WGS84)
        return Located(there, "", str(text("placed in the unit")), "", spec.datum)
    return None


def _placed_but_returned(parts: list[_Part], metric: CRS) -> gpd.GeoDataFrame | None:
    """Keep the returned rows that lie somewhere, before repeated rows join them."""
    kept = []
    for part in parts:
        if part.frame is None or not len(part.frame):
            continue
        bad = part.frame[part.findings.bad]
        kept.append(bad[bad.geometry.notna() & ~bad.geometry.is_empty].head(_KEPT_ROWS))
    kept = [frame for frame in kept if len(frame)]
    return gpd.GeoDataFrame(pd.concat(kept, ignore_index=True), crs=metric) if kept else None


def _empty(role: Role, metric: CRS) -> gpd.GeoDataFrame:
    columns: dict[str, Any] = {field.name: pd.Series(dtype=object) for field in role.fields}
    columns |= {name: pd.Series(dtype=object) for name in PLACE_COLUMNS}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=metric), crs=metric)


def _without(frame: gpd.GeoDataFrame, rows: NDArray[np.bool_]) -> gpd.GeoDataFrame:
    """Leave some rows out; nothing is copied where there are none."""
    return frame[~rows] if rows.any() else frame


def _joined(
    role: Role, parts: list[_Part], metric: CRS, known: pd.DataFrame | None, *, shapes: bool
) -> gpd.GeoDataFrame:
    """Put the parts together; where the program fails at that, none of them is used."""
    try:
        return _join(role, parts, metric, known, shapes=shapes)
    except Exception as error:
        if os.environ.get("RISKMAP_DEBUG"):
            raise
        for part in (part for part in parts if part.frame is not None):
            part.refuse([_named(own_fault(error), role, part.spec, part.rows.sheet)])
        return _empty(role, metric).rename_axis(ITEM_ID)


def _differ(numbers: pd.Series) -> bool:
    """Tell whether no number stands in two rows; missing ones do not count."""
    return not (numbers if numbers.notna().all() else numbers.dropna()).duplicated().any()


def _pointed(part: _Part, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make the points of a part that has none yet."""
    if part.xy is None:
        return frame
    return frame.set_geometry(gpd.GeoSeries(points_at(*part.xy.T), frame.index, crs=frame.crs))


def _where(parts: list[_Part]) -> NDArray[np.float64] | None:
    """Give the places of the rows in use where all parts are points, else None."""
    placed = [part.xy[~part.findings.bad] for part in parts if part.xy is not None]
    return np.concatenate(placed) if len(placed) == len(parts) else None


def _join(
    role: Role, parts: list[_Part], metric: CRS, known: pd.DataFrame | None, *, shapes: bool
) -> gpd.GeoDataFrame:
    """Put the parts together, return duplicates, and give the ids."""
    used = [(part, frame) for part in parts if (frame := part.frame) is not None and len(frame)]
    if not used:
        return _empty(role, metric).rename_axis(ITEM_ID)
    xy = _where([part for part, _ in used])
    if not shapes and xy is None:  # they lie beside rows that have geometries
        used = [(part, _pointed(part, frame)) for part, frame in used]
    kept = [_without(frame, part.findings.bad) for part, frame in used]
    owner = np.concatenate([np.full(len(frame), index) for index, frame in enumerate(kept)])
    local = np.concatenate([np.flatnonzero(~part.findings.bad) for part, _ in used])
    whole = kept[0].reset_index(drop=True)
    if len(kept) > 1:
        whole = gpd.GeoDataFrame(pd.concat(kept, ignore_index=True), crs=metric)
    once = role.id_field in whole and _differ(whole[role.id_field])
    places = places_of(whole, xy)
    again = np.zeros(len(whole), dtype=bool)
    for mask, rule, field, firsts in find_duplicates(whole, role, places, numbered_once=once):
        again |= mask
        where = np.full(len(whole), None, dtype=object)
        where[mask] = firsts
        for index, (part, _) in enumerate(used):
            mine = mask & (owner == index)
            hit = np.zeros(len(part.rows.table), dtype=bool)
            hit[local[mine]] = True
            values = np.full(len(hit), None, dtype=object)
            values[local[mine]] = whole[field].to_numpy(dtype=object)[mine]
            messages = [text("the row repeats {first}", first=first) for first in where[mine]]
            part.findings.returned(
                hit,
                rule,
                messages,
                text("delete one of the two, or tell them apart"),
                field=field,
                values=values,
            )
    whole, places = _without(whole, again).reset_index(drop=True), places.without(again)
    findings = [part.findings for part, _ in used]
    owner, local = owner[~again], local[~again]
    if not once:
        note_shared(whole, role, findings, owner=owner, local=local)
    note_doubtful(whole, role, findings, places, owner=owner, local=local, numbered_once=once)
    if not len(whole):
        return _empty(role, metric).rename_axis(ITEM_ID)
    if not shapes and xy is not None:
        return whole.rename_axis(ITEM_ID)
    ids = assign_ids(role, whole, known, numbered_once=once)
    whole.index = pd.Index(ids, name=ITEM_ID)
    return whole if not role.item or whole.index.is_monotonic_increasing else whole.sort_index()

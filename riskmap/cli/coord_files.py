"""``riskmap coords``: a table's coordinates from one datum to another, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from riskmap.errors import LayerError, Problem, UsageError
from riskmap.files import read_texts
from riskmap.i18n import text
from riskmap.layers.layer import Findings, UnitSpec
from riskmap.layers.place import datum as coords
from riskmap.layers.place.evidence import Hints, judge_datum, known_outlines, match_units
from riskmap.layers.place.points import locate_shapes
from riskmap.layers.read.layer import check_file, said_elsewhere
from riskmap.layers.read.table import WORKBOOKS, find_tables, grid_to_rows, read_csv, read_workbook
from riskmap.layers.read.values import ANGLE_REASONS, parse_angle
from riskmap.layers.read.vector import read_vector
from riskmap.layers.unit_shapes import column_field

if TYPE_CHECKING:
    from pathlib import Path


def named_texts(path: Path, names: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that must have some columns.

    Parameters
    ----------
    path
        The table.
    names
        Columns.

    Returns
    -------
    DataFrame
        Texts.

    Raises
    ------
    LayerError
        When one is missing.
    """
    table = read_texts(path)
    lacking = [name for name in names if name not in table]
    if lacking:
        raise LayerError(
            text(
                "{file}: columns missing: {names}; columns: {known}",
                file=path.name,
                names=", ".join(lacking),
                known=", ".join(table.columns),
            )
        )
    return table


def degrees(
    said: list[str], name: str, axis: str, file: str, *, first: Any = None
) -> tuple[Any, list[Problem]]:
    """Read a column of angles as people write them.

    Parameters
    ----------
    said
        The cells.
    name
        Header of the column.
    axis
        ``lon`` or ``lat``.
    file
        Name of the file.
    first
        Number of each row; counted from the second by default.

    Returns
    -------
    tuple
        Degrees with NaN where a cell cannot be read, and a problem for each of these.
    """
    angles = parse_angle(said, axis=axis)
    wrong = np.flatnonzero(angles.reason != "")
    problems = [
        Problem(
            severity="returned",
            role="",
            rule=f"coordinate_{angles.reason[row]}",
            message=text(ANGLE_REASONS[angles.reason[row]][0]),
            mend=text(ANGLE_REASONS[angles.reason[row]][1]),
            file=file,
            row=int(row) + 2 if first is None else int(first[row]),
            field=name,
            value=said[int(row)],
        )
        for row in wrong
    ]
    return np.where(angles.reason == "", angles.degrees, np.nan), problems


def convert(
    source: Path,
    target: Path,
    *,
    origin: str,
    to: str,
    lon: str,
    lat: str,
    units: Path | None = None,
    stated: str | None = None,
) -> dict[str, Any]:
    """Convert the coordinates of a table; rows that cannot be read stay as they are.

    Parameters
    ----------
    source, target
        Table read and table written, CSV or workbook.
    origin, to
        Datums; ``auto`` tells the first from where the rows say they lie.
    lon, lat
        Columns.
    units
        Outlines of units, for ``auto``.
    stated
        Column that names the unit of each row; without it the whole of the units is compared.

    Returns
    -------
    dict
        Number of ``rows``, the ``returned`` ones that stay as they are, and ``notes``; for ``auto``
        also ``datum`` (None when undecided), ``agreement``, ``margin`` and ``decided``; when it is
        undecided nothing is written.
    """
    if target.is_dir():
        raise UsageError(text("{path} is a folder; give a file", path=target))
    if origin == "auto" and units is None:
        raise UsageError(text("--from auto needs --units, and --stated to be sure"))
    table, said, first = _coordinate_table(source, lon, lat, stated)
    lon, lat = (_header_of(table, name, field) for name, field in ((lon, "lon"), (lat, "lat")))
    x, wrong_lon = degrees(table[lon].tolist(), lon, "lon", source.name, first=first)
    y, wrong_lat = degrees(table[lat].tolist(), lat, "lat", source.name, first=first)
    found: dict[str, Any] = {}
    if origin == "auto":
        found = _tell_datum(table, x, y, units, stated, said)
        if not found["decided"]:
            return {"rows": 0, "returned": [], "notes": [], **found}
        origin = found["datum"]
    good = np.flatnonzero(np.isfinite(x + y))
    x, y = coords.to_wgs84(x[good], y[good], datum=origin)
    abroad = int((~coords.in_china(x, y)).sum()) if {origin, to} & {"gcj02", "bd09"} else 0
    if to in {"gcj02", "bd09"}:
        x, y = coords.wgs84_to_gcj02(x, y)
    if to == "bd09":
        x, y = coords.gcj02_to_bd09(x, y)
    method = np.full(len(table), "not converted", dtype=object)
    method[good] = f"to {to}"
    columns = {name: table[name].to_numpy(dtype=object, copy=True) for name in (lon, lat)}
    columns[lon][good], columns[lat][good] = x, y
    _write_table(table.assign(**columns, coord_source=origin, coord_method=method), target)
    note = text(
        "{n} of {all} positions lie outside China, where GCJ-02 is WGS-84; check whether "
        "longitude and latitude are swapped",
        n=abroad,
        all=len(good),
    )
    return {
        "rows": len(table),
        "returned": [str(problem) for problem in (*wrong_lon, *wrong_lat)],
        "notes": [str(note)] if abroad else [],
        **found,
    }


def _coordinate_table(
    path: Path, lon: str, lat: str, stated: str | None
) -> tuple[pd.DataFrame, tuple[str, ...], Any]:
    """Read a table with coordinates: its cells, the notes around it, the number of each row."""
    check_file(path)
    own = {name.casefold().strip() for name in (lon, lat, stated) if name}

    def named(header: str) -> str | None:
        plain = header.casefold().strip()
        return plain if plain in own else column_field(header)

    grids = read_workbook(path) if path.suffix.lower() in WORKBOOKS else [read_csv(path)]
    tables = [table for grid in grids for table in find_tables(grid, named)]
    if not tables:
        named_texts(path, (lon, lat))
        raise LayerError(text("no row with known column names was found"))
    best = max(tables, key=lambda table: len(table.header.fields))
    rows = grid_to_rows(best.grid, best.header, table=best)
    return rows.table, (*rows.said, *said_elsewhere(grids, [best])), np.asarray(rows.row)


def _header_of(table: pd.DataFrame, name: str, field: str) -> str:
    """Find a column by its name, else by what its header means."""
    if name in table:
        return name
    plain = {str(column).casefold().strip(): str(column) for column in table}
    if name.casefold() in plain:
        return plain[name.casefold()]
    meant = [str(column) for column in table if column_field(str(column)) == field]
    if meant:
        return meant[0]
    raise LayerError(
        text(
            "columns missing: {names}; columns: {known}",
            names=name,
            known=", ".join(map(str, table.columns)),
        )
    )


def _tell_datum(
    table: pd.DataFrame,
    x: Any,
    y: Any,
    units: Path | None,
    stated: str | None,
    said: tuple[str, ...],
) -> dict[str, Any]:
    """Judge the datum of coordinates by the units that rows state."""
    hints = _unit_hints(table, units, stated)
    judged = judge_datum(x, y, hints)
    told = coords.datum_of_notes(said)[0]
    if judged is None:
        return {
            "datum": told,
            "agreement": dict.fromkeys(("wgs84", "gcj02", "bd09"), 0.0),
            "margin": 0.0,
            "decided": told is not None,
            "compared": 0,
            "held": dict.fromkeys(("wgs84", "gcj02", "bd09"), 0),
        }
    best = judged.best
    decided = judged.decided
    if told is not None:
        same = told == best or (told == "cgcs2000" and best == "wgs84")
        decided = same or not decided
        best = told if decided else best
    return {
        "datum": best if decided else None,
        "agreement": judged.agreement,
        "margin": judged.margin,
        "decided": decided,
        "compared": judged.rows,
        "held": dict(judged.held),
    }


def _unit_hints(table: pd.DataFrame, units: Path | None, stated: str | None) -> Any:
    """Read outlines, and find the property that holds the names that rows state."""
    assert units is not None  # noqa: S101
    check_file(units)
    rows = read_vector(units, geometry="polygon")
    if rows.geometry is None:
        raise LayerError(text("units need outlines, and this table has none"))
    columns = [str(column) for column in rows.table.columns]
    datum = known_outlines(units.name, columns) or "auto"
    spec = UnitSpec(path=units, shown=units.name, datum=datum)
    findings = Findings("unit", units.name, rows.sheet, rows.row)
    shapes = locate_shapes(rows.geometry, spec, findings).geometry
    known = shapes.notna() & ~shapes.is_empty
    area = gpd.GeoSeries(shapes[known]).make_valid().union_all()
    if stated is None:
        return Hints(area=area)
    column = _header_of(table, stated, "")
    names = table[column]
    entries = [name for name in dict.fromkeys(names.astype(str)) if name.strip()][:2000]
    texts = [c for c in rows.table.columns if rows.table[c].astype(str).str.len().max() < 200]
    fits = {
        c: sum(bool(found) for found in match_units(entries, rows.table[c].tolist())) for c in texts
    }
    best = max(fits, key=lambda c: fits[c], default=None)
    if best is None or not fits[best]:
        raise LayerError(text("none of the names in {column} is the name of a unit", column=column))
    frame = gpd.GeoDataFrame(
        {"name": rows.table[best].to_numpy(), "level": np.full(len(rows.table), "town")},
        geometry=shapes.to_numpy(),
        crs="EPSG:4326",
    )
    return Hints(stated={"town": names}, units=frame[known.to_numpy()], area=None)


def _write_table(table: pd.DataFrame, target: Path) -> None:
    """Write a table beside its place and move it there, as CSV or workbook."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.stem + ".part" + target.suffix)
    if target.suffix.lower() == ".xlsx":
        options = {"options": {"strings_to_formulas": False, "strings_to_urls": False}}
        with pd.ExcelWriter(fresh, engine="xlsxwriter", engine_kwargs=options) as book:
            table.to_excel(book, index=False)
    else:
        table.to_csv(fresh, index=False, encoding="utf-8-sig")
    fresh.replace(target)

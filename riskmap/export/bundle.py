"""The folder of outputs, whole or not at all: papers, manifest, tables in other forms."""

from __future__ import annotations

import platform
from collections import Counter
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from riskmap import progress
from riskmap.errors import ExportError, LayerError
from riskmap.export.geopackage.write import write_geopackage
from riskmap.export.onemap.backdrop import read_backdrops
from riskmap.export.onemap.page import render
from riskmap.export.papers.folder import INDEX, front_sheet, index_page, write_papers
from riskmap.export.public import redact
from riskmap.export.recount import keep_rows
from riskmap.export.witness import PROOF, as_json, build_proof, sign
from riskmap.export.workbook import tables
from riskmap.export.workbook.books import write_control, write_gaps, write_list, write_plans
from riskmap.export.workbook.tables import change_counts, flooded
from riskmap.files import (
    CONTROL,
    GAPS,
    GEOPACKAGE,
    LIST,
    MANIFEST,
    PAGE,
    PARAMS,
    REPORT,
    hashed_files,
    whole_folder,
)
from riskmap.i18n import both, language, text
from riskmap.layers.read.database import connected, part_database, shown_database
from riskmap.result import layer_rows
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import psycopg

    from riskmap.export.papers.document import Layout
    from riskmap.result import Result


FORMAT: Final = 1
LIBRARIES: Final = (
    "exactextract", "folium", "geopandas", "highspy", "numba", "numpy",
    "odc-geo", "ortools", "pandas", "pyogrio", "pyproj", "rasterio", "scipy", "shapely",
    "xlsxwriter", "xstatic-leaflet",
)  # fmt: skip
"""Libraries whose version may change a number or a byte of the outputs."""


@cache
def versions() -> dict[str, str]:
    """Give the versions of the libraries that may change a number or a byte.

    Returns
    -------
    dict
        Library to version; GDAL, GEOS, PROJ and Python among them.
    """
    import pyogrio
    import pyproj
    import shapely

    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    found["gdal"] = ".".join(map(str, pyogrio.__gdal_version__))
    found["geos"] = shapely.geos_version_string
    found["proj"] = pyproj.proj_version_str
    return found


def build_manifest(result: Result, folder: Path) -> dict[str, Any]:
    """Describe inputs, configuration, versions and outputs; the manifest does not hash itself.

    Parameters
    ----------
    result
        The run's result.
    folder
        Folder that holds every other output.

    Returns
    -------
    dict
        What ``manifest.json`` holds.
    """
    sources = tables.source_table(result)
    rows = sources.groupby("file")["rows_in"].sum()
    return {
        "format": FORMAT,
        "riskmap": result.facts.version,
        "versions": versions(),
        "facts": vars(result.facts),
        "inputs": [
            {
                "file": file.shown,
                "sha256": file.sha256 or None,
                "size": file.size or None,
                "rows": int(rows[file.shown]) if file.shown in rows.index else None,
            }
            for file in sorted(result.inputs, key=lambda file: file.shown)
        ],
        "sources": sources.to_dict("records"),
        "presets": tables.preset_table(result).to_dict("records"),
        "params": result.params,
        "outputs": hashed_files(folder),
    }


def build_report(result: Result) -> dict[str, Any]:
    """Count what went in, what came out and what was left out.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    dict
        Facts, rows by role, notes, problems, indicators, classes, the five worst units, presets.
    """
    return {
        "facts": vars(result.facts),
        "layers": layer_rows(result),
        "problems": _problems(result),
        "notes": [both(note) for note in tables.notes_of(result)],
        "indicators": _indicators(result),
        "units": {str(level): int(n) for level, n in result.units[c.LEVEL].value_counts().items()},
        "classes": {name: class_counts(result, name) for name in ("unit", "cell")},
        "items": _items(result),
        "worst_units": worst_units(result),
        "presets": tables.preset_table(result).to_dict("records"),
        "scenarios": scenario_rows(result),
        "plans": sorted(result.plans),
    }


def scenario_rows(result: Result) -> list[dict[str, Any]]:
    """Describe every scenario, and what it changes where it has an index of its own.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    list of dict
        Layers of the scenario; ``index`` whether it has an index; then ``classes``, ``changes``
        (units of the finest level and cells that rise or fall) and the five ``worst_units``.
    """
    wet = {scenario.number: scenario for scenario in flooded(result)}
    rows: list[dict[str, Any]] = []
    finest = result.units.index[result.units[c.LEVEL] == tables.finest_level(result.units)]
    for row in tables.scenario_table(result).to_dict("records"):
        entry = {str(key): value for key, value in row.items()}
        found = wet.get(int(row["number"]))
        entry["index"] = found is not None
        if found is not None:
            unit, cell = f"unit@{found.name}", f"cell@{found.name}"
            entry["classes"] = {
                "unit": class_counts(result, unit),
                "cell": class_counts(result, cell),
            }
            entry["changes"] = {
                "unit": change_counts(result.index["unit"], found.unit, finest),
                "cell": change_counts(result.index["cell"], found.cell),
            }
            entry["worst_units"] = worst_units(result, name=unit)
        rows.append(entry)
    return rows


def class_counts(result: Result, name: str) -> dict[str, int]:
    """Count the rows of each class.

    Parameters
    ----------
    result
        The run's result.
    name
        ``unit`` (the finest level only) or ``cell``, or one of a scenario such as ``unit@NAME``.

    Returns
    -------
    dict
        Class ``"0"`` (unknown) to ``"4"`` to number of rows.
    """
    classes = result.index[name].classes
    if name.partition("@")[0] == "unit":
        finest = tables.finest_level(result.units)
        classes = classes.loc[result.units.index[result.units[c.LEVEL] == finest]]
    counts = Counter(int(value) for value in classes.fillna(0))
    return {str(value): counts.get(value, 0) for value in (0, *c.CLASSES)}


def worst_units(result: Result, *, n: int = 5, name: str = "unit") -> list[dict[str, Any]]:
    """List the units of the finest level with the highest scores.

    Parameters
    ----------
    result
        The run's result.
    n
        How many.
    name
        ``unit``, or ``unit@NAME`` for a scenario.

    Returns
    -------
    list of dict
        Code, name, town, score, class and the share of each component, worst first.
    """
    index = result.index[name]
    units = result.units[result.units[c.LEVEL] == tables.finest_level(result.units)]
    scores = index.scores[c.ROOT].reindex(units.index).dropna()
    order = pd.DataFrame({"score": -scores, "code": scores.index.astype(str)}, index=scores.index)
    worst = order.sort_values(["score", "code"]).index[:n]
    return [
        {
            "unit_id": str(unit),
            "name": units.loc[unit, c.NAME],
            "town": units.loc[unit, "town"] if "town" in units else "",
            "score": float(scores[unit]),
            "class": index.classes.loc[unit],
            "contributions": index.contributions.loc[unit],
        }
        for unit in worst
    ]


def _problems(result: Result) -> dict[str, Any]:
    by_severity: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    for problem in result.problems:
        by_severity[problem.severity] += problem.count
        by_rule[f"{problem.role}.{problem.rule}"] += problem.count
    return {
        **{name: by_severity.get(name, 0) for name in ("returned", "unusable", "note")},
        "by_rule": dict(sorted(by_rule.items())),
    }


def _indicators(result: Result) -> dict[str, Any]:
    meta: pd.DataFrame = result.indicators.meta
    kind = meta["kind"]
    return {
        "used": {
            str(code): {
                "parent": row["parent"],
                "weight": row["weight"],
                "unit": row.get("unit", ""),
            }
            for code, row in meta[kind == "indicator"].iterrows()
        },
        "groups": {
            str(code): {"parent": row["parent"], "weight": row["weight"]}
            for code, row in meta[kind == "group"].iterrows()
        },
        "notes": [both(note) for note in result.indicators.notes],
    }


def _items(result: Result) -> dict[str, Any]:
    items = result.items
    out: dict[str, Any] = {"rows": len(items), "control_rows": len(result.control)}
    if c.LEVEL in items:
        levels = Counter(int(level) for level in items[c.LEVEL].fillna(0))
        out["by_level"] = {str(value): levels.get(value, 0) for value in (0, *c.CLASSES)}
    if c.ROLE in items:
        out["by_role"] = {
            str(role): int(n) for role, n in sorted(items[c.ROLE].value_counts().items())
        }
    return out


def write(
    result: Result,
    folder: Path,
    *,
    tianditu: bool = False,
    pictures: Sequence[tuple[str, Path]] = (),
    formats: Sequence[str] = (),
    key: Path | None = None,
    papers: Layout | None = None,
) -> Path:
    """Write every paper of a run into a folder, whole or not at all.

    A public edition is written from a redacted result, whatever the caller did before. The same
    result gives the same bytes.

    Parameters
    ----------
    result
        The run's result.
    folder
        Where the outputs are to stand; an earlier output there is replaced in one step.
    tianditu
        Whether the page may ask for Tianditu's map once somebody types a token in.
    pictures
        Pictures under the page's map: each file as the project file writes it, and its path.
    formats
        Further forms of the layers: ``geoparquet``, ``flatgeobuf``.
    key
        Ed25519 key (PEM) that signs the manifest, or None.
    papers
        How official papers are set, or None to write none of them.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ExportError
        When the folder holds files of somebody else, or cannot be written.
    """
    if result.facts.profile == "public":
        result = redact(result)
    with language(result.facts.lang), whole_folder(folder) as fresh:
        tiles = read_backdrops(pictures, result.units) if pictures else ()
        steps: tuple[Callable[[], object], ...] = (
            lambda: write_geopackage(result, fresh / GEOPACKAGE),
            *(
                [lambda: write_copies(fresh / GEOPACKAGE, fresh / FOLDER, formats)]
                if formats
                else []
            ),
            lambda: _write_text(fresh / PAGE, render(result, tianditu=tianditu, tiles=tiles)),
            lambda: write_list(result, fresh / LIST, front=front_sheet(result)),
            lambda: write_control(result, fresh / CONTROL),
            lambda: write_gaps(result, fresh / GAPS),
            lambda: write_plans(result, fresh),
            lambda: keep_rows(fresh, fresh / GEOPACKAGE),
            *([lambda: _write_papers(result, fresh, papers, folder)] if papers else []),
            lambda: _write_text(fresh / PARAMS, as_json(result.params)),
            lambda: _write_text(fresh / REPORT, as_json(build_report(result))),
            *([lambda: _write_index(result, fresh, papers)] if papers else []),
            lambda: _write_text(
                fresh / PROOF, build_proof(fresh, as_json(build_manifest(result, fresh)))
            ),
            lambda: _write_text(fresh / MANIFEST, as_json(build_manifest(result, fresh))),
            *([lambda: sign(fresh, key)] if key else []),
        )
        with progress.stage(text("papers")):
            for write_paper in progress.counted(steps, text("files")):
                write_paper()
    return folder


def _write_text(path: Path, content: str) -> None:
    path.write_bytes(content.encode("utf-8"))


def _write_papers(result: Result, fresh: Path, layout: Layout, old: Path) -> None:
    write_papers(result, fresh, layout=layout, previous=old)


def _write_index(result: Result, fresh: Path, layout: Layout) -> None:
    _write_text(fresh / INDEX, index_page(result, fresh, layout))


FOLDER: Final = "layers"
"""Folder of the copies in the results folder."""
SCHEMA: Final = "riskmap"
"""Schema in which results stand when the address names none."""
_MARK: Final = "riskmap: "
"""How the comments of our schema and tables begin."""
_TYPES: Final = {
    "b": "boolean", "i": "bigint", "u": "bigint", "f": "double precision", "M": "timestamp",
}  # fmt: skip


def _tables(package: Path) -> Iterator[tuple[str, Any]]:
    """Read the tables of a GeoPackage one by one, but for what only QGIS uses."""
    import pyogrio

    for name, _ in pyogrio.list_layers(package):
        if name not in ("layer_styles", "qgis_projects"):
            yield str(name), pyogrio.read_dataframe(package, layer=name, use_arrow=True)


def write_copies(package: Path, folder: Path, formats: Sequence[str]) -> None:
    """Write the tables of a GeoPackage as files of their own.

    Parameters
    ----------
    package
        The GeoPackage.
    folder
        Folder to make.
    formats
        ``geoparquet`` (every table) and ``flatgeobuf`` (tables with shapes).
    """
    import geopandas as gpd
    import pyogrio

    folder.mkdir()
    for name, table in _tables(package):
        if "geoparquet" in formats:
            table.to_parquet(folder / f"{name}.parquet", index=False)
        if "flatgeobuf" in formats and isinstance(table, gpd.GeoDataFrame):
            pyogrio.write_dataframe(
                table, folder / f"{name}.fgb", driver="FlatGeobuf", layer=name, use_arrow=True
            )


def check_database(address: str) -> None:
    """Make sure that results can be written into a database, before a run.

    Parameters
    ----------
    address
        ``postgresql://USER@HOST/DATABASE#SCHEMA``.

    Raises
    ------
    ExportError
        When it cannot be reached, has no PostGIS, or the schema holds tables of others.
    """
    with _spoken(address) as connection:
        _claim(connection, part_database(address)[1] or SCHEMA)
        connection.rollback()


def write_database(package: Path, address: str, *, title: str) -> dict[str, int]:
    """Write the tables of a GeoPackage into a schema of a database, all or none.

    Tables that were there are filled anew, so that views and rights of others on them stay; one
    that no longer comes is dropped. What is not ours is never touched.

    Parameters
    ----------
    package
        The GeoPackage of a run.
    address
        ``postgresql://USER@HOST/DATABASE#SCHEMA``; the schema is ``riskmap`` by default.
    title
        Written into the comment of the schema.

    Returns
    -------
    dict
        Table to its number of rows.

    Raises
    ------
    ExportError
        When the database refuses; it is as before then.
    """
    schema = part_database(address)[1] or SCHEMA
    written: dict[str, int] = {}
    with _spoken(address) as connection:
        ours = _claim(connection, schema)
        _comment(connection, "SCHEMA", (schema,), title)
        for name, table in _tables(package):
            _write(connection, schema, name, table, there=name in ours, title=title)
            written[name] = len(table)
        for name in sorted(ours - set(written)):
            _drop(connection, schema, name)
    return written


@contextmanager
def _spoken(address: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect; what the server refuses is an error of writing."""
    try:
        with connected(address) as connection:
            yield connection
    except LayerError as error:
        one = error.problems[0]
        said = text(
            "{database}: {message} ({value}); {mend}",
            database=shown_database(address), message=one.message, value=one.value, mend=one.mend,
        )  # fmt: skip
        raise ExportError(said) from error


def _claim(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    """Make the schema, or make sure that it is ours; list our tables in it."""
    from psycopg import sql

    connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{_MARK}{schema}",))
    found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
    if not found:
        connection.execute("CREATE EXTENSION postgis")
    listed = connection.execute(
        "SELECT c.relname, coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'f', 'v', 'm')",
        (schema,),
    ).fetchall()
    ours = {str(name) for name, comment in listed if str(comment).startswith(_MARK)}
    said = connection.execute(
        "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace "
        "WHERE nspname = %s",
        (schema,),
    ).fetchone()
    if said is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    elif not str(said[0]).startswith(_MARK) and listed:
        raise ExportError(
            text(
                "the schema {schema} of the database holds tables of others; name another one "
                "behind #, as in postgresql://USER@HOST/DATABASE#riskmap",
                schema=schema,
            )
        )
    return ours


def _comment(
    connection: psycopg.Connection[Any], kind: str, name: tuple[str, ...], title: str
) -> None:
    from psycopg import sql

    connection.execute(
        sql.SQL("COMMENT ON {} {} IS {}").format(
            sql.SQL(kind),
            sql.Identifier(*name),
            sql.Literal(f"{_MARK}{title}"),
        )
    )


def _write(
    connection: psycopg.Connection[Any], schema: str, name: str, table: pd.DataFrame, *,
    there: bool, title: str,
) -> None:  # fmt: skip
    from psycopg import sql

    place = sql.Identifier(schema, name)
    columns = _columns(connection, table)
    if there and _same(connection, schema, name, columns):
        connection.execute(sql.SQL("TRUNCATE {}").format(place))
    else:
        if there:
            connection.execute(sql.SQL("DROP TABLE {}").format(place))
        listed = [
            sql.SQL("{} {}").format(sql.Identifier(label), sql.SQL(kind)) for label, kind in columns
        ]
        connection.execute(
            sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join(listed))
        )
        for label, kind in columns:
            if kind.startswith("geometry"):
                connection.execute(
                    sql.SQL("CREATE INDEX ON {} USING gist ({})").format(
                        place, sql.Identifier(label)
                    )
                )
        _comment(connection, "TABLE", (schema, name), title)
    names = sql.SQL(", ").join(sql.Identifier(label) for label, _ in columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(place, names)) as copy,
    ):
        for row in zip(*_values(table, columns), strict=True):
            copy.write_row(row)


def _columns(connection: psycopg.Connection[Any], table: pd.DataFrame) -> list[tuple[str, str]]:
    """Give every column its type; shapes stand in ``geom``."""
    shapes = getattr(table, "geometry", None) if hasattr(table, "crs") else None
    found = []
    for label in table.columns:
        if shapes is not None and label == shapes.name:
            found.append(("geom", f"geometry(Geometry,{_srid(connection, table)})"))
        else:
            found.append((str(label), _TYPES.get(table[label].dtype.kind, "text")))
    return found


def _srid(connection: psycopg.Connection[Any], table: Any) -> int:
    """Find the number of the table's CRS in this database; 0 where it knows none."""
    code = table.crs.to_epsg() if table.crs is not None else None
    known = connection.execute(
        "SELECT srid FROM spatial_ref_sys WHERE auth_name = 'EPSG' AND auth_srid = %s", (code,)
    ).fetchone()
    return int(known[0]) if known else 0


def _same(
    connection: psycopg.Connection[Any], schema: str, name: str, columns: list[tuple[str, str]]
) -> bool:
    there = connection.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        (schema, name),
    ).fetchall()
    said = {"timestamp without time zone": "timestamp"}
    return [(one, said.get(kind, kind)) for one, kind in there] == columns


def _values(table: Any, columns: list[tuple[str, str]]) -> list[Any]:
    """Give the columns as Python's values; what is missing is None."""
    import shapely

    found: list[Any] = []
    for label, (_, kind) in zip(table.columns, columns, strict=True):
        column = table[label]
        if kind.startswith("geometry"):
            number = int(kind.rstrip(")").rpartition(",")[2])
            shapes = shapely.set_srid(column.to_numpy(), number)
            found.append(shapely.to_wkb(shapes, hex=True, include_srid=True).tolist())
        else:
            entries = column.astype(object).where(column.notna(), None)
            found.append(list(entries))
    return found


def _drop(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Drop a table of ours that no longer comes; one that others build on is emptied."""
    import psycopg
    from psycopg import sql

    place = sql.Identifier(schema, name)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("DROP TABLE {}").format(place))
    except psycopg.errors.DependentObjectsStillExist:
        connection.execute(sql.SQL("TRUNCATE {}").format(place))

"""The tables of the GeoPackage in other forms: GeoParquet, FlatGeobuf, a PostGIS database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import ExportError, LayerError
from riskmap.i18n import text
from riskmap.layers.read.database import connected, part_database, shown_database

if TYPE_CHECKING:
    import pandas as pd
    import psycopg

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

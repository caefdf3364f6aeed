"""Layers of a PostGIS database, read into a file that stands beside the project."""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from riskmap.formats import check_condition
from riskmap.formats import unusable_file as unusable
from riskmap.i18n import Text, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

    from riskmap.errors import LayerError

SCHEMES: Final = ("postgresql://", "postgres://")
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_GEOMETRY: Final = ("geom", "geometry", "the_geom", "wkb_geometry", "shape")
"""Usual names of the column of shapes, the first that is there is taken."""
_KEPT: Final = ("int2", "int4", "int8", "float4", "float8", "bool", "date", "timestamp")
"""Types that come as they are; numbers of other types as float8, everything else as text."""
_FITTING: Final = {"point": "POINT", "line": "LINE", "polygon": "POLYGON"}
_AT_ONCE: Final = 20_000


def is_database(written: str) -> bool:
    """Tell whether a path of the project file names a database.

    Parameters
    ----------
    written
        The path as it is written.

    Returns
    -------
    bool
        True for ``postgresql://...``.

    Examples
    --------
    >>> is_database("postgresql://gis@10.0.0.5/city#roads"), is_database("roads.gpkg")
    (True, False)
    """
    return written.lower().startswith(SCHEMES)


def is_local(written: str) -> bool:
    """Tell whether a database is one of this machine.

    Parameters
    ----------
    written
        Its address.

    Returns
    -------
    bool
        True when every host is a socket's folder, localhost, or left out.

    Examples
    --------
    >>> is_local("postgresql:///city?host=/run/pg"), is_local("postgresql://10.0.0.5/city")
    (True, False)
    """
    parts = urlsplit(written)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if any(key in asked for key in ("service", "servicefile")):
        return False
    authority = parts.netloc.rpartition("@")[2]
    hosts = [re.sub(r"^\[(.*)\](:\d*)?$|^([^:]*)(:\d*)?$", r"\1\3", one) for one in
             authority.split(",")]  # fmt: skip
    hosts += [one for key in ("host", "hostaddr") for value in asked.get(key, ())
              for one in value.split(",")]  # fmt: skip
    return all(not host or unquote(host).startswith("/") or host.lower() in _LOCAL
               for host in hosts)  # fmt: skip


def part_database(written: str) -> tuple[str, str | None]:
    """Part the address of a database from the table that stands behind ``#``.

    Parameters
    ----------
    written
        The address as the project file has it.

    Returns
    -------
    tuple
        Address, and table or None.
    """
    address, _, table = written.partition("#")
    return address, unquote(table) or None


def shown_database(written: str, layer: str | None = None) -> str:
    """Name a database and its table without user, password and options.

    Parameters
    ----------
    written
        The address as the project file has it.
    layer
        The table, when it does not stand in the address.

    Returns
    -------
    str
        The only form that reaches an output.

    Examples
    --------
    >>> shown_database("postgresql://gis:secret@10.0.0.5:5433/city?sslmode=require", "gis.roads")
    'postgresql://10.0.0.5:5433/city#gis.roads'
    """
    parts = urlsplit(written)
    table = layer or unquote(parts.fragment)
    bare = f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"{bare}#{table}" if table else bare


def kept_file(folder: Path, written: str, layer: str | None, where: str | None) -> Path:
    """Name the file that keeps what was read of a database.

    Parameters
    ----------
    folder
        Folder of the project file.
    written, layer, where
        Address, table and condition.

    Returns
    -------
    Path
        ``.riskmap/database/NAME.parquet`` in that folder.
    """
    shown = shown_database(written, layer)
    key = hashlib.sha256(f"{shown}\n{where or ''}".encode()).hexdigest()[:10]
    table = re.sub(r"[^\w.]+", "_", shown.rpartition("#")[2] if "#" in shown else "table")
    return folder / ".riskmap" / "database" / f"{table[:60]}.{key}.parquet"


@contextmanager
def connected(written: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect to a database; what the server says is put into our words.

    Parameters
    ----------
    written
        Its address.

    Yields
    ------
    Connection
        Committed when the block ends well.

    Raises
    ------
    LayerError
        When the server cannot be reached, or refuses.
    """
    import psycopg

    address, _ = part_database(written)
    try:
        with psycopg.connect(
            address, connect_timeout=10, client_encoding="UTF8", application_name="riskmap"
        ) as connection:
            yield connection
    except psycopg.Error as error:
        raise _refused(error, written) from error


def _refused(error: psycopg.Error, written: str) -> LayerError:
    said, mend = _words(error)
    full = " ".join(str(error).split())
    password = urlsplit(written).password
    return unusable(
        "database", said, mend,
        value=(full.replace(password, "***") if password else full)[:200],
    )  # fmt: skip


def _words(error: psycopg.Error) -> tuple[Text, Text]:
    from psycopg import errors

    said = str(error)
    if isinstance(error, errors.InsufficientPrivilege):
        return (
            text("the database does not let this user read or write there"),
            text("ask its administrator for the right to this table or schema"),
        )
    if isinstance(error, errors.DependentObjectsStillExist):
        return (
            text("views of others build on a table whose columns have changed"),
            text("drop those views first, or name another schema"),
        )
    if isinstance(error, errors.UndefinedFunction | errors.UndefinedObject):
        return (
            text("the database has no PostGIS"),
            text("ask its administrator to run: CREATE EXTENSION postgis"),
        )
    if isinstance(error, UnicodeError | errors.CharacterNotInRepertoire | errors.DataError):
        return (
            text("the database holds text or values that cannot be read"),
            text("ask its administrator for the encoding of the database"),
        )
    if any(word in said for word in ("password", "authentication", 'role "')):
        return (
            text("the database refuses this user or password"),
            text("put the password into ~/.pgpass or PGPASSWORD, or ask the administrator"),
        )
    if "database" in said and "does not exist" in said:
        return (
            text("there is no such database on the server"),
            text("check the name behind the last / of the address"),
        )
    if isinstance(error, errors.OperationalError) and error.sqlstate is None:
        return (
            text("the database cannot be reached"),
            text(
                "check host, port and network; the address is postgresql://USER@HOST:PORT/DATABASE"
            ),
        )
    return text("the database refuses the query"), text("check table and condition")


@dataclass(frozen=True)
class _Relation:
    schema: str
    name: str
    oid: int

    @property
    def label(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class _Shape:
    column: str
    crs: str | None


def fetch_rows(
    written: str, target: Path, *, layer: str | None, where: str | None, geometry: str
) -> None:
    """Read one table of a database into a GeoParquet file.

    Rows come in the order of the primary key, else of their content: the same rows give the same
    bytes. Shapes are flat and without arcs.

    Parameters
    ----------
    written
        Address of the database.
    target
        File to write; an older one is replaced.
    layer
        The table, with its schema or without; None when there is only one that fits.
    where
        SQL condition on the rows.
    geometry
        ``point``, ``line``, ``polygon`` or ``any``: decides between several tables.

    Raises
    ------
    LayerError
        When the server, the table or the condition cannot be used.
    """
    target.unlink(missing_ok=True)
    check_condition(where)
    with connected(written) as connection:
        connection.read_only = True
        chosen = _relation(connection, layer or part_database(written)[1], geometry)
        frame = _read(connection, chosen, where)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".part")
    try:
        frame.to_parquet(fresh, index=False)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _relation(connection: psycopg.Connection[Any], asked: str | None, geometry: str) -> _Relation:
    """Find the table that is meant."""
    listed = connection.execute(
        "SELECT n.nspname, c.relname, c.oid, "
        "  (SELECT string_agg(upper(format_type(a.atttypid, a.atttypmod)), ' ') "
        "   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "   AND t.typname IN ('geometry', 'geography')) "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname !~ '^pg_' "
        "AND n.nspname NOT IN ('information_schema', 'topology', 'tiger', 'tiger_data') "
        "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') "
        "AND has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') "
        "ORDER BY n.nspname <> 'public', n.nspname, c.relname"
    ).fetchall()
    tables = [(_Relation(schema, name, oid), kind) for schema, name, oid, kind in listed]
    if asked is not None:
        plain = asked.replace('"', "").strip().casefold()
        for found in (
            [one for one, _ in tables if f"{one.schema}.{one.name}".casefold() == plain],
            [one for one, _ in tables if one.name.casefold() == plain],
        ):
            if len(found) == 1 or (found and found[0].schema == "public"):
                return found[0]
            if found:
                raise _which([one.label for one in found])
        raise unusable(
            "no_layer",
            text("the database has no table {table} that this user may read", table=asked),
            text("the tables are: {tables}", tables="、".join(one.label for one, _ in tables[:30])),
        )
    shaped = [(one, kind) for one, kind in tables if kind]
    fitting = [one for one, kind in shaped if _FITTING.get(geometry, "") in kind]
    chosen = [one for one, _ in shaped] if len(shaped) == 1 else fitting
    if len(chosen) != 1:
        raise _which([one.label for one, _ in (shaped or tables)])
    return chosen[0]


def _which(tables: Sequence[str]) -> LayerError:
    names = "、".join(tables[:30])
    return unusable(
        "which_layer",
        text("the database holds several tables: {tables}", tables=names),
        text("name one in the project file, such as layer: {layer}", layer=(tables or ["..."])[0]),
    )


def _read(connection: psycopg.Connection[Any], table: _Relation, where: str | None) -> Any:
    """Read the rows of a table; the server applies the condition, or we do where it cannot."""
    import geopandas as gpd
    import pandas as pd
    import psycopg
    import shapely
    from psycopg import sql

    from riskmap.layers.layer import matching

    columns = connection.execute(
        "SELECT a.attname, t.typname FROM pg_attribute a "
        "JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (table.oid,),
    ).fetchall()
    shape = _shape(connection, table, [name for name, kind in columns
                                       if kind in ("geometry", "geography")])  # fmt: skip
    plain = [entry for entry in columns if entry[1] not in ("geometry", "geography", "bytea")]
    asked = [_asked(*entry) for entry in plain]
    if shape is not None:
        where_is = _postgis(connection)
        asked.append(
            sql.SQL("{}({}({}({}::{})))").format(
                sql.Identifier(where_is, "st_asbinary"), sql.Identifier(where_is, "st_force2d"),
                sql.Identifier(where_is, "st_curvetoline"), sql.Identifier(shape.column),
                sql.Identifier(where_is, "geometry"),
            )
        )  # fmt: skip
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(asked), sql.Identifier(table.schema, table.name)
    )
    key = _key(connection, table)
    order = sql.SQL(" ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, key))) if key else sql.SQL("")  # fmt: skip
    rows, left = None, where
    if where:
        try:
            with connection.transaction():
                condition = sql.SQL(" WHERE (") + sql.SQL(where) + sql.SQL(")")
                rows, left = _all(connection, query + condition + order), None
        except psycopg.Error:
            rows = None
    if rows is None:
        rows = _all(connection, query + order)
    names = [str(name) for name, _ in plain]
    frame = pd.DataFrame({name: [row[at] for row in rows] for at, name in enumerate(names)})
    if shape is not None:
        shapes = shapely.from_wkb([row[len(names)] for row in rows])
        name = "geometry" if "geometry" not in names else "geometry_"
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=shape.crs).rename(name))
    if left:
        frame = frame[matching(pd.DataFrame(frame[names]), left)].reset_index(drop=True)
    return frame if key else _in_order(frame)


def _all(connection: psycopg.Connection[Any], query: Any) -> list[tuple[Any, ...]]:
    with connection.cursor(name="riskmap") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(query)
        return list(cursor)


def _asked(name: str, kind: str) -> Any:
    from psycopg import sql

    if kind in _KEPT:
        return sql.Identifier(name)
    wanted = "float8" if kind == "numeric" else "text"
    return sql.SQL("{}::{}").format(sql.Identifier(name), sql.Identifier(wanted))


def _postgis(connection: psycopg.Connection[Any]) -> str:
    """Name the schema in which PostGIS stands."""
    found = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
        "WHERE e.extname = 'postgis'"
    ).fetchone()
    return str(found[0]) if found else "public"


def _shape(
    connection: psycopg.Connection[Any], table: _Relation, columns: list[str]
) -> _Shape | None:
    """Choose the column of shapes, and tell their CRS."""
    from psycopg import sql

    if not columns:
        return None
    chosen = next((name for name in _GEOMETRY if name in columns), columns[0])
    where_is = _postgis(connection)
    found = connection.execute(
        sql.SQL("SELECT DISTINCT {}({}::{}) FROM {} WHERE {} IS NOT NULL LIMIT 3").format(
            sql.Identifier(where_is, "st_srid"), sql.Identifier(chosen),
            sql.Identifier(where_is, "geometry"), sql.Identifier(table.schema, table.name),
            sql.Identifier(chosen),
        )
    ).fetchall()  # fmt: skip
    srids = sorted(int(srid) for (srid,) in found)
    if len(srids) > 1:
        raise unusable(
            "mixed_crs",
            text("the table holds shapes in several coordinate systems: {srids}",
                 srids="、".join(map(str, srids))),
            text("bring them into one with ST_Transform, or give a view of one of them"),
        )  # fmt: skip
    srid = srids[0] if srids else 0
    known = connection.execute(
        sql.SQL("SELECT auth_name, auth_srid, srtext FROM {} WHERE srid = %s").format(
            sql.Identifier(where_is, "spatial_ref_sys")
        ),
        (srid,),
    ).fetchone()
    crs = None
    if known:
        crs = f"EPSG:{known[1]}" if str(known[0]).upper() == "EPSG" else str(known[2])
    return _Shape(chosen, crs)


def _key(connection: psycopg.Connection[Any], table: _Relation) -> list[str]:
    found = connection.execute(
        "SELECT a.attname FROM pg_index i "
        "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(n, o) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n "
        "WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.o",
        (table.oid,),
    ).fetchall()
    return [str(name) for (name,) in found]


def _in_order(frame: Any) -> Any:
    """Put rows without a key into the order of their content."""
    import pandas as pd

    parts = pd.DataFrame(
        {
            str(name): frame[name].map(lambda shape: "" if shape is None else shape.wkb_hex)
            if str(frame[name].dtype) == "geometry"
            else frame[name].astype("str")
            for name in frame.columns
        }
    )
    if not len(parts):
        return frame
    order = parts.sort_values(list(parts.columns), kind="stable").index
    return frame.loc[order].reset_index(drop=True)

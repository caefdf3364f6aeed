"""What the reading room takes and gives, and how it gathers what is wrong with rows."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.errors import LayerError, Problem
from riskmap.i18n import Text, both, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.vocabulary.roles import Role


@dataclass(frozen=True)
class FieldMap:
    """Where a role's field stands in one file, when the header aliases do not say."""

    column: str
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One file, sheet or layer that feeds a role."""

    path: Path
    """Absolute path, already checked to stay inside the project's tree."""
    shown: str
    """The path as the project file writes it; the only form that reaches an output."""
    database: str = ""
    """Address of a PostGIS database; ``path`` is the file that keeps what was read of it."""
    layer: str | None = None
    sheet: str | None = None
    where: str | None = None
    """SQL condition on a vector source, such as ``highway IS NOT NULL``."""
    datum: str = "auto"
    """``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``auto`` (the file's CRS, else WGS-84)."""
    crs: str | None = None
    encoding: str | None = None
    as_point: bool = False
    """Take a point inside each polygon or line, for roles whose objects are points."""
    fields: dict[str, FieldMap] = field(default_factory=dict)
    constants: dict[str, object] = field(default_factory=dict)
    """Values given to a field for every row, such as ``tier: village``."""
    direction: str | None = None
    """For roads: ``two_way``, ``digitised`` or ``oneway_field``."""
    demo: bool = False
    """True when every row of the file is made-up demo data."""


@dataclass(frozen=True, kw_only=True)
class UnitSpec:
    """One file or layer of administrative units."""

    path: Path
    shown: str
    database: str = ""
    layer: str | None = None
    sheet: str | None = None
    where: str | None = None
    level: str = "district"
    """A level of `riskmap.vocabulary.columns.UNIT_LEVELS`, or the column that holds it."""
    code: str | None = None
    """Column of the unit's code; without one the level and name make it."""
    name: str | None = None
    parent: str | None = None
    population: str | None = None
    elderly: str | None = None
    encoding: str | None = None
    crs: str | None = None
    datum: str = "auto"
    demo: bool = False


@dataclass(frozen=True)
class Sheet:
    """The cells of one sheet; row 1 of the office is ``cells[0]``."""

    name: str
    cells: Sequence[list[Any]]
    hidden: bool = False
    encoding: str = ""
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()
    """Ranges of joined cells: first and last row and column, from 0."""
    notes: tuple[Remark, ...] = ()
    units: tuple[tuple[int, str], ...] = ()
    """Columns, from 0, with the unit that their number format shows behind the number."""


@dataclass(frozen=True)
class Header:
    """Where the header stands and what it says."""

    last: int
    """Index of its last row."""
    names: list[str]
    fields: frozenset[str]
    """The fields that its names mean."""
    first: int = -1
    """Index of its first row."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What stands in one sheet or layer, as it was read and before any check."""

    table: pd.DataFrame
    """One column a header, index 0..n-1; cells as the file has them."""
    row: NDArray[np.int64]
    """Row numbers as the office counts them."""
    geometry: gpd.GeoSeries | None = None
    """Geometries in the file's own CRS, or None for a plain table."""
    sheet: str = ""
    encoding: str = ""
    osm: bool = False
    overflow: NDArray[np.bool_] | None = None
    """True where a row has more cells than the header."""
    notes: tuple[Remark, ...] = ()
    said: tuple[str, ...] = ()
    """What is written above and below the table."""
    unit: str = ""
    """Unit that stands above the table for all its numbers."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """Column to the unit that its number format shows."""
    joined: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    """Column to the rows whose cell was filled from cells joined downwards."""


@dataclass(frozen=True)
class Remark:
    """Something to say about a whole file, before it is known as a `Problem`."""

    rule: str
    message: Text
    mend: Text
    sheet: str = ""


@dataclass(frozen=True)
class Written:
    """Rows as the office wrote them, for those of which something is said."""

    header: tuple[str, ...]
    cells: Mapping[int, tuple[str, ...]]
    """Row number to its cells."""
    columns: Mapping[str, str]
    """Field to its heading."""


@dataclass(frozen=True)
class Source:
    """What one file gave: shown in reports and hashed in the manifest."""

    shown: str
    path: Path
    sheet: str
    encoding: str
    crs: str
    datum: str
    rows_in: int
    rows_used: int
    rows_returned: int
    written: Written | None = None
    """The returned rows, as they were handed in; never in the public edition."""


@dataclass(frozen=True)
class Raster:
    """One band of a raster in its own grid; NaN means unknown."""

    values: NDArray[np.float32]
    transform: tuple[float, float, float, float, float, float]
    """Affine coefficients a, b, c, d, e, f of `affine.Affine`."""
    crs: str
    unit: str = ""


def depth_tiles(grid: Grid, depth_m: Any, depths: tuple[Raster, ...] = ()) -> tuple[Raster, ...]:
    """Give the depth as rasters: its own where there are any, else that of the cells.

    Parameters
    ----------
    grid
        The grid that ``depth_m`` stands on.
    depth_m
        Depth on the cells, shape (ny, nx) [m], or None.
    depths
        Depth at its own resolution [m].

    Returns
    -------
    tuple of Raster
        Empty without water.
    """
    if depths or depth_m is None:
        return depths
    values = np.asarray(depth_m, np.float32)
    return (Raster(values, tuple(grid.transform)[:6], str(grid.crs)),)


@dataclass(frozen=True)
class Layer:
    """A checked layer of one role in the run's metric CRS."""

    role: str
    table: gpd.GeoDataFrame | None
    """Indexed by ``item_id``; columns are the role's fields, ``geometry``, ``coord_source`` and
    ``coord_method``; ``_file``, ``_sheet``, ``_row`` say whence."""
    rasters: tuple[Raster, ...] = ()
    sources: tuple[Source, ...] = ()
    returned: gpd.GeoDataFrame | None = None
    """Returned rows that lie somewhere, for telling what mending them would change."""
    beyond: gpd.GeoDataFrame | None = None
    """Rows outside the place, but within the role's reach of it: what they do counts inside (ways,
    cover, hazard, places), they stand in no list and no total. Same columns as `table`."""

    @property
    def rows_in(self) -> int:
        """Number of rows read."""
        return sum(source.rows_in for source in self.sources)

    @property
    def rows_used(self) -> int:
        """Number of rows used."""
        return sum(source.rows_used for source in self.sources)

    @property
    def rows_returned(self) -> int:
        """Number of rows returned with a reason."""
        return sum(source.rows_returned for source in self.sources)


def placed_rows(layers: Mapping[str, Layer], role: str) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    layer = layers.get(role)
    if layer is None or layer.table is None:
        return None
    placed = layer.table[layer.table.geometry.notna() & ~layer.table.geometry.is_empty]
    return None if placed.empty else placed


OUTSIDE: Final = "outside"
"""Column that is true for rows outside the place."""


def with_beyond(
    layers: Mapping[str, Layer], role: str, roles: Mapping[str, Role] | None
) -> gpd.GeoDataFrame | None:
    """Give the rows in use of a role, and behind them those that reach into the place from outside.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    GeoDataFrame or None
        With ``outside``, true for the latter, whose names say so too; None when there are none.
    """
    import pandas as pd

    inside, layer = rows_in_use(layers, role, roles), layers.get(role)
    if layer is None or layer.beyond is None or layer.beyond.empty:
        return inside
    beyond = layer.beyond
    used = rows_in_use({role: replace(layer, table=beyond)}, role, roles)
    if used is None:
        return inside
    names = [str(outside_name(name)) for name in filled(used, "name")]
    used = used.assign(**{OUTSIDE: True, "name": names})
    if inside is None:
        return used
    return pd.concat([inside.assign(**{OUTSIDE: False}), used])


def outside_name(name: object) -> Text:
    """Say behind a name that the thing lies outside the place.

    Parameters
    ----------
    name
        Its name, or None.

    Returns
    -------
    Text
        The name with the remark.

    Examples
    --------
    >>> str(outside_name("某学校"))
    '某学校（区外）'
    """
    return text("{name} (outside)", name=name or "")


def rows_in_use(
    layers: Mapping[str, Layer], role: str, roles: Mapping[str, Role] | None
) -> gpd.GeoDataFrame | None:
    """Give the rows of a role that lie somewhere and are not out of use.

    Parameters
    ----------
    layers
        The layers.
    role
        The role.
    roles
        The roles, which say what is out of use; None takes every row.

    Returns
    -------
    GeoDataFrame or None
        None when there are none.
    """
    rows = placed_rows(layers, role)
    if rows is None or roles is None:
        return rows
    used = rows[roles[role].in_use(rows).to_numpy(dtype=bool)]
    return None if used.empty else used


IN_TOWN: Final = text("placed in the town")
"""How a row was placed that says of its place no more than the town."""


def town_only(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows are known to their town only; their mark on the map is no place.

    Parameters
    ----------
    table
        Rows of a layer.

    Returns
    -------
    ndarray
        Shape (n,), boolean.
    """
    import numpy as np

    if "coord_method" not in table.columns:
        return np.zeros(len(table), dtype=bool)
    found: NDArray[np.bool_] = table["coord_method"].isin(both(IN_TOWN).values()).to_numpy(bool)
    return found


def filled(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column as objects with None for blanks, also where the column is missing.

    Parameters
    ----------
    table
        Rows.
    name
        Name of the column.

    Returns
    -------
    Series
        The entries; None where blank.

    Examples
    --------
    >>> import pandas as pd
    >>> filled(pd.DataFrame({"name": ["a", " ", None]}), "name").tolist()
    ['a', None, None]
    """
    import pandas as pd

    if name not in table.columns:
        return pd.Series([None] * len(table), index=table.index, dtype=object)
    column = table[name]
    entries = [
        None if blank or (isinstance(value, str) and not value.strip()) else value
        for value, blank in zip(column.astype(object), column.isna().to_numpy(bool), strict=True)
    ]
    return pd.Series(entries, index=table.index, dtype=object)


def numbers(table: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Take a column as numbers; NaN where it is blank or missing.

    Parameters
    ----------
    table
        The table.
    name
        The column.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    import pandas as pd

    if name not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def texts(table: pd.DataFrame, name: str) -> list[str]:
    """Take a column as texts; empty where it is blank or missing.

    Parameters
    ----------
    table
        The table.
    name
        The column.

    Returns
    -------
    list
        One text a row.
    """
    if name not in table:
        return [""] * len(table)
    return [str(value) for value in table[name].astype(object).where(table[name].notna(), "")]


SHOWN_ROWS = 10
SHOWN_CHARACTERS = 80
LISTED = 1000
"""Rows of one kind in one file that are listed one by one; the rest stand together, by number."""
_SPANS = 2000


class Findings:
    """The problems of one source and which of its rows are to be returned.

    Parameters
    ----------
    role
        Name of the role.
    file, sheet
        Where the rows stand, as shown.
    row
        Shape (n,): row numbers as the office counts them.
    """

    def __init__(self, role: str, file: str, sheet: str, row: NDArray[np.int64]) -> None:
        self.role = role
        self.file = file
        self.sheet = sheet
        self.row = row
        self.bad: NDArray[np.bool_] = np.zeros(len(row), dtype=bool)
        self.problems: list[Problem] = []

    def _problem(self, severity: Any, rule: str, message: Text, mend: Text, **where: Any) -> None:
        self.problems.append(
            Problem(
                severity=severity,
                role=self.role,
                rule=rule,
                message=message,
                mend=mend,
                file=self.file,
                sheet=self.sheet,
                **where,
            )
        )

    def returned(
        self,
        mask: NDArray[np.bool_],
        rule: str,
        message: Text | Sequence[Text],
        mend: Text,
        *,
        field: str = "",
        values: Any = None,
        kept: bool = False,
    ) -> None:
        """Return the rows where ``mask`` is true, with one problem each.

        Beyond the first `LISTED` the rows stand in one problem, so that a file of which every row
        is bad takes no more memory than one of which some are.

        Parameters
        ----------
        mask
            Shape (n,).
        rule
            Short stable code.
        message
            What is wrong; one for all, or one for each of the masked rows.
        mend
            How to mend it.
        field
            The column concerned.
        values
            Shape (n,): what the file has there.
        kept
            Whether the rows stay in use without this value; they go back to be corrected.
        """
        found = np.flatnonzero(mask)
        for position, index in enumerate(found[:LISTED]):
            said = message if isinstance(message, Text) else message[position]
            value = "" if values is None else shown_value(values[index])
            self._problem(
                "returned", rule, said, mend, row=int(self.row[index]), field=field, value=value
            )
        rest = self.row[found[LISTED:]]
        if len(rest):
            said = message if isinstance(message, Text) else text("as the rows before")
            whole = text(
                "{message} ({n} rows: {rows})", message=said, n=len(rest), rows=spans(rest)
            )
            self._problem(
                "returned", rule, whole, mend, row=int(rest[0]), field=field, count=len(rest)
            )
        if not kept:
            self.bad[found] = True

    def note(
        self, rule: str, message: Text, mend: Text, *, field: str = "", value: str = ""
    ) -> None:
        """Say something about the source as a whole.

        Parameters
        ----------
        rule
            Short stable code.
        message
            What is to be known.
        mend
            What can be done.
        field, value
            The column and value concerned.
        """
        self._problem("note", rule, message, mend, field=field, value=value)

    def noted(
        self,
        mask: NDArray[np.bool_],
        rule: str,
        message: Text,
        mend: Text,
        *,
        field: str = "",
        values: Any = None,
    ) -> None:
        """Say once that the rows where ``mask`` is true were used with a change.

        Parameters
        ----------
        mask
            Shape (n,).
        rule
            Short stable code.
        message
            What was changed.
        mend
            What can be done.
        field
            The column concerned.
        values
            Shape (n,): what the file has there; the first is shown.
        """
        found = np.flatnonzero(mask)
        if len(found) == 0:
            return
        value = "" if values is None else shown_value(values[found[0]])
        if len(found) == 1:
            row = int(self.row[found[0]])
            self._problem("note", rule, message, mend, row=row, field=field, value=value)
            return
        whole = text(
            "{message} ({n} rows: {rows})",
            message=message,
            n=len(found),
            rows=row_list(self.row[found]),
        )
        self._problem("note", rule, whole, mend, field=field, value=value)

    def each_noted(
        self,
        rows: NDArray[np.int64],
        rule: str,
        messages: Sequence[Text],
        mend: Text,
        *,
        field: str = "",
        values: Sequence[object] = (),
    ) -> None:
        """Say of each of some rows what is to be known of it; it stays in use.

        Parameters
        ----------
        rows
            Places of the rows; the first are the weightiest.
        rule
            Short stable code.
        messages
            One a row.
        mend
            What can be done.
        field
            The column concerned.
        values
            What each row has there.
        """
        for place, (row, message) in enumerate(zip(rows, messages, strict=True)):
            value = shown_value(values[place]) if len(values) else ""
            self._problem(
                "note", rule, message, mend, row=int(self.row[row]), field=field, value=value
            )


def shown_value(value: object) -> str:
    r"""Show a cell's content on one line, shortened.

    Parameters
    ----------
    value
        The content; missing values give an empty text.

    Returns
    -------
    str
        At most 80 characters without control characters.

    Examples
    --------
    >>> shown_value("a\nb"), shown_value(float("nan")), shown_value(3.0)
    ('a b', '', '3')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        value = int(value)
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return flat if len(flat) <= SHOWN_CHARACTERS else flat[: SHOWN_CHARACTERS - 1] + "…"


def row_list(rows: Sequence[int] | NDArray[np.int64]) -> str:
    """List row numbers, at most ten of them.

    Parameters
    ----------
    rows
        The numbers.

    Returns
    -------
    str
        Such as ``3, 5, 9 …``.

    Examples
    --------
    >>> row_list([3, 5]), row_list(range(12))
    ('3, 5', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 …')
    """
    listed = ", ".join(str(int(row)) for row in rows[:SHOWN_ROWS])
    return listed + (" …" if len(rows) > SHOWN_ROWS else "")


def spans(rows: Sequence[int] | NDArray[np.int64]) -> str:
    """List row numbers in a few words, runs as first and last.

    Parameters
    ----------
    rows
        Rising numbers.

    Returns
    -------
    str
        Such as ``3-5, 9``; an ellipsis after two thousand runs.

    Examples
    --------
    >>> spans([3, 4, 5, 9])
    '3-5, 9'
    """
    numbers = np.asarray(rows, dtype=np.int64)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    shown = [
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs[:_SPANS] if len(run)
    ]
    return ", ".join(shown) + (" …" if len(runs) > _SPANS else "")


def unusable(rule: str, message: Text, mend: Text, *, value: str = "") -> LayerError:
    """Make the error by which a source says that it cannot be used at all.

    Parameters
    ----------
    rule
        Short stable code.
    message
        What is wrong.
    mend
        How to mend it.
    value
        What the file has.

    Returns
    -------
    LayerError
        Holding one `Problem` without role and file, which the reader fills in.

    Examples
    --------
    >>> unusable("missing", text("no file"), text("add it")).problems[0].rule
    'missing'
    """
    problem = Problem("unusable", "", rule, message, mend, value=value)
    return LayerError(message, (problem,))


def problems_of(error: LayerError) -> tuple[Problem, ...]:
    """Give what a refused source is refused for; an error that names no problem is one itself.

    Parameters
    ----------
    error
        The refusal.

    Returns
    -------
    tuple of Problem
        At least one.
    """
    if error.problems:
        return tuple(error.problems)
    said = text("the file cannot be read")
    mend = text("open it in a GIS, save it as GeoPackage and give that file")
    return unusable("broken_file", said, mend, value=str(error)).problems


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Let what is refused inside name its file.

    Parameters
    ----------
    file
        Name of the file that is read.

    Raises
    ------
    LayerError
        As it was raised, with the name.
    """
    try:
        yield
    except LayerError as error:
        if not error.problems:
            raise
        told = tuple(one if one.file else replace(one, file=file) for one in error.problems)
        raise LayerError(text("{file}: it cannot be read", file=file), told) from error


def own_fault(error: Exception) -> Problem:
    """Make the problem by which a fault of the program stops one source and not the run.

    Parameters
    ----------
    error
        What went wrong.

    Returns
    -------
    Problem
        Unusable, without role and file.
    """
    return Problem(
        severity="unusable",
        role="",
        rule="own_fault",
        message=text("the program failed on this file; the other layers go on"),
        mend=text("save the layer as GeoPackage or .xlsx again; tell the maintainers"),
        value=f"{type(error).__name__}: {error}"[:200],
    )


_SAID: Final[tuple[tuple[str, Text], ...]] = (
    ("Ring Self-intersection", text("an outline touches itself")),
    ("Self-intersection", text("an outline crosses itself")),
    ("Hole lies outside shell", text("a hole lies outside its area")),
    ("Holes are nested", text("holes lie in one another")),
    ("Nested shells", text("areas lie in one another")),
    ("Nested holes", text("holes lie in one another")),
    ("Interior is disconnected", text("a hole cuts the area in two")),
    ("Too few points", text("too few points for a line or an area")),
    ("Duplicate Rings", text("an outline is there twice")),
    ("Invalid Coordinate", text("a coordinate is no number")),
    ("Ring is not closed", text("an outline is not closed")),
    ("not recognized as being in a supported file format", text("the kind of file is not known")),
    ("not recognized as a supported", text("the kind of file is not known")),
    ("No such file", text("the file is not there")),
    ("does not exist", text("the file or the layer is not there")),
    ("Permission denied", text("the file may not be read")),
    ("database disk image is malformed", text("the GeoPackage is damaged")),
    ("file is not a database", text("this is no GeoPackage")),
    ("file is encrypted or is not a database", text("this is no GeoPackage")),
    ("database is locked", text("the file is open in another program")),
    ("Unable to open", text("the file cannot be opened")),
    ("Could not open", text("the file cannot be opened")),
    ("Failed to read", text("the file is damaged or cut off")),
    ("Unexpected EOF", text("the file is cut off")),
    ("unexpected end", text("the file is cut off")),
    ("IReadBlock failed", text("a part of the raster is damaged")),
    ("Read error", text("a part of the raster is damaged")),
    ("GeoJSON parsing error", text("the GeoJSON is damaged")),
    ("JSON parsing error", text("the GeoJSON is damaged")),
    ("SQL Expression Parsing Error", text("the condition is written wrongly")),
    ("no such column", text("the condition names a column that is not there")),
    ("not recognised as an available field", text("the condition names a field that is not there")),
    ("XML", text("the XML is damaged")),
    ("Zip", text("the archive is damaged")),
    ("zip", text("the archive is damaged")),
)


def library_words(said: str) -> Text | str:
    """Put a complaint of a library into our words; its place in brackets stays.

    Parameters
    ----------
    said
        What it says, in English.

    Returns
    -------
    Text or str
        Our words; its own where it is something rare.

    Examples
    --------
    >>> str(library_words("Self-intersection[117.1 36.2]"))
    '边界自相交 [117.1 36.2]'
    """
    ours = next((words for theirs, words in _SAID if theirs in said), None)
    if ours is None:
        return said
    at = re.search(r"\[[-\d. eE]+\]\s*$", said)
    return text("{words} {place}", words=ours, place=at.group(0)) if at else ours


def in_words(said: Iterable[str]) -> NDArray[np.object_]:
    """Put many complaints into our words.

    Parameters
    ----------
    said
        What a library says of each row.

    Returns
    -------
    ndarray
        Texts of the current language, of the same length.
    """
    return np.array([str(library_words(str(one))) for one in said], dtype=object)


MOST_ROWS: Final = 2000
"""Rows kept of one file; more than that is no list to mend by hand."""
_MOST_COLUMNS: Final = 60


def written_rows(
    rows: Rows, problems: Iterable[Problem], columns: Mapping[str, str]
) -> Written | None:
    """Keep the returned rows of a source as they were handed in.

    Parameters
    ----------
    rows
        What stands in the file.
    problems
        What is said of its rows.
    columns
        Field to the heading of its column.

    Returns
    -------
    Written or None
        None when no row is returned.
    """
    told = {p.row for p in problems if p.severity == "returned" and p.row is not None}
    if not told:
        return None
    places = np.flatnonzero(np.isin(rows.row, np.fromiter(told, np.int64, len(told))))[:MOST_ROWS]
    table = rows.table.iloc[places, :_MOST_COLUMNS]
    cells = {
        int(rows.row[place]): tuple("" if _blank(value) else shown_value(value) for value in values)
        for place, values in zip(places, table.itertuples(index=False, name=None), strict=True)
    }
    return Written(tuple(map(str, table.columns)), cells, dict(columns))


def _blank(value: object) -> bool:
    return value is None or value is pd.NA or value != value


def matching(table: pd.DataFrame, where: str) -> np.ndarray:
    """Tell which rows fulfil an SQL condition.

    Parameters
    ----------
    table
        Shape (n, columns): cells; columns are named in the condition as they are headed.
    where
        Such as ``名称 = '甲桥' AND 积水深度 > 0.3``.

    Returns
    -------
    ndarray
        Shape (n,).

    Raises
    ------
    LayerError
        When it is no condition over these columns.

    Examples
    --------
    >>> matching(pd.DataFrame({"水深": ["0.3", "0.5"]}), "水深 > 0.4").tolist()
    [False, True]
    """
    with closing(sqlite3.connect(":memory:")) as base:
        labels = [str(column).replace('"', '""') for column in table.columns]
        columns = ", ".join(f'"{label}" NUMERIC' for label in labels)
        try:
            base.execute(f"CREATE TABLE rows ({columns})")
            marks = ", ".join("?" * len(labels))
            cells = (tuple(_sql_value(value) for value in row) for row in table.to_numpy(object))
            base.executemany(f"INSERT INTO rows VALUES ({marks})", cells)  # noqa: S608
            base.set_authorizer(_only_reading)
            found = base.execute(f"SELECT rowid FROM rows WHERE {where}").fetchall()  # noqa: S608
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise unusable(
                "where",
                text("the condition cannot be applied: {where}", where=where),
                text(
                    "name existing columns, as in SQL; the columns are: {columns}",
                    columns=", ".join(map(str, table.columns[:30])),
                ),
                value=str(library_words(str(error))),
            ) from error
    mask = np.zeros(len(table), dtype=bool)
    mask[[row - 1 for (row,) in found]] = True
    return mask


def _only_reading(action: int, *_: object) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _sql_value(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        return value.item() if isinstance(value, np.generic) else value
    return str(value).strip() or None

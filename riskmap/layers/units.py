"""Administrative units of all levels, with their parents."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from riskmap.errors import LayerError, Problem
from riskmap.i18n import Text, text
from riskmap.layers.check import normal_names
from riskmap.layers.layer import (
    Findings,
    Rows,
    Source,
    UnitSpec,
    own_fault,
    problems_of,
    unusable,
    written_rows,
)
from riskmap.layers.place.evidence import FORMER, known_outlines
from riskmap.layers.place.points import locate_shapes, locate_table
from riskmap.layers.read.foreign import read_parcels
from riskmap.layers.read.layer import at_hand, check_file, open_tables
from riskmap.layers.read.table import TEXTS, WORKBOOKS
from riskmap.layers.read.values import parse_codes, parse_numbers, parse_text, plain
from riskmap.layers.read.vector import read_vector
from riskmap.layers.unit_shapes import (
    SKETCH,
    column_field,
    draw_areas,
    drop_repeated,
    find_parents,
    find_strays,
    measure_fit,
    repair_units,
    same_header,
    unit_points,
)
from riskmap.vocabulary.columns import (
    LEVEL,
    NAME,
    PARENT_ID,
    POPULATION,
    UNIT_ID,
    UNIT_LEVELS,
    WGS84,
    parse_header,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from shapely import Geometry


def unit_sources(
    read: Sequence[tuple[UnitSpec, Rows, int]],
    kept: pd.Series[Any],
    used: pd.Series[Any],
    problems: Sequence[Problem] = (),
) -> tuple[Source, ...]:
    """Count the rows of units by file and sheet.

    Parameters
    ----------
    read
        What was read, with the number of rows returned by the checks of the row alone.
    kept
        Place in ``read`` of every row that passed those checks.
    used
        The same of every row that is used; the others repeat one and are returned.
    problems
        What is said of the rows.

    Returns
    -------
    tuple of Source
        One a file and sheet.
    """
    return tuple(
        Source(
            shown=spec.shown,
            path=spec.path,
            sheet=rows.sheet,
            encoding=rows.encoding,
            crs="" if rows.geometry is None else str(rows.geometry.crs or ""),
            datum="",
            rows_in=len(rows.table),
            rows_used=int((used == place).sum()),
            rows_returned=bad + int((kept == place).sum()) - int((used == place).sum()),
            written=written_rows(
                rows, [p for p in problems if (p.file, p.sheet) == (spec.shown, rows.sheet)], {}
            ),
        )
        for place, (spec, rows, bad) in enumerate(read)
    )


ROLE_NAME: Final = "unit"
ELDERLY: Final = "elderly"
COLUMNS: Final = (PARENT_ID, LEVEL, NAME, POPULATION, ELDERLY, SKETCH, "_file", "_sheet", "_row")
_LEVEL_WORDS: Final = {
    "district": ("district", "county", "县区", "区县", "县", "区", "市辖区", "县级"),
    "town": (
        "municipality",
        "town",
        "township",
        "street",
        "镇街",
        "乡镇",
        "街道",
        "镇",
        "乡",
        "乡级",
        "乡镇街道",
        "镇（街道）",
    ),
    "village": (
        "village",
        "community",
        "村",
        "社区",
        "村社区",
        "行政村",
        "村居",
        "村级",
        "村（社区）",
    ),
    "grid_duty_area": ("grid_duty_area", "grid", "网格", "责任网格"),
    "custom": ("hexagon", "custom", "自定义", "功能区"),
}
_WKT: Final = ("wkt", "geometry", "geom", "the_geom")


def read_units(
    specs: Sequence[UnitSpec], *, outline: Callable[[], Geometry | None] | None = None
) -> tuple[gpd.GeoDataFrame, tuple[Source, ...], list[Problem]]:
    """Read the administrative units of all levels.

    A unit without a parent gets the one in the next coarser level that holds a point inside it. A
    unit that is a point gets the land nearest to it.

    Parameters
    ----------
    specs
        One for each file or layer.
    outline
        Gives the outline of the place in EPSG:4326, if there is one; asked only for such points.

    Returns
    -------
    tuple of GeoDataFrame, tuple of Source and list of Problem
        Units in EPSG:4326, indexed by ``unit_id`` (text), columns parent_id, level, name,
        population (NaN = unknown), sketch (True where the area is no boundary), _file, _sheet, _row
        and geometry; coarse levels first, then by id;
        a `Source` for each file and sheet; what is wrong.
    """
    problems: list[Problem] = []
    frames: list[gpd.GeoDataFrame] = []
    read: list[tuple[UnitSpec, Rows, int]] = []
    for spec in specs:
        try:
            for rows in _open(spec):
                if not len(rows.table) and rows.sheet:
                    continue  # a sheet that is not filled in
                findings = Findings(ROLE_NAME, spec.shown, rows.sheet, rows.row)
                for remark in rows.notes:
                    findings.note(remark.rule, remark.message, remark.mend)
                frames.append(_read_one(rows, spec, findings).assign(_part=len(read)))
                read.append((spec, rows, int(findings.bad.sum())))
                problems += findings.problems
        except LayerError as error:
            problems += [replace(p, role=ROLE_NAME, file=spec.shown) for p in problems_of(error)]
        except Exception as error:
            if os.environ.get("RISKMAP_DEBUG"):
                raise
            problems.append(replace(own_fault(error), role=ROLE_NAME, file=spec.shown))
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return empty_units(), (), problems
    units = gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=WGS84)
    parts = units["_part"]
    west, _, east, _ = units.total_bounds
    if east - west > 180.0:
        problems.append(_across(units))
        return empty_units(), (), problems
    units = drop_repeated(units, problems)
    problems += find_strays(units)
    units = draw_areas(units, problems, outline=outline)
    used = units["_part"]
    order = {name: index for index, name in enumerate(UNIT_LEVELS)}
    units = units.assign(_order=units[LEVEL].map(order)).sort_values(
        ["_order", UNIT_ID], kind="stable"
    )
    units = units.drop(columns="_order").set_index(UNIT_ID)
    units[PARENT_ID] = find_parents(units, problems)
    problems += measure_fit(units)
    units = units[[*COLUMNS, FORMER, "geometry"]]
    unused = [name for name in (ELDERLY, FORMER) if units[name].isna().all()]
    units = units.drop(columns=unused)
    return units, tuple(unit_sources(read, parts, used, problems)), problems


def _across(units: gpd.GeoDataFrame) -> Problem:
    return Problem(
        "unusable",
        ROLE_NAME,
        "antimeridian",
        text("the units lie on both sides of the 180° meridian; that is not supported"),
        text("if they do not, look for a unit with a wrong longitude; else split the project"),
        file=str(units["_file"].iloc[0]),
    )


def empty_units() -> gpd.GeoDataFrame:
    """Give a table of units that has no row.

    Returns
    -------
    GeoDataFrame
        With all columns.
    """
    columns = {name: pd.Series(dtype="str") for name in COLUMNS}
    columns |= {name: pd.Series(dtype=np.float64) for name in (POPULATION, ELDERLY)}
    columns[SKETCH] = pd.Series(dtype=bool)
    frame = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=WGS84), crs=WGS84)
    return frame.rename_axis(UNIT_ID)


def _open(spec: UnitSpec) -> list[Rows]:
    spec = at_hand(spec, "polygon")
    check_file(spec.path)
    suffix = spec.path.suffix.lower()
    if suffix == ".txt" and (parcels := read_parcels(spec.path, spec.encoding)) is not None:
        return [parcels]
    if suffix in WORKBOOKS or suffix in TEXTS:
        named = [*_asked(spec), *_WKT]
        return open_tables(spec, lambda header: _named(header, named) or column_field(header))
    rows = read_vector(
        spec.path,
        geometry="polygon",
        layer=spec.layer,
        where=spec.where,
        encoding=spec.encoding,
        keys=_asked(spec),
    )
    return [replace(rows, sheet="") if spec.database else rows]


def _asked(spec: UnitSpec) -> list[str]:
    """List the columns that the project file names."""
    names = (spec.code, spec.name, spec.parent, spec.population, spec.elderly, spec.level)
    return [name for name in names if name]


def _named(header: str, names: Sequence[str]) -> str | None:
    """Find the name, among those of the project file, that a header bears."""
    exact = [name for name in names if plain(header).casefold() == name.casefold()]
    return next(iter(exact), None) or next((n for n in names if same_header(header, n)), None)


def _column(table: pd.DataFrame, name: str | None, what: Any) -> pd.Series | None:
    """Return the named column; an unknown name makes the layer unusable."""
    if name is None:
        return None
    lower = {str(column).casefold(): column for column in table.columns}
    near = [column for column in table.columns if same_header(str(column), name)]
    if name.casefold() not in lower and near:
        return table[near[0]]
    if name.casefold() not in lower:
        raise unusable(
            "unknown_column",
            text("there is no column {column} for the field {field}", column=name, field=what),
            text("the columns are: {columns}", columns=", ".join(map(str, table.columns))),
        )
    return table[lower[name.casefold()]]


def _read_one(rows: Rows, spec: UnitSpec, findings: Findings) -> gpd.GeoDataFrame:
    """Read one source of units; bad rows are returned."""
    table = rows.table
    if not len(table):
        raise unusable(
            "empty_layer", text("the layer holds no row"), text("send a layer with rows")
        )
    spec = _usual_columns(table, spec, findings)
    level = _levels(table, spec, findings)
    names = _column(table, spec.name, text("name"))
    name = (
        parse_text(names).column
        if names is not None
        else pd.Series(np.nan, index=table.index, dtype="str")
    )
    codes = _codes(table, spec, findings)
    blank = name.isna().to_numpy()
    findings.noted(
        blank & codes.notna().to_numpy(),
        "no_name",
        text("units without a name show their code"),
        text("fill in the name"),
    )
    name = name.fillna(codes)
    parents = _column(table, spec.parent, text("parent"))
    parent = (
        parse_codes(parents).column
        if parents is not None
        else pd.Series(np.nan, index=table.index, dtype="str")
    )
    codes = codes.where(codes.notna(), _own_codes(level, name, parent))
    findings.returned(
        codes.isna().to_numpy() & ~findings.bad,
        "required",
        text("the unit has neither code nor name"),
        text("fill it in"),
    )
    spec = _by_source(spec, table, findings)
    shapes = _shapes(rows, spec, findings)
    frame = gpd.GeoDataFrame(
        {
            UNIT_ID: codes,
            PARENT_ID: parent,
            LEVEL: level,
            NAME: name,
            POPULATION: _people(table, spec.population, text("population"), findings),
            ELDERLY: _people(table, spec.elderly, text("elderly people"), findings),
            FORMER: _former(table),
            "_parent": parent,
            "_file": spec.shown,
            "_sheet": rows.sheet,
            "_row": rows.row,
        },
        geometry=shapes,
        crs=WGS84,
    )
    return frame[~findings.bad]


_FORMER: Final = (
    "曾用名",
    "原名",
    "原名称",
    "别名",
    "旧称",
    "旧名",
    "former_name",
    "old_name",
    "alt_name",
)


def _former(table: pd.DataFrame) -> pd.Series:
    """Take former and other names of units, by which ledgers may still call them."""
    held = {plain(str(column)).casefold(): column for column in table.columns}
    column = next((held[name] for name in _FORMER if name in held), None)
    if column is None:
        return pd.Series(np.nan, index=table.index, dtype="str")
    return parse_text(table[column]).column


_NAMES: Final = """
名称 mc xzqmc 行政区名称 行政区划名称 区划名称 村名 村名称 村社区名称 社区名称 行政村名称
镇名 乡镇名称 街道名称 镇街名称 县名 县区名称 区县名称
xzcmc cunmc czmc xzmc qxmc xmc zldwmc qsdwmc cname name_chn
name_zh nl_name_4 nl_name_3 nl_name_2 nl_name_1 name_4 name_3 name_2 name_1 dt_name ct_name pr_name
"""
_CODES: Final = """
代码 编码 行政区划代码 行政区代码 区划代码 xzqdm xzqhdm qhdm zldwdm qsdwdm adcode pac gbcode xzdm
xzcdm dt_adcode ct_adcode pr_adcode code_gb xian citycode
"""
_USUAL: Final = {"name": tuple(_NAMES.split()), "code": tuple(_CODES.split())}
"""Headings of names and codes of units in national and municipal data, the usual first."""


def _usual_columns(table: pd.DataFrame, spec: UnitSpec, findings: Findings) -> UnitSpec:
    """Find name and code under their usual headings where the project file names none."""
    held = {plain(str(column)).casefold(): str(column) for column in table.columns}
    if not held:
        raise unusable(
            "no_attributes",
            text("the file holds outlines without names, codes or other columns"),
            text("give the layer that has them, or add columns of name and code in a GIS"),
        )
    changed: dict[str, Any] = {}
    for key, words in _USUAL.items():
        named = getattr(spec, key)
        if named != key or any(same_header(column, key) for column in held.values()):
            continue  # named by the project file, or there
        found = next((held[w] for w in words if w in held and _tells(table[held[w]])), None)
        if found is not None:
            changed[key] = found
            findings.note(
                "usual_column",
                text(
                    "column {column} was taken as the {field} of the units",
                    column=found, field=text("name") if key == "name" else text("code"),
                ),
                text("give name: or code: for units if this is wrong"),
                field=found,
            )  # fmt: skip
        elif key == "code" and ("name" in changed or spec.name):
            changed[key] = None
    return replace(spec, **changed)


def _tells(column: pd.Series) -> bool:
    """Tell whether a column is filled in and tells most rows apart."""
    entries = column.dropna().astype("str").str.strip()
    return int(entries[entries != ""].nunique()) > len(column) // 2


def _by_source(spec: UnitSpec, table: pd.DataFrame, findings: Findings) -> UnitSpec:
    """Take the datum of outlines from the service that they are from, where none is declared."""
    columns = [str(column) for column in table.columns]
    source = known_outlines(Path(spec.shown).name, columns)
    if source is None or spec.datum != "auto" or spec.crs is not None:
        return spec
    findings.note(
        "datum_from_source",
        text("taken as {datum}, by the service that the outlines are from", datum=source),
        text("if they were converted already, give datum: wgs84 for units"),
    )
    return replace(spec, datum=source)


def _own_codes(level: pd.Series, name: pd.Series, parent: pd.Series) -> pd.Series:
    """Make codes of units that have none: the level, the parent as written, the name."""
    under = normal_names(parent)
    plain_name = normal_names(name)
    own = level + ":" + (under + "/").where(under != "", "") + plain_name
    return own.where(name.notna())


def _shapes(rows: Rows, spec: UnitSpec, findings: Findings) -> gpd.GeoSeries:
    """Return repaired outlines; points, or nothing, where a table has no outlines."""
    if rows.geometry is not None:
        return repair_units(locate_shapes(rows.geometry, spec, findings).geometry, findings)
    wkt = next((column for column in rows.table.columns if str(column).casefold() in _WKT), None)
    if wkt is None:
        points = unit_points(rows.table, spec, findings)
        nothing = gpd.GeoSeries([None] * len(rows.table), index=rows.table.index, crs=WGS84)
        return nothing if points is None else points
    found = locate_table(rows.table, {"wkt": (str(wkt), None)}, spec, findings)  # type: ignore[arg-type]
    return repair_units(found.geometry, findings)


def _levels(table: pd.DataFrame, spec: UnitSpec, findings: Findings) -> pd.Series:
    """Return the level of each unit, fixed or from a column."""
    if spec.level in UNIT_LEVELS:
        return pd.Series(spec.level, index=table.index, dtype="str")
    column = _column(table, spec.level, text("level"))
    words = {
        plain(word).casefold(): level for level, group in _LEVEL_WORDS.items() for word in group
    }
    cells = column if column is not None else pd.Series("", index=table.index)
    found = cells.map(lambda cell: words.get(plain(cell).casefold()))
    findings.returned(
        found.isna().to_numpy(),
        "level",
        text("this is no level of units"),
        text("write one of: {names}", names=", ".join(UNIT_LEVELS)),
        field=spec.level,
        values=cells.to_numpy(dtype=object),
    )
    return found.astype("str")


def _codes(table: pd.DataFrame, spec: UnitSpec, findings: Findings) -> pd.Series:
    column = _column(table, spec.code, text("code"))
    if column is None:
        return pd.Series(np.nan, index=table.index, dtype="str")
    parsed = parse_codes(column.astype(object))
    values = column.to_numpy(dtype=object)
    findings.returned(
        parsed.bad == "code_float",
        "code_float",
        text("this code was turned into a rounded number and its last digits are lost"),
        text("format the column as text and enter the code again"),
        field=spec.code or "",
        values=values,
    )
    findings.noted(
        parsed.changed == "code",
        "code",
        text("codes stored as numbers were turned back into text"),
        text("format the column as text"),
        field=spec.code or "",
        values=values,
    )
    return pd.Series(parsed.column)


def _people(
    table: pd.DataFrame, named: str | None, what: Text, findings: Findings
) -> NDArray[np.float64]:
    """Return numbers of people; what is none is unknown."""
    column = _column(table, named, what)
    if column is None:
        return np.full(len(table), np.nan)
    unit = parse_header(str(column.name))[1]
    parsed = parse_numbers(column, unit="person", header_unit=unit, upper=True)
    numbers = parsed.column.to_numpy(dtype=np.float64)
    below = numbers < 0.0
    written = column.to_numpy(dtype=object)
    findings.noted(
        (parsed.bad != "") & ~below,
        "population",
        text("this is not a number of people; taken as unknown"),
        text("write the number alone"),
        field=named or "",
        values=written,
    )
    findings.returned(
        below & ~findings.bad,
        "population_negative",
        text("fewer people than none is an error; the unit stays, its people are unknown"),
        text("correct the number, or leave it blank where it is not known"),
        field=named or "",
        values=written,
        kept=True,
    )
    return np.where((parsed.bad != "") | below, np.nan, numbers)

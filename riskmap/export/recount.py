"""What stands in two papers is one figure: workbooks and page against the GeoPackage."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from riskmap.export.geopackage.read import CHECKS
from riskmap.export.witness import letters, sheets_of_book
from riskmap.export.workbook.books import (
    FILES,
    FRONT_SHEET,
    NOTE_HEADINGS,
    PRESET_HEADINGS,
    preset_rows,
)
from riskmap.export.workbook.sheet import sheet_name
from riskmap.export.workbook.tables import (
    DUTY_TABLES,
    OWN_TABLES,
    YES_NO,
    class_names,
    printed_decimals,
)
from riskmap.files import CONTROL, GAPS, LIST
from riskmap.i18n import Text, both, current_language, text
from riskmap.vocabulary.columns import unit_label
from riskmap.vocabulary.presets import Preset

if TYPE_CHECKING:
    from pathlib import Path

Frames = Mapping[str, pd.DataFrame]
_MOST: Final = 20
"""Cells that are named for each column of a table."""
_ENOUGH: Final = 0.6
"""A row is the heading of a table when it names so much of its columns."""
_NEAR: Final = 1e-9
_LISTS: Final = {LIST: "items", CONTROL: "control", GAPS: "sources"}
"""Workbook to the table of its first sheet."""
_SOURCE: Final = ("source", "edition", "clause")
_PLAN: Final = re.compile(r"plan_([a-z]+)_\w+")
_SHARED: Final = {"plans": "plan", CHECKS: "check"}
"""Table with the rows of several sheets to the column that says of which."""
_KEYS: Final = (("item_id",), ("key",), ("scenario", "unit_id"))
"""Columns that name a row."""


def _is_blank(value: Any) -> bool:
    return value is None or value == "" or value is pd.NaT or value != value


@dataclass(frozen=True)
class _Words:
    """Headings and codes of one table of the package, as it tells them itself."""

    columns: Mapping[str, str]
    """Heading to column."""
    codes: Mapping[str, Mapping[str, str]]
    """Column to its codes and their words."""


def _words_of(found: Frames) -> dict[str, _Words]:
    """Read what the package says of its own columns."""
    if "gpkg_data_columns" not in found:
        return {}
    lists: dict[str, dict[str, str]] = {}
    for row in found["gpkg_data_column_constraints"].to_dict("records"):
        lists.setdefault(row["constraint_name"], {})[str(row["value"])] = str(row["description"])
    out: dict[str, _Words] = {}
    for table, rows in found["gpkg_data_columns"].groupby("table_name"):
        named = zip(rows["column_name"], rows["constraint_name"], strict=True)
        codes = {str(name): lists[kind] for name, kind in named if kind in lists}
        out[str(table)] = _Words(dict(zip(rows["title"], rows["column_name"], strict=True)), codes)
    return out


@dataclass(frozen=True)
class _Part:
    """One table on a sheet."""

    sheet: str
    top: int
    """Row of the headings, from 0."""
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]


def _parts(path: Path) -> Iterator[tuple[_Part, ...]]:
    """Part every sheet at its blank rows; the headings are one of the first rows of a part."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        if name in both(FRONT_SHEET).values():
            continue
        cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        at = 0
        while at < len(cells):
            below = at
            while below < len(cells) and any(cell != "" for cell in cells[below]):
                below += 1
            yield tuple(_part(name, cells[at:below], top, at) for top in range(min(4, below - at)))
            at = below + 1


def _part(sheet: str, cells: Sequence[Sequence[Any]], top: int, at: int) -> _Part:
    heads = [str(cell) for cell in itertools.takewhile(lambda cell: cell != "", cells[top])]
    return _Part(sheet, at + top, heads, [row[: len(heads)] for row in cells[top + 1 :]])


def book_faults(folder: Path, found: Frames) -> list[str]:
    """Compare the workbooks, cell by cell, with the tables that they were written from.

    Parameters
    ----------
    folder
        Folder of outputs.
    found
        Tables of the GeoPackage by name.

    Returns
    -------
    list of str
        One message a cell that says another thing than the package.
    """
    words = _words_of(found)
    sizes = {name: len(table) for name, table in found.items()}
    faults: list[str] = []
    for file, start, names in _books(found):
        if not (folder / file).is_file():
            faults.append(str(text("{file} is missing or cannot be read", file=file)))
            continue
        seen = set()
        for part in itertools.chain.from_iterable(_parts(folder / file)):
            where = f"{file} {part.sheet}"
            table = _table_of(part, names, words, sizes)
            if table:
                seen.add(table)
                rows = found
                if table in _SHARED:
                    plan = start.removeprefix("plan_").rstrip("_")
                    owner = _checks()[part.sheet] if table == CHECKS else plan
                    rows = {**found, table: found[table][found[table][_SHARED[table]] == owner]}
                faults += _compare(where, part, table, rows, words[table])
            elif _is_guide(part, NOTE_HEADINGS):
                faults += _notes(where, part, found)
            elif _is_guide(part, PRESET_HEADINGS):
                faults += _presets(where, part, found)
        gone = [name for name in found if name.startswith(start) and name not in seen]
        faults += [str(text("{where}: the table is new or gone", where=f"{file} {name}"))
                   for name in gone]  # fmt: skip
    return faults + _kept_faults(folder, found)


def _checks() -> dict[str, str]:
    """Name the check of every sheet that holds one."""
    return {sheet_name(str(label), ()): name for name, label in DUTY_TABLES.items()}


def _is_guide(part: _Part, headings: Sequence[Text]) -> bool:
    """Tell whether a part is the list of notes or of presets."""
    said = [str(label) for label in headings]
    return part.headings == said or (headings is NOTE_HEADINGS and part.headings in [
        [one] for one in said])  # fmt: skip


def _books(names: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Name every workbook, how the names of its own tables begin, and what may stand on it."""
    known = list(names)
    plans = sorted({plan[1] for name in known if (plan := _PLAN.fullmatch(name))})
    books = {FILES.get(plan, f"{plan}.xlsx"): f"plan_{plan}_" for plan in plans}
    for file, start in [*_LISTS.items(), *books.items()]:
        mine = [name for name in known if name.startswith(start)]
        mine += ["plans"] if file in books else [*OWN_TABLES, "unit_scenarios"]
        mine += [CHECKS] if file == CONTROL else []
        mine += ["presets"] if file == GAPS else []
        yield file, start, mine


KEPT: Final = "paper_rows"
"""Table of the package with the rows of the workbooks that stand in no other of its tables: titles,
sentences, counts to sign, rows that were returned."""
_LONG: Final = 2000
"""Sheets of so many rows are compared with their table alone."""
_NAMES: Final = ("gpkg_data_columns", "gpkg_data_column_constraints")


def keep_rows(folder: Path, package: Path) -> None:
    """Write into the package what the workbooks say and no other of its tables holds.

    Parameters
    ----------
    folder
        Folder with the workbooks.
    package
        The GeoPackage, whose table `KEPT` is empty yet.
    """
    with closing(sqlite3.connect(package)) as base, base:
        frames = {name: pd.read_sql(f"SELECT * FROM {name}", base) for name in _NAMES}  # noqa: S608
        sizes = dict(base.execute("SELECT table_name, feature_count FROM gpkg_ogr_contents"))
        rows = list(_loose_rows(folder, _words_of(frames), sizes))
        base.executemany(f"INSERT INTO {KEPT} (file, sheet, row, cells) VALUES (?, ?, ?, ?)", rows)  # noqa: S608


def _loose_rows(
    folder: Path, words: Mapping[str, _Words], sizes: Mapping[str, int]
) -> Iterator[tuple[str, str, int, str]]:
    """List the rows of the workbooks that are not compared with a table, their cells as JSON."""
    for file, _, names in _books(sizes):
        path = folder / file
        if not path.is_file():
            continue
        held: dict[str, set[int]] = {}
        for part in itertools.chain.from_iterable(_parts(path)):
            if file == GAPS or len(part.rows) < _LONG:
                continue  # small sheets are kept whole: they say more of a row than its table
            if (
                _table_of(part, names, words, sizes)
                or _is_guide(part, NOTE_HEADINGS)
                or _is_guide(part, PRESET_HEADINGS)
            ):
                rows = range(part.top + 1, part.top + 1 + len(part.rows))
                held.setdefault(part.sheet, set()).update(rows)
        for sheet, _, cells in sheets_of_book(path):
            known = held.get(sheet, set())
            for at, row in enumerate(cells):
                if at not in known and any(cell != "" for cell in row):
                    yield file, sheet, at + 1, json.dumps(row, ensure_ascii=False, default=str)
        if file == LIST:
            yield from _formulas(path)


def _formulas(path: Path) -> Iterator[tuple[str, str, int, str]]:
    """List the formulas of the sheet to sign: what a spreadsheet will count there."""
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    for name in set(both(FRONT_SHEET).values()) & set(book.sheetnames):
        for at, row in enumerate(book[name].iter_rows(values_only=True), start=1):
            said = [cell if isinstance(cell, str) and cell[:1] == "=" else "" for cell in row]
            if any(said):
                yield path.name, f"{name} =", at, json.dumps(said, ensure_ascii=False)
    book.close()


def _kept_faults(folder: Path, found: Frames) -> list[str]:
    """Compare titles, sentences and returned rows with those that the package keeps."""
    if KEPT not in found:
        return [str(text("{where}: the table is new or gone", where=KEPT))]
    sizes = {name: len(table) for name, table in found.items()}
    told = {(row["file"], row["sheet"], int(row["row"])): json.loads(row["cells"])
            for row in found[KEPT].to_dict("records")}  # fmt: skip
    loose = _loose_rows(folder, _words_of(found), sizes)
    given = {(file, sheet, row): json.loads(cells) for file, sheet, row, cells in loose}
    faults: list[str] = []
    for key in sorted({*told, *given}):
        one, other = given.get(key, []), told.get(key, [])
        for place in range(max(len(one), len(other))):
            said, meant = (row[place] if place < len(row) else "" for row in (one, other))
            if said != meant:
                cell = _Cell(f"{letters(place)}{key[2]}", said)
                faults.append(_differs(f"{key[0]} {key[1]}", cell, KEPT, meant))
    return faults


def _table_of(
    part: _Part, names: Sequence[str], words: Mapping[str, _Words], sizes: Mapping[str, int]
) -> str:
    """Find the table whose columns the headings name best; of like tables one of so many rows."""
    best, most = "", (0.0, False)
    for name in names:
        if name in words and name in sizes and (name != CHECKS or part.sheet in _checks()):
            there = set(words[name].columns)
            shared = len(there & set(part.headings))
            fit = shared / max(1, len(part.headings)) + shared / max(1, len(there)) / 2
            now = (round(fit, 1), sizes[name] == len(part.rows))
            if shared >= _ENOUGH * len(part.headings) and now > most:
                best, most = name, now
    return best


def _compare(where: str, part: _Part, table: str, found: Frames, words: _Words) -> list[str]:
    """Compare one table of a sheet with its table of the package, row by row."""
    frame = found[table]
    if table == "sources":
        part = _readable(part, words)
    rows = _ordered(part, frame, words)
    if rows is None:
        message = text("{where}: {n} rows, {m} were written", where=where, n=len(part.rows),
                       m=len(frame))  # fmt: skip
        return [str(message)]
    faults: list[str] = []
    for place, heading in enumerate(part.headings):
        column = words.columns.get(heading)
        if column is None or column not in frame:
            continue
        given = [row[place] for row in part.rows]
        meant = rows[column].tolist()
        codes = words.codes.get(column, {})
        if column == "cause":
            name = "name_en" if current_language() == "en" else "name_zh"
            codes = dict(zip(found["indicators"]["code"], found["indicators"][name], strict=True))
        if column in ("unit", "measure_unit"):
            codes = {str(unit): str(unit_label(str(unit))) for unit in set(meant)}
            meant = [None if codes[str(unit)] == "" else unit for unit in meant]
        if table == "presets" and column == "source":
            meant = [" ".join(filter(None, row)) for row in rows[list(_SOURCE)].to_numpy()]
        if table.startswith("plan_"):
            digits = printed_decimals(column, pd.to_numeric(rows[column], errors="coerce"))
            meant = [float(np.round(v, digits)) if isinstance(v, float) else v for v in meant]
        odd = [i for i, (a, b) in enumerate(zip(given, meant, strict=True))
               if not _same(a, b, codes)]  # fmt: skip
        for at in odd[:_MOST]:
            said = _Cell(f"{letters(place)}{part.top + at + 2}", given[at])
            other = codes.get(str(meant[at]), meant[at])
            faults.append(_differs(where, said, f"{table}.{column}", other))
    return faults


def _readable(part: _Part, words: _Words) -> _Part:
    """Leave out the layers that could not be read: the package has no rows of them to count."""
    heading = next((h for h, name in words.columns.items() if name == "rows_in"), "")
    if heading not in part.headings:
        return part
    place = part.headings.index(heading)
    return replace(part, rows=[row for row in part.rows if not _is_blank(row[place])])


@dataclass(frozen=True)
class _Cell:
    """A cell of a sheet and what it says."""

    name: str
    said: Any


def _differs(where: str, cell: _Cell, source: str, other: Any) -> str:
    message = text(
        "{where}: {cell} says {said}, {table} says {other}",
        where=where, cell=cell.name, said=str(cell.said), table=source, other=str(other),
    )  # fmt: skip
    return str(message)


def _notes(where: str, part: _Part, found: Frames) -> list[str]:
    """Every note of a sheet is a note of the package, word for word."""
    known = {str(note) for name in ("zh", "en") for note in found["notes"][name]}
    odd = [i for i, row in enumerate(part.rows) if str(row[0]) not in known]
    return [_differs(where, _Cell(f"A{part.top + i + 2}", part.rows[i][0]), "notes", "")
            for i in odd[:_MOST]]  # fmt: skip


def _presets(where: str, part: _Part, found: Frames) -> list[str]:
    """Every preset of a sheet is one of the package, with its value, source and status."""
    kept = found["presets"].fillna("").to_dict("records")
    meant = preset_rows([_preset(row) for row in kept])
    given = [["" if cell is None else str(cell) for cell in row] for row in part.rows]
    if len(meant) != len(given):
        message = text("{where}: {n} rows, {m} were written", where=where, n=len(given),
                       m=len(meant))  # fmt: skip
        return [str(message)]
    odd = [(i, j) for i, row in enumerate(given) for j, cell in enumerate(row)
           if _entries(cell) != _entries(meant[i][j])]  # fmt: skip
    return [_differs(where, _Cell(f"{letters(j)}{part.top + i + 2}", given[i][j]), "presets",
                     meant[i][j]) for i, j in odd[:_MOST]]  # fmt: skip


def _preset(row: Mapping[Any, Any]) -> Preset:
    said = {name: str(row[name]) for name in ("key", "unit", "source", "clause", "edition")}
    named = {"status": str(row["status"]), "zh": str(row["name_zh"]), "en": str(row["name_en"])}
    return Preset(**said, **named, value=json.loads(str(row["value"])))


def _entries(line: str) -> list[str]:
    """Part a line at its entries; the package keeps a table in another order."""
    return sorted(re.split(r"[；、（）：,;:() ]+", line))


def _ordered(part: _Part, frame: pd.DataFrame, words: _Words) -> pd.DataFrame | None:
    """Bring the package's rows into the sheet's order: by their key, else as they stand."""
    for key in _KEYS:
        places = [part.headings.index(h) for h, name in words.columns.items()
                  if name in key and h in part.headings]  # fmt: skip
        if len(places) != len(key) or not set(key) <= set(frame):
            continue
        names = [words.columns[part.headings[place]] for place in places]
        given = [tuple(_dry(row[place]) for place in places) for row in part.rows]
        at = {tuple(map(str, row)): i for i, row in enumerate(frame[names].fillna("").to_numpy())}
        if len(at) == len(frame) and len(set(given)) == len(given) and set(given) <= set(at):
            return frame.iloc[[at[one] for one in given]]
    return frame if len(frame) == len(part.rows) else None


def _dry(value: Any) -> str:
    """Name a scenario as the package does: none has no name."""
    return "" if value == str(text("without flood")) else str(value)


def _same(given: Any, meant: Any, codes: Mapping[str, str]) -> bool:
    """Tell whether a cell of a sheet says what the package says."""
    if _is_blank(given) or _is_blank(meant):
        return _is_blank(_dry(given) if isinstance(given, str) else given) == _is_blank(meant) or (
            given == str(YES_NO[1]) and _is_blank(meant)
        )
    if isinstance(given, str):
        if isinstance(meant, int | float) and not isinstance(meant, bool):
            yes, no = map(str, YES_NO)
            if given in (yes, no):
                return bool(meant) == (given == yes)
            if given == str(text("Not filled in")):
                return not meant
            names = class_names()
            return given in names and names.index(given) == int(meant)
        said = codes.get(str(meant), str(meant))
        return given in (said, str(text("; ")).join(_listed(meant, codes)))
    if isinstance(meant, str):
        try:
            meant = float(meant)
        except ValueError:
            return False
    return abs(float(given) - float(meant)) <= _NEAR * max(1.0, abs(float(meant)))


def _listed(value: Any, codes: Mapping[str, str]) -> list[str]:
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return []
    return [codes.get(str(one), str(one)) for one in found] if isinstance(found, list) else []


_KINDS: Final = {
    "u8": "<u1", "u16": "<u2", "u32": "<u4", "i32": "<i4", "f32": "<f4", "f64": "<f8",
}  # fmt: skip
_BLOCK: Final = re.compile(r'id="riskmap-data-(\d+)">([^<]*)<')


class _Page:
    """The data of a page, read as ``docs/page-format.md`` says.

    Parameters
    ----------
    path
        The page.
    """

    def __init__(self, path: Path) -> None:
        content = path.read_text(encoding="utf-8")
        self._packed = {int(found[1]): found[2] for found in _BLOCK.finditer(content)}
        first = gzip.decompress(base64.b64decode(self._packed[0]))
        length = int.from_bytes(first[:4], "little")
        self._blocks = {0: first[4 + length :]}
        self.header: dict[str, Any] = json.loads(first[4 : 4 + length])

    def numbers(self, spec: Mapping[str, Any]) -> Any:
        """Give an array and by how much its coding may be off."""
        number = spec["b"]
        if number not in self._blocks:
            self._blocks[number] = gzip.decompress(base64.b64decode(self._packed[number]))
        kind = np.dtype(_KINDS[spec["t"]])
        raw = np.frombuffer(self._blocks[number], np.uint8)[spec["o"] :][
            : spec["n"] * kind.itemsize
        ]
        stored = np.ascontiguousarray(raw.reshape(kind.itemsize, -1).T).view(kind).ravel()
        stored = np.cumsum(stored, dtype=kind) if "d" in spec else stored
        if "q" in spec:
            low, step = spec["q"]
            blank = np.iinfo(kind).max
            return np.where(stored == blank, np.nan, low + step * stored), step / 2 + _NEAR
        if "a" not in spec:
            wide = stored.astype(np.float64)
            return wide, 1e-6 * np.abs(wide) + _NEAR if spec["t"] == "f32" else _NEAR
        out = (stored.astype(np.int64) + spec["a"]) / spec.get("f", 1)
        return np.where(stored == 0, np.nan, out) if "u" in spec else out, _NEAR

    def words(self, spec: Mapping[str, Any]) -> list[str]:
        """Give a list of texts."""
        found = [spec["words"][int(code)] for code in self.numbers(spec["codes"])[0]]
        if "num" not in spec:
            return found
        number, wide = self.numbers(spec["num"])[0], self.numbers(spec["wide"])[0]
        ends = [str(int(n)).zfill(int(w)) if w else "" for n, w in zip(number, wide, strict=True)]
        return [word + end for word, end in zip(found, ends, strict=True)]


def page_faults(path: Path, found: Frames) -> list[str]:
    """Compare what the page shows of units, cells and items with the package.

    Parameters
    ----------
    path
        The page.
    found
        Tables of the GeoPackage by name.

    Returns
    -------
    list of str
        One message a figure that says another thing than the package.
    """
    page = _Page(path)
    faults = _page_units(page, path.name, found)
    for layer in page.header["layers"]:
        if "ids" in layer:
            faults += _page_layer(page, path.name, layer, found)
    return faults


def _page_units(page: _Page, file: str, found: Frames) -> list[str]:
    head = page.header
    ids = page.words(head["units"]["ids"])
    units = found["units"].set_index("unit_id").reindex(ids)
    faults = _texts_differ(f"{file} units", ids, page.words(head["units"]["names"]), units["name"])
    for key, name in (("population", "population"), ("area", "area_km2")):
        if name in units and key in head["units"]:
            given = page.numbers(head["units"][key])
            faults += _numbers_differ(f"{file} units.{name}", ids, given, units[name])
    cells = found["cells"]
    numbers = {row["name"]: row["number"] for row in found["scenarios"].to_dict("records")} \
        if "scenarios" in found else {}  # fmt: skip
    for key, index in head["index"].items():
        kind, _, scenario = key.partition("@")
        end = f"_{numbers[scenario]}" if scenario else ""
        table = cells
        if kind == "unit":
            every = found["unit_scenarios"] if scenario else found["units"]
            mine = every[every["scenario"] == scenario] if scenario else every
            table, end = mine.set_index("unit_id").reindex(ids), ""
        keys = ids if kind == "unit" else list(table["cell"])
        for name in ("score", "class", "rank"):
            if name in index and name + end in table:
                given = page.numbers(index[name])
                meant = table[name + end].fillna(0) if name == "class" else table[name + end]
                faults += _numbers_differ(f"{file} {key}.{name}", keys, given, meant)
    return faults


def _page_layer(page: _Page, file: str, layer: Mapping[str, Any], found: Frames) -> list[str]:
    """Compare a layer's objects with its table, and what list and table say of them."""
    ids, role = page.words(layer["ids"]), layer["id"]
    own = [found[name] for name in (role, f"{role}_point", f"{role}_line", f"{role}_polygon")
           if name in found]  # fmt: skip
    if not own or not all("item_id" in table for table in own):
        return []
    rows = pd.concat(own, ignore_index=True).drop_duplicates("item_id").set_index("item_id")
    rows = rows.reindex(ids)
    where = f"{file} {role}"
    faults = _texts_differ(where, ids, page.words(layer["names"]), rows["name"]) \
        if "name" in rows else []  # fmt: skip
    if "level" in layer and "level" in rows:
        given = page.numbers(layer["level"])
        faults += _numbers_differ(f"{where}.level", ids, given, rows["level"].fillna(0))
    listed = found["items"].drop_duplicates("item_id").set_index("item_id")
    control = found["control"].drop_duplicates("item_id").set_index("item_id")
    beside = listed.join(control[control.columns.difference(listed.columns)]).reindex(ids)
    for table, fields in ((rows, layer.get("fields", ())), (beside, layer.get("extra", ()))):
        for one in fields:
            name, data = one["name"], one.get("data")
            if name in table and isinstance(data, dict) and "num" in data:
                given = page.numbers(data["num"])
                if pd.api.types.is_numeric_dtype(table[name]):
                    faults += _numbers_differ(f"{where}.{name}", ids, given, table[name])
            elif name in table and isinstance(data, dict) and "str" in data:
                texts = page.words(data["str"])
                faults += _texts_differ(f"{where}.{name}", ids, texts, table[name])
    return faults


def _numbers_differ(
    where: str, keys: Sequence[Any], given: Any, meant: pd.Series[Any]
) -> list[str]:
    values, slack = given
    told = pd.to_numeric(meant, errors="coerce").to_numpy("float64", na_value=np.nan)
    if len(values) != len(told):
        message = text("{where}: {n} rows, {m} were written", where=where, n=len(values),
                       m=len(told))  # fmt: skip
        return [str(message)]
    known = np.isfinite(values) & np.isfinite(told)
    wrong = (np.isfinite(values) != np.isfinite(told)) | (known & (np.abs(values - told) > slack))
    return [_differs(where, _Cell(str(keys[i]), values[i]), "riskmap.gpkg", told[i])
            for i in np.flatnonzero(wrong)[:_MOST]]  # fmt: skip


def _texts_differ(
    where: str, keys: Sequence[Any], given: Sequence[str], meant: pd.Series[Any]
) -> list[str]:
    told = meant.to_numpy(dtype=object)
    wrong = [i for i, (a, b) in enumerate(zip(given, told, strict=True))
             if isinstance(b, str) and a.strip() != b.strip()]  # fmt: skip
    return [_differs(where, _Cell(str(keys[i]), given[i]), "riskmap.gpkg", told[i])
            for i in wrong[:_MOST]]  # fmt: skip


def sum_faults(found: Frames) -> list[str]:
    """Count anew what the package's tables say of each other.

    Units are the sums of their parts, items carry the figures of their unit, the list is in its
    order, control table and list say the same of an item; of the plans, who is sent somewhere is
    who has a place, no refuge is over its places, and the proof names the sums of the rows.

    Parameters
    ----------
    found
        Tables of the GeoPackage by name.

    Returns
    -------
    list of str
        One message a figure that does not add up.
    """
    return [*_unit_sums(found), *_item_sums(found), *_refuge_sums(found), *_supply_sums(found)]


def _odd(where: str, keys: Any, wrong: Any, what: str) -> list[str]:
    return [str(text("{where}: {cell} does not add up", where=where, cell=f"{keys[at]} {what}"))
            for at in np.flatnonzero(np.asarray(wrong, dtype=bool))[:_MOST]]  # fmt: skip


def _unit_sums(found: Frames) -> list[str]:
    units = found["units"].set_index("unit_id")
    faults = []
    for name in ("population", "area_km2"):
        if name not in units or "parent_id" not in units:
            continue
        own = pd.to_numeric(units[name], errors="coerce")
        parts = own.groupby(units["parent_id"]).agg(["sum", "count", "size"]).reindex(units.index)
        whole = (parts["count"] == parts["size"]) & own.notna()
        off = (parts["sum"] - own).abs() > 1e-6 * (1 + own.abs())
        faults += _odd("units", units.index, (whole & off).to_numpy(), name)
    return faults


def _item_sums(found: Frames) -> list[str]:
    items = found["items"]
    if not len(items):
        return []
    units = found["units"].drop_duplicates("unit_id").set_index("unit_id")
    ids = items["item_id"].to_numpy()
    faults = []
    if "rank" in items:
        faults += _odd(
            "items", ids, items["rank"].to_numpy() != np.arange(1, len(items) + 1), "rank"
        )
    for name, source in (("unit_score", "score"), ("unit_class", "class")):
        if name in items and source in units and "unit_id" in items:
            meant = units[source].reindex(items["unit_id"]).to_numpy("float64", na_value=np.nan)
            given = items[name].to_numpy("float64", na_value=np.nan)
            off = np.isfinite(meant) & ~np.isclose(given, meant, rtol=0, atol=_NEAR)
            faults += _odd("items", ids, off, name)
    control = found["control"].drop_duplicates("item_id").set_index("item_id").reindex(ids)
    for name in control.columns.intersection(items.columns).difference(["fid", "geom"]):
        one, other = items[name].fillna("").astype(str), control[name].fillna("").astype(str)
        faults += _odd("control", ids, one.to_numpy() != other.to_numpy(), str(name))
    return faults


def _refuge_sums(found: Frames) -> list[str]:
    sent, short, room = (found.get(f"plan_refuges_{name}")
                         for name in ("assignment", "shortfall", "capacity"))  # fmt: skip
    faults: list[str] = []
    if short is not None:
        key = ["scenario", "district", "town", "village"]
        key = [name for name in key if name in short and (sent is None or name in sent)]
        names = short[key].astype(str).agg(" ".join, axis=1).to_numpy()
        gap = (short["people"] - short["served"] - short["shortfall"]).abs() > 1e-6
        faults += _odd("plan_refuges_shortfall", names, gap, "shortfall")
        if sent is not None:
            there = sent.groupby(key)["people"].sum()
            told = short.groupby(key)["served"].sum()
            both = pd.concat([there, told], axis=1, keys=["sent", "told"]).fillna(0)
            off = (both["sent"] - both["told"]).abs() > 1e-6
            faults += _odd("plan_refuges_assignment", list(both.index), off, "people")
    if sent is not None and room is not None:
        load = sent.groupby(["scenario", "refuge_id"])["people"].sum()
        places = room.drop_duplicates(["scenario", "item_id"]).set_index(["scenario", "item_id"])
        free = places["places"].reindex(load.index)
        faults += _odd("plan_refuges_assignment", list(load.index), load > free + 1e-6, "people")
    return faults + _refuge_proof(found, sent, short, room)


def _refuge_proof(found: Frames, sent: Any, short: Any, room: Any) -> list[str]:
    """Compare what the proof names with the sums of the rows."""
    faults: list[str] = []
    plans = found.get("plans", pd.DataFrame(columns=["plan", "scenario", "recount"]))
    for row in plans[plans["plan"] == "refuges"].to_dict("records"):
        told = json.loads(row["recount"] or "{}")
        sums: dict[str, float] = {}
        for table, name in ((short, "people"), (short, "shortfall"), (sent, "people")):
            if table is not None:
                mine = table.loc[table["scenario"] == row["scenario"], name].sum()
                sums["served" if table is sent else name] = float(mine)
        if room is not None and "usable" in room:
            mine = room[(room["scenario"] == row["scenario"]) & (room["usable"] == 1)]
            sums["places"] = float(mine["places"].sum())
        off = [name for name, value in sums.items()
               if name in told and abs(told[name] - value) > 1e-6 * (1 + abs(value))]  # fmt: skip
        faults += [str(text("{where}: {cell} does not add up", where="plans",
                            cell=f"{row['scenario']} {name}")) for name in off]  # fmt: skip
    return faults


def _supply_sums(found: Frames) -> list[str]:
    needs = found.get("plan_supplies_needs")
    if needs is None or not {"needed", "in_stock", "lack"} <= set(needs):
        return []
    lack = (needs["needed"] - needs["in_stock"]).clip(lower=0)
    off = (lack - needs["lack"]).abs() > 0.5 + _NEAR
    return _odd("plan_supplies_needs", needs["item"].to_numpy(), off, "lack")


def report_faults(found: Frames, report: Mapping[str, Any]) -> list[str]:
    """Count the report's figures anew from the package.

    Parameters
    ----------
    found
        Tables of the GeoPackage by name.
    report
        What ``report.json`` holds.

    Returns
    -------
    list of str
        One message a figure that is another than the package's.
    """
    sources = found["sources"].groupby("role")[["rows_in", "rows_used", "rows_returned"]].sum()
    again: dict[str, Any] = {
        "layers": {role: row.to_dict() for role, row in sources.iterrows()},
        "units": found["units"]["level"].value_counts().to_dict(),
    }
    items = found["items"]
    told = {key: report.get(key) for key in again}
    counted: dict[str, Any] = {"rows": len(items), "control_rows": len(found["control"])}
    for name, column in (("by_level", "level"), ("by_role", "role")):
        if column in items:
            values = items[column].fillna(0) if column == "level" else items[column]
            counts = values.value_counts()
            counted[name] = {str(k).removesuffix(".0"): int(n)
                             for k, n in counts.items()}  # fmt: skip
            said = (report.get("items") or {}).get(name) or {}
            counted[name] = {**dict.fromkeys(said, 0), **counted[name]}
    faults = [_differs("report.json", _Cell(f"items.{key}", (report.get("items") or {}).get(key)),
                       "riskmap.gpkg", value)
              for key, value in counted.items()
              if (report.get("items") or {}).get(key) != value]  # fmt: skip
    for key, value in again.items():
        for name, number in value.items():
            given = (told[key] or {}).get(name)
            if given != number:
                cell = _Cell(f"{key}.{name}", given)
                faults.append(_differs("report.json", cell, "riskmap.gpkg", number))
    return faults + _worst(found, report)


def _worst(found: Frames, report: Mapping[str, Any]) -> list[str]:
    """Compare the worst units, dry and in every scenario."""
    states = [("", report.get("worst_units") or ())]
    states += [(one["name"], one.get("worst_units") or ()) for one in report.get("scenarios", ())]
    faults = []
    for scenario, worst in states:
        table = found["units"]
        if scenario and worst:
            table = found["unit_scenarios"]
            table = table[table["scenario"] == scenario]
        units = table.set_index("unit_id")
        for place, one in enumerate(worst):
            where = f"worst_units[{place}] {scenario}".strip()
            row = units.loc[one["unit_id"]] if one["unit_id"] in units.index else None
            for key in ("name", "score", "class"):
                meant = None if row is None else row[key]
                if row is None or not _same(one[key], meant, {}):
                    cell = _Cell(f"{where}.{key}", one[key])
                    faults.append(_differs("report.json", cell, "riskmap.gpkg", meant))
    return faults

"""Values as the same bytes always, and ``proof.json``: a digest of every cell of every paper."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sqlite3
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pandas as pd

from riskmap.errors import UsageError
from riskmap.files import MANIFEST, SIGNATURE, parse_json
from riskmap.i18n import text

PROOF: Final = "proof.json"
_LENGTH: Final = 3
"""Characters of a cell's digest, 18 bits."""
_BLOCK: Final = re.compile(
    rb'<script type="application/octet-stream"(?: data-size="\d+")? id="([\w-]+)">([^<]*)</script>'
)
_PIECE: Final = 1024
_KEYS: Final = ("item_id", "unit_id", "code", "key", "table_name", "name", "id", "cell")
_SKIPPED: Final = ("sqlite_", "rtree_", "gpkg_tile")

Rows = Iterable[Sequence[Any]]


@lru_cache(maxsize=1 << 17, typed=True)  # four of five cells say what another said
def _said(value: object) -> bytes:
    return hashlib.blake2b(f"{type(value).__name__}:{value!r}".encode(), digest_size=3).digest()


def _digest(value: object) -> bytes:
    """Hash one value to 24 bits; numbers by their exact form."""
    kind = type(value)
    if kind is str or value is None or kind is int or (kind is float and value):
        return _said(value)
    # -0.0 equals 0.0 and is written otherwise
    if isinstance(value, bytes):
        return hashlib.blake2b(value, digest_size=3).digest()
    return _said.__wrapped__(value)


def _rows(rows: Rows) -> list[str]:
    """Write the digests of each row as base64, a cell's first three of four characters."""
    found = []
    for row in rows:
        told = bytearray(b2a_base64(b"".join(map(_digest, row)), newline=False))
        del told[3::4]
        found.append(told.decode())
    return found


def tables_of(path: Path) -> Iterator[tuple[str, list[str], list[tuple[Any, ...]]]]:
    """Read every table of a GeoPackage as SQLite has it, whatever an index says.

    Parameters
    ----------
    path
        The GeoPackage.

    Yields
    ------
    tuple
        Name, columns and rows.
    """
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as base:
        listed = _read(
            base,
            "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
        )
        for name, sql in listed[1]:
            if name.startswith(_SKIPPED) or "virtual table" in (sql or "").lower():
                continue
            plain = '"' + name.replace('"', '""') + '"'
            yield name, *_read(base, f"SELECT * FROM {plain}")  # noqa: S608
        yield (
            "sqlite_master",
            *_read(base, "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"),
        )


def _read(base: sqlite3.Connection, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Give columns and rows; characters that are none, from a change by hand, are replaced."""
    for factory in (str, lambda raw: raw.decode("utf-8", "replace")):
        base.text_factory = factory
        found = base.execute(query)
        with suppress(sqlite3.OperationalError):
            return [column[0] for column in found.description], found.fetchall()
    raise sqlite3.DatabaseError(query)


def sheets_of_book(path: Path) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """Read every sheet of a workbook, hidden ones too.

    Parameters
    ----------
    path
        The workbook.

    Yields
    ------
    tuple
        Name, letters of its columns, and cells row by row.
    """
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        width = max(map(len, cells), default=0)
        yield name, [letters(i) for i in range(width)], cells


def letters(column: int) -> str:
    """Name a column of a sheet.

    Parameters
    ----------
    column
        Its place, from 0.

    Returns
    -------
    str
        A, B, ... Z, AA, ...

    Examples
    --------
    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    said, left = "", column + 1
    while left:
        left, digit = divmod(left - 1, 26)
        said = chr(65 + digit) + said
    return said


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the values of a JSON document with their places."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{place}]")
    else:
        yield path, value


def _page(path: Path) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """Unpack the data of the page, and take what stands around it in pieces."""
    content = path.read_bytes()
    for found in _BLOCK.finditer(content):
        try:
            raw = gzip.decompress(base64.b64decode(found[2], validate=True))
        except (ValueError, OSError, EOFError):
            raw = bytes(found[2])
        pieces = [[raw[at : at + _PIECE]] for at in range(0, len(raw), _PIECE)]
        yield found[1].decode(), ["bytes"], pieces
    rest = _BLOCK.sub(rb"", content)
    yield "page", ["line"], [[line] for line in rest.split(b"\n")]


def _parts(path: Path, *, manifest: Mapping[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
    """Take a paper apart into named tables."""
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        yield from tables_of(path)
    elif suffix == ".xlsx":
        yield from sheets_of_book(path)
    elif suffix == ".html":
        yield from _page(path)
    elif suffix == ".json":
        loaded = manifest or parse_json(path.read_text(encoding="utf-8"))
        said = {key: value for key, value in loaded.items() if key != "outputs" or not manifest}
        leaves = list(_leaves(said))
        yield "", ["field", "value"], [[name, value] for name, value in leaves]
    else:
        content = path.read_bytes()
        pieces = [[content[at : at + _PIECE]] for at in range(0, len(content), _PIECE)]
        yield "", ["bytes"], pieces


def build_proof(folder: Path, manifest: str) -> str:
    """Digest every cell of the papers of a folder.

    Parameters
    ----------
    folder
        Holds every paper but ``proof.json`` and the manifest.
    manifest
        The manifest as JSON; its list of outputs is left out, for it names this proof.

    Returns
    -------
    str
        What ``proof.json`` holds.
    """
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (MANIFEST, PROOF):
            found[path.relative_to(folder).as_posix()] = {
                name: {"columns": columns, "rows": _rows(rows)}
                for name, columns, rows in _parts(path)
            }
    plain = parse_json(manifest)
    found[MANIFEST] = {
        name: {"columns": columns, "rows": _rows(rows)}
        for name, columns, rows in _parts(folder / MANIFEST, manifest=plain)
    }
    return json.dumps({"format": 1, "papers": found}, ensure_ascii=False, indent=0) + "\n"


def changed_cells(folder: Path) -> list[str]:
    """Compare every cell of a folder's papers with ``proof.json``.

    Parameters
    ----------
    folder
        A folder of outputs.

    Returns
    -------
    list of str
        One message a changed cell, some for each table; empty when all is as it was written.
    """
    try:
        papers = parse_json((folder / PROOF).read_text(encoding="utf-8"))["papers"]
    except (OSError, ValueError, KeyError, TypeError):
        return [str(text("{file} is missing or cannot be read", file=PROOF))]
    faults: list[str] = []
    for file, told in sorted(papers.items()):
        path = folder / file
        if not path.is_file():
            continue  # said with the hashes
        try:
            manifest = parse_json(path.read_text(encoding="utf-8")) if file == MANIFEST else None
            found = {part[0]: part for part in _parts(path, manifest=manifest)}
        except Exception as error:  # noqa: BLE001  readers of damaged files raise many kinds
            faults.append(f"{file}: " + str(text("cannot be read: {error}", error=str(error))))
            continue
        for name in sorted({*told, *found}):
            where = f"{file} {name}".strip()
            if name not in told or name not in found:
                faults.append(str(text("{where}: the table is new or gone", where=where)))
                continue
            faults += _differences(where, told[name], found[name][1], list(found[name][2]))
    return faults


_MOST: Final = 20


def _differences(
    where: str, told: Mapping[str, Any], columns: list[str], rows: list[Sequence[Any]]
) -> list[str]:
    """Name the cells in which a table differs from what was written."""
    given, found = list(told["rows"]), _rows(rows)
    if given == found and list(told["columns"]) == columns:
        return []
    faults = []
    if list(told["columns"]) != columns:
        faults.append(str(text("{where}: other columns than were written", where=where)))
    if len(given) != len(found):
        message = text(
            "{where}: {n} rows, {m} were written", where=where, n=len(found), m=len(given)
        )
        faults.append(str(message))
        left = set(given)
        strange = [at for at, one in enumerate(found) if one not in left]
    else:
        strange = [at for at, (a, b) in enumerate(zip(given, found, strict=True)) if a != b]
    sheet = ".xlsx" in where
    for at in strange[:_MOST]:
        before = given[at] if len(given) == len(found) else ""
        cells = [
            column
            for place, column in enumerate(columns)
            if found[at][place * _LENGTH :][:_LENGTH] != before[place * _LENGTH :][:_LENGTH]
        ]
        row = _row_name(columns, rows[at], at)
        shown = ", ".join(f"{c}{at + 1}" for c in cells) if sheet else f"{row} {', '.join(cells)}"
        faults.append(str(text("{where}: {cell} was changed", where=where, cell=shown)))
    if len(strange) > _MOST:
        faults.append(str(text("{where}: {n} rows were changed", where=where, n=len(strange))))
    return faults


def _row_name(columns: list[str], row: Sequence[Any], at: int) -> str:
    """Name a row by its key, else by its number."""
    if columns[:2] == ["field", "value"]:
        return str(row[0])
    for key in _KEYS:
        if key in columns and row[columns.index(key)] is not None:
            return str(row[columns.index(key)])
    return f"#{at + 1}"


def check_key(key: Path | None) -> None:
    """Make sure, before anything is computed, that a key can sign.

    Parameters
    ----------
    key
        Private Ed25519 key, PEM; None signs nothing.

    Raises
    ------
    UsageError
        When it is missing or another kind of file.
    """
    if key is not None:
        _private(key)


def _private(key: Path) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError(text("{file}: no Ed25519 private key (PEM, no password)", file=key.name))
    return private


def sign(folder: Path, key: Path) -> None:
    """Sign the manifest of a folder with an Ed25519 key.

    Parameters
    ----------
    folder
        A folder of outputs.
    key
        Private key, PEM.
    """
    raw = _private(key).sign((folder / MANIFEST).read_bytes())
    (folder / SIGNATURE).write_bytes(base64.b64encode(raw) + b"\n")


def signature_fault(folder: Path, public: Path) -> str | None:
    """Check the signature of the manifest.

    Parameters
    ----------
    folder
        A folder of outputs.
    public
        Public key, PEM.

    Returns
    -------
    str or None
        What is wrong with it.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key: Any = load_pem_public_key(public.read_bytes())
        raw = base64.b64decode((folder / SIGNATURE).read_bytes(), validate=False)
        key.verify(raw, (folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        return str(text("{file} is missing or cannot be read", file=Path(str(error.filename)).name))
    except (InvalidSignature, ValueError, TypeError, AttributeError):
        return str(text("the signature does not fit the manifest and this key"))
    return None


EPOCH: Final = "1970-01-01"
"""Stands where a date must stand and no data date was declared."""


def plain(value: Any) -> Any:
    """Turn a value into what JSON can hold; not-a-number becomes None.

    Parameters
    ----------
    value
        A number, text, array, table, mapping or sequence.

    Returns
    -------
    object
        Numbers, texts, lists and dicts with text keys.

    Examples
    --------
    >>> plain({"a": np.array([1.0, np.nan]), "b": np.int64(3)})
    {'a': [1.0, None], 'b': 3}
    """
    if isinstance(value, pd.DataFrame):
        return {str(key): plain(value[key]) for key in value.columns}
    if isinstance(value, pd.Series):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | pd.Index):
        return [plain(entry) for entry in value.tolist()]
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(entry) for entry in value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, bool | int | str):
        return value
    return str(value)


def as_json(value: object) -> str:
    """Write a value as JSON, always the same bytes for the same value.

    Parameters
    ----------
    value
        Anything that `plain` takes.

    Returns
    -------
    str
        Indented JSON with sorted keys and a newline at the end.

    Examples
    --------
    >>> as_json({"b": 1, "a": "低"}).splitlines()[1]
    '  "a": "低",'
    """
    return json.dumps(plain(value), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def as_line(value: object) -> str:
    """Write a value as JSON on one line.

    Parameters
    ----------
    value
        Anything that `plain` takes.

    Returns
    -------
    str
        JSON with sorted keys.

    Examples
    --------
    >>> as_line({"b": 1, "a": None})
    '{"a": null, "b": 1}'
    """
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True)

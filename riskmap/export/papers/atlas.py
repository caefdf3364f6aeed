"""The atlas: one sheet a village, town or point, made from a finished results folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from riskmap import progress
from riskmap.errors import UsageError
from riskmap.export.encode import as_json
from riskmap.export.papers.drafts import Draft, Options, point_draft, poster_draft, unit_draft
from riskmap.export.papers.scene import Book, open_book
from riskmap.export.papers.typeset import Fonts, find_fonts, lacking, lacking_note, typeset
from riskmap.files import sha256
from riskmap.i18n import Text, language, text

KINDS: Final = ("village", "town", "point", "poster")
"""What there is a sheet of."""
TEMPLATES: Final = Path(__file__).parent / "templates"
STATE: Final = "sheets.json"
"""Versions and digests of the sheets, beside them."""
LIST: Final = "sheets.csv"
_BAD: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_LONG: Final = 40
"""Characters of a name in the name of a file."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A line of the list of sheets."""

    kind: str
    code: str
    name: str
    file: str = ""
    """Path inside the folder; empty when no sheet was made."""
    version: int = 0
    state: str = ""
    """``new``, ``changed``, ``same`` or ``not made``."""
    reason: str = ""
    missing: tuple[str, ...] = ()
    digest: str = ""
    labels: int = 0
    unlabelled: int = 0
    """Names for which the map had no room."""


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """What was made."""

    folder: Path
    sheets: tuple[Sheet, ...]
    notes: tuple[Text, ...] = ()

    def count(self, state: str) -> int:
        """Count sheets in a state.

        Parameters
        ----------
        state
            As in `Sheet`.

        Returns
        -------
        int
            Their number.
        """
        return sum(sheet.state == state for sheet in self.sheets)


def wanted(book: Book, kind: str, names: Sequence[str]) -> list[str]:
    """List the codes that get a sheet.

    Parameters
    ----------
    book
        The book.
    kind
        One of `KINDS`.
    names
        Codes or names of units or items; all when empty.

    Returns
    -------
    list of str
        Codes, in order; of items the best rank first.
    """
    if kind == "poster":
        return ["A3", "A0"]
    if kind == "point":
        return _wanted_points(book, names)
    units = book.finest if kind == "village" else book.units[book.units["level"] == "town"]
    if kind == "town" and len(units) and units.index.equals(book.finest.index):
        units = units.iloc[:0]
    codes = sorted(map(str, units.index))
    if not names:
        return codes
    return [code for code in codes if code in names or str(units["name"][code]) in names]


def _refuse_unknown(book: Book, jobs: Sequence[tuple[str, str]], names: Sequence[str]) -> None:
    """Refuse names that no sheet of any kind stands for."""
    made = {code for _, code in jobs}
    known = made | {str(book.units["name"].get(code)) for code in made}
    if any(kind == "point" for kind, _ in jobs):
        items = book.table("items")
        rows = items[items["item_id"].astype(str).isin(made)]
        for column in ("unit_id", "name", "village", "town"):
            known |= set(rows[column].dropna().astype(str))
    for name in names:
        if name not in known:
            raise UsageError(text("nothing in this folder is called '{name}'", name=name))


def file_name(code: str, name: str) -> str:
    """Name the file of a sheet so that every system can hold it.

    Parameters
    ----------
    code, name
        Code and name of the unit or point.

    Returns
    -------
    str
        Name with its ending.

    Examples
    --------
    >>> file_name("330802001201", 'a/b:"c"<村>')
    '330802001201_a_b__c__村_.pdf'
    """
    clean = _BAD.sub("_", name).strip(" .")[:_LONG]
    return f"{_BAD.sub('_', code)}_{clean}.pdf" if clean else f"{_BAD.sub('_', code)}.pdf"


def make_atlas(
    source: Path,
    folder: Path,
    *,
    kinds: Sequence[str] = ("village",),
    names: Sequence[str] = (),
    options: Options | None = None,
    previous: Path | None = None,
) -> Atlas:
    """Make the sheets of a results folder; those whose content is as before are not made anew.

    Parameters
    ----------
    source
        The results folder, as ``riskmap run`` wrote it.
    folder
        Where the sheets go, in a folder a kind.
    kinds
        Some of `KINDS`.
    names
        Codes or names of units; all when empty.
    options
        How the office wants them.
    previous
        Folder with earlier sheets to compare with; by default ``folder``.

    Returns
    -------
    Atlas
        One line a sheet, also for those that could not be made.

    Raises
    ------
    ExportError
        When the template does not compile.
    UsageError
        When a name is unknown.
    """
    book = open_book(source)
    options = options or Options()
    if not options.hotline:
        options = replace(options, hotline=str(book.opened.facts.get("hotline") or ""))
    before = _state_of(previous or folder)
    fonts = find_fonts(folders=(options.fonts,) if options.fonts else ())
    template = (options.template or TEMPLATES / "atlas.typ").read_text(encoding="utf-8")
    maker = _Maker(
        book=book, folder=folder, previous=previous or folder, fonts=fonts, template=template,
        options=options, before=before, root=options.template.parent if options.template else None,
    )  # fmt: skip
    with language(str(book.opened.facts.get("lang", "zh"))), progress.stage(text("sheets")):
        jobs = [(kind, code) for kind in kinds for code in wanted(book, kind, names)]
        _refuse_unknown(book, jobs, names)
        sheets = tuple(progress.counted(maker.make(jobs), text("sheets"), total=len(jobs)))
        whole = not names
        _write_state(folder, sheets, before if not whole else {}, kinds)
        _write_list(folder, sheets)
        notes = (lacking_note(maker.lacking),) if maker.lacking else ()
    return Atlas(folder=folder, sheets=sheets, notes=notes)


def _wanted_points(book: Book, names: Sequence[str]) -> list[str]:
    """List the items that get a sheet, best rank first."""
    items = book.table("items")
    if not len(items):
        return []
    items = items[~(items.geometry.isna() | items.geometry.is_empty)]
    if names:
        hit = items["item_id"].isin(names) | items["unit_id"].isin(names)
        for column in ("name", "village", "town"):
            hit |= items[column].isin(names)
        items = items[hit]
    return [str(code) for code in items["item_id"]]


_AHEAD: Final = 3
"""Sheets that are being typeset while the next is drawn."""


@dataclass(frozen=True, kw_only=True)
class _Maker:
    """Makes the sheets of one batch, drafting and typesetting side by side."""

    book: Book
    folder: Path
    previous: Path
    fonts: Fonts
    template: str
    options: Options
    before: Mapping[str, Mapping[str, Any]]
    root: Path | None
    lacking: dict[str, str] = field(default_factory=dict)

    def make(self, jobs: Sequence[tuple[str, str]]) -> Iterator[Sheet]:
        """Make sheets in order; a few are under way at any time, so that memory stays flat."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            waiting: list[Any] = []
            for job in jobs:
                waiting.append(self._start(pool, job))
                while len(waiting) > _AHEAD:
                    yield waiting.pop(0)()
            for one in waiting:
                yield one()

    def _start(self, pool: ThreadPoolExecutor, job: tuple[str, str]) -> Callable[[], Sheet]:
        kind, code = job
        name = self._name(kind, code)
        try:
            draft = self._draft(kind, code)
        except _NoPlaceError as fault:
            sheet = Sheet(kind=kind, code=code, name=name, state="not made", reason=str(fault))
            return lambda: sheet
        digest = _digest(draft, self.template, self.fonts)
        old = self.before.get(f"{kind}/{code}", {})
        same = old.get("digest") == digest
        version = int(old.get("version", 0)) + (0 if same else 1)
        path = f"{kind}/{file_name(code, draft.name)}"
        sheet = Sheet(
            kind=kind, code=code, name=draft.name, file=path, version=version, digest=digest,
            state="same" if same else "changed" if old else "new", missing=draft.missing,
            labels=len(draft.map.labels), unlabelled=len(draft.map.left_out),
        )  # fmt: skip
        self.lacking.update(lacking(draft.said, self.fonts))
        target, kept = self.folder / path, self.previous / str(old.get("file") or "-")
        target.parent.mkdir(parents=True, exist_ok=True)
        if same and kept.is_file() and sha256(kept) == old.get("sha256"):
            if kept != target:
                target.write_bytes(kept.read_bytes())
            return lambda: sheet
        work = pool.submit(self._typeset, draft, version, target)

        def finish() -> Sheet:
            work.result()
            return sheet

        return finish

    def _name(self, kind: str, code: str) -> str:
        if kind == "poster":
            return code
        if kind == "point":
            items = self.book.table("items")
            return str(items["name"][items["item_id"].astype(str) == code].iloc[0] or code)
        return str(self.book.units["name"][code])

    def _draft(self, kind: str, code: str) -> Draft:
        if kind == "point":
            return point_draft(self.book, code)
        if kind == "poster":
            return poster_draft(self.book, code.lower(), self.options)
        shape = self.book.units.geometry[code]
        if shape is None or shape.is_empty:
            raise _NoPlaceError(str(text("no boundary")))
        return unit_draft(self.book, code, self.options)

    def _typeset(self, draft: Draft, version: int, target: Path) -> None:
        said = {**draft.said, "version": f"V{version}"}
        facts = self.book.opened.facts
        pdf = typeset(
            self.template, values=said, assets=draft.assets, fonts=self.fonts, root=self.root,
            date=str(facts.get("data_date") or ""), lang=str(facts.get("lang", "zh")),
        )  # fmt: skip
        target.write_bytes(pdf)


class _NoPlaceError(Exception):
    """A unit that has no ground to draw."""


def _digest(draft: Draft, template: str, fonts: Fonts) -> str:
    """Tell a sheet's content apart from any other's."""
    whole = (as_json(draft.said), sorted(draft.assets.items()), template, fonts.families)
    return hashlib.sha256(repr(whole).encode("utf-8", "surrogatepass")).hexdigest()


def _state_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what an earlier batch said of its sheets; nothing where there is none."""
    try:
        found = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return {str(key): dict(one) for key, one in found["sheets"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_state(
    folder: Path, sheets: Iterable[Sheet], before: Mapping[str, Any], kinds: Sequence[str]
) -> None:
    """Keep versions and digests; of kinds that were not made now the old ones stay."""
    kept = {key: one for key, one in before.items() if key not in kinds}
    made = {
        f"{one.kind}/{one.code}": {
            "digest": one.digest, "file": one.file, "version": one.version,
            "sha256": sha256(folder / one.file),
        }
        for one in sheets
        if one.file
    }  # fmt: skip
    whole = dict(sorted({**kept, **made}.items()))
    (folder / STATE).write_bytes(as_json({"sheets": whole}).encode("utf-8"))


def _write_list(folder: Path, sheets: Sequence[Sheet]) -> None:
    """Write which sheets there are, which are not, and what each lacks."""
    states = {
        "new": text("first made"), "changed": text("changed"), "same": text("as before"),
        "not made": text("not made"),
    }  # fmt: skip
    kinds = {
        "village": text("Village or community"),
        "town": text("Town or street"),
        "point": text("point"),
        "poster": text("wall map"),
    }
    rows = [
        (
            str(kinds[one.kind]), one.code, one.name, one.file,
            f"V{one.version}" if one.file else "",
            str(states[one.state]), one.reason, str(text("; ")).join(one.missing),
            one.labels, one.unlabelled,
        )
        for one in sheets
    ]  # fmt: skip
    head = (
        text("Sheet of"), text("Code"), text("Name"), text("File"), text("Version"), text("State"),
        text("Reason"), text("Missing"), text("Names on the map"), text("Names without room"),
    )  # fmt: skip
    frame = pd.DataFrame(rows, columns=[str(word) for word in head])
    content = frame.to_csv(index=False, lineterminator="\r\n")
    (folder / LIST).write_bytes(b"\xef\xbb\xbf" + content.encode("utf-8"))

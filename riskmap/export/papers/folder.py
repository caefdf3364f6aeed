"""The papers of one run: which file stands where, the page and front sheet that lead there."""

from __future__ import annotations

import hashlib
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pandas as pd

from riskmap import progress
from riskmap.errors import UsageError
from riskmap.export.papers import assessment, guides, leaves
from riskmap.export.papers.assessment import FILLS, LEVELS
from riskmap.export.papers.document import (
    Layout,
    Paper,
    Para,
    Part,
    Table,
    clean,
    joined,
    layout,
    say,
    write_docx,
)
from riskmap.export.papers.drafts import (
    Draft,
    Options,
    point_draft,
    point_maps,
    poster_draft,
    unit_draft,
)
from riskmap.export.papers.scene import Book, open_book
from riskmap.export.papers.typeset import (
    Fonts,
    find_fonts,
    lacking,
    lacking_note,
    replaced_faces,
    typeset,
    write_pdf,
)
from riskmap.export.witness import as_json
from riskmap.export.workbook.books import FILES, FRONT_SHEET
from riskmap.export.workbook.sheet import HEAD, safe, text_width
from riskmap.export.workbook.sheet import Book as Workbook
from riskmap.export.workbook.sheet import sheet_name as tab_name
from riskmap.export.workbook.tables import about_line, class_names, shown, source_table
from riskmap.files import CONTROL, GEOPACKAGE, PAGE, sha256
from riskmap.files import LIST as LIST_FILE
from riskmap.i18n import Text, language, text
from riskmap.vocabulary import columns as c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from riskmap.result import Result


MAP: Final = "一张图"
LIST: Final = "一张单"
TABLE: Final = "一张表"
BASE: Final = "一个库"
GUIDE: Final = "一个指南"
INDEX: Final = "index.html"
"""一平台: the page that leads to every file."""
SIX: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "map": (MAP, (PAGE,)),
    "list": (LIST, (LIST_FILE,)),
    "table": (TABLE, (CONTROL,)),
    "base": (BASE, (GEOPACKAGE,)),
    "guide": (GUIDE, tuple(FILES.values())),
}
"""Key of the words to the folder, and the files beside it that belong there."""
_BAD: Final = re.compile(r'[\\/:*?"<>|\s#%&{}$!\'@+`=.]+')
_DEVICE: Final = re.compile("CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9]", re.IGNORECASE)
"""Names that Windows keeps for devices."""
_LONGEST: Final = 60
_KINDS: Final = ("poster", "village", "town", "point")
"""Folders of map sheets, which the page calls by their words."""


def file_name(name: str, taken: set[str]) -> str:
    """Make a file name of a name: no signs that some system forbids, never the same twice.

    Parameters
    ----------
    name
        Any name.
    taken
        Names given before; the new one is added.

    Returns
    -------
    str
        The stem of a file.

    Examples
    --------
    >>> taken: set[str] = set()
    >>> [file_name(name, taken) for name in ("东/岳 街道", "东_岳_街道", "<script>")]
    ['东_岳_街道', '东_岳_街道_2', 'script']
    >>> file_name("con", taken), file_name("a.", taken)
    ('_con', 'a')
    """
    clear = "".join(letter for letter in clean(name) if letter.isprintable())
    stem = _BAD.sub("_", clear).strip("_")[:_LONGEST].rstrip(". ") or "_"
    if _DEVICE.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    found, n = stem, 2
    while found.casefold() in taken:
        found, n = f"{stem}_{n}", n + 1
    taken.add(found.casefold())
    return found


def write_papers(
    result: Result, folder: Path, *, layout: Layout, previous: Path | None = None
) -> list[str]:
    """Write every paper of a run into the folder of its outputs.

    Parameters
    ----------
    result
        The run's result; a redacted one for the public edition.
    folder
        Folder of the outputs.
    layout
        How official papers are set.
    previous
        Folder of an earlier run, whose sheets are kept where nothing changed.

    Returns
    -------
    list of str
        Paths inside the folder.
    """
    writers: tuple[Callable[[], None], ...] = (
        lambda: _list_papers(result, folder / LIST, layout),
        lambda: _table_papers(result, folder / TABLE, layout),
        lambda: _rounds(result, folder / TABLE, layout),
        lambda: _base_papers(result, folder / BASE, layout),
        lambda: _plan_papers(result, folder / GUIDE, layout),
        lambda: _carried(result, folder, layout),
        lambda: _sheets(folder, layout, previous),
    )
    for write in progress.counted(writers, text("files")):
        write()
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def both_files(paper: Paper, stem: Path, *, layout: Layout, lang: str) -> None:
    """Write a paper as Word file and as PDF.

    Parameters
    ----------
    paper
        The paper.
    stem
        The files without their endings.
    layout
        How papers are set.
    lang
        Language of the text.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_docx(paper, stem.with_name(f"{stem.name}.docx"), layout=layout)
    write_pdf(paper, stem.with_name(f"{stem.name}.pdf"), layout=layout, lang=lang)


def _list_papers(result: Result, folder: Path, layout: Layout) -> None:
    paper = assessment.assessment(result, layout)
    both_files(paper, folder / "研判单", layout=layout, lang=result.facts.lang)
    inside = folder / "镇街风险通报"
    taken: set[str] = set()
    for name, one in assessment.bulletins(result):
        inside.mkdir(exist_ok=True)
        write_docx(one, inside / f"{file_name(name, taken)}.docx", layout=layout)
    notices = assessment.notices(result)
    inside, taken = folder / "风险提示", set()
    for name, said in notices.items():
        inside.mkdir(exist_ok=True)
        path = inside / f"{file_name(name, taken)}.txt"
        path.write_bytes(f"{said}\r\n".encode("utf-8-sig"))


def _table_papers(result: Result, folder: Path, layout: Layout) -> None:
    paper = assessment.control_paper(result)
    both_files(paper, folder / "管控表", layout=layout, lang=result.facts.lang)
    inside, taken = folder / "季度工作提醒", set[str]()
    for name, one in assessment.reminders(result):
        inside.mkdir(exist_ok=True)
        write_docx(one, inside / f"{file_name(name, taken)}.docx", layout=layout)


def _plan_papers(result: Result, folder: Path, layout: Layout) -> None:
    lang = result.facts.lang
    if "refuges" in result.plans and result.plans["refuges"].tables:
        both_files(guides.refuge_paper(result), folder / "避难方案", layout=layout, lang=lang)
    if "stations" in result.plans and result.plans["stations"].tables:
        both_files(guides.station_paper(result), folder / "救援站点方案", layout=layout, lang=lang)


def _carried(result: Result, folder: Path, layout: Layout) -> None:
    """Write what is carried: evacuation sheets, cards and the handbook with its maps."""
    maps = point_maps(open_book(folder), [str(number) for number in result.items.index])
    made = {
        "转移安置明白纸.pdf": leaves.evacuation_pdf(result, layout),
        "应急处置卡.pdf": leaves.cards_pdf(result, layout),
        "工作手册.pdf": leaves.handbook_pdf(result, layout, maps=maps),
    }
    for name, content in made.items():
        if content is not None:
            (folder / GUIDE).mkdir(parents=True, exist_ok=True)
            (folder / GUIDE / name).write_bytes(content)


def _sheets(folder: Path, layout: Layout, previous: Path | None) -> None:
    """Make the wall maps and a sheet for every village and town."""
    before = previous / MAP if previous is not None and (previous / MAP).is_dir() else None
    (folder / MAP).mkdir(parents=True, exist_ok=True)
    options = Options(
        fonts=layout.folders[0] if layout.folders else None,
        template=layout.sheet_template,
        paper=layout.sheet_paper,
    )
    kinds = ("poster", "village", "town")
    make_atlas(folder, folder / MAP, kinds=kinds, options=options, previous=before)
    _without_state(folder / MAP / SHEET_LIST)


def _without_state(path: Path) -> None:
    """Leave out of the list of sheets which were made anew: it would differ at every run."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    kept = frame.drop(columns=str(text("State")))
    content = kept.to_csv(index=False, lineterminator="\r\n")
    path.write_bytes(content.encode("utf-8-sig"))


def _rounds(result: Result, folder: Path, layout: Layout) -> None:
    if result.facts.profile == "public":
        return  # who inspects where is no news
    inside, taken = folder / "巡查单", set[str]()
    for name, one in assessment.rounds(result):
        inside.mkdir(parents=True, exist_ok=True)
        write_docx(one, inside / f"{file_name(name, taken)}.docx", layout=layout)


def _base_papers(result: Result, folder: Path, layout: Layout) -> None:
    """Say what the base holds."""
    folder.mkdir(parents=True, exist_ok=True)
    found = source_table(result)
    heads = [say(f"bundle.{name}") for name in
             ("layer", "file", "rows_in", "rows_used", "rows_returned")]  # fmt: skip
    roles = {name: str(role.label) for name, role in result.roles.items()}
    rows = [
        [
            roles.get(str(row["role"]), str(text("Units"))),
            Path(str(row["file"])).name,
            *(str(int(row[name])) for name in ("rows_in", "rows_used", "rows_returned")),
        ]
        for row in found.to_dict("records")
    ]
    said = say("bundle.catalogue_said", crs=result.facts.crs, n=len(dict.fromkeys(found["role"])))
    table = Table(heads, rows, (2, 4, 1, 1, 1), "llrrr")
    paper = Paper(
        title=say("bundle.catalogue", name=assessment.place_of(result)),
        subtitle=assessment.subtitle_of(result),
        parts=[Part([Para(said), table])],
        issued_by=result.facts.issued_by,
        date=result.facts.data_date,
        about=about_line(result),
    )
    write_docx(paper, folder / "数据目录.docx", layout=layout)


def index_page(result: Result, folder: Path, layout: Layout) -> str:
    """Write 一平台: a page without network that leads to every file of the folder.

    Parameters
    ----------
    result
        The run's result.
    folder
        Folder in which every other paper stands.
    layout
        How official papers are set.

    Returns
    -------
    str
        HTML.
    """
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    placed: set[str] = set()
    tiles = []
    for key, (inside, beside) in SIX.items():
        first = [name for name in beside if name in files]
        own = [name for name in files if name.startswith(f"{inside}/")]
        placed |= {*first, *own}
        tiles.append(_tile(key, first, own))
    tiles.append(
        f"<section><h2>{_said('bundle.platform')}</h2><p>{_said('bundle.platform_why')}</p>"
        f"{_faces_said(layout)}</section>"
    )
    rest = [name for name in files if name not in placed and name != INDEX]
    title = html.escape(say("bundle.title", name=result.facts.name))
    about = html.escape(about_line(result))
    words = {
        "lang": "zh-CN" if result.facts.lang == "zh" else "en",
        "title": title,
        "about": about,
        "more": _said("bundle.more"),
        "rest": _links(rest),
        "tiles": "\n".join(tiles),
    }
    page = Path(__file__).with_name("platform.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: words[found.group(1)], page)


def _faces_said(layout: Layout) -> str:
    """Say which typefaces the PDF papers lack, and what stands in for them."""
    replaced = replaced_faces(layout, find_fonts(folders=layout.folders, system=layout.system))
    if not replaced:
        return ""
    by_used: dict[str, list[str]] = {}
    for wanted, used in replaced.items():
        by_used.setdefault(used, []).append(wanted)
    said = [
        say("bundle.face", wanted=joined(wanted), used=used) for used, wanted in by_used.items()
    ]
    return f"<p>{html.escape(say('bundle.faces', said='；'.join(said)))}</p>"


def _said(key: str) -> str:
    return html.escape(say(key))


def _tile(key: str, first: list[str], own: list[str]) -> str:
    direct = [name for name in own if name.count("/") == 1]
    groups: dict[str, list[str]] = {}
    for name in own:
        if name.count("/") > 1:
            groups.setdefault(name.split("/")[1], []).append(name)
    parts = [_links([*first, *direct])]
    for group, names in groups.items():
        count = html.escape(say("bundle.files", n=len(names)))
        label = say(f"bundle.{group}") if group in _KINDS else group
        parts.append(
            f"<details><summary>{html.escape(label)}（{count}）</summary>{_links(names)}</details>"
        )
    return (
        f"<section><h2>{_said(f'bundle.{key}')}</h2><p>{_said(f'bundle.{key}_why')}</p>"
        f"{''.join(parts)}</section>"
    )


def _links(names: list[str]) -> str:
    lines = "".join(
        f'<li><a href="{quote(name)}">{html.escape(name.rsplit("/", 1)[-1])}</a></li>'
        for name in names
    )
    return f"<ul>{lines}</ul>" if lines else ""


KINDS: Final = ("village", "town", "point", "poster")
"""What there is a sheet of."""
TEMPLATES: Final = Path(__file__).parent / "templates"
STATE: Final = "sheets.json"
"""Versions and digests of the sheets, beside them."""
SHEET_LIST: Final = "sheets.csv"
_BAD_ATLAS: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
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


def sheet_name(code: str, name: str) -> str:
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
    >>> sheet_name("330802001201", 'a/b:"c"<村>')
    '330802001201_a_b__c__村_.pdf'
    """
    clean = _BAD_ATLAS.sub("_", name).strip(" .")[:_LONG]
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
        path = f"{kind}/{sheet_name(code, draft.name)}"
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
    (folder / SHEET_LIST).write_bytes(b"\xef\xbb\xbf" + content.encode("utf-8"))


WIDTHS: Final = (5.0, 20.0, 8.0, 22.0, 8.0, 19.0, 13.0, 11.0)
"""Columns of the sheet [characters]; together an upright A4 page at full size."""
_LIST_TOP: Final = 4
"""First row of the list under its headings, as Excel counts."""


def front_sheet(result: Result) -> Callable[[Workbook], Callable[[Sequence[str], int], None]]:
    """Make the front sheet of the list.

    Parameters
    ----------
    result
        The run's result.

    Returns
    -------
    callable
        For `riskmap.export.workbook.books.write_list`.
    """

    def begin(book: Workbook) -> Callable[[Sequence[str], int], None]:
        sheet = book.book.add_worksheet(tab_name(str(FRONT_SHEET), []))

        def fill(columns: Sequence[str], rows: int) -> None:
            _Front(book, sheet, result, columns, rows).draw()

        return fill

    return begin


class _Front:
    """Draws the sheet from above."""

    def __init__(
        self, book: Workbook, sheet: Any, result: Result, columns: Sequence[str], rows: int
    ) -> None:
        self.book, self.sheet, self.result = book, sheet, result
        self.columns, self.rows = list(columns), rows
        self.row = 0
        line = {"border": 1, "border_color": "#7a8594", "text_wrap": True}
        self.head = book.format(**line, bold=True, align="center", bg_color="#e8ecf2")
        self.cell = book.format(**line)
        self.middle = book.format(**line, align="center")
        self.number = book.format(**line, num_format="#,##0")
        self.total = book.format(**line, num_format="#,##0", bold=True)

    def draw(self) -> None:
        """Draw title, sentences, counts, the first items and the lines to sign."""
        for place, width in enumerate(WIDTHS):
            self.sheet.set_column(place, place, width)
        title = self.book.format(bold=True, font_size=18, align="center", font_color=HEAD)
        small = self.book.format(font_size=10, align="center", font_color="#4a5261", text_wrap=True)
        name = assessment.place_of(self.result)
        self._across(say("assessment.title", place=name), title, height=32)
        self._across(about_line(self.result), small)
        self._heading("assessment.head_overall")
        for said in assessment.sentences(self.result):
            self._across(said, self.book.format(font_size=11, text_wrap=True, indent=1))
        self._heading("assessment.head_counts")
        self._counts("town", say("common.town"), say("assessment.by_town"))
        self._counts(c.ROLE, say("common.kind"), say("assessment.by_kind"))
        top = assessment.top_items(self.result.items, layout().top_items)
        self._heading("assessment.head_top", n=len(top))
        for block in assessment.top_blocks(self.result, top):
            if isinstance(block, Table):
                self._top(block)
            else:
                self._across(block.text, self.book.format(font_size=10, text_wrap=True, indent=1))
        self._heading("assessment.head_opinion")
        self._sign()
        self._paper()

    def _across(self, said: str, style: Any, *, height: float = 0.0) -> None:
        wide = sum(WIDTHS)
        self.sheet.set_row(
            self.row, height or 6 + 15.5 * max(1, ceil(text_width(said) / wide * 1.1))
        )
        self.sheet.merge_range(self.row, 0, self.row, len(WIDTHS) - 1, "", style)
        self.sheet.write_string(self.row, 0, safe(said), style)
        self.row += 1

    def _heading(self, key: str, **words: object) -> None:
        style = self.book.format(bold=True, font_size=13, font_color=HEAD)
        self.sheet.set_row(self.row, 24)
        self.sheet.write_string(self.row, 0, say(key, **words), style)
        self.row += 1

    def _column(self, name: str) -> str:
        """Address a column of the list."""
        from xlsxwriter.utility import xl_col_to_name

        letter = xl_col_to_name(self.columns.index(name))
        last = _LIST_TOP + max(self.rows, 1) - 1
        return f"'{text('Risk list')}'!${letter}${_LIST_TOP}:${letter}${last}"

    def _counts(self, by: str, label: str, caption: str) -> None:
        """Count by town or kind and level: formulas over the list, sums below and beside."""
        counts = assessment.cross(self.result.items, by)
        names = class_names()
        style = self.book.format(bold=True, font_size=10)
        self.sheet.write_string(self.row, 0, caption, style)
        self.row += 1
        top = self.row
        heads = [label, *(names[level] for level in LEVELS), say("common.total")]
        self._label(top, heads[0], self.head)
        for at, head in enumerate(heads[1:], start=2):
            self.sheet.write_string(top, at, head, self.head)
        for entry, values in zip(counts.index, counts.to_numpy().tolist(), strict=True):
            self.row += 1
            self._label(self.row, str(shown(by, entry, self.result) or ""), self.cell)
            for at, value in enumerate(values[: len(LEVELS)], start=2):
                self._write(self.row, at, self._formula(by, at, top), value, self.number)
            row = self.row + 1
            self._write(self.row, 7, f"SUM(C{row}:G{row})", values[-1], self.number)
        self.row += 1
        sums = counts.sum().astype(int).tolist()
        self._label(self.row, say("common.total"), self.total)
        for at, value in enumerate(sums, start=2):
            letter = "ABCDEFGH"[at]
            formula = f"SUM({letter}{top + 2}:{letter}{self.row})" if len(counts) else "0"
            self._write(self.row, at, formula, value, self.total)
        self.row += 2

    def _label(self, row: int, said: str, style: Any) -> None:
        self.sheet.merge_range(row, 0, row, 1, "", style)
        self.sheet.write_string(row, 0, safe(said), style)

    def _formula(self, by: str, at: int, top: int) -> str:
        """Count the rows of the list with this entry and level; no wildcards, no operators."""
        entry = f"$A{self.row + 1}"
        level = f"{'ABCDEFGH'[at]}${top + 1}"
        return f"SUMPRODUCT(({self._column(by)}={entry})*({self._column(c.LEVEL)}={level}))"

    def _write(self, row: int, at: int, formula: str, value: int, style: Any) -> None:
        self.sheet.write_formula(row, at, f"={formula}", style, int(value))

    def _top(self, table: Table) -> None:
        for at, head in enumerate(table.heads):
            self.sheet.write_string(self.row, at, head, self.head)
        self.row += 1
        inks = {4: "#ffffff", 1: "#08254a"}
        names = class_names()
        for row in table.rows:
            lines = max(
                ceil(text_width(said) / (width - 1.5))
                for said, width in zip(row, WIDTHS, strict=True)
            )
            self.sheet.set_row(self.row, 4 + 14 * max(lines, 1))
            for at, said in enumerate(row):
                style = self.middle if at in (0, 4, 7) else self.cell
                if at == 2 and said in names:
                    level = names.index(said)
                    style = self.book.format(
                        border=1, border_color="#7a8594", bold=True, align="center",
                        bg_color=FILLS[level], font_color=inks.get(level, "#1d2025"),
                    )  # fmt: skip
                self.sheet.write_string(self.row, at, safe(said), style)
            self.row += 1
        self.row += 1

    def _sign(self) -> None:
        """Leave room for opinions and three signatures."""
        heads = ("assessment.consulted", "assessment.opinion", "assessment.signed")
        spans = ((0, 1), (2, 5), (6, 7))
        for line in range(4):
            self.sheet.set_row(self.row, 20 if line == 0 else 44)
            for key, (first, last) in zip(heads, spans, strict=True):
                style = self.head if line == 0 else self.cell
                self.sheet.merge_range(self.row, first, self.row, last, "", style)
                if line == 0:
                    self.sheet.write_string(self.row, first, say(key), style)
            self.row += 1
        for key in ("drafted", "reviewed", "issued"):
            self.sheet.set_row(self.row, 30)
            self._label(self.row, say(f"assessment.{key}"), self.head)
            self.sheet.merge_range(self.row, 2, self.row, 4, "", self.cell)
            self.sheet.write_string(self.row, 5, say("assessment.signed"), self.head)
            self.sheet.merge_range(self.row, 6, self.row, 7, "", self.cell)
            self.row += 1

    def _paper(self) -> None:
        sheet = self.sheet
        sheet.set_paper(9)
        sheet.set_portrait()
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        sheet.fit_to_pages(1, 0)
        sheet.print_area(0, 0, self.row - 1, len(WIDTHS) - 1)
        sheet.set_footer("&L&10&A&R&10&P / &N")
        sheet.hide_gridlines(2)

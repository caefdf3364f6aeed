"""The papers of one run: which file stands where, and the page that leads to all of them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pandas as pd

from riskmap import progress
from riskmap.export.papers import assessment, guides, leaves
from riskmap.export.papers.document import Layout, Paper, Para, Part, Table, clean, say
from riskmap.export.papers.official import write_docx
from riskmap.export.papers.printed import write_pdf
from riskmap.export.workbook.books import about_line
from riskmap.export.workbook.tables import source_table
from riskmap.i18n import text
from riskmap.result import Result

MAP: Final = "一张图"
LIST: Final = "一张单"
TABLE: Final = "一张表"
BASE: Final = "一个库"
GUIDE: Final = "一个指南"
INDEX: Final = "index.html"
"""一平台: the page that leads to every file."""
SIX: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "map": (MAP, ("onemap.html",)),
    "list": (LIST, ("研判一张单.xlsx",)),
    "table": (TABLE, ("管控一张表.xlsx",)),
    "base": (BASE, ("riskmap.gpkg",)),
    "guide": (GUIDE, ("避难方案.xlsx", "救援站点方案.xlsx", "物资方案.xlsx")),
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
    maps = leaves.point_maps(folder, [str(number) for number in result.items.index])
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
    from riskmap.export.papers.atlas import LIST as SHEET_LIST
    from riskmap.export.papers.atlas import make_atlas
    from riskmap.export.papers.drafts import Options

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


def index_page(result: Result, folder: Path) -> str:
    """Write 一平台: a page without network that leads to every file of the folder.

    Parameters
    ----------
    result
        The run's result.
    folder
        Folder in which every other paper stands.

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
        f"<section><h2>{_said('bundle.platform')}</h2><p>{_said('bundle.platform_why')}</p></section>"
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

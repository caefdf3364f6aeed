"""Papers in words: blocks of text and tables, and the official format they are written in."""

from __future__ import annotations

import io
import re
import zipfile
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape, quoteattr

from riskmap.errors import ExportError, UsageError
from riskmap.export.witness import EPOCH
from riskmap.i18n import current_language, text
from riskmap.vocabulary.presets import Preset, Presets, load_presets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_DIGITS: Final = "〇一二三四五六七八九十"
_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""What no XML file may hold, breaks of lines, and marks that turn the direction of writing."""


@dataclass(frozen=True)
class Heading:
    """A heading; its number is set when the paper is put together."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Para:
    """A paragraph."""

    text: str
    style: str = "body"
    """``body``, ``plain`` (no indent), ``centre``, ``right``, ``note``, ``bold``."""


@dataclass(frozen=True)
class Table:
    """A table of words; every cell is shown as it stands."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float] = ()
    """Share of the width of each column; empty for equal columns."""
    sides: str = ""
    """A letter a column: ``l``, ``c`` or ``r``."""
    caption: str = ""
    fills: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Row and column to the colour of a cell, ``#rrggbb``."""
    size: str = "table"
    """``table`` or ``list``, see the preset ``paper.sizes_pt``."""
    bold_last: bool = False
    """Whether the last row is a sum."""
    height_mm: float = 0.0
    """Least height of a row, for cells that are filled in by hand."""
    whole: bool = False
    """Whether it stays on one page, with what follows where that stays whole too."""

    @property
    def small(self) -> bool:
        """Whether it is so small that no page ends within it.

        Returns
        -------
        bool
            True for few rows of short cells.
        """
        cells = (cell for row in self.rows for cell in row)
        return len(self.rows) <= _SMALL[0] and max(map(len, cells), default=0) <= _SMALL[1]


_SMALL: Final = (10, 24)
"""Rows of a small table, and letters of its longest cell."""


@dataclass(frozen=True)
class Break:
    """A new page."""


@dataclass(frozen=True)
class Part:
    """Pages of one direction."""

    blocks: Sequence[Heading | Para | Table | Break]
    lying: bool = False


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A paper to sign."""

    title: str
    parts: Sequence[Part]
    subtitle: str = ""
    issued_by: str = ""
    date: str = ""
    """ISO; the only date in the file."""
    about: str = ""
    """Edition and what must be known, a line at the foot of the first page."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How official papers are set."""

    margins_mm: Mapping[str, float]
    lines: int
    characters: int
    sizes_pt: Mapping[str, float]
    fonts: Mapping[str, Sequence[str]]
    """``body``, ``title``, ``first``, ``second``, ``page`` to names of typefaces."""
    page_number: str
    top_items: int = 10
    template: Path | None = None
    """A Word file of the office that papers are written into."""
    folders: tuple[Path, ...] = ()
    """Folders of the office's typefaces, for the PDF."""
    system: bool = False
    """Whether the PDF takes the machine's typefaces; its bytes then differ between machines."""
    sheet_template: Path | None = None
    """Layout of map sheets of the office's own."""
    sheet_paper: str = "a3"

    @property
    def width_mm(self) -> float:
        """Width of the type area of an upright page.

        Returns
        -------
        float
            Millimetres.
        """
        return 210.0 - self.margins_mm["left"] - self.margins_mm["right"]

    @property
    def line_pt(self) -> float:
        """Distance of the lines.

        Returns
        -------
        float
            Points.
        """
        return (297.0 - self.margins_mm["top"] - self.margins_mm["bottom"]) / 25.4 * 72 / self.lines


PAGE_NUMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "outer": {"footer": "right", "even_page_footer": "left"},
    "centre": {"footer": "center"},
    "right_side": {"footer": "right"},
}
"""Where the page number may stand: outside as in the standard, in the middle, on the right."""


def layout(
    presets: Presets | None = None,
    *,
    template: Path | None = None,
    folders: Sequence[Path] = (),
    system: bool = False,
) -> Layout:
    """Read how papers are set from the presets.

    Parameters
    ----------
    presets
        The project's presets; the shipped ones when None.
    template
        The office's own Word file, or None.
    folders, system
        Typefaces of the PDF: folders of the office, and whether the machine's count.

    Returns
    -------
    Layout
        Margins, grid, sizes and typefaces.

    Raises
    ------
    UsageError
        When the page number is to stand where none can.

    Examples
    --------
    >>> round(layout().line_pt, 2), layout().width_mm
    (28.99, 156.0)
    """
    known = presets or load_presets()

    def value(name: str) -> Any:
        preset: Preset = known.preset(f"paper.{name}")
        return preset.value

    number = value("page_number")
    if number not in PAGE_NUMBERS:
        raise UsageError(
            text(
                "presets: paper.page_number: {value} is none of {known}",
                value=number, known=", ".join(PAGE_NUMBERS),
            )
        )  # fmt: skip
    return Layout(
        margins_mm=value("margins_mm"),
        lines=int(value("grid")["lines"]),
        characters=int(value("grid")["characters"]),
        sizes_pt=value("sizes_pt"),
        fonts={
            name: tuple(value(f"fonts_{name}"))
            for name in ("body", "title", "first", "second", "page")
        },
        page_number=str(number),
        top_items=int(value("top_items")),
        template=template,
        folders=tuple(folders),
        system=system,
    )


def clean(value: object) -> str:
    r"""Make a text that any paper can hold: no control characters, no breaks.

    Parameters
    ----------
    value
        Anything; None is empty.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> clean("a\x00b\nc"), clean(None)
    ('a b c', '')
    """
    if value is None or value != value:
        return ""
    return _FORBIDDEN.sub(" ", str(value)).strip()


def figure(value: object, places: int = 0) -> str:
    """Write a number as Chinese papers do, without separators; blank where it is unknown.

    Parameters
    ----------
    value
        A number, or None.
    places
        Decimals.

    Returns
    -------
    str
        The number.

    Examples
    --------
    >>> figure(12345.6), figure(None), figure(0.256, 2)
    ('12346', '', '0.26')
    """
    if value is None or value != value:
        return ""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{exact:f}"


def percent(value: object) -> str:
    """Write a share of one in percent.

    Parameters
    ----------
    value
        A number, or None.

    Returns
    -------
    str
        One decimal and the sign; blank where it is unknown.

    Examples
    --------
    >>> percent(0.0325), percent(float("nan"))
    ('3.3%', '')
    """
    said = "" if value is None or value != value else figure(Decimal(str(value)) * 100, 1)
    return f"{said}%" if said else ""


def chinese_number(n: int) -> str:
    """Write a number from 1 to 99 in Chinese.

    Parameters
    ----------
    n
        The number.

    Returns
    -------
    str
        Its Chinese.

    Examples
    --------
    >>> [chinese_number(n) for n in (1, 10, 11, 20, 35)]
    ['一', '十', '十一', '二十', '三十五']
    """
    tens, ones = divmod(n, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones or not tens else "")


def long_date(day: str) -> str:
    """Write a date as papers do.

    Parameters
    ----------
    day
        ISO date; may be empty.

    Returns
    -------
    str
        Without leading zeros; in English as it is.

    Examples
    --------
    >>> long_date("2026-03-01")
    '2026年3月1日'
    """
    if not day or current_language() == "en":
        return day
    year, month, date = day[:10].split("-")
    return f"{year}年{int(month)}月{int(date)}日"


def numbered(paper: Paper) -> Paper:
    """Set the numbers before the headings: 一、（一）1.（1）.

    Parameters
    ----------
    paper
        The paper.

    Returns
    -------
    Paper
        The same with numbers.

    Examples
    --------
    >>> once = Paper(title="", parts=[Part([Heading("a"), Heading("b", 2), Heading("c")])])
    >>> [block.text for block in numbered(once).parts[0].blocks]
    ['一、a', '（一）b', '二、c']
    """
    counts = [0, 0, 0, 0]

    def mark(block: Heading | Para | Table | Break) -> Heading | Para | Table | Break:
        if not isinstance(block, Heading) or block.level < 1:
            return block
        counts[block.level - 1] += 1
        counts[block.level :] = [0] * (4 - block.level)
        return Heading(_number(counts, block.level) + block.text, block.level)

    parts = [Part([mark(block) for block in part.blocks], lying=part.lying) for part in paper.parts]
    return Paper(**{**vars(paper), "parts": parts})


def _number(counts: Sequence[int], level: int) -> str:
    n = counts[level - 1]
    if current_language() == "en":
        return ".".join(map(str, counts[:level])) + " "
    forms = (f"{chinese_number(n)}、", f"（{chinese_number(n)}）", f"{n}. ", f"（{n}）")
    return forms[level - 1]


@cache
def _wording() -> dict[str, dict[str, str]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_name("wording.yaml").read_text(encoding="utf-8")
    raw: dict[str, dict[str, dict[str, str]]] = yaml.load(text, Loader=loader)  # noqa: S506
    return {
        f"{section}.{name}": entry
        for section, names in raw.items()
        for name, entry in names.items()
    }


def say(key: str, **words: object) -> str:
    """Say a sentence of the papers in the current language.

    Parameters
    ----------
    key
        Section and name in ``wording.yaml``.
    **words
        What stands in the braces.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> say("common.total")
    '合计'
    """
    entry = _wording()[key][current_language()]
    return entry.format(**{name: clean(word) for name, word in words.items()}) if words else entry


def joined(words: Iterable[str]) -> str:
    """Join names as a sentence does.

    Parameters
    ----------
    words
        Names.

    Returns
    -------
    str
        With 、 or a comma between them.

    Examples
    --------
    >>> joined(["a", "b"])
    'a、b'
    """
    return (", " if current_language() == "en" else "、").join(words)


def sign_lines(paper_date: str, issued_by: str) -> list[Para]:
    """Give the lines at the end of a paper: office and date.

    Parameters
    ----------
    paper_date
        ISO date; may be empty.
    issued_by
        The office; may be empty.

    Returns
    -------
    list of Para
        Right-aligned lines; a blank to fill in where nothing is known.
    """
    office = issued_by or say("common.office_blank")
    day = long_date(paper_date) or say("common.date_blank")
    return [Para("", "body"), Para(office, "right"), Para(day, "right")]


_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TWIPS: Final = 1440 / 25.4
BODY: Final = "{{正文}}"
"""Paragraph of a template in whose place the paper stands."""


def write_docx(paper: Paper, path: Path, *, layout: Layout) -> None:
    """Write a paper as a Word file; the same paper gives the same bytes.

    Parameters
    ----------
    paper
        The paper.
    path
        File to write.
    layout
        Margins, grid, typefaces, and the office's template if it has one.

    Raises
    ------
    ExportError
        When the template is no Word file.
    """
    from docx.oxml import parse_xml

    document = _opened(layout)
    if layout.template is None:
        _page(document, layout)
    _styles(document, layout)
    _properties(document, paper)
    body = document.element.body
    final = body.sectPr
    place = _place(document, paper)
    whole = numbered(paper)
    lying = [part.lying for part in whole.parts]
    for number, part in enumerate(whole.parts):
        first = number == 0
        blocks = [*(_head(paper) if first else []), *part.blocks]
        for block in blocks:
            for xml in _xml(block, layout, lying=part.lying):
                place.addprevious(parse_xml(xml))
        if number + 1 < len(lying):
            place.addprevious(_section_end(final, layout, lying=part.lying))
    if lying and lying[-1]:
        _turn(final, layout, lying=True)
    if place is not final:
        body.remove(place)
    _save(document, path)


def template_file(path: Path, *, layout: Layout) -> None:
    """Write a template to edit: the official format with its styles and the words to replace.

    Parameters
    ----------
    path
        The ``.docx`` file.
    layout
        Margins, grid and typefaces.
    """
    parts = [Para(BODY, "plain")]

    write_docx(Paper(title="{{题名}}", parts=[Part(parts)]), path, layout=layout)


def _opened(layout: Layout) -> Any:
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    if layout.template is None:
        return docx.Document()
    try:
        return docx.Document(str(layout.template))
    except (PackageNotFoundError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise ExportError(
            text("{file}: not a Word file (.docx) that can be used", file=layout.template.name)
        ) from error


def _head(paper: Paper) -> list[Para]:
    said = [Para(paper.title, "title")] if paper.title else []
    return said + ([Para(paper.subtitle, "subtitle")] if paper.subtitle else [])


def _place(document: Any, paper: Paper) -> Any:
    """Find where the paper stands, and fill the words of a template in."""
    words = {
        "题名": paper.title,
        "单位": paper.issued_by,
        "日期": long_date(paper.date),
        "版别": paper.about,
    }
    found = None
    for paragraph in [*document.paragraphs, *_other_paragraphs(document)]:
        said = paragraph.text
        if BODY in said:
            found = paragraph._p  # noqa: SLF001
        elif "{{" in said:
            for name, value in words.items():
                said = said.replace("{{" + name + "}}", clean(value))
            if said != paragraph.text:
                for run in paragraph.runs[1:]:
                    run.text = ""
                paragraph.runs[0].text = said
    return document.element.body.sectPr if found is None else found


def _other_paragraphs(document: Any) -> list[Any]:
    parts = [
        part
        for section in document.sections
        for part in (section.header, section.footer, section.even_page_footer)
        if not part.is_linked_to_previous  # asking a linked one for its words would make it
    ]
    tables = [cell for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph for part in (*parts, *tables) for paragraph in part.paragraphs]


_STYLE_OF: Final = {
    "title": "公文标题",
    "subtitle": "公文副题",
    "body": "公文正文",
    "plain": "公文顶格",
    "centre": "公文居中",
    "right": "公文落款",
    "note": "公文注",
    "bold": "公文强调",
    "caption": "公文表题",
    "table": "公文表格",
    "list": "公文清单",
    "level1": "公文一级标题",
    "level2": "公文二级标题",
    "level3": "公文三级标题",
    "level4": "公文四级标题",
}
"""Kind of a paragraph to the style that sets it; a template may set them otherwise."""


def _style_ids(kind: str) -> str:
    return "rm" + kind.capitalize()


def _styles(document: Any, layout: Layout) -> None:
    """Add the styles that the file lacks; those of a template stay as the office set them."""
    from docx.oxml import parse_xml

    there = {style.name for style in document.styles}
    root = document.styles.element
    for kind, name in _STYLE_OF.items():
        old = [style for style in document.styles if style.name == name]
        if old:
            old[0].element.set(f"{{{_W}}}styleId", _style_ids(kind))
            continue
        root.append(parse_xml(_style_xml(kind, name, layout)))
    if "Table Grid" not in there:
        root.append(parse_xml(_GRID))
    if layout.template is None:
        _plain_style(document, layout)
        _fonts(document, layout)


_GRID: Final = (
    f'<w:style xmlns:w="{_W}" w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/>'
    "<w:tblPr><w:tblBorders>"
    + "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    + "</w:tblBorders></w:tblPr></w:style>"
)


def _style_xml(kind: str, name: str, layout: Layout) -> str:
    """Write one style: typeface, size, lines, indent, side."""
    sizes, line = layout.sizes_pt, floor(layout.line_pt * 20)
    body = sizes["body"]
    face, size, side, indent, extra = {
        "title": ("title", sizes["title"], "center", 0, ""),
        "subtitle": ("second", body, "center", 0, ""),
        "body": ("body", body, "both", 2, ""),
        "plain": ("body", body, "both", 0, ""),
        "centre": ("body", body, "center", 0, ""),
        "right": ("body", body, "right", 0, ""),
        "note": ("body", sizes["table"], "both", 0, ""),
        "bold": ("body", body, "both", 2, "<w:b/>"),
        "caption": ("first", sizes["table"] + 1.5, "center", 0, ""),
        "table": ("page", sizes["table"], "left", 0, ""),
        "list": ("page", sizes["list"], "left", 0, ""),
        "level1": ("first", body, "both", 2, ""),
        "level2": ("second", body, "both", 2, ""),
        "level3": ("body", body, "both", 2, "<w:b/>"),
        "level4": ("body", body, "both", 2, ""),
    }[kind]
    outline = f'<w:outlineLvl w:val="{int(kind[-1]) - 1}"/>' if kind.startswith("level") else ""
    keep = "<w:keepNext/>" if kind.startswith("level") or kind == "caption" else ""
    small = kind in ("table", "list", "note")
    grid = '<w:snapToGrid w:val="0"/>' if small or kind == "caption" else ""
    if small:
        spacing = '<w:spacing w:before="0" w:after="0" w:line="240" w:lineRule="auto"/>'
    elif kind == "title":
        spacing = (
            f'<w:spacing w:before="0" w:after="{line // 2}" w:line="{round(size * 30)}" '
            'w:lineRule="exact"/>'
        )
    else:
        spacing = f'<w:spacing w:before="0" w:after="0" w:line="{line}" w:lineRule="exact"/>'
    first = (
        f'<w:ind w:firstLineChars="{indent * 100}" w:firstLine="{round(indent * size * 20)}"/>'
        if indent
        else f'<w:ind w:rightChars="400" w:right="{round(4 * size * 20)}"/>'
        if kind == "right"
        else ""
    )
    family = quoteattr(layout.fonts[face][0])
    half = round(size * 2)
    pitch = floor((layout.width_mm / 25.4 * 72 / layout.characters - body) * 20)
    close = f'<w:spacing w:val="{pitch}"/>' if size == body and pitch else ""
    return (
        f'<w:style xmlns:w="{_W}" w:type="paragraph" w:customStyle="1" '
        f'w:styleId="{_style_ids(kind)}">'
        f'<w:name w:val="{name}"/><w:basedOn w:val="Normal"/><w:qFormat/>'
        f'<w:pPr>{keep}{grid}{spacing}{first}<w:jc w:val="{side}"/>{outline}</w:pPr>'
        f'<w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia={family} '
        f'w:cs="Times New Roman"/>{extra}<w:color w:val="000000"/>{close}<w:sz w:val="{half}"/>'
        f'<w:szCs w:val="{half}"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:style>'
    )


def _plain_style(document: Any, layout: Layout) -> None:
    """Set the basic style: the grid of characters is measured by its size."""
    from docx.oxml import parse_xml

    normal = document.styles["Normal"].element
    for old in normal.findall(f"{{{_W}}}rPr"):
        normal.remove(old)
    half = round(layout.sizes_pt["body"] * 2)
    family = quoteattr(layout.fonts["body"][0])
    normal.append(
        parse_xml(
            f'<w:rPr xmlns:w="{_W}"><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" '
            f'w:eastAsia={family} w:cs="Times New Roman"/><w:sz w:val="{half}"/>'
            f'<w:szCs w:val="{half}"/></w:rPr>'
        )
    )


def _fonts(document: Any, layout: Layout) -> None:
    """Name the free typefaces that stand in for each one where it is not installed."""
    entries = "".join(
        f"<w:font w:name={quoteattr(names[0])}>"
        f"<w:altName w:val={quoteattr(','.join(names[1:]))}/>"
        '<w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="default"/></w:font>'
        for names in layout.fonts.values()
        if len(names) > 1
    )
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            part = relation.target_part
            part._blob = part.blob.replace(b"</w:fonts>", entries.encode() + b"</w:fonts>")  # noqa: SLF001


def _page(document: Any, layout: Layout) -> None:
    """Set paper, margins, grid and page numbers of a fresh file."""
    section = document.sections[0]
    _turn(section._sectPr, layout, lying=False)  # noqa: SLF001
    document.settings.odd_and_even_pages_header_footer = layout.page_number == "outer"
    for zoom in document.settings.element.findall(f"{{{_W}}}zoom"):
        zoom.set(f"{{{_W}}}percent", "100")  # the schema wants it, the library's file lacks it
    for name, side in PAGE_NUMBERS[layout.page_number].items():
        part = getattr(section, name)
        part.is_linked_to_previous = False
        _page_number(part.paragraphs[0], layout, side)


def _page_number(paragraph: Any, layout: Layout, side: str) -> None:
    """Write — 1 — one character in from the outer edge."""
    from docx.oxml import parse_xml

    size = layout.sizes_pt["page"]
    face = quoteattr(layout.fonts["page"][0])
    style = (
        f"<w:rPr><w:rFonts w:ascii={face} w:hAnsi={face} w:eastAsia={face}/>"
        f'<w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/></w:rPr>'
    )
    edge = {"right": "right", "left": "left"}.get(side)
    indent = f'<w:ind w:{edge}Chars="100" w:{edge}="{round(size * 20)}"/>' if edge else ""
    own = paragraph._p  # noqa: SLF001
    for child in list(own):
        own.remove(child)
    runs = (
        f'<w:r>{style}<w:t xml:space="preserve">— </w:t></w:r>'
        f'<w:r>{style}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{style}<w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
        f'<w:r>{style}<w:fldChar w:fldCharType="separate"/></w:r><w:r>{style}<w:t>1</w:t></w:r>'
        f'<w:r>{style}<w:fldChar w:fldCharType="end"/></w:r>'
        f'<w:r>{style}<w:t xml:space="preserve"> —</w:t></w:r>'
    )
    made = parse_xml(
        f'<w:p xmlns:w="{_W}"><w:pPr>{indent}<w:jc w:val="{side}"/></w:pPr>{runs}</w:p>'
    )
    for child in list(made):
        own.append(child)


def _turn(section: Any, layout: Layout, *, lying: bool) -> None:
    """Set size, margins and grid of a section, upright or lying."""
    from docx.oxml import parse_xml

    for name in ("pgSz", "pgMar", "docGrid"):
        for old in section.findall(f"{{{_W}}}{name}"):
            section.remove(old)
    m = {name: round(value * _TWIPS) for name, value in layout.margins_mm.items()}
    short, long = round(210 * _TWIPS), round(297 * _TWIPS)
    wide, high = (long, short) if lying else (short, long)
    if lying:  # the binding edge is above
        m = {"top": m["left"], "bottom": m["right"], "left": m["bottom"], "right": m["top"]}
    turned = ' w:orient="landscape"' if lying else ""
    foot = round(min(layout.margins_mm["bottom"] - 9, 26 if not lying else 14) * _TWIPS)
    made = parse_xml(
        f'<w:sectPr xmlns:w="{_W}"><w:pgSz w:w="{wide}" w:h="{high}"{turned}/>'
        f'<w:pgMar w:top="{m["top"]}" w:right="{m["right"]}" w:bottom="{m["bottom"]}" '
        f'w:left="{m["left"]}" w:header="850" w:footer="{foot}" w:gutter="0"/>'
        f'<w:docGrid w:type="lines" w:linePitch="{floor(layout.line_pt * 20)}"/></w:sectPr>'
    )
    after = [child for child in section if child.tag.endswith(("Reference", "}type"))]
    at = len(after)
    for child in list(made)[:2]:
        section.insert(at, child)
        at += 1
    section.append(made[-1])


def _section_end(final: Any, layout: Layout, *, lying: bool) -> Any:
    """End a part: its section stands in the last paragraph of it."""
    from docx.oxml import parse_xml

    end = parse_xml(
        f'<w:p xmlns:w="{_W}"><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" '
        'w:lineRule="exact"/></w:pPr></w:p>'
    )
    section = deepcopy(final)
    _turn(section, layout, lying=lying)
    end[0].append(section)
    return end


def _xml(block: Heading | Para | Table | Break, layout: Layout, *, lying: bool) -> list[str]:
    if isinstance(block, Heading):
        return [_paragraph(block.text, f"level{block.level}" if block.level else "centre")]
    if isinstance(block, Para):
        return [_paragraph(block.text, block.style)]
    if isinstance(block, Break):
        return [f'<w:p xmlns:w="{_W}"><w:r><w:br w:type="page"/></w:r></w:p>']
    caption = [_paragraph(block.caption, "caption")] if block.caption else []
    keep = "<w:keepNext/>" if block.whole else ""
    gap = (
        f'<w:p xmlns:w="{_W}"><w:pPr>{keep}<w:snapToGrid w:val="0"/>'
        '<w:spacing w:before="0" w:after="0" w:line="160" w:lineRule="exact"/></w:pPr></w:p>'
    )
    wide = (
        297 - layout.margins_mm["top"] - layout.margins_mm["bottom"] if lying else layout.width_mm
    )
    return [*caption, _table(block, round(wide * _TWIPS)), gap]


def _paragraph(said: str, kind: str) -> str:
    return (
        f'<w:p xmlns:w="{_W}"><w:pPr><w:pStyle w:val="{_style_ids(kind)}"/></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{escape(clean(said))}</w:t></w:r></w:p>'
    )


_SIDES: Final = {"l": "left", "c": "center", "r": "right"}


def _table(table: Table, wide: int) -> str:
    """Write a table: heads repeated on every page, no row broken over two."""
    n = len(table.heads) or max(len(row) for row in table.rows)
    shares = list(table.widths) or [1.0] * n
    widths = [round(wide * share / sum(shares)) for share in shares]
    sides = table.sides or "c" * n
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    rows = []
    if table.heads:
        cells = [
            _cell(
                head,
                width,
                "c",
                table.size,
                bold=True,
                fill="#e8ecf2",
                keep=table.whole or table.small,
            )
            for head, width in zip(table.heads, widths, strict=True)
        ]
        rows.append(f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{''.join(cells)}</w:tr>")
    high = (
        f'<w:trHeight w:val="{round(table.height_mm * _TWIPS)}" w:hRule="atLeast"/>'
        if table.height_mm
        else ""
    )
    for at, row in enumerate(table.rows):
        bold = table.bold_last and at == len(table.rows) - 1
        cells = [
            _cell(
                said,
                width,
                side,
                table.size,
                bold=bold,
                fill=table.fills.get((at, place), ""),
                keep=table.whole or (table.small and at < len(table.rows) - 1),
            )
            for place, (said, width, side) in enumerate(zip(row, widths, sides, strict=True))
        ]
        rows.append(f"<w:tr><w:trPr><w:cantSplit/>{high}</w:trPr>{''.join(cells)}</w:tr>")
    return (
        f'<w:tbl xmlns:w="{_W}"><w:tblPr><w:tblStyle w:val="TableGrid"/>'
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:top w:w="28" w:type="dxa"/>'
        '<w:left w:w="57" w:type="dxa"/><w:bottom w:w="28" w:type="dxa"/>'
        '<w:right w:w="57" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )


def _cell(said: str, width: int, side: str, size: str, *, bold: bool, fill: str, keep: bool) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill.lstrip("#")}"/>' if fill else ""
    light = fill and sum(int(fill[at : at + 2], 16) for at in (1, 3, 5)) < 360
    ink = '<w:color w:val="FFFFFF"/>' if light else ""
    weight = "<w:b/>" if bold else ""
    together = "<w:keepNext/>" if keep else ""
    style = f"<w:rPr>{weight}{ink}</w:rPr>" if weight or ink else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/>'
        "</w:tcPr>"
        f'<w:p><w:pPr><w:pStyle w:val="{_style_ids(size)}"/>{together}'
        f'<w:jc w:val="{_SIDES[side]}"/></w:pPr>'
        f'<w:r>{style}<w:t xml:space="preserve">{escape(clean(said))}</w:t></w:r></w:p></w:tc>'
    )


def _properties(document: Any, paper: Paper) -> None:
    """Name and date the file; the date is the one of the data."""
    day = date.fromisoformat((paper.date or EPOCH)[:10])
    moment = datetime(day.year, day.month, day.day)
    core = document.core_properties
    core.title, core.author = clean(paper.title)[:250], clean(paper.issued_by)[:250]
    core.last_modified_by, core.comments = clean(paper.issued_by)[:250], clean(paper.about)[:250]
    core.created = core.modified = moment
    core.language = "zh-CN"
    core.revision = 1


def _save(document: Any, path: Path) -> None:
    """Save with one date in every entry, so that the same paper gives the same bytes."""
    held = io.BytesIO()
    document.save(held)
    with zipfile.ZipFile(held) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, source.read(name))

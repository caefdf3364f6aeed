"""A paper as a value: headings, paragraphs and tables, whatever file it is written to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from riskmap.i18n import current_language
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

    Examples
    --------
    >>> round(layout().line_pt, 2), layout().width_mm
    (28.99, 156.0)
    """
    known = presets or load_presets()

    def value(name: str) -> Any:
        preset: Preset = known.preset(f"paper.{name}")
        return preset.value

    return Layout(
        margins_mm=value("margins_mm"),
        lines=int(value("grid")["lines"]),
        characters=int(value("grid")["characters"]),
        sizes_pt=value("sizes_pt"),
        fonts={
            name: tuple(value(f"fonts_{name}"))
            for name in ("body", "title", "first", "second", "page")
        },
        page_number=str(value("page_number")),
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

"""Typesetting: a template, values and fonts in, a PDF out; the same values give the same bytes."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, cast

from riskmap.errors import ExportError
from riskmap.export.papers.document import (
    Break,
    Heading,
    Layout,
    Paper,
    Para,
    Table,
    clean,
    numbered,
)
from riskmap.export.witness import EPOCH
from riskmap.i18n import Text, text
from riskmap.vocabulary.marks import FAMILY

LACKING: Final = "〓"
"""Stands for a character that no font has, as printers do."""
_LANGUAGES: Final = {"zh": ("zh", "cn"), "en": ("en", "us")}


@dataclass(frozen=True, eq=False)
class Fonts:
    """Fonts that a paper may use; nothing else of the machine is seen."""

    folders: tuple[str, ...]
    system: bool
    families: tuple[str, ...]
    book: Any = field(repr=False)
    """What the typesetter was given."""


@lru_cache(maxsize=4)
def find_fonts(*, folders: tuple[Path, ...] = (), system: bool = False) -> Fonts:
    """Gather the fonts: those of named folders, and Noto Sans CJK, which is installed with us.

    Parameters
    ----------
    folders
        Folders of further fonts, searched first.
    system
        Whether the fonts of the machine count too; papers then look as that machine has them.

    Returns
    -------
    Fonts
        With the names of their families.

    Raises
    ------
    ExportError
        When a folder does not exist.

    Examples
    --------
    >>> FAMILY in find_fonts().families
    True
    """
    import noto_cjk_sans_otc
    import typst

    for folder in folders:
        if not folder.is_dir():
            raise ExportError(text("{folder}: no such folder of fonts", folder=folder))
    shipped = str(Path(str(noto_cjk_sans_otc.FONT_PATH)).parent)
    paths = [*(str(folder) for folder in folders), shipped]
    book = typst.Fonts(include_system_fonts=system, include_embedded_fonts=False, font_paths=paths)
    return Fonts(tuple(paths), system, tuple(sorted(book.families())), book)


def choose_family(wanted: Sequence[str], fonts: Fonts) -> str:
    """Choose the first family that is there, else Noto Sans CJK SC.

    Parameters
    ----------
    wanted
        Names of families, best first.
    fonts
        The fonts at hand.

    Returns
    -------
    str
        A family that the fonts hold.

    Examples
    --------
    >>> choose_family(["no such font"], find_fonts())
    'Noto Sans CJK SC'
    """
    return next((name for name in wanted if name in fonts.families), FAMILY)


@lru_cache(maxsize=8)
def characters_of(fonts: Fonts, family: str = FAMILY) -> frozenset[int]:
    """List the characters that a family can show.

    Parameters
    ----------
    fonts
        The fonts at hand.
    family
        One of their families.

    Returns
    -------
    frozenset of int
        Code points.
    """
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for info in fonts.book.fonts():
        if info.family != family or not info.path:
            continue
        with TTFont(info.path, fontNumber=info.index, lazy=True) as face:
            found.update(face.getBestCmap())
    return frozenset(found)


def lacking(values: Any, fonts: Fonts, *, family: str = FAMILY) -> dict[str, str]:
    """Say which characters of a paper's values no glyph exists for.

    Parameters
    ----------
    values
        Texts, and mappings and sequences of them.
    fonts
        The fonts at hand.
    family
        The family that sets them.

    Returns
    -------
    dict
        Character to the first text it stands in.

    Examples
    --------
    >>> lacking({"name": "碶头村 𪚥"}, find_fonts())
    {'𪚥': '碶头村 𪚥'}
    """
    known = characters_of(fonts, family)
    found: dict[str, str] = {}
    for said in _texts(values):
        for letter in said:
            if ord(letter) not in known and not letter.isspace():
                found.setdefault(letter, said)
    return found


def lacking_note(found: Mapping[str, str]) -> Text:
    """Name the characters that no font has.

    Parameters
    ----------
    found
        From `lacking`.

    Returns
    -------
    Text
        One sentence with every character, its number and the text it stands in.

    Examples
    --------
    >>> "U+2A6A5 (𪚥村)" in str(lacking_note({"𪚥": "𪚥村"}))
    True
    """
    named = "、".join(f"U+{ord(letter):04X} ({said})" for letter, said in found.items())
    return text(
        "no font has these characters, {mark} is printed instead: {characters}",
        mark=LACKING,
        characters=named,
    )


def _texts(values: Any) -> Iterable[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, Sequence) and not isinstance(values, bytes):
        for value in values:
            yield from _texts(value)


def _printable(values: Any, known: frozenset[int]) -> Any:
    """Replace what cannot be printed; control characters vanish."""
    if isinstance(values, str):
        if all(ord(letter) >= 32 and ord(letter) in known for letter in values):
            return values
        return "".join(
            letter
            if ord(letter) in known or letter in "\n\t"
            else (" " if letter.isspace() else "")
            if letter.isspace() or unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Mn"}
            else LACKING
            for letter in values
        )
    if isinstance(values, Mapping):
        return {str(key): _printable(value, known) for key, value in values.items()}
    if isinstance(values, Sequence) and not isinstance(values, bytes):
        return [_printable(value, known) for value in values]
    return values


def escape(said: object) -> str:
    r"""Write a text so that the typesetter's markup shows it as it stands.

    A template needs this never: values come as ``sys.inputs.data`` and are no markup. It serves
    markup that is made in Python.

    Parameters
    ----------
    said
        Any text, or what can be shown as one.

    Returns
    -------
    str
        Markup.

    Examples
    --------
    >>> print(escape('#1 *a* _b_ $x$ <y> "q" \\ //'))
    \#1 \*a\* \_b\_ \$x\$ \<y\> \"q\" \\ \/\/
    """
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in str(said)).replace(
        "\n", " "
    )


_START: Final = (
    "#set document(date: {day})\n"
    '#set text(font: "{family}", lang: sys.inputs.lang, region: sys.inputs.region)\n'
)
"""What stands before every template."""
_SPECIAL: Final = frozenset("\\#$<>*_`@\"'[]{}~-+=/.:")


def typeset(
    source: str,
    *,
    values: Mapping[str, Any] | None = None,
    assets: Mapping[str, str] | None = None,
    fonts: Fonts | None = None,
    family: str = FAMILY,
    root: Path | None = None,
    date: str = "",
    lang: str = "zh",
    standard: Literal["a-2b", "a-2u", "a-3b"] | None = "a-2b",
) -> bytes:
    """Typeset a document.

    In the template ``json(bytes(sys.inputs.data))`` are the values: plain texts and numbers that
    never act as markup, whatever signs a name has. An asset ``map`` stands in ``sys.inputs.map``.

    Parameters
    ----------
    source
        The template, in Typst's language; date, font and language are set before it.
    values
        Texts, numbers, lists and mappings. Characters that no font has become 〓.
    assets
        Name to further text, such as an SVG picture: ``image(bytes(sys.inputs.map))``.
    fonts
        The fonts at hand; by default Noto Sans CJK alone.
    family
        Family by which characters are checked; the template names its own.
    root
        Folder beyond which the template reads no file.
    date
        ISO date of the document, the only date in it.
    lang
        Language of the text: sets ``sys.inputs.lang`` and ``sys.inputs.region``.
    standard
        Archive profile, or None for plain PDF.

    Returns
    -------
    bytes
        A PDF: fonts embedded as subsets, no clock, no machine in it.

    Raises
    ------
    ExportError
        When the template does not compile; its message and line are told.

    Examples
    --------
    >>> source = "#json(bytes(sys.inputs.data)).name"
    >>> pdf = typeset(source, values={"name": "#1 *村* $x$"})
    >>> pdf[:5], pdf == typeset(source, values={"name": "#1 *村* $x$"})
    (b'%PDF-', True)
    """
    import typst

    fonts = fonts or find_fonts()
    known = characters_of(fonts, family)
    language, region = _LANGUAGES.get(lang, _LANGUAGES["zh"])
    moment = datetime.fromisoformat(date or EPOCH).replace(tzinfo=UTC)
    shown = json.dumps(_printable(values or {}, known), ensure_ascii=False)
    inputs = {"data": shown, "lang": language, "region": region, **_printable(assets or {}, known)}
    day = f"datetime(year: {moment.year}, month: {moment.month}, day: {moment.day})"
    try:
        compiler = typst.Compiler(
            f"{_START.format(day=day, family=family)}{source}".encode(),
            root=str(root or Path(__file__).parent),
            font_paths=fonts.book,
            ignore_system_fonts=not fonts.system,
            sys_inputs=inputs,
        )
        out = compiler.compile(
            format="pdf",
            pdf_standards=[standard] if standard else [],
            timestamp=int(moment.timestamp()),
            pdf_tags=False,
        )
    except typst.TypstError as error:
        raise ExportError(
            text("the template does not compile: {why}", why=error.diagnostic or error.message)
        ) from None
    return cast("bytes", out)


TEMPLATE: Final = Path(__file__).with_name("official.typ")
_DARK: Final = 360
"""Sum of red, green and blue below which a cell's words are white."""


def write_pdf(paper: Paper, path: Path, *, layout: Layout, lang: str = "zh") -> None:
    """Write a paper as PDF/A; the same paper gives the same bytes.

    Parameters
    ----------
    paper
        The paper.
    path
        File to write.
    layout
        Margins, grid and typefaces; those of ``layout.folders`` go before the shipped ones.
    lang
        Language of the text.
    """
    fonts = find_fonts(folders=layout.folders, system=layout.system)
    values = {
        "layout": {
            "margins": dict(layout.margins_mm),
            "sizes": dict(layout.sizes_pt),
            "fonts": faces_of(layout, fonts),
            "line": layout.line_pt,
            "page_number": layout.page_number,
        },
        "parts": _parts(numbered(paper)),
    }
    source = TEMPLATE.read_text(encoding="utf-8")
    path.write_bytes(typeset(source, values=values, fonts=fonts, date=paper.date, lang=lang))


def faces_of(layout: Layout, fonts: Fonts) -> dict[str, list[str]]:
    """Name the typefaces that are there, best first, for every kind of text.

    Parameters
    ----------
    layout
        The typefaces wanted.
    fonts
        The fonts at hand.

    Returns
    -------
    dict
        Kind to families; the shipped one comes last.
    """
    return {
        name: [*dict.fromkeys([*(f for f in wanted if f in fonts.families), FAMILY])]
        for name, wanted in layout.fonts.items()
    }


def replaced_faces(layout: Layout, fonts: Fonts) -> dict[str, str]:
    """Name the typefaces of the standard that are not there, and what stands in for each.

    Parameters
    ----------
    layout
        The typefaces wanted.
    fonts
        The fonts at hand.

    Returns
    -------
    dict
        Wanted typeface to the one that is used.
    """
    used = faces_of(layout, fonts)
    return {
        wanted[0]: used[name][0]
        for name, wanted in layout.fonts.items()
        if used[name][0] != wanted[0]
    }


def _parts(paper: Paper) -> list[dict[str, Any]]:
    head = [
        Para(paper.title, "title"),
        *([Para(paper.subtitle, "subtitle")] if paper.subtitle else []),
    ]
    return [
        {
            "lying": part.lying,
            "blocks": [_block(block) for block in [*(head if at == 0 else []), *part.blocks]],
        }
        for at, part in enumerate(paper.parts)
    ]


def _block(block: Heading | Para | Table | Break) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {
            "kind": f"level{block.level}" if block.level else "centre",
            "said": clean(block.text),
        }
    if isinstance(block, Para):
        return {"kind": block.style, "said": clean(block.text)}
    if isinstance(block, Break):
        return {"kind": "break"}
    n = len(block.heads) or max(len(row) for row in block.rows)
    return {
        "kind": "table",
        "caption": clean(block.caption),
        "heads": [clean(head) for head in block.heads],
        "rows": [[clean(said) for said in row] for row in block.rows],
        "widths": [float(width) for width in block.widths] or [1.0] * n,
        "sides": list(block.sides or "c" * n),
        "size": block.size,
        "bold_last": block.bold_last,
        "whole": block.whole,
        "small": block.small,
        "height_mm": block.height_mm,
        "fills": {
            f"{row},{place}": [fill, sum(int(fill[at : at + 2], 16) for at in (1, 3, 5)) < _DARK]
            for (row, place), fill in sorted(block.fills.items())
        },
    }

"""Papers as PDF: the same blocks as in the Word file, set by a template that an office may edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from riskmap.export.papers.typeset import Fonts

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
    from riskmap.export.papers.typeset import find_fonts, typeset

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
    from riskmap.export.papers.typeset import FAMILY

    return {
        name: [*dict.fromkeys([*(f for f in wanted if f in fonts.families), FAMILY])]
        for name, wanted in layout.fonts.items()
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
        "height_mm": block.height_mm,
        "fills": {
            f"{row},{place}": [fill, sum(int(fill[at : at + 2], 16) for at in (1, 3, 5)) < _DARK]
            for (row, place), fill in sorted(block.fills.items())
        },
    }
